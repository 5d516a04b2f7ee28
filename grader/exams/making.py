"""Write an exam: a folder for each student, and one file for the instructor."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import grader
from dlquiz.quiz.items import Bank, BankError, Item, load_bank
from grader.exams.asked import Pictures, asked
from grader.exams.errors import ExamError
from grader.exams.exam import FILE, Entry, Exam, digest_of, digest_of_bank, dump, paper_of
from grader.exams.rendering import student_files

MAX_TITLE = 120


def open_bank(folder: str) -> Bank:
    """The bank of a folder, or for "" the package's own.

    Raises:
        ExamError: with everything that is wrong with it.
    """
    try:
        return load_bank(Path(folder) if folder else None)
    except BankError as error:
        raise ExamError(str(error)) from None


def make(
    folder: Path,
    items: Sequence[Item],
    students: Sequence[str],
    *,
    seed: int,
    title: str,
    bank: Bank,
    bank_folder: str = "",
) -> Exam:
    """Write an exam to a folder, whole or not at all.

    `FOLDER/students/NAME/` is all that a student may have; `FOLDER/exam.json` is the instructor's.

    Args:
        items: of the bank; each is worth a point.
        bank_folder: where the bank is, as `exam.json` tells it.

    Raises:
        ExamError: the folder is there already, the title cannot be shown, or an item cannot be asked.
        OSError: it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExamError(
            f"{folder} is there already, and nothing in it was touched: name another folder with -o"
        )
    if not title.strip() or not title.isprintable() or len(title) > MAX_TITLE:
        raise ExamError(f"--title: expected 1 to {MAX_TITLE} printable characters, received {title[:40]!r}")
    points = {item.id: 1.0 for item in items}
    pictures = Pictures()
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        digests = {}
        for student in students:
            paper = paper_of(student, items, seed)
            digests[student] = paper.digest()
            own = made / "students" / student
            own.mkdir(parents=True)
            for name, text in student_files(title, student, asked(paper, points, pictures)).items():
                (own / name).write_text(text, encoding="utf-8", newline="")
        exam = Exam(
            title=title,
            seed=seed,
            bank=bank_folder,
            bank_digest=digest_of_bank(bank),
            entries=tuple(Entry(item.id, digest_of(item), points[item.id]) for item in items),
            students=digests,
            version=grader.__version__,
        )
        (made / FILE).write_text(dump(exam), encoding="utf-8")
        (made / FILE).chmod(0o600)
        os.replace(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return exam
