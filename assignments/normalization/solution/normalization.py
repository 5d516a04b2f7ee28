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
    # BEGIN SOLUTION
    mean = ops.mean(x, axis=axis, keepdims=True)
    variance = ops.mean(ops.square(x - mean), axis=axis, keepdims=True)
    return (x - mean) / ops.sqrt(variance + epsilon)
    # END SOLUTION


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
    # BEGIN SOLUTION
    sizes = iter(weight.shape)
    return ops.reshape(weight, [next(sizes) if axis in axes else 1 for axis in range(rank)])
    # END SOLUTION


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
        # BEGIN SOLUTION
        shape = (input_shape[self.axis],)
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer="ones", autocast=False)
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros", autocast=False)
        self.moving_mean = self.add_weight(
            name="moving_mean", shape=shape, initializer="zeros", trainable=False, autocast=False
        )
        self.moving_variance = self.add_weight(
            name="moving_variance", shape=shape, initializer="ones", trainable=False, autocast=False
        )
        # END SOLUTION

    def call(self, inputs, training=None):
        # BEGIN SOLUTION
        x = _at_least_float32(inputs)
        rank = len(x.shape)
        channel = self.axis % rank
        if training and self.trainable:
            others = [axis for axis in range(rank) if axis != channel]
            mean = ops.mean(x, axis=others)
            variance = ops.mean(ops.square(x - _line_up(mean, rank, [channel])), axis=others)
            self.moving_mean.assign(self.momentum * self.moving_mean + (1 - self.momentum) * mean)
            self.moving_variance.assign(self.momentum * self.moving_variance + (1 - self.momentum) * variance)
        else:
            mean, variance = self.moving_mean, self.moving_variance
        scale = self.gamma / ops.sqrt(variance + self.epsilon)
        y = (x - _line_up(mean, rank, [channel])) * _line_up(scale, rank, [channel])
        return ops.cast(y + _line_up(self.beta, rank, [channel]), self.compute_dtype)
        # END SOLUTION

    def compute_output_shape(self, input_shape):
        # BEGIN SOLUTION
        return input_shape
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        own = {"axis": self.axis, "momentum": self.momentum, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
        # END SOLUTION


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
        # BEGIN SOLUTION
        shape = [input_shape[axis] for axis in self._axes(len(input_shape))]
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer="ones", autocast=False)
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros", autocast=False)
        # END SOLUTION

    def _axes(self, rank):
        """The axes as a sorted list of numbers from 0 to rank - 1. Given."""
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        return sorted(axis % rank for axis in axes)

    def call(self, inputs):
        # BEGIN SOLUTION
        x = _at_least_float32(inputs)
        rank = len(x.shape)
        axes = self._axes(rank)
        y = standardize(x, axes, self.epsilon)
        y = y * _line_up(self.gamma, rank, axes) + _line_up(self.beta, rank, axes)
        return ops.cast(y, self.compute_dtype)
        # END SOLUTION

    def compute_output_shape(self, input_shape):
        # BEGIN SOLUTION
        return input_shape
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
        # END SOLUTION


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
        # BEGIN SOLUTION
        if len(input_shape) < 3:
            raise ValueError(f"InstanceNorm needs an input of rank 3 or more, received shape {input_shape}")
        shape = (input_shape[self.axis],)
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer="ones", autocast=False)
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros", autocast=False)
        # END SOLUTION

    def call(self, inputs):
        # BEGIN SOLUTION
        x = _at_least_float32(inputs)
        rank = len(x.shape)
        channel = self.axis % rank
        y = standardize(x, [axis for axis in range(1, rank) if axis != channel], self.epsilon)
        y = y * _line_up(self.gamma, rank, [channel]) + _line_up(self.beta, rank, [channel])
        return ops.cast(y, self.compute_dtype)
        # END SOLUTION

    def compute_output_shape(self, input_shape):
        # BEGIN SOLUTION
        return input_shape
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
        # END SOLUTION


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
        # BEGIN SOLUTION
        if not isinstance(groups, int) or groups < 1:
            raise ValueError(f"groups must be a positive int, received {groups!r}")
        # END SOLUTION
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        # BEGIN SOLUTION
        channels = input_shape[self.axis]
        if channels % self.groups:
            raise ValueError(
                f"groups must divide the channels, received groups={self.groups}, channels={channels}"
            )
        self.gamma = self.add_weight(name="gamma", shape=(channels,), initializer="ones", autocast=False)
        self.beta = self.add_weight(name="beta", shape=(channels,), initializer="zeros", autocast=False)
        # END SOLUTION

    def call(self, inputs):
        # BEGIN SOLUTION
        x = _at_least_float32(inputs)
        rank = len(x.shape)
        channel = self.axis % rank
        shape = ops.shape(x)
        split = [self.groups, shape[channel] // self.groups]
        grouped = ops.reshape(x, [*shape[:channel], *split, *shape[channel + 1 :]])
        axes = [axis for axis in range(1, rank + 1) if axis != channel]
        y = ops.reshape(standardize(grouped, axes, self.epsilon), shape)
        y = y * _line_up(self.gamma, rank, [channel]) + _line_up(self.beta, rank, [channel])
        return ops.cast(y, self.compute_dtype)
        # END SOLUTION

    def compute_output_shape(self, input_shape):
        # BEGIN SOLUTION
        return input_shape
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {**super().get_config(), "groups": self.groups, "axis": self.axis, "epsilon": self.epsilon}
        # END SOLUTION
