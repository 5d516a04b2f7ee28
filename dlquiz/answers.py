"""A student's answers as they stand in a folder: Python files, or notebooks that stand for them."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dlquiz.checking.forbidden import Scan, Use, find_forbidden
from dlquiz.checking.outcome import Outcome
from dlquiz.checking.unfinished import Broken, Stub, broken, stubs
from dlquiz.handouts import TESTS, Handout, HandoutError
from dlquiz.notebooks.cells import Unusable, convert

MAX_FILE = 1_000_000
MAX_NOTEBOOK = 20_000_000
SUFFIX = ".ipynb"


@dataclass(frozen=True)
class Answer:
    """One of the files to hand in.

    Attributes:
        name: what the assignment asks for, such as "normalization.py".
        file: what is there: that, or a notebook of the same stem.
        content: the bytes of `file`.
        source: the module: `content` itself, or what a notebook makes, as the grader reads it.
        broken: why the module does not compile.
        beside: the name of a file that would also do, and is left out.
        warnings: what of a notebook was dropped and may be missed.
        notes: everything of a notebook that was dropped.
        places: for a notebook, the code cell and the line in it of each line of `source`.
    """

    name: str
    file: Path
    content: bytes
    source: bytes
    broken: Broken | None = None
    beside: str = ""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    places: tuple[tuple[int, int], ...] = ()

    def place(self, line: int) -> tuple[str, int]:
        """Where a line of the module stands: words for the file or the cell, and the line in it."""
        if not self.places or not 1 <= line <= len(self.places):
            return self.file.name, line
        cell, own = self.places[line - 1]
        return f"{self.file.name}, cell {cell}", own

    def forbidden(self, names: Sequence[str]) -> dict[str, Scan]:
        """Where it uses what is forbidden, by the words for the file or the cell."""
        scan = find_forbidden(self.source, names)
        found = {self.file.name: Scan(problem=scan.problem)} if scan.problem or not self.places else {}
        for use in scan.uses:
            where, line = self.place(use.line)
            before = found.get(where, Scan())
            found[where] = replace(before, uses=(*before.uses, Use(line, use.name)))
        return found

    def stubs(self) -> dict[str, tuple[Stub, ...]]:
        """The functions that are still to be written, by the words for the file or the cell."""
        found: dict[str, tuple[Stub, ...]] = {}
        for stub in stubs(self.source):
            where, line = self.place(stub.line)
            found[where] = (*found.get(where, ()), replace(stub, line=line))
        return found

    def told(self, outcome: Outcome) -> Outcome:
        """An outcome whose lines are those of the notebook."""
        return replace(outcome, trace=self.trace(outcome.trace), message=self.named(outcome.message))

    def trace(self, text: str) -> str:
        """A trace whose lines are those of the notebook."""

        def own(match: re.Match[str]) -> str:
            where, line = self.place(int(match[1]))
            return f"{where}, line {line}"

        return re.sub(rf"^{re.escape(self.name)}, line (\d+)", own, text, flags=re.MULTILINE)

    def named(self, message: str) -> str:
        """A message that begins with the file's own name."""
        start = f"{self.name} "
        return f"{self.file.name} {message.removeprefix(start)}" if message.startswith(start) else message


def find_answers(folder: Path, handout: Handout, named: Path | None = None) -> dict[str, Path]:
    """The file of each answer, by the name that the assignment asks for: the Python file, else a notebook of its stem.

    Args:
        named: a file that a student has named; a notebook that is named comes before the Python file.
    """
    found = {}
    for name in handout.submit:
        file = folder / name
        notebook = file.with_suffix(SUFFIX)
        wanted = named is not None and named.name == notebook.name
        found[name] = notebook if notebook.exists() and (wanted or not file.exists()) else file
    return found


def read_answers(folder: Path, handout: Handout, named: Path | None = None) -> list[Answer]:
    """Read the answers, in the assignment's order.

    Raises:
        HandoutError: one is missing, empty, no plain file, longer than the grader reads, or a damaged notebook.
    """
    return [_read(folder, handout, name, file) for name, file in find_answers(folder, handout, named).items()]


def _read(folder: Path, handout: Handout, name: str, file: Path) -> Answer:
    if not file.is_file():
        what = "is no plain file" if file.exists() else "is missing"
        raise HandoutError(
            f"{file} {what}: your answers belong there, and `dlquiz start {handout.slug} {folder}` puts the stub "
            "there if nothing is"
        )
    content = file.read_bytes()
    if not content.strip():
        raise HandoutError(f"{file} is empty: save your answers in it first")
    limit = MAX_NOTEBOOK if file.suffix == SUFFIX else MAX_FILE
    if len(content) > limit:
        leave = "clear its outputs" if file.suffix == SUFFIX else "leave data out"
        raise HandoutError(f"{file} is longer than {limit:,} bytes: the grader reads no more; {leave}")
    other = file.with_suffix(".py" if file.suffix == SUFFIX else SUFFIX)
    beside = other.name if other.exists() else ""
    if file.suffix != SUFFIX:
        return Answer(name, file, content, content, broken(file), beside)
    try:
        module = convert(content, name, MAX_FILE)
    except Unusable as reason:
        raise HandoutError(f"{file} {reason}") from None
    source = module.source.encode()
    if len(source) > MAX_FILE:
        raise HandoutError(
            f"the code of {file} is longer than {MAX_FILE:,} bytes: the grader reads no more; leave data out"
        )
    return Answer(
        name,
        file,
        content,
        source,
        beside=beside,
        warnings=module.warnings,
        notes=module.notes,
        places=module.places,
    )


@contextlib.contextmanager
def as_modules(folder: Path, answers: Sequence[Answer]) -> Iterator[Path]:
    """A folder in which every answer is a module: `folder` itself, or where one is a notebook, one made for it."""
    if not any(answer.places for answer in answers):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="dlquiz-") as made:
        for answer in answers:
            (Path(made) / answer.name).write_bytes(answer.source)
        shutil.copy(folder / TESTS, Path(made) / TESTS)
        yield Path(made)


def by_place(found: Sequence[Mapping[str, Scan]]) -> dict[str, Scan]:
    """The scans of several answers in one."""
    return {where: scan for scans in found for where, scan in scans.items()}
