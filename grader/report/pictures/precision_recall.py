"""How many alarms are right at how many found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.report.pictures.fields import Fields, Interval
from grader.report.pictures.style import DASHED, FIRST, GREY, SECOND, WIDTH, legend_below, rate_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class _Chosen:
    threshold: float
    recall: float
    precision: float


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision against recall, with the base rate, which is the precision of a guess."""

    name = "precision-recall curve"

    title: str
    recall: tuple[float, ...]
    precision: tuple[float, ...]
    base_rate: float
    average_precision: Interval
    chosen: _Chosen | None

    @classmethod
    def read(cls, fields: Fields) -> PrecisionRecall:
        """Raises ValueError."""
        recall, chosen = fields.rates("recall"), None
        if (given := fields.inner_or_none("chosen")) is not None:
            chosen = _Chosen(given.number("threshold"), given.rate("recall"), given.rate("precision"))
        precision = fields.rates("precision", len(recall))
        average = fields.interval("average_precision")
        return cls(fields.text("title"), recall, precision, fields.rate("base_rate"), average, chosen)

    @property
    def size(self) -> tuple[float, float]:
        """Taller than wide: the legend is below."""
        return WIDTH, WIDTH + 0.4

    def describe(self) -> str:
        """The average with its interval, the base rate, and what the chosen threshold gives."""
        told = f"Average precision {self.average_precision}; the base rate is {self.base_rate:.3f}."
        if self.chosen is None:
            return told
        return (
            f"{told} At the chosen threshold of {self.chosen.threshold:.3g} the precision is "
            f"{self.chosen.precision:.3f} and the recall {self.chosen.recall:.3f}."
        )

    def paint(self, figure: Figure) -> None:
        """The curve, the base rate, the chosen point."""
        axes = figure.add_subplot(aspect="equal")
        rate_axis(axes, x="recall", y="precision")
        # In steps: between two thresholds there is no classifier on a straight line (Davis and Goadrich 2006).
        forward = self.recall[0] <= self.recall[-1]
        axes.plot(
            self.recall, self.precision, color=FIRST, linewidth=2,
            drawstyle="steps-pre" if forward else "steps-post",
            label=f"average precision {self.average_precision}",
        )  # fmt: skip
        axes.axhline(
            self.base_rate,
            color=GREY,
            linestyle=DASHED,
            linewidth=1.2,
            label=f"base rate {self.base_rate:.3f}",
        )
        if self.chosen is not None:
            axes.plot(
                self.chosen.recall, self.chosen.precision, color=SECOND, marker="D", markersize=8,
                linestyle="none", markeredgecolor="black",
                label=f"chosen threshold {self.chosen.threshold:.3g}",
            )  # fmt: skip
        legend_below(figure)
