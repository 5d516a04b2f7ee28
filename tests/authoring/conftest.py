"""A small assignment whose handout is in step, loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignment import Assignment, load

FILES = {
    "assignment.toml": """\
title = "Scaling"
topics = ["data-normalization"]
submit = ["scaling.py"]
preload = ["numpy"]
forbidden = ["numpy.interp"]
[limits]
seconds = 21
[[problem]]
name = "min_max"
title = "Min-max scaling"
points = 100
""",
    "handout/README.md": "# Scaling\n\nScale every column to the range from 0 to 1.\n",
    "handout/scaling.py": '''\
import numpy as np


def min_max(table):
    """Scale every column of `table` to the range from 0 to 1."""
    table = np.asarray(table, dtype="float64")
    raise NotImplementedError
''',
    "handout/test_public.py": '''\
import numpy as np
import pytest


@pytest.mark.problem("min_max")
def test_one_column(student, rng):
    """One column is scaled."""
    table = rng.normal(size=(7, 1))
    scaled = student.min_max(table)
    assert scaled.shape == table.shape
    assert scaled.min() == 0
''',
    "solution/scaling.py": '''\
import numpy as np


def min_max(table):
    """Scale every column of `table` to the range from 0 to 1."""
    table = np.asarray(table, dtype="float64")
    # BEGIN SOLUTION
    table = np.asarray(table, dtype="float64")
    lowest = table.min(axis=0, keepdims=True)
    highest = table.max(axis=0, keepdims=True)

    # where a column is constant, it becomes 0
    spread = np.where(highest > lowest, highest - lowest, 1.0)
    return (table - lowest) / spread
    # END SOLUTION
''',
    "hidden/test_hidden.py": '''\
import numpy as np
import pytest


@pytest.mark.problem("min_max", points=60)
def test_columns_apart(student, rng):
    """Columns are scaled apart from each other.

    Each column's lowest number becomes 0.
    Each column's highest number becomes 1.
    Columns have different magnitudes here.
    """
    table = rng.normal(size=(7, 3)) * [1, 10, 100]
    scaled = student.min_max(table)
    assert scaled.shape == table.shape
    np.testing.assert_allclose(scaled.min(axis=0), [0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(scaled.max(axis=0), [1, 1, 1], atol=1e-12)


@pytest.mark.problem("min_max", points=40)
def test_constant_column(student, rng):
    """A constant column becomes 0."""
    m = 5
    n = 2
    s = m * n
    table = np.full((5, 2), rng.normal())
    scaled = student.min_max(table)
    assert scaled.shape == table.shape
    np.testing.assert_array_equal(scaled, np.zeros((5, 2)))
''',
    "mutants.toml": "",
    "variants/looped.py": '"""Column by column."""\n',
}


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    """`scaling`, in a course of its own."""
    folder = tmp_path / "assignments" / "scaling"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return load(folder)
