"""Architecture calculators: what a network costs and what it sees, before a weight exists.

Every result is exact: a Python `int`, or tuples of them. A model is a list of layer dictionaries; README.md
pins their keys, defaults and conventions. Shapes are channels-last and leave the batch out:
`(height, width, channels)` or `(features,)`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import keras

Layer = dict[str, Any]
Shape = tuple[int, ...]
Pair = tuple[int, int]

WINDOWED = ("conv", "depthwise", "separable", "max_pool", "avg_pool")
POINTWISE = ("activation", "batch_norm", "dropout", "lrn")
MERGES = ("add", "concat")
WEIGHTED = ("conv", "depthwise", "separable", "dense")
BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1, "uint8": 1}

KERAS_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
KERAS_POOLS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
KERAS_MERGES = (keras.layers.Add, keras.layers.Concatenate, keras.layers.Multiply, keras.layers.Maximum)
KERAS_POINTWISE = (
    keras.layers.Activation, keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.BatchNormalization,
    keras.layers.Dropout, keras.layers.ZeroPadding2D, keras.layers.Cropping2D,
)  # fmt: skip


def pair(value: Any) -> tuple[Any, Any]:
    """A layer's setting for (vertical, horizontal): a pair as it is, any other value for both. Given."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def conv(filters: int, kernel: int | Pair, **settings: Any) -> Layer:
    """A `conv` layer's dictionary. Given."""
    return {"type": "conv", "filters": filters, "kernel": kernel, **settings}


def walk(layers: Sequence[Layer], shape: Shape) -> Iterator[tuple[Layer, Shape, Shape]]:
    """Yield `(layer, its input shape, its output shape)`; layers inside branches before their merge. Given.

    It calls your `output_shape`.
    """
    for layer in layers:
        for branch in layer.get("branches", ()):
            yield from walk(branch, shape)
        after = output_shape(layer, shape)
        yield layer, shape, after
        shape = after


# --- 1. Output sizes


def output_size(
    size: int, kernel: int, stride: int = 1, padding: str | int | Pair = "valid", dilation: int = 1
) -> int:
    """Number of window positions along one axis (Dumoulin and Visin, 2016).

    Args:
        size: input length in pixels, at least 1.
        kernel: taps of the window.
        stride: pixels from one window to the next.
        padding: `"valid"` (none), `"same"` (ceil(size / stride) positions, whatever the kernel), an int (that
            many pixels on each side) or a pair `(before, after)`.
        dilation: pixels from one tap to the next.

    Returns:
        The output length, an int of at least 1.

    Raises:
        ValueError: kernel, stride or dilation below 1; negative padding; another string; a window longer than
            the padded input.
    """
    # BEGIN SOLUTION
    if min(kernel, stride, dilation) < 1:
        raise ValueError(
            f"kernel, stride and dilation must be at least 1, got {kernel}, {stride}, {dilation}"
        )
    if padding == "same":
        return -(-size // stride)
    if isinstance(padding, str) and padding != "valid":
        raise ValueError(f"padding must be 'valid', 'same', an int or a pair, got {padding!r}")
    before, after = (0, 0) if padding == "valid" else pair(padding)
    if min(before, after) < 0:
        raise ValueError(f"padding must not be negative, got {padding}")
    room = before + size + after - (dilation * (kernel - 1) + 1)
    if room < 0:
        raise ValueError(f"a window of {kernel} taps, dilation {dilation}, does not fit into {size} pixels")
    return room // stride + 1
    # END SOLUTION


def window(layer: Layer) -> tuple[Pair, Pair, Pair, tuple[Any, Any]]:
    """`(kernel, stride, dilation, padding)` of a windowed layer, each as a pair, defaults filled in.

    Worth no points of its own: `output_shape` and `receptive_field` both want it.
    """
    # BEGIN SOLUTION
    kernel = layer["kernel"]
    usual_stride = kernel if layer["type"].endswith("_pool") else 1
    return (
        pair(kernel),
        pair(layer.get("stride", usual_stride)),
        pair(layer.get("dilation", 1)),
        pair(layer.get("padding", "valid")),
    )
    # END SOLUTION


def output_shape(layer: Layer, shape: Shape) -> Shape:
    """Shape that one layer, or one merge with its branches, makes of `shape`.

    Args:
        layer: a layer dictionary.
        shape: `(height, width, channels)`, or `(features,)`; `dense` takes any and works on the last axis.

    Returns:
        A tuple of ints without the batch axis.

    Raises:
        ValueError: an unknown type; branches whose ends cannot be added (shapes differ) or concatenated
            (anything but the channels differs); a `reshape` to another number of values; an impossible
            window.
    """
    # BEGIN SOLUTION
    kind = layer["type"]
    if kind in WINDOWED:
        kernel, stride, dilation, padding = window(layer)
        area = (output_size(*axis) for axis in zip(shape[:2], kernel, stride, padding, dilation, strict=True))
        return (*area, layer.get("filters", shape[2] * layer.get("multiplier", 1)))
    if kind in MERGES:
        ends = []
        for branch in layer["branches"]:
            end = tuple(shape)
            for inner in branch:
                end = output_shape(inner, end)
            ends.append(end)
        if len({end if kind == "add" else end[:-1] for end in ends}) != 1:
            raise ValueError(f"the branches of {kind!r} end in shapes that do not fit: {ends}")
        return ends[0] if kind == "add" else (*ends[0][:-1], sum(end[-1] for end in ends))
    if kind in POINTWISE:
        return tuple(shape)
    if kind == "dense":
        return (*shape[:-1], layer["units"])
    if kind == "global_avg_pool":
        return (shape[-1],)
    if kind == "flatten":
        return (math.prod(shape),)
    if kind == "reshape":
        if math.prod(layer["shape"]) != math.prod(shape):
            raise ValueError(f"cannot reshape {shape} to {layer['shape']}")
        return tuple(layer["shape"])
    raise ValueError(f"unknown layer type {kind!r}")
    # END SOLUTION


# --- 2. Parameters of one layer


def conv_parameters(
    kernel: int | Pair, in_channels: int, filters: int, groups: int = 1, bias: bool = True
) -> int:
    """Parameters of a 2-D convolution; `kernel` is an int or `(height, width)`.

    Raises:
        ValueError: `groups` does not divide both `in_channels` and `filters`.
    """
    # BEGIN SOLUTION
    if in_channels % groups or filters % groups:
        raise ValueError(f"{groups} groups do not divide {in_channels} channels and {filters} filters")
    return math.prod(pair(kernel)) * (in_channels // groups) * filters + bias * filters
    # END SOLUTION


def depthwise_parameters(kernel: int | Pair, channels: int, multiplier: int = 1, bias: bool = True) -> int:
    """Parameters of a depthwise convolution with `multiplier` output channels for each input channel."""
    # BEGIN SOLUTION
    return conv_parameters(kernel, channels, channels * multiplier, groups=channels, bias=bias)
    # END SOLUTION


def separable_parameters(
    kernel: int | Pair, in_channels: int, filters: int, multiplier: int = 1, bias: bool = True
) -> int:
    """Parameters of a depthwise convolution without bias and the 1x1 convolution after it (Chollet, 2017)."""
    # BEGIN SOLUTION
    depthwise = depthwise_parameters(kernel, in_channels, multiplier, bias=False)
    return depthwise + conv_parameters(1, in_channels * multiplier, filters, bias=bias)
    # END SOLUTION


def dense_parameters(inputs: int, units: int, bias: bool = True) -> int:
    """Parameters of a fully connected layer."""
    # BEGIN SOLUTION
    return (inputs + bias) * units
    # END SOLUTION


def batch_norm_parameters(channels: int, scale: bool = True, center: bool = True) -> Pair:
    """`(trainable, non-trainable)` parameters of batch normalization (Ioffe and Szegedy, 2015)."""
    # BEGIN SOLUTION
    return (int(scale) + int(center)) * channels, 2 * channels
    # END SOLUTION


# --- 3. Recurrent layers


def lstm_parameters(features: int, units: int, bias: bool = True) -> int:
    """Parameters of an LSTM with forget gate and without peepholes (Gers et al., 2000), as Keras counts."""
    # BEGIN SOLUTION
    return 4 * dense_parameters(features + units, units, bias)
    # END SOLUTION


def gru_parameters(features: int, units: int, bias: bool = True, reset_after: bool = True) -> int:
    """Parameters of a GRU (Cho et al., 2014) as Keras counts.

    Args:
        features: length of each time step's vector.
        units: length of the state.
        bias: False for a layer without any bias.
        reset_after: True, Keras' default, gives the state's product a bias of its own; False is the paper's.
    """
    # BEGIN SOLUTION
    biases = (2 if reset_after else 1) * units if bias else 0
    return 3 * (units * (features + units) + biases)
    # END SOLUTION


# --- 4. and 5. Parameters of a model


def layer_parameters(layer: Layer, channels: int) -> Pair:
    """`(trainable, non-trainable)` parameters of one layer whose input's last axis is `channels` long.

    A merge has none of its own. Worth no points of its own: `model_parameters` and `model_macs` want it.
    """
    # BEGIN SOLUTION
    bias = layer.get("bias", True)
    match layer["type"]:
        case "conv":
            count = conv_parameters(layer["kernel"], channels, layer["filters"], layer.get("groups", 1), bias)
        case "depthwise":
            count = depthwise_parameters(layer["kernel"], channels, layer.get("multiplier", 1), bias)
        case "separable":
            multiplier = layer.get("multiplier", 1)
            count = separable_parameters(layer["kernel"], channels, layer["filters"], multiplier, bias)
        case "dense":
            count = dense_parameters(channels, layer["units"], bias)
        case "batch_norm":
            return batch_norm_parameters(channels, layer.get("scale", True), layer.get("center", True))
        case _:
            count = 0
    return count, 0
    # END SOLUTION


def model_parameters(layers: Sequence[Layer], input_shape: Shape) -> Pair:
    """`(trainable, non-trainable)` parameters of a model; entries that share a `name` are one layer.

    Raises:
        ValueError: two entries of one name need different numbers of parameters; or as `output_shape`.
    """
    # BEGIN SOLUTION
    counts: dict[str | int, Pair] = {}
    for index, (layer, before, _) in enumerate(walk(layers, input_shape)):
        count = layer_parameters(layer, before[-1])
        if counts.setdefault(layer.get("name", index), count) != count:
            raise ValueError(f"layer {layer['name']!r} is shared, but its uses need different parameters")
    return sum(count[0] for count in counts.values()), sum(count[1] for count in counts.values())
    # END SOLUTION


def keras_parameters(model: keras.Model) -> Pair:
    """`(trainable, non-trainable)` parameters of a built Keras model, every variable once.

    Raises:
        ValueError: the model has not been built, so its weights do not exist yet.
    """
    # BEGIN SOLUTION
    if not model.built:
        raise ValueError(f"build {model.name!r} before its parameters are counted")
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    return trainable, sum(math.prod(weight.shape) for weight in model.non_trainable_weights)
    # END SOLUTION


# --- 6. Cost


def model_macs(layers: Sequence[Layer], input_shape: Shape) -> int:
    """Multiply-accumulates of one forward pass of one example; `WEIGHTED` layers only, without biases."""
    # BEGIN SOLUTION
    total = 0
    for layer, before, after in walk(layers, input_shape):
        if layer["type"] in WEIGHTED:
            weights, _ = layer_parameters({**layer, "bias": False}, before[-1])
            total += math.prod(after[:-1]) * weights
    return total
    # END SOLUTION


def activation_bytes(
    layers: Sequence[Layer], input_shape: Shape, batch: int = 1, dtype: str = "float32"
) -> int:
    """Bytes of the input and of every layer's output for a batch; `flatten` and `reshape` are free.

    Raises:
        ValueError: `dtype` is not one of `BYTES`; or as `output_shape`.
    """
    # BEGIN SOLUTION
    if dtype not in BYTES:
        raise ValueError(f"dtype must be one of {', '.join(BYTES)}, got {dtype!r}")
    values = math.prod(input_shape)
    for layer, _, after in walk(layers, input_shape):
        if layer["type"] not in ("flatten", "reshape"):
            values += math.prod(after)
    return batch * values * BYTES[dtype]
    # END SOLUTION


# --- 7. Receptive field


def receptive_field(layers: Sequence[Layer]) -> tuple[Pair, Pair]:
    """`((height, width), (vertical jump, horizontal jump))` of the last layer's units, in input pixels.

    A layer with kernel k, stride s and dilation d makes r + j d (k - 1) of the field r and j s of the jump j
    (Araujo, Norris and Sim, 2019). Where branches meet, the largest field counts, axis by axis.

    Returns:
        Two pairs of ints; `((1, 1), (1, 1))` for no layers.

    Raises:
        ValueError: branches that meet with different jumps; a layer that is neither windowed, pointwise nor a
            merge, for it sees the whole map or leaves none.
    """
    # BEGIN SOLUTION
    field, jump = (1, 1), (1, 1)
    for layer in layers:
        if layer["type"] in POINTWISE:
            continue
        if layer["type"] in WINDOWED:
            kernel, stride, dilation, _ = window(layer)
        elif layer["type"] in MERGES:
            fields, jumps = zip(*map(receptive_field, layer["branches"]), strict=True)
            if len(set(jumps)) != 1:
                raise ValueError(f"branches meet with different jumps: {jumps}")
            kernel, stride, dilation = tuple(map(max, *fields, (1, 1))), jumps[0], (1, 1)
        else:
            raise ValueError(f"a {layer['type']!r} layer has no local receptive field")
        field = tuple(r + j * d * (k - 1) for r, j, d, k in zip(field, jump, dilation, kernel, strict=True))
        jump = tuple(j * s for j, s in zip(jump, stride, strict=True))
    return field, jump
    # END SOLUTION


def stack_weights(field: int, kernel: int, channels: int) -> Pair:
    """`(depth, weights)` of the stack of kernel x kernel convolutions that sees field x field pixels.

    Stride and dilation are 1, every layer has `channels` inputs and outputs and no bias.

    Args:
        field: receptive field of the stack, above 1.
        kernel: size of every kernel, above 1.
        channels: C.

    Raises:
        ValueError: no number of such layers has exactly this field.
    """
    # BEGIN SOLUTION
    depth, rest = divmod(field - 1, kernel - 1)
    if rest:
        raise ValueError(f"no stack of {kernel}x{kernel} convolutions sees exactly {field}x{field}")
    return depth, depth * conv_parameters(kernel, channels, channels, bias=False)
    # END SOLUTION


# --- 8. Architectures


def alexnet(classes: int = 1000, groups: int = 2) -> list[Layer]:
    """AlexNet (Krizhevsky et al., 2012) for a (227, 227, 3) input; `groups=1` is the single-tower version."""
    # BEGIN SOLUTION
    pool: Layer = {"type": "max_pool", "kernel": 3, "stride": 2}
    return [
        conv(96, 11, stride=4), {"type": "lrn"}, pool,
        conv(256, 5, padding=2, groups=groups), {"type": "lrn"}, pool,
        conv(384, 3, padding=1),
        conv(384, 3, padding=1, groups=groups),
        conv(256, 3, padding=1, groups=groups), pool,
        {"type": "flatten"},
        *({"type": "dense", "units": units} for units in (4096, 4096, classes)),
    ]  # fmt: skip
    # END SOLUTION


def vgg16(classes: int = 1000) -> list[Layer]:
    """VGG16, configuration D (Simonyan and Zisserman, 2014), for a (224, 224, 3) input."""
    # BEGIN SOLUTION
    layers: list[Layer] = []
    for filters, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        layers += [conv(filters, 3, padding="same") for _ in range(depth)]
        layers.append({"type": "max_pool", "kernel": 2})
    layers.append({"type": "flatten"})
    return layers + [{"type": "dense", "units": units} for units in (4096, 4096, classes)]
    # END SOLUTION


def inception(one: int, reduce3: int, three: int, reduce5: int, five: int, project: int) -> Layer:
    """An inception block with dimension reduction: a `concat` of four branches (Szegedy et al., 2014).

    Args:
        one: filters of the 1x1 branch.
        reduce3, three: filters of the 3x3 branch's 1x1 reduction and of its 3x3 convolution.
        reduce5, five: the same for the 5x5 branch.
        project: filters of the 1x1 convolution after the 3x3 max pooling.
    """
    # BEGIN SOLUTION
    branches = [
        [conv(one, 1)],
        [conv(reduce3, 1), conv(three, 3, padding="same")],
        [conv(reduce5, 1), conv(five, 5, padding="same")],
        [{"type": "max_pool", "kernel": 3, "stride": 1, "padding": "same"}, conv(project, 1)],
    ]
    return {"type": "concat", "branches": branches}
    # END SOLUTION


def googlenet(classes: int = 1000) -> list[Layer]:
    """GoogLeNet (Szegedy et al., 2014) for a (224, 224, 3) input: biases, no BN, no auxiliary classifiers."""
    # BEGIN SOLUTION
    pool: Layer = {"type": "max_pool", "kernel": 3, "stride": 2, "padding": "same"}
    return [
        conv(64, 7, stride=2, padding="same"), pool, {"type": "lrn"},
        conv(64, 1), conv(192, 3, padding="same"), {"type": "lrn"}, pool,
        inception(64, 96, 128, 16, 32, 32),
        inception(128, 128, 192, 32, 96, 64), pool,
        inception(192, 96, 208, 16, 48, 64),
        inception(160, 112, 224, 24, 64, 64),
        inception(128, 128, 256, 24, 64, 64),
        inception(112, 144, 288, 32, 64, 64),
        inception(256, 160, 320, 32, 128, 128), pool,
        inception(256, 160, 320, 32, 128, 128),
        inception(384, 192, 384, 48, 128, 128),
        {"type": "global_avg_pool"}, {"type": "dropout"}, {"type": "dense", "units": classes},
    ]  # fmt: skip
    # END SOLUTION


def bottleneck(width: int, stride: int = 1, project: bool = False) -> Layer:
    """A residual bottleneck block: an `add` of the 1x1, 3x3, 1x1 branch and the shortcut (He et al., 2015).

    Args:
        width: filters of the first 1x1 and of the 3x3 convolution; the last 1x1 has four times as many.
        stride: of the first 1x1 convolution, and of the projection.
        project: True for a 1x1 convolution with batch normalization as shortcut, False for the identity.
    """
    # BEGIN SOLUTION
    norm: Layer = {"type": "batch_norm"}
    branch = [
        conv(width, 1, stride=stride, bias=False), norm, {"type": "activation"},
        conv(width, 3, padding="same", bias=False), norm, {"type": "activation"},
        conv(4 * width, 1, bias=False), norm,
    ]  # fmt: skip
    shortcut = [conv(4 * width, 1, stride=stride, bias=False), norm] if project else []
    return {"type": "add", "branches": [branch, shortcut]}
    # END SOLUTION


def resnet50(classes: int = 1000) -> list[Layer]:
    """ResNet-50 (He et al., 2015) for a (224, 224, 3) input; its convolutions have no bias."""
    # BEGIN SOLUTION
    layers: list[Layer] = [
        conv(64, 7, stride=2, padding=3, bias=False), {"type": "batch_norm"}, {"type": "activation"},
        {"type": "max_pool", "kernel": 3, "stride": 2, "padding": 1},
    ]  # fmt: skip
    for width, depth, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        layers.append(bottleneck(width, stride, project=True))
        layers += [bottleneck(width) for _ in range(depth - 1)]
    return [*layers, {"type": "global_avg_pool"}, {"type": "dense", "units": classes}]
    # END SOLUTION


def yolo_v1_head(grid: int = 7, boxes: int = 2, classes: int = 20) -> list[Layer]:
    """The layers YOLO v1 adds to its pretrained backbone (Redmon et al., 2015).

    Args:
        grid: S; the backbone's map is (2 S, 2 S, 1024), the output (S, S, 5 B + C).
        boxes: B, boxes a cell, five numbers each.
        classes: C.
    """
    # BEGIN SOLUTION
    depth = 5 * boxes + classes
    return [
        *(conv(1024, 3, stride=stride, padding="same") for stride in (1, 2, 1, 1)),
        {"type": "flatten"},
        {"type": "dense", "units": 4096}, {"type": "dropout"},
        {"type": "dense", "units": grid * grid * depth},
        {"type": "reshape", "shape": (grid, grid, depth)},
    ]  # fmt: skip
    # END SOLUTION


# --- 9. Receptive field of a Keras model


def keras_receptive_field(model: keras.Model) -> tuple[Pair, Pair]:
    """`receptive_field` of a functional or sequential Keras model with branches, shared and nested models.

    Args:
        model: one input and one output, both (batch, height, width, channels), made of the layers in
            `KERAS_CONVOLUTIONS`, `KERAS_POOLS`, `KERAS_MERGES`, `KERAS_POINTWISE` and of models of these.

    Returns:
        `((height, width), (vertical jump, horizontal jump))` in pixels of the input.

    Raises:
        ValueError: several inputs or outputs; branches that meet with different jumps; any other layer.
    """
    # BEGIN SOLUTION
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(f"{model.name!r} must have one input and one output")
    known = {id(model.inputs[0]): ((1, 1), (1, 1))}

    def seen_from(tensor: keras.KerasTensor) -> tuple[Pair, Pair]:
        if id(tensor) in known:
            return known[id(tensor)]
        made_by = tensor._keras_history
        layer = made_by.operation
        sources = layer._inbound_nodes[made_by.node_index].input_tensors
        fields, jumps = zip(*map(seen_from, sources), strict=True)
        if len(set(jumps)) != 1:
            raise ValueError(f"branches meet at {layer.name!r} with different jumps: {jumps}")
        field, jump = tuple(map(max, *fields, (1, 1))), jumps[0]
        if isinstance(layer, KERAS_CONVOLUTIONS):
            kernel, stride, dilation = layer.kernel_size, layer.strides, layer.dilation_rate
        elif isinstance(layer, KERAS_POOLS):
            kernel, stride, dilation = layer.pool_size, layer.strides, (1, 1)
        elif isinstance(layer, keras.Model):
            # From outside, a whole model is one window: its field is the kernel, its jump the stride.
            (kernel, stride), dilation = keras_receptive_field(layer), (1, 1)
        elif isinstance(layer, KERAS_POINTWISE + KERAS_MERGES):
            kernel, stride, dilation = (1, 1), (1, 1), (1, 1)
        else:
            raise ValueError(f"{layer.name!r} ({type(layer).__name__}) has no local receptive field")
        field = tuple(r + j * d * (k - 1) for r, j, d, k in zip(field, jump, dilation, kernel, strict=True))
        known[id(tensor)] = field, tuple(j * s for j, s in zip(jump, stride, strict=True))
        return known[id(tensor)]

    return seen_from(model.outputs[0])
    # END SOLUTION
