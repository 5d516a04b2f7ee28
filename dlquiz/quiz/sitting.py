"""One sitting at the quiz: what is answered is kept at once, and what was missed comes back."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from dlquiz.quiz.asking import ENDING, Given, Person, counted, topic_line
from dlquiz.quiz.items import Bank, BankError, Item, load_bank
from dlquiz.quiz.posing import pose
from dlquiz.quiz.progress import AGAIN, EASY, HARD, Answered, Progress, rating_of

# How many others come before one that was missed, and before one that is asked in a harder form.
_BEFORE_MISSED, _BEFORE_NEXT = 3, 5


class Stopped(Exception):
    """Ctrl-C; the text says what is kept."""


@dataclass
class Sitting:
    """Who answers, and where answers are kept.

    Attributes:
        mode: what the log says of each answer.
        seed: of every question and order; repeats of an item count up from it.
        answered: how many answers there are so far.
    """

    person: Person
    progress: Progress
    bank: Bank
    mode: str
    seed: int
    answered: int = 0

    def keep(self, item: Item, given: Given, seed: int, rating: int | None = None) -> None:
        """Write an answer to the log."""
        self.answered += 1
        self.progress.add(
            Answered(
                item=item.id,
                mode=self.mode,
                answer="".join(sign if sign.isprintable() else " " for sign in given.text)[:2000],
                score=given.mark.score,
                rating=_rating(item, given) if rating is None else rating,
                seconds=round(given.seconds, 1),
                seed=seed,
            )
        )

    def kept(self) -> str:
        """How much is kept, in words."""
        if not self.progress.is_kept:
            return "Nothing is kept."
        return f"{counted(self.answered, 'answer')} kept."


@contextlib.contextmanager
def sitting(mode: str, seed: int | None, out: Console, err: Console) -> Iterator[Sitting]:
    """Open the bank and the log for one sitting.

    Raises:
        Stopped: in place of a KeyboardInterrupt in the block.
    """
    drawn = secrets.randbelow(2**31) if seed is None else seed
    with Progress(tell=lambda note: err.print(Text(note, "yellow"), soft_wrap=True)) as progress:
        one = Sitting(Person(out), progress, load_bank(), mode, drawn)
        try:
            yield one
        except KeyboardInterrupt:
            raise Stopped(f"interrupted. {one.kept()}") from None


@dataclass
class Task:
    """One item that is to be mastered.

    Attributes:
        forms: in which it is asked, the easiest first; the last is the item itself.
        form: the place of the next one.
        tries: how often it was asked.
        missed: how often the answer was wrong.
    """

    item: Item
    forms: Sequence[Callable[[int], Item]]
    form: int = 0
    tries: int = 0
    missed: int = 0


def practise(one: Sitting, tasks: Sequence[Task]) -> list[Task]:
    """Ask until every task is done, or the person ends; which tasks are done.

    What was missed comes back after a few others, in its easiest form.
    """
    queue = list(tasks)
    done: list[Task] = []
    person = one.person
    person.say(ENDING, "dim")
    with contextlib.suppress(EOFError):
        while queue:
            task = queue.pop(0)
            seed = one.seed + task.tries
            item = task.forms[task.form](seed)
            again = ", again" if task.missed else ""
            person.heading(f"{len(done)} of {len(tasks)} done: {topic_line(item)}{again}")
            question = pose(item, seed)
            person.show(question)
            given = person.ask(question)
            recalled = task.form == len(task.forms) - 1
            rating = _rating(item, given)
            # who picks it from a list need not be able to say it
            one.keep(task.item, given, seed, rating if recalled else min(rating, HARD))
            person.tell(question, given)
            task.tries += 1
            if rating == AGAIN:
                task.form, task.missed = 0, task.missed + 1
                queue.insert(_BEFORE_MISSED, task)
            elif recalled:
                done.append(task)
            else:
                task.form += 1
                queue.insert(_BEFORE_NEXT, task)
    return done


def close(one: Sitting, tasks: Sequence[Task], done: Sequence[Task], word: str) -> None:
    """Say how it went: how many were "mastered", or whatever the word is."""
    smooth = sum(not task.missed for task in done)
    without = f", {smooth} of them without a miss" if done else ""
    one.person.say()
    one.person.say(f"{len(done)} of {len(tasks)} {word}{without}. {one.kept()}", "bold")


def chosen(bank: Bank, topics: Collection[str]) -> tuple[Item, ...]:
    """The items of some topics or groups.

    Raises:
        BankError: one of the names is unknown, or there is no item.
    """
    items = bank.select(topics)
    if not items:
        raise BankError([f"the bank has no items yet of {', '.join(topics)}"])
    return items


def _rating(item: Item, given: Given) -> int:
    if item.type == "card":
        ratings = {"again": AGAIN, "hard": HARD, "easy": EASY}
        return ratings.get(given.text, rating_of(given.mark.score))
    return rating_of(given.mark.score)
