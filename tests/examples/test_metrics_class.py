"""The sample class with trained models is marked as examples/expected-metrics.toml says, with pictures."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.assignment import load
from grader.engine.local import LocalEngine
from grader.result import Result
from grader.submission import class_entries, read_class

ROOT = Path(__file__).parents[2]
CLASS = ROOT / "examples" / "metrics"
EXPECTED = tomllib.loads((ROOT / "examples" / "expected-metrics.toml").read_text())


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, Result]]:
    assignment = load(ROOT / "assignments" / "imbalanced-data")
    with LocalEngine(assignment, jobs=2, secrets=[CLASS]) as engine:
        queue = ((submission, 11) for submission in read_class(CLASS, assignment.submit))
        yield {result.student: result for result in engine.grade(queue)}


def test_every_entry_is_expected_and_every_expected_one_is_there():
    assert set(class_entries(CLASS)) == set(EXPECTED)


@pytest.mark.parametrize("student", EXPECTED)
def test_a_sample_submission_gets_the_mark_that_it_should(results: dict[str, Result], student: str):
    result, expected = results[student], EXPECTED[student]
    assert result.graded, result.faults
    assert expected["min"] <= result.points <= expected["max"]
    assert set(expected["verdicts"]) <= {str(test.verdict) for test in result.tests}


def test_what_a_model_achieves_is_shown(results: dict[str, Result]):
    shown = {figure["kind"] for test in results["vera"].tests for figure in test.figures}
    assert shown == {"calibration", "confusion_matrix", "precision_recall", "roc"}


def test_who_always_says_the_common_class_earns_nothing_for_it(results: dict[str, Result]):
    judged = [test for test in results["wim"].tests if test.problem == "classifier"]
    assert judged
    assert all(test.points == 0 for test in judged)


def test_the_readme_lists_the_class():
    rows = (ROOT / "examples" / "README.md").read_text()
    assert all(f"| {student} |" in rows for student in EXPECTED)
