"""What the answers say of the items: how hard each is, whether it tells who knows, which wrong answers are chosen."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dlquiz.quiz.items import Item
from grader.exams.exam import Exam
from grader.exams.grading import Answered, Marked, in_order, pair


@dataclass(frozen=True)
class Option:
    """Something that was answered, and how often."""

    text: str
    right: bool
    count: int


@dataclass(frozen=True)
class ItemStatistics:
    """One item of an exam.

    Attributes:
        students: how many answer sheets could be read.
        difficulty: the mean score, 0 (nobody) to 1 (everybody knew).
        discrimination: −1 to 1, see `discriminations`; None where it is undefined.
        blank, unread: how many gave no answer, and one that could not be read.
        options: what was answered (`Answered.parts`): truth values, choices, right pairs, the right order and the word,
            all in the order of the bank, then what else there was, the most frequent first.
    """

    item: str
    type: str
    topic: str
    students: int
    difficulty: float
    discrimination: float | None
    blank: int
    unread: int
    options: tuple[Option, ...]


def analyse(exam: Exam, items: Sequence[Item], papers: Sequence[Marked]) -> list[ItemStatistics]:
    """Statistics of every item, in the order of the exam, over the answer sheets that could be read; none without."""
    of = [
        {one.question.item.id: one for one in paper.answered} for paper in papers if not paper.sheet.problem
    ]
    if not of:
        return []
    points = [[entry.points * row[entry.id].score for entry in exam.entries] for row in of]
    told = discriminations(points)
    return [_statistics(item, [row[item.id] for row in of], told[place]) for place, item in enumerate(items)]


def discriminations(points: Sequence[Sequence[float]]) -> list[float | None]:
    """The correlation of each item with the rest of the test.

    Pearson's r between the points of the item and the sum of the points of all other items: the item-total
    correlation, corrected for the item's part in the total. Of an item scored 0 or 1 it is a point-biserial
    correlation. Guilford (1953), "The correlation of an item with a composite of the remaining items in a test",
    Educational and Psychological Measurement 13, 87-93. It is not corrected for the rest being shorter than the test
    (Henrysson 1963, Psychometrika 28, 211-218).

    Args:
        points: a row for each student, shape (students, items).

    Returns:
        One number an item, −1 to 1; None where the item or the rest is the same for all, or there are fewer than
        three students.
    """
    if len(points) < 3:
        return [None] * (len(points[0]) if points else 0)
    totals = [math.fsum(row) for row in points]
    found: list[float | None] = []
    for place in range(len(points[0])):
        item = [row[place] for row in points]
        # thirds do not add up exactly, and what only rounding tells apart is the same
        rest = [round(total - row[place], 9) for total, row in zip(totals, points, strict=True)]
        constant = len(set(item)) == 1 or len(set(rest)) == 1
        found.append(None if constant else statistics.correlation(item, rest))
    return found


def _statistics(item: Item, given: Sequence[Answered], discrimination: float | None) -> ItemStatistics:
    return ItemStatistics(
        item=item.id,
        type=item.type,
        topic=item.topics[0],
        students=len(given),
        difficulty=statistics.fmean(one.score for one in given),
        discrimination=discrimination,
        blank=sum(one.mark is None and not one.reason for one in given),
        unread=sum(one.mark is None and bool(one.reason) for one in given),
        options=tuple(_options(item, given)),
    )


def _options(item: Item, given: Sequence[Answered]) -> list[Option]:
    counts = Counter(text for one in given for text in one.parts)
    truths = {"true": item.answer is True, "false": item.answer is False} if item.type == "true-false" else {}
    foreseen = truths | {choice.text: choice.right for choice in item.choices}
    foreseen |= {pair(left, right): True for left, right in item.pairs}
    if item.steps or item.accepted:
        foreseen[in_order(item.steps) if item.steps else item.accepted[0]] = True
    others = [(text, count) for text, count in counts.most_common() if text not in foreseen]
    return [
        *(Option(text, right, counts[text]) for text, right in foreseen.items()),
        *(Option(text, False, count) for text, count in others),
    ]
