"""Metrics of probabilities: how far they are from what happens.

The conventions are those of `grader.metrics.scores`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import sklearn.metrics as engine
from numpy.typing import ArrayLike

from grader.metrics import inputs
from grader.metrics.estimate import DEFAULT, Estimate, Interval
from grader.metrics.inputs import Floats, Ints
from grader.metrics.resampling import estimate, weights


class CalibrationCurve(NamedTuple):
    """A point for each bin that holds samples: three arrays of one length.

    Attributes:
        observed: the share of positive samples, float64.
        predicted: the mean score, float64.
        counts: the number of samples, int64.
    """

    observed: Floats
    predicted: Floats
    counts: Ints


def brier_score_loss(
    y_true: ArrayLike,
    scores: object,
    *,
    pos_label: object = 1,
    labels: Sequence[object] | None = None,
    interval: Interval | None = DEFAULT,
) -> Estimate:
    """The mean squared error of probabilities. Lower is better.

    For two classes that of the positive class, from 0 to 1. For more the sum over classes, from 0 to 2, as Brier,
    Verification of forecasts expressed in terms of probability (1950), defines it.

    >>> round(brier_score_loss([0, 1, 1], [0.1, 0.9, 0.8], interval=None).value, 4)
    0.02
    """
    codes, classes = inputs.class_labels(y_true, labels)
    if classes.size == 2:
        positive = inputs.positives(y_true, pos_label)
        found, notes = inputs.binary_scores(scores, len(positive), probabilities=True)
        value = float(engine.brier_score_loss(positive, found))
        squares = (found - positive) ** 2
    else:
        rows, notes = inputs.score_columns(scores, (len(codes), len(classes)), distribution=True)
        squares = ((rows - np.eye(len(classes))[codes]) ** 2).sum(axis=1)
        value = float(squares.mean())

    def draws(how: Interval) -> Floats:
        return np.concatenate([drawn @ squares / len(squares) for drawn in weights(codes, how)])

    return estimate("Brier score", value, draws, interval, notes)


def calibration_curve(
    y_true: ArrayLike, scores: object, *, pos_label: object = 1, bins: int = 10
) -> CalibrationCurve:
    """How often samples of about the same probability are positive.

    The bins have equal widths and hold their upper bound, the first one also 0. Empty ones are left out.

    >>> calibration_curve([0, 0, 1, 1], [0.1, 0.3, 0.3, 0.9], bins=2)
    CalibrationCurve(observed=array([0.33333333, 1.        ]), predicted=array([0.23333333, 0.9       ]), \
counts=array([3, 1]))
    """
    positive = inputs.positives(y_true, pos_label)
    found, _ = inputs.binary_scores(scores, len(positive), probabilities=True)
    place = _bins(found, bins)
    counts = np.bincount(place, minlength=bins)
    filled = counts > 0
    observed, predicted = (np.bincount(place, part, bins)[filled] for part in (positive, found))
    return CalibrationCurve(
        observed / counts[filled], predicted / counts[filled], counts[filled].astype(np.int64)
    )


def expected_calibration_error(
    y_true: ArrayLike,
    scores: object,
    *,
    pos_label: object = 1,
    labels: Sequence[object] | None = None,
    bins: int = 10,
    interval: Interval | None = DEFAULT,
) -> Estimate:
    """The mean distance of observed from predicted in the bins of `calibration_curve`, by samples. Lower is better.

    For more than two classes it is that of the top class: its probability against how often it is right. Naeini, Cooper
    and Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning (2015); Guo and others, On
    calibration of modern neural networks (2017). Resampling adds noise to each bin: the interval lies high.

    >>> round(expected_calibration_error([0, 0, 1, 1], [0.1, 0.3, 0.3, 0.9], bins=2, interval=None).value, 4)
    0.1
    """
    codes, classes = inputs.class_labels(y_true, labels)
    if classes.size == 2:
        right = inputs.positives(y_true, pos_label)
        found, notes = inputs.binary_scores(scores, len(right), probabilities=True)
    else:
        rows, notes = inputs.score_columns(scores, (len(codes), len(classes)), distribution=True)
        right, found = rows.argmax(axis=1) == codes, rows.max(axis=1)
    # A sample's row holds its surplus in the column of its bin.
    surplus = np.zeros((len(found), bins))
    surplus[np.arange(len(found)), _bins(found, bins)] = found - right

    def draws(how: Interval) -> Floats:
        return np.concatenate(
            [np.abs(drawn @ surplus).sum(axis=1) / len(found) for drawn in weights(codes, how)]
        )

    value = float(np.abs(surplus.sum(axis=0)).sum() / len(found))
    return estimate("expected calibration error", value, draws, interval, notes)


def _bins(scores: Floats, bins: int) -> Ints:
    if bins < 1:
        raise ValueError(f"bins is at least 1, received {bins}")
    return np.asarray(np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], scores), dtype=np.int64)
