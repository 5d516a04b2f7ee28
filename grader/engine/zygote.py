"""A warm process that does nothing but fork: what it has imported, its children have too.

There are three, each a fork of the one before: the *server* imports Keras and knows nothing of any course; the *worker
zygote* makes an assignment's forbidden names raise; the *suite zygote* collects an assignment's hidden tests. Workers
are forked from the second and referees from the third, so no hidden byte is ever in a worker's memory.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from grader.engine import folders, messages

Role = Callable[[dict[str, Any], list[int]], object]


class RuntimeStarted(RuntimeError):
    """TensorFlow's runtime runs in a process that must fork."""


class Zygote:
    """Forks a child for every request on `control`, and reports how each ended.

    A request is `{"role": name, "args": {...}}` with a status pipe and any further descriptors; the answer is
    `{"pid": n}` with a pidfd. When the child has ended, its wait status is written to the pipe as text. When `control`
    closes, every child is killed.
    """

    def __init__(self, control: socket.socket, roles: dict[str, Role]) -> None:
        self._control = control
        self._roles = roles
        self._pipes: dict[int, int] = {}

    def run(self) -> None:
        """Serve until the parent is gone. Returns in no child."""
        assert_not_started()
        gc.collect()
        # Children's collections then leave these objects alone, and the pages they lie on shared.
        gc.freeze()
        wake_read, wake_write = os.pipe()
        for end in (wake_read, wake_write):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write)
        messages.send(self._control, {"ready": True})
        while True:
            waiting: list[socket.socket | int] = [self._control, wake_read]
            readable = select.select(waiting, [], [])[0]
            if wake_read in readable:
                os.read(wake_read, 4096)
                self._reap()
            if self._control in readable:
                try:
                    request, descriptors = messages.receive(self._control)
                except messages.Gone:
                    self._end()
                    return
                self._fork(request, descriptors)

    def _fork(self, request: dict[str, Any], descriptors: list[int]) -> None:
        status, *passed = descriptors
        pid = os.fork()
        if pid == 0:
            self._child(request, status, passed)
        for descriptor in passed:
            os.close(descriptor)
        self._pipes[pid] = status
        pidfd = os.pidfd_open(pid)
        messages.send(self._control, {"pid": pid}, [pidfd])
        os.close(pidfd)

    def _child(self, request: dict[str, Any], status: int, passed: list[int]) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            for descriptor in (status, *self._pipes.values()):
                os.close(descriptor)
            self._roles[request["role"]](request["args"], passed)
        except BaseException:
            traceback.print_exc()
            os._exit(70)
        os._exit(0)

    def _reap(self) -> None:
        while self._pipes:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            pipe = self._pipes.pop(pid)
            with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
                os.write(pipe, str(status).encode())
            os.close(pipe)

    def _end(self) -> None:
        for pid in self._pipes:
            os.kill(pid, signal.SIGKILL)
        for pid in self._pipes:
            os.waitpid(pid, 0)


def assert_not_started() -> None:
    """Check that TensorFlow is at most imported in this process: once its runtime has threads, forks may hang.

    Raises:
        RuntimeStarted: some import or collection ran a TensorFlow operation.
    """
    context = sys.modules.get("tensorflow.python.eager.context")
    if context is not None and getattr(context.context_safe(), "_context_handle", None) is not None:
        raise RuntimeStarted(
            "a TensorFlow operation ran while the suite or a preloaded module was imported; "
            "move it into a test, a fixture, or a function"
        )


def serve(control: socket.socket, preload: Sequence[str]) -> None:
    """The server: import `preload`, then fork zygotes."""
    gc.disable()  # nothing that these imports make is ever garbage
    for name in ("grader.remote.worker", "grader.sandbox.confine", *preload):
        importlib.import_module(name)
    gc.enable()
    Zygote(control, {"workers": _workers, "suite": _suite}).run()


def _workers(args: dict[str, Any], descriptors: list[int]) -> None:
    from grader.remote.forbid import forbid
    from grader.sandbox.policy import readable_paths

    control = messages.adopt(descriptors[0])
    try:
        for name in args["preload"]:
            importlib.import_module(name)
        forbid(args["forbidden"])
        Zygote(control, {"worker": functools.partial(_worker, readable_paths())}).run()
    except (ImportError, ValueError, RuntimeStarted) as error:
        messages.send(control, {"error": str(error)})


def _worker(readable: Sequence[Path], args: dict[str, Any], descriptors: list[int]) -> None:
    from grader.remote import stream, wire, worker
    from grader.sandbox import confine
    from grader.sandbox.policy import ConfinementError, WorkerLimits

    folder = Path(args["folder"])
    limits = WorkerLimits(**args["limits"])
    (descriptor,) = descriptors
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=descriptor)
    kept = {name: value for name, value in os.environ.items() if name not in ("TMPDIR", "HOME", "PWD")}
    own = {"TMPDIR": str(folder), "HOME": str(folder), "PWD": str(folder)}
    confine.detach([descriptor], folder, {**kept, **own, **args["environment"]})
    try:
        if args["confined"]:
            confine.confine(folder, readable, limits, [Path(name) for name in args["devices"]])
        else:
            confine.set_limits(limits)
    except ConfinementError as error:
        stream.send(connection, wire.encode({"error": str(error)}))
        return
    worker.main(connection, folder)


def _suite(args: dict[str, Any], descriptors: list[int]) -> None:
    from grader import referee

    referee.serve_suite(messages.adopt(descriptors[0]), Path(args["suite"]), args["slug"])


def main() -> None:
    """`python -m grader.engine.zygote DESCRIPTOR MODULE...`"""
    descriptor, *preload = sys.argv[1:]
    control = messages.adopt(int(descriptor))
    try:
        serve(control, preload)
        # The parent is gone, perhaps without a chance to tidy up.
        folders.remove(Path(os.environ["TMPDIR"]))
    except (ImportError, RuntimeStarted) as error:
        messages.send(control, {"error": str(error)})


if __name__ == "__main__":
    main()
