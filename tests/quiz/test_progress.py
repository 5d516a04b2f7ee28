"""The log of answers: nothing is lost, doubled or changed, and what is remembered follows from it alone."""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dlquiz.quiz import progress
from dlquiz.quiz.progress import AGAIN, GOOD, HARD, Answered, Progress, ProgressError, rating_of, streak

START = datetime(2025, 3, 1, 18, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "quiz.sqlite3"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def store(file: Path, told: list[str]) -> Callable[[], Progress]:
    """Opens the file anew, as each program does."""
    return lambda: Progress(file, told.append)


def answered(item: str = "relu-slope", rating: int = GOOD, day: float = 0, **told: Any) -> Answered:
    at = START + timedelta(days=day)
    return Answered(item, "learn", "A", float(rating > AGAIN), rating, 2.5, 7, at, **told)


def test_an_answer_is_there_the_next_time(store: Callable[[], Progress]) -> None:
    one = answered()
    with store() as first:
        assert first.add(one)
    with store() as second:
        assert list(second.log()) == [one]
        assert second.memories(START)["relu-slope"].answers == 1


def test_the_log_can_only_be_added_to(store: Callable[[], Progress], file: Path) -> None:
    with store() as first:
        first.add(answered())
    for change in ("UPDATE review SET score = 1", "DELETE FROM review"):
        with sqlite3.connect(file) as db, pytest.raises(sqlite3.DatabaseError, match="only ever added to"):
            db.execute(change)


def test_right_answers_come_later_and_later_and_a_miss_comes_tomorrow(store: Callable[[], Progress]) -> None:
    days = [0.0]
    with store() as one:
        for _ in range(4):
            one.add(answered(day=days[-1]))
            days.append((one.memories(START)["relu-slope"].due - START) / timedelta(days=1))
        waits = [after - before for before, after in itertools.pairwise(days)]
        assert waits == sorted(waits)
        assert waits[0] >= 1
        assert waits[-1] > 10 * waits[0]
        one.add(answered(rating=AGAIN, day=days[-1]))
        memory = one.memories(START + timedelta(days=days[-1]))["relu-slope"]
    assert memory.missed
    assert memory.known == 0
    missed = (START + timedelta(days=days[-1])).astimezone().date()
    assert not memory.is_due(missed)
    assert memory.is_due(max(missed + timedelta(1), memory.due.astimezone().date()))
    assert memory.due - memory.last < timedelta(days=waits[-1] / 2)


def test_the_states_are_those_of_the_fsrs_library(store: Callable[[], Progress]) -> None:
    from fsrs import Card, Rating, Scheduler

    scheduler = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    card = Card(card_id=1)
    with store() as one:
        for rating, day in ((HARD, 0), (GOOD, 1), (AGAIN, 5), (GOOD, 6)):
            one.add(answered(rating=rating, day=day))
            card, _ = scheduler.review_card(card, Rating(rating), START + timedelta(days=day))
        now = START + timedelta(days=9)
        memory = one.memories(now)["relu-slope"]
    assert memory.due == card.due
    assert memory.known == pytest.approx(scheduler.get_card_retrievability(card, now))


def test_the_order_in_which_lines_arrive_does_not_matter(tmp_path: Path) -> None:
    lines = [answered(rating=rating, day=day) for day, rating in enumerate((GOOD, AGAIN, HARD, GOOD))]
    states = []
    for name, order in (("a", lines), ("b", lines[::-1])):
        with Progress(tmp_path / name) as one:
            for line in order:
                one.add(line)
            states.append(one.memories(START + timedelta(days=9)))
    assert states[0] == states[1]


def test_what_is_remembered_can_be_rebuilt_from_the_log(store: Callable[[], Progress], file: Path) -> None:
    with store() as one:
        for day in range(3):
            one.add(answered(day=day))
            one.add(answered("other", AGAIN, day))
        before = one.memories(START)
    with sqlite3.connect(file) as db:
        db.execute("UPDATE memory SET card = 'nonsense'")
        db.execute("INSERT INTO memory VALUES ('never-answered', '{}', 3, 1)")
    with store() as one:
        one.rebuild()
        assert one.memories(START) == before


def test_another_scheduler_rebuilds_by_itself(
    store: Callable[[], Progress], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsrs import Scheduler

    with store() as one:
        one.add(answered())
        before = one.memories(START)["relu-slope"].due
    stricter = Scheduler(desired_retention=0.97, learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    monkeypatch.setattr(progress, "_scheduler", lambda: stricter)
    with store() as one:
        assert one.memories(START)["relu-slope"].due < before


def test_items_that_left_the_bank_stay_in_the_log(store: Callable[[], Progress]) -> None:
    with store() as one:
        one.add(answered("an-item-of-last-year"))
        assert [line.item for line in one.log()] == ["an-item-of-last-year"]


# --- moving


def test_an_export_imported_elsewhere_gives_the_same_and_twice_no_more(tmp_path: Path) -> None:
    with Progress(tmp_path / "a") as here, Progress(tmp_path / "b") as there:
        for day, rating in enumerate((GOOD, AGAIN, HARD)):
            here.add(answered(rating=rating, day=day))
        there.add(answered("only-there"))
        lines = list(here.export())
        assert all(json.loads(line) for line in lines)
        assert there.merge(lines, "a") == (3, 0)
        assert there.merge(lines, "a") == (0, 3)
        now = START + timedelta(days=4)
        assert there.memories(now)["relu-slope"] == here.memories(now)["relu-slope"]
        assert here.merge(there.export(), "b") == (1, 3)
        assert list(here.log()) == list(there.log())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("{", "expected one JSON object"),
        ("[1]", "an object with the keys"),
        ({"score": 1.5}, "score: expected a number from 0 to 1"),
        ({"score": float("nan")}, "score: expected"),
        ({"score": True}, "score: expected"),
        ({"rating": 5}, "rating: expected a whole number from 1 to 4"),
        ({"at": "yesterday"}, "at: expected a time such as"),
        ({"at": 5}, "at: expected a time"),
        ({"item": "a\x1b[2Jb"}, "item: expected a text of one line"),
        ({"more": 1}, "an object with the keys"),
        ({"seconds": -1}, "seconds: expected"),
    ],
)
def test_a_faulty_line_is_named_and_nothing_is_imported(
    store: Callable[[], Progress], change: str | dict[str, Any], said: str
) -> None:
    good = answered().to_json()
    bad = change if isinstance(change, str) else json.dumps(json.loads(good) | change)
    with store() as one:
        with pytest.raises(ProgressError, match=said) as raised:
            one.merge([good, "", bad], "log.jsonl")
        assert str(raised.value).startswith("log.jsonl, line 3: ")
        assert str(raised.value).endswith("nothing was imported")
        assert list(one.log()) == []


# --- trouble


@pytest.mark.parametrize(
    "content", [b"not a database at all, for sure " * 40, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_file_is_set_aside_and_both_files_are_named(
    store: Callable[[], Progress], file: Path, told: list[str], content: bytes
) -> None:
    file.parent.mkdir()
    for number, ending in enumerate((".damaged", ".damaged-2"), 1):
        file.write_bytes(content)
        with store() as one:
            assert one.add(answered())
        aside = file.with_name(file.name + ending)
        assert aside.read_bytes() == content
        assert len(told) == number
        assert str(aside) in told[-1]
        assert f"{file} was damaged" in told[-1]
    with store() as one:
        assert len(list(one.log())) == 1
    assert len(told) == 2


def test_a_file_damaged_in_the_middle_is_noticed(
    store: Callable[[], Progress], file: Path, told: list[str]
) -> None:
    with store() as one:
        for number in range(200):
            one.add(answered(f"item-{number}"))
    content = bytearray(file.read_bytes())
    pages = len(content) // 4096
    assert pages > 8
    content[pages // 2 * 4096 : (pages // 2 + 1) * 4096] = os.urandom(4096)
    file.write_bytes(content)
    with store() as one:
        assert list(one.log()) == []
    assert "was damaged" in told[0]
    assert file.with_name("quiz.sqlite3.damaged").read_bytes() == content


def test_a_new_file_that_another_program_has_put_there_meanwhile_stays(
    store: Callable[[], Progress], file: Path, told: list[str]
) -> None:
    with store() as one:
        one.add(answered())
        one._set_aside((0, 0))
    assert told == []
    with store() as one:
        assert len(list(one.log())) == 1


def test_a_file_of_a_newer_dlquiz_is_left_alone(store: Callable[[], Progress], file: Path) -> None:
    store().__exit__()
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(ProgressError, match="newer dlquiz"):
        store()
    assert list(file.parent.glob("*damaged*")) == []


def test_where_no_folder_can_be_made_one_message_says_so_and_the_quiz_goes_on(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    told: list[str] = []
    with Progress(tmp_path / "taken" / "quiz.sqlite3", told.append) as one:
        assert not one.add(answered())
        assert one.memories(START)["relu-slope"].answers == 1
        with pytest.raises(ProgressError, match="cannot be written: nothing was imported"):
            one.merge([], "x")
    assert len(told) == 1
    assert "taken" in told[0]
    assert "not kept" in told[0]


def test_a_read_only_file_is_read_and_not_written(
    store: Callable[[], Progress], told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with store() as one:
        one.add(answered())
    connect = progress._connect

    def read_only(name: str, *, uri: bool = False) -> sqlite3.Connection:
        db = connect(name, uri=uri)
        db.execute("PRAGMA query_only = 1")
        return db

    # a superuser may write whatever the mode of a file says
    monkeypatch.setattr(progress, "_connect", read_only)
    with store() as one:
        assert [one.add(answered()), one.add(answered())] == [False, False]
        assert one.memories(START)["relu-slope"].answers == 1
    assert len(told) == 1
    assert "read-only" in told[0]


def test_a_full_disk_gives_one_message_and_loses_nothing_that_was_kept(
    store: Callable[[], Progress], told: list[str]
) -> None:
    with store() as one:
        one.add(answered())
        (pages,) = one._db.execute("PRAGMA page_count").fetchone()
        one._db.execute(f"PRAGMA max_page_count = {pages}")
        outcomes = [one.add(answered(f"item-{number}", day=1)) for number in range(150)]
        assert outcomes[-1] is False
        assert len(told) == 1
        assert "the disk is full" in told[0]
        assert not one.is_kept
    with store() as one:
        assert len(list(one.log())) == 1 + sum(outcomes)


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files")
def test_a_disk_that_fills_while_it_is_written_is_told(tmp_path: Path) -> None:
    code = (
        "import sys, resource, signal; from pathlib import Path\n"
        "from dlquiz.quiz.progress import *\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "one = Progress(Path(sys.argv[1]), print)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "kept = [one.add(Answered(f'item-{n}', 'learn', 'A', 1.0, 3, 1.0, 7)) for n in range(60)]\n"
        "print(sum(kept), kept[-1])\n"
    )
    file = tmp_path / "quiz.sqlite3"
    run = subprocess.run([sys.executable, "-c", code, file], capture_output=True, text=True, check=True)
    *notes, last = run.stdout.splitlines()
    assert len(notes) == 1
    assert "cannot be written" in notes[0]
    kept, final = last.split()
    assert final == "False"
    with Progress(file) as one:
        assert len(list(one.log())) == int(kept)


def test_two_programs_at_once_keep_everything(file: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from dlquiz.quiz.progress import *\n"
        "with Progress(Path(sys.argv[1]), print) as one:\n"
        "    for n in range(40):\n"
        "        assert one.add(Answered(f'item-{n % 5}', sys.argv[2], 'A', 1.0, 3, 1.0, 7))\n"
    )
    # both make the file
    both = [
        subprocess.Popen([sys.executable, "-c", code, file, name], stdout=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    assert [(process.communicate(timeout=60)[0], process.returncode) for process in both] == [("", 0)] * 2
    with Progress(file) as one:
        log = list(one.log())
        before = one.memories(START)
        one.rebuild()
        assert one.memories(START) == before
    assert [sum(line.mode == name for line in log) for name in ("one", "two")] == [40, 40]


def test_a_program_that_is_killed_loses_no_answer_that_was_kept(file: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from dlquiz.quiz.progress import *\n"
        "one = Progress(Path(sys.argv[1]))\n"
        "one.add(Answered('item', 'learn', 'A', 1.0, 3, 1.0, 7))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, file], check=False)
    with Progress(file) as one:
        assert len(list(one.log())) == 1


# --- numbers


@pytest.mark.parametrize(
    ("score", "rating"), [(0, AGAIN), (0.5, AGAIN), (0.59, AGAIN), (0.6, HARD), (0.99, HARD), (1, GOOD)]
)
def test_a_score_gives_a_rating(score: float, rating: int) -> None:
    assert rating_of(score) == rating


@pytest.mark.parametrize(
    ("days", "expected"),
    [([], 0), ([0], 1), ([1], 1), ([2], 0), ([0, 1, 2], 3), ([1, 2, 4], 2), ([0, 2, 3], 1), ([0, 0, 1], 2)],
)
def test_a_streak_ends_with_the_first_day_missed_and_today_may_still_come(
    days: list[int], expected: int
) -> None:
    today = date(2025, 3, 1)
    assert streak([today - timedelta(day) for day in days], today) == expected
