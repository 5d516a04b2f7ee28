"""The network in `keras.ops`, on whatever backend Keras has: and tensors come back."""

import numpy as np
from keras import ops


def _tensor(x):
    return ops.convert_to_tensor(x, "float64")


def perceptron_predict(x, w, b):
    return ops.cast(ops.greater_equal(ops.dot(_tensor(x), _tensor(w)) + b, 0), "int32")


def train_perceptron(x, y, max_epochs=100):
    """With the bias as one more weight."""
    if set(np.unique(y)) - {0, 1}:
        raise ValueError("labels are 0 and 1")
    rows = np.c_[x, np.ones(len(x))]
    weights, mistakes = np.zeros(rows.shape[1]), []
    while len(mistakes) < max_epochs and 0 not in mistakes:
        count = 0
        for row, label in zip(rows, y):
            error = label - np.heaviside(row @ weights, 1.0)
            weights += error * row
            count += int(error != 0)
        mistakes.append(count)
    return weights[:-1], weights[-1], mistakes


def best_linear_accuracy(x, y):
    """All directions, thresholds and signs in one comparison; the thresholds lie on a fine grid."""
    angles = np.linspace(0, np.pi, 180, endpoint=False) + 0.0123
    projections = x @ np.stack([np.cos(angles), np.sin(angles)])
    cuts = np.linspace(-6, 6, 2001)[:, None, None] + 1e-4
    accuracy = ((projections > cuts) == (np.asarray(y)[:, None] == 1)).mean(axis=1)
    return max(accuracy.max(), 1 - accuracy.min())


def xor_network(low, high):
    """Inputs scaled to -1 and 1; a NAND and an OR, and their AND."""
    scale, middle = 2 / (high - low), (high + low) / 2
    return [
        {
            "w": _tensor([[-scale, scale], [-scale, scale]]),
            "b": _tensor([2 * scale * middle + 1, 1 - 2 * scale * middle]),
            "activation": "step",
            "skip": False,
        },
        {"w": _tensor([[1.0], [1.0]]), "b": _tensor([-1.5]), "activation": "step", "skip": False},
    ]


def count_parameters(sizes, use_bias=True):
    sizes = np.asarray(sizes, "int64")
    if sizes.size < 2 or (sizes < 1).any():
        raise ValueError("no network")
    return sizes[:-1] @ sizes[1:] + bool(use_bias) * sizes[1:].sum()


def activate(name, z):
    z = _tensor(z)
    functions = {
        "linear": lambda z: z,
        "step": lambda z: ops.cast(ops.logical_not(ops.less(z, 0)), "float64"),
        "sigmoid": ops.sigmoid,
        "tanh": ops.tanh,
        "relu": ops.relu,
        "leaky_relu": lambda z: ops.where(z > 0, z, z / 5),
    }
    if name not in functions:
        raise ValueError(name)
    return functions[name](z)


def forward(layers, x):
    x = _tensor(x)
    values = {"a0": x}
    for number, layer in enumerate(layers, 1):
        if layer["w"].shape[0] != x.shape[1]:
            raise ValueError("the layer does not fit")
        z = ops.einsum("nk,km->nm", x, _tensor(layer["w"])) + _tensor(layer["b"])
        a = activate(layer["activation"], z)
        if layer.get("skip"):
            if a.shape != x.shape:
                raise ValueError("the skip does not fit")
            a = ops.add(a, x)
        values[f"z{number}"], values[f"a{number}"] = z, a
        x = a
    return values


def activation_backward(name, z, upstream):
    """From the value where that is enough."""
    value, upstream = activate(name, z), _tensor(upstream)
    if name == "sigmoid":
        return upstream * (value - value * value)
    if name == "tanh":
        return upstream * (1 - value * value)
    if name == "relu":
        return ops.where(value > 0, upstream, 0)
    if name == "leaky_relu":
        return ops.where(value > 0, upstream, upstream / 5)
    return upstream if name == "linear" else upstream * 0


def dense_backward(x, w, upstream):
    x, w, upstream = _tensor(x), _tensor(w), _tensor(upstream)
    return (
        ops.einsum("nm,km->nk", upstream, w),
        ops.einsum("nk,nm->km", x, upstream),
        ops.einsum("nm->m", upstream),
    )


def loss_and_gradient(name, prediction, target):
    if tuple(prediction.shape) != tuple(target.shape):
        raise ValueError("shapes differ")
    p, t = _tensor(prediction), _tensor(target)
    rows, columns = prediction.shape
    if name == "mean_squared_error":
        return float(ops.mean(ops.square(t - p))), (p - t) * (2 / (rows * columns))
    if name == "binary_crossentropy":
        return float(ops.mean(ops.softplus(p) - t * p)), (ops.sigmoid(p) - t) / (rows * columns)
    if name == "categorical_crossentropy":
        return float(-ops.sum(t * ops.log_softmax(p)) / rows), (ops.softmax(p) - t) / rows
    raise ValueError(name)


def backward(layers, values, upstream):
    gradients, upstream = [None] * len(layers), _tensor(upstream)
    for index in reversed(range(len(layers))):
        layer = layers[index]
        dz = activation_backward(layer["activation"], values[f"z{index + 1}"], upstream)
        around = upstream if layer.get("skip", False) else 0.0
        through, dw, db = dense_backward(values[f"a{index}"], layer["w"], dz)
        gradients[index], upstream = dict(w=dw, b=db), through + around
    return gradients, upstream


def numeric_gradient(f, x, step=1e-5):
    """All moved copies at once."""
    x = np.asarray(x, "float64")
    moves = step * np.eye(x.size).reshape(-1, *x.shape)
    rises = [f(x + move) - f(x - move) for move in moves]
    return np.reshape(rises, x.shape) / (2 * step)


def relative_error(analytic, numeric, floor=1e-3):
    if np.shape(analytic) != np.shape(numeric):
        raise ValueError("shapes differ")
    with np.errstate(invalid="ignore"):
        sizes = np.max([np.abs(analytic), np.abs(numeric), np.full(np.shape(numeric), floor)], axis=0)
        errors = np.abs(np.subtract(analytic, numeric)) / sizes
    errors[~np.isfinite(analytic) | ~np.isfinite(numeric)] = np.inf
    return errors


def gradient_check(f, gradient, x, step=1e-5, tolerance=1e-5):
    x = np.asarray(x, "float64")
    analytic = np.asarray(gradient(x))
    errors = relative_error(analytic, numeric_gradient(f, x, step))
    moves = step * np.eye(x.size).reshape(-1, *x.shape)
    slopes = np.array([[(f(x + move) - f(x)) / step, (f(x) - f(x - move)) / step] for move in moves])
    low, high = slopes.min(axis=1).reshape(x.shape), slopes.max(axis=1).reshape(x.shape)
    is_kink = (analytic >= low - 10 * step) & (analytic <= high + 10 * step)
    failed = errors > tolerance

    def indices(mask):
        return [tuple(map(int, index)) for index in np.argwhere(mask)]

    return {"wrong": indices(failed & ~is_kink), "kinks": indices(failed & is_kink)}


def _like(gradient, like):
    """Sum until it is shaped like `like`, as a product with ones would have been."""
    while gradient.ndim > like.ndim:
        gradient = gradient.sum(0)
    for axis, size in enumerate(like.shape):
        if size != gradient.shape[axis]:
            gradient = gradient.sum(axis, keepdims=True)
    return gradient


class Tensor:
    """A tape: every tensor has a number, and what it was made from has lower ones."""

    __array_priority__ = 1000
    made = 0

    def __init__(self, data):
        self.data = np.array(data, dtype="float64")
        self.grad = np.zeros(self.data.shape)
        self.back, self.parents = None, []
        Tensor.made += 1
        self.number = Tensor.made

    @staticmethod
    def wrap(value):
        return value if isinstance(value, Tensor) else Tensor(value)

    def _unary(self, data, factor):
        made = Tensor(data)
        made.parents = [self]

        def back():
            self.grad += made.grad * factor

        made.back = back
        return made

    def __add__(self, other):
        other = Tensor.wrap(other)
        made = Tensor(self.data + other.data)
        made.parents = [self, other]

        def back():
            self.grad += _like(made.grad, self.grad)
            other.grad += _like(made.grad, other.grad)

        made.back = back
        return made

    __radd__ = __add__

    def __mul__(self, other):
        other = Tensor.wrap(other)
        made = Tensor(self.data * other.data)
        made.parents = [self, other]

        def back():
            self.grad += _like(made.grad * other.data, self.grad)
            other.grad += _like(made.grad * self.data, other.grad)

        made.back = back
        return made

    __rmul__ = __mul__

    def __matmul__(self, other):
        other = Tensor.wrap(other)
        made = Tensor(np.dot(self.data, other.data))
        made.parents = [self, other]

        def back():
            self.grad += np.einsum("ij,kj->ik", made.grad, other.data)
            other.grad += np.einsum("ik,ij->kj", self.data, made.grad)

        made.back = back
        return made

    def __rmatmul__(self, other):
        return Tensor(other) @ self

    def __pow__(self, p):
        return self._unary(np.power(self.data, p), p * np.power(self.data, p - 1))

    def __neg__(self):
        return self._unary(-self.data, -1)

    def __sub__(self, other):
        return self + (-Tensor.wrap(other))

    def __rsub__(self, other):
        return Tensor(other) - self

    def __truediv__(self, other):
        return self * Tensor.wrap(other) ** -1.0

    def __rtruediv__(self, other):
        return Tensor(other) / self

    def exp(self):
        return self._unary(np.exp(self.data), np.exp(self.data))

    def log(self):
        return self._unary(np.log(self.data), 1 / self.data)

    def tanh(self):
        return self._unary(np.tanh(self.data), 1 - np.square(np.tanh(self.data)))

    def relu(self):
        return self._unary(np.where(self.data > 0, self.data, 0), np.sign(np.maximum(self.data, 0)))

    def sum(self, axis=None):
        made = Tensor(self.data.sum() if axis is None else self.data.sum(axis))
        made.parents = [self]

        def back():
            self.grad += made.grad if axis is None else np.expand_dims(made.grad, axis)

        made.back = back
        return made

    def backward(self, upstream=None):
        if upstream is None:
            if self.data.size != 1:
                raise ValueError("an upstream gradient is needed")
            upstream = np.ones(self.data.shape)
        if np.shape(upstream) != self.data.shape:
            raise ValueError("another shape")
        found, todo = {self.number: self}, [self]
        while todo:
            for parent in todo.pop().parents:
                if parent.number not in found:
                    found[parent.number] = parent
                    todo.append(parent)
        for tensor in found.values():
            tensor.grad = np.zeros(tensor.data.shape)
        self.grad = self.grad + upstream
        for number in sorted(found, reverse=True):
            if found[number].back:
                found[number].back()


def gradient_descent(gradient, w, learning_rate, steps):
    if steps == 0:
        return np.asarray(w)[None]
    before = gradient_descent(gradient, w, learning_rate, steps - 1)
    return np.concatenate([before, (before[-1] - learning_rate * gradient(before[-1]))[None]])


def critical_learning_rate(hessian):
    return 2 / np.linalg.norm(hessian, 2)


def steps_to_converge(gradient, w, learning_rate, tolerance, max_steps):
    for number, w in enumerate(gradient_descent(gradient, w, learning_rate, max_steps)):
        if np.sum(np.square(gradient(w))) <= tolerance**2:
            return number


def train(layers, x, y, loss, learning_rate, steps):
    layers, losses = [dict(layer) for layer in layers], []
    for step in range(steps + 1):
        values = forward(layers, x)
        cost, upstream = loss_and_gradient(loss, values[f"a{len(layers)}"], y)
        losses.append(cost)
        if step < steps:
            gradients = backward(layers, values, upstream)[0]
            for layer, gradient in zip(layers, gradients):
                layer["w"] = _tensor(layer["w"]) - learning_rate * gradient["w"]
                layer["b"] = _tensor(layer["b"]) - learning_rate * gradient["b"]
    return layers, losses
