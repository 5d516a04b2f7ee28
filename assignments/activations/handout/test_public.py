"""Public tests of `activations`: the worked examples of the README, and a first look at each problem."""

import numpy as np
import pytest

CLOSE = {"rtol": 1e-4, "atol": 2e-5}
X = np.array([-1, 2], "float32")
VALUES = {
    "sigmoid": [0.26894, 0.88080],
    "tanh": [-0.76159, 0.96403],
    "relu": [0, 2],
    "leaky_relu": [-0.01, 2],
    "elu": [-0.63212, 2],
    "swish": [-0.26894, 1.76159],
    "mish": [-0.30340, 1.94396],
}
SLOPES = {
    "sigmoid": [0.19661, 0.10499],
    "tanh": [0.41997, 0.07065],
    "relu": [0, 1],
    "leaky_relu": [0.01, 1],
    "elu": [0.36788, 1],
    "swish": [0.07233, 1.09078],
    "mish": [0.05922, 1.06932],
}


def check_table(student, name):
    for function, expected in [(name, VALUES[name]), (f"{name}_derivative", SLOPES[name])]:
        y = getattr(student, function)(X)
        np.testing.assert_allclose(y, expected, **CLOSE)
        assert y.dtype == np.float32
    with pytest.raises(TypeError, match="int32"):
        getattr(student, name)(X.astype("int32"))


def sigmoid(a):
    """A sigmoid good enough for small numbers."""
    return 1 / (1 + np.exp(-a))


def sigmoid_slope(a):
    return sigmoid(a) * (1 - sigmoid(a))


def relu_slope(a):
    return np.where(a > 0, 1.0, 0.0)


@pytest.mark.problem("linear")
@pytest.mark.hint("The step is 1 at 0, and its derivative is 0 everywhere.")
def test_step_and_identity(student):
    """The identity gives x back, the step jumps at 0, and both know their derivatives."""
    x = np.array([-0.5, 0, 3], "float32")
    for name, expected in [
        ("identity", x),
        ("identity_derivative", [1, 1, 1]),
        ("binary_step", [0, 1, 1]),
        ("binary_step_derivative", [0, 0, 0]),
    ]:
        y = getattr(student, name)(x)
        assert y.shape == (3,)
        np.testing.assert_allclose(y, expected)


@pytest.mark.problem("linear")
@pytest.mark.hint("Work the README's example by hand: W1 times W2, and the first bias goes through W2 too.")
def test_worked_collapse(student):
    """Two linear layers collapse into the README's one."""
    kernels = [np.array([[1, 2], [0, -1]], "float32"), np.array([[1], [3]], "float32")]
    kernel, bias = student.collapse(kernels, [np.float32([1, 0]), np.float32([-2])])
    np.testing.assert_allclose(kernel, [[7], [-3]], **CLOSE)
    np.testing.assert_allclose(bias, [-1], **CLOSE)


@pytest.mark.problem("squashing")
@pytest.mark.hint("The README's table has these numbers.")
@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_squashing_table(student, name):
    """Sigmoid and tanh give the README's table, and refuse integers."""
    check_table(student, name)


@pytest.mark.problem("squashing")
@pytest.mark.hint("What is the exponential of 1000?")
def test_sigmoid_of_a_thousand(student):
    """Sigmoid is 0 at -1000 and 1 at 1000."""
    np.testing.assert_allclose(student.sigmoid(np.float32([-1000, 1000])), [0, 1], **CLOSE)


@pytest.mark.problem("rectifiers")
@pytest.mark.hint("The README's table has these numbers.")
@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu"])
def test_rectifiers_table(student, name):
    """ReLU, leaky ReLU and ELU give the README's table, and refuse integers."""
    check_table(student, name)


@pytest.mark.problem("smooth")
@pytest.mark.hint("The README's table has these numbers.")
@pytest.mark.parametrize("name", ["swish", "mish"])
def test_smooth_table(student, name):
    """Swish and mish give the README's table, and refuse integers."""
    check_table(student, name)


@pytest.mark.problem("softmax")
@pytest.mark.hint("The README works this example by hand.")
def test_worked_softmax(student):
    """Softmax of 1, 2, 3, its Jacobian's first row, and its product with 1, 0, 2 are the README's."""
    x, vector = np.array([1, 2, 3], "float32"), np.array([1, 0, 2], "float32")
    np.testing.assert_allclose(student.softmax(x), [0.09003, 0.24473, 0.66524], **CLOSE)
    jacobian = student.softmax_jacobian(x)
    assert jacobian.shape == (3, 3)
    np.testing.assert_allclose(jacobian[0], [0.08193, -0.02203, -0.05989], **CLOSE)
    np.testing.assert_allclose(student.softmax_jvp(x, vector), [-0.03786, -0.34764, 0.38550], **CLOSE)


@pytest.mark.problem("prelu")
@pytest.mark.hint("One alpha a feature, the same for all samples.")
def test_worked_prelu(student):
    """PReLU gives the README's example, and starts with slopes of 0.25."""
    layer = student.PReLU()
    layer.build((None, 2))
    np.testing.assert_allclose(layer.alpha, [0.25, 0.25])
    layer.alpha.assign([0.25, -1])
    y = layer(np.array([[-4, -4], [2, -1]], "float32"))
    np.testing.assert_allclose(y, [[-1, 4], [2, 1]], **CLOSE)


@pytest.mark.problem("dying_relu")
@pytest.mark.hint("Which units have a positive pre-activation for at least one sample? And after the step?")
def test_worked_dead_units(student):
    """Two of the README's three units are dead; a small step leaves the third alive, a large one kills it."""
    x = np.array([[1, 2], [2, -1], [-1, 1]], "float32")
    kernel = np.array([[1, -1, 0], [1, -1, 1]], "float32")
    bias = np.array([1, -1, -3], "float32")
    upstream = np.ones((3, 3), "float32")
    assert student.dead_fraction(x, kernel, bias, relu_slope) == pytest.approx(2 / 3, abs=1e-6)
    assert student.dead_after_step(x, kernel, bias, upstream, 0.5) == pytest.approx(2 / 3, abs=1e-6)
    assert student.dead_after_step(x, kernel, bias, upstream, 2.0) == pytest.approx(1, abs=1e-6)


@pytest.mark.problem("gradient_flow")
@pytest.mark.hint("Each layer multiplies by the slope at its pre-activation, then by the kernel's transpose.")
def test_worked_gradient_norms(student):
    """Two layers of one unit have the README's gradients."""
    kernels, biases = [np.array([[2.0]]), np.array([[-1.0]])], [np.array([-2.0]), np.array([0.5])]
    one = np.array([[1.0]])
    norms = student.gradient_norms(one, kernels, biases, one, sigmoid, sigmoid_slope)
    np.testing.assert_allclose(norms, [0.125, 0.25, 1], rtol=1e-6)
    assert student.gradient_gain([0.125, 0.25, 1.0]) == pytest.approx(0.125**0.5, rel=1e-6)


@pytest.mark.problem("gradient_flow")
@pytest.mark.hint("The README says what is drawn, in which order.")
def test_sigmoid_vanishes(student):
    """Thirty sigmoid layers leave the README's 1.28e-18 of the gradient."""
    norms = student.gradient_flow(sigmoid, sigmoid_slope, 1.0)
    assert len(norms) == 31
    np.testing.assert_allclose([norms[0], norms[-1]], [1.281e-18, 13.68], rtol=1e-3)
