"""Rounds: every contender grades copies of the same right answer, one after the other, again and again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.batch import Batch
from bench.contenders import Contender, Floor, FreshPytest, Grader
from bench.workloads import Workload, write_class

FRESH = FreshPytest.name
FLOOR = Floor.name
ONE_JOB = "this grader -j 1"
TWO_JOBS = "this grader -j 2"


@dataclass(frozen=True)
class Spread:
    """A median with the lowest and the highest value."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """That of `values`, of which there must be some."""
        return cls(median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.low:.2f}–{self.high:.2f})"


@dataclass
class Measured:
    """The rounds of one workload: a batch of each contender's in each.

    Attributes:
        start_seconds: what the grader takes, once a class, until it is warm.
    """

    workload: Workload
    batches: dict[str, list[Batch]] = field(default_factory=dict)
    start_seconds: float = 0.0

    def seconds(self, name: str) -> Spread:
        """A contender's wall time of one submission."""
        return Spread.of([batch.seconds for batch in self.batches[name]])

    def cpu(self, name: str) -> Spread:
        """A contender's processor time of one submission."""
        return Spread.of([batch.cpu for batch in self.batches[name]])

    def busy(self, name: str) -> Spread:
        """Processors that a contender kept busy. It must be one that measures this."""
        return Spread.of([batch.busy for batch in self.batches[name] if batch.busy is not None])

    def ratio(self, slow: str, fast: str) -> Spread:
        """How often one contender's time goes into another's, round by round."""
        pairs = zip(self.batches[slow], self.batches[fast], strict=True)
        return Spread.of([one.seconds / other.seconds for one, other in pairs])

    def cpu_ratio(self, slow: str, fast: str) -> Spread:
        """The same of processor time."""
        pairs = zip(self.batches[slow], self.batches[fast], strict=True)
        return Spread.of([one.cpu / other.cpu for one, other in pairs])


def measure(
    workload: Workload,
    folder: Path,
    *,
    rounds: int,
    submissions: int,
    seed: int,
    say: Callable[[str], None],
    jobs: Sequence[int] = (1, 2),
    cpus: frozenset[int] | None = None,
) -> Measured:
    """Run the rounds of one workload.

    Args:
        folder: an empty or missing one for all files.
        rounds: each has one right answer for everybody.
        submissions: those that are timed in a round, of all contenders but the fresh process, which gets one.
        seed: of every submission.
        say: is told what happens.
        jobs: one grader each.
        cpus: the processors that everybody may use; None for all.

    Raises:
        ContenderFailed: a right answer did not get full marks.
    """
    measured = Measured(workload)
    fresh = FreshPytest(workload, folder / "fresh", cpus)
    floor = Floor(workload, folder / "floor", cpus)
    graders = [Grader(workload, folder / f"grader{count}", count, cpus) for count in jobs]
    module = workload.assignment.module
    with ExitStack() as stack:
        for warm in (floor, *graders):
            say(f"{workload.key}: starting {warm.name}")
            stack.enter_context(warm)
        measured.start_seconds = graders[0].start_seconds
        say(f"{workload.key}: compiling for {fresh.name}")
        (first,) = write_class(folder / "compile", module, workload.answer(0)[1], 1)
        fresh.prepare(first, seed)
        contenders: list[Contender] = [*graders, floor, fresh]
        for number in range(rounds):
            name, answer = workload.answer(number)
            turn = number % len(contenders)
            for contender in (*contenders[turn:], *contenders[:turn]):
                files = write_class(folder / "class", module, answer, contender.students(submissions))
                batch = contender.grade(files, seed)
                measured.batches.setdefault(contender.name, []).append(batch)
                shutil.rmtree(folder / "class")
                told = f"{batch.seconds:.3f} s, {batch.cpu:.3f} CPU s"
                say(f"{workload.key}: round {number + 1}/{rounds} ({name}), {contender.name}: {told}")
    return measured
