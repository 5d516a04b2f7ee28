"""Marking: what each form of answer earns, and that no text whatever does anything but earn or be refused."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlquiz.quiz.items import Bank, Choice, Item
from dlquiz.quiz.marking import AnswerError, describe, mark, right_answer
from dlquiz.quiz.posing import Question, pose

SEED = 4
# The small bank does not change from one example to the next.
on_the_small_bank = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
# Letters, digits and signs that answers are made of, so that many of them can be read.
near_answers = st.text(alphabet="ABCDGabcd ,;true fls0123456789.+-−/eE%xunitkygohdard", max_size=24)


def number(answer: float, tolerance: float | None = None, **more: object) -> Question:
    """A numeric question."""
    fields = {"type": "numeric", "group": "cnn", "topics": ("padding",), "difficulty": 1, "question": "?"}
    return pose(
        Item(id="n", explanation="e", source="s", answer=answer, tolerance=tolerance, **{**fields, **more}),
        SEED,
    )


def letters(question: Question, *texts: str) -> str:
    """The letters of these choices, rights or steps."""
    shown = [choice.text for choice in question.choices] or question.rights or question.steps
    return " ".join(question.letters[shown.index(text)] for text in texts)


def score(question: Question, answer: str) -> float:
    return mark(question, answer).score


@on_the_small_bank
@given(answer=st.text() | near_answers, seed=st.integers())
def test_any_text_earns_a_score_or_is_refused_in_one_line(small: Bank, answer: str, seed: int) -> None:
    for item in small.items:
        question = pose(item, seed)
        refused = ""
        try:
            assert 0 <= mark(question, answer).score <= 1
        except AnswerError as error:
            refused = str(error)
        if refused:
            assert describe(question) in refused
            assert len(refused.splitlines()) == 1


@on_the_small_bank
@given(seed=st.integers())
def test_the_right_answer_always_earns_all(small: Bank, seed: int) -> None:
    for item in small.items:
        question = pose(item, seed)
        found = mark(question, right_answer(question))
        assert (found.score, found.feedback) == (1, "")
        assert found.right


@given(
    answer=st.floats(-1e12, 1e12) | st.integers(-(10**12), 10**12),
    tolerance=st.none() | st.floats(1e-9, 1e3),
    share=st.none() | st.floats(1e-9, 0.5),
)
def test_a_right_number_earns_all_in_every_way_of_writing_it(
    answer: float, tolerance: float | None, share: float | None
) -> None:
    share = None if tolerance is not None or answer == 0 else share
    question = number(answer, tolerance, relative_tolerance=share, unit="m")
    for text in (right_answer(question), repr(answer), f"{answer:.17g}", f" {answer!r} m", f"{answer!r}/1"):
        assert score(question, text) == 1
    assert score(question, repr(float(answer) + 3 * question.tolerance + max(1, abs(answer)) * 1e-6)) == 0


def test_one_letter_of_either_case_for_a_single_choice(small: Bank) -> None:
    question = pose(small.by_id["relu-slope"], SEED)
    assert score(question, letters(question, "0")) == 1
    assert score(question, f" {letters(question, '0').lower()} ") == 1
    wrong = mark(question, letters(question, "1"))
    assert (wrong.score, wrong.feedback) == (0, "That is the slope right of 0.")
    assert wrong.right == f"{letters(question, '0')}. 0"
    for answer in ("", "D", "A B", "AA", "1", "ß"):
        with pytest.raises(AnswerError, match="expected one letter, A to C; received"):
            mark(question, answer)


def test_wrong_choices_take_from_the_right_ones_of_several(small: Bank) -> None:
    question = pose(small.by_id["bounded-activations"], SEED)
    for texts, earned in (
        (("sigmoid", "tanh"), 1),
        (("sigmoid",), 0.5),
        (("sigmoid", "tanh", "ReLU"), 0.5),
        (("sigmoid", "ReLU"), 0),
        (("ReLU", "identity"), 0),
        (("sigmoid", "tanh", "ReLU", "identity"), 0),
    ):
        for order in permutations(texts):
            assert score(question, letters(question, *order)) == earned
            assert score(question, letters(question, *order).replace(" ", ", ")) == earned
    told = mark(question, letters(question, "sigmoid", "ReLU")).feedback
    assert told == f"ReLU grows without bound. Left out: {letters(question, 'tanh')}."
    with pytest.raises(AnswerError, match="one or more letters, A to D"):
        mark(question, "A A")


def test_a_reason_counts_only_beside_the_right_truth_value(small: Bank) -> None:
    question = pose(small.by_id["sigmoid-centred"], SEED)
    right, wrong = (
        letters(question, "They lie between 0 and 1"),
        letters(question, "They lie between −1 and 1"),
    )
    assert score(question, f"false {right}") == 1
    assert score(question, f"F, {right.lower()}") == 1
    assert mark(question, f"false {wrong}").score == 0.5
    assert mark(question, f"false {wrong}").feedback == "That is tanh."
    assert score(question, f"true {right}") == 0
    for answer in ("false", right, f"{right} false", "maybe A", "false D", "false A B", ""):
        with pytest.raises(AnswerError, match="true or false and the letter of the reason, A to C"):
            mark(question, answer)


@pytest.mark.parametrize(
    ("text", "earned"),
    [
        ("0.73", 1),
        (".7310586", 1),
        ("+7.3e-1", 1),
        ("73/100", 1),
        ("0.73 units", 1),
        ("0.73unit", 1),
        ("0.736", 1),
        ("0.737", 0),
        ("0.726", 0),
        ("0.27", 0),
        ("−0.73", 0),
    ],
)
def test_a_number_may_be_written_in_many_ways(small: Bank, text: str, earned: float) -> None:
    assert score(pose(small.by_id["sigmoid-of-one"], SEED), text) == earned


@pytest.mark.parametrize(
    "text",
    ["", "0.73 pixels", "1/0", "nan", "inf", "1e999", "0.7 3", "two", "0x1", "1_0", "73 %", "1/", "½", "٣"],
)
def test_what_is_no_number_of_the_unit_is_refused(small: Bank, text: str) -> None:
    with pytest.raises(AnswerError, match=r"a number in units, right to within 0\.005; received"):
        mark(pose(small.by_id["sigmoid-of-one"], SEED), text)


def test_a_comma_is_refused_with_both_things_it_may_mean() -> None:
    for text in ("3,136", "0,5", "1,000,000"):
        with pytest.raises(AnswerError, match=r"3136 for thousands, 3\.136 for a decimal point"):
            mark(number(3136), text)


def test_a_known_mistake_is_explained(small: Bank) -> None:
    question = pose(small.by_id["sigmoid-of-one"], SEED)
    assert mark(question, "0.27").feedback == "That is σ(−1): the sign was lost."
    assert mark(question, "0.5").feedback == ""
    assert mark(question, "0.73").right == "0.731 units"


def test_a_whole_number_without_tolerance_is_exact_and_any_other_within_a_hundredth() -> None:
    assert score(number(138_357_544), "138357544") == 1
    assert score(number(138_357_544), "138357545") == 0
    assert score(number(0.5), "0.5049") == 1
    assert score(number(0.5), "0.5051") == 0
    assert score(number(-0.5, relative_tolerance=0.1), "-0.54") == 1
    assert score(number(-0.5, relative_tolerance=0.1), "-0.56") == 0


def test_the_edge_of_a_tolerance_is_within_it() -> None:
    assert score(number(0.3, 0.1), "0.4") == 1
    assert score(number(0.69, 0.005), "0.695") == 1
    assert score(number(0.69, 0.005), "0.685") == 1


def test_matching_earns_its_share_of_right_pairs(small: Bank) -> None:
    question = pose(small.by_id["activation-ranges"], SEED)
    of = dict(question.item.pairs)
    right = [of[left] for left in question.lefts]
    assert score(question, letters(question, *right)) == 1
    assert score(question, letters(question, *right).replace(" ", "").lower()) == 1
    swapped = [right[1], right[0], *right[2:]]
    assert score(question, letters(question, *swapped)) == 0.5
    assert question.lefts[0] in mark(question, letters(question, *swapped)).feedback
    assert score(question, letters(question, *right[1:], right[0])) == 0
    for answer in ("A B C", "A B C D E", "A A B C", ""):
        with pytest.raises(AnswerError, match="4 letters, one for each line in order"):
            mark(question, answer)


def test_ordering_earns_by_pairs_in_the_right_order(small: Bank) -> None:
    question = pose(small.by_id["softmax-steps"], SEED)
    first, second, third, fourth = question.item.steps
    for steps, earned in (
        ((first, second, third, fourth), 1),
        ((second, first, third, fourth), 2 / 3),
        ((second, first, fourth, third), 1 / 3),
        ((fourth, first, second, third), 0),
        ((fourth, third, second, first), 0),
    ):
        assert score(question, letters(question, *steps)) == pytest.approx(earned)
    told = mark(question, letters(question, second, first, third, fourth))
    assert told.feedback == "5 of 6 pairs of steps are in the right order."
    assert told.right.splitlines()[0] == f"1. {first}"
    with pytest.raises(AnswerError, match="all 4 letters in order"):
        mark(question, "A B C")


def test_a_word_is_compared_without_case_accents_hyphens_and_spaces(small: Bank) -> None:
    question = pose(small.by_id["negative-slope"], SEED)
    for answer in ("leaky", " LEAKY ", "“leaky”", "lea-ky", "leàky", "prelu like", "PReLU‑Like"):
        assert score(question, answer) == 1
    assert score(question, "leakys") == 0
    assert mark(question, "Dying").feedback == "That is the fault which it avoids."
    for answer in ("", "  ", "-", "“”"):
        with pytest.raises(AnswerError, match="the missing word or words; received"):
            mark(question, answer)


def test_a_card_is_rated_by_who_answers(small: Bank) -> None:
    question = pose(small.by_id["relu-of-a-negative"], SEED)
    assert [score(question, word) for word in ("again", "hard", "Good", " easy ")] == [0, 0.5, 1, 1]
    assert mark(question, "again").right == "0"
    with pytest.raises(AnswerError, match="again, hard, good or easy"):
        mark(question, "3")


def test_what_is_expected_never_tells_the_answer() -> None:
    shares = {describe(number(answer, relative_tolerance=0.02)) for answer in (0.5, 12.0, 7)}
    assert shares == {"a number, right to within 2 %"}
    assert {describe(number(answer)) for answer in (0.5, 0.75)} == {"a number, right to within 1 %"}
    assert {describe(number(answer)) for answer in (5, 75)} == {"a whole number"}


def test_what_is_expected_is_an_answer_of_that_form(small: Bank) -> None:
    for item in small.items:
        question = pose(item, SEED)
        _, found, example = describe(question).partition("such as ")
        if found:
            assert 0 <= score(question, example) <= 1


def test_the_letters_are_those_of_the_question() -> None:
    choices = tuple(Choice(text, text == "r", "" if text == "r" else "No.") for text in "rabcd")
    item = Item("i", "single", "cnn", ("padding",), 1, "?", "e", "s", choices=choices)
    places = {right_answer(pose(item, seed)) for seed in range(200)}
    assert places == set("ABCDE")
