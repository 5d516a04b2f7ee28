"""Hidden suite of `backprop`.

Values come from scalar loops. Gradients come from the complex step, Im f(x + ih) / h with h = 1e-30, which has no
rounding error to speak of and knows nothing of the chain rule (Squire and Trapp, 1998).
"""

import copy
import itertools
import math
import operator

import numpy as np
import pytest

CLOSE = {"rtol": 1e-9, "atol": 1e-11}


def call_and_keep(function, arguments):
    """What a function returns, and what it leaves of its arguments; runs beside the student's code."""
    return function(*arguments), arguments


def call(student, name, *arguments):
    """What the student's function returns; whatever it was given must stay as it was."""
    found, left = student.probe(call_and_keep, getattr(student, name), copy.deepcopy(list(arguments)))
    for before, after in zip(leaves(list(arguments)), leaves(left), strict=True):
        np.testing.assert_array_equal(after, before, err_msg=f"{name} changed an argument")
    return found


def leaves(tree):
    match tree:
        case dict():
            return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
        case list() | tuple():
            return [leaf for item in tree for leaf in leaves(item)]
        case np.ndarray() | int() | float() | str():
            return [tree]
        case _:
            return []


def complex_gradient(f, x, step=1e-30):
    """The gradient of a function that takes complex arrays."""
    gradient = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        moved = x.astype("complex128")
        moved[index] += 1j * step
        gradient[index] = np.imag(f(moved)) / step
    return gradient


# The perceptron


def score(row, w, b):
    return sum(float(a) * float(c) for a, c in zip(row, w, strict=True)) + b


def rosenblatt(x, y, max_epochs):
    w, b, mistakes = [0.0] * x.shape[1], 0.0, []
    while len(mistakes) < max_epochs and 0 not in mistakes:
        mistakes.append(0)
        for row, label in zip(x, y, strict=True):
            says = 1 if score(row, w, b) >= 0 else 0
            if says != label:
                mistakes[-1] += 1
                sign = 1 if label == 1 else -1
                w = [weight + sign * float(value) for weight, value in zip(w, row, strict=True)]
                b += sign
    return w, b, mistakes


def draw_grid(rng, *shape):
    """Multiples of 1/4: sums of their products are exact, ties too."""
    return rng.integers(-12, 13, shape) / 4


def draw_separable(rng, samples=20, features=3):
    """Samples at least 0.3 from a plane, on both sides of it, with their bound on the mistakes."""
    while True:
        plane = rng.normal(size=features + 1)
        plane /= np.linalg.norm(plane)
        x = draw_grid(rng, 8 * samples, features)
        margins = x @ plane[:-1] + plane[-1]
        order = np.flatnonzero(np.abs(margins) >= 0.3)[:samples]
        x, margins = x[order], margins[order]
        y = (margins > 0).astype("int64")
        if len(y) == samples and 5 <= y.sum() <= samples - 5:
            radius = np.sqrt((x**2).sum(1).max() + 1)
            return x, y, (radius / np.abs(margins).min()) ** 2


XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float64")


@pytest.mark.problem("perceptron", points=2)
@pytest.mark.hint("On which side is a score of exactly 0?")
def test_perceptron_predict(student, rng):
    """The perceptron says 1 where the weighted sum plus bias is 0 or more."""
    for samples, features in [(7, 3), (1, 4), (9, 1)]:
        x, w = draw_grid(rng, samples, features), draw_grid(rng, features)
        for b in (-score(x[0], w, 0.0), float(draw_grid(rng))):
            found = call(student, "perceptron_predict", x, w, b)
            assert np.asarray(found).dtype.kind in "iu"
            expected = [1 if score(row, w, b) >= 0 else 0 for row in x]
            np.testing.assert_array_equal(found, expected, strict=False)
            assert np.shape(found) == (samples,)


@pytest.mark.problem("perceptron", points=4)
@pytest.mark.hint("Redo the README's table by hand: with which weights is each sample judged?")
@pytest.mark.parametrize(("samples", "features"), [(8, 2), (11, 3), (6, 1), (9, 5)])
def test_train_perceptron(student, rng, samples, features):
    """Weights, bias and mistakes follow the rule, sample by sample."""
    x, y = draw_grid(rng, samples, features), rng.integers(0, 2, samples)
    y[:2] = 0, 1
    for max_epochs in (1, 2, 6):
        w, b, mistakes = call(student, "train_perceptron", x, y, max_epochs)
        expected_w, expected_b, expected_mistakes = rosenblatt(x, y, max_epochs)
        assert np.shape(w) == (features,)
        np.testing.assert_allclose(w, expected_w, **CLOSE)
        assert float(b) == pytest.approx(expected_b, abs=1e-9)
        assert list(mistakes) == expected_mistakes


@pytest.mark.problem("perceptron", points=3)
@pytest.mark.hint("When is there nothing left to learn? And when does it stop if that never comes?")
def test_perceptron_stops(student, rng):
    """Separable data end with an epoch without mistakes, within Novikoff's bound; XOR goes on to the end."""
    x, y, bound = draw_separable(rng)
    w, b, mistakes = student.train_perceptron(x, y, max_epochs=100_000)
    assert list(mistakes) == rosenblatt(x, y, 100_000)[2]
    assert 0 < sum(mistakes) <= bound
    assert [1 if score(row, w, float(b)) >= 0 else 0 for row in x] == list(y)
    mistakes = student.train_perceptron(XOR, np.array([0, 1, 1, 0]))[2]
    assert len(mistakes) == 100
    assert 0 not in mistakes


@pytest.mark.problem("perceptron", points=1)
@pytest.mark.hint("Which two labels are meant?")
def test_perceptron_labels(student, rng):
    """Labels other than 0 and 1 are refused."""
    x, y = draw_grid(rng, 6, 2), np.array([0, 1, 1, 0, 1, 0])
    for wrong in (2 * y - 1, y + 1, y * 2, y / 2):
        with pytest.raises(ValueError):
            student.train_perceptron(x, wrong)
    w, b, mistakes = student.train_perceptron(x, y, 2)
    np.testing.assert_allclose([*w, float(b)], [*rosenblatt(x, y, 2)[0], rosenblatt(x, y, 2)[1]], **CLOSE)
    assert list(mistakes) == rosenblatt(x, y, 2)[2]


def best_split(x, y):
    """Every split of the plane is one by the line through two points, turned a little about a place between points."""
    points = [(int(a), int(b)) for a, b in x]
    best = max(int(sum(y)), len(y) - int(sum(y)))
    for first, second in itertools.permutations(points, 2):
        dx, dy = second[0] - first[0], second[1] - first[1]
        fixed, on_line = 0, []
        for point, label in zip(points, y, strict=True):
            away = (point[0] - first[0], point[1] - first[1])
            side = dx * away[1] - dy * away[0]
            if side == 0:
                on_line.append((dx * away[0] + dy * away[1], int(label)))
            else:
                fixed += int(label == (side > 0))
        labels = [label for _, label in sorted(on_line)]
        for cut in range(len(labels) + 1):
            right = fixed + sum(labels[:cut]) + sum(1 - label for label in labels[cut:])
            best = max(best, right, len(y) - right)
    return best / len(y)


def draw_points(rng, kind):
    if kind == "xor":
        low, width = rng.integers(0, 2, 2), rng.integers(1, 4, 2)
        return low + width * XOR, np.array([0, 1, 1, 0])
    if kind == "line":
        direction = [(1, 0), (0, 1), (1, 1), (1, -1)][rng.integers(4)]
        start = np.array([0, 4 if direction == (1, -1) else 0])
        x = start + np.arange(5)[:, None] * direction
        return rng.permutation(x), rng.integers(0, 2, 5)
    if kind == "any":
        count = int(rng.integers(5, 9))
        cells = rng.choice(25, count, replace=False)
        return np.stack([cells // 5, cells % 5], 1), rng.integers(0, 2, count)
    # only a slanted line tells the first four apart
    first = [20, 4, 15, 3]
    others = [cell for cell in range(25) if cell not in first]
    cells = np.array([*first, *rng.choice(others, int(rng.integers(1, 5)), replace=False)])
    x = np.stack([cells // 5, cells % 5], 1)
    y = (x.sum(1) >= 4).astype("int64")
    return np.where([rng.integers(2), 0], 4 - x, x), y


@pytest.mark.problem("perceptron", points=3)
@pytest.mark.hint("Which points share a projection, and is every direction tried, with ones on either side?")
@pytest.mark.parametrize("kind", ["xor", "line", "any", "separable"])
def test_best_linear_accuracy(student, rng, kind):
    """The best accuracy of any line is found: 0.75 for XOR."""
    for one in (kind, kind, "xor"):
        x, y = draw_points(rng, one)
        for labels in (y, 1 - y):
            found = call(student, "best_linear_accuracy", x.astype("float64"), labels)
            assert float(found) == pytest.approx(best_split(x, labels), abs=1e-9)


@pytest.mark.problem("perceptron", points=1)
@pytest.mark.hint("Where is the line when all labels are the same?")
def test_best_linear_accuracy_of_few(student, rng):
    """One class alone needs no line; a single point is always right."""
    x, y = draw_points(rng, "xor")
    assert float(student.best_linear_accuracy(x.astype("float64"), y)) == pytest.approx(0.75, abs=1e-9)
    for count in (1, 2, 4):
        for labels in (np.zeros(count, "int64"), np.ones(count, "int64")):
            found = student.best_linear_accuracy(x[:count].astype("float64"), labels)
            assert float(found) == pytest.approx(1, abs=1e-9)


# Networks, in numbers that may be complex


def activation(name, z):
    above = np.real(z) > 0
    match name:
        case "linear":
            return z
        case "step":
            return np.where(np.real(z) >= 0, 1.0, 0.0)
        case "sigmoid":
            return 1 / (1 + np.exp(-z))
        case "tanh":
            return np.tanh(z)
        case "relu":
            return np.where(above, z, 0 * z)
        case "leaky_relu":
            return np.where(above, z, z / 5)
    raise KeyError(name)


def slope(name, z):
    """The derivative of an activation, by the complex step."""
    return np.imag(activation(name, z + 1e-30j)) / 1e-30


def run(layers, x):
    """Every value of a network, by name."""
    values = {"a0": x}
    for number, layer in enumerate(layers, 1):
        before = values[f"a{number - 1}"]
        z = np.einsum("nk,km->nm", before, layer["w"]) + layer["b"]
        values[f"z{number}"] = z
        values[f"a{number}"] = activation(layer["activation"], z) + (before if layer.get("skip") else 0)
    return values


def output(layers, x):
    return run(layers, x)[f"a{len(layers)}"]


def draw_layers(rng, sizes, activations, skips=()):
    layers = []
    for number, (rows, columns, name) in enumerate(zip(sizes, sizes[1:], activations, strict=False)):
        w = rng.normal(size=(rows, columns)) * 0.8
        layers.append({"w": w, "b": rng.normal(size=columns) * 0.5, "activation": name})
        if number in skips:
            layers[-1]["skip"] = True
        elif number % 2:
            layers[-1]["skip"] = False
    return layers


def replaced(layers, number, key, value):
    return [{**layer, key: value} if number == i else layer for i, layer in enumerate(layers)]


def gradients_of(loss, layers):
    """The gradients of a function of the layers with respect to each w and b."""

    def one(number, key):
        return complex_gradient(lambda value: loss(replaced(layers, number, key, value)), layers[number][key])

    return [{key: one(number, key) for key in ("w", "b")} for number in range(len(layers))]


# A network for XOR


@pytest.mark.problem("xor", points=2)
@pytest.mark.hint("Print the two sums of the hidden layer for the four corners.")
def test_xor_network(student, rng):
    """The network tells XOR for any low and high, with two step layers."""
    for low in (0.0, *rng.uniform(-5, 5, 4)):
        high = low + (1.0 if low == 0 else float(rng.uniform(0.2, 8)))
        layers = student.xor_network(float(low), float(high))
        assert [layer["activation"] for layer in layers] == ["step", "step"]
        assert not any(layer.get("skip") for layer in layers)
        assert [np.shape(layer["w"]) for layer in layers] == [(2, 2), (2, 1)]
        assert [np.shape(layer["b"]) for layer in layers] == [(2,), (1,)]
        np.testing.assert_array_equal(output(layers, low + (high - low) * XOR), [[0], [1], [1], [0]])


@pytest.mark.problem("xor", points=3)
@pytest.mark.hint("How far are the sums from the thresholds, on either side?")
def test_xor_is_robust(student, rng):
    """The answers stay right when the inputs are off by a fifth of the distance."""
    for _ in range(3):
        low = float(rng.uniform(-5, 5))
        high = low + float(rng.uniform(0.2, 8))
        layers = student.xor_network(low, high)
        corners = np.array([*itertools.product([-1.0, 1.0], repeat=2)])
        shifts = np.concatenate([0.199 * corners, rng.uniform(-0.199, 0.199, (10, 2))])
        x = (XOR[:, None] + shifts).reshape(-1, 2)
        expected = np.repeat([0, 1, 1, 0], len(shifts))[:, None]
        np.testing.assert_array_equal(output(layers, low + (high - low) * x), expected)


@pytest.mark.problem("xor", points=2)
@pytest.mark.hint("How many weights end in one unit, and how many biases has it?")
def test_count_parameters(student, rng):
    """Weights and biases are counted, with and without biases."""
    for length in (2, 3, 6):
        sizes = [int(size) for size in rng.integers(1, 60, length)]
        weights = sum(1 for n, m in itertools.pairwise(sizes) for _ in range(n * m))
        assert int(student.count_parameters(sizes)) == weights + sum(sizes[1:])
        assert int(student.count_parameters(sizes, use_bias=False)) == weights


@pytest.mark.problem("xor", points=1)
@pytest.mark.hint("Is there a layer at all?")
def test_count_parameters_errors(student, rng):
    """Sizes that make no network are refused."""
    size = int(rng.integers(2, 20))
    for wrong in ([], [size], [size, 0], [0, size], [size, -1, size]):
        with pytest.raises(ValueError):
            student.count_parameters(wrong)
    assert int(student.count_parameters([size, 1])) == size + 1
    assert int(student.count_parameters([1, size], False)) == size


# Forward

NAMES = {
    "linear and step": ("linear", "step"),
    "sigmoid": ("sigmoid",),
    "tanh": ("tanh",),
    "relu": ("relu",),
    "leaky_relu": ("leaky_relu",),
}


def scalar(name, z):
    """One activation and its derivative, for one float of any size."""
    small = math.exp(-abs(z))
    match name:
        case "linear":
            return z, 1.0
        case "step":
            return float(z >= 0), 0.0
        case "sigmoid":
            return (1 if z >= 0 else small) / (1 + small), small / (1 + small) ** 2
        case "tanh":
            return math.tanh(z), 4 * small**2 / (1 + small**2) ** 2
        case "relu":
            return (z, 1.0) if z > 0 else (0.0, 0.0)
        case "leaky_relu":
            return (z, 1.0) if z > 0 else (z / 5, 0.2)
    raise KeyError(name)


def draw_pre_activations(rng):
    z = rng.normal(size=(2, 3, 4)) * 2
    z[0, 0] = 0, 1000, -1000, 30
    return z


@pytest.mark.problem("forward", points=3)
@pytest.mark.hint("Print the function at -1000, -1, 0, 1 and 1000.")
@pytest.mark.parametrize("names", NAMES)
def test_activate(student, rng, names):
    """Activations are right, also at 0 and at ±1000."""
    for name in NAMES[names]:
        for z in (draw_pre_activations(rng), rng.normal(size=5)):
            expected = np.vectorize(lambda v, name=name: scalar(name, v)[0])(z)
            found = call(student, "activate", name, z)
            assert np.shape(found) == z.shape
            np.testing.assert_allclose(found, expected, **CLOSE)


@pytest.mark.problem("forward", points=1)
@pytest.mark.hint("What happens with a name that is not in the table?")
def test_activate_unknown(student, rng):
    """A name that is not in the table is refused."""
    z = rng.normal(size=(2, 3)) - 0.5
    for wrong in ("swish", "Relu", ""):
        with pytest.raises(ValueError):
            student.activate(wrong, z)
    np.testing.assert_allclose(student.activate("leaky_relu", z), activation("leaky_relu", z), **CLOSE)


def check_forward(student, rng, layers, samples):
    x = rng.normal(size=(samples, layers[0]["w"].shape[0]))
    expected = run(layers, x)
    found = call(student, "forward", layers, x)
    assert sorted(found) == sorted(expected)
    for name, value in expected.items():
        assert np.shape(found[name]) == value.shape
        np.testing.assert_allclose(found[name], value, **CLOSE, err_msg=name)


@pytest.mark.problem("forward", points=3)
@pytest.mark.hint("Which values are asked for besides the last one? Is every layer's bias in them?")
def test_forward(student, rng):
    """All pre-activations and outputs of plain layers are right."""
    names = ["sigmoid", "tanh", "relu", "leaky_relu", "linear", "step"]
    rng.shuffle(names)
    check_forward(student, rng, draw_layers(rng, [3, 5, 4, 2, 6, 3, 2], names), 7)
    check_forward(student, rng, draw_layers(rng, [4, 3], ["tanh"]), 1)


@pytest.mark.problem("forward", points=2)
@pytest.mark.hint("What is added to what, and before or after the activation?")
def test_forward_skip(student, rng):
    """Residual layers add their input."""
    names = ["tanh", "relu", "sigmoid", "tanh", "linear"]
    check_forward(student, rng, draw_layers(rng, [3, 3, 3, 4, 4, 2], names, {0, 3}), 5)
    check_forward(student, rng, draw_layers(rng, [4, 4, 4], ["relu", "leaky_relu"], {0, 1}), 2)


@pytest.mark.problem("forward", points=1)
@pytest.mark.hint("What does NumPy do with (N, 3) + (N, 1)?")
def test_forward_mismatch(student, rng):
    """Layers that do not fit are refused, also where NumPy would broadcast."""
    x = rng.normal(size=(4, 3))
    for sizes, skips in [([2, 3], ()), ([1, 3], ()), ([3, 1], {0}), ([3, 1, 3], {1}), ([3, 4], {0})]:
        with pytest.raises(ValueError):
            student.forward(draw_layers(rng, sizes, ["tanh", "tanh"], skips), x)
    broken = draw_layers(rng, [3, 4], ["tanh"]) + draw_layers(rng, [5, 2], ["relu"])
    with pytest.raises(ValueError):
        student.forward(broken, x)
    layers = draw_layers(rng, [3, 3, 1], ["tanh", "linear"], {0})
    np.testing.assert_allclose(student.forward(layers, x)["a2"], output(layers, x), **CLOSE)


# The chain rule, piece by piece


@pytest.mark.problem("local_gradients", points=4)
@pytest.mark.hint("The derivative at which point, times what?")
@pytest.mark.parametrize("names", NAMES)
def test_activation_backward(student, rng, names):
    """The gradient goes through an activation, also at 0 and at ±1000."""
    for name in NAMES[names]:
        for z in (draw_pre_activations(rng), rng.normal(size=(4, 2))):
            upstream = rng.normal(size=z.shape)
            expected = upstream * np.vectorize(lambda v, name=name: scalar(name, v)[1])(z)
            found = call(student, "activation_backward", name, z, upstream)
            assert np.shape(found) == z.shape
            np.testing.assert_allclose(found, expected, **CLOSE)


@pytest.mark.problem("local_gradients", points=1)
@pytest.mark.hint("What happens with a name that is not in the table?")
def test_activation_backward_unknown(student, rng):
    """A name that is not in the table is refused."""
    z, upstream = rng.normal(size=(2, 2, 3))
    for wrong in ("swish", "Tanh", ""):
        with pytest.raises(ValueError):
            student.activation_backward(wrong, z, upstream)
    found = student.activation_backward("tanh", z, upstream)
    np.testing.assert_allclose(found, upstream * slope("tanh", z), **CLOSE)


@pytest.mark.problem("local_gradients", points=4)
@pytest.mark.hint("Which shapes must come out? And how many samples used the bias?")
def test_dense_backward(student, rng):
    """The gradients of input, weights and bias are right for any batch."""
    for samples, rows, columns in [(5, 3, 2), (1, 2, 4), (6, 4, 4), (3, 1, 1)]:
        x, w = rng.normal(size=(samples, rows)), rng.normal(size=(rows, columns))
        upstream = rng.normal(size=(samples, columns))
        expected = [np.zeros((samples, rows)), np.zeros((rows, columns)), np.zeros(columns)]
        for n, i, j in np.ndindex(samples, rows, columns):
            expected[0][n, i] += w[i, j] * upstream[n, j]
            expected[1][i, j] += x[n, i] * upstream[n, j]
        for n, j in np.ndindex(samples, columns):
            expected[2][j] += upstream[n, j]
        found = call(student, "dense_backward", x, w, upstream)
        assert len(found) == 3
        for one, other in zip(found, expected, strict=True):
            assert np.shape(one) == other.shape
            np.testing.assert_allclose(one, other, **CLOSE)


def loss_of(name, prediction, target):
    """For predictions of moderate size, which may be complex."""
    if name == "mean_squared_error":
        return ((prediction - target) ** 2).sum() / target.size
    if name == "binary_crossentropy":
        costs = target * np.log(1 + np.exp(-prediction)) + (1 - target) * np.log(1 + np.exp(prediction))
        return costs.sum() / target.size
    shares = np.exp(prediction) / np.exp(prediction).sum(1, keepdims=True)
    return -(target * np.log(shares)).sum() / len(target)


def draw_target(rng, name, shape):
    if name == "mean_squared_error":
        return rng.normal(size=shape)
    target = rng.uniform(0, 1, shape)
    target[0] = np.arange(shape[1]) == rng.integers(shape[1])
    return target / target.sum(1, keepdims=True) if name == "categorical_crossentropy" else target


LOSSES = ["mean_squared_error", "binary_crossentropy", "categorical_crossentropy"]


@pytest.mark.problem("local_gradients", points=3)
@pytest.mark.hint("The mean over what?")
@pytest.mark.parametrize("name", LOSSES)
def test_loss(student, rng, name):
    """The losses are right, for soft targets too."""
    for shape in [(4, 3), (1, 5), (6, 2)]:
        prediction, target = rng.normal(size=shape) * 2, draw_target(rng, name, shape)
        prediction[-1, -1] = 0
        loss = call(student, "loss_and_gradient", name, prediction, target)[0]
        assert float(loss) == pytest.approx(loss_of(name, prediction, target), rel=1e-9, abs=1e-11)


@pytest.mark.problem("local_gradients", points=2)
@pytest.mark.hint("Compare with your numeric gradient, for a batch of one and a larger one.")
@pytest.mark.parametrize("name", LOSSES)
def test_loss_gradient(student, rng, name):
    """The gradients of the losses are right."""
    for shape in [(4, 3), (1, 5), (6, 2)]:
        prediction, target = rng.normal(size=shape) * 2, draw_target(rng, name, shape)
        prediction[-1, -1] = 0
        gradient = student.loss_and_gradient(name, prediction, target)[1]
        expected = complex_gradient(lambda p, t=target: loss_of(name, p, t), prediction)
        assert np.shape(gradient) == shape
        np.testing.assert_allclose(gradient, expected, **CLOSE)


@pytest.mark.problem("local_gradients", points=1)
@pytest.mark.hint("What is the exponential of 1000, and the logarithm of 0?")
@pytest.mark.parametrize("name", LOSSES[1:])
def test_large_logits(student, rng, name):
    """Losses and gradients are right for logits of ±1000."""
    prediction = np.array([[1000.0, -1000, 3], [-1000, 990, -7], [2, -1, 0.5]])
    target = draw_target(rng, name, (3, 3))
    if name == "binary_crossentropy":
        costs = np.maximum(prediction, 0) - target * prediction + np.log1p(np.exp(-np.abs(prediction)))
        expected = costs.sum() / 9
        pulls = np.vectorize(lambda z: scalar("sigmoid", z)[0])(prediction) - target
        pulls /= 9
    else:
        logs = prediction - np.logaddexp.reduce(prediction, axis=1, keepdims=True)
        expected, pulls = -(target * logs).sum() / 3, (np.exp(logs) - target) / 3
    loss, gradient = student.loss_and_gradient(name, prediction, target)
    assert float(loss) == pytest.approx(expected, rel=1e-9)
    assert np.shape(gradient) == (3, 3)
    np.testing.assert_allclose(gradient, pulls, **CLOSE)


@pytest.mark.problem("local_gradients", points=1)
@pytest.mark.hint("Two shapes that broadcast are still two shapes.")
def test_loss_errors(student, rng):
    """Unknown losses are refused, and shapes that differ."""
    prediction, target = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    for wrong in ("hinge", "mse", ""):
        with pytest.raises(ValueError):
            student.loss_and_gradient(wrong, prediction, target)
    for name in LOSSES:
        for shape in [(1, 3), (4, 1), (3, 4)]:
            with pytest.raises(ValueError):
                student.loss_and_gradient(name, prediction, draw_target(rng, name, shape))
    loss, gradient = student.loss_and_gradient("mean_squared_error", prediction, target)
    assert float(loss) == pytest.approx(loss_of("mean_squared_error", prediction, target), rel=1e-9)
    np.testing.assert_allclose(gradient, (prediction - target) / 6, **CLOSE)


# Backward


def check_backward(student, rng, layers, samples, changed_biases=False):
    x = rng.normal(size=(samples, layers[0]["w"].shape[0]))
    values = run(layers, x)
    upstream = rng.normal(size=values[f"a{len(layers)}"].shape)
    given = layers
    if changed_biases:
        given = [{**layer, "b": rng.normal(size=layer["b"].shape)} for layer in layers]
    gradients, dx = call(student, "backward", given, values, upstream)
    expected = gradients_of(lambda changed: (output(changed, x) * upstream).sum(), layers)
    assert [sorted(gradient) for gradient in gradients] == [["b", "w"]] * len(layers)
    for number, (found, wanted) in enumerate(zip(gradients, expected, strict=True), 1):
        for key in ("w", "b"):
            assert np.shape(found[key]) == wanted[key].shape
            np.testing.assert_allclose(found[key], wanted[key], **CLOSE, err_msg=f"{key} of layer {number}")
    wanted = complex_gradient(lambda x: (output(layers, x) * upstream).sum(), x)
    assert np.shape(dx) == x.shape
    np.testing.assert_allclose(dx, wanted, **CLOSE, err_msg="dx")


@pytest.mark.problem("backward", points=4)
@pytest.mark.hint("Redo the README's example; then let your gradient_check say which layer is wrong first.")
@pytest.mark.parametrize(
    "names", [("tanh",), ("sigmoid", "linear"), ("tanh", "relu", "leaky_relu", "linear")]
)
def test_backward(student, rng, names):
    """All gradients of a plain network are right, whatever its depth."""
    sizes = [3, 5, 4, 2, 3][: len(names) + 1]
    check_backward(student, rng, draw_layers(rng, sizes, names), 4)
    check_backward(student, rng, draw_layers(rng, sizes, names), 1)


@pytest.mark.problem("backward", points=4)
@pytest.mark.hint("By how many ways does a skip layer's input reach the loss?")
@pytest.mark.parametrize("skips", [{0}, {1, 2}, {0, 1, 2}])
def test_backward_skip(student, rng, skips):
    """Gradients take both ways around a residual layer."""
    layers = draw_layers(rng, [3, 3, 3, 3, 2], ["tanh", "leaky_relu", "sigmoid", "linear"], skips)
    for samples in (1, 5, 9):
        check_backward(student, rng, layers, samples)


@pytest.mark.problem("backward", points=2)
@pytest.mark.hint("What is the step's derivative, and which way is left for the gradient?")
def test_backward_step(student, rng):
    """A step stops the gradient, unless a skip connection leads around it."""
    check_backward(student, rng, draw_layers(rng, [3, 4, 4, 2], ["tanh", "step", "tanh"]), 3)
    check_backward(student, rng, draw_layers(rng, [3, 4, 4, 2], ["tanh", "step", "tanh"], {1}), 3)


@pytest.mark.problem("backward", points=3)
@pytest.mark.hint("What does the README say about running the network again?")
def test_backward_reads_the_values(student, rng):
    """The gradients belong to the values of the forward pass that was made."""
    layers = draw_layers(rng, [3, 4, 4, 2], ["tanh", "sigmoid", "leaky_relu"], {1})
    check_backward(student, rng, layers, 4, changed_biases=True)


# Numeric gradients and gradient checking


def call_and_watch(function, f, x, options):
    """What a function of f and x returns, and what it leaves of x; runs beside the student's code."""
    return function(f, x, **options), x


@pytest.mark.problem("gradient_check", points=3)
@pytest.mark.hint("Work the README's x³ by hand, with h = 0.1.")
@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 1, 3)])
def test_numeric_gradient(student, rng, shape):
    """Central differences of a cubic are 3x² + h², for any shape and step."""
    x, factors = rng.normal(size=shape) * 2, rng.uniform(1, 3, shape) * rng.choice([-1, 1], shape)

    def cubic(a):
        return float((factors * a**3).sum())

    for step in (0.5, 0.01):
        found = student.numeric_gradient(cubic, x, step)
        assert found.dtype == np.float64
        assert found.shape == shape
        np.testing.assert_allclose(found, factors * (3 * x**2 + step**2), rtol=1e-8, atol=1e-9)
    found = student.numeric_gradient(cubic, x)
    assert found.shape == shape
    np.testing.assert_allclose(found, 3 * factors * x**2, rtol=1e-6, atol=1e-7)


@pytest.mark.problem("gradient_check", points=2)
@pytest.mark.hint("Record every array that f is called with. Where does it differ from x, and by how much?")
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_numeric_gradient_moves_one_entry(student, rng, dtype):
    """f sees float64 arrays that differ from x in one entry at most; x itself never changes."""
    x = (rng.normal(size=(3, 4)) * 3).astype(dtype)
    seen = []

    def f(a):
        seen.append(np.array(a))
        return float(np.sin(a).sum())

    for options in ({}, {"step": 1e-3}):
        step = options.get("step", 1e-5)
        seen.clear()
        found, left = student.probe(call_and_watch, student.numeric_gradient, f, x.copy(), options)
        np.testing.assert_array_equal(left, x)
        assert found.dtype == np.float64
        wanted = np.cos(x.astype("float64"))
        np.testing.assert_allclose(found, wanted, rtol=step**2, atol=max(step**2, 1e-8))
        for a in seen:
            assert a.dtype == np.float64
            assert a.shape == x.shape
            assert np.count_nonzero(a != x) <= 1
        assert max(np.abs(a - x).max() for a in seen) == pytest.approx(step, rel=1e-6)


@pytest.mark.problem("gradient_check", points=2)
@pytest.mark.hint("Whose size does the difference stand beside?")
def test_relative_error(student, rng):
    """The relative error follows the formula, entry by entry."""
    a = rng.normal(size=(3, 5)) * 10.0 ** rng.integers(-6, 4, (3, 5))
    n = a * rng.uniform(0.2, 1.8, a.shape) * rng.choice([-1, 1], a.shape)
    a[0, 0], n[0, 0], a[0, 1], n[0, 2] = 0, 0, 0, 0
    for options in ({}, {"floor": 1e-6}, {"floor": 0.5}):
        floor = options.get("floor", 1e-3)
        expected = [abs(p - q) / max(abs(p), abs(q), floor) for p, q in zip(a.flat, n.flat, strict=True)]
        found, _ = student.probe(call_and_watch, student.relative_error, a.copy(), n, options)
        assert np.shape(found) == a.shape
        np.testing.assert_allclose(np.ravel(found), expected, rtol=1e-9, atol=1e-15)


@pytest.mark.problem("gradient_check", points=1)
@pytest.mark.hint("What does NaN compare to? And inf minus inf?")
def test_relative_error_of_nan(student, rng):
    """NaN and infinity are infinitely wrong."""
    a, n = rng.uniform(1, 2, (2, 8))
    right = np.abs(a - n) / np.maximum(a, n)
    a[[0, 2, 3, 5]] = np.nan, np.nan, np.inf, -np.inf
    n[[1, 2, 3, 6]] = np.nan, np.nan, np.inf, np.inf
    found = student.relative_error(a, n)
    expected = np.full(8, np.inf)
    expected[[4, 7]] = right[[4, 7]]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.problem("gradient_check", points=1)
@pytest.mark.hint("Two shapes that broadcast are still two shapes.")
def test_gradient_shapes(student, rng):
    """A gradient of another shape is refused, also where it would broadcast."""
    a, n = rng.uniform(1, 2, (2, 3, 4))
    for shape in [(1, 4), (3, 1), (4,), (12,), ()]:
        with pytest.raises(ValueError):
            student.relative_error(np.ones(shape), n)
        with pytest.raises(ValueError):
            student.gradient_check(lambda x: float(x.sum()), lambda x, shape=shape: np.ones(shape), a)
    np.testing.assert_allclose(student.relative_error(a, n), np.abs(a - n) / np.maximum(a, n), rtol=1e-9)
    found = student.gradient_check(lambda x: float(x.sum()), lambda x: x * 0 + 1, a)
    assert found == {"wrong": [], "kinks": []}


def flawed_backward(layers, x, target, flaw=""):
    """Backpropagation of a mean squared error with one mistake in it, or with none."""
    values = run(layers, x)
    upstream = 2 * (values[f"a{len(layers)}"] - target) / target.size
    if flaw == "divided by N again":
        upstream = upstream / len(x)
    if flaw == "sum for mean":
        upstream = upstream * target.size
    gradients = []
    for number in range(len(layers), 0, -1):
        layer, z = layers[number - 1], values[f"z{number}"]
        rate = slope(layer["activation"], z)
        if flaw == "slope at the output":
            rate = slope(layer["activation"], values[f"a{number}"])
        if flaw == "activation forgotten" or (flaw == "slope 1 for ReLU" and layer["activation"] == "relu"):
            rate = np.ones_like(z)
        dz = upstream * rate
        before = values[f"a{number - 1}"]
        if flaw == "the layer's output for its input" and number == 2:
            before = values["a2"]
        db = dz.mean(0) if flaw == "bias as a mean" else dz[0] if flaw == "bias of one sample" else dz.sum(0)
        gradients.insert(0, {"w": before.T @ dz, "b": db})
        square = flaw == "kernel not transposed" and number == 2
        dx = dz @ layer["w"] if square else dz @ layer["w"].T
        skipped = layer.get("skip") and flaw != "skip connection detached"
        upstream = dx + upstream if skipped else upstream if flaw == "only the skip" and number == 2 else dx
    return gradients


# each mistake with the weights that show it
FLAWS = {
    "divided by N again": (2, "w"),
    "sum for mean": (2, "b"),
    "slope at the output": (0, "w"),
    "activation forgotten": (0, "b"),
    "slope 1 for ReLU": (1, "w"),
    "the layer's output for its input": (1, "w"),
    "bias as a mean": (1, "b"),
    "bias of one sample": (0, "b"),
    "kernel not transposed": (0, "w"),
    "skip connection detached": (0, "w"),
}


def draw_flawed(rng, flaw):
    """A network whose flawed gradient is off by more than 1e-3, or not at all, in every entry; and no kink is near."""
    number, key = FLAWS[flaw]
    while True:
        layers = draw_layers(rng, [3, 4, 4, 2], ["tanh", "relu", "linear"], {1})
        x, target = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
        values = run(layers, x)
        right = flawed_backward(layers, x, target)[number][key]
        off = np.abs(flawed_backward(layers, x, target, flaw)[number][key] - right)
        clear = (off < 1e-11) | (off > 2e-3)
        if clear.all() and (off > 2e-3).any() and np.abs(values["z2"]).min() > 1e-3:
            return layers, x, target, number, key, [*zip(*np.nonzero(off > 2e-3), strict=True)]


@pytest.mark.problem("gradient_check", points=3)
@pytest.mark.hint("Make one mistake in a backward pass yourself, and print both gradients side by side.")
@pytest.mark.parametrize("flaw", FLAWS)
def test_check_finds_wrong_backward_passes(student, rng, flaw):
    """Your check passes a right backward pass, and finds the wrong entries of one with a mistake that people make."""
    layers, x, target, number, key, wrong = draw_flawed(rng, flaw)

    def loss(value):
        return float(((output(replaced(layers, number, key, value), x) - target) ** 2).mean())

    def right(value):
        return flawed_backward(replaced(layers, number, key, value), x, target)[number][key]

    def flawed(value):
        return flawed_backward(replaced(layers, number, key, value), x, target, flaw)[number][key]

    start = layers[number][key]
    assert student.gradient_check(loss, right, start) == {"wrong": [], "kinks": []}
    expected = {"wrong": [tuple(int(i) for i in index) for index in wrong], "kinks": []}
    assert student.gradient_check(loss, flawed, start) == expected


@pytest.mark.problem("gradient_check", points=1)
@pytest.mark.hint("What becomes of one NaN, or of one wrong sign among many right entries?")
@pytest.mark.parametrize("shape", [(3, 4), (5,), (2, 1, 3)])
def test_check_finds_single_entries(student, rng, shape):
    """A single wrong entry is found wherever it is, NaN too, and the tolerance is the one that was asked for."""
    x, waves = rng.normal(size=shape), rng.uniform(0.5, 1.5, shape)
    slopes = rng.uniform(2, 3, shape) * rng.choice([-1, 1], shape)
    waves.flat[0] = slopes.flat[0] = 0

    def f(x):
        return float((waves * np.sin(x) + slopes * x).sum())

    def gradient(x, at=None, factor=1.0, shift=0.0):
        found = waves * np.cos(x) + slopes
        if at is not None:
            found[at] = found[at] * factor + shift
        return found

    assert student.gradient_check(f, gradient, x) == {"wrong": [], "kinks": []}
    for factor, shift in [(-1, 0), (0, 0), (1, 2e-3), (1, -2e-3), (np.nan, 0), (1, np.inf), (1, -np.inf)]:
        at = tuple(int(i) for i in np.unravel_index(rng.integers(1, x.size), shape))
        found = student.gradient_check(f, lambda x, at=at, a=factor, b=shift: gradient(x, at, a, b), x)
        assert found == {"wrong": [at], "kinks": []}
    at = tuple(int(i) for i in np.unravel_index(x.size - 1, shape))
    for tolerance, wrong in [(0.1, []), (0.01, [at])]:
        found = student.gradient_check(f, lambda x, at=at: gradient(x, at, 1.05), x, tolerance=tolerance)
        assert found == {"wrong": wrong, "kinks": []}
    first = (0,) * len(shape)
    found = student.gradient_check(f, lambda x: gradient(x, first, shift=2e-3), x)
    assert found == {"wrong": [first], "kinks": []}


@pytest.mark.problem("gradient_check", points=1)
@pytest.mark.hint("Weights that are used twice collect a gradient from each use.")
def test_check_finds_a_forgotten_use(student, rng):
    """A gradient that overwrites where it should add up is found."""

    def total(first, second):
        return (u * np.tanh(np.tanh(x @ first) @ second)).sum()

    def last_use(w):
        return complex_gradient(lambda moved: total(w, moved), w)

    def both_uses(w):
        return complex_gradient(lambda moved: total(moved, moved), w)

    off = np.zeros(1)
    while off.min() < 2e-3:
        w, (x, u) = rng.normal(size=(4, 4)) * 0.6, rng.normal(size=(2, 3, 4))
        off = np.abs(last_use(w) - both_uses(w))

    def f(w):
        return float(total(w, w))

    assert student.gradient_check(f, both_uses, w) == {"wrong": [], "kinks": []}
    expected = {"wrong": [*np.ndindex(4, 4)], "kinks": []}
    assert student.gradient_check(f, last_use, w) == expected


@pytest.mark.problem("gradient_check", points=2)
@pytest.mark.hint("Print both one-sided slopes at a kink that goes up, and at one that goes down.")
def test_check_knows_kinks(student, rng):
    """Any slope between the two sides of a kink is let through and listed; others are wrong."""
    x = rng.uniform(0.5, 2, (3, 5)) * rng.choice([-1, 1], (3, 5))
    x[0, 1] = x[0, 3] = x[1, 2] = x[2, 0] = 0
    x[2, 4] = 3e-6
    bends = rng.uniform(1, 3, x.shape) * rng.choice([-1, 1], x.shape)
    bends[0, 1], bends[0, 3] = 2, -2
    slopes, curves = rng.uniform(1, 2, (2, 3, 5))
    curves[0, 3] = -1

    def f(x):
        return float((bends * np.maximum(x, 0) + slopes * x + curves * x**2).sum())

    def gradient(x, at_zero=0.0):
        return bends * np.where(x == 0, at_zero, x > 0) + slopes + 2 * curves * x

    at_zero = [(0, 1), (0, 3), (1, 2), (2, 0)]
    for share in (0.0, 1.0, 0.2):
        found = student.gradient_check(f, lambda x, share=share: gradient(x, share), x)
        assert found == {"wrong": [], "kinks": [*at_zero, (2, 4)]}
    found = student.gradient_check(f, lambda x: gradient(x, 0.5), x)
    assert found == {"wrong": [], "kinks": [(2, 4)]}
    for share in (1.01, -0.01, 2.0, np.nan):
        found = student.gradient_check(f, lambda x, share=share: gradient(x, share), x)
        assert found == {"wrong": at_zero, "kinks": [(2, 4)]}
    smooth = np.zeros(x.shape)
    smooth[1, 0] = smooth[2, 3] = 2e-3
    found = student.gradient_check(f, lambda x: gradient(x) + smooth, x)
    assert found == {"wrong": [(1, 0), (2, 3)], "kinks": [*at_zero, (2, 4)]}


# Automatic differentiation

METHODS = ("exp", "log", "tanh", "relu", "sum")


def differentiate(student, methods, arrays, program, upstream):
    """Run a program on tensors and pull a gradient back; runs beside the student's code.

    A step is a name and its operands: an int is the number of an earlier value, anything else a constant.
    """
    nodes = [student.Tensor(array) for array in arrays]
    for name, *operands in program:
        if name in methods:
            nodes.append(getattr(nodes[operands[0]], name)(*operands[1:]))
        else:
            first, second = (nodes[o] if type(o) is int else o for o in operands)
            nodes.append(getattr(operator, name)(first, second))
    nodes[-1].backward(*upstream)
    return [node.data for node in nodes], [node.grad for node in nodes]


def interpret(arrays, program):
    """The same program on plain arrays, which may be complex."""
    values = [*arrays]
    for name, *operands in program:
        if name == "relu":
            values.append(activation("relu", values[operands[0]]))
        elif name in METHODS:
            values.append(getattr(np, name)(values[operands[0]], *operands[1:]))
        else:
            first, second = (values[o] if type(o) is int else o for o in operands)
            values.append(getattr(operator, name)(first, second))
    return values


def check_program(student, rng, arrays, program):
    """Values of all steps, and the gradient of every value, found by moving it and running what follows it."""
    values = interpret(arrays, program)
    last = values[-1]
    single = np.size(last) == 1 and rng.integers(2)
    upstream = np.ones(np.shape(last)) if single else rng.normal(size=np.shape(last))
    found, gradients = student.probe(
        differentiate, student, METHODS, arrays, program, [] if single else [upstream]
    )
    for number, value in enumerate(values):
        assert np.shape(found[number]) == np.shape(value)
        np.testing.assert_allclose(found[number], value, **CLOSE)
        expected = complex_gradient(
            lambda moved, n=number: (upstream * finish(values, n, moved, arrays, program)).sum(),
            np.asarray(value),
        )
        assert np.shape(gradients[number]) == np.shape(value)
        np.testing.assert_allclose(gradients[number], expected, **CLOSE, err_msg=f"value {number}")


def finish(values, number, moved, arrays, program):
    """The program's last value when one of its values is replaced."""
    start = [*arrays]
    if number < len(arrays):
        start[number] = moved
        return interpret(start, program)[-1]
    done = [*values[:number], moved]
    return interpret(done, program[number - len(arrays) + 1 :])[-1]


OPERATIONS = {
    "add and mul": [("add", 0, 1), ("mul", 3, 0), ("add", 4, 2.5), ("mul", -3.0, 5)],
    "pow and truediv": [("pow", 1, 3.0), ("pow", 1, -0.5), ("truediv", 3, 4), ("truediv", 2.0, 5)],
    "matmul": [
        ("matmul", 0, 2),
        ("matmul", 3, np.arange(6.0).reshape(2, 3) - 2),
        ("matmul", np.ones((3, 4)), 4),
    ],
    "sub and neg": [("sub", 0, 1), ("sub", 3.0, 3), ("sub", np.arange(5.0), 4), ("sub", 5, np.ones(5))],
    "exp and log": [("exp", 0), ("log", 1), ("mul", 3, 4), ("exp", 5)],
    "tanh and relu": [("tanh", 0), ("relu", 0), ("add", 3, 4), ("relu", 5), ("tanh", 6)],
    "sum": [("sum", 0, 1), ("sum", 2, -2), ("sum", 3), ("sum", 4, None), ("mul", 5, 6)],
}


@pytest.mark.problem("autodiff", points=4)
@pytest.mark.hint("Pull a gradient back through one operation alone; compare with your numeric_gradient.")
@pytest.mark.parametrize("name", OPERATIONS)
def test_tensor_operations(student, rng, name):
    """Each operation has the right value and pulls gradients back rightly, constants on either side."""
    a, positive, c = rng.normal(size=(4, 5)), rng.uniform(0.5, 2, (4, 5)), rng.normal(size=(5, 2))
    a[0, 0] = 0
    check_program(student, rng, [a, positive, c], OPERATIONS[name])


@pytest.mark.problem("autodiff", points=2)
@pytest.mark.hint("How often was each number of the smaller operand used?")
@pytest.mark.parametrize(
    "shapes", [((3,), (5, 3)), ((4, 1), (1, 3)), ((), (2, 3)), ((2, 1, 3), (4, 1)), ((1, 1), (2,))]
)
def test_tensor_broadcasting(student, rng, shapes):
    """Gradients of operands that were broadcast have the operands' shapes."""
    arrays = [rng.uniform(0.5, 2, shape) for shape in shapes]
    check_program(student, rng, arrays, [("add", 0, 1), ("mul", 2, 0), ("mul", 1, 3), ("truediv", 0, 4)])


@pytest.mark.problem("autodiff", points=3)
@pytest.mark.hint("When is the gradient of a value complete, so that it may be passed on?")
@pytest.mark.parametrize(
    "program",
    [
        [("mul", 0, 0), ("add", 1, 0)],
        [("add", 0, 1.0), ("mul", 1, 1), ("mul", 1, 2)],
        [("add", 0, 1.0), ("mul", 1, 1), ("mul", 2, 1)],
        [("tanh", 0), ("mul", 1, 2.0), ("mul", 2, 1), ("add", 3, 2), ("mul", 4, 1), ("add", 0, 5)],
    ],
)
def test_tensor_used_again(student, rng, program):
    """A value that is used more than once collects a gradient from every use, and only then passes it on."""
    check_program(student, rng, [rng.normal(size=(2, 3))], program)


@pytest.mark.problem("autodiff", points=1)
@pytest.mark.hint("Build the README's network from tensors.")
def test_tensor_network(student, rng):
    """A residual network with a mean squared error, built from tensors, has the right gradients."""
    arrays = [rng.normal(size=shape) for shape in [(4, 3), (3, 3), (3,), (3, 2), (2,), (4, 2)]]
    program = [
        *[("matmul", 0, 1), ("add", 6, 2), ("tanh", 7), ("add", 8, 0), ("matmul", 9, 3), ("add", 10, 4)],
        *[("sub", 11, 5), ("pow", 12, 2.0), ("sum", 13), ("truediv", 14, 8.0)],
    ]
    check_program(student, rng, arrays, program)


def call_backward_again(student, a):
    x = student.Tensor(a)
    y = x * x + x
    z = x * 3.0
    found = []
    for tensor in (y, y, z, y):
        tensor.backward(np.ones(a.shape))
        found.append(np.array(x.grad))
    return found


@pytest.mark.problem("autodiff", points=1)
@pytest.mark.hint("Where does a gradient start from when backward is called for the second time?")
def test_tensor_backward_again(student, rng):
    """Calling backward again starts from zero."""
    a = rng.normal(size=(2, 3))
    found = student.probe(call_backward_again, student, a)
    for gradient, expected in zip(found, [2 * a + 1, 2 * a + 1, 0 * a + 3, 2 * a + 1], strict=True):
        assert np.shape(gradient) == (2, 3)
        np.testing.assert_allclose(gradient, expected, **CLOSE)


@pytest.mark.problem("autodiff", points=1)
@pytest.mark.hint("For which tensors is an upstream of 1 meant, and which shape must one have?")
def test_tensor_upstream(student, rng):
    """An upstream gradient is needed where there is more than one number, in the tensor's shape."""
    a = rng.normal(size=(2, 3))
    x = student.Tensor(a)
    np.testing.assert_array_equal(np.asarray(x.grad), np.zeros((2, 3)))
    y = x.tanh()
    for wrong in ((), (np.ones((1, 3)),), (np.ones((3, 2)),), (np.ones(3),), (np.ones((1, 2, 3)),)):
        with pytest.raises(ValueError):
            y.backward(*wrong)
    cases = [((2, 3), np.full((2, 3), 2.0)), ((1, 1), None), ((), None), ((1,), np.array([3.0]))]
    for shape, upstream in cases:
        a = rng.integers(1, 9, shape)
        x = student.Tensor(a)
        x.tanh().backward(upstream)
        assert np.shape(x.grad) == shape
        expected = slope("tanh", a.astype("float64")) * (1.0 if upstream is None else upstream)
        np.testing.assert_allclose(x.grad, expected, **CLOSE)


def long_programs(student, a, length, doublings):
    """A long chain, and a value that is used twice again and again."""
    x = student.Tensor(a)
    y = x
    for number in range(length):
        y = y + x if number % 1000 == 0 else y * 1.0001
    y.backward(np.ones(a.shape))
    chain = np.array(x.grad)
    y = x
    for _ in range(doublings):
        y = y + y
    y.backward(np.ones(a.shape))
    return chain, np.array(x.grad)


@pytest.mark.problem("autodiff", points=1)
@pytest.mark.hint("How deep does Python recurse? And how many paths lead back through forty doublings?")
def test_tensor_long_programs(student, rng):
    """Chains of 5000 operations work, and forty doublings cost no more than their operations."""
    a = rng.normal(size=2)
    chain, doubled = student.probe(long_programs, student, a, 5000, 40)
    expected = 1.0
    for number in range(5000):
        expected = expected + 1 if number % 1000 == 0 else expected * 1.0001
    np.testing.assert_allclose(chain, np.full(2, expected), rtol=1e-9, strict=True)
    np.testing.assert_allclose(doubled, np.full(2, 2.0**40), rtol=1e-9, strict=True)


# Gradient descent


def draw_bowl(rng, size, lowest, highest):
    """A symmetric matrix with eigenvalues between the two given ones, which are among them."""
    turn = np.linalg.qr(rng.normal(size=(size, size)))[0]
    values = rng.uniform(lowest, highest, size)
    values[0] = highest
    values[-1] = lowest if size > 1 else highest
    hessian = turn @ np.diag(values) @ turn.T
    return (hessian + hessian.T) / 2


@pytest.mark.problem("gradient_descent", points=2)
@pytest.mark.hint("Uphill or downhill? And how many weights are there after no step at all?")
@pytest.mark.parametrize("shape", [(3,), (2, 4), ()])
def test_gradient_descent(student, rng, shape):
    """All weights on the way are returned, from the start."""
    w, rate = np.asarray(rng.normal(size=shape) * 2), float(rng.uniform(0.05, 0.3))

    def gradient(w):
        return np.sin(w) + w / 2

    for steps in (0, 1, 5):
        found, left = student.probe(
            descend_and_keep, student.gradient_descent, gradient, w.copy(), rate, steps
        )
        path = [w]
        for _ in range(steps):
            path.append(path[-1] - rate * gradient(path[-1]))
        assert np.shape(found) == (steps + 1, *shape)
        np.testing.assert_allclose(found, path, **CLOSE)
        np.testing.assert_array_equal(left, w)


def descend_and_keep(function, gradient, w, rate, steps):
    """What gradient descent returns, and what it leaves of the start; runs beside the student's code."""
    return function(gradient, w, rate, steps), w


@pytest.mark.problem("gradient_descent", points=2)
@pytest.mark.hint("Which of the parabolas is the first to diverge?")
def test_critical_learning_rate(student, rng):
    """The largest curvature decides which learning rates converge."""
    for size in (1, 2, 5):
        highest = float(rng.uniform(2, 50))
        hessian = draw_bowl(rng, size, 0.1, highest)
        rate = float(call(student, "critical_learning_rate", hessian))
        assert rate == pytest.approx(2 / highest, rel=1e-9)


def count_steps(gradient, w, rate, tolerance, max_steps):
    for steps in range(max_steps + 1):
        if math.sqrt(sum(float(g) ** 2 for g in np.ravel(gradient(w)))) <= tolerance:
            return steps
        w = w - rate * gradient(w)
    return None


@pytest.mark.problem("gradient_descent", points=3)
@pytest.mark.hint("Is the gradient looked at before the step or after it? What does NaN compare to?")
@pytest.mark.parametrize("shape", [(4,), (2, 2)])
def test_steps_to_converge(student, rng, shape):
    """Steps are counted until the gradient is small; too many steps and divergence give None."""
    hessian, w = draw_bowl(rng, 4, 0.8, 5.0), rng.uniform(1, 2, shape)

    def gradient(w):
        return (hessian @ w.reshape(4)).reshape(w.shape)

    for rate in (0.02, 0.1, 0.3):
        expected = count_steps(gradient, w, rate, 0.3, 400)
        assert expected > 0
        assert student.steps_to_converge(gradient, w, rate, 0.3, 400) == expected
        assert student.steps_to_converge(gradient, w, rate, 0.3, expected) == expected
        assert student.steps_to_converge(gradient, w, rate, 0.3, expected - 1) is None
    assert student.steps_to_converge(gradient, w, 0.1, 1e3, 5) == 0
    assert student.steps_to_converge(gradient, w * 0, 0.1, 0.0, 0) == 0
    assert student.steps_to_converge(gradient, w, 0.42, 1e-3, 30) is None
    with np.errstate(all="ignore"):
        assert student.steps_to_converge(gradient, w, 1e30, 1e-3, 30) is None


def retrain(layers, x, y, loss, rate, steps):
    """Full batches, with gradients by the complex step."""

    def cost(layers):
        return loss_of(loss, output(layers, x), y)

    losses = [cost(layers)]
    for _ in range(steps):
        gradients = gradients_of(cost, layers)
        layers = [
            {**layer, "w": layer["w"] - rate * gradient["w"], "b": layer["b"] - rate * gradient["b"]}
            for layer, gradient in zip(layers, gradients, strict=True)
        ]
        losses.append(cost(layers))
    return layers, losses


@pytest.mark.problem("gradient_descent", points=3)
@pytest.mark.hint("How many losses are there, which weights does each belong to, and what changes besides w?")
@pytest.mark.parametrize("loss", LOSSES)
def test_train(student, rng, loss):
    """Training gives the weights and losses of batch gradient descent, and leaves the old layers alone."""
    layers = draw_layers(rng, [2, 3, 3, 3], ["tanh", "sigmoid", "linear"], {1})
    x, rate, steps = rng.normal(size=(5, 2)), float(rng.uniform(0.1, 0.5)), 3
    y = draw_target(rng, loss, (5, 3))
    for count in (steps, 0):
        trained, losses = call(student, "train", layers, x, y, loss, rate, count)
        expected, expected_losses = retrain(layers, x, y, loss, rate, count)
        assert len(losses) == count + 1
        np.testing.assert_allclose(losses, expected_losses, **CLOSE)
        assert len(trained) == len(layers)
        for found, wanted in zip(trained, expected, strict=True):
            assert found["activation"] == wanted["activation"]
            assert found.get("skip", False) is wanted.get("skip", False)
            for key in ("w", "b"):
                assert np.shape(found[key]) == wanted[key].shape
                np.testing.assert_allclose(found[key], wanted[key], **CLOSE)
