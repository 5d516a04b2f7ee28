"""Text that a student controls, made safe for an instructor's terminal."""

from __future__ import annotations

import re
import unicodedata

from rich.text import Text

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_SUSPECT = re.compile(r"[^\n\t\x20-\x7e]")
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Persian, Indic scripts and emoji are spelt with these two.
_JOINERS = frozenset({"\u200c", "\u200d"})
# XML has no way to write these.
_NO_CHARACTERS = frozenset({"\ufffe", "\uffff"})


def clean(
    text: str, *, max_chars: int = 8000, max_line: int = 500, max_lines: int = 120, one_line: bool = False
) -> str:
    r"""The text without anything a terminal would obey.

    Colour sequences are dropped. Every other control character, every invisible format character (the
    bidirectional overrides among them), every lone surrogate and what XML cannot hold is spelt out, as in `\x1b`
    or `\u202e`. Of what is too long, the beginning and the end stay.

    Args:
        text: anything.
        max_chars: bound of the whole, in characters as they came.
        max_line: bound of each line, likewise.
        max_lines: bound of the number of lines.
        one_line: spell out line breaks and tabs too.
    """
    text = _COLOUR.sub("", _cut(text, max_chars)).replace("\r\n", "\n")
    if one_line:
        return _SUSPECT.sub(_spell, _cut(text, max_line)).replace("\n", r"\n").replace("\t", r"\t")
    lines = text.split("\n")
    if len(lines) > max_lines:
        head, tail = _ends(max_lines)
        lines[head : len(lines) - tail] = [f"… {len(lines) - max_lines} lines left out …"]
    return "\n".join(_SUSPECT.sub(_spell, _cut(line, max_line)) for line in lines)


def safe_text(
    text: str, style: str = "", *, max_chars: int = 8000, max_line: int = 500, one_line: bool = False
) -> Text:
    """`clean` text as a rich `Text`, in which markup, links and emoji codes have no meaning."""
    return Text(clean(text, max_chars=max_chars, max_line=max_line, one_line=one_line), style)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head, tail = _ends(limit)
    return f"{text[:head]} … {len(text) - limit} characters left out … {text[len(text) - tail :]}"


def _ends(limit: int) -> tuple[int, int]:
    return limit - limit // 3, limit // 3


def _spell(found: re.Match[str]) -> str:
    character = found[0]
    unsafe = unicodedata.category(character) in _UNSAFE_CATEGORIES and character not in _JOINERS
    return character.encode("unicode_escape").decode() if unsafe or character in _NO_CHARACTERS else character
