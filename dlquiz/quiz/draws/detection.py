"""Drawn questions on detection, segmentation and tracking: boxes, grids, anchors, masks and map sizes."""

from __future__ import annotations

import math
import random

from dlquiz.quiz.draws.drawn import Drawn, drawing
from dlquiz.quiz.draws.numbers import apart, tidy

_SMALLEST_IOU = 0.05


@drawing("iou-of-two-boxes")
def iou_of_two_boxes(rng: random.Random) -> Drawn:
    """|A and B| / (|A| + |B| - |A and B|) of boxes (x1, y1, x2, y2) (Everingham et al. 2010, section 4.2)."""
    while True:
        wide, high, wide_too, high_too = (rng.randint(3, 12) for _ in range(4))
        left, top = rng.randint(0, 9), rng.randint(12, 20)
        left_too = left + rng.randint(1, wide - 1)
        top_too = top + rng.randint(1 - high_too, high - 1)
        one = (left, top, left + wide, top + high)
        other = (left_too, top_too, left_too + wide_too, top_too + high_too)
        across = min(one[2], other[2]) - max(one[0], other[0])
        down = min(one[3], other[3]) - max(one[1], other[1])
        shared = across * down
        areas = (wide * high, wide_too * high_too)
        union = sum(areas) - shared
        if shared / union >= _SMALLEST_IOU:
            break
    hull = (max(one[2], other[2]) - min(one[0], other[0])) * (max(one[3], other[3]) - min(one[1], other[1]))
    answer = shared / union
    return Drawn(
        values={
            "one": str(one),
            "other": str(other),
            "across": across,
            "down": down,
            "shared": shared,
            "area": areas[0],
            "area_too": areas[1],
            "union": union,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.006,
            (
                shared / sum(areas),
                "The union counts the shared part once: subtract it from the sum of the areas.",
            ),
            (
                2 * shared / sum(areas),
                "That is the Dice coefficient, twice the overlap over the sum of the areas.",
            ),
            (shared / min(areas), "The overlap is divided by the union, not by the smaller box."),
            (shared / max(areas), "The overlap is divided by the union, not by the larger box."),
            (
                shared / hull,
                "That divides by the rectangle around both boxes, which is more than their union.",
            ),
        ),
    )


@drawing("yolo-v1-outputs")
def yolo_v1_outputs(rng: random.Random) -> Drawn:
    """S S (5 B + C) (Redmon et al. 2015, section 2)."""
    side, boxes, classes = rng.randint(5, 14), rng.randint(2, 4), rng.choice((5, 10, 20, 40, 80))
    cells, each = side**2, 5 * boxes + classes
    return Drawn(
        values={"side": side, "boxes": boxes, "classes": classes, "cells": cells, "each": each},
        answer=cells * each,
        mistakes=apart(
            cells * each,
            0,
            (
                cells * boxes * (5 + classes),
                "YOLO v1 has one set of class probabilities a cell, not one a box.",
            ),
            (cells * (4 * boxes + classes), "Each box has a confidence besides its four coordinates."),
            (side * each, "The grid is two-dimensional: S² cells."),
            (cells * 5 * boxes, "The class probabilities of each cell are missing."),
        ),
    )


@drawing("yolo-v2-boxes")
def yolo_v2_boxes(rng: random.Random) -> Drawn:
    """k (size / 32)^2 (Redmon and Farhadi 2016, section 2)."""
    side, anchors = rng.randint(10, 19), rng.randint(3, 9)
    cells = side**2
    return Drawn(
        values={"size": 32 * side, "anchors": anchors, "side": side, "cells": cells},
        answer=cells * anchors,
        mistakes=apart(
            cells * anchors,
            0,
            (cells, "Each cell predicts one box for every anchor."),
            (side * anchors, "The grid is two-dimensional: square its side."),
            (
                4 * cells * anchors,
                "That is for a stride of 16, or counts the four coordinates of a box one by one.",
            ),
            (2 * cells, "Two boxes a cell is YOLO v1."),
        ),
    )


@drawing("yolo-v3-boxes")
def yolo_v3_boxes(rng: random.Random) -> Drawn:
    """a ((size / 32)^2 + (size / 16)^2 + (size / 8)^2) (Redmon and Farhadi 2018, section 2.3)."""
    side, anchors = rng.randint(7, 22), rng.randint(2, 4)
    cells = 21 * side**2
    return Drawn(
        values={
            "size": 32 * side,
            "anchors": anchors,
            "coarse": side,
            "middle": 2 * side,
            "fine": 4 * side,
            "cells": cells,
        },
        answer=cells * anchors,
        mistakes=apart(
            cells * anchors,
            0,
            (side**2 * anchors, "That is the coarsest map alone; there are three."),
            (
                3 * side**2 * anchors,
                "The three maps differ in size: halving the stride gives four times the cells.",
            ),
            (
                7 * side**2 * anchors,
                "Half the stride doubles both sides, so there are four times the cells, not twice.",
            ),
            (cells, "Each cell predicts one box for every anchor of its scale."),
        ),
    )


@drawing("rpn-anchors")
def rpn_anchors(rng: random.Random) -> Drawn:
    """W H k anchors, k = scales times ratios (Ren et al. 2015, section 3.1.1)."""
    across, down = rng.randint(20, 64), rng.randint(20, 64)
    scales, ratios = rng.choice(((2, 3), (3, 3), (4, 3), (3, 5), (4, 5), (3, 4)))
    cells = across * down
    return Drawn(
        values={
            "wide": 16 * across,
            "high": 16 * down,
            "across": across,
            "down": down,
            "scales": scales,
            "ratios": ratios,
            "each": scales * ratios,
        },
        answer=cells * scales * ratios,
        mistakes=apart(
            cells * scales * ratios,
            0,
            (cells * (scales + ratios), "Every scale is combined with every ratio: multiply, do not add."),
            (cells, "Each place has an anchor for every pair of scale and ratio."),
            (256 * cells * scales * ratios, "Anchors stand on the cells of the feature map, not on pixels."),
            (scales * ratios, "Those are the anchors of one place."),
        ),
    )


@drawing("ssd-map-outputs")
def ssd_map_outputs(rng: random.Random) -> Drawn:
    """(c + 4) k m n (Liu et al. 2016, section 2.1)."""
    side, boxes, classes = (
        rng.choice((3, 5, 10, 19, 20, 38)),
        rng.choice((4, 6)),
        rng.choice((11, 21, 41, 81)),
    )
    cells, each = side**2, classes + 4
    answer = cells * boxes * each
    return Drawn(
        values={"side": side, "boxes": boxes, "classes": classes, "cells": cells, "each": each},
        answer=answer,
        mistakes=apart(
            answer,
            0,
            (
                cells * (classes + 4 * boxes),
                "SSD scores the classes for each box, not once for the whole cell.",
            ),
            (
                cells * boxes * (classes + 5),
                "SSD has no separate objectness; background is one of the classes.",
            ),
            (cells * boxes * classes, "Each box has four offsets besides its class scores."),
            (cells * boxes, "Those are the boxes; each of them comes with scores and offsets."),
        ),
    )


@drawing("yolo-v2-centre")
def yolo_v2_centre(rng: random.Random) -> Drawn:
    """b_x = sigmoid(t_x) + c_x, in cells of 32 pixels (Redmon and Farhadi 2016, section 2)."""
    column = rng.randint(1, 11)
    raw = rng.choice((-2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2))
    inside = 1 / (1 + math.exp(-raw))
    answer = round(32 * (column + inside), 4)
    return Drawn(
        values={"column": column, "raw": raw, "inside": round(inside, 3)},
        answer=answer,
        mistakes=apart(
            answer,
            0.75,
            (32 * (column + raw), "The offset goes through a sigmoid, so the centre stays in its cell."),
            (32 * column + inside, "The offset is a share of the cell too: multiply it by 32 as well."),
            (
                32 * (column - 1 + inside),
                "Columns were counted from 0: this cell begins at 32 times its number.",
            ),
            (column + inside, "That is in cells; the question asks for pixels."),
            (
                32 * (column + 0.5),
                "That is the middle of the cell; the offset moves the centre away from it.",
            ),
        ),
    )


@drawing("dice-of-two-masks")
def dice_of_two_masks(rng: random.Random) -> Drawn:
    """2 |A and B| / (|A| + |B|) (Dice 1945; Milletari et al. 2016)."""
    both, missed, extra = rng.randint(2, 6), rng.randint(1, 4), rng.randint(1, 4)
    cells = ["11"] * both + ["10"] * missed + ["01"] * extra
    cells += ["00"] * (20 - len(cells))
    rng.shuffle(cells)
    truth, prediction = (
        "\n".join(" ".join(cell[which] for cell in cells[row : row + 5]) for row in range(0, 20, 5))
        for which in (0, 1)
    )
    answer = 2 * both / (2 * both + missed + extra)
    return Drawn(
        values={
            "truth": truth,
            "prediction": prediction,
            "both": both,
            "true": both + missed,
            "predicted": both + extra,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            (both / (both + missed + extra), "That is the IoU: the overlap over the union."),
            (both / (2 * both + missed + extra), "The overlap counts twice, as it is in both masks."),
            (both / (both + extra), "That is the precision of the pixels."),
            (both / (both + missed), "That is the recall of the pixels."),
            ((20 - missed - extra) / 20, "That is the pixel accuracy, which counts the background too."),
        ),
    )


def unet_sizes(pools: int, bottom: int) -> tuple[list[int], list[int]]:
    """Sides before each pool and behind each stage of the expanding path, from the bottom's side."""
    skips, ups = [], []
    below, side = bottom + 4, bottom
    for _ in range(pools):
        skips.append(2 * below)
        below = 2 * below + 4
        side = 2 * side - 4
        ups.append(side)
    return skips[::-1], ups


@drawing("unet-unpadded-output")
def unet_unpadded_output(rng: random.Random) -> Drawn:
    """Two unpadded 3 x 3 convolutions (-4) a stage, pools (/ 2), up-convolutions (x 2) (Ronneberger et al. 2015)."""
    pools = rng.randint(2, 4)
    bottom = rng.randint(8, 30)
    skips, ups = unet_sizes(pools, bottom)
    size = skips[0] + 4
    return Drawn(
        values={
            "size": size,
            "pools": pools,
            "stages": pools + 1,
            "down": ", ".join(map(str, [*skips, bottom])),
            "up": ", ".join(map(str, ups)),
        },
        answer=ups[-1],
        mistakes=apart(
            ups[-1],
            0,
            (size, "That is for padded convolutions; unpadded ones cost 2 pixels each."),
            (
                size - 4 * (2 * pools + 1),
                "A pixel lost at a coarse stage is worth several pixels of the image.",
            ),
            (skips[0], "That is the first stage's map; all later stages cost pixels too."),
            (2**pools * bottom, "The convolutions of the expanding path are unpadded as well."),
            (bottom, "That is the map at the bottom; the expanding path enlarges it again."),
        ),
    )


@drawing("unet-crop")
def unet_crop(rng: random.Random) -> Drawn:
    """Half the difference of the two maps that are concatenated (Ronneberger et al. 2015, figure 1)."""
    pools = rng.randint(2, 4)
    skips, ups = unet_sizes(pools, bottom := rng.randint(8, 30))
    stage = rng.randrange(pools)
    skip = skips[stage]
    below = [bottom, *ups][pools - 1 - stage]
    answer = (skip - 2 * below) // 2
    return Drawn(
        values={"skip": skip, "below": below, "up": 2 * below},
        answer=answer,
        mistakes=apart(
            answer,
            0,
            (skip - 2 * below, "That is cut in all; half of it goes on each side."),
            ((skip - below) / 2, "The up-convolution doubles the side of the map from below first."),
            (skip - below, "The up-convolution doubles the map first, and the cut is shared by two sides."),
            (0, "Without padding the two maps differ in size, so something has to be cut."),
        ),
    )


@drawing("siamese-displacement")
def siamese_displacement(rng: random.Random) -> Drawn:
    """(peak - centre of the score map) times the stride (Bertinetto et al. 2016, section 2.1)."""
    template = rng.randint(4, 8)
    half = rng.randint(6, 11)
    stride = rng.choice((4, 8))
    peak = rng.choice([place for place in range(2 * half + 1) if place != half])
    answer = (peak - half) * stride
    return Drawn(
        values={
            "template": template,
            "search": template + 2 * half,
            "scores": 2 * half + 1,
            "stride": stride,
            "peak": peak,
            "half": half,
            "moved": peak - half,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0,
            (peak - half, "That is in cells of the score map; one cell is a whole stride of pixels."),
            (peak * stride, "Count from the centre of the score map, which stands for no movement."),
            (-answer, "A peak right of the centre is a movement to the right, which is positive."),
            (
                tidy((peak - (template + 2 * half - 1) / 2) * stride),
                "That is the centre of the search map; the score map is smaller.",
            ),
        ),
    )
