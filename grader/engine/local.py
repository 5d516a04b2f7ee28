"""The local engine: grades submissions on this machine, each in a fresh confined fork of a warm process."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import select
import signal
import socket
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal, Self

import grader
from dlquiz.checking.reach import Reach, find_reach
from dlquiz.testing.checks import Check
from dlquiz.testing.verdict import Verdict
from grader.assignment import Assignment
from grader.engine import folders, messages
from grader.engine.devices import device_files, visible_gpus, worker_environment
from grader.engine.processes import ZYGOTE_GONE, Child, EngineError, Fork, Server
from grader.engine.watch import Watch
from grader.remote import stream, wire
from grader.result import ProblemResult, Result, TestResult
from grader.sandbox.policy import WorkerLimits, exposed
from grader.submission import Submission

Isolation = Literal["strict", "none"]

POLL_SECONDS = 0.02
HELLO_SECONDS = 30.0
GRACE_SECONDS = 20.0
HANG_UP_SECONDS = 0.5
MAX_TOLD = 20_000
MAX_USES = 20
LATE = "the submission used up its time, and the referee could not finish"


class Warm:
    """The warm processes of one assignment: server, worker zygote, suite zygote.

    Raises:
        EngineError: one of them did not start, or the suite and the manifest disagree.
    """

    def __init__(self, server: Server, assignment: Assignment) -> None:
        self._zygotes: list[tuple[Fork, Child]] = []
        self.server = server
        try:
            server.wait_ready()
            slug = assignment.slug
            suite = {"suite": str(assignment.suite), "slug": slug}
            libraries = {"preload": assignment.preload, "forbidden": assignment.forbidden}
            self._zygotes.append(server.zygote("suite", suite, f"hidden suite of {slug}"))
            self._zygotes.append(server.zygote("workers", libraries, f"worker zygote of {slug}"))
            self.referees, self.workers = (fork for fork, _ in self._zygotes)
            self.referees.wait_ready()
            self.workers.wait_ready()
            self.checks = self._read_checks(assignment)
        except BaseException:
            self.close()
            raise

    def _read_checks(self, assignment: Assignment) -> dict[str, Check]:
        ours, theirs = messages.pair()
        with ours:
            with theirs:
                child = self.referees.fork("describe", {}, [theirs.fileno()])
            checks = {}
            with contextlib.suppress(messages.Gone):
                while True:
                    told = messages.receive(ours)[0]["check"]
                    check = Check(**{**told, "needs": tuple(told["needs"])})
                    checks[check.name] = check
        child.close()
        known = {problem.name for problem in assignment.problems}
        if unknown := sorted({check.problem for check in checks.values()} - known):
            raise EngineError(f"{assignment.suite}: the manifest has no problem {', '.join(unknown)}")
        for problem in assignment.problems:
            total = sum(check.points for check in checks.values() if check.problem == problem.name)
            if abs(total - problem.points) > 1e-6:
                raise EngineError(
                    f"{assignment.suite}: tests of problem {problem.name!r} carry {total:g} points, "
                    f"the manifest says {problem.points:g}"
                )
        return checks

    def wanted(self, functions: Collection[str]) -> dict[str, Check]:
        """The checks of these test functions and of all that they need, in the suite's order; of none, all."""
        if not functions:
            return self.checks
        reached: set[str] = set()
        more = set(functions)
        while more:
            reached |= more
            more = {
                name for check in self.checks.values() if check.function in more for name in check.needs
            } - reached
        return {name: check for name, check in self.checks.items() if check.function in reached}

    def close(self) -> None:
        """End the zygotes; the server stays."""
        for fork, child in self._zygotes:
            fork.close()
            child.close()


@dataclass
class _Worker:
    """A worker as the parent sees it."""

    folder: Path
    child: Child
    connection: socket.socket
    watch: Watch
    excess: tuple[str, str] | None = None
    next_check: float = 0.0

    def check(self) -> None:
        """Kill it when it exceeds a limit; looks at most once in `POLL_SECONDS`."""
        now = time.monotonic()
        if self.excess is None and now >= self.next_check:
            self.next_check = now + POLL_SECONDS
            self.excess = self.watch.excess()
            if self.excess is not None:
                self.child.kill()

    def cause_of_death(self) -> tuple[Verdict, str]:
        """Why it is gone. One that hung up but lives is killed."""
        status, patience = None, time.monotonic() + HANG_UP_SECONDS
        while status is None and time.monotonic() < patience:
            status = self.child.wait(POLL_SECONDS)
            if status is None:
                self.check()
        if status == ZYGOTE_GONE:
            raise EngineError("the worker zygote is gone")
        if self.excess is not None:
            name, text = self.excess
            return (Verdict.MEMORY if name == "memory" else Verdict.CRASHED), text
        if status is None:
            return Verdict.FORBIDDEN, "closed the grader's connection"
        if not os.WIFSIGNALED(status):
            return Verdict.CRASHED, f"ended the process with exit status {os.waitstatus_to_exitcode(status)}"
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return Verdict.TIMEOUT, "used up its processor time"
        if number == signal.SIGKILL:
            return Verdict.MEMORY, "was killed by the system, most likely for want of memory"
        # Real-time signals have no name of their own.
        name = signal.Signals(number).name if number in {*signal.Signals} else f"signal {number}"
        return Verdict.CRASHED, f"the process was killed by {name}"

    def kill(self) -> None:
        """SIGKILL."""
        self.child.kill()

    def close(self) -> None:
        """Kill it and remove its folder."""
        self.connection.close()
        self.child.close()
        folders.remove(self.folder)


class LocalEngine:
    """Grades submissions of one assignment; use it as a context manager.

    Args:
        assignment: what is graded.
        jobs: submissions graded at a time.
        isolation: "strict" confines every worker, and fails where that is not possible; "none" does not confine.
        gpu_slots: submissions that share one GPU at a time; 0 grades on the CPU. More than 0 opens the driver's device
            files to workers, and bounds `jobs` by the GPUs that are visible.
        notify: told the student, the tests that are done, and all tests, as each test ends; from any thread.
        secrets: further files and folders that no worker may be able to read (class folder, gradebook).
        server: a running server that has imported the assignment's preloads; without one, an own one is started.

    Raises:
        EngineError: on entry, when the processes cannot be started, a secret lies where workers may read, or a GPU is
            to be lent that is not there or that the assignment does not ask for.
    """

    def __init__(
        self,
        assignment: Assignment,
        *,
        jobs: int = 1,
        isolation: Isolation = "strict",
        secrets: Sequence[Path] = (),
        server: Server | None = None,
        gpu_slots: int = 0,
        notify: Callable[[str, int, int], None] = lambda *_: None,
    ) -> None:
        self.assignment = assignment
        self.isolation = isolation
        self._jobs = jobs
        self._gpu_slots = gpu_slots
        self.notify = notify
        self._secrets = [assignment.path, *secrets]
        self._digest = assignment.digest()
        self._given_server = server
        self._lock = threading.Lock()
        self.stopping = False
        self._slots: SimpleQueue[_Slot] = SimpleQueue()
        self._undertaker = ThreadPoolExecutor(1, thread_name_prefix="bury")

    def __enter__(self) -> Self:
        if platform.system() != "Linux":
            raise EngineError(
                f"the grader runs on Linux, this is {platform.system()}: use a virtual machine or CI"
            )
        gpus = self._lend_gpus()
        # Below the server's folder, which the server removes even when this process is killed.
        above = None if self._given_server is None else self._given_server.folder
        self.folder = Path(tempfile.mkdtemp(prefix="dlquiz-", dir=above))
        try:
            if self.isolation == "strict":
                self._refuse_exposed()
            self.warm = self._start()
            slots = [_Slot(self, gpus[place % len(gpus)]) for place in range(self._jobs)]
            slots[0].try_worker()
        except BaseException:
            self.__exit__()
            raise
        for slot in slots:
            self._slots.put(slot)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping = True
        while not self._slots.empty():
            self._slots.get().close()
        self._undertaker.shutdown()
        if hasattr(self, "warm"):
            self._stop(self.warm)
        folders.remove(self.folder)

    def _lend_gpus(self) -> Sequence[str | None]:
        """What each slot in turn is lent; more slots than that are not made."""
        if not self._gpu_slots:
            return [None]
        if self.assignment.limits.device != "gpu":
            raise EngineError(
                f'{self.assignment.slug} asks for no GPU: its manifest does not say `device = "gpu"`'
            )
        gpus = visible_gpus()
        if not gpus:
            raise EngineError(
                "no NVIDIA GPU is visible here (see /dev/nvidia* and CUDA_VISIBLE_DEVICES): grade on the CPU"
            )
        self._jobs = min(self._jobs, self._gpu_slots * len(gpus))
        return gpus

    def _refuse_exposed(self) -> None:
        for path, root in exposed([*self._secrets, self.folder]):
            raise EngineError(f"{path} lies below {root}, which workers may read; move it elsewhere")

    def _start(self) -> Warm:
        preload = dict.fromkeys(("numpy", *self.assignment.preload))
        self.folder.mkdir(mode=0o700, exist_ok=True)  # an earlier server took it along
        server = self._given_server or Server([*preload], self.folder)
        try:
            return Warm(server, self.assignment)
        except BaseException:
            if server is not self._given_server:
                server.close()
            raise

    def _stop(self, warm: Warm) -> None:
        warm.close()
        if warm.server is not self._given_server:
            warm.server.close()

    def bury(self, dead: _Worker | Child) -> None:
        """Kill now; wait for the end and tidy up in a thread, since meanwhile others must be watched."""
        dead.kill()
        try:
            self._undertaker.submit(dead.close)
        except RuntimeError:  # the engine is closing
            dead.close()

    def renew(self, broken: Warm) -> None:
        """Replace the warm processes after a failure, once for all slots that noticed. Raises EngineError."""
        with self._lock:
            if self.warm is broken and not self.stopping:
                self._stop(broken)
                self._given_server = None
                self.warm = self._start()

    def grade(
        self,
        jobs: Iterable[tuple[Submission, int]],
        *,
        tests: Callable[[Submission], Collection[str]] = lambda _: (),
    ) -> Generator[Result, None, None]:
        """Grade submissions, each with its seed; results come as they are finished.

        At most twice as many submissions are held as are graded at a time.

        Args:
            tests: the test functions to run on a submission, with what they need; none named means all. A result
                holds what was run, so that one of some tests is no mark.
        """
        pending: set[Future[Result]] = set()
        queue = iter(jobs)
        pool = ThreadPoolExecutor(self._jobs, thread_name_prefix="grade")
        try:
            ended = False
            while not ended or pending:
                while not ended and len(pending) < 2 * self._jobs:
                    job = next(queue, None)
                    if job is None:
                        ended = True
                    else:
                        # here and now, while the slots are busy with earlier submissions
                        task = Task(*job, self._search(job[0]), tuple(tests(job[0])))
                        pending.add(pool.submit(self._grade_one, task))
                done, pending = wait(pending, return_when=FIRST_COMPLETED) if pending else (set(), pending)
                for future in done:
                    yield future.result()
        finally:
            self.stopping = self.stopping or bool(pending)
            pool.shutdown(cancel_futures=True)

    def _search(self, submission: Submission) -> Reach:
        files = submission.files
        sources = {name: files[name] for name in self.assignment.submit if name in files}
        return find_reach(sources, self.assignment.forbidden)

    def _grade_one(self, task: Task) -> Result:
        slot = self._slots.get()
        try:
            for attempt in (1, 2):
                warm = self.warm
                try:
                    return slot.grade(task)
                except Exception as error:
                    # Whatever went wrong here is ours; it costs this submission one more try, never the run.
                    slot.close()
                    if attempt == 2 or self.stopping:
                        return self.ungraded(task, str(error) or type(error).__name__)
                    try:
                        self.renew(warm)
                    except EngineError as again:
                        return self.ungraded(task, str(again))
            raise AssertionError("unreachable")
        finally:
            self._slots.put(slot)

    def ungraded(self, task: Task, fault: str) -> Result:
        """The result of a submission that could not be graded through no fault of its own."""
        tests = [
            self.judged(check, verdict=Verdict.GRADER_ERROR, message=fault)
            for check in self.warm.wanted(task.tests).values()
        ]
        return self.result(task.submission, task.seed, tests, faults=(fault,))

    def judged(self, check: Check, verdict: Verdict, credit: float = 0.0, **told: Any) -> TestResult:
        """A test's result; all points when it passed, and when it failed the part that `award` gave."""
        part = {Verdict.PASSED: 1.0, Verdict.FAILED: credit}.get(verdict, 0.0)
        return TestResult(
            name=check.name,
            problem=check.problem,
            verdict=verdict,
            points=round(check.points * part, 9),
            max_points=round(check.points, 9),
            title=check.title,
            hint="" if verdict is Verdict.PASSED else check.hint,
            **told,
        )

    def result(
        self,
        submission: Submission,
        seed: int,
        tests: Sequence[TestResult],
        notes: Sequence[str] = (),
        **told: Any,
    ) -> Result:
        """Add tests up to a result. The denominator is the manifest's."""
        problems = [
            ProblemResult(
                problem.name,
                problem.title,
                round(
                    min(problem.points, sum(test.points for test in tests if test.problem == problem.name)), 6
                ),
                problem.points,
            )
            for problem in self.assignment.problems
        ]
        return Result(
            student=submission.student,
            assignment=self.assignment.slug,
            points=round(sum(problem.points for problem in problems), 6),
            max_points=self.assignment.points,
            graded=not any(test.verdict is Verdict.GRADER_ERROR for test in tests),
            seed=seed,
            problems=tuple(problems),
            tests=tuple(tests),
            notes=(*submission.problems, *submission.notes, *notes),
            submission_hash=submission.digest(),
            assignment_hash=self._digest,
            grader_version=grader.__version__,
            isolation=self.isolation,
            versions=_versions(),
            **told,
        )


@dataclass(frozen=True)
class Task:
    """One submission to grade; `tests` names the test functions to run, none means all."""

    submission: Submission
    seed: int
    reach: Reach
    tests: tuple[str, ...] = ()


class _Slot:
    """Grades one submission at a time, and keeps the next worker and referee ready meanwhile."""

    def __init__(self, engine: LocalEngine, gpu: str | None) -> None:
        self._engine = engine
        self._gpu = gpu
        self._warm = engine.warm
        limits = engine.assignment.limits
        self._limits = WorkerLimits(
            memory_mb=limits.memory_mb,
            disk_mb=limits.disk_mb,
            threads=limits.threads,
            cpu_seconds=int(2 * limits.seconds) + 10,
        )
        self._spare: deque[_Worker] = deque()
        self._spare_referee: tuple[Child, socket.socket] | None = None
        self._worker: _Worker | None = None
        self._hit: list[str] = []

    def try_worker(self) -> None:
        """Start a worker, to find out at once whether this machine can confine one. Raises EngineError."""
        worker = self._start_worker()
        self._expect_hello(worker)
        worker.close()
        self._spare.append(self._start_worker())

    def close(self) -> None:
        """Let go of every process."""
        self._drop_worker()
        while self._spare:
            self._spare.pop().close()
        if self._spare_referee is not None:
            child, end = self._spare_referee
            self._spare_referee = None
            end.close()
            child.close()

    def grade(self, task: Task) -> Result:
        """Grade one submission. Raises EngineError when our own processes fail."""
        engine, submission, seed = self._engine, task.submission, task.seed
        if self._warm is not engine.warm:
            self.close()  # its spares are of zygotes that were replaced
            self._warm = engine.warm
        started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
        self._hit = []
        checks = engine.warm.wanted(task.tests)
        if f"{engine.assignment.module}.py" not in submission.files:
            why = (
                submission.problems[0] if submission.problems else f"{engine.assignment.module}.py is missing"
            )
            tests = [
                engine.judged(check, verdict=Verdict.NOT_ATTEMPTED, message=why) for check in checks.values()
            ]
            return engine.result(submission, seed, tests, started=started)
        referee, end = self._spare_referee or self._start_referee()
        self._spare_referee = None
        told: dict[str, TestResult] = {}
        try:
            wanted = list(checks) if task.tests else []
            messages.send(end, {"seed": seed, "forbidden": _told(task.reach), "tests": wanted})
            last = self._serve(referee, end, submission, told, len(checks))
        except messages.Gone:
            status = referee.wait(1.0)
            if status == ZYGOTE_GONE:
                raise EngineError("the suite zygote is gone") from None
            last = {"fault": f"the referee ended early{_how(status)}"}
        finally:
            self._drop_worker()
            end.close()
            self._engine.bury(referee)
        fault = last.pop("fault", None)
        # What keeps a referee past every deadline is what a student's code gave it to work on.
        verdict = Verdict.TIMEOUT if fault == LATE else Verdict.GRADER_ERROR
        missing = "the referee did not come to the end of this test" + (f": {fault}" if fault else "")
        tests = [
            told.get(name) or engine.judged(check, verdict=verdict, message=missing)
            for name, check in checks.items()
        ]
        faults = [fault] if fault else []
        faults += [f"{test.name}: {test.message}" for test in tests if test.verdict is Verdict.GRADER_ERROR]
        return engine.result(
            submission,
            seed,
            tests,
            faults=tuple(dict.fromkeys(faults)),
            limits_hit=tuple(dict.fromkeys(self._hit)),
            notes=[
                *(f"{use} is forbidden in this assignment" for use in task.reach.uses[:MAX_USES]),
                *(
                    f"{use} can run code that no search sees: look at it"
                    for use in task.reach.doubts[:MAX_USES]
                ),
            ],
            started=started,
            seconds=round(time.monotonic() - clock, 3),
            **last,
        )

    def _serve(
        self,
        referee: Child,
        end: socket.socket,
        submission: Submission,
        told: dict[str, TestResult],
        count: int,
    ) -> dict[str, Any]:
        engine = self._engine
        deadline = time.monotonic() + engine.assignment.limits.seconds + GRACE_SECONDS
        while True:
            ready = select.select([end], [], [], POLL_SECONDS)[0]
            if self._worker is not None:
                self._worker.check()
            if time.monotonic() > deadline:
                return {"fault": LATE}
            if engine.stopping:
                raise EngineError("interrupted")
            if not ready:
                continue
            message, _ = messages.receive(end)
            if "ask" in message:
                self._answer(message["ask"], end, submission)
            elif "done" in message:
                return {name: message[name] for name in ("import_error", "import_output")}
            else:
                check = engine.warm.checks[message.pop("name")]
                verdict = Verdict(message.pop("verdict"))
                message["figures"] = tuple(message["figures"])
                told[check.name] = engine.judged(check, verdict=verdict, **message)
                engine.notify(submission.student, len(told), count)
                if verdict in (Verdict.TIMEOUT, Verdict.MEMORY, Verdict.CRASHED) and message["message"]:
                    self._hit.append(f"{check.name}: {message['message']}")

    def _answer(self, ask: str, end: socket.socket, submission: Submission) -> None:
        if ask == "worker":
            try:
                self._drop_worker()
                worker = self._worker = self._spare.popleft() if self._spare else self._start_worker()
                self._expect_hello(worker)
                folders.fill(worker.folder, submission.files)
            except (EngineError, OSError) as error:
                messages.send(end, {"error": f"no worker could be started: {error}"})
                return
            messages.send(end, {}, [worker.connection.fileno()])
            worker.connection.close()
            self._prepare()
        elif ask == "stop":
            self._drop_worker()
            messages.send(end, {})
        else:
            verdict, text = (
                self._worker.cause_of_death() if self._worker else (Verdict.CRASHED, "the process ended")
            )
            messages.send(end, {"verdict": verdict, "message": text})

    def _start_worker(self) -> _Worker:
        folder = Path(tempfile.mkdtemp(dir=self._engine.folder, prefix="worker-"))
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        args = {
            "folder": str(folder),
            "limits": asdict(self._limits),
            "confined": self._engine.isolation == "strict",
            "environment": worker_environment(self._gpu),
            "devices": [str(path) for path in device_files()] if self._gpu is not None else [],
        }
        try:
            with theirs:
                child = self._engine.warm.workers.fork("worker", args, [theirs.fileno()])
        except EngineError:
            ours.close()
            folders.remove(folder)
            raise
        return _Worker(folder, child, ours, Watch(child.pid, folder, self._limits))

    def _expect_hello(self, worker: _Worker) -> None:
        # No student's byte is in the worker yet: what it says here is the grader's own.
        try:
            hello = wire.decode(stream.receive(worker.connection, time.monotonic() + HELLO_SECONDS))
        except (stream.Closed, stream.TooLate, wire.WireError):
            raise EngineError(f"a worker did not start{_how(worker.child.wait(1.0))}") from None
        worker.connection.settimeout(None)
        if isinstance(hello, dict) and "error" in hello:
            raise EngineError(str(hello["error"]))

    def _prepare(self) -> None:
        """While referee and worker are busy with each other: the next two."""
        if not self._spare:
            self._spare.append(self._start_worker())
        self._spare_referee = self._spare_referee or self._start_referee()

    def _drop_worker(self) -> None:
        if self._worker is not None:
            self._engine.bury(self._worker)
            self._worker = None

    def _start_referee(self) -> tuple[Child, socket.socket]:
        assignment = self._engine.assignment
        args = {"module": assignment.module, "budget": asdict(assignment.limits.budget)}
        ours, theirs = messages.pair()
        try:
            with theirs:
                return self._engine.warm.referees.fork("referee", args, [theirs.fileno()]), ours
        except EngineError:
            ours.close()
            raise


def _told(reach: Reach) -> dict[str, str]:
    """What a referee is told of it. Too much of it to be told in one message reaches everything."""
    forbidden = {**reach.names, **({"": reach.everywhere} if reach.everywhere else {})}
    if sum(len(name) + len(why) for name, why in forbidden.items()) > MAX_TOLD:
        return {"": next(iter(forbidden.values()))[:1000]}
    return forbidden


def _how(status: int | None) -> str:
    if status is None:
        return ""
    return f" (exit status {os.waitstatus_to_exitcode(status)})"


@functools.cache
def _versions() -> dict[str, str]:
    libraries = {name: metadata.version(name) for name in ("keras", "numpy", "tensorflow")}
    return {"python": platform.python_version(), **libraries}
