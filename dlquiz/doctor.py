"""Examine a student's machine: what is installed, what TensorFlow finds, and what to do about each fault."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

IMPORT_SECONDS = 180
_MIN_MEMORY = 2 * 2**30
_MIN_DISK = 2**30

# In a process of its own: an import that crashes must not take the doctor with it.
_LOOK = """
import json, os, sys
told = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
found = {"gpus": [], "cuda": None}
def say():
    told.write(json.dumps(found) + "\\n")
    told.flush()
try:
    import tensorflow as tf
    found["tensorflow"] = tf.__version__
    found["cuda"] = tf.test.is_built_with_cuda()
    for gpu in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpu)
        found["gpus"].append([details.get("device_name", gpu.name), details.get("compute_capability")])
except BaseException as error:
    found["error"] = f"{type(error).__name__}: {error}"
say()
try:
    import keras
    found["keras"] = keras.__version__
    found["backend"] = keras.backend.backend()
except BaseException as error:
    found["keras_error"] = f"{type(error).__name__}: {error}"
say()
os._exit(0)
"""


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, whether it is as it should be (None: for information), what was found, a fix."""

    what: str
    ok: bool | None
    found: str
    fix: str = ""


def examine() -> Iterator[Finding]:
    """Look at one thing after the other. TensorFlow is imported meanwhile, and takes the most time of all."""
    looking = subprocess.Popen(
        [sys.executable, "-P", "-c", _LOOK],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield Finding(
            "Python",
            sys.version_info >= (3, 11) and sys.maxsize > 2**32,
            f"{platform.python_version()}, {64 if sys.maxsize > 2**32 else 32} bit, {platform.system()}",
            "install a 64-bit Python, 3.11 or newer",
        )
        yield packages()
        yield memory()
        yield disk(Path.cwd())
        card, reason = nvidia()
        looked, said = _outcome(looking)
    finally:
        looking.kill()
        looking.wait()
    yield from libraries(looked, said)
    yield gpu(looked, said, card, reason, os.environ, platform.system())
    yield precision(looked)
    yield warm()


def packages() -> Finding:
    """Whether everything that dlquiz needs is installed, in versions that it can use."""
    from packaging.requirements import Requirement

    wrong, count = [], 0
    for text in metadata.requires("dlquiz") or ():
        need = Requirement(text)
        if need.marker and not need.marker.evaluate({"extra": ""}):
            continue
        count += 1
        try:
            version = metadata.version(need.name)
        except metadata.PackageNotFoundError:
            wrong.append((f"{need.name} is missing", str(need)))
            continue
        if not need.specifier.contains(version, prereleases=True):
            wrong.append((f"{need.name} {version} is too old", str(need)))
    if not wrong:
        return Finding("packages", True, f"all {count} are there")
    wanted = " ".join(f'"{need}"' for _, need in wrong)
    return Finding(
        "packages", False, ", ".join(what for what, _ in wrong), f"python -m pip install -U {wanted}"
    )


def memory() -> Finding:
    """Whether TensorFlow fits into the free memory."""
    import psutil

    state = psutil.virtual_memory()
    found = f"{state.available / 2**30:.1f} of {state.total / 2**30:.1f} GB free"
    return Finding(
        "memory", state.available >= _MIN_MEMORY, found, "close other programs: Keras needs about 2 GB"
    )


def disk(folder: Path) -> Finding:
    """Whether there is room where the student works."""
    free = shutil.disk_usage(folder).free
    return Finding("disk", free >= _MIN_DISK, f"{free / 2**30:.1f} GB free here", "make room: 1 GB or more")


def nvidia() -> tuple[bool, str]:
    """Whether the system shows an NVIDIA card with its driver, and what it shows, in words."""
    if platform.system() == "Linux":
        driver = Path("/proc/driver/nvidia/version").is_file() or Path("/dev/nvidia0").exists()
        if not driver:
            return False, "no NVIDIA driver is loaded (/proc/driver/nvidia is not there)"
    program = shutil.which("nvidia-smi")
    if program is None:
        return False, "no NVIDIA driver is installed (nvidia-smi is not there)"
    try:
        ran = subprocess.run(
            [program, "--query-gpu=name,driver_version", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=5,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, f"nvidia-smi does not answer ({type(error).__name__})"
    lines = ran.stdout.strip().splitlines()
    if ran.returncode or not lines:
        return False, f"nvidia-smi finds no card: {_short(ran.stdout + ran.stderr)}"
    return True, lines[0].replace(", ", ", driver ")


def _outcome(looking: subprocess.Popen[bytes]) -> tuple[dict[str, Any], str]:
    try:
        out, err = looking.communicate(timeout=IMPORT_SECONDS)
    except subprocess.TimeoutExpired:
        looking.kill()
        out, err = looking.communicate()
        return {"error": f"no answer within {IMPORT_SECONDS} s"}, err.decode(errors="replace")
    lines = out.decode(errors="replace").splitlines()
    if not lines:
        return {"error": f"the import ended Python (exit status {looking.returncode})"}, err.decode(
            errors="replace"
        )
    found: dict[str, Any] = json.loads(lines[-1])
    if len(lines) == 1:
        found["keras_error"] = f"the import ended Python (exit status {looking.returncode})"
    return found, err.decode(errors="replace")


def libraries(looked: Mapping[str, Any], said: str) -> Iterator[Finding]:
    """What importing TensorFlow and Keras came to.

    Args:
        looked: what the process that imported them found.
        said: what it wrote to standard error.
    """
    again = "python -m pip install --force-reinstall tensorflow keras"
    if "error" in looked:
        hint = "this processor may lack what TensorFlow is built for (AVX)" if "Illegal" in said else again
        yield Finding("TensorFlow", False, _short(looked["error"]), hint)
    else:
        yield Finding("TensorFlow", True, looked["tensorflow"])
    if "keras" not in looked:
        yield Finding("Keras", False, _short(looked.get("keras_error", "it was not reached")), again)
        return
    backend = looked["backend"]
    fix = "unset KERAS_BACKEND" if os.environ.get("KERAS_BACKEND") else 'set "backend" in ~/.keras/keras.json'
    yield Finding(
        "Keras",
        backend == "tensorflow",
        f"{looked['keras']}, backend {backend}",
        f"the grader uses the backend tensorflow: {fix}{'' if 'unset' in fix else ' to tensorflow'}",
    )


def gpu(
    looked: Mapping[str, Any],
    said: str,
    card: bool,
    reason: str,
    environment: Mapping[str, str],
    system: str,
) -> Finding:
    """Whether TensorFlow finds a GPU and, if not, why. To have none is no fault; one that lies idle is.

    Args:
        card, reason: what `nvidia` found.
    """
    if looked.get("gpus"):
        return Finding("GPU", True, ", ".join(name for name, _ in looked["gpus"]))
    hidden = environment.get("CUDA_VISIBLE_DEVICES")
    if not card:
        if system == "Darwin":
            reason = "TensorFlow uses none on macOS"
        return Finding("GPU", None, f"none, and none is needed: {reason}")
    if "error" in looked:
        return Finding("GPU", None, f"{reason}; TensorFlow could not be asked")
    if hidden is not None and hidden.strip() in ("", "-1"):
        return Finding(
            "GPU", False, f"{reason}; hidden by CUDA_VISIBLE_DEVICES={hidden}", "unset CUDA_VISIBLE_DEVICES"
        )
    if system == "Windows":
        return Finding(
            "GPU", False, f"{reason}; TensorFlow has no GPU support on Windows itself", "work in WSL 2"
        )
    if not looked.get("cuda"):
        return Finding(
            "GPU",
            False,
            f"{reason}; this TensorFlow is built without CUDA",
            'python -m pip uninstall tensorflow-cpu, then python -m pip install "tensorflow[and-cuda]"',
        )
    why = "its CUDA libraries are not found" if "dlopen" in said else "TensorFlow does not use it"
    return Finding("GPU", False, f"{reason}; {why}", 'python -m pip install "dlquiz[gpu]"')


def precision(looked: Mapping[str, Any]) -> Finding:
    """Which precision trains fastest here."""
    gpus = looked.get("gpus") or []
    capability = tuple(gpus[0][1] or (0, 0)) if gpus else (0, 0)
    if capability >= (8, 0):
        advice = "mixed_bfloat16 is fast on this GPU and needs no loss scaling; mixed_float16 is fast too"
    elif capability >= (7, 0):
        advice = "mixed_float16 is fast on this GPU, with loss scaling"
    elif gpus:
        advice = "stay with float32: this GPU has no fast half precision"
    else:
        advice = "stay with float32: mixed precision is slower without a GPU"
    return Finding("mixed precision", None, advice)


def warm() -> Finding:
    """Whether a helper waits for the next `dlquiz check`."""
    from dlquiz.checking.borrowed import IDLE_SECONDS, SWITCH, helpers, welcome

    waiting = ", ".join(map(str, helpers()))
    if waiting:
        found = (
            f"waits for the next check with Keras imported (process {waiting}); it ends by itself after "
            f"{IDLE_SECONDS // 60} minutes without one, or by: dlquiz check --no-warm"
        )
    elif welcome():
        found = "none; `dlquiz check` leaves one, so that the next check is quick"
    else:
        found = f"none here: it needs Linux, and neither CI nor {SWITCH}=0 in the environment"
    return Finding("warm helper", None, found)


def _short(text: str) -> str:
    """The first line of a message."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["unknown"]
    return lines[0][:200]
