"""The scripts beside the data, and a copy of one set that may be damaged."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def script(name: str) -> ModuleType:
    """A script of `datasets/` as a module."""
    spec = importlib.util.spec_from_file_location(f"datasets_{name}", ROOT / "datasets" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def make() -> ModuleType:
    """`datasets/make.py`."""
    return script("make")


@pytest.fixture(scope="session")
def measure() -> ModuleType:
    """`datasets/measure.py`."""
    return script("measure")


@pytest.fixture
def installed(tmp_path: Path) -> Callable[..., Path]:
    """An installed package's folder that holds copies of some sets."""

    def copy(*names: str) -> Path:
        for name in names:
            shutil.copytree(ROOT / "datasets" / name, tmp_path / "dlquiz" / "_datasets" / name)
        return tmp_path / "dlquiz"

    return copy
