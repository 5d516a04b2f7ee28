"""The drawings on losses against Keras, scikit-learn and NumPy."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
from sklearn.metrics import hinge_loss, log_loss

from dlquiz.quiz.draws.drawn import Drawn, drawings
from dlquiz.quiz.draws.numbers import apart, tidy

SEEDS = range(200)


def drawn(name: str) -> Iterator[Drawn]:
    for seed in SEEDS:
        yield drawings()[name](random.Random(seed))


def numbers(one: Drawn, names: str) -> list[float]:
    return [float(one.values[name]) for name in names.split()]


def agree(name: str, oracle: Callable[[Drawn], float], tolerance: float = 1e-5) -> None:
    answers, expected = [], []
    for one in drawn(name):
        answers.append(one.answer)
        expected.append(float(oracle(one)))
    np.testing.assert_allclose(answers, expected, rtol=tolerance, atol=tolerance)
    assert len(set(answers)) > 8, "one and the same question again and again"


def test_mse_of_three() -> None:
    agree(
        "mse-of-three",
        lambda one: keras.losses.mean_squared_error(numbers(one, "t0 t1 t2"), numbers(one, "o0 o1 o2")),
    )


def test_absolute_error_of_three() -> None:
    agree(
        "absolute-error-of-three",
        lambda one: keras.losses.mean_absolute_error(numbers(one, "t0 t1 t2"), numbers(one, "o0 o1 o2")),
    )


@pytest.mark.parametrize("name", ["mse-of-three", "absolute-error-of-three"])
def test_errors_are_predictions_minus_targets(name: str) -> None:
    for one in drawn(name):
        errors = np.subtract(numbers(one, "o0 o1 o2"), numbers(one, "t0 t1 t2"))
        np.testing.assert_array_equal(errors, numbers(one, "e0 e1 e2"))
        power = np.square if name == "mse-of-three" else np.abs
        assert one.values["total"] == power(errors).sum()


def test_huber_of_one_error() -> None:
    agree(
        "huber-of-one-error",
        lambda one: keras.losses.huber(
            numbers(one, "truth"), numbers(one, "prediction"), delta=float(one.values["delta"])
        ),
    )
    branches = {one.values["branch"] for one in drawn("huber-of-one-error")}
    assert branches == {"quadratic", "linear"}


def test_hubers_branch_and_size_are_those_of_the_numbers() -> None:
    for one in drawn("huber-of-one-error"):
        truth, prediction, delta, size = numbers(one, "truth prediction delta size")
        assert size == pytest.approx(abs(truth - prediction))
        assert size != delta
        assert one.values["branch"] == ("quadratic" if size < delta else "linear")


def test_total_squared_error_of_two() -> None:
    agree(
        "total-squared-error-of-two",
        lambda one: np.square(np.subtract(numbers(one, "t0 t1"), numbers(one, "o0 o1"))).sum() / 2,
    )
    for one in drawn("total-squared-error-of-two"):
        errors = np.subtract(numbers(one, "t0 t1"), numbers(one, "o0 o1"))
        np.testing.assert_allclose(errors, numbers(one, "e0 e1"), atol=1e-12)


def test_bce_of_one_probability() -> None:
    agree(
        "bce-of-one-probability",
        lambda one: log_loss([one.values["y"]], numbers(one, "p"), labels=[0, 1]),
    )
    for one in drawn("bce-of-one-probability"):
        assert -np.log(numbers(one, "right_p")[0]) == pytest.approx(one.answer)


def test_bce_of_one_logit() -> None:
    agree(
        "bce-of-one-logit",
        lambda one: keras.losses.binary_crossentropy(numbers(one, "y"), numbers(one, "z"), from_logits=True),
    )
    for one in drawn("bce-of-one-logit"):
        assert -np.log(numbers(one, "right_p")[0]) == pytest.approx(one.answer)
        assert float(keras.ops.sigmoid(float(one.values["z"]))) == pytest.approx(one.values["p"], rel=1e-5)


def test_softmax_loss_by_hand() -> None:
    agree(
        "softmax-loss-by-hand",
        lambda one: keras.losses.sparse_categorical_crossentropy(
            np.array([one.values["y"]]), np.array([numbers(one, "s0 s1 s2")]), from_logits=True
        )[0],
    )
    for one in drawn("softmax-loss-by-hand"):
        exponentials = np.exp(numbers(one, "s0 s1 s2"))
        assert one.values["total"] == pytest.approx(exponentials.sum())
        assert one.values["p"] == pytest.approx((exponentials / exponentials.sum())[one.values["y"]])


def test_nll_batch_mean() -> None:
    def oracle(one: Drawn) -> float:
        given = np.array(numbers(one, "p0 p1 p2"))
        return log_loss([1, 1, 1], np.stack([1 - given, given], axis=1), labels=[0, 1])

    agree("nll-batch-mean", oracle)
    for one in drawn("nll-batch-mean"):
        assert np.mean(numbers(one, "l0 l1 l2")) == pytest.approx(one.answer)


def weston_watkins(scores: list[float], y: int) -> float:
    margins = np.maximum(0, np.asarray(scores) - scores[y] + 1)
    margins[y] = 0
    return float(margins.sum())


def test_hinge_of_scores() -> None:
    def oracle(one: Drawn) -> float:
        return weston_watkins(numbers(one, "s0 s1 s2"), int(one.values["y"]))

    agree("hinge-of-scores", oracle)
    for one in drawn("hinge-of-scores"):
        assert sum(numbers(one, "first second")) == pytest.approx(oracle(one))


def test_hinge_of_two_classes_is_keras_own() -> None:
    # with two classes the sum over the wrong ones has one term, as Keras' loss has always
    for scores, y in (([0.5, 2.0], 0), ([0.5, 2.0], 1), ([1.0, 0.4], 0)):
        one_hot = np.eye(2)[y]
        assert weston_watkins(scores, y) == pytest.approx(
            float(keras.losses.categorical_hinge(one_hot, scores))
        )


def test_hinge_batch_mean() -> None:
    def oracle(one: Drawn) -> float:
        both = weston_watkins(numbers(one, "a0 a1 a2"), 0), weston_watkins(numbers(one, "b0 b1 b2"), 1)
        assert both == pytest.approx(numbers(one, "first second"))
        return float(np.mean(both))

    agree("hinge-batch-mean", oracle)


def test_geometric_margin() -> None:
    def oracle(one: Drawn) -> float:
        w, x = np.array(numbers(one, "w0 w1")), np.array(numbers(one, "x0 x1"))
        b, y = numbers(one, "b y")
        # the nearest point of the line w·x + b = 0, by least squares
        shift = np.linalg.lstsq(w[None], np.array([-(w @ x + b)]), rcond=None)[0]
        return float(np.linalg.norm(shift) * np.sign(y * (w @ x + b)))

    agree("geometric-margin", oracle)
    for one in drawn("geometric-margin"):
        assert one.values["functional"] == one.values["value"] * one.values["y"]


def test_soft_margin_objective() -> None:
    def oracle(one: Drawn) -> float:
        w, margins = np.array(numbers(one, "w0 w1")), numbers(one, "m0 m1 m2")
        labels = [1, -1, 1]
        slack = 3 * hinge_loss(labels, np.multiply(labels, margins))
        assert slack == pytest.approx(sum(numbers(one, "k0 k1 k2")))
        assert slack == pytest.approx(one.values["slack"])
        assert one.values["half"] == w @ w / 2
        return float(w @ w / 2 + float(one.values["c"]) * slack)

    agree("soft-margin-objective", oracle)


def test_apart_keeps_what_can_be_told_apart() -> None:
    kept = apart(1.0, 0.1, (1.05, "near the answer"), (2.0, "first"), (2.05, "near the first"), (3, "second"))
    assert kept == ((2, "first"), (3, "second"))


def test_tidy_numbers_read_as_they_are_written() -> None:
    assert [str(tidy(number)) for number in (0.1 + 0.2, -2.0, 1 / 4)] == ["0.3", "-2", "0.25"]
