"""One student's files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Submission:
    """One student's files with what there is to say about them.

    `files` maps an allow-listed file name to its content, UTF-8 without a byte-order mark. `notes` is
    information (names ignored, notebook lines dropped, text re-encoded). `problems` says why required files
    are absent from `files`; it is empty when none is.
    """

    student: str
    files: dict[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def digest(self) -> str:
        """SHA-256 in hex of the sorted names and contents, whatever the entry's form, order or dates were."""
        total = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            for part in (name.encode(), content):
                total.update(len(part).to_bytes(8, "big"))
                total.update(part)
        return total.hexdigest()
