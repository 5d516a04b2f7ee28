"""Rows with their card, and their split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from dlquiz.data.cards import Card, DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]
    Features: TypeAlias = pd.DataFrame | Array
    Target: TypeAlias = pd.Series[Any] | Array | Mapping[str, Array] | None


@dataclass(frozen=True, eq=False)
class Dataset:
    """The rows of a data set.

    Attributes:
        card: what is known of it. Its rows, classes and checksum are those of the whole set, not of a part of it.
        features: a table has a pandas.DataFrame of shape (rows, columns), other sets a NumPy array whose first
            axis is the rows.
        target: of a table a pandas.Series; else an array, a mapping of arrays where there are several, or None.
    """

    card: Card
    features: Features
    target: Target

    def __len__(self) -> int:
        return len(self.features)

    @property
    def frame(self) -> pd.DataFrame:
        """Features and target of a table as one pandas.DataFrame, the target last.

        Raises:
            DataError: the set is no table.
        """
        import pandas as pd

        if not isinstance(self.features, pd.DataFrame) or not isinstance(self.target, pd.Series):
            raise DataError(f"{self.card.name} holds arrays, not a table: use .features and .target")
        return self.features.assign(**{str(self.target.name): self.target})

    def columns(self) -> dict[str, Array]:
        """Each feature's values by its name, categories as text: what a suite can send to a student's process.

        `pandas.DataFrame(columns)` makes a table of it again.
        """
        import numpy as np
        import pandas as pd

        if not isinstance(self.features, pd.DataFrame):
            return {self.card.features[0]: self.features}
        text = {column.name for column in self.card.columns if column.values}
        return {
            name: np.asarray(self.features[name], dtype=str)
            if name in text
            else self.features[name].to_numpy()
            for name in self.card.features
        }

    def take(self, rows: NDArray[np.integer[Any]]) -> Dataset:
        """The rows with these numbers, in this order. A table's rows are numbered from 0 again."""
        if isinstance(self.target, Mapping):
            target: Target = {name: _take(values, rows) for name, values in self.target.items()}
        else:
            target = None if self.target is None else _take(self.target, rows)
        return Dataset(self.card, _take(self.features, rows), target)


def split(
    dataset: Dataset,
    test_size: float = 0.3,
    seed: int = 0,
    *,
    stratify: bool | None = None,
    by_time: bool = False,
) -> tuple[Dataset, Dataset]:
    """Part a set in two, training first.

    Args:
        test_size: the share of the second part, between 0 and 1.
        seed: of the shuffle, 0 to 2**32 - 1; a split by time has none.
        stratify: give both parts the classes in the set's proportions. By default wherever each row has a class.
        by_time: put the latest rows in the second part instead of shuffling.

    Raises:
        DataError: the share leaves a part empty; the set has no time, or no class of each row, and that is asked
            for; a class is too small to be parted.
    """
    import numpy as np

    name, rows = dataset.card.name, len(dataset)
    held = round(rows * test_size) if 0 < test_size < 1 else 0
    if not 0 < held < rows:
        raise DataError(
            f"{name}: a test_size of {test_size:g} leaves a part of {rows} rows empty; "
            "give a share between 0 and 1, such as 0.3"
        )
    if by_time:
        if stratify:
            raise DataError(f"{name}: a split by time cannot be stratified; leave out one of the two")
        order = np.argsort(_time(dataset), kind="stable")
        return dataset.take(order[:-held]), dataset.take(order[-held:])
    from sklearn.model_selection import train_test_split

    labelled = bool(dataset.card.classes) and dataset.target is not None
    labelled = labelled and not isinstance(dataset.target, Mapping)
    if stratify and not labelled:
        raise DataError(f"{name}: its rows have no classes to stratify by; leave stratify out")
    labels = np.asarray(dataset.target) if labelled and stratify is not False else None
    try:
        train, test = train_test_split(np.arange(rows), test_size=held, random_state=seed, stratify=labels)
    except ValueError as error:
        raise DataError(f"{name}: {rows} rows cannot be split with stratify: {error}") from None
    return dataset.take(train), dataset.take(test)


def fingerprint(dataset: Dataset) -> str:
    """The SHA-256 of a set of numbers: of features, then target, each its dtype, shape and little-endian bytes."""
    import numpy as np

    digest = hashlib.sha256()
    for part in (dataset.features, dataset.target):
        values = np.asarray(part)
        values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
        digest.update(f"{values.dtype.str} {values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def _take(values: Any, rows: NDArray[np.integer[Any]]) -> Any:
    return values.iloc[rows].reset_index(drop=True) if hasattr(values, "iloc") else values[rows]


def _time(dataset: Dataset) -> Array:
    import pandas as pd

    if not dataset.card.time or not isinstance(dataset.features, pd.DataFrame):
        raise DataError(f"{dataset.card.name}: its rows have no time to split by; leave by_time out")
    return dataset.features[dataset.card.time].to_numpy()
