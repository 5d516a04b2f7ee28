# -*- coding: utf-8 -*-
# Emil, group B, Tuesday
# I left my checks at the bottom, run the file to see them.
import numpy as np
import tensorflow as tf
import keras


def standardize(x, axis, epsilon=1e-3):
    x = tf.convert_to_tensor(x)
    # step 1: the mean
    mu = tf.reduce_mean(x, axis=axis, keepdims=True)
    # step 2: how far is everything from the mean?
    diff = x - mu
    # step 3: the variance (divide by n)
    sigma2 = tf.reduce_mean(diff * diff, axis=axis, keepdims=True)
    # step 4: divide
    return diff / tf.sqrt(sigma2 + epsilon)


def along(w, rank, axis):
    # (C,) -> (1, C, 1, 1)
    shape = [1] * rank
    shape[axis] = -1
    return tf.reshape(w, shape)


class BatchNorm(keras.layers.Layer):
    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape):
        n = input_shape[self.axis]
        self.gamma = self.add_weight(name="gamma", shape=(n,), initializer="ones", autocast=False)
        self.beta = self.add_weight(name="beta", shape=(n,), initializer="zeros", autocast=False)
        self.moving_mean = self.add_weight(
            name="moving_mean", shape=(n,), initializer="zeros", trainable=False, autocast=False)
        self.moving_variance = self.add_weight(
            name="moving_variance", shape=(n,), initializer="ones", trainable=False, autocast=False)
        self.built = True

    def call(self, inputs, training=None):
        x = tf.cast(inputs, tf.float32)
        rank = len(x.shape)
        if self.axis >= 0:
            axis = self.axis
        else:
            axis = rank + self.axis
        if training == True and self.trainable == True:
            red = []
            for i in range(rank):
                if i != axis:
                    red.append(i)
            mu = tf.reduce_mean(x, axis=red)
            diff = x - along(mu, rank, axis)
            sigma2 = tf.reduce_mean(diff * diff, axis=red)
            self.moving_mean.assign(self.momentum * self.moving_mean + (1.0 - self.momentum) * mu)
            self.moving_variance.assign(self.momentum * self.moving_variance + (1.0 - self.momentum) * sigma2)
        else:
            mu = self.moving_mean.value
            sigma2 = self.moving_variance.value
        x_hat = (x - along(mu, rank, axis)) / tf.sqrt(along(sigma2, rank, axis) + self.epsilon)
        y = along(self.gamma, rank, axis) * x_hat + along(self.beta, rank, axis)
        return tf.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = super().get_config()
        config.update({"axis": self.axis, "momentum": self.momentum, "epsilon": self.epsilon})
        return config


class LayerNorm(keras.layers.Layer):
    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        rank = len(input_shape)
        if isinstance(self.axis, int):
            axes = [self.axis]
        else:
            axes = list(self.axis)
        self.axes = []
        self.bshape = []
        wshape = []
        for i in range(rank):
            if i in axes or i - rank in axes:
                self.axes.append(i)
                wshape.append(input_shape[i])
                self.bshape.append(input_shape[i])
            else:
                self.bshape.append(1)
        self.gamma = self.add_weight(name="gamma", shape=wshape, initializer="ones", autocast=False)
        self.beta = self.add_weight(name="beta", shape=wshape, initializer="zeros", autocast=False)
        self.built = True

    def call(self, inputs):
        x = standardize(tf.cast(inputs, tf.float32), self.axes, self.epsilon)
        y = tf.reshape(self.gamma, self.bshape) * x + tf.reshape(self.beta, self.bshape)
        return tf.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = super().get_config()
        config.update({"axis": self.axis, "epsilon": self.epsilon})
        return config


class InstanceNorm(keras.layers.Layer):
    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        if len(input_shape) == 2:
            raise ValueError("InstanceNorm: there is only batch and channels, got " + str(input_shape))
        n = input_shape[self.axis]
        self.gamma = self.add_weight(name="gamma", shape=(n,), initializer="ones", autocast=False)
        self.beta = self.add_weight(name="beta", shape=(n,), initializer="zeros", autocast=False)
        self.built = True

    def call(self, inputs):
        x = tf.cast(inputs, tf.float32)
        rank = len(x.shape)
        axis = self.axis % rank
        red = [i for i in range(1, rank) if i != axis]
        y = along(self.gamma, rank, axis) * standardize(x, red, self.epsilon) + along(self.beta, rank, axis)
        return tf.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = super().get_config()
        config.update({"axis": self.axis, "epsilon": self.epsilon})
        return config


class GroupNorm(keras.layers.Layer):
    def __init__(self, groups=32, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        if groups <= 0:
            raise ValueError("groups has to be positive, got " + str(groups))
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        n = input_shape[self.axis]
        if n % self.groups != 0:
            raise ValueError(str(n) + " channels do not fit into " + str(self.groups) + " groups")
        self.gamma = self.add_weight(name="gamma", shape=(n,), initializer="ones", autocast=False)
        self.beta = self.add_weight(name="beta", shape=(n,), initializer="zeros", autocast=False)
        self.built = True

    def call(self, inputs):
        x = tf.cast(inputs, tf.float32)
        rank = len(x.shape)
        axis = self.axis % rank
        # cut into groups, treat each like one image, glue together again
        pieces = tf.split(x, self.groups, axis=axis)
        done = []
        for piece in pieces:
            done.append(standardize(piece, list(range(1, rank)), self.epsilon))
        x_hat = tf.concat(done, axis=axis)
        y = along(self.gamma, rank, axis) * x_hat + along(self.beta, rank, axis)
        return tf.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = super().get_config()
        config.update({"groups": self.groups, "axis": self.axis, "epsilon": self.epsilon})
        return config


if __name__ == "__main__":
    x = np.array([[1.0], [3.0], [5.0], [7.0]], dtype="float32")
    bn = BatchNorm(momentum=0.9)
    print(bn(x, training=True))  # -1.34 -0.447 0.447 1.34
    print(bn.moving_mean.numpy(), bn.moving_variance.numpy())  # 0.4 1.4
    images = np.random.default_rng(0).normal(5, 3, (4, 8, 6, 10)).astype("float32")
    mine = GroupNorm(groups=5)(images)
    theirs = keras.layers.GroupNormalization(groups=5)(images)
    print("GN difference", np.abs(mine - theirs).max())
