"""Pictures of the generalization and gradient-flow items show what their items say of them."""

from __future__ import annotations

import numpy as np
import pytest

from dlquiz.quiz.items import load_bank
from dlquiz.quiz.plots.plot import Line, plottings


def lines(name: str) -> dict[str, Line]:
    return {line.label: line for line in plottings()[name]().lines}


def right(id: str) -> str:
    return next(choice.text for choice in load_bank().by_id[id].choices if choice.right)


def test_the_first_run_overfits_from_the_epoch_that_is_told() -> None:
    shown = lines("learning-curves-first-run")
    train, validation = np.array(shown["training"].y), np.array(shown["validation"].y)
    assert (np.diff(train) < 0).all()
    best = int(np.argmin(validation))
    assert f"epoch {best + 1} on" in right("overfitting-first-run")
    assert (np.diff(validation)[best:] > 0).all()
    assert validation[-1] > 1.4 * validation[best]


def test_the_second_run_stays_high_and_has_no_gap() -> None:
    shown = lines("learning-curves-second-run")
    train, validation = np.array(shown["training"].y), np.array(shown["validation"].y)
    assert (np.diff(train) < 0).all()
    assert (np.diff(validation) < 0).all()
    assert train.min() > 1.5
    assert 0 < (validation - train).max() < 0.06


def stopped(losses: tuple[float, ...], patience: int) -> tuple[int, int]:
    """The last epoch that is run and the best one, from 1."""
    for last in range(1, len(losses) + 1):
        best = int(np.argmin(losses[:last])) + 1
        if last - best >= patience:
            return last, best
    return len(losses), int(np.argmin(losses)) + 1


def test_patience_fares_on_the_noisy_curve_as_told() -> None:
    losses = lines("early-stopping-noisy-curve")["validation"].y
    (hasty, _), (last, best) = stopped(losses, 1), stopped(losses, 5)
    assert right("early-stopping-noisy-curve") == (
        f"1: stopped at epoch {hasty}, far too early; 5: stopped at epoch {last}, best epoch {best}"
    )
    # what the eye has to see
    assert losses[hasty - 1] - losses[hasty - 2] > 0.03
    assert losses[best - 1] == min(losses)


def test_gradients_go_back_by_a_constant_factor() -> None:
    factors = {label: 10 ** -np.diff(line.y) for label, line in lines("gradient-by-layer").items()}
    assert factors["network 1"] == pytest.approx(1.5)
    assert factors["network 2"] == pytest.approx(1.02)
    slope = 0.5 * (1 - 0.5)
    assert factors["network 3"] == pytest.approx(slope)


def test_only_the_second_model_gains_from_data() -> None:
    shown = {label: np.array(line.y) for label, line in lines("error-by-training-size").items()}
    gap = {model: shown[f"model {model}, validation"] - shown[f"model {model}, training"] for model in "AB"}
    assert gap["A"][-1] < 3 < 10 < gap["B"][-1]
    assert shown["model A, training"][-1] > 20
    assert shown["model B, training"][-1] < 5
    assert shown["model B, validation"][-2] - shown["model B, validation"][-1] > 0.1


def test_weights_shrink_to_where_the_minimum_lies() -> None:
    grid = np.linspace(-1, 3, 40_001)
    penalties = {"curve 1": grid**2, "curve 2": np.abs(grid)}
    for label, line in lines("shrinking-weights").items():
        found = [grid[np.argmin((grid - 2) ** 2 / 2 + strength * penalties[label])] for strength in line.x]
        assert line.y == pytest.approx(found, abs=2e-4)


def test_the_degree_that_is_asked_for_has_the_lowest_validation_error() -> None:
    shown = lines("error-by-degree")
    best = shown["validation"].x[int(np.argmin(shown["validation"].y))]
    assert best == load_bank().by_id["bias-variance-best-degree"].answer
    assert (np.diff(shown["training"].y) < 0).all()
