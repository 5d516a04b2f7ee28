"""What is graded: an assignment, and classes of right answers to it, so that every submission is the same work."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.excerpt import excerpt, tests_of
from grader.assignment import Assignment, find, load

QUICK_KERAS_TESTS = (
    "test_batch_norm_training_output",
    "test_batch_norm_epsilon",
    "test_batch_norm_weights",
    "test_inference_uses_moving_statistics",
    "test_layer_norm_last_axis",
    "test_instance_norm_output",
)
_ON_KERAS_MODELS = ("keras_parameters", "keras_receptive_field")


@dataclass(frozen=True)
class Workload:
    """One assignment to measure on.

    Attributes:
        key: its name among the workloads.
        title: its name in the report.
        assignment: what is graded.
        answers: files with right answers, by name.
        without_ops: it is claimed that no test of it runs a TensorFlow op; the floor checks this.
    """

    key: str
    title: str
    assignment: Assignment
    answers: dict[str, Path]
    without_ops: bool = False

    def answer(self, number: int) -> tuple[str, Path]:
        """Name and file of the right answer of round `number`; rounds go through all of them in turn."""
        return list(self.answers.items())[number % len(self.answers)]


def workloads(folder: Path) -> list[Workload]:
    """The workloads, written below `folder` where they are excerpts. Raises ValueError, AssignmentError."""
    layers, calculators = (load(find(slug)) for slug in ("normalization", "architecture-calculators"))
    quick = excerpt(layers, QUICK_KERAS_TESTS, folder / "quick-layers")
    without_models = tests_of(calculators, without=_ON_KERAS_MODELS)
    plain = excerpt(calculators, without_models, folder / "plain-calculators")
    plain_title = "`architecture-calculators`, problems that run no TF op"
    return [
        Workload("quick", "ten quick Keras tests of `normalization`", quick, answers(layers)),
        Workload("layers", "all of `normalization`", layers, answers(layers)),
        Workload("plain", plain_title, plain, answers(calculators), without_ops=True),
        Workload("calculators", "all of `architecture-calculators`", calculators, answers(calculators)),
    ]


def answers(assignment: Assignment) -> dict[str, Path]:
    """The solution and the variants."""
    return {"solution": assignment.solution / assignment.submit[0], **assignment.variants}


def write_class(folder: Path, module: str, answer: Path, size: int) -> list[Path]:
    """Write a class of `size` students who all hand in `answer`; each one's file."""
    files = []
    for number in range(1, size + 1):
        file = folder / f"student{number:04}" / f"{module}.py"
        file.parent.mkdir(parents=True)
        shutil.copyfile(answer, file)
        files.append(file)
    return files
