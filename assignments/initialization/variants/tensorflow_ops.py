"""TensorFlow's stateless random operations, and gradients by tapes; functions in place of base classes."""

import random
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf


def fans(shape, depthwise=False):
    shape = tuple(shape)
    if depthwise:
        if len(shape) <= 2:
            raise ValueError(f"expected a window, received {shape}")
        size = 1
        for side in shape[:-2]:
            size *= side
        return size, size * shape[-1]
    if not shape:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    size = 1
    for side in shape[:-2]:
        size *= side
    return size * shape[-2], size * shape[-1]


class Seeded(keras.initializers.Initializer):
    options: ClassVar = {}

    def __init__(self, *arguments, seed=None, **options):
        given = dict(zip(self.options, arguments, strict=False)) | options
        for name, default in self.options.items():
            setattr(self, name, given.pop(name, default))
        if given:
            raise TypeError(f"unknown arguments {sorted(given)}")
        if isinstance(seed, dict):
            seed = keras.saving.deserialize_keras_object(seed)
        if not (seed is None or isinstance(seed, (int, keras.random.SeedGenerator))):
            raise ValueError(f"not a seed: {seed!r}")
        self.seed = seed
        self.drawn = random.getrandbits(31)
        self.check()

    def check(self):
        pass

    def pair(self):
        if isinstance(self.seed, keras.random.SeedGenerator):
            return tf.cast(self.seed.next(), "int64")
        return tf.constant([self.drawn if self.seed is None else self.seed, 17], "int64")

    def get_config(self):
        config = {name: getattr(self, name) for name in self.options}
        seed = self.seed
        if isinstance(seed, keras.random.SeedGenerator):
            seed = keras.saving.serialize_keras_object(seed)
        return {**config, "seed": seed}

    def uniform(self, shape, low, high, dtype):
        share = tf.random.stateless_uniform(list(shape), self.pair(), dtype=dtype or keras.config.floatx())
        return share * (high - low) + low

    def truncated(self, shape, variance, dtype):
        dtype = dtype or keras.config.floatx()
        return tf.random.stateless_truncated_normal(
            list(shape), self.pair(), stddev=variance**0.5 / 0.87962566, dtype=dtype
        )


class RandomNormal(Seeded):
    options: ClassVar = {"mean": 0.0, "stddev": 0.05}

    def check(self):
        if self.stddev < 0:
            raise ValueError("negative")

    def __call__(self, shape, dtype=None):
        dtype = dtype or keras.config.floatx()
        return tf.random.stateless_normal(list(shape), self.pair(), self.mean, self.stddev, dtype)


class RandomUniform(Seeded):
    options: ClassVar = {"minval": -0.05, "maxval": 0.05}

    def check(self):
        if self.maxval < self.minval:
            raise ValueError("empty range")

    def __call__(self, shape, dtype=None):
        return self.uniform(shape, self.minval, self.maxval, dtype)


def xavier(initializer, shape):
    fan_in, fan_out = (fan or 1 for fan in fans(shape, initializer.depthwise))
    return 2 * initializer.gain**2 / (fan_in + fan_out)


def kaiming(initializer, shape):
    pair = dict(zip(("fan_in", "fan_out"), fans(shape, initializer.depthwise), strict=True))
    return 2 / (1 + initializer.negative_slope**2) / (pair[initializer.mode] or 1)


class XavierUniform(Seeded):
    options: ClassVar = {"gain": 1.0, "depthwise": False}

    def check(self):
        if not self.gain > 0:
            raise ValueError("not positive")

    def __call__(self, shape, dtype=None):
        limit = (3 * xavier(self, shape)) ** 0.5
        return self.uniform(shape, -limit, limit, dtype)


class XavierNormal(XavierUniform):
    def __call__(self, shape, dtype=None):
        return self.truncated(shape, xavier(self, shape), dtype)


class KaimingUniform(Seeded):
    options: ClassVar = {"mode": "fan_in", "negative_slope": 0.0, "depthwise": False}

    def check(self):
        if self.mode not in {"fan_in", "fan_out"}:
            raise ValueError("no such mode")

    def __call__(self, shape, dtype=None):
        limit = (3 * kaiming(self, shape)) ** 0.5
        return self.uniform(shape, -limit, limit, dtype)


class KaimingNormal(KaimingUniform):
    def __call__(self, shape, dtype=None):
        return self.truncated(shape, kaiming(self, shape), dtype)


class Constant(keras.initializers.Initializer):
    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        return tf.fill(tuple(shape), tf.constant(self.value, dtype or keras.config.floatx()))

    def get_config(self):
        return {"value": self.value}


class PriorLogOdds(keras.initializers.Initializer):
    def __init__(self, prior):
        self.each = np.ndim(prior) > 0
        self.priors = [float(p) for p in prior] if self.each else [float(prior)]
        for p in self.priors:
            if not 0 < p < 1:
                raise ValueError(f"{p} is no prior")

    def __call__(self, shape, dtype=None):
        if self.each and list(shape) != [len(self.priors)]:
            raise ValueError(f"{len(self.priors)} priors for shape {shape}")
        p = tf.constant(self.priors if self.each else self.priors[0], "float64")
        odds = tf.broadcast_to(tf.math.log(p / (1 - p)), tuple(shape))
        return tf.cast(odds, dtype or keras.config.floatx())

    def get_config(self):
        return {"prior": self.priors if self.each else self.priors[0]}


def unit_spread(kernel):
    kernel = tf.convert_to_tensor(kernel)
    return float(tf.reduce_max(tf.reduce_max(kernel, -1) - tf.reduce_min(kernel, -1)))


def train_two_layers(initializer, x, y, units, steps, learning_rate):
    """In float32, as a network would be trained."""
    x, y = tf.convert_to_tensor(x), tf.convert_to_tensor(y)
    first = tf.Variable(tf.convert_to_tensor(initializer((x.shape[1], units))))
    second = tf.Variable(tf.convert_to_tensor(initializer((units, 1))))
    variables = [first, tf.Variable(tf.zeros(units)), second, tf.Variable(tf.zeros(1))]
    losses, spreads = [], []
    for step in range(steps + 1):
        with tf.GradientTape() as tape:
            hidden = tf.tanh(x @ variables[0] + variables[1])
            loss = tf.reduce_mean((hidden @ variables[2] + variables[3] - y) ** 2)
        losses.append(float(loss))
        spreads.append(unit_spread(first))
        if step < steps:
            for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
                variable.assign_sub(learning_rate * gradient)
    return {"loss": losses, "spread": spreads}


FUNCTIONS = {"linear": tf.identity, "tanh": tf.tanh, "relu": tf.nn.relu}


def measure_depth(initializer, activation, x, upstream, depth=50):
    if activation not in FUNCTIONS:
        raise ValueError(f"no activation {activation!r}")
    outputs = [tf.cast(x, "float64")]
    width = outputs[0].shape[1]
    with tf.GradientTape() as tape:
        tape.watch(outputs[0])
        for _ in range(depth):
            kernel = tf.cast(initializer((width, width)), "float64")
            outputs.append(FUNCTIONS[activation](outputs[-1] @ kernel))
        total = tf.reduce_sum(tf.cast(upstream, "float64") * outputs[-1])
    gradients = tape.gradient(total, outputs)
    return {
        "signal": [float(tf.reduce_mean(tf.square(output))) for output in outputs],
        "gradient": [float(tf.reduce_mean(tf.square(gradient))) for gradient in gradients],
        "active": [float(tf.reduce_mean(tf.cast(output > 0, "float64"))) for output in outputs],
    }


def predict_signal(weight_variance, width, activation, depth=50, first=1.0):
    if activation not in FUNCTIONS:
        raise ValueError(f"no activation {activation!r}")
    gain, signal = width * weight_variance, [first]
    z = (tf.range(20_000, dtype="float64") + 0.5) * (9 / 20_000)
    weight = tf.exp(-z * z / 2)
    weight = weight / tf.reduce_sum(weight)
    for _ in range(depth):
        below = gain * signal[-1]
        if activation == "tanh":
            below = float(tf.reduce_sum(tf.square(tf.tanh(below**0.5 * z)) * weight))
        signal.append(below / 2 if activation == "relu" else below)
    return signal
