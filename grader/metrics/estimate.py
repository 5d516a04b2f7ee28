"""A measured value with its interval, and how intervals are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Interval:
    """How an interval is made. The same predictions always get the same one.

    Attributes:
        level: coverage, between 0 and 1.
        method: "auto" is DeLong's for the AUC of two classes and the bootstrap for everything else.
        resamples: how many the bootstrap draws.
        seed: of the bootstrap.

    Raises:
        ValueError: an attribute is out of range.
    """

    level: float = 0.95
    method: Literal["auto", "bootstrap", "delong"] = "auto"
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ValueError(f"an interval's level lies between 0 and 1, received {self.level}")
        if self.method not in ("auto", "bootstrap", "delong"):
            raise ValueError(f"method is 'auto', 'bootstrap' or 'delong', received {self.method!r}")
        if self.resamples < 1:
            raise ValueError(f"resamples is at least 1, received {self.resamples}")


DEFAULT = Interval()


@dataclass(frozen=True)
class Estimate:
    """A metric's value with its confidence interval.

    Attributes:
        name: the metric, as a reader knows it.
        value: the metric itself.
        low, high: the interval, `low <= value <= high`; both are `value` where none was asked for.
        level: the interval's coverage, None where none was asked for.
        method: how the interval was made, "none" where none was asked for.
        notes: what a reader of the value should know about the predictions.
    """

    name: str
    value: float
    low: float
    high: float
    level: float | None
    method: str
    notes: tuple[str, ...] = ()

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        text = f"{self.name} {self.value:.3f}"
        if self.level is not None:
            text += f" ({100 * self.level:g} % interval {self.low:.3f} to {self.high:.3f}, {self.method})"
        return "; ".join([text, *self.notes])
