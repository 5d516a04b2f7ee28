"""The student's side: objects are kept by number, operations are performed on them, exceptions are told as data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from dlquiz.testing.direct import load_module
from dlquiz.testing.objects import MAX_FRAMES, Executor, clean, describe
from dlquiz.testing.values import Callback, Ref

SOURCE = """
class Box:
    size = 3

    def __init__(self, content=()):
        self.content = list(content)

    def __getitem__(self, index):
        return self.content[index]

    def __len__(self):
        return len(self.content)

    def __iter__(self):
        return iter(self.content)

    def __float__(self):
        return 2.5

    def __int__(self):
        return 7

    def __array__(self, dtype=None, copy=None):
        import numpy
        return numpy.array(self.content, dtype=dtype)

    def __enter__(self):
        self.content.append("in")
        return self

    def __exit__(self, *error):
        self.content.append(error)


BOX = Box([1, 2])
"""


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    """A student's module."""
    (tmp_path / "answer.py").write_text(SOURCE)
    return load_module(tmp_path / "answer.py")


@pytest.fixture
def executor(module: ModuleType) -> Executor:
    """An executor whose callbacks add their number to their argument."""

    def callback(callback: Callback) -> Callable[..., object]:
        return lambda value: callback.index + value

    return Executor(module, callback)


@pytest.fixture
def box(executor: Executor) -> Ref:
    """The reference to `BOX`."""
    ref = executor.perform("attr", [Ref(0), "BOX"])
    assert isinstance(ref, Ref)
    return ref


def test_the_module_is_object_0(executor: Executor) -> None:
    ref = executor.perform("attr", [Ref(0), "Box"])
    assert ref == Ref(1, "type")


def test_one_object_has_one_number_for_as_long_as_it_is_kept(executor: Executor, box: Ref) -> None:
    assert executor.perform("attr", [Ref(0), "BOX"]) == box
    other = executor.perform("call", [executor.perform("attr", [Ref(0), "Box"]), [], {}])
    assert other != box
    assert executor.revive(box) is not executor.revive(other)


def test_the_number_of_a_dead_temporary_is_never_given_to_another_object(executor: Executor) -> None:
    refs = [executor.perform("call", [executor.perform("attr", [Ref(0), "Box"]), [], {}]) for _ in range(50)]
    assert len({ref.index for ref in refs}) == 50


def test_forgotten_objects_are_let_go_and_the_module_stays(executor: Executor, box: Ref) -> None:
    executor.forget()
    with pytest.raises(IndexError):
        executor.revive(box)
    assert executor.perform("attr", [executor.perform("attr", [Ref(0), "BOX"]), "content"]) == [1, 2]


@pytest.mark.parametrize(
    ("op", "args", "expected"),
    [
        ("attr", ["size"], 3),
        ("item", [1], 2),
        ("len", [], 2),
        ("float", [], 2.5),
        ("int", [], 7),
    ],
)
def test_operations_return_data(
    executor: Executor, box: Ref, op: str, args: list[object], expected: object
) -> None:
    assert executor.perform(op, [box, *args]) == expected


def test_an_attribute_is_set(executor: Executor, box: Ref, module: Any) -> None:
    assert executor.perform("setattr", [box, "content", [9]]) is None
    assert module.BOX.content == [9]


def test_a_call_passes_positional_and_keyword_arguments(executor: Executor) -> None:
    kind = executor.perform("attr", [Ref(0), "Box"])
    for args, kwargs in (([[4, 5]], {}), ([], {"content": [4, 5]})):
        made = executor.perform("call", [kind, args, kwargs])
        assert executor.perform("attr", [made, "content"]) == [4, 5]


def test_iteration_goes_step_by_step_and_ends(executor: Executor, box: Ref) -> None:
    iterator = executor.perform("iter", [box])
    assert isinstance(iterator, Ref)
    steps = [executor.perform("next", [iterator]) for _ in range(3)]
    assert steps == [(True, 1), (True, 2), (False, None)]


def test_an_array_is_made_with_the_dtype_asked_for(executor: Executor, box: Ref) -> None:
    for dtype, expected in ((None, np.int64), ("float32", np.float32)):
        array = executor.perform("array", [box, dtype])
        assert isinstance(array, np.ndarray)
        assert array.dtype == expected


def test_a_context_is_entered_and_left_without_an_exception(
    executor: Executor, box: Ref, module: Any
) -> None:
    assert executor.perform("enter", [box]) == box
    executor.perform("exit", [box])
    assert module.BOX.content == [1, 2, "in", (None, None, None)]


def test_a_library_is_imported_on_this_side(executor: Executor) -> None:
    ref = executor.perform("module", ["json"])
    assert isinstance(ref, Ref)
    assert ref.type_name == "module"
    import json

    assert executor.revive(ref) is json


def test_a_probe_runs_with_its_imports_and_the_real_objects(executor: Executor, box: Ref) -> None:
    source = "def look(box, *, more):\n    return jn.dumps(box.content), type(box).__name__, more"
    seen = executor.perform("probe", [source, "look", {"jn": "json"}, [box], {"more": 4}])
    assert seen == ("[1, 2]", "Box", 4)


def test_a_callback_is_called(executor: Executor) -> None:
    source = "def use(f):\n    return f(2)"
    assert executor.perform("probe", [source, "use", {}, [Callback(40)], {}]) == 42


def test_an_unknown_operation_is_refused(executor: Executor) -> None:
    with pytest.raises(KeyError):
        executor.perform("exec", ["1"])


@pytest.fixture
def describe_run(tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    """How the exception of a module that is loaded (and whose `go` is called, if there is one) is told."""

    def run(source: str) -> dict[str, Any]:
        (tmp_path / "answer.py").write_text(source, encoding="utf-8", errors="surrogatepass")
        try:
            loaded = load_module(tmp_path / "answer.py")
            loaded.go()
        except Exception as error:
            return describe(error, str(tmp_path))
        raise AssertionError("nothing was raised")

    return run


def test_an_exception_is_told_with_its_builtin_bases_only(
    describe_run: Callable[[str], dict[str, Any]],
) -> None:
    told = describe_run("class Odd(KeyError, ValueError): pass\ndef go():\n    raise Odd('what')")
    assert told["type"] == "Odd"
    assert told["bases"][:3] == ["KeyError", "LookupError", "ValueError"]
    assert "Odd" not in told["bases"]
    assert told["message"] == "'what'"


def test_only_the_students_own_lines_are_shown(describe_run: Callable[[str], dict[str, Any]]) -> None:
    told = describe_run("import json\n\ndef go():\n    inner()\n\ndef inner():\n    json.loads('{')")
    assert told["traceback"] == (
        "answer.py, line 4, in go\n    inner()\nanswer.py, line 7, in inner\n    json.loads('{')"
    )


def test_a_folder_whose_name_only_begins_alike_is_not_the_students(tmp_path: Path) -> None:
    (tmp_path / "own-not").mkdir()
    (tmp_path / "own-not" / "answer.py").write_text("raise ValueError")
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        load_module(tmp_path / "own-not" / "answer.py")
    assert describe(caught.value, str(tmp_path / "own"))["traceback"] == ""
    assert "line 1" in str(describe(caught.value, str(tmp_path / "own-not"))["traceback"])


def test_a_syntax_error_shows_its_own_line(describe_run: Callable[[str], dict[str, Any]]) -> None:
    told = describe_run("x = 1\ny = (2,\n")
    assert told["type"] == "SyntaxError"
    assert told["traceback"] == "answer.py, line 2\n    y = (2,"


def test_deep_recursion_is_cut_in_the_middle(describe_run: Callable[[str], dict[str, Any]]) -> None:
    told = describe_run("def go():\n    down(0)\n\ndef down(n):\n    down(n + 1)")
    lines = told["traceback"].splitlines()
    assert told["type"] == "RecursionError"
    assert sum("line" in line for line in lines) == MAX_FRAMES
    assert lines[0] == "answer.py, line 2, in go"
    assert sum("more calls" in line for line in lines) == 1
    assert "down" in lines[-2]


def test_text_that_cannot_be_encoded_is_cleaned(describe_run: Callable[[str], dict[str, Any]]) -> None:
    told = describe_run('def go():\n    raise ValueError("\\ud800x")')
    assert told["message"] == "?x"
    for key in ("type", "message", "traceback"):
        told[key].encode()
    assert clean("a\udfffb") == "a?b"
    assert clean("é😀") == "é😀"


def test_a_message_that_raises_does_not_hide_the_exception(
    describe_run: Callable[[str], dict[str, Any]],
) -> None:
    told = describe_run(
        "class Bad(ValueError):\n    def __str__(self):\n        raise RuntimeError\ndef go():\n    raise Bad"
    )
    assert told["type"] == "Bad"
    assert told["message"] == "(its message could not be read)"


def test_a_message_is_bounded(describe_run: Callable[[str], dict[str, Any]]) -> None:
    assert len(describe_run("def go():\n    raise ValueError('x' * 1_000_000)")["message"]) == 4000


def test_an_exception_without_a_traceback_is_told(tmp_path: Path) -> None:
    told = describe(ValueError("bare"), str(tmp_path))
    assert told["traceback"] == ""
