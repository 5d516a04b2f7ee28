"""A worker that writes to its connection itself: a reply answers its own question, and none can hurt the referee."""

from __future__ import annotations

import pytest

# How a module reaches the worker's connection.
TOOLS = """
import os, sys, struct, threading, time, socket, msgpack
frame = sys._getframe()
while type(frame.f_locals.get("self")).__name__ != "Worker":
    frame = frame.f_back
WORKER = frame.f_locals["self"]
LINE = WORKER._connection
from grader.remote import stream, wire

def raw(body):
    LINE.sendall(struct.pack("<Q", len(body)) + body)

def header(tree, sizes=(), rest=b""):
    head = msgpack.packb([tree, list(sizes)], use_bin_type=True, unicode_errors="surrogatepass")
    raw(struct.pack("<I", len(head)) + head + rest)

def reply(**told):
    raw(wire.encode({"id": WORKER._current, "out": "", **told}))

def packed(**told):
    # A reply of parts that `encode` would refuse: each value is given as its packed form.
    tree = [2, "id", WORKER._current, "out", ""]
    for name, value in told.items():
        tree += [name, value]
    return tree
"""


def hostile(code: str) -> str:
    import textwrap

    return TOOLS + textwrap.dedent(code)


FORGED = {
    "an answer that is none": "reply()",
    "an answer to another question": "raw(wire.encode({'id': WORKER._current + 1, 'out': '', 'ok': {}}))",
    "an id that is an array of two": "raw(wire.encode({'id': np.array([1, 2]), 'out': '', 'ok': {}}))",
    "an id that is the number as an array": "raw(wire.encode({'id': np.array([WORKER._current, 1]), "
    "'out': '', 'ok': {}}))",
    "an output that is no text": "raw(wire.encode({'id': WORKER._current, 'out': [1], 'ok': {}}))",
    "a call of no function": "raw(wire.encode({'id': WORKER._current, 'out': '', 'call': "
    "wire.Callback(7), 'args': [], 'kwargs': {}}))",
    "an exception that is none": "reply(err={'type': 3, 'bases': None, 'message': b'', 'traceback': []})",
    "an exception without an end": "reply(err=['Exception'] * 1000)",
    "a list instead of a message": "raw(wire.encode([1, 2, 3]))",
    "nothing at all": "raw(b'')",
    "a header longer than the frame": "raw(struct.pack('<I', 2**31) + b'xx')",
    "a frame of 2**63 bytes": "LINE.sendall(struct.pack('<Q', 2**63) + b'x' * 100)",
    "a frame of the largest size and nothing in it": "LINE.sendall(struct.pack('<Q', 64 * 2**20)); "
    "os.close(LINE.fileno())",
    "noise": "raw(os.urandom(5000))",
    "a pickle": "raw(__import__('pickle').dumps({'id': 1}))",
    "a list of four thousand million": "head = bytes.fromhex('92 dd ff ff ff ff 00'); "
    "raw(struct.pack('<I', len(head)) + head)",
    "nested half a million deep": "head = b'\\x91' * 500_000; raw(struct.pack('<I', len(head)) + head)",
    "tagged lists nested a thousand deep": "tree = 0\nfor _ in range(400): tree = [0, tree]\nheader(packed(ok=tree))",
    "an extension type": "header(packed(ok=msgpack.ExtType(5, b'x')))",
    "a map": "header({'id': WORKER._current})",
    "a timestamp": "header(packed(ok=msgpack.Timestamp(0)))",
    "an object dtype": "header(packed(ok=[3, 'object', [1], 0]), [8], b'\\x41' * 8)",
    "a dtype that names a file": "header(packed(ok=[3, 'V8,O', [1], 0]), [8], b'\\x41' * 8)",
    "a negative shape": "header(packed(ok=[3, 'float64', [-1], 0]), [8], b'\\x41' * 8)",
    "a shape that overflows": "header(packed(ok=[3, 'float64', [2**26, 2**26, 2**13], 0]), [0])",
    "an empty shape that overflows": "header(packed(ok=[3, 'float64', [0] + [2**26] * 31, 0]), [0])",
    "a shape of bytes that are missing": "header(packed(ok=[3, 'float64', [100], 0]), [8], b'\\x41' * 8)",
    "a buffer that is missing": "header(packed(ok=[3, 'float64', [1], 5]), [8], b'\\x41' * 8)",
    "buffers of negative size": "header(packed(ok=1), [-8, 8])",
    "a buffer size that is a truth": "header(packed(ok=[3, 'bool', [1], 0]), [True], b'x')",
    "a text dtype of no size": "header(packed(ok=[3, '<U0', [5], 0]), [0])",
    "an integer of a million bytes": "header(packed(ok=[6, b'x' * 1_000_000]))",
    "a dictionary of lists as keys": "header(packed(ok=[2, [0, 1], 2]))",
    "a dictionary of arrays as keys": "header(packed(ok=[2, [3, 'float64', [1], 0], 2]), [8], b'x' * 8)",
    "a dictionary without its last value": "header([2, 'id', WORKER._current, 'out'])",
    "a reference of a negative number": "header(packed(ok=[7, -1, 'x']))",
    "a reference of a text": "header(packed(ok=[7, 'x', 3]))",
    "an unknown tag": "header(packed(ok=[99, 1]))",
    "a tag that is a truth": "header(packed(ok=[True, 1]))",
    "a text with surrogates": "header(packed(ok='\\ud800'))",
    "a complex number of texts": "header(packed(ok=[5, '1', '2']))",
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_reply_earns_nothing(arena, forged: str) -> None:
    import textwrap

    body = textwrap.indent(FORGED[forged], "    ")
    code = f"def words(text):\n{body}\n    time.sleep(0.05)\n    os._exit(0)\n"
    result = arena.attack(hostile(code), keeps=arena.without("words"))
    (test,) = [test for test in result.tests if test.problem == "words"]
    assert test.verdict in ("forbidden", "crashed", "error", "failed")


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_reply_to_the_import_earns_nothing(arena, forged: str) -> None:
    code = f"{FORGED[forged]}\ntime.sleep(0.05)\nos._exit(0)\n"
    result = arena.attack(hostile(code))
    assert {str(test.verdict) for test in result.tests} <= {"forbidden", "crashed", "error", "failed"}


def test_a_complaint_forged_at_import_earns_nothing(arena) -> None:
    arena.attack(hostile("reply(bad='x')\nreply(bad='y')"))


def test_a_forged_success_earns_nothing(arena) -> None:
    """A right answer is needed to pass: `ok` is not a verdict."""
    arena.attack(
        hostile(
            """
            def words(text):
                reply(ok=True, verdict="passed", points=100, name="test_words", done=True)
                time.sleep(1)
            """
        ),
        keeps=arena.without("words"),
    )


def test_an_answer_before_the_question_earns_nothing(arena) -> None:
    result = arena.attack(
        hostile(
            """
            answer = WORKER._send
            def twice(told):
                answer(told)
                reply(ok={})
            WORKER._send = twice
            """
        ),
        verdicts=dict.fromkeys(("scale", "words", "layer"), "forbidden"),
    )
    assert any("before the question" in test.message for test in result.tests)


def test_a_replayed_answer_earns_nothing(arena) -> None:
    """The frame of the last right answer is sent again in place of the next one."""
    arena.attack(
        hostile(
            """
            frames = []
            send = stream.send
            def keep(connection, body, deadline=None):
                frames.append(body)
                send(connection, frames[0] if len(frames) > 2 else body, deadline)
            stream.send = keep
            """
        ),
        verdicts=dict.fromkeys(("words", "descend", "lines", "recover", "layer"), "forbidden"),
    )


def test_half_a_frame_ends_in_a_timeout(arena) -> None:
    arena.attack(
        hostile(
            """
            def words(text):
                LINE.sendall(struct.pack("<Q", 1000) + b"half")
                time.sleep(60)
            """
        ),
        keeps=arena.without("words"),
        verdicts={"words": "timeout"},
    )


def test_a_frame_that_drips_ends_in_a_timeout(arena) -> None:
    arena.attack(
        hostile(
            """
            def words(text):
                LINE.sendall(struct.pack("<Q", 10_000))
                while True:
                    LINE.sendall(b"x")
                    time.sleep(0.01)
            """
        ),
        keeps=arena.without("words"),
        verdicts={"words": "timeout"},
    )


def test_a_closed_connection_is_forbidden(arena) -> None:
    arena.attack(
        hostile("def words(text):\n    os.close(LINE.fileno())\n    time.sleep(60)\n"),
        keeps=arena.without("words"),
        verdicts={"words": "forbidden"},
    )


def test_a_duplicate_of_the_connection_lives_no_longer_than_the_worker(arena) -> None:
    arena.attack(
        hostile(
            """
            held = [os.dup(LINE.fileno()) for _ in range(100)]
            def words(text):
                os._exit(0)
            """
        ),
        keeps=arena.without("words"),
        verdicts={"words": "crashed"},
    )


def test_hanging_up_with_the_question_unread_is_a_crash_not_a_fault(arena) -> None:
    """The question is looked at, answered and left unread: the referee then reads `connection reset`."""
    arena.attack(
        hostile(
            """
            class Reader:
                def __getattr__(self, name):
                    return getattr(LINE, name)
                def recv(self, count):
                    if count != 8:
                        return LINE.recv(count)
                    message = wire.decode(LINE.recv(2**20, socket.MSG_PEEK)[8:])
                    if message.get("op") == "call" and type((message["args"][1] or [0])[0]) is str:
                        text = message["args"][1][0].split()
                        WORKER._current = message["id"]
                        reply(ok={word: text.count(word) for word in text})
                        os._exit(0)
                    return LINE.recv(count)
            WORKER._connection = Reader()
            """
        ),
        keeps=arena.without(),
    )


def test_hanging_up_between_two_questions_of_a_test_is_a_crash(arena) -> None:
    arena.attack(
        hostile(
            """
            class Reader:
                def __getattr__(self, name):
                    return getattr(LINE, name)
                def recv(self, count):
                    if count != 8:
                        return LINE.recv(count)
                    message = wire.decode(LINE.recv(2**20, socket.MSG_PEEK)[8:])
                    if message.get("op") == "attr" and message["args"][1] == "Double":
                        WORKER._current = message["id"]
                        reply(ok=wire.Ref(1, "type"))
                        os._exit(0)
                    return LINE.recv(count)
            WORKER._connection = Reader()
            """
        ),
        keeps=arena.without("layer"),
        verdicts={"layer": "crashed"},
    )


def test_colliding_keys_do_not_stall_the_grader(arena) -> None:
    """Multiples of 2**61 - 1 all hash to 0: a dictionary of them takes quadratic time."""
    arena.attack(
        hostile(
            """
            def words(text):
                prime = 2**61 - 1
                table = [2]
                for k in range(10_000):
                    table += [[6, (prime * (9 + k)).to_bytes(10, "little", signed=True)], 0]
                header(packed(ok=[0, *[table] * 9]))
                time.sleep(60)
            """
        ),
        keeps=arena.without("words"),
        seconds=8,
    )


def test_a_header_of_two_million_lists_does_not_stall_the_grader(arena) -> None:
    arena.attack(
        hostile(
            """
            def words(text):
                head = msgpack.packb(packed(ok=0))[:-1]
                many = 1_900_000
                lists = b"\\xdd" + struct.pack(">I", many + 1) + b"\\x00" + b"\\x91\\x00" * many
                head = b"\\x92" + head + lists + b"\\x90"
                raw(struct.pack("<I", len(head)) + head)
                time.sleep(60)
            """
        ),
        keeps=arena.without("words"),
        seconds=25,
    )


def test_a_million_calls_back_end_in_a_timeout(arena) -> None:
    arena.attack(
        """
        def descend(slope, start):
            for _ in range(1_000_000):
                slope(start)
            return start
        """,
        keeps=arena.without("descend"),
        verdicts={"descend": "timeout"},
    )


def test_calls_back_after_the_test_reach_nothing(arena) -> None:
    result = arena.attack(
        """
        kept = []
        def descend(slope, start):
            kept.append(slope)
            at = start
            for _ in range(20):
                at = at - 0.25 * slope(at)
            return at
        def recover(x, y):
            return [kept[0](0.0)] * 3
        """,
        keeps=arena.without("recover"),
        verdicts={"recover": "forbidden"},
    )
    assert "a call of no function" in next(test.message for test in result.tests if test.problem == "recover")


def test_an_answer_after_its_test_costs_the_worker_and_no_other_test(arena) -> None:
    arena.attack(
        hostile(
            """
            honest, calls = lines, []
            answer = WORKER._send
            def late(told):
                answer(told)
                if calls:
                    calls.append(1)
                if len(calls) == 3:
                    reply(ok="x")
            WORKER._send = late
            def lines(names):
                calls.append(1)
                return honest(names)
            """
        ),
        keeps=arena.without(),
    )


@pytest.mark.parametrize(
    "target", ["Executor.perform", "to_tree", "describe", "Worker._answer", "wire.encode"]
)
def test_replacing_the_workers_own_functions_earns_nothing(arena, target: str) -> None:
    patches = {
        "Executor.perform": "objects.Executor.perform = lambda self, op, args: True",
        "to_tree": "objects.to_tree = lambda *_: {'verdict': 'passed'}",
        "describe": "worker.describe = lambda *_: {'type': 'passed', 'bases': ['object'], "
        "'message': '', 'traceback': ''}\n"
        "scale = words = Double = descend = recover = squares = lines = lambda *_: 1 / 0",
        "Worker._answer": "worker.Worker._answer = lambda self, message: self._send({'ok': True})",
        "wire.encode": "encode = wire.encode\nwire.encode = lambda tree: encode({**tree, 'ok': True})",
    }
    code = "from dlquiz.testing import objects, values\nfrom grader.remote import worker\n"
    arena.attack(hostile(code + patches[target]))
