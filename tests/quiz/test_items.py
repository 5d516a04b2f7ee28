"""Reading a bank: what is right is read in full, and everything that is wrong is named at once."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dlquiz.quiz.items import TYPES, Bank, BankError, core_topics, fold, items_needed, load_bank
from dlquiz.topics import topics

CARD = """
[[item]]
id = "a-card"
type = "card"
topics = ["relu"]
difficulty = 1
question = "Front?"
answer = "Back."
explanation = "Because."
source = "Nair & Hinton (2010)"
"""
REST = CARD[CARD.index("topics") :].replace('answer = "Back."\n', "")
THREE = "".join(
    f'[[item.choice]]\ntext = "{text}"\n{rest}\n'
    for text, rest in (("a", "right = true"), ("b", 'feedback = "No."'), ("c", 'feedback = "No."'))
)


def item(kind: str, keys: str = "", choices: str = "", rest: str = REST) -> str:
    """An item of a type, by default right but for what its type needs."""
    return f'[[item]]\nid = "an-item"\ntype = "{kind}"\n{keys}\n{rest}\n{choices}'


def problems(folder: Path) -> list[str]:
    with pytest.raises(BankError) as caught:
        load_bank(folder)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_an_item_of_every_type_is_read(small: Bank) -> None:
    assert {one.type for one in small.items} == set(TYPES)
    by_id = small.by_id
    assert [one.id for one in small.items] == list(by_id)
    single = by_id["relu-slope"]
    assert (single.group, single.topics, single.difficulty) == ("activations", ("relu", "dying-relu"), 2)
    assert [(choice.text, choice.right, choice.feedback) for choice in single.choices] == [
        ("0", True, ""),
        ("1", False, "That is the slope right of 0."),
        ("−2", False, "That is the input."),
    ]
    assert by_id["sigmoid-centred"].answer is False
    number = by_id["sigmoid-of-one"]
    assert (number.answer, number.tolerance, number.unit) == (0.7310585786300049, 0.005, "units")
    assert number.mistakes[0].value == 0.2689414213699951
    assert by_id["activation-ranges"].pairs[1] == ("tanh", "(−1, 1)")
    assert by_id["softmax-steps"].steps[-1] == "divide by the sum"
    assert by_id["negative-slope"].accepted == ("leaky", "PReLU-like")
    assert by_id["negative-slope"].mistakes[0].value == "dying"
    assert by_id["wrong-derivative"].formula == "σ′(x) = σ(x) (1 + σ(x))"
    assert by_id["size-after-convolution"].draw == "cut-line"


@pytest.mark.parametrize(
    ("key", "line", "expected"),
    [
        ("id", 'id = "A card"', "lower-case words"),
        ("id", "", "a text, received nothing"),
        ("type", 'type = "cards"', "card, single"),
        ("topics", "topics = []", "1 to 9 texts"),
        ("topics", 'topics = ["rellu"]', "did you mean relu"),
        ("topics", 'topics = ["relu", "relu"]', "twice"),
        ("topics", 'topics = ["dropout", "relu"]', "belongs in generalization.toml"),
        ("difficulty", "difficulty = 4", "1, 2 or 3"),
        ("difficulty", "difficulty = true", "a number"),
        ("difficulty", "difficulty = 1.5", "1, 2 or 3"),
        ("question", 'question = "  "', "a text"),
        ("answer", "answer = 3", "a text, received 3"),
        ("explanation", "", "a text, received nothing"),
        ("source", "", "a text, received nothing"),
        ("plot", "plot = 1", "a text"),
        ("hint", 'hint = "x"', "has type `card`"),
    ],
)
def test_a_wrong_key_is_named_with_its_file_and_item(
    write_bank: Callable[..., Path], key: str, line: str, expected: str
) -> None:
    text = re.sub(rf"^{key} = .*$", "", CARD, flags=re.MULTILINE) + line + "\n"
    (problem,) = problems(write_bank(activations=text))
    named = "item 1 of the file" if key == "id" and not line else "A card" if key == "id" else "a-card"
    assert problem.startswith(f"activations.toml: {named}: ")
    assert f"key `{key}`" in problem
    assert expected in problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (item("single", choices=THREE.replace("right = true", 'feedback = "No."')), "received it in 0"),
        (item("single", choices=THREE.replace('feedback = "No."', "right = true")), "received it in 3"),
        (item("single", choices=THREE.replace('"c"', '"b"')), "texts that differ, received 'b' twice"),
        (
            item("single", choices=THREE.replace("right = true", 'right = true\nfeedback = "x"')),
            "`choice[1].feedback`",
        ),
        (item("single", choices=THREE.replace('feedback = "No."', "", 1)), "`choice[2].feedback`"),
        (item("single", choices=THREE[: THREE.rindex("[[")]), "3 to 5 tables `[[item.choice]]`, received 2"),
        (item("single"), "3 to 5 tables"),
        (
            item("single", choices=THREE.replace("right = true", 'right = "yes"')),
            "true or false, received 'yes'",
        ),
        (
            item("multiple", choices=THREE.replace('feedback = "No."', "right = true")),
            "received 3 right of 3",
        ),
        (
            item("multiple", choices=THREE.replace("right = true", 'feedback = "No."')),
            "received 0 right of 3",
        ),
        (item("true-false", "answer = 1", THREE), "`answer`: expected true or false"),
        (item("fix", "", THREE), "`formula`"),
        (item("numeric", "answer = true"), "`answer`: expected a number"),
        (item("numeric", "answer = nan"), "`answer`: expected a number"),
        (item("numeric", f"answer = {10**400}"), "`answer`: expected a number"),
        (item("numeric", "answer = 2\ntolerance = 0"), "`tolerance`: expected a number above 0"),
        (item("numeric", "answer = 2\nrelative_tolerance = 1"), "above 0 and below 1"),
        (item("numeric", "answer = 2\ntolerance = 1\nrelative_tolerance = 0.1"), "one of the two"),
        (item("numeric", "answer = 0\nrelative_tolerance = 0.1"), "a share of 0 is nothing"),
        (
            item("numeric", "answer = 2.0\ntolerance = 0.5", '[[item.mistake]]\nvalue = 2.4\nfeedback = "x"'),
            "no right answer, received 2.4",
        ),
        (item("drawn"), "`draw`"),
        (item("drawn", 'draw = "d"', rest=REST.replace("Front?", "Front {}?")), "literal braces are doubled"),
        (item("drawn", 'draw = "d"', rest=REST.replace("Front?", "Front {x.y}?")), "received {x.y}"),
        (item("drawn", 'draw = "d"', rest=REST.replace("Because.", "{")), "`explanation`"),
        (item("matching", 'pairs = [["a", "b"], ["c", "d"]]'), "3 to 7 pairs of texts, received 2 of them"),
        (item("matching", 'pairs = [["a", "b"], ["c", "d"], ["e"]]'), "pairs of texts"),
        (item("matching", 'pairs = [["a", "b"], ["c", "d"], ["e", "b"]]'), "`pairs, right side`"),
        (item("matching", 'pairs = [["a", "b"], ["c", "d"], ["a", "f"]]'), "`pairs, left side`"),
        (item("ordering", 'steps = ["a", "b", "a"]'), "received 'a' twice"),
        (item("ordering", 'steps = ["a", "b"]'), "3 to 7 texts"),
        (item("fill", 'accepted = ["x"]'), "exactly one blank `____`, received 0"),
        (item("fill", 'accepted = ["x"]', rest=REST.replace("Front?", "A ____ and ____.")), "received 2"),
        (item("fill", 'accepted = ["-"]', rest=REST.replace("Front?", "A ____.")), "a letter or a digit"),
        (
            item(
                "fill",
                'accepted = ["back-prop"]',
                '[[item.mistake]]\ntext = "Back prop"\nfeedback = "x"',
                REST.replace("Front?", "A ____."),
            ),
            "words that are not accepted",
        ),
    ],
)
def test_what_a_type_needs_is_checked(write_bank: Callable[..., Path], text: str, expected: str) -> None:
    found = problems(write_bank(activations=text))
    assert [problem for problem in found if expected in problem] == found[:1]
    assert found[0].startswith("activations.toml: an-item: ")


def test_every_problem_of_every_file_is_named_at_once(write_bank: Callable[..., Path]) -> None:
    folder = write_bank(
        activations=CARD.replace('answer = "Back."', "").replace("difficulty = 1", "difficulty = 9"),
        losses="this is no TOML",
        cnn="item = 3",
        cooking=CARD,
    )
    found = problems(folder)
    assert len(found) == 5
    for start in ("cooking.toml", "losses.toml: expected TOML in UTF-8", "cnn.toml: key `item`"):
        assert sum(problem.startswith(start) for problem in found) == 1
    assert sum(problem.startswith("activations.toml: a-card") for problem in found) == 2


def test_an_id_is_given_once_in_the_whole_bank(write_bank: Callable[..., Path]) -> None:
    folder = write_bank(activations=CARD, losses=CARD.replace("relu", "hinge-loss"))
    (problem,) = problems(folder)
    assert problem.startswith("losses.toml: a-card: key `id`")
    assert "activations.toml" in problem


def test_a_folder_without_a_bank_is_an_error(tmp_path: Path) -> None:
    assert str(tmp_path) in problems(tmp_path)[0]


def test_a_text_that_is_no_utf_8_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "cnn.toml").write_bytes(b"\xff")
    assert problems(tmp_path)[0].startswith("cnn.toml: expected TOML in UTF-8")


def test_groups_come_in_the_order_of_the_topic_list(write_bank: Callable[..., Path]) -> None:
    other = CARD.replace("a-card", "another").replace("relu", "perceptron")
    assert [one.id for one in load_bank(write_bank(activations=CARD, basics=other)).items] == [
        "another",
        "a-card",
    ]


def test_select_by_topic_group_type_and_difficulty(small: Bank) -> None:
    assert small.select() == small.items
    assert [one.id for one in small.select(topics=["dying-relu"])] == ["relu-slope"]
    assert small.select(topics=["activations"]) == small.items
    assert small.select(topics=["losses", "hinge-loss"]) == ()
    assert {one.type for one in small.select(types=["fill", "fix"])} == {"fill", "fix"}
    assert [one.id for one in small.select(topics=["sigmoid"], types=["fix"], difficulty=3)] == [
        "wrong-derivative"
    ]


def test_select_names_what_it_does_not_know(small: Bank) -> None:
    with pytest.raises(BankError) as caught:
        small.select(topics=["reluu", "relu"], types=["crd"], difficulty=7)
    topic, kind, difficulty = caught.value.problems
    assert "`reluu`: did you mean relu" in topic
    assert "`crd`: did you mean card" in kind
    assert "1, 2 or 3, received 7" in difficulty


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Back-Propagation", "back propagation"),
        ("naïve", "NAIVE"),
        ("L²", "l2"),
        ("mini‑batch", "minibatch"),  # a hyphen that does not break
        ("STRASSE", "straße"),
    ],
)
def test_words_are_compared_without_case_accents_hyphens_and_spaces(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_a_plural_is_another_word() -> None:
    assert fold("gate") != fold("gates")


def test_core_topics_are_topics_with_a_quiz_and_need_more_items() -> None:
    assert len(core_topics()) == 37
    assert all("quiz" in topics()[topic][1] for topic in core_topics())
    assert len(set(core_topics())) == len(core_topics())
    assert (items_needed("softmax"), items_needed("mish")) == (5, 2)


def test_importing_the_quiz_reads_no_item_and_nothing_heavy() -> None:
    code = (
        "import sys, io, tomllib\n"
        "tomllib.loads = tomllib.load = lambda *_: sys.exit('read')\n"
        "import dlquiz.quiz.items, dlquiz.quiz.posing, dlquiz.quiz.marking, dlquiz.quiz.search\n"
        "heavy = {'numpy', 'rich', 'keras', 'matplotlib', 'plotext', 'sklearn', 'click'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
