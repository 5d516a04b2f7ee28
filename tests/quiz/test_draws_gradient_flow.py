"""The drawings on gradient flow and initialization against Keras' layers and initializers, a tape and quadrature."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlquiz.quiz.draws.drawn import Drawn, drawings

SEEDS = range(200)


def drawn(name: str) -> Iterator[Drawn]:
    for seed in SEEDS:
        yield drawings()[name](random.Random(seed))


def numbers(one: Drawn, names: str) -> list[float]:
    return [float(one.values[name]) for name in names.split()]


def agree(name: str, oracle: Callable[[Drawn], float], tolerance: float = 1e-6) -> None:
    answers = [one.answer for one in drawn(name)]
    np.testing.assert_allclose(
        answers, [float(oracle(one)) for one in drawn(name)], rtol=tolerance, atol=1e-15
    )
    assert len(set(answers)) > 10, "one and the same question again and again"


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("simple-rnn-parameters", keras.layers.SimpleRNN),
        ("lstm-parameters", keras.layers.LSTM),
        ("gru-parameters", lambda units: keras.layers.GRU(units, reset_after=False)),
    ],
)
def test_recurrent_parameters(name: str, make: Callable[[int], keras.layers.Layer]) -> None:
    counted: dict[tuple[int, int], int] = {}

    def oracle(one: Drawn) -> int:
        features, units = map(int, numbers(one, "features units"))
        if (features, units) not in counted:
            layer = make(units)
            layer.build((None, int(one.values.get("steps", 5)), features))
            counted[features, units] = layer.count_params()
        return counted[features, units]

    agree(name, oracle)


def test_what_the_default_gru_has_more() -> None:
    """The explanation says 3 u."""
    for features, units in ((3, 8), (12, 5)):
        counts = []
        for after in (True, False):
            layer = keras.layers.GRU(units, reset_after=after)
            layer.build((None, 5, features))
            counts.append(layer.count_params())
        assert counts[0] - counts[1] == 3 * units


def test_sigmoid_slopes_through_depth() -> None:
    def oracle(one: Drawn) -> float:
        depth, weight, z = numbers(one, "depth weight z")
        a = first = tf.constant(0.3, "float64")
        with tf.GradientTape() as tape:
            tape.watch(first)
            for _ in range(int(depth)):
                bias = z - float(weight * a)
                a = tf.sigmoid(weight * a + bias)
        return float(tape.gradient(a, first))

    agree("sigmoid-slopes-through-depth", oracle)


def test_linear_recurrence_gradient() -> None:
    def oracle(one: Drawn) -> float:
        weight, steps = numbers(one, "weight steps")

        def last(start: float) -> float:
            state = start
            for step in range(int(steps)):
                state = weight * state + step / 10
            return state

        return (last(3) - last(1)) / 2

    agree("linear-recurrence-gradient", oracle)


def test_residual_chain_slope() -> None:
    def oracle(one: Drawn) -> float:
        slope, blocks = numbers(one, "slope blocks")
        x = first = tf.constant(0.7, "float64")
        with tf.GradientTape() as tape:
            tape.watch(first)
            for _ in range(int(blocks)):
                x = x + slope * x
        return float(tape.gradient(x, first))

    agree("residual-chain-slope", oracle)


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def test_lstm_cell_step() -> None:
    """Biases that give the gates and the candidate; all other weights are 0."""
    cell = keras.layers.LSTMCell(1, dtype="float64")
    cell.build((1, 1))

    def oracle(one: Drawn) -> float:
        forget, write, show, state, candidate = numbers(one, "forget write show cell candidate")
        biases = [logit(write), logit(forget), float(np.arctanh(candidate)), logit(show)]
        cell.set_weights([np.zeros((1, 4)), np.zeros((1, 4)), np.array(biases)])
        old = [tf.zeros((1, 1), "float64"), tf.constant([[state]], "float64")]
        output, (_, new) = cell(tf.zeros((1, 1), "float64"), old)
        assert float(new[0, 0]) == pytest.approx(one.values["new"])
        return float(output[0, 0])

    agree("lstm-cell-step", oracle)


def test_gru_state_step() -> None:
    cell = keras.layers.GRUCell(1, reset_after=False, dtype="float64")
    cell.build((1, 1))

    def oracle(one: Drawn) -> float:
        update, old, candidate = numbers(one, "update old candidate")
        biases = [logit(update), 0.0, float(np.arctanh(candidate))]
        cell.set_weights([np.zeros((1, 3)), np.zeros((1, 3)), np.array(biases)])
        output, _ = cell(tf.zeros((1, 1), "float64"), [tf.constant([[old]], "float64")])
        return float(output[0, 0])

    agree("gru-state-step", oracle)


def scale_of(initializer: keras.initializers.Initializer, shape: tuple[int, ...]) -> tuple[float, float]:
    """The largest size and the deviation of weights that Keras draws."""
    weights = np.asarray(initializer(shape))
    return float(np.abs(weights).max()), float(weights.std())


def at_hand(
    name: str, kind: type[keras.initializers.Initializer], shape: Callable[[Drawn], tuple[int, ...]]
) -> None:
    """The answer is Keras' deviation, or limit where it is uniform, as far as a sample can tell."""
    uniform = "Uniform" in kind.__name__
    for one in list(drawn(name))[:40]:
        largest, deviation = scale_of(kind(seed=1), shape(one))
        size = int(np.prod(shape(one)))
        if uniform:
            assert one.answer * (1 - 30 / size) <= largest <= one.answer * (1 + 1e-6)
        else:
            assert deviation == pytest.approx(one.answer, rel=5 / (2 * size) ** 0.5)


def conv_shape(one: Drawn) -> tuple[int, ...]:
    kernel, c_in, c_out = map(int, numbers(one, "kernel c_in c_out"))
    return kernel, kernel, c_in, c_out


def dense_shape(one: Drawn) -> tuple[int, ...]:
    fan_in, fan_out = map(int, numbers(one, "fan_in fan_out"))
    return fan_in, fan_out


def test_glorot_uniform_limit() -> None:
    at_hand("glorot-uniform-limit", keras.initializers.GlorotUniform, dense_shape)
    agree("glorot-uniform-limit", lambda one: np.sqrt(3 * 2 / sum(dense_shape(one))))


def test_glorot_normal_conv_deviation() -> None:
    at_hand("glorot-normal-conv-deviation", keras.initializers.GlorotNormal, conv_shape)
    agree(
        "glorot-normal-conv-deviation",
        lambda one: np.mean([np.prod(conv_shape(one)[:3]), np.prod(np.delete(conv_shape(one), 2))]) ** -0.5,
    )


def test_he_conv_deviation() -> None:
    at_hand("he-conv-deviation", keras.initializers.HeNormal, conv_shape)
    agree("he-conv-deviation", lambda one: np.sqrt(2 / np.prod(conv_shape(one)[:3])))


def test_relu_variance_through_depth() -> None:
    """The mean square of ReLU of a Gaussian by quadrature, taken on from layer to layer."""
    z = np.linspace(-12, 12, 240_001)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    kept = float(np.sum(np.maximum(z, 0) ** 2 * density) * (z[1] - z[0]))

    def oracle(one: Drawn) -> float:
        scale, layers = numbers(one, "scale layers")
        variance, inputs = 1.0, 64
        for _ in range(int(layers)):
            variance = inputs * (scale / inputs) * variance * kept
        return variance

    agree("relu-variance-through-depth", oracle)
