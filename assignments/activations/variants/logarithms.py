"""By way of logarithms: exp(-log(1 + exp(-x))), whose gradient is given by hand with `custom_gradient`."""

from itertools import pairwise

import keras
import numpy as np
from keras import ops


def checked(function):
    """Refuse what is not floating."""

    def wrapper(x, *args, **kwargs):
        x = ops.convert_to_tensor(x)
        name = keras.backend.standardize_dtype(x.dtype)
        if "float" not in name:
            raise TypeError(f"floats, please, and not {name}")
        return function(x, *args, **kwargs)

    return wrapper


def with_slope(function, derivative):
    """The function of x, with the gradient that the derivative says."""

    @checked
    def wrapper(x):
        @ops.custom_gradient
        def inner(x):
            def gradient(*upstream, **_):
                return upstream[-1] * derivative(x)

            return function(x), gradient

        return inner(x)

    return wrapper


@checked
def identity(x):
    return x


@checked
def identity_derivative(x):
    return x * 0 + 1


@checked
def binary_step(x):
    return ops.ones_like(x) - ops.cast(x < 0, x.dtype)


@checked
def binary_step_derivative(x):
    return x * 0


def dense(x, kernel, bias, activation):
    return activation(ops.einsum("...i,ij->...j", x, kernel) + bias)


def collapse(kernels, biases):
    if len(kernels) < 1 or len(kernels) != len(biases):
        raise ValueError("expected pairs")
    if any(one.shape[1] != two.shape[0] for one, two in pairwise(kernels)):
        raise ValueError("expected sizes that fit")

    # from the last layer towards the first
    kernel, bias = np.asarray(kernels[-1], "float64"), np.asarray(biases[-1], "float64")
    for before, shift in zip(kernels[-2::-1], biases[-2::-1]):
        bias = bias + shift @ kernel
        kernel = before @ kernel
    return kernel, bias


def _zero(x):
    return ops.zeros_like(x)


def _log1p_exp(x):
    return ops.logaddexp(x, _zero(x))


@checked
def sigmoid_derivative(x):
    return ops.exp(-_log1p_exp(x) - _log1p_exp(-x))


sigmoid = with_slope(lambda x: ops.exp(-_log1p_exp(-x)), sigmoid_derivative)


@checked
def tanh_derivative(x):
    return 4 * sigmoid_derivative(2 * x)


def _tanh(x):
    rest = -ops.expm1(-2 * ops.abs(x))
    return ops.sign(x) * rest / (2 - rest)


tanh = with_slope(_tanh, tanh_derivative)


@checked
def relu_derivative(x):
    return ops.cast(ops.sign(x) > 0, x.dtype)


relu = with_slope(lambda x: x * relu_derivative(x), relu_derivative)


@checked
def leaky_relu_derivative(x, slope=0.01):
    return slope + (1 - slope) * relu_derivative(x)


@checked
def leaky_relu(x, slope=0.01):
    return x * ops.stop_gradient(leaky_relu_derivative(x, slope))


@checked
def elu_derivative(x, alpha=1.0):
    return ops.where(x > 0, ops.ones_like(x), ops.exp(ops.clip(x, -100, 0)) * alpha)


@checked
def elu(x, alpha=1.0):
    positive = ops.cast(x > 0, x.dtype)
    return x * positive + alpha * ops.expm1(x * (1 - positive))


@checked
def swish_derivative(x, beta=1.0):
    gate = ops.exp(-_log1p_exp(-beta * x))
    return gate + ops.exp(-_log1p_exp(beta * x)) * gate * beta * x


@checked
def swish(x, beta=1.0):
    return with_slope(lambda x: x * ops.exp(-_log1p_exp(-beta * x)), lambda x: swish_derivative(x, beta))(x)


@checked
def mish_derivative(x):
    gate = _tanh(_log1p_exp(x))
    return gate + x * ops.exp(-_log1p_exp(-x)) * tanh_derivative(_log1p_exp(x))


mish = with_slope(lambda x: x * _tanh(_log1p_exp(x)), mish_derivative)


@checked
def softmax(x, axis=-1):
    x = x - ops.max(x, axis=axis, keepdims=True)
    return ops.exp(x - ops.logsumexp(x, axis=axis, keepdims=True))


@checked
def softmax_jacobian(x):
    if x.ndim != 1:
        raise ValueError("expected one axis")
    eye = ops.eye(x.shape[0], dtype=x.dtype)
    return ops.stack([softmax_jvp(x, eye[i]) for i in range(x.shape[0])])


def softmax_jvp(x, vector, axis=-1):
    y = ops.moveaxis(softmax(x, axis), axis, -1)
    v = ops.moveaxis(ops.convert_to_tensor(vector), axis, -1)
    mean = ops.einsum("...i,...i->...", y, v)
    return ops.moveaxis(y * v - y * mean[..., None], -1, axis)


@keras.saving.register_keras_serializable("variant")
class PReLU(keras.layers.Layer):
    def __init__(self, initial_alpha=0.25, shared_axes=None, **kwargs):
        super().__init__(**kwargs)
        self.initial_alpha = initial_alpha
        self.shared_axes = None if shared_axes is None else list(shared_axes)

    def build(self, input_shape):
        places = list(range(len(input_shape)))
        try:
            shared = [places[axis] for axis in self.shared_axes or []]
        except IndexError:
            raise ValueError("no such axis") from None
        if 0 in shared:
            raise ValueError("the batch has no alpha")
        own = [1 if place in shared else input_shape[place] for place in places[1:]]
        if not all(isinstance(size, int) for size in own):
            raise ValueError("sizes must be known")
        self.alpha = self.add_weight(shape=own, name="alpha", initializer="zeros", autocast=False)
        self.alpha.assign(ops.full(own, self.initial_alpha))

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        size = ops.abs(x)
        y = ((x + size) + self.alpha * (x - size)) / 2
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"initial_alpha": self.initial_alpha, "shared_axes": self.shared_axes}


def dead_fraction(x, kernel, bias, derivative):
    slopes = np.asarray(derivative(np.einsum("...i,ij->...j", x, kernel) + bias))
    alive = np.any(slopes.reshape(-1, slopes.shape[-1]) != 0, axis=0)
    return 1.0 - float(alive.sum()) / alive.size


def dead_after_step(x, kernel, bias, upstream, learning_rate):
    # a bias is the weight of an input that is always 1
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    weights = np.concatenate([kernel, bias[None]])
    weights = weights - learning_rate * x.T @ (upstream * (x @ weights > 0)) / len(x)
    return float(((x @ weights).max(axis=0) <= 0).mean())


def gradient_norms(x, kernels, biases, upstream, activation, derivative, residual=False):
    def down(hidden, layers):
        """The gradients by `hidden` and everything behind it, the nearest last."""
        if not layers:
            return [upstream]
        (kernel, bias), *rest = layers
        if residual and kernel.shape[0] != kernel.shape[1]:
            raise ValueError("no way around this layer")
        before = hidden @ kernel + bias
        gradients = down(activation(before) + residual * hidden if residual else activation(before), rest)
        own = (gradients[-1] * derivative(before)) @ np.transpose(kernel)
        return [*gradients, own + gradients[-1] if residual else own]

    gradients = down(x, list(zip(kernels, biases)))
    return np.array([np.sqrt(np.sum(np.square(gradient))) for gradient in reversed(gradients)])


def gradient_gain(norms):
    norms = np.asarray(norms, "float64")
    if norms.size < 2 or norms[-1] == 0:
        raise ValueError("expected two norms")
    with np.errstate(divide="ignore"):
        return float(np.exp(np.log(norms[0]) / (norms.size - 1) - np.log(norms[-1]) / (norms.size - 1)))


def gradient_flow(activation, derivative, scale, residual=False, depth=30, width=24, samples=8, seed=0):
    numbers = np.random.default_rng(seed).normal(size=(2 * samples + depth * width) * width)
    rows = numbers.reshape(-1, width)
    x, weights, upstream = np.split(rows, [samples, samples + depth * width])
    kernels = np.split(weights * (scale / np.sqrt(width)), depth)
    return gradient_norms(x, kernels, np.zeros((depth, 1)), upstream, activation, derivative, residual)
