"""Whatever bytes a student hands in, reading them ends in a submission."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dlquiz.notebooks.cells import convert
from grader.submission import Submission, read
from grader.submission.members import Unusable

SUBMIT = ("normalization.py",)
FUZZ = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def whole_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("normalization.py", "def f():\n    return 1\n" * 20)
        archive.writestr("b/notes.txt", "x" * 50)
    return buffer.getvalue()


ZIP = whole_zip()
CODE = st.lists(
    st.sampled_from(
        [
            "def f(x):",
            "class A:",
            "    return x",
            "%time",
            "!ls \\",
            "x = 1",
            "'''",
            "import a.b as c",
            "@f",
            "if x:",
            "    pass",
            "(",
            ")",
            "x?",
            "x += y",
            "try:",
            "except E:",
            "from m import *",
            "lambda: x",
            "%%time",
            "\\",
            "#",
            "a.b[0] = f",
            "for i in x:",
            "    import q",
            "return",
            "await x",
            "global x",
            "y: A = x",
            "\x0c",
            "é = '\ud800'",
            "from __future__ import annotations",
            "from __future__ import nope",
            "get_ipython().x",
            "nonlocal x",
            "\x00",
        ]
    ),
    max_size=8,
).map("\n".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["cells", "worksheets", "cell_type", "source", "input", "code"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def check(found: Submission) -> None:
    assert bool(found.files) != bool(found.problems)
    assert all(text.isprintable() for text in (*found.notes, *found.problems))


@FUZZ
@given(
    content=st.binary(max_size=300) | st.text(max_size=100).map(str.encode),
    suffix=st.sampled_from([".py", ".zip"]),
)
@example(content=b"#coding:\xff", suffix=".py")
@example(content=b"# coding: gb18030\n\x81", suffix=".py")
def test_random_bytes_never_raise(tmp_path, content, suffix):
    path = tmp_path / f"bo{suffix}"
    path.write_bytes(content)
    check(read(path, SUBMIT))


@settings(FUZZ, max_examples=10)
@given(content=st.binary(max_size=100) | JSON.map(lambda data: json.dumps(data).encode()))
def test_random_notebook_never_raises(tmp_path, content):
    path = tmp_path / "bo.ipynb"
    path.write_bytes(content)
    check(read(path, SUBMIT))


@settings(FUZZ, max_examples=150)
@given(changes=st.lists(st.tuples(st.integers(0, len(ZIP) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_zip_with_any_bytes_changed_never_raises(tmp_path, changes):
    content = bytearray(ZIP)
    for position, byte in changes:
        content[position] = byte
    path = tmp_path / "bo.zip"
    path.write_bytes(content)
    check(read(path, SUBMIT))


@settings(FUZZ, max_examples=150)
@given(content=st.binary(max_size=200) | JSON.map(lambda data: json.dumps(data).encode()))
def test_anything_in_place_of_a_notebook_is_unusable(content):
    with pytest.raises(Unusable):
        convert(content, "normalization.py", 1000)


@settings(FUZZ, max_examples=150)
@given(cells=st.lists(CODE, min_size=1, max_size=4))
def test_module_of_any_cells_that_stand_compiles(cells):
    made = [{"cell_type": "code", "source": cell} for cell in (*cells, "def last():\n    return 1")]
    source = convert(json.dumps({"cells": made}).encode(), "normalization.py", 10_000).source
    compile(source, "normalization.py", "exec")
    assert "def last():\n    return 1" in source
