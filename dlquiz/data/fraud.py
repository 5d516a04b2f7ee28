"""Card payments drawn from known densities, so that the best possible score is known too.

Both classes are mixtures of modes (card testing, a stolen card, ...). Within a mode the columns are independent:
log-normal, Poisson or categorical. Parameters move with time, by the fraction `time / PERIOD`: means of logarithms on
a line, weights and rates geometrically. The ratio of the classes' densities orders payments best: no classifier finds
more fraud at any false positive rate (Neyman and Pearson 1933, https://doi.org/10.1098/rsta.1933.0009).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlquiz.data.cards import DataError

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Pair = tuple[float, float]
Weights = tuple[float, ...]

PERIOD = 1440.0  # the stored set's 60 days, in hours
RATE = 0.005
TARGET = "is_fraud"

CATEGORIES: dict[str, tuple[str, ...]] = {
    "channel": ("chip", "contactless", "online", "stripe"),
    "country": ("home", "neighbour", "far"),
    "merchant": (
        "groceries",
        "restaurant",
        "fuel",
        "clothing",
        "electronics",
        "games",
        "travel",
        "vouchers",
    ),
}
# What each log-normal column is rounded to. The bins are narrow against the densities, which the likelihood ratio
# takes at the rounded value.
DECIMALS = {"amount": 2, "amount_ratio": 3, "distance": 1, "since_last": 2, "account_age": 1}
COLUMNS = ("time", *DECIMALS, "count_day", *CATEGORIES)


@dataclass(frozen=True)
class Mode:
    """One way in which a class's transactions come about; each pair is at time 0 and at `PERIOD`.

    Attributes:
        weight: its share of the class, relative to the other modes' weights.
        logs: for each log-normal column the mean of the natural logarithm, and the logarithm's standard deviation.
        rate: the mean of the Poisson column `count_day`.
        choices: for each categorical column the weights of its categories.
    """

    weight: Pair
    logs: Mapping[str, tuple[Pair, float]]
    rate: Pair
    choices: Mapping[str, tuple[Weights, Weights]]


@dataclass(frozen=True)
class Side:
    """A class: the weights of its 24 hours of the day, and its modes."""

    hours: Weights
    modes: tuple[Mode, ...]


@dataclass(frozen=True)
class Model:
    """Both classes."""

    legitimate: Side
    fraud: Side


_DAY = (2, 1, 1, 1, 1, 2, 5, 9, 11, 11, 12, 14, 15, 13, 12, 12, 14, 16, 16, 13, 10, 7, 5, 3)
_NIGHT = (7, 8, 8, 7, 5, 4, 4, 6, 8, 9, 10, 11, 11, 10, 10, 10, 11, 12, 12, 12, 11, 10, 9, 8)

_EVERYDAY = Mode(
    weight=(0.70, 0.66),
    logs={
        "amount": ((3.1, 3.15), 0.90),
        "amount_ratio": ((-0.05, -0.05), 0.55),
        "distance": ((1.2, 1.2), 1.0),
        "since_last": ((2.6, 2.5), 1.1),
        "account_age": ((7.0, 7.0), 0.9),
    },
    rate=(1.4, 1.5),
    choices={
        "channel": ((52, 42, 2, 4), (44, 51, 3, 2)),
        "country": ((95, 4, 1), (95, 4, 1)),
        "merchant": ((38, 18, 15, 11, 5, 1, 5, 7), (38, 18, 14, 11, 5, 1, 6, 7)),
    },
)
_ONLINE = Mode(
    weight=(0.22, 0.26),
    logs={
        "amount": ((3.3, 3.35), 1.15),
        "amount_ratio": ((0.05, 0.05), 0.75),
        "distance": ((3.6, 3.7), 1.5),
        "since_last": ((2.5, 2.4), 1.2),
        "account_age": ((6.7, 6.6), 1.0),
    },
    rate=(1.6, 1.8),
    choices={
        "channel": ((1, 1, 97, 1), (1, 1, 97, 1)),
        "country": ((74, 16, 10), (69, 18, 13)),
        "merchant": ((9, 5, 1, 27, 20, 17, 12, 9), (11, 6, 1, 26, 18, 19, 11, 8)),
    },
)
_JOURNEY = Mode(
    weight=(0.08, 0.08),
    logs={
        "amount": ((3.9, 4.0), 1.0),
        "amount_ratio": ((0.30, 0.30), 0.70),
        "distance": ((6.3, 6.4), 0.9),
        "since_last": ((1.9, 1.9), 1.2),
        "account_age": ((7.1, 7.1), 0.9),
    },
    rate=(2.8, 2.8),
    choices={
        "channel": ((50, 30, 8, 12), (48, 36, 8, 8)),
        "country": ((30, 42, 28), (30, 42, 28)),
        "merchant": ((14, 34, 10, 8, 4, 1, 25, 4), (14, 34, 10, 8, 4, 1, 25, 4)),
    },
)
_TESTING = Mode(
    weight=(0.29, 0.23),
    logs={
        "amount": ((0.9, 1.2), 0.80),
        "amount_ratio": ((-1.6, -1.4), 0.80),
        "distance": ((5.0, 5.0), 1.6),
        "since_last": ((0.2, 0.4), 1.3),
        "account_age": ((6.4, 6.4), 1.0),
    },
    rate=(4.4, 4.0),
    choices={
        "channel": ((2, 3, 93, 2), (2, 3, 94, 1)),
        "country": ((40, 24, 36), (44, 26, 30)),
        "merchant": ((8, 5, 2, 12, 10, 38, 6, 19), (10, 6, 2, 16, 10, 32, 6, 18)),
    },
)
_STOLEN = Mode(
    weight=(0.30, 0.27),
    logs={
        "amount": ((4.1, 3.9), 0.75),
        "amount_ratio": ((0.85, 0.70), 0.65),
        "distance": ((2.2, 2.1), 1.1),
        "since_last": ((0.1, 0.3), 1.2),
        "account_age": ((6.8, 6.8), 0.9),
    },
    rate=(3.6, 3.3),
    choices={
        "channel": ((10, 56, 6, 28), (8, 68, 8, 16)),
        "country": ((84, 11, 5), (84, 11, 5)),
        "merchant": ((16, 7, 16, 19, 19, 2, 6, 15), (18, 8, 16, 18, 17, 2, 6, 15)),
    },
)
_TAKEOVER = Mode(
    weight=(0.28, 0.37),
    logs={
        "amount": ((5.3, 4.9), 0.80),
        "amount_ratio": ((1.5, 1.2), 0.80),
        "distance": ((4.6, 4.3), 1.5),
        "since_last": ((2.2, 2.2), 1.3),
        "account_age": ((6.0, 5.9), 1.1),
    },
    rate=(2.3, 2.3),
    choices={
        "channel": ((1, 1, 97, 1), (1, 1, 97, 1)),
        "country": ((44, 25, 31), (50, 25, 25)),
        "merchant": ((3, 2, 1, 14, 36, 8, 14, 22), (4, 2, 1, 18, 30, 8, 17, 20)),
    },
)
# A criminal who buys as the owner does: what keeps any score from being perfect.
_QUIET = Mode(weight=(0.12, 0.12), logs=_EVERYDAY.logs, rate=_EVERYDAY.rate, choices=_EVERYDAY.choices)

MODEL = Model(
    legitimate=Side(_DAY, (_EVERYDAY, _ONLINE, _JOURNEY)),
    fraud=Side(_NIGHT, (_TESTING, _STOLEN, _TAKEOVER, _QUIET)),
)


def draw(
    rows: int,
    rng: np.random.Generator,
    *,
    hours: Pair = (0.0, PERIOD),
    rate: float = RATE,
    model: Model = MODEL,
) -> pd.DataFrame:
    """Fresh transactions in order of time.

    Args:
        rows: how many; `round(rows * rate)` of them, and at least one, are fraud.
        rng: what to draw with.
        hours: when they happen, from whole day to whole day; (1440, 2160) is the month after the stored set.
        rate: the share of fraud, between 0 and 1.

    Returns:
        A frame of `rows` rows and the columns `COLUMNS` and `is_fraud` (int64).

    Raises:
        DataError: too few rows for one of each class, or hours that are no whole days.
    """
    import pandas as pd

    frauds = max(1, round(rows * rate))
    if frauds >= rows:
        raise DataError(
            f"fraud: {rows} rows at a rate of {rate:g} leave no row of one class; ask for more rows"
        )
    start, end = (int(bound) for bound in hours)
    if (start, end) != tuple(hours) or start % 24 or end % 24 or not 0 <= start < end:
        raise DataError(
            f"fraud: hours {tuple(hours)} are no span of whole days; two multiples of 24 are wanted, as in (0, 1440)"
        )
    columns = [
        _columns(side, count, rng, (start, end))
        for side, count in ((model.legitimate, rows - frauds), (model.fraud, frauds))
    ]
    frame = pd.DataFrame({name: np.concatenate([side[name] for side in columns]) for name in COLUMNS})
    frame[TARGET] = np.repeat(np.array([0, 1], np.int64), [rows - frauds, frauds])
    order = np.argsort(frame["time"].to_numpy(), kind="stable")
    return _typed(frame.iloc[order].reset_index(drop=True))


def read(content: bytes) -> pd.DataFrame:
    """The frame of a gzipped CSV file's bytes, as `draw` gave it."""
    import pandas as pd

    frame = pd.read_csv(io.BytesIO(content), compression="gzip")
    # pandas' own reading of a number may be off by its last bit
    rounded = {
        name: np.round(frame[name].to_numpy(), places) for name, places in {"time": 2, **DECIMALS}.items()
    }
    return _typed(frame.assign(**rounded))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its categorical columns of pandas' categorical type, categories in the order of `CATEGORIES`."""
    import pandas as pd

    return frame.assign(
        **{name: pd.Categorical(frame[name], categories=list(values)) for name, values in CATEGORIES.items()}
    )


def log_likelihood_ratio(frame: pd.DataFrame, model: Model = MODEL) -> Floats:
    """ln p(row | fraud) - ln p(row | legitimate) of each row, shape (rows,): the best possible score.

    Args:
        frame: the columns `COLUMNS`; more are ignored.
    """
    return log_density(model.fraud, frame) - log_density(model.legitimate, frame)


def log_density(side: Side, frame: pd.DataFrame) -> Floats:
    """ln p(row | class) of each row, shape (rows,), up to what is the same for both classes.

    That is the span of time, the 1/x of a log-normal and the 1/k! of a Poisson density, and powers of 2 pi.
    """
    time = frame["time"].to_numpy()
    hours = np.log(np.array(side.hours) / sum(side.hours))
    weights = np.log(np.stack([_between(mode.weight, time) for mode in side.modes]))
    weights -= np.logaddexp.reduce(weights, axis=0)
    logs = {name: np.log(frame[name].to_numpy()) for name in DECIMALS}
    count = frame["count_day"].to_numpy()
    codes = {name: _codes(frame, name) for name in CATEGORIES}
    modes = []
    for mode, weight in zip(side.modes, weights, strict=True):
        density = weight.copy()
        for name, (mean, spread) in mode.logs.items():
            density -= 0.5 * ((logs[name] - _line(mean, time)) / spread) ** 2 + np.log(spread)
        rate = _between(mode.rate, time)
        density += count * np.log(rate) - rate
        for name, pair in mode.choices.items():
            chances = np.stack(list(_chances(pair, time)))
            density += np.log(chances[codes[name], np.arange(len(time))] / chances.sum(axis=0))
        modes.append(density)
    found: Floats = np.logaddexp.reduce(np.stack(modes), axis=0) + hours[(time % 24).astype(np.int64)]
    return found


def _columns(side: Side, count: int, rng: np.random.Generator, span: tuple[int, int]) -> dict[str, Any]:
    day = rng.integers(span[0] // 24, span[1] // 24, size=count)
    hour = rng.choice(24, size=count, p=np.array(side.hours) / sum(side.hours))
    # rounded down, so that a time stays in its hour
    time = 24 * day + hour + np.floor(rng.random(count) * 100) / 100
    weights = np.stack([_between(mode.weight, time) for mode in side.modes])
    mode = _choose(weights, rng)
    columns: dict[str, Any] = {"time": np.round(time, 2)}
    for name, decimals in DECIMALS.items():
        mean = _pick(mode, [_line(one.logs[name][0], time) for one in side.modes])
        spread = _pick(mode, [np.full(count, one.logs[name][1]) for one in side.modes])
        value = np.exp(mean + spread * rng.standard_normal(count))
        columns[name] = np.maximum(np.round(value, decimals), 10.0**-decimals)
    columns["count_day"] = rng.poisson(_pick(mode, [_between(one.rate, time) for one in side.modes]))
    for name, values in CATEGORIES.items():
        tables = [np.stack(list(_chances(one.choices[name], time))) for one in side.modes]
        chosen = np.empty(count, np.int64)
        for number, table in enumerate(tables):
            chosen[mode == number] = _choose(table[:, mode == number], rng)
        columns[name] = np.array(values, dtype=object)[chosen]
    return columns


def _codes(frame: pd.DataFrame, name: str) -> NDArray[np.int64]:
    known = {value: code for code, value in enumerate(CATEGORIES[name])}
    return np.array([known[value] for value in frame[name]], np.int64)


def _line(pair: Pair, time: Floats) -> Floats:
    return pair[0] + (pair[1] - pair[0]) * (time / PERIOD)


def _between(pair: Pair, time: Floats) -> Floats:
    found: Floats = pair[0] * (pair[1] / pair[0]) ** (time / PERIOD)
    return found


def _chances(pair: tuple[Weights, Weights], time: Floats) -> Iterator[Floats]:
    """The unnormalized weights of each category at each time. Each table is normalized before it moves."""
    first, last = sum(pair[0]), sum(pair[1])
    for start, end in zip(*pair, strict=True):
        yield _between((start / first, end / last), time)


def _choose(weights: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """For each column of `weights`, shape (choices, rows), one of its rows."""
    edges = np.cumsum(weights, axis=0)
    drawn = rng.random(weights.shape[1]) * edges[-1]
    found: NDArray[np.int64] = (drawn >= edges[:-1]).sum(axis=0)
    return found


def _pick(mode: NDArray[np.int64], values: list[Floats]) -> Floats:
    return np.stack(values)[mode, np.arange(len(mode))]
