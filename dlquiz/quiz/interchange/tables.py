"""Items as the tables of a bank file: from an item, and into files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dlquiz.quiz.items import BankError, Item, load_bank
from dlquiz.topics import topics

_SAME = tuple(
    """id type difficulty question explanation source plot answer tolerance relative_tolerance unit draw formula
    topics steps accepted""".split()
)


def as_table(item: Item) -> dict[str, Any]:
    """What stands in a bank file for the item; keys that it has no use for are left out."""
    found = asdict(item)
    table = {
        key: list(found[key]) if isinstance(found[key], tuple) else found[key]
        for key in _SAME
        if found[key] not in (None, "", ())
    }
    if item.pairs:
        table["pairs"] = [list(pair) for pair in item.pairs]
    if item.choices:
        table["choice"] = [
            {"text": one.text}
            | ({"right": True} if one.right else {})
            | ({"feedback": one.feedback} if one.feedback else {})
            for one in item.choices
        ]
    if item.mistakes:
        value = "text" if item.type == "fill" else "value"
        table["mistake"] = [{value: one.value, "feedback": one.feedback} for one in item.mistakes]
    return table


def save(tables: Iterable[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Write tables as a bank of their own: files `GROUP.toml` in a folder, all of them or, if one is faulty, none.

    Raises:
        BankError: with everything that is wrong with the items, or the files that are there already.
    """
    import tomli_w

    known = topics()
    groups: dict[str, list[Mapping[str, Any]]] = {}
    strangers = []
    for table in tables:
        first = (table.get("topics") or [""])[0]
        if first in known:
            groups.setdefault(known[first][0], []).append(table)
        else:
            strangers.append(f"{table.get('id')}: expected ids of the topic list, received {first!r}")
    there = [folder / f"{group}.toml" for group in groups if (folder / f"{group}.toml").exists()]
    problems = strangers + [f"{file} is there already: name another folder" for file in there]
    if problems:
        raise BankError(problems)
    with tempfile.TemporaryDirectory(prefix="dlquiz-") as trial:
        for group, items in groups.items():
            text = tomli_w.dumps({"item": items}, multiline_strings=True)
            (Path(trial) / f"{group}.toml").write_text(text, encoding="utf-8", newline="\n")
        load_bank(Path(trial))
        folder.mkdir(parents=True, exist_ok=True)
        return [
            Path(shutil.copyfile(Path(trial) / f"{group}.toml", folder / f"{group}.toml")) for group in groups
        ]
