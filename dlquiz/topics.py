"""The topics of the course and how each must be assessed."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType


@functools.cache
def topics() -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """Every topic in the order of the list.

    Returns:
        A read-only mapping from a topic's id to its group and to what it needs: `"code"` (an assignment
        problem), `"quiz"` (at least one quiz item) or both.

    >>> topics()["batch-norm"]
    ('normalization', ('code', 'quiz'))
    """
    text = resources.files("dlquiz").joinpath("topics.toml").read_text(encoding="utf-8")
    groups: dict[str, dict[str, list[str]]] = tomllib.loads(text)
    return MappingProxyType(
        {
            topic: (group, tuple(needs))
            for group, entries in groups.items()
            for topic, needs in entries.items()
        }
    )


def topic_ids() -> tuple[str, ...]:
    """The ids of all topics, in the order of the list."""
    return tuple(topics())
