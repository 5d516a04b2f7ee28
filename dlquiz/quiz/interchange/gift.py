"""GIFT, Moodle's plain-text format. https://docs.moodle.org/en/GIFT_format describes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from dlquiz.quiz.interchange.plain import Plain
from dlquiz.quiz.items import BLANK, BankError

NO_FEEDBACK = "Not this one."
_SOURCE = "Source: "
_ANSWER = "Answer: "
_SPECIAL = re.compile(r"([~=#{}:\\])")
# While a file is taken apart, an escaped sign is one that no text has.
_HIDDEN = {sign: chr(0xE000 + place) for place, sign in enumerate("~=#{}:\\n")}
_UNHIDDEN = {hidden: "\n" if sign == "n" else sign for sign, hidden in _HIDDEN.items()}
_TAGS = re.compile(r"\[(id|tag):([^\]]*)\]")
_FORMAT = re.compile(r"\[(plain|html|markdown|moodle)\]")
_PARTS = re.compile(r"([=~])(?:%(-?[0-9.]+)%)?")


def write(questions: Iterable[Plain]) -> str:
    """The questions as GIFT. Steps become pairs of a number and a step; a picture is left out, and its place told."""
    return "\n".join(_question(one) for one in questions)


def _question(one: Plain) -> str:
    item = one.item
    tags = " ".join(f"[tag:{tag}]" for tag in one.tags)
    told = f"{one.question.explanation}\n{_SOURCE}{item.source}"
    if one.kind == "open":
        told = f"{_ANSWER}{one.question.answer}\n\n{told}"
    lines = [f"// [id:{item.id}] {tags}"]
    text = f"{one.text}\n\n(The picture {item.plot}.svg belongs here.)" if item.plot else one.text
    before, blank, after = text.partition(BLANK) if one.kind == "word" else (text, "", "")
    lines.append(f"::{item.id}::[plain]{_text(before)}{{{'#' if one.kind == 'number' else ''}")
    lines += [f"\t{line}" for line in _answers(one)]
    lines += [f"\t####{_text(told)}", f"}}{_text(after) if blank else ''}", ""]
    return "\n".join(lines)


def _answers(one: Plain) -> Iterator[str]:
    question = one.question
    if one.kind == "number":
        right, tolerance = one.number
        yield f"={right}:{tolerance:.6g}"
        for mistake in question.mistakes:
            yield f"=%0%{mistake.value}:{tolerance:.6g}#{_text(mistake.feedback)}"
    elif one.kind == "word":
        yield from (f"={_text(word)}" for word in one.item.accepted)
        for mistake in question.mistakes:
            yield f"=%0%{_text(str(mistake.value))}#{_text(mistake.feedback)}"
    elif one.kind in ("pairs", "order"):
        pairs = one.item.pairs or tuple((str(place), step) for place, step in enumerate(one.item.steps, 1))
        yield from (f"={_text(left)} -> {_text(right)}" for left, right in pairs)
    elif one.choices:
        share = 100 / sum(choice.right for choice in one.choices)
        for choice in one.choices:
            told = f"#{_text(choice.feedback)}" if choice.feedback else ""
            if one.kind == "choice":
                sign = "=" if choice.right else "~"
            else:
                sign = f"~%{share if choice.right else -share:.5f}%"
            yield f"{sign}{_text(choice.text)}{told}"


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text).replace("\n", "\\n")


@dataclass(frozen=True)
class Imported:
    """What a file gave.

    Attributes:
        tables: of items, to be validated by `tables.save`.
        notes: what was left out or made up, and why.
    """

    tables: list[dict[str, Any]]
    notes: list[str]


def read(text: str, topic: str = "", source: str = "imported") -> Imported:
    """The questions of a GIFT file as tables of items.

    Args:
        topic: of questions that no `[tag:topic/ID]` gives one.
        source: of questions whose feedback ends in no line `Source: ...`.

    Raises:
        BankError: a question cannot be taken apart; names all that cannot.
    """
    tables: list[dict[str, Any]] = []
    notes: list[str] = []
    problems: list[str] = []
    for number, block in enumerate(_blocks(text), 1):
        try:
            table = _table(block, topic, source, notes)
        except ValueError as error:
            problems.append(f"question {number}: {error}")
            continue
        if table:
            tables.append(table)
    if problems:
        raise BankError(problems)
    return Imported(tables, notes)


def _blocks(text: str) -> Iterator[list[str]]:
    """The lines of one question after the other; a blank line or the end ends one."""
    block: list[str] = []
    for line in [*text.removeprefix("\ufeff").splitlines(), ""]:
        if line.strip():
            block.append(line)
        elif any(not one.lstrip().startswith(("//", "$CATEGORY")) for one in block):
            yield block
            block = []


def _table(block: list[str], topic: str, source: str, notes: list[str]) -> dict[str, Any] | None:
    comments = " ".join(line for line in block if line.lstrip().startswith("//"))
    given: dict[str, list[str]] = {"id": [], "tag": []}
    for key, value in _TAGS.findall(comments):
        given[key].append(value.strip())
    lines = [line for line in block if not line.lstrip().startswith(("//", "$CATEGORY"))]
    text = re.sub(r"\\([~=#{}:\\n])", lambda found: _HIDDEN[found[1]], "\n".join(lines))
    name = ""
    if text.startswith("::") and "::" in text[2:]:
        name, text = text[2:].split("::", 1)
    text = _FORMAT.sub("", text, count=1) if _FORMAT.match(text.lstrip()) else text
    if text.count("{") != 1 or text.count("}") != 1:
        raise ValueError(f"expected one pair of braces, received {_start(text)}")
    before, rest = text.split("{")
    body, after = rest.split("}")
    body, _, told = body.partition("####")
    explanation, _, told_source = _plain(told).rpartition(f"\n{_SOURCE}")
    if not told_source or not explanation:
        explanation, told_source = _plain(told), source
    topics = [tag.removeprefix("topic/") for tag in given["tag"] if tag.startswith("topic/")] or [topic]
    degrees = [tag.removeprefix("difficulty/") for tag in given["tag"] if tag.startswith("difficulty/")]
    question = _plain(before)
    table: dict[str, Any] = {
        "id": (given["id"] or [_slug(_plain(name) or question)])[0],
        "topics": topics,
        "difficulty": int(degrees[0]) if degrees and degrees[0].isdecimal() else 2,
        "question": question,
        "explanation": explanation,
        "source": told_source,
    }
    found = _body(body.strip(), f"{_shown(before)}{BLANK}{_shown(after)}".strip())
    if found is None:
        notes.append(f"{table['id']}: true or false without reasons is left out: make a choice of it")
        return None
    table |= found
    if table["type"] == "card":
        answer, _, rest = explanation.removeprefix(_ANSWER).partition("\n\n")
        table |= {"answer": answer or _fail("an answer in the braces"), "explanation": rest or answer}
    for choice in table.get("choice", ()):
        if not choice.get("right") and not choice.get("feedback"):
            choice["feedback"] = NO_FEEDBACK
            notes.append(f"{table['id']}: a wrong choice has no feedback: {choice['text']}")
    if not table["explanation"]:
        table["explanation"] = "The right answer is the one that is marked so."
        notes.append(f"{table['id']}: it has no general feedback, which becomes the explanation")
    return table


def _body(body: str, blank: str) -> dict[str, Any] | None:
    """What the type needs; None of a true or false."""
    if re.fullmatch(r"(T|F|TRUE|FALSE)(#.*)?", body, re.DOTALL):
        return None
    if not body:
        return {"type": "card"}
    if body.startswith("#"):
        return _numeric(list(_parts(body[1:])))
    parts = list(_parts(body))
    if all(sign == "=" for sign, *_ in parts):
        if all("->" in text for _, _, text, _ in parts):
            pairs = [[_plain(side) for side in text.split("->", 1)] for _, _, text, _ in parts]
            return {"type": "matching", "pairs": pairs}
        rights = [_plain(text) for _, weight, text, _ in parts if weight > 0]
        wrong = [{"text": _plain(text), "feedback": told} for _, weight, text, told in parts if weight <= 0]
        return {"type": "fill", "question": blank, "accepted": rights} | ({"mistake": wrong} if wrong else {})
    single = any(sign == "=" for sign, *_ in parts)
    choices = [
        {"text": _plain(text)}
        | ({"right": True} if (sign == "=" if single else weight > 0) else {})
        | ({"feedback": told} if told and not (sign == "=" if single else weight > 0) else {})
        for sign, weight, text, told in parts
    ]
    return {"type": "single" if single else "multiple", "choice": choices}


def _numeric(parts: list[tuple[str, float, str, str]]) -> dict[str, Any]:
    table: dict[str, Any] = {"type": "numeric"}
    mistakes = []
    for _, weight, text, told in parts:
        value, _, tolerance = text.partition(":")
        number = float(value)
        if weight <= 0:
            mistakes.append({"value": number, "feedback": told or NO_FEEDBACK})
        elif "answer" in table:
            _fail("one right number")
        else:
            table["answer"] = int(number) if number == int(number) else number
            if tolerance.strip() and float(tolerance) > 0:
                table["tolerance"] = float(tolerance)
    if "answer" not in table:
        _fail("a right number")
    return table | ({"mistake": mistakes} if mistakes else {})


def _parts(body: str) -> Iterator[tuple[str, float, str, str]]:
    """Sign, weight in per cent, text and feedback of each answer."""
    first, *found = _PARTS.split(body)
    if first.strip():  # one number, without a sign
        found = ["=", None, first, *found]
    for sign, weight, text in zip(found[::3], found[1::3], found[2::3], strict=True):
        answer, _, told = text.partition("#")
        yield sign, float(weight) if weight else 100.0 * (sign == "="), answer.strip(), _plain(told)


def _fail(expected: str) -> Any:
    raise ValueError(f"expected {expected}")


def _shown(text: str) -> str:
    return "".join(_UNHIDDEN.get(sign, sign) for sign in text)


def _plain(text: str) -> str:
    return _shown(text).strip()


def _slug(text: str) -> str:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return "-".join(words[:8]) or "question"


def _start(text: str) -> str:
    return repr(_plain(text)[:60])
