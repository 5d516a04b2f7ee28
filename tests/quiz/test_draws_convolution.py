"""Drawings on convolution and pooling, recomputed from what the student reads: by Keras, SciPy or counting."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import pytest
from scipy import signal

from dlquiz.quiz.draws import convolution
from dlquiz.quiz.draws.drawn import drawings
from dlquiz.quiz.items import load_bank

SEEDS = range(200)
Values = dict[str, Any]


def conv(kernel: int, filters: int = 1, **more: Any) -> keras.layers.Layer:
    return keras.layers.Conv2D(filters, kernel, **more)


def side_after(size: int, *layers: keras.layers.Layer) -> int:
    shape: tuple[int | None, ...] = (None, size, size, 1)
    for layer in layers:
        shape = layer.compute_output_shape(shape)
    assert shape[1] == shape[2]
    return int(shape[1] or 0)


def parameters(layer: keras.layers.Layer, *shape: int) -> int:
    # no weight is made: its shape is enough to count
    with keras.StatelessScope(initialize_variables=False):
        layer.build((None, *shape))
    return int(layer.count_params())


def grid(text: str) -> np.ndarray:
    return np.array([[int(number) for number in line.split()] for line in text.splitlines()])


def numbers(text: str) -> np.ndarray:
    return np.array([float(number) for number in text.split(",")])


def field(layers: Sequence[tuple[int, int, int]]) -> int:
    """Span of the pixels that unit 0 of the last map reads; a layer is kernel, stride, dilation."""
    read = {0}
    for kernel, stride, dilation in reversed(layers):
        read = {unit * stride + tap * dilation for unit in read for tap in range(kernel)}
    return max(read) - min(read) + 1


def same_padding_zeros(v: Values) -> int:
    wanted = side_after(v["size"], conv(v["kernel"], strides=v["stride"], padding="same"))
    return next(
        zeros
        for zeros in range(100)
        if len(range(0, v["size"] + zeros - v["kernel"] + 1, v["stride"])) == wanted
    )


@functools.cache
def padding_that_keeps_the_size(kernel: int, dilation: int) -> int:
    layer = conv(kernel, dilation_rate=dilation)
    return next(
        zeros for zeros in range(100) if side_after(50, keras.layers.ZeroPadding2D(zeros), layer) == 50
    )


def windows(v: Values) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(grid(v["grid"]), (2, 2))[::2, ::2]


def small_cnn(v: Values) -> int:
    shape, count = (None, v["side"], v["side"], v["channels"]), 0
    for layer in (
        conv(3, v["first"], padding="same"),
        keras.layers.MaxPooling2D(2),
        conv(3, v["second"], padding="same"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dense(v["classes"]),
    ):
        count += parameters(layer, *shape[1:])
        shape = layer.compute_output_shape(shape)
    return count


def dense_over_convolution(v: Values) -> float:
    inputs, outputs = (v["side"], v["side"], v["channels"]), (v["side"], v["side"], v["filters"])
    dense = parameters(keras.layers.Dense(math.prod(outputs), use_bias=False), math.prod(inputs))
    return dense / parameters(conv(v["kernel"], v["filters"], use_bias=False), *inputs)


def feature_shift(v: Values) -> int:
    def response(place: int) -> int:
        image = np.zeros(400)
        image[place] = 1
        for stride in (v["one"], v["two"]):
            image = np.correlate(image, np.arange(1.0, stride + 1), "valid")[::stride]
        return int(np.argmax(image))

    return response(100 + v["shift"]) - response(100)


def slope(loss: Callable[[np.ndarray], float], point: np.ndarray, index: int) -> float:
    step = np.zeros_like(point)
    step[index] = 0.5
    return loss(point + step) - loss(point - step)


def weight_gradient(v: Values) -> float:
    inputs, upstream = numbers(v["inputs"]), numbers(v["upstream"])
    return slope(
        lambda kernel: float(upstream @ np.correlate(inputs, kernel, "valid")), np.ones(3), v["tap"] - 1
    )


def input_gradient(v: Values) -> float:
    kernel, upstream = numbers(v["kernel"]), numbers(v["upstream"])
    return slope(lambda inputs: float(upstream @ np.correlate(inputs, kernel, "valid")), np.ones(5), 2)


ORACLES: dict[str, Callable[[Values], float]] = {
    "conv-output-size": lambda v: side_after(
        v["size"], keras.layers.ZeroPadding2D(v["padding"]), conv(v["kernel"], strides=v["stride"])
    ),
    "same-output-size": lambda v: side_after(
        v["size"], conv(v["kernel"], strides=v["stride"], padding="same")
    ),
    "same-padding-zeros": same_padding_zeros,
    "padding-that-keeps-the-size": lambda v: padding_that_keeps_the_size(v["kernel"], v["dilation"]),
    "dilated-output-size": lambda v: side_after(v["size"], conv(v["kernel"], dilation_rate=v["dilation"])),
    "transposed-output-size": lambda v: side_after(
        v["size"], keras.layers.Conv2DTranspose(1, v["kernel"], strides=v["stride"], padding="valid")
    ),
    "pooled-size": lambda v: side_after(v["size"], *[keras.layers.MaxPooling2D(v["pool"])] * v["times"]),
    "strided-chain-size": lambda v: side_after(
        v["size"], *[keras.layers.ZeroPadding2D(1), conv(3, strides=2)] * v["times"]
    ),
    "conv-cell": lambda v: (
        signal.correlate2d(grid(v["patch"]), grid(v["kernel"]), "valid").item() + v["bias"]
    ),
    "max-pool-sum": lambda v: windows(v).max(axis=(2, 3)).sum(),
    "average-pool-sum": lambda v: windows(v).mean(axis=(2, 3)).sum(),
    "conv-parameter-count": lambda v: parameters(conv(v["kernel"], v["filters"]), 9, 9, v["channels"]),
    "dense-parameter-count": lambda v: parameters(keras.layers.Dense(v["units"]), v["inputs"]),
    "flatten-dense-parameters": lambda v: parameters(
        keras.layers.Dense(v["units"]),
        keras.layers.Flatten().compute_output_shape((None, v["side"], v["side"], v["channels"]))[1],
    ),
    "small-cnn-parameters": small_cnn,
    "receptive-field": lambda v: field([(v[f"k{i}"], v[f"s{i}"], 1) for i in (1, 2, 3)]),
    "dilated-receptive-field": lambda v: field([(v["kernel"], 1, int(d)) for d in numbers(v["dilations"])]),
    "small-kernels-saving": lambda v: (
        parameters(conv(v["side"], v["channels"], use_bias=False), 20, 20, v["channels"])
        - v["layers"] * parameters(conv(3, v["channels"], use_bias=False), 20, 20, v["channels"])
    ),
    "dense-over-convolution": dense_over_convolution,
    "feature-shift": feature_shift,
    "conv-weight-gradient": weight_gradient,
    "conv-input-gradient": input_gradient,
}


def test_every_drawing_has_an_oracle() -> None:
    assert set(ORACLES) == {
        name for name, function in drawings().items() if function.__module__ == convolution.__name__
    }


@pytest.mark.parametrize("name", ORACLES)
def test_answer(name: str) -> None:
    for seed in SEEDS:
        drawn = drawings()[name](random.Random(seed))
        assert drawn.answer == pytest.approx(ORACLES[name](dict(drawn.values)), abs=1e-9), (
            seed,
            drawn.values,
        )


@pytest.mark.parametrize("name", ORACLES)
def test_mistakes(name: str) -> None:
    for seed in SEEDS:
        drawn = drawings()[name](random.Random(seed))
        wrong = [value for value, _ in drawn.mistakes]
        assert wrong, seed
        assert drawn.answer not in wrong
        assert len(set(wrong)) == len(wrong)


def test_small_kernels_see_as_much_as_the_large_one() -> None:
    for seed in SEEDS:
        values = drawings()["small-kernels-saving"](random.Random(seed)).values
        assert field([(3, 1, 1)] * int(values["layers"])) == values["side"]


def trainable(layer: keras.layers.Layer, channels: int) -> int:
    with keras.StatelessScope(initialize_variables=False):
        layer.build((None, 9, 9, channels))
    return sum(math.prod(weight.shape) for weight in layer.trainable_weights)


def covered(width: int, kernel: int, stride: int) -> int:
    """Columns inside at least one window."""
    return len({start + tap for start in range(0, width - kernel + 1, stride) for tap in range(kernel)})


FIXED: dict[str, Callable[[], float]] = {
    "kernels-on-a-flat-area": lambda: signal.correlate2d(
        np.full((3, 3), 120), [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], "valid"
    ).item(),
    "padding-dark-corner": lambda: signal.correlate2d(np.full((9, 9), 90), np.full((3, 3), 1 / 9), "same")[
        0, 0
    ],
    "stride-untouched-columns": lambda: 32 - covered(32, 5, 4),
    "stride-of-a-network": lambda: field([(1, s, 1) for s in (2, 1, 2, 2)] + [(2, 1, 1)]) - 1,
    "max-pooling-default-stride": lambda: keras.layers.MaxPooling2D(3).strides[0],
    "conv-parameters-with-batch-norm": lambda: (
        parameters(conv(3, 128, use_bias=False), 9, 9, 64) + trainable(keras.layers.BatchNormalization(), 128)
    ),
}


@pytest.mark.parametrize("id", FIXED)
def test_fixed_number(id: str) -> None:
    item = load_bank().by_id[id]
    assert item.type == "numeric"
    assert item.answer == pytest.approx(FIXED[id](), abs=1e-9)


def test_every_fixed_number_is_recomputed() -> None:
    assert set(FIXED) == {
        item.id for item in load_bank().select(topics=["cnn"], types=["numeric"]) if item.group == "cnn"
    }


def test_order_by_size_of_the_output() -> None:
    sizes = []
    for step in load_bank().by_id["stride-order-by-size"].steps:
        kernel, padding, stride = (int(part.split()[-1]) for part in step.split(", "))
        sizes.append(side_after(32, keras.layers.ZeroPadding2D(padding), conv(kernel, strides=stride)))
    assert sizes == [32, 28, 16, 13, 8]
