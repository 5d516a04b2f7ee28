"""The `grader` command: one function a verb; what is heavy is imported by the verb that needs it."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from grader.assignment import Assignment

GRADED, USAGE, FAULT, INTERRUPTED = 0, 2, 3, 130

_EXAMPLES = """
\b
Examples:
  grader grade submissions/ -a normalization -j 2     grade a class
  grader show ada -a normalization                    one student's result in full
  grader validate                                     test the tests of every assignment
  grader release out/                                 bundles for students
  grader exam make --topics losses -n 20 --students roster.csv -o exam/
                                                      an exam of quiz items, a paper each
  grader coverage --missing                           topics that lack an assignment or quiz items
  grader doctor                                       what this machine can confine
"""


class _Verbs(click.Group):
    """Lists the verbs in the order in which they are met."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Verbs, epilog=_EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dlquiz", prog_name="grader")
def main() -> None:
    """Grade Keras assignments with hidden tests that submissions cannot reach."""


def _assignment(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "-a",
        "--assignment",
        "slug",
        required=True,
        metavar="SLUG_OR_PATH",
        help="The assignment, by name or folder.",
    )(function)


def _gradebook(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--gradebook",
        default="gradebook.db",
        show_default=True,
        metavar="FILE_OR_URL",
        help="SQLite file or SQLAlchemy URL that keeps the results.",
    )(function)


def _json(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--json", "json_file", metavar="FILE", help="Also write it as JSON; - for standard output."
    )(function)


def _isolation(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--isolation",
        type=click.Choice(["strict", "none"]),
        default="strict",
        show_default=True,
        help="'none' runs submissions without confinement: for code that you trust.",
    )(function)


def _jobs(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "-j",
        "--jobs",
        type=click.IntRange(1, 64),
        metavar="N",
        help="Submissions at a time  [default: one a core]",
    )(function)


@main.command(
    epilog="\b\nExamples:\n  grader grade submissions/ -a normalization\n"
    "  grader grade submissions/ -a normalization -j 4 --csv marks.csv --json marks.json\n\n"
    "Exit status: 0 graded, 2 usage, 3 some submission could not be graded through no fault of its own."
)
@click.argument("class_dir", type=click.Path(path_type=Path))
@_assignment
@_jobs
@_gradebook
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), help="Seed of every hidden input  [default: drawn]"
)
@click.option("--regrade", is_flag=True, help="Grade everything, also what has not changed since its mark.")
@click.option(
    "--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Also write the marks as CSV."
)
@_json
@_isolation
@click.option(
    "--gpu-slots",
    type=click.IntRange(0, 64),
    default=0,
    show_default=True,
    metavar="N",
    help="Submissions that share one GPU at a time, for an assignment that asks for one; 0 grades on the CPU.",
)
def grade(
    class_dir: Path,
    slug: str,
    jobs: int | None,
    gradebook: str,
    seed: int | None,
    regrade: bool,
    csv_file: Path | None,
    json_file: str | None,
    isolation: Any,
    gpu_slots: int,
) -> None:
    """Grade a class: a folder with one entry a student (a folder, a .py, a .zip or an .ipynb).

    Every result goes into the gradebook as it is finished, so an interrupted run goes on where it was. Only what
    changed since its mark is graded; a failed regrade never replaces a mark.
    """
    from grader import verbs

    with _clear_errors():
        sys.exit(
            verbs.grade(
                class_dir,
                _load(slug),
                gradebook,
                jobs=_cores(jobs),
                seed=seed,
                regrade=regrade,
                csv_file=csv_file,
                json_file=json_file,
                isolation=isolation,
                gpu_slots=gpu_slots,
            )
        )


@main.command(
    epilog="\b\nExamples:\n  grader show ada -a normalization --gradebook gradebook.db\n"
    "  grader show ada -a normalization --html ada.html     with its pictures, for a browser"
)
@click.argument("student")
@_assignment
@_gradebook
@_json
@click.option(
    "--html",
    "html_file",
    metavar="FILE",
    help="Also write it as a page with its pictures; - for standard output.",
)
def show(student: str, slug: str, gradebook: str, json_file: str | None, html_file: str | None) -> None:
    """Show one result in full: every verdict with its hint and reasons, limits hit, and how to reproduce it."""
    from grader import verbs

    if json_file == html_file == "-":
        raise click.UsageError("standard output has room for one: give --json or --html a file")
    with _clear_errors():
        verbs.show(student, _slug(slug), slug, gradebook, json_file=json_file, html_file=html_file)


@main.command(
    epilog="\b\nExamples:\n  grader validate\n  grader validate normalization --seed 7 --json report.json\n"
    "  grader validate losses --seeds 50 --only solution --only variant     is a right answer always right?\n\n"
    "Exit status: 0 all is as it should be, 1 something is not, 2 usage, 3 the engine failed."
)
@click.argument("slugs", nargs=-1, metavar="[SLUG_OR_PATH]...")
@_jobs
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), help="Seed of every hidden input  [default: drawn]"
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    metavar="N",
    help="Try everything with N seeds, the given or drawn one and those that follow it.",
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(["handout", "solution", "stub", "variant", "mutant", "hollow"]),
    help="Only these; may be repeated.",
)
@_json
@_isolation
def validate(
    slugs: tuple[str, ...],
    jobs: int | None,
    seed: int | None,
    seeds: int,
    only: tuple[str, ...],
    json_file: str | None,
    isolation: Any,
) -> None:
    """Test the tests: the solution and every variant earn all points, stubs and hollow modules none, and every mutant
    is caught by the tests that it names. Runs through the same engine as grading.
    """
    from grader import verbs

    with _clear_errors():
        sys.exit(
            verbs.validate(
                _chosen(slugs),
                jobs=_cores(jobs),
                seed=seed,
                seeds=seeds,
                only=only,
                json_file=json_file,
                isolation=isolation,
            )
        )


@main.command(
    epilog="\b\nExamples:\n  grader coverage\n  grader coverage --missing --json missing.json\n\n"
    "Exit status: 0; with --missing 1 if something is missing."
)
@click.argument("slugs", nargs=-1, metavar="[SLUG_OR_PATH]...")
@click.option("--missing", is_flag=True, help="Only topics that lack an assignment or quiz items.")
@_json
def coverage(slugs: tuple[str, ...], missing: bool, json_file: str | None) -> None:
    """Show which topics of the course are assessed, by which assignments and by how many quiz items."""
    from grader import verbs

    with _clear_errors():
        sys.exit(verbs.coverage(_chosen(slugs), missing=missing, json_file=json_file))


@main.command(
    epilog="\b\nExamples:\n  grader release out/\n  grader release out/ normalization\n"
    "  grader release --write normalization      remake the stub from the solution\n"
    "  grader release --check                    is every stub what its solution makes?"
)
@click.argument("out", required=False)
@click.argument("slugs", nargs=-1, metavar="[SLUG_OR_PATH]...")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a committed stub is out of step.")
@click.option("--write", is_flag=True, help="Write stubs into the assignments' own handout folders.")
@_json
def release(out: str | None, slugs: tuple[str, ...], check: bool, write: bool, json_file: str | None) -> None:
    """Write student bundles to OUT: README, stub, public tests; never a hidden file."""
    from grader import verbs

    if check and write:
        raise click.UsageError("--check writes nothing: give it without --write")
    if check or write:
        slugs = (out, *slugs) if out else slugs
    elif out is None:
        raise click.UsageError("say where to: grader release OUT [SLUG_OR_PATH]...")
    with _clear_errors():
        if write:
            verbs.write_stubs(_chosen(slugs, stubs=False), json_file)
        elif check:
            sys.exit(verbs.check_stubs(_chosen(slugs), json_file))
        else:
            verbs.release(Path(str(out)), _chosen(slugs), json_file)


@main.group(
    cls=_Verbs,
    epilog="\b\nExamples:\n"
    "  grader exam make --topics losses,optimization -n 20 --students roster.csv -o midterm\n"
    "  grader exam grade midterm answers/ --csv marks.csv\n"
    "  grader exam analyse midterm answers/",
)
def exam() -> None:
    """Exams of quiz items: a paper of their own for each student, marks, and which items were worth asking."""


def _commas(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _bank(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--bank",
        metavar="FOLDER",
        help="A folder of bank files of your own  [default: of an exam its own, else the public one]",
    )(function)


@exam.command(
    "make",
    epilog="\b\nExamples:\n"
    "  grader exam make --topics losses,optimization -n 20 --students roster.csv -o midterm\n"
    "  grader exam make --bank private-bank -n 30 --students 40 --seed 7 -o final --title 'Final exam'\n\n"
    "Exit status: 0 made, 2 usage, too few items, or the folder is there already; 3 it could not be written.",
)
@click.option(
    "--topics", default="", callback=_commas, metavar="A,B", help="Topics or groups  [default: all]"
)
@click.option(
    "--types", default="", callback=_commas, metavar="A,B", help="Types of items  [default: all but cards]"
)
@click.option(
    "-n", "count", type=click.IntRange(1, 500), default=20, show_default=True, help="How many questions."
)
@click.option(
    "--students",
    required=True,
    metavar="CSV_OR_N",
    help="A CSV file with a column `student`, or a number of papers.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), help="Of items, numbers and orders  [default: drawn]"
)
@click.option(
    "-o", "folder", required=True, type=click.Path(path_type=Path), help="Where to; it may not be there yet."
)
@click.option("--title", help="What the papers and the gradebook call it  [default: the folder's name]")
@_bank
@_json
def exam_make(
    topics: tuple[str, ...],
    types: tuple[str, ...],
    count: int,
    students: str,
    seed: int | None,
    folder: Path,
    title: str | None,
    bank: str | None,
    json_file: str | None,
) -> None:
    """Write a paper for each student: the same items, with numbers and orders of the student's own, no answers.

    FOLDER/students/NAME/ is what a student may have: the paper as HTML and Markdown, and sheets for the answers.
    FOLDER/exam.json is yours alone: what makes the key again.
    """
    from grader.exams import verbs

    with _clear_errors():
        verbs.make(
            folder,
            topics=topics,
            types=types,
            count=count,
            students=students,
            seed=seed,
            title=title,
            bank=bank or "",
            json_file=json_file,
        )


def _answers(function: Callable[..., Any]) -> Callable[..., Any]:
    answers = click.argument("answers", type=click.Path(path_type=Path))
    return click.argument("exam", type=click.Path(path_type=Path))(answers(function))


@exam.command(
    "grade",
    epilog="\b\nExamples:\n  grader exam grade midterm answers/\n"
    "  grader exam grade midterm answers/ --csv marks.csv --json marks.json\n\n"
    "Exit status: 0 graded, 2 usage, or no mark could be trusted; 3 the gradebook or a file failed.",
)
@_answers
@_gradebook
@click.option(
    "--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Also write the marks as CSV."
)
@_bank
@_json
def exam_grade(
    exam: Path, answers: Path, gradebook: str, csv_file: Path | None, bank: str | None, json_file: str | None
) -> None:
    """Mark a folder of NAME.csv and NAME.json against the key, which the exam's seed makes again.

    The marks go into the gradebook as those of the assignment exam:TITLE. What cannot be read earns nothing, and the
    reason is told. Who handed in nothing gets no mark.
    """
    from grader.exams import verbs

    with _clear_errors():
        verbs.grade(exam, answers, gradebook, csv_file=csv_file, bank=bank, json_file=json_file)


@exam.command(
    "analyse",
    epilog="\b\nExamples:\n  grader exam analyse midterm answers/\n"
    "  grader exam analyse midterm answers/ --json items.json",
)
@_answers
@_bank
@_json
def exam_analyse(exam: Path, answers: Path, bank: str | None, json_file: str | None) -> None:
    """Show of every item how hard it was, whether it told who knows, and how often each wrong answer was chosen."""
    from grader.exams import verbs

    with _clear_errors():
        verbs.analyse(exam, answers, bank=bank, json_file=json_file)


@main.command(epilog="\b\nExample:\n  grader doctor --json -")
@_json
def doctor(json_file: str | None) -> None:
    """Say what this machine has, and try real escapes from a real worker: exit status 1 if one succeeds."""
    from grader import verbs

    with _clear_errors():
        sys.exit(verbs.doctor(json_file))


def _load(slug: str) -> Assignment:
    from grader.assignment import find, load

    return load(find(slug))


def _slug(slug: str) -> str:
    # an exam's results are in the gradebook, and no folder has its name
    if slug.startswith("exam:"):
        return slug
    from grader.assignment import find

    return find(slug).resolve().name


def _chosen(slugs: tuple[str, ...], *, stubs: bool = True) -> list[Assignment]:
    from grader.assignment import AssignmentError, default_course, discover, find, load

    chosen, problems = [], []
    for path in [find(slug) for slug in slugs] or discover(default_course()):
        try:
            chosen.append(load(path, stubs=stubs))
        except AssignmentError as error:
            problems += error.problems
    if problems:
        raise AssignmentError(problems)
    return chosen


def _cores(jobs: int | None) -> int:
    import os

    if jobs is None and hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return jobs or os.cpu_count() or 1


@contextlib.contextmanager
def _clear_errors() -> Iterator[None]:
    """Every failure that has a name ends in its one message and an exit status; SIGTERM ends as Ctrl-C does."""
    from dlquiz.quiz.items import BankError
    from grader.assignment import AssignmentError
    from grader.engine.processes import EngineError
    from grader.exams.errors import ExamError
    from grader.gradebook import GradebookError
    from grader.submission import ClassError

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except (AssignmentError, ClassError, ExamError) as error:
        _end(str(error), USAGE)
    except (BankError, EngineError, GradebookError) as error:
        _end(str(error), FAULT)
    except OSError as error:
        _end(f"{error.filename or 'the system'}: {error.strerror or error}", FAULT)
    except KeyboardInterrupt:
        _end("interrupted; what was graded is kept, and the same command goes on from there", INTERRUPTED)


def _end(message: str, status: int) -> NoReturn:
    click.echo(f"grader: {message}", err=True)
    sys.exit(status)
