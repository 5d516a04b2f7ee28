"""What a picture shows, and the list of all pictures."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import dlquiz.quiz.plots

MOST_LINES = 6


@dataclass(frozen=True)
class Line:
    """One curve, its points in the order in which they are joined.

    Raises:
        ValueError: `x` and `y` differ in length, or are empty.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y) or not self.x:
            raise ValueError(
                f"line {self.label!r}: expected as many x as y, one or more; got {len(self.x)}, {len(self.y)}"
            )


@dataclass(frozen=True)
class Plot:
    """Curves over one pair of axes.

    Attributes:
        lines: at most `MOST_LINES`, so that each has a sign and a colour of its own.
        alt: describes the picture to who cannot see it, without giving the answer away.

    Raises:
        ValueError: there are no lines or too many, or two have the same label.
    """

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    alt: str

    def __post_init__(self) -> None:
        if not 0 < len(self.lines) <= MOST_LINES:
            received = len(self.lines)
            raise ValueError(f"plot {self.title!r}: expected 1 to {MOST_LINES} lines, received {received}")
        if len({line.label for line in self.lines}) < len(self.lines):
            raise ValueError(f"plot {self.title!r}: expected labels that differ")


Plotting = Callable[[], Plot]
PLOTTINGS: dict[str, Plotting] = {}


def plotting(name: str) -> Callable[[Plotting], Plotting]:
    """Register a function under the name that items give as `plot`.

    Raises:
        ValueError: another function has the name.
    """

    def register(function: Plotting) -> Plotting:
        if name in PLOTTINGS:
            raise ValueError(f"two pictures are named {name!r}")
        PLOTTINGS[name] = function
        return function

    return register


@functools.cache
def plottings() -> Mapping[str, Plotting]:
    """Every picture's function by its name, from the modules of themes beside this one."""
    for module in pkgutil.iter_modules(dlquiz.quiz.plots.__path__):
        if module.name not in ("svg", "terminal"):
            importlib.import_module(f"dlquiz.quiz.plots.{module.name}")
    return MappingProxyType(PLOTTINGS)
