"""A picture as SVG: the same picture gives the same bytes, and nothing outside the text is needed to show it."""

from __future__ import annotations

import html
import io
import warnings

from dlquiz.quiz.plots.plot import Plot

# Six colours of Okabe and Ito, and dashes, so that no curve is told by its colour alone.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#000000")
_DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 3)))
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def draw(plot: Plot) -> str:
    """The picture as an `<svg>` element without an XML declaration; `plot.alt` is its description."""
    from matplotlib import rc, rc_context, rcdefaults
    from matplotlib.figure import Figure

    written = io.StringIO()
    with rc_context(), warnings.catch_warnings():
        rcdefaults()
        rc("font", family=["DejaVu Sans", "sans-serif"], size=10, **{"sans-serif": ["DejaVu Sans"]})
        rc("svg", fonttype="none", hashsalt="dlquiz")
        rc("text", parse_math=False)
        figure = Figure(figsize=(4.6, 3.4), layout="constrained")
        axes = figure.add_subplot()
        for line, colour, dash in zip(plot.lines, _COLOURS, _DASHES, strict=False):
            axes.plot(line.x, line.y, color=colour, linestyle=dash, label=line.label)
        axes.set(xlabel=plot.x_label, ylabel=plot.y_label)
        axes.grid(color="#dddddd", linewidth=0.6)
        figure.suptitle(plot.title, fontsize=11, wrap=True)
        figure.legend(loc="outside lower center", frameon=False, handlelength=3, ncols=2)
        # The font that is measured with need not be the one that is read in.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(written, format="svg", metadata=_NO_METADATA)
    text = written.getvalue()
    title = html.escape(plot.title)
    attributes, _, rest = text[text.index("<svg ") + len("<svg ") :].partition(">")
    return (
        f'<svg role="img" aria-label="{title}" {attributes}>\n'
        f"<title>{title}</title>\n<desc>{html.escape(plot.alt)}</desc>{rest}"
    )
