"""The gradebook: every result ever recorded, and which of them is a student's mark."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from sqlalchemy import (
    URL,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    case,
    create_engine,
    event,
    func,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.dialects.mysql import LONGTEXT
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from grader.gradebook.errors import GradebookError, Place, mask_unreadable
from grader.result import Result

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1

_CHUNK = 32
_WRITE = "gradebook_write"

# MySQL compares text without regard to case unless told otherwise: Ann and ann are two students.
_NAME = String(255).with_variant(String(255, collation="utf8mb4_bin"), "mysql", "mariadb")
_METADATA = MetaData()
_SCHEMA = Table("gradebook", _METADATA, Column("version", Integer, primary_key=True, autoincrement=False))
_RESULTS = Table(
    "results",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("student", _NAME, nullable=False),
    Column("assignment", _NAME, nullable=False),
    Column("submission_hash", String(64), nullable=False),
    Column("assignment_hash", String(64), nullable=False),
    Column("grader_version", String(64), nullable=False),
    Column("points", Float(53), nullable=False),
    Column("max_points", Float(53), nullable=False),
    Column("graded", Boolean, nullable=False),
    Column("seed", String(40), nullable=False),
    Column("recorded", String(32), nullable=False),
    Column("result", Text().with_variant(LONGTEXT(), "mysql", "mariadb"), nullable=False),
    Index("ix_results_mark", "assignment", "student", "graded", "id"),
)
_COLUMNS = _RESULTS.c
_ENTRY = select(_COLUMNS.id, _COLUMNS.recorded, _COLUMNS.grader_version, _COLUMNS.result)


@dataclass(frozen=True)
class Entry:
    """One row of the gradebook.

    `number` grows with every recording, whatever the clock says; `recorded` is the UTC time in ISO 8601.
    """

    number: int
    recorded: str
    result: Result


class Gradebook:
    """Results kept in a database, and the mark of every student.

    Rows are only ever added. A student's *mark* is the newest row with `graded=True`; a row with
    `graded=False` is kept and shown, and never replaces a mark. Each recording is one transaction, on disk
    before `record` returns. Several processes may write at once.

    Args:
        target: the path of an SQLite file, or an SQLAlchemy URL (`postgresql+psycopg://user@host/name`).
            A new file gets the permissions 0600; those of an existing one are left as they are.
        create: make the gradebook where there is none. False suits programs which only read.
        busy_seconds: how long to wait for another program which is writing to the same SQLite file.

    Raises:
        GradebookError: the place cannot be used, holds something else, or was made by a newer version. Every
            method raises it too, when the database fails.
    """

    def __init__(self, target: str | Path, *, create: bool = True, busy_seconds: float = 30.0) -> None:
        self._busy_seconds = busy_seconds
        url = _parse(target)
        self._place = Place.of(url)
        sqlite = url.get_backend_name() == "sqlite"
        if sqlite:
            _prepare_file(self._place, create)
        self._engine = self._connect(url, sqlite)
        self._writer = self._engine.execution_options(**{_WRITE: True})
        try:
            with self._place.guard():
                self._open(create)
                if sqlite:
                    self._use_wal()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def record(self, result: Result) -> None:
        """Add one result; it is on disk when this returns."""
        try:
            text = json.dumps(result.to_json(), allow_nan=False, separators=(",", ":"))
        except ValueError as error:
            raise self._place.error(
                f"the result of {result.student!r} holds a number which is not finite; it was not recorded"
            ) from error
        row = {
            "student": _key(result.student),
            "assignment": _key(result.assignment),
            "submission_hash": result.submission_hash,
            "assignment_hash": result.assignment_hash,
            "grader_version": result.grader_version,
            "points": result.points,
            "max_points": result.max_points,
            "graded": result.graded,
            "seed": str(result.seed),
            "recorded": datetime.now(UTC).isoformat(timespec="microseconds"),
            "result": text,
        }
        with self._place.guard(), self._writer.begin() as connection:
            connection.execute(insert(_RESULTS), row)

    def current(
        self,
        student: str,
        assignment: str,
        submission_hash: str,
        assignment_hash: str,
        grader_version: str,
        seed: int | None = None,
    ) -> Result | None:
        """The student's mark, if grading once more would only repeat it; otherwise None.

        That is: the mark came from the same submission, assignment and grader version, and from the same seed
        where one is given. An older row which matches does not count: the student has another mark since.
        """
        newest = select(func.max(_COLUMNS.id)).where(*_of(student, assignment), _COLUMNS.graded.is_(True))
        conditions = [
            _COLUMNS.id == newest.scalar_subquery(),
            _COLUMNS.submission_hash == submission_hash,
            _COLUMNS.assignment_hash == assignment_hash,
            _COLUMNS.grader_version == grader_version,
        ]
        if seed is not None:
            conditions.append(_COLUMNS.seed == str(seed))
        return self._newest(*conditions)

    def mark(self, student: str, assignment: str) -> Result | None:
        """The newest result with `graded=True`, or None."""
        return self._newest(*_of(student, assignment), _COLUMNS.graded.is_(True))

    def latest(self, student: str, assignment: str) -> Result | None:
        """The newest result, whether it is a mark or not, or None."""
        return self._newest(*_of(student, assignment))

    def marks(self, assignment: str) -> Iterator[Result]:
        """Every student's mark, sorted by student, a few in memory at a time."""
        ids = [mark for mark, _ in self._numbers(assignment) if mark is not None]
        return (entry.result for entry in self._entries(ids))

    def standings(self, assignment: str) -> Iterator[Entry]:
        """One entry a student, sorted by student: the mark, or for want of one the newest attempt at it."""
        return self._entries([latest if mark is None else mark for mark, latest in self._numbers(assignment)])

    def history(self, student: str, assignment: str) -> list[Entry]:
        """Everything recorded for a student, oldest first."""
        query = _ENTRY.where(*_of(student, assignment)).order_by(_COLUMNS.id)
        with self._place.guard(), self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [self._entry(*row) for row in rows]

    def assignments(self) -> list[str]:
        """The assignments which have results, sorted."""
        with self._place.guard(), self._engine.connect() as connection:
            return sorted(_unkey(key) for key in connection.scalars(select(_COLUMNS.assignment).distinct()))

    def to_frame(self, assignment: str) -> pd.DataFrame:
        """One row a student: student, points, max_points, percent, a column for each problem, graded, seed,
        seconds (of grading), recorded.

        Where a student has no mark, `graded` is False and the points are missing. A problem whose name is
        taken by another column is called `problem_NAME`.
        """
        from grader.gradebook.exports import to_frame

        return to_frame(self.standings(assignment))

    def export_csv(self, path: str | Path, assignment: str) -> None:
        """Write `to_frame` as CSV (UTF-8, permissions 0600), whole or not at all.

        A student's name which a spreadsheet would take for a formula (it starts with = + - @, the
        full-width form of one, a tab or a line break) gets a leading apostrophe.
        """
        from grader.gradebook.exports import export_csv

        export_csv(Path(path), self.standings(assignment))

    def export_json(self, path: str | Path, assignment: str) -> None:
        """Write every student's standing in full as JSON (permissions 0600), whole or not at all.

        `{"schema": 1, "assignment": ..., "students": [{"recorded": ..., "result": {...}}, ...]}`
        """
        from grader.gradebook.exports import export_json

        export_json(Path(path), assignment, self.standings(assignment))

    def _connect(self, url: URL, sqlite: bool) -> Engine:
        options = {"connect_args": {"timeout": self._busy_seconds}} if sqlite else {"pool_pre_ping": True}
        try:
            engine = create_engine(url, hide_parameters=True, **options)
        except ModuleNotFoundError as error:
            package = error.name or "its driver"
            raise self._place.error(
                f"the Python package {package!r} is not installed; install it (`pip install {package}`) "
                "or name an SQLite file"
            ) from error
        except NoSuchModuleError as error:
            raise self._place.error(
                f"no database kind is called {url.drivername!r}; use sqlite, postgresql+psycopg, "
                "mysql+pymysql or another which SQLAlchemy knows"
            ) from error
        except (ArgumentError, ValueError, TypeError) as error:
            raise self._place.error(
                "this URL is not complete; write driver://user:password@host/name"
            ) from error
        if sqlite:
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _open(self, create: bool) -> None:
        version = self._version()
        if version is None and not create:
            raise self._place.error(
                "nothing has been recorded here yet; check the name, or grade something first"
            )
        if version is None:
            try:
                with self._writer.begin() as connection:
                    _METADATA.create_all(connection)
                    if connection.scalar(select(_SCHEMA.c.version)) is None:
                        connection.execute(insert(_SCHEMA), {"version": SCHEMA_VERSION})
            except DBAPIError:
                # Another process may have made the tables at the same moment.
                if self._version() is None:
                    raise
            version = self._version()
        if version is not None and version > SCHEMA_VERSION:
            raise self._place.error(
                f"it was made by a newer version of this program (its layout is {version}, this one reads "
                f"{SCHEMA_VERSION}); update the program"
            )

    def _version(self) -> int | None:
        foreign = self._place.error(
            "this is not a gradebook: it holds other tables; name another file, or an empty database"
        )
        with self._engine.connect() as connection:
            tables = set(inspect(connection).get_table_names())
            if not tables:
                return None
            if _SCHEMA.name not in tables or "version" not in _column_names(connection, _SCHEMA.name):
                raise foreign
            version = connection.scalar(select(func.max(_SCHEMA.c.version)))
        if version is not None and not isinstance(version, int):
            raise foreign
        return version

    def _use_wal(self) -> None:
        deadline = time.monotonic() + self._busy_seconds
        with self._engine.connect() as connection:
            driver = cast(sqlite3.Connection, connection.connection.dbapi_connection)
            while True:
                try:
                    driver.execute("PRAGMA journal_mode = WAL")
                    return
                except sqlite3.OperationalError as error:
                    # SQLite does not wait by itself for the lock this one change needs.
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)

    def _newest(self, *conditions: ColumnElement[bool]) -> Result | None:
        query = _ENTRY.where(*conditions).order_by(_COLUMNS.id.desc()).limit(1)
        with self._place.guard(), self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else self._entry(*row).result

    def _numbers(self, assignment: str) -> list[tuple[int | None, int]]:
        """For each student, sorted by name: the row number of the mark, and of the newest result."""
        mark = func.max(case((_COLUMNS.graded.is_(True), _COLUMNS.id)))
        query = (
            select(_COLUMNS.student, mark, func.max(_COLUMNS.id))
            .where(_COLUMNS.assignment == _key(assignment))
            .group_by(_COLUMNS.student)
        )
        with self._place.guard(), self._engine.connect() as connection:
            rows = sorted((_unkey(row[0]), row[1], row[2]) for row in connection.execute(query))
        return [(mark, latest) for _, mark, latest in rows]

    def _entries(self, numbers: list[int]) -> Iterator[Entry]:
        # Reading by number in small lots keeps no cursor open and no sorted copy of the texts in memory.
        for start in range(0, len(numbers), _CHUNK):
            lot = numbers[start : start + _CHUNK]
            with self._place.guard(), self._engine.connect() as connection:
                rows = {row.id: row for row in connection.execute(_ENTRY.where(_COLUMNS.id.in_(lot)))}
            yield from (self._entry(*rows[number]) for number in lot if number in rows)

    def _entry(self, number: int, recorded: str, version: str, text: str) -> Entry:
        try:
            return Entry(number, recorded, Result.from_json(json.loads(text)))
        except (KeyError, TypeError, ValueError) as error:
            raise self._place.error(
                f"row {number} cannot be read; grader version {version!r} wrote it: use it or a newer one, "
                "or restore a copy if the file was changed by hand"
            ) from error


def _parse(target: str | Path) -> URL:
    text = os.fspath(target)
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise GradebookError(
            f"gradebook {mask_unreadable(text)}: this is not a database URL; write "
            "driver://user:password@host/name, with %-escapes for special characters in the password, "
            "or the path of an SQLite file"
        ) from error
    if url.get_backend_name() == "sqlite" and (url.database or ":memory:").startswith((":memory:", "file:")):
        raise GradebookError(
            f"gradebook {text}: marks must be kept in a file; write sqlite:///path/of/file.db"
        )
    return url


def _prepare_file(place: Place, create: bool) -> None:
    path = Path(place.name)
    try:
        if path.is_dir() or not place.name:
            raise place.error("this is a folder; name a file in it")
        if path.exists():
            return
        if not create:
            raise place.error("there is no such file; check the name, or grade something first")
        if not path.parent.is_dir():
            raise place.error(
                f"the folder {path.parent} does not exist; make it first (`mkdir -p {path.parent}`)"
            )
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except ValueError as error:
        raise place.error("this cannot be the name of a file; name another") from error
    except OSError as error:
        raise place.error(
            f"the file cannot be made ({error.strerror}); check the permissions and the free space of the "
            f"folder {path.parent}, or name a file elsewhere"
        ) from error


def _set_up_sqlite(driver: sqlite3.Connection, _: object) -> None:
    driver.execute("PRAGMA foreign_keys = ON")
    driver.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _column_names(connection: Connection, table: str) -> set[str]:
    return {column["name"] for column in inspect(connection).get_columns(table)}


def _of(student: str, assignment: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _COLUMNS.assignment == _key(assignment), _COLUMNS.student == _key(student)


def _key(name: str) -> str:
    """A name as a column holds it: without NUL and the lone surrogates of an undecodable file name."""
    return re.sub(
        r"[\\\x00\ud800-\udfff]",
        lambda found: "\\\\" if found[0] == "\\" else f"\\x{ord(found[0]):04x}",
        name,
    )


def _unkey(key: str) -> str:
    return re.sub(
        r"\\(?:\\|x([0-9a-f]{4}))", lambda found: "\\" if found[1] is None else chr(int(found[1], 16)), key
    )
