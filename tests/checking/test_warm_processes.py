"""Processes that have the libraries imported: forks where they are safe, spares where they are not."""

from __future__ import annotations

import os
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dlquiz.checking import kept
from dlquiz.checking.forks import why_not_fork
from dlquiz.checking.kept import Kept
from dlquiz.checking.run import run_public_tests
from dlquiz.checking.starting import Cancelled
from dlquiz.handouts import Handout

linux = pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked")


@pytest.fixture
def told() -> list[str]:
    """What a way to start says of itself."""
    return []


@pytest.fixture
def way(told: list[str]) -> Iterator[Kept]:
    """One that leaves nothing behind."""
    found = Kept(told.append)
    before = set(psutil.Process().children())
    yield found
    found.close()
    assert set(psutil.Process().children()) <= before


def run(work: Path, handout: Handout, way: Kept) -> tuple[int, int]:
    """Process id and parent of the process that ran the student's code."""
    (outcome,) = run_public_tests(work, handout, way=way)
    assert outcome.verdict == "passed"
    own, parent = outcome.output.split()
    return int(own), int(parent)


@linux
def test_every_run_is_a_fork_of_one_process(work: Path, handout: Handout, way: Kept) -> None:
    first, second = run(work, handout, way), run(work, handout, way)
    assert first[0] != second[0]
    assert first[1] == second[1] != os.getpid()


@linux
def test_a_dead_server_is_replaced(work: Path, handout: Handout, way: Kept) -> None:
    _, server = run(work, handout, way)
    psutil.Process(server).kill()
    time.sleep(0.2)
    _, other = run(work, handout, way)
    assert server != other != os.getpid()


@linux
def test_a_process_in_which_an_operation_ran_is_not_forked(
    work: Path, handout: Handout, way: Kept, told: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cv2.py").write_text(
        "import sys, types\n"
        "context = types.SimpleNamespace(_context_handle=object())\n"
        "sys.modules['tensorflow.python.eager.context'] = types.SimpleNamespace(context_safe=lambda: context)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    (work / "sums.py").write_text("import cv2\n" + (work / "sums.py").read_text())
    assert run(work, handout, way)[1] == os.getpid()
    assert run(work, handout, way)[1] == os.getpid()
    assert [text.partition(".")[0] for text in told] == ["Importing the libraries ran a TensorFlow operation"]


@linux
def test_the_wait_for_the_libraries_can_be_cancelled(work: Path, handout: Handout, way: Kept) -> None:
    with pytest.raises(Cancelled):
        run_public_tests(work, handout, way=way, cancelled=lambda: True)
    assert run(work, handout, way)[1] != os.getpid()


def test_without_forks_the_spare_is_used_and_the_next_one_started(
    work: Path, handout: Handout, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "CAN_FORK", False)
    way = Kept(told.append)
    before = set(psutil.Process().children())
    used = []
    try:
        run(work, handout, way)
        for _ in range(2):
            (spare,) = set(psutil.Process().children()) - before
            own, parent = run(work, handout, way)
            used.append(own == spare.pid)
            assert parent == os.getpid()
    finally:
        way.close()
    assert used == [True, True]
    assert set(psutil.Process().children()) <= before
    assert len(told) == 1
    assert "that takes its memory twice" in told[0]


@pytest.mark.parametrize("seconds", [0, 0.5])
def test_a_spare_that_has_died_is_done_without(
    work: Path, handout: Handout, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(kept, "CAN_FORK", False)
    way = Kept(lambda _: None)
    before = set(psutil.Process().children())
    try:
        run(work, handout, way)
        (spare,) = set(psutil.Process().children()) - before
        spare.kill()
        time.sleep(seconds)
        assert run(work, handout, way)[0] != spare.pid
    finally:
        way.close()


def test_a_spare_without_a_library_is_done_without(
    work: Path, handout: Handout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "CAN_FORK", False)
    way = Kept(lambda _: None)
    before = set(psutil.Process().children())
    try:
        run(work, handout, way)
        (spare,) = set(psutil.Process().children()) - before
        (work / "sums.py").write_text("import PIL\n" + (work / "sums.py").read_text())
        assert run(work, handout, way)[0] != spare.pid
    finally:
        way.close()


@pytest.mark.parametrize(
    ("name", "module", "reason"),
    [
        ("tensorflow.python.eager.context", None, ""),
        ("tensorflow.python.eager.context", types.SimpleNamespace(_context_handle=None), ""),
        ("tensorflow.python.eager.context", types.SimpleNamespace(_context_handle=1), "operation"),
        ("torch", types.SimpleNamespace(), "torch"),
        ("jax", types.SimpleNamespace(), "jax"),
    ],
)
def test_why_a_process_must_not_be_forked(
    monkeypatch: pytest.MonkeyPatch, name: str, module: object, reason: str
) -> None:
    for other in ("torch", "jax", "tensorflow.python.eager.context"):
        monkeypatch.delitem(sys.modules, other, raising=False)
    held: Callable[[], object] = lambda: module  # noqa: E731
    monkeypatch.setitem(sys.modules, name, types.SimpleNamespace(context_safe=held))  # type: ignore[misc]
    assert reason in why_not_fork()
    assert bool(why_not_fork()) is bool(reason)
