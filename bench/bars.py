"""What the grader promises, and whether it was kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.measure import FLOOR, FRESH, ONE_JOB, TWO_JOBS, Measured

MOST_GROWTH_MB = 4.0


@dataclass(frozen=True)
class Bar:
    """One promise: what was asked, what was found."""

    what: str
    wanted: str
    found: str
    met: bool


def bars(figures: Mapping[str, Measured], memory: Mapping[int, float]) -> list[Bar]:
    """Judge what was measured.

    Args:
        figures: by workload; must hold "quick" and "plain".
        memory: MiB of the grading process by submissions graded.
    """
    quick, plain = figures["quick"], figures["plain"]
    few, many = min(memory), max(memory)
    growth = memory[many] - memory[few]
    return [
        _at_least("faster than a pytest process each, quick Keras tests", quick.ratio(FRESH, ONE_JOB).middle, 6, "x"),
        _at_least("faster than a pytest process each, no TF op", plain.ratio(FRESH, ONE_JOB).middle, 20, "x"),
        _at_most("of the floor's wall time, quick Keras tests", quick.ratio(ONE_JOB, FLOOR).middle, 1.25, "x"),
        _at_least("processors busy at -j 2, quick Keras tests", quick.busy(TWO_JOBS).middle, 1.7, " of 2"),
        Bar(
            f"parent memory flat from {few:,} to {many:,} submissions",
            f"grows at most {MOST_GROWTH_MB:g} MiB",
            f"{growth:+.1f} MiB ({memory[few]:.1f} to {memory[many]:.1f})",
            growth <= MOST_GROWTH_MB,
        ),
    ]


def _at_least(what: str, value: float, bound: float, unit: str) -> Bar:
    return Bar(what, f"at least {bound:g}{unit}", f"{value:.2f}{unit}", value >= bound)


def _at_most(what: str, value: float, bound: float, unit: str) -> Bar:
    return Bar(what, f"at most {bound:g}{unit}", f"{value:.2f}{unit}", value <= bound)
