"""The hidden part of a data set, made from a run's seed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlquiz.data import SYNTHETIC, DataError, Dataset, card, draw, load, split

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class Held:
    """A set in two.

    Attributes:
        train: may go to the student's process whole.
        test: only its features may, and its target stays with the test.
        fresh: whether the test rows are drawn for this run. If not, they are rows of a public set: who has it can
            look their targets up.
    """

    train: Dataset
    test: Dataset
    fresh: bool


def hold_out(
    name: str,
    seed: int | np.random.Generator,
    *,
    rows: int | None = None,
    test_size: float | None = None,
    **options: Any,
) -> Held:
    """The rows to train on, and hidden rows to test on.

    Of a synthetic set, train is the stored set, which students have, and test is drawn anew from the same
    distribution. Of any other, test is a part of the set, with the classes in its proportions.

    Args:
        name: one of `dlquiz.data.names()`.
        seed: the run's, or a generator from it, such as a suite's `rng`. An equal seed gives equal rows, and sets of
            different names unrelated ones.
        rows: of a synthetic set how many to draw; by default as many as are stored.
        test_size: of any other the share to hold out; by default 0.3.
        options: of `fraud` those of `dlquiz.data.fraud.draw`, such as `hours=(1440, 2160)` for the 30 days that
            follow; of `creditcard` its `path`.

    Raises:
        DataError: there is no such set, it cannot be loaded, or the arguments are another kind of set's.
    """
    import numpy as np

    name = card(name).name
    if not isinstance(seed, np.random.Generator):
        # The name in the seed keeps a run's draw apart from the one that made the stored set, whatever the run's seed.
        seed = np.random.Generator(np.random.PCG64([seed, zlib.crc32(name.encode())]))
    if name in SYNTHETIC:
        if test_size is not None:
            raise DataError(f"{name} is drawn anew, not split: say how many rows with rows, not test_size")
        stored = load(name)
        return Held(stored, draw(name, len(stored) if rows is None else rows, seed, **options), fresh=True)
    if rows is not None:
        raise DataError(f"{name} is split, not drawn: say how much is held out with test_size, not rows")
    shuffle = int(seed.integers(2**32))
    train, test = split(load(name, **options), 0.3 if test_size is None else test_size, shuffle)
    return Held(train, test, fresh=False)
