"""`grader exam make`: which items, which students, and that nothing is ever overwritten."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from grader.exams.choosing import choose, students_of
from grader.exams.errors import ExamError
from grader.exams.exam import load
from grader.exams.making import open_bank


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_an_exam_is_never_overwritten(room: Any) -> None:
    exam = room.make()
    before = contents(exam)
    result = room.run("make", "--bank", room.bank, "-n", "2", "--students", "1", "-o", exam, status=2)
    assert "is there already" in result.output
    assert contents(exam) == before
    (room.folder / "file").write_text("mine")
    room.run("make", "--bank", room.bank, "-n", "2", "--students", "1", "-o", room.folder / "file", status=2)
    assert (room.folder / "file").read_text() == "mine"


def test_an_exam_is_made_whole_or_not_at_all(room: Any, tables: list[dict[str, Any]]) -> None:
    tables[1]["plot"] = "no-such-picture"
    bank = room.write_bank(tables, "broken")
    result = room.run(
        "make", "--bank", bank, "-n", "9", "--students", "2", "-o", room.folder / "exam", status=2
    )
    assert "no-such-picture" in result.output
    assert sorted(path.name for path in room.folder.iterdir()) == ["bank", "broken"]


def test_cards_are_never_asked(room: Any) -> None:
    exam = room.make()
    assert not any(entry.id.endswith("-card") for entry in load(exam).entries)
    result = room.run("make", "--types", "card", "--students", "1", "-o", room.folder / "e", status=2)
    assert "no exam has cards" in result.output


def test_too_few_items_are_counted(room: Any) -> None:
    result = room.run(
        "make", "--bank", room.bank, "-n", "10", "--students", "1", "-o", room.folder / "e", status=2
    )
    assert "has 9 items" in result.output
    assert not (room.folder / "e").exists()
    few = ["--types", "fill,fix", "--topics", "sigmoid"]
    result = room.run("make", "--bank", room.bank, *few, "--students", "1", "-o", room.folder / "e", status=2)
    assert "has 2 items of sigmoid that are fill, fix" in result.output


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--topics", "sigmoit"], "did you mean sigmoid?"),
        (["--types", "singel"], "did you mean single?"),
        (["--title", " "], "--title"),
        (["--title", "a\nb"], "--title"),
        (["--bank", "nowhere"], "nowhere: expected files of quiz items"),
    ],
)
def test_a_mistake_is_told_in_a_line(room: Any, arguments: list[str], text: str) -> None:
    where = ["--bank", room.bank, "-n", "2", "--students", "1", "-o", room.folder / "e"]
    result = room.run("make", *where, *arguments, status=2)
    assert text in result.output
    assert len(result.output.splitlines()) == 1
    assert not (room.folder / "e").exists()


@pytest.fixture(scope="module")
def public() -> Any:
    return open_bank("")


@pytest.mark.parametrize("seed", range(5))
def test_items_are_balanced_over_topics_and_difficulties(public: Any, seed: int) -> None:
    items = choose(public, ["losses", "optimization", "cnn"], [], 30, seed)
    assert len({item.id for item in items}) == 30
    groups = Counter(item.group for item in items)
    assert max(groups.values()) - min(groups.values()) <= 2
    difficulties = Counter(item.difficulty for item in items)
    assert max(difficulties.values()) - min(difficulties.values()) <= 3
    assert max(Counter(item.topics[0] for item in items).values()) <= 2


def test_items_are_balanced_over_groups_where_no_topic_is_named(public: Any) -> None:
    groups = {item.group for item in public.items}
    chosen = Counter(item.group for item in choose(public, [], [], 2 * len(groups), 1))
    assert set(chosen.values()) == {2}


def test_a_topic_with_few_items_is_filled_up_from_the_others(room: Any, tables: list[dict[str, Any]]) -> None:
    for table in tables[1:3]:
        table["topics"] = ["relu"]
    bank = open_bank(str(room.write_bank(tables)))
    topics = Counter(item.topics[0] for item in choose(bank, ["relu", "sigmoid"], [], 8, 0))
    assert topics == {"relu": 2, "sigmoid": 6}


def test_the_seed_decides_the_items(public: Any) -> None:
    def ids(seed: int) -> list[str]:
        return [item.id for item in choose(public, ["losses"], [], 10, seed)]

    assert ids(1) == ids(1)
    assert ids(1) != ids(2)


def test_a_number_of_students_gives_names_that_sort() -> None:
    assert students_of("10")[::9] == ["student-01", "student-10"]
    for wrong in ("0", "10001", "9" * 5000):
        with pytest.raises(ExamError, match="expected 1 to 10000"):
            students_of(wrong)


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"student\nada\nbea\n", ["ada", "bea"]),
        (b"ada\r\n\r\nbea\r\n", ["ada", "bea"]),
        (b'\xef\xbb\xbfname,Student\nAda L,ada\n"B, C",bea\n', ["ada", "bea"]),
        ("student\nZoe\u0308\n".encode(), ["Zo\u00eb"]),
    ],
)
def test_rosters_that_are_read(tmp_path: Path, content: bytes, names: list[str]) -> None:
    (tmp_path / "roster.csv").write_bytes(content)
    assert students_of(str(tmp_path / "roster.csv")) == names


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"student\nada\nada\n", "comes twice"),
        (b"student\nada\nAda\n", "comes twice"),
        (b"student\n../up\n", "can name a folder"),
        (b"student\na/b\n", "can name a folder"),
        (b"student\n.hidden\n", "can name a folder"),
        (b"student\n..\n", "can name a folder"),
        (b"student\n-o\n", "can name a folder"),
        (("student\n" + "漢" * 90).encode(), "can name a folder"),
        ("student\na\u202eb\n".encode(), "can name a folder"),
        (b"name,student\nada\n", "can name a folder"),
        (b"name,login\nAda,ada\n", "expected a column `student`"),
        (b"student\n", "received 0"),
        (b"", "received 0"),
        (b"student\n\xff\xfe\xfa\n", "UTF-8"),
    ],
)
def test_rosters_that_are_refused(room: Any, content: bytes, text: str) -> None:
    roster = room.folder / "roster.csv"
    roster.write_bytes(content)
    result = room.run(
        "make", "--bank", room.bank, "-n", "2", "--students", roster, "-o", room.folder / "e", status=2
    )
    assert text in " ".join(result.output.split())
    assert not (room.folder / "e").exists()


def test_a_roster_that_is_missing_is_told(room: Any) -> None:
    result = room.run(
        "make", "--bank", room.bank, "-n", "2", "--students", "no.csv", "-o", room.folder / "e", status=2
    )
    assert "there is no file no.csv" in result.output


def test_json_tells_what_was_made(room: Any) -> None:
    result = room.run(
        "make", "--bank", room.bank, "-n", "3", "--students", "2", "-o", room.folder / "e", "--seed", "9", "--title",
        "Mid Term: 1", "--json", room.folder / "told.json",
    )  # fmt: skip
    assert "3 questions, 2 papers; seed 9." in result.output
    told = json.loads((room.folder / "told.json").read_text())
    assert (told["assignment"], told["seed"], len(told["items"])) == ("exam:mid-term-1", 9, 3)


@pytest.mark.parametrize("verb", ["make", "grade", "analyse"])
def test_each_verb_has_help_with_an_example_of_each(room: Any, verb: str) -> None:
    output = room.run(verb, "-h").output
    assert f"grader exam {verb}" in output.partition("Example")[2]
    assert f"grader exam {verb}" in room.run("-h").output.partition("Example")[2]
