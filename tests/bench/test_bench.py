"""The benchmark's arithmetic; nothing here imports Keras or times anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.bars import Bar, bars
from bench.batch import Batch, steady_seconds, window
from bench.excerpt import cut, excerpt
from bench.measure import FLOOR, FRESH, ONE_JOB, TWO_JOBS, Measured, Spread
from bench.memory import _write_assignment
from bench.process_tree import cpu_seconds
from bench.report import Run, markdown
from bench.workloads import Workload, workloads, write_class
from grader.assignment import load

SUITE = '''\
import pytest

LIMIT = 3


@pytest.mark.problem("one", points=4)
@pytest.mark.parametrize("case", [1, 2])
def test_first(student, case):
    """First."""
    assert helper(case)


def helper(case):
    return case < LIMIT


@pytest.mark.problem("one", points=1.5)
def test_second(student):
    """Second."""


@pytest.mark.problem("two", points=2)
def test_third(student):
    """Third."""
'''


def figures(fresh: float, floor: float, grader: float, busy: float = 1.9) -> Measured:
    one = Workload("key", "some tests", None, {})
    seconds = {FRESH: fresh, FLOOR: floor, ONE_JOB: grader}
    batches = {name: [Batch(value, 2 * value)] * 2 for name, value in seconds.items()}
    batches[TWO_JOBS] = [Batch(grader / 2, 2 * grader, busy)] * 2
    return Measured(one, batches, start_seconds=4.0)


def judged(**changes: object) -> dict[str, bool]:
    found = {
        "quick": figures(6.0, 0.8, 1.0),
        "plain": figures(20.0, 0.8, 1.0),
        "one_cpu": figures(6.0, 0.8, 1.0),
        "memory": {20: 60.0, 1000: 64.0},
        **changes,
    }
    both = {key: found[key] for key in ("quick", "plain")}
    return {bar.what: bar.met for bar in bars(both, found["one_cpu"], found["memory"])}


def test_an_excerpt_keeps_the_named_tests_with_their_points_and_everything_else():
    kept, points = cut(SUITE, {"test_first", "test_third"})
    assert points == {"one": 4.0, "two": 2.0}
    scope: dict[str, object] = {}
    exec(kept, scope)
    assert {name for name in scope if name.startswith("test_")} == {"test_first", "test_third"}
    assert kept.count("@pytest.mark.problem") == 2
    assert scope["helper"](2)


def test_an_excerpt_of_a_missing_test_is_refused_by_name():
    with pytest.raises(ValueError, match="no test test_fourth; it has test_first, test_second, test_third"):
        cut(SUITE, {"test_first", "test_fourth"})


def test_an_excerpt_is_an_assignment_that_loads(tmp_path):
    whole = load(_write_assignment(tmp_path / "three-sums"))
    part = excerpt(whole, ["test_sum"], tmp_path / "part")
    assert part.slug == "part"
    assert part.problems == whole.problems
    assert part.suite.read_text() == whole.suite.read_text()


def test_the_real_workloads_can_be_cut(tmp_path):
    found = {one.key: one for one in workloads(tmp_path)}
    assert [problem.name for problem in found["quick"].assignment.problems] == [
        "batch_norm", "batch_norm_inference", "layer_norm", "instance_norm",
    ]  # fmt: skip
    assert "keras_parameters" not in {problem.name for problem in found["plain"].assignment.problems}
    assert "def test_alexnet" in found["plain"].assignment.suite.read_text()
    assert all(len(one.answers) > 1 for one in found.values())


def test_rounds_go_through_the_right_answers_in_turn():
    answers = {"solution": Path("a.py"), "other": Path("b.py")}
    one = Workload("key", "title", None, answers)
    assert [one.answer(number)[0] for number in range(3)] == ["solution", "other", "solution"]


def test_a_class_is_copies_of_one_answer_that_the_grader_reads(tmp_path):
    from grader.submission import read_class

    (tmp_path / "answer.py").write_text("x = 1\n")
    files = write_class(tmp_path / "class", "layers", tmp_path / "answer.py", 3)
    read = list(read_class(tmp_path / "class", ("layers.py",)))
    assert len(files) == 3
    assert [one.files for one in read] == [{"layers.py": b"x = 1\n"}] * 3


def test_steady_time_leaves_out_the_head_start_and_the_running_out():
    assert steady_seconds([0.1, 1.1, 2.1, 3.1], jobs=1) == pytest.approx(1.0)
    # Two at a time, a pair each second; the last one runs alone.
    assert steady_seconds([0.0, 0.5, 1.0, 1.5, 2.0, 9.0], jobs=2) == pytest.approx(0.5)


def test_too_few_submissions_are_refused():
    assert window(4, 2) == (1, 2)
    with pytest.raises(ValueError, match="at least 4"):
        window(3, 2)


def test_ratios_are_taken_round_by_round():
    measured = Measured(Workload("key", "title", None, {}))
    measured.batches = {
        "slow": [Batch(4.0, 1.0), Batch(30.0, 1.0), Batch(6.0, 1.0)],
        "fast": [Batch(1.0, 2.0), Batch(10.0, 4.0), Batch(1.0, 1.0)],
    }
    assert measured.ratio("slow", "fast") == Spread(4.0, 3.0, 6.0)
    assert measured.cpu_ratio("fast", "slow") == Spread(2.0, 1.0, 4.0)


def test_bars_are_met_at_their_bounds():
    assert all(judged().values())


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({"quick": figures(5.9, 0.8, 1.0)}, "quick Keras tests: faster than a pytest process each"),
        ({"plain": figures(19.9, 0.8, 1.0)}, "no TF op: faster than a pytest process each"),
        ({"quick": figures(9.0, 0.79, 1.0)}, "quick Keras tests: of the floor's time"),
        ({"one_cpu": figures(9.0, 0.79, 1.0)}, "the same, everything on one processor"),
        ({"quick": figures(9.0, 0.8, 1.0, busy=1.69)}, "quick Keras tests: processors busy at -j 2"),
        ({"memory": {20: 60.0, 1000: 64.1}}, "parent memory, from 20 to 1,000 submissions"),
    ],
)
def test_each_bar_is_missed_alone(changes, missed):
    assert [what for what, met in judged(**changes).items() if not met] == [missed]


def test_the_report_states_every_bar_and_figure():
    one = figures(6.0, 0.5, 1.0)
    told = [Bar("speed", "at least 6x", "5x", False), Bar("memory", "flat", "flat", True)]
    machine = {"processor": "a processor", "commit": "abc123"}
    run = Run("today", "python -m bench", machine, told, [one], one, {20: 60.0, 1000: 61.5})
    text = markdown(run)
    assert "1 of 2 missed." in text
    assert "| missed | speed | at least 6x | 5x |" in text
    assert "| met | memory | flat | flat |" in text
    assert "- commit: abc123" in text
    row = "| this grader -j 1 | 1.000 (1.000–1.000) | 6.00 (6.00–6.00) | 2.00 (2.00–2.00) | 2.000 (2.000–2.000) |"
    assert row in text
    assert "| floor: bare warm fork | 0.500 (0.500–0.500) | 12.00 (12.00–12.00) | 1 |" in text
    assert "1.90 (1.90–1.90) processors busy, 2.00 (2.00–2.00) times the throughput of -j 1" in text
    assert "| 1,000 | 61.5 |" in text


def test_processor_time_of_an_ended_child_counts():
    before = cpu_seconds(os.getpid())
    work = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-S", "-c", work], check=True)
    assert cpu_seconds(os.getpid()) - before >= 0.25


def test_help_is_shown_without_running():
    shown = subprocess.run(
        [sys.executable, "-m", "bench", "--help"], capture_output=True, text=True, check=True
    )
    assert "--quick" in shown.stdout
