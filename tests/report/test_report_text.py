"""Nothing a student writes reaches the terminal as more than text."""

from __future__ import annotations

import re
import time
from dataclasses import fields
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from dlquiz.testing.verdict import Verdict
from grader.report import class_table, clean, render_summary, safe_text, show_result, summary
from grader.result import ProblemResult, Result, TestResult

ATTACKS = {
    "clear the screen": "\x1b[2J\x1b[H",
    "set the window title": "\x1b]0;pwned\x07",
    "hyperlink": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "one-byte CSI": "\x9b2J",
    "hidden colour": "\x1b[8mhidden\x1b[0m",
    "rebuilt by the removal of colours": "\x1b\x1b[0m[2J",
    "rewrite the line": "failed\rpassed",
    "backspaces": "failed\x08\x08\x08\x08\x08\x08passed",
    "bell and NUL": "\x07\x00\x7f",
    "vertical moves": "\x0b\x0c\x85",
    "bidirectional override": "\u202etxt.exe\u2066\u2069",
    "invisible": "a\u200bb\ufeffc\U000e0041",
    "line separators": "a\u2028b\u2029c",
    "lone surrogate": "\ud800\udcff",
    "markup": "[bold red]x[/bold red][link=https://evil.example]y[/link] :skull: [/]",
}
_OWN_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_DANGEROUS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def on_a_terminal(renderable) -> str:
    console = Console(
        width=100, file=StringIO(), force_terminal=True, color_system="truecolor", legacy_windows=False
    )
    console.print(renderable)
    return console.file.getvalue()


def hostile_result(attack: str) -> Result:
    """A result in which every text a student, a suite or a machine could write holds the attack."""
    texts = {field.name: f"{field.name} {attack}" for field in fields(TestResult) if field.type == "str"}
    matrix = {"kind": "confusion_matrix", "title": attack, "labels": [attack], "counts": [[1]]}
    figures = (matrix, {"kind": attack}, {**matrix, "counts": attack})
    tests = [
        TestResult(
            **{**texts, "problem": "p" + attack, "verdict": verdict, "points": 0.0, "max_points": 1.0},
            figures=figures,
        )
        for verdict in (Verdict.FAILED, Verdict.GRADER_ERROR, Verdict.PASSED)
    ]
    strings = {field.name: f"{field.name} {attack}" for field in fields(Result) if field.type == "str"}
    lists = {name: (f"{name} {attack}",) for name in ("notes", "limits_hit", "faults")}
    return Result(
        **{**strings, **lists, "points": 0.0, "max_points": 3.0, "graded": True, "seed": 1},
        tests=tuple(tests),
        problems=(ProblemResult("p" + attack, "title " + attack, 0.0, 3.0),),
        versions={"keras" + attack: "3" + attack},
    )


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("view", ["class", "summary", "result"])
def test_no_view_lets_a_terminal_sequence_through(attack, view):
    result = hostile_result(attack)
    renderable = {
        "class": lambda: class_table([result], 100),
        "summary": lambda: render_summary(summary([result])),
        "result": lambda: show_result(result, f"grader grade {attack}"),
    }[view]()
    shown = _OWN_COLOURS.sub("", on_a_terminal(renderable))
    assert _DANGEROUS.findall(shown) == []
    assert "\x1b" not in on_a_terminal(renderable).replace("\x1b[", "")
    shown.encode("utf-8")


def test_a_hidden_colour_does_not_survive():
    assert "\x1b[8m" not in on_a_terminal(safe_text(ATTACKS["hidden colour"]))
    assert clean(ATTACKS["hidden colour"]) == "hidden"


def test_markup_links_and_emoji_codes_are_shown_as_written(plain):
    assert plain(safe_text(ATTACKS["markup"])).strip() == ATTACKS["markup"]
    assert "]8;" not in on_a_terminal(safe_text(ATTACKS["markup"]))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("\u202etxt", r"\u202etxt"),
        ("\ud800", r"\ud800"),
        ("a\rb", r"a\rb"),
        ("a\r\nb", "a\nb"),
        ("\x1b\x1b[0m[2J", r"\x1b[2J"),
        ("\ufffe\uffff", r"\ufffe\uffff"),
    ],
)
def test_what_is_unsafe_is_spelt_out(text, shown):
    assert clean(text) == shown


@pytest.mark.parametrize("text", ["Zoë 王小明 Ünal", "می‌خواهم", "👩‍🔬", "a\tb\n  c", "-> ≤ ±"])
def test_ordinary_text_of_any_script_is_left_alone(text):
    assert clean(text) == text


def test_one_line_stays_one_line():
    assert clean("a\nb\tc", one_line=True) == r"a\nb\tc"


@given(st.text(st.characters(exclude_categories=[]), max_size=60), st.booleans())
def test_clean_text_never_holds_anything_dangerous(text, one_line):
    shown = clean(text, one_line=one_line)
    assert _DANGEROUS.findall(shown) == [] or set(_DANGEROUS.findall(shown)) == {"\t"}
    assert not (one_line and "\n" in shown)


def test_a_huge_line_keeps_its_two_ends_and_is_quick():
    start = time.perf_counter()
    shown = clean("start" + "\x1b" * 10_000_000 + "end")
    assert time.perf_counter() - start < 1
    assert len(shown) < 5000
    assert shown.startswith("start")
    assert shown.endswith("end")
    assert "characters left out" in shown


def test_many_lines_are_bounded():
    lines = clean("first\n" + "\n" * 7000 + "last").split("\n")
    assert len(lines) == 121
    assert (lines[0], lines[80], lines[-1]) == ("first", "… 6882 lines left out …", "last")
