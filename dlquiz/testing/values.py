"""What may pass between a suite and a student's code: plain data, and references to everything else.

A *tree* is built from None, bool, int, float, complex, str, bytes, list, tuple, dict, NumPy arrays and scalars of the
dtypes in `DTYPES`, `Ref` (an object that stays in the student's process) and `Callback` (a function that stays in the
suite's). Both sides of the grader's connection, and the direct mode of plain pytest, speak in trees, so that a suite
sees the same values whichever way it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_DEPTH = 32
MAX_DICT = 10_000
MAX_INT_BITS = 4096

# By the built-in type's own method: the constructor would ask a subclass, which could answer with itself.
_EXACTLY: tuple[tuple[type[Any], Callable[[Any], object]], ...] = (
    (float, float.__float__),
    (str, str.__str__),
    (bytes, lambda value: bytes.__getitem__(value, slice(None))),
    (complex, complex.__pos__),
)

DTYPES = frozenset(
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
    "float16 bfloat16 float32 float64 complex64 complex128".split()
)


@dataclass(frozen=True, slots=True)
class Ref:
    """An object kept in the student's process, by its number there; 0 is the student's module."""

    index: int
    type_name: str = "object"


@dataclass(frozen=True, slots=True)
class Callback:
    """A function kept in the suite's process, by its number there."""

    index: int


class NotData(TypeError):
    """A value can neither be sent as data nor be kept as an object."""


def to_tree(value: object, keep: Callable[[object], object], depth: int = 0) -> object:
    """Turn `value` into a tree; what is not data becomes whatever `keep` returns for it.

    Subclasses of the built-in types arrive as the built-in type; eager tensors of TensorFlow, JAX and torch become
    NumPy arrays; `tf.TensorShape` becomes a tuple and a dtype object its name.

    Raises:
        NotData: nested deeper than `MAX_DEPTH`, an integer over `MAX_INT_BITS` bits, a dictionary over `MAX_DICT`
            entries, or an array whose dtype is not in `DTYPES`.
    """
    if value is None or type(value) in (bool, float, str, bytes, complex):
        return value
    if depth > MAX_DEPTH:
        raise NotData(f"nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, np.generic):
        return _array(np.asarray(value))[()]
    if isinstance(value, np.ndarray):
        return _array(np.asarray(value))
    if isinstance(value, int):
        if int.bit_length(value) > MAX_INT_BITS:
            raise NotData(f"an integer of more than {MAX_INT_BITS} bits")
        return int.__index__(value)
    for kind, exactly in _EXACTLY:
        if isinstance(value, kind):
            return exactly(value)
    if isinstance(value, (list, tuple)):
        items = [to_tree(item, keep, depth + 1) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, dict):
        if len(value) > MAX_DICT:
            raise NotData(f"a dictionary of more than {MAX_DICT} entries")
        pairs = ((to_tree(k, keep, depth + 1), to_tree(v, keep, depth + 1)) for k, v in value.items())
        return dict(pairs)
    return _from_framework(value, keep, depth)


def _array(array: np.ndarray[Any, Any]) -> Any:
    if array.dtype.name not in DTYPES and array.dtype.kind not in "US":
        raise NotData(f"an array of dtype {array.dtype.name}")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _from_framework(value: object, keep: Callable[[object], object], depth: int) -> object:
    """Eager tensors, shapes and dtypes, told by the name of their type: nothing heavy is imported to look."""
    kind = type(value)
    module, name = kind.__module__ or "", kind.__name__
    package = module.partition(".")[0]
    if (package, name) in {("tensorflow", "EagerTensor"), ("jaxlib", "ArrayImpl")}:
        return _array(np.asarray(value))
    if (package, name) == ("torch", "Tensor"):
        return _array(value.detach().cpu().numpy())  # type: ignore[attr-defined]
    if (package, name) == ("tensorflow", "TensorShape"):
        return tuple(to_tree(size, keep, depth + 1) for size in value.as_list())  # type: ignore[attr-defined]
    if (package, name) == ("tensorflow", "DType"):
        return str(value.name)  # type: ignore[attr-defined]
    if isinstance(value, np.dtype):
        return value.name
    return keep(value)


def from_tree(tree: object, revive: Callable[[Ref | Callback], object]) -> object:
    """Rebuild a value from its tree; `revive` gives what a reference stands for."""
    if isinstance(tree, (Ref, Callback)):
        return revive(tree)
    if isinstance(tree, list):
        return [from_tree(item, revive) for item in tree]
    if isinstance(tree, tuple):
        return tuple(from_tree(item, revive) for item in tree)
    if isinstance(tree, dict):
        return {from_tree(key, revive): from_tree(item, revive) for key, item in tree.items()}
    return tree
