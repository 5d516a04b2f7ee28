"""End a process with everything that it started."""

from __future__ import annotations

import contextlib
import os
import signal

import psutil


def end_family(pid: int) -> None:
    """Kill a process that nobody has waited for yet, what descends from it, and the group that it leads."""
    family: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(pid)
        family = [top, *top.children(recursive=True)]
    end_group(pid)
    for member in family:
        with contextlib.suppress(psutil.Error):
            member.kill()


def end_group(leader: int) -> None:
    """Kill what is left of a group, where there are groups."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(OSError):
            os.killpg(leader, signal.SIGKILL)
