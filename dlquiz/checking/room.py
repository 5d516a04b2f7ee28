"""The folder where this user's helpers are found, and what is known of them there. Linux only.

A helper is two files of one name: a lock that it holds as long as it lives, with its process id, and a socket.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import stat
import struct
import tempfile
import time
from pathlib import Path

_END_SECONDS = 2.0


class Room:
    """The folder, of which nobody else can have a part.

    Attributes:
        descriptor: of the open folder.

    Raises:
        OSError: it is not there (or cannot be made), or somebody else's.
    """

    def __init__(self, *, make: bool) -> None:
        base = os.environ.get("XDG_RUNTIME_DIR")
        self.path = Path(base, "dlquiz") if base else Path(tempfile.gettempdir(), f"dlquiz-{os.getuid()}")
        if make:
            with contextlib.suppress(FileExistsError):
                os.mkdir(self.path, 0o700)
        self.descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        found = os.fstat(self.descriptor)
        if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
            os.close(self.descriptor)
            raise PermissionError(f"{self.path} is open to others")

    def __enter__(self) -> Room:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def lock(self, name: str) -> int | None:
        """A descriptor that holds the lock of that name as long as it is open; None if somebody else holds it."""
        lock = os.open(f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=self.descriptor)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return lock

    def listen(self, name: str) -> socket.socket:
        """Listen on the socket of that name, whose lock must be held."""
        self.forget(name)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(self._address(name))
        listener.listen()
        listener.setblocking(False)
        return listener

    def forget(self, name: str) -> None:
        """Remove the socket of that name."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{name}.sock", dir_fd=self.descriptor)

    def connect(self, name: str) -> socket.socket:
        """Connect to the helper of that name. Raises OSError."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            # Connecting waits where too many wait already.
            connection.setblocking(False)
            connection.connect(self._address(name))
            if peer(connection) != os.getuid():
                raise PermissionError("somebody else's helper")
            connection.setblocking(True)
        except BaseException:
            connection.close()
            raise
        return connection

    def helpers(self) -> dict[str, int]:
        """The process ids of the helpers that live, by name."""
        found = {}
        for file in sorted(os.listdir(self.descriptor)):
            name, _, kind = file.rpartition(".")
            if kind == "lock" and (told := self._held(file)).isdecimal():
                found[name] = int(told)
        return found

    def read(self, lock: int) -> str:
        """What was written into a lock last."""
        return os.pread(lock, 100, 0).decode(errors="replace")

    def write(self, lock: int, text: str) -> None:
        """Write into a lock."""
        os.truncate(lock, 0)
        os.pwrite(lock, text.encode(), 0)

    def end(self, name: str, pid: int) -> None:
        """Ask a helper to end, and make it. One that is at work for somebody may finish that."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _END_SECONDS
        while self.helpers().get(name) == pid and time.monotonic() < deadline:
            time.sleep(0.02)

    def _held(self, file: str) -> str:
        """What is written into a lock that somebody holds; nothing for one that nobody does."""
        lock = os.open(file, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.descriptor)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return self.read(lock)
        finally:
            os.close(lock)
        return ""

    def _address(self, name: str) -> str:
        # A socket's path has at most 107 characters, and this one leads into the folder that was examined.
        return f"/proc/self/fd/{self.descriptor}/{name}.sock"


def admit(listener: socket.socket) -> socket.socket | None:
    """Whoever waits to be let in, if it is the same user."""
    try:
        connection, _ = listener.accept()
    except OSError:  # whoever it was has left
        return None
    if peer(connection) == os.getuid():
        return connection
    connection.close()
    return None


def peer(connection: socket.socket) -> int:
    """The user at the other end."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    user: int = struct.unpack("3i", told)[1]
    return user
