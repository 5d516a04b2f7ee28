"""Make a question of an item: fill in its numbers and shuffle what has an order."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TypeVar

from dlquiz.quiz.items import BankError, Choice, Item, Mistake

LETTERS = "ABCDEFG"
_T = TypeVar("_T")


@dataclass(frozen=True)
class Question:
    """An item as one person meets it.

    Attributes:
        seed: with the item's id it decides every draw and every order.
        text: the question, numbers filled in.
        explanation: why the right answer is right, numbers filled in.
        formula: the wrong statement of a `fix`, or "".
        choices: in the order shown.
        lefts: of `matching`, in the order shown. `rights` likewise; they are what has letters.
        steps: of `ordering`, in the order shown.
        answer: of a card its back, of `true-false` the truth value, of `numeric` and `drawn` the number.
        tolerance: how far from `answer` a number still counts as right; 0 where none is allowed or asked for.
        mistakes: wrong answers that are foreseen.
    """

    item: Item
    seed: int
    text: str
    explanation: str
    formula: str = ""
    choices: tuple[Choice, ...] = ()
    lefts: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    answer: str | bool | int | float | None = None
    tolerance: float = 0.0
    mistakes: tuple[Mistake, ...] = ()

    @property
    def letters(self) -> str:
        """The letters of what is to be chosen, matched or ordered; "" where an answer has none."""
        return LETTERS[: len(self.choices or self.rights or self.steps)]


def pose(item: Item, seed: int) -> Question:
    """The question that an item makes with a seed: always the same.

    Raises:
        BankError: the item names a drawing that there is none of, or its text a value that it does not draw.
    """
    rng = random.Random(f"{seed}/{item.id}")  # noqa: S311
    if item.type == "drawn":
        return _drawn(item, seed, rng)
    tolerance = 0.0
    if item.type == "numeric":
        assert isinstance(item.answer, int | float)
        tolerance = item.allowance(item.answer)
    return Question(
        item=item,
        seed=seed,
        text=item.question,
        explanation=item.explanation,
        formula=item.formula,
        choices=_shuffled(item.choices, rng),
        lefts=_shuffled(tuple(left for left, _ in item.pairs), rng),
        rights=_shuffled(tuple(right for _, right in item.pairs), rng),
        steps=_shuffled(item.steps, rng),
        answer=item.answer,
        tolerance=tolerance,
        mistakes=item.mistakes,
    )


def _drawn(item: Item, seed: int, rng: random.Random) -> Question:
    from dlquiz.quiz.draws.drawn import drawings

    known = drawings()
    if item.draw not in known:
        raise BankError([f"{item.group}.toml: {item.id}: no drawing named {item.draw!r}"])
    drawn = known[item.draw](rng)
    values = {**drawn.values, "answer": drawn.answer}
    try:
        text, explanation = item.question.format(**values), item.explanation.format(**values)
    except (LookupError, ValueError, TypeError) as error:
        problem = f"{item.group}.toml: {item.id}: the text and what {item.draw!r} draws do not fit: {error!r}"
        raise BankError([problem]) from None
    return Question(
        item=item,
        seed=seed,
        text=text,
        explanation=explanation,
        answer=drawn.answer,
        tolerance=item.allowance(drawn.answer),
        mistakes=tuple(Mistake(value, feedback) for value, feedback in drawn.mistakes),
    )


def _shuffled(things: tuple[_T, ...], rng: random.Random) -> tuple[_T, ...]:
    return tuple(rng.sample(things, len(things)))
