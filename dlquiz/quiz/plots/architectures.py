"""Pictures of training: depth without shortcuts, a start from pretrained weights. Sketches, not measurements."""

from __future__ import annotations

import math

from dlquiz.quiz.plots.plot import Line, Plot, plotting

EPOCHS = tuple(float(epoch) for epoch in range(0, 61, 2))


def _towards(start: float, end: float, pace: float) -> tuple[float, ...]:
    """An exponential approach from `start` to `end`, its distance down to 37 % every `pace` epochs."""
    return tuple(end + (start - end) * math.exp(-epoch / pace) for epoch in EPOCHS)


@plotting("plain-networks")
def plain_networks() -> Plot:
    """Training and validation error of two plain networks that differ in depth, after what He et al. (2015) found."""
    return Plot(
        title="Two plain networks (sketch)",
        x_label="epoch",
        y_label="error in %",
        lines=(
            Line("18 layers, training", EPOCHS, _towards(70, 24, 12)),
            Line("18 layers, validation", EPOCHS, _towards(70, 28, 12)),
            Line("34 layers, training", EPOCHS, _towards(75, 29, 14)),
            Line("34 layers, validation", EPOCHS, _towards(75, 32, 14)),
        ),
        alt=(
            "Error against epochs, four falling curves that level off. 18 layers: training ends near 24 %, validation "
            "near 28 %. 34 layers: training ends near 30 %, validation near 33 %. The 34-layer curves lie above "
            "those of 18 layers all the time."
        ),
    )


@plotting("two-starts")
def two_starts() -> Plot:
    """Validation accuracy of one network from two starts, after Torrey and Shavlik (2009)."""
    return Plot(
        title="One network, one small data set, two starts (sketch)",
        x_label="epoch",
        y_label="validation accuracy in %",
        lines=(
            Line("run 1", EPOCHS, _towards(48, 88, 7)),
            Line("run 2", EPOCHS, _towards(10, 74, 18)),
        ),
        alt=(
            "Validation accuracy against epochs, two rising curves that level off. Run 1 starts near 48 %, rises "
            "quickly and ends near 88 %. Run 2 starts near 10 %, rises slowly and ends near 72 %."
        ),
    )
