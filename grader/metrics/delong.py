"""DeLong's variance of the AUC, and the interval made of it.

DeLong, DeLong and Clarke-Pearson, Comparing the areas under two or more correlated receiver operating characteristic
curves (1988); in O(n log n) by ranks: Sun and Xu, Fast implementation of DeLong's algorithm (2014).
"""

from __future__ import annotations

import math

from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtri
from scipy.stats import rankdata

from grader.metrics import inputs
from grader.metrics.inputs import Bools, Floats

METHOD = "DeLong, logit scale"


def delong_variance(y_true: ArrayLike, scores: object, *, pos_label: object = 1) -> tuple[float, float]:
    """The AUC and its variance; a pair with equal scores counts one half.

    Args:
        y_true: labels of two classes, shape (n,), at least two samples of each.
        scores: finite, shape (n,) or (n, 1), higher for class `pos_label`.

    Returns:
        The AUC, and the unbiased estimate of its variance.

    Raises:
        ValueError: the truth is wrong, or there are fewer than two samples of a class.
        BadPredictions: the scores are wrong.

    >>> auc, variance = delong_variance([1, 1, 0, 0], [0.8, 0.4, 0.4, 0.1])
    >>> auc, round(variance, 6)
    (0.875, 0.03125)
    """
    positive = inputs.positives(y_true, pos_label)
    return _variance(positive, inputs.binary_scores(scores, len(positive))[0])


def delong_interval(positive: Bools, scores: Floats, level: float) -> tuple[float, float]:
    """A confidence interval of the AUC, within [0, 1].

    It is symmetric on the logit scale, as Pepe, The Statistical Evaluation of Medical Tests (2003), section 5.2.4,
    advises. An AUC of 1 or 0 has no variance: then the bound is that of Clopper and Pearson (1934) for as many right
    (wrong) pairs as there are disjoint ones, which is the size of the smaller class.

    Args:
        positive: which samples are positive, bools of shape (n,).
        scores: finite, float64 of shape (n,).
        level: coverage, between 0 and 1.

    Raises:
        ValueError: there are fewer than two samples of a class.
    """
    auc, variance = _variance(positive, scores)
    tail = (1 - level) / 2
    if auc in (0.0, 1.0):
        pairs = min(int(positive.sum()), int((~positive).sum()))
        bound = tail ** (1 / pairs)
        return (bound, 1.0) if auc == 1 else (0.0, 1 - bound)
    reach = -ndtri(tail) * math.sqrt(variance) / (auc * (1 - auc))
    return float(expit(logit(auc) - reach)), float(expit(logit(auc) + reach))


def _variance(positive: Bools, scores: Floats) -> tuple[float, float]:
    above, below = scores[positive], scores[~positive]
    m, n = len(above), len(below)
    if min(m, n) < 2:
        raise ValueError("DeLong's interval needs at least two samples of each class")
    overall = rankdata(scores)
    # Structural components: the share of the other class that each sample is ranked rightly against.
    of_positives = (overall[positive] - rankdata(above)) / n
    of_negatives = 1 - (overall[~positive] - rankdata(below)) / m
    variance = of_positives.var(ddof=1) / m + of_negatives.var(ddof=1) / n
    return float(of_positives.mean()), float(variance)
