"""Every input is transposed and flattened to two or three axes, normalized there, and put back."""

import keras
from keras import ops


def standardize(x, axis, epsilon=1e-3):
    x = ops.convert_to_tensor(x)
    rank = len(x.shape)
    axes = [number % rank for number in ([axis] if isinstance(axis, int) else axis)]
    order = [number for number in range(rank) if number not in axes] + axes
    moved = ops.transpose(x, order)
    rows = ops.reshape(moved, (*ops.shape(moved)[: rank - len(axes)], -1))
    rows = rows - ops.mean(rows, -1, keepdims=True)
    rows = rows / ops.sqrt(ops.mean(rows * rows, -1, keepdims=True) + epsilon)
    back = [order.index(number) for number in range(rank)]
    return ops.transpose(ops.reshape(rows, ops.shape(moved)), back)


def _weights(layer, shape):
    layer.gamma = layer.add_weight(shape=shape, initializer="ones", name="gamma", autocast=False)
    layer.beta = layer.add_weight(shape=shape, initializer="zeros", name="beta", autocast=False)


def _as_float32(x):
    return ops.cast(x, "float32")


class BatchNorm(keras.layers.Layer):
    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape):
        channels = input_shape[self.axis]
        _weights(self, (channels,))
        fixed = {"shape": (channels,), "trainable": False, "autocast": False}
        self.moving_mean = self.add_weight(initializer="zeros", name="moving_mean", **fixed)
        self.moving_variance = self.add_weight(initializer="ones", name="moving_variance", **fixed)

    def call(self, inputs, training=None):
        moved = ops.moveaxis(_as_float32(inputs), self.axis, -1)
        rows = ops.reshape(moved, (-1, moved.shape[-1]))
        mean, variance = ops.convert_to_tensor(self.moving_mean), ops.convert_to_tensor(self.moving_variance)
        if training and self.trainable:
            batch_mean, batch_variance = ops.mean(rows, 0), ops.var(rows, 0)
            self.moving_mean.assign(batch_mean + self.momentum * (mean - batch_mean))
            self.moving_variance.assign(batch_variance + self.momentum * (variance - batch_variance))
            mean, variance = batch_mean, batch_variance
        rows = self.gamma * (rows - mean) * ops.rsqrt(variance + self.epsilon) + self.beta
        moved = ops.reshape(rows, ops.shape(moved))
        return ops.cast(ops.moveaxis(moved, -1, self.axis), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        own = {"axis": self.axis, "momentum": self.momentum, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


class LayerNorm(keras.layers.Layer):
    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        rank = len(input_shape)
        self._own = sorted(axis % rank for axis in ([self.axis] if isinstance(self.axis, int) else self.axis))
        _weights(self, [input_shape[axis] for axis in self._own])

    def call(self, inputs):
        last = list(range(-len(self._own), 0))
        moved = ops.moveaxis(_as_float32(inputs), self._own, last)
        moved = standardize(moved, last, self.epsilon) * self.gamma + self.beta
        return ops.cast(ops.moveaxis(moved, last, self._own), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


class GroupNorm(keras.layers.Layer):
    def __init__(self, groups=32, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        if groups <= 0:
            raise ValueError(f"groups must be positive, not {groups}")
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        channels = input_shape[self.axis]
        if channels % self.groups:
            raise ValueError(f"{channels} channels do not make {self.groups} groups")
        _weights(self, (channels,))

    def call(self, inputs):
        return self._normalize(inputs, self.groups)

    def _normalize(self, inputs, groups):
        first = ops.moveaxis(_as_float32(inputs), self.axis, 1)
        shape = ops.shape(first)
        rows = standardize(ops.reshape(first, (shape[0], groups, -1)), -1, self.epsilon)
        channels = ops.reshape(rows, (shape[0], shape[1], -1))
        channels = channels * self.gamma[:, None] + self.beta[:, None]
        return ops.cast(ops.moveaxis(ops.reshape(channels, shape), 1, self.axis), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        own = {"groups": self.groups, "axis": self.axis, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


class InstanceNorm(GroupNorm):
    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(1, axis, epsilon, **kwargs)

    def build(self, input_shape):
        if len(input_shape) < 3:
            raise ValueError(f"rank 3 or more, not {input_shape}")
        super().build(input_shape)

    def call(self, inputs):
        return self._normalize(inputs, inputs.shape[self.axis])

    def get_config(self):
        config = super().get_config()
        del config["groups"]
        return config
