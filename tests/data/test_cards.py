"""Every set has a complete card, the index names every set, and all of it is small."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dlquiz import data
from dlquiz.data import fraud
from dlquiz.data.cards import SOURCES

DATASETS = Path(__file__).resolve().parents[2] / "datasets"
INDEX = (DATASETS / "README.md").read_text(encoding="utf-8")
FOLDERS = sorted(path.name for path in DATASETS.iterdir() if path.is_dir() and path.name != "__pycache__")


def test_every_folder_is_a_set_and_offline_ones_come_first() -> None:
    assert sorted(data.names()) == FOLDERS
    places = [SOURCES.index(data.card(name).source) for name in data.names()]
    assert places == sorted(places)
    assert places.count(0) >= 6


@pytest.mark.parametrize("name", FOLDERS)
def test_a_card_is_complete(name: str) -> None:
    card = data.card(name)
    for text in (card.title, card.summary, card.task, card.origin, card.licence, card.made, card.covers):
        assert len(text) >= 4
    columns = [column.name for column in card.columns]
    assert len(set(columns)) == len(columns)
    assert set(card.targets) <= set(columns)
    assert card.features
    for column in card.columns:
        assert column.unit
        assert column.meaning
        assert bool(column.values) == (column.dtype == "category")
    assert bool(card.classes) == ("classification" in card.task or "detection" in card.task)
    if len(card.targets) == 1 and card.classes:
        assert sum(card.classes.values()) == card.rows
    assert re.fullmatch("" if card.source == "path" else "[0-9a-f]{64}", card.sha256)
    assert (card.source == "stored") == bool(card.file) == bool(card.size)
    assert (card.seed is not None) == (name in data.SYNTHETIC)
    assert f"| `{name}` | {card.rows:,} |" in INDEX


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_holds_its_card_and_its_file_only(name: str) -> None:
    card = data.card(name)
    files = {file.name: file.stat().st_size for file in (DATASETS / name).iterdir()}
    assert set(files) == {"card.toml", *([card.file] if card.file else [])}
    assert files.get(card.file, 0) == card.size


def test_all_files_together_stay_below_10_mb() -> None:
    assert sum(file.stat().st_size for file in DATASETS.rglob("*") if file.is_file()) < 10_000_000


def test_the_card_of_fraud_has_the_columns_and_categories_of_its_densities() -> None:
    card = data.card("fraud")
    assert card.features == fraud.COLUMNS
    assert card.targets == (fraud.TARGET,)
    assert {column.name: column.values for column in card.columns if column.values} == fraud.CATEGORIES


def test_the_index_repeats_the_figures_of_the_card() -> None:
    figures = {figure.name: figure for figure in data.card("fraud").figures}
    assert len(figures) == 12
    for figure in figures.values():
        assert f"{figure.value:.4f} ± {figure.standard_error:g}" in INDEX


def test_the_figures_are_what_the_set_is_for() -> None:
    value = {
        figure.name.removesuffix(", same 60 days"): figure.value for figure in data.card("fraud").figures
    }
    plain = value["ROC AUC, logistic regression, scaled and one-hot"]
    assert 0.85 <= plain + 0.02 < value["ROC AUC, gradient boosting"]
    assert value["ROC AUC, gradient boosting"] + 0.02 < value["ROC AUC, best possible"] <= 0.95


def test_a_description_tells_what_the_card_tells() -> None:
    told = data.describe("fraud")
    card = data.card("fraud")
    for text in (card.title, card.licence, card.sha256, "EUR; of the payment", "1 = fraud: 250 (0.50%)"):
        assert text in told
    assert "ROC AUC, best possible, same 60 days: 0.9443 ± 0.0001" in told
    assert all(column.name in told for column in card.columns)


def test_an_unknown_name_is_told_what_comes_near() -> None:
    with pytest.raises(data.DataError, match=r"^no data set 'froud': did you mean fraud\?$"):
        data.load("froud")
    with pytest.raises(data.DataError, match=r"^no data set 'qqq': there are blobs, breast_cancer, "):
        data.describe("qqq")
    assert data.card("Two-Moons").name == "two_moons"


@pytest.mark.parametrize(
    ("old", "new"),
    [("title =", "titel ="), ('source = "stored"', 'source = "cloud"'), ("rows = 400", "rows = {")],
)
def test_a_damaged_card_is_named(installed: Callable[..., Path], old: str, new: str) -> None:
    package = installed("sine")
    file = package / "_datasets" / "sine" / "card.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    for ask in (lambda: data.load("sine", package=package), lambda: data.names(package)):
        with pytest.raises(data.DataError) as caught:
            ask()
        assert str(caught.value).startswith(f"{file} is damaged (")
        assert "install dlquiz again with pip" in str(caught.value)


def test_an_installation_without_data_says_so(tmp_path: Path) -> None:
    assert data.names(tmp_path) == ()
    with pytest.raises(data.DataError, match="holds no data sets: install dlquiz again with pip"):
        data.load("fraud", package=tmp_path)
