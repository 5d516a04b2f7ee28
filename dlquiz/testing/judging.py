"""From what a test raised to its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import pytest

from dlquiz.testing.evidence import Shortfall
from dlquiz.testing.student import GraderFault, StudentError, StudentStopped, Unusable
from dlquiz.testing.verdict import Verdict


@dataclass(frozen=True)
class Judgement:
    """A verdict with its reasons; `message` and `trace` may be shown to the student.

    `credit` is the part of its points that the test earns, from 0 to 1: all when it passed, or what `award` gave.
    """

    verdict: Verdict
    message: str = ""
    trace: str = ""
    credit: float = 0.0


def bare_report(item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
    """pytest's report of one phase of a test without the text, which costs a quarter of a second to make."""
    outcome: Literal["passed", "failed", "skipped"] = "passed"
    if call.excinfo is not None:
        outcome = "skipped" if isinstance(call.excinfo.value, pytest.skip.Exception) else "failed"
    return pytest.TestReport(
        item.nodeid,
        item.location,
        {},
        outcome,
        None,
        cast(Literal["setup", "call", "teardown"], call.when),
        duration=call.duration,
        start=call.start,
        stop=call.stop,
    )


def judge(error: BaseException | None, asked: bool) -> Judgement:
    """Judge a finished test.

    Args:
        error: what it raised, or None.
        asked: whether it had asked anything of the student's code. What breaks a test before that is our fault;
            after it, the answer may be what broke it, and no answer of a student's may end in `grader error`.
    """
    if error is None:
        return Judgement(Verdict.PASSED, credit=1.0)
    if isinstance(error, StudentStopped):
        return Judgement(error.verdict, str(error))
    if isinstance(error, GraderFault):
        return Judgement(Verdict.GRADER_ERROR, str(error))
    if isinstance(error, pytest.skip.Exception):
        return Judgement(Verdict.SKIPPED, str(error))
    if isinstance(error, StudentError):
        if error.type_name == "ForbiddenCall":
            return Judgement(Verdict.FORBIDDEN, str(error), error.trace)
        verdict = Verdict.NOT_ATTEMPTED if error.unfinished else Verdict.ERROR
        return Judgement(verdict, str(error), error.trace)
    if isinstance(error, Shortfall):
        return Judgement(Verdict.FAILED, str(error), credit=error.award.credit)
    if isinstance(error, Unusable):
        return Judgement(Verdict.FAILED, str(error))
    if isinstance(error, (AssertionError, pytest.fail.Exception)):
        return Judgement(Verdict.FAILED)
    if not asked:
        return Judgement(Verdict.GRADER_ERROR, f"{type(error).__name__} in the test itself")
    return Judgement(
        Verdict.FAILED, f"the test could not use what your code returned ({type(error).__name__})"
    )
