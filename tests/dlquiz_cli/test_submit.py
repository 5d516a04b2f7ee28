"""`dlquiz submit`: the archive, what it warns of, and that the grader reads it."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from dlquiz import answers
from grader.submission import read
from grader.submission.members import MAX_NOTEBOOK, MAX_SOURCE

Dlquiz = Callable[..., Result]


def test_the_grader_reads_what_was_handed_in(dlquiz: Dlquiz, sums: Path) -> None:
    (sums / "notes.txt").write_text("not asked for")
    result = dlquiz("submit", "sums", "-o", "ada.zip")
    assert result.exit_code == 0
    submission = read(Path("ada.zip"), ["sums.py"])
    assert submission.student == "ada"
    assert submission.files == {"sums.py": (sums / "sums.py").read_bytes()}
    assert submission.problems == ()
    assert zipfile.ZipFile("ada.zip").namelist() == ["sums.py", "manifest.json"]


def test_the_manifest_says_what_was_handed_in_and_where_it_ran(dlquiz: Dlquiz, sums: Path) -> None:
    dlquiz("submit", "sums")
    manifest = json.loads(zipfile.ZipFile("sums.zip").read("manifest.json"))
    content = (sums / "sums.py").read_bytes()
    assert manifest["assignment"] == "sums"
    assert manifest["files"] == {
        "sums.py": {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    }
    assert {"python", "system", "dlquiz", "keras", "tensorflow", "numpy"} == manifest["environment"].keys()
    (sums / "test_public.py").write_text("# changed\n")
    dlquiz("submit", "sums", "--force")
    again = json.loads(zipfile.ZipFile("sums.zip").read("manifest.json"))
    assert again["handout"] != manifest["handout"]
    assert again["files"] == manifest["files"]


UNFINISHED = {
    "a stub": (
        "def total(values):\n    raise NotImplementedError\n\n\nclass A:\n    def call(self):\n"
        "        raise NotImplementedError('later')\n",
        "warning: not attempted in sums.py: total (line 2), A.call (line 7)",
    ),
    "a syntax error": ("def total(:\n", "warning: sums.py is not Python yet: line 1"),
}


@pytest.mark.parametrize("name", UNFINISHED)
def test_what_is_unfinished_is_warned_of_and_refused_when_strict(
    dlquiz: Dlquiz, sums: Path, name: str
) -> None:
    source, told = UNFINISHED[name]
    (sums / "sums.py").write_text(source)
    strict = dlquiz("submit", "sums", "--strict")
    assert strict.exit_code == 1
    assert told in strict.output
    assert "Nothing was written" in strict.output
    assert not Path("sums.zip").exists()
    relaxed = dlquiz("submit", "sums")
    assert relaxed.exit_code == 0
    assert told in relaxed.output
    assert Path("sums.zip").exists()


def test_forbidden_names_are_warned_of(dlquiz: Dlquiz, sums: Path) -> None:
    (sums / "sums.py").write_text("import numpy as np\n\nx = np.linalg.inv\n")
    assert "sums.py:3: numpy.linalg is forbidden in this assignment" in dlquiz("submit", "sums").output


def test_an_archive_is_never_overwritten_unasked(dlquiz: Dlquiz, sums: Path) -> None:
    for name in ("sums.zip", "sums-2.zip", "sums-3.zip"):
        assert f"{name} holds" in dlquiz("submit", "sums").output
    first = Path("sums.zip").read_bytes()
    (sums / "sums.py").write_text("x = 1\n")
    refused = dlquiz("submit", "sums", "-o", "sums.zip")
    assert refused.exit_code == 2
    assert "sums.zip exists: name another file, or say --force" in refused.output
    assert Path("sums.zip").read_bytes() == first
    assert dlquiz("submit", "sums", "-o", "sums.zip", "--force").exit_code == 0
    assert zipfile.ZipFile("sums.zip").read("sums.py") == b"x = 1\n"


def test_no_force_replaces_anything_but_an_archive(dlquiz: Dlquiz, sums: Path) -> None:
    work = (sums / "sums.py").read_text()
    refused = dlquiz("submit", "sums", "-o", sums / "sums.py", "--force")
    assert (refused.exit_code, (sums / "sums.py").read_text()) == (2, work)
    Path("precious.zip").write_text("no archive")
    refused = dlquiz("submit", "sums", "-o", "precious.zip", "--force")
    assert "is there and is no archive" in refused.output
    assert Path("precious.zip").read_text() == "no archive"


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "is missing"), (b"  \n", "is empty"), (b"#" * 1_000_001, "is longer than 1,000,000 bytes")],
)
def test_what_the_grader_would_not_read_is_not_handed_in(
    dlquiz: Dlquiz, sums: Path, content: bytes | None, told: str
) -> None:
    (sums / "sums.py").unlink()
    if content is not None:
        (sums / "sums.py").write_bytes(content)
    result = dlquiz("submit", "sums")
    assert result.exit_code == 2
    assert told in result.output
    assert not Path("sums.zip").exists()


def test_the_bound_on_a_file_is_the_graders() -> None:
    assert (answers.MAX_FILE, answers.MAX_NOTEBOOK) == (MAX_SOURCE, MAX_NOTEBOOK)
