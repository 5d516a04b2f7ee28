"""`dlquiz start --notebook`: the notebook that is made of an assignment."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import Result

from dlquiz import handouts
from dlquiz.notebooks.cells import convert
from dlquiz.notebooks.making import make_notebook

Dlquiz = Callable[..., Result]
Make = Callable[..., list[Any]]
COURSE = handouts.course()


def made(slug: str) -> nbformat.NotebookNode:
    """The notebook of a standing assignment."""
    handout = COURSE[slug]
    folder = handouts.public_tests(slug).parent
    texts = [(folder / name).read_text("utf-8") for name in ("README.md", handout.submit[0], handouts.TESTS)]
    return nbformat.reads(make_notebook(handout, *texts), as_version=4)


@pytest.fixture
def make(package: Path, texts: dict[str, str]) -> Callable[..., list[Any]]:
    """The cells of the notebook of `sums`, or of other texts of its own."""

    def cells(**other: str) -> list[Any]:
        parts = {name: other.get(name, texts[name]) for name in ("readme", "stub", "tests")}
        text = make_notebook(handouts.course(package)["sums"], **parts)
        return list(nbformat.reads(text, as_version=4).cells)

    return cells


def ids(cells: list[Any]) -> list[str]:
    return [cell.id for cell in cells]


def test_definitions_follow_their_section_and_problems_end_with_a_check(make: Make) -> None:
    cells = make()
    assert ids(cells) == [
        "readme-Sums",
        "how-to",
        "import-dlquiz",
        "code-imports",
        "readme-total-values",
        "readme-An-example",
        "code-helper",
        "code-total",
        "check-total",
        "readme-Other-things",
        "problem-mean",
        "code-mean",
        "check-mean",
        "everything",
        "check",
    ]
    by_id = {cell.id: cell.source for cell in cells}
    assert by_id["code-imports"] == '"""Sums of numbers."""\n\nimport math\n\nLIMIT = 3'
    assert by_id["code-helper"].startswith("# Given.\ndef helper(values):")
    assert by_id["problem-mean"] == "## A mean, 6 points"
    assert by_id["check-mean"] == 'dlquiz.check("sums", problems=["mean"])'
    assert "# not a heading" in by_id["readme-total-values"]


def test_a_problem_without_a_row_is_placed_by_what_its_tests_ask_for(
    make: Make, texts: dict[str, str]
) -> None:
    readme = texts["readme"].replace("| `mean` | the function `mean` | 6 |\n", "")
    cells = ids(make(readme=readme))
    assert cells.index("check-mean") == cells.index("code-mean") + 1
    by_text = texts["tests"].replace("student.mean(", 'getattr(student, "mean")(')
    assert ids(make(readme=readme, tests=by_text)) == cells


def test_a_problem_of_which_nothing_is_told_is_checked_at_the_end(make: Make, texts: dict[str, str]) -> None:
    readme = texts["readme"].replace("| `mean` | the function `mean` | 6 |\n", "")
    cells = ids(make(readme=readme, tests=texts["tests"].replace("student.mean", "student.total")))
    assert cells[-4:] == ["code-mean", "check-mean", "everything", "check"]


def test_numbered_headings_stand_for_the_problems_if_there_is_one_for_each(
    make: Make, texts: dict[str, str]
) -> None:
    readme = (
        texts["readme"]
        .replace("## `total(values)`", "## 1. All of it")
        .replace("## Other things", "## 2. Shared")
    )
    cells = ids(make(readme=readme))
    first, second = cells.index("readme-1-All-of-it"), cells.index("readme-2-Shared")
    assert first < cells.index("code-total") < second < cells.index("code-mean")
    cells = ids(make(readme=readme.replace("## 2. Shared", "## Shared")))
    assert cells.index("readme-Shared") < cells.index("code-total")


def test_a_cell_keeps_its_id_when_others_come_and_go(make: Make, texts: dict[str, str]) -> None:
    before = ids(make())
    readme = texts["readme"].replace("## Other", "## News\n\nNew.\n\n## Other")
    after = ids(make(readme=readme, stub=texts["stub"] + "\n\ndef last():\n    pass\n"))
    assert [one for one in after if one in before] == before
    assert make() == make()


def test_equal_headings_and_odd_names_have_ids_of_their_own(make: Make, texts: dict[str, str]) -> None:
    stub = (
        texts["stub"] + "\n\ndef größe():\n    pass\n\n\ndef " + "long" * 40 + "():\n    pass\n\n\nEND = 1\n"
    )
    cells = make(readme=texts["readme"] + "\n## Other things\n\nMore.\n", stub=stub)
    assert len(set(ids(cells))) == len(cells)
    assert "readme-Other-things-2" in ids(cells)
    assert cells[ids(cells).index("code-end")].source == "END = 1"


@pytest.mark.parametrize("slug", COURSE)
def test_the_notebook_of_an_assignment_holds_its_readme_and_its_stub_whole(slug: str) -> None:
    notebook = made(slug)
    nbformat.validate(notebook)
    folder = handouts.public_tests(slug).parent
    texts = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    readme = (folder / "README.md").read_text("utf-8")
    assert [line for line in readme.splitlines() if line.strip() and line.rstrip() not in texts] == []
    stub = (folder / COURSE[slug].submit[0]).read_text("utf-8")
    mine = [line for line in code.splitlines() if line.strip() and "dlquiz.check(" not in line]
    assert [line for line in mine if line != "import dlquiz"] == [
        line for line in stub.splitlines() if line.strip()
    ]


@pytest.mark.parametrize("slug", COURSE)
def test_the_module_of_a_fresh_notebook_defines_what_the_stub_does(slug: str) -> None:
    handout = COURSE[slug]
    module = convert(nbformat.writes(made(slug)).encode(), handout.submit[0], 10**6)
    assert module.warnings == ()
    stub = (handouts.public_tests(slug).parent / handout.submit[0]).read_text("utf-8")

    def definitions(source: str) -> list[str]:
        kinds = (ast.FunctionDef, ast.ClassDef)
        return [ast.unparse(node) for node in ast.parse(source).body if isinstance(node, kinds)]

    assert definitions(module.source) == definitions(stub)


@pytest.mark.parametrize("slug", COURSE)
def test_every_problem_has_one_check_after_what_its_tests_use(slug: str) -> None:
    cells = ids(made(slug).cells)
    for problem in COURSE[slug].problems:
        assert cells.count(f"check-{problem.name}") == 1
    assert cells[-1] == "check"


def test_start_makes_a_notebook_in_place_of_the_stub(dlquiz: Dlquiz, sums: Path, world: Path) -> None:
    result = dlquiz("start", "sums", "--notebook")
    assert result.exit_code == 0
    assert {path.name for path in (world / "sums").iterdir()} == {
        "README.md",
        "sums.ipynb",
        "test_public.py",
        "assignment.json",
    }
    assert f"wrote {Path('sums', 'sums.ipynb')}" in result.output
    assert "Write sums.ipynb, and check it with: dlquiz check sums" in result.output


def test_start_leaves_a_notebook_alone_and_says_so(dlquiz: Dlquiz, sums: Path, world: Path) -> None:
    dlquiz("start", "sums", "--notebook")
    notebook = world / "sums" / "sums.ipynb"
    notebook.write_text(notebook.read_text().replace("raise NotImplementedError", "return 1"))
    mine = notebook.read_text()
    again = dlquiz("start", "sums", "--notebook")
    assert f"left alone {Path('sums', 'sums.ipynb')}" in again.output
    assert notebook.read_text() == mine


def test_start_puts_no_stub_beside_a_notebook(dlquiz: Dlquiz, sums: Path, world: Path) -> None:
    dlquiz("start", "sums", "--notebook")
    (world / "sums" / "README.md").unlink()
    again = dlquiz("start", "sums")
    assert f"wrote {Path('sums', 'README.md')}" in again.output
    assert not (world / "sums" / "sums.py").exists()


def test_start_says_that_a_module_comes_before_the_notebook(dlquiz: Dlquiz, sums: Path, world: Path) -> None:
    dlquiz("start", "sums")
    result = dlquiz("start", "sums", "--notebook")
    assert (
        "sums.py is there too, and comes before the notebook until you delete or rename it" in result.output
    )
    assert "Write sums.py" in result.output
    assert (world / "sums" / "sums.ipynb").exists()


def test_a_notebook_is_made_from_an_installed_course_too(package: Path, tmp_path: Path) -> None:
    handout = handouts.course(package)["sums"]
    installed = tmp_path / "site-packages" / "dlquiz"
    handouts.start(handout, installed / "_course" / "sums", package)
    (installed / "course.toml").write_text('order = ["sums"]\n')
    for name, source in (("one", package), ("two", installed)):
        handouts.start(handouts.course(source)["sums"], tmp_path / name, source, as_notebook=True)
    assert (tmp_path / "one" / "sums.ipynb").read_bytes() == (tmp_path / "two" / "sums.ipynb").read_bytes()
    assert json.loads((tmp_path / "one" / "sums.ipynb").read_text())["nbformat"] == 4
