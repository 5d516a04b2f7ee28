"""What the student guide names exists."""

from __future__ import annotations

import contextlib
import re
import shlex
from pathlib import Path

import click
import pytest

from dlquiz.cli import main
from dlquiz.testing.verdict import Verdict

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = (DOCS / "student-guide.md").read_text(encoding="utf-8")
QUIZ = (DOCS / "quiz.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"(?:^\$ |`)(dlquiz [^`\n]+)", GUIDE + QUIZ, re.MULTILINE)))


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_guide_exists_with_its_options(line: str) -> None:
    words = shlex.split(line)[1:]
    with contextlib.suppress(click.MissingParameter):
        parent, command = click.Context(main, **main.context_settings), main.commands[words[0]]
        while isinstance(command, click.Group) and words[1:]:
            parent, command = click.Context(command, parent=parent), command.commands[words.pop(1)]
        if not isinstance(command, click.Group):
            command.make_context(words[0], words[1:], parent=parent)


def test_the_guide_shows_every_command_and_every_verdict_of_a_check() -> None:
    assert {line.split()[1] for line in COMMANDS} == set(main.commands)
    # what is forbidden shows as a warning here, and a fault of the tests is no student's affair
    shown = set(Verdict) - {Verdict.FORBIDDEN, Verdict.GRADER_ERROR}
    assert set(re.findall(r"^\| `([a-z ]+)` \|", GUIDE, re.MULTILINE)) == shown
