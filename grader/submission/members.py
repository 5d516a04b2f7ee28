"""The files inside an entry, whatever holds them, and the bounds on reading them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dlquiz.notebooks.cells import Unusable as Unusable

MAX_SOURCE = 1_000_000
MAX_NOTEBOOK = 20_000_000
MAX_ZIP = 50_000_000
MAX_MEMBERS = 2_000
JUNK = frozenset({"__MACOSX", ".DS_Store", "__pycache__", ".ipynb_checkpoints", "manifest.json"})


@dataclass(frozen=True)
class Member:
    """A file inside an entry: `parts` of its path, and `load(limit)` that reads it or raises `Unusable`."""

    parts: tuple[str, ...]
    load: Callable[[int], bytes]

    @property
    def path(self) -> str:
        return "/".join(self.parts)

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def is_notebook(self) -> bool:
        return self.name.lower().endswith(".ipynb")


@dataclass(frozen=True)
class Listing:
    """The members of an entry in path order, and what was left out of them and why."""

    members: tuple[Member, ...]
    notes: tuple[str, ...] = ()


def megabytes(size: int) -> str:
    """A size in bytes as text: '1 MB', '50.3 MB'."""
    return f"{size / 1e6:.1f}".removesuffix(".0") + " MB"


def too_big(size: int, limit: int) -> Unusable:
    """The complaint about a file of `size` bytes where `limit` are allowed."""
    return Unusable(f"is {megabytes(size)}; the limit is {megabytes(limit)}: leave data and outputs out")


def empty() -> Unusable:
    """The complaint about a file with nothing in it."""
    return Unusable("is empty: hand in the file with your answers")


def too_many() -> Unusable:
    """The complaint about an entry with more than `MAX_MEMBERS` files."""
    return Unusable(f"holds more than {MAX_MEMBERS:,} files: hand in only the files the assignment asks for")
