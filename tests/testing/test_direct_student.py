"""`student` in direct mode reads like the module; what is not data answers through a handle."""

from __future__ import annotations

import json
import operator
import os.path as paths
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlquiz.testing import student as room
from dlquiz.testing.direct import DirectChannel, load_module
from dlquiz.testing.student import Handle, Student, StudentError, Unusable
from dlquiz.testing.values import NotData

SOURCE = '''
import numpy as np

LIMIT = 3
_HIDDEN = 4


class Layer:
    def __init__(self, units=2, *, bias=True):
        self.units = units
        self.bias = bias
        self._secret = 1
        self.log = []

    def __call__(self, x, training=False):
        return (x * self.units, training)

    def __getitem__(self, index):
        return [Layer(1), "b"][index]

    def __len__(self):
        return self.units

    def __iter__(self):
        return (Layer(k) for k in range(self.units))

    def __contains__(self, item):
        return True

    def __enter__(self):
        self.log.append("in")
        return self

    def __exit__(self, *_):
        self.log.append("out")

    def __float__(self):
        return 0.5

    def __int__(self):
        return 7

    def __array__(self, dtype=None, copy=None):
        return np.arange(self.units, dtype=dtype)

    def __eq__(self, other):
        return True

    __hash__ = object.__hash__


class Broken(Layer):
    def __array__(self, dtype=None, copy=None):
        return "no"

    def __len__(self):
        raise KeyError("no length")


class Words:
    def __iter__(self):
        return iter(["a", "b"])


def double(x):
    return x * 2


def identity(x):
    return x


def same(a, b):
    return a is b


def endless():
    while True:
        yield 1


def apply(f, *args, **kwargs):
    return f(*args, **kwargs)


def catch(f):
    try:
        f()
    except ValueError as error:
        return str(error)


def stub(x):
    """What is asked for."""
    raise NotImplementedError


def fail(kind):
    raise kind_of(kind)("on purpose")


def kind_of(name):
    import builtins
    return getattr(builtins, name)


class Custom(ArithmeticError):
    pass


def custom():
    raise Custom("mine")


def unsendable():
    return np.array([object()])


def plain_wrong():
    raise AttributeError("inner fault")
'''


@pytest.fixture
def student(tmp_path: Path) -> Student:
    """A student's module."""
    (tmp_path / "answer.py").write_text(SOURCE)
    return Student(DirectChannel(load_module(tmp_path / "answer.py"), tmp_path))


def test_values_and_results_are_data(student: Student) -> None:
    assert student.LIMIT == 3
    assert student.double(4) == 8
    result = student.double(np.ones(2, dtype="float32"))
    assert type(result) is np.ndarray
    assert result.dtype == np.float32


def test_an_object_comes_back_as_a_handle(student: Student) -> None:
    layer = student.Layer(3)
    assert isinstance(layer, Handle)
    assert repr(layer) == "<student's Layer>"
    assert repr(student) == "<student's module answer>"


def test_attributes_are_read_and_set(student: Student) -> None:
    layer = student.Layer(3, bias=False)
    assert (layer.units, layer.bias) == (3, False)
    layer.units = 5
    assert layer.units == 5


def test_a_handle_is_called_with_keywords(student: Student) -> None:
    y, training = student.Layer(3)(np.ones(2), training=True)
    np.testing.assert_array_equal(y, [3.0, 3.0])
    assert training is True


def test_a_handle_is_indexed(student: Student) -> None:
    layer = student.Layer()
    assert layer[1] == "b"
    assert isinstance(layer[0], Handle)
    with pytest.raises(IndexError):
        layer[2]


def test_a_handle_is_iterated_in_order(student: Student) -> None:
    assert [one.units for one in student.Layer(4)] == [0, 1, 2, 3]


def test_iteration_is_bounded(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_ITERATIONS", 50)
    with pytest.raises(Unusable, match="more than 50 items"):
        list(student.endless())


def test_membership_is_decided_here_and_not_by_the_object(student: Student) -> None:
    assert "x" not in student.Layer(3)  # its own answer would be True
    assert "b" in student.identity(student.Words())
    assert "z" not in student.Words()


def test_a_handle_has_a_length(student: Student) -> None:
    assert len(student.Layer(6)) == 6
    with pytest.raises(KeyError):
        len(student.Broken())


def test_a_handle_is_used_with_with(student: Student) -> None:
    layer = student.Layer()
    with layer as inner:
        assert inner == layer
        assert layer.log == ["in"]
    assert layer.log == ["in", "out"]


def test_a_handle_converts_to_numbers_and_arrays(student: Student) -> None:
    layer = student.Layer(3)
    assert float(layer) == 0.5
    assert int(layer) == 7
    np.testing.assert_array_equal(np.asarray(layer), [0, 1, 2])
    assert np.asarray(layer, dtype="float32").dtype == np.float32


def test_what_does_not_convert_says_so(student: Student) -> None:
    with pytest.raises(StudentError):
        np.asarray(student.Broken())
    with pytest.raises(TypeError):
        float(student.double)


@pytest.mark.parametrize(
    "compare",
    [
        lambda layer: layer == 1,
        lambda layer: operator.eq(1, layer),
        lambda layer: layer != 1,
        lambda layer: layer < 1,
        lambda layer: layer >= 1,
        lambda layer: bool(layer),
        lambda layer: not layer,
        lambda layer: [layer] == [1],
    ],
)
def test_a_handle_is_neither_compared_nor_true(student: Student, compare: Callable[[Any], object]) -> None:
    with pytest.raises(Unusable, match="data was expected, and a Layer object came back"):
        compare(student.Layer())


def test_an_object_that_says_it_is_equal_to_everything_does_not_pass_numpys_checks(student: Student) -> None:
    with pytest.raises(AssertionError):
        np.testing.assert_equal(student.Layer(2), 5)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(student.Layer(2), [0.0, 2.0])


def test_two_handles_are_equal_when_they_are_one_object(student: Student) -> None:
    layer = student.Layer()
    again = student.identity(layer)
    assert again == layer
    assert hash(again) == hash(layer)
    assert layer != student.Layer()


@pytest.mark.parametrize("name", ["_secret", "__dict__", "__globals__", "_channel_"])
def test_private_names_are_out_of_reach(student: Student, name: str) -> None:
    with pytest.raises(AttributeError, match="not reachable"):
        getattr(student.Layer(), name)
    with pytest.raises(AttributeError, match="not reachable"):
        getattr(student, name + "x")
    with pytest.raises(AttributeError, match="not reachable"):
        setattr(student.Layer(), name, 1)


def test_a_suite_does_not_change_the_module(student: Student) -> None:
    with pytest.raises(AttributeError, match="does not change"):
        student.LIMIT = 9
    assert student.LIMIT == 3


def test_a_name_that_is_missing_is_not_attempted(student: Student) -> None:
    with pytest.raises(StudentError, match=r"answer\.py has no `relu`") as caught:
        student.relu(1)
    assert caught.value.unfinished
    assert isinstance(caught.value, AttributeError)


def test_an_attribute_error_within_the_students_code_is_an_error(student: Student) -> None:
    with pytest.raises(AttributeError) as caught:
        student.plain_wrong()
    assert not caught.value.unfinished


def test_a_missing_attribute_of_an_object_is_an_error(student: Student) -> None:
    with pytest.raises(AttributeError) as caught:
        student.Layer().kernel  # noqa: B018
    assert isinstance(caught.value, StudentError)
    assert not caught.value.unfinished


def test_a_stub_is_unfinished(student: Student) -> None:
    with pytest.raises(NotImplementedError, match="still the stub") as caught:
        student.stub(1)
    assert caught.value.unfinished
    assert caught.value.trace.endswith("raise NotImplementedError")


def test_a_library_that_raises_not_implemented_is_no_stub(student: Student) -> None:
    def kernel() -> None:
        raise NotImplementedError("no kernel")

    with pytest.raises(NotImplementedError, match="no kernel") as caught:
        student.apply(kernel)
    assert not caught.value.unfinished


@pytest.mark.parametrize(
    "name",
    ["ValueError", "TypeError", "KeyError", "IndexError", "ZeroDivisionError", "AssertionError", "RecursionError",
     "ModuleNotFoundError", "FileNotFoundError", "MemoryError"],
)  # fmt: skip
def test_an_exception_arrives_as_the_builtin_type_that_it_was(student: Student, name: str) -> None:
    kind = eval(name)
    with pytest.raises(kind) as caught:
        student.fail(name)
    assert isinstance(caught.value, StudentError)
    assert caught.value.type_name == name
    assert str(caught.value).startswith(f"{name}: ")
    assert "on purpose" in str(caught.value)
    assert "line" in caught.value.trace


def test_an_own_exception_arrives_as_its_builtin_ancestor(student: Student) -> None:
    with pytest.raises(ArithmeticError, match="Custom: mine") as caught:
        student.custom()
    assert caught.value.type_name == "Custom"
    assert not isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "error",
    [StopIteration("x"), UnicodeDecodeError("utf-8", b"", 0, 1, "x"), BlockingIOError(1, "x")],
    ids=repr,
)
def test_exceptions_with_a_meaning_of_their_own_arrive_tamed(student: Student, error: Exception) -> None:
    def go() -> None:
        raise error

    with pytest.raises(StudentError) as caught:
        student.apply(go)
    assert not isinstance(caught.value, type(error))
    assert caught.value.type_name == type(error).__name__


def test_a_value_that_is_no_data_and_no_object_is_unusable(student: Student) -> None:
    with pytest.raises(Unusable, match="an array of dtype object"):
        student.unsendable()


def test_handles_are_arguments_at_any_depth(student: Student) -> None:
    layer = student.Layer()
    assert student.same(layer, layer) is True
    pair = student.identity({"a": [layer, (layer,)]})
    assert pair["a"][0] == layer
    assert pair["a"][1][0] == layer


def test_the_student_handle_is_the_module_as_an_argument(student: Student) -> None:
    assert student.identity(student).LIMIT == 3


def test_what_cannot_be_passed_is_refused_by_name(student: Student) -> None:
    with pytest.raises(NotData, match="a PosixPath"):
        student.identity(Path())
    with pytest.raises(NotData, match="a type"):
        student.identity(dict)


def test_a_handle_of_another_student_is_refused(student: Student, tmp_path: Path) -> None:
    other = Student(DirectChannel(load_module(tmp_path / "answer.py"), tmp_path))
    with pytest.raises(NotData, match="another student"):
        student.identity(other.Layer())


def test_a_function_of_the_suites_is_called_back_with_data(student: Student) -> None:
    seen = []

    def note(x: Any, *, more: Any = None) -> int:
        seen.append((x, more))
        return 5

    assert student.apply(note, np.ones(1), more=(1, 2)) == 5
    np.testing.assert_array_equal(seen[0][0], [1.0])
    assert seen[0][1] == (1, 2)


def test_a_callback_receives_objects_as_handles_and_gives_them_back(student: Student) -> None:
    layer = student.Layer(4)
    seen = []

    def note(given: Any) -> Any:
        seen.append(given)
        return given

    assert student.apply(note, layer) == layer
    assert isinstance(seen[0], Handle)
    assert seen[0].units == 4


def test_an_exception_of_a_callback_reaches_the_students_code(student: Student) -> None:
    def fail() -> None:
        raise ValueError("told")

    assert student.catch(fail) == "told"


def test_a_library_of_the_students_process_is_reachable(student: Student) -> None:
    module = student.module("math")
    assert isinstance(module, Handle)
    assert module.floor(2.5) == 2


SIZE = 3


def look(student: Any, layer: Any, *, scale: int = 1) -> object:
    return student.LIMIT, type(layer).__name__, json.dumps([scale]), paths.basename("a/b"), layer._secret


def uses_a_global() -> int:
    return SIZE


def uses_a_global_inside() -> list[int]:
    return [SIZE for _ in range(2)]


def inner_function(x: int) -> int:
    def inner(y: int) -> int:
        return y + 1

    return inner(x)


def returns_an_object(student: Any) -> object:
    return student.Layer(9)


def test_a_probe_runs_beside_the_students_objects(student: Student) -> None:
    assert student.probe(look, student, student.Layer(), scale=2) == (3, "Layer", "[2]", "b", 1)
    assert student.probe(inner_function, 1) == 2
    assert student.probe(returns_an_object, student).units == 9


def test_a_probe_may_not_use_a_value_of_the_suite(student: Student) -> None:
    for function in (uses_a_global, uses_a_global_inside):
        with pytest.raises(TypeError, match="uses SIZE"):
            student.probe(function)


def test_a_probe_may_not_close_over_a_variable(student: Student) -> None:
    expected = 5

    def closing() -> int:
        return expected

    with pytest.raises(TypeError, match="uses expected"):
        student.probe(closing)


def test_an_error_within_a_probe_is_the_students(student: Student) -> None:
    def wrong(student: Any) -> object:
        return student.double()

    with pytest.raises(TypeError) as caught:
        student.probe(wrong, student)
    assert isinstance(caught.value, StudentError)


def test_what_student_code_does_to_its_arguments_is_not_done_to_the_tests(tmp_path: Path) -> None:
    (tmp_path / "spoils.py").write_text("def spoil(x, **more):\n    x[0] = 9\n    more['y'].append(9)\n")
    student = Student(DirectChannel(load_module(tmp_path / "spoils.py"), tmp_path))
    x, y = np.zeros(2), [1]
    student.spoil(x, y=y)
    np.testing.assert_array_equal(x, [0, 0])
    assert y == [1]
