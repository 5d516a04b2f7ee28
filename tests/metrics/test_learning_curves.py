"""The rules of the diagnosis, at their bounds."""

from __future__ import annotations

import pytest

from grader.metrics import BadPredictions
from grader.metrics.learning_curves import diagnose

ACCURACY = {"metric": "accuracy", "target": 0.75, "gap": 0.125, "higher_is_better": True}
LOSS = {"metric": "loss", "target": 0.5, "gap": 0.25, "higher_is_better": False}


@pytest.mark.parametrize(
    ("train", "validation", "rules", "fit"),
    [
        ([0.5, 0.75], [0.5, 0.75], ACCURACY, "underfitting"),  # the median of two ends at 0.625
        ([0.75] * 3, [0.625] * 3, ACCURACY, "good fit"),
        ([0.74] * 3, [0.74] * 3, ACCURACY, "underfitting"),
        ([0.74] * 3, [0.10] * 3, ACCURACY, "underfitting"),
        ([0.75] * 3, [0.62] * 3, ACCURACY, "overfitting"),
        ([0.75] * 3, [0.95] * 3, ACCURACY, "good fit"),
        ([0.5] * 3, [0.75] * 3, LOSS, "good fit"),
        ([0.51] * 3, [0.51] * 3, LOSS, "underfitting"),
        ([0.5] * 3, [0.76] * 3, LOSS, "overfitting"),
        ([0.5] * 3, [0.1] * 3, LOSS, "good fit"),
    ],
)
def test_the_fit_follows_the_rules(train, validation, rules, fit):
    found = diagnose(train, validation, **rules)
    assert found.fit == fit
    assert found.reason.startswith(f"{fit}: {rules['metric']} ends at ")


def test_one_noisy_epoch_at_the_end_does_not_decide():
    calm = [0.6, 0.9, 0.9, 0.9]
    assert diagnose(calm, [*calm[:3], 0.1], **ACCURACY).fit == "good fit"
    assert diagnose([*calm[:3], 0.1], calm, **ACCURACY).fit == "good fit"
    found = diagnose([0.1, 0.7, 0.9, 0.8], [0.9, 0.2, 0.1, 0.3], **ACCURACY)
    assert (found.train, found.validation) == (0.8, 0.2)


def test_the_best_epoch_counts_from_one_and_is_the_first_of_equals():
    assert diagnose([0.9] * 4, [0.5, 0.8, 0.8, 0.7], **ACCURACY).best_epoch == 2
    assert diagnose([0.9] * 4, [0.5, 0.4, 0.3, 0.7], **LOSS).best_epoch == 3


@pytest.mark.parametrize(
    ("train", "validation", "message"),
    [
        (
            [0.5, 0.6],
            [0.5],
            "curves: expected one value an epoch in each, received 2 for training and 1 for validation",
        ),
        ([], [], "training curve: expected one value an epoch, shape (epochs,), received (0,)"),
        ([0.5], [[0.5]], "validation curve: expected one value an epoch, shape (epochs,), received (1, 1)"),
        ([0.5, float("nan")], [0.5, 0.5], "training curve: 1 of 2 are NaN, the first at [1]"),
        ([0.5, 0.5], [float("inf"), 0.5], "validation curve: 1 of 2 are infinite, the first at [0]"),
        (None, [0.5], "training curve: expected an array, received None; is a return missing?"),
    ],
)
def test_curves_that_are_none_are_told(train, validation, message):
    with pytest.raises(BadPredictions) as caught:
        diagnose(train, validation, **ACCURACY)
    assert str(caught.value) == message


def test_a_negative_gap_is_the_authors_error():
    with pytest.raises(ValueError, match="gap is at least 0"):
        diagnose([0.5], [0.5], **{**ACCURACY, "gap": -0.1})
