"""Searching the bank by words."""

from __future__ import annotations

from typing import Any

from dlquiz.quiz.items import Bank, Item
from dlquiz.quiz.search import search


def found(bank: Bank, words: str, limit: int | None = None) -> list[str]:
    return [item.id for item in search(bank, words, limit)]


def test_words_are_found_wherever_they_stand(small: Bank) -> None:
    for words, id in (
        ("centred", "sigmoid-centred"),  # id
        ("dying-relu", "relu-slope"),  # topic
        ("range", "activation-ranges"),  # question
        ("identity", "bounded-activations"),  # choice
        ("overflows", "softmax-steps"),  # explanation
        ("subtract", "softmax-steps"),  # step
        ("PReLU", "negative-slope"),  # accepted
    ):
        assert id in found(small, words)


def test_every_word_must_be_there(small: Bank) -> None:
    assert found(small, "sigmoid quotient") == ["wrong-derivative"]
    assert found(small, "sigmoid photosynthesis") == []


def card(id: str, **texts: Any) -> Item:
    said = {"question": "?", "explanation": "e", "answer": "a", "topics": ("padding",)}
    return Item(id=id, type="card", group="cnn", difficulty=1, source="s", **{**said, **texts})


def test_where_a_word_stands_decides_the_order() -> None:
    items = [
        card("told", explanation="zeta"),
        card("answered", answer="zeta"),
        card("asked", question="zeta"),
        card("zeta"),
    ]
    assert found(Bank(tuple(items)), "zeta") == ["zeta", "asked", "answered", "told"]


def test_a_rare_word_outweighs_a_common_one() -> None:
    items = [
        card("common-first", question="common", explanation="rare"),
        card("rare-first", question="rare", explanation="common"),
        *(card(f"other-{number}", explanation="common") for number in range(9)),
    ]
    assert found(Bank(tuple(items)), "common rare") == ["rare-first", "common-first"]


def test_a_beginning_is_found_after_the_whole_word(small: Bank) -> None:
    assert "bounded-activations" in found(small, "activ")
    assert found(small, "expo") == ["softmax-steps"]


def test_case_accents_and_signs_do_not_count(small: Bank) -> None:
    assert found(small, "SÖFTMAX, steps!") == found(small, "softmax steps") == ["softmax-steps"]


def test_nothing_is_found_without_words(small: Bank) -> None:
    assert found(small, "") == found(small, " ?! ") == []


def test_a_limit_keeps_the_best(small: Bank) -> None:
    assert found(small, "sigmoid", 2) == found(small, "sigmoid")[:2]
    assert len(found(small, "sigmoid")) > 2
