"""One base class does everything; the mean is folded into the shift; ops.moments."""

import keras
from keras import ops


def standardize(x, axis, epsilon=1e-3):
    x = ops.convert_to_tensor(x)
    axes = [axis] if isinstance(axis, int) else list(axis)
    mean, variance = ops.moments(x, axes, keepdims=True)
    scale = ops.rsqrt(variance + epsilon)
    return x * scale - mean * scale


class _Norm(keras.layers.Layer):
    settings = ("axis", "epsilon")

    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def weight_axes(self, rank):
        return [self.axis % rank]

    def build(self, input_shape):
        shape = tuple(input_shape[axis] for axis in self.weight_axes(len(input_shape)))
        for name, first in {"gamma": "ones", "beta": "zeros"}.items():
            setattr(self, name, self.add_weight(shape=shape, initializer=first, name=name, autocast=False))

    def wide(self, weight, rank):
        axes = self.weight_axes(rank)
        return ops.expand_dims(weight, [axis for axis in range(rank) if axis not in axes])

    def affine(self, x, mean, variance):
        rank = len(x.shape)
        scale = self.wide(self.gamma, rank) * ops.rsqrt(variance + self.epsilon)
        return ops.cast(x * scale + (self.wide(self.beta, rank) - mean * scale), self.compute_dtype)

    def averaged(self, rank):
        raise NotImplementedError

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        return self.affine(x, *ops.moments(x, self.averaged(len(x.shape)), keepdims=True))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {name: getattr(self, name) for name in self.settings}


class BatchNorm(_Norm):
    settings = ("axis", "momentum", "epsilon")

    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, **kwargs):
        super().__init__(axis, epsilon, **kwargs)
        self.momentum = momentum

    def build(self, input_shape):
        super().build(input_shape)
        for name, first in {"moving_mean": "zeros", "moving_variance": "ones"}.items():
            weight = self.add_weight(
                shape=self.gamma.shape, initializer=first, name=name, trainable=False, autocast=False
            )
            setattr(self, name, weight)

    def averaged(self, rank):
        return [axis for axis in range(rank) if axis != self.axis % rank]

    def call(self, inputs, training=None):
        x = ops.cast(inputs, "float32")
        rank = len(x.shape)
        moving = [self.moving_mean, self.moving_variance]
        if not (training and self.trainable):
            return self.affine(x, *(self.wide(variable, rank) for variable in moving))
        batch = ops.moments(x, self.averaged(rank), keepdims=True)
        for variable, value in zip(moving, batch, strict=True):
            value = ops.reshape(value, (-1,))
            variable.assign(variable * self.momentum + value * (1 - self.momentum))
        return self.affine(x, *batch)


class LayerNorm(_Norm):
    def weight_axes(self, rank):
        axes = (self.axis,) if isinstance(self.axis, int) else self.axis
        return sorted(axis % rank for axis in axes)

    averaged = weight_axes


class InstanceNorm(_Norm):
    def build(self, input_shape):
        if len(input_shape) < 3:
            raise ValueError(f"InstanceNorm takes rank 3 or more, received {input_shape}")
        super().build(input_shape)

    def averaged(self, rank):
        return [axis for axis in range(1, rank) if axis != self.axis % rank]


class GroupNorm(_Norm):
    settings = ("groups", "axis", "epsilon")

    def __init__(self, groups=32, axis=-1, epsilon=1e-3, **kwargs):
        if not isinstance(groups, int) or groups <= 0:
            raise ValueError(f"groups must be a positive int, received {groups}")
        super().__init__(axis, epsilon, **kwargs)
        self.groups = groups

    def build(self, input_shape):
        if input_shape[self.axis] % self.groups:
            raise ValueError(f"{self.groups} groups do not divide {input_shape}")
        super().build(input_shape)

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        rank = len(x.shape)
        channel = self.axis % rank
        repeats = x.shape[channel] // self.groups
        axes = [axis for axis in range(1, rank) if axis != channel]
        mean = ops.mean(x, axes, keepdims=True) if axes else x
        mean = self._share(mean, channel, repeats)
        squares = ops.square(x - mean)
        squares = ops.mean(squares, axes, keepdims=True) if axes else squares
        return self.affine(x, mean, self._share(squares, channel, repeats))

    def _share(self, per_channel, channel, repeats):
        parts = ops.split(per_channel, self.groups, axis=channel)
        means = [ops.mean(part, channel, keepdims=True) for part in parts]
        return ops.repeat(ops.concatenate(means, channel), repeats, axis=channel)
