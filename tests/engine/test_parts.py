"""The engine's small parts: messages with descriptors, folders whatever is in them, the watch on a real process."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.engine import folders, messages
from grader.engine.watch import MAX_FILES, Watch
from grader.sandbox.policy import WorkerLimits


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends for messages."""
    one, other = messages.pair()
    with one, other:
        yield one, other


def test_messages_arrive_one_by_one_with_their_descriptors(
    ends: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("content")
    with (tmp_path / "file").open() as file:
        messages.send(ends[0], {"a": 1}, [file.fileno()])
        messages.send(ends[0], {"b": "é😀"})
    message, (descriptor,) = messages.receive(ends[1])
    assert message == {"a": 1}
    assert os.read(descriptor, 100) == b"content"
    os.close(descriptor)
    assert messages.receive(ends[1]) == ({"b": "é😀"}, [])


def test_text_that_cannot_be_encoded_does_not_stop_a_message(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    messages.send(ends[0], {"a": "x\ud800y"})
    assert messages.receive(ends[1])[0] == {"a": "x?y"}


def test_a_message_is_bounded_and_the_largest_arrives(ends: tuple[socket.socket, socket.socket]) -> None:
    largest = {"a": "x" * (messages.MAX_MESSAGE - len('{"a": ""}'))}
    messages.send(ends[0], largest)
    assert messages.receive(ends[1])[0] == largest
    with pytest.raises(ValueError, match="a message of 180001 bytes"):
        messages.send(ends[0], {"a": largest["a"] + "x"})


def test_an_end_that_is_gone_is_told(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[0].close()
    with pytest.raises(messages.Gone):
        messages.receive(ends[1])
    with pytest.raises(messages.Gone):
        messages.send(ends[1], {})


def test_files_are_written_and_a_flat_folder_removed(tmp_path: Path) -> None:
    folder = tmp_path / "worker"
    folder.mkdir()
    folders.fill(folder, {"a.py": b"x", "b.py": b"\x00"})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a.py": b"x", "b.py": b"\x00"}
    folders.remove(folder)
    assert not folder.exists()
    folders.remove(folder)


def test_a_tree_too_deep_for_python_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "worker"
    folder.mkdir()
    code = "import os\nfor _ in range(1500):\n    os.mkdir('d')\n    os.chdir('d')\nopen('file', 'w')"
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    try:
        folders.remove(folder)
        assert not folder.exists()
    finally:  # pytest could not remove it either
        subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_a_tree_without_permissions_is_removed_and_what_links_point_to_is_not(tmp_path: Path) -> None:
    folder, kept = tmp_path / "worker", tmp_path / "kept"
    (folder / "locked" / "inner").mkdir(parents=True)
    (folder / "locked" / "inner" / "file").write_text("x")
    kept.mkdir(mode=0o700)
    (kept / "file").write_text("x")
    (folder / "locked" / "link").symlink_to(kept)
    for path in (folder / "locked" / "inner", folder / "locked", folder):
        path.chmod(0)
    folders.remove(folder)
    assert not folder.exists()
    assert (kept / "file").read_text() == "x"
    assert kept.stat().st_mode & 0o777 == 0o700


Started = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Started]:
    """Start Python code in `tmp_path`, and wait until it prints."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str) -> subprocess.Popen[str]:
        source = f"import os, time, ctypes\nfrom threading import Thread\n{code}\nprint(1, flush=True)\ntime.sleep(60)"
        process = subprocess.Popen(
            [sys.executable, "-c", source], stdout=subprocess.PIPE, text=True, cwd=tmp_path
        )
        started.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]


LIMITS = WorkerLimits(memory_mb=100, disk_mb=5, threads=20)


@pytest.mark.parametrize(
    ("code", "name", "text"),
    [
        ("", None, ""),
        ("x = bytearray(200 * 2**20)", "memory", "MiB of memory (at most 100 MiB)"),
        ("for _ in range(30): Thread(target=time.sleep, args=(60,)).start()", "threads", "ran 31 threads (at most 20)"),
        ("open('a', 'wb').write(bytes(7 * 2**20))", "disk", "wrote 7 MiB (at most 5 MiB)"),
        ("for _ in range(7):\n    open('a', 'wb').write(bytes(2**20)); os.remove('a')", "disk", "wrote 7 MiB"),
        ("os.mkdir('d'); open('d/a', 'wb').write(bytes(2**20))", None, ""),
        (f"for k in range({MAX_FILES + 5}): open(str(k), 'w').close()", "disk", "files"),
    ],
)  # fmt: skip
def test_a_limit_that_is_exceeded_is_named(
    start: Started, tmp_path: Path, code: str, name: str | None, text: str
) -> None:
    process = start(code)
    excess = Watch(process.pid, tmp_path, LIMITS).excess()
    if name is None:
        assert excess is None
    else:
        assert excess is not None
        assert excess[0] == name
        assert text in excess[1]


def test_a_process_that_is_gone_exceeds_nothing(start: Started, tmp_path: Path) -> None:
    process = start("x = bytearray(200 * 2**20)")
    watch = Watch(process.pid, tmp_path, LIMITS)
    assert watch.excess() is not None
    process.kill()
    process.wait()
    assert watch.excess() is None


def test_a_process_that_ended_its_main_thread_is_not_lost_from_sight(start: Started, tmp_path: Path) -> None:
    leave = {"x86_64": 60}.get(platform.machine(), 93)  # exit(2), of this thread only
    code = f"Thread(target=time.sleep, args=(60,)).start()\nprint(1, flush=True)\nctypes.CDLL(None).syscall({leave}, 0)"
    watch = Watch(start(code).pid, tmp_path, LIMITS)
    deadline = time.monotonic() + 5
    while (excess := watch.excess()) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert excess is not None
    assert "main thread" in excess[1]
