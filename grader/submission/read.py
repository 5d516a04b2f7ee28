"""Read one entry of a class: a folder, a `.py`, a `.zip` or an `.ipynb`."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath

from grader.submission import archive, folder
from grader.submission.members import (
    MAX_NOTEBOOK,
    MAX_SOURCE,
    MAX_ZIP,
    Listing,
    Member,
    Unusable,
)
from grader.submission.model import Submission
from grader.submission.names import SUFFIXES, shown, shown_list, student_id
from grader.submission.notebook import module_source
from grader.submission.text import utf8_source

_NOTE_LENGTH = 600
_Opened = AbstractContextManager[Listing]
FORMATS = "a folder, a .py, a .zip or an .ipynb"


class _Reading:
    """What has been read of an entry so far."""

    def __init__(self, student: str) -> None:
        self.student = student
        self.files: dict[str, bytes] = {}
        self.notes: list[str] = []
        self.problems: list[str] = []

    def take(self, member: Member, name: str) -> None:
        """Read a member as the file `name`, or say why that cannot be."""
        try:
            if member.is_notebook:
                source, notes = module_source(member.load(MAX_NOTEBOOK), name)
            else:
                source, notes = utf8_source(member.load(MAX_SOURCE))
        except Unusable as reason:
            self.problems.append(f"{shown(member.path)} {reason}")
            return
        self.files[name] = source
        if member.name != name:
            self.notes.append(f"{shown(member.path)} read as {name}")
        self.notes += [f"{shown(member.path)}: {note}" for note in notes]

    def finish(self) -> Submission:
        """The submission."""
        notes = tuple(shown(note, _NOTE_LENGTH) for note in self.notes)
        problems = tuple(shown(problem, _NOTE_LENGTH) for problem in self.problems)
        return Submission(self.student, dict(sorted(self.files.items())), notes, problems)


def read(path: Path, submit: Sequence[str]) -> Submission:
    """Read one student's entry.

    A folder or zip is searched at its top and in the folders directly inside it for the files of `submit`, or
    for a notebook that stands for one: `normalization.ipynb` for `normalization.py`, and any one notebook
    where a single file is asked for. A lone `.py` or `.ipynb` entry of any name counts as the single file
    asked for. No other file is ever read; those that are there are noted.

    Args:
        path: the entry. Links are not followed.
        submit: the names of the files that the assignment asks for.

    Returns:
        The submission. Its student is the entry's name made safe (see `names.student_id`). Whatever is wrong
        with the entry is in `problems`; nothing a student can hand in raises.
    """
    name = path.name or path.resolve().name
    try:
        mode = os.lstat(path).st_mode
    except OSError as error:
        reading = _Reading(student_id(name, is_folder=False))
        reading.problems.append(f"{shown(name)} {folder.unreadable(error)}")
        return reading.finish()
    reading = _Reading(student_id(name, stat.S_ISDIR(mode)))
    try:
        if stat.S_ISDIR(mode):
            _search(reading, name, submit, folder.listing(path))
            return reading.finish()
        folder.require_plain(mode)
        if name.lower().endswith(".zip"):
            _search(reading, name, submit, archive.listing(folder.read_plain(path, MAX_ZIP)))
        elif name.lower().endswith(SUFFIXES):
            _single(reading, Member((name,), lambda limit: folder.read_plain(path, limit)), submit)
        else:
            raise Unusable(f"is in no accepted format: hand in {FORMATS}")
    except Unusable as reason:
        reading.problems.append(f"{shown(name)} {reason}")
    return reading.finish()


def _single(reading: _Reading, member: Member, submit: Sequence[str]) -> None:
    same_stem = [name for name in submit if PurePosixPath(name).stem == PurePosixPath(member.name).stem]
    if len(submit) > 1 and not same_stem:
        raise Unusable(f"is one file of {len(submit)}: hand in {', '.join(submit)} in a folder or a .zip")
    target = same_stem[0] if same_stem else submit[0]
    reading.take(member, target)
    reading.problems += [
        f"{name} is missing: hand in a folder or a .zip" for name in submit if name != target
    ]


def _search(reading: _Reading, entry: str, submit: Sequence[str], opened: _Opened) -> None:
    with opened as listing:
        reading.notes += listing.notes
        members = listing.members
        base = _base(members, submit)
        taken: list[Member] = []
        for name in submit:
            candidates = _candidates(members, base, name, alone=len(submit) == 1)
            taken += candidates
            if len(candidates) == 1:
                reading.take(candidates[0], name)
            elif candidates:
                found = shown_list([member.path for member in candidates])
                reading.problems.append(f"{name} is there more than once ({found}): keep one")
            else:
                reading.problems.append(_missing(name, entry, members))
        ignored = [member.path for member in members if member not in taken]
        if ignored:
            reading.notes.append(f"ignored, since only {', '.join(submit)} counts: {shown_list(ignored)}")


def _base(members: Sequence[Member], submit: Sequence[str]) -> tuple[str, ...]:
    """The folder that the files are read from: the top, or the one folder in it that holds one of them.

    Raises:
        Unusable: when several folders hold one.
    """
    for wanted in (lambda member: member.name in submit, lambda member: member.is_notebook):
        for depth in (1, 2):
            here = [member for member in members if len(member.parts) == depth]
            found = sorted({member.parts[:-1] for member in here if wanted(member)})
            if len(found) > 1:
                folders = shown_list(["/".join(parts) for parts in found])
                raise Unusable(f"has {', '.join(submit)} in several folders ({folders}): keep one")
            if found:
                return found[0]
    return ()


def _candidates(members: Sequence[Member], base: tuple[str, ...], name: str, alone: bool) -> list[Member]:
    here = [member for member in members if member.parts[:-1] == base]
    notebooks = [member for member in here if member.is_notebook]
    stem = PurePosixPath(name).stem
    return (
        [member for member in here if member.name == name]
        or [member for member in notebooks if PurePosixPath(member.name).stem == stem]
        or (notebooks if alone else [])
    )


def _missing(name: str, entry: str, members: Sequence[Member]) -> str:
    if not members:
        return f"{name} is missing: {shown(entry)} holds no files"
    found = shown_list([member.path for member in members])
    nested = any(member.name.lower().endswith(".zip") for member in members)
    return (
        f"{name} is missing: {shown(entry)} holds {found}"
        + ("; a zip inside an entry is not opened" if nested else "")
        + ". Hand in a file of just that name, at the top or in one folder"
    )
