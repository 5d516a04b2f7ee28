"""What students get: it tells no answer, is their own, and reads as it was meant."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from dlquiz.quiz.marking import right_answer
from dlquiz.quiz.plots.plot import plottings
from grader.exams.asked import Pictures, asked
from grader.exams.exam import load, paper_of
from grader.exams.making import open_bank
from grader.exams.rendering import markdown, student_files


def given_out(exam: Path) -> dict[str, bytes]:
    """Every file below the students' folders, by its name there."""
    students = exam / "students"
    return {
        file.relative_to(students).as_posix(): file.read_bytes()
        for file in students.rglob("*")
        if file.is_file()
    }


class Page(HTMLParser):
    """The tags and the texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def test_no_file_of_a_student_holds_an_id_an_explanation_or_a_hidden_answer(room: Any, secret: str) -> None:
    files = given_out(room.make("3"))
    assert len(files) == 3 * 4
    for name, content in files.items():
        assert secret.encode() not in content.lower(), name
        assert secret not in name


def test_only_the_instructors_file_is_outside_the_students_folders(room: Any) -> None:
    exam = room.make("2")
    outside = [file.name for file in exam.iterdir()]
    assert sorted(outside) == ["exam.json", "students"]
    assert (exam / "exam.json").stat().st_mode & 0o077 == 0


def other_answers(table: dict[str, Any]) -> dict[str, Any]:
    """The same question with something else right."""
    other = {**table, "explanation": "Other.", "source": "Elsewhere."}
    if "choice" in table:
        texts = [choice["text"] for choice in table["choice"]]
        rights = [choice.get("right", False) for choice in table["choice"]]
        other["choice"] = [
            {"text": text, "right": True} if right else {"text": text, "feedback": "Other."}
            for text, right in zip(texts, [rights[-1], *rights[:-1]], strict=True)
        ]
    match table["type"]:
        case "true-false":
            other["answer"] = not table["answer"]
        case "numeric":
            other |= {"answer": 0.1234, "mistake": [{"value": 0.9, "feedback": "Other."}]}
        case "fill":
            other["accepted"] = ["another"]
    return other


def test_a_paper_does_not_depend_on_what_is_right(
    room: Any, tables: list[dict[str, Any]], cut_line: Callable[[int], None]
) -> None:
    # of pairs and steps the order in the bank is the answer: they have a test of their own
    one_way = [table for table in tables if table["type"] not in ("matching", "ordering")]
    told = ("-n", "7", "--title", "T")
    first = room.make("5", "first", *told, bank=room.write_bank(one_way, "one-bank"))
    cut_line(17)
    changed = [other_answers(table) for table in one_way]
    second = room.make("5", "second", *told, bank=room.write_bank(changed, "other-bank"))
    files = given_out(first)
    assert len(files) == 5 * 4
    assert files == given_out(second)
    # and something else is right, of every item
    digests = [{entry.digest for entry in load(exam).entries} for exam in (first, second)]
    kept = digests[0] & digests[1]
    assert len(kept) == 1  # that of the drawn one, whose answer is no part of the bank
    assert {*load(first).students.values()}.isdisjoint(load(second).students.values())


@pytest.mark.parametrize(("kind", "ways"), [("ordering", 6), ("matching", 24)])
def test_the_right_order_of_letters_is_a_matter_of_chance(room: Any, kind: str, ways: int) -> None:
    items = [item for item in open_bank(str(room.bank)).items if item.type == kind]
    drawn = 100 * ways
    counts = Counter(right_answer(paper_of(f"s{n}", items, 1).questions[0]) for n in range(drawn))
    assert len(counts) == ways
    # chi-square of so many equally likely ways, five standard deviations above its mean
    chi_square = sum((count - 100) ** 2 / 100 for count in counts.values())
    assert chi_square < ways - 1 + 5 * (2 * (ways - 1)) ** 0.5


def test_where_a_right_choice_or_a_question_stands_is_a_matter_of_chance(room: Any) -> None:
    items = [item for item in open_bank(str(room.bank)).items if item.type in ("single", "fix", "numeric")]
    papers = [paper_of(f"s{n}", items, 1) for n in range(1200)]
    letters = Counter(
        right_answer(one) for paper in papers for one in paper.questions if one.item.type == "single"
    )
    assert sorted(letters) == list("ABCD")
    assert all(abs(count - 300) < 75 for count in letters.values())
    firsts = Counter(paper.questions[0].item.type for paper in papers)
    assert all(abs(count - 400) < 82 for count in firsts.values())


def test_each_student_has_the_same_items_in_another_order_with_other_numbers(
    room: Any, paper_for: Callable[..., Any]
) -> None:
    exam = room.make("4")
    papers = [paper_for(exam, f"student-{n}") for n in range(1, 5)]
    assert len({frozenset(one.item.id for one in paper.questions) for paper in papers}) == 1
    assert len({tuple(one.item.id for one in paper.questions) for paper in papers}) == 4
    drawn = [one.text for paper in papers for one in paper.questions if one.item.type == "drawn"]
    assert len(set(drawn)) > 1


def test_a_seed_makes_the_same_files_again_and_another_seed_others(room: Any) -> None:
    first = given_out(room.make("2", "one", "--title", "T"))
    assert given_out(room.make("2", "two", "--title", "T")) == first
    assert given_out(room.make("2", "three", "--title", "T", "--seed", "6")) != first


def test_a_paper_does_not_change_with_who_else_sits_the_exam(room: Any) -> None:
    few, many = given_out(room.make("2", "a", "--title", "T")), given_out(room.make("5", "b", "--title", "T"))
    assert few.items() <= many.items()


def test_the_page_needs_no_network_and_runs_nothing(room: Any, tables: list[dict[str, Any]]) -> None:
    names = list(plottings())[:2]
    tables[1]["plot"], tables[2]["plot"], tables[3]["plot"] = names[0], names[0], names[1]
    tables[1]["question"] = 'Is <script>alert(1)</script> & `<img src=x>` "text"?'
    exam = room.make("1", bank=room.write_bank(tables))
    own = exam / "students" / "student-1"
    text = (own / "paper.html").read_text(encoding="utf-8")
    page = Page(text)
    tags = Counter(tag for tag, _ in page.tags)
    assert tags["svg"] == 3
    assert not tags.keys() & {"script", "img", "link", "iframe", "object"}
    assert "alert(1)" in text
    assert "default-src 'none'" in text
    links = [
        value or ""
        for _, told in page.tags
        for name, value in told.items()
        if name in ("src", "href", "xlink:href")
    ]
    assert links
    assert all(link.startswith("#") for link in links)
    # so every picture refers to its own parts
    ids = [told["id"] for _, told in page.tags if "id" in told]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links} | set(re.findall(r"url\(#([^)]*)\)", text)) <= set(ids)
    assert sorted(file.suffix for file in own.iterdir() if file.name.startswith("Q")) == [".svg"] * 3


def test_page_markdown_and_sheets_ask_the_same(room: Any, paper_for: Callable[..., Any]) -> None:
    exam = room.make("1")
    own = exam / "students" / "student-1"
    page = (own / "paper.html").read_text(encoding="utf-8")
    shown = MarkdownIt("commonmark").render((own / "paper.md").read_text(encoding="utf-8"))
    for text in (page, shown):
        words = " ".join(Page(text).words)
        for place, one in enumerate(paper_for(exam, "student-1").questions, 1):
            assert f"Q{place} " in words
            for part in (
                one.text,
                one.formula,
                *(choice.text for choice in one.choices),
                *one.lefts,
                *one.rights,
                *one.steps,
            ):
                assert part in words
    names = [f"Q{place}" for place in range(1, 10)]
    sheet = (own / "student-1.csv").read_text(encoding="utf-8").splitlines()
    assert sheet == ["question,answer", *(f"{name}," for name in names)]
    assert json.loads((own / "student-1.json").read_text(encoding="utf-8")) == {
        "exam": "exam", "student": "student-1", "answers": dict.fromkeys(names, ""),
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "*a* _b_ __c__ **d** ~e~ ____",
        "<b>x</b> &amp; <!-- y --> [z](w) ![v](u) <http://a.b>",
        "# no title",
        "1. no list",
        "12) none",
        "- none\n+ none\n> none\n=== none\n--- none",
        "two\nlines and `code *with* <marks>`",
        "\\ | $x$ !x",
        "    no code block",
        "a\n\nb\n    c",
    ],
)
def test_markdown_shows_a_text_as_it_is(text: str) -> None:
    shown = Page(MarkdownIt("commonmark").render(markdown(text)))
    assert {tag for tag, _ in shown.tags} <= {"p", "code", "br"}
    assert shown.words == text.replace("`", "").split()


def test_a_name_that_looks_like_markup_is_shown(room: Any) -> None:
    roster = room.folder / "roster.csv"
    roster.write_text("student\n<i>a&b\n")
    own = room.make(roster) / "students" / "<i>a&b"
    page = Page((own / "paper.html").read_text(encoding="utf-8"))
    assert "<i>a&b" in page.words
    assert not any(tag == "i" for tag, _ in page.tags)


def test_a_paper_of_the_whole_public_bank_reads_well_and_explains_nothing() -> None:
    # without the pictures, which take long to draw
    items = [replace(item, plot="") for item in open_bank("").items if item.type != "card"]
    paper = paper_of("ada", items, 3)
    questions = asked(paper, {item.id: 1.0 for item in items}, Pictures())
    files = student_files("Exam", "ada", questions)
    shown = MarkdownIt("commonmark").render(files["paper.md"])
    pages = ["".join(Page(text).words) for text in (files["paper.html"], shown)]
    everything = "".join("".join(text.split()) for text in files.values())
    words = set(re.findall(r"[\w-]+", " ".join(files.values())))
    for one in paper.questions:
        assert one.item.id not in words or "-" not in one.item.id
        assert "".join(one.explanation.split()) not in everything
        for text in (
            one.text,
            one.formula,
            *(choice.text for choice in one.choices),
            *one.lefts,
            *one.rights,
        ):
            assert all("".join(text.replace("`", "").split()) in page for page in pages), one.item.id
