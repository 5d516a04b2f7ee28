"""Messages between the parent and its own processes: one JSON text a packet, descriptors beside it.

Both ends are trusted; a student's code never holds such a socket.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from typing import Any

MAX_MESSAGE = 180_000
_MAX_DESCRIPTORS = 4


class Gone(ConnectionError):
    """The other process ended."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def adopt(descriptor: int) -> socket.socket:
    """An inherited end."""
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, fileno=descriptor)


def send(end: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send a message.

    Raises:
        Gone: nobody is there to read it. ValueError: it is longer than a packet may be.
    """
    packet = json.dumps(message, ensure_ascii=False).encode(errors="replace")
    if len(packet) > MAX_MESSAGE:
        raise ValueError(f"a message of {len(packet)} bytes")
    try:
        socket.send_fds(end, [packet], list(descriptors))
    except OSError as error:
        raise Gone(str(error)) from None


def receive(end: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Receive a message and its descriptors.

    Raises:
        Gone: the other end was closed.
    """
    try:
        packet, descriptors, _, _ = socket.recv_fds(end, MAX_MESSAGE, _MAX_DESCRIPTORS)
    except OSError as error:
        raise Gone(str(error)) from None
    if not packet:
        raise Gone("the other process ended")
    message = json.loads(packet)
    assert isinstance(message, dict)
    return message, list(descriptors)
