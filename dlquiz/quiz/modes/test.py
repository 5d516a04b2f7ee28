"""Test: a number of questions, no word on any until the end, then a report by topic."""

from __future__ import annotations

import contextlib
import random
import re
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from dlquiz.output import consoles, write_json
from dlquiz.quiz.asking import ENDING, UNKNOWN, Given, Person, TimeUp, counted, deadline, formula, topic_line
from dlquiz.quiz.items import Item
from dlquiz.quiz.marking import right, right_answer
from dlquiz.quiz.modes.stats import bar
from dlquiz.quiz.posing import LETTERS, Question, pose
from dlquiz.quiz.sitting import chosen, sitting

SCHEMA = 1


@dataclass(frozen=True)
class _Asked:
    question: Question
    given: Given | None

    @property
    def score(self) -> float:
        return self.given.mark.score if self.given else 0.0


def test(
    topics: Collection[str], count: int, seed: int | None, seconds: float | None, json_file: str | None
) -> None:
    """Ask `count` items and report. Cards are left out, as one rates them oneself. Raises BankError, Stopped.

    Args:
        seconds: for all questions together; what is open by then counts as not known.
        json_file: also written as JSON; "-" is standard output.
    """
    out, err = consoles(json_file)
    with sitting("test", seed, out, err) as one:
        person = one.person
        questions = [pose(item, one.seed) for item in _draw(chosen(one.bank, topics), count, one.seed)]
        limit = f", {_clock(seconds)} minutes" if seconds else ""
        person.say(
            f"{counted(len(questions), 'question')}{limit}. You are told at the end what was right.", "bold"
        )
        person.say(ENDING, "dim")
        given: list[Given] = []
        began = time.monotonic()
        time_up = False
        try:
            with contextlib.suppress(EOFError):
                for number, question in enumerate(questions, 1):
                    left = None if seconds is None else seconds - (time.monotonic() - began)
                    clock = "" if left is None else f", {_clock(left)} left"
                    person.heading(f"{number} of {len(questions)}: {topic_line(question.item)}{clock}")
                    with deadline(left):
                        person.show(question)
                        answer = person.ask(question)
                    if seconds is not None and time.monotonic() - began > seconds:
                        raise TimeUp
                    given.append(answer)
                    one.keep(question.item, answer, one.seed)
        except TimeUp:
            time_up = True
            person.say()
            person.say("The time is up.", "yellow")
        taken = time.monotonic() - began
        asked = [
            _Asked(question, given[place] if place < len(given) else None)
            for place, question in enumerate(questions)
        ]
        _report(person, asked, one.seed, taken)
        person.say(one.kept(), "dim")
        write_json(
            {
                "schema": SCHEMA,
                "seed": one.seed,
                "score": round(sum(each.score for each in asked), 4),
                "questions": len(asked),
                "answered": len(given),
                "seconds": round(taken, 1),
                "time_up": time_up,
                "topics": {
                    topic: {"score": round(score, 4), "questions": number}
                    for topic, (score, number) in _by_topic(asked).items()
                },
                "items": [_as_json(each) for each in asked],
            },
            json_file,
        )


def _draw(items: Collection[Item], count: int, seed: int) -> list[Item]:
    able = [item for item in items if item.type != "card"]
    return random.Random(f"{seed}/test").sample(able, min(count, len(able)))  # noqa: S311


def _report(person: Person, asked: list[_Asked], seed: int, seconds: float) -> None:
    total = sum(each.score for each in asked)
    person.say()
    person.out.rule(characters="─" if person.out.encoding.lower().startswith("utf") else "-")
    for each in asked:
        if each.given and each.score < 1:
            _tell_missed(person, each)
    person.say()
    share = total / len(asked) if asked else 0
    person.say(f"{total:.4g} of {len(asked)} points, {share:.0%}", "bold")
    left = sum(each.given is None for each in asked)
    if left:
        person.say(f"{counted(left, 'question')} had no answer.", "yellow")
    by_topic = _by_topic(asked)
    longest = max(map(len, by_topic), default=0)
    for topic, (score, number) in by_topic.items():
        drawn = bar(score / number, 10, person.out)
        person.say(f"{topic:<{longest}}  {drawn}  {score:.3g} of {number}", sign=" ")
    person.say(f"seed {seed}, {_clock(seconds)} minutes", "dim")


def _tell_missed(person: Person, each: _Asked) -> None:
    assert each.given is not None
    person.say()
    person.say(formula(each.question.text, "bold"))
    person.say(formula(f"you: {_in_full(each.question, each.given.text)}"), sign="  ")
    person.verdict(each.score, each.given.mark.feedback)
    person.say("right answer:", "dim", sign="  ")
    for line in right(each.question).splitlines():
        person.say(formula(line), sign="    ")
    person.explain(each.question)


def _in_full(question: Question, answer: str) -> str:
    """An answer for who does not see the choices any more."""
    if answer == UNKNOWN:
        return "no answer"
    if not question.choices:
        return answer
    truth, rest = "", answer
    if question.item.type == "true-false":
        truth, rest = re.split(r"[\s,;]+", answer.strip(), maxsplit=1)
    letters = [letter for letter in rest.upper() if letter in question.letters]
    texts = [f"{letter}. {question.choices[LETTERS.index(letter)].text}" for letter in letters]
    return "; ".join(filter(None, [truth, *texts]))


def _by_topic(asked: list[_Asked]) -> dict[str, tuple[float, int]]:
    """Score and number of questions by main topic, the weakest first."""
    sums: dict[str, tuple[float, int]] = {}
    for each in asked:
        topic = each.question.item.topics[0]
        score, number = sums.get(topic, (0.0, 0))
        sums[topic] = score + each.score, number + 1
    return dict(sorted(sums.items(), key=lambda pair: pair[1][0] / pair[1][1]))


def _as_json(each: _Asked) -> dict[str, Any]:
    item, given = each.question.item, each.given
    return {
        "id": item.id,
        "type": item.type,
        "topics": item.topics,
        "answer": given.text if given else None,
        "right": right_answer(each.question),
        "score": round(each.score, 4),
        "seconds": round(given.seconds, 1) if given else None,
    }


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(int(seconds), 0), 60)
    return f"{minutes}:{rest:02}"
