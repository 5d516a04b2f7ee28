"""Exports hold every student once, and nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from grader.gradebook import Gradebook, GradebookError
from grader.result import ProblemResult, Result


@pytest.fixture
def book(tmp_path: Path) -> Gradebook:
    return Gradebook(tmp_path / "marks.db")


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_frame_has_one_row_a_student_and_one_column_a_problem(book, make_result):
    two = (ProblemResult("relu", "ReLU", 2.0, 10.0), ProblemResult("gelu", "GELU", 3.0, 10.0))
    book.record(make_result("bob", 5.0, max_points=20.0, problems=two))
    book.record(make_result("ann", 1.0))
    book.record(make_result("ann", 7.5))
    frame = book.to_frame("activations")
    assert list(frame.columns) == [
        "student", "points", "max_points", "percent", "relu", "gelu", "graded", "seed", "seconds", "recorded",
    ]  # fmt: skip
    assert list(frame["student"]) == ["ann", "bob"]
    assert list(frame["percent"]) == [75.0, 25.0]
    assert list(frame["relu"]) == [7.5, 2.0]
    assert frame["gelu"].isna().tolist() == [True, False]


def test_a_student_without_a_mark_has_no_points_in_the_frame(book, make_result):
    book.record(make_result(points=3.0, graded=False))
    row = book.to_frame("activations").iloc[0]
    assert not row["graded"]
    assert row[["points", "percent", "relu"]].isna().all()


def test_a_problem_named_like_a_column_keeps_its_own_column(book, make_result):
    book.record(make_result(points=9.0, problems=(ProblemResult("points", "Points", 4.0, 10.0),)))
    row = book.to_frame("activations").iloc[0]
    assert row["points"] == 9.0
    assert row["problem_points"] == 4.0


def test_an_assignment_without_results_gives_an_empty_table(book, tmp_path):
    assert len(book.to_frame("nothing")) == 0
    book.export_csv(tmp_path / "out.csv", "nothing")
    assert (tmp_path / "out.csv").read_text().startswith('"student","points","max_points","percent","graded"')
    book.export_json(tmp_path / "out.json", "nothing")
    assert json.loads((tmp_path / "out.json").read_text())["students"] == []


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_a_name_that_is_a_formula_is_made_inert(book, make_result, tmp_path, name):
    book.record(make_result(name))
    book.export_csv(tmp_path / "out.csv", "activations")
    assert read_csv(tmp_path / "out.csv")[0]["student"] == f"'{name}"


def test_an_ordinary_name_is_left_alone_in_csv(book, make_result, tmp_path):
    book.record(make_result('O\'Neil, "Zoë" a-b=c'))
    book.export_csv(tmp_path / "out.csv", "activations")
    [row] = read_csv(tmp_path / "out.csv")
    assert row["student"] == 'O\'Neil, "Zoë" a-b=c'
    assert float(row["points"]) == 7.5


def test_a_line_break_in_a_name_starts_no_row(book, make_result, tmp_path):
    book.record(make_result("ann\r=1"))
    book.record(make_result("bob\n=1"))
    book.export_csv(tmp_path / "out.csv", "activations")
    assert [row["student"] for row in read_csv(tmp_path / "out.csv")] == ["ann\r=1", "bob\n=1"]


def test_a_name_which_is_not_text_can_still_be_exported(book, make_result, tmp_path):
    book.record(make_result("\udce9t\udce9"))
    book.export_csv(tmp_path / "out.csv", "activations")
    assert read_csv(tmp_path / "out.csv")[0]["student"] == r"\udce9t\udce9"


def test_the_json_export_holds_whole_results(book, make_result, tmp_path):
    results = [make_result("ann"), make_result("bob", graded=False)]
    for result in results:
        book.record(result)
    book.export_json(tmp_path / "out.json", "activations")
    data = json.loads((tmp_path / "out.json").read_text())
    assert data["schema"] == 1
    assert data["assignment"] == "activations"
    assert [Result.from_json(student["result"]) for student in data["students"]] == results


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_that_fails_leaves_the_old_file_and_no_other(
    book, make_result, tmp_path, monkeypatch, form
):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    book.record(make_result())
    out = tmp_path / f"out.{form}"
    out.write_text("old")
    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(GradebookError, match=rf"cannot write .*out\.{form} \(No space left"):
        getattr(book, f"export_{form}")(out, "activations")
    book.close()
    assert out.read_text() == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["marks.db", f"out.{form}"]


def test_exports_are_for_the_owner_only(book, make_result, tmp_path):
    book.record(make_result())
    book.export_csv(tmp_path / "out.csv", "activations")
    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o600


def test_an_export_into_a_missing_folder_is_named(book, tmp_path):
    with pytest.raises(GradebookError, match=r"cannot write .*no/out\.csv .*folder exists"):
        book.export_csv(tmp_path / "no" / "out.csv", "activations")


def test_pandas_is_imported_by_exports_only():
    code = "import sys, grader.gradebook, grader.gradebook.exports; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
