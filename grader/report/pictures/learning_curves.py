"""How training went, epoch by epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.report.pictures.fields import Fields
from grader.report.pictures.style import DASHED, DOTTED, FIRST, GREY, SECOND, WIDTH, legend_below

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_MARKERS = 15


@dataclass(frozen=True)
class LearningCurves:
    """A metric on training and validation data after each epoch. `best_epoch` counts from 1, as Keras does."""

    name = "learning curves"

    heading: str
    metric: str
    train: tuple[float, ...]
    validation: tuple[float, ...]
    diagnosis: str
    best_epoch: int | None

    @classmethod
    def read(cls, fields: Fields) -> LearningCurves:
        """Raises ValueError."""
        train = fields.numbers("train")
        validation = fields.numbers("validation", len(train))
        best = fields.whole_or_none("best_epoch")
        if best is not None and not 1 <= best <= len(train):
            raise fields.error("best_epoch", f"must be from 1 to {len(train)}", best)
        diagnosis = fields.text("diagnosis").rstrip(". ")
        return cls(fields.text("title"), fields.text("metric"), train, validation, diagnosis, best)

    @property
    def title(self) -> str:
        """The title with the diagnosis."""
        return f"{self.heading}: {self.diagnosis}" if self.diagnosis else self.heading

    @property
    def size(self) -> tuple[float, float]:
        """Wider than tall, but for the legend."""
        return WIDTH, 4.1

    def describe(self) -> str:
        """Where each curve starts and ends, and the best epoch."""
        courses = f"{_course('training', self.train)}, {_course('validation', self.validation)}"
        told = f"{self.metric} over {len(self.train)} epochs: {courses}"
        return f"{told}." if self.best_epoch is None else f"{told}. The best epoch is {self.best_epoch}."

    def paint(self, figure: Figure) -> None:
        """Two lines with different marks, and the best epoch."""
        from matplotlib.ticker import MaxNLocator

        axes = figure.add_subplot(xlabel="epoch", ylabel=self.metric)
        epochs = range(1, len(self.train) + 1)
        every = math.ceil(len(epochs) / _MOST_MARKERS)
        axes.plot(
            epochs, self.train, color=FIRST, linewidth=1.8, marker="o", markersize=5, markevery=every,
            label="training",
        )  # fmt: skip
        axes.plot(
            epochs, self.validation, color=SECOND, linewidth=1.8, linestyle=DASHED, marker="s", markersize=5,
            markevery=every, markerfacecolor="white", label="validation",
        )  # fmt: skip
        if self.best_epoch is not None:
            axes.axvline(
                self.best_epoch, color=GREY, linestyle=DOTTED, linewidth=1.6,
                label=f"best epoch: {self.best_epoch}",
            )  # fmt: skip
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        margin = 0.3 + 0.02 * len(epochs)
        axes.set_xlim(1 - margin, len(epochs) + margin)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        legend_below(figure)


def _course(name: str, values: tuple[float, ...]) -> str:
    return f"{name} from {values[0]:.3g} to {values[-1]:.3g}"
