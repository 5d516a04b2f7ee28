"""A process that grades classes as `grader grade` does, and says how long it took. Started by `bench.contenders`."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from bench.batch import steady_seconds, window
from bench.process_tree import cpu_seconds, settle
from grader.assignment import load
from grader.engine.local import LocalEngine
from grader.gradebook import Gradebook
from grader.submission import read_class


def main() -> None:
    """`python -m bench.grader_process ASSIGNMENT JOBS GRADEBOOK`; a line of JSON a class on standard input."""
    started = time.monotonic()
    path, jobs, gradebook = sys.argv[1:]
    assignment = load(Path(path))
    with Gradebook(gradebook) as book, LocalEngine(assignment, jobs=int(jobs)) as engine:
        print(json.dumps({"ready": time.monotonic() - started}), flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            print(json.dumps(run(engine, book, int(jobs), **request)), flush=True)


def run(
    engine: LocalEngine, book: Gradebook, jobs: int, *, folder: str, size: int, seed: int
) -> dict[str, object]:
    """Grade a class of `size` and record every result; times, and what did not get full marks."""
    submissions = ((submission, seed) for submission in read_class(Path(folder), engine.assignment.submit))
    first, last = window(size, jobs)
    wrong, finished, used = [], [], {}
    before = settle(os.getpid())
    for number, result in enumerate(engine.grade(submissions)):
        book.record(result)
        finished.append(time.monotonic())
        if number in (first, last) and jobs > 1:
            used[number] = cpu_seconds(os.getpid())
        lost = [test for test in result.tests if test.points != test.max_points]
        wrong += [f"{test.name}: {test.verdict} {test.message}" for test in lost]
    after = settle(os.getpid())
    window_seconds = finished[last] - finished[first]
    return {
        "seconds": steady_seconds(finished, jobs),
        "cpu": (after - before) / size,
        "busy": (used[last] - used[first]) / window_seconds if used else None,
        "wrong": wrong[:5],
    }


if __name__ == "__main__":
    main()
