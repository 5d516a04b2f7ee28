"""The arithmetic that explanations of the CNN and architecture items show comes out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import pytest

from dlquiz.quiz.items import Bank
from dlquiz.quiz.posing import pose

GROUPS = ("cnn", "architectures")
SUM = r"((?:floor|ceil)?[-−(\d](?:[^a-z]*[\d)²⁵])?)"
# a single letter before a sum is a name, and part of it: such a side is no plain number
FIRST = re.compile(rf"(?:.*\b[A-Za-z]{{2,}}:? )?{SUM}")
FURTHER = re.compile(rf"{SUM}(?: [a-z].*)?[.,;:]?")
TYPED = {"·": "*", "−": "-", "²": "**2", "⁵": "**5"}


def value(text: str, form: re.Pattern[str]) -> float | None:
    """What a sum of plain numbers comes to; None for what is none."""
    found = form.fullmatch(text.strip())
    if not found:
        return None
    typed = re.sub(r"(?<=\d),(?=\d{3})", "", found[1])
    for sign, code in TYPED.items():
        typed = typed.replace(sign, code)
    try:
        return float(eval(typed, {"__builtins__": {}}, {"floor": math.floor, "ceil": math.ceil}))
    except (SyntaxError, NameError, TypeError):
        return None


def chains(text: str) -> Iterator[list[float]]:
    """The values that every chain of equations in a text says are equal; sides with letters are left out."""
    for clause in re.split(r"(?<=[.;:,]) | and | with | instead of |\n", text):
        first, *further = clause.split("=")
        sides = [value(first, FIRST), *(value(side, FURTHER) for side in further)]
        known = [side for side in sides if side is not None]
        if len(known) > 1:
            yield known


def test_sums_are_read() -> None:
    assert list(chains("So 2 · 3 + 1 = 7. Then ceil(7/2) = 4, and 3² · 1,000 = 9000 = 9,000.")) == [
        [7, 7],
        [4, 4],
        [9000, 9000, 9000],
    ]
    assert list(chains("It is 2 + 2 = 5. Each takes K − 1 = 4 of them.")) == [[4, 5]]


@pytest.mark.parametrize("group", GROUPS)
def test_sums_come_out(bank: Bank, group: str) -> None:
    read = 0
    for item in bank.items:
        if item.group == group:
            for seed in range(50 if item.type == "drawn" else 1):
                for sides in chains(pose(item, seed).explanation):
                    assert sides == pytest.approx([sides[0]] * len(sides), abs=1e-4), (item.id, seed)
                    read += 1
    assert read > 400
