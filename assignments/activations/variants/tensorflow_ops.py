"""TensorFlow's own operations; each branch of a `where` gets an input that is safe for it; slopes in closed form."""

import keras
import numpy as np
import tensorflow as tf


def _float(x):
    x = tf.convert_to_tensor(x)
    if not x.dtype.is_floating:
        raise TypeError(f"{x.dtype.name} is no floating dtype")
    return x


def identity(x):
    return tf.identity(_float(x))


def identity_derivative(x):
    return tf.ones_like(_float(x))


def binary_step(x):
    x = _float(x)
    return tf.where(x < 0, tf.zeros_like(x), tf.ones_like(x))


def binary_step_derivative(x):
    return tf.zeros_like(_float(x))


def dense(x, kernel, bias, activation):
    return activation(tf.tensordot(x, kernel, 1) + bias)


def collapse(kernels, biases):
    if len(kernels) == 0 or len(kernels) - len(biases) != 0:
        raise ValueError("expected layers of a kernel and a bias each")
    # a bias is one more row of its kernel, behind an input that is always 1
    total = None
    for kernel, bias in zip(kernels, biases):
        rows = kernel.shape[0]
        last = tf.one_hot([rows], rows + 1, axis=0, dtype=kernel.dtype)
        layer = tf.concat([tf.concat([kernel, bias[None]], 0), last], 1)
        if total is not None and total.shape[1] != layer.shape[0]:
            raise ValueError("expected kernels that fit")
        total = layer if total is None else total @ layer
    return total[:-1, :-1], total[-1, :-1]


def _split(x):
    """Where x is positive, x there (else 0), and x elsewhere (else 0)."""
    positive = x > 0
    zero = tf.zeros_like(x)
    return positive, tf.where(positive, x, zero), tf.where(positive, zero, x)


def sigmoid(x):
    positive, above, below = _split(_float(x))
    power = tf.exp(below)
    return tf.where(positive, 1 / (1 + tf.exp(-above)), power / (1 + power))


def sigmoid_derivative(x):
    z = tf.exp(-tf.abs(_float(x)))
    return z / tf.square(1 + z)


def tanh(x):
    positive, above, below = _split(_float(x))
    falling, rising = tf.math.expm1(-2 * above), tf.math.expm1(2 * below)
    return tf.where(positive, -falling / (2 + falling), rising / (2 + rising))


def tanh_derivative(x):
    z = tf.exp(-2 * tf.abs(_float(x)))
    return 4 * z / tf.square(1 + z)


def relu(x):
    return _split(_float(x))[1]


def relu_derivative(x):
    x = _float(x)
    return tf.cast(tf.greater(x, 0), x.dtype)


def leaky_relu(x, slope=0.01):
    _, above, below = _split(_float(x))
    return above + slope * below


def leaky_relu_derivative(x, slope=0.01):
    positive = relu_derivative(x)
    return positive + slope * (1 - positive)


def elu(x, alpha=1.0):
    _, above, below = _split(_float(x))
    return above + alpha * tf.math.expm1(below)


def elu_derivative(x, alpha=1.0):
    positive, _, below = _split(_float(x))
    return tf.where(positive, tf.ones_like(below), alpha * tf.exp(below))


def swish(x, beta=1.0):
    x = _float(x)
    return tf.multiply(x, sigmoid(x * beta))


def swish_derivative(x, beta=1.0):
    x = _float(x)
    return sigmoid(x * beta) + x * beta * sigmoid_derivative(x * beta)


def _mish_gate(x):
    """(w - 1) / (w + 1) with w = (1 + exp(x))^2, above 0 in powers of exp(-x)."""
    positive, above, below = _split(x)
    z = tf.exp(-above)
    e = tf.exp(below)
    return tf.where(positive, (1 + 2 * z) / (1 + 2 * z + 2 * z * z), e * (e + 2) / (e * (e + 2) + 2))


def mish(x):
    x = _float(x)
    return x * _mish_gate(x)


def mish_derivative(x):
    x = _float(x)
    positive, above, below = _split(x)
    z, e = tf.exp(-above), tf.exp(below)
    # the gate's slope is 4 e (1 + e) / (e^2 + 2 e + 2)^2 with e = exp(x)
    slope = tf.where(
        positive,
        4 * z * z * (1 + z) / tf.square(1 + 2 * z + 2 * z * z),
        4 * e * (1 + e) / tf.square(e * e + 2 * e + 2),
    )
    return _mish_gate(x) + x * slope


def softmax(x, axis=-1):
    x = _float(x)
    powers = tf.exp(x - tf.reduce_max(x, axis, keepdims=True))
    return tf.math.divide(powers, tf.reduce_sum(powers, axis, keepdims=True))


def softmax_jacobian(x):
    x = _float(x)
    if x.shape.rank != 1:
        raise ValueError("expected a vector")
    y = softmax(x)
    return y[:, None] * (tf.eye(len(y), dtype=y.dtype) - y[None, :])


def softmax_jvp(x, vector, axis=-1):
    y = softmax(x, axis)
    weighted = y * vector
    return weighted - y * tf.reduce_sum(weighted, axis, keepdims=True)


class PReLU(keras.layers.Layer):
    def __init__(self, initial_alpha=0.25, shared_axes=None, **kwargs):
        super().__init__(**kwargs)
        self.initial_alpha, self.shared_axes = initial_alpha, shared_axes

    def build(self, input_shape):
        shape = list(input_shape)
        for axis in self.shared_axes or ():
            place = axis + len(shape) if axis < 0 else axis
            if not 0 < place < len(shape):
                raise ValueError(f"no axis {axis} to share")
            shape[place] = 1
        if any(size is None for size in shape[1:]):
            raise ValueError("unknown size")
        self.alpha = self.add_weight(name="alpha", shape=shape[1:], initializer="ones")
        self.alpha.assign(self.alpha * self.initial_alpha)

    def call(self, inputs):
        return tf.maximum(inputs, 0) + tf.convert_to_tensor(self.alpha) * tf.minimum(inputs, 0)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        config = super().get_config()
        config.update(initial_alpha=self.initial_alpha, shared_axes=self.shared_axes)
        return config


def dead_fraction(x, kernel, bias, derivative):
    slopes = tf.convert_to_tensor(derivative(tf.tensordot(x, kernel, 1) + bias))
    slopes = tf.reshape(tf.abs(slopes), (-1, slopes.shape[-1]))
    return float(np.mean(tf.reduce_max(slopes, 0).numpy() == 0))


def dead_after_step(x, kernel, bias, upstream, learning_rate):
    kernel, bias = tf.Variable(kernel), tf.Variable(bias)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.reduce_sum(upstream * relu(x @ kernel + bias), -1))
    for variable, gradient in zip([kernel, bias], tape.gradient(loss, [kernel, bias])):
        variable.assign_sub(learning_rate * gradient)
    return dead_fraction(x, kernel, bias, relu_derivative)


def gradient_norms(x, kernels, biases, upstream, activation, derivative, residual=False):
    if residual:
        for kernel in kernels:
            if kernel.shape[0] != kernel.shape[1]:
                raise ValueError("expected square kernels")
    ways_back, hidden = [], tf.constant(x)
    for kernel, bias in zip(kernels, biases):
        before = hidden @ kernel + bias
        out = tf.convert_to_tensor(activation(before))
        ways_back.append((tf.convert_to_tensor(derivative(before)), tf.constant(kernel)))
        hidden = tf.add(hidden, out) if residual else out
    gradient = tf.constant(upstream)
    norms = [tf.norm(gradient)]
    for slopes, kernel in ways_back[::-1]:
        through = tf.matmul(gradient * slopes, kernel, transpose_b=True)
        gradient = gradient + through if residual else through
        norms.insert(0, tf.norm(gradient))
    return tf.stack(norms)


def gradient_gain(norms):
    norms = [float(norm) for norm in norms]
    if len(norms) < 2 or norms[-1] <= 0:
        raise ValueError("expected norms")
    logs = tf.math.log(tf.constant(norms, tf.float64))
    return float(tf.exp((logs[0] - logs[-1]) / (len(norms) - 1)))


def gradient_flow(activation, derivative, scale, residual=False, depth=30, width=24, samples=8, seed=0):
    draw = np.random.default_rng(seed).normal
    x = draw(size=(samples, width))
    kernels = [scale * draw(size=(width, width)) / width**0.5 for _ in range(depth)]
    upstream = draw(size=(samples, width))
    return gradient_norms(x, kernels, [np.zeros(width)] * depth, upstream, activation, derivative, residual)
