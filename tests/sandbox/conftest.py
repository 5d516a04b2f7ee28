"""Confinement has no way back, so each of its parts is tried in a Python of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PRELUDE = """
import ctypes, errno, json, os, resource, signal, socket, sys, tempfile, threading
from pathlib import Path
from grader.sandbox import confine, landlock, seccomp
from grader.sandbox.policy import ConfinementError, WorkerLimits, readable_paths

here = Path.cwd()
own, shared, outside = here / "own", here / "shared", here / "outside"
libc = ctypes.CDLL(None, use_errno=True)


def refused(action):
    # None where the action succeeds
    try:
        action()
    except OSError as error:
        return errno.errorcode[error.errno]
    return None


def call(name, *args):
    number = seccomp.seccomp.resolve_syscall(seccomp.seccomp.system_arch(), name)
    if libc.syscall(number, *args) == -1:
        raise OSError(ctypes.get_errno(), name)
"""


@pytest.fixture
def child(tmp_path: Path) -> Callable[..., Any]:
    """Run code in a fresh Python; the value it leaves in `seen` is returned."""
    for name in ("own", "shared", "outside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)

    def run(*code: str, **environment: str) -> Any:
        parts = [PRELUDE, *map(textwrap.dedent, code), "print('SEEN' + json.dumps(seen))"]
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(parts)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, **environment},
        )
        assert "SEEN" in done.stdout, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout.partition("SEEN")[2])

    return run
