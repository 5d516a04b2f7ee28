"""As far as the curves; a linear model for the rest. Divides by zero in some places."""

import keras
import numpy as np


def random_under_sample(x, y, seed):
    rng = np.random.default_rng(seed)
    labels, counts = np.unique(y, return_counts=True)
    kept = np.concatenate([rng.permutation(np.flatnonzero(y == label))[: counts.min()] for label in labels])
    return x[kept], y[kept]


def random_over_sample(x, y, seed):
    rng = np.random.default_rng(seed)
    labels, counts = np.unique(y, return_counts=True)
    kept = [np.arange(len(y))]
    for label, count in zip(labels, counts, strict=True):
        kept.append(rng.choice(np.flatnonzero(y == label), size=counts.max() - count, replace=True))
    kept = np.concatenate(kept)
    return x[kept], y[kept]


def smote(x, count, k=5, seed=0):
    raise NotImplementedError


def class_weights(y):
    labels, counts = np.unique(y, return_counts=True)
    return {int(a): float(len(y) / (len(labels) * b)) for a, b in zip(labels, counts, strict=True)}


def stratified_split(y, test_share, seed):
    raise NotImplementedError


def confusion_matrix(y_true, y_pred, classes):
    if len(y_true) != len(y_pred):
        raise ValueError("y_true and y_pred differ in length")
    for labels in (y_true, y_pred):
        if np.any(labels < 0) or np.any(labels >= classes):
            raise ValueError(f"labels are 0 to {classes - 1}")
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (y_true, y_pred), 1)
    return matrix


def precision(y_true, y_pred):
    return np.sum((y_true == 1) & (y_pred == 1)) / np.sum(y_pred == 1)


def recall(y_true, y_pred):
    return np.sum((y_true == 1) & (y_pred == 1)) / np.sum(y_true == 1)


def specificity(y_true, y_pred):
    return np.sum((y_true == 0) & (y_pred == 0)) / np.sum(y_true == 0)


def f_beta(y_true, y_pred, beta=1.0):
    p, r = precision(y_true, y_pred), recall(y_true, y_pred)
    return (1 + beta**2) * p * r / (beta**2 * p + r)


def balanced_accuracy(y_true, y_pred):
    return (recall(y_true, y_pred) + specificity(y_true, y_pred)) / 2


def matthews(y_true, y_pred):
    raise NotImplementedError


def average_scores(y_true, y_pred, classes, average):
    raise NotImplementedError


def flag(scores, threshold):
    return (scores >= threshold).astype(np.int64)


def roc_curve(y_true, scores):
    raise NotImplementedError


def roc_auc(y_true, scores):
    raise NotImplementedError


def precision_recall_curve(y_true, scores):
    raise NotImplementedError


def average_precision(y_true, scores):
    raise NotImplementedError


def best_f_threshold(y_true, scores, beta=1.0):
    raise NotImplementedError


def cheapest_threshold(y_true, scores, fp_cost, fn_cost):
    raise NotImplementedError


def threshold_for_recall(y_true, scores, wanted):
    raise NotImplementedError


def prepare(x, y, test_share, how, seed):
    raise NotImplementedError


def fit_classifier(x, y, seed, fp_cost=1.0, fn_cost=20.0):
    keras.utils.set_random_seed(seed)
    mean, scale = x.mean(axis=0), x.std(axis=0)
    model = keras.Sequential([keras.Input((x.shape[1],)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    model.fit((x - mean) / scale, y, batch_size=128, epochs=10, verbose=0, class_weight=class_weights(y))

    def score(rows):
        return model.predict((rows - mean) / scale, batch_size=2048, verbose=0)[:, 0]

    return score, 0.5
