"""What a worker tries from inside its process: files, processes, signals, sockets, system calls.

Every way out is also tried where nothing confines it, so that a way that cannot work anywhere proves nothing here.
"""

from __future__ import annotations

import contextlib
import http.server
import importlib.util
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pyseccomp
import pytest

from grader.engine.processes import KEPT_VARIABLES

HERE = Path(__file__).parent


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("escapes", HERE / "escapes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ESCAPES = _load()
# Variables that the engine, or a library, sets to values of its own.
OWN = {
    "HOME",
    "PWD",
    "TMPDIR",
    "CUDA_VISIBLE_DEVICES",
    "KERAS_BACKEND",
    "KERAS_HOME",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
}
OWN |= {
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHASHSEED",
    "TF_CPP_MIN_LOG_LEVEL",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
}
OWN |= {"TF2_BEHAVIOR", "ENABLE_RUNTIME_UPTIME_TELEMETRY", "HDF5_PLUGIN_PATH"}
OWN |= {"KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"}  # scikit-learn
OWN |= {"TPU_ML_PLATFORM", "TPU_ML_PLATFORM_VERSION"}  # TensorFlow
# What an ordinary user, or a container, is refused as well.
PRIVILEGED_CALLS = {
    "bpf", "fanotify_init", "fsopen", "init_module", "io_uring_setup", "kexec_load", "memfd_secret", "mount",
    "open_by_handle_at", "open_tree", "perf_event_open", "pivot_root", "swapon", "umount2", "userfaultfd",
}  # fmt: skip


def numbers() -> dict[str, int]:
    names = {
        *ESCAPES.LOOKED_AT,
        "fork",
        "clone",
        "clone3",
        "process_vm_readv",
        "process_vm_writev",
        "rt_sigqueueinfo",
        "tgkill",
    }
    return {name: pyseccomp.resolve_syscall(pyseccomp.system_arch(), name) for name in sorted(names)}


@contextlib.contextmanager
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """Another process of the same user."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def context(arena, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What an attacker could know at best: every path, process and address."""
    outside = tmp_path_factory.mktemp("outside")
    victim = outside / "victim"
    victim.write_text("still here")
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    abstract = f"dlquiz-{os.getpid()}"
    with bystander() as sibling, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind("\0" + abstract)
        listener.listen()
        yield {
            **{name: str(path) for name, path in arena.secrets.items()},
            "engine": str(arena.engine.folder),
            "outside": str(outside),
            "victim": str(victim),
            "grader": os.getpid(),
            "server": arena.server.pid,
            "sibling": sibling.pid,
            "port": server.server_port,
            "abstract": abstract,
            "numbers": numbers(),
        }
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def inside(arena, context: dict[str, Any]) -> tuple[list[str], list[str]]:
    """What was found from inside a worker: the ways that worked, and the system calls that were looked at."""
    with bystander() as process:
        told = {**context, "target": process.pid}
        code = (HERE / "escapes.py").read_text().partition('if __name__ == "__main__":')[0]
        code += f"\nCONTEXT = {told!r}\nworked, failed = escaped(CONTEXT, WAYS)\n"
        code += "report([worked, len(failed), looked_at(CONTEXT['numbers'])])\n"
        worked, failed, looked_at = arena.observe(code)
        assert process.poll() is None, "a worker killed another process"
    assert len(worked) + failed == len(ESCAPES.WAYS)
    return worked, looked_at


@pytest.fixture(scope="module")
def unconfined(context: dict[str, Any]) -> tuple[list[str], dict[str, str], list[str], int]:
    """The same, tried by an ordinary process; and the exit status of the process that it signalled."""
    with bystander() as process:
        told = {**context, "target": process.pid}
        command = [sys.executable, str(HERE / "escapes.py"), json.dumps(told)]
        out = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        (worked, failed), looked_at = json.loads(out)
        status = process.wait(10)
    return worked, failed, looked_at, status


@pytest.mark.parametrize("name", ESCAPES.WAYS)
def test_a_worker_cannot(name: str, inside, unconfined) -> None:
    worked, why, _, _ = unconfined
    assert name in worked, f"the way does not work anywhere: {why.get(name)}"
    assert name not in inside[0]


def test_the_kernel_signals_nobody_on_a_workers_behalf(inside, unconfined) -> None:
    assert unconfined[3] == -signal.SIGTERM, "without confinement it does"


@pytest.mark.parametrize("name", ESCAPES.LOOKED_AT)
def test_the_kernel_does_not_look_at_a_workers(name: str, inside, unconfined) -> None:
    assert name not in inside[1]
    if name not in PRIVILEGED_CALLS:
        assert name in unconfined[2], "the arguments show nothing: no process gets further"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="machine code of x86-64")
@pytest.mark.parametrize(
    ("name", "code"),
    [
        # mov eax, 2 (fork of the i386 table); int 0x80; ret
        ("32-bit", "b8 02 00 00 00 cd 80 c3"),
        # mov eax, 0x40000039 (fork of the x32 table); syscall; ret
        ("x32", "b8 39 00 00 40 0f 05 c3"),
    ],
)
def test_another_system_call_table_leads_nowhere(arena, name: str, code: str) -> None:
    result = arena.attack(
        f"""
        def words(text):
            import ctypes, mmap, os
            page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
            page.write(bytes.fromhex("{code}"))
            call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
            pid = call()
            if pid == 0:
                os._exit(0)
            print("RESULT", pid)
            return {{}}
        """,
        keeps=arena.without("words"),
    )
    (test,) = [test for test in result.tests if test.problem == "words"]
    # Killed for it, or told that there is no such call; never a process.
    assert test.verdict in ("crashed", "timeout", "failed")
    assert "RESULT" not in test.output or int(test.output.split()[1]) < 0


def test_a_fork_bomb_leaves_no_process(arena) -> None:
    made = arena.observe(
        """
        import os, time
        made = 0
        for k in range(50):
            try:
                if os.fork() == 0:
                    time.sleep(3)
                    os._exit(0)
                made += 1
            except OSError:
                pass
        report(made)
        """
    )
    assert made == 0


SEARCH = """
import ctypes
import time

# In two pieces, so that the search does not find itself.
NEEDLES = [("GRADER-", "ONLY-"), ("test_rec", "over"), ("DLQUIZ_TEST_", "TOKEN"), ("hidden/", "test_hid")]


def search(seconds):
    found, read, end = [], 0, time.monotonic() + seconds
    for line in open("/proc/self/maps"):
        span, rights = line.split()[:2]
        low, high = (int(edge, 16) for edge in span.split("-"))
        if not rights.startswith("rw") or high - low > 2**28 or time.monotonic() > end:
            continue
        block = ctypes.string_at(low, high - low)
        read += len(block)
        for head, tail in NEEDLES:
            at = block.find(head.encode())
            while at >= 0:
                if block[at + len(head) : at + len(head) + len(tail)] == tail.encode():
                    found.append(head)
                at = block.find(head.encode(), at + 1)
    return sorted(set(found)), read
"""


def test_nothing_of_the_graders_is_in_a_workers_memory(arena) -> None:
    found, read = arena.observe(SEARCH + "\nreport(search(1.2))\n")
    assert found == []
    assert read > 10 * 2**20
    held = f"held = {arena.secrets['suite'].read_text()!r}.encode()\n"
    command = [sys.executable, "-c", f"{held}{SEARCH}\nprint(search(20)[0])"]
    out = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "GRADER-" in out
    assert "test_rec" in out


def test_no_object_of_the_graders_is_found_by_the_garbage_collector(arena) -> None:
    found = arena.observe(
        """
        import gc, sys
        texts = []
        for thing in gc.get_objects():
            if type(thing) is dict:
                texts += [value for value in list(thing.values()) if type(value) is str]
        needle = "GRADER-" + "ONLY-"
        modules = [name for name in sys.modules if "hidden" in name or name in ("grader.referee", "pytest", "_pytest")]
        report([[text for text in texts if needle in text], modules])
        """
    )
    assert found == [[], []]


def test_the_environment_holds_nothing_of_the_graders(arena) -> None:
    assert arena.token in os.environ["DLQUIZ_TEST_TOKEN"]
    environment = arena.observe(
        """
        import ctypes, os
        raw = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
        entries = []
        while raw[len(entries)]:
            entries.append(raw[len(entries)].decode())
        report([dict(os.environ), entries])
        """
    )
    names, entries = environment
    assert set(names) & set(os.environ) <= {*KEPT_VARIABLES, *OWN}
    assert not [entry for entry in entries if "DLQUIZ_TEST" in entry]


def test_frames_and_modules_lead_only_to_the_workers_own_code(arena) -> None:
    files = arena.observe(
        """
        import sys
        frame, files = sys._getframe(), []
        while frame:
            files.append(frame.f_code.co_filename)
            frame = frame.f_back
        report(files)
        """
    )
    assert not [name for name in files if "hidden" in name or "pytest" in name or name.endswith("referee.py")]


def test_only_the_connection_is_inherited(arena) -> None:
    descriptors = arena.observe(
        """
        import os, stat
        found = []
        for descriptor in range(3, 256):
            try:
                mode = os.fstat(descriptor).st_mode
            except OSError:
                continue
            found.append(stat.S_IFMT(mode))
        report([mode for mode in found if stat.S_ISREG(mode) or stat.S_ISSOCK(mode) or stat.S_ISDIR(mode)])
        """
    )
    # Its connection, and its own module while that is imported at most.
    assert len([mode for mode in descriptors if (mode & 0o170000) == 0o140000]) == 1
    assert len(descriptors) <= 2
