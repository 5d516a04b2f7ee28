"""Keep an empty array from passing for any number.

NumPy broadcasts before it compares, so `assert_allclose(np.zeros(0), 3.7)` compares nothing and is content, and so is
`np.zeros(0) == pytest.approx(3.7)`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import numpy as np
import pytest

_COMPARISONS = (
    "assert_allclose",
    "assert_almost_equal",
    "assert_array_almost_equal",
    "assert_array_equal",
    "assert_array_less",
    "assert_equal",
)


@contextmanager
def empty_equals_nothing() -> Iterator[None]:
    """While this lasts, NumPy's assertions and `pytest.approx` refuse an empty array where numbers are expected."""
    with ExitStack() as patches:
        for name in _COMPARISONS:
            patches.enter_context(mock.patch.object(np.testing, name, _strict(getattr(np.testing, name))))
        approx = type(pytest.approx(1.0))
        patches.enter_context(mock.patch.object(approx, "__eq__", _never_empty(approx.__eq__)))
        yield


def _strict(compare: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(compare)
    def comparison(actual: Any, desired: Any, *args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = True
        if _is_empty(actual) and np.size(desired):
            raise AssertionError(
                f"an array of shape {np.shape(actual)}, where one of shape {np.shape(desired)} belongs"
            )
        compare(actual, desired, *args, **kwargs)

    return comparison


def _never_empty(equals: Callable[[Any, object], bool]) -> Callable[[Any, object], bool]:
    def comparison(self: Any, actual: object) -> bool:
        return not _is_empty(actual) and equals(self, actual)

    return comparison


def _is_empty(value: object) -> bool:
    try:
        return isinstance(value, (np.ndarray, list, tuple)) and np.size(value) == 0
    except ValueError:  # ragged: the comparison has its own word on that
        return False
