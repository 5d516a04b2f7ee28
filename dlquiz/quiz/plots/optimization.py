"""Pictures of descents and of learning-rate schedules."""

from __future__ import annotations

from dlquiz.quiz.plots.plot import Line, Plot, plotting


@plotting("learning-rate-curves")
def learning_rate_curves() -> Plot:
    """Gradient descent on (w1^2 + 10 w2^2) / 2 from (1, 1): stable for rates below 2/10 (Goh 2017)."""
    steps = range(21)
    x = tuple(float(step) for step in steps)

    def run(rate: float) -> tuple[float, ...]:
        return tuple(((1 - rate) ** (2 * n) + 10 * (1 - 10 * rate) ** (2 * n)) / 2 for n in steps)

    return Plot(
        title="Gradient descent with three learning rates",
        x_label="step",
        y_label="training loss",
        lines=(
            Line("curve 1", x, run(0.205)),
            Line("curve 2", x, run(0.002)),
            Line("curve 3", x, run(0.15)),
        ),
        alt=(
            "All three curves start at a loss of 5.5. After 5, 10 and 20 steps, curve 1 is at 8.2, 13.3 and 35.2, "
            "curve 2 at 4.6, 3.8 and 2.7, curve 3 at 0.10, 0.02 and 0.001."
        ),
    )


@plotting("learning-rate-path")
def learning_rate_path() -> Plot:
    """w over the steps of descent on w^2 / 2 with the rate 1.7: w (1 - 1.7)^n (Goh 2017)."""
    steps = range(11)
    return Plot(
        title="A weight during gradient descent on ½w²",
        x_label="step",
        y_label="weight w",
        lines=(Line("w", tuple(float(step) for step in steps), tuple(2 * (-0.7) ** n for n in steps)),),
        alt="The weight starts at 2 and goes on as −1.4, 0.98, −0.69, 0.48, −0.34, 0.24 and so on.",
    )


@plotting("learning-rate-schedules")
def learning_rate_schedules() -> Plot:
    """0.1/(1 + t/2); 0.1 halved every 10 epochs; a rise over 5 epochs, then 0.1 * 0.9^t; 0.1 * 0.85^t."""
    epochs = range(31)
    x = tuple(float(t) for t in epochs)
    return Plot(
        title="Four schedules of the learning rate",
        x_label="epoch t",
        y_label="learning rate",
        lines=(
            Line("curve 1", x, tuple(0.1 / (1 + t / 2) for t in epochs)),
            Line("curve 2", x, tuple(0.1 * 0.5 ** (t // 10) for t in epochs)),
            Line("curve 3", x, tuple(0.02 * t if t < 5 else 0.1 * 0.9 ** (t - 5) for t in epochs)),
            Line("curve 4", x, tuple(0.1 * 0.85**t for t in epochs)),
        ),
        alt=(
            "At the epochs 0, 5, 9, 10, 20 and 30, curve 1 has the rates 0.1, 0.029, 0.018, 0.017, 0.009 and 0.006; "
            "curve 2 has 0.1, 0.1, 0.1, 0.05, 0.025 and 0.0125; curve 3 has 0, 0.1, 0.066, 0.059, 0.021 and 0.007; "
            "curve 4 has 0.1, 0.044, 0.023, 0.020, 0.004 and 0.001."
        ),
    )
