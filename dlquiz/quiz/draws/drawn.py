"""What a drawing gives, and the list of all drawings."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import dlquiz.quiz.draws

Value = int | float | str
Drawing = Callable[[random.Random], "Drawn"]


@dataclass(frozen=True)
class Drawn:
    """The numbers of one posing of an item.

    Attributes:
        values: what the item's question and explanation may name in braces.
        answer: the right answer, in the item's unit.
        mistakes: answers that typical errors lead to, each with what to say of it.
    """

    values: Mapping[str, Value]
    answer: int | float
    mistakes: tuple[tuple[int | float, str], ...] = ()


DRAWINGS: dict[str, Drawing] = {}


def drawing(name: str) -> Callable[[Drawing], Drawing]:
    """Register a function under the name that items give as `draw`.

    Raises:
        ValueError: another function has the name.
    """

    def register(function: Drawing) -> Drawing:
        if name in DRAWINGS:
            raise ValueError(f"two drawings are named {name!r}")
        DRAWINGS[name] = function
        return function

    return register


@functools.cache
def drawings() -> Mapping[str, Drawing]:
    """Every drawing by its name, from all modules beside this one."""
    for module in pkgutil.iter_modules(dlquiz.quiz.draws.__path__):
        importlib.import_module(f"dlquiz.quiz.draws.{module.name}")
    return MappingProxyType(DRAWINGS)
