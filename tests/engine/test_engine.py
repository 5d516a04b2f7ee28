"""Grading through a real engine: points, verdicts, seeds, and what one submission's fault costs."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import grader
from dlquiz.testing.verdict import Verdict
from grader.engine.local import LocalEngine
from grader.result import Result
from grader.submission import Submission

Grade = Callable[..., Result]


def verdicts(result: Result) -> dict[str, str]:
    return {test.name: str(test.verdict) for test in result.tests}


def problems(result: Result) -> dict[str, float]:
    return {problem.name: problem.points for problem in result.problems}


def test_a_right_answer_earns_every_point(engine: LocalEngine, grade: Grade) -> None:
    result = grade(engine, student="ada")
    assert (result.student, result.assignment, result.points, result.max_points) == (
        "ada",
        "work",
        10.0,
        10.0,
    )
    assert result.graded
    assert set(verdicts(result).values()) == {"passed"}
    assert [test.max_points for test in result.tests] == [1.0, 1.0, 1.0, 1.0, 2.0, 4.0]
    assert problems(result) == {"double": 4.0, "echo": 2.0, "last": 4.0}
    assert (result.faults, result.limits_hit, result.import_error) == ((), (), "")


def test_a_result_says_how_it_was_come_by(engine: LocalEngine, grade: Grade, right: str) -> None:
    result = grade(engine, seed=77)
    assert result.seed == 77
    assert result.isolation == "strict"
    assert result.grader_version == grader.__version__
    assert result.assignment_hash == engine.assignment.digest()
    assert result.submission_hash == Submission("x", {"work.py": right.encode()}).digest()
    assert {"python", "keras", "numpy", "tensorflow"} <= result.versions.keys()
    assert result.seconds > 0
    assert result.started.endswith("+00:00")
    assert Result.from_json(result.to_json()) == result


def test_points_are_of_the_tests_that_passed_out_of_the_manifests(engine: LocalEngine, grade: Grade) -> None:
    result = grade(engine, "def double(x):\n    return x * (2 if x.size != 2 else 3)")
    assert problems(result) == {"double": 2.0, "echo": 2.0, "last": 4.0}
    assert result.points == 8.0
    assert verdicts(result)["test_double[2]"] == "failed"
    assert verdicts(result)["test_double_of_none"] == "skipped"
    failed = next(test for test in result.tests if test.name == "test_double[2]")
    assert (failed.hint, failed.title, failed.points, failed.max_points) == (
        "Twice as much.",
        "Every number is doubled.",
        0.0,
        1.0,
    )
    assert "assert_allclose" in failed.detail
    assert all(not test.hint and not test.detail for test in result.tests if test.verdict is Verdict.PASSED)


WRITE = "open('{}', 'wb').write(bytes(20 * 2**20))"
CRASHES = {
    "exit": ("import os\n    os._exit(0)", "crashed", "exit status 0"),
    "abort": ("import os\n    os.abort()", "crashed", "SIGABRT"),
    "memory": ("return bytearray(500 * 2**20)", "memory", "MiB of memory"),
    "disk": (f"{WRITE.format('a')}, {WRITE.format('b')}\n    while True: pass", "crashed", "wrote"),
    "hang": ("while True: pass", "timeout", "no answer within 1 s"),
    "raise": ("raise ValueError('no')", "error", "ValueError: no"),
    "stub": ("raise NotImplementedError", "not attempted", "still the stub"),
}


@pytest.mark.parametrize("name", CRASHES)
def test_a_fault_costs_its_own_test_and_the_next_has_a_fresh_worker(
    engine: LocalEngine, grade: Grade, name: str
) -> None:
    body, verdict, message = CRASHES[name]
    result = grade(
        engine,
        f"STATE = []\ndef echo(x):\n    {body}\ndef last():\n    return 'last' if not STATE else STATE",
    )
    assert result.graded
    assert problems(result) == {"double": 4.0, "echo": 0.0, "last": 4.0}
    echo = next(test for test in result.tests if test.name == "test_echo")
    assert str(echo.verdict) == verdict
    assert message in echo.message
    hit = verdict in ("crashed", "memory", "timeout")
    assert result.limits_hit == ((f"test_echo: {echo.message}",) if hit else ())


def test_an_import_that_hangs_is_judged_once_for_all(engine: LocalEngine, grade: Grade) -> None:
    started = time.monotonic()
    result = grade(engine, "while True:\n    pass")
    assert time.monotonic() - started < 3
    assert result.graded
    assert result.points == 0
    told = verdicts(result)
    assert told.pop("test_double_of_none") == "skipped"
    assert set(told.values()) == {"timeout"}
    assert "no answer within 1 s" in result.import_error


def test_an_import_that_raises_is_told_in_full(engine: LocalEngine, grade: Grade) -> None:
    result = grade(engine, "print('before')\nraise KeyError('what')")
    assert result.points == 0
    assert result.graded
    assert result.import_output == "before\n"
    assert "KeyError: 'what'" in result.import_error
    assert "work.py, line" in result.import_error


def test_what_the_student_prints_stays_with_its_test(engine: LocalEngine, grade: Grade) -> None:
    outputs = {test.name: test.output for test in grade(engine).tests}
    assert outputs.pop("test_echo").startswith("echo ")
    assert set(outputs.values()) == {""}


def echoed(result: Result) -> str:
    return next(test.output for test in result.tests if test.name == "test_echo")


def test_a_seed_decides_every_hidden_input(engine: LocalEngine, grade: Grade) -> None:
    first = echoed(grade(engine, seed=5))
    assert echoed(grade(engine, seed=5)) == first
    assert echoed(grade(engine, seed=6)) != first
    shared = "import random\ndef last():\n    print(random.random())\n    return 'last'"
    drawn = [grade(engine, shared, seed=seed).tests[-1].output for seed in (5, 5, 6)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_submissions_do_not_see_each_other(engine: LocalEngine, grade: Grade) -> None:
    leave = "import os, builtins\nopen('left', 'w').write('x')\nbuiltins.LEFT = 1\nos.environ['LEFT'] = '1'"
    look = "import os, builtins\nprint(os.listdir(), hasattr(builtins, 'LEFT'), 'LEFT' in os.environ)"
    grade(engine, leave)
    assert grade(engine, look).import_output == "['work.py'] False False\n"


def test_a_submission_without_its_file_is_not_attempted(engine: LocalEngine) -> None:
    missing = Submission("bo", {}, notes=("a note",), problems=("no work.py among: notes.txt",))
    (result,) = engine.grade([(missing, 1)])
    assert result.graded
    assert result.points == 0
    assert set(verdicts(result).values()) == {"not attempted"}
    assert {test.message for test in result.tests} == {"no work.py among: notes.txt"}
    assert result.notes == ("no work.py among: notes.txt", "a note")


def test_problems_of_a_submission_that_is_there_are_noted(engine: LocalEngine, right: str) -> None:
    one = Submission(
        "bo", {"work.py": right.encode()}, notes=("re-encoded",), problems=("more.py is missing",)
    )
    (result,) = engine.grade([(one, 1)])
    assert result.points == 10
    assert result.notes == ("more.py is missing", "re-encoded")


def test_an_empty_class_gives_nothing(engine: LocalEngine) -> None:
    assert list(engine.grade([])) == []


def test_some_tests_are_run_with_what_they_need(engine: LocalEngine, right: str) -> None:
    two = [(Submission(name, {"work.py": right.encode()}), 1) for name in ("some", "all")]
    wanted = {"some": ["test_double_of_none"], "all": []}
    some, whole = sorted(
        engine.grade(two, tests=lambda one: wanted[one.student]), key=lambda one: one.student
    )[::-1]
    assert {test.name.partition("[")[0] for test in some.tests} == {"test_double_of_none", "test_double"}
    assert some.points < whole.points == 10
    assert some.graded


def test_results_come_as_they_are_finished_and_few_submissions_are_held(own_engine: Any, right: str) -> None:
    taken = []

    def queue() -> Iterator[tuple[Submission, int]]:
        for number in range(30):
            taken.append(number)
            yield Submission(f"s{number}", {"work.py": right.encode()}), 1

    with own_engine(jobs=2) as engine:
        for done, result in enumerate(engine.grade(queue()), 1):
            assert result.points == 10
            assert len(taken) - done <= 4
    assert len(taken) == 30


def test_two_jobs_grade_at_the_same_time(own_engine: Any, right: str) -> None:
    slow = (right + "import time\ntime.sleep(0.7)").encode()
    with own_engine(jobs=2) as engine:
        started = time.monotonic()
        results = list(engine.grade((Submission(f"s{k}", {"work.py": slow}), 1) for k in range(4)))
        assert time.monotonic() - started < 2.5
    assert [result.points for result in results] == [10.0] * 4
    assert len({result.student for result in results}) == 4


def test_a_reader_that_stops_early_stops_the_grading(own_engine: Any, right: str) -> None:
    with own_engine() as engine:
        run = engine.grade((Submission(f"s{k}", {"work.py": right.encode()}), 1) for k in range(10**6))
        next(run)
        started = time.monotonic()
        run.close()
        assert time.monotonic() - started < 3


def test_grading_leaks_neither_processes_nor_descriptors_nor_folders(
    engine: LocalEngine, grade: Grade, processes_of: Any, open_descriptors: Callable[[], int]
) -> None:
    def held() -> tuple[int, int, int]:
        return len(processes_of(engine)), open_descriptors(), len(list(engine.folder.glob("worker-*")))

    def settled(wanted: tuple[int, int, int] | None = None) -> tuple[int, int, int]:
        """What is held once the killed are gone: a slot buries them while it grades the next submission."""
        deadline = time.monotonic() + 5
        while (now := held()) != (wanted or now) and time.monotonic() < deadline:
            time.sleep(0.05)
        return now

    grade(engine)
    time.sleep(0.5)
    before = settled()
    for more in ("", "import os\nos._exit(1)", "def echo(x):\n    while True: pass", "raise ValueError"):
        grade(engine, more)
    assert settled(before) == before


def test_no_isolation_grades_without_confinement(own_engine: Any, grade: Grade, tmp_path: Path) -> None:
    look = f"import os\nprint(len(os.listdir({str(tmp_path)!r})))"
    with own_engine(isolation="none") as engine:
        result = grade(engine, look)
        assert result.points == 10
        assert result.isolation == "none"
        assert result.import_output == "1\n"
        hang = grade(engine, "def echo(x):\n    while True: pass")
        assert verdicts(hang)["test_echo"] == "timeout"


def test_strict_isolation_is_the_default_and_confines(engine: LocalEngine, grade: Grade) -> None:
    result = grade(engine, f"import os\nos.listdir({str(engine.assignment.path)!r})")
    assert "PermissionError" in result.import_error


def test_the_environment_of_the_grader_does_not_reach_a_worker(
    own_engine: Any, grade: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_TOKEN", "x")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    with own_engine() as engine:
        shown = grade(
            engine, "import os, sys\nprint(sorted(os.environ), '/nowhere' in sys.path)"
        ).import_output
    assert "SOME_TOKEN" not in shown
    assert shown.endswith("False\n")


def test_a_worker_sees_one_folder_of_its_own(engine: LocalEngine, grade: Grade) -> None:
    shown = grade(
        engine, "import os\nprint(os.getcwd() == os.environ['HOME'] == os.environ['TMPDIR'], os.getcwd())"
    )
    assert shown.import_output.startswith(f"True {engine.folder}/worker-")


def test_points_follow_from_the_verdict_alone(engine: LocalEngine) -> None:
    check = next(iter(engine.warm.checks.values()))
    for verdict in Verdict:
        test = engine.judged(check, verdict=verdict)
        assert (test.points > 0) is (verdict is Verdict.PASSED)


def test_points_never_exceed_the_manifests(engine: LocalEngine) -> None:
    tests = [engine.judged(check, verdict=Verdict.PASSED) for check in engine.warm.checks.values()] * 2
    assert engine.result(Submission("x"), 1, tests).points == 10.0


def test_one_grader_error_makes_a_result_that_is_no_mark(engine: LocalEngine) -> None:
    tests = [engine.judged(check, verdict=Verdict.PASSED) for check in engine.warm.checks.values()]
    tests[0] = dataclasses.replace(tests[0], verdict=Verdict.GRADER_ERROR, points=0.0)
    assert not engine.result(Submission("x"), 1, tests).graded


def test_no_process_of_an_engine_is_left_when_it_is_closed(
    own_engine: Any, grade: Grade, processes_of: Any, all_gone: Any
) -> None:
    with own_engine() as engine:
        grade(engine)
        processes = processes_of(engine)
        folder = engine.folder
        assert len(processes) >= 4
        assert folder.is_dir()
    assert all_gone(processes, 0.5)
    assert not folder.exists()
    assert psutil.Process().is_running()
