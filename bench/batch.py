"""One contender's run over one class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ContenderFailed(RuntimeError):
    """A contender did not give right answers full marks, or ended: its times mean nothing."""


@dataclass(frozen=True)
class Batch:
    """What one contender took for each of equal submissions.

    Attributes:
        seconds: wall time of one submission.
        cpu: processor time of one submission, all processes together.
        busy: processors in use while submissions were graded, where that was measured.
    """

    seconds: float
    cpu: float
    busy: float | None = None


def steady_seconds(finished: Sequence[float], jobs: int) -> float:
    """Wall time of one submission in the middle of a run.

    The first `jobs` results are left out, since their processes were made ready before the run; so is the time after
    the slots began to run out of submissions.

    Args:
        finished: when each result was there, in seconds.
    """
    first, last = window(len(finished), jobs)
    return (finished[last] - finished[first]) / (last - first)


def window(count: int, jobs: int) -> tuple[int, int]:
    """The first and the last of `count` results between which all `jobs` slots are at work.

    Raises:
        ValueError: there are too few.
    """
    first, last = jobs - 1, count - jobs
    if last <= first:
        raise ValueError(f"{count} submissions are too few to measure {jobs} jobs: at least {2 * jobs}")
    return first, last
