"""A course of one assignment, a class, and the `grader` command in a process of its own."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import main

COMMAND = [sys.executable, "-c", "from grader.cli import main; main()"]
RIGHT = """\
def total(values):
    return float(sum(values))


def mean(values):
    return float(sum(values)) / len(values)
"""
HALF = RIGHT.replace("/ len(values)", "/ 2")


@dataclass
class Course:
    """A folder with `assignments/sums` and `class/`; commands run in it."""

    folder: Path

    @property
    def students(self) -> Path:
        """The class."""
        return self.folder / "class"

    def hand_in(self, student: str, source: str) -> None:
        """A submission of one file."""
        (self.students / student).mkdir(parents=True, exist_ok=True)
        (self.students / student / "sums.py").write_text(source)

    def start(self, *args: str) -> subprocess.Popen[str]:
        """Start the command."""
        environment = {**os.environ, "COLUMNS": "160", "TF_CPP_MIN_LOG_LEVEL": "3"}
        return subprocess.Popen(
            [*COMMAND, *args],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def run(self, *args: str, status: int = 0) -> Done:
        """Run the command and check its exit status."""
        with self.start(*args) as process:
            out, err = process.communicate(timeout=120)
        return Done(process.returncode, out, err).checked(status)

    def invoke(self, *args: str, status: int) -> Done:
        """The same in this process: quicker, for what does not get as far as grading."""
        before = Path.cwd(), signal.getsignal(signal.SIGTERM)
        try:
            os.chdir(self.folder)
            result = CliRunner().invoke(main, args)
        finally:
            os.chdir(before[0])
            signal.signal(signal.SIGTERM, before[1])
        return Done(result.exit_code, result.stdout, result.stderr).checked(status)

    def grade(self, *args: str, status: int = 0) -> Done:
        """`grader grade class -a sums`."""
        return self.run("grade", "class", "-a", "sums", "-j", "1", *args, status=status)


@dataclass
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    def checked(self, status: int) -> Done:
        """This, if the exit status is the expected one and no traceback is shown."""
        shown = f"exit status {self.status}\n{self.out}\n{self.err}"
        assert "Traceback (most recent call last)" not in self.out + self.err, shown
        assert self.status == status, shown
        return self


@pytest.fixture
def course(tmp_path: Path, sums: dict[str, str], write_files: Callable[..., Path]) -> Course:
    """A course whose class has nobody in it yet."""
    write_files(tmp_path / "assignments" / "sums", sums)
    (tmp_path / "class").mkdir()
    return Course(tmp_path)


@pytest.fixture
def right() -> str:
    """A right answer."""
    return RIGHT


@pytest.fixture
def half() -> str:
    """An answer whose mean is wrong: 6 of 10 points."""
    return HALF


@pytest.fixture
def mixed(course: Course, sums: dict[str, str]) -> Course:
    """A course with a class of a right answer, half of one, a stub, a broken zip and a syntax error."""
    course.hand_in("ada", RIGHT)
    course.hand_in("half", HALF)
    course.hand_in("stub", sums["handout/sums.py"])
    course.hand_in("syntax", "def total(values:\n")
    (course.students / "broken.zip").write_bytes(b"PK\x03\x04 this is no archive")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("sums.py", RIGHT)
    (course.students / "zipped.zip").write_bytes(content.getvalue())
    return course
