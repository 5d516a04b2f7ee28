"""Start the process that runs a folder's public tests: see `dlquiz.checking.runner` for what it does then."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from dlquiz.checking.family import end_family, end_group
from dlquiz.checking.libraries import heavy_imports

Order = dict[str, Any]


class Cancelled(Exception):
    """The run is not wanted any more."""


class Started(Protocol):
    """A runner that waits for its order.

    Attributes:
        orders, told, said: its standard input, output and error.
        start_seconds: how long it may take until it comes to the student's module.
        warm: whether the libraries were imported beforehand.
    """

    pid: int
    orders: IO[bytes]
    told: IO[bytes]
    said: IO[bytes]
    start_seconds: float
    warm: bool

    def wait(self, seconds: float) -> int | None:
        """Its exit status, negative for a signal; None if it does not end in time."""

    def end(self) -> None:
        """Kill it with everything that it started."""

    def release(self) -> None:
        """Let go of what belongs to it, once it has ended."""


class Way(Protocol):
    """A way to start runners."""

    def start(self, order: Order, cancelled: Callable[[], bool]) -> Started:
        """Start one for an order, which it is not given yet. Raises Cancelled."""

    def give_up(self) -> None:
        """Warm processes do not work here: start cold ones from now on."""


class Spawned:
    """A new Python process.

    Args:
        prepare: libraries to import before it reads its order.
    """

    start_seconds = 300.0

    def __init__(self, folder: Path, prepare: Sequence[str] = ()) -> None:
        # Its own session, so that Ctrl-C reaches only this process, which then ends the child and all its children.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "dlquiz.checking.runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment(),
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        assert self._process.stdin
        assert self._process.stdout
        assert self._process.stderr
        self.pid = self._process.pid
        self.warm = bool(prepare)
        self.orders, self.told, self.said = self._process.stdin, self._process.stdout, self._process.stderr
        if prepare:
            give(self, {"prepare": list(prepare)})

    def wait(self, seconds: float) -> int | None:
        """Its exit status, if it ends in time."""
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """Kill it with everything that it started."""
        if self._process.poll() is None:
            end_family(self.pid)
        else:
            end_group(self.pid)
        self._process.wait()

    def release(self) -> None:
        """There is nothing but its pipes."""


class Cold:
    """Starts a new Python process for every order."""

    def start(self, order: Order, cancelled: Callable[[], bool]) -> Started:
        """Start one."""
        return Spawned(Path(order["folder"]))

    def give_up(self) -> None:
        """It cannot get colder."""


def give(started: Started, order: Order) -> None:
    """Write an order. A process that has ended already is told by its silence."""
    with contextlib.suppress(OSError):
        started.orders.write(json.dumps(order).encode() + b"\n")
        started.orders.flush()


def wanted_libraries(order: Order) -> list[str]:
    """What to import before a run, so that no test's time limit pays for it."""
    return heavy_imports(Path(order["folder"]) / name for name in [*order["submit"], order["tests"]])


def environment() -> dict[str, str]:
    """The variables that a runner starts with."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    kept.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    kept["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return kept
