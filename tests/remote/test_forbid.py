"""What an assignment forbids raises under every name, in libraries made up here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from grader.remote.forbid import ForbiddenCall, UnknownName, forbid


def make_module(name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    module = ModuleType(name)
    module.__path__ = []
    monkeypatch.setitem(sys.modules, name, module)
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
    exec(source, vars(module))
    return module


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`deeplib` with a layer, a model and functions, each under more than one name."""
    top = make_module("deeplib", "", monkeypatch)
    make_module(
        "deeplib.layers",
        """
class Layer:
    def __init__(self, units=1):
        self.units = units

    def __call__(self, x):
        return x

class Norm(Layer): pass
class Other(Layer): pass
Normalization = Norm
""",
        monkeypatch,
    )
    make_module("deeplib.ops", "def relu(x):\n    return max(x, 0)\ndef tanh(x):\n    return x", monkeypatch)
    make_module("deeplib.nn", "from deeplib.ops import relu as rectify, tanh", monkeypatch)
    make_module(
        "deeplib.models",
        "class Model:\n    def fit(self):\n        return 1\n    def call(self):\n        return 2",
        monkeypatch,
    )
    return top


@pytest.mark.parametrize(
    "use",
    [
        lambda lib: lib.layers.Norm(),
        lambda lib: lib.layers.Norm(units=3),
        lambda lib: lib.layers.Normalization(),
        lambda lib: type("Mine", (lib.layers.Norm,), {})(),
        lambda lib: type("Mine", (lib.layers.Norm,), {"__init__": lambda self: None})(),
        lambda lib: type("Mine", (lib.layers.Norm,), {"__new__": lambda kind: object.__new__(kind)})(),
        lambda lib: object.__new__(lib.layers.Norm)(1),
    ],
    ids=[
        "the class",
        "with arguments",
        "an alias",
        "a subclass",
        "its own init",
        "its own new",
        "made by object, then called",
    ],
)
def test_a_class_is_spoilt_in_place(library: Any, use: Callable[[Any], object]) -> None:
    forbid(["deeplib.layers.Norm"])
    with pytest.raises(ForbiddenCall, match=r"deeplib\.layers\.Norm is forbidden in this assignment"):
        use(library)


def test_an_instance_that_was_made_before_is_spoilt_too(library: Any) -> None:
    layer = library.layers.Norm()
    forbid(["deeplib.layers.Norm"])
    with pytest.raises(ForbiddenCall):
        layer(1)


def test_its_base_and_its_siblings_still_work(library: Any) -> None:
    forbid(["deeplib.layers.Norm"])
    assert library.layers.Layer(2).units == 2
    assert library.layers.Other(3)(7) == 7


def test_a_function_raises_under_every_name(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_module("elsewhere", "from deeplib.ops import relu as anything", monkeypatch)
    forbid(["deeplib.ops.relu"])
    for function in (library.ops.relu, library.nn.rectify, user.anything):
        with pytest.raises(ForbiddenCall, match=r"deeplib\.ops\.relu is forbidden"):
            function(1)
    assert library.ops.tanh(1) == library.nn.tanh(1) == 1


def test_a_function_is_found_by_any_of_its_names(library: Any) -> None:
    forbid(["deeplib.nn.rectify"])
    with pytest.raises(ForbiddenCall, match=r"deeplib\.nn\.rectify is forbidden"):
        library.ops.relu(1)


def test_a_method_is_replaced_in_its_class(library: Any) -> None:
    forbid(["deeplib.models.Model.fit"])
    model = library.models.Model()
    with pytest.raises(ForbiddenCall):
        model.fit()
    assert model.call() == 2


def test_tf_is_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = make_module("tensorflow", "", monkeypatch)
    make_module("tensorflow.nn", "def relu(x):\n    return x", monkeypatch)
    forbid(["tf.nn.relu"])
    with pytest.raises(ForbiddenCall, match=r"tf\.nn\.relu is forbidden"):
        fake.nn.relu(1)


@pytest.mark.parametrize(
    "name",
    ["deeplib.layers.Nrom", "deeplib.lairs.Norm", "nolib.Norm", "deeplib.layers.Norm.nothing", "deeplib"],
)
def test_a_name_that_does_not_exist_is_an_error(library: Any, name: str) -> None:
    with pytest.raises(UnknownName, match=f"forbidden name '{name}' does not exist"):
        forbid([name])


def test_the_error_is_an_ordinary_exception() -> None:
    assert issubclass(ForbiddenCall, Exception)
    assert not issubclass(
        ForbiddenCall, (ValueError, TypeError, NotImplementedError, AssertionError, AttributeError)
    )
