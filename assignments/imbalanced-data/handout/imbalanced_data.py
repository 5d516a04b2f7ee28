"""Imbalanced classes: resampling, weights, metrics, thresholds, and a classifier for rare fraud.

NumPy for everything but the classifier, which is a Keras model. Labels are integers; where there are two
classes, 1 is the positive (rare) one. Scores are floats, and higher means more likely positive.
"""

import keras
import numpy as np


def random_under_sample(x, y, seed):
    """Cut every class to the size of the smallest one, at random and without replacement.

    Args:
        x: array (n, ...), one row a sample.
        y: int array (n,), any labels.
        seed: int, for `np.random.default_rng`.

    Returns:
        (x, y): the rows that stay, in any order, with their labels; dtypes as they came.
    """
    raise NotImplementedError


def random_over_sample(x, y, seed):
    """Bring every class to the size of the largest one: its rows once each, and copies drawn with replacement.

    Args:
        x: array (n, ...), one row a sample.
        y: int array (n,), any labels.
        seed: int, for `np.random.default_rng`.

    Returns:
        (x, y): all rows and the copies, in any order, with their labels; dtypes as they came.
    """
    raise NotImplementedError


def smote(x, count, k=5, seed=0):
    """Synthetic rows between the rows of one class and their neighbours (Chawla et al., 2002).

    Args:
        x: float array (m, d), rows of the class that is to grow, and of no other.
        count: int, how many rows to make, 0 or more.
        k: int, 1 or more, how many nearest neighbours of a row may be chosen from.
        seed: int, for `np.random.default_rng`.

    Returns:
        float array (count, d), the synthetic rows alone.

    Raises:
        ValueError: `k` is below 1, or `x` has no more than `k` rows.
    """
    raise NotImplementedError


def class_weights(y):
    """Weights that make every class count the same in a loss: n / (K * n_k).

    Args:
        y: int array (n,), any labels.

    Returns:
        dict from label (int) to weight (float), for the labels that occur: what `class_weight` of `fit` takes.
    """
    raise NotImplementedError


def stratified_split(y, test_share, seed):
    """Part the rows in two, each class by itself.

    Of a class with n_k rows the test part gets the whole number nearest to test_share * n_k, but at least 1 and at
    most n_k - 1.

    Args:
        y: int array (n,), any labels.
        test_share: float between 0 and 1, both excluded.
        seed: int, for `np.random.default_rng`.

    Returns:
        (train_rows, test_rows): int arrays of row numbers, in any order; together every row once.

    Raises:
        ValueError: `test_share` is out of range, or a class has fewer than 2 rows.
    """
    raise NotImplementedError


def confusion_matrix(y_true, y_pred, classes):
    """Counts of rows by true and predicted class.

    Args:
        y_true: int array (n,), labels from 0 to classes - 1.
        y_pred: int array (n,), likewise.
        classes: int, the number of classes K.

    Returns:
        int64 array (K, K); entry [i, j] counts rows of class i that were predicted as j.

    Raises:
        ValueError: different lengths, or a label outside 0 ... classes - 1.
    """
    raise NotImplementedError


def _ratio(numerator, denominator):
    """Quotients, elementwise, in which 0/0 is 0.

    A helper that the tests never call: use it, change it or delete it.
    """
    raise NotImplementedError


def precision(y_true, y_pred):
    """Share of the predicted positives that are positive: tp / (tp + fp), 0/0 = 0.

    Args:
        y_true, y_pred: int arrays (n,) of 0 and 1.

    Returns:
        float.
    """
    raise NotImplementedError


def recall(y_true, y_pred):
    """Share of the positives that are found: tp / (tp + fn), 0/0 = 0.

    Args:
        y_true, y_pred: int arrays (n,) of 0 and 1.

    Returns:
        float.
    """
    raise NotImplementedError


def specificity(y_true, y_pred):
    """Share of the negatives that are left alone: tn / (tn + fp), 0/0 = 0.

    Args:
        y_true, y_pred: int arrays (n,) of 0 and 1.

    Returns:
        float.
    """
    raise NotImplementedError


def f_beta(y_true, y_pred, beta=1.0):
    """(1 + beta^2) P R / (beta^2 P + R) of precision P and recall R, 0/0 = 0 (van Rijsbergen, 1979).

    Args:
        y_true, y_pred: int arrays (n,) of 0 and 1.
        beta: float above 0; with 2, recall weighs more, with 0.5, precision.

    Returns:
        float.
    """
    raise NotImplementedError


def balanced_accuracy(y_true, y_pred):
    """The mean of recall and specificity.

    Args:
        y_true, y_pred: int arrays (n,) of 0 and 1.

    Returns:
        float.
    """
    raise NotImplementedError


def matthews(y_true, y_pred):
    """Matthews' correlation coefficient (1975), from -1 to 1; 0/0 = 0.

    Args:
        y_true, y_pred: int arrays (n,) of 0 and 1; n may be 200,000.

    Returns:
        float.
    """
    raise NotImplementedError


def average_scores(y_true, y_pred, classes, average):
    """Precision, recall and F1 of each class against the rest, averaged over the classes.

    Args:
        y_true, y_pred: int arrays (n,), n >= 1, labels from 0 to classes - 1.
        classes: int, the number of classes K; some may not occur.
        average: "macro" for the plain mean of K numbers, "weighted" for the mean weighted by the true counts.

    Returns:
        dict of three floats: "precision", "recall", "f1".

    Raises:
        ValueError: `average` is something else.
    """
    raise NotImplementedError


def flag(scores, threshold):
    """1 where a score is at or above the threshold, else 0.

    Args:
        scores: float array (n,).
        threshold: float, may be infinite.

    Returns:
        int64 array (n,).
    """
    raise NotImplementedError


def _counts(y_true, scores):
    """What is flagged at each threshold: distinct scores, from the highest, with true and false positives.

    A helper that the tests never call: use it, change it or delete it.

    Returns:
        (thresholds, tp, fp): arrays (m,).
    """
    raise NotImplementedError


def roc_curve(y_true, scores):
    """False and true positive rate at every distinct score.

    Args:
        y_true: int array (n,) of 0 and 1, both present.
        scores: float array (n,), finite.

    Returns:
        (fpr, tpr, thresholds): float arrays (m + 1,) for m distinct scores. First 0, 0 and infinity, then a point a
        score, from the highest; the last point is 1, 1.

    Raises:
        ValueError: one of the two classes is missing.
    """
    raise NotImplementedError


def roc_auc(y_true, scores):
    """The area under the ROC curve: the share of (positive, negative) pairs in the right order, ties one half.

    Args:
        y_true: int array (n,) of 0 and 1, both present.
        scores: float array (n,), finite.

    Returns:
        float.

    Raises:
        ValueError: one of the two classes is missing.
    """
    raise NotImplementedError


def precision_recall_curve(y_true, scores):
    """Precision and recall at every distinct score, from the highest.

    Args:
        y_true: int array (n,) of 0 and 1, a 1 among them.
        scores: float array (n,), finite.

    Returns:
        (precision, recall, thresholds): float arrays (m,) for m distinct scores; no further point is added.

    Raises:
        ValueError: there is no positive.
    """
    raise NotImplementedError


def average_precision(y_true, scores):
    """The precisions at all thresholds, each weighted by the recall gained there: sum of (R_i - R_{i-1}) P_i.

    Args:
        y_true: int array (n,) of 0 and 1, a 1 among them.
        scores: float array (n,), finite.

    Returns:
        float.

    Raises:
        ValueError: there is no positive.
    """
    raise NotImplementedError


def best_f_threshold(y_true, scores, beta=1.0):
    """The distinct score at which `flag` has the highest F-beta.

    Args:
        y_true: int array (n,) of 0 and 1, a 1 among them.
        scores: float array (n,), finite.
        beta: float above 0.

    Returns:
        float, one of the scores; any of those that are equally good.
    """
    raise NotImplementedError


def cheapest_threshold(y_true, scores, fp_cost, fn_cost):
    """The threshold with the lowest cost fp_cost * fp + fn_cost * fn.

    Args:
        y_true: int array (n,) of 0 and 1.
        scores: float array (n,), finite.
        fp_cost, fn_cost: floats, 0 or more: what one false positive and one false negative cost.

    Returns:
        float: one of the scores, or infinity, which flags nothing; the highest of equally cheap ones.
    """
    raise NotImplementedError


def threshold_for_recall(y_true, scores, wanted):
    """The highest score at which `flag` finds at least the wanted share of the positives.

    Args:
        y_true: int array (n,) of 0 and 1, a 1 among them.
        scores: float array (n,), finite.
        wanted: float above 0, at most 1.

    Returns:
        float, one of the scores.

    Raises:
        ValueError: `wanted` is out of range.
    """
    raise NotImplementedError


def prepare(x, y, test_share, how, seed):
    """Split, scale and balance, in the order that leaks nothing.

    1. `stratified_split`; 2. mean and standard deviation (divided by n) of each column of the training rows; 3. both
    parts scaled with them: (x - mean) / scale; 4. the training part alone is balanced.

    Args:
        x: float array (n, d); a column may be constant.
        y: int array (n,) of 0 and 1.
        test_share: float between 0 and 1, both excluded.
        how: "none", "under", "over" or "smote" (5 neighbours); with the last three both classes of the training part
            end with equal counts.
        seed: int.

    Returns:
        dict: "train_rows" and "test_rows", the row numbers of the split; "mean" and "scale", float (d,), the scale of a
        constant column is 1; "x_train", "y_train", rows in any order; "x_test", "y_test", in the order of "test_rows".

    Raises:
        ValueError: `how` is something else.
    """
    raise NotImplementedError


def _column_statistics(x):
    """Mean and standard deviation of each column, 1 for a constant one.

    A helper that the tests never call: use it, change it or delete it.
    """
    raise NotImplementedError


def _as_is(x, y, seed):
    """A way to balance that changes nothing. Given; the tests never call it."""
    return x, y


def _with_smote(x, y, seed):
    """SMOTE of the rarer class, up to the size of the other. The tests never call it."""
    raise NotImplementedError


def fit_classifier(x, y, seed, fp_cost=1.0, fn_cost=20.0):
    """Train a Keras model that tells fraud from honest payments, and choose where to flag.

    Args:
        x: float array (n, d), payments; columns of very different scales.
        y: int array (n,) of 0 and 1; 1 is fraud, about three in a hundred.
        seed: int.
        fp_cost, fn_cost: what a false alarm and a missed fraud cost.

    Returns:
        (score, threshold). `score` is a function of a float array (m, d) of payments that returns a float array (m,) of
        scores between 0 and 1; a payment's score does not depend on the payments that come with it. `threshold` is a
        float: payments with scores at or above it are to be flagged, so that the cost is low on payments to come.
    """
    raise NotImplementedError
