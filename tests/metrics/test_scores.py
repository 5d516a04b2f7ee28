"""Metrics of scores agree with scikit-learn and with numbers worked out by hand, ties included."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from grader import metrics

# By falling score: 0.8 holds one positive, 0.5 one of each, 0.3 one negative and one positive, 0.1 two negatives.
TRUE = [0, 0, 0, 0, 1, 1, 1]
SCORES = [0.1, 0.1, 0.3, 0.5, 0.3, 0.5, 0.8]


def value(metric, *args, **options) -> float:
    return metric(*args, interval=None, **options).value


@st.composite
def scored(draw):
    """True labels of both classes, and scores in [0, 1] that often tie."""
    rest = draw(st.lists(st.integers(0, 1), max_size=30))
    true = draw(st.permutations([0, 1, *rest]))
    some = st.one_of(st.integers(0, 4).map(lambda part: part / 4), st.floats(0, 1))
    return true, draw(st.lists(some, min_size=len(true), max_size=len(true)))


@st.composite
def rows(draw):
    """True labels of three classes, and rows of probabilities that often tie."""
    rest = draw(st.lists(st.integers(0, 2), max_size=20))
    true = draw(st.permutations([0, 1, 2, *rest]))
    parts = st.tuples(*[st.integers(1, 5)] * 3)
    drawn = np.array(draw(st.lists(parts, min_size=len(true), max_size=len(true))), dtype=float)
    return np.array(true), drawn / drawn.sum(axis=1, keepdims=True)


def test_auc_counts_ties_one_half():
    # Pairs of a positive and a negative: 0.8 beats 4; 0.5 beats 3 and ties with 1; 0.3 beats 2 and ties with 1.
    assert value(metrics.roc_auc_score, TRUE, SCORES) == pytest.approx((4 + 3.5 + 2.5) / 12, abs=1e-12)
    assert value(metrics.roc_auc_score, [1, 0], [0.5, 0.5]) == 0.5


def test_average_precision_is_a_sum_of_steps():
    # Thresholds 0.8, 0.5, 0.3: one more of the three positives at each, precisions 1/1, 2/3, 3/5.
    expected = (1 + 2 / 3 + 3 / 5) / 3
    assert value(metrics.average_precision_score, TRUE, SCORES) == pytest.approx(expected, abs=1e-12)


def test_a_score_at_the_threshold_is_flagged():
    curve = metrics.roc_curve(TRUE, SCORES)
    np.testing.assert_array_equal(curve.thresholds, [np.inf, 0.8, 0.5, 0.3, 0.1])
    np.testing.assert_allclose(curve.tpr, [0, 1 / 3, 2 / 3, 1, 1])
    np.testing.assert_allclose(curve.fpr, [0, 0, 1 / 4, 1 / 2, 1])
    # At 0.5: both positives at 0.5 and above are found, and the one at 0.3 is missed; one false alarm.
    options = {"false_positive": 10, "false_negative": 100}
    assert value(metrics.cost_loss, TRUE, SCORES, threshold=0.5, **options) == pytest.approx(110 / 7)
    assert value(metrics.cost_loss, TRUE, SCORES, threshold=0.51, **options) == pytest.approx(200 / 7)


@settings(deadline=None, max_examples=50)
@given(scored())
def test_curves_and_areas_agree_with_scikit_learn(sample):
    true, scores = sample
    for found, wanted in (
        (metrics.roc_curve(true, scores), oracle.roc_curve(true, scores, drop_intermediate=False)),
        (metrics.precision_recall_curve(true, scores), oracle.precision_recall_curve(true, scores)),
    ):
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)
    for metric, expected in (
        (metrics.roc_auc_score, oracle.roc_auc_score),
        (metrics.average_precision_score, oracle.average_precision_score),
        (metrics.brier_score_loss, oracle.brier_score_loss),
    ):
        assert value(metric, true, scores) == pytest.approx(expected(true, scores), abs=1e-9)
    observed, predicted = calibration_curve(true, scores, n_bins=5)
    curve = metrics.calibration_curve(true, scores, bins=5)
    np.testing.assert_allclose(curve.observed, observed, rtol=0, atol=1e-9)
    np.testing.assert_allclose(curve.predicted, predicted, rtol=0, atol=1e-9)
    assert curve.counts.sum() == len(true)


@settings(deadline=None, max_examples=50)
@given(rows())
def test_rows_of_probabilities_agree_with_scikit_learn(sample):
    true, scores = sample
    for average in ("macro", "weighted"):
        wanted = oracle.roc_auc_score(true, scores, multi_class="ovr", average=average)
        assert value(metrics.roc_auc_score, true, scores, average=average) == pytest.approx(wanted, abs=1e-9)
        wanted = oracle.average_precision_score(np.eye(3)[true], scores, average=average)
        found = value(metrics.average_precision_score, true, scores, average=average)
        assert found == pytest.approx(wanted, abs=1e-9)
    wanted = ((scores - np.eye(3)[true]) ** 2).sum(axis=1).mean()
    assert value(metrics.brier_score_loss, true, scores) == pytest.approx(wanted, abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_several_labels_a_sample_agree_with_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    true = np.vstack([[0, 0, 0], [1, 1, 1], rng.integers(0, 2, (15, 3))])
    scores = rng.integers(-3, 4, true.shape) / 2
    for average in ("macro", "weighted"):
        for metric, expected in (
            (metrics.roc_auc_score, oracle.roc_auc_score),
            (metrics.average_precision_score, oracle.average_precision_score),
        ):
            wanted = expected(true, scores, average=average)
            assert value(metric, true, scores, average=average) == pytest.approx(wanted, abs=1e-9)


def test_the_order_of_tied_samples_does_not_matter():
    rng = np.random.default_rng(3)
    true, scores = rng.integers(0, 2, 60), rng.integers(0, 4, 60) / 4
    turned = rng.permutation(60)
    how = metrics.Interval(method="bootstrap", resamples=20)
    for metric in (metrics.roc_auc_score, metrics.average_precision_score, metrics.lift_score):
        found, again = metric(true, scores, interval=how), metric(true[turned], scores[turned], interval=how)
        assert found.value == pytest.approx(again.value, abs=1e-12)
    sort = np.lexsort((true, scores))
    for order in (sort, sort[::-1]):
        assert value(metrics.roc_auc, true[order], scores[order]) == pytest.approx(
            value(metrics.roc_auc, true, scores), abs=1e-12
        )


def test_extreme_scores_are_ranked_like_any_others():
    scores = np.array([-1.7e308, 5e-324, 0.0, 1.7e308])
    assert value(metrics.roc_auc_score, [0, 1, 0, 1], scores) == 1.0
    np.testing.assert_array_equal(
        metrics.roc_curve([0, 1, 0, 1], scores).thresholds[1:], scores[[3, 1, 2, 0]]
    )


def test_the_positive_label_and_the_order_of_classes_can_be_named():
    names = ["sick" if label else "well" for label in TRUE]
    found = value(metrics.roc_auc_score, names, SCORES, pos_label="sick")
    assert found == value(metrics.roc_auc_score, TRUE, SCORES)
    assert value(metrics.roc_auc_score, TRUE, SCORES, pos_label=0) == pytest.approx(1 - found, abs=1e-12)
    table = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.1, 0.7], [0.3, 0.4, 0.3]])
    true = np.array(["a", "b", "c", "c"])
    straight = value(metrics.brier_score_loss, true, table)
    assert value(
        metrics.brier_score_loss, true, table[:, [2, 0, 1]], labels=["c", "a", "b"]
    ) == pytest.approx(straight)
    assert value(metrics.brier_score_loss, true, table[:, [2, 0, 1]]) != pytest.approx(straight)


def test_calibration_error_by_hand():
    # Bins (0, 0.5] and (0.5, 1]: means 0.2 and 0.8 of the scores, 1/4 and 1/2 positive.
    true, scores = [0, 0, 0, 1, 0, 1], [0.0, 0.1, 0.2, 0.5, 0.7, 0.9]
    expected = (4 * abs(0.2 - 0.25) + 2 * abs(0.8 - 0.5)) / 6
    found = value(metrics.expected_calibration_error, true, scores, bins=2)
    assert found == pytest.approx(expected, abs=1e-12)
    curve = metrics.calibration_curve(true, scores, bins=2)
    np.testing.assert_array_equal(curve.counts, [4, 2])


def test_calibration_error_of_several_classes_is_that_of_the_top_class():
    table = np.array([[0.6, 0.3, 0.1], [0.7, 0.2, 0.1], [0.2, 0.2, 0.6], [0.05, 0.9, 0.05]])
    # Tops 0.6, 0.7 and 0.6 (one right of three) in the bin (0.5, 0.75], 0.9 (right) in (0.75, 1].
    expected = (abs(1.9 - 1) + abs(0.9 - 1)) / 4
    found = value(metrics.expected_calibration_error, [0, 1, 1, 1], table, bins=4, labels=[0, 1, 2])
    assert found == pytest.approx(expected, abs=1e-12)


def test_lift_by_hand():
    # Two of seven: 0.8 whole, and half of the pair at 0.5, which holds one positive.
    expected = ((1 + 0.5) / 2) / (3 / 7)
    assert value(metrics.lift_score, TRUE, SCORES, fraction=2 / 7) == pytest.approx(expected, abs=1e-12)
    assert value(metrics.lift_score, TRUE, SCORES, fraction=1) == pytest.approx(1, abs=1e-12)
    curve = metrics.lift_curve(TRUE, SCORES)
    np.testing.assert_allclose(curve.flagged, [1 / 7, 3 / 7, 5 / 7, 1])
    np.testing.assert_allclose(curve.lift, [7 / 3, 14 / 9, 7 / 5, 1])


@settings(deadline=None, max_examples=50)
@given(scored(), st.sampled_from(["youden", "fbeta", "cost"]))
def test_no_other_threshold_is_better_and_no_higher_one_as_good(sample, by):
    true, scores = np.array(sample[0]), np.array(sample[1])

    def gain(threshold):
        flagged = scores >= threshold
        hits, alarms = (flagged & (true == 1)).sum(), (flagged & (true == 0)).sum()
        missed = (true == 1).sum() - hits
        if by == "youden":
            return hits * (true == 0).sum() - alarms * (true == 1).sum()
        if by == "cost":
            return -(3 * alarms + 5 * missed)
        return oracle.fbeta_score(true, flagged, beta=2, zero_division=0)

    options = {"beta": 2, "false_positive": 3, "false_negative": 5}
    found = metrics.choose_threshold(true, scores, by=by, **options)
    assert np.isfinite(found)
    for other in [*scores, np.inf]:
        assert gain(found) >= gain(other) - 1e-12
        if other > found and (scores >= other).any():
            assert gain(found) > gain(other)


def test_youdens_index_weighs_both_classes_alike():
    # At 0.9 one of two positives and no alarm: 1/2. At 0.5 both, and two alarms of eight: 3/4.
    true, scores = [1, 1] + [0] * 8, [0.9, 0.5, 0.6, 0.5] + [0.1] * 6
    assert metrics.choose_threshold(true, scores) == 0.5


def test_where_alarms_are_dear_nothing_is_flagged():
    found = metrics.choose_threshold(TRUE, SCORES, by="cost", false_positive=1, false_negative=0)
    assert found > 0.8
    assert metrics.cost_loss(TRUE, SCORES, threshold=found, false_negative=0).value == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.lift_score(TRUE, SCORES, fraction=0), "fraction lies above 0"),
        (lambda: metrics.calibration_curve(TRUE, SCORES, bins=0), "bins is at least 1"),
        (lambda: metrics.expected_calibration_error(TRUE, SCORES, bins=0), "bins is at least 1"),
        (lambda: metrics.cost_loss(TRUE, SCORES, threshold=0.5, false_positive=-1), "costs are at least 0"),
        (
            lambda: metrics.choose_threshold(TRUE, SCORES, by="luck"),
            "'youden', 'fbeta' or 'cost', received 'luck'",
        ),
        (lambda: metrics.choose_threshold(TRUE, SCORES, by="fbeta", beta=0), "beta is above 0"),
        (lambda: metrics.roc_auc_score([0, 1, 2], [0.1, 0.2, 0.3]), "3 classes: say average="),
        (lambda: metrics.roc_auc_score([[0, 1], [1, 0]], [[0.0, 1.0], [1, 0]]), "several labels a sample"),
        (
            lambda: metrics.roc_auc_score([0, 1], np.full((2, 3), 1 / 3), average="macro", labels=[0, 1, 2]),
            "names a class that y_true does not hold",
        ),
    ],
)
def test_wrong_options_are_the_authors_error(call, message):
    with pytest.raises(ValueError, match=message):
        call()
