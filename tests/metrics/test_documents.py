"""The examples of docstrings and of the guide hold, and importing the metrics is safe before a fork."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grader import metrics

GUIDE = Path(__file__).parents[2] / "docs" / "metrics.md"
MODULES = [f"grader.metrics.{found.name}" for found in pkgutil.iter_modules(metrics.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_metric_has_an_example():
    finder = doctest.DocTestFinder(recurse=False)
    missing = [
        name
        for name in metrics.__all__
        if name.endswith(
            ("_score", "_loss", "_error", "_curve", "_matrix", "_corrcoef", "_threshold", "_variance")
        )
        and not any(found.examples for found in finder.find(getattr(metrics, name), name))
    ]
    assert missing == []


def test_the_guides_examples_hold():
    fences = re.findall(
        r"^ *```pycon\n(.*?)^ *```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    text = "\n".join(fences)
    assert text.count(">>> ") == GUIDE.read_text(encoding="utf-8").count(">>> ")
    found = doctest.DocTestParser().get_doctest(text, {}, "metrics.md", str(GUIDE), 0)
    assert len(found.examples) > 20
    assert doctest.DocTestRunner().run(found).failed == 0


def test_the_guide_names_every_public_function():
    named = set(re.findall(r"`(\w+)`", GUIDE.read_text(encoding="utf-8")))
    assert {name for name in metrics.__all__ if name not in named} == set()


def test_neither_the_import_nor_a_metric_starts_a_thread_or_keras():
    script = """
import os, sys
import numpy
from grader import metrics
from grader.metrics import figures
assert "sklearn.metrics" in sys.modules, "forks would import it"
true, scores = [0, 1] * 50, numpy.linspace(0, 1, 100)
figures.roc(true, scores)
metrics.fbeta_score(true, scores > 0.5)
metrics.brier_score_loss(true, scores)
assert "keras" not in sys.modules
print(len(os.listdir("/proc/self/task")))
"""
    if not Path("/proc/self/task").exists():
        pytest.skip("threads are counted in /proc")
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "4"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("1", "")
