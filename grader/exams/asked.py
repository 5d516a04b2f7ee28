"""What a student sees of a question: nothing here can hold an answer, and papers are written from nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dlquiz.quiz.marking import describe
from dlquiz.quiz.plots.plot import plottings
from dlquiz.quiz.plots.svg import draw
from dlquiz.quiz.posing import LETTERS
from grader.exams.errors import ExamError
from grader.exams.exam import Paper

_ID = re.compile(r'(\bid="|\burl\(#|\bhref="#)')


@dataclass(frozen=True)
class Asked:
    """One question as it stands on paper.

    Attributes:
        name: "Q1", "Q2", ... in the order of the paper.
        lettered: what has a letter, with it: choices, the right sides of pairs, or steps.
        lefts: of pairs.
        form: the form of an answer.
        picture: an `<svg>` element, or "".
        alt: what the picture shows, in words.
    """

    name: str
    points: float
    text: str
    formula: str
    lettered: tuple[tuple[str, str], ...]
    lefts: tuple[str, ...]
    form: str
    picture: str
    alt: str


class Pictures:
    """The pictures of a bank, each drawn once."""

    def __init__(self) -> None:
        self._drawn: dict[str, tuple[str, str]] = {}

    def get(self, name: str) -> tuple[str, str]:
        """The SVG element and what it shows in words; both empty without a name.

        Raises:
            ExamError: there is no such picture.
        """
        if name and name not in self._drawn:
            if name not in plottings():
                raise ExamError(f"the bank names a picture {name!r}, and there is none of that name")
            plot = plottings()[name]()
            self._drawn[name] = draw(plot), plot.alt
        return self._drawn.get(name, ("", ""))


def asked(paper: Paper, points: dict[str, float], pictures: Pictures) -> list[Asked]:
    """The questions of a paper without their answers.

    Args:
        points: of each item, by its id.
    """
    questions = []
    for place, one in enumerate(paper.questions, 1):
        picture, alt = pictures.get(one.item.plot)
        texts = [choice.text for choice in one.choices] or one.rights or one.steps
        questions.append(
            Asked(
                name=f"Q{place}",
                points=points[one.item.id],
                text=one.text,
                formula=one.formula,
                lettered=tuple(zip(LETTERS, texts, strict=False)),
                lefts=one.lefts,
                form=describe(one),
                # two pictures on one page may not share the names that they refer to
                picture=_ID.sub(rf"\g<1>Q{place}-", picture),
                alt=alt,
            )
        )
    return questions
