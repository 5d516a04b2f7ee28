"""Trees of every kind, and the referee's channel with its other end in the hands of a test."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import strategies as st

from dlquiz.testing.student import Student
from dlquiz.testing.values import DTYPES, Callback, Ref
from dlquiz.testing.verdict import Verdict
from grader.remote import stream, wire
from grader.remote.channel import RemoteChannel


def _dtype(name: str) -> np.dtype[Any]:
    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


@st.composite
def arrays(draw: st.DrawFn) -> Any:
    """Arrays of any allowed dtype and content, NaN payloads too; of no dimension, of no size, in Fortran's order."""
    dtype = _dtype(draw(st.sampled_from(sorted(DTYPES))))
    shape = tuple(draw(st.lists(st.integers(0, 3), max_size=4)))
    size = int(np.prod(shape, dtype=int)) * dtype.itemsize
    content = draw(st.binary(min_size=size, max_size=size))
    if dtype.kind == "b":
        content = bytes(byte & 1 for byte in content)
    array = np.frombuffer(content, dtype=dtype).reshape(shape)
    return draw(st.sampled_from([array, np.asfortranarray(array), array.T]))


def _scalars(array: Any) -> Any:
    return array.reshape(-1)[0] if array.size else np.float32(1)


_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
_KEYS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(),
    st.tuples(st.integers(), st.text()), st.builds(Ref, st.integers(0, 2**40), st.text(max_size=80)),
)  # fmt: skip
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**4096) + 1, 2**4096 - 1),
    st.floats(),
    st.complex_numbers(),
    st.text(),
    st.binary(),
    arrays(),
    arrays().map(_scalars),
    st.lists(_TEXT, min_size=1).map(np.array),
    st.builds(Ref, st.integers(0, 2**40), st.text(max_size=80)),
    st.builds(Callback, st.integers(0, 2**40)),
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(_KEYS, inner, max_size=4),
    ),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Whether two trees are the same in type, dtype, shape, order and every bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (np.ndarray, np.generic)):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other)
    if isinstance(one, complex):
        return same(one.real, other.real) and same(one.imag, other.imag)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one.keys()), list(other.keys())) and same(list(one.values()), list(other.values()))
    return bool(one == other)


def is_tree(tree: Any) -> bool:
    """Whether it is built of nothing but exact built-in types, plain arrays, scalars and references."""
    if isinstance(tree, np.ndarray):
        return type(tree) is np.ndarray and (tree.dtype.name in DTYPES or tree.dtype.kind in "US")
    if isinstance(tree, np.generic):
        return tree.dtype.name in DTYPES or tree.dtype.kind in "US"
    if type(tree) in (list, tuple):
        return all(map(is_tree, tree))
    if type(tree) is dict:
        return all(map(is_tree, tree.keys())) and all(map(is_tree, tree.values()))
    return tree is None or type(tree) in (bool, int, float, complex, str, bytes, Ref, Callback)


@pytest.fixture(scope="session")
def trees() -> st.SearchStrategy[Any]:
    """A strategy for trees of every kind."""
    return TREES


@pytest.fixture(scope="session")
def same_tree() -> Callable[[Any, Any], bool]:
    """See `same`."""
    return same


@pytest.fixture(scope="session")
def is_plain() -> Callable[[Any], bool]:
    """See `is_tree`."""
    return is_tree


class Pair:
    """The worker's end of a connection, played by a test."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.asked: list[dict[str, Any]] = []

    def receive(self) -> dict[str, Any]:
        """The referee's next message."""
        message = wire.decode(stream.receive(self.connection))
        assert isinstance(message, dict)
        self.asked.append(message)
        return message

    def send(self, answer: dict[str, Any]) -> None:
        """Any message."""
        stream.send(self.connection, wire.encode(answer))

    def answer(self, message: dict[str, Any], **answer: Any) -> None:
        """A well-formed answer to a message."""
        self.send({"id": message["id"], "out": "", **answer})

    def accept(self) -> None:
        """Import the submission."""
        message = self.receive()
        assert message["op"] == "load"
        self.answer(message, ok=None)


class Puppeteer:
    """A supervisor whose workers are scripts of a test, each run in a thread of its own; the last one repeats."""

    def __init__(self, *scripts: Callable[[Pair], None]) -> None:
        self.scripts = list(scripts)
        self.started: list[Pair] = []
        self.stopped = 0
        self.death = (Verdict.CRASHED, "it is gone")
        self._threads: list[threading.Thread] = []

    def start_worker(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        script = self.scripts[min(len(self.started), len(self.scripts) - 1)]
        pair = Pair(theirs)
        self.started.append(pair)

        def run() -> None:
            with theirs, contextlib.suppress(stream.Closed, wire.WireError):
                script(pair)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self._threads.append(thread)
        return ours

    def stop_worker(self) -> None:
        self.stopped += 1

    def cause_of_death(self) -> tuple[Verdict, str]:
        return self.death

    def join(self) -> None:
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()


@pytest.fixture
def connect() -> Iterator[Callable[..., tuple[RemoteChannel, Student, Any]]]:
    """Make a channel whose workers are scripts; returns it with its `student` and its supervisor."""
    made: list[tuple[RemoteChannel, Puppeteer]] = []

    def connect(
        *scripts: Callable[[Pair], None], call_seconds: float = 5, seconds: float = 60, seed: int = 1
    ) -> tuple[RemoteChannel, Student, Puppeteer]:
        supervisor = Puppeteer(*scripts)
        channel = RemoteChannel(supervisor, "answer", seed, call_seconds, seconds)
        channel.begin_test()
        made.append((channel, supervisor))
        return channel, Student(channel), supervisor

    yield connect
    for channel, supervisor in made:
        channel._drop()
        supervisor.join()


@pytest.fixture(scope="session")
def honest() -> Callable[..., Callable[[Pair], None]]:
    """Make a worker's script: import, then answer every request with one value."""

    def make(value: object = 42, out: str = "") -> Callable[[Pair], None]:
        def script(pair: Pair) -> None:
            pair.accept()
            while True:
                pair.answer(pair.receive(), ok=value, out=out)

        return script

    return make
