"""The stratified bootstrap: each class is resampled by itself, so that class sizes stay as they are.

Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13 for the percentile interval; strata as in
Davison and Hinkley, Bootstrap Methods and their Application (1997), section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from grader.metrics.estimate import Estimate, Interval
from grader.metrics.inputs import Floats, Ints

# Of weights at a time: few enough to stay in a processor's cache.
_BATCH = 1 << 18


def weights(strata: Ints, interval: Interval) -> Iterator[Floats]:
    """How often each sample is drawn, in batches of resamples.

    Args:
        strata: shape (n,), the stratum of each sample.
        interval: says how many resamples, and the seed.

    Yields:
        Weights of shape (batch, n), float64; those of a stratum sum to its size.
    """
    rng = np.random.default_rng(interval.seed)
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    batch = max(1, _BATCH // len(strata))
    for start in range(0, interval.resamples, batch):
        rows = min(batch, interval.resamples - start)
        found = np.empty((rows, len(strata)))
        for member in members:
            size = len(member)
            drawn = rng.integers(0, size, (rows, size)) + size * np.arange(rows)[:, None]
            found[:, member] = np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size)
        yield found


def resampled_rows(counts: Ints, interval: Interval) -> Ints:
    """The same for samples that fall into few cells, each row being a stratum.

    Args:
        counts: shape (k, m), how many samples of a stratum are in each cell.

    Returns:
        Counts of shape (resamples, k, m), int64; rows keep their sums.
    """
    rng = np.random.default_rng(interval.seed)
    totals = counts.sum(axis=1)
    found = np.zeros((interval.resamples, *counts.shape), dtype=np.int64)
    for row in np.flatnonzero(totals):
        found[:, row] = rng.multinomial(totals[row], counts[row] / totals[row], size=interval.resamples)
    return found


def estimate(
    name: str,
    value: float,
    draws: Callable[[Interval], Floats],
    interval: Interval | None,
    notes: tuple[str, ...] = (),
) -> Estimate:
    """A value with its percentile interval, stretched where need be to hold the value.

    Args:
        draws: makes the metric's values of all resamples, shape (resamples,). NaN marks one in which the metric has no
            meaning; it is left out.

    Raises:
        ValueError: DeLong's interval is asked for, or more than half of the resamples have no meaning.
    """
    if interval is None:
        return Estimate(name, value, value, value, None, "none", notes)
    if interval.method == "delong":
        raise ValueError(f"DeLong's interval is for the AUC of two classes only, not for {name}")
    found = draws(interval)
    found = found[~np.isnan(found)]
    if 2 * len(found) < interval.resamples:
        raise ValueError(f"{name}: too few samples for an interval, most resamples lack a label")
    tail = (1 - interval.level) / 2
    low, high = (float(bound) for bound in np.quantile(found, [tail, 1 - tail]))
    return Estimate(
        name, value, min(low, value), max(high, value), interval.level, "stratified bootstrap", notes
    )
