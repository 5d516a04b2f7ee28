"""The student's side of a suite: performs operations on the student's objects and keeps the objects.

The same executor runs inside the grader's confined worker and, in direct mode, inside pytest itself.
"""

from __future__ import annotations

import importlib
import os
import traceback
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from dlquiz.testing.values import Callback, Ref, from_tree, to_tree

MAX_FRAMES = 12


class Executor:
    """Keeps objects by number and performs one operation at a time on them.

    Args:
        module: the student's module; it is object 0.
        callback: makes a callable of a `Callback` that the suite sent.
    """

    def __init__(self, module: ModuleType, callback: Callable[[Callback], Callable[..., object]]) -> None:
        self._callback = callback
        self._module = module
        self.forget()

    def forget(self) -> None:
        """Let go of every object but the module."""
        self._objects: list[object] = [self._module]
        self._numbers: dict[int, int] = {id(self._module): 0}

    def keep(self, value: object) -> Ref:
        """Number `value`; one object has one number for as long as it is kept."""
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)
        return Ref(number, type(value).__name__)

    def revive(self, ref: Ref | Callback) -> object:
        """The object of a number."""
        if isinstance(ref, Callback):
            return self._callback(ref)
        return self._objects[ref.index]

    def perform(self, op: str, args: list[object]) -> object:
        """Perform `op` on arguments given as trees; returns the result as a tree.

        Raises:
            Anything that the student's code raises; `KeyError` for an unknown operation.
        """
        values = from_tree(args, self.revive)
        assert isinstance(values, list)
        return to_tree(_OPERATIONS[op](*values), self.keep)


def _next(iterator: Iterator[object]) -> tuple[bool, object]:
    try:
        return True, next(iterator)
    except StopIteration:
        return False, None


def _array(value: Any, dtype: str | None) -> object:
    return np.asarray(value, dtype=dtype)


def _exit(value: Any) -> None:
    value.__exit__(None, None, None)


def _probe(source: str, name: str, imports: dict[str, str], args: Any, kwargs: Any) -> object:
    scope: dict[str, Any] = {alias: importlib.import_module(module) for alias, module in imports.items()}
    exec(compile(source, "<probe>", "exec"), scope)  # noqa: S102  (the suite's own source)
    return scope[name](*args, **kwargs)


_OPERATIONS: dict[str, Callable[..., object]] = {
    "attr": getattr,
    "setattr": setattr,
    "call": lambda target, args, kwargs: target(*args, **kwargs),
    "item": lambda target, index: target[index],
    "iter": iter,
    "next": _next,
    "len": len,
    "float": float,
    "int": int,
    "array": _array,
    "enter": lambda target: target.__enter__(),
    "exit": _exit,
    "module": importlib.import_module,
    "probe": _probe,
}


def describe(error: BaseException, folder: str) -> dict[str, object]:
    """An exception as plain data: type name, names of its built-in bases, message, the student's own lines.

    Args:
        folder: only frames of files below it are kept.
    """
    return {
        "type": clean(type(error).__name__),
        "bases": [base.__name__ for base in type(error).__mro__ if base.__module__ == "builtins"],
        "message": clean(_message(error)),
        "traceback": clean(_own_lines(error, folder)),
    }


def clean(text: str) -> str:
    """Text that can be encoded: a lone surrogate becomes a question mark."""
    return text.encode(errors="replace").decode()


def _message(error: BaseException) -> str:
    try:
        return str(error)[:4000]
    except Exception:
        return "(its message could not be read)"


def _own_lines(error: BaseException, folder: str) -> str:
    lines = []
    prefix = os.path.join(folder, "")
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith(prefix):
            name = frame.filename[len(prefix) :]
            lines.append(f"{name}, line {frame.lineno}, in {frame.name}\n    {frame.line or ''}".rstrip())
    if isinstance(error, SyntaxError) and (error.filename or "").startswith(prefix):
        lines.append(
            f"{os.path.basename(error.filename or '')}, line {error.lineno}\n    {error.text or ''}".rstrip()
        )
    if len(lines) > MAX_FRAMES:
        lines[MAX_FRAMES // 2 : -MAX_FRAMES // 2] = [f"... {len(lines) - MAX_FRAMES} more calls ..."]
    return "\n".join(lines)
