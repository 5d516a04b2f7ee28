"""The report, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.bars import Bar
from bench.measure import FLOOR, FRESH, ONE_JOB, TWO_JOBS, Measured, Spread

_METHOD = """\
- A submission of every contender's is a copy of the same right answer in one round, and the next right answer (solution,
  then variants) in the next, so all do equal work. Contenders take turns within a round; a ratio is taken round by
  round. Figures are medians over rounds, with the lowest and the highest in brackets.
- **pytest process each**: `python -m pytest SUITE --student FILE --timeout` in a new process for each submission, every
  library and the suite compiled beforehand, no cache and no property-testing plugin. It does not confine, and forbids no name.
- **floor**: one process with Keras imported, the suite collected and the heap frozen; it forks for each submission
  and runs the same tests in the fork, in process and unconfined. No grader can do less than that work.
- **this grader**: reads the class folder, confines every worker, records every result in a gradebook. Times are the
  distance between results in the middle of a class: what the processes made ready beforehand gain at the start is left out.
  Start-up is paid once a class and stands in a column of its own.
- CPU s is user and system time of all a contender's processes, for one submission. The grader starts the next
  submission's worker and referee while the present one is graded. At -j 1 that hides work on a second processor, which
  wall time alone does not show: hence CPU time, and the table with everybody on one processor.
- All have the same seed and one thread for TensorFlow's ops. Memory is taken on a suite of three tests without Keras."""


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
    parts += [f"## {_capital(run.one_cpu.workload.title)}, everything on one processor", _figures(run.one_cpu)]
    parts += [
        "## Memory of the grading process",
        _table(("submissions graded", "MiB"), ((f"{n:,}", f"{rss:.1f}") for n, rss in sorted(run.memory.items()))),
        "## How it was measured",
        _METHOD,
    ]
    return "\n\n".join(parts) + "\n"


def _figures(measured: Measured) -> str:
    rows = []
    for name in (FRESH, FLOOR, ONE_JOB, TWO_JOBS):
        if name in measured.batches:
            other = [FRESH, FLOOR]
            wall = [_ratio(measured.ratio(FRESH, name)), _ratio(measured.ratio(name, FLOOR))]
            cpu = _ratio(measured.cpu_ratio(name, FLOOR))
            if name in other:
                wall[other.index(name)] = "1"
                cpu = "1" if name == FLOOR else cpu
            rows.append((name, _time(measured.seconds(name)), *wall, _time(measured.cpu(name)), cpu))
    head = ("contender", "s a submission", "times faster than pytest", "of the floor", "CPU s a submission", "of its CPU s")
    notes = f"Start-up of this grader, once a class: {measured.start_seconds:.1f} s."
    if TWO_JOBS in measured.batches:
        busy, gain = measured.busy(TWO_JOBS), measured.ratio(ONE_JOB, TWO_JOBS)
        notes += f" At -j 2: {_ratio(busy)} processors busy, {_ratio(gain)} times the throughput of -j 1."
    return f"{_table(head, rows)}\n\n{notes}"


def _time(spread: Spread) -> str:
    return f"{spread.middle:.3f} ({spread.low:.3f}–{spread.high:.3f})"


def _ratio(spread: Spread) -> str:
    return f"{spread.middle:.2f} ({spread.low:.2f}–{spread.high:.2f})"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
