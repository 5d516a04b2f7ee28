"""A student receives the handout, and nothing that is hidden."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from grader.assignment import Assignment, AssignmentError, discover, load
from grader.authoring.release import bundle, leaks, release

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ["README.md", "assignment.json", "scaling.py", "test_public.py"]


def refused(out: Path, assignment: Assignment) -> list[str]:
    with pytest.raises(AssignmentError) as caught:
        release(out, [assignment])
    assert not out.exists()
    return caught.value.problems


def add(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def test_every_assignment_of_the_course_can_be_released(tmp_path: Path) -> None:
    assignments = [load(folder) for folder in discover(ROOT / "assignments")]
    assert [folder.name for folder in release(tmp_path, assignments)] == [known.slug for known in assignments]


def test_a_bundle_holds_the_handout_and_the_public_part_only(assignment: Assignment, tmp_path: Path) -> None:
    (folder,) = release(tmp_path / "out", [assignment])
    assert folder == tmp_path / "out" / "scaling"
    assert sorted(file.name for file in folder.rglob("*")) == BUNDLED
    for name in ("README.md", "scaling.py", "test_public.py"):
        assert (folder / name).read_bytes() == (assignment.handout / name).read_bytes()
    assert json.loads((folder / "assignment.json").read_text()) == {
        "slug": "scaling",
        "title": "Scaling",
        "topics": ["data-normalization"],
        "submit": ["scaling.py"],
        "forbidden": ["numpy.interp"],
        "problems": [{"name": "min_max", "title": "Min-max scaling", "points": 100}],
    }


def test_a_bundle_has_a_fresh_stub_whatever_the_committed_one_says(assignment: Assignment) -> None:
    (assignment.handout / "scaling.py").write_text("stale = True\n")
    assert b"raise NotImplementedError" in bundle(assignment)["scaling.py"]


def test_the_archive_holds_the_same_and_is_equal_every_time(assignment: Assignment, tmp_path: Path) -> None:
    (folder,) = release(tmp_path / "first", [assignment])
    for file in assignment.path.rglob("*"):
        file.touch()
    release(tmp_path / "second", [assignment])
    packed = tmp_path / "first" / "scaling.zip"
    assert packed.read_bytes() == (tmp_path / "second" / "scaling.zip").read_bytes()
    with zipfile.ZipFile(packed) as archive:
        assert archive.namelist() == [f"scaling/{name}" for name in BUNDLED]
        assert all(archive.read(f"scaling/{name}") == (folder / name).read_bytes() for name in BUNDLED)
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}


def test_other_files_in_the_folder_stay(assignment: Assignment, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "scaling").mkdir(parents=True)
    (out / "notes.txt").write_text("mine")
    (out / "scaling" / "extra.py").write_text("mine")
    (out / "scaling" / "README.md").write_text("an earlier release")
    release(out, [assignment])
    assert sorted(file.name for file in out.iterdir()) == ["notes.txt", "scaling", "scaling.zip"]
    assert (out / "notes.txt").read_text() == (out / "scaling" / "extra.py").read_text() == "mine"
    assert (out / "scaling" / "README.md").read_text().startswith("# Scaling")


def test_a_failed_write_leaves_no_part_of_a_bundle(
    assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("grader.authoring.release._zip", fail)
    with pytest.raises(OSError, match="disk full"):
        release(tmp_path / "out", [assignment])
    assert list((tmp_path / "out").iterdir()) == []


def test_an_assignments_own_folder_is_never_a_bundle(assignment: Assignment) -> None:
    before = {file: file.read_bytes() for file in assignment.path.rglob("*") if file.is_file()}
    with pytest.raises(AssignmentError, match="expected a bundle's folder or nothing"):
        release(assignment.path.parent, [assignment])
    assert {file: file.read_bytes() for file in assignment.path.rglob("*") if file.is_file()} == before


def test_a_file_in_a_bundles_place_is_refused(assignment: Assignment, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "scaling").touch()
    with pytest.raises(AssignmentError, match="expected a bundle's folder or nothing"):
        release(tmp_path / "out", [assignment])


@pytest.mark.parametrize("name", ["test_hidden.py", "scaling_solution.py", "mutants.toml", "hidden"])
def test_a_file_that_is_no_part_of_a_handout_is_refused(
    assignment: Assignment, tmp_path: Path, name: str
) -> None:
    (assignment.handout / name).touch()
    (problem,) = refused(tmp_path / "out", assignment)
    assert problem.startswith(
        f"assignments/scaling/handout/{name}: expected only README.md, scaling.py, test_public.py"
    )


def test_what_a_test_run_leaves_behind_is_not_released(assignment: Assignment) -> None:
    (assignment.handout / "__pycache__").mkdir()
    (assignment.handout / ".pytest_cache").mkdir()
    assert sorted(bundle(assignment)) == BUNDLED


@pytest.mark.parametrize("folder", ["solution", "hidden"])
@pytest.mark.parametrize("name", ["README.md", "test_public.py"])
def test_a_copied_file_is_refused(assignment: Assignment, tmp_path: Path, folder: str, name: str) -> None:
    secret = next((assignment.path / folder).iterdir()).read_text()
    add(assignment.handout / name, f"\n{secret}")
    (problem,) = refused(tmp_path / "out", assignment)
    assert re.match(rf"scaling: {name}:\d+: expected nothing hidden, received ", problem)
    assert f"{folder}/" in problem


def test_a_few_lines_of_an_answer_are_refused_however_they_are_set(
    assignment: Assignment, tmp_path: Path
) -> None:
    text = """
```python
>>> lowest  = table.min(axis=0, keepdims=True)
>>> # the other end
>>> highest = table.max(axis=0, keepdims=True)

>>> spread = np.where(highest > lowest, highest - lowest, 1.0)
```
"""
    add(assignment.handout / "README.md", text)
    assert refused(tmp_path / "out", assignment) == [
        "scaling: README.md:6: expected nothing hidden, received solution/scaling.py: "
        "'lowest = table.min(axis=0, keepdims=True)' ..."
    ]


def test_part_of_a_hidden_test_is_refused(assignment: Assignment, tmp_path: Path) -> None:
    text = """

def test_more(student, rng):
    table = rng.normal(size=(7, 3)) * [1, 10, 100]
    scaled = student.min_max(table)
    np.testing.assert_allclose(scaled.min(axis=0), [0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(scaled.max(axis=0), [1, 1, 1], atol=1e-12)
"""
    add(assignment.handout / "test_public.py", text)
    (problem,) = refused(tmp_path / "out", assignment)
    assert "`test_columns_apart` in hidden/test_hidden.py" in problem


def test_everyday_lines_are_no_leak(assignment: Assignment) -> None:
    text = """

def test_more(student, rng):
    table = np.asarray(table, dtype="float64")
    scaled = student.min_max(table)
    assert scaled.shape == table.shape
    import numpy as np
    import pytest
    return None
    Columns are scaled apart from each other.
    Each column's lowest number becomes 0.
    Each column's highest number becomes 1.
    Columns have different magnitudes here.
    m = 5
    n = 2
    s = m * n
    table = np.asarray(table, dtype="float64")
    lowest = table.min(axis=0, keepdims=True)
    highest = table.max(axis=0, keepdims=True)
"""
    assert leaks(assignment, {"test_public.py": text.encode()}) == []


def test_one_refusal_stops_the_whole_release(assignment: Assignment, tmp_path: Path) -> None:
    copy = load(Path(shutil.copytree(assignment.path, assignment.path.with_name("another"))))
    add(copy.handout / "README.md", (copy.solution / "scaling.py").read_text())
    with pytest.raises(AssignmentError, match="expected nothing hidden"):
        release(tmp_path / "out", [assignment, copy])
    assert not (tmp_path / "out").exists()
