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
    raise NotImplementedError


def window(layer: Layer) -> tuple[Pair, Pair, Pair, tuple[Any, Any]]:
    """`(kernel, stride, dilation, padding)` of a windowed layer, each as a pair, defaults filled in.

    Worth no points of its own: `output_shape` and `receptive_field` both want it.
    """
    raise NotImplementedError


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
    raise NotImplementedError


# --- 2. Parameters of one layer


def conv_parameters(
    kernel: int | Pair, in_channels: int, filters: int, groups: int = 1, bias: bool = True
) -> int:
    """Parameters of a 2-D convolution; `kernel` is an int or `(height, width)`.

    Raises:
        ValueError: `groups` does not divide both `in_channels` and `filters`.
    """
    raise NotImplementedError


def depthwise_parameters(kernel: int | Pair, channels: int, multiplier: int = 1, bias: bool = True) -> int:
    """Parameters of a depthwise convolution with `multiplier` output channels for each input channel."""
    raise NotImplementedError


def separable_parameters(
    kernel: int | Pair, in_channels: int, filters: int, multiplier: int = 1, bias: bool = True
) -> int:
    """Parameters of a depthwise convolution without bias and the 1x1 convolution after it (Chollet, 2017)."""
    raise NotImplementedError


def dense_parameters(inputs: int, units: int, bias: bool = True) -> int:
    """Parameters of a fully connected layer."""
    raise NotImplementedError


def batch_norm_parameters(channels: int, scale: bool = True, center: bool = True) -> Pair:
    """`(trainable, non-trainable)` parameters of batch normalization (Ioffe and Szegedy, 2015)."""
    raise NotImplementedError


# --- 3. Recurrent layers


def lstm_parameters(features: int, units: int, bias: bool = True) -> int:
    """Parameters of an LSTM with forget gate and without peepholes (Gers et al., 2000), as Keras counts."""
    raise NotImplementedError


def gru_parameters(features: int, units: int, bias: bool = True, reset_after: bool = True) -> int:
    """Parameters of a GRU (Cho et al., 2014) as Keras counts.

    Args:
        features: length of each time step's vector.
        units: length of the state.
        bias: False for a layer without any bias.
        reset_after: True, Keras' default, gives the state's product a bias of its own; False is the paper's.
    """
    raise NotImplementedError


# --- 4. and 5. Parameters of a model


def layer_parameters(layer: Layer, channels: int) -> Pair:
    """`(trainable, non-trainable)` parameters of one layer whose input's last axis is `channels` long.

    A merge has none of its own. Worth no points of its own: `model_parameters` and `model_macs` want it.
    """
    raise NotImplementedError


def model_parameters(layers: Sequence[Layer], input_shape: Shape) -> Pair:
    """`(trainable, non-trainable)` parameters of a model; entries that share a `name` are one layer.

    Raises:
        ValueError: two entries of one name need different numbers of parameters; or as `output_shape`.
    """
    raise NotImplementedError


def keras_parameters(model: keras.Model) -> Pair:
    """`(trainable, non-trainable)` parameters of a built Keras model, every variable once.

    Raises:
        ValueError: the model has not been built, so its weights do not exist yet.
    """
    raise NotImplementedError


# --- 6. Cost


def model_macs(layers: Sequence[Layer], input_shape: Shape) -> int:
    """Multiply-accumulates of one forward pass of one example; `WEIGHTED` layers only, without biases."""
    raise NotImplementedError


def activation_bytes(
    layers: Sequence[Layer], input_shape: Shape, batch: int = 1, dtype: str = "float32"
) -> int:
    """Bytes of the input and of every layer's output for a batch; `flatten` and `reshape` are free.

    Raises:
        ValueError: `dtype` is not one of `BYTES`; or as `output_shape`.
    """
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


# --- 8. Architectures


def alexnet(classes: int = 1000, groups: int = 2) -> list[Layer]:
    """AlexNet (Krizhevsky et al., 2012) for a (227, 227, 3) input; `groups=1` is the single-tower version."""
    raise NotImplementedError


def vgg16(classes: int = 1000) -> list[Layer]:
    """VGG16, configuration D (Simonyan and Zisserman, 2014), for a (224, 224, 3) input."""
    raise NotImplementedError


def inception(one: int, reduce3: int, three: int, reduce5: int, five: int, project: int) -> Layer:
    """An inception block with dimension reduction: a `concat` of four branches (Szegedy et al., 2014).

    Args:
        one: filters of the 1x1 branch.
        reduce3, three: filters of the 3x3 branch's 1x1 reduction and of its 3x3 convolution.
        reduce5, five: the same for the 5x5 branch.
        project: filters of the 1x1 convolution after the 3x3 max pooling.
    """
    raise NotImplementedError


def googlenet(classes: int = 1000) -> list[Layer]:
    """GoogLeNet (Szegedy et al., 2014) for a (224, 224, 3) input: biases, no BN, no auxiliary classifiers."""
    raise NotImplementedError


def bottleneck(width: int, stride: int = 1, project: bool = False) -> Layer:
    """A residual bottleneck block: an `add` of the 1x1, 3x3, 1x1 branch and the shortcut (He et al., 2015).

    Args:
        width: filters of the first 1x1 and of the 3x3 convolution; the last 1x1 has four times as many.
        stride: of the first 1x1 convolution, and of the projection.
        project: True for a 1x1 convolution with batch normalization as shortcut, False for the identity.
    """
    raise NotImplementedError


def resnet50(classes: int = 1000) -> list[Layer]:
    """ResNet-50 (He et al., 2015) for a (224, 224, 3) input; its convolutions have no bias."""
    raise NotImplementedError


def yolo_v1_head(grid: int = 7, boxes: int = 2, classes: int = 20) -> list[Layer]:
    """The layers YOLO v1 adds to its pretrained backbone (Redmon et al., 2015).

    Args:
        grid: S; the backbone's map is (2 S, 2 S, 1024), the output (S, S, 5 B + C).
        boxes: B, boxes a cell, five numbers each.
        classes: C.
    """
    raise NotImplementedError


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
    raise NotImplementedError
