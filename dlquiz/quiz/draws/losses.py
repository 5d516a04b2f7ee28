"""Drawn questions on losses: regression, cross-entropy, hinge and margins."""

from __future__ import annotations

import math
import random

from dlquiz.quiz.draws.drawn import Drawn, drawing
from dlquiz.quiz.draws.numbers import apart, signed, tidy

# (w0, w1, length) with a whole length.
WHOLE_LENGTHS = ((3, 4, 5), (4, 3, 5), (6, 8, 10), (8, 6, 10), (5, 12, 13), (12, 5, 13))
PROBABILITIES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
_UNLIKELY = "That is for the other label: take the probability given to what came true."
_BASE_TEN = "That is with the logarithm to base 10; the natural one was asked for."
_NO_LOGARITHM = "That is the probability of what came true; the loss is its negative logarithm."


def _three_errors(rng: random.Random) -> tuple[dict[str, int | float | str], list[int]]:
    targets = [rng.randint(0, 9) for _ in range(3)]
    # sizes that differ, so that no two averages of them agree
    errors = signed(rng, *rng.sample(range(1, 7), 3))
    values: dict[str, int | float | str] = {}
    for place, (target, error) in enumerate(zip(targets, errors, strict=True)):
        values |= {f"t{place}": target, f"o{place}": target + error, f"e{place}": error}
    return values, errors


@drawing("mse-of-three")
def mse_of_three(rng: random.Random) -> Drawn:
    """(1/n) sum_i (o_i - t_i)^2 (Goodfellow et al. 2016, section 5.1.4)."""
    values, errors = _three_errors(rng)
    total = sum(error**2 for error in errors)
    answer = total / 3
    return Drawn(
        values={**values, "total": total},
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            (total, "That is the sum of the squares; the mean divides it by 3."),
            (total / 6, "There is no factor ½ in the mean squared error as it was asked for."),
            (sum(map(abs, errors)) / 3, "That is the mean absolute error: the errors have to be squared."),
            (math.sqrt(answer), "That is its root, the RMSE."),
            ((sum(errors) / 3) ** 2, "Square each error first, then average."),
            (sum(errors) / 3, "Without squares, errors of different sign cancel."),
        ),
    )


@drawing("absolute-error-of-three")
def absolute_error_of_three(rng: random.Random) -> Drawn:
    """(1/n) sum_i |o_i - t_i| (Keras, MeanAbsoluteError)."""
    values, errors = _three_errors(rng)
    total = sum(map(abs, errors))
    answer = total / 3
    return Drawn(
        values={**values, "total": total},
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            (total, "That is the sum; the mean divides it by 3."),
            (sum(errors) / 3, "The signs have to go first, or errors of different sign cancel."),
            (sum(error**2 for error in errors) / 3, "That is the mean squared error."),
            (sorted(map(abs, errors))[1], "That is the median of the absolute errors, not their mean."),
        ),
    )


@drawing("huber-of-one-error")
def huber_of_one_error(rng: random.Random) -> Drawn:
    """e^2/2 for |e| <= delta, else delta (|e| - delta/2) (Huber 1964; Keras, Huber)."""
    delta = rng.choice((0.5, 1, 1.5, 2))
    inside = rng.random() < 0.4
    border = round(delta * 10)
    tenths = rng.randint(1, border - 1) if inside else rng.randint(border + 1, border + 30)
    truth = rng.randint(0, 80)
    prediction = truth + tenths * rng.choice((-1, 1))
    size = tenths / 10
    parabola, line = size**2 / 2, delta * (size - delta / 2)
    answer = tidy(parabola if inside else line)
    return Drawn(
        values={
            "truth": tidy(truth / 10),
            "prediction": tidy(prediction / 10),
            "delta": delta,
            "size": tidy(size),
            "branch": "quadratic" if inside else "linear",
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (
                line if inside else parabola,
                "That is the other piece: compare the size of the error with δ first.",
            ),
            (delta * (size - delta), "The straight line takes off δ/2, so that it meets the parabola."),
            (size**2, "The parabola has a factor ½, and it holds up to δ only."),
            (size, "That is the absolute error."),
            (size - delta / 2, "The straight piece has the slope δ."),
        ),
    )


@drawing("total-squared-error-of-two")
def total_squared_error_of_two(rng: random.Random) -> Drawn:
    """sum_i (t_i - o_i)^2 / 2 (Rumelhart, Hinton and Williams 1986)."""
    targets = rng.choice(((0, 1), (1, 0), (1, 1), (0, 0)))
    outputs = [tidy(tenths / 10) for tenths in rng.sample(range(1, 10), 2)]
    errors = [tidy(target - output) for target, output in zip(targets, outputs, strict=True)]
    total = sum(error**2 for error in errors)
    answer = tidy(total / 2)
    return Drawn(
        values={
            "t0": targets[0],
            "t1": targets[1],
            "o0": outputs[0],
            "o1": outputs[1],
            "e0": errors[0],
            "e1": errors[1],
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (total, "The factor ½ is missing."),
            (total / 4, "The formula sums over the outputs; only the ½ divides."),
            (sum(map(abs, errors)) / 2, "The differences have to be squared."),
            (sum(errors) ** 2 / 2, "Square each difference first, then add."),
        ),
    )


@drawing("bce-of-one-probability")
def bce_of_one_probability(rng: random.Random) -> Drawn:
    """-y ln p - (1 - y) ln(1 - p) (Goodfellow et al. 2016, section 6.2.2.2)."""
    p, y = rng.choice(PROBABILITIES), rng.choice((0, 1))
    right = tidy(p if y else 1 - p)
    answer = -math.log(right)
    return Drawn(
        values={"p": p, "y": y, "right_p": right},
        answer=answer,
        mistakes=apart(
            answer,
            0.002,
            (-math.log(1 - right), _UNLIKELY),
            (-math.log10(right), _BASE_TEN),
            (-math.log2(right), "That is in bits, to base 2; the natural logarithm was asked for."),
            (right, _NO_LOGARITHM),
            (-answer, "The sign: the logarithm of a probability is negative, the loss is minus that."),
            (
                1 - right,
                "One minus the probability of what came true is no cross-entropy: take minus its logarithm.",
            ),
        ),
    )


@drawing("bce-of-one-logit")
def bce_of_one_logit(rng: random.Random) -> Drawn:
    """ln(1 + e^-z) for y = 1, ln(1 + e^z) for y = 0 (Prince 2023, section 5.4)."""
    z = tidy(rng.choice((-1, 1)) * rng.randint(1, 6) / 2)
    y = rng.choice((0, 1))
    p = 1 / (1 + math.exp(-z))
    right = p if y else 1 - p
    answer = -math.log(right)
    return Drawn(
        values={"z": z, "y": y, "p": p, "right_p": right},
        answer=answer,
        mistakes=apart(
            answer,
            0.002,
            (-math.log(1 - right), _UNLIKELY),
            (right, _NO_LOGARITHM),
            (-math.log10(right), _BASE_TEN),
            (-answer, "The sign: the logarithm of a probability is negative, the loss is minus that."),
            (p - y, "That is the gradient with respect to z, not the loss."),
        ),
    )


@drawing("softmax-loss-by-hand")
def softmax_loss_by_hand(rng: random.Random) -> Drawn:
    """-ln(e^{s_y} / sum_j e^{s_j}) (Bishop 2006, section 4.3.4)."""
    scores = rng.sample(range(-1, 4), 3)
    y = rng.randrange(3)
    total = sum(map(math.exp, scores))
    p = math.exp(scores[y]) / total
    answer = -math.log(p)
    plain = scores[y] / sum(scores) if sum(scores) else 0.0
    mistakes = [
        (p, "That is the softmax probability; the loss is its negative logarithm."),
        (-math.log10(p), _BASE_TEN),
        (-math.log(p / (1 - p)), "The sum in the denominator runs over all classes, the right one included."),
        (1 - p, "1 − p is no cross-entropy: take the negative logarithm of p."),
        (math.log(total), "The right class's logit still has to be subtracted."),
    ]
    if plain > 0:
        mistakes.append((-math.log(plain), "Exponentiate the logits before dividing."))
    return Drawn(
        values={"s0": scores[0], "s1": scores[1], "s2": scores[2], "y": y, "total": total, "p": p},
        answer=answer,
        mistakes=apart(answer, 0.01, *mistakes),
    )


@drawing("nll-batch-mean")
def nll_batch_mean(rng: random.Random) -> Drawn:
    """(1/N) sum_i -ln p_i (Goodfellow et al. 2016, section 5.5)."""
    given = rng.sample(PROBABILITIES, 3)
    losses = [-math.log(p) for p in given]
    answer = sum(losses) / 3
    return Drawn(
        values={
            **{f"p{place}": p for place, p in enumerate(given)},
            **{f"l{place}": loss for place, loss in enumerate(losses)},
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.002,
            (-math.log(sum(given) / 3), "Take the logarithms first, then the mean: the order matters."),
            (sum(losses), "That is the sum over the batch; the mean divides it by 3."),
            (answer / math.log(10), _BASE_TEN),
            (1 - sum(given) / 3, "Take the negative logarithm of each probability."),
            (-answer, "The sign: minus the logarithm of a probability is positive."),
        ),
    )


def _violations(scores: list[int], y: int, margin: int) -> list[int]:
    """Of the wrong classes, in the unit of the scores, not cut off at 0."""
    return [score - scores[y] + margin for place, score in enumerate(scores) if place != y]


def _cut(violations: list[int]) -> int:
    return sum(max(0, violation) for violation in violations)


@drawing("hinge-of-scores")
def hinge_of_scores(rng: random.Random) -> Drawn:
    """sum over j != y of max(0, s_j - s_y + 1) (Weston and Watkins 1999)."""
    # in tenths, so that the sums are exact
    scores = rng.sample(range(-20, 45), 3)
    y = rng.randrange(3)
    found = _violations(scores, y, 10)
    answer = tidy(_cut(found) / 10)
    return Drawn(
        values={
            **{f"s{place}": tidy(score / 10) for place, score in enumerate(scores)},
            "y": y,
            "first": tidy(max(0, found[0]) / 10),
            "second": tidy(max(0, found[1]) / 10),
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            (answer + 1, "The right class itself is left out of the sum; it would always add 1."),
            (_cut(_violations(scores, y, 0)) / 10, "The margin of 1 is missing."),
            (sum(found) / 10, "Each term is cut off at 0: a class that is far behind brings nothing back."),
            (max(0, *found) / 10, "All violations are added up, not the worst one alone."),
            (answer / 2, "The wrong classes are summed, not averaged."),
            (
                _cut([20 - violation for violation in found]) / 10,
                "The sign is turned round: it costs when a wrong score comes near the right one.",
            ),
        ),
    )


@drawing("hinge-batch-mean")
def hinge_batch_mean(rng: random.Random) -> Drawn:
    """(1/N) sum_i of the samples' hinge losses (CS231n, linear classification)."""
    first_scores, second_scores = rng.sample(range(-20, 45), 3), rng.sample(range(-20, 45), 3)
    both = (first_scores, 0), (second_scores, 1)
    found = [_violations(scores, y, 10) for scores, y in both]
    first, second = (_cut(violations) for violations in found)
    answer = tidy((first + second) / 20)
    return Drawn(
        values={
            **{f"a{place}": tidy(score / 10) for place, score in enumerate(first_scores)},
            **{f"b{place}": tidy(score / 10) for place, score in enumerate(second_scores)},
            "first": tidy(first / 10),
            "second": tidy(second / 10),
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            ((first + second) / 10, "That is the sum; the mean divides it by the number of samples, 2."),
            (answer + 1, "The right class is left out of each sample's sum; it would always add 1."),
            (sum(_cut(_violations(*one, 0)) for one in both) / 20, "The margin of 1 is missing."),
            (sum(map(sum, found)) / 20, "Each term is cut off at 0."),
            (sum(max(0, *violations) for violations in found) / 20, "Add up all violations of a sample."),
            ((first + second) / 40, "Divide by the samples only; the wrong classes are summed."),
            ((first + second) / 60, "Divide by the samples only; the classes are summed."),
        ),
    )


@drawing("geometric-margin")
def geometric_margin(rng: random.Random) -> Drawn:
    """y (w x + b) / |w| (Bishop 2006, section 7.1)."""
    *sizes, norm = rng.choice(WHOLE_LENGTHS)
    w0, w1 = signed(rng, *sizes)
    x0, x1 = rng.randint(-4, 4), rng.randint(1, 4)
    b, y = rng.choice((-7, -5, -3, -2, 2, 3, 5, 7)), rng.choice((-1, 1))
    value = w0 * x0 + w1 * x1 + b
    functional = y * value
    answer = tidy(functional / norm)
    return Drawn(
        values={
            "w0": w0,
            "w1": w1,
            "b": b,
            "x0": x0,
            "x1": x1,
            "y": y,
            "value": value,
            "functional": functional,
            "norm": norm,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            (functional, "That is the functional margin; it still has to be divided by ‖w‖."),
            (
                -answer,
                "The label gives the sign: multiply by y."
                if y < 0
                else "The sign is turned round: with the label 1 it is that of w·x + b.",
            ),
            (functional / norm**2, "Divide by ‖w‖, not by its square."),
            (y * (value - b) / norm, "The bias b belongs to the numerator."),
            (functional / sum(sizes), "‖w‖ is the root of the sum of squares, not the sum of the sizes."),
        ),
    )


@drawing("soft-margin-objective")
def soft_margin_objective(rng: random.Random) -> Drawn:
    """|w|^2 / 2 + C sum_i max(0, 1 - m_i) (Cortes and Vapnik 1995)."""
    w0, w1 = signed(rng, *rng.sample(range(1, 5), 2))
    c = rng.choice((0.5, 2, 5, 10))
    # one beyond the margin, one inside it, one misclassified; in tenths
    margins = [rng.randint(11, 30), rng.randint(1, 9), -rng.randint(1, 20)]
    rng.shuffle(margins)
    slacks = [max(0, 10 - margin) for margin in margins]
    square, slack = w0**2 + w1**2, sum(slacks) / 10
    half = square / 2
    answer = tidy(half + c * slack)
    return Drawn(
        values={
            "w0": w0,
            "w1": w1,
            "c": c,
            "half": tidy(half),
            "slack": tidy(slack),
            **{f"m{place}": tidy(margin / 10) for place, margin in enumerate(margins)},
            **{f"k{place}": tidy(one / 10) for place, one in enumerate(slacks)},
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            (
                half + c * (3 - sum(margins) / 10),
                "A sample beyond the margin has slack 0, not a negative one.",
            ),
            (square + c * slack, "The factor ½ before ‖w‖² is missing."),
            (half + slack, "The slacks have to be multiplied by C."),
            (
                half + c * sum(max(0, -margin) for margin in margins) / 10,
                "Slack is measured from the margin 1: samples inside the strip pay as well.",
            ),
            (half + c * slack / 3, "The slacks are summed, not averaged."),
            (math.sqrt(square) / 2 + c * slack, "‖w‖ is squared in the objective."),
            (c * slack, "The term ½‖w‖² is missing."),
        ),
    )
