"""Test the tests: what an assignment's suite makes of right, wrong and empty answers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from dlquiz.testing.verdict import Verdict
from grader.assignment import Assignment
from grader.authoring.hollow import hollow_modules
from grader.authoring.release import check as stale_handouts
from grader.authoring.release import stub_files
from grader.engine.local import Isolation, LocalEngine
from grader.engine.processes import Server
from grader.result import Result
from grader.submission import Submission

# A test that did not judge an answer has not caught it.
_NOT_CAUGHT = (Verdict.PASSED, Verdict.SKIPPED, Verdict.NOT_ATTEMPTED, Verdict.GRADER_ERROR)
_MAX_REASONS = 6
KINDS = ("handout", "solution", "stub", "variant", "mutant", "hollow")


@dataclass(frozen=True)
class Candidate:
    """One answer of known worth: `points` is what it must earn, None where only `caught_by` counts."""

    kind: str
    name: str
    files: dict[str, bytes]
    points: float | None
    caught_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What the suite made of one candidate. `reasons` is empty when that is right.

    A mutant is tried on the tests that must catch it and on what they need: `points` are those that it gets there.
    """

    assignment: str
    kind: str
    name: str
    points: float
    max_points: float
    seconds: float
    seed: int
    reasons: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the suite judged it as it should."""
        return not self.reasons


def candidates(assignment: Assignment, only: Collection[str] = KINDS) -> list[Candidate]:
    """What a suite is tried on, by default everything: solution, stub, variants, mutants, hollow modules."""
    source = f"{assignment.module}.py"
    solution = {name: (assignment.solution / name).read_bytes() for name in assignment.submit}
    stubs = stub_files(assignment)
    found = [
        Candidate("solution", "solution", solution, assignment.points),
        Candidate("stub", "stub", stubs, 0.0),
    ]
    for name, path in assignment.variants.items():
        found.append(Candidate("variant", name, {**solution, source: path.read_bytes()}, assignment.points))
    for mutant in assignment.mutants:
        found.append(Candidate("mutant", mutant.name, assignment.mutate(mutant), None, mutant.caught_by))
    for label, content in hollow_modules(solution[source].decode()):
        found.append(Candidate("hollow", label, {**solution, source: content}, 0.0))
    return [candidate for candidate in found if candidate.kind in only]


def validate(
    assignments: Sequence[Assignment],
    *,
    jobs: int,
    seeds: Sequence[int],
    only: Collection[str] = KINDS,
    isolation: Isolation = "strict",
) -> Iterator[Finding]:
    """Grade every candidate of every assignment through the engine with every seed, and judge what came out.

    Args:
        only: the kinds of candidates to try.

    Raises:
        EngineError: the engine or a suite does not start. AssignmentError: a stub cannot be made.
    """
    preload = dict.fromkeys(name for assignment in assignments for name in ("numpy", *assignment.preload))
    with TemporaryDirectory(prefix="dlquiz-") as folder:
        server = Server([*preload], Path(folder))
        try:
            for assignment in assignments:
                if "handout" in only:
                    stale = tuple(stale_handouts([assignment]))
                    yield Finding(assignment.slug, "handout", "in step with the solution", 0, 0, 0, 0, stale)
                with LocalEngine(assignment, jobs=jobs, isolation=isolation, server=server) as engine:
                    tried = {f"{one.kind}: {one.name}": one for one in candidates(assignment, only)}
                    queue = (
                        (Submission(label, one.files), seed) for seed in seeds for label, one in tried.items()
                    )
                    # what else a mutant fails is nobody's concern: it waits for the tests that must catch it only
                    for result in engine.grade(queue, tests=lambda one: tried[one.student].caught_by):  # noqa: B023
                        yield _judge(assignment, tried[result.student], result)
        finally:
            server.close()


def _judge(assignment: Assignment, candidate: Candidate, result: Result) -> Finding:
    reasons = [f"not graded: {fault}" for fault in result.faults]
    if candidate.points is not None and abs(result.points - candidate.points) > 1e-6:
        reasons.append(f"earns {result.points:g} of {result.max_points:g}, should earn {candidate.points:g}")
        wrong = [test for test in result.tests if (test.verdict is Verdict.PASSED) != (candidate.points > 0)]
        reasons += [
            f"{test.name}: {test.verdict}. {test.message or test.detail}".strip()
            for test in wrong[:_MAX_REASONS]
        ]
    for name in candidate.caught_by:
        cases = [test for test in result.tests if test.name == name or test.name.startswith(f"{name}[")]
        if all(test.verdict in _NOT_CAUGHT for test in cases):
            verdicts = ", ".join(sorted({test.verdict for test in cases})) or "no such test"
            reasons.append(f"{name} does not catch it: {verdicts}")
    return Finding(
        assignment.slug,
        candidate.kind,
        candidate.name,
        result.points,
        result.max_points,
        result.seconds,
        result.seed,
        tuple(reasons),
    )
