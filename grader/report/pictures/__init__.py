"""Figures that a hidden suite exhibits, as sentences and as SVG pictures."""

from grader.report.pictures.confusion_matrix import ConfusionMatrix
from grader.report.pictures.kinds import Picture, read_figure
from grader.report.pictures.svg import draw

__all__ = ["ConfusionMatrix", "Picture", "draw", "read_figure"]
