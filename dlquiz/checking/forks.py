"""A process that has imported the libraries and forks a runner for everybody who asks: Linux only.

Whoever asks holds a connection as long as the runner is wanted: it sends `{"fork": ...}` with the runner's standard
streams, is told `{"pid": n}` and later `{"status": n}`, and closes it. Only then is the runner's process waited for, so
that its number is nobody else's as long as somebody may want to kill it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from dlquiz.checking import packets
from dlquiz.checking.family import end_family
from dlquiz.checking.libraries import load

_UNSAFE = ("jax", "torch")


@dataclass(eq=False)
class _Session:
    connection: socket.socket
    pid: int = 0
    pidfd: int = -1


class Forks:
    """Serves until it is told to end, or nobody has come for a while.

    Args:
        entrance: what becomes readable when somebody comes.
        admit: takes the connection from there; None if it is not welcome. Raises Gone when no more will come.
        refuse: what to answer to a request instead of forking, or None. Nobody is served after a refusal.
        idle: seconds after which it ends if nobody comes; None for never.
        private: descriptors that no runner may keep.
    """

    def __init__(
        self,
        entrance: socket.socket,
        admit: Callable[[], socket.socket | None],
        refuse: Callable[[Mapping[str, Any]], dict[str, Any] | None] = lambda _: None,
        idle: float | None = None,
        private: Sequence[int] = (),
    ) -> None:
        self._entrance = entrance
        self._admit = admit
        self._refuse = refuse
        self._idle = idle
        self._private = private
        self._closed = False
        self._sessions: set[_Session] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(entrance, selectors.EVENT_READ, self._come)

    def run(self) -> None:
        """Serve. Returns in no child."""
        gc.collect()
        # Children's collections then leave these objects alone, and the pages they lie on shared.
        gc.freeze()
        until = time.monotonic() + (self._idle or 0)
        while self._sessions or not self._closed:
            left = None if self._idle is None or self._sessions else until - time.monotonic()
            if left is not None and left <= 0:
                break
            for key, _ in self._selector.select(left):
                key.data()
                until = time.monotonic() + (self._idle or 0)
        self.close()

    @property
    def busy(self) -> bool:
        """Whether somebody is there."""
        return bool(self._sessions)

    def close(self) -> None:
        """Let nobody in any more; `run` returns when the last one has left."""
        if not self._closed:
            self._closed = True
            self._selector.unregister(self._entrance)
            self._entrance.close()

    def _come(self) -> None:
        if self._closed:
            return
        try:
            connection = self._admit()
        except packets.Gone:
            self.close()
            for session in list(self._sessions):
                self._leave(session)
            return
        if connection is not None:
            session = _Session(connection)
            self._sessions.add(session)
            self._selector.register(connection, selectors.EVENT_READ, lambda: self._hear(session))

    def _hear(self, session: _Session) -> None:
        if session not in self._sessions:
            return
        try:
            message, descriptors = packets.receive(session.connection)
            self._answer(session, message, descriptors)
        except (packets.Gone, KeyError, TypeError, ValueError):
            self._leave(session)

    def _answer(self, session: _Session, message: dict[str, Any], descriptors: list[int]) -> None:
        try:
            refusal = self._refuse(message)
            if refusal is not None:
                self.close()
                packets.send(session.connection, refusal)
            elif session.pid or len(descriptors) != 3:
                raise packets.Gone("not a request")
            else:
                self._fork(session, message["fork"], descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _fork(self, session: _Session, request: dict[str, Any], descriptors: list[int]) -> None:
        folder, variables = str(request["folder"]), dict(request["environment"])
        pid = os.fork()
        if pid == 0:
            self._become_runner(folder, variables, descriptors)
        session.pid, session.pidfd = pid, os.pidfd_open(pid)
        self._selector.register(session.pidfd, selectors.EVENT_READ, lambda: self._ended(session))
        packets.send(session.connection, {"pid": pid})

    def _become_runner(self, folder: str, variables: dict[str, str], descriptors: list[int]) -> NoReturn:
        status = 1
        try:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            for number, descriptor in enumerate(descriptors):
                os.dup2(descriptor, number)
            self._selector.close()
            if not self._closed:
                self._entrance.close()
            for session in self._sessions:
                session.connection.close()
                if session.pidfd >= 0:
                    os.close(session.pidfd)
            for descriptor in (*descriptors, *self._private):
                os.close(descriptor)
            os.environ.clear()
            os.environ.update(variables)
            os.chdir(folder)
            from dlquiz.checking import runner

            runner.main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        except BaseException:
            traceback.print_exc()
        os._exit(status)

    def _ended(self, session: _Session) -> None:
        if session not in self._sessions:
            return
        self._selector.unregister(session.pidfd)
        found = os.waitid(os.P_PID, session.pid, os.WEXITED | os.WNOWAIT)
        assert found
        sign = 1 if found.si_code == os.CLD_EXITED else -1
        with contextlib.suppress(packets.Gone):
            packets.send(session.connection, {"status": sign * found.si_status})

    def _leave(self, session: _Session) -> None:
        self._sessions.discard(session)
        self._selector.unregister(session.connection)
        session.connection.close()
        if session.pid:
            with contextlib.suppress(KeyError):
                self._selector.unregister(session.pidfd)
            end_family(session.pid)
            os.waitpid(session.pid, 0)
            os.close(session.pidfd)


def why_not_fork() -> str:
    """Why it would not be safe to fork this process and go on in the child, or "" if it is.

    Importing TensorFlow is harmless; once one of its operations has run, threads hold locks that no fork can open.
    """
    context = sys.modules.get("tensorflow.python.eager.context")
    if context is not None and getattr(context.context_safe(), "_context_handle", None) is not None:
        return "importing the libraries ran a TensorFlow operation"
    for name in _UNSAFE:
        if name in sys.modules:
            return f"{name} cannot be forked"
    return ""


def main() -> None:
    """`python -m dlquiz.checking.forks DESCRIPTOR LIBRARY...`: serve one other process, and end with it.

    It sends a connection for every runner that it wants.
    """
    descriptor, *libraries = sys.argv[1:]
    control = socket.socket(fileno=int(descriptor))

    def admit() -> socket.socket | None:
        _, (connection,) = packets.receive(control)
        return socket.socket(fileno=connection)

    load(["dlquiz.checking.runner", *libraries])
    reason = why_not_fork()
    with contextlib.suppress(packets.Gone):
        packets.send(control, {"unsafe": reason} if reason else {"ready": True})
        if not reason:
            Forks(control, admit).run()


if __name__ == "__main__":
    main()
