"""A small assignment with nothing wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

FILES = {
    "assignment.toml": """\
title = "Two functions"
topics = ["relu", "tanh"]
submit = ["two_functions.py", "more.py"]
preload = ["keras"]
forbidden = ["keras.layers.ReLU"]
[limits]
seconds = 30
call_seconds = 5
memory_mb = 1024
[[problem]]
name = "rectifier"
title = "The rectifier"
points = 60
[[problem]]
name = "doubling"
title = "Doubling"
points = 40
""",
    "handout/README.md": "Write two functions.\n",
    "handout/two_functions.py": "def relu(x):\n    raise NotImplementedError\n",
    "handout/more.py": "def double(x):\n    raise NotImplementedError\n",
    "handout/test_public.py": "",
    "solution/two_functions.py": """\
def relu(x):
    # BEGIN SOLUTION
    return max(x, 0)
    # END SOLUTION
""",
    "solution/more.py": """\
def double(x):
    # BEGIN SOLUTION
    return x * 2
    # END SOLUTION
""",
    "hidden/test_hidden.py": '''\
import pytest


@pytest.mark.problem("rectifier", points=45)
@pytest.mark.hint("What becomes of numbers below 0?")
def test_negative(student):
    """Numbers below 0 become 0."""
    assert student.relu(-1) == 0


@pytest.mark.problem("rectifier", points=15)
@pytest.mark.needs("test_negative")
@pytest.mark.parametrize("x", [0, 2])
def test_positive(student, x):
    """Other numbers stay."""
    assert student.relu(x) == x


@pytest.mark.problem("doubling", points=40)
def test_double(student):
    """Numbers are doubled."""
    assert student.double(3) == 6
''',
    "mutants.toml": """\
[[mutant]]
name = "wrong sign"
find = "max(x, 0)"
replace = "min(x, 0)"
caught_by = ["test_negative", "test_positive"]

[[mutant]]
name = "tripled"
file = "more.py"
find = "x * 2"
replace = "x * 3"
caught_by = ["test_double"]
""",
    "variants/longer.py": "def relu(x):\n    return x if x > 0 else 0\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`assignments/two-functions` in a fresh folder, which is also the current one."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "assignments" / "two-functions"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder
