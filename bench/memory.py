"""Memory of the process that grades a class, as the class grows: `grader.grading.grade_class`, gradebook included."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.batch import ContenderFailed
from bench.workloads import write_class

_MANIFEST = """\
title = "Three sums"
topics = ["relu"]
submit = ["sums.py"]
preload = []
[[problem]]
name = "sums"
title = "Sums"
points = 100
"""
_SUITE = '''\
import pytest


@pytest.mark.problem("sums", points=100)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_sum(student, rng, count):
    """Numbers add up."""
    numbers = [int(number) for number in rng.integers(9, size=count)]
    assert student.add(numbers) == sum(numbers)
'''
_ANSWER = """\
def add(numbers):
    # BEGIN SOLUTION
    return sum(numbers)
    # END SOLUTION
"""


def parent_memory(folder: Path, counts: Sequence[int]) -> dict[int, float]:
    """Resident memory of the grading process, in MiB, when it has graded as many submissions as each of `counts` says.

    Args:
        folder: a missing one for all files.

    Raises:
        ContenderFailed: the run ended early.
    """
    assignment = _write_assignment(folder / "three-sums")
    write_class(folder / "class", "sums", assignment / "solution" / "sums.py", max(counts))
    command = [sys.executable, "-m", "bench.memory_process", str(folder / "class"), str(assignment)]
    command += [str(folder / "marks.db"), *map(str, counts)]
    run = subprocess.run(command, cwd=Path(__file__).resolve().parents[1], capture_output=True, text=True)
    found = dict(map(json.loads, run.stdout.splitlines()))
    if run.returncode or found.keys() != set(counts):
        raise ContenderFailed(f"the memory run ended early:\n{run.stderr[-3000:]}")
    return found


def _write_assignment(folder: Path) -> Path:
    files = {
        "assignment.toml": _MANIFEST,
        "hidden/test_hidden.py": _SUITE,
        "solution/sums.py": _ANSWER,
        "handout/README.md": "Add numbers.\n",
        "handout/sums.py": "def add(numbers):\n    raise NotImplementedError\n",
        "handout/test_public.py": "",
        "mutants.toml": "",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
