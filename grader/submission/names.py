"""Names that are safe to print and to key a gradebook by."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence

SUFFIXES = (".py", ".zip", ".ipynb")
MAX_ID = 100
_MARKED = re.compile(r"~[0-9a-f]{12}$")


def shown(text: str, limit: int = 100) -> str:
    """`text` on one line without anything a terminal would act on, cut to `limit` characters."""
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def shown_list(names: Sequence[str], limit: int = 10) -> str:
    """The first `limit` names, and how many more there are."""
    text = ", ".join(shown(name) for name in names[:limit])
    return text if len(names) <= limit else f"{text} and {len(names) - limit} more"


def student_id(entry: str, is_folder: bool) -> str:
    """The student an entry belongs to: its name, less `.py`, `.zip` or `.ipynb` if it is a file.

    An ordinary name is kept, composed to Unicode NFC. A name that holds control or invisible characters,
    slashes, bytes that are no text or outer blanks, or is longer than `MAX_ID` characters, has them replaced
    by `_` or cut off and ends in `~` and twelve hex digits of the hash of the true name, so that two odd
    names stay two students. A plain name that already ends that way is marked too: it cannot pass for another
    student's.
    """
    name = entry
    for suffix in SUFFIXES:
        if not is_folder and entry.lower().endswith(suffix):
            name = entry[: -len(suffix)]
            break
    composed = unicodedata.normalize("NFC", name)
    safe = "".join(char if char.isprintable() and char not in "/\\" else "_" for char in composed)
    safe = safe.strip()[:MAX_ID]
    if safe == composed and safe not in ("", ".", "..") and not _MARKED.search(safe):
        return safe
    return f"{safe}~{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
