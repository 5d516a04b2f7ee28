"""How long the intervals of `grader.metrics` take; `python -m bench.metrics` prints this part alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.bars import Bar
from bench.measure import Spread
from grader import metrics
from grader.metrics import figures

SAMPLES = 10_000
MOST_SECONDS = 2.0


@dataclass(frozen=True)
class Timed:
    """A call, and the wall time of its repetitions."""

    what: str
    seconds: Spread


def measure(rounds: int) -> list[Timed]:
    """Time every kind of interval on `SAMPLES` scores without ties, `rounds` times each."""
    return [Timed(what, _time(call, rounds)) for what, call in _calls().items()]


def bars(timed: Sequence[Timed]) -> list[Bar]:
    """The slowest call is the one that counts."""
    slowest = max(timed, key=lambda one: one.seconds.middle)
    what = f"1,000 resamples of {SAMPLES:,} scores, the slowest ({slowest.what})"
    met = slowest.seconds.middle <= MOST_SECONDS
    return [Bar(what, f"at most {MOST_SECONDS:g} s", f"{slowest.seconds} s", met)]


def section(timed: Sequence[Timed]) -> str:
    """The part of the report, as Markdown."""
    rows = "\n".join(f"| {one.what} | {_seconds(one.seconds)} |" for one in timed)
    return (
        f"## Intervals of metrics\n\nOf {SAMPLES:,} samples; 1,000 resamples but for DeLong.\n\n"
        f"| call | s |\n| --- | --- |\n{rows}\n"
    )


def _calls() -> dict[str, Callable[[], object]]:
    rng = np.random.default_rng(0)
    true = (rng.random(SAMPLES) < 0.2).astype(int)
    scores = rng.normal(size=SAMPLES) + true
    chances = 1 / (1 + np.exp(-scores))
    classes = rng.integers(0, 3, SAMPLES)
    rows = rng.dirichlet([1, 1, 1], SAMPLES)
    bootstrap = metrics.Interval(method="bootstrap")
    return {
        "AUC, DeLong": lambda: metrics.roc_auc_score(true, scores),
        "AUC": lambda: metrics.roc_auc_score(true, scores, interval=bootstrap),
        "AUC, ties": lambda: metrics.roc_auc_score(true, scores.round(1), interval=bootstrap),
        "macro AUC, three classes": lambda: metrics.roc_auc_score(classes, rows, average="macro"),
        "average precision": lambda: metrics.average_precision_score(true, scores),
        "Brier score": lambda: metrics.brier_score_loss(true, chances),
        "expected calibration error": lambda: metrics.expected_calibration_error(true, chances),
        "lift": lambda: metrics.lift_score(true, scores),
        "F1": lambda: metrics.fbeta_score(true, scores > 0),
        "ROC figure with its band": lambda: figures.roc(true, scores),
    }


def _time(call: Callable[[], object], rounds: int) -> Spread:
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return Spread.of(seconds)


def _seconds(spread: Spread) -> str:
    return f"{spread.middle:.3f} ({spread.low:.3f}–{spread.high:.3f})"


if __name__ == "__main__":
    print(section(measure(5)))
