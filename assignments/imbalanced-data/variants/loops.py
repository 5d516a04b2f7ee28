"""Python loops over samples and thresholds; AUC by counting pairs; a network trained on over-sampled rows."""

import math
from collections import Counter

import keras
import numpy as np


def _by_class(y):
    rows = {}
    for number, label in enumerate(y.tolist()):
        rows.setdefault(label, []).append(number)
    return rows


def random_under_sample(x, y, seed):
    rng = np.random.default_rng(seed)
    groups = _by_class(y)
    least = min(map(len, groups.values()))
    kept = []
    for rows in groups.values():
        rng.shuffle(rows)
        kept += rows[:least]
    return x[kept], y[kept]


def random_over_sample(x, y, seed):
    rng = np.random.default_rng(seed)
    groups = _by_class(y)
    most = max(map(len, groups.values()))
    kept = []
    for rows in groups.values():
        kept += rows
        for _ in range(most - len(rows)):
            kept.append(rows[rng.integers(len(rows))])
    return x[kept], y[kept]


def smote(x, count, k=5, seed=0):
    if k < 1 or len(x) <= k:
        raise ValueError("k neighbours are needed beside each row")
    rng = np.random.default_rng(seed)
    made = np.empty((count, x.shape[1]))
    for number in range(count):
        base = int(rng.integers(len(x)))
        others = sorted(
            (row for row in range(len(x)) if row != base), key=lambda row: math.dist(x[row], x[base])
        )
        partner = others[int(rng.integers(k))]
        made[number] = x[base] + rng.random() * (x[partner] - x[base])
    return made


def class_weights(y):
    counts = Counter(y.tolist())
    return {label: len(y) / (len(counts) * count) for label, count in counts.items()}


def stratified_split(y, test_share, seed):
    if test_share <= 0 or test_share >= 1:
        raise ValueError("test_share lies between 0 and 1")
    rng = np.random.default_rng(seed)
    train, test = [], []
    for rows in _by_class(y).values():
        if len(rows) == 1:
            raise ValueError("a class with a single row")
        size = min(max(math.floor(test_share * len(rows) + 0.5), 1), len(rows) - 1)
        rng.shuffle(rows)
        test += rows[:size]
        train += rows[size:]
    return np.array(train), np.array(test)


def confusion_matrix(y_true, y_pred, classes):
    if len(y_true) != len(y_pred):
        raise ValueError("different lengths")
    counts = [[0] * classes for _ in range(classes)]
    for row, column in zip(y_true.tolist(), y_pred.tolist()):
        if row not in range(classes) or column not in range(classes):
            raise ValueError("no such class")
        counts[row][column] += 1
    return np.array(counts, np.int64)


def _four(y_true, y_pred):
    (tn, fp), (fn, tp) = confusion_matrix(y_true, y_pred, 2).tolist()
    return tn, fp, fn, tp


def _quotient(a, b):
    return a / b if b else 0.0


def precision(y_true, y_pred):
    _, fp, _, tp = _four(y_true, y_pred)
    return _quotient(tp, tp + fp)


def recall(y_true, y_pred):
    _, _, fn, tp = _four(y_true, y_pred)
    return _quotient(tp, tp + fn)


def specificity(y_true, y_pred):
    tn, fp, _, _ = _four(y_true, y_pred)
    return _quotient(tn, tn + fp)


def f_beta(y_true, y_pred, beta=1.0):
    p, r = precision(y_true, y_pred), recall(y_true, y_pred)
    return _quotient((1 + beta * beta) * p * r, beta * beta * p + r)


def balanced_accuracy(y_true, y_pred):
    return 0.5 * recall(y_true, y_pred) + 0.5 * specificity(y_true, y_pred)


def matthews(y_true, y_pred):
    tn, fp, fn, tp = _four(y_true, y_pred)
    return _quotient(tp * tn - fp * fn, math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))


def average_scores(y_true, y_pred, classes, average):
    if average not in ("macro", "weighted"):
        raise ValueError("no such average")
    totals = {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    for label in range(classes):
        truth, predicted = (y_true == label).astype(int), (y_pred == label).astype(int)
        weight = 1 / classes if average == "macro" else truth.sum() / len(truth)
        totals["precision"] += weight * precision(truth, predicted)
        totals["recall"] += weight * recall(truth, predicted)
        totals["f1"] += weight * f_beta(truth, predicted)
    return {name: float(value) for name, value in totals.items()}


def flag(scores, threshold):
    return np.array([int(score >= threshold) for score in scores.tolist()], dtype=np.int64)


def _points(y_true, scores):
    hits, alarms = Counter(), Counter()
    for label, score in zip(y_true.tolist(), scores.tolist()):
        (hits if label else alarms)[score] += 1
    points, tp, fp = [], 0, 0
    for threshold in sorted({*hits, *alarms}, reverse=True):
        tp += hits[threshold]
        fp += alarms[threshold]
        points.append((threshold, tp, fp))
    return points


def _check(y_true, negatives):
    if not any(label == 1 for label in y_true):
        raise ValueError("no positives")
    if negatives and all(label == 1 for label in y_true):
        raise ValueError("no negatives")


def roc_curve(y_true, scores):
    _check(y_true, True)
    found = [(math.inf, 0, 0), *_points(y_true, scores)]
    thresholds, tp, fp = map(np.array, zip(*found))
    return fp / fp[-1], tp / tp[-1], thresholds


def roc_auc(y_true, scores):
    _check(y_true, True)
    above = [score for label, score in zip(y_true, scores) if label == 1]
    below = [score for label, score in zip(y_true, scores) if label == 0]
    won = 0.0
    for left in above:
        for right in below:
            won += 1.0 if left > right else 0.5 if left == right else 0.0
    return won / (len(above) * len(below))


def precision_recall_curve(y_true, scores):
    _check(y_true, False)
    found = _points(y_true, scores)
    total = found[-1][1]
    return (
        np.array([tp / (tp + fp) for _, tp, fp in found]),
        np.array([tp / total for _, tp, _ in found]),
        np.array([threshold for threshold, _, _ in found]),
    )


def average_precision(y_true, scores):
    total, before = 0.0, 0.0
    for p, r in zip(*precision_recall_curve(y_true, scores)[:2]):
        total += (r - before) * p
        before = r
    return float(total)


def best_f_threshold(y_true, scores, beta=1.0):
    return max(scores.tolist(), key=lambda threshold: f_beta(y_true, flag(scores, threshold), beta))


def cheapest_threshold(y_true, scores, fp_cost, fn_cost):
    positives = int(y_true.sum())
    best, least = math.inf, fn_cost * positives
    for threshold, tp, fp in _points(y_true, scores):
        cost = fp_cost * fp + fn_cost * (positives - tp)
        if cost < least:
            best, least = threshold, cost
    return float(best)


def threshold_for_recall(y_true, scores, wanted):
    if wanted <= 0 or wanted > 1:
        raise ValueError("wanted is a share above 0")
    total = int(y_true.sum())
    for threshold, tp, _ in _points(y_true, scores):
        if tp / total >= wanted:
            return float(threshold)
    raise ValueError("no positives")


def prepare(x, y, test_share, how, seed):
    if how not in ("none", "under", "over", "smote"):
        raise ValueError("no such way to balance")
    train, test = stratified_split(y, test_share, seed)
    mean, scale = [], []
    for column in x[train].T:
        middle = math.fsum(column) / len(column)
        spread = math.sqrt(math.fsum((value - middle) ** 2 for value in column) / len(column))
        mean.append(middle)
        scale.append(1.0 if max(column) == min(column) else spread)
    mean, scale = np.array(mean), np.array(scale)
    x_train, y_train = (x[train] - mean) / scale, y[train]
    if how == "under":
        x_train, y_train = random_under_sample(x_train, y_train, seed)
    if how == "over":
        x_train, y_train = random_over_sample(x_train, y_train, seed)
    if how == "smote":
        groups = _by_class(y_train)
        rare = min(groups, key=lambda label: len(groups[label]))
        lacking = abs(len(groups[0]) - len(groups[1]))
        made = smote(x_train[groups[rare]], lacking, 5, seed)
        x_train, y_train = np.vstack([x_train, made]), np.array([*y_train, *[rare] * lacking])
    x_test = (x[test] - mean) / scale
    return dict(
        train_rows=train,
        test_rows=test,
        mean=mean,
        scale=scale,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y[test],
    )


def fit_classifier(x, y, seed, fp_cost=1.0, fn_cost=20.0):
    keras.utils.set_random_seed(seed)
    parts = prepare(x, y, 0.2, "over", seed)
    inputs = keras.Input(parts["mean"].shape)
    hidden = inputs
    small = keras.regularizers.L2(3e-3)
    for units in (48, 24):
        hidden = keras.layers.Dense(units, activation="swish", kernel_regularizer=small)(hidden)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(2e-3), "binary_crossentropy")
    model.fit(parts["x_train"], parts["y_train"], batch_size=256, epochs=8, verbose=0)

    def score(rows):
        return np.asarray(model((rows - parts["mean"]) / parts["scale"]))[:, 0]

    held = score((parts["x_test"] * parts["scale"]) + parts["mean"])
    return score, cheapest_threshold(parts["y_test"], held, fp_cost, fn_cost)
