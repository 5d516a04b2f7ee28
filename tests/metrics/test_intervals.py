"""Bootstrap intervals: those of scikit-learn's weighted metrics, with the coverage that they claim."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import sklearn.metrics as oracle

from grader import metrics
from grader.metrics.resampling import resampled_rows, weights

HOW = metrics.Interval(method="bootstrap", resamples=60, seed=5, level=0.8)


def sample(size=40, seed=2):
    rng = np.random.default_rng(seed)
    true = np.arange(size) % 3 == 0
    return true.astype(int), np.clip((rng.integers(0, 8, size) + 2 * true) / 10, 0, 1)


def expected(values) -> tuple[float, float]:
    low, high = np.quantile(np.asarray(values), [0.1, 0.9])
    return float(low), float(high)


def drawn(strata, how=HOW):
    return np.concatenate(list(weights(np.asarray(strata), how)))


def test_each_class_is_resampled_with_replacement_by_itself():
    true = np.array([0, 1, 1, 0, 1, 1, 1])
    found = drawn(true, metrics.Interval(resamples=40_000))
    assert found.shape == (40_000, 7)
    assert (found[:, true == 1].sum(axis=1) == 5).all()
    assert (found[:, true == 0].sum(axis=1) == 2).all()
    np.testing.assert_allclose(found.mean(axis=0), 1, atol=0.03)
    # Of m draws each sample gets a binomial number: variance 1 - 1/m.
    np.testing.assert_allclose(found.var(axis=0), np.where(true == 1, 4 / 5, 1 / 2), atol=0.03)


def test_cells_of_a_row_are_resampled_like_its_samples():
    counts = np.array([[3, 1, 0], [2, 2, 4], [0, 0, 0]])
    found = resampled_rows(counts, metrics.Interval(resamples=40_000))
    assert (found.sum(axis=2) == [4, 8, 0]).all()
    np.testing.assert_allclose(found.mean(axis=0), counts, atol=0.05)
    share = counts[1] / 8
    np.testing.assert_allclose(found[:, 1].var(axis=0), 8 * share * (1 - share), atol=0.05)


@pytest.mark.parametrize(
    ("metric", "wanted"),
    [
        (metrics.roc_auc_score, oracle.roc_auc_score),
        (metrics.average_precision_score, oracle.average_precision_score),
        (metrics.brier_score_loss, oracle.brier_score_loss),
    ],
)
def test_intervals_of_scores_are_those_of_scikit_learns_weighted_metrics(metric, wanted):
    true, scores = sample()
    found = metric(true, scores, interval=HOW)
    values = [wanted(true, scores, sample_weight=row) for row in drawn(true)]
    assert (found.low, found.high) == pytest.approx(expected(values), abs=1e-9)
    assert (found.level, found.method) == (0.8, "stratified bootstrap")


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_intervals_of_several_classes_are_those_of_scikit_learns_weighted_metrics(average):
    rng = np.random.default_rng(4)
    true = np.arange(30) % 3
    true[:5] = 0
    table = rng.integers(1, 5, (30, 3)) + 2 * np.eye(3)[true]
    table /= table.sum(axis=1, keepdims=True)
    for metric, wanted in (
        (metrics.roc_auc_score, oracle.roc_auc_score),
        (metrics.average_precision_score, oracle.average_precision_score),
    ):
        found = metric(true, table, average=average, interval=HOW)
        values = [wanted(np.eye(3)[true], table, average=average, sample_weight=row) for row in drawn(true)]
        assert (found.low, found.high) == pytest.approx(expected(values), abs=1e-9)
    found = metrics.brier_score_loss(true, table, interval=HOW)
    values = [row @ ((table - np.eye(3)[true]) ** 2).sum(axis=1) / 30 for row in drawn(true)]
    assert (found.low, found.high) == pytest.approx(expected(values), abs=1e-9)


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_intervals_of_several_labels_draw_whole_samples(average):
    rng = np.random.default_rng(4)
    true = rng.integers(0, 2, (30, 2))
    predicted = np.where(rng.random(true.shape) < 0.8, true, 1 - true)
    found = metrics.precision_score(true, predicted, average=average, interval=HOW)
    rows = drawn(np.zeros(30, dtype=int))
    values = [oracle.precision_score(true, predicted, average=average, sample_weight=row) for row in rows]
    assert (found.low, found.high) == pytest.approx(expected(values), abs=1e-9)
    scores = predicted + rng.integers(0, 3, true.shape)
    found = metrics.roc_auc_score(true, scores, average=average, interval=HOW)
    values = [oracle.roc_auc_score(true, scores, average=average, sample_weight=row) for row in rows]
    assert (found.low, found.high) == pytest.approx(expected(values), abs=1e-9)


def test_resamples_without_a_label_are_left_out():
    true = np.zeros((12, 2), dtype=int)
    true[:6, 0], true[0, 1] = 1, 1
    scores = np.arange(24.0).reshape(12, 2)[::-1]
    found = metrics.roc_auc_score(true, scores, average="macro", interval=HOW)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        each = [oracle.roc_auc_score(true, scores, sample_weight=row) for row in drawn(np.zeros(12, int))]
    kept = [one for one in each if np.isfinite(one)]
    assert 30 < len(kept) < 60
    assert (found.low, found.high) == pytest.approx(expected(kept), abs=1e-9)


def test_a_label_that_most_resamples_lack_is_the_authors_error():
    true = np.zeros((4, 3), dtype=int)
    true[[0, 1, 2], [0, 1, 2]] = 1
    with pytest.raises(ValueError, match="too few samples for an interval"):
        metrics.roc_auc_score(true, np.eye(4)[:, :3], average="macro")


@pytest.mark.parametrize(
    ("metric", "wanted"),
    [
        (metrics.accuracy_score, oracle.accuracy_score),
        (metrics.balanced_accuracy_score, oracle.balanced_accuracy_score),
        (metrics.precision_score, oracle.precision_score),
        (metrics.recall_score, oracle.recall_score),
        (metrics.fbeta_score, oracle.f1_score),
        (metrics.matthews_corrcoef, oracle.matthews_corrcoef),
        (metrics.cohen_kappa_score, oracle.cohen_kappa_score),
        (
            metrics.specificity_score,
            lambda true, predicted, **rest: oracle.recall_score(true, predicted, pos_label=0),
        ),
    ],
)
def test_intervals_of_labels_are_those_of_resampled_confusion_matrices(metric, wanted):
    true, scores = sample()
    predicted = (scores > 0.4).astype(int)
    found = metric(true, predicted, interval=HOW)
    cells = [(0, 0), (0, 1), (1, 0), (1, 1)]
    values = []
    for counts in resampled_rows(oracle.confusion_matrix(true, predicted), HOW):
        again = np.repeat(cells, counts.ravel(), axis=0)
        values.append(wanted(again[:, 0], again[:, 1]))
    assert (found.low, found.high) == pytest.approx(expected(values), abs=1e-9)


def test_intervals_of_calibration_lift_and_cost_are_those_of_repeated_samples():
    true, scores = sample()
    plain = {"interval": None}
    for metric, options in (
        (metrics.expected_calibration_error, {"bins": 4}),
        (metrics.lift_score, {"fraction": 0.3}),
    ):
        found = metric(true, scores, interval=HOW, **options)
        values = [
            metric(np.repeat(true, row), np.repeat(scores, row), **options, **plain).value
            for row in drawn(true).astype(int)
        ]
        assert (found.low, found.high) == pytest.approx(expected(values), abs=1e-9)
    options = {"threshold": 0.4, "false_positive": 2, "false_negative": 7}
    found = metrics.cost_loss(true, scores, interval=HOW, **options)
    matrices = resampled_rows(oracle.confusion_matrix(true, scores >= 0.4), HOW)
    values = [(2 * matrix[0, 1] + 7 * matrix[1, 0]) / 40 for matrix in matrices]
    assert (found.low, found.high) == pytest.approx(expected(values), abs=1e-9)


def test_the_same_predictions_have_the_same_interval_and_another_seed_another():
    true, scores = sample()
    found, again = (metrics.brier_score_loss(true, scores) for _ in range(2))
    assert found == again
    other = metrics.brier_score_loss(true, scores, interval=metrics.Interval(seed=9))
    assert other.value == found.value
    assert (other.low, other.high) != (found.low, found.high)


def test_an_interval_holds_the_value():
    true, scores = sample()
    # Calibrated by construction, so that every resample looks worse.
    ranks = np.unique(scores, return_inverse=True)[1]
    perfect = (np.bincount(ranks, true) / np.bincount(ranks))[ranks]
    found = metrics.expected_calibration_error(true, perfect, bins=20)
    assert found.low == found.value == pytest.approx(0, abs=1e-12)
    assert found.high > 0.02


def test_an_interval_of_one_resample_holds_the_value_too():
    true, scores = sample()
    found = [
        metrics.brier_score_loss(true, scores, interval=metrics.Interval(resamples=1, seed=seed))
        for seed in range(8)
    ]
    assert all(one.low <= one.value <= one.high for one in found)
    assert (
        {one.low == one.value for one in found} == {one.high == one.value for one in found} == {True, False}
    )


def coverage(draw, metric, truth, runs=300) -> float:
    found = []
    for seed in range(runs):
        true, scores = draw(np.random.default_rng(seed))
        found.append(metric(true, scores))
    return float(np.mean([one.low <= truth <= one.high for one in found]))


def normals(rng):
    """Scores whose AUC is Phi(1 / sqrt 2) = 0.76025."""
    true = np.repeat([0, 1], [80, 50])
    return true, rng.normal(size=130) + true


@pytest.mark.parametrize("method", ["delong", "bootstrap"])
def test_an_interval_of_the_auc_covers_the_truth_as_often_as_it_says(method):
    how = metrics.Interval(level=0.9, method=method, resamples=200)
    found = coverage(normals, lambda *args: metrics.roc_auc_score(*args, interval=how), 0.7602499389)
    # Three standard errors of 300 runs are 0.052.
    assert 0.848 <= found <= 0.952


def test_an_interval_of_the_recall_covers_the_truth_as_often_as_it_says():
    def draw(rng):
        true = np.repeat([0, 1], [60, 90])
        return true, np.where(rng.random(150) < 0.7, true, 1 - true)

    how = metrics.Interval(level=0.9, resamples=200)
    found = coverage(draw, lambda *args: metrics.recall_score(*args, interval=how), 0.7)
    assert 0.838 <= found <= 0.952


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 1.0}, "level lies between 0 and 1"),
        ({"level": 0.0}, "level lies between 0 and 1"),
        ({"method": "guess"}, "'auto', 'bootstrap' or 'delong', received 'guess'"),
        ({"resamples": 0}, "resamples is at least 1"),
    ],
)
def test_a_wrong_interval_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        metrics.Interval(**options)
