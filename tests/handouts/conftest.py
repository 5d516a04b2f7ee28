"""A package folder as a wheel lays it out, and one as a checkout does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import dlquiz

PACKAGE = Path(dlquiz.__file__).parent
PUBLIC = {
    "slug": "sums",
    "title": "Sums",
    "topics": ["relu"],
    "submit": ["sums.py"],
    "forbidden": ["numpy.linalg"],
    "problems": [{"name": "total", "title": "A total", "points": 6}],
}
FILES = {"README.md": "Read me.\n", "sums.py": "def total(): ...\n", "test_public.py": "# tests\n"}
TOML = """\
title = "Sums"
topics = ["relu"]
submit = ["sums.py"]
forbidden = ["numpy.linalg"]
[limits]
seconds = 20
[[problem]]
name = "total"
title = "A total"
points = 6
"""


def put(folder: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A package with the assignments sums, losses and activations packed into it."""
    package = tmp_path / "site" / "dlquiz"
    package.mkdir(parents=True)
    shutil.copy(PACKAGE / "course.toml", package)
    for slug in ("sums", "losses", "activations"):
        put(package / "_course" / slug, FILES)
        put(
            package / "_course" / slug,
            {"assignment.json": json.dumps({**PUBLIC, "slug": slug}, indent=2) + "\n"},
        )
    return package


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The package of a checkout with the assignment sums, and one that its author has only begun."""
    package = tmp_path / "checkout" / "dlquiz"
    package.mkdir(parents=True)
    shutil.copy(PACKAGE / "course.toml", package)
    root = package.parent / "assignments"
    put(root / "sums", {"assignment.toml": TOML, "solution/sums.py": "SECRET\n"})
    put(root / "sums" / "handout", FILES)
    put(root / "begun", {"assignment.toml": 'title = "Begun"\n'})
    return package
