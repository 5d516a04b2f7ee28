"""The arithmetic and the report of the feedback benchmark; nothing here imports Keras or times anything."""

from __future__ import annotations

import pytest

from bench.feedback import COLD, HEADING, PYTEST, WARM, WATCH, bars, renew, section

ROUNDS = {PYTEST: [5.0, 6.0, 10.0], COLD: [5.0, 5.0, 5.0], WARM: [1.5, 1.5, 1.0], WATCH: [1.0, 1.0, 2.0]}


def test_bars_are_met_at_their_bounds():
    found = {**ROUNDS, WATCH: [1.5, 1.0, 2.0], PYTEST: [7.5, 5.0, 10.0]}
    assert [bar.met for bar in bars(found)] == [True, True, True]


@pytest.mark.parametrize(
    ("changes", "met"),
    [
        ({WATCH: [1.51] * 3, PYTEST: [9.0] * 3}, [False, True, True]),
        ({PYTEST: [4.9] * 3}, [True, False, True]),
        ({WARM: [1.51] * 3}, [True, True, False]),
    ],
)
def test_each_bar_is_missed_alone(changes, met):
    assert [bar.met for bar in bars({**ROUNDS, WATCH: [1.0] * 3, **changes})] == met


def test_ratios_are_taken_round_by_round():
    text = section(ROUNDS, {"date": "today"})
    assert f"| {WATCH} | 1.00 (1.00–2.00) | 5.00 (5.00–6.00) |" in text
    assert f"| {PYTEST} | 6.00 (5.00–10.00) | 1 |" in text
    assert "| met | the same: faster than `pytest` | at least 5x | 5.00 (5.00–6.00)x |" in text


def test_a_report_keeps_its_other_parts_when_this_one_is_renewed():
    fresh = section(ROUNDS, {"date": "today"})
    once = renew("# Benchmark\n\n## One\n\ntext\n", fresh)
    assert once == f"# Benchmark\n\n## One\n\ntext\n\n{fresh}"
    later = f"{once}\n## Last\n\nmore\n"
    assert renew(later, fresh) == later
    assert renew(later, fresh.replace("today", "later")).count(HEADING) == 1
    assert renew(later, fresh).endswith("\n## Last\n\nmore\n")
