"""Figures hold what the metrics say, are small, and can be drawn."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sklearn.metrics as oracle

from grader import metrics
from grader.metrics import BadPredictions, figures
from grader.metrics.resampling import weights

RULES = {"metric": "accuracy", "target": 0.8, "gap": 0.1, "higher_is_better": True}


def sample(size, seed=0):
    rng = np.random.default_rng(seed)
    true = (rng.random(size) < 0.3).astype(int)
    return true, 1 / (1 + np.exp(-rng.normal(size=size) - true))


def checked(figure):
    assert len(json.dumps(figure, allow_nan=False)) <= 20_000
    pictures = pytest.importorskip("grader.report.pictures")
    pictures.read_figure(figure)
    return figure


def test_a_confusion_matrix_has_true_rows_and_names():
    figure = checked(
        figures.confusion_matrix([0, 0, 0, 1], [1, 1, 0, 1], names=["well", "sick"], title="Test set")
    )
    assert figure == {
        "kind": "confusion_matrix", "title": "Test set", "labels": ["well", "sick"], "counts": [[1, 2], [0, 1]],
    }  # fmt: skip
    assert figures.confusion_matrix([0, 1, 7], [0, 1, 1])["labels"] == ["0", "1", "7"]
    with pytest.raises(ValueError, match="names: expected 2, one a class, received 3"):
        figures.confusion_matrix([0, 1], [0, 1], names=["a", "b", "c"])


def test_a_figure_that_is_too_large_is_refused():
    with pytest.raises(ValueError, match="more than 20000; show fewer classes"):
        figures.confusion_matrix(np.arange(90), np.arange(90))


def test_the_roc_figure_holds_curve_area_and_chosen_point():
    true, scores = sample(60)
    figure = checked(figures.roc(true, scores, threshold=float(scores[7])))
    fpr, tpr, _ = metrics.roc_curve(true, scores)
    np.testing.assert_allclose(figure["fpr"], fpr, atol=1e-6)
    np.testing.assert_allclose(figure["tpr"], tpr, atol=1e-6)
    found = metrics.roc_auc_score(true, scores)
    assert figure["auc"] == {"value": found.value, "low": found.low, "high": found.high}
    flagged = scores >= scores[7]
    assert figure["chosen"] == {
        "threshold": scores[7],
        "fpr": oracle.recall_score(1 - true, flagged),
        "tpr": oracle.recall_score(true, flagged),
    }
    plain = checked(figures.roc(true, scores, interval=None))
    assert (plain["band"], plain["chosen"]) == (None, None)


def test_the_band_is_that_of_the_resampled_curves():
    true, scores = sample(40)
    scores = scores.round(1)
    how = metrics.Interval(resamples=50, level=0.8)
    band = figures.roc(true, scores, interval=how)["band"]
    grid = np.linspace(0, 1, 101)
    curves = []
    for row in np.concatenate(list(weights(true, how))):
        kept = row > 0
        fpr, tpr, _ = oracle.roc_curve(
            true[kept], scores[kept], sample_weight=row[kept], drop_intermediate=False
        )
        # The upper end of each vertical step.
        curves.append(
            [tpr[np.flatnonzero(fpr <= at)[-1]] if at in fpr else np.interp(at, fpr, tpr) for at in grid]
        )
    low, high = np.quantile(curves, [0.1, 0.9], axis=0)
    np.testing.assert_allclose(band["fpr"], grid)
    np.testing.assert_allclose(band["low"], low, atol=1e-6)
    np.testing.assert_allclose(band["high"], high, atol=1e-6)


def test_the_precision_recall_figure_holds_curve_average_and_chosen_point():
    true, scores = sample(60)
    figure = checked(figures.precision_recall(true, scores, threshold=float(scores[7])))
    precision, recall, _ = metrics.precision_recall_curve(true, scores)
    np.testing.assert_allclose(figure["precision"], precision, atol=1e-6)
    np.testing.assert_allclose(figure["recall"], recall, atol=1e-6)
    found = metrics.average_precision_score(true, scores)
    assert figure["average_precision"] == {"value": found.value, "low": found.low, "high": found.high}
    assert figure["base_rate"] == true.mean()
    flagged = scores >= scores[7]
    assert figure["chosen"] == {
        "threshold": scores[7],
        "recall": pytest.approx(oracle.recall_score(true, flagged)),
        "precision": pytest.approx(oracle.precision_score(true, flagged)),
    }
    nobody = figures.precision_recall(true, scores, threshold=2, interval=None)["chosen"]
    assert nobody == {"threshold": 2.0, "recall": 0.0, "precision": 0.0}


def test_the_calibration_figure_holds_bins_and_brier_score():
    true, scores = sample(200)
    figure = checked(figures.calibration(true, scores, bins=4))
    observed, predicted, counts = metrics.calibration_curve(true, scores, bins=4)
    np.testing.assert_allclose(figure["observed"], observed, atol=1e-6)
    np.testing.assert_allclose(figure["predicted"], predicted, atol=1e-6)
    assert figure["counts"] == counts.tolist()
    assert figure["brier"] == pytest.approx(oracle.brier_score_loss(true, scores), abs=1e-12)


@pytest.mark.parametrize("make", [figures.roc, figures.precision_recall])
def test_long_curves_are_thinned_evenly_along_their_way(make):
    true, scores = sample(5000)
    figure = checked(make(true, scores, interval=metrics.Interval(resamples=5)))
    if figure["kind"] == "roc":
        x, y = metrics.roc_curve(true, scores)[:2]
        kept = np.column_stack([figure["fpr"], figure["tpr"]])
    else:
        y, x = metrics.precision_recall_curve(true, scores)[:2]
        kept = np.column_stack([figure["recall"], figure["precision"]])
    assert 100 < len(kept) <= 200
    points = np.column_stack([x, y])
    np.testing.assert_allclose(kept[[0, -1]], points[[0, -1]], atol=1e-6)
    apart = np.abs(points[:, None] - kept[None]).sum(axis=2)
    # Every point kept is one of the curve's, and none of the curve's is far from one kept.
    assert apart.min(axis=0).max() < 1e-5
    way = np.abs(np.diff(points, axis=0)).sum()
    assert apart.min(axis=1).max() <= way / 199 + 1e-5


def test_other_labels_can_be_positive():
    true, scores = sample(50)
    names = np.where(true == 1, "sick", "well")
    for make in (figures.roc, figures.precision_recall, figures.calibration):
        assert make(names, scores, pos_label="sick") == make(true, scores)


def test_learning_curves_hold_both_curves_and_the_diagnosis():
    train, validation = [0.5, 0.7, 0.9, 0.95, 0.97], [0.5, 0.65, 0.7, 0.69, 0.68]
    figure = checked(figures.learning_curves(train, validation, title="LeNet", **RULES))
    assert figure == {
        "kind": "learning_curves", "title": "LeNet", "metric": "accuracy", "train": train, "validation": validation,
        "diagnosis": "overfitting: accuracy ends at 0.69 in validation, 0.26 worse than the 0.95 of training; "
        "at most 0.1 is good",
        "best_epoch": 3,
    }  # fmt: skip


@pytest.mark.parametrize("best", [0, 1, 500, 998, 999])
def test_long_trainings_keep_their_ends_and_their_best_epoch(best):
    validation = np.linspace(0.5, 0.6, 1000)
    validation[best] = 0.9
    figure = checked(figures.learning_curves(np.linspace(0.4, 0.9, 1000), validation, **RULES))
    assert len(figure["train"]) == len(figure["validation"]) <= 200
    assert figure["validation"][figure["best_epoch"] - 1] == 0.9
    assert (figure["train"][0], figure["train"][-1]) == (0.4, 0.9)


def test_wrong_predictions_are_the_students_fault_here_too():
    for make in (figures.roc, figures.precision_recall, figures.calibration, figures.confusion_matrix):
        with pytest.raises(BadPredictions):
            make([0, 1], [0.2, float("nan")])
