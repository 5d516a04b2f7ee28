"""Finding assignments, what identifies one, its mutants, and the assignments of this course."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grader import assignment as module
from grader.assignment import AssignmentError, default_course, discover, find, load

ROOT = Path(__file__).resolve().parents[2]


def test_every_assignment_of_the_course_is_valid_and_worth_100_points() -> None:
    worth = {folder.name: load(folder).points for folder in discover(ROOT / "assignments")}
    assert worth
    assert set(worth.values()) == {100}


def test_importing_the_reader_imports_no_library() -> None:
    code = (
        "import sys, grader.assignment, grader.authoring.release\n"
        "print(*{name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names))"
    )
    clean = [sys.executable, "-S", "-c", code]
    loaded = subprocess.run(clean, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert {name for name in loaded if not name.startswith("__")} <= {"dlquiz", "grader"}


def test_an_assignment_is_found_by_its_name_with_either_joint(folder: Path) -> None:
    course = folder.parent
    assert find("two-functions", course) == find("two_functions", course) == course / "two-functions"


def test_an_assignment_is_found_by_its_folder_or_its_manifest(folder: Path) -> None:
    assert find(str(folder)) == find(str(folder / "assignment.toml")) == folder
    assert find("assignments/two-functions/") == Path("assignments/two-functions")


def test_a_folder_of_the_same_name_does_not_hide_an_assignment(folder: Path) -> None:
    Path("two-functions").mkdir()
    assert find("two-functions") == folder


def test_an_unknown_name_is_answered_with_near_ones_and_the_place_looked_at(folder: Path) -> None:
    with pytest.raises(
        AssignmentError, match=r"no assignment `two-function` in assignments \(did you mean"
    ) as caught:
        find("two-function", folder.parent)
    assert "`two-functions`" in str(caught.value)
    with pytest.raises(AssignmentError, match=r"\(there are: two-functions\)"):
        find("zebra", folder.parent)


def test_a_folder_that_is_no_assignment_is_said_to_be_none(folder: Path) -> None:
    with pytest.raises(
        AssignmentError, match=r"assignments/two-functions/hidden: expected an assignment's folder"
    ):
        find("assignments/two-functions/hidden")


def test_only_folders_with_a_manifest_are_assignments(folder: Path) -> None:
    (folder.parent / "notes").mkdir()
    (folder.parent / "a-first").mkdir()
    (folder.parent / "a-first" / "assignment.toml").touch()
    assert [found.name for found in discover(folder.parent)] == ["a-first", "two-functions"]


def test_a_course_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        AssignmentError, match=r"nowhere: expected a course's folder, received no such file or folder"
    ):
        discover(tmp_path / "nowhere")


def test_the_nearest_course_above_is_the_default_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_course() == folder.parent
    monkeypatch.chdir(folder / "hidden")
    assert default_course() == folder.parent


def test_the_course_of_the_checkout_is_the_default_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "assignments").mkdir()
    monkeypatch.chdir(tmp_path)
    assert default_course() == ROOT / "assignments"


def test_a_missing_course_is_an_error_that_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "lib" / "grader" / "assignment.py"))
    with pytest.raises(AssignmentError, match="no course found") as caught:
        default_course()
    assert str(tmp_path / "lib") in str(caught.value)


@pytest.mark.parametrize(
    "name", ["assignment.toml", "hidden/test_hidden.py", "hidden/data/x.csv", "hidden/extra.py"]
)
def test_what_decides_a_mark_changes_the_digest(folder: Path, name: str) -> None:
    assignment = load(folder)
    before = assignment.digest()
    (folder / name).parent.mkdir(exist_ok=True)
    with (folder / name).open("a") as file:
        file.write("\n")
    assert assignment.digest() != before


@pytest.mark.parametrize(
    "name", ["handout/README.md", "solution/more.py", "mutants.toml", "hidden/__pycache__/x.pyc"]
)
def test_what_decides_no_mark_leaves_the_digest(folder: Path, name: str) -> None:
    assignment = load(folder)
    before = assignment.digest()
    assert len(before) == 64
    (folder / name).parent.mkdir(exist_ok=True)
    with (folder / name).open("a") as file:
        file.write("\n")
    assert assignment.digest() == before


def test_two_hidden_files_never_have_the_digest_of_one(folder: Path) -> None:
    assignment = load(folder)
    (folder / "hidden" / "a.txt").write_text("one")
    (folder / "hidden" / "b.txt").write_text("two")
    two = assignment.digest()
    (folder / "hidden" / "a.txt").write_text("onehidden/b.txttwo")
    (folder / "hidden" / "b.txt").unlink()
    assert assignment.digest() != two


def test_a_mutant_changes_its_file_only(folder: Path) -> None:
    assignment = load(folder)
    sign, tripled = assignment.mutants
    solution = {name: (folder / "solution" / name).read_bytes() for name in assignment.submit}
    assert assignment.mutate(sign) == {
        **solution,
        "two_functions.py": solution["two_functions.py"].replace(b"max(x, 0)", b"min(x, 0)"),
    }
    assert assignment.mutate(tripled) == {
        **solution,
        "more.py": solution["more.py"].replace(b"x * 2", b"x * 3"),
    }
