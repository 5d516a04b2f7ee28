"""Landlock alone: what may be read, what may be written, and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from grader.sandbox import landlock

Child = Callable[..., Any]
ABI = landlock.abi()
RESTRICT = "landlock.restrict([*readable_paths(), shared], own)"


def test_this_kernel_has_landlock() -> None:
    assert ABI >= 1, "the strict isolation is what these tests are about: run them where it is to be had"


def test_what_is_readable_is_read_and_nothing_else(child: Child) -> None:
    seen = child(
        RESTRICT,
        """
        seen = {
            "own": refused((own / "file").read_text), "shared": refused((shared / "file").read_text),
            "outside": refused((outside / "file").read_text), "list": refused(lambda: os.listdir(outside)),
            "above": refused(lambda: os.listdir(here)), "up": refused((own / ".." / "outside" / "file").read_text),
            "descriptors": refused(lambda: os.listdir("/proc/self/fd")),
            "passwords": refused(Path("/etc/passwd").read_text),
            "status": refused(Path("/proc/self/status").read_text), "others": refused(Path("/proc/1/status").read_text),
            "random": refused(Path("/dev/urandom").open),
        }
        """,
    )
    assert {name for name, code in seen.items() if code is None} == {"own", "shared", "status", "random"}
    assert {code for code in seen.values() if code} == {"EACCES"}


def test_what_is_its_own_is_written_and_nothing_else(child: Child) -> None:
    seen = child(
        RESTRICT,
        """
        (own / "folder").mkdir()
        (own / "folder" / "new").write_text("x")
        (own / "file").write_text("changed")
        (own / "file").rename(own / "folder" / "moved")
        (own / "folder" / "moved").unlink()
        Path(os.devnull).write_text("x")
        seen = [
            refused(action) for action in (
                lambda: (shared / "file").write_text("x"), lambda: (shared / "new").write_text("x"),
                lambda: (outside / "new").write_text("x"), (shared / "file").unlink, (outside / "file").unlink,
                lambda: (outside / "new").mkdir(), lambda: (outside / "file").open("a"),
                lambda: (shared / "file").open("r+"),
            )
        ]
        """,
    )
    assert set(seen) == {"EACCES"}


def test_nothing_is_moved_or_linked_across_the_border(child: Child) -> None:
    seen = child(
        RESTRICT,
        """
        seen = [
            refused(action) for action in (
                lambda: (own / "file").rename(outside / "gone"), lambda: (own / "file").rename(shared / "gone"),
                lambda: (outside / "file").rename(own / "come"), lambda: (shared / "file").rename(own / "come"),
                lambda: os.link(outside / "file", own / "link"), lambda: os.link(shared / "file", own / "link"),
                lambda: os.link(own / "file", outside / "link"),
            )
        ]
        seen.append(sorted(os.listdir(own)))
        """,
    )
    assert seen.pop() == ["file"]
    assert set(seen) <= {"EACCES", "EXDEV"}


def test_neither_links_nor_pipes_nor_sockets_are_made(child: Child) -> None:
    seen = child(
        RESTRICT,
        """
        seen = [
            refused(lambda: (own / "link").symlink_to(outside / "file")), refused(lambda: os.mkfifo(own / "pipe")),
            refused(lambda: socket.socket(socket.AF_UNIX).bind(str(own / "socket"))),
        ]
        """,
    )
    assert seen == ["EACCES"] * 3


def test_no_program_is_started(child: Child) -> None:
    seen = child(
        RESTRICT, "seen = refused(lambda: os.execv(sys.executable, ['python', '-c', 'print(\"SEEN null\")']))"
    )
    assert seen == "EACCES"


def test_threads_and_later_threads_are_bound_too(child: Child) -> None:
    seen = child(
        RESTRICT,
        """
        seen = []
        thread = threading.Thread(target=lambda: seen.append(refused((outside / "file").read_text)))
        thread.start()
        thread.join()
        """,
    )
    assert seen == ["EACCES"]


@pytest.mark.skipif(ABI < 4, reason="Landlock knows TCP from ABI 4 on; seccomp refuses sockets everywhere")
def test_no_tcp(child: Child) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        seen = child(
            RESTRICT,
            f"""
            one, other = socket.socket(), socket.socket()
            seen = [refused(lambda: one.connect(("127.0.0.1", {port}))), refused(lambda: other.bind(("127.0.0.1", 0)))]
            """,
        )
    assert seen == ["EACCES", "EACCES"]


@pytest.mark.skipif(ABI < 6, reason="Landlock knows signals from ABI 6 on; seccomp refuses them everywhere")
def test_no_signal_reaches_another_process(child: Child) -> None:
    seen = child(
        RESTRICT,
        """
        seen = [refused(lambda: os.kill(os.getppid(), 0)), refused(lambda: os.kill(os.getpid(), 0))]
        """,
    )
    assert seen == ["EPERM", None]


def test_a_kernel_without_landlock_is_an_error_that_names_the_way_out(child: Child) -> None:
    seen = child(
        """
        landlock.abi = lambda: 0
        try:
            confine.confine(own, readable_paths(), WorkerLimits())
        except ConfinementError as error:
            seen = [str(error), refused((outside / "file").read_text)]
        """
    )
    assert seen[0].startswith("Landlock: this kernel does not have it")
    assert "grader doctor" in seen[0]
    assert "--isolation none" in seen[0]


def test_a_readable_path_that_is_gone_is_an_error(child: Child) -> None:
    seen = child(
        """
        try:
            landlock.restrict([here / "nowhere"], own)
            seen = "restricted"
        except (ConfinementError, OSError) as error:
            seen = type(error).__name__
        """
    )
    assert seen in {"ConfinementError", "FileNotFoundError"}
