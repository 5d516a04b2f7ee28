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
    # BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    labels, counts = np.unique(y, return_counts=True)
    rows = [rng.choice(np.flatnonzero(y == label), counts.min(), replace=False) for label in labels]
    kept = rng.permutation(np.concatenate(rows))
    return x[kept], y[kept]
    # END SOLUTION


def random_over_sample(x, y, seed):
    """Bring every class to the size of the largest one: its rows once each, and copies drawn with replacement.

    Args:
        x: array (n, ...), one row a sample.
        y: int array (n,), any labels.
        seed: int, for `np.random.default_rng`.

    Returns:
        (x, y): all rows and the copies, in any order, with their labels; dtypes as they came.
    """
    # BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    labels, counts = np.unique(y, return_counts=True)
    copies = [
        rng.choice(np.flatnonzero(y == label), counts.max() - count)
        for label, count in zip(labels, counts, strict=True)
    ]
    kept = rng.permutation(np.concatenate([np.arange(len(y)), *copies]))
    return x[kept], y[kept]
    # END SOLUTION


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
    # BEGIN SOLUTION
    if not 1 <= k < len(x):
        raise ValueError(f"k must be from 1 to rows - 1 = {len(x) - 1}, received {k}")
    rng = np.random.default_rng(seed)
    centred = x - x.mean(axis=0)
    squares = (centred**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * centred @ centred.T
    np.fill_diagonal(distances, np.inf)
    neighbours = np.argpartition(distances, k - 1, axis=1)[:, :k]
    base = rng.integers(len(x), size=count)
    partner = neighbours[base, rng.integers(k, size=count)]
    return x[base] + rng.random((count, 1)) * (x[partner] - x[base])
    # END SOLUTION


def class_weights(y):
    """Weights that make every class count the same in a loss: n / (K * n_k).

    Args:
        y: int array (n,), any labels.

    Returns:
        dict from label (int) to weight (float), for the labels that occur: what `class_weight` of `fit` takes.
    """
    # BEGIN SOLUTION
    labels, counts = np.unique(y, return_counts=True)
    weights = len(y) / (len(labels) * counts)
    return dict(zip(labels.tolist(), weights.tolist(), strict=True))
    # END SOLUTION


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
    # BEGIN SOLUTION
    labels, counts = np.unique(y, return_counts=True)
    if not 0 < test_share < 1:
        raise ValueError(f"test_share must lie between 0 and 1, received {test_share}")
    if counts.min() < 2:
        raise ValueError(f"every class needs 2 rows or more, received {counts.min()} of a class")
    rng = np.random.default_rng(seed)
    sizes = np.clip(np.round(test_share * counts).astype(int), 1, counts - 1)
    test_rows = np.concatenate(
        [
            rng.choice(np.flatnonzero(y == label), size, replace=False)
            for label, size in zip(labels, sizes, strict=True)
        ]
    )
    train_rows = np.setdiff1d(np.arange(len(y)), test_rows)
    return rng.permutation(train_rows), rng.permutation(test_rows)
    # END SOLUTION


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
    # BEGIN SOLUTION
    y_true, y_pred = np.asarray(y_true, np.int64), np.asarray(y_pred, np.int64)
    if y_true.shape != y_pred.shape:
        raise ValueError(f"expected labels of equal shapes, received {y_true.shape} and {y_pred.shape}")
    for labels in (y_true, y_pred):
        if labels.size and not 0 <= labels.min() <= labels.max() < classes:
            raise ValueError(f"labels must be 0 to {classes - 1}, received {labels.min()} to {labels.max()}")
    pairs = np.bincount(y_true * classes + y_pred, minlength=classes**2)
    return pairs.reshape(classes, classes)
    # END SOLUTION


def _ratio(numerator, denominator):
    """Quotients, elementwise, in which 0/0 is 0.

    A helper that the tests never call: use it, change it or delete it.
    """
    # BEGIN SOLUTION
    numerator, denominator = np.broadcast_arrays(np.asarray(numerator, float), denominator)
    return np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator != 0)
    # END SOLUTION


def precision(y_true, y_pred):
    """Share of the predicted positives that are positive: tp / (tp + fp), 0/0 = 0.

    Args:
        y_true, y_pred: int arrays (n,) of 0 and 1.

    Returns:
        float.
    """
    # BEGIN SOLUTION
    (_, fp), (_, tp) = confusion_matrix(y_true, y_pred, 2)
    return float(_ratio(tp, tp + fp))
    # END SOLUTION


def recall(y_true, y_pred):
    """Share of the positives that are found: tp / (tp + fn), 0/0 = 0.

    Args:
        y_true, y_pred: int arrays (n,) of 0 and 1.

    Returns:
        float.
    """
    # BEGIN SOLUTION
    _, (fn, tp) = confusion_matrix(y_true, y_pred, 2)
    return float(_ratio(tp, tp + fn))
    # END SOLUTION


def specificity(y_true, y_pred):
    """Share of the negatives that are left alone: tn / (tn + fp), 0/0 = 0.

    Args:
        y_true, y_pred: int arrays (n,) of 0 and 1.

    Returns:
        float.
    """
    # BEGIN SOLUTION
    (tn, fp), _ = confusion_matrix(y_true, y_pred, 2)
    return float(_ratio(tn, tn + fp))
    # END SOLUTION


def f_beta(y_true, y_pred, beta=1.0):
    """(1 + beta^2) P R / (beta^2 P + R) of precision P and recall R, 0/0 = 0 (van Rijsbergen, 1979).

    Args:
        y_true, y_pred: int arrays (n,) of 0 and 1.
        beta: float above 0; with 2, recall weighs more, with 0.5, precision.

    Returns:
        float.
    """
    # BEGIN SOLUTION
    (_, fp), (fn, tp) = confusion_matrix(y_true, y_pred, 2)
    hits = (1 + beta**2) * tp
    return float(_ratio(hits, hits + beta**2 * fn + fp))
    # END SOLUTION


def balanced_accuracy(y_true, y_pred):
    """The mean of recall and specificity.

    Args:
        y_true, y_pred: int arrays (n,) of 0 and 1.

    Returns:
        float.
    """
    # BEGIN SOLUTION
    return (recall(y_true, y_pred) + specificity(y_true, y_pred)) / 2
    # END SOLUTION


def matthews(y_true, y_pred):
    """Matthews' correlation coefficient (1975), from -1 to 1; 0/0 = 0.

    Args:
        y_true, y_pred: int arrays (n,) of 0 and 1; n may be 200,000.

    Returns:
        float.
    """
    # BEGIN SOLUTION
    matrix = confusion_matrix(y_true, y_pred, 2).astype(float)
    (tn, fp), (fn, tp) = matrix
    return float(_ratio(tp * tn - fp * fn, np.sqrt(matrix.sum(axis=0).prod() * matrix.sum(axis=1).prod())))
    # END SOLUTION


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
    # BEGIN SOLUTION
    matrix = confusion_matrix(y_true, y_pred, classes)
    hits, true, predicted = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    weights = {"macro": np.ones(classes), "weighted": true}.get(average)
    if weights is None:
        raise ValueError(f"average is 'macro' or 'weighted', received {average!r}")
    each = {
        "precision": _ratio(hits, predicted),
        "recall": _ratio(hits, true),
        "f1": _ratio(2 * hits, true + predicted),
    }
    return {name: float(np.average(values, weights=weights)) for name, values in each.items()}
    # END SOLUTION


def flag(scores, threshold):
    """1 where a score is at or above the threshold, else 0.

    Args:
        scores: float array (n,).
        threshold: float, may be infinite.

    Returns:
        int64 array (n,).
    """
    # BEGIN SOLUTION
    return (np.asarray(scores) >= threshold).astype(np.int64)
    # END SOLUTION


def _counts(y_true, scores):
    """What is flagged at each threshold: distinct scores, from the highest, with true and false positives.

    A helper that the tests never call: use it, change it or delete it.

    Returns:
        (thresholds, tp, fp): arrays (m,).
    """
    # BEGIN SOLUTION
    y_true, scores = np.asarray(y_true), np.asarray(scores)
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    tp = np.cumsum(y_true[order])[last]
    return ranked[last], tp, last + 1 - tp
    # END SOLUTION


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
    # BEGIN SOLUTION
    thresholds, tp, fp = _counts(y_true, scores)
    if not (tp[-1] and fp[-1]):
        raise ValueError(f"expected both classes, received {tp[-1]} positives and {fp[-1]} negatives")
    return np.append(0, fp / fp[-1]), np.append(0, tp / tp[-1]), np.append(np.inf, thresholds)
    # END SOLUTION


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
    # BEGIN SOLUTION
    fpr, tpr, _ = roc_curve(y_true, scores)
    return float(np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2))
    # END SOLUTION


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
    # BEGIN SOLUTION
    thresholds, tp, fp = _counts(y_true, scores)
    if not tp[-1]:
        raise ValueError("expected a positive, received none")
    return tp / (tp + fp), tp / tp[-1], thresholds
    # END SOLUTION


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
    # BEGIN SOLUTION
    precisions, recalls, _ = precision_recall_curve(y_true, scores)
    return float(np.sum(np.diff(recalls, prepend=0) * precisions))
    # END SOLUTION


def best_f_threshold(y_true, scores, beta=1.0):
    """The distinct score at which `flag` has the highest F-beta.

    Args:
        y_true: int array (n,) of 0 and 1, a 1 among them.
        scores: float array (n,), finite.
        beta: float above 0.

    Returns:
        float, one of the scores; any of those that are equally good.
    """
    # BEGIN SOLUTION
    thresholds, tp, fp = _counts(y_true, scores)
    fn = tp[-1] - tp
    hits = (1 + beta**2) * tp
    return float(thresholds[np.argmax(hits / (hits + beta**2 * fn + fp))])
    # END SOLUTION


def cheapest_threshold(y_true, scores, fp_cost, fn_cost):
    """The threshold with the lowest cost fp_cost * fp + fn_cost * fn.

    Args:
        y_true: int array (n,) of 0 and 1.
        scores: float array (n,), finite.
        fp_cost, fn_cost: floats, 0 or more: what one false positive and one false negative cost.

    Returns:
        float: one of the scores, or infinity, which flags nothing; the highest of equally cheap ones.
    """
    # BEGIN SOLUTION
    thresholds, tp, fp = _counts(y_true, scores)
    costs = fp_cost * np.append(0, fp) + fn_cost * (tp[-1] - np.append(0, tp))
    return float(np.append(np.inf, thresholds)[np.argmin(costs)])
    # END SOLUTION


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
    # BEGIN SOLUTION
    if not 0 < wanted <= 1:
        raise ValueError(f"wanted must be above 0 and at most 1, received {wanted}")
    _, recalls, thresholds = precision_recall_curve(y_true, scores)
    return float(thresholds[np.argmax(recalls >= wanted)])
    # END SOLUTION


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
    # BEGIN SOLUTION
    balance = {"none": _as_is, "under": random_under_sample, "over": random_over_sample, "smote": _with_smote}
    if how not in balance:
        raise ValueError(f"how is one of {', '.join(balance)}, received {how!r}")
    train_rows, test_rows = stratified_split(y, test_share, seed)
    mean, scale = _column_statistics(x[train_rows])
    scaled = (x - mean) / scale
    x_train, y_train = balance[how](scaled[train_rows], y[train_rows], seed)
    return {
        "train_rows": train_rows,
        "test_rows": test_rows,
        "mean": mean,
        "scale": scale,
        "x_train": x_train,
        "y_train": y_train,
        "x_test": scaled[test_rows],
        "y_test": y[test_rows],
    }
    # END SOLUTION


def _column_statistics(x):
    """Mean and standard deviation of each column, 1 for a constant one.

    A helper that the tests never call: use it, change it or delete it.
    """
    # BEGIN SOLUTION
    constant = x.min(axis=0) == x.max(axis=0)
    return x.mean(axis=0), np.where(constant, 1.0, x.std(axis=0))
    # END SOLUTION


def _as_is(x, y, seed):
    """A way to balance that changes nothing. Given; the tests never call it."""
    return x, y


def _with_smote(x, y, seed):
    """SMOTE of the rarer class, up to the size of the other. The tests never call it."""
    # BEGIN SOLUTION
    labels, counts = np.unique(y, return_counts=True)
    rare = labels[np.argmin(counts)]
    made = smote(x[y == rare], counts.max() - counts.min(), seed=seed)
    return np.concatenate([x, made]), np.append(y, np.full(len(made), rare))
    # END SOLUTION


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
    # BEGIN SOLUTION
    keras.utils.set_random_seed(seed)
    train_rows, held_rows = stratified_split(y, 0.2, seed)
    mean, scale = _column_statistics(x[train_rows])
    model = keras.Sequential(
        [
            keras.Input((x.shape[1],)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    epochs, batch = 15, 128
    rate = keras.optimizers.schedules.CosineDecay(4e-3, epochs * -(-len(train_rows) // batch))
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
    x_train, y_train = (x[train_rows] - mean) / scale, y[train_rows]
    model.fit(x_train, y_train, batch, epochs, verbose=0, class_weight=class_weights(y_train))

    def score(payments):
        return model.predict((payments - mean) / scale, batch_size=4096, verbose=0)[:, 0]

    return score, cheapest_threshold(y[held_rows], score(x[held_rows]), fp_cost, fn_cost)
    # END SOLUTION
