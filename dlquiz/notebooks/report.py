"""How a check in a notebook is told: as a table where there is HTML, and as text elsewhere."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from rich.console import Console

from dlquiz.checking import report
from dlquiz.checking.forbidden import Scan
from dlquiz.checking.report import Part
from dlquiz.handouts import TESTS, Handout
from dlquiz.terminal import clean, points
from dlquiz.testing.verdict import Verdict

_WIDTH = 100


@dataclass(frozen=True, repr=False)
class Checked:
    """A finished check.

    Attributes:
        parts: the problems with the outcomes of their public tests.
        scans: by the words for a cell, where it uses what is forbidden.
        seconds: how long it took.
        partial: whether only some problems were asked for.
    """

    handout: Handout
    parts: tuple[Part, ...]
    scans: Mapping[str, Scan]
    seed: int
    seconds: float
    partial: bool = False

    @property
    def passed(self) -> int:
        """How many public tests passed."""
        return sum(part.passed for part in self.parts)

    @property
    def total(self) -> int:
        """How many public tests there are."""
        return sum(len(part.outcomes) for part in self.parts)

    def to_json(self) -> dict[str, Any]:
        """All of it in JSON types, as `dlquiz check --json` writes it."""
        told = report.as_json(self.handout, self.parts, self.scans, self.seed, self.seconds)
        return dict(json.loads(json.dumps(told)))

    @property
    def warnings(self) -> list[str]:
        """What is to be said of forbidden names, in words."""
        told = [
            f"{cell}, line {use.line}: {use.name} is forbidden in this assignment"
            for cell, scan in self.scans.items()
            for use in scan.uses
        ]
        unread = [
            f"{cell} could not be searched for forbidden names: {scan.problem}"
            for cell, scan in self.scans.items()
            if scan.problem
        ]
        costs = ["The grader does not let such code run: it costs what depends on it."] if told else []
        return [*unread, *told, *costs]

    def __repr__(self) -> str:
        console = Console(file=io.StringIO(), width=_WIDTH, color_system=None, force_jupyter=False)
        with console.capture() as captured:
            console.print(f"{self.handout.title}\n", highlight=False, markup=False)
            console.print(report.render(self.handout, self.parts, console))
            for warning in self.warnings:
                console.print(clean(warning), highlight=False, markup=False)
            console.print(
                report.closing(
                    self.handout, self.parts, partial=self.partial, seed=self.seed, seconds=self.seconds
                )
            )
        return captured.get().rstrip()

    def _repr_html_(self) -> str:
        return _template().render(
            checked=self,
            Verdict=Verdict,
            points=points,
            tests=TESTS,
            in_reach=sum(part.problem.points for part in self.parts if part.in_reach),
            of=sum(part.problem.points for part in self.parts),
        )


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"clean": clean, "bounded": report.bounded}
    source = Path(__file__).with_name("check.html").read_text(encoding="utf-8")
    return environment.from_string(source)
