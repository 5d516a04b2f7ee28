"""What is wrong with predictions is said, as the student's fault; a wrong truth is the author's."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dlquiz.testing.judging import judge
from dlquiz.testing.student import StudentError, student_error
from dlquiz.testing.verdict import Verdict
from grader import metrics
from grader.metrics import BadPredictions

TRUE = np.array([0, 1, 0, 1, 0, 1])
GOOD = np.array([0.1, 0.8, 0.3, 0.6, 0.2, 0.9])
CLASSES = np.array([0, 1, 2, 0, 1, 2])
ROWS = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]] * 2)
MANY = np.array([[0, 1], [1, 0], [1, 1], [0, 0]])


def changed(array, index, value):
    found = np.array(array, dtype=float)
    found[index] = value
    return found


def auc(scores):
    return metrics.roc_auc_score(TRUE, scores)


def brier(scores):
    return metrics.brier_score_loss(TRUE, scores)


def macro(scores):
    return metrics.roc_auc_score(CLASSES, scores, average="macro")


def recall(labels):
    return metrics.recall_score(TRUE, labels)


def many(labels):
    return metrics.recall_score(MANY, labels, average="macro")


WRONG = [
    (auc, None, "scores: expected an array, received None; is a return missing?"),
    (auc, {}, "scores: expected an array of numbers, received one of Python objects (dtype object); "
     "rows of unequal length or a None among the values make one"),
    (auc, [0.1, None, 0.3, 0.4, 0.5, 0.6], "scores: expected an array of numbers, received one of Python objects "
     "(dtype object); rows of unequal length or a None among the values make one"),
    (auc, [[0.1], [0.2, 0.3]], "scores: expected an array, received list"),
    (auc, ["0.1"] * 6, "scores: expected numbers, received text (dtype <U3)"),
    (auc, [b"1"] * 6, "scores: expected numbers, received bytes (dtype |S1)"),
    (auc, GOOD * 1j, "scores: expected numbers, received complex numbers (dtype complex128)"),
    (auc, GOOD[:4], "scores: expected 6, one score a sample, received 4"),
    (auc, 0.5, "scores: expected shape (6,), received ()"),
    (auc, GOOD.reshape(2, 3), "scores: expected shape (6,), received (2, 3)"),
    (auc, np.stack([1 - GOOD, GOOD], axis=1), "scores: expected shape (6,), received (6, 2); of two columns, return "
     "the positive class's"),
    (auc, changed(GOOD, [2, 4], math.nan), "scores: 2 of 6 are NaN, the first at [2]"),
    (auc, changed(GOOD, 5, -math.inf), "scores: 1 of 6 are infinite, the first at [5]"),
    (brier, changed(GOOD, [0, 1], [-0.25, 1.5]), "scores: expected probabilities, between 0 and 1, and 2 of 6 are not: "
     "-0.25, 1.5"),
    (brier, 10 + np.arange(6), "scores: expected probabilities, between 0 and 1, and 6 of 6 are not: 10.0, 11.0, 12.0, "
     "..."),
    (macro, ROWS[:, :2], "scores: expected shape (6, 3), received (6, 2)"),
    (macro, CLASSES, "scores: expected shape (6, 3), received (6,)"),
    (macro, changed(ROWS, (4, 1), math.nan), "scores: 1 of 18 are NaN, the first at [4, 1]"),
    (macro, changed(ROWS, (3, 0), 0.7), "scores: each row should sum to 1, and 1 of 6 do not; row 3 sums to 0.9"),
    (macro, changed(ROWS, (3, slice(None)), [1.2, -0.1, -0.1]), "scores: expected probabilities, between 0 and 1, and "
     "3 of 18 are not: 1.2, -0.1"),
    (recall, None, "labels: expected an array, received None; is a return missing?"),
    (recall, GOOD, "labels: expected whole numbers, received 0.1, 0.8, 0.3, ...; turn scores into labels first"),
    (recall, changed(TRUE, 1, math.nan), "labels: 1 of 6 are NaN, the first at [1]"),
    (recall, [0, 1, 0, 1, 7, 7], "labels: 2 of 6 are no classes of this problem: 7"),
    (recall, [0, 1, 0, 1, 0, -1], "labels: 1 of 6 is no class of this problem: -1"),
    (recall, ["cat"] * 6, "labels: expected numbers, received text (dtype <U3)"),
    (recall, TRUE[:5], "labels: expected 6, one label a sample, received 5"),
    (recall, np.eye(2)[TRUE], "labels: expected shape (6,), received (6, 2); of two columns, return the positive "
     "class's"),
    (many, MANY[:, :1], "labels: expected shape (4, 2), received (4, 1)"),
    (many, MANY * 2, "labels: expected only 0 and 1, received 2"),
    (many, MANY / 2, "labels: expected only 0 and 1, received 0.5"),
]  # fmt: skip


@pytest.mark.parametrize(("metric", "predictions", "message"), WRONG)
def test_wrong_predictions_are_told_and_judged_failed(metric, predictions, message):
    with pytest.raises(BadPredictions) as caught:
        metric(predictions)
    assert str(caught.value) == message
    assert isinstance(caught.value, AssertionError)
    found = judge(caught.value, asked=True)
    assert (found.verdict, found.message) == (Verdict.FAILED, message)


@pytest.mark.parametrize(
    "scores",
    [
        GOOD[:, None],
        GOOD.tolist(),
        tuple(GOOD),
        GOOD.astype("float16"),
        (10 * GOOD).astype("uint8"),
        100 * GOOD - 50,
    ],
)
def test_columns_lists_and_every_kind_of_number_are_scores(scores):
    assert auc(scores).value == 1


@pytest.mark.parametrize("labels", [TRUE[:, None], TRUE.tolist(), TRUE.astype(bool), TRUE.astype("float32")])
def test_columns_lists_bools_and_whole_floats_are_labels(labels):
    assert recall(labels).value == 1


def test_text_labels_are_for_text_truth():
    true = ["cat", "dog", "dog"]
    assert metrics.accuracy_score(true, np.array(true)).value == 1
    with pytest.raises(BadPredictions, match="expected text"):
        metrics.accuracy_score(true, [0, 1, 1])
    with pytest.raises(BadPredictions, match="1 of 3 is no class of this problem: 'cow'"):
        metrics.accuracy_score(true, ["cat", "cow", "dog"])


def test_half_precision_rows_sum_closely_enough():
    assert macro(ROWS.astype("float16")).value == 1
    assert macro(changed(ROWS, (0, 0), 0.8009)).value == 1
    with pytest.raises(BadPredictions, match="should sum to 1"):
        macro(changed(ROWS, (0, 0), 0.8011))


def test_several_labels_need_no_probabilities():
    assert metrics.roc_auc_score(MANY, 5 * MANY - 3, average="macro", interval=None).value == 1


def test_constant_scores_and_labels_in_the_place_of_scores_are_scored_and_told():
    same, labels = auc([0.4] * 6), auc(TRUE)
    assert (same.value, same.notes) == (
        0.5,
        ("every sample has the same score, so none is told from another",),
    )
    assert (labels.value, labels.notes) == (1.0, ("all scores are 0 or 1: labels rather than scores",))
    assert auc(GOOD).notes == ()
    for metric in (
        brier,
        metrics.average_precision_score,
        metrics.lift_score,
        metrics.expected_calibration_error,
    ):
        found = metric(TRUE) if metric is brier else metric(TRUE, TRUE)
        assert found.notes == labels.notes
    assert metrics.cost_loss(TRUE, TRUE, threshold=0.5).notes == labels.notes
    assert macro(np.full((6, 3), 1 / 3)).notes == same.notes


@pytest.mark.parametrize(
    ("true", "message"),
    [
        ([0, 0, 0], "one class only"),
        ([], r"shape \(n,\), n > 0, received shape \(0,\)"),
        ([[[0]], [[1]]], r"received shape \(2, 1, 1\)"),
        ([0.5, 1.0, 0.0], "bools, integers or text, received float64"),
        ([0.0, math.nan, 1.0], "bools, integers or text, received float64"),
        ([None, 1, 0], "bools, integers or text, received object"),
        ([-1, 1, 0], "3 classes"),
        ([-1, 1, -1], None),
        ([1, 2, 1], None),
        ([-1, -2, -1], "pos_label 1 is none of the classes"),
        ([[0, 1], [0, 1], [0, 1]], "label a column|several labels"),
    ],
)
def test_a_wrong_truth_is_the_authors_error(true, message):
    scores = [0.1, 0.9, 0.2]
    if message is None:
        metrics.roc_auc_score(true, scores, interval=None)
        return
    with pytest.raises(ValueError, match=message):
        metrics.roc_auc_score(true, scores, interval=None)


@pytest.mark.parametrize(
    ("true", "message"),
    [
        ([[0, 1], [0, 0]], "one class only in column 0"),
        ([[0, 1], [1, 1]], "one class only in column 1"),
        ([[0, 2], [1, 0]], "zeros and ones"),
        ([["a", "b"], ["b", "a"]], "zeros and ones"),
        (np.zeros((0, 2)), "zeros and ones"),
    ],
)
def test_a_wrong_truth_of_several_labels_is_the_authors_error(true, message):
    for metric in (metrics.recall_score, metrics.roc_auc_score):
        with pytest.raises(ValueError, match=message):
            metric(true, np.eye(2), average="macro")
    with pytest.raises(ValueError, match=message):
        metrics.multilabel_confusion_matrix(true, np.eye(2))


def test_an_error_of_the_students_code_stays_what_it_is():
    class Handle:
        def __array__(self, dtype=None, copy=None):
            raise student_error("ValueError", ["ValueError"], "no such layer", "")

    with pytest.raises(StudentError, match="no such layer"):
        auc(Handle())


def test_no_message_holds_a_true_label():
    secret = np.array([4711, 815, 4711, 815, 4711, 815])
    for labels in ([1] * 6, GOOD, ["a"] * 6, None, [4712] * 6, changed(TRUE, 0, math.nan)):
        with pytest.raises(BadPredictions) as caught:
            metrics.accuracy_score(secret, labels)
        assert "4711" not in str(caught.value)
        assert "815" not in str(caught.value)
