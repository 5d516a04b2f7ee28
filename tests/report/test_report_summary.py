"""The figures of a class are right, and gathering them needs no more memory for a larger class."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlquiz.testing.verdict import Verdict
from grader.report import Fault, SummaryBuilder, render_summary, summary
from grader.result import ProblemResult, Result


@given(st.lists(st.integers(0, 40), min_size=2, max_size=40))
def test_marks_are_summed_up_as_numpy_does(points):
    found = summary(Result("s", "a", value / 4, 10.0, True, 0) for value in points)
    percents = np.array(points) * 2.5
    assert found.count == found.graded == len(points)
    assert found.mean == pytest.approx(percents.mean())
    assert found.median == pytest.approx(np.median(percents))
    assert found.deviation == pytest.approx(percents.std(ddof=1))
    assert found.quartiles == pytest.approx(tuple(np.percentile(percents, [25, 75])))
    assert found.histogram == tuple(np.histogram(percents, bins=10, range=(0, 100))[0])


def test_one_mark_has_no_deviation(make_result):
    found = summary([make_result(points=4.0)])
    assert (found.mean, found.median, found.deviation, found.quartiles) == (40.0, 40.0, None, (40.0, 40.0))


def test_a_class_without_marks_can_be_summed_up_and_shown(make_result, plain):
    assert summary([]).count == 0
    assert "0 submissions" in plain(render_summary(summary([])))
    found = summary([make_result(graded=False)])
    assert (found.count, found.graded, found.mean, found.quartiles) == (1, 0, None, None)
    assert found.histogram == (0,) * 10
    assert "1 submissions, 0 with a mark" in plain(render_summary(found))


def test_points_beyond_the_maximum_fall_into_the_last_bin(make_result):
    assert summary([make_result(points=12.0), make_result(points=10.0)]).histogram[-1] == 2


def test_the_share_lost_is_averaged_over_marked_students(make_result):
    found = summary(
        [make_result(points=10.0), make_result(points=4.0), make_result(points=0.0, graded=False)]
    )
    [problem] = found.problems
    assert (problem.name, problem.title) == ("relu", "Rectifier")
    assert problem.lost_share == pytest.approx(0.3)


def test_a_problem_without_points_loses_nothing(make_result):
    found = summary([make_result(problems=(ProblemResult("free", "Free", 0.0, 0.0),))])
    assert found.problems[0].lost_share == 0.0


def test_the_most_failed_tests_come_first_with_their_hints(make_result, make_test):
    shape = make_test("test_shape", hint="Which axis?")
    dtype = make_test("test_dtype", Verdict.TIMEOUT, hint="Which dtype?")
    found = summary([make_result("ann", 0.0, shape, dtype), make_result("bob", 0.0, dtype)])
    assert [(test.name, test.failures, test.hint) for test in found.most_failed] == [
        ("test_dtype", 2, "Which dtype?"),
        ("test_shape", 1, "Which axis?"),
    ]


@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.SKIPPED, Verdict.GRADER_ERROR])
def test_what_did_not_go_wrong_is_not_counted_as_failed(make_result, make_test, verdict):
    found = summary([make_result("ann", 0.0, make_test("t", verdict))])
    assert found.most_failed == ()
    assert found.verdicts == {str(verdict): 1}


def test_no_more_than_ten_failed_tests_are_listed(make_result, make_test):
    tests = [make_test(f"test_{index}") for index in range(30)]
    assert len(summary([make_result("ann", 0.0, *tests)]).most_failed) == 10


def test_faults_are_named_with_their_student(make_result, make_test, plain):
    broken = make_test("test_shape", Verdict.GRADER_ERROR, detail="NameError in the suite")
    found = summary(
        [
            make_result("ann", 0.0, graded=False, faults=("worker would not start",)),
            make_result("bob", 0.0, broken, graded=False),
            make_result("cem", 0.0, graded=False),
            make_result("dan"),
        ]
    )
    assert found.fault_count == 3
    assert found.faults == (
        Fault("ann", "worker would not start"),
        Fault("bob", "test_shape: NameError in the suite"),
        Fault("cem", "not graded, for no recorded reason"),
    )
    shown = plain(render_summary(found))
    assert "ann: worker would not start" in shown
    assert "(no mark was given): 3" in shown


def test_a_flood_of_faults_is_counted_and_cut(make_result, plain):
    found = summary(make_result(f"s{index}", graded=False, faults=("x" * 10_000,)) for index in range(80))
    assert found.fault_count == 80
    assert len(found.faults) == 50
    assert max(len(fault.text) for fault in found.faults) == 500
    assert "and 30 more" in plain(render_summary(found))


def test_speed_is_that_of_the_clock_when_it_is_known(make_result):
    results = [make_result(seconds=2.0), make_result(seconds=2.0)]
    assert summary(results).seconds == 4.0
    assert summary(results).per_second == 0.5
    assert summary(results, elapsed=2.0).per_second == 1.0
    assert summary([make_result(seconds=0.0)]).per_second is None


def test_two_assignments_are_not_mixed(make_result):
    with pytest.raises(ValueError, match="'activations' cannot take a result of 'losses'"):
        summary([make_result(), make_result(assignment="losses")])


def test_gathering_keeps_one_number_a_student(make_result, make_test):
    def results(count):
        for index in range(count):
            test = make_test(output="x" * 2000)
            yield make_result(f"s{index}", 5.0, test, import_output="y" * 2000)

    def growth(count):
        tracemalloc.start()
        builder = SummaryBuilder()
        for result in results(count):
            builder.add(result)
        size = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return size

    assert (growth(4000) - growth(2000)) / 2000 < 40


def test_the_rendered_summary_names_what_matters(make_result, make_test, plain):
    test = make_test("test_shape", Verdict.TIMEOUT, hint="Which axis?")
    shown = plain(
        render_summary(summary([make_result("ann", 2.5, test), make_result("bob", 10.0)], elapsed=1.0))
    )
    for text in (
        "activations", "2 submissions, 2 with a mark", "mean 62.5 %, median 62.5 %, standard deviation 53.0",
        "between 43.8 % and 81.2 %", "1.0 s of grading, 2.00 submissions a second", "20 to < 30  1 █",
        "90 to ≤100  1 █", "Rectifier", "38 %", "test_shape", "Which axis?", "1 timeout",
    ):  # fmt: skip
        assert text in shown


def test_a_single_student_in_a_bin_of_a_large_class_is_seen(make_result, plain):
    results = [make_result(points=9.5)] * 500 + [make_result(points=1.5)]
    assert "10 to < 20    1 █\n" in plain(render_summary(summary(results)))


def test_the_summary_fits_a_narrow_window(make_result, make_test, plain):
    test = make_test("test_" + "x" * 200, hint="word " * 60)
    shown = plain(render_summary(summary([make_result("ann", 2.5, test)])), 60)
    assert max(map(len, shown.splitlines())) <= 60
    assert shown.count("word") == 60
    assert shown.count("x") == 75


def test_the_json_form_is_versioned_json(make_result, make_test):
    found = summary([make_result("ann", 2.5, make_test("t"), faults=("f",))])
    data = json.loads(json.dumps(found.to_json()))
    assert data["schema"] == 1
    assert data["mean"] == 25.0
    assert data["faults"] == [{"student": "ann", "text": "f"}]
    assert data["most_failed"][0]["name"] == "t"
