"""The worker's side: answers the referee's requests with the student's module. Runs confined."""

from __future__ import annotations

import builtins
import io
import os
import random
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dlquiz.testing.direct import load_module
from dlquiz.testing.objects import Executor, clean, describe
from dlquiz.testing.values import Callback, NotData, from_tree, to_tree
from grader.remote import stream, wire
from grader.remote.forbid import forbidden_call

MAX_OUTPUT = 16_000


class CapturedText(io.TextIOBase):
    """A text stream that keeps the first `MAX_OUTPUT` characters between two `take`s."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._left = MAX_OUTPUT

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, text: str) -> int:
        """Keep what still fits."""
        if self._left > 0:
            self._parts.append(text[: self._left])
        self._left -= len(text)
        return len(text)

    def take(self) -> str:
        """What was written since the last call."""
        text = clean("".join(self._parts)) + ("\n... (cut)" if self._left < 0 else "")
        self._parts, self._left = [], MAX_OUTPUT
        return text


class Worker:
    """Answers requests over one connection until it closes."""

    def __init__(self, connection: socket.socket, folder: Path) -> None:
        self._connection = connection
        self._folder = folder
        self._executor: Executor | None = None
        self._current = 0
        self._output = CapturedText()
        sys.stdout = sys.stderr = self._output

    def run(self) -> None:
        """Serve; returns when the referee hangs up."""
        while True:
            try:
                self._answer(self._receive())
            except stream.Closed:
                return

    def _receive(self) -> dict[str, Any]:
        message = wire.decode(stream.receive(self._connection))
        assert isinstance(message, dict)
        return message

    def _answer(self, message: dict[str, Any]) -> None:
        previous, self._current = self._current, message["id"]
        try:
            answer: dict[str, object] = {"ok": self._perform(message["op"], message["args"])}
        except stream.Closed:
            raise
        except NotData as error:
            answer = {"bad": str(error)}
        except BaseException as error:
            answer = {"err": describe(forbidden_call(error) or error, str(self._folder))}
        try:
            self._send(answer)
        except (wire.TooLarge, UnicodeEncodeError) as error:
            self._send({"bad": clean(str(error))})
        finally:
            self._current = previous

    def _perform(self, op: str, args: list[Any]) -> object:
        if op == "load":
            self._load(*args)
            return None
        assert self._executor is not None
        if op == "forget":
            self._executor.forget()
            return None
        return self._executor.perform(op, args)

    def _load(self, name: str, seed: int) -> None:
        self._seed(seed)
        sys.path.insert(0, str(self._folder))
        module = load_module(self._folder / f"{name}.py")
        self._executor = Executor(module, self._proxy)

    def _seed(self, seed: int) -> None:
        random.seed(seed)
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed(seed)
        if "keras" in sys.modules:
            sys.modules["keras"].utils.set_random_seed(seed)

    def _send(self, answer: dict[str, object]) -> None:
        body = wire.encode({"id": self._current, **answer, "out": self._output.take()})
        stream.send(self._connection, body)

    def _proxy(self, callback: Callback) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            assert self._executor is not None
            keep = self._executor.keep
            self._send({"call": callback, "args": to_tree(list(args), keep), "kwargs": to_tree(kwargs, keep)})
            while True:
                message = self._receive()
                if "op" in message:
                    self._answer(message)
                elif "error" in message:
                    raise getattr(builtins, message["error"])(message["text"])
                else:
                    return from_tree(message["value"], self._executor.revive)

        return call


def main(connection: socket.socket, folder: Path) -> None:
    """Serve `connection`; called in the confined fork."""
    sys.dont_write_bytecode = True
    sys.argv = [""]
    _warm_up()
    stream.send(connection, wire.encode({"ready": True}))
    Worker(connection, folder).run()
    os._exit(0)


def _warm_up() -> None:
    """Start TensorFlow's runtime while nobody waits for it."""
    if "keras" in sys.modules:
        sys.modules["keras"].ops.zeros(1)
