"""A class of entries, and the ids of its students."""

from __future__ import annotations

import os
import tracemalloc
import unicodedata

import pytest

from grader.submission import ClassError, Submission, read_class
from grader.submission.names import MAX_ID, student_id

SUBMIT = ("normalization.py",)


def ids(folder):
    return [found.student for found in read_class(folder, SUBMIT)]


def test_every_form_of_entry_is_read_in_the_order_of_the_students(tmp_path, good, make_zip, make_notebook):
    (tmp_path / "dina.zip").write_bytes(make_zip((SUBMIT[0], good)))
    (tmp_path / "bo.py").write_bytes(good)
    (tmp_path / "cy.ipynb").write_bytes(make_notebook(good.decode()))
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / SUBMIT[0]).write_bytes(good)
    found = list(read_class(tmp_path, SUBMIT))
    assert [one.student for one in found] == ["ada", "bo", "cy", "dina"]
    assert [one.problems for one in found] == [()] * 4
    assert all(good.strip() in one.files[SUBMIT[0]] for one in found)


def test_one_bad_entry_does_not_stop_the_others(tmp_path, good):
    (tmp_path / "ada.zip").write_bytes(b"no zip")
    (tmp_path / "bo.ipynb").write_bytes(b"{")
    (tmp_path / "cy.py").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "dina.py")
    (tmp_path / "eve.rar").write_bytes(b"x")
    (tmp_path / "fay.py").write_bytes(good)
    found = list(read_class(tmp_path, SUBMIT))
    assert [one.student for one in found] == ["ada", "bo", "cy", "dina", "eve.rar", "fay"]
    assert [len(one.problems) for one in found] == [1, 1, 1, 1, 1, 0]


def test_dotfiles_and_leavings_are_no_students(tmp_path, good):
    for name in (".DS_Store", ".hidden.py"):
        (tmp_path / name).write_bytes(good)
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "bo.py").write_bytes(good)
    assert ids(tmp_path) == ["bo"]


def test_two_entries_of_one_student_are_both_named_and_neither_is_picked(tmp_path, good, make_zip):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / SUBMIT[0]).write_bytes(good)
    (tmp_path / "ada.zip").write_bytes(make_zip((SUBMIT[0], good)))
    (tmp_path / "bo.py").write_bytes(good)
    found = list(read_class(tmp_path, SUBMIT))
    assert found[0] == Submission("ada", problems=("ada has several entries (ada, ada.zip): keep one",))
    assert [one.student for one in found] == ["ada", "bo"]


def test_link_counts_as_an_entry_of_the_student_it_is_named_after(tmp_path, good):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada.py").symlink_to(tmp_path / "ada")
    (found,) = read_class(tmp_path, SUBMIT)
    assert found.problems == ("ada has several entries (ada, ada.py): keep one",)


def test_missing_class_is_an_error_at_once(tmp_path):
    with pytest.raises(ClassError, match=r"no class at .*term \(No such file.*one entry a student"):
        read_class(tmp_path / "term", SUBMIT)


def test_class_that_is_a_file_is_an_error(tmp_path):
    (tmp_path / "term").touch()
    with pytest.raises(ClassError, match=r"no class at .*term \(Not a directory\)"):
        read_class(tmp_path / "term", SUBMIT)


def test_empty_class_is_an_error(tmp_path):
    (tmp_path / ".DS_Store").touch()
    with pytest.raises(ClassError, match=r"is empty: it takes one entry a student, a folder, a .py"):
        read_class(tmp_path, SUBMIT)


def test_class_is_read_one_submission_at_a_time(tmp_path):
    for number in range(20):
        (tmp_path / f"s{number:02}.py").write_bytes(b"#" * 300_000)
    tracemalloc.start()
    assert sum(len(one.files) for one in read_class(tmp_path, SUBMIT)) == 20
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000


@pytest.mark.parametrize("suffix", [".py", ".zip", ".ipynb", ".PY", ".Zip"])
def test_id_is_the_name_less_the_suffix_of_a_file(suffix):
    assert student_id("ada.b" + suffix, is_folder=False) == "ada.b"


@pytest.mark.parametrize("entry", ["ada.py", "ada.tar.gz", "李雷", "O'Brien, Zoë_12-3"])
def test_ordinary_folder_name_is_kept_whole(entry):
    assert student_id(entry, is_folder=True) == entry


def test_id_is_composed_so_that_equal_looking_names_are_equal():
    assert student_id(unicodedata.normalize("NFD", "Zoë"), True) == unicodedata.normalize("NFC", "Zoë")


@pytest.mark.parametrize(
    "entry",
    [
        "a\nb",
        "a\x1b[2Jb",
        "a\u202eb",
        "a\u200bb",
        "a\udcffb",
        "a\\b",
        " ada",
        "ada ",
        "x" * 300,
        ".",
        "..",
        "a\u2028b",
    ],
)
def test_odd_id_is_made_printable_short_and_stays_its_own(entry):
    made = student_id(entry, is_folder=True)
    assert made.isprintable()
    assert len(made) <= MAX_ID + 13
    assert made not in (".", "..", "ada")
    assert "\\" not in made
    assert made.strip() == made
    assert made != student_id(entry + "\n", is_folder=True)
    made.encode()


def test_two_odd_names_that_clean_up_alike_stay_two_students(tmp_path, good):
    for name in ("a\nb.py", "a\tb.py", "a_b.py"):
        (tmp_path / name).write_bytes(good)
    assert len(set(ids(tmp_path))) == 3


def test_no_name_passes_for_the_marked_id_of_another():
    victim = student_id("a\nb", is_folder=True)
    assert student_id(victim, is_folder=True) != victim


def test_entry_whose_name_is_not_text_is_read(tmp_path, good):
    with open(os.fsencode(tmp_path) + b"/b\xff.py", "wb") as file:
        file.write(good)
    (found,) = read_class(tmp_path, SUBMIT)
    assert found.files == {SUBMIT[0]: good}
    assert found.student.startswith("b_~")
    assert found.notes[0].isprintable()
