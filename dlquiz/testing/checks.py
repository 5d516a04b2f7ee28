"""What a suite's markers say about its tests."""

from __future__ import annotations

import hashlib
import inspect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

MARKERS = (
    "problem(name, points): the problem a test belongs to and the points it carries (none in public tests)",
    "hint(text): what a student is told when the test fails",
    "needs(*functions): skip unless these tests of the same file passed",
)


@dataclass(frozen=True)
class Check:
    """One test as a suite declares it. A parametrized function's points are shared evenly by its cases."""

    name: str
    function: str
    problem: str
    points: float
    title: str
    hint: str
    needs: tuple[str, ...]


def read_checks(items: Sequence[pytest.Item]) -> dict[str, Check]:
    """The checks of the collected tests that name a problem, by node id.

    Raises:
        pytest.UsageError: a test has two problems, or a marker without its argument.
    """
    cases = Counter((item.path, function_name(item)) for item in items)
    checks = {}
    for item in items:
        problems = list(item.iter_markers("problem"))
        if len(problems) > 1:
            raise pytest.UsageError(
                f"{item.nodeid}: a test belongs to one problem, this one names {len(problems)}"
            )
        if not problems:
            continue
        if len(problems[0].args) != 1:
            raise pytest.UsageError(f'{item.nodeid}: write @pytest.mark.problem("name", points=...)')
        function = function_name(item)
        hint = item.get_closest_marker("hint")
        needs = tuple(str(name) for marker in item.iter_markers("needs") for name in marker.args)
        document = inspect.getdoc(getattr(item, "function", None)) or ""
        checks[item.nodeid] = Check(
            name=item.name,
            function=function,
            problem=str(problems[0].args[0]),
            points=float(problems[0].kwargs.get("points", 0)) / cases[item.path, function],
            title=document.partition("\n")[0],
            hint=str(hint.args[0]) if hint and hint.args else "",
            needs=needs,
        )
    return checks


def function_name(item: pytest.Item) -> str:
    """The name of the test's function, without the case of a parametrized one."""
    return getattr(item, "originalname", None) or item.name


def generator(seed: int, name: str) -> np.random.Generator:
    """The random generator of one test: the run's seed and the test's name decide it."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))
