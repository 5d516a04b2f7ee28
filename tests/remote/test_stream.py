"""Whole frames or a clear end, within the deadline."""

from __future__ import annotations

import socket
import struct
import threading
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from grader.remote import stream
from grader.remote.wire import MAX_FRAME, WireError

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Two connected ends."""
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def soon(seconds: float = 0.2) -> float:
    return time.monotonic() + seconds


def test_frames_arrive_whole_and_in_order(ends: Ends) -> None:
    for body in (b"", b"one", b"\0" * 1000):
        stream.send(ends[0], body)
    assert [stream.receive(ends[1]) for _ in range(3)] == [b"", b"one", b"\0" * 1000]


def test_a_frame_larger_than_the_sockets_buffer_arrives(ends: Ends) -> None:
    body = bytes(range(256)) * 20_000
    thread = threading.Thread(target=stream.send, args=(ends[0], body, soon(20)))
    thread.start()
    assert stream.receive(ends[1], soon(20)) == body
    thread.join()


@pytest.mark.parametrize(
    "sent", [b"", b"\x05\0\0", struct.pack("<Q", 5) + b"ab"], ids=["nothing", "half a length", "half"]
)
def test_a_frame_that_does_not_come_is_late(ends: Ends, sent: bytes) -> None:
    ends[0].sendall(sent)
    started = time.monotonic()
    with pytest.raises(stream.TooLate):
        stream.receive(ends[1], soon())
    assert 0.15 < time.monotonic() - started < 2


def test_a_frame_that_trickles_in_does_not_move_the_deadline(ends: Ends) -> None:
    ended = threading.Event()

    def trickle() -> None:
        ends[0].sendall(struct.pack("<Q", 10_000))
        while not ended.wait(0.02):
            ends[0].send(b"x")

    thread = threading.Thread(target=trickle)
    thread.start()
    started = time.monotonic()
    try:
        with pytest.raises(stream.TooLate):
            stream.receive(ends[1], soon(0.3))
        assert time.monotonic() - started < 2
    finally:
        ended.set()
        thread.join()


def test_a_reader_that_does_not_read_is_late(ends: Ends) -> None:
    started = time.monotonic()
    with pytest.raises(stream.TooLate):
        stream.send(ends[0], b"\0" * 8_000_000, soon())
    assert time.monotonic() - started < 2


def test_a_deadline_that_passed_is_late(ends: Ends) -> None:
    stream.send(ends[0], b"x")
    for call in (lambda: stream.receive(ends[1], soon(-1)), lambda: stream.send(ends[0], b"x", soon(-1))):
        with pytest.raises(stream.TooLate):
            call()


@pytest.mark.parametrize(
    "sent", [b"", b"\x05\0\0", struct.pack("<Q", 5) + b"ab"], ids=["nothing", "half a length", "half"]
)
def test_the_end_of_the_stream_is_told(ends: Ends, sent: bytes) -> None:
    ends[0].sendall(sent)
    ends[0].close()
    with pytest.raises(stream.Closed):
        stream.receive(ends[1], soon(5))


def test_a_broken_connection_is_told(ends: Ends) -> None:
    ends[0].close()
    with pytest.raises(stream.Closed):
        stream.send(ends[1], b"x" * 10, soon(5))


@pytest.mark.parametrize("length", [MAX_FRAME + 1, 2**63, 2**64 - 1])
def test_a_giant_length_is_refused_at_once(ends: Ends, length: int) -> None:
    ends[0].sendall(struct.pack("<Q", length))
    with pytest.raises(WireError, match=f"a frame of {length} bytes"):
        stream.receive(ends[1], soon(5))


def test_an_announced_length_alone_costs_no_memory(ends: Ends) -> None:
    ends[0].sendall(struct.pack("<Q", MAX_FRAME) + b"x" * 100)
    tracemalloc.start()
    try:
        with pytest.raises(stream.TooLate):
            stream.receive(ends[1], soon())
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()
