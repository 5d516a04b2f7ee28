"""Normalization layers: batch, layer, instance and group, written with `keras.ops`.

Every layer computes y = gamma * (x - mean) / sqrt(variance + epsilon) + beta. They differ in the axes that
share a mean and a variance, and in where those two numbers come from.
"""

import keras
from keras import ops


def standardize(x, axis, epsilon=1e-3):
    """Shift and scale `x` to mean 0 and variance (almost) 1 over the given axes.

    Formula: (x - mean) / sqrt(variance + epsilon), where the variance is the mean of (x - mean)^2.

    Args:
        x: array or tensor of a floating dtype, any shape.
        axis: int, or tuple or list of ints: the axes that the mean and the variance run over; may
            be negative.
        epsilon: float, added to the variance under the root.

    Returns:
        A tensor with the shape and the dtype of `x`.
    """
    raise NotImplementedError


def _line_up(weight, rank, axes):
    """Reshape a weight whose axes belong to `axes` of an input, so that it broadcasts against that input.

    A helper that the tests never call: use it, change it or delete it.

    Args:
        weight: tensor with one axis for each of `axes`, in increasing order of the axes.
        rank: int, the number of axes of the input.
        axes: ints from 0 to rank - 1.

    Returns:
        The same numbers in a tensor with `rank` axes, of size 1 on all but `axes`.
    """
    raise NotImplementedError


def _at_least_float32(x):
    """Cast a half-precision tensor to float32; leave float32 and float64 as they are. Given."""
    return ops.cast(x, keras.backend.result_type(x.dtype, "float32"))


@keras.saving.register_keras_serializable(package="dlquiz")
class BatchNorm(keras.layers.Layer):
    """Batch normalization (Ioffe and Szegedy, 2015): one mean and variance a channel, over all other axes.

    In training the statistics are the batch's own, and the moving statistics follow them:
    moving = momentum * moving + (1 - momentum) * batch. At inference, and when `trainable` is False, the
    moving statistics are used and stay as they are.

    Args:
        axis: int, the channel axis, never 0.
        momentum: float from 0 to 1, how much of the old moving statistics stays.
        epsilon: float, added to the variance under the root.

    Input: float tensor (batch, ..., channels), or with the channels at `axis`; rank 2 or more.
    Output: the same shape, dtype `compute_dtype`.
    Weights, each of shape (channels,), in this order: gamma (ones), beta (zeros), moving_mean (zeros) and
    moving_variance (ones); the last two are not trainable.
    """

    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape):
        raise NotImplementedError

    def call(self, inputs, training=None):
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class LayerNorm(keras.layers.Layer):
    """Layer normalization (Ba, Kiros and Hinton, 2016): each sample by its own statistics over `axis`.

    Args:
        axis: int, or list or tuple of different ints, the axes to normalize over; never 0.
        epsilon: float, added to the variance under the root.

    Input: float tensor of rank 2 or more, batch first; the sizes of the axes in `axis` are known.
    Output: the same shape, dtype `compute_dtype`. Training and inference are the same.
    Weights, in this order: gamma (ones) and beta (zeros). Their shape is the sizes of the normalized axes, in
    the input's order of axes.
    """

    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        raise NotImplementedError

    def _axes(self, rank):
        """The axes as a sorted list of numbers from 0 to rank - 1. Given."""
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        return sorted(axis % rank for axis in axes)

    def call(self, inputs):
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class InstanceNorm(keras.layers.Layer):
    """Instance normalization (Ulyanov, Vedaldi and Lempitsky, 2016): each channel of each sample by itself.

    Args:
        axis: int, the channel axis, never 0. The statistics run over all axes but this one and the batch
        axis.
        epsilon: float, added to the variance under the root.

    Input: float tensor of rank 3 or more, batch first.
    Output: the same shape, dtype `compute_dtype`. Training and inference are the same.
    Weights, each of shape (channels,), in this order: gamma (ones) and beta (zeros).

    Raises:
        ValueError: when the layer is built for an input of rank 2 or less, which leaves nothing to average
        over.
    """

    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        raise NotImplementedError

    def call(self, inputs):
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class GroupNorm(keras.layers.Layer):
    """Group normalization (Wu and He, 2018): groups of neighbouring channels of each sample share their
    statistics.

    With C channels, group j holds the C / groups channels from j * C / groups on. The statistics of a group
    run over its channels and over all axes but the batch axis.

    Args:
        groups: int, 1 or more, divides the number of channels.
        axis: int, the channel axis, never 0.
        epsilon: float, added to the variance under the root.

    Input: float tensor of rank 2 or more, batch first.
    Output: the same shape, dtype `compute_dtype`. Training and inference are the same.
    Weights, each of shape (channels,), in this order: gamma (ones) and beta (zeros).

    Raises:
        ValueError: in the constructor when `groups` is not a positive int; when the layer is built for a
        number of
            channels that `groups` does not divide.
    """

    def __init__(self, groups=32, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        raise NotImplementedError
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        raise NotImplementedError

    def call(self, inputs):
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError
