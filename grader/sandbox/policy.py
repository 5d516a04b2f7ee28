"""What a worker may touch, and the limits it lives under."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


class ConfinementError(RuntimeError):
    """A mechanism that confinement rests on is missing or failed; the message names it and the way out."""

    def __init__(self, mechanism: str, reason: str) -> None:
        super().__init__(
            f"{mechanism}: {reason}. Nothing was run. See `grader doctor`; "
            "`--isolation none` grades without confinement, for code that you trust"
        )


@dataclass(frozen=True)
class WorkerLimits:
    """Bounds on one worker.

    Attributes:
        memory_mb: resident memory in MiB, Keras' own share (about 500 MiB, mostly shared) included.
        disk_mb: MiB that it may write in its whole life.
        threads: threads at any one time.
        cpu_seconds: processor time; a backstop behind the wall clock.
        open_files: file descriptors.
    """

    memory_mb: int = 2048
    disk_mb: int = 256
    threads: int = 256
    cpu_seconds: int = 300
    open_files: int = 256


SYSTEM_LIBRARIES = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib")
SYSTEM_FILES = (
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/usr/share/zoneinfo",
)
# TensorFlow aborts when it cannot read its own command line; psutil reads the rest.
OWN_PROCESS_FILES = tuple(
    Path("/proc/self") / name for name in ("cmdline", "maps", "stat", "statm", "status")
)


def readable_paths() -> tuple[Path, ...]:
    """Files and folders below which a worker may read: the interpreter, its packages, the system's libraries."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    found = {Path(sysconfig.get_path(name)) for name in names}
    found |= {
        Path(sysconfig.get_path(name, vars={"base": sys.base_prefix})) for name in ("stdlib", "platstdlib")
    }
    found |= {Path(path) for path in (*SYSTEM_LIBRARIES, *SYSTEM_FILES)}
    return tuple(sorted({path.resolve() for path in found if path.exists()}))


def exposed(paths: Iterable[Path]) -> list[tuple[Path, Path]]:
    """Which of `paths` a worker could read, each with the readable folder that holds it."""
    roots = readable_paths()
    return [(path, root) for path in paths for root in roots if path.resolve().is_relative_to(root)]
