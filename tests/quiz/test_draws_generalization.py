"""The drawings on generalization against Keras, scikit-learn and NumPy."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from itertools import product
from types import SimpleNamespace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.model_selection import KFold, ParameterGrid, train_test_split

from dlquiz.quiz.draws.drawn import Drawn, drawings

SEEDS = range(200)


def drawn(name: str) -> Iterator[Drawn]:
    for seed in SEEDS:
        yield drawings()[name](random.Random(seed))


def numbers(one: Drawn, names: str) -> list[float]:
    return [float(one.values[name]) for name in names.split()]


def agree(name: str, oracle: Callable[[Drawn], float], tolerance: float = 1e-6, kinds: int = 10) -> None:
    answers = [one.answer for one in drawn(name)]
    np.testing.assert_allclose(
        answers, [float(oracle(one)) for one in drawn(name)], rtol=tolerance, atol=1e-7
    )
    assert len(set(answers)) > kinds, "one and the same question again and again"


def test_l2_penalty() -> None:
    agree(
        "l2-penalty",
        lambda one: keras.regularizers.L2(one.values["strength"])(np.array(numbers(one, "w0 w1 w2"))),
    )


@pytest.mark.parametrize(
    ("name", "kind"), [("l2-step", keras.regularizers.L2), ("l1-step", keras.regularizers.L1)]
)
def test_penalized_step(name: str, kind: Callable[[float], keras.regularizers.Regularizer]) -> None:
    def oracle(one: Drawn) -> float:
        rate, strength, w, g = numbers(one, "rate strength w g")
        weight = tf.constant([w], "float32")
        with tf.GradientTape() as tape:
            tape.watch(weight)
            loss = tf.reduce_sum(g * weight) + kind(strength)(weight)
        gradient = float(tape.gradient(loss, weight)[0])
        assert gradient == pytest.approx(one.values["whole"], rel=1e-5)
        return w - rate * gradient

    agree(name, oracle, tolerance=1e-5)


def test_inverted_dropout_neuron() -> None:
    """Keras' layer with its draws replaced by the mask."""

    def oracle(one: Drawn) -> float:
        x, w, mask = (np.array(numbers(one, f"{n}0 {n}1 {n}2 {n}3")) for n in "xwm")
        rate = float(one.values["rate"])
        layer = keras.layers.Dropout(rate, seed=1)
        # what the layer does to a kept value, and what to a dropped one
        out = np.asarray(layer(np.ones(400, "float32"), training=True))
        kept, lost = out.max(), out.min()
        assert lost == 0
        assert set(np.unique(out)) == {kept, lost}
        return float(np.sum(w * x * np.where(mask == 1, kept, lost)))

    agree("inverted-dropout-neuron", oracle)


def test_dropout_expected_zeros() -> None:
    shares = {}
    for rate in (0.1, 0.2, 0.3, 0.4):
        out = np.asarray(keras.layers.Dropout(rate, seed=3)(np.ones(100_000, "float32"), training=True))
        shares[rate] = float(np.mean(out == 0))
    agree(
        "dropout-expected-zeros", lambda one: one.values["units"] * shares[one.values["rate"]], tolerance=0.03
    )


def watched(one: Drawn) -> tuple[int, int]:
    """Epochs that are run and the best one, both from 1, when Keras' callback watches the losses."""
    losses = [float(loss) for loss in str(one.values["losses"]).split(", ")]
    assert len(losses) == one.values["epochs"]
    callback = keras.callbacks.EarlyStopping(
        monitor="val_loss", mode="min", patience=int(one.values["patience"]), restore_best_weights=True
    )
    # its weights are the number of the epoch
    model = SimpleNamespace(stop_training=False, epoch=0, restored=None)
    model.get_weights = lambda: [model.epoch]
    model.set_weights = lambda weights: setattr(model, "restored", weights[0])
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        model.epoch = epoch + 1
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            break
    callback.on_train_end()
    assert model.stop_training
    assert model.epoch < len(losses)
    return model.epoch, model.restored


def test_early_stopping() -> None:
    agree("early-stopping-last-epoch", lambda one: watched(one)[0], kinds=3)
    agree("early-stopping-restored-epoch", lambda one: watched(one)[1], kinds=3)
    assert len({one.values["losses"] for one in drawn("early-stopping-last-epoch")}) > 50


def test_grid_search_fits() -> None:
    def oracle(one: Drawn) -> int:
        a, b, c, folds = map(int, numbers(one, "a b c folds"))
        grid = ParameterGrid({"rate": list(range(a)), "depth": list(range(b)), "dropout": list(range(c))})
        samples = np.zeros(20)
        return sum(1 for _ in grid for _ in KFold(folds).split(samples))

    agree("grid-search-fits", oracle)


def test_k_fold_training_size() -> None:
    def oracle(one: Drawn) -> int:
        samples, test, folds = map(int, numbers(one, "samples test folds"))
        rest, _ = train_test_split(np.arange(samples), test_size=test, random_state=0)
        (size,) = {len(train) for train, _ in KFold(folds).split(rest)}
        return size

    agree("k-fold-training-size", oracle)


def test_random_search_hit() -> None:
    """Sums over the trial that is the first to hit."""

    def oracle(one: Drawn) -> float:
        trials, share = numbers(one, "trials share")
        return sum(share * np.prod(np.full(first, 1 - share)) for first in range(int(trials)))

    agree("random-search-hit", oracle)


def test_squared_bias_of_predictions() -> None:
    def oracle(one: Drawn) -> float:
        predictions = np.array(numbers(one, "p0 p1 p2 p3"))
        truth = float(one.values["truth"])
        error = np.mean((predictions - truth) ** 2)
        assert error == pytest.approx(one.values["error"])
        assert predictions.var() == pytest.approx(one.values["variance"])
        return error - predictions.var()

    agree("squared-bias-of-predictions", oracle, kinds=3)


def test_ensemble_variance() -> None:
    def oracle(one: Drawn) -> float:
        models, variance, rho = numbers(one, "models variance rho")
        n = int(models)
        covariance = variance * (np.full((n, n), rho) + (1 - rho) * np.eye(n))
        mean = np.full(n, 1 / n)
        return float(mean @ covariance @ mean)

    agree("ensemble-variance", oracle)


def test_majority_of_three() -> None:
    def oracle(one: Drawn) -> float:
        p = float(one.values["p"])
        return sum(
            np.prod([p if right else 1 - p for right in votes])
            for votes in product((0, 1), repeat=3)
            if sum(votes) >= 2
        )

    agree("majority-of-three", oracle)
