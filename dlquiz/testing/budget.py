"""What a training run may use, and training data that count how often they are read."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

DEVICES = ("cpu", "gpu")


@dataclass(frozen=True)
class Budget:
    """The limits of one submission that a suite may want to tell or to hold a training run to.

    Attributes:
        seconds: wall clock of the whole suite.
        call_seconds: wall clock of one call into the student's code.
        epochs: passes over the training data; 0 is without bound.
        device: "cpu", or "gpu" if training wants one.
    """

    seconds: float = 60
    call_seconds: float = 10
    epochs: int = 0
    device: str = "cpu"

    def feed(self, *arrays: np.ndarray[Any, Any], batch_size: int) -> Feed:
        """Training data that the suite serves batch by batch, and no more than `epochs` times.

        Args:
            arrays: x, y and whatever else belongs to a sample; all of one length, samples along the first axis.
            batch_size: samples in a batch; the last one of an epoch may be shorter.
        """
        return Feed(arrays, batch_size, self.epochs)


class Feed:
    """Hands out the batches of an epoch, then None, then those of the next epoch.

    The data stay with the suite, so what a training run reads is counted where it cannot be changed. Pass the method
    `next_batch` to the student's code.
    """

    def __init__(self, arrays: tuple[np.ndarray[Any, Any], ...], batch_size: int, epochs: int) -> None:
        if len({len(array) for array in arrays}) != 1 or batch_size < 1:
            raise ValueError("a feed needs arrays of one length, and a batch size of at least 1")
        self._arrays = arrays
        self._batch_size = batch_size
        self._allowed = epochs
        self._next = 0
        self.epochs = 0

    def next_batch(self) -> tuple[np.ndarray[Any, Any], ...] | None:
        """The next batch, one array for each of the arrays, or None once at the end of an epoch.

        Raises:
            AssertionError: the budget's epochs are used up.
        """
        if self._allowed and self.epochs == self._allowed:
            raise AssertionError(
                f"a batch of epoch {self.epochs + 1} was asked for: the budget is {self._allowed}"
            )
        if self._next >= len(self._arrays[0]):
            self._next = 0
            self.epochs += 1
            return None
        rows = slice(self._next, self._next + self._batch_size)
        self._next += self._batch_size
        return tuple(array[rows] for array in self._arrays)


def read_budget(suite: Path) -> Budget:
    """The budget in the manifest of the assignment that `suite` belongs to; the default where there is none."""
    manifest = suite.parent.parent / "assignment.toml"
    if not manifest.is_file():
        return Budget()
    limits = tomllib.loads(manifest.read_text(encoding="utf-8")).get("limits", {})
    known = {name: limits[name] for name in Budget.__dataclass_fields__ if name in limits}
    return Budget(**known)
