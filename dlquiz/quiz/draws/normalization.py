"""Drawn questions on batch, layer and instance normalization."""

from __future__ import annotations

import math
import random

from dlquiz.quiz.draws.drawn import Drawn, drawing
from dlquiz.quiz.draws.numbers import apart, tidy

# (a, b, s): the values m - a, m + a, m - b, m + b have the deviation s around m, for (a^2 + b^2) / 2 = s^2.
SPREADS = ((1, 7, 5), (2, 14, 10), (3, 21, 15), (7, 17, 13), (14, 34, 26), (7, 23, 17), (17, 31, 25))


def _four(rng: random.Random) -> tuple[list[int], int, int]:
    """Four whole numbers, their mean and their deviation, both whole."""
    a, b, deviation = rng.choice(SPREADS)
    mean = rng.randint(-6, 30)
    values = [mean - a, mean + a, mean - b, mean + b]
    rng.shuffle(values)
    return values, mean, deviation


@drawing("batch-norm-by-hand")
def batch_norm_by_hand(rng: random.Random) -> Drawn:
    """gamma (x - mu) / sigma + beta over a batch of four (Ioffe and Szegedy 2015, algorithm 1)."""
    values, mean, deviation = _four(rng)
    gamma, beta = rng.choice((0.5, 2, 3, 4)), rng.choice((-2, -1, 1, 2, 5))
    first = values[0]
    normal = tidy((first - mean) / deviation)
    answer = gamma * (first - mean) / deviation + beta
    return Drawn(
        values={
            **{f"x{place}": value for place, value in enumerate(values)},
            "gamma": gamma,
            "beta": beta,
            "mean": mean,
            "deviation": deviation,
            "variance": deviation**2,
            "normal": round(normal, 4),
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            ((first - mean) / deviation, "That is before the scale γ and the shift β."),
            (gamma * (first - mean) / deviation, "The shift β is missing."),
            ((first - mean) / deviation + beta, "The scale γ is missing."),
            (
                gamma * ((first - mean) / deviation + beta),
                "First scaled by γ, then shifted: β is not multiplied by γ.",
            ),
            (
                gamma * (first - mean) / (deviation * math.sqrt(4 / 3)) + beta,
                "The batch variance divides the squares by the number of samples, not by one less.",
            ),
            (
                gamma * (first - mean) / deviation**2 + beta,
                "Divide by the deviation, the root of the variance.",
            ),
            (gamma * first / deviation + beta, "The mean has to be subtracted."),
        ),
    )


@drawing("batch-norm-moving-mean")
def batch_norm_moving_mean(rng: random.Random) -> Drawn:
    """m <- rho m + (1 - rho) mu, from 0, over two batches (Keras, BatchNormalization)."""
    momentum = rng.choice((0.6, 0.7, 0.8, 0.9))
    first, second = rng.sample((-8, -6, -4, -2, 3, 5, 7, 10, 12), 2)
    rest = tidy(1 - momentum)
    after = tidy(rest * first)
    answer = tidy(momentum * after + rest * second)
    return Drawn(
        values={"momentum": momentum, "rest": rest, "first": first, "second": second, "after": after},
        answer=answer,
        mistakes=apart(
            answer,
            0.005,
            (
                rest * momentum * first + momentum * second,
                "In Keras the momentum weighs the old value, and 1 − momentum the new one (in PyTorch it is the "
                "other way round).",
            ),
            (after, "That is after the first batch."),
            (rest * second, "The second update keeps a share of what the first has left."),
            (
                momentum * first + rest * second,
                "The moving mean starts at 0, so the first batch, too, enters by 1 − momentum.",
            ),
            ((first + second) / 2, "That is the plain mean of the two."),
            (
                after + rest * second,
                "The old value is multiplied by the momentum before the new share is added.",
            ),
        ),
    )


@drawing("batch-norm-inference")
def batch_norm_inference(rng: random.Random) -> Drawn:
    """gamma (x - m) / sqrt(v) + beta with the moving statistics (Ioffe and Szegedy 2015, algorithm 2)."""
    deviation, mean = rng.choice((2, 4, 5, 10)), rng.randint(1, 9)
    batch_mean = mean + rng.choice((-3, -2, 2, 3))
    x = batch_mean + rng.choice((-6, -5, -1, 1, 4, 7))
    while x == mean:
        x += 1
    batch_deviation = rng.choice([one for one in (1, 2, 4, 5, 10) if one != deviation])
    gamma, beta = rng.choice((0.5, 2, 3)), rng.choice((-3, -1, 1, 4))
    answer = tidy(gamma * (x - mean) / deviation + beta)
    return Drawn(
        values={
            "x": x,
            "mean": mean,
            "variance": deviation**2,
            "deviation": deviation,
            "batch_mean": batch_mean,
            "batch_variance": batch_deviation**2,
            "gamma": gamma,
            "beta": beta,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            (
                gamma * (x - batch_mean) / batch_deviation + beta,
                "At inference the moving statistics are used; those of the batch are for training.",
            ),
            (gamma * (x - mean) / deviation**2 + beta, "Divide by the root of the variance."),
            (gamma * (x - mean) / deviation, "The shift β is missing."),
            ((x - mean) / deviation + beta, "The scale γ is missing."),
            ((x - mean) / deviation, "The learned γ and β are used at inference, too."),
        ),
    )


@drawing("layer-norm-by-hand")
def layer_norm_by_hand(rng: random.Random) -> Drawn:
    """gamma (x - mu) / sigma over the features of one sample (Ba, Kiros and Hinton 2016, equation 4)."""
    first, mean, deviation = _four(rng)
    second = [value + rng.choice((-9, -4, 5, 8)) for value in first]
    gamma = rng.choice((0.5, 2, 3))
    normal = (first[0] - mean) / deviation
    answer = gamma * normal
    column = (first[0] - second[0]) / 2
    total = first + second
    all_mean = sum(total) / 8
    all_deviation = math.sqrt(sum((value - all_mean) ** 2 for value in total) / 8)
    return Drawn(
        values={
            **{f"a{place}": value for place, value in enumerate(first)},
            **{f"b{place}": value for place, value in enumerate(second)},
            "gamma": gamma,
            "mean": mean,
            "deviation": deviation,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.005,
            (normal, "The scale γ is missing."),
            (
                gamma * column / abs(column),
                "That is batch normalization: mean and deviation of a column, over the batch.",
            ),
            (
                gamma * (first[0] - all_mean) / all_deviation,
                "Each sample is normalized by its own statistics, not by those of all.",
            ),
            (
                answer / math.sqrt(4 / 3),
                "The variance divides the squares by the number of features, not by one less.",
            ),
            (gamma * (first[0] - mean) / deviation**2, "Divide by the deviation, the root of the variance."),
            (gamma * (first[0] - mean), "It still has to be divided by the deviation."),
        ),
    )


@drawing("batch-norm-parameters")
def batch_norm_parameters(rng: random.Random) -> Drawn:
    """k^2 c_in c_out + 2 c_out trainable ones (Keras, BatchNormalization)."""
    kernel = rng.choice((1, 3, 5))
    c_in, c_out = rng.sample((3, 8, 16, 24, 32, 64), 2)
    weights = kernel**2 * c_in * c_out
    answer = weights + 2 * c_out
    return Drawn(
        values={"kernel": kernel, "c_in": c_in, "c_out": c_out, "weights": weights, "pair": 2 * c_out},
        answer=answer,
        mistakes=apart(
            answer,
            0,
            (weights + 4 * c_out, "Moving mean and variance are stored, but not trained."),
            (weights + 3 * c_out, "`use_bias=False`: the convolution has no biases here."),
            (weights, "γ and β of the normalization are trained."),
            (
                weights + 2 * c_in,
                "It normalizes the convolution's output: one γ and β for each of its channels.",
            ),
            (weights + 2, "There is a γ and a β for every channel, not one pair for the layer."),
        ),
    )


@drawing("values-behind-a-mean")
def values_behind_a_mean(rng: random.Random) -> Drawn:
    """How many values one mean is taken over (Wu and He 2018, section 3.1; Keras, LayerNormalization)."""
    n, h, w, c = (
        rng.choice((4, 8, 16)),
        rng.choice((5, 6, 7)),
        rng.choice((9, 10, 12)),
        rng.choice((3, 20, 32)),
    )
    over_batch = (
        n * h * w,
        "That is batch normalization's: over the batch and all places, for each channel.",
    )
    over_places = (h * w, "That is instance normalization's: over the places of one channel of one sample.")
    over_channels = (c, "That is the default of Keras' `LayerNormalization`: over the channels at one place.")
    over_sample = (h * w * c, "That is a whole sample: group normalization with one group.")
    kinds: dict[str, tuple[int, str]] = {
        "batch normalization (`axis=-1`)": over_batch,
        "instance normalization": over_places,
        "layer normalization as the default of Keras' `LayerNormalization` has it": over_channels,
        "group normalization with one group": over_sample,
    }
    name = rng.choice(list(kinds))
    answer = kinds[name][0]
    axes = dict(
        zip(
            kinds,
            (f"{n} · {h} · {w}", f"{h} · {w}", f"{c}", f"{h} · {w} · {c}"),
            strict=True,
        )
    )
    return Drawn(
        values={"name": name, "n": n, "h": h, "w": w, "c": c, "product": axes[name]},
        answer=answer,
        mistakes=apart(
            answer,
            0,
            over_batch,
            over_places,
            over_channels,
            over_sample,
            (
                n,
                "That is over the samples alone, as batch normalization of vectors has it; maps have places, too.",
            ),
            (n * h * w * c, "No normalization of this kind takes one mean over the whole tensor."),
        ),
    )


@drawing("batch-norm-folded-bias")
def batch_norm_folded_bias(rng: random.Random) -> Drawn:
    """beta + gamma (b - m) / sigma (Jacob et al. 2018, section 3.2)."""
    deviation = rng.choice((2, 4, 5, 10))
    mean, bias = rng.sample((-6, -4, -3, 1, 2, 5, 8), 2)
    gamma, beta = rng.choice((0.5, 2, 3)), rng.choice((-2, -1, 1, 3))
    answer = tidy(beta + gamma * (bias - mean) / deviation)
    if abs(answer) < 0.05:
        beta += 1
        answer = tidy(answer + 1)
    scale = tidy(gamma / deviation)
    return Drawn(
        values={
            "deviation": deviation,
            "variance": deviation**2,
            "mean": mean,
            "bias": bias,
            "gamma": gamma,
            "beta": beta,
            "scale": scale,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            (beta + gamma * bias / deviation, "The moving mean is subtracted as well."),
            (bias + beta - gamma * mean / deviation, "The bias of the convolution is scaled by γ/√v, too."),
            (
                beta - gamma * mean / deviation,
                "The convolution's own bias goes through the normalization as well.",
            ),
            (beta + gamma * (bias - mean) / deviation**2, "Divide by the root of the variance."),
            (beta + gamma * (bias + mean) / deviation, "The moving mean is subtracted, not added."),
            (gamma * (bias - mean) / deviation, "The shift β is missing."),
        ),
    )
