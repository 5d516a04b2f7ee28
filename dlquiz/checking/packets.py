"""Messages between dlquiz's own processes: one JSON text a packet, descriptors beside it. Linux only."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
from collections.abc import Sequence
from typing import Any

MAX_PACKET = 180_000
_MAX_DESCRIPTORS = 4


class Gone(ConnectionError):
    """The other process ended, or says what cannot be understood."""


class Silent(Gone):
    """The other process does not answer."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(end: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send a message. Raises Gone, also for one that is too long for a packet."""
    packet = json.dumps(message).encode()
    if len(packet) > MAX_PACKET:
        raise Gone(f"a message of {len(packet)} bytes")
    try:
        socket.send_fds(end, [packet], list(descriptors))
    except OSError as error:
        raise Gone(str(error)) from None


def receive(end: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Receive a message and its descriptors. Raises Gone."""
    try:
        packet, descriptors, _, _ = socket.recv_fds(end, MAX_PACKET, _MAX_DESCRIPTORS)
    except OSError as error:
        raise Gone(str(error)) from None
    with contextlib.suppress(ValueError):
        message = json.loads(packet)
        if isinstance(message, dict):
            return message, list(descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    raise Gone("not a message" if packet else "the other process ended")


def wait(end: socket.socket, seconds: float) -> dict[str, Any] | None:
    """The next message, or None if there is none in time. Raises Gone."""
    return receive(end)[0] if select.select([end], [], [], max(0.0, seconds))[0] else None
