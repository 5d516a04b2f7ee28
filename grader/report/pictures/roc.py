"""How many are found at how many false alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.report.pictures.fields import Fields, Interval
from grader.report.pictures.style import DASHED, FIRST, GREY, LIGHT, SECOND, WIDTH, legend_below, rate_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class _Band:
    fpr: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class _Chosen:
    threshold: float
    fpr: float
    tpr: float


@dataclass(frozen=True)
class Roc:
    """A receiver operating characteristic, with the interval of its area and the threshold that was chosen."""

    name = "ROC curve"

    title: str
    fpr: tuple[float, ...]
    tpr: tuple[float, ...]
    band: _Band | None
    auc: Interval
    chosen: _Chosen | None

    @classmethod
    def read(cls, fields: Fields) -> Roc:
        """Raises ValueError."""
        fpr = fields.rates("fpr")
        band, chosen = None, None
        if (given := fields.inner_or_none("band")) is not None:
            at = given.rates("fpr")
            band = _Band(at, given.rates("low", len(at)), given.rates("high", len(at)))
        if (given := fields.inner_or_none("chosen")) is not None:
            chosen = _Chosen(given.number("threshold"), given.rate("fpr"), given.rate("tpr"))
        tpr = fields.rates("tpr", len(fpr))
        return cls(fields.text("title"), fpr, tpr, band, fields.interval("auc"), chosen)

    @property
    def size(self) -> tuple[float, float]:
        """Taller than wide: the legend is below."""
        return WIDTH, WIDTH + 0.6

    def describe(self) -> str:
        """The area with its interval, and what the chosen threshold gives."""
        told = f"Area under the curve {self.auc}; chance has 0.5."
        if self.chosen is None:
            return told
        return (
            f"{told} At the chosen threshold of {self.chosen.threshold:.3g} the true positive rate is "
            f"{self.chosen.tpr:.3f} and the false positive rate {self.chosen.fpr:.3f}."
        )

    def paint(self, figure: Figure) -> None:
        """The curve on its band, the diagonal of chance, the chosen point."""
        axes = figure.add_subplot(aspect="equal")
        rate_axis(axes, x="false positive rate", y="true positive rate")
        axes.plot(self.fpr, self.tpr, color=FIRST, linewidth=2, label=f"AUC {self.auc}")
        if self.band is not None:
            axes.fill_between(
                self.band.fpr,
                self.band.low,
                self.band.high,
                color=LIGHT,
                linewidth=0,
                label="interval of the curve",
            )
        axes.plot([0, 1], [0, 1], color=GREY, linestyle=DASHED, linewidth=1.2, label="chance")
        if self.chosen is not None:
            axes.plot(
                self.chosen.fpr, self.chosen.tpr, color=SECOND, marker="D", markersize=8, linestyle="none",
                markeredgecolor="black", label=f"chosen threshold {self.chosen.threshold:.3g}",
            )  # fmt: skip
        legend_below(figure)
