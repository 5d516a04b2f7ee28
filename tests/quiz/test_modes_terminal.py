"""The modes in a terminal of their own: single keys, Ctrl-C, Ctrl-D, the clock; and quick to start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dlquiz.quiz.items import Bank
from dlquiz.quiz.marking import right_answer
from dlquiz.quiz.posing import pose
from dlquiz.quiz.progress import Answered, Progress

pexpect = pytest.importorskip("pexpect")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")

# The first argument is the folder of a bank.
CHILD = """
import atexit, os, sys
from pathlib import Path
from dlquiz.quiz import items
load, folder = items.load_bank, Path(sys.argv.pop(1))
items.load_bank = lambda: load(folder)
heavy = {"keras", "tensorflow", "matplotlib", "numpy", "pandas"}
atexit.register(lambda: heavy & set(sys.modules) and os.write(2, b"HEAVY IMPORT"))
from dlquiz.cli import main
main()
"""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home") / "dlquiz" / "quiz.sqlite3"


@pytest.fixture
def environment(file: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    return {**kept, "XDG_DATA_HOME": str(file.parents[1]), "TERM": "xterm-256color", "PYTHONUTF8": "1"}


@pytest.fixture
def terminal(small: Bank, tmp_path: Path, environment: dict[str, str]) -> Callable[..., pexpect.spawn]:
    """Start a mode in a terminal on the small bank."""

    def start(*words: str, columns: int = 80) -> pexpect.spawn:
        return pexpect.spawn(
            sys.executable,
            ["-c", CHILD, str(tmp_path), "quiz", *words],
            env=environment,
            dimensions=(30, columns),
            encoding="utf-8",
            timeout=20,
        )

    return start


def ended(child: pexpect.spawn) -> tuple[int | None, str]:
    """The exit status, and what was said last, without colours."""
    child.expect(pexpect.EOF)
    child.close()
    said = COLOUR.sub("", child.before).replace("\r", "")
    assert "HEAVY IMPORT" not in said
    assert "Traceback" not in said
    return child.exitstatus, said


def read(file: Path) -> list[Answered]:
    with Progress(file) as progress:
        return list(progress.log())


def test_learn_takes_one_key_without_enter(
    terminal: Callable[..., pexpect.spawn], small: Bank, file: Path
) -> None:
    item = small.by_id["relu-slope"]
    first, second = (right_answer(pose(item, seed)) for seed in (4, 5))
    child = terminal("learn", "dying-relu", "--seed", "4")
    child.expect("A to C: ")
    # an arrow key is nothing, nor is Enter out of habit
    child.send("\x1b[A")
    child.send("\r")
    child.send("?")
    child.expect("not right")
    assert "received" not in child.before
    child.expect("again")
    child.expect("A to C: ")
    child.send("x")
    child.expect("received “x”")
    child.expect("A to C: ")
    child.send(second.lower())
    status, said = ended(child)
    assert status == 0
    assert "✓ right" in said
    assert "1 of 1 mastered" in said
    assert [answered.answer for answered in read(file)] == ["?", second.lower()]
    assert first in "ABC"


def test_test_takes_lines_and_tells_at_the_end(
    terminal: Callable[..., pexpect.spawn], small: Bank, file: Path
) -> None:
    child = terminal("test", "softmax", "--seed", "7")
    child.expect("such as D C B A: ")
    child.sendline(right_answer(pose(small.by_id["softmax-steps"], 7)))
    status, said = ended(child)
    assert status == 0
    assert "1 of 1 points, 100%" in said
    assert len(read(file)) == 1


def test_the_clock_ends_a_test_that_waits_for_a_key(
    terminal: Callable[..., pexpect.spawn], file: Path
) -> None:
    child = terminal("test", "dying-relu", "--time", "1s")
    child.expect("A to C: ")
    began = time.monotonic()
    status, said = ended(child)
    assert status == 0
    assert time.monotonic() - began < 5
    assert "The time is up." in said
    assert "0 of 1 points" in said
    assert read(file) == []


def test_match_takes_keys(terminal: Callable[..., pexpect.spawn], small: Bank, file: Path) -> None:
    child = terminal("match", "--seed", "5")
    for number, letter in enumerate(right_answer(pose(small.by_id["activation-ranges"], 5)).split(), 1):
        child.expect(f"{number} goes with: ")
        child.send(letter.lower())
    status, said = ended(child)
    assert status == 0
    assert "all right" in said
    assert read(file)[0].score == 1


def test_review_turns_a_card_and_takes_a_rating(terminal: Callable[..., pexpect.spawn], file: Path) -> None:
    with Progress(file) as progress:
        long_ago = datetime.now(UTC) - timedelta(days=30)
        progress.add(Answered("relu-of-a-negative", "learn", "good", 1.0, 3, 1.0, 1, long_ago))
    child = terminal("review")
    child.expect("press Enter: ")
    assert "ReLU keeps what is positive" not in child.before
    child.send("\r")
    child.expect("4 easy: ")
    assert "ReLU keeps what is positive" in child.before
    child.send("4")
    status, said = ended(child)
    assert status == 0
    assert "1 of 1 reviewed" in said
    assert [answered.answer for answered in read(file)] == ["good", "easy"]


def test_ctrl_c_keeps_what_was_done_and_says_so(
    terminal: Callable[..., pexpect.spawn], small: Bank, file: Path
) -> None:
    child = terminal("learn", "relu", "-n", "2", "--seed", "4")
    child.expect(r"(press Enter|A to C): ")
    child.send("?")
    child.expect(r"(press Enter|A to C): ")
    modes = termios.tcgetattr(child.child_fd)[3]
    assert not modes & termios.ICANON
    child.sendintr()
    child.expect(r"interrupted. 1 answer kept.")
    status, _ = ended(child)
    assert status == 130
    assert len(read(file)) == 1


@pytest.mark.parametrize("topic", ["dying-relu", "softmax"])
def test_ctrl_d_ends_at_a_key_and_at_a_line(terminal: Callable[..., pexpect.spawn], topic: str) -> None:
    child = terminal("learn", topic)
    child.expect(r"(A to C|C B A): ")
    child.sendeof()
    status, said = ended(child)
    assert status == 0
    assert "0 of 1 mastered. 0 answers kept." in said


def test_the_terminal_is_left_as_it_was(terminal: Callable[..., pexpect.spawn]) -> None:
    child = terminal("learn", "dying-relu")
    before = termios.tcgetattr(child.child_fd)[3]
    child.expect("A to C: ")
    child.sendintr()
    child.expect("interrupted")
    assert termios.tcgetattr(child.child_fd)[3] == before
    assert ended(child)[0] == 130


def test_stats_search_and_show_fit_a_narrow_terminal_in_colour(
    terminal: Callable[..., pexpect.spawn], file: Path
) -> None:
    with Progress(file) as progress:
        progress.add(Answered("relu-slope", "learn", "A", 1.0, 3, 1.0, 1))
    for words in (("stats",), ("search", "relu"), ("show", "relu-slope")):
        child = terminal(*words, columns=44)
        child.expect(pexpect.EOF)
        assert "\x1b[" in child.before
        lines = COLOUR.sub("", child.before).replace("\r", "").splitlines()
        assert max(map(len, lines)) <= 44


def test_piped_there_is_no_colour_and_the_end_of_the_lines_ends_it(
    small: Bank, tmp_path: Path, environment: dict[str, str]
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", CHILD, tmp_path, "quiz", "learn", "softmax"],
        input=b"\xff\xfe not readable\n",
        env=environment,
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert run.returncode == 0
    assert run.stderr == b""
    said = run.stdout.decode()
    assert "\x1b" not in said
    assert "expected all 4 letters in order" in said
    assert "0 of 1 mastered" in said


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from dlquiz.cli import main; main(['quiz', 'learn', '--help'], standalone_mode=False);"
        "print(sorted({'rich', 'sqlite3', 'fsrs', 'keras', 'numpy', 'plotext', 'tomllib'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.endswith("[]\n")
