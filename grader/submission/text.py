"""Turn the bytes of a Python file into UTF-8 that Python compiles."""

from __future__ import annotations

import codecs
import re

from grader.submission.members import Unusable, empty

_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
# Plain character sets only: codecs such as punycode or unicode_escape are slow or rewrite the code.
_CHARSETS = re.compile(
    r"utf-8|ascii|iso8859-\d+|cp(?:437|720|737|775|850|852|855|858|866|874|932|949|950|125\d)"
    r"|koi8-[rtu]|mac-roman|shift_jis|euc_(?:jp|kr)|gb(?:2312|k|18030)|big5"
)
_COOKIE = re.compile(
    rb"\A((?:[ \t\f]*(?:#[^\r\n]*)?(?:\r\n|\r|\n))??[ \t\f]*#[^\r\n]*?coding[:=][ \t]*)([-\w.]+)"
)
_WAY_OUT = "save the file as UTF-8"


def utf8_source(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """A file's bytes as UTF-8 without a byte-order mark, and notes on what was changed.

    The encoding is the byte-order mark's or else the coding line's (PEP 263), UTF-8 by default. The coding
    line is put in step; bytes that are already plain UTF-8 come back as they are.

    Raises:
        Unusable: when the file is empty, binary, or not text in its encoding; the reason says where.
    """
    for mark, encoding, name in _MARKS:
        if data.startswith(mark):
            body = data[len(mark) :]
            note = "byte-order mark removed" if encoding == "utf-8" else f"{name} text re-encoded as UTF-8"
            return _finish(body, encoding, name, len(mark)), (note,)
    if b"\0" in data:
        raise Unusable(f"holds a zero byte at position {data.index(0)}, so it is not Python text: {_WAY_OUT}")
    encoding = _declared(data)
    source = _finish(data, encoding, encoding.upper(), 0)
    return source, () if source == data else (f"{encoding} text re-encoded as UTF-8",)


def _declared(data: bytes) -> str:
    """Python's own name for the encoding that the coding line declares."""
    match = _COOKIE.match(data)
    if not match:
        return "utf-8"
    name = match[2].decode().lower().replace("_", "-")
    if name == "utf-8" or name.startswith("utf-8-"):
        return "utf-8"
    try:
        encoding = codecs.lookup(re.sub("-(unix|dos|mac)$", "", name)).name
    except LookupError:
        encoding = ""
    if not _CHARSETS.fullmatch(encoding):
        raise Unusable(f"declares the encoding {name[:40]}, which is not accepted: {_WAY_OUT}")
    return encoding


def _finish(body: bytes, encoding: str, name: str, offset: int) -> bytes:
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        place = f"the byte at position {offset + error.start} does not fit"
        raise Unusable(f"is not {name} text: {place}; {_WAY_OUT}") from None
    if "\0" in text:
        raise Unusable(f"holds a zero character at position {text.index(chr(0))}: {_WAY_OUT}")
    if not text.strip():
        raise empty()
    source = text.encode()
    if encoding != "utf-8" or offset:
        source = _COOKIE.sub(rb"\1utf-8", source)
    return source
