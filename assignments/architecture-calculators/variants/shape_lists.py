"""Parameters from weight shapes, sizes from ranges, fields from intervals, graphs from get_config()."""

import math
from functools import reduce

import keras

BYTES = dict(float64=8, float32=4, float16=2, bfloat16=2, int8=1, uint8=1)
SAME_SHAPE = {"activation", "batch_norm", "dropout", "lrn"}


def two(value):
    return list(value) if isinstance(value, (list, tuple)) else [value] * 2


def total(shapes):
    return sum(math.prod(shape) for shape in shapes)


def output_size(size, kernel, stride=1, padding="valid", dilation=1):
    if kernel < 1 or stride < 1 or dilation < 1:
        raise ValueError("window settings start at 1")
    if padding == "same":
        return (size - 1) // stride + 1
    if isinstance(padding, str):
        if padding != "valid":
            raise ValueError(f"what is {padding} padding?")
        padding = 0
    before, after = two(padding)
    if before < 0 or after < 0:
        raise ValueError("negative padding")
    starts = range(0, before + size + after - dilation * (kernel - 1), stride)
    if not starts:
        raise ValueError("no window fits")
    return len(starts)


def output_shape(layer, shape):
    kind = layer["type"]
    shape = tuple(shape)
    if kind in SAME_SHAPE:
        return shape
    if kind in ("add", "concat"):
        ends = [
            reduce(lambda now, inner: output_shape(inner, now), branch, shape) for branch in layer["branches"]
        ]
        first = ends[0]
        for end in ends[1:]:
            if end[:-1] != first[:-1] or (kind == "add" and end != first):
                raise ValueError("branches do not fit")
        return first if kind == "add" else (*first[:-1], sum(end[-1] for end in ends))
    if kind == "dense":
        return (*shape[:-1], layer["units"])
    if kind == "flatten":
        return (math.prod(shape),)
    if kind == "global_avg_pool":
        return shape[-1:]
    if kind == "reshape":
        if math.prod(layer["shape"]) != math.prod(shape):
            raise ValueError("other number of values")
        return tuple(layer["shape"])
    channels = {
        "conv": layer.get("filters"),
        "separable": layer.get("filters"),
        "depthwise": shape[-1] * layer.get("multiplier", 1),
        "max_pool": shape[-1],
        "avg_pool": shape[-1],
    }
    if kind not in channels:
        raise ValueError(f"no layer is called {kind}")
    area = []
    for axis in (0, 1):
        kernel, stride, dilation = taps(layer)[axis]
        padding = two(layer.get("padding", "valid"))[axis]
        area.append(output_size(shape[axis], kernel, stride, padding, dilation))
    return (*area, channels[kind])


def taps(layer):
    """[(kernel, stride, dilation)] for the two axes."""
    stride = layer.get("stride", layer["kernel"] if "pool" in layer["type"] else 1)
    return list(zip(two(layer["kernel"]), two(stride), two(layer.get("dilation", 1)), strict=True))


def conv_shapes(kernel, in_channels, filters, groups, bias):
    if in_channels % groups + filters % groups:
        raise ValueError("groups do not divide the channels")
    return [(*two(kernel), in_channels // groups, filters)] + [(filters,)] * bool(bias)


def conv_parameters(kernel, in_channels, filters, groups=1, bias=True):
    return total(conv_shapes(kernel, in_channels, filters, groups, bias))


def depthwise_parameters(kernel, channels, multiplier=1, bias=True):
    return total([(*two(kernel), channels, multiplier)] + [(channels, multiplier)] * bool(bias))


def separable_parameters(kernel, in_channels, filters, multiplier=1, bias=True):
    wide = in_channels * multiplier
    return total([(*two(kernel), in_channels, multiplier), (1, 1, wide, filters)] + [(filters,)] * bool(bias))


def dense_parameters(inputs, units, bias=True):
    return total([(inputs, units)] + [(units,)] * bool(bias))


def batch_norm_parameters(channels, scale=True, center=True):
    return total([(channels,)] * (bool(scale) + bool(center))), total([(2, channels)])


def lstm_parameters(features, units, bias=True):
    return total([(features, 4 * units), (units, 4 * units)] + [(4 * units,)] * bool(bias))


def gru_parameters(features, units, bias=True, reset_after=True):
    biases = [(1 + bool(reset_after), 3 * units)] * bool(bias)
    return total([(features, 3 * units), (units, 3 * units), *biases])


def weights_of(layer, channels):
    kind, bias, multiplier = layer["type"], layer.get("bias", True), layer.get("multiplier", 1)
    if kind == "conv":
        return conv_parameters(layer["kernel"], channels, layer["filters"], layer.get("groups", 1), bias), 0
    if kind == "depthwise":
        return depthwise_parameters(layer["kernel"], channels, multiplier, bias), 0
    if kind == "separable":
        return separable_parameters(layer["kernel"], channels, layer["filters"], multiplier, bias), 0
    if kind == "dense":
        return dense_parameters(channels, layer["units"], bias), 0
    if kind == "batch_norm":
        return batch_norm_parameters(channels, layer.get("scale", True), layer.get("center", True))
    return 0, 0


def flat(layers, shape):
    """Every layer with the shapes around it, as a list."""
    rows = []
    for layer in layers:
        for branch in layer.get("branches", []):
            rows.extend(flat(branch, shape))
        rows.append((layer, tuple(shape), output_shape(layer, shape)))
        shape = rows[-1][2]
    return rows


def model_parameters(layers, input_shape):
    named, result = {}, [0, 0]
    for layer, before, _ in flat(layers, input_shape):
        numbers = weights_of(layer, before[-1])
        if "name" in layer:
            if layer["name"] in named:
                if named[layer["name"]] != numbers:
                    raise ValueError("one name, two layers")
                continue
            named[layer["name"]] = numbers
        result = [result[0] + numbers[0], result[1] + numbers[1]]
    return tuple(result)


def keras_parameters(model):
    if not model.built:
        raise ValueError("not built")
    kept = {id(weight): total([tuple(weight.shape)]) for weight in model.weights}
    learnt = sum(kept[id(weight)] for weight in model.weights if weight.trainable)
    return learnt, sum(kept.values()) - learnt


def model_macs(layers, input_shape):
    work = 0
    for layer, before, after in flat(layers, input_shape):
        if layer["type"] in {"conv", "depthwise", "separable", "dense"}:
            places = math.prod(after) // after[-1]
            work += places * weights_of(dict(layer, bias=False), before[-1])[0]
    return work


def activation_bytes(layers, input_shape, batch=1, dtype="float32"):
    try:
        size = BYTES[dtype]
    except KeyError:
        raise ValueError(f"unknown dtype {dtype}") from None
    held = [
        after for layer, _, after in flat(layers, input_shape) if layer["type"] not in {"flatten", "reshape"}
    ]
    return size * batch * total([input_shape, *held])


def interval(windows, first, last):
    """The inputs from which the outputs first..last come, through windows of one axis, last layer first."""
    for kernel, stride, dilation in reversed(windows):
        first, last = first * stride, last * stride + dilation * (kernel - 1)
    return first, last


def field_of(windows):
    """((fields), (jumps)) of a path: windows for both axes."""
    sides = [[window[axis] for window in windows] for axis in (0, 1)]
    spans = [interval(side, 0, 0) for side in sides]
    jumps = tuple(interval(side, 1, 1)[0] for side in sides)
    return tuple(last - first + 1 for first, last in spans), jumps


def as_window(field, jump):
    return [(field[0], jump[0], 1), (field[1], jump[1], 1)]


def widest(ends):
    if any(end[1] != ends[0][1] for end in ends):
        raise ValueError("branches on different grids")
    return tuple(max(end[0][axis] for end in ends) for axis in (0, 1)), ends[0][1]


def receptive_field(layers):
    windows = []
    for layer in layers:
        if "branches" in layer:
            windows.append(as_window(*widest([receptive_field(branch) for branch in layer["branches"]])))
        elif layer["type"] in {"conv", "depthwise", "separable", "max_pool", "avg_pool"}:
            windows.append(taps(layer))
        elif layer["type"] not in SAME_SHAPE:
            raise ValueError("not local")
    return field_of(windows)


def stack_weights(field, kernel, channels):
    depth, seen = 0, 1
    while seen < field:
        depth, seen = depth + 1, seen + kernel - 1
    if seen != field:
        raise ValueError("no such stack")
    return depth, total([(depth, kernel, kernel, channels, channels)])


def conv(filters, kernel, stride=1, padding="same", **more):
    return {
        "type": "conv",
        "filters": filters,
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        **more,
    }


def maxpool(kernel, stride, padding="valid"):
    return {"type": "max_pool", "kernel": (kernel, kernel), "stride": stride, "padding": padding}


def denses(*units):
    return [{"type": "dense", "units": count, "bias": True} for count in units]


RELU = {"type": "activation"}
FLAT = {"type": "flatten"}


def alexnet(classes=1000, groups=2):
    split = {"groups": groups}
    features = [
        conv(96, 11, 4, "valid"),
        RELU,
        maxpool(3, 2),
        conv(256, 5, **split),
        RELU,
        maxpool(3, 2),
        conv(384, 3),
    ]
    return [
        *features,
        conv(384, 3, **split),
        conv(256, 3, **split),
        maxpool(3, 2),
        FLAT,
        *denses(4096, 4096, classes),
    ]


def vgg16(classes=1000):
    plan = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]
    features = [part for width in plan for part in ([conv(width, 3), RELU] if width else [maxpool(2, 2)])]
    return [*features, FLAT, *denses(4096, 4096, classes), RELU]


def inception(one, reduce3, three, reduce5, five, project):
    pool = [maxpool(3, 1, "same"), conv(project, 1)]
    branches = [
        pool,
        [conv(reduce5, 1), conv(five, 5)],
        [conv(reduce3, 1), RELU, conv(three, 3)],
        [conv(one, 1)],
    ]
    return {"type": "concat", "branches": branches}


def googlenet(classes=1000):
    plan = """
        64 96 128 16 32 32 | 128 128 192 32 96 64 | pool | 192 96 208 16 48 64 | 160 112 224 24 64 64 |
        128 128 256 24 64 64 | 112 144 288 32 64 64 | 256 160 320 32 128 128 | pool |
        256 160 320 32 128 128 | 384 192 384 48 128 128
    """
    layers = [conv(64, 7, 2), maxpool(3, 2, "same"), conv(64, 1), conv(192, 3), maxpool(3, 2, "same")]
    for block in plan.split("|"):
        layers.append(maxpool(3, 2, "same") if "pool" in block else inception(*map(int, block.split())))
    return [*layers, {"type": "global_avg_pool"}, *denses(classes)]


def normalized(*settings):
    return [conv(*settings, bias=False), {"type": "batch_norm"}]


def bottleneck(width, stride=1, project=False):
    long = [*normalized(width, 1, stride), RELU, *normalized(width, 3), RELU, *normalized(4 * width, 1)]
    return {"type": "add", "branches": [normalized(4 * width, 1, stride) if project else [], long]}


def resnet50(classes=1000):
    layers = [*normalized(64, 7, 2), RELU, maxpool(3, 2, 1)]
    for stage, depth in enumerate((3, 4, 6, 3)):
        for block in range(depth):
            layers += [bottleneck(64 << stage, 2 if stage and not block else 1, not block), RELU]
    return [*layers, {"type": "global_avg_pool"}, *denses(classes)]


def yolo_v1_head(grid=7, boxes=2, classes=20):
    shape = [grid, grid, boxes * 5 + classes]
    convs = [conv(1024, 3), RELU, conv(1024, 3, 2), RELU, conv(1024, 3), conv(1024, 3)]
    return [*convs, FLAT, *denses(4096, math.prod(shape)), {"type": "reshape", "shape": shape}]


def references(value):
    """(layer, node, tensor) of every tensor in a node's serialized arguments."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return [tuple(value["config"]["keras_history"])]
        return [found for item in value.values() for found in references(item)]
    if isinstance(value, (list, tuple)):
        return [found for item in value for found in references(item)]
    return []


def keras_receptive_field(model):
    if len(model.inputs) > 1 or len(model.outputs) > 1:
        raise ValueError("one input, one output")
    if isinstance(model, keras.Sequential):
        windows = [keras_window(layer) for layer in model.layers]
        return field_of([window for window in windows if window])
    config = model.get_config()
    nodes = {layer["name"]: layer["inbound_nodes"] for layer in config["layers"]}
    known = {}

    def find(reference):
        if reference not in known:
            name, index, _ = reference
            if not nodes[name]:
                known[reference] = ((1, 1), (1, 1))
            else:
                before = widest([find(source) for source in references(nodes[name][index])])
                window = keras_window(model.get_layer(name))
                known[reference] = field_of([as_window(*before), window]) if window else before
        return known[reference]

    ends = config["output_layers"]
    return find(tuple(ends if isinstance(ends[0], str) else ends[0]))


def keras_window(layer):
    name = type(layer).__name__
    if isinstance(layer, keras.Model):
        return as_window(*keras_receptive_field(layer))
    if name in ("Conv2D", "DepthwiseConv2D", "SeparableConv2D"):
        return list(zip(layer.kernel_size, layer.strides, layer.dilation_rate, strict=True))
    if name in ("MaxPooling2D", "AveragePooling2D"):
        return list(zip(layer.pool_size, layer.strides, (1, 1), strict=True))
    quiet = "Activation ReLU LeakyReLU BatchNormalization Dropout ZeroPadding2D Cropping2D"
    if name not in f"{quiet} Add Concatenate Multiply Maximum InputLayer".split():
        raise ValueError(f"{name} is not local")
    return None
