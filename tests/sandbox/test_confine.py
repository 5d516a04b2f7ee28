"""The rest of confinement: descriptors, environment, limits, capabilities; and all of it together."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.sandbox.policy import exposed, readable_paths

Child = Callable[..., Any]


def test_every_descriptor_is_closed_but_those_kept(child: Child) -> None:
    seen = child(
        """
        opened = [os.open("outside/file", os.O_RDONLY) for _ in range(20)]
        high = 900
        os.dup2(opened[0], high)
        keep = opened[7]
        out = os.dup(1)
        confine.detach([keep, out], own, {})
        left = sorted(int(name) for name in os.listdir("/proc/self/fd"))
        streams = [os.readlink(f"/proc/self/fd/{number}") for number in (0, 1, 2)]
        seen = [[n for n in left if n > 2 and n not in (keep, out)], streams, os.read(keep, 100).decode()]
        os.dup2(out, 1)
        """
    )
    # the folder that is being listed has a descriptor too
    assert len(seen[0]) <= 1
    assert seen[1:] == [[os.devnull] * 3, "outside"]


def test_the_environment_is_the_one_given_and_nothing_else(child: Child) -> None:
    seen = child(
        """
        tempfile.gettempdir()
        out = os.dup(1)
        before = os.getsid(0)
        confine.detach([out], own, {"HOME": str(own), "TMPDIR": str(own), "LANG": "C"})
        os.dup2(out, 1)
        seen = [dict(os.environ), os.getcwd(), tempfile.gettempdir(), os.getsid(0) == os.getpid() != before, str(own)]
        """,
        SECRET_TOKEN="x",
    )
    environment, folder, temporary, own_session, own = seen
    assert environment == {"HOME": own, "TMPDIR": own, "LANG": "C"}
    assert folder == temporary == own
    assert own_session


def test_it_dies_with_the_process_that_forked_it(child: Child) -> None:
    seen = child(
        """
        out = os.dup(1)
        confine.detach([out], own, {})
        os.dup2(out, 1)
        number = ctypes.c_int()
        libc.prctl(2, ctypes.byref(number))  # PR_GET_PDEATHSIG
        seen = number.value
        """
    )
    assert seen == 9


def test_limits_are_set_for_good(child: Child) -> None:
    seen = child(
        """
        confine.set_limits(WorkerLimits(disk_mb=3, cpu_seconds=77, open_files=99))
        names = ("CORE", "FSIZE", "MEMLOCK", "MSGQUEUE", "NOFILE", "CPU")
        seen = {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in names}
        """
    )
    assert seen.pop("CPU")[0] == 77
    assert seen == {
        "CORE": [0, 0],
        "FSIZE": [3 * 2**20] * 2,
        "MEMLOCK": [0, 0],
        "MSGQUEUE": [0, 0],
        "NOFILE": [99, 99],
    }


def test_limits_that_are_lower_already_stay(child: Child) -> None:
    seen = child(
        """
        resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))
        confine.set_limits(WorkerLimits(open_files=99))
        seen = resource.getrlimit(resource.RLIMIT_NOFILE)
        """
    )
    assert seen == [50, 50]


def test_a_file_that_grows_too_large_is_an_error_and_not_the_end(child: Child) -> None:
    seen = child(
        """
        confine.set_limits(WorkerLimits(disk_mb=1))
        seen = refused(lambda: Path("own/large").write_bytes(bytes(2 * 2**20)))
        """
    )
    assert seen == "EFBIG"


def test_processor_time_that_runs_out_is_told_by_its_signal(child: Child) -> None:
    seen = child(
        """
        import time
        pid = os.fork()
        if pid == 0:
            resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            confine.set_limits(WorkerLimits(cpu_seconds=1))
            while True:
                pass
        seen = os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGXCPU
        """
    )
    assert seen


def test_capabilities_are_dropped(child: Child) -> None:
    seen = child(
        """
        confine.drop_capabilities()
        lines = Path("/proc/self/status").read_text().splitlines()
        pairs = [line.split(":\\t") for line in lines if line.startswith(("CapEff", "CapPrm", "CapInh"))]
        seen = {name: int(value, 16) for name, value in pairs}
        """
    )
    assert seen == {"CapInh": 0, "CapPrm": 0, "CapEff": 0}


def test_a_refused_prctl_is_an_error(child: Child) -> None:
    seen = child(
        """
        try:
            confine.prctl(38, 7)
        except ConfinementError as error:
            seen = str(error)
        """
    )
    assert seen.startswith("prctl: option 38: Invalid argument. Nothing was run.")


def test_all_of_it_holds_together(child: Child) -> None:
    seen = child(
        """
        limits = WorkerLimits()
        confine.confine(own, readable_paths(), limits)
        lines = Path("/proc/self/status").read_text().splitlines()
        status = dict(line.split(":\\t", 1) for line in lines if ":\\t" in line)
        import json.tool, numpy
        seen = {
            "privileges": status["NoNewPrivs"], "seccomp": status["Seccomp"], "capabilities": int(status["CapEff"], 16),
            "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0], "own": refused(lambda: (own / "x").write_text("x")),
            "outside": refused((outside / "file").read_text), "fork": refused(os.fork),
        }
        """
    )
    assert seen == {
        "privileges": "1",
        "seccomp": "2",
        "capabilities": 0,
        "files": 256,
        "own": None,
        "outside": "EACCES",
        "fork": "EPERM",
    }


@pytest.mark.parametrize(
    "part", ["landlock.restrict", "seccomp.restrict", "confine.drop_capabilities", "confine.prctl"]
)
def test_a_part_that_fails_is_never_passed_over(child: Child, part: str) -> None:
    seen = child(
        f"""
        def fail(*_, **__):
            raise ConfinementError("a part", "it failed")
        {part} = fail
        try:
            confine.confine(own, readable_paths(), WorkerLimits())
            seen = "went on"
        except ConfinementError:
            seen = "stopped"
        """
    )
    assert seen == "stopped"


def test_the_interpreter_and_its_packages_are_readable_and_no_home() -> None:
    paths = readable_paths()
    for path in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")):
        assert any(Path(path).resolve().is_relative_to(root) for root in paths)
    assert all(path.exists() and path == path.resolve() for path in paths)
    for never in (
        Path("/"),
        Path.home(),
        Path("/etc"),
        Path("/proc"),
        Path("/tmp"),
        Path("/usr"),
        Path(sys.prefix),
    ):
        assert not any(never.is_relative_to(root) for root in paths), never


def test_what_lies_where_workers_read_is_exposed(tmp_path: Path) -> None:
    packages = Path(sysconfig.get_path("purelib")).resolve()
    (tmp_path / "link").symlink_to(packages)
    hidden = [
        packages,
        packages / "course" / "hidden",
        tmp_path / "link" / "course",
        packages / "x" / ".." / "y",
    ]
    found = exposed([tmp_path / "course", *hidden, Path("/")])
    assert list(dict.fromkeys(path for path, _ in found)) == hidden
    assert all(packages.is_relative_to(root) for _, root in found)


def test_the_devices_of_a_gpu_open_nothing_else(child: Child) -> None:
    """/dev/full stands in for a card: it can be written and asked by ioctl only by whom it was lent to."""
    code = """
        import fcntl, mmap
        confine.confine(own, readable_paths(), WorkerLimits(), {devices})
        def ask():
            with open("/dev/full", "wb", buffering=0) as device:
                fcntl.ioctl(device, 0x1234)
        seen = dict(
            ioctl=refused(ask),
            shared=refused(lambda: mmap.mmap(-1, 4096)),
            other=refused(lambda: open("outside/file").read()),
            console=refused(lambda: open("/dev/tty", "wb")),
            socket=refused(lambda: socket.socket()),
            program=refused(lambda: os.execv("/bin/true", ["true"])),
            process=refused(os.fork),
        )
        """
    closed = {
        "other": "EACCES",
        "console": "EACCES",
        "socket": "EPERM",
        "program": "EPERM",
        "process": "EPERM",
    }
    assert child(code.format(devices="[]")) == {"ioctl": "EACCES", "shared": "EPERM", **closed}
    lent = child(code.format(devices="[Path('/dev/full')]"))
    assert lent == {"ioctl": "ENOTTY", "shared": None, **closed}
