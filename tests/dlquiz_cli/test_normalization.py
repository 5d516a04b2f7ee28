"""The way of a student through a Keras assignment of the course: take it, check it, half do it, do it, hand it in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

import grader.submission

SOLUTION = (
    Path(__file__).resolve().parents[2] / "assignments" / "normalization" / "solution" / "normalization.py"
)


def test_from_the_stub_to_the_archive(dlquiz: Callable[..., Result], world: Path) -> None:
    dlquiz("start", "normalization")
    module = world / "normalization" / "normalization.py"

    stub = dlquiz("check", "normalization", "--json", "stub.json")
    told = json.loads(Path("stub.json").read_text())
    assert (stub.exit_code, told["passed"], told["total"], told["points_in_reach"]) == (1, 0, 12, 0)
    assert {test["verdict"] for problem in told["problems"] for test in problem["tests"]} == {"not attempted"}

    half_done = SOLUTION.read_text()
    half_done, count = re.subn(r"(?m)^( +)def call\(.*$", r"\g<0>\n\1    return inputs", half_done)
    assert count > 1
    module.write_text(half_done)
    half = dlquiz("check", "normalization", "--json", "half.json")
    told = json.loads(Path("half.json").read_text())
    reached = {
        problem["name"]: [test["verdict"] for test in problem["tests"]] for problem in told["problems"]
    }
    assert half.exit_code == 1
    assert set(reached["standardize"]) == {"passed"}
    assert reached["layer_norm"] == reached["instance_norm"] == ["failed"]
    assert "the largest error is" in half.output

    module.write_text(SOLUTION.read_text())
    whole = dlquiz("check", "normalization")
    assert whole.exit_code == 0
    assert "All 12 public tests passed. Hidden tests remain" in whole.output
    assert "forbidden" not in whole.output

    assert dlquiz("submit", "normalization", "--strict", "-o", "ada.zip").exit_code == 0
    handed_in = grader.submission.read(Path("ada.zip"), ["normalization.py"])
    assert (handed_in.files, handed_in.problems) == ({"normalization.py": SOLUTION.read_bytes()}, ())
