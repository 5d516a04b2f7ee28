"""Export and import: what was answered, as lines of JSON."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.text import Text

from dlquiz.output import consoles
from dlquiz.quiz.asking import counted
from dlquiz.quiz.progress import Progress, ProgressError


def export(file: Path | None) -> None:
    """Write every answer to a new file, or to standard output for None. Raises ProgressError, OSError."""
    _, err = consoles(None)
    with Progress(tell=lambda note: err.print(Text(note, "yellow"), soft_wrap=True)) as progress:
        lines = list(progress.export())
    text = "".join(f"{line}\n" for line in lines)
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        with file.open("x", encoding="utf-8", newline="\n") as written:
            written.write(text)
    except FileExistsError:
        raise ProgressError(f"{file} is there already: choose another name") from None
    err.print(Text(f"{counted(len(lines), 'answer')} written to {file}"), soft_wrap=True)


def import_(file: Path | None) -> None:
    """Take over the answers of a file, or of standard input for None. Raises ProgressError, OSError."""
    _, err = consoles(None)
    name = "standard input" if file is None else str(file)
    try:
        text = sys.stdin.read() if file is None else file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ProgressError(f"{name}: expected UTF-8; nothing was imported") from None
    with Progress(tell=lambda note: err.print(Text(note, "yellow"), soft_wrap=True)) as progress:
        fresh, known = progress.merge(text.split("\n"), name)
    err.print(Text(f"{counted(fresh, 'answer')} imported; {known} were there already"))
