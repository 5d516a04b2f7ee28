"""CSV, one row an item: everything that a bank file says, for people who edit in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from dlquiz.quiz.interchange.tables import as_table
from dlquiz.quiz.items import BankError, Item

_TEXTS = tuple(
    """id type topics difficulty question answer unit tolerance relative_tolerance draw plot formula accepted
    explanation source right""".split()
)
_LISTS = {"choice": 6, "feedback": 6, "step": 7, "left": 7, "match": 7, "mistake": 9, "mistake_feedback": 9}
COLUMNS = (*_TEXTS, *(f"{name}_{place}" for name, count in _LISTS.items() for place in range(1, count + 1)))
_BETWEEN = " | "
# A spreadsheet takes what begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "'")


def write(items: Iterable[Item]) -> str:
    """The items as CSV with a heading. Lists of words are joined by ` | `; `right` has the numbers of right choices.

    A text that a spreadsheet would run as a formula gets an apostrophe before it, which `read` takes away.
    """
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for item in items:
        writer.writerow({key: _safe(value) for key, value in _row(as_table(item)).items()})
    return file.getvalue()


def read(text: str) -> list[dict[str, Any]]:
    """Tables of items, to be validated by `tables.save`.

    Raises:
        BankError: there is no such heading, or a number is none.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    if unknown := [name for name in reader.fieldnames or [""] if name not in COLUMNS]:
        raise BankError(
            [f"no column is named {unknown[0]!r}: there are {', '.join(COLUMNS[:16])}, choice_1 ..."]
        )
    problems: list[str] = []
    tables = []
    for number, row in enumerate(reader, 2):
        if None in row:
            problems.append(f"row {number}: expected {len(reader.fieldnames or ())} cells, received more")
            continue
        try:
            tables.append(_table({key: _bare(value or "") for key, value in row.items()}))
        except ValueError as error:
            problems.append(f"row {number}: {error}")
    if problems:
        raise BankError(problems)
    return tables


def _row(table: dict[str, Any]) -> dict[str, Any]:
    lists: dict[str, list[Any]] = {
        "choice": [one["text"] for one in table.get("choice", ())],
        "feedback": [one.get("feedback", "") for one in table.get("choice", ())],
        "step": table.get("steps", []),
        "left": [left for left, _ in table.get("pairs", ())],
        "match": [right for _, right in table.get("pairs", ())],
        "mistake": [one.get("text", one.get("value")) for one in table.get("mistake", ())],
        "mistake_feedback": [one["feedback"] for one in table.get("mistake", ())],
    }
    rights = [str(place) for place, one in enumerate(table.get("choice", ()), 1) if one.get("right")]
    row = {key: table[key] for key in _TEXTS if key in table}
    for key in ("topics", "accepted"):
        row[key] = _BETWEEN.join(table.get(key, ()))
    if isinstance(table.get("answer"), bool):
        row["answer"] = str(table["answer"]).lower()
    row["right"] = " ".join(rights)
    return row | {f"{name}_{place}": one for name, ones in lists.items() for place, one in enumerate(ones, 1)}


def _table(row: dict[str, str]) -> dict[str, Any]:
    lists = {
        name: [row.get(f"{name}_{place}", "") for place in range(1, count + 1)]
        for name, count in _LISTS.items()
    }
    table: dict[str, Any] = {
        key: row[key]
        for key in ("id", "type", "question", "explanation", "source", "plot", "unit", "draw", "formula")
        if row.get(key)
    }
    for key in ("topics", "accepted"):
        if row.get(key):
            table[key] = [one.strip() for one in row[key].split("|")]
    for key in ("difficulty", "tolerance", "relative_tolerance"):
        if row.get(key):
            table[key] = _number(key, row[key])
    kind = row.get("type", "")
    if row.get("answer"):
        table["answer"] = row["answer"]
        if kind == "numeric":
            table["answer"] = _number("answer", row["answer"])
        elif kind == "true-false":
            table["answer"] = row["answer"].strip().lower() == "true"
    rights = row.get("right", "").split()
    choices = [
        {"text": text}
        | ({"right": True} if str(place) in rights else {})
        | ({"feedback": told} if told else {})
        for place, (text, told) in enumerate(zip(lists["choice"], lists["feedback"], strict=True), 1)
        if text
    ]
    mistakes = [
        {"text": one, "feedback": told}
        if kind == "fill"
        else {"value": _number("mistake", one), "feedback": told}
        for one, told in zip(lists["mistake"], lists["mistake_feedback"], strict=True)
        if one
    ]
    pairs = [list(pair) for pair in zip(lists["left"], lists["match"], strict=True) if any(pair)]
    steps = [step for step in lists["step"] if step]
    many = {"choice": choices, "mistake": mistakes, "pairs": pairs, "steps": steps}
    return table | {key: value for key, value in many.items() if value}


def _number(key: str, text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{key}: expected a number, received {text!r}") from None


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _bare(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text
