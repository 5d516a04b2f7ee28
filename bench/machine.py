"""Where and with what the figures were taken."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

_LIBRARIES = ("tensorflow", "keras", "numpy", "pytest", "pytest-timeout")


def describe() -> dict[str, str]:
    """Processor, kernel, versions, commit, and how busy the machine was before."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES)
    return {
        "processor": f"{_model()}, {len(os.sched_getaffinity(0))} processors",
        "kernel": f"{platform.system()} {platform.release()}",
        "versions": f"Python {platform.python_version()}, {versions}",
        "commit": _commit(),
        "load before": f"{os.getloadavg()[0]:.2f} (1 minute)",
    }


def _model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        run = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return run.stdout.strip()
