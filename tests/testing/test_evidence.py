"""Points by a measured quality, and pictures: in plain pytest and as numbers."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from dlquiz.testing.evidence import MAX_FIGURE, MAX_FIGURES, Evidence, Shortfall
from dlquiz.testing.judging import judge
from dlquiz.testing.student import GraderFault
from dlquiz.testing.verdict import Verdict

pytest_plugins = ["pytester"]


@dataclass
class Measured:
    value: float
    low: float
    high: float
    name: str = "ROC AUC"


def credit(measured: object, floor: float, target: float) -> float:
    evidence = Evidence()
    try:
        return evidence.award(measured, floor=floor, target=target).credit
    except Shortfall:
        judged = judge(evidence.shortfall, asked=True)
    assert (judged.verdict, judged.message) == (Verdict.FAILED, evidence.reason)
    return judged.credit


@pytest.mark.parametrize(
    ("measured", "earned"),
    [
        (0.5, 0.0),
        (0.4, 0.0),
        (0.6, 0.25),
        (0.9, 1.0),
        (1.0, 1.0),
        (Measured(0.6, 0.5, 0.7), 0.5),  # by the upper end
        (Measured(0.8, 0.7, 0.9), 1.0),
        (Measured(0.5, 0.3, 0.7), 0.0),  # noise gives nothing to a guess
        (Measured(0.49, 0.3, 0.7), 0.0),
        (float("nan"), 0.0),
        (float("inf"), 0.0),
        (Measured(0.6, 0.5, float("nan")), 0.0),
    ],
)
def test_credit_rises_from_floor_to_target(measured: object, earned: float) -> None:
    assert credit(measured, 0.5, 0.9) == pytest.approx(earned)


@pytest.mark.parametrize(
    ("measured", "earned"), [(1.0, 0.0), (1.2, 0.0), (0.9, 0.2), (0.5, 1.0), (Measured(0.9, 0.75, 1.3), 0.5)]
)
def test_a_target_below_the_floor_means_that_lower_is_better(measured: object, earned: float) -> None:
    assert credit(measured, 1.0, 0.5) == pytest.approx(earned)


def test_the_reason_holds_the_figures() -> None:
    evidence = Evidence()
    with pytest.raises(Shortfall):
        evidence.award(Measured(0.6, 0.5, 0.7), floor=0.5, target=0.9)
    assert evidence.reason == (
        "ROC AUC is 0.6 (interval 0.5 to 0.7): 50% of the points; 0.5 earns nothing, 0.9 everything"
    )


def test_the_reason_holds_what_was_noticed_of_the_predictions() -> None:
    evidence = Evidence()
    measured = Measured(0.5, 0.5, 0.5)
    measured.notes = ("all scores are equal",)  # type: ignore[attr-defined]
    with pytest.raises(Shortfall, match=r"ROC AUC is 0.5 .*, all scores are equal: no better than a guess"):
        evidence.award(measured, floor=0.5, target=0.9)


@pytest.mark.parametrize(("floor", "target"), [(0.5, 0.5), (float("nan"), 1.0), (0.5, float("inf"))])
def test_a_rule_that_is_none_is_our_fault(floor: float, target: float) -> None:
    with pytest.raises(GraderFault, match="two different numbers"):
        Evidence().award(0.7, floor=floor, target=target)


def test_a_test_awards_once() -> None:
    evidence = Evidence()
    evidence.award(1.0, floor=0, target=1)
    with pytest.raises(GraderFault, match="awards once"):
        evidence.award(1.0, floor=0, target=1)


@pytest.mark.parametrize(
    "figure", [{"kind": "roc", "x": float("nan")}, {"kind": {1}}, [], {}, {"kind": "x" * MAX_FIGURE}]
)
def test_what_is_no_figure_is_our_fault(figure: object) -> None:
    evidence = Evidence()
    with pytest.raises(GraderFault):
        evidence.exhibit(figure)  # type: ignore[arg-type]
    assert evidence.figures == []


def test_figures_are_few() -> None:
    evidence = Evidence()
    for _ in range(MAX_FIGURES):
        evidence.exhibit({"kind": "roc"})
    with pytest.raises(GraderFault, match="at most"):
        evidence.exhibit({"kind": "roc"})


def test_plain_pytest_counts_the_part_that_was_earned(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.problem("a", points=4)
        def test_part(award, exhibit):
            exhibit({"kind": "roc"})
            award(0.6, floor=0.5, target=0.9)

        @pytest.mark.problem("a", points=2)
        def test_all(award):
            assert award(0.95, floor=0.5, target=0.9).credit == 1

        @pytest.mark.problem("a", points=1)
        @pytest.mark.needs("test_part")
        def test_after(award):
            pass
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    result.stdout.re_match_lines([r"a +3\.00 / 7\.00"])
