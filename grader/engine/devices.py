"""Which GPU a worker sees: none, unless the assignment asks for one and the instructor lends it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

DEVICES = Path("/dev")
_SHARED = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")


def visible_gpus(environment: Mapping[str, str] = os.environ, devices: Path = DEVICES) -> tuple[str, ...]:
    """The GPUs that may be lent, as `CUDA_VISIBLE_DEVICES` names them: what that variable says, else the driver's.

    Nothing of CUDA is started for it.
    """
    cards = sorted((path.name.removeprefix("nvidia") for path in devices.glob("nvidia[0-9]*")), key=_number)
    given = environment.get("CUDA_VISIBLE_DEVICES")
    if given is None or not cards:
        return tuple(cards)
    names = (name.strip() for name in given.split(","))
    # CUDA stops reading at the first name that is none.
    chosen: list[str] = []
    for name in names:
        if not name or name.startswith("-"):
            break
        chosen.append(name)
    return tuple(chosen)


def worker_environment(gpu: str | None) -> dict[str, str]:
    """The variables that show a worker one GPU, which it does not take all memory of, or none."""
    if gpu is None:
        return {"CUDA_VISIBLE_DEVICES": "-1"}
    return {
        "CUDA_VISIBLE_DEVICES": gpu,
        "CUDA_CACHE_DISABLE": "1",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }


def device_files(devices: Path = DEVICES) -> tuple[Path, ...]:
    """The driver's device files; which of several cards a process uses is not in them but in its environment."""
    named = [devices / name for name in _SHARED]
    return tuple(path for path in [*sorted(devices.glob("nvidia[0-9]*")), *named] if path.exists())


def _number(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdigit() else (10**6, name)
