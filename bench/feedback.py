"""How soon a student has an answer; `python -m bench.feedback` measures this alone and renews its part of the
report."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import machine
from bench.bars import Bar
from bench.batch import ContenderFailed
from bench.measure import Spread
from bench.workloads import answers
from grader.assignment import find, load

ASSIGNMENT = "normalization"
MOST_SECONDS = 1.5
LEAST_GAIN = 5.0
PYTEST, COLD, WARM, WATCH = (
    "`pytest test_public.py`",
    "`dlquiz check`, cold",
    "`dlquiz check`, a helper waits",
    "`dlquiz watch`, from save to answer",
)
HEADING = "## Feedback for students"
_PATIENCE = 120.0
_FOOTER = "Watching "
_RIGHT = re.compile(r"All \d+ public tests passed|\d+ passed in ")

Rounds = Mapping[str, Sequence[float]]


def measure(rounds: int, folder: Path, say: Callable[[str], None]) -> Rounds:
    """Seconds of each contender, round by round: in each they answer the same right answer, then the next one.

    Raises:
        ContenderFailed: a right answer was not found right.
    """
    assignment = load(find(ASSIGNMENT))
    work = folder / ASSIGNMENT
    shutil.copytree(assignment.handout, work, ignore=shutil.ignore_patterns("__pycache__"))
    environment = _environment(folder)
    module = work / assignment.submit[0]
    texts = [file.read_text() for file in answers(assignment).values()]
    module.write_text(texts[0])
    _run(["-m", "dlquiz.cli", "start", ASSIGNMENT, str(work)], folder, environment)
    pytest = _pytest_arguments(module)
    check = ["-m", "dlquiz.cli", "check", str(work)]
    contenders: dict[str, Callable[[str], float]] = {
        PYTEST: lambda text: _command(pytest, module, text, work, environment),
        COLD: lambda text: _command(check, module, text, work, {**environment, "DLQUIZ_WARM": "0"}),
        WARM: lambda text: _helped(lambda: _command(check, module, text, work, environment), folder),
    }
    found: dict[str, list[float]] = {name: [] for name in (*contenders, WATCH)}
    say("feedback: compiling, and starting a helper")
    contenders[PYTEST](texts[0])
    with _helpers(folder, environment), _watching(work, environment) as watching:
        _command(check, module, texts[0], work, environment)
        watching.drain()
        contenders[WATCH] = lambda text: watching(module, text)
        names = list(contenders)
        for number in range(rounds):
            # no save of a text that was there before
            text = f"{texts[number % len(texts)]}\n# save {number}\n"
            turn = number % len(names)
            for name in (*names[turn:], *names[:turn]):
                seconds = contenders[name](f"{text}# {name}\n")
                if name != WATCH:
                    watching.drain()
                found[name].append(seconds)
                say(f"feedback: round {number + 1}/{rounds}, {name}: {seconds:.3f} s")
    return found


def bars(rounds: Rounds) -> list[Bar]:
    """What is promised to students."""
    gain = _ratio(rounds, WATCH)
    watch, warm = Spread.of(rounds[WATCH]), Spread.of(rounds[WARM])
    most = f"at most {MOST_SECONDS:g} s"
    return [
        Bar("an answer to a save", most, f"{watch} s", watch.middle <= MOST_SECONDS),
        Bar(
            "the same: faster than `pytest`",
            f"at least {LEAST_GAIN:g}x",
            f"{gain}x",
            gain.middle >= LEAST_GAIN,
        ),
        Bar("the second `dlquiz check`", most, f"{warm} s", warm.middle <= MOST_SECONDS),
    ]


def section(rounds: Rounds, facts: Mapping[str, str] | None = None) -> str:
    """The part of the report, as Markdown.

    Args:
        facts: when and where it was measured, if not with everything else; then its bars are told here.
    """
    rows = "\n".join(
        f"| {name} | {Spread.of(seconds)} | {'1' if name == PYTEST else _ratio(rounds, name)} |"
        for name, seconds in rounds.items()
    )
    about = _about(rounds, facts) if facts else ""
    return f"""\
{HEADING}

{about}\
The public tests of `{ASSIGNMENT}`, all of which pass; {len(rounds[PYTEST])} rounds.

|  | s | times faster than pytest |
| --- | --- | --- |
{rows}

- In one round each contender answers one save of the same right answer, in the next round of the next one. They take
  turns, and ratios are taken round by round: medians, with the lowest and the highest in brackets.
- A command's time is from its start to its end; that of `dlquiz watch` from before the file is replaced until the whole
  report is read from its output. Everything is compiled beforehand, and nobody has a limit of threads.
- A save that another contender answers is answered by `dlquiz watch` too, before that one's turn comes.
"""


def _about(rounds: Rounds, facts: Mapping[str, str]) -> str:
    told = "\n".join(f"- {name}: {text}" for name, text in facts.items())
    judged = "\n".join(
        f"| {'met' if bar.met else 'missed'} | {bar.what} | {bar.wanted} | {bar.found} |"
        for bar in bars(rounds)
    )
    return f"{told}\n\n|  | bar | wanted | found |\n| --- | --- | --- | --- |\n{judged}\n\n"


def renew(report: str, fresh: str) -> str:
    """A report in which this part is the fresh one; at its end if there was none."""
    before, found, rest = report.partition(f"{HEADING}\n")
    if not found:
        return f"{report.rstrip()}\n\n{fresh}"
    _, following, after = rest.partition("\n## ")
    return before + fresh + (f"\n## {after}" if following else "")


def _ratio(rounds: Rounds, name: str) -> Spread:
    return Spread.of([slow / fast for slow, fast in zip(rounds[PYTEST], rounds[name], strict=True)])


def _environment(folder: Path) -> dict[str, str]:
    """A student's own: nothing is set for the sake of speed."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "CI", "DLQUIZ_WARM")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    (folder / "run").mkdir(mode=0o700, parents=True)
    return {
        **kept,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "XDG_RUNTIME_DIR": str(folder / "run"),
        "XDG_DATA_HOME": str(folder / "data"),
    }


def _pytest_arguments(module: Path) -> list[str]:
    tests = module.with_name("test_public.py")
    words = "-m pytest -q -p no:cacheprovider -p no:hypothesispytest --import-mode=importlib".split()
    words += ["-c", os.devnull, "--rootdir", str(module.parent), "--student", str(module)]
    return [*words, str(tests)]


def _save(module: Path, text: str) -> None:
    fresh = module.with_name(f".{module.name}.tmp")
    fresh.write_text(text)
    os.replace(fresh, module)


def _run(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    ran = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    if ran.returncode:
        raise ContenderFailed(f"{' '.join(arguments)}:\n{ran.stdout[-2000:]}{ran.stderr[-1000:]}")
    return ran.stdout


def _command(
    arguments: Sequence[str], module: Path, text: str, folder: Path, environment: Mapping[str, str]
) -> float:
    _save(module, text)
    # Whatever else is watching shall have had its answer first.
    time.sleep(2 * MOST_SECONDS)
    started = time.monotonic()
    said = _run(arguments, folder, environment)
    seconds = time.monotonic() - started
    if not _RIGHT.search(said):
        raise ContenderFailed(f"{' '.join(arguments)}:\n{said[-2000:]}")
    return seconds


def _helped(check: Callable[[], float], folder: Path) -> float:
    """Repeat a check that replaced the helper: something was installed or edited meanwhile."""
    for _ in range(3):
        helper = _helper(folder)
        seconds = check()
        if _helper(folder) == helper:
            return seconds
    raise ContenderFailed("the helper is replaced again and again: does somebody edit dlquiz meanwhile?")


def _helper(folder: Path) -> str:
    """Wait for the helper; its process id."""
    deadline = time.monotonic() + _PATIENCE
    while not list((folder / "run" / "dlquiz").glob("*.sock")):
        if time.monotonic() > deadline:
            raise ContenderFailed("no helper came")
        time.sleep(0.1)
    (lock,) = (folder / "run" / "dlquiz").glob("*.lock")
    return lock.read_text()


@contextlib.contextmanager
def _helpers(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Helpers are ended in the end."""
    try:
        yield
    finally:
        _run(["-c", "from dlquiz.checking.borrowed import end_helpers; end_helpers()"], folder, environment)


class _Watching:
    """A `dlquiz watch`, whose lines are read as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._answers: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def __call__(self, module: Path, text: str) -> float:
        """Seconds from a save to its answer."""
        self.drain()
        started = time.monotonic()
        _save(module, text)
        self.answer()
        return time.monotonic() - started

    def answer(self) -> None:
        """Wait for one. Raises ContenderFailed."""
        try:
            said = self._answers.get(timeout=_PATIENCE)
        except queue.Empty:
            said = None
        if said is None or not _RIGHT.search(said):
            raise ContenderFailed(f"dlquiz watch:\n{said or 'no answer'}")

    def drain(self) -> None:
        """Forget what was answered until now."""
        while not self._answers.empty():
            self.answer()

    def _read(self) -> None:
        assert self._process.stdout
        lines: list[str] = []
        for line in self._process.stdout:
            lines.append(line)
            if line.startswith(_FOOTER):
                self._answers.put("".join(lines))
                lines.clear()
        self._answers.put(None)


@contextlib.contextmanager
def _watching(work: Path, environment: Mapping[str, str]) -> Iterator[_Watching]:
    command = [sys.executable, "-m", "dlquiz.cli", "watch", str(work)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            watching = _Watching(process)
            watching.answer()
            yield watching
        finally:
            process.terminate()


def main() -> None:
    """Measure, print, and renew this part of the report."""
    results = Path(__file__).parent / "results.md"
    about = machine.describe()
    date = datetime.now(UTC).isoformat(" ", "minutes")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rounds = measure(10, Path(folder), lambda text: print(text, file=sys.stderr))
    facts = {"date": date, "command": "`python -m bench.feedback`", **about}
    fresh = section(rounds, facts)
    print(fresh)
    results.write_text(renew(results.read_text(), fresh))


if __name__ == "__main__":
    main()
