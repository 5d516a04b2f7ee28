"""One result in full: everything an instructor needs to explain and to repeat a mark."""

from __future__ import annotations

import json

from dlquiz.testing.verdict import Verdict
from grader.report import result_json, show_result
from grader.result import ProblemResult, Result


def test_the_header_says_whose_what_and_how(make_result, plain):
    result = make_result(
        points=7.5, seed=1234567, submission_hash="s" * 64, assignment_hash="a" * 64, grader_version="0.1.0",
        versions={"tensorflow": "2.21.0", "keras": "3.15.1"}, started="2025-11-21T01:00:00+00:00",
    )  # fmt: skip
    shown = plain(show_result(result, "grader grade activations ann.py --seed 1234567"))
    for text in (
        "ann", "activations", "7.5 of 10 (75.0 %)", "1234567", "s" * 64, "a" * 64, "0.1.0", "strict",
        "keras 3.15.1, tensorflow 2.21.0", "2025-11-21T01:00:00+00:00, in 0.50 s",
        "To reproduce\n  grader grade activations ann.py --seed 1234567",
    ):  # fmt: skip
        assert text in shown


def test_a_result_that_is_no_mark_does_not_look_like_one(make_result, plain):
    shown = plain(show_result(make_result(graded=False, faults=("no worker",)), ""))
    assert "none: not every test could be judged; the others came to 5 of 10" in shown
    assert "Faults of the grader or the suite\n  - no worker" in shown


def test_notes_limits_and_import_trouble_are_shown(make_result, plain):
    result = make_result(
        notes=("read from a notebook",),
        limits_hit=("memory: 2048 MB",),
        import_error="SyntaxError",
        import_output="hi",
    )
    shown = plain(show_result(result, ""))
    for text in (
        "Notes\n  - read from a notebook",
        "Limits hit\n  - memory: 2048 MB",
        "The submission does not import\n  SyntaxError",
        "Output of the import\n  hi",
    ):
        assert text in "\n".join(line.rstrip() for line in shown.splitlines())


def test_tests_are_listed_under_their_problem_in_the_order_of_the_assignment(make_result, make_test, plain):
    problems = (ProblemResult("zeta", "Zeta", 5.0, 5.0), ProblemResult("alpha", "Alpha", 0.0, 5.0))
    tests = [
        make_test("a1", problem="alpha", title=""),
        make_test("z1", Verdict.PASSED, problem="zeta", title=""),
    ]
    words = plain(show_result(make_result("ann", 5.0, *tests, problems=problems), "")).split()
    assert [word for word in words if word in ("Zeta", "Alpha", "z1", "a1")] == ["Zeta", "z1", "Alpha", "a1"]


def test_a_test_of_an_unknown_problem_is_still_listed(make_result, make_test, plain):
    shown = plain(show_result(make_result("ann", 0.0, make_test("lost", problem="gone")), ""))
    assert "gone" in shown
    assert "lost" in shown


def test_a_failed_test_is_explained_and_what_students_never_see_is_marked(make_result, make_test, plain):
    test = make_test(
        "test_shape[2-3]",
        hint="Which axis?",
        message="expected data",
        traceback="line 3",
        output="loss 1",
        detail="want 42",
    )
    shown = plain(show_result(make_result("ann", 0.0, test), ""))
    text = "\n".join(line.rstrip() for line in shown.splitlines())
    assert (
        "test_shape[2-3]: failed\n\nHint\n  Which axis?\n\nMessage\n  expected data\n\n"
        "Where in the student's code\n  line 3\n\nOutput of the student's code\n  loss 1\n\n"
        "For the instructor; students never see this\n  want 42\n"
    ) in text


def test_a_passed_test_needs_no_explanation(make_result, make_test, plain):
    shown = plain(
        show_result(make_result("ann", 5.0, make_test("t", Verdict.PASSED, hint="Which axis?")), "")
    )
    assert "Which axis?" not in shown
    assert "passed" in shown


def test_the_reason_of_a_credit_stands_under_its_test(make_result, make_test, plain):
    tests = [
        make_test("t1", Verdict.PASSED, reason="accuracy 0.9 reaches 0.8"),
        make_test("t2", reason="AUC judged at 0.7"),
    ]
    lines = plain(show_result(make_result("ann", 5.0, *tests), "")).splitlines()
    (first,) = [place for place, line in enumerate(lines) if "title of t1" in line]
    assert lines[first + 1].strip() == "why: accuracy 0.9 reaches 0.8"
    assert lines[first + 3].strip() == "why: AUC judged at 0.7"


def test_figures_are_told_in_text_for_passed_tests_too(figures, make_result, make_test, plain):
    tests = [make_test("t1", Verdict.PASSED, figures=tuple(figures.values()), hint="Which axis?")]
    shown = plain(show_result(make_result("ann", 5.0, *tests), ""), 110)
    text = "\n".join(line.rstrip() for line in shown.splitlines())
    assert "t1: passed\n\nConfusion matrix: Digits\n  true \\ predicted   zero   one\n" in text
    assert "\n  zero                 50     3\n  one                  12    48\n" in text
    assert "ROC curve: Ill or not\n  Area under the curve 0.815 (0.750 to 0.870)" in text
    assert "Precision-recall curve: Found\n  Average precision 0.560" in text
    assert "Calibration curve: Trust\n  Brier score 0.113." in text
    assert "Learning curves: Training: It overfits\n  loss over 3 epochs" in text
    assert "Which axis?" not in text


def test_a_matrix_too_large_for_a_table_is_told_in_words(figures, make_result, make_test, plain):
    figure = {**figures["confusion_matrix"], "labels": ["c"] * 11, "counts": [[7] * 11] * 11}
    shown = plain(show_result(make_result("ann", 0.0, make_test("t", figures=(figure,))), ""))
    assert "77 of 847 are predicted as what they are. 11 classes." in shown
    assert "predicted   c" not in shown


def test_a_figure_that_the_suite_got_wrong_is_named_and_costs_nothing_else(make_result, make_test, plain):
    shown = plain(show_result(make_result("ann", 0.0, make_test("t", figures=({"kind": "roc"},))), "again"))
    assert "A figure of the suite cannot be drawn\n  roc figure: 'fpr' is missing" in shown
    assert "again" in shown


def test_a_megabyte_of_output_does_not_flood_the_terminal(make_result, make_test, plain):
    test = make_test(output="x" * 1_000_000, message="y\n" * 500_000)
    assert len(plain(show_result(make_result("ann", 0.0, test, import_output="z" * 1_000_000), ""))) < 60_000


def test_long_words_are_folded_and_not_cut_off(make_result, make_test, plain):
    shown = plain(show_result(make_result("ann", 0.0, make_test("t", message="w" * 300)), "r" * 300), 60)
    assert max(map(len, shown.splitlines())) <= 60
    assert shown.count("w") >= 300
    assert shown.count("r" * 50) >= 5


def test_the_json_form_is_the_result_with_a_version(make_result, make_test):
    result = make_result("ann", 5.0, make_test("t"))
    data = json.loads(json.dumps(result_json(result)))
    assert data.pop("schema") == 1
    assert Result.from_json(data) == result
