"""Watch a worker from outside: memory, disk and threads, by /proc."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from grader.sandbox.policy import WorkerLimits

HEADLESS_SECONDS = 0.5
MAX_FILES = 2_000
MAX_DEPTH = 32
# Resident, swapped out, and the page tables, which grow with mappings that are only looked at.
_MEMORY = (b"VmRSS", b"VmSwap", b"VmPTE")


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
        """The name of a limit that is exceeded and a sentence about it; None also for a process that is gone."""
        try:
            return self._life() or self._disk()
        except (FileNotFoundError, ProcessLookupError):
            return None

    def _life(self) -> tuple[str, str] | None:
        # As bytes: the first line holds a name that the process chose. Those after it are the kernel's.
        lines = (self._process / "status").read_bytes().split(b"\n")
        status = {key: value.strip() for key, _, value in (line.partition(b":") for line in lines)}
        threads = int(status[b"Threads"])
        if status[b"State"].startswith(b"Z"):
            # What its other threads use can no longer be read. A process on its way out looks the same for a moment.
            self._headless_since = self._headless_since or time.monotonic()
            lasting = threads > 1 and time.monotonic() - self._headless_since > HEADLESS_SECONDS
            return ("threads", "ended its main thread and went on without") if lasting else None
        used = sum(int(status.get(name, b"0 kB").split()[0]) for name in _MEMORY) / 1024
        if used > self._limits.memory_mb:
            return "memory", f"used {used:,.0f} MiB of memory (at most {self._limits.memory_mb:,} MiB)"
        if threads > self._limits.threads:
            return "threads", f"ran {threads:,} threads (at most {self._limits.threads:,})"
        return None

    def _disk(self) -> tuple[str, str] | None:
        stored, count = self._stored()
        if count > MAX_FILES:
            return "disk", f"made more than {MAX_FILES:,} files, or folders {MAX_DEPTH} levels deep"
        written = max(self._written(), stored) / 2**20
        if written > self._limits.disk_mb:
            return "disk", f"wrote {written:,.0f} MiB (at most {self._limits.disk_mb:,} MiB)"
        return None

    def _written(self) -> int:
        try:
            fields = dict(line.split(": ") for line in (self._process / "io").read_text().splitlines())
        except PermissionError:
            return 0
        return max(int(fields["wchar"]), int(fields["write_bytes"]))

    def _stored(self) -> tuple[int, int]:
        """Bytes and number of files below the folder, counted as far as is allowed."""
        stored = count = 0
        folders = [(str(self._folder), 0)]
        while folders and count <= MAX_FILES:
            folder, depth = folders.pop()
            if depth > MAX_DEPTH:
                return stored, MAX_FILES + 1
            with contextlib.suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    count += 1
                    with contextlib.suppress(OSError):
                        stored += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        folders.append((entry.path, depth + 1))
                    if count > MAX_FILES:
                        break
        return stored, count
