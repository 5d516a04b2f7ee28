"""Where no warm process can be forked: a Python that has imported the libraries waits for its one order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dlquiz.checking.starting import Order, Spawned, Started, wanted_libraries


class Spares:
    """Gives out the process that waits, and starts the next one meanwhile."""

    def __init__(self) -> None:
        self._spare: Spawned | None = None
        self._libraries: set[str] = set()
        self._given_up = False

    def start(self, order: Order, cancelled: Callable[[], bool]) -> Started:
        """The spare if it still lives and has imported what is needed; else a new process."""
        folder, wanted = Path(order["folder"]), wanted_libraries(order)
        spare, self._spare = self._spare, None
        if spare and (spare.wait(0) is not None or not self._libraries.issuperset(wanted)):
            _end(spare)
            spare = None
        try:
            spare = spare or Spawned(folder)
            if wanted and not self._given_up:
                self._spare, self._libraries = Spawned(folder, wanted), set(wanted)
        except BaseException:
            if spare:
                _end(spare)
            raise
        return spare

    def give_up(self) -> None:
        """Keep none from now on."""
        self._given_up = True

    def close(self) -> None:
        """End the one that waits."""
        if self._spare:
            _end(self._spare)
            self._spare = None


def _end(spare: Spawned) -> None:
    spare.end()
    for pipe in (spare.orders, spare.told, spare.said):
        pipe.close()
