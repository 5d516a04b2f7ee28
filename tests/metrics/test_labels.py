"""Metrics of labels agree with scikit-learn and with numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import metrics

AVERAGED = {
    "precision": (metrics.precision_score, oracle.precision_score),
    "recall": (metrics.recall_score, oracle.recall_score),
    "f1": (metrics.fbeta_score, oracle.f1_score),
}
PLAIN = {
    "accuracy": (metrics.accuracy_score, oracle.accuracy_score),
    "balanced": (metrics.balanced_accuracy_score, oracle.balanced_accuracy_score),
    "mcc": (metrics.matthews_corrcoef, oracle.matthews_corrcoef),
    "kappa": (metrics.cohen_kappa_score, oracle.cohen_kappa_score),
}
# Three of class 0 (2 right, 1 taken for 1), five of class 1 (3 right, 2 taken for 0).
TRUE = [0, 0, 0, 1, 1, 1, 1, 1]
PREDICTED = [0, 0, 1, 1, 1, 1, 0, 0]


def value(metric, *args, **options) -> float:
    return metric(*args, interval=None, **options).value


@st.composite
def labelled(draw, classes=3, least=2):
    """True labels that hold every class, and any predicted ones."""
    rest = draw(st.lists(st.integers(0, classes - 1), max_size=30))
    true = draw(st.permutations([*range(classes), *rest]))
    size = {"min_size": len(true), "max_size": len(true)}
    return true, draw(st.lists(st.integers(0, classes - 1), **size))


@st.composite
def indicators(draw):
    """True and predicted labels of shape (n, 3); in the truth each label is sometimes there and sometimes not."""
    rows = st.lists(st.tuples(*[st.booleans()] * 3), max_size=20)
    true = np.array([(0, 0, 0), (1, 1, 1), *draw(rows)], dtype=int)
    size = {"min_size": len(true), "max_size": len(true)}
    return true, np.array(draw(st.lists(st.tuples(*[st.integers(0, 1)] * 3), **size)))


def test_rows_of_the_confusion_matrix_are_true_classes():
    np.testing.assert_array_equal(metrics.confusion_matrix(TRUE, PREDICTED), [[2, 1], [2, 3]])
    assert metrics.confusion_matrix(TRUE, PREDICTED).dtype == np.int64


def test_classes_stand_in_the_order_of_labels():
    found = metrics.confusion_matrix(TRUE, PREDICTED, labels=[1, 0, 7])
    np.testing.assert_array_equal(found, [[3, 2, 0], [1, 2, 0], [0, 0, 0]])


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (metrics.accuracy_score, 5 / 8),
        (metrics.balanced_accuracy_score, (2 / 3 + 3 / 5) / 2),
        (metrics.precision_score, 3 / 4),
        (metrics.recall_score, 3 / 5),
        (metrics.specificity_score, 2 / 3),
        (metrics.fbeta_score, 2 / (4 / 3 + 5 / 3)),
        (metrics.matthews_corrcoef, (3 * 2 - 1 * 2) / np.sqrt(4 * 5 * 3 * 4)),
        (metrics.cohen_kappa_score, (5 / 8 - 1 / 2) / (1 - 1 / 2)),
    ],
)
def test_two_classes_by_hand(metric, expected):
    assert value(metric, TRUE, PREDICTED) == pytest.approx(expected, abs=1e-12)


def test_beta_above_one_favours_recall():
    # precision 3/4, recall 3/5
    expected = (1 + 4) * 3 / 4 * 3 / 5 / (4 * 3 / 4 + 3 / 5)
    assert value(metrics.fbeta_score, TRUE, PREDICTED, beta=2) == pytest.approx(expected, abs=1e-12)


def test_the_positive_label_can_be_named():
    assert value(metrics.precision_score, TRUE, PREDICTED, pos_label=0) == 2 / 4
    assert value(metrics.recall_score, TRUE, PREDICTED, pos_label=0) == 2 / 3
    names = (
        ["sick" if label else "well" for label in TRUE],
        ["sick" if label else "well" for label in PREDICTED],
    )
    assert value(metrics.precision_score, *names, pos_label="sick") == 3 / 4


def test_macro_and_weighted_by_hand():
    # recalls 2/3 of three samples, 3/5 of five
    assert value(metrics.recall_score, TRUE, PREDICTED, average="macro") == pytest.approx(19 / 30, abs=1e-12)
    assert value(metrics.recall_score, TRUE, PREDICTED, average="weighted") == pytest.approx(5 / 8, abs=1e-12)
    found = value(metrics.specificity_score, TRUE, PREDICTED, average="weighted")
    assert found == pytest.approx((3 * 3 / 5 + 5 * 2 / 3) / 8, abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(labelled())
def test_several_classes_agree_with_scikit_learn(labels):
    true, predicted = labels
    np.testing.assert_array_equal(
        metrics.confusion_matrix(true, predicted), oracle.confusion_matrix(true, predicted, labels=[0, 1, 2])
    )
    for metric, expected in PLAIN.values():
        assert value(metric, true, predicted) == pytest.approx(expected(true, predicted), abs=1e-9)
    for average in ("macro", "weighted"):
        for metric, expected in AVERAGED.values():
            wanted = expected(true, predicted, average=average, zero_division=0, labels=[0, 1, 2])
            assert value(metric, true, predicted, average=average) == pytest.approx(wanted, abs=1e-9)
        wanted = oracle.fbeta_score(true, predicted, beta=0.5, average=average, zero_division=0)
        found = value(metrics.fbeta_score, true, predicted, beta=0.5, average=average)
        assert found == pytest.approx(wanted, abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(labelled(classes=2))
def test_two_classes_agree_with_scikit_learn(labels):
    true, predicted = labels
    for metric, expected in PLAIN.values():
        assert value(metric, true, predicted) == pytest.approx(expected(true, predicted), abs=1e-9)
    for metric, expected in AVERAGED.values():
        assert value(metric, true, predicted) == pytest.approx(
            expected(true, predicted, zero_division=0), abs=1e-9
        )
    # Specificity is the recall of the other class.
    wanted = oracle.recall_score(true, predicted, pos_label=0)
    assert value(metrics.specificity_score, true, predicted) == pytest.approx(wanted, abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(indicators())
def test_several_labels_a_sample_agree_with_scikit_learn(labels):
    true, predicted = labels
    np.testing.assert_array_equal(
        metrics.multilabel_confusion_matrix(true, predicted),
        oracle.multilabel_confusion_matrix(true, predicted),
    )
    wanted = oracle.accuracy_score(true, predicted)
    assert value(metrics.accuracy_score, true, predicted) == pytest.approx(wanted, abs=1e-9)
    for average in ("macro", "weighted"):
        for metric, expected in AVERAGED.values():
            wanted = expected(true, predicted, average=average, zero_division=0)
            assert value(metric, true, predicted, average=average) == pytest.approx(wanted, abs=1e-9)


def test_zero_denominators_give_zero():
    nobody = [0] * 8
    for metric in (
        metrics.precision_score,
        metrics.recall_score,
        metrics.fbeta_score,
        metrics.matthews_corrcoef,
    ):
        assert metric(TRUE, nobody).value == 0.0
    # A class that is expected, and neither true nor predicted.
    found = metrics.recall_score(TRUE, PREDICTED, average="macro", labels=[0, 1, 2])
    assert found.value == pytest.approx((2 / 3 + 3 / 5) / 3, abs=1e-12)
    # Balanced accuracy is about the classes that are there.
    found = metrics.balanced_accuracy_score(TRUE, PREDICTED, labels=[0, 1, 2])
    assert found.value == pytest.approx((2 / 3 + 3 / 5) / 2, abs=1e-12)


def test_estimates_are_named_and_read_well():
    found = metrics.precision_score(TRUE, PREDICTED, average="macro", interval=None)
    assert (found.name, found.method, found.level) == ("macro precision", "none", None)
    assert str(found) == "macro precision 0.625"
    assert float(found) == found.value == found.low == found.high
    told = str(metrics.fbeta_score(TRUE, PREDICTED, beta=2, interval=metrics.Interval(level=0.9)))
    assert told.startswith("F2 0.625 (90 % interval 0.")
    assert told.endswith(", stratified bootstrap)")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"average": "micro"}, "'binary', 'macro' or 'weighted', received 'micro'"),
        ({"pos_label": 5}, "pos_label 5 is none of the classes"),
        ({"labels": [0, 2], "average": "macro"}, "which is not in labels"),
        ({"labels": [0, 1, 1], "average": "macro"}, "names a class twice"),
        ({"beta": 0}, "beta is above 0"),
    ],
)
def test_wrong_options_are_the_authors_error(options, message):
    with pytest.raises(ValueError, match=message):
        metrics.fbeta_score(TRUE, PREDICTED, **options)


def test_an_average_must_be_said_where_there_are_several_classes_or_labels():
    with pytest.raises(ValueError, match="3 classes: say average="):
        metrics.recall_score([0, 1, 2], [0, 1, 2])
    with pytest.raises(ValueError, match="several labels a sample: say average="):
        metrics.recall_score([[0, 1], [1, 0]], [[0, 1], [1, 0]])
