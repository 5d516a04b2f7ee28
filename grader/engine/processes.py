"""The parent's hold on the processes that zygotes fork for it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.engine import messages

START_SECONDS = 120.0
FORK_SECONDS = 30.0
ZYGOTE_GONE = -1
KEPT_VARIABLES = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TZ")
SETTINGS = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # With oneDNN, a fork's first use of every operation searches all kernels: a tenth of a submission's time.
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}


class EngineError(RuntimeError):
    """The engine's own processes failed: no fault of a submission."""


class Child:
    """One process, held by a pidfd, so that no other can be killed in its place."""

    def __init__(self, pid: int, pidfd: int, status: int) -> None:
        self.pid = pid
        self._pidfd = pidfd
        self._status = status
        self._ended: int | None = None
        self._closed = False

    def kill(self) -> None:
        """SIGKILL, if it still lives."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def wait(self, seconds: float) -> int | None:
        """The wait status, or None if it does not come in time; `ZYGOTE_GONE` if nobody is left to tell."""
        if self._ended is None and select.select([self._status], [], [], max(0.0, seconds))[0]:
            text = os.read(self._status, 64)
            self._ended = int(text) if text else ZYGOTE_GONE
        return self._ended

    def close(self) -> None:
        """Kill it, wait for its end, let go of the descriptors."""
        if self._closed:
            return
        self._closed = True
        self.kill()
        self.wait(10)
        os.close(self._pidfd)
        os.close(self._status)


class Fork:
    """The parent's end of a zygote. Safe to use from several threads."""

    def __init__(self, control: socket.socket, what: str, log: Path) -> None:
        self._control = control
        self._what = what
        self._log = log
        self._lock = threading.Lock()
        self._ready = False

    def wait_ready(self) -> None:
        """Wait until it serves; nothing more to wait for the second time.

        Raises:
            EngineError: it failed to start, with what it said.
        """
        if self._ready:
            return
        if not select.select([self._control], [], [], START_SECONDS)[0]:
            raise EngineError(f"the {self._what} did not start within {START_SECONDS:g} s")
        message = self._receive()[0]
        if "error" in message:
            raise EngineError(message["error"])
        self._ready = True

    def fork(self, role: str, args: Mapping[str, Any], descriptors: Sequence[int] = ()) -> Child:
        """Fork a child.

        Raises:
            EngineError: the zygote is gone.
        """
        read, write = os.pipe()
        try:
            with self._lock:
                messages.send(self._control, {"role": role, "args": dict(args)}, [write, *descriptors])
                if not select.select([self._control], [], [], FORK_SECONDS)[0]:
                    raise messages.Gone(f"no answer within {FORK_SECONDS:g} s")
                message, (pidfd,) = self._receive()
        except EngineError:
            os.close(read)
            raise
        except (messages.Gone, ValueError) as error:
            os.close(read)
            raise EngineError(f"the {self._what} is gone ({error}){self._last_words()}") from None
        finally:
            os.close(write)
        return Child(message["pid"], pidfd, read)

    def close(self) -> None:
        """Hang up: it kills its children and ends."""
        self._control.close()

    def _receive(self) -> tuple[dict[str, Any], list[int]]:
        try:
            return messages.receive(self._control)
        except messages.Gone:
            raise EngineError(f"the {self._what} ended{self._last_words()}") from None

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()[-12:] if self._log.exists() else []
        return ":\n" + "\n".join(lines) if lines else ""


class Server:
    """The warm server: one process that has imported `preload` and forks zygotes for assignments.

    Args:
        folder: its own, for its log, Keras' settings and workers' folders; it is removed when the server ends.
    """

    def __init__(self, preload: Sequence[str], folder: Path) -> None:
        self.folder = folder
        self._log = folder / "server.log"
        ours, theirs = messages.pair()
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        home = {"HOME": str(folder), "KERAS_HOME": str(folder / "keras"), "TMPDIR": str(folder)}
        with theirs, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-s", "-m", "grader.engine.zygote", str(theirs.fileno()), *preload],
                pass_fds=[theirs.fileno()],
                env={**kept, **SETTINGS, **home},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._fork = Fork(ours, "fork server", self._log)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait_ready(self) -> None:
        """Wait until everything is imported. Raises EngineError."""
        self._fork.wait_ready()

    def zygote(self, role: str, args: Mapping[str, Any], what: str) -> tuple[Fork, Child]:
        """Fork a zygote of its own kind; `wait_ready` is the caller's to call. Raises EngineError."""
        ours, theirs = messages.pair()
        with theirs:
            child = self._fork.fork(role, args, [theirs.fileno()])
        return Fork(ours, what, self._log), child

    def close(self) -> None:
        """End it and everything that it forked."""
        self._fork.close()
        deadline = time.monotonic() + 10
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
