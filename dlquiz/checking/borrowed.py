"""Start runners from the helper that an earlier check left behind, where there is one: see `dlquiz.checking.helper`."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from dlquiz.checking import packets
from dlquiz.checking.starting import Order, Spawned, Started, environment, wanted_libraries

IDLE_SECONDS = 600
SWITCH = "DLQUIZ_WARM"
_LAUNCH_SECONDS = 10


def welcome() -> bool:
    """Whether a helper may be used here: on Linux, outside continuous integration, and if it is not switched off."""
    return sys.platform == "linux" and not os.environ.get("CI") and os.environ.get(SWITCH) != "0"


class Borrowed:
    """Takes a runner from the helper, and does without one as soon as anything is wrong with it."""

    def __init__(self) -> None:
        from dlquiz.checking import identity

        self._name, self._stamp = identity.identity(), identity.stamp()
        self._libraries: set[str] = set()
        self._helped = False
        self._given_up = False

    def start(self, order: Order, cancelled: Callable[[], bool]) -> Started:
        """Start one, warm or cold."""
        wanted = wanted_libraries(order)
        self._libraries.update(wanted)
        if not self._given_up:
            with contextlib.suppress(OSError):
                return self._borrow(order, wanted)
        self._given_up = True
        return Spawned(Path(order["folder"]))

    def give_up(self) -> None:
        """End the helper, whose forks are of no use."""
        self._given_up = True
        end_helpers(self._name)

    def leave_helper(self) -> None:
        """See to it that the next check finds one, which is on its way when this returns."""
        if self._helped and not self._given_up:
            return
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                [
                    *(sys.executable, "-P", "-m", "dlquiz.checking.helper", self._name, self._stamp),
                    *(str(IDLE_SECONDS), *sorted(self._libraries)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(),
                timeout=_LAUNCH_SECONDS,
            )

    def _borrow(self, order: Order, wanted: list[str]) -> Started:
        """Raises OSError."""
        from dlquiz.checking.forked import Forked
        from dlquiz.checking.room import Room

        with Room(make=False) as room:
            connection = room.connect(self._name)
            try:
                forked = Forked(connection, order, {"stamp": self._stamp, "libraries": wanted})
            except packets.Silent:
                # The next check shall not wait for it again.
                end_helpers(self._name)
                raise
        if forked.refusal:
            self._libraries.update(map(str, forked.refusal.get("libraries", ())))
            raise packets.Gone("it is out of date")
        self._helped = True
        return forked


def helpers() -> list[int]:
    """The process ids of the helpers of this user."""
    if sys.platform == "linux":
        from dlquiz.checking.room import Room

        with contextlib.suppress(OSError), Room(make=False) as room:
            return list(room.helpers().values())
    return []


def end_helpers(only: str | None = None) -> None:
    """End them, or the one of that name."""
    if sys.platform == "linux":
        from dlquiz.checking.room import Room

        with contextlib.suppress(OSError), Room(make=False) as room:
            for name, pid in room.helpers().items():
                if only in (None, name):
                    room.end(name, pid)
