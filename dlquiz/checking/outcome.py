"""What is known of a public test that was run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dlquiz.testing.verdict import Verdict


@dataclass(frozen=True)
class Difference:
    """What to say of a failed comparison.

    Attributes:
        facts: sentences; differences of shape and dtype come first.
        rows: the entries that are furthest off, as texts: index, the student's value, the expected one, the error.
    """

    facts: tuple[str, ...]
    rows: tuple[tuple[str, str, str, str], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of one public test.

    Attributes:
        problem: the name of its problem, or "" for a test that names none.
        trace: the student's own lines, innermost last.
        line, source: the statement of the test that failed; line 0 when it is not known.
        output: what the code printed.
    """

    name: str
    problem: str
    title: str
    hint: str
    verdict: Verdict
    message: str = ""
    trace: str = ""
    line: int = 0
    source: str = ""
    difference: Difference | None = None
    output: str = ""
    seconds: float = 0.0

    @classmethod
    def told(cls, test: Mapping[str, str], end: Mapping[str, Any], output: str) -> Outcome:
        """What an examination's events `collected` and `end` tell of a test."""
        found = end.get("difference")
        return cls(
            **{name: test[name] for name in ("name", "problem", "title", "hint")},
            verdict=Verdict(end["verdict"]),
            message=end.get("message", ""),
            trace=end.get("trace", ""),
            line=end.get("line", 0),
            source=end.get("source", ""),
            difference=Difference(tuple(found["facts"]), tuple(map(tuple, found["rows"]))) if found else None,
            output=output,
            seconds=end.get("seconds", 0.0),
        )
