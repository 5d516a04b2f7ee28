"""The table of a class can be read in a narrow window and without colour."""

from __future__ import annotations

import json

import pytest

from dlquiz.testing.verdict import Verdict
from grader.report import class_json, class_table
from grader.result import ProblemResult


def test_rows_are_sorted_by_student(make_result, plain):
    shown = plain(class_table([make_result(name) for name in ("cem", "ann", "bob")], 100))
    assert shown.index("ann") < shown.index("bob") < shown.index("cem")


def test_a_row_tells_mark_bar_problem_time_and_notes(make_result, make_test, plain):
    tests = [make_test("a", Verdict.PASSED), make_test("b", Verdict.PASSED)]
    problems = (ProblemResult("relu", "", 2.25, 4.0), ProblemResult("gelu", "", 5.25, 6.0))
    result = make_result("ann", 7.5, *tests, problems=problems, seconds=1.25, notes=("one", "two", "three"))
    shown = plain(class_table([result], 100))
    assert shown.splitlines()[-1].split() == [
        "ann",
        "7.5/10",
        "██████··",
        "2.25",
        "5.25",
        "all",
        "passed",
        "1.2s",
        "3",
    ]
    assert shown.split()[:4] == ["relu", "gelu", "student", "mark"]
    assert shown.split()[4:6] == ["/4", "/6"]


def test_the_worst_verdicts_come_first_and_the_rest_is_hinted_at(make_result, make_test, plain):
    verdicts = [Verdict.FAILED, Verdict.TIMEOUT, Verdict.TIMEOUT, Verdict.PASSED, Verdict.CRASHED]
    tests = [make_test(f"t{index}", verdict) for index, verdict in enumerate(verdicts)]
    assert "1 crashed, 2 timeout, …" in plain(class_table([make_result("ann", 5.0, *tests)], 100))
    assert "2 timeout, 1 failed " in plain(class_table([make_result("ann", 5.0, *tests[:4])], 100))


def test_every_verdict_can_be_shown(make_result, make_test, plain):
    for verdict in Verdict:
        shown = plain(class_table([make_result("ann", 5.0, make_test("t", verdict))], 100))
        assert ("all passed" if verdict is Verdict.PASSED else f"1 {verdict}") in shown


def test_a_submission_that_does_not_import_says_so(make_result, make_test, plain):
    result = make_result("ann", 0.0, make_test("t", Verdict.ERROR), import_error="SyntaxError: line 3")
    assert "does not import" in plain(class_table([result], 100))


def test_a_student_without_a_mark_shows_no_points(make_result, plain):
    row = plain(class_table([make_result("ann", 9.0, graded=False)], 100)).splitlines()[-1]
    assert "no mark" in row
    assert "9" not in row


@pytest.mark.parametrize("width", [200, 100, 80, 60, 40])
def test_the_mark_is_whole_and_lines_fit_at_any_width(make_result, make_test, plain, width):
    problems = tuple(ProblemResult(f"problem_number_{index}", "", 10.0, 12.5) for index in range(8))
    tests = [make_test("a", Verdict.NOT_ATTEMPTED), make_test("b", Verdict.GRADER_ERROR)]
    results = [
        make_result(name, 87.25, *tests, max_points=100.0, problems=problems, notes=("n",))
        for name in ("ann", "x" * 300, "王" * 300)
    ]
    lines = plain(class_table(results, width), width).splitlines()
    assert max(map(len, lines)) <= width
    assert sum("87.25/100" in line for line in lines) == 3
    if width >= 60:
        assert sum("grader" in line for line in lines) == 3


def test_columns_left_out_are_named(make_result, plain):
    problems = tuple(ProblemResult(f"problem_number_{index}", "", 1.0, 1.0) for index in range(8))
    narrow = plain(class_table([make_result(problems=problems)], 60), 60)
    assert "left out for want of width: problems" in " ".join(narrow.split())
    assert "problem_number" not in narrow
    assert "left out" not in plain(class_table([make_result(problems=problems)], 250), 250)


def test_a_class_of_nobody_is_an_empty_table(plain):
    assert plain(class_table([], 80)).split()[:2] == ["student", "mark"]
    assert class_json([]) == {"schema": 1, "students": []}


def test_the_json_form_tells_the_same_as_the_table(make_result, make_test):
    tests = [make_test("a", Verdict.PASSED), make_test("b", Verdict.TIMEOUT), make_test("c", Verdict.TIMEOUT)]
    data = class_json([make_result("bob", 9.0, graded=False), make_result("ann", 5.0, *tests, notes=("n",))])
    assert json.loads(json.dumps(data)) == data
    assert data["schema"] == 1
    ann, bob = data["students"]
    assert (ann["student"], ann["points"], ann["percent"], ann["notes"]) == ("ann", 5.0, 50.0, ["n"])
    assert ann["verdicts"] == {"passed": 1, "timeout": 2}
    assert ann["problems"] == {"relu": {"points": 5.0, "max_points": 10.0}}
    assert (bob["student"], bob["graded"], bob["points"], bob["percent"]) == ("bob", False, None, None)
    assert bob["problems"]["relu"]["points"] is None
