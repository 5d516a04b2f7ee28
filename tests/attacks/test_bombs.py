"""Modules that use up the machine: every bomb is bounded here, and none gets as far as its bound."""

from __future__ import annotations

import contextlib
import os
import time

import psutil
import pytest

MIB = 2**20


def resident(process: psutil.Process) -> float:
    return process.memory_info().rss / MIB


# Each would hold 330 MiB, beside the 300 MiB of a worker and under a limit of 500 MiB.
MEMORY = {
    "a block": "held = b'x' * (330 * 2**20); time.sleep(1)",
    "small objects": "held = [bytearray(100_000) for _ in range(3_300)]; time.sleep(1)",
    "an array": "held = np.ones(330 * 2**17); time.sleep(1)",
    "a mapping": "held = mmap.mmap(-1, 330 * 2**20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n"
    "    for _ in range(82): held.write(block)\n    time.sleep(1)",
    "shared memory that it lets go of": "held = mmap.mmap(-1, 330 * 2**20)\n    for _ in range(82):\n"
    "        held.write(block)\n        held.madvise(mmap.MADV_DONTNEED)\n    time.sleep(0.3)",
    "page tables": "size = 165 * 2**30\n    at = libc.mmap(None, size, 1, 0x4022, -1, 0)\n"
    "    bytes_ = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(at))\n"
    "    int(bytes_[::2 * 2**20].sum())\n    time.sleep(0.3)",
    "pages without its main thread": "threading.Thread(target=hog).start(); libc.syscall(60, 0)",
}


@pytest.mark.parametrize("bomb", MEMORY)
def test_a_memory_bomb_is_stopped(arena, bomb: str) -> None:
    result = arena.attack(
        f"""
import ctypes, mmap, os, threading, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
block = b"x" * 2**22
honest = words

def hog():
    time.sleep(0.1)
    held = bytearray(330 * 2**20)
    for at in range(0, len(held), 4096):
        held[at] = 1
    time.sleep(1)
    os._exit(33)

def words(text):
    {MEMORY[bomb]}
    return honest(text)
""",
        keeps=arena.without("words"),
    )
    (test,) = [test for test in result.tests if test.problem == "words"]
    # A mapping that seccomp refuses is an error of the student's.
    allowed = {"memory"} | ({"error"} if bomb == "shared memory that it lets go of" else set())
    allowed |= {"crashed"} if bomb == "pages without its main thread" else set()
    assert test.verdict in allowed, (test.verdict, test.message)
    assert "status 33" not in test.message


def test_a_worker_that_hangs_up_is_watched_until_it_is_gone(arena) -> None:
    with arena.watched(resident) as highest:
        started = time.monotonic()
        arena.attack(
            """
            import os, socket, stat, time
            def words(text):
                for descriptor in range(3, 256):
                    try:
                        if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                            os.close(descriptor)
                    except OSError:
                        pass
                held = []
                for _ in range(30):
                    held.append(b"x" * (100 * 2**20))
                time.sleep(60)
            """,
            keeps=arena.without("words"),
        )
    assert time.monotonic() - started < 10
    assert highest[0] < 1100


DISK = {
    "a file as large as may be, and another": "for name in 'ab':\n        try:\n            "
    "with open(name, 'wb') as file:\n"
    "                for _ in range(50): file.write(block)\n        except OSError:\n            pass",
    "many files": "for k in range(100):\n        with open(f'part{k}', 'wb') as file: file.write(block)",
    "files that it unlinks": "held = []\n    for k in range(100):\n        held.append(open('part', 'wb'))\n"
    "        os.unlink('part')\n        held[-1].write(block)",
    "files in folders": "for k in range(100):\n        os.mkdir(f'd{k}')\n        "
    "with open(f'd{k}/part', 'wb') as file:"
    "\n            file.write(block)",
    "a mapped file": "file = open('mapped', 'wb+')\n    for k in range(10):\n        "
    "os.truncate('mapped', (k + 1) * 40 * 2**20)\n"
    "        held = mmap.mmap(file.fileno(), 40 * 2**20, offset=k * 40 * 2**20)\n"
    "        for _ in range(10): held.write(block)\n        held.flush()",
    "the same bytes again and again": "file = open('same', 'wb')\n    for _ in range(100):\n        "
    "file.seek(0)\n        file.write(block)\n"
    "        file.flush()",
    "files that are renamed while they are counted": "threading.Thread(target=churn, daemon=True).start()\n"
    "    for k in range(100):\n        with open(f'part{k}', 'wb') as file: "
    "file.write(block)\n        time.sleep(0.01)",
}


@pytest.mark.parametrize("bomb", DISK)
def test_a_disk_bomb_is_stopped(arena, bomb: str) -> None:
    """Each would write 400 MiB; the limit is 64."""
    result = arena.attack(
        f"""
import mmap, os, threading, time
block = b"x" * 2**22
honest = words

def churn():
    while True:
        for k in range(300):
            for old, new in (("a", "b"), ("b", "a")):
                try:
                    os.rename(f"{{old}}{{k}}", f"{{new}}{{k}}")
                except OSError:
                    open(f"{{old}}{{k}}", "w").close()

def words(text):
    {DISK[bomb]}
    time.sleep(0.5)
    return honest(text)
""",
        keeps=arena.without("words"),
    )
    (test,) = [test for test in result.tests if test.problem == "words"]
    assert test.verdict in ("crashed", "error"), (test.verdict, test.message)
    assert (
        "MiB" in test.message or "File too large" in test.message or "Operation not permitted" in test.message
    )


def test_a_sparse_file_of_a_terabyte_is_refused(arena) -> None:
    sizes = arena.observe(
        """
        import os
        made = []
        file = os.open("sparse", os.O_RDWR | os.O_CREAT)
        for way in (lambda: os.ftruncate(file, 2**40), lambda: os.pwrite(file, b"x", 2**40)):
            try:
                way()
                made.append(os.path.getsize("sparse"))
            except OSError:
                pass
        report(made)
        """
    )
    assert sizes == []


def test_thousands_of_files_are_too_many(arena) -> None:
    """Empty files cost no byte, and yet the disk's table of files, and time to count and to remove."""
    result = arena.attack(
        """
        import time
        def make(letter):
            for k in range(1300):
                open(f"{letter}{k}", "w").close()
        make("a")
        def words(text):
            make("b")
            time.sleep(0.3)
            return {}
        """,
        keeps=arena.without("words"),
    )
    assert any("files" in hit for hit in result.limits_hit), result.limits_hit


TREES = {
    "folders without permission": "os.umask(0o777)\nfor k in range(20):\n    os.mkdir(f'm{k}')\n    "
    "open(f'f{k}', 'w').close()",
    "deep folders without permission": "os.makedirs('a/b/c')\nos.umask(0o777)\nos.mkdir('a/b/c/d')\n"
    "open('a/b/c/e', 'w').close()",
    "names that are no text": "for k in range(1, 256):\n    if k != 47:\n        open(bytes([k]) "
    "* 20, 'w').close()\nos.mkdir(b'-rf')",
    "an open file in a folder that is gone": "held = open('x', 'w')\nos.unlink('x')\nos.mkdir('y')\n"
    "os.chdir('y')\nos.rmdir('../y')",
    "its own module, replaced": "os.unlink('work.py')\nos.mkdir('work.py')\nopen('work.py/x', 'w').close()",
}


def test_a_process_with_a_name_that_is_no_text_is_watched_all_the_same(arena) -> None:
    arena.attack(
        """
        import ctypes, time
        honest = words
        names = [bytes([255, 254, 253]), b"a\\n) Z 1 1\\nx"]
        def words(text):
            for name in names:
                ctypes.CDLL(None).prctl(15, name, 0, 0, 0)
                time.sleep(0.1)
            return honest(text)
        def lines(names):
            held = b"x" * (330 * 2**20)
            time.sleep(1)
        """,
        keeps=arena.without("lines"),
        verdicts={"lines": "memory"},
    )


@pytest.mark.parametrize("tree", TREES)
def test_what_a_worker_left_is_removed(arena, tree: str) -> None:
    result = arena.attack(f"import os\n{TREES[tree]}\n", keeps=arena.without())
    assert not result.import_error


def test_folders_deeper_than_pythons_recursion_are_stopped_and_removed(arena) -> None:
    result = arena.attack("import os\nfor k in range(3000):\n    os.mkdir('d')\n    os.chdir('d')\n")
    assert {str(test.verdict) for test in result.tests} == {"crashed"}
    assert "levels deep" in result.import_error


def test_threads_without_end_are_stopped(arena) -> None:
    result = arena.attack(
        """
        import threading, time
        def words(text):
            for _ in range(300):
                threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            time.sleep(60)
        """,
        keeps=arena.without("words"),
        verdicts={"words": "crashed"},
    )
    assert any("threads" in hit for hit in result.limits_hit)


def test_file_descriptors_run_out_for_the_worker_alone(arena) -> None:
    before = len(os.listdir("/proc/self/fd"))
    opened = arena.observe(
        """
        import os
        held = []
        try:
            while len(held) < 5000:
                held.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            pass
        report(len(held))
        for descriptor in held:
            os.close(descriptor)
        """
    )
    assert 0 < opened < 1000
    assert len(os.listdir("/proc/self/fd")) <= before + 2


def test_pipes_hold_no_memory_beyond_their_default(arena) -> None:
    grown = arena.observe(
        """
        import fcntl, os
        read, write = os.pipe()
        try:
            report(fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 2**20))
        except OSError:
            report(0)
        """
    )
    assert grown == 0


def test_busy_threads_slow_nobody_after_their_end(arena) -> None:
    arena.attack(
        """
        import threading
        def burn():
            import zlib
            block = bytes(10**7)
            while True:
                zlib.compress(block, 9)
        for _ in range(20):
            threading.Thread(target=burn, daemon=True).start()
        def words(text):
            return {}
        """,
        keeps=arena.without("words"),
    )
    with contextlib.suppress(psutil.Error):
        busy = [child for child in arena.server.children(recursive=True) if child.num_threads() > 15]
        assert not busy
