"""What is known about one graded submission."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from dlquiz.testing.verdict import Verdict


@dataclass(frozen=True)
class TestResult:
    """One hidden test on one submission.

    `hint` and `title` are for the student. `message`, `traceback` and `output` come from the student's own code
    or speak only of it. `detail` may quote hidden inputs and expected values: it is for the instructor. `reason` says
    what a measured quality earned; `figures` are the pictures' data, as `grader.metrics.figures` makes them.
    """

    __test__ = False  # pytest would collect the class by its name

    name: str
    problem: str
    verdict: Verdict
    points: float
    max_points: float
    title: str = ""
    hint: str = ""
    message: str = ""
    detail: str = ""
    traceback: str = ""
    output: str = ""
    seconds: float = 0.0
    reason: str = ""
    figures: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class ProblemResult:
    """What the tests of one problem add up to."""

    name: str
    title: str
    points: float
    max_points: float


@dataclass(frozen=True)
class Result:
    """Everything known about one graded submission.

    `graded` is False when some test could not be judged through no fault of the student (`grader error`); `points`
    then counts the other tests only and must not replace an earlier mark.
    """

    student: str
    assignment: str
    points: float
    max_points: float
    graded: bool
    seed: int
    problems: tuple[ProblemResult, ...] = ()
    tests: tuple[TestResult, ...] = ()
    notes: tuple[str, ...] = ()
    import_error: str = ""
    import_output: str = ""
    limits_hit: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    submission_hash: str = ""
    assignment_hash: str = ""
    grader_version: str = ""
    isolation: str = "strict"
    started: str = ""
    seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON types that `from_json` reads back to an equal result."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Result:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: for anything else.
        """
        tests = tuple(
            TestResult(
                **{
                    **test,
                    "verdict": Verdict(test["verdict"]),
                    "figures": tuple(test.get("figures", ())),  # results of before there were any
                }
            )
            for test in data["tests"]
        )
        problems = tuple(ProblemResult(**problem) for problem in data["problems"])
        lists = {name: tuple(data[name]) for name in ("notes", "limits_hit", "faults")}
        return cls(**{**data, **lists, "tests": tests, "problems": problems})
