"""Read a class: a folder with one entry a student."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.submission.members import JUNK
from grader.submission.model import Submission
from grader.submission.names import shown_list, student_id
from grader.submission.read import FORMATS, read


class ClassError(ValueError):
    """The class itself cannot be read; the text says which folder and what to do."""


def read_class(folder: Path, submit: Sequence[str]) -> Iterator[Submission]:
    """Read every entry of a class, one at a time, in the order of the students' ids.

    Only names are held at once, so that a class of any size takes the memory of one submission. Names that
    start with a dot and what archive programs leave behind are passed over. Several entries of one student
    (`ada` and `ada.zip`) give one submission without files, whose problem names them all.

    Args:
        folder: the class.
        submit: the names of the files that the assignment asks for.

    Raises:
        ClassError: at once, when the folder is missing, not a folder, unreadable, or has no entries.
    """
    return _submissions(folder, submit, sorted(class_entries(folder).items()))


def class_entries(folder: Path) -> dict[str, list[str]]:
    """The names of a class's entries, by the id of the student they are of.

    Raises:
        ClassError: as `read_class` does.
    """
    entries: dict[str, list[str]] = {}
    try:
        with os.scandir(folder) as found:
            for entry in found:
                if not entry.name.startswith(".") and entry.name not in JUNK:
                    student = student_id(entry.name, entry.is_dir(follow_symlinks=False))
                    entries.setdefault(student, []).append(entry.name)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise ClassError(f"no class at {folder} ({reason}): give a folder with one entry a student") from None
    if not entries:
        raise ClassError(f"the class {folder} is empty: it takes one entry a student, {FORMATS} each")
    return entries


def _submissions(
    folder: Path, submit: Sequence[str], entries: list[tuple[str, list[str]]]
) -> Iterator[Submission]:
    for student, names in entries:
        if len(names) == 1:
            yield read(folder / names[0], submit)
        else:
            found = shown_list(sorted(names))
            yield Submission(student, problems=(f"{student} has several entries ({found}): keep one",))
