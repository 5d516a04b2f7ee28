"""Modules that end, hang, or raise in every way: each test gets its verdict, and no other one is touched."""

from __future__ import annotations

import pytest

EXITS = {
    "sys.exit": ("__import__('sys').exit(0)", "error"),
    "SystemExit without a code": ("raise SystemExit", "error"),
    "os._exit of success": ("__import__('os')._exit(0)", "crashed"),
    "os.abort": ("__import__('os').abort()", "crashed"),
    "a segmentation fault": ("__import__('ctypes').string_at(0)", "crashed"),
    "a signal to itself": ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "crashed"),
    "a signal that has no name": ("import os; os.kill(os.getpid(), 40)", "crashed"),
    "a kill of itself": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "error"),
    "a stop of itself": ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", "timeout"),
    "an alarm": ("import signal, time; signal.setitimer(signal.ITIMER_REAL, 0.01); time.sleep(9)", "crashed"),
    "a stack overflow": ("f = lambda: f()\n    f()", "error"),
    "a stack overflow in C": (
        "import sys\n    sys.setrecursionlimit(10**9)\n"
        "    class A:\n        def __repr__(self):\n            return repr([self])\n    repr(A())",
        "crashed",
    ),
    "an endless loop": ("while True:\n        pass", "timeout"),
    "a loop in C that holds the interpreter": ("sum(iter(int, 1))", "timeout"),
    "a deadlock": (
        "import threading\n    lock = threading.Lock()\n    lock.acquire()\n    lock.acquire()",
        "timeout",
    ),
    "ignoring every signal": (
        "import signal, time\n    for number in (1, 2, 3, 15):\n        signal.signal(number, "
        "signal.SIG_IGN)\n    time.sleep(60)",
        "timeout",
    ),
    "the stub": ("raise NotImplementedError", "not attempted"),
    "an error named NotImplementedError": (
        "raise type('NotImplementedError', (Exception,), {})('x')",
        "error",
    ),
    "an error named ForbiddenCall": ("raise type('ForbiddenCall', (Exception,), {})('x')", "forbidden"),
    "an error named Skipped": ("raise type('Skipped', (BaseException,), {})('x')", "error"),
    "an error named StudentStopped": (
        "raise type('StudentStopped', (BaseException,), {'verdict': 'passed'})('x')",
        "error",
    ),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "error"),
    "GeneratorExit": ("raise GeneratorExit", "error"),
    "StopIteration": ("raise StopIteration({})", "error"),
    "an AssertionError": ("raise AssertionError('all is well')", "error"),
    "a group of errors": ("raise ExceptionGroup('x', [ValueError()] * 1000)", "error"),
    "an error of surrogates": (r"raise ValueError('\ud800 \udfff')", "error"),
    "an error of terminal escapes": (r"raise ValueError('\x1b[2J\x1b]0;x\x07\x00\x9b')", "error"),
    "an error of emoji": (r"print('\U0001F600' * 20000); raise ValueError('\U0001F600' * 4000)", "error"),
    "an encoding error": (r"'\ud800'.encode()", "error"),
    "an error without a text": (
        "raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})()",
        "error",
    ),
    "an error whose text exits": (
        "raise type('E', (Exception,), {'__str__': lambda self: __import__('sys').exit(0)})()",
        "error",
    ),
    "an error whose text never ends": (
        "raise type('E', (Exception,), {'__str__': lambda self: sum(iter(int, 1))})()",
        "timeout",
    ),
    "an error of a hundred megabytes": ("raise ValueError('x' * 10**8)", "error"),
    "an error with a million causes": (
        "error = ValueError()\n    for _ in range(200_000):\n        above = ValueError()\n        "
        "above.__cause__ = error\n"
        "        error = above\n    raise error",
        "error",
    ),
    "an error of a class of classes": (
        "class Meta(type):\n        __name__ = property(lambda self: self)\n        __mro__ = "
        "property(lambda self: 1 / 0)\n"
        "    class E(Exception, metaclass=Meta):\n        pass\n    raise E()",
        "error",
    ),
    "a warning": ("raise UserWarning('x')", "error"),
}


@pytest.mark.parametrize("way", EXITS)
def test_a_function_that_ends_by_it_costs_its_own_test_only(arena, way: str) -> None:
    code, verdict = EXITS[way]
    result = arena.attack(f"def words(text):\n    {code}\n", keeps=arena.without("words"))
    (test,) = [test for test in result.tests if test.problem == "words"]
    allowed = {verdict}
    if way in ("an error whose text exits", "an error of a class of classes", "a stack overflow in C"):
        allowed |= {"crashed", "error"}
    assert test.verdict in allowed, (test.verdict, test.message)
    assert test.hint


AT_IMPORT = {
    "sys.exit": ("error", 5),
    "os._exit of success": ("crashed", 5),
    "os.abort": ("crashed", 5),
    "a segmentation fault": ("crashed", 5),
    "an endless loop": ("timeout", 6),
    "a loop in C that holds the interpreter": ("timeout", 6),
    "a stop of itself": ("timeout", 6),
    "the stub": ("not attempted", 5),
    "an error of surrogates": ("error", 5),
    "an encoding error": ("error", 5),
    "an error of emoji": ("error", 5),
    "an error whose text exits": ("crashed", 5),
    "KeyboardInterrupt": ("error", 5),
    "an error named Skipped": ("error", 5),
}


@pytest.mark.parametrize("way", AT_IMPORT)
def test_a_module_that_ends_by_it_earns_nothing_and_is_not_tried_again(arena, way: str) -> None:
    verdict, seconds = AT_IMPORT[way]
    result = arena.attack(f"print('BEGUN')\nif True:\n    {EXITS[way][0]}\n", seconds=seconds + 3)
    allowed = {verdict, "error"} if way == "an error whose text exits" else {verdict}
    assert {str(test.verdict) for test in result.tests} <= allowed
    assert result.import_error


def test_text_that_cannot_be_encoded_costs_no_mark(arena) -> None:
    """Printing is not answering: an honest function stays right whatever it prints."""
    result = arena.attack(
        r"""
        print('\ud800 \x1b[2J \x00')
        honest = words
        def words(text):
            print('\ud800 \udfff \x1b[31m \x00', '\U0001F600' * 20000)
            return honest(text)
        """,
        keeps=arena.without(),
    )
    assert result.import_output


def test_a_flood_of_output_is_cut_and_costs_no_mark(arena) -> None:
    result = arena.attack(
        """
        import os, sys
        print("x" * 10**7)
        os.write(1, b"y" * 10**6)
        os.write(2, b"y" * 10**6)
        honest = words
        def words(text):
            for _ in range(20_000):
                print("z" * 100, file=sys.stderr)
            return honest(text)
        """,
        keeps=arena.without(),
    )
    assert max(len(test.output) for test in result.tests) <= 4000
    assert len(result.import_output) <= 4000


def test_a_loop_in_a_finalizer_costs_time_but_no_other_mark(arena) -> None:
    arena.attack(
        """
        class Trap:
            def __del__(self):
                while True:
                    pass
        def words(text):
            return Trap()
        """,
        keeps=arena.without("words"),
    )


def test_exit_handlers_do_not_run(arena) -> None:
    result = arena.attack(
        """
        import atexit, os, threading, time
        atexit.register(lambda: time.sleep(60))
        threading._register_atexit(lambda: time.sleep(60))
        """,
        keeps=arena.without(),
    )
    assert result.seconds < 5


def test_a_function_that_swallows_everything_cannot_swallow_its_end(arena) -> None:
    arena.attack(
        """
        import sys, time
        sys.excepthook = sys.unraisablehook = lambda *_: None
        def words(text):
            while True:
                try:
                    time.sleep(0.001)
                    sys.exit(1)
                except BaseException:
                    continue
        """,
        keeps=arena.without("words"),
        verdicts={"words": "timeout"},
    )


def test_a_suites_error_inside_a_callback_cannot_be_swallowed_into_a_mark(arena) -> None:
    arena.attack(
        """
        def descend(slope, start):
            try:
                slope(1e9)
            except BaseException:
                pass
            return start
        """,
        keeps=arena.without("descend"),
        verdicts={"descend": "failed"},
    )


def test_recursion_between_the_suite_and_the_student_ends(arena) -> None:
    arena.attack(
        """
        class At(float):
            pass
        def descend(slope, start):
            class Number:
                def __abs__(self): return 0.0
                def __float__(self): return slope(self)
            def deeper(n):
                slope(float(n))
                return deeper(n + 1)
            return deeper(0)
        """,
        keeps=arena.without("descend"),
    )


def test_a_hang_in_every_function_stays_within_the_submissions_time(arena) -> None:
    result = arena.attack(
        """
        def hang(*_):
            while True:
                pass
        scale = words = Double = descend = recover = lines = squares = hang
        """,
        seconds=11,
    )
    assert {str(test.verdict) for test in result.tests} == {"timeout"}
    assert any("6 s" in test.message for test in result.tests)


def test_a_missing_function_is_not_attempted_and_a_wrong_kind_is_failed(arena) -> None:
    arena.attack(
        "del words\nlines = 5\n",
        keeps=arena.without("words", "lines"),
        verdicts={"words": "not attempted", "lines": "failed"},
    )


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\x00",
        b"def f(:\n",
        b"\xff\xfe\x00",
        b"# coding: rot13\n",
        b"(" * 5000,
        b"x = " + b"-" * 200_000 + b"1",
    ],
    ids=["empty", "a null byte", "no Python", "no text", "rot13", "brackets", "minus signs"],
)
def test_a_file_that_is_no_module_earns_nothing(arena, source: bytes) -> None:
    result = arena.grade(source)
    assert result.graded, result.faults
    assert result.points == 0
    # forbidden: nobody could search the text
    assert {str(test.verdict) for test in result.tests} <= {"error", "not attempted", "crashed", "forbidden"}
    arena.check_aftermath()
