"""What was answered in the quiz: a log that is only ever added to, and what FSRS makes of it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from fsrs import Scheduler

FILE = "quiz.sqlite3"
SCHEMA = 1
AGAIN, HARD, GOOD, EASY = 1, 2, 3, 4
# A score from which on an answer counts as known with effort: two of three pairs, one neighbouring swap of four steps.
_HARD_FROM = 0.6
_BUSY_SECONDS = 10.0
_LONGEST = {"uid": 64, "item": 200, "mode": 20, "answer": 2000}

_TABLES = """
CREATE TABLE IF NOT EXISTS review (
  uid TEXT PRIMARY KEY, at TEXT NOT NULL, item TEXT NOT NULL, mode TEXT NOT NULL, answer TEXT NOT NULL,
  score REAL NOT NULL, rating INTEGER NOT NULL, seconds REAL NOT NULL, seed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS review_of_item ON review (item, at);
CREATE TRIGGER IF NOT EXISTS review_stays BEFORE UPDATE ON review
  BEGIN SELECT RAISE(ABORT, 'the log is only ever added to'); END;
CREATE TRIGGER IF NOT EXISTS review_remains BEFORE DELETE ON review
  BEGIN SELECT RAISE(ABORT, 'the log is only ever added to'); END;
CREATE TABLE IF NOT EXISTS memory (item TEXT PRIMARY KEY, card TEXT NOT NULL, rating INTEGER NOT NULL,
  answers INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS made_by (scheduler TEXT NOT NULL);
"""

# Low byte of SQLite's result codes, https://www.sqlite.org/rescode.html
_WHY = {
    5: "another program keeps it locked",
    6: "another program keeps it locked",
    8: "it or its folder is read-only",
    10: "the disk gives an error",
    13: "the disk is full",
    14: "it cannot be opened",
}
_DAMAGED = (1, 11, 26)


class ProgressError(Exception):
    """What hinders the use of the file of progress, named in the message, and the way out."""


@dataclass(frozen=True)
class Answered:
    """One line of the log.

    Attributes:
        item: the id of the item, which need not be in the bank any more.
        mode: in which it was asked.
        answer: as it was typed.
        score: from 0 to 1.
        rating: for FSRS: 1 again, 2 hard, 3 good, 4 easy.
        seconds: from the question to the answer.
        seed: with which the item was posed.
        at: when, in UTC.
        uid: tells this line from every other, on any machine.
    """

    item: str
    mode: str
    answer: str
    score: float
    rating: int
    seconds: float
    seed: int
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    uid: str = field(default_factory=lambda: uuid.uuid4().hex)

    def to_json(self) -> str:
        """One line of JSON without a line break."""
        return json.dumps(asdict(self) | {"at": _stamp(self.at)}, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is something else; the text says in a few words what.
        """
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            raise ValueError("expected one JSON object") from None
        names = [one.name for one in fields(cls)]
        if not isinstance(told, dict) or sorted(told) != sorted(names):
            raise ValueError(f"expected an object with the keys {', '.join(sorted(names))}")
        for name, longest in _LONGEST.items():
            if type(told[name]) is not str or len(told[name]) > longest or not told[name].isprintable():
                raise ValueError(f"{name}: expected a text of one line")
        for name, low, high in (("score", 0, 1), ("seconds", 0, math.inf)):
            if type(told[name]) not in (int, float) or not low <= told[name] <= high:
                raise ValueError(f"{name}: expected a number from {low}" + (" to 1" if high == 1 else ""))
        for name, low, high in (("rating", AGAIN, EASY), ("seed", 0, 2**63 - 1)):
            if type(told[name]) is not int or not low <= told[name] <= high:
                raise ValueError(f"{name}: expected a whole number from {low} to {high}")
        try:
            at = datetime.fromisoformat(told["at"]).astimezone(UTC)
        except (ValueError, TypeError, OverflowError):
            raise ValueError("at: expected a time such as 2025-03-09T08:30:00+00:00") from None
        return cls(**told | {"at": at})


@dataclass(frozen=True)
class Memory:
    """What is known of one item from all its answers.

    Attributes:
        due: when it should be asked again, in UTC.
        last: when it was answered last, in UTC.
        missed: whether that answer was wrong.
        answers: how many there are.
        known: the chance, 0 to 1, that it would be recalled now: FSRS' retrievability, 0 when it was missed last.
    """

    item: str
    due: datetime
    last: datetime
    missed: bool
    answers: int
    known: float

    def is_due(self, today: date) -> bool:
        """Whether it is due on that day or before, by this machine's calendar."""
        return self.due.astimezone().date() <= today


class Progress:
    """The log and what is remembered, in one SQLite file that several programs may use at once.

    A file that is no database is set aside under another name; one that cannot be written is done without: a quiz is
    worth more than the memory of it.

    Args:
        file: by default `quiz.sqlite3` in the user's data folder.
        tell: called with what had to be set aside or cannot be kept, in words.
    """

    def __init__(self, file: Path | None = None, tell: Callable[[str], None] = lambda _: None) -> None:
        self._file = _default_file() if file is None else file
        self._tell = tell
        self._kept = True
        self._db = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @property
    def is_kept(self) -> bool:
        """Whether what is answered now goes to the file."""
        return self._kept

    def add(self, answered: Answered) -> bool:
        """Append to the log; whether it could be written. That it could not is told once."""
        try:
            with self._writing():
                self._insert(answered)
                self._remember(answered.item)
        except sqlite3.Error as error:
            if self._kept:
                self._lose(error)
            return False
        return self._kept

    def merge(self, lines: Iterable[str], name: str) -> tuple[int, int]:
        """Take over lines of another log, all of them or, when one is faulty, none.

        Args:
            lines: as `export` gives them; empty ones are skipped.
            name: what they come from, for messages.

        Returns:
            How many were new, and how many were there already.

        Raises:
            ProgressError: a line cannot be read, or the file cannot be written.
        """
        told = []
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    told.append(Answered.from_json(line))
                except ValueError as error:
                    raise ProgressError(f"{name}, line {number}: {error}; nothing was imported") from None
        if not self._kept:
            raise ProgressError(f"{self._file} cannot be written: nothing was imported")
        try:
            with self._writing():
                fresh = [answered for answered in told if self._insert(answered)]
                for item in dict.fromkeys(answered.item for answered in fresh):
                    self._remember(item)
        except sqlite3.Error as error:
            reason = f"{self._file} cannot be written: {_why(error)}; nothing was imported"
            raise ProgressError(reason) from None
        return len(fresh), len(told) - len(fresh)

    def log(self) -> Iterator[Answered]:
        """Every answer, oldest first. Raises ProgressError."""
        names = ", ".join(one.name for one in fields(Answered))
        for row in self._read(f"SELECT {names} FROM review ORDER BY at, uid"):  # noqa: S608
            told = dict(row)
            yield Answered(**told | {"at": datetime.fromisoformat(told["at"])})

    def export(self) -> Iterator[str]:
        """The log as lines of JSON, oldest first. Raises ProgressError."""
        return (answered.to_json() for answered in self.log())

    def memories(self, now: datetime | None = None) -> dict[str, Memory]:
        """What is remembered of every item that was ever answered, by its id. Raises ProgressError."""
        from fsrs import Card

        scheduler = _scheduler()
        when = datetime.now(UTC) if now is None else now
        found = {}
        for row in self._read("SELECT item, card, rating, answers FROM memory"):
            card = Card.from_json(row["card"])
            assert card.last_review is not None
            missed = row["rating"] == AGAIN
            known = 0.0 if missed else scheduler.get_card_retrievability(card, max(when, card.last_review))
            found[row["item"]] = Memory(
                row["item"], card.due, card.last_review, missed, row["answers"], known
            )
        return found

    def rebuild(self) -> None:
        """Make what is remembered anew from the log. Raises ProgressError."""
        with self._reading(), self._writing():
            self._rebuild()

    def _rebuild(self) -> None:
        self._db.execute("DELETE FROM memory")
        for row in self._db.execute("SELECT DISTINCT item FROM review").fetchall():
            self._remember(row["item"])

    def _insert(self, answered: Answered) -> bool:
        told = asdict(answered) | {"at": _stamp(answered.at)}
        marks = ", ".join(f":{name}" for name in told)
        return (
            self._db.execute(
                f"INSERT INTO review ({', '.join(told)}) VALUES ({marks}) ON CONFLICT (uid) DO NOTHING",  # noqa: S608
                told,
            ).rowcount
            == 1
        )

    def _remember(self, item: str) -> None:
        """Replay the log of one item, so that it does not matter in which order its lines came."""
        from fsrs import Card, Rating

        scheduler = _scheduler()
        rows = self._db.execute("SELECT at, rating FROM review WHERE item = ? ORDER BY at, uid", (item,))
        card, rating, answers = Card(card_id=0), AGAIN, 0
        for row in rows:
            rating, answers = row["rating"], answers + 1
            card, _ = scheduler.review_card(card, Rating(rating), datetime.fromisoformat(row["at"]))
        self._db.execute(
            "INSERT OR REPLACE INTO memory VALUES (?, ?, ?, ?)", (item, card.to_json(), rating, answers)
        )

    def _open(self) -> sqlite3.Connection:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            seen = _identity(self._file)
            try:
                return self._prepared()
            except sqlite3.DatabaseError as error:
                if not _is_damaged(error):
                    raise
            self._set_aside(seen)
            return self._prepared()
        except (sqlite3.Error, OSError) as error:
            self._lose(error)
            return self._stand_in()

    def _prepared(self) -> sqlite3.Connection:
        """A connection to a sound file that has its tables."""
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            db = _connect(str(self._file))
            try:
                self._prepare(db)
                return db
            except sqlite3.OperationalError as error:
                db.close()
                # SQLite does not wait where two programs change the journal of a new file at once
                if _code(error) not in (5, 6) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            except BaseException:
                db.close()
                raise

    def _prepare(self, db: sqlite3.Connection) -> None:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA:
            raise ProgressError(
                f"{self._file} was written by a newer dlquiz: update this one with `python -m pip install -U dlquiz`"
            )
        (sound,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if sound != "ok":
            raise _damage(sound)
        db.execute("PRAGMA journal_mode = WAL")
        made_by = _scheduler().to_json()
        if version == SCHEMA:
            row = db.execute("SELECT scheduler FROM made_by").fetchone()
            if row and row["scheduler"] == made_by:
                db.execute(
                    "SELECT uid, at, item, mode, answer, score, rating, seconds, seed FROM review LIMIT 0"
                )
                return
        self._db = db
        with self._writing():
            for statement in _statements(_TABLES):
                db.execute(statement)
            db.execute("DELETE FROM made_by")
            db.execute("INSERT INTO made_by VALUES (?)", (made_by,))
            self._rebuild()
            db.execute(f"PRAGMA user_version = {SCHEMA}")

    def _set_aside(self, seen: tuple[int, int] | None) -> None:
        if _identity(self._file) != seen:
            return  # another program has done so just now
        aside = self._file.with_name(f"{self._file.name}.damaged")
        number = 1
        while aside.exists():
            number += 1
            aside = self._file.with_name(f"{self._file.name}.damaged-{number}")
        os.replace(self._file, aside)
        for ending in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{self._file}{ending}", f"{aside}{ending}")
        self._tell(f"{self._file} was damaged: it is now {aside}, and a new one begins")

    def _stand_in(self) -> sqlite3.Connection:
        """What is there to be read, if it can be; else an empty memory that lasts as long as this program."""
        if self._file.is_file():
            with contextlib.suppress(sqlite3.Error):
                db = _connect(f"{self._file.resolve().as_uri()}?immutable=1", uri=True)
                db.execute("SELECT item, card, rating, answers FROM memory LIMIT 1")
                return db
        db = _connect(":memory:")
        for statement in _statements(_TABLES):
            db.execute(statement)
        return db

    def _lose(self, error: sqlite3.Error | OSError) -> None:
        self._kept = False
        self._tell(
            f"{self._file} cannot be written: {_why(error)}. You can go on, but answers from now on are not kept"
        )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise ProgressError(f"{self._file}: {_why(error)}") from None

    def _read(self, query: str) -> list[sqlite3.Row]:
        with self._reading():
            return self._db.execute(query).fetchall()


def rating_of(score: float) -> int:
    """What a score is to FSRS: good when all was right, hard from 0.6, else again. Easy is only ever one's own word."""
    if score >= 1:
        return GOOD
    return HARD if score >= _HARD_FROM else AGAIN


def streak(days: Iterable[date], today: date) -> int:
    """How many days in a row had an answer, up to today, or up to yesterday while today has none yet."""
    answered = {day.toordinal() for day in days}
    day = today.toordinal()
    if day not in answered:
        day -= 1
    count = 0
    while day - count in answered:
        count += 1
    return count


def _scheduler() -> Scheduler:
    from fsrs import Scheduler

    # No steps of minutes: what was missed comes back within the sitting anyway, and then by the day. No chance either:
    # a replay of the log must give the same again.
    return Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)


def _connect(name: str, *, uri: bool = False) -> sqlite3.Connection:
    db = sqlite3.connect(name, timeout=_BUSY_SECONDS, isolation_level=None, uri=uri)
    db.row_factory = sqlite3.Row
    return db


def _statements(script: str) -> Iterator[str]:
    """One by one: `executescript` would commit the transaction around them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _damage(sound: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(sound)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _is_damaged(error: sqlite3.Error) -> bool:
    return _code(error) in _DAMAGED


def _why(error: sqlite3.Error | OSError) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if _is_damaged(error):
        return "it was damaged just now"
    return _WHY.get(_code(error), str(error))


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found: Any = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _stamp(at: datetime) -> str:
    """Of equal length whatever the time, so that texts sort as times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _default_file() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("dlquiz", appauthor=False)) / FILE
