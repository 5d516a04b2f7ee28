"""Hidden suite of `losses`. Expected values are float64 NumPy, sample by sample, or published numbers.

A gradient is compared with central differences of the same oracle in float64, at points away from corners.
"""

import math
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
EPSILON = 1e-7


# How the student's functions are called


def closed(module, function, *arguments, keras_mask=None, **options):
    """Call a function while one module of Keras' own losses is out of order, by whatever way it is reached.

    `keras_mask` is put where Keras keeps the mask of the last argument, the predictions.
    """

    class Closed:
        def __getattr__(self, name):
            raise RuntimeError("Keras' own losses are out of order in this test: write the formula")

    if keras_mask is not None:
        y_pred = keras.ops.convert_to_tensor(arguments[-1])
        y_pred._keras_mask = keras.ops.convert_to_tensor(keras_mask)
        arguments = (*arguments[:-1], y_pred)
    scope = vars(sys.modules[module])
    ops, scope["ops"] = scope["ops"], Closed()
    try:
        return function(*arguments, **options)
    finally:
        scope["ops"] = ops


def call(student, name, *arguments, **options):
    """What the student's function returns, as an array."""
    function = getattr(student, name)
    return student.probe(closed, "keras.src.losses.losses", function, *arguments, **options)


def reduce_loss(student, *arguments, **options):
    return student.probe(closed, "keras.src.losses.loss", student.reduce_loss, *arguments, **options)


def gradient_of(function, arguments, positions, upstream, options):
    arguments = list(arguments)
    for position in positions:
        arguments[position] = tf.constant(arguments[position], tf.float64)
    watched = [arguments[position] for position in positions]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        total = tf.reduce_sum(function(*arguments, **options) * upstream)
    return tape.gradient(total, watched)


def numeric_gradient(function, values, step=1e-5):
    """Central differences of a scalar function."""
    gradient = np.empty(np.shape(values))
    for index in np.ndindex(gradient.shape):
        shift = np.zeros(gradient.shape)
        shift[index] = step
        gradient[index] = (function(values + shift) - function(values - shift)) / (2 * step)
    return gradient


def check_gradient(student, rng, name, oracle, arguments, positions=(1,), **options):
    """The gradient of a random weighting of the results, in float64, against the oracle's."""
    upstream = rng.uniform(0.5, 2, np.shape(oracle(*arguments, **options)))
    found = student.probe(
        gradient_of, getattr(student, name), list(arguments), list(positions), upstream, options
    )
    for position, gradient in zip(positions, found, strict=True):
        assert gradient is not None, f"no gradient reaches argument {position}"

        def total(values, position=position):
            changed = [*arguments[:position], values, *arguments[position + 1 :]]
            return (oracle(*changed, **options) * upstream).sum()

        wanted = numeric_gradient(total, np.asarray(arguments[position], "float64"))
        np.testing.assert_allclose(gradient, wanted, rtol=1e-5, atol=2e-5)


# Oracles, one sample at a time


def by_sample(one):
    """Apply a function of two rows to the last axes of two arrays, or to labels and the last axis of one."""

    def every(first, second, **options):
        second = np.asarray(second, "float64")
        first = np.asarray(first, "float64")
        lead = second.shape[:-1]
        results = [one(first[index], second[index], **options) for index in np.ndindex(lead)]
        return np.array(results, "float64").reshape(lead)

    return every


@by_sample
def squared(t, p):
    return sum((a - b) ** 2 for a, b in zip(t, p, strict=True)) / len(p)


@by_sample
def total(t, p):
    return sum((a - b) ** 2 for a, b in zip(t, p, strict=True))


@by_sample
def absolute(t, p):
    return sum(abs(a - b) for a, b in zip(t, p, strict=True)) / len(p)


@by_sample
def smooth(t, p, delta=1.0):
    """The slope of the loss, which is the error clipped at delta, integrated from 0."""
    cost = 0.0
    for error in np.abs(t - p):
        inside = min(error, delta)
        cost += inside**2 / 2 + delta * (error - inside)
    return cost / len(p)


def log_softmax(logits, axis=-1):
    logits = np.asarray(logits, "float64")
    return logits - np.expand_dims(np.logaddexp.reduce(logits, axis=axis), axis)


def log_sigmoid(logits):
    return -np.logaddexp(0, -np.asarray(logits, "float64"))


@by_sample
def categorical(t, p, from_logits=False, label_smoothing=0.0):
    log_p = log_softmax(p) if from_logits else np.log(np.clip(p / p.sum(), EPSILON, 1 - EPSILON))
    cost = 0.0
    for share, value in zip(t, log_p, strict=True):
        cost -= (share - label_smoothing * (share - 1 / len(t))) * value
    return cost


@by_sample
def likelihood(label, log_p):
    return -log_p[int(label)]


@by_sample
def softmax_loss(label, logits):
    return math.log(sum(math.exp(score - logits[int(label)]) for score in logits))


@by_sample
def binary(t, p, from_logits=False, label_smoothing=0.0):
    cost = 0.0
    for truth, value in zip(t, p, strict=True):
        share = truth - label_smoothing * (truth - 0.5)
        if from_logits:
            cost += np.logaddexp(0, value) - share * value
        else:
            value = min(max(value, EPSILON), 1 - EPSILON)
            cost -= share * math.log(value) + (1 - share) * math.log(1 - value)
    return cost / len(p)


@by_sample
def hinge(label, scores):
    cost = 0.0
    for j, score in enumerate(scores):
        if j != int(label):
            cost += max(0.0, score - scores[int(label)] + 1)
    return cost


def margins(weights, bias, inputs, labels):
    return np.array([y * (float(np.dot(weights, x)) + bias) for x, y in zip(inputs, labels, strict=True)])


def soft_margin(weights, bias, inputs, labels, C=1.0):
    slack = sum(max(0.0, 1 - margin) for margin in margins(weights, bias, inputs, labels))
    return np.array(np.dot(weights, weights) / 2 + C * slack)


def reduced(values, sample_weight=None, mask=None, reduction="sum_over_batch_size"):
    """Over the flat list of losses, one after the other."""
    weights = np.broadcast_to(1.0 if sample_weight is None else sample_weight, values.shape)
    kept = np.broadcast_to(True if mask is None else mask, values.shape)
    weighted = np.where(kept, values.astype("float64") * weights, 0)
    if reduction in (None, "none"):
        return weighted
    if reduction == "sum":
        return weighted.sum()
    divisor = (weights * kept).sum() if reduction == "mean_with_sample_weight" else kept.sum()
    return weighted.sum() / divisor if divisor else 0.0


# Inputs


def draw_pair(rng, *shape):
    """Whole true values, and predictions with errors of 0.2 to 4 either way."""
    y_true = rng.integers(-5, 6, shape)
    return y_true, y_true + rng.uniform(0.2, 4, shape) * rng.choice([-1, 1], shape)


def draw_labels(rng, shape, classes):
    """Class numbers, of which no two neighbours are the same."""
    size = math.prod(shape)
    return (rng.integers(classes) + np.cumsum(rng.integers(1, classes, size))).reshape(shape) % classes


def draw_scores(rng, *shape):
    """Scores on a grid, apart by class, so that no difference is near -1, and many are above and below."""
    return rng.integers(-6, 7, shape) / 2 + np.arange(shape[-1]) * 0.07


def draw_rows(rng, *shape):
    """Positive rows that add up to 1."""
    rows = rng.uniform(0.05, 1, shape)
    return rows / rows.sum(-1, keepdims=True)


def draw_separated(rng, samples, features, least):
    """A plane, and samples on both sides whose functional margins begin at `least`, exactly; dyadic numbers."""
    weights = rng.choice([-1, 1], features) * 2.0 ** rng.integers(-1, 2, features)
    bias = float(rng.integers(-3, 4)) / 2
    labels = np.where(np.arange(samples) % 3 == 0, -1.0, 1.0)
    wanted = least + rng.integers(0, 9, samples) / 4
    wanted[rng.integers(samples)] = least
    inputs = rng.integers(-8, 9, (samples, features)) / 4
    inputs[:, 0] = (labels * wanted - bias - inputs[:, 1:] @ weights[1:]) / weights[0]
    return weights, bias, inputs, labels


# Squared, absolute and Huber error

REGRESSION = {
    "mean_squared_error": squared,
    "total_squared_error": total,
    "mean_absolute_error": absolute,
    "huber": smooth,
}


@pytest.mark.problem("regression", points=3)
@pytest.mark.hint("Sum or mean, and over which axis? Squares or absolute values?")
@pytest.mark.parametrize("name", ["mean_squared_error", "total_squared_error", "mean_absolute_error"])
def test_squared_and_absolute_errors(student, rng, name):
    """The squared and absolute errors give one number a sample, in the dtype of the predictions."""
    for shape, dtype in [((5, 3), "float32"), ((2, 4, 3), "float64"), ((6,), "float32")]:
        y_true, y_pred = draw_pair(rng, *shape)
        y_pred = y_pred.astype(dtype)
        found = call(student, name, y_true, y_pred)
        np.testing.assert_allclose(found, REGRESSION[name](y_true, y_pred), **CLOSE)
        assert found.dtype == dtype


@pytest.mark.problem("regression", points=4)
@pytest.mark.hint("Which branch does a small error take? Do value and slope agree at delta?")
@pytest.mark.parametrize("delta", [None, 0.5, 2.5])
def test_huber(student, rng, delta):
    """huber is a parabola up to delta and a straight line beyond."""
    for shape, dtype in [((6, 4), "float32"), ((2, 3, 5), "float64")]:
        y_true, y_pred = draw_pair(rng, *shape)
        y_pred.flat[0] = y_true.flat[0] + (delta or 1.0)
        y_pred = y_pred.astype(dtype)
        options = {} if delta is None else {"delta": delta}
        found = call(student, "huber", y_true, y_pred, **options)
        np.testing.assert_allclose(found, smooth(y_true, y_pred, **options), **CLOSE)
        assert found.dtype == dtype


@pytest.mark.problem("regression", points=3)
@pytest.mark.hint("Use differentiable tensor operations throughout, and compare with a difference quotient.")
@pytest.mark.parametrize("name", list(REGRESSION))
def test_regression_gradients(student, rng, name):
    """The gradients of the four regression losses are right."""
    y_true, y_pred = draw_pair(rng, 3, 4)
    check_gradient(student, rng, name, REGRESSION[name], [y_true.astype("float64"), y_pred])


@pytest.mark.problem("regression", points=2)
@pytest.mark.hint("(N,) and (N, 1) broadcast to (N, N): compare the shapes first.")
@pytest.mark.parametrize("name", list(REGRESSION))
def test_regression_shapes_must_agree(student, rng, name):
    """The regression losses refuse a truth of another shape, even one that would broadcast."""
    for true_shape, shape in [((4,), (4, 1)), ((4, 1), (4, 3)), ((3,), (4, 3)), ((1, 3), (4, 3))]:
        y_pred = rng.normal(size=shape).astype("float32")
        with pytest.raises(ValueError):
            call(student, name, rng.normal(size=true_shape).astype("float32"), y_pred)
        y_true, y_pred = draw_pair(rng, *shape)
        y_pred = y_pred.astype("float32")
        np.testing.assert_allclose(
            call(student, name, y_true, y_pred), REGRESSION[name](y_true, y_pred), **CLOSE
        )


# Logarithms of probabilities


@pytest.mark.problem("log_probabilities", points=3)
@pytest.mark.hint("Which axis do the exponentials add up over?")
@pytest.mark.parametrize("axis", [None, 0, 1, -2])
def test_log_softmax(student, rng, axis):
    """log_softmax and its gradient are right along any axis."""
    logits = rng.normal(0, 2, (3, 4, 2))
    options = {} if axis is None else {"axis": axis}
    found = call(student, "log_softmax", logits.astype("float32"), **options)
    np.testing.assert_allclose(found, log_softmax(logits, **options), **CLOSE)
    assert found.dtype == np.float32
    check_gradient(student, rng, "log_softmax", log_softmax, [logits], (0,), **options)


@pytest.mark.problem("log_probabilities", points=3)
@pytest.mark.hint("Subtract the largest logit before exp; take no logarithm of a probability that may be 0.")
def test_log_softmax_far_out(student, rng):
    """log_softmax and its gradient are right for logits between -1000 and 1000."""
    logits = rng.uniform(-1000, 1000, (6, 5))
    logits[0] = rng.uniform(998, 1000, 5)
    logits[1] = rng.uniform(-1000, -998, 5)
    logits[2, :2] = 1000
    logits[3] = [-1000, 1000, 0, 1000, -1000]
    found = call(student, "log_softmax", logits.astype("float32"))
    np.testing.assert_allclose(found, log_softmax(logits), rtol=1e-4, atol=2e-4)
    check_gradient(student, rng, "log_softmax", log_softmax, [logits], (0,))


@pytest.mark.problem("log_probabilities", points=3)
@pytest.mark.hint(
    "exp overflows on one side, and 1 + tiny is 1 on the other: choose the sign, and use log1p."
)
def test_log_sigmoid(student, rng):
    """log_sigmoid is right from -1000 to 1000, its smallest values and its gradient too."""
    x = np.concatenate(
        [rng.normal(0, 3, 9), rng.uniform(10, 80, 5), rng.uniform(-1000, -80, 4), [1000, -1000]]
    )
    x = rng.permutation(x.astype("float32")).reshape(4, 5)
    found = call(student, "log_sigmoid", x)
    np.testing.assert_allclose(found, log_sigmoid(x), rtol=1e-4, atol=1e-37)
    assert found.dtype == np.float32
    check_gradient(student, rng, "log_sigmoid", log_sigmoid, [x.astype("float64")], (0,))


@pytest.mark.problem("log_probabilities", points=1)
@pytest.mark.hint("Which slopes do |x|, min(x, 0) and your branches have at exactly 0?")
def test_log_sigmoid_slope_at_zero(student, rng):
    """The gradient of log_sigmoid is 1/2 at 0."""
    x = np.array([rng.normal(), 0, rng.normal()])
    check_gradient(student, rng, "log_sigmoid", log_sigmoid, [x], (0,))


# Categorical cross-entropy, softmax loss, negative log-likelihood


@pytest.mark.problem("categorical", points=3)
@pytest.mark.hint("Divide each row by its sum; every class counts as much as y_true says.")
def test_categorical_from_probabilities(student, rng):
    """categorical_cross_entropy takes probabilities that need not add up to 1, and any truth."""
    for shape, dtype in [((5, 4), "float32"), ((2, 3, 6), "float64"), ((3,), "float32")]:
        one_hot = np.eye(shape[-1], dtype="int64")[draw_labels(rng, shape[:-1], shape[-1])]
        scale = rng.uniform(0.3, 3, (*shape[:-1], 1))
        y_pred = (draw_rows(rng, *shape) * scale).astype(dtype)
        for y_true in (one_hot, draw_rows(rng, *shape)):
            found = call(student, "categorical_cross_entropy", y_true, y_pred)
            np.testing.assert_allclose(found, categorical(y_true, y_pred), **CLOSE)
            assert found.dtype == dtype


@pytest.mark.problem("categorical", points=3)
@pytest.mark.hint("from_logits: the softmax is the function's business, once. Without it there is none.")
def test_categorical_from_logits(student, rng):
    """categorical_cross_entropy takes logits, and gives the right gradient."""
    for shape, dtype in [((5, 4), "float32"), ((2, 3, 6), "float64")]:
        logits = rng.normal(0, 2, shape).astype(dtype)
        one_hot = np.eye(shape[-1])[draw_labels(rng, shape[:-1], shape[-1])]
        for y_true in (one_hot, draw_rows(rng, *shape)):
            found = call(student, "categorical_cross_entropy", y_true, logits, from_logits=True)
            np.testing.assert_allclose(found, categorical(y_true, logits, from_logits=True), **CLOSE)
            assert found.dtype == dtype
    arguments = [draw_rows(rng, 3, 4), rng.normal(0, 2, (3, 4))]
    check_gradient(student, rng, "categorical_cross_entropy", categorical, arguments, from_logits=True)
    arguments = [draw_rows(rng, 3, 4), draw_rows(rng, 3, 4)]
    check_gradient(student, rng, "categorical_cross_entropy", categorical, arguments)


@pytest.mark.problem("categorical", points=2)
@pytest.mark.hint("Clip the probabilities, after the division, to [epsilon, 1 - epsilon]; add nothing.")
def test_categorical_clips(student, rng):
    """A probability of 0 for the right class costs -log(epsilon); one of 2e-7 is left alone."""
    labels = draw_labels(rng, (4,), 3)
    y_true = np.eye(3)[labels]
    y_pred = draw_rows(rng, 4, 3)
    for row, small in enumerate([0, 2e-7, 4e-8]):
        y_pred[row, labels[row]] = 0
        y_pred[row] *= (1 - small) / y_pred[row].sum()
        y_pred[row, labels[row]] = small
    y_pred[3] = y_true[3]
    y_pred = (5 * y_pred).astype("float32")
    found = call(student, "categorical_cross_entropy", y_true, y_pred)
    np.testing.assert_allclose(found, categorical(y_true, y_pred), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[0], 16.1181, rtol=1e-4)


@pytest.mark.problem("categorical", points=2)
@pytest.mark.hint("A share of the target goes evenly to all K classes, the right one included.")
@pytest.mark.parametrize("from_logits", [False, True])
def test_categorical_label_smoothing(student, rng, from_logits):
    """Label smoothing spreads a share of the target over all classes."""
    for classes in (2, 3, 7):
        smoothing = float(rng.uniform(0.1, 0.6))
        y_true = np.eye(classes)[draw_labels(rng, (5,), classes)]
        y_pred = rng.normal(0, 3, (5, classes)) if from_logits else draw_rows(rng, 5, classes)
        options = {"from_logits": from_logits, "label_smoothing": smoothing}
        found = call(student, "categorical_cross_entropy", y_true, y_pred.astype("float32"), **options)
        np.testing.assert_allclose(found, categorical(y_true, y_pred, **options), **CLOSE)


@pytest.mark.problem("categorical", points=2)
@pytest.mark.hint("Nothing but one entry of each row counts; multiplying the others by 0 is not the same.")
def test_negative_log_likelihood(student, rng):
    """negative_log_likelihood picks the right class's entry, whatever the others are."""
    for shape, dtype in [((6, 4), "float32"), ((2, 3, 5), "float64"), ((3,), "float32")]:
        labels = draw_labels(rng, shape[:-1], shape[-1])
        log_p = np.log(draw_rows(rng, *shape)).astype(dtype)
        log_p[(labels[..., None] + 1) % shape[-1] == np.arange(shape[-1])] = -np.inf
        for given in (labels, labels.astype("float32")):
            found = call(student, "negative_log_likelihood", given, log_p)
            np.testing.assert_allclose(found, likelihood(labels, log_p), **CLOSE)
            assert found.dtype == dtype
    arguments = [draw_labels(rng, (4,), 3), np.log(draw_rows(rng, 4, 3))]
    check_gradient(student, rng, "negative_log_likelihood", likelihood, arguments)


@pytest.mark.problem("categorical", points=3)
@pytest.mark.hint("-log(exp(s_y) / sum_j exp(s_j)): the sum runs over the classes of one sample.")
def test_softmax_loss(student, rng):
    """softmax_loss takes class numbers and logits, and gives the right gradient."""
    for shape, dtype in [((6, 4), "float32"), ((2, 3, 5), "float64"), ((3,), "float32")]:
        labels = draw_labels(rng, shape[:-1], shape[-1])
        logits = rng.normal(0, 2, shape).astype(dtype)
        for given in (labels, labels.astype("float32")):
            found = call(student, "softmax_loss", given, logits)
            np.testing.assert_allclose(found, softmax_loss(labels, logits), **CLOSE)
            assert found.dtype == dtype
    arguments = [draw_labels(rng, (4,), 3), rng.normal(0, 2, (4, 3))]
    check_gradient(student, rng, "softmax_loss", softmax_loss, arguments)


@pytest.mark.problem("categorical", points=2)
@pytest.mark.hint("Never exponentiate a large logit, and never take the logarithm of a softmax.")
def test_categorical_far_out(student, rng):
    """Losses and gradients from logits between -1000 and 1000 are right."""
    labels = draw_labels(rng, (6,), 4)
    logits = rng.uniform(-1000, 1000, (6, 4))
    logits[0] = -1000
    logits[0, labels[0]] = 1000
    logits[1] = 1000
    logits[1, labels[1]] = -1000
    logits[2] = 1000
    one_hot = np.eye(4)[labels]
    wanted = categorical(one_hot, logits, from_logits=True)
    given = logits.astype("float32")
    found = call(student, "categorical_cross_entropy", one_hot, given, from_logits=True)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=2e-4)
    np.testing.assert_allclose(call(student, "softmax_loss", labels, given), wanted, rtol=1e-4, atol=2e-4)
    options = {"from_logits": True}
    check_gradient(student, rng, "categorical_cross_entropy", categorical, [one_hot, logits], **options)


@pytest.mark.problem("categorical", points=1)
@pytest.mark.hint("Rows belong to rows; class numbers have the shape of the logits without the last axis.")
def test_categorical_shapes_must_agree(student, rng):
    """The categorical losses refuse truths and class numbers of another shape."""
    logits = rng.normal(size=(3, 4)).astype("float32")
    labels = draw_labels(rng, (3,), 4)
    for wrong in (np.eye(4)[labels[:1]], np.eye(4)[labels[0]], labels):
        with pytest.raises(ValueError):
            call(student, "categorical_cross_entropy", wrong, logits, from_logits=True)
    for name in ("softmax_loss", "negative_log_likelihood"):
        for wrong in (labels[:, None], np.eye(4)[labels], labels[:1], labels[0]):
            with pytest.raises(ValueError):
                call(student, name, wrong, logits)
    found = call(student, "categorical_cross_entropy", np.eye(4)[labels], logits, from_logits=True)
    np.testing.assert_allclose(found, softmax_loss(labels, logits), **CLOSE)
    np.testing.assert_allclose(
        call(student, "softmax_loss", labels, logits), softmax_loss(labels, logits), **CLOSE
    )
    found = call(student, "negative_log_likelihood", labels, logits)
    np.testing.assert_allclose(found, likelihood(labels, logits), **CLOSE)


# Binary cross-entropy


def draw_bits(rng, *shape):
    """Zeros and ones, of both kinds."""
    bits = rng.integers(0, 2, shape)
    bits.flat[:2] = rng.permutation(2)
    return bits


@pytest.mark.problem("binary", points=3)
@pytest.mark.hint("Both terms, y log p and (1 - y) log(1 - p), and the mean over the last axis only.")
def test_binary_from_probabilities(student, rng):
    """binary_cross_entropy takes probabilities, and truths from 0 to 1."""
    for shape, dtype in [((5, 3), "float32"), ((2, 3, 4), "float64"), ((6,), "float32")]:
        y_pred = rng.uniform(0.02, 0.98, shape).astype(dtype)
        for y_true in (draw_bits(rng, *shape), rng.uniform(0, 1, shape)):
            found = call(student, "binary_cross_entropy", y_true, y_pred)
            np.testing.assert_allclose(found, binary(y_true, y_pred), **CLOSE)
            assert found.dtype == dtype
    arguments = [rng.uniform(0, 1, (3, 4)), rng.uniform(0.02, 0.98, (3, 4))]
    check_gradient(student, rng, "binary_cross_entropy", binary, arguments)


@pytest.mark.problem("binary", points=2)
@pytest.mark.hint("Clip the probability to [epsilon, 1 - epsilon] before both logarithms; add nothing.")
def test_binary_clips(student, rng):
    """Probabilities of 0 and 1 cost what epsilon says; one of 2e-7 is left alone."""
    p = rng.permutation(np.array([0, 0, 1, 1, 2e-7, 4e-8])).astype("float32")[:, None]
    y_true = np.where(p == 1, 0, 1)
    y_true[np.flatnonzero(p == 0)[0]] = 0
    y_true[np.flatnonzero(p == 1)[0]] = 1
    found = call(student, "binary_cross_entropy", y_true, p)
    high = (p[:, 0] == 1) & (y_true[:, 0] == 0)
    wanted = binary(y_true, p)
    np.testing.assert_allclose(found[high], wanted[high], rtol=0.02)
    np.testing.assert_allclose(found[~high], wanted[~high], rtol=1e-4, atol=1e-6)


@pytest.mark.problem("binary", points=3)
@pytest.mark.hint("log(1 - sigmoid(x)) is log sigmoid(-x).")
def test_binary_from_logits(student, rng):
    """binary_cross_entropy takes logits, and gives the right gradient."""
    for shape, dtype in [((5, 3), "float32"), ((2, 3, 4), "float64")]:
        logits = rng.normal(0, 2, shape).astype(dtype)
        for y_true in (draw_bits(rng, *shape), rng.uniform(0, 1, shape)):
            found = call(student, "binary_cross_entropy", y_true, logits, from_logits=True)
            np.testing.assert_allclose(found, binary(y_true, logits, from_logits=True), **CLOSE)
            assert found.dtype == dtype
    arguments = [rng.uniform(0, 1, (3, 4)), rng.normal(0, 2, (3, 4))]
    check_gradient(student, rng, "binary_cross_entropy", binary, arguments, from_logits=True)


@pytest.mark.problem("binary", points=2)
@pytest.mark.hint("Look at logits of 1000 and -1000 for both truths, and at the slope for a logit of 0.")
def test_binary_far_out(student, rng):
    """Losses and gradients from logits between -1000 and 1000 are right, at 0 as well."""
    logits = np.array([1000, 1000, -1000, -1000, 0, 0, *rng.uniform(-1000, 1000, 6)]).reshape(4, 3)
    y_true = np.array([0, 1, 0, 1, 0, 1, *draw_bits(rng, 6)]).reshape(4, 3)
    found = call(student, "binary_cross_entropy", y_true, logits.astype("float32"), from_logits=True)
    np.testing.assert_allclose(found, binary(y_true, logits, from_logits=True), rtol=1e-4, atol=1e-6)
    arguments = [y_true.astype("float64"), logits]
    check_gradient(student, rng, "binary_cross_entropy", binary, arguments, from_logits=True)


@pytest.mark.problem("binary", points=1)
@pytest.mark.hint("Two classes share what is taken from the target: both truths move towards 1/2.")
@pytest.mark.parametrize("from_logits", [False, True])
def test_binary_label_smoothing(student, rng, from_logits):
    """Label smoothing moves 0 and 1 towards one half."""
    y_true = draw_bits(rng, 5, 3)
    y_pred = rng.normal(0, 3, (5, 3)) if from_logits else rng.uniform(0.02, 0.98, (5, 3))
    options = {"from_logits": from_logits, "label_smoothing": float(rng.uniform(0.1, 0.6))}
    found = call(student, "binary_cross_entropy", y_true, y_pred.astype("float32"), **options)
    np.testing.assert_allclose(found, binary(y_true, y_pred, **options), **CLOSE)


@pytest.mark.problem("binary", points=1)
@pytest.mark.hint("(N,) and (N, 1) broadcast to (N, N): compare the shapes first.")
def test_binary_shapes_must_agree(student, rng):
    """binary_cross_entropy refuses a truth of another shape, even one that would broadcast."""
    logits = rng.normal(size=(4, 1)).astype("float32")
    y_true = draw_bits(rng, 4, 1)
    for wrong in (y_true[:, 0], y_true[:1], np.repeat(y_true, 3, axis=1)):
        with pytest.raises(ValueError):
            call(student, "binary_cross_entropy", wrong, logits, from_logits=True)
    found = call(student, "binary_cross_entropy", y_true, logits, from_logits=True)
    np.testing.assert_allclose(found, binary(y_true, logits, from_logits=True), **CLOSE)


# Multi-class hinge


@pytest.mark.problem("hinge", points=3)
@pytest.mark.hint("max(0, s_j - s_y + 1), summed over the classes j that are not y.")
def test_hinge(student, rng):
    """multiclass_hinge sums over the wrong classes, ties and exact margins included."""
    for shape, dtype in [((8, 4), "float32"), ((2, 3, 5), "float64"), ((3,), "float32"), ((6, 2), "float32")]:
        labels = draw_labels(rng, shape[:-1], shape[-1])
        scores = (rng.integers(-4, 5, shape) / 2).astype(dtype)
        for given in (labels, labels.astype("float32")):
            found = call(student, "multiclass_hinge", given, scores)
            np.testing.assert_allclose(found, hinge(labels, scores), **CLOSE)
            assert found.dtype == dtype


@pytest.mark.problem("hinge", points=2)
@pytest.mark.hint("Every class that lacks the margin pulls at its own score and at the right one.")
def test_hinge_gradient(student, rng):
    """The gradient of multiclass_hinge is right."""
    arguments = [draw_labels(rng, (5,), 4), draw_scores(rng, 5, 4)]
    check_gradient(student, rng, "multiclass_hinge", hinge, arguments)


@pytest.mark.problem("hinge", points=2)
@pytest.mark.hint("One loss a sample, then their mean.")
def test_hinge_batch_mean(student, rng):
    """HingeLoss gives the mean over the batch, and CS231n's published number."""
    scores = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]], "float32")
    order = rng.permutation(3)
    found = student.HingeLoss()(np.arange(3)[order], scores[order])
    np.testing.assert_allclose(float(found), 15.8 / 3, rtol=1e-5)
    labels, scores = draw_labels(rng, (7,), 5), draw_scores(rng, 7, 5).astype("float32")
    np.testing.assert_allclose(
        float(student.HingeLoss()(labels, scores)), hinge(labels, scores).mean(), **CLOSE
    )


@pytest.mark.problem("hinge", points=1)
@pytest.mark.hint("Class numbers have the shape of the scores without the last axis.")
def test_hinge_shapes_must_agree(student, rng):
    """multiclass_hinge refuses class numbers of another shape."""
    scores = draw_scores(rng, 3, 4).astype("float32")
    labels = draw_labels(rng, (3,), 4)
    for wrong in (labels[:, None], np.eye(4)[labels], labels[:1], labels[0]):
        with pytest.raises(ValueError):
            call(student, "multiclass_hinge", wrong, scores)
    np.testing.assert_allclose(
        call(student, "multiclass_hinge", labels, scores), hinge(labels, scores), **CLOSE
    )


# Margin and soft-margin classifier


@pytest.mark.problem("margins", points=2)
@pytest.mark.hint("label * (weights . x + bias), one number a sample.")
def test_functional_margins(student, rng):
    """functional_margins are label times score."""
    weights, inputs = rng.normal(size=3), rng.normal(0, 2, (7, 3))
    labels, bias = rng.choice([-1.0, 1.0], 7), float(rng.uniform(1, 2))
    found = call(student, "functional_margins", weights, bias, inputs, labels)
    np.testing.assert_allclose(found, margins(weights, bias, inputs, labels), **CLOSE)


@pytest.mark.problem("margins", points=2)
@pytest.mark.hint("The nearest sample decides; a distance does not change when weights and bias are scaled.")
def test_geometric_margin(student, rng):
    """geometric_margin is the smallest signed distance from the plane."""
    one, other = rng.normal(size=3) + 1, rng.normal(size=3) - 1
    weights = (one - other) * rng.uniform(0.2, 3)
    bias = -float(weights @ (one + other)) / 2
    along = np.linalg.svd(weights[None])[2][1:]
    inputs = np.array([other + along[0], one + 2 * along[1], other - along[1], one + weights])
    labels = np.array([-1.0, 1, -1, 1])
    half = np.linalg.norm(one - other) / 2
    found = call(student, "geometric_margin", weights, bias, inputs, labels)
    np.testing.assert_allclose(float(found), half, rtol=1e-4)
    flipped = call(student, "geometric_margin", weights, bias, inputs[:2], -labels[:2])
    np.testing.assert_allclose(float(flipped), -half, rtol=1e-4)


@pytest.mark.problem("margins", points=3)
@pytest.mark.hint(
    "Feasible is when every functional margin is at least 1; then only the weights' length counts."
)
def test_hard_margin_objective(student, rng):
    """hard_margin_objective is half the squared length where the margins allow it, and infinite elsewhere."""
    for least in (1.0, 1.5, 0.75, -2.0):
        weights, bias, inputs, labels = draw_separated(rng, 8, 3, least)
        found = call(student, "hard_margin_objective", weights, bias, inputs, labels)
        wanted = float(weights @ weights) / 2 if least >= 1 else np.inf
        np.testing.assert_allclose(float(found), wanted, rtol=1e-6)


def draw_overlapping(rng, samples, features):
    """A plane, and samples on both sides of it and of the margin, none within 0.01 of the margin."""
    while True:
        weights, bias = rng.normal(size=features), float(rng.uniform(0.5, 2) * rng.choice([-1, 1]))
        inputs, labels = rng.normal(0, 2, (samples, features)), rng.choice([-1.0, 1.0], samples)
        found = margins(weights, bias, inputs, labels)
        if (
            np.abs(found - 1).min() > 0.01
            and {-1, 1} == set(labels)
            and (found > 1).any()
            and (found < 0).any()
        ):
            return weights, bias, inputs, labels


@pytest.mark.problem("margins", points=3)
@pytest.mark.hint(
    "Half the squared length, and C times the sum of what the margins lack to 1. The bias is free."
)
@pytest.mark.parametrize("C", [None, 0.1, 7.0])
def test_soft_margin_objective(student, rng, C):
    """soft_margin_objective adds C for each unit of slack."""
    arguments = draw_overlapping(rng, 9, 3)
    options = {} if C is None else {"C": C}
    found = call(student, "soft_margin_objective", *arguments, **options)
    np.testing.assert_allclose(float(found), float(soft_margin(*arguments, **options)), rtol=1e-4)


@pytest.mark.problem("margins", points=2)
@pytest.mark.hint("Samples beyond the margin pull at nothing; the others at weights and bias.")
def test_soft_margin_gradient(student, rng):
    """The gradients of soft_margin_objective with respect to weights and bias are right."""
    arguments = draw_overlapping(rng, 9, 3)
    check_gradient(student, rng, "soft_margin_objective", soft_margin, arguments, (0, 1), C=2.5)


# Penalties


def l1(first, second, rate):
    return np.array(rate * (np.abs(first).sum() + np.abs(second).sum()))


def l2(first, second, rate):
    return np.array(rate * ((first**2).sum() + (second**2).sum()))


def penalty_gradient(function, kernels, rate):
    kernels = [tf.constant(kernel) for kernel in kernels]
    with tf.GradientTape() as tape:
        tape.watch(kernels)
        value = function(kernels, rate)
    return [value, *tape.gradient(value, kernels)]


@pytest.mark.problem("penalties", points=4)
@pytest.mark.hint("Every entry of every kernel, absolute or squared, and no half.")
@pytest.mark.parametrize(("name", "oracle"), [("l1_penalty", l1), ("l2_penalty", l2)])
def test_penalties(student, rng, name, oracle):
    """A penalty sums over all entries of all kernels, and its gradient is right."""
    kernels = [rng.choice([-1, 1], shape) * rng.uniform(0.1, 3, shape) for shape in [(3, 4), (2, 1, 3)]]
    default = call(student, name, [kernel.astype("float32") for kernel in kernels])
    np.testing.assert_allclose(float(default), float(oracle(*kernels, 0.01)), rtol=1e-4)
    rate = float(rng.uniform(0.1, 2))
    value, *found = student.probe(penalty_gradient, getattr(student, name), kernels, rate)
    first, second = kernels
    np.testing.assert_allclose(float(value), float(oracle(first, second, rate)), rtol=1e-6)
    wanted = [
        numeric_gradient(lambda kernel: oracle(kernel, second, rate), first),
        numeric_gradient(lambda kernel: oracle(first, kernel, rate), second),
    ]
    for got, expected in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


# Weights, masks and reductions

REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None]
each_reduction = pytest.mark.parametrize("reduction", REDUCTIONS)


def draw_values(rng, *shape):
    return rng.uniform(0.5, 4, shape).astype("float32")


def draw_weights(rng, *shape):
    """Weights that do not average 1, one of them 0."""
    weights = rng.uniform(1.5, 4, shape)
    weights.flat[rng.integers(weights.size)] = 0
    return weights


def draw_mask(rng, *shape):
    """True and False, each at least once."""
    mask = rng.integers(0, 2, shape).astype(bool)
    first, second = rng.permutation(mask.size)[:2]
    mask.flat[first], mask.flat[second] = True, False
    return mask


@pytest.mark.problem("reduction", points=3)
@pytest.mark.hint("The table says what each reduction divides by: look twice at its first row.")
@each_reduction
def test_reduction_weights(student, rng, reduction):
    """Weights multiply the losses; what divides them is the reduction's affair."""
    for shape in [(7,), (4, 3)]:
        values, weights = draw_values(rng, *shape), draw_weights(rng, *shape)
        found = reduce_loss(student, values, sample_weight=weights, reduction=reduction)
        np.testing.assert_allclose(found, reduced(values, weights, None, reduction), **CLOSE)
        whole = np.ceil(weights).astype("int64")
        found = reduce_loss(student, values, whole, reduction=reduction)
        np.testing.assert_allclose(found, reduced(values, whole, None, reduction), **CLOSE)
        assert found.dtype == np.float32


@pytest.mark.problem("reduction", points=2)
@pytest.mark.hint("What is masked is neither summed nor counted.")
@each_reduction
def test_reduction_mask(student, rng, reduction):
    """Masked losses count for nothing, in the sum and in the divisor."""
    for shape in [(7,), (4, 3)]:
        values, mask = draw_values(rng, *shape), draw_mask(rng, *shape)
        found = reduce_loss(student, values, mask=mask, reduction=reduction)
        np.testing.assert_allclose(found, reduced(values, None, mask, reduction), **CLOSE)


@pytest.mark.problem("reduction", points=3)
@pytest.mark.hint("A loss of weight 0 is counted by the mean over the batch, a masked one is not.")
@each_reduction
def test_reduction_weights_and_mask(student, rng, reduction):
    """Weights and a mask together give what the table says, in the dtype of the losses."""
    for shape, dtype in [((7,), "float32"), ((4, 3), "float64")]:
        values, mask = draw_values(rng, *shape).astype(dtype), draw_mask(rng, *shape)
        weights = draw_weights(rng, *shape)
        found = reduce_loss(student, values, weights, mask, reduction)
        np.testing.assert_allclose(found, reduced(values, weights, mask, reduction), **CLOSE)
        assert found.dtype == dtype


@pytest.mark.problem("reduction", points=1)
@pytest.mark.hint("(N, 1) stands for a whole row of (N, T), and each of the row's losses is counted.")
def test_reduction_broadcasts(student, rng):
    """Weights and masks of (N, 1) or (1, T) stand for whole rows and columns of (N, T)."""
    values = draw_values(rng, 5, 3)
    rows, columns = draw_weights(rng, 5, 1), draw_mask(rng, 1, 3)
    for reduction in ("sum_over_batch_size", "sum", None):
        for weights, mask in [(rows, None), (None, columns), (rows, columns), (None, draw_mask(rng, 5, 1))]:
            found = reduce_loss(student, values, weights, mask, reduction)
            np.testing.assert_allclose(found, reduced(values, weights, mask, reduction), **CLOSE)


@pytest.mark.problem("reduction", points=1)
@pytest.mark.hint("0 / 0 is 0 here.")
def test_reduction_of_nothing(student, rng):
    """With every loss masked, or every weight 0, the result is 0, and not nan."""
    values, weights = draw_values(rng, 4, 3), draw_weights(rng, 4, 3)
    nothing = np.zeros((4, 3), bool)
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
        assert float(reduce_loss(student, values, weights, nothing, reduction)) == 0
        assert float(reduce_loss(student, values, 0 * weights, None, reduction)) == 0
        found = reduce_loss(student, values, weights, ~nothing, reduction)
        np.testing.assert_allclose(float(found), reduced(values, weights, None, reduction), rtol=1e-4)


def reduction_gradient(function, values, weights, mask, reduction):
    values = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(values)
        result = function(values, weights, mask, reduction)
    return tape.gradient(result, values)


@pytest.mark.problem("reduction", points=1)
@pytest.mark.hint("A network learns through the reduction: each loss's share in the result is its gradient.")
def test_reduction_gradient(student, rng):
    """Each loss gets its share of the gradient, a masked one none."""
    values, weights, mask = draw_values(rng, 4, 3), draw_weights(rng, 4, 3), draw_mask(rng, 4, 3)
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
        found = student.probe(reduction_gradient, student.reduce_loss, values, weights, mask, reduction)
        wanted = np.zeros((4, 3))
        for index in np.ndindex(4, 3):
            unit = np.zeros((4, 3))
            unit[index] = 1
            wanted[index] = reduced(unit, weights, mask, reduction)
        np.testing.assert_allclose(found, wanted, **CLOSE)


@pytest.mark.problem("reduction", points=1)
@pytest.mark.hint("There are six names for a reduction, and no other.")
def test_reduction_is_known(student, rng):
    """reduce_loss takes the six reductions and refuses others."""
    values, weights = draw_values(rng, 6), draw_weights(rng, 6)
    for wrong in ("average", "batch", ""):
        with pytest.raises(ValueError):
            reduce_loss(student, values, weights, reduction=wrong)
    for reduction in REDUCTIONS:
        found = reduce_loss(student, values, weights, reduction=reduction)
        np.testing.assert_allclose(found, reduced(values, weights, None, reduction), **CLOSE)
    found = reduce_loss(student, values, weights)
    np.testing.assert_allclose(found, reduced(values, weights), **CLOSE)


# The Keras classes

CLASSES = {
    "MeanSquaredLoss": (squared, {}),
    "TotalSquaredLoss": (total, {}),
    "MeanAbsoluteLoss": (absolute, {}),
    "HuberLoss": (smooth, {"delta": 1.75}),
    "CategoricalCrossEntropyLoss": (categorical, {"from_logits": True, "label_smoothing": 0.15}),
    "BinaryCrossEntropyLoss": (binary, {"from_logits": True, "label_smoothing": 0.15}),
    "SoftmaxLoss": (softmax_loss, {}),
    "HingeLoss": (hinge, {}),
}
each_class = pytest.mark.parametrize("name", list(CLASSES))


def draw_for(rng, name, *shape):
    """A truth and predictions for a class; float32."""
    if name in ("SoftmaxLoss", "HingeLoss"):
        return draw_labels(rng, shape[:-1], shape[-1]), draw_scores(rng, *shape).astype("float32")
    if name == "CategoricalCrossEntropyLoss":
        return draw_rows(rng, *shape), rng.normal(0, 2, shape).astype("float32")
    if name == "BinaryCrossEntropyLoss":
        return draw_bits(rng, *shape), rng.normal(0, 2, shape).astype("float32")
    y_true, y_pred = draw_pair(rng, *shape)
    return y_true, y_pred.astype("float32")


def is_loss(loss):
    return isinstance(loss, keras.losses.Loss)


def call_loss(student, loss, y_true, y_pred, mask=None, sample_weight=None):
    options = {"keras_mask": mask, "sample_weight": sample_weight}
    return student.probe(closed, "keras.src.losses.losses", loss, y_true, y_pred, **options)


@pytest.mark.problem("keras_losses", points=3)
@pytest.mark.hint("`call` hands over all settings and returns one loss a sample.")
@each_class
def test_loss_values(student, rng, name):
    """Each class gives one loss a sample, or their mean over the batch, as float32."""
    oracle, settings = CLASSES[name]
    y_true, y_pred = draw_for(rng, name, 4, 3, 5)
    wanted = oracle(y_true, y_pred, **settings)
    loss = getattr(student, name)(reduction=None, **settings)
    assert student.probe(is_loss, loss) is True
    found = call_loss(student, loss, y_true, y_pred)
    np.testing.assert_allclose(found, wanted, **CLOSE)
    found = call_loss(student, getattr(student, name)(**settings), y_true, y_pred)
    np.testing.assert_allclose(float(found), wanted.mean(), **CLOSE)
    assert found.dtype == np.float32
    defaults = {"from_logits": False, "label_smoothing": 0.0} if name.endswith("EntropyLoss") else {}
    if name.endswith("EntropyLoss"):
        y_pred = draw_rows(rng, 4, 3, 5)
    found = call_loss(student, getattr(student, name)(), y_true, y_pred)
    np.testing.assert_allclose(float(found), oracle(y_true, y_pred, **defaults).mean(), **CLOSE)


@pytest.mark.problem("keras_losses", points=3)
@pytest.mark.hint("Weights and masks meet single losses: `call` must not average over the batch.")
@each_class
def test_loss_weights_and_masks(student, rng, name):
    """Each class weighs its losses and leaves out what Keras masks, in every reduction."""
    oracle, settings = CLASSES[name]
    y_true, y_pred = draw_for(rng, name, 4, 3, 5)
    values, weights, mask = oracle(y_true, y_pred, **settings), draw_weights(rng, 4, 3), draw_mask(rng, 4, 3)
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight", None):
        loss = getattr(student, name)(reduction=reduction, **settings)
        for some_mask, some_weights in [(None, weights), (mask, None), (mask, weights)]:
            found = call_loss(student, loss, y_true, y_pred, some_mask, some_weights)
            np.testing.assert_allclose(found, reduced(values, some_weights, some_mask, reduction), **CLOSE)


@pytest.mark.problem("keras_losses", points=2)
@pytest.mark.hint("get_config holds every constructor argument, and what the base class has to say.")
@each_class
def test_loss_config_round_trip(student, rng, name):
    """A loss made from another's configuration has its name and settings, and computes with them."""
    oracle, settings = CLASSES[name]
    settings = {
        key: value if value is True else float(rng.uniform(0.2, 0.4)) for key, value in settings.items()
    }
    cls = getattr(student, name)
    config = cls(name="mine", reduction="sum", **settings).get_config()
    given = {"name": "mine", "reduction": "sum", **settings}
    assert {key: config[key] for key in given} == given
    copy = cls.from_config(config)
    assert copy.get_config() == config
    y_true, y_pred = draw_for(rng, name, 4, 5)
    wanted = oracle(y_true, y_pred, **settings).sum()
    np.testing.assert_allclose(float(call_loss(student, copy, y_true, y_pred)), wanted, **CLOSE)


@pytest.mark.problem("keras_losses", points=1)
@pytest.mark.hint(
    "Leave dtypes to the base class, and compute in the dtype of the predictions that `call` gets."
)
@each_class
def test_loss_dtype(student, rng, name):
    """A loss computes in float32 from float16 predictions, and in float64 if it is told to."""
    oracle, settings = CLASSES[name]
    y_true, y_pred = draw_for(rng, name, 4, 5)
    y_pred = (8 * y_pred).astype("float16")
    wanted = oracle(y_true, y_pred, **settings).sum()
    for dtype, tolerance in [(None, 1e-5), ("float64", 1e-9)]:
        loss = getattr(student, name)(reduction="sum", dtype=dtype, **settings)
        found = call_loss(student, loss, y_true, y_pred)
        np.testing.assert_allclose(float(found), wanted, rtol=tolerance, atol=tolerance)
        assert found.dtype == (dtype or "float32")


def train(loss, x, labels, kernel, rate):
    """One step of a model that masks steps of zeros: the loss before it, and the kernel after it."""
    layers = [keras.layers.Masking(), keras.layers.Dense(kernel.shape[1], use_bias=False)]
    model = keras.Sequential([keras.Input((None, kernel.shape[0])), *layers])
    model.compile(keras.optimizers.SGD(rate), loss, run_eagerly=True)
    layers[1].kernel.assign(kernel)
    return model.train_on_batch(x, labels), layers[1].kernel


@pytest.mark.problem("keras_losses", points=1)
@pytest.mark.hint("In a model the labels come as floats, and the padded steps are masked.")
def test_training_step(student, rng):
    """A compiled model learns by SoftmaxLoss from the steps that are not padding, and from no other."""
    x, labels = rng.normal(size=(4, 5, 3)).astype("float32"), draw_labels(rng, (4, 5), 6)
    mask = np.arange(5) < np.array([5, 2, 3, 1])[:, None]
    x[~mask] = 0
    kernel, rate = rng.normal(size=(3, 6)).astype("float32"), 0.7
    value, found = student.probe(train, student.SoftmaxLoss(), x, labels, kernel, rate)
    logits = x[mask].astype("float64") @ kernel
    np.testing.assert_allclose(float(value), softmax_loss(labels[mask], logits).mean(), **CLOSE)
    slope = (np.exp(log_softmax(logits)) - np.eye(6)[labels[mask]]) / mask.sum()
    np.testing.assert_allclose(found, kernel - rate * x[mask].T @ slope, rtol=1e-4, atol=1e-4)


def traced(function, y_true, y_pred, options):
    """Run a function in a graph in which all sizes but the last are unknown."""
    lead, last = [None] * (y_pred.ndim - 1), [y_pred.shape[-1]]
    signature = [
        tf.TensorSpec(lead + last * (y_true.ndim == y_pred.ndim), y_true.dtype),
        tf.TensorSpec(lead + last, y_pred.dtype),
    ]
    graph = tf.function(lambda t, p: function(t, p, **options), input_signature=signature, autograph=False)
    return graph(y_true, y_pred)


FUNCTIONS = {
    "mean_squared_error": ("MeanSquaredLoss", squared, {}),
    "total_squared_error": ("TotalSquaredLoss", total, {}),
    "mean_absolute_error": ("MeanAbsoluteLoss", absolute, {}),
    "huber": ("HuberLoss", smooth, {"delta": 0.8}),
    "categorical_cross_entropy": (
        "CategoricalCrossEntropyLoss",
        categorical,
        CLASSES["CategoricalCrossEntropyLoss"][1],
    ),
    "binary_cross_entropy": ("BinaryCrossEntropyLoss", binary, CLASSES["BinaryCrossEntropyLoss"][1]),
    "softmax_loss": ("SoftmaxLoss", softmax_loss, {}),
    "negative_log_likelihood": ("SoftmaxLoss", likelihood, {}),
    "multiclass_hinge": ("HingeLoss", hinge, {}),
}


@pytest.mark.problem("keras_losses", points=2)
@pytest.mark.hint("In a graph sizes can be None: use tensor operations, and let None fit any size.")
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_unknown_sizes(student, rng, name):
    """A loss function works in a graph of unknown batch sizes."""
    like, oracle, settings = FUNCTIONS[name]
    y_true, y_pred = draw_for(rng, like, 3, 2, 4)
    found = student.probe(traced, getattr(student, name), y_true, y_pred, settings)
    np.testing.assert_allclose(found, oracle(y_true, y_pred, **settings), **CLOSE)
