"""NumPy object arrays hold both axes; Keras graphs are followed by cloning them with a recording call."""

import functools
import operator

import keras
import numpy as np

WINDOWS = ["conv", "depthwise", "separable", "max_pool", "avg_pool"]


def exact(value):
    """Both axes as an array of Python ints, which neither overflow nor round."""
    return np.array(list(value) if np.ndim(value) else [value, value], dtype=object)


def product(values):
    return functools.reduce(operator.mul, values, 1)


def output_size(size, kernel, stride=1, padding="valid", dilation=1):
    for setting in (kernel, stride, dilation):
        if setting < 1:
            raise ValueError(f"{setting} is below 1")
    match padding:
        case "same":
            return size // stride + (size % stride > 0)
        case "valid":
            extra = 0
        case int():
            extra = 2 * padding
            if padding < 0:
                raise ValueError("negative padding")
        case (before, after) if before >= 0 and after >= 0:
            extra = before + after
        case _:
            raise ValueError(f"padding {padding}")
    positions = size + extra - dilation * (kernel - 1)
    if positions <= 0:
        raise ValueError("the window is too long")
    return (positions + stride - 1) // stride


def axes(layer):
    kernel = layer["kernel"]
    stride = layer.get("stride")
    if stride is None:
        stride = kernel if layer["type"] in WINDOWS[3:] else 1
    return exact(kernel), exact(stride), exact(layer.get("dilation", 1))


def output_shape(layer, shape):
    kind = layer["type"]
    if kind in WINDOWS:
        padding = layer.get("padding", "valid")
        paddings = padding if isinstance(padding, (tuple, list)) else (padding, padding)
        paddings = [tuple(one) if isinstance(one, list) else one for one in paddings]
        kernel, stride, dilation = axes(layer)
        sizes = [output_size(shape[i], kernel[i], stride[i], paddings[i], dilation[i]) for i in range(2)]
        if kind in ("conv", "separable"):
            return (*sizes, layer["filters"])
        return (*sizes, shape[2] * (layer.get("multiplier", 1) if kind == "depthwise" else 1))
    if kind in ("add", "concat"):
        ends = [through(branch, shape) for branch in layer["branches"]]
        for end in ends:
            if end[:-1] != ends[0][:-1] or (end[-1] != ends[0][-1] and kind == "add"):
                raise ValueError(f"cannot {kind} {ends}")
        return ends[0] if kind == "add" else (*ends[0][:-1], sum(list(zip(*ends, strict=True))[-1]))
    if kind == "reshape" and product(layer["shape"]) != product(shape):
        raise ValueError("cannot reshape")
    shapes = {
        "dense": lambda: (*shape[:-1], layer["units"]),
        "flatten": lambda: (product(shape),),
        "global_avg_pool": lambda: (shape[-1],),
        "reshape": lambda: tuple(layer["shape"]),
        **dict.fromkeys(("activation", "batch_norm", "dropout", "lrn"), lambda: tuple(shape)),
    }
    if kind not in shapes:
        raise ValueError(f"unknown layer {kind}")
    return shapes[kind]()


def through(layers, shape):
    for layer in layers:
        shape = output_shape(layer, shape)
    return tuple(shape)


def conv_parameters(kernel, in_channels, filters, groups=1, bias=True):
    per_group, rest = divmod(in_channels, groups)
    if rest or filters % groups:
        raise ValueError("groups")
    one_filter = product(exact(kernel)) * per_group
    return filters * (one_filter + 1) if bias else filters * one_filter


def depthwise_parameters(kernel, channels, multiplier=1, bias=True):
    return channels * conv_parameters(kernel, 1, multiplier, 1, bias)


def separable_parameters(kernel, in_channels, filters, multiplier=1, bias=True):
    spatial = in_channels * conv_parameters(kernel, 1, multiplier, 1, False)
    return spatial + dense_parameters(in_channels * multiplier, filters, bias)


def dense_parameters(inputs, units, bias=True):
    return conv_parameters((1, 1), inputs, units, 1, bias)


def batch_norm_parameters(channels, scale=True, center=True):
    vectors = {"gamma": scale, "beta": center}
    return channels * len([name for name, wanted in vectors.items() if wanted]), channels + channels


def lstm_parameters(features, units, bias=True):
    return sum(dense_parameters(features + units, units, bias) for _ in "ifoc")


def gru_parameters(features, units, bias=True, reset_after=True):
    state = dense_parameters(units, units, bias and reset_after)
    return sum(dense_parameters(features, units, bias) + state for _ in "zrh")


def numbers(layer, channels):
    kind = layer["type"]
    options = {
        key: layer[key]
        for key in ("kernel", "filters", "groups", "multiplier", "bias", "units")
        if key in layer
    }
    calls = {"depthwise": (depthwise_parameters, "channels"), "dense": (dense_parameters, "inputs")}
    calls |= {"conv": (conv_parameters, "in_channels"), "separable": (separable_parameters, "in_channels")}
    if kind == "batch_norm":
        return batch_norm_parameters(channels, **{k: layer[k] for k in ("scale", "center") if k in layer})
    if kind not in calls:
        return 0, 0
    function, name = calls[kind]
    return function(**{name: channels}, **options), 0


def visit(layers, shape, see):
    """Call see(layer, before, after) for every layer, depth first."""
    for layer in layers:
        for branch in layer.get("branches", ()):
            visit(branch, shape, see)
        after = output_shape(layer, shape)
        see(layer, shape, after)
        shape = after


def model_parameters(layers, input_shape):
    found, names = [], {}

    def see(layer, before, after):
        entry = numbers(layer, before[-1])
        name = layer.get("name")
        if name is None or name not in names:
            found.append(entry)
        if name is not None and names.setdefault(name, entry) != entry:
            raise ValueError(f"{name} cannot be shared")

    visit(layers, input_shape, see)
    return sum(entry[0] for entry in found), sum(entry[1] for entry in found)


def keras_parameters(model):
    if not model.built:
        raise ValueError("unbuilt")
    trainable = {weight.path: int(np.prod(weight.shape)) for weight in model.trainable_weights}
    everything = {weight.path: int(np.prod(weight.shape)) for weight in model.weights}
    return sum(trainable.values()), sum(everything.values()) - sum(trainable.values())


def model_macs(layers, input_shape):
    work = []

    def see(layer, before, after):
        kind, channels = layer["type"], before[-1]
        if kind == "dense":
            work.append(product(before) * layer["units"])
        elif kind == "conv":
            work.append(product(after) * product(exact(layer["kernel"])) * channels // layer.get("groups", 1))
        elif kind == "depthwise":
            work.append(product(after) * product(exact(layer["kernel"])))
        elif kind == "separable":
            middle = channels * layer.get("multiplier", 1)
            spatial = after[0] * after[1] * middle * product(exact(layer["kernel"]))
            work.append(spatial + product(after) * middle)

    visit(layers, input_shape, see)
    return sum(work)


def activation_bytes(layers, input_shape, batch=1, dtype="float32"):
    sizes = dict(
        zip(("float64", "float32", "float16", "bfloat16", "int8", "uint8"), (8, 4, 2, 2, 1, 1), strict=True)
    )
    if dtype not in sizes:
        raise ValueError(dtype)
    held = [product(input_shape)]
    visit(
        layers,
        input_shape,
        lambda layer, _, out: held.append(product(out) * (layer["type"] not in ("flatten", "reshape"))),
    )
    return sizes[dtype] * sum(held) * batch


def grow(state, kernel, stride, dilation=1):
    field, jump = state
    return field + jump * exact(dilation) * (exact(kernel) - 1), jump * exact(stride)


def join(states):
    for state in states:
        if (state[1] != states[0][1]).any():
            raise ValueError("different jumps")
    return np.array([state[0] for state in states], dtype=object).max(axis=0), states[0][1]


def start():
    return exact(1), exact(1)


def told(state):
    return tuple(tuple(each) for each in state)


def follow(layers, state):
    for layer in layers:
        if "branches" in layer:
            state = join([follow(branch, state) for branch in layer["branches"]])
        elif layer["type"] in WINDOWS:
            state = grow(state, *axes(layer))
        elif layer["type"] not in ("activation", "batch_norm", "dropout", "lrn"):
            raise ValueError(f"{layer['type']} is not local")
    return state


def receptive_field(layers):
    return told(follow(layers, start()))


def stack_weights(field, kernel, channels):
    fields = range(1, field + 1, kernel - 1)
    if fields[-1] != field:
        raise ValueError("not reached")
    return len(fields) - 1, (len(fields) - 1) * (kernel * channels) ** 2


def conv(filters, kernel, stride=1, **more):
    return {
        "type": "conv",
        "filters": filters,
        "kernel": kernel,
        "stride": stride,
        "padding": kernel // 2,
        **more,
    }


def read(text, classes):
    """Layers from words: c FILTERS KERNEL STRIDE, p KERNEL STRIDE, f (flatten), d UNITS."""
    layers = []
    for word in text.split():
        kind, *values = word.split(",")
        values = [int(value) if value != "n" else classes for value in values]
        if kind == "c":
            layers += [conv(*values), {"type": "activation"}]
        elif kind == "p":
            layers.append({"type": "max_pool", "kernel": values[0], "stride": values[1]})
        else:
            layers.append({"type": "flatten"} if kind == "f" else {"type": "dense", "units": values[0]})
    return layers


def alexnet(classes=1000, groups=2):
    layers = read("c,96,11,4 p,3,2 c,256,5 p,3,2 c,384,3 c,384,3 c,256,3 p,3,2 f d,4096 d,4096 d,n", classes)
    layers[0]["padding"] = 0
    convolutions = [layer for layer in layers if layer["type"] == "conv"]
    for index in (1, 3, 4):
        convolutions[index]["groups"] = groups
    return layers


def vgg16(classes=1000):
    stages = [
        f"c,{width},3 " * depth + "p,2,2 "
        for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
    ]
    return read("".join(stages) + "f d,4096 d,4096 d,n", classes)


def inception(one, reduce3, three, reduce5, five, project):
    pool = {"type": "max_pool", "kernel": 3, "stride": 1, "padding": ("same", 1)}
    straight = [[conv(one, 1)], [conv(reduce3, 1), conv(three, 3)], [conv(reduce5, 1), conv(five, 5)]]
    return {"type": "concat", "branches": [straight[2], straight[0], [pool, conv(project, 1)], straight[1]]}


def googlenet(classes=1000):
    half = {"type": "max_pool", "kernel": 3, "stride": 2, "padding": "same"}
    table = np.array(
        [
            [64, 96, 128, 16, 32, 32], [128, 128, 192, 32, 96, 64], [192, 96, 208, 16, 48, 64],
            [160, 112, 224, 24, 64, 64], [128, 128, 256, 24, 64, 64], [112, 144, 288, 32, 64, 64],
            [256, 160, 320, 32, 128, 128], [256, 160, 320, 32, 128, 128], [384, 192, 384, 48, 128, 128],
        ]
    )  # fmt: skip
    blocks = [inception(*row) for row in table.tolist()]
    layers = [conv(64, 7, 2), half, conv(64, 1), conv(192, 3), half]
    layers += [*blocks[:2], half, *blocks[2:7], half, *blocks[7:]]
    return [*layers, {"type": "global_avg_pool"}, {"type": "dense", "units": classes}]


def bottleneck(width, stride=1, project=False):
    norm = {"type": "batch_norm", "scale": True, "center": True}
    settings = [(width, 1, stride), (width, 3, 1), (4 * width, 1, 1)]
    residual = [part for each in settings for part in (conv(*each, bias=False), norm)]
    shortcut = [{"type": "activation"}]
    if project:
        shortcut = [conv(4 * width, 1, stride, bias=False), norm]
    return {"type": "add", "branches": [shortcut, residual]}


def resnet50(classes=1000):
    layers = [conv(64, 7, 2, bias=False), {"type": "batch_norm"}]
    layers.append({"type": "max_pool", "kernel": 3, "stride": 2, "padding": 1})
    for index in range(16):
        stage = sum(index >= first for first in (3, 7, 13))
        new = index in (0, 3, 7, 13)
        layers.append(bottleneck(64 * 2**stage, 2 if new and index else 1, new))
    return [*layers, {"type": "global_avg_pool"}, {"type": "dense", "units": classes}]


def yolo_v1_head(grid=7, boxes=2, classes=20):
    deep = 5 * boxes + classes
    layers = read(f"c,1024,3 c,1024,3,2 c,1024,3 c,1024,3 f d,4096 d,{grid * grid * deep}", classes)
    return [*layers, {"type": "reshape", "shape": [grid, grid, deep]}]


def keras_receptive_field(model):
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError("one input and one output, please")
    states = {}

    def call(layer, *args, **kwargs):
        read_from = args[0] if isinstance(args[0], (list, tuple)) else [args[0]]
        result = layer(*args, **kwargs)
        before = join([states.get(id(tensor), start()) for tensor in read_from])
        # the tensor is kept with its state so that its id stays its own
        kept.append(result)
        states[id(result)] = step(layer, before)
        return result

    kept = []
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs, model.outputs)
    clone = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    return told(states.get(id(clone.outputs[0]), start()))


def step(layer, state):
    layers = keras.layers
    if isinstance(layer, keras.Model):
        return grow(state, *keras_receptive_field(layer))
    if isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)):
        return grow(state, layer.kernel_size, layer.strides, layer.dilation_rate)
    if isinstance(layer, (layers.MaxPooling2D, layers.AveragePooling2D)):
        return grow(state, layer.pool_size, layer.strides)
    pointwise = (layers.Activation, layers.ReLU, layers.LeakyReLU, layers.BatchNormalization, layers.Dropout)
    moved = (layers.ZeroPadding2D, layers.Cropping2D, layers.InputLayer)
    merges = (layers.Add, layers.Concatenate, layers.Multiply, layers.Maximum)
    if not isinstance(layer, pointwise + moved + merges):
        raise ValueError(f"{layer.name} has no local field")
    return state
