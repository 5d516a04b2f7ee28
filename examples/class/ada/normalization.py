"""Assignment 9. My notes on axes for images (N, H, W, C):
BN: N,H,W   LN: C   IN: H,W   GN: H,W and part of C
"""

import keras
from keras import ops


def standardize(x, axis, epsilon=1e-3):
    x = ops.convert_to_tensor(x)
    mean = ops.mean(x, axis=axis, keepdims=True)
    var = ops.var(x, axis=axis, keepdims=True)
    return (x - mean) / ops.sqrt(var + epsilon)


def bshape(shape, axes):
    """[1, 1, C] and the like"""
    return [shape[i] if i in axes else 1 for i in range(len(shape))]


class NormBase(keras.layers.Layer):
    """everything that the three layers without memory have in common"""

    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def param_axes(self, rank):
        return [self.axis % rank]

    def build(self, input_shape):
        axes = self.param_axes(len(input_shape))
        shape = tuple(input_shape[a] for a in axes)
        self.gamma = self.add_weight(shape=shape, initializer="ones", name="gamma", autocast=False)
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta", autocast=False)

    def scale_shift(self, y):
        shape = bshape(y.shape, self.param_axes(len(y.shape)))
        y = y * ops.reshape(self.gamma, shape) + ops.reshape(self.beta, shape)
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = super().get_config()
        config["axis"] = self.axis
        config["epsilon"] = self.epsilon
        return config


class BatchNorm(NormBase):
    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, **kwargs):
        super().__init__(axis=axis, epsilon=epsilon, **kwargs)
        self.momentum = momentum

    def build(self, input_shape):
        super().build(input_shape)
        shape = (input_shape[self.axis],)
        self.moving_mean = self.add_weight(
            shape=shape, initializer="zeros", name="moving_mean", trainable=False, autocast=False
        )
        self.moving_variance = self.add_weight(
            shape=shape, initializer="ones", name="moving_variance", trainable=False, autocast=False
        )

    def call(self, inputs, training=None):
        x = ops.cast(inputs, "float32")
        rank = len(x.shape)
        axes = [i for i in range(rank) if i != self.axis % rank]
        if training and self.trainable:
            mean = ops.mean(x, axis=axes)
            var = ops.var(x, axis=axes)
            m = self.momentum
            self.moving_mean.assign(m * self.moving_mean + (1 - m) * mean)
            self.moving_variance.assign(m * self.moving_variance + (1 - m) * var)
        else:
            mean = self.moving_mean
            var = self.moving_variance
        shape = bshape(x.shape, [self.axis % rank])
        x_hat = (x - ops.reshape(mean, shape)) / ops.sqrt(ops.reshape(var, shape) + self.epsilon)
        return self.scale_shift(x_hat)

    def get_config(self):
        config = super().get_config()
        config["momentum"] = self.momentum
        return config


class LayerNorm(NormBase):
    def param_axes(self, rank):
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        return sorted(a % rank for a in axes)

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        return self.scale_shift(standardize(x, self.param_axes(len(x.shape)), self.epsilon))


class InstanceNorm(NormBase):
    def build(self, input_shape):
        if len(input_shape) < 3:
            raise ValueError(f"expected at least 3 dimensions, got {input_shape}")
        super().build(input_shape)

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        rank = len(x.shape)
        axes = [i for i in range(1, rank) if i != self.axis % rank]
        return self.scale_shift(standardize(x, axes, self.epsilon))


class GroupNorm(NormBase):
    def __init__(self, groups=32, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(axis=axis, epsilon=epsilon, **kwargs)
        if not isinstance(groups, int) or groups <= 0:
            raise ValueError(f"groups should be a positive integer, got {groups}")
        self.groups = groups

    def build(self, input_shape):
        if input_shape[self.axis] % self.groups != 0:
            raise ValueError(f"cannot split {input_shape[self.axis]} channels into {self.groups} groups")
        super().build(input_shape)

    def call(self, inputs):
        # channels first, then (N, G, everything else) is all I need
        x = ops.moveaxis(ops.cast(inputs, "float32"), self.axis, 1)
        shape = ops.shape(x)
        y = standardize(ops.reshape(x, (shape[0], self.groups, -1)), -1, self.epsilon)
        y = ops.moveaxis(ops.reshape(y, shape), 1, self.axis)
        return self.scale_shift(y)

    def get_config(self):
        config = super().get_config()
        config["groups"] = self.groups
        return config
