"""The child process of a check: `python -m dlquiz.checking.runner` runs the public tests of one folder.

It reads one JSON line of orders, perhaps after another that says what to import meanwhile, and tells what happens as
JSON lines on the descriptor that was its standard output. Everything that code prints goes elsewhere: text of Python's
into those lines, bounded for each test, and what is written past Python to standard error. It ends when its standard
input closes, so it outlives no parent.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import random
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import pytest

from dlquiz.checking.examination import MAX_TEXT, Examination, Wanted
from dlquiz.checking.family import end_group
from dlquiz.checking.libraries import load
from dlquiz.checking.starting import wanted_libraries
from dlquiz.testing.direct import DirectChannel, load_module
from dlquiz.testing.objects import clean, describe
from dlquiz.testing.student import Student

MAX_OUTPUT = 10_000
MAX_FRAMES = 6


class _Wire:
    """Sends one JSON line at a time, whatever thread it comes from."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._lock = threading.Lock()

    def send(self, **message: object) -> None:
        line = memoryview(json.dumps(message).encode() + b"\n")
        with self._lock:
            while line:
                line = line[self._file.write(line) :]


class _Printed(io.RawIOBase):
    """Sends what a test prints, up to `MAX_OUTPUT` bytes a test."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire
        self.left = MAX_OUTPUT

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        given = bytes(data)
        if self.left > 0 and given:
            text = given[: self.left].decode(errors="replace")
            self._wire.send(event="output", text=text + ("" if len(given) <= self.left else "\n... (cut)"))
            self.left -= len(given)
        return len(given)


def main() -> None:
    """Carry out the orders on standard input."""
    wire, orders = _take_over()
    order = _read(orders)
    if "prepare" in order:
        load(order["prepare"])
        order = _read(orders)
    threading.Thread(target=_end_with_the_parent, args=(orders,), daemon=True).start()
    printed = _Printed(wire)
    # One for all tests: the student's code may keep it, as a logging handler does.
    sys.stdout = sys.stderr = io.TextIOWrapper(
        cast(IO[bytes], printed), "utf-8", "replace", write_through=True
    )
    _Check(order, wire, printed).run()
    wire.send(event="done")


def _take_over() -> tuple[_Wire, IO[bytes]]:
    """The connection to the parent, put out of the way of the code to be checked."""
    wire, orders = _Wire(os.dup(1)), os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    faulthandler.enable(file=2)
    return wire, orders


def _read(orders: IO[bytes]) -> dict[str, Any]:
    line = orders.readline()
    if not line:
        sys.exit(1)
    order = json.loads(line)
    assert isinstance(order, dict)
    return order


def _end_with_the_parent(orders: IO[bytes]) -> None:
    orders.read()
    end_group(os.getpid())
    os._exit(1)


class _Check:
    """One run of the public tests."""

    def __init__(self, order: dict[str, Any], wire: _Wire, printed: _Printed) -> None:
        self._order = order
        self._wire = wire
        self._printed = printed
        self._folder = Path(order["folder"])
        self._text = sys.stdout

    def run(self) -> None:
        self._wire.send(event="phase", phase="libraries")
        load(wanted_libraries(self._order))
        sys.dont_write_bytecode = True
        self._wire.send(event="phase", phase="module")
        if not self._load():
            return
        self._wire.send(event="phase", phase="tests")
        Examination(
            Wanted(
                self._folder / self._order["tests"],
                self._order["seed"],
                self._order["problems"],
                frozenset(self._order["done"]),
                self._order["not_passed"],
            ),
            student=lambda: Student(self._channel),
            own_lines=self._own_lines,
            tell=self._wire.send,
            during=self._during,
        ).run()

    def _load(self) -> bool:
        """Import the student's module; whether that went well."""
        # At the end: a student's random.py must not stand in for the library's.
        sys.path.append(str(self._folder))
        self._seed()
        try:
            with self._watched():
                module = load_module(self._folder / self._order["submit"][0])
        except BaseException as error:
            told = describe(error, str(self._folder))
            message = f"{told['type']}: {told['message']}".removesuffix(": ")
            self._wire.send(event="unimportable", message=message[:MAX_TEXT], trace=told["traceback"])
            return False
        self._channel = DirectChannel(module, self._folder)
        return True

    def _seed(self) -> None:
        seed = self._order["seed"]
        random.seed(seed)
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed(seed)
        if "keras" in sys.modules:
            sys.modules["keras"].utils.set_random_seed(seed)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Shortly before the parent's patience ends, say where the code is."""
        timer = threading.Timer(self._order["timeout"] * 0.8, self._tell_place)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _tell_place(self) -> None:
        frame = sys._current_frames().get(threading.main_thread().ident or 0)
        lines = [
            f"{Path(place.filename).name}, line {place.lineno}, in {place.name}\n    {place.line or ''}".rstrip()
            for place in traceback.extract_stack(frame)
            if Path(place.filename).parent == self._folder
            and Path(place.filename).name != self._order["tests"]
        ]
        self._wire.send(event="place", trace=clean("\n".join(lines[-MAX_FRAMES:]))[:MAX_TEXT])

    def _own_lines(self, error: BaseException) -> str:
        return str(describe(error, str(self._folder))["traceback"])

    @contextlib.contextmanager
    def _during(self, item: pytest.Item) -> Iterator[None]:
        self._printed.left = MAX_OUTPUT
        with (
            contextlib.redirect_stdout(self._text),
            contextlib.redirect_stderr(self._text),
            self._watched(),
        ):
            yield


if __name__ == "__main__":
    main()
