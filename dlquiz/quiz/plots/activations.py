"""Pictures of activation functions and of their slopes."""

from __future__ import annotations

import math

from dlquiz.quiz.draws.activations import sigmoid
from dlquiz.quiz.plots.plot import Line, Plot, plotting


@plotting("activation-curves")
def activation_curves() -> Plot:
    """tanh, ReLU, the sigmoid and the binary step (Goodfellow et al. 2016, section 6.3)."""
    x = tuple(tenths / 10 for tenths in range(-30, 31))
    upper = x[: x.index(1.5) + 1]
    return Plot(
        title="Four activation functions",
        x_label="pre-activation",
        y_label="activation",
        lines=(
            Line("curve 1", x, tuple(math.tanh(one) for one in x)),
            Line("curve 2", upper, tuple(max(0.0, one) for one in upper)),
            Line("curve 3", x, tuple(sigmoid(one) for one in x)),
            Line("curve 4", (-3.0, 0.0, 0.0, 3.0), (0.0, 0.0, 1.0, 1.0)),
        ),
        alt=(
            "For the pre-activations −3, −1, 1 and 1.5, curve 1 has the values −1.00, −0.76, 0.76 and 0.91, curve 2 "
            "has 0, 0, 1 and 1.5, curve 3 has 0.05, 0.27, 0.73 and 0.82, curve 4 has 0, 0, 1 and 1. Curve 2 is drawn "
            "up to 1.5 only."
        ),
    )


@plotting("activation-slopes")
def activation_slopes() -> Plot:
    """The derivatives of tanh, of the sigmoid and of ELU with alpha = 1 (Clevert et al. 2016)."""
    x = tuple(tenths / 10 for tenths in range(-40, 41))
    return Plot(
        title="Slopes of three activation functions",
        x_label="pre-activation",
        y_label="slope",
        lines=(
            Line("curve 1", x, tuple(sigmoid(one) * (1 - sigmoid(one)) for one in x)),
            Line("curve 2", x, tuple(min(1.0, math.exp(one)) for one in x)),
            Line("curve 3", x, tuple(1 - math.tanh(one) ** 2 for one in x)),
        ),
        alt=(
            "For the pre-activations −4, −1, 0, 1 and 4, curve 1 has the values 0.02, 0.20, 0.25, 0.20 and 0.02, "
            "curve 2 has 0.02, 0.37, 1, 1 and 1, curve 3 has 0.00, 0.42, 1, 0.42 and 0.00."
        ),
    )


@plotting("rectifier-family")
def rectifier_family() -> Plot:
    """Leaky ReLU (slope 0.1), swish, ELU (alpha = 1) and ReLU on the negative side."""
    x = tuple(tenths / 10 for tenths in range(-50, 11))
    return Plot(
        title="Four rectifiers",
        x_label="pre-activation",
        y_label="activation",
        lines=(
            Line("curve 1", x, tuple(one if one > 0 else 0.1 * one for one in x)),
            Line("curve 2", x, tuple(one * sigmoid(one) for one in x)),
            Line("curve 3", x, tuple(one if one > 0 else math.exp(one) - 1 for one in x)),
            Line("curve 4", x, tuple(max(0.0, one) for one in x)),
        ),
        alt=(
            "For the pre-activations −5, −3, −1 and 1, curve 1 has the values −0.5, −0.3, −0.1 and 1, curve 2 has "
            "−0.03, −0.14, −0.27 and 0.73, curve 3 has −0.99, −0.95, −0.63 and 1, curve 4 has 0, 0, 0 and 1."
        ),
    )


@plotting("one-slope")
def one_slope() -> Plot:
    """The derivative of swish, s + x s (1 - s) with s = sigma(x) (Ramachandran et al. 2017)."""
    x = tuple(tenths / 10 for tenths in range(-60, 61))
    return Plot(
        title="The slope of one activation function",
        x_label="pre-activation",
        y_label="slope",
        lines=(Line("slope", x, tuple(sigmoid(one) * (1 + one * (1 - sigmoid(one))) for one in x)),),
        alt=(
            "For the pre-activations −6, −2.4, −1.3, 0, 1.3, 2.4 and 6 the slope is −0.01, −0.10, 0.00, 0.5, 1.00, "
            "1.10 and 1.01."
        ),
    )
