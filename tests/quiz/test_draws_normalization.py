"""The drawings on normalization against Keras' layers."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest

from dlquiz.quiz.draws.drawn import Drawn, drawings

SEEDS = range(200)
TINY = 1e-9


def drawn(name: str) -> Iterator[Drawn]:
    for seed in SEEDS:
        yield drawings()[name](random.Random(seed))


def numbers(one: Drawn, names: str) -> list[float]:
    return [float(one.values[name]) for name in names.split()]


def agree(name: str, oracle: Callable[[Drawn], float], tolerance: float = 1e-5) -> None:
    answers = [one.answer for one in drawn(name)]
    np.testing.assert_allclose(
        answers, [float(oracle(one)) for one in drawn(name)], rtol=tolerance, atol=tolerance
    )
    assert len(set(answers)) > 10, "one and the same question again and again"


def batch_norm(momentum: float = 0.9) -> keras.layers.BatchNormalization:
    layer = keras.layers.BatchNormalization(momentum=momentum, epsilon=TINY, dtype="float64")
    layer.build((None, 1))
    return layer


def test_batch_norm_by_hand() -> None:
    layer = batch_norm()

    def oracle(one: Drawn) -> float:
        gamma, beta = numbers(one, "gamma beta")
        layer.gamma.assign([gamma])
        layer.beta.assign([beta])
        batch = np.array(numbers(one, "x0 x1 x2 x3"))[:, None]
        assert batch.mean() == one.values["mean"]
        assert batch.var() == one.values["variance"]
        return float(layer(batch, training=True)[0, 0])

    agree("batch-norm-by-hand", oracle)


def test_batch_norm_moving_mean() -> None:
    def oracle(one: Drawn) -> float:
        momentum, first, second = numbers(one, "momentum first second")
        layer = batch_norm(momentum)
        for mean in (first, second):
            layer(np.array([[mean - 1.5], [mean + 1.5]]), training=True)
        return float(layer.moving_mean[0])

    agree("batch-norm-moving-mean", oracle)


def test_batch_norm_inference() -> None:
    layer = batch_norm()

    def oracle(one: Drawn) -> float:
        gamma, beta, mean, variance, x = numbers(one, "gamma beta mean variance x")
        for weight, value in zip(
            (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance),
            (gamma, beta, mean, variance),
            strict=True,
        ):
            weight.assign([value])
        return float(layer(np.array([[x], [x + 7]]), training=False)[0, 0])

    agree("batch-norm-inference", oracle)


def test_layer_norm_by_hand() -> None:
    layer = keras.layers.LayerNormalization(epsilon=TINY, dtype="float64")

    def oracle(one: Drawn) -> float:
        batch = np.array([numbers(one, " ".join(f"{row}{place}" for place in range(4))) for row in "ab"])
        if not layer.built:
            layer.build(batch.shape)
        layer.gamma.assign(np.full(4, float(one.values["gamma"])))
        return float(layer(batch)[0, 0])

    agree("layer-norm-by-hand", oracle)


def test_batch_norm_parameters() -> None:
    counted: dict[tuple[float, ...], int] = {}

    def oracle(one: Drawn) -> int:
        key = tuple(map(int, numbers(one, "kernel c_in c_out")))
        if key not in counted:
            kernel, c_in, c_out = key
            convolution = keras.layers.Conv2D(c_out, kernel, use_bias=False)
            normalization = keras.layers.BatchNormalization()
            convolution.build((None, 9, 9, c_in))
            normalization.build((None, 9, 9, c_out))
            trained = convolution.trainable_weights + normalization.trainable_weights
            counted[key] = sum(int(np.prod(weight.shape)) for weight in trained)
            assert (
                sum(np.prod(weight.shape) for weight in normalization.non_trainable_weights)
                == one.values["pair"]
            )
        return counted[key]

    agree("batch-norm-parameters", oracle)


NORMS = {
    "batch": lambda: keras.layers.BatchNormalization(epsilon=TINY),
    "instance": lambda: keras.layers.GroupNormalization(groups=-1, epsilon=TINY),
    "layer": lambda: keras.layers.LayerNormalization(epsilon=TINY),
    "group": lambda: keras.layers.GroupNormalization(groups=1, epsilon=TINY),
}


def test_values_behind_a_mean() -> None:
    """How many outputs change when one input is changed is how many values share its mean."""
    found: dict[tuple[str, tuple[int, ...]], int] = {}

    def oracle(one: Drawn) -> int:
        kind = next(kind for kind in NORMS if str(one.values["name"]).startswith(kind))
        shape = tuple(map(int, numbers(one, "n h w c")))
        if (kind, shape) not in found:
            x = np.random.default_rng(5).normal(size=shape).astype("float32")
            layer = NORMS[kind]()
            before = np.asarray(layer(x, training=True))
            x[0, 0, 0, 0] += 1000
            found[kind, shape] = int(np.sum(np.abs(np.asarray(layer(x, training=True)) - before) > 1e-6))
        return found[kind, shape]

    agree("values-behind-a-mean", oracle)
    assert len({one.values["name"] for one in drawn("values-behind-a-mean")}) == len(NORMS)


@pytest.mark.parametrize("x", [0.0, 1.7])
def test_batch_norm_folded_bias(x: float) -> None:
    """Layer and normalization one after the other, less what the scaled weight makes of the input."""
    layer = batch_norm()

    def oracle(one: Drawn) -> float:
        bias, gamma, beta, mean, variance, scale = numbers(one, "bias gamma beta mean variance scale")
        layer.gamma.assign([gamma])
        layer.beta.assign([beta])
        layer.moving_mean.assign([mean])
        layer.moving_variance.assign([variance])
        return float(layer(np.array([[3 * x + bias]]), training=False)[0, 0]) - scale * 3 * x

    agree("batch-norm-folded-bias", oracle)
