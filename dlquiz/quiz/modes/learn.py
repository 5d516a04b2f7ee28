"""Learn: a few items until each is mastered, recognised first and then recalled."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Collection
from datetime import date

from dlquiz.output import consoles
from dlquiz.quiz.asking import counted
from dlquiz.quiz.items import Bank, Choice, Item, fold
from dlquiz.quiz.marking import right_answer
from dlquiz.quiz.posing import pose
from dlquiz.quiz.progress import Memory
from dlquiz.quiz.sitting import Task, chosen, close, practise, sitting

_MOST_CHOICES = 4
_FEWEST_CHOICES = 3


def learn(topics: Collection[str], count: int, seed: int | None) -> None:
    """Ask `count` items, what was missed last first, then what is due, then what is new. Raises BankError, Stopped."""
    out, err = consoles(None)
    with sitting("learn", seed, out, err) as one:
        items = chosen(one.bank, topics)
        memories = one.progress.memories()
        waiting = _in_order(items, memories, one.seed)
        if not waiting:
            known = f"{counted(len(items), 'item')} known for today, none that waits"
            one.person.say(f"{known}: `dlquiz quiz stats` says what comes when.")
            return
        tasks = [_task(item, one.bank, memories.get(item.id)) for item in waiting[:count]]
        one.person.say(
            f"{len(tasks)} of {len(waiting)} items that wait. Each comes until you know it.", "bold"
        )
        done = practise(one, tasks)
        close(one, tasks, done, "mastered")


def recognised(item: Item, bank: Bank, seed: int) -> Item | None:
    """The item as a choice among answers, or None where it is one already or too few wrong ones are known."""
    question = pose(item, seed)
    match item.type:
        case "numeric" | "drawn":
            answer = right_answer(question)
            wrong = [
                Choice(
                    right_answer(dataclasses.replace(question, answer=mistake.value)), False, mistake.feedback
                )
                for mistake in question.mistakes
            ]
        case "fill":
            answer = item.accepted[0]
            wrong = [Choice(str(mistake.value), False, mistake.feedback) for mistake in item.mistakes]
            wrong += [
                Choice(other.accepted[0], False, f"That completes: {other.question}")
                for other in _others(item, bank, seed)
            ]
        case "card":
            answer = str(item.answer)
            wrong = [
                Choice(str(other.answer), False, f"That answers: {other.question}")
                for other in _others(item, bank, seed)
            ]
        case _:
            return None
    accepted = {fold(answer), *map(fold, item.accepted)}
    differing = {fold(choice.text): choice for choice in reversed(wrong) if fold(choice.text) not in accepted}
    choices = [Choice(answer, True), *reversed(differing.values())][:_MOST_CHOICES]
    if len(choices) < _FEWEST_CHOICES:
        return None
    return dataclasses.replace(
        item,
        type="single",
        question=question.text,
        explanation=question.explanation,
        choices=tuple(choices),
        answer=None,
        tolerance=None,
        relative_tolerance=None,
        mistakes=(),
        accepted=(),
    )


def _others(item: Item, bank: Bank, seed: int) -> list[Item]:
    """Items of the same type about something else, those of the same group first."""
    others = [
        other
        for other in bank.select(types=(item.type,))
        if other.id != item.id and set(other.topics).isdisjoint(item.topics)
    ]
    random.Random(f"{seed}/{item.id}/others").shuffle(others)  # noqa: S311
    return sorted(others, key=lambda other: other.group != item.group)


def _task(item: Item, bank: Bank, memory: Memory | None) -> Task:
    """What was recalled last time need not be recognised first."""

    def as_choice(seed: int) -> Item:
        return recognised(item, bank, seed) or item

    new = memory is None or memory.missed
    possible = new and recognised(item, bank, 0) is not None
    return Task(item, [as_choice, lambda _: item] if possible else [lambda _: item])


def _in_order(items: Collection[Item], memories: dict[str, Memory], seed: int) -> list[Item]:
    """What is worth learning now: missed, due, new; the easy before the hard, else by chance."""
    today = date.today()

    def urgency(item: Item) -> int:
        memory = memories.get(item.id)
        if memory is None:
            return 2
        return 0 if memory.missed else 1 if memory.is_due(today) else 3

    waiting = [item for item in items if urgency(item) < 3]
    random.Random(f"{seed}/learn").shuffle(waiting)  # noqa: S311
    return sorted(waiting, key=lambda item: (urgency(item), item.difficulty))
