"""Metrics of how scores rank samples: curves, areas, lift.

The conventions of all functions that take scores, in `calibration` and `thresholds` too:

- `y_true` has shape (n,), or (n, k) with zeros and ones where a sample can have several labels (multi-label).
- `scores`: for two classes shape (n,), higher for class `pos_label`; (n, 1) is taken for it. For more classes shape
  (n, k), a row of probabilities in the order of `labels` (the sorted classes by default); each class is judged against
  the rest. Of a multi-label problem shape (n, k), any numbers.
- A sample is flagged when its score is at or above the threshold (>=). Samples of equal scores are never told apart:
  no value depends on their order.
- `average` is that of `grader.metrics.labels`; 0/0 is 0.
- Errors: ValueError for a wrong truth or argument, `BadPredictions` for wrong scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import sklearn.metrics as engine
from numpy.typing import ArrayLike

from grader.metrics import inputs
from grader.metrics.delong import METHOD, delong_interval
from grader.metrics.estimate import DEFAULT, Estimate, Interval
from grader.metrics.inputs import Bools, Floats, Ints
from grader.metrics.labels import (
    Average,
    check_average,
    mean_over_classes,
    ratio,
)
from grader.metrics.resampling import estimate, weights


class RocCurve(NamedTuple):
    """Points from (0, 0) to (1, 1): three float64 arrays of one length, thresholds falling from infinity."""

    fpr: Floats
    tpr: Floats
    thresholds: Floats


class PrecisionRecallCurve(NamedTuple):
    """Points by rising threshold: float64 arrays; the last point (1, 0) has no threshold."""

    precision: Floats
    recall: Floats
    thresholds: Floats


class LiftCurve(NamedTuple):
    """By falling threshold: the share of all samples that is flagged, and the lift there; float64, one length."""

    flagged: Floats
    lift: Floats


def roc_curve(y_true: ArrayLike, scores: object, *, pos_label: object = 1) -> RocCurve:
    """False and true positive rate at every threshold that changes one of them.

    >>> roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).tpr
    array([0. , 0.5, 0.5, 1. , 1. ])
    """
    positive = inputs.positives(y_true, pos_label)
    found, _ = inputs.binary_scores(scores, len(positive))
    values, ranks = np.unique(found, return_inverse=True)
    fpr, tpr, thresholds = engine.roc_curve(positive, ranks, drop_intermediate=False)
    return RocCurve(fpr, tpr, np.concatenate([[np.inf], values[thresholds[1:].astype(int)]]))


def roc_auc_score(
    y_true: ArrayLike,
    scores: object,
    *,
    average: Average = "binary",
    pos_label: object = 1,
    labels: Sequence[object] | None = None,
    interval: Interval | None = DEFAULT,
) -> Estimate:
    """The area under the ROC curve: how often a positive sample scores above a negative one, ties counting one half.

    The interval of two classes is DeLong's unless the bootstrap is asked for. Hanley and McNeil, The meaning and use of
    the area under a ROC curve (1982).

    >>> print(roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], interval=None))
    AUC 0.750
    """
    delong = average == "binary" and interval is not None and interval.method != "bootstrap"
    resampled = None if delong else interval
    found = _ranked("AUC", engine.roc_auc_score, _area, y_true, scores, average, pos_label, labels, resampled)
    if not delong or interval is None:
        return found
    positive = inputs.positives(y_true, pos_label)
    flat, _ = inputs.binary_scores(scores, len(positive))
    low, high = delong_interval(positive, flat, interval.level)
    return replace(
        found, low=min(low, found.value), high=max(high, found.value), level=interval.level, method=METHOD
    )


def precision_recall_curve(
    y_true: ArrayLike, scores: object, *, pos_label: object = 1
) -> PrecisionRecallCurve:
    """Precision and recall at every threshold, rising, and the point (1, 0).

    >>> precision_recall_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).recall
    array([1. , 1. , 0.5, 0.5, 0. ])
    """
    positive = inputs.positives(y_true, pos_label)
    found, _ = inputs.binary_scores(scores, len(positive))
    values, ranks = np.unique(found, return_inverse=True)
    precision, recall, thresholds = engine.precision_recall_curve(positive, ranks)
    return PrecisionRecallCurve(precision, recall, values[thresholds.astype(int)])


def average_precision_score(
    y_true: ArrayLike,
    scores: object,
    *,
    average: Average = "binary",
    pos_label: object = 1,
    labels: Sequence[object] | None = None,
    interval: Interval | None = DEFAULT,
) -> Estimate:
    """The mean of the precisions at all thresholds, each weighted by the recall gained there; no interpolation.

    Scores without meaning have the share of positive samples.

    >>> round(average_precision_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], interval=None).value, 4)
    0.8333
    """
    return _ranked(
        "average precision",
        engine.average_precision_score,
        _average_precision,
        y_true,
        scores,
        average,
        pos_label,
        labels,
        interval,
    )


def lift_curve(y_true: ArrayLike, scores: object, *, pos_label: object = 1) -> LiftCurve:
    """How many times more positive samples there are among the flagged ones than among all, at every threshold.

    >>> lift_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).lift.round(3)
    array([2.   , 1.   , 1.333, 1.   ])
    """
    positive = inputs.positives(y_true, pos_label)
    found, _ = inputs.binary_scores(scores, len(positive))
    hits, misses = (part[0].cumsum() for part in _Groups(found).counts(positive, _ones(found)))
    return LiftCurve((hits + misses) / len(found), hits / (hits + misses) / positive.mean())


def lift_score(
    y_true: ArrayLike,
    scores: object,
    *,
    fraction: float = 0.1,
    pos_label: object = 1,
    interval: Interval | None = DEFAULT,
) -> Estimate:
    """The lift when the `fraction` of samples with the highest scores is flagged.

    Of samples that tie at the border an equal part each is flagged, so their order does not matter.

    >>> lift_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], fraction=0.5, interval=None).value
    1.0
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction lies above 0 and is at most 1, received {fraction}")

    def lift(hits: Floats, misses: Floats) -> Floats:
        group = hits + misses
        wanted = fraction * group.sum(axis=1, keepdims=True)
        taken = ratio(np.clip(wanted - (group.cumsum(axis=1) - group), 0, group), group)
        return ratio((taken * hits).sum(axis=1) / wanted[:, 0], hits.sum(axis=1) / group.sum(axis=1))

    positive = inputs.positives(y_true, pos_label)
    found, notes = inputs.binary_scores(scores, len(positive))
    groups = _Groups(found)

    def draws(how: Interval) -> Floats:
        batches = weights(positive.astype(np.int64), how)
        return np.concatenate([lift(*groups.counts(positive, drawn)) for drawn in batches])

    value = float(lift(*groups.counts(positive, _ones(found)))[0])
    return estimate(f"lift at {fraction:g}", value, draws, interval, notes)


def roc_band(
    y_true: ArrayLike,
    scores: object,
    *,
    grid: Floats,
    pos_label: object = 1,
    interval: Interval = DEFAULT,
) -> tuple[Floats, Floats]:
    """The pointwise interval of the true positive rate, by the stratified bootstrap.

    Resampled curves are averaged vertically: Fawcett, An introduction to ROC analysis (2006), section 7.

    Args:
        grid: false positive rates, shape (g,).

    Returns:
        Lower and upper bounds, float64 of shape (g,).
    """
    positive = inputs.positives(y_true, pos_label)
    found, _ = inputs.binary_scores(scores, len(positive))
    groups = _Groups(found)
    many, few = positive.sum(), (~positive).sum()
    curves = []
    for drawn in weights(positive.astype(np.int64), interval):
        hits, alarms = (part.cumsum(axis=1) for part in groups.counts(positive, drawn))
        start = np.zeros((len(drawn), 1))
        rates = zip(np.hstack([start, alarms / few]), np.hstack([start, hits / many]), strict=True)
        curves += [np.interp(grid, fpr, tpr) for fpr, tpr in rates]
    tail = (1 - interval.level) / 2
    low, high = np.quantile(curves, [tail, 1 - tail], axis=0)
    return low, high


def _ranks(scores: Floats) -> Ints:
    """Ranks in the place of scores, so that no difference of two scores can overflow."""
    return np.asarray(np.unique(scores, return_inverse=True)[1], dtype=np.int64)


def _ones(scores: Floats) -> Floats:
    return np.ones((1, len(scores)))


class _Groups:
    """Samples of equal scores, the highest first."""

    def __init__(self, scores: Floats) -> None:
        self._order = np.argsort(-scores, kind="stable")
        ranked = scores[self._order]
        self._starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))

    def counts(self, positive: Bools, drawn: Floats) -> tuple[Floats, Floats]:
        """Positive and negative samples of each group: shapes (b, groups), from weights of shape (b, n)."""
        ranked = drawn[:, self._order]
        hits = ranked * positive[self._order]
        misses = ranked - hits
        if len(self._starts) == len(self._order):
            return hits, misses
        return np.add.reduceat(hits, self._starts, axis=1), np.add.reduceat(misses, self._starts, axis=1)


def _area(hits: Floats, misses: Floats) -> Floats:
    """AUC of shape (b,), from groups of shape (b, g); NaN where a class is missing."""
    below = misses.sum(axis=1, keepdims=True) - misses.cumsum(axis=1) + misses / 2
    return _or_nan((hits * below).sum(axis=1), hits.sum(axis=1) * misses.sum(axis=1))


def _average_precision(hits: Floats, misses: Floats) -> Floats:
    """Average precision of shape (b,), from groups of shape (b, g); NaN where no sample is positive."""
    found = hits.cumsum(axis=1)
    return _or_nan((hits * ratio(found, found + misses.cumsum(axis=1))).sum(axis=1), hits.sum(axis=1))


def _or_nan(numerator: Floats, denominator: Floats) -> Floats:
    return np.where(denominator == 0, np.nan, ratio(numerator, denominator))


def _ranked(
    name: str,
    one: Callable[..., float],
    resampled: Callable[[Floats, Floats], Floats],
    y_true: ArrayLike,
    scores: object,
    average: Average,
    pos_label: object,
    labels: Sequence[object] | None,
    interval: Interval | None,
) -> Estimate:
    """A metric of one class against the rest, for one class or averaged over all columns.

    Args:
        one: scikit-learn's function of the truth and the scores of one column.
        resampled: the same for groups of equal scores in many resamples.
    """
    check_average(average)
    if np.ndim(y_true) == 2:
        if average == "binary":
            raise ValueError("y_true has several labels a sample: say average='macro' or average='weighted'")
        truth = inputs.indicator(y_true)
        columns, notes = inputs.score_columns(scores, (truth.shape[0], truth.shape[1]), distribution=False)
        # Label sets are too many to be strata.
        strata = np.zeros(len(truth), dtype=np.int64)
    elif average == "binary":
        strata = inputs.positives(y_true, pos_label).astype(np.int64)
        truth = strata.astype(bool)[:, None]
        flat, notes = inputs.binary_scores(scores, len(truth))
        columns = flat[:, None]
    else:
        strata, classes = inputs.class_labels(y_true, labels)
        truth = strata[:, None] == np.arange(len(classes))
        columns, notes = inputs.score_columns(scores, (len(strata), len(classes)), distribution=True)
        if not truth.any(axis=0).all():
            raise ValueError("labels names a class that y_true does not hold: nothing ranks against it")
    pairs = list(zip(truth.T, columns.T, strict=True))
    values = np.array([min(one(positive, _ranks(column)), 1.0) for positive, column in pairs])
    groups = [(positive, _Groups(column)) for positive, column in pairs]

    def draws(how: Interval) -> Floats:
        found = []
        for drawn in weights(strata, how):
            each = np.stack([resampled(*group.counts(positive, drawn)) for positive, group in groups], axis=1)
            found.append(mean_over_classes(each, drawn @ truth.astype(float), average))
        return np.concatenate(found)

    title = name if average == "binary" else f"{average} {name}"
    value = float(mean_over_classes(values, truth.sum(axis=0), average))
    return estimate(title, value, draws, interval, notes)
