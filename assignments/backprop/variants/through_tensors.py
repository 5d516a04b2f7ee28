"""One engine for everything: the pieces, the network's backward pass and the training all go through `Tensor`."""

from itertools import pairwise

import numpy as np


class Tensor:
    """Keeps its graph as a list of edges in the order in which they were made; pulls are vector-Jacobian products."""

    __array_ufunc__ = None

    def __init__(self, data, edges=()):
        self.data = np.array(data, "float64")
        self.grad = self.data * 0
        self.edges = [edge for edge in edges if isinstance(edge[0], Tensor)]

    def __add__(self, other):
        return Tensor(self.data + _data(other), [(self, lambda g: g), (other, lambda g: g)])

    def __radd__(self, other):
        return self + other

    def __mul__(self, other):
        data = _data(other)
        return Tensor(self.data * data, [(self, lambda g: g * data), (other, lambda g: g * self.data)])

    def __rmul__(self, other):
        return self * other

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + other * -1.0

    def __rsub__(self, other):
        return self * -1.0 + other

    def __truediv__(self, other):
        return self * other**-1.0

    def __rtruediv__(self, other):
        return self**-1.0 * other

    def __matmul__(self, other):
        data = _data(other)
        pulls = [(self, lambda g: np.inner(g, data)), (other, lambda g: (g.T @ self.data).T)]
        return Tensor(self.data @ data, pulls)

    def __rmatmul__(self, other):
        return Tensor(np.asarray(other)) @ self

    def __pow__(self, power):
        return Tensor(self.data**power, [(self, lambda g: power * g * self.data ** (power - 1))])

    def _map(self, data, slope):
        return Tensor(data, [(self, lambda g: g * slope)])

    def exp(self):
        data = np.exp(self.data)
        return self._map(data, data)

    def log(self):
        return self._map(np.log(self.data), self.data**-1.0)

    def tanh(self):
        data = np.tanh(self.data)
        return self._map(data, (1 + data) * (1 - data))

    def relu(self):
        return self.where(0.0)

    def where(self, below):
        """Itself above 0, `below` times itself elsewhere."""
        slope = np.where(self.data > 0, 1.0, below)
        return self._map(self.data * slope, slope)

    def sum(self, axis=None):
        axes = tuple(range(self.data.ndim)) if axis is None else (axis % self.data.ndim,)
        kept = tuple(1 if i in axes else size for i, size in enumerate(self.data.shape))
        return Tensor(self.data.sum(axes), [(self, lambda g: np.ones(self.data.shape) * np.reshape(g, kept))])

    def backward(self, upstream=None):
        if upstream is None and self.data.size != 1:
            raise ValueError(f"{self.data.size} numbers and no upstream gradient")
        upstream = np.ones(self.data.shape) if upstream is None else np.array(upstream, float)
        if upstream.shape != self.data.shape:
            raise ValueError(f"{upstream.shape} for {self.data.shape}")
        order, ways = [], {id(self): iter(self.edges)}
        path = [self]
        while path:
            following = next((t for t, _ in ways[id(path[-1])] if id(t) not in ways), None)
            if following is None:
                order.append(path.pop())
            else:
                ways[id(following)] = iter(following.edges)
                path.append(following)
        for tensor in order:
            tensor.grad = np.zeros(tensor.data.shape)
        self.grad = upstream
        while order:
            tensor = order.pop()
            for source, pull in tensor.edges:
                gradient = pull(tensor.grad)
                extra = gradient.ndim - source.data.ndim
                padded = (1,) * extra + source.data.shape
                axes = tuple(i for i, size in enumerate(padded) if size == 1)
                source.grad = source.grad + gradient.sum(axes).reshape(source.data.shape)


def _data(value):
    return value.data if isinstance(value, Tensor) else np.asarray(value, "float64")


def _pull(function, upstream, *arrays):
    """The gradients of arrays through a function of tensors."""
    tensors = [Tensor(array) for array in arrays]
    function(*tensors).backward(upstream)
    return [tensor.grad for tensor in tensors]


ACTIVATIONS = {
    "linear": lambda z: z + 0.0,
    "step": lambda z: z * 0.0 + (z.data >= 0),
    "sigmoid": lambda z: (z * 0.5).tanh() * 0.5 + 0.5,
    "tanh": lambda z: z.tanh(),
    "relu": lambda z: z.relu(),
    "leaky_relu": lambda z: z.where(0.2),
}


def _find(table, name):
    if name not in table:
        raise ValueError(f"no {name!r} among {sorted(table)}")
    return table[name]


def _softplus(z):
    top = np.maximum(z.data, 0)
    return ((z - top).exp() + np.exp(-top)).log() + top


def _log_sum(z):
    top = z.data.max(1)
    return (z - top[:, None]).exp().sum(1).log() + top


LOSSES = {
    "mean_squared_error": lambda p, t: ((p - t) ** 2.0).sum() / np.float64(t.size),
    "binary_crossentropy": lambda p, t: (_softplus(p) - p * t).sum() / np.float64(t.size),
    "categorical_crossentropy": lambda p, t: (_log_sum(p) - (p * t).sum(1)).sum() / np.float64(len(t)),
}


def perceptron_predict(x, w, b):
    return np.heaviside(np.inner(x, w) + b, 1).astype("int8")


def train_perceptron(x, y, max_epochs=100):
    if not all(label in (0, 1) for label in y):
        raise ValueError("labels")
    w, b, mistakes = np.zeros(x.shape[1]), 0, []
    for _ in range(max_epochs):
        wrong = 0
        for i in range(len(x)):
            if perceptron_predict(x[i : i + 1], w, b)[0] != y[i]:
                sign = 2 * y[i] - 1
                w, b, wrong = w + sign * x[i], b + sign, wrong + 1
        mistakes += [wrong]
        if wrong == 0:
            break
    return w, b, mistakes


def best_linear_accuracy(x, y):
    """By whole degrees, with cuts only where projections differ."""
    best = max(np.mean(y), 1 - np.mean(y))
    for angle in np.radians(range(0, 180)):
        projected = np.round(x @ [np.cos(angle), np.sin(angle)], 9)
        for cut in np.unique(projected):
            share = np.mean((projected >= cut) == y)
            best = max(best, share, 1 - share)
    return best


def xor_network(low, high):
    """A hidden unit for "both" that takes back what the sum says twice."""
    unit = high - low
    return [
        {
            "w": np.full((2, 2), 1 / unit),
            "b": -2 * low / unit - np.array([1.5, 0.5]),
            "activation": "step",
        },
        {"w": np.array([[-2.0], [1.0]]), "b": np.array([-0.5]), "activation": "step"},
    ]


def count_parameters(sizes, use_bias=True):
    if len(sizes) < 2 or any(size <= 0 for size in sizes):
        raise ValueError(sizes)
    return sum(n * m for n, m in pairwise(sizes)) + (sum(sizes) - sizes[0] if use_bias else 0)


def activate(name, z):
    return _find(ACTIVATIONS, name)(Tensor(z)).data


def forward(layers, x):
    values, a = {"a0": x}, x
    for number, layer in enumerate(layers, 1):
        if a.shape[1] != layer["w"].shape[0] or (layer.get("skip") and len(set(layer["w"].shape)) > 1):
            raise ValueError(f"layer {number}")
        z = (Tensor(a) @ layer["w"] + layer["b"]).data
        out = activate(layer["activation"], z)
        a = out + a if layer.get("skip") else out
        values.update({f"z{number}": z, f"a{number}": a})
    return values


def activation_backward(name, z, upstream):
    return _pull(_find(ACTIVATIONS, name), upstream, z)[0]


def dense_backward(x, w, upstream):
    return tuple(_pull(lambda x, w, b: x @ w + b, upstream, x, w, np.zeros(w.shape[1])))


def loss_and_gradient(name, prediction, target):
    if prediction.shape != target.shape:
        raise ValueError(f"{prediction.shape} and {target.shape}")
    p = Tensor(prediction)
    loss = _find(LOSSES, name)(p, target)
    loss.backward()
    return loss.data.item(), p.grad


def backward(layers, values, upstream):
    gradients = []
    for number, layer in reversed([*enumerate(layers, 1)]):
        before, z = values[f"a{number - 1}"], values[f"z{number}"]
        dz = activation_backward(layer["activation"], z, upstream)
        dx, dw, db = dense_backward(before, layer["w"], dz)
        gradients = [{"w": dw, "b": db}, *gradients]
        upstream = dx + upstream if layer.get("skip") else dx
    return gradients, upstream


def numeric_gradient(f, x, step=1e-5):
    x = np.array(x, "float64")
    result = np.zeros(x.shape)
    flat, out = x.reshape(-1), result.reshape(-1)
    for i, value in enumerate(flat.tolist()):
        total = 0.0
        for sign in (1, -1):
            flat[i] = value + sign * step
            total += sign * f(x.copy())
        flat[i] = value
        out[i] = total / step / 2
    return result


def relative_error(analytic, numeric, floor=1e-3):
    a, n = np.array(analytic, "float64"), np.array(numeric, "float64")
    if a.shape != n.shape:
        raise ValueError(f"{a.shape} and {n.shape}")
    broken = ~np.isfinite(a + n) | ~np.isfinite(a) | ~np.isfinite(n)
    a[broken] = n[broken] = 0
    return np.where(broken, np.inf, abs(a - n) / np.clip(np.maximum(abs(a), abs(n)), floor, None))


def gradient_check(f, gradient, x, step=1e-5, tolerance=1e-5):
    x = np.array(x, "float64")
    analytic = np.array(gradient(x), "float64")
    error = relative_error(analytic, numeric_gradient(f, x, step))
    wrong, kinks = [], []
    for index in np.ndindex(x.shape):
        if not error[index] <= tolerance:
            shift = np.zeros(x.shape)
            shift[index] = step
            sides = sorted([(f(x + shift) - f(x)) / step, (f(x) - f(x - shift)) / step])
            outside = max(sides[0] - analytic[index], analytic[index] - sides[1], 0.0)
            is_kink = np.isfinite(analytic[index]) and outside <= 10 * step
            (kinks if is_kink else wrong).append(index)
    return {"wrong": wrong, "kinks": kinks}


def gradient_descent(gradient, w, learning_rate, steps):
    path = [np.array(w, "float64")]
    while len(path) <= steps:
        path.append(path[-1] - np.multiply(learning_rate, gradient(path[-1])))
    return np.array(path)


def critical_learning_rate(hessian):
    return 2 * float(np.min(1 / np.linalg.svd(hessian)[1]))


def steps_to_converge(gradient, w, learning_rate, tolerance, max_steps):
    steps = 0
    while not np.linalg.norm(np.ravel(gradient(w))) <= tolerance:
        if steps == max_steps:
            return None
        w, steps = w - learning_rate * gradient(w), steps + 1
    return steps


def train(layers, x, y, loss, learning_rate, steps):
    """The whole network as one program of tensors."""
    losses = []
    for step in range(steps + 1):
        weights = [(Tensor(layer["w"]), Tensor(layer["b"])) for layer in layers]
        a = Tensor(x)
        for layer, (w, b) in zip(layers, weights):
            out = _find(ACTIVATIONS, layer["activation"])(a @ w + b)
            a = out + a if layer.get("skip") else out
        cost = _find(LOSSES, loss)(a, y)
        losses.append(float(cost.data))
        if step < steps:
            cost.backward()
            layers = [
                layer | {"w": w.data - learning_rate * w.grad, "b": b.data - learning_rate * b.grad}
                for layer, (w, b) in zip(layers, weights)
            ]
    return layers, losses
