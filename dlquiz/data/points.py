"""Small sets of points in the plane, and a noisy sine, drawn from known densities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Drawn = tuple[Floats, NDArray[Any]]

# Rounded, so that the last bit of a platform's cosine cannot change a stored set.
DECIMALS = 4
BLOB_CENTRES = np.array([[0.0, 2.0], [-1.7, -1.0], [1.7, -1.0]])
MOON_SPREAD = 0.25
SINE_SPREAD = 0.1


def blobs(rows: int, rng: np.random.Generator) -> Drawn:
    """Three round normal classes of variance 1 about `BLOB_CENTRES`: points (rows, 2), classes (rows,) in 0, 1, 2."""
    classes = _classes(rows, 3, rng)
    return np.round(BLOB_CENTRES[classes] + rng.standard_normal((rows, 2)), DECIMALS), classes


def two_moons(rows: int, rng: np.random.Generator) -> Drawn:
    """Two half circles that reach into each other, with normal noise: points (rows, 2), classes (rows,) in 0, 1."""
    classes = _classes(rows, 2, rng)
    on_arc = moon(np.pi * rng.random(rows), classes)
    return np.round(on_arc + MOON_SPREAD * rng.standard_normal((rows, 2)), DECIMALS), classes


def moon(angle: Floats, classes: NDArray[np.int64] | int) -> Floats:
    """The points of the two arcs at angles in [0, pi], shape (n, 2); class 1 is class 0 turned over and moved."""
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return np.where(np.equal(classes, 0)[..., None], upper, np.array([1.0, 0.5]) - upper)


def sine(rows: int, rng: np.random.Generator) -> Drawn:
    """y = sin(x) + noise, x uniform in [-pi, pi]: x (rows, 1), y (rows,), both float64."""
    x = np.round(np.pi * (2 * rng.random((rows, 1)) - 1), DECIMALS)
    return x, np.round(np.sin(x[:, 0]) + SINE_SPREAD * rng.standard_normal(rows), DECIMALS)


def _classes(rows: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """As many of each class as can be, in random order."""
    return rng.permutation(np.arange(rows, dtype=np.int64) % count)
