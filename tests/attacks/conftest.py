"""One small assignment with secrets around it, and an arena: grade a hostile module and check what must always hold."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.assignment import Assignment, Limits, Problem
from grader.engine.local import LocalEngine
from grader.result import Result, TestResult
from grader.submission import Submission

LIMITS = Limits(seconds=6, call_seconds=3, memory_mb=500, disk_mb=64, threads=64)
PROBLEMS = {
    "scale": 4.0,
    "words": 3.0,
    "layer": 5.0,
    "descend": 3.0,
    "recover": 3.0,
    "squares": 2.0,
    "lines": 2.0,
}
POINTS = sum(PROBLEMS.values())
FORBIDDEN = ("keras.layers.BatchNormalization", "keras.ops.batch_normalization", "tf.nn.batch_normalization")
SECRET = "KNOWN-TO-THE-GRADER-ONLY"

HONEST = r"""
import keras
import numpy as np


def scale(x, factor):
    if factor == 0:
        raise ValueError("a factor other than 0, received 0")
    return np.asarray(x) * factor


def words(text):
    counts = {}
    for word in text.split():
        counts[word] = counts.get(word, 0) + 1
    return counts


class Double(keras.layers.Layer):
    def call(self, x):
        return 2 * x


def descend(slope, start):
    at = start
    for _ in range(20):
        at = at - 0.25 * slope(at)
    return at


def recover(x, y):
    return np.linalg.lstsq(x, y, rcond=None)[0]


def squares(count):
    return (k * k for k in range(count))


def lines(names):
    return "\n".join(names)
"""

SUITE = r"""
import numpy as np
import pytest

TOKEN = "{token}"


@pytest.mark.problem("scale", points=4)
@pytest.mark.parametrize("factor", [2.0, -3.0])
def test_scale(student, rng, factor):
    x = rng.normal(size=(3, 4))
    y = student.scale(x, factor)
    assert y.dtype == "float64"
    np.testing.assert_allclose(y, factor * x)
    with pytest.raises(ValueError):
        student.scale(x, 0)


@pytest.mark.problem("words", points=3)
@pytest.mark.hint("How often does each word occur?")
def test_words(student, rng):
    names = [f"w{{k}}" for k in rng.integers(0, 5, size=12)]
    counts = student.words(" ".join(names))
    assert names[0] in counts
    assert counts == {{name: names.count(name) for name in names}}


@pytest.mark.problem("layer", points=5)
def test_layer(student, rng):
    x = rng.normal(size=(2, 5)).astype("float32")
    layer = student.Double()
    y = layer(x)
    assert y.dtype == "float32"
    np.testing.assert_allclose(y, 2 * x, rtol=1e-6)


@pytest.mark.problem("descend", points=3)
def test_descend(student, rng):
    goal = float(rng.normal())

    def slope(at):
        if abs(at) > 1e6:
            raise ArithmeticError(TOKEN)
        return 2 * (at - goal)

    assert student.descend(slope, goal + 1.0) == pytest.approx(goal, abs=1e-4)


@pytest.mark.problem("recover", points=3)
def test_recover(student, rng):
    weights = rng.normal(size=3)
    x = rng.normal(size=(8, 3))
    np.testing.assert_allclose(student.recover(x, x @ weights), weights, rtol=1e-6)


@pytest.mark.problem("lines", points=2)
def test_lines(student, rng):
    names = [f"line {{k}} of the text" for k in rng.integers(0, 1000, size=40)]
    assert student.lines(names) == "\n".join(names)


@pytest.mark.problem("squares", points=2)
def test_squares(student, rng):
    count = int(rng.integers(4, 9))
    assert list(student.squares(count)) == [k * k for k in range(count)]
"""


@dataclass
class Arena:
    """A warm engine, the secrets around it, and the invariants of every attack."""

    engine: LocalEngine
    secrets: dict[str, Path]
    token: str
    runs: int = 0

    @property
    def server(self) -> psutil.Process:
        """The warm server."""
        return psutil.Process(self.engine.warm.server.pid)

    @staticmethod
    def without(*problems: str) -> tuple[str, ...]:
        """All problems but these."""
        return tuple(name for name in PROBLEMS if name not in problems)

    def source(self, code: str) -> bytes:
        """The honest module with hostile code below it, where its definitions win."""
        return (HONEST + textwrap.dedent(code)).encode("utf-8", "surrogatepass")

    def grade(self, source: bytes, extra: dict[str, bytes] | None = None) -> Result:
        """Grade a module; nothing is checked."""
        self.runs += 1
        submission = Submission(f"student{self.runs}", {"work.py": source, **(extra or {})})
        (result,) = self.engine.grade([(submission, self.runs)])
        return result

    def attack(
        self,
        code: str,
        keeps: Sequence[str] = (),
        verdicts: dict[str, str] | None = None,
        extra: dict[str, bytes] | None = None,
        seconds: float = LIMITS.seconds + 5,
    ) -> Result:
        """Grade the honest module with `code` below it, and check what must hold whatever it does.

        Args:
            keeps: the problems that are still solved honestly; exactly their points must be earned.
            verdicts: the verdict that all tests of a problem must have.
            seconds: longest time that it may take altogether.
        """
        __tracebackhide__ = True
        started = time.monotonic()
        result = self.grade(self.source(code), extra)
        elapsed = time.monotonic() - started
        shown = "\n".join(f"{t.name}: {t.verdict}: {t.message}\n{t.detail}" for t in result.tests)
        shown += f"\nimport: {result.import_error}\nfaults: {result.faults}"
        assert result.graded, f"the student made the grader fail:\n{shown}"
        earned = {problem.name: problem.points for problem in result.problems}
        expected = {name: points if name in keeps else 0 for name, points in PROBLEMS.items()}
        assert earned == expected, shown
        for name, verdict in (verdicts or {}).items():
            assert {str(test.verdict) for test in tests_of(result, name)} == {verdict}, shown
        assert self.token not in json.dumps(result.to_json())
        assert elapsed < seconds
        self.check_aftermath()
        return result

    def observe(self, code: str, keeps: Sequence[str] = tuple(PROBLEMS)) -> Any:
        """What `report(value)` was called with in a module that runs `code` when it is imported."""
        lines = ["def report(value):", "    import json", "    print('REPORT' + json.dumps(value) + 'END')"]
        result = self.attack("\n".join([*lines, textwrap.dedent(code)]), keeps=keeps)
        assert not result.import_error, result.import_error
        return json.loads(result.import_output.partition("REPORT")[2].rpartition("END")[0])

    def check_aftermath(self) -> None:
        """No process, no file, no harm to the next submission."""
        __tracebackhide__ = True
        honest = self.grade(HONEST.encode())
        assert honest.points == POINTS, [(t.name, t.verdict, t.message, t.detail) for t in honest.tests]
        # The dead are buried beside the next submission; the honest one's own worker may still be to be.
        end = time.monotonic() + 10
        while (left := self.remains()) and time.monotonic() < end:
            time.sleep(0.01)
        assert left == []

    def remains(self) -> list[str]:
        """What is there of the engine's beyond zygotes, spares, and the last honest submission's folder."""
        folders = [path for path in self.engine.folder.iterdir() if path.name.startswith("worker-")]
        found = [f"{len(folders)} folders of workers"] if len(folders) > 2 else []
        for folder in folders:
            with contextlib.suppress(FileNotFoundError):
                found += [
                    f"{path.name!r} in a worker's folder"
                    for path in folder.iterdir()
                    if path.name != "work.py"
                ]
        return found + self.strangers()

    def strangers(self) -> list[str]:
        """Processes of the engine's that are neither zygotes nor the one spare worker and referee."""
        family = self.server.children(recursive=True)
        expected = {process.pid for process in family}
        zygotes = self.server.children()
        spare = [child for zygote in zygotes for child in zygote.children()]
        found = [f"{process}" for process in family if process not in zygotes and process not in spare]
        if len(zygotes) != 2 or len(spare) > 2:
            found += [f"{process}" for process in family]
        own = f"HOME={self.engine.folder}".encode()
        for process in psutil.process_iter():
            with contextlib.suppress(OSError, psutil.Error):
                environment = Path(f"/proc/{process.pid}/environ").read_bytes()
                if own in environment and process.pid not in expected | {self.server.pid}:
                    found.append(f"{process}")
        return found

    @contextlib.contextmanager
    def watched(self, measure: Callable[[psutil.Process], float]) -> Iterator[list[float]]:
        """The highest value that `measure` gives of any process of the engine's while the block runs."""
        highest = [0.0]
        ended = threading.Event()

        def sample() -> None:
            while not ended.wait(0.01):
                for process in self.server.children(recursive=True):
                    with contextlib.suppress(psutil.Error, OSError):
                        highest[0] = max(highest[0], measure(process))

        thread = threading.Thread(target=sample, daemon=True)
        thread.start()
        try:
            yield highest
        finally:
            ended.set()
            thread.join()


def tests_of(result: Result, problem: str) -> list[TestResult]:
    """The tests of one problem."""
    return [test for test in result.tests if test.problem == problem]


@pytest.fixture(scope="session")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """The arena; every secret holds one token that nothing a student causes may show."""
    token = f"{SECRET}-{secrets.token_hex(12)}"
    course = tmp_path_factory.mktemp("course")
    folder = course / "work"
    files = {
        "suite": folder / "hidden" / "test_hidden.py",
        "solution": folder / "solution" / "work.py",
        "gradebook": course / "gradebook.db",
        "other submission": course / "class" / "somebody" / "work.py",
        "manifest": folder / "assignment.toml",
    }
    for name, path in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SUITE.format(token=token) if name == "suite" else f"# {token}\n{HONEST}")
    assignment = Assignment(
        slug="work",
        path=folder,
        title="Work",
        topics=(),
        submit=("work.py",),
        preload=("keras",),
        forbidden=FORBIDDEN,
        limits=LIMITS,
        problems=tuple(Problem(name, name, points) for name, points in PROBLEMS.items()),
        mutants=(),
    )
    os.environ["DLQUIZ_TEST_TOKEN"] = token
    try:
        with LocalEngine(assignment, secrets=[course]) as engine:
            yield Arena(engine, files, token)
    finally:
        del os.environ["DLQUIZ_TEST_TOKEN"]
