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
        if training and self.trainable:
            mean, var = ops.mean(x, rest), ops.var(x, rest)
            # same as in torch
            m = self.momentum
            self.moving_mean.assign((1 - m) * self.moving_mean + m * mean)
            self.moving_variance.assign((1 - m) * self.moving_variance + m * var)
        x_hat = (x - stretch(mean, x, [channel])) / ops.sqrt(stretch(var, x, [channel]) + self.epsilon)
        return finish(self, x_hat, [channel])

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = super().get_config()
        config.update(axis=self.axis, momentum=self.momentum, epsilon=self.epsilon)
        return config


class LayerNorm(keras.layers.Layer):
    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        rank = len(input_shape)
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        self.axes = sorted(a % rank for a in axes)
        shape = [input_shape[a] for a in self.axes]
        self.gamma = new_weight(self, "gamma", shape, "ones")
        self.beta = new_weight(self, "beta", shape, "zeros")

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        return finish(self, standardize(x, self.axes, self.epsilon), self.axes)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = super().get_config()
        config.update(axis=self.axis, epsilon=self.epsilon)
        return config


class InstanceNorm(keras.layers.Layer):
    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        if len(input_shape) < 3:
            raise ValueError(f"InstanceNorm wants (batch, ..., channels), got {input_shape}")
        shape = (input_shape[self.axis],)
        self.gamma = new_weight(self, "gamma", shape, "ones")
        self.beta = new_weight(self, "beta", shape, "zeros")

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        channel = self.axis % len(x.shape)
        rest = [a for a in range(1, len(x.shape)) if a != channel]
        return finish(self, standardize(x, rest, self.epsilon), [channel])

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = super().get_config()
        config.update(axis=self.axis, epsilon=self.epsilon)
        return config


class GroupNorm(keras.layers.Layer):
    def __init__(self, groups=32, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        if groups < 1:
            raise ValueError(f"groups must be at least 1, got {groups}")
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        channels = input_shape[self.axis]
        if channels % self.groups:
            raise ValueError(f"{channels} channels cannot be cut into {self.groups} groups")
        self.gamma = new_weight(self, "gamma", (channels,), "ones")
        self.beta = new_weight(self, "beta", (channels,), "zeros")

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        channel = self.axis % len(x.shape)
        shape = list(ops.shape(x))
        cut = shape[:channel] + [self.groups, x.shape[channel] // self.groups] + shape[channel + 1 :]
        rest = [a for a in range(1, len(cut)) if a != channel]
        x_hat = ops.reshape(standardize(ops.reshape(x, cut), rest, self.epsilon), shape)
        return finish(self, x_hat, [channel])

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = super().get_config()
        config.update(groups=self.groups, axis=self.axis, epsilon=self.epsilon)
        return config
