"""The texts of the bank: plain, spelled right, said once, and free of words that a shuffled order makes wrong."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from spellchecker import SpellChecker

from dlquiz.quiz.draws.drawn import drawings
from dlquiz.quiz.items import Bank, Choice, Item
from dlquiz.quiz.plots.plot import plottings
from dlquiz.quiz.posing import pose

WORDS = Path(__file__).with_name("words.txt")
# Cosines of TF-IDF vectors; the nearest items of one topic that ask different things lie below.
ALIKE = 0.8

_MARKUP = {
    "LaTeX": r"\$|\\[a-zA-Z]+|\^\{|_\{",
    "Markdown": r"\*\*|\]\(|^#+ |```",
    "HTML": r"</?[a-zA-Z]+ ?/?>|&[a-z]+;",
}
_PLACE = re.compile(
    r"\b(all|none|any|both|either|two|neither) of (the|these) (above|below|others?|choices|options|answers)\b"
    r"|\b(choice|option|answer|reason|statement)s? [A-G]\b"
    r"|\b(first|second|third|fourth|fifth|last|previous|next|other|above) (choice|option|answer|reason)s?\b"
    r"|\b(choice|option|answer|reason)s? (above|below)\b"
    r"|\bboth [A-G] and [A-G]\b"
    r"|\ball of (the above|these|them)$|\bnone of (the above|these|them)$",
    re.IGNORECASE,
)


def texts(item: Item) -> Iterator[str]:
    """Everything that a person reads of an item, but its source."""
    question = pose(item, 0) if item.draw in drawings() else None
    yield question.text if question else item.question
    yield question.explanation if question else item.explanation
    yield item.formula
    yield item.unit
    if isinstance(item.answer, str):
        yield item.answer
    for choice in item.choices:
        yield choice.text
        yield choice.feedback
    for mistake in question.mistakes if question else item.mistakes:
        yield mistake.feedback
    for pair in item.pairs:
        yield from pair
    yield from item.steps
    yield from item.accepted[:1]


def without_code(text: str) -> str:
    """The text with a sign for everything in backticks."""
    return re.sub(r"`[^`]*`", "_", text)


def markup(item: Item) -> list[str]:
    """Signs that would be shown as they are, since texts are plain."""
    told = []
    for text in texts(item):
        if text.count("`") % 2:
            told.append(f"an odd number of backticks: {text!r}")
        for kind, pattern in _MARKUP.items():
            if found := re.search(pattern, without_code(text), re.MULTILINE):
                told.append(f"{kind} {found[0]!r}: {text!r}")
    return told


def places(item: Item) -> list[str]:
    """Texts that refer to a choice by its letter or place, and questions whose grammar gives a choice away."""
    told = [text for text in texts(item) if _PLACE.search(text)]
    if item.choices and re.search(r"\b(a|an)\W*$", item.question):
        told.append(item.question)
    return told


@functools.cache
def speller() -> SpellChecker:
    """English as spelled in the United States, and the words of the project."""
    checker = SpellChecker(language="en", distance=1)
    checker.word_frequency.load_words(WORDS.read_text(encoding="utf-8").split())
    return checker


def misspelled(text: str) -> set[str]:
    """Words of two letters or more that neither the dictionary nor `words.txt` has."""
    # a word with a digit, an underscore, a bracket or a capital inside is a name
    words = re.findall(
        r"(?<![\w'’.(=/∂√Δ])[A-Za-z][a-z]+(?:['’][a-z]+)?(?![\w(=]|[.'’][a-z])", without_code(text)
    )
    plain = (re.sub(r"['’](s|t|re|ve|ll|d)?$", "", word) for word in words)
    return set(speller().unknown(word.lower() for word in plain if len(word) > 1))


def whole(item: Item) -> str:
    """What an item asks and what is right, as one text."""
    said = [item.question, item.formula, item.answer if isinstance(item.answer, str) else ""]
    said += [choice.text for choice in item.choices if choice.right]
    said += [side for pair in item.pairs for side in pair]
    return " ".join([*said, *item.steps, *item.accepted[:1]])


def alike(items: Iterable[Item]) -> list[tuple[str, str]]:
    """The pairs of items that say nearly the same."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    listed = list(items)
    # numbers and signs are words too: two sums may differ in nothing else
    vectors = TfidfVectorizer(
        token_pattern=r"[^\W\d_]+|\d+(?:\.\d+)?|[^\s\w]", sublinear_tf=True
    ).fit_transform(map(whole, listed))
    near = (vectors @ vectors.T).toarray()
    return [
        (one.id, other.id)
        for place, one in enumerate(listed)
        for after, other in enumerate(listed[place + 1 :], place + 1)
        if near[place, after] > ALIKE
    ]


def test_texts_are_plain(bank: Bank) -> None:
    assert {item.id: told for item in bank.items if (told := markup(item))} == {}


def test_no_text_refers_to_the_place_of_a_choice(bank: Bank) -> None:
    assert {item.id: told for item in bank.items if (told := places(item))} == {}


def test_every_word_is_spelled_right(bank: Bank) -> None:
    wrong = {item.id: words for item in bank.items if (words := misspelled(" \n ".join(texts(item))))}
    assert wrong == {}


def test_pictures_are_spelled_right() -> None:
    for name, make in plottings().items():
        plot = make()
        said = " \n ".join(
            [plot.title, plot.x_label, plot.y_label, plot.alt, *(line.label for line in plot.lines)]
        )
        assert misspelled(said) == set(), name


def test_the_word_list_holds_nothing_needless() -> None:
    words = WORDS.read_text(encoding="utf-8").split()
    assert words == sorted(set(words))
    dictionary = SpellChecker(language="en", distance=1)
    assert [word for word in words if word in dictionary] == []


def test_no_two_items_say_nearly_the_same(bank: Bank) -> None:
    assert alike(bank.items) == []


def test_a_source_can_be_looked_up(bank: Bank) -> None:
    known = r"\b(1[89]|20)\d\d\b|\b(docs|documentation|notes|D2L|Dive into Deep Learning)\b"
    assert {item.id: item.source for item in bank.items if not re.search(known, item.source)} == {}


# The tests above see what they are for.

SINGLE = Item(
    id="an-item",
    type="single",
    group="cnn",
    topics=("padding",),
    difficulty=1,
    question='How wide is the output of a convolution with `padding="same"`?',
    explanation="Zeros are added on both sides.",
    source="Dumoulin & Visin (2016)",
    choices=(Choice("as wide as its input", right=True), Choice("narrower", feedback="Not with zeros.")),
)


@pytest.mark.parametrize(
    "text", ["The $x$.", r"A \frac.", "x^{2}", "A **bold** word.", "See [this](that).", "A <b>tag</b>.", "One `tick.",
             "x &lt; y"]
)  # fmt: skip
def test_markup_is_told(text: str) -> None:
    assert markup(SINGLE) == []
    for field in ("question", "explanation"):
        assert len(markup(dataclasses.replace(SINGLE, **{field: text}))) == 1
    wrong = (SINGLE.choices[0], Choice("narrower", feedback=text))
    assert len(markup(dataclasses.replace(SINGLE, choices=wrong))) == 1


@pytest.mark.parametrize("text", ["a < b and b > c", "`x ** 2`", "1  2\n3  4", "x² ≤ y", "2 * 3", "W_hh"])
def test_plain_signs_are_no_markup(text: str) -> None:
    assert markup(dataclasses.replace(SINGLE, question=text)) == []


@pytest.mark.parametrize(
    "text", ["All of the above", "none of these", "Both A and B", "As option C says", "the first choice is wrong",
             "See the answer below.", "Like the other options", "Reason B is a consequence."]
)  # fmt: skip
def test_a_reference_to_a_place_is_told(text: str) -> None:
    assert places(SINGLE) == []
    for choices in (
        (SINGLE.choices[0], Choice(text, feedback="No.")),
        (SINGLE.choices[0], Choice("narrower", feedback=text)),
    ):
        assert places(dataclasses.replace(SINGLE, choices=choices)) == [text]
    assert places(dataclasses.replace(SINGLE, explanation=text)) == [text]


def test_an_article_before_the_choices_is_told() -> None:
    assert places(dataclasses.replace(SINGLE, question="A layer that halves the width is an")) != []
    assert places(dataclasses.replace(SINGLE, question="What is the width of A?")) == []


@pytest.mark.parametrize("word", ["gradeint", "recieve", "Seperate", "teh", "occured", "wieghts"])
def test_a_misspelled_word_is_told(word: str) -> None:
    assert misspelled(f"Here {word} stands.") == {word.lower()}


def test_names_code_and_formulas_are_not_spelled() -> None:
    assert (
        misspelled("`gradeint` and Conv2D, W_hh, f(x) = max(0, x), ReLU, ∂Lxy, the network's σ(xq), don’t")
        == set()
    )


def test_two_items_that_say_the_same_are_told() -> None:
    twin = dataclasses.replace(SINGLE, id="twin", question=SINGLE.question.replace("wide", "broad"))
    other = dataclasses.replace(
        SINGLE,
        id="other",
        question="Why does a stride of two halve the height?",
        choices=(Choice("the kernel skips every other place", right=True), *SINGLE.choices[1:]),
    )
    assert alike([SINGLE, other, twin]) == [("an-item", "twin")]


def test_every_text_of_an_item_is_read(small: Bank) -> None:
    read = {item.id: " | ".join(texts(item)) for item in small.items}
    for id, words in {
        "relu-of-a-negative": ("ReLU give", "0", "keeps what"),
        "relu-slope": ("slope of ReLU", "−2", "That is the input.", "flat left"),
        "sigmoid-of-one": ("units", "the sign was lost"),
        "activation-ranges": ("identity", "(−∞, ∞)"),
        "softmax-steps": ("exponentiate",),
        "negative-slope": ("leaky", "the fault which"),
        "wrong-derivative": ("(1 + σ(x))",),
        "size-after-convolution": ("A line of", "pixels", "Cutting does not add."),
    }.items():
        assert [word for word in words if word not in read[id]] == []
