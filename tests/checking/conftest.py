"""A tiny assignment that needs no library but NumPy, and runtime folders of the tests' own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlquiz.handouts import Handout, Problem

HANDOUT = Handout("sums", "Sums", (), ("sums.py",), (), (Problem("total", "A total", 1),))


@pytest.fixture
def handout() -> Handout:
    """What `work` holds."""
    return HANDOUT


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module that passes its one test, and says which process ran it."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "sums.py").write_text(
        "import os\n\n\ndef total(values):\n    print(os.getpid(), os.getppid())\n    return sum(values)\n"
    )
    (folder / "test_public.py").write_text(
        'import numpy as np\nimport pytest\n\n\n@pytest.mark.problem("total")\ndef test_total(student):\n'
        "    assert student.total([1, 2]) == 3\n"
    )
    return folder
