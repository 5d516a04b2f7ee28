"""Make the stored sets again: `python datasets/make.py [NAME ...]`, or with `--check` only compare.

A file is written, and its size and SHA-256 are put into its card, where its rows differ from those stored; so another
version of zlib, which packs the same rows into other bytes, changes nothing.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dlquiz import data
from dlquiz.data import Dataset

HERE = Path(__file__).resolve().parent
STORED = ("blobs", "fraud", "photographs", "shapes", "sine", "two_moons")


def made(name: str, package: Path = HERE.parent / "dlquiz") -> Dataset:
    """The set as its card's seed gives it."""
    card = data.card(name, package)
    if name == "photographs":
        from sklearn.datasets import load_sample_images

        return Dataset(card, np.stack([halved(image) for image in load_sample_images().images]), None)
    assert card.seed is not None
    return data.draw(name, card.rows, card.seed, package=package)


def halved(image: np.ndarray) -> np.ndarray:
    """The rounded mean of each 2 by 2 pixels, uint8; an odd last row or column is left out."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    blocks = image[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3).astype(np.int64)
    return ((blocks.sum(axis=(1, 3)) + 2) // 4).astype(np.uint8)


def content(dataset: Dataset) -> bytes:
    """The unpacked content of the set's file: CSV text for a table, else the arrays one after another."""
    if isinstance(dataset.features, np.ndarray):
        return b"".join(
            f"{name} {array.dtype.str} {array.shape}\n".encode() + array.tobytes()
            for name, array in arrays(dataset).items()
        )
    text: str = dataset.frame.to_csv(index=False, lineterminator="\n")
    return text.encode()


def packed(dataset: Dataset) -> bytes:
    """The bytes of the set's file. They hold no time, so the same rows give the same bytes."""
    file = io.BytesIO()
    if isinstance(dataset.features, np.ndarray):
        np.savez_compressed(file, **arrays(dataset))
    else:
        with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=file, mtime=0) as archive:
            archive.write(content(dataset))
    return file.getvalue()


def arrays(dataset: Dataset) -> dict[str, np.ndarray]:
    """What an .npz file holds: the features and the targets by their names in the card."""
    card, target = dataset.card, dataset.target
    found = {card.features[0]: np.asarray(dataset.features)}
    if isinstance(target, Mapping):
        return {**found, **target}
    return found if target is None else {**found, card.targets[0]: np.asarray(target)}


def is_stored(dataset: Dataset, package: Path = HERE.parent / "dlquiz") -> bool:
    """Whether the stored file is whole and holds these rows."""
    try:
        return content(data.load(dataset.card.name, package=package)) == content(dataset)
    except data.DataError:
        return False


def store(dataset: Dataset) -> None:
    """Write the set's file, and its size and checksum into its card."""
    folder, file = HERE / dataset.card.name, packed(dataset)
    (folder / dataset.card.file).write_bytes(file)
    card = folder / "card.toml"
    text = card.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^size = .*$", f"size = {len(file)}", text, count=1)
    text = re.sub(r"(?m)^sha256 = .*$", f'sha256 = "{hashlib.sha256(file).hexdigest()}"', text, count=1)
    card.write_text(text, encoding="utf-8")


def main() -> int:
    """Exit status 1 where `--check` finds a difference."""
    parser = argparse.ArgumentParser(description="Make the stored data sets again.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(STORED)}; all by default")
    parser.add_argument("--check", action="store_true", help="write nothing")
    told = parser.parse_args()
    if unknown := set(told.names) - set(STORED):
        parser.error(f"no stored set {', '.join(sorted(unknown))}: there are {', '.join(STORED)}")
    wrong = False
    for name in told.names or STORED:
        dataset = made(name)
        same = is_stored(dataset)
        if not same and not told.check:
            store(dataset)
        wrong |= not same
        print(f"{name}: " + ("as stored" if same else "differs" if told.check else "written"))
    return int(wrong and told.check)


if __name__ == "__main__":
    sys.exit(main())
