"""Pictures of the CNN and architecture items show what their items say of them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from dlquiz.quiz.items import load_bank
from dlquiz.quiz.plots.plot import Line, plottings


def lines(name: str) -> dict[str, Line]:
    return {line.label: line for line in plottings()[name]().lines}


def test_responses_are_those_of_the_kernels() -> None:
    shown = lines("kernel-responses")
    row = np.array(shown["pixels"].y)
    for label, kernel in dict(load_bank().by_id["kernels-read-from-responses"].pairs).items():
        taps = [float(Fraction(tap.strip())) for tap in kernel.strip("()").replace("−", "-").split(",")]
        assert shown[label].y == pytest.approx(np.correlate(row, taps, "valid"))
        assert shown[label].x == tuple(range(1, len(row) - 1))


def reach(kernels: list[int], dilations: list[int]) -> int:
    read = {0}
    for kernel, dilation in zip(kernels, dilations, strict=True):
        read = {place + tap * dilation for place in read for tap in range(kernel)}
    return max(read) + 1


def test_growth_is_that_of_the_stacks() -> None:
    shown = lines("receptive-field-growth")
    stacks = {
        "7 × 7 in every layer": lambda depth: reach([7] * depth, [1] * depth),
        "3 × 3 with dilation 1, 2, 4, ...": lambda depth: reach([3] * depth, [2**i for i in range(depth)]),
        "3 × 3 in every layer": lambda depth: reach([3] * depth, [1] * depth),
    }
    pairs = load_bank().by_id["receptive-field-growth-curves"].pairs
    assert {right for _, right in pairs} == set(stacks)
    for label, stack in pairs:
        assert shown[label].y == tuple(stacks[stack](int(depth)) for depth in shown[label].x)


def test_the_deeper_plain_network_has_the_higher_errors_throughout() -> None:
    shown = lines("plain-networks")
    for error in ("training", "validation"):
        assert (np.array(shown[f"34 layers, {error}"].y) > np.array(shown[f"18 layers, {error}"].y)).all()
    for depth in (18, 34):
        assert shown[f"{depth} layers, training"].y[-1] < shown[f"{depth} layers, validation"].y[-1]


def test_the_pretrained_start_is_higher_faster_and_ends_higher() -> None:
    shown = lines("two-starts")
    a, b = np.array(shown["run 1"].y), np.array(shown["run 2"].y)
    assert a[0] > b[0]
    assert a[1] - a[0] > b[1] - b[0]
    assert a[-1] > b[-1]
