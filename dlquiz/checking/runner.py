"""The child process of a check: `python -m dlquiz.checking.runner` runs the public tests of one folder.

It reads one JSON line of orders, and tells what happens as JSON lines on the descriptor that was its standard output.
Everything that code prints goes elsewhere: text of Python's into those lines, bounded for each test, and what is
written past Python to standard error. It ends when its standard input closes, so it outlives no parent.
"""

from __future__ import annotations

import ast
import contextlib
import faulthandler
import importlib
import io
import json
import os
import random
import re
import sys
import textwrap
import threading
import time
import traceback
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, cast

import pytest

from dlquiz.checking.difference import from_error
from dlquiz.testing.direct import DirectChannel, load_module
from dlquiz.testing.judging import Judgement, bare_report, judge
from dlquiz.testing.objects import clean, describe
from dlquiz.testing.plugin import CHECKS, NOT_PASSED, STUDENT
from dlquiz.testing.student import Student
from dlquiz.testing.verdict import Verdict

MAX_OUTPUT = 10_000
MAX_TEXT = 4_000
MAX_FRAMES = 6
_HEAVY = frozenset("keras tensorflow torch jax numpy pandas sklearn scipy matplotlib cv2 PIL skimage".split())
_PLUGIN = "dlquiz.testing.plugin"


class _Wire:
    """Sends one JSON line at a time, whatever thread it comes from."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._lock = threading.Lock()

    def send(self, **message: object) -> None:
        line = memoryview(json.dumps(message).encode() + b"\n")
        with self._lock:
            while line:
                line = line[self._file.write(line) :]


class _Printed(io.RawIOBase):
    """Sends what a test prints, up to `MAX_OUTPUT` bytes a test."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire
        self.left = MAX_OUTPUT

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        given = bytes(data)
        if self.left > 0 and given:
            text = given[: self.left].decode(errors="replace")
            self._wire.send(event="output", text=text + ("" if len(given) <= self.left else "\n... (cut)"))
            self.left -= len(given)
        return len(given)


def main() -> None:
    """Carry out the orders on standard input."""
    wire, orders = _take_over()
    order = json.loads(orders.readline())
    threading.Thread(target=_end_with_the_parent, args=(orders,), daemon=True).start()
    printed = _Printed(wire)
    # One for all tests: the student's code may keep it, as a logging handler does.
    sys.stdout = sys.stderr = io.TextIOWrapper(
        cast(IO[bytes], printed), "utf-8", "replace", write_through=True
    )
    _Check(order, wire, printed).run()
    wire.send(event="done")


def _take_over() -> tuple[_Wire, IO[bytes]]:
    """The connection to the parent, put out of the way of the code to be checked."""
    wire, orders = _Wire(os.dup(1)), os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    faulthandler.enable(file=2)
    return wire, orders


def _end_with_the_parent(orders: IO[bytes]) -> None:
    orders.read()
    os._exit(1)


class _Check:
    """One run of the public tests."""

    def __init__(self, order: dict[str, Any], wire: _Wire, printed: _Printed) -> None:
        self._order = order
        self._wire = wire
        self._printed = printed
        self._folder = Path(order["folder"])
        self._text = sys.stdout
        self._pytest_said = io.StringIO()

    def run(self) -> None:
        self._wire.send(event="phase", phase="libraries")
        for library in self._libraries():
            with contextlib.suppress(Exception):
                importlib.import_module(library)
        sys.dont_write_bytecode = True
        self._wire.send(event="phase", phase="module")
        if not self._load():
            return
        self._wire.send(event="phase", phase="tests")
        words = [
            str(self._folder / self._order["tests"]),
            *("-p", _PLUGIN, "-p", "no:cacheprovider", "-p", "no:faulthandler", "--capture=no", "--tb=no"),
            *("--noconftest", "--import-mode=importlib", "--rootdir", str(self._folder), "-c", os.devnull),
            *("-o", "verbosity_assertions=2", "--seed", str(self._order["seed"])),
        ]
        with contextlib.redirect_stdout(self._pytest_said), contextlib.redirect_stderr(self._pytest_said):
            status = pytest.main(words, plugins=[self])
        if status in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
            self._wire.send(event="fault", message=self._pytest_said.getvalue()[-MAX_TEXT:].strip())

    def _libraries(self) -> list[str]:
        """What the files import that takes its time, so that no test's time limit pays for it."""
        names = set()
        for name in [*self._order["submit"], self._order["tests"]]:
            with contextlib.suppress(OSError, ValueError, SyntaxError, RecursionError, MemoryError):
                for node in ast.walk(ast.parse((self._folder / name).read_bytes())):
                    if isinstance(node, ast.Import):
                        names |= {alias.name.partition(".")[0] for alias in node.names}
                    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                        names.add(node.module.partition(".")[0])
        return sorted(names & _HEAVY)

    def _load(self) -> bool:
        """Import the student's module; whether that went well."""
        # At the end: a student's random.py must not stand in for the library's.
        sys.path.append(str(self._folder))
        self._seed()
        try:
            with self._watched():
                module = load_module(self._folder / self._order["submit"][0])
        except BaseException as error:
            told = describe(error, str(self._folder))
            message = f"{told['type']}: {told['message']}".removesuffix(": ")
            self._wire.send(event="unimportable", message=message[:MAX_TEXT], trace=told["traceback"])
            return False
        self._channel = DirectChannel(module, self._folder)
        return True

    def _seed(self) -> None:
        seed = self._order["seed"]
        random.seed(seed)
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed(seed)
        if "keras" in sys.modules:
            sys.modules["keras"].utils.set_random_seed(seed)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Shortly before the parent's patience ends, say where the code is."""
        timer = threading.Timer(self._order["timeout"] * 0.9, self._tell_place)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _tell_place(self) -> None:
        frame = sys._current_frames().get(threading.main_thread().ident or 0)
        lines = [
            f"{Path(place.filename).name}, line {place.lineno}, in {place.name}\n    {place.line or ''}".rstrip()
            for place in traceback.extract_stack(frame)
            if Path(place.filename).parent == self._folder
            and Path(place.filename).name != self._order["tests"]
        ]
        self._wire.send(event="place", trace=clean("\n".join(lines[-MAX_FRAMES:]))[:MAX_TEXT])

    # From here on: hooks of pytest.

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[STUDENT] = lambda: Student(self._channel)
        path = self._folder / self._order["tests"]
        config.stash[NOT_PASSED] = {(path, name) for name in self._order["not_passed"]}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._wire.send(event="fault", message=report.longreprtext[-MAX_TEXT:])

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        checks = session.config.stash[CHECKS]
        wanted, done = self._order["problems"], set(self._order["done"])
        tests, kept = [], []
        for item in session.items:
            check = checks.get(item.nodeid)
            problem = check.problem if check else ""
            if wanted and problem not in wanted:
                continue
            title = check.title if check else ""
            case = item.name.partition("[")[2].removesuffix("]")
            tests.append(
                {
                    "id": item.nodeid,
                    "name": item.name,
                    "function": check.function if check else item.name,
                    "problem": problem,
                    "title": (title or item.name) + (f" [{case}]" if case and title else ""),
                    "hint": check.hint if check else "",
                }
            )
            if item.nodeid not in done:
                kept.append(item)
        session.items[:] = kept
        self._wire.send(event="collected", tests=tests)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._error: BaseException | None = None
        self._setting_up = False
        self._printed.left = MAX_OUTPUT
        self._wire.send(event="begin", id=item.nodeid)
        started = time.monotonic()
        with (
            contextlib.redirect_stdout(self._text),
            contextlib.redirect_stderr(self._text),
            self._watched(),
        ):
            done = yield
            seconds = time.monotonic() - started
            told = self._tell(item, judge(self._error, asked=not self._setting_up))
        self._wire.send(event="end", id=item.nodeid, seconds=round(seconds, 4), **told)
        return done

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        if call.excinfo is not None and self._error is None:
            self._error, self._setting_up = call.excinfo.value, call.when == "setup"
            self._info = call.excinfo
        return bare_report(item, call)

    def _tell(self, item: pytest.Item, judgement: Judgement) -> dict[str, object]:
        """The verdict of a finished test with everything that explains it."""
        told: dict[str, object] = {
            "verdict": judgement.verdict,
            "message": clean(judgement.message[:MAX_TEXT]),
        }
        told |= {"trace": judgement.trace[:MAX_TEXT], "line": 0, "source": "", "difference": None}
        if self._error is None or judgement.verdict is Verdict.SKIPPED:
            return told
        with contextlib.suppress(Exception):
            line, source = _where(self._info, item.path)
            told |= {"line": line, "source": clean(source)}
        if isinstance(self._error, SystemExit):
            told["verdict"] = Verdict.CRASHED
            told["message"] = "your code ended the program (sys.exit, exit or quit)"
            lines = str(describe(self._error, str(self._folder))["traceback"])
            told["trace"] = "\n".join(
                part for part in re.split(r"\n(?! )", lines) if not part.startswith(self._order["tests"])
            )
        elif judgement.verdict is Verdict.FAILED and not judgement.message:
            difference = from_error(self._error)
            if difference is not None:
                told["difference"] = asdict(difference)
            else:
                told["message"] = clean(_words(self._error))[:MAX_TEXT]
        return told


def _where(info: pytest.ExceptionInfo[BaseException], path: Path) -> tuple[int, str]:
    """The suite's own statement that raised: its first line's number and its text."""
    entries = [entry for entry in info.traceback if Path(entry.path) == path]
    statement = textwrap.dedent(str(entries[-1].statement)).strip()
    return entries[-1].lineno + 1, statement[:MAX_TEXT]


def _words(error: BaseException) -> str:
    text = str(error)
    silent = re.match(r"DID NOT RAISE (?:any of )?(?:<class ')?([\w.]+)", text)
    return f"expected {silent[1].rpartition('.')[2]} to be raised, and nothing was" if silent else text


if __name__ == "__main__":
    main()
