"""What goes out to other programs says the same there, and what can come back does."""

from __future__ import annotations

import base64
import io
import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from dlquiz.quiz.interchange import anki, gift, moodle, qti, sheet
from dlquiz.quiz.interchange.commands import bank as command
from dlquiz.quiz.interchange.plain import Plain, plain
from dlquiz.quiz.interchange.tables import as_table, save
from dlquiz.quiz.items import Bank, BankError, Choice, Item, load_bank
from dlquiz.quiz.plots.plot import plottings

SEED = 5
QTI = {"q": "http://www.imsglobal.org/xsd/imsqti_v2p1"}


@pytest.fixture(scope="module")
def posed() -> list[Plain]:
    """Every item of the package's bank, posed."""
    return list(plain(load_bank().items, SEED))


def text(element: ElementTree.Element, path: str) -> str:
    found = element.find(path)
    assert found is not None, path
    assert found.text is not None, path
    return found.text


def test_a_bank_written_anew_is_the_same_bank(bank: Bank, tmp_path: Path) -> None:
    files = save(map(as_table, bank.items), tmp_path / "new" / "bank")
    assert {file.stem for file in files} == {item.group for item in bank.items}
    assert load_bank(tmp_path / "new" / "bank") == bank


def test_a_faulty_item_leaves_no_file(small: Bank, tmp_path: Path) -> None:
    tables = [as_table(item) for item in small.items]
    tables[3]["difficulty"] = 9
    with pytest.raises(BankError, match="sigmoid-centred: key `difficulty`"):
        save(tables, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_files_that_are_there_are_not_written_to(small: Bank, tmp_path: Path) -> None:
    there = tmp_path / "activations.toml"
    before = there.read_bytes()
    with pytest.raises(BankError, match="is there already"):
        save(map(as_table, small.items), tmp_path)
    assert there.read_bytes() == before


def test_csv_comes_back_as_it_went(bank: Bank, tmp_path: Path) -> None:
    assert sheet.read(sheet.write(bank.items)) == list(map(as_table, bank.items))
    save(sheet.read("\ufeff" + sheet.write(bank.items)), tmp_path / "new")
    assert load_bank(tmp_path / "new") == bank


@pytest.mark.parametrize("first", ["=1+1", "+1", "-1", "@SUM(A1)", "'=1"])
def test_no_cell_of_a_csv_is_run_as_a_formula(small: Bank, first: str) -> None:
    item = Item(**{**vars(small.items[0]), "question": first})
    written = sheet.write([item])
    row = written.splitlines()[1]
    assert f",'{first}," in row
    assert sheet.read(written)[0]["question"] == first


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("id,colour\na,b\n", "no column is named 'colour'"),
        ("id,difficulty\na,much\n", "row 2: difficulty: expected a number, received 'much'"),
        ("id,type\na,card,more\n", "row 2: expected 2 cells, received more"),
    ],
)
def test_a_csv_that_is_none_of_ours_is_told_by_row(content: str, told: str) -> None:
    with pytest.raises(BankError, match=told):
        sheet.read(content)


@pytest.mark.parametrize("kind", ["single", "multiple", "numeric", "matching", "fill", "card"])
def test_gift_comes_back_as_it_went(bank: Bank, kind: str, tmp_path: Path) -> None:
    items = [item for item in bank.items if item.type == kind and not item.plot]
    assert items
    read = gift.read(gift.write(plain(items, SEED)))
    assert not read.notes
    for item, table in zip(items, read.tables, strict=True):
        before = as_table(item)
        unit = before.pop("unit", "")
        for key in ("choice", "pairs"):
            for one in (before, table):
                one[key] = sorted(one.get(key, ()), key=json.dumps)
        if kind == "numeric":
            before.pop("relative_tolerance", None)
            before["tolerance"] = table["tolerance"] = pytest.approx(item.allowance(float(str(item.answer))))
            before["mistake"] = before.get("mistake", [])
            table["mistake"] = table.get("mistake", [])
        assert table == before, unit
    save(gift.read(gift.write(plain(items, SEED))).tables, tmp_path / "new")


def test_gift_keeps_every_question_and_its_order(posed: list[Plain]) -> None:
    read = gift.read(gift.write(posed))
    assert [table["id"] for table in read.tables] == [one.item.id for one in posed]
    assert not read.notes


def test_signs_of_gift_survive(small: Bank) -> None:
    hard = "a = {b}: c ~ d # e -> \\n f \\ ::g:: %50%\n// h"
    item = small.by_id["relu-slope"]
    choices = tuple(
        Choice(f"{hard} {place}", one.right, one.feedback and hard) for place, one in enumerate(item.choices)
    )
    odd = Item(**{**vars(item), "question": hard, "explanation": hard, "choices": choices})
    (table,) = gift.read(gift.write(plain([odd], SEED))).tables
    assert table["question"] == table["explanation"] == hard
    assert {one["text"] for one in table["choice"]} == {one.text for one in choices}
    assert {one.get("feedback") for one in table["choice"]} == {hard, None}


FOREIGN = """
// a file from elsewhere
$CATEGORY: week 1

::Q1:: Who is buried in Grant's tomb? {=no one #right =nobody ~Grant ~Napoleon#He is in Paris.}

The sky is blue. {T}

How many layers? {#8:1}

Two plus {=two =2} is four. // with a comment at its end

Which are activations? {~%50%ReLU ~%50%tanh ~%-100%Adam#An optimizer.}
"""


def test_gift_from_elsewhere_says_what_it_lacks(tmp_path: Path) -> None:
    read = gift.read(FOREIGN, topic="relu", source="week1.gift")
    assert [table["type"] for table in read.tables] == ["single", "numeric", "fill", "multiple"]
    assert "the-sky-is-blue: true or false without reasons is left out: make a choice of it" in read.notes
    assert "q1: a wrong choice has no feedback: Grant" in read.notes
    assert {table["source"] for table in read.tables} == {"week1.gift"}
    assert read.tables[2]["question"].startswith("Two plus ____ is four.")
    assert [one["text"] for one in read.tables[3]["choice"] if one.get("right")] == ["ReLU", "tanh"]
    with pytest.raises(BankError, match="q1: key `choice`: expected `right = true` in exactly one"):
        save(read.tables, tmp_path / "new")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("What? {=a ~b", "question 1: expected one pair of braces"),
        ("What?", "question 1: expected one pair of braces"),
        ("What? {#=a:b}", "question 1: could not convert"),
        ("What? {}", "question 1: expected an answer in the braces"),
    ],
)
def test_gift_that_cannot_be_read_is_told_by_question(content: str, told: str) -> None:
    with pytest.raises(BankError, match=told):
        gift.read(content)


def test_moodle_gets_every_question_with_its_points(posed: list[Plain]) -> None:
    quiz = ElementTree.fromstring(moodle.write(posed))
    found = {text(one, "name/text"): one for one in quiz.findall("question")}
    assert list(found) == [one.item.id for one in posed]
    for one in posed:
        element = found[one.item.id]
        fractions = [float(answer.get("fraction", "")) for answer in element.findall("answer")]
        if one.kind in ("choice", "choices"):
            assert sum(fraction for fraction in fractions if fraction > 0) == pytest.approx(100, abs=1e-3)
            assert len(fractions) == len(one.choices)
            assert text(element, "single") == str(one.kind == "choice").lower()
        elif one.kind == "number":
            assert fractions[0] == 100
            assert float(text(element, "answer/text")) == one.question.answer
            assert float(text(element, "answer/tolerance")) == pytest.approx(one.question.tolerance, rel=1e-5)
        elif one.kind in ("pairs", "order"):
            pairs = [
                (text(part, "text"), text(part, "answer/text")) for part in element.findall("subquestion")
            ]
            assert len(pairs) == len(one.item.pairs or one.item.steps)
        if one.picture:
            file = element.find("questiontext/file")
            assert file is not None
            assert base64.b64decode(file.text or "").decode() == one.picture
            assert f"@@PLUGINFILE@@/{file.get('name')}" in text(element, "questiontext/text")


def test_moodle_shows_signs_of_html_as_they_are(small: Bank) -> None:
    item = Item(**{**vars(small.by_id["relu-slope"]), "question": "Is a < b & c?\n<script>"})
    (question,) = ElementTree.fromstring(moodle.write(plain([item], SEED))).findall("question")
    assert text(question, "questiontext/text") == "Is a &lt; b &amp; c?<br>&lt;script&gt;"


def test_qti_holds_the_right_answer_of_every_question(posed: list[Plain]) -> None:
    package = zipfile.ZipFile(io.BytesIO(qti.write(posed)))
    assert package.testzip() is None
    manifest = ElementTree.fromstring(package.read("imsmanifest.xml"))
    listed = {file.get("href") for file in manifest.iter("{http://www.imsglobal.org/xsd/imscp_v1p1}file")}
    assert listed | {"imsmanifest.xml"} == set(package.namelist())
    for one in posed:
        item = ElementTree.fromstring(package.read(f"items/{one.item.id}.xml"))
        correct = [
            value.text for value in item.findall("q:responseDeclaration/q:correctResponse/q:value", QTI)
        ]
        shown: dict[Any, Any] = {
            choice.get("identifier"): choice.text
            for name in ("simpleChoice", "simpleAssociableChoice")
            for choice in item.iter(f"{{{QTI['q']}}}{name}")
        }
        match one.kind:
            case "choice" | "choices":
                assert {shown[name] for name in correct} == {
                    choice.text for choice in one.choices if choice.right
                }
            case "number":
                assert [float(value or "") for value in correct] == [one.question.answer]
            case "word":
                assert correct == [one.item.accepted[0]]
            case "order":
                assert tuple(shown[name] for name in correct) == one.item.steps
            case "pairs":
                pairs = {tuple(shown[name] for name in (value or "").split()) for value in correct}
                assert pairs == set(one.item.pairs)
        worth = [float(entry.get("mappedValue", "")) for entry in item.iter(f"{{{QTI['q']}}}mapEntry")]
        if one.kind in ("choices", "pairs"):
            assert sum(value for value in worth if value > 0) == pytest.approx(1, abs=1e-4)


def notes_of(file: Path) -> dict[str, tuple[str, str]]:
    with zipfile.ZipFile(file) as package:
        (file.parent / "collection").write_bytes(package.read("collection.anki2"))
        media = json.loads(package.read("media"))
        assert set(media) <= set(package.namelist())
    with sqlite3.connect(file.parent / "collection") as database:
        rows = database.execute("select guid, flds, tags from notes").fetchall()
        assert database.execute("select count(*) from cards").fetchone()[0] == len(rows)
    assert all(name.endswith(".svg") for name in media.values())
    return {fields.split("\x1f")[2]: (guid, fields) for guid, fields, _ in rows}


def test_anki_knows_a_note_again_whatever_its_text(bank: Bank, tmp_path: Path) -> None:
    items = [item for item in bank.items if item.plot or item.group == "losses"]
    assert any(item.plot for item in items)
    anki.write(plain(items, 1), tmp_path / "one.apkg")
    changed = [Item(**{**vars(item), "question": f"Anew: {item.question}"}) for item in items]
    anki.write(plain(changed, 2), tmp_path / "two.apkg")
    one, two = notes_of(tmp_path / "one.apkg"), notes_of(tmp_path / "two.apkg")
    assert list(one) == [item.id for item in items]
    assert {name: guid for name, (guid, _) in one.items()} == {name: guid for name, (guid, _) in two.items()}
    assert len({guid for guid, _ in one.values()}) == len(items)
    assert all("Anew: " in fields and "Anew: " not in one[name][1] for name, (_, fields) in two.items())


def test_a_picture_goes_into_the_deck_once(bank: Bank, tmp_path: Path) -> None:
    items = [item for item in bank.items if item.plot]
    anki.write(plain(items, 1), tmp_path / "one.apkg")
    with zipfile.ZipFile(tmp_path / "one.apkg") as package:
        media = json.loads(package.read("media"))
        assert set(media.values()) == {f"dlquiz-{item.plot}.svg" for item in items}
        assert all(package.read(name).startswith((b"<?xml", b"<svg")) for name in media)
    assert {item.plot for item in items} <= set(plottings())


@pytest.mark.parametrize("name", ["deck.apkg", "all.gift", "all.xml", "all.zip", "all.csv"])
def test_each_format_is_told_by_the_files_name(name: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        command, ["export", str(tmp_path / name), "--topic", "relu", "--topic", "losses"]
    )
    assert done.exit_code == 0, done.output
    assert (tmp_path / name).stat().st_size > 1000
    assert done.output.startswith(f"{tmp_path / name} holds ")


@pytest.mark.parametrize("name", ["mine.gift", "mine.csv"])
def test_a_bank_that_was_exported_is_imported(name: str, small: Bank, tmp_path: Path) -> None:
    run = CliRunner().invoke
    done = run(command, ["export", str(tmp_path / name), "--bank", str(tmp_path)])
    assert done.exit_code == 0, done.output
    done = run(command, ["import", str(tmp_path / name), "-o", str(tmp_path / "new")])
    assert done.exit_code == 0, done.output
    assert done.output == f"10 items are in {tmp_path / 'new' / 'activations.toml'}.\n"
    assert [item.id for item in load_bank(tmp_path / "new").items] == [item.id for item in small.items]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["export", "x.doc"], "x.doc: the name tells no format; name one with --format anki"),
        (["export", "x.csv", "--topic", "relo"], "no topic or group `relo`: did you mean relu"),
        (["export", "nowhere/x.csv"], "x.csv could not be written: No such file or directory"),
        (["export", "x.csv", "--bank", "nowhere"], "expected files of quiz items"),
        (["import", "nowhere.gift", "-o", "new"], "nowhere.gift: No such file or directory"),
        (["import", "x.doc", "-o", "new"], "expected a .gift or a .csv file"),
        (["import", "empty.gift", "-o", "new"], "no question was found in it"),
        (["import", "latin.csv", "-o", "new"], "latin.csv is no text in UTF-8"),
        (["import", "bare.gift", "-o", "new"], "what: expected ids of the topic list, received ''"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_message(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.gift").write_text("// nothing\n")
    (tmp_path / "latin.csv").write_bytes("id\nä\n".encode("latin-1"))
    (tmp_path / "bare.gift").write_text("What? {=a ~b#c ~d#e}")
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code in (2, 3)
    assert told in done.output
    assert done.output.startswith("dlquiz: ")
    assert not (tmp_path / "new").exists()
