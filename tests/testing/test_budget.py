"""What a training run may use, and data that count how often they are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dlquiz.testing.budget import Budget, read_budget

pytest_plugins = ["pytester"]


def test_a_feed_serves_every_sample_once_an_epoch_and_keeps_the_short_last_batch() -> None:
    x, y = np.arange(10).reshape(5, 2), np.arange(5)
    feed = Budget(epochs=2).feed(x, y, batch_size=2)
    for _ in range(2):
        batches = list(iter(feed.next_batch, None))
        assert [len(batch[0]) for batch in batches] == [2, 2, 1]
        np.testing.assert_array_equal(np.concatenate([batch[0] for batch in batches]), x)
        np.testing.assert_array_equal(np.concatenate([batch[1] for batch in batches]), y)
    assert feed.epochs == 2
    with pytest.raises(AssertionError, match="a batch of epoch 3 was asked for: the budget is 2"):
        feed.next_batch()


def test_an_epoch_is_used_up_only_at_its_end() -> None:
    feed = Budget(epochs=1).feed(np.arange(4), batch_size=4)
    assert feed.next_batch() is not None
    assert feed.epochs == 0
    assert feed.next_batch() is None
    assert feed.epochs == 1


def test_no_epochs_in_the_manifest_is_no_bound() -> None:
    feed = Budget().feed(np.arange(2), batch_size=2)
    for _ in range(50):
        assert len(list(iter(feed.next_batch, None))) == 1


@pytest.mark.parametrize(("sizes", "batch"), [((3, 4), 2), ((3, 3), 0)])
def test_a_feed_that_makes_no_sense_is_refused(sizes: tuple[int, ...], batch: int) -> None:
    with pytest.raises(ValueError, match="arrays of one length"):
        Budget().feed(*(np.zeros(size) for size in sizes), batch_size=batch)


def test_the_budget_of_a_suite_is_its_manifests(tmp_path: Path) -> None:
    suite = tmp_path / "hidden" / "test_hidden.py"
    suite.parent.mkdir()
    assert read_budget(suite) == Budget()
    (tmp_path / "assignment.toml").write_text(
        '[limits]\nepochs = 3\nseconds = 9\ncall_seconds = 4\nmemory_mb = 700\ndevice = "gpu"\n'
    )
    assert read_budget(suite) == Budget(seconds=9, call_seconds=4, epochs=3, device="gpu")


def test_plain_pytest_has_the_budget(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("hidden")
    (pytester.path / "assignment.toml").write_text("[limits]\nepochs = 3\n")
    (folder / "test_hidden.py").write_text("def test_budget(budget):\n    assert budget.epochs == 3\n")
    pytester.runpytest("hidden").assert_outcomes(passed=1)
