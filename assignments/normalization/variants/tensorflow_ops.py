"""Plain TensorFlow operations instead of keras.ops, and no helper shared between the layers."""

import keras
import tensorflow as tf


def standardize(x, axis, epsilon=1e-3):
    x = tf.convert_to_tensor(x)
    centred = x - tf.reduce_mean(x, axis, keepdims=True)
    return centred * tf.math.rsqrt(tf.math.reduce_variance(x, axis, keepdims=True) + epsilon)


class BatchNorm(keras.layers.Layer):
    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.momentum, self.epsilon = axis, momentum, epsilon

    def build(self, input_shape):
        def weight(name, initializer, trainable):
            return self.add_weight(
                shape=(input_shape[self.axis],),
                initializer=initializer,
                name=name,
                trainable=trainable,
                autocast=False,
            )

        self.gamma = weight("gamma", "ones", True)
        self.beta = weight("beta", "zeros", True)
        self.moving_mean = weight("moving_mean", "zeros", False)
        self.moving_variance = weight("moving_variance", "ones", False)

    def call(self, inputs, training=False):
        x = tf.cast(inputs, tf.float32)
        shape = [1] * x.shape.rank
        shape[self.axis] = x.shape[self.axis]
        if training and self.trainable:
            axes = list(range(x.shape.rank))
            del axes[self.axis]
            mean, variance = tf.nn.moments(x, axes)
            for moving, batch in [(self.moving_mean, mean), (self.moving_variance, variance)]:
                moving.assign_sub((moving - batch) * (1.0 - self.momentum))
        else:
            mean, variance = self.moving_mean.value, self.moving_variance.value
        deviation = tf.sqrt(tf.reshape(variance, shape) + self.epsilon)
        y = tf.reshape(self.gamma, shape) * ((x - tf.reshape(mean, shape)) / deviation)
        return tf.cast(y + tf.reshape(self.beta, shape), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        config = super().get_config()
        config.update(axis=self.axis, momentum=self.momentum, epsilon=self.epsilon)
        return config


class LayerNorm(keras.layers.Layer):
    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.epsilon = axis, epsilon

    def build(self, input_shape):
        rank = len(input_shape)
        axes = [self.axis] if isinstance(self.axis, int) else list(self.axis)
        self._axes = sorted({axis + rank if axis < 0 else axis for axis in axes})
        shape = tuple(input_shape[axis] for axis in self._axes)
        self._wide = [input_shape[axis] if axis in self._axes else 1 for axis in range(rank)]
        self.gamma = self.add_weight(shape=shape, initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")

    def call(self, inputs):
        mean, variance = tf.nn.moments(tf.cast(inputs, tf.float32), self._axes, keepdims=True)
        y = (tf.cast(inputs, tf.float32) - mean) * tf.math.rsqrt(variance + self.epsilon)
        gamma, beta = (tf.cast(weight, tf.float32) for weight in (self.gamma, self.beta))
        y = y * tf.reshape(gamma, self._wide) + tf.reshape(beta, self._wide)
        return tf.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        config = super().get_config()
        config.update(axis=self.axis, epsilon=self.epsilon)
        return config


class InstanceNorm(keras.layers.Layer):
    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.epsilon = axis, epsilon

    def build(self, input_shape):
        if len(input_shape) <= 2:
            raise ValueError(f"no axis to average over in {input_shape}")
        channels = input_shape[self.axis]
        self.gamma = self.add_weight(shape=(channels,), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(channels,), initializer="zeros", name="beta")

    def call(self, inputs):
        x = tf.cast(inputs, tf.float32)
        axes = list(range(x.shape.rank))
        del axes[self.axis], axes[0]
        shape = [1] * x.shape.rank
        shape[self.axis] = x.shape[self.axis]
        y = standardize(x, axes, self.epsilon)
        gamma, beta = (tf.cast(weight, tf.float32) for weight in (self.gamma, self.beta))
        return tf.cast(y * tf.reshape(gamma, shape) + tf.reshape(beta, shape), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        config = super().get_config()
        config.update(axis=self.axis, epsilon=self.epsilon)
        return config


class GroupNorm(keras.layers.Layer):
    def __init__(self, groups=32, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        if groups < 1:
            raise ValueError(f"groups is {groups}")
        self.groups, self.axis, self.epsilon = groups, axis, epsilon

    def build(self, input_shape):
        channels = input_shape[self.axis]
        if channels % self.groups != 0:
            raise ValueError(f"{channels} channels, {self.groups} groups")
        self.gamma = self.add_weight(shape=(channels,), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(channels,), initializer="zeros", name="beta")

    def call(self, inputs):
        x = tf.cast(inputs, tf.float32)
        rank, channels = x.shape.rank, x.shape[self.axis]
        axis = self.axis % rank
        sizes = tf.shape(x)
        split = [self.groups, channels // self.groups]
        grouped = tf.reshape(x, tf.concat([sizes[:axis], split, sizes[axis + 1 :]], 0))
        axes = [number for number in range(1, rank + 1) if number != axis]
        y = tf.reshape(standardize(grouped, axes, self.epsilon), sizes)
        shape = [1] * rank
        shape[axis] = channels
        gamma, beta = (tf.cast(weight, tf.float32) for weight in (self.gamma, self.beta))
        return tf.cast(y * tf.reshape(gamma, shape) + tf.reshape(beta, shape), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        config = super().get_config()
        config.update(groups=self.groups, axis=self.axis, epsilon=self.epsilon)
        return config
