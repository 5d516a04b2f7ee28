"""Help is quick, complete, and imports nothing heavy; what is used wrongly ends in one line."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from grader.cli import main

HEAVY = [
    "keras",
    "tensorflow",
    "numpy",
    "pandas",
    "rich",
    "sqlalchemy",
    "sklearn",
    "matplotlib",
    "jinja2",
    "msgpack",
    "pytest",
    "psutil",
]


@pytest.mark.parametrize("arguments", [["--help"], ["grade", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import json, sys\nfrom grader.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    print('SEEN' + json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout.partition("SEEN")[2])
    assert [name for name in HEAVY if name in loaded] == []


def test_help_takes_a_fifth_of_a_second() -> None:
    def seconds(code: str) -> float:
        started = time.monotonic()
        subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True)
        return time.monotonic() - started

    # The best of some, less what a bare interpreter takes on a machine that is busy.
    bare = min(seconds("pass") for _ in range(5))
    helped = min(seconds("from grader.cli import main; main(['--help'])") for _ in range(5))
    assert helped - bare < 0.2


def test_the_verbs_are_listed_with_examples() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for verb in main.commands:
        assert f"grader {verb}" in result.output


@pytest.mark.parametrize("verb", list(main.commands))
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    result = CliRunner().invoke(main, [verb, "-h"])
    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"grader {verb}" in result.output.partition("Example")[2]
    assert len(main.commands[verb].help or "") > 20
    for option in main.commands[verb].params:
        assert option.param_type_name == "argument" or option.help


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["grade"], "Missing argument 'CLASS_DIR'"),
        (["grade", "class"], "Missing option '-a'"),
        (["grade", "class", "-a", "sums", "-j", "0"], "'-j' / '--jobs'"),
        (["grade", "class", "-a", "sums", "--seed", "-1"], "'--seed'"),
        (["grade", "class", "-a", "sums", "--isolation", "some"], "'--isolation'"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["release"], "say where to: grader release OUT"),
        (["release", "--check", "--write"], "--check writes nothing"),
    ],
)
def test_wrong_usage_is_status_2_and_says_what(arguments: list[str], text: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert text in result.output
    assert "Traceback" not in result.output


GRADE = ("grade", "class", "-a", "sums")


def one_line(done: Any, *texts: str) -> None:
    __tracebackhide__ = True
    assert done.out == ""
    lines = done.err.strip().splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("grader: ")
    for text in texts:
        assert text in lines[0]


def test_an_unknown_assignment_is_named_with_what_comes_near(course: Any, right: str) -> None:
    course.hand_in("ada", right)
    one_line(course.invoke("grade", "class", "-a", "sum", status=2), "no assignment `sum`", "sums")
    one_line(
        course.invoke("show", "ada", "-a", "nothing-like-it", status=2), "no assignment `nothing-like-it`"
    )


def test_a_folder_without_a_course_is_told(tmp_path: Path, course: Any) -> None:
    (tmp_path / "elsewhere").mkdir()
    course.folder = tmp_path / "elsewhere"
    done = course.invoke("grade", "class", "-a", "sums", status=2)
    assert done.err.startswith("grader: ")
    assert len(done.err.splitlines()) == 1


def test_a_class_that_is_missing_or_empty_is_told(course: Any) -> None:
    one_line(course.invoke("grade", "nowhere", "-a", "sums", status=2), "no class at nowhere")
    one_line(course.invoke(*GRADE, status=2), "the class class is empty")
    (course.folder / "file").write_text("")
    one_line(course.invoke("grade", "file", "-a", "sums", status=2), "no class at file")
    assert not (course.folder / "gradebook.db").exists()


def test_a_gradebook_that_is_none_is_told_and_left_alone(course: Any, right: str) -> None:
    course.hand_in("ada", right)
    (course.folder / "notes.txt").write_text(
        "no database, these are notes of mine, long enough to be looked at\n" * 20
    )
    before = (course.folder / "notes.txt").read_bytes()
    one_line(course.invoke(*GRADE, "--gradebook", "notes.txt", status=3), "notes.txt", "not a gradebook")
    assert (course.folder / "notes.txt").read_bytes() == before
    one_line(course.invoke(*GRADE, "--gradebook", "no/such/folder/book.db", status=3), "book.db")
    one_line(course.invoke(*GRADE, "--gradebook", "nosuchsql://user:SECRET@host/x", status=3), "nosuchsql")
    assert (
        "SECRET" not in course.invoke(*GRADE, "--gradebook", "nosuchsql://user:SECRET@host/x", status=3).err
    )


def test_showing_from_a_gradebook_that_is_not_there_makes_none(course: Any) -> None:
    one_line(course.invoke("show", "ada", "-a", "sums", status=3), "gradebook.db")
    assert not (course.folder / "gradebook.db").exists()


def test_a_manifest_with_faults_tells_them_all(course: Any, right: str) -> None:
    course.hand_in("ada", right)
    manifest = course.folder / "assignments" / "sums" / "assignment.toml"
    manifest.write_text(
        manifest.read_text().replace("points = 6", "points = 7").replace('title = "Sums"', "title = 3")
    )
    done = course.invoke(*GRADE, status=2)
    assert "title" in done.err
    assert "points" in done.err
    assert "test_hidden.py" in done.err or "assignment.toml" in done.err


def test_a_file_that_cannot_be_written_is_told(course: Any, right: str) -> None:
    course.hand_in("ada", right)
    done = course.grade("--json", "no/such/folder/out.json", status=3)
    assert "no/such/folder/out.json" in done.err.strip().splitlines()[-1]
