"""`dlquiz quiz`: one function a mode; what is heavy is imported by the mode that needs it."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import click

from dlquiz.quiz.interchange.commands import bank

NOT_FOUND, USAGE, INTERRUPTED = 1, 2, 130

_EXAMPLES = """
\b
Examples:
  dlquiz quiz learn batch-norm         a few items until you know them
  dlquiz quiz review                   what you are about to forget
  dlquiz quiz test -n 20 --time 15m    scored; you are told at the end
  dlquiz quiz match                    pairs against the clock
  dlquiz quiz stats                    what you know, and what comes when
  dlquiz quiz search vanishing         items by words
  dlquiz quiz bank export deck.apkg    the questions for Anki, Moodle or a spreadsheet
"""


class _Modes(click.Group):
    """Lists the modes in the order in which they are met."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Modes, epilog=_EXAMPLES)
def quiz() -> None:
    """Practise the theory: questions, cards, pairs, tests, and reviews when they are due.

    TOPIC is a topic such as batch-norm or a group of them such as optimization; without one all are meant.
    In a terminal one key answers where one is enough. What you answer is kept at once, on this machine only.
    """


def _duration(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """A time such as 1h30m in seconds."""
    if value is None:
        return None
    match = re.fullmatch(r"(?:([0-9]{1,2})h)?(?:([0-9]{1,4})m)?(?:([0-9]{1,5})s)?", value.strip())
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if not total:
        raise click.BadParameter(f"expected a time such as 15m, 90s or 1h30m; received {value!r}")
    return float(total)


def _topics(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("topics", nargs=-1, metavar="[TOPIC]...")(function)


def _count(default: int, what: str) -> Callable[..., Any]:
    return click.option(
        "-n",
        "count",
        type=click.IntRange(1, 10_000),
        default=default,
        show_default=True,
        metavar="COUNT",
        help=f"How many {what} at most.",
    )


def _seed(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--seed",
        type=click.IntRange(0, 2**31 - 1),
        help="Draw the same questions, orders and numbers again  [default: drawn]",
    )(function)


def _json(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--json", "json_file", metavar="FILE", help="Also write it as JSON; - for standard output."
    )(function)


@quiz.command(
    epilog="\b\nExamples:\n  dlquiz quiz learn\n  dlquiz quiz learn batch-norm layer-norm\n"
    "  dlquiz quiz learn cnn -n 20"
)
@_topics
@_count(10, "items")
@_seed
def learn(topics: tuple[str, ...], count: int, seed: int | None) -> None:
    """Learn a few items until you know each: to choose the answer first, then to give it.

    What you missed last time comes first, then what is due, then what is new. What you miss comes back after a few
    others. Ctrl-D or Ctrl-C ends it; what you answered is kept.
    """
    from dlquiz.quiz.modes.learn import learn

    with _clear_errors():
        learn(topics, count, seed)


@quiz.command(
    epilog="\b\nExamples:\n  dlquiz quiz test\n  dlquiz quiz test optimization -n 20 --time 15m\n"
    "  dlquiz quiz test --seed 7 --json result.json"
)
@_topics
@_count(20, "questions")
@_seed
@click.option(
    "--time", "seconds", callback=_duration, metavar="TIME", help="For all questions: 15m, 90s, 1h30m."
)
@_json
def test(
    topics: tuple[str, ...], count: int, seed: int | None, seconds: float | None, json_file: str | None
) -> None:
    """Take a test: no word on an answer until the end, then the score, what was missed, and a report by topic.

    Cards are left out, since you rate them yourself. The same seed gives the same test. Ctrl-D hands in early.
    """
    from dlquiz.quiz.modes.test import test

    with _clear_errors():
        test(topics, count, seed, seconds, json_file)


@quiz.command(
    epilog="\b\nExamples:\n  dlquiz quiz match\n  dlquiz quiz match losses\n  dlquiz quiz match -n 3 --seed 7"
)
@_topics
@_count(5, "boards")
@_seed
def match(topics: tuple[str, ...], count: int, seed: int | None) -> None:
    """Match pairs against the clock, and against your own best time. A wrong pair costs five seconds."""
    from dlquiz.quiz.modes.match import match

    with _clear_errors():
        match(topics, count, seed)


@quiz.command(
    epilog="\b\nExamples:\n  dlquiz quiz review\n  dlquiz quiz review cnn\n  dlquiz quiz review -n 50"
)
@_topics
@_count(20, "items")
@_seed
def review(topics: tuple[str, ...], count: int, seed: int | None) -> None:
    """Go through what you are about to forget, the most endangered first.

    Every answer, in any mode, tells when an item should come again (by the FSRS algorithm, at a chance of 90 % that
    you still know it). Cards you rate yourself; anything else is rated by its score.
    """
    from dlquiz.quiz.modes.review import review

    with _clear_errors():
        review(topics, count, seed)


@quiz.command(
    epilog="\b\nExamples:\n  dlquiz quiz stats\n  dlquiz quiz stats cnn\n  dlquiz quiz stats --json -"
)
@_topics
@_json
def stats(topics: tuple[str, ...], json_file: str | None) -> None:
    """Show how much you know by group or topic, which reviews come in the next days, and your days in a row."""
    from dlquiz.quiz.modes.stats import stats

    with _clear_errors():
        stats(topics, json_file)


@quiz.command(
    epilog="\b\nExamples:\n  dlquiz quiz search dropout\n  dlquiz quiz search vanishing gradient -n 3\n\n"
    "Exit status: 0 something was found, 1 nothing, 2 usage."
)
@click.argument("words", nargs=-1, required=True, metavar="WORDS...")
@_count(10, "items")
def search(words: tuple[str, ...], count: int) -> None:
    """List the items that hold all WORDS, or words that begin so, the best first."""
    from dlquiz.quiz.modes.search import search

    with _clear_errors():
        sys.exit(0 if search(" ".join(words), count) else NOT_FOUND)


@quiz.command(
    epilog="\b\nExamples:\n  dlquiz quiz show hinge-loss-three-scores\n  dlquiz quiz show mse-of-three-drawn --seed 7"
)
@click.argument("id")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of numbers and orders."
)
def show(id: str, seed: int) -> None:
    """Show the item called ID with its answer, its source, and when it is due."""
    from dlquiz.quiz.modes.show import show

    with _clear_errors():
        show(id, seed)


@quiz.command(
    epilog="\b\nExamples:\n  dlquiz quiz export answers.jsonl\n  dlquiz quiz export > answers.jsonl"
)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
def export(file: Path | None) -> None:
    """Write all your answers to FILE, or to standard output: to keep them, or for another machine."""
    from dlquiz.quiz.modes.moving import export

    with _clear_errors():
        export(None if file is None or str(file) == "-" else file)


@quiz.command(
    "import",
    epilog="\b\nExamples:\n  dlquiz quiz import answers.jsonl\n  dlquiz quiz import - < answers.jsonl",
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def import_(file: Path) -> None:
    """Add the answers in FILE to yours. What is there already is not added twice, so importing again does no harm."""
    from dlquiz.quiz.modes.moving import import_

    with _clear_errors():
        import_(None if str(file) == "-" else file)


quiz.add_command(bank)


@contextlib.contextmanager
def _clear_errors() -> Iterator[None]:
    """Every failure that has a name ends in its one message and an exit status."""
    from dlquiz.quiz.items import BankError
    from dlquiz.quiz.progress import ProgressError
    from dlquiz.quiz.sitting import Stopped

    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    try:
        yield
    except (BankError, ProgressError) as error:
        _end(str(error), USAGE)
    except Stopped as stopped:
        click.echo(err=True)
        _end(str(stopped), INTERRUPTED)
    except BrokenPipeError:
        raise  # click ends quietly when nobody reads on
    except OSError as error:
        _end(f"{error.filename or 'the system'}: {error.strerror or error}", USAGE)
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)


def _end(message: str, status: int) -> NoReturn:
    click.echo(f"dlquiz: {message}", err=True)
    sys.exit(status)
