"""Derivatives and measurements are Python loops over single numbers; what a model needs has clipped inputs."""

import math
from itertools import pairwise

import keras
import numpy as np
from keras import ops


def _number_by_number(function):
    """Make a function of one Python float into one of arrays of any floating dtype."""

    def wrapper(x, *args, **kwargs):
        x = np.asarray(x)
        if not np.issubdtype(x.dtype, np.floating):
            raise TypeError(f"expected floats, received {x.dtype}")
        numbers = [function(float(number), *args, **kwargs) for number in x.ravel()]
        return np.array(numbers).reshape(x.shape).astype(x.dtype)

    return wrapper


def _tensor(x):
    x = ops.convert_to_tensor(x)
    if x.dtype not in ("float16", "float32", "float64"):
        raise TypeError(f"expected floats, received {keras.backend.standardize_dtype(x.dtype)}")
    return x


def _s(x):
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def _t(x):
    return 1 - 2 / (math.exp(2 * x) + 1) if x < 300 else 1.0


@_number_by_number
def identity_derivative(x):
    return 1.0


@_number_by_number
def binary_step(x):
    return 1.0 if x >= 0 else 0.0


@_number_by_number
def binary_step_derivative(x):
    return 0.0


@_number_by_number
def sigmoid_derivative(x):
    return _s(x) * _s(-x)


@_number_by_number
def tanh_derivative(x):
    return 4 * _s(2 * x) * _s(-2 * x)


@_number_by_number
def relu_derivative(x):
    return 1.0 if x > 0 else 0.0


@_number_by_number
def leaky_relu_derivative(x, slope=0.01):
    return 1.0 if x > 0 else slope


@_number_by_number
def elu_derivative(x, alpha=1.0):
    return 1.0 if x > 0 else alpha * math.exp(x)


@_number_by_number
def swish_derivative(x, beta=1.0):
    return _s(beta * x) * (1 + beta * x * _s(-beta * x))


@_number_by_number
def mish_derivative(x):
    softplus = max(x, 0) + math.log1p(math.exp(-abs(x)))
    gate = _t(softplus)
    return gate + x * (1 - gate) * (1 + gate) * _s(x)


def identity(x):
    return _tensor(x) + 0


def _clipped_power(x):
    """exp(x), where the exponent is kept below what the dtype can square."""
    return ops.exp(ops.clip(x, -1000, {"float16": 4, "float32": 40, "float64": 300}[x.dtype.name]))


def sigmoid(x):
    x = _tensor(x)
    return _wide(lambda x: 1 / (1 + _clipped_power(-x)), x)


def _wide(function, x):
    """Compute half precision in single precision."""
    if x.dtype.name != "float16":
        return function(x)
    return ops.cast(function(ops.cast(x, "float32")), "float16")


def tanh(x):
    def wide(x):
        u = ops.expm1(ops.clip(2 * x, -300, 40 if x.dtype.name == "float32" else 300))
        return u / (u + 2)

    return _wide(wide, _tensor(x))


def relu(x):
    x = _tensor(x)
    return x * ops.cast(x > 0, x.dtype)


def leaky_relu(x, slope=0.01):
    x = _tensor(x)
    return relu(x) - slope * relu(-x)


def elu(x, alpha=1.0):
    x = _tensor(x)
    return relu(x) + alpha * ops.expm1(-relu(-x))


def swish(x, beta=1.0):
    x = _tensor(x)
    return x * sigmoid(x * beta)


def mish(x):
    def wide(x):
        w = ops.clip(x, -1000, 15 if x.dtype.name == "float32" else 100)
        e = ops.exp(w)
        return x * (e * e + 2 * e) / (e * e + 2 * e + 2)

    return _wide(wide, _tensor(x))


def dense(x, kernel, bias, activation):
    before = np.zeros((*x.shape[:-1], len(bias)), x.dtype)
    for unit in range(len(bias)):
        before[..., unit] = (x * kernel[:, unit]).sum(-1) + bias[unit]
    return activation(before)


def collapse(kernels, biases):
    if not kernels or len(kernels) != len(biases):
        raise ValueError("expected layers")
    for one, two in pairwise(kernels):
        if one.shape[1] != two.shape[0]:
            raise ValueError("these do not fit")

    def run(row):
        for kernel, bias in zip(kernels, biases):
            row = row @ np.asarray(kernel, "float64") + bias
        return row

    size = kernels[0].shape[0]
    bias = run(np.zeros(size))
    return np.stack([run(row) - bias for row in np.eye(size)]), bias


def softmax(x, axis=-1):
    x = _tensor(x)
    rows = ops.moveaxis(x, axis, 0)
    top = rows[0]
    for i in range(1, rows.shape[0]):
        top = ops.maximum(top, rows[i])
    powers = [ops.exp(rows[i] - top) for i in range(rows.shape[0])]
    total = sum(powers)
    return ops.stack([power / total for power in powers], axis=axis)


def softmax_jacobian(x):
    x = _tensor(x)
    if len(x.shape) != 1:
        raise ValueError("expected a vector")
    y = np.asarray(softmax(x))
    jacobian = np.empty((y.size, y.size), y.dtype)
    for i in range(y.size):
        for j in range(y.size):
            jacobian[i, j] = y[i] * ((i == j) - y[j])
    return jacobian


def softmax_jvp(x, vector, axis=-1):
    _tensor(x)
    rows = np.moveaxis(np.asarray(x), axis, -1)
    vectors = np.moveaxis(np.asarray(vector), axis, -1)
    out = np.empty_like(rows)
    for index in np.ndindex(rows.shape[:-1]):
        out[index] = np.asarray(softmax_jacobian(rows[index])) @ vectors[index]
    return np.moveaxis(out, -1, axis)


class PReLU(keras.Layer):
    def __init__(self, initial_alpha=0.25, shared_axes=None, **kwargs):
        super().__init__(**kwargs)
        self.initial_alpha = initial_alpha
        self.shared_axes = shared_axes

    def build(self, input_shape):
        shape = list(input_shape)[1:]
        for axis in self.shared_axes or []:
            if not (1 <= axis <= len(shape) or -len(shape) <= axis <= -1):
                raise ValueError(f"cannot share {axis}")
            shape[axis - 1 if axis > 0 else axis] = 1
        if None in shape:
            raise ValueError("alpha's size is unknown")
        start = self.initial_alpha
        self.alpha = self.add_weight(
            name="alpha", shape=shape, initializer=keras.initializers.RandomUniform(start, start)
        )

    def call(self, inputs):
        positive = ops.cast(inputs > 0, inputs.dtype)
        return inputs * (positive + (1 - positive) * self.alpha)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return dict(super().get_config(), initial_alpha=self.initial_alpha, shared_axes=self.shared_axes)


def dead_fraction(x, kernel, bias, derivative):
    rows = np.reshape(x, (-1, kernel.shape[0]))
    slopes = [derivative(row[None] @ kernel + bias)[0] for row in rows]
    dead = sum(all(slope[unit] == 0 for slope in slopes) for unit in range(len(bias)))
    return dead / len(bias)


def dead_after_step(x, kernel, bias, upstream, learning_rate):
    kernel, bias = np.array(kernel, "float64"), np.array(bias, "float64")
    new_kernel, new_bias = kernel.copy(), bias.copy()
    for sample, row in enumerate(x):
        for unit in range(len(bias)):
            if row @ kernel[:, unit] + bias[unit] > 0:
                new_kernel[:, unit] -= learning_rate * upstream[sample, unit] * row / len(x)
                new_bias[unit] -= learning_rate * upstream[sample, unit] / len(x)
    return dead_fraction(x, new_kernel, new_bias, relu_derivative)


def gradient_norms(x, kernels, biases, upstream, activation, derivative, residual=False):
    squares = np.zeros(len(kernels) + 1)
    for row, above in zip(x, upstream):
        hidden, jacobians = row[None], []
        for kernel, bias in zip(kernels, biases):
            if residual and kernel.shape[0] != kernel.shape[1]:
                raise ValueError("expected square kernels")
            before = hidden @ kernel + bias
            jacobian = np.asarray(kernel) @ np.diag(np.asarray(derivative(before))[0])
            jacobians.append(jacobian + residual * np.eye(*kernel.shape))
            out = np.asarray(activation(before))
            hidden = out + hidden if residual else out
        squares[-1] += above @ above
        for depth in range(len(kernels) - 1, -1, -1):
            above = jacobians[depth] @ above
            squares[depth] += above @ above
    return [math.sqrt(square) for square in squares]


def gradient_gain(norms):
    if len(norms) < 2 or norms[-1] <= 0:
        raise ValueError("expected norms")
    logarithm = 0.0
    for below, above in pairwise(norms):
        if below == 0:
            return 0.0
        logarithm += math.log(below) - math.log(above)
    return math.exp(logarithm / (len(norms) - 1))


def gradient_flow(activation, derivative, scale, residual=False, depth=30, width=24, samples=8, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((samples, width))
    kernels = [rng.standard_normal((width, width)) * (scale * width**-0.5) for _ in range(depth)]
    upstream = rng.standard_normal((samples, width))
    biases = [np.zeros(width) for _ in range(depth)]
    return gradient_norms(x, kernels, biases, upstream, activation, derivative, residual=residual)
