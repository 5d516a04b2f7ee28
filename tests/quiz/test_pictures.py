"""Pictures of items, in a terminal and as SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from dlquiz.quiz.plots import svg, terminal
from dlquiz.quiz.plots.plot import MOST_LINES, PLOTTINGS, Line, Plot, plotting, plottings

STEPS = tuple(float(step) for step in range(-5, 6))
TWO = Plot(
    title="Two curves & a $title$",
    x_label="step",
    y_label="height",
    lines=(
        Line("rising", STEPS, STEPS),
        Line("falling <fast>", STEPS, tuple(-2 * step for step in STEPS)),
    ),
    alt="One line rises, the other falls & crosses it.",
)


def test_a_terminal_shows_every_curve_with_a_sign_of_its_own() -> None:
    text = terminal.draw(TWO, width=60, height=15, colour=False)
    *rows, names = text.splitlines()
    assert len(rows) == 15
    assert names == "• rising   + falling <fast>"
    assert max(map(len, text.splitlines())) <= 60
    # the first curve ends at the upper right, the second begins at the upper left, twice as high
    tops = {sign: min(place for place, row in enumerate(rows) if sign in row) for sign in "•+"}
    assert tops["+"] < tops["•"]
    first = next(row for row in rows if "•" in row)
    assert first.rindex("•") > first.rindex("+")
    for word in ("Two curves", "step", "height"):
        assert word in text


def test_colour_is_only_an_addition() -> None:
    coloured, plain = terminal.draw(TWO), terminal.draw(TWO, colour=False)
    assert "\x1b" in coloured
    assert "\x1b" not in plain
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [row.rstrip() for row in bare.splitlines()] == plain.splitlines()
    # a background would hide the picture in a dark terminal
    assert not re.search(r"\x1b\[[0-9;]*48;5", coloured)


def test_names_of_curves_go_on_in_another_row() -> None:
    lines = tuple(Line(f"a curve with number {place}", STEPS, STEPS) for place in range(MOST_LINES))
    text = terminal.draw(Plot("t", "x", "y", lines, "alt"), width=50, height=10, colour=False)
    assert [len(re.findall("a curve", row)) for row in text.splitlines()[10:]] == [2, 2, 2]


def test_one_picture_leaves_nothing_in_the_next() -> None:
    alone = terminal.draw(TWO, colour=False)
    terminal.draw(Plot("another", "a", "b", (Line("far", (900.0,), (900.0,)),), "alt"), width=40, height=9)
    assert terminal.draw(TWO, colour=False) == alone


def test_an_svg_is_whole_and_the_same_each_time() -> None:
    text = svg.draw(TWO)
    assert text == svg.draw(TWO)
    root = ET.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert root.get("aria-label") == TWO.title
    assert root.findtext(f"{space}desc") == TWO.alt
    written = {"".join(element.itertext()) for element in root.iter(f"{space}text")}
    assert {"step", "height", "rising", "falling <fast>", TWO.title} <= written
    strokes = set(re.findall(r"stroke: #(?:0072b2|d55e00)", text))
    assert len(strokes) == 2
    assert "stroke-dasharray" in text


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: Line("a", (1.0,), (1.0, 2.0)), "as many x as y"),
        (lambda: Line("a", (), ()), "as many x as y"),
        (lambda: Plot("t", "x", "y", (), "alt"), "1 to 6 lines, received 0"),
        (lambda: Plot("t", "x", "y", TWO.lines * 4, "alt"), "1 to 6 lines, received 8"),
        (lambda: Plot("t", "x", "y", TWO.lines * 2, "alt"), "labels that differ"),
    ],
)
def test_what_cannot_be_drawn_is_refused(build: object, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        build()  # type: ignore[operator]


def test_a_picture_has_its_name_alone() -> None:
    try:
        plotting("only-in-this-test")(lambda: TWO)
        with pytest.raises(ValueError, match="only-in-this-test"):
            plotting("only-in-this-test")(lambda: TWO)
        assert plottings()["only-in-this-test"]() is TWO
    finally:
        del PLOTTINGS["only-in-this-test"]
