"""What the benchmark of the metrics says; nothing here is timed."""

from __future__ import annotations

import pytest

from bench.measure import Spread
from bench.metrics import Timed, bars, measure, section


@pytest.mark.parametrize(("middle", "met"), [(2.0, True), (2.01, False)])
def test_the_slowest_call_decides(middle, met):
    timed = [
        Timed("one", Spread(0.1, 0.1, 9.0)),
        Timed("other", Spread(middle, 0.2, 3.0)),
        Timed("third", Spread(1, 1, 1)),
    ]
    (bar,) = bars(timed)
    assert bar.met is met
    assert bar.what == "1,000 resamples of 10,000 scores, the slowest (other)"
    assert bar.found.startswith(f"{middle:.2f} (0.20–3.00)")


def test_every_call_is_in_the_report(monkeypatch):
    monkeypatch.setattr("bench.metrics.SAMPLES", 100)
    timed = measure(rounds=1)
    assert all(one.seconds.low > 0 for one in timed)
    rows = [line for line in section(timed).splitlines() if line.startswith("| ")][2:]
    assert [row.split(" | ")[0][2:] for row in rows] == [one.what for one in timed]
