"""When a save is a save, and which text is judged in the end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import watchfiles

from dlquiz.checking.starting import Cancelled
from dlquiz.checking.watch import Saves, answer_saves

GROUPS = [("a.py", "a.ipynb"), ("test_public.py",)]


class Stop(Exception):
    """Ends the loop of a test."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files that are watched."""
    (tmp_path / "a.py").write_text("0")
    (tmp_path / "test_public.py").write_text("tests")
    return tmp_path


@pytest.fixture
def saves(folder: Path) -> Iterator[Saves]:
    """Their saves."""
    with Saves(folder, GROUPS) as found:
        time.sleep(0.2)
        yield found


def judged(saves: Saves, folder: Path, then: Callable[[int], None], count: int) -> list[str]:
    """The texts of the first runs; after each something is done."""
    texts: list[str] = []

    def judge(cancelled: Callable[[], bool]) -> None:
        texts.append((folder / "a.py").read_text() if (folder / "a.py").exists() else "missing")
        if len(texts) == count:
            raise Stop
        threading.Thread(target=then, args=(len(texts),)).start()

    with pytest.raises(Stop):
        answer_saves(saves, judge)
    return texts


def test_each_way_to_save_is_seen(saves: Saves, folder: Path) -> None:
    def save(count: int) -> None:
        if count == 1:
            (folder / "a.py").write_text("1")
        elif count == 2:
            (folder / "new").write_text("2")
            os.replace(folder / "new", folder / "a.py")
        else:
            (folder / "a.py").unlink()
            time.sleep(0.2)
            (folder / "a.py").write_text("3")

    assert judged(saves, folder, save, 4) == ["0", "1", "2", "3"]


def test_a_save_is_seen_soon(saves: Saves, folder: Path) -> None:
    snapshot = saves.now()
    threading.Timer(0.05, lambda: (folder / "a.py").write_text("1")).start()
    began = time.monotonic()
    assert saves.wait(snapshot, 10)
    assert time.monotonic() - began < 0.45


def test_without_notice_from_the_system_it_is_seen_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Iterator[object]:
        raise OSError("no watches are left")

    monkeypatch.setattr(watchfiles, "watch", refuse)
    with Saves(folder, GROUPS) as saves:
        snapshot = saves.now()
        (folder / "a.py").write_text("1")
        assert saves.wait(snapshot, 5)


def test_what_changes_no_text_is_no_save(saves: Saves, folder: Path) -> None:
    snapshot = saves.now()
    (folder / "a.py").write_text("0")
    (folder / "a.py").touch()
    (folder / "other.py").write_text("x")
    assert not saves.wait(snapshot, 1.2)


@pytest.mark.parametrize("name", ["test_public.py", "a.ipynb"])
def test_tests_and_notebooks_are_watched_too(saves: Saves, folder: Path, name: str) -> None:
    snapshot = saves.now()
    (folder / name).write_text("new")
    assert saves.wait(snapshot, 5)


def test_a_newer_save_ends_a_run_and_the_newest_text_is_judged_last(saves: Saves, folder: Path) -> None:
    seen: list[str] = []
    finished: list[str] = []

    def save() -> None:
        for count in range(1, 11):
            (folder / "a.py").write_text(str(count))
            time.sleep(0.1)

    def judge(cancelled: Callable[[], bool]) -> None:
        seen.append((folder / "a.py").read_text())
        if len(seen) == 1:
            threading.Thread(target=save).start()
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            if cancelled():
                raise Cancelled
            time.sleep(0.01)
        finished.append(seen[-1])
        raise Stop

    with pytest.raises(Stop):
        answer_saves(saves, judge)
    assert finished == ["10"]
    assert len(seen) > 2


@pytest.mark.parametrize("gone", ["missing", "empty"])
def test_a_file_that_comes_back_at_once_is_not_told_of(saves: Saves, folder: Path, gone: str) -> None:
    def save(_: int) -> None:
        if gone == "missing":
            (folder / "a.py").unlink()
        else:
            (folder / "a.py").write_text("")
        time.sleep(0.4)
        (folder / "a.py").write_text("1")

    assert judged(saves, folder, save, 2) == ["0", "1"]


def test_a_file_that_stays_away_is_told_of_once(saves: Saves, folder: Path) -> None:
    def save(count: int) -> None:
        if count == 1:
            (folder / "a.py").unlink()
        else:
            time.sleep(1.5)
            (folder / "a.py").write_text("1")

    assert judged(saves, folder, save, 3) == ["0", "missing", "1"]


def test_a_folder_that_is_gone_ends_the_wait(saves: Saves, folder: Path) -> None:
    snapshot = saves.now()
    for file in folder.iterdir():
        file.unlink()
    gone = saves.now()
    assert gone != snapshot
    folder.rmdir()
    with pytest.raises(FileNotFoundError, match="it is gone"):
        saves.wait(gone, 5)
    folder.mkdir()
