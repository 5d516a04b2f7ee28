"""An exam as its instructor keeps it: what makes every paper and its key again, and no answer."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dlquiz.quiz.items import Bank, BankError, Item
from dlquiz.quiz.posing import Question, pose
from grader.exams.errors import ExamError

SCHEMA = 1
FILE = "exam.json"
# Of a paper: what is neither asked nor marked may be put right in the bank after the papers are out.
_UNASKED = ("id", "group", "topics", "difficulty", "explanation", "source", "mistakes")


@dataclass(frozen=True)
class Entry:
    """One item of an exam: its id in the bank, its digest (`digest_of`), and what it is worth."""

    id: str
    digest: str
    points: float


@dataclass(frozen=True)
class Exam:
    """What `exam.json` holds.

    Attributes:
        seed: with a student's id it decides their numbers and orders.
        bank: the folder of the bank, or "" for the package's own. `bank_digest` is of all of it.
        entries: the items, the same for all.
        students: their ids, each with the digest of their paper and its key.
        version: of the program that made it.
    """

    title: str
    seed: int
    bank: str
    bank_digest: str
    entries: tuple[Entry, ...]
    students: Mapping[str, str]
    version: str

    @property
    def assignment(self) -> str:
        """What the gradebook calls it."""
        return f"exam:{slug(self.title)}"

    @property
    def max_points(self) -> float:
        """What a perfect paper is worth."""
        return sum(entry.points for entry in self.entries)

    def digest(self) -> str:
        """Of everything that a mark rests on, less the list of students: 64 hex digits."""
        told = asdict(self)
        return _sha256({key: told[key] for key in ("seed", "entries")})


@dataclass(frozen=True)
class Paper:
    """The questions of one student in their order; the first is Q1. It holds the key."""

    student: str
    questions: tuple[Question, ...]

    def digest(self) -> str:
        """Of what is asked and what is right: 64 hex digits."""
        return _sha256(
            [
                [
                    one.item.id,
                    one.text,
                    one.formula,
                    [[choice.text, choice.right] for choice in one.choices],
                    [one.lefts, one.rights, one.steps],
                    one.answer,
                    one.tolerance,
                ]
                for one in self.questions
            ]
        )


def paper_of(student: str, items: Sequence[Item], seed: int) -> Paper:
    """The paper that an exam's seed gives a student: always the same.

    Raises:
        ExamError: an item cannot be asked.
    """
    own = int.from_bytes(hashlib.sha256(f"{seed}/{student}".encode()).digest()[:8])
    order = random.Random(f"{own}/order").sample(range(len(items)), len(items))  # noqa: S311
    try:
        return Paper(student, tuple(pose(items[place], own) for place in order))
    except BankError as error:
        raise ExamError(str(error)) from None


def slug(title: str) -> str:
    """The title as a part of a name: "Midterm 1" is `midterm-1`."""
    return re.sub(r"[\W_]+", "-", title.casefold()).strip("-")[:80] or "exam"


def digest_of(item: Item) -> str:
    """Of what an item asks and what is right there, not of what it explains: 64 hex digits."""
    told = {key: value for key, value in asdict(item).items() if key not in _UNASKED}
    told["choices"] = [[choice.text, choice.right] for choice in item.choices]
    return _sha256(told)


def digest_of_bank(bank: Bank) -> str:
    """Of every item with its id: 64 hex digits."""
    return _sha256([[item.id, digest_of(item)] for item in sorted(bank.items, key=lambda item: item.id)])


def dump(exam: Exam) -> str:
    """The text of `exam.json`."""
    told = asdict(exam)
    told["items"] = told.pop("entries")
    return json.dumps({"schema": SCHEMA, **told}, indent=2, ensure_ascii=False) + "\n"


def load(folder: Path) -> Exam:
    """Read the exam that a folder holds.

    Raises:
        ExamError: there is none, or its file is not as it was written.
    """
    file = folder / FILE
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ExamError(f"no exam at {folder}: there is no {FILE} in it") from None
    except (ValueError, RecursionError) as error:
        raise ExamError(f"{file} is no JSON: {error}") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        received = data.get("schema") if isinstance(data, dict) else data
        raise ExamError(f"{file}: key `schema`: expected {SCHEMA}, received {_shown(received)}")
    return Exam(
        title=_of_type(file, data, "title", str),
        seed=_of_type(file, data, "seed", int),
        bank=_of_type(file, data, "bank", str),
        bank_digest=_of_type(file, data, "bank_digest", str),
        entries=tuple(_entry(file, place, one) for place, one in enumerate(_items(file, data))),
        students=_students(file, data),
        version=_of_type(file, data, "version", str),
    )


def _items(file: Path, data: dict[str, Any]) -> list[Any]:
    items: list[Any] = _of_type(file, data, "items", list)
    ids = [one.get("id") for one in items if isinstance(one, dict)]
    if not items or len(ids) < len(items) or any(ids.count(id) > 1 for id in ids):
        raise ExamError(f"{file}: key `items`: expected one or more tables, each of an id of its own")
    return items


def _entry(file: Path, place: int, one: dict[str, Any]) -> Entry:
    where = f"items[{place}]."
    points = one.get("points")
    if isinstance(points, bool) or not isinstance(points, int | float) or not 0 < points <= 1e6:
        raise ExamError(f"{file}: key `{where}points`: expected a number above 0, received {_shown(points)}")
    return Entry(_of_type(file, one, "id", str, where), _of_type(file, one, "digest", str, where), points)


def _students(file: Path, data: dict[str, Any]) -> dict[str, str]:
    students: dict[str, Any] = _of_type(file, data, "students", dict)
    for name in students:
        _of_type(file, students, name, str, "students.")
    return students


def _of_type(file: Path, data: Mapping[str, Any], key: str, kind: type, where: str = "") -> Any:
    value = data.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        names = {str: "a text", int: "a whole number", list: "a list", dict: "a table"}
        raise ExamError(f"{file}: key `{where}{key}`: expected {names[kind]}, received {_shown(value)}")
    return value


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _sha256(data: object) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
