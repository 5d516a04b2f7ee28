"""Every layer is an object that knows its shape, weights and windows; models are lists of them."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from math import ceil, prod

import keras

SIZES = {"float64": 64, "float32": 32, "float16": 16, "bfloat16": 16, "int8": 8, "uint8": 8}


def spread(value):
    if isinstance(value, (list, tuple)):
        vertical, horizontal = value
        return vertical, horizontal
    return value, value


@dataclass(frozen=True)
class Window:
    kernel: int
    stride: int = 1
    dilation: int = 1
    padding: object = "valid"

    def size(self, length):
        if self.kernel <= 0 or self.stride <= 0 or self.dilation <= 0:
            raise ValueError(f"impossible window {self}")
        if self.padding == "same":
            quotient, rest = divmod(length, self.stride)
            return quotient + (1 if rest else 0)
        sides = {"valid": (0, 0)}.get(self.padding) if isinstance(self.padding, str) else spread(self.padding)
        if sides is None or min(sides) < 0:
            raise ValueError(f"impossible padding {self.padding}")
        last_start = length + sum(sides) - self.dilation * (self.kernel - 1) - 1
        if last_start < 0:
            raise ValueError(f"{self} does not fit into {length}")
        return 1 + last_start // self.stride

    def then(self, following):
        """This window and a following one as a single window."""
        extra = self.stride * following.dilation * (following.kernel - 1)
        return Window(self.span + extra, self.stride * following.stride)

    @property
    def span(self):
        return self.dilation * (self.kernel - 1) + 1


class Layer:
    """A layer without weights that keeps the shape and looks at one position."""

    works = False
    view = False

    def __init__(self, settings):
        self.settings = settings

    def get(self, key, default=None):
        return self.settings.get(key, default)

    def shape(self, shape):
        return tuple(shape)

    def weights(self, channels):
        return Counter()

    def windows(self):
        return Window(1), Window(1)

    def parts(self, shape):
        """This layer and what is inside it, with input and output shapes."""
        return [(self, tuple(shape), self.shape(shape))]


class Global(Layer):
    def windows(self):
        raise ValueError(f"{self.get('type')} sees everything")


class Flatten(Global):
    view = True

    def shape(self, shape):
        return (prod(shape),)


class Reshape(Global):
    view = True

    def shape(self, shape):
        if prod(self.get("shape")) != prod(shape):
            raise ValueError("reshape changes the number of values")
        return tuple(self.get("shape"))


class GlobalPool(Global):
    def shape(self, shape):
        return (shape[-1],)


class Dense(Global):
    works = True

    def shape(self, shape):
        return (*shape[:-1], self.get("units"))

    def weights(self, channels):
        return Counter(kernel=channels * self.get("units"), bias=self.get("bias", True) * self.get("units"))


class BatchNorm(Layer):
    def weights(self, channels):
        names = [name for name in ("scale", "center") if self.get(name, True)]
        return Counter(dict.fromkeys(names, channels)) + Counter(mean=channels, variance=channels)


class Windowed(Layer):
    usual_stride = 1

    def windows(self):
        kernels = spread(self.get("kernel"))
        strides = spread(self.get("stride", self.get("kernel") if self.usual_stride is None else 1))
        rest = spread(self.get("dilation", 1)), spread(self.get("padding", "valid"))
        return tuple(Window(*each) for each in zip(kernels, strides, *rest, strict=True))

    def channels(self, before):
        return before

    def shape(self, shape):
        height, width, channels = shape
        vertical, horizontal = self.windows()
        return vertical.size(height), horizontal.size(width), self.channels(channels)

    @property
    def area(self):
        vertical, horizontal = spread(self.get("kernel"))
        return vertical * horizontal


class Pool(Windowed):
    usual_stride = None


class Conv(Windowed):
    works = True

    def channels(self, before):
        return self.get("filters")

    def weights(self, channels):
        groups, filters = self.get("groups", 1), self.get("filters")
        if channels % groups or filters % groups:
            raise ValueError("groups must divide channels and filters")
        return Counter(
            kernel=groups * self.area * (channels // groups) * (filters // groups), bias=self.biases(filters)
        )

    def biases(self, outputs):
        return outputs if self.get("bias", True) else 0


class Depthwise(Conv):
    def channels(self, before):
        return before * self.get("multiplier", 1)

    def weights(self, channels):
        outputs = self.channels(channels)
        return Counter(kernel=self.area * outputs, bias=self.biases(outputs))


class Separable(Conv):
    def weights(self, channels):
        middle, filters = channels * self.get("multiplier", 1), self.get("filters")
        return Counter(depth=self.area * middle, point=middle * filters, bias=self.biases(filters))


class Merge(Layer):
    def __init__(self, settings):
        super().__init__(settings)
        self.branches = [[make(inner) for inner in branch] for branch in settings["branches"]]

    def ends(self, shape):
        for branch in self.branches:
            end = tuple(shape)
            for layer in branch:
                end = layer.shape(end)
            yield end

    def parts(self, shape):
        inside = [part for branch in self.branches for part in run(branch, shape)]
        return [*inside, (self, tuple(shape), self.shape(shape))]

    def windows(self):
        return meet([chain(branch) for branch in self.branches])


class Add(Merge):
    def shape(self, shape):
        (end,) = distinct(self.ends(shape))
        return end


class Concat(Merge):
    def shape(self, shape):
        ends = list(self.ends(shape))
        (place,) = distinct(end[:-1] for end in ends)
        return (*place, sum(end[-1] for end in ends))


def distinct(ends):
    found = set(ends)
    if len(found) > 1:
        raise ValueError(f"branches differ: {found}")
    return found


KINDS = dict.fromkeys(("activation", "dropout", "lrn"), Layer) | {
    "flatten": Flatten, "reshape": Reshape, "global_avg_pool": GlobalPool, "dense": Dense,
    "batch_norm": BatchNorm,
    "max_pool": Pool, "avg_pool": Pool, "conv": Conv, "depthwise": Depthwise, "separable": Separable,
    "add": Add, "concat": Concat,
}  # fmt: skip


def make(settings):
    if settings["type"] not in KINDS:
        raise ValueError(f"unknown type {settings['type']}")
    return KINDS[settings["type"]](settings)


def run(layers, shape):
    parts = []
    for layer in layers:
        parts += layer.parts(shape)
        shape = parts[-1][2]
    return parts


def chain(layers):
    vertical, horizontal = Window(1), Window(1)
    for layer in layers:
        down, across = layer.windows()
        vertical, horizontal = vertical.then(down), horizontal.then(across)
    return vertical, horizontal


def meet(ends):
    together = []
    for windows in zip(*ends, strict=True):
        if len({window.stride for window in windows}) != 1:
            raise ValueError("branches have different jumps")
        together.append(max(windows, key=lambda window: window.span))
    return tuple(replace(window, kernel=window.span, dilation=1) for window in together)


def told(windows):
    return tuple(window.span for window in windows), tuple(window.stride for window in windows)


def split(weights):
    kept = weights["mean"] + weights["variance"]
    return sum(weights.values()) - kept, kept


def output_size(size, kernel, stride=1, padding="valid", dilation=1):
    return Window(kernel, stride, dilation, padding).size(size)


def output_shape(layer, shape):
    return make(layer).shape(shape)


def conv_parameters(kernel, in_channels, filters, groups=1, bias=True):
    layer = Conv({"kernel": kernel, "filters": filters, "groups": groups, "bias": bias})
    return split(layer.weights(in_channels))[0]


def depthwise_parameters(kernel, channels, multiplier=1, bias=True):
    return split(Depthwise({"kernel": kernel, "multiplier": multiplier, "bias": bias}).weights(channels))[0]


def separable_parameters(kernel, in_channels, filters, multiplier=1, bias=True):
    layer = Separable({"kernel": kernel, "filters": filters, "multiplier": multiplier, "bias": bias})
    return split(layer.weights(in_channels))[0]


def dense_parameters(inputs, units, bias=True):
    return split(Dense({"units": units, "bias": bias}).weights(inputs))[0]


def batch_norm_parameters(channels, scale=True, center=True):
    return split(BatchNorm({"scale": scale, "center": center}).weights(channels))


@dataclass
class Gates:
    count: int
    features: int
    units: int
    biases: int
    total: int = field(init=False)

    def __post_init__(self):
        self.total = self.count * self.units * (self.features + self.units + self.biases)


def lstm_parameters(features, units, bias=True):
    return Gates(4, features, units, int(bias)).total


def gru_parameters(features, units, bias=True, reset_after=True):
    return Gates(3, features, units, bias and (2 if reset_after else 1)).total


def model_parameters(layers, input_shape):
    uses = defaultdict(list)
    for part, (layer, before, _) in enumerate(run([make(layer) for layer in layers], input_shape)):
        uses[layer.get("name") or part].append(split(layer.weights(before[-1])))
    if any(use != counts[0] for counts in uses.values() for use in counts):
        raise ValueError("a shared layer must have the same weights at every use")
    return tuple(sum(counts[0][side] for counts in uses.values()) for side in (0, 1))


def keras_parameters(model):
    if not model.built:
        raise ValueError("the model has no weights yet")
    return tuple(
        sum(int(weight.numpy().size) for weight in model.weights if weight.trainable is side)
        for side in (True, False)
    )


def model_macs(layers, input_shape):
    total = 0
    for layer, before, (*places, _) in run([make(layer) for layer in layers], input_shape):
        if layer.works:
            weights = layer.weights(before[-1])
            total += prod(places) * (sum(weights.values()) - weights["bias"])
    return total


def activation_bytes(layers, input_shape, batch=1, dtype="float32"):
    if dtype not in SIZES:
        raise ValueError(f"{dtype} is not a dtype")
    shapes = [
        after for layer, _, after in run([make(layer) for layer in layers], input_shape) if not layer.view
    ]
    return sum(prod(shape) for shape in (input_shape, *shapes)) * batch * SIZES[dtype] // 8


def receptive_field(layers):
    return told(chain([make(layer) for layer in layers]))


def stack_weights(field, kernel, channels):
    depth = ceil((field - 1) / (kernel - 1))
    layers = [{"type": "conv", "filters": channels, "kernel": kernel, "bias": False}] * depth
    if receptive_field(layers)[0][0] != field:
        raise ValueError("the field is not reached exactly")
    return depth, sum(conv_parameters(kernel, channels, channels, bias=False) for _ in layers)


def conv(filters, kernel, **more):
    return {"type": "conv", "filters": filters, "kernel": kernel, **more}


def alexnet(classes=1000, groups=2):
    pool = {"type": "max_pool", "kernel": [3, 3], "stride": [2, 2]}
    tail = [{"type": "flatten"}] + [{"type": "dense", "units": n} for n in (4096, 4096, classes)]
    towers = [
        conv(384, 3, padding=(1, 1), groups=groups),
        conv(256, 3, padding=((1, 1), (1, 1)), groups=groups),
    ]
    return [
        conv(96, (11, 11), stride=(4, 4)), pool, conv(256, 5, padding=2, groups=groups), pool,
        conv(384, 3, padding=1, groups=1), *towers, pool, *tail,
    ]  # fmt: skip


def vgg16(classes=1000):
    layers = []
    for stage, depth in enumerate([2, 2, 3, 3, 3]):
        layers.extend(conv(min(512, 64 * 2**stage), (3, 3), padding=1) for _ in range(depth))
        layers.append({"type": "max_pool", "kernel": (2, 2), "stride": 2})
    return [*layers, {"type": "flatten"}, *({"type": "dense", "units": n} for n in (4096, 4096, classes))]


def inception(one, reduce3, three, reduce5, five, project):
    return {
        "type": "concat",
        "branches": (
            [conv(one, 1, padding="same")],
            [conv(reduce3, 1), conv(three, 3, padding=1)],
            [conv(reduce5, 1), conv(five, 5, padding=2)],
            [{"type": "max_pool", "kernel": 3, "stride": 1, "padding": 1}, conv(project, 1)],
        ),
    }


def googlenet(classes=1000):
    down = {"type": "max_pool", "kernel": 3, "stride": 2, "padding": (0, 1)}
    down["padding"] = ((0, 1), (0, 1))
    a3, b3 = inception(64, 96, 128, 16, 32, 32), inception(128, 128, 192, 32, 96, 64)
    a4, b4 = inception(192, 96, 208, 16, 48, 64), inception(160, 112, 224, 24, 64, 64)
    c4, d4 = inception(128, 128, 256, 24, 64, 64), inception(112, 144, 288, 32, 64, 64)
    e4 = a5 = inception(256, 160, 320, 32, 128, 128)
    b5 = inception(384, 192, 384, 48, 128, 128)
    stem = [conv(64, 7, stride=2, padding=3), down, conv(64, 1), conv(192, 3, padding="same"), down]
    head = [{"type": "global_avg_pool"}, {"type": "dropout"}, {"type": "dense", "units": classes}]
    return [*stem, a3, b3, down, a4, b4, c4, d4, e4, down, a5, b5, *head]


def bottleneck(width, stride=1, project=False):
    def unit(filters, kernel, step):
        return [conv(filters, kernel, stride=step, padding="same", bias=False), {"type": "batch_norm"}]

    residual = [*unit(width, 1, stride), *unit(width, 3, 1), *unit(width * 4, 1, 1)]
    return {"type": "add", "branches": [residual, unit(width * 4, 1, stride) if project else []]}


def resnet50(classes=1000):
    stem = [conv(64, 7, stride=2, padding="same", bias=False), {"type": "batch_norm"}, {"type": "activation"}]
    stem.append({"type": "max_pool", "kernel": 3, "stride": 2, "padding": "same"})
    body = [bottleneck(64, 1, True), *[bottleneck(64)] * 2, bottleneck(128, 2, True), *[bottleneck(128)] * 3]
    body += [
        bottleneck(256, 2, True),
        *[bottleneck(256)] * 5,
        bottleneck(512, 2, True),
        *[bottleneck(512)] * 2,
    ]
    return [*stem, *body, {"type": "global_avg_pool"}, {"type": "dense", "units": classes}]


def yolo_v1_head(grid=7, boxes=2, classes=20):
    values = classes + 5 * boxes
    same, half = conv(1024, 3, padding=1), conv(1024, 3, padding=1, stride=2)
    dense = [
        {"type": "dense", "units": 4096},
        {"type": "activation"},
        {"type": "dense", "units": grid**2 * values},
    ]
    return [
        same,
        half,
        same,
        same,
        {"type": "flatten"},
        *dense,
        {"type": "reshape", "shape": (grid, grid, values)},
    ]


def keras_windows(layer):
    if isinstance(layer, keras.Model):
        fields, jumps = keras_receptive_field(layer)
        return tuple(Window(*pair) for pair in zip(fields, jumps, strict=True))
    config = layer.get_config()
    match type(layer).__name__:
        case "Conv2D" | "DepthwiseConv2D" | "SeparableConv2D":
            rows = config["kernel_size"], config["strides"], config["dilation_rate"]
        case "MaxPooling2D" | "AveragePooling2D":
            rows = config["pool_size"], config["strides"]
        case (
            "Activation" | "ReLU" | "LeakyReLU" | "BatchNormalization" | "Dropout" | "ZeroPadding2D"
            | "Cropping2D"
            | "Add" | "Concatenate" | "Multiply" | "Maximum"
        ):  # fmt: skip
            rows = (1, 1), (1, 1)
        case other:
            raise ValueError(f"{other} has no field")
    return tuple(Window(*pair) for pair in zip(*map(spread, rows), strict=True))


def keras_receptive_field(model):
    if (len(model.inputs), len(model.outputs)) != (1, 1):
        raise ValueError("only models with one input and one output")
    graph = model if not isinstance(model, keras.Sequential) else keras.Model(model.inputs, model.outputs)
    seen = {id(graph.inputs[0]): (Window(1), Window(1))}
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if not node.is_input:
                before = meet([seen[id(tensor)] for tensor in node.input_tensors])
                after = keras_windows(node.operation)
                seen[id(node.outputs[0])] = tuple(a.then(b) for a, b in zip(before, after, strict=True))
    return told(seen[id(graph.outputs[0])])
