"""Hidden rows come from the run's seed, and are none that a student trains on."""

from __future__ import annotations

import numpy as np
import pytest

from dlquiz import data
from grader.datasets import Held, hold_out


def rows(dataset: data.Dataset) -> list[tuple[object, ...]]:
    return list(dataset.frame.itertuples(index=False, name=None))


def test_hidden_rows_of_fraud_are_none_of_the_stored() -> None:
    held = hold_out("fraud", 7, rows=4_000)
    assert held.fresh
    assert rows(held.train) == rows(data.load("fraud"))
    assert not set(rows(held.test)) & set(rows(held.train))
    assert int(np.asarray(held.test.target).sum()) == 20


@pytest.mark.parametrize("name", data.SYNTHETIC)
def test_a_runs_seed_never_draws_the_stored_set(name: str) -> None:
    card = data.card(name)
    assert card.seed is not None
    held = hold_out(name, card.seed)
    assert len(held.test) == card.rows
    assert not np.array_equal(np.asarray(held.test.features), np.asarray(held.train.features))


def test_an_equal_seed_draws_equal_rows_and_another_others() -> None:
    def drawn(held: Held) -> list[tuple[object, ...]]:
        return rows(held.test)

    first = drawn(hold_out("fraud", 7, rows=500))
    assert first == drawn(hold_out("fraud", 7, rows=500))
    assert first != drawn(hold_out("fraud", 8, rows=500))
    by_rng = [drawn(hold_out("fraud", np.random.default_rng(5), rows=500)) for _ in range(2)]
    assert by_rng[0] == by_rng[1] != first


def test_the_month_after_can_be_drawn() -> None:
    later = hold_out("fraud", 7, rows=500, hours=(1440, 2160)).test
    assert later.frame["time"].between(1440, 2160).all()


def test_of_a_public_set_rows_are_held_out() -> None:
    held = hold_out("breast_cancer", 7)
    assert not held.fresh
    assert sorted(rows(held.train) + rows(held.test)) == sorted(rows(data.load("breast_cancer")))
    assert len(held.test) == round(569 * 0.3)
    assert np.asarray(held.test.target).mean() == pytest.approx(357 / 569, abs=0.005)
    assert rows(held.test) == rows(hold_out("breast_cancer", 7).test)
    assert rows(held.test) != rows(hold_out("breast_cancer", 8).test)


def test_the_arguments_of_the_other_kind_are_refused() -> None:
    with pytest.raises(data.DataError, match="fraud is drawn anew, not split"):
        hold_out("fraud", 1, test_size=0.2)
    with pytest.raises(data.DataError, match="wine is split, not drawn"):
        hold_out("wine", 1, rows=20)
