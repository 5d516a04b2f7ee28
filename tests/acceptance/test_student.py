"""A student's way from nothing to a mark, by the commands of an installed wheel."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pexpect
import pytest

ROOT = Path(__file__).resolve().parents[2]
WORK = "normalization"
COURSE = ROOT / "assignments" / WORK
HALF_DONE = ROOT / "examples" / "class" / "goran"


def answer(source: Path, folder: Path) -> None:
    """Put an answer in the place of the stub."""
    file = source / f"{WORK}.py" if source.is_dir() else source
    shutil.copy(file, folder / f"{WORK}.py")


@pytest.fixture
def started(installed: Any) -> Path:
    """The folder of an assignment that was started."""
    installed.run("dlquiz", "start", WORK)
    return installed.home / WORK


def report_of(installed: Any, folder: Path, status: int) -> tuple[str, dict[str, Any]]:
    file = installed.home / "report.json"
    done = installed.run("dlquiz", "check", folder, "--json", file, status=status)
    return done.stdout, json.loads(file.read_text())


def test_list_shows_the_course_in_its_order(installed: Any) -> None:
    told = installed.run("dlquiz", "list").stdout
    course = [path.parent.name for path in sorted((ROOT / "assignments").glob("*/assignment.toml"))]
    assert sorted(re.findall(r"^([a-z-]+) +\d+ points", told, re.MULTILINE)) == course
    rows = json.loads(installed.run("dlquiz", "list", "--json", "-").stdout)["assignments"]
    places = {row["slug"]: place for place, row in enumerate(rows)}
    assert places["normalization"] < places["architecture-calculators"]


def test_nothing_of_the_checkout_and_no_answer_is_installed(installed: Any, wheel_environment: Path) -> None:
    code = "import dlquiz, grader; print(dlquiz.__file__, grader.__file__)"
    places = installed.run("python", "-c", code).stdout.split()
    assert all(Path(place).is_relative_to(wheel_environment) for place in places)
    found = [path for path in wheel_environment.rglob("*") if path.name in ("test_hidden.py", "mutants.toml")]
    assert found == []


def test_a_stub_passes_nothing(installed: Any, started: Path) -> None:
    told, report = report_of(installed, started, status=1)
    assert report["passed"] == 0 < report["total"]
    assert "not attempted" in told
    assert f"0 of {report['total']} public tests passed" in told


def test_a_half_done_file_passes_what_is_done(installed: Any, started: Path) -> None:
    answer(HALF_DONE, started)
    _, report = report_of(installed, started, status=1)
    assert 0 < report["passed"] < report["total"]
    listed = installed.run("dlquiz", "list").stdout
    assert f"{report['passed']} of {report['total']} public tests" in listed


def test_a_solution_passes_all_and_is_told_of_hidden_tests(installed: Any, started: Path) -> None:
    answer(COURSE / "solution", started)
    told, report = report_of(installed, started, status=0)
    assert report["passed"] == report["total"]
    assert "hidden tests" in told.lower()


def test_what_is_submitted_is_graded_as_it_was_checked(installed: Any, started: Path) -> None:
    answer(COURSE / "solution", started)
    handed_in = installed.home / "class"
    handed_in.mkdir()
    installed.run("dlquiz", "submit", started, "--strict", "-o", handed_in / "ada.zip")
    (started / f"{WORK}.py").write_text("def standardize(:")
    installed.run("dlquiz", "submit", started, "-o", handed_in / "bo.zip")
    answer(HALF_DONE, started)
    installed.run("dlquiz", "submit", started, "-o", handed_in / "cy.zip")
    done = installed.run(
        "grader", "grade", handed_in, "-a", COURSE, "--seed", "3", "-j", "1", "--json", "marks.json"
    )
    told = json.loads((installed.home / "marks.json").read_text())
    marks = {row["student"]: row["points"] for row in told["students"]}
    assert marks["ada"] == 100
    assert marks["bo"] == 0
    assert 40 <= marks["cy"] <= 50
    assert "ada" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("check", "normalisation"), "no assignment of that name was started"),
        (("start", "normalisation"), "did you mean normalization"),
        (("submit", "nowhere"), "nowhere"),
        (("check", "."), "."),
    ],
)
def test_a_slip_gets_one_message_and_status_2(installed: Any, words: tuple[str, ...], told: str) -> None:
    done = installed.run("dlquiz", *words, status=2)
    assert done.stdout == ""
    assert told in done.stderr
    assert len(done.stderr.splitlines()) <= 3


def test_watch_answers_every_save_in_a_terminal(installed: Any, started: Path) -> None:
    footer = r"Ctrl-C ends it\."
    terminal = pexpect.spawn(
        str(installed.programs / "dlquiz"),
        ["watch", str(started)],
        cwd=str(installed.home),
        env=installed.environment(TERM="xterm"),
        encoding="utf-8",
        timeout=180,
        dimensions=(40, 100),
    )
    try:
        terminal.expect(r"0 of (\d+) public tests passed")
        total = terminal.match[1]
        terminal.expect(footer)
        answer(HALF_DONE, started)
        terminal.expect(rf"([1-9]\d*) of {total} public tests passed")
        assert int(terminal.match[1]) < int(total)
        terminal.expect(footer)
        (started / f"{WORK}.py").write_text("def standardize(:")
        terminal.expect("is not Python yet")
        terminal.expect(footer)
        answer(COURSE / "solution", started)
        terminal.expect(rf"All {total} public tests passed")
        terminal.expect(footer)
        terminal.sendintr()
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close(force=True)
    assert terminal.exitstatus in (0, 130)
    left = subprocess.run(["pgrep", "-f", str(started)], capture_output=True, text=True).stdout
    assert left == ""
    assert installed.run("dlquiz", "list").stdout.count(f"{total} of {total} public tests") == 1
