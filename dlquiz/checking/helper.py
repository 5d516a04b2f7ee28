"""The helper: outlives a `dlquiz check`, so that the next one finds the libraries imported. Linux only.

It forks a runner for each check that comes from the same user and the same world (`dlquiz.checking.identity`). It ends
when nobody comes for some minutes, when it is told to (SIGTERM), and when it is out of date.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

from dlquiz.checking.forks import Forks, why_not_fork
from dlquiz.checking.libraries import load
from dlquiz.checking.room import Room, admit


def main() -> None:
    """`python -m dlquiz.checking.helper NAME STAMP IDLE_SECONDS LIBRARY...`: returns when the helper is on its way."""
    name, stamp, idle, *libraries = sys.argv[1:]
    with Room(make=True) as room:
        lock = room.lock(name)
        unfit = f"not to be forked: {stamp}"
        if lock is None or room.read(lock) == unfit:
            return
        pid = os.fork()
        if pid:
            room.write(lock, str(pid))
            return
        os.setsid()
        os.chdir("/")
        load(["dlquiz.checking.runner", *libraries])
        if why_not_fork():
            room.write(lock, unfit)
        else:
            _serve(room, name, lock, stamp, set(libraries), float(idle))


def _serve(room: Room, name: str, lock: int, stamp: str, libraries: set[str], idle: float) -> None:
    listener = room.listen(name)

    def refuse(request: Mapping[str, Any]) -> dict[str, Any] | None:
        if request["stamp"] == stamp and libraries.issuperset(request["libraries"]):
            return None
        return {"libraries": sorted(libraries)}

    forks = Forks(listener, partial(admit, listener), refuse, idle, private=[lock, room.descriptor])

    def end(*_: object) -> None:
        forks.close()
        if not forks.busy:
            room.forget(name)
            os._exit(0)

    signal.signal(signal.SIGTERM, end)
    forks.run()
    room.forget(name)


if __name__ == "__main__":
    main()
