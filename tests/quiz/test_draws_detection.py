"""The drawings on detection, segmentation and tracking against counted pixels, Keras and scikit-learn."""

from __future__ import annotations

import functools
import os
import random
from collections.abc import Callable, Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
from sklearn.metrics import f1_score

from dlquiz.quiz.draws.detection import unet_sizes
from dlquiz.quiz.draws.drawn import Drawn, drawings

SEEDS = range(200)


def drawn(name: str) -> Iterator[Drawn]:
    for seed in SEEDS:
        yield drawings()[name](random.Random(seed))


def whole(one: Drawn, names: str) -> list[int]:
    return [int(one.values[name]) for name in names.split()]


def agree(name: str, oracle: Callable[[Drawn], float]) -> None:
    answers, expected = [], []
    for one in drawn(name):
        answers.append(one.answer)
        expected.append(float(oracle(one)))
    np.testing.assert_allclose(answers, expected, rtol=1e-5)
    assert len(set(answers)) > 8, "one and the same question again and again"


def covered(box: object) -> np.ndarray:
    """The unit squares that a box given as text covers."""
    left, top, right, bottom = (int(part) for part in str(box).strip("()").split(","))
    grid = np.zeros((60, 60), bool)
    grid[top:bottom, left:right] = True
    return grid


def test_iou_of_two_boxes_by_counting_squares() -> None:
    for one in drawn("iou-of-two-boxes"):
        first, second = covered(one.values["one"]), covered(one.values["other"])
        shared = first & second
        assert one.values["shared"] == shared.sum()
        assert one.values["across"] == shared.any(axis=0).sum()
        assert one.values["down"] == shared.any(axis=1).sum()
        assert (one.values["area"], one.values["area_too"]) == (first.sum(), second.sum())
        assert one.values["union"] == (first | second).sum()
    agree(
        "iou-of-two-boxes",
        lambda one: (
            (covered(one.values["one"]) & covered(one.values["other"])).sum()
            / (covered(one.values["one"]) | covered(one.values["other"])).sum()
        ),
    )


def test_yolo_v1_outputs_by_naming_each() -> None:
    def names(one: Drawn) -> int:
        side, boxes, classes = whole(one, "side boxes classes")
        cell = [(box, part) for box in range(boxes) for part in ("x", "y", "w", "h", "confidence")]
        cell += [(label, "class") for label in range(classes)]
        assert one.values["each"] == len(cell)
        assert one.values["cells"] == len([*np.ndindex(side, side)])
        return len([(place, part) for place in np.ndindex(side, side) for part in cell])

    agree("yolo-v1-outputs", names)


@functools.cache
def grid_behind(size: int, halvings: int) -> int:
    """The side of a map behind padded convolutions of stride 2."""
    shape: tuple[int | None, ...] = (None, size, size, 3)
    for _ in range(halvings):
        shape = keras.layers.Conv2D(3, 3, strides=2, padding="same").compute_output_shape(shape)
    assert shape[1] == shape[2]
    return int(shape[1] or 0)


def test_yolo_v2_boxes() -> None:
    def boxes(one: Drawn) -> int:
        size, anchors = whole(one, "size anchors")
        assert one.values["side"] == grid_behind(size, 5)
        assert one.values["cells"] == grid_behind(size, 5) ** 2
        return anchors * grid_behind(size, 5) ** 2

    agree("yolo-v2-boxes", boxes)


def test_yolo_v3_boxes() -> None:
    def boxes(one: Drawn) -> int:
        size, anchors = whole(one, "size anchors")
        sides = [grid_behind(size, halvings) for halvings in (5, 4, 3)]
        assert sides == whole(one, "coarse middle fine")
        assert one.values["cells"] == sum(side**2 for side in sides)
        return sum(anchors * side**2 for side in sides)

    agree("yolo-v3-boxes", boxes)


def test_published_numbers_of_boxes() -> None:
    sides = [grid_behind(416, halvings) for halvings in (5, 4, 3)]
    assert sides == [13, 26, 52]
    assert 3 * sum(side**2 for side in sides) == 10647
    ssd = {38: 4, 19: 6, 10: 6, 5: 6, 3: 4, 1: 4}
    assert sum(boxes * side**2 for side, boxes in ssd.items()) == 8732


def test_rpn_anchors_by_laying_them() -> None:
    def anchors(one: Drawn) -> int:
        wide, high, scales, ratios = whole(one, "wide high scales ratios")
        shapes = {(2**scale, ratio) for scale in range(scales) for ratio in range(ratios)}
        centres = [(row, column) for row in range(8, high, 16) for column in range(8, wide, 16)]
        assert one.values["each"] == len(shapes)
        assert whole(one, "across down") == [len(range(8, wide, 16)), len(range(8, high, 16))]
        return len(centres) * len(shapes)

    agree("rpn-anchors", anchors)


def test_ssd_map_outputs() -> None:
    def outputs(one: Drawn) -> int:
        side, boxes, classes = whole(one, "side boxes classes")
        head = keras.layers.Conv2D(boxes * (classes + 4), 3, padding="same")
        assert (one.values["cells"], one.values["each"]) == (side**2, classes + 4)
        return int(np.prod(head.compute_output_shape((1, side, side, 64))))

    agree("ssd-map-outputs", outputs)


def test_yolo_v2_centre() -> None:
    agree(
        "yolo-v2-centre",
        lambda one: (
            416 / 13 * (int(one.values["column"]) + float(keras.ops.sigmoid(float(one.values["raw"]))))
        ),
    )
    for one in drawn("yolo-v2-centre"):
        assert 32 * int(one.values["column"]) < one.answer < 32 * int(one.values["column"]) + 32
        assert one.values["inside"] == pytest.approx(one.answer / 32 - int(one.values["column"]), abs=6e-4)


def mask(text: object) -> np.ndarray:
    return np.array([[int(pixel) for pixel in row.split()] for row in str(text).split("\n")])


def test_dice_of_two_masks_is_f1_of_pixels() -> None:
    for one in drawn("dice-of-two-masks"):
        truth, prediction = mask(one.values["truth"]), mask(one.values["prediction"])
        assert truth.shape == prediction.shape == (4, 5)
        assert whole(one, "both true predicted") == [
            (truth & prediction).sum(),
            truth.sum(),
            prediction.sum(),
        ]
    agree(
        "dice-of-two-masks",
        lambda one: f1_score(mask(one.values["truth"]).ravel(), mask(one.values["prediction"]).ravel()),
    )


@functools.cache
def through_unet(size: int, pools: int) -> tuple[list[int], list[int]]:
    """Sides behind the convolutions of each stage, down and up, as Keras computes them."""
    convolution, pool = keras.layers.Conv2D(1, 3), keras.layers.MaxPooling2D(2)
    enlarge = keras.layers.Conv2DTranspose(1, 2, strides=2)

    def stage(shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(convolution.compute_output_shape(convolution.compute_output_shape(shape)))

    shape = stage((1, size, size, 1))
    down, up = [int(shape[1] or 0)], []
    for _ in range(pools):
        assert down[-1] % 2 == 0, "a pool would drop pixels"
        shape = stage(pool.compute_output_shape(shape))
        down.append(int(shape[1] or 0))
    for _ in range(pools):
        shape = stage(enlarge.compute_output_shape(shape))
        up.append(int(shape[1] or 0))
    return down, up


def test_unet_sizes_are_those_of_the_paper() -> None:
    assert through_unet(572, 4) == ([568, 280, 136, 64, 28], [52, 100, 196, 388])
    assert unet_sizes(4, 28) == ([568, 280, 136, 64], [52, 100, 196, 388])


def test_unet_unpadded_output() -> None:
    def output(one: Drawn) -> int:
        down, up = through_unet(*whole(one, "size pools"))
        assert one.values["down"] == ", ".join(map(str, down))
        assert one.values["up"] == ", ".join(map(str, up))
        assert one.values["stages"] == len(down)
        return up[-1]

    agree("unet-unpadded-output", output)


def test_unet_crop_makes_both_maps_equal() -> None:
    answers = set()
    for one in drawn("unet-crop"):
        skip, below, up = whole(one, "skip below up")
        enlarged = keras.layers.Conv2DTranspose(4, 2, strides=2).compute_output_shape((1, below, below, 4))
        cropped = keras.layers.Cropping2D(int(one.answer)).compute_output_shape((1, skip, skip, 4))
        assert tuple(enlarged) == tuple(cropped) == (1, up, up, 4)
        assert one.answer > 0
        answers.add(one.answer)
    assert len(answers) > 3


def test_unet_crop_asks_of_a_unet_that_can_be() -> None:
    possible = set()
    for pools in (2, 3, 4):
        for bottom in range(8, 31):
            down, up = through_unet(unet_sizes(pools, bottom)[0][0] + 4, pools)
            possible |= set(zip(down[-2::-1], [bottom, *up], strict=False))
    for one in drawn("unet-crop"):
        assert tuple(whole(one, "skip below")) in possible


def test_siamese_displacement_by_sliding_a_template() -> None:
    def moved(one: Drawn) -> float:
        template, search, stride, peak = whole(one, "template search stride peak")
        pattern = np.random.default_rng(template).normal(size=template)
        region = np.zeros(search)
        region[peak : peak + template] = pattern
        scores = np.correlate(region, pattern, "valid")
        assert scores.argmax() == peak
        assert one.values["scores"] == len(scores)
        assert 2 * int(one.values["half"]) == len(scores) - 1
        places = np.flatnonzero(region)
        return float(stride * ((places[0] + places[-1]) / 2 - (search - 1) / 2))

    agree("siamese-displacement", moved)
    for one in drawn("siamese-displacement"):
        assert int(one.values["moved"]) * int(one.values["stride"]) == one.answer
