"""Modules that patch, shadow, reload and alias: nothing reaches the referee, and nothing outlives the worker."""

from __future__ import annotations

import textwrap

import pytest

WRONG = """
def wrong(*_):
    return 0
scale = words = Double = descend = recover = squares = lines = wrong
"""

PATCHES = {
    "numpy.testing": "import numpy.testing\nfor name in dir(np.testing):\n"
    "    if name.startswith('assert'):\n        setattr(np.testing, name, lambda *_, **__: None)",
    "numpy": "np.allclose = np.array_equal = np.isclose = np.all = lambda *_, **__: True",
    "pytest": "import sys, types\nfake = types.ModuleType('pytest')\nfake.__getattr__ = lambda "
    "name: lambda *_, **__: True\n"
    "sys.modules['pytest'] = sys.modules['_pytest'] = fake",
    "builtins": "import builtins\nbuiltins.isinstance = builtins.all = builtins.any = lambda *_: True\n"
    "builtins.len = lambda *_: 4\nbuiltins.AssertionError = ValueError",
    "the array's comparison": "import ctypes\ntry:\n    np.ndarray.__eq__ = lambda *_: True\nexcept "
    "TypeError:\n    pass",
    "the float's slots": "import ctypes\nfloat_ = ctypes.py_object(float)\n"
    "table = ctypes.cast(id(float.__dict__) + 16, ctypes.POINTER(ctypes.py_object)).contents.value\n"
    "table['__eq__'] = lambda *_: True",
    "the memory of small integers": "import ctypes\nfor value in range(100, 200):\n"
    "    ctypes.memmove(id(value) + 24, b'\\x07\\x00\\x00\\x00', 4)",
    "sys.path and the import hooks": "import sys\nsys.path[:] = ['.']\nsys.meta_path.clear()\nsys.path_hooks.clear()",
    "every module": "import sys\nfor name in list(sys.modules):\n    if name.startswith(('grader', "
    "'dlquiz')):\n        del sys.modules[name]",
    "its own module": "import sys\nclass Module(type(sys)):\n    def __getattr__(self, "
    "name):\n        return lambda *_, **__: True\n"
    "sys.modules[__name__] = Module(__name__)\nsys.modules['work'].__class__ = Module",
    "tracing": "import sys, threading\nsys.settrace(lambda *_: None)\nsys.setprofile(lambda *_: "
    "None)\nthreading.settrace(lambda *_: None)",
    "the garbage collector": "import gc\ngc.disable()\ngc.set_threshold(0)\ngc.unfreeze()",
    "the environment": "import os\nos.environ['KERAS_BACKEND'] = 'jax'\n"
    "os.environ['PYTEST_ADDOPTS'] = '--collect-only'\n"
    "os.environ['PYTHONPATH'] = os.getcwd()\nos.environ['TMPDIR'] = '/'",
    "the seeds": "import random\nrandom.seed(0)\nnp.random.seed(0)\nkeras.utils.set_random_seed(0)\n"
    "random.random = lambda: 0.5",
    "the policies of Keras": "keras.config.set_floatx('float16')\nkeras.config.set_dtype_policy('mixed_float16')\n"
    "keras.config.set_epsilon(1.0)\nkeras.config.set_image_data_format('channels_first')",
    "the settings of Keras on disk": "import os\nhome = os.environ.get('KERAS_HOME', '.')\n"
    "try:\n    os.makedirs(home, exist_ok=True)\n"
    "    open(os.path.join(home, 'keras.json'), 'w').write('{\"floatx\": \"float16\"}')\nexcept OSError:\n    pass",
    "the clock": "import time\ntime.monotonic = time.time = time.perf_counter = lambda: 0.0",
    "the limits of recursion and integers": "import sys\nsys.setrecursionlimit(50)\nsys.set_int_max_str_digits(0)",
    "the printing": "import sys\nsys.stdout = sys.stderr = sys.__stdout__ = None",
    "signals": "import signal\nfor number in range(1, 32):\n    try:\n        signal.signal(number, "
    "signal.SIG_IGN)\n    except OSError:\n        pass",
}


@pytest.mark.parametrize("patched", PATCHES)
def test_patching_does_not_make_wrong_answers_right(arena, patched: str) -> None:
    arena.attack(WRONG + PATCHES[patched] + "\n")


FILES = {
    "conftest.py": b"def pytest_runtest_makereport(item, call):\n    raise SystemExit(0)\n",
    "numpy.py": b"raise RuntimeError\n",
    "keras.py": b"raise RuntimeError\n",
    "sitecustomize.py": b"raise RuntimeError\n",
    "pytest.ini": b"[pytest]\naddopts = --collect-only\n",
    "test_hidden.py": b"def test_words():\n    pass\n",
    "json.py": b"raise RuntimeError\n",
    "work.pth": b"import os; os._exit(0)\n",
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_beside_the_module_is_no_part_of_the_grading(arena, name: str) -> None:
    arena.attack(WRONG, extra={name: FILES[name]})


def test_files_for_the_next_submission_are_not_found_by_it(arena) -> None:
    arena.attack(
        """
        import os, tempfile
        for folder in (os.getcwd(), tempfile.gettempdir(), os.environ["HOME"], "/tmp", "/var/tmp", "/dev/shm", ".."):
            for name in ("numpy.py", "work.py", "left-for-you"):
                try:
                    open(os.path.join(folder, name), "w").write("raise SystemExit")
                except OSError:
                    pass
        """,
        keeps=arena.without(),
    )
    found = arena.observe(
        """
        import os, tempfile
        report([os.listdir(folder) for folder in {os.getcwd(), tempfile.gettempdir(), os.environ["HOME"]}])
        """
    )
    assert found == [["work.py"]]


def test_nothing_in_memory_is_left_for_the_next_submission(arena) -> None:
    code = """
        import builtins, os, sys
        seen = [hasattr(builtins, "left"), "left" in sys.modules, "LEFT" in os.environ, keras.config.epsilon() == 0.5]
        builtins.left = sys.modules["left"] = True
        os.environ["LEFT"] = "1"
        keras.config.set_epsilon(0.5)
        report(seen)
        """
    assert arena.observe(code) == [False] * 4
    assert arena.observe(code) == [False] * 4


def test_counting_the_tests_does_not_help(arena) -> None:
    """A module that answers only what it has seen before has seen nothing before: inputs are fresh in every run."""
    arena.attack(
        """
        import hashlib
        known = {}
        def recall(*args):
            return known[repr(args)]
        scale = words = Double = descend = recover = squares = lines = recall
        """,
    )


# Ways to `keras.layers.BatchNormalization`, `keras.ops.batch_normalization` and `tf.nn.batch_normalization`.
FORBIDDEN = {
    "the public name": "keras.layers.BatchNormalization()",
    "a call of the layer's class through type": "type.__call__(keras.layers.BatchNormalization)",
    "getattr": "getattr(getattr(keras, 'lay' + 'ers'), 'Batch' + 'Normalization')()",
    "the deep path": "__import__('keras.src.layers.normalization.batch_normalization', "
    "fromlist=['x']).BatchNormalization()",
    "tf.keras": "__import__('tensorflow').keras.layers.BatchNormalization()",
    "a subclass": "type('Mine', (keras.layers.BatchNormalization,), {})()",
    "a subclass with its own constructor": "type('Mine', (keras.layers.BatchNormalization,),"
    " {'__init__': lambda self: super(type(self), self).__init__()})()",
    "all objects": "__import__('gc').unfreeze()\n    [thing for thing in __import__('gc').get_objects()"
    " if isinstance(thing, type) and thing.__name__ == 'BatchNormalization'][0]()",
    "all subclasses": "[thing for thing in keras.layers.Layer.__subclasses__() if thing.__name__ == "
    "'BatchNormalization'][0]()",
    "the operation": "keras.ops.batch_normalization(keras.ops.ones((2, 3)), keras.ops.ones(3), keras.ops.ones(3), -1)",
    "the operation by its deep path": "__import__('keras.src.ops.nn', fromlist=['x']).batch_normalization("
    "keras.ops.ones((2, 3)), keras.ops.ones(3), keras.ops.ones(3), -1)",
    "the operation among the library's own": "__import__('keras.src.ops', fromlist=['x']).batch_normalization("
    "keras.ops.ones((2, 3)), keras.ops.ones(3), keras.ops.ones(3), -1)",
    "tensorflow": "__import__('tensorflow').nn.batch_normalization(np.ones((2, 3)), 1.0, 1.0, None, None, 0.1)",
    "tensorflow's deep path": "__import__('tensorflow.python.ops.nn_impl', fromlist=['x']).batch_normalization("
    "np.ones((2, 3)), 1.0, 1.0, None, None, 0.1)",
    "tensorflow's compatibility": "__import__('tensorflow').compat.v1.nn.batch_normalization("
    "np.ones((2, 3)), 1.0, 1.0, None, None, 0.1)",
}


def out_of_sight(source: str) -> str:
    """The same code as text that no search of the source reads."""
    return f"exec(bytes.fromhex({source.encode().hex()!r}).decode(), globals())\n"


@pytest.mark.parametrize("seen", [str, out_of_sight], ids=["in sight", "out of sight"])
@pytest.mark.parametrize("road", FORBIDDEN)
def test_the_forbidden_is_forbidden_by(arena, road: str, seen) -> None:
    arena.attack(
        seen(f"def words(text):\n    {FORBIDDEN[road]}\n    return {{}}\n"),
        keeps=arena.without("words"),
        verdicts={"words": "forbidden"},
    )


@pytest.mark.parametrize(
    "road",
    [
        "keras.layers.BatchNormalization.from_config({})",
        "keras.layers.deserialize({'module': 'keras.layers', 'class_name': 'BatchNormalization', 'config': {}})",
    ],
    ids=["a configuration", "deserialization"],
)
def test_the_forbidden_cannot_be_had_from(arena, road: str) -> None:
    """Keras wraps what it meets there in an error of its own."""
    source = f"def words(text):\n    {road}\n    return {{}}\n"
    result = arena.attack(out_of_sight(source), keeps=arena.without("words"))
    (test,) = [test for test in result.tests if test.problem == "words"]
    assert test.verdict in ("forbidden", "error")
    assert "keras.layers.BatchNormalization is forbidden" in test.message


def test_swallowing_the_refusal_does_not_bring_the_forbidden_back(arena) -> None:
    arena.attack(
        out_of_sight(
            textwrap.dedent(
                """
                def words(text):
                    for _ in range(3):
                        try:
                            layer = keras.layers.BatchNormalization()
                            return layer(np.ones((2, 3), dtype="float32"))
                        except BaseException:
                            continue
                    return {}
                """
            )
        ),
        keeps=arena.without("words"),
        verdicts={"words": "failed"},
    )


def test_what_no_process_can_keep_from_itself_is_pointed_out_to_the_instructor(arena) -> None:
    """The boundary: a fresh copy of the library's source under another name is not the spoilt class.

    Its text is readable, since Keras is importable. The result says which line to look at.
    """
    code = """
        import importlib.util
        spec = importlib.util.find_spec("keras.src.layers.normalization.batch_normalization")
        again = importlib.util.spec_from_file_location("keras.src.layers.normalization.again", spec.origin)
        module = importlib.util.module_from_spec(again)
        again.loader.exec_module(module)
        report(type(module.BatchNormalization()).__name__)
        """
    assert arena.observe(code) == "BatchNormalization"
    notes = arena.grade(arena.source(code)).notes
    assert any("importlib.util can run code that no search sees" in note for note in notes), notes


# What is left of the forbidden after the search alone, without the trap: where the answer is, and what is not it.
REACHED = {
    "a helper": "def helper():\n    return keras.layers.BatchNormalization\n"
    "def words(text):\n    helper()\n    return {}",
    "an alias": "from keras.layers import BatchNormalization as words",
    "a container": "parts = [keras.layers.BatchNormalization]\ndef words(text):\n    return parts",
    "a changed container": "parts = []\nparts += [keras.layers.BatchNormalization]\n"
    "def words(text):\n    return parts",
    "an attribute": "class Box: pass\nBox.layer = keras.layers.BatchNormalization\n"
    "def words(text):\n    return Box.layer",
    "a global statement": "def first():\n    global words\n    words = keras.layers.BatchNormalization",
}


@pytest.mark.parametrize("road", REACHED)
def test_what_depends_on_the_forbidden_is_forbidden_through(arena, road: str) -> None:
    """None of these calls it, so only the search can see them."""
    result = arena.attack(REACHED[road], keeps=arena.without("words"), verdicts={"words": "forbidden"})
    assert any("keras.layers.BatchNormalization is forbidden" in note for note in result.notes)


@pytest.mark.parametrize(
    "code",
    [
        "def compare(x):\n    return keras.layers.BatchNormalization()(x)",
        "if __name__ == '__main__':\n    print(keras.layers.BatchNormalization()(np.ones((2, 3))))",
        "from keras.layers import BatchNormalization, Layer\n"
        "class Double(Layer):\n    def call(self, x):\n        return 2 * x",
        "def scale(x, factor):\n    words = np.asarray(x) * factor\n"
        "    if factor == 0:\n        raise ValueError('0')\n"
        "    return words\ndef compare(text):\n    return keras.layers.BatchNormalization",
    ],
    ids=["beside the answer", "below main", "imported with others", "by a name that only a local one shares"],
)
def test_what_nothing_depends_on_costs_nothing(arena, code: str) -> None:
    arena.attack(code, keeps=arena.without())


@pytest.mark.parametrize(
    "code",
    [
        "keep = []\nkeep.append(keras.layers.BatchNormalization)",
        "def later():\n    return keras.layers.BatchNormalization\nlater()",
        "def __getattr__(name):\n    return keras.layers.BatchNormalization",
        "# " + "long" * 250_000,
        "deep = " + "[" * 95 + "]" * 95 + "\n" + "\n".join(f"a{k} = a{k - 1}" for k in range(1, 60_000)),
    ],
    ids=[
        "a call at import",
        "a function called at import",
        "names made up as asked",
        "too long",
        "too involved",
    ],
)
def test_what_the_search_cannot_limit_costs_everything(arena, code: str) -> None:
    arena.attack(code, keeps=(), verdicts=dict.fromkeys(arena.without(), "forbidden"), seconds=30)
