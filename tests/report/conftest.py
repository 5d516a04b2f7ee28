from __future__ import annotations

import copy
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


FIGURES: dict[str, dict[str, Any]] = {
    "confusion_matrix": {
        "kind": "confusion_matrix", "title": "Digits", "labels": ["zero", "one"], "counts": [[50, 3], [12, 48]],
    },
    "roc": {
        "kind": "roc", "title": "Ill or not", "fpr": [0, 0.1, 0.4, 1], "tpr": [0, 0.6, 0.9, 1],
        "band": {"fpr": [0, 0.5, 1], "low": [0, 0.8, 1], "high": [0.2, 0.95, 1]},
        "auc": {"value": 0.815, "low": 0.75, "high": 0.87}, "chosen": {"threshold": 0.42, "fpr": 0.1, "tpr": 0.6},
    },
    "precision_recall": {
        "kind": "precision_recall", "title": "Found", "recall": [1, 0.6, 0.2, 0], "precision": [0.3, 0.5, 0.8, 1],
        "base_rate": 0.31, "average_precision": {"value": 0.56, "low": 0.5, "high": 0.63},
        "chosen": {"threshold": 0.42, "recall": 0.6, "precision": 0.5},
    },
    "calibration": {
        "kind": "calibration", "title": "Trust", "predicted": [0.1, 0.5, 0.9], "observed": [0.05, 0.44, 0.97],
        "counts": [31, 17, 52], "brier": 0.113,
    },
    "learning_curves": {
        "kind": "learning_curves", "title": "Training", "metric": "loss", "train": [3.25, 1.5, 0.5],
        "validation": [3.5, 2, 2.75], "diagnosis": "It overfits.", "best_epoch": 2,
    },
}  # fmt: skip


@pytest.fixture
def figures() -> dict[str, dict[str, Any]]:
    """A well-formed figure of each kind, to be changed at will."""
    return copy.deepcopy(FIGURES)
