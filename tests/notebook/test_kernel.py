"""Notebooks in real kernels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from dlquiz import handouts
from dlquiz.notebooks.making import _pieces, make_notebook

RIGHT = (
    "import numpy as np\n\ndef standardize(x, axis, epsilon=1e-3):\n"
    "    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + epsilon)"
)
CHECK = 'dlquiz.check("normalization", problems="standardize", timeout=1)'
SOLUTION = (
    Path(__file__).resolve().parents[2] / "assignments" / "normalization" / "solution" / "normalization.py"
)


def test_a_lone_notebook_is_checked_again_and_again(execute: Any, printed: Any, shown: Any) -> None:
    cells = execute(
        "import dlquiz",
        CHECK,
        RIGHT,
        CHECK,
        "def standardize(x, axis, epsilon=1e-3):\n    print('<script>')\n    while True:\n        pass",
        CHECK,
        "def standardize(x, axis, epsilon=1e-3):\n    exit()",
        CHECK,
        RIGHT,
        f"found = {CHECK}\nprint(found.passed, found.total, found.to_json()['assignment'], sep=', ')",
        "dlquiz.check('architecture-calculators', problems='recurrent_parameters')",
        f"print({CHECK})",
    )
    assert "not defined `standardize` yet" in shown(cells[1]).replace("&#96;", "`")
    assert "2 of 2" in shown(cells[3])
    hung = shown(cells[5])
    assert "no answer within 1 s" in hung
    assert "cell In[5], line 3, in standardize" in hung
    assert "&lt;script&gt;" in hung
    assert "your code ended the program" in shown(cells[7])
    assert printed(cells[9]) == "2, 2, normalization\n"
    assert "Parameters of LSTM and GRU" in shown(cells[10])
    assert "All 2 public tests passed here." in printed(cells[11])


def test_an_interrupt_of_the_kernel_shows_what_was_done(execute: Any, shown: Any, printed: Any) -> None:
    cells = execute(
        "import dlquiz, os, signal, threading",
        f"calls = []\n{RIGHT}\nright = standardize",
        "def standardize(x, axis, epsilon=1e-3):\n    calls.append(1)\n    while len(calls) > 1:\n        pass\n"
        "    return right(x, axis, epsilon)",
        "threading.Timer(2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "dlquiz.check('normalization', problems='standardize', timeout=60)",
        "print('alive')",
    )
    page = shown(cells[3])
    assert "1 of 2 public tests passed" in page
    assert "the check was interrupted here" in page
    assert printed(cells[4]) == "alive\n"


def test_an_unknown_name_is_one_line_and_no_traceback(execute: Any, printed: Any) -> None:
    cells = execute("import dlquiz", "dlquiz.check('normalisation')")
    assert printed(cells[1]).startswith("dlquiz: no assignment 'normalisation': did you mean normalization?")
    assert "Traceback" not in printed(cells[1])


def test_a_notebook_as_made_goes_from_nothing_to_everything(
    execute: Any, shown: Callable[[Any], str]
) -> None:
    handout = handouts.course()["normalization"]
    folder = handouts.public_tests("normalization").parent
    names = ("README.md", "normalization.py", handouts.TESTS)
    made = make_notebook(handout, *((folder / name).read_text("utf-8") for name in names))
    cells = {
        cell.id: cell.source for cell in nbformat.reads(made, as_version=4).cells if cell.cell_type == "code"
    }
    lines = SOLUTION.read_text("utf-8").splitlines()
    answers = _pieces("\n".join(line for line in lines if " SOLUTION" not in line))
    solved = {f"code-{piece.name or 'imports'}": piece.text for piece in answers}
    assert {name for name in cells if name.startswith("code-")} == set(solved)
    whole = 'dlquiz.check("normalization", seed=7)'
    ran = execute(
        *cells.values(),
        solved["code-standardize"],
        solved["code-_line_up"],
        solved["code-LayerNorm"],
        whole,
        *solved.values(),
        whole,
        timeout=240,
    )
    assert [output for cell in ran for output in cell.outputs if output.output_type == "error"] == []
    assert "0 of 12 public tests passed" in shown(ran[len(cells) - 1])
    assert "4 of 12 public tests passed" in shown(ran[len(cells) + 3])
    assert "12 of 12 public tests passed" in shown(ran[-1])


@pytest.mark.parametrize("slug", handouts.course())
def test_every_check_of_a_notebook_asks_for_a_problem_that_is_there(slug: str) -> None:
    handout = handouts.course()[slug]
    folder = handouts.public_tests(slug).parent
    names = ("README.md", handout.submit[0], handouts.TESTS)
    made = make_notebook(handout, *((folder / name).read_text("utf-8") for name in names))
    asked = [
        cell.source for cell in nbformat.reads(made, as_version=4).cells if "dlquiz.check(" in cell.source
    ]
    checks = [source for source in asked if source.startswith("dlquiz.check(")]
    expected = {f'dlquiz.check("{slug}", problems=["{problem.name}"])' for problem in handout.problems}
    assert set(checks) == {*expected, f'dlquiz.check("{slug}")'}
    assert len(checks) == len(handout.problems) + 1
