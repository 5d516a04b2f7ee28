"""Make names of the libraries raise in the process of the student's code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any, NoReturn

_LONGEST_CHAIN = 100


class ForbiddenCall(RuntimeError):
    """The student's code used what the assignment forbids."""


def forbidden_call(error: BaseException) -> ForbiddenCall | None:
    """The `ForbiddenCall` that an exception is, or that it came from: Keras wraps what a layer raises."""
    seen: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if seen is None or isinstance(seen, ForbiddenCall):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


class UnknownName(ValueError):
    """A forbidden name does not exist in the library."""


def forbid(names: Iterable[str]) -> None:
    """Make each dotted name raise `ForbiddenCall` when it is called, under every name that it goes by.

    A class is spoilt in place, so subclasses and other paths to it are spoilt too; a function is replaced wherever an
    imported module refers to it.

    Raises:
        UnknownName: no such module, class or function.
    """
    traps: dict[int, tuple[object, object]] = {}
    for name in names:
        owner, attribute, value = _find(name)
        trap = _trap(name)
        if isinstance(value, type):
            for method in ("__new__", "__init__", "__call__"):
                if hasattr(value, method):
                    setattr(value, method, trap)
        elif isinstance(owner, ModuleType):
            traps.setdefault(id(value), (value, trap))
        else:
            setattr(owner, attribute, trap)
    # once for all of them, and when everything that bears a name is imported
    for module in list(sys.modules.values()):
        scope = getattr(module, "__dict__", None) or {}
        for name, (_, trap) in [(name, traps[id(item)]) for name, item in scope.items() if id(item) in traps]:
            setattr(module, name, trap)


def _find(name: str) -> tuple[Any, str, Any]:
    parts = name.split(".")
    if parts[0] == "tf":
        parts[0] = "tensorflow"
    for split in range(len(parts) - 1, 0, -1):
        try:
            owner: Any = importlib.import_module(".".join(parts[:split]))
        except ImportError:
            continue
        try:
            for part in parts[split:-1]:
                owner = getattr(owner, part)
            return owner, parts[-1], getattr(owner, parts[-1])
        except AttributeError:
            break
    raise UnknownName(f"forbidden name {name!r} does not exist")


def _trap(name: str) -> Any:
    def forbidden(*_: object, **__: object) -> NoReturn:
        raise ForbiddenCall(f"{name} is forbidden in this assignment")

    return forbidden
