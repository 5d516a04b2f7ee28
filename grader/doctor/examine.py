"""Examine this machine: versions, devices, kernel, and escapes tried from a real worker."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from dlquiz.testing.verdict import Verdict
from grader.assignment import Assignment, Limits, Problem
from grader.doctor import attempts
from grader.engine.local import Isolation, LocalEngine
from grader.engine.processes import EngineError
from grader.result import Result
from grader.sandbox import landlock
from grader.submission import Submission

PACKAGES = (
    "keras",
    "tensorflow",
    "numpy",
    "pandas",
    "scikit-learn",
    "pytest",
    "msgpack",
    "pyseccomp",
    "SQLAlchemy",
)


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, whether it is as it should be (None: for information), what was found, a fix."""

    what: str
    ok: bool | None
    found: str
    fix: str = ""


def examine(isolation: Isolation = "strict") -> Iterator[Finding]:
    """Look at one thing after the other; the escapes take some seconds, since a worker imports Keras."""
    yield Finding(
        "Python", sys.version_info >= (3, 11), platform.python_version(), "install Python 3.11 or later"
    )
    yield from _packages()
    yield _devices()
    yield Finding(
        "kernel", platform.system() == "Linux", platform.platform(), "grade on Linux: confinement needs it"
    )
    abi = landlock.abi() if platform.system() == "Linux" else 0
    fix = "boot a kernel 5.13 or later with Landlock enabled (`lsm=landlock,...` on its command line)"
    yield Finding("Landlock", abi > 0, f"ABI {abi}" if abi else "not available", fix)
    yield from _escapes(isolation)


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        try:
            yield Finding(name, True, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(name, False, "not installed", 'pip install "dlquiz[grader]"')


def _devices() -> Finding:
    driver = Path("/proc/driver/nvidia/version")
    if driver.exists():
        return Finding("GPU", None, driver.read_text().splitlines()[0])
    return Finding("GPU", None, "none: grading runs on the processor")


def _escapes(isolation: Isolation) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory(prefix="dlquiz-doctor-") as folder:
        assignment = _assignment(Path(folder))
        source = Path(attempts.__file__).read_bytes()
        try:
            with LocalEngine(assignment, isolation=isolation) as engine:
                (result,) = engine.grade([(Submission("doctor", {"attempts.py": source}), 0)])
        except EngineError as error:
            yield Finding("worker", False, "could not be started", str(error))
            return
        yield from _judge(result)


def _judge(result: Result) -> Iterator[Finding]:
    expected = {"test_a_hang_is_ended": Verdict.TIMEOUT, "test_memory_is_bounded": Verdict.MEMORY}
    titles = {
        "test_a_hang_is_ended": "hang for ever",
        "test_memory_is_bounded": "take more memory than allowed",
    }
    fix = "do not grade strangers' code here; report this as a fault of dlquiz"
    for test in result.tests:
        what = titles.get(test.name) or test.name.partition("[")[2].rstrip("]")
        wanted = expected.get(test.name, Verdict.PASSED)
        if test.verdict is wanted:
            yield Finding(f"worker: {what}", True, "works" if what.startswith("train") else "held")
        else:
            yield Finding(
                f"worker: {what}", False, f"{test.verdict}: {test.message or test.detail}".strip(), fix
            )


def _assignment(folder: Path) -> Assignment:
    hidden = folder / "hidden"
    hidden.mkdir()
    shutil.copy(Path(__file__).with_name("suite.py"), hidden / "test_hidden.py")
    (hidden / "names.txt").write_text("\n".join(attempts.NAMES))
    (folder / "assignment.toml").write_text("")
    problems = (Problem("escapes", "Escapes", len(attempts.NAMES)), Problem("limits", "Limits", 2))
    return Assignment(
        slug="doctor",
        path=folder,
        title="Doctor",
        topics=(),
        submit=("attempts.py",),
        preload=("keras",),
        forbidden=(),
        limits=Limits(seconds=60, call_seconds=8, memory_mb=1000),
        problems=problems,
        mutants=(),
    )
