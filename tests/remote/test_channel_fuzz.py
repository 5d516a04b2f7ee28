"""Whatever a worker sends, a test ends soon and with a verdict that is not our fault."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlquiz.testing.judging import judge
from dlquiz.testing.student import StudentError, StudentStopped, Unusable
from dlquiz.testing.values import Callback, Ref
from dlquiz.testing.verdict import Verdict
from grader.remote import stream, wire

CALL_SECONDS = 0.15


def whole(body: bytes) -> bytes:
    return wire.LENGTH.pack(len(body)) + body


def forged(draw: Callable[[Any], Any], number: int, trees: st.SearchStrategy[Any]) -> bytes:
    """What a hostile worker might answer to question `number`: bytes, frames, or nearly right messages."""
    kind = draw(
        st.sampled_from(
            ["noise", "frame", "tree", "envelope", "answer", "answer", "call", "error", "half", "flipped"]
        )
    )
    if kind == "noise":
        return bytes(draw(st.binary(max_size=40)))
    if kind == "frame":
        packed = msgpack.packb(
            draw(st.lists(st.one_of(st.integers(0, 9), st.text(max_size=3), st.none()), max_size=4))
        )
        return whole(len(packed).to_bytes(4, "little") + packed)
    if kind == "tree":
        return whole(wire.encode(draw(trees)))
    if kind == "envelope":
        parts = st.dictionaries(
            st.sampled_from(["id", "out", "ok", "err", "bad", "call", "args", "kwargs"]), trees
        )
        return whole(wire.encode({"id": number, "out": "", **draw(parts)}))
    told: dict[str, Any] = {"id": number, "out": ""}
    if kind == "call":
        told |= {"call": Callback(draw(st.integers(0, 2))), "args": draw(trees), "kwargs": draw(trees)}
    elif kind == "error":
        texts = st.one_of(st.text(max_size=9), trees)
        told["err"] = {name: draw(texts) for name in ("type", "message", "traceback")}
        told["err"]["bases"] = draw(st.one_of(st.just(["ValueError"]), trees))
    else:
        told["ok"] = draw(trees)
    body = whole(wire.encode(told))
    dice = random.Random(draw(st.integers()))
    if kind == "half":
        return body[: dice.randrange(len(body))]
    if kind == "flipped":
        damaged = bytearray(body)
        damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
        return bytes(damaged)
    return body


USES: list[Callable[[Any], object]] = [
    lambda student: student.f,
    lambda student: student.f(1.0),
    lambda student: np.testing.assert_allclose(student.f(np.ones(2)), [1.0, 2.0]),
    lambda student: list(student.f),
    lambda student: len(student.f),
    lambda student: float(student.f) + int(student.f),
    lambda student: np.asarray(student.f).sum(),
    lambda student: student.probe(probe, student, lambda x=0: x),
    lambda student: student.module("keras").layers.Dense(2)(np.ones((1, 1))),
    lambda student: "a" in student.f,
    lambda student: sorted(student.f),
    lambda student: student.f == {"a": np.ones(1)},
]


def probe(module: Any, function: Any) -> object:
    return function()


@settings(max_examples=120, deadline=None, suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_no_answer_makes_our_fault_or_takes_long(
    data: st.DataObject, trees: st.SearchStrategy[Any], connect: Any
) -> None:
    draw, hang = data.draw, data.draw(st.booleans())
    use = data.draw(st.sampled_from(USES))
    good = data.draw(st.integers(0, 2))
    # Drawn beforehand: hypothesis is not to be asked from the worker's thread.
    answers = [forged(draw, 2**61, trees) for _ in range(3)]

    def worker(pair: Any) -> None:
        pair.accept()
        for _ in range(good):
            pair.answer(pair.receive(), ok=Ref(3, "object"))
        for content in answers:
            number = pair.receive()["id"]
            # 2**61 and the ids of the channel take nine bytes each in msgpack
            pair.connection.sendall(content.replace((2**61).to_bytes(8, "big"), number.to_bytes(8, "big")))
        if hang:
            with contextlib.suppress(stream.Closed, wire.WireError, OSError):
                while True:
                    pair.receive()

    channel, student, supervisor = connect(worker, call_seconds=CALL_SECONDS)
    channel.load()
    started = time.monotonic()
    error: BaseException | None = None
    try:
        use(student)
    except Exception as raised:
        error = raised
    except StudentStopped as raised:
        error = raised
    judgement = judge(channel.stopped or error, channel.asked)
    assert judgement.verdict is not Verdict.GRADER_ERROR
    assert time.monotonic() - started < 3 * CALL_SECONDS + 2
    channel.end_test()
    channel._drop()
    supervisor.join()


@settings(max_examples=60, deadline=None, suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_a_request_gives_data_or_one_of_three_exceptions(
    data: st.DataObject, trees: st.SearchStrategy[Any], connect: Any, is_plain: Callable[[Any], bool]
) -> None:
    content = forged(data.draw, 2**61, trees)

    def worker(pair: Any) -> None:
        pair.accept()
        number = pair.receive()["id"]
        pair.connection.sendall(content.replace((2**61).to_bytes(8, "big"), number.to_bytes(8, "big")))

    channel, _, _ = connect(worker, call_seconds=CALL_SECONDS)
    with contextlib.suppress(StudentError, StudentStopped, Unusable):
        assert is_plain(channel.request("attr", [Ref(0), "f"])) is True
    channel._drop()


@pytest.mark.parametrize("sent", [b"\0" * 8, b"\xff" * 8, b"", b"\x04" + b"\0" * 7 + b"\0" * 4])
def test_noise_instead_of_an_import_is_judged(connect: Any, sent: bytes) -> None:
    def worker(pair: Any) -> None:
        pair.receive()
        pair.connection.sendall(sent)

    channel, student, _ = connect(worker, call_seconds=CALL_SECONDS)
    channel.load()
    for _ in range(2):
        channel.begin_test()
        with pytest.raises((StudentStopped, StudentError, Unusable)) as caught:
            student.f(1)
        assert judge(caught.value, channel.asked).verdict in (Verdict.FORBIDDEN, Verdict.CRASHED)
