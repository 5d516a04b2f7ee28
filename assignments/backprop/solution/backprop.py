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
    # BEGIN SOLUTION
    return (x @ w + b >= 0).astype(int)
    # END SOLUTION


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
    # BEGIN SOLUTION
    if not np.isin(y, (0, 1)).all():
        raise ValueError(f"expected labels 0 and 1, received {np.unique(y)}")
    w, b, mistakes = np.zeros(x.shape[1]), 0.0, []
    for _ in range(max_epochs):
        count = 0
        for row, label in zip(x, y, strict=True):
            error = int(label) - int(row @ w + b >= 0)
            w = w + error * row
            b += error
            count += abs(error)
        mistakes.append(count)
        if count == 0:
            break
    return w, b, mistakes
    # END SOLUTION


def best_linear_accuracy(x, y):
    """The highest accuracy that any line in the plane can have.

    Args:
        x: array (n, 2) with 1 to 8 different points, whose coordinates are whole numbers from 0 to 4.
        y: array (n,) of 0 and 1.

    Returns:
        A float.
    """
    # BEGIN SOLUTION
    best = 0
    # no two points share a projection at half degrees, and each order of the points has some of them
    for angle in np.deg2rad(np.arange(360) + 0.5):
        ranked = y[np.argsort(x @ [np.cos(angle), np.sin(angle)])]
        gains = np.cumsum(1 - 2 * ranked)  # of saying 0 to the points up to here instead of 1
        best = max(best, ranked.sum() + max(0, gains.max()))
    return float(best / len(y))
    # END SOLUTION


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
    # BEGIN SOLUTION
    either, both = 2 * low + (high - low) * np.array([0.5, 1.5])
    return [
        {"w": np.ones((2, 2)), "b": np.array([-either, -both]), "activation": "step"},
        {"w": np.array([[1.0], [-1.0]]), "b": np.array([-0.5]), "activation": "step"},
    ]
    # END SOLUTION


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
    # BEGIN SOLUTION
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"expected two or more sizes of at least 1, received {sizes}")
    return sum((rows + use_bias) * columns for rows, columns in pairwise(sizes))
    # END SOLUTION


# Forward


def _value_and_slope(name, z):
    """An activation and its derivative at z, by name.

    A helper that the tests never call: use it, change it or delete it.

    Raises:
        ValueError: an unknown name.
    """
    # BEGIN SOLUTION
    match name:
        case "linear":
            return z, np.ones_like(z)
        case "step":
            return np.where(z >= 0, 1.0, 0.0), np.zeros_like(z)
        case "sigmoid":
            value = np.exp(-np.logaddexp(0, -z))
            return value, value * (1 - value)
        case "tanh":
            value = np.tanh(z)
            return value, 1 - value**2
        case "relu":
            return np.maximum(z, 0), np.where(z > 0, 1.0, 0.0)
        case "leaky_relu":
            slope = np.where(z > 0, 1.0, 0.2)
            return slope * z, slope
    raise ValueError(f"expected the name of an activation, received {name!r}")
    # END SOLUTION


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
    # BEGIN SOLUTION
    return _value_and_slope(name, z)[0]
    # END SOLUTION


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
    # BEGIN SOLUTION
    values = {"a0": x}
    for number, layer in enumerate(layers, 1):
        rows, columns = layer["w"].shape
        if x.shape[1] != rows:
            raise ValueError(f"layer {number}: expected {rows} inputs, received {x.shape[1]}")
        if layer.get("skip") and rows != columns:
            raise ValueError(f"layer {number}: expected {rows} outputs, received {columns}")
        z = x @ layer["w"] + layer["b"]
        x = activate(layer["activation"], z) + (x if layer.get("skip") else 0)
        values |= {f"z{number}": z, f"a{number}": x}
    return values
    # END SOLUTION


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
    # BEGIN SOLUTION
    return upstream * _value_and_slope(name, z)[1]
    # END SOLUTION


def dense_backward(x, w, upstream):
    """Pull a gradient back through y = x @ w + b.

    Args:
        x: array (N, n).
        w: array (n, m).
        upstream: array (N, m), the gradient with respect to y.

    Returns:
        A tuple (dx, dw, db), shaped like x, w and b.
    """
    # BEGIN SOLUTION
    return upstream @ w.T, x.T @ upstream, upstream.sum(axis=0)
    # END SOLUTION


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
    # BEGIN SOLUTION
    if prediction.shape != target.shape:
        raise ValueError(f"expected targets of shape {prediction.shape}, received {target.shape}")
    match name:
        case "mean_squared_error":
            error = prediction - target
            return float(np.mean(error**2)), 2 * error / error.size
        case "binary_crossentropy":
            costs = np.logaddexp(0, prediction) - target * prediction
            return float(np.mean(costs)), (activate("sigmoid", prediction) - target) / target.size
        case "categorical_crossentropy":
            logs = prediction - np.logaddexp.reduce(prediction, axis=1, keepdims=True)
            return float(-np.sum(target * logs) / len(logs)), (np.exp(logs) - target) / len(logs)
    raise ValueError(f"expected the name of a loss, received {name!r}")
    # END SOLUTION


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
    # BEGIN SOLUTION
    gradients = []
    for number in range(len(layers), 0, -1):
        layer = layers[number - 1]
        dz = activation_backward(layer["activation"], values[f"z{number}"], upstream)
        dx, dw, db = dense_backward(values[f"a{number - 1}"], layer["w"], dz)
        gradients.append({"w": dw, "b": db})
        upstream = dx + upstream if layer.get("skip") else dx
    return gradients[::-1], upstream
    # END SOLUTION


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
    # BEGIN SOLUTION
    x = np.array(x, "float64")
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + step
        above = f(x)
        x[index] = kept - step
        gradient[index] = (above - f(x)) / (2 * step)
        x[index] = kept
    return gradient
    # END SOLUTION


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
    # BEGIN SOLUTION
    analytic, numeric = np.asarray(analytic, "float64"), np.asarray(numeric, "float64")
    if analytic.shape != numeric.shape:
        raise ValueError(f"expected a gradient of shape {numeric.shape}, received {analytic.shape}")
    finite = np.isfinite(analytic) & np.isfinite(numeric)
    a, n = np.where(finite, analytic, 0), np.where(finite, numeric, 0)
    error = np.abs(a - n) / np.maximum(np.maximum(np.abs(a), np.abs(n)), floor)
    return np.where(finite, error, np.inf)
    # END SOLUTION


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
    # BEGIN SOLUTION
    x = np.array(x, "float64")
    analytic = np.asarray(gradient(x.copy()), "float64")
    failed = relative_error(analytic, numeric_gradient(f, x, step)) > tolerance
    here, found = f(x.copy()), {"wrong": [], "kinks": []}
    for index in zip(*map(np.ndarray.tolist, np.nonzero(failed)), strict=True):
        slopes = []
        for shift in (step, -step):
            moved = x.copy()
            moved[index] += shift
            slopes.append((f(moved) - here) / shift)
        excused = min(slopes) - 10 * step <= analytic[index] <= max(slopes) + 10 * step
        found["kinks" if excused else "wrong"].append(index)
    return found
    # END SOLUTION


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
        # BEGIN SOLUTION
        result = Tensor(data)
        result.sources = sources
        return result
        # END SOLUTION

    def __add__(self, other):
        # BEGIN SOLUTION
        other = _tensor(other)
        return self._result(self.data + other.data, (self, lambda g: g), (other, lambda g: g))
        # END SOLUTION

    def __mul__(self, other):
        # BEGIN SOLUTION
        other = _tensor(other)
        return self._result(
            self.data * other.data, (self, lambda g: g * other.data), (other, lambda g: g * self.data)
        )
        # END SOLUTION

    def __matmul__(self, other):
        # BEGIN SOLUTION
        other = _tensor(other)
        return self._result(
            self.data @ other.data, (self, lambda g: g @ other.data.T), (other, lambda g: self.data.T @ g)
        )
        # END SOLUTION

    def __pow__(self, power):
        # BEGIN SOLUTION
        return self._result(self.data**power, (self, lambda g: g * power * self.data ** (power - 1)))
        # END SOLUTION

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
        # BEGIN SOLUTION
        value = np.exp(self.data)
        return self._result(value, (self, lambda g: g * value))
        # END SOLUTION

    def log(self):
        # BEGIN SOLUTION
        return self._result(np.log(self.data), (self, lambda g: g / self.data))
        # END SOLUTION

    def tanh(self):
        # BEGIN SOLUTION
        value = np.tanh(self.data)
        return self._result(value, (self, lambda g: g * (1 - value**2)))
        # END SOLUTION

    def relu(self):
        """max(data, 0), with derivative 0 at 0."""
        # BEGIN SOLUTION
        return self._result(np.maximum(self.data, 0), (self, lambda g: g * (self.data > 0)))
        # END SOLUTION

    def sum(self, axis=None):
        """The sum over all axes, or over one, which may be negative and is dropped."""
        # BEGIN SOLUTION
        shape = self.data.shape

        def spread(g):
            return np.broadcast_to(g if axis is None else np.expand_dims(g, axis), shape)

        return self._result(self.data.sum(axis=axis), (self, spread))
        # END SOLUTION

    def backward(self, upstream=None):
        """Fill `grad` of this tensor and of all tensors that it was computed from, starting from zero.

        Args:
            upstream: array of the shape of `data`, the gradient with respect to this tensor; None stands for 1.

        Raises:
            ValueError: no upstream where `data` has more than one number, or one of another shape.
        """
        # BEGIN SOLUTION
        if upstream is None and self.data.size != 1:
            raise ValueError(f"expected an upstream gradient for shape {self.data.shape}, received none")
        upstream = np.ones_like(self.data) if upstream is None else np.array(upstream, "float64")
        if upstream.shape != self.data.shape:
            raise ValueError(f"expected a gradient of shape {self.data.shape}, received {upstream.shape}")
        order, seen, todo = [], set(), [(self, False)]
        while todo:
            node, is_done = todo.pop()
            if is_done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                node.grad = np.zeros_like(node.data)
                todo.append((node, True))
                todo += [(source, False) for source, _ in node.sources]
        self.grad = upstream
        for node in reversed(order):
            for source, pull in node.sources:
                source.grad += _fold(pull(node.grad), source.data.shape)
        # END SOLUTION


def _tensor(value):
    """`value` if it is a Tensor, otherwise a Tensor of it.

    A helper that the tests never call: use it, change it or delete it.
    """
    return value if isinstance(value, Tensor) else Tensor(value)


def _fold(gradient, shape):
    """A gradient of a broadcast operand, summed to the operand's own shape.

    A helper that the tests never call: use it, change it or delete it.
    """
    # BEGIN SOLUTION
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return gradient.sum(axis=stretched, keepdims=True)
    # END SOLUTION


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
    # BEGIN SOLUTION
    path = [w]
    for _ in range(steps):
        path.append(path[-1] - learning_rate * gradient(path[-1]))
    return np.stack(path)
    # END SOLUTION


def critical_learning_rate(hessian):
    """The learning rate below which gradient descent on half of w @ hessian @ w converges from every start.

    Args:
        hessian: symmetric array (d, d) with positive eigenvalues.

    Returns:
        A float.
    """
    # BEGIN SOLUTION
    return float(2 / np.linalg.eigvalsh(hessian).max())
    # END SOLUTION


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
    # BEGIN SOLUTION
    for steps in range(max_steps + 1):
        dw = gradient(w)
        if np.linalg.norm(dw) <= tolerance:
            return steps
        w = w - learning_rate * dw
    return None
    # END SOLUTION


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
    # BEGIN SOLUTION
    losses = []
    for step in range(steps + 1):
        values = forward(layers, x)
        value, upstream = loss_and_gradient(loss, values[f"a{len(layers)}"], y)
        losses.append(value)
        if step < steps:
            gradients, _ = backward(layers, values, upstream)
            layers = [
                {**layer, **{key: layer[key] - learning_rate * slope for key, slope in gradient.items()}}
                for layer, gradient in zip(layers, gradients, strict=True)
            ]
    return layers, losses
    # END SOLUTION
