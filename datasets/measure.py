"""Measure the figures of a card: `python datasets/measure.py NAME`; a name is one of `MEASURED`.

What can be integrated is: the accuracy of the best rule for `blobs` and `two_moons`; that of `sine` is the noise's
variance. The figures of `fraud` are means over draws of fresh rows, half of them fraud, each with its standard error
over the draws. Average precision is that at the set's own 0.5 % of fraud: rows are weighted so. The best score is the
true likelihood ratio.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd

from dlquiz import data
from dlquiz.data import fraud, points

MEASURED = ("blobs", "fraud", "sine", "two_moons")
DRAWS, ROWS = 20, 100_000
LATER = (fraud.PERIOD, 1.5 * fraud.PERIOD)
Score = Callable[[pd.DataFrame], np.ndarray]


def blobs_accuracy(step: float = 0.02) -> float:
    """The integral of the highest class-density over the plane, divided by the number of classes."""
    grid = _grid(-8, 8, step)
    densities = [np.exp(-((grid - centre) ** 2).sum(-1) / 2) / (2 * np.pi) for centre in points.BLOB_CENTRES]
    return float(np.max(densities, axis=0).sum() * step**2 / len(densities))


def two_moons_accuracy(step: float = 0.02, arc_points: int = 200) -> float:
    """As `blobs_accuracy`; a class's density is the mean of the noise's about the points of its arc."""
    grid = _grid(-3, 4, step)
    angles = (np.arange(arc_points) + 0.5) * np.pi / arc_points
    densities = []
    for label in (0, 1):
        density = np.zeros(len(grid))
        for point in points.moon(angles, label):
            density += np.exp(-((grid - point) ** 2).sum(-1) / (2 * points.MOON_SPREAD**2))
        densities.append(density / (arc_points * 2 * np.pi * points.MOON_SPREAD**2))
    return float(np.max(densities, axis=0).sum() * step**2 / 2)


def ranking(
    score: Score, hours: tuple[float, float], draws: int = DRAWS, rows: int = ROWS
) -> dict[str, tuple[float, float]]:
    """ROC AUC and average precision of a score on fresh rows: each its mean and standard error over the draws."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    found = []
    for number in range(draws):
        rng = np.random.Generator(np.random.PCG64([number, 1]))
        frame = fraud.draw(rows, rng, hours=hours, rate=0.5)
        labels, scores = frame[fraud.TARGET].to_numpy(), score(frame)
        weights = np.where(labels == 1, fraud.RATE, 1 - fraud.RATE)
        found.append(
            (roc_auc_score(labels, scores), average_precision_score(labels, scores, sample_weight=weights))
        )
    means, errors = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(draws)
    return {
        name: (float(mean), float(error))
        for name, mean, error in zip(("ROC AUC", "average precision"), means, errors, strict=True)
    }


def fraud_scores() -> dict[str, Score]:
    """The best score, and scores of models that are fitted to the stored rows."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    stored = data.load("fraud")
    numeric = [name for name in fraud.COLUMNS if name not in fraud.CATEGORIES]
    models = {
        "logistic regression, scaled and one-hot": make_pipeline(
            make_column_transformer((StandardScaler(), numeric), (OneHotEncoder(), list(fraud.CATEGORIES))),
            LogisticRegression(max_iter=2000),
        ),
        "gradient boosting": HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=150,
            max_leaf_nodes=8,
            min_samples_leaf=50,
            l2_regularization=10,
            categorical_features="from_dtype",
            random_state=0,
        ),
    }
    scores: dict[str, Score] = {"best possible": fraud.log_likelihood_ratio}
    for name, model in models.items():
        model.fit(stored.features, stored.target)
        scores[name] = lambda frame, model=model: model.predict_proba(frame[list(fraud.COLUMNS)])[:, 1]
    return scores


def figures(name: str) -> list[tuple[str, float, float]]:
    """Name, value and standard error of each figure of a card."""
    if name == "fraud":
        spans = {"same 60 days": (0.0, fraud.PERIOD), "following 30 days": LATER}
        return [
            (f"{metric}, {of}, {when}", *value)
            for when, hours in spans.items()
            for of, score in fraud_scores().items()
            for metric, value in ranking(score, hours).items()
        ]
    if name == "sine":
        return [("mean squared error, best possible", points.SINE_SPREAD**2, 0.0)]
    accuracy = {"blobs": blobs_accuracy, "two_moons": two_moons_accuracy}[name]()
    return [("accuracy, best possible", accuracy, 0.0)]


def main() -> None:
    """Print the figures as the card has them."""
    parser = argparse.ArgumentParser(description="Measure the figures of a data set's card.")
    parser.add_argument("name", choices=MEASURED)
    name = parser.parse_args().name
    for what, value, error in figures(name):
        print(
            f'\n[[figure]]\nname = "{what}"\nvalue = {value:.4f}\nstandard_error = {error:.1g}\n'
            f'command = "python datasets/measure.py {name}"'
        )


def _grid(low: float, high: float, step: float) -> np.ndarray:
    line = np.arange(low, high, step)
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


if __name__ == "__main__":
    main()
