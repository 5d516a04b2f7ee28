"""DeLong's variance agrees with its definition and with published numbers; its interval behaves at the ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from grader import metrics


def by_definition(positive, scores) -> tuple[float, float]:
    """The AUC and its variance, from the m * n comparisons of the 1988 paper."""
    above, below = scores[positive], scores[~positive]
    of_positives, of_negatives = [0.0] * len(above), [0.0] * len(below)
    for i, x in enumerate(above):
        for j, y in enumerate(below):
            won = 1.0 if x > y else 0.5 if x == y else 0.0
            of_positives[i] += won / len(below)
            of_negatives[j] += won / len(above)
    area = sum(of_positives) / len(above)
    spread = [
        sum((one - area) ** 2 for one in each) / (len(each) - 1) / len(each)
        for each in (of_positives, of_negatives)
    ]
    return area, sum(spread)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.integers(-3, 3) | st.floats(-3, 3), min_size=2, max_size=15),
    st.lists(st.integers(-3, 3) | st.floats(-3, 3), min_size=2, max_size=15),
)
def test_ranks_give_what_the_definition_gives(above, below):
    positive = np.array([True] * len(above) + [False] * len(below))
    scores = np.array([*above, *below], dtype=float)
    turned = np.random.default_rng(0).permutation(len(scores))
    found = metrics.delong_variance(positive[turned], scores[turned])
    assert found == pytest.approx(by_definition(positive, scores), abs=1e-9)


def test_published_numbers_of_109_ct_images():
    # Ratings: Hanley and McNeil (1982), table I. Area, standard error, 95 % interval: Stata manual, [R] roctab.
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    positive = np.repeat([False, True], [sum(normal), sum(abnormal)])
    scores = np.concatenate([np.repeat(np.arange(1.0, 6.0), each) for each in (normal, abnormal)])
    area, variance = metrics.delong_variance(positive, scores, pos_label=True)
    error = math.sqrt(variance)
    assert (round(area, 4), round(error, 4)) == (0.8932, 0.0307)
    reach = norm.ppf(0.975) * error
    assert (round(area - reach, 5), round(area + reach, 5)) == (0.83295, 0.95339)
    # The interval here is symmetric on the logit scale instead.
    found = metrics.roc_auc_score(positive, scores, pos_label=True)
    middle, reach = math.log(area / (1 - area)), reach / (area * (1 - area))
    ends = [1 / (1 + math.exp(-(middle + sign * reach))) for sign in (-1, 1)]
    assert (found.low, found.high) == pytest.approx(ends, abs=1e-9)
    assert found.method == "DeLong, logit scale"


def test_a_perfect_ranking_has_the_exact_bound_of_as_many_pairs_as_the_smaller_class_has():
    found = metrics.roc_auc_score([0] * 20 + [1] * 5, np.arange(25.0))
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.025 ** (1 / 5), abs=1e-12)
    found = metrics.roc_auc_score([1] * 5 + [0] * 20, np.arange(25.0))
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 5), abs=1e-12)


def test_constant_scores_are_one_half_exactly_and_said_to_be_constant():
    found = metrics.roc_auc_score([0, 0, 1, 1], [0.3] * 4)
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)
    assert "same score" in str(found)


def test_the_level_widens_the_interval():
    rng = np.random.default_rng(1)
    true = np.repeat([0, 1], 50)
    scores = rng.normal(size=100) + true
    wide, narrow = (
        metrics.roc_auc_score(true, scores, interval=metrics.Interval(level=level)) for level in (0.99, 0.5)
    )
    assert wide.low < narrow.low < narrow.value == wide.value < narrow.high < wide.high
    assert (wide.level, narrow.level) == (0.99, 0.5)


def test_one_sample_of_a_class_is_too_few():
    with pytest.raises(ValueError, match="at least two samples of each class"):
        metrics.roc_auc_score([0, 0, 1], [0.1, 0.2, 0.3])
    assert metrics.roc_auc_score([0, 0, 1], [0.1, 0.2, 0.3], interval=None).value == 1


def test_delong_is_for_the_auc_of_two_classes_only():
    how = metrics.Interval(method="delong")
    with pytest.raises(ValueError, match="not for macro AUC"):
        metrics.roc_auc_score([0, 1, 2], np.eye(3), average="macro", interval=how)
    with pytest.raises(ValueError, match="not for average precision"):
        metrics.average_precision_score([0, 1], [0.1, 0.9], interval=how)
    with pytest.raises(ValueError, match="not for recall"):
        metrics.recall_score([0, 1], [0, 1], interval=how)
