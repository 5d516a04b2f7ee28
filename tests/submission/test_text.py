"""The encoding of a Python file."""

from __future__ import annotations

import codecs
import time

import pytest

from grader.submission.members import Unusable
from grader.submission.text import utf8_source

TEXT = "# señor Ω\nname = 'é'\n"
LATIN = "name = 'é'\n"


def value(source: bytes) -> str:
    """What Python makes of the source."""
    names: dict[str, str] = {}
    exec(compile(source, "x", "exec"), names)
    return names["name"]


def test_plain_utf8_comes_back_as_it_is():
    assert utf8_source(TEXT.encode()) == (TEXT.encode(), ())


@pytest.mark.parametrize("name", ["utf-8", "UTF_8", "utf8", "utf-8-unix", "utf-8-sig"])
def test_utf8_with_its_own_coding_line_comes_back_as_it_is(name):
    source = f"# -*- coding: {name} -*-\n{TEXT}".encode()
    assert utf8_source(source) == (source, ())


def test_byte_order_mark_is_removed_and_noted():
    assert utf8_source(codecs.BOM_UTF8 + TEXT.encode()) == (TEXT.encode(), ("byte-order mark removed",))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_text_with_a_byte_order_mark_is_re_encoded(encoding):
    source, notes = utf8_source(("\ufeff" + TEXT).encode(encoding))
    assert source == TEXT.encode()
    assert notes == (f"{encoding[:6].upper()} text re-encoded as UTF-8",)


@pytest.mark.parametrize(
    "head",
    [
        "# -*- coding: latin-1 -*-\n",
        "#!/usr/bin/python\n# vim: set fileencoding=latin-1 :\n",
        "\n#coding=ISO-8859-1\n",
        "# coding: latin-1\r",
        "\r# coding: latin-1\r\n",
        "# coding: latin-1-unix\n",
        "# coding: windows-1252\n",
    ],
)
def test_declared_encoding_is_decoded_and_the_coding_line_put_in_step(head):
    source, notes = utf8_source((head + LATIN).encode("latin-1"))
    assert source.decode().endswith(LATIN)
    assert value(source) == "é"
    assert len(notes) == 1


def test_first_of_two_coding_lines_counts_as_it_does_for_python():
    source, _ = utf8_source(f"# coding: latin-1\n# coding: utf-8\n{LATIN}".encode("latin-1"))
    assert value(source) == "é"


def test_coding_line_after_the_second_line_is_a_comment():
    source = f"\n\n# coding: latin-1\n{LATIN}".encode()
    assert utf8_source(source) == (source, ())


def test_coding_line_after_code_is_a_comment():
    source = f"{LATIN}# coding: latin-1\n".encode()
    assert utf8_source(source) == (source, ())


def test_byte_order_mark_wins_over_the_coding_line():
    source, _ = utf8_source(codecs.BOM_UTF8 + f"# coding: latin-1\n{LATIN}".encode())
    assert value(source) == "é"


def test_bytes_that_do_not_fit_are_named_with_their_position_and_the_way_out():
    with pytest.raises(Unusable) as caught:
        utf8_source(LATIN.encode("latin-1"))
    assert (
        str(caught.value) == "is not UTF-8 text: the byte at position 8 does not fit; save the file as UTF-8"
    )


def test_position_counts_the_byte_order_mark():
    with pytest.raises(Unusable, match="position 5 "):
        utf8_source(codecs.BOM_UTF8 + b"ab\xff")


def test_half_a_surrogate_is_a_problem():
    with pytest.raises(Unusable, match="is not UTF-16 text"):
        utf8_source(codecs.BOM_UTF16_LE + b"\x00\xd8a\0")


@pytest.mark.parametrize("content", [b"x = 1\0\n", b"\x7fELF\0\0", "x = 1".encode("utf-16-le")])
def test_zero_byte_is_a_problem(content):
    with pytest.raises(Unusable, match=f"zero byte at position {content.index(0)}"):
        utf8_source(content)


def test_zero_character_in_wide_text_is_a_problem():
    with pytest.raises(Unusable, match="zero character at position 1"):
        utf8_source("\ufeffa\0b".encode("utf-16-le"))


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE])
def test_nothing_but_a_mark_is_empty(mark):
    with pytest.raises(Unusable, match="is empty"):
        utf8_source(mark)


@pytest.mark.parametrize(
    "name", ["klingon", "rot13", "hex", "punycode", "idna", "unicode_escape", "utf-7", "undefined"]
)
def test_codec_that_is_no_character_set_is_refused_by_name(name):
    with pytest.raises(
        Unusable, match=f"declares the encoding {name.replace('_', '-')}, which is not accepted"
    ):
        utf8_source(f"# coding: {name}\nx = 1\n".encode())


@pytest.mark.parametrize(
    "content", [b"#" * 10**6, b" " * 10**6 + b"#", b"#coding=" * 125_000, b"#" + b"coding= :" * 110_000]
)
def test_long_lines_are_read_in_linear_time(content):
    started = time.monotonic()
    utf8_source(content)
    assert time.monotonic() - started < 5
