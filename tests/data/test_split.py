"""A split parts the rows, keeps what it is asked to keep, and refuses what cannot be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dlquiz import data


def ids(dataset: data.Dataset) -> list[bytes]:
    """Each row's content, its target with it."""
    if isinstance(dataset.features, pd.DataFrame):
        return [repr(row).encode() for row in dataset.frame.itertuples(index=False)]
    target = dataset.target
    targets = [] if target is None else target.values() if isinstance(target, dict) else [target]
    arrays = [np.asarray(dataset.features), *map(np.asarray, targets)]
    return [b"".join(array[row].tobytes() for array in arrays) for row in range(len(dataset))]


@pytest.mark.parametrize("name", ["blobs", "breast_cancer", "shapes", "sine"])
def test_each_row_is_in_one_part_with_its_target(name: str) -> None:
    dataset = data.load(name)
    parts = data.split(dataset, 0.25, seed=3)
    assert len(parts[1]) == round(len(dataset) * 0.25)
    assert sorted(ids(parts[0]) + ids(parts[1])) == sorted(ids(dataset))
    assert ids(parts[0]) != ids(dataset)[: len(parts[0])]


def test_the_seed_decides() -> None:
    dataset = data.load("wine")
    first, again, other = (ids(data.split(dataset, seed=seed)[1]) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_classes_keep_their_proportions() -> None:
    train, test = data.split(data.load("fraud"), 0.2, seed=1)
    assert (np.asarray(train.target).sum(), np.asarray(test.target).sum()) == (200, 50)
    loose = [
        np.asarray(data.split(data.load("fraud"), 0.2, seed, stratify=False)[1].target).sum()
        for seed in (1, 2, 3)
    ]
    assert set(loose) != {50}


def test_a_split_by_time_puts_the_latest_rows_last() -> None:
    dataset = data.load("fraud")
    train, test = data.split(
        dataset.take(np.random.default_rng(1).permutation(len(dataset))), 0.1, by_time=True
    )
    assert len(test) == 5_000
    assert train.frame["time"].max() <= test.frame["time"].min()
    assert test.frame["time"].is_monotonic_increasing
    assert test.frame.index.tolist() == list(range(5_000))


@pytest.mark.parametrize("size", [0, 1, -0.2, 1.5, 0.0001, 0.9999, float("nan")])
def test_a_share_that_leaves_a_part_empty_is_refused(size: float) -> None:
    with pytest.raises(data.DataError, match=r"wine: a test_size of .* leaves a part of 178 rows empty"):
        data.split(data.load("wine"), size)


def test_what_a_set_does_not_have_is_refused() -> None:
    with pytest.raises(data.DataError, match="wine: its rows have no time to split by"):
        data.split(data.load("wine"), by_time=True)
    for name in ("sine", "shapes", "photographs"):
        with pytest.raises(data.DataError, match=f"{name}: its rows have no classes to stratify by"):
            data.split(data.load(name), 0.5, stratify=True)
    with pytest.raises(data.DataError, match="fraud: a split by time cannot be stratified"):
        data.split(data.load("fraud"), stratify=True, by_time=True)
    with pytest.raises(data.DataError, match="wine: 3 rows cannot be split with stratify"):
        data.split(data.load("wine").take(np.array([0, 1, 177])))
