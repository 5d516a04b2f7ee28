"""The contenders: each grades the same class, and says what one submission took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any, Self

from bench.batch import Batch, ContenderFailed
from bench.workloads import Workload
from grader.engine.processes import KEPT_VARIABLES, SETTINGS

_ROOT = Path(__file__).resolve().parents[1]
_CALL_SECONDS = 60


class Contender(ABC):
    """Grades classes of one workload; use it as a context manager.

    Args:
        workload: what is graded.
        folder: for its files.
        cpus: the processors that it may use; None for all.
    """

    name: str

    def __init__(self, workload: Workload, folder: Path, cpus: frozenset[int] | None = None) -> None:
        self.workload = workload
        self.folder = folder
        self._cpus = cpus
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    @abstractmethod
    def students(self, wanted: int) -> int:
        """How large a class must be to measure `wanted` submissions."""

    @abstractmethod
    def grade(self, files: Sequence[Path], seed: int) -> Batch:
        """Grade a class, given each student's file. Raises ContenderFailed."""

    def environment(self) -> dict[str, str]:
        """The settings of the grader's server: one thread for an op, no GPU, no file written beside the sources."""
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        home = {name: str(self.folder) for name in ("HOME", "KERAS_HOME", "TMPDIR")}
        return {**kept, **SETTINGS, **home}

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], **streams: Any
    ) -> subprocess.Popen[str]:
        """Start a process of this interpreter's on the contender's processors."""
        command = [sys.executable, *arguments]
        if self._cpus is not None:
            command = ["taskset", "-c", ",".join(map(str, sorted(self._cpus))), *command]
        return subprocess.Popen(command, env=environment, cwd=_ROOT, text=True, **streams)


class WarmContender(Contender):
    """One that lives in a process of its own, and answers a line of JSON with another."""

    def __enter__(self) -> Self:
        self._log = (self.folder / "log").open("w+")
        started = time.monotonic()
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._log}
        self._process = self.start(self.arguments(), self.environment(), **streams)
        try:
            self._answer()
        except BaseException:
            self.__exit__()
            raise
        self.start_seconds = time.monotonic() - started
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._log.close()

    @abstractmethod
    def arguments(self) -> list[str]:
        """What the interpreter is started with."""

    def ask(self, request: dict[str, object]) -> dict[str, Any]:
        """One exchange. Raises ContenderFailed."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        if answer["wrong"]:
            raise ContenderFailed(f"{self.name} on {self.workload.key}: {'; '.join(answer['wrong'])}")
        return answer

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise ContenderFailed(f"{self.name} on {self.workload.key} ended:\n{self._log.read()[-3000:]}")
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer


class Grader(WarmContender):
    """This grader: files read from the class folder, confined workers, every result recorded in a gradebook."""

    def __init__(
        self, workload: Workload, folder: Path, jobs: int, cpus: frozenset[int] | None = None
    ) -> None:
        super().__init__(workload, folder, cpus)
        self.name = f"this grader -j {jobs}"
        self._jobs = jobs

    def arguments(self) -> list[str]:
        """Its process."""
        marks = str(self.folder / "marks.db")
        return ["-m", "bench.grader_process", str(self.workload.assignment.path), str(self._jobs), marks]

    def students(self, wanted: int) -> int:
        """Some more than wanted, for `bench.batch.steady_seconds` leaves some out."""
        return wanted * self._jobs + 2 * self._jobs - 1

    def grade(self, files: Sequence[Path], seed: int) -> Batch:
        """Grade the class folder."""
        answer = self.ask({"folder": str(files[0].parents[1]), "size": len(files), "seed": seed})
        return Batch(answer["seconds"], answer["cpu"], answer["busy"])


class Floor(WarmContender):
    """A bare warm fork for each submission: see `bench.floor_process`."""

    name = "floor: bare warm fork"

    def arguments(self) -> list[str]:
        """Its process."""
        assignment = self.workload.assignment
        return ["-m", "bench.floor_process", str(assignment.suite), *assignment.preload]

    def students(self, wanted: int) -> int:
        """As many as wanted."""
        return wanted

    def grade(self, files: Sequence[Path], seed: int) -> Batch:
        """Fork for each file. Raises ContenderFailed, also where a test ran an op that should not."""
        answers = [self.ask({"file": str(file), "seed": seed}) for file in files]
        if self.workload.without_ops and any(answer["ran_ops"] for answer in answers):
            raise ContenderFailed(f"a test of {self.workload.key} runs a TensorFlow op")
        seconds, cpu = ([answer[name] for answer in answers] for name in ("seconds", "cpu"))
        return Batch(median(seconds), fmean(cpu))


class FreshPytest(Contender):
    """`pytest` with pytest-timeout in a fresh process for each submission, everything compiled beforehand."""

    name = "pytest process each"

    def students(self, wanted: int) -> int:
        """One: it takes seconds, and varies little."""
        return 1

    def prepare(self, file: Path, seed: int) -> None:
        """Run once, so that libraries and suite are compiled and in the page cache. Raises ContenderFailed."""
        self._run(file, seed, compiling=True)

    def grade(self, files: Sequence[Path], seed: int) -> Batch:
        """Start pytest for each file. Raises ContenderFailed."""
        runs = [self._run(file, seed) for file in files]
        return Batch(median(seconds for seconds, _ in runs), fmean(cpu for _, cpu in runs))

    def _run(self, file: Path, seed: int, compiling: bool = False) -> tuple[float, float]:
        suite = self.workload.assignment.suite
        environment = self.environment()
        if compiling:
            del environment["PYTHONDONTWRITEBYTECODE"]
        arguments = "-m pytest -q -p no:cacheprovider -p no:hypothesispytest --import-mode=importlib".split()
        arguments += [f"--timeout={_CALL_SECONDS}", "-c", os.devnull, "--rootdir", str(suite.parent)]
        arguments += ["--student", str(file), "--seed", str(seed), str(suite)]
        with (self.folder / "log").open("w+") as log:
            started = time.monotonic()
            process = self.start(arguments, environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                log.seek(0)
                raise ContenderFailed(f"{self.name} on {self.workload.key}:\n{log.read()[-3000:]}")
        return seconds, usage.ru_utime + usage.ru_stime
