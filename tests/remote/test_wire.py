"""Every tree arrives as it was, within bounds; whatever else arrives is refused."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlquiz.testing.values import MAX_DEPTH, MAX_DICT, Callback, Ref, to_tree
from grader.remote import wire
from grader.remote.wire import TooLarge, WireError, decode, encode

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[*HealthCheck])


def frame(header: Any, buffers: bytes = b"") -> bytes:
    """A frame with any header."""
    packed = header if isinstance(header, bytes) else msgpack.packb(header, use_bin_type=True)
    return struct.pack("<I", len(packed)) + packed + buffers


@QUICK
@given(data=st.data())
def test_every_tree_arrives_as_it_was(
    data: st.DataObject, trees: st.SearchStrategy[Any], same_tree: Callable[[Any, Any], bool]
) -> None:
    tree = data.draw(trees)
    assert same_tree(decode(encode(tree)), tree)


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("kind", ["f8", "i4", "c16", "u2", "U3"])
def test_the_byte_order_of_an_array_does_not_change_its_values(order: str, kind: str) -> None:
    array = np.array([1, 2, 3]).astype(order + kind)
    for value in (array, array[1]):
        assert np.array_equal(decode(encode(to_tree(value, lambda _: None))), value)


def test_a_view_with_steps_arrives_with_its_own_elements() -> None:
    array = np.arange(24).reshape(4, 6)[::2, ::-3]
    np.testing.assert_array_equal(decode(encode(array)), array)


def test_a_received_array_can_be_written_to_and_owns_its_memory() -> None:
    body = encode(np.zeros(3))
    array = decode(body)
    assert isinstance(array, np.ndarray)
    array[0] = 1
    assert array.flags.owndata
    assert array.flags.aligned
    np.testing.assert_array_equal(decode(body), np.zeros(3))


def test_empty_text_arrives() -> None:
    for value in (np.str_(""), np.bytes_(b""), np.array(["", ""]), np.array([], dtype="U4")):
        tree = to_tree(value, lambda _: None)
        back = decode(encode(tree))
        assert np.array_equal(np.asarray(back), np.asarray(value))


def test_what_is_no_tree_cannot_be_encoded() -> None:
    with pytest.raises(TypeError, match="object is not part of a tree"):
        encode([object()])


def test_a_frame_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_FRAME", 10_000)
    body = encode(np.zeros(9_000, dtype="uint8"))
    assert len(body) <= 10_000
    with pytest.raises(TooLarge, match=r"10,001 bytes \(at most 10,000\)"):
        encode(np.zeros(10_001, dtype="uint8"))
    with pytest.raises(TooLarge, match="bytes of data"):
        encode([np.zeros(6_000, dtype="uint8"), np.zeros(6_000, dtype="uint8")])
    monkeypatch.setattr(wire, "MAX_FRAME", len(body) - 1)
    with pytest.raises(WireError, match="a frame of"):
        decode(body)


def test_what_is_outside_arrays_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_HEADER", 1_000)
    body = encode("x" * 900)
    encode(np.zeros(100_000))
    with pytest.raises(TooLarge, match="bytes outside arrays"):
        encode("x" * 1_000)
    monkeypatch.setattr(wire, "MAX_HEADER", 500)
    with pytest.raises(WireError, match="a header of"):
        decode(body)


def test_depth_is_bounded() -> None:
    packed: Any = [0]
    for _ in range(MAX_DEPTH + 20):
        packed = [0, packed]
    with pytest.raises(WireError):
        decode(frame([packed, []]))
    with pytest.raises(WireError):
        decode(frame(b"\x91" * 100_000 + b"\xc0"))


def test_dictionaries_are_bounded_over_a_whole_frame() -> None:
    whole = dict.fromkeys(range(MAX_DICT))
    assert decode(encode(whole)) == whole
    for tree in (
        {**whole, "more": 1},
        [dict.fromkeys(range(MAX_DICT // 2)), dict.fromkeys(range(MAX_DICT // 2 + 1))],
    ):
        with pytest.raises(TooLarge, match="dictionary"):
            encode(tree)


def test_a_forged_frame_with_more_dictionary_entries_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = [dict.fromkeys(range(MAX_DICT // 2)), dict.fromkeys(range(MAX_DICT // 2 + 1))]
    monkeypatch.setattr("grader.remote.wire._entries", lambda _: 0)
    with pytest.raises(WireError, match="dictionary"):
        decode(encode(tree))


def test_colliding_keys_are_refused_at_once() -> None:
    colliding = [(2**61 - 1) * k for k in range(2_000)]
    packed: list[Any] = [2]
    for key in colliding:
        packed += [key if key < 2**64 else [6, key.to_bytes(16, "little", signed=True)], None]
    started = time.monotonic()
    with pytest.raises(WireError, match="colliding"):
        decode(frame([packed, []]))
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "packed",
    [
        [], {}, {"a": 1}, ["text"], [None], [True], [1.0], [99], [-1], [[0]],
        [2, 1], [2, [0], 1], [2, [3, "float64", [1], 0], 1],
        [3], [3, "float64", [1]], [3, "float64", [1], 1], [3, "float64", [1], -1], [3, "float64", [1], True],
        [3, "float64", [2], 0], [3, "float64", [1.0], 0], [3, "float64", [-1], 0], [3, "float64", "1", 0],
        [3, "float64", [2**40, 2**40], 0], [3, "float64", [1] * 33, 0], [3, "float64", [True], 0], [3, None, [1], 0],
        [3, "object", [1], 0], [3, "O", [1], 0], [3, "V8", [1], 0], [3, "datetime64[s]", [1], 0], [3, "i4,i4", [1], 0],
        [3, "<U0", [8], 0], [3, "<U999999999", [1], 0], [3, "{'names':['a'],'formats':['O']}", [1], 0],
        [4, "float64", b"1234567"], [4, "float64", "12345678"], [4, "object", b"12345678"], [4, "float64", [1]],
        [5, 1, 2], [5, 1.0], [5, "1", 1.0], [6, 5], [6, b"\x01" * 600], [6],
        [7, -1, "x"], [7, 1], [7, True, "x"], [7, 1.0, "x"], [7, 1, b"x"], [7, [7, 1, "x"], "x"],
        [8], [8, -1], [8, True], [8, 1, 2],
    ],
    ids=repr,
)  # fmt: skip
def test_what_encode_cannot_have_written_is_refused(packed: Any) -> None:
    with pytest.raises(WireError):
        decode(frame([packed, [8]], b"\0" * 8))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\0", b"\0\0\0\0", b"\xff\xff\xff\xff", frame(b""), frame([]), frame([None]), frame([None, [], 1]),
        frame([None, None]), frame([None, [1]]), frame([None, [-1, 1]]), frame([None, [True]], b"x"),
        frame([None, ["1"]], b"x"),
        frame([None, []], b"more"), frame([None, {"a": 1}]), frame(msgpack.packb([None, []]) + b"\xc0"),
        frame([msgpack.ExtType(1, b"x"), []]), frame([msgpack.Timestamp(1), []]), frame([[0, {"a": 1}], []]),
        frame(b"\x92\xa1\xff\x90"),
    ],
    ids=repr,
)  # fmt: skip
def test_a_frame_of_another_form_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        decode(body)


def test_a_boolean_array_holds_nothing_but_true_and_false() -> None:
    array = decode(frame([[3, "bool", [3], 0], [3]], b"\x00\x02\xff"))
    assert isinstance(array, np.ndarray)
    assert array.tobytes() == b"\x00\x01\x01"


def test_a_type_name_is_cut() -> None:
    assert decode(frame([[7, 1, "x" * 10_000], []])) == Ref(1, "x" * 80)
    assert decode(encode([Ref(1, "x" * 10_000), Callback(2)])) == [Ref(1, "x" * 80), Callback(2)]


def test_an_announced_size_alone_costs_nothing() -> None:
    """A shape of terabytes is refused by its arithmetic, and an empty one of any size by its bound."""
    started = time.monotonic()
    for shape in ([2**26] * 32, [2**26, 0, 2**27], [0, 2**63]):
        with pytest.raises(WireError):
            decode(frame([[3, "float64", shape, 0], [0]]))
    assert time.monotonic() - started < 1


def check_decoding(body: bytes, is_plain: Callable[[Any], bool]) -> None:
    try:
        tree = decode(body)
    except WireError:
        return
    assert is_plain(tree)


@QUICK
@given(body=st.binary(max_size=200))
def test_random_bytes_are_a_tree_or_refused(body: bytes, is_plain: Callable[[Any], bool]) -> None:
    check_decoding(body, is_plain)
    check_decoding(frame(body), is_plain)


PACKED = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 12), st.floats(), st.text(max_size=9), st.binary(max_size=9),
              st.sampled_from(["float64", "bfloat16", "bool", "<U2", "|S1", "object"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.builds(lambda tag, rest: [tag, *rest], st.integers(0, 9), st.lists(inner, max_size=4)),
        st.dictionaries(st.text(max_size=3), inner, max_size=2),
    ),
    max_leaves=15,
)  # fmt: skip


@QUICK
@given(packed=PACKED, sizes=st.lists(st.integers(0, 9), max_size=3), data=st.data())
def test_well_formed_msgpack_of_any_shape_is_a_tree_or_refused(
    packed: Any, sizes: list[int], data: st.DataObject, is_plain: Callable[[Any], bool]
) -> None:
    content = data.draw(st.binary(min_size=sum(sizes), max_size=sum(sizes)))
    check_decoding(frame([packed, sizes], content), is_plain)


@settings(QUICK, max_examples=60)
@given(data=st.data())
def test_damaged_frames_are_a_tree_or_refused(
    data: st.DataObject, trees: st.SearchStrategy[Any], is_plain: Callable[[Any], bool]
) -> None:
    body = encode(data.draw(trees))
    dice = random.Random(data.draw(st.integers()))
    for _ in range(20):
        check_decoding(body[: dice.randrange(len(body))], is_plain)
        damaged = bytearray(body)
        for _ in range(dice.randint(1, 4)):
            damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
        check_decoding(bytes(damaged), is_plain)
