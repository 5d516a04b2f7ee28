"""Load a set by name, or draw fresh rows of a synthetic one."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlquiz.data.cards import PACKAGE, Card, DataError, card, folder, names, way_out
from dlquiz.data.dataset import Dataset, fingerprint

if TYPE_CHECKING:
    import numpy as np

SYNTHETIC = ("blobs", "fraud", "shapes", "sine", "two_moons")


def load(name: str, *, path: str | Path | None = None, package: Path = PACKAGE) -> Dataset:
    """The data set of that name, checked against its card.

    Args:
        name: one of `names()`.
        path: the file of a set that cannot be shipped; `describe(name)` says where to get it.

    Raises:
        DataError: there is no such set; its file is missing or damaged; a library or the network has another or none.
    """
    found = card(name, package)
    if found.source == "path":
        return _from_path(found, path)
    if path is not None:
        raise DataError(f"{found.name} is not read from a file of yours: leave out path")
    if found.source == "keras":
        return _from_keras(found, package)
    return _stored(found, package) if found.source == "stored" else _from_scikit_learn(found)


def draw(
    name: str, rows: int, seed: int | np.random.Generator, *, package: Path = PACKAGE, **options: Any
) -> Dataset:
    """Fresh rows of a synthetic set, from the distribution of the stored ones.

    Args:
        name: one of `SYNTHETIC`.
        rows: how many, at least 1.
        seed: a whole number, at least 0, for NumPy's PCG64, or the generator to draw with.
        options: of `fraud` only: those of `dlquiz.data.fraud.draw`.

    Raises:
        DataError: the set is no synthetic one, or cannot be drawn so.
    """
    import numpy as np

    found = card(name, package)
    if found.name not in SYNTHETIC:
        raise DataError(
            f"{found.name} is not synthetic, so no fresh rows can be drawn: split it, or take one of "
            f"{', '.join(SYNTHETIC)}"
        )
    if rows < 1:
        raise DataError(f"{found.name}: at least 1 row must be drawn, not {rows}")
    rng = seed if isinstance(seed, np.random.Generator) else np.random.Generator(np.random.PCG64(seed))
    if found.name == "fraud":
        from dlquiz.data import fraud

        return _table(found, fraud.draw(rows, rng, **options))
    if options:
        raise DataError(f"{found.name} takes no options, and was given {', '.join(options)}")
    if found.name == "shapes":
        from dlquiz.data.shapes import shapes

        return Dataset(found, *shapes(rows, rng))
    from dlquiz.data import points

    return Dataset(found, *getattr(points, found.name)(rows, rng))


def _stored(found: Card, package: Path) -> Dataset:
    import numpy as np

    file = folder(found.name, package) / found.file
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror}): {way_out(found.name)}") from None
    checksum = hashlib.sha256(content).hexdigest()
    if checksum != found.sha256:
        raise DataError(
            f"{file} is damaged, its SHA-256 is {checksum} and not {found.sha256}: {way_out(found.name)}"
        )
    if found.file.endswith(".csv.gz"):
        from dlquiz.data.fraud import read

        return _table(found, read(content))
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        arrays = dict(archive)
    targets = {name: arrays[name] for name in found.targets}
    target = targets if len(targets) > 1 else next(iter(targets.values()), None)
    return Dataset(found, arrays[found.features[0]], target)


def _from_scikit_learn(found: Card) -> Dataset:
    import numpy as np
    import sklearn
    from sklearn import datasets

    if found.name == "digits":
        bunch = datasets.load_digits()
        dataset = Dataset(found, bunch.images.astype(np.uint8), bunch.target.astype(np.int64))
    else:
        bunch = getattr(datasets, f"load_{found.name}")(as_frame=True)
        features = bunch.data.set_axis(list(found.features), axis=1)
        dataset = Dataset(found, features, bunch.target.astype(np.int64).rename(found.targets[0]))
    if fingerprint(dataset) != found.sha256:
        raise DataError(
            f"{found.name}: scikit-learn {sklearn.__version__} holds other rows than the card describes: "
            "install it in the version of requirements.lock"
        )
    return dataset


def _from_keras(found: Card, package: Path) -> Dataset:
    import importlib

    import numpy as np

    try:
        parts = importlib.import_module(f"keras.datasets.{found.name}").load_data()
    except Exception as error:
        reason = str(error).partition("\n")[0]
        offline = [
            name for name in names(package) if card(name, package).source in ("stored", "scikit-learn")
        ]
        raise DataError(
            f"{found.name} is fetched once by Keras, which could not do so ({reason}): connect to the network and try "
            f"again, or take a set that needs none: {', '.join(offline)}"
        ) from None
    images = np.concatenate([images for images, _ in parts])
    labels = np.concatenate([labels for _, labels in parts]).reshape(-1).astype(np.int64)
    return Dataset(found, images, labels)


def _from_path(found: Card, path: str | Path | None) -> Dataset:
    import numpy as np
    import pandas as pd

    if path is None:
        raise DataError(
            f"{found.name} is not shipped: get its file from {found.origin} and name it, as in "
            f"dlquiz.data.load('{found.name}', path='{found.name}.csv')"
        )
    again = f"get it again from {found.origin}"
    try:
        frame = pd.read_csv(path)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}): name the file of {found.name}"
        ) from None
    except ValueError as error:
        raise DataError(f"{path} is no CSV file of {found.name} ({error}): {again}") from None
    wanted = [column.name for column in found.columns]
    if list(frame.columns) != wanted:
        raise DataError(
            f"{path} is not {found.name}: its columns should be {wanted[0]}, {wanted[1]}, ... {wanted[-1]}, "
            f"{len(wanted)} in all, and are {', '.join(map(str, frame.columns[:4]))}, ... {len(frame.columns)} in all"
        )
    counts = frame[found.targets[0]].value_counts()
    if len(frame) != found.rows or [counts.get(label, 0) for label in (0, 1)] != list(found.classes.values()):
        raise DataError(
            f"{path} has {len(frame):,} rows with {counts.get(1, 0):,} of class 1, and {found.name} has {found.rows:,} "
            f"with {list(found.classes.values())[1]:,}: {again}"
        )
    return _table(found, frame.astype({found.targets[0]: np.int64}))


def _table(found: Card, frame: Any) -> Dataset:
    return Dataset(found, frame[list(found.features)], frame[found.targets[0]])
