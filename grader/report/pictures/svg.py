"""A picture as SVG: the same figure gives the same bytes, and nothing outside the text is needed to show it."""

from __future__ import annotations

import html
import io
import textwrap
import warnings
from typing import TYPE_CHECKING

from rich.cells import cell_len

from grader.report.pictures.kinds import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TITLE_CELLS = 48
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def draw(picture: Picture) -> str:
    """The picture as an `<svg>` element, without an XML declaration.

    Letters stay letters, in the reader's own sans-serif font where DejaVu Sans is missing: they can be searched and
    read aloud, in any script. Two calls with equal pictures return equal text.
    """
    from matplotlib import rc, rc_context, rcdefaults

    written = io.StringIO()
    with rc_context(), warnings.catch_warnings():
        rcdefaults()
        rc("font", family=["DejaVu Sans", "sans-serif"], size=10, **{"sans-serif": ["DejaVu Sans"]})
        rc("svg", fonttype="none", hashsalt="dlquiz")
        rc("text", parse_math=False)
        # The font that is measured with need not be the one that is read in.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        _figure(picture).savefig(written, format="svg", metadata=_NO_METADATA)
    return _labelled(written.getvalue(), picture)


def _figure(picture: Picture) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=picture.size, layout="constrained")
    picture.paint(figure)
    cells = max(cell_len(picture.title), 1)
    # Characters of some scripts take two cells.
    width = max(_TITLE_CELLS * len(picture.title) // cells, 1)
    figure.suptitle(textwrap.fill(picture.title, width, max_lines=4, placeholder=" …"), fontsize=11)
    return figure


def _labelled(written: str, picture: Picture) -> str:
    """The element without what stands before it, named for those who cannot see it."""
    name = html.escape(f"{picture.name}: {picture.title}")
    element = written[written.index("<svg ") + len("<svg ") :]
    attributes, _, rest = element.partition(">")
    told = f"<title>{name}</title>\n<desc>{html.escape(picture.describe())}</desc>"
    return f'<svg role="img" aria-label="{name}" {attributes}>\n{told}{rest}'
