"""Grading a class from the command line, whole: tables, files, marks that hold, runs that are cut short."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

SLOW = "import time\ntime.sleep(0.4)\n"


def students(told: dict[str, Any]) -> dict[str, float | None]:
    return {one["student"]: one["points"] for one in told["students"]}


def results_of(course: Any) -> list[tuple[str, str]]:
    """Every result in the gradebook, as (student, text), in the order of recording."""
    with sqlite3.connect(course.folder / "gradebook.db") as book:
        (table,) = [
            name
            for (name,) in book.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if {"student", "assignment"} <= {row[1] for row in book.execute(f"PRAGMA table_info({name})")}
        ]
        return list(book.execute(f"SELECT student, rowid FROM {table} ORDER BY rowid"))


def test_a_class_is_graded_into_a_table_and_files(mixed: Any) -> None:
    done = mixed.grade("--csv", "marks.csv", "--json", "marks.json", "--seed", "7")
    expected = {"ada": 10, "broken": 0, "half": 6, "stub": 0, "syntax": 0, "zipped": 10}
    for student in expected:
        assert student in done.out
    assert "6 graded in" in done.out
    assert "Seed 7" in done.out
    assert "gradebook.db" in done.out
    told = json.loads((mixed.folder / "marks.json").read_text())
    assert students(told) == expected
    assert all(one["graded"] and one["seed"] == 7 for one in told["students"])
    with (mixed.folder / "marks.csv").open(newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert {student: float(row["points"]) for student, row in rows.items()} == expected
    assert (rows["half"]["max_points"], rows["half"]["percent"]) == ("10.0", "60.0")
    assert (rows["half"]["total"], rows["half"]["mean"]) == ("6.0", "0.0")
    verdicts = {one["student"]: one["verdicts"] for one in told["students"]}
    assert verdicts["broken"] == {"not attempted": 4}
    assert verdicts["stub"]["not attempted"] == 3
    assert verdicts["syntax"]["error"] == 3
    syntax = next(one for one in told["students"] if one["student"] == "syntax")
    assert "SyntaxError" in syntax["import_error"]


def test_json_on_standard_output_has_it_to_itself(mixed: Any) -> None:
    done = mixed.grade("--json", "-")
    assert students(json.loads(done.out))["ada"] == 10
    assert "graded in" in done.err


def test_what_has_not_changed_is_not_graded_again(course: Any, right: str, half: str) -> None:
    course.hand_in("ada", right)
    course.hand_in("bo", half)
    course.grade()
    again = course.grade("--json", "-")
    assert "0 graded in" in again.err
    assert "2 unchanged since their mark" in again.err
    assert students(json.loads(again.out)) == {"ada": 10, "bo": 6}
    assert len(results_of(course)) == 2
    course.hand_in("bo", right)
    changed = course.grade("--json", "-")
    assert "1 graded in" in changed.err
    assert students(json.loads(changed.out)) == {"ada": 10, "bo": 10}


def test_a_changed_suite_grades_everything_again(course: Any, right: str) -> None:
    course.hand_in("ada", right)
    course.grade()
    suite = course.folder / "assignments" / "sums" / "hidden" / "test_hidden.py"
    suite.write_text(suite.read_text() + "\n# another word\n")
    assert "1 graded in" in course.grade().out


def test_everything_is_graded_again_on_demand(course: Any, right: str) -> None:
    course.hand_in("ada", right)
    course.grade()
    assert "1 graded in" in course.grade("--regrade").out
    assert len(results_of(course)) == 2


def test_a_seed_is_kept_with_the_mark_and_another_seed_grades_again(course: Any, right: str) -> None:
    course.hand_in("ada", right)
    course.grade("--seed", "5")
    assert "0 graded in" in course.grade("--seed", "5").out
    assert "0 graded in" in course.grade().out
    done = course.grade("--seed", "6", "--json", "-")
    assert "1 graded in" in done.err
    assert json.loads(done.out)["students"][0]["seed"] == 6


def test_who_left_the_class_is_in_the_gradebook_and_not_in_the_table(course: Any, right: str) -> None:
    course.hand_in("ada", right)
    course.hand_in("gone", right)
    course.grade()
    (course.students / "gone" / "sums.py").unlink()
    (course.students / "gone").rmdir()
    done = course.grade("--json", "-")
    assert list(students(json.loads(done.out))) == ["ada"]
    assert "gone" in course.invoke("show", "gone", "-a", "sums", status=0).out


def test_one_result_is_shown_in_full(course: Any, half: str) -> None:
    course.hand_in("bo", half)
    course.grade("--seed", "11")
    done = course.invoke("show", "bo", "-a", "sums", "--json", "bo.json", status=0)
    for text in ("bo", "6", "By how many do you divide?", "test_mean", "--seed 11", "Every number counts."):
        assert text in done.out
    told = json.loads((course.folder / "bo.json").read_text())
    assert "bo" in json.dumps(told)


def test_a_student_without_a_result_is_told_who_has_one(course: Any, right: str) -> None:
    course.hand_in("ada", right)
    course.grade()
    done = course.invoke("show", "nobody", "-a", "sums", status=3)
    assert done.out == ""
    assert done.err.splitlines() == [done.err.strip()]
    assert "no result of 'nobody' in sums; it has: ada" in done.err


def test_no_isolation_is_said_aloud(course: Any, right: str) -> None:
    course.hand_in("ada", right)
    done = course.grade("--isolation", "none")
    assert "Isolation is off" in done.err
    assert "Isolation" not in course.grade("--regrade").err


FAULT = """

@pytest.mark.problem("mean", points=1)
def test_of_ours(student):
    \"\"\"What only a fault of ours makes fail.\"\"\"
    raise OSError("the suite's own disk")
"""


def break_suite(course: Any) -> None:
    suite = course.folder / "assignments" / "sums" / "hidden" / "test_hidden.py"
    text = suite.read_text().replace(
        '@pytest.mark.problem("mean", points=4)', '@pytest.mark.problem("mean", points=3)'
    )
    suite.write_text(text + FAULT)


def test_a_suite_at_fault_is_status_3_and_gives_no_mark(course: Any, right: str) -> None:
    course.hand_in("ada", right)
    break_suite(course)
    done = course.grade("--json", "-", status=3)
    assert students(json.loads(done.out)) == {"ada": None}
    assert "grader error" in done.err


def test_a_failed_regrade_keeps_the_old_mark(course: Any, right: str, half: str) -> None:
    course.hand_in("ada", half)
    course.grade()
    break_suite(course)
    done = course.grade("--json", "-", "--regrade", status=3)
    assert students(json.loads(done.out)) == {"ada": 6}
    # ... and what could not be graded is tried again without being asked
    assert "1 graded in" in course.grade(status=3).out


def test_a_suite_that_cannot_be_collected_is_status_3_in_words(course: Any, right: str) -> None:
    course.hand_in("ada", right)
    suite = course.folder / "assignments" / "sums" / "hidden" / "test_hidden.py"
    suite.write_text("import nowhere_at_all\n" + suite.read_text())
    done = course.grade(status=3)
    assert "No module named 'nowhere_at_all'" in done.err


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def recorded(course: Any) -> int:
    try:
        return len(results_of(course))
    except (sqlite3.OperationalError, ValueError):
        return 0


def family(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def all_gone(processes: list[psutil.Process]) -> bool:
    return not [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def start_long(course: Any, right: str, count: int = 6) -> Any:
    for number in range(count):
        course.hand_in(f"s{number}", SLOW + right)
    process = course.start("grade", "class", "-a", "sums", "-j", "1")
    wait_for(lambda: recorded(course) >= 2)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_so_and_leaves_nothing(course: Any, right: str, number: int) -> None:
    with start_long(course, right) as process:
        processes = family(process.pid)
        assert len(processes) >= 4
        started = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 130
        assert time.monotonic() - started < 5
    assert "interrupted; what was graded is kept" in err
    assert "Traceback" not in out + err
    wait_for(lambda: all_gone(processes), 3)
    kept = recorded(course)
    assert 2 <= kept < 6
    assert f"{6 - kept} graded in" in course.grade().out


def test_a_killed_run_loses_nothing_and_grades_nothing_twice(course: Any, right: str) -> None:
    with start_long(course, right) as process:
        processes = family(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    wait_for(lambda: all_gone(processes), 3)
    kept = recorded(course)
    done = course.grade("--json", "-")
    assert f"{6 - kept} graded in" in done.err
    assert f"{kept} unchanged" in done.err
    assert students(json.loads(done.out)) == {f"s{number}": 10 for number in range(6)}
    assert sorted(student for student, _ in results_of(course)) == [f"s{number}" for number in range(6)]


def test_the_gradebook_may_not_lie_where_workers_read(course: Any, right: str) -> None:
    import sysconfig

    course.hand_in("ada", right)
    book = os.path.join(sysconfig.get_path("purelib"), "book-of-a-test.db")
    try:
        done = course.grade("--gradebook", book, status=3)
        assert "which workers may read; move it elsewhere" in done.err
    finally:
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(book + suffix):
                os.remove(book + suffix)
