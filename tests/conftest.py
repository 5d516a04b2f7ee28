"""A tiny assignment that needs no TensorFlow: an engine for it starts in a second and grades in a tenth of one."""

from __future__ import annotations

import dataclasses
import os
import signal
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.assignment import Assignment, Limits, Problem

# A job in the background ignores Ctrl-C, and so would the commands that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
# No check leaves a helper behind, but those of the tests that are about it.
os.environ["DLQUIZ_WARM"] = "0"

SOLUTION = '''\
"""Sums of numbers."""


def total(values):
    """The sum of `values`, shape (n,), as a float; 0 for none."""
    # BEGIN SOLUTION
    return float(sum(values))
    # END SOLUTION


def mean(values):
    """The mean of `values`, shape (n,), as a float."""
    # BEGIN SOLUTION
    return float(sum(values)) / len(values)
    # END SOLUTION
'''

STUB = '''\
"""Sums of numbers."""


def total(values):
    """The sum of `values`, shape (n,), as a float; 0 for none."""
    raise NotImplementedError


def mean(values):
    """The mean of `values`, shape (n,), as a float."""
    raise NotImplementedError
'''

SUITE = '''\
import numpy as np
import pytest


@pytest.mark.problem("total", points=4)
@pytest.mark.hint("Does every number count?")
@pytest.mark.parametrize("count", [3, 5])
def test_total(student, rng, count):
    """Every number counts."""
    values = rng.normal(size=count)
    np.testing.assert_allclose(student.total(values), values.sum())


@pytest.mark.problem("total", points=2)
@pytest.mark.needs("test_total")
def test_total_of_none(student):
    """No numbers have the sum 0."""
    assert student.total([]) == 0


@pytest.mark.problem("mean", points=4)
@pytest.mark.hint("By how many do you divide?")
def test_mean(student, rng):
    """The mean of some numbers."""
    values = rng.normal(size=4)
    np.testing.assert_allclose(student.mean(values), values.mean())
'''

MANIFEST = """\
title = "Sums"
topics = ["relu"]
submit = ["sums.py"]
[limits]
seconds = 20
call_seconds = 2
memory_mb = 400
[[problem]]
name = "total"
title = "A total"
points = 6
[[problem]]
name = "mean"
title = "A mean"
points = 4
"""

MUTANTS = """\
[[mutant]]
name = "a divisor too large"
find = "/ len(values)"
replace = "/ (len(values) + 1)"
caught_by = ["test_mean"]
"""

SUMS = {
    "assignment.toml": MANIFEST,
    "handout/README.md": "Write two functions.\n",
    "handout/sums.py": STUB,
    "handout/test_public.py": "",
    "solution/sums.py": SOLUTION,
    "hidden/test_hidden.py": SUITE,
    "mutants.toml": MUTANTS,
    "variants/by_numpy.py": '''\
"""With NumPy."""

import numpy as np


def total(values):
    return np.sum(values)


def mean(values):
    return np.mean(values)
''',
}


@pytest.fixture(scope="session")
def sums() -> dict[str, str]:
    """The files of an assignment of 10 points with nothing wrong with it."""
    return dict(SUMS)


@pytest.fixture(scope="session")
def write_files() -> Callable[[Path, dict[str, str]], Path]:
    """Write files below a folder, which is returned."""

    def write(folder: Path, files: dict[str, str]) -> Path:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        return folder

    return write


@pytest.fixture(scope="session")
def make_assignment() -> Callable[..., Assignment]:
    """Make an assignment of module `work.py` from nothing but a hidden suite and the points of its problems."""

    def make(folder: Path, suite: str, problems: dict[str, float], **told: object) -> Assignment:
        (folder / "hidden").mkdir(parents=True)
        (folder / "assignment.toml").write_text("")
        (folder / "hidden" / "test_hidden.py").write_text(textwrap.dedent(suite))
        assignment = Assignment(
            slug="work",
            path=folder,
            title="Work",
            topics=(),
            submit=("work.py",),
            preload=(),
            forbidden=(),
            limits=Limits(seconds=12, call_seconds=1, memory_mb=300, disk_mb=32, threads=32),
            problems=tuple(Problem(name, name.title(), points) for name, points in problems.items()),
            mutants=(),
        )
        return dataclasses.replace(assignment, **told)

    return make
