"""Check what a notebook has defined, in the notebook's own process."""

from __future__ import annotations

import builtins
import contextlib
import io
import linecache
import os
import random
import re
import secrets
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from keyword import iskeyword
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, NoReturn
from unittest import mock

import numpy as np
import pytest

from dlquiz import handouts
from dlquiz.checking import report
from dlquiz.checking.examination import Examination, Wanted
from dlquiz.checking.forbidden import Scan, find_forbidden
from dlquiz.checking.outcome import Outcome
from dlquiz.handouts import Handout, HandoutError
from dlquiz.notebooks.report import Checked
from dlquiz.progress import Progress
from dlquiz.testing.direct import DirectChannel
from dlquiz.testing.objects import clean
from dlquiz.testing.student import Student, StudentStopped
from dlquiz.testing.verdict import Verdict

MAX_OUTPUT = 10_000
MAX_FRAMES = 12
REPEAT_SECONDS = 0.1
_INTERRUPTED = "the check was interrupted here"
_NOT_RUN = "not run, since the check was interrupted"
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
# IPython 7, as Colab has it, puts the number into the name of the cell's file.
_OLD_CELL = re.compile(r"<ipython-input-(\d+)-")


def check_namespace(
    slug: str,
    namespace: dict[str, Any],
    *,
    problems: str | Sequence[str] = (),
    seed: int | None = None,
    timeout: float = 20.0,
) -> Checked:
    """Run an assignment's public tests against the names of `namespace`; see `dlquiz.check`."""
    handout = handouts.find(slug)
    wanted = [problems] if isinstance(problems, str) else list(problems)
    handout.require_problems(wanted)
    if not timeout > 0:
        raise HandoutError(f"timeout is a number of seconds above 0, not {timeout!r}")
    drawn = secrets.randbelow(2**31) if seed is None else seed
    started = time.monotonic()
    outcomes = _Run(handout, namespace, wanted, drawn, timeout).outcomes()
    seconds = time.monotonic() - started
    found = Checked(
        handout,
        tuple(report.parts(handout, outcomes, wanted)),
        _forbidden(namespace, handout.forbidden),
        drawn,
        seconds,
        bool(wanted),
    )
    if not wanted:
        _remember(found)
    return found


class _Run:
    """One run of the public tests."""

    def __init__(
        self, handout: Handout, namespace: dict[str, Any], problems: list[str], seed: int, timeout: float
    ) -> None:
        self._handout = handout
        self._namespace = namespace
        self._wanted = Wanted(handouts.public_tests(handout.slug), seed, problems)
        self._timeout = timeout
        self._tests: dict[str, dict[str, str]] = {}
        self._ends: dict[str, dict[str, Any]] = {}
        self._printed: dict[str, _Printed] = {}
        self._running = ""
        self._stopped_at = ""
        self._faults: list[str] = []

    def outcomes(self) -> list[Outcome]:
        """What became of each test.

        Raises:
            HandoutError: the tests cannot be run, or there are none.
        """
        module = ModuleType(Path(self._handout.submit[0]).stem)
        vars(module).update(
            {name: value for name, value in self._namespace.items() if not name.startswith("_")}
        )
        channel = _Channel(module, self._own_lines)
        with _seeded(self._wanted.seed), _alone(self._wanted.tests):
            Examination(
                self._wanted,
                student=lambda: _Notebook(channel),
                own_lines=self._own_lines,
                tell=self._tell,
                during=self._during,
            ).run()
        if self._faults:
            raise HandoutError(f"the public tests cannot be used: {self._faults[0]}")
        if not self._tests:
            where = ", ".join(self._wanted.problems) or self._handout.slug
            raise HandoutError(f"there are no public tests of {where}")
        return [self._outcome(name) for name in self._tests]

    def _outcome(self, name: str) -> Outcome:
        here = name == self._running
        end = self._ends.get(name) or {
            "verdict": Verdict.SKIPPED,
            "message": _INTERRUPTED if here else _NOT_RUN,
            "trace": self._stopped_at if here else "",
        }
        printed = self._printed.get(name)
        return Outcome.told(self._tests[name], end, printed.getvalue() if printed else "")

    def _tell(self, **event: Any) -> None:
        match event:
            case {"event": "collected", "tests": tests}:
                self._tests = {test["id"]: test for test in tests}
            case {"event": "begin", "id": name}:
                self._running = name
                self._printed[name] = _Printed()
            case {"event": "end", "id": name}:
                self._ends[name] = event
                self._running = ""
            case {"event": "interrupted", "trace": trace}:
                self._stopped_at = trace
            case {"event": "fault", "message": message}:
                self._faults.append(message)

    @contextlib.contextmanager
    def _during(self, item: pytest.Item) -> Iterator[None]:
        printed = self._printed[item.nodeid]
        code = getattr(getattr(item, "function", None), "__code__", None)
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            mock.patch.object(builtins, "input", _no_input),
            _ends_the_program(self._namespace),
            _time_limit(self._timeout, code),
        ):
            yield

    def _own_lines(self, error: BaseException) -> str:
        """The lines of the traceback that lie in cells, innermost last."""
        lines = []
        for frame, number in traceback.walk_tb(error.__traceback__):
            if frame.f_globals is self._namespace:
                code = frame.f_code
                source = linecache.getline(code.co_filename, number, frame.f_globals).strip()
                lines.append(
                    f"{_cell(code.co_filename)}, line {number}, in {code.co_name}\n    {source}".rstrip()
                )
        if len(lines) > MAX_FRAMES:
            lines[MAX_FRAMES // 2 : -MAX_FRAMES // 2] = [f"... {len(lines) - MAX_FRAMES} more calls ..."]
        return clean("\n".join(lines))


class _Channel(DirectChannel):
    """Reaches the names of a notebook; the student's own lines are those of its cells."""

    def __init__(self, module: ModuleType, own_lines: Any) -> None:
        super().__init__(module, Path(os.devnull))
        self._own_lines = own_lines

    def describe(self, error: BaseException) -> dict[str, object]:
        return {**super().describe(error), "traceback": self._own_lines(error)}


class _Notebook(Student):
    """The notebook's names, as a suite sees them."""

    __slots__ = ()

    def _absent(self, name: str) -> str:
        return f"this notebook has not defined `{name}` yet: run the cell that does"


class _Printed(io.StringIO):
    """Keeps what a test prints, up to `MAX_OUTPUT` characters."""

    def write(self, text: str) -> int:
        left = MAX_OUTPUT - self.tell()
        if left > 0:
            super().write(text if len(text) <= left else f"{text[:left]}\n... (cut)")
        return len(text)


def _cell(file: str) -> str:
    """The words for the cell that IPython keeps under a file's name, or for a file."""
    if old := _OLD_CELL.match(file):
        return f"cell In[{old[1]}]"
    if "IPython" in sys.modules:
        with contextlib.suppress(Exception):
            kind, number = sys.modules["IPython"].get_ipython().compile.format_code_name(file)
            return f"{kind.lower()} {number}"
    return Path(file).name if os.path.isfile(file) else "a cell"


def _forbidden(namespace: dict[str, Any], names: Sequence[str]) -> dict[str, Scan]:
    """Where the cells that the notebook's functions come from use what is forbidden, by the words for the cell."""
    files = dict.fromkeys(
        code.co_filename for value in list(namespace.values()) for code in _codes(value, namespace)
    )
    # Imports may stand in cells of their own. The scan does not mind their order.
    imports = [text for name, value in list(namespace.items()) if (text := _import(name, value))]
    found = {}
    for file in files:
        cell = linecache.getlines(file)
        scan = find_forbidden("\n".join([*(line.rstrip("\n") for line in cell), *imports]), names)
        uses = tuple(use for use in scan.uses if use.line <= len(cell))
        if uses or scan.problem:
            found[_cell(file)] = replace(scan, uses=uses)
    return found


def _codes(value: Any, namespace: dict[str, Any]) -> Iterator[CodeType]:
    """The code of a function of the namespace's, or of the methods of a class."""
    if isinstance(value, type) and value.__module__ == namespace.get("__name__"):
        for inner in vars(value).values():
            if isinstance(inner, FunctionType):
                yield inner.__code__
    elif isinstance(value, FunctionType) and value.__globals__ is namespace:
        yield value.__code__


def _import(name: str, value: Any) -> str:
    """A statement that binds a name to a library, or to a part of one."""
    words: tuple[str, ...]
    if isinstance(value, ModuleType):
        words, text = (value.__name__, name), f"import {value.__name__} as {name}"
    else:
        module, own = getattr(value, "__module__", None), getattr(value, "__name__", None)
        words, text = (str(module), str(own), name), f"from {module} import {own} as {name}"
    usual = all(_DOTTED.fullmatch(word) and not iskeyword(word) for word in words)
    return text if usual else ""


@contextlib.contextmanager
def _time_limit(seconds: float, code: CodeType | None) -> Iterator[None]:
    """End what the function of `code` has called when it takes longer, where the platform can."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_: int, frame: FrameType | None) -> None:
        # pytest's own code must not be cut short
        while frame is not None:
            if frame.f_code is code:
                raise StudentStopped(Verdict.TIMEOUT, f"no answer within {seconds:g} s")
            frame = frame.f_back

    before = signal.signal(signal.SIGALRM, stop)
    started = time.monotonic()
    # again and again: a bare `except` may swallow the first
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, REPEAT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if before is None else before)
        if left:
            rest = max(left - (time.monotonic() - started), 0.001)
            signal.setitimer(signal.ITIMER_REAL, rest, interval)


@contextlib.contextmanager
def _ends_the_program(namespace: dict[str, Any]) -> Iterator[None]:
    """IPython's own `exit` and `quit` would end the kernel: meanwhile they do what Python's do."""
    own = {
        name: namespace[name]
        for name in ("exit", "quit")
        if type(namespace.get(name)).__module__.startswith("IPython.")
    }
    namespace.update(dict.fromkeys(own, sys.exit))
    try:
        yield
    finally:
        namespace.update(own)


def _no_input(*_: object) -> NoReturn:
    raise EOFError("a test gives no input")


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Start the libraries' generators from the seed; Python's and NumPy's go on afterwards as if nothing had been."""
    states = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


@contextlib.contextmanager
def _alone(tests: Path) -> Iterator[None]:
    """Keep pytest from the user's settings and plugins, and this process from what pytest leaves behind."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    held = sys.modules.pop(tests.stem, None)
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "dont_write_bytecode", True),
    ):
        try:
            yield
        finally:
            # another assignment's tests have the same name, and would be taken from here
            sys.modules.pop(tests.stem, None)
            if held is not None:
                sys.modules[tests.stem] = held


def _remember(checked: Checked) -> None:
    """As a check in the terminal does, where the notebook lies in the assignment's folder."""
    here = Path(".")
    with contextlib.suppress(HandoutError, OSError):
        if handouts.read_folder(here).slug == checked.handout.slug:
            Progress().checked(checked.handout.slug, here, checked.passed, checked.total)
