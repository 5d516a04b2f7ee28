"""What the `grader` command's verbs do and print."""

from __future__ import annotations

import secrets
import shlex
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table
from rich.text import Text

from dlquiz.output import consoles, write_json
from grader.assignment import Assignment
from grader.authoring import release as handouts
from grader.engine.local import Isolation
from grader.gradebook import Gradebook, GradebookError
from grader.grading import grade_class
from grader.report import (
    SummaryBuilder,
    class_json,
    class_table,
    render_summary,
    result_json,
    safe_text,
    show_result,
)
from grader.result import Result
from grader.submission import class_entries

JSON_SCHEMA = 1


class _Rate(ProgressColumn):
    """Submissions a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "  -/s")


class _Now(ProgressColumn):
    """What is being done: a submission that trains for minutes should be seen to go on."""

    def render(self, task: Task) -> Text:
        now = task.fields.get("now", Text())
        assert isinstance(now, Text)
        return now


def grade(
    class_dir: Path,
    assignment: Assignment,
    gradebook: str,
    *,
    jobs: int,
    seed: int | None,
    regrade: bool,
    csv_file: Path | None,
    json_file: str | None,
    isolation: Isolation,
    gpu_slots: int,
) -> int:
    """Grade a class, print the table and the summary; the exit status.

    Raises:
        ClassError, EngineError, GradebookError.
        click.UsageError: a file to write is the gradebook.
    """
    _spare_gradebook(gradebook, csv_file, json_file)
    out, err = consoles(json_file)
    entries = class_entries(class_dir)
    drawn = secrets.randbelow(2**31) if seed is None else seed
    if isolation == "none":
        err.print(
            "Isolation is off: submissions can read, write and start whatever you can.", style="bold red"
        )
    summary, faults, fresh = SummaryBuilder(), 0, 0
    started = time.monotonic()
    with Gradebook(gradebook) as book, _progress(err) as progress:
        task = progress.add_task(assignment.slug, total=len(entries))
        run = grade_class(
            class_dir,
            assignment,
            book,
            seed=drawn,
            seed_given=seed is not None,
            jobs=jobs,
            regrade=regrade,
            isolation=isolation,
            gpu_slots=gpu_slots,
            notify=lambda student, done, tests: progress.update(
                task, now=safe_text(f"{student}: test {done} of {tests}", max_line=60, one_line=True)
            ),
            secrets=_files_of(gradebook),
        )
        for graded in run:
            summary.add(graded.result)
            faults += not graded.result.graded
            fresh += graded.fresh
            progress.advance(task)
        progress.stop()
        elapsed = time.monotonic() - started
        students = set(entries)
        out.print(class_table(_standing(book, assignment.slug, students)))
        total = summary.build(elapsed)
        out.print(render_summary(total))
        out.print(_closing(fresh, len(entries) - fresh, elapsed, drawn, gradebook), highlight=False)
        if csv_file is not None:
            book.export_csv(csv_file, assignment.slug)
        if json_file is not None:
            results = _standing(book, assignment.slug, students)
            write_json({**class_json(results), "summary": total.to_json()}, json_file)
    return 3 if faults else 0


def _standing(book: Gradebook, slug: str, students: set[str]) -> Iterator[Result]:
    return (entry.result for entry in book.standings(slug) if entry.result.student in students)


def _closing(fresh: int, kept: int, elapsed: float, seed: int, gradebook: str) -> str:
    what = f"\n{fresh} graded in {elapsed:.1f} s"
    what += f", {kept} unchanged since their mark" if kept else ""
    return f"{what}. Seed {seed if fresh else '(none drawn)'}. Gradebook: {gradebook}"


def show(
    student: str, slug: str, given: str, gradebook: str, *, json_file: str | None, html_file: str | None
) -> None:
    """Print one result in full.

    Args:
        given: the assignment as it was named on the command line.

    Raises:
        GradebookError: the student has no result, or the gradebook cannot be read.
        click.UsageError: a file to write is the gradebook.
        OSError: a file cannot be written.
    """
    _spare_gradebook(gradebook, json_file, html_file)
    out, _ = consoles("-" if html_file == "-" else json_file)
    with Gradebook(gradebook, create=False) as book:
        result = book.latest(student, slug)
        if result is None:
            known = ", ".join(entry.result.student for entry in book.standings(slug)) or "nobody"
            raise GradebookError(f"{gradebook}: no result of {student!r} in {slug}; it has: {known}")
        history = book.history(student, slug)
    words = ["grader", "grade", "CLASS_DIR", "-a", given, "--regrade", "--seed", str(result.seed)]
    if slug.startswith("exam:"):
        words = ["grader", "exam", "grade", "EXAM", "ANSWERS"]
    reproduce = shlex.join(words)
    out.print(show_result(result, reproduce))
    if html_file is None and any(test.figures for test in result.tests):
        out.print(
            "\nThe pictures are on the page that the same command writes with --html FILE.", highlight=False
        )
    if len(history) > 1:
        out.print(f"\n{len(history)} results are kept for this student; this is the newest.", highlight=False)
    write_json(result_json(result), json_file)
    if html_file is not None:
        _write_page(result, reproduce, html_file)


def _write_page(result: Result, reproduce: str, file: str) -> None:
    from grader.report.page import html_page

    page = html_page(result, reproduce).encode()
    if file == "-":
        click.echo(page, nl=False)
    else:
        Path(file).write_bytes(page)


def validate(
    assignments: Sequence[Assignment],
    *,
    jobs: int,
    seed: int | None,
    seeds: int,
    only: Sequence[str],
    json_file: str | None,
    isolation: Isolation,
) -> int:
    """Test the tests, print a table and what is wrong; the exit status. Raises EngineError, AssignmentError."""
    from grader.authoring.validate import KINDS, candidates
    from grader.authoring.validate import validate as run

    out, err = consoles(json_file)
    drawn = secrets.randbelow(2**31) if seed is None else seed
    used = [(drawn + step) % 2**31 for step in range(seeds)]
    kinds = [kind for kind in KINDS if not only or kind in only]
    findings = []
    started = time.monotonic()
    with _progress(err) as progress:
        total = sum(
            ("handout" in kinds) + seeds * len(candidates(assignment, kinds)) for assignment in assignments
        )
        task = progress.add_task("validate", total=total)
        for finding in run(assignments, jobs=jobs, seeds=used, only=kinds, isolation=isolation):
            findings.append(finding)
            progress.advance(task)
    table = Table(
        Column("assignment", no_wrap=True),
        *(_KINDS[kind] for kind in kinds),
        "seconds",
        title=f"seed {drawn}" if seeds == 1 else f"{seeds} seeds, {used[0]} to {used[-1]}",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for assignment in assignments:
        own = [finding for finding in findings if finding.assignment == assignment.slug]
        count = Counter((finding.kind, finding.ok) for finding in own)
        cells = [_share(count[kind, True], count[kind, False]) for kind in kinds]
        table.add_row(assignment.slug, *cells, f"{sum(finding.seconds for finding in own):.1f}")
    out.print(table)
    wrong = [finding for finding in findings if not finding.ok]
    for finding in wrong:
        at = f", seed {finding.seed}" if seeds > 1 and finding.kind != "handout" else ""
        out.print(Text(f"\n{finding.assignment}: {finding.kind} {finding.name!r}{at}", "bold"))
        for reason in finding.reasons:
            out.print(Text("  - ") + safe_text(reason))
    told = f"{len(findings) - len(wrong)} of {len(findings)} as they should be, in {time.monotonic() - started:.1f} s"
    out.print(f"\n{told}", highlight=False)
    rows = [{**asdict(finding), "ok": finding.ok} for finding in findings]
    write_json({"schema": JSON_SCHEMA, "seed": drawn, "seeds": used, "findings": rows}, json_file)
    return 1 if wrong else 0


def coverage(assignments: Sequence[Assignment], *, missing: bool, json_file: str | None) -> int:
    """Print which topics are assessed by what; the exit status: with `missing`, 1 if any lacks something."""
    from dlquiz.quiz.items import load_bank
    from grader.authoring.coverage import coverage as find

    out, _ = consoles(json_file)
    found = find(assignments, load_bank().items)
    shown = [one for one in found if one.missing or not missing]
    table = Table(
        Column("topic", no_wrap=True),
        "group",
        "assignments",
        Column("items", justify="right", no_wrap=True),
        "missing",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for one in shown:
        table.add_row(
            one.topic,
            one.group,
            ", ".join(one.assignments),
            f"{one.items} of {one.items_needed}" if one.items_needed else str(one.items or ""),
            Text(", ".join(one.missing), "yellow"),
        )
    if shown:
        out.print(table)
    for need in ("code", "quiz"):
        wanted = [one for one in found if need in one.needs]
        met = sum(need not in one.missing for one in wanted)
        out.print(f"{need}: {met} of {len(wanted)} topics", highlight=False)
    rows = [{**asdict(one), "missing": one.missing} for one in shown]
    write_json({"schema": JSON_SCHEMA, "topics": rows}, json_file)
    return 1 if missing and shown else 0


_KINDS = {
    "handout": "handout",
    "solution": "solution",
    "stub": "stub",
    "variant": "variants",
    "mutant": "mutants",
    "hollow": "hollow",
}


def _share(right: int, wrong: int) -> str:
    count = f"{right}/{right + wrong} " if right + wrong > 1 else ""
    return f"[red]{count}✗[/red]" if wrong else f"{count}✓"


def release(out_dir: Path, assignments: Sequence[Assignment], json_file: str | None) -> None:
    """Write student bundles. Raises AssignmentError."""
    written = handouts.release(out_dir, assignments)
    _report_paths("bundle", written, json_file)


def write_stubs(assignments: Sequence[Assignment], json_file: str | None) -> None:
    """Remake stubs in place. Raises AssignmentError."""
    _report_paths("stub", [path for one in assignments for path in handouts.write_handout(one)], json_file)


def check_stubs(assignments: Sequence[Assignment], json_file: str | None) -> int:
    """Say which committed stubs are out of step; the exit status."""
    out, _ = consoles(json_file)
    stale = handouts.check(assignments)
    for text in stale:
        out.print(safe_text(text))
    if stale:
        out.print("\nRemake them with: grader release --write", highlight=False)
    else:
        out.print(f"{len(assignments)} handouts are in step with their solutions", highlight=False)
    write_json({"schema": JSON_SCHEMA, "stale": stale}, json_file)
    return 1 if stale else 0


def _report_paths(what: str, paths: Sequence[Path], json_file: str | None) -> None:
    out, _ = consoles(json_file)
    for path in paths:
        out.print(f"{what} {path}", highlight=False, soft_wrap=True)
    if not paths:
        out.print("nothing to write: all are in step", highlight=False)
    write_json({"schema": JSON_SCHEMA, what: [str(path) for path in paths]}, json_file)


def doctor(json_file: str | None) -> int:
    """Examine this machine; the exit status."""
    from grader.doctor import examine

    out, err = consoles(json_file)
    table = Table("", "what", "found", "way out", box=None, padding=(0, 1))
    findings = []
    with err.status("trying escapes from a real worker"):
        for finding in examine():
            findings.append(finding)
            sign = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "·"}[finding.ok]
            fix = "" if finding.ok is not False else finding.fix
            table.add_row(Text.from_markup(sign), finding.what, safe_text(finding.found), safe_text(fix))
    out.print(table)
    wrong = sum(finding.ok is False for finding in findings)
    verdict: RenderableType = (
        "\nEverything held." if not wrong else f"\n{wrong} of these should be put right."
    )
    out.print(verdict, highlight=False)
    write_json({"schema": JSON_SCHEMA, "findings": [asdict(finding) for finding in findings]}, json_file)
    return 1 if wrong else 0


def _progress(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        _Now(),
    )
    return Progress(*columns, console=console, transient=True)


def _files_of(gradebook: str) -> tuple[Path, ...]:
    if "://" in gradebook:
        return ()
    return (Path(gradebook),)


def _spare_gradebook(gradebook: str, *targets: str | Path | None) -> None:
    books = {file.resolve() for file in _files_of(gradebook)}
    for target in targets:
        if target is not None and Path(target).resolve() in books:
            raise click.UsageError(f"{target} is the gradebook: name another file to write")
