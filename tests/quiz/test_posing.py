"""Posing: the same seed the same question, every order as likely, and nothing of the item lost."""

from __future__ import annotations

from collections import Counter

import pytest

from dlquiz.quiz.draws import drawn
from dlquiz.quiz.items import Bank, BankError
from dlquiz.quiz.marking import right_answer
from dlquiz.quiz.posing import pose


def test_a_seed_gives_one_question(small: Bank) -> None:
    for item in small.items:
        assert pose(item, 7) == pose(item, 7)
    for id, sides in (("softmax-steps", ["steps"]), ("activation-ranges", ["lefts", "rights"])):
        for side in sides:
            assert len({getattr(pose(small.by_id[id], seed), side) for seed in range(200)}) == 24


def test_nothing_is_lost_or_added_by_shuffling(small: Bank) -> None:
    for seed in range(20):
        for item in small.items:
            question = pose(item, seed)
            assert sorted(question.choices, key=str) == sorted(item.choices, key=str)
            assert sorted(question.lefts) == sorted(left for left, _ in item.pairs)
            assert sorted(question.rights) == sorted(right for _, right in item.pairs)
            assert sorted(question.steps) == sorted(item.steps)
            assert question.formula == item.formula
            assert len(question.letters) == len(item.choices or item.pairs or item.steps)


@pytest.mark.parametrize("id", ["relu-slope", "sigmoid-centred", "wrong-derivative"])
def test_the_right_choice_is_equally_often_at_every_letter(small: Bank, id: str) -> None:
    counts = Counter(right_answer(pose(small.by_id[id], seed))[-1] for seed in range(3000))
    assert set(counts) == set("ABC")
    # five standard deviations of a binomial count
    assert all(abs(count - 1000) < 5 * (3000 * 1 / 3 * 2 / 3) ** 0.5 for count in counts.values())


def test_matching_and_ordering_are_right_as_shown_no_more_often_than_chance(small: Bank) -> None:
    shown = {"activation-ranges": "A B C D", "softmax-steps": "A B C D"}
    for id, answer in shown.items():
        hits = sum(right_answer(pose(small.by_id[id], seed)) == answer for seed in range(2400))
        assert abs(hits - 100) < 5 * 10


def test_two_items_are_not_shuffled_alike(small: Bank) -> None:
    one, other = small.by_id["relu-slope"], small.by_id["wrong-derivative"]
    answers = [(right_answer(pose(one, seed)), right_answer(pose(other, seed))) for seed in range(50)]
    assert any(first != second for first, second in answers)


def test_a_drawn_item_is_filled_in(small: Bank) -> None:
    item = small.by_id["size-after-convolution"]
    question = pose(item, 3)
    size, cut = (int(word) for word in question.explanation.partition(" =")[0].split(" − "))
    assert question.text == f"A line of {size} pixels is cut by {cut}. What is left?"
    assert question.answer == size - cut
    assert question.explanation == f"{size} − {cut} = {size - cut}."
    assert question.tolerance == 0
    assert [(mistake.value, mistake.feedback) for mistake in question.mistakes] == [
        (size + cut, "Cutting does not add.")
    ]
    assert len({pose(item, seed).text for seed in range(50)}) > 20


def test_a_number_is_right_within_its_tolerance(small: Bank) -> None:
    assert pose(small.by_id["sigmoid-of-one"], 0).tolerance == 0.005


def test_a_drawing_that_is_not_there_is_named(small: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(drawn.DRAWINGS, "cut-line")
    with pytest.raises(
        BankError, match=r"activations.toml: size-after-convolution: no drawing named 'cut-line'"
    ):
        pose(small.by_id["size-after-convolution"], 0)


def test_a_value_that_is_not_drawn_is_named(small: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(drawn.DRAWINGS, "cut-line", lambda rng: drawn.Drawn({"size": 3}, 2))
    with pytest.raises(BankError, match=r"size-after-convolution.*'cut-line'.*KeyError\('cut'\)"):
        pose(small.by_id["size-after-convolution"], 0)


def test_a_drawing_has_its_name_alone() -> None:
    register = drawn.drawing("only-in-this-test")
    try:
        register(lambda rng: drawn.Drawn({}, 1))
        with pytest.raises(ValueError, match="only-in-this-test"):
            register(lambda rng: drawn.Drawn({}, 2))
    finally:
        del drawn.DRAWINGS["only-in-this-test"]
