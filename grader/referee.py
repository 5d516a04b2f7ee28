"""The referee: runs one hidden suite against one worker and decides. Trusted; it imports no byte of a student's."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
import traceback
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from dlquiz.testing.budget import Budget
from dlquiz.testing.checks import Check
from dlquiz.testing.evidence import EVIDENCE, Evidence
from dlquiz.testing.judging import Judgement, bare_report, judge
from dlquiz.testing.plugin import BUDGET, CHECKS, NOT_PASSED, SEED, STUDENT
from dlquiz.testing.student import GraderFault, Student
from dlquiz.testing.verdict import Verdict
from grader.engine import messages
from grader.engine.zygote import RuntimeStarted, Zygote
from grader.remote.channel import RemoteChannel
from grader.sandbox import confine

MAX_DETAIL = 8_000
MAX_SHOWN = 4_000


def serve_suite(control: socket.socket, suite: Path, slug: str) -> None:
    """Collect `suite` once, then fork a referee for every submission.

    Answers `{"ready": true}` and, on request, the checks; or `{"error": text}` when the suite cannot be collected.
    """
    plugin = _Suite(control, slug)
    arguments = [
        "-p",
        "no:terminal",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:timeout",
        "-p",
        "no:hypothesispytest",
    ]
    arguments += ["-c", os.devnull, "--rootdir", str(suite.parent), "--import-mode=importlib", "--capture=no"]
    status = pytest.main([*arguments, str(suite)], plugins=[plugin])
    if not plugin.collected:
        text = "\n".join(plugin.failures) or f"pytest could not collect it (exit status {int(status)})"
        messages.send(control, {"error": f"{suite}: {text}"[:MAX_DETAIL]})


class _Suite:
    """Takes the place of pytest's loop over the tests: that loop runs in the forks."""

    def __init__(self, control: socket.socket, slug: str) -> None:
        self.failures: list[str] = []
        self.collected = False
        self._control = control
        self._slug = slug

    @pytest.hookimpl(wrapper=True)
    def pytest_collection_modifyitems(self) -> Generator[None, None, None]:
        """Keep what is wrong with a marker."""
        try:
            yield
        except pytest.UsageError as error:
            self.failures.append(str(error))
            raise

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what went wrong in collection."""
        if report.failed:
            self.failures.append(report.longreprtext)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Serve as a zygote of referees."""
        if self.failures:
            return True
        checks = session.config.stash[CHECKS]
        unmarked = [item.nodeid for item in session.items if not checks.get(item.nodeid)]
        if unmarked or not session.items:
            self.failures.append(
                f"tests without @pytest.mark.problem: {', '.join(unmarked) or 'no tests at all'}"
            )
            return True

        def referee(args: dict[str, Any], descriptors: list[int]) -> None:
            confine.prctl(1, signal.SIGKILL)
            Referee(session, messages.adopt(descriptors[0]), args).run()

        def describe(args: dict[str, Any], descriptors: list[int]) -> None:
            end = messages.adopt(descriptors[0])
            for item in session.items:
                messages.send(end, {"check": vars(checks[item.nodeid])})

        try:
            Zygote(self._control, {"referee": referee, "describe": describe}).run()
        except RuntimeStarted as error:
            self.failures.append(str(error))
            return True
        self.collected = True
        return True


class Referee:
    """Runs the collected tests for one submission and sends each test's result to the parent as it is known."""

    def __init__(self, session: pytest.Session, parent: socket.socket, args: dict[str, Any]) -> None:
        self._session = session
        self._parent = parent
        self._args = args
        self._error: BaseException | None = None
        self._detail = ""

    def run(self) -> None:
        """Wait for the word to start, run every test, say that it is done."""
        job, _ = messages.receive(self._parent)
        config = self._session.config
        config.stash[SEED] = job["seed"]
        config.stash[NOT_PASSED] = set()
        config.stash[BUDGET] = Budget(**self._args["budget"])
        channel = RemoteChannel(
            self,
            self._args["module"],
            job["seed"],
            self._args["budget"]["call_seconds"],
            self._args["budget"]["seconds"],
            job["forbidden"],
        )
        config.stash[STUDENT] = lambda: Student(channel)
        config.pluginmanager.register(self)
        with contextlib.suppress(GraderFault):  # each test meets it again and says so
            channel.load()
        names, checks = job["tests"], config.stash[CHECKS]
        items = [item for item in self._session.items if not names or checks[item.nodeid].name in names]
        for item, following in zip(items, [*items[1:], None], strict=True):
            self._test(channel, item, following)
        messages.send(self._parent, {"done": True, **_import_report(channel)})

    def _test(self, channel: RemoteChannel, item: pytest.Item, following: pytest.Item | None) -> None:
        self._error, self._detail = None, ""
        channel.begin_test()
        started = time.monotonic()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        seconds = time.monotonic() - started
        evidence = item.stash.get(EVIDENCE, Evidence())
        # Even a suite that catches everything does not outvote the worker's end.
        error = channel.stopped or channel.callback_failure or self._error or evidence.shortfall
        judgement = judge(error, channel.asked)
        check = item.config.stash[CHECKS][item.nodeid]
        if judgement.verdict is Verdict.SKIPPED and not _prerequisite_failed(item, check):
            judgement = Judgement(Verdict.GRADER_ERROR, f"the suite skipped itself: {judgement.message}")
        if channel.callback_failure is not None:
            self._detail = _where(item, channel.callback_failure)
        channel.end_test()
        messages.send(
            self._parent,
            {
                "name": check.name,
                "verdict": judgement.verdict,
                "message": judgement.message[:MAX_SHOWN],
                "detail": self._detail[:MAX_DETAIL] if judgement.verdict is not Verdict.PASSED else "",
                "traceback": judgement.trace[:MAX_SHOWN],
                "output": channel.take_output()[:MAX_SHOWN],
                "seconds": round(seconds, 4),
                "credit": judgement.credit,
                "reason": evidence.reason[:MAX_SHOWN],
                "figures": evidence.figures,
            },
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        """Keep the first thing that a test raised."""
        if call.excinfo is not None and self._error is None:
            self._error = call.excinfo.value
            self._detail = _where(item, call.excinfo.value)
        return bare_report(item, call)

    def start_worker(self) -> socket.socket:
        """Ask the parent for a worker."""
        messages.send(self._parent, {"ask": "worker"})
        answer, descriptors = messages.receive(self._parent)
        if not descriptors:
            raise GraderFault(answer.get("error", "no worker could be started"))
        return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=descriptors[0])

    def stop_worker(self) -> None:
        """Have the parent kill the worker."""
        messages.send(self._parent, {"ask": "stop"})
        messages.receive(self._parent)

    def cause_of_death(self) -> tuple[Verdict, str]:
        """Ask the parent why the worker is gone."""
        messages.send(self._parent, {"ask": "cause"})
        answer, _ = messages.receive(self._parent)
        return Verdict(answer["verdict"]), str(answer["message"])


def _where(item: pytest.Item, error: BaseException) -> str:
    """The suite's own lines that led to an exception, and its text."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(item.path)
    ]
    lines = [f"{item.path.name}:{frame.lineno}: {frame.line}" for frame in frames]
    return "\n".join([*lines, f"{type(error).__name__}: {error}"])


def _prerequisite_failed(item: pytest.Item, check: Check) -> bool:
    return any((item.path, name) in item.config.stash[NOT_PASSED] for name in check.needs)


def _import_report(channel: RemoteChannel) -> dict[str, str]:
    error = channel.import_error
    text = ""
    if error is not None:
        text = "\n".join(filter(None, [str(error), getattr(error, "trace", "")]))
    return {"import_error": text[:MAX_SHOWN], "import_output": channel.import_output[:MAX_SHOWN]}
