"""A bank with items of every type, whose answers and explanations hold words that no paper may hold."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner, Result

from dlquiz.quiz.draws import drawn
from dlquiz.quiz.marking import right_answer
from grader.cli import main
from grader.exams.exam import Paper, load, paper_of
from grader.exams.making import open_bank

SECRET = "zyzzyva"  # in every text that is not for students


def _choices(*texts: str, rights: int = 1) -> list[dict[str, Any]]:
    return [
        {"text": text, "right": True} if place < rights else {"text": text, "feedback": f"{SECRET} feedback"}
        for place, text in enumerate(texts)
    ]


def _item(name: str, kind: str, question: str, difficulty: int, **told: Any) -> dict[str, Any]:
    return {
        "id": f"{SECRET}-{name}",
        "type": kind,
        "topics": ["sigmoid"],
        "difficulty": difficulty,
        "question": question,
        "explanation": f"{SECRET} explanation",
        "source": f"{SECRET} source",
        **told,
    }


TABLES = [
    _item("card", "card", "What is on the back?", 1, answer=f"{SECRET} back"),
    _item(
        "single",
        "single",
        "Which <b>one</b>?",
        1,
        choice=_choices("first", "second & last", "third", "fourth"),
    ),
    _item("multiple", "multiple", "Which two?", 2, choice=_choices("oak", "elm", "iron", "lead", rights=2)),
    _item("truth", "true-false", "It holds.", 3, answer=False, choice=_choices("as", "since", "for")),
    _item(
        "number",
        "numeric",
        "How much?",
        1,
        answer=0.7311,
        tolerance=0.005,
        unit="metres",
        mistake=[{"value": 0.2689, "feedback": f"{SECRET} mistake"}],
    ),
    _item("drawn", "drawn", "{size} less {cut}?", 2, draw="exam-cut"),
    _item(
        "pairs",
        "matching",
        "Match.",
        2,
        pairs=[["one", "uno"], ["two", "due"], ["three", "tre"], ["four", "quattro"]],
    ),
    _item("steps", "ordering", "Order.", 3, steps=["sow", "water", "reap"]),
    _item("fill", "fill", "It is a ____ word.", 1, accepted=[f"{SECRET}word"]),
    _item(
        "fix",
        "fix",
        "Which correction?",
        3,
        formula="a = b",
        choice=_choices("a = c", "a = d", "a = e"),
    ),
]


@dataclass
class Room:
    """A folder in which `grader exam` is called."""

    folder: Path
    bank: Path

    def write_bank(self, tables: list[dict[str, Any]], folder: str = "bank") -> Path:
        """Write a bank of one group."""
        where = self.folder / folder
        where.mkdir(exist_ok=True)
        (where / "activations.toml").write_text(tomli_w.dumps({"item": tables}), encoding="utf-8")
        return where

    def run(self, *arguments: str | Path, status: int = 0) -> Result:
        """Call it, and see that it ends so, and in no traceback."""
        result = CliRunner().invoke(main, ["exam", *map(str, arguments)], catch_exceptions=False)
        assert result.exit_code == status, result.output
        return result

    def make(
        self, students: str | Path = "2", out: str = "exam", *more: str, bank: Path | None = None
    ) -> Path:
        """Make an exam of all nine items that can be in one."""
        where = self.folder / out
        self.run(
            "make",
            "--bank",
            bank or self.bank,
            "-n",
            "9",
            "--students",
            students,
            "--seed",
            "5",
            "-o",
            where,
            *more,
        )
        return where

    def answers(self, **files: str | bytes) -> Path:
        """Write answer files: `ada_json` is ada.json."""
        where = self.folder / "answers"
        where.mkdir(exist_ok=True)
        for name, content in files.items():
            stem, _, suffix = name.rpartition("_")
            data = content.encode() if isinstance(content, str) else content
            (where / f"{stem.replace('_', '-')}.{suffix}").write_bytes(data)
        return where

    def grade(self, exam: Path, status: int = 0, *more: str | Path) -> Result:
        """Grade what `answers` wrote."""
        book = self.folder / "book.db"
        return self.run("grade", exam, self.folder / "answers", "--gradebook", book, *more, status=status)


def paper(exam_folder: Path, student: str) -> Paper:
    """A student's paper, with its key."""
    exam = load(exam_folder)
    bank = open_bank(exam.bank)
    return paper_of(student, [bank.by_id[entry.id] for entry in exam.entries], exam.seed)


def key(exam_folder: Path, student: str) -> dict[str, str]:
    """The right answers of a student's paper by "Q1", "Q2", ..."""
    questions = paper(exam_folder, student).questions
    return {f"Q{place}": right_answer(one) for place, one in enumerate(questions, 1)}


@pytest.fixture
def tables() -> list[dict[str, Any]]:
    """The bank's items, to change at will."""
    return copy.deepcopy(TABLES)


@pytest.fixture
def secret() -> str:
    """What no paper may hold."""
    return SECRET


@pytest.fixture
def key_of() -> Callable[[Path, str], dict[str, str]]:
    return key


@pytest.fixture
def paper_for() -> Callable[[Path, str], Paper]:
    return paper


@pytest.fixture
def cut_line(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes `exam-cut` draw, with an answer that is off by so much."""

    def install(off: int = 0) -> None:
        def cut(rng: random.Random) -> drawn.Drawn:
            size, cut = rng.randint(20, 99), rng.randint(1, 9)
            return drawn.Drawn(
                {"size": size, "cut": cut}, size - cut + off, ((size + cut, f"{SECRET} drawn"),)
            )

        drawn.drawings()
        monkeypatch.setitem(drawn.DRAWINGS, "exam-cut", cut)

    return install


@pytest.fixture
def room(tmp_path: Path, tables: list[dict[str, Any]], cut_line: Callable[..., None]) -> Room:
    cut_line()
    made = Room(tmp_path, tmp_path / "bank")
    made.write_bank(tables)
    return made
