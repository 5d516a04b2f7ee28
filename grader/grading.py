"""Grade a class: what is new goes through the engine, and every result into the gradebook as it comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import grader
from grader.assignment import Assignment
from grader.engine.local import Isolation, LocalEngine
from grader.gradebook import Gradebook
from grader.result import Result
from grader.submission import Submission, read_class


@dataclass(frozen=True)
class Graded:
    """One student's result in this run; `fresh` is False when it was in the gradebook already and still holds."""

    result: Result
    fresh: bool


def grade_class(
    folder: Path,
    assignment: Assignment,
    book: Gradebook,
    *,
    seed: int,
    seed_given: bool = False,
    jobs: int = 1,
    regrade: bool = False,
    isolation: Isolation = "strict",
    gpu_slots: int = 0,
    notify: Callable[[str, int, int], None] = lambda *_: None,
    secrets: tuple[Path, ...] = (),
) -> Iterator[Graded]:
    """Grade every entry of a class that changed since its mark, and record each result before it is yielded.

    Args:
        seed: of every submission in this run.
        seed_given: a mark by another seed does not hold.
        regrade: no mark holds.
        gpu_slots, notify: as in `LocalEngine`.
        secrets: files that no worker may be able to read, besides the class and the assignment.

    Raises:
        ClassError, EngineError, GradebookError.
    """
    kept: deque[Result] = deque()

    def changed() -> Iterator[tuple[Submission, int]]:
        for submission in read_class(folder, assignment.submit):
            mark = None if regrade else _mark(submission)
            if mark is None:
                yield submission, seed
            else:
                kept.append(mark)

    digest = assignment.digest()

    def _mark(submission: Submission) -> Result | None:
        return book.current(
            submission.student,
            assignment.slug,
            submission.digest(),
            digest,
            grader.__version__,
            seed if seed_given else None,
        )

    def standing() -> Iterator[Graded]:
        while kept:
            yield Graded(kept.popleft(), fresh=False)

    jobs_to_do = changed()
    first = next(jobs_to_do, None)
    yield from standing()
    if first is None:
        return
    with (
        LocalEngine(
            assignment,
            jobs=jobs,
            isolation=isolation,
            secrets=(folder, *secrets),
            gpu_slots=gpu_slots,
            notify=notify,
        ) as engine,
        closing(engine.grade(chain([first], jobs_to_do))) as results,
    ):
        for result in results:
            book.record(result)
            yield Graded(result, fresh=True)
            yield from standing()
    yield from standing()
