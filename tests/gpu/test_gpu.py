"""What only a machine with an NVIDIA GPU can show: run there, skipped elsewhere."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.assignment import Limits
from grader.engine.devices import visible_gpus
from grader.engine.local import LocalEngine
from grader.submission import Submission

ROOT = Path(__file__).resolve().parents[2]
gpu = pytest.mark.skipif(not visible_gpus(), reason="no NVIDIA GPU is visible (no /dev/nvidia0)")
SUITE = """
import numpy as np
import pytest


@pytest.mark.problem("train", points=1)
def test_train(student, rng):
    names, device, y = student.multiply(rng.normal(size=(64, 64)).astype("float32"))
    assert len(names) == 1
    assert "GPU:0" in device
    assert np.isfinite(y).all()
"""
WORK = b"""
import keras
import tensorflow as tf

def multiply(x):
    y = tf.matmul(x, x)
    return [device.name for device in tf.config.list_physical_devices("GPU")], y.device, y
"""


@gpu
def test_a_confined_worker_computes_on_the_one_gpu_it_is_lent(make_assignment: Any, tmp_path: Path) -> None:
    limits = Limits(seconds=120, call_seconds=100, memory_mb=8000, threads=512, device="gpu")
    assignment = make_assignment(tmp_path / "work", SUITE, {"train": 1.0}, limits=limits)
    assignment = dataclasses.replace(assignment, preload=("keras",))
    with LocalEngine(assignment, jobs=2, gpu_slots=2) as engine:
        results = list(engine.grade((Submission(f"s{k}", {"work.py": WORK}), 1) for k in range(4)))
        server = psutil.Process(engine.warm.server.pid)
        warm = [server, *server.children()]
        opened = [
            os.readlink(entry) for process in warm for entry in Path(f"/proc/{process.pid}/fd").iterdir()
        ]
    assert [result.points for result in results] == [1] * 4, [
        test.message for r in results for test in r.tests
    ]
    assert not [path for path in opened if path.startswith("/dev/nvidia")]


@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.parametrize("slug", ["normalization", "activations", "losses", "initialization"])
def test_a_solution_passes_its_public_tests_on_another_backend(slug: str, backend: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    handout = ROOT / "assignments" / slug / "handout" / "test_public.py"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            str(handout),
            "--student",
            str(ROOT / "assignments" / slug / "solution"),
        ],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
