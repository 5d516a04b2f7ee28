"""What a test finds out besides its verdict: the part of its points that a measured quality earns, and pictures."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from dlquiz.testing.student import GraderFault

MAX_FIGURES = 6
MAX_FIGURE = 20_000


class Estimate(Protocol):
    """A measured quality with its interval, as `grader.metrics` gives it."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


@dataclass(frozen=True)
class Award:
    """`credit`: the part of a test's points that is earned, from 0 to 1. `reason`: how it came about."""

    credit: float
    reason: str


class Shortfall(AssertionError):
    """Ends a test that earns less than all of its points."""

    def __init__(self, award: Award) -> None:
        super().__init__(award.reason)
        self.award = award


@dataclass
class Evidence:
    """What one test has awarded and exhibited so far."""

    shortfall: Shortfall | None = None
    reason: str = ""
    figures: list[dict[str, Any]] = field(default_factory=list)

    def award(self, measured: Estimate | float, *, floor: float, target: float) -> Award:
        """Give points by a measured quality: none at `floor`, all at `target`, in between by the straight line.

        With an estimate, the end of its interval that is better for the student decides how much, so that a test
        set's noise costs nothing; whoever is not above the floor by the estimate's value earns nothing. A target below
        the floor means that lower is better.

        Args:
            measured: an estimate, or a number without an interval.
            floor: what a guess gives: chance, or always the majority class.
            target: what earns everything.

        Returns:
            The award, if it is all of the points.

        Raises:
            Shortfall: it is less; this ends the test, so exhibit pictures before.
            GraderFault: floor and target are equal or not finite, or this test has awarded before.
        """
        if not (math.isfinite(floor) and math.isfinite(target)) or floor == target:
            raise GraderFault(f"award(floor={floor}, target={target}): they must be two different numbers")
        if self.reason:
            raise GraderFault("a test awards once: make two tests of it")
        award = _award(measured, floor, target)
        self.reason = award.reason
        if award.credit < 1:
            self.shortfall = Shortfall(award)
            raise self.shortfall
        return award

    def exhibit(self, figure: dict[str, Any]) -> None:
        """Put a picture into the result: a dictionary as `grader.metrics.figures` makes it.

        Raises:
            GraderFault: it is not a figure, longer than `MAX_FIGURE` bytes of JSON, or the test has too many.
        """
        try:
            size = len(json.dumps(figure, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise GraderFault(f"a figure is a dictionary of JSON types: {error}") from None
        if not isinstance(figure, dict) or not isinstance(figure.get("kind"), str):
            raise GraderFault("a figure is a dictionary that says its `kind`")
        if size > MAX_FIGURE or len(self.figures) == MAX_FIGURES:
            raise GraderFault(
                f"a test shows at most {MAX_FIGURES} figures of {MAX_FIGURE:,} bytes each; this one has {size:,}"
            )
        self.figures.append(figure)


EVIDENCE = pytest.StashKey[Evidence]()


def _award(measured: Estimate | float, floor: float, target: float) -> Award:
    higher = target > floor
    if isinstance(measured, (int, float)):
        name, value, best, interval = "the measured value", float(measured), float(measured), ""
    else:
        name, value = measured.name, float(measured.value)
        best = float(measured.high if higher else measured.low)
        interval = f" (interval {measured.low:.4g} to {measured.high:.4g})"
    notes = "; ".join(getattr(measured, "notes", ()))
    told = f"{name} is {value:.4g}{interval}" + (f", {notes}" if notes else "")
    rule = f"{floor:g} earns nothing, {target:g} everything"
    if not (math.isfinite(value) and math.isfinite(best)):
        return Award(0.0, f"{name} is not a number; {rule}")
    if value <= floor if higher else value >= floor:
        return Award(0.0, f"{told}: no better than a guess; {rule}")
    credit = min(1.0, (best - floor) / (target - floor))
    return Award(credit, f"{told}: {credit:.0%} of the points; {rule}")
