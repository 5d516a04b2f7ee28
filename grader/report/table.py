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


def class_table(results: Iterable[Result], width: int | None = None) -> Table:
    """One row a student, sorted by name: mark, bar, problems, worst verdicts, time, number of notes.

    Where the width does not allow all columns, first the bar, then the time, the problems, the notes and at
    last the verdicts are left out, and the caption says so.

    Args:
        results: one result a student; all of them are held in memory.
        width: cells to fill; that of the terminal where it is None.
    """
    rows = sorted(results, key=lambda result: result.student)
    available = shutil.get_terminal_size().columns if width is None else width
    groups = _columns(rows)
    left_out = []
    for name in ("bar", "time", "problems", "notes", "verdicts"):
        widths = [column.width for group in groups.values() for column in group]
        if sum(widths) + _GAP * (len(widths) - 1) <= available:
            break
        if groups.pop(name):
            left_out.append(name)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    shown = [column for group in groups.values() for column in group]
    for column in shown:
        table.add_column(
            Text(column.heading),
            justify="right" if column.right else "left",
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
        )
    for cells in zip(*(column.cells for column in shown), strict=True):
        table.add_row(*cells)
    if left_out:
        table.caption = Text(f"left out for want of width: {', '.join(left_out)}")
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


def _columns(rows: Sequence[Result]) -> dict[str, list[_Column]]:
    most = {problem.name: problem.max_points for result in rows for problem in result.problems}
    problems = [
        _Column(
            f"{clean(name, one_line=True, max_line=40)}\n/{number(points)}",
            [_problem(row, name) for row in rows],
            right=True,
        )
        for name, points in most.items()
    ]
    names = [safe_text(row.student, max_line=60, one_line=True) for row in rows]
    for name in names:
        name.truncate(_MOST_NAME_CELLS, overflow="ellipsis")
    notes = [Text(str(len(row.notes)) if row.notes else "") for row in rows]
    return {
        "student": [_Column("student", names)],
        "mark": [_Column("mark", [_mark(row) for row in rows], right=True)],
        "bar": [_Column("", [_bar(row) for row in rows], least=_BAR_CELLS)],
        "problems": problems,
        "verdicts": [_Column("verdicts", [_worst(row) for row in rows], wraps=True, least=16)],
        "time": [_Column("time", [Text(f"{row.seconds:.1f}s") for row in rows], right=True)],
        "notes": [_Column("notes", notes, right=True)],
    }


def _mark(result: Result) -> Text:
    if not result.graded:
        return Text("no mark", "bold reverse")
    return Text(f"{number(result.points)}/{number(result.max_points)}")


def _bar(result: Result) -> Text:
    return Text(bar(percent(result) / 100, _BAR_CELLS) if result.graded else "")


def _problem(result: Result, name: str) -> Text:
    points = [problem.points for problem in result.problems if problem.name == name]
    return Text(number(points[0]) if points and result.graded else "")


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
