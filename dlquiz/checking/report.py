"""How a check is told: in a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from dlquiz.checking.forbidden import Scan
from dlquiz.checking.outcome import Difference, Outcome
from dlquiz.handouts import TESTS, Handout, Problem
from dlquiz.terminal import Indented, Signs, clean, points
from dlquiz.testing.verdict import Verdict

SCHEMA = 1
_WAITING = frozenset({Verdict.NOT_ATTEMPTED, Verdict.SKIPPED})
_MAX_LINES = 24


@dataclass(frozen=True)
class Part:
    """A problem with the outcomes of its public tests."""

    problem: Problem
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> int:
        """How many of its tests passed."""
        return sum(outcome.verdict is Verdict.PASSED for outcome in self.outcomes)

    @property
    def in_reach(self) -> bool:
        """Whether all of its public tests passed, and there are some."""
        return bool(self.outcomes) and self.passed == len(self.outcomes)


def parts(handout: Handout, outcomes: Iterable[Outcome], only: Sequence[str] = ()) -> list[Part]:
    """The outcomes by problem, in the assignment's order; tests of no problem of it come last.

    Args:
        only: the names of the problems to tell of; none for all.
    """
    by_problem: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_problem.setdefault(outcome.problem, []).append(outcome)
    known = {problem.name: problem for problem in handout.problems if not only or problem.name in only}
    own = {name: Problem(name, name or "Tests of your own", 0) for name in by_problem if name not in known}
    return [Part(problem, tuple(by_problem.get(name, ()))) for name, problem in {**known, **own}.items()]


def as_json(
    handout: Handout, found: Sequence[Part], scans: Mapping[str, Scan], seed: int, seconds: float
) -> dict[str, Any]:
    """The whole check as JSON types."""
    return {
        "schema": SCHEMA,
        "assignment": handout.slug,
        "seed": seed,
        "seconds": round(seconds, 2),
        "passed": sum(part.passed for part in found),
        "total": sum(len(part.outcomes) for part in found),
        "points_in_reach": sum(part.problem.points for part in found if part.in_reach),
        "points": handout.points,
        "forbidden": [{"file": file, **asdict(use)} for file, scan in scans.items() for use in scan.uses],
        "problems": [
            {
                **asdict(part.problem),
                "tests": [
                    {name: value for name, value in asdict(outcome).items() if name != "problem"}
                    for outcome in part.outcomes
                ],
            }
            for part in found
        ],
    }


def render(handout: Handout, found: Sequence[Part], console: Console) -> RenderableType:
    """Every problem with its tests, and for each that did not pass what a student needs to go on."""
    blocks: list[RenderableType] = [line for part in found for line in _part(part, Signs(console))]
    return Group(*blocks)


def closing(handout: Handout, found: Sequence[Part], *, partial: bool, seed: int, seconds: float) -> Text:
    """The last lines: how far this is."""
    passed, total = sum(part.passed for part in found), sum(len(part.outcomes) for part in found)
    reach = sum(part.problem.points for part in found if part.in_reach)
    whole = sum(part.problem.points for part in found)
    text = Text("\n")
    if passed == total:
        what = f"All {total} public tests passed" if total > 1 else "The public test passed"
        text.append(f"{what}{' here' if partial else ''}.", "bold green")
        text.append(" Hidden tests remain: they go through the whole README with fresh numbers.")
    else:
        text.append(f"{passed} of {total} public tests passed.", "bold")
        text.append(f" In reach: {reach:g} of {points(whole)}.")
    text.append(f"\nseed {seed}, {seconds:.1f} s", "dim")
    return text


def _part(part: Part, signs: Signs) -> Iterator[RenderableType]:
    verdicts = {outcome.verdict for outcome in part.outcomes}
    sign = signs.good if part.in_reach else signs.open if verdicts <= _WAITING else signs.bad
    head = Text.assemble(sign, " ", (clean(part.problem.title), "bold"))
    if part.problem.points:
        head.append(f", {points(part.problem.points)}", "dim")
    if not verdicts:
        yield head.append(": no public tests")
    elif verdicts == {Verdict.NOT_ATTEMPTED}:
        yield head.append(": not attempted")
    else:
        yield head.append(f": {part.passed} of {len(part.outcomes)}")
        for outcome in part.outcomes:
            yield from _outcome(outcome, signs)


def _outcome(outcome: Outcome, signs: Signs) -> Iterator[RenderableType]:
    title = clean(outcome.title)
    if outcome.verdict is Verdict.PASSED:
        yield _line(signs.good, title)
        return
    if outcome.verdict in _WAITING:
        why = f" ({clean(outcome.message)})" if outcome.verdict is Verdict.SKIPPED else ""
        yield _line(signs.open, f"{outcome.verdict}: {title}{why}")
        return
    verdict = "a fault of the test itself" if outcome.verdict is Verdict.GRADER_ERROR else outcome.verdict
    yield _line(signs.bad, (f"{verdict}: ", "bold red"), title)
    details: list[RenderableType] = []
    if outcome.hint and outcome.verdict in (Verdict.FAILED, Verdict.ERROR):
        details.append(Text.assemble(("hint: ", "bold"), clean(outcome.hint)))
    if outcome.difference:
        details += _difference(outcome.difference)
    if outcome.message:
        details.append(Text(bounded(outcome.message)))
    if outcome.trace:
        details += [Text("your code:", "bold"), _indented(bounded(outcome.trace))]
    if outcome.line:
        details += [Text(f"{TESTS}, line {outcome.line}:", "bold"), _indented(bounded(outcome.source))]
    if outcome.output.strip():
        details += [Text("it printed:", "bold"), _indented(bounded(outcome.output.rstrip()))]
    yield Indented(Group(*details), 4)


def _difference(difference: Difference) -> Iterator[RenderableType]:
    for fact in difference.facts:
        yield Text(clean(fact))
    if difference.rows:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for name in ("at", "yours", "expected", "error"):
            table.add_column(name, header_style="dim", justify="left" if name == "at" else "right")
        for row in difference.rows:
            table.add_row(*(Text(clean(cell)) for cell in row))
        yield Indented(table, 2)


def _line(sign: Text, *words: str | tuple[str, str]) -> Indented:
    return Indented(Text.assemble(sign, " ", *words), 2)


def _indented(text: str) -> Indented:
    return Indented(Text(text), 2)


def bounded(text: str) -> str:
    """Text that nothing obeys, without blank lines, and without the middle of what is too long."""
    lines = [line for line in clean(text).split("\n") if line.strip()]
    if len(lines) > _MAX_LINES:
        half = _MAX_LINES // 2
        lines[half:-half] = [f"... {len(lines) - 2 * half} lines left out ..."]
    return "\n".join(line if len(line) <= 300 else f"{line[:300]} ..." for line in lines)
