"""One result as a page for a browser: to a file, to standard output, and in words where that cannot be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dlquiz.testing.verdict import Verdict
from grader.gradebook import Gradebook
from grader.result import ProblemResult, Result, TestResult

MATRIX = {"kind": "confusion_matrix", "title": "Digits", "labels": ["0", "1"], "counts": [[5, 1], [2, 4]]}
SHOW = ("show", "bo", "-a", "sums")


@pytest.fixture
def shown(course: Any) -> Any:
    """A course in whose gradebook bo has a result with a picture, and old one without any."""
    for student, told in (("bo", {"reason": "accuracy 0.75", "figures": (MATRIX,)}), ("old", {})):
        test = TestResult("test_total", "total", Verdict.FAILED, 3.0, 6.0, hint="Which?", **told)
        problems = (ProblemResult("total", "A total", 3.0, 6.0),)
        with Gradebook(course.folder / "gradebook.db") as book:
            book.record(Result(student, "sums", 3.0, 10.0, True, 7, problems, (test,)))
    return course


def test_a_page_is_written_beside_what_is_printed(shown: Any) -> None:
    done = shown.invoke(*SHOW, "--html", "bo.html", status=0)
    assert "why: accuracy 0.75" in done.out
    assert "--html" not in done.out
    page = (shown.folder / "bo.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    for text in ("<bdi>bo</bdi>", "Why: <bdi>accuracy 0.75</bdi>", "data:image/svg+xml;base64,", "Which?"):
        assert text in page
    assert "grader grade CLASS_DIR -a sums --regrade --seed 7" in page


def test_a_page_on_standard_output_has_it_to_itself(shown: Any) -> None:
    done = shown.invoke(*SHOW, "--html", "-", status=0)
    assert done.out.startswith("<!DOCTYPE html>")
    assert done.out.rstrip().endswith("</html>")
    assert "why: accuracy 0.75" in done.err
    assert "confusion matrix: Digits" in done.out


def test_page_and_json_together(shown: Any) -> None:
    done = shown.invoke(*SHOW, "--html", "bo.html", "--json", "-", status=0)
    assert json.loads(done.out)["tests"][0]["figures"] == [MATRIX]
    assert (shown.folder / "bo.html").exists()
    done = shown.invoke(*SHOW, "--html", "-", "--json", "-", status=2)
    assert "standard output has room for one: give --json or --html a file" in done.err


def test_the_text_tells_where_the_pictures_are(shown: Any) -> None:
    done = shown.invoke(*SHOW, status=0)
    assert "The pictures are on the page that the same command writes with --html FILE." in done.out
    assert "Confusion matrix: Digits" in done.out
    assert "--html" not in shown.invoke("show", "old", "-a", "sums", status=0).out


def test_a_result_without_pictures_has_a_page_too(shown: Any) -> None:
    page = shown.invoke("show", "old", "-a", "sums", "--html", "-", status=0).out
    assert "<bdi>old</bdi>" in page
    assert "<img" not in page


@pytest.mark.parametrize("file", ["no/such/folder/bo.html", "assignments"])
def test_a_page_that_cannot_be_written_is_told(shown: Any, file: str) -> None:
    done = shown.invoke(*SHOW, "--html", file, status=3)
    assert done.err.strip().splitlines()[-1].startswith(f"grader: {file}: ")


def test_an_older_page_is_replaced(shown: Any) -> None:
    (shown.folder / "bo.html").write_text("an older page" * 100_000)
    shown.invoke(*SHOW, "--html", "bo.html", status=0)
    assert "an older page" not in (shown.folder / "bo.html").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        (*SHOW, "--html", "gradebook.db"),
        (*SHOW, "--json", "./gradebook.db"),
        ("grade", "class", "-a", "sums", "--csv", "gradebook.db"),
        ("grade", "class", "-a", "sums", "--json", "gradebook.db"),
    ],
)
def test_the_gradebook_is_never_written_over(shown: Any, arguments: tuple[str, ...]) -> None:
    before = (shown.folder / "gradebook.db").read_bytes()
    done = shown.invoke(*arguments, status=2)
    assert "gradebook.db is the gradebook: name another file to write" in done.err
    assert (shown.folder / "gradebook.db").read_bytes() == before
