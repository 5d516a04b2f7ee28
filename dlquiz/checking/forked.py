"""A runner that a warm process forks for us: see `dlquiz.checking.forks`."""

from __future__ import annotations

import os
import signal
import socket
import time
from typing import IO

from dlquiz.checking import packets
from dlquiz.checking.family import end_family
from dlquiz.checking.starting import Order, environment

# What answers at all answers in some hundredths of a second.
REPLY_SECONDS = 2.0


class Forked:
    """Asks for a runner.

    Args:
        connection: leads to the warm process, and is closed by `release`.
        about: goes beside the request.

    Attributes:
        refusal: what was answered if there is no runner; empty if there is one.

    Raises:
        packets.Gone: there is no answer.
    """

    start_seconds = 15.0
    warm = True

    def __init__(self, connection: socket.socket, order: Order, about: Order | None = None) -> None:
        self._connection = connection
        self._status: int | None = None
        theirs, ours = _pipes()
        request = {"folder": order["folder"], "environment": environment()}
        try:
            try:
                packets.send(connection, {"fork": request, **(about or {})}, theirs)
            finally:
                for descriptor in theirs:
                    os.close(descriptor)
            answer = packets.wait(connection, REPLY_SECONDS)
            if answer is None:
                raise packets.Silent(f"no answer within {REPLY_SECONDS:g} s")
            self.pid = int(answer.get("pid", 0))
        except BaseException:
            _close(*ours, connection)
            raise
        self.refusal = {} if self.pid else answer
        self.orders, self.told, self.said = ours
        if self.refusal:
            _close(*ours, connection)

    def wait(self, seconds: float) -> int | None:
        """Its exit status, if it ends in time. With the warm process it is gone, too."""
        deadline = time.monotonic() + seconds
        while self._status is None:
            try:
                message = packets.wait(self._connection, deadline - time.monotonic())
            except packets.Gone:
                self._status = -signal.SIGKILL
                break
            if message is None:
                break
            self._status = message.get("status")
        return self._status

    def end(self) -> None:
        """Kill it with everything that it started."""
        end_family(self.pid)
        self.wait(REPLY_SECONDS)

    def release(self) -> None:
        """Hang up, and the warm process sees it off. Whoever reads the pipes closes them."""
        self._connection.close()


def _close(*files: IO[bytes] | socket.socket) -> None:
    for file in files:
        file.close()


def _pipes() -> tuple[list[int], tuple[IO[bytes], IO[bytes], IO[bytes]]]:
    stdin, orders = os.pipe()
    told, stdout = os.pipe()
    said, stderr = os.pipe()
    files = os.fdopen(orders, "wb"), os.fdopen(told, "rb"), os.fdopen(said, "rb")
    return [stdin, stdout, stderr], files
