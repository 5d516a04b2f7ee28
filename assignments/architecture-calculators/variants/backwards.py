"""Parameters and work as units times fan-in; receptive fields as the span that an output needs."""

import math

import keras

LOCAL = ("conv", "depthwise", "separable", "max_pool", "avg_pool")
QUIET = ("activation", "batch_norm", "dropout", "lrn")


def axis(value, index):
    return value[index] if isinstance(value, (list, tuple)) else value


def area(kernel):
    return axis(kernel, 0) * axis(kernel, 1)


def neurons(units, fan_in, bias):
    return units * (fan_in + (1 if bias else 0))


def output_size(size, kernel, stride=1, padding="valid", dilation=1):
    if any(setting <= 0 for setting in (kernel, stride, dilation)):
        raise ValueError("kernel, stride and dilation are positive")
    reach = dilation * (kernel - 1)
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError("padding is 'same' or 'valid'")
        extra = reach if padding == "same" else 0
    else:
        extra = axis(padding, 0) + axis(padding, 1)
        if axis(padding, 0) < 0 or axis(padding, 1) < 0:
            raise ValueError("padding is not negative")
    starts = size + extra - reach
    if starts < 1:
        raise ValueError("the window is longer than the input")
    return (starts - 1 + stride) // stride


def output_shape(layer, shape):
    return passed([layer], shape, lambda *_: None)


def passed(layers, shape, note):
    """The shape behind `layers`; note(layer, before, after) hears of every one of them."""
    for layer in layers:
        before = tuple(shape)
        if layer["type"] in ("add", "concat"):
            ends = [passed(branch, before, note) for branch in layer["branches"]]
            shape = merged(layer["type"], ends)
        else:
            shape = simple_shape(layer, before)
        note(layer, before, shape)
    return tuple(shape)


def merged(kind, ends):
    depth = sum(end[-1] for end in ends) if kind == "concat" else ends[0][-1]
    for end in ends:
        if end[:-1] != ends[0][:-1] or (kind == "add" and end[-1] != depth):
            raise ValueError("the ends do not match")
    return (*ends[0][:-1], depth)


def simple_shape(layer, shape):
    kind = layer["type"]
    if kind in LOCAL:
        size = []
        for i in (0, 1):
            kernel, stride, dilation = window(layer, i)
            size.append(
                output_size(shape[i], kernel, stride, axis(layer.get("padding", "valid"), i), dilation)
            )
        depth = {"conv": "filters", "separable": "filters"}.get(kind)
        return (*size, layer[depth] if depth else shape[2] * layer.get("multiplier", 1))
    if kind in QUIET:
        return shape
    if kind == "dense":
        return (*shape[:-1], layer["units"])
    if kind == "global_avg_pool":
        return (shape[2],)
    target = {"flatten": lambda: (math.prod(shape),), "reshape": lambda: tuple(layer["shape"])}.get(kind)
    if target is None or math.prod(target()) != math.prod(shape):
        raise ValueError(f"{kind} is unknown or does not fit")
    return target()


def window(layer, index):
    """(kernel, stride, dilation) of one axis."""
    kernel = axis(layer["kernel"], index)
    if "stride" in layer:
        stride = axis(layer["stride"], index)
    else:
        stride = kernel if layer["type"].startswith(("max", "avg")) else 1
    return kernel, stride, axis(layer.get("dilation", 1), index)


def conv_parameters(kernel, in_channels, filters, groups=1, bias=True):
    if math.gcd(in_channels, filters, groups) != groups:
        raise ValueError("not divisible into groups")
    return neurons(filters, area(kernel) * in_channels // groups, bias)


def depthwise_parameters(kernel, channels, multiplier=1, bias=True):
    return neurons(channels * multiplier, area(kernel), bias)


def separable_parameters(kernel, in_channels, filters, multiplier=1, bias=True):
    return neurons(in_channels * multiplier, area(kernel), False) + neurons(
        filters, in_channels * multiplier, bias
    )


def dense_parameters(inputs, units, bias=True):
    return neurons(units, inputs, bias)


def batch_norm_parameters(channels, scale=True, center=True):
    return sum(channels for wanted in (scale, center) if wanted), channels * 2


def lstm_parameters(features, units, bias=True):
    return neurons(4 * units, features + units, bias)


def gru_parameters(features, units, bias=True, reset_after=True):
    return neurons(3 * units, features, bias) + neurons(3 * units, units, bias and reset_after)


def single(layer, channels):
    kind, bias, more = layer["type"], layer.get("bias", True), layer.get("multiplier", 1)
    if kind == "dense":
        return neurons(layer["units"], channels, bias), 0
    if kind == "batch_norm":
        return batch_norm_parameters(channels, layer.get("scale", True), layer.get("center", True))
    if kind == "depthwise":
        return neurons(channels * more, area(layer["kernel"]), bias), 0
    if kind == "separable":
        return separable_parameters(layer["kernel"], channels, layer["filters"], more, bias), 0
    if kind == "conv":
        return conv_parameters(layer["kernel"], channels, layer["filters"], layer.get("groups", 1), bias), 0
    return 0, 0


def model_parameters(layers, input_shape):
    owners = {}

    def note(layer, before, after):
        owner = ("name", layer["name"]) if "name" in layer else ("place", len(owners))
        owners.setdefault(owner, set()).add(single(layer, before[-1]))

    passed(layers, input_shape, note)
    if any(len(counts) > 1 for counts in owners.values()):
        raise ValueError("a name stands for different layers")
    both = [count for counts in owners.values() for count in counts]
    return sum(learnt for learnt, _ in both), sum(kept for _, kept in both)


def keras_parameters(model):
    if not model.built:
        raise ValueError("call or build the model first")
    sides = (model.trainable_weights, model.non_trainable_weights)
    return tuple(sum(weight.numpy().size for weight in side) for side in sides)


def model_macs(layers, input_shape):
    products = []

    def note(layer, before, after):
        kind = layer["type"]
        if kind == "dense":
            products.append((math.prod(after), before[-1]))
        if kind == "conv":
            products.append((math.prod(after), area(layer["kernel"]) * before[-1] // layer.get("groups", 1)))
        if kind in ("depthwise", "separable"):
            middle = before[-1] * layer.get("multiplier", 1)
            products.append((after[0] * after[1] * middle, area(layer["kernel"])))
            if kind == "separable":
                products.append((math.prod(after), middle))

    passed(layers, input_shape, note)
    return sum(outputs * fan_in for outputs, fan_in in products)


def activation_bytes(layers, input_shape, batch=1, dtype="float32"):
    bits = {"bfloat16": 16, "uint8": 8, "int8": 8, **{f"float{n}": n for n in (16, 32, 64)}}.get(dtype)
    if bits is None:
        raise ValueError(f"{dtype} has no known size")
    held = [math.prod(input_shape)]

    def note(layer, before, after):
        if layer["type"] != "flatten" and layer["type"] != "reshape":
            held.append(math.prod(after))

    passed(layers, input_shape, note)
    return batch * sum(held) * (bits // 8)


def needed(layers, index, span, jump):
    """Span and jump in front of `layers` on one axis, from those behind them."""
    for layer in reversed(layers):
        if layer["type"] in LOCAL:
            kernel, stride, dilation = window(layer, index)
            span, jump = (span - 1) * stride + dilation * (kernel - 1) + 1, jump * stride
        elif layer["type"] in ("add", "concat"):
            spans, jumps = zip(
                *(needed(branch, index, span, jump) for branch in layer["branches"]), strict=True
            )
            if min(jumps) != max(jumps):
                raise ValueError("branches with different jumps")
            span, jump = max(spans), jumps[0]
        elif layer["type"] not in QUIET:
            raise ValueError("this layer is not local")
    return span, jump


def receptive_field(layers):
    (height, down), (width, across) = needed(layers, 0, 1, 1), needed(layers, 1, 1, 1)
    return (height, width), (down, across)


def stack_weights(field, kernel, channels):
    depth = (field - 1) // (kernel - 1)
    if 1 + depth * (kernel - 1) != field:
        raise ValueError("no stack has this field")
    return depth, depth * channels * neurons(channels, kernel * kernel, False)


def c(filters, kernel, **more):
    return dict(type="conv", filters=filters, kernel=(kernel, kernel), **{"padding": "same", **more})


def p(kernel=3, stride=2, padding="same"):
    return dict(type="max_pool", kernel=kernel, stride=(stride, stride), padding=padding, dilation=1)


def d(*units):
    return [dict(type="dense", units=number) for number in units]


def alexnet(classes=1000, groups=2):
    layers = [
        c(96, 11, stride=4, padding="valid"),
        p(padding=0),
        c(256, 5, groups=groups),
        p(padding=0),
        c(384, 3),
    ]
    layers += [c(384, 3, groups=groups), c(256, 3, groups=groups), p(padding=(0, 0)), dict(type="flatten")]
    return layers + d(4096, 4096, classes)


def vgg16(classes=1000):
    conv_part = []
    for index, code in enumerate("aaMbbMcccMdddMdddM"):
        conv_part.append(
            p(2, 2, "valid") if code == "M" else c({"a": 64, "b": 128, "c": 256, "d": 512}[code], 3)
        )
        conv_part[index]["name"] = f"{code}{index}"
    return [
        *conv_part,
        dict(type="flatten"),
        *d(4096),
        dict(type="dropout"),
        *d(4096),
        dict(type="dropout"),
        *d(classes),
    ]


def inception(one, reduce3, three, reduce5, five, project):
    chains = [[(one, 1)], [(reduce3, 1), (three, 3)], [(reduce5, 1), (five, 5)], [None, (project, 1)]]
    return dict(
        type="concat", branches=[[c(*step) if step else p(3, 1) for step in chain] for chain in chains]
    )


def googlenet(classes=1000):
    groups = (
        [(64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)],
        [(192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64),
         (112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128)],
        [(256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)],
    )  # fmt: skip
    layers = [c(64, 7, stride=2), p(), c(64, 1), c(192, 3)]
    for group in groups:
        layers += [p()] + [inception(*widths) for widths in group]
    return [*layers, dict(type="global_avg_pool"), *d(classes)]


def bottleneck(width, stride=1, project=False):
    steps = [c(width, 1, stride=stride, bias=False), c(width, 3, bias=False), c(4 * width, 1, bias=False)]
    chain = [layer for step in steps for layer in (step, dict(type="batch_norm"))]
    skip = [c(4 * width, 1, stride=stride, bias=False), dict(type="batch_norm")][: 2 * project]
    return dict(type="add", branches=[chain, skip])


def resnet50(classes=1000):
    stem = [c(64, 7, stride=2, bias=False), dict(type="batch_norm"), p()]
    plan = [(64, 1, 3), (128, 2, 4), (256, 2, 6), (512, 2, 3)]
    blocks = [
        bottleneck(w, s if first else 1, first) for w, s, n in plan for first in [True] + [False] * (n - 1)
    ]
    return stem + blocks + [dict(type="global_avg_pool")] + d(classes)


def yolo_v1_head(grid=7, boxes=2, classes=20):
    cell = sum([5] * boxes) + classes
    layers = [c(1024, 3), c(1024, 3, stride=2), c(1024, 3), c(1024, 3), dict(type="flatten")]
    return layers + d(4096, cell * grid * grid) + [dict(type="reshape", shape=(grid, grid, cell))]


def keras_receptive_field(model):
    if len(model.inputs) > 1 or len(model.outputs) > 1:
        raise ValueError("several ends")
    # Every tensor's need is final once all of its readers have told theirs, so readers come first.
    need = {id(model.outputs[0]): [((1, 1), (1, 1))]}
    for tensor in reversed(in_order(model.outputs[0])):
        spans, jumps = zip(*need[id(tensor)], strict=True)
        if len(set(jumps)) > 1:
            raise ValueError("different jumps")
        span, jump = tuple(max(each) for each in zip(*spans, strict=True)), jumps[0]
        if tensor is model.inputs[0]:
            return span, jump
        layer, sources = made_by(tensor)
        kernel, stride = as_window(layer)
        span = tuple((span[i] - 1) * stride[i] + kernel[i] for i in (0, 1))
        jump = tuple(jump[i] * stride[i] for i in (0, 1))
        for source in sources:
            need.setdefault(id(source), []).append((span, jump))
    raise ValueError("the output does not depend on the input")


def made_by(tensor):
    layer, node, _ = tensor._keras_history
    return layer, layer._inbound_nodes[node].input_tensors


def in_order(last):
    """All tensors behind `last`, each after those it is made from."""
    order, seen = [], set()

    def visit(tensor):
        if id(tensor) not in seen:
            seen.add(id(tensor))
            for source in made_by(tensor)[1]:
                visit(source)
            order.append(tensor)

    visit(last)
    return order


def as_window(layer):
    """Dilated kernel and stride of one Keras layer."""
    names = {kind.__name__ for kind in type(layer).__mro__}
    if isinstance(layer, keras.Model):
        return keras_receptive_field(layer)
    if names & {"Conv2D", "DepthwiseConv2D", "SeparableConv2D"}:
        spans = tuple(layer.dilation_rate[i] * (layer.kernel_size[i] - 1) + 1 for i in (0, 1))
        return spans, layer.strides
    if names & {"MaxPooling2D", "AveragePooling2D"}:
        return layer.pool_size, layer.strides
    harmless = "Activation ReLU LeakyReLU BatchNormalization Dropout ZeroPadding2D Cropping2D Add Concatenate"
    if names & {*harmless.split(), "Multiply", "Maximum"}:
        return (1, 1), (1, 1)
    raise ValueError("a layer without a local field")
