"""What the text and the page of one result have in common."""

from __future__ import annotations

from collections.abc import Iterator

from dlquiz.testing.verdict import Verdict
from grader.report.pictures import Picture, read_figure
from grader.report.table import number, percent
from grader.result import ProblemResult, Result, TestResult


def share(points: float, max_points: float) -> str:
    """Points out of points."""
    return f"{number(points)}/{number(max_points)}"


def mark(result: Result) -> str:
    """The sum of the points, whether it is a mark or not."""
    return f"{number(result.points)} of {number(result.max_points)} ({percent(result):.1f} %)"


def facts(result: Result) -> dict[str, str]:
    """How it was graded, without what is not known."""
    told = {
        "seed": str(result.seed),
        "graded": f"{result.started or 'at an unknown time'}, in {result.seconds:.2f} s",
        "isolation": result.isolation,
        "submission": result.submission_hash,
        "suite": result.assignment_hash,
        "grader": result.grader_version,
        "versions": ", ".join(f"{name} {version}" for name, version in sorted(result.versions.items())),
    }
    return {name: value for name, value in told.items() if value}


def by_problem(result: Result) -> Iterator[tuple[str, ProblemResult | None, list[TestResult]]]:
    """The tests of each problem, with its name and what is known of it, in the order of the assignment."""
    problems = {problem.name: problem for problem in result.problems}
    tests: dict[str, list[TestResult]] = {name: [] for name in problems}
    for test in result.tests:
        tests.setdefault(test.problem, []).append(test)
    for name, of_problem in tests.items():
        yield name, problems.get(name), of_problem


def explained(test: TestResult) -> bool:
    """Is there more to say than that it passed?"""
    return test.verdict is not Verdict.PASSED


def pictures(test: TestResult) -> Iterator[Picture | ValueError]:
    """The figures of a test; of a malformed one, which is a mistake of the suite, what is wrong with it."""
    for figure in test.figures:
        try:
            yield read_figure(figure)
        except ValueError as error:
            yield error
