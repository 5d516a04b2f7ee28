"""What goes wrong with a gradebook, said so that it can be put right."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

_SECRET_OPTION = re.compile(r"pass|pwd|secret|token", re.IGNORECASE)

_SQLITE_REMEDIES = {
    "BUSY": "another program holds it locked; wait until that one has finished, or close it, and try again",
    "LOCKED": "another program holds it locked; wait until that one has finished, or close it, and try again",
    "READONLY": "it cannot be written; check the permissions of the file and of its folder, "
    "or work on a copy in a folder of yours",
    "CANTOPEN": "it cannot be opened for writing; check the permissions of the file and of its folder, "
    "or work on a copy in a folder of yours",
    "PERM": "it cannot be opened; check the permissions of the file and of its folder",
    "FULL": "its disk is full; free some space and try again: what was recorded before is safe",
    "IOERR": "its disk cannot be read or written; check its free space and its health, then try again",
    "NOTADB": "this is not a gradebook: the file is no SQLite database; name another file",
    "CORRUPT": "the file is damaged; restore a copy, or rescue its rows with "
    "`sqlite3 FILE .recover | sqlite3 NEWFILE`",
}


class GradebookError(Exception):
    """A gradebook that cannot be used; the message names it and says what to do."""


@dataclass(frozen=True)
class Place:
    """Where a gradebook lives: its name for people, and the texts which must never be shown."""

    name: str
    secrets: tuple[str, ...] = ()

    @classmethod
    def of(cls, url: URL) -> Place:
        """The place a parsed URL points at: a file's path, or the URL with its passwords masked."""
        if url.get_backend_name() == "sqlite":
            return cls(url.database or "")
        hidden = {name: value for name, value in url.query.items() if _SECRET_OPTION.search(name)}
        texts = [url.password, *(part for value in hidden.values() for part in _parts(value))]
        shown = url.update_query_dict(dict.fromkeys(hidden, "***")).render_as_string(hide_password=True)
        return cls(shown, tuple(text for text in texts if text))

    def error(self, text: str) -> GradebookError:
        """An error about this place, free of its secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return GradebookError(f"gradebook {self.name}: {text}")

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Turn what a driver raises into a `GradebookError`."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise self.error(_explain(error)) from error


def mask_unreadable(url: str) -> str:
    """A URL which could not be parsed, without what may be its password."""
    url = re.sub(r"://.*@", "://***@", url)
    return re.sub(r"((?:pass|pwd|secret|token)\w*=)[^&]*", r"\1***", url, flags=re.IGNORECASE)


def _parts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _explain(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorname", "").removeprefix("SQLITE_").partition("_")[0]
        return _SQLITE_REMEDIES.get(code, f"SQLite says: {cause}; check that the file is a gradebook")
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    return (
        f"the database says: {lines[0][:300]}; check the URL, that the server runs, "
        "and that this user may create and write tables there"
    )
