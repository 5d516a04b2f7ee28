"""What the pictures have in common: sizes, two colours that differ in grey too, and axes of rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# 440 CSS pixels: a phone shows it at four fifths, with letters still large enough.
WIDTH = 4.6
FIRST, SECOND, LIGHT, GREY = "#0072b2", "#d55e00", "#cfe3f0", "#555555"
# Wide enough to be told from a solid line in print.
DASHED, DOTTED = (0, (5, 2.5)), (0, (1.2, 1.8))


def rate_axis(axes: Axes, *, x: str, y: str) -> None:
    """Both axes from 0 to 1, with room for a line that lies on an edge."""
    axes.set(xlabel=x, ylabel=y, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def legend_below(figure: Figure) -> None:
    """A legend that covers nothing."""
    figure.legend(loc="outside lower center", frameon=False, handlelength=3)
