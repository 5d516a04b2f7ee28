"""The referee's side against workers played by a test: answers, deadlines, deaths, forgeries, callbacks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dlquiz.testing.judging import judge
from dlquiz.testing.student import Handle, StudentError, StudentStopped, Unusable
from dlquiz.testing.values import Callback, NotData, Ref
from dlquiz.testing.verdict import Verdict
from grader.remote import channel as room
from grader.remote import stream, wire
from grader.remote.channel import MAX_TEXT

Connect = Callable[..., Any]
FINE = {
    "type": "ValueError",
    "bases": ["ValueError"],
    "message": "no",
    "traceback": "answer.py, line 2, in f",
}


def script(*steps: Callable[[Any], None]) -> Callable[[Any], None]:
    """A worker that imports, does `steps`, then waits for the referee to hang up."""

    def run(pair: Any) -> None:
        pair.accept()
        for step in steps:
            step(pair)
        while True:
            pair.receive()

    return run


def answer(**told: Any) -> Callable[[Any], None]:
    """Answer the next request."""
    return lambda pair: pair.answer(pair.receive(), **told)


def stopped(call: Callable[[], object]) -> StudentStopped:
    with pytest.raises(StudentStopped) as caught:
        call()
    return caught.value


def test_an_answer_is_data_and_its_request_says_what_was_asked(connect: Connect) -> None:
    channel, student, supervisor = connect(script(answer(ok=Ref(4, "function")), answer(ok=np.ones(2))))
    np.testing.assert_array_equal(student.double(np.zeros(1)), [1.0, 1.0])
    _, get, call = supervisor.started[0].asked
    assert (get["op"], get["args"]) == ("attr", [Ref(0, "module"), "double"])
    assert call["op"] == "call"
    assert call["args"][0] == Ref(4, "function")
    assert len({get["id"], call["id"]}) == 2
    assert channel.asked


def test_what_the_student_prints_is_kept_for_its_test(connect: Connect) -> None:
    channel, student, _ = connect(
        script(answer(ok=1, out="one "), answer(ok=2, out="two"), answer(ok=3, out="three"))
    )
    _ = student.a, student.b
    assert channel.take_output() == "one two"
    channel.begin_test()
    _ = student.c
    assert channel.take_output() == "three"


def test_what_the_student_prints_is_bounded(connect: Connect, honest: Any) -> None:
    channel, student, _ = connect(honest(1, out="x" * 15_000))
    for _ in range(5):
        _ = student.a
    assert len(channel.take_output()) == MAX_TEXT
    assert sum(map(len, channel._output)) <= MAX_TEXT + 15_000


def test_what_an_import_prints_is_kept_apart(connect: Connect) -> None:
    def run(pair: Any) -> None:
        pair.answer(pair.receive(), ok=None, out="hello")
        pair.answer(pair.receive(), ok=1)

    channel, student, _ = connect(run)
    assert student.a == 1
    assert channel.import_output == "hello"
    assert channel.take_output() == ""


def test_a_request_without_an_answer_is_stopped_at_its_deadline(connect: Connect) -> None:
    _, student, supervisor = connect(script(), call_seconds=0.2)
    started = time.monotonic()
    error = stopped(lambda: student.f)
    assert time.monotonic() - started < 2
    assert error.verdict is Verdict.TIMEOUT
    assert str(error) == "no answer within 0.2 s"
    assert supervisor.stopped == 1


def test_the_seconds_of_a_submission_end_a_request_too(connect: Connect) -> None:
    _, student, _ = connect(script(), call_seconds=30, seconds=0.3)
    error = stopped(lambda: student.f)
    assert error.verdict is Verdict.TIMEOUT
    assert str(error) == "the submission used up its 0.3 s"


def test_time_spent_in_the_suite_leaves_less_for_the_rest(connect: Connect, honest: Any) -> None:
    channel, student, _ = connect(honest(1), seconds=0.3)
    assert student.f == 1
    time.sleep(0.4)
    for _ in range(2):
        channel.begin_test()
        assert stopped(lambda: student.f).verdict is Verdict.TIMEOUT


def test_a_stopped_test_stays_stopped_and_the_next_has_a_fresh_worker(connect: Connect, honest: Any) -> None:
    channel, student, supervisor = connect(script(), honest(7), call_seconds=0.2)
    first = stopped(lambda: student.f)
    assert stopped(lambda: student.g) is first
    assert channel.stopped is first
    assert len(supervisor.started) == 1
    channel.end_test()
    channel.begin_test()
    assert channel.stopped is None
    assert student.f == 7
    assert len(supervisor.started) == 2


def test_a_worker_that_dies_has_the_cause_that_the_parent_tells(connect: Connect, honest: Any) -> None:
    for verdict, text in ((Verdict.MEMORY, "used 3 GiB"), (Verdict.CRASHED, "SIGSEGV")):
        _, student, supervisor = connect(script(lambda pair: (pair.receive(), pair.connection.close())))
        supervisor.death = (verdict, text)
        error = stopped(lambda: student.f)  # noqa: B023
        assert (error.verdict, str(error)) == (verdict, text)


def test_a_worker_that_dies_between_two_tests_is_noticed(connect: Connect) -> None:
    channel, student, _ = connect(script(answer(ok=1), lambda pair: pair.connection.close()))
    assert student.f == 1
    time.sleep(0.1)
    assert stopped(lambda: student.f).verdict is Verdict.CRASHED
    assert channel.stopped is not None


def test_an_answer_before_its_question_is_forged(connect: Connect) -> None:
    def early(pair: Any) -> None:
        pair.answer(pair.receive(), ok=1)
        pair.send({"id": 1, "ok": 2, "out": ""})

    channel, student, _ = connect(script(early))
    assert student.f == 1
    time.sleep(0.1)
    error = stopped(lambda: student.f)
    assert error.verdict is Verdict.FORBIDDEN
    assert "before the question" in str(error)
    assert channel.stopped is error


FORGERIES: dict[str, Callable[[int], Any]] = {
    "another id": lambda number: {"id": number + 1, "ok": 1, "out": ""},
    "no id": lambda number: {"ok": 1, "out": ""},
    "an array as id": lambda number: {"id": np.array([number, number]), "ok": 1, "out": ""},
    "a float as id": lambda number: {"id": float(number), "ok": 1, "out": ""},
    "no output": lambda number: {"id": number, "ok": 1},
    "an output that is no text": lambda number: {"id": number, "ok": 1, "out": b""},
    "no dictionary": lambda number: [number, 1, ""],
    "nothing answered": lambda number: {"id": number, "out": ""},
    "an error that is none": lambda number: {"id": number, "out": "", "err": "ValueError"},
    "an error without bases": lambda number: {"id": number, "out": "", "err": {**FINE, "bases": None}},
    "an error of odd bases": lambda number: {"id": number, "out": "", "err": {**FINE, "bases": [1]}},
    "an error of an array": lambda number: {"id": number, "out": "", "err": {**FINE, "message": np.ones(2)}},
    "a call of no function": lambda number: {
        "id": number,
        "out": "",
        "call": Callback(0),
        "args": [],
        "kwargs": {},
    },
    "a call of a number": lambda number: {"id": number, "out": "", "call": 0, "args": [], "kwargs": {}},
    "a call of an array": lambda number: {
        "id": number,
        "out": "",
        "call": np.ones(2),
        "args": [],
        "kwargs": {},
    },
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_answer_is_forbidden(connect: Connect, name: str) -> None:
    def forge(pair: Any) -> None:
        pair.send(FORGERIES[name](pair.receive()["id"]))

    channel, student, supervisor = connect(script(forge), call_seconds=2)
    error = stopped(lambda: student.f)
    assert error.verdict is Verdict.FORBIDDEN, str(error)
    assert "was not written by the grader" in str(error)
    assert supervisor.stopped == 1
    assert channel.stopped is error


@pytest.mark.parametrize("number", [1.0, True, np.int64(1), np.array(1), 1 + 0j], ids=repr)
def test_an_id_that_is_only_equal_to_the_right_one_is_forged(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, number: object
) -> None:
    monkeypatch.setattr(room.secrets, "randbits", lambda _: 1)
    _, student, _ = connect(
        script(lambda pair: pair.send({"id": number, "ok": pair.receive()["op"], "out": ""}))
    )
    assert stopped(lambda: student.f).verdict is Verdict.FORBIDDEN


def test_an_answer_that_the_grader_trips_over_is_the_answers_fault(
    connect: Connect, honest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, student, _ = connect(honest())
    channel.load()

    def trip(_: bytes) -> object:
        raise LookupError("a fault of ours")

    monkeypatch.setattr(wire, "weight", trip)
    error = stopped(lambda: student.f)
    assert error.verdict is Verdict.FORBIDDEN
    assert "fault of ours" not in str(error)


@pytest.mark.parametrize("body", [b"", b"\x05\0\0\0abcde", b"\xff" * 40])
def test_a_frame_of_noise_is_forbidden(connect: Connect, body: bytes) -> None:
    _, student, _ = connect(script(lambda pair: (pair.receive(), stream.send(pair.connection, body))))
    assert stopped(lambda: student.f).verdict is Verdict.FORBIDDEN


def test_an_exception_arrives_as_its_builtin_type(connect: Connect) -> None:
    _, student, _ = connect(script(answer(err=FINE)))
    with pytest.raises(ValueError, match="ValueError: no") as caught:
        _ = student.f
    assert isinstance(caught.value, StudentError)
    assert caught.value.trace == FINE["traceback"]


@pytest.mark.parametrize(
    "base", ["SystemExit", "KeyboardInterrupt", "BaseException", "object", "int", "Warning", "nonsense"]
)
def test_a_forged_base_gives_no_exception_that_could_end_the_suite(connect: Connect, base: str) -> None:
    _, student, _ = connect(script(answer(err={**FINE, "bases": [base]})))
    with pytest.raises(StudentError) as caught:
        _ = student.f
    assert not isinstance(caught.value, ValueError)


def test_the_text_of_an_exception_is_bounded(connect: Connect) -> None:
    long = "x" * 100_000
    _, student, _ = connect(
        script(answer(err={"type": long, "bases": [], "message": long, "traceback": long}))
    )
    with pytest.raises(StudentError) as caught:
        _ = student.f
    assert len(str(caught.value)) <= MAX_TEXT + 300
    assert len(caught.value.type_name) == 200
    assert len(caught.value.trace) == MAX_TEXT


def test_what_cannot_be_sent_is_unusable(connect: Connect) -> None:
    _, student, _ = connect(script(answer(bad="an array of dtype object " + "x" * 10_000)))
    with pytest.raises(Unusable, match="what came back is an array of dtype object") as caught:
        _ = student.f
    assert len(str(caught.value)) < 1100


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        ({"err": {**FINE, "type": "SyntaxError", "bases": ["SyntaxError"]}}, Verdict.ERROR),
        ({"bad": "x"}, Verdict.FAILED),
        (None, Verdict.TIMEOUT),
    ],
)
def test_an_import_that_fails_is_judged_in_every_test_and_tried_once(
    connect: Connect, told: dict[str, Any] | None, verdict: Verdict
) -> None:
    def run(pair: Any) -> None:
        message = pair.receive()
        if told is not None:
            pair.answer(message, **told)
        pair.receive()

    channel, student, supervisor = connect(run, call_seconds=0.3)
    channel.load()
    started = time.monotonic()
    for _ in range(3):
        channel.begin_test()
        with pytest.raises(BaseException) as caught:  # noqa: PT011
            student.f(1)
        assert judge(channel.stopped or caught.value, channel.asked).verdict is verdict
        channel.end_test()
    assert time.monotonic() - started < 1
    assert len(supervisor.started) == 1


def test_the_worker_is_never_told_the_seed_of_the_hidden_inputs(connect: Connect, honest: Any) -> None:
    seeds = []
    for seed in (5, 5, 6):
        _, student, supervisor = connect(honest(), seed=seed)
        assert student.f == 42
        name, told = supervisor.started[0].asked[0]["args"]
        assert name == "answer"
        assert told != seed
        seeds.append(told)
    assert seeds[0] == seeds[1] != seeds[2]


def test_what_a_test_receives_is_bounded_and_the_next_test_begins_anew(
    connect: Connect, honest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_RECEIVED", 2**20)
    channel, student, _ = connect(honest(np.zeros(30_000)))

    def take() -> None:
        for _ in range(10):
            _ = student.f

    assert stopped(take).verdict is Verdict.MEMORY
    channel.begin_test()
    np.testing.assert_array_equal(student.f, np.zeros(30_000))


def test_objects_are_let_go_at_the_end_of_a_test(connect: Connect, honest: Any) -> None:
    channel, student, supervisor = connect(honest())
    channel.end_test()
    assert supervisor.started == []  # nothing was asked of anyone
    _ = student.f
    channel.end_test()
    channel.begin_test()
    _ = student.f
    assert [message["op"] for message in supervisor.started[0].asked] == ["load", "attr", "forget", "attr"]


def test_a_worker_that_does_not_let_go_is_replaced_and_costs_nothing(connect: Connect, honest: Any) -> None:
    channel, student, supervisor = connect(script(answer(ok=1)), honest(2), call_seconds=0.2)
    assert student.f == 1
    channel.end_test()
    channel.begin_test()
    assert student.f == 2
    assert supervisor.stopped == 1
    assert channel.stopped is None


def call_back(index: int = 0, args: Any = (), kwargs: Any = None) -> Callable[[Any], None]:
    """Answer the next request by a call of the suite's function, and then with what that gave."""

    def step(pair: Any) -> None:
        message = pair.receive()
        pair.answer(message, call=Callback(index), args=list(args), kwargs=kwargs or {})
        told = pair.receive()
        pair.answer(message, ok=[told.get("value"), told.get("error"), told.get("text")])

    return step


FUNCTION = Ref(3, "function")


def test_a_function_of_the_suites_is_called_with_data(connect: Connect) -> None:
    _, student, _ = connect(
        script(answer(ok=FUNCTION), call_back(args=[np.ones(2), Ref(5, "Layer")], kwargs={"k": 1}))
    )
    seen: list[Any] = []

    def note(x: Any, layer: Any, k: int) -> Any:
        seen.extend([x, layer, k])
        return [layer, k + 1]

    value, error, _ = student.f(note)
    assert error is None
    assert value[1] == 2
    assert value[0] == seen[1]
    assert isinstance(seen[1], Handle)
    np.testing.assert_array_equal(seen[0], [1.0, 1.0])


class Odd(LookupError):
    pass


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ValueError("SECRET"), "ValueError"),
        (AssertionError("SECRET"), "AssertionError"),
        (Odd("SECRET"), "LookupError"),
    ],
)
def test_the_error_of_a_callback_carries_no_text_of_the_suite(
    connect: Connect, error: Exception, name: str
) -> None:
    channel, student, supervisor = connect(script(answer(ok=FUNCTION), call_back()))

    def fail() -> None:
        raise error

    value, told, text = student.f(fail)
    assert (value, told) == (None, name)
    assert "SECRET" not in str(supervisor.started[0].asked)
    assert text
    assert (channel.callback_failure is error) is (name == "AssertionError")
    channel.begin_test()
    assert channel.callback_failure is None


def test_a_callback_may_not_return_what_is_no_data(connect: Connect) -> None:
    _, student, _ = connect(script(answer(ok=FUNCTION), call_back()))
    assert student.f(lambda: object())[1] == "TypeError"


def test_a_callback_of_an_earlier_test_is_gone(connect: Connect) -> None:
    channel, student, _ = connect(script(answer(ok=FUNCTION), call_back(), answer(ok=None), call_back()))
    assert student.f(lambda: 1)[0] == 1
    channel.end_test()
    channel.begin_test()
    assert stopped(lambda: student.f).verdict is Verdict.FORBIDDEN


def test_a_callback_with_odd_arguments_is_forbidden(connect: Connect) -> None:
    for args, kwargs in ((None, {}), ([], None), ([], {1: 2}), ({}, {}), ([], [])):

        def step(pair: Any, args: Any = args, kwargs: Any = kwargs) -> None:
            pair.answer(pair.receive(), call=Callback(0), args=args, kwargs=kwargs)

        _, student, _ = connect(script(answer(ok=FUNCTION), step))
        assert stopped(lambda: student.f(lambda: 1)).verdict is Verdict.FORBIDDEN  # noqa: B023


def test_a_callback_that_calls_the_student_again_is_answered(connect: Connect) -> None:
    def step(pair: Any) -> None:
        message = pair.receive()
        pair.answer(message, call=Callback(0), args=[Ref(9, "Layer")], kwargs={})
        inner = pair.receive()
        assert inner["op"] == "attr"
        pair.answer(inner, ok=5)
        told = pair.receive()
        pair.answer(message, ok=told["value"])

    _, student, _ = connect(script(answer(ok=FUNCTION), step))
    assert student.f(lambda layer: layer.units + 1) == 6


def test_a_callback_that_comes_for_ever_is_late(connect: Connect) -> None:
    def step(pair: Any) -> None:
        message = pair.receive()
        while True:
            pair.answer(message, call=Callback(0), args=[], kwargs={})
            pair.receive()

    _, student, _ = connect(script(answer(ok=FUNCTION), step), call_seconds=0.3)
    assert stopped(lambda: student.f(lambda: 1)).verdict is Verdict.TIMEOUT


def test_a_handle_of_another_channel_is_refused(connect: Connect, honest: Any) -> None:
    _, one, _ = connect(honest(Ref(2, "Layer")))
    _, other, _ = connect(honest(Ref(2, "Layer")))
    with pytest.raises(NotData, match="another student"):
        other.f(one.layer)


def test_an_argument_of_the_suites_that_is_too_large_ends_its_own_test_only(
    connect: Connect, honest: Any
) -> None:
    channel, student, supervisor = connect(honest(FUNCTION))
    with pytest.raises(ValueError, match="bytes outside arrays"):
        student.f("x" * (5 * 2**20))
    assert channel.stopped is None
    channel.end_test()
    channel.begin_test()
    assert isinstance(student.f, Handle)
    assert len(supervisor.started) == 1
