"""Confinement on kernels that know less than this one: refuse to run, or hold all the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from grader.sandbox import landlock

PROGRAM = """
import json, os, sys
from pathlib import Path
from grader.sandbox import confine, landlock
from grader.sandbox.policy import ConfinementError, WorkerLimits, readable_paths

version, own, victim = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
landlock.abi = lambda: version
try:
    confine.confine(own, readable_paths(), WorkerLimits())
except ConfinementError as error:
    print(json.dumps(["refused", str(error)]))
    raise SystemExit
spoilt = []
for name, way in {
    "truncate": lambda: os.truncate(victim, 0),
    "open": lambda: os.open(victim, os.O_RDONLY | os.O_TRUNC),
    "write": lambda: os.open(victim, os.O_WRONLY),
    "rename": lambda: os.rename(victim, victim + "x"),
    "unlink": lambda: os.unlink(victim),
}.items():
    try:
        way()
        spoilt.append(name)
    except OSError:
        pass
print(json.dumps(["confined", spoilt]))
"""


@pytest.mark.parametrize("version", range(8))
def test_a_file_elsewhere_is_safe_on_a_kernel_of_landlock_version(version: int, tmp_path: Path) -> None:
    if version > landlock.abi():
        pytest.skip("this kernel cannot play a newer one")
    (tmp_path / "own").mkdir()
    victim = tmp_path / "gradebook.db"
    victim.write_text("marks")
    command = [sys.executable, "-c", PROGRAM, str(version), str(tmp_path / "own"), str(victim)]
    out = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    what, told = json.loads(out)
    assert what == "refused" or told == []
    assert victim.read_text() == "marks"
    if what == "refused":
        assert "Landlock" in told


def test_this_kernel_confines(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(landlock.abi()), str(tmp_path), str(tmp_path / "none")]
    out = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert json.loads(out)[0] == "confined"


def test_processor_time_runs_out_by_its_own_signal() -> None:
    """SIGKILL would read as want of memory."""
    pid = os.fork()
    if pid == 0:
        from grader.sandbox.confine import set_limits
        from grader.sandbox.policy import WorkerLimits

        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        set_limits(WorkerLimits(cpu_seconds=_processor_seconds() + 1))
        while True:
            pass
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGXCPU


def _processor_seconds() -> int:
    times = os.times()
    return int(times.user + times.system) + 1
