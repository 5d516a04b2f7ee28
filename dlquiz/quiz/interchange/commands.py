"""`dlquiz quiz bank`: the bank for other programs, and their questions as a bank."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

SUFFIXES = {".apkg": "anki", ".gift": "gift", ".xml": "moodle", ".zip": "qti", ".csv": "csv"}
USAGE, FAILED = 2, 3


@click.group(
    "bank",
    epilog="\b\nExamples:\n  dlquiz quiz bank export deck.apkg\n  dlquiz quiz bank import questions.gift -o my-bank",
)
def bank() -> None:
    """Take the questions to other programs, or theirs here."""


@bank.command(
    "export",
    epilog="\b\nExamples:\n"
    "  dlquiz quiz bank export deck.apkg                       everything, for Anki\n"
    "  dlquiz quiz bank export moodle.xml --topic losses       a group of topics, for Moodle\n"
    "  dlquiz quiz bank export mine.csv --bank my-bank         a bank of your own",
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice([*SUFFIXES.values()]),
    help="By default told by the file's name: .apkg, .gift, .xml, .zip or .csv.",
)
@click.option(
    "--topic", "topics", multiple=True, metavar="TOPIC", help="Only this topic or group; may be repeated."
)
@click.option(
    "--seed", default=0, show_default=True, help="Draws the numbers of items that have some to draw."
)
@click.option(
    "--bank",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder of bank files of your own.",
)
def export(file: Path, form: str | None, topics: tuple[str, ...], seed: int, folder: Path | None) -> None:
    """Write questions for Anki, Moodle (GIFT or XML), QTI 2.1 or a spreadsheet.

    Anki updates what an earlier export brought. Pictures go along, except in GIFT and CSV. What a format has no type
    for becomes what comes nearest: a true or false with its reason is a choice, steps are pairs with their numbers.
    """
    from dlquiz.quiz.interchange import anki, gift, moodle, qti, sheet
    from dlquiz.quiz.interchange.plain import plain
    from dlquiz.quiz.items import BankError, load_bank

    kind = form or SUFFIXES.get(file.suffix.lower())
    if kind is None:
        _stop(
            f"{file.name}: the name tells no format; name one with --format {' | '.join(SUFFIXES.values())}"
        )
    try:
        items = load_bank(folder).select(topics)
        if kind == "anki":
            anki.write(plain(items, seed), file)
        else:
            content: bytes | str
            if kind == "csv":
                content = sheet.write(items)
            elif kind == "gift":
                content = gift.write(plain(items, seed))
            else:
                content = (moodle.write if kind == "moodle" else qti.write)(plain(items, seed))
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
    except BankError as error:
        _stop(str(error))
    except OSError as error:
        _stop(f"{file} could not be written: {error.strerror or error}", FAILED)
    click.echo(f"{file} holds {len(items)} items for {kind}.")


@bank.command(
    "import",
    epilog="\b\nExamples:\n  dlquiz quiz bank import questions.gift -o my-bank --topic softmax\n"
    "  dlquiz quiz bank import edited.csv -o my-bank",
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the bank files go; made if it is not there.",
)
@click.option("--topic", default="", help="The topic of questions that name none (GIFT: [tag:topic/ID]).")
def import_(file: Path, folder: Path, topic: str) -> None:
    """Make bank files of a GIFT or CSV file: all of its questions or, if one is faulty, none."""
    from dlquiz.quiz.interchange import gift, sheet, tables
    from dlquiz.quiz.items import BankError

    kind = SUFFIXES.get(file.suffix.lower())
    if kind not in ("gift", "csv"):
        _stop(f"{file.name}: expected a .gift or a .csv file")
    try:
        text = file.read_bytes().decode("utf-8-sig")
        notes: list[str] = []
        if kind == "csv":
            found = sheet.read(text)
        else:
            imported = gift.read(text, topic, source=file.name)
            found, notes = imported.tables, imported.notes
        if not found:
            _stop(f"{file.name}: no question was found in it")
        written = tables.save(found, folder)
    except UnicodeDecodeError:
        _stop(f"{file.name} is no text in UTF-8: save it as such")
    except BankError as error:
        _stop("\n".join([f"{file.name} was not imported:", *(f"  {problem}" for problem in error.problems)]))
    except OSError as error:
        _stop(f"{error.filename or file}: {error.strerror or error}", FAILED)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"{len(found)} items are in {', '.join(str(path) for path in written)}.")


def _stop(message: str, status: int = USAGE) -> NoReturn:
    click.echo(f"dlquiz: {message}", err=True)
    sys.exit(status)
