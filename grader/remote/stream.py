"""Whole frames over a stream socket, with a deadline."""

from __future__ import annotations

import socket
import time

from grader.remote.wire import LENGTH, MAX_FRAME, WireError


class Closed(ConnectionError):
    """The other side is gone."""


class TooLate(TimeoutError):
    """The deadline passed before the frame was through."""


def send(connection: socket.socket, body: bytes, deadline: float | None = None) -> None:
    """Send one frame.

    Args:
        deadline: on `time.monotonic`'s clock; None waits for ever.

    Raises:
        Closed, TooLate.
    """
    rest = memoryview(LENGTH.pack(len(body)) + body)
    while rest:
        _patience(connection, deadline)
        try:
            rest = rest[connection.send(rest) :]
        except TimeoutError:
            raise TooLate from None
        except OSError:
            raise Closed from None


def receive(connection: socket.socket, deadline: float | None = None) -> bytes:
    """Receive one frame's body.

    Raises:
        Closed: at the end of the stream, also within a frame. TooLate: at the deadline.
        WireError: the frame is announced as longer than `MAX_FRAME`.
    """
    (length,) = LENGTH.unpack(_exactly(connection, LENGTH.size, deadline))
    if length > MAX_FRAME:
        raise WireError(f"a frame of {length} bytes")
    return _exactly(connection, length, deadline)


def _exactly(connection: socket.socket, count: int, deadline: float | None) -> bytes:
    # Grows with what arrives: an announced length alone must not cost memory.
    content = bytearray()
    while len(content) < count:
        _patience(connection, deadline)
        try:
            piece = connection.recv(min(count - len(content), 2**20))
        except TimeoutError:
            raise TooLate from None
        except OSError:
            raise Closed from None
        if not piece:
            raise Closed
        content += piece
    return bytes(content)


def _patience(connection: socket.socket, deadline: float | None) -> None:
    if deadline is None:
        return
    left = deadline - time.monotonic()
    if left <= 0:
        raise TooLate
    connection.settimeout(left)
