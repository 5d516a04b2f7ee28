"""Read what students hand in: `NAME.json` or `NAME.csv`, which may hold anything."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.exams.errors import ExamError
from grader.submission.names import shown, shown_list

MAX_BYTES = 256_000
MAX_ANSWER = 500
_SUFFIXES = (".json", ".csv")
_MOST_NOTES = 10


@dataclass(frozen=True)
class Sheet:
    """What one student handed in.

    Attributes:
        given: what was found for each question, by its name; never empty, and more than one where a
            question is answered in several ways.
        problem: why the file could not be read at all, or "".
        notes: what else is odd about it.
        digest: of the file as it came, 64 hex digits.
    """

    student: str
    given: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problem: str = ""
    notes: tuple[str, ...] = ()
    digest: str = ""


@dataclass(frozen=True)
class Pile:
    """All that was handed in.

    Attributes:
        sheets: sorted by student.
        strangers: names of entries that belong to no student of the exam.
        missing: students of whom there is nothing.
    """

    sheets: tuple[Sheet, ...]
    strangers: tuple[str, ...]
    missing: tuple[str, ...]


def read_pile(folder: Path, students: Iterable[str], questions: int) -> Pile:
    """Read the answers of a class; names that start with a dot are passed over.

    Args:
        questions: how many each paper has.

    Raises:
        ExamError: there is no such folder.
    """
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if not entry.name.startswith("."))
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise ExamError(
            f"no answers at {folder} ({reason}): give a folder of NAME.json and NAME.csv"
        ) from None
    known = set(students)
    entries: dict[str, list[str]] = defaultdict(list)
    strangers = []
    for name in names:
        stem, suffix = os.path.splitext(unicodedata.normalize("NFC", name))
        if suffix.lower() in _SUFFIXES and stem in known:
            entries[stem].append(name)
        else:
            strangers.append(name)
    sheets = tuple(_sheet(folder, student, found, questions) for student, found in sorted(entries.items()))
    return Pile(sheets, tuple(map(shown, strangers)), tuple(sorted(known - set(entries))))


def _sheet(folder: Path, student: str, names: list[str], questions: int) -> Sheet:
    if len(names) > 1:
        return _unread(student, f"there are several files ({shown_list(names)}): keep one")
    try:
        data = _load(folder / names[0])
        text = _decoded(data)
        is_json = names[0].lower().endswith(".json")
        pairs, notes = _of_json(text, student) if is_json else (_of_csv(text), [])
    except _UnreadableError as error:
        return _unread(student, str(error))
    given: dict[str, dict[str, None]] = defaultdict(dict)
    unknown = []
    for label, answer in pairs:
        name = label.strip().upper()
        place = name.removeprefix("Q")
        if not re.fullmatch("Q[1-9][0-9]{0,3}", name) or int(place) > questions:
            unknown.append(label)
        elif answer.strip():
            given[name][answer.strip()] = None
    if unknown:
        notes.append(
            f"no question {shown_list([shown(label, 40) or '(blank)' for label in unknown], _MOST_NOTES)}"
        )
    return Sheet(
        student, {name: tuple(found) for name, found in given.items()}, "", tuple(notes), _sha256(data)
    )


def _unread(student: str, problem: str) -> Sheet:
    return Sheet(student, problem=problem, digest=_sha256(problem.encode()))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class _UnreadableError(Exception):
    """Why a file is no answer sheet."""


def _load(file: Path) -> bytes:
    """The bytes of an ordinary file; a link might lead to what is not the student's, a pipe nowhere."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as opened:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _UnreadableError("expected an ordinary file")
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise _UnreadableError(f"expected an ordinary file ({error.strerror})") from None
    if len(data) > MAX_BYTES:
        raise _UnreadableError(f"expected at most {MAX_BYTES} bytes")
    return data


def _decoded(data: bytes) -> str:
    utf_16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    # cp1252 is what a spreadsheet in western Europe or America saves
    for encoding in ("utf-16",) if utf_16 else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _UnreadableError("expected text in UTF-8")


def _of_csv(text: str) -> list[tuple[str, str]]:
    """Question and answer of every row. What an unquoted comma cut in two is put together again."""
    lines = text.lstrip("\ufeff\r\n ")
    separator = next((sign for sign in lines.partition("\n")[0] if sign in ",;\t"), ",")
    try:
        rows = list(csv.reader(io.StringIO(lines, newline=""), delimiter=separator))
    except csv.Error as error:
        raise _UnreadableError(f"expected CSV: {error}") from None
    pairs = [(row[0], separator.join(row[1:]).rstrip(f"{separator} ")) for row in rows if any(row)]
    return pairs[1:] if pairs and pairs[0][0].strip().casefold() == "question" else pairs


def _of_json(text: str, student: str) -> tuple[list[tuple[str, str]], list[str]]:
    try:
        # Numbers stay as they were typed; of a key that comes twice both values count.
        data = json.loads(
            text, object_pairs_hook=_Object, parse_int=_Number, parse_float=_Number, parse_constant=_Number
        )
    except (ValueError, RecursionError) as error:
        raise _UnreadableError(f"expected JSON: {shown(str(error))}") from None
    answers = (
        next((value for key, value in data if key == "answers"), None) if isinstance(data, _Object) else None
    )
    if not isinstance(answers, _Object):
        raise _UnreadableError('expected JSON of the form {"answers": {"Q1": "B", ...}}')
    named = [value for key, value in data if key == "student" and isinstance(value, str)]
    others = [name for name in named if unicodedata.normalize("NFC", name.strip()) not in ("", student)]
    notes = [f"the file says that it is of {shown(name, 40)!r}" for name in others[:1]]
    return [(label, _text(value)) for label, value in answers], notes


class _Object(list[tuple[str, Any]]):
    """A JSON object as pairs."""


class _Number(str):
    """A JSON number as it was typed."""


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else f"({type(value).__name__.strip('_').lower()})"
