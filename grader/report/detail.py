"""One result in full, for the instructor."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from grader.report.parts import by_problem, explained, facts, mark, pictures, share
from grader.report.pictures import ConfusionMatrix, Picture
from grader.report.table import JSON_SCHEMA, VERDICT_STYLES, fold
from grader.report.text import safe_text
from grader.result import Result, TestResult

_MOST_CLASSES = 10


def show_result(result: Result, reproduce: str) -> RenderableType:
    """Everything about one submission.

    Args:
        result: the result to show. Much of it was written by the student, and is shown as inert text.
        reproduce: the command line which grades it once more in the same way.
    """
    parts: list[RenderableType] = [_header(result)]
    for title, texts in (
        ("Faults of the grader or the suite", result.faults),
        ("Limits hit", result.limits_hit),
        ("Notes", result.notes),
    ):
        if texts:
            parts.append(_heading(title))
            parts += [_indented(f"- {text}") for text in texts]
    parts += _section("The submission does not import", result.import_error)
    parts += _section("Output of the import", result.import_output)
    if result.tests:
        parts += [Text(), _test_table(result)]
    for test in result.tests:
        if explained(test) or test.figures:
            parts += _test_parts(test)
    parts += [_heading("To reproduce"), _indented(reproduce)]
    return Group(*parts)


def result_json(result: Result) -> dict[str, Any]:
    """The whole result, with the version of its form under `schema`."""
    return {"schema": JSON_SCHEMA, **result.to_json()}


def _header(result: Result) -> Table:
    points = mark(result)
    if not result.graded:
        points = f"none: not every test could be judged; the others came to {points}"
    header = {"student": result.student, "assignment": result.assignment, "mark": points, **facts(result)}
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in header.items():
        table.add_row(Text(name), safe_text(value, one_line=True))
    return table


def _test_table(result: Result) -> Table:
    table = Table("test", "verdict", Column("points", justify="right"), "what it checks", box=SIMPLE_HEAD)
    for name, problem, tests in by_problem(result):
        title = safe_text(problem.title or name if problem else name, "bold", one_line=True)
        total = share(problem.points, problem.max_points) if problem else ""
        table.add_row(title, Text(), Text(total, "bold"), Text())
        for test in tests:
            told = safe_text(test.title, one_line=True)
            if test.reason:
                told = Text("\n").join([told, safe_text(f"why: {test.reason}", "italic", one_line=True)])
            table.add_row(
                Text("  ") + safe_text(test.name, one_line=True, max_line=120),
                Text(str(test.verdict), VERDICT_STYLES[test.verdict]),
                Text(share(test.points, test.max_points)),
                told,
            )
    return fold(table)


def _test_parts(test: TestResult) -> list[RenderableType]:
    parts: list[RenderableType] = [
        Text("\n")
        + safe_text(test.name, "bold underline", one_line=True, max_line=120)
        + Text(": ")
        + Text(str(test.verdict), VERDICT_STYLES[test.verdict])
    ]
    if explained(test):
        parts += _section("Hint", test.hint)
        parts += _section("Message", test.message)
        parts += _section("Where in the student's code", test.traceback)
        parts += _section("Output of the student's code", test.output)
        parts += _section("For the instructor; students never see this", test.detail)
    for picture in pictures(test):
        parts += _picture_parts(picture)
    return parts


def _picture_parts(picture: Picture | ValueError) -> list[RenderableType]:
    if isinstance(picture, ValueError):
        return _section("A figure of the suite cannot be drawn", str(picture))
    title = f"{picture.name[0].upper()}{picture.name[1:]}: {picture.title}"
    if isinstance(picture, ConfusionMatrix) and len(picture.labels) <= _MOST_CLASSES:
        return [_heading(title), Padding(_matrix(picture), (0, 0, 0, 2))]
    return _section(title, picture.describe())


def _matrix(picture: ConfusionMatrix) -> Table:
    table = Table("true \\ predicted", box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for label in picture.labels:
        table.add_column(safe_text(label), justify="right")
    for label, row in zip(picture.labels, picture.counts, strict=True):
        table.add_row(safe_text(label), *(str(count) for count in row))
    return fold(table)


def _section(title: str, text: str) -> list[RenderableType]:
    return [_heading(title), _indented(text.strip("\n"))] if text.strip() else []


def _heading(title: str) -> Text:
    return Text(f"\n{title}", "bold")


def _indented(text: str) -> Padding:
    body = safe_text(text)
    body.overflow = "fold"
    return Padding(body, (0, 0, 0, 2))
