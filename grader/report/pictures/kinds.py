"""Which kinds of picture there are, and what each of them can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from grader.report.pictures.calibration import Calibration
from grader.report.pictures.confusion_matrix import ConfusionMatrix
from grader.report.pictures.fields import Fields
from grader.report.pictures.learning_curves import LearningCurves
from grader.report.pictures.precision_recall import PrecisionRecall
from grader.report.pictures.roc import Roc

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Picture(Protocol):
    """One figure, read and found well-formed."""

    @property
    def name(self) -> str:
        """What kind of picture this is, in words."""

    @property
    def title(self) -> str:
        """Its title, one clean line."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""

    def describe(self) -> str:
        """What the picture tells, in sentences."""

    def paint(self, figure: Figure) -> None:
        """Draw everything but the title."""


_KINDS: Mapping[str, Callable[[Fields], Picture]] = {
    "confusion_matrix": ConfusionMatrix.read,
    "roc": Roc.read,
    "precision_recall": PrecisionRecall.read,
    "calibration": Calibration.read,
    "learning_curves": LearningCurves.read,
}


def read_figure(figure: Mapping[str, Any]) -> Picture:
    """The picture that a figure's dictionary describes.

    Raises:
        ValueError: the dictionary is malformed; the message names the key.
    """
    kind = figure.get("kind") if isinstance(figure, Mapping) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(f"a figure's 'kind' must be one of {', '.join(_KINDS)}, not {kind!r:.80}")
    return _KINDS[kind](Fields(figure, f"{kind} figure"))
