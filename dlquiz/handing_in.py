"""Make the archive that a student hands in."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from dlquiz.answers import SUFFIX, Answer, by_place, read_answers
from dlquiz.checking.forbidden import Scan
from dlquiz.checking.unfinished import Broken, Stub
from dlquiz.handouts import Handout, HandoutError

MANIFEST = "manifest.json"
SCHEMA = 1
_PACKAGES = ("dlquiz", "keras", "tensorflow", "numpy")


@dataclass(frozen=True)
class Work:
    """The answers to hand in as they are now, and where what the assignment forbids is used."""

    answers: tuple[Answer, ...]
    scans: Mapping[str, Scan]

    @property
    def files(self) -> dict[str, bytes]:
        """The bytes of each file by its name."""
        return {answer.file.name: answer.content for answer in self.answers}

    @property
    def broken(self) -> dict[str, Broken]:
        """Why a file does not compile."""
        return {answer.file.name: answer.broken for answer in self.answers if answer.broken}

    @property
    def stubs(self) -> dict[str, tuple[Stub, ...]]:
        """Functions that are still to be written, by the file or the cell."""
        return {
            where: left
            for answer in self.answers
            if not answer.broken
            for where, left in answer.stubs().items()
        }

    @property
    def unfinished(self) -> bool:
        """Whether something does not compile or is still the stub."""
        return bool(self.broken or self.stubs or any(answer.warnings for answer in self.answers))


def read_work(folder: Path, handout: Handout, named: Path | None = None) -> Work:
    """Read the files to hand in.

    Args:
        named: a file that the student has named; see `dlquiz.answers.find_answers`.

    Raises:
        HandoutError: one is missing, empty, no plain file, longer than the grader reads, or a damaged notebook.
    """
    answers = tuple(read_answers(folder, handout, named))
    scans = [answer.forbidden(handout.forbidden) for answer in answers if not answer.broken]
    return Work(answers, by_place(scans))


def archive(folder: Path, handout: Handout, work: Work) -> bytes:
    """The archive: the files to hand in, and a manifest that says what they are, byte for byte, and of what time."""
    manifest = {
        "schema": SCHEMA,
        "assignment": handout.slug,
        "handout": _handout_hash(folder, handout),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in work.files.items()
        },
        "environment": {
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            **{name: _version(name) for name in _PACKAGES},
        },
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in work.files.items():
            # Progress bars in a notebook deflate so well that the grader would take it for a zip bomb.
            kind = zipfile.ZIP_STORED if name.endswith(SUFFIX) else zipfile.ZIP_DEFLATED
            packed.writestr(name, content, kind)
        packed.writestr(MANIFEST, json.dumps(manifest, indent=2) + "\n")
    return buffer.getvalue()


def save(content: bytes, wanted: Path | None, slug: str, *, force: bool) -> Path:
    """Write the archive to `wanted`, else to `SLUG.zip` here, or to the next free `SLUG-2.zip`; its path.

    Args:
        force: replace an archive that is there.

    Raises:
        HandoutError: `wanted` is there and `force` is not given, or it is no archive; or is not named like one.
    """
    if wanted is not None and wanted.suffix.lower() != ".zip":
        raise HandoutError(f"{wanted} does not end in .zip, and the grader goes by that: name another file")
    number = 1
    while True:
        target = wanted or Path(f"{slug}.zip" if number == 1 else f"{slug}-{number}.zip")
        if force and target.exists() and not zipfile.is_zipfile(target):
            raise HandoutError(f"{target} is there and is no archive: name another file")
        try:
            with target.open("wb" if force else "xb") as file:
                file.write(content)
            return target
        except FileExistsError:
            if wanted is not None:
                raise HandoutError(
                    f"{wanted} exists: name another file, or say --force to replace it"
                ) from None
            number += 1


def _handout_hash(folder: Path, handout: Handout) -> str:
    """SHA-256 over what the student was given and should not have changed, as hexadecimal digits."""
    digest = hashlib.sha256()
    for name in sorted(set(handout.names) - set(handout.submit)):
        content = (folder / name).read_bytes() if (folder / name).is_file() else b""
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
