"""What the static check finds, and, by name, what it does not."""

from __future__ import annotations

import textwrap
import time

import pytest

from dlquiz.checking.forbidden import MAX_SOURCE, Use, find_forbidden

BN = "keras.layers.BatchNormalization"
NN = "tf.nn.batch_normalization"
FORBIDDEN = (BN, NN, "keras.ops.batch_normalization", "numpy.linalg")

FOUND = {
    "the plain name": ("import keras\nkeras.layers.BatchNormalization()", [2]),
    "a renamed library": ("import keras as k\nk.layers.BatchNormalization()", [2]),
    "a renamed package": ("from keras import layers as L\nL.BatchNormalization()", [2]),
    "a renamed module": ("import keras.layers as L\nL.BatchNormalization()", [2]),
    "the library inside TensorFlow": (
        "from tensorflow.keras.layers import BatchNormalization as BN\nBN()",
        [1, 2],
    ),
    "an alias by assignment": ("import keras\nBN = keras.layers.BatchNormalization\nx = 1\nBN()", [2, 4]),
    "an alias of an alias": ("import keras\na = keras.layers\nb = a\nb.BatchNormalization()", [4]),
    "aliases in a row": ("import keras\na, b = keras.layers, 1\na.BatchNormalization()", [3]),
    "getattr": ("import keras\ngetattr(keras.layers, 'BatchNormalization')()", [2]),
    "getattr of text in pieces": (
        "import keras\nname = 'Batch'\ngetattr(keras.layers, name + 'Normalization')()",
        [3],
    ),
    "getattr of a formatted text": (
        "import keras\nn = 'Normalization'\ngetattr(keras.layers, f'Batch{n}')()",
        [3],
    ),
    "a renamed getattr": ("import keras\ng = getattr\ng(keras.layers, 'BatchNormalization')", [3]),
    "a subclass": ("import keras\nclass A(keras.layers.BatchNormalization):\n    pass", [2]),
    "a star import": ("from keras.layers import *\n\nBatchNormalization()", [3]),
    "a method of it": ("import keras\nkeras.layers.BatchNormalization.from_config({})", [2]),
    "its namespace": ("import keras\nvars(keras.layers)['BatchNormalization']()", [2]),
    "its dictionary": ("import keras\nkeras.layers.__dict__['BatchNormalization']()", [2]),
    "importlib": (
        "import importlib\nimportlib.import_module('keras.layers').BatchNormalization()",
        [2],
    ),
    "__import__": ("__import__('keras').layers.BatchNormalization()", [1]),
    "sys.modules": ("import sys\nsys.modules['keras.layers'].BatchNormalization()", [2]),
    "an internal path": (
        "from keras.src.layers.normalization.batch_normalization import BatchNormalization",
        [1],
    ),
    "TensorFlow's old internals": (
        "from tensorflow.python.keras.layers.normalization import BatchNormalization",
        [1],
    ),
    "either of two": (
        "import keras\nL = keras.layers if 1 else None\nfor M in (L, None):\n    M.BatchNormalization()",
        [4],
    ),
    "a default argument": (
        "import keras\ndef f(layers=keras.layers):\n    return layers.BatchNormalization()",
        [3],
    ),
    "inside a method": (
        "import keras\nclass A:\n    def f(self):\n        from keras import layers\n"
        "        return [layers.BatchNormalization() for _ in 'ab']",
        [5],
    ),
    "a global bound in a function": (
        "import keras\ndef f():\n    global L\n    L = keras.layers\ndef g():\n    return L.BatchNormalization()",
        [6],
    ),
    "the walrus": ("import keras\n[1 for _ in 'a' if (L := keras.layers)]\nL.BatchNormalization()", [3]),
    "a decorator": ("import keras\n@keras.layers.BatchNormalization\ndef f():\n    pass", [2]),
    "an import that may fail": (
        "try:\n    import keras.layers as L\nexcept ImportError:\n    L = None\nL.BatchNormalization()",
        [5],
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_it_finds(name: str) -> None:
    source, lines = FOUND[name]
    scan = find_forbidden(source, FORBIDDEN)
    assert (scan.uses, scan.problem) == (tuple(Use(line, BN) for line in lines), "")


NOT_FOUND = {
    "a layer kept in a container": "import keras\nd = {'l': keras.layers}\nd['l'].BatchNormalization()",
    "a module kept in an attribute": (
        "import keras\nclass A:\n    l = keras.layers\nA.l.BatchNormalization()"
    ),
    "what a function returns": ("import keras\ndef f():\n    return keras.layers\nf().BatchNormalization()"),
    "text made by a computation": "import keras\ngetattr(keras.layers, ''.join(['Batch', 'Normalization']))",
    "text that is run": "import keras\nexec('keras.layers.Batch' + 'Normalization()')",
    "a layer made from its name": (
        "import keras\nkeras.layers.deserialize({'class_name': 'BatchNormalization', 'config': {}})"
    ),
}


@pytest.mark.parametrize("name", NOT_FOUND)
def test_it_does_not_find(name: str) -> None:
    assert find_forbidden(NOT_FOUND[name], FORBIDDEN).uses == ()


INNOCENT = {
    "another layer": "import keras\nkeras.layers.Dense(1)",
    "a name that only begins alike": "import keras\nkeras.layers.BatchNormalizationLike()",
    "an own class of that name": "class BatchNormalization:\n    pass\nBatchNormalization()",
    "an own module": "from .layers import BatchNormalization\nBatchNormalization()",
    "an argument that hides the library": "import keras\ndef f(keras):\n    keras.layers.BatchNormalization()",
    "a comment and a docstring": '"""keras.layers.BatchNormalization"""\n# keras.layers.BatchNormalization',
    "an annotation": "import keras\ndef f(x: keras.layers.BatchNormalization) -> None:\n    pass",
    "a class's name seen from its method": (
        "import keras\nclass A:\n    L = keras.layers\n    def f(self):\n        L.BatchNormalization()"
    ),
}


@pytest.mark.parametrize("name", INNOCENT)
def test_it_is_silent_about(name: str) -> None:
    assert find_forbidden(INNOCENT[name], FORBIDDEN).uses == ()


def test_a_use_is_named_as_the_assignment_names_it() -> None:
    source = (
        "import tensorflow as tf\nimport numpy as np\ntf.nn.batch_normalization(1)\nnp.linalg.solve(1, 2)\n"
    )
    assert find_forbidden(source, FORBIDDEN).uses == (Use(3, NN), Use(4, "numpy.linalg"))


def test_a_compatibility_path_is_the_same_function() -> None:
    source = "import tensorflow as tf\ntf.compat.v1.nn.batch_normalization(1)\ntf.compat.v2.nn.batch_normalization(1)"
    assert find_forbidden(source, FORBIDDEN).uses == (Use(2, NN), Use(3, NN))


def test_a_syntax_error_is_told_with_its_line() -> None:
    assert find_forbidden("x = 1\ndef f(:\n", FORBIDDEN).problem.startswith("line 2: ")


HOSTILE = {
    "deep brackets": "(" * 5000 + ")" * 5000,
    "a deep chain of calls": "import keras\nf" + "()" * 20_000,
    "a long chain of names": "import keras as k\nk" + ".a" * 20_000,
    "a long sum": "x = " + "+".join(["1"] * 20_000),
    "a long sum of texts": "x = " + "+".join(["'a'"] * 5_000) + "\ngetattr(y, x)",
    "a chain of names": "import keras as k\nk" + ".a" * 900,
    "a sum of texts": "x = " + "+".join(["'a'"] * 500) + "\ngetattr(y, x)",
    "a null byte": "x = 1\0",
    "no text at all": b"\xff\xfe\x00",
    "an unknown encoding": b"# coding: nonsense\nx = 1",
    "names in a ring": "a = b\nb = c\nc = a\na.x()",
    "a name bound to itself": "a = a + a\na = a.b\n" * 500 + "a.x()",
    "doubling": "\n".join(
        ["a0 = 'x'", *(f"a{i + 1} = a{i} + a{i}" for i in range(200)), "getattr(a200, a200)"]
    ),
    "many values": "\n".join(["import keras", *("L = keras.layers" for _ in range(20_000)), "L.a(L.b(L.c))"]),
    "too long": "#" * (MAX_SOURCE + 1),
    "deep functions": "\n".join(" " * i + "def f():" for i in range(99)) + " pass",
    "a nonlocal at the top": "nonlocal x\nx = 1",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_source_makes_it_raise_or_take_long(name: str) -> None:
    started = time.monotonic()
    find_forbidden(HOSTILE[name], FORBIDDEN)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "name",
    ["a chain of names", "names in a ring", "a name bound to itself", "doubling", "a sum of texts"],
)
def test_no_expression_hides_what_stands_beside_it(name: str) -> None:
    scan = find_forbidden(f"{HOSTILE[name]}\nimport keras\nkeras.layers.BatchNormalization()\n", FORBIDDEN)
    assert ([use.name for use in scan.uses], scan.problem) == ([BN], "")


def test_a_source_that_cannot_be_read_to_its_end_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlquiz.checking.forbidden._MAX_STEPS", 1000)
    many = "import keras\n" + "keras.layers.Dense(1)\n" * 1000
    assert "too involved" in find_forbidden(many, FORBIDDEN).problem
    assert "longer than" in find_forbidden("#" * (MAX_SOURCE + 1), FORBIDDEN).problem
    assert find_forbidden(HOSTILE["a long chain of names"], FORBIDDEN).problem


def test_nothing_is_run_to_find_out(tmp_path: object) -> None:
    source = textwrap.dedent(f"""
        import pathlib
        pathlib.Path({str(tmp_path)!r}, "ran").touch()
    """)
    find_forbidden(source, FORBIDDEN)
    import pathlib

    assert not pathlib.Path(str(tmp_path), "ran").exists()
