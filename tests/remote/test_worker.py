"""The worker's side: a real one serves a student's module to a real channel, in a thread of this process."""

from __future__ import annotations

import contextlib
import random
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlquiz.testing.student import Handle, Student, StudentError, Unusable
from dlquiz.testing.verdict import Verdict
from grader.remote import wire, worker
from grader.remote.channel import RemoteChannel
from grader.remote.worker import MAX_OUTPUT, CapturedText, Worker


def test_captured_text_is_what_was_written_since_it_was_last_taken() -> None:
    text = CapturedText()
    print("one", 2, file=text)
    assert text.writable()
    assert text.take() == "one 2\n"
    assert text.take() == ""


def test_captured_text_is_cut_and_says_so() -> None:
    text = CapturedText()
    for _ in range(1000):
        assert text.write("x" * 1000) == 1000
    assert text.take() == "x" * MAX_OUTPUT + "\n... (cut)"
    assert sum(map(len, text._parts)) == 0
    text.write("x" * MAX_OUTPUT)
    assert text.take() == "x" * MAX_OUTPUT


def test_captured_text_can_be_encoded() -> None:
    text = CapturedText()
    text.write("a\ud800b")
    assert text.take() == "a?b"


class Thread:
    """A supervisor whose worker is a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start_worker(self) -> socket.socket:
        ours, theirs = socket.socketpair()

        def run() -> None:
            with theirs, contextlib.suppress(OSError):
                Worker(theirs, self._folder).run()

        threading.Thread(target=run, daemon=True).start()
        return ours

    def stop_worker(self) -> None:
        pass

    def cause_of_death(self) -> tuple[Verdict, str]:
        return Verdict.CRASHED, "gone"


@pytest.fixture
def serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[RemoteChannel, Student]]]:
    """Serve a module; a worker takes over this process's streams and search path, which are put back."""
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    made: list[RemoteChannel] = []

    def serve(source: str, seed: int = 3, **files: str) -> tuple[RemoteChannel, Student]:
        for name, content in {"answer": source, **files}.items():
            (tmp_path / f"{name}.py").write_text(content)
        channel = RemoteChannel(Thread(tmp_path), "answer", seed, 5, 60)
        channel.begin_test()
        made.append(channel)
        return channel, Student(channel)

    yield serve
    for channel in made:
        channel._drop()
    for name in {"answer", "helper_of_answer"} - before:
        sys.modules.pop(name, None)


def test_a_function_is_called_and_its_print_is_kept(serve: Any) -> None:
    channel, student = serve("print('hello')\ndef f(x):\n    print('in f')\n    return x + 1")
    np.testing.assert_array_equal(student.f(np.arange(3)), [1, 2, 3])
    assert channel.import_output == "hello\n"
    assert channel.take_output() == "in f\n"


def test_a_file_handed_in_beside_the_module_can_be_imported(serve: Any) -> None:
    _, student = serve("from helper_of_answer import f", helper_of_answer="def f():\n    return 5")
    assert student.f() == 5


def test_an_exception_shows_the_students_own_lines(serve: Any) -> None:
    _, student = serve("def f():\n    return g()\ndef g():\n    raise KeyError('what')")
    with pytest.raises(KeyError) as caught:
        student.f()
    assert isinstance(caught.value, StudentError)
    assert (
        caught.value.trace
        == "answer.py, line 2, in f\n    return g()\nanswer.py, line 4, in g\n    raise KeyError('what')"
    )


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseException"])
def test_leaving_the_program_is_an_error_and_the_worker_lives(serve: Any, name: str) -> None:
    _, student = serve(f"def f():\n    raise {name}('out')\ndef g():\n    return 1")
    with pytest.raises(StudentError, match=f"{name}: out"):
        student.f()
    assert student.g() == 1


def test_an_import_that_raises_is_told(serve: Any) -> None:
    channel, student = serve("x = 1\n1 / 0")
    with pytest.raises(ZeroDivisionError) as caught:
        student.f()
    assert caught.value.trace == "answer.py, line 2, in <module>\n    1 / 0"
    assert channel.import_error is not None


UNSENDABLE = {
    "'\\ud800'": "surrogates not allowed",
    "'x' * 5_000_000": "bytes outside arrays",
    "np.array([object()])": "dtype object",
}


@pytest.mark.parametrize("expression", UNSENDABLE)
def test_what_cannot_be_sent_is_unusable_and_the_worker_lives(serve: Any, expression: str) -> None:
    _, student = serve(f"import numpy as np\ndef f():\n    return {expression}\ndef g():\n    return 1")
    with pytest.raises(Unusable, match=UNSENDABLE[expression]):
        student.f()
    assert student.g() == 1


def test_odd_text_in_a_print_or_a_message_costs_nothing(serve: Any) -> None:
    channel, student = serve(
        "def f():\n    print('\\ud800')\n    return 1\ndef g():\n    raise ValueError('\\ud800')"
    )
    assert student.f() == 1
    assert channel.take_output() == "?\n"
    with pytest.raises(ValueError, match=r"ValueError: \?"):
        student.g()


def test_an_encoding_error_of_the_students_own_is_its_error(serve: Any) -> None:
    _, student = serve("def f():\n    return '\\ud800'.encode()")
    with pytest.raises(StudentError) as caught:
        student.f()
    assert caught.value.type_name == "UnicodeEncodeError"


def test_objects_live_as_long_as_their_test(serve: Any) -> None:
    channel, student = serve("class A:\n    x = 1")
    kind = student.A
    assert kind.x == 1
    channel.end_test()
    channel.begin_test()
    with pytest.raises((StudentError, Unusable)):
        _ = kind.x
    assert student.A.x == 1


def test_a_callback_is_called_from_the_students_code_and_may_ask_back(serve: Any) -> None:
    _, student = serve("class A:\n    x = 3\ndef apply(f):\n    return f(A(), k=[1]) + 1")

    def use(thing: Any, k: list[int]) -> int:
        assert isinstance(thing, Handle)
        return thing.x * 10 + k[0]

    assert student.apply(use) == 32


def test_an_object_given_back_by_a_callback_is_the_object_itself(serve: Any) -> None:
    _, student = serve("class A: pass\ndef apply(f):\n    a = A()\n    return f(a) is a")
    assert student.apply(lambda thing: thing) is True


def test_the_error_of_a_callback_is_the_builtin_one_without_its_text(serve: Any) -> None:
    body = "try:\n        f()\n    except ValueError as error:\n        return str(error), error.__cause__"
    _, student = serve(f"def apply(f):\n    {body}")

    def fail() -> None:
        raise ValueError("SECRET 0.731")

    text, cause = student.apply(fail)
    assert "SECRET" not in text
    assert cause is None


def test_the_workers_random_numbers_are_decided_by_the_seed(serve: Any) -> None:
    source = "import random, numpy as np\ndef f():\n    return random.random(), float(np.random.rand())"
    state, numpys = random.getstate(), np.random.get_state()
    try:
        drawn = []
        for seed in (1, 1, 2):
            channel, student = serve(source, seed=seed)
            drawn.append(student.f())
            channel._drop()
        assert drawn[0] == drawn[1]
        assert drawn[0][0] != drawn[2][0]
        assert drawn[0][1] != drawn[2][1]
    finally:
        random.setstate(state)
        np.random.set_state(numpys)


def test_a_worker_ends_when_the_referee_hangs_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    ours, theirs = socket.socketpair()
    with theirs:
        made = Worker(theirs, tmp_path)
        ours.close()
        made.run()


def test_a_probe_travels_and_returns(serve: Any) -> None:
    _, student = serve("class A:\n    _inner = 4")

    def look(student: Any, kind: Any) -> object:
        return student.A is kind, kind._inner

    assert student.probe(look, student, student.A) == (True, 4)


def test_nothing_of_pickle_is_used_on_either_side() -> None:
    for module in (wire, worker):
        assert not {"pickle", "marshal", "eval"} & vars(module).keys()
