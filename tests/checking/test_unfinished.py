"""What reading a source tells before anything of it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlquiz.checking.unfinished import Stub, broken, stubs


def test_functions_that_are_still_the_stub_are_named_with_their_lines() -> None:
    source = b"""
def done(x):
    return x

def todo(x):
    raise NotImplementedError

class A:
    def call(self):
        if self:
            raise NotImplementedError("later")
    async def other(self):
        raise ValueError("NotImplementedError")
"""
    assert stubs(source) == [Stub("todo", 6), Stub("A.call", 11)]


def test_a_class_or_module_that_only_names_the_error_is_no_stub() -> None:
    assert stubs(b"raise NotImplementedError\n") == []
    assert stubs(b"def f():\n    try:\n        g()\n    except NotImplementedError:\n        raise\n") == []


@pytest.mark.parametrize(
    ("content", "line", "told"),
    [
        (b"x = 1\ndef f(:\n", 2, "invalid syntax"),
        (b"def f():\nreturn 1\n", 2, "expected an indented block"),
        (b"return 1\n", 1, "'return' outside function"),
        (b"x = '\xff'\n", 0, "utf-8"),
        (b"# coding: nonsense\n", 0, "unknown encoding"),
        (b"x = 1\0\n", 0, "null bytes"),
        (b"(" * 5000, 1, "too many nested parentheses"),
        (b"x = " + b"-" * 200_000 + b"1\n", 0, ""),
    ],
)
def test_a_file_that_does_not_compile_is_explained(
    tmp_path: Path, content: bytes, line: int, told: str
) -> None:
    (tmp_path / "a.py").write_bytes(content)
    found = broken(tmp_path / "a.py")
    assert found is not None
    assert told in found.reason
    assert not line or found.line == line


def test_a_file_that_compiles_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"# coding: latin-1\nx = '\xff'\nraise SystemExit\n")
    assert broken(tmp_path / "a.py") is None


def test_what_compiles_but_is_nested_too_deep_for_a_tree_raises_nothing() -> None:
    stubs(b"x = f" + b"()" * 3000 + b"\n")
    stubs(b"x = " + b"-" * 2000 + b"1\n")
