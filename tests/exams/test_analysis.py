"""Item statistics, against NumPy and SciPy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from grader.exams.analysis import ItemStatistics, Option, discriminations
from grader.exams.tables import remarks


def test_discrimination_is_the_point_biserial_with_the_rest() -> None:
    rng = np.random.default_rng(3)
    points = (rng.random((40, 6)) < np.linspace(0.2, 0.8, 6)).astype(float)
    told = discriminations(points.tolist())
    for place in range(6):
        rest = np.delete(points, place, axis=1).sum(axis=1)
        expected = stats.pointbiserialr(points[:, place].astype(bool), rest).statistic
        assert told[place] == pytest.approx(expected, abs=1e-12)
        # not the one in which the item counts on both sides
        assert told[place] != pytest.approx(np.corrcoef(points[:, place], points.sum(axis=1))[0, 1], abs=1e-3)


def test_discrimination_of_parts_of_points_is_pearsons() -> None:
    rng = np.random.default_rng(4)
    points = rng.choice([0, 1 / 3, 0.5, 1], size=(25, 4)) * [1, 2, 1, 5]
    for place, told in enumerate(discriminations(points.tolist())):
        rest = np.delete(points, place, axis=1).sum(axis=1)
        assert told == pytest.approx(np.corrcoef(points[:, place], rest)[0, 1], abs=1e-8)


def test_discrimination_by_hand() -> None:
    # item 1 against the rest 2, 1, 0: r of (1, 1, 0) and (2, 1, 0) is 1 / sqrt(2/3 * 2) = sqrt(3)/2
    assert discriminations([[1, 1, 1], [1, 1, 0], [0, 0, 0]])[0] == pytest.approx(3**0.5 / 2)
    assert discriminations([[1, 0, 0], [0, 1, 0], [0, 1, 1]])[0] == pytest.approx(-(3**0.5) / 2)


def test_discrimination_is_undefined_where_nothing_varies() -> None:
    assert discriminations([]) == []
    assert discriminations([[1, 0], [0, 1]]) == [None, None]
    assert discriminations([[1, 0], [1, 1], [1, 0]]) == [None, None]
    # rests of 1/3 + 2/3 and 1 + 0 are the same, whatever rounding says
    rows = [[0.1, 1 / 3, 2 / 3], [0.7, 1.0, 0.0], [0.3, 0.1, 0.9]]
    assert discriminations(rows)[0] is None
    # of one item there is no rest
    assert discriminations([[1], [0], [1]]) == [None]


def swapped(question: Any, first: str, second: str) -> str:
    """The right answer to a question of pairs, less two that are exchanged."""
    of = dict(question.item.pairs)
    of[first], of[second] = of[second], of[first]
    return " ".join(question.letters[question.rights.index(of[left])] for left in question.lefts)


@pytest.fixture
def answered(room: Any, key_of: Callable[..., dict[str, str]], paper_for: Callable[..., Any]) -> Path:
    """Forty sheets: the first ten students know nothing, the next all but `single`, the rest everything."""
    exam: Path = room.make("40")
    files = {}
    for n in range(1, 41):
        student = f"student-{n:02}"
        answers = key_of(exam, student)
        for place, one in enumerate(paper_for(exam, student).questions, 1):
            wrong = next(
                (
                    letter
                    for letter, choice in zip(one.letters, one.choices, strict=False)
                    if choice.text == "third"
                ),
                None,
            )
            if one.item.type == "single" and n <= 20:
                answers[f"Q{place}"] = str(wrong)
            elif one.item.type == "true-false" and n <= 10:
                letter = one.letters[[choice.text for choice in one.choices].index("since")]
                answers[f"Q{place}"] = f"true {letter}"
            elif one.item.type == "numeric" and n <= 10:
                answers[f"Q{place}"] = "0.2689"
            elif one.item.type == "multiple" and n <= 10:
                answers[f"Q{place}"] = "" if n <= 4 else "%"
            elif one.item.type == "fill" and n <= 3:
                answers[f"Q{place}"] = "other  words"
            elif one.item.type == "ordering" and n == 1:
                answers[f"Q{place}"] = " ".join(reversed(answers[f"Q{place}"].split()))
            elif one.item.type == "matching" and n == 1:
                answers[f"Q{place}"] = swapped(one, "one", "two")
        files[f"student_{n:02}_csv"] = "".join(f"{name},{answer}\n" for name, answer in answers.items())
    room.answers(**files)
    return exam


def test_statistics_of_a_class(room: Any, answered: Path) -> None:
    answers = room.folder / "answers"
    result = room.run("analyse", answered, answers, "--json", room.folder / "items.json")
    told = json.loads((room.folder / "items.json").read_text())
    items = {one["item"].removeprefix("zyzzyva-"): one for one in told["items"]}
    assert {name: one["difficulty"] for name, one in items.items()} == pytest.approx(
        dict.fromkeys(items, 1.0)
        | {"single": 0.5, "truth": 0.75, "number": 0.75, "multiple": 0.75}
        | {"fill": 37 / 40, "steps": 39 / 40, "pairs": 39.5 / 40}
    )
    know = np.arange(40) >= 10
    single = np.arange(40) >= 20
    fill, first = np.arange(40) >= 3, np.arange(40) == 0
    # the rest of `single` is what the others that vary add up to, and so on
    others = fill - 1.5 * first
    assert items["single"]["discrimination"] == pytest.approx(np.corrcoef(single, 3.0 * know + others)[0, 1])
    assert items["truth"]["discrimination"] == pytest.approx(
        np.corrcoef(know, 2.0 * know + single + others)[0, 1]
    )
    assert items["fix"]["discrimination"] is None
    assert (items["multiple"]["blank"], items["multiple"]["unread"]) == (4, 6)
    counts = {
        name: {option["text"]: (option["count"], option["right"]) for option in items[name]["options"]}
        for name in ("single", "truth", "number", "fill", "steps", "pairs")
    }
    assert counts["single"] == {
        "first": (20, True), "second & last": (0, False), "third": (20, False), "fourth": (0, False),
    }  # fmt: skip
    assert counts["truth"] == {
        "true": (10, False), "false": (30, True), "as": (30, True), "since": (10, False), "for": (0, False),
    }  # fmt: skip
    assert counts["number"] == {"zyzzyva mistake": (10, False)}
    assert counts["fill"] == {"zyzzyvaword": (37, True), "other words": (3, False)}
    assert counts["steps"] == {"sow · water · reap": (39, True), "reap · water · sow": (1, False)}
    assert counts["pairs"] == {
        "one → uno": (39, True), "two → due": (39, True), "three → tre": (40, True), "four → quattro": (40, True),
        "one → due": (1, False), "two → uno": (1, False),
    }  # fmt: skip
    assert "2 wrong never chosen" in " ".join(result.output.split())


def test_grading_prints_the_items_too(room: Any, answered: Path) -> None:
    result = room.grade(answered, 0, "--json", room.folder / "told.json")
    assert "zyzzyva-single" in result.output
    assert len(json.loads((room.folder / "told.json").read_text())["items"]) == 9


def test_sheets_that_could_not_be_read_do_not_count(room: Any, answered: Path) -> None:
    answers = room.answers(student_01_csv=b"\x00")
    room.run("analyse", answered, answers, "--json", room.folder / "items.json")
    told = json.loads((room.folder / "items.json").read_text())
    assert {one["students"] for one in told["items"]} == {39}


def test_no_answers_give_no_statistics(room: Any) -> None:
    exam = room.make("2")
    room.answers()
    result = room.run("analyse", exam, room.folder / "answers", "--json", room.folder / "items.json")
    assert json.loads((room.folder / "items.json").read_text())["items"] == []
    assert "Nothing from student-1, student-2" in result.output


def test_what_deserves_a_look_is_said_where_there_are_enough_answers() -> None:
    told = {"item": "i", "type": "single", "topic": "relu", "blank": 0, "unread": 0}
    options = (Option("a", True, 0), Option("b", False, 0), Option("c", False, 40))
    one = ItemStatistics(**told, students=40, difficulty=0.0, discrimination=-0.1, options=options)
    assert remarks(one) == ["the weaker do better", "nobody right", "1 wrong never chosen"]
    few = ItemStatistics(**told, students=29, difficulty=0.0, discrimination=-0.1, options=options)
    assert remarks(few) == []
    good = ItemStatistics(**told, students=40, difficulty=0.5, discrimination=0.1, options=options[::2])
    assert remarks(good) == []
