from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from rich.console import Console, RenderableType

from dlquiz.testing.verdict import Verdict
from grader.result import ProblemResult, Result, TestResult


@pytest.fixture
def make_test() -> Callable[..., TestResult]:
    """Tests which differ from a failed one in the given fields."""

    def make(name: str = "test_shape", verdict: Verdict = Verdict.FAILED, **changes: Any) -> TestResult:
        points = 5.0 if verdict is Verdict.PASSED else 0.0
        fields = {"problem": "relu", "points": points, "max_points": 5.0, "title": f"title of {name}"}
        return TestResult(name=name, verdict=verdict, **{**fields, **changes})

    return make


@pytest.fixture
def make_result() -> Callable[..., Result]:
    """Results which differ from a plain one in the given fields."""

    def make(student: str = "ann", points: float = 5.0, *tests: TestResult, **changes: Any) -> Result:
        fields: dict[str, Any] = {
            "assignment": "activations",
            "max_points": 10.0,
            "graded": True,
            "seed": 7,
            "problems": (ProblemResult("relu", "Rectifier", points, 10.0),),
            "seconds": 0.5,
        }
        return Result(student=student, points=points, tests=tests, **{**fields, **changes})

    return make


@pytest.fixture
def plain() -> Callable[[RenderableType, int], str]:
    """What a terminal without colour shows, at a width in cells."""

    def render(renderable: RenderableType, width: int = 100) -> str:
        console = Console(width=width, file=StringIO(), color_system=None)
        console.print(renderable)
        assert isinstance(console.file, StringIO)
        return console.file.getvalue()

    return render
