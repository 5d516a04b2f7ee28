"""The list of topics."""

from __future__ import annotations

import tomllib
from importlib import resources

import pytest

from dlquiz.topics import topic_ids, topics


def test_every_topic_has_its_group_and_its_needs() -> None:
    text = resources.files("dlquiz").joinpath("topics.toml").read_text(encoding="utf-8")
    groups = tomllib.loads(text)
    listed = {topic: (group, tuple(needs)) for group in groups for topic, needs in groups[group].items()}
    assert dict(topics()) == listed
    assert topic_ids() == tuple(listed)


def test_no_topic_is_in_two_groups() -> None:
    text = resources.files("dlquiz").joinpath("topics.toml").read_text(encoding="utf-8")
    assert sum(len(group) for group in tomllib.loads(text).values()) == len(topic_ids())


def test_every_topic_needs_code_a_quiz_or_both() -> None:
    assert {needs for _, needs in topics().values()} <= {("code",), ("quiz",), ("code", "quiz")}


def test_the_list_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        topics()["new"] = ("basics", ("quiz",))  # type: ignore[index]
