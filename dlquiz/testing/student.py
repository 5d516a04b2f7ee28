"""The `student` fixture's value: reads like the student's module, whichever process that runs in."""

from __future__ import annotations

import builtins
import dis
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, Protocol

import numpy as np

from dlquiz.testing.values import Callback, NotData, Ref, from_tree, to_tree
from dlquiz.testing.verdict import Verdict

MAX_ITERATIONS = 100_000


class StudentError(Exception):
    """The student's code raised.

    The instance is also of the built-in type that was raised, so `pytest.raises(ValueError)` holds.

    Attributes:
        type_name: the name of the exception's own type.
        trace: the student's own lines of the traceback.
        unfinished: whether it came from a stub that is still there, or from a name that is missing.
    """

    type_name = "Exception"
    trace = ""
    unfinished = False


class StudentStopped(BaseException):
    """The student's code was stopped, or stopped its process; no suite should catch this.

    Attributes:
        verdict: what that makes of the test.
    """

    def __init__(self, verdict: Verdict, message: str) -> None:
        super().__init__(message)
        self.verdict = verdict


class GraderFault(BaseException):
    """The machinery between suite and student failed: no fault of the student's."""


class Unusable(AssertionError):
    """The student's code returned something that the test cannot use as data."""


# The Unicode errors rebuild their arguments, StopIteration ends loops: those arrive as an ancestor of theirs.
_BUILTINS = (
    "ArithmeticError AssertionError AttributeError BufferError EOFError FileNotFoundError FloatingPointError "
    "ImportError IndentationError IndexError KeyError LookupError MemoryError ModuleNotFoundError NameError "
    "NotImplementedError OSError OverflowError PermissionError RecursionError ReferenceError RuntimeError "
    "SyntaxError TypeError UnboundLocalError ValueError ZeroDivisionError"
).split()
_ERRORS: dict[str, type[StudentError]] = {
    name: type(f"Student{name}", (StudentError, getattr(builtins, name)), {"__str__": Exception.__str__})
    for name in _BUILTINS
}


def student_error(type_name: str, bases: list[str], message: str, trace: str) -> StudentError:
    """The exception that stands for one raised by the student's code."""
    kind = next((_ERRORS[base] for base in bases if base in _ERRORS), StudentError)
    # TensorFlow raises NotImplementedError too; the stub's own line tells them apart.
    unfinished = trace.rpartition("\n")[2].strip().startswith("raise NotImplementedError")
    if unfinished:
        message = "this part is still the stub"
    error = kind(f"{type_name}: {message}" if message else type_name)
    error.type_name = type_name
    error.trace = trace
    error.unfinished = unfinished
    return error


class Channel(Protocol):
    """How a suite reaches the student's code. Arguments and results are trees."""

    name: str

    def request(self, op: str, args: list[object]) -> object:
        """Perform `op`; raises StudentError, StudentStopped or Unusable."""

    def callback(self, function: Callable[..., object]) -> Callback:
        """Number a function of the suite's, so that the student's code may call it."""


class Handle:
    """An object that lives in the student's process.

    Attributes can be read and set, it can be called, indexed, iterated, measured with `len`, used with `with`,
    converted with `float`, `int` and `np.asarray`. It cannot be compared or taken as true or false: a handle stands
    where data was expected, and an object that lies about `==` must not pass a test.
    """

    __slots__ = ("_channel", "_ref")
    _channel: Channel
    _ref: Ref

    def __init__(self, channel: Channel, ref: Ref) -> None:
        object.__setattr__(self, "_channel", channel)
        object.__setattr__(self, "_ref", ref)

    def _ask(self, op: str, *args: object) -> Any:
        return ask(self._channel, op, self, *args)

    def __repr__(self) -> str:
        return f"<student's {self._ref.type_name}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{self!r}: names that start with '_' are not reachable from a suite")
        return self._ask("attr", name)

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_"):
            raise AttributeError(f"{self!r}: names that start with '_' are not reachable from a suite")
        self._ask("setattr", name, value)

    def __call__(self, *args: object, **kwargs: object) -> Any:
        return self._ask("call", list(args), kwargs)

    def __getitem__(self, index: object) -> Any:
        return self._ask("item", index)

    def __len__(self) -> int:
        length = self._ask("len")
        if type(length) is not int or length < 0:
            raise Unusable(f"len() of {self!r} is not a number")
        return length

    def __contains__(self, item: object) -> bool:
        # Asked of the items here: the object itself would be told what is looked for, and could say yes to anything.
        return any(isinstance(own, Handle) is isinstance(item, Handle) and own == item for own in self)

    def __iter__(self) -> Iterator[Any]:
        iterator = self._ask("iter")
        for _ in range(MAX_ITERATIONS):
            step = ask(self._channel, "next", iterator)
            if not isinstance(step, tuple) or len(step) != 2 or step[0] is not True:
                return
            yield step[1]
        raise Unusable(f"{self!r} gave more than {MAX_ITERATIONS:,} items")

    def __enter__(self) -> Any:
        return self._ask("enter")

    def __exit__(self, *_: object) -> None:
        self._ask("exit")

    def __float__(self) -> float:
        return float(self._number("float", float))

    def __int__(self) -> int:
        return int(self._number("int", int))

    def _number(self, op: str, kind: type[Any]) -> Any:
        value = self._ask(op)
        if type(value) is not kind:
            raise Unusable(f"{op}() of {self!r} is not a number")
        return value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        value = self._ask("array", None if dtype is None else np.dtype(dtype).name)
        if not isinstance(value, (np.ndarray, np.generic)):
            raise Unusable(f"{self!r} is not an array")
        return np.asarray(value)

    def _refuse(self, *_: object) -> bool:
        raise Unusable(f"data was expected, and a {self._ref.type_name} object came back")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Handle):
            return self._ref.index == other._ref.index and self._channel is other._channel
        return self._refuse()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._ref.index)

    __bool__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse


class Student:
    """The student's module.

    `student.name` is a function, class or value of the module. Two names belong to the handle itself: `module` and
    `probe`.
    """

    __slots__ = ("_channel",)
    _channel: Channel

    def __init__(self, channel: Channel) -> None:
        object.__setattr__(self, "_channel", channel)

    def __repr__(self) -> str:
        return f"<student's module {self._channel.name}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{self!r}: names that start with '_' are not reachable from a suite")
        try:
            return ask(self._channel, "attr", self, name)
        except StudentError as error:
            if not isinstance(error, AttributeError):
                raise
        raise _missing(self._absent(name))

    def _absent(self, name: str) -> str:
        return f"{self._channel.name}.py has no `{name}`"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a suite does not change the student's module")

    def module(self, name: str) -> Any:
        """The library `name` (such as "keras") in the student's process."""
        return ask(self._channel, "module", name)

    def probe(self, function: FunctionType, *args: object, **kwargs: object) -> Any:
        """Run a helper of the suite's beside the student's code and return what it returns.

        Its source is sent: it may use its arguments, built-ins, and modules that the suite imports at top level.
        Handles among the arguments become the objects themselves; the student handle becomes the module.

        Raises:
            TypeError: the function closes over a variable or uses a global that is not a module.
        """
        source, imports = _source(function)
        return ask(self._channel, "probe", source, function.__name__, imports, list(args), kwargs)


def _missing(message: str) -> StudentError:
    kind = type(
        "StudentMissing", (StudentError, NotImplementedError, AttributeError), {"__str__": Exception.__str__}
    )
    error: StudentError = kind(message)
    error.type_name = "NotImplementedError"
    error.unfinished = True
    return error


@functools.cache
def _source(function: FunctionType) -> tuple[str, dict[str, str]]:
    names = _global_names(function.__code__)
    used = {name: function.__globals__[name] for name in sorted(names & function.__globals__.keys())}
    wrong = [name for name, value in used.items() if not isinstance(value, ModuleType)]
    wrong += function.__code__.co_freevars
    if wrong:
        raise TypeError(
            f"probe {function.__name__} uses {', '.join(wrong)}: a probe may use only its arguments, built-ins and "
            "modules imported by the suite"
        )
    return textwrap.dedent(inspect.getsource(function)), {
        name: value.__name__ for name, value in used.items()
    }


def _global_names(code: CodeType) -> set[str]:
    names = {str(step.argval) for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _global_names(constant)
    return names


def ask(channel: Channel, op: str, *args: object) -> Any:
    """Perform an operation: values go out as trees, and what comes back is data or handles."""
    return revive(channel, channel.request(op, [outgoing(channel, arg) for arg in args]))


def outgoing(channel: Channel, value: object) -> object:
    """The tree of a value that a suite passes to the student's code.

    Raises:
        NotData: it is neither data nor a handle nor a plain function.
    """

    def keep(value: object) -> object:
        if isinstance(value, Handle):
            if value._channel is not channel:
                raise NotData("an object of another student")
            return value._ref
        if isinstance(value, Student):
            return Ref(0, "module")
        if inspect.isfunction(value) or inspect.ismethod(value) or inspect.isbuiltin(value):
            return channel.callback(value)
        wanted = "pass data, handles, or plain functions to the student's code"
        raise NotData(f"a {type(value).__name__}: {wanted}")

    return to_tree(value, keep)


def revive(channel: Channel, tree: object) -> Any:
    """A tree from the student's side as data and handles."""

    def one(ref: Ref | Callback) -> object:
        if isinstance(ref, Callback):
            raise Unusable("a function of the test's came back where data was expected")
        return Handle(channel, ref)

    return from_tree(tree, one)
