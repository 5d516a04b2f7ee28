"""What of a submission depends on something forbidden: found by reading, and no further than it goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlquiz.checking.reach import find_reach

FORBIDDEN = ("keras.layers.Dense", "keras.ops.relu")
USE = "keras.layers.Dense"


def reached(source: str, **others: str) -> set[str]:
    files = {"work.py": source, **{f"{stem}.py": text for stem, text in others.items()}}
    reach = find_reach({name: text.encode() for name, text in files.items()}, FORBIDDEN)
    assert not reach.everywhere, reach.everywhere
    return set(reach.names)


def everywhere(source: str | bytes) -> str:
    return find_reach(
        {"work.py": source if isinstance(source, bytes) else source.encode()}, FORBIDDEN
    ).everywhere


@pytest.mark.parametrize(
    ("source", "names"),
    [
        (f"def f(): return {USE}", {"f"}),
        (f"async def f(): return {USE}", {"f"}),
        (f"class F:\n    def call(self): return {USE}", {"F"}),
        (f"f = lambda: {USE}", {"f"}),
        (f"f, g = {USE}, 1", {"f", "g"}),
        (f"f: object = {USE}", {"f"}),
        (f"@g\n@{USE}\ndef f(): pass", {"f"}),
        (f"def f(x={USE}): pass", {"f"}),
        (
            f"def g(): return {USE}\ndef f(): return g()\ndef e(): return f()\ndef d(): return 1",
            {"e", "f", "g"},
        ),
        (f"def f(): return g()\ndef g(): return {USE}", {"f", "g"}),
        (f"def g(): return {USE}\nclass F:\n    x = g", {"F", "g"}),
        (f"def g(): return {USE}\nclass F(g()): pass", {"F", "g"}),
        (f"def g(): return {USE}\nf = [g() for _ in range(3)]", {"f", "g"}),
        (f"def g(): return {USE}\ndef f(): return [g() for _ in range(3)]", {"f", "g"}),
        (f"def g(): return {USE}\nfor f in g(): pass", {"f", "g"}),
        (f"def g(): return {USE}\nwith g() as f: pass", {"f", "g"}),
        (f"def g(): return {USE}\nif True:\n    f = g", {"f", "g"}),
        (
            f"def g(): return {USE}\ntry:\n    f = g\nexcept E:\n    f = 2\nfinally:\n    e = g",
            {"e", "f", "g"},
        ),
        (f"if __name__ == '__main__':\n    x = {USE}\nelse:\n    f = {USE}", {"f"}),
        ("from keras.layers import Dense as f, Layer", {"f"}),
        ("from keras.layers import Dense, Layer\nclass F(Layer): pass", {"Dense"}),
        ("from keras.layers import Dense, Layer\nclass F(Dense): pass", {"Dense", "F"}),
        ("from keras import ops\ndef relu(x): return ops.relu(x)", {"relu"}),
        ("from keras import ops\ndef relu(x): return ops.relu(x)\ndef f(): return ops.exp", {"relu"}),
        ("from keras import ops\ndef relu(x): return ops.relu(x)\ndef f(relu): return relu", {"relu"}),
        (f"def g(): return {USE}\ndef f():\n    g = 1\n    return [g for _ in (1,)]", {"g"}),
        (f"def g(): return {USE}\nprint(g)", {"g"}),
        ("x = 1", set()),
    ],
)
def test_names_that_depend_on_a_use(source: str, names: set[str]) -> None:
    assert reached("import keras\n" + source) == names


def test_names_of_another_file_are_reached_through_its_import() -> None:
    helper = f"import keras\ndef g(): return {USE}"
    assert reached("from helper import g as f\ndef e(): return f()\ndef d(): pass", helper=helper) == {
        "e",
        "f",
    }
    assert reached("def f():\n    import helper\n    return helper.g()\ndef d(): pass", helper=helper) == {
        "f"
    }
    assert reached("import helper", helper="x = 1") == set()


def test_the_reason_names_the_file_the_line_and_the_name() -> None:
    reach = find_reach({"work.py": b"import keras\n\ndef f(): return keras.layers.Dense"}, FORBIDDEN)
    assert reach.names == {"f": "work.py, line 3: keras.layers.Dense is forbidden in this assignment"}
    assert reach.uses == ("work.py:3: keras.layers.Dense",)


@pytest.mark.parametrize(
    "source",
    [
        f"import keras\nprint({USE})",
        f"import keras\ndef g(): return {USE}\nprint(g())",
        f"import keras\nif {USE}:\n    pass",
        f"import keras\ndef __getattr__(name): return {USE}",
        "from keras.layers import *\nprint(Dense)",
        "#" + "x" * 1_000_001,
        "x = " + "-" * 50_000 + "1",
    ],
)
def test_what_cannot_be_limited_is_everywhere(source: str) -> None:
    assert everywhere(source)


@pytest.mark.parametrize(
    "source", ["def f(:", "# coding: latin-1\nx = '\xe9'".encode("latin-1"), b"\xff\xfe", b""]
)
def test_what_holds_no_use_or_cannot_be_imported_is_nowhere(source: str | bytes) -> None:
    assert not everywhere(source)


def test_a_source_in_a_declared_encoding_is_read_in_it() -> None:
    source = f"# coding: latin-1\nimport keras\n\xe9 = {USE}".encode("latin-1")
    assert set(find_reach({"work.py": source}, FORBIDDEN).names) == {"\xe9"}


def test_nothing_is_searched_where_nothing_is_forbidden() -> None:
    assert not find_reach({"work.py": b"#" * 2_000_000}, ()).everywhere


@pytest.mark.parametrize(
    "line",
    [
        "exec('1')",
        "eval('1')",
        "import builtins\nbuiltins.exec('1')",
        "import importlib.util",
        "import ctypes",
    ],
)
def test_what_could_hide_a_use_is_pointed_out_and_forbids_nothing(line: str) -> None:
    reach = find_reach({"work.py": line.encode()}, FORBIDDEN)
    assert len(reach.doubts) == 1
    assert (reach.names, reach.everywhere, reach.uses) == ({}, "", ())


@given(st.text(alphabet="def fgx():\n\t =[]{}.,@*lambdakeras'\"#", max_size=80))
def test_no_source_makes_it_raise(text: str) -> None:
    find_reach({"work.py": text.encode()}, FORBIDDEN)


@pytest.mark.parametrize("source", [b"# coding: rot13\nx = 1\n", b"x = " + b"-" * 200_000 + b"1"])
def test_a_text_that_no_parser_reads_is_forbidden_as_a_whole(source: bytes) -> None:
    assert everywhere(source).startswith("work.py could not be searched for forbidden names: ")
