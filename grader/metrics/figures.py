"""Figures for reports, as dicts of JSON types: made here from labels and scores, drawn by `grader.report.pictures`.

Each takes what the metric of its name takes and raises the same errors. None is longer than `MAX_BYTES` as JSON: curves
are thinned to `MAX_POINTS` of their points, both ends among them, and coordinates are rounded to six digits.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from grader.metrics import inputs
from grader.metrics import learning_curves as learning
from grader.metrics.calibration import brier_score_loss, calibration_curve
from grader.metrics.estimate import DEFAULT, Estimate, Interval
from grader.metrics.inputs import Floats, Ints
from grader.metrics.labels import confusion_matrix as _confusion_matrix
from grader.metrics.scores import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_band,
    roc_curve,
)

Figure = dict[str, Any]

MAX_POINTS = 200
MAX_BYTES = 20_000
_GRID = np.linspace(0, 1, 101)


def confusion_matrix(
    y_true: ArrayLike,
    y_pred: object,
    *,
    labels: Sequence[object] | None = None,
    names: Sequence[str] | None = None,
    title: str = "Confusion matrix",
) -> Figure:
    """Rows are true classes, columns predicted ones.

    Args:
        names: the classes' names, where they are not their labels.

    Raises:
        ValueError: as many names as classes were expected, or so many classes do not fit into a figure.
    """
    counts = _confusion_matrix(y_true, y_pred, labels=labels)
    _, classes = inputs.class_labels(y_true, labels)
    shown = [str(label) for label in classes] if names is None else list(names)
    if len(shown) != len(classes):
        raise ValueError(f"names: expected {len(classes)}, one a class, received {len(shown)}")
    return _checked({"kind": "confusion_matrix", "title": title, "labels": shown, "counts": counts.tolist()})


def roc(
    y_true: ArrayLike,
    scores: object,
    *,
    threshold: float | None = None,
    pos_label: object = 1,
    interval: Interval | None = DEFAULT,
    title: str = "ROC curve",
) -> Figure:
    """The ROC curve, its pointwise band and the AUC.

    Args:
        threshold: marks the point that flags scores at or above it.
        interval: of the AUC; the band always is the bootstrap's. None leaves the band out.
    """
    positive = inputs.positives(y_true, pos_label)
    found, _ = inputs.binary_scores(scores, len(positive))
    fpr, tpr, _ = roc_curve(positive, found)
    kept = _thinned(fpr, tpr)
    band = None
    if interval is not None:
        low, high = roc_band(positive, found, grid=_GRID, interval=interval)
        band = {"fpr": _rounded(_GRID), "low": _rounded(low), "high": _rounded(high)}
    chosen = None
    if threshold is not None:
        flagged = found >= threshold
        rates = {"fpr": float(flagged[~positive].mean()), "tpr": float(flagged[positive].mean())}
        chosen = {"threshold": float(threshold), **rates}
    return _checked(
        {
            "kind": "roc",
            "title": title,
            "fpr": _rounded(fpr[kept]),
            "tpr": _rounded(tpr[kept]),
            "band": band,
            "auc": _bounds(roc_auc_score(positive, found, interval=interval)),
            "chosen": chosen,
        }
    )


def precision_recall(
    y_true: ArrayLike,
    scores: object,
    *,
    threshold: float | None = None,
    pos_label: object = 1,
    interval: Interval | None = DEFAULT,
    title: str = "Precision and recall",
) -> Figure:
    """The precision-recall curve, the average precision, and what scores without meaning would reach.

    Args:
        threshold: marks the point that flags scores at or above it.
        interval: of the average precision.
    """
    positive = inputs.positives(y_true, pos_label)
    found, _ = inputs.binary_scores(scores, len(positive))
    precision, recall, _ = precision_recall_curve(positive, found)
    kept = _thinned(recall, precision)
    chosen = None
    if threshold is not None:
        flagged = found >= threshold
        hits = positive[flagged]
        share = {"recall": hits.sum() / positive.sum(), "precision": hits.mean() if hits.size else 0.0}
        chosen = {"threshold": float(threshold), **{name: float(value) for name, value in share.items()}}
    return _checked(
        {
            "kind": "precision_recall",
            "title": title,
            "recall": _rounded(recall[kept]),
            "precision": _rounded(precision[kept]),
            "base_rate": float(positive.mean()),
            "average_precision": _bounds(average_precision_score(positive, found, interval=interval)),
            "chosen": chosen,
        }
    )


def calibration(
    y_true: ArrayLike,
    scores: object,
    *,
    bins: int = 10,
    pos_label: object = 1,
    title: str = "Calibration",
) -> Figure:
    """The calibration curve with the number of samples in each bin, and the Brier score."""
    curve = calibration_curve(y_true, scores, pos_label=pos_label, bins=bins)
    return _checked(
        {
            "kind": "calibration",
            "title": title,
            "predicted": _rounded(curve.predicted),
            "observed": _rounded(curve.observed),
            "counts": curve.counts.tolist(),
            "brier": brier_score_loss(y_true, scores, pos_label=pos_label, interval=None).value,
        }
    )


def learning_curves(
    train: object,
    validation: object,
    *,
    metric: str,
    target: float,
    gap: float,
    higher_is_better: bool,
    title: str = "Learning curves",
) -> Figure:
    """Both curves and what they say: see `grader.metrics.learning_curves`.

    Of more than `MAX_POINTS` epochs that many are kept; `best_epoch` counts those in the figure, from 1.
    """
    found = learning.diagnose(
        train, validation, metric=metric, target=target, gap=gap, higher_is_better=higher_is_better
    )
    left, right = learning.curves(train, validation)
    kept = np.arange(len(left))
    if len(kept) > MAX_POINTS:
        spread = np.linspace(0, len(left) - 1, MAX_POINTS - 1).astype(int)
        kept = np.union1d(spread, found.best_epoch - 1)
    return _checked(
        {
            "kind": "learning_curves",
            "title": title,
            "metric": metric,
            "train": _rounded(left[kept]),
            "validation": _rounded(right[kept]),
            "diagnosis": found.reason,
            "best_epoch": int(np.searchsorted(kept, found.best_epoch - 1)) + 1,
        }
    )


def _thinned(x: Floats, y: Floats) -> Ints:
    """Indices of at most `MAX_POINTS` points, evenly spread along the curve; the first and the last are among them."""
    if len(x) <= MAX_POINTS:
        return np.arange(len(x))
    way = np.concatenate([[0.0], (np.abs(np.diff(x)) + np.abs(np.diff(y))).cumsum()])
    return np.unique(np.searchsorted(way, np.linspace(0, way[-1], MAX_POINTS)).clip(0, len(x) - 1))


def _rounded(values: Floats) -> list[float]:
    return [float(f"{value:.6g}") for value in values]


def _bounds(found: Estimate) -> dict[str, float]:
    return {"value": found.value, "low": found.low, "high": found.high}


def _checked(figure: Figure) -> Figure:
    size = len(json.dumps(figure, allow_nan=False).encode())
    if size > MAX_BYTES:
        raise ValueError(
            f"figure {figure['kind']!r} takes {size} bytes as JSON, more than {MAX_BYTES}; show fewer classes or bins"
        )
    return figure
