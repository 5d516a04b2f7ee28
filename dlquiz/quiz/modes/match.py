"""Match: boards of pairs against the clock."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Collection

from dlquiz.output import consoles
from dlquiz.quiz.asking import UNKNOWN, Given, Person, counted, topic_line
from dlquiz.quiz.items import BankError
from dlquiz.quiz.marking import Mark, right
from dlquiz.quiz.posing import LETTERS, Question, pose
from dlquiz.quiz.progress import Progress
from dlquiz.quiz.sitting import chosen, sitting

# Seconds that a wrong pair costs, so that guessing is slower than thinking.
PENALTY = 5


def match(topics: Collection[str], count: int, seed: int | None) -> None:
    """Play up to `count` boards. Raises BankError, ProgressError, Stopped."""
    out, err = consoles(None)
    with sitting("match", seed, out, err) as one:
        person = one.person
        boards = [item for item in chosen(one.bank, topics) if item.type == "matching"]
        if not boards:
            raise BankError(
                [f"there are no pairs to match in {', '.join(topics)}: leave the topic out for all"]
            )
        best = _best(one.progress)
        random.Random(f"{one.seed}/match").shuffle(boards)  # noqa: S311
        person.say(
            f"{min(count, len(boards))} of {len(boards)} boards. A wrong pair costs {PENALTY} s.", "bold"
        )
        person.say("Ctrl-D ends", "dim")
        total, wrong, played = 0.0, 0, 0
        with contextlib.suppress(EOFError):
            for number, item in enumerate(boards[:count], 1):
                person.heading(f"board {number} of {min(count, len(boards))}: {topic_line(item)}")
                question = pose(item, one.seed)
                given, misses = _play(person, question)
                one.keep(item, given, one.seed)
                played, total, wrong = played + 1, total + given.seconds, wrong + misses
                person.say(
                    _told(given.seconds, misses, best.get(item.id)), "green" if not misses else "yellow"
                )
                person.explain(question)
        person.say()
        person.say(f"{counted(played, 'board')} in {total:.1f} s, {wrong} wrong. {one.kept()}", "bold")


def _play(person: Person, question: Question) -> tuple[Given, int]:
    """One board: for each left its right, until it is found; the time with penalties, and how many were wrong."""
    person.show(question)
    of = dict(question.item.pairs)
    first, misses = [], 0
    began = time.monotonic()
    for number, left in enumerate(question.lefts, 1):
        wanted = LETTERS[question.rights.index(of[left])]
        tries: list[str] = []
        while wanted not in tries:
            pressed = person.key(f"{number} goes with: ").upper()
            if pressed != UNKNOWN and (len(pressed) != 1 or pressed not in question.letters):
                span = f"{question.letters[0]} to {question.letters[-1]}"
                person.say(f"expected one letter, {span}; ? shows it", "yellow", sign=person.signs.open)
                continue
            tries.append(wanted if pressed == UNKNOWN else pressed)
            if pressed != wanted:
                misses += 1
                told = f"{wanted} it is" if pressed == UNKNOWN else "not that one"
                person.say(told, "red", sign=person.signs.bad)
            if len(tries) == 1:
                first.append(pressed)
    seconds = time.monotonic() - began + PENALTY * misses
    hits = sum(
        letter != UNKNOWN and question.rights[LETTERS.index(letter)] == of[left]
        for letter, left in zip(first, question.lefts, strict=True)
    )
    mark = Mark(hits / len(first), "", right(question))
    return Given(" ".join(first), mark, seconds), misses


def _best(progress: Progress) -> dict[str, float]:
    """The least time of each board so far."""
    best: dict[str, float] = {}
    for answered in progress.log():
        if answered.mode == "match":
            best[answered.item] = min(answered.seconds, best.get(answered.item, answered.seconds))
    return best


def _told(seconds: float, misses: int, best: float | None) -> str:
    told = f"{seconds:.1f} s" + (f" with {misses} wrong" if misses else ", all right")
    if best is None:
        return told
    return f"{told}: your best so far" if seconds < best else f"{told}; your best is {best:.1f} s"
