"""Pictures of ROC curves, of precision against recall, and of both over the threshold."""

from __future__ import annotations

from statistics import NormalDist

from dlquiz.quiz.plots.plot import Line, Plot, plotting

_NORMAL = NormalDist()
_RATES = tuple(percent / 100 for percent in range(1, 100))
# Scores of the picture over the threshold, in hundredths; the highest one belongs to a negative.
POSITIVES = (34, 45, 52, 57, 61, 66, 71, 75, 79, 84, 88, 91)
NEGATIVES = (3, 6, 9, 12, 15, 18, 21, 24, 28, 31, 35, 38, 41, 44, 47, 50, 54, 59, 64, 73, 95)


def _roc(shift: float, slope: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """TPR = Phi(shift + slope Phi^-1(FPR)), the binormal curve (Fawcett 2006)."""
    rates = tuple(_NORMAL.cdf(shift + slope * _NORMAL.inv_cdf(rate)) for rate in _RATES)
    return (0.0, *_RATES, 1.0), (0.0, *rates, 1.0)


@plotting("roc-of-two-models")
def roc_of_two_models() -> Plot:
    """Two binormal curves that cross; the second has the larger area (Fawcett 2006)."""
    return Plot(
        title="ROC curves of two models",
        x_label="false positive rate",
        y_label="true positive rate",
        lines=(
            Line("model 1", *_roc(1.2, 0.6)),
            Line("model 2", *_roc(2.1, 1.6)),
            Line("chance", (0.0, 1.0), (0.0, 1.0)),
        ),
        alt=(
            "At the false positive rates 0.05, 0.1, 0.2, 0.4 and 0.6, model 1 has the true positive rates 0.58, 0.67, "
            "0.76, 0.85 and 0.91, model 2 has 0.30, 0.52, 0.77, 0.95 and 0.99. The line of chance is the diagonal."
        ),
    )


@plotting("precision-recall-base-rates")
def precision_recall_base_rates() -> Plot:
    """One ROC curve, TPR = Phi(2 + Phi^-1(FPR)), at the base rates 10 %, 50 % and 1 % (Saito & Rehmsmeier 2015)."""
    recalls = tuple(percent / 100 for percent in range(2, 101, 2))
    alarms = tuple(_NORMAL.cdf(_NORMAL.inv_cdf(recall) - 2) if recall < 1 else 1.0 for recall in recalls)

    def precisions(base: float) -> tuple[float, ...]:
        return tuple(
            base * recall / (base * recall + (1 - base) * alarm)
            for recall, alarm in zip(recalls, alarms, strict=True)
        )

    return Plot(
        title="One model on three populations",
        x_label="recall",
        y_label="precision",
        lines=tuple(
            Line(f"population {number}", recalls, precisions(base))
            for number, base in enumerate((0.1, 0.5, 0.01), 1)
        ),
        alt=(
            "All curves fall. At the recalls 0.2, 0.5, 0.8 and 1, population 1 has the precisions 0.91, 0.71, 0.42 and "
            "0.10, population 2 has 0.99, 0.96, 0.87 and 0.50, population 3 has 0.47, 0.18, 0.06 and 0.01."
        ),
    )


@plotting("three-rates-over-threshold")
def three_rates_over_threshold() -> Plot:
    """Recall, precision and false positive rate of fixed scores, positive when the score is at least the threshold."""
    thresholds = range(0, 95, 2)

    def above(scores: tuple[int, ...], threshold: int) -> int:
        return sum(score >= threshold for score in scores)

    found = [above(POSITIVES, threshold) for threshold in thresholds]
    alarms = [above(NEGATIVES, threshold) for threshold in thresholds]
    axis = tuple(threshold / 100 for threshold in thresholds)
    return Plot(
        title="Three rates of one classifier",
        x_label="threshold",
        y_label="rate",
        lines=(
            Line("curve 1", axis, tuple(alarm / len(NEGATIVES) for alarm in alarms)),
            Line(
                "curve 2", axis, tuple(hit / (hit + alarm) for hit, alarm in zip(found, alarms, strict=True))
            ),
            Line("curve 3", axis, tuple(hit / len(POSITIVES) for hit in found)),
        ),
        alt=(
            "At the thresholds 0, 0.3, 0.6, 0.8, 0.9 and 0.94, curve 1 has the values 1, 0.57, 0.14, 0.05, 0.05 and "
            "0.05, curve 2 has 0.36, 0.5, 0.73, 0.75, 0.5 and 0, curve 3 has 1, 1, 0.67, 0.25, 0.08 and 0."
        ),
    )
