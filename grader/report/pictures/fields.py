"""Read a figure's dictionary; what is wrong with it is told by key."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from grader.report.text import clean

_TITLE_CHARS = 160
_LABEL_CHARS = 60
# Rates are sums of floats: they may miss 0 or 1 by rounding.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class Fields:
    """The values below one dictionary. Every method raises a ValueError which names the key it did not like.

    Attributes:
        values: the dictionary.
        owner: what it is part of, for messages.
        path: the keys that lead to it, each followed by a dot.
    """

    values: Mapping[str, Any]
    owner: str
    path: str = ""

    def text(self, key: str) -> str:
        """A text, as one clean line."""
        value = self._get(key)
        if not isinstance(value, str):
            raise self.error(key, "must be a text", value)
        return clean(value, one_line=True, max_line=_TITLE_CHARS)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, each as one clean line."""
        values = self._list(key)
        for index, value in enumerate(values):
            if not isinstance(value, str):
                raise self.error(f"{key}[{index}]", "must be a text", value)
        return tuple(clean(value, one_line=True, max_line=_LABEL_CHARS) for value in values)

    def number(self, key: str) -> float:
        """A finite number."""
        return self._number(key, self._get(key))

    def rate(self, key: str) -> float:
        """A number from 0 to 1."""
        return self._rate(key, self._get(key))

    def numbers(self, key: str, length: int | None = None) -> tuple[float, ...]:
        """A list of finite numbers: so many, or with no length given at least one."""
        return self._read(key, self._number, length)

    def rates(self, key: str, length: int | None = None) -> tuple[float, ...]:
        """A list of numbers from 0 to 1: so many, or with no length given at least one."""
        return self._read(key, self._rate, length)

    def counts(self, key: str, length: int) -> tuple[int, ...]:
        """A list of so many counts."""
        return self._counts(key, self._list(key), length)

    def count_rows(self, key: str, length: int) -> tuple[tuple[int, ...], ...]:
        """A square of counts."""
        rows = self._list(key)
        self._check_length(key, len(rows), length)
        for index, row in enumerate(rows):
            if not isinstance(row, list | tuple):
                raise self.error(f"{key}[{index}]", "must be a list", row)
        return tuple(self._counts(f"{key}[{index}]", row, length) for index, row in enumerate(rows))

    def whole_or_none(self, key: str) -> int | None:
        """A whole number or null."""
        value = self._get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise self.error(key, "must be a whole number or null", value)
        return value

    def interval(self, key: str) -> Interval:
        """An estimate with the two ends of its interval, each from 0 to 1."""
        inner = self.inner(key)
        return Interval(inner.rate("value"), inner.rate("low"), inner.rate("high"))

    def inner(self, key: str) -> Fields:
        """The dictionary below a key."""
        value = self._get(key)
        if not isinstance(value, Mapping):
            raise self.error(key, "must be a dictionary", value)
        return Fields(value, self.owner, f"{self.path}{key}.")

    def inner_or_none(self, key: str) -> Fields | None:
        """The dictionary below a key, None for null."""
        return None if self._get(key) is None else self.inner(key)

    def error(self, key: str, demand: str, *found: object) -> ValueError:
        """The error to raise about a key."""
        received = f", not {found[0]!r:.80}" if found else ""
        return ValueError(f"{self.owner}: {self.path + key!r} {demand}{received}")

    def _get(self, key: str) -> Any:
        if key not in self.values:
            raise self.error(key, "is missing")
        return self.values[key]

    def _list(self, key: str) -> list[Any] | tuple[Any, ...]:
        value = self._get(key)
        if not isinstance(value, list | tuple):
            raise self.error(key, "must be a list", value)
        return value

    def _read(self, key: str, read: Callable[[str, object], float], length: int | None) -> tuple[float, ...]:
        values = tuple(read(f"{key}[{index}]", value) for index, value in enumerate(self._list(key)))
        if not values and length is None:
            raise self.error(key, "must not be empty")
        self._check_length(key, len(values), length)
        return values

    def _number(self, key: str, value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise self.error(key, "must be a finite number", value)
        return float(value)

    def _rate(self, key: str, value: object) -> float:
        rate = self._number(key, value)
        if not -_ROUNDING <= rate <= 1 + _ROUNDING:
            raise self.error(key, "must be from 0 to 1", value)
        return min(max(rate, 0.0), 1.0)

    def _counts(self, key: str, values: list[Any] | tuple[Any, ...], length: int) -> tuple[int, ...]:
        self._check_length(key, len(values), length)
        for index, value in enumerate(values):
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise self.error(f"{key}[{index}]", "must be a count", value)
        return tuple(values)

    def _check_length(self, key: str, found: int, length: int | None) -> None:
        if length is not None and found != length:
            raise self.error(key, f"must have {length} entries, not {found}")
