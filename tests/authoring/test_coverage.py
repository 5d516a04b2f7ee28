"""Which topics are assessed: by assignments, and by as many quiz items as they need."""

from __future__ import annotations

import dataclasses

from dlquiz.quiz.items import Item, items_needed
from dlquiz.topics import topics
from grader.assignment import Assignment
from grader.authoring.coverage import Coverage, coverage

ITEM = Item("an-item", "card", "activations", ("softmax",), 1, "?", "e", "s", answer="a")


def items(count: int, *of: str) -> list[Item]:
    return [dataclasses.replace(ITEM, id=f"{of[0]}-{number}", topics=of) for number in range(count)]


def by_topic(assignments: list[Assignment], quiz: list[Item]) -> dict[str, Coverage]:
    return {one.topic: one for one in coverage(assignments, quiz)}


def test_every_topic_is_told_in_the_order_of_the_list() -> None:
    found = coverage([], [])
    assert [(one.topic, (one.group, one.needs)) for one in found] == list(topics().items())
    assert all(one.missing == one.needs for one in found)


def test_a_topic_needs_two_items_and_a_core_topic_five() -> None:
    for topic, needed in (("hyperparameters", 2), ("overfitting", 5)):
        few, enough = (by_topic([], items(count, topic))[topic] for count in (needed - 1, needed))
        assert (few.items, few.items_needed) == (needed - 1, needed)
        assert "quiz" in few.missing
        assert "quiz" not in enough.missing


def test_an_item_counts_for_each_of_its_topics() -> None:
    found = by_topic([], items(2, "mish", "swish"))
    assert (found["mish"].items, found["swish"].items) == (2, 2)
    assert found["elu"].items == 0


def test_a_topic_without_a_quiz_needs_no_items() -> None:
    topic = next(topic for topic, (_, needs) in topics().items() if needs == ("code",))
    found = by_topic([], [])[topic]
    assert found.items_needed == 0
    assert found.missing == ("code",)
    assert items_needed(topic) == 2


def test_items_are_no_assignment_and_an_assignment_no_item(assignment: Assignment) -> None:
    both = next(topic for topic in assignment.topics if topics()[topic][1] == ("code", "quiz"))
    found = by_topic([assignment], [])[both]
    assert found.assignments == (assignment.slug,)
    assert found.missing == ("quiz",)
    assert by_topic([], items(9, both))[both].missing == ("code",)
    assert by_topic([assignment], items(9, both))[both].missing == ()
