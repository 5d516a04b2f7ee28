"""`dlquiz check` on a tiny assignment: every verdict, and what a student is told about it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import Result

Dlquiz = Callable[..., Result]
Checked = Callable[..., tuple[Result, dict[str, Any]]]
Write = Callable[[str], None]


def verdicts(tests: dict[str, Any]) -> list[str]:
    """The verdicts in the order of the tests."""
    return [test["verdict"] for test in tests.values()]


def test_a_right_module_passes_and_is_told_that_hidden_tests_remain(checked: Checked, sums: Path) -> None:
    before = {path.name for path in sums.iterdir()}
    result, tests = checked()
    assert result.exit_code == 0
    assert verdicts(tests) == ["passed"] * 4
    assert "All 4 public tests passed. Hidden tests remain" in result.output
    assert "Something else, 1 point: no public tests" in result.output
    assert {path.name for path in sums.iterdir()} == before


def test_a_wrong_array_is_laid_out_entry_by_entry(checked: Checked, write: Write) -> None:
    write("""
        def spread(values):
            if not len(values):
                raise ValueError
            return values - np.min(values) + np.array([[0, 0.5], [0, 0]])
    """)
    result, tests = checked()
    assert result.exit_code == 1
    assert tests["test_spread"]["difference"] == {
        "facts": ["1 of 4 entries differs; the largest error is 0.5 at [0, 1], where 3e-07 is allowed"],
        "rows": [["[0, 1]", "3.5", "3", "0.5"]],
    }
    assert "hint: Is the smallest number subtracted?" in result.output
    assert "test_public.py, line 24:\n      np.testing.assert_allclose(student.spread(" in result.output
    assert "In reach: 6 of 10 points" in result.output


def test_a_wrong_shape_is_said_first(checked: Checked, write: Write) -> None:
    write("def spread(values):\n    return (values - 2).ravel()\n")
    _, tests = checked()
    assert tests["test_spread"]["difference"]["facts"] == ["shape: yours (4,), expected (2, 2)"]


def test_an_error_shows_the_students_own_lines_only(checked: Checked, write: Write) -> None:
    write(
        "def spread(values):\n    return helper(values)\n\ndef helper(values):\n    return np.ones(3) @ np.ones(4)\n"
    )
    result, tests = checked()
    told = tests["test_spread"]
    assert told["verdict"] == "error"
    assert told["message"].startswith("ValueError: matmul")
    lines = told["trace"].splitlines()
    assert [line.split(", ")[2] for line in lines[::2]] == ["in spread", "in helper"]
    assert lines[-1].strip() == "return np.ones(3) @ np.ones(4)"
    assert "site-packages" not in result.output


def test_a_missing_error_is_named(checked: Checked, write: Write) -> None:
    write("def spread(values):\n    return values - 2 if len(values) else values\n")
    _, tests = checked()
    assert tests["test_spread_of_none"]["message"] == "expected ValueError to be raised, and nothing was"


def test_a_failed_assert_shows_both_sides(checked: Checked, write: Write) -> None:
    write("def total(values):\n    return float(sum(values)) if len(values) else 7\n")
    _, tests = checked()
    assert tests["test_total_of_none"]["message"].startswith("assert 7 == 0")


def test_a_failed_comparison_of_lists_is_shown_whole(checked: Checked, sums: Path) -> None:
    words = [f"a_rather_long_word_{i}" for i in range(6)]
    with (sums / "test_public.py").open("a") as file:
        file.write(f"\n\ndef test_mine(student):\n    assert {words} == {words[:5]}\n")
    message = checked()[1]["test_mine"]["message"]
    assert f"assert {words} == {words[:5]}" in message
    assert "+     'a_rather_long_word_5'" in message


def test_what_needs_a_failed_test_is_skipped(checked: Checked, write: Write) -> None:
    write("def total(values):\n    return 0\n")
    result, tests = checked()
    assert verdicts(tests) == ["failed", "skipped", "passed", "passed"]
    assert "needs test_total, which did not pass" in result.output


def test_the_stub_is_not_attempted(checked: Checked, sums: Path) -> None:
    (sums / "sums.py").write_text("def total(values):\n    raise NotImplementedError\n")
    result, tests = checked()
    assert verdicts(tests) == ["not attempted", "skipped", "not attempted", "not attempted"]
    assert "A spread, 3 points: not attempted" in result.output
    assert "0 of 4 public tests passed" in result.output


def test_a_hang_and_a_crash_cost_their_own_tests_only(checked: Checked, write: Write) -> None:
    write("""
        def total(values):
            print("so far so good")
            while True:
                pass

        def spread(values):
            import os
            os._exit(0) if len(values) else None
            raise ValueError
    """)
    started = time.monotonic()
    _, tests = checked("--timeout", 1)
    assert time.monotonic() - started < 25
    assert verdicts(tests) == ["timeout", "skipped", "crashed", "passed"]
    hang = tests["test_total"]
    assert hang["message"] == "no answer within 1 s"
    assert hang["trace"].splitlines()[-2].endswith("in total")
    assert hang["output"] == "so far so good\n"
    assert tests["test_spread"]["message"] == "your code ended Python (exit status 0)"


def test_a_signal_is_named_with_the_line_that_caused_it(checked: Checked, write: Write) -> None:
    write("def spread(values):\n    import ctypes\n    ctypes.string_at(0)\n")
    _, tests = checked("-k", "spread")
    assert verdicts(tests) == ["crashed", "crashed"]
    assert "SIGSEGV" in tests["test_spread"]["message"]
    assert "ctypes.string_at(0)" in tests["test_spread"]["trace"]


def test_memory_is_bounded(checked: Checked, write: Write) -> None:
    write(
        "def spread(values):\n    kept = [np.ones(2**22) for _ in range(40)]\n    import time\n    time.sleep(9)\n"
    )
    _, tests = checked("-k", "spread", "--memory", "0.5")
    assert tests["test_spread"]["verdict"] == "memory"
    assert tests["test_spread"]["message"] == "used more than 0.5 GB of memory"


@pytest.mark.parametrize(
    ("body", "verdict", "told"),
    [
        ("raise SystemExit(0)", "crashed", "your code ended the program"),
        ("raise KeyboardInterrupt", "crashed", "your code interrupted the run"),
        ("return input()", "error", "EOFError"),
    ],
)
def test_code_that_would_end_or_stop_the_run(
    checked: Checked, write: Write, body: str, verdict: str, told: str
) -> None:
    write(f"def total(values):\n    {body}\n")
    _, tests = checked()
    assert verdicts(tests) == [verdict, "skipped", "passed", "passed"]
    assert told in tests["test_total"]["message"]
    if body != "raise KeyboardInterrupt":
        assert tests["test_total"]["trace"] == f"sums.py, line 15, in total\n    {body}"


@pytest.mark.parametrize(
    ("then", "told"),
    [
        (
            "import pytest\n    pytest.main = lambda *_, **__: os._exit(5)",
            "Python ended before this test could begin",
        ),
        ("raise ValueError('once only')", "sums.py could not be imported again: ValueError: once only"),
    ],
)
def test_a_run_comes_to_its_end_even_if_no_second_process_gets_anywhere(
    checked: Checked, write: Write, then: str, told: str
) -> None:
    write(
        "import os\nimport pathlib\n\nif pathlib.Path('again').exists():\n"
        f"    {then}\npathlib.Path('again').touch()\n\n"
        "def total(values):\n    os._exit(3)\n"
    )
    _, tests = checked()
    assert verdicts(tests) == ["crashed"] * 4
    assert [told in test["message"] for test in tests.values()] == [False, True, True, True]


def test_what_is_printed_is_bounded_and_cannot_pass_for_a_verdict(checked: Checked, write: Write) -> None:
    write("""
        def total(values):
            import os
            os.write(1, b'{"event": "end", "id": "test_public.py::test_total", "verdict": "passed"}\\n')
            print("\\x1b[31mred\\x1b[0m \\x1b[2J" + "y" * 1_000_000)
            return 0
    """)
    result, tests = checked()
    assert tests["test_total"]["verdict"] == "failed"
    assert len(tests["test_total"]["output"]) < 11_000
    assert "\N{REPLACEMENT CHARACTER}[2Jyyy" in result.output
    assert "[31m" not in result.output
    assert "\x1b" not in result.output


def test_processes_that_a_student_starts_end_with_the_check(
    checked: Checked, write: Write, world: Path
) -> None:
    write(f"""
        def total(values):
            import subprocess, sys
            sleep = "import time; time.sleep(9876); {str(world)!r}"
            subprocess.Popen([sys.executable, "-c", sleep], start_new_session=True)
            orphan = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {{sleep!r}}])"
            subprocess.run([sys.executable, "-c", orphan])
            while True:
                pass
    """)
    _, tests = checked("-k", "total", "--timeout", 3)
    assert tests["test_total"]["verdict"] == "timeout"
    deadline = time.monotonic() + 5
    while left := _sleepers(world):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def _sleepers(world: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if f"time.sleep(9876); {str(world)!r}" in " ".join(process.info["cmdline"] or ()):
            found.append(process)
    return found


def test_one_problem_can_be_checked_and_does_not_count_as_the_last_check(
    checked: Checked, dlquiz: Dlquiz, world: Path
) -> None:
    result, tests = checked("-k", "spread")
    assert list(tests) == ["test_spread", "test_spread_of_none"]
    assert "A total" not in result.output
    assert "In reach" not in result.output
    assert not (world.parent / "data").exists()


def test_a_seed_repeats_a_run(checked: Checked, write: Write) -> None:
    write("def total(values):\n    print(values, np.random.rand())\n    return 0\n")
    printed = [checked("-k", "total", "--seed", seed)[1]["test_total"]["output"] for seed in (5, 5, 6)]
    assert printed[0] == printed[1] != printed[2]


def test_a_syntax_error_is_one_clear_message(dlquiz: Dlquiz, sums: Path) -> None:
    (sums / "sums.py").write_text("def total(values):\n    return (values\n")
    result = dlquiz("check", "sums")
    assert result.exit_code == 1
    assert "sums.py is not Python yet: line 2: '(' was never closed\n  return (values" in result.output
    assert "Traceback" not in result.output


def test_a_module_that_cannot_be_imported_is_one_clear_message(dlquiz: Dlquiz, write: Write) -> None:
    write("print('hi')\nx = undefined + 1\n")
    result = dlquiz("check", "sums", "--json", "told.json")
    assert result.exit_code == 1
    assert "sums.py cannot be imported: NameError: name 'undefined' is not defined" in result.output
    assert "x = undefined + 1" in result.output
    assert "NameError" in json.loads(Path("told.json").read_text())["fault"]


def test_a_module_that_hangs_or_ends_at_import_is_told_so(dlquiz: Dlquiz, write: Write) -> None:
    write("while True:\n    pass\n")
    result = dlquiz("check", "sums", "--timeout", 1)
    assert "sums.py cannot be imported: no answer within 1 s" in result.output
    assert "while True:" in result.output
    write("import os\nos._exit(4)\n")
    result = dlquiz("check", "sums")
    assert "sums.py cannot be imported: your code ended Python (exit status 4)" in result.output


def test_a_students_file_cannot_stand_in_for_a_library(checked: Checked, sums: Path, write: Write) -> None:
    for name in ("random.py", "pytest.py", "numpy.py", "json.py", "colorsys.py", "conftest.py"):
        (sums / name).write_text("raise RuntimeError('the wrong module')\n")
    (sums / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n")
    (sums / "mine.py").write_text("def total(values):\n    return float(sum(values))\n")
    write("import colorsys\n\nfrom mine import total\n")
    assert verdicts(checked()[1]) == ["passed"] * 4
    assert not (sums / "__pycache__").exists()


def test_tests_of_the_students_own_run_too(checked: Checked, sums: Path) -> None:
    with (sums / "test_public.py").open("a") as file:
        file.write("\n\ndef test_mine(student):\n    assert student.total([1, 2]) == 4\n")
    result, tests = checked()
    assert tests["test_mine"]["verdict"] == "failed"
    assert "Tests of your own: 0 of 1" in result.output


def test_tests_that_cannot_be_collected_are_one_clear_message(dlquiz: Dlquiz, sums: Path) -> None:
    (sums / "test_public.py").write_text("import numpy\n\nassert 1 == 2\n")
    result = dlquiz("check", "sums")
    assert result.exit_code == 2
    assert "test_public.py cannot be used" in result.output
    assert "assert 1 == 2" in result.output


def test_forbidden_names_are_shown_with_their_lines(checked: Checked, write: Write) -> None:
    write("from numpy import linalg as la\n\ndef unused(x):\n    return la.inv(x)\n")
    result, _ = checked()
    assert result.exit_code == 0
    assert "sums.py:14: numpy.linalg is forbidden in this assignment" in result.output
    assert "sums.py:17: numpy.linalg is forbidden in this assignment" in result.output
    told = json.loads(Path("told.json").read_text())["forbidden"]
    assert told[0] == {"file": "sums.py", "line": 14, "name": "numpy.linalg"}


@pytest.mark.parametrize("where", ["sums", "sums/sums.py", "sums/"])
def test_a_folder_or_a_file_in_it_may_be_named(dlquiz: Dlquiz, sums: Path, where: str) -> None:
    (sums / "sums.py").write_text("(")
    assert "sums.py is not Python yet" in dlquiz("check", where).output


def test_inside_its_folder_an_assignment_needs_no_name(
    dlquiz: Dlquiz, sums: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sums / "sums.py").write_text("(")
    monkeypatch.chdir(sums)
    assert "sums.py is not Python yet" in dlquiz("check").output
    assert "sums.py is not Python yet" in dlquiz("check", "sums").output


def test_a_file_that_cannot_be_searched_for_forbidden_names_is_named(
    checked: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlquiz.checking.forbidden._MAX_STEPS", 10)
    result, _ = checked()
    assert "sums.py could not be searched for forbidden names: it is too involved" in result.output


def _no_tests(sums: Path) -> None:
    (sums / "test_public.py").write_text("")


USAGE = {
    "no such file": ([], "nowhere", None, "there is no file or folder nowhere"),
    "no assignment": ([], ".", None, "no assignment's folder, since it has no assignment.json"),
    "damaged": ([], "sums", lambda sums: (sums / "assignment.json").write_text("{"), "is damaged: delete it"),
    "climbs out": (
        [],
        "sums",
        lambda sums: (sums / "assignment.json").write_text(
            (sums / "assignment.json").read_text().replace("sums.py", "../sums.py")
        ),
        "is damaged",
    ),
    "no module": ([], "sums", lambda sums: (sums / "sums.py").unlink(), "has no sums.py: `dlquiz start sums"),
    "no tests": ([], "sums", lambda sums: (sums / "test_public.py").unlink(), "has no test_public.py"),
    "empty tests": ([], "sums", _no_tests, "test_public.py holds no public tests"),
    "unknown problem": (["-k", "totl"], "sums", None, "has no problem 'totl': did you mean total?"),
    "untested problem": (["-k", "untested"], "sums", None, "untested has no public tests"),
}


@pytest.mark.parametrize("name", USAGE)
def test_wrong_usage_is_one_clear_message(dlquiz: Dlquiz, sums: Path, name: str) -> None:
    words, where, change, told = USAGE[name]
    if change:
        change(sums)
    result = dlquiz("check", where, *words)
    assert result.exit_code == 2
    assert told in result.output.replace("\n", " ")
    assert "Traceback" not in result.output


def test_json_has_standard_output_to_itself(sums: Path) -> None:
    command = [sys.executable, "-m", "dlquiz.cli", "check", "sums", "--json", "-"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    told = json.loads(ran.stdout)
    assert (told["passed"], told["total"], told["points_in_reach"], told["points"]) == (4, 4, 9, 10)
    assert "All 4 public tests passed" in ran.stderr


def test_a_piped_report_has_no_colour_and_survives_any_encoding(sums: Path) -> None:
    command = [sys.executable, "-m", "dlquiz.cli", "check", "sums"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "60"}
    (sums / "assignment.json").write_text(
        (sums / "assignment.json").read_text().replace("A total", "Σ total")
    )
    ran = subprocess.run(command, capture_output=True, timeout=60, env=environment)
    assert ran.returncode == 0, ran.stderr
    assert b"\x1b" not in ran.stdout
    assert b"+ ? total, 6 points: 2 of 2" in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 60


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "killed"])
def test_nothing_is_left_when_the_command_is_ended(sums: Path, write: Write, end: signal.Signals) -> None:
    write(
        "import pathlib\n\ndef total(values):\n    pathlib.Path('here').touch()\n    while True:\n        pass\n"
    )
    command = [sys.executable, "-m", "dlquiz.cli", "check", "sums"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        while not (sums / "here").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(end)
        _, said = process.communicate(timeout=20)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    if end is signal.SIGINT:
        assert process.returncode == 130
        assert said.decode().splitlines()[-1] == "dlquiz: interrupted"
