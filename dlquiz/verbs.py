"""What the `dlquiz` command's verbs do and print."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from dlquiz import handouts
from dlquiz.answers import SUFFIX, Answer, as_modules, by_place, find_answers, read_answers
from dlquiz.checking.forbidden import Scan
from dlquiz.checking.unfinished import Broken
from dlquiz.handouts import Handout, HandoutError
from dlquiz.output import consoles, write_json
from dlquiz.progress import Entry, Progress
from dlquiz.terminal import Indented, Signs, clean, points

if TYPE_CHECKING:
    from dlquiz.checking.run import Limits
    from dlquiz.checking.starting import Way

SCHEMA = 1
PASSED, FAILED, USAGE = 0, 1, 2


def show_course(json_file: str | None) -> None:
    """Print the assignments in course order, with what has been started."""
    out, err = consoles(json_file)
    progress = Progress()
    _tell_notes(progress, err)
    known = handouts.course()
    rows = []
    for slug, handout in known.items():
        entry = progress.entries.get(slug)
        out.print(
            Text.assemble((f"{slug:<26}", "bold"), f"{handout.points:>4g} points   {_state(entry)}".rstrip())
        )
        topics = Text(", ".join(handout.topics), "dim")
        out.print(Indented(topics, 2))
        rows.append(
            {
                "slug": slug,
                "title": handout.title,
                "topics": handout.topics,
                "points": handout.points,
                "progress": asdict(entry) if entry else None,
            }
        )
    if known:
        out.print("\nTake one with: dlquiz start NAME", highlight=False)
    else:
        out.print("This installation of dlquiz holds no assignments: install it again with pip.")
    write_json({"schema": SCHEMA, "assignments": rows}, json_file)


def _state(entry: Entry | None) -> str:
    if entry is None:
        return ""
    return f"{entry.passed} of {entry.total} public tests" if entry.checked else "started"


def start(slug: str, folder: Path | None, *, as_notebook: bool = False) -> None:
    """Copy an assignment out and say what was written and what was left alone. Raises HandoutError."""
    out, err = consoles(None)
    handout = handouts.find(slug)
    started = handouts.start(
        handout, Path(handout.slug) if folder is None else folder, as_notebook=as_notebook
    )
    progress = Progress()
    progress.started(handout.slug, started.folder)
    _tell_notes(progress, err)
    for name in started.written:
        out.print(Text(f"  wrote {started.folder / name}"), soft_wrap=True)
    for name in started.kept:
        out.print(
            Text(f"  left alone {started.folder / name}: it is there and differs from the handout", "yellow")
        )
    if not started.written:
        out.print("Everything was there already; nothing was written.", highlight=False)
    place = _quoted(started.folder)
    out.print(Text(f"\n{handout.title}, {points(handout.points)}. Begin with {started.folder / 'README.md'}"))
    answers = find_answers(started.folder, handout)
    if as_notebook and answers[handout.submit[0]].suffix != SUFFIX:
        told = (
            f"{handout.submit[0]} is there too, and comes before the notebook until you delete or rename it"
        )
        out.print(Text(told, "yellow"), soft_wrap=True)
    names = ", ".join(file.name for file in answers.values())
    out.print(Text(f"Write {names}, and check it with: dlquiz check {place}"))


def check(
    where: str | None,
    problems: Sequence[str],
    *,
    json_file: str | None,
    seed: int | None,
    timeout: float,
    memory_gb: float,
    warm: bool = True,
) -> int:
    """Run the public tests and tell by problem what passed; the exit status. Raises HandoutError.

    Args:
        warm: whether a helper may be used that has the libraries imported, and left for the next check.
    """
    from dlquiz.checking.borrowed import Borrowed, end_helpers, welcome
    from dlquiz.checking.run import Limits
    from dlquiz.checking.starting import Cold

    out, err = consoles(json_file)
    progress = Progress()
    folder, handout = _find_work(where, progress)
    handout.require_problems(problems)
    if not warm:
        end_helpers()
    borrowed = Borrowed() if warm and welcome() else None
    status = _judge(
        *(out, err, folder, handout),
        named=_named(where),
        problems=problems,
        seed=secrets.randbelow(2**31) if seed is None else seed,
        limits=Limits(timeout, int(memory_gb * 2**30)),
        json_file=json_file,
        way=borrowed or Cold(),
        progress=lambda: progress,
    )
    if borrowed:
        borrowed.leave_helper()
    return status


def watch(
    where: str | None, problems: Sequence[str], *, seed: int | None, timeout: float, memory_gb: float
) -> int:
    """Check now and after every save until Ctrl-C; the exit status. Raises HandoutError."""
    from dlquiz.checking.kept import Kept
    from dlquiz.checking.run import Limits
    from dlquiz.checking.watch import Saves, answer_saves

    out, err = consoles(None)
    progress = Progress()
    folder, handout = _find_work(where, progress)
    handout.require_problems(problems)
    _tell_notes(progress, err)
    groups = [(name, str(Path(name).with_suffix(SUFFIX))) for name in handout.submit]
    notes: list[str] = []
    drawn = secrets.randbelow(2**31) if seed is None else seed
    limits = Limits(timeout, int(memory_gb * 2**30))

    def turn_page() -> None:
        if out.is_terminal:
            out.clear()
        out.print(Text(time.strftime("%H:%M:%S"), "dim"))

    def judge(cancelled: Callable[[], bool]) -> None:
        try:
            _judge(
                *(out, err, folder, handout),
                named=named,
                problems=problems,
                seed=drawn,
                limits=limits,
                json_file=None,
                way=way,
                progress=Progress,
                cancelled=cancelled,
                turn_page=turn_page,
            )
        except (HandoutError, OSError) as error:
            turn_page()
            out.print(Text(clean(str(error)), "red"))
        for note in notes:
            out.print(Text(f"\n{note}", "yellow"))
        notes.clear()
        names = [*(file.name for file in find_answers(folder, handout, named).values()), handouts.TESTS]
        out.print(Text(f"\nWatching {' and '.join(names)}. Ctrl-C ends it.\n", "dim"))

    named = _named(where)
    way = Kept(notes.append)
    try:
        with Saves(folder.resolve(), [*groups, (handouts.TESTS,)]) as saves:
            answer_saves(saves, judge)
    except KeyboardInterrupt:
        return PASSED
    finally:
        way.close()


def _judge(
    out: Console,
    err: Console,
    folder: Path,
    handout: Handout,
    *,
    named: Path | None,
    problems: Sequence[str],
    seed: int,
    limits: Limits,
    json_file: str | None,
    way: Way,
    progress: Callable[[], Progress],
    cancelled: Callable[[], bool] = lambda: False,
    turn_page: Callable[[], None] = lambda: None,
) -> int:
    """Check what the files hold now. Raises HandoutError, Cancelled."""
    from dlquiz.checking import report
    from dlquiz.checking.run import CheckFault, run_public_tests

    _need_files(folder, handout, named)
    answers = read_answers(folder, handout, named)
    faults = {answer.file.name: answer.broken for answer in answers if answer.broken}
    if faults:
        turn_page()
        return _cannot_run(out, json_file, handout, [_syntax(name, fault) for name, fault in faults.items()])
    scans = by_place([answer.forbidden(handout.forbidden) for answer in answers])
    started = time.monotonic()
    try:
        with as_modules(folder, answers) as modules, err.status("starting Python") as status:
            outcomes = run_public_tests(
                modules,
                handout,
                problems=problems,
                seed=seed,
                limits=limits,
                notify=lambda text: status.update(Text(clean(text))),
                way=way,
                cancelled=cancelled,
            )
    except CheckFault as fault:
        if fault.usage:
            raise HandoutError(str(fault)) from None
        turn_page()
        message, lines = str(fault), fault.trace
        for answer in answers:
            message, lines = answer.named(message), answer.trace(lines)
        trace = [f"  {line}" for line in lines.splitlines()]
        return _cannot_run(out, json_file, handout, ["\n".join([message, *trace])])
    for answer in answers:
        outcomes = [answer.told(outcome) for outcome in outcomes]
    seconds = time.monotonic() - started
    found = report.parts(handout, outcomes, problems)
    turn_page()
    out.print(Text(f"{handout.title}: {folder}", "bold"), soft_wrap=True)
    _warn_of_files(out, answers)
    out.print()
    out.print(report.render(handout, found, out))
    _warn_forbidden(out, scans)
    out.print(report.closing(handout, found, partial=bool(problems), seed=seed, seconds=seconds))
    told = report.as_json(handout, found, scans, seed, seconds)
    remembered = progress()
    if not problems:
        remembered.checked(handout.slug, folder, told["passed"], told["total"])
    _tell_notes(remembered, err)
    write_json(told, json_file)
    return PASSED if told["passed"] == told["total"] else FAILED


def _syntax(name: str, fault: Broken) -> str:
    return f"{name} is not Python yet: {fault}" + (f"\n  {fault.source}" if fault.source else "")


def _cannot_run(out: Console, json_file: str | None, handout: Handout, messages: Sequence[str]) -> int:
    for message in messages:
        out.print(Text(clean(message), "red"))
    out.print("No test could be run.", highlight=False)
    write_json({"schema": SCHEMA, "assignment": handout.slug, "fault": "\n".join(messages)}, json_file)
    return FAILED


def _warn_forbidden(out: Console, scans: Mapping[str, Scan]) -> None:
    for file, scan in scans.items():
        if scan.problem:
            told = f"{file} could not be searched for forbidden names: {scan.problem}"
            out.print(Text(f"\n{told}", "yellow"), soft_wrap=True)
    lines = [
        f"{file}:{use.line}: {use.name} is forbidden in this assignment"
        for file, scan in scans.items()
        for use in scan.uses
    ]
    if lines:
        out.print(Text("\n" + "\n".join(lines), "yellow"), soft_wrap=True)
        out.print(Text("The grader does not let such code run: it costs what depends on it.", "yellow"))


def submit(where: str | None, output: Path | None, *, strict: bool, force: bool) -> int:
    """Make the archive to hand in; the exit status. Raises HandoutError."""
    from dlquiz.handing_in import archive, read_work, save

    out, err = consoles(None)
    progress = Progress()
    folder, handout = _find_work(where, progress)
    _tell_notes(progress, err)
    work = read_work(folder, handout, _named(where))
    _warn_of_files(out, work.answers)
    for name, fault in work.broken.items():
        out.print(Text(f"warning: {_syntax(name, fault)}", "yellow"))
    for name, left in work.stubs.items():
        if left:
            told = ", ".join(f"{stub.name} (line {stub.line})" for stub in left)
            out.print(Text(f"warning: not attempted in {name}: {told}", "yellow"))
    _warn_forbidden(out, work.scans)
    if strict and work.unfinished:
        out.print("Nothing was written, since --strict is given and this is not finished.", highlight=False)
        return FAILED
    for answer in work.answers:
        for note in answer.notes:
            if note not in answer.warnings:
                out.print(Text(f"{answer.file.name}: {note}", "dim"), soft_wrap=True)
    target = save(archive(folder, handout, work), output, handout.slug, force=force)
    out.print(
        Text(f"{target} holds {', '.join(work.files)} and a manifest: hand this file in."), soft_wrap=True
    )
    return PASSED


def doctor(json_file: str | None) -> int:
    """Examine this machine; the exit status."""
    from dlquiz.doctor import examine

    out, err = consoles(json_file)
    signs = Signs(out)
    findings = []
    with err.status("importing TensorFlow"):
        for finding in examine():
            findings.append(finding)
            sign = {True: signs.good, False: signs.bad, None: signs.open}[finding.ok]
            line = Text.assemble(sign, " ", (finding.what, "bold"), f": {clean(finding.found)}")
            if finding.ok is False:
                line.append(f". To do: {finding.fix}", "yellow")
            out.print(line)
    wrong = sum(finding.ok is False for finding in findings)
    told = f"{wrong} of these should be put right." if wrong else "This machine is ready."
    out.print(f"\n{told}", highlight=False)
    rows = [{**asdict(finding), "fix": finding.fix if finding.ok is False else ""} for finding in findings]
    write_json({"schema": SCHEMA, "findings": rows}, json_file)
    return FAILED if wrong else PASSED


def _find_work(where: str | None, progress: Progress) -> tuple[Path, Handout]:
    """The assignment's folder that is meant: a folder, a file in one, or the name of an assignment that was started.

    Raises:
        HandoutError: there is none.
    """
    path = Path(where or ".")
    if path.exists():
        folder = path if path.is_dir() else path.parent
        return folder, handouts.read_folder(folder)
    slug = str(where).rstrip("/\\").replace("_", "-")
    here = Path(".")
    if (here / handouts.MANIFEST).is_file() and handouts.read_folder(here).slug == slug:
        return here, handouts.read_folder(here)
    folder_known = progress.folder(slug)
    if folder_known is not None:
        return folder_known, handouts.read_folder(folder_known)
    raise HandoutError(
        f"there is no file or folder {where}, and no assignment of that name was started: "
        "`dlquiz start NAME` begins one"
    )


def _named(where: str | None) -> Path | None:
    """The file that the student has named, if it was a file."""
    return Path(where) if where and Path(where).is_file() else None


def _need_files(folder: Path, handout: Handout, named: Path | None) -> None:
    files = {**find_answers(folder, handout, named), handouts.TESTS: folder / handouts.TESTS}
    missing = [name for name, file in files.items() if not file.is_file()]
    if missing:
        raise HandoutError(
            f"{folder} has no {', '.join(missing)}: `dlquiz start {handout.slug} {_quoted(folder)}` puts the handout's "
            "own there and leaves your files alone"
        )


def _warn_of_files(out: Console, answers: Sequence[Answer]) -> None:
    for answer in answers:
        told = [f"{answer.file.name}: {warning}" for warning in answer.warnings]
        if answer.beside:
            told.append(f"{answer.file.name} is taken, and {answer.beside} beside it is left out")
        for text in told:
            out.print(Text(clean(text), "yellow"), soft_wrap=True)


def _quoted(path: Path) -> str:
    text = str(path)
    return f'"{text}"' if " " in text else text


def _tell_notes(progress: Progress, err: Console) -> None:
    for note in progress.notes:
        err.print(Text(f"note: {note}", "yellow"), soft_wrap=True)
    progress.notes.clear()
