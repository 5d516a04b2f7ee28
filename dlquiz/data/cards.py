"""What is known of a data set without its rows: the cards in `datasets/`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlquiz.handouts import did_you_mean

PACKAGE = Path(__file__).resolve().parents[1]
CARD = "card.toml"
# Where a set's rows come from; those that need no network first.
SOURCES = ("stored", "scikit-learn", "keras", "path")


class DataError(ValueError):
    """A data set cannot be had as asked; the text names it, says what is wrong, and the way out."""


@dataclass(frozen=True)
class Column:
    """One column of a table, or one array.

    Attributes:
        dtype: of the values as loaded; `category` for pandas' categorical type.
        unit: of the values; "1" for a number without one.
        values: the categories of a categorical column, in the order of their codes.
    """

    name: str
    dtype: str
    unit: str
    meaning: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A number that was measured on the set, and the command that measures it.

    Attributes:
        standard_error: of a Monte Carlo; 0 where the value is exact to the digits given.
    """

    name: str
    value: float
    standard_error: float
    command: str


@dataclass(frozen=True)
class Card:
    """A data set's description.

    Attributes:
        source: one of `SOURCES`.
        file: the stored file beside the card, or "".
        size: its bytes, or 0.
        sha256: the checksum, and `covers` says of what.
        seed: of the draw that made a synthetic set, or None.
        rows: how many rows, or images.
        columns: features first, then what `targets` names.
        targets: the columns to be predicted.
        time: the column that orders rows in time, or "".
        classes: how often each class occurs; a class's label is its place. Empty where there are no classes.
    """

    name: str
    title: str
    summary: str
    task: str
    source: str
    origin: str
    licence: str
    made: str
    file: str
    size: int
    sha256: str
    covers: str
    seed: int | None
    rows: int
    columns: tuple[Column, ...]
    targets: tuple[str, ...]
    time: str
    classes: Mapping[str, int]
    figures: tuple[Figure, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the columns to predict from."""
        return tuple(column.name for column in self.columns if column.name not in self.targets)


def names(package: Path = PACKAGE) -> tuple[str, ...]:
    """The data sets of this installation: those that need no network first, then by name.

    Raises:
        DataError: a card is damaged.
    """
    cards = [card(folder.parent.name, package) for folder in _root(package).glob(f"*/{CARD}")]
    return tuple(one.name for one in sorted(cards, key=lambda one: (SOURCES.index(one.source), one.name)))


def card(name: str, package: Path = PACKAGE) -> Card:
    """The card of the data set of that name; `-` may stand for `_`.

    Raises:
        DataError: there is none, and the text says what comes near; or it is damaged.
    """
    wanted = name.strip().lower().replace("-", "_")
    known = sorted(file.parent.name for file in _root(package).glob(f"*/{CARD}"))
    if not known:
        raise DataError(f"{_root(package)} holds no data sets: install dlquiz again with pip")
    if wanted not in known:
        near = did_you_mean(wanted, known) or f": there are {', '.join(known)}"
        raise DataError(f"no data set '{name}'{near}")
    file = folder(wanted, package) / CARD
    try:
        return _read(wanted, tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file} is damaged ({error!r}): {way_out(wanted)}") from None


def folder(name: str, package: Path = PACKAGE) -> Path:
    """The folder of a data set's card and file."""
    return _root(package) / name


def way_out(name: str) -> str:
    """What to do about a file of a set that is missing or damaged."""
    return f"install dlquiz again with pip, or in a checkout: git checkout -- datasets/{name}"


def describe(name: str, package: Path = PACKAGE) -> str:
    """The card as text for people, lines of any length.

    Raises:
        DataError: there is no such set.
    """
    one = card(name, package)
    lines = [f"{one.name}: {one.title}", "", one.summary, ""]
    lines += [
        f"rows      {one.rows:,}",
        f"task      {one.task}",
        f"source    {one.source}" + (f" ({one.file}, {one.size:,} bytes)" if one.file else ""),
        f"origin    {one.origin}",
        f"licence   {one.licence}",
        f"made      {one.made}",
        f"checksum  {one.sha256 or 'none'}, {one.covers}",
        "",
    ]
    width = max(len(column.name) for column in one.columns)
    for column in one.columns:
        role = "  (target)" if column.name in one.targets else ""
        unit = "" if column.unit == "1" else f", {column.unit}"
        values = f": {', '.join(column.values)}" if column.values else ""
        lines.append(f"  {column.name:<{width}}  {column.dtype}{unit}; {column.meaning}{values}{role}")
    if one.classes:
        total = sum(one.classes.values())
        lines += ["", "classes"]
        lines += [
            f"  {label} = {name}: {count:,} ({count / total:.2%})"
            for label, (name, count) in enumerate(one.classes.items())
        ]
    if one.figures:
        lines += ["", "figures"]
        for figure in one.figures:
            error = f" ± {figure.standard_error:g}" if figure.standard_error else ""
            lines.append(f"  {figure.name}: {figure.value:g}{error}")
        lines += [f"  measured with: {command}" for command in dict.fromkeys(f.command for f in one.figures)]
    return "\n".join(lines) + "\n"


def _root(package: Path) -> Path:
    packed = package / "_datasets"
    return packed if packed.is_dir() else package.parent / "datasets"


def _read(name: str, told: Mapping[str, Any]) -> Card:
    source = str(told["source"])
    if source not in SOURCES:
        raise ValueError(f"source {source!r} is none of {', '.join(SOURCES)}")
    seed = told.get("seed")
    return Card(
        name=name,
        title=str(told["title"]),
        summary=" ".join(str(told["summary"]).split()),
        task=str(told["task"]),
        source=source,
        origin=" ".join(str(told["origin"]).split()),
        licence=" ".join(str(told["licence"]).split()),
        made=" ".join(str(told["made"]).split()),
        file=str(told.get("file", "")),
        size=int(told.get("size", 0)),
        sha256=str(told["sha256"]),
        covers=str(told["covers"]),
        seed=None if seed is None else int(seed),
        rows=int(told["rows"]),
        columns=tuple(
            Column(
                str(one["name"]),
                str(one["dtype"]),
                str(one["unit"]),
                str(one["meaning"]),
                tuple(map(str, one.get("values", ()))),
            )
            for one in told["column"]
        ),
        targets=tuple(map(str, told["targets"])),
        time=str(told.get("time", "")),
        classes={str(label): int(count) for label, count in told.get("classes", {}).items()},
        figures=tuple(
            Figure(str(one["name"]), float(one["value"]), float(one["standard_error"]), str(one["command"]))
            for one in told.get("figure", ())
        ),
    )
