"""The report, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.bars import Bar
from bench.measure import FLOOR, FRESH, ONE_JOB, TWO_JOBS, Measured, Spread

_METHOD = """\
- In one round every contender's submissions are copies of one right answer, in the next round of the next one
  (solution, then variants), so all do equal work. Contenders take turns within a round, and ratios are taken round by
  round. Figures are medians over rounds, with the lowest and the highest in brackets.
- **pytest process each**: `python -m pytest SUITE --student FILE --timeout` in a new process for each submission, with
  every library and the suite compiled beforehand, no cache and no property-testing plugin. It confines nothing and
  forbids no name.
- **floor**: one process with Keras imported, the suite collected and the heap frozen. It forks for each submission and
  runs the same tests in the fork, in process and unconfined.
- **this grader**: reads the class folder, confines every worker, records every result in a gradebook. Its time is the
  distance between results in the middle of a class, so that nothing counts as free which was made ready before the
  class began. Start-up is paid once a class and stands below each table.
- CPU s is user and system time of all of a contender's processes, for one submission.
- While one submission is graded, the next one's worker starts. At -j 1 a second processor hides that work, and wall
  time alone does not show it: a ratio to the floor below 1 means hidden work, not less work. CPU time shows all of it,
  and so does the table with everybody on one processor.
- All have the same seed, and one thread for TensorFlow's ops. Memory is taken on a suite of three tests without Keras.
- Processors busy is CPU time over wall time of the grader alone: on a machine with other load it is lower."""


@dataclass(frozen=True)
class Run:
    """All that was measured."""

    date: str
    command: str
    machine: Mapping[str, str]
    bars: Sequence[Bar]
    figures: Sequence[Measured]
    one_cpu: Measured
    memory: Mapping[int, float]


def markdown(run: Run) -> str:
    """The whole report."""
    facts = {"date": run.date, "command": f"`{run.command}`", **run.machine}
    missed = [bar for bar in run.bars if not bar.met]
    verdict = f"{len(missed)} of {len(run.bars)} missed." if missed else f"All {len(run.bars)} met."
    parts = [
        "# Benchmark",
        "\n".join(f"- {name}: {text}" for name, text in facts.items()),
        f"## Bars\n\n{verdict}",
        _table(
            ("", "bar", "wanted", "found"),
            ((("missed", "met")[bar.met], bar.what, bar.wanted, bar.found) for bar in run.bars),
        ),
    ]
    for measured in run.figures:
        parts += [f"## {_capital(measured.workload.title)}", _figures(measured)]
    title = f"## {_capital(run.one_cpu.workload.title)}, everything on one processor"
    memory = ((f"{count:,}", f"{rss:.1f}") for count, rss in sorted(run.memory.items()))
    parts += [title, _figures(run.one_cpu)]
    parts += ["## Memory of the grading process", _table(("submissions graded", "MiB"), memory)]
    parts += ["## How it was measured", _METHOD]
    return "\n\n".join(parts) + "\n"


def _figures(measured: Measured) -> str:
    rows = []
    for name in (FRESH, FLOOR, ONE_JOB, TWO_JOBS):
        if name in measured.batches:
            times = _time(measured.seconds(name)), _time(measured.cpu(name))
            gain, share = _over(measured.ratio, FRESH, name), _over(measured.ratio, name, FLOOR)
            rows.append((name, times[0], gain, share, times[1], _over(measured.cpu_ratio, name, FLOOR)))
    wall = ("s a submission", "times faster than pytest", "of the floor")
    head = ("contender", *wall, "CPU s a submission", "of the floor's CPU s")
    notes = f"Start-up of this grader, once a class: {measured.start_seconds:.1f} s."
    if TWO_JOBS in measured.batches:
        busy, faster = measured.busy(TWO_JOBS), measured.ratio(ONE_JOB, TWO_JOBS)
        notes += f" At -j 2: {busy} processors busy, {faster} times the throughput of -j 1."
    return f"{_table(head, rows)}\n\n{notes}"


def _over(ratio: Callable[[str, str], Spread], one: str, other: str) -> str:
    return "1" if one == other else str(ratio(one, other))


def _time(spread: Spread) -> str:
    return f"{spread.middle:.3f} ({spread.low:.3f}–{spread.high:.3f})"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
