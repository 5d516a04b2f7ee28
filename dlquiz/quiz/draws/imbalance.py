"""Drawn questions on imbalanced classes: confusion matrices, rankings, thresholds, weights and sampling."""

from __future__ import annotations

import math
import random

from dlquiz.quiz.draws.drawn import Drawn, drawing
from dlquiz.quiz.draws.numbers import apart, tidy


def _counts(rng: random.Random) -> dict[str, int | float | str]:
    """A matrix with few positives; `found` + `missed` of them are positive."""
    found, missed, alarms = rng.sample(range(3, 30), 3)
    return {"found": found, "missed": missed, "alarms": alarms, "quiet": 10 * rng.randint(8, 40) - alarms}


def _four(values: dict[str, int | float | str]) -> tuple[int, int, int, int]:
    found, missed, alarms, quiet = (int(values[name]) for name in ("found", "missed", "alarms", "quiet"))
    return found, missed, alarms, quiet


@drawing("precision-of-a-matrix")
def precision_of_a_matrix(rng: random.Random) -> Drawn:
    """TP / (TP + FP) (Fawcett 2006, figure 1)."""
    values = _counts(rng)
    found, missed, alarms, quiet = _four(values)
    answer = found / (found + alarms)
    return Drawn(
        values={**values, "said": found + alarms},
        answer=answer,
        mistakes=apart(
            answer,
            0.006,
            (found / (found + missed), "That is the recall: it divides by all that are positive."),
            ((found + quiet) / (found + missed + alarms + quiet), "That is the accuracy."),
            (quiet / (quiet + alarms), "That is the specificity, the share of the negatives left in peace."),
            (alarms / (found + alarms), "That is the share of false alarms among the alarms, 1 − precision."),
        ),
    )


@drawing("f1-of-a-matrix")
def f1_of_a_matrix(rng: random.Random) -> Drawn:
    """2 TP / (2 TP + FP + FN) (van Rijsbergen 1979)."""
    values = _counts(rng)
    found, missed, alarms, quiet = _four(values)
    precision, recall = found / (found + alarms), found / (found + missed)
    answer = 2 * found / (2 * found + alarms + missed)
    return Drawn(
        values={**values, "precision": precision, "recall": recall},
        answer=answer,
        mistakes=apart(
            answer,
            0.006,
            (
                (precision + recall) / 2,
                "F1 is the harmonic mean of precision and recall, not the arithmetic one.",
            ),
            (precision, "That is the precision alone."),
            (recall, "That is the recall alone."),
            (found / (found + alarms + missed), "The true positives count twice, above and below the line."),
            ((found + quiet) / (found + missed + alarms + quiet), "That is the accuracy."),
        ),
    )


@drawing("balanced-accuracy-of-a-matrix")
def balanced_accuracy_of_a_matrix(rng: random.Random) -> Drawn:
    """(recall + specificity) / 2 (Brodersen et al. 2010)."""
    values = _counts(rng)
    found, missed, alarms, quiet = _four(values)
    recall, specificity = found / (found + missed), quiet / (quiet + alarms)
    answer = (recall + specificity) / 2
    return Drawn(
        values={**values, "recall": recall, "specificity": specificity},
        answer=answer,
        mistakes=apart(
            answer,
            0.006,
            ((found + quiet) / (found + missed + alarms + quiet), "That is the plain accuracy."),
            (recall, "That is the recall; the negatives count for half."),
            (specificity, "That is the specificity; the positives count for half."),
            (
                (recall + found / (found + alarms)) / 2,
                "The second half is the specificity, not the precision.",
            ),
        ),
    )


@drawing("mcc-of-a-matrix")
def mcc_of_a_matrix(rng: random.Random) -> Drawn:
    """(TP TN - FP FN) / sqrt((TP+FP)(TP+FN)(TN+FP)(TN+FN)) (Matthews 1975)."""
    while True:
        found, missed, alarms, quiet = (rng.randint(1, 12) for _ in range(4))
        above = found * quiet - alarms * missed
        sums = (found + alarms, found + missed, quiet + alarms, quiet + missed)
        below = math.sqrt(math.prod(sums))
        if abs(above / below) >= 0.1:
            break
    answer = above / below
    return Drawn(
        values={
            "found": found,
            "missed": missed,
            "alarms": alarms,
            "quiet": quiet,
            "above": above,
            "below": below,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            (-answer, "The right decisions, TP · TN, stand first."),
            ((found * quiet + alarms * missed) / below, "The product of the errors is subtracted."),
            (above / math.prod(sums), "The root over the four sums is missing."),
            (2 * found / (2 * found + alarms + missed), "That is F1, which leaves the true negatives out."),
        ),
    )


@drawing("balanced-class-weight")
def balanced_class_weight(rng: random.Random) -> Drawn:
    """n / (k n_c) (scikit-learn, compute_class_weight)."""
    counts = [10 * tens for tens in rng.sample(range(2, 90), 3)]
    rarest, total = min(counts), sum(counts)
    answer = total / (3 * rarest)
    return Drawn(
        values={
            "first": counts[0],
            "second": counts[1],
            "third": counts[2],
            "rarest": rarest,
            "total": total,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            (
                total / rarest,
                "The number of classes divides as well, so that the weights average 1 over the data.",
            ),
            (
                max(counts) / rarest,
                "That is relative to the commonest class; here it is relative to the mean size.",
            ),
            (total / (3 * max(counts)), "That is the weight of the commonest class."),
            (3 * rarest / total, "Turned round: rare classes get large weights."),
            (rarest / total, "That is the share of the class; its weight grows as the share falls."),
        ),
    )


@drawing("auc-of-few-scores")
def auc_of_few_scores(rng: random.Random) -> Drawn:
    """P(score of a positive > of a negative) + P(equal) / 2 (Fawcett 2006, section 7)."""
    while True:
        positives = [rng.randint(3, 9) for _ in range(3)]
        negatives = [rng.randint(1, 7) for _ in range(4)]
        pairs = [(one, other) for one in positives for other in negatives]
        wins = sum(one > other for one, other in pairs)
        ties = sum(one == other for one, other in pairs)
        if ties and wins >= 3:
            break
    answer = (wins + ties / 2) / 12
    return Drawn(
        values={
            "positives": ", ".join(f"{score / 10:g}" for score in positives),
            "negatives": ", ".join(f"{score / 10:g}" for score in negatives),
            "wins": wins,
            "ties": ties,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.006,
            (wins / 12, "A tie counts half, not nothing."),
            ((wins + ties) / 12, "A tie counts half, not in full."),
            (1 - answer, "That is the share of pairs in the wrong order."),
            ((wins + ties / 2) / 7, "Divide by the number of pairs, 3 · 4, not by the number of samples."),
        ),
    )


@drawing("average-precision-of-a-ranking")
def average_precision_of_a_ranking(rng: random.Random) -> Drawn:
    """Mean over the positives of the precision at each one's rank (Manning et al. 2008, section 8.4)."""
    labels = [1] * rng.randint(2, 4)
    labels += [0] * (8 - len(labels))
    rng.shuffle(labels)
    hits = [place for place, label in enumerate(labels, 1) if label]
    count = len(hits)
    precisions = [found / place for found, place in enumerate(hits, 1)]
    answer = sum(precisions) / count
    return Drawn(
        values={
            "ranking": " ".join("+" if label else "−" for label in labels),
            "ranks": ", ".join(map(str, hits)),
            "parts": ", ".join(f"{found}/{place}" for found, place in enumerate(hits, 1)),
            "count": count,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.006,
            (count / 8, "That is the base rate, which a random order gets on average for many samples."),
            (
                sum(sum(labels[:place]) / place for place in range(1, 9)) / 8,
                "Only the ranks of positives count; precision at the other ranks is left out.",
            ),
            (
                sum(1 / place for place in hits) / count,
                "Above the line stands how many positives came so far.",
            ),
            (sum(labels[:count]) / count, f"That is the precision of the first {count} alone."),
            (sum(precisions) / 8, "Divide by the number of positives, not by that of all samples."),
        ),
    )


@drawing("cost-at-a-threshold")
def cost_at_a_threshold(rng: random.Random) -> Drawn:
    """c_FP FP + c_FN FN, positive when the score is at least the threshold (Elkan 2001)."""
    tenths = rng.randint(3, 7)
    miss, alarm = rng.choice((5, 10, 20, 50)), rng.choice((1, 2, 3))
    while True:
        scores = [10 * rng.randint(0, 9) + rng.randint(1, 9) for _ in range(8)]
        positives, negatives = sorted(scores[:3], reverse=True), sorted(scores[3:], reverse=True)
        misses = sum(score < 10 * tenths for score in positives)
        alarms = sum(score >= 10 * tenths for score in negatives)
        if misses and alarms:
            break
    answer = misses * miss + alarms * alarm
    return Drawn(
        values={
            "positives": ", ".join(f"{score / 100:.2f}" for score in positives),
            "negatives": ", ".join(f"{score / 100:.2f}" for score in negatives),
            "threshold": tenths / 10,
            "miss": miss,
            "alarm": alarm,
            "misses": misses,
            "alarms": alarms,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0,
            (
                misses * alarm + alarms * miss,
                "The two costs are swapped: a miss is a positive below the threshold.",
            ),
            (misses + alarms, "That counts the errors; each has its own cost."),
            (misses * miss, "The false alarms cost something too."),
            (alarms * alarm, "The misses cost something too."),
            (
                (3 - misses) * miss + (5 - alarms) * alarm,
                "That is the cost of the right decisions: turned round.",
            ),
        ),
    )


@drawing("precision-from-rates")
def precision_from_rates(rng: random.Random) -> Drawn:
    """pi TPR / (pi TPR + (1 - pi) FPR), Bayes' rule (Bishop 2006, section 1.2)."""
    while True:
        base, recall, alarm = rng.choice((0.5, 1, 2, 4, 5, 10)), 5 * rng.randint(12, 19), rng.randint(1, 10)
        found, alarms = base * recall, (100 - base) * alarm
        answer = found / (found + alarms)
        if answer >= 0.05:
            break
    return Drawn(
        values={
            "base": base,
            "recall": recall,
            "alarm": alarm,
            "found": tidy(found),
            "alarms": tidy(alarms),
            "rest": tidy(100 - base),
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.006,
            (recall / 100, "That is the recall: the share of the positives that is found."),
            (recall / (recall + alarm), "That holds when positives and negatives are equally many."),
            (1 - alarm / 100, "That is the specificity; it is about the negatives."),
            (
                base / (base + alarm),
                "The false alarm rate is a share of the healthy alone, and of the ill only those found count.",
            ),
        ),
    )


@drawing("probability-after-under-sampling")
def probability_after_under_sampling(rng: random.Random) -> Drawn:
    """beta p_s / (beta p_s + 1 - p_s) (Dal Pozzolo et al. 2015, equation 4)."""
    while True:
        percent, tenths = rng.choice((2, 4, 5, 10, 20, 25, 50)), rng.randint(2, 9)
        kept, said = percent / 100, tenths / 10
        answer = kept * said / (kept * said + 1 - said)
        if answer >= 0.03:
            break
    return Drawn(
        values={"percent": percent, "kept": kept, "said": said, "rest": tidy(1 - said)},
        answer=answer,
        mistakes=apart(
            answer,
            0.006,
            (said, "The model learned from data with too many positives; its probability is too high."),
            (
                kept * said,
                "The probabilities have to add up to 1 again: correct the odds, not the probability.",
            ),
            (
                said / (said + kept * (1 - said)),
                "Turned round: negatives are in truth more frequent, not rarer.",
            ),
        ),
    )
