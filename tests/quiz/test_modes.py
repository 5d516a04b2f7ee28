"""The modes of the quiz with lines from a pipe: what is asked, what is kept, what is told."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from dlquiz.quiz.items import Bank, load_bank
from dlquiz.quiz.marking import mark, right_answer
from dlquiz.quiz.modes.learn import recognised
from dlquiz.quiz.posing import pose
from dlquiz.quiz.progress import AGAIN, EASY, GOOD, HARD, Answered, Progress

Quiz = Callable[..., Result]

CARDS = "".join(
    f"""
[[item]]
id = "card-{topic}"
type = "card"
topics = ["{topic}"]
difficulty = 1
question = "What is {topic}?"
answer = "the back of {topic}"
explanation = "So it is."
source = "a source"
"""
    for topic in ("momentum", "adam", "learning-rate")
)


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the log goes."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    monkeypatch.setattr("platformdirs.user_data_dir", lambda *_, **__: str(folder / "dlquiz"))
    monkeypatch.setenv("COLUMNS", "80")
    return folder


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Bank], None]:
    """Make every mode use a bank."""

    def put(bank: Bank) -> None:
        for module in ("sitting", "modes.stats", "modes.search", "modes.show"):
            monkeypatch.setattr(f"dlquiz.quiz.{module}.load_bank", lambda: bank)

    return put


@pytest.fixture
def quiz(home: Path, small: Bank, use: Callable[[Bank], None]) -> Quiz:
    """Run `dlquiz quiz` on the small bank with lines as its input."""
    use(small)

    def run(*words: str, lines: tuple[str, ...] = ()) -> Result:
        from dlquiz.cli import main

        typed = "".join(f"{line}\n" for line in lines)
        result = CliRunner().invoke(main, ["quiz", *words], input=typed)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


@pytest.fixture
def log(home: Path) -> Callable[[], list[Answered]]:
    def read() -> list[Answered]:
        with Progress(home / "dlquiz" / "quiz.sqlite3") as progress:
            return list(progress.log())

    return read


@pytest.fixture
def remember(home: Path) -> Callable[..., None]:
    """Put answers of some days ago into the log."""

    def put(item: str, days: float, rating: int = GOOD) -> None:
        at = datetime.now(UTC) - timedelta(days=days)
        with Progress(home / "dlquiz" / "quiz.sqlite3") as progress:
            progress.add(Answered(item, "learn", "x", float(rating > AGAIN), rating, 1.0, 1, at))

    return put


def wrong_letter(right: str) -> str:
    return "A" if right != "A" else "B"


# --- learn


def test_learn_repeats_what_was_missed_until_it_is_right(
    quiz: Quiz, small: Bank, log: Callable[[], list[Answered]]
) -> None:
    item = small.by_id["relu-slope"]
    first, second = (right_answer(pose(item, seed)) for seed in (4, 5))
    result = quiz("learn", "dying-relu", "--seed", "4", lines=(wrong_letter(first), "?", "Q", second))
    assert result.exit_code == 0
    assert "not right" in result.output
    assert "0 of 1 done: relu, level 2, again" in result.output
    # the third posing, after a wrong answer and one not known
    third = right_answer(pose(item, 6))
    told = quiz("learn", "dying-relu", "--seed", "4", lines=(wrong_letter(first), "?", "Q", third)).output
    assert "expected one letter, A to C; received “Q”" in told
    assert "1 of 1 mastered, 0 of them without a miss. 3 answers kept." in told
    last = log()[-3:]
    assert [answered.rating for answered in last] == [AGAIN, AGAIN, GOOD]
    assert [answered.seed for answered in last] == [4, 5, 6]
    assert {answered.mode for answered in last} == {"learn"}


def test_learn_asks_to_recognise_and_then_to_recall(
    quiz: Quiz,
    write_bank: Callable[..., Path],
    use: Callable[[Bank], None],
    log: Callable[[], list[Answered]],
) -> None:
    bank = Bank(load_bank(write_bank(optimization=CARDS)).select(["optimization"]))
    use(bank)
    item = bank.by_id["card-adam"]
    choice = recognised(item, bank, 7)
    assert choice is not None
    picked = right_answer(pose(choice, 7))
    result = quiz("learn", "adam", "--seed", "7", lines=(picked, "", "4"))
    assert result.output.index("one letter, A to C") < result.output.index("Say it to yourself")
    assert "1 of 1 mastered, 1 of them without a miss" in result.output
    assert [(answered.answer, answered.rating) for answered in log()] == [(picked, HARD), ("easy", EASY)]
    assert quiz("learn", "adam").output.startswith("1 item known for today")


def test_learn_takes_what_was_missed_first_then_what_is_due_then_the_new(
    quiz: Quiz, remember: Callable[..., None], small: Bank
) -> None:
    remember("softmax-steps", 0, AGAIN)
    remember("negative-slope", 60)
    remember("wrong-derivative", 0)
    told = quiz("learn", "-n", "30").output
    assert f"{len(small.items) - 1} of {len(small.items) - 1} items that wait" in told
    assert "0 of 9 done: softmax, level 2" in told
    told = quiz("learn", "-n", "2", lines=("?", "?")).output
    assert "0 of 2 done: leaky-relu, level 1" in told


def test_every_derived_choice_has_one_right_answer(bank: Bank) -> None:
    made = 0
    for item in bank.items:
        choice = recognised(item, bank, 3)
        if choice is None:
            continue
        made += 1
        question = pose(choice, 3)
        marks = {letter: mark(question, letter) for letter in question.letters}
        assert 3 <= len(marks) <= 4
        assert sorted(found.score for found in marks.values()) == [0] * (len(marks) - 1) + [1]
        assert all(found.feedback for found in marks.values() if not found.score), item.id
        assert len({choice.text for choice in question.choices}) == len(marks)
    assert made > 50


# --- test


def plan(quiz: Quiz, *words: str) -> list[dict[str, Any]]:
    """The questions of a test that is handed in at once."""
    result = quiz("test", *words, "--json", "-")
    return list(json.loads(result.stdout)["items"])


def test_a_test_is_scored_at_the_end_by_topic(
    quiz: Quiz, small: Bank, log: Callable[[], list[Answered]], tmp_path: Path
) -> None:
    items = plan(quiz, "--seed", "7")
    assert sorted(item["id"] for item in items) == sorted(
        item.id for item in small.items if item.type != "card"
    )
    assert plan(quiz, "--seed", "7") == items
    assert [item["id"] for item in plan(quiz, "--seed", "8")] != [item["id"] for item in items]
    file = tmp_path / "result.json"
    lines = tuple("?" if item["id"] == "relu-slope" else item["right"] for item in items)
    result = quiz("test", "--seed", "7", "--json", str(file), lines=lines)
    questions, report = result.output.split("─" * 80)
    for hint in ("right answer", "not right", "It is flat left of 0", "✓", "✗"):
        assert hint not in questions
    assert "8 of 9 points, 89%" in report
    assert "0 is" not in report
    assert "It is flat left of 0." in report
    assert "you: no answer" in report
    assert re.search(r"relu +·{10}  0 of 1", report)
    assert re.search(r"softmax +█{10}  1 of 1", report)
    assert "seed 7" in report
    told = json.loads(file.read_text(encoding="utf-8"))
    assert (told["score"], told["questions"], told["answered"], told["time_up"]) == (8, 9, 9, False)
    assert told["topics"]["relu"] == {"score": 0, "questions": 1}
    assert len(log()) == 9
    assert sum(answered.score for answered in log()) == 8


def test_a_test_handed_in_early_counts_what_is_open_as_unknown(quiz: Quiz) -> None:
    first = plan(quiz, "--seed", "3")[0]
    result = quiz("test", "--seed", "3", lines=(first["right"],))
    assert result.exit_code == 0
    assert "1 of 9 points, 11%" in result.output
    assert "8 questions had no answer." in result.output


def test_a_missed_choice_is_shown_in_full(quiz: Quiz, small: Bank) -> None:
    question = pose(small.by_id["sigmoid-centred"], 2)
    (place,) = (n for n, choice in enumerate(question.choices) if choice.text == "They lie between −1 and 1")
    letter = question.letters[place]
    items = [item["id"] for item in plan(quiz, "sigmoid", "--seed", "2")]
    lines = tuple(f"false {letter}" if id == "sigmoid-centred" else "?" for id in items)
    told = quiz("test", "sigmoid", "--seed", "2", lines=lines).output
    assert f"you: false; {letter}. They lie between −1 and 1" in told
    assert "partly right: 50%. That is tanh." in told


def test_json_on_standard_output_has_it_to_itself(quiz: Quiz) -> None:
    result = quiz("test", "softmax", "--json", "-")
    assert json.loads(result.stdout)["questions"] == 1
    assert "Order the steps" in result.stderr


@pytest.mark.parametrize("text", ["5", "x", "0m", "-5m", "15 m", ""])
def test_a_time_that_is_none_is_refused_with_an_example(quiz: Quiz, text: str) -> None:
    result = quiz("test", "--time", text)
    assert result.exit_code == 2
    assert "such as 15m, 90s or 1h30m" in result.output


@pytest.mark.parametrize(("text", "shown"), [("15m", "15:00"), ("90s", "1:30"), ("1h30m", "90:00")])
def test_a_time_is_read(quiz: Quiz, text: str, shown: str) -> None:
    assert f"1 question, {shown} minutes" in quiz("test", "softmax", "--time", text).output


# --- match


def test_pairs_are_matched_one_after_another_and_a_miss_costs(
    quiz: Quiz, small: Bank, log: Callable[[], list[Answered]]
) -> None:
    question = pose(small.by_id["activation-ranges"], 5)
    right = right_answer(question).split()
    smooth = quiz("match", "--seed", "5", lines=tuple(right))
    assert re.search(r"^\d\.\d s, all right$", smooth.output, re.MULTILINE)
    assert "1 board in " in smooth.output
    lines = (right[1], "Z", *right)
    missed = quiz("match", "--seed", "5", lines=lines).output
    assert "not that one" in missed
    assert "expected one letter, A to D" in missed
    assert re.search(r"^[5-9]\.\d s with 1 wrong; your best is \d\.\d s$", missed, re.MULTILINE)
    assert [(answered.mode, answered.score, answered.rating) for answered in log()] == [
        ("match", 1, GOOD),
        ("match", 0.75, HARD),
    ]


def test_a_topic_without_pairs_is_told(quiz: Quiz) -> None:
    result = quiz("match", "softmax")
    assert result.exit_code == 2
    assert "no pairs to match in softmax" in result.output


# --- review


def test_review_asks_what_is_due_and_then_nothing(
    quiz: Quiz, remember: Callable[..., None], log: Callable[[], list[Answered]]
) -> None:
    assert "Nothing is due. `dlquiz quiz learn` begins." in quiz("review").output
    remember("relu-of-a-negative", 30)
    remember("negative-slope", 0)
    result = quiz("review", lines=("", "nonsense", "hard"))
    assert "1 of 1 items that are due" in result.output
    assert "expected a number from 1 to 4; received “nonsense”" in result.output
    assert "1 of 1 reviewed, 1 of them without a miss. 1 answer kept." in result.output
    assert (log()[-1].mode, log()[-1].answer, log()[-1].rating) == ("review", "hard", HARD)
    assert "Nothing is due. The next review is on 20" in quiz("review").output


def test_what_is_missed_in_a_review_comes_back_in_it(
    quiz: Quiz, remember: Callable[..., None], log: Callable[[], list[Answered]]
) -> None:
    remember("negative-slope", 30)
    told = quiz("review", lines=("dying", "Leaky")).output
    assert "That is the fault which it avoids." in told
    assert "1 of 1 reviewed, 0 of them without a miss" in told
    assert [answered.rating for answered in log()[1:]] == [AGAIN, GOOD]
    assert "Nothing is due" in quiz("review").output


def test_the_most_endangered_comes_first(quiz: Quiz, remember: Callable[..., None]) -> None:
    remember("negative-slope", 8)
    remember("softmax-steps", 80)
    assert "0 of 2 done: softmax" in quiz("review").output
    assert "0 of 1 done: softmax" in quiz("review", "-n", "1").output
    assert "0 of 1 done: leaky-relu" in quiz("review", "leaky-relu").output


# --- stats, search, show, moving


def test_stats_show_mastery_forecast_and_streak(quiz: Quiz, remember: Callable[..., None]) -> None:
    assert "Nothing has been answered yet" in quiz("stats").output
    remember("negative-slope", 0)
    remember("softmax-steps", 1, AGAIN)
    result = quiz("stats", "--json", "-")
    told = json.loads(result.stdout)
    assert (told["answers"], told["streak_days"]) == (2, 2)
    (row,) = told["topics"]
    assert (row["name"], row["items"], row["seen"], row["due"]) == ("activations", 10, 2, 1)
    # one of ten, just answered rightly; what was missed is not known
    assert row["known"] == pytest.approx(0.1)
    assert told["forecast"][0]["reviews"] == 1
    assert sum(day["reviews"] for day in told["forecast"]) == 2
    shown = quiz("stats", "leaky-relu", "softmax").output
    assert re.search(r"leaky-relu +█+ +100%  1/1 seen$", shown, re.MULTILINE)
    assert re.search(r"softmax +·+ +0%  1/1 seen  1 due$", shown, re.MULTILINE)
    assert re.search(r"today +█+  1$", shown, re.MULTILINE)
    assert "2 answers so far, 2 days in a row." in shown


def test_search_lists_and_show_tells_all(quiz: Quiz, remember: Callable[..., None]) -> None:
    found = quiz("search", "slope", "relu")
    assert found.exit_code == 0
    assert found.output.startswith("relu-slope  single, relu, dying-relu")
    more = quiz("search", "relu", "-n", "1").output
    assert re.search(r"(\d+) more; -n (\d+) shows them all", more)
    assert quiz("search", "no-such-word").exit_code == 1
    remember("relu-slope", 1)
    shown = quiz("show", "relu-slope").output
    assert "What is the slope of ReLU at −2?" in shown
    assert "That is the slope right of 0." in shown
    assert "Nair & Hinton (2010)" in shown
    assert "answered once, last on" in shown
    assert (
        quiz("show", "size-after-convolution", "--seed", "1").output
        != quiz("show", "size-after-convolution", "--seed", "2").output
    )


def test_export_and_import_move_everything(
    quiz: Quiz, remember: Callable[..., None], log: Callable[[], list[Answered]], tmp_path: Path, home: Path
) -> None:
    remember("negative-slope", 3)
    remember("softmax-steps", 2, AGAIN)
    file = tmp_path / "answers.jsonl"
    assert "2 answers written" in quiz("export", str(file)).output
    assert "is there already" in quiz("export", str(file)).output
    assert quiz("export").stdout == file.read_text(encoding="utf-8")
    before = log()
    for part in (home / "dlquiz").glob("quiz.sqlite3*"):
        part.unlink()
    assert "2 answers imported; 0 were there already" in quiz("import", str(file)).output
    assert "0 answers imported; 2 were there already" in quiz("import", str(file)).output
    assert log() == before
    file.write_text("nonsense\n")
    assert "answers.jsonl, line 1: expected one JSON object" in quiz("import", str(file)).output
    missing = quiz("import", str(tmp_path / "missing"))
    assert missing.exit_code == 2
    assert "No such file" in missing.output


# --- all of them


@pytest.mark.parametrize("mode", ["learn", "test", "match", "review", "stats"])
def test_an_unknown_topic_is_answered_with_what_comes_near(quiz: Quiz, mode: str) -> None:
    result = quiz(mode, "sofmax")
    assert result.exit_code == 2
    assert result.output == "dlquiz: no topic or group `sofmax`: did you mean softmax?\n"


def test_an_unknown_item_and_an_unknown_mode_too(quiz: Quiz) -> None:
    result = quiz("show", "relu-slop")
    assert result.exit_code == 2
    assert "no item `relu-slop`: did you mean relu-slope" in result.output
    assert "learn" in quiz("lern").output


def test_what_cannot_be_kept_is_told_once_and_the_quiz_goes_on(quiz: Quiz, home: Path, small: Bank) -> None:
    (home / "dlquiz").write_text("a file where the folder should be")
    first = right_answer(pose(small.by_id["softmax-steps"], 1))
    result = quiz("learn", "softmax", "--seed", "1", lines=(first,))
    assert result.exit_code == 0
    assert " ".join(result.output.split()).count("are not kept") == 1
    assert "1 of 1 mastered, 1 of them without a miss. Nothing is kept." in result.output


@pytest.mark.parametrize("mode", ["learn", "test", "match", "stats", "show"])
def test_a_narrow_terminal_is_never_overrun(
    quiz: Quiz, mode: str, monkeypatch: pytest.MonkeyPatch, remember: Callable[..., None]
) -> None:
    remember("negative-slope", 3)
    monkeypatch.setenv("COLUMNS", "40")
    words = ("show", "activation-ranges") if mode == "show" else (mode,)
    for line in quiz(*words).output.splitlines():
        # a prompt is one line, which the terminal itself breaks
        assert len(line) <= 40 or line.rstrip().endswith(":"), line


def test_every_command_has_examples_that_exist() -> None:
    from dlquiz.quiz.cli import quiz as group

    for name, command in group.commands.items():
        examples = re.findall(r"^  dlquiz quiz (\S+)(.*)$", command.epilog or "", re.MULTILINE)
        assert examples, name
        for word, rest in examples:
            assert word == name
            words = re.split(r"[<>]", rest)[0].split()
            group.commands[word].make_context(word, words)
    for word, rest in re.findall(r"^  dlquiz quiz (\S+)(.*?)(?:  .*)?$", group.epilog or "", re.MULTILINE):
        assert isinstance(group.commands[word].make_context(word, rest.split()), click.Context)


def test_the_guide_shows_every_command_with_options_that_exist() -> None:
    from dlquiz.quiz.cli import quiz as group

    guide = (Path(__file__).resolve().parents[2] / "docs" / "quiz.md").read_text(encoding="utf-8")
    lines = set(re.findall(r"(?:^\$ |`)dlquiz quiz ([^`\n]+)", guide, re.MULTILINE))
    for line in lines:
        word, *rest = line.split()
        with contextlib.suppress(click.MissingParameter):
            group.commands[word].make_context(word, rest)
    assert {line.split()[0] for line in lines} == set(group.commands)


# --- what the bank of the package says


def test_every_item_can_be_shown(bank: Bank, home: Path, use: Callable[[Bank], None]) -> None:
    from dlquiz.cli import main

    use(bank)
    for item in [*bank.items[::25], *(item for item in bank.items if item.plot)]:
        result = CliRunner().invoke(main, ["quiz", "show", item.id])
        assert result.exit_code == 0, result.output
        assert "{" not in result.output or "{" in item.question + item.explanation


@pytest.mark.parametrize("columns", [40, 80])
def test_a_picture_is_drawn_where_there_is_room_and_told_where_there_is_none(
    bank: Bank, quiz: Quiz, use: Callable[[Bank], None], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    from dlquiz.quiz.plots.plot import plottings

    use(bank)
    monkeypatch.setenv("COLUMNS", str(columns))
    item = next(item for item in bank.items if item.plot)
    shown = quiz("show", item.id).output
    alt = plottings()[item.plot]().alt
    assert (" ".join(alt.split()[:8]) in " ".join(shown.split())) is (columns == 40)
    assert ("┤" in shown) is (columns == 80)
    assert max(map(len, shown.splitlines())) <= columns
