"""The bank of quiz items: read it, and say everything that is wrong with it at once."""

from __future__ import annotations

import difflib
import functools
import math
import re
import string
import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dlquiz.topics import topics

TYPES = (
    "card",
    "single",
    "multiple",
    "true-false",
    "numeric",
    "drawn",
    "matching",
    "ordering",
    "fill",
    "fix",
)
DIFFICULTIES = (1, 2, 3)
BLANK = "____"
# Of an answer that is no whole number, where the item says nothing else.
RELATIVE_TOLERANCE = 0.01
_HIGHEST = 1e300

_HERE = Path(__file__).resolve().parent
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CHOICES = {"single": (3, 5), "multiple": (3, 6), "true-false": (3, 4), "fix": (3, 5)}


class BankError(ValueError):
    """What is wrong with a bank, or with what was asked of one; `str()` is all of it, one problem a line.

    Attributes:
        problems: each names the file and the item, what was expected and what was received.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class Choice:
    """One choice of an item; `feedback` tells of a wrong one which mistake leads there."""

    text: str
    right: bool = False
    feedback: str = ""


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that is foreseen, a number or a word, and what to say of it."""

    value: int | float | str
    feedback: str


@dataclass(frozen=True)
class Item:
    """One item of a bank as its file has it; `posing.pose` makes a question of it.

    Attributes:
        type: one of `TYPES`; the fields from `answer` on are empty where a type has no use for them.
        group: of `topics.toml`: the name of the file.
        topics: ids, the main one first.
        difficulty: 1 recall, 2 apply, 3 reason.
        plot: the name of a picture, or "".
        answer: of a card its back, of `true-false` the truth value, of `numeric` the number.
        tolerance: how far a number may be off; `relative_tolerance` the same as a share of the answer. At most one
            is given; without either a whole number is meant exactly, any other within `RELATIVE_TOLERANCE`.
        draw: the name of the drawing that gives a `drawn` item its numbers.
        steps: in the right order.
        accepted: the words that fill the blank; the first is shown.
        formula: the wrong statement of a `fix`.
    """

    id: str
    type: str
    group: str
    topics: tuple[str, ...]
    difficulty: int
    question: str
    explanation: str
    source: str
    plot: str = ""
    answer: str | bool | int | float | None = None
    choices: tuple[Choice, ...] = ()
    tolerance: float | None = None
    relative_tolerance: float | None = None
    unit: str = ""
    draw: str = ""
    mistakes: tuple[Mistake, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    steps: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    formula: str = ""

    def allowance(self, answer: float) -> float:
        """How far from `answer` a number still counts as right, in the answer's unit."""
        if self.tolerance is not None:
            return self.tolerance
        if self.relative_tolerance is not None:
            return self.relative_tolerance * abs(answer)
        return 0.0 if answer == int(answer) else RELATIVE_TOLERANCE * abs(answer)


@dataclass(frozen=True)
class Bank:
    """Items in the order of the topic list's groups, and within a group in the order of the file."""

    items: tuple[Item, ...]

    @functools.cached_property
    def by_id(self) -> Mapping[str, Item]:
        """Every item by its id."""
        return MappingProxyType({item.id: item for item in self.items})

    def select(
        self, topics: Collection[str] = (), types: Collection[str] = (), difficulty: int | None = None
    ) -> tuple[Item, ...]:
        """The items that fit, in the order of the bank.

        Args:
            topics: ids of topics or names of groups; an item fits that has one of them. Empty: any.
            types: of `TYPES`. Empty: any.
            difficulty: 1, 2 or 3.

        Raises:
            BankError: there is no such topic, type or difficulty; says what comes near.
        """
        known = _topic_groups()
        groups = frozenset(known.values())
        problems = [
            f"no topic or group `{name}`{_near(name, [*known, *groups])}"
            for name in topics
            if name not in known and name not in groups
        ]
        problems += [
            f"no type of item `{name}`{_near(name, TYPES) or ': there are ' + ', '.join(TYPES)}"
            for name in types
            if name not in TYPES
        ]
        if difficulty is not None and difficulty not in DIFFICULTIES:
            problems.append(f"difficulty: expected {_either(DIFFICULTIES)}, received {difficulty}")
        if problems:
            raise BankError(problems)
        return tuple(
            item
            for item in self.items
            if (not topics or item.group in topics or not set(topics).isdisjoint(item.topics))
            and (not types or item.type in types)
            and difficulty in (None, item.difficulty)
        )


def load_bank(folder: Path | None = None) -> Bank:
    """Read and validate every `GROUP.toml` of a folder.

    Args:
        folder: by default the package's own bank.

    Raises:
        BankError: with everything that is wrong with it.
    """
    where = _HERE / "bank" if folder is None else folder
    files = {file.stem: file for file in sorted(where.glob("*.toml"))}
    if not files:
        raise BankError([f"{where}: expected files of quiz items, GROUP.toml, received none"])
    groups = dict.fromkeys(_topic_groups().values())
    problems = [
        f"{file.name}: expected a file named after a group of topics ({', '.join(groups)})"
        for group, file in files.items()
        if group not in groups
    ]
    items: list[Item] = []
    seen: dict[str, str] = {}
    for group in groups:
        for table in _tables(files[group], problems) if group in files else ():
            item = _item(table, group)
            if item.id and item.id in seen:
                table.say("id", f"an id of its own, received one that {seen[item.id]} has already")
            seen.setdefault(item.id, f"{group}.toml")
            items.append(item)
    if problems:
        raise BankError(problems)
    return Bank(tuple(items))


@functools.cache
def core_topics() -> tuple[str, ...]:
    """The topics that every student must master."""
    told = tomllib.loads((_HERE / "core.toml").read_text(encoding="utf-8"))
    return tuple(told["topics"])


def items_needed(topic: str) -> int:
    """How many items the bank should have of a topic that is assessed by quiz."""
    return 5 if topic in core_topics() else 2


def fold(text: str) -> str:
    """A word as it is compared: without case, accents, hyphens and spaces.

    >>> fold("Back-Propagation") == fold("back propagation") == "backpropagation"
    True
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    # Mn: combining accents; Pd: every kind of hyphen and dash; − is a sign to Unicode, a dash to who types it
    return "".join(
        sign
        for sign in decomposed
        if not sign.isspace() and sign != "−" and unicodedata.category(sign) not in ("Mn", "Pd", "Cf")
    )


class _Table:
    """One TOML table. What is wrong with it is added to `problems`, and reading goes on with a stand-in."""

    def __init__(self, data: dict[str, Any], where: str, prefix: str, problems: list[str]) -> None:
        self._data, self._where, self._prefix, self._problems = data, where, prefix, problems
        self._known: list[str] = []

    def say(self, key: str, expected: str) -> None:
        self._problems.append(f"{self._where}: key `{self._prefix}{key}`: expected {expected}")

    def has(self, key: str) -> bool:
        return key in self._data

    def _take(self, key: str) -> Any:
        self._known.append(key)
        return self._data.get(key)

    def text(self, key: str, *, required: bool = True) -> str:
        value = self._take(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if value is not None or required:
            self.say(key, f"a text, received {_shown(value)}")
        return ""

    def truth(self, key: str, *, required: bool = True) -> bool:
        value = self._take(key)
        if not isinstance(value, bool) and (value is not None or required):
            self.say(key, f"true or false, received {_shown(value)}")
        return value is True

    def number(self, key: str) -> int | float:
        value = self._take(key)
        # bool is an int in Python
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _HIGHEST:
            return value
        self.say(key, f"a number, received {_shown(value)}")
        return math.nan

    def share(self, key: str, below: float = math.inf) -> float | None:
        if key not in self._data:
            return None
        value = self.number(key)
        if not math.isnan(value) and not 0 < value < below:
            limit = "" if below == math.inf else f" and below {below:g}"
            self.say(key, f"a number above 0{limit}, received {_shown(value)}")
        return float(value)

    def texts(self, key: str, low: int, high: int) -> tuple[str, ...]:
        value = self._take(key)
        fits = isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value)
        if not fits or not low <= len(value) <= high:
            received = f"{len(value)} of them" if fits else _shown(value)
            self.say(key, f"a list of {_count(low, high)} texts, received {received}")
            return ()
        texts = tuple(one.strip() for one in value)
        self.all_differ(key, texts)
        return texts

    def pairs(self, key: str, low: int, high: int) -> tuple[tuple[str, str], ...]:
        value = self._take(key)
        fits = isinstance(value, list) and all(
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) and one.strip() for one in pair)
            for pair in value
        )  # fmt: skip
        if not fits or not low <= len(value) <= high:
            received = f"{len(value)} of them" if fits else _shown(value)
            self.say(key, f"a list of {_count(low, high)} pairs of texts, received {received}")
            return ()
        pairs = tuple((left.strip(), right.strip()) for left, right in value)
        for side, texts in zip(("left", "right"), zip(*pairs, strict=True), strict=True):
            self.all_differ(f"{key}, {side} side", texts)
        return pairs

    def all_differ(self, key: str, texts: Iterable[str]) -> None:
        seen: set[str] = set()
        for text in (" ".join(text.split()) for text in texts):
            if text in seen:
                self.say(key, f"texts that differ, received {_shown(text)} twice")
            seen.add(text)

    def tables(self, key: str, low: int = 0, high: int = 9) -> list[_Table]:
        value = self._take(key)
        if value is None and not low:
            return []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.say(key, f"{_count(low, high)} tables `[[item.{key}]]`, received {_shown(value)}")
            return []
        if not low <= len(value) <= high:
            self.say(key, f"{_count(low, high)} tables `[[item.{key}]]`, received {len(value)}")
        return [
            _Table(one, self._where, f"{self._prefix}{key}[{place}].", self._problems)
            for place, one in enumerate(value, 1)
        ]

    def no_more_keys(self, of: str) -> None:
        for key in self._data:
            if key not in self._known:
                near = _near(key, self._known)
                self._problems.append(f"{self._where}: no key `{self._prefix}{key}` has {of}{near}")


def _tables(file: Path, problems: list[str]) -> list[_Table]:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        problems.append(f"{file.name}: expected TOML in UTF-8: {error}")
        return []
    whole = _Table(data, file.name, "", problems)
    items = data.get("item")
    if not isinstance(items, list) or not items or not all(isinstance(one, dict) for one in items):
        whole.say("item", f"one or more tables `[[item]]`, received {_shown(items)}")
        return []
    problems += [
        f"{file.name}: key `{key}`: expected nothing beside `[[item]]`" for key in data if key != "item"
    ]
    return [
        _Table(one, f"{file.name}: {one.get('id') or f'item {place} of the file'}", "", problems)
        for place, one in enumerate(items, 1)
    ]


def _item(table: _Table, group: str) -> Item:
    id = table.text("id")
    if id and not _ID.fullmatch(id):
        table.say("id", f"lower-case words joined by `-`, received {_shown(id)}")
    kind = table.text("type")
    if kind and kind not in TYPES:
        table.say("type", f"{_either(TYPES)}, received {_shown(kind)}")
    listed = table.texts("topics", 1, 9)
    known = _topic_groups()
    for topic in listed:
        if topic not in known:
            table.say("topics", f"ids of the topic list, received `{topic}`{_near(topic, known)}")
    if listed and known.get(listed[0], group) != group:
        where = f"`{listed[0]}` belongs in {known[listed[0]]}.toml"
        table.say("topics", f"first a topic of the group {group}: {where}")
    difficulty = table.number("difficulty")
    if difficulty not in DIFFICULTIES and not math.isnan(difficulty):
        table.say("difficulty", f"{_either(DIFFICULTIES)}, received {_shown(difficulty)}")
    common: dict[str, Any] = {
        "id": id,
        "type": kind,
        "group": group,
        "topics": listed,
        "difficulty": 0 if math.isnan(difficulty) else int(difficulty),
        "question": table.text("question"),
        "explanation": table.text("explanation"),
        "source": table.text("source"),
        "plot": table.text("plot", required=False),
    }
    if kind in TYPES:
        common |= _of_type(kind, table, common)
        table.no_more_keys(f"type `{kind}`")
    return Item(**common)


def _of_type(kind: str, table: _Table, common: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that only some types have."""
    if kind == "card":
        return {"answer": table.text("answer")}
    if kind == "matching":
        return {"pairs": table.pairs("pairs", 3, 7)}
    if kind == "ordering":
        return {"steps": table.texts("steps", 3, 7)}
    if kind == "fill":
        return _fill(table, common["question"])
    if kind in ("numeric", "drawn"):
        return _number(kind, table, common)
    read: dict[str, Any] = {"choices": _choices(kind, table)}
    if kind == "true-false":
        read["answer"] = table.truth("answer")
    if kind == "fix":
        read["formula"] = table.text("formula")
    return read


def _choices(kind: str, table: _Table) -> tuple[Choice, ...]:
    choices = []
    for part in table.tables("choice", *_CHOICES[kind]):
        right = part.truth("right", required=False)
        told = not right and (kind != "true-false" or part.has("feedback"))
        choices.append(Choice(part.text("text"), right, part.text("feedback") if told else ""))
        part.no_more_keys("a right choice" if right else "a choice")
    if not choices:
        return ()
    rights = sum(choice.right for choice in choices)
    if kind == "multiple":
        if not 0 < rights < len(choices):
            table.say("choice", f"right and wrong ones, received {rights} right of {len(choices)}")
    elif rights != 1:
        table.say("choice", f"`right = true` in exactly one, received it in {rights}")
    table.all_differ("choice", (choice.text for choice in choices if choice.text))
    return tuple(choices)


def _number(kind: str, table: _Table, common: Mapping[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = {
        "tolerance": table.share("tolerance"),
        "relative_tolerance": table.share("relative_tolerance", below=1),
        "unit": table.text("unit", required=False),
    }
    if read["tolerance"] is not None and read["relative_tolerance"] is not None:
        table.say("tolerance", "no `relative_tolerance` beside it: one of the two")
    if kind == "drawn":
        read["draw"] = table.text("draw")
        for key in ("question", "explanation"):
            fault = _template_fault(common[key])
            if fault:
                table.say(key, f"a template whose literal braces are doubled: {fault}")
        return read
    answer = table.number("answer")
    mistakes = []
    for part in table.tables("mistake"):
        mistakes.append(Mistake(part.number("value"), part.text("feedback")))
        part.no_more_keys("a mistake")
    if math.isfinite(answer):
        if answer == 0 and read["relative_tolerance"] is not None:
            table.say("relative_tolerance", "`tolerance` in its place: a share of 0 is nothing")
        allowed = Item(**common, **read).allowance(answer)
        for mistake in mistakes:
            if abs(float(mistake.value) - answer) <= allowed:
                table.say("mistake", f"values that are no right answer, received {_shown(mistake.value)}")
    return {**read, "answer": answer, "mistakes": tuple(mistakes)}


def _fill(table: _Table, question: str) -> dict[str, Any]:
    blanks = re.findall("_{3,}", question)
    if question and blanks != [BLANK]:
        table.say("question", f"exactly one blank `{BLANK}`, received {len(blanks)} runs of `_`")
    accepted = table.texts("accepted", 1, 30)
    mistakes = []
    for part in table.tables("mistake"):
        mistakes.append(Mistake(part.text("text"), part.text("feedback")))
        part.no_more_keys("a mistake")
    folded = [fold(word) for word in accepted]
    if not all(folded):
        table.say("accepted", "words with a letter or a digit")
    for mistake in mistakes:
        if fold(str(mistake.value)) in folded:
            table.say("mistake", f"words that are not accepted, received {_shown(mistake.value)}")
    return {"accepted": accepted, "mistakes": tuple(mistakes)}


def _template_fault(template: str) -> str:
    """What is wrong with a `str.format` template of named values, or nothing."""
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        return str(error)
    odd = [name for name in names if not name.isidentifier()]
    return f"received {{{odd[0]}}}" if odd else ""


@functools.cache
def _topic_groups() -> Mapping[str, str]:
    return {topic: group for topic, (group, _) in topics().items()}


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _either(names: Iterable[object]) -> str:
    *most, last = map(str, names)
    return f"{', '.join(most)} or {last}"


def _count(low: int, high: int) -> str:
    return f"at most {high}" if low == 0 else f"{low} to {high}"


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.7)
    return f": did you mean {' or '.join(near)}?" if near else ""
