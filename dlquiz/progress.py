"""What a student has started and how the last check of it went: one small JSON file in the user's data folder."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

SCHEMA = 1


@dataclass(frozen=True)
class Entry:
    """One assignment: its folder, when it was begun (ISO 8601, UTC), and the tests passed in the last whole check."""

    folder: str
    started: str
    checked: str | None = None
    passed: int = 0
    total: int = 0


class Progress:
    """The entries by assignment.

    A file that cannot be understood is set aside under another name, and one that cannot be written is done without:
    a check is worth more than the memory of it.

    Args:
        file: by default `progress.json` in the user's data folder.

    Attributes:
        notes: what had to be set aside or could not be written, in words.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = _default_file() if file is None else file
        self.notes: list[str] = []
        self.entries = self._load()

    def started(self, slug: str, folder: Path) -> None:
        """Remember where an assignment is worked on."""
        old = self.entries.get(slug)
        here = str(folder.resolve())
        entry = replace(old, folder=here) if old else Entry(here, _now())
        if entry != old:
            self.entries[slug] = entry
            self._save()

    def checked(self, slug: str, folder: Path, passed: int, total: int) -> None:
        """Remember how many of the public tests passed."""
        self.started(slug, folder)
        self.entries[slug] = replace(self.entries[slug], checked=_now(), passed=passed, total=total)
        self._save()

    def folder(self, slug: str) -> Path | None:
        """Where the assignment is worked on, if that folder is still there."""
        entry = self.entries.get(slug)
        return Path(entry.folder) if entry and Path(entry.folder).is_dir() else None

    def _load(self) -> dict[str, Entry]:
        try:
            data = json.loads(self._file.read_text(encoding="utf-8"))
            return {slug: _entry(**told) for slug, told in data["assignments"].items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            self.notes.append(
                f"{self._file} cannot be read ({error.strerror}): what you started is not known"
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._set_aside()
        return {}

    def _set_aside(self) -> None:
        aside = self._file.with_name(f"{self._file.name}.damaged")
        try:
            os.replace(self._file, aside)
        except OSError as error:
            self.notes.append(f"{self._file} is damaged and cannot be moved ({error.strerror}): delete it")
        else:
            self.notes.append(f"{self._file} was damaged: it is now {aside.name}, and a new one begins")

    def _save(self) -> None:
        told = {slug: asdict(entry) for slug, entry in self.entries.items()}
        text = json.dumps({"schema": SCHEMA, "assignments": told}, indent=2) + "\n"
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            descriptor, fresh = tempfile.mkstemp(dir=self._file.parent, prefix=f".{self._file.name}.")
            try:
                with open(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                os.replace(fresh, self._file)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(fresh)
                raise
        except OSError as error:
            note = f"{self._file} cannot be written ({error.strerror}): `dlquiz list` will not know of this"
            if note not in self.notes:
                self.notes.append(note)


def _entry(folder: str, started: str, checked: str | None, passed: int, total: int) -> Entry:
    texts = (folder, started) if checked is None else (folder, started, checked)
    if not all(type(text) is str for text in texts) or not all(type(n) is int for n in (passed, total)):
        raise TypeError("not an entry")
    return Entry(folder, started, checked, passed, total)


def _default_file() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("dlquiz", appauthor=False)) / "progress.json"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
