"""Everything, but resampled and scaled before the split: copies of a row lie on both sides of it."""

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
    if k < 1 or k >= len(x):
        raise ValueError(f"{k} neighbours of {len(x)} rows")
    rng = np.random.default_rng(seed)
    distance = np.sqrt(((x[:, None, :] - x[None, :, :]) ** 2).sum(axis=-1))
    np.fill_diagonal(distance, np.inf)
    neighbours = distance.argsort(axis=1)[:, :k]
    start = rng.integers(0, len(x), count)
    end = neighbours[start, rng.integers(0, k, count)]
    return x[start] + rng.uniform(size=(count, 1)) * (x[end] - x[start])


def class_weights(y):
    labels, counts = np.unique(y, return_counts=True)
    return {int(a): float(len(y) / (len(labels) * b)) for a, b in zip(labels, counts, strict=True)}


def stratified_split(y, test_share, seed):
    if not 0 < test_share < 1:
        raise ValueError("test_share lies between 0 and 1")
    rng = np.random.default_rng(seed)
    test = []
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        if len(rows) < 2:
            raise ValueError(f"class {label} has a single row")
        test.append(rows[: min(max(round(test_share * len(rows)), 1), len(rows) - 1)])
    test = np.concatenate(test)
    return np.setdiff1d(np.arange(len(y)), test), test


def confusion_matrix(y_true, y_pred, classes):
    if len(y_true) != len(y_pred):
        raise ValueError("y_true and y_pred differ in length")
    for labels in (y_true, y_pred):
        if np.any(labels < 0) or np.any(labels >= classes):
            raise ValueError(f"labels are 0 to {classes - 1}")
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (y_true, y_pred), 1)
    return matrix


def divide(a, b):
    return float(a) / float(b) if b else 0.0


def precision(y_true, y_pred):
    matrix = confusion_matrix(y_true, y_pred, 2)
    return divide(matrix[1, 1], matrix[:, 1].sum())


def recall(y_true, y_pred):
    matrix = confusion_matrix(y_true, y_pred, 2)
    return divide(matrix[1, 1], matrix[1].sum())


def specificity(y_true, y_pred):
    matrix = confusion_matrix(y_true, y_pred, 2)
    return divide(matrix[0, 0], matrix[0].sum())


def f_beta(y_true, y_pred, beta=1.0):
    p, r = precision(y_true, y_pred), recall(y_true, y_pred)
    return divide((1 + beta**2) * p * r, beta**2 * p + r)


def balanced_accuracy(y_true, y_pred):
    return (recall(y_true, y_pred) + specificity(y_true, y_pred)) / 2


def matthews(y_true, y_pred):
    tn, fp, fn, tp = confusion_matrix(y_true, y_pred, 2).ravel().tolist()
    return divide(tp * tn - fp * fn, ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) ** 0.5)


def average_scores(y_true, y_pred, classes, average):
    if average not in ("macro", "weighted"):
        raise ValueError(f"no average {average!r}")
    matrix = confusion_matrix(y_true, y_pred, classes)
    rows = []
    for k in range(classes):
        p, r = divide(matrix[k, k], matrix[:, k].sum()), divide(matrix[k, k], matrix[k].sum())
        rows.append([p, r, divide(2 * p * r, p + r)])
    weights = matrix.sum(axis=1) if average == "weighted" else None
    mean = np.average(rows, axis=0, weights=weights)
    return {"precision": float(mean[0]), "recall": float(mean[1]), "f1": float(mean[2])}


def flag(scores, threshold):
    return (scores >= threshold).astype(np.int64)


def counts_at_thresholds(y_true, scores):
    thresholds, place = np.unique(-scores, return_inverse=True)
    tp = np.bincount(place, weights=y_true, minlength=len(thresholds)).cumsum()
    fp = np.bincount(place, weights=1 - y_true, minlength=len(thresholds)).cumsum()
    return -thresholds, tp, fp


def roc_curve(y_true, scores):
    thresholds, tp, fp = counts_at_thresholds(y_true, scores)
    if tp[-1] == 0 or fp[-1] == 0:
        raise ValueError("a class is missing")
    return np.r_[0, fp / fp[-1]], np.r_[0, tp / tp[-1]], np.r_[np.inf, thresholds]


def roc_auc(y_true, scores):
    fpr, tpr, _ = roc_curve(y_true, scores)
    return float(np.trapezoid(tpr, fpr))


def precision_recall_curve(y_true, scores):
    thresholds, tp, fp = counts_at_thresholds(y_true, scores)
    if tp[-1] == 0:
        raise ValueError("no positives")
    return tp / (tp + fp), tp / tp[-1], thresholds


def average_precision(y_true, scores):
    p, r, _ = precision_recall_curve(y_true, scores)
    return float((p * np.diff(np.r_[0, r])).sum())


def best_f_threshold(y_true, scores, beta=1.0):
    p, r, thresholds = precision_recall_curve(y_true, scores)
    f = (1 + beta**2) * p * r / np.where(p + r > 0, beta**2 * p + r, 1)
    return float(thresholds[f.argmax()])


def cheapest_threshold(y_true, scores, fp_cost, fn_cost):
    thresholds, tp, fp = (
        np.r_[first, rest]
        for first, rest in zip((np.inf, 0, 0), counts_at_thresholds(y_true, scores), strict=True)
    )
    return float(thresholds[(fp_cost * fp + fn_cost * (tp[-1] - tp)).argmin()])


def threshold_for_recall(y_true, scores, wanted):
    if not 0 < wanted <= 1:
        raise ValueError("wanted is above 0, at most 1")
    _, r, thresholds = precision_recall_curve(y_true, scores)
    return float(thresholds[r >= wanted].max())


def prepare(x, y, test_share, how, seed):
    if how not in ("none", "under", "over", "smote"):
        raise ValueError(f"no way to balance is called {how!r}")
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(np.ptp(x, axis=0) > 0, scale, 1.0)
    x = (x - mean) / scale
    if how == "under":
        x, y = random_under_sample(x, y, seed)
    elif how == "over":
        x, y = random_over_sample(x, y, seed)
    elif how == "smote":
        sizes = np.bincount(y)
        rare = sizes.argmin()
        new = smote(x[y == rare], sizes.max() - sizes.min(), 5, seed)
        x, y = np.r_[x, new], np.r_[y, np.full(len(new), rare)]
    train, test = stratified_split(y, test_share, seed)
    return {
        "train_rows": train,
        "test_rows": test,
        "mean": mean,
        "scale": scale,
        "x_train": x[train],
        "y_train": y[train],
        "x_test": x[test],
        "y_test": y[test],
    }


def fit_classifier(x, y, seed, fp_cost=1.0, fn_cost=20.0):
    keras.utils.set_random_seed(seed)
    parts = prepare(x, y, 0.2, "over", seed)
    model = keras.Sequential(
        [
            keras.Input((x.shape[1],)),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy")
    best = keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)
    held = parts["x_test"], parts["y_test"]
    model.fit(
        parts["x_train"],
        parts["y_train"],
        batch_size=256,
        epochs=40,
        verbose=0,
        validation_data=held,
        callbacks=[best],
    )

    def score(rows):
        return model.predict((rows - parts["mean"]) / parts["scale"], batch_size=2048, verbose=0).ravel()

    scores = model.predict(held[0], batch_size=2048, verbose=0).ravel()
    print("AUC on held-out rows", roc_auc(held[1], scores))
    return score, cheapest_threshold(held[1], scores, fp_cost, fn_cost)
