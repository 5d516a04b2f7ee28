"""Wait for saves, and have each one judged: whatever editors do to the files, the newest text is judged in the end.

A save that comes while a run is under way ends that run. Only what changes a file's text counts as a save.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn, Protocol

from dlquiz.checking.starting import Cancelled

# Nothing tells of changes on some network file systems: then it takes that long to see one.
_LOOK_SECONDS = 0.5
# Some editors take a file away for a moment, or empty it before they write.
_ABSENCE_SECONDS = 1.0
_QUIET_MS = 30


@dataclass(frozen=True)
class Snapshot:
    """What the files held at one moment; None where there was none.

    Attributes:
        whole: whether no file was missing or empty.
    """

    texts: tuple[tuple[bytes | None, ...], ...]

    @property
    def whole(self) -> bool:
        return all(any(text and text.strip() for text in group) for group in self.texts)


class Saves:
    """Tells when files were saved, whichever way an editor does it.

    Args:
        folder: where they are.
        groups: their names; of a group one is enough.
    """

    def __init__(self, folder: Path, groups: Sequence[Sequence[str]]) -> None:
        self._folder = folder
        self._groups = groups
        self._names = {name for group in groups for name in group}
        self._stirred = threading.Event()
        self._stop = threading.Event()
        self._looked = 0.0

    def __enter__(self) -> Saves:
        # Editors that put a new file in the old one's place are only seen in the folder.
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=1)

    def now(self) -> Snapshot:
        """Read the files."""
        return Snapshot(tuple(tuple(map(self._read, group)) for group in self._groups))

    def differ(self, snapshot: Snapshot) -> bool:
        """Whether anything was saved since; cheap when asked again and again."""
        if not self._stirred.is_set() and time.monotonic() < self._looked + _LOOK_SECONDS:
            return False
        self._stirred.clear()
        self._looked = time.monotonic()
        differ = self.now() != snapshot
        if differ:
            self._stirred.set()
        return differ

    def wait(self, snapshot: Snapshot, seconds: float | None = None) -> bool:
        """Wait until something is saved, but not for ever; whether it was.

        Raises:
            FileNotFoundError: the whole folder is gone.
        """
        deadline = time.monotonic() + (float("inf") if seconds is None else seconds)
        while not self.differ(snapshot):
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if not self._folder.is_dir():
                raise FileNotFoundError(2, "it is gone", str(self._folder))
            self._stirred.wait(min(_LOOK_SECONDS, left))
        return True

    def _listen(self) -> None:
        import watchfiles

        # Without it saves are still seen, if later: a system may have no watches left to give.
        with contextlib.suppress(OSError, RuntimeError):
            for _ in watchfiles.watch(
                self._folder,
                watch_filter=lambda _, path: Path(path).name in self._names,
                step=_QUIET_MS,
                debounce=10 * _QUIET_MS,
                stop_event=self._stop,
                recursive=False,
            ):
                self._stirred.set()

    def _read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except OSError:
            return None


class Judge(Protocol):
    """Runs the tests and tells how that went."""

    def __call__(self, cancelled: Callable[[], bool]) -> None:
        """Judge what the files hold now. Raises Cancelled."""


def answer_saves(saves: Saves, judge: Judge) -> NoReturn:
    """Judge now, and after every save, until interrupted.

    Raises:
        FileNotFoundError: the folder is gone.
    """
    while True:
        snapshot = saves.now()
        if not snapshot.whole and saves.wait(snapshot, _ABSENCE_SECONDS):
            continue
        with contextlib.suppress(Cancelled):
            judge(partial(saves.differ, snapshot))
        saves.wait(snapshot)
