"""Which topics of the course are assessed, and by what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dlquiz.topics import topics
from grader.assignment import Assignment


@dataclass(frozen=True)
class Coverage:
    """One topic: its group, how it must be assessed, and the assignments that do. `missing` is what still lacks."""

    topic: str
    group: str
    needs: tuple[str, ...]
    assignments: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The needs that nothing meets: "code" for want of an assignment, "quiz" for want of an item."""
        met = {"code"} if self.assignments else set()
        return tuple(need for need in self.needs if need not in met)


def coverage(assignments: Iterable[Assignment]) -> list[Coverage]:
    """Every topic in the order of the list."""
    by_topic: dict[str, list[str]] = {}
    for assignment in assignments:
        for topic in assignment.topics:
            by_topic.setdefault(topic, []).append(assignment.slug)
    return [
        Coverage(topic, group, needs, tuple(by_topic.get(topic, ())))
        for topic, (group, needs) in topics().items()
    ]
