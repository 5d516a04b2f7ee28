"""The helper's folder is its user's alone, and its name stands for one world only."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("there is no helper", allow_module_level=True)

from dlquiz.checking import identity
from dlquiz.checking.room import Room, admit, peer


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the system gives to a user."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path / "run"


def test_the_folder_is_made_for_its_owner_only(runtime: Path) -> None:
    with pytest.raises(FileNotFoundError), Room(make=False):
        pass
    with Room(make=True):
        pass
    assert (runtime / "dlquiz").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o770])
def test_a_folder_that_is_open_to_others_is_refused(runtime: Path, mode: int) -> None:
    (runtime / "dlquiz").mkdir()
    (runtime / "dlquiz").chmod(mode)
    with pytest.raises(PermissionError), Room(make=True):
        pass


def test_a_link_to_a_folder_is_refused(runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir(mode=0o700)
    (runtime / "dlquiz").symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="dlquiz"), Room(make=True):
        pass


def test_somebody_elses_folder_is_refused(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Room(make=True):
        pass
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    with pytest.raises(PermissionError), Room(make=False):
        pass


def test_a_lock_is_held_by_one_and_tells_its_process() -> None:
    with Room(make=True) as room:
        lock = room.lock("a")
        assert lock is not None
        room.write(lock, "123456")
        room.write(lock, "123")
        assert room.lock("a") is None
        assert room.helpers() == {"a": 123}
        os.close(lock)
        assert room.helpers() == {}


def test_the_peers_know_each_others_user_even_in_a_deep_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    with Room(make=True) as room, room.listen("a") as listener, room.connect("a") as client:
        server = admit(listener)
        assert server is not None
        with server:
            assert peer(server) == peer(client) == os.getuid()
        assert admit(listener) is None
        with room.connect("a") as stranger:
            monkeypatch.setattr("dlquiz.checking.room.peer", lambda _: os.getuid() + 1)
            assert admit(listener) is None
            assert stranger.recv(1) == b""
        with pytest.raises(PermissionError):
            room.connect("a")


@pytest.mark.parametrize(
    "name",
    [
        "KERAS_BACKEND",
        "TF_ENABLE_ONEDNN_OPTS",
        "CUDA_VISIBLE_DEVICES",
        "LD_LIBRARY_PATH",
        "PYTHONPATH",
        "TMPDIR",
    ],
)
def test_what_matters_at_import_makes_another_world(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = identity.identity()
    monkeypatch.setenv(name, "another")
    assert identity.identity() != before


def test_what_does_not_matter_makes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    before = identity.identity()
    for name in ("COLUMNS", "PWD", "SHLVL", "WINDOWID", "PYTEST_CURRENT_TEST"):
        monkeypatch.setenv(name, "another")
    assert identity.identity() == before


def test_limits_and_file_mode_make_another_world() -> None:
    before = identity.identity()
    mask = os.umask(0o007 if os.umask(0o022) != 0o007 else 0o077)
    try:
        assert identity.identity() != before
    finally:
        os.umask(mask)


def test_a_changed_module_and_changed_settings_of_keras_make_it_out_of_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "module.py").write_text("")
    monkeypatch.setattr(identity, "_PACKAGE", tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    stamps = [identity.stamp(), identity.stamp()]
    os.utime(tmp_path / "module.py", (1, 1))
    stamps.append(identity.stamp())
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "keras.json").write_text("{}")
    stamps.append(identity.stamp())
    monkeypatch.setattr("importlib.metadata.version", lambda _: "9")
    stamps.append(identity.stamp())
    assert stamps[0] == stamps[1]
    assert len(set(stamps)) == 4
