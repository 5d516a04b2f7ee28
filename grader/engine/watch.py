"""Watch a worker from outside: memory, disk and threads, by /proc."""

from __future__ import annotations

import os
from pathlib import Path

from grader.sandbox.policy import WorkerLimits

_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


class Watch:
    """Tells whether one process keeps within its limits.

    Args:
        pid: the process.
        folder: the folder it may write to; only used where the kernel does not count what a process writes.
    """

    def __init__(self, pid: int, folder: Path, limits: WorkerLimits) -> None:
        self._process = Path("/proc") / str(pid)
        self._folder = folder
        self._limits = limits

    def excess(self) -> tuple[str, str] | None:
        """The name of a limit that is exceeded and a sentence about it, or None. A process that is gone exceeds none."""
        try:
            return self._memory() or self._threads() or self._disk()
        except (FileNotFoundError, ProcessLookupError):
            return None

    def _memory(self) -> tuple[str, str] | None:
        resident = int((self._process / "statm").read_text().split()[1]) * _PAGE_MB
        if resident <= self._limits.memory_mb:
            return None
        return "memory", f"used {resident:,.0f} MiB of memory (at most {self._limits.memory_mb:,} MiB)"

    def _threads(self) -> tuple[str, str] | None:
        # Field 20 of stat; the second field is a name in brackets and may hold anything.
        count = int((self._process / "stat").read_text().rpartition(")")[2].split()[17])
        if count <= self._limits.threads:
            return None
        return "threads", f"ran {count:,} threads (at most {self._limits.threads:,})"

    def _disk(self) -> tuple[str, str] | None:
        written = max(self._written(), self._stored()) / 2**20
        if written <= self._limits.disk_mb:
            return None
        return "disk", f"wrote {written:,.0f} MiB (at most {self._limits.disk_mb:,} MiB)"

    def _written(self) -> int:
        try:
            fields = dict(line.split(": ") for line in (self._process / "io").read_text().splitlines())
        except PermissionError:
            return 0
        return max(int(fields["wchar"]), int(fields["write_bytes"]))

    def _stored(self) -> int:
        with os.scandir(self._folder) as entries:
            return sum(entry.stat(follow_symlinks=False).st_blocks * 512 for entry in entries)
