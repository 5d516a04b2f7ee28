"""What a worker tries from inside its process: files, processes, signals, sockets, system calls.

Every way out is also tried where nothing confines it, so that a way that cannot work anywhere proves nothing here.
"""

from __future__ import annotations

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

import psutil
import pyseccomp
import pytest

HERE = Path(__file__).parent


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("escapes", HERE / "escapes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ESCAPES = _load()
# What an ordinary user, or a container, is refused as well.
PRIVILEGED_CALLS = {
    "bpf", "fanotify_init", "fsopen", "init_module", "io_uring_setup", "kexec_load", "memfd_secret", "mount", "open_by_handle_at",
    "open_tree", "perf_event_open", "pivot_root", "swapon", "umount2", "userfaultfd",
}  # fmt: skip


def numbers() -> dict[str, int]:
    names = {*ESCAPES.LOOKED_AT, "fork", "clone", "clone3", "process_vm_readv", "process_vm_writev", "rt_sigqueueinfo", "tgkill"}
    return {name: pyseccomp.resolve_syscall(pyseccomp.system_arch(), name) for name in sorted(names)}


@pytest.fixture(scope="module")
def context(arena, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What an attacker could know at best: every path, process and address."""
    outside = tmp_path_factory.mktemp("outside")
    victim = outside / "victim"
    victim.write_text("still here")
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    abstract = f"dlquiz-{os.getpid()}"
    sibling = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
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
    sibling.kill()
    sibling.wait()


@pytest.fixture
def target() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"]) as process:
        yield process
        process.kill()


@pytest.fixture(scope="module")
def inside(arena, context: dict[str, Any]) -> tuple[dict[str, str], list[str]]:
    """What was found from inside a worker: the ways that failed, and the system calls that were looked at."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"]) as process:
        told = {**context, "confined": True, "target": process.pid}
        code = (HERE / "escapes.py").read_text().replace('if __name__ == "__main__":', "if False:")
        code += f"\nCONTEXT = {told!r}\nreport([escaped(CONTEXT, WAYS), looked_at(CONTEXT['numbers'])])\n"
        (worked, failed), looked_at = arena.observe(code)
        alive = process.poll() is None
        process.kill()
    assert set(failed) | set(worked) == set(ESCAPES.WAYS)
    if alive:
        failed.setdefault("have the kernel signal another process", "the other process lives")
    return failed, looked_at


@pytest.fixture(scope="module")
def unconfined(context: dict[str, Any]) -> tuple[list[str], dict[str, str], list[str], int]:
    """The same, tried by an ordinary process; and the exit status of the process that it signalled."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"]) as process:
        told = {**context, "confined": False, "target": process.pid}
        command = [sys.executable, str(HERE / "escapes.py"), json.dumps(told)]
        out = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        (worked, failed), looked_at = json.loads(out)
        process.kill() if process.poll() is None and "have the kernel signal another process" not in worked else None
        status = process.wait(10)
    return worked, failed, looked_at, status


@pytest.mark.parametrize("name", ESCAPES.WAYS)
def test_a_worker_cannot(name: str, inside, unconfined) -> None:
    failed, _ = inside
    assert name in failed
    worked, why, _, _ = unconfined
    assert name in worked, f"the way does not work anywhere: {why.get(name)}"


def test_the_kernel_signals_nobody_on_a_workers_behalf(inside, unconfined) -> None:
    assert "have the kernel signal another process" in inside[0]
    assert unconfined[3] == -signal.SIGTERM


@pytest.mark.parametrize("name", ESCAPES.LOOKED_AT)
def test_the_kernel_does_not_look_at_a_workers(name: str, inside, unconfined) -> None:
    assert name not in inside[1]
    if name not in PRIVILEGED_CALLS:
        assert name in unconfined[2], "the arguments show nothing: no process gets further"


def test_the_file_that_a_worker_tried_to_spoil_is_whole(inside, context: dict[str, Any]) -> None:
    # The unconfined control empties it, so this looks at what the engine's run left.
    assert inside[0]["empty a file by its path"].startswith("PermissionError")
    assert Path(context["victim"]).exists()


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
        keeps=("scale", "layer", "descend", "recover", "squares", "lines"),
    )
    (test,) = [test for test in result.tests if test.problem == "words"]
    # Killed for it, or told that there is no such call; never a process.
    assert test.verdict in ("crashed", "timeout", "failed")
    assert "RESULT" not in test.output or int(test.output.split()[1]) < 0


def test_a_fork_bomb_leaves_no_process(arena) -> None:
    before = {process.pid for process in psutil.process_iter()}
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
    assert not [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.pid not in before and "grader.engine.zygote" in (process.info["cmdline"] or [])
    ] or arena.strangers() == []


def test_nothing_of_the_graders_is_in_a_workers_memory(arena) -> None:
    """Every byte of its writable memory is searched, for what the secrets hold and for the suite's own words."""
    code = """
        import ctypes
        import time

        def search(needles, seconds):
            end = time.monotonic() + seconds
            found, read = [], 0
            for line in open("/proc/self/maps"):
                span, rights, _, _, inode, *name = line.split()
                low, high = (int(edge, 16) for edge in span.split("-"))
                if not rights.startswith("rw") or high - low > 2**28 or name[:1] == ["[vvar]"]:
                    continue
                if time.monotonic() > end:
                    break
                block = ctypes.string_at(low, high - low)
                read += len(block)
                found += [needle.decode() for needle in needles if needle in block]
            return sorted(set(found)), read
        """
    # In pieces, so that the search does not find itself.
    needles = ['b"GRADER-" + b"ONLY-"', 'b"test_rec" + b"over"', 'b"DLQUIZ_TEST_" + b"TOKEN"', 'b"hidden/" + b"test_hid"']
    call = f"found = search([{', '.join(needles)}], 1.2)\n"
    found, read = arena.observe(code + "\n        " + call + "        report(found)\n")
    assert found == []
    assert read > 2**20
    import textwrap

    control = f"held = b'GRADER-ONLY-' + b'1234'\n{textwrap.dedent(code)}\n{call}print(found)"
    out = subprocess.run([sys.executable, "-c", control], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "GRADER-ONLY-" in out


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
    kept = {"LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TZ", "HOME", "PWD", "TMPDIR", "KERAS_HOME"}
    kept |= {"CUDA_VISIBLE_DEVICES", "KERAS_BACKEND", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONHASHSEED"}
    kept |= {"PYTHONDONTWRITEBYTECODE", "TF_CPP_MIN_LOG_LEVEL", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS"}
    names, entries = environment
    assert {name for name in names if not name.startswith(("TF2_", "TF_", "TPU_", "KMP_"))} <= kept
    assert not [entry for entry in entries if "TOKEN" in entry]


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
