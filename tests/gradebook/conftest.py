from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlquiz.testing.verdict import Verdict
from grader.result import ProblemResult, Result, TestResult

MakeResult = Callable[..., Result]


@pytest.fixture
def make_result() -> MakeResult:
    """Results which differ from a plain one in the given fields."""

    def make(student: str = "ann", points: float = 7.5, **changes: Any) -> Result:
        test = TestResult(
            "test_shape[2-3]", "relu", Verdict.FAILED, points, 10.0, hint="Which axis?", output="\x1b[2J"
        )
        fields: dict[str, Any] = {
            "student": student,
            "assignment": "activations",
            "points": points,
            "max_points": 10.0,
            "graded": True,
            "seed": 7,
            "problems": (ProblemResult("relu", "ReLU", points, 10.0),),
            "tests": (test,),
            "notes": ("read from a notebook",),
            "submission_hash": "s" * 64,
            "assignment_hash": "a" * 64,
            "grader_version": "0.1.0",
            "seconds": 0.5,
            "versions": {"keras": "3.15.1"},
        }
        return Result(**{**fields, **changes})

    return make
