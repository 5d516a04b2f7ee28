"""Which topics of the course are assessed, and by what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from dlquiz.quiz.items import Item, items_needed
from dlquiz.topics import topics
from grader.assignment import Assignment


@dataclass(frozen=True)
class Coverage:
    """One topic: its group, how it must be assessed, and what does. `missing` is what still lacks.

    Attributes:
        assignments: the slugs of those that have the topic.
        items: how many quiz items have the topic, as their main one or another.
        items_needed: how many there should be; 0 where no quiz is asked for.
    """

    topic: str
    group: str
    needs: tuple[str, ...]
    assignments: tuple[str, ...]
    items: int
    items_needed: int

    @property
    def missing(self) -> tuple[str, ...]:
        """The needs that are not met: "code" for want of an assignment, "quiz" for want of items."""
        met = {"code": bool(self.assignments), "quiz": self.items >= self.items_needed}
        return tuple(need for need in self.needs if not met[need])


def coverage(assignments: Iterable[Assignment], items: Iterable[Item]) -> list[Coverage]:
    """Every topic in the order of the list."""
    by_topic: dict[str, list[str]] = {}
    for assignment in assignments:
        for topic in assignment.topics:
            by_topic.setdefault(topic, []).append(assignment.slug)
    counts = Counter(topic for item in items for topic in item.topics)
    return [
        Coverage(
            topic,
            group,
            needs,
            tuple(by_topic.get(topic, ())),
            counts[topic],
            items_needed(topic) if "quiz" in needs else 0,
        )
        for topic, (group, needs) in topics().items()
    ]
