"""The solution of `imbalanced-data` against libraries that its suite may not use, and what it forbids of them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from imblearn.metrics import specificity_score
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from sklearn.metrics import matthews_corrcoef
from sklearn.utils.class_weight import compute_class_weight

from dlquiz.testing.direct import load_module

FOLDER = Path(__file__).parents[2] / "assignments" / "imbalanced-data"
FORBIDDEN = tomllib.loads((FOLDER / "assignment.toml").read_text())["forbidden"]
LIBRARY_CALLS = """
import sys
import numpy as np
from grader.remote.forbid import ForbiddenCall, forbid
calls = sys.argv[1].splitlines()
forbid(sys.argv[2:])
x, y = np.random.default_rng(1).normal(size=(60, 3)), np.repeat([0, 1], [45, 15])
p = np.linspace(0, 1, 60).round().astype(int)
for call in calls:
    try:
        exec(call)
        print("done by the library:", call)
    except ForbiddenCall:
        print("forbidden")
"""
CALLS = [
    "from imblearn.over_sampling import SMOTE; SMOTE().fit_resample(x, y)",
    "from imblearn.under_sampling import RandomUnderSampler; RandomUnderSampler().fit_resample(x, y)",
    "from imblearn.metrics import specificity_score; specificity_score(y, p)",
    "from imblearn.metrics import classification_report_imbalanced as f; f(y, p)",
    "from sklearn.preprocessing import StandardScaler; StandardScaler().fit(x)",
    "from sklearn.linear_model import LogisticRegression; LogisticRegression()",
    "from sklearn.metrics import RocCurveDisplay; RocCurveDisplay.from_predictions(y, x[:, 0])",
    "from sklearn.metrics import get_scorer; get_scorer('roc_auc')._score_func(y, x[:, 0])",
    "from sklearn.metrics._ranking import auc; auc([0, 1], [0, 1])",
]


@pytest.fixture(scope="module")
def solution() -> ModuleType:
    return load_module(FOLDER / "solution" / "imbalanced_data.py")


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return rng.normal(size=(90, 4)), rng.permutation(np.repeat([0, 1, 2], [50, 28, 12]))


def test_classes_end_with_the_sizes_of_imbalanced_learn(solution: ModuleType, rows):
    pairs = [
        (solution.random_under_sample, RandomUnderSampler(random_state=0)),
        (solution.random_over_sample, RandomOverSampler(random_state=0)),
    ]
    for own, sampler in pairs:
        expected = np.bincount(sampler.fit_resample(*rows)[1])
        np.testing.assert_array_equal(np.bincount(own(*rows, 5)[1]), expected)


def test_smote_spreads_as_that_of_imbalanced_learn(solution: ModuleType, rows):
    x, y = rows
    few = x[y == 2]
    made = solution.smote(few, 20_000, k=5, seed=1)
    sampler = SMOTE(sampling_strategy={2: 20_000 + len(few)}, k_neighbors=5, random_state=1)
    theirs = sampler.fit_resample(x, y)[0][len(x) :]
    spread = theirs.std(axis=0)
    np.testing.assert_allclose(made.mean(axis=0), theirs.mean(axis=0), atol=0.05 * spread.max())
    np.testing.assert_allclose(np.cov(made.T), np.cov(theirs.T), atol=0.05 * spread.max() ** 2)


def test_numbers_are_those_of_the_libraries(solution: ModuleType, rows):
    _, y = rows
    weights = compute_class_weight("balanced", classes=np.unique(y), y=y)
    np.testing.assert_allclose(list(solution.class_weights(y).values()), weights)
    truth, predicted = (y > 0).astype(int), (np.roll(y, 1) > 0).astype(int)
    assert solution.specificity(truth, predicted) == pytest.approx(specificity_score(truth, predicted))
    assert solution.matthews(truth, predicted) == pytest.approx(matthews_corrcoef(truth, predicted))


def test_libraries_do_none_of_the_work():
    names = [name for name in FORBIDDEN if name.startswith(("sklearn.", "scipy."))]
    command = [sys.executable, "-c", LIBRARY_CALLS, "\n".join(CALLS), *names]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert told.stdout.splitlines() == ["forbidden"] * len(CALLS), told.stderr
