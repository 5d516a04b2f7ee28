"""List and read a student's zip in memory, trusting nothing that its headers say."""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from grader.submission.members import JUNK, MAX_MEMBERS, Listing, Member, Unusable, too_big, too_many
from grader.submission.names import shown_list

MAX_RATIO = 200
_RATIO_FLOOR = 100_000
_CHUNK = 65_536
_ENTRY_SIGNATURE = b"PK\x01\x02"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DRIVE = re.compile(r"[A-Za-z]:")
_NOT_A_ZIP = "is not a readable zip: make it again with an ordinary zip program, or hand in the file itself"


@contextmanager
def listing(data: bytes) -> Iterator[Listing]:
    """The files of a zip; they can be loaded while the context lasts.

    Members whose path is absolute, climbs with `..` or names a drive are left out and
    noted. A member is decompressed only when it is loaded.

    Raises:
        Unusable: when the bytes are no zip, or hold more than `MAX_MEMBERS` members.
    """
    # Counted in the bytes: the counts in the headers may lie, and a million entries cost memory just to list.
    if data.count(_ENTRY_SIGNATURE) > MAX_MEMBERS:
        raise too_many()
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception:  # forged headers make zipfile raise nearly any exception
        raise Unusable(_NOT_A_ZIP) from None
    with archive:
        yield _members(archive)


def _members(archive: zipfile.ZipFile) -> Listing:
    members: list[Member] = []
    unsafe: list[str] = []
    for info in archive.infolist():
        path = info.orig_filename.replace("\\", "/")
        parts = tuple(part for part in path.split("/") if part not in ("", "."))
        if path.startswith("/") or ".." in parts or _DRIVE.match(path):
            unsafe.append(path)
        elif parts and not path.endswith("/") and JUNK.isdisjoint(parts):
            members.append(_member(archive, info, parts))
    notes = (f"ignored members with an unsafe path: {shown_list(sorted(unsafe))}",) if unsafe else ()
    return Listing(tuple(sorted(members, key=lambda member: member.parts)), notes)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, parts: tuple[str, ...]) -> Member:
    def load(limit: int) -> bytes:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind == stat.S_IFLNK:
            raise Unusable("is a symbolic link in the zip, which is not followed: zip the file itself")
        if kind not in (0, stat.S_IFREG):
            raise Unusable("is not an ordinary file in the zip: zip the file itself")
        if info.flag_bits & 0x1:
            raise Unusable("is encrypted: make the zip without a password")
        if info.compress_type not in _METHODS:
            raise Unusable("is compressed in an unusual way: make the zip with an ordinary zip program")
        if info.file_size > limit:
            raise too_big(info.file_size, limit)
        return _read(archive, info, limit)

    return Member(parts, load)


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    allowed = max(_RATIO_FLOOR, MAX_RATIO * info.compress_size)
    data = bytearray()
    try:
        with archive.open(info) as member:
            while chunk := member.read(min(_CHUNK, limit + 1 - len(data))):
                data += chunk
                if len(data) > limit:
                    raise too_big(len(data), limit)
                if len(data) > allowed:
                    raise Unusable(f"unpacks to more than {MAX_RATIO} times its size, as a zip bomb does")
    except Unusable:
        raise
    except Exception:  # forged headers and broken streams make zipfile and zlib raise nearly any exception
        raise Unusable("is damaged in the zip: make the zip again") from None
    return bytes(data)
