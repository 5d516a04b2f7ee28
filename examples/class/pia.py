"""Why write it again? Keras has it."""

import keras
from keras import ops


def standardize(x, axis, epsilon=1e-3):
    x = ops.convert_to_tensor(x)
    mean = ops.mean(x, axis=axis, keepdims=True)
    return (x - mean) / ops.sqrt(ops.var(x, axis=axis, keepdims=True) + epsilon)


class BatchNorm(keras.layers.BatchNormalization):
    pass


class LayerNorm(keras.layers.LayerNormalization):
    pass


class InstanceNorm(keras.layers.GroupNormalization):
    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(groups=-1, axis=axis, epsilon=epsilon, **kwargs)


class GroupNorm(keras.layers.GroupNormalization):
    pass
