"""The drawings and pictures of activation functions against Keras and NumPy."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlquiz.quiz.draws.drawn import Drawn, drawings
from dlquiz.quiz.items import load_bank
from dlquiz.quiz.plots.plot import plottings

SEEDS = range(200)
STEP = 1e-5


def drawn(name: str) -> Iterator[Drawn]:
    for seed in SEEDS:
        yield drawings()[name](random.Random(seed))


def numbers(one: Drawn, names: str) -> np.ndarray:
    return np.array([float(one.values[name]) for name in names.split()])


def applied(name: str, x: object, **settings: float) -> np.ndarray:
    """Keras' own activation in double precision."""
    return np.asarray(getattr(keras.activations, name)(keras.ops.array(x, dtype="float64"), **settings))


def slope(name: str, x: object, **settings: float) -> np.ndarray:
    """Of Keras' own activation, by central differences."""
    at = np.asarray(x, dtype="float64")
    return (applied(name, at + STEP, **settings) - applied(name, at - STEP, **settings)) / (2 * STEP)


def agree(name: str, oracle: Callable[[Drawn], object], tolerance: float = 1e-6) -> None:
    answers, expected = [], []
    for one in drawn(name):
        answers.append(one.answer)
        expected.append(float(np.asarray(oracle(one)).item()))
    np.testing.assert_allclose(answers, expected, rtol=tolerance, atol=tolerance)
    assert len(set(answers)) > 5, "one and the same question again and again"


def test_sigmoid_neuron() -> None:
    def output(one: Drawn) -> object:
        z = numbers(one, "w0 w1") @ numbers(one, "x0 x1") + numbers(one, "b")
        assert z.item() == one.values["z"]
        return applied("sigmoid", z)

    agree("sigmoid-neuron", output)


def test_sigmoid_slope() -> None:
    agree("sigmoid-slope", lambda one: slope("sigmoid", one.values["z"]))
    for one in drawn("sigmoid-slope"):
        assert applied("sigmoid", one.values["z"]) == pytest.approx(one.values["s"])


def test_tanh_slope_from_output() -> None:
    agree("tanh-slope-from-output", lambda one: slope("tanh", np.arctanh(numbers(one, "a"))))
    for one in drawn("tanh-slope-from-output"):
        assert numbers(one, "square") == pytest.approx(numbers(one, "a") ** 2)


def test_relu_layer_sum() -> None:
    agree("relu-layer-sum", lambda one: applied("relu", numbers(one, "z0 z1 z2 z3")).sum())


def test_leaky_relu_gradient() -> None:
    def passed_on(one: Drawn) -> object:
        z, g, negative, factor = numbers(one, "z g slope factor")
        local = slope("leaky_relu", z, negative_slope=float(negative))
        assert local == pytest.approx(factor)
        assert one.values["sign"] == ("positive" if z > 0 else "negative")
        return g * local

    agree("leaky-relu-gradient", passed_on)


def test_prelu_slope_gradient() -> None:
    layer = keras.layers.PReLU(shared_axes=[1], dtype="float64")
    layer.build((1, 3))

    def by_tape(one: Drawn) -> object:
        layer.alpha.assign(numbers(one, "a"))
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(numbers(one, "z0 z1 z2")[None]) * numbers(one, "g0 g1 g2"))
        return tape.gradient(loss, layer.alpha.value)

    agree("prelu-slope-gradient", by_tape)
    for one in drawn("prelu-slope-gradient"):
        factors = re.findall(r"\((-?\d+)\)·\((-?\d+)\)", str(one.values["terms"]))
        assert sum(int(g) * int(z) for g, z in factors) == one.answer


def test_elu_of_negative() -> None:
    agree("elu-of-negative", lambda one: applied("elu", one.values["x"], alpha=float(one.values["alpha"])))
    for one in drawn("elu-of-negative"):
        assert np.exp(numbers(one, "x")) == pytest.approx(numbers(one, "power"))


def test_swish_value() -> None:
    agree("swish-value", lambda one: applied("silu", one.values["x"]))
    for one in drawn("swish-value"):
        assert applied("sigmoid", one.values["x"]) == pytest.approx(one.values["s"])


def test_softmax_by_hand() -> None:
    agree(
        "softmax-by-hand",
        lambda one: applied("softmax", [numbers(one, "z0 z1 z2")])[0][int(one.values["k"])],
    )
    for one in drawn("softmax-by-hand"):
        powers = np.exp(numbers(one, "z0 z1 z2"))
        assert one.values["power"] == pytest.approx(powers[int(one.values["k"])])
        assert one.values["total"] == pytest.approx(powers.sum())


CURVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": lambda x: applied("tanh", x),
    "ReLU": lambda x: applied("relu", x),
    "sigmoid": lambda x: applied("sigmoid", x),
    "leaky ReLU with slope 0.1": lambda x: applied("leaky_relu", x, negative_slope=0.1),
    "swish": lambda x: applied("silu", x),
    "ELU with α = 1": lambda x: applied("elu", x),
}


@pytest.mark.parametrize("id", ["activation-curves-matching", "rectifier-family-matching"])
def test_curves_are_those_that_the_item_names(id: str) -> None:
    item = load_bank().by_id[id]
    lines = {line.label: line for line in plottings()[item.plot]().lines}
    assert set(lines) == {left for left, _ in item.pairs}
    for left, right in item.pairs:
        x, y = np.array(lines[left].x), np.array(lines[left].y)
        if right == "binary step":
            assert set(zip(x, y, strict=True)) == {(-3, 0), (0, 0), (0, 1), (3, 1)}
        else:
            np.testing.assert_allclose(y, CURVES[right](x), atol=1e-6)


def test_slopes_are_those_that_the_items_name() -> None:
    lines = {line.label: line for line in plottings()["activation-slopes"]().lines}
    (right,) = (choice.text for choice in load_bank().by_id["activation-slopes-plot"].choices if choice.right)
    named = dict(part.split(": ") for part in right.split(", "))
    for name, number in named.items():
        line = lines[f"curve {number}"]
        np.testing.assert_allclose(line.y, slope(name.lower(), line.x), atol=1e-4)
    (line,) = plottings()["one-slope"]().lines
    np.testing.assert_allclose(line.y, slope("silu", line.x), atol=1e-6)
