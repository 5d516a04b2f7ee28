"""What passes between a suite and a student's code, and as what it arrives."""

from __future__ import annotations

import collections
import enum
import typing
from typing import Any

import numpy as np
import pytest

from dlquiz.testing.values import (
    DTYPES,
    MAX_DEPTH,
    MAX_DICT,
    MAX_INT_BITS,
    Callback,
    NotData,
    Ref,
    from_tree,
    to_tree,
)


def refuse(value: object) -> object:
    raise AssertionError(f"{value!r} is data")


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, -7, 2**100, 1.5, float("-inf"), 2 - 3j, "", "häuser", b"\x00\xff", [], (), {}, [1, (2, [3])],
     {"a": [1], 2: (None,), (1, "b"): b"c"}],
    ids=repr,
)  # fmt: skip
def test_plain_data_arrives_as_it_was(value: object) -> None:
    tree = to_tree(value, refuse)
    assert tree == value
    assert type(tree) is type(value)
    assert from_tree(tree, refuse) == value


def test_containers_are_copied() -> None:
    inner = [1]
    value = {"a": inner}
    tree = to_tree(value, refuse)
    inner.append(2)
    value["b"] = inner
    assert tree == {"a": [1]}


class Number(int):
    def bit_length(self) -> int:
        return 0

    def __index__(self) -> int:
        return 99

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


class Text(str):
    def __str__(self) -> str:
        return self

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


class Real(float):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


class Items(list):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None


class Pair(typing.NamedTuple):
    first: int
    second: str


class Colour(enum.IntEnum):
    RED = 3


class Word(enum.StrEnum):
    YES = "yes"


class Octets(bytes):
    def __bytes__(self) -> bytes:
        return self


class Plane(complex):
    pass


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Number(5), 5),
        (Text("lie"), "lie"),
        (Real(0.5), 0.5),
        (Octets(b"lie"), b"lie"),
        (Plane(1, 2), 1 + 2j),
        (Items([1, 2]), [1, 2]),
        (Pair(1, "x"), (1, "x")),
        (Colour.RED, 3),
        (Word.YES, "yes"),
        (collections.OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (collections.Counter("aab"), {"a": 2, "b": 1}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_subclass_arrives_as_the_builtin_type(value: object, expected: object) -> None:
    tree = to_tree(value, refuse)
    assert type(tree) is type(expected)
    assert tree == expected


def test_a_lying_bit_length_does_not_pass_a_huge_integer() -> None:
    with pytest.raises(NotData, match="4096 bits"):
        to_tree(Number(2**MAX_INT_BITS), refuse)


@pytest.mark.parametrize("sign", [1, -1])
def test_integers_are_bounded(sign: int) -> None:
    assert to_tree(sign * (2**MAX_INT_BITS - 1), refuse) == sign * (2**MAX_INT_BITS - 1)
    with pytest.raises(NotData, match="an integer of more than"):
        to_tree(sign * 2**MAX_INT_BITS, refuse)


def test_depth_is_bounded() -> None:
    assert to_tree(nested(MAX_DEPTH), refuse) == nested(MAX_DEPTH)
    with pytest.raises(NotData, match="levels deep"):
        to_tree(nested(MAX_DEPTH + 1), refuse)


def test_a_list_that_holds_itself_is_not_data() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(NotData, match="levels deep"):
        to_tree(loop, refuse)


def test_dictionaries_are_bounded() -> None:
    assert len(to_tree(dict.fromkeys(range(MAX_DICT)), refuse)) == MAX_DICT
    with pytest.raises(NotData, match="entries"):
        to_tree(dict.fromkeys(range(MAX_DICT + 1)), refuse)


@pytest.mark.parametrize("name", sorted(DTYPES))
def test_arrays_and_scalars_of_every_dtype_arrive_as_they_were(name: str) -> None:
    import ml_dtypes

    dtype = np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)
    array = np.array([[0, 1], [1, 0]]).astype(dtype)
    tree = to_tree(array, refuse)
    assert type(tree) is np.ndarray
    assert tree.dtype == dtype
    np.testing.assert_array_equal(tree, array)
    scalar = to_tree(array[0, 1], refuse)
    assert isinstance(scalar, np.generic)
    assert scalar.dtype == dtype
    assert scalar == 1


def test_an_array_of_no_dimension_stays_an_array() -> None:
    tree = to_tree(np.array(1.5), refuse)
    assert type(tree) is np.ndarray
    assert tree.shape == ()


def test_a_subclass_of_an_array_arrives_as_a_plain_array() -> None:
    class Lying(np.ndarray):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None

    for array in (np.ma.masked_array([1.0, 2.0], mask=[False, True]), np.ones(2).view(Lying)):
        assert type(to_tree(array, refuse)) is np.ndarray


@pytest.mark.parametrize(
    "array",
    [
        np.array([object()]),
        np.array(["2024-01-01"], dtype="datetime64[D]"),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.zeros(2, dtype="longdouble"),
        np.zeros(2, dtype="V3"),
    ],
    ids=lambda array: str(array.dtype),
)
def test_arrays_of_other_dtypes_are_not_data(array: np.ndarray[Any, Any]) -> None:
    with pytest.raises(NotData, match="an array of dtype"):
        to_tree(array, refuse)
    with pytest.raises(NotData, match="an array of dtype"):
        to_tree([array[0]] if isinstance(array[0], np.generic) else array, refuse)


def test_arrays_of_text_are_data() -> None:
    for array in (np.array(["a", "bcd"]), np.array([b"a", b"bcd"])):
        tree = to_tree(array, refuse)
        assert tree.dtype == array.dtype
        assert tree.tolist() == array.tolist()


def framework_type(module: str, kind: str, **members: object) -> type:
    return type(kind, (), {"__module__": module, **members})


def test_eager_tensors_arrive_as_arrays() -> None:
    content = np.arange(6.0).reshape(2, 3)
    member = {"__array__": lambda self, dtype=None, copy=None: content}
    for module, name in (("tensorflow.python.framework.ops", "EagerTensor"), ("jaxlib._jax", "ArrayImpl")):
        tree = to_tree(framework_type(module, name, **member)(), refuse)
        assert type(tree) is np.ndarray
        np.testing.assert_array_equal(tree, content)


def test_torch_tensors_are_taken_off_their_graph_and_device() -> None:
    steps = []

    class Tensor:
        __module__ = "torch"

        def detach(self) -> Tensor:
            steps.append("detach")
            return self

        def cpu(self) -> Tensor:
            steps.append("cpu")
            return self

        def numpy(self) -> np.ndarray[Any, Any]:
            return np.ones(2)

    np.testing.assert_array_equal(to_tree(Tensor(), refuse), np.ones(2))
    assert steps == ["detach", "cpu"]


def test_shapes_arrive_as_tuples_and_dtypes_as_names() -> None:
    shape = framework_type(
        "tensorflow.python.framework.tensor_shape", "TensorShape", as_list=lambda self: [None, 3]
    )
    dtype = framework_type("tensorflow.python.framework.dtypes", "DType", name="bfloat16")
    assert to_tree(shape(), refuse) == (None, 3)
    assert to_tree(dtype(), refuse) == "bfloat16"
    assert to_tree(np.dtype(">f4"), refuse) == "float32"


def test_a_type_that_only_has_a_frameworks_name_is_no_tensor() -> None:
    kept = []
    lookalike = framework_type("student", "EagerTensor", __array__=lambda self: 1 / 0)()
    to_tree(lookalike, kept.append)
    assert kept == [lookalike]


def test_what_is_no_data_is_kept_wherever_it_stands() -> None:
    thing, key = object(), frozenset([1])
    tree = to_tree({"a": [thing], key: (thing,)}, lambda value: Ref(id(value)))
    assert tree == {"a": [Ref(id(thing))], Ref(id(key)): (Ref(id(thing)),)}


def test_references_and_callbacks_are_revived_wherever_they_stand() -> None:
    tree = {"a": [Ref(1), (Callback(2),)], Ref(3): None}
    seen = from_tree(tree, lambda ref: ("revived", ref.index))
    assert seen == {"a": [("revived", 1), (("revived", 2),)], ("revived", 3): None}
