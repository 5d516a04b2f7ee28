"""Whether a predicted 0.8 comes true four times in five."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.report.pictures.fields import Fields
from grader.report.pictures.style import DASHED, FIRST, GREY, LIGHT, WIDTH, rate_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# With more bins than these the numbers over the bars would touch.
_MOST_NUMBERED = 12


@dataclass(frozen=True)
class Calibration:
    """Bins of predictions: their mean, how often they came true, how many there are."""

    name = "calibration curve"

    title: str
    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    counts: tuple[int, ...]
    brier: float

    @classmethod
    def read(cls, fields: Fields) -> Calibration:
        """Raises ValueError."""
        predicted = fields.rates("predicted")
        observed = fields.rates("observed", len(predicted))
        counts = fields.counts("counts", len(predicted))
        return cls(fields.text("title"), predicted, observed, counts, fields.number("brier"))

    @property
    def size(self) -> tuple[float, float]:
        """Taller than wide: the counts are below."""
        return WIDTH, WIDTH + 1.2

    def describe(self) -> str:
        """The Brier score, and predicted and observed of each bin."""
        bins = zip(self.predicted, self.observed, self.counts, strict=True)
        told = [f"{guess:.2f} came true {seen:.2f} ({count})" for guess, seen, count in bins]
        return f"Brier score {self.brier:.3f}. Predicted, observed and how many: {'; '.join(told)}."

    def paint(self, figure: Figure) -> None:
        """The bins against the diagonal, above a bar for each with its count."""
        from matplotlib.ticker import MaxNLocator

        upper, lower = figure.subplots(2, 1, height_ratios=[4, 1], sharex=True)
        rate_axis(upper, x="", y="observed frequency")
        upper.plot([0, 1], [0, 1], color=GREY, linestyle=DASHED, linewidth=1.2, label="perfectly calibrated")
        upper.plot(
            self.predicted, self.observed, color=FIRST, linewidth=1.6, marker="o", markersize=6,
            label=f"observed (Brier score {self.brier:.3f})",
        )  # fmt: skip
        upper.legend(loc="upper left", framealpha=1, edgecolor="#dddddd")
        width = 0.7 / max(len(self.counts), 8)
        bars = lower.bar(self.predicted, self.counts, width=width, color=LIGHT, edgecolor=FIRST)
        if len(self.counts) <= _MOST_NUMBERED:
            lower.bar_label(bars, [str(count) for count in self.counts], fontsize=7.5, padding=1)
        lower.set(xlabel="predicted probability", ylabel="count", ylim=(0, 1.3 * max(*self.counts, 1)))
        lower.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
