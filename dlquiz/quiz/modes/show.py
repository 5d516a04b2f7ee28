"""Show: one item with its answer, its source and what is remembered of it."""

from __future__ import annotations

import difflib

from dlquiz.output import consoles
from dlquiz.quiz.asking import Person, formula
from dlquiz.quiz.items import Bank, BankError, Item, load_bank
from dlquiz.quiz.marking import right
from dlquiz.quiz.posing import pose
from dlquiz.quiz.progress import Progress


def show(id: str, seed: int) -> None:
    """Show the item of that id. Raises BankError, ProgressError."""
    out, err = consoles(None)
    item = find(load_bank(), id)
    with Progress(tell=lambda note: err.print(note, style="yellow", highlight=False)) as progress:
        memory = progress.memories().get(item.id)
    person = Person(out)
    person.say(f"{item.id}: {item.type}, level {item.difficulty}; {', '.join(item.topics)}", "dim")
    question = pose(item, seed)
    person.show(question)
    for line in right(question).splitlines():
        person.say(formula(line), sign=person.signs.good)
    for choice in question.choices:
        if choice.feedback:
            person.say(formula(f"{choice.text}: {choice.feedback}"), sign=person.signs.bad)
    for mistake in question.mistakes:
        person.say(formula(f"{mistake.value}: {mistake.feedback}"), sign=person.signs.bad)
    person.explain(question)
    if memory:
        times = "once" if memory.answers == 1 else f"{memory.answers} times"
        due = memory.due.astimezone().date()
        person.say(f"answered {times}, last on {memory.last.astimezone().date()}; due on {due}", "dim")


def find(bank: Bank, id: str) -> Item:
    """The item of that id.

    Raises:
        BankError: there is none; says which come near.
    """
    item = bank.by_id.get(id)
    if item is None:
        near = difflib.get_close_matches(id, list(bank.by_id), n=3, cutoff=0.5)
        meant = f": did you mean {' or '.join(near)}?" if near else ": `dlquiz quiz search WORDS` finds ids"
        raise BankError([f"no item `{id}`{meant}"])
    return item
