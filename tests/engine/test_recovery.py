"""Whatever of the engine's own is killed, a submission is graded or said to be ungraded, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.assignment import Limits
from grader.engine import local
from grader.engine.local import LocalEngine
from grader.engine.processes import EngineError
from grader.result import Result
from grader.submission import Submission

Grade = Callable[..., Result]
WAIT = "import time\ndef echo(x):\n    time.sleep(0.8)\n    return x"


def zygotes(engine: LocalEngine) -> list[psutil.Process]:
    """The suite's and the workers', in the order in which they are started."""
    return sorted(psutil.Process(engine.warm.server.pid).children(), key=lambda process: process.pid)


def kill_during(
    grade: Grade, engine: LocalEngine, pick: Callable[[], psutil.Process], seed: int = 1
) -> Result:
    """Grade a slow submission, and kill one process while it is judged."""

    def kill() -> None:
        time.sleep(0.4)
        pick().kill()

    thread = threading.Thread(target=kill)
    thread.start()
    result = grade(engine, WAIT, seed=seed)
    thread.join()
    return result


def test_a_referee_that_is_killed_is_our_fault_and_the_next_submission_is_graded(
    own_engine: Any, grade: Grade
) -> None:
    with own_engine() as engine:
        result = kill_during(
            grade, engine, lambda: min(zygotes(engine)[0].children(), key=lambda process: process.pid)
        )
        assert not result.graded
        assert any("the referee ended early (exit status -9)" in fault for fault in result.faults)
        assert {str(test.verdict) for test in result.tests} == {"passed", "grader error"}
        assert grade(engine).points == 10


@pytest.mark.parametrize("which", [0, 1], ids=["suite", "workers"])
def test_a_zygote_that_is_killed_is_replaced_and_the_submission_graded(
    own_engine: Any, grade: Grade, which: int, all_gone: Any
) -> None:
    with own_engine() as engine:
        warm = engine.warm
        old = psutil.Process(warm.server.pid).children(recursive=True)
        result = kill_during(grade, engine, lambda: zygotes(engine)[which])
        assert result.graded, result.faults
        assert result.points == 10
        assert grade(engine).points == 10
        assert engine.warm is not warm
        assert all_gone(old)


@pytest.mark.parametrize("which", [0, 1])
def test_a_zygote_that_died_between_two_submissions_is_replaced(
    own_engine: Any, grade: Grade, which: int
) -> None:
    with own_engine() as engine:
        assert grade(engine).points == 10
        zygotes(engine)[which].kill()
        time.sleep(0.1)
        for _ in range(2):
            result = grade(engine)
            assert result.graded, result.faults
            assert result.points == 10


def test_a_server_that_is_killed_costs_nothing_and_leaves_nothing(
    own_engine: Any, grade: Grade, processes_of: Any, all_gone: Any
) -> None:
    with own_engine(jobs=2) as engine:
        processes = processes_of(engine)
        result = kill_during(grade, engine, lambda: processes[0])
        assert result.graded, result.faults
        processes[1].kill()  # now a new server is needed
        results = [grade(engine) for _ in range(4)]
        assert results[-1].points == 10
        processes += processes_of(engine)
    assert all_gone(processes)
    assert not engine.folder.exists()


def test_a_suite_that_was_spoilt_meanwhile_leaves_submissions_ungraded(own_engine: Any, grade: Grade) -> None:
    with own_engine() as engine:
        engine.assignment.suite.write_text("def broken(:")
        zygotes(engine)[0].kill()
        time.sleep(0.2)
        results = [grade(engine) for _ in range(2)]
    last = results[-1]
    assert not last.graded
    assert "SyntaxError" in " ".join(last.faults)
    assert {str(test.verdict) for test in last.tests} == {"grader error"}


def test_a_worker_that_is_killed_from_outside_costs_its_test_only(own_engine: Any, grade: Grade) -> None:
    with own_engine() as engine:
        result = kill_during(
            grade, engine, lambda: min(zygotes(engine)[1].children(), key=lambda process: process.pid)
        )
    assert result.graded
    assert result.points == 8
    assert next(test for test in result.tests if test.name == "test_echo").verdict == "memory"


def test_a_referee_that_never_ends_is_ended(
    own_engine: Any, grade: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "GRACE_SECONDS", 0.5)
    suite = """
    import pytest, time

    @pytest.mark.problem("a", points=1)
    def test_a(student):
        if student.echo(1) == 1:
            time.sleep(60)

    @pytest.mark.problem("a", points=1)
    def test_b(student):
        pass
    """
    limits = Limits(seconds=1, call_seconds=1, memory_mb=300)
    with own_engine(suite, {"a": 2.0}, limits=limits) as engine:
        started = time.monotonic()
        result = grade(engine)
        assert time.monotonic() - started < 5
        assert result.points == 0
        assert grade(engine, "def echo(x):\n    return 2").points == 2


def test_a_secret_that_workers_may_read_is_refused(own_engine: Any) -> None:
    packages = Path(sysconfig.get_path("purelib"))
    engine = own_engine(secrets=[packages / "gradebook.db"])
    with pytest.raises(EngineError, match="which workers may read; move it elsewhere"), engine:
        pass
    assert not engine.folder.exists()


def test_a_machine_that_cannot_confine_is_an_error_and_runs_nothing(
    own_engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grader.engine.processes import Fork

    fork = Fork.fork

    def worse(self: Fork, role: str, args: Any, descriptors: Any = ()) -> Any:
        if role == "worker":
            args = {**args, "limits": {**args["limits"], "open_files": -5}}
        return fork(self, role, args, descriptors)

    monkeypatch.setattr(Fork, "fork", worse)
    engine = own_engine()
    with pytest.raises(EngineError, match="a worker did not start"), engine:
        pass
    assert not engine.folder.exists()


PARENT = """
import json, sys, time
from pathlib import Path
from grader.assignment import Assignment, Limits, Problem
from grader.engine.local import LocalEngine
from grader.submission import Submission

folder = Path(sys.argv[1])
assignment = Assignment(
    slug="work", path=folder, title="W", topics=(), submit=("work.py",), preload=(), forbidden=(),
    limits=Limits(seconds=30, call_seconds=30, memory_mb=300),
    problems=tuple(Problem(name, name, points) for name, points in json.loads(sys.argv[2]).items()), mutants=(),
)
with LocalEngine(assignment) as engine:
    print(json.dumps([engine.warm.server.pid, str(engine.folder)]), flush=True)
    source = b"print('x')\\nwhile True: pass"
    list(engine.grade([(Submission("a", {"work.py": source}), 1)]))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_parent_that_is_killed_leaves_no_process_and_no_folder(
    make_assignment: Any, suite: str, parts: dict[str, float], tmp_path: Path, all_gone: Any, number: int
) -> None:
    assignment = make_assignment(tmp_path / "work", suite, parts)
    command = [sys.executable, "-c", PARENT, str(assignment.path), json.dumps(parts)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        server, folder = json.loads(parent.stdout.readline())
        time.sleep(0.6)
        processes = [psutil.Process(server), *psutil.Process(server).children(recursive=True)]
        assert len(processes) >= 5
        assert Path(folder).is_dir()
        os.kill(parent.pid, number)
        parent.wait(10)
        assert all_gone(processes, 2.0)
        time.sleep(0.1)
        assert not Path(folder).exists()


def test_interrupted_grading_reports_nothing_as_a_mark(own_engine: Any, right: str) -> None:
    with own_engine() as engine:
        slow = (right + WAIT).encode()
        results: list[Result] = []
        thread = threading.Thread(
            target=lambda: results.extend(engine.grade([(Submission("a", {"work.py": slow}), 1)]))
        )
        thread.start()
        time.sleep(0.4)
        engine.stopping = True
        thread.join(5)
        assert not thread.is_alive()
    assert [result.graded for result in results] == [False]
