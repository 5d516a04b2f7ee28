"""Only the functions are written down; every derivative is TensorFlow's gradient of them, the Jacobian row by row."""

from itertools import pairwise

import keras
import numpy as np
import tensorflow as tf
from keras import ops


def _check(x):
    x = ops.convert_to_tensor(x)
    if not keras.backend.is_float_dtype(x.dtype):
        raise TypeError(f"expected a floating dtype, received {x.dtype}")
    return x


def _slope(function, x):
    x = _check(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x)


def identity(x):
    return _check(x)


def identity_derivative(x):
    return _slope(lambda x: 1 * x, x)


def binary_step(x):
    x = _check(x)
    return ops.cast(ops.greater_equal(x, 0), x.dtype)


def binary_step_derivative(x):
    return ops.multiply(_check(x), 0)


def dense(x, kernel, bias, activation):
    layer = keras.layers.Dense(len(bias))
    layer.build(x.shape)
    layer.set_weights([kernel, bias])
    return activation(layer(x))


def collapse(kernels, biases):
    if not kernels or len(kernels) != len(biases):
        raise ValueError("expected a stack")
    if any(below.shape[1] != above.shape[0] for below, above in pairwise(kernels)):
        raise ValueError("expected a stack that fits")
    if len(kernels) == 1:
        return kernels[0], biases[0]
    half = len(kernels) // 2
    below, shift = collapse(kernels[:half], biases[:half])
    above, rest = collapse(kernels[half:], biases[half:])
    return below @ above, shift @ above + rest


def sigmoid(x):
    return _shrink(_check(x))[0]


def _shrink(x):
    """x / (x + 1) and 1 / (x + 1) for x = exp of the input, by the sign of the input."""
    below = x < 0
    z = ops.exp(ops.where(below, x, -x))
    return ops.where(below, z, 1) / (z + 1), ops.where(below, 1, z) / (z + 1)


def sigmoid_derivative(x):
    return _slope(sigmoid, x)


def tanh(x):
    x = _check(x)
    below = x < 0
    m = ops.expm1(2 * ops.where(below, x, -x))
    return m / (m + 2) * ops.where(below, ops.ones_like(x), -1)


def tanh_derivative(x):
    return _slope(tanh, x)


def relu(x):
    x = _check(x)
    return ops.where(x > 0, x, 0)


def relu_derivative(x):
    return _slope(relu, x)


def leaky_relu(x, slope=0.01):
    x = _check(x)
    return ops.where(x > 0, x, x * slope)


def leaky_relu_derivative(x, slope=0.01):
    return _slope(lambda x: leaky_relu(x, slope), x)


def elu(x, alpha=1.0):
    x = _check(x)
    return ops.where(x > 0, x, ops.expm1(ops.where(x > 0, 0, x)) * alpha)


def elu_derivative(x, alpha=1.0):
    return _slope(lambda x: elu(x, alpha), x)


def swish(x, beta=1.0):
    x = _check(x)
    return x * _shrink(beta * x)[0]


def swish_derivative(x, beta=1.0):
    return _slope(lambda x: swish(x, beta), x)


def mish(x):
    x = _check(x)
    # with q = 1 / (1 + exp(x)): tanh(log(1 / q)) = (1 - q^2) / (1 + q^2), and 1 - q = exp(x) q
    p, q = _shrink(x)
    return x * p * (1 + q) / (1 + q * q)


def mish_derivative(x):
    return _slope(mish, x)


def softmax(x, axis=-1):
    x = _check(x)
    x = x - ops.stop_gradient(ops.amax(x, axis=axis, keepdims=True))
    return ops.exp(x - ops.log(ops.sum(ops.exp(x), axis=axis, keepdims=True)))


def softmax_jacobian(x):
    x = _check(x)
    if len(x.shape) != 1:
        raise ValueError("expected a vector")
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        outputs = tf.unstack(softmax(x))
    return tf.stack([tape.gradient(output, x) for output in outputs])


def softmax_jvp(x, vector, axis=-1):
    # the Jacobian is its own transpose
    return _slope(lambda x: ops.sum(softmax(x, axis) * vector), x)


@keras.saving.register_keras_serializable(package="dlquiz")
class PReLU(keras.layers.Layer):
    def __init__(self, initial_alpha=0.25, shared_axes=None, **kwargs):
        super().__init__(**kwargs)
        self.initial_alpha = initial_alpha
        self.shared_axes = shared_axes

    def build(self, input_shape):
        axes = np.arange(len(input_shape))
        wanted = np.array(self.shared_axes or [], int)
        if np.any(wanted >= axes.size) or np.any(wanted < -axes.size) or 0 in axes[wanted]:
            raise ValueError("axes beside the batch, please")
        shape = np.array(input_shape, object)
        shape[axes[wanted]] = 1
        if None in shape[1:].tolist():
            raise ValueError("size unknown")
        self.alpha = self.add_weight(
            name="alpha",
            shape=tuple(shape[1:].tolist()),
            initializer=lambda shape, dtype=None: ops.full(shape, self.initial_alpha, dtype),
            trainable=True,
        )

    def call(self, inputs):
        return relu(inputs) - self.alpha * relu(-inputs)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = super().get_config()
        config["initial_alpha"] = self.initial_alpha
        config["shared_axes"] = self.shared_axes
        return config


def dead_fraction(x, kernel, bias, derivative):
    slopes = ops.convert_to_tensor(derivative(dense(x, kernel, bias, lambda a: a)))
    largest = ops.max(ops.abs(ops.reshape(slopes, (-1, slopes.shape[-1]))), axis=0)
    return 1 - float(ops.count_nonzero(largest)) / largest.shape[0]


def dead_after_step(x, kernel, bias, upstream, learning_rate):
    layer = keras.layers.Dense(len(bias), activation=relu)
    layer.build(x.shape)
    layer.set_weights([kernel, bias])
    with tf.GradientTape() as tape:
        loss = ops.sum(layer(x) * upstream) / len(x)
    gradients = tape.gradient(loss, layer.trainable_weights)
    if learning_rate:
        optimizer = keras.optimizers.SGD(learning_rate)
        optimizer.apply(gradients, layer.trainable_weights)
    return dead_fraction(x, *layer.get_weights(), relu_derivative)


def gradient_norms(x, kernels, biases, upstream, activation, derivative, residual=False):
    if residual and len({size for kernel in kernels for size in kernel.shape}) > 1:
        raise ValueError("expected square kernels")

    def bend(a):
        @tf.custom_gradient
        def inner(a):
            return tf.convert_to_tensor(activation(a)), lambda above: above * derivative(a)

        return inner(a)

    hidden = [tf.constant(x)]
    with tf.GradientTape() as tape:
        tape.watch(hidden[0])
        for kernel, bias in zip(kernels, biases):
            out = bend(tf.matmul(hidden[-1], kernel) + bias)
            hidden.append(hidden[-1] + out if residual else out)
        loss = tf.reduce_sum(upstream * hidden[-1])
    return [float(tf.norm(gradient)) for gradient in tape.gradient(loss, hidden)]


def gradient_gain(norms):
    if len(norms) < 2 or norms[-1] <= 0:
        raise ValueError("expected norms")
    with np.errstate(divide="ignore"):
        return float(2 ** ((np.log2(norms[0]) - np.log2(norms[-1])) / (len(norms) - 1)))


def gradient_flow(activation, derivative, scale, residual=False, depth=30, width=24, samples=8, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.normal(0, 1, (samples, width))
    kernels = [generator.normal(0, 1, (width, width)) for _ in range(depth)]
    upstream = generator.normal(0, 1, (samples, width))
    kernels = [kernel * scale / np.sqrt(width) for kernel in kernels]
    biases = [np.zeros(width)] * depth
    return gradient_norms(x, kernels, biases, upstream, activation, derivative, residual)
