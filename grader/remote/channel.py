"""The referee's side: asks the worker, within deadlines, and believes nothing but data."""

from __future__ import annotations

import builtins
import hashlib
import re
import secrets
import select
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from dlquiz.testing.student import StudentError, StudentStopped, Unusable, outgoing, revive, student_error
from dlquiz.testing.values import Callback, Ref, from_tree
from dlquiz.testing.verdict import Verdict
from grader.remote import stream, wire

MAX_TEXT = 20_000
MAX_RECEIVED = 256 * 2**20
_MODULE = Ref(0, "module")
_WORD = re.compile(r"\w+")
_FORGED = "what came over the grader's connection was not written by the grader"


class Supervisor(Protocol):
    """What the referee asks of the parent, which alone starts, watches and kills workers."""

    def start_worker(self) -> socket.socket:
        """A connection to a fresh, confined worker that holds the submission's files."""

    def stop_worker(self) -> None:
        """Kill the worker."""

    def cause_of_death(self) -> tuple[Verdict, str]:
        """Why the worker is gone: the verdict that this makes, and a sentence for the student."""


class RemoteChannel:
    """A `dlquiz.testing.student.Channel` to a worker, replaced when it dies.

    Args:
        supervisor: starts and stops workers.
        name: the student's module.
        seed: seeds the worker's random generators.
        call_seconds: longest time that one request may take.
        seconds: longest time for all of them.
        forbidden: names of the student's module that no test may use, with the reason; "" stands for all.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        name: str,
        seed: int,
        call_seconds: float,
        seconds: float,
        forbidden: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._forbidden = forbidden or {}
        self.asked = False
        self.stopped: StudentStopped | None = None
        self.import_error: StudentError | StudentStopped | Unusable | None = None
        self.import_output = ""
        self.callback_failure: AssertionError | None = None
        self._received = 0
        self._forgetting: int | None = None
        self._supervisor = supervisor
        self._seed = seed
        self._call_seconds = call_seconds
        self._end = time.monotonic() + seconds
        self._seconds = seconds
        self._connection: socket.socket | None = None
        self._output: list[str] = []
        self._functions: list[Callable[..., object]] = []

    def begin_test(self) -> None:
        """Start a test with nothing asked, nothing stopped and no objects kept."""
        self.asked = False
        self.stopped = None
        self.callback_failure = None
        self._received = 0
        self._output.clear()
        self._functions.clear()

    def end_test(self) -> None:
        """Have the worker drop the test's objects. Nobody waits for it: the next test looks whether it did."""
        if self._connection is None or not self.asked:
            return
        number = secrets.randbits(62)
        try:
            deadline = time.monotonic() + self._call_seconds
            stream.send(self._connection, wire.encode({"id": number, "op": "forget", "args": []}), deadline)
        except (stream.TooLate, stream.Closed):
            self._drop()
        else:
            self._forgetting = number

    def _settle(self) -> None:
        """Replace a worker that did not come back from forgetting: no later test pays for an earlier one's objects."""
        if self._connection is None or self._forgetting is None:
            return
        number, self._forgetting = self._forgetting, None
        try:
            answer = self._receive(number, min(time.monotonic() + self._call_seconds, self._end))
            if "ok" not in answer or select.select([self._connection], [], [], 0)[0]:
                self._drop()
        except (stream.TooLate, stream.Closed, wire.WireError, StudentStopped):
            self._drop()
        self.stopped = None
        self._output.clear()
        self._received = 0

    def take_output(self) -> str:
        """What the student's code printed in this test."""
        return "".join(self._output)[:MAX_TEXT]

    def callback(self, function: Callable[..., object]) -> Callback:
        """Number a function of the suite's."""
        self._functions.append(function)
        return Callback(len(self._functions) - 1)

    def request(self, op: str, args: list[object]) -> object:
        """Ask the worker; see `Channel.request`. A dead worker is replaced in the next test, not in this one."""
        self.asked = True
        if self.stopped is None and self._forbidden and (why := self._forbidden_in(op, args)):
            self.stopped = StudentStopped(Verdict.FORBIDDEN, why)
        if self.stopped is not None:
            raise self.stopped
        self._settle()
        self.load()
        if self.import_error is not None:
            raise self.import_error.with_traceback(None)
        return self._exchange(op, args)

    def _forbidden_in(self, op: str, args: list[object]) -> str:
        """Why a request may not be made: it names something that depends on what the assignment forbids."""
        names: Iterable[str] = [""]
        if op == "attr" and args[0] == _MODULE:
            names = ["", str(args[1])]
        elif op == "probe":
            refs: list[object] = []
            from_tree(args, refs.append)
            names = ["", *(_WORD.findall(str(args[0])) if _MODULE in refs else ())]
        return next((self._forbidden[name] for name in names if name in self._forbidden), "")

    def load(self) -> None:
        """Make sure that a worker has imported the submission; an import that fails is not tried again."""
        if self._connection is not None or self.import_error is not None:
            return
        self._connection = self._supervisor.start_worker()
        try:
            self._exchange("load", [self.name, _worker_seed(self._seed)])
        except (StudentError, StudentStopped, Unusable) as error:
            self.import_error = error
        self.import_output = self.import_output or "".join(self._output)[:MAX_TEXT]
        self._output.clear()

    def _exchange(self, op: str, args: list[object]) -> object:
        assert self._connection is not None
        deadline = min(time.monotonic() + self._call_seconds, self._end)
        number = secrets.randbits(62)
        body = wire.encode({"id": number, "op": op, "args": args})
        try:
            if select.select([self._connection], [], [], 0)[0]:
                self._answered_unasked()
            stream.send(self._connection, body, deadline)
            while True:
                answer = self._receive(number, deadline)
                if "call" not in answer:
                    return self._result(answer)
                stream.send(self._connection, wire.encode(self._call_back(answer)), deadline)
        except stream.TooLate:
            raise self._stop(Verdict.TIMEOUT, self._lateness()) from None
        except stream.Closed:
            verdict, text = self._supervisor.cause_of_death()
            raise self._stop(verdict, text) from None
        except wire.WireError as error:
            raise self._stop(Verdict.FORBIDDEN, f"{_FORGED} ({error})") from None
        except (StudentError, StudentStopped, Unusable):
            raise
        except Exception as error:
            # Whatever an answer makes the grader trip over is the answer's fault: it must not cost the result.
            raise self._stop(Verdict.FORBIDDEN, f"{_FORGED} ({type(error).__name__})") from None

    def _answered_unasked(self) -> None:
        assert self._connection is not None
        if not self._connection.recv(1, socket.MSG_PEEK):
            raise stream.Closed
        raise wire.WireError("an answer before the question")

    def _lateness(self) -> str:
        if time.monotonic() >= self._end:
            return f"the submission used up its {self._seconds:g} s"
        return f"no answer within {self._call_seconds:g} s"

    def _receive(self, number: int, deadline: float) -> dict[str, Any]:
        assert self._connection is not None
        body = stream.receive(self._connection, deadline)
        self._received += wire.weight(body)
        if self._received > MAX_RECEIVED:
            raise self._stop(Verdict.MEMORY, f"returned more than {MAX_RECEIVED // 2**20} MiB in one test")
        answer = wire.decode(body)
        if not isinstance(answer, dict) or type(answer.get("id")) is not int or answer["id"] != number:
            raise wire.WireError("an answer to another question")
        if type(answer.get("out")) is not str:
            raise wire.WireError("an answer without output")
        if sum(map(len, self._output)) < MAX_TEXT:
            self._output.append(answer["out"])
        return answer

    def _result(self, answer: dict[str, Any]) -> object:
        if "ok" in answer:
            return answer["ok"]
        if type(answer.get("bad")) is str:
            raise Unusable(f"what came back is {answer['bad'][:1000]}")
        told = answer.get("err")
        if not isinstance(told, dict):
            raise wire.WireError("an answer that is none")
        type_name, message, trace = (told.get(key) for key in ("type", "message", "traceback"))
        bases = told.get("bases")
        if not isinstance(bases, list) or not all(
            type(text) is str for text in (type_name, message, trace, *bases)
        ):
            raise wire.WireError("an exception that is none")
        raise student_error(str(type_name)[:200], bases, str(message)[:MAX_TEXT], str(trace)[:MAX_TEXT])

    def _call_back(self, answer: dict[str, Any]) -> dict[str, object]:
        callback, args, kwargs = answer["call"], answer.get("args"), answer.get("kwargs")
        if not isinstance(callback, Callback) or callback.index >= len(self._functions):
            raise wire.WireError("a call of no function")
        if (
            not isinstance(args, list)
            or not isinstance(kwargs, dict)
            or not all(type(key) is str for key in kwargs)
        ):
            raise wire.WireError("a call without arguments")
        try:
            value = self._functions[callback.index](*revive(self, args), **revive(self, kwargs))
            return {"value": outgoing(self, value)}
        except Exception as error:
            if isinstance(error, AssertionError):
                # The suite's own assertion holds, whoever swallows it on the way.
                self.callback_failure = error
            # Only the kind of error goes back: its text may quote what the suite knows.
            kind = next(base for base in type(error).__mro__ if base.__module__ == "builtins")
            name = (
                kind.__name__ if isinstance(getattr(builtins, kind.__name__, None), type) else "RuntimeError"
            )
            return {"error": name, "text": "raised by the function that the test passed in"}

    def _stop(self, verdict: Verdict, text: str) -> StudentStopped:
        self._drop()
        self.stopped = StudentStopped(verdict, text)
        return self.stopped

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._forgetting = None
            self._supervisor.stop_worker()


def _worker_seed(seed: int) -> int:
    """A seed for the worker from which the run's own, and so every hidden input, cannot be told."""
    return int.from_bytes(hashlib.sha256(f"worker:{seed}".encode()).digest()[:4], "little")
