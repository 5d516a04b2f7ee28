"""The helper that a check leaves behind: used when it is right, done without when it is not, and never in the way."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import Result

from dlquiz.checking import borrowed, identity
from dlquiz.checking.room import Room

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no helper")

Dlquiz = Callable[..., Result]
Checked = Callable[..., tuple[Result, dict[str, Any]]]
Write = Callable[[str], None]

WHO = """
    def total(values):
        import os
        print(os.getppid(), os.getcwd(), os.environ.get("WORD"), os.getsid(0) == os.getpid())
        return 0
"""


@pytest.fixture(autouse=True)
def helped(world: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Helpers are allowed, and ended afterwards."""
    monkeypatch.delenv("DLQUIZ_WARM", raising=False)
    monkeypatch.delenv("CI", raising=False)
    yield
    monkeypatch.setattr("dlquiz.checking.room._END_SECONDS", 20)
    borrowed.end_helpers()
    assert borrowed.helpers() == []


@pytest.fixture
def helper(dlquiz: Dlquiz, sums: Path) -> int:
    """The process id of a helper that a check has left behind."""
    assert dlquiz("check", "sums").exit_code == 0
    return ready()


def ready() -> int:
    """Wait until the only helper listens."""
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError), Room(make=False) as room:
            for name, pid in room.helpers().items():
                room.connect(name).close()
                return pid
        assert time.monotonic() < deadline
        time.sleep(0.05)


def gone(pid: int) -> bool:
    """Whether that process ends soon, or has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return not psutil.wait_procs([psutil.Process(pid)], timeout=10)[1]
    return True


def who(checked: Checked, write: Write) -> tuple[int, str]:
    """The parent of the process that ran the student's code, and the rest of what it printed."""
    write(WHO)
    parent, rest = checked("-k", "total")[1]["test_total"]["output"].split(" ", 1)
    return int(parent), rest.strip()


def test_the_second_check_is_run_by_the_helper_in_the_callers_world(
    helper: int, checked: Checked, write: Write, sums: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORD", "mine")
    assert who(checked, write) == (helper, f"{sums.resolve()} mine True")
    assert borrowed.helpers() == [helper]


def test_the_first_check_is_not_and_leaves_one_helper(checked: Checked, write: Write) -> None:
    assert who(checked, write)[0] == os.getpid()
    assert psutil.Process(ready()).ppid() != os.getpid()


def test_hangs_crashes_and_full_memory_get_their_verdicts(
    helper: int, checked: Checked, write: Write
) -> None:
    write("""
        def total(values):
            while True:
                pass

        def spread(values):
            if not len(values):
                import ctypes
                ctypes.string_at(0)
            kept = [np.ones(2**22) for _ in range(12)]
            import time
            time.sleep(9)
    """)
    _, tests = checked("--timeout", 3, "--memory", "0.25")
    assert [test["verdict"] for test in tests.values()] == ["timeout", "skipped", "memory", "crashed"]
    assert tests["test_total"]["trace"].splitlines()[-2].endswith("in total")
    assert "SIGSEGV" in tests["test_spread_of_none"]["message"]
    assert "ctypes.string_at(0)" in tests["test_spread_of_none"]["trace"]
    write("def total(values):\n    import os\n    os._exit(3)\n")
    assert checked("-k", "total")[1]["test_total"]["message"] == "your code ended Python (exit status 3)"
    assert who(checked, write)[0] == helper
    assert psutil.wait_procs(psutil.Process(helper).children(), timeout=5)[1] == []


def test_processes_that_a_student_starts_end_with_the_check(
    helper: int, checked: Checked, write: Write, world: Path
) -> None:
    write(f"""
        def total(values):
            import subprocess, sys
            sleep = "import time; time.sleep(9876); {str(world)!r}"
            subprocess.Popen([sys.executable, "-c", sleep], start_new_session=True)
            orphan = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {{sleep!r}}])"
            subprocess.run([sys.executable, "-c", orphan])
            return 0
    """)
    checked("-k", "total")
    left = [
        process
        for process in psutil.process_iter(["cmdline"])
        if f"time.sleep(9876); {str(world)!r}" in " ".join(process.info["cmdline"] or ())
    ]
    assert psutil.wait_procs(left, timeout=5)[1] == []


@pytest.mark.parametrize("name", ["CI", "DLQUIZ_WARM"])
def test_the_environment_can_forbid_it(
    dlquiz: Dlquiz, sums: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "true" if name == "CI" else "0")
    assert dlquiz("check", "sums").exit_code == 0
    assert list((sums.parents[1] / "run").iterdir()) == []


def test_no_warm_does_without_it_and_ends_it(helper: int, dlquiz: Dlquiz, checked: Checked) -> None:
    assert "dlquiz check --no-warm" in dlquiz("doctor").output
    assert f"(process {helper})" in re.sub(r"\s+", " ", dlquiz("doctor").output)
    checked("--no-warm")
    assert borrowed.helpers() == []
    assert gone(helper)
    assert "warm helper: none;" in dlquiz("doctor").output


def test_one_that_is_out_of_date_is_replaced(
    helper: int, checked: Checked, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "stamp", lambda: "newer")
    assert who(checked, write)[0] == os.getpid()
    assert ready() != helper
    assert gone(helper)
    assert who(checked, write)[0] == ready()


def test_one_that_lacks_a_library_is_replaced_by_one_that_has_all(
    helper: int, checked: Checked, write: Write, sums: Path
) -> None:
    write(f"import PIL\n{WHO.replace('    def', 'def').replace('        ', '    ')}")
    assert int(checked("-k", "total")[1]["test_total"]["output"].split()[0]) == os.getpid()
    newer = psutil.Process(ready())
    assert newer.pid != helper
    assert newer.cmdline()[-2:] == ["PIL", "numpy"]


@pytest.mark.parametrize("variable", ["KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "CUDA_VISIBLE_DEVICES"])
def test_it_is_not_used_with_other_settings(
    helper: int, checked: Checked, write: Write, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    assert who(checked, write)[0] == os.getpid()


def test_one_that_hangs_is_not_waited_for_long(helper: int, checked: Checked, write: Write) -> None:
    os.kill(helper, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert who(checked, write)[0] == os.getpid()
        assert time.monotonic() - began < 20
    finally:
        os.kill(helper, signal.SIGCONT)
    # it was told to end meanwhile
    assert gone(helper)


def test_one_whose_forks_get_nowhere_is_done_without(
    helper: int, checked: Checked, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlquiz.checking.forked.Forked.start_seconds", 0.0)
    monkeypatch.setattr("dlquiz.checking.run._POLL_SECONDS", 1e-6)
    assert who(checked, write)[0] == os.getpid()
    assert helper not in borrowed.helpers()


@pytest.mark.parametrize("state", ["dead", "foreign", "open to others", "nonsense"])
def test_whatever_is_wrong_with_it_a_check_goes_on(
    helper: int, checked: Checked, write: Write, sums: Path, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = sums.parents[1] / "run" / "dlquiz"
    (name,) = [file.stem for file in run.glob("*.sock")]
    if state == "dead":
        os.kill(helper, signal.SIGKILL)
        assert gone(helper)
    elif state == "foreign":
        monkeypatch.setattr("dlquiz.checking.room.peer", lambda _: os.getuid() + 1)
    elif state == "open to others":
        run.chmod(0o755)
    else:
        (run / f"{name}.sock").unlink()
        (run / f"{name}.sock").write_text("not a socket")
    try:
        assert who(checked, write)[0] == os.getpid()
    finally:
        run.chmod(0o700)


def test_a_library_that_must_not_be_forked_is_remembered(
    checked: Checked, write: Write, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (world / "libraries").mkdir()
    (world / "libraries" / "cv2.py").write_text(
        "import sys, types\n"
        "context = types.SimpleNamespace(_context_handle=object())\n"
        "name = 'tensorflow.python.eager.context'\n"
        "sys.modules[name] = types.SimpleNamespace(context_safe=lambda: context)\n"
        f"open({str(world / 'imported')!r}, 'a').write('x')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(world / "libraries"), prepend=os.pathsep)
    source = f"import cv2\n{WHO.replace('    def', 'def').replace('        ', '    ')}"
    write(source)
    for _ in range(3):
        assert int(checked("-k", "total")[1]["test_total"]["output"].split()[0]) == os.getpid()
        deadline = time.monotonic() + 20
        while borrowed.helpers() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert borrowed.helpers() == []
    # three checks, and one attempt at a helper
    assert (world / "imported").read_text() == "xxxx"


def test_it_ends_when_nobody_comes(
    checked: Checked, dlquiz: Dlquiz, sums: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(borrowed, "IDLE_SECONDS", 1)
    dlquiz("check", "sums")
    process = psutil.Process(ready())
    process.wait(timeout=20)
    assert not list((sums.parents[1] / "run" / "dlquiz").glob("*.sock"))


def test_it_finishes_what_it_is_at_before_it_ends(
    helper: int, checked: Checked, write: Write, world: Path
) -> None:
    import threading

    write(
        "import pathlib, time\n\ndef total(values):\n    pathlib.Path('here').touch()\n"
        "    time.sleep(3)\n    import os\n    os._exit(3)\n"
    )

    def end() -> None:
        deadline = time.monotonic() + 20
        while not (world / "sums" / "here").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(helper, signal.SIGTERM)

    ending = threading.Thread(target=end)
    ending.start()
    _, tests = checked("-k", "total")
    ending.join()
    assert tests["test_total"]["message"] == "your code ended Python (exit status 3)"
