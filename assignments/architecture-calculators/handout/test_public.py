"""Public tests of `architecture_calculators`: the worked examples of the README."""

import keras
import pytest


def conv(filters, kernel, **more):
    return {"type": "conv", "filters": filters, "kernel": kernel, **more}


def whole(value):
    """The value with its lists as tuples; every number in it must be an int."""
    if isinstance(value, (list, tuple)):
        return tuple(whole(item) for item in value)
    assert type(value) is int, f"expected an int, not {type(value).__name__}"
    return value


@pytest.mark.problem("output_size")
@pytest.mark.hint("Draw the seven pixels and slide the window.")
def test_output_size_by_hand(student):
    """output_size gives the README's examples."""
    assert whole(student.output_size(7, 3, 2)) == 3
    assert whole(student.output_size(8, 3, 2)) == 3
    assert whole(student.output_size(8, 3, 2, "valid", 2)) == 2
    assert whole(student.output_size(7, 3, 2, "same")) == 4
    assert whole(student.output_size(7, 3, 2, (1, 0))) == 3
    with pytest.raises(ValueError):
        student.output_size(4, 5)


@pytest.mark.problem("output_size")
@pytest.mark.hint("(vertical, horizontal); a pool's stride is its kernel unless given.")
def test_output_shape_of_some_layers(student):
    """output_shape applies layers and merges."""
    shape = (10, 12, 3)
    assert whole(student.output_shape(conv(6, (3, 5), stride=(2, 1), padding=(1, "same")), shape)) == (
        5,
        12,
        6,
    )
    assert whole(student.output_shape({"type": "max_pool", "kernel": (2, 3)}, shape)) == (5, 4, 3)
    assert whole(student.output_shape({"type": "concat", "branches": [[conv(6, 1)], []]}, shape)) == (
        10,
        12,
        9,
    )


@pytest.mark.problem("layer_parameters")
@pytest.mark.hint("Weights first, then the biases.")
def test_parameters_by_hand(student):
    """The parameter counts of the README."""
    assert whole(student.conv_parameters((3, 5), 4, 6)) == 366
    assert whole(student.conv_parameters((3, 5), 4, 6, groups=2)) == 186
    assert whole(student.depthwise_parameters((3, 5), 4)) == 64
    assert whole(student.separable_parameters((3, 5), 4, 6)) == 90
    assert whole(student.dense_parameters(256, 10)) == 2570
    assert whole(student.batch_norm_parameters(4, center=False)) == (4, 8)


@pytest.mark.problem("recurrent_parameters")
@pytest.mark.hint("Four gates and candidates in an LSTM, three in a GRU.")
def test_recurrent_parameters_by_hand(student):
    """LSTM and GRU with 3 features and 5 units."""
    assert whole(student.lstm_parameters(3, 5)) == 180
    assert whole(student.gru_parameters(3, 5)) == 150
    assert whole(student.gru_parameters(3, 5, reset_after=False)) == 135
    assert whole(student.gru_parameters(3, 5, bias=False)) == 120


@pytest.mark.problem("model_parameters")
@pytest.mark.hint("Use `walk`; a name that was met before adds nothing.")
def test_model_parameters_by_hand(student):
    """The README's small model, and a shared layer."""
    layers = [conv(4, 3, bias=False, padding="same"), {"type": "batch_norm"}, {"type": "flatten"}]
    assert whole(student.model_parameters([*layers, {"type": "dense", "units": 10}], (8, 8, 3))) == (2686, 8)
    shared = conv(3, 1, name="shared")
    assert whole(student.model_parameters([shared, shared, conv(3, 1)], (8, 8, 3))) == (24, 0)


@pytest.mark.problem("keras_parameters")
@pytest.mark.hint("Every weight has a shape.")
def test_keras_parameters_of_a_small_model(student):
    """A convolution and a batch normalization in Keras."""
    layers = student.module("keras").layers
    model = student.module("keras").Sequential(
        [layers.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.BatchNormalization()]
    )
    assert whole(student.keras_parameters(model)) == (120, 8)


@pytest.mark.problem("model_cost")
@pytest.mark.hint("30 output positions, 216 weights without biases.")
def test_cost_by_hand(student):
    """Multiply-accumulates and bytes of the README's convolution."""
    assert whole(student.model_macs([conv(6, 3)], (8, 7, 4))) == 6480
    assert whole(student.activation_bytes([conv(6, 3), {"type": "flatten"}], (8, 7, 4))) == 1616
    assert whole(student.activation_bytes([conv(6, 3)], (8, 7, 4), batch=10, dtype="float16")) == 8080


@pytest.mark.problem("receptive_field")
@pytest.mark.hint("Follow r and j through the README's example.")
def test_receptive_field_by_hand(student):
    """The README's three layers, and a branch."""
    layers = [conv(4, 3, stride=2), {"type": "max_pool", "kernel": 2}, conv(4, 3, dilation=2)]
    assert whole(student.receptive_field(layers)) == ((21, 21), (4, 4))
    merge = {"type": "add", "branches": [[conv(4, (5, 3))], []]}
    assert whole(student.receptive_field([conv(4, 3, stride=2), merge])) == ((11, 7), (2, 2))


@pytest.mark.problem("receptive_field")
@pytest.mark.hint("How many 3x3 layers see 7x7?")
def test_three_small_kernels_against_a_large_one(student):
    """27 C^2 against 49 C^2."""
    assert whole(student.stack_weights(7, 3, 10)) == (3, 2700)
    assert whole(student.stack_weights(7, 7, 10)) == (1, 4900)


@pytest.mark.problem("architectures")
@pytest.mark.hint("Compare your table with the README's, layer by layer, by printing what `walk` yields.")
@pytest.mark.parametrize(
    ("table", "shape", "parameters"),
    [
        ("alexnet", (227, 227, 3), (60_965_224, 0)),
        ("vgg16", (224, 224, 3), (138_357_544, 0)),
        ("googlenet", (224, 224, 3), (6_998_552, 0)),
        ("resnet50", (224, 224, 3), (25_557_032, 53_120)),
        ("yolo_v1_head", (14, 14, 1024), (249_300_414, 0)),
    ],
)
def test_published_counts(student, table, shape, parameters):
    """A table has the published number of parameters (by your own model_parameters)."""
    layers = getattr(student, table)()
    assert whole(student.model_parameters(layers, shape)) == parameters


def build_branches():
    start = keras.Input((16, 16, 2))
    stem = keras.layers.Conv2D(4, 3, strides=2)(start)
    left = keras.layers.Conv2D(4, 5, padding="same")(stem)
    right = keras.layers.Conv2D(4, 3, padding="same", dilation_rate=3)(stem)
    return keras.Model(start, keras.layers.Conv2D(4, 3)(keras.layers.Add()([left, right])))


@pytest.mark.problem("keras_receptive_field")
@pytest.mark.hint("Where the branches meet, 15 counts, not 11 + 15.")
def test_keras_receptive_field_by_hand(student):
    """The README's model with two branches."""
    model = student.probe(build_branches)
    assert whole(student.keras_receptive_field(model)) == ((19, 19), (2, 2))
