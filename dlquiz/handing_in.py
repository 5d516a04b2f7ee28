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

from dlquiz.checking.forbidden import Scan, find_forbidden
from dlquiz.checking.unfinished import Broken, Stub, broken, stubs
from dlquiz.handouts import Handout, HandoutError

MANIFEST = "manifest.json"
SCHEMA = 1
MAX_FILE = 1_000_000
_PACKAGES = ("dlquiz", "keras", "tensorflow", "numpy")


@dataclass(frozen=True)
class Work:
    """The files to hand in as they are now, and what is to be said about each.

    Attributes:
        files: contents by name, exactly the assignment's `submit`.
        broken: why a file does not compile.
        stubs: functions that are still to be written.
        scans: where what the assignment forbids is used.
    """

    files: Mapping[str, bytes]
    broken: Mapping[str, Broken]
    stubs: Mapping[str, tuple[Stub, ...]]
    scans: Mapping[str, Scan]

    @property
    def unfinished(self) -> bool:
        """Whether something does not compile or is still the stub."""
        return bool(self.broken) or any(self.stubs.values())


def read_work(folder: Path, handout: Handout) -> Work:
    """Read the files to hand in.

    Raises:
        HandoutError: one is missing, empty, no plain file, or longer than the grader reads.
    """
    files: dict[str, bytes] = {}
    faults: dict[str, Broken] = {}
    left: dict[str, tuple[Stub, ...]] = {}
    scans: dict[str, Scan] = {}
    for name in handout.submit:
        file = folder / name
        if not file.is_file():
            what = "is no plain file" if file.exists() else "is missing"
            raise HandoutError(
                f"{file} {what}: your answers belong there, and `dlquiz start {handout.slug} {folder}` puts the stub "
                "there if nothing is"
            )
        files[name] = file.read_bytes()
        if not files[name].strip():
            raise HandoutError(f"{file} is empty: save your answers in it first")
        if len(files[name]) > MAX_FILE:
            raise HandoutError(
                f"{file} is longer than {MAX_FILE:,} bytes: the grader reads no more; leave data out"
            )
        fault = broken(file)
        if fault is not None:
            faults[name] = fault
        else:
            left[name] = tuple(stubs(files[name]))
            scans[name] = find_forbidden(files[name], handout.forbidden)
    return Work(files, faults, left, scans)


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
            packed.writestr(name, content)
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
