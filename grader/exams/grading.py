"""Mark answers against the key, which the seed makes again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import grader
from dlquiz.quiz.items import Bank, Item
from dlquiz.quiz.marking import AnswerError, Mark, mark, right_answer
from dlquiz.quiz.posing import Question
from dlquiz.testing.verdict import Verdict
from grader.exams.answers import MAX_ANSWER, Pile, Sheet
from grader.exams.errors import ExamError
from grader.exams.exam import Entry, Exam, Paper, digest_of, digest_of_bank, paper_of
from grader.report.text import clean
from grader.result import ProblemResult, Result, TestResult

_TITLE = 100


@dataclass(frozen=True)
class Answered:
    """One student's answer to one item.

    Attributes:
        name: "Q3", of that student's paper.
        answer: as it was given; "" where there is none, or several.
        mark: None where there is none, or it cannot be read.
        reason: why it cannot be read, or "".
    """

    name: str
    question: Question
    answer: str
    mark: Mark | None
    reason: str

    @property
    def score(self) -> float:
        """From 0 to 1."""
        return self.mark.score if self.mark else 0.0

    @property
    def parts(self) -> tuple[str, ...]:
        """What the answer says, in words that are the same for all students; nothing where it could not be read.

        Of choices their texts, after the truth value if there is one; of pairs each as "left → right"; of steps all in
        one; the word of a blank; of a number the mistake that it shows, if that is known.
        """
        if self.mark is None:
            return ()
        question, kind = self.question, self.question.item.type
        words = re.split(r"[\s,;]+", self.answer.strip())
        if kind == "fill":
            return (question.item.accepted[0] if self.mark.score else " ".join(words),)
        if not question.letters:
            return (self.mark.feedback,) if self.mark.feedback else ()
        truth = kind == "true-false"
        letters = "".join(words[1:] if truth else words).upper()
        texts = [choice.text for choice in question.choices] or question.rights or question.steps
        said = [texts[question.letters.index(letter)] for letter in letters]
        if kind == "matching":
            return tuple(map(pair, question.lefts, said))
        if kind == "ordering":
            return (in_order(said),)
        return ("true" if words[0].casefold().startswith("t") else "false", *said) if truth else tuple(said)


def pair(left: str, right: str) -> str:
    """A pair as one text."""
    return f"{left} → {right}"


def in_order(steps: Sequence[str]) -> str:
    """Steps as one text."""
    return " · ".join(steps)


@dataclass(frozen=True)
class Marked:
    """A student's paper, marked: every question in the order of the paper."""

    sheet: Sheet
    answered: tuple[Answered, ...]


def items_of(exam: Exam, bank: Bank) -> tuple[list[Item], str]:
    """The items of an exam as the bank has them, and what has changed about the bank, if anything.

    Raises:
        ExamError: an item is gone, or asks something else now, or something else is right.
    """
    wrong = [
        entry.id
        for entry in exam.entries
        if entry.id not in bank.by_id or digest_of(bank.by_id[entry.id]) != entry.digest
    ]
    if wrong:
        raise ExamError(
            f"the bank has changed since the papers were made: {', '.join(wrong)} of the exam's {len(exam.entries)} "
            "items are gone or differ, and no mark can be trusted; name the bank as it was with --bank FOLDER"
        )
    note = ""
    if digest_of_bank(bank) != exam.bank_digest:
        note = "The bank has changed since the papers were made; the items of this exam are the same."
    return [bank.by_id[entry.id] for entry in exam.entries], note


def mark_pile(exam: Exam, items: list[Item], pile: Pile) -> Iterator[Marked]:
    """Mark all that was handed in, student by student.

    Raises:
        ExamError: a paper comes out otherwise than it was given out.
    """
    for sheet in pile.sheets:
        paper = paper_of(sheet.student, items, exam.seed)
        if paper.digest() != exam.students[sheet.student]:
            raise ExamError(
                f"the paper of {sheet.student} comes out otherwise than it was given out, so no mark can be trusted: "
                f"exam.json was changed, or numbers are drawn in another way since version {exam.version} made it "
                f"(this is {grader.__version__}); grade with that version"
            )
        yield Marked(sheet, tuple(_marked(sheet, paper)))


def result_of(exam: Exam, marked: Marked) -> Result:
    """What the gradebook keeps: a problem for each item in the order of the exam, a test for each question."""
    entries = {entry.id: entry for entry in exam.entries}
    tests = tuple(_test(entries[one.question.item.id], one) for one in marked.answered)
    of = {test.problem: test.points for test in tests}
    problem = marked.sheet.problem
    return Result(
        student=marked.sheet.student,
        assignment=exam.assignment,
        points=sum(of.values()),
        max_points=exam.max_points,
        graded=True,
        seed=exam.seed,
        problems=tuple(
            ProblemResult(entry.id, entry.id, of[entry.id], entry.points) for entry in exam.entries
        ),
        tests=tests,
        notes=(*([f"the answers could not be read: {problem}"] if problem else []), *marked.sheet.notes),
        submission_hash=marked.sheet.digest,
        assignment_hash=exam.digest(),
        grader_version=grader.__version__,
        isolation="none is needed",
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _marked(sheet: Sheet, paper: Paper) -> Iterator[Answered]:
    for place, question in enumerate(paper.questions, 1):
        name = f"Q{place}"
        given = sheet.given.get(name, ())
        if len(given) > 1:
            yield Answered(name, question, "", None, f"answered in {len(given)} ways: one counts")
        elif not given:
            yield Answered(name, question, "", None, "")
        elif len(given[0]) > MAX_ANSWER:
            yield Answered(name, question, "", None, f"expected at most {MAX_ANSWER} characters")
        else:
            try:
                yield Answered(name, question, given[0], mark(question, given[0]), "")
            except AnswerError as error:
                yield Answered(name, question, given[0], None, str(error))


def _test(entry: Entry, one: Answered) -> TestResult:
    verdict = Verdict.PASSED if one.score == 1 else Verdict.FAILED
    if one.mark is None and not one.reason:
        verdict = Verdict.NOT_ATTEMPTED
    title = " ".join(one.question.text.split())
    told = [
        f"answered: {one.answer}" if one.answer else "",
        one.mark.feedback if one.mark else "",
    ]
    return TestResult(
        name=one.name,
        problem=entry.id,
        verdict=verdict,
        points=entry.points * one.score,
        max_points=entry.points,
        title=title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…",
        hint=one.question.explanation,
        message="\n".join(clean(text) for text in told if text),
        reason=clean(one.reason),
        detail=f"right: {right_answer(one.question)}",
    )
