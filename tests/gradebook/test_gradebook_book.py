"""The gradebook keeps what it was given, and knows whose mark is what."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from grader.gradebook import Gradebook, GradebookError
from grader.gradebook.book import _METADATA, _RESULTS

HASHES = ("s" * 64, "a" * 64, "0.1.0")

WRITER = """
    import sys
    from grader.gradebook import Gradebook
    from grader.result import Result

    path, student, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with Gradebook(path) as book:
        for number in range(count):
            book.record(Result(student, "activations", 1.0, 1e9, True, number, import_output="x" * 5000))
            print(number, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "marks.db"


def start_writer(path: Path, student: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", dedent(WRITER), str(path), student, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path)},
    )


def test_a_result_comes_back_equal_after_reopening(path, make_result):
    result = make_result("Zoë \udce9 \x00 back\\slash \\x00e9", notes=("[bold]", "\u202e", "\ud800"))
    with Gradebook(path) as book:
        book.record(result)
    with Gradebook(str(path)) as book:
        assert book.mark(result.student, "activations") == result
        assert list(book.marks("activations")) == [result]


def test_names_that_escaping_could_confuse_stay_two_students(path, make_result):
    with Gradebook(path) as book:
        book.record(make_result("a\x00", 1.0))
        book.record(make_result("a\\x0000", 2.0))
        assert book.mark("a\x00", "activations").points == 1.0
        assert book.mark("a\\x0000", "activations").points == 2.0


def test_students_who_differ_in_case_only_are_two_students(path, make_result):
    with Gradebook(path) as book:
        book.record(make_result("Ann", 1.0))
        assert book.mark("ann", "activations") is None


def test_mysql_is_told_to_tell_case_apart():
    statement = str(CreateTable(_RESULTS).compile(dialect=mysql.dialect()))
    assert statement.count("utf8mb4_bin") == 2
    assert "LONGTEXT" in statement


def test_the_newest_graded_result_is_the_mark_even_when_it_is_lower(path, make_result):
    with Gradebook(path) as book:
        book.record(make_result(points=9.0))
        book.record(make_result(points=2.0))
        assert book.mark("ann", "activations").points == 2.0


def test_a_failed_regrade_never_overwrites_a_mark(path, make_result):
    with Gradebook(path) as book:
        book.record(make_result(points=9.0))
        book.record(make_result(points=0.0, graded=False, faults=("worker would not start",)))
        assert book.mark("ann", "activations").points == 9.0
        assert book.latest("ann", "activations").faults == ("worker would not start",)
        assert book.current("ann", "activations", *HASHES).points == 9.0
        assert [result.points for result in book.marks("activations")] == [9.0]
        assert [entry.result.points for entry in book.standings("activations")] == [9.0]


def test_an_ungraded_result_alone_is_no_mark_but_has_a_standing(path, make_result):
    with Gradebook(path) as book:
        book.record(make_result(points=3.0, graded=False))
        book.record(make_result(points=4.0, graded=False))
        assert book.mark("ann", "activations") is None
        assert book.current("ann", "activations", *HASHES) is None
        assert list(book.marks("activations")) == []
        assert [entry.result.points for entry in book.standings("activations")] == [4.0]


def test_regrades_are_kept_in_the_order_of_recording(path, make_result):
    with Gradebook(path) as book:
        for points, graded in ((1.0, True), (2.0, False), (3.0, True)):
            book.record(make_result(points=points, graded=graded))
        book.record(make_result("bob"))
        entries = book.history("ann", "activations")
    assert [entry.result.points for entry in entries] == [1.0, 2.0, 3.0]
    assert [entry.number for entry in entries] == sorted(entry.number for entry in entries)
    assert all(entry.recorded.endswith("+00:00") for entry in entries)


@pytest.mark.parametrize(
    "changed",
    [
        {"submission_hash": "t" * 64},
        {"assignment_hash": "b" * 64},
        {"grader_version": "0.2.0"},
        {"seed": 8},
        {"student": "bob"},
        {"assignment": "losses"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_mark_is_current_only_for_what_it_was_given_for(path, make_result, changed):
    asked = {
        "student": "ann",
        "assignment": "activations",
        "submission_hash": HASHES[0],
        "assignment_hash": HASHES[1],
        "grader_version": HASHES[2],
        "seed": 7,
    }
    with Gradebook(path) as book:
        book.record(make_result())
        assert book.current(**asked) == make_result()
        assert book.current(**{**asked, "seed": None}) == make_result()
        assert book.current(**{**asked, **changed}) is None


def test_an_older_submission_handed_in_again_is_graded_again(path, make_result):
    with Gradebook(path) as book:
        book.record(make_result(points=9.0))
        book.record(make_result(points=1.0, submission_hash="t" * 64))
        assert book.current("ann", "activations", *HASHES) is None


def test_marks_are_sorted_by_student_and_keep_to_their_assignment(path, make_result):
    students = [f"s{number:03d}" for number in range(70)]
    with Gradebook(path) as book:
        for student in reversed(students):
            book.record(make_result(student))
        book.record(make_result("other", assignment="losses"))
        assert [result.student for result in book.marks("activations")] == students
        assert book.assignments() == ["activations", "losses"]


def test_marks_are_sorted_by_name_and_not_by_what_the_database_makes_of_it(path, make_result):
    students = ["\x00nul", "Ann", "a\\b", "ab", "\udce9"]
    with Gradebook(path) as book:
        for student in students:
            book.record(make_result(student))
        assert [result.student for result in book.marks("activations")] == sorted(students)


def test_recording_is_possible_while_marks_are_being_read(path, make_result):
    with Gradebook(path, busy_seconds=1.0) as book:
        for student in ("ann", "bob"):
            book.record(make_result(student))
        marks = book.marks("activations")
        next(marks)
        book.record(make_result("cem"))
        assert next(marks).student == "bob"


def test_seeds_of_any_size_are_kept(path, make_result):
    with Gradebook(path) as book:
        book.record(make_result(seed=2**100))
        assert book.current("ann", "activations", *HASHES, seed=2**100).seed == 2**100


def test_points_which_are_not_finite_are_refused(path, make_result):
    with Gradebook(path) as book:
        with pytest.raises(GradebookError, match=r"'ann'.*not finite"):
            book.record(make_result(points=float("nan")))
        assert book.latest("ann", "activations") is None


def test_quotes_in_a_name_are_data(path, make_result):
    name = "x'); DROP TABLE results; --"
    with Gradebook(path) as book:
        book.record(make_result(name))
        assert book.mark(name, "activations").student == name


def test_only_the_owner_may_read_a_new_gradebook(path, make_result):
    old = os.umask(0)
    try:
        with Gradebook(path) as book:
            book.record(make_result())
            modes = {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
    finally:
        os.umask(old)
    assert "marks.db-wal" in modes
    assert set(modes.values()) == {"0o600"}


def test_permissions_given_on_purpose_are_kept(path, make_result):
    Gradebook(path).close()
    path.chmod(0o660)
    with Gradebook(path) as book:
        book.record(make_result())
    assert path.stat().st_mode & 0o777 == 0o660


def test_an_sqlite_url_is_the_same_as_its_path(path, make_result):
    with Gradebook(f"sqlite:///{path}") as book:
        book.record(make_result())
    with Gradebook(path, create=False) as book:
        assert book.mark("ann", "activations") == make_result()


def test_the_lookup_before_grading_is_answered_by_the_index(path):
    Gradebook(path).close()
    query = "SELECT max(id) FROM results WHERE assignment = 'a' AND student = 's' AND graded IS 1"
    with sqlite3.connect(path) as driver:
        plan = " ".join(row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {query}"))
    assert "COVERING INDEX ix_results_mark" in plan
    assert "(assignment=? AND student=? AND graded=?)" in plan


def test_a_new_gradebook_waits_for_another_program_at_the_same_file(path, make_result):
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, other.execute, ["ROLLBACK"])
    release.start()
    with Gradebook(path) as book:
        book.record(make_result())
        assert book.mark("ann", "activations") == make_result()
    release.join()
    other.close()


def test_tables_which_another_process_made_a_moment_earlier_are_used(path, make_result):
    def overtake(_: object, connection: Connection, **__: object) -> None:
        event.remove(_METADATA, "before_create", overtake)
        connection.exec_driver_sql("ROLLBACK")
        Gradebook(path).close()
        connection.exec_driver_sql("INSERT INTO gradebook VALUES (1)")

    event.listen(_METADATA, "before_create", overtake)
    with Gradebook(path) as book:
        book.record(make_result())
        assert book.mark("ann", "activations") == make_result()


@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN IMMEDIATE"], ids=["reading", "writing"])
def test_the_change_to_write_ahead_logging_waits_for_other_programs(path, begin):
    Gradebook(path).close()
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute(begin)
    other.execute("SELECT * FROM results").fetchall()
    release = threading.Timer(0.3, other.execute, ["ROLLBACK"])
    release.start()
    Gradebook(path).close()
    release.join()
    other.close()
    with sqlite3.connect(path) as driver:
        assert driver.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_processes_which_make_the_same_gradebook_at_once_all_succeed(path):
    writers = [start_writer(path, f"s{number}", 1) for number in range(4)]
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0, 0, 0, 0]
    with Gradebook(path, create=False) as book:
        assert len(list(book.marks("activations"))) == 4


def test_two_processes_writing_at_once_lose_nothing(path):
    writers = [start_writer(path, student, 200) for student in ("ann", "bob")]
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0, 0]
    with Gradebook(path, create=False) as book:
        for student in ("ann", "bob"):
            assert [entry.result.seed for entry in book.history(student, "activations")] == list(range(200))


def test_a_killed_writer_loses_nothing_it_acknowledged(path):
    writer = start_writer(path, "ann", 1_000_000)
    assert writer.stdout is not None
    for _ in range(100):
        writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    acknowledged = 100 + len(writer.stdout.read().split())
    assert writer.wait() == -signal.SIGKILL
    with Gradebook(path, create=False) as book:
        kept = [entry.result.seed for entry in book.history("ann", "activations")]
        assert len(kept) in (acknowledged, acknowledged + 1)
        assert kept == list(range(len(kept)))
        assert book.mark("ann", "activations").seed == kept[-1]
    with sqlite3.connect(path) as driver:
        assert driver.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert driver.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_gradebook_whose_making_was_cut_off_is_made_again(path, make_result):
    path.touch()
    with Gradebook(path) as book:
        book.record(make_result())
        assert book.mark("ann", "activations") == make_result()
