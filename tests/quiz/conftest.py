"""The bank of the package, and a small one with an item of every type."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from dlquiz.quiz.items import Bank, load_bank

SMALL = """
[[item]]
id = "relu-of-a-negative"
type = "card"
topics = ["relu"]
difficulty = 1
question = "What does ReLU give for −2?"
answer = "0"
explanation = "ReLU keeps what is positive and sets all else to 0."
source = "Nair & Hinton (2010)"

[[item]]
id = "relu-slope"
type = "single"
topics = ["relu", "dying-relu"]
difficulty = 2
question = "What is the slope of ReLU at −2?"
explanation = "It is flat left of 0."
source = "Nair & Hinton (2010)"
[[item.choice]]
text = "0"
right = true
[[item.choice]]
text = "1"
feedback = "That is the slope right of 0."
[[item.choice]]
text = "−2"
feedback = "That is the input."

[[item]]
id = "bounded-activations"
type = "multiple"
topics = ["sigmoid", "tanh"]
difficulty = 1
question = "Which are bounded?"
explanation = "Sigmoid lies in (0, 1), tanh in (−1, 1)."
source = "Goodfellow et al. (2016), chapter 6"
[[item.choice]]
text = "sigmoid"
right = true
[[item.choice]]
text = "tanh"
right = true
[[item.choice]]
text = "ReLU"
feedback = "ReLU grows without bound."
[[item.choice]]
text = "identity"
feedback = "The identity has no bounds."

[[item]]
id = "sigmoid-centred"
type = "true-false"
topics = ["sigmoid"]
difficulty = 3
question = "The outputs of a sigmoid are centred on 0."
answer = false
explanation = "They are centred on 0.5."
source = "LeCun et al. (1998)"
[[item.choice]]
text = "They lie between 0 and 1"
right = true
[[item.choice]]
text = "They lie between −1 and 1"
feedback = "That is tanh."
[[item.choice]]
text = "They have no bounds"

[[item]]
id = "sigmoid-of-one"
type = "numeric"
topics = ["sigmoid"]
difficulty = 2
question = "σ(1)?"
answer = 0.7310585786300049
tolerance = 0.005
unit = "units"
explanation = "1 / (1 + e⁻¹)."
source = "Goodfellow et al. (2016), chapter 6"
[[item.mistake]]
value = 0.2689414213699951
feedback = "That is σ(−1): the sign was lost."

[[item]]
id = "activation-ranges"
type = "matching"
topics = ["tanh"]
difficulty = 1
question = "Match each function with its range."
pairs = [["sigmoid", "(0, 1)"], ["tanh", "(−1, 1)"], ["ReLU", "[0, ∞)"], ["identity", "(−∞, ∞)"]]
explanation = "Each by its limits."
source = "Goodfellow et al. (2016), chapter 6"

[[item]]
id = "softmax-steps"
type = "ordering"
topics = ["softmax"]
difficulty = 2
question = "Order the steps of a stable softmax."
steps = ["subtract the largest score", "exponentiate", "sum", "divide by the sum"]
explanation = "The shift comes first, or exp overflows."
source = "Goodfellow et al. (2016), section 4.1"

[[item]]
id = "negative-slope"
type = "fill"
topics = ["leaky-relu"]
difficulty = 1
question = "ReLU with a small slope left of 0 is called ____ ReLU."
accepted = ["leaky", "PReLU-like"]
explanation = "It leaks."
source = "Maas et al. (2013)"
[[item.mistake]]
text = "dying"
feedback = "That is the fault which it avoids."

[[item]]
id = "wrong-derivative"
type = "fix"
topics = ["sigmoid"]
difficulty = 3
question = "Which correction makes it right?"
formula = "σ′(x) = σ(x) (1 + σ(x))"
explanation = "By the quotient rule."
source = "Goodfellow et al. (2016), chapter 6"
[[item.choice]]
text = "σ′(x) = σ(x) (1 − σ(x))"
right = true
[[item.choice]]
text = "σ′(x) = 1 − σ(x)²"
feedback = "That is the derivative of tanh."
[[item.choice]]
text = "σ′(x) = σ(x) − 1"
feedback = "It would be negative, and σ only grows."

[[item]]
id = "size-after-convolution"
type = "drawn"
topics = ["elu"]
difficulty = 2
question = "A line of {size} pixels is cut by {cut}. What is left?"
draw = "cut-line"
unit = "pixels"
explanation = "{size} − {cut} = {answer}."
source = "arithmetic"
"""


@pytest.fixture(scope="session")
def bank() -> Bank:
    """The bank of the package."""
    return load_bank()


@pytest.fixture
def write_bank(tmp_path: Path) -> Callable[..., Path]:
    """Writes files of a bank, `group="TOML"`, and gives their folder."""

    def write(**files: str) -> Path:
        for group, text in files.items():
            (tmp_path / f"{group}.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def small(write_bank: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Bank:
    """A bank with one item of each type; the drawing that its `drawn` item names is there for the test."""
    from dlquiz.quiz.draws import drawn

    def cut_line(rng: random.Random) -> drawn.Drawn:
        size, cut = rng.randint(20, 99), rng.randint(1, 9)
        told = ((size + cut, "Cutting does not add."),)
        return drawn.Drawn({"size": size, "cut": cut}, size - cut, told)

    drawn.drawings()
    monkeypatch.setitem(drawn.DRAWINGS, "cut-line", cut_line)
    return load_bank(write_bank(activations=SMALL))
