"""`dlquiz check` and `dlquiz submit` where a notebook stands for the module, and what the grader makes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from click.testing import Result

from grader.submission import read

Dlquiz = Callable[..., Result]

HIDDEN = '''\
import numpy as np
import pytest


@pytest.mark.problem("total", points=4)
def test_total(student, rng):
    """Every number counts."""
    values = rng.normal(size=3)
    np.testing.assert_allclose(student.total(values), values.sum())


@pytest.mark.problem("mean", points=6)
def test_mean(student, rng):
    """The mean of some numbers."""
    values = rng.normal(size=4)
    np.testing.assert_allclose(student.mean(values), values.mean())
'''


class Work:
    """The folder of `sums` with a notebook in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "sums.ipynb"

    def put(self, **sources: str) -> None:
        """Replace the sources of code cells, by what their ids end in."""
        notebook = nbformat.read(self.file, as_version=4)
        for name, source in sources.items():
            (cell,) = [cell for cell in notebook.cells if cell.id == f"code-{name}"]
            cell.source = source
        nbformat.write(notebook, self.file)

    def add(self, *sources: str) -> None:
        """Add code cells at the end."""
        notebook = nbformat.read(self.file, as_version=4)
        notebook.cells += [nbformat.v4.new_code_cell(source) for source in sources]
        nbformat.write(notebook, self.file)


@pytest.fixture
def work(dlquiz: Dlquiz, sums: Path, world: Path) -> Work:
    """What `dlquiz start sums --notebook` leaves."""
    dlquiz("start", "sums", "--notebook")
    return Work(world / "sums")


def verdicts(file: str = "told.json") -> list[str]:
    told = json.loads(Path(file).read_text())
    return [test["verdict"] for problem in told["problems"] for test in problem["tests"]]


def test_a_check_reads_the_notebook_as_the_grader_does(
    dlquiz: Dlquiz, work: Work, texts: dict[str, str]
) -> None:
    assert dlquiz("check", "sums", "--json", "told.json").exit_code == 1
    assert verdicts() == ["not attempted", "skipped", "not attempted", "not attempted"]
    work.put(total=texts["total"])
    work.add("raise RuntimeError('only tried')", "%pip install nothing\n!ls\nprint(1)")
    dlquiz("check", "sums", "--json", "told.json")
    assert verdicts() == ["passed", "passed", "not attempted", "not attempted"]
    work.put(mean=texts["mean"])
    result = dlquiz("check", "sums/sums.ipynb", "--json", "told.json")
    assert (result.exit_code, verdicts()) == (0, ["passed"] * 4)
    assert {path.name for path in work.folder.iterdir()} == {
        "README.md",
        "assignment.json",
        "sums.ipynb",
        "test_public.py",
    }


def test_lines_are_those_of_the_notebooks_cells(dlquiz: Dlquiz, work: Work) -> None:
    work.put(
        total="import numpy as np\n\n@staticmethod\ndef total(values):\n    return np.linalg.norm(values) + 1 / 0"
    )
    result = dlquiz("check", "sums")
    # the cells before it: `import dlquiz`, the imports, `helper`
    assert (
        "sums.ipynb, cell 4, line 5, in total\n          return np.linalg.norm(values) + 1 / 0"
        in result.output
    )
    assert "sums.ipynb, cell 4:5: numpy.linalg is forbidden in this assignment" in result.output
    assert "sums.py" not in result.output


def test_a_notebook_whose_module_cannot_be_imported_is_one_clear_message(dlquiz: Dlquiz, work: Work) -> None:
    work.put(mean="class Mean(Missing):\n    pass")
    result = dlquiz("check", "sums")
    assert result.exit_code == 1
    assert "sums.ipynb cannot be imported: NameError: name 'Missing' is not defined" in result.output
    assert "sums.ipynb, cell 6, line 1, in <module>" in result.output


def test_a_cell_that_is_no_python_is_named_and_the_others_are_checked(
    dlquiz: Dlquiz, work: Work, texts: dict[str, str]
) -> None:
    work.put(total=texts["total"], mean="def mean(:\n    pass")
    result = dlquiz("check", "sums", "--json", "told.json")
    told = "sums.ipynb: cell 6 dropped: it is not Python (invalid syntax, line 1)"
    assert told in result.output
    assert verdicts() == ["passed", "passed", "not attempted", "not attempted"]
    assert "sums.ipynb has no `mean`" in Path("told.json").read_text()
    strict = dlquiz("submit", "sums", "--strict")
    assert (strict.exit_code, told in strict.output) == (1, True)
    assert dlquiz("submit", "sums").exit_code == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "sums.ipynb is not a notebook (it is not valid JSON): save it again in Jupyter"),
        (b"{}", "sums.ipynb is not a notebook (it has no list of cells)"),
        (b'{"cells": []}', "sums.ipynb has no code cell that defines a function or a class"),
        (b" ", "sums.ipynb is empty: save your answers in it first"),
        (b" " * 20_000_000 + b"{}", "sums.ipynb is longer than 20,000,000 bytes: the grader reads no more"),
    ],
)
@pytest.mark.parametrize("verb", ["check", "submit"])
def test_a_damaged_notebook_is_one_clear_message(
    dlquiz: Dlquiz, work: Work, content: bytes, told: str, verb: str
) -> None:
    work.file.write_bytes(content)
    result = dlquiz(verb, "sums")
    assert (result.exit_code, told in result.output) == (2, True)
    assert "Traceback" not in result.output


def test_the_module_is_taken_where_both_are_there_and_a_notebook_that_is_named(
    dlquiz: Dlquiz, work: Work, texts: dict[str, str]
) -> None:
    (work.folder / "sums.py").write_text("def total(values):\n    return sum(values)\n")
    result = dlquiz("check", "sums", "--json", "told.json")
    assert "sums.py is taken, and sums.ipynb beside it is left out" in result.output
    assert verdicts()[:2] == ["passed", "passed"]
    assert "sums.py is taken" in dlquiz("submit", "sums", "-o", "one.zip").output
    named = dlquiz("submit", "sums/sums.ipynb", "-o", "two.zip")
    assert "sums.ipynb is taken, and sums.py beside it is left out" in named.output
    assert [zipfile.ZipFile(name).namelist()[0] for name in ("one.zip", "two.zip")] == [
        "sums.py",
        "sums.ipynb",
    ]


def test_what_is_handed_in_is_the_notebook_and_the_grader_reads_the_same_module(
    dlquiz: Dlquiz, work: Work, texts: dict[str, str]
) -> None:
    work.put(**{name: texts[name] for name in ("total", "mean")})
    result = dlquiz("submit", "sums", "-o", "ada.zip", "--strict")
    assert result.exit_code == 0
    assert "ada.zip holds sums.ipynb and a manifest" in result.output
    assert (
        "sums.ipynb: imports that no definition uses dropped: import math, import dlquiz" in result.output
        or ("imports that no definition uses dropped" in result.output)
    )
    assert zipfile.ZipFile("ada.zip").read("sums.ipynb") == work.file.read_bytes()
    assert list(json.loads(zipfile.ZipFile("ada.zip").read("manifest.json"))["files"]) == ["sums.ipynb"]
    submission = read(Path("ada.zip"), ["sums.py"])
    assert submission.problems == ()
    assert texts["mean"] in submission.files["sums.py"].decode()


def test_a_stub_that_is_left_is_named_by_its_cell(dlquiz: Dlquiz, work: Work, texts: dict[str, str]) -> None:
    work.put(total=texts["total"])
    assert "not attempted in sums.ipynb, cell 6: mean (line 3)" in dlquiz("submit", "sums").output


def test_outputs_that_deflate_like_a_bomb_are_read_by_the_grader(
    dlquiz: Dlquiz, work: Work, texts: dict[str, str]
) -> None:
    work.put(**{name: texts[name] for name in ("total", "mean")})
    notebook = nbformat.read(work.file, as_version=4)
    output = nbformat.v4.new_output("stream", text="0" * 5_000_000)
    notebook.cells[-1].outputs = [output]
    nbformat.write(notebook, work.file)
    dlquiz("submit", "sums", "-o", "ada.zip")
    assert read(Path("ada.zip"), ["sums.py"]).problems == ()


def test_a_notebook_earns_what_its_module_earns(
    dlquiz: Dlquiz, work: Work, texts: dict[str, str], world: Path, package: Path
) -> None:
    half = "def mean(values):\n    return total(values) / 2"
    hidden = package.parent / "assignments" / "sums" / "hidden" / "test_hidden.py"
    hidden.parent.mkdir()
    hidden.write_text(HIDDEN)
    (hidden.parents[1] / "mutants.toml").write_text("")
    (hidden.parents[1] / "solution").mkdir()
    (hidden.parents[1] / "solution" / "sums.py").write_text(texts["stub"])
    (world / "class").mkdir()
    start = texts["stub"].partition("def total")[0]
    for student, mean in (("whole", texts["mean"]), ("half", half)):
        work.put(total=texts["total"], mean=mean)
        assert dlquiz("submit", "sums", "-o", f"class/{student}-notebook.zip").exit_code == 0
        (world / "class" / f"{student}-module.py").write_text(f"{start}\n\n{texts['total']}\n\n\n{mean}\n")
    words = ["grade", "class", "-a", "sums", "-j", "1", "--seed", "7", "--json", "marks.json"]
    (world / "assignments").symlink_to(package.parent / "assignments")
    ran = subprocess.run(
        [sys.executable, "-c", "from grader.cli import main; main()", *words],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "COLUMNS": "160"},
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(Path("marks.json").read_text())
    assert {one["student"]: one["points"] for one in told["students"]} == {
        "whole-notebook": 10,
        "whole-module": 10,
        "half-notebook": 4,
        "half-module": 4,
    }
