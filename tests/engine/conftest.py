"""One warm engine for an assignment without TensorFlow, and what is left of an engine when it is gone."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.engine.local import LocalEngine
from grader.result import Result
from grader.submission import Submission

SUITE = '''
import numpy as np
import pytest


@pytest.mark.problem("double", points=3)
@pytest.mark.hint("Twice as much.")
@pytest.mark.parametrize("size", [1, 2, 3])
def test_double(student, rng, size):
    """Every number is doubled."""
    x = rng.normal(size=size)
    np.testing.assert_allclose(student.double(x), 2 * x)


@pytest.mark.problem("double", points=1)
@pytest.mark.needs("test_double")
def test_double_of_none(student):
    assert student.double(np.zeros(0)).shape == (0,)


@pytest.mark.problem("echo", points=2)
def test_echo(student, rng):
    """What it is given comes back."""
    x = float(rng.normal())
    assert student.echo(x) == x


@pytest.mark.problem("last", points=4)
def test_last(student):
    assert student.last() == "last"
'''
POINTS = {"double": 4.0, "echo": 2.0, "last": 4.0}
RIGHT = """
def double(x):
    return x * 2


def echo(x):
    print("echo", repr(x))
    return x


def last():
    return "last"
"""


@pytest.fixture(scope="session")
def suite() -> str:
    """A hidden suite of 10 points and 6 tests."""
    return SUITE


@pytest.fixture(scope="session")
def right() -> str:
    """A right answer to it."""
    return RIGHT


@pytest.fixture(scope="session")
def parts() -> dict[str, float]:
    """The points of its problems."""
    return dict(POINTS)


@pytest.fixture(scope="session")
def engine(make_assignment: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEngine]:
    """An engine that grades one submission at a time. A test that harms it makes its own."""
    assignment = make_assignment(tmp_path_factory.mktemp("engine") / "work", SUITE, POINTS)
    with LocalEngine(assignment) as engine:
        yield engine


@pytest.fixture
def own_engine(make_assignment: Any, tmp_path: Path) -> Callable[..., LocalEngine]:
    """Make an engine, to be entered by the test, with its own suite or settings."""

    def make(suite: str = SUITE, problems: dict[str, float] | None = None, **told: Any) -> LocalEngine:
        settings = {name: told.pop(name) for name in ("jobs", "isolation", "secrets") if name in told}
        return LocalEngine(make_assignment(tmp_path / "work", suite, problems or POINTS, **told), **settings)

    return make


@pytest.fixture(scope="session")
def grade() -> Callable[..., Result]:
    """Grade a module, given as what it adds to a right one."""
    count = iter(range(10**6))

    def grade(engine: LocalEngine, more: str = "", seed: int = 1, student: str = "") -> Result:
        source = (RIGHT + more).encode()
        (result,) = engine.grade([(Submission(student or f"s{next(count)}", {"work.py": source}), seed)])
        return result

    return grade


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it started."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


@pytest.fixture(scope="session")
def processes_of() -> Callable[[LocalEngine], list[psutil.Process]]:
    """The processes of an engine, server first."""
    return lambda engine: family(engine.warm.server.pid)


@pytest.fixture(scope="session")
def all_gone() -> Callable[..., bool]:
    """Whether processes end within some seconds."""

    def gone(processes: list[psutil.Process], seconds: float = 2.0) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            alive = []
            for process in processes:
                with contextlib.suppress(psutil.NoSuchProcess):
                    if process.status() != psutil.STATUS_ZOMBIE:
                        alive.append(process)
            if not alive or time.monotonic() > deadline:
                return not alive
            time.sleep(0.02)

    return gone


@pytest.fixture(scope="session")
def open_descriptors() -> Callable[[], int]:
    """How many descriptors this process has open."""
    return lambda: len(os.listdir("/proc/self/fd"))
