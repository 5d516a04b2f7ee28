"""Landlock: which files this process and its threads may open, for good (Linux 5.13 and later).

Numbers are those of `linux/landlock.h`; the system call numbers are the same on every architecture.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from grader.sandbox.policy import OWN_PROCESS_FILES, ConfinementError

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_DIR, MAKE_REG = 1 << 7, 1 << 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_BASE = (1 << 13) - 1

READ = READ_FILE | READ_DIR
OWN = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE
_ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

_TCP_BIND_CONNECT = 3
_SCOPE_ABSTRACT_UNIX_AND_SIGNALS = 3


def abi() -> int:
    """The kernel's Landlock version; 0 where there is none."""
    return max(0, _syscall(_CREATE_RULESET, None, 0, _VERSION))


def restrict(readable: Iterable[Path], own: Path, devices: Iterable[Path] = ()) -> None:
    """Deny this process every file but these, whatever it may do by its user.

    Args:
        readable: files and folders that may be read, and below them.
        devices: device files that may be read, written and controlled.
        own: the folder that may be written; neither devices, links, pipes nor sockets can be made there.

    Raises:
        ConfinementError: Landlock is missing, or a rule was refused.
    """
    version = abi()
    if not version:
        raise ConfinementError(
            "Landlock", "this kernel does not have it, or it is not enabled (Linux 5.13 or later)"
        )
    handled = _BASE | (REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)
    handled |= IOCTL_DEV if version >= 5 else 0
    network = _TCP_BIND_CONNECT if version >= 4 else 0
    scoped = _SCOPE_ABSTRACT_UNIX_AND_SIGNALS if version >= 6 else 0
    attributes = struct.pack("=QQQ", handled, network, scoped)
    # An older kernel refuses a structure longer than it knows.
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _call(_CREATE_RULESET, attributes[:size], size, 0)
    try:
        for path in (*readable, *OWN_PROCESS_FILES):
            _allow(ruleset, path, READ & handled)
        _allow(ruleset, Path(os.devnull), (READ_FILE | WRITE_FILE | TRUNCATE) & handled)
        for path in devices:
            _allow(ruleset, path, (READ_FILE | WRITE_FILE | IOCTL_DEV) & handled)
        _allow(ruleset, own, OWN & handled)
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, access: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not path.is_dir():
            access &= _ON_FILES
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", access, descriptor), 0)
    finally:
        os.close(descriptor)


def _call(number: int, *args: object) -> int:
    result = _syscall(number, *args)
    if result < 0:
        code = ctypes.get_errno()
        raise ConfinementError("Landlock", f"system call {number} failed: {os.strerror(code)}")
    return result


def _syscall(number: int, *args: object) -> int:
    # A variadic call passes an int as 32 bits, and leaves what is beside them to chance.
    wide = [ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args]
    return int(ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *wide))
