"""Activation functions, their derivatives, and what they do to gradients; written with `keras.ops`.

Wherever a function has a corner or a jump, 0 belongs to the negative side, except for the binary step.
"""

import keras
import numpy as np
from keras import ops


def _floating(x):
    """`x` as a tensor, if its dtype is a floating one.

    A helper that the tests never call: use it, change it or delete it.

    Raises:
        TypeError: any other dtype; the text names it.
    """
    # BEGIN SOLUTION
    x = ops.convert_to_tensor(x)
    dtype = keras.backend.standardize_dtype(x.dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise TypeError(f"expected a floating dtype, received {dtype}")
    return x
    # END SOLUTION


# Without a bend


def identity(x):
    """f(x) = x.

    Args:
        x: array or tensor of a floating dtype, any shape. So for every function of this module that takes an `x`
            and says nothing else.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        TypeError: the dtype of `x` is an integer's or bool; the text names it.
    """
    # BEGIN SOLUTION
    return _floating(x)
    # END SOLUTION


def identity_derivative(x):
    """f'(x) of the identity, elementwise; takes and returns what `identity` does."""
    # BEGIN SOLUTION
    return ops.ones_like(_floating(x))
    # END SOLUTION


def binary_step(x):
    """1 where x >= 0, otherwise 0; takes and returns what `identity` does."""
    # BEGIN SOLUTION
    x = _floating(x)
    return ops.cast(x >= 0, x.dtype)
    # END SOLUTION


def binary_step_derivative(x):
    """f'(x) of the binary step; at the jump, where it has none, 0."""
    # BEGIN SOLUTION
    return ops.zeros_like(_floating(x))
    # END SOLUTION


def dense(x, kernel, bias, activation):
    """A dense layer: activation(x @ kernel + bias).

    Args:
        x: array or tensor (..., n).
        kernel: (n, m), of the dtype of `x`.
        bias: (m,).
        activation: function of an array of pre-activations (..., m); returns an array of that shape.

    Returns:
        Array or tensor (..., m).
    """
    # BEGIN SOLUTION
    return activation(ops.matmul(x, kernel) + bias)
    # END SOLUTION


def collapse(kernels, biases):
    """The one linear layer that computes what a stack of linear layers does.

    Args:
        kernels: list of arrays, (n0, n1), (n1, n2), ..., the first one nearest to the input.
        biases: list of arrays, (n1,), (n2,), ..., as many as kernels.

    Returns:
        A tuple (kernel, bias) of shapes (n0, last) and (last,).

    Raises:
        ValueError: no layer, not as many biases as kernels, or a kernel that does not fit the one before it.
    """
    # BEGIN SOLUTION
    if not kernels or len(kernels) != len(biases):
        raise ValueError(f"expected kernels and as many biases, received {len(kernels)} and {len(biases)}")
    kernel, bias = kernels[0], biases[0]
    for following, shift in zip(kernels[1:], biases[1:], strict=True):
        if kernel.shape[-1] != following.shape[0]:
            raise ValueError(f"expected {kernel.shape[-1]} rows in a kernel, received {following.shape[0]}")
        kernel = ops.matmul(kernel, following)
        bias = ops.matmul(bias, following) + shift
    return kernel, bias
    # END SOLUTION


# Squashing


def sigmoid(x):
    """1 / (1 + exp(-x)), finite for every finite x."""
    # BEGIN SOLUTION
    x = _floating(x)
    positive = x >= 0
    z = ops.exp(ops.where(positive, -x, x))
    return ops.where(positive, 1, z) / (1 + z)
    # END SOLUTION


def sigmoid_derivative(x):
    """f'(x) of the sigmoid; `x` is the sigmoid's input, not its output."""
    # BEGIN SOLUTION
    y = sigmoid(x)
    return y * (1 - y)
    # END SOLUTION


def tanh(x):
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x)), finite for every finite x; accurate near 0."""
    # BEGIN SOLUTION
    x = _floating(x)
    positive = x >= 0
    u = ops.expm1(ops.where(positive, -2 * x, 2 * x))
    return ops.where(positive, -u, u) / (2 + u)
    # END SOLUTION


def tanh_derivative(x):
    """f'(x) of tanh; `x` is the input of tanh, not its output."""
    # BEGIN SOLUTION
    return 1 - ops.square(tanh(x))
    # END SOLUTION


# Rectifiers


def relu(x):
    """max(x, 0)."""
    # BEGIN SOLUTION
    return ops.maximum(_floating(x), 0)
    # END SOLUTION


def relu_derivative(x):
    """f'(x) of ReLU; 0 at 0."""
    # BEGIN SOLUTION
    x = _floating(x)
    return ops.cast(x > 0, x.dtype)
    # END SOLUTION


def leaky_relu(x, slope=0.01):
    """x where x > 0, otherwise slope * x (Maas, Hannun and Ng, 2013). `slope` is any float."""
    # BEGIN SOLUTION
    x = _floating(x)
    return ops.where(x > 0, x, slope * x)
    # END SOLUTION


def leaky_relu_derivative(x, slope=0.01):
    """f'(x) of leaky ReLU; `slope` at 0."""
    # BEGIN SOLUTION
    x = _floating(x)
    return ops.where(x > 0, ops.ones_like(x), slope)
    # END SOLUTION


def elu(x, alpha=1.0):
    """x where x > 0, otherwise alpha * (exp(x) - 1) (Clevert, Unterthiner and Hochreiter, 2015)."""
    # BEGIN SOLUTION
    x = _floating(x)
    return ops.where(x > 0, x, alpha * ops.expm1(ops.minimum(x, 0)))
    # END SOLUTION


def elu_derivative(x, alpha=1.0):
    """f'(x) of ELU; `alpha` at 0."""
    # BEGIN SOLUTION
    x = _floating(x)
    return ops.where(x > 0, 1, alpha * ops.exp(ops.minimum(x, 0)))
    # END SOLUTION


# Smooth


def _softplus(x):
    """log(1 + exp(x)), finite for every finite x.

    A helper that the tests never call: use it, change it or delete it.
    """
    # BEGIN SOLUTION
    positive = x >= 0
    return ops.where(positive, x, 0) + ops.log1p(ops.exp(ops.where(positive, -x, x)))
    # END SOLUTION


def swish(x, beta=1.0):
    """x * sigmoid(beta * x) (Ramachandran, Zoph and Le, 2017); with beta = 1 also called SiLU."""
    # BEGIN SOLUTION
    x = _floating(x)
    return x * sigmoid(beta * x)
    # END SOLUTION


def swish_derivative(x, beta=1.0):
    """f'(x) of swish."""
    # BEGIN SOLUTION
    x = _floating(x)
    gate = sigmoid(beta * x)
    return gate + beta * x * gate * (1 - gate)
    # END SOLUTION


def mish(x):
    """x * tanh(log(1 + exp(x))) (Misra, 2019)."""
    # BEGIN SOLUTION
    x = _floating(x)
    return x * tanh(_softplus(x))
    # END SOLUTION


def mish_derivative(x):
    """f'(x) of mish."""
    # BEGIN SOLUTION
    x = _floating(x)
    gate = tanh(_softplus(x))
    return gate + x * (1 - ops.square(gate)) * sigmoid(x)
    # END SOLUTION


# Softmax


def softmax(x, axis=-1):
    """exp(x) / sum(exp(x)), the sum along `axis`.

    Args:
        x: array or tensor of a floating dtype, of rank 1 or more.
        axis: int, may be negative: the axis along which the result adds up to 1.

    Returns:
        A tensor of the shape and dtype of `x`.
    """
    # BEGIN SOLUTION
    x = _floating(x)
    powers = ops.exp(x - ops.max(x, axis=axis, keepdims=True))
    return powers / ops.sum(powers, axis=axis, keepdims=True)
    # END SOLUTION


def softmax_jacobian(x):
    """Every softmax output by every input.

    Args:
        x: vector (n,) of a floating dtype.

    Returns:
        A tensor (n, n) of the dtype of `x`: row i, column j holds the derivative of output i by input j.

    Raises:
        ValueError: `x` is not a vector.
    """
    # BEGIN SOLUTION
    x = _floating(x)
    if len(x.shape) != 1:
        raise ValueError(f"expected a vector, received shape {tuple(x.shape)}")
    y = softmax(x)
    return ops.diag(y) - ops.outer(y, y)
    # END SOLUTION


def softmax_jvp(x, vector, axis=-1):
    """The Jacobian of the softmax along `axis`, times `vector`: how fast the output changes along that direction.

    Args:
        x: array or tensor of a floating dtype, of rank 1 or more.
        vector: the same shape and dtype.
        axis: int, may be negative.

    Returns:
        A tensor of the shape and dtype of `x`.
    """
    # BEGIN SOLUTION
    y = softmax(x, axis)
    return y * (vector - ops.sum(y * vector, axis=axis, keepdims=True))
    # END SOLUTION


# A slope that is trained


@keras.saving.register_keras_serializable(package="dlquiz")
class PReLU(keras.layers.Layer):
    """Parametric ReLU (He, Zhang, Ren and Sun, 2015): x where x > 0, otherwise alpha * x, with a trained alpha.

    Args:
        initial_alpha: float, what every alpha starts at.
        shared_axes: None, or a list of ints: the axes along which all positions share one alpha. Counted as in
            the input, where 0 is the batch, which has no alpha of its own in any case; may be negative.

    Input: float tensor of rank 2 or more, batch first. The sizes of axes that are not shared are known.
    Output: the same shape, dtype `compute_dtype`.
    Weight: `alpha`, trained, of the input's shape without the batch, with size 1 on the shared axes.

    Raises (from `build`):
        ValueError: a shared axis that is the batch or that the input does not have; an axis of unknown size that
            is not shared.
    """

    def __init__(self, initial_alpha=0.25, shared_axes=None, **kwargs):
        super().__init__(**kwargs)
        self.initial_alpha = initial_alpha
        self.shared_axes = shared_axes

    def build(self, input_shape):
        # BEGIN SOLUTION
        rank = len(input_shape)
        axes = self.shared_axes or []
        if any(axis not in range(-rank, rank) or axis % rank == 0 for axis in axes):
            raise ValueError(f"expected shared axes from 1 to {rank - 1}, received {axes}")
        shared = {axis % rank for axis in axes}
        shape = [1 if axis in shared else input_shape[axis] for axis in range(1, rank)]
        if None in shape:
            raise ValueError(f"expected every axis shared or of a known size, received {tuple(input_shape)}")
        self.alpha = self.add_weight(
            name="alpha", shape=shape, initializer=keras.initializers.Constant(self.initial_alpha)
        )
        # END SOLUTION

    def call(self, inputs):
        # BEGIN SOLUTION
        return ops.where(inputs > 0, inputs, self.alpha * inputs)
        # END SOLUTION

    def compute_output_shape(self, input_shape):
        # BEGIN SOLUTION
        return input_shape
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        own = {"initial_alpha": self.initial_alpha, "shared_axes": self.shared_axes}
        return {**super().get_config(), **own}
        # END SOLUTION


# Dead units


def dead_fraction(x, kernel, bias, derivative):
    """The fraction of a dense layer's units that no sample of a batch sends a gradient through.

    Args:
        x: array (..., n), a batch of inputs; every axis but the last counts samples.
        kernel: (n, units), of the dtype of `x`.
        bias: (units,).
        derivative: function, the activation's derivative at pre-activations (..., units).

    Returns:
        float from 0 to 1: the fraction of units whose derivative is exactly 0 for every sample.
    """
    # BEGIN SOLUTION
    slopes = derivative(ops.matmul(x, kernel) + bias)
    dead = ops.all(ops.equal(slopes, 0), axis=tuple(range(len(slopes.shape) - 1)))
    return float(ops.mean(ops.cast(dead, "float32")))
    # END SOLUTION


def dead_after_step(x, kernel, bias, upstream, learning_rate):
    """The fraction of dead ReLU units after one step of gradient descent, measured on the same batch.

    The layer is relu(x @ kernel + bias); the loss is sum(upstream * output) / N. The step updates kernel and bias.

    Args:
        x: array (N, n).
        kernel: (n, units), of the dtype of `x`.
        bias: (units,).
        upstream: (N, units).
        learning_rate: float, 0 or more.

    Returns:
        float from 0 to 1. The arrays that were given stay as they are.
    """
    # BEGIN SOLUTION
    active = ops.matmul(x, kernel) + bias > 0
    delta = ops.where(active, upstream, 0) / x.shape[0]
    kernel = kernel - learning_rate * ops.matmul(ops.transpose(x), delta)
    bias = bias - learning_rate * ops.sum(delta, axis=0)
    return dead_fraction(x, kernel, bias, relu_derivative)
    # END SOLUTION


# Gradients through depth


def gradient_norms(x, kernels, biases, upstream, activation, derivative, residual=False):
    """How much gradient arrives at each depth of a stack of dense layers.

    With h[0] = x, layer k computes h[k + 1] = activation(h[k] @ kernels[k] + biases[k]), plus h[k] where `residual`
    is true. The loss is sum(upstream * h[depth]).

    Args:
        x: float64 array (N, n0).
        kernels: list of float64 arrays (n0, n1), (n1, n2), ...
        biases: list of float64 arrays (n1,), (n2,), ...
        upstream: float64 array of the shape of the last layer's output.
        activation: function of an array of pre-activations, elementwise.
        derivative: function, the activation's derivative at an array of pre-activations, elementwise.
        residual: bool, whether each layer's input is added to its output.

    Returns:
        List or array of depth + 1 floats: the Frobenius norm of dloss/dh[k] for k = 0, ..., depth.

    Raises:
        ValueError: `residual`, and a kernel that is not square.
    """
    # BEGIN SOLUTION
    if residual and any(rows != columns for rows, columns in map(np.shape, kernels)):
        raise ValueError(f"expected square kernels, received {[np.shape(kernel) for kernel in kernels]}")
    hidden, slopes = x, []
    for kernel, bias in zip(kernels, biases, strict=True):
        before = hidden @ kernel + bias
        slopes.append(ops.convert_to_numpy(derivative(before)))
        hidden = ops.convert_to_numpy(activation(before)) + (hidden if residual else 0)
    gradient = upstream
    norms = [np.linalg.norm(gradient)]
    for kernel, slope in zip(reversed(kernels), reversed(slopes), strict=True):
        gradient = (gradient * slope) @ kernel.T + (gradient if residual else 0)
        norms.append(np.linalg.norm(gradient))
    return norms[::-1]
    # END SOLUTION


def gradient_gain(norms):
    """The factor by which one layer multiplies the gradient's norm on its way to the input, on (geometric) average.

    Args:
        norms: array or list of depth + 1 norms, as `gradient_norms` returns them.

    Returns:
        float, the depth-th root of norms[0] / norms[depth]; 0.0 if norms[0] is 0.

    Raises:
        ValueError: fewer than two norms, or a last one that is not above 0.
    """
    # BEGIN SOLUTION
    if len(norms) < 2 or not norms[-1] > 0:
        raise ValueError(f"expected two norms or more, the last one above 0, received {norms}")
    if norms[0] == 0:
        return 0.0
    return float(np.exp((np.log(norms[0]) - np.log(norms[-1])) / (len(norms) - 1)))
    # END SOLUTION


def gradient_flow(activation, derivative, scale, residual=False, depth=30, width=24, samples=8, seed=0):
    """The norms of `gradient_norms` for a random stack.

    Everything is drawn from `numpy.random.default_rng(seed)` as standard normal numbers in float64, in this order:
    x (samples, width); the kernels (width, width), the first layer's first; upstream (samples, width). The kernels
    are then multiplied by scale / sqrt(width). Biases are 0.

    Args:
        activation, derivative, residual: as in `gradient_norms`.
        scale: float.
        depth, width, samples, seed: ints.

    Returns:
        List or array of depth + 1 floats.
    """
    # BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(samples, width))
    kernels = scale / np.sqrt(width) * rng.normal(size=(depth, width, width))
    upstream = rng.normal(size=(samples, width))
    biases = np.zeros((depth, width))
    return gradient_norms(x, list(kernels), list(biases), upstream, activation, derivative, residual)
    # END SOLUTION
