"""A submission that tries to break out. It runs in a worker as any student's module would."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

HELD = "held"


def attempt(name: str, secret: str) -> str:
    """Try one escape; returns `HELD`, or what came of it. `secret` is a file that no worker may read."""
    try:
        return _ATTEMPTS[name](secret)
    except OSError:
        return HELD


def _read_secret(secret: str) -> str:
    return f"read {len(Path(secret).read_bytes())} bytes"


def _list_folder(secret: str) -> str:
    return f"saw {len(os.listdir(Path(secret).parent))} files"


def _write_beside(secret: str) -> str:
    target = Path(secret).with_name("left-by-a-worker")
    target.write_text("x")
    target.unlink()
    return "wrote a file"


def _change_mode(secret: str) -> str:
    os.chmod(secret, 0o600)
    return "changed a file's mode"


def _read_parent(_: str) -> str:
    return f"read {len(Path(f'/proc/{os.getppid()}/environ').read_bytes())} bytes"


def _signal_parent(_: str) -> str:
    os.kill(os.getppid(), 0)
    return "could signal it"


def _socket(family: int, kind: int) -> Callable[[str], str]:
    def attempt(_: str) -> str:
        socket.socket(family, kind).close()
        return "opened one"

    return attempt


def _fork(_: str) -> str:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return "started a process"


def _program(_: str) -> str:
    subprocess.run(["/bin/true"], check=True)
    return "ran a program"


def _trace(_: str) -> str:
    # PTRACE_SEIZE, which does not stop the parent where it succeeds.
    libc = ctypes.CDLL(None, use_errno=True)
    return "attached" if libc.ptrace(0x4206, os.getppid(), None, None) == 0 else HELD


def _become_root(_: str) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    return "entered a namespace" if libc.unshare(0x10000000) == 0 else HELD


def _train(_: str) -> str:
    import keras
    import numpy as np

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 3)), np.ones((8, 2)), verbose=0)
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    return HELD


_ATTEMPTS: dict[str, Callable[[str], str]] = {
    "read a hidden file": _read_secret,
    "list a hidden folder": _list_folder,
    "write outside its folder": _write_beside,
    "change a file's mode": _change_mode,
    "read the parent's environment": _read_parent,
    "signal the parent": _signal_parent,
    "open a TCP socket": _socket(socket.AF_INET, socket.SOCK_STREAM),
    "open a UDP socket": _socket(socket.AF_INET, socket.SOCK_DGRAM),
    "open a Unix socket": _socket(socket.AF_UNIX, socket.SOCK_STREAM),
    "start a process": _fork,
    "run a program": _program,
    "trace the parent": _trace,
    "enter a namespace": _become_root,
    "train a Keras model": _train,
}
NAMES = tuple(_ATTEMPTS)


def never_answer() -> None:
    """Hang, deaf to SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1)


def use_memory(megabytes: int) -> int:
    """Take memory and touch it; returns how much, if it is let."""
    return len(bytearray(os.urandom(1)) * (megabytes * 2**20)) // 2**20
