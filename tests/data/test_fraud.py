"""The densities of `fraud` are those of its rows, and the best score is as good as its card says."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from dlquiz import data
from dlquiz.data import fraud


def rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def parts(frame: pd.DataFrame) -> dict[str, list[np.ndarray]]:
    """For each column, sets of rows that it picks: halves, quarters of the day, categories; in both halves of time."""
    halves = [frame["time"].to_numpy() < frame["time"].median()]
    halves.append(~halves[0])
    found = {}
    for name in fraud.COLUMNS:
        values = frame[name].to_numpy()
        if name in fraud.CATEGORIES:
            picked = [values == category for category in fraud.CATEGORIES[name]]
        elif name == "time":
            picked = [values % 24 // 6 == quarter for quarter in range(4)]
        else:
            picked = [values > np.quantile(values, share) for share in (0.1, 0.3, 0.5, 0.7, 0.9)]
        found[name] = [rows & half for rows in picked for half in halves]
    return found


def misses(frame: pd.DataFrame, sets: list[np.ndarray]) -> np.ndarray:
    """By how many standard errors the likelihood ratio is wrong about the share of fraud in each set of rows.

    P(A | fraud) is the mean over legitimate rows of the likelihood ratio where they are in A. Very high ratios are left
    out of A: few legitimate rows have them.
    """
    labels, ratio = frame["is_fraud"].to_numpy(), fraud.log_likelihood_ratio(frame)
    found = []
    for rows in sets:
        inside = rows & (ratio < 4)
        share, by_ratio = inside[labels == 1], (np.exp(ratio) * inside)[labels == 0]
        error = np.hypot(share.std() / len(share) ** 0.5, by_ratio.std() / len(by_ratio) ** 0.5)
        found.append(abs(share.mean() - by_ratio.mean()) / max(error, 1e-9))
    return np.array(found)


@pytest.mark.parametrize("hours", [(0.0, 1440.0), (1440.0, 2160.0)])
def test_the_likelihood_ratio_is_that_of_the_rows(hours: tuple[float, float]) -> None:
    frame = fraud.draw(200_000, rng(5), hours=hours, rate=0.5)
    assert misses(frame, [rows for sets in parts(frame).values() for rows in sets]).max() < 4.5


@pytest.mark.parametrize("column", fraud.COLUMNS)
def test_every_column_counts_in_the_likelihood_ratio(column: str) -> None:
    """With a column shuffled among the rows, the densities are wrong, and it shows."""
    frame = fraud.draw(200_000, rng(6), rate=0.5)
    order = rng(7).permutation(len(frame))
    shuffled = frame.assign(**{column: frame[column].to_numpy()[order]})
    assert misses(shuffled, parts(shuffled)[column]).max() > 7


def test_only_the_proportions_of_weights_count() -> None:
    frame, fraudulent = fraud.draw(2_000, rng(8), rate=0.5), fraud.MODEL.fraud
    modes = tuple(replace(mode, weight=(3 * mode.weight[0], 5 * mode.weight[1])) for mode in fraudulent.modes)
    scaled = fraud.Model(fraud.MODEL.legitimate, fraud.Side(fraudulent.hours, modes))
    np.testing.assert_allclose(fraud.log_likelihood_ratio(frame, scaled), fraud.log_likelihood_ratio(frame))


def test_the_monte_carlo_gives_the_exact_value_where_there_is_one(
    measure: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two classes that differ in one normal logarithm, by d standard deviations: ROC AUC = Phi(d / sqrt 2)."""
    (plain, *_), distance = fraud.MODEL.legitimate.modes, 1.3
    (mean, _), spread = plain.logs["amount"]
    logs = {name: ((first, first), width) for name, ((first, _), width) in plain.logs.items()}
    one = replace(plain, logs={**logs, "amount": ((mean, mean), spread)})
    far = mean + distance * spread
    other = replace(plain, logs={**logs, "amount": ((far, far), spread)})
    hours = fraud.MODEL.legitimate.hours
    model = fraud.Model(fraud.Side(hours, (one,)), fraud.Side(hours, (other,)))
    real = fraud.draw
    monkeypatch.setattr(fraud, "draw", lambda *given, **named: real(*given, **named, model=model))
    value, error = measure.ranking(
        lambda frame: fraud.log_likelihood_ratio(frame, model), (0.0, 1440.0), draws=5, rows=40_000
    )["ROC AUC"]
    assert 0 < error < 0.002
    assert abs(value - NormalDist().cdf(distance / 2**0.5)) < 4 * error


def test_the_card_states_what_the_best_score_reaches(measure: ModuleType) -> None:
    stated = {figure.name: figure for figure in data.card("fraud").figures}
    for when, hours in (("same 60 days", (0.0, 1440.0)), ("following 30 days", measure.LATER)):
        for metric, (value, error) in measure.ranking(
            fraud.log_likelihood_ratio, hours, draws=5, rows=40_000
        ).items():
            figure = stated[f"{metric}, best possible, {when}"]
            assert abs(value - figure.value) < 5 * np.hypot(error, figure.standard_error)


def test_no_other_score_is_better(measure: ModuleType) -> None:
    """Not even one that knows all but the drift, or one column less."""
    named = {
        "without the drift": lambda frame: fraud.log_likelihood_ratio(frame.assign(time=frame["time"] % 24)),
        "without the channel": lambda frame: fraud.log_likelihood_ratio(frame.assign(channel="chip")),
    }
    best, _ = measure.ranking(fraud.log_likelihood_ratio, measure.LATER, draws=2, rows=40_000)["ROC AUC"]
    for name, score in named.items():
        worse, _ = measure.ranking(score, measure.LATER, draws=2, rows=40_000)["ROC AUC"]
        assert 0.5 < worse < best - 0.001, name


def test_rows_and_their_order_come_from_the_seed() -> None:
    first = fraud.draw(3_000, rng(1))
    assert first.equals(fraud.draw(3_000, rng(1)))
    assert not first.equals(fraud.draw(3_000, rng(2)))
    assert first["time"].is_monotonic_increasing
    assert first["is_fraud"].sum() == 15
    assert list(first.columns) == [*fraud.COLUMNS, "is_fraud"]


def test_hours_and_rate_are_as_asked() -> None:
    frame = fraud.draw(2_000, rng(1), hours=(1440, 1464), rate=0.25)
    assert frame["time"].between(1440, 1464, inclusive="left").all()
    assert frame["is_fraud"].sum() == 500


@pytest.mark.parametrize("hours", [(0, 100), (24, 24), (48, 24), (-24, 24), (0, 24.5)])
def test_hours_that_are_no_whole_days_are_refused(hours: tuple[float, float]) -> None:
    with pytest.raises(data.DataError, match="are no span of whole days; two multiples of 24 are wanted"):
        fraud.draw(100, rng(1), hours=hours)


def test_a_draw_has_both_classes_or_is_refused() -> None:
    assert fraud.draw(2, rng(1))["is_fraud"].sum() == 1
    with pytest.raises(data.DataError, match=r"1 rows at a rate of 0.005 leave no row of one class"):
        fraud.draw(1, rng(1))
    with pytest.raises(data.DataError, match=r"10 rows at a rate of 1 leave no row of one class"):
        fraud.draw(10, rng(1), rate=1)
