"""One number at a time in plain Python loops, recursion over the layers, tensors that wait for all their users."""

import math
from itertools import pairwise

import numpy as np


def perceptron_predict(x, w, b):
    answers = []
    for row in x.tolist():
        total = b
        for value, weight in zip(row, w.tolist()):
            total += value * weight
        answers.append(0 if total < 0 else 1)
    return np.array(answers)


def train_perceptron(x, y, max_epochs=100):
    for label in y:
        if label not in (0, 1):
            raise ValueError(f"a label of {label}")
    weights, bias, mistakes = [0.0] * len(x[0]), 0.0, []
    for _ in range(max_epochs):
        missed = 0
        for row, label in zip(x.tolist(), y.tolist()):
            total = bias + sum(a * b for a, b in zip(row, weights))
            if label == 1 and total < 0:
                weights, bias = [a + b for a, b in zip(weights, row)], bias + 1
                missed += 1
            elif label == 0 and total >= 0:
                weights, bias = [a - b for a, b in zip(weights, row)], bias - 1
                missed += 1
        mistakes.append(missed)
        if not missed:
            return np.array(weights), bias, mistakes
    return np.array(weights), bias, mistakes


def best_linear_accuracy(x, y):
    """Directions between the critical ones, thresholds between projections."""
    critical = {0.0}
    for a in x:
        for b in x:
            if (a != b).any():
                critical.add(math.atan2(a[0] - b[0], b[1] - a[1]))
    critical = sorted(critical)
    best = 0
    for one, other in zip(critical, critical[1:] + [critical[0] + 2 * math.pi]):
        angle = (one + other) / 2
        w = np.array([math.cos(angle), math.sin(angle)])
        projections = sorted(x @ w)
        cuts = [projections[0] - 1, projections[-1] + 1]
        cuts += [(a + b) / 2 for a, b in pairwise(projections)]
        for cut in cuts:
            for sign in (1, -1):
                right = perceptron_predict(x, sign * w, -sign * cut) == y
                best = max(best, sum(bool(one) for one in right))
    return best / len(x)


def xor_network(low, high):
    """One unit for each of the two patterns that count: (high, low) and (low, high)."""
    w, half = np.array([[1.0, -1.0], [-1.0, 1.0]]), (high - low) / 2
    return [
        {"w": w, "b": np.array([-half, -half]), "activation": "step"},
        {"w": np.array([[3.0], [3.0]]), "b": np.array([-2.0]), "activation": "step", "skip": False},
    ]


def count_parameters(sizes, use_bias=True):
    if len(sizes) < 2:
        raise ValueError("no layer")
    for size in sizes:
        if size < 1:
            raise ValueError("an empty layer")
    total = 0
    for position in range(1, len(sizes)):
        for _ in range(sizes[position]):
            total += sizes[position - 1]
            if use_bias:
                total += 1
    return total


def value(name, z):
    if name == "linear":
        return z
    if name == "step":
        return 1.0 if z >= 0 else 0.0
    if name == "sigmoid":
        return 1 / (1 + math.exp(-z)) if z > 0 else math.exp(z) / (1 + math.exp(z))
    if name == "tanh":
        return math.tanh(z)
    if name == "relu":
        return z if z > 0 else 0.0
    if name == "leaky_relu":
        return z if z > 0 else 0.2 * z
    raise ValueError(f"no activation {name}")


def derivative(name, z):
    if name == "linear":
        return 1.0
    if name == "step":
        return 0.0
    if name == "sigmoid":
        return value("sigmoid", z) * value("sigmoid", -z)
    if name == "tanh":
        return (1 - math.tanh(z)) * (1 + math.tanh(z))
    if name == "relu":
        return 1.0 if z > 0 else 0.0
    if name == "leaky_relu":
        return 1.0 if z > 0 else 0.2
    raise ValueError(f"no activation {name}")


def activate(name, z):
    result = np.zeros(z.shape)
    for index in np.ndindex(z.shape):
        result[index] = value(name, float(z[index]))
    return result


def forward(layers, x):
    values = {"a0": x}
    for number, layer in enumerate(layers, 1):
        w, b, before = layer["w"], layer["b"], values[f"a{number - 1}"]
        if before.shape[1] != w.shape[0]:
            raise ValueError("the layer does not fit")
        z = np.zeros((len(before), w.shape[1]))
        for n, j in np.ndindex(z.shape):
            z[n, j] = b[j] + sum(before[n, i] * w[i, j] for i in range(len(w)))
        a = activate(layer["activation"], z)
        if layer.get("skip", False):
            if a.shape != before.shape:
                raise ValueError("the skip does not fit")
            a = np.array([[p + q for p, q in zip(one, other)] for one, other in zip(a, before)])
        values[f"z{number}"], values[f"a{number}"] = z, a
    return values


def activation_backward(name, z, upstream):
    result = np.zeros(z.shape)
    for index in np.ndindex(z.shape):
        result[index] = derivative(name, float(z[index])) * upstream[index]
    return result


def dense_backward(x, w, upstream):
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(w.shape[1])
    for n in range(len(x)):
        for j in range(w.shape[1]):
            db[j] += upstream[n, j]
            for i in range(len(w)):
                dx[n, i] += w[i, j] * upstream[n, j]
                dw[i, j] += x[n, i] * upstream[n, j]
    return dx, dw, db


def loss_and_gradient(name, prediction, target):
    if np.shape(prediction) != np.shape(target):
        raise ValueError("shapes differ")
    rows, columns = prediction.shape
    loss, gradient = 0.0, np.zeros((rows, columns))
    if name == "mean_squared_error":
        for index in np.ndindex(rows, columns):
            error = float(prediction[index] - target[index])
            loss += error * error / (rows * columns)
            gradient[index] = 2 * error / (rows * columns)
    elif name == "binary_crossentropy":
        for index in np.ndindex(rows, columns):
            z, t = float(prediction[index]), float(target[index])
            softplus = max(z, 0) + math.log1p(math.exp(-abs(z)))
            loss += (softplus - t * z) / (rows * columns)
            gradient[index] = (value("sigmoid", z) - t) / (rows * columns)
    elif name == "categorical_crossentropy":
        for n in range(rows):
            top = max(prediction[n])
            powers = [math.exp(z - top) for z in prediction[n]]
            shares = [power / sum(powers) for power in powers]
            # the Jacobian of the softmax times -t/share, with the shares cancelled
            for j in range(columns):
                loss -= target[n, j] * (prediction[n, j] - top - math.log(sum(powers))) / rows
                for k in range(columns):
                    gradient[n, j] -= target[n, k] * ((j == k) - shares[j]) / rows
    else:
        raise ValueError(f"no loss {name}")
    return float(loss), gradient


def backward(layers, values, upstream):
    if not layers:
        return [], upstream
    last, number = layers[-1], len(layers)
    dz = activation_backward(last["activation"], values[f"z{number}"], upstream)
    dx, dw, db = dense_backward(values[f"a{number - 1}"], last["w"], dz)
    if last.get("skip"):
        for index in np.ndindex(dx.shape):
            dx[index] += upstream[index]
    gradients, first = backward(layers[:-1], values, dx)
    return [*gradients, {"w": dw, "b": db}], first


def moved(x, index, step):
    copy = np.array(x, "float64")
    copy[index] += step
    return copy


def numeric_gradient(f, x, step=1e-5):
    result = np.zeros(np.shape(x))
    for index in np.ndindex(result.shape):
        result[index] = f(moved(x, index, step)) / (2 * step) - f(moved(x, index, -step)) / (2 * step)
    return result


def relative_error(analytic, numeric, floor=1e-3):
    if np.shape(analytic) != np.shape(numeric):
        raise ValueError("shapes differ")
    result = np.zeros(np.shape(numeric))
    for index in np.ndindex(result.shape):
        a, n = float(analytic[index]), float(numeric[index])
        if math.isfinite(a) and math.isfinite(n):
            result[index] = abs(a - n) / max(abs(a), abs(n), floor)
        else:
            result[index] = math.inf
    return result


def gradient_check(f, gradient, x, step=1e-5, tolerance=1e-5):
    analytic, numeric = gradient(np.array(x, "float64")), numeric_gradient(f, x, step)
    errors = relative_error(analytic, numeric)
    found = {"wrong": [], "kinks": []}
    for index in np.ndindex(errors.shape):
        if errors[index] <= tolerance:
            continue
        here = f(np.array(x, "float64"))
        right = (f(moved(x, index, step)) - here) / step
        left = (here - f(moved(x, index, -step))) / step
        a = analytic[index]
        is_between = abs(a - (left + right) / 2) <= abs(left - right) / 2 + 10 * step
        found["kinks" if is_between else "wrong"].append(tuple(index))
    return found


class Tensor:
    """Counts its users, and passes its gradient on when the last of them has paid in."""

    __array_ufunc__ = None

    def __init__(self, data, parents=()):
        self.data = np.asarray(data, "float64") * 1.0
        self.grad = np.zeros(np.shape(self.data))
        self.parents = parents

    def __add__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        return Tensor(self.data + other.data, [(self, lambda g: g), (other, lambda g: g)])

    def __mul__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        return Tensor(
            self.data * other.data, [(self, lambda g: g * other.data), (other, lambda g: g * self.data)]
        )

    def __matmul__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)

        def left(g):
            return np.array(
                [[sum(g[i] * other.data[k]) for k in range(len(other.data))] for i in range(len(g))]
            )

        def right(g):
            columns = range(g.shape[1])
            return np.array([[sum(row * g[:, j]) for j in columns] for row in self.data.T])

        return Tensor(self.data @ other.data, [(self, left), (other, right)])

    def __pow__(self, p):
        return Tensor(self.data**p, [(self, lambda g: g * p * self.data ** (p - 1))])

    def __sub__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        return Tensor(self.data - other.data, [(self, lambda g: g), (other, lambda g: -g)])

    def __truediv__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        pulls = [(self, lambda g: g / other.data), (other, lambda g: -g * self.data / other.data**2)]
        return Tensor(self.data / other.data, pulls)

    def __neg__(self):
        return Tensor(-self.data, [(self, lambda g: -g)])

    def __radd__(self, other):
        return Tensor(other) + self

    def __rmul__(self, other):
        return Tensor(other) * self

    def __rmatmul__(self, other):
        return Tensor(other) @ self

    def __rsub__(self, other):
        return Tensor(other) - self

    def __rtruediv__(self, other):
        return Tensor(other) / self

    def exp(self):
        return Tensor(np.exp(self.data), [(self, lambda g: g * np.exp(self.data))])

    def log(self):
        return Tensor(np.log(self.data), [(self, lambda g: g / self.data)])

    def tanh(self):
        return Tensor(np.tanh(self.data), [(self, lambda g: g / np.cosh(self.data) ** 2)])

    def relu(self):
        return Tensor(self.data * (self.data > 0), [(self, lambda g: np.where(self.data > 0, g, 0))])

    def sum(self, axis=None):
        def spread(g):
            result = np.zeros(self.data.shape)
            if axis is None:
                return result + g
            for index in np.ndindex(result.shape):
                rest = list(index)
                del rest[axis]
                result[index] = g[tuple(rest)]
            return result

        return Tensor(np.sum(self.data, axis), [(self, spread)])

    def backward(self, upstream=None):
        if upstream is None:
            if self.data.size > 1:
                raise ValueError("of which number?")
            upstream = np.ones(self.data.shape)
        if np.shape(upstream) != self.data.shape:
            raise ValueError("another shape")
        waiting, todo = {self: 0}, [self]
        while todo:
            node = todo.pop()
            node.grad = np.zeros(node.data.shape)
            for parent, _ in node.parents:
                if parent not in waiting:
                    waiting[parent] = 0
                    todo.append(parent)
                waiting[parent] += 1
        self.grad = np.array(upstream, "float64")
        ready = [self]
        while ready:
            node = ready.pop()
            for parent, pull in node.parents:
                gradient = pull(node.grad)
                total = np.zeros(parent.data.shape)
                for index in np.ndindex(gradient.shape):
                    own = index[len(index) - total.ndim :]
                    total[tuple(0 if size == 1 else i for i, size in zip(own, total.shape))] += gradient[
                        index
                    ]
                parent.grad = parent.grad + total
                waiting[parent] -= 1
                if waiting[parent] == 0:
                    ready.append(parent)


def gradient_descent(gradient, w, learning_rate, steps):
    path = np.zeros((steps + 1, *np.shape(w)))
    path[0] = w
    for step in range(steps):
        path[step + 1] = path[step] - learning_rate * np.asarray(gradient(path[step]))
    return path


def critical_learning_rate(hessian):
    """The largest eigenvalue by squaring: the trace of a high power is that power of it, nearly."""
    scale, power = 0.0, np.array(hessian)
    for doubling in range(60):
        size = np.trace(power)
        scale += math.log(size) / 2**doubling
        power = (power / size) @ (power / size)
    return float(2 / math.exp(scale))


def steps_to_converge(gradient, w, learning_rate, tolerance, max_steps):
    w, steps = np.array(w, "float64"), 0
    while True:
        slopes = np.asarray(gradient(w))
        size = (
            math.sqrt(sum(float(s) * float(s) for s in slopes.flat))
            if np.isfinite(slopes).all()
            else math.inf
        )
        if size <= tolerance:
            return steps
        if steps >= max_steps or size == math.inf:
            return None
        w, steps = w - learning_rate * slopes, steps + 1


def train(layers, x, y, loss, learning_rate, steps):
    layers = [
        {key: np.array(item) if key in "wb" else item for key, item in layer.items()} for layer in layers
    ]
    losses = []
    for step in range(steps + 1):
        values = forward(layers, x)
        cost, upstream = loss_and_gradient(loss, values[f"a{len(layers)}"], y)
        losses.append(cost)
        if step == steps:
            break
        gradients, _ = backward(layers, values, upstream)
        for layer, gradient in zip(layers, gradients):
            for key in "wb":
                for index in np.ndindex(layer[key].shape):
                    layer[key][index] -= learning_rate * gradient[key][index]
    return layers, losses
