"""Training runs that diverge, ignore their budget or look at the test inputs, and the GPU that a worker sees."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlquiz.testing.budget import Budget
from grader.assignment import Limits
from grader.engine.devices import device_files, visible_gpus, worker_environment
from grader.engine.local import LocalEngine
from grader.engine.processes import EngineError

SUITE = """
import numpy as np
import pytest

from grader import metrics


@pytest.mark.problem("train", points=10)
def test_training(student, rng, budget, award):
    y = np.repeat([0, 1], 40)
    x = y + rng.normal(scale=0.1, size=80)
    feed = budget.feed(x[::2], y[::2], batch_size=10)
    student.train(feed.next_batch)
    assert feed.epochs > 0, "the training data were not read to their end"
    scores = student.predict(x[1::2])
    np.testing.assert_allclose(student.predict(x[1::2][:7]), scores[:7], err_msg="a score depends on its neighbours")
    award(metrics.roc_auc_score(y[1::2], scores), floor=0.5, target=0.9)


@pytest.mark.problem("rest", points=1)
def test_rest(student):
    assert student.rest() == 1


@pytest.mark.problem("seen", points=1)
def test_seen(student, budget):
    assert budget.epochs == 2
    assert student.seen() == ["-1", None]
"""
RIGHT = """
import os

middle = 0.0

def train(next_batch):
    global middle
    total = count = 0
    while (batch := next_batch()) is not None:
        total, count = total + batch[0].sum(), count + len(batch[0])
    middle = total / count

def predict(x):
    return 1 / (1 + 2.718281828 ** (middle - x))

def rest():
    return 1

def seen():
    return [os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", "TF_FORCE_GPU_ALLOW_GROWTH")]
"""
POINTS = {"train": 10.0, "rest": 1.0, "seen": 1.0}
LIMITS = Limits(seconds=12, call_seconds=1, memory_mb=400, disk_mb=32, threads=32, epochs=2)


@pytest.fixture(scope="module")
def course(make_assignment: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An assignment with a budget of two epochs."""
    return make_assignment(tmp_path_factory.mktemp("training") / "work", SUITE, POINTS, limits=LIMITS)


@pytest.fixture(scope="module")
def trained(course: Any) -> Iterator[Any]:
    """Its engine, to grade the right answer with some code below it."""
    from grader.submission import Submission

    with LocalEngine(course) as engine:

        def grade(more: str = "") -> Any:
            (result,) = engine.grade([(Submission("s", {"work.py": (RIGHT + more).encode()}), 1)])
            return result

        yield grade


def test_a_run_within_its_budget_earns_its_points_and_sees_no_gpu(trained: Any) -> None:
    result = trained()
    assert result.points == 12, [(test.name, test.message, test.detail) for test in result.tests]
    assert "100% of the points" in result.tests[0].reason


@pytest.mark.parametrize(
    ("more", "verdict", "told"),
    [
        ("def train(next_batch):\n    while True:\n        next_batch()", "failed", "the budget is 2"),
        ("def train(next_batch):\n    while True:\n        pass", "timeout", ""),
        ("def train(next_batch):\n    pass", "failed", "not read to their end"),
        ("def predict(x):\n    return x * float('nan')", "failed", "NaN"),
        ("def predict(x):\n    return (x - x.mean()) / x.std()", "failed", "depends on its neighbours"),
        ("def predict(x):\n    return 0 * x", "failed", "no better than a guess"),
        ("def predict(x):\n    return [1, 2]", "failed", ""),
    ],
    ids=[
        "too many epochs",
        "endless",
        "no training",
        "diverged",
        "fitted on test inputs",
        "constant",
        "too few",
    ],
)
def test_a_training_run_has_its_verdict(trained: Any, more: str, verdict: str, told: str) -> None:
    result = trained("\n" + more)
    training, rest, seen = result.tests
    assert (training.verdict, training.points) == (verdict, 0)
    assert told.lower() in (training.message + training.detail + training.reason).lower()
    assert rest.points == seen.points == 1
    assert result.graded


def test_swallowing_the_end_of_the_budget_does_not_help(trained: Any) -> None:
    more = """
def train(next_batch):
    for _ in range(50):
        try:
            while next_batch() is not None:
                pass
        except BaseException:
            pass
"""
    assert trained(more).tests[0].verdict == "failed"


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    """Device files as with two cards."""
    for name in ("nvidia0", "nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm", "nvidia-caps", "null"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("variable", "gpus"),
    [
        (None, ("0", "2", "10")),
        ("2,0", ("2", "0")),
        ("0,-1,2", ("0",)),
        ("-1", ()),
        ("", ()),
        ("GPU-5a", ("GPU-5a",)),
    ],
)
def test_gpus_that_may_be_lent(cards: Path, variable: str | None, gpus: tuple[str, ...]) -> None:
    environment = {} if variable is None else {"CUDA_VISIBLE_DEVICES": variable}
    assert visible_gpus(environment, cards) == gpus


def test_a_variable_makes_no_card(tmp_path: Path) -> None:
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "0"}, tmp_path) == ()


def test_device_files_are_the_drivers(cards: Path) -> None:
    assert {path.name for path in device_files(cards)} == {
        "nvidia0",
        "nvidia2",
        "nvidia10",
        "nvidiactl",
        "nvidia-uvm",
    }


def test_a_worker_with_a_gpu_sees_that_one_and_leaves_memory_to_others() -> None:
    told = worker_environment("2")
    assert told["CUDA_VISIBLE_DEVICES"] == "2"
    assert told["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert worker_environment(None) == {"CUDA_VISIBLE_DEVICES": "-1"}


@pytest.mark.parametrize(
    ("device", "told"), [("gpu", "no NVIDIA GPU is visible here"), ("cpu", "asks for no GPU")]
)
def test_a_gpu_that_cannot_be_lent_is_said_before_anything_runs(
    course: Any, monkeypatch: pytest.MonkeyPatch, device: str, told: str
) -> None:
    monkeypatch.setattr("grader.engine.local.visible_gpus", lambda: ())
    limits = dataclasses.replace(LIMITS, device=device)
    with (
        pytest.raises(EngineError, match=told),
        LocalEngine(dataclasses.replace(course, limits=limits), gpu_slots=1),
    ):
        pass


def test_two_lent_gpus_are_shared_by_slots(course: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Played: what the workers are told is looked at, no CUDA is there."""
    from grader.submission import Submission

    monkeypatch.setattr("grader.engine.local.visible_gpus", lambda: ("4", "7"))
    monkeypatch.setattr("grader.engine.local.device_files", lambda: (Path("/dev/zero"),))
    gpu = dataclasses.replace(course, limits=dataclasses.replace(LIMITS, device="gpu"))
    source = (RIGHT + "\nimport time\ntime.sleep(0.3)\nprint(seen())\n").encode()
    with LocalEngine(gpu, jobs=8, gpu_slots=1) as engine:
        results = list(engine.grade((Submission(f"s{k}", {"work.py": source}), 1) for k in range(6)))
        assert engine._jobs == 2
    assert {result.import_output.strip() for result in results} == {"['4', 'true']", "['7', 'true']"}


def test_the_budget_of_a_submission_is_the_manifests() -> None:
    assert LIMITS.budget == Budget(seconds=12, call_seconds=1, epochs=2, device="cpu")
