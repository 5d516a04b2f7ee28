"""Marks and items of an exam as tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Column, Table
from rich.text import Text

from dlquiz.testing.verdict import Verdict
from grader.exams.analysis import ItemStatistics
from grader.report.table import bar, number, percent, verdict_counts
from grader.report.text import safe_text
from grader.result import Result

# Fewer answer sheets say little about an item.
FEW = 30
_BAR_CELLS = 10
_MOST_OPTIONS = 12
_NUMBERS = ("mark", "%", "right", "in part", "wrong", "blank", "mean", "discr.", "unread", "count")


def marks_table(results: Sequence[Result]) -> Table:
    """A row for each student: the mark, and how many answers were right, right in part, or not."""
    table = _table("student", "mark", "%", "", "right", "in part", "wrong", "blank")
    for result in results:
        counts = verdict_counts(result)
        in_part = sum(0 < test.points < test.max_points for test in result.tests)
        table.add_row(
            safe_text(result.student, max_line=60, one_line=True),
            f"{number(result.points)}/{number(result.max_points)}",
            f"{percent(result):.0f}",
            bar(percent(result) / 100, _BAR_CELLS),
            str(counts[Verdict.PASSED]),
            str(in_part),
            str(counts[Verdict.FAILED] - in_part),
            str(counts[Verdict.NOT_ATTEMPTED]),
        )
    return table


def odd(result: Result) -> list[Text]:
    """A line for everything that is odd about an answer sheet, and for every answer that could not be read."""
    told = [f"{result.student}: {note}" for note in result.notes]
    told += [f"{result.student}, {test.name}: {test.reason}" for test in result.tests if test.reason]
    return [safe_text(line, one_line=True) for line in told]


def items_table(items: Sequence[ItemStatistics]) -> Table:
    """A row for each item: mean score, discrimination, answers that say nothing, and what deserves a look."""
    table = _table("item", "mean", "discr.", "blank", "unread", "look at")
    for one in items:
        table.add_row(
            one.item,
            f"{one.difficulty:.2f}",
            "–" if one.discrimination is None else f"{one.discrimination:.2f}",
            str(one.blank),
            str(one.unread),
            "; ".join(remarks(one)),
        )
    return table


def options_table(items: Sequence[ItemStatistics]) -> Table:
    """A row for each choice, and for each other answer or mistake that was met."""
    table = _table("item", "count", "", "answer")
    for one in items:
        for place, option in enumerate(one.options[:_MOST_OPTIONS]):
            table.add_row(
                "" if place else one.item,
                str(option.count),
                "✓" if option.right else "",
                safe_text(option.text, max_line=200, one_line=True),
            )
        if len(one.options) > _MOST_OPTIONS:
            table.add_row("", "", "", f"... and {len(one.options) - _MOST_OPTIONS} more; --json has all")
        if one.options:
            table.add_section()
    return table


def remarks(one: ItemStatistics) -> list[str]:
    """What deserves a look about an item, in words; nothing where there are few answers."""
    if one.students < FEW:
        return []
    told = []
    if one.discrimination is not None and one.discrimination < 0:
        told.append("the weaker do better")
    if one.difficulty in (0, 1):
        told.append("everyone right" if one.difficulty else "nobody right")
    idle = sum(not option.right and not option.count for option in one.options)
    if idle:
        told.append(f"{idle} wrong never chosen")
    return told


def _table(*headings: str) -> Table:
    columns = (
        Column(
            heading,
            justify="right" if heading in _NUMBERS else "left",
            no_wrap=heading in _NUMBERS,
            overflow="fold",
        )
        for heading in headings
    )
    return Table(*columns, box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
