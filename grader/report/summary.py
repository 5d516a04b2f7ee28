"""A class in figures, gathered one result at a time."""

from __future__ import annotations

import dataclasses
import statistics
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from dlquiz.testing.verdict import Verdict
from grader.report.table import JSON_SCHEMA, VERDICT_STYLES, bar, fold, percent
from grader.report.text import safe_text
from grader.result import Result

_BINS = 10
_MOST_FAILED = 10
_MOST_FAULTS = 50
_FAULT_CHARS = 500
_NOT_A_FAILURE = frozenset({Verdict.PASSED, Verdict.SKIPPED, Verdict.GRADER_ERROR})


@dataclass(frozen=True)
class TestSummary:
    """How often one test went against students; a skipped test counts for the one it waited for."""

    __test__ = False  # pytest would collect the class by its name

    name: str
    problem: str
    hint: str
    failures: int


@dataclass(frozen=True)
class ProblemSummary:
    """The mean share of a problem's points, 0 to 1, which marked students lost."""

    name: str
    title: str
    lost_share: float


@dataclass(frozen=True)
class Fault:
    """What kept a submission from being judged through no doing of the student."""

    student: str
    text: str


@dataclass(frozen=True)
class Summary:
    """A class in figures. Marks are in percent of the points to be had, of students who have a mark.

    `deviation` is the sample standard deviation (divisor n - 1), None under two marks. `quartiles` are the
    lower and the upper one, interpolated linearly (Hyndman and Fan 1996, definition 7). `histogram` counts
    marks in ten bins of ten percent; 100 belongs to the last. `faults` holds the first few of `fault_count`.
    `most_failed` names up to ten tests, the most failed first. `seconds` adds up the time of all submissions.
    """

    assignment: str
    count: int
    graded: int
    mean: float | None
    median: float | None
    deviation: float | None
    quartiles: tuple[float, float] | None
    histogram: tuple[int, ...]
    problems: tuple[ProblemSummary, ...]
    most_failed: tuple[TestSummary, ...]
    verdicts: dict[str, int]
    faults: tuple[Fault, ...]
    fault_count: int
    seconds: float
    per_second: float | None

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON types, with the version of its form under `schema`."""
        return {"schema": JSON_SCHEMA, **dataclasses.asdict(self)}


class SummaryBuilder:
    """Gathers a `Summary`; of each student it keeps one number."""

    def __init__(self) -> None:
        self._assignment = ""
        self._count = 0
        self._marks = array("d")
        self._lost: dict[str, tuple[str, float, int]] = {}
        self._hints: dict[tuple[str, str], str] = {}
        self._failures: Counter[tuple[str, str]] = Counter()
        self._verdicts: Counter[str] = Counter()
        self._faults: list[Fault] = []
        self._fault_count = 0
        self._seconds = 0.0

    def add(self, result: Result) -> None:
        """Take one more result into account.

        Raises:
            ValueError: it belongs to another assignment than the first one.
        """
        if self._count and result.assignment != self._assignment:
            raise ValueError(
                f"a summary of {self._assignment!r} cannot take a result of {result.assignment!r}"
            )
        self._assignment = result.assignment
        self._count += 1
        self._seconds += result.seconds
        self._verdicts.update(str(test.verdict) for test in result.tests)
        for text in _faults(result):
            self._fault_count += 1
            if len(self._faults) < _MOST_FAULTS:
                self._faults.append(Fault(result.student, text[:_FAULT_CHARS]))
        if result.graded:
            self._add_mark(result)

    def build(self, elapsed: float | None = None) -> Summary:
        """The figures so far.

        Args:
            elapsed: seconds the grading took by the clock, for `per_second`; without it the speed is that
                of one worker, from the sum of all submissions' seconds.
        """
        marks = sorted(self._marks)
        seconds = self._seconds if elapsed is None else elapsed
        problems = (
            ProblemSummary(name, title, lost / count) for name, (title, lost, count) in self._lost.items()
        )
        failed = sorted(self._failures.items(), key=lambda item: (-item[1], item[0]))[:_MOST_FAILED]
        return Summary(
            assignment=self._assignment,
            count=self._count,
            graded=len(marks),
            mean=statistics.fmean(marks) if marks else None,
            median=statistics.median(marks) if marks else None,
            deviation=statistics.stdev(marks) if len(marks) > 1 else None,
            quartiles=_quartiles(marks),
            histogram=_histogram(marks),
            problems=tuple(problems),
            most_failed=tuple(TestSummary(key[1], key[0], self._hints[key], times) for key, times in failed),
            verdicts={
                str(verdict): self._verdicts[verdict] for verdict in Verdict if self._verdicts[verdict]
            },
            faults=tuple(self._faults),
            fault_count=self._fault_count,
            seconds=self._seconds,
            per_second=self._count / seconds if seconds > 0 else None,
        )

    def _add_mark(self, result: Result) -> None:
        self._marks.append(percent(result))
        for problem in result.problems:
            _, lost, count = self._lost.get(problem.name, ("", 0.0, 0))
            share = 1 - problem.points / problem.max_points if problem.max_points else 0.0
            self._lost[problem.name] = (problem.title, lost + share, count + 1)
        for test in result.tests:
            if test.verdict not in _NOT_A_FAILURE:
                self._failures[test.problem, test.name] += 1
                self._hints[test.problem, test.name] = test.hint


def summary(results: Iterable[Result], elapsed: float | None = None) -> Summary:
    """The figures of a class of results, of one assignment; see `SummaryBuilder`."""
    builder = SummaryBuilder()
    for result in results:
        builder.add(result)
    return builder.build(elapsed)


def render_summary(summary: Summary) -> RenderableType:
    """The figures as text and tables."""
    parts: list[RenderableType] = [_headline(summary)]
    if summary.graded:
        parts += [Text("\nMarks in percent", "bold"), _histogram_text(summary.histogram)]
    if summary.problems:
        parts += [Text("\nShare of the points lost, by problem", "bold"), _problem_table(summary)]
    if summary.most_failed:
        parts += [Text("\nTests that went wrong most often", "bold"), _test_table(summary)]
    if summary.verdicts:
        counts = [
            Text(f"{count} {name}", VERDICT_STYLES[Verdict(name)]) for name, count in summary.verdicts.items()
        ]
        parts += [Text("\nVerdicts", "bold"), Text("  ") + Text(", ").join(counts)]
    if summary.fault_count:
        parts.append(
            Text(
                f"\nFaults of the grader or the suite (no mark was given): {summary.fault_count}",
                "bold reverse",
            )
        )
        for fault in summary.faults:
            student = safe_text(fault.student, max_line=60, one_line=True)
            parts.append(Text("  ") + student + Text(": ") + safe_text(fault.text, one_line=True))
        if summary.fault_count > len(summary.faults):
            parts.append(Text(f"  … and {summary.fault_count - len(summary.faults)} more"))
    return Group(*parts)


def _faults(result: Result) -> list[str]:
    """The faults of a result; where it names none, its tests' own."""
    if result.faults:
        return list(result.faults)
    judged = (test for test in result.tests if test.verdict is Verdict.GRADER_ERROR)
    texts = [f"{test.name}: {test.detail or test.message}" for test in judged]
    return texts or ([] if result.graded else ["not graded, for no recorded reason"])


def _quartiles(marks: list[float]) -> tuple[float, float] | None:
    if not marks:
        return None
    if len(marks) == 1:
        return marks[0], marks[0]
    lower, _, upper = statistics.quantiles(marks, n=4, method="inclusive")
    return lower, upper


def _histogram(marks: list[float]) -> tuple[int, ...]:
    bins = [0] * _BINS
    for mark in marks:
        bins[min(max(int(mark * _BINS / 100), 0), _BINS - 1)] += 1
    return tuple(bins)


def _headline(summary: Summary) -> Text:
    title = safe_text(summary.assignment, "bold", one_line=True)
    lines = [f"\n{summary.count} submissions, {summary.graded} with a mark"]
    if summary.mean is not None and summary.median is not None and summary.quartiles is not None:
        spread = "" if summary.deviation is None else f", standard deviation {summary.deviation:.1f}"
        lower, upper = summary.quartiles
        lines.append(f"mean {summary.mean:.1f} %, median {summary.median:.1f} %{spread}")
        lines.append(f"the middle half lies between {lower:.1f} % and {upper:.1f} %")
    speed = "" if summary.per_second is None else f", {summary.per_second:.2f} submissions a second"
    lines.append(f"{summary.seconds:.1f} s of grading{speed}")
    return title + Text("\n".join(lines))


def _histogram_text(histogram: tuple[int, ...]) -> Text:
    most = max(histogram)
    width = len(str(most))
    rows = []
    for index, count in enumerate(histogram):
        last = index == _BINS - 1
        end = 100 if last else (index + 1) * 100 // _BINS
        sign = "≤" if last else "<"
        # A bin with a single student must not look empty.
        cells = max(round(30 * count / most), 1) if count else 0
        rows.append(f"  {index * 100 // _BINS:3d} to {sign}{end:3d}  {count:{width}d} {'█' * cells}".rstrip())
    return Text("\n".join(rows))


def _problem_table(summary: Summary) -> Table:
    table = Table(box=SIMPLE_HEAD, show_header=False)
    for problem in summary.problems:
        table.add_row(
            safe_text(problem.title or problem.name, one_line=True),
            Text(f"{100 * problem.lost_share:.0f} %", justify="right"),
            Text(bar(problem.lost_share, 20)),
        )
    return table


def _test_table(summary: Summary) -> Table:
    table = Table(Column("times", justify="right"), "test", "hint", box=SIMPLE_HEAD)
    for test in summary.most_failed:
        table.add_row(
            Text(str(test.failures)),
            safe_text(test.name, one_line=True, max_line=80),
            safe_text(test.hint, one_line=True),
        )
    return fold(table)
