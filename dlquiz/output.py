"""Where the commands print, and the JSON beside what they print."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console


def consoles(json_file: str | None) -> tuple[Console, Console]:
    """Where reports go, and where progress goes. JSON on standard output has it to itself."""
    err = Console(stderr=True)
    return (err if json_file == "-" else Console()), err


def write_json(data: object, file: str | None) -> None:
    """Write `data` as JSON to a file, or to standard output for "-".

    Raises:
        OSError: the file cannot be written.
    """
    if file is None:
        return
    text = json.dumps(data, indent=2, allow_nan=False) + "\n"
    if file == "-":
        click.echo(text, nl=False)
    else:
        Path(file).write_text(text, encoding="utf-8")
