"""Confine this process: called in a fresh fork, before any byte of a student's is compiled."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.sandbox import landlock, seccomp
from grader.sandbox.policy import ConfinementError, WorkerLimits

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CAPABILITIES_V3 = 0x20080522


def detach(keep: Sequence[int], folder: Path, environment: Mapping[str, str]) -> None:
    """Leave the grader behind: own session, no inherited descriptor but `keep`, a fresh environment, own folder.

    The standard streams become /dev/null. The process dies with the fork server.
    """
    os.setsid()
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    low = 3
    for descriptor in sorted(keep):
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, max(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[0]))
    os.environ.clear()
    os.environ.update(environment)
    # tempfile remembers the first folder that it found.
    tempfile.tempdir = None
    os.chdir(folder)


def confine(
    folder: Path, readable: Sequence[Path], limits: WorkerLimits, devices: Sequence[Path] = ()
) -> None:
    """Take everything from this process that a student's code does not need. There is no way back.

    Args:
        folder: its private folder, the only place it may write.
        readable: what it may read besides (`grader.sandbox.policy.readable_paths`).
        devices: device files of GPUs that it may use; with any, it may also share memory and use `ioctl`.
        limits: enforced here as far as the kernel does it by itself; the parent watches the rest.

    Raises:
        ConfinementError: some mechanism is missing or failed.
    """
    set_limits(limits)
    # The kernel should take the worker first when the machine runs out of memory.
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError as error:
        raise ConfinementError("oom_score_adj", str(error)) from None
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    drop_capabilities()
    landlock.restrict(readable, folder, devices)
    seccomp.restrict(devices=bool(devices))


def set_limits(limits: WorkerLimits) -> None:
    """Set the resource limits that hold by themselves; RLIMIT_AS is not one, TensorFlow maps far more than it uses."""
    bounds = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_FSIZE: limits.disk_mb * 2**20,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_NOFILE: limits.open_files,
    }
    for kind, bound in bounds.items():
        hard = resource.getrlimit(kind)[1]
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        # At the hard limit of processor time the signal is SIGKILL, which would not tell why.
        spare = 5 if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else 0
        resource.setrlimit(kind, (bound, bound + spare))
    # A file that grows past the limit is an error for the student's code to see, not the end of the process.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def drop_capabilities() -> None:
    """Give up every capability, so that a grader run by root does not lend root's powers.

    Raises:
        ConfinementError: the kernel refused.
    """
    header = struct.pack("=Ii", _CAPABILITIES_V3, 0)
    if ctypes.CDLL(None, use_errno=True).capset(header, bytes(24)) != 0:
        raise ConfinementError("capabilities", os.strerror(ctypes.get_errno()))


def prctl(option: int, value: int) -> None:
    """`prctl(2)` with one argument.

    Raises:
        ConfinementError: the kernel refused.
    """
    unsigned = ctypes.c_ulong
    if (
        ctypes.CDLL(None, use_errno=True).prctl(
            option, unsigned(value), unsigned(0), unsigned(0), unsigned(0)
        )
        != 0
    ):
        raise ConfinementError("prctl", f"option {option}: {os.strerror(ctypes.get_errno())}")
