"""The process that runs the tests, once it is started: its order, its messages, its end."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import threading
from typing import IO, Any

import psutil

from dlquiz.checking.starting import Order, Started, give

_MAX_LINE = 1_000_000
_MAX_TAIL = 64_000


class Child:
    """Gives a runner its order, collects its messages and the end of its standard error, and sees it off.

    Attributes:
        messages: what it tells; None when it falls silent.
    """

    def __init__(self, started: Started, order: Order) -> None:
        self._started = started
        self._order = order
        self.warm = started.warm
        self.start_seconds = started.start_seconds

    def __enter__(self) -> Child:
        self.messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._tail = bytearray()
        self._readers = [
            threading.Thread(target=read, args=(pipe,), daemon=True)
            for read, pipe in ((self._hear, self._started.told), (self._drain, self._started.said))
        ]
        try:
            for reader in self._readers:
                reader.start()
            give(self._started, self._order)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        with contextlib.suppress(OSError):
            self._started.orders.close()
        for reader in self._readers:
            if reader.ident:
                reader.join(timeout=1)
        self._started.release()

    def end(self) -> None:
        """Kill it with everything that it started."""
        self._started.end()

    def exit_status(self) -> int:
        """How it ended by itself; a process that only fell silent is ended."""
        status = self._started.wait(2)
        if status is None:
            self.end()
            status = self._started.wait(2)
        return status or 0

    def memory(self) -> int:
        """Resident bytes of it and of what it started."""
        total = 0
        with contextlib.suppress(psutil.Error):
            top = psutil.Process(self._started.pid)
            for process in (top, *top.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    total += process.memory_info().rss
        return total

    def last_words(self) -> str:
        """The end of what it wrote to standard error."""
        self._readers[1].join(timeout=1)
        return self._tail.decode(errors="replace")

    def _hear(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in iter(lambda: pipe.readline(_MAX_LINE), b""):
                try:
                    message = json.loads(line)
                except ValueError:
                    break
                self.messages.put(message if isinstance(message, dict) else None)
        self.messages.put(None)

    def _drain(self, pipe: IO[bytes]) -> None:
        with pipe:
            while block := os.read(pipe.fileno(), 65536):
                self._tail += block
                del self._tail[:-_MAX_TAIL]
