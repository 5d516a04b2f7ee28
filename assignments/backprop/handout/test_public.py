"""Public tests of `backprop`: the worked examples of the README, and a first look at each problem."""

import numpy as np
import pytest

CLOSE = {"rtol": 1e-9, "atol": 1e-11}
CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float64")
X = np.array([[1.0, 2.0]])
LAYERS = [
    {"w": np.array([[1.0, -1], [0.5, 1]]), "b": np.array([0.0, -2]), "activation": "relu"},
    {"w": np.array([[2.0], [3]]), "b": np.array([-1.0]), "activation": "linear"},
]
VALUES = {
    "a0": X,
    "z1": np.array([[2.0, -1]]),
    "a1": np.array([[2.0, 0]]),
    "z2": np.array([[3.0]]),
    "a2": np.array([[3.0]]),
}


def check_gradients(found, expected):
    for gradient, (w, b) in zip(found, expected, strict=True):
        assert np.shape(gradient["w"]) == np.shape(w) and np.shape(gradient["b"]) == np.shape(b)
        np.testing.assert_allclose(gradient["w"], w, **CLOSE)
        np.testing.assert_allclose(gradient["b"], b, **CLOSE)


def cubes(x):
    return float(np.sum(x**3))


@pytest.mark.problem("perceptron")
@pytest.mark.hint("Follow the README's table line by line; a score of exactly 0 says 1.")
def test_perceptron_learns_or(student):
    """The perceptron learns OR as in the README's table."""
    w, b, mistakes = student.train_perceptron(CORNERS, np.array([0, 1, 1, 1]))
    np.testing.assert_allclose(w, [1, 1], **CLOSE)
    assert float(b) == pytest.approx(-1)
    assert list(mistakes) == [2, 2, 1, 0]
    said = student.perceptron_predict(CORNERS, np.array([1.0, 1.0]), -1.0)
    np.testing.assert_array_equal(said, [0, 1, 1, 1])


@pytest.mark.problem("perceptron")
@pytest.mark.hint("How many of XOR's four points can one line get right?")
def test_line_for_xor(student):
    """The best line has an accuracy of 0.75 on XOR, and of 1 on OR."""
    assert float(student.best_linear_accuracy(CORNERS, np.array([0, 1, 1, 0]))) == pytest.approx(0.75)
    assert float(student.best_linear_accuracy(CORNERS, np.array([0, 1, 1, 1]))) == pytest.approx(1)


@pytest.mark.problem("xor")
@pytest.mark.hint("The README has this network for 0 and 1.")
def test_xor_of_zero_and_one(student):
    """The network for 0 and 1 tells XOR."""
    hidden, last = student.xor_network(0.0, 1.0)
    a = np.where(CORNERS @ hidden["w"] + hidden["b"] >= 0, 1.0, 0.0)
    y = np.where(a @ last["w"] + last["b"] >= 0, 1.0, 0.0)
    np.testing.assert_array_equal(y, [[0], [1], [1], [0]])


@pytest.mark.problem("xor")
@pytest.mark.hint("(3 · 4 + 4) + (4 · 2 + 2)")
def test_worked_count(student):
    """A network of sizes 3, 4, 2 has 26 numbers, 20 of them weights."""
    assert int(student.count_parameters([3, 4, 2])) == 26
    assert int(student.count_parameters([3, 4, 2], use_bias=False)) == 20


@pytest.mark.problem("forward")
@pytest.mark.hint("The README works this network by hand.")
def test_worked_forward(student):
    """The README's network gives the README's values."""
    found = student.forward(LAYERS, X)
    assert sorted(found) == sorted(VALUES)
    for name, value in VALUES.items():
        assert np.shape(found[name]) == value.shape
        np.testing.assert_allclose(found[name], value, **CLOSE)


@pytest.mark.problem("forward")
@pytest.mark.hint("What is the exponential of 1000?")
def test_activations(student):
    """Activations are right at 0 and far from it."""
    z = np.array([-1000.0, -5, 0, 5, 1000])
    np.testing.assert_allclose(student.activate("leaky_relu", z), [-200, -1, 0, 5, 1000], **CLOSE)
    np.testing.assert_allclose(student.activate("step", z), [0, 0, 1, 1, 1], **CLOSE)
    np.testing.assert_allclose(student.activate("sigmoid", z)[[0, 2, 4]], [0, 0.5, 1], **CLOSE)


@pytest.mark.problem("local_gradients")
@pytest.mark.hint("The README's table of pieces, and its backward pass by hand.")
def test_worked_pieces(student):
    """The pieces of the README's backward pass have the README's gradients."""
    loss, gradient = student.loss_and_gradient("mean_squared_error", np.array([[3.0]]), np.array([[1.0]]))
    assert float(loss) == pytest.approx(4)
    np.testing.assert_allclose(gradient, [[4]], **CLOSE)
    dx, dw, db = student.dense_backward(VALUES["a1"], LAYERS[1]["w"], np.array([[4.0]]))
    np.testing.assert_allclose(dx, [[8, 12]], **CLOSE)
    np.testing.assert_allclose(dw, [[8], [0]], **CLOSE)
    np.testing.assert_allclose(db, [4], **CLOSE)
    dz = student.activation_backward("relu", VALUES["z1"], np.array([[8.0, 12]]))
    np.testing.assert_allclose(dz, [[8, 0]], **CLOSE)


@pytest.mark.problem("backward")
@pytest.mark.hint("The README works this backward pass by hand.")
def test_worked_backward(student):
    """The README's network has the README's gradients."""
    gradients, dx = student.backward(LAYERS, VALUES, np.array([[4.0]]))
    check_gradients(gradients, [([[8, 0], [16, 0]], [8, 0]), ([[8], [0]], [4])])
    np.testing.assert_allclose(dx, [[8, 4]], **CLOSE)


@pytest.mark.problem("backward")
@pytest.mark.hint("Two ways lead from the input to the loss: through the layer, and past it.")
def test_skip_connection(student):
    """A skip connection adds the upstream gradient."""
    layer = {"w": np.array([[2.0, 0], [1, -1]]), "b": np.zeros(2), "activation": "linear", "skip": True}
    z = X @ layer["w"]
    gradients, dx = student.backward([layer], {"a0": X, "z1": z, "a1": z + X}, np.array([[1.0, 10]]))
    check_gradients(gradients, [([[1, 10], [2, 20]], [1, 10])])
    np.testing.assert_allclose(dx, [[3, 1]], **CLOSE)


@pytest.mark.problem("gradient_check")
@pytest.mark.hint("The README works x³ at 2 by hand.")
def test_worked_numeric_gradient(student):
    """x³ at 2 has the central difference 12.01 for a step of 0.1, and that is off by 8.3e-4."""
    found = student.numeric_gradient(cubes, np.array([2.0, -1]), step=0.1)
    np.testing.assert_allclose(found, [12.01, 3.01], rtol=1e-9)
    errors = student.relative_error(np.array([12.0, 0]), np.array([12.01, 1e-9]))
    np.testing.assert_allclose(errors, [0.01 / 12.01, 1e-6], rtol=1e-9)


@pytest.mark.problem("gradient_check")
@pytest.mark.hint("Which entries of the wrong gradient are more than the tolerance away?")
def test_gradient_check(student):
    """A right gradient passes, a wrong entry is found, and the kink of ReLU has an excuse."""
    x = np.array([[2.0, -1, 1], [3, -2, 0.5]])
    assert student.gradient_check(cubes, lambda x: 3 * x**2, x) == {"wrong": [], "kinks": []}

    def wrong(x):
        gradient = 3 * x**2
        gradient[1, 0] = 3 * x[1, 0]
        return gradient

    assert student.gradient_check(cubes, wrong, x) == {"wrong": [(1, 0)], "kinks": []}
    found = student.gradient_check(
        lambda x: float(np.maximum(x, 0).sum()), lambda x: 1.0 * (x > 0), np.array([1.0, 0])
    )
    assert found == {"wrong": [], "kinks": [(1,)]}


def backward_twice_used(student, a):
    x = student.Tensor(a)
    y = x * x + x
    y.backward()
    return y.data, x.grad


@pytest.mark.problem("autodiff")
@pytest.mark.hint("Three edges lead back from x·x + x to x.")
def test_worked_tensor(student):
    """x·x + x at 3 is 12 and has the gradient 7."""
    value, gradient = student.probe(backward_twice_used, student, np.array(3.0))
    assert float(value) == pytest.approx(12)
    assert float(gradient) == pytest.approx(7)


@pytest.mark.problem("gradient_descent")
@pytest.mark.hint("The README has a table for L = 4.")
def test_worked_parabola(student):
    """On the README's parabola the critical learning rate is 0.5."""
    path = student.gradient_descent(lambda w: 4 * w, np.array([1.0]), 0.1, 2)
    np.testing.assert_allclose(path, [[1], [0.6], [0.36]], **CLOSE)
    assert float(student.critical_learning_rate(np.array([[4.0]]))) == pytest.approx(0.5)
    start = np.array([1.0])
    assert student.steps_to_converge(lambda w: 4 * w, start, 0.001, 0.4, 1000) == 575
    assert student.steps_to_converge(lambda w: 4 * w, start, 0.25, 0.4, 1000) == 1
    assert student.steps_to_converge(lambda w: 4 * w, start, 0.6, 0.4, 1000) is None


@pytest.mark.problem("gradient_descent")
@pytest.mark.hint("The README updates its network once, with two learning rates.")
def test_worked_update(student):
    """One step brings the README's loss from 4 to 0.7716 or, if it is too long, to 5.76."""
    for rate, expected in [(0.01, 1.8784), (0.1, -1.4)]:
        layers, losses = student.train(LAYERS, X, np.array([[1.0]]), "mean_squared_error", rate, 1)
        np.testing.assert_allclose(losses, [4, (expected - 1) ** 2], **CLOSE)
        np.testing.assert_allclose(layers[1]["w"], [[2 - 8 * rate], [3]], **CLOSE)
