"""Backpropagation from the perceptron to automatic differentiation, in float64 NumPy.

A network is a list of layers, a layer a dict: "w" (n, m), "b" (m,), "activation" (a name) and perhaps "skip" (a bool:
the layer's input is added to its output).
"""

from itertools import pairwise

import numpy as np

# The perceptron


def perceptron_predict(x, w, b):
    """1 where x @ w + b is 0 or more, otherwise 0.

    Args:
        x: array (n, d).
        w: array (d,).
        b: float.

    Returns:
        Integer array (n,).
    """
    raise NotImplementedError


def train_perceptron(x, y, max_epochs=100):
    """Rosenblatt's rule, sample by sample, from zeros, until an epoch passes without a mistake.

    Args:
        x: array (n, d).
        y: array (n,) of 0 and 1.
        max_epochs: int.

    Returns:
        A tuple (w, b, mistakes): array (d,), float, and the list of each epoch's number of mistakes.

    Raises:
        ValueError: a label that is neither 0 nor 1.
    """
    raise NotImplementedError


def best_linear_accuracy(x, y):
    """The highest accuracy that any line in the plane can have.

    Args:
        x: array (n, 2) with 1 to 8 different points, whose coordinates are whole numbers from 0 to 4.
        y: array (n,) of 0 and 1.

    Returns:
        A float.
    """
    raise NotImplementedError


# A network for XOR


def xor_network(low, high):
    """Two step layers that tell whether exactly one of two inputs is `high`.

    Args:
        low: float, what stands for 0.
        high: float above `low`, what stands for 1.

    Returns:
        A list of two layers with w of shapes (2, 2) and (2, 1), b of shapes (2,) and (1,). The output is right for
        inputs that are off by up to a fifth of high - low.
    """
    raise NotImplementedError


def count_parameters(sizes, use_bias=True):
    """The number of weights and biases of a dense network.

    Args:
        sizes: list of ints: inputs, then the units of each layer.
        use_bias: bool; without it the layers have no biases.

    Returns:
        An int.

    Raises:
        ValueError: fewer than two sizes, or one below 1.
    """
    raise NotImplementedError


# Forward


def _value_and_slope(name, z):
    """An activation and its derivative at z, by name.

    A helper that the tests never call: use it, change it or delete it.

    Raises:
        ValueError: an unknown name.
    """
    raise NotImplementedError


def activate(name, z):
    """The value of an activation.

    Args:
        name: "linear", "step", "sigmoid", "tanh", "relu" or "leaky_relu".
        z: array of any shape.

    Returns:
        An array of the shape of z.

    Raises:
        ValueError: an unknown name.
    """
    raise NotImplementedError


def forward(layers, x):
    """Run a network and keep every value.

    Args:
        layers: list of layers.
        x: array (N, n).

    Returns:
        A dict of arrays: "a0" is x; "z1", "z2", ... are the pre-activations, "a1", "a2", ... the layers' outputs.

    Raises:
        ValueError: a layer does not fit what comes in, or has a skip connection and changes the width.
    """
    raise NotImplementedError


# The chain rule, piece by piece


def activation_backward(name, z, upstream):
    """Pull a gradient back through an activation.

    Args:
        name: as in `activate`.
        z: array, what the activation was given.
        upstream: array of the shape of z, the gradient with respect to the activation's value.

    Returns:
        The gradient with respect to z.

    Raises:
        ValueError: an unknown name.
    """
    raise NotImplementedError


def dense_backward(x, w, upstream):
    """Pull a gradient back through y = x @ w + b.

    Args:
        x: array (N, n).
        w: array (n, m).
        upstream: array (N, m), the gradient with respect to y.

    Returns:
        A tuple (dx, dw, db), shaped like x, w and b.
    """
    raise NotImplementedError


def loss_and_gradient(name, prediction, target):
    """A loss, and its gradient with respect to the predictions.

    Args:
        name: "mean_squared_error", "binary_crossentropy" or "categorical_crossentropy"; the last two from logits.
        prediction: array (N, K).
        target: array (N, K).

    Returns:
        A tuple (loss, gradient): a float and an array (N, K).

    Raises:
        ValueError: an unknown name, or shapes that differ.
    """
    raise NotImplementedError


# Backward


def backward(layers, values, upstream):
    """Backpropagation through a network.

    Args:
        layers: list of layers.
        values: dict, what `forward` returned.
        upstream: array, the gradient with respect to the last layer's output.

    Returns:
        A tuple (gradients, dx): a list with a dict {"w": ..., "b": ...} for each layer, the first layer first, and the
        gradient with respect to the network's input.
    """
    raise NotImplementedError


# Numeric gradients and gradient checking


def numeric_gradient(f, x, step=1e-5):
    """Central differences, (f(x + step) - f(x - step)) / (2 step) for each entry.

    Args:
        f: function of a float64 array of the shape of x; returns a float.
        x: array with one axis or more, of any real dtype; it does not change.
        step: float, how far an entry is moved.

    Returns:
        A float64 array of the shape of x.
    """
    raise NotImplementedError


def relative_error(analytic, numeric, floor=1e-3):
    """|a - n| / max(|a|, |n|, floor), entry by entry (the notes of CS231n; the floor is ours).

    Args:
        analytic: array.
        numeric: array of the same shape.
        floor: float above 0.

    Returns:
        An array of that shape; infinity where either value is NaN or infinite.

    Raises:
        ValueError: shapes that differ.
    """
    raise NotImplementedError


def gradient_check(f, gradient, x, step=1e-5, tolerance=1e-5):
    """Compare an analytic gradient with the numeric one.

    Args:
        f: function of a float64 array of the shape of x; returns a float.
        gradient: function of such an array; returns the analytic gradient, right or wrong.
        x: array with one axis or more.
        step: float, for the numeric gradient and the one-sided slopes.
        tolerance: float; an entry fails if its relative error is above it.

    Returns:
        A dict {"wrong": [...], "kinks": [...]} of lists of index tuples of ints: failed entries, and those among them
        that have an excuse, a value between the two one-sided slopes (10 * step of slack).

    Raises:
        ValueError: the gradient's shape is not that of x.
    """
    raise NotImplementedError


# Automatic differentiation


class Tensor:
    """An array that remembers where it came from.

    Args:
        data: number or array; kept as a float64 array.

    Attributes:
        data: float64 array.
        grad: float64 array of the same shape; zeros until `backward` fills it.
    """

    __array_ufunc__ = None  # makes NumPy leave `array + tensor` to the tensor's __radd__

    def __init__(self, data):
        self.data = np.array(data, "float64")
        self.grad = np.zeros_like(self.data)
        # Where it came from: pairs of a tensor and a function that pulls a gradient back to it. Or keep it as you like.
        self.sources = []

    def _result(self, data, *sources):
        """A new tensor that came from `sources`: pairs of a tensor and a function from gradient to gradient.

        A helper that the tests never call: use it, change it or delete it.
        """
        raise NotImplementedError

    def __add__(self, other):
        raise NotImplementedError

    def __mul__(self, other):
        raise NotImplementedError

    def __matmul__(self, other):
        raise NotImplementedError

    def __pow__(self, power):
        raise NotImplementedError

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rmatmul__(self, other):
        return Tensor(other) @ self

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -1 * other

    def __rsub__(self, other):
        return -self + other

    def __truediv__(self, other):
        return self * (other**-1 if isinstance(other, Tensor) else 1 / other)

    def __rtruediv__(self, other):
        return self**-1 * other

    def exp(self):
        raise NotImplementedError

    def log(self):
        raise NotImplementedError

    def tanh(self):
        raise NotImplementedError

    def relu(self):
        """max(data, 0), with derivative 0 at 0."""
        raise NotImplementedError

    def sum(self, axis=None):
        """The sum over all axes, or over one, which may be negative and is dropped."""
        raise NotImplementedError

    def backward(self, upstream=None):
        """Fill `grad` of this tensor and of all tensors that it was computed from, starting from zero.

        Args:
            upstream: array of the shape of `data`, the gradient with respect to this tensor; None stands for 1.

        Raises:
            ValueError: no upstream where `data` has more than one number, or one of another shape.
        """
        raise NotImplementedError


def _tensor(value):
    """`value` if it is a Tensor, otherwise a Tensor of it.

    A helper that the tests never call: use it, change it or delete it.
    """
    return value if isinstance(value, Tensor) else Tensor(value)


def _fold(gradient, shape):
    """A gradient of a broadcast operand, summed to the operand's own shape.

    A helper that the tests never call: use it, change it or delete it.
    """
    raise NotImplementedError


# Gradient descent


def gradient_descent(gradient, w, learning_rate, steps):
    """Steps against the gradient.

    Args:
        gradient: function of an array like w; returns the gradient of the loss there.
        w: array, the weights to start from.
        learning_rate: float.
        steps: int, 0 or more.

    Returns:
        An array (steps + 1, *shape of w): the weights at the start and after each step.
    """
    raise NotImplementedError


def critical_learning_rate(hessian):
    """The learning rate below which gradient descent on half of w @ hessian @ w converges from every start.

    Args:
        hessian: symmetric array (d, d) with positive eigenvalues.

    Returns:
        A float.
    """
    raise NotImplementedError


def steps_to_converge(gradient, w, learning_rate, tolerance, max_steps):
    """How many steps gradient descent takes until the gradient is small.

    Args:
        gradient: function of an array like w; returns the gradient of the loss there.
        w: array, the weights to start from.
        learning_rate: float.
        tolerance: float, the Euclidean norm of the gradient that is small enough.
        max_steps: int, 0 or more.

    Returns:
        An int, or None if `max_steps` steps are not enough.
    """
    raise NotImplementedError


def train(layers, x, y, loss, learning_rate, steps):
    """Batch gradient descent on all weights and biases of a network.

    Args:
        layers: list of layers; they do not change.
        x: array (N, n).
        y: array (N, K), the targets.
        loss: name of a loss, as in `loss_and_gradient`.
        learning_rate: float.
        steps: int, 0 or more.

    Returns:
        A tuple (layers, losses): new layers, and a list of steps + 1 floats: the loss at the start and after each step.
    """
    raise NotImplementedError
