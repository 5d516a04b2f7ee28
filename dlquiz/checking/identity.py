"""What a warm process depends on, so that none is used which a new process would differ from. Linux only."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import site
import sys
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from dlquiz.checking.starting import environment

_PACKAGE = Path(__file__).resolve().parents[1]
_DISTRIBUTIONS = ("keras", "numpy", "pytest", "tensorflow")
# Read when libraries are imported, and not again in a fork.
_AT_IMPORT = (
    *"ABSL_ BLIS_ CUDA_ GLIBC_TUNABLES GOMP_ GOTO_ GRPC_ HIP_ JAX_ KERAS_ KMP_ LC_ LD_ MALLOC_ MKL_ MPL NCCL_".split(),
    *"NPY_ NUMEXPR_ NUMPY_ NVIDIA_ OMP_ ONEDNN_ OPENBLAS_ PANDAS_ PROTOCOL_BUFFERS_ PYTHON ROCM_ SKLEARN_".split(),
    *"TF TORCH_ XLA_".split(),
)
_BY_NAME = ("HOME", "LANG", "LANGUAGE", "TEMP", "TMP", "TMPDIR", "TZ", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")


def identity() -> str:
    """Names the world that a process would be started in: interpreter, variables, limits, namespaces."""
    variables = {
        name: value
        for name, value in environment().items()
        if name.startswith(_AT_IMPORT) or name in _BY_NAME
    }
    limits = {
        name: resource.getrlimit(getattr(resource, name))
        for name in dir(resource)
        if name.startswith("RLIMIT_")
    }
    mask = os.umask(0o077)
    os.umask(mask)
    namespaces = [os.readlink(f"/proc/self/ns/{name}") for name in ("mnt", "net", "pid", "user")]
    told: list[object] = [
        sys.executable,
        sys.prefix,
        sys.version,
        os.getresuid(),
        os.getresgid(),
        os.getgroups(),
    ]
    told += [variables, limits, mask, os.nice(0), sorted(os.sched_getaffinity(0)), namespaces]
    return _digest(told)


def stamp() -> str:
    """Changes when something is installed, or a file of dlquiz's own or the settings of Keras change."""
    return _digest([sorted(_versions().items()), sorted(_times())])


def _versions() -> dict[str, str]:
    found = {}
    for name in _DISTRIBUTIONS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _times() -> Iterator[tuple[str, int]]:
    settings = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
    # Whatever is installed or removed puts a folder of its own there or takes one away.
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), site.getusersitepackages()}
    for file in (*_PACKAGE.rglob("*.py"), settings, *map(Path, places)):
        with contextlib.suppress(OSError):
            yield str(file), file.stat().st_mtime_ns


def _digest(told: object) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:20]
