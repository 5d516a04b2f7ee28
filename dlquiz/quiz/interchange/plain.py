"""What an item comes down to in a format that has fewer types than the bank."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dlquiz.quiz.items import Choice, Item
from dlquiz.quiz.plots.plot import plottings
from dlquiz.quiz.plots.svg import draw
from dlquiz.quiz.posing import Question, pose

KINDS = {
    "card": "open",
    "single": "choice",
    "fix": "choice",
    "true-false": "choice",
    "multiple": "choices",
    "numeric": "number",
    "drawn": "number",
    "matching": "pairs",
    "ordering": "order",
    "fill": "word",
}


@dataclass(frozen=True)
class Plain:
    """One question with what every format needs.

    Attributes:
        kind: of the values of `KINDS`.
        text: the question; of a `fix` with its formula, of an item with a picture without it.
        choices: of `choice` and `choices`. A `true-false` is a choice here: each reason comes with a truth value.
        picture: an SVG document, or "".
    """

    question: Question
    kind: str
    text: str
    choices: tuple[Choice, ...]
    picture: str

    @property
    def item(self) -> Item:
        """Where it is from."""
        return self.question.item

    @property
    def tags(self) -> tuple[str, ...]:
        """`topic/ID` of each topic, and the difficulty."""
        return (*(f"topic/{name}" for name in self.item.topics), f"difficulty/{self.item.difficulty}")

    @property
    def number(self) -> tuple[float, float]:
        """Of `number`: the right answer, and how far from it one may be."""
        assert isinstance(self.question.answer, int | float)
        return self.question.answer, self.question.tolerance


def plain(items: Iterable[Item], seed: int) -> Iterator[Plain]:
    """Each item posed with a seed, which decides the numbers of drawn ones and the order of choices.

    Raises:
        BankError: an item names a drawing that there is none of.
    """
    for item in items:
        question = pose(item, seed)
        text = f"{question.text}\n\n{question.formula}" if question.formula else question.text
        picture = draw(plottings()[item.plot]()) if item.plot else ""
        yield Plain(question, KINDS[item.type], text, _choices(question), picture)


def _choices(question: Question) -> tuple[Choice, ...]:
    if question.item.type != "true-false":
        return question.choices
    told = []
    wrong = 0
    for reason in question.choices:
        wrong += not reason.right
        # of the wrong ones every second has the right truth value, so that it alone gives nothing away
        value = question.answer is True if reason.right or wrong % 2 else question.answer is not True
        feedback = reason.feedback or ("" if reason.right else "That is not the reason.")
        told.append(Choice(f"{'True' if value else 'False'}: {reason.text}", reason.right, feedback))
    return tuple(told)
