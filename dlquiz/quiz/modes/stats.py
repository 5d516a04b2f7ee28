"""Stats: what is known by topic, what comes when, and how many days in a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from rich.console import Console
from rich.text import Text

from dlquiz.output import consoles, write_json
from dlquiz.quiz.asking import Person, counted
from dlquiz.quiz.items import Item, load_bank
from dlquiz.quiz.progress import Memory, Progress, streak
from dlquiz.quiz.sitting import chosen

SCHEMA = 1
_DAYS = 7
_BLOCKS = " ▏▎▍▌▋▊▉█"
_WIDEST_BAR = 30


@dataclass(frozen=True)
class _Row:
    name: str
    items: int
    seen: int
    due: int
    known: float


def stats(topics: Collection[str], json_file: str | None) -> None:
    """Show the state of the groups of topics, or of the topics asked for. Raises BankError, ProgressError."""
    out, err = consoles(json_file)
    today = date.today()
    with Progress(tell=lambda note: err.print(Text(note, "yellow"), soft_wrap=True)) as progress:
        memories = progress.memories()
        answers = list(progress.log())
    items = chosen(load_bank(), topics)
    rows = _rows(items, topics, memories, today)
    seen = [memories[item.id] for item in items if item.id in memories]
    coming = Counter(max(memory.due.astimezone().date(), today) for memory in seen)
    forecast = [(today + timedelta(day), coming[today + timedelta(day)]) for day in range(_DAYS)]
    days = streak((answered.at.astimezone().date() for answered in answers), today)
    person = Person(out)
    if answers:
        _show(person, rows, forecast, len(answers), days)
    else:
        person.say("Nothing has been answered yet. `dlquiz quiz learn` begins.")
    told = {
        "schema": SCHEMA,
        "answers": len(answers),
        "streak_days": days,
        "topics": [asdict(row) | {"known": round(row.known, 4)} for row in rows],
        "forecast": [{"day": day.isoformat(), "reviews": count} for day, count in forecast],
    }
    write_json(told, json_file)


def bar(share: float, cells: int, out: Console) -> str:
    """A share, 0 to 1, as a bar of so many cells, to an eighth of a cell where the terminal has the signs."""
    if not out.encoding.lower().startswith("utf"):
        return ("#" * round(share * cells)).ljust(cells, ".")
    eighths = round(share * cells * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_BLOCKS[rest] if rest else "")).ljust(cells, "·")


def _rows(
    items: Collection[Item], topics: Collection[str], memories: dict[str, Memory], today: date
) -> list[_Row]:
    """A row for each group, or where topics are asked for, each main topic."""
    parts: dict[str, list[Item]] = {}
    for item in items:
        parts.setdefault(item.topics[0] if topics else item.group, []).append(item)
    rows = []
    for name, members in parts.items():
        seen = [memories[item.id] for item in members if item.id in memories]
        due = sum(memory.is_due(today) for memory in seen)
        known = sum(memory.known for memory in seen) / len(members)
        rows.append(_Row(name, len(members), len(seen), due, known))
    return rows


def _show(
    person: Person, rows: list[_Row], forecast: list[tuple[date, int]], answers: int, days: int
) -> None:
    longest = max(len(row.name) for row in rows)
    tails = [_tail(row) for row in rows]
    room = person.width - longest - max(map(len, tails)) - 6
    cells = max(0, min(room, _WIDEST_BAR))
    person.say("What you would get right today, as FSRS estimates it", "bold")
    for row, tail in zip(rows, tails, strict=True):
        drawn = f"{bar(row.known, cells, person.out)}  " if cells > 3 else ""
        person.say(f"{row.name:<{longest}}  {drawn}{tail}", sign=" ")
    person.say()
    person.say("Reviews that come", "bold")
    most = max(1, *(count for _, count in forecast))
    for place, (day, count) in enumerate(forecast):
        name = "today" if not place else f"{day:%a} {day.day}"
        drawn = bar(count / most, max(4, cells), person.out)
        person.say(f"{name:<8}{drawn}  {count}", sign=" ")
    person.say()
    person.say(f"{counted(answers, 'answer')} so far, {counted(days, 'day')} in a row.", "bold")


def _tail(row: _Row) -> str:
    due = f"  {row.due} due" if row.due else ""
    return f"{row.known:4.0%}  {row.seen}/{row.items} seen{due}"
