"""Watch a worker from outside: memory, disk and threads, by /proc."""

from __future__ import annotations

import os
import time
from pathlib import Path

from grader.sandbox.policy import WorkerLimits

HEADLESS_SECONDS = 0.5
# Resident, swapped out, and the page tables, which grow with mappings that are only looked at.
_MEMORY = ("VmRSS", "VmSwap", "VmPTE")


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
        self._headless_since = 0.0

    def excess(self) -> tuple[str, str] | None:
        """The name of a limit that is exceeded and a sentence about it, or None. A process that is gone exceeds none."""
        try:
            return self._life() or self._disk()
        except (FileNotFoundError, ProcessLookupError):
            return None

    def _life(self) -> tuple[str, str] | None:
        status = dict(line.split(":", 1) for line in (self._process / "status").read_text().splitlines())
        threads = int(status["Threads"])
        if status["State"].strip().startswith("Z"):
            # What its other threads use can no longer be read. A process on its way out looks the same for a moment.
            self._headless_since = self._headless_since or time.monotonic()
            lasting = threads > 1 and time.monotonic() - self._headless_since > HEADLESS_SECONDS
            return ("threads", "ended its main thread and went on without") if lasting else None
        used = sum(int(status.get(name, "0 kB").split()[0]) for name in _MEMORY) / 1024
        if used > self._limits.memory_mb:
            return "memory", f"used {used:,.0f} MiB of memory (at most {self._limits.memory_mb:,} MiB)"
        if threads > self._limits.threads:
            return "threads", f"ran {threads:,} threads (at most {self._limits.threads:,})"
        return None

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
