"""Marks as a table, a CSV file and a JSON file."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from grader.gradebook.errors import GradebookError

if TYPE_CHECKING:
    import pandas as pd

    from grader.gradebook.book import Entry

EXPORT_SCHEMA = 1

_BEFORE = ("student", "points", "max_points", "percent")
_AFTER = ("graded", "seed", "seconds", "recorded")
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def to_frame(entries: Iterable[Entry]) -> pd.DataFrame:
    """See `Gradebook.to_frame`."""
    import pandas as pd

    problems: dict[str, None] = {}
    rows = []
    for entry in entries:
        rows.append(row := _row(entry))
        problems.update(dict.fromkeys(name for name in row if name not in _BEFORE + _AFTER))
    return pd.DataFrame(rows, columns=[*_BEFORE, *problems, *_AFTER])


def export_csv(path: Path, entries: Iterable[Entry]) -> None:
    """See `Gradebook.export_csv`."""
    frame = to_frame(entries)
    frame["student"] = [_inert(name) for name in frame["student"]]
    with _whole_file(path) as file:
        # Unquoted, a bare carriage return in a name would start a new row.
        frame.to_csv(file, index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)


def export_json(path: Path, assignment: str, entries: Iterable[Entry]) -> None:
    """See `Gradebook.export_json`."""
    with _whole_file(path) as file:
        file.write(f'{{"schema": {EXPORT_SCHEMA}, "assignment": {json.dumps(assignment)}, "students": [')
        for index, entry in enumerate(entries):
            student = {"recorded": entry.recorded, "result": entry.result.to_json()}
            file.write(("\n" if index == 0 else ",\n") + json.dumps(student))
        file.write("\n]}\n")


def _row(entry: Entry) -> dict[str, Any]:
    result = entry.result
    row: dict[str, Any] = {
        "student": result.student,
        "points": result.points if result.graded else None,
        "max_points": result.max_points,
        "percent": 100 * result.points / result.max_points if result.graded and result.max_points else None,
        "graded": result.graded,
        "seed": result.seed,
        "seconds": result.seconds,
        "recorded": entry.recorded,
    }
    for problem in result.problems:
        name = f"problem_{problem.name}" if problem.name in _BEFORE + _AFTER else problem.name
        row[name] = problem.points if result.graded else None
    return row


def _inert(name: str) -> str:
    return f"'{name}" if name.startswith(_FORMULA_STARTS) else name


@contextmanager
def _whole_file(path: Path) -> Iterator[TextIO]:
    """A file which takes its place only once it is complete."""
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise GradebookError(
            f"cannot write {path} ({error.strerror}); check that its folder exists, is writable and has space"
        ) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
