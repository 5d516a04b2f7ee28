"""Means as sums over counts or by einsum; groups and instances one after the other in Python loops."""

import math

import keras
from keras import ops

LETTERS = "abcdefgh"


def _mean(x, axes):
    total = ops.sum(x, axis=axes, keepdims=True)
    count = ops.sum(ops.ones_like(x), axis=axes, keepdims=True)
    return total / count


def standardize(x, axis, epsilon=1e-3):
    x = ops.convert_to_tensor(x)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    difference = x - _mean(x, axes)
    return difference * (_mean(difference**2, axes) + epsilon) ** -0.5


def _scale_and_shift(layer, y, axes):
    every = LETTERS[: len(y.shape)]
    own = "".join(every[axis] for axis in axes)
    scaled = ops.einsum(f"{every},{own}->{every}", y, ops.convert_to_tensor(layer.gamma))
    ones = ops.ones_like(y)
    shift = ops.einsum(f"{every},{own}->{every}", ones, ops.convert_to_tensor(layer.beta))
    return ops.cast(scaled + shift, layer.compute_dtype)


class _Layer(keras.layers.Layer):
    def add(self, name, shape, value, trainable=True):
        initializer = keras.initializers.Constant(value)
        weight = self.add_weight(
            name=name, shape=shape, initializer=initializer, trainable=trainable, autocast=False
        )
        setattr(self, name, weight)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)


class BatchNorm(_Layer):
    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape):
        shape = (input_shape[self.axis],)
        self.add("gamma", shape, 1.0)
        self.add("beta", shape, 0.0)
        self.add("moving_mean", shape, 0.0, trainable=False)
        self.add("moving_variance", shape, 1.0, trainable=False)

    def call(self, inputs, training=None):
        x = ops.cast(inputs, "float32")
        every = LETTERS[: len(x.shape)]
        own = every[self.axis]
        axis = every.index(own)
        mean, variance = self.moving_mean * 1.0, self.moving_variance * 1.0
        if training and self.trainable:
            channels = x.shape[axis]
            count = ops.cast(ops.size(x) / channels, "float32")
            mean = ops.einsum(f"{every}->{own}", x) / count
            difference = x - ops.reshape(
                mean, [channels if each == axis else 1 for each in range(len(every))]
            )
            variance = ops.einsum(f"{every},{every}->{own}", difference, difference) / count
            keep = self.momentum
            self.moving_mean.assign(keep * self.moving_mean + (1 - keep) * mean)
            self.moving_variance.assign(keep * self.moving_variance + (1 - keep) * variance)
        shape = [1] * len(every)
        shape[axis] = -1
        y = (x - ops.reshape(mean, shape)) / ops.reshape(ops.sqrt(variance + self.epsilon), shape)
        return _scale_and_shift(self, y, [axis])

    def get_config(self):
        config = super().get_config()
        config["axis"] = self.axis
        config["momentum"] = self.momentum
        config["epsilon"] = self.epsilon
        return config


class LayerNorm(_Layer):
    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        rank = len(input_shape)
        wanted = [self.axis] if isinstance(self.axis, int) else self.axis
        self.own = [axis for axis in range(rank) if axis in wanted or axis - rank in wanted]
        self.add("gamma", [input_shape[axis] for axis in self.own], 1.0)
        self.add("beta", [input_shape[axis] for axis in self.own], 0.0)

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        return _scale_and_shift(self, standardize(x, self.own, self.epsilon), self.own)

    def get_config(self):
        return dict(super().get_config(), axis=self.axis, epsilon=self.epsilon)


class GroupNorm(_Layer):
    def __init__(self, groups=32, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        if not (isinstance(groups, int) and groups >= 1):
            raise ValueError(f"need a positive number of groups, got {groups}")
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        channels = input_shape[self.axis]
        if math.gcd(channels, self.groups) != self.groups:
            raise ValueError(f"{self.groups} does not divide {channels}")
        self.add("gamma", [channels], 1.0)
        self.add("beta", [channels], 0.0)

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        rank = len(x.shape)
        axis = self.axis % rank
        size = x.shape[axis] // self.groups
        parts = []
        for group in range(self.groups):
            own = [slice(None)] * rank
            own[axis] = slice(group * size, (group + 1) * size)
            parts.append(standardize(x[tuple(own)], tuple(range(1, rank)), self.epsilon))
        return _scale_and_shift(self, ops.concatenate(parts, axis=axis), [axis])

    def get_config(self):
        return dict(super().get_config(), groups=self.groups, axis=self.axis, epsilon=self.epsilon)


class InstanceNorm(_Layer):
    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        if len(input_shape) == 2:
            raise ValueError("instance normalization needs positions")
        self.add("gamma", [input_shape[self.axis]], 1.0)
        self.add("beta", [input_shape[self.axis]], 0.0)

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        channels = ops.unstack(x, axis=self.axis)
        positions = tuple(range(1, len(x.shape) - 1))
        channels = [standardize(channel, positions, self.epsilon) for channel in channels]
        return _scale_and_shift(self, ops.stack(channels, self.axis), [self.axis % len(x.shape)])

    def get_config(self):
        return dict(super().get_config(), axis=self.axis, epsilon=self.epsilon)
