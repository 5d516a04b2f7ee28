"""A student's own world: an empty data folder, an empty working folder, and a tiny assignment without Keras."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

TESTS = '''\
import numpy as np
import pytest


@pytest.mark.problem("total")
@pytest.mark.hint("Does every number count?")
def test_total(student, rng):
    """Every number counts."""
    values = rng.normal(size=3)
    np.testing.assert_allclose(student.total(values), values.sum())


@pytest.mark.problem("total")
@pytest.mark.needs("test_total")
def test_total_of_none(student):
    """No numbers have the sum 0."""
    assert student.total([]) == 0


@pytest.mark.problem("spread")
@pytest.mark.hint("Is the smallest number subtracted?")
def test_spread(student):
    """The distance of each number from the smallest."""
    np.testing.assert_allclose(student.spread(np.array([[2.0, 5.0], [4.0, 2.0]])), [[0, 3], [2, 0]])


@pytest.mark.problem("spread")
def test_spread_of_none(student):
    """No numbers are refused."""
    with pytest.raises(ValueError):
        student.spread(np.zeros((0, 2)))
'''

GOOD = """\
import numpy as np


def total(values):
    return float(sum(values))


def spread(values):
    if not len(values):
        raise ValueError("no numbers")
    return values - np.min(values)
"""


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder; what is remembered goes to a folder beside it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def sums(world: Path) -> Path:
    """The folder of an assignment of 10 points whose module passes everything."""
    folder = world / "sums"
    folder.mkdir()
    public = {
        "slug": "sums",
        "title": "Sums",
        "topics": ["relu"],
        "submit": ["sums.py"],
        "forbidden": ["numpy.linalg"],
        "problems": [
            {"name": "total", "title": "A total", "points": 6},
            {"name": "spread", "title": "A spread", "points": 3},
            {"name": "untested", "title": "Something else", "points": 1},
        ],
    }
    (folder / "assignment.json").write_text(json.dumps(public))
    (folder / "README.md").write_text("Write two functions.\n")
    (folder / "test_public.py").write_text(TESTS)
    (folder / "sums.py").write_text(GOOD)
    return folder


@pytest.fixture
def write(sums: Path) -> Callable[[str], None]:
    """Replace the functions of the module that are given."""

    def put(source: str) -> None:
        (sums / "sums.py").write_text(GOOD + "\n\n" + textwrap.dedent(source))

    return put


@pytest.fixture
def dlquiz() -> Callable[..., Result]:
    """Run the command in this process."""

    def run(*words: Any) -> Result:
        from dlquiz.cli import main

        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


@pytest.fixture
def checked(dlquiz: Callable[..., Result], sums: Path) -> Callable[..., tuple[Result, dict[str, Any]]]:
    """Run a check of `sums`; what it printed, and what its JSON says of each test by the test's name."""

    def run(*words: Any) -> tuple[Result, dict[str, Any]]:
        result = dlquiz("check", "sums", "--json", "told.json", *words)
        told = json.loads(Path("told.json").read_text())
        tests = {test["name"]: test for problem in told["problems"] for test in problem["tests"]}
        return result, tests

    return run
