"""Fresh rows of the small synthetic sets are what their cards say."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from dlquiz import data
from dlquiz.data import points

ROWS = 40_000


def accuracy_of(name: str) -> float:
    (figure,) = data.card(name).figures
    return figure.value


def hits(densities: list[np.ndarray], labels: Any) -> tuple[float, float]:
    """The share of rows whose class has the highest density, and its standard error."""
    right = np.argmax(densities, axis=0) == np.asarray(labels)
    return float(right.mean()), float(right.std() / len(right) ** 0.5)


def test_the_best_accuracy_on_blobs_is_integrated_and_reached_by_the_nearest_centre(
    measure: ModuleType,
) -> None:
    assert measure.blobs_accuracy(0.05) == pytest.approx(accuracy_of("blobs"), abs=1e-4)
    drawn = data.draw("blobs", ROWS, 1)
    near = [-np.linalg.norm(np.asarray(drawn.features) - centre, axis=1) for centre in points.BLOB_CENTRES]
    value, error = hits(near, drawn.target)
    assert abs(value - accuracy_of("blobs")) < 4 * error


def test_the_best_accuracy_on_two_moons_is_integrated_and_reached_by_the_densities(
    measure: ModuleType,
) -> None:
    assert measure.two_moons_accuracy(0.05, 100) == pytest.approx(accuracy_of("two_moons"), abs=2e-4)
    drawn = data.draw("two_moons", ROWS, 1)
    densities = []
    for angles in (np.linspace(0, np.pi, 101), np.linspace(np.pi, 2 * np.pi, 101)):
        lower = angles[0] > 0
        arc = np.stack([np.cos(angles) + lower, np.sin(angles) + 0.5 * lower], axis=-1)
        gaps = ((np.asarray(drawn.features)[:, None] - arc) ** 2).sum(-1)
        densities.append(np.exp(-gaps / (2 * 0.25**2)).mean(axis=1))
    value, error = hits(densities, drawn.target)
    assert abs(value - accuracy_of("two_moons")) < 4 * error


def test_the_noise_of_the_sine_has_the_variance_of_the_card() -> None:
    drawn = data.draw("sine", ROWS, 1)
    x = np.asarray(drawn.features)[:, 0]
    noise = np.asarray(drawn.target) - np.sin(x)
    assert np.mean(noise**2) == pytest.approx(accuracy_of("sine"), rel=0.03)
    assert abs(noise.mean()) < 0.003
    assert abs(np.corrcoef(noise, x)[0, 1]) < 0.02
    assert (x.min(), x.max()) == pytest.approx((-np.pi, np.pi), abs=0.001)


def test_classes_are_even_and_in_no_order() -> None:
    labels = np.asarray(data.draw("blobs", 10, 2).target)
    assert sorted(np.bincount(labels).tolist()) == [3, 3, 4]
    assert labels.tolist() != sorted(labels.tolist())
    assert labels.tolist() != (np.arange(10) % 3).tolist()


def test_boxes_masks_and_labels_of_shapes_agree() -> None:
    drawn = data.draw("shapes", 120, 9)
    target = drawn.target
    assert isinstance(target, dict)
    images = np.asarray(drawn.features).astype(int)
    sizes: dict[int, list[float]] = {0: [], 1: [], 2: []}
    for image, boxes, labels, mask, instances in zip(images, *target.values(), strict=True):
        assert labels[0] >= 0
        assert set(np.unique(instances)) - {0} == set(np.flatnonzero(labels >= 0) + 1)
        assert (boxes[labels < 0] == 0).all()
        assert ((mask > 0) == (instances > 0)).all()
        background = image[instances == 0].mean(axis=0)
        for place in np.flatnonzero(labels >= 0):
            inside = instances == place + 1
            rows, columns = np.nonzero(inside)
            tight = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert boxes[place].tolist() == tight
            assert (mask[inside] == labels[place] + 1).all()
            sizes[labels[place]].append(inside.sum() / ((tight[2] - tight[0]) * (tight[3] - tight[1])))
            # objects do not touch, and stand out
            around = np.zeros_like(inside)
            around[1:] |= inside[:-1]
            around[:-1] |= inside[1:]
            around[:, 1:] |= inside[:, :-1]
            around[:, :-1] |= inside[:, 1:]
            assert set(np.unique(instances[around])) <= {0, place + 1}
            assert abs(image[inside].mean(axis=0) - background).sum() > 60
    # of its box a circle of few pixels fills a little less than pi/4, a square all, a triangle half
    for label, share in ((0, 0.71), (1, 1.0), (2, 0.5)):
        assert np.median(sizes[label]) == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize("name", data.SYNTHETIC)
def test_a_draw_comes_from_its_seed(name: str) -> None:
    def values(seed: Any) -> bytes:
        return np.asarray(data.draw(name, 20, seed).features).tobytes()

    if name == "fraud":
        assert data.draw(name, 500, 3).frame.equals(data.draw(name, 500, np.random.default_rng(3)).frame)
        return
    assert values(3) == values(3) == values(np.random.Generator(np.random.PCG64(3)))
    assert values(3) != values(4)


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(
        data.DataError, match="digits is not synthetic, so no fresh rows can be drawn: split it"
    ):
        data.draw("digits", 10, 1)
    with pytest.raises(data.DataError, match="blobs: at least 1 row must be drawn, not 0"):
        data.draw("blobs", 0, 1)
    with pytest.raises(data.DataError, match="sine takes no options, and was given hours"):
        data.draw("sine", 5, 1, hours=(0, 24))
