"""Pictures of learning curves, of shrinking weights and of gradients through depth."""

from __future__ import annotations

import math

from dlquiz.quiz.plots.plot import Line, Plot, plotting

_EPOCHS = tuple(float(epoch) for epoch in range(1, 31))
# Noise of a curve, fixed, so that its least value is where the item says.
_NOISE = (
    2,
    -1,
    1,
    -2,
    -3,
    4,
    -3,
    1,
    -1,
    2,
    -2,
    1,
    0,
    -1,
    2,
    -2,
    3,
    -1,
    0,
    1,
    -2,
    2,
    -1,
    1,
    0,
    -2,
    1,
    2,
    -1,
    0,
)


def _curves(title: str, train: tuple[float, ...], validation: tuple[float, ...], alt: str) -> Plot:
    return Plot(
        title=title,
        x_label="epoch",
        y_label="loss",
        lines=(Line("training", _EPOCHS, train), Line("validation", _EPOCHS, validation)),
        alt=alt,
    )


@plotting("learning-curves-first-run")
def learning_curves_first_run() -> Plot:
    """Training falls towards 0, validation turns at epoch 9 (Prechelt 1998)."""
    return _curves(
        "First run",
        tuple(1.5 * math.exp(-epoch / 6) + 0.02 for epoch in _EPOCHS),
        tuple(0.55 + 0.9 * math.exp(-epoch / 3.2) + 0.018 * max(0.0, epoch - 8) for epoch in _EPOCHS),
        "The training loss is 1.29 at epoch 1, 0.42 at epoch 8, 0.17 at epoch 14 and 0.03 at epoch 30. The "
        "validation loss is 1.21 at epoch 1, 0.62 at epoch 8, 0.67 at epoch 14 and 0.95 at epoch 30.",
    )


@plotting("learning-curves-second-run")
def learning_curves_second_run() -> Plot:
    """Both curves level off high and close together (Goodfellow et al. 2016, section 5.2)."""
    return _curves(
        "Second run",
        tuple(1.55 + 0.7 * math.exp(-epoch / 3) for epoch in _EPOCHS),
        tuple(1.6 + 0.68 * math.exp(-epoch / 3) for epoch in _EPOCHS),
        "A guess costs 2.30. The training loss is 2.05 at epoch 1, 1.57 at epoch 10 and 1.55 from epoch 20 on. The "
        "validation loss is 2.09 at epoch 1, 1.62 at epoch 10 and 1.60 from epoch 20 on.",
    )


@plotting("early-stopping-noisy-curve")
def early_stopping_noisy_curve() -> Plot:
    """A noisy validation loss, in hundredths before noise 40 + 0.12 (t - 17)^2 (Prechelt 1998)."""
    losses = tuple(
        (40 + 0.12 * (epoch - 17) ** 2 + noise) / 100 for epoch, noise in zip(_EPOCHS, _NOISE, strict=True)
    )
    best = min(range(30), key=losses.__getitem__)
    return Plot(
        title="Validation loss of a run without early stopping",
        x_label="epoch",
        y_label="validation loss",
        lines=(Line("validation", _EPOCHS, losses),),
        alt=(
            f"The loss falls from {losses[0]:.2f} at epoch 1 with ups and downs. From epoch 4 on it is "
            + ", ".join(f"{loss:.3f}" for loss in losses[3:24])
            + f". No loss is below {losses[best]:.3f}; at epoch 30 it is {losses[29]:.2f}."
        ),
    )


@plotting("gradient-by-layer")
def gradient_by_layer() -> Plot:
    """log10 of the gradient's size before layer l of 20: a factor 0.25, 1.02 and 1.5 a layer on the way back."""
    layers = tuple(float(layer) for layer in range(1, 21))

    def sizes(factor: float) -> tuple[float, ...]:
        return tuple((20 - layer) * math.log10(factor) for layer in layers)

    return Plot(
        title="Size of the gradient in the layers of three networks",
        x_label="layer (1: next to the input)",
        y_label="log₁₀ of the gradient's size",
        lines=(
            Line("network 1", layers, sizes(1.5)),
            Line("network 2", layers, sizes(1.02)),
            Line("network 3", layers, sizes(0.25)),
        ),
        alt=(
            "At layer 20, next to the output, all three are at 0. At the layers 15, 10 and 1, network 1 is at 0.9, 1.8 "
            "and 3.3, network 2 at 0.04, 0.09 and 0.16, network 3 at −3.0, −6.0 and −11.4."
        ),
    )


@plotting("error-by-training-size")
def error_by_training_size() -> Plot:
    """Errors of two models over the size of the training set (Ng, Machine Learning Yearning 2018, chapters 28-31)."""
    thousands = tuple(float(size) for size in range(1, 21))
    return Plot(
        title="Error of two models over the size of the training set",
        x_label="training samples, in thousands",
        y_label="error in %",
        lines=(
            Line("model A, training", thousands, tuple(22 - 9 / size for size in thousands)),
            Line("model A, validation", thousands, tuple(23 + 12 / size for size in thousands)),
            Line("model B, training", thousands, tuple(5 - 4 / size**0.5 for size in thousands)),
            Line("model B, validation", thousands, tuple(6 + 30 / size**0.4 for size in thousands)),
        ),
        alt=(
            "From 1 to 5 to 20 thousand samples, model A's training error goes 13, 20.2, 21.6 % and its validation "
            "error 35, 25.4, 23.6 %; model B's training error goes 1, 3.2, 4.1 % and its validation error 36, 21.8, "
            "15.1 %."
        ),
    )


@plotting("shrinking-weights")
def shrinking_weights() -> Plot:
    """Where (w - 2)^2 / 2 + penalty is least, for lambda w^2 and lambda |w| (Goodfellow et al. 2016, section 7.1)."""
    strengths = tuple(step / 10 for step in range(41))
    return Plot(
        title="A fitted weight over the strength λ of a penalty",
        x_label="λ",
        y_label="weight",
        lines=(
            Line("curve 1", strengths, tuple(2 / (1 + 2 * strength) for strength in strengths)),
            Line("curve 2", strengths, tuple(max(0.0, 2 - strength) for strength in strengths)),
        ),
        alt=(
            "Both curves start at 2. At λ = 1, 2, 3 and 4, curve 1 is at 0.67, 0.4, 0.29 and 0.22, curve 2 at 1, 0, 0 "
            "and 0."
        ),
    )


@plotting("error-by-degree")
def error_by_degree() -> Plot:
    """Errors over the degree of a fitted polynomial, in the form of Bishop (2006), figure 1.5."""
    degrees = tuple(float(degree) for degree in range(1, 11))
    return Plot(
        title="Error over the degree of a fitted polynomial",
        x_label="degree",
        y_label="error",
        lines=(
            Line("training", degrees, (9.0, 6.2, 3.1, 2.4, 2.0, 1.7, 1.4, 1.0, 0.6, 0.2)),
            Line("validation", degrees, (9.4, 6.9, 4.0, 3.3, 3.5, 4.1, 5.2, 6.8, 8.9, 11.5)),
        ),
        alt=(
            "From degree 1 to 10 the training error goes 9.0, 6.2, 3.1, 2.4, 2.0, 1.7, 1.4, 1.0, 0.6, 0.2 and the "
            "validation error 9.4, 6.9, 4.0, 3.3, 3.5, 4.1, 5.2, 6.8, 8.9, 11.5."
        ),
    )
