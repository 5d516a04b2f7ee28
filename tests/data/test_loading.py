"""Sets load as their cards say, and what cannot be had is one clear error."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from dlquiz import data
from dlquiz.testing.values import to_tree
from grader.remote.wire import decode, encode

OFFLINE = [name for name in data.names() if data.card(name).source in ("stored", "scikit-learn")]


def columns(dataset: data.Dataset) -> dict[str, object]:
    """Every column or array of a set by name."""
    card, features, target = dataset.card, dataset.features, dataset.target
    found = dict(features) if isinstance(features, pd.DataFrame) else {card.features[0]: features}
    if isinstance(target, dict):
        return {**found, **target}
    return found if target is None else {**found, card.targets[0]: target}


@pytest.mark.parametrize("name", OFFLINE)
def test_a_set_is_what_its_card_says(name: str) -> None:
    dataset = data.load(name)
    card = dataset.card
    found = columns(dataset)
    assert list(found) == [column.name for column in card.columns]
    for column in card.columns:
        values = found[column.name]
        assert str(values.dtype) == column.dtype  # type: ignore[attr-defined]
        assert len(values) == len(dataset) == card.rows  # type: ignore[arg-type]
        assert not pd.isna(values).any()  # type: ignore[union-attr]
        if column.values:
            assert tuple(values.cat.categories) == column.values  # type: ignore[attr-defined]
        if shape := re.search(r"of shape \((\w+), ?([\d, ]*)\)", column.meaning):
            inner = [int(size) for size in shape[2].split(",") if size.strip()]
            assert values.shape == (card.rows, *inner)  # type: ignore[attr-defined]
    if card.classes:
        labels = np.asarray(found["labels" if name == "shapes" else card.targets[0]])
        assert np.bincount(labels[labels >= 0]).tolist() == list(card.classes.values())


def test_fraud_is_a_table_in_order_of_time() -> None:
    frame = data.load("fraud").frame
    assert frame.columns[-1] == "is_fraud"
    assert frame["time"].is_monotonic_increasing
    assert frame["time"].between(0, 1440).all()
    assert (frame[["amount", "amount_ratio", "distance", "since_last", "account_age"]] > 0).all().all()
    assert frame["is_fraud"].mean() == 0.005
    # both classes go on through all of the time
    assert frame.loc[frame["is_fraud"] == 1, "time"].quantile([0.1, 0.9]).between(50, 1390).all()


@pytest.mark.parametrize("name", ["fraud", "wine", "digits"])
def test_columns_pass_to_a_worker_and_make_the_table_again(name: str) -> None:
    dataset = data.load(name).take(np.arange(50))
    received = decode(encode(to_tree(dataset.columns(), lambda _: None)))
    assert isinstance(received, dict)
    assert list(received) == list(dataset.card.features)
    if isinstance(dataset.features, pd.DataFrame):
        assert (pd.DataFrame(received) == dataset.features.astype(pd.DataFrame(received).dtypes)).all().all()
    else:
        np.testing.assert_array_equal(received["images"], dataset.features)


def test_a_set_of_arrays_is_no_table() -> None:
    with pytest.raises(data.DataError, match="shapes holds arrays, not a table"):
        _ = data.load("shapes").frame


def test_import_is_light_and_no_set_needs_tensorflow() -> None:
    code = (
        "import sys\nfrom dlquiz import data\n"
        "heavy = ('numpy', 'pandas', 'sklearn', 'keras', 'tensorflow', 'rich')\n"
        "print([m for m in heavy if m in sys.modules])\n"
        f"for name in {OFFLINE}: data.load(name)\n"
        "from grader.datasets import hold_out\nhold_out('fraud', 1, rows=1000)\n"
        "print([m for m in ('keras', 'tensorflow') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    lines = ran.stdout.splitlines()
    assert lines == ["[]", "[]"], ran.stderr


@pytest.mark.parametrize("name", ["fraud", "sine"])
def test_a_missing_file_is_named_with_the_way_out(installed: Callable[..., Path], name: str) -> None:
    package = installed(name)
    file = package / "_datasets" / name / data.card(name).file
    file.unlink()
    with pytest.raises(data.DataError) as caught:
        data.load(name, package=package)
    assert str(caught.value) == (
        f"{file} cannot be read (No such file or directory): install dlquiz again with pip, "
        f"or in a checkout: git checkout -- datasets/{name}"
    )


@pytest.mark.parametrize("name", [name for name in OFFLINE if data.card(name).file])
@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_file_is_never_loaded(installed: Callable[..., Path], name: str, damage: str) -> None:
    package = installed(name)
    file = package / "_datasets" / name / data.card(name).file
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes({"cut": content[:-10], "flipped": content, "empty": b""}[damage])
    with pytest.raises(data.DataError) as caught:
        data.load(name, package=package)
    assert str(caught.value).startswith(f"{file} is damaged, its SHA-256 is ")
    assert f"git checkout -- datasets/{name}" in str(caught.value)


def test_other_rows_from_scikit_learn_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn import datasets

    real = datasets.load_digits

    def other() -> object:
        bunch = real()
        bunch.images[5, 4, 3] += 1
        return bunch

    data.load("digits")
    monkeypatch.setattr(datasets, "load_digits", other)
    with pytest.raises(data.DataError, match=r"digits: scikit-learn [\d.]+ holds other rows than the card"):
        data.load("digits")


def keras(monkeypatch: pytest.MonkeyPatch, name: str, load_data: Callable[[], object]) -> None:
    """Put a module in the place of keras.datasets.NAME."""
    module = ModuleType(f"keras.datasets.{name}")
    module.load_data = load_data  # type: ignore[attr-defined]
    for parent in ("keras", "keras.datasets"):
        monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.parametrize("name", ["cifar10", "mnist"])
def test_a_set_of_the_network_without_one_is_one_clear_message(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def unreachable() -> object:
        raise Exception("URL fetch failure on https://example.org: None -- unknown host\nmore")

    keras(monkeypatch, name, unreachable)
    with pytest.raises(data.DataError) as caught:
        data.load(name)
    assert str(caught.value) == (
        f"{name} is fetched once by Keras, which could not do so (URL fetch failure on https://example.org: None -- "
        f"unknown host): connect to the network and try again, or take a set that needs none: {', '.join(OFFLINE)}"
    )
    assert caught.value.__suppress_context__


def test_a_set_of_the_network_is_both_parts_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    train = (np.full((3, 32, 32, 3), 1, np.uint8), np.array([[3], [1], [2]], np.uint8))
    test = (np.full((2, 32, 32, 3), 2, np.uint8), np.array([[9], [0]], np.uint8))
    keras(monkeypatch, "cifar10", lambda: (train, test))
    dataset = data.load("cifar10")
    assert dataset.features.shape == (5, 32, 32, 3)
    assert np.asarray(dataset.target).tolist() == [3, 1, 2, 9, 0]
    assert np.asarray(dataset.target).dtype == np.int64


@pytest.fixture(scope="module")
def creditcard(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Files with the shape of the real one, and the lines they are made of."""
    card = data.card("creditcard")
    header = ",".join(column.name for column in card.columns)
    row = "0.5," + "0," * 29
    lines = [header, *[row + "0"] * 284_315, *[row + "1"] * 492]
    return SimpleNamespace(folder=tmp_path_factory.mktemp("creditcard"), lines=lines)


def test_creditcard_is_read_from_a_path(creditcard: SimpleNamespace) -> None:
    file = creditcard.folder / "whole.csv"
    file.write_text("\n".join(creditcard.lines) + "\n")
    dataset = data.load("creditcard", path=file)
    assert dataset.features.shape == (284_807, 30)
    assert int(np.asarray(dataset.target).sum()) == 492


def test_another_file_than_creditcard_is_refused(creditcard: SimpleNamespace) -> None:
    file = creditcard.folder / "other.csv"
    file.write_text("\n".join(creditcard.lines[:1000]) + "\n")
    with pytest.raises(
        data.DataError, match=r"other.csv has 999 rows with 0 of class 1, .* 284,807 with 492: get it"
    ):
        data.load("creditcard", path=file)
    file.write_text("a,b\n1,2\n")
    with pytest.raises(
        data.DataError, match=r"other.csv is not creditcard: its columns should be Time, V1, \.\.\. Class, 31"
    ):
        data.load("creditcard", path=file)
    file.write_text("")
    with pytest.raises(data.DataError, match=r"other.csv is no CSV file of creditcard"):
        data.load("creditcard", path=file)
    with pytest.raises(data.DataError, match=r"absent.csv cannot be read \(No such file or directory\)"):
        data.load("creditcard", path=creditcard.folder / "absent.csv")
    with pytest.raises(
        data.DataError, match=r"creditcard is not shipped: get its file from https://www.kaggle.com/\S+ "
    ):
        data.load("creditcard")


def test_a_path_is_for_creditcard_only(tmp_path: Path) -> None:
    with pytest.raises(data.DataError, match="fraud is not read from a file of yours"):
        data.load("fraud", path=tmp_path)
