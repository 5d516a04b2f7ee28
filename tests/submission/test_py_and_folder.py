"""An entry that is a `.py` or a folder."""

from __future__ import annotations

import os
import socket
import tracemalloc
from pathlib import Path

import pytest

from grader.submission import Submission, folder, read
from grader.submission.members import MAX_MEMBERS, MAX_SOURCE

SUBMIT = ("normalization.py",)


@pytest.fixture
def ada(tmp_path):
    home = tmp_path / "ada"
    home.mkdir()
    return home


def only_problem(found: Submission) -> str:
    assert found.files == {}
    assert len(found.problems) == 1
    return found.problems[0]


def test_py_file_is_the_submission_of_the_student_it_is_named_after(hand_in, good):
    assert hand_in("normalization.py", good) == Submission("normalization", {"normalization.py": good})


def test_py_file_of_another_name_is_read_as_the_file_asked_for_and_noted(hand_in, good):
    assert hand_in("bo.py", good) == Submission(
        "bo", {"normalization.py": good}, ("bo.py read as normalization.py",)
    )


def test_py_file_of_another_name_is_no_answer_where_two_files_are_asked_for(hand_in, good):
    found = hand_in("bo.py", good, ("a.py", "b.py"))
    assert only_problem(found) == "bo.py is one file of 2: hand in a.py, b.py in a folder or a .zip"


def test_one_file_of_two_is_kept_and_the_other_is_missing(hand_in, good):
    found = hand_in("b.py", good, ("a.py", "b.py"))
    assert found.files == {"b.py": good}
    assert found.problems == ("a.py is missing: hand in a folder or a .zip",)


def test_syntax_error_is_passed_on_unchanged(hand_in):
    assert hand_in("bo.py", b"def (:\n").files == {"normalization.py": b"def (:\n"}


@pytest.mark.parametrize("content", [b"", b" \n\t\n"])
def test_empty_file_is_a_problem(hand_in, content):
    assert only_problem(hand_in("bo.py", content)) == "bo.py is empty: hand in the file with your answers"


def test_entry_in_another_format_is_told_the_accepted_ones(hand_in, good):
    problem = only_problem(hand_in("bo.tar.gz", good))
    assert problem == "bo.tar.gz is in no accepted format: hand in a folder, a .py, a .zip or an .ipynb"


def test_entry_that_is_not_there_is_a_problem(tmp_path):
    assert "No such file" in only_problem(read(tmp_path / "ghost.py", SUBMIT))


def test_file_of_50_mb_is_refused_by_its_size_without_being_read(tmp_path):
    with (tmp_path / "bo.py").open("wb") as file:
        file.truncate(50_300_000)
    tracemalloc.start()
    problem = only_problem(read(tmp_path / "bo.py", SUBMIT))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
    assert problem == "bo.py is 50.3 MB; the limit is 1 MB: leave data and outputs out"


def test_source_may_be_as_large_as_the_limit_and_no_larger(hand_in):
    assert hand_in("bo.py", b"#" * MAX_SOURCE).problems == ()
    assert "the limit is 1 MB" in only_problem(hand_in("bo.py", b"#" * (MAX_SOURCE + 1)))


@pytest.mark.parametrize("size", [1, 100])
def test_file_that_changes_while_it_is_read_is_not_taken(tmp_path, good, monkeypatch, size):
    (tmp_path / "before").write_bytes(b"#" * size)
    before = os.stat(tmp_path / "before")
    (tmp_path / "bo.py").write_bytes(good)
    monkeypatch.setattr(folder.os, "fstat", lambda descriptor: before)
    assert "bo.py changed while it was read" in only_problem(read(tmp_path / "bo.py", SUBMIT))


def test_folder_holds_the_file(ada, good):
    (ada / "normalization.py").write_bytes(good)
    assert read(ada, SUBMIT) == Submission("ada", {"normalization.py": good})


def test_file_may_lie_in_one_wrapping_folder(ada, good):
    (ada / "work").mkdir()
    (ada / "work" / "normalization.py").write_bytes(good)
    assert read(ada, SUBMIT).files == {"normalization.py": good}


def test_file_two_folders_down_is_missing(ada, good):
    (ada / "my" / "work").mkdir(parents=True)
    (ada / "my" / "work" / "normalization.py").write_bytes(good)
    found = read(ada, SUBMIT)
    assert only_problem(found).startswith("normalization.py is missing")
    assert found.notes == ("ignored the folder my/work",)


def test_file_at_the_top_wins_over_one_in_a_folder(ada, good):
    (ada / "old").mkdir()
    (ada / "old" / "normalization.py").write_bytes(b"old = 1\n")
    (ada / "normalization.py").write_bytes(good)
    found = read(ada, SUBMIT)
    assert found.files == {"normalization.py": good}
    assert found.notes == ("ignored, since only normalization.py counts: old/normalization.py",)


def test_file_in_two_wrapping_folders_is_not_chosen_between(ada, good):
    for name in ("v1", "v2"):
        (ada / name).mkdir()
        (ada / name / "normalization.py").write_bytes(good)
    assert only_problem(read(ada, SUBMIT)) == "ada has normalization.py in several folders (v1, v2): keep one"


def test_missing_file_is_told_with_what_is_there(ada, good):
    (ada / "Normalization.py").write_bytes(good)
    problem = only_problem(read(ada, SUBMIT))
    assert problem.startswith("normalization.py is missing: ada holds Normalization.py. Hand in")


def test_missing_file_of_an_empty_folder(ada):
    assert only_problem(read(ada, SUBMIT)) == "normalization.py is missing: ada holds no files"


def test_each_missing_file_is_named_and_the_others_are_kept(ada, good):
    (ada / "b.py").write_bytes(good)
    found = read(ada, ("a.py", "b.py", "c.py"))
    assert found.files == {"b.py": good}
    assert [problem.split(":")[0] for problem in found.problems] == ["a.py is missing", "c.py is missing"]


def test_files_that_would_hijack_grading_are_left_out_and_reported(ada, good):
    hostile = ("conftest.py", "keras.py", "sitecustomize.py", "test_normalization.py")
    for name in (*hostile, "normalization.py"):
        (ada / name).write_bytes(good)
    found = read(ada, SUBMIT)
    assert list(found.files) == ["normalization.py"]
    assert found.notes == (f"ignored, since only normalization.py counts: {', '.join(hostile)}",)


def test_leavings_of_tools_are_passed_over_in_silence(ada, good):
    (ada / "normalization.py").write_bytes(good)
    (ada / ".DS_Store").write_bytes(b"x")
    for name in ("__pycache__", ".ipynb_checkpoints", "__MACOSX"):
        (ada / name).mkdir()
        (ada / name / "normalization.py").write_bytes(b"other = 1\n")
    assert read(ada, SUBMIT) == Submission("ada", {"normalization.py": good})


def test_hidden_folder_is_not_searched(ada, good):
    (ada / ".venv").mkdir()
    (ada / ".venv" / "normalization.py").write_bytes(good)
    found = read(ada, SUBMIT)
    assert only_problem(found).startswith("normalization.py is missing")
    assert found.notes == ("ignored the folder .venv",)


def test_link_to_a_file_is_not_followed(ada, tmp_path):
    (tmp_path / "hidden.py").write_text("answer = 42\n")
    (ada / "normalization.py").symlink_to(tmp_path / "hidden.py")
    problem = "normalization.py is a symbolic link, which is not followed: hand in the file itself"
    assert only_problem(read(ada, SUBMIT)) == problem


def test_link_to_a_folder_is_not_followed(ada, tmp_path, good):
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "normalization.py").write_bytes(good)
    (ada / "work").symlink_to(tmp_path / "hidden")
    assert only_problem(read(ada, SUBMIT)).startswith("normalization.py is missing: ada holds work.")


@pytest.mark.parametrize("name", ["bo", "bo.py", "bo.zip", "bo.ipynb"])
@pytest.mark.parametrize("target", ["file", "folder", "nowhere"])
def test_entry_that_is_a_link_is_not_followed(tmp_path, good, name, target):
    (tmp_path / "file").write_bytes(good)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "normalization.py").write_bytes(good)
    (tmp_path / name).symlink_to(tmp_path / target)
    found = read(tmp_path / name, SUBMIT)
    assert found.student == "bo"
    assert "is a symbolic link, which is not followed" in only_problem(found)


def test_link_put_in_place_of_a_file_after_the_look_is_not_followed(tmp_path, good, monkeypatch):
    (tmp_path / "file").write_bytes(good)
    (tmp_path / "bo.py").symlink_to(tmp_path / "file")
    monkeypatch.setattr(folder, "require_plain", lambda mode: None)
    assert "is a symbolic link" in only_problem(read(tmp_path / "bo.py", SUBMIT))


def test_pipe_put_in_place_of_a_file_after_the_look_does_not_block(tmp_path, good, monkeypatch):
    os.mkfifo(tmp_path / "bo.py")
    plain = os.stat(__file__)
    monkeypatch.setattr(folder.os, "stat", lambda *args, **kwargs: plain)
    monkeypatch.setattr(folder.os, "lstat", lambda *args, **kwargs: plain)
    assert "is not an ordinary file" in only_problem(read(tmp_path / "bo.py", SUBMIT))


@pytest.mark.timeout(10)
@pytest.mark.parametrize("where", ["bo.py", "ada/normalization.py"])
def test_pipe_does_not_block(ada, tmp_path, where):
    os.mkfifo(tmp_path / where)
    assert "is not an ordinary file" in only_problem(read(tmp_path / Path(where).parts[0], SUBMIT))


def test_socket_is_not_an_ordinary_file(ada, monkeypatch):
    monkeypatch.chdir(ada)  # a socket's address is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("normalization.py")
        assert "is not an ordinary file" in only_problem(read(ada, SUBMIT))


def test_device_is_not_opened(monkeypatch):
    monkeypatch.setattr(folder.os, "open", pytest.fail)
    assert "is not an ordinary file" in only_problem(read(Path("/dev/null"), SUBMIT))


def test_folder_in_the_place_of_the_file_is_not_the_file(ada):
    (ada / "normalization.py").mkdir()
    assert only_problem(read(ada, SUBMIT)).startswith("normalization.py is missing")


def refuse(monkeypatch, refused):
    real = os.open

    def fake(path, *args, **kwargs):
        if Path(path).name == refused:
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(folder.os, "open", fake)


def test_unreadable_file_is_a_problem(ada, good, monkeypatch):
    (ada / "normalization.py").write_bytes(good)
    refuse(monkeypatch, "normalization.py")
    problem = "normalization.py cannot be read (Permission denied): check its name and permissions"
    assert only_problem(read(ada, SUBMIT)) == problem


def test_unreadable_folder_is_a_problem(ada, good, monkeypatch):
    (ada / "normalization.py").write_bytes(good)
    refuse(monkeypatch, "ada")
    assert "ada cannot be read (Permission denied)" in only_problem(read(ada, SUBMIT))


def test_unreadable_inner_folder_does_not_hide_the_file(ada, good, monkeypatch):
    (ada / "normalization.py").write_bytes(good)
    (ada / "private").mkdir()
    refuse(monkeypatch, "private")
    found = read(ada, SUBMIT)
    assert found.files == {"normalization.py": good}
    assert found.notes == ("private cannot be read (Permission denied): check its name and permissions",)


def test_folder_with_too_many_files_is_refused(ada, good, monkeypatch):
    monkeypatch.setattr(folder, "MAX_MEMBERS", 4)
    (ada / "normalization.py").write_bytes(good)
    (ada / "data").mkdir()
    for number in range(2):
        (ada / "data" / str(number)).touch()
    assert read(ada, SUBMIT).problems == ()
    (ada / "data" / "2").touch()
    assert f"ada holds more than {MAX_MEMBERS:,} files" in only_problem(read(ada, SUBMIT))


def test_no_descriptor_is_left_open(ada, tmp_path, good):
    (ada / "normalization.py").symlink_to("x")
    (ada / "work").mkdir()
    before = os.listdir("/proc/self/fd")
    for _ in range(5):
        read(ada, SUBMIT)
        read(tmp_path / "ada" / "normalization.py", SUBMIT)
    assert os.listdir("/proc/self/fd") == before


def test_names_cannot_steer_the_terminal(ada):
    (ada / "\x1b[2J\n\u202eevil.py").touch()
    found = read(ada, SUBMIT)
    assert all(text.isprintable() for text in (*found.notes, *found.problems))
    assert "[2J" in found.problems[0]


def test_notes_stay_short_however_many_files_are_ignored(ada, good):
    (ada / "normalization.py").write_bytes(good)
    for number in range(300):
        (ada / f"{number:03}").touch()
    (note,) = read(ada, SUBMIT).notes
    assert note.endswith("counts: 000, 001, 002, 003, 004, 005, 006, 007, 008, 009 and 290 more")
    for number in range(300):
        (ada / f"{number:03}").rename(ada / f"{number:03}{'x' * 200}")
    (note,) = read(ada, SUBMIT).notes
    assert len(note) <= 600
    assert all(len(name) <= 100 for name in note.split("counts: ")[1].split(", "))


def test_digest_depends_on_names_and_contents_alone():
    one = Submission("ada", {"a.py": b"1", "b.py": b"2"}, ("a note",), ())
    assert one.digest() == Submission("bo", {"b.py": b"2", "a.py": b"1"}, (), ("a problem",)).digest()
    others = [
        {"a.py": b"2", "b.py": b"1"},
        {"a.py": b"1"},
        {"a.py": b"1", "c.py": b"2"},
        {"a.py": b"1b.py2"},
        {},
    ]
    assert len({one.digest(), *(Submission("ada", files).digest() for files in others)}) == 6


def test_digest_tells_where_a_name_ends():
    assert Submission("ada", {"a": b"bc"}).digest() != Submission("ada", {"ab": b"c"}).digest()


def test_digest_is_the_same_for_a_folder_a_zip_and_a_file(ada, hand_in, make_zip, good):
    (ada / "normalization.py").write_bytes(good)
    digests = {
        read(ada, SUBMIT).digest(),
        hand_in("bo.py", good).digest(),
        hand_in("cy.zip", make_zip(("x/notes.txt", b""), ("x/normalization.py", good))).digest(),
    }
    assert len(digests) == 1
