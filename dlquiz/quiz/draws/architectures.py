"""Drawn questions on architectures: what their blocks cost, how large their maps are, transfer and embeddings."""

from __future__ import annotations

import math
import random

from dlquiz.quiz.draws.drawn import Drawn, drawing
from dlquiz.quiz.draws.numbers import unlike

# Vectors whose length is a whole number.
WHOLE_LENGTHS = ((1, 2, 2), (2, 3, 6), (1, 4, 8), (4, 4, 7), (2, 6, 9), (6, 6, 7), (0, 3, 4))


@drawing("grouped-conv-parameters")
def grouped_conv_parameters(rng: random.Random) -> Drawn:
    """K K (C_in / g) C_out weights and C_out biases (Krizhevsky et al. 2012; Keras, Conv2D with groups)."""
    kernel, groups = rng.choice((3, 5)), rng.choice((2, 4))
    channels, filters = groups * rng.randint(3, 16), groups * rng.randint(3, 20)
    weights = kernel * kernel * channels // groups * filters
    answer = weights + filters
    return Drawn(
        values={
            "kernel": kernel,
            "groups": groups,
            "channels": channels,
            "filters": filters,
            "seen": channels // groups,
            "weights": weights,
        },
        answer=answer,
        mistakes=unlike(
            answer,
            (weights * groups + filters, "A filter reads only the channels of its own group."),
            (weights // groups + filters, "All filters exist; only the depth of each is divided."),
            (weights, "Every filter has a bias besides."),
            (weights + filters // groups, "Every filter has a bias, in each group."),
        ),
    )


@drawing("vgg-stage-parameters")
def vgg_stage_parameters(rng: random.Random) -> Drawn:
    """The first 3 x 3 layer maps C_in to C, the others C to C, all with biases (Simonyan and Zisserman, 2014)."""
    layers, channels, filters = rng.randint(2, 4), rng.choice((8, 16, 32, 64)), rng.choice((16, 32, 64, 128))
    first, other = 9 * channels * filters + filters, 9 * filters * filters + filters
    answer = first + (layers - 1) * other
    return Drawn(
        values={
            "layers": layers,
            "channels": channels,
            "filters": filters,
            "first": first,
            "other": other,
            "others": layers - 1,
        },
        answer=answer,
        mistakes=unlike(
            answer,
            (
                layers * first,
                "From the second layer on, the input has as many channels as there are filters.",
            ),
            (layers * other, "The first layer still reads the channels of the stage before."),
            (answer - layers * filters, "VGG's convolutions have biases, one a filter."),
            (first + other, "Count every layer of the stage."),
        ),
    )


@drawing("vgg-first-dense")
def vgg_first_dense(rng: random.Random) -> Drawn:
    """(R / 32)^2 512 inputs and 4,096 units with biases (Simonyan and Zisserman, 2014, table 1)."""
    size = 32 * rng.randint(2, 16)
    side = size // 32
    inputs = side * side * 512
    answer = inputs * 4096 + 4096
    return Drawn(
        values={"size": size, "side": side, "inputs": inputs},
        answer=answer,
        mistakes=unlike(
            answer,
            (inputs * 4096, "Every one of the 4096 units has a bias besides."),
            (4 * inputs * 4096 + 4096, "There are five pools, the last one behind the last convolutions."),
            (512 * 4096 + 4096, "VGG16 flattens all positions; global pooling came with later networks."),
            (side * 512 * 4096 + 4096, "The map has side × side positions."),
        ),
    )


@drawing("inception-weights-saved")
def inception_weights_saved(rng: random.Random) -> Drawn:
    """25 C_in C_out - (C_in R + 25 R C_out) weights (Szegedy et al. 2014, section 4)."""
    channels, reduced, filters = (
        rng.choice((96, 128, 192, 256)),
        rng.choice((8, 16, 24)),
        rng.choice((32, 48, 64)),
    )
    direct, shrink, wide = 25 * channels * filters, channels * reduced, 25 * reduced * filters
    answer = direct - shrink - wide
    return Drawn(
        values={
            "channels": channels,
            "reduced": reduced,
            "filters": filters,
            "direct": direct,
            "shrink": shrink,
            "wide": wide,
        },
        answer=answer,
        mistakes=unlike(
            answer,
            (direct - wide, "The 1 × 1 convolution has weights too."),
            (shrink + wide, "Those are the weights of the branch; the question is how many it saves."),
            (
                direct - shrink - reduced * filters,
                "The 5 × 5 kernels still have 25 taps on the reduced channels.",
            ),
            (direct - shrink, "The 5 × 5 convolution behind the reduction has weights too."),
        ),
    )


@drawing("inception-output-channels")
def inception_output_channels(rng: random.Random) -> Drawn:
    """The concatenated branches: 1x1, 3x3, 5x5 and the pool's projection (Szegedy et al. 2014, figure 2b)."""
    one, three, five, project = (
        8 * rng.randint(low, high) for low, high in ((4, 32), (8, 48), (2, 16), (4, 16))
    )
    before_three, before_five = three // 16 * 8, five // 16 * 8 + 8
    answer = one + three + five + project
    return Drawn(
        values={
            "one": one,
            "before_three": before_three,
            "three": three,
            "before_five": before_five,
            "five": five,
            "project": project,
        },
        answer=answer,
        mistakes=unlike(
            answer,
            (answer + before_three + before_five, "The reductions stay inside their branches."),
            (answer - project, "The pooled branch goes into the concatenation as well."),
            (max(one, three, five, project), "The branches are concatenated, not added up cell by cell."),
            (one + before_three + before_five + project, "What leaves a branch is its last layer."),
        ),
    )


@drawing("bottleneck-weights")
def bottleneck_weights(rng: random.Random) -> Drawn:
    """4w w + 9 w w + w 4w = 17 w^2 (He et al. 2015, figure 5)."""
    width = 4 * rng.randint(2, 32)
    answer = 17 * width**2
    return Drawn(
        values={"width": width, "wide": 4 * width, "outer": 4 * width**2, "inner": 9 * width**2},
        answer=answer,
        mistakes=unlike(
            answer,
            (13 * width**2, "The last 1 × 1, which widens the map again, is missing."),
            (11 * width**2, "The 1 × 1 layers go from 4w to w channels and back."),
            (2 * 9 * (4 * width) ** 2, "That is a basic block of two 3 × 3 layers on the wide map."),
            (44 * width**2, "The 3 × 3 reads the w channels of the reduced map, not 4w."),
        ),
    )


@drawing("projection-block-weights")
def projection_block_weights(rng: random.Random) -> Drawn:
    """9 C 2C + 9 (2C)^2 + C 2C = 56 C^2 (He et al. 2015, figure 3, option B)."""
    channels = 2 * rng.randint(2, 32)
    double, square = 2 * channels, channels**2
    answer = 56 * square
    return Drawn(
        values={
            "channels": channels,
            "double": double,
            "first": 18 * square,
            "second": 36 * square,
            "projection": 2 * square,
        },
        answer=answer,
        mistakes=unlike(
            answer,
            (54 * square, "The shortcut's 1 × 1 projection has weights too."),
            (74 * square, "The first 3 × 3 still reads C channels, not 2C."),
            (72 * square, "The projection is 1 × 1, not 3 × 3."),
            (38 * square, "The second 3 × 3 reads the 2C channels that the first one made."),
        ),
    )


@drawing("resnet-depth")
def resnet_depth(rng: random.Random) -> Drawn:
    """Layers a block times the blocks, and 2 for the first convolution and the last dense (He et al. 2015)."""
    each = rng.choice((2, 3))
    blocks = [rng.randint(2, 4), rng.randint(2, 8), rng.randint(2, 24), rng.randint(2, 4)]
    total = sum(blocks)
    answer = each * total + 2
    # A projection where the shapes differ: in three groups of basic blocks, in all four of bottlenecks.
    projections = each + 1
    kind = (
        "basic blocks (two convolutions each)" if each == 2 else "bottleneck blocks (three convolutions each)"
    )
    return Drawn(
        values={
            "kind": kind,
            "each": each,
            "n1": blocks[0],
            "n2": blocks[1],
            "n3": blocks[2],
            "n4": blocks[3],
            "total": total,
        },
        answer=answer,
        mistakes=unlike(
            answer,
            (each * total, "The first convolution and the dense layer at the end count too."),
            (each * total + 1, "Both ends count: the first convolution and the dense layer."),
            (total + 2, "A block has several layers with weights."),
            (answer + projections, "Projections on shortcuts are not on the main path and are left out."),
        ),
    )


@drawing("transfer-head-parameters")
def transfer_head_parameters(rng: random.Random) -> Drawn:
    """C m + m + m k + k: what is trainable over a frozen base with global average pooling (Keras)."""
    features, hidden, classes = (
        rng.choice((512, 1024, 1280, 2048)),
        rng.choice((32, 64, 100, 128)),
        rng.randint(2, 20),
    )
    base = 1000 * rng.randint(2000, 25000)
    one, two = features * hidden + hidden, hidden * classes + classes
    answer = one + two
    return Drawn(
        values={
            "features": features,
            "hidden": hidden,
            "classes": classes,
            "base": f"{base:,}",
            "one": one,
            "two": two,
        },
        answer=answer,
        mistakes=unlike(
            answer,
            (base + answer, "Frozen parameters are in the model, but not trainable."),
            (features * hidden + hidden * classes, "Biases of trainable layers are trained too."),
            (two, "Both dense layers are new, so both are trained."),
            (one + features * classes + classes, "The last layer reads the hidden layer."),
            (7 * 7 * features * hidden + hidden + two, "Global average pooling leaves one number a channel."),
        ),
    )


@drawing("embedding-cosine")
def embedding_cosine(rng: random.Random) -> Drawn:
    """a·b / (|a| |b|) (scikit-learn, cosine_similarity)."""
    while True:
        one, two = (
            [rng.choice((1, 1, -1)) * number for number in rng.sample(rng.choice(WHOLE_LENGTHS), 3)]
            for _ in "ab"
        )
        dot = sum(a * b for a, b in zip(one, two, strict=True))
        lengths = math.isqrt(sum(a * a for a in one)), math.isqrt(sum(b * b for b in two))
        if lengths[0] * lengths[1] > abs(dot) > 0.1 * lengths[0] * lengths[1]:
            break
    answer = dot / (lengths[0] * lengths[1])
    return Drawn(
        values={
            "one": ", ".join(map(str, one)),
            "two": ", ".join(map(str, two)),
            "dot": dot,
            "length_one": lengths[0],
            "length_two": lengths[1],
        },
        answer=answer,
        mistakes=unlike(
            answer,
            (dot, "Divide by both lengths: the cosine does not depend on them."),
            (1 - answer, "That is the cosine distance."),
            (math.dist(one, two), "That is the Euclidean distance."),
            (dot / (lengths[0] * lengths[1]) ** 2, "Divide by the lengths, not by their squares."),
            (-answer, "Check the signs of the products."),
        ),
    )


@drawing("darknet-map")
def darknet_map(rng: random.Random) -> Drawn:
    """(R / 32)^2 1024 numbers: five halvings (Redmon and Farhadi, 2018, table 1)."""
    size = 32 * rng.randint(5, 19)
    side = size // 32
    answer = side * side * 1024
    return Drawn(
        values={"size": size, "side": side},
        answer=answer,
        mistakes=unlike(
            answer,
            (4 * answer, "Five layers have stride 2: the side shrinks by 2⁵ = 32."),
            (answer // 4, "Five layers have stride 2, not six: the side shrinks by 32."),
            (side * side, "There are 1024 channels at every position."),
            (side * 1024, "The map has side × side positions."),
        ),
    )


@drawing("top-five-error")
def top_five_error(rng: random.Random) -> Drawn:
    """Share of images whose true class is not among the five best scores (Russakovsky et al. 2015)."""
    ranks = [1, *rng.choices((1, 2, 3, 4, 5), k=4), *rng.choices(range(1, 40), k=3), 5, rng.randint(6, 90)]
    rng.shuffle(ranks)
    missed = sum(rank > 5 for rank in ranks)
    answer = 10 * missed
    return Drawn(
        values={"ranks": ", ".join(map(str, ranks)), "missed": missed},
        answer=answer,
        mistakes=unlike(
            answer,
            (100 - answer, "That is the accuracy; the error is the rest."),
            (10 * sum(rank > 1 for rank in ranks), "That is the top-1 error."),
            (10 * sum(rank >= 5 for rank in ranks), "Rank 5 is still among the five."),
            (missed, "In percent: divide by the ten images."),
        ),
    )
