"""The doctor's hidden suite: a test passes where confinement holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dlquiz.testing.student import Student

NAMES = (Path(__file__).parent / "names.txt").read_text().splitlines()


@pytest.mark.problem("escapes", points=len(NAMES))
@pytest.mark.parametrize("name", NAMES)
def test_escape(student: Student, name: str) -> None:
    """An attempt does not succeed (and what is needed does)."""
    outcome = student.attempt(name, __file__)
    assert outcome == "held", outcome


@pytest.mark.problem("limits", points=1)
def test_a_hang_is_ended(student: Student) -> None:
    """The clock holds."""
    student.never_answer()


@pytest.mark.problem("limits", points=1)
def test_memory_is_bounded(student: Student) -> None:
    """The memory limit holds."""
    student.use_memory(1200)
