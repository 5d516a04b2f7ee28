"""The pytest plugin: markers, the `student` and `rng` fixtures, and points at the end of a run.

In plain pytest `student` is the module itself, imported into this process (direct mode). The grader's referee puts its
own channel to the confined worker in the configuration's stash instead.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dlquiz.testing.budget import Budget, read_budget
from dlquiz.testing.checks import MARKERS, Check, function_name, generator, read_checks
from dlquiz.testing.evidence import EVIDENCE, Award, Evidence

if TYPE_CHECKING:
    import numpy as np

    from dlquiz.testing.direct import DirectChannel
    from dlquiz.testing.student import Student

SEED = pytest.StashKey[int]()
CHECKS = pytest.StashKey[dict[str, Check]]()
NOT_PASSED = pytest.StashKey[set[tuple[Path, str]]]()
CREDITS = pytest.StashKey[dict[str, float]]()
BUDGET = pytest.StashKey[Budget]()
STUDENT = pytest.StashKey[Callable[[], "Student"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the direct mode."""
    group = parser.getgroup("dlquiz")
    group.addoption(
        "--student", metavar="PATH", help="the file, or the folder with the file, that a suite tests"
    )
    group.addoption(
        "--seed", type=int, help="seed of the `rng` fixture (default: drawn, and shown at the top)"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers and settle the seed."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    seed = config.getoption("seed", None)
    config.stash[SEED] = secrets.randbelow(2**31) if seed is None else seed
    config.stash[CHECKS] = {}
    config.stash[NOT_PASSED] = set()
    config.stash[CREDITS] = {}


def pytest_report_header(config: pytest.Config) -> str:
    """Show the seed, so that a run can be repeated."""
    return f"dlquiz: --seed {config.stash[SEED]}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Read the markers once."""
    config.stash[CHECKS].update(read_checks(items))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose prerequisite did not pass."""
    check = item.config.stash[CHECKS].get(item.nodeid)
    for name in check.needs if check else ():
        if (item.path, name) in item.config.stash[NOT_PASSED]:
            pytest.skip(f"needs {name}, which did not pass")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> object:
    """Remember what did not pass, and what each test earns."""
    report = yield
    check = item.config.stash[CHECKS].get(item.nodeid)
    if check is None:
        return report
    from dlquiz.testing.judging import judge

    credits = item.config.stash[CREDITS]
    if call.excinfo is not None:
        credits[item.nodeid] = judge(call.excinfo.value, asked=call.when == "call").credit
        item.config.stash[NOT_PASSED].add((item.path, function_name(item)))
    elif call.when == "call":
        credits[item.nodeid] = 1.0
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Points by problem, when the suite carries any."""
    checks = config.stash[CHECKS]
    totals: dict[str, list[float]] = {}
    for nodeid, credit in config.stash[CREDITS].items():
        earned, possible = totals.setdefault(checks[nodeid].problem, [0.0, 0.0])
        points = checks[nodeid].points
        totals[checks[nodeid].problem] = [earned + points * credit, possible + points]
    if any(possible for _, possible in totals.values()):
        terminalreporter.section("points")
        for problem, (earned, possible) in totals.items():
            terminalreporter.line(f"{problem:<32} {earned:6.2f} / {possible:.2f}")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A random generator of the test's own: the run's seed and the test's name decide it."""
    return generator(request.config.stash[SEED], request.node.name)


@pytest.fixture
def award(request: pytest.FixtureRequest) -> Callable[..., Award]:
    """Give part of the test's points by a measured quality: see `dlquiz.testing.evidence.Evidence.award`."""
    return _evidence(request).award


@pytest.fixture
def exhibit(request: pytest.FixtureRequest) -> Callable[[dict[str, Any]], None]:
    """Put a picture into the result: see `dlquiz.testing.evidence.Evidence.exhibit`."""
    return _evidence(request).exhibit


def _evidence(request: pytest.FixtureRequest) -> Evidence:
    stash: pytest.Stash = request.node.stash
    return stash.setdefault(EVIDENCE, Evidence())


@pytest.fixture
def budget(request: pytest.FixtureRequest) -> Budget:
    """What one submission may use, as the assignment's manifest says: see `dlquiz.testing.budget.Budget`."""
    given = request.config.stash.get(BUDGET, None)
    return given or read_budget(request.path)


@pytest.fixture
def student(request: pytest.FixtureRequest) -> Iterator[Student]:
    """The student's module: see `dlquiz.testing.student.Student`. Nothing at all equals no number meanwhile."""
    from dlquiz.testing.emptiness import empty_equals_nothing

    make = request.config.stash.get(STUDENT, None)
    with empty_equals_nothing():
        yield make() if make else _direct_student(request)


def _direct_student(request: pytest.FixtureRequest) -> Student:
    from dlquiz.testing.direct import DirectChannel, load_module
    from dlquiz.testing.student import Student

    path = find_student(request.path, request.config.getoption("student"))
    cache: dict[Path, DirectChannel] = request.config.stash.setdefault(_MODULES, {})
    if path not in cache:
        cache[path] = DirectChannel(load_module(path), path.parent)
    return Student(cache[path])


_MODULES: pytest.StashKey[dict[Path, DirectChannel]] = pytest.StashKey()


def find_student(suite: Path, given: str | None) -> Path:
    """The file that `suite` tests: the one given, else beside the suite, else the solution.

    Raises:
        pytest.UsageError: there is none, or it cannot be told which.
    """
    if given and Path(given).is_file():
        return Path(given).resolve()
    folders = [Path(given)] if given else [suite.parent, suite.parent.parent / "solution"]
    for folder in folders:
        if (named := _named_in_handout(folder)) is not None:
            return named.resolve()
        files = [
            path for path in sorted(folder.glob("*.py")) if not path.name.startswith(("test_", "conftest"))
        ]
        if len(files) == 1:
            return files[0].resolve()
        if files:
            names = ", ".join(path.name for path in files)
            raise pytest.UsageError(f"{folder} holds {names}: say which is meant with --student FILE")
    looked = " and ".join(str(folder) for folder in folders)
    raise pytest.UsageError(f"no student's file found in {looked}: name it with --student FILE")


def _named_in_handout(folder: Path) -> Path | None:
    """The file that the `assignment.json` of a started assignment names first, where that is there."""
    try:
        first = json.loads((folder / "assignment.json").read_text(encoding="utf-8"))["submit"][0]
        path = folder / str(first)
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
    return path if path.is_file() else None
