"""A picture as text for a terminal."""

from __future__ import annotations

from dlquiz.quiz.plots.plot import Plot

# Signs of their own, so that no curve is told by its colour alone.
_SIGNS = "•+xo*#"
_COLOURS = ("blue+", "orange", "green", "magenta", "cyan", "red")
_GAP = "   "


def draw(plot: Plot, width: int = 72, height: int = 18, *, colour: bool = True) -> str:
    """The picture in `height` rows of at most `width` cells, and below it what names the curves.

    A terminal that is smaller makes it smaller. There is no line break at the end.

    Args:
        colour: whether ANSI codes may be in it.
    """
    import plotext

    plotext.clear_figure()
    plotext.plotsize(width, height)
    # the reader's own colours, dark or light
    plotext.theme("clear")
    styles = list(zip(_SIGNS, _COLOURS, strict=True))
    for line, (sign, shade) in zip(plot.lines, styles, strict=False):
        plotext.plot(line.x, line.y, marker=sign, color=shade)
    plotext.title(plot.title)
    plotext.xlabel(plot.x_label)
    plotext.ylabel(plot.y_label)
    rows = str(plotext.build()).rstrip("\n")
    names: list[list[str]] = [[]]
    room = width
    for line, (sign, shade) in zip(plot.lines, styles, strict=False):
        cells = len(f"{sign} {line.label}{_GAP}")
        if names[-1] and cells - len(_GAP) > room:
            names.append([])
            room = width
        names[-1].append(f"{plotext.colorize(sign, shade)} {line.label}")
        room -= cells
    text = "\n".join((rows, *map(_GAP.join, names)))
    return text if colour else "\n".join(row.rstrip() for row in plotext.uncolorize(text).splitlines())
