"""Answers that are not what they seem: nothing but the right data earns a mark."""

from __future__ import annotations

import pytest

LIARS = {
    "equal to everything": """
        class Liar:
            __eq__ = __ge__ = __le__ = __contains__ = lambda self, other: True
            __ne__ = __lt__ = __gt__ = lambda self, other: False
            __hash__ = lambda self: 1
            __bool__ = lambda self: True
            dtype, shape, ndim, size = "float64", (3, 4), 2, 12
        """,
    "an array that lies": """
        class Liar(np.ndarray):
            def __new__(cls):
                return np.zeros((3, 4)).view(cls)
            __eq__ = __ge__ = __le__ = lambda self, other: np.ones((3, 4), bool)
            __ne__ = __lt__ = __gt__ = lambda self, other: np.zeros((3, 4), bool)
            __sub__ = __rsub__ = __mul__ = __abs__ = lambda self, *_: np.zeros((3, 4))
            def __array_ufunc__(self, *_, **__):
                return np.zeros((3, 4), bool)
            def __array_function__(self, *_):
                return True
        """,
    "a number that lies": """
        class Liar(float):
            def __new__(cls):
                return float.__new__(cls, 0.0)
            __eq__ = __ge__ = __le__ = lambda self, other: True
            __ne__ = __lt__ = __gt__ = lambda self, other: False
            __sub__ = __rsub__ = lambda self, other: 0.0
            dtype, shape = "float64", (3, 4)
        """,
    "a text that lies": """
        class Liar(str):
            __eq__ = lambda self, other: True
            __ne__ = lambda self, other: False
            __hash__ = str.__hash__
            dtype = "float64"
        """,
    "a dictionary that lies": """
        class Liar(dict):
            __eq__ = __contains__ = lambda self, other: True
            __ne__ = lambda self, other: False
        """,
    "a list that lies": """
        class Liar(list):
            __eq__ = __contains__ = lambda self, other: True
            __ne__ = lambda self, other: False
        """,
    "of a type that lies": """
        class Meta(type):
            __instancecheck__ = __subclasscheck__ = __eq__ = lambda self, other: True
            __hash__ = type.__hash__
            __name__ = property(lambda self: "EagerTensor")
            __module__ = property(lambda self: "tensorflow.python")
        class Liar(metaclass=Meta):
            dtype = "float64"
            __eq__ = __contains__ = lambda self, other: True
            def __array__(self, *_, **__):
                return np.zeros((3, 4))
        """,
    "of another class than it says": """
        class Liar:
            __class__ = property(lambda self: np.ndarray)
            dtype, shape = np.dtype("float64"), (3, 4)
            __eq__ = __contains__ = lambda self, other: True
            def __getattr__(self, name):
                return lambda *_, **__: True
        """,
}


@pytest.mark.parametrize("liar", LIARS)
def test_an_answer_that_lies_earns_nothing(arena, liar: str) -> None:
    answers = """
        scale = words = Double = descend = recover = squares = lines = lambda *_, **__: Liar()
        """
    arena.attack(LIARS[liar] + answers)


def test_an_object_cannot_claim_to_contain_what_is_expected(arena) -> None:
    result = arena.attack(
        """
        class Liar:
            def __contains__(self, item):
                print("EXPECTED", item)
                return True
            def __iter__(self):
                return iter(())
        def words(text):
            return Liar()
        """,
        keeps=arena.without("words"),
        verdicts={"words": "failed"},
    )
    (test,) = [test for test in result.tests if test.problem == "words"]
    assert "EXPECTED" not in test.output
    assert "names[0] in counts" in test.detail


ODD = {
    "None": "None",
    "not a number, everywhere": "np.full((3, 4), np.nan)",
    "a scalar that would broadcast": "np.float64('nan')",
    "infinity": "np.full((3, 4), np.inf)",
    "of object dtype": "np.array([object()] * 12).reshape(3, 4)",
    "numbers of object dtype": "np.array([1.0] * 12, dtype=object).reshape(3, 4)",
    "of a structured dtype": "np.zeros((3, 4), dtype=[('a', 'f8')])",
    "dates": "np.zeros((3, 4), dtype='M8[s]')",
    "of void dtype": "np.zeros((3, 4), dtype='V8')",
    "of long double": "np.zeros((3, 4), dtype=np.longdouble)",
    "texts that are no Unicode": "np.full((3, 4), 0xFFFFFFFF, dtype='u4').view('<U1')",
    "of a gigantic shape over one byte": "np.broadcast_to(np.int8(1), (2**40,))",
    "of 32 dimensions": "np.zeros((1,) * 32)",
    "empty and of a gigantic shape": "np.zeros((0, 2**20, 2**20))",
    "masked": "np.ma.masked_all((3, 4))",
    "a matrix": "np.matrix(np.zeros((3, 4)))",
    "a number of a million digits": "1 << 4_000_000",
    "a list that holds itself": "(lambda l: (l.append(l), l)[1])([])",
    "nested a hundred thousand deep": "__import__('functools').reduce(lambda l, _: [l], range(100_000), 0)",
    "a dictionary of arrays as keys": "{(0, (1, (2,))): np.zeros(3), b'': 1, 2j: 2, float('nan'): 3}",
    "a dictionary of a hundred thousand": "dict.fromkeys(range(100_000))",
    "the class itself": "type",
    "the module itself": "__import__('sys').modules[__name__]",
    "a lock": "__import__('threading').Lock()",
    "a frame": "__import__('sys')._getframe()",
    "an exception": "StopIteration(3)",
    "not implemented": "NotImplemented",
    "an ellipsis": "...",
    "a memory view": "memoryview(bytes(96))",
    "a symbolic tensor": "keras.Input((3,))",
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_answer_earns_nothing(arena, odd: str) -> None:
    arena.attack(
        f"scale = words = Double = descend = recover = squares = lines = lambda *_, **__: {ODD[odd]}"
    )


def test_a_text_of_two_gigabytes_earns_nothing_and_costs_the_grader_nothing(arena) -> None:
    with arena.watched(lambda process: process.memory_info().rss / 2**20) as highest:
        result = arena.attack(
            """
            def lines(names):
                return "x" * 2**31
            """,
            keeps=arena.without("lines"),
        )
    (test,) = [test for test in result.tests if test.problem == "lines"]
    assert test.verdict in ("memory", "timeout", "failed")
    assert highest[0] < 2500


def test_a_long_text_of_nearly_equal_lines_is_judged_in_time(arena) -> None:
    arena.attack(
        """
        def lines(names):
            return "\\n".join(f"line {k % 1000} of the test" for k in range(150_000))
        """,
        keeps=arena.without("lines"),
        verdicts={"lines": "failed"},
        seconds=8,
    )


def test_an_iterator_that_never_ends_is_stopped(arena) -> None:
    arena.attack(
        """
        import itertools
        def squares(count):
            return (k * k for k in itertools.count())
        """,
        keeps=arena.without("squares"),
    )


def test_an_iterator_of_big_arrays_does_not_fill_the_graders_memory(arena) -> None:
    with arena.watched(lambda process: process.memory_info().rss / 2**20) as highest:
        arena.attack(
            """
            def squares(count):
                block = np.zeros(7_500_000)
                return (block for k in range(40))
            """,
            keeps=arena.without("squares"),
        )
    assert highest[0] < 1500


def test_an_iterator_whose_items_change_their_mind_earns_nothing(arena) -> None:
    arena.attack(
        """
        class Lazy:
            asked = 0
            def __getattr__(self, name):
                return 4 if name == "size" else self
            def __array__(self, *_, **__):
                Lazy.asked += 1
                return np.full((3, 4), Lazy.asked, dtype="float64")
            def __iter__(self):
                return self
            def __next__(self):
                Lazy.asked += 1
                if Lazy.asked % 50 == 0:
                    raise StopIteration
                return Lazy.asked
            def __len__(self):
                return Lazy.asked
            def __float__(self):
                return float(Lazy.asked)
        scale = words = descend = recover = squares = lines = lambda *_: Lazy()
        Double = lambda: lambda x: Lazy()
        """
    )


def test_a_result_that_changes_after_it_was_read_earns_nothing_more(arena) -> None:
    """What came back is a copy: a list that a thread goes on changing is judged as it was."""
    arena.attack(
        """
        import threading
        def words(text):
            counts = {}
            def mend():
                for word in text.split():
                    counts[word] = text.split().count(word)
            threading.Timer(0.0005, mend).start()
            return counts
        """,
        keeps=arena.without("words"),
        verdicts={"words": "failed"},
    )


def test_inputs_changed_in_place_are_the_workers_copies(arena) -> None:
    arena.attack(
        """
        def scale(x, factor):
            x[:] = 0
            return x
        def recover(x, y):
            y[:] = 0
            return np.zeros(3)
        def lines(names):
            names.clear()
            return ""
        """,
        keeps=arena.without("scale", "recover", "lines"),
        verdicts={"scale": "failed", "recover": "failed", "lines": "failed"},
    )


def test_the_seed_of_the_hidden_inputs_is_not_known_to_the_worker(arena) -> None:
    """The suite draws the weights from its seed and never sends them: who knew the seed could draw them as well."""
    arena.attack(
        """
        import hashlib, sys
        candidates = set()
        frame = sys._getframe()
        while frame:
            candidates |= {value for value in frame.f_locals.values() if type(value) is int}
            frame = frame.f_back
        candidates |= {int(np.random.get_state()[1][0])}
        def recover(x, y):
            for seed in candidates:
                digest = hashlib.sha256(f"{seed}:test_recover".encode()).digest()
                rng = np.random.default_rng(int.from_bytes(digest[:16], "little"))
                weights = rng.normal(size=3)
                if np.array_equal(rng.normal(size=(8, 3)), x):
                    return weights
            return np.zeros(3)
        """,
        keeps=arena.without("recover"),
        verdicts={"recover": "failed"},
    )


def test_a_callback_tells_nothing_of_the_suites_words(arena) -> None:
    result = arena.attack(
        """
        def descend(slope, start):
            for far in (1e7, -1e9):
                try:
                    slope(far)
                except BaseException as error:
                    print("TOLD", type(error).__name__, error, error.__traceback__, vars(error))
            try:
                slope("text", more=1)
            except BaseException as error:
                print("TOLD", error)
            print("NAMES", [name for name in dir(slope) if not name.startswith("__")], slope.__closure__)
            return start
        """,
        keeps=arena.without("descend"),
        verdicts={"descend": "failed"},
    )
    (test,) = [test for test in result.tests if test.problem == "descend"]
    assert test.output.count("TOLD") == 3
    assert "ArithmeticError" in test.output
    assert "goal" not in test.output
