"""Drawings and fixed numbers on architectures, recomputed from what the student reads."""

from __future__ import annotations

import functools
import math
import random
import re
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.metrics import top_k_accuracy_score
from sklearn.metrics.pairwise import cosine_similarity

from dlquiz.quiz.draws import architectures
from dlquiz.quiz.draws.drawn import drawings
from dlquiz.quiz.items import load_bank

SEEDS = range(200)
Values = dict[str, Any]
VGG16 = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))


def parameters(layer: keras.layers.Layer, *shape: int) -> int:
    # no weight is made: its shape is enough to count
    with keras.StatelessScope(initialize_variables=False):
        layer.build((None, *shape))
    return int(layer.count_params())


@functools.cache
def conv(kernel: int, channels: int, filters: int, **more: Any) -> int:
    return parameters(keras.layers.Conv2D(filters, kernel, **more), 64, 64, channels)


@functools.cache
def dense(inputs: int, units: int) -> int:
    return parameters(keras.layers.Dense(units), inputs)


def stage(layers: int, channels: int, filters: int) -> list[int]:
    return [conv(3, channels if layer == 0 else filters, filters) for layer in range(layers)]


@functools.cache
def after_five_pools(size: int) -> int:
    for _ in range(5):
        size = keras.layers.MaxPooling2D(2).compute_output_shape((None, size, size, 1))[1] or 0
    return size


def inception_weights_saved(v: Values) -> int:
    def weights(kernel: int, channels: int, filters: int) -> int:
        return conv(kernel, channels, filters, use_bias=False)

    branch = weights(1, v["channels"], v["reduced"]) + weights(5, v["reduced"], v["filters"])
    return weights(5, v["channels"], v["filters"]) - branch


def inception_output_channels(v: Values) -> int:
    ends = [(None, 9, 9, v[end]) for end in ("one", "three", "five", "project")]
    return int(keras.layers.Concatenate().compute_output_shape(ends)[-1] or 0)


def projection_block(v: Values) -> int:
    small, large = v["channels"], v["double"]
    layers = [(3, small, large), (3, large, large), (1, small, large)]
    return sum(conv(*layer, use_bias=False) for layer in layers)


def resnet_depth(v: Values) -> int:
    each = {"two": 2, "three": 3}[re.search(r"\((\w+) convolutions each\)", v["kind"])[1]]
    names = ["stem", *("conv" for i in (1, 2, 3, 4) for _ in range(v[f"n{i}"]) for _ in range(each)), "dense"]
    return len(names)


@functools.cache
def darknet_map(size: int) -> int:
    shape: tuple[int | None, ...] = (None, size, size, 3)
    for filters in (64, 128, 256, 512, 1024):
        shape = keras.layers.ZeroPadding2D(1).compute_output_shape(shape)
        shape = keras.layers.Conv2D(filters, 3, strides=2).compute_output_shape(shape)
    return math.prod(shape[1:])


def top_five_error(v: Values) -> float:
    ranks = [int(rank) for rank in v["ranks"].split(",")]
    assert len(ranks) == 10
    scores = np.tile(-np.arange(1.0, 1001.0), (10, 1))
    truth = [rank - 1 for rank in ranks]
    return 100 * (1 - float(top_k_accuracy_score(truth, scores, k=5, labels=range(1000))))


def cosine(v: Values) -> float:
    one, two = ([[float(number) for number in v[name].split(",")]] for name in ("one", "two"))
    return float(cosine_similarity(one, two)[0, 0])


ORACLES: dict[str, Callable[[Values], float]] = {
    "grouped-conv-parameters": lambda v: conv(v["kernel"], v["channels"], v["filters"], groups=v["groups"]),
    "vgg-stage-parameters": lambda v: sum(stage(v["layers"], v["channels"], v["filters"])),
    "vgg-first-dense": lambda v: dense(512 * after_five_pools(v["size"]) ** 2, 4096),
    "inception-weights-saved": inception_weights_saved,
    "inception-output-channels": inception_output_channels,
    "bottleneck-weights": lambda v: sum(
        conv(*layer, use_bias=False)
        for layer in [(1, v["wide"], v["width"]), (3, v["width"], v["width"]), (1, v["width"], v["wide"])]
    ),
    "projection-block-weights": projection_block,
    "resnet-depth": resnet_depth,
    "transfer-head-parameters": lambda v: (
        dense(v["features"], v["hidden"]) + dense(v["hidden"], v["classes"])
    ),
    "embedding-cosine": cosine,
    "darknet-map": lambda v: darknet_map(v["size"]),
    "top-five-error": top_five_error,
}


def test_every_drawing_has_an_oracle() -> None:
    assert set(ORACLES) == {
        name for name, function in drawings().items() if function.__module__ == architectures.__name__
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
        assert min(abs(value - drawn.answer) for value in wrong) > 0.005
        assert len(set(wrong)) == len(wrong)


def vgg16() -> tuple[list[int], list[int]]:
    """Parameters of the convolutions and of the dense layers."""
    channels, convolutions = 3, []
    for layers, filters in VGG16:
        convolutions += stage(layers, channels, filters)
        channels = filters
    return convolutions, [dense(512 * after_five_pools(224) ** 2, 4096), dense(4096, 4096), dense(4096, 1000)]


def test_vgg16_as_the_items_tell_it() -> None:
    convolutions, heads = vgg16()
    total = sum(convolutions) + sum(heads)
    item = load_bank().by_id["vgg16-number-of-parameters"]
    assert f"{total:,}" in item.explanation
    assert f"{sum(convolutions) / 1e6:.1f} million in thirteen" in item.explanation
    assert f"{sum(heads) / 1e6:.1f} million in three" in item.explanation
    assert len(convolutions) + len(heads) == 16
    assert str(total // 10**6) == f"{item.answer}"
    share = load_bank().by_id["vgg16-share-of-first-dense-layer"]
    assert f"{total:,}" in share.question
    assert share.answer == round(100 * heads[0] / total, 1)
    assert [mistake.value for mistake in share.mistakes] == [
        round(100 * sum(heads) / total, 1),
        round(100 * dense(512, 4096) / total, 1),
        round(100 * sum(convolutions) / total, 1),
    ]


def test_alexnet_as_the_items_tell_it() -> None:
    bank = load_bank().by_id
    assert bank["alexnet-first-layer-parameters"].answer == conv(11, 3, 96)
    fits = [
        side
        for side in range(200, 250)
        if (side - 11) % 4 == 0
        and keras.layers.Conv2D(96, 11, strides=4).compute_output_shape((None, side, side, 3))[1] == 55
    ]
    assert fits == [bank["alexnet-input-side"].answer]


def test_gradient_through_residual_blocks() -> None:
    def blocks(x: float) -> float:
        for slope in (0.1, -0.2, 0.5):
            x = x + slope * x
        return x

    assert load_bank().by_id["resnet-gradient-through-blocks"].answer == pytest.approx(
        blocks(1.5) - blocks(0.5)
    )


def test_distance_of_unit_vectors() -> None:
    one, two = np.array([1.0, 0.0]), np.array([0.6, 0.8])
    answer = load_bank().by_id["image-embedding-distance-from-cosine"].answer
    assert answer == pytest.approx(float(((one - two) ** 2).sum()))
