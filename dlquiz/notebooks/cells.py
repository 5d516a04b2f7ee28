"""Make a Python module of a notebook's code cells.

What is kept: functions, classes and lambdas, and the imports, assignments and if or try blocks that those
refer to, directly or through one another. What only demonstrates (calls, prints, plots, loops) is dropped. A
kept import or assignment that no definition needs in order to be defined is guarded, so that a missing
plotting package or data file breaks the one function that uses it and not the module.

Nothing here runs what it reads. Hostile JSON and Python can exhaust memory and time all the same, so the grader reads
in a process of its own.
"""

from __future__ import annotations

import builtins
import json
import re
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass, field

from dlquiz.notebooks.magics import strip_cell_magic, strip_line_magics
from dlquiz.notebooks.statements import Statement, statements

_SHOWN = 12
_GUARD = '__import__("traceback").print_exc()'


class Unusable(Exception):
    """Why a file cannot be used. The text follows the file's name: 'is empty', 'is a symbolic link: ...'."""


@dataclass(frozen=True)
class Module:
    """The module that a notebook stands for.

    Attributes:
        warnings: what was dropped and may be missed.
        notes: everything that was dropped, and what is in `warnings`.
        places: of each line of `source`, the code cell that it comes from and the line there, both from 1.
    """

    source: str
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    places: tuple[tuple[int, int], ...]


@dataclass
class Report:
    """What is to be said about a notebook, as it is gathered."""

    cells: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    demos: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def warnings(self) -> list[str]:
        """A few notes of bounded length on what may be missed."""
        lost = ("names that definitions use but only dropped statements set", self.lost)
        return [*_cut(self.cells, "notes on cells"), *_summed_up(lost)]

    def notes(self) -> list[str]:
        """A few notes of bounded length on everything."""
        return [
            *_cut(self.cells, "notes on cells"),
            *_summed_up(
                ("magic, shell and help lines dropped", self.lines),
                ("demonstration statements dropped", self.demos),
                ("imports that no definition uses dropped", self.imports),
                ("names that definitions use but only dropped statements set", self.lost),
            ),
        ]


def _cut(found: list[str], what: str) -> list[str]:
    more = [f"{len(found) - _SHOWN} more {what}"] if len(found) > _SHOWN else []
    return [*found[:_SHOWN], *more]


def _summed_up(*kinds: tuple[str, list[str]]) -> Iterator[str]:
    for text, found in kinds:
        if found:
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            yield f"{text}: {', '.join(found[:_SHOWN])}{more}"


def convert(data: bytes, name: str, limit: int) -> Module:
    """The module made of a notebook.

    Args:
        data: the notebook, JSON of format 3 or 4.
        name: the module's file name; a `%%writefile` cell of that name counts as code.
        limit: characters allowed in all code cells together.

    Raises:
        Unusable: when it is no notebook, has too much code, or defines nothing.
    """
    cells = code_cells(data)
    if sum(len(cell) for cell in cells) > limit:
        raise Unusable(f"has more than {limit:,} characters of code: leave data out of the code")
    report = Report()
    found: list[Statement] = []
    for number, cell in enumerate(cells, 1):
        for item in statements(number, _python(number, cell, name, report)):
            if isinstance(item, str):
                report.cells.append(item)
            elif "get_ipython" in item.now:
                report.lines.append(item.place)
            else:
                found.append(item)
    kept = _kept(found, report)
    if all(one.is_import for one in kept):
        reason = f" ({report.cells[0]})" if report.cells else ""
        raise Unusable(f"has no code cell that defines a function or a class{reason}")
    rows = list(_rows(kept, _strict(kept)))
    source = "".join(f"{text}\n" for text, _ in rows)
    return Module(source, tuple(report.warnings()), tuple(report.notes()), tuple(place for _, place in rows))


def code_cells(data: bytes) -> list[str]:
    """The sources of the code cells in order, lines ended by a newline alone.

    Raises:
        Unusable: when the bytes are not JSON or not a notebook.
    """
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Unusable("is not a notebook (it is not valid JSON): save it again in Jupyter") from None
    try:
        sheets = notebook["worksheets"] if notebook.get("worksheets") else [notebook]
        cells = [cell for sheet in sheets for cell in sheet["cells"] if cell["cell_type"] == "code"]
        sources = [cell["source"] if "source" in cell else cell["input"] for cell in cells]
        texts = [source if isinstance(source, str) else "".join(source) for source in sources]
    except (AttributeError, KeyError, TypeError):
        raise Unusable("is not a notebook (it has no list of cells): save it again in Jupyter") from None
    return [re.sub("\r\n?", "\n", text) for text in texts]


def _python(number: int, cell: str, name: str, report: Report) -> list[str]:
    """The lines of a cell that are Python."""
    lines, magic = strip_cell_magic(cell.split("\n"), name)
    if magic == "file":
        report.cells.append(f"cell {number}: its body is read as code, since it writes {name}")
    elif magic == "line":
        report.lines.append(f"cell {number} line 1")
    elif magic:
        report.cells.append(f"cell {number} dropped: {magic}")
    body, dropped = strip_line_magics(lines)
    report.lines += [f"cell {number} line {index + 1}" for index in dropped]
    return body


def _kept(found: list[Statement], report: Report) -> list[Statement]:
    """The definitions and what they refer to, in order."""
    defined = {name for one in found if one.is_definition or one.defines(set()) for name in one.binds}
    known = defined | {name for one in found if one.is_import for name in one.binds}
    roots = [one for one in found if one.is_definition or one.defines(known) or one.extends(defined)]
    # A demonstration such as `loss = loss(y, p)` must not replace the function.
    helpers = [
        one
        for one in found
        if (one.is_import or one.is_assignment or one.is_block) and one.binds.isdisjoint(defined)
    ]
    chosen = {id(one) for one in _closure(roots, helpers, lambda one: one.uses)}
    used = {name for one in found if id(one) in chosen for name in one.uses}
    set_here = {name for one in found if id(one) in chosen for name in one.binds}
    lost = used - set_here - set(dir(builtins))
    kept = []
    for one in found:
        if id(one) in chosen or one.is_future or ("*" in one.binds and lost):
            kept.append(one)
        elif one.is_import:
            report.imports.append(one.text)
        elif not one.is_docstring:
            report.demos.append(one.place)
            report.lost += [f"{name} ({one.place})" for name in sorted(one.binds & lost)]
    return kept


def _strict(kept: list[Statement]) -> Set[str]:
    """The names that must be there for the definitions to be defined."""
    firm = [one for one in kept if one.is_definition or one.is_block]
    return {name for one in _closure(firm, kept, lambda one: one.now) for name in one.now}


def _closure(
    roots: Iterable[Statement], helpers: Iterable[Statement], names: Callable[[Statement], Set[str]]
) -> list[Statement]:
    """The roots, and the helpers that bind what they name, directly or through one another."""
    binders: dict[str, list[Statement]] = {}
    for one in helpers:
        for name in one.binds:
            binders.setdefault(name, []).append(one)
    reached = list(roots)
    seen = {id(one) for one in reached}
    for one in reached:
        for name in names(one):
            for binder in binders.pop(name, ()):
                if id(binder) not in seen:
                    seen.add(id(binder))
                    reached.append(binder)
    return reached


def _rows(kept: list[Statement], strict: Set[str]) -> Iterator[tuple[str, tuple[int, int]]]:
    """The module's lines with their places: each cell's statements under a comment with the cell's number."""
    futures = [one for one in kept if one.is_future]
    cell = 0
    for one in [*futures, *(one for one in kept if not one.is_future)]:
        if one.cell != cell and not one.is_future:
            cell = one.cell
            yield f"# cell {cell}", (cell, one.first)
        text, guard = one.text, ""
        # The statement stays on the line of its `try:`, since to indent it would change the strings in it.
        if one.is_future:
            pass
        elif one.is_import and one.binds.isdisjoint(strict):
            text, guard = f"try: {one.text}", f"except ModuleNotFoundError: {_GUARD}"
        elif one.is_assignment and one.now and one.binds.isdisjoint(strict):
            text, guard = f"try: {one.text}", f"except Exception: {_GUARD}"
        for offset, line in enumerate(text.split("\n")):
            yield line, (one.cell, one.first + offset)
        if guard:
            yield guard, (one.cell, one.line)
