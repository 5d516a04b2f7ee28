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
    raise NotImplementedError


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
    raise NotImplementedError


def identity_derivative(x):
    """f'(x) of the identity, elementwise; takes and returns what `identity` does."""
    raise NotImplementedError


def binary_step(x):
    """1 where x >= 0, otherwise 0; takes and returns what `identity` does."""
    raise NotImplementedError


def binary_step_derivative(x):
    """f'(x) of the binary step; at the jump, where it has none, 0."""
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


# Squashing


def sigmoid(x):
    """1 / (1 + exp(-x)), finite for every finite x."""
    raise NotImplementedError


def sigmoid_derivative(x):
    """f'(x) of the sigmoid; `x` is the sigmoid's input, not its output."""
    raise NotImplementedError


def tanh(x):
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x)), finite for every finite x; accurate near 0."""
    raise NotImplementedError


def tanh_derivative(x):
    """f'(x) of tanh; `x` is the input of tanh, not its output."""
    raise NotImplementedError


# Rectifiers


def relu(x):
    """max(x, 0)."""
    raise NotImplementedError


def relu_derivative(x):
    """f'(x) of ReLU; 0 at 0."""
    raise NotImplementedError


def leaky_relu(x, slope=0.01):
    """x where x > 0, otherwise slope * x (Maas, Hannun and Ng, 2013). `slope` is any float."""
    raise NotImplementedError


def leaky_relu_derivative(x, slope=0.01):
    """f'(x) of leaky ReLU; `slope` at 0."""
    raise NotImplementedError


def elu(x, alpha=1.0):
    """x where x > 0, otherwise alpha * (exp(x) - 1) (Clevert, Unterthiner and Hochreiter, 2015)."""
    raise NotImplementedError


def elu_derivative(x, alpha=1.0):
    """f'(x) of ELU; `alpha` at 0."""
    raise NotImplementedError


# Smooth


def _softplus(x):
    """log(1 + exp(x)), finite for every finite x.

    A helper that the tests never call: use it, change it or delete it.
    """
    raise NotImplementedError


def swish(x, beta=1.0):
    """x * sigmoid(beta * x) (Ramachandran, Zoph and Le, 2017); with beta = 1 also called SiLU."""
    raise NotImplementedError


def swish_derivative(x, beta=1.0):
    """f'(x) of swish."""
    raise NotImplementedError


def mish(x):
    """x * tanh(log(1 + exp(x))) (Misra, 2019)."""
    raise NotImplementedError


def mish_derivative(x):
    """f'(x) of mish."""
    raise NotImplementedError


# Softmax


def softmax(x, axis=-1):
    """exp(x) / sum(exp(x)), the sum along `axis`.

    Args:
        x: array or tensor of a floating dtype, of rank 1 or more.
        axis: int, may be negative: the axis along which the result adds up to 1.

    Returns:
        A tensor of the shape and dtype of `x`.
    """
    raise NotImplementedError


def softmax_jacobian(x):
    """Every softmax output by every input.

    Args:
        x: vector (n,) of a floating dtype.

    Returns:
        A tensor (n, n) of the dtype of `x`: row i, column j holds the derivative of output i by input j.

    Raises:
        ValueError: `x` is not a vector.
    """
    raise NotImplementedError


def softmax_jvp(x, vector, axis=-1):
    """The Jacobian of the softmax along `axis`, times `vector`: how fast the output changes along that direction.

    Args:
        x: array or tensor of a floating dtype, of rank 1 or more.
        vector: the same shape and dtype.
        axis: int, may be negative.

    Returns:
        A tensor of the shape and dtype of `x`.
    """
    raise NotImplementedError


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
        raise NotImplementedError

    def call(self, inputs):
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


def gradient_gain(norms):
    """The factor by which one layer multiplies the gradient's norm on its way to the input, on (geometric) average.

    Args:
        norms: array or list of depth + 1 norms, as `gradient_norms` returns them.

    Returns:
        float, the depth-th root of norms[0] / norms[depth]; 0.0 if norms[0] is 0.

    Raises:
        ValueError: fewer than two norms, or a last one that is not above 0.
    """
    raise NotImplementedError


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
    raise NotImplementedError
