"""Pictures of convolution: responses of kernels, growth of the receptive field."""

from __future__ import annotations

from collections.abc import Sequence

from dlquiz.quiz.plots.plot import Line, Plot, plotting


def _response(signal: Sequence[float], kernel: Sequence[float]) -> tuple[float, ...]:
    """Cross-correlation without padding, stride 1."""
    reach = range(len(signal) - len(kernel) + 1)
    return tuple(sum(signal[i + j] * tap for j, tap in enumerate(kernel)) for i in reach)


@plotting("kernel-responses")
def kernel_responses() -> Plot:
    """A row of pixels with a dark, a bright and a dark stretch, and what three kernels of 3 make of it."""
    row = (0.0,) * 7 + (9.0,) * 7 + (0.0,) * 7
    inner = tuple(float(x) for x in range(1, len(row) - 1))
    return Plot(
        title="One row of pixels and the responses of three kernels",
        x_label="position",
        y_label="value",
        lines=(
            Line("pixels", tuple(float(x) for x in range(len(row))), row),
            Line("response 1", inner, _response(row, (-1, 0, 1))),
            Line("response 2", inner, _response(row, (1 / 3, 1 / 3, 1 / 3))),
            Line("response 3", inner, _response(row, (-1, 2, -1))),
        ),
        alt=(
            "The pixels are 0, jump to 9 after position 6 and fall back to 0 after position 13. Response 1 is +9 at "
            "the two positions beside the jump up, −9 at the two beside the fall, 0 elsewhere. Response 2 is 0, 3, "
            "6, 9 across the jump, stays at 9 and comes down as 6, 3, 0. Response 3 is −9 and then +9 at the jump, "
            "+9 and then −9 at the fall, 0 elsewhere."
        ),
    )


@plotting("receptive-field-growth")
def receptive_field_growth() -> Plot:
    """Receptive field against depth for three stacks of convolutions with stride 1: 1 + (k - 1) times the dilations."""
    depths = range(1, 6)
    x = tuple(float(depth) for depth in depths)
    return Plot(
        title="How far one unit sees",
        x_label="layers",
        y_label="receptive field (pixels)",
        lines=(
            Line("curve 1", x, tuple(1.0 + 6 * depth for depth in depths)),
            Line("curve 2", x, tuple(2.0 ** (depth + 1) - 1 for depth in depths)),
            Line("curve 3", x, tuple(1.0 + 2 * depth for depth in depths)),
        ),
        alt=(
            "Receptive field after 1 to 5 layers. Curve 1: 7, 13, 19, 25, 31 pixels. Curve 2: 3, 7, 15, 31, 63 pixels. "
            "Curve 3: 3, 5, 7, 9, 11 pixels."
        ),
    )
