"""What every verb shows is shown with: marks, indentation, and texts that no terminal obeys."""

from __future__ import annotations

import re

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text


class Signs:
    """The marks before a line, as far as the terminal can show them."""

    def __init__(self, console: Console) -> None:
        can = console.encoding.lower().startswith("utf")
        self.good = Text("✓" if can else "+", "green")
        self.bad = Text("✗" if can else "x", "red")
        self.open = Text("·" if can else "-", "dim")


class Indented:
    """A renderable moved to the right, without blanks at the ends of its lines."""

    def __init__(self, inner: RenderableType, by: int) -> None:
        self._inner = inner
        self._by = by

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(options.max_width - self._by, 1)
        for line in console.render_lines(self._inner, options.update_width(width), pad=False):
            yield Segment(" " * self._by)
            yield from line
            yield Segment.line()


def points(number: float) -> str:
    """A number of points in words."""
    return f"{number:g} point" + ("" if number == 1 else "s")


_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")


def clean(text: str) -> str:
    """Text without colours and without anything else that a terminal would obey."""
    return "".join(
        char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for char in _COLOUR.sub("", text)
    )
