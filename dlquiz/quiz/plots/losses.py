"""Pictures of losses over the error and over the margin."""

from __future__ import annotations

import math

from dlquiz.quiz.plots.plot import Line, Plot, plotting


@plotting("regression-losses")
def regression_losses() -> Plot:
    """Half the squared error, Huber's loss with delta = 1 (Huber 1964) and the absolute error."""
    errors = tuple(tenths / 10 for tenths in range(-30, 31))
    return Plot(
        title="Three losses of one prediction",
        x_label="error e",
        y_label="loss",
        lines=(
            Line("curve 1", errors, tuple(e**2 / 2 for e in errors)),
            Line("curve 2", errors, tuple(e**2 / 2 if abs(e) <= 1 else abs(e) - 0.5 for e in errors)),
            Line("curve 3", errors, tuple(abs(e) for e in errors)),
        ),
        alt=(
            "All three curves are 0 at e = 0 and symmetric about it. For errors of size 0.5, 1, 2 and 3, curve 1 has "
            "the values 0.125, 0.5, 2 and 4.5, curve 2 has 0.125, 0.5, 1.5 and 2.5, curve 3 has 0.5, 1, 2 and 3."
        ),
    )


@plotting("margin-losses")
def margin_losses() -> Plot:
    """The 0-1 loss, ln(1 + e^-m) and max(0, 1 - m) over the margin m (Bishop 2006, section 7.1.2)."""
    margins = tuple(tenths / 10 for tenths in range(-20, 31))
    return Plot(
        title="Three losses of a binary classifier",
        x_label="margin m = y · f(x)",
        y_label="loss",
        lines=(
            Line("curve 1", (-2.0, 0.0, 0.0, 3.0), (1.0, 1.0, 0.0, 0.0)),
            Line("curve 2", margins, tuple(math.log1p(math.exp(-m)) for m in margins)),
            Line("curve 3", margins, tuple(max(0.0, 1 - m) for m in margins)),
        ),
        alt=(
            "For the margins −2, −1, 0.5, 1 and 3, curve 1 has the values 1, 1, 0, 0 and 0, curve 2 has 2.13, 1.31, "
            "0.47, 0.31 and 0.05, curve 3 has 3, 2, 0.5, 0 and 0."
        ),
    )
