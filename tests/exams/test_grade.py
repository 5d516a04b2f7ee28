"""`grader exam grade`: right answers count, whatever else is in a file, and no mark rests on another key."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.cli import main
from grader.exams.answers import MAX_BYTES, read_pile
from grader.gradebook import Gradebook
from grader.result import Result

ADA = "student-1"


def as_csv(answers: dict[str, str]) -> str:
    return "question,answer\n" + "".join(f"{name},{answer}\n" for name, answer in answers.items())


def as_json(answers: dict[str, Any]) -> str:
    return json.dumps({"student": ADA, "answers": answers})


@pytest.fixture
def exam(room: Any) -> Path:
    made: Path = room.make("3")
    return made


@pytest.fixture
def right(exam: Path, key_of: Callable[[Path, str], dict[str, str]]) -> dict[str, str]:
    """Ada's right answers."""
    return key_of(exam, ADA)


@pytest.fixture
def mark(room: Any, exam: Path) -> Callable[..., Result]:
    """Grade one file of Ada's, and give what the gradebook has then."""

    def graded(content: str | bytes, suffix: str = "csv") -> Result:
        room.answers(**{f"student_1_{suffix}": content})
        room.grade(exam)
        (room.folder / "answers" / f"{ADA}.{suffix}").unlink()
        with Gradebook(room.folder / "book.db") as book:
            result = book.mark(ADA, "exam:exam")
            assert result is not None
            return result

    return graded


def reasons(result: Result) -> dict[str, str]:
    return {test.name: test.reason for test in result.tests if test.reason}


def missed(result: Result) -> list[str]:
    return sorted(test.name for test in result.tests if test.points < test.max_points)


@pytest.mark.parametrize("student", ["student-1", "student-2", "student-3"])
def test_right_answers_earn_all_points_for_their_own_student_only(
    room: Any, exam: Path, key_of: Callable[..., dict[str, str]], student: str
) -> None:
    answers = as_csv(key_of(exam, student))
    room.answers(student_1_csv=answers, student_2_csv=answers, student_3_csv=answers)
    room.grade(exam, 0, "--json", room.folder / "told.json")
    told = json.loads((room.folder / "told.json").read_text())
    full = [one["student"] for one in told["students"] if one["points"] == 9]
    assert full == [student]


def test_every_form_of_file_is_read(mark: Callable[..., Result], right: dict[str, str]) -> None:
    table = as_csv(right)
    semicolons = "\n".join(line.replace(",", ";", 1) for line in table.splitlines())
    numbers = as_json({name: float(a) if "." in a else a for name, a in right.items()})
    for content, suffix in [
        (table, "csv"),
        (table.replace("\n", "\r\n"), "csv"),
        (table.encode("utf-8-sig"), "csv"),
        (table.encode("utf-16"), "csv"),
        (semicolons, "csv"),
        (table.replace(",", "\t"), "csv"),
        (table.partition("\n")[2].lower(), "csv"),
        ("\n".join(f'"{n}"," {a} ",,' for n, a in right.items()), "csv"),
        ("\n".join(f"{n},{a.replace(' ', ',')}" for n, a in right.items()), "csv"),
        (as_json(right), "json"),
        (as_json(right).encode("utf-8-sig"), "json"),
        (as_json(right).encode("utf-16"), "json"),
        (numbers, "json"),
        (json.dumps({"answers": right}, indent=2), "json"),
    ]:
        result = mark(content, suffix)
        assert result.points == 9, (content, reasons(result))
        assert not result.notes


def test_an_answer_in_an_old_encoding_is_read(
    mark: Callable[..., Result], right: dict[str, str], exam: Path
) -> None:
    name = next(name for name, answer in right.items() if answer == "zyzzyvaword")
    result = mark(as_csv({**right, name: "zyzzyvawörd"}).encode("cp1252"))
    assert result.points == 9  # accents do not count


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("%%", "expected"),
        ("A" * 501, "at most 500"),
        ("[31mA", "expected"),
        ("ZZ", "expected"),
        ("1,5", "expected"),
    ],
)
def test_an_answer_that_cannot_be_read_costs_its_question_only(
    mark: Callable[..., Result], right: dict[str, str], paper_for: Any, exam: Path, bad: str, reason: str
) -> None:
    types = {f"Q{n}": one.item.type for n, one in enumerate(paper_for(exam, ADA).questions, 1)}
    for name, kind in types.items():
        result = mark(as_csv({**right, name: f'"{bad}"'}))
        assert (result.points, missed(result)) == (8, [name])
        if kind != "fill":
            assert reason in reasons(result)[name]


def test_what_is_no_text_or_number_in_json_counts_nothing(
    mark: Callable[..., Result], right: dict[str, str]
) -> None:
    for value in (True, ["A"], {"A": "B"}, None, float("nan"), float("inf"), 10**4000, [[[[["A"]]]]]):
        result = mark(as_json({**right, "Q1": value}), "json")
        assert (result.points, missed(result)) == (8, ["Q1"])


def test_two_answers_to_a_question_count_nothing_unless_they_are_the_same(
    mark: Callable[..., Result], right: dict[str, str]
) -> None:
    result = mark(as_csv(right) + "Q1,A\nq1,B\n")
    assert missed(result) == ["Q1"]
    assert "ways" in reasons(result)["Q1"]
    assert mark(as_csv(right) + f"Q1,\nQ1,{right['Q1']}\n").points == 9
    pairs = ",".join(f'"{n}": "{a}"' for n, a in [*right.items(), ("Q2", "other")])
    assert missed(mark(f'{{"answers": {{{pairs}}}}}', "json")) == ["Q2"]


def test_questions_that_are_not_there_are_told(mark: Callable[..., Result], right: dict[str, str]) -> None:
    result = mark(as_csv(right) + "Q10,A\nQ0,A\nQ01,A\nQ\u0661,A\n\x1b[2J,A\nzyzzyva-single,A\n")
    assert result.points == 9
    assert "Q10, Q0, Q01" in result.notes[0]
    assert "\x1b" not in result.notes[0]


def test_a_sheet_of_another_is_told(mark: Callable[..., Result], right: dict[str, str]) -> None:
    result = mark(json.dumps({"student": "student-2", "answers": right}), "json")
    assert result.points == 9
    assert "student-2" in result.notes[0]


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (b"\x00\x01\x02", "csv"),
        (b"\xff\xfeodd", "csv"),
        (b"PK\x03\x04\x00\x00", "csv"),
        ("[" * 100_000, "json"),
        ('{"answers": ' * 20_000, "json"),
        ('{"answers": ["A"]}', "json"),
        ("[]", "json"),
        ("", "json"),
        ("nonsense", "json"),
        ('{"Q1": "A"}', "json"),
        ("Q1,A\n" * (MAX_BYTES // 5 + 1), "csv"),
        ("Q1," + "A" * 140_000, "csv"),
    ],
)
def test_a_file_that_cannot_be_read_earns_nothing_and_says_why(
    mark: Callable[..., Result], content: str | bytes, suffix: str
) -> None:
    result = mark(content, suffix)
    assert (result.points, result.max_points, result.graded) == (0, 9, True)
    assert "could not be read: expected" in result.notes[0]


def test_what_is_no_ordinary_file_is_not_followed_and_not_waited_for(
    room: Any, exam: Path, right: dict[str, str]
) -> None:
    answers = room.answers()
    (room.folder / "key.csv").write_text(as_csv(right))
    (answers / "student-1.csv").symlink_to(room.folder / "key.csv")
    os.mkfifo(answers / "student-2.csv")
    (answers / "student-3.csv").mkdir()
    room.grade(exam)
    with Gradebook(room.folder / "book.db") as book:
        marks = list(book.marks("exam:exam"))
    assert [mark.points for mark in marks] == [0, 0, 0]
    assert all("ordinary file" in mark.notes[0] for mark in marks)


def test_two_files_of_a_student_are_told(room: Any, exam: Path, right: dict[str, str]) -> None:
    room.answers(student_1_csv=as_csv(right), student_1_json=as_json(right))
    result = room.grade(exam)
    assert "there are several files" in result.output


def test_who_is_missing_and_who_is_strange_is_told_and_not_marked(
    room: Any, exam: Path, right: dict[str, str]
) -> None:
    room.answers(student_1_csv=as_csv(right), mallory_csv="Q1,A\n", student_2_pdf="")
    (room.folder / "answers" / "\x1b[31m.csv").write_text("")
    (room.folder / "answers" / ".hidden").write_text("")
    result = room.grade(exam, 0, "--json", room.folder / "told.json")
    told = json.loads((room.folder / "told.json").read_text())
    assert [one["student"] for one in told["students"]] == [ADA]
    assert told["missing"] == ["student-2", "student-3"]
    assert told["strangers"] == ["\ufffd[31m.csv", "mallory.csv", "student-2.pdf"]
    assert "mallory.csv" in result.output
    assert "\x1b[31m" not in result.output
    with Gradebook(room.folder / "book.db") as book:
        assert [mark.student for mark in book.marks("exam:exam")] == [ADA]


def test_a_blank_sheet_earns_nothing_and_is_no_fault(
    room: Any, exam: Path, mark: Callable[..., Result]
) -> None:
    for suffix in ("csv", "json"):
        result = mark((exam / "students" / ADA / f"{ADA}.{suffix}").read_text(), suffix)
        assert (result.points, result.notes, reasons(result)) == (0, (), {})
        assert {str(test.verdict) for test in result.tests} == {"not attempted"}


# Partial credit, and what a result tells.


def test_a_result_is_like_that_of_an_assignment(
    room: Any, mark: Callable[..., Result], right: dict[str, str]
) -> None:
    name = next(name for name, answer in right.items() if len(answer) == 3)  # the two of `multiple`
    result = mark(as_csv({**right, name: right[name][0]}))
    assert result.points == 8.5
    assert sum(problem.points for problem in result.problems) == 8.5
    (test,) = (test for test in result.tests if test.name == name)
    assert (test.verdict, test.points, test.problem) == ("failed", 0.5, "zyzzyva-multiple")
    assert result == Result.from_json(json.loads(json.dumps(result.to_json())))
    book = str(room.folder / "book.db")
    shown = CliRunner().invoke(main, ["show", ADA, "-a", "exam:exam", "--gradebook", book])
    assert shown.exit_code == 0
    assert "8.5 of 9" in shown.output
    assert "grader exam grade" in shown.output


def test_marks_are_recorded_once_and_written_as_csv(room: Any, exam: Path, right: dict[str, str]) -> None:
    room.answers(student_1_csv=as_csv(right))
    room.grade(exam)
    result = room.grade(exam, 0, "--csv", room.folder / "marks.csv")
    assert "1 unchanged since their mark" in result.output
    with Gradebook(room.folder / "book.db") as book:
        assert len(book.history(ADA, "exam:exam")) == 1
    header, row = (room.folder / "marks.csv").read_text().splitlines()
    assert row.startswith(f'"{ADA}",9.0,9.0,100.0,')
    assert '"zyzzyva-fill"' in header


def test_points_of_an_item_may_be_changed_in_the_file(room: Any, exam: Path, right: dict[str, str]) -> None:
    file = exam / "exam.json"
    told = json.loads(file.read_text())
    told["items"][0]["points"] = 4
    file.write_text(json.dumps(told))
    room.answers(student_1_csv=as_csv(right))
    assert "12/12" in room.grade(exam).output


# No mark may rest on another key than that of the paper.


def change(room: Any, tables: list[dict[str, Any]], **told: Any) -> None:
    tables[4] |= told
    room.write_bank(tables)


def test_a_bank_that_changed_elsewhere_is_told_and_graded(
    room: Any, exam: Path, tables: list[dict[str, Any]], right: dict[str, str]
) -> None:
    room.answers(student_1_csv=as_csv(right))
    assert "has changed" not in room.grade(exam).output
    tables[0]["question"] = "Another card?"
    change(room, tables, explanation="Better told.", source="Another.", difficulty=3)
    result = room.grade(exam)
    assert (
        "The bank has changed since the papers were made; the items of this exam are the same."
        in " ".join(result.output.split())
    )
    assert "9/9" in result.output


@pytest.mark.parametrize(
    "told",
    [{"answer": 0.5}, {"tolerance": 0.1}, {"question": "How many?"}, {"unit": "feet"}, {"id": "renamed"}],
)
def test_an_item_that_changed_is_named_and_nothing_is_marked(
    room: Any, exam: Path, tables: list[dict[str, Any]], right: dict[str, str], told: dict[str, Any]
) -> None:
    room.answers(student_1_csv=as_csv(right))
    change(room, tables, **told)
    result = room.grade(exam, 2)
    assert "zyzzyva-number of the exam's 9 items" in result.output
    assert not (room.folder / "book.db").exists()


def test_a_choice_whose_truth_changed_is_named(
    room: Any, exam: Path, tables: list[dict[str, Any]], right: dict[str, str]
) -> None:
    room.answers(student_1_csv=as_csv(right))
    first, second = tables[1]["choice"][:2]
    first["text"], second["text"] = second["text"], first["text"]
    room.write_bank(tables)
    assert "zyzzyva-single" in room.grade(exam, 2).output


def test_the_bank_as_it_was_can_be_named(
    room: Any, exam: Path, tables: list[dict[str, Any]], right: dict[str, str]
) -> None:
    room.answers(student_1_csv=as_csv(right))
    old = room.write_bank(tables, "old")
    change(room, tables, answer=0.5)
    room.grade(exam, 2)
    assert "9/9" in room.grade(exam, 0, "--bank", old).output


def test_numbers_that_are_drawn_otherwise_now_are_noticed(
    room: Any, exam: Path, right: dict[str, str], cut_line: Callable[[int], None]
) -> None:
    room.answers(student_1_csv=as_csv(right))
    cut_line(1)
    result = room.grade(exam, 2)
    assert "comes out otherwise" in result.output
    assert not (room.folder / "book.db").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", 2),
        ("seed", "5"),
        ("seed", True),
        ("seed", None),
        ("items", []),
        ("items", ["x"]),
        ("items", [{"id": "a", "digest": "b", "points": 0}]),
        ("items", [{"id": "a", "digest": "b", "points": True}]),
        ("items", [{"id": "a", "digest": "b", "points": 1}] * 2),
        ("items", [{"id": "a", "digest": 1, "points": 1}]),
        ("students", []),
        ("students", {"a": 1}),
        ("title", 3),
    ],
)
def test_a_damaged_exam_is_told(room: Any, exam: Path, key: str, value: Any) -> None:
    file = exam / "exam.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), key: value}))
    room.answers(student_1_csv="")
    result = room.grade(exam, 2)
    assert "exam.json: key `" in result.output
    assert len(result.output.splitlines()) == 1


def test_another_seed_in_the_file_is_noticed(room: Any, exam: Path, right: dict[str, str]) -> None:
    file = exam / "exam.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "seed": 6}))
    room.answers(student_1_csv=as_csv(right))
    assert "comes out otherwise" in room.grade(exam, 2).output


def test_what_is_not_there_is_told(room: Any, exam: Path) -> None:
    assert "no answers at" in room.grade(exam, 2).output
    room.answers()
    assert "no exam at" in room.grade(room.folder / "answers", 2).output
    (exam / "exam.json").write_text("{")
    assert "no JSON" in room.grade(exam, 2).output
    (exam / "exam.json").write_text("[" * 100_000)
    assert "no JSON" in room.grade(exam, 2).output


def test_the_gradebook_is_not_written_over(room: Any, exam: Path) -> None:
    room.answers(student_1_csv="")
    assert "is the gradebook" in room.grade(exam, 2, "--csv", room.folder / "book.db").output


# Whatever is in a file, grading it ends.


@given(
    data=st.one_of(
        st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))
    )
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    for suffix in ("csv", "json"):
        (tmp_path / f"a.{suffix}").write_bytes(data)
        pile = read_pile(tmp_path, ["a"], 9)
        (tmp_path / f"a.{suffix}").unlink()
        (sheet,) = pile.sheets
        assert all(
            name in {f"Q{n}" for n in range(1, 10)} and all(found) for name, found in sheet.given.items()
        )


def test_thousands_of_rows_for_one_question_take_no_time(room: Any, mark: Callable[..., Result]) -> None:
    import time

    started = time.monotonic()
    result = mark("".join(f"Q1,{n}\n" for n in range(25_000)))
    assert time.monotonic() - started < 5
    assert "25000 ways" in reasons(result)["Q1"]
