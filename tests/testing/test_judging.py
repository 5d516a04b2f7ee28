"""From what a test raised to its verdict: no answer may end as our fault, and no fault of ours as a mark."""

from __future__ import annotations

import pytest

from dlquiz.testing.judging import judge
from dlquiz.testing.student import GraderFault, StudentStopped, Unusable, student_error
from dlquiz.testing.verdict import Verdict

STUB = "sums.py, line 3, in total\n    raise NotImplementedError"


def outcome(function: object) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        function()  # type: ignore[operator]
    return caught.value


SKIP = outcome(lambda: pytest.skip("needs test_a"))
FAIL = outcome(lambda: pytest.fail("no"))


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (None, Verdict.PASSED),
        (AssertionError("assert 2 == 3"), Verdict.FAILED),
        (FAIL, Verdict.FAILED),
        (SKIP, Verdict.SKIPPED),
        (Unusable("a Layer object came back"), Verdict.FAILED),
        (student_error("ValueError", ["ValueError"], "no", "a.py, line 1"), Verdict.ERROR),
        (student_error("NotImplementedError", ["NotImplementedError"], "", STUB), Verdict.NOT_ATTEMPTED),
        (student_error("NotImplementedError", ["NotImplementedError"], "x", "a.py, line 1"), Verdict.ERROR),
        (
            student_error("ForbiddenCall", ["RuntimeError"], "keras.layers.ReLU is forbidden", "a"),
            Verdict.FORBIDDEN,
        ),
        (student_error("AssertionError", ["AssertionError"], "their own assert", "a"), Verdict.ERROR),
        (StudentStopped(Verdict.TIMEOUT, "no answer"), Verdict.TIMEOUT),
        (StudentStopped(Verdict.MEMORY, "too much"), Verdict.MEMORY),
        (StudentStopped(Verdict.CRASHED, "gone"), Verdict.CRASHED),
        (StudentStopped(Verdict.FORBIDDEN, "forged"), Verdict.FORBIDDEN),
        (GraderFault("no worker"), Verdict.GRADER_ERROR),
    ],
    ids=lambda value: f"{type(value).__name__}-{value}"[:40],
)
def test_each_kind_of_outcome_has_its_verdict(
    error: BaseException | None, verdict: Verdict, asked: bool
) -> None:
    assert judge(error, asked).verdict is verdict


@pytest.mark.parametrize(
    "error", [TypeError("x"), ValueError("x"), KeyError("x"), RecursionError(), MemoryError()]
)
def test_what_breaks_a_test_is_our_fault_only_before_the_student_was_asked(error: Exception) -> None:
    assert judge(error, asked=False).verdict is Verdict.GRADER_ERROR
    judgement = judge(error, asked=True)
    assert judgement.verdict is Verdict.FAILED
    assert type(error).__name__ in judgement.message


def test_what_came_back_instead_of_data_is_told() -> None:
    assert judge(Unusable("a Layer object came back"), asked=True).message == "a Layer object came back"


def test_what_students_are_told_never_quotes_the_suite() -> None:
    secret = "assert 0.731 == expected"
    for error in (AssertionError(secret), ValueError(secret), outcome(lambda: pytest.fail(secret))):
        for asked in (True, False):
            judgement = judge(error, asked)
            assert "0.731" not in judgement.message + judgement.trace


def test_the_students_own_lines_go_with_an_error() -> None:
    error = student_error("ValueError", ["ValueError"], "no", "a.py, line 1, in f")
    judgement = judge(error, asked=True)
    assert judgement.trace == "a.py, line 1, in f"
    assert judgement.message == "ValueError: no"


class Hostile(Exception):
    def __str__(self) -> str:
        raise SystemExit("out")

    def __eq__(self, other: object) -> bool:
        raise SystemExit("out")

    __hash__ = Exception.__hash__

    @property
    def type_name(self) -> str:
        raise SystemExit("out")

    @property
    def verdict(self) -> str:
        return "passed"


def test_an_exception_that_bites_is_judged_by_its_type() -> None:
    assert judge(Hostile(), asked=True).verdict is Verdict.FAILED


@pytest.mark.parametrize("error", [SystemExit(0), KeyboardInterrupt(), GeneratorExit()])
def test_leaving_the_program_is_no_way_to_pass(error: BaseException) -> None:
    assert judge(error, asked=True).verdict is Verdict.FAILED


def test_only_the_stubs_own_line_at_the_end_makes_it_unfinished() -> None:
    deeper = STUB + "\nsums.py, line 9, in helper\n    go()"
    error = student_error("NotImplementedError", ["NotImplementedError", "RuntimeError"], "inside", deeper)
    assert not error.unfinished
    assert str(error) == "NotImplementedError: inside"
    assert "stub" in str(student_error("NotImplementedError", ["NotImplementedError"], "", STUB))
