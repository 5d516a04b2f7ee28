"""What drawings share: numbers without noise, signs, and mistakes that are none of the right answer."""

from __future__ import annotations

import random


def apart(answer: float, within: float, *mistakes: tuple[float, str]) -> tuple[tuple[int | float, str], ...]:
    """The `mistakes` (value, feedback) further than `within` from the answer and from those before them."""
    reach = within * 1.001  # the border itself counts as within
    kept: list[tuple[int | float, str]] = []
    for value, feedback in mistakes:
        if all(abs(value - other) > reach for other in (answer, *(one for one, _ in kept))):
            kept.append((tidy(value), feedback))
    return tuple(kept)


def tidy(number: float) -> int | float:
    """Without the last digits' noise of binary fractions, whole numbers as such: 0.3, not 0.30000000000000004."""
    rounded = round(number, 10)
    return int(rounded) if rounded == int(rounded) else rounded


def signed(rng: random.Random, *sizes: int) -> list[int]:
    """Each size with a sign of its own."""
    return [size * rng.choice((-1, 1)) for size in sizes]


def unlike(answer: float, *mistakes: tuple[float, str]) -> tuple[tuple[float, str], ...]:
    """The `mistakes` (value, feedback) whose value is not the answer, each value once."""
    kept: dict[float, str] = {}
    for value, feedback in mistakes:
        if value != answer:
            kept.setdefault(value, feedback)
    return tuple(kept.items())
