"""One result in full, for the instructor."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from dlquiz.testing.verdict import Verdict
from grader.report.table import JSON_SCHEMA, VERDICT_STYLES, fold, number, percent
from grader.report.text import safe_text
from grader.result import Result, TestResult


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
        if test.verdict is not Verdict.PASSED:
            parts += _test_parts(test)
    parts += [_heading("To reproduce"), _indented(reproduce)]
    return Group(*parts)


def result_json(result: Result) -> dict[str, Any]:
    """The whole result, with the version of its form under `schema`."""
    return {"schema": JSON_SCHEMA, **result.to_json()}


def _header(result: Result) -> Table:
    mark = f"{number(result.points)} of {number(result.max_points)} ({percent(result):.1f} %)"
    if not result.graded:
        mark = f"none: not every test could be judged; the others came to {mark}"
    facts = {
        "student": result.student,
        "assignment": result.assignment,
        "mark": mark,
        "seed": str(result.seed),
        "graded": f"{result.started or 'at an unknown time'}, in {result.seconds:.2f} s",
        "isolation": result.isolation,
        "submission": result.submission_hash,
        "suite": result.assignment_hash,
        "grader": result.grader_version,
        "versions": ", ".join(f"{name} {version}" for name, version in sorted(result.versions.items())),
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value:
            table.add_row(Text(name), safe_text(value, one_line=True))
    return table


def _test_table(result: Result) -> Table:
    problems = {problem.name: problem for problem in result.problems}
    places = {name: place for place, name in enumerate(problems)}
    in_order = sorted(result.tests, key=lambda test: places.get(test.problem, len(places)))
    table = Table("test", "verdict", Column("points", justify="right"), "what it checks", box=SIMPLE_HEAD)
    for name, tests in groupby(in_order, lambda test: test.problem):
        problem = problems.get(name)
        title = safe_text(problem.title or name if problem else name, "bold", one_line=True)
        total = f"{number(problem.points)}/{number(problem.max_points)}" if problem else ""
        table.add_row(title, Text(), Text(total, "bold"), Text())
        for test in tests:
            table.add_row(
                Text("  ") + safe_text(test.name, one_line=True, max_line=120),
                Text(str(test.verdict), VERDICT_STYLES[test.verdict]),
                Text(f"{number(test.points)}/{number(test.max_points)}"),
                safe_text(test.title, one_line=True),
            )
    return fold(table)


def _test_parts(test: TestResult) -> list[RenderableType]:
    parts: list[RenderableType] = [
        Text("\n")
        + safe_text(test.name, "bold underline", one_line=True, max_line=120)
        + Text(": ")
        + Text(str(test.verdict), VERDICT_STYLES[test.verdict])
    ]
    parts += _section("Hint", test.hint)
    parts += _section("Message", test.message)
    parts += _section("Where in the student's code", test.traceback)
    parts += _section("Output of the student's code", test.output)
    parts += _section("For the instructor; students never see this", test.detail)
    return parts


def _section(title: str, text: str) -> list[RenderableType]:
    return [_heading(title), _indented(text.strip("\n"))] if text.strip() else []


def _heading(title: str) -> Text:
    return Text(f"\n{title}", "bold")


def _indented(text: str) -> Padding:
    body = safe_text(text)
    body.overflow = "fold"
    return Padding(body, (0, 0, 0, 2))
