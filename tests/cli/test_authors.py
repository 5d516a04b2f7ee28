"""The verbs for those who write assignments: validate and release."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dlquiz.quiz.items import Bank, BankError, load_bank


def edit(course: Any, name: str, old: str, new: str) -> None:
    path = course.folder / "assignments" / "sums" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def findings(course: Any, status: int) -> dict[tuple[str, str], dict[str, Any]]:
    done = course.run("validate", "-j", "1", "--json", "-", "--seed", "3", status=status)
    told = json.loads(done.out)
    assert told["seed"] == 3
    assert "sums" in done.err
    return {(one["kind"], one["name"]): one for one in told["findings"]}


def test_a_good_suite_is_status_0(course: Any) -> None:
    found = findings(course, 0)
    assert all(one["ok"] for one in found.values())
    assert {kind for kind, _ in found} == {"handout", "solution", "stub", "variant", "mutant", "hollow"}
    assert found["solution", "solution"]["points"] == 10
    assert found["variant", "by_numpy"]["points"] == 10
    assert found["stub", "stub"]["points"] == 0


def test_a_mutant_that_is_not_caught_is_status_1(course: Any) -> None:
    edit(course, "hidden/test_hidden.py", "np.testing.assert_allclose(student.mean(values), values.mean())",
         "assert abs(student.mean(values)) > 0")  # fmt: skip
    wrong = {name: one for name, one in findings(course, 1).items() if not one["ok"]}
    assert ("mutant", "a divisor too large") in wrong
    assert "test_mean does not catch it: passed" in wrong["mutant", "a divisor too large"]["reasons"]


def test_a_stub_or_a_hollow_module_that_earns_points_is_status_1(course: Any) -> None:
    edit(course, "hidden/test_hidden.py", '@pytest.mark.needs("test_total")\n', "")
    wrong = {name: one for name, one in findings(course, 1).items() if not one["ok"]}
    assert ("hollow", "returns 0") in wrong
    assert ("stub", "stub") not in wrong
    edit(course, "hidden/test_hidden.py", "    assert student.total([]) == 0", "    pass")
    wrong = {name: one for name, one in findings(course, 1).items() if not one["ok"]}
    assert "earns 2 of 10, should earn 0" in wrong["stub", "stub"]["reasons"]


def test_a_right_answer_that_is_refused_is_status_1(course: Any) -> None:
    edit(
        course,
        "hidden/test_hidden.py",
        "assert student.total([]) == 0",
        "assert type(student.total([])) is float",
    )
    wrong = {name: one for name, one in findings(course, 1).items() if not one["ok"]}
    assert list(wrong) == [("variant", "by_numpy")]
    assert any(
        "earns 8 of 10, should earn 10" in reason for reason in wrong["variant", "by_numpy"]["reasons"]
    )


def test_a_handout_out_of_step_is_status_1(course: Any) -> None:
    edit(course, "handout/sums.py", "Sums of numbers", "Old words")
    wrong = {name: one for name, one in findings(course, 1).items() if not one["ok"]}
    assert [kind for kind, _ in wrong] == ["handout"]


def test_an_engine_that_fails_is_status_3(course: Any) -> None:
    edit(course, "hidden/test_hidden.py", "import pytest\n", "import pytest\nimport nowhere_at_all\n")
    done = course.run("validate", "sums", status=3)
    assert "No module named 'nowhere_at_all'" in done.err


def test_an_assignment_that_is_not_there_is_status_2(course: Any) -> None:
    done = course.invoke("validate", "nothing", status=2)
    assert len(done.err.strip().splitlines()) == 1


def test_bundles_hold_what_students_may_have_and_nothing_else(course: Any) -> None:
    done = course.invoke("release", "out", "--json", "-", status=0)
    paths = [Path(path) for path in json.loads(done.out)["bundle"]]
    assert paths
    written = [path for path in (course.folder / "out").rglob("*") if path.is_file()]
    assert {path.name for path in written} >= {"sums.zip"} or {path.name for path in written} >= {"sums.py"}
    for path in written:
        content = path.read_bytes()
        for secret in (b"sum(values)) / len(values)", b"values.mean()", b"a divisor too large"):
            assert secret not in content


def test_stubs_are_checked_and_remade(course: Any, sums: dict[str, str]) -> None:
    assert "in step" in course.invoke("release", "--check", status=0).out
    edit(course, "handout/sums.py", "Sums of numbers", "Old words")
    stale = course.invoke("release", "--check", "sums", status=1)
    assert "handout/sums.py" in stale.out
    assert "grader release --write" in stale.out
    course.invoke("release", "--write", "sums", status=0)
    assert (course.folder / "assignments" / "sums" / "handout" / "sums.py").read_text() == sums[
        "handout/sums.py"
    ]
    assert "nothing to write" in course.invoke("release", "--write", status=0).out
    course.invoke("release", "--check", status=0)


@pytest.mark.parametrize("arguments", [("--check",), ("--write",), ("out",)])
def test_json_on_standard_output_is_json_alone(course: Any, arguments: tuple[str, ...]) -> None:
    assert json.loads(course.invoke("release", *arguments, "--json", "-", status=0).out)["schema"] == 1


def test_every_seed_tries_every_candidate_again(course: Any) -> None:
    done = course.run(
        "validate",
        "-j",
        "1",
        "--json",
        "-",
        "--seed",
        "3",
        "--seeds",
        "3",
        "--only",
        "solution",
        "--only",
        "stub",
    )
    told = json.loads(done.out)
    assert told["seeds"] == [3, 4, 5]
    assert sorted((one["kind"], one["seed"]) for one in told["findings"]) == [
        *(("solution", seed) for seed in (3, 4, 5)),
        *(("stub", seed) for seed in (3, 4, 5)),
    ]
    assert "3 seeds, 3 to 5" in done.err


def test_an_answer_that_is_refused_at_one_seed_of_many_is_named_with_it(course: Any) -> None:
    edit(
        course,
        "hidden/test_hidden.py",
        "import pytest",
        "import pytest\nfrom dlquiz.testing.plugin import SEED",
    )
    edit(
        course,
        "hidden/test_hidden.py",
        "def test_mean(student, rng):",
        "def test_mean(student, rng, request):",
    )
    edit(
        course,
        "hidden/test_hidden.py",
        "np.testing.assert_allclose(student.mean(values), values.mean())",
        "assert student.mean(values) == pytest.approx(values.mean() + (request.config.stash[SEED] == 5))",
    )
    done = course.run("validate", "-j", "1", "--seed", "4", "--seeds", "3", "--only", "solution", status=1)
    assert "solution 'solution', seed 5" in done.out
    assert "seed 4" not in done.out.partition("seed 5")[2]
    assert "2 of 3 as they should be" in done.out


def test_coverage_lists_topics_with_what_assesses_them(course: Any) -> None:
    told = json.loads(course.run("coverage", "--json", "-").out)
    by_topic = {row["topic"]: row for row in told["topics"]}
    covered = [row for row in told["topics"] if row["assignments"]]
    assert covered
    assert all("code" not in row["missing"] and row["assignments"] == ["sums"] for row in covered)
    counts = Counter(topic for item in load_bank().items for topic in item.topics)
    assert {row["topic"]: row["items"] for row in told["topics"] if row["items"]} == dict(counts)
    assert (by_topic["yolo-v3"]["items_needed"], by_topic["softmax"]["items_needed"]) == (2, 5)
    assert "code" in by_topic["yolo-v3"]["missing"]
    assert all(("quiz" in row["missing"]) == (row["items"] < row["items_needed"]) for row in told["topics"])


def test_coverage_shows_how_many_items_a_topic_has_of_those_it_needs(course: Any) -> None:
    items = sum("softmax" in item.topics for item in load_bank().items)
    rows = {line.split()[0]: line for line in course.run("coverage").out.splitlines() if line.strip()}
    assert f" {items} of 5 " in rows["softmax"]
    assert " of " not in rows["fast-pixel-processing"]


def test_a_damaged_bank_is_named_without_a_traceback(course: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> Bank:
        raise BankError(["cnn.toml: an-item: key `id`: expected another"])

    monkeypatch.setattr("dlquiz.quiz.items.load_bank", damaged)
    done = course.invoke("coverage", status=3)
    assert done.err == "grader: cnn.toml: an-item: key `id`: expected another\n"


def test_coverage_of_what_is_missing_is_status_1(course: Any) -> None:
    done = course.run("coverage", "--missing", "--json", "-", status=1)
    rows = json.loads(done.out)["topics"]
    assert all(row["missing"] for row in rows)
    assert "yolo-v3" in done.err
    assert "code:" in done.err
