"""Processor time and memory of a process with everything below it, the dead included."""

from __future__ import annotations

import time

import psutil

_QUIET_SECONDS = 0.15
_SETTLE_SECONDS = 15.0
_TRIES = 50


def cpu_seconds(root: int) -> float:
    """User and system time of a process tree; what ended in it counts, once its parent has waited for it."""
    for _ in range(_TRIES):
        process = psutil.Process(root)
        total = 0.0
        try:
            # Parents come first: a child that ends in between is then met as gone, and all is read again.
            for one in (process, *process.children(recursive=True)):
                times = one.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        except psutil.NoSuchProcess:
            continue
        return total
    raise RuntimeError(f"the processes below {root} change faster than they can be counted")


def settle(root: int) -> float:
    """Wait until a process tree rests; its `cpu_seconds` then."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    before = cpu_seconds(root)
    while time.monotonic() < deadline:
        time.sleep(_QUIET_SECONDS)
        now = cpu_seconds(root)
        if now == before:
            break
        before = now
    return before
