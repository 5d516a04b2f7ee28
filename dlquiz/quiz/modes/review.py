"""Review: what FSRS says is about to be forgotten."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

from dlquiz.output import consoles
from dlquiz.quiz.items import Item
from dlquiz.quiz.sitting import Task, chosen, close, practise, sitting


def review(topics: Collection[str], count: int, seed: int | None) -> None:
    """Ask what is due, what is nearest to being forgotten first. Raises BankError, ProgressError, Stopped."""
    out, err = consoles(None)
    today = date.today()
    with sitting("review", seed, out, err) as one:
        seen = {
            item.id: memory
            for memories in [one.progress.memories()]
            for item in chosen(one.bank, topics)
            if (memory := memories.get(item.id))
        }
        due = sorted((memory for memory in seen.values() if memory.is_due(today)), key=lambda one: one.known)
        if not due:
            following = min((memory.due.astimezone().date() for memory in seen.values()), default=None)
            when = "`dlquiz quiz learn` begins" if following is None else f"The next review is on {following}"
            one.person.say(f"Nothing is due. {when}.")
            return
        tasks = [Task(item, [_itself(item)]) for item in (one.bank.by_id[m.item] for m in due[:count])]
        one.person.say(f"{len(tasks)} of {len(due)} items that are due.", "bold")
        done = practise(one, tasks)
        close(one, tasks, done, "reviewed")


def _itself(item: Item) -> Callable[[int], Item]:
    return lambda _: item
