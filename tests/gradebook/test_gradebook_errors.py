"""What cannot be used is named, with the way out, and never harmed."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, make_url
from sqlalchemy.exc import OperationalError

from grader.gradebook import Gradebook, GradebookError
from grader.gradebook.errors import Place


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "marks.db"


def refused(target: str | Path, **options: Any) -> str:
    with pytest.raises(GradebookError) as caught:
        Gradebook(target, **options)
    return str(caught.value)


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """A folder that the test may not write, also when the suite runs as root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = os.geteuid() == 0
        (folder / "marks.db").touch(0o644)
        folder.chmod(0o555)
        if root:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


def test_a_gradebook_of_a_newer_program_is_refused(path):
    Gradebook(path).close()
    with sqlite3.connect(path) as driver:
        driver.execute("UPDATE gradebook SET version = 2")
    message = refused(path)
    assert str(path) in message
    assert "newer version" in message
    assert "update" in message


@pytest.mark.parametrize("table", ["results (id)", "gradebook (name)", "gradebook (version TEXT)"])
def test_a_database_of_another_program_is_refused_and_left_as_it_was(path, table):
    driver = sqlite3.connect(path)
    driver.execute(f"CREATE TABLE {table}")
    driver.execute(f"INSERT INTO {table.split()[0]} VALUES ('x')")
    driver.commit()
    driver.close()
    before = path.read_bytes()
    message = refused(path)
    assert str(path) in message
    assert "not a gradebook" in message
    assert path.read_bytes() == before


def test_a_file_which_is_no_database_is_refused_and_left_as_it_was(path):
    path.write_bytes(b"student,points\nann,7\n" * 200)
    before = path.read_bytes()
    assert "not a gradebook" in refused(path)
    assert path.read_bytes() == before


def test_a_damaged_file_is_told_apart_from_a_foreign_one(path, make_result):
    with Gradebook(path) as book:
        for number in range(60):
            book.record(make_result(f"s{number}", import_output="x" * 4000))
    data = bytearray(path.read_bytes())
    data[4096 * 2 :] = b"\xff" * (len(data) - 4096 * 2)
    path.write_bytes(data)
    with pytest.raises(GradebookError, match="damaged; restore a copy") as caught, Gradebook(path) as book:
        list(book.marks("activations"))
    assert str(path) in str(caught.value)


def test_a_row_changed_by_hand_is_named(path, make_result):
    with Gradebook(path) as book:
        book.record(make_result())
    with sqlite3.connect(path) as driver:
        driver.execute("UPDATE results SET result = '{\"student\": 1}'")
    with Gradebook(path) as book, pytest.raises(GradebookError, match=r"row 1 .*'0\.1\.0'"):
        book.mark("ann", "activations")


def test_a_locked_gradebook_says_so_and_recovers(path, make_result):
    with Gradebook(path, busy_seconds=0.05) as book:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        with pytest.raises(GradebookError, match="locked; wait"):
            book.record(make_result())
        assert time.monotonic() - start < 5
        other.execute("ROLLBACK")
        other.close()
        book.record(make_result())
        assert len(book.history("ann", "activations")) == 1


def test_a_full_disk_keeps_what_was_recorded(path, make_result):
    def small(driver: sqlite3.Connection, _: object) -> None:
        driver.execute("PRAGMA max_page_count = 12")

    event.listen(Engine, "connect", small)
    try:
        with Gradebook(path) as book:
            book.record(make_result())
            with pytest.raises(GradebookError, match="disk is full; free some space"):
                book.record(make_result(import_output="x" * 100_000))
            assert book.mark("ann", "activations") == make_result()
    finally:
        event.remove(Engine, "connect", small)


def test_a_read_only_folder_is_named(read_only_folder):
    message = refused(read_only_folder / "new.db")
    assert str(read_only_folder / "new.db") in message
    assert "Permission denied" in message


def test_a_read_only_file_is_named(read_only_folder):
    message = refused(read_only_folder / "marks.db")
    assert str(read_only_folder / "marks.db") in message
    assert "permissions" in message


def test_a_missing_folder_is_named_with_the_command_that_makes_it(tmp_path):
    assert f"mkdir -p {tmp_path / 'no'}" in refused(tmp_path / "no" / "marks.db")


def test_a_folder_is_not_a_gradebook(tmp_path):
    assert "this is a folder" in refused(tmp_path)


def test_reading_makes_no_file_by_mistake(path):
    assert "no such file" in refused(path, create=False)
    assert not path.exists()
    path.touch()
    assert "nothing has been recorded" in refused(path, create=False)


@pytest.mark.parametrize("name", ["", "a\x00b", "x" * 300])
def test_a_name_no_file_can_have_is_refused(tmp_path, name):
    refused(f"{tmp_path}/{name}" if name else "")


def test_a_missing_driver_is_named_without_the_password():
    message = refused("mysql+pymysql://teacher:hunter2@db.example/marks?ssl_token=abc123")
    assert "'pymysql' is not installed" in message
    assert "teacher:***@db.example" in message
    assert "hunter2" not in message
    assert "abc123" not in message


@pytest.mark.parametrize(
    "url",
    [
        "nosuch://u:hunter2@host/db",
        "postgresql://u:hunter2@host:port/db",
        "://u:hunter2@host",
        "mysql+pymysql://u:hun/ter2@h:x/d",
    ],
)
def test_a_wrong_url_is_refused_without_the_password(url):
    message = refused(url)
    assert "ter2" not in message
    assert "***" in message
    assert "write" in message or "use" in message


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
def test_a_database_which_keeps_nothing_is_refused(url):
    assert "must be kept in a file" in refused(url)


def test_what_a_server_says_is_shown_without_the_password():
    place = Place.of(make_url("postgresql+psycopg://teacher:hunter2@db.example/marks"))
    with pytest.raises(GradebookError) as caught, place.guard():
        raise OperationalError(
            "SELECT 1", {"student": "ann"}, Exception("cannot log in as teacher/hunter2\nmore")
        )
    message = str(caught.value)
    assert "cannot log in as teacher/***" in message
    assert "hunter2" not in message
    assert "check the URL, that the server runs" in message
    assert "SELECT" not in message
