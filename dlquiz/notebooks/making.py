"""Make a notebook of an assignment: README sections, the stub in cells, and a check at the end of each problem."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import nbformat
from nbformat import v4

from dlquiz.handouts import Handout, Problem
from dlquiz.notebooks.statements import Defining
from dlquiz.terminal import points

_HEADING = re.compile(r"(#{1,3}) +(.*)")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_SPAN = re.compile(r"`([^`]+)`")
_NUMBERED = re.compile(r"(\d+)[.)] ")
_MAX_ID = 64

_INTRODUCTION = """\
**In this notebook** your code belongs where a cell says `raise NotImplementedError`. Run the cells from top to bottom,
and run a cell again after you change it: `dlquiz.check` runs the public tests against what was run last.

This notebook stands for `{module}`. Functions, classes and what they need are graded; what else your cells do (trials,
prints, plots) is left out. Hand it in with `dlquiz submit` in its folder.

If `import dlquiz` fails, put a cell with `%pip install` and the file that your course gives you before it.
"""


@dataclass(frozen=True)
class _Section:
    """A part of the README under one heading; level 0 comes before the first."""

    level: int
    heading: str
    text: str


@dataclass(frozen=True)
class _Piece:
    """A part of the stub: at most one definition, with the lines between it and what comes before."""

    name: str
    text: str


def make_notebook(handout: Handout, readme: str, stub: str, tests: str) -> str:
    """The text of a notebook, which is the same whenever it is made of the same.

    A function or class comes after the README's section that is about it: the heading names it, or the headings are
    numbered and there is one for each problem. Definitions keep the stub's order, so one that no section is about
    comes with the next one. A problem is checked after the last definition that the README's table or, without such a
    row, its public tests name; one without a definition of its own is checked at the end.

    Args:
        handout: the assignment.
        readme, stub, tests: the texts of its `README.md`, of its first module and of its public tests.

    Raises:
        SyntaxError: the stub or the tests are no Python.
    """
    pieces, sections = _pieces(stub), _sections(readme)
    work = _Work(
        handout, pieces, _told_in_table(handout, pieces, readme), _used_by_tests(handout, pieces, tests)
    )
    places = work.places(sections)
    cells = work.cells
    for number, section in enumerate(sections):
        cells.text("readme", section.heading or "start", section.text)
        if number == 0:
            cells.text("how-to", "", _INTRODUCTION.format(module=handout.submit[0]))
            cells.code("import", "dlquiz", "import dlquiz")
            if pieces and not pieces[0].name:
                work.put(0)
        if number in places:
            work.put(places[number])
    work.finish()
    notebook = v4.new_notebook(
        cells=cells.made,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"


class _Cells:
    """The cells made so far. A cell's id comes from what it is about, so that it stays when others are added."""

    def __init__(self) -> None:
        self.made: list[nbformat.NotebookNode] = []
        self._ids: set[str] = set()

    def text(self, kind: str, name: str, text: str) -> None:
        self.made.append(v4.new_markdown_cell(text.strip(), id=self._id(kind, name)))

    def code(self, kind: str, name: str, text: str) -> None:
        self.made.append(v4.new_code_cell(text.rstrip(), id=self._id(kind, name)))

    def _id(self, kind: str, name: str) -> str:
        words = re.sub(r"[^A-Za-z0-9_]+", "-", f"{kind}-{name}").strip("-")[: _MAX_ID - 4]
        made, number = words, 2
        while made in self._ids:
            made, number = f"{words}-{number}", number + 1
        self._ids.add(made)
        return made


class _Work:
    """Puts the stub's pieces and the checks between the sections.

    Args:
        told: by problem, the definitions that the README's table names.
        used: by problem, those that its public tests use.
    """

    def __init__(
        self,
        handout: Handout,
        pieces: Sequence[_Piece],
        told: Mapping[str, frozenset[str]],
        used: Mapping[str, frozenset[str]],
    ) -> None:
        self.cells = _Cells()
        self._handout = handout
        self._pieces = pieces
        self._put = 0
        self._index = {piece.name: index for index, piece in enumerate(pieces) if piece.name}
        self._owners: dict[str, Problem] = {}
        self._last: dict[str, int] = {}
        for problem in handout.problems:
            names = told.get(problem.name) or used.get(problem.name) or frozenset()
            own = [name for name in names if self._owners.setdefault(name, problem) is problem]
            if own or told.get(problem.name):
                self._last[problem.name] = max(self._index[name] for name in names)

    def places(self, sections: Sequence[_Section]) -> dict[int, int]:
        """By the section to put it after: the last piece that is to be put there.

        A section ends where one of its level begins, or one that is about something itself.
        """
        numbers = [int(found[1]) for section in sections if (found := _NUMBERED.match(section.heading))]
        numbered = numbers == [*range(1, len(self._handout.problems) + 1)]
        about = [self._about(section.heading, numbered) for section in sections]
        places: dict[int, int] = {}
        for number, section in enumerate(sections):
            if about[number]:
                end = number
                while (
                    end + 1 < len(sections) and sections[end + 1].level > section.level and not about[end + 1]
                ):
                    end += 1
                places[end] = max(about[number])
        return places

    def _about(self, heading: str, numbered: bool) -> list[int]:
        """The pieces that a heading is about."""
        found = [self._index[name] for name in _named(heading) if name in self._index]
        number = _NUMBERED.match(heading)
        if not found and numbered and number:
            problem = self._handout.problems[int(number[1]) - 1]
            found = [self._index[name] for name, owner in self._owners.items() if owner is problem]
        return found

    def put(self, last: int) -> None:
        """The pieces up to that one, and the checks that are due."""
        for index in range(self._put, last + 1):
            piece = self._pieces[index]
            self.cells.code("code", piece.name or ("end" if index else "imports"), piece.text)
            self._put = index + 1
            for problem in self._handout.problems:
                if self._last.get(problem.name) == index:
                    self._check(problem)

    def finish(self) -> None:
        """The pieces that no section is about, under headings of their problems, and the checks that are left."""
        heading = None
        for index in range(self._put, len(self._pieces)):
            owners = (self._owners.get(piece.name) for piece in self._pieces[index:])
            owner = next((owner for owner in owners if owner), None)
            if self._pieces[index].name and owner and owner is not heading:
                heading = owner
                self.cells.text("problem", owner.name, f"## {owner.title}, {points(owner.points)}")
            self.put(index)
        for problem in self._handout.problems:
            if problem.name not in self._last:
                self._check(problem)
        self.cells.text("everything", "", "## Everything together")
        self.cells.code("check", "", f'dlquiz.check("{self._handout.slug}")')

    def _check(self, problem: Problem) -> None:
        source = f'dlquiz.check("{self._handout.slug}", problems=["{problem.name}"])'
        self.cells.code("check", problem.name, source)


def _sections(readme: str) -> list[_Section]:
    """The README's parts, each with its heading; what looks like a heading in a block of code is none."""
    parts: list[tuple[int, str, list[str]]] = [(0, "", [])]
    fence = ""
    for line in readme.splitlines():
        mark = _FENCE.match(line)
        heading = _HEADING.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        elif heading and not fence:
            parts.append((len(heading[1]), heading[2].strip(), []))
        parts[-1][2].append(line)
    return [
        _Section(level, heading, "\n".join(lines))
        for level, heading, lines in parts
        if "".join(lines).strip()
    ]


def _pieces(stub: str) -> list[_Piece]:
    """The stub in parts: imports and constants, then a part for each definition."""
    lines = stub.splitlines()
    pieces: list[_Piece] = []
    begin = end = 0
    for node in ast.parse(stub).body:
        name = node.name if isinstance(node, Defining) else ""
        if name and not pieces and end > begin:
            pieces.append(_Piece("", _between(lines, begin, end)))
            begin = end
        end = max(end, node.end_lineno or 0)
        if name and end > begin:
            pieces.append(_Piece(name, _between(lines, begin, end)))
            begin = end
    rest = _between(lines, begin, len(lines))
    return [*pieces, _Piece("", rest)] if rest.strip() else pieces


def _between(lines: Sequence[str], begin: int, end: int) -> str:
    return "\n".join(lines[begin:end]).strip("\n")


def _told_in_table(handout: Handout, pieces: Sequence[_Piece], readme: str) -> dict[str, frozenset[str]]:
    """By problem, the definitions in its row of the README's table: the first cell is the problem's name."""
    problems = {problem.name for problem in handout.problems}
    known = {piece.name for piece in pieces}
    told = {}
    for line in readme.splitlines():
        row = [cell.strip() for cell in line.strip().strip("|").split("|")]
        name = row[0].strip("`")
        if line.lstrip().startswith("|") and name in problems:
            told[name] = frozenset(_named(" ".join(row[1:]))) & known
    return told


def _named(text: str) -> list[str]:
    """The names in code that a text begins a span with: `f` of "`f(x)`"."""
    return [found[0] for span in _SPAN.findall(text) if (found := re.match(r"\w+", span))]


def _used_by_tests(handout: Handout, pieces: Sequence[_Piece], tests: str) -> dict[str, frozenset[str]]:
    """By problem, the definitions that its public tests ask `student` for, by attribute or by a text that is a name."""
    known = {piece.name for piece in pieces if piece.name}
    used: dict[str, frozenset[str]] = {}
    functions = [node for node in ast.parse(tests).body if isinstance(node, ast.FunctionDef)]
    for function in functions:
        problems = [
            mark.args[0].value
            for mark in function.decorator_list
            if isinstance(mark, ast.Call)
            and ast.unparse(mark.func) == "pytest.mark.problem"
            and mark.args
            and isinstance(mark.args[0], ast.Constant)
        ]
        names = frozenset(_asked_for(function)) & known
        for problem in problems:
            used[str(problem)] = used.get(str(problem), frozenset()) | names
    return used


def _asked_for(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "student"
        ):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
