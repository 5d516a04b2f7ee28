"""What must hold of the bank as a whole: enough of everything, nothing that gives an answer away."""

from __future__ import annotations

import dataclasses
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from dlquiz.quiz.draws.drawn import Drawn, drawings
from dlquiz.quiz.items import TYPES, Bank, Choice, Item, items_needed
from dlquiz.quiz.marking import mark, right_answer
from dlquiz.quiz.plots import svg, terminal
from dlquiz.quiz.plots.plot import plottings
from dlquiz.quiz.posing import pose
from dlquiz.topics import topics

SEEDS = range(200)
ONE_RIGHT = ("single", "fix", "true-false")
# How rarely a bank that is as it should be may fail a test of chance.
RARE = 1e-3
# The largest tolerance as a share of an answer: with more of it a slip would pass for rounding.
LOOSE = 0.3


def at_least(count: int, chances: Iterable[float]) -> float:
    """The probability of `count` hits or more, each item hit with its own chance, independently."""
    totals = [1.0]
    for chance in chances:
        totals = [
            (totals[k] if k < len(totals) else 0) * (1 - chance) + (totals[k - 1] * chance if k else 0)
            for k in range(len(totals) + 1)
        ]
    return sum(totals[count:])


def betrayed(items: Iterable[Item], key: Callable[[Choice], float]) -> tuple[list[str], float]:
    """The items whose right choice alone has the largest `key`, and how likely so many are by chance."""
    told, chances = [], []
    for item in items:
        if item.type not in ONE_RIGHT:
            continue
        right = next(key(choice) for choice in item.choices if choice.right)
        chances.append(1 / len(item.choices))
        if right > max(key(choice) for choice in item.choices if not choice.right):
            told.append(item.id)
    return told, at_least(len(told), chances)


def draw_faults(item: Item, seed: int, drawing: Callable[[random.Random], Drawn]) -> list[str]:
    """What is wrong with one posing of a drawn item."""
    drawn = drawing(random.Random(f"{seed}/{item.id}"))
    if not math.isfinite(drawn.answer):
        return [f"answer {drawn.answer}"]
    faults = []
    question = pose(item, seed)
    for text in (question.text, question.explanation):
        faults += [f"not filled in: {left}" for left in re.findall(r"\{[A-Za-z_]\w*(?::[^}]*)?\}", text)]
        faults += [f"not rounded: {number}" for number in re.findall(r"\d*\.\d{8,}", text)]
    if question.answer != drawn.answer:
        faults.append(f"posed with the answer {question.answer}, drawn {drawn.answer}")
    if drawn.answer and question.tolerance > LOOSE * abs(drawn.answer):
        faults.append(f"tolerance {question.tolerance:g} of an answer {drawn.answer:g}")
    if mark(question, right_answer(question)).score != 1:
        faults.append(f"{right_answer(question)} is not accepted")
    for value, feedback in drawn.mistakes:
        if not feedback.strip() or "{" in feedback:
            faults.append(f"feedback {feedback!r}")
        if not math.isfinite(value) or mark(question, repr(value)).score:
            faults.append(f"mistake {value} with the answer {drawn.answer}")
    return faults


def test_every_topic_has_enough_items(bank: Bank) -> None:
    counts = Counter(topic for item in bank.items for topic in item.topics)
    few = {
        topic: f"{counts[topic]} of {items_needed(topic)}"
        for topic, (_, needs) in topics().items()
        if "quiz" in needs and counts[topic] < items_needed(topic)
    }
    assert few == {}


def test_every_type_and_difficulty_is_in_use(bank: Bank) -> None:
    assert len({item.type for item in bank.items}) >= 8
    assert {item.type for item in bank.items} <= set(TYPES)
    shares = Counter(item.difficulty for item in bank.items)
    assert all(shares[difficulty] >= 0.1 * len(bank.items) for difficulty in (1, 2, 3)), shares


def test_every_drawing_is_used_and_every_one_used_is_there(bank: Bank) -> None:
    used = {item.draw for item in bank.items if item.draw}
    assert {"without a drawing": used - set(drawings()), "never used": set(drawings()) - used} == {
        "without a drawing": set(),
        "never used": set(),
    }


def test_every_picture_is_used_and_every_one_used_is_there(bank: Bank) -> None:
    used = {item.plot for item in bank.items if item.plot}
    assert {"without a picture": used - set(plottings()), "never used": set(plottings()) - used} == {
        "without a picture": set(),
        "never used": set(),
    }


def test_every_picture_is_drawn_and_its_description_keeps_the_answer(bank: Bank) -> None:
    for item in bank.items:
        if not item.plot:
            continue
        plot = plottings()[item.plot]()
        assert plot.title.strip(), item.plot
        assert len(plot.alt.split()) >= 8, item.plot
        answers = [choice.text for choice in item.choices if choice.right] + list(item.accepted)
        assert [answer for answer in answers if answer.casefold() in plot.alt.casefold()] == [], item.id
        assert all(math.isfinite(number) for line in plot.lines for number in (*line.x, *line.y)), item.plot
        assert terminal.draw(plot, colour=False)
        assert svg.draw(plot).startswith("<svg ")


def test_every_drawing_gives_a_whole_question_with_every_seed(bank: Bank) -> None:
    faults = {}
    for item in bank.items:
        if item.type == "drawn":
            drawing = drawings()[item.draw]
            found = {seed: draw_faults(item, seed, drawing) for seed in SEEDS}
            faults |= {f"{item.id}, seed {seed}": told for seed, told in found.items() if told}
            if len({pose(item, seed).text for seed in SEEDS}) < 10:
                faults[item.id] = ["fewer than ten questions that differ"]
    assert faults == {}


def test_the_form_of_an_answer_does_not_tell_it(bank: Bank) -> None:
    # without a tolerance a whole answer is asked for as "a whole number", a broken one as "within 1 %"
    for item in bank.items:
        if item.type == "drawn" and item.tolerance is None and item.relative_tolerance is None:
            assert len({float(str(pose(item, seed).answer)).is_integer() for seed in SEEDS}) == 1, item.id


def test_the_right_answer_of_every_item_earns_all(bank: Bank) -> None:
    for item in bank.items:
        for seed in range(5):
            question = pose(item, seed)
            assert mark(question, right_answer(question)).score == 1, item.id


def test_a_wrong_choice_earns_nothing_and_is_explained(bank: Bank) -> None:
    for item in bank.items:
        if item.type in ("single", "fix"):
            question = pose(item, 1)
            for letter, choice in zip(question.letters, question.choices, strict=True):
                found = mark(question, letter)
                assert (found.score == 1) == choice.right, item.id
                assert bool(found.feedback) != choice.right, item.id


def test_the_right_choice_is_not_told_by_its_length(bank: Bank) -> None:
    told, chance = betrayed(bank.items, lambda choice: len(choice.text))
    assert chance > RARE, f"the right choice is the longest in {len(told)}: {', '.join(told)}"
    told, chance = betrayed(bank.items, lambda choice: -len(choice.text))
    assert chance > RARE, f"the right choice is the shortest in {len(told)}: {', '.join(told)}"


def test_a_statement_is_as_often_true_as_false(bank: Bank) -> None:
    values = [item.answer for item in bank.items if item.type == "true-false"]
    for value in (True, False):
        assert at_least(values.count(value), [0.5] * len(values)) > RARE, f"{value}: {values.count(value)}"


def test_the_right_choice_is_at_no_favoured_place_once_posed(bank: Bank) -> None:
    for seed in range(3):
        posed = [pose(item, seed) for item in bank.items if item.type in ONE_RIGHT]
        answers = Counter(right_answer(question)[-1] for question in posed)
        for letter in "ABC":
            chances = [1 / len(question.choices) for question in posed]
            assert at_least(answers[letter], chances) > RARE / 10, answers


# The tests above see what they are for.

SINGLE = Item(
    id="an-item",
    type="single",
    group="cnn",
    topics=("padding",),
    difficulty=1,
    question="?",
    explanation="Because.",
    source="s",
    choices=(
        Choice("the longest one", right=True),
        Choice("short", feedback="No."),
        Choice("small", feedback="No."),
        Choice("tiny", feedback="No."),
    ),
)


def test_at_least_is_the_binomial_tail() -> None:
    assert at_least(2, [0.5] * 3) == pytest.approx(4 / 8)
    assert at_least(1, [0.25, 0.5]) == pytest.approx(1 - 0.75 * 0.5)
    assert at_least(0, [0.1] * 9) == pytest.approx(1)
    assert at_least(60, [0.25] * 120) < RARE < at_least(35, [0.25] * 120)


def test_a_bank_with_long_right_choices_is_told() -> None:
    told, chance = betrayed([SINGLE] * 10, lambda choice: len(choice.text))
    assert len(told) == 10
    assert chance == pytest.approx(0.25**10)
    told, chance = betrayed([SINGLE] * 10, lambda choice: -len(choice.text))
    assert (told, chance) == ([], pytest.approx(1))
    tie = dataclasses.replace(SINGLE, choices=(Choice("same", right=True), Choice("size"), Choice("a")))
    assert betrayed([tie], lambda choice: len(choice.text))[0] == []


@pytest.mark.parametrize(
    ("drawn", "question", "expected"),
    [
        (Drawn({"a": 3}, math.inf), "{a}", "answer inf"),
        (Drawn({"a": 0.1 + 0.2}, 2), "{a}", "not rounded: 0.30000000000000004"),
        (Drawn({"a": "{b}"}, 2), "{a}", "not filled in: {b}"),
        (Drawn({"a": 3}, 2, ((2, "No."),)), "{a}", "mistake 2 with the answer 2"),
        (Drawn({"a": 3}, 0.5, ((0.501, "No."),)), "{a}", "mistake 0.501 with the answer 0.5"),
        (Drawn({"a": 3}, 2, ((math.nan, "No."),)), "{a}", "mistake nan"),
        (Drawn({"a": 3}, 2, ((5, " "),)), "{a}", "feedback ' '"),
        (Drawn({"a": 3}, 2, ((5, "It is {a}."),)), "{a}", "feedback 'It is {a}.'"),
    ],
)
def test_a_faulty_drawing_is_told(
    monkeypatch: pytest.MonkeyPatch, drawn: Drawn, question: str, expected: str
) -> None:
    from dlquiz.quiz.draws.drawn import DRAWINGS

    drawings()
    monkeypatch.setitem(DRAWINGS, "faulty", lambda rng: drawn)
    item = dataclasses.replace(SINGLE, type="drawn", draw="faulty", question=question, choices=())
    assert draw_faults(item, 0, DRAWINGS["faulty"])[0].startswith(expected)
    good = dataclasses.replace(item, question="{a}")
    assert draw_faults(good, 0, lambda rng: drawn) != []


def test_a_wide_tolerance_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from dlquiz.quiz.draws.drawn import DRAWINGS

    drawings()
    monkeypatch.setitem(DRAWINGS, "faulty", lambda rng: Drawn({}, 0.5))
    item = dataclasses.replace(SINGLE, type="drawn", draw="faulty", choices=(), tolerance=0.2)
    assert draw_faults(item, 0, DRAWINGS["faulty"]) == ["tolerance 0.2 of an answer 0.5"]
    assert draw_faults(dataclasses.replace(item, tolerance=0.1), 0, DRAWINGS["faulty"]) == []
