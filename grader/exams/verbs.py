"""What `grader exam` does and prints."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

import grader
from dlquiz.output import consoles, write_json
from dlquiz.quiz.items import Item
from grader.exams import making
from grader.exams.analysis import ItemStatistics
from grader.exams.analysis import analyse as statistics
from grader.exams.answers import Pile, read_pile
from grader.exams.choosing import choose, students_of
from grader.exams.exam import FILE, Exam, load
from grader.exams.grading import Marked, items_of, mark_pile, result_of
from grader.exams.tables import FEW, items_table, marks_table, odd, options_table
from grader.gradebook import Gradebook
from grader.report import class_json, safe_text
from grader.submission.names import shown_list

JSON_SCHEMA = 1
_MOST_LINES = 20


def make(
    folder: Path,
    *,
    topics: Sequence[str],
    types: Sequence[str],
    count: int,
    students: str,
    seed: int | None,
    title: str | None,
    bank: str,
    json_file: str | None,
) -> None:
    """Write an exam. Raises ExamError, OSError."""
    out, _ = consoles(json_file)
    drawn = secrets.randbelow(2**31) if seed is None else seed
    names = students_of(students)
    whole = making.open_bank(bank)
    items = choose(whole, topics, types, count, drawn)
    made = making.make(
        folder,
        items,
        names,
        seed=drawn,
        title=folder.resolve().name if title is None else title,
        bank=whole,
        bank_folder=bank,
    )
    told = f"{len(items)} questions, {len(names)} papers; seed {drawn}."
    out.print(told, highlight=False)
    out.print(f"Give out  {folder / 'students'}/NAME/", highlight=False, soft_wrap=True, markup=False)
    out.print(
        f"Keep      {folder / FILE}, which makes the key", highlight=False, soft_wrap=True, markup=False
    )
    told_items = [_facts(item) for item in items]
    write_json(
        {"schema": JSON_SCHEMA, "assignment": made.assignment, "seed": drawn, "students": names, "items": told_items},
        json_file,
    )  # fmt: skip


def grade(
    exam_folder: Path,
    answers: Path,
    gradebook: str,
    *,
    csv_file: Path | None,
    bank: str | None,
    json_file: str | None,
) -> None:
    """Mark answers, keep the marks, print them and the items' statistics.

    Raises:
        ExamError, GradebookError, OSError.
        click.UsageError: a file to write is the gradebook.
    """
    _spare_gradebook(gradebook, csv_file, json_file)
    out, err = consoles(json_file)
    work = _mark(exam_folder, answers, bank)
    results = [result_of(work.exam, paper) for paper in work.papers]
    fresh = 0
    with Gradebook(gradebook) as book:
        for result in results:
            kept = book.current(
                result.student,
                result.assignment,
                result.submission_hash,
                result.assignment_hash,
                grader.__version__,
            )
            if kept is None:
                book.record(result)
                fresh += 1
        if csv_file is not None:
            book.export_csv(csv_file, work.exam.assignment)
    if results:
        out.print(marks_table(results))
    _tell(err, work)
    lines = [line for result in results for line in odd(result)]
    for line in lines[:_MOST_LINES]:
        err.print(line)
    if len(lines) > _MOST_LINES:
        err.print(f"... and {len(lines) - _MOST_LINES} more lines; --json has all.")
    if work.items:
        out.print()
        out.print(items_table(work.items))
    kept_marks = f", {len(results) - fresh} unchanged since their mark" if fresh < len(results) else ""
    out.print(
        f"\n{len(results)} marked{kept_marks}. Gradebook: {gradebook}, as {work.exam.assignment}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    write_json({**class_json(results), "odd": [str(line) for line in lines], **_json(work)}, json_file)


def analyse(exam_folder: Path, answers: Path, *, bank: str | None, json_file: str | None) -> None:
    """Print the items' statistics. Raises ExamError, OSError."""
    out, err = consoles(json_file)
    work = _mark(exam_folder, answers, bank)
    _tell(err, work)
    if work.items:
        out.print(items_table(work.items))
        out.print(options_table(work.items))
    write_json({"schema": JSON_SCHEMA, **_json(work)}, json_file)


@dataclass(frozen=True)
class _Work:
    """Everything that an exam and a folder of answers come to."""

    exam: Exam
    pile: Pile
    papers: list[Marked]
    items: list[ItemStatistics]
    note: str


def _mark(exam_folder: Path, answers: Path, bank: str | None) -> _Work:
    exam = load(exam_folder)
    items, note = items_of(exam, making.open_bank(exam.bank if bank is None else bank))
    pile = read_pile(answers, exam.students, len(items))
    papers = list(mark_pile(exam, items, pile))
    return _Work(exam, pile, papers, statistics(exam, items, papers), note)


def _tell(err: Console, work: _Work) -> None:
    """What is odd about the bank and the answers."""
    told = [
        work.note,
        f"Nothing from {shown_list(work.pile.missing)}." if work.pile.missing else "",
        f"Of no student of this exam, or no .json or .csv, and not marked: {shown_list(work.pile.strangers)}."
        if work.pile.strangers
        else "",
        f"Fewer than {FEW} answer sheets say little about an item." if 0 < len(work.papers) < FEW else "",
    ]
    for text in told:
        if text:
            err.print(safe_text(text, "yellow"))


def _json(work: _Work) -> dict[str, Any]:
    return {
        "assignment": work.exam.assignment,
        "note": work.note,
        "missing": list(work.pile.missing),
        "strangers": list(work.pile.strangers),
        "items": [asdict(one) for one in work.items],
    }


def _facts(item: Item) -> dict[str, Any]:
    return {"id": item.id, "type": item.type, "topics": list(item.topics), "difficulty": item.difficulty}


def _spare_gradebook(gradebook: str, *targets: str | Path | None) -> None:
    for target in targets:
        if (
            target is not None
            and "://" not in gradebook
            and Path(target).resolve() == Path(gradebook).resolve()
        ):
            raise click.UsageError(f"{target} is the gradebook: name another file to write")
