"""The verdict of one test."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """What became of one test.

    Only `PASSED` earns points. `GRADER_ERROR` is a fault of the grader or the suite: it never costs a mark,
    because a result that holds one is not a mark at all.
    """

    PASSED = "passed"
    FAILED = "failed"
    NOT_ATTEMPTED = "not attempted"
    ERROR = "error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASHED = "crashed"
    FORBIDDEN = "forbidden"
    SKIPPED = "skipped"
    GRADER_ERROR = "grader error"
