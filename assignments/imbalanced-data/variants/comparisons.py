"""Whole tables of comparisons instead of sorting; AUC by ranks; distances by SciPy; a network without
any weights, whose probabilities decide by their expected cost."""

import keras
import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import rankdata


def _keys(y, seed):
    """For each row its place within its class in a random order, and the size of its class."""
    keys = np.random.default_rng(seed).random(len(y))
    same = y[:, None] == y
    return (same & (keys < keys[:, None])).sum(axis=1), same.sum(axis=1)


def random_under_sample(x, y, seed):
    place, size = _keys(y, seed)
    stays = place < size.min()
    return x[stays], y[stays]


def random_over_sample(x, y, seed):
    rng = np.random.default_rng(seed)
    _, classes, counts = np.unique(y, return_inverse=True, return_counts=True)
    extra = [rng.integers(counts[label], size=counts.max() - counts[label]) for label in range(len(counts))]
    rows = [np.flatnonzero(classes == label) for label in range(len(counts))]
    kept = np.concatenate([np.concatenate([own, own[more]]) for own, more in zip(rows, extra)])
    return np.take(x, kept, axis=0), np.take(y, kept)


def smote(x, count, k=5, seed=0):
    if not 0 < k <= len(x) - 1:
        raise ValueError(f"no {k} neighbours among {len(x)} rows")
    rng = np.random.default_rng(seed)
    apart = cdist(x, x) + np.diag(np.full(len(x), np.inf))
    near = np.argsort(apart, axis=1)[:, :k]
    pairs = np.stack([np.repeat(np.arange(len(x)), k), near.ravel()])
    start, end = x[pairs[:, rng.integers(pairs.shape[1], size=count)]]
    u = rng.uniform(size=count)[:, None]
    return (1 - u) * start + u * end


def class_weights(y):
    return {int(label): 1 / (len(set(y.tolist())) * float(np.mean(y == label))) for label in set(y.tolist())}


def stratified_split(y, test_share, seed):
    place, size = _keys(y, seed)
    if not 0 < test_share < 1 or size.min() == 1:
        raise ValueError("cannot be split")
    wanted = np.minimum(np.maximum(np.floor(test_share * size + 0.5), 1), size - 1)
    return np.flatnonzero(place >= wanted), np.flatnonzero(place < wanted)


def confusion_matrix(y_true, y_pred, classes):
    if len(y_true) != len(y_pred):
        raise ValueError("lengths differ")
    if not np.isin([*y_true, *y_pred], np.arange(classes)).all():
        raise ValueError("labels out of range")
    known = np.arange(classes)
    return (y_true == known[:, None]).astype(np.int64) @ (y_pred[:, None] == known).astype(np.int64)


def _safe(a, b):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(np.asarray(a, float) / np.asarray(b, float), nan=0.0, posinf=0.0)


def precision(y_true, y_pred):
    return _safe(np.sum(y_true & y_pred), np.sum(y_pred))[()]


def recall(y_true, y_pred):
    return precision(y_pred, y_true)


def specificity(y_true, y_pred):
    return recall(1 - y_true, 1 - y_pred)


def f_beta(y_true, y_pred, beta=1.0):
    return _safe((1 + beta**2) * np.sum(y_true & y_pred), beta**2 * np.sum(y_true) + np.sum(y_pred))[()]


def balanced_accuracy(y_true, y_pred):
    return np.mean([recall(y_true, y_pred), specificity(y_true, y_pred)])


def matthews(y_true, y_pred):
    truth, predicted = y_true - np.mean(y_true), y_pred - np.mean(y_pred)
    return _safe(np.mean(truth * predicted), np.std(y_true) * np.std(y_pred))[()]


def average_scores(y_true, y_pred, classes, average):
    truth, predicted = (np.eye(classes)[labels] for labels in (y_true, y_pred))
    if average == "macro":
        weights = np.full(classes, 1 / classes)
    elif average == "weighted":
        weights = truth.mean(axis=0)
    else:
        raise ValueError("macro or weighted")
    hits = (truth * predicted).sum(axis=0)
    p, r = _safe(hits, predicted.sum(axis=0)), _safe(hits, truth.sum(axis=0))
    return {"precision": p @ weights, "recall": r @ weights, "f1": _safe(2 * p * r, p + r) @ weights}


def flag(scores, threshold):
    return np.where(scores < threshold, 0, 1).astype("int64")


def _table(y_true, scores):
    thresholds = np.unique(scores)[::-1]
    flagged = scores >= thresholds[:, None]
    return thresholds, flagged @ y_true, flagged @ (1 - y_true)


def roc_curve(y_true, scores):
    if len(set(y_true.tolist())) < 2:
        raise ValueError("both classes are needed")
    thresholds, tp, fp = (np.insert(part.astype(float), 0, 0) for part in _table(y_true, scores))
    thresholds[0] = np.inf
    return fp / fp.max(), tp / tp.max(), thresholds


def roc_auc(y_true, scores):
    positives = int(y_true.sum())
    negatives = len(y_true) - positives
    if positives * negatives == 0:
        raise ValueError("both classes are needed")
    ranks = rankdata(scores)
    return (ranks[y_true == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives)


def precision_recall_curve(y_true, scores):
    if not y_true.any():
        raise ValueError("a positive is needed")
    thresholds, tp, fp = _table(y_true, scores)
    return tp / (tp + fp), tp / y_true.sum(), thresholds


def average_precision(y_true, scores):
    p, _, thresholds = precision_recall_curve(y_true, scores)
    at = np.searchsorted(-thresholds, -scores[y_true == 1])
    return p[at].mean()


def best_f_threshold(y_true, scores, beta=1.0):
    thresholds, tp, fp = _table(y_true, scores)
    return thresholds[np.argmin((beta**2 * (y_true.sum() - tp) + fp) / np.maximum(tp, 1e-300))]


def cheapest_threshold(y_true, scores, fp_cost, fn_cost):
    thresholds = np.append(np.inf, np.unique(scores)[::-1])
    flagged = scores >= thresholds[:, None]
    alarms, missed = flagged @ (1 - y_true), (~flagged).astype(int) @ y_true
    return thresholds[np.argmin(fp_cost * alarms + fn_cost * missed)]


def threshold_for_recall(y_true, scores, wanted):
    if not 0 < wanted <= 1:
        raise ValueError("a share is wanted")
    thresholds, tp, _ = _table(y_true, scores)
    return thresholds[tp / y_true.sum() >= wanted].max()


def prepare(x, y, test_share, how, seed):
    train_rows, test_rows = stratified_split(y, test_share, seed)
    kept = x[train_rows]
    mean, scale = kept.mean(axis=0), kept.std(axis=0)
    scale = np.where(np.ptp(kept, axis=0) == 0, 1, scale)
    x_train, y_train = (kept - mean) / scale, y[train_rows]
    if how in ("under", "over"):
        x_train, y_train = globals()[f"random_{how}_sample"](x_train, y_train, seed)
    elif how == "smote":
        rare = int(y_train.mean() < 0.5)
        few = x_train[y_train == rare]
        made = smote(few, len(x_train) - 2 * len(few), seed=seed)
        x_train, y_train = np.append(x_train, made, axis=0), np.append(y_train, [rare] * len(made))
    elif how != "none":
        raise ValueError("no such way")
    x_test, y_test = (x[test_rows] - mean) / scale, y[test_rows]
    names = ("train_rows", "test_rows", "mean", "scale", "x_train", "y_train", "x_test", "y_test")
    return {name: value for name, value in locals().items() if name in names}


class _Standardized(keras.layers.Layer):
    def __init__(self, mean, scale):
        super().__init__(trainable=False, dtype="float64")
        self.shift, self.factor = -mean, 1 / scale

    def call(self, inputs):
        return (inputs + self.shift) * self.factor


def fit_classifier(x, y, seed, fp_cost=1.0, fn_cost=20.0):
    keras.utils.set_random_seed(seed)
    scale = x.std(axis=0)
    network = [
        keras.Input(x.shape[1:], dtype="float64"),
        _Standardized(x.mean(axis=0), np.where(scale > 0, scale, 1)),
    ]
    for units in (64, 32):
        network += [keras.layers.Dense(units, activation="relu"), keras.layers.Dropout(0.2)]
    model = keras.Sequential([*network, keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(2e-3), "binary_crossentropy")
    model.fit(x, y, batch_size=128, epochs=14, verbose=0)
    return lambda rows: model.predict(rows, batch_size=5000, verbose=0)[:, 0], fp_cost / (fp_cost + fn_cost)
