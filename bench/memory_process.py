"""Grades a class and says how much memory that takes on the way. Started by `bench.memory`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import psutil

from grader.assignment import load
from grader.gradebook import Gradebook
from grader.grading import grade_class


def main() -> None:
    """`python -m bench.memory_process CLASS ASSIGNMENT GRADEBOOK COUNT...`"""
    folder, assignment, gradebook, *counts = sys.argv[1:]
    process = psutil.Process()
    with Gradebook(gradebook) as book:
        for number, graded in enumerate(grade_class(Path(folder), load(Path(assignment)), book, seed=1), 1):
            if graded.result.points != graded.result.max_points:
                raise SystemExit(f"{graded.result.student}: {graded.result.tests}")
            if str(number) in counts:
                print(json.dumps([number, process.memory_info().rss / 2**20]), flush=True)


if __name__ == "__main__":
    main()
