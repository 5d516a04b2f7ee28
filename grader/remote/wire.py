"""Frames of plain data between referee and worker: msgpack for structure, raw bytes for arrays, no pickle.

A frame is an 8-byte little-endian length and a body; the body is a 4-byte header length, a msgpack header
`[tree, [buffer sizes]]`, and the buffers one after the other. Inside the header every list is tagged by its first
element, so that tuples, dictionaries, arrays and references keep their type:

    [LIST, ...]  [TUPLE, ...]  [DICT, key, value, ...]  [ARRAY, dtype, shape, buffer number]  [SCALAR, dtype, bytes]
    [COMPLEX, real, imag]  [BIGINT, bytes]  [REF, number, type name]  [CALLBACK, number]

`decode` trusts nothing: it rebuilds exact built-in types within fixed bounds, or raises `WireError`.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import msgpack
import numpy as np

from dlquiz.testing.values import DTYPES, MAX_DEPTH, MAX_DICT, MAX_INT_BITS, Callback, Ref

MAX_FRAME = 64 * 2**20
# Small objects take about fifty times their encoded size; arrays travel outside the header.
MAX_HEADER = 2**20
MAX_DIMENSIONS = 32
LENGTH = struct.Struct("<Q")
_HEADER = struct.Struct("<I")
_TEXT_DTYPE = re.compile(r"[<>|=]?[US]\d{1,7}")
_TYPE_NAME = 80


class WireError(ValueError):
    """A frame is not one that `encode` could have made."""


class TooLarge(ValueError):
    """A value does not fit into one frame."""


class _Tag(IntEnum):
    LIST = 0
    TUPLE = 1
    DICT = 2
    ARRAY = 3
    SCALAR = 4
    COMPLEX = 5
    BIGINT = 6
    REF = 7
    CALLBACK = 8


def encode(tree: object) -> bytes:
    """The frame of a tree (see `dlquiz.testing.values`), without its length prefix.

    Raises:
        TooLarge: the frame would exceed `MAX_FRAME` bytes, what is outside arrays `MAX_HEADER` bytes, or the
            dictionaries `MAX_DICT` entries.
    """
    buffers: list[bytes] = []
    packed = _pack(tree, buffers)
    if (entries := _entries(tree)) > MAX_DICT:
        raise TooLarge(f"{entries:,} dictionary entries (at most {MAX_DICT:,})")
    header = msgpack.packb([packed, [len(buffer) for buffer in buffers]], use_bin_type=True)
    if len(header) > MAX_HEADER:
        raise TooLarge(f"{len(header):,} bytes outside arrays (at most {MAX_HEADER:,})")
    size = _HEADER.size + len(header) + sum(map(len, buffers))
    if size > MAX_FRAME:
        raise TooLarge(f"{size:,} bytes of data (at most {MAX_FRAME:,})")
    return b"".join([_HEADER.pack(len(header)), header, *buffers])


def _pack(tree: object, buffers: list[bytes]) -> object:
    if tree is None or isinstance(tree, (bool, str, bytes)):
        return tree
    if isinstance(tree, np.generic):
        return [_Tag.SCALAR, _dtype_name(tree.dtype), tree.tobytes()]
    if isinstance(tree, float):
        return tree
    if isinstance(tree, int):
        if -(2**63) <= tree < 2**64:
            return tree
        return [_Tag.BIGINT, tree.to_bytes(tree.bit_length() // 8 + 1, "little", signed=True)]
    if isinstance(tree, complex):
        return [_Tag.COMPLEX, tree.real, tree.imag]
    if isinstance(tree, np.ndarray):
        if tree.nbytes > MAX_FRAME:
            raise TooLarge(f"an array of {tree.nbytes:,} bytes (at most {MAX_FRAME:,})")
        buffers.append(tree.tobytes())
        return [_Tag.ARRAY, _dtype_name(tree.dtype), list(tree.shape), len(buffers) - 1]
    if isinstance(tree, list):
        return [_Tag.LIST, *(_pack(item, buffers) for item in tree)]
    if isinstance(tree, tuple):
        return [_Tag.TUPLE, *(_pack(item, buffers) for item in tree)]
    if isinstance(tree, dict):
        packed: list[object] = [_Tag.DICT]
        for key, value in tree.items():
            packed += [_pack(key, buffers), _pack(value, buffers)]
        return packed
    if isinstance(tree, Ref):
        return [_Tag.REF, tree.index, tree.type_name[:_TYPE_NAME]]
    if isinstance(tree, Callback):
        return [_Tag.CALLBACK, tree.index]
    raise TypeError(f"{type(tree).__name__} is not part of a tree")


def _entries(tree: object) -> int:
    """How many entries the dictionaries of a tree have in all."""
    if isinstance(tree, dict):
        return len(tree) + sum(_entries(part) for pair in tree.items() for part in pair)
    return sum(map(_entries, tree)) if isinstance(tree, (list, tuple)) else 0


def _dtype_name(dtype: np.dtype[Any]) -> str:
    return dtype.str if dtype.kind in "US" else dtype.newbyteorder("=").name


def weight(body: bytes) -> int:
    """About how many bytes the tree of a frame takes in memory."""
    header = _HEADER.unpack_from(body)[0] if len(body) >= _HEADER.size else 0
    return len(body) + 16 * int(min(header, len(body)))


def decode(body: bytes) -> object:
    """The tree of a frame.

    Raises:
        WireError: for whatever `encode` cannot have written, or what exceeds the bounds.
    """
    try:
        return _decode(body)
    except WireError:
        raise
    except Exception as error:
        # msgpack, struct, numpy and the constructors below each have exceptions of their own for bad input.
        raise WireError(f"{type(error).__name__}") from None


def _decode(body: bytes) -> object:
    if not _HEADER.size <= len(body) <= MAX_FRAME:
        raise WireError(f"a frame of {len(body)} bytes")
    (length,) = _HEADER.unpack_from(body)
    if length > MAX_HEADER:
        raise WireError(f"a header of {length} bytes")
    start = _HEADER.size + length
    header = msgpack.unpackb(
        memoryview(body)[_HEADER.size : start],
        raw=False,
        use_list=True,
        strict_map_key=True,
        max_map_len=0,
        max_ext_len=0,
    )
    packed, sizes = header
    if not all(type(size) is int and size >= 0 for size in sizes) or start + sum(sizes) != len(body):
        raise WireError("buffers do not fill the frame")
    frame = _Frame([])
    for size in sizes:
        frame.buffers.append(memoryview(body)[start : start + size])
        start += size
    return _unpack(packed, frame, 0)


@dataclass
class _Frame:
    """What the parts of one frame share while it is unpacked."""

    buffers: list[memoryview]
    entries_left: int = MAX_DICT


def _unpack(packed: Any, frame: _Frame, depth: int) -> object:
    if packed is None or type(packed) in (bool, int, float, str, bytes):
        return packed
    if type(packed) is not list or not packed or depth > MAX_DEPTH + 8:
        raise WireError("not a tagged list")
    tag, rest = packed[0], packed[1:]
    if type(tag) is not int:
        raise WireError("not a tagged list")
    if tag in (_Tag.LIST, _Tag.TUPLE):
        items = [_unpack(item, frame, depth + 1) for item in rest]
        return items if tag == _Tag.LIST else tuple(items)
    if tag == _Tag.DICT:
        frame.entries_left -= len(rest) // 2
        if len(rest) % 2 or frame.entries_left < 0:
            raise WireError("a dictionary of the wrong length")
        items = [_unpack(item, frame, depth + 1) for item in rest]
        _refuse_colliding(items[::2])
        return dict(zip(items[::2], items[1::2], strict=True))
    if tag == _Tag.ARRAY:
        name, shape, number = rest
        return _array(name, shape, _item(frame.buffers, number))
    if tag == _Tag.SCALAR:
        name, content = rest
        if type(content) is not bytes:
            raise WireError("a scalar without bytes")
        return _array(name, [], content)[()]
    if tag == _Tag.COMPLEX:
        real, imag = rest
        if type(real) is not float or type(imag) is not float:
            raise WireError("a complex number of other than floats")
        return complex(real, imag)
    if tag == _Tag.BIGINT:
        (content,) = rest
        if type(content) is not bytes or len(content) > MAX_INT_BITS // 8 + 1:
            raise WireError("an integer out of bounds")
        return int.from_bytes(content, "little", signed=True)
    if tag == _Tag.REF:
        index, name = rest
        if type(index) is not int or index < 0 or type(name) is not str:
            raise WireError("a reference of other than a number and a name")
        return Ref(index, name[:_TYPE_NAME])
    if tag == _Tag.CALLBACK:
        (index,) = rest
        if type(index) is not int or index < 0:
            raise WireError("a callback without its number")
        return Callback(index)
    raise WireError(f"unknown tag {tag}")


def _refuse_colliding(keys: list[object]) -> None:
    """Keys that are made to have one hash turn a dictionary into a search that takes its square."""
    if len(keys) > 64 and 2 * len({hash(key) for key in keys}) < len(keys):
        raise WireError("a dictionary of colliding keys")


def _item(buffers: list[memoryview], number: object) -> memoryview:
    if type(number) is not int or not 0 <= number < len(buffers):
        raise WireError("no such buffer")
    return buffers[number]


def _array(name: object, shape: object, content: bytes | memoryview) -> np.ndarray[Any, Any]:
    if type(name) is not str or not (name in DTYPES or _TEXT_DTYPE.fullmatch(name)):
        raise WireError("a dtype that is not allowed")
    if name == "bfloat16":
        import ml_dtypes  # noqa: F401  (teaches NumPy the name)
    dtype = np.dtype(name)
    if type(shape) is not list or len(shape) > MAX_DIMENSIONS:
        raise WireError("a shape that is not allowed")
    count = 1
    for size in shape:
        if type(size) is not int or not 0 <= size <= MAX_FRAME:
            raise WireError("a shape that is not allowed")
        count *= size
    if count * dtype.itemsize != len(content):
        raise WireError("an array whose bytes do not match its shape")
    if dtype.itemsize == 0:
        raise WireError("a dtype without a size")
    # A copy: the suite may write to what it receives, and the buffer is not aligned.
    array = np.frombuffer(content, dtype=dtype).reshape(shape).copy()
    if dtype.kind == "b":
        # A byte other than 0 and 1 would be a boolean that equals neither True nor False.
        array = np.asarray(array.view(np.uint8) != 0)
    return array
