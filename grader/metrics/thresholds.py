"""Costs at a threshold, and its choice. The conventions are those of `grader.metrics.scores`."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import sklearn.metrics as engine
from numpy.typing import ArrayLike

from grader.metrics import inputs
from grader.metrics.estimate import DEFAULT, Estimate, Interval
from grader.metrics.inputs import Floats, Ints
from grader.metrics.labels import Counts, f_beta, of_matrix, one_vs_rest
from grader.metrics.scores import roc_curve


def cost_loss(
    y_true: ArrayLike,
    scores: object,
    *,
    threshold: float,
    false_positive: float = 1.0,
    false_negative: float = 1.0,
    pos_label: object = 1,
    interval: Interval | None = DEFAULT,
) -> Estimate:
    """The mean cost a sample when those with a score of at least `threshold` are flagged. Lower is better.

    Elkan, The foundations of cost-sensitive learning (2001), with right answers free.

    Args:
        false_positive, false_negative: what one of each costs.

    >>> cost_loss([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], threshold=0.4, false_negative=5, interval=None).value
    1.5
    """
    _check_costs(false_positive, false_negative)
    positive = inputs.positives(y_true, pos_label)
    found, notes = inputs.binary_scores(scores, len(positive))
    flagged = found >= threshold
    matrix = np.asarray(engine.confusion_matrix(positive, flagged, labels=[False, True]), dtype=np.int64)

    def formula(matrices: Ints) -> Floats:
        counts = one_vs_rest(matrices)
        return _cost(Counts(*(part[..., 1] for part in counts)), false_positive, false_negative)

    return replace(of_matrix("cost", formula, matrix, interval), notes=notes)


def choose_threshold(
    y_true: ArrayLike,
    scores: object,
    *,
    by: Literal["youden", "fbeta", "cost"] = "youden",
    beta: float = 1.0,
    false_positive: float = 1.0,
    false_negative: float = 1.0,
    pos_label: object = 1,
) -> float:
    """The best threshold: one of the scores, or the next number above them all, which flags nothing.

    Of equally good ones the highest. Choose it on other samples than those it is judged on.

    Args:
        by: "youden" maximizes tpr - fpr (Youden, Index for rating diagnostic tests, 1950); "fbeta" F-beta; "cost"
            minimizes `cost_loss`.

    >>> choose_threshold([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.8
    >>> choose_threshold([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], by="fbeta", beta=2)
    0.35
    """
    _check_costs(false_positive, false_negative)
    positive = inputs.positives(y_true, pos_label)
    found, _ = inputs.binary_scores(scores, len(positive))
    fpr, tpr, thresholds = roc_curve(positive, found, pos_label=True)
    thresholds[0] = np.nextafter(thresholds[1], np.inf)
    many, few = positive.sum(), (~positive).sum()
    counts = Counts(
        np.rint(tpr * many), np.rint(fpr * few), np.rint((1 - tpr) * many), np.rint((1 - fpr) * few)
    )
    if by == "youden":
        gain = counts.tp * few - counts.fp * many
    elif by == "fbeta":
        gain = f_beta(counts, beta)
    elif by == "cost":
        gain = -_cost(counts, false_positive, false_negative)
    else:
        raise ValueError(f"by is 'youden', 'fbeta' or 'cost', received {by!r}")
    return float(thresholds[np.argmax(gain)])


def _check_costs(false_positive: float, false_negative: float) -> None:
    if not (false_positive >= 0 and false_negative >= 0):
        raise ValueError(f"costs are at least 0, received {false_positive} and {false_negative}")


def _cost(counts: Counts, false_positive: float, false_negative: float) -> Floats:
    total = counts.tp + counts.fp + counts.fn + counts.tn
    return np.asarray((false_positive * counts.fp + false_negative * counts.fn) / total)
