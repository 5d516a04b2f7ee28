"""The person who is asked: by single keys in a terminal, by lines anywhere else."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from dlquiz.quiz.items import Item
from dlquiz.quiz.marking import RATINGS, AnswerError, Mark, describe, mark, right
from dlquiz.quiz.posing import Question
from dlquiz.terminal import Signs, clean

UNKNOWN = "?"
ENDING = "? when you do not know; Ctrl-D ends"
_NARROWEST_PICTURE = 48
_WIDEST = 100
_INDENT = 2
_END = "\x04"


class TimeUp(Exception):
    """The time for a test is over."""


@dataclass(frozen=True)
class Given:
    """An answer as it was given: the text, "?" for none, what it is worth, and how long it took."""

    text: str
    mark: Mark
    seconds: float


class Person:
    """Shows on a console and reads from standard input.

    Args:
        out: where questions and everything else go.
    """

    def __init__(self, out: Console) -> None:
        self.out = out
        self.signs = Signs(out)
        self.width = min(out.width, _WIDEST)
        self._keys = _has_keys() and sys.stdin.isatty() and out.is_terminal and not out.is_dumb_terminal
        self._echoes = sys.stdin is not None and sys.stdin.isatty()

    def say(self, text: str | Text = "", style: str = "", *, sign: str | Text = "") -> None:
        """A paragraph, wrapped; what follows a sign stays to the right of it."""
        body = Text(clean(text), style) if isinstance(text, str) else text
        before = Text(sign) if isinstance(sign, str) else sign
        indent = before.cell_len + 1 if sign else 0
        for number, line in enumerate(body.wrap(self.out, max(self.width - indent, 8)) or [Text()]):
            line.rstrip()
            start = Text.assemble(before, " ") if indent and not number else Text(" " * indent)
            self.out.print(Text.assemble(start, line) if line else Text(), soft_wrap=True)

    def lettered(self, signs: str, texts: tuple[str, ...]) -> None:
        """A list whose entries have a sign each."""
        for sign, text in zip(signs, texts, strict=True):
            self.say(formula(text), sign=Text(f"{' ' * _INDENT}{sign} ", "bold"))

    def heading(self, text: str) -> None:
        """What stands above a question."""
        self.say()
        self.say(text, "dim")

    def show(self, question: Question) -> None:
        """The question with everything that it takes to answer it."""
        item = question.item
        self.say(formula(question.text, "bold"))
        if question.formula:
            self.say(formula(question.formula), sign=" " * _INDENT)
        if item.plot:
            self.picture(item.plot)
        self.out.print()
        if question.lefts:
            self.lettered("".join(map(str, range(1, len(question.lefts) + 1))), question.lefts)
            self.out.print()
        listed = tuple(choice.text for choice in question.choices) or question.rights or question.steps
        if listed:
            self.lettered(question.letters, listed)
            self.out.print()

    def picture(self, name: str) -> None:
        """A picture of the package, or its description where there is no room for it."""
        from dlquiz.quiz.plots.plot import plottings
        from dlquiz.quiz.plots.terminal import draw

        plot = plottings()[name]()
        self.out.print()
        if self.width < _NARROWEST_PICTURE or not self.out.encoding.lower().startswith("utf"):
            self.say(f"{plot.title}. {plot.alt}", sign=" " * _INDENT)
            return
        colour = self.out.is_terminal and not self.out.no_color
        drawn = draw(plot, min(self.width, 72), colour=colour)
        self.out.print(Text.from_ansi(drawn), soft_wrap=True)

    def ask(self, question: Question) -> Given:
        """Read answers until one can be understood.

        Raises:
            EOFError: there are no more.
        """
        began = time.monotonic()
        if question.item.type == "card":
            return self._ask_card(question, began)
        one_key = question.item.type in ("single", "fix")
        while True:
            prompt = f"{describe(question)}: "
            text = self.key(prompt) if one_key else self.line(prompt)
            seconds = time.monotonic() - began
            if text == UNKNOWN:
                return Given(UNKNOWN, Mark(0.0, "", right(question)), seconds)
            try:
                return Given(text, mark(question, text), seconds)
            except AnswerError as error:
                self.say(str(error), "yellow", sign=self.signs.open)

    def _ask_card(self, question: Question, began: float) -> Given:
        text = self.key("Say it to yourself, then press Enter: ", enter=True)
        seconds = time.monotonic() - began
        self.say(formula(str(question.answer)), sign=self.signs.open)
        self.explain(question)
        while True:
            if text != UNKNOWN:
                text = self.key("how well did you know it? 1 again, 2 hard, 3 good, 4 easy: ").casefold()
            if text == UNKNOWN:
                return Given("again", mark(question, "again"), seconds)
            for number, rating in enumerate(RATINGS, 1):
                if text in (str(number), rating, rating[0]):
                    return Given(rating, mark(question, rating), seconds)
            self.say(f"expected a number from 1 to 4; received “{text}”", "yellow", sign=self.signs.open)

    def tell(self, question: Question, given: Given) -> None:
        """Whether the answer was right, and why. A card has shown that already."""
        if question.item.type == "card":
            return
        self.verdict(given.mark.score, given.mark.feedback)
        if given.mark.score < 1:
            self.say("right answer:", "dim", sign=" " * _INDENT)
            for line in given.mark.right.splitlines():
                self.say(formula(line), sign=" " * (_INDENT + 2))
        self.explain(question)

    def verdict(self, score: float, feedback: str) -> None:
        """The first line of what is told of an answer."""
        sign = self.signs.good if score == 1 else self.signs.bad if score == 0 else self.signs.open
        word = "right" if score == 1 else "not right" if score == 0 else f"partly right: {score:.0%}"
        told = f"{word}. {feedback}" if feedback else word
        self.say(formula(told, "green" if score == 1 else "red" if score == 0 else "yellow"), sign=sign)

    def explain(self, question: Question) -> None:
        """Why the right answer is right, and who says so."""
        self.say(formula(question.explanation), sign=" " * _INDENT)
        self.say(question.item.source, "dim", sign=" " * _INDENT)

    def line(self, prompt: str) -> str:
        """One line, without blanks around it.

        Raises:
            EOFError: there are no more.
        """
        self._prompt(prompt)
        text = sys.stdin.readline() if sys.stdin is not None else ""
        if not text:
            self.out.print()
            raise EOFError
        if not self._echoes:
            self.out.print(Text(clean(text.strip())), soft_wrap=True)
        return text.strip()

    def key(self, prompt: str, *, enter: bool = False) -> str:
        """One key in a terminal, else one line; "" for Enter.

        Args:
            enter: whether Enter is an answer. Else it is passed over: many press it after a key by habit.

        Raises:
            EOFError: there are no more.
        """
        if not self._keys:
            return self.line(prompt)
        with _single_keys():
            self._prompt(prompt)
            pressed = _key()
            while pressed in ("\r", "\n") and not enter:
                pressed = _key()
        self.out.print(Text("" if pressed in ("\r", "\n") else pressed.replace(_END, "")))
        if pressed in ("", _END):
            raise EOFError
        return pressed.strip()

    def _prompt(self, prompt: str) -> None:
        self.out.print(Text(prompt, "cyan"), end="", soft_wrap=True)
        self.out.file.flush()


def topic_line(item: Item) -> str:
    """What an item is about, and how hard it is."""
    return f"{item.topics[0]}, level {item.difficulty}"


def counted(number: int, noun: str) -> str:
    """A number of things: 1 answer, 2 answers."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def formula(text: str, style: str = "") -> Text:
    """A text of the bank: what stands in backticks is code."""
    shown = Text(clean(text), style)
    shown.highlight_regex(re.compile(r"`[^`\n]+`"), "cyan")
    return shown


@contextlib.contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Raise TimeUp in the block when that many seconds are over, even while a key is waited for.

    Where a system has no alarm, whoever asks has to look at the clock.
    """
    alarm = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if seconds is None or not alarm:
        yield
        return

    def ring(*_: object) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _has_keys() -> bool:
    return sys.stdin is not None and not sys.stdin.closed


if sys.platform == "win32":

    def _single_keys() -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def _key() -> str:
        import click

        return click.getchar()

else:

    @contextlib.contextmanager
    def _single_keys() -> Iterator[None]:
        """Have keys come at once and unseen. Ctrl-C interrupts as ever."""
        import termios
        import tty

        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        try:
            tty.setcbreak(descriptor, termios.TCSADRAIN)
            yield
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

    def _key() -> str:
        """The next key; what a key such as an arrow sends is passed over."""
        descriptor = sys.stdin.fileno()
        while True:
            sent = _character(descriptor)
            if sent == "\x1b":
                while select.select([descriptor], [], [], 0.02)[0]:
                    os.read(descriptor, 1)
            elif not sent or sent.isprintable() or sent in f"\r\n{_END}":
                return sent

    def _character(descriptor: int) -> str:
        sent = os.read(descriptor, 1)
        while True:
            try:
                return sent.decode()
            except UnicodeDecodeError as error:
                more = os.read(descriptor, 1) if "unexpected end" in error.reason else b""
                if not more:
                    return "\N{REPLACEMENT CHARACTER}"
                sent += more
