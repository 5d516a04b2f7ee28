"""`python -m bench`: measure, print, write the report."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click

from bench import feedback, machine, metrics
from bench.bars import bars
from bench.batch import ContenderFailed
from bench.measure import Measured, measure
from bench.memory import parent_memory
from bench.report import Run, markdown
from bench.workloads import Workload, workloads
from grader.assignment import AssignmentError

RESULTS = Path(__file__).parent / "results.md"
SEED = 20_260


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Two short rounds of what has a bar; written only with --out.")
@click.option(
    "--submissions", type=click.IntRange(1), default=20, show_default=True, help="Timed of each contender."
)
@click.option(
    "--rounds", type=click.IntRange(1), default=5, show_default=True, help="The submissions' rounds."
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help=f"The report [default: {RESULTS.name}]."
)
def main(quick: bool, submissions: int, rounds: int, out: Path | None) -> None:
    """Time this grader, a pytest process per submission, and the floor, side by side on the same classes."""
    if quick:
        submissions, rounds = 4, 2
    about = machine.describe()
    date = datetime.now(UTC).isoformat(" ", "minutes")
    counts = (20, 100) if quick else (20, 50, 100, 200, 500, 1000)

    def timed(workload: Workload, folder: Path, one_cpu: bool = False) -> Measured:
        return measure(
            workload,
            folder,
            rounds=rounds,
            submissions=-(-submissions // rounds),
            seed=SEED,
            say=_say,
            jobs=(1,) if one_cpu else (1, 2),
            cpus=frozenset({max(os.sched_getaffinity(0))}) if one_cpu else None,
        )

    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            folder = Path(name)
            todo = {one.key: one for one in workloads(folder / "assignments")}
            if quick:
                todo = {key: todo[key] for key in ("quick", "plain")}
            figures = {key: timed(workload, folder / key) for key, workload in todo.items()}
            _say("quick: once more, with everything on one processor")
            one_cpu = timed(todo["quick"], folder / "one", one_cpu=True)
            _say(f"memory: grading {max(counts):,} submissions")
            memory = parent_memory(folder / "memory", counts)
            answered = feedback.measure(2 * rounds, folder / "feedback", _say)
        _say("metrics: intervals")
        intervals = metrics.measure(rounds)
    except (AssignmentError, ContenderFailed, ValueError) as error:
        raise click.ClickException(str(error)) from None
    command = shlex.join(["python", "-m", "bench", *sys.argv[1:]])
    judged = bars(figures, one_cpu, memory) + feedback.bars(answered) + metrics.bars(intervals)
    run = Run(date, command, about, judged, list(figures.values()), one_cpu, memory)
    report = f"{markdown(run)}\n{feedback.section(answered)}\n{metrics.section(intervals)}"
    click.echo(report)
    target = out or (None if quick else RESULTS)
    if target is not None:
        target.write_text(report)
        _say(f"written to {target}")


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
