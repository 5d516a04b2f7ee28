"""What only IPython understands in a notebook cell: magics, shell commands and help."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

_PLAIN = ("%%time", "%%capture", "%%prun")
_FILE = ("%%writefile", "%%file")
_LINE = re.compile(r"[%!?]|[\w.,\[\] ]+=\s*[!%]|get_ipython\(|[^#'\"]*\?$")
_LEXEME = re.compile(r"'''|\"\"\"|'|\"|#|[(\[{]|[)\]}]|\\.")


def strip_cell_magic(lines: list[str], name: str) -> tuple[list[str], str]:
    """A cell without its `%%` line, and what that was: '' (none), 'line', 'file' or the magic's name.

    'line': the body stays, the magic only measured or captured. 'file': the body stays since the magic writes
    it to the file `name`. Any other magic makes the cell something else than Python: no lines are left.
    """
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if not lines[first].startswith("%%"):
        return lines, ""
    magic, *rest = lines[first].split()
    body = [*lines[:first], "", *lines[first + 1 :]]
    if magic in _FILE and rest and rest[-1].rsplit("/", 1)[-1] == name:
        return body, "file"
    return (body, "line") if magic in _PLAIN else ([], magic)


def strip_line_magics(lines: list[str]) -> tuple[list[str], list[int]]:
    """A cell with its magic, shell and help lines replaced by `pass`, and the indices of those lines.

    A cell that is Python as it stands is left alone: its `%` is an operator or lies inside a string.
    """
    try:
        ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        dropped = dict.fromkeys(_found(lines))
    else:
        return lines, []
    body = list(lines)
    for index in dropped:
        indent = lines[index][: len(lines[index]) - len(lines[index].lstrip())]
        follows = index - 1 in dropped and lines[index - 1].endswith("\\")
        body[index] = "" if follows else f"{indent}pass"
    return body, list(dropped)


def _found(lines: list[str]) -> Iterator[int]:
    """The lines that are no Python and do not lie inside a string, a bracket or a continued line."""
    quote, depth, continued, in_magic = "", 0, False, False
    for index, line in enumerate(lines):
        if in_magic or (not quote and not depth and not continued and _LINE.match(line.strip())):
            yield index
            in_magic = line.endswith("\\")
            continue
        continued = line.endswith("\\")
        for lexeme in _LEXEME.findall(line):
            if quote:
                quote = "" if lexeme == quote else quote
            elif lexeme == "#":
                continued = False
                break
            elif lexeme[0] in "'\"":
                quote = lexeme
            elif lexeme in "([{":
                depth += 1
            elif lexeme in ")]}":
                depth = max(0, depth - 1)
