"""What is remembered of a student's work, and that losing it costs nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlquiz.progress import Progress


def test_what_was_started_and_checked_is_remembered(tmp_path: Path) -> None:
    file = tmp_path / "data" / "progress.json"
    first = Progress(file)
    first.started("sums", tmp_path / "a")
    first.checked("sums", tmp_path / "b", 3, 4)
    entry = Progress(file).entries["sums"]
    assert entry == first.entries["sums"]
    assert (entry.folder, entry.passed, entry.total) == (str(tmp_path / "b"), 3, 4)
    assert entry.checked is not None
    assert [path.name for path in file.parent.iterdir()] == ["progress.json"]


def test_a_folder_that_is_gone_is_not_offered(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress.json")
    progress.started("sums", tmp_path / "gone")
    assert progress.folder("sums") is None
    assert progress.folder("other") is None
    (tmp_path / "gone").mkdir()
    assert progress.folder("sums") == tmp_path / "gone"


ENTRY = {"folder": "f", "started": "2026-01-01", "checked": None, "passed": 0, "total": 0}
DAMAGED = {
    "cut off": '{"schema": 1, "assi',
    "no text": b"\xff\xfe\x00\x01",
    "another shape": "[]",
    "no entries": '{"schema": 1}',
    "deep": "[" * 100_000,
    "an entry of another type": json.dumps({"assignments": {"sums": {**ENTRY, "passed": "3"}}}),
    "an entry with a number for a folder": json.dumps({"assignments": {"sums": {**ENTRY, "folder": 3}}}),
    "an unknown key": json.dumps({"assignments": {"sums": {**ENTRY, "more": 1}}}),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_set_aside(tmp_path: Path, name: str) -> None:
    file = tmp_path / "progress.json"
    content = DAMAGED[name]
    content = content if isinstance(content, bytes) else content.encode()
    file.write_bytes(content)
    progress = Progress(file)
    assert progress.entries == {}
    assert "was damaged: it is now progress.json.damaged" in progress.notes[0]
    assert (tmp_path / "progress.json.damaged").read_bytes() == content
    progress.started("sums", tmp_path)
    assert list(Progress(file).entries) == ["sums"]


def test_a_place_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    progress = Progress(tmp_path / "file" / "progress.json")
    progress.started("sums", tmp_path)
    progress.checked("sums", tmp_path, 1, 2)
    assert progress.entries["sums"].passed == 1
    assert any("cannot be written" in note for note in progress.notes)
