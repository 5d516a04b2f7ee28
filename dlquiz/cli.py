"""The `dlquiz` command: one function a verb; what is heavy is imported by the verb that needs it."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import click

from dlquiz.quiz.cli import quiz

USAGE, INTERRUPTED = 2, 130

_EXAMPLES = """
\b
Examples:
  dlquiz list                     the assignments, and how far you are
  dlquiz start normalization      take one; --notebook for a Jupyter notebook
  dlquiz check normalization      run its public tests
  dlquiz watch normalization      run them again after every save
  dlquiz submit normalization     make the archive to hand in
  dlquiz data fraud               what is known of a data set
  dlquiz quiz learn batch-norm    practise the theory
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


def _run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What `check` and `watch` have in common."""
    for option in (
        click.option(
            "--memory",
            type=click.FloatRange(0.25, 1024),
            default=4,
            show_default=True,
            metavar="GB",
            help="For all tests together.",
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(0.5, 3600),
            default=20,
            show_default=True,
            metavar="SECONDS",
            help="For each test.",
        ),
        click.option(
            "--seed", type=click.IntRange(0, 2**31 - 1), help="Repeat a run with its seed  [default: drawn]"
        ),
        click.option(
            "-k", "problems", multiple=True, metavar="PROBLEM", help="Only this problem; may be repeated."
        ),
    ):
        function = option(function)
    return function


@main.command("list", epilog="\b\nExamples:\n  dlquiz list\n  dlquiz list --json -")
@_json
def list_(json_file: str | None) -> None:
    """List the assignments in course order: points, how your last check went, topics."""
    from dlquiz import verbs

    with _clear_errors():
        verbs.show_course(json_file)


@main.command(
    epilog="\b\nExamples:\n  dlquiz start normalization\n  dlquiz start normalization homework/week-3\n"
    "  dlquiz start normalization --notebook"
)
@click.argument("name")
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[DIR]")
@click.option("--notebook", is_flag=True, help="Make a Jupyter notebook in place of the Python file.")
def start(name: str, folder: Path | None, notebook: bool) -> None:
    """Copy an assignment to DIR, by default a folder of its name. A file that is there already is left alone."""
    from dlquiz import verbs

    with _clear_errors():
        verbs.start(name, folder, as_notebook=notebook)


@main.command(
    epilog="\b\nExamples:\n  dlquiz check\n  dlquiz check normalization\n"
    "  dlquiz check normalization/normalization.py -k batch_norm\n  dlquiz check --seed 7 --json report.json\n"
    "  dlquiz check --watch\n\n"
    "Exit status: 0 all public tests passed, 1 something did not, 2 usage."
)
@_path
@_run_options
@_json
@click.option("--watch", "watching", is_flag=True, help="Go on after every save, as `dlquiz watch` does.")
@click.option(
    "--no-warm",
    is_flag=True,
    help="Neither use nor leave a helper that has the libraries imported, and end the one that waits.",
)
def check(
    path: str | None,
    problems: tuple[str, ...],
    json_file: str | None,
    seed: int | None,
    timeout: float,
    memory: float,
    watching: bool,
    no_warm: bool,
) -> None:
    """Run the public tests of PATH: an assignment's folder, a file in it, or an assignment you started.

    By default it is the folder that you are in. The tests run in a process of their own, so a program that
    hangs, crashes or fills the memory gets that verdict and the other tests still run.

    On Linux a helper stays behind for ten minutes that has Keras imported, so that the next check is quick.
    `--no-warm` does without it and ends it; the environment variable DLQUIZ_WARM=0 does without it, too.
    """
    from dlquiz import verbs

    if watching and (json_file or no_warm):
        raise click.UsageError(f"--watch cannot be combined with {'--json' if json_file else '--no-warm'}")
    asked: dict[str, Any] = {"seed": seed, "timeout": timeout, "memory_gb": memory}
    with _clear_errors():
        if watching:
            sys.exit(verbs.watch(path, problems, **asked))
        sys.exit(verbs.check(path, problems, json_file=json_file, warm=not no_warm, **asked))


@main.command(
    epilog="\b\nExamples:\n  dlquiz watch\n  dlquiz watch normalization -k batch_norm\n"
    "  dlquiz watch normalization --seed 7 --timeout 5\n\nCtrl-C ends it, with everything that it started."
)
@_path
@_run_options
def watch(
    path: str | None, problems: tuple[str, ...], seed: int | None, timeout: float, memory: float
) -> None:
    """Run the public tests now, and again after every save of your files or of test_public.py.

    PATH is what it is for `dlquiz check`. Keras stays imported between the runs. A save that comes during a run
    ends that run: what is shown in the end is about your newest text. All runs have the same seed.
    """
    from dlquiz import verbs

    with _clear_errors():
        sys.exit(verbs.watch(path, problems, seed=seed, timeout=timeout, memory_gb=memory))


@main.command(
    epilog="\b\nExamples:\n  dlquiz submit\n  dlquiz submit normalization -o ada.zip\n"
    "  dlquiz submit --strict      refuse what is not finished\n"
    "  dlquiz submit normalization/normalization.ipynb"
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


@main.command(epilog="\b\nExamples:\n  dlquiz data\n  dlquiz data fraud\n  dlquiz data fraud --json -")
@click.argument("name", required=False)
@_json
def data(name: str | None, json_file: str | None) -> None:
    """List the data sets, or show the card of the one called NAME: columns, units, classes, origin, licence."""
    from dlquiz.data.show import show

    with _clear_errors():
        show(name, json_file)


main.add_command(quiz)


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
