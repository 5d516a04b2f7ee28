import keras
from keras import ops


def standardize(x, axis, epsilon=1e-3):
    x = ops.convert_to_tensor(x)
    centred = x - ops.mean(x, axis=axis, keepdims=True)
    return centred / ops.sqrt(ops.mean(centred**2, axis=axis, keepdims=True) + epsilon)


def new_weight(layer, name, shape, start, trainable=True):
    return layer.add_weight(
        name=name, shape=shape, initializer=start, trainable=trainable, autocast=False
    )


def stretch(w, like, axes):
    """w of shape (C,) -> (1, 1, C) etc."""
    others = [a for a in range(len(like.shape)) if a not in axes]
    return ops.expand_dims(w, others)


def finish(layer, x_hat, axes):
    y = x_hat * stretch(layer.gamma, x_hat, axes) + stretch(layer.beta, x_hat, axes)
    return ops.cast(y, layer.compute_dtype)


class BatchNorm(keras.layers.Layer):
    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape):
        shape = (input_shape[self.axis],)
        self.gamma = new_weight(self, "gamma", shape, "ones")
        self.beta = new_weight(self, "beta", shape, "zeros")
        self.moving_mean = new_weight(self, "moving_mean", shape, "zeros", trainable=False)
        self.moving_variance = new_weight(self, "moving_variance", shape, "ones", trainable=False)

    def call(self, inputs, training=None):
        x = ops.cast(inputs, "float32")
        channel = self.axis % len(x.shape)
        rest = [a for a in range(len(x.shape)) if a != channel]
        mean, var = self.moving_mean, self.moving_variance
        if training:
            mean, var = ops.mean(x, rest), ops.var(x, rest)
            keep = self.momentum
            self.moving_mean.assign(keep * self.moving_mean + (1 - keep) * mean)
            self.moving_variance.assign(keep * self.moving_variance + (1 - keep) * var)
        x_hat = (x - stretch(mean, x, [channel])) / ops.sqrt(stretch(var, x, [channel]) + self.epsilon)
        return finish(self, x_hat, [channel])

    def compute_output_shape(self, input_shape):
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


class LayerNorm(keras.layers.Layer):
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


class InstanceNorm(keras.layers.Layer):
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


class GroupNorm(keras.layers.Layer):
    def __init__(self, groups=32, axis=-1, epsilon=1e-3, **kwargs):
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
