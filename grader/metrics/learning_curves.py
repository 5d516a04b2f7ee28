"""What the curves of a training say: underfitting, overfitting, or a good fit.

The rules, for a metric of which the suite's author knows what a good model reaches. A curve's end is the median of its
last three epochs, since a single one is noisy.

1. underfitting: training ends short of `target`.
2. overfitting: otherwise, and validation ends more than `gap` worse than training.
3. good fit: otherwise.

They follow Goodfellow, Bengio and Courville, Deep Learning (2016), section 5.2: a training error that is not low enough
is underfitting, too large a gap between training and validation error is overfitting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from grader.metrics import inputs
from grader.metrics.inputs import Floats

Fit = Literal["underfitting", "overfitting", "good fit"]
_LAST = 3


@dataclass(frozen=True)
class Diagnosis:
    """What the curves say, and from which numbers.

    Attributes:
        fit: by the rules above.
        train, validation: where the curves end.
        best_epoch: the first one with the best validation value, counted from 1 as Keras prints it.
        reason: one line for people.
    """

    fit: Fit
    train: float
    validation: float
    best_epoch: int
    reason: str


def diagnose(
    train: object,
    validation: object,
    *,
    metric: str,
    target: float,
    gap: float,
    higher_is_better: bool,
) -> Diagnosis:
    """Diagnose a training by the rules of this module.

    Args:
        train, validation: the metric after each epoch, shape (epochs,), finite, of one length.
        metric: its name, for people.
        target: the training value that counts as learned.
        gap: by how much validation may end worse than training, at least 0, in the metric's unit.
        higher_is_better: True for an accuracy, False for a loss.

    Raises:
        ValueError: `gap` is below 0.
        BadPredictions: a curve is empty, of another shape than the other one, or not finite.

    >>> rules = {"metric": "accuracy", "target": 0.8, "gap": 0.1, "higher_is_better": True}
    >>> found = diagnose([0.6, 0.9, 0.99], [0.6, 0.7, 0.7], **rules)
    >>> found.fit, found.best_epoch
    ('overfitting', 2)
    >>> found.reason
    'overfitting: accuracy ends at 0.7 in validation, 0.2 worse than the 0.9 of training; at most 0.1 is good'
    """
    if not gap >= 0:
        raise ValueError(f"gap is at least 0, received {gap}")
    train, validation = curves(train, validation)
    sign = 1 if higher_is_better else -1
    ends = float(np.median(train[-_LAST:])), float(np.median(validation[-_LAST:]))
    worse = sign * (ends[0] - ends[1])
    fit: Fit = "good fit"
    reason = f"{metric} ends at {ends[0]:.4g} in training and at {ends[1]:.4g} in validation"
    if sign * (ends[0] - target) < 0:
        fit = "underfitting"
        reason = f"{metric} ends at {ends[0]:.4g} in training, short of {target:g}"
    elif worse > gap:
        fit = "overfitting"
        reason = (
            f"{metric} ends at {ends[1]:.4g} in validation, {worse:.4g} worse than the {ends[0]:.4g} of training; "
            f"at most {gap:g} is good"
        )
    return Diagnosis(fit, *ends, int(np.argmax(sign * validation)) + 1, f"{fit}: {reason}")


def curves(train: object, validation: object) -> tuple[Floats, Floats]:
    """Both curves as float64 of shape (epochs,).

    Raises:
        BadPredictions: as `diagnose`.
    """
    found = inputs.curve(train, "training curve"), inputs.curve(validation, "validation curve")
    if len(found[0]) != len(found[1]):
        raise inputs.BadPredictions(
            f"curves: expected one value an epoch in each, received {len(found[0])} for training "
            f"and {len(found[1])} for validation"
        )
    return found
