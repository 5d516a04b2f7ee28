"""Counts by searching in the sorted scores of each class; resampling by random keys; one SMOTE row after the
other; a network whose samples of the rare class weigh five times as much."""

import keras
import numpy as np
from keras import ops


def random_under_sample(x, y, seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(y))
    least = np.unique(y, return_counts=True)[1].min()
    kept = [order[y[order] == label][:least] for label in np.unique(y)]
    return x[np.hstack(kept)], y[np.hstack(kept)]


def random_over_sample(x, y, seed):
    rng = np.random.default_rng(seed)
    labels, counts = np.unique(y, return_counts=True)
    parts_x, parts_y = [x], [y]
    for label, count in zip(labels, counts):
        copies = rng.choice(x[y == label], counts.max() - count, axis=0)
        parts_x.append(copies)
        parts_y.append(np.full(len(copies), label, y.dtype))
    return np.concatenate(parts_x), np.concatenate(parts_y)


def smote(x, count, k=5, seed=0):
    if not 1 <= k <= len(x) - 1:
        raise ValueError("too few rows, or no neighbours asked for")
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        base = rng.choice(x)
        distance = np.linalg.norm(x - base, axis=1)
        partner = x[rng.choice(np.argsort(distance, kind="stable")[1 : k + 1])]
        made.append(base + (partner - base) * rng.uniform())
    return np.array(made).reshape(count, x.shape[1])


def class_weights(y):
    labels, counts = np.unique(y, return_counts=True)
    share = counts / counts.sum()
    return {int(label): float(1 / (len(labels) * one)) for label, one in zip(labels, share)}


def stratified_split(y, test_share, seed):
    if not 0.0 < test_share < 1.0 or np.unique(y, return_counts=True)[1].min() < 2:
        raise ValueError("cannot be split")
    order = np.random.default_rng(seed).permutation(len(y))
    is_test = np.zeros(len(y), bool)
    for label in np.unique(y):
        rows = order[y[order] == label]
        is_test[rows[: max(1, min(len(rows) - 1, round(test_share * len(rows))))]] = True
    return order[~is_test[order]], order[is_test[order]]


def confusion_matrix(y_true, y_pred, classes):
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if len(y_true) != len(y_pred):
        raise ValueError("lengths differ")
    both = np.concatenate([y_true, y_pred])
    if both.size and (both.min() < 0 or both.max() >= classes):
        raise ValueError("a label that is no class")
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (y_true, y_pred), 1)
    return matrix


def _cells(y_true, y_pred):
    return [float(cell) for cell in confusion_matrix(y_true, y_pred, 2).flat]


def precision(y_true, y_pred):
    _, fp, _, tp = _cells(y_true, y_pred)
    return tp / max(tp + fp, 1)


def recall(y_true, y_pred):
    _, _, fn, tp = _cells(y_true, y_pred)
    return tp / max(tp + fn, 1)


def specificity(y_true, y_pred):
    tn, fp, _, _ = _cells(y_true, y_pred)
    return tn / max(tn + fp, 1)


def f_beta(y_true, y_pred, beta=1.0):
    p, r = precision(y_true, y_pred), recall(y_true, y_pred)
    return 1 / ((1 / p + beta**2 / r) / (1 + beta**2)) if p and r else 0.0


def balanced_accuracy(y_true, y_pred):
    return (recall(y_true, y_pred) + specificity(y_true, y_pred)) / 2


def matthews(y_true, y_pred):
    tn, fp, fn, tp = _cells(y_true, y_pred)
    roots = [np.sqrt(total) for total in (tp + fp, tp + fn, tn + fp, tn + fn)]
    return float((tp * tn - fp * fn) / np.prod(roots)) if all(roots) else 0.0


def average_scores(y_true, y_pred, classes, average):
    if average not in {"macro", "weighted"}:
        raise ValueError("an unknown average")
    rows = []
    for label in range(classes):
        pair = (y_true == label) * 1, (y_pred == label) * 1
        rows.append([precision(*pair), recall(*pair), f_beta(*pair)])
    weights = None if average == "macro" else np.bincount(y_true, minlength=classes)
    return dict(zip(["precision", "recall", "f1"], np.average(rows, axis=0, weights=weights).tolist()))


def flag(scores, threshold):
    return np.greater_equal(scores, threshold) * np.int64(1)


def _at_or_above(values, thresholds):
    return len(values) - np.searchsorted(np.sort(values), thresholds, side="left")


def _counts(y_true, scores):
    thresholds = np.flip(np.unique(scores))
    return thresholds, *(_at_or_above(scores[y_true == label], thresholds) for label in (1, 0))


def roc_curve(y_true, scores):
    if not 0 < y_true.mean() < 1:
        raise ValueError("both classes, please")
    thresholds, tp, fp = _counts(y_true, scores)
    return tuple(
        np.hstack([first, rest])
        for first, rest in ((0.0, fp / (y_true == 0).sum()), (0.0, tp / y_true.sum()), (np.inf, thresholds))
    )


def roc_auc(y_true, scores):
    positive, negative = scores[y_true == 1], np.sort(scores[y_true == 0])
    if not (len(positive) and len(negative)):
        raise ValueError("both classes, please")
    below = sum(np.searchsorted(negative, positive, side=side) for side in ("left", "right"))
    return float(below.mean() / 2 / len(negative))


def precision_recall_curve(y_true, scores):
    if not y_true.sum():
        raise ValueError("no positive")
    thresholds, tp, fp = _counts(y_true, scores)
    return tp / (tp + fp), tp / y_true.sum(), thresholds


def average_precision(y_true, scores):
    p, r, _ = precision_recall_curve(y_true, scores)
    return float(np.dot(p, r - np.concatenate([[0], r[:-1]])))


def best_f_threshold(y_true, scores, beta=1.0):
    p, r, thresholds = precision_recall_curve(y_true, scores)
    below = np.maximum(beta**2 * p + r, 1e-12)
    return float(thresholds[np.argmax(p * r / below)])


def cheapest_threshold(y_true, scores, fp_cost, fn_cost):
    candidates = [np.inf, *np.flip(np.unique(scores))]
    costs = []
    for candidate in candidates:
        flagged = flag(scores, candidate)
        costs.append(fp_cost * (flagged & ~(y_true == 1)).sum() + fn_cost * ((1 - flagged) & y_true).sum())
    return float(candidates[int(np.argmin(costs))])


def threshold_for_recall(y_true, scores, wanted):
    if not 0 < wanted <= 1:
        raise ValueError("wanted lies above 0, up to 1")
    positive = np.sort(scores[y_true == 1])[::-1]
    return float(positive[int(np.ceil(wanted * len(positive) - 1e-9)) - 1])


def prepare(x, y, test_share, how, seed):
    def balanced(part, labels):
        match how:
            case "none":
                return part, labels
            case "under":
                return random_under_sample(part, labels, seed)
            case "over":
                return random_over_sample(part, labels, seed)
            case "smote":
                rare = np.argmin(np.bincount(labels))
                new = smote(part[labels == rare], np.ptp(np.bincount(labels)), seed=seed)
                return np.vstack([new, part]), np.hstack([np.full(len(new), rare), labels])
        raise ValueError(f"{how} is no way to balance")

    train, test = stratified_split(y, test_share, seed)
    mean = np.mean(x[train], axis=0)
    scale = np.sqrt(np.mean((x[train] - mean) ** 2, axis=0))
    scale[(x[train] == x[train][0]).all(axis=0)] = 1.0
    x_train, y_train = balanced((x[train] - mean) / scale, y[train])
    return {
        "train_rows": train,
        "test_rows": test,
        "mean": mean,
        "scale": scale,
        "x_train": x_train,
        "y_train": y_train,
        "x_test": (x[test] - mean) / scale,
        "y_test": y[test],
    }


def _network(columns):
    return keras.Sequential(
        [
            keras.Input((columns,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(1),
        ]
    )


def fit_classifier(x, y, seed, fp_cost=1.0, fn_cost=20.0):
    keras.utils.set_random_seed(seed)
    parts = prepare(x, y, 0.2, "none", seed)
    x_train, y_train = parts["x_train"], parts["y_train"]
    weights = np.where(y_train == 1, 5.0, 1.0)
    model = _network(x.shape[1])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(2e-3, weight_decay=0.1), loss)
    model.fit(x_train, y_train, sample_weight=weights, batch_size=64, epochs=8, verbose=0)

    def score(rows):
        logits = model((rows - parts["mean"]) / parts["scale"], training=False)
        return ops.convert_to_numpy(ops.sigmoid(logits[:, 0]))

    held = score(x[parts["test_rows"]])
    return score, cheapest_threshold(parts["y_test"], held, fp_cost, fn_cost)
