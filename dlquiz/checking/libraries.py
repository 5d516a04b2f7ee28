"""Which libraries that take their time to import some files use."""

from __future__ import annotations

import ast
import contextlib
import importlib
import warnings
from collections.abc import Iterable
from pathlib import Path

_HEAVY = frozenset("keras tensorflow torch jax numpy pandas sklearn scipy matplotlib cv2 PIL skimage".split())


def heavy_imports(files: Iterable[Path]) -> list[str]:
    """The top-level names of such libraries that the files import. A file that cannot be read has none."""
    names = set()
    for file in files:
        with (
            contextlib.suppress(OSError, ValueError, SyntaxError, RecursionError, MemoryError),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            for node in ast.walk(ast.parse(file.read_bytes())):
                if isinstance(node, ast.Import):
                    names |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names.add(node.module.partition(".")[0])
    return sorted(names & _HEAVY)


def load(names: Iterable[str]) -> None:
    """Import libraries; one that cannot be imported is left to the code that asks for it."""
    for name in names:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
