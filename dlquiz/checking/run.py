"""Run a folder's public tests in a child process that is watched: nothing a student writes hangs the terminal."""

from __future__ import annotations

import linecache
import queue
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlquiz.checking.child import Child
from dlquiz.checking.outcome import Outcome
from dlquiz.checking.starting import Cancelled, Cold, Way
from dlquiz.handouts import TESTS, Handout
from dlquiz.testing.verdict import Verdict

COLLECT_SECONDS = 300.0
_MAX_OUTPUT = 10_100
_POLL_SECONDS = 0.1
_COLD = Cold()


class CheckFault(Exception):
    """No test could be run.

    Attributes:
        trace: the student's own lines that led to it.
        usage: whether the folder is at fault, not the code in it.
    """

    def __init__(self, message: str, trace: str = "", *, usage: bool = False) -> None:
        super().__init__(message)
        self.trace = trace
        self.usage = usage


class _NeverBegan(CheckFault):
    """The process did not get as far as the student's code."""


@dataclass
class _Test:
    """One collected test and what is known of it."""

    told: dict[str, str]
    end: dict[str, Any] | None = None
    output: str = ""

    def stop(self, verdict: Verdict, message: str, trace: str = "", seconds: float = 0.0) -> None:
        self.end = {"verdict": verdict, "message": message, "trace": trace, "seconds": seconds}

    def outcome(self) -> Outcome:
        return Outcome.told(self.told, self.end or {"verdict": Verdict.CRASHED}, self.output)


@dataclass(frozen=True)
class Limits:
    """Seconds for each test (and for importing the student's module), and bytes of memory for all of it."""

    seconds: float = 20.0
    memory: int = 4 * 2**30


def run_public_tests(
    folder: Path,
    handout: Handout,
    *,
    problems: Sequence[str] = (),
    seed: int = 0,
    limits: Limits = Limits(),
    notify: Callable[[str], None] = lambda _: None,
    way: Way = _COLD,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Outcome]:
    """Run the public tests of `folder`, in their order.

    A test that hangs, crashes or fills the memory gets that verdict, and a fresh process runs the ones behind it.

    Args:
        problems: only the tests of these; none for all.
        seed: what the `rng` fixture and the libraries' generators start from.
        notify: told in a few words what is going on.
        way: how processes are started.
        cancelled: asked again and again; the run ends as soon as it says so.

    Raises:
        CheckFault: the module cannot be imported, the tests cannot be collected, or there are none.
        Cancelled: the run was.
    """
    tests: dict[str, _Test] = {}
    order = {
        "folder": str(folder.resolve()),
        "submit": handout.submit,
        "tests": TESTS,
        "problems": list(problems),
        "seed": seed,
        "timeout": limits.seconds,
    }
    while True:
        done = [name for name, test in tests.items() if test.end]
        failed = {tests[name].told["function"] for name in done if tests[name].outcome().verdict != "passed"}
        now = {**order, "done": done, "not_passed": sorted(failed)}
        with Child(way.start(now, cancelled), now) as child:
            follower = _Follower(child, folder.resolve(), handout.submit[0], limits, notify, tests)
            try:
                follower.follow(cancelled)
            except _NeverBegan:
                if not child.warm:
                    raise
                way.give_up()
                continue
        left = [test for test in tests.values() if test.end is None]
        if not left:
            break
        if len(left) == len(tests) - len(done):
            left[0].stop(Verdict.CRASHED, "Python ended before this test could begin")
    if not tests:
        where = f"{', '.join(problems)} has" if problems else f"{TESTS} holds"
        raise CheckFault(f"{where} no public tests", usage=True)
    return [test.outcome() for test in tests.values()]


class _Follower:
    """Follows one child to its end and writes down what becomes of the tests."""

    def __init__(
        self,
        child: Child,
        folder: Path,
        module: str,
        limits: Limits,
        notify: Callable[[str], None],
        tests: dict[str, _Test],
    ) -> None:
        self._child = child
        self._folder = folder
        self._module = module
        self._limits = limits
        self._notify = notify
        self._tests = tests
        self._phase = ""
        self._running: _Test | None = None
        self._place = ""
        self._began = time.monotonic()
        self._patience = child.start_seconds
        self._done = False

    def follow(self, cancelled: Callable[[], bool]) -> None:
        """Until the child is done, ends, or has to be ended.

        Raises:
            CheckFault: it could not come as far as its tests.
            Cancelled: nobody wants to know any more.
        """
        while not self._done:
            if cancelled():
                raise Cancelled
            try:
                message = self._child.messages.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if time.monotonic() - self._began > self._patience:
                    return self._stopped(Verdict.TIMEOUT, f"no answer within {self._patience:g} s")
                if self._child.memory() > self._limits.memory:
                    allowed = self._limits.memory / 2**30
                    return self._stopped(Verdict.MEMORY, f"used more than {allowed:.3g} GB of memory")
                continue
            if message is None:
                return self._stopped(Verdict.CRASHED, _ending(self._child.exit_status()))
            self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        match message:
            case {"event": "phase", "phase": str(phase)}:
                self._phase = phase
                self._wait(self._patience_in(phase))
                self._notify({"libraries": "importing the libraries"}.get(phase, f"importing {self._module}"))
            case {"event": "unimportable", "message": str(text), "trace": str(trace)}:
                self._unimportable(text, trace)
            case {"event": "fault", "message": str(text)}:
                self._faulty(text)
            case {"event": "collected", "tests": list(tests)}:
                for told in tests:
                    self._tests.setdefault(told["id"], _Test(told))
            case {"event": "begin", "id": str(name)} if name in self._tests:
                self._running = self._tests[name]
                self._wait(self._limits.seconds)
                place = list(self._tests).index(name) + 1
                self._notify(f"test {place} of {len(self._tests)}: {self._running.told['title']}")
            case {"event": "output", "text": str(text)} if self._running:
                self._running.output = (self._running.output + text)[:_MAX_OUTPUT]
            case {"event": "place", "trace": str(trace)}:
                self._place = trace
            case {"event": "end", "id": str(name)} if self._running is self._tests.get(name):
                assert self._running
                self._running.end = message
                self._running = None
                self._wait(self._limits.seconds)
            case {"event": "done"}:
                self._done = True
                if self._running:
                    self._running.stop(Verdict.CRASHED, "your code interrupted the run")

    def _patience_in(self, phase: str) -> float:
        if phase == "module":
            return self._limits.seconds
        return COLLECT_SECONDS if phase == "tests" else self._child.start_seconds

    def _wait(self, seconds: float) -> None:
        self._began, self._patience, self._place = time.monotonic(), seconds, ""

    def _stopped(self, verdict: Verdict, message: str) -> None:
        """The child has ended or must end: whose doing was that?"""
        seconds = time.monotonic() - self._began
        self._child.end()
        trace = self._place or "\n".join(_own_frames(self._child.last_words(), self._folder))
        if self._running:
            self._running.stop(verdict, message, trace, round(seconds, 4))
        elif self._phase == "module":
            self._unimportable(message, trace)
        elif not self._tests or (self._child.warm and self._phase != "tests"):
            said = self._child.last_words().strip().splitlines()[-1:]
            raise (CheckFault if self._phase == "tests" else _NeverBegan)(
                f"Python could not start the tests: {': '.join([message, *said])}. `dlquiz doctor` may know why"
            )

    def _unimportable(self, message: str, trace: str) -> None:
        if self._tests:
            for test in self._tests.values():
                if test.end is None:
                    test.stop(
                        Verdict.CRASHED, f"{self._module} could not be imported again: {message}", trace
                    )
        else:
            raise CheckFault(f"{self._module} cannot be imported: {message}", trace)

    def _faulty(self, message: str) -> None:
        raise CheckFault(f"{TESTS} cannot be used:\n{message}", usage=True)


def _ending(status: int) -> str:
    if status >= 0:
        return f"your code ended Python (exit status {status})"
    name = {item.value: item.name for item in signal.Signals}.get(-status, f"signal {-status}")
    why = ": memory may have run out" if name == "SIGKILL" else ""
    return f"Python was ended by {name}{why}"


_FRAME = re.compile(r'^  File "(.+)", line (\d+) in (\S+)$', re.MULTILINE)
_THREAD = re.compile(r"^(?:Thread|Current thread) .*\(most recent call first\):$", re.MULTILINE)


def _own_frames(said: str, folder: Path) -> Iterator[str]:
    """The student's own lines in the stack that faulthandler wrote when Python crashed, innermost last."""
    for stack in _THREAD.split(said[max(said.rfind("Fatal Python error"), 0) :]):
        found = [
            (Path(name), int(line), function)
            for name, line, function in _FRAME.findall(stack)
            if Path(name).parent == folder and Path(name).name != TESTS
        ][:6]
        if found:
            for path, line, function in reversed(found):
                linecache.checkcache(str(path))
                code = linecache.getline(str(path), line).strip()
                yield f"{path.name}, line {line}, in {function}\n    {code}".rstrip()
            return
