"""Open and list a student's files on disk: no link followed, no pipe waited for, no read without bound."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.submission.members import JUNK, MAX_MEMBERS, Listing, Member, Unusable, too_big, too_many
from grader.submission.names import shown

_SAFE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def read_plain(path: str | Path, limit: int, folder: int | None = None) -> bytes:
    """The bytes of one ordinary file, at most `limit` of them.

    Args:
        path: the file, relative to `folder` where that is given; its last part may not be a link.
        limit: bytes allowed.
        folder: descriptor of an open folder.

    Raises:
        Unusable: for a link, folder, pipe, socket or device, an unreadable file, one over the limit, or one
            that changes while it is read.
    """
    try:
        # Looked at before opening, since to open a device can already act on it; the descriptor decides.
        require_plain(os.stat(path, dir_fd=folder, follow_symlinks=False).st_mode)
        with open(os.open(path, _SAFE, dir_fd=folder), "rb") as file:
            found = os.fstat(file.fileno())
            require_plain(found.st_mode)
            if found.st_size > limit:
                raise too_big(found.st_size, limit)
            data = file.read(found.st_size + 1)
    except OSError as error:
        raise unreadable(error) from None
    if len(data) != found.st_size:
        raise Unusable("changed while it was read: read it again when it is whole")
    return data


def unreadable(error: OSError) -> Unusable:
    """What to say of a file that the system would not open."""
    if error.errno == errno.ELOOP:
        return _link()
    return Unusable(
        f"cannot be read ({os.strerror(error.errno or errno.EIO)}): check its name and permissions"
    )


@contextmanager
def listing(path: Path) -> Iterator[Listing]:
    """The files of a folder and of the folders directly in it; they can be loaded while the context lasts.

    Raises:
        Unusable: when the folder cannot be opened, is a link, or holds more than `MAX_MEMBERS` entries.
    """
    try:
        root = os.open(path, _SAFE | os.O_DIRECTORY)
    except OSError as error:
        raise unreadable(error) from None
    try:
        yield _walk(root)
    finally:
        os.close(root)


def _walk(root: int) -> Listing:
    members: list[Member] = []
    notes: list[str] = []
    pending: list[tuple[str, ...]] = [()]
    count = 0
    for folder in pending:
        try:
            with _descend(root, folder) as inner, os.scandir(inner) as entries:
                for entry in entries:
                    count += 1
                    if count > MAX_MEMBERS:
                        raise too_many()
                    parts = (*folder, entry.name)
                    if entry.name in JUNK:
                        continue
                    if not entry.is_dir(follow_symlinks=False):
                        members.append(_member(root, parts))
                    elif not folder and not entry.name.startswith("."):
                        pending.append(parts)
                    else:
                        notes.append(f"ignored the folder {shown('/'.join(parts))}")
        except OSError as error:
            notes.append(f"{shown('/'.join(folder) or 'the folder')} {unreadable(error)}")
    return Listing(tuple(sorted(members, key=lambda member: member.parts)), tuple(sorted(notes)))


@contextmanager
def _descend(root: int, folder: tuple[str, ...]) -> Iterator[int]:
    descriptor = os.open("/".join(folder) or ".", _SAFE | os.O_DIRECTORY, dir_fd=root)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _member(root: int, parts: tuple[str, ...]) -> Member:
    def load(limit: int) -> bytes:
        try:
            with _descend(root, parts[:-1]) as inner:
                return read_plain(parts[-1], limit, folder=inner)
        except OSError as error:
            raise unreadable(error) from None

    return Member(parts, load)


def _link() -> Unusable:
    return Unusable("is a symbolic link, which is not followed: hand in the file itself")


def require_plain(mode: int) -> None:
    """Raise `Unusable` for the mode of anything but an ordinary file."""
    if stat.S_ISLNK(mode):
        raise _link()
    if stat.S_ISDIR(mode):
        raise Unusable("is a folder where a file is expected")
    if not stat.S_ISREG(mode):
        raise Unusable("is not an ordinary file (a pipe, socket or device): hand in a file")
