"""What is said of two arrays that differ."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from dlquiz.checking.difference import compare, from_error
from dlquiz.checking.outcome import Difference


def after(assertion: Any, *args: Any, **options: Any) -> Difference | None:
    """The difference behind a comparison that fails."""
    with pytest.raises(AssertionError) as caught:
        assertion(*args, **options)
    return from_error(caught.value)


def facts(found: Difference | None) -> tuple[str, ...]:
    assert found is not None
    return found.facts


def test_the_worst_entries_come_first_with_their_places() -> None:
    wanted = np.zeros((2, 3))
    mine = np.array([[0, 0.1, 0], [5, 0, -0.2]])
    found = after(np.testing.assert_allclose, mine, wanted, rtol=0, atol=0.15)
    assert found == Difference(
        ("2 of 6 entries differ; the largest error is 5 at [1, 0], where 0.15 is allowed",),
        (("[1, 0]", "5", "0", "5"), ("[1, 2]", "-0.2", "0", "0.2")),
    )


def test_the_tolerance_grows_with_the_expected_value() -> None:
    found = after(np.testing.assert_allclose, [1.05, 102], [1, 100], rtol=0.03)
    assert found is not None
    assert found.rows == (("[0]", "1.05", "1", "0.05"),)


def test_a_single_number_is_one_sentence() -> None:
    found = after(np.testing.assert_allclose, np.float32(2), 3.0)
    assert found == Difference(("yours is 2, expected 3: an error of 1, where 3e-07 is allowed",))


def test_values_are_told_apart_by_as_many_digits_as_that_takes() -> None:
    found = after(np.testing.assert_array_equal, [1.0], [1.0 + 1e-7])
    assert found is not None
    assert found.rows[0][1:3] == ("1", "1.0000001")


def test_shapes_are_said_and_nothing_else_is_compared() -> None:
    found = after(np.testing.assert_allclose, np.ones((4, 1)), np.zeros(4))
    assert found == Difference(("shape: yours (4, 1), expected (4,)",))


def test_a_strict_comparison_names_the_dtypes() -> None:
    mine, wanted = np.ones(2, "float64"), np.ones(2, "float32")
    found = after(np.testing.assert_array_equal, mine, wanted, strict=True)
    assert facts(found) == ("dtype: yours float64, expected float32",)


def test_integers_where_fractions_are_expected_are_named_first() -> None:
    found = after(np.testing.assert_allclose, np.array([0, 1]), np.array([0.5, 1.0]))
    assert facts(found)[0] == "dtype: yours int64, expected float64"
    assert facts(after(np.testing.assert_allclose, np.array([1], "float32"), np.array([2.0])))[0].startswith(
        "1 of"
    )


def test_nan_and_infinity_are_counted() -> None:
    found = after(np.testing.assert_allclose, [np.nan, np.inf, 1, 2], [1.0, 1, 1, 1])
    assert facts(found)[:2] == (
        "1 of your 4 entries is NaN where a number is expected",
        "1 of your 4 entries is infinite where a number is expected",
    )
    assert found is not None
    assert [row[0] for row in found.rows] == ["[0]", "[1]", "[3]"]


def test_nan_that_is_expected_is_no_difference() -> None:
    assert compare([np.nan, 1.0], [np.nan, 1.0], {}) is None


def test_half_precision_booleans_and_complex_numbers_are_compared() -> None:
    assert compare(np.ones(1, ml_dtypes.bfloat16), np.zeros(1), {}) is not None
    assert facts(compare([True], [False], {})) == ("1 of 1 entries differs; the largest error is 1 at [0]",)
    assert facts(compare(1j, 1.0, {}))[0].startswith("yours is 0+1j, expected 1+0j")


def test_texts_are_compared() -> None:
    found = after(np.testing.assert_array_equal, ["a", "b"], ["a", "c"])
    assert facts(found) == ("1 of 2 entries differs",)


def test_a_decimal_comparison_has_its_own_tolerance() -> None:
    found = after(np.testing.assert_array_almost_equal, [1.01, 1.5], [1.0, 1.0], decimal=1)
    assert found is not None
    assert [row[0] for row in found.rows] == ["[1]"]


def test_the_tests_own_words_come_with_it() -> None:
    found = after(np.testing.assert_allclose, 1.0, 2.0, err_msg="after the second call")
    assert facts(found)[0] == "after the second call"


def test_other_assertions_and_ragged_values_are_left_to_their_message() -> None:
    with pytest.raises(AssertionError) as caught:
        assert [1, 2] == [1, 3]
    assert from_error(caught.value) is None
    assert after(np.testing.assert_equal, [[1], [1, 2]], [[1], [2, 2]]) is None
