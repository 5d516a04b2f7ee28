"""Drawn questions on convolution and pooling: sizes, values, parameters, receptive fields, gradients."""

from __future__ import annotations

import random
from collections.abc import Sequence

from dlquiz.quiz.draws.drawn import Drawn, drawing
from dlquiz.quiz.draws.numbers import unlike


def rows(grid: Sequence[Sequence[int]]) -> str:
    """A matrix as text, one row a line, the columns right-aligned."""
    width = max(len(str(number)) for row in grid for number in row)
    return "\n".join("  ".join(f"{number:>{width}}" for number in row) for row in grid)


def grid_of(rng: random.Random, side: int, low: int, high: int) -> list[list[int]]:
    """A square matrix, side x side, of whole numbers from `low` to `high`."""
    return [[rng.randint(low, high) for _ in range(side)] for _ in range(side)]


@drawing("conv-output-size")
def conv_output_size(rng: random.Random) -> Drawn:
    """floor((H + 2P - K) / S) + 1 (Dumoulin and Visin, 2016, relationship 6)."""
    kernel = rng.choice((3, 5, 7))
    size, padding, stride = rng.randint(16, 64), rng.randint(0, kernel // 2), rng.randint(1, 3)
    steps, left_over = divmod(size + 2 * padding - kernel, stride)
    answer = steps + 1
    return Drawn(
        values={"size": size, "kernel": kernel, "padding": padding, "stride": stride},
        answer=answer,
        mistakes=unlike(
            answer,
            (steps, "The first position costs no step: add 1 after the division."),
            (steps + 1 + (left_over > 0), "A last step that does not fit is left out: round down, not up."),
            ((size + padding - kernel) // stride + 1, "The zeros lie on both sides, so P counts twice."),
            ((size - kernel) // stride + 1, "The padding makes the input larger before the kernel moves."),
            (
                (size + 2 * padding) // stride + 1,
                "Subtract the kernel: it has to fit inside at every position.",
            ),
        ),
    )


@drawing("same-output-size")
def same_output_size(rng: random.Random) -> Drawn:
    """ceil(H / S), whatever the kernel (Keras, Conv2D with padding="same")."""
    size, kernel, stride = rng.randint(15, 99), rng.choice((3, 5, 7)), rng.randint(2, 4)
    answer = -(-size // stride)
    return Drawn(
        values={"size": size, "kernel": kernel, "stride": stride},
        answer=answer,
        mistakes=unlike(
            answer,
            (size, "`same` keeps the size only when the stride is 1."),
            (size // stride, "The last, incomplete step is padded too: round up."),
            ((size - kernel) // stride + 1, 'That is padding="valid", without any zeros.'),
        ),
    )


@drawing("same-padding-zeros")
def same_padding_zeros(rng: random.Random) -> Drawn:
    """(ceil(H / S) - 1) S + K - H zeros in all, for K >= S (TensorFlow, notes on `same` padding)."""
    stride = rng.randint(1, 3)
    size, kernel = rng.randint(10, 40), rng.randint(stride + 1, stride + 5)
    output = -(-size // stride)
    answer = (output - 1) * stride + kernel - size
    return Drawn(
        values={"size": size, "kernel": kernel, "stride": stride, "output": output},
        answer=answer,
        mistakes=unlike(
            answer,
            (kernel - 1, "K − 1 zeros are needed with stride 1; larger strides may need fewer."),
            (answer // 2, "That is one side; the question is about both sides together."),
            (kernel // 2, "That is the usual padding of one side, for an odd kernel and stride 1."),
            (
                output * stride + kernel - size,
                "The first position takes no step: (output − 1) steps of S pixels.",
            ),
        ),
    )


@drawing("padding-that-keeps-the-size")
def padding_that_keeps_the_size(rng: random.Random) -> Drawn:
    """P = D (K - 1) / 2 for odd K and stride 1 (Dumoulin and Visin, 2016, chapter 2 and section 5.1)."""
    kernel, dilation = rng.choice((3, 5, 7, 9)), rng.randint(1, 4)
    answer = dilation * (kernel - 1) // 2
    return Drawn(
        values={"kernel": kernel, "dilation": dilation, "reach": dilation * (kernel - 1) + 1},
        answer=answer,
        mistakes=unlike(
            answer,
            ((kernel - 1) // 2, "A dilated kernel spans D(K − 1) + 1 pixels, not K."),
            (2 * answer, "That is what both sides need together."),
            (dilation * kernel // 2, "Between K taps there are K − 1 gaps."),
            (kernel, "That is the width of the kernel; each side needs half of D(K − 1)."),
        ),
    )


@drawing("dilated-output-size")
def dilated_output_size(rng: random.Random) -> Drawn:
    """H - D (K - 1) without padding, stride 1 (Dumoulin and Visin, 2016, section 5.1)."""
    size, kernel, dilation = rng.randint(24, 64), rng.choice((3, 5)), rng.randint(2, 4)
    answer = size - dilation * (kernel - 1)
    return Drawn(
        values={
            "size": size,
            "kernel": kernel,
            "dilation": dilation,
            "reach": dilation * (kernel - 1) + 1,
        },
        answer=answer,
        mistakes=unlike(
            answer,
            (size - kernel + 1, "That is the undilated kernel; the gaps count too."),
            (size - dilation * kernel + 1, "K taps have K − 1 gaps: the kernel spans D(K − 1) + 1 pixels."),
            (answer - 1, "Add 1: a kernel as wide as the input still has one position."),
            (size, "Without padding the map shrinks."),
        ),
    )


@drawing("transposed-output-size")
def transposed_output_size(rng: random.Random) -> Drawn:
    """(H - 1) S + K without padding (Dumoulin and Visin, 2016, chapter 4; Keras, Conv2DTranspose)."""
    size, stride = rng.randint(8, 20), rng.randint(2, 4)
    kernel = rng.randint(stride, stride + 3)
    answer = (size - 1) * stride + kernel
    return Drawn(
        values={"size": size, "kernel": kernel, "stride": stride},
        answer=answer,
        mistakes=unlike(
            answer,
            (size * stride, 'That is padding="same": here nothing is cropped.'),
            (size * stride + kernel, "H input pixels are H − 1 steps apart, not H."),
            ((size - kernel) // stride + 1, "That is the ordinary convolution, which makes the map smaller."),
            ((size - 1) * stride + 1, "The last input pixel spreads over K output pixels, not one."),
        ),
    )


@drawing("pooled-size")
def pooled_size(rng: random.Random) -> Drawn:
    """n times floor(H / K): pools that do not overlap (Keras, MaxPooling2D with its defaults)."""
    size, (pool, times) = rng.randint(50, 230), rng.choice(((2, 2), (2, 3), (2, 4), (3, 2), (3, 3)))
    answer, rounded_up = size, size
    for _ in range(times):
        answer, rounded_up = answer // pool, -(-rounded_up // pool)
    return Drawn(
        values={"size": size, "pool": pool, "times": times},
        answer=answer,
        mistakes=unlike(
            answer,
            (rounded_up, 'Without padding an incomplete window is dropped: round down ("same" rounds up).'),
            (size // (pool * times), "Each layer divides again: the divisors multiply, they do not add up."),
            (size // pool, "That is the map behind the first of the pools."),
            (size - times * (pool - 1), "That is stride 1; by default the stride of a pool is its size."),
        ),
    )


@drawing("strided-chain-size")
def strided_chain_size(rng: random.Random) -> Drawn:
    """n times floor((H + 2 - 3) / 2) + 1: 3 x 3, padding 1, stride 2."""
    size, times = rng.randint(40, 260), rng.randint(2, 4)
    answer, rounded_down, unpadded = size, size, size
    for _ in range(times):
        answer, rounded_down, unpadded = (answer - 1) // 2 + 1, rounded_down // 2, (unpadded - 3) // 2 + 1
    return Drawn(
        values={"size": size, "times": times},
        answer=answer,
        mistakes=unlike(
            answer,
            (rounded_down, "An odd size rounds up here: floor((H − 1)/2) + 1, thanks to the padding."),
            (unpadded, "One row of zeros lies on each side of every map."),
            (size // (2 * times), "Each layer halves again: 2 to the power of n, not 2n."),
            (size, "Padding 1 keeps the size for stride 1 only."),
        ),
    )


@drawing("conv-cell")
def conv_cell(rng: random.Random) -> Drawn:
    """b + sum of products without flipping (cross-correlation; Goodfellow et al. 2016, equation 9.6)."""
    while True:
        patch, kernel = grid_of(rng, 3, 0, 5), grid_of(rng, 3, -2, 2)
        bias = rng.choice((-3, -2, -1, 1, 2, 3))
        products = sum(
            p * k for row, taps in zip(patch, kernel, strict=True) for p, k in zip(row, taps, strict=True)
        )
        flipped = sum(
            p * k
            for row, taps in zip(patch, kernel[::-1], strict=True)
            for p, k in zip(row, taps[::-1], strict=True)
        )
        if products != flipped:
            break
    answer = products + bias
    matrix = sum(patch[i][j] * kernel[j][i] for i in range(3) for j in range(3))
    return Drawn(
        values={"patch": rows(patch), "kernel": rows(kernel), "bias": bias, "products": products},
        answer=answer,
        mistakes=unlike(
            answer,
            (products, "The bias is added once to every output cell."),
            (flipped + bias, "That flips the kernel; deep-learning libraries do not."),
            (matrix + bias, "Multiply cell by cell at the same place, not rows by columns."),
            (products + 9 * bias, "The bias is added once, not once a tap."),
        ),
    )


@drawing("max-pool-sum")
def max_pool_sum(rng: random.Random) -> Drawn:
    """Sum of the four maxima of a 4 x 4 map under a 2 x 2 pool of stride 2."""
    grid = grid_of(rng, 4, -4, 9)
    windows = [[grid[r + i][c + j] for i in (0, 1) for j in (0, 1)] for r in (0, 2) for c in (0, 2)]
    overlapping = [
        max(grid[r + i][c + j] for i in (0, 1) for j in (0, 1)) for r in range(3) for c in range(3)
    ]
    maxima = [max(window) for window in windows]
    answer = sum(maxima)
    return Drawn(
        values={"grid": rows(grid), "maxima": ", ".join(map(str, maxima))},
        answer=answer,
        mistakes=unlike(
            answer,
            (sum(map(sum, windows)) / 4, "Those are the averages of the windows."),
            (sum(map(sum, windows)), "Of each window only the largest value goes on."),
            (sum(overlapping), "With stride 2 the windows do not overlap: there are four of them."),
            (max(maxima), "That is the global maximum; there is one maximum a window."),
            (
                sum(max(window, key=abs) for window in windows),
                "Largest, not largest in size: −4 is less than 1.",
            ),
        ),
    )


@drawing("average-pool-sum")
def average_pool_sum(rng: random.Random) -> Drawn:
    """Sum of the four means of a 4 x 4 map under a 2 x 2 pool of stride 2: the map's sum over four."""
    grid = grid_of(rng, 4, 0, 9)
    windows = [[grid[r + i][c + j] for i in (0, 1) for j in (0, 1)] for r in (0, 2) for c in (0, 2)]
    total = sum(map(sum, grid))
    answer = total / 4
    return Drawn(
        values={"grid": rows(grid), "means": ", ".join(f"{sum(window) / 4:g}" for window in windows)},
        answer=answer,
        mistakes=unlike(
            answer,
            (sum(max(window) for window in windows), "Those are the maxima of the windows."),
            (total, "Divide the sum of each window by its four cells."),
            (total / 16, "That is global average pooling: one mean of the whole map."),
        ),
    )


@drawing("conv-parameter-count")
def conv_parameter_count(rng: random.Random) -> Drawn:
    """K K C_in C_out weights and C_out biases (Keras, Conv2D)."""
    kernel = rng.choice((1, 3, 5, 7))
    channels, filters = rng.choice((1, 3, 8, 12, 16, 24, 32)), rng.choice((4, 6, 10, 16, 20, 32, 64))
    weights = kernel * kernel * channels * filters
    answer = weights + filters
    return Drawn(
        values={"kernel": kernel, "channels": channels, "filters": filters, "weights": weights},
        answer=answer,
        mistakes=unlike(
            answer,
            (weights, "Those are the weights; every filter has a bias besides."),
            (
                kernel * kernel * filters + filters,
                "A filter is as deep as its input: one K × K slice a channel.",
            ),
            (weights + channels, "There is one bias a filter, not one an input channel."),
            (weights + channels * filters, "There is one bias a filter, not one a slice of it."),
            (kernel * channels * filters + filters, "The kernel has K × K taps, not K."),
        ),
    )


@drawing("dense-parameter-count")
def dense_parameter_count(rng: random.Random) -> Drawn:
    """n m weights and m biases (Keras, Dense)."""
    inputs, units = rng.randint(20, 600), rng.randint(5, 128)
    answer = inputs * units + units
    return Drawn(
        values={"inputs": inputs, "units": units},
        answer=answer,
        mistakes=unlike(
            answer,
            (inputs * units, "Every unit has a bias besides its weights."),
            (inputs * units + inputs, "There is one bias a unit, not one an input."),
            (inputs * units + 1, "There is one bias a unit, not one a layer."),
            (inputs + units, "Every unit has a weight of its own for every input."),
        ),
    )


@drawing("flatten-dense-parameters")
def flatten_dense_parameters(rng: random.Random) -> Drawn:
    """H W C m weights and m biases (Keras, Flatten and Dense)."""
    side, channels, units = rng.randint(4, 12), rng.choice((8, 16, 24, 32, 64)), rng.choice((5, 10, 20, 50))
    inputs = side * side * channels
    answer = inputs * units + units
    return Drawn(
        values={"side": side, "channels": channels, "units": units, "inputs": inputs},
        answer=answer,
        mistakes=unlike(
            answer,
            (inputs * units, "Every unit has a bias besides its weights."),
            (channels * units + units, "That is global average pooling; `Flatten` keeps every position."),
            (side * side * units + units, "Every channel of every position is an input of the dense layer."),
            (side * channels * units + units, "The map has H · W positions, not H."),
        ),
    )


@drawing("small-cnn-parameters")
def small_cnn_parameters(rng: random.Random) -> Drawn:
    """Conv, pool, conv, pool, flatten, dense: the sum of the layers (Keras, count_params)."""
    side, channels = 4 * rng.randint(3, 8), rng.choice((1, 3))
    first, second, classes = rng.choice((4, 6, 8)), rng.choice((8, 10, 12, 16)), rng.randint(2, 10)
    flat = (side // 4) ** 2 * second
    conv_one, conv_two, dense = (
        9 * channels * first + first,
        9 * first * second + second,
        flat * classes + classes,
    )
    answer = conv_one + conv_two + dense
    return Drawn(
        values={
            "side": side,
            "channels": channels,
            "first": first,
            "second": second,
            "classes": classes,
            "flat": flat,
            "conv_one": conv_one,
            "conv_two": conv_two,
            "dense": dense,
        },
        answer=answer,
        mistakes=unlike(
            answer,
            (answer - first - second - classes, "Biases are parameters too."),
            (
                conv_one + conv_two + side * side * second * classes + classes,
                "Each pool halves both sides of the map that is flattened.",
            ),
            (
                conv_one + 9 * channels * second + second + dense,
                "The second layer reads the maps of the first.",
            ),
            (
                conv_one + 9 * second + second + dense,
                "Each filter of the second layer reads all maps of the first.",
            ),
            (
                conv_one + conv_two + second * classes + classes,
                "That is global average pooling; `Flatten` keeps every position.",
            ),
        ),
    )


@drawing("receptive-field")
def receptive_field(rng: random.Random) -> Drawn:
    """1 + sum of (k_i - 1) times the strides before layer i (Araujo, Norris and Sim, 2019)."""
    kernels = [rng.choice((3, 5, 7)), rng.choice((2, 3)), rng.choice((3, 5))]
    strides = [rng.choice((1, 2)), 2, rng.choice((1, 2))]
    answer, jump, own, reach = 1, 1, 1, []
    for kernel, stride in zip(kernels, strides, strict=True):
        own += (kernel - 1) * jump * stride
        answer += (kernel - 1) * jump
        jump *= stride
        reach.append(answer)
    return Drawn(
        values={
            "k1": kernels[0],
            "s1": strides[0],
            "k2": kernels[1],
            "s2": strides[1],
            "k3": kernels[2],
            "s3": strides[2],
            "r1": reach[0],
            "r2": reach[1],
        },
        answer=answer,
        mistakes=unlike(
            answer,
            (1 + sum(kernel - 1 for kernel in kernels), "That holds when all strides are 1."),
            (own, "A stride spreads the layers after it, not its own kernel."),
            (sum(kernels), "Each layer adds K − 1 steps, and the field starts with 1 pixel."),
            (max(kernels), "The fields of layers that follow each other grow."),
        ),
    )


@drawing("dilated-receptive-field")
def dilated_receptive_field(rng: random.Random) -> Drawn:
    """1 + (K - 1)(2^n - 1) for dilations 1, 2, 4, ... (Yu and Koltun, 2016, section 2, for K = 3)."""
    kernel, layers = rng.choice((2, 3, 5)), rng.randint(3, 6)
    answer = 1 + (kernel - 1) * (2**layers - 1)
    return Drawn(
        values={
            "kernel": kernel,
            "layers": layers,
            "dilations": ", ".join(str(2**i) for i in range(layers)),
            "total": 2**layers - 1,
        },
        answer=answer,
        mistakes=unlike(
            answer,
            (1 + (kernel - 1) * layers, "That is the stack without dilation."),
            ((kernel - 1) * (2**layers - 1), "The field starts with the pixel itself: add 1."),
            (1 + (kernel - 1) * 2 ** (layers - 1), "Every layer adds its share, not only the last one."),
            (1 + kernel * (2**layers - 1), "K taps have K − 1 gaps."),
        ),
    )


@drawing("small-kernels-saving")
def small_kernels_saving(rng: random.Random) -> Drawn:
    """((2n + 1)^2 - 9n) C^2 weights fewer (Simonyan and Zisserman, 2014, section 2.3, for n = 3)."""
    layers, channels = rng.randint(2, 5), rng.choice((10, 16, 20, 32, 64))
    side = 2 * layers + 1
    answer = (side**2 - 9 * layers) * channels**2
    return Drawn(
        values={
            "layers": layers,
            "channels": channels,
            "side": side,
            "stack": 9 * layers * channels**2,
            "single": side**2 * channels**2,
        },
        answer=answer,
        mistakes=unlike(
            answer,
            ((side**2 - 9) * channels**2, "Every layer of the stack has weights of its own."),
            ((side**2 - 9 * layers) * channels, "Each of the C filters reads C channels: C², not C."),
            (
                9 * layers * channels**2,
                "Those are the weights of the stack; the question is how many it saves.",
            ),
            (side**2 - 9 * layers, "That is for one channel in and one out."),
        ),
    )


@drawing("dense-over-convolution")
def dense_over_convolution(rng: random.Random) -> Drawn:
    """H^2 C_in H^2 C_out over K^2 C_in C_out, which is (H^2 / K)^2."""
    kernel = rng.choice((2, 3, 5))
    side, channels, filters = kernel * rng.randint(2, 5), rng.choice((1, 3, 4)), rng.choice((2, 8, 16))
    answer = (side * side // kernel) ** 2
    return Drawn(
        values={
            "side": side,
            "kernel": kernel,
            "channels": channels,
            "filters": filters,
            "dense": side**4 * channels * filters,
            "convolution": kernel**2 * channels * filters,
        },
        answer=answer,
        mistakes=unlike(
            answer,
            ((side // kernel) ** 2, "A dense layer has these weights for every output position anew."),
            (side**2, "That is sharing alone; a kernel also reads K × K pixels instead of all."),
            (side**4, "Divide by the K × K taps of the kernel."),
            (side * side // kernel, "Square it: the map and the kernel have two dimensions."),
        ),
    )


@drawing("feature-shift")
def feature_shift(rng: random.Random) -> Drawn:
    """An input shifted by n S_1 S_2 pixels moves the response by n cells (equivariance under stride)."""
    one, two = rng.choice((1, 2, 3)), rng.choice((2, 3, 4))
    answer = rng.randint(2, 6)
    shift = answer * one * two
    return Drawn(
        values={"one": one, "two": two, "shift": shift, "jump": one * two},
        answer=answer,
        mistakes=unlike(
            answer,
            (shift, "The response moves with the object, but its map is coarser than the image."),
            (shift // two, "The stride of the first layer counts too."),
            (shift // one, "The stride of the second layer counts too."),
            (0, "Convolution is equivariant, not invariant: its response moves with the object."),
            (shift / (one + two), "Strides of layers that follow each other multiply."),
        ),
    )


@drawing("conv-weight-gradient")
def conv_weight_gradient(rng: random.Random) -> Drawn:
    """dL/dw_j = sum over i of g_i x_(i+j): one kernel of 3, input of 5 (Goodfellow et al. 2016, eq. 9.11)."""
    while True:
        inputs = [rng.randint(-3, 5) for _ in range(5)]
        upstream = [rng.choice((-2, -1, 1, 2, 3)) for _ in range(3)]
        tap = rng.randint(0, 2)
        terms = [upstream[i] * inputs[i + tap] for i in range(3)]
        answer = sum(terms)
        reversed_sum = sum(upstream[2 - i] * inputs[i + tap] for i in range(3))
        if answer != reversed_sum:
            break
    return Drawn(
        values={
            "inputs": ", ".join(map(str, inputs)),
            "upstream": ", ".join(map(str, upstream)),
            "tap": tap + 1,
            "terms": " + ".join(f"({upstream[i]})·({inputs[i + tap]})" for i in range(3)),
        },
        answer=answer,
        mistakes=unlike(
            answer,
            (terms[0], "The tap is used at every position: add up what each use contributes."),
            (answer / 3, "Uses of a shared weight add up; they are not averaged."),
            (reversed_sum, "Output i meets input i + j: nothing is reversed for the weights."),
            (
                sum(inputs[i + tap] for i in range(3)),
                "Weight each input by the gradient of the output it went to.",
            ),
            (sum(upstream), "That is the gradient of the bias; each term is multiplied by its input."),
        ),
    )


@drawing("conv-input-gradient")
def conv_input_gradient(rng: random.Random) -> Drawn:
    """dL/dx_3 = g_1 w_3 + g_2 w_2 + g_3 w_1: one kernel of 3, input of 5 (Goodfellow et al. 2016, eq. 9.13)."""
    while True:
        kernel = [rng.randint(-3, 4) for _ in range(3)]
        upstream = [rng.choice((-2, -1, 1, 2, 3)) for _ in range(3)]
        answer = sum(upstream[i] * kernel[2 - i] for i in range(3))
        unflipped = sum(upstream[i] * kernel[i] for i in range(3))
        if answer != unflipped:
            break
    return Drawn(
        values={
            "kernel": ", ".join(map(str, kernel)),
            "upstream": ", ".join(map(str, upstream)),
            "terms": " + ".join(f"({upstream[i]})·({kernel[2 - i]})" for i in range(3)),
        },
        answer=answer,
        mistakes=unlike(
            answer,
            (unflipped, "Output 1 met this input with its last tap: the kernel runs backwards here."),
            (upstream[1] * kernel[1], "The middle input belongs to all three windows."),
            (sum(kernel), "Weight each tap by the gradient of the output it went to."),
            (sum(upstream) * sum(kernel), "Each output met this input with one tap, not with all three."),
        ),
    )
