"""`dlquiz watch`: every way to save is answered, whatever the student's code does, and nothing is left in the end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import Result

Dlquiz = Callable[..., Result]
Write = Callable[[str], None]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")

FORK = "from dlquiz.cli import main; main()"
SPARE = f"from dlquiz.checking import kept; kept.CAN_FORK = False; {FORK}"
FOOTER = "Ctrl-C ends it."
BROKEN = "def total(values):\n    return 0\n"


class Watching:
    """A `dlquiz watch` whose output goes to a file."""

    def __init__(self, world: Path, code: str, words: list[str]) -> None:
        self._said = world / "said"
        self._read = 0
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, "watch", "sums", *words], stdout=said, stderr=said
            )

    def answer(self, seconds: float = 40) -> str:
        """What is said up to the next footer."""
        deadline = time.monotonic() + seconds
        while True:
            text = self._said.read_text()
            end = text.find(FOOTER, self._read)
            if end >= 0:
                new, self._read = text[self._read : end], end + len(FOOTER)
                return new
            assert self.process.poll() is None, text
            assert time.monotonic() < deadline, text[self._read :]
            time.sleep(0.02)

    def silent(self, seconds: float) -> bool:
        """Whether nothing is answered for that long."""
        time.sleep(seconds)
        return FOOTER not in self._said.read_text()[self._read :]

    def end(self, sent: signal.Signals = signal.SIGINT) -> list[psutil.Process]:
        """End it; which of its processes are left."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(sent)
        self.process.wait(timeout=20)
        return psutil.wait_procs(family, timeout=10)[1]


@pytest.fixture
def watch(world: Path, sums: Path) -> Iterator[Callable[..., Watching]]:
    """Start watching; what it says first is read, unless it is asked for."""
    started: list[Watching] = []

    def start(*words: str, code: str = FORK, read: bool = True) -> Watching:
        started.append(Watching(world, code, list(words)))
        if read:
            assert "All 4 public tests passed" in started[-1].answer()
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            assert one.end() == []


def replace(file: Path, text: str) -> None:
    """Save as many editors do: a new file takes the old one's name."""
    fresh = file.with_name(f".{file.name}.tmp")
    fresh.write_text(text)
    os.replace(fresh, file)


def test_every_save_is_answered_however_the_editor_writes(watch: Callable[..., Watching], sums: Path) -> None:
    module, good = sums / "sums.py", (sums / "sums.py").read_text()
    one = watch()
    module.write_text(good + BROKEN)
    assert "2 of 4 public tests passed" in one.answer()
    replace(module, good)
    assert "All 4" in one.answer()
    module.rename(sums / "sums.py~")
    replace(module, good + BROKEN)
    assert "2 of 4" in one.answer()
    with module.open("r+") as file:
        file.truncate()
        file.flush()
        time.sleep(0.2)
        file.write(good)
    assert "All 4" in one.answer()
    replace(sums / "test_public.py", (sums / "test_public.py").read_text().replace("== 0", "== 1"))
    assert "3 of 4" in one.answer()
    shutil.copy(module, sums / "notes.py")
    assert one.silent(1.5)


def test_a_syntax_error_is_shown_and_watching_goes_on(watch: Callable[..., Watching], sums: Path) -> None:
    module, good = sums / "sums.py", (sums / "sums.py").read_text()
    one = watch()
    replace(module, good + "(")
    assert "sums.py is not Python yet: line 12: '(' was never closed" in one.answer()
    replace(module, good + "undefined\n")
    assert "sums.py cannot be imported: NameError" in one.answer()
    replace(module, good)
    assert "All 4" in one.answer()
    tests = (sums / "test_public.py").read_text()
    replace(sums / "test_public.py", "assert False")
    assert "test_public.py cannot be used" in one.answer()
    replace(sums / "test_public.py", tests)
    assert "All 4" in one.answer()


def test_a_file_that_is_missing_for_a_moment_is_waited_for(
    watch: Callable[..., Watching], sums: Path
) -> None:
    module, good = sums / "sums.py", (sums / "sums.py").read_text()
    one = watch()
    module.unlink()
    time.sleep(0.3)
    module.write_text(good + BROKEN)
    assert "2 of 4" in one.answer()
    module.rename(sums / "elsewhere.py")
    assert "sums has no sums.py: `dlquiz start sums sums` puts" in re.sub(r"\s+", " ", one.answer())
    (sums / "elsewhere.py").rename(module)
    assert "2 of 4" in one.answer()
    module.write_text("")
    assert "sums.py is empty" in one.answer()


@pytest.mark.parametrize("code", [FORK, SPARE], ids=["forks", "spares"])
def test_of_ten_saves_in_a_second_the_last_is_judged_in_the_end(
    watch: Callable[..., Watching], sums: Path, code: str
) -> None:
    module, good = sums / "sums.py", (sums / "sums.py").read_text()
    one = watch(code=code)
    for count in range(10):
        replace(module, f"{good}\n\ndef total(values):\n    print('save', {count})\n    return 0\n")
        time.sleep(0.1)
    told = one.answer()
    while "save 9" not in told:
        told = one.answer()
    assert one.silent(1.5)


def test_a_run_under_way_ends_when_a_newer_save_comes(watch: Callable[..., Watching], sums: Path) -> None:
    module, good = sums / "sums.py", (sums / "sums.py").read_text()
    one = watch()
    replace(module, f"{good}open('here', 'w')\nimport time\ntime.sleep(15)\n")
    deadline = time.monotonic() + 20
    while not (sums / "here").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    began = time.monotonic()
    replace(module, good + BROKEN)
    assert "2 of 4" in one.answer()
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("code", [FORK, SPARE], ids=["forks", "spares"])
def test_hangs_crashes_and_full_memory_get_their_verdicts_and_watching_goes_on(
    watch: Callable[..., Watching], sums: Path, code: str
) -> None:
    module, good = sums / "sums.py", (sums / "sums.py").read_text()
    one = watch("--timeout", "3", "--memory", "0.25", "--seed", "7", code=code)
    replace(
        module,
        f"{good}\n\ndef total(values):\n    while True:\n        pass\n\n\ndef spread(values):\n"
        "    import ctypes, time\n    len(values) or ctypes.string_at(0)\n"
        "    kept = [np.ones(2**22) for _ in range(12)]\n    time.sleep(9)\n",
    )
    told = one.answer(60)
    assert re.findall(r"timeout|memory: |SIGSEGV", told) == ["timeout", "memory: ", "SIGSEGV"]
    assert "seed 7" in told
    replace(module, good)
    assert "All 4" in one.answer()


def test_code_that_kills_its_parent_costs_only_that_run(watch: Callable[..., Watching], sums: Path) -> None:
    module, good = sums / "sums.py", (sums / "sums.py").read_text()
    one = watch()
    replace(module, f"{good}\n\ndef total(values):\n    import os\n    os.kill(os.getppid(), 9)\n")
    assert "2 of 4" in one.answer()
    replace(module, good)
    assert "All 4" in one.answer()


def test_the_libraries_stay_imported(watch: Callable[..., Watching], sums: Path) -> None:
    module, good = sums / "sums.py", (sums / "sums.py").read_text()
    source = f"{good}\nimport os, psutil\nwhole = psutil.Process(os.getppid()).cmdline()\n"
    source += "def total(values):\n    print(whole)\n    return {}\n"
    one = watch("-k", "total", read=False)
    one.answer()
    replace(module, source.format(1))
    assert "'dlquiz.checking.forks'" in one.answer()
    replace(module, source.format(1).replace("import os", "import PIL, os"))
    assert "'PIL'" in one.answer()


def test_the_seed_is_drawn_once_and_progress_is_remembered(
    watch: Callable[..., Watching], sums: Path, dlquiz: Dlquiz, world: Path
) -> None:
    module, good = sums / "sums.py", (sums / "sums.py").read_text()
    one = watch(read=False)
    first = re.findall(r"seed (\d+)", one.answer())
    dlquiz("start", "normalization")
    replace(module, good + BROKEN)
    assert re.findall(r"seed (\d+)", one.answer()) == first
    told = json.loads((world.parent / "data" / "dlquiz" / "progress.json").read_text())["assignments"]
    assert (told["sums"]["passed"], told["sums"]["total"]) == (2, 4)
    assert "normalization" in told


def test_what_a_spare_costs_is_said_once(watch: Callable[..., Watching], sums: Path) -> None:
    module, good = sums / "sums.py", (sums / "sums.py").read_text()
    one = watch(code=SPARE, read=False)
    assert "takes its memory twice" in re.sub(r"\s+", " ", one.answer())
    replace(module, good + BROKEN)
    assert "memory twice" not in one.answer()


@pytest.mark.parametrize("code", [FORK, SPARE], ids=["forks", "spares"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "killed"])
def test_no_process_is_left(
    watch: Callable[..., Watching], sums: Path, code: str, sent: signal.Signals
) -> None:
    one = watch(code=code)
    replace(
        sums / "sums.py",
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'])\n"
        "open('here', 'w')\ntime.sleep(99)\n",
    )
    deadline = time.monotonic() + 20
    while not (sums / "here").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert one.end(sent) == []
    if sent is signal.SIGINT:
        assert one.process.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked")
def test_a_process_that_cannot_end_itself_is_ended_with_its_family(
    watch: Callable[..., Watching], sums: Path
) -> None:
    one = watch()
    replace(
        sums / "sums.py",
        "import os, signal, subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'], start_new_session=True)\n"
        "open('here', 'w')\nos.kill(os.getpid(), signal.SIGSTOP)\n",
    )
    deadline = time.monotonic() + 20
    while not (sums / "here").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert one.end(signal.SIGKILL) == []


def test_the_line_of_a_crash_is_that_of_the_newest_text(watch: Callable[..., Watching], sums: Path) -> None:
    module, good = sums / "sums.py", (sums / "sums.py").read_text()
    one = watch()
    for first in ("ctypes.string_at(0)", "ctypes.memset(0, 1, 1)"):
        replace(module, f"{good}\ndef total(values):\n    import ctypes\n    {first}\n")
        assert f"in total\n          {first}" in one.answer()


def test_a_folder_that_is_gone_ends_it_with_a_clear_message(
    watch: Callable[..., Watching], sums: Path, world: Path
) -> None:
    one = watch()
    shutil.rmtree(sums)
    assert one.process.wait(timeout=20) == 2
    assert f"dlquiz: {sums.resolve()}: it is gone" in (world / "said").read_text()


def test_a_terminal_is_cleared_and_shows_the_time(sums: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pexpect

    monkeypatch.setenv("TERM", "xterm")
    module, good = sums / "sums.py", (sums / "sums.py").read_text()
    words = ["-m", "dlquiz.cli", "check", "sums", "--watch"]
    terminal = pexpect.spawn(sys.executable, words, encoding="utf-8", timeout=40, dimensions=(40, 100))
    terminal.expect("\x1b\\[2J")
    terminal.expect(r"\d\d:\d\d:\d\d")
    terminal.expect("All 4 public tests passed")
    terminal.expect(re.escape(FOOTER))
    replace(module, good + BROKEN)
    terminal.expect("\x1b\\[2J")
    terminal.expect("2 of 4 public tests passed")
    terminal.expect(re.escape(FOOTER))
    family = psutil.Process(terminal.pid).children(recursive=True)
    terminal.sendintr()
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    assert "Traceback" not in terminal.before
    assert psutil.wait_procs(family, timeout=10)[1] == []


def test_piped_output_is_plain(watch: Callable[..., Watching], world: Path) -> None:
    watch()
    assert "\x1b" not in (world / "said").read_text()
    assert re.search(r"(?m)^\d\d:\d\d:\d\d$", (world / "said").read_text())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["watch", "nowhere"], "there is no file or folder nowhere"),
        (["watch", "sums", "-k", "totl"], "did you mean total?"),
        (["check", "sums", "--watch", "--json", "-"], "--watch cannot be combined with --json"),
    ],
)
def test_wrong_usage_is_one_clear_message(dlquiz: Dlquiz, sums: Path, words: Any, told: str) -> None:
    result = dlquiz(*words)
    assert result.exit_code == 2
    assert told in result.output
