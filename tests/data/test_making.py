"""The scripts make what is stored, again and again the same."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from dlquiz import data


@pytest.mark.parametrize("name", data.SYNTHETIC)
def test_a_stored_set_is_what_its_seed_makes(make: ModuleType, name: str) -> None:
    made = make.made(name)
    assert make.content(made) == make.content(data.load(name))
    assert make.is_stored(made)
    rows = np.arange(len(made))
    rows[0] = 1
    assert not make.is_stored(made.take(rows))


@pytest.mark.parametrize("name", data.SYNTHETIC)
def test_the_same_rows_give_the_same_bytes(
    make: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = min(data.card(name).rows, 200)
    first = make.packed(data.draw(name, rows, 3))
    monkeypatch.setattr("time.time", lambda: 1.0)
    assert make.packed(data.draw(name, rows, 3)) == first
    assert make.packed(data.draw(name, rows, 4)) != first


def test_the_photographs_are_those_of_scikit_learn_halved(make: ModuleType) -> None:
    pytest.importorskip("PIL")
    stored = np.asarray(data.load("photographs").features, int)
    # decoders of JPEG may differ by one
    assert abs(np.asarray(make.made("photographs").features, int) - stored).max() <= 1


def test_halving_rounds_means_and_drops_an_odd_line(make: ModuleType) -> None:
    image = np.zeros((3, 4, 3), np.uint8)
    image[0, 0], image[0, 1], image[1, 2] = 255, 255, 2
    assert make.halved(image)[:, :, 0].tolist() == [[128, 1]]


def test_every_stored_set_has_its_script(make: ModuleType) -> None:
    assert set(make.STORED) == {name for name in data.names() if data.card(name).source == "stored"}
