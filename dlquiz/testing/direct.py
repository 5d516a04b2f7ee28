"""Direct mode: the student's module in the suite's own process, for authors, students and plain `pytest`.

It is convenient and not safe: only the grader's worker keeps a hostile module away from its tests.
"""

from __future__ import annotations

import copy
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from dlquiz.testing.objects import Executor, describe
from dlquiz.testing.student import Unusable, outgoing, revive, student_error
from dlquiz.testing.values import Callback, NotData, from_tree, to_tree


def load_module(path: Path) -> ModuleType:
    """Import one file by its path, without entering it among the importable modules for good.

    Raises:
        FileNotFoundError: there is no such file. Anything that the module itself raises.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Keras finds a class again by its module's name when it loads a saved model.
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


class DirectChannel:
    """Performs each request at once, in this process."""

    def __init__(self, module: ModuleType, folder: Path) -> None:
        self.name = module.__name__
        self._folder = str(folder)
        self._functions: list[Callable[..., object]] = []
        self._executor = Executor(module, self._call_back)

    def request(self, op: str, args: list[object]) -> object:
        """Perform `op`; an exception of the student's arrives as it would from the grader's worker."""
        try:
            # as over the wire: what the student's code does to its arguments is not done to the test's
            return self._executor.perform(op, copy.deepcopy(args))
        except NotData as error:
            raise Unusable(f"what came back is {error}") from None
        except Exception as error:
            told = self.describe(error)
            raise student_error(
                str(told["type"]),
                [str(base) for base in _list(told["bases"])],
                str(told["message"]),
                str(told["traceback"]),
            ) from error

    def describe(self, error: BaseException) -> dict[str, object]:
        """An exception of the student's as plain data."""
        return describe(error, self._folder)

    def callback(self, function: Callable[..., object]) -> Callback:
        """Number a function of the suite's."""
        self._functions.append(function)
        return Callback(len(self._functions) - 1)

    def _call_back(self, callback: Callback) -> Callable[..., object]:
        function = self._functions[callback.index]

        def incoming(value: object) -> object:
            return revive(self, to_tree(value, self._executor.keep))

        def call(*args: object, **kwargs: object) -> object:
            value = function(*map(incoming, args), **{name: incoming(arg) for name, arg in kwargs.items()})
            return from_tree(outgoing(self, value), self._executor.revive)

        return call


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value
