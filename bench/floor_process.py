"""The floor: a warm process that forks for every submission and runs the same tests there, unconfined and in process.

The suite is collected once, the heap is frozen, and the settings of the environment are those of the grader's server.
Nothing is read of a submission but its file, nothing is recorded, nothing is kept from the student's code.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from typing import Any, Literal, NoReturn, TextIO, cast

import pytest

from dlquiz.testing.plugin import NOT_PASSED, SEED
from grader.engine.zygote import RuntimeStarted, assert_not_started


class Reports:
    """As few reports as the grader's referee makes, and what failed."""

    def __init__(self) -> None:
        self.wrong: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        """Note what failed; pytest's own report of it costs much more."""
        outcome: Literal["passed", "failed"] = "passed"
        when = cast(Literal["setup", "call", "teardown"], call.when)
        if call.excinfo is not None:
            outcome = "failed"
            self.wrong.append(f"{item.name}: {call.excinfo.value}"[:300])
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, when, duration=call.duration)


class Forks:
    """Takes the place of pytest's loop over the tests: that loop runs in the forks."""

    def __init__(self, requests: TextIO, answers: TextIO) -> None:
        self._requests = requests
        self._answers = answers

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Serve until the requests end."""
        assert_not_started()
        gc.collect()
        gc.freeze()
        self._say({"ready": True})
        for line in self._requests:
            self._say(self._fork(session, json.loads(line)))
        return True

    def _say(self, answer: dict[str, object]) -> None:
        print(json.dumps(answer), file=self._answers, flush=True)

    def _fork(self, session: pytest.Session, request: dict[str, Any]) -> dict[str, object]:
        read, write = os.pipe()
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            _child(session, request, write)
        os.close(write)
        with os.fdopen(read) as pipe:
            told = pipe.read()
        _, _, usage = os.wait4(pid, 0)
        seconds = time.monotonic() - started
        answer = json.loads(told) if told else {"wrong": ["the fork ended early"], "ran_ops": False}
        return {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, **answer}


def _child(session: pytest.Session, request: dict[str, Any], write: int) -> NoReturn:
    reports = Reports()
    config = session.config
    config.option.student, config.stash[SEED] = request["file"], request["seed"]
    config.stash[NOT_PASSED] = set()
    config.pluginmanager.register(reports)
    items = session.items
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    ran_ops = False
    try:
        assert_not_started()
    except RuntimeStarted:
        ran_ops = True
    os.write(write, json.dumps({"wrong": reports.wrong[:5], "ran_ops": ran_ops}).encode())
    os._exit(0)


def main() -> None:
    """`python -m bench.floor_process SUITE PRELOAD...`; a line of JSON a submission on standard input."""
    suite, *preload = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    for name in preload:
        importlib.import_module(name)
    arguments = "-p no:terminal -p no:cacheprovider -p no:timeout -p no:hypothesispytest".split()
    arguments += ["--import-mode=importlib", "--capture=no"]
    arguments += ["-c", os.devnull, "--rootdir", os.path.dirname(suite)]
    pytest.main([*arguments, suite], plugins=[Forks(sys.stdin, answers)])


if __name__ == "__main__":
    main()
