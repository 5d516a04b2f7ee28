"""Metrics of predicted labels: two classes, several classes, several labels a sample.

The conventions of all functions here:

- `y_true` has shape (n,), or (n, k) with zeros and ones where a sample can have several labels (multi-label). `y_pred`
  has the same shape; (n, 1) is taken for (n,).
- `average="binary"`: the metric of class `pos_label`. "macro": the mean over classes, each against the rest;
  "weighted": the mean by the classes' numbers of true samples.
- `labels`: the classes, where they are not the sorted ones of `y_true`.
- 0/0 is 0.
- Errors: ValueError for a wrong truth or argument, `BadPredictions` for wrong predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import sklearn.metrics as engine
from numpy.typing import ArrayLike, NDArray

from grader.metrics import inputs
from grader.metrics.estimate import DEFAULT, Estimate, Interval
from grader.metrics.inputs import Floats, Ints
from grader.metrics.resampling import estimate, resampled_rows, weights

Average = Literal["binary", "macro", "weighted"]


class Counts(NamedTuple):
    """True positives, false positives, false negatives, true negatives: arrays of one shape."""

    tp: NDArray[Any]
    fp: NDArray[Any]
    fn: NDArray[Any]
    tn: NDArray[Any]


def confusion_matrix(y_true: ArrayLike, y_pred: object, *, labels: Sequence[object] | None = None) -> Ints:
    """How many samples of each class were given each label.

    Args:
        y_true: true labels, shape (n,).
        y_pred: predicted labels, shape (n,).

    Returns:
        int64 of shape (k, k): rows are true classes, columns predicted ones, both in the order of `labels`.

    >>> confusion_matrix([0, 0, 0, 1], [0, 0, 1, 1])
    array([[2, 1],
           [0, 1]])
    """
    truth, classes = inputs.class_labels(y_true, labels)
    predicted = inputs.predicted_labels(y_pred, len(truth), classes)
    found = engine.confusion_matrix(truth, predicted, labels=np.arange(len(classes)))
    return np.asarray(found, dtype=np.int64)


def multilabel_confusion_matrix(y_true: ArrayLike, y_pred: object) -> Ints:
    """The confusion matrix of each label of a multi-label problem.

    Args:
        y_true: zeros and ones, shape (n, k).
        y_pred: zeros and ones, shape (n, k).

    Returns:
        int64 of shape (k, 2, 2): rows true, columns predicted, absent before present.

    >>> multilabel_confusion_matrix([[1, 0], [1, 1], [0, 1]], [[1, 1], [0, 1], [0, 1]])
    array([[[1, 0],
            [1, 1]],
    <BLANKLINE>
           [[0, 1],
            [0, 2]]])
    """
    truth = inputs.indicator(y_true)
    predicted = inputs.predicted_indicator(y_pred, truth.shape)
    found = engine.multilabel_confusion_matrix(truth.astype(int), predicted.astype(int))
    return np.asarray(found, dtype=np.int64)


def accuracy_score(
    y_true: ArrayLike,
    y_pred: object,
    *,
    labels: Sequence[object] | None = None,
    interval: Interval | None = DEFAULT,
) -> Estimate:
    """The share of samples whose label is right; of a multi-label problem, whose labels are all right.

    >>> accuracy_score([0, 0, 0, 1], [0, 0, 1, 1], interval=None).value
    0.75
    """
    if np.ndim(y_true) == 2:
        truth = inputs.indicator(y_true)
        right = (truth == inputs.predicted_indicator(y_pred, truth.shape)).all(axis=1)
        matrix = np.array([[right.sum(), (~right).sum()]])
    else:
        matrix = confusion_matrix(y_true, y_pred, labels=labels)
    return of_matrix("accuracy", _accuracy, matrix, interval)


def balanced_accuracy_score(
    y_true: ArrayLike,
    y_pred: object,
    *,
    labels: Sequence[object] | None = None,
    interval: Interval | None = DEFAULT,
) -> Estimate:
    """The mean of the recalls of all classes that `y_true` holds.

    >>> balanced_accuracy_score([0, 0, 0, 1], [0, 0, 0, 0], interval=None).value
    0.5
    """
    matrix = confusion_matrix(y_true, y_pred, labels=labels)
    return of_matrix("balanced accuracy", _balanced_accuracy, matrix, interval)


def matthews_corrcoef(
    y_true: ArrayLike,
    y_pred: object,
    *,
    labels: Sequence[object] | None = None,
    interval: Interval | None = DEFAULT,
) -> Estimate:
    """Matthews' correlation coefficient, from -1 to 1; 0 where all samples get one label.

    Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient (2004).

    >>> round(matthews_corrcoef([0, 0, 0, 1], [0, 0, 1, 1], interval=None).value, 4)
    0.5774
    """
    return of_matrix("MCC", _matthews, confusion_matrix(y_true, y_pred, labels=labels), interval)


def cohen_kappa_score(
    y_true: ArrayLike,
    y_pred: object,
    *,
    labels: Sequence[object] | None = None,
    interval: Interval | None = DEFAULT,
) -> Estimate:
    """Cohen's kappa: how far agreement exceeds that of chance, at most 1.

    Cohen, A coefficient of agreement for nominal scales (1960).

    >>> cohen_kappa_score([0, 0, 0, 1], [0, 0, 1, 1], interval=None).value
    0.5
    """
    return of_matrix("Cohen's kappa", _kappa, confusion_matrix(y_true, y_pred, labels=labels), interval)


def precision_score(
    y_true: ArrayLike,
    y_pred: object,
    *,
    average: Average = "binary",
    pos_label: object = 1,
    labels: Sequence[object] | None = None,
    interval: Interval | None = DEFAULT,
) -> Estimate:
    """tp / (tp + fp): the share of flagged samples that are positive; 0 where none is flagged.

    >>> precision_score([0, 0, 0, 1], [0, 0, 1, 1], interval=None).value
    0.5
    """
    return _averaged("precision", _precision, y_true, y_pred, average, pos_label, labels, interval)


def recall_score(
    y_true: ArrayLike,
    y_pred: object,
    *,
    average: Average = "binary",
    pos_label: object = 1,
    labels: Sequence[object] | None = None,
    interval: Interval | None = DEFAULT,
) -> Estimate:
    """tp / (tp + fn), also called sensitivity: the share of positive samples that are flagged.

    >>> recall_score([0, 1, 1, 1], [0, 0, 1, 1], pos_label=0, interval=None).value
    1.0
    """
    return _averaged("recall", _recall, y_true, y_pred, average, pos_label, labels, interval)


def specificity_score(
    y_true: ArrayLike,
    y_pred: object,
    *,
    average: Average = "binary",
    pos_label: object = 1,
    labels: Sequence[object] | None = None,
    interval: Interval | None = DEFAULT,
) -> Estimate:
    """tn / (tn + fp): the share of negative samples that are not flagged.

    >>> round(specificity_score([0, 0, 0, 1], [0, 0, 1, 1], interval=None).value, 4)
    0.6667
    """
    return _averaged("specificity", _specificity, y_true, y_pred, average, pos_label, labels, interval)


def fbeta_score(
    y_true: ArrayLike,
    y_pred: object,
    *,
    beta: float = 1.0,
    average: Average = "binary",
    pos_label: object = 1,
    labels: Sequence[object] | None = None,
    interval: Interval | None = DEFAULT,
) -> Estimate:
    """The weighted harmonic mean of precision and recall; recall counts `beta` times as much. F1 by default.

    (1 + beta²) tp / ((1 + beta²) tp + fp + beta² fn): van Rijsbergen, Information Retrieval (1979), chapter 7.

    >>> round(fbeta_score([0, 0, 0, 1], [0, 0, 1, 1], beta=2, interval=None).value, 4)
    0.8333
    """

    def formula(counts: Counts) -> Floats:
        return f_beta(counts, beta)

    return _averaged(f"F{beta:g}", formula, y_true, y_pred, average, pos_label, labels, interval)


def of_matrix(
    name: str, formula: Callable[[Ints], Floats], matrix: Ints, interval: Interval | None
) -> Estimate:
    """A metric of a confusion matrix, with an interval by resampling its rows.

    Args:
        formula: from matrices of shape (..., k, m) to values of shape (...).
        matrix: shape (k, m), a stratum a row.
    """

    def draws(how: Interval) -> Floats:
        return formula(resampled_rows(matrix, how))

    return estimate(name, float(formula(matrix)), draws, interval)


def ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> Floats:
    """Elementwise, float64; 0 where the denominator is 0."""
    zero = np.equal(denominator, 0)
    return np.asarray(np.where(zero, 0.0, numerator / np.where(zero, 1, denominator)))


def f_beta(counts: Counts, beta: float) -> Floats:
    """F-beta, elementwise; a `beta` that is not above 0 is a ValueError."""
    if not beta > 0:
        raise ValueError(f"beta is above 0, received {beta}")
    hits = (1 + beta**2) * counts.tp
    return ratio(hits, hits + counts.fp + beta**2 * counts.fn)


def mean_over_classes(values: Floats, support: NDArray[Any], average: Average) -> Floats:
    """Means over the last axis, plain or weighted by `support`, for values and support of shape (..., k)."""
    if average == "macro":
        return np.asarray(values.mean(axis=-1))
    return ratio((values * support).sum(axis=-1), support.sum(axis=-1))


def check_average(average: Average) -> None:
    """Refuse an unknown one with a ValueError."""
    if average not in ("binary", "macro", "weighted"):
        raise ValueError(f"average is 'binary', 'macro' or 'weighted', received {average!r}")


def _averaged(
    name: str,
    formula: Callable[[Counts], Floats],
    y_true: ArrayLike,
    y_pred: object,
    average: Average,
    pos_label: object,
    labels: Sequence[object] | None,
    interval: Interval | None,
) -> Estimate:
    check_average(average)
    title = name if average == "binary" else f"{average} {name}"
    if np.ndim(y_true) == 2:
        if average == "binary":
            raise ValueError("y_true has several labels a sample: say average='macro' or average='weighted'")
        return _multilabel(title, formula, y_true, y_pred, average, interval)
    if average == "binary":
        inputs.positives(y_true, pos_label)
    matrix = confusion_matrix(y_true, y_pred, labels=labels)
    chosen = (
        inputs.position(inputs.class_labels(y_true, labels)[1], pos_label) if average == "binary" else None
    )

    def metric(matrices: Ints) -> Floats:
        counts = one_vs_rest(matrices)
        values = formula(counts)
        if chosen is not None:
            return np.asarray(values[..., chosen])
        return mean_over_classes(values, counts.tp + counts.fn, average)

    return of_matrix(title, metric, matrix, interval)


def _multilabel(
    name: str,
    formula: Callable[[Counts], Floats],
    y_true: ArrayLike,
    y_pred: object,
    average: Average,
    interval: Interval | None,
) -> Estimate:
    truth = inputs.indicator(y_true)
    predicted = inputs.predicted_indicator(y_pred, truth.shape)
    found = multilabel_confusion_matrix(y_true, y_pred)
    cells = [truth & predicted, ~truth & predicted, truth & ~predicted, ~truth & ~predicted]

    def metric(counts: Counts) -> Floats:
        return mean_over_classes(formula(counts), counts.tp + counts.fn, average)

    def draws(how: Interval) -> Floats:
        # Samples are drawn whole, from one stratum: label sets are too many to be strata.
        batches = weights(np.zeros(len(truth), dtype=np.int64), how)
        return np.concatenate(
            [metric(Counts(*(drawn @ cell.astype(float) for cell in cells))) for drawn in batches]
        )

    point = metric(Counts(found[:, 1, 1], found[:, 0, 1], found[:, 1, 0], found[:, 0, 0]))
    return estimate(name, float(point), draws, interval)


def one_vs_rest(matrices: Ints) -> Counts:
    """Each class against the rest: counts of shape (..., k), from confusion matrices of shape (..., k, k)."""
    tp = np.diagonal(matrices, axis1=-2, axis2=-1)
    fp, fn = matrices.sum(axis=-2) - tp, matrices.sum(axis=-1) - tp
    return Counts(tp, fp, fn, matrices.sum(axis=(-2, -1))[..., None] - tp - fp - fn)


def _precision(counts: Counts) -> Floats:
    return ratio(counts.tp, counts.tp + counts.fp)


def _recall(counts: Counts) -> Floats:
    return ratio(counts.tp, counts.tp + counts.fn)


def _specificity(counts: Counts) -> Floats:
    return ratio(counts.tn, counts.tn + counts.fp)


def _accuracy(matrices: Ints) -> Floats:
    return np.asarray(matrices.diagonal(axis1=-2, axis2=-1).sum(-1) / matrices.sum(axis=(-2, -1)))


def _balanced_accuracy(matrices: Ints) -> Floats:
    present = matrices.sum(axis=-1) > 0
    return ratio(_recall(one_vs_rest(matrices)).sum(axis=-1), present.sum(axis=-1))


def _matthews(matrices: Ints) -> Floats:
    cells = matrices.astype(float)
    right, total = cells.diagonal(axis1=-2, axis2=-1).sum(-1), cells.sum(axis=(-2, -1))
    true, predicted = cells.sum(axis=-1), cells.sum(axis=-2)
    spread = (total**2 - (true**2).sum(-1)) * (total**2 - (predicted**2).sum(-1))
    return ratio(right * total - (true * predicted).sum(-1), np.sqrt(spread))


def _kappa(matrices: Ints) -> Floats:
    cells = matrices.astype(float)
    total = cells.sum(axis=(-2, -1))
    chance = (cells.sum(axis=-1) * cells.sum(axis=-2)).sum(-1) / total**2
    return ratio(_accuracy(matrices) - chance, 1 - chance)
