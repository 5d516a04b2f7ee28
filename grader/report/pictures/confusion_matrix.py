"""Which classes are taken for which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.report.pictures.fields import Fields
from grader.report.pictures.style import FIRST, WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Beyond these a cell has no room for two numbers, or for any.
_MOST_WITH_SHARES = 8
_MOST_WITH_COUNTS = 16
_MOST_LABELS = 40
_MOST_DESCRIBED = 10
_LABEL_CHARS = 16
# The share from which on black letters are harder to read than white ones.
_DARK = 0.45


@dataclass(frozen=True)
class ConfusionMatrix:
    """Counts of examples: a row for each true class, a column for each predicted one."""

    name = "confusion matrix"

    title: str
    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @classmethod
    def read(cls, fields: Fields) -> ConfusionMatrix:
        """Raises ValueError."""
        labels = fields.texts("labels")
        if not labels:
            raise fields.error("labels", "must not be empty")
        return cls(fields.text("title"), labels, fields.count_rows("counts", len(labels)))

    @property
    def size(self) -> tuple[float, float]:
        """Square, with room for the labels."""
        return WIDTH, WIDTH

    @property
    def shares(self) -> tuple[tuple[float, ...], ...]:
        """Each row divided by its sum; zeros where the class has no example."""
        return tuple(tuple(count / max(sum(row), 1) for count in row) for row in self.counts)

    def describe(self) -> str:
        """How many are right, and each row of a small matrix."""
        total = sum(map(sum, self.counts))
        right = sum(row[place] for place, row in enumerate(self.counts))
        told = f"{right} of {total} are predicted as what they are."
        if len(self.labels) > _MOST_DESCRIBED:
            return f"{told} {len(self.labels)} classes."
        rows = []
        for label, row in zip(self.labels, self.counts, strict=True):
            cells = [f"{count} as {other}" for other, count in zip(self.labels, row, strict=True) if count]
            rows.append(f"True {label}: {', '.join(cells) or 'no example'}.")
        return " ".join([told, *rows])

    def paint(self, figure: Figure) -> None:
        """Cells shaded by their share of the row, with the count and that share in them."""
        from matplotlib.colors import LinearSegmentedColormap

        axes, count = figure.add_subplot(), len(self.labels)
        shades = LinearSegmentedColormap.from_list("shades", ["white", FIRST, "#00304d"])
        axes.pcolormesh(self.shares, cmap=shades, vmin=0, vmax=1, edgecolors="#999999", linewidth=0.5)
        axes.set(xlabel="predicted", ylabel="true", aspect="equal", ylim=(count, 0))
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        shown = count if count <= _MOST_LABELS else 0
        labels = [_short(label) for label in self.labels[:shown]]
        small = 10 if count <= 10 else max(4.5, 100 / count)
        level = max(map(len, labels), default=0) * count <= 40
        places = [place + 0.5 for place in range(shown)]
        axes.set_xticks(places, labels, fontsize=small, rotation=0 if level else 90)
        axes.set_yticks(places, labels, fontsize=small)
        if count > _MOST_WITH_COUNTS:
            return
        with_shares = count <= _MOST_WITH_SHARES
        size = 11 if count <= 4 else 8 if with_shares else 7
        for row, (counts, shares) in enumerate(zip(self.counts, self.shares, strict=True)):
            for column, (number, share) in enumerate(zip(counts, shares, strict=True)):
                percent = f"{100 * share:.0f} %" if sum(counts) else "none"
                axes.text(
                    column + 0.5, row + 0.5, f"{number}\n{percent}" if with_shares else str(number),
                    color="white" if share > _DARK else "black", ha="center", va="center", fontsize=size,
                )  # fmt: skip


def _short(label: str) -> str:
    return label if len(label) <= _LABEL_CHARS else f"{label[: _LABEL_CHARS - 1]}…"
