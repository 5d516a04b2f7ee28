"""Hidden suite of `activations`. Expected values come from float64 NumPy.

Slopes are taken by the complex step: for a function f that NumPy can compute at complex numbers, f'(x) is
Im f(x + ih) / h, and with h = 1e-20 it is exact to the last digits (Squire and Trapp, 1998). No formula for a
derivative stands in this file.
"""

import tempfile
from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf

STEP = 1e-20
ACCURACY = {"float16": 1e-2, "float32": 1e-5, "float64": 1e-12}
REFUSED = ["int32", "int64", "uint8", "bool"]


# The functions at real and complex numbers, up to about 40 in size


def bent(x, above, below):
    return np.where(np.real(x) > 0, above, below)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def swish(x, beta=1.0):
    return x * sigmoid(beta * x)


def mish(x):
    return x * np.tanh(np.log1p(np.exp(x)))


def elu(x, alpha=1.0):
    return bent(x, x, alpha * np.expm1(x))


def leaky_relu(x, slope=0.01):
    return bent(x, x, slope * x)


def relu(x):
    return bent(x, x, 0 * x)


ORACLES = {
    "identity": lambda x: x,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "elu": elu,
    "swish": swish,
    "mish": mish,
}

# What is left of each for x from 100 on, on either side: value and slope, each at -x and at x
LIMITS = {
    "sigmoid": lambda x: ((0, 1), (0, 0)),
    "tanh": lambda x: ((-1, 1), (0, 0)),
    "relu": lambda x: ((0, x), (0, 1)),
    "leaky_relu": lambda x: ((-0.01 * x, x), (0.01, 1)),
    "elu": lambda x: ((-1, x), (0, 1)),
    "swish": lambda x: ((0, x), (0, 1)),
    "mish": lambda x: ((0, x), (0, 1)),
}


def slope_of(function, x, direction=1.0):
    """The derivative at real x, or along a direction."""
    return np.imag(function(np.asarray(x, "float64") + 1j * STEP * np.asarray(direction, "float64"))) / STEP


def softmax(x, axis=-1):
    powers = np.exp(x - np.max(np.real(x), axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


# Comparison


def assert_right(y, expected, dtype):
    """The shape and dtype that belong there, and numbers as near as the handout says."""
    assert isinstance(y, np.ndarray), f"expected an array or tensor, received {type(y).__name__}"
    assert y.shape == np.shape(expected)
    assert y.dtype == dtype
    tolerance = ACCURACY[dtype]
    expected = np.asarray(expected, "float64")
    error = np.abs(y.astype("float64") - expected) / np.maximum(1, np.abs(expected))
    np.testing.assert_allclose(error, np.zeros(error.shape), atol=tolerance)


def draw(rng, dtype="float32"):
    """Numbers of both signs between 0.02 and some 8, none at a corner."""
    size = rng.uniform(0.02, 3, size=(3, 5, 4)) * rng.choice([1, 2.5], size=(3, 5, 4))
    return (size * rng.choice([-1, 1], size=size.shape)).astype(dtype)


def far_out(rng, dtype):
    """Large numbers: first the negative half, then the same ones positive."""
    sizes = np.concatenate([[1000, 999, 100], rng.uniform(100, 1000, size=4)]).astype(dtype)
    return np.stack([-sizes, sizes])


def check_values(student, rng, name, dtype="float32", **settings):
    x = draw(rng, dtype)
    expected = ORACLES[name](x.astype("float64"), **settings)
    assert_right(getattr(student, name)(x, **settings), expected, dtype)


def check_slopes(student, rng, name, **settings):
    for dtype in ("float32", "float64"):
        x = draw(rng, dtype)
        expected = slope_of(lambda z: ORACLES[name](z, **settings), x)
        assert_right(getattr(student, f"{name}_derivative")(x, **settings), expected, dtype)


def check_far_out(student, rng, name, dtype):
    x = far_out(rng, dtype)
    values, slopes = LIMITS[name](x[1].astype("float64"))
    wide = np.ones(x.shape[1:])
    assert_right(getattr(student, name)(x), np.stack([part * wide for part in values]), dtype)
    found = getattr(student, f"{name}_derivative")(x)
    assert_right(found, np.stack([part * wide for part in slopes]), dtype)


def check_dtypes(student, rng, name):
    """Each floating dtype comes back, and no integer is taken, by the function and by its derivative."""
    for dtype in ACCURACY:
        check_values(student, rng, name, dtype)
        x = draw(rng, dtype)
        expected = slope_of(ORACLES[name], x)
        assert_right(getattr(student, f"{name}_derivative")(x), expected, dtype)
    for function in (name, f"{name}_derivative"):
        check_refusals(getattr(student, function))


def check_refusals(function):
    for dtype in REFUSED:
        with pytest.raises(TypeError, match=dtype):
            function(np.array([[1, 0, 1]], dtype))


def in_a_model(function, x, inputs):
    """The tape's gradient of the function; a dense layer with it for a symbolic input: shape, output, kernel."""
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    layer = keras.layers.Dense(4, activation=function)
    output = layer(keras.Input((inputs.shape[-1],)))
    return tape.gradient(y, x), tuple(output.shape), layer(inputs), layer.kernel.numpy()


def check_in_a_model(student, rng, name, smooth):
    x = np.concatenate([draw(rng).ravel(), [0.0] if smooth else []]).astype("float32")
    far = far_out(rng, "float32")
    inputs = rng.normal(size=(5, 3)).astype("float32")
    everywhere = np.concatenate([x, far[0], far[1]])
    gradient, shape, output, kernel = student.probe(in_a_model, getattr(student, name), everywhere, inputs)
    assert gradient is not None, "TensorFlow finds no gradient: was this computed in NumPy?"
    _, limits = LIMITS[name](far[1].astype("float64"))
    wide = np.ones(far.shape[1])
    expected = np.concatenate([slope_of(ORACLES[name], x), *(part * wide for part in limits)])
    assert_right(gradient, expected, "float32")
    assert shape == (None, 4)
    before = inputs.astype("float64") @ kernel
    np.testing.assert_allclose(output, ORACLES[name](before), rtol=1e-4, atol=1e-5, strict=False)
    assert np.shape(output) == (5, 4)


# Identity, step, and stacks of linear layers


@pytest.mark.problem("linear", points=2)
@pytest.mark.hint(
    "The slope of f(x) = x is the same everywhere; return an array of the input's shape and dtype."
)
def test_identity(student, rng):
    """The identity returns its input, and its derivative is 1 at every position."""
    for dtype in ACCURACY:
        x = draw(rng, dtype)
        assert_right(student.identity(x), x, dtype)
        assert_right(student.identity_derivative(x), np.ones(x.shape), dtype)


@pytest.mark.problem("linear", points=2)
@pytest.mark.hint("What does the README say about the step at 0? And what does the result's dtype depend on?")
def test_binary_step(student, rng):
    """The binary step is 1 from 0 on, also for the smallest numbers on either side."""
    for dtype in ACCURACY:
        x = draw(rng, dtype)
        x[1, :2, :2] = [[0, -0.0], [1e-6, -1e-6]]
        expected = np.where(x < 0, 0.0, 1.0)
        assert_right(student.binary_step(x), expected, dtype)


@pytest.mark.problem("linear", points=1)
@pytest.mark.hint("How steep is the step to the left of 0, and to the right of it?")
@pytest.mark.needs("test_binary_step")
def test_binary_step_has_no_gradient(student, rng):
    """The derivative of the binary step is 0 at every position, at the jump too."""
    x = draw(rng)
    x[0, 0] = 0
    assert_right(student.binary_step_derivative(x), np.zeros(x.shape), "float32")


@pytest.mark.problem("linear", points=1)
@pytest.mark.hint("Look at the dtype before you compute anything, and name it in the error.")
@pytest.mark.parametrize("name", ["identity", "identity_derivative", "binary_step", "binary_step_derivative"])
def test_linear_functions_refuse_integers(student, rng, name):
    """Identity, step and their derivatives refuse integers and bool by name, and take floats."""
    function = getattr(student, name)
    x = np.abs(draw(rng)) + 1
    expected = {"identity": x, "binary_step_derivative": 0 * x}.get(name, np.ones(x.shape))
    assert_right(function(x), expected, "float32")
    check_refusals(function)


def minus(a):
    return -a


def square_plus_one(a):
    return a * a + 1


@pytest.mark.problem("linear", points=3)
@pytest.mark.hint("x times kernel, then the bias, then the activation of the sum.")
@pytest.mark.parametrize(("shape", "units"), [((5, 3), 4), ((4, 4), 4), ((2, 3, 5), 6)])
def test_dense(student, rng, shape, units):
    """dense multiplies by the kernel, adds the bias, and bends the sum, for inputs of any rank."""
    x, kernel = rng.normal(size=shape), rng.normal(size=(shape[-1], units))
    bias = rng.uniform(1, 3, size=units)
    arrays = [array.astype("float32") for array in (x, kernel, bias)]
    x, kernel, bias = (array.astype("float64") for array in arrays)
    before = np.einsum("...i,ij->...j", x, kernel) + bias
    y = student.dense(*arrays, minus)
    np.testing.assert_allclose(y, -before, rtol=1e-4, atol=1e-5)
    y = student.dense(*arrays, square_plus_one)
    assert np.shape(y) == before.shape
    np.testing.assert_allclose(y, before**2 + 1, rtol=1e-4, atol=1e-4)


def draw_layers(rng, sizes):
    pairs = [*pairwise(sizes)]
    kernels = [rng.normal(size=pair).astype("float32") for pair in pairs]
    biases = [rng.uniform(1, 2, size=columns).astype("float32") for _, columns in pairs]
    return kernels, biases


@pytest.mark.problem("linear", points=4)
@pytest.mark.hint(
    "Multiply the kernels in the order in which x meets them. Which kernels does each bias go through?"
)
@pytest.mark.parametrize("sizes", [(3, 5), (3, 5, 2), (4, 4, 4, 4), (2, 6, 3, 5, 4, 3)])
def test_collapse_equals_the_stack(student, rng, sizes):
    """One linear layer does what the whole stack does."""
    kernels, biases = draw_layers(rng, sizes)
    kernel, bias = student.collapse(kernels, biases)

    def stack(x):
        for weights, shift in zip(kernels, biases, strict=True):
            x = x @ weights.astype("float64") + shift
        return x

    origin = stack(np.zeros((1, sizes[0])))[0]
    assert np.shape(kernel) == (sizes[0], sizes[-1])
    assert np.shape(bias) == (sizes[-1],)
    scale = max(1, np.abs(origin).max())
    np.testing.assert_allclose(bias, origin, rtol=1e-5, atol=1e-5 * scale)
    np.testing.assert_allclose(kernel, stack(np.eye(sizes[0])) - origin, rtol=1e-5, atol=1e-5 * scale)


@pytest.mark.problem("linear", points=1)
@pytest.mark.hint("Which stacks are no stacks? Compare counts, and the sizes of neighbours.")
def test_collapse_refuses_what_does_not_fit(student, rng):
    """collapse refuses an empty stack, a missing bias, and kernels that do not fit together."""
    kernels, biases = draw_layers(rng, (3, 4, 2))
    for wrong in [
        ([], []),
        (kernels, biases[:1]),
        (kernels, [*biases, biases[-1]]),
        (kernels[::-1], biases[::-1]),
    ]:
        with pytest.raises(ValueError):
            student.collapse(*wrong)
    kernel, bias = student.collapse(kernels, biases)
    np.testing.assert_allclose(kernel, kernels[0] @ kernels[1], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(bias, biases[0] @ kernels[1] + biases[1], rtol=1e-4, atol=1e-4)


# Sigmoid and tanh

each_squashing = pytest.mark.parametrize("name", ["sigmoid", "tanh"])


@pytest.mark.problem("squashing", points=2)
@pytest.mark.hint("Compare with the README's formula, number by number.")
@each_squashing
def test_squashing_values(student, rng, name):
    """Sigmoid and tanh have the right values at every position."""
    check_values(student, rng, name)


@pytest.mark.problem("squashing", points=4)
@pytest.mark.hint("Is your derivative a function of the input x? Compare with a difference quotient.")
@each_squashing
def test_squashing_derivatives(student, rng, name):
    """The derivatives of sigmoid and tanh are right in float32 and, to twelve digits, in float64."""
    check_slopes(student, rng, name)


@pytest.mark.problem("squashing", points=3)
@pytest.mark.hint("Which exponentials does your formula take at -1000, and which at 1000?")
@pytest.mark.parametrize("dtype", [*ACCURACY])
@each_squashing
def test_squashing_far_out(student, rng, name, dtype):
    """Sigmoid and tanh and their derivatives stay right up to -1000 and 1000."""
    check_far_out(student, rng, name, dtype)


def check_near_zero(student, rng, name):
    x = (10 ** rng.uniform(-6, -2, size=(4, 6)) * rng.choice([-1, 1], size=(4, 6))).astype("float32")
    y = getattr(student, name)(x)
    assert np.shape(y) == (4, 6)
    np.testing.assert_allclose(y, ORACLES[name](x.astype("float64")), rtol=1e-5, atol=0)


@pytest.mark.problem("squashing", points=1)
@pytest.mark.hint("1 minus a number that is almost 1 loses its digits. Which function computes exp(x) - 1?")
def test_tanh_near_zero(student, rng):
    """tanh keeps its digits where it is nearly x."""
    check_near_zero(student, rng, "tanh")


@pytest.mark.problem("squashing", points=2)
@pytest.mark.hint("The result has the input's dtype. Integers are refused by name.")
@each_squashing
def test_squashing_dtypes(student, rng, name):
    """Sigmoid, tanh and their derivatives keep the dtype, and refuse integers and bool."""
    check_dtypes(student, rng, name)


@pytest.mark.problem("squashing", points=2)
@pytest.mark.hint("Take GradientTape's gradient at 0 and at ±1000. Both branches of a `where` send one.")
@each_squashing
def test_squashing_in_a_model(student, rng, name):
    """Sigmoid and tanh work as activations of a Keras layer, and TensorFlow finds their gradient."""
    check_in_a_model(student, rng, name, smooth=True)


# ReLU, leaky ReLU and ELU

each_rectifier = pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu"])


@pytest.mark.problem("rectifiers", points=2)
@pytest.mark.hint("What becomes of negative numbers?")
@each_rectifier
def test_rectifier_values(student, rng, name):
    """ReLU, leaky ReLU and ELU have the right values at every position."""
    check_values(student, rng, name)


@pytest.mark.problem("rectifiers", points=3)
@pytest.mark.hint("How steep is each on the negative side?")
@each_rectifier
def test_rectifier_derivatives(student, rng, name):
    """The derivatives of ReLU, leaky ReLU and ELU are right on both sides of 0."""
    check_slopes(student, rng, name)


@pytest.mark.problem("rectifiers", points=2)
@pytest.mark.hint("The README says what each of them is at its corner.")
def test_rectifiers_at_zero(student, rng):
    """At 0 all are 0, and their derivatives are those of the negative side."""
    slope, alpha = rng.uniform(0.1, 0.4), rng.uniform(1.5, 3)
    x = np.array([0, -0.0, 1, -1], "float32")
    cases = [
        ("relu", {}, 0.0, 0.0),
        ("leaky_relu", {"slope": slope}, slope, slope),
        ("elu", {"alpha": alpha}, alpha, alpha / np.e),
    ]
    for name, settings, corner, below in cases:
        value = ORACLES[name](np.float64(-1), **settings)
        assert_right(getattr(student, name)(x, **settings), [0, 0, 1, value], "float32")
        found = getattr(student, f"{name}_derivative")(x, **settings)
        assert_right(found, [corner, corner, 1, below], "float32")


@pytest.mark.problem("rectifiers", points=2)
@pytest.mark.hint(
    "Slope and alpha are arguments, and count below 0 only. Is your formula right for a slope above 1?"
)
@pytest.mark.parametrize(("low", "high"), [(1.5, 3), (0.2, 0.6), (-1.5, -0.5)])
def test_rectifier_settings(student, rng, low, high):
    """Leaky ReLU and ELU follow slope and alpha: small, above 1, and negative."""
    for name, setting in [("leaky_relu", "slope"), ("elu", "alpha")]:
        settings = {setting: float(rng.uniform(low, high))}
        check_values(student, rng, name, **settings)
        check_slopes(student, rng, name, **settings)


@pytest.mark.problem("rectifiers", points=1)
@pytest.mark.hint(
    "Is an exponential taken of numbers above 0 as well? And does exp(x) - 1 keep its digits near 0?"
)
def test_rectifiers_far_out_and_near_zero(student, rng):
    """Up to -1000 and 1000, and within 1e-6 of 0, rectifiers and derivatives stay right."""
    for name in ("relu", "leaky_relu", "elu"):
        for dtype in ACCURACY:
            check_far_out(student, rng, name, dtype)
    check_near_zero(student, rng, "elu")


@pytest.mark.problem("rectifiers", points=2)
@pytest.mark.hint("The result has the input's dtype. Integers are refused by name.")
@each_rectifier
def test_rectifier_dtypes(student, rng, name):
    """ReLU, leaky ReLU, ELU and their derivatives keep the dtype, and refuse integers and bool."""
    check_dtypes(student, rng, name)


@pytest.mark.problem("rectifiers", points=2)
@pytest.mark.hint(
    "Take GradientTape's gradient at ±1000: a branch of `where` that is not taken sends one too."
)
@each_rectifier
def test_rectifiers_in_a_model(student, rng, name):
    """ReLU, leaky ReLU and ELU work as activations of a Keras layer, and TensorFlow finds their gradient."""
    check_in_a_model(student, rng, name, smooth=False)


# Swish and mish

each_smooth = pytest.mark.parametrize("name", ["swish", "mish"])


@pytest.mark.problem("smooth", points=2)
@pytest.mark.hint("Each is x times a gate between 0 and 1. Which gate?")
@each_smooth
def test_smooth_values(student, rng, name):
    """Swish and mish have the right values at every position."""
    check_values(student, rng, name)


@pytest.mark.problem("smooth", points=3)
@pytest.mark.hint("A product has two terms in its derivative. Compare with a difference quotient.")
@each_smooth
def test_smooth_derivatives(student, rng, name):
    """The derivatives of swish and mish are right in float32 and, to twelve digits, in float64."""
    check_slopes(student, rng, name)


@pytest.mark.problem("smooth", points=1)
@pytest.mark.hint("Beta is inside the sigmoid; what does that do to the derivative?")
@pytest.mark.parametrize(("low", "high"), [(1.3, 2), (0.2, 0.6), (-1.5, -0.5)])
def test_swish_beta(student, rng, low, high):
    """Swish and its derivative follow beta: small, above 1, and negative."""
    beta = float(rng.uniform(low, high))
    check_values(student, rng, "swish", beta=beta)
    check_slopes(student, rng, "swish", beta=beta)


@pytest.mark.problem("smooth", points=2)
@pytest.mark.hint("Which exponentials does your formula take at -1000, and which at 1000?")
@pytest.mark.parametrize("dtype", [*ACCURACY])
@each_smooth
def test_smooth_far_out(student, rng, name, dtype):
    """Swish and mish and their derivatives stay right up to -1000 and 1000."""
    check_far_out(student, rng, name, dtype)


@pytest.mark.problem("smooth", points=2)
@pytest.mark.hint("The result has the input's dtype. Integers are refused by name.")
@each_smooth
def test_smooth_dtypes(student, rng, name):
    """Swish, mish and their derivatives keep the dtype, and refuse integers and bool."""
    check_dtypes(student, rng, name)


@pytest.mark.problem("smooth", points=2)
@pytest.mark.hint("Take GradientTape's gradient at 0 and at ±1000. Both branches of a `where` send one.")
@each_smooth
def test_smooth_in_a_model(student, rng, name):
    """Swish and mish work as activations of a Keras layer, and TensorFlow finds their gradient."""
    check_in_a_model(student, rng, name, smooth=True)


# Softmax


@pytest.mark.problem("softmax", points=3)
@pytest.mark.hint("Along which axis do your results add up to 1?")
@pytest.mark.parametrize("axis", [None, 0, 1, 2, -2, -3])
def test_softmax_along_any_axis(student, rng, axis):
    """Softmax works along any axis, the last one by default."""
    x = draw(rng)
    given = {} if axis is None else {"axis": axis}
    assert_right(student.softmax(x, **given), softmax(x.astype("float64"), **given), "float32")


@pytest.mark.problem("softmax", points=2)
@pytest.mark.hint(
    "Softmax does not change when the same number is taken from all inputs. Which number helps?"
)
@pytest.mark.parametrize("dtype", [*ACCURACY])
def test_softmax_far_out(student, rng, dtype):
    """Inputs of ±1000 neither overflow nor divide 0 by 0, and what is left of their differences counts."""
    x = (rng.integers(-6, 6, size=(3, 4, 5)) / 2).astype(dtype)
    x[0], x[1], x[2, 0] = x[0] + 997, x[1] - 997, [1000, -1000, 0, 1000, 1000]
    wide, vector = x.astype("float64"), rng.normal(size=x.shape).astype(dtype)
    assert_right(student.softmax(x), softmax(wide), dtype)
    expected = slope_of(softmax, wide, vector)
    assert_right(student.softmax_jvp(x, vector), expected, dtype)


@pytest.mark.problem("softmax", points=2)
@pytest.mark.hint("Row i is output i. What stands on the diagonal, and what beside it?")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_jacobian(student, rng, dtype):
    """The Jacobian holds every output's slope by every input, and only vectors have one."""
    x = rng.normal(size=6).astype(dtype)
    columns = [slope_of(softmax, x, direction) for direction in np.eye(6)]
    assert_right(student.softmax_jacobian(x), np.stack(columns, axis=1), dtype)
    x[2] += 1000
    columns = [slope_of(softmax, x, direction) for direction in np.eye(6)]
    assert_right(student.softmax_jacobian(x), np.stack(columns, axis=1), dtype)
    for shape in [(2, 3), (1, 6), ()]:
        with pytest.raises(ValueError):
            student.softmax_jacobian(rng.normal(size=shape).astype(dtype))


@pytest.mark.problem("softmax", points=3)
@pytest.mark.hint(
    "One number is subtracted from the vector: a mean of it, weighted by the softmax, along the axis."
)
@pytest.mark.parametrize("axis", [None, 0, 1, -1, -2])
def test_softmax_jvp(student, rng, axis):
    """The product of Jacobian and vector is right along any axis, the last one by default."""
    given = {} if axis is None else {"axis": axis}
    for dtype in ("float32", "float64"):
        x, vector = rng.normal(size=(3, 5, 4)).astype(dtype), rng.normal(2, 1, size=(3, 5, 4)).astype(dtype)
        expected = slope_of(lambda z: softmax(z, **given), x, vector)
        assert_right(student.softmax_jvp(x, vector, **given), expected, dtype)


@pytest.mark.problem("softmax", points=1)
@pytest.mark.hint("The result has the input's dtype. Integers are refused by name.")
def test_softmax_dtypes(student, rng):
    """Softmax, its Jacobian and the product keep the dtype, and refuse integers and bool."""
    for dtype in ACCURACY:
        x, vector = rng.normal(size=5).astype(dtype), rng.normal(size=5).astype(dtype)
        jacobian = np.stack([slope_of(softmax, x, direction) for direction in np.eye(5)], axis=1)
        assert_right(student.softmax(x), softmax(x.astype("float64")), dtype)
        assert_right(student.softmax_jacobian(x), jacobian, dtype)
        assert_right(student.softmax_jvp(x, vector), jacobian @ vector, dtype)
    for dtype in REFUSED:
        x, vector = np.array([1, 0, 1], dtype), np.array([0.5, 1, 2], "float32")
        for function, rest in [("softmax", ()), ("softmax_jacobian", ()), ("softmax_jvp", (vector,))]:
            with pytest.raises(TypeError, match=dtype):
                getattr(student, function)(x, *rest)


def softmax_in_a_model(function, x, upstream, inputs):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(function(x) * upstream)
    layer = keras.layers.Dense(4, activation=function)
    output = layer(keras.Input((None, inputs.shape[-1])))
    return tape.gradient(loss, x), tuple(output.shape), layer(inputs), layer.kernel.numpy()


@pytest.mark.problem("softmax", points=1)
@pytest.mark.hint("Compute with keras.ops from the input to the result, so that the gradient finds its way.")
def test_softmax_in_a_model(student, rng):
    """Softmax works as the activation of a Keras layer, and TensorFlow finds its gradient."""
    x, upstream = rng.normal(size=(3, 5)).astype("float32"), rng.normal(size=(3, 5)).astype("float32")
    x[1] += 997
    inputs = rng.normal(size=(2, 5, 3)).astype("float32")
    found = student.probe(softmax_in_a_model, student.softmax, x, upstream, inputs)
    gradient, shape, output, kernel = found
    assert gradient is not None, "TensorFlow finds no gradient: was this computed in NumPy?"
    # the Jacobian is symmetric
    assert_right(gradient, slope_of(softmax, x, upstream), "float32")
    assert shape == (None, None, 4)
    assert_right(output, softmax(inputs.astype("float64") @ kernel), "float32")


# PReLU


def away_from_zero(rng, shape):
    return (rng.uniform(0.1, 3, size=shape) * rng.choice([-1, 1], size=shape)).astype("float32")


def prelu(x, alpha):
    return np.maximum(x, 0) + alpha * np.minimum(x, 0)


def built(layer, shape, alpha=None):
    layer.build(shape)
    if alpha is not None:
        layer.alpha.assign(alpha)
    return layer


SHARING = [
    ((4, 5), None, (5,)),
    ((3, 4, 5), None, (4, 5)),
    ((3, 4, 5), [1], (1, 5)),
    ((3, 4, 5), [2], (4, 1)),
    ((3, 4, 5, 2), [1, 2], (1, 1, 2)),
    ((3, 4, 5, 2), [-1, -3], (1, 5, 1)),
]
each_sharing = pytest.mark.parametrize(("shape", "shared_axes", "alpha_shape"), SHARING)


@pytest.mark.problem("prelu", points=3)
@pytest.mark.hint("Alpha multiplies what is below 0, and lines up with the input from the second axis on.")
@each_sharing
def test_prelu_output(student, rng, shape, shared_axes, alpha_shape):
    """PReLU multiplies what is below 0 by alpha, with and without shared axes."""
    x, alpha = away_from_zero(rng, shape), rng.uniform(-2, 2, size=alpha_shape).astype("float32")
    layer = built(student.PReLU(shared_axes=shared_axes), shape, alpha)
    assert_right(layer(x), prelu(x.astype("float64"), alpha), "float32")


@pytest.mark.problem("prelu", points=2)
@pytest.mark.hint("One weight, trained; its shape is the input's without the batch, with 1 on shared axes.")
@each_sharing
def test_prelu_weight(student, rng, shape, shared_axes, alpha_shape):
    """PReLU has one weight, `alpha`, that is trained, starts where it should, and has size 1 on shared axes."""
    start = float(rng.uniform(0.3, 0.9))
    for settings, first in [({}, 0.25), ({"initial_alpha": start}, start)]:
        layer = built(student.PReLU(shared_axes=shared_axes, **settings), (None, *shape[1:]))
        assert [weight.name for weight in layer.weights] == ["alpha"]
        assert [weight.name for weight in layer.trainable_weights] == ["alpha"]
        np.testing.assert_array_equal(layer.alpha, np.full(alpha_shape, first, "float32"), strict=True)


def layer_gradients(layer, x, upstream):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(layer(x) * upstream)
    return tape.gradient(loss, [x, layer.alpha.value])


def numeric_gradient(function, values, step=1e-3):
    """Central differences of a scalar function in float64; exact where it is linear within the step."""
    values = np.asarray(values, "float64")
    gradient = np.empty_like(values)
    for index in np.ndindex(values.shape):
        shift = np.zeros_like(values)
        shift[index] = step
        gradient[index] = (function(values + shift) - function(values - shift)) / (2 * step)
    return gradient


@pytest.mark.problem("prelu", points=2)
@pytest.mark.hint("Every position that shares an alpha adds to its gradient.")
@pytest.mark.parametrize("case", [0, 2, 4])
def test_prelu_gradients(student, rng, case):
    """Gradients reach the inputs and alpha, summed over what shares it."""
    shape, shared_axes, alpha_shape = SHARING[case]
    x, alpha = away_from_zero(rng, shape), rng.uniform(0.2, 2, size=alpha_shape).astype("float32")
    upstream = rng.normal(size=shape).astype("float32")
    layer = built(student.PReLU(shared_axes=shared_axes), shape, alpha)
    found = student.probe(layer_gradients, layer, x, upstream)
    expected = [
        numeric_gradient(lambda x: (prelu(x, alpha) * upstream).sum(), x),
        numeric_gradient(lambda alpha: (prelu(x, alpha) * upstream).sum(), alpha),
    ]
    for what, got, wanted in zip(["inputs", "alpha"], found, expected, strict=True):
        assert got is not None, f"no gradient reaches {what}"
        assert np.shape(got) == wanted.shape
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)


def train(layer, x, target, rate):
    model = keras.Sequential([keras.Input(x.shape[1:]), layer])
    model.compile(keras.optimizers.SGD(rate), "mean_squared_error", jit_compile=False)
    model.train_on_batch(x, target)


@pytest.mark.problem("prelu", points=1)
@pytest.mark.hint("An optimizer moves what `trainable_weights` lists.")
def test_prelu_is_trained(student, rng):
    """A compiled model moves alpha against its gradient."""
    rate, x = 0.3, away_from_zero(rng, (4, 5, 3))
    target = rng.normal(size=x.shape).astype("float32")
    layer = student.PReLU(shared_axes=[1])
    student.probe(train, layer, x, target, rate)
    wide = x.astype("float64")
    slope = 2 * (prelu(wide, 0.25) - target) * np.minimum(wide, 0) / x.size
    expected = 0.25 - rate * slope.sum((0, 1))[None]
    np.testing.assert_allclose(layer.alpha, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.problem("prelu", points=1)
@pytest.mark.hint("get_config holds every constructor argument, and what the base class has to say.")
def test_prelu_config_round_trip(student, rng):
    """A layer made from another's configuration has its name and settings, and computes with them."""
    start, x = float(rng.uniform(0.3, 0.9)), away_from_zero(rng, (3, 4, 5))
    config = student.PReLU(initial_alpha=start, shared_axes=[2], name="mine").get_config()
    assert config["initial_alpha"] == start
    assert list(config["shared_axes"]) == [2]
    copy = student.PReLU.from_config(config)
    assert copy.name == "mine"
    assert copy.get_config() == config
    assert_right(copy(x), prelu(x.astype("float64"), start), "float32")
    assert np.shape(np.asarray(copy.alpha)) == (4, 1)


def save_and_load(layer, x):
    model = keras.Sequential([keras.Input(x.shape[1:]), layer])
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder + "/model.keras")
        custom = {type(layer).__name__: type(layer)}
        return keras.models.load_model(folder + "/model.keras", custom_objects=custom)(x)


@pytest.mark.problem("prelu", points=1)
@pytest.mark.hint("A saved model holds configuration and weights: both must be enough to rebuild the layer.")
def test_prelu_save_and_load(student, rng):
    """A model computes the same after it was saved and loaded."""
    x, alpha = away_from_zero(rng, (3, 4, 5)), rng.uniform(-2, 2, size=(1, 5)).astype("float32")
    layer = built(student.PReLU(shared_axes=[1]), x.shape, alpha)
    found = student.probe(save_and_load, layer, x)
    assert_right(found, prelu(x.astype("float64"), alpha), "float32")


def symbolic(layer, x):
    """Put the layer behind an input of unknown sizes: the shape and dtype that Keras infers, and a result."""
    inputs = keras.Input((None, None, x.shape[-1]))
    output = layer(inputs)
    return tuple(output.shape), output.dtype, keras.Model(inputs, output)(x)


@pytest.mark.problem("prelu", points=2)
@pytest.mark.hint("What does alpha's shape need to know, and what can stay unknown until the call?")
def test_prelu_unknown_sizes(student, rng):
    """Shared axes may be of unknown size; shapes are inferred; an own alpha for an unknown size is refused."""
    x, alpha = away_from_zero(rng, (2, 4, 5, 3)), rng.uniform(-2, 2, size=(1, 1, 3)).astype("float32")
    layer = built(student.PReLU(shared_axes=[1, 2]), (None, None, None, 3), alpha)
    assert tuple(layer.compute_output_shape((None, 7, None, 3))) == (None, 7, None, 3)
    shape, dtype, y = student.probe(symbolic, layer, x)
    assert shape == (None, None, None, 3)
    assert dtype == "float32"
    assert_right(y, prelu(x.astype("float64"), alpha), "float32")
    for shared_axes in (None, [1]):
        with pytest.raises(ValueError):
            student.PReLU(shared_axes=shared_axes).build((None, None, None, 3))


@pytest.mark.problem("prelu", points=1)
@pytest.mark.hint(
    "Which numbers name an axis of the input that alpha can share? Negative ones count from the end."
)
def test_prelu_refuses_axes(student, rng):
    """PReLU refuses to share the batch or an axis that is not there, and takes the others."""
    for wrong in (0, -4, 4, -5):
        with pytest.raises(ValueError):
            student.PReLU(shared_axes=[1, wrong]).build((None, 4, 5, 3))
    x = away_from_zero(rng, (2, 4, 5, 3))
    for right, shape in {-1: (4, 5, 1), 3: (4, 5, 1), -3: (1, 5, 3)}.items():
        alpha = rng.uniform(-2, 2, size=shape).astype("float32")
        layer = built(student.PReLU(shared_axes=[right]), x.shape, alpha)
        assert_right(layer(x), prelu(x.astype("float64"), alpha), "float32")


@pytest.mark.problem("prelu", points=1)
@pytest.mark.hint("Keras hands out weights in the compute dtype; the result has it too.")
def test_prelu_mixed_precision(student, rng):
    """With mixed_float16 PReLU returns float16 and keeps alpha in float32."""
    x, alpha = (
        away_from_zero(rng, (3, 4, 5)).astype("float16"),
        rng.uniform(-2, 2, size=(4, 1)).astype("float32"),
    )
    layer = built(student.PReLU(shared_axes=[2], dtype="mixed_float16"), x.shape, alpha)
    assert_right(layer(x), prelu(x.astype("float64"), alpha), "float16")
    np.testing.assert_array_equal(layer.alpha, alpha, strict=True)


# Dead units


def draw_units(rng, samples, inputs, units):
    """A layer of which some units are dead for these samples, and every unit is clearly dead or clearly not."""
    while True:
        x, kernel = rng.normal(size=(*samples, inputs)), rng.normal(size=(inputs, units))
        bias = rng.normal(-2, 4, size=units)
        x, kernel, bias = (array.astype("float32") for array in (x, kernel, bias))
        before = x.astype("float64") @ kernel + bias
        if (np.abs(before) > 1e-3).all() and 0 < dead(before) < 1:
            return x, kernel, bias, before


def dead(before):
    """The fraction of units that are below 0 for every sample."""
    return float((before.reshape(-1, before.shape[-1]).max(0) <= 0).mean())


def relu_slope(a):
    return np.where(a > 0, 1.0, 0.0).astype(a.dtype)


def window_slope(a):
    """The slope of a hard tanh: 0 on both sides."""
    return np.where(np.abs(a) < 1, 1.0, 0.0).astype(a.dtype)


def negative_slope(a):
    return np.where(a > 0, 0.0, -0.25).astype(a.dtype)


def leaky_slope(a):
    return np.where(a > 0, 1.0, 0.01).astype(a.dtype)


@pytest.mark.problem("dying_relu", points=3)
@pytest.mark.hint(
    "A unit is dead when all samples agree. Over which axes do you look, and what do you count?"
)
@pytest.mark.parametrize("samples", [(6,), (1,), (2, 3, 2)])
def test_dead_fraction(student, rng, samples):
    """dead_fraction counts the units without gradient for any sample, over all axes of samples."""
    x, kernel, bias, before = draw_units(rng, samples, 5, 31)
    found = student.dead_fraction(x, kernel, bias, relu_slope)
    assert float(found) == pytest.approx(dead(before), abs=1e-6)
    assert isinstance(found, float)
    alive = student.dead_fraction(x, kernel, np.abs(bias) + 100, relu_slope)
    assert float(alive) == pytest.approx(0, abs=1e-6)
    gone = student.dead_fraction(x, kernel, -np.abs(bias) - 100, relu_slope)
    assert float(gone) == pytest.approx(1, abs=1e-6)


@pytest.mark.problem("dying_relu", points=1)
@pytest.mark.hint("Ask the derivative that was given, and count slopes that are exactly 0.")
def test_dead_fraction_of_other_activations(student, rng):
    """Units die in the way of their own activation: at both ends, above 0, or never."""
    x, kernel, bias, before = draw_units(rng, (4,), 3, 37)
    for slope in (relu_slope, window_slope, negative_slope, leaky_slope):
        expected = np.mean([all(slope(row) == 0) for row in before.T])
        assert float(student.dead_fraction(x, kernel, bias, slope)) == pytest.approx(expected, abs=1e-6)


def after_step(x, kernel, bias, upstream, rate):
    """Pre-activations after a step along the numeric gradient; exact, as no pre-activation changes its sign."""
    x, kernel, bias = (array.astype("float64") for array in (x, kernel, bias))

    def loss(kernel, bias):
        return (np.maximum(x @ kernel + bias, 0) * upstream).sum() / len(x)

    by_kernel = numeric_gradient(lambda kernel: loss(kernel, bias), kernel, 1e-5)
    by_bias = numeric_gradient(lambda bias: loss(kernel, bias), bias, 1e-5)
    return x @ (kernel - rate * by_kernel) + bias - rate * by_bias


@pytest.mark.problem("dying_relu", points=4)
@pytest.mark.hint(
    "Only active samples send a gradient, the loss is a mean over samples, and the step goes downhill."
)
@pytest.mark.parametrize("rate", [0, 0.5, 4, 30])
def test_dead_after_step(student, rng, rate):
    """After one step of gradient descent the right units are dead: the larger the step, the more."""
    while True:
        x, kernel, bias, before = draw_units(rng, (5,), 3, 29)
        upstream = rng.normal(0.7, 1, size=before.shape).astype("float32")
        after = after_step(x, kernel, bias, upstream, rate)
        clear = (np.abs(after) > 1e-3).all()
        if clear and (rate < 4 or dead(after) > dead(before)):
            break
    kept = [array.copy() for array in (x, kernel, bias, upstream)]
    found = student.dead_after_step(x, kernel, bias, upstream, float(rate))
    assert float(found) == pytest.approx(dead(after), abs=1e-6)
    for array, copy in zip((x, kernel, bias, upstream), kept, strict=True):
        np.testing.assert_array_equal(array, copy)


# Gradients through depth


def sigmoid_slope(a):
    return slope_of(sigmoid, a)


def tanh_slope(a):
    return slope_of(np.tanh, a)


def numpy_tanh(a):
    return np.tanh(a)


def swish_slope(a):
    return slope_of(swish, a)


def numeric_norms(x, kernels, biases, upstream, activation, residual):
    """Norms of the loss's numeric gradient by the input of each layer, with the layers above it."""

    def loss(hidden, first):
        for kernel, bias in zip(kernels[first:], biases[first:], strict=True):
            out = activation(hidden @ kernel + bias)
            hidden = hidden + out if residual else out
        return (hidden * upstream).sum()

    norms, hidden = [], x
    for depth in range(len(kernels) + 1):
        parts = [slope_of(lambda z, depth=depth: loss(z, depth), hidden, one) for one in units_of(hidden)]
        norms.append(np.sqrt(np.sum(np.square(parts))))
        if depth < len(kernels):
            out = activation(hidden @ kernels[depth] + biases[depth])
            hidden = hidden + out if residual else out
    return norms


def units_of(array):
    """Arrays of zeros with a single 1, one for each entry."""
    return np.eye(array.size).reshape(-1, *array.shape)


@pytest.mark.problem("gradient_flow", points=4)
@pytest.mark.hint("Work one layer by hand: slope at which point, and which side of the kernel? Then two.")
@pytest.mark.parametrize(
    ("widths", "residual"),
    [((3, 5, 4), False), ((4, 2, 3, 5), False), ((3, 3, 3, 3), False), ((4, 4, 4), True)],
)
def test_gradient_norms(student, rng, widths, residual):
    """The gradient's norm is right at every depth, with and without residual connections."""
    pairs = [*pairwise(widths)]
    kernels = [rng.normal(size=pair) for pair in pairs]
    biases = [rng.normal(size=columns) for _, columns in pairs]
    x, upstream = rng.normal(size=(2, widths[0])), rng.normal(size=(2, widths[-1]))
    for activation, slope in [(numpy_tanh, tanh_slope), (swish, swish_slope)]:
        expected = numeric_norms(x, kernels, biases, upstream, activation, residual)
        found = student.gradient_norms(
            x, kernels, biases, upstream, activation, slope, **({"residual": True} if residual else {})
        )
        assert np.shape(found) == (len(widths),)
        np.testing.assert_allclose(np.asarray(found, "float64"), expected, rtol=1e-6)


@pytest.mark.problem("gradient_flow", points=1)
@pytest.mark.hint("What is added to what, and what does that ask of a kernel's shape?")
def test_residual_needs_square_kernels(student, rng):
    """With residual connections a kernel must be square; without them it need not be."""
    # (2, 3) and (2, 1): a sum of the two would broadcast without a word
    x, kernels = rng.normal(size=(2, 3)), [rng.normal(size=(3, 3)), rng.normal(size=(3, 1))]
    biases, upstream = [rng.normal(size=3), rng.normal(size=1)], rng.normal(size=(2, 1))
    arguments = (x, kernels, biases, upstream, numpy_tanh, tanh_slope)
    with pytest.raises(ValueError):
        student.gradient_norms(*arguments, residual=True)
    expected = numeric_norms(x, kernels, biases, upstream, np.tanh, False)
    found = np.asarray(student.gradient_norms(*arguments), "float64")
    assert found.shape == (3,)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.problem("gradient_flow", points=2)
@pytest.mark.hint("How many layers lie between n norms? What is the logarithm of a quotient?")
def test_gradient_gain(student, rng):
    """The gain is the geometric mean of the layers' factors, for norms of any size, and some norms have none."""
    for size in (0, -290, 290):
        factors = 10 ** rng.uniform(-0.5, 0.5, size=7)
        norms = np.cumprod([10 ** rng.uniform(-1, 1), *factors])[::-1]
        norms[-1] *= 10.0**-size
        expected = np.exp((np.log(norms[0]) - np.log(norms[-1])) / 7)
        assert float(student.gradient_gain(norms)) == pytest.approx(expected, rel=1e-6)
        norms[0] *= 10.0 ** (size // 2)
        expected = np.exp((np.log(norms[0]) - np.log(norms[-1])) / 7)
        assert float(student.gradient_gain(list(norms))) == pytest.approx(expected, rel=1e-6)
    assert float(student.gradient_gain([0.0, 0.5, 2.0])) == 0
    for wrong in ([], [1.0], [1.0, 0.0], [0.0, 0.0]):
        with pytest.raises(ValueError):
            student.gradient_gain(wrong)


def relu_value(a):
    return np.maximum(a, 0)


def experiment(activation, slope, scale, residual, depth, width, samples, seed):
    """The README's random stack, with the product of the layers' Jacobians taken sample by sample."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(samples, width))
    kernels = [rng.normal(size=(width, width)) * scale / width**0.5 for _ in range(depth)]
    upstream = rng.normal(size=(samples, width))
    jacobians = []
    for kernel in kernels:
        before = hidden @ kernel
        jacobian = np.einsum("ij,sj->sij", kernel, slope(before))
        jacobians.append(jacobian + np.eye(width) if residual else jacobian)
        hidden = activation(before) + (hidden if residual else 0)
    gradients = [upstream]
    for jacobian in reversed(jacobians):
        gradients.insert(0, np.einsum("sij,sj->si", jacobian, gradients[0]))
    return [np.sqrt((gradient**2).sum()) for gradient in gradients]


STACKS = {
    "sigmoid": (sigmoid, sigmoid_slope, 1.0, False),
    "tanh": (numpy_tanh, tanh_slope, 1.0, False),
    "relu": (relu_value, relu_slope, 1.0, False),
    "kaiming": (relu_value, relu_slope, 2**0.5, False),
    "large": (relu_value, relu_slope, 3.0, False),
    "residual": (sigmoid, sigmoid_slope, 1.0, True),
}


@pytest.mark.problem("gradient_flow", points=3)
@pytest.mark.hint("The README says what is drawn, in which order, and what is scaled.")
@pytest.mark.parametrize("name", ["tanh", "large", "residual"])
def test_gradient_flow_of_given_seeds(student, rng, name):
    """The experiment's stack is the one that the seed and the sizes describe."""
    activation, slope, _, residual = STACKS[name]
    depth, width, samples = (int(number) for number in rng.permutation([4, 5, 7]))
    scale, seed = float(rng.uniform(0.5, 2)), int(rng.integers(1, 10**6))
    found = student.gradient_flow(
        activation, slope, scale, residual=residual, depth=depth, width=width, samples=samples, seed=seed
    )
    expected = experiment(activation, slope, scale, residual, depth, width, samples, seed)
    assert np.shape(found) == (depth + 1,)
    np.testing.assert_allclose(np.asarray(found, "float64"), expected, rtol=1e-6)


@pytest.mark.problem("gradient_flow", points=2)
@pytest.mark.hint("Compare your table with the README's, row by row, for several seeds.")
def test_gradients_vanish_and_explode(student, rng):
    """At thirty layers sigmoids vanish, large ReLUs explode, and Kaiming's scale or a residual connection holds."""
    seed = int(rng.integers(1, 10**6))
    gains = {}
    for name, (activation, slope, scale, residual) in STACKS.items():
        given = {"residual": True} if residual else {}
        norms = np.asarray(student.gradient_flow(activation, slope, scale, seed=seed, **given), "float64")
        expected = experiment(activation, slope, scale, residual, 30, 24, 8, seed)
        assert norms.shape == (31,)
        np.testing.assert_allclose(norms, expected, rtol=1e-6)
        gains[name] = (norms[0] / norms[-1]) ** (1 / 30)
    # each bound is 7 deviations or more from the mean of the gain's logarithm over seeds
    assert gains["sigmoid"] < 0.3
    assert gains["relu"] < 0.88
    assert 0.8 < gains["tanh"] < 1.1
    assert 0.75 < gains["kaiming"] < 1.25
    assert 0.95 < gains["residual"] < 1.1
    assert gains["large"] > 1.5
