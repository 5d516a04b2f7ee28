"""Drawn questions on networks, epochs and batches, on data and on images."""

from __future__ import annotations

import itertools
import math
import random

from dlquiz.quiz.draws.drawn import Drawn, drawing
from dlquiz.quiz.draws.numbers import apart, signed, tidy


@drawing("epoch-updates")
def epoch_updates(rng: random.Random) -> Drawn:
    """epochs * ceil(N / B), the smaller last batch kept (Keras, `fit`)."""
    batch = rng.choice((16, 32, 64, 100, 128))
    whole, rest = rng.randint(5, 60), rng.randint(1, batch - 1)
    samples, epochs = whole * batch + rest, rng.randint(2, 20)
    answer = epochs * (whole + 1)
    return Drawn(
        values={"samples": samples, "batch": batch, "epochs": epochs, "whole": whole, "rest": rest,
                "steps": whole + 1},
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (epochs * whole, "The smaller batch at the end of each epoch makes an update as well."),
            (whole + 1, "That is one epoch."),
            (math.ceil(samples * epochs / batch), "No batch reaches into the next epoch: round up in each epoch."),
            (samples * epochs, "That would be one update for each sample."),
            (epochs, "There is one update for each batch, not for each epoch."),
        ),
    )  # fmt: skip


@drawing("last-batch-size")
def last_batch_size(rng: random.Random) -> Drawn:
    """N mod B."""
    batch = rng.choice((24, 32, 48, 50, 64, 128))
    whole, rest = rng.randint(8, 40), rng.randint(1, batch - 1)
    return Drawn(
        values={"samples": whole * batch + rest, "batch": batch, "whole": whole, "full": whole * batch},
        answer=rest,
        mistakes=apart(
            rest,
            0.001,
            (batch, "That would need a number of samples divisible by the batch size."),
            (whole, "That is the number of full batches."),
            (whole + 1, "That is the number of batches."),
            (batch - rest, "That many samples are missing to a full batch."),
        ),
    )


@drawing("multi-gpu-steps")
def multi_gpu_steps(rng: random.Random) -> Drawn:
    """ceil(N / (B G)): data-parallel training, one update for each global batch (Goyal et al. 2017)."""
    gpus, batch = rng.choice((2, 4, 8)), rng.choice((16, 32, 64))
    total = gpus * batch
    steps = rng.randint(10, 90)
    samples = steps * total
    return Drawn(
        values={"gpus": gpus, "batch": batch, "samples": samples, "total": total},
        answer=steps,
        mistakes=apart(
            steps,
            0.001,
            (
                steps * gpus,
                "The GPUs work on one update together: the batch of an update is that of all GPUs.",
            ),
            (samples // gpus, "Divide by the batch size as well: that is the share of one GPU, in samples."),
            (steps * total, "That is the number of samples."),
            (steps / gpus, "The GPUs are counted twice here."),
        ),
    )


@drawing("tiny-mlp-forward")
def tiny_mlp_forward(rng: random.Random) -> Drawn:
    """v ReLU(W x + b) + c with two inputs and two hidden units (Goodfellow et al. 2016, section 6.1)."""
    while True:
        x = [rng.randint(1, 4), rng.randint(1, 4)]
        w = [signed(rng, rng.randint(1, 3), rng.randint(1, 3)) for _ in range(2)]
        b = signed(rng, rng.randint(1, 3), rng.randint(1, 3))
        v, c = signed(rng, rng.randint(1, 3), rng.randint(1, 3)), rng.choice((-2, -1, 1, 2))
        z = [w[unit][0] * x[0] + w[unit][1] * x[1] + b[unit] for unit in range(2)]
        # one unit cut off, the other not, so that ReLU matters
        if min(z) < 0 < max(z):
            break
    h = [max(0, one) for one in z]
    answer = v[0] * h[0] + v[1] * h[1] + c
    no_bias = [max(0, z[unit] - b[unit]) for unit in range(2)]
    turned = [max(0, w[0][unit] * x[0] + w[1][unit] * x[1] + b[unit]) for unit in range(2)]
    return Drawn(
        values={
            "x0": x[0], "x1": x[1], "b0": b[0], "b1": b[1], "v0": v[0], "v1": v[1], "c": c,
            "w00": w[0][0], "w01": w[0][1], "w10": w[1][0], "w11": w[1][1],
            "z0": z[0], "z1": z[1], "h0": h[0], "h1": h[1],
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (v[0] * z[0] + v[1] * z[1] + c, "The ReLU is missing: the negative hidden unit outputs 0."),
            (answer - c, "The bias of the output is missing."),
            (v[0] * no_bias[0] + v[1] * no_bias[1] + c, "The biases of the hidden units are missing."),
            (v[0] * turned[0] + v[1] * turned[1] + c, "Each hidden unit takes its own weights, one for each input."),
            (max(0, answer), "The output unit is linear; ReLU acts on the hidden units only."),
        ),
    )  # fmt: skip


@drawing("mlp-parameters")
def mlp_parameters(rng: random.Random) -> Drawn:
    """sum over the layers of (n_in + 1) n_out (Bishop 2006, section 5.1)."""
    inputs, first, second, outputs = (
        rng.randint(4, 30),
        rng.choice((8, 10, 16, 20, 32)),
        rng.choice((4, 5, 6, 8, 12)),
        rng.randint(2, 5),
    )
    sizes = [inputs, first, second, outputs]
    weights = sum(low * high for low, high in itertools.pairwise(sizes))
    biases = first + second + outputs
    answer = weights + biases
    return Drawn(
        values={"inputs": inputs, "first": first, "second": second, "outputs": outputs,
                "weights": weights, "biases": biases},
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (weights, "Those are the weights; each unit has a bias as well."),
            (answer + inputs, "The inputs have no biases: they compute nothing."),
            (weights + 3, "Each unit has a bias of its own, not each layer."),
            (inputs + biases, "Those are the units. Each pair of units in layers side by side has a weight."),
            (inputs * first * second * outputs, "The layers' weights are added, not multiplied."),
        ),
    )  # fmt: skip


@drawing("perceptron-update")
def perceptron_update(rng: random.Random) -> Drawn:
    """w + eta (t - o) x after a mistake, t and o 0 or 1 (Rosenblatt 1958; Bishop 2006, section 4.1.7)."""
    while True:
        w, x = signed(rng, rng.randint(1, 4), rng.randint(1, 4)), [rng.randint(1, 4), rng.randint(-4, 4)]
        b, t = rng.randint(-3, 3), rng.choice((0, 1))
        z = w[0] * x[0] + w[1] * x[1] + b
        if (z >= 0) != bool(t):
            break
    rate = rng.choice((0.1, 0.2, 0.5))
    error = 2 * t - 1
    answer = tidy(w[0] + rate * error * x[0])
    return Drawn(
        values={"w0": w[0], "w1": w[1], "x0": x[0], "x1": x[1], "b": b, "t": t, "o": 1 - t, "z": z,
                "rate": rate, "error": error},
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (w[0] - rate * error * x[0], "The sign: the error is target minus output."),
            (w[0] + rate * error, "The error is multiplied by the input that belongs to the weight."),
            (w[0] + error * x[0], "The learning rate is missing."),
            (w[0], "The sample is classified wrongly, so the weight does change."),
            (w[0] + rate * (t - z) * x[0], "The error takes the output of the step, 0 or 1, not z."),
        ),
    )  # fmt: skip


@drawing("min-max-scaling")
def min_max_scaling(rng: random.Random) -> Drawn:
    """(x - min) / (max - min), from the training set (scikit-learn, MinMaxScaler)."""
    low = rng.randint(-20, 40)
    span = rng.choice((10, 20, 25, 40, 50, 80))
    high = low + span
    x = low + rng.choice([step for step in range(-span // 5, span + span // 5) if step not in (0, span)])
    answer = tidy((x - low) / span)
    mistakes = [
        ((x - low) / (span + 1), "The range is max − min."),
        ((high - x) / span, "That is the distance from the maximum; scaling measures from the minimum."),
        (x - low, "Divide by the range max − min as well."),
        (2 * (x - low) / span - 1, "That scales to −1 to 1; 0 to 1 was asked for."),
        (min(1, max(0, answer)), "Nothing is clipped: values beyond the training range leave 0 to 1."),
    ]  # fmt: skip
    if high:
        mistakes.append((x / high, "The minimum has to be subtracted, above and below."))
    return Drawn(
        values={"low": low, "high": high, "x": x, "span": span, "above": x - low},
        answer=answer,
        mistakes=apart(answer, 0.001, *mistakes),
    )


@drawing("z-score")
def z_score(rng: random.Random) -> Drawn:
    """(x - mean) / standard deviation, from the training set (scikit-learn, StandardScaler)."""
    # deviations whose population standard deviation is whole
    spread, deviations = rng.choice(((1, (-1, 1, -1, 1)), (5, (-7, -1, 1, 7)), (5, (-5, 5, -5, 5))))
    factor, mean = rng.randint(1, 4), rng.randint(20, 60)
    deviation = spread * factor
    train = [mean + factor * one for one in deviations]
    rng.shuffle(train)
    x = mean + rng.choice([step for step in range(-3 * deviation, 3 * deviation + 1) if step])
    answer = tidy((x - mean) / deviation)
    return Drawn(
        values={**{f"t{place}": one for place, one in enumerate(train)}, "x": x, "mean": mean,
                "deviation": deviation, "above": x - mean},
        answer=answer,
        mistakes=apart(
            answer,
            0.006,
            (x - mean, "Divide by the standard deviation as well."),
            ((x - mean) / deviation**2, "Divide by the standard deviation, not by the variance."),
            ((mean - x) / deviation, "The sign: the mean is subtracted from the value."),
            (x / deviation, "The mean has to be subtracted first."),
            ((x - mean) / (deviation * math.sqrt(4 / 3)), "The squares are divided by N = 4, not by N − 1."),
            ((x - min(train)) / (max(train) - min(train)), "That is min-max scaling."),
        ),
    )  # fmt: skip


@drawing("split-size")
def split_size(rng: random.Random) -> Drawn:
    """The training set that is left when a test and then a validation share are taken off."""
    samples = rng.randint(3, 40) * 400
    test, validation = rng.choice((10, 15, 20, 25)), rng.choice((10, 20, 25))
    rest = samples * (100 - test) // 100
    answer = rest * (100 - validation) // 100
    return Drawn(
        values={"samples": samples, "test": test, "validation": validation, "rest": rest},
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (
                samples * (100 - test - validation) / 100,
                "The second share is taken of what the first one left.",
            ),
            (rest, "The validation set still has to be taken off."),
            (rest * validation / 100, "That is the validation set."),
            (samples * (100 - validation) / 100, "The test set has to be taken off as well."),
        ),
    )


@drawing("k-fold-size")
def k_fold_size(rng: random.Random) -> Drawn:
    """N - N/K samples are trained on in each round (Hastie, Tibshirani and Friedman 2009, section 7.10)."""
    k, fold = rng.choice((4, 5, 8, 10)), rng.randint(12, 90)
    samples = k * fold
    answer = samples - fold
    return Drawn(
        values={"k": k, "samples": samples, "fold": fold, "rest": k - 1},
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (fold, "That is the fold that is held out; the others are trained on."),
            (samples, "One fold is held out in each round."),
            (answer * k, "That counts all rounds; one was asked for."),
        ),
    )


@drawing("image-bytes")
def image_bytes(rng: random.Random) -> Drawn:
    """N H W C bytes as uint8, four times as many as float32."""
    images, side = rng.choice((8, 16, 32, 64)), rng.choice((32, 64, 96, 128, 224))
    channels, (kind, size) = rng.choice((1, 3)), rng.choice((("uint8", 1), ("float32", 4)))
    answer = images * side * side * channels * size
    numbers = answer // size
    return Drawn(
        values={"images": images, "side": side, "channels": channels, "kind": kind, "size": size,
                "colours": "RGB" if channels == 3 else "grayscale", "numbers": numbers},
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (numbers if size > 1 else 4 * numbers, "A uint8 takes 1 byte, a float32 takes 4."),
            (answer // images, "That is one image of the batch."),
            (answer // channels, "Each pixel has a number for every channel."),
            (answer * 8, "Those are bits."),
            (images * side * channels * size, "The pixels are side times side."),
            (answer * 3 if channels == 1 else answer * 4 // 3, "Count the channels: 3 in RGB, 1 in grayscale."),
        ),
    )  # fmt: skip


@drawing("number-of-colours")
def number_of_colours(rng: random.Random) -> Drawn:
    """(2^bits)^channels."""
    channels, bits = rng.choice((2, 3)), rng.randint(1, 6)
    levels = 2**bits
    answer = levels**channels
    return Drawn(
        values={"bits": bits, "channels": channels, "levels": levels},
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (levels * channels, "Every value of one channel goes with every value of the others: multiply."),
            ((levels - 1) ** channels, "The value 0 counts as well."),
            (bits**channels, "b bits give 2ᵇ levels, not b."),
            (bits * channels, "Those are the bits of a pixel."),
            (256**channels, "256 levels need 8 bits."),
        ),
    )


@drawing("luma")
def luma(rng: random.Random) -> Drawn:
    """0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)."""
    r, g, b = rng.sample(range(0, 251, 10), 3)
    answer = tidy(0.299 * r + 0.587 * g + 0.114 * b)
    return Drawn(
        values={"r": r, "g": g, "b": b},
        answer=answer,
        mistakes=apart(
            answer,
            0.5,
            ((r + g + b) / 3, "The channels have unequal weights, since the eye sees green as brightest."),
            (
                0.299 * b + 0.587 * g + 0.114 * r,
                "Red and blue are swapped, as when a BGR image is read as RGB.",
            ),
            (max(r, g, b), "The weighted sum was asked for, not the largest channel."),
            ((max(r, g, b) + min(r, g, b)) / 2, "That is the lightness of HSL."),
        ),
    )


@drawing("alpha-blend")
def alpha_blend(rng: random.Random) -> Drawn:
    """alpha F + (1 - alpha) B (Porter and Duff 1984, `over` on an opaque background)."""
    # a multiple of 51 of 255 is a fifth
    fifths = rng.randint(1, 4)
    alpha = 51 * fifths
    front, back = rng.sample(range(0, 256, 5), 2)
    answer = tidy((fifths * front + (5 - fifths) * back) / 5)
    return Drawn(
        values={"alpha": alpha, "share": tidy(fifths / 5), "rest": tidy((5 - fifths) / 5), "front": front,
                "back": back},
        answer=answer,
        mistakes=apart(
            answer,
            0.5,
            ((fifths * back + (5 - fifths) * front) / 5, "α weighs the foreground, 1 − α the background."),
            ((front + back) / 2, "That is the blend for α = ½."),
            (fifths * front / 5, "The background shines through by the share 1 − α."),
            (fifths * front / 5 + back, "The background is weighted as well, by 1 − α."),
            (alpha * front + (1 - alpha) * back, "Divide α by 255 first: it has to be a share from 0 to 1."),
        ),
    )  # fmt: skip
