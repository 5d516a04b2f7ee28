"""Public tests of `imbalanced_data`: the worked examples of the README, and a first look at a classifier."""

import numpy as np
import pandas as pd
import pytest

CLOSE = {"rtol": 0, "atol": 6e-5}
TRUTH = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
PREDICTED = np.array([1, 1, 1, 0, 1, 1, 0, 0, 0, 0])
RANKED = np.array([1, 0, 1, 1, 0, 0])
SCORES = np.array([0.9, 0.8, 0.8, 0.6, 0.4, 0.1])


def practice_rows(rows, rng):
    """Payments as they come when `fit_classifier` is graded, 3 in 100 of them fraud: x (rows, 23), y (rows,)."""
    from dlquiz import data

    drawn = data.draw("fraud", rows, rng, rate=0.03)
    table = drawn.features
    hour = table["time"] * (np.pi / 12)
    parts = [
        np.log(table.loc[:, "amount":"account_age"]),
        table[["count_day"]].assign(sine=np.sin(hour), cosine=np.cos(hour)),
        pd.get_dummies(table[["channel", "country", "merchant"]]),
    ]
    return pd.concat(parts, axis=1).to_numpy(float), drawn.target.to_numpy()


@pytest.mark.problem("resampling")
@pytest.mark.hint("The size of the smallest class, and that of the largest.")
def test_resampling_balances(student):
    """The README's classes of 6, 2 and 3 rows become 2 each, or 6 each, and rows keep their labels."""
    y = np.array([0, 2, 0, 1, 0, 2, 0, 0, 1, 2, 0])
    x = np.stack([np.arange(11.0), 10.0 * y], axis=1)
    for resample, count in ((student.random_under_sample, 2), (student.random_over_sample, 6)):
        new_x, new_y = resample(x, y, 3)
        np.testing.assert_array_equal(np.bincount(new_y), [count] * 3)
        np.testing.assert_array_equal(new_x[:, 1], 10.0 * new_y)


@pytest.mark.problem("smote")
@pytest.mark.hint("Work the README's example by hand. A row is not its own neighbour.")
def test_smote_stays_between_neighbours(student):
    """New rows of three rows on a line stay on it and between them."""
    made = student.smote(np.array([[0.0, 1.0], [1.0, 1.0], [10.0, 1.0]]), 40, k=1, seed=5)
    assert made.shape == (40, 2)
    np.testing.assert_allclose(made[:, 1], 1)
    assert made[:, 0].min() >= 0
    assert made[:, 0].max() <= 10


@pytest.mark.problem("weights_and_split")
@pytest.mark.hint("n / (K * n_k)")
def test_class_weights_example(student):
    """Eight zeros and two ones weigh 0.625 and 2.5."""
    weights = student.class_weights(np.array([0, 0, 1, 0, 0, 0, 1, 0, 0, 0]))
    assert {int(label): float(weight) for label, weight in weights.items()} == {0: 0.625, 1: 2.5}


@pytest.mark.problem("weights_and_split")
@pytest.mark.hint("Split each class by itself.")
def test_stratified_split_example(student):
    """48 rows and 3 rows at a share of 0.3: 14 and 1 go to the test part."""
    y = np.repeat([0, 1], [48, 3])
    train_rows, test_rows = student.stratified_split(y, 0.3, 1)
    np.testing.assert_array_equal(np.bincount(y[test_rows]), [14, 1])
    np.testing.assert_array_equal(np.sort(np.concatenate([train_rows, test_rows])), np.arange(51))


@pytest.mark.problem("labels")
@pytest.mark.hint("Rows are true classes.")
def test_labels_example(student):
    """The README's ten labels give its matrix and its numbers."""
    np.testing.assert_array_equal(student.confusion_matrix(TRUTH, PREDICTED, 2), [[4, 2], [1, 3]])
    found = [
        student.precision(TRUTH, PREDICTED),
        student.recall(TRUTH, PREDICTED),
        student.specificity(TRUTH, PREDICTED),
        student.f_beta(TRUTH, PREDICTED),
        student.f_beta(TRUTH, PREDICTED, beta=2.0),
        student.f_beta(TRUTH, PREDICTED, beta=0.5),
        student.balanced_accuracy(TRUTH, PREDICTED),
        student.matthews(TRUTH, PREDICTED),
    ]
    np.testing.assert_allclose(found, [0.6, 0.75, 0.6667, 0.6667, 0.7143, 0.625, 0.7083, 0.4082], **CLOSE)


@pytest.mark.problem("averages")
@pytest.mark.hint("Average the classes' F1; a class without predictions has precision 0.")
@pytest.mark.parametrize(
    ("average", "expected"), [("macro", [0.4603, 0.5, 0.4786]), ("weighted", [0.6286, 0.7, 0.6615])]
)
def test_averages_example(student, average, expected):
    """The README's three classes give its averages."""
    truth, predicted = np.array([0] * 6 + [1] * 3 + [2]), np.array([0] * 5 + [1] + [0] + [1] * 2 + [0])
    found = student.average_scores(truth, predicted, 3, average)
    np.testing.assert_allclose([found["precision"], found["recall"], found["f1"]], expected, **CLOSE)


@pytest.mark.problem("ranking")
@pytest.mark.hint("Two samples share the score 0.8: one point.")
def test_curves_example(student):
    """The README's six scores give its curves, its AUC and its average precision."""
    fpr, tpr, thresholds = student.roc_curve(RANKED, SCORES)
    np.testing.assert_allclose(thresholds, [np.inf, 0.9, 0.8, 0.6, 0.4, 0.1])
    np.testing.assert_allclose(fpr, [0, 0, 1 / 3, 1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(tpr, [0, 1 / 3, 2 / 3, 1, 1, 1])
    precision, recall, _ = student.precision_recall_curve(RANKED, SCORES)
    np.testing.assert_allclose(precision, [1, 2 / 3, 3 / 4, 3 / 5, 1 / 2])
    np.testing.assert_allclose(recall, [1 / 3, 2 / 3, 1, 1, 1])
    np.testing.assert_allclose(student.roc_auc(RANKED, SCORES), 0.8333, **CLOSE)
    np.testing.assert_allclose(student.average_precision(RANKED, SCORES), 0.8056, **CLOSE)


@pytest.mark.problem("thresholds")
@pytest.mark.hint("Flagged is at or above.")
def test_thresholds_example(student):
    """The README's six scores give its thresholds."""
    np.testing.assert_array_equal(student.flag(SCORES, 0.8), [1, 1, 1, 0, 0, 0])
    found = [
        student.best_f_threshold(RANKED, SCORES),
        student.cheapest_threshold(RANKED, SCORES, 1, 2),
        student.cheapest_threshold(RANKED, SCORES, 3, 1),
        student.threshold_for_recall(RANKED, SCORES, 0.6),
        student.threshold_for_recall(RANKED, SCORES, 0.7),
    ]
    np.testing.assert_allclose(found, [0.6, 0.6, 0.9, 0.8, 0.6])


@pytest.mark.problem("prepare")
@pytest.mark.hint("Which rows do mean and scale come from?")
def test_prepare_keeps_the_test_part_as_it_is(student):
    """Over-sampling in prepare balances the training part and leaves the test part alone."""
    y = np.repeat([0, 1], [40, 10])
    x = np.stack([np.arange(50.0), np.full(50, 7.0)], axis=1)
    found = student.prepare(x, y, 0.2, "over", 2)
    np.testing.assert_array_equal(np.bincount(found["y_test"]), [8, 2])
    np.testing.assert_array_equal(np.bincount(found["y_train"]), [32, 32])
    np.testing.assert_allclose(found["mean"], x[found["train_rows"]].mean(axis=0))
    np.testing.assert_allclose(found["x_test"] * found["scale"] + found["mean"], x[found["test_rows"]])


@pytest.mark.problem("classifier")
@pytest.mark.hint("Compare with the pair count: does fraud score higher than honest payments?")
def test_classifier_is_better_than_a_guess(student):
    """On practice payments, fraud scores above honest payments more often than not."""
    rng = np.random.default_rng(7)
    (x, y), (new_x, new_y) = practice_rows(4000, rng), practice_rows(4000, rng)
    score, threshold = student.fit_classifier(x, y, 7)
    scores = score(new_x)
    assert scores.shape == (4000,)
    assert scores.min() >= 0
    assert scores.max() <= 1
    assert np.median(scores[new_y == 1]) > np.quantile(scores[new_y == 0], 0.7)
    assert 0 < np.mean(scores >= float(threshold)) < 0.5
