"""Drawn questions on activation functions: values, slopes, softmax."""

from __future__ import annotations

import math
import random

from dlquiz.quiz.draws.drawn import Drawn, drawing
from dlquiz.quiz.draws.numbers import apart, signed, tidy


def sigmoid(z: float) -> float:
    """1 / (1 + e^-z) (Goodfellow et al. 2016, section 3.10)."""
    return 1 / (1 + math.exp(-z))


@drawing("sigmoid-neuron")
def sigmoid_neuron(rng: random.Random) -> Drawn:
    """sigma(w x + b) (Goodfellow et al. 2016, section 6.2.2.2)."""
    z, b = rng.choice((-3, -2, -1, 1, 2, 3)), rng.choice((-2, -1, 1, 2))
    w0, x0 = rng.choice((-2, -1, 1, 2)), rng.randint(1, 3)
    x1 = 1
    w1 = z - b - w0 * x0
    answer = sigmoid(z)
    return Drawn(
        values={"w0": w0, "w1": w1, "x0": x0, "x1": x1, "b": b, "z": z},
        answer=answer,
        mistakes=apart(
            answer,
            0.002,
            (z, "That is the pre-activation z = w·x + b; the sigmoid has still to be applied."),
            (sigmoid(-z), "The sign in the exponent: σ(z) = 1/(1 + e^(−z))."),
            (sigmoid(z - b), "The bias is part of the pre-activation."),
            (math.tanh(z), "That is tanh(z), which runs from −1 to 1."),
            (max(0, z), "That is what ReLU would give."),
        ),
    )


@drawing("sigmoid-slope")
def sigmoid_slope(rng: random.Random) -> Drawn:
    """sigma'(z) = sigma(z) (1 - sigma(z)) (Bishop 2006, equation 4.88)."""
    z = tidy(rng.choice((-1, 1)) * rng.randint(2, 30) / 10)
    s = sigmoid(z)
    answer = s * (1 - s)
    return Drawn(
        values={"z": z, "s": s},
        answer=answer,
        mistakes=apart(
            answer,
            0.002,
            (s, "That is the value σ(z), not its slope."),
            (1 - s, "That is only one of the two factors of σ(z)·(1 − σ(z))."),
            (1 - s**2, "1 − a² is the slope of tanh in terms of its output."),
            (z * (1 - z), "The formula a·(1 − a) takes the output a = σ(z), not the input z."),
            (0.25, "That is the largest slope, at z = 0."),
        ),
    )


@drawing("tanh-slope-from-output")
def tanh_slope_from_output(rng: random.Random) -> Drawn:
    """tanh'(z) = 1 - tanh(z)^2 (Goodfellow et al. 2016, section 6.3.2; Bishop 2006, equation 5.60)."""
    a = tidy(rng.choice((-1, 1)) * rng.randint(2, 18) / 20)
    answer = tidy(1 - a**2)
    return Drawn(
        values={"a": a, "square": tidy(a**2)},
        answer=answer,
        mistakes=apart(
            answer,
            0.002,
            (a * (1 - a), "a·(1 − a) is the slope of the sigmoid; tanh has 1 − a²."),
            (1 - a, "The output has to be squared: 1 − a²."),
            (a**2, "That is a²; the slope is what it leaves of 1."),
            (1 - math.tanh(a) ** 2, "a is the output already; tanh has not to be applied again."),
            (1 + a**2, "The sign: the slope is largest, 1, at a = 0 and falls towards ±1."),
        ),
    )


@drawing("relu-layer-sum")
def relu_layer_sum(rng: random.Random) -> Drawn:
    """sum_i max(0, z_i) (Glorot, Bordes and Bengio 2011)."""
    # two of each sign, so that what is cut off matters; in tenths
    sizes = rng.sample(range(2, 50), 4)
    given = [sizes[0], sizes[1], -sizes[2], -sizes[3]]
    rng.shuffle(given)
    positive = sum(sizes[:2])
    answer = tidy(positive / 10)
    return Drawn(
        values={f"z{place}": tidy(one / 10) for place, one in enumerate(given)},
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            (sum(given) / 10, "That is the sum of the pre-activations: ReLU sets negative ones to 0 first."),
            (max(0, sum(given)) / 10, "ReLU acts on each unit by itself, before anything is added."),
            (sum(sizes) / 10, "ReLU sets negative values to 0; it does not drop their signs."),
            (max(given) / 10, "The maximum is taken between 0 and each value, not over the layer."),
            (2, "ReLU keeps the size of what is positive; it does not output 1."),
        ),
    )


@drawing("leaky-relu-gradient")
def leaky_relu_gradient(rng: random.Random) -> Drawn:
    """dL/dz = g for z > 0, slope g for z < 0 (Maas, Hannun and Ng 2013)."""
    slope, z = rng.choice((0.01, 0.05, 0.1, 0.2)), rng.choice((-1, 1)) * rng.randint(2, 9)
    (g,) = signed(rng, rng.randint(2, 9))
    answer = tidy(g if z > 0 else slope * g)
    return Drawn(
        values={"slope": slope, "z": z, "g": g, "sign": "positive" if z > 0 else "negative",
                "factor": 1 if z > 0 else slope},
        answer=answer,
        mistakes=apart(
            answer,
            0.01 * abs(answer),
            (0, "That is plain ReLU at a negative z; the leaky one keeps a small slope there."),
            (slope * g if z > 0 else g, "Look at the sign of z: the small slope is for negative z."),
            (g * (z if z > 0 else slope * z), "The factor is the slope of the function, not its value."),
            (z if z > 0 else slope * z, "That is the output; the gradient was asked for."),
        ),
    )  # fmt: skip


@drawing("prelu-slope-gradient")
def prelu_slope_gradient(rng: random.Random) -> Drawn:
    """dL/da = sum over z_i < 0 of g_i z_i (He et al. 2015, equations 2 and 3)."""
    z = [rng.randint(1, 5), -rng.randint(1, 5), -rng.randint(1, 5)]
    rng.shuffle(z)
    g = signed(rng, *rng.sample(range(1, 6), 3))
    a = rng.choice((0.1, 0.2, 0.25))
    below = [(one, up) for one, up in zip(z, g, strict=True) if one < 0]
    answer = sum(one * up for one, up in below)
    return Drawn(
        values={
            **{f"z{place}": one for place, one in enumerate(z)},
            **{f"g{place}": one for place, one in enumerate(g)},
            "a": a,
            "terms": " + ".join(f"({up})·({one})" for one, up in below),
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (
                sum(one * up for one, up in zip(z, g, strict=True)),
                "For z > 0 the output does not depend on a.",
            ),
            (
                sum(up for _, up in below),
                "The output is a·z there, so its derivative with respect to a is z.",
            ),
            (a * answer, "The derivative of a·z with respect to a is z; a itself is gone."),
            (a * sum(up for _, up in below), "a is the derivative with respect to z; the one for a is z."),
            (sum(one for one, _ in below), "Each derivative is multiplied by the gradient that arrives."),
            (-answer, "The sign: the z that count are negative themselves."),
        ),
    )


@drawing("elu-of-negative")
def elu_of_negative(rng: random.Random) -> Drawn:
    """alpha (e^x - 1) for x < 0 (Clevert, Unterthiner and Hochreiter 2016)."""
    alpha, x = rng.choice((0.5, 1, 1.5, 2)), tidy(-rng.randint(2, 30) / 10)
    power = math.exp(x)
    answer = alpha * (power - 1)
    return Drawn(
        values={"alpha": alpha, "x": x, "power": power},
        answer=answer,
        mistakes=apart(
            answer,
            0.002,
            (alpha * power, "That is the slope α·e^x; the value is α·(e^x − 1)."),
            (alpha * x, "That is a straight line, as in leaky ReLU; ELU bends towards −α."),
            (0, "That is ReLU; ELU is negative for negative x."),
            (power - 1, "The factor α is missing."),
            (-answer, "e^x is below 1 for negative x, so the value is negative."),
            (alpha * power - 1, "α multiplies the whole bracket, the 1 as well."),
            (alpha * (math.exp(-x) - 1), "The exponent keeps the sign of x."),
        ),
    )


@drawing("swish-value")
def swish_value(rng: random.Random) -> Drawn:
    """x sigma(x) (Ramachandran, Zoph and Le 2017, beta = 1)."""
    x = tidy(rng.choice((-1, 1)) * rng.randint(3, 30) / 10)
    s = sigmoid(x)
    answer = x * s
    return Drawn(
        values={"x": x, "s": s},
        answer=answer,
        mistakes=apart(
            answer,
            0.002,
            (s, "That is the gate σ(x); swish multiplies x by it."),
            (max(0, x), "That is ReLU, which swish only comes near for large |x|."),
            (x * sigmoid(-x), "The sign in the exponent: σ(x) = 1/(1 + e^(−x))."),
            (x * math.tanh(math.log1p(math.exp(x))), "That is mish: x·tanh(ln(1 + e^x))."),
            (x * math.tanh(x), "The gate is a sigmoid, not tanh."),
            (x + s, "x and its gate are multiplied, not added."),
        ),
    )


@drawing("softmax-by-hand")
def softmax_by_hand(rng: random.Random) -> Drawn:
    """e^{z_k} / sum_j e^{z_j} (Goodfellow et al. 2016, equation 6.29)."""
    z = rng.sample(range(-1, 3), 3)
    k = rng.randrange(3)
    powers = [math.exp(one) for one in z]
    answer = powers[k] / sum(powers)
    mistakes = [
        (powers[k], "That is e^z alone; divide it by the sum over all classes."),
        (powers[k] / (sum(powers) - powers[k]), "The sum runs over all classes, this one included."),
        (sigmoid(z[k]), "That is the sigmoid of one logit; softmax compares it with the others."),
        (1 / 3, "That is the uniform distribution; the logits differ."),
        (-math.log(answer), "That is the cross-entropy; the probability was asked for."),
        (2 ** z[k] / sum(2.0**one for one in z), "The base is e."),
    ]
    if sum(z):
        mistakes.append((z[k] / sum(z), "Exponentiate the logits before dividing."))
    return Drawn(
        values={**{f"z{place}": one for place, one in enumerate(z)}, "k": k, "power": powers[k],
                "total": sum(powers)},
        answer=answer,
        mistakes=apart(answer, 0.002, *mistakes),
    )  # fmt: skip
