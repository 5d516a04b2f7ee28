"""Drawn questions on signals and gradients through depth and time, and on the weights that training starts from."""

from __future__ import annotations

import math
import random

from dlquiz.quiz.draws.drawn import Drawn, drawing
from dlquiz.quiz.draws.numbers import apart, tidy

_NO_BIAS = "The biases are missing."
_NO_RECURRENT = "The recurrent weights, from the units' last outputs to the units, are missing."


def _features_and_units(rng: random.Random) -> tuple[int, int]:
    # never equal, so that a mistake which swaps them shows
    features, units = rng.sample((3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32), 2)
    return features, units


@drawing("simple-rnn-parameters")
def simple_rnn_parameters(rng: random.Random) -> Drawn:
    """u f + u^2 + u (Elman 1990; Keras, SimpleRNN)."""
    features, units = _features_and_units(rng)
    steps = rng.choice((7, 9, 15, 25, 30, 50))
    answer = units * features + units**2 + units
    return Drawn(
        values={"features": features, "units": units, "steps": steps, "square": units**2},
        answer=answer,
        mistakes=apart(
            answer,
            0,
            (units * features + units, _NO_RECURRENT),
            (units * features + units**2, _NO_BIAS),
            (steps * answer, "The same weights are used at every time step: they count once."),
            (4 * answer, "That is an LSTM, which has four such sets."),
            (
                units * features + features**2 + units,
                "The recurrent matrix is as wide as the state, not as the input.",
            ),
        ),
    )


@drawing("lstm-parameters")
def lstm_parameters(rng: random.Random) -> Drawn:
    """4 (u f + u^2 + u) (Gers, Schmidhuber and Cummins 2000; Keras, LSTM)."""
    features, units = _features_and_units(rng)
    one = units * features + units**2 + units
    return Drawn(
        values={"features": features, "units": units, "square": units**2, "one": one},
        answer=4 * one,
        mistakes=apart(
            4 * one,
            0,
            (one, "That is one set; three gates and the candidate need four."),
            (3 * one, "There are three gates, and the candidate for the cell has weights of its own."),
            (4 * (one - units), _NO_BIAS),
            (4 * (one - units**2), _NO_RECURRENT),
            (5 * one, "The cell state is no fifth set: it has no weights."),
            (4 * (one + units), "Keras' LSTM has one bias vector a set; two are the way of PyTorch."),
        ),
    )


@drawing("gru-parameters")
def gru_parameters(rng: random.Random) -> Drawn:
    """3 (u f + u^2 + u) with one bias vector a set (Cho et al. 2014; Keras, GRU with reset_after=False)."""
    features, units = _features_and_units(rng)
    one = units * features + units**2 + units
    return Drawn(
        values={"features": features, "units": units, "square": units**2, "one": one},
        answer=3 * one,
        mistakes=apart(
            3 * one,
            0,
            (one, "That is one set; two gates and the candidate need three."),
            (2 * one, "There are two gates, and the candidate has weights of its own."),
            (4 * one, "Four sets are the LSTM's."),
            (3 * (one - units), _NO_BIAS),
            (3 * (one - units**2), _NO_RECURRENT),
            (3 * (one + units), "Two bias vectors a set are the way of `reset_after=True`."),
        ),
    )


@drawing("sigmoid-slopes-through-depth")
def sigmoid_slopes_through_depth(rng: random.Random) -> Drawn:
    """(w s)^n with s = sigma(z)(1 - sigma(z)) (Bengio, Simard and Frasconi 1994)."""
    depth, weight, z = rng.randint(3, 8), rng.choice((0.5, 1, 1.5, 2, 3)), rng.choice((-2, -1, 0, 1, 2))
    sigma = 1 / (1 + math.exp(-z))
    slope = sigma * (1 - sigma)
    answer = (weight * slope) ** depth
    return Drawn(
        values={"depth": depth, "weight": weight, "z": z, "slope": slope, "factor": weight * slope},
        answer=answer,
        mistakes=apart(
            answer,
            0.03 * answer,
            (slope**depth, "The chain rule brings in the weight of every layer as well."),
            (weight**depth, "The chain rule brings in the slope of every sigmoid as well."),
            ((weight * sigma) ** depth, "That takes the sigmoid's values; its slopes σ(1 − σ) are needed."),
            (depth * weight * slope, "Through layers in a row the factors are multiplied, not added."),
            (weight * slope, "That is for one layer."),
            (weight * slope**depth, "Every layer has its weight: w, too, is multiplied once a layer."),
        ),
    )


@drawing("linear-recurrence-gradient")
def linear_recurrence_gradient(rng: random.Random) -> Drawn:
    """d h_T / d h_0 = w^T of h_t = w h_{t-1} + x_t (Pascanu, Mikolov and Bengio 2013)."""
    weight, steps = rng.choice((0.5, 0.7, 0.8, 0.9, 1.1, 1.2, 1.3, 1.5)), rng.choice((5, 8, 10, 12, 15, 20))
    answer = weight**steps
    return Drawn(
        values={"weight": weight, "steps": steps},
        answer=answer,
        mistakes=apart(
            answer,
            0.01 * answer,
            (weight, "That is the derivative over a single step."),
            (weight * steps, "The chain rule multiplies the steps' derivatives; it does not add them."),
            (1 + (weight - 1) * steps, "The change compounds, like interest, instead of adding up."),
            (weight ** (steps - 1), f"From the state 0 to the state {steps} there are {steps} steps."),
            (weight ** (steps + 1), f"From the state 0 to the state {steps} there are {steps} steps."),
            (1 / answer, "The derivative of each step is w, not 1/w."),
        ),
    )


@drawing("residual-chain-slope")
def residual_chain_slope(rng: random.Random) -> Drawn:
    """(1 + s)^n of y = x + F(x) with F' = s (He et al. 2016, Identity Mappings)."""
    slope, blocks = rng.choice((-0.2, -0.1, 0.05, 0.1, 0.2, 0.3)), rng.randint(3, 10)
    answer = (1 + slope) ** blocks
    return Drawn(
        values={"slope": slope, "blocks": blocks, "factor": tidy(1 + slope)},
        answer=answer,
        mistakes=apart(
            answer,
            0.01 * answer,
            (slope**blocks, "That is without the shortcuts: the derivative of x + F(x) is 1 + F′(x)."),
            (1 + slope**blocks, "Every block has a shortcut of its own, so every factor is 1 + F′."),
            (
                1 + blocks * slope,
                "The factors are multiplied; this keeps only the paths through one block at most.",
            ),
            (blocks * (1 + slope), "Through blocks in a row the factors are multiplied, not added."),
            (1 + slope, "That is for one block."),
        ),
    )


@drawing("lstm-cell-step")
def lstm_cell_step(rng: random.Random) -> Drawn:
    """h = o tanh(f c + i g) (Gers, Schmidhuber and Cummins 2000)."""
    forget, write, show = (rng.randint(1, 9) / 10 for _ in range(3))
    cell, candidate = rng.randint(1, 4) / 2 * rng.choice((-1, 1)), rng.choice((-0.8, -0.4, 0.5, 0.9))
    while abs(forget * cell + write * candidate) < 0.1:
        write = rng.randint(1, 9) / 10
    new = tidy(forget * cell + write * candidate)
    answer = show * math.tanh(new)
    return Drawn(
        values={
            "forget": forget,
            "write": write,
            "show": show,
            "cell": cell,
            "candidate": candidate,
            "new": new,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.002,
            (new, "That is the new cell state; the output is o · tanh of it."),
            (math.tanh(new), "The output gate is missing."),
            (show * new, "The cell state goes through tanh before the output gate."),
            (
                show * math.tanh((1 - forget) * cell + write * candidate),
                "A forget gate of 1 keeps all: the old cell state is multiplied by f, not by 1 − f.",
            ),
            (
                show * math.tanh(forget * cell + (1 - forget) * candidate),
                "That couples the gates as in a GRU; here the candidate is multiplied by i.",
            ),
            (
                show * math.tanh(write * cell + forget * candidate),
                "f weighs the old cell state, i the candidate.",
            ),
        ),
    )


@drawing("gru-state-step")
def gru_state_step(rng: random.Random) -> Drawn:
    """h = z h' + (1 - z) c (Cho et al. 2014; Keras, GRU)."""
    update = rng.choice((1, 2, 3, 4, 6, 7, 8, 9)) / 10
    old, candidate = (tidy(part / 10) for part in rng.sample((-9, -7, -6, -4, -2, 1, 3, 5, 8), 2))
    rest = tidy(1 - update)
    answer = tidy(update * old + rest * candidate)
    return Drawn(
        values={"update": update, "rest": rest, "old": old, "candidate": candidate},
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (rest * old + update * candidate, "That weighs the two the other way round."),
            (update * old + candidate, "The candidate is weighed by 1 − z."),
            (old + update * candidate, "Both parts are weighed, and the weights add up to 1."),
            ((old + candidate) / 2, "The gate, not the plain mean, decides between them."),
            (math.tanh(update * old + rest * candidate), "tanh is within the candidate already."),
        ),
    )


@drawing("glorot-uniform-limit")
def glorot_uniform_limit(rng: random.Random) -> Drawn:
    """sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, equation 16)."""
    fan_in, fan_out = rng.sample((20, 30, 50, 64, 100, 128, 200, 256, 300, 400), 2)
    answer = math.sqrt(6 / (fan_in + fan_out))
    return Drawn(
        values={"fan_in": fan_in, "fan_out": fan_out, "total": fan_in + fan_out},
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (
                math.sqrt(2 / (fan_in + fan_out)),
                "That is the standard deviation; a uniform limit is √3 times as large.",
            ),
            (math.sqrt(6 / fan_in), "That is He's limit; Glorot takes both sides into account."),
            (
                math.sqrt(3 / (fan_in + fan_out)),
                "The mean of the two sides is half their sum: that makes it 6.",
            ),
            (6 / (fan_in + fan_out), "The root is missing."),
            (2 / (fan_in + fan_out), "That is the variance of the weights."),
            (math.sqrt(1 / fan_in), "That is LeCun's deviation, of the inputs alone."),
        ),
    )


@drawing("glorot-normal-conv-deviation")
def glorot_normal_conv_deviation(rng: random.Random) -> Drawn:
    """sqrt(2 / (k^2 c_in + k^2 c_out)) (Glorot and Bengio 2010; Keras, GlorotNormal)."""
    kernel = rng.choice((3, 5, 7))
    c_in, c_out = rng.sample((3, 8, 16, 24, 32, 48, 64), 2)
    area = kernel**2
    answer = math.sqrt(2 / (area * (c_in + c_out)))
    return Drawn(
        values={
            "kernel": kernel,
            "c_in": c_in,
            "c_out": c_out,
            "fan_in": area * c_in,
            "fan_out": area * c_out,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.0005,
            (
                math.sqrt(2 / (c_in + c_out)),
                "Every place of the kernel counts: the fans are k² times the channels.",
            ),
            (math.sqrt(2 / (area * c_in)), "That is He's deviation; Glorot takes both sides into account."),
            (math.sqrt(1 / (area * c_in)), "That is LeCun's deviation, of the inputs alone."),
            (math.sqrt(6 / (area * (c_in + c_out))), "That is the limit of the uniform variant."),
            (2 / (area * (c_in + c_out)), "That is the variance; the deviation is its root."),
            (
                math.sqrt(2 / (area * c_in + c_out)),
                "The fan-out has the factor k² as well: each input is used at k² places.",
            ),
        ),
    )


@drawing("he-conv-deviation")
def he_conv_deviation(rng: random.Random) -> Drawn:
    """sqrt(2 / (k^2 c_in)) (He et al. 2015, equation 10)."""
    kernel = rng.choice((1, 3, 5, 7))
    c_in, c_out = rng.sample((3, 8, 16, 24, 32, 48, 64), 2)
    fan_in = kernel**2 * c_in
    answer = math.sqrt(2 / fan_in)
    return Drawn(
        values={"kernel": kernel, "c_in": c_in, "c_out": c_out, "fan_in": fan_in},
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (
                math.sqrt(2 / c_in),
                "Every place of the kernel is an input: the fan-in is k² times the channels.",
            ),
            (math.sqrt(2 / (kernel**2 * c_out)), "That is with the fan-out; the fan-in was asked for."),
            (math.sqrt(2 / (fan_in + kernel**2 * c_out)), "That is Glorot's; He's takes the fan-in alone."),
            (math.sqrt(1 / fan_in), "The factor 2 that makes up for ReLU's zeros is missing."),
            (math.sqrt(6 / fan_in), "That is the limit of the uniform variant."),
            (2 / fan_in, "That is the variance; the deviation is its root."),
            (math.sqrt(2 / (kernel * c_in)), "The kernel has k × k places."),
        ),
    )


@drawing("relu-variance-through-depth")
def relu_variance_through_depth(rng: random.Random) -> Drawn:
    """(c / 2)^L for weights of variance c / n before ReLU layers (He et al. 2015, section 2.2)."""
    scale, layers = rng.choice((0.5, 1, 1.5, 2.5, 3, 4)), rng.randint(2, 8)
    answer = (scale / 2) ** layers
    return Drawn(
        values={"scale": scale, "layers": layers, "factor": scale / 2},
        answer=answer,
        mistakes=apart(
            answer,
            0.01 * answer,
            (scale**layers, "That is without ReLU, which halves the mean square in every layer."),
            (
                (scale / 4) ** layers,
                "ReLU halves the mean square: half of the values are lost, the others stay.",
            ),
            (scale / 2, "That is for one layer."),
            (layers * scale / 2, "The factors of the layers are multiplied, not added."),
            (math.sqrt(answer), "That is the factor of the standard deviation."),
            ((scale * 2) ** layers, "ReLU lowers the mean square, by a factor ½."),
        ),
    )
