"""Keep a warm process for as long as one command runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from dlquiz.checking import packets
from dlquiz.checking.forked import Forked
from dlquiz.checking.spares import Spares
from dlquiz.checking.starting import Cancelled, Order, Started, environment, wanted_libraries

CAN_FORK = sys.platform == "linux"
_POLL_SECONDS = 0.1


class Kept:
    """Starts each runner warm: as a fork where forks are safe, else as a spare process.

    Args:
        tell: is told once, in words, what the second way costs, if it has to be taken.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._server: _Server | None = None
        self._spares: Spares | None = None
        if not CAN_FORK:
            self._fall_back("this system cannot fork a Python that has imported TensorFlow")

    def start(self, order: Order, cancelled: Callable[[], bool]) -> Started:
        """Start a runner; the first one waits for the libraries. Raises Cancelled."""
        if self._spares is None:
            started = self._fork(order, cancelled)
            if started is not None:
                return started
        assert self._spares
        return self._spares.start(order, cancelled)

    def give_up(self) -> None:
        """Do without forks from now on, or else without spares."""
        if self._spares:
            self._spares.give_up()
        else:
            self._fall_back("a forked process did not get as far as your code")

    def close(self) -> None:
        """End everything that waits."""
        if self._server:
            self._server.close()
            self._server = None
        if self._spares:
            self._spares.close()

    def _fork(self, order: Order, cancelled: Callable[[], bool]) -> Started | None:
        wanted = set(wanted_libraries(order))
        if self._server and not (self._server.lives() and wanted <= self._server.libraries):
            wanted |= self._server.libraries
            self._server.close()
            self._server = None
        if self._server is None:
            self._server = _Server(wanted)
        try:
            unsafe = self._server.why_not(cancelled)
            if not unsafe:
                return self._server.fork(order)
        except packets.Gone:
            unsafe = "the process to fork ended"
        self._fall_back(unsafe)
        return None

    def _fall_back(self, reason: str) -> None:
        if self._spares is None:
            self.close()
            self._spares = Spares()
            self._tell(
                f"{reason[0].upper()}{reason[1:]}. So a second Python waits with the libraries imported: that takes "
                "its memory twice, and a save that comes before the next one is ready waits for it."
            )


class _Server:
    """The process that imports and forks."""

    def __init__(self, libraries: set[str]) -> None:
        self.libraries = libraries
        self._ready = False
        self._control, theirs = packets.pair()
        with theirs:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "dlquiz.checking.forks"),
                    *(str(theirs.fileno()), *sorted(libraries)),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(),
                start_new_session=True,
            )

    def lives(self) -> bool:
        return self._process.poll() is None

    def why_not(self, cancelled: Callable[[], bool]) -> str:
        """Wait until it is ready; why it must not fork, or "". Raises Gone, Cancelled."""
        while not self._ready:
            if cancelled():
                raise Cancelled
            message = packets.wait(self._control, _POLL_SECONDS)
            if message and "unsafe" in message:
                return str(message["unsafe"])
            self._ready = message is not None
        return ""

    def fork(self, order: Order) -> Started:
        """A runner. Raises Gone."""
        ours, theirs = packets.pair()
        try:
            with theirs:
                packets.send(self._control, {}, [theirs.fileno()])
        except packets.Gone:
            ours.close()
            raise
        return Forked(ours, order)

    def close(self) -> None:
        self._control.close()
        self._process.kill()
        self._process.wait()
