"""Hidden tests of the architecture calculators: the oracles enumerate, build and count."""

from __future__ import annotations

import itertools
from collections import Counter

import keras
import numpy as np
import pytest

# --- Drawing


def draw(rng, low, high):
    """A Python int from low to high, both included."""
    return int(rng.integers(low, high + 1))


def two(rng, low, high):
    """Two different ints, so that swapped axes show."""
    first, second = rng.choice(np.arange(low, high + 1), size=2, replace=False)
    return int(first), int(second)


def pick(rng, values):
    """One of `values`, as it is."""
    return values[int(rng.integers(len(values)))]


def plain(value):
    """Lists as tuples, and nothing but exact ints inside."""
    if isinstance(value, (list, tuple)):
        return tuple(plain(item) for item in value)
    assert type(value) is int, f"an int was expected, not {type(value).__name__}"
    return value


# --- Oracles


def positions(size, kernel, stride, padding, dilation):
    """Window positions along one axis: the starts whose last tap still lies inside."""
    if padding == "same":
        return len(range(0, size, stride))
    before, after = (0, 0) if padding == "valid" else both(padding)
    last_tap = dilation * (kernel - 1)
    return len(range(0, before + size + after - last_tap, stride))


def array(shape):
    """An array of this shape that takes no memory; tables hold matrices of a gigabyte."""
    return np.broadcast_to(0, shape)


def both(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def settings(layer):
    """kernel, stride, padding, dilation of a windowed layer."""
    stride = layer.get("stride", layer["kernel"] if "pool" in layer["type"] else 1)
    wanted = layer["kernel"], stride, layer.get("padding", "valid"), layer.get("dilation", 1)
    return tuple(both(value) for value in wanted)


def shape_after(layer, shape):
    """The suite's own reading of the layer table of the handout."""
    kind = layer["type"]
    if kind in ("add", "concat"):
        ends = [trace(branch, shape)[-1][2] if branch else shape for branch in layer["branches"]]
        assert len({end if kind == "add" else end[:-1] for end in ends}) == 1
        return ends[0] if kind == "add" else (*ends[0][:-1], sum(end[-1] for end in ends))
    if kind in ("conv", "depthwise", "separable", "max_pool", "avg_pool"):
        height, width = (positions(shape[axis], *(pair[axis] for pair in settings(layer))) for axis in (0, 1))
        channels = {
            "conv": lambda: layer["filters"],
            "separable": lambda: layer["filters"],
            "depthwise": lambda: shape[2] * layer.get("multiplier", 1),
        }.get(kind, lambda: shape[2])()
        return height, width, channels
    return {
        "dense": lambda: (*shape[:-1], layer["units"]),
        "flatten": lambda: (int(np.prod(shape)),),
        "global_avg_pool": lambda: (shape[-1],),
        "reshape": lambda: tuple(layer["shape"]),
    }.get(kind, lambda: shape)()


def trace(layers, shape):
    """[(layer, input shape, output shape)], the layers inside a merge before it."""
    rows = []
    for layer in layers:
        for branch in layer.get("branches", ()):
            rows += trace(branch, shape)
        after = shape_after(layer, shape)
        rows.append((layer, shape, after))
        shape = after
    return rows


def arrays(layer, channels):
    """The arrays that hold one layer's (trainable, non-trainable) parameters."""
    kind, bias = layer["type"], layer.get("bias", True)
    multiplier = layer.get("multiplier", 1)
    if kind == "batch_norm":
        learnt = [array(channels) for key in ("scale", "center") if layer.get(key, True)]
        return learnt, [array(channels), array(channels)]
    if kind == "conv":
        groups = layer.get("groups", 1)
        each = (*both(layer["kernel"]), channels // groups, layer["filters"] // groups)
        made = [array(each) for _ in range(groups)]
    elif kind == "depthwise":
        made = [array((*both(layer["kernel"]), multiplier)) for _ in range(channels)]
    elif kind == "separable":
        taps = array((*both(layer["kernel"]), channels, multiplier))
        made = [taps, array((channels * multiplier, layer["filters"]))]
    elif kind == "dense":
        made = [array((channels, layer["units"]))]
    else:
        return [], []
    outputs = {"dense": "units", "depthwise": None}.get(kind, "filters")
    if bias:
        made.append(array(channels * multiplier if outputs is None else layer[outputs]))
    return made, []


def size_of(made):
    return sum(array.size for array in made)


def count(layers, shape):
    """(trainable, non-trainable) of a model without shared layers."""
    made = [arrays(layer, before[-1]) for layer, before, _ in trace(layers, shape)]
    return sum(size_of(learnt) for learnt, _ in made), sum(size_of(kept) for _, kept in made)


def macs(layers, shape):
    """Every output position multiplies with every weight once."""
    total = 0
    for layer, before, after in trace(layers, shape):
        if layer["type"] in ("conv", "depthwise", "separable", "dense"):
            weights, _ = arrays({**layer, "bias": False}, before[-1])
            total += sum(1 for _ in np.ndindex(after[:-1])) * size_of(weights)
    return total


def reach(path, outputs):
    """Input pixels along one axis that reach these outputs through (kernel, stride, dilation) windows."""
    for kernel, stride, dilation in reversed(path):
        outputs = {start * stride + tap * dilation for start in outputs for tap in range(kernel)}
    return outputs


def field_and_jump(axes):
    """((height, width), jumps) of one path, by marking; `axes`: the vertical and the horizontal windows."""
    fields = tuple(max(seen) - min(seen) + 1 for seen in (reach(path, {0}) for path in axes))
    return fields, tuple(min(reach(path, {1})) - min(reach(path, {0})) for path in axes)


def list_paths(layers):
    """Every path through a list of layers, as the windowed layers on it."""
    choices = []
    for layer in layers:
        if "branches" in layer:
            choices.append([path for branch in layer["branches"] for path in list_paths(branch)])
        else:
            choices.append([[layer] if "kernel" in layer else []])
    return [list(itertools.chain(*path)) for path in itertools.product(*choices)]


def widest(paths):
    """The largest field over paths of windows ((kernel, stride, dilation) pairs), and their jump."""
    seen = [
        field_and_jump([[tuple(pair[axis] for pair in w) for w in path] for axis in (0, 1)]) for path in paths
    ]
    assert len({jump for _, jump in seen}) == 1
    return tuple(max(field[axis] for field, _ in seen) for axis in (0, 1)), seen[0][1]


def list_field(layers):
    """Receptive field and jump of a list of layers, by marking each path."""
    paths = []
    for path in list_paths(layers):
        paths.append([(kernel, stride, dilation) for kernel, stride, _, dilation in map(settings, path)])
    return widest(paths)


# --- 1. Output sizes


@pytest.mark.problem("output_size", points=3)
@pytest.mark.hint(
    "Write down the first pixel of every window of a small example: which is the last that still fits?"
)
def test_valid_sizes_count_the_window_positions(student, rng):
    """Valid padding: every window that fits, with stride and dilation"""
    for stride in (1, 2, 3, 5):
        for dilation in (1, 2, 3):
            kernel = draw(rng, 2, 5)
            size = dilation * (kernel - 1) + 1 + stride * draw(rng, 1, 6) + draw(rng, 0, stride - 1)
            expected = positions(size, kernel, stride, "valid", dilation)
            assert plain(student.output_size(size, kernel, stride, "valid", dilation)) == expected
    size = draw(rng, 10, 30)
    assert plain(student.output_size(size, 3)) == size - 2
    assert plain(student.output_size(size=size, kernel=1, stride=size)) == 1


@pytest.mark.problem("output_size", points=2)
@pytest.mark.hint(
    "With `same`, how does the size depend on the kernel? What happens when the stride does not divide it?"
)
def test_same_padding_depends_on_the_stride_alone(student, rng):
    """Same padding"""
    for stride in (2, 3, 4):
        size = stride * draw(rng, 2, 9) + draw(rng, 0, stride - 1)
        kernel, dilation = draw(rng, 1, 9), draw(rng, 1, 3)
        for length in (size, stride * 7, stride * 7 + 1):
            expected = len(range(0, length, stride))
            assert plain(student.output_size(length, kernel, stride, "same", dilation)) == expected
    assert plain(student.output_size(3, 11, 1, "same")) == 3


@pytest.mark.problem("output_size", points=2)
@pytest.mark.hint("An int is added on each side, a pair on the two sides separately; the floor comes last.")
def test_explicit_padding(student, rng):
    """Explicit padding, on both sides or uneven"""
    for _ in range(6):
        kernel, stride, dilation = draw(rng, 2, 6), draw(rng, 2, 4), draw(rng, 1, 3)
        size = dilation * (kernel - 1) + 1 + draw(rng, 0, 20)
        for padding in (draw(rng, 1, 4), two(rng, 0, 6)):
            expected = positions(size, kernel, stride, padding, dilation)
            assert plain(student.output_size(size, kernel, stride, padding, dilation)) == expected
    assert plain(student.output_size(1, 3, padding=1)) == 1


@pytest.mark.problem("output_size", points=1)
@pytest.mark.hint(
    "A float holds 53 bits. Is there a division in your code that is not a whole-number division?"
)
def test_sizes_are_exact_however_large(student, rng):
    """Sizes are exact ints"""
    stride = 2 * draw(rng, 1, 50) + 1
    steps = 10**17 + draw(rng, 0, 10**6)
    size = 5 + stride * steps
    assert plain(student.output_size(size - 1, 5, stride)) == steps
    assert plain(student.output_size(size, 5, stride)) == steps + 1
    assert plain(student.output_size(stride * steps + 1, 5, stride, "same")) == steps + 1


@pytest.mark.problem("output_size", points=1)
@pytest.mark.hint(
    "Which arguments can have no output size? A window longer than its padded input has none either."
)
def test_impossible_windows_are_refused(student, rng):
    """Impossible windows raise ValueError"""
    kernel = draw(rng, 3, 9)
    stride = draw(rng, 2, 4)
    assert plain(student.output_size(kernel, kernel, stride)) == 1
    assert plain(student.output_size(kernel + stride, kernel, stride)) == 2
    wrong = [
        (kernel - 1, kernel),
        (2 * kernel - 2, kernel, 1, "valid", 2),
        (kernel - 1, kernel + 4, 3, (1, 2)),
    ]
    wrong += [
        (20, 0),
        (20, 3, 0),
        (20, 3, 1, "valid", 0),
        (20, 3, 1, -1),
        (20, 3, 1, (2, -1)),
        (20, 3, 1, "full"),
    ]
    for arguments in wrong:
        with pytest.raises(ValueError):
            student.output_size(*arguments)


@pytest.mark.problem("output_size", points=3)
@pytest.mark.hint(
    "Go through the layer table: defaults (above all the stride of a pool), (vertical, horizontal), merges."
)
def test_shapes_of_layers(student, rng):
    """Shapes that layers and merges make"""
    height, width = two(rng, 24, 40)
    channels = draw(rng, 2, 5)
    shape = (height, width, channels)
    layers = []
    for padding in (
        "valid",
        "same",
        draw(rng, 1, 2),
        two(rng, 0, 3),
        (two(rng, 0, 3), "same"),
        ("valid", (1, 2)),
    ):
        layers.append(
            conv(
                draw(rng, 6, 9),
                two(rng, 2, 5),
                stride=two(rng, 1, 3),
                dilation=two(rng, 1, 3),
                padding=padding,
            )
        )
    layers += [
        {"type": "depthwise", "kernel": 3, "multiplier": draw(rng, 2, 3), "stride": (2, 1)},
        {"type": "depthwise", "kernel": (1, 4)},
        {"type": "separable", "kernel": 3, "filters": draw(rng, 6, 9), "multiplier": 2, "dilation": (2, 1)},
        {"type": "max_pool", "kernel": two(rng, 2, 4)},
        {"type": "max_pool", "kernel": 3, "stride": two(rng, 1, 2), "padding": "same"},
        {"type": "avg_pool", "kernel": draw(rng, 4, 5)},
        {"type": "dense", "units": draw(rng, 6, 9)},
        {"type": "global_avg_pool"},
        {"type": "flatten"},
        {"type": "reshape", "shape": (channels, width, height)},
        *({"type": kind} for kind in ("activation", "batch_norm", "dropout", "lrn")),
    ]
    block = inception_like(rng)
    layers += [block, {"type": "add", "branches": [[block, conv(channels, 1)], []]}]
    for layer in layers:
        assert plain(student.output_shape(layer, shape)) == shape_after(layer, shape)
    assert plain(student.output_shape({"type": "dense", "units": 3}, (7,))) == (3,)

    odd = conv(channels, 3)
    wrong = [
        {"type": "conv3d", "filters": 2, "kernel": 3},
        {"type": "add", "branches": [[odd], []]},
        {"type": "add", "branches": [[conv(channels + 1, 1)], []]},
        {"type": "concat", "branches": [[], [odd]]},
        {"type": "reshape", "shape": (height, width, channels + 1)},
    ]
    for layer in wrong:
        with pytest.raises(ValueError):
            student.output_shape(layer, shape)


def conv(filters, kernel, **more):
    return {"type": "conv", "filters": filters, "kernel": kernel, **more}


def inception_like(rng):
    """A concat of unequal branches, one of them the identity, one with a merge inside."""
    width = draw(rng, 2, 4)
    inner = {"type": "add", "branches": [[conv(width, (3, 5), padding="same")], [conv(width, 1)]]}
    pool = {"type": "max_pool", "kernel": 3, "stride": 1, "padding": "same"}
    first = [conv(draw(rng, 5, 7), 1), {"type": "batch_norm"}]
    return {"type": "concat", "branches": [first, [conv(3, 1, bias=False), inner], [], [pool, conv(2, 1)]]}


# --- 2. Parameters of one layer


@pytest.mark.problem("layer_parameters", points=3)
@pytest.mark.hint(
    "One kernel spans all input channels, there is one for each filter, and each filter has one bias."
)
def test_conv_parameters(student, rng):
    """A convolution's weights and biases"""
    for _ in range(3):
        kernel, channels, filters = two(rng, 1, 7), draw(rng, 2, 9), draw(rng, 10, 20)
        layer = conv(filters, kernel)
        assert plain(student.conv_parameters(kernel, channels, filters)) == size_of(
            arrays(layer, channels)[0]
        )
        without = size_of(arrays({**layer, "bias": False}, channels)[0])
        assert plain(student.conv_parameters(kernel, channels, filters, bias=False)) == without
    side = draw(rng, 3, 7)
    assert plain(student.conv_parameters(side, 3, 11)) == array((side, side, 3, 11)).size + 11


@pytest.mark.problem("layer_parameters", points=3)
@pytest.mark.hint("How many input channels does one filter see when there are g groups?")
def test_grouped_conv_parameters(student, rng):
    """A grouped convolution's parameters"""
    for groups in (2, 3, 5):
        kernel, channels, filters = two(rng, 1, 5), groups * draw(rng, 2, 4), groups * draw(rng, 5, 8)
        for bias in (True, False):
            expected = size_of(arrays(conv(filters, kernel, groups=groups, bias=bias), channels)[0])
            assert plain(student.conv_parameters(kernel, channels, filters, groups, bias)) == expected
        for wrong in ((channels + 1, filters), (channels, filters + 1)):
            with pytest.raises(ValueError):
                student.conv_parameters(kernel, *wrong, groups)


@pytest.mark.problem("layer_parameters", points=2)
@pytest.mark.hint(
    "Every channel has its own kernels, `multiplier` of them. How many outputs, so how many biases?"
)
def test_depthwise_parameters(student, rng):
    """A depthwise convolution's parameters"""
    for bias, multiplier in itertools.product((True, False), (1, 3)):
        kernel, channels = two(rng, 2, 5), draw(rng, 3, 9)
        layer = {"type": "depthwise", "kernel": kernel, "multiplier": multiplier, "bias": bias}
        expected = size_of(arrays(layer, channels)[0])
        assert plain(student.depthwise_parameters(kernel, channels, multiplier, bias)) == expected
    assert plain(student.depthwise_parameters(3, 5)) == 50


@pytest.mark.problem("layer_parameters", points=2)
@pytest.mark.hint("How many channels does the 1x1 convolution see, and which of the two steps has the bias?")
def test_separable_parameters(student, rng):
    """A separable convolution's parameters"""
    for bias, multiplier in itertools.product((True, False), (1, 2)):
        kernel, channels, filters = two(rng, 2, 5), draw(rng, 3, 6), draw(rng, 7, 12)
        layer = {
            "type": "separable",
            "kernel": kernel,
            "filters": filters,
            "multiplier": multiplier,
            "bias": bias,
        }
        expected = size_of(arrays(layer, channels)[0])
        assert plain(student.separable_parameters(kernel, channels, filters, multiplier, bias)) == expected


@pytest.mark.problem("layer_parameters", points=2)
@pytest.mark.hint("A matrix and a bias for each unit, in whole numbers of any length.")
def test_dense_parameters(student, rng):
    """A dense layer's parameters, exact however large"""
    inputs, units = two(rng, 2, 50)
    assert plain(student.dense_parameters(inputs, units)) == array((inputs, units)).size + units
    assert plain(student.dense_parameters(inputs, units, bias=False)) == array((inputs, units)).size
    inputs, units = 10**12 + draw(rng, 1, 999), 10**13 + draw(rng, 1, 999)
    assert plain(student.dense_parameters(inputs, units)) == inputs * units + units


@pytest.mark.problem("layer_parameters", points=2)
@pytest.mark.hint(
    "Which of gamma, beta, moving mean and moving variance does the optimizer change? Which are always there?"
)
def test_batch_norm_parameters(student, rng):
    """Batch normalization's trainable and non-trainable parameters"""
    for scale, center in itertools.product((True, False), repeat=2):
        channels = draw(rng, 2, 60)
        learnt, kept = arrays({"type": "batch_norm", "scale": scale, "center": center}, channels)
        expected = size_of(learnt), size_of(kept)
        assert plain(student.batch_norm_parameters(channels, scale, center)) == expected
    assert plain(student.batch_norm_parameters(7)) == (14, 14)


# --- 3. Recurrent layers


def recurrent(gates, features, units, biases):
    """Sizes of one input matrix, one recurrent matrix and `biases` vectors for each gate."""
    one = [array((features, units)), array((units, units)), *(array(units) for _ in range(biases))]
    return sum(size_of(one) for _ in range(gates))


@pytest.mark.problem("recurrent_parameters", points=4)
@pytest.mark.hint(
    "Count the gates and the candidate. Each has a matrix for the input, one for the state, and a bias."
)
def test_lstm_parameters(student, rng):
    """An LSTM's parameters, with and without bias"""
    for _ in range(3):
        features, units = two(rng, 2, 40)
        assert plain(student.lstm_parameters(features, units)) == recurrent(4, features, units, 1)
        assert plain(student.lstm_parameters(features, units, bias=False)) == recurrent(4, features, units, 0)


@pytest.mark.problem("recurrent_parameters", points=4)
@pytest.mark.hint("With `reset_after` the input's product and the state's product have a bias each.")
def test_gru_parameters(student, rng):
    """A GRU's parameters: no bias, one, or Keras' two"""
    for _ in range(3):
        features, units = two(rng, 2, 40)
        assert plain(student.gru_parameters(features, units)) == recurrent(3, features, units, 2)
        assert plain(student.gru_parameters(features, units, True, False)) == recurrent(3, features, units, 1)
        for after in (True, False):
            assert plain(student.gru_parameters(features, units, False, after)) == recurrent(
                3, features, units, 0
            )


# --- 4. Parameters of a model


def random_layers(rng):
    """A model of every kind of layer, from (height, width, 4) on, and its input shape."""
    groups = draw(rng, 2, 3)
    layers = [
        conv(draw(rng, 2, 4) * 6, two(rng, 2, 4), stride=two(rng, 1, 2), bias=False),
        {"type": "batch_norm"},
        {"type": "activation"},
        conv(6 * draw(rng, 2, 3), (3, 2), groups=groups, padding="same"),
        {"type": "batch_norm", "scale": False},
        {"type": "max_pool", "kernel": (2, 3)},
        {"type": "depthwise", "kernel": (1, 3), "multiplier": 2},
        {"type": "separable", "kernel": 3, "filters": draw(rng, 5, 9), "padding": (0, 1), "bias": False},
        {"type": "avg_pool", "kernel": 3, "stride": 2, "padding": "same"},
        {"type": "flatten"},
        {"type": "dense", "units": draw(rng, 5, 9)},
        {"type": "dropout"},
        {"type": "dense", "units": draw(rng, 2, 4), "bias": False},
    ]
    return layers, (*two(rng, 26, 34), 4)


@pytest.mark.problem("model_parameters", points=4)
@pytest.mark.hint(
    "Follow the shape through the model: a layer's input channels are the previous layer's output channels."
)
def test_parameters_of_a_stack(student, rng):
    """Parameters of a model that is a list of layers"""
    for _ in range(2):
        layers, shape = random_layers(rng)
        assert plain(student.model_parameters(layers, shape)) == count(layers, shape)
    assert plain(student.model_parameters(layers[:1] + layers[2:3], shape)) == count(layers[:1], shape)


@pytest.mark.problem("model_parameters", points=2)
@pytest.mark.hint("Moving means and variances are parameters that the optimizer never touches.")
def test_statistics_are_not_trainable(student, rng):
    """Batch normalization inside a model counts on both sides"""
    widths = [draw(rng, 3, 20) for _ in range(3)]
    layers = []
    for width in widths:
        layers += [
            conv(width, 1, bias=False),
            {"type": "batch_norm", "center": False},
            {"type": "activation"},
        ]
    trainable, kept = count(layers, (5, 6, 2))
    assert plain(student.model_parameters(layers, (5, 6, 2))) == (trainable, kept)
    assert kept == 2 * sum(widths)


@pytest.mark.problem("model_parameters", points=3)
@pytest.mark.hint(
    "A name is a layer: however often it is used it has one set of parameters. No name, no sharing."
)
def test_shared_layers_count_once(student, rng):
    """Shared layers count once"""
    width = draw(rng, 3, 8)
    shared = conv(width, two(rng, 2, 4), padding="same", name="tower")
    norm = {"type": "batch_norm", "name": "norm"}
    twin = conv(width, 3, padding="same")
    merge = {"type": "add", "branches": [[shared, norm], [shared, dict(twin)], [dict(twin), norm]]}
    layers, shape = (
        [conv(width, 1), shared, twin, twin, merge, dict(shared), {**twin, "name": "other"}],
        (9, 8, 5),
    )
    used_once = [conv(width, 1), shared, norm, *[twin] * 4, {**twin, "name": "other"}]
    assert plain(student.model_parameters(layers, shape)) == count(used_once, shape)
    with pytest.raises(ValueError):
        student.model_parameters([conv(width + 1, 1), shared, shared], shape)


@pytest.mark.problem("model_parameters", points=3)
@pytest.mark.hint(
    "Each branch starts from the shape in front of the merge; what comes after sees the merged channels."
)
def test_parameters_of_branches(student, rng):
    """Parameters of a model with branches"""
    height, width = two(rng, 6, 9)
    block = inception_like(rng)
    middle = conv(draw(rng, 4, 8), 1)
    residual = {"type": "add", "branches": [[dict(middle), {"type": "batch_norm"}], [dict(middle)]]}
    layers = [
        block,
        middle,
        inception_like(rng),
        residual,
        {"type": "flatten"},
        {"type": "dense", "units": 3},
    ]
    shape = (height, width, draw(rng, 2, 5))
    assert plain(student.model_parameters(layers, shape)) == count(layers, shape)
    with pytest.raises(ValueError):
        student.model_parameters([{"type": "add", "branches": [[conv(shape[2] + 1, 1)], []]}], shape)


# --- 5. Parameters of a Keras model


def build_stack(shape, layers, frozen):
    made = [getattr(keras.layers, kind)(**options) for kind, options in layers]
    for index in frozen:
        made[index].trainable = False
    return keras.Sequential([keras.Input(shape), *made])


def build_siamese(width):
    shared = keras.layers.Conv2D(width, 3, padding="same", kernel_initializer="zeros")
    tower_input = keras.Input((8, 6, width))
    tower = keras.Model(tower_input, keras.layers.BatchNormalization()(shared(tower_input)))
    left, right = keras.Input((8, 6, width)), keras.Input((8, 6, width))
    merged = keras.layers.Add()([tower(left), tower(right), shared(left)])
    merged = keras.layers.Dropout(0.5)(merged)
    return keras.Model([left, right], keras.layers.Dense(3, kernel_initializer="zeros")(merged))


def build_nothing():
    return keras.Sequential([keras.layers.Dense(3)])


@pytest.mark.problem("keras_parameters", points=3)
@pytest.mark.hint("Look at a variable's shape. What does `trainable = False` do to a layer's parameters?")
def test_parameters_of_a_keras_model(student, rng):
    """Parameters of a Keras model, with frozen layers"""
    first, second, third = draw(rng, 4, 9), 2 * draw(rng, 2, 4), draw(rng, 4, 9)
    kernel = two(rng, 1, 3)
    layers = [
        ("Conv2D", {"filters": second, "kernel_size": kernel, "kernel_initializer": "zeros"}),
        ("BatchNormalization", {}),
        ("Conv2D", {"filters": second, "kernel_size": 1, "groups": 2, "kernel_initializer": "zeros"}),
        ("BatchNormalization", {"scale": False}),
        ("Dense", {"units": third, "use_bias": False, "kernel_initializer": "zeros"}),
    ]
    sizes = [
        size_of(arrays(conv(second, kernel), first)[0]),
        2 * second,
        size_of(arrays(conv(second, 1, groups=2), second)[0]),
        second,
        second * third,
    ]
    model = student.probe(build_stack, (7, 5, first), layers, [1, 2])
    expected = (sizes[0] + sizes[3] + sizes[4], sizes[1] + sizes[2] + 4 * second)
    assert plain(student.keras_parameters(model)) == expected


@pytest.mark.problem("keras_parameters", points=3)
@pytest.mark.hint(
    "Count variables, not uses: a layer may sit in a nested model and outside it at the same time."
)
def test_keras_variables_count_once(student, rng):
    """Shared layers and nested models count once, unbuilt models are refused"""
    width = draw(rng, 3, 12)
    model = student.probe(build_siamese, width)
    trainable = 9 * width * width + width + 2 * width + 3 * width + 3
    assert plain(student.keras_parameters(model)) == (trainable, 2 * width)
    with pytest.raises(ValueError):
        student.keras_parameters(student.probe(build_nothing))


# --- 6. Cost


def count_multiplications(layer, shape):
    """Run a convolution with loops over outputs, taps and channels, and count the products."""
    groups = layer.get("groups", 1)
    height, width, filters = shape_after(layer, shape)
    rows, columns = both(layer["kernel"])
    seen = shape[2] // groups
    return sum(1 for _ in itertools.product(*map(range, (height, width, filters, rows, columns, seen))))


@pytest.mark.problem("model_cost", points=3)
@pytest.mark.hint("How many products make one output value, and how many output values are there?")
def test_macs_of_a_convolution_are_its_products(student, rng):
    """Multiply-accumulates of a convolution and of a dense layer"""
    shape = (*two(rng, 8, 11), 4)
    for more in (
        {},
        {"stride": (2, 1)},
        {"padding": "same", "dilation": (1, 2)},
        {"padding": 1, "groups": 2},
    ):
        layer = conv(2 * draw(rng, 2, 3), (3, 2), **more)
        assert plain(student.model_macs([layer], shape)) == count_multiplications(layer, shape)
    inputs, units = two(rng, 3, 30)
    assert plain(student.model_macs([{"type": "dense", "units": units}], (inputs,))) == inputs * units
    assert (
        plain(student.model_macs([{"type": "dense", "units": units}], (3, 4, inputs))) == 12 * inputs * units
    )


@pytest.mark.problem("model_cost", points=3)
@pytest.mark.hint(
    "A depthwise output value sums over its taps only. Biases, pools and normalization count nothing here."
)
def test_macs_of_a_model(student, rng):
    """Multiply-accumulates of a whole model"""
    for _ in range(2):
        layers, shape = random_layers(rng)
        assert plain(student.model_macs(layers, shape)) == macs(layers, shape)
    deep = {"type": "depthwise", "kernel": (3, 1), "stride": 2, "multiplier": 3}
    for layer in (deep, {**deep, "type": "separable", "filters": draw(rng, 4, 9)}):
        assert plain(student.model_macs([layer], shape)) == macs([layer], shape)


@pytest.mark.problem("model_cost", points=2)
@pytest.mark.hint("Sharing saves parameters. Does it save work?")
def test_macs_of_branches_and_shared_layers(student, rng):
    """Every branch and every use of a shared layer costs"""
    width = draw(rng, 3, 8)
    shared = conv(width, (3, 2), padding="same", name="shared")
    merge = {"type": "add", "branches": [[shared], [conv(width, 1)], []]}
    layers, shape = [inception_like(rng), conv(width, 1), shared, shared, merge], (*two(rng, 6, 9), 3)
    assert plain(student.model_macs(layers, shape)) == macs(layers, shape)


def values(layers, shape):
    """The input's values and those of every output that takes memory of its own."""
    rows = [(layer, array(after)) for layer, _, after in trace(layers, shape)]
    return array(shape).size + size_of(
        [out for layer, out in rows if layer["type"] not in ("flatten", "reshape")]
    )


@pytest.mark.problem("model_cost", points=3)
@pytest.mark.hint(
    "Add the input, each output (activations, normalization and merges too), but no view of another one."
)
def test_activation_memory(student, rng):
    """Bytes of all activations"""
    layers, shape = random_layers(rng)
    assert plain(student.activation_bytes(layers, shape)) == 4 * values(layers, shape)
    block = inception_like(rng)
    shape = (*two(rng, 4, 8), draw(rng, 2, 5))
    vector = {"type": "reshape", "shape": (array(shape_after(block, shape)).size,)}
    layers = [block, vector, {"type": "dense", "units": 3}]
    assert plain(student.activation_bytes(layers, shape)) == 4 * values(layers, shape)


@pytest.mark.problem("model_cost", points=3)
@pytest.mark.hint("Bytes of one value times the values of one example times the examples.")
def test_activation_memory_by_dtype_and_batch(student, rng):
    """Batch size and dtype scale the memory"""
    shape, batch = (*two(rng, 5, 9), 3), draw(rng, 2, 200)
    layers = [
        conv(draw(rng, 2, 6), 3),
        {"type": "activation"},
        {"type": "max_pool", "kernel": 2},
        {"type": "flatten"},
    ]
    held = values(layers, shape)
    for dtype, width in (
        ("float64", 8),
        ("float32", 4),
        ("float16", 2),
        ("bfloat16", 2),
        ("int8", 1),
        ("uint8", 1),
    ):
        assert plain(student.activation_bytes(layers, shape, batch, dtype)) == batch * held * width
    assert plain(student.activation_bytes(layers, shape, 10**18 + batch)) == (10**18 + batch) * held * 4
    with pytest.raises(ValueError):
        student.activation_bytes(layers, shape, batch, "float8")


# --- 7. Receptive field


@pytest.mark.problem("receptive_field", points=3)
@pytest.mark.hint(
    "A layer widens the field by d (k - 1) steps of the map it reads: which strides make those steps?"
)
def test_field_of_strided_and_dilated_convolutions(student, rng):
    """Receptive field and jump of convolutions with stride and dilation, on both axes"""
    layers = []
    for index in range(5):
        kind = ("conv", "depthwise", "separable")[index % 3]
        layer = {"type": kind, "kernel": two(rng, 1, 4), "stride": two(rng, 1, 3), "dilation": two(rng, 1, 3)}
        filters = {} if kind == "depthwise" else {"filters": 4}
        layers.append({**layer, **filters, "padding": pick(rng, ["valid", "same", 1])})
        assert plain(student.receptive_field(layers)) == list_field(layers)
    assert plain(student.receptive_field([conv(1, 3)] * 4)) == ((9, 9), (1, 1))


@pytest.mark.problem("receptive_field", points=2)
@pytest.mark.hint("A pool is a window with a stride like any other. What is its stride when none is given?")
def test_field_counts_pools(student, rng):
    """Pools widen the field and lengthen the jump"""
    pools = [
        {"type": "max_pool", "kernel": two(rng, 2, 3)},
        {"type": "avg_pool", "kernel": draw(rng, 2, 3)},
        {"type": "max_pool", "kernel": 3, "stride": two(rng, 1, 2)},
    ]
    layers = []
    for index in rng.permutation(3):
        layers += [conv(2, 3, padding="same"), {"type": "activation"}, pools[index], {"type": "batch_norm"}]
        assert plain(student.receptive_field(layers)) == list_field(layers)


@pytest.mark.problem("receptive_field", points=2)
@pytest.mark.hint(
    "An output sees what its best-sighted branch sees, on each axis. An empty branch sees one unit."
)
def test_field_of_branches_is_the_largest(student, rng):
    """Branches: the largest field, axis by axis"""
    before, after = two(rng, 2, 4), two(rng, 2, 4)
    stride = two(rng, 1, 3)
    tall = [conv(4, (draw(rng, 6, 8), 1), stride=stride)]
    wide = [
        conv(4, (1, 2), stride=(1, stride[1])),
        {"type": "lrn"},
        conv(4, (2, 4), stride=(stride[0], 1), dilation=2),
    ]
    merge = {"type": "concat", "branches": [tall, wide]}
    inner = {
        "type": "add",
        "branches": [[], [conv(4, (3, 5)), conv(4, 3)], [{"type": "max_pool", "kernel": 3, "stride": 1}]],
    }
    layers = [conv(4, before, stride=2), merge, {"type": "add", "branches": [[inner], []]}, conv(4, after)]
    assert plain(student.receptive_field(layers)) == list_field(layers)
    assert plain(student.receptive_field(layers[:2])) == list_field(layers[:2])


@pytest.mark.problem("receptive_field", points=2)
@pytest.mark.hint(
    "Which layers look at one position only, and which at all of them? What if branches end on unequal grids?"
)
def test_layers_without_a_local_field_are_refused(student, rng):
    """Pointwise layers change nothing; global layers and unequal jumps raise ValueError"""
    kernel = two(rng, 2, 6)
    pointwise = [{"type": kind} for kind in ("activation", "batch_norm", "dropout", "lrn")]
    assert plain(student.receptive_field([*pointwise, conv(2, kernel), *pointwise])) == (kernel, (1, 1))
    assert plain(student.receptive_field([])) == ((1, 1), (1, 1))
    wrong = [
        {"type": "flatten"},
        {"type": "dense", "units": 2},
        {"type": "global_avg_pool"},
        {"type": "mystery"},
    ]
    wrong += [
        {"type": "reshape", "shape": (4, 4)},
        {"type": "add", "branches": [[conv(2, 2, stride=(1, 2))], []]},
    ]
    for layer in wrong:
        with pytest.raises(ValueError):
            student.receptive_field([conv(2, kernel), layer])


@pytest.mark.problem("receptive_field", points=3)
@pytest.mark.hint(
    "How many layers does the field take? Each has kernel x kernel x C weights for each of its C filters."
)
def test_stacks_of_small_kernels(student, rng):
    """Small kernels stacked against one large kernel"""
    channels = draw(rng, 2, 60)
    assert plain(student.stack_weights(7, 3, channels)) == (3, 27 * channels**2)
    assert plain(student.stack_weights(7, 7, channels)) == (1, 49 * channels**2)
    kernel, depth = draw(rng, 3, 6), draw(rng, 2, 7)
    field = max(reach([(kernel, 1, 1)] * depth, {0})) + 1
    weights = sum(array((kernel, kernel, 5, 5)).size for _ in range(depth))
    assert plain(student.stack_weights(field, kernel, 5)) == (depth, weights)
    with pytest.raises(ValueError):
        student.stack_weights(field + 1, kernel, channels)


# --- 8. Architectures

IGNORED = ("activation", "dropout", "lrn")


def facts(layer, before, after):
    """What matters about one layer of a table: padding only through the sizes it makes."""
    kind = layer["type"]
    if kind not in ("conv", "depthwise", "separable", "max_pool", "avg_pool"):
        return kind, before, after, layer.get("bias", True) if kind == "dense" else None
    kernel, stride, _, dilation = settings(layer)
    if kind.endswith("pool"):
        return kind, before, after, kernel, stride, dilation
    return kind, before, after, kernel, stride, dilation, layer.get("groups", 1), layer.get("bias", True)


def same_network(table, expected, shape):
    """Compare two tables: the order on the main line, and all layers inside branches in any order."""
    assert isinstance(table, list)
    for layer, _, _ in trace(table, shape):
        assert isinstance(layer, dict)
    names = [layer["name"] for layer, _, _ in trace(table, shape) if "name" in layer]
    assert len(names) == len(set(names)), "no layer of these networks is shared"
    for rows in (main_line, inner_layers):
        assert rows(table, shape) == rows(expected, shape)
    assert count(table, shape) == count(expected, shape)


def main_line(layers, shape):
    rows = []
    for layer in layers:
        after = shape_after(layer, shape)
        if layer["type"] not in IGNORED:
            rows.append(facts(layer, shape, after))
        shape = after
    return rows


def inner_layers(layers, shape):
    return Counter(facts(*row) for row in trace(layers, shape) if row[0]["type"] not in IGNORED)


def dense(units):
    return {"type": "dense", "units": units}


def pool(kernel, stride, padding="valid"):
    return {"type": "max_pool", "kernel": kernel, "stride": stride, "padding": padding}


@pytest.mark.problem("architectures", points=2)
@pytest.mark.hint(
    "Follow the shapes of the handout's table. Which convolutions see only the maps of their own GPU?"
)
def test_alexnet(student, rng):
    """AlexNet, with two towers and with one"""
    for groups, total in ((2, 60_965_224), (1, 62_378_344)):
        classes = draw(rng, 5, 500)
        widths = [(256, 5, 2, groups), (384, 3, 1, 1), (384, 3, 1, groups), (256, 3, 1, groups)]
        five, *three = [conv(f, k, padding=p, groups=g) for f, k, p, g in widths]
        expected = [
            conv(96, 11, stride=4),
            pool(3, 2),
            five,
            pool(3, 2),
            *three,
            pool(3, 2),
            {"type": "flatten"},
        ]
        expected += [dense(4096), dense(4096), dense(classes)]
        table = student.alexnet(classes, groups)
        same_network(table, expected, (227, 227, 3))
        assert count(table, (227, 227, 3)) == (total + 4097 * (classes - 1000), 0)


@pytest.mark.problem("architectures", points=2)
@pytest.mark.hint(
    "Configuration D of the paper: which of the five stages have two convolutions and which three?"
)
def test_vgg16(student, rng):
    """VGG16"""
    classes = draw(rng, 5, 500)
    expected = []
    for filters, depth in zip((64, 128, 256, 512, 512), (2, 2, 3, 3, 3), strict=True):
        expected += [conv(filters, 3, padding=1)] * depth + [pool(2, 2)]
    expected += [{"type": "flatten"}, dense(4096), dense(4096), dense(classes)]
    table = student.vgg16(classes)
    same_network(table, expected, (224, 224, 3))
    assert count(table, (224, 224, 3)) == (138_357_544 + 4097 * (classes - 1000), 0)
    convolutions = [layer for layer in table if layer["type"] in ("conv", "max_pool")]
    assert list_field(convolutions) == ((212, 212), (32, 32))
    assert list_field(convolutions[:-1])[0] == (196, 196)


def inception(one, reduce3, three, reduce5, five, project):
    branches = [[conv(one, 1)], [conv(reduce3, 1), conv(three, 3, padding=1)]]
    branches += [[conv(reduce5, 1), conv(five, 5, padding=2)], [pool(3, 1, 1), conv(project, 1)]]
    return {"type": "concat", "branches": branches}


INCEPTIONS = {
    28: [(64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)],
    14: [
        (192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128),
    ],
    7: [(256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)],
}  # fmt: skip


@pytest.mark.problem("architectures", points=3)
@pytest.mark.hint(
    "Read the table row by row; `reduce` columns are the 1x1 convolutions in front. What ends the pooling?"
)
def test_googlenet(student, rng):
    """The inception block and GoogLeNet"""
    widths = [draw(rng, 2, 40) for _ in range(6)]
    shape = (*two(rng, 6, 12), draw(rng, 2, 40))
    same_network([student.inception(*widths)], [inception(*widths)], shape)

    classes = draw(rng, 5, 500)
    expected = [conv(64, 7, stride=2, padding=3), pool(3, 2, "same"), conv(64, 1), conv(192, 3, padding=1)]
    for side in (28, 14, 7):
        expected += [pool(3, 2, "same"), *(inception(*widths) for widths in INCEPTIONS[side])]
    expected += [{"type": "global_avg_pool"}, dense(classes)]
    table = student.googlenet(classes)
    same_network(table, expected, (224, 224, 3))
    assert count(table, (224, 224, 3)) == (6_998_552 + 1025 * (classes - 1000), 0)


def bottleneck(width, stride, project):
    norm = {"type": "batch_norm"}
    branch = [conv(width, 1, stride=stride, bias=False), norm, conv(width, 3, padding=1, bias=False), norm]
    shortcut = [conv(4 * width, 1, stride=stride, bias=False), norm] if project else []
    return {"type": "add", "branches": [[*branch, conv(4 * width, 1, bias=False), norm], shortcut]}


@pytest.mark.problem("architectures", points=3)
@pytest.mark.hint(
    "Which blocks change the shape, and so need a projection? Which convolution of the block has the stride?"
)
def test_resnet50(student, rng):
    """The bottleneck block and ResNet-50"""
    width, stride = draw(rng, 3, 12), draw(rng, 2, 3)
    same_network(
        [student.bottleneck(width, stride, True)], [bottleneck(width, stride, True)], (14, 15, width)
    )
    same_network([student.bottleneck(width)], [bottleneck(width, 1, False)], (5, 6, 4 * width))

    classes = draw(rng, 5, 500)
    expected = [conv(64, 7, stride=2, padding=3, bias=False), {"type": "batch_norm"}, pool(3, 2, 1)]
    for width, depth, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        expected += [bottleneck(width, *((1, False) if block else (stride, True))) for block in range(depth)]
    expected += [{"type": "global_avg_pool"}, dense(classes)]
    table = student.resnet50(classes)
    same_network(table, expected, (224, 224, 3))
    assert count(table, (224, 224, 3)) == (25_557_032 + 2049 * (classes - 1000), 53_120)


@pytest.mark.problem("architectures", points=2)
@pytest.mark.hint("How many numbers does one cell predict? Which of the four convolutions halves the map?")
def test_yolo_v1_head(student, rng):
    """The head of YOLO v1"""
    for grid, boxes, classes in ((7, 2, 20), (draw(rng, 2, 5), draw(rng, 3, 6), draw(rng, 2, 40))):
        depth = 5 * boxes + classes
        expected = [conv(1024, 3, padding=1, stride=stride) for stride in (1, 2, 1, 1)]
        expected += [{"type": "flatten"}, dense(4096), dense(grid * grid * depth)]
        expected.append({"type": "reshape", "shape": (grid, grid, depth)})
        same_network(student.yolo_v1_head(grid, boxes, classes), expected, (2 * grid, 2 * grid, 1024))


# --- 9. Receptive field of a Keras model


def build_graph(shape, nodes):
    """A functional model. A node: (layer's name, its class or a model, its options, the tensors it reads)."""
    made = {}
    tensors = [keras.Input(shape)]
    for name, kind, options, sources in nodes:
        if name not in made:
            made[name] = getattr(keras.layers, kind)(**options) if isinstance(kind, str) else kind
        read = [tensors[source] for source in sources]
        tensors.append(made[name](read if len(read) > 1 else read[0]))
    return keras.Model(tensors[0], tensors[-1])


def build_chain(shape, layers):
    made = [getattr(keras.layers, kind)(**options) for kind, options in layers]
    return keras.Sequential([keras.Input(shape), *made])


def build_two_ended(inputs, outputs):
    ends = [keras.Input((8, 8, 2)) for _ in range(inputs)]
    merged = keras.layers.Add()(ends) if inputs > 1 else ends[0]
    outs = [keras.layers.MaxPooling2D(2 + index)(merged) for index in range(outputs)]
    return keras.Model(ends if inputs > 1 else ends[0], outs if outputs > 1 else outs[0])


def keras_conv(filters, kernel, kind="Conv2D", **more):
    """Class and options of a convolution whose weights are cheap to make."""
    if kind == "Conv2D":
        return kind, {"filters": filters, "kernel_size": kernel, "kernel_initializer": "zeros", **more}
    made = {"kernel_size": kernel, "depthwise_initializer": "zeros", **more}
    if kind == "SeparableConv2D":
        made |= {"filters": filters, "pointwise_initializer": "zeros"}
    return kind, made


def keras_window(options):
    """(kernel, stride, dilation) of a Keras layer's options, each a pair."""
    kernel = both(options.get("kernel_size", options.get("pool_size")))
    stride = options.get("strides", kernel if "pool_size" in options else 1)
    return kernel, both(stride), both(options.get("dilation_rate", 1))


def graph_paths(nodes, tensor, inner):
    """Every path from the input to a tensor, as windows; `inner` holds the nodes of nested models by name."""
    if tensor == 0:
        return [[]]
    name, _, options, sources = nodes[tensor - 1]
    before = [path for source in sources for path in graph_paths(nodes, source, inner)]
    if name in inner:
        return [
            [*path, *more] for path in before for more in graph_paths(inner[name], len(inner[name]), inner)
        ]
    windowed = "kernel_size" in options or "pool_size" in options
    return [[*path, keras_window(options)] if windowed else path for path in before]


def graph_field(nodes, inner=()):
    return widest(graph_paths(nodes, len(nodes), dict(inner)))


@pytest.mark.problem("keras_receptive_field", points=3)
@pytest.mark.hint(
    "Ask each layer for its own settings: kernel or pool size, strides, dilation. The rest changes nothing."
)
def test_field_of_a_keras_chain(student, rng):
    """A chain of Keras layers, with different settings on each axis"""
    layers = [
        keras_conv(3, two(rng, 2, 4), strides=two(rng, 1, 2)),
        ("ZeroPadding2D", {"padding": ((1, 2), (3, 0))}),
        keras_conv(0, two(rng, 2, 3), "DepthwiseConv2D", dilation_rate=two(rng, 1, 3)),
        ("BatchNormalization", {}),
        ("ReLU", {}),
        ("MaxPooling2D", {"pool_size": two(rng, 2, 3)}),
        keras_conv(2, two(rng, 1, 3), "SeparableConv2D", strides=2, padding="same"),
        ("Dropout", {"rate": 0.3}),
        ("AveragePooling2D", {"pool_size": (3, 2), "strides": (2, 1), "padding": "same"}),
        ("LeakyReLU", {}),
        ("Cropping2D", {"cropping": ((1, 0), (0, 1))}),
        keras_conv(2, two(rng, 1, 3), dilation_rate=(1, 2), padding="same"),
        ("Activation", {"activation": "tanh"}),
    ]
    nodes = [(str(index), *layer, [index]) for index, layer in enumerate(layers)]
    shape = (*two(rng, 50, 60), 2)
    for model in (student.probe(build_chain, shape, layers), student.probe(build_graph, shape, nodes)):
        assert plain(student.keras_receptive_field(model)) == graph_field(nodes)


@pytest.mark.problem("keras_receptive_field", points=3)
@pytest.mark.hint(
    "Walk from the output back to the input. Where paths meet, which field does the merged map have?"
)
def test_field_of_a_branched_keras_model(student, rng):
    """Branches that split and meet, also inside one another"""
    tall, wide = (draw(rng, 5, 7), 1), (1, draw(rng, 5, 7))
    stride = two(rng, 1, 2)
    nodes = [
        ("stem", *keras_conv(4, two(rng, 2, 4), strides=(2, 1)), [0]),
        ("tall", *keras_conv(4, tall, strides=stride, padding="same"), [1]),
        ("wide1", *keras_conv(4, wide, padding="same"), [1]),
        ("wide2", "MaxPooling2D", {"pool_size": (2, 3), "strides": stride, "padding": "same"}, [3]),
        ("join", "Concatenate", {}, [2, 4]),
        ("norm", "BatchNormalization", {}, [5]),
        ("long1", *keras_conv(8, 3, padding="same", dilation_rate=two(rng, 1, 3)), [6]),
        ("long2", *keras_conv(0, 3, "DepthwiseConv2D", padding="same"), [7]),
        ("inner", "Add", {}, [7, 8]),
        ("short", *keras_conv(8, 1), [5]),
        ("outer", "Add", {}, [9, 10, 5]),
        ("gate", "Multiply", {}, [11, 6]),
        ("best", "Maximum", {}, [12, 5]),
        ("last", *keras_conv(2, two(rng, 1, 3)), [13]),
    ]
    model = student.probe(build_graph, (24, 26, 2), nodes)
    assert plain(student.keras_receptive_field(model)) == graph_field(nodes)


@pytest.mark.problem("keras_receptive_field", points=2)
@pytest.mark.hint(
    "A layer used twice widens the field twice. Seen from outside, what kernel and stride has a whole model?"
)
def test_field_of_shared_layers_and_nested_models(student, rng):
    """Shared layers count for each use, nested models as a whole"""
    inside = [
        ("a", *keras_conv(3, two(rng, 2, 4), strides=(1, 2), padding="same"), [0]),
        ("b", *keras_conv(3, (3, 5), padding="same"), [1]),
        ("c", "Add", {}, [1, 2]),
    ]
    shared = keras_conv(3, two(rng, 2, 4), padding="same")
    nodes = [
        ("in", *keras_conv(3, (2, 3), strides=(3, 1)), [0]),
        ("shared", *shared, [1]),
        ("nested", None, {}, [2]),
        ("shared", *shared, [3]),
        ("shared", *shared, [4]),
        ("join", "Concatenate", {}, [3, 5]),
        ("out", *keras_conv(3, (2, 4)), [6]),
    ]
    expected = graph_field(nodes, {"nested": inside}.items())
    nested = student.probe(build_graph, (20, 36, 3), inside)
    sent = [(name, nested if name == "nested" else kind, *rest) for name, kind, *rest in nodes]
    model = student.probe(build_graph, (61, 38, 3), sent)
    assert plain(student.keras_receptive_field(model)) == expected


@pytest.mark.problem("keras_receptive_field", points=2)
@pytest.mark.hint(
    "Look at the model's inputs and outputs first; then refuse every layer that is not on the lists."
)
def test_models_without_one_field_are_refused(student, rng):
    """Several ends, unequal jumps and layers without a local field raise ValueError"""
    kernel = two(rng, 2, 4)
    fine = [("c", *keras_conv(2, kernel), [0])]
    assert plain(student.keras_receptive_field(student.probe(build_graph, (8, 8, 2), fine))) == (
        kernel,
        (1, 1),
    )
    for inputs, outputs in ((2, 1), (1, 2)):
        with pytest.raises(ValueError):
            student.keras_receptive_field(student.probe(build_two_ended, inputs, outputs))
    whole = [
        ("Flatten", {}),
        ("GlobalMaxPooling2D", {}),
        ("UpSampling2D", {}),
        ("Permute", {"dims": (2, 1, 3)}),
    ]
    uneven = [
        ("p", "MaxPooling2D", {"pool_size": (1, 2)}, [0]),
        ("q", *keras_conv(2, (1, 5)), [0]),
        ("sum", "Add", {}, [1, 2]),
    ]
    for nodes in (*([*fine, ("w", *layer, [1])] for layer in whole), uneven):
        model = student.probe(build_graph, (8, 8, 2), nodes)
        with pytest.raises(ValueError):
            student.keras_receptive_field(model)
