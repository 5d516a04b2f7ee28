"""A class at a glance: one row a student."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from dlquiz.testing.verdict import Verdict
from grader.report.text import clean, safe_text
from grader.result import Result

JSON_SCHEMA = 1

VERDICT_STYLES: Mapping[Verdict, str] = {
    Verdict.PASSED: "green",
    Verdict.FAILED: "red",
    Verdict.NOT_ATTEMPTED: "dim",
    Verdict.ERROR: "red",
    Verdict.TIMEOUT: "yellow",
    Verdict.MEMORY: "yellow",
    Verdict.CRASHED: "yellow",
    Verdict.FORBIDDEN: "magenta",
    Verdict.SKIPPED: "dim",
    Verdict.GRADER_ERROR: "bold reverse",
}
# What an instructor should see first, when there is room for two.
_WORST_FIRST = (
    Verdict.GRADER_ERROR,
    Verdict.FORBIDDEN,
    Verdict.CRASHED,
    Verdict.MEMORY,
    Verdict.TIMEOUT,
    Verdict.ERROR,
    Verdict.FAILED,
    Verdict.NOT_ATTEMPTED,
    Verdict.SKIPPED,
)
_BAR_CELLS = 8
_MOST_NAME_CELLS = 22
_GAP = 3


@dataclass(frozen=True)
class _Column:
    heading: str
    cells: Sequence[Text]
    right: bool = False
    wraps: bool = False
    least: int = 0

    @property
    def width(self) -> int:
        widest = max((cell.cell_len for cell in self.cells), default=0)
        heading = max(cell_len(line) for line in self.heading.split("\n"))
        return max(self.least, heading, 0 if self.wraps else widest)


# What goes first when there is not room for everything.
_LEAVE_OUT = (
    (),
    ("bar",),
    ("bar", "time"),
    ("problems",),
    ("problems", "bar"),
    ("problems", "bar", "time"),
    ("problems", "bar", "time", "notes"),
    ("problems", "bar", "time", "notes", "verdicts"),
)


def class_table(results: Iterable[Result], width: int | None = None) -> Table:
    """One row a student, sorted by name: mark, bar, problems, worst verdicts, time, number of notes.

    Where the width does not allow all columns, some are left out (`_LEAVE_OUT` says in what order), and the
    caption names them.

    Args:
        results: one result a student, read one at a time: only the cells are kept.
        width: cells to fill; that of the terminal where it is None.
    """
    rows = sorted((_row(result) for result in results), key=lambda row: row.student)
    available = shutil.get_terminal_size().columns if width is None else width
    groups = _columns(rows)
    for left_out in _LEAVE_OUT:
        shown = [column for name, group in groups.items() if name not in left_out for column in group]
        if sum(column.width for column in shown) + _GAP * (len(shown) - 1) <= available:
            break
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in shown:
        table.add_column(
            Text(column.heading),
            justify="right" if column.right else "left",
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
        )
    for cells in zip(*(column.cells for column in shown), strict=True):
        table.add_row(*cells)
    named = [name for name in left_out if groups[name]]
    if named:
        table.caption = Text(f"left out for want of width: {', '.join(named)}")
    return table


def class_json(results: Iterable[Result]) -> dict[str, Any]:
    """The facts of `class_table`, sorted by student; points are None where there is no mark."""
    students = [_student_json(result) for result in results]
    return {"schema": JSON_SCHEMA, "students": sorted(students, key=lambda student: str(student["student"]))}


def percent(result: Result) -> float:
    """The share of the points, 0 to 100; 0 where there are none to be had."""
    return 100 * result.points / result.max_points if result.max_points else 0.0


def number(value: float) -> str:
    """A number of points with at most two decimals and no idle zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def bar(share: float, cells: int) -> str:
    """A bar of so many cells, readable without colour; `share` is clipped to 0..1."""
    full = round(min(max(share, 0.0), 1.0) * cells)
    return "█" * full + "·" * (cells - full)


def fold(table: Table) -> Table:
    """The table, with long words broken over lines where they would be cut off."""
    for column in table.columns:
        column.overflow = "fold"
    return table


def verdict_counts(result: Result) -> Counter[Verdict]:
    """How many tests came to each verdict."""
    return Counter(test.verdict for test in result.tests)


@dataclass(frozen=True)
class _Row:
    """The cells of one student."""

    student: str
    name: Text
    mark: Text
    bar: Text
    problems: Mapping[str, Text]
    most: Mapping[str, float]
    verdicts: Text
    time: Text
    notes: Text


def _row(result: Result) -> _Row:
    name = safe_text(result.student, max_line=60, one_line=True)
    name.truncate(_MOST_NAME_CELLS, overflow="ellipsis")
    return _Row(
        student=result.student,
        name=name,
        mark=_mark(result),
        bar=Text(bar(percent(result) / 100, _BAR_CELLS) if result.graded else ""),
        problems={
            problem.name: Text(number(problem.points) if result.graded else "") for problem in result.problems
        },
        most={problem.name: problem.max_points for problem in result.problems},
        verdicts=_worst(result),
        time=Text(f"{result.seconds:.1f}s"),
        notes=Text(str(len(result.notes)) if result.notes else ""),
    )


def _columns(rows: Sequence[_Row]) -> dict[str, list[_Column]]:
    most = {name: points for row in rows for name, points in row.most.items()}
    problems = [
        _Column(_heading(name, points), [row.problems.get(name, Text("")) for row in rows], right=True)
        for name, points in most.items()
    ]
    return {
        "student": [_Column("student", [row.name for row in rows])],
        "mark": [_Column("mark", [row.mark for row in rows], right=True)],
        "bar": [_Column("", [row.bar for row in rows], least=_BAR_CELLS)],
        "problems": problems,
        "verdicts": [_Column("verdicts", [row.verdicts for row in rows], wraps=True, least=16)],
        "time": [_Column("time", [row.time for row in rows], right=True)],
        "notes": [_Column("notes", [row.notes for row in rows], right=True)],
    }


def _heading(name: str, points: float) -> str:
    """A problem's name, a word a line, so that the column is no wider than its longest word."""
    words = clean(name, one_line=True, max_line=40).replace("_", "_ ").split()
    return "\n".join([*words, f"/{number(points)}"])


def _mark(result: Result) -> Text:
    if not result.graded:
        return Text("no mark", "bold reverse")
    return Text(f"{number(result.points)}/{number(result.max_points)}")


def _worst(result: Result) -> Text:
    if result.import_error:
        return Text("does not import", "red")
    counts = verdict_counts(result)
    found = [
        Text(f"{counts[verdict]} {verdict}", VERDICT_STYLES[verdict])
        for verdict in _WORST_FIRST
        if counts[verdict]
    ]
    if not found:
        return Text("all passed" if result.tests else "no tests", "green" if result.tests else "")
    return Text(", ").join(found[:2] + ([Text("…")] if len(found) > 2 else []))


def _student_json(result: Result) -> dict[str, Any]:
    return {
        "student": result.student,
        "assignment": result.assignment,
        "points": result.points if result.graded else None,
        "max_points": result.max_points,
        "percent": percent(result) if result.graded else None,
        "graded": result.graded,
        "seed": result.seed,
        "problems": {
            problem.name: {
                "points": problem.points if result.graded else None,
                "max_points": problem.max_points,
            }
            for problem in result.problems
        },
        "verdicts": {str(verdict): count for verdict, count in sorted(verdict_counts(result).items())},
        "import_error": result.import_error,
        "seconds": result.seconds,
        "notes": list(result.notes),
        "limits_hit": list(result.limits_hit),
        "faults": list(result.faults),
    }
