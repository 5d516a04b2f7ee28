"""The `dlquiz` command: one function a verb; what is heavy is imported by the verb that needs it."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import click

USAGE, INTERRUPTED = 2, 130

_EXAMPLES = """
\b
Examples:
  dlquiz list                     the assignments, and how far you are
  dlquiz start normalization      take one
  dlquiz check normalization      run its public tests
  dlquiz submit normalization     make the archive to hand in
  dlquiz doctor                   is this machine ready?
"""


class _Verbs(click.Group):
    """Lists the verbs in the order in which they are met."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Verbs, epilog=_EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dlquiz", prog_name="dlquiz")
def main() -> None:
    """Take Keras assignments, check them here, and hand them in."""
    for stream in (sys.stdout, sys.stderr):
        # what a terminal's encoding lacks becomes a question mark, not a traceback
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _json(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--json", "json_file", metavar="FILE", help="Also write it as JSON; - for standard output."
    )(function)


def _path(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("path", required=False)(function)


@main.command("list", epilog="\b\nExamples:\n  dlquiz list\n  dlquiz list --json -")
@_json
def list_(json_file: str | None) -> None:
    """List the assignments in course order: points, how your last check went, topics."""
    from dlquiz import verbs

    with _clear_errors():
        verbs.show_course(json_file)


@main.command(
    epilog="\b\nExamples:\n  dlquiz start normalization\n  dlquiz start normalization homework/week-3"
)
@click.argument("name")
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[DIR]")
def start(name: str, folder: Path | None) -> None:
    """Copy an assignment to DIR, by default a folder of its name. A file that is there already is left alone."""
    from dlquiz import verbs

    with _clear_errors():
        verbs.start(name, folder)


@main.command(
    epilog="\b\nExamples:\n  dlquiz check\n  dlquiz check normalization\n"
    "  dlquiz check normalization/normalization.py -k batch_norm\n  dlquiz check --seed 7 --json report.json\n\n"
    "Exit status: 0 all public tests passed, 1 something did not, 2 usage."
)
@_path
@click.option("-k", "problems", multiple=True, metavar="PROBLEM", help="Only this problem; may be repeated.")
@_json
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), help="Repeat a run with its seed  [default: drawn]"
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.5, 3600),
    default=20,
    show_default=True,
    metavar="SECONDS",
    help="For each test.",
)
@click.option(
    "--memory",
    type=click.FloatRange(0.25, 1024),
    default=4,
    show_default=True,
    metavar="GB",
    help="For all tests together.",
)
def check(
    path: str | None,
    problems: tuple[str, ...],
    json_file: str | None,
    seed: int | None,
    timeout: float,
    memory: float,
) -> None:
    """Run the public tests of PATH: an assignment's folder, a file in it, or an assignment you started.

    By default it is the folder that you are in. The tests run in a process of their own, so a program that
    hangs, crashes or fills the memory gets that verdict and the other tests still run.
    """
    from dlquiz import verbs

    with _clear_errors():
        sys.exit(
            verbs.check(path, problems, json_file=json_file, seed=seed, timeout=timeout, memory_gb=memory)
        )


@main.command(
    epilog="\b\nExamples:\n  dlquiz submit\n  dlquiz submit normalization -o ada.zip\n"
    "  dlquiz submit --strict      refuse what is not finished"
)
@_path
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The archive  [default: NAME.zip]"
)
@click.option("--strict", is_flag=True, help="Refuse syntax errors and parts that are still the stub.")
@click.option("--force", is_flag=True, help="Replace an archive that is there.")
def submit(path: str | None, output: Path | None, strict: bool, force: bool) -> None:
    """Make the archive to hand in, from the files that the assignment asks for."""
    from dlquiz import verbs

    with _clear_errors():
        sys.exit(verbs.submit(path, output, strict=strict, force=force))


@main.command(epilog="\b\nExample:\n  dlquiz doctor --json -")
@_json
def doctor(json_file: str | None) -> None:
    """Say whether this machine is ready, and what to do about each fault. Exit status 1 if there is one."""
    from dlquiz import verbs

    with _clear_errors():
        sys.exit(verbs.doctor(json_file))


@contextlib.contextmanager
def _clear_errors() -> Iterator[None]:
    """Every failure that has a name ends in its one message and an exit status."""
    from dlquiz.handouts import HandoutError

    try:
        yield
    except HandoutError as error:
        _end(str(error), USAGE)
    except BrokenPipeError:
        raise  # click ends quietly when nobody reads on
    except OSError as error:
        _end(f"{error.filename or 'the system'}: {error.strerror or error}", USAGE)
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)


def _end(message: str, status: int) -> NoReturn:
    click.echo(f"dlquiz: {message}", err=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
