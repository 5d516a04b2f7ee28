"""An empty array is no number."""

from __future__ import annotations

import numpy as np
import pytest

from dlquiz.testing.emptiness import empty_equals_nothing

COMPARISONS = [
    "assert_allclose",
    "assert_array_equal",
    "assert_equal",
    "assert_almost_equal",
    "assert_array_less",
]
EMPTY = [np.zeros(0), np.zeros((0, 2**20)), np.zeros((3, 0)), [], ([], [])]


@pytest.mark.parametrize("name", COMPARISONS)
@pytest.mark.parametrize("empty", EMPTY, ids=str)
def test_an_empty_array_does_not_pass_for_a_number(name: str, empty: object):
    with empty_equals_nothing(), pytest.raises(AssertionError, match="of shape"):
        getattr(np.testing, name)(empty, 3.7)


@pytest.mark.parametrize("empty", EMPTY, ids=str)
def test_an_empty_array_is_not_approximately_a_number(empty: object):
    with empty_equals_nothing():
        assert not bool(empty == pytest.approx(3.7))


def test_an_empty_array_still_equals_an_expected_one():
    with empty_equals_nothing():
        np.testing.assert_allclose(np.zeros((0, 4)), np.zeros((0, 4)))
        np.testing.assert_array_equal(np.zeros(0), [])


def test_comparisons_of_numbers_are_what_they_were():
    with empty_equals_nothing():
        np.testing.assert_allclose([1.0, 2.0], [1.0, 2.0])
        assert pytest.approx(1.0) == np.array([1.0, 1.0])
        with pytest.raises(AssertionError):
            np.testing.assert_allclose([1.0], [2.0])
    assert np.testing.assert_allclose.__module__.startswith("numpy")
