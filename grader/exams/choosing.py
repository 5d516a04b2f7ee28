"""Which items an exam asks, and of whom."""

from __future__ import annotations

import csv
import io
import random
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from dlquiz.quiz.items import TYPES, Bank, BankError, Item
from grader.exams.errors import ExamError
from grader.submission.names import shown, shown_list, student_id

MOST_STUDENTS = 10_000
_LONGEST_NAME = 200
_MOST_BYTES = 5_000_000


def choose(bank: Bank, topics: Sequence[str], types: Sequence[str], count: int, seed: int) -> list[Item]:
    """So many items, balanced over the topics asked for and over difficulties.

    Each next item is one of the topic, among those the difficulty, and among those the main topic, that has the
    fewest so far; the seed decides between equals.

    Args:
        topics: ids of topics or names of groups. Empty: every group.
        types: of `TYPES`, without "card". Empty: all of those.

    Raises:
        ExamError: a name is unknown, cards are asked for, or there are fewer items.
    """
    if "card" in types:
        raise ExamError("no exam has cards, since a student rates them; leave out `card` of --types")
    try:
        left = list(bank.select(topics, types or [kind for kind in TYPES if kind != "card"]))
    except BankError as error:
        raise ExamError(str(error)) from None
    if len(left) < count:
        fitting = f" of {', '.join(topics)}" if topics else ""
        fitting += f" that are {', '.join(types)}" if types else ""
        raise ExamError(
            f"the bank has {len(left)} items{fitting}, cards left out, and {count} are asked for: ask for fewer (-n), "
            "or more topics or types"
        )
    random.Random(f"{seed}/items").shuffle(left)  # noqa: S311
    asked: Counter[str] = Counter()
    difficulties: Counter[int] = Counter()
    mains: Counter[str] = Counter()
    chosen: list[Item] = []

    def burden(item: Item) -> tuple[int, int, int]:
        return asked[_asked(item)], difficulties[item.difficulty], mains[item.topics[0]]

    def _asked(item: Item) -> str:
        names = [name for name in dict.fromkeys(topics) if name == item.group or name in item.topics]
        return min(names, key=asked.__getitem__) if names else item.group

    for _ in range(count):
        item = min(left, key=burden)
        left.remove(item)
        chosen.append(item)
        asked[_asked(item)] += 1
        difficulties[item.difficulty] += 1
        mains[item.topics[0]] += 1
    return chosen


def students_of(given: str) -> list[str]:
    """The students that a command line names.

    Args:
        given: a number, for as many ids `student-1`, ...; or a CSV file with a column `student`, or with one column.

    Raises:
        ExamError: there is no such file, or an id in it cannot name a folder, or comes twice.
    """
    if given.isascii() and given.isdigit():
        # long before int() would refuse
        count = int(given) if len(given) <= 9 else MOST_STUDENTS + 1
        if not 0 < count <= MOST_STUDENTS:
            raise ExamError(f"--students: expected 1 to {MOST_STUDENTS}, received {shown(given, 20)}")
        return [f"student-{place:0{len(given)}}" for place in range(1, count + 1)]
    return _roster(Path(given))


def _roster(file: Path) -> list[str]:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ExamError(f"{file}: expected at most {_MOST_BYTES} bytes")
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ExamError(f"--students: expected a number or a CSV file; there is no file {file}") from None
    except UnicodeDecodeError:
        raise ExamError(f"{file} is no text in UTF-8: save it as such") from None
    try:
        rows = [
            (number, [cell.strip() for cell in row])
            for number, row in enumerate(csv.reader(io.StringIO(text, newline="")), 1)
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise ExamError(f"{file} is no CSV: {error}") from None
    heading = [cell.casefold() for cell in rows[0][1]] if rows else []
    column = heading.index("student") if "student" in heading else 0
    if "student" in heading:
        rows = rows[1:]
    elif any(len(row) > 1 for _, row in rows):
        raise ExamError(f"{file}: expected a column `student`, received {shown_list(rows[0][1])}")
    names: dict[str, str] = {}
    for number, row in rows:
        name = unicodedata.normalize("NFC", row[column]) if column < len(row) else ""
        if student_id(name, True) != name or name[0] in ".-" or len(name.encode()) > _LONGEST_NAME:
            raise ExamError(
                f"{file}, row {number}: expected an id that can name a folder, received {shown(name, 40)!r}"
            )
        if name.casefold() in names:
            raise ExamError(
                f"{file}, row {number}: {shown(name)!r} comes twice, and {shown(names[name.casefold()])!r} is the other"
            )
        names[name.casefold()] = name
    if not 0 < len(names) <= MOST_STUDENTS:
        raise ExamError(f"{file}: expected 1 to {MOST_STUDENTS} students, received {len(names)}")
    return list(names.values())
