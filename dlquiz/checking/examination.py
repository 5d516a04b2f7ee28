"""One run of the public tests by pytest, in whatever process this is: what is wanted runs, and each step is told."""

from __future__ import annotations

import contextlib
import io
import os
import re
import textwrap
import time
from collections.abc import Callable, Collection, Generator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from dlquiz.checking.difference import from_error
from dlquiz.testing.judging import Judgement, bare_report, judge
from dlquiz.testing.objects import clean
from dlquiz.testing.plugin import CHECKS, NOT_PASSED, STUDENT
from dlquiz.testing.student import Student, StudentStopped
from dlquiz.testing.verdict import Verdict

MAX_TEXT = 4_000
_PLUGIN = "dlquiz.testing.plugin"


@dataclass(frozen=True)
class Wanted:
    """What is to be run.

    Attributes:
        tests: the file of the tests.
        seed: what the `rng` fixture starts from.
        problems: only the tests of these; none for all.
        done: node ids of tests that were run before, which are collected and not run again.
        not_passed: names of their functions that did not pass.
    """

    tests: Path
    seed: int
    problems: Collection[str] = ()
    done: Collection[str] = ()
    not_passed: Collection[str] = ()


class Examination:
    """A plugin for one run of pytest.

    Args:
        wanted: what is to be run.
        student: makes the value of the `student` fixture.
        own_lines: of an exception's traceback, the student's own lines.
        tell: is called with each event: `collected`, `begin`, `end`, `interrupted` and `fault`.
        during: is entered around each test.
    """

    def __init__(
        self,
        wanted: Wanted,
        *,
        student: Callable[[], Student],
        own_lines: Callable[[BaseException], str],
        tell: Callable[..., None],
        during: Callable[[pytest.Item], AbstractContextManager[object]],
    ) -> None:
        self._wanted = wanted
        self._student = student
        self._own_lines = own_lines
        self._tell = tell
        self._during = during

    def run(self) -> None:
        """Run the tests; whatever becomes of that is told."""
        tests = self._wanted.tests
        words = [
            *(str(tests), "-p", _PLUGIN, "-p", "no:cacheprovider", "-p", "no:faulthandler"),
            *("--capture=no", "--tb=no", "--noconftest", "--import-mode=importlib"),
            *("--rootdir", str(tests.parent), "-c", os.devnull),
            *("-o", "verbosity_assertions=2", "--seed", str(self._wanted.seed)),
        ]
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = pytest.main(words, plugins=[self])
        if status in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
            self._tell(event="fault", message=said.getvalue()[-MAX_TEXT:].strip())

    # From here on: hooks of pytest.

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[STUDENT] = self._student
        config.stash[NOT_PASSED] = {(self._wanted.tests, name) for name in self._wanted.not_passed}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._tell(event="fault", message=report.longreprtext[-MAX_TEXT:])

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        checks = session.config.stash[CHECKS]
        tests, kept = [], []
        for item in session.items:
            check = checks.get(item.nodeid)
            problem = check.problem if check else ""
            if self._wanted.problems and problem not in self._wanted.problems:
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
            if item.nodeid not in self._wanted.done:
                kept.append(item)
        session.items[:] = kept
        self._tell(event="collected", tests=tests)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self._tell(event="interrupted", trace=self._own_lines(excinfo.value)[:MAX_TEXT])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._error: BaseException | None = None
        self._setting_up = False
        self._tell(event="begin", id=item.nodeid)
        started = time.monotonic()
        with self._during(item):
            done = yield
            seconds = time.monotonic() - started
            told = self._judged(item, judge(self._error, asked=not self._setting_up))
        self._tell(event="end", id=item.nodeid, seconds=round(seconds, 4), **told)
        return done

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        if call.excinfo is not None and self._error is None:
            self._error, self._setting_up = call.excinfo.value, call.when == "setup"
            self._info = call.excinfo
        return bare_report(item, call)

    def _judged(self, item: pytest.Item, judgement: Judgement) -> dict[str, object]:
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
            told["trace"] = self._without_the_tests(self._own_lines(self._error))
        elif isinstance(self._error, StudentStopped):
            told["trace"] = self._without_the_tests(self._own_lines(self._error))[:MAX_TEXT]
        elif judgement.verdict is Verdict.FAILED and not judgement.message:
            difference = from_error(self._error)
            if difference is not None:
                told["difference"] = asdict(difference)
            else:
                told["message"] = clean(_words(self._error))[:MAX_TEXT]
        return told

    def _without_the_tests(self, lines: str) -> str:
        """The tests may lie in the student's folder, and are not the student's lines."""
        own = (part for part in re.split(r"\n(?! )", lines) if not part.startswith(self._wanted.tests.name))
        return "\n".join(own)


def _where(info: pytest.ExceptionInfo[BaseException], path: Path) -> tuple[int, str]:
    """The suite's own statement that raised: its first line's number and its text."""
    entries = [entry for entry in info.traceback if Path(entry.path) == path]
    statement = textwrap.dedent(str(entries[-1].statement)).strip()
    return entries[-1].lineno + 1, statement[:MAX_TEXT]


def _words(error: BaseException) -> str:
    text = str(error)
    silent = re.match(r"DID NOT RAISE (?:any of )?(?:<class ')?([\w.]+)", text)
    return f"expected {silent[1].rpartition('.')[2]} to be raised, and nothing was" if silent else text
