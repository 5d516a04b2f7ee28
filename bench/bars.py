"""What the grader promises, and whether it was kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.measure import FLOOR, FRESH, ONE_JOB, TWO_JOBS, Measured, Spread

MOST_GROWTH_MB = 4.0


@dataclass(frozen=True)
class Bar:
    """One promise: what was asked, what was found."""

    what: str
    wanted: str
    found: str
    met: bool


def bars(figures: Mapping[str, Measured], one_cpu: Measured, memory: Mapping[int, float]) -> list[Bar]:
    """Judge what was measured.

    Args:
        figures: by workload; must hold "quick" and "plain".
        one_cpu: the "quick" workload with everything on one processor.
        memory: MiB of the grading process by submissions graded.
    """
    quick, plain = figures["quick"], figures["plain"]
    few, many = min(memory), max(memory)
    growth = memory[many] - memory[few]
    return [
        _at_least(
            "quick Keras tests: faster than a pytest process each", quick.ratio(FRESH, ONE_JOB), 6, "x"
        ),
        _at_least("no TF op: faster than a pytest process each", plain.ratio(FRESH, ONE_JOB), 20, "x"),
        _at_most("quick Keras tests: of the floor's time", quick.ratio(ONE_JOB, FLOOR), 1.25, "x"),
        _at_most("the same, everything on one processor", one_cpu.ratio(ONE_JOB, FLOOR), 1.25, "x"),
        _at_least("quick Keras tests: processors busy at -j 2", quick.busy(TWO_JOBS), 1.7, " of 2"),
        Bar(
            f"parent memory, from {few:,} to {many:,} submissions",
            f"grows at most {MOST_GROWTH_MB:g} MiB",
            f"{growth:+.1f} MiB ({memory[few]:.1f} to {memory[many]:.1f})",
            growth <= MOST_GROWTH_MB,
        ),
    ]


def _at_least(what: str, value: Spread, bound: float, unit: str) -> Bar:
    return Bar(what, f"at least {bound:g}{unit}", f"{value}{unit}", value.middle >= bound)


def _at_most(what: str, value: Spread, bound: float, unit: str) -> Bar:
    return Bar(what, f"at most {bound:g}{unit}", f"{value}{unit}", value.middle <= bound)
