"""Which assignments there are, and how one is copied out."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from dlquiz import handouts
from dlquiz.handouts import HandoutError
from grader.assignment import discover, load, public_part
from grader.authoring.release import bundle

ROOT = Path(handouts.__file__).parents[1]


def test_a_wheels_assignments_come_in_course_order_and_others_last(wheel: Path) -> None:
    assert list(handouts.course(wheel)) == ["activations", "losses", "sums"]


def test_a_checkouts_assignments_are_read_from_beside_it_without_the_unfinished(checkout: Path) -> None:
    course = handouts.course(checkout)
    assert list(course) == ["sums"]
    assert (course["sums"].title, course["sums"].points) == ("Sums", 6)


def test_a_damaged_assignment_hides_no_other(wheel: Path) -> None:
    (wheel / "_course" / "losses" / "assignment.json").write_text('{"slug": ')
    (wheel / "_course" / "sums" / "README.md").unlink()
    assert list(handouts.course(wheel)) == ["activations"]


def test_the_order_names_every_assignment_of_this_course() -> None:
    order = tomllib.loads((ROOT / "dlquiz" / "course.toml").read_text())["order"]
    assert len(order) == len(set(order)) == 19
    assert {folder.name for folder in discover(ROOT / "assignments")} <= set(order)


def test_what_is_copied_out_is_what_the_grader_releases(tmp_path: Path) -> None:
    for slug, handout in handouts.course().items():
        handouts.start(handout, tmp_path / slug)
        copied = {file.name: file.read_bytes() for file in (tmp_path / slug).iterdir()}
        assert copied == bundle(load(ROOT / "assignments" / slug))


def test_the_public_part_is_the_graders(checkout: Path) -> None:
    manifest = tomllib.loads((checkout.parent / "assignments" / "sums" / "assignment.toml").read_text())
    told = json.loads(handouts.course(checkout)["sums"].to_json())
    assert list(told.items()) == list(public_part("sums", manifest).items())


@pytest.mark.parametrize("name", ["sums", "Sums", "sums.py", "sums/", " sums"])
def test_an_assignment_is_found_by_what_comes_close_enough(wheel: Path, name: str) -> None:
    assert handouts.find(name, wheel).slug == "sums"


def test_an_unknown_assignment_is_answered_with_what_comes_near(wheel: Path) -> None:
    with pytest.raises(
        HandoutError, match=r"no assignment 'activatoins': did you mean activations\? `dlquiz list`"
    ):
        handouts.find("activatoins", wheel)
    with pytest.raises(HandoutError, match=r"no assignment 'zzz'\. `dlquiz list` shows all of them"):
        handouts.find("zzz", wheel)


def test_an_installation_without_assignments_says_so(tmp_path: Path, wheel: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "course.toml").write_text("order = []\n")
    with pytest.raises(HandoutError, match="holds no assignments"):
        handouts.find("sums", tmp_path / "empty")


def test_only_public_files_are_copied(checkout: Path, tmp_path: Path) -> None:
    handout = handouts.find("sums", checkout)
    started = handouts.start(handout, tmp_path / "a" / "b", checkout)
    assert started.written == ("README.md", "sums.py", "test_public.py", "assignment.json")
    assert {path.name for path in (tmp_path / "a" / "b").iterdir()} == set(started.written)
    assert handouts.read_folder(tmp_path / "a" / "b") == handout


def test_work_is_never_overwritten(wheel: Path, tmp_path: Path) -> None:
    handout = handouts.find("sums", wheel)
    folder = tmp_path / "mine"
    handouts.start(handout, folder, wheel)
    (folder / "sums.py").write_text("my work\n")
    (folder / "README.md").unlink()
    again = handouts.start(handout, folder, wheel)
    assert (folder / "sums.py").read_text() == "my work\n"
    assert again == handouts.Started(
        folder, ("README.md",), ("test_public.py", "assignment.json"), ("sums.py",)
    )


def test_a_link_to_elsewhere_is_not_written_through(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "sums.py").symlink_to(tmp_path / "elsewhere.py")
    started = handouts.start(handouts.find("sums", wheel), tmp_path / "mine", wheel)
    assert started.kept == ("sums.py",)
    assert not (tmp_path / "elsewhere.py").exists()


def test_a_folder_of_another_assignment_is_refused(wheel: Path, tmp_path: Path) -> None:
    handouts.start(handouts.find("sums", wheel), tmp_path / "mine", wheel)
    with pytest.raises(HandoutError, match="holds the assignment sums: name another folder"):
        handouts.start(handouts.find("losses", wheel), tmp_path / "mine", wheel)
    (tmp_path / "file").write_text("")
    with pytest.raises(HandoutError, match="is a file"):
        handouts.start(handouts.find("losses", wheel), tmp_path / "file", wheel)


DAMAGED = [
    "",
    "[]",
    "null",
    '{"slug": "sums"}',
    "[" * 100_000,
    '{"slug": "s", "title": "", "topics": 3, "submit": ["s.py"], "problems": []}',
    '{"slug": "s", "title": "", "topics": [], "submit": [], "problems": []}',
    '{"slug": "s", "title": "", "topics": [], "submit": ["../s.py"], "problems": []}',
    '{"slug": "s", "title": "", "topics": [], "submit": ["C:s.py"], "problems": []}',
    '{"slug": "s", "title": "", "topics": [], "submit": ["s.py"], "problems": [{"name": "a"}]}',
]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_manifest_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "assignment.json").write_text(text)
    with pytest.raises(HandoutError, match=r"assignment\.json is damaged: delete it"):
        handouts.read_folder(tmp_path)
