"""The small assignment in the authoring guide is complete: it loads, and its answers are judged as the guide says."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from grader.assignment import Assignment, load
from grader.authoring.release import write_handout
from grader.authoring.validate import validate

GUIDE = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")
FILE = re.compile(r"^`(softmax/[\w./]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KINDS = ("handout", "solution", "stub", "variant", "mutant", "hollow")


@pytest.fixture
def example(tmp_path: Path) -> Assignment:
    """The guide's assignment, with the stub that its own command makes."""
    for name, content in FILE.findall(GUIDE):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    folder = tmp_path / "softmax"
    write_handout(load(folder, stubs=False))
    return load(folder)


def test_the_guides_assignment_validates_and_prints_what_the_guide_shows(example: Assignment) -> None:
    findings = list(validate([example], jobs=1, seeds=[7]))
    assert [(finding.name, finding.reasons) for finding in findings if not finding.ok] == []
    count = Counter(finding.kind for finding in findings)
    shown = re.findall(r"^│ softmax +│(.*)│.*│$", GUIDE, re.MULTILINE)[-1]
    assert [cell.strip() for cell in shown.split("│")] == [f"{count[kind]}/{count[kind]} ✓" for kind in KINDS]
    assert f"{len(findings)} of {len(findings)} as they should be" in GUIDE


def test_the_guides_broken_mutant_is_not_caught_as_the_guide_says(example: Assignment) -> None:
    toml = example.path / "mutants.toml"
    third = 'find = \'raise ValueError("expected scores, received none")\'\nreplace = "return scores"\n'
    assert third in toml.read_text()
    broken = 'find = "if scores.size == 0:"\nreplace = "if False:"\n'
    toml.write_text(toml.read_text().replace(third, broken))
    (wrong,) = [finding for finding in validate([load(example.path)], jobs=1, seeds=[7]) if not finding.ok]
    assert f"{wrong.assignment}: {wrong.kind} {wrong.name!r}\n  - {wrong.reasons[0]}\n" in GUIDE
