"""Small pictures of circles, squares and triangles, with their boxes and masks. Whole numbers only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 64
MOST = 3
CLASSES = ("circle", "square", "triangle")
_RADII = (6, 13)
_TRIES = 20
_NOISE = 2
# Summed over the three channels: an object stands out from what is behind it.
_CONTRAST = 150

Ints = NDArray[np.int64]


def shapes(rows: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], dict[str, NDArray[Any]]]:
    """Pictures with one to three objects that lie wholly inside and do not touch each other.

    Returns:
        Images, uint8 of shape (rows, 64, 64, 3), and a dict of
        `boxes`, int64 (rows, 3, 4): x0, y0, x1, y1 in pixels, x1 and y1 just beyond the object; 0 where there is none;
        `labels`, int64 (rows, 3): 0 circle, 1 square, 2 triangle, -1 where there is no object;
        `masks`, uint8 (rows, 64, 64): 0 background, else the object's label + 1;
        `instances`, uint8 (rows, 64, 64): 0 background, else the object's place among the boxes + 1.
    """
    images = np.empty((rows, SIDE, SIDE, 3), np.uint8)
    boxes = np.zeros((rows, MOST, 4), np.int64)
    labels = np.full((rows, MOST), -1, np.int64)
    masks = np.zeros((rows, SIDE, SIDE), np.uint8)
    instances = np.zeros((rows, SIDE, SIDE), np.uint8)
    y, x = np.mgrid[:SIDE, :SIDE]
    for row in range(rows):
        base = rng.integers(40, 216, size=3)
        slopes = rng.integers(-30, 31, size=(2, 3))
        picture = base + (x[..., None] * slopes[0] + y[..., None] * slopes[1]) // SIDE
        for place in range(int(rng.integers(1, MOST + 1))):
            found = _free(instances[row], rng, x, y)
            if found is None:
                break
            label, inside = found
            picture[inside] = _colour(picture[inside], rng)
            labels[row, place] = label
            masks[row][inside] = label + 1
            instances[row][inside] = place + 1
            boxes[row, place] = _box(inside)
        picture = picture + rng.integers(-_NOISE, _NOISE + 1, size=picture.shape)
        images[row] = np.clip(picture, 0, 255)
    return images, {"boxes": boxes, "labels": labels, "masks": masks, "instances": instances}


def _free(
    taken: NDArray[np.uint8], rng: np.random.Generator, x: Ints, y: Ints
) -> tuple[int, NDArray[np.bool_]] | None:
    """The label and the pixels of an object that touches no other, or None if no place was found for one."""
    for _ in range(_TRIES):
        label = int(rng.integers(len(CLASSES)))
        radius = int(rng.integers(_RADII[0], _RADII[1] + 1))
        right, down = x - rng.integers(radius, SIDE - radius), y - rng.integers(radius, SIDE - radius)
        square = (abs(right) <= radius) & (abs(down) <= radius)
        inside = [
            right * right + down * down <= radius * radius,
            square,
            square & (2 * abs(right) <= down + radius),
        ][label]
        near = (abs(right) <= radius + 1) & (abs(down) <= radius + 1)
        if not taken[near].any():
            return label, inside
    return None


def _colour(behind: Ints, rng: np.random.Generator) -> Ints:
    around = behind.mean(axis=0).astype(np.int64)
    while True:
        colour = rng.integers(0, 256, size=3)
        if abs(colour - around).sum() >= _CONTRAST:
            return colour


def _box(inside: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
