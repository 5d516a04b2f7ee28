"""`dlquiz list`, `dlquiz start` and the help of every verb."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Dlquiz = Callable[..., Result]
VERBS = ("list", "start", "check", "submit", "doctor")


def test_list_shows_what_is_started_and_how_the_last_check_went(dlquiz: Dlquiz, world: Path) -> None:
    fresh = dlquiz("list").output
    assert "normalization              100 points\n  batch-norm, batch-norm-train-vs-test" in fresh
    dlquiz("start", "normalization")
    assert "normalization              100 points   started\n" in dlquiz("list").output
    (world / "normalization" / "test_public.py").write_text(
        'import pytest\n\n@pytest.mark.problem("standardize")\ndef test_one(student):\n    assert student.one == 1\n\n'
        '@pytest.mark.problem("standardize")\ndef test_two(student):\n    assert student.one == 2\n'
    )
    (world / "normalization" / "normalization.py").write_text("one = 1\n")
    assert dlquiz("check", "normalization").exit_code == 1
    assert "normalization              100 points   1 of 2 public tests\n" in dlquiz("list").output
    result = dlquiz("list", "--json", "list.json")
    assert result.exit_code == 0
    (told,) = [row for row in json.loads(Path("list.json").read_text())["assignments"] if row["progress"]]
    assert (told["slug"], told["points"], told["progress"]["passed"]) == ("normalization", 100, 1)


def test_a_started_assignment_is_found_by_name_from_anywhere(
    dlquiz: Dlquiz, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dlquiz("start", "normalization", "week 3")
    (world / "week 3" / "normalization.py").write_text("(")
    (world.parent / "away").mkdir()
    monkeypatch.chdir(world.parent / "away")
    assert "normalization.py is not Python yet" in dlquiz("check", "normalization").output


def test_start_says_what_it_wrote_and_what_it_left_alone(dlquiz: Dlquiz, world: Path) -> None:
    result = dlquiz("start", "normalization", "week 3")
    assert result.exit_code == 0
    assert f"wrote {Path('week 3', 'README.md')}" in result.output
    assert 'check it with: dlquiz check "week 3"' in result.output
    (world / "week 3" / "normalization.py").write_text("my work\n")
    again = dlquiz("start", "normalization", "week 3")
    assert f"left alone {Path('week 3', 'normalization.py')}" in again.output
    assert "nothing was written" in again.output
    assert (world / "week 3" / "normalization.py").read_text() == "my work\n"


def test_an_unknown_assignment_is_one_clear_message(dlquiz: Dlquiz) -> None:
    result = dlquiz("start", "normalisation")
    assert result.exit_code == 2
    assert result.output == (
        "dlquiz: no assignment 'normalisation': did you mean normalization? `dlquiz list` shows all of them\n"
    )


def test_a_damaged_memory_is_a_note_and_no_traceback(dlquiz: Dlquiz, world: Path) -> None:
    file = world.parent / "data" / "dlquiz" / "progress.json"
    file.parent.mkdir(parents=True)
    file.write_text("{")
    result = dlquiz("list")
    assert result.exit_code == 0
    assert "was damaged: it is now progress.json.damaged" in result.output


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_examples(dlquiz: Dlquiz, verb: str) -> None:
    told = dlquiz(verb, "--help").output
    assert f"  dlquiz {verb}" in told
    assert f"  dlquiz {verb}" in dlquiz("--help").output


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom dlquiz.cli import main\ntry:\n    main(['check', '--help'])\nexcept SystemExit:\n"
        "    print([m for m in ('numpy', 'rich', 'pytest', 'psutil', 'keras') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stdout.splitlines()[-1] == "[]"
    best = min(_seconds("--help") for _ in range(3))
    assert best < 0.2 + min(_bare() for _ in range(3))


def test_list_fits_a_narrow_terminal() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "dlquiz.cli", "list"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "60"},
    )
    assert ran.returncode == 0
    assert max(map(len, ran.stdout.splitlines())) <= 60


def _seconds(*words: str) -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", "dlquiz.cli", *words], capture_output=True, check=True, timeout=60)
    return time.monotonic() - started


def _bare() -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", ""], capture_output=True, check=True, timeout=60)
    return time.monotonic() - started
