"""Mark an answer, which is one line of text in every mode and in every file."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

from dlquiz.quiz.items import RELATIVE_TOLERANCE, fold
from dlquiz.quiz.posing import LETTERS, Question

RATINGS = {"again": 0.0, "hard": 0.5, "good": 1.0, "easy": 1.0}

_TRUTHS = {"true": True, "t": True, "false": False, "f": False}
_NUMBER = re.compile(r"(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)", re.IGNORECASE)
# Floating point only: a decimal fraction as typed is not quite the double that was computed.
_ROUNDING = 1e-12


class AnswerError(ValueError):
    """An answer that cannot be read; the text says in one line what form is expected."""


@dataclass(frozen=True)
class Mark:
    """What an answer is worth.

    Attributes:
        score: from 0 to 1.
        feedback: which mistake leads to an answer like that, where it is known; else "". The question's
            `explanation` is told beside it.
        right: the right answer for people to read, a line or several.
    """

    score: float
    feedback: str
    right: str


def mark(question: Question, answer: str) -> Mark:
    """Mark an answer.

    Args:
        answer: in the form that `describe` tells.

    Raises:
        AnswerError: it cannot be read.
    """
    score, feedback = _MARKERS[question.item.type](question, answer)
    return Mark(score, feedback, right(question))


def describe(question: Question) -> str:
    """The form of an answer that is expected: "one letter, A to D"."""
    letters = question.letters
    span = f"{letters[:1]} to {letters[-1:]}"
    match question.item.type:
        case "single" | "fix":
            return f"one letter, {span}"
        case "multiple":
            return f"one or more letters, {span}, such as A C"
        case "true-false":
            return f"true or false and the letter of the reason, {span}, such as false B"
        case "matching":
            example = " ".join(reversed(letters))
            return f"{len(letters)} letters, one for each line in order, such as {example}"
        case "ordering":
            return f"all {len(letters)} letters in order, such as {' '.join(reversed(letters))}"
        case "fill":
            return "the missing word or words"
        case "card":
            return "how well you knew it: again, hard, good or easy"
    unit = f" in {question.item.unit}" if question.item.unit else ""
    if question.item.tolerance is not None:
        return f"a number{unit}, right to within {question.item.tolerance:g}"
    if question.tolerance:
        # in units it would tell the answer
        share = question.item.relative_tolerance or RELATIVE_TOLERANCE
        return f"a number{unit}, right to within {100 * share:g} %"
    return f"a whole number{unit}"


def right_answer(question: Question) -> str:
    """The answer that `mark` gives a score of 1; of a card "good"."""
    item = question.item
    match item.type:
        case "single" | "fix" | "multiple":
            return " ".join(_right_letters(question))
        case "true-false":
            return f"{str(question.answer).lower()} {' '.join(_right_letters(question))}"
        case "matching":
            of = dict(item.pairs)
            return " ".join(LETTERS[question.rights.index(of[left])] for left in question.lefts)
        case "ordering":
            return " ".join(LETTERS[question.steps.index(step)] for step in item.steps)
        case "fill":
            return item.accepted[0]
        case "card":
            return "good"
    return _written(_expected(question), question.tolerance)


def right(question: Question) -> str:
    """The right answer for people to read, a line or several."""
    item = question.item
    match item.type:
        case "single" | "fix" | "multiple":
            return "\n".join(_lettered(question))
        case "true-false":
            return "\n".join((str(question.answer).lower(), *_lettered(question)))
        case "matching":
            of = dict(item.pairs)
            return "\n".join(f"{left} → {of[left]}" for left in question.lefts)
        case "ordering":
            return "\n".join(f"{place}. {step}" for place, step in enumerate(item.steps, 1))
        case "fill":
            return item.accepted[0]
        case "card":
            return str(question.answer)
    return f"{right_answer(question)} {item.unit}".strip()


def _choice(question: Question, answer: str) -> tuple[float, str]:
    (place,) = _places(question, answer, 1, 1)
    chosen = question.choices[place]
    return float(chosen.right), chosen.feedback


def _choices(question: Question, answer: str) -> tuple[float, str]:
    places = _places(question, answer, 1, len(question.choices))
    chosen = [question.choices[place] for place in places]
    rights = sum(choice.right for choice in question.choices)
    hits = sum(choice.right for choice in chosen)
    told = [choice.feedback for choice in chosen if not choice.right]
    left_out = [
        letter
        for place, letter in enumerate(question.letters)
        if question.choices[place].right and place not in places
    ]
    if left_out:
        told.append(f"Left out: {', '.join(left_out)}.")
    return max(0.0, (2 * hits - len(chosen)) / rights), " ".join(told)


def _truth(question: Question, answer: str) -> tuple[float, str]:
    first, *rest = re.split(r"[\s,;]+", answer.strip())
    value = _TRUTHS.get(first.casefold())
    if value is None:
        raise _unread(question, answer)
    (place,) = _places(question, " ".join(rest), 1, 1, whole=answer)
    reason = question.choices[place]
    if value is not question.answer:
        return 0.0, ""
    return (1.0 if reason.right else 0.5), reason.feedback


def _number(question: Question, answer: str) -> tuple[float, str]:
    given = _read_number(question, answer)
    if _close(given, _expected(question), question.tolerance):
        return 1.0, ""
    for mistake in question.mistakes:
        # a share is one of the mistake's own value: beside a tiny answer nothing else would be recognised
        if _close(given, float(mistake.value), question.item.allowance(float(mistake.value))):
            return 0.0, mistake.feedback
    return 0.0, ""


def _matching(question: Question, answer: str) -> tuple[float, str]:
    count = len(question.lefts)
    places = _places(question, answer, count, count)
    of = dict(question.item.pairs)
    wrong = [
        left for left, place in zip(question.lefts, places, strict=True) if question.rights[place] != of[left]
    ]
    return 1 - len(wrong) / count, f"Matched wrongly: {'; '.join(wrong)}." if wrong else ""


def _ordering(question: Question, answer: str) -> tuple[float, str]:
    count = len(question.steps)
    given = [
        question.item.steps.index(question.steps[place]) for place in _places(question, answer, count, count)
    ]
    pairs = list(combinations(given, 2))
    kept = sum(first < second for first, second in pairs)
    told = "" if kept == len(pairs) else f"{kept} of {len(pairs)} pairs of steps are in the right order."
    return max(0.0, (kept / len(pairs) - 0.5) * 2), told


def _fill(question: Question, answer: str) -> tuple[float, str]:
    given = fold(answer.strip().strip("\"'`.“”‘’"))
    if not given:
        raise _unread(question, answer)
    if given in map(fold, question.item.accepted):
        return 1.0, ""
    told = (one.feedback for one in question.mistakes if fold(str(one.value)) == given)
    return 0.0, next(told, "")


def _card(question: Question, answer: str) -> tuple[float, str]:
    score = RATINGS.get(answer.strip().casefold())
    if score is None:
        raise _unread(question, answer)
    return score, ""


_MARKERS: dict[str, Callable[[Question, str], tuple[float, str]]] = {
    "card": _card,
    "single": _choice,
    "multiple": _choices,
    "true-false": _truth,
    "numeric": _number,
    "drawn": _number,
    "matching": _matching,
    "ordering": _ordering,
    "fill": _fill,
    "fix": _choice,
}


def _places(question: Question, answer: str, low: int, high: int, *, whole: str | None = None) -> list[int]:
    """The places of the letters of an answer, in its order; spaces and commas between them are free."""
    letters = re.sub(r"[\s,;]+", "", answer).upper()
    repeated = len(set(letters)) < len(letters)
    if repeated or not low <= len(letters) <= high or not set(letters) <= set(question.letters):
        raise _unread(question, answer if whole is None else whole)
    return [question.letters.index(letter) for letter in letters]


def _read_number(question: Question, answer: str) -> float:
    text = re.sub(r"\s+", " ", answer.strip().replace("−", "-").replace("–", "-"))
    if re.match(r"[+-]?[0-9]+,[0-9]", text):
        raise AnswerError(
            f"expected {describe(question)}, without a comma ({_shown(answer)}): 3136 for thousands, 3.136 for a "
            "decimal point"
        )
    first = _NUMBER.match(text)
    if first is None:
        raise _unread(question, answer)
    value, rest = float(first["number"]), text[first.end() :]
    if rest.lstrip().startswith("/") and (second := _NUMBER.match(rest.lstrip()[1:].lstrip())):
        divisor = float(second["number"])
        rest = rest.lstrip()[1:].lstrip()[second.end() :]
        value = value / divisor if divisor else math.nan
    if not math.isfinite(value) or (rest.strip() and not _is_unit(rest, question.item.unit)):
        raise _unread(question, answer)
    return value


def _is_unit(text: str, unit: str) -> bool:
    """Whether it names the unit; of "pixel" and "pixels" either will do."""
    return bool(unit) and fold(text).removesuffix("s") == fold(unit).removesuffix("s")


def _close(given: float, wanted: float, tolerance: float) -> bool:
    return abs(given - wanted) <= tolerance + _ROUNDING * abs(wanted)


def _expected(question: Question) -> int | float:
    assert isinstance(question.answer, int | float)
    return question.answer


def _written(number: int | float, tolerance: float) -> str:
    """As few digits as leave the tolerance nearly whole."""
    if number == int(number):
        return str(int(number))
    texts = (f"{number:.{digits}g}" for digits in range(3, 17))
    return next((text for text in texts if abs(float(text) - number) <= tolerance / 10), repr(number))


def _right_letters(question: Question) -> list[str]:
    return [letter for letter, choice in zip(question.letters, question.choices, strict=True) if choice.right]


def _lettered(question: Question) -> list[str]:
    return [
        f"{letter}. {question.choices[LETTERS.index(letter)].text}" for letter in _right_letters(question)
    ]


def _unread(question: Question, answer: str) -> AnswerError:
    return AnswerError(f"expected {describe(question)}; received {_shown(answer)}")


def _shown(answer: str) -> str:
    text = " ".join(answer.split())
    if not text:
        return "nothing"
    return f"“{text if len(text) <= 40 else text[:37] + '...'}”"
