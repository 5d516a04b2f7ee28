"""The drawings and pictures on imbalanced classes against scikit-learn and counting."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.utils.class_weight import compute_class_weight

from dlquiz.quiz.draws.drawn import Drawn, drawings
from dlquiz.quiz.items import load_bank
from dlquiz.quiz.plots.imbalance import NEGATIVES, POSITIVES
from dlquiz.quiz.plots.plot import Line, plottings

SEEDS = range(200)
Labels = np.ndarray


def drawn(name: str) -> Iterator[Drawn]:
    for seed in SEEDS:
        yield drawings()[name](random.Random(seed))


def agree(name: str, oracle: Callable[[Drawn], float]) -> None:
    answers, expected = [], []
    for one in drawn(name):
        answers.append(one.answer)
        expected.append(float(oracle(one)))
    np.testing.assert_allclose(answers, expected, rtol=1e-9)
    assert len(set(answers)) > 8, "one and the same question again and again"


def samples(one: Drawn) -> tuple[Labels, Labels]:
    """True and predicted labels that have the drawn confusion matrix."""
    counts = [int(one.values[name]) for name in ("found", "missed", "alarms", "quiet")]
    return np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts)


def scores(one: Drawn) -> tuple[Labels, Labels]:
    """Labels and scores of the drawn lists of positives and negatives."""
    positives, negatives = (
        [float(score) for score in str(one.values[name]).split(",")] for name in ("positives", "negatives")
    )
    return np.array([1] * len(positives) + [0] * len(negatives)), np.array(positives + negatives)


def test_precision_of_a_matrix() -> None:
    agree("precision-of-a-matrix", lambda one: precision_score(*samples(one)))
    for one in drawn("precision-of-a-matrix"):
        assert one.values["said"] == samples(one)[1].sum()


def test_f1_of_a_matrix() -> None:
    agree("f1-of-a-matrix", lambda one: f1_score(*samples(one)))
    for one in drawn("f1-of-a-matrix"):
        assert one.values["precision"] == pytest.approx(precision_score(*samples(one)))
        assert one.values["recall"] == pytest.approx(recall_score(*samples(one)))


def test_balanced_accuracy_of_a_matrix() -> None:
    agree("balanced-accuracy-of-a-matrix", lambda one: balanced_accuracy_score(*samples(one)))
    for one in drawn("balanced-accuracy-of-a-matrix"):
        assert one.values["recall"] == pytest.approx(recall_score(*samples(one)))
        assert one.values["specificity"] == pytest.approx(recall_score(*samples(one), pos_label=0))


def test_mcc_of_a_matrix() -> None:
    agree("mcc-of-a-matrix", lambda one: matthews_corrcoef(*samples(one)))
    for one in drawn("mcc-of-a-matrix"):
        assert float(one.values["above"]) / float(one.values["below"]) == pytest.approx(one.answer)


def test_balanced_class_weight() -> None:
    def weight(one: Drawn) -> float:
        counts = [int(one.values[name]) for name in ("first", "second", "third")]
        labels = np.repeat([0, 1, 2], counts)
        assert one.values["total"] == len(labels)
        assert one.values["rarest"] == np.bincount(labels).min()
        return float(compute_class_weight("balanced", classes=np.arange(3), y=labels).max())

    agree("balanced-class-weight", weight)


def test_auc_of_few_scores() -> None:
    agree("auc-of-few-scores", lambda one: roc_auc_score(*scores(one)))
    for one in drawn("auc-of-few-scores"):
        labels, values = scores(one)
        differences = values[labels == 1][:, None] - values[labels == 0]
        assert one.values["wins"] == (differences > 1e-9).sum()
        assert one.values["ties"] == (abs(differences) < 1e-9).sum() > 0


def test_average_precision_of_a_ranking() -> None:
    def area(one: Drawn) -> float:
        labels = [sign == "+" for sign in str(one.values["ranking"]).split()]
        assert len(labels) == 8
        assert one.values["count"] == sum(labels)
        assert one.values["ranks"] == ", ".join(str(place + 1) for place in np.flatnonzero(labels))
        return float(average_precision_score(labels, np.arange(8, 0, -1)))

    agree("average-precision-of-a-ranking", area)
    for one in drawn("average-precision-of-a-ranking"):
        parts = [part.split("/") for part in str(one.values["parts"]).split(", ")]
        assert np.mean([int(above) / int(below) for above, below in parts]) == pytest.approx(one.answer)


def test_cost_at_a_threshold() -> None:
    def cost(one: Drawn) -> float:
        labels, values = scores(one)
        assert abs(values - float(one.values["threshold"])).min() > 0.005, "a score on the threshold"
        (_, alarms), (misses, _) = confusion_matrix(labels, values >= float(one.values["threshold"]))
        assert (one.values["misses"], one.values["alarms"]) == (misses, alarms)
        return float(misses) * float(one.values["miss"]) + float(alarms) * float(one.values["alarm"])

    agree("cost-at-a-threshold", cost)


def test_precision_from_rates_in_a_population() -> None:
    def precision(one: Drawn) -> float:
        base, recall, alarm = (float(one.values[name]) for name in ("base", "recall", "alarm"))
        people = 1_000_000
        ill = round(people * base / 100)
        healthy = people - ill
        found, alarms = round(ill * recall / 100), round(healthy * alarm / 100)
        truth = np.repeat([1, 1, 0, 0], [found, ill - found, alarms, healthy - alarms])
        said = np.repeat([1, 0, 1, 0], [found, ill - found, alarms, healthy - alarms])
        return float(truth[said == 1].mean())

    agree("precision-from-rates", precision)
    for one in drawn("precision-from-rates"):
        found, alarms = float(one.values["found"]), float(one.values["alarms"])
        assert found / (found + alarms) == pytest.approx(one.answer)
        assert float(one.values["base"]) + float(one.values["rest"]) == 100


def test_probability_after_under_sampling_in_a_population() -> None:
    def probability(one: Drawn) -> float:
        # of 10 thinned samples with this score `said` are positive; put the negatives back
        said = float(one.values["said"])
        positives, kept_negatives = 10 * said, 10 * (1 - said)
        negatives = kept_negatives * 100 / float(one.values["percent"])
        return positives / (positives + negatives)

    agree("probability-after-under-sampling", probability)
    for one in drawn("probability-after-under-sampling"):
        assert float(one.values["kept"]) * 100 == pytest.approx(float(one.values["percent"]))
        assert float(one.values["said"]) + float(one.values["rest"]) == pytest.approx(1)


def lines(name: str) -> dict[str, Line]:
    return {line.label: line for line in plottings()[name]().lines}


def at(line: Line, x: float) -> float:
    return float(np.interp(x, line.x, line.y))


def test_the_two_roc_curves_are_as_their_item_says() -> None:
    shown = lines("roc-of-two-models")
    first, second = shown["model 1"], shown["model 2"]
    for line in shown.values():
        assert (line.x[0], line.y[0], line.x[-1], line.y[-1]) == (0, 0, 1, 1)
        assert (np.diff(line.y) >= 0).all()
    assert np.trapezoid(second.y, second.x) == pytest.approx(0.87, abs=0.005)
    assert np.trapezoid(first.y, first.x) == pytest.approx(0.85, abs=0.005)
    assert 1.9 < at(first, 0.05) / at(second, 0.05) < 2
    above = np.array(first.y) > np.array(second.y)
    crossing = [first.x[place] for place in np.flatnonzero(np.diff(above.astype(int)) == -1)]
    assert crossing == [pytest.approx(0.18, abs=0.01)]


def test_the_curves_of_three_populations_end_at_their_base_rates() -> None:
    shown = lines("precision-recall-base-rates")
    shares = dict(load_bank().by_id["precision-recall-base-rates"].pairs)
    for label, share in shares.items():
        line = shown[label]
        assert line.x[-1] == 1
        base = float(share.split()[0]) / 100
        assert line.y[-1] == pytest.approx(base)
        assert (np.diff(line.y) < 0).all()
        # one ROC curve: odds of precision over odds of the base rate do not depend on the population
        ratio = at(line, 0.5) / (1 - at(line, 0.5)) * (1 - base) / base
        assert ratio == pytest.approx(0.5 / 0.02275, rel=1e-3)


def test_the_rates_over_the_threshold_are_counted_right() -> None:
    shown = lines("three-rates-over-threshold")
    labels = np.array([1] * len(POSITIVES) + [0] * len(NEGATIVES))
    values = np.array(POSITIVES + NEGATIVES)
    for place, threshold in enumerate(shown["curve 1"].x):
        said = values >= round(100 * threshold)
        assert shown["curve 1"].y[place] == pytest.approx(said[labels == 0].mean())
        assert shown["curve 2"].y[place] == pytest.approx(precision_score(labels, said))
        assert shown["curve 3"].y[place] == pytest.approx(recall_score(labels, said))
    steps = np.diff(shown["curve 2"].y)
    assert steps.min() < 0 < steps.max()
    assert max(np.diff(shown["curve 1"].y).max(), np.diff(shown["curve 3"].y).max()) <= 0


@pytest.mark.parametrize(
    "name", ["roc-of-two-models", "precision-recall-base-rates", "three-rates-over-threshold"]
)
def test_descriptions_tell_the_numbers_of_the_curves(name: str) -> None:
    said, shown = plottings()[name]().alt, lines(name)
    places, rest = re.split(
        r",(?= (?:model|population|curve) \d has)", said.split("At the ", 1)[1], maxsplit=1
    )
    axis = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", places)]
    told = re.findall(r"((?:model|population|curve) \d) has ((?:[a-z ]*)[\d., and]+)", rest)
    assert [label for label, _ in told] == [label for label in shown if label != "chance"]
    for label, numbers in told:
        values = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", numbers)]
        assert values == [pytest.approx(at(shown[label], x), abs=0.0051) for x in axis], label
