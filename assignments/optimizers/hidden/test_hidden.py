"""Hidden suite of `optimizers`.

What an optimizer should do comes from sums over the whole history of gradients in float64 NumPy, with no recurrence in
them, and for 50 updates from Keras' own optimizers, which run in the trusted process.
"""

import json
import math
import tempfile

import keras
import numpy as np
import pytest
import tensorflow as tf

CLOSE = {"rtol": 2e-5, "atol": 1e-5}
PRECISE = {"rtol": 1e-6, "atol": 1e-6}

# Settings that show where epsilon goes and which average is which. All of them are float32 numbers: Keras casts by way
# of float32, and an answer may do as it does.
SETTINGS = {
    "GradientDescent": {},
    "Momentum": {"momentum": 0.75},
    "AdaGrad": {"initial_accumulator": 0.25, "epsilon": 0.125},
    "RMSProp": {"rho": 0.75, "epsilon": 0.125},
    "Adam": {"beta_1": 0.75, "beta_2": 0.875, "epsilon": 0.125},
    "AdamW": {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.125, "decay": 0.25},
}
SHAPES = [(2, 3, 2, 3), (4, 3), (3,)]

each_optimizer = pytest.mark.parametrize("name", list(SETTINGS))


# Oracles: a weight after its update, from all its gradients and rates so far and the number of the update


def averaged(values, keep):
    """The moving average, from 0, written as a sum."""
    return sum((1 - keep) * keep**age * value for age, value in enumerate(reversed(values)))


def by_descent(w, past, rates, t):
    return w - rates[-1] * past[-1]


def by_momentum(w, past, rates, t, momentum=0.9, nesterov=False):
    pushes = [rate * gradient for rate, gradient in zip(rates, past, strict=True)]
    velocity = -sum(momentum**age * push for age, push in enumerate(reversed(pushes)))
    return w + momentum * velocity - pushes[-1] if nesterov else w + velocity


def by_adagrad(w, past, rates, t, initial_accumulator=0.1, epsilon=1e-7):
    return w - rates[-1] * past[-1] / np.sqrt(initial_accumulator + epsilon + sum(g**2 for g in past))


def by_rmsprop(w, past, rates, t, rho=0.9, epsilon=1e-7):
    return w - rates[-1] * past[-1] / np.sqrt(averaged([g**2 for g in past], rho) + epsilon)


def by_adam(w, past, rates, t, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    mean = averaged(past, beta_1) / (1 - beta_1**t)
    root = np.sqrt(averaged([g**2 for g in past], beta_2) / (1 - beta_2**t))
    return w - rates[-1] * mean / (root + epsilon / math.sqrt(1 - beta_2**t))


def by_adamw(w, past, rates, t, decay=0.004, **settings):
    return by_adam(w, past, rates, t, **settings) - rates[-1] * decay * w


ORACLES = {
    "GradientDescent": by_descent,
    "Momentum": by_momentum,
    "AdaGrad": by_adagrad,
    "RMSProp": by_rmsprop,
    "Adam": by_adam,
    "AdamW": by_adamw,
}


def expected(name, weights, updates, rates, **settings):
    """All weights after each update.

    Args:
        weights: list of arrays.
        updates: for each update a list of pairs: the place of a weight, and its gradient or None.
        rates: the learning rate of each update.
    """
    weights = [np.asarray(w, "float64") for w in weights]
    past = [([], []) for _ in weights]
    after = []
    for t, (pairs, rate) in enumerate(zip(updates, rates, strict=True), 1):
        for place, gradient in pairs:
            if gradient is not None:
                past[place][0].append(np.asarray(gradient, "float64"))
                past[place][1].append(rate)
                weights[place] = ORACLES[name](weights[place], *past[place], t, **settings)
        after.append(list(weights))
    return after


# Inputs


def draw_rate(rng, low, high):
    """A learning rate that is a float32 number, which is what optimizers keep."""
    return float(np.float32(rng.uniform(low, high)))


def draw_weights(rng, shapes=SHAPES):
    return [rng.uniform(-1, 1, shape).astype("float32") for shape in shapes]


def draw_gradients(rng, shapes=SHAPES):
    """Of sizes between 0.05 and 5 and both signs; the first entry of each is 0."""
    gradients = []
    for shape in shapes:
        values = np.exp(rng.uniform(math.log(0.05), math.log(5), shape)) * rng.choice([-1, 1], shape)
        values.flat[0] = 0
        gradients.append(values.astype("float32"))
    return gradients


def draw_updates(rng, steps, shapes=SHAPES):
    """Updates of all weights in their order."""
    return [list(enumerate(draw_gradients(rng, shapes))) for _ in range(steps)]


def draw_uneven_updates(rng):
    """Six updates in changing order, in which a weight is now and then left out or has no gradient."""
    updates = draw_updates(rng, 6)
    for update in updates[1:]:
        rng.shuffle(update)
    updates[1] = [(place, None if place == 1 else gradient) for place, gradient in updates[1]]
    updates[2] = [pair for pair in updates[2] if pair[0] != 0]
    return updates


# What runs beside the student's code


def run_updates(optimizer, weights, updates, dtype="float32", rates=None):
    """Apply the updates; with rates, by `update_step` itself. All weights after each."""
    variables = [keras.Variable(w, dtype=dtype) for w in weights]
    optimizer.build(variables)
    after = []
    for number, pairs in enumerate(updates):
        gradients = [None if g is None else tf.constant(g) for _, g in pairs]
        targets = [variables[place] for place, _ in pairs]
        if rates is None:
            optimizer.apply(gradients, targets)
        else:
            for gradient, variable in zip(gradients, targets, strict=True):
                if gradient is not None:
                    optimizer.update_step(gradient, variable, tf.constant(rates[number]))
            optimizer.iterations.assign_add(1)
        after.append([variable.numpy() for variable in variables])
    return after


def run_in_graph(optimizer, weights, gradients):
    """Apply gradients in one graph, an array of all updates for each weight. The weights after each, likewise."""
    variables = [keras.Variable(w, dtype="float32") for w in weights]
    optimizer.build(variables)
    graph = tf.function(lambda given: optimizer.apply(given, variables), autograph=False)
    after = [[] for _ in variables]
    for row in zip(*gradients, strict=True):
        graph([tf.constant(gradient) for gradient in row])
        for values, variable in zip(after, variables, strict=True):
            values.append(variable.numpy())
    return [np.stack(values) for values in after]


def check_updates(student, rng, name, optimizer, updates, rates, by_hand=False, **settings):
    weights = draw_weights(rng, [gradient.shape for _, gradient in updates[0]])
    found = student.probe(run_updates, optimizer, weights, updates, "float32", rates if by_hand else None)
    wanted = expected(name, weights, updates, rates, **settings)
    assert len(found) == len(wanted)
    for got, values in zip(found, wanted, strict=True):
        assert len(got) == len(values)
        for one, value in zip(got, values, strict=True):
            np.testing.assert_allclose(one, value, **CLOSE)


def check_uneven(student, rng, name, **settings):
    rate = draw_rate(rng, 0.05, 0.2)
    settings = {**SETTINGS[name], **settings}
    optimizer = getattr(student, name)(learning_rate=rate, **settings)
    updates = draw_uneven_updates(rng)
    check_updates(student, rng, name, optimizer, updates, [rate] * len(updates), **settings)


def check_like_keras(student, rng, optimizer, oracle, size=1.0):
    """Fifty updates of the weights of a convolution and a dense layer.

    Weights stay below 1 and rates are small, so that 1e-6 is beyond float32's rounding: in Keras' own bias correction
    (1 - beta_2 is off by 1e-5 of itself) it adds up to 1.5e-6 at a rate of 0.01.
    """
    shapes = [(3, 2, 2, 4), (5, 3)]
    weights = [rng.uniform(-0.4, 0.4, shape).astype("float32") for shape in shapes]
    gradients = [size * rng.normal(size=(50, *shape)).astype("float32") for shape in shapes]
    found = student.probe(run_in_graph, optimizer, weights, gradients)
    # Keras' optimizers work entry by entry: one long vector takes half the time
    flat = np.concatenate([values.reshape(50, -1) for values in gradients], axis=1)
    (wanted,) = run_in_graph(oracle, [np.concatenate([w.ravel() for w in weights])], [flat])
    assert [values.shape for values in found] == [values.shape for values in gradients]
    found = np.concatenate([values.reshape(50, -1) for values in found], axis=1)
    np.testing.assert_allclose(found, wanted, **PRECISE)


# Gradient descent


def draw_curvatures(rng, size, low=0.5, high=8.0):
    """A symmetric matrix that is not diagonal, and its eigenvalues, the smallest and the largest first and last."""
    values = np.sort(rng.uniform(low, high, size))
    values[0], values[-1] = low, high
    axes = np.linalg.qr(rng.normal(size=(size, size)))[0]
    return (axes * values) @ axes.T, values


@pytest.mark.problem("descent", points=3)
@pytest.mark.hint("Against the gradient, times the rate. The first row is the start.")
def test_descend(student, rng):
    """descend returns the start and the place after each step, in float64."""
    for shape, steps in [((3,), 6), ((2, 3), 4), ((), 5), ((4,), 0)]:
        slopes, goal = rng.uniform(0.3, 2, shape), rng.normal(size=shape)
        start, rate = rng.normal(size=shape).astype("float32"), float(rng.uniform(0.1, 0.4))
        # each entry by itself, in closed form
        wanted = [goal + (start - goal) * (1 - rate * slopes) ** step for step in range(steps + 1)]
        found = student.descend(lambda w, k=slopes, b=goal: k * (np.asarray(w) - b), start, rate, steps)
        assert found.shape == (steps + 1, *shape)
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.problem("descent", points=2)
@pytest.mark.hint("Ask once a step, at the place it goes from; work on a copy of the start.")
def test_descend_asks_at_each_place(student, rng):
    """descend asks for one gradient a step, and leaves the start alone, which may be a list of ints."""
    asked = []

    def gradient(w):
        asked.append(np.array(w, "float64"))
        return np.sin(asked[-1])

    for start in ([2, -1, 3], rng.normal(size=(2, 2))):
        before, rate = np.array(start, "float64"), float(rng.uniform(0.3, 0.6))
        asked.clear()
        path = student.descend(gradient, start, rate, 5)
        np.testing.assert_array_equal(start, before)
        assert len(asked) == 5
        np.testing.assert_allclose(path[:5], asked, rtol=1e-12)
        np.testing.assert_allclose(np.diff(path, axis=0), -rate * np.sin(asked), rtol=1e-9)


@pytest.mark.problem("descent", points=3)
@pytest.mark.hint("Which way does the gradient point? How far does a step go?")
def test_descent_steps(student, rng):
    """GradientDescent moves every weight against its gradient, by the rate."""
    check_uneven(student, rng, "GradientDescent")


@pytest.mark.problem("descent", points=3)
@pytest.mark.hint("Use self.assign and keras.ops, so that it works in a graph too.")
def test_descent_like_keras(student, rng):
    """GradientDescent does what Keras' SGD does, over 50 updates."""
    rate = draw_rate(rng, 0.01, 0.02)
    check_like_keras(student, rng, student.GradientDescent(rate), keras.optimizers.SGD(rate))


# The learning rate


@pytest.mark.problem("learning_rate", points=4)
@pytest.mark.hint("The rates are 2 over something: which eigenvalues? A matrix's diagonal doesn't hold them.")
def test_rate_limits(student, rng):
    """rate_limits finds the best rate, and the one above which descent diverges."""
    for size in (1, 2, 5):
        hessian, values = draw_curvatures(rng, size, *sorted(rng.uniform([0.1, 3], [2, 20])))
        best, limit = student.rate_limits(hessian)
        np.testing.assert_allclose(float(limit), 2 / values.max(), rtol=1e-6)
        # at the best rate, the two ends shrink equally fast
        np.testing.assert_allclose(float(best), 1 / ((values.min() + values.max()) / 2), rtol=1e-6)


def shrinking(values, rate):
    return np.abs(1 - rate * values).max()


@pytest.mark.problem("learning_rate", points=3)
@pytest.mark.hint("How much is left of the slowest direction after n steps? What if r is 0, or not below 1?")
def test_steps_needed(student, rng):
    """steps_needed counts the steps at rates that are low, good, nearly too high and too high."""
    hessian, values = draw_curvatures(rng, 4, 0.5, 8.0)
    for rate in (rng.uniform(0.001, 0.01), 0.125, 2 / 8.5, rng.uniform(0.245, 0.249)):
        r, steps = shrinking(values, rate), int(rng.integers(2, 60))
        # half-way between two whole numbers, where rounding does not matter
        found = student.steps_needed(hessian, float(rate), float(r ** (steps - 0.5)))
        assert found == steps
        assert student.steps_needed(hessian, float(rate), float(r**0.5)) == 1
    assert student.steps_needed(hessian, float(rng.uniform(0.251, 0.4)), 0.5) == math.inf
    assert student.steps_needed(np.array([[4.0]]), 0.25, 1e-9) == 1
    assert student.steps_needed(np.array([[4.0]]), 0.5, 0.9) == math.inf


@pytest.mark.problem("learning_rate", points=2)
@pytest.mark.hint("What does a negative eigenvalue mean? A diagonal without one proves nothing.")
def test_no_minimum(student, rng):
    """Both functions refuse a matrix with an eigenvalue of 0 or less, and only such."""
    good, values = draw_curvatures(rng, 3)
    bad = [np.array([[1.0, 2], [2, 1]]), np.diag([2.0, 0, 3]), -good, draw_curvatures(rng, 3, -0.1, 5)[0]]
    for hessian in bad:
        with pytest.raises(ValueError):
            student.rate_limits(hessian)
        with pytest.raises(ValueError):
            student.steps_needed(hessian, 0.1, 0.5)
    np.testing.assert_allclose(student.rate_limits(good), [2 / (values[0] + values[-1]), 2 / values[-1]])
    assert student.steps_needed(good, 0.125, (1 - 0.125 * 0.5) ** 6.5) == 7


# Momentum

each_momentum = pytest.mark.parametrize("nesterov", [False, True], ids=["plain", "nesterov"])


@pytest.mark.problem("momentum", points=4)
@pytest.mark.hint("Each weight has a velocity of its own, from 0. Nesterov uses the new one once more.")
@each_momentum
def test_momentum_steps(student, rng, nesterov):
    """Momentum keeps a velocity for each weight, in whatever order weights come."""
    check_uneven(student, rng, "Momentum", nesterov=nesterov)


@pytest.mark.problem("momentum", points=3)
@pytest.mark.hint("Is the rate inside the velocity or outside? Which rate acted on old gradients?")
@each_momentum
def test_momentum_when_the_rate_changes(student, rng, nesterov):
    """A new learning rate acts on new gradients, and not on the velocity of old ones."""
    settings = {"momentum": draw_rate(rng, 0.6, 0.95), "nesterov": nesterov}
    rates = [draw_rate(rng, *between) for between in [(0.2, 0.3), (0.02, 0.05), (0.4, 0.5), (0.05, 0.1)]]
    optimizer = student.Momentum(learning_rate=0.01, **settings)
    updates = draw_updates(rng, 4)
    check_updates(student, rng, "Momentum", optimizer, updates, rates, by_hand=True, **settings)


@pytest.mark.problem("momentum", points=4)
@pytest.mark.hint("State that is not a variable stands still in a graph.")
def test_momentum_like_keras(student, rng):
    """Momentum does what Keras' SGD with momentum does, over 50 updates."""
    rate = draw_rate(rng, 0.008, 0.012)
    oracle = keras.optimizers.SGD(rate, momentum=0.9)
    check_like_keras(student, rng, student.Momentum(rate), oracle, 0.2)


# AdaGrad and RMSProp


@pytest.mark.problem("adaptive", points=4)
@pytest.mark.hint("A sum of squares, from the initial accumulator on. Where does epsilon stand in the table?")
def test_adagrad_steps(student, rng):
    """AdaGrad divides by the root of all squared gradients so far."""
    check_uneven(student, rng, "AdaGrad")


@pytest.mark.problem("adaptive", points=3)
@pytest.mark.hint("State that is not a variable stands still in a graph.")
def test_adagrad_like_keras(student, rng):
    """AdaGrad does what Keras' Adagrad does, over 50 updates."""
    rate = draw_rate(rng, 0.01, 0.02)
    check_like_keras(student, rng, student.AdaGrad(rate), keras.optimizers.Adagrad(rate))


@pytest.mark.problem("adaptive", points=4)
@pytest.mark.hint(
    "An average of squares: which share keeps the old one? Where does epsilon stand in the table?"
)
def test_rmsprop_steps(student, rng):
    """RMSProp divides by the root of a moving average of squared gradients."""
    check_uneven(student, rng, "RMSProp")


@pytest.mark.problem("adaptive", points=3)
@pytest.mark.hint("State that is not a variable stands still in a graph.")
def test_rmsprop_like_keras(student, rng):
    """RMSProp does what Keras' RMSprop does, over 50 updates."""
    rate = draw_rate(rng, 0.001, 0.002)
    check_like_keras(student, rng, student.RMSProp(rate), keras.optimizers.RMSprop(rate))


# Adam


@pytest.mark.problem("adam", points=5)
@pytest.mark.hint("Two averages, two betas, both corrected. t counts updates, and where is epsilon added?")
def test_adam_steps(student, rng):
    """Adam divides one average by the root of the other, in whatever order weights come."""
    check_uneven(student, rng, "Adam")


@pytest.mark.problem("adam", points=4)
@pytest.mark.hint("What are both averages after the first gradient, and what are they when corrected?")
def test_adam_first_step(student, rng):
    """Adam's first step is as long as the learning rate, whatever the gradient; at a constant one all steps are."""
    weights, rate = [rng.uniform(-1, 1, (4, 3)).astype("float32")], draw_rate(rng, 0.1, 0.3)
    gradient = (10.0 ** rng.uniform(-1, 4, (4, 3)) * rng.choice([-1, 1], (4, 3))).astype("float32")
    for settings in ({}, {"beta_1": 0.5, "beta_2": 0.9}):
        optimizer = student.Adam(learning_rate=rate, **settings)
        found = student.probe(run_updates, optimizer, weights, [[(0, gradient)]] * 3)
        for step, (got,) in enumerate(found, 1):
            np.testing.assert_allclose(
                got, weights[0] - step * rate * np.sign(gradient), rtol=2e-4, atol=2e-4
            )


@pytest.mark.problem("adam", points=4)
@pytest.mark.hint("A counter that is not a variable stands still in a graph; self.iterations does not.")
def test_adam_like_keras(student, rng):
    """Adam does what Keras' Adam does, over 50 updates."""
    rate = draw_rate(rng, 0.001, 0.0015)
    check_like_keras(student, rng, student.Adam(rate), keras.optimizers.Adam(rate))


# Weight decay


@pytest.mark.problem("weight_decay", points=2)
@pytest.mark.hint("Gradients of 0 make no step of Adam's: what is left is the decay, in update_step.")
def test_decay_alone(student, rng):
    """Where gradients are 0, AdamW shrinks each weight by rate times decay of it, by update_step itself."""
    weights, decay = draw_weights(rng), float(rng.uniform(0.1, 0.9))
    rates = [draw_rate(rng, 0.05, 0.3) for _ in range(3)]
    updates = [[(place, np.zeros_like(w)) for place, w in enumerate(weights)] for _ in rates]
    optimizer = student.AdamW(learning_rate=0.5, decay=decay)
    found = student.probe(run_updates, optimizer, weights, updates, "float32", rates)
    for step, got in enumerate(found):
        left = math.prod(1 - rate * decay for rate in rates[: step + 1])
        for one, start in zip(got, weights, strict=True):
            np.testing.assert_allclose(one, start * left, **CLOSE)
    assert optimizer.weight_decay is None


@pytest.mark.problem("weight_decay", points=2)
@pytest.mark.hint(
    "Do the averages hear of the decay? Which weights does it shrink, those before or after the step?"
)
def test_adamw_steps(student, rng):
    """AdamW's decay leaves the averages alone, and goes by the weights before the update."""
    rates = [draw_rate(rng, 0.1, 0.4) for _ in range(5)]
    settings = SETTINGS["AdamW"]
    optimizer = student.AdamW(learning_rate=0.05, **settings)
    updates = draw_updates(rng, 5)
    check_updates(student, rng, "AdamW", optimizer, updates, rates, by_hand=True, **settings)


@pytest.mark.problem("weight_decay", points=2)
@pytest.mark.hint("Rate times decay times weight; biases decay as well.")
def test_adamw_like_keras(student, rng):
    """AdamW does what Keras' AdamW does, over 50 updates."""
    rate, decay = draw_rate(rng, 0.001, 0.0015), float(rng.uniform(0.1, 0.3))
    oracle = keras.optimizers.AdamW(rate, weight_decay=decay)
    optimizer = student.AdamW(rate, decay=decay)
    check_like_keras(student, rng, optimizer, oracle)
    assert optimizer.weight_decay is None


@pytest.mark.problem("weight_decay", points=3)
@pytest.mark.hint("What is the derivative of rate times w squared? What if only the penalty depends on w?")
def test_l2_gradients(student, rng):
    """l2_gradients adds the gradient of the penalty, also where the loss itself gives none."""
    for dtype in ("float32", "float64"):
        weights = [w.astype(dtype) for w in draw_weights(rng)]
        gradients = [g.astype(dtype) for g in draw_gradients(rng)]
        gradients[1] = None
        rate = float(rng.uniform(0.1, 0.9))
        found = student.l2_gradients(gradients, weights, rate)
        assert len(found) == len(weights)
        for got, gradient, w in zip(found, gradients, weights, strict=True):
            start = 0 if gradient is None else gradient
            # the difference quotient of the penalty, exact for a square
            slope = rate * ((w + 1.0) ** 2 - (w - 1.0) ** 2) / 2
            np.testing.assert_allclose(got, start + slope, **CLOSE)
            assert got.dtype == dtype


# Clipping

CLIPS = ["clip_by_value", "clip_by_norm", "clip_by_global_norm"]


def length(values):
    return math.sqrt(math.fsum(float(value) ** 2 for value in np.ravel(values)))


def clipped(name, gradients, limit):
    """In float64, one array after the other."""
    given = [g.astype("float64") for g in gradients if g is not None]
    whole = math.hypot(*(length(g) for g in given))
    results = []
    for gradient in gradients:
        if gradient is None:
            results.append(None)
            continue
        values = gradient.astype("float64")
        if name == "clip_by_value":
            results.append(np.where(np.abs(values) > limit, np.sign(values) * limit, values))
        else:
            norm = length(values) if name == "clip_by_norm" else whole
            results.append(values * (limit / norm) if norm > limit else values)
    return results


def assert_clipped(found, name, gradients, limit):
    wanted = clipped(name, gradients, limit)
    assert len(found) == len(wanted)
    for got, value, before in zip(found, wanted, gradients, strict=True):
        if before is None:
            assert got is None
            continue
        np.testing.assert_allclose(got, value, rtol=1e-5, atol=0)
        assert got.dtype == before.dtype


def draw_list(rng, dtype="float32"):
    """Gradients of length 3, 0.5, none, 8 and 0."""
    shapes, lengths = [(2, 3), (4,), None, (3, 1, 2), (2, 2)], [3, 0.5, None, 8, 0]
    gradients = []
    for shape, wanted in zip(shapes, lengths, strict=True):
        if shape is None:
            gradients.append(None)
            continue
        values = rng.uniform(0.3, 1, shape) * rng.choice([-1, 1], shape)
        gradients.append((values * (wanted / length(values))).astype(dtype))
    return gradients


@pytest.mark.problem("clipping", points=2)
@pytest.mark.hint("Both ends, entry by entry.")
def test_clip_by_value(student, rng):
    """clip_by_value moves every entry into the limits, and keeps what is within."""
    for dtype in ("float32", "float64"):
        gradients = draw_list(rng, dtype)
        for limit in (0.3, 1.0, float(rng.uniform(0.4, 2))):
            found = student.clip_by_value(gradients, limit)
            assert_clipped(found, "clip_by_value", gradients, limit)
            for got, before in zip(found, gradients, strict=True):
                if before is not None:
                    inside = np.abs(before) <= limit
                    np.testing.assert_array_equal(got[inside], before[inside])


@pytest.mark.problem("clipping", points=3)
@pytest.mark.hint("Each gradient has a norm of its own, over all its axes. Which ones exceed the limit?")
def test_clip_by_norm(student, rng):
    """clip_by_norm shortens each gradient that is too long, and no other."""
    for dtype in ("float32", "float64"):
        gradients = draw_list(rng, dtype)
        for limit in (0.25, 4.0, float(rng.uniform(0.6, 2.5))):
            found = student.clip_by_norm(gradients, limit)
            assert_clipped(found, "clip_by_norm", gradients, limit)
            for got, before in zip(found, gradients, strict=True):
                if before is not None and length(before) < 0.9 * limit:
                    np.testing.assert_array_equal(got, before)


@pytest.mark.problem("clipping", points=2)
@pytest.mark.hint("One norm for the whole list, and one factor for all.")
def test_clip_by_global_norm(student, rng):
    """clip_by_global_norm shortens all gradients alike when together they are too long."""
    for dtype in ("float32", "float64"):
        gradients = draw_list(rng, dtype)
        # each alone is within 8.3, and all together are of length 8.559
        for limit in (0.25, 5.0, 8.3, float(rng.uniform(1, 7))):
            found = student.clip_by_global_norm(gradients, limit)
            assert_clipped(found, "clip_by_global_norm", gradients, limit)
        found = student.clip_by_global_norm(gradients, 8.6)
        for got, before in zip(found, gradients, strict=True):
            if before is not None:
                np.testing.assert_array_equal(got, before)


@pytest.mark.problem("clipping", points=2)
@pytest.mark.hint("What does your factor do to a short gradient? And to zeros?")
@pytest.mark.parametrize("name", CLIPS)
def test_clipping_never_enlarges(student, rng, name):
    """Gradients within the limit keep every bit, others end at the limit, and no entry grows or turns."""
    clip = getattr(student, name)
    for size in (1e-6, 1e4):
        gradients = [size * g if g is not None else None for g in draw_list(rng)]
        given = [g for g in gradients if g is not None]
        zeros = [np.zeros_like(g) for g in given]
        for got, before in zip(clip(zeros, 2.0), zeros, strict=True):
            np.testing.assert_array_equal(got, before)
        for limit in (20 * size, 9 * size, 2 * size, 0.1 * size):
            found = clip(gradients, limit)
            assert len(found) == len(gradients)
            assert found[2] is None
            found = [g for g in found if g is not None]
            for got, before in zip(found, given, strict=True):
                assert got.shape == before.shape
                if limit >= 9 * size:
                    np.testing.assert_array_equal(got, before)
                assert (np.abs(got) <= np.abs(before) * (1 + 1e-6)).all()
                assert (got * before >= 0).all()
            reach = {
                "clip_by_value": max(np.abs(g).max() for g in found),
                "clip_by_norm": max(length(g) for g in found),
                "clip_by_global_norm": math.hypot(*(length(g) for g in found)),
            }[name]
            assert reach <= limit * (1 + 1e-5)


@pytest.mark.problem("clipping", points=1)
@pytest.mark.hint("The square of 1e30 is infinite in float32: take out the largest entry first.")
@pytest.mark.parametrize("name", CLIPS[1:])
def test_clipping_exploded_gradients(student, rng, name):
    """Gradients whose squares overflow are clipped all the same."""
    gradients = [g if g is None else (1e29 * g).astype("float32") for g in draw_list(rng)]
    for limit in (1.0, 1e29, float(rng.uniform(2, 20))):
        assert_clipped(getattr(student, name)(gradients, limit), name, gradients, limit)


@pytest.mark.problem("clipping", points=1)
@pytest.mark.hint("What would a limit of 0 or below it mean?")
@pytest.mark.parametrize("name", CLIPS)
def test_clipping_limits(student, rng, name):
    """A limit of 0 or less is refused, and none above."""
    gradients = draw_list(rng)
    for limit in (0, 0.0, -1.5):
        with pytest.raises(ValueError):
            getattr(student, name)(gradients, limit)
    assert_clipped(getattr(student, name)(gradients, 1), name, gradients, 1)


def clip_in_graph(function, gradients, limit):
    graph = tf.function(lambda given: function([given[0], None, *given[1:]], limit), autograph=False)
    return graph([tf.constant(gradient) for gradient in gradients])


@pytest.mark.problem("clipping", points=1)
@pytest.mark.hint(
    "In a graph tensors have no values yet, so Python's if can't compare them: ops.where or ops.minimum can."
)
@pytest.mark.parametrize("name", CLIPS)
def test_clipping_in_a_graph(student, rng, name):
    """Clipping works in a tf.function."""
    gradients = [g for g in draw_list(rng) if g is not None]
    limit = float(rng.uniform(1, 2))
    found = student.probe(clip_in_graph, getattr(student, name), gradients, limit)
    assert_clipped(found, name, [gradients[0], None, *gradients[1:]], limit)


# Schedules


def run_schedule(schedule, steps):
    return [schedule(step) for step in steps]


def check_rates(student, schedule, steps, wanted):
    """The rate at each step, a float32 scalar."""
    found = student.probe(run_schedule, schedule, steps)
    assert len(found) == len(wanted)
    for got, rate in zip(found, wanted, strict=True):
        assert (got.shape, got.dtype) == ((), np.float32)
        np.testing.assert_allclose(float(got), rate, rtol=2e-5, atol=1e-9)


def draw_steps(rng, epoch, epochs):
    """Steps at both sides of epochs' ends, and between."""
    ends = epoch * rng.choice(np.arange(1, epochs), 5, replace=False)
    between = rng.integers(0, epoch * epochs, 5)
    return [0, epoch - 1, epoch, *(int(step) for end in ends for step in (end - 1, end)), *between.tolist()]


def dropped(rate, factor, times):
    for _ in range(times):
        rate *= factor
    return rate


@pytest.mark.problem("schedules", points=3)
@pytest.mark.hint(
    "Steps make epochs, epochs make drops: both are whole numbers. At which step is the first drop?"
)
@pytest.mark.parametrize("epoch", [1, 7, 40_000])
def test_step_decay(student, rng, epoch):
    """StepDecay drops by its factor every few epochs, and is constant between."""
    initial, factor, every = float(rng.uniform(0.1, 1)), float(rng.uniform(0.3, 0.8)), int(rng.integers(2, 6))
    schedule = student.StepDecay(initial, factor=factor, every=every, steps_per_epoch=epoch)
    steps = draw_steps(rng, epoch, 30) + [drop * every * epoch - back for drop in (1, 3) for back in (1, 0)]
    check_rates(
        student, schedule, steps, [dropped(initial, factor, step // epoch // every) for step in steps]
    )


@pytest.mark.problem("schedules", points=3)
@pytest.mark.hint("A factor for each epoch, not for each step. Is the exponent whole?")
@pytest.mark.parametrize("smooth", [False, True])
def test_exponential_decay(student, rng, smooth):
    """ExponentialDecay multiplies by its factor every epoch: at once, or smoothly, as Keras' own does."""
    for epoch in (1, 9, 30_000):
        initial, factor = float(rng.uniform(0.1, 1)), float(rng.uniform(0.85, 0.98))
        options = {"smooth": True} if smooth else {}
        schedule = student.ExponentialDecay(initial, factor=factor, steps_per_epoch=epoch, **options)
        steps = draw_steps(rng, epoch, 60)
        if smooth:
            wanted = [initial * math.exp(math.log(factor) * step / epoch) for step in steps]
        else:
            wanted = [dropped(initial, factor, step // epoch) for step in steps]
        check_rates(student, schedule, steps, wanted)
    oracle = keras.optimizers.schedules.ExponentialDecay(initial, epoch, factor, staircase=not smooth)
    check_rates(student, schedule, steps[:3], [float(oracle(step)) for step in steps[:3]])


@pytest.mark.problem("schedules", points=2)
@pytest.mark.hint("The epoch is under the fraction's bar, with a 1 beside it.")
def test_time_based_decay(student, rng):
    """TimeBasedDecay divides by a number that grows with the epochs, as Keras' InverseTimeDecay does."""
    for epoch in (1, 9, 30_000):
        initial, rate = float(rng.uniform(0.1, 1)), float(rng.uniform(0.1, 0.9))
        schedule = student.TimeBasedDecay(initial, rate=rate, steps_per_epoch=epoch)
        steps = draw_steps(rng, epoch, 200)
        check_rates(student, schedule, steps, [initial / (1 + rate * (step // epoch)) for step in steps])
    oracle = keras.optimizers.schedules.InverseTimeDecay(initial, epoch, rate, staircase=True)
    check_rates(student, schedule, steps[:3], [float(oracle(step)) for step in steps[:3]])


def keras_schedule(initial):
    """A schedule that is not the student's: it falls with every step."""

    class Falling(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return initial / (1 + keras.ops.cast(step, "float32") / 8)

    return Falling()


@pytest.mark.problem("schedules", points=3)
@pytest.mark.hint(
    "What are the rates at step 0, at the last step of the warm-up, and at the next? What does `after` count?"
)
@pytest.mark.parametrize("after", ["a float", "a schedule"])
def test_warm_up(student, rng, after):
    """WarmUp rises on a straight line to its peak, and then follows the other schedule from its step 0."""
    peak = float(rng.uniform(0.3, 1))
    then = peak if after == "a float" else student.probe(keras_schedule, peak)
    for warm, start in [(1, None), (4, 0.05), (40, 1.5)]:
        options = {} if start is None else {"start": start}
        schedule = student.WarmUp(then, warm, **options)
        steps = [0, 1, 2, 3, warm - 1, warm, warm + 1, warm + int(rng.integers(2, 300))]
        low = start or 0.0
        wanted = []
        for step in steps:
            if step < warm:
                wanted.append((low * (warm - step) + peak * step) / warm)
            else:
                wanted.append(peak if after == "a float" else peak / (1 + (step - warm) / 8))
        check_rates(student, schedule, steps, wanted)


def draw_schedule(rng, name):
    """Arguments of a schedule with epochs of three steps, and what it does."""
    initial = float(rng.uniform(0.2, 1))
    return {
        "StepDecay": (
            {"initial_learning_rate": initial, "factor": 0.3, "every": 2, "steps_per_epoch": 3},
            lambda step: dropped(initial, 0.3, step // 6),
        ),
        "ExponentialDecay": (
            {"initial_learning_rate": initial, "factor": 0.8, "steps_per_epoch": 3, "smooth": True},
            lambda step: initial * 0.8 ** (step / 3),
        ),
        "TimeBasedDecay": (
            {"initial_learning_rate": initial, "rate": 0.7, "steps_per_epoch": 3},
            lambda step: initial / (1 + 0.7 * (step // 3)),
        ),
        "WarmUp": (
            {"after": initial, "warmup_steps": 5, "start": 0.125},
            lambda step: min(0.125 + (initial - 0.125) * step / 5, initial),
        ),
    }[name]


def run_plain(schedule, steps):
    """One weight that goes down by the learning rate at each update, in a graph."""

    class Plain(keras.optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, learning_rate * gradient)

    optimizer, weight = Plain(learning_rate=schedule), keras.Variable(0.0)
    optimizer.build([weight])
    graph = tf.function(lambda: optimizer.apply([tf.ones(())], [weight]), autograph=False)
    places = [0.0]
    for _ in range(steps):
        graph()
        places.append(float(weight.numpy()))
    return -np.diff(places)


@pytest.mark.problem("schedules", points=2)
@pytest.mark.hint("In a graph `step` is a tensor without a value: Python's if and int can't ask it.")
@pytest.mark.parametrize("name", ["StepDecay", "ExponentialDecay", "TimeBasedDecay", "WarmUp"])
def test_schedule_in_an_optimizer(student, rng, name):
    """An optimizer whose updates run in a graph follows the schedule from its step 0."""
    arguments, wanted = draw_schedule(rng, name)
    found = student.probe(run_plain, getattr(student, name)(**arguments), 14)
    np.testing.assert_allclose(found, [wanted(step) for step in range(14)], rtol=1e-5, atol=2e-6)


# Optimizers and schedules as citizens of Keras


@pytest.mark.problem("keras_optimizers", points=1)
@pytest.mark.hint("Every argument of the constructor under its name, and what the base class has to say.")
@each_optimizer
def test_config(student, rng, name):
    """An optimizer made from another's configuration has its settings, and makes the same steps."""
    rate = draw_rate(rng, 0.05, 0.2)
    settings = {
        key: value if value is True else float(rng.uniform(0.5, 0.9)) for key, value in SETTINGS[name].items()
    }
    if name == "Momentum":
        settings["nesterov"] = True
    make = getattr(student, name)
    config = make(learning_rate=rate, name="mine", clipvalue=100.0, **settings).get_config()
    given = {"learning_rate": rate, "name": "mine", "clipvalue": 100.0, **settings}
    assert {key: config[key] for key in given} == given
    copy = make.from_config(json.loads(json.dumps(config)))
    assert copy.get_config() == config
    updates = draw_updates(rng, 2, [(4, 3)])
    check_updates(student, rng, name, copy, updates, [rate] * 2, **settings)


@pytest.mark.problem("keras_optimizers", points=1)
@pytest.mark.hint(
    "The constructor's arguments in JSON's types. A schedule in a schedule has to be serialized."
)
@pytest.mark.parametrize(
    "name", ["StepDecay", "ExponentialDecay", "TimeBasedDecay", "WarmUp", "a schedule in WarmUp"]
)
def test_schedule_config(student, rng, name):
    """A schedule made from another's configuration gives the same rates."""
    inner = None
    if name == "a schedule in WarmUp":
        inner, rates = draw_schedule(rng, "StepDecay")
        name = "WarmUp"
        arguments = {"after": student.StepDecay(**inner), "warmup_steps": 5, "start": 0.0}
        wanted = [rates(0) * step / 5 if step < 5 else rates(step - 5) for step in range(14)]
    else:
        arguments, rates = draw_schedule(rng, name)
        wanted = [rates(step) for step in range(14)]
    make = getattr(student, name)
    config = json.loads(json.dumps(make(**arguments).get_config()))
    if inner is None:
        assert {key: config[key] for key in arguments} == arguments
    else:
        assert config["after"]["config"] == inner
    copy = make.from_config(config)
    assert json.loads(json.dumps(copy.get_config())) == config
    check_rates(student, copy, list(range(14)), wanted)


def run_restored(optimizer, weights, before, after):
    """Some updates; then others by the optimizer, and by a new one that received its configuration and variables."""
    variables = [keras.Variable(w) for w in weights]
    optimizer.build(variables)
    for update in before:
        optimizer.apply([tf.constant(g) for _, g in update], variables)
    copy = type(optimizer).from_config(optimizer.get_config())
    others = [keras.Variable(variable.numpy()) for variable in variables]
    copy.build(others)
    copy.build(others)
    for old, new in zip(optimizer.variables, copy.variables, strict=True):
        new.assign(old)
    for update in after:
        optimizer.apply([tf.constant(g) for _, g in update], variables)
        copy.apply([tf.constant(g) for _, g in update], others)
    return [variable.numpy() for variable in variables], [variable.numpy() for variable in others]


@pytest.mark.problem("keras_optimizers", points=1)
@pytest.mark.hint("All state belongs into variables of the optimizer, and building twice must not change it.")
@each_optimizer
def test_state(student, rng, name):
    """An optimizer that receives another's variables goes on where that one was."""
    rate, settings, shapes = draw_rate(rng, 0.05, 0.2), SETTINGS[name], [(4, 3), (3,)]
    weights, updates = draw_weights(rng, shapes), draw_updates(rng, 4, shapes)
    optimizer = getattr(student, name)(learning_rate=rate, **settings)
    found = student.probe(run_restored, optimizer, weights, updates[:2], updates[2:])
    wanted = expected(name, weights, updates, [rate] * 4, **settings)[-1]
    for got in found:
        assert len(got) == len(wanted)
        for one, value in zip(got, wanted, strict=True):
            np.testing.assert_allclose(one, value, **CLOSE)


@pytest.mark.problem("keras_optimizers", points=1)
@pytest.mark.hint("Cast the gradient and the rate to the dtype of the variable, and compute in it.")
@each_optimizer
def test_dtypes(student, rng, name):
    """Weights in float64 are updated in float64, and gradients may come in another dtype than theirs."""
    rate, settings, shapes = draw_rate(rng, 0.05, 0.2), SETTINGS[name], [(4, 3)]
    weights = draw_weights(rng, shapes)
    pairs = [
        ("float64", "float32", 2, 1e-10),
        ("float32", "float16", 1, 2e-5),
        ("float32", "float64", 1, 2e-5),
    ]
    for dtype, incoming, steps, tolerance in pairs:
        updates = [
            [(place, gradient.astype(incoming)) for place, gradient in update]
            for update in draw_updates(rng, steps, shapes)
        ]
        optimizer = getattr(student, name)(learning_rate=rate, **settings)
        found = student.probe(run_updates, optimizer, weights, updates, dtype)
        wanted = expected(name, weights, updates, [rate] * steps, **settings)
        for got, value in zip(found[-1], wanted[-1], strict=True):
            assert got.dtype == dtype
            np.testing.assert_allclose(got, value, rtol=tolerance, atol=tolerance)


@pytest.mark.problem("keras_optimizers", points=1)
@pytest.mark.hint("update_step is given a learning rate: does it use that one?")
@each_optimizer
def test_given_rate(student, rng, name):
    """update_step goes by the learning rate that it is given."""
    settings = SETTINGS[name]
    optimizer = getattr(student, name)(learning_rate=0.5, **settings)
    rates = [draw_rate(rng, 0.02, 0.2), draw_rate(rng, 1, 2)]
    updates = draw_updates(rng, 2, [(4, 3)])
    check_updates(student, rng, name, optimizer, updates, rates, by_hand=True, **settings)


def run_scaled(optimizer, weights, updates, scale):
    """Updates by float16 gradients that are scaled, as training in mixed precision makes them."""
    variables = [keras.Variable(w) for w in weights]
    scaling = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=scale)
    scaling.build(variables)
    after = []
    for update in updates:
        scaling.apply([tf.constant(g) for _, g in update], variables)
        after.append([variable.numpy() for variable in variables])
    return after


@pytest.mark.problem("keras_optimizers", points=1)
@pytest.mark.hint("Under a LossScaleOptimizer some updates are skipped: which count do you go by?")
@pytest.mark.parametrize("name", ["Momentum", "Adam"])
def test_mixed_precision(student, rng, name):
    """Under Keras' loss scaling steps are right, and an overflow leaves weights and state alone."""
    rate, settings, weights = draw_rate(rng, 0.05, 0.2), SETTINGS[name], draw_weights(rng)
    good = [
        [(place, gradient.astype("float16")) for place, gradient in update] for update in draw_updates(rng, 3)
    ]
    overflow = [(place, np.full(shape, np.inf, "float16")) for place, shape in enumerate(SHAPES)]
    # Keras halves the scale after an overflow
    given = [
        [(place, gradient * np.float16(scale)) for place, gradient in update]
        for update, scale in zip([good[0], overflow, good[1], good[2]], [8, 8, 4, 4], strict=True)
    ]
    optimizer = getattr(student, name)(learning_rate=rate, **settings)
    found = student.probe(run_scaled, optimizer, weights, given, 8.0)
    first, second, third = expected(name, weights, good, [rate] * 3, **settings)
    for got, values in zip(found, [first, first, second, third], strict=True):
        for one, value in zip(got, values, strict=True):
            np.testing.assert_allclose(one, value, rtol=1e-3, atol=1e-3)


def train_model(optimizer, x, y, weights, batch_size):
    """A convolution over the whole image, tanh, a dense layer: loss and weights after an epoch of `fit`."""
    model = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            keras.layers.Conv2D(weights[0].shape[-1], x.shape[1:3], activation="tanh"),
            keras.layers.Flatten(),
            keras.layers.Dense(y.shape[1]),
        ]
    )
    model.set_weights(weights)
    model.compile(optimizer, "mse", jit_compile=False)
    history = model.fit(x, y, batch_size=batch_size, shuffle=False, verbose=0)
    return history.history["loss"][0], model.get_weights()


def chain_rule(x, y, weights):
    """The mean squared error of that model, and its gradients, in float64."""
    kernel, bias, dense, offset = weights
    rows = x.reshape(len(x), -1)
    hidden = np.tanh(rows @ kernel.reshape(-1, kernel.shape[-1]) + bias)
    error = hidden @ dense + offset - y
    upstream = 2 * error / error.size
    inner = (upstream @ dense.T) * (1 - hidden**2)
    return (error**2).mean(), [
        (rows.T @ inner).reshape(kernel.shape),
        inner.sum(0),
        hidden.T @ upstream,
        upstream.sum(0),
    ]


@pytest.mark.problem("keras_optimizers", points=1)
@pytest.mark.hint("fit runs updates in a graph: no Python numbers for state, and no Python if on tensors.")
def test_fit(student, rng):
    """fit trains a model with a convolution and a dense layer by Momentum, batch after batch."""
    shapes = [(2, 3, 2, 4), (4,), (4, 2), (2,)]
    weights = [rng.uniform(-0.5, 0.5, shape).astype("float32") for shape in shapes]
    x, y = rng.normal(size=(10, 2, 3, 2)).astype("float32"), rng.normal(size=(10, 2)).astype("float32")
    rate, momentum = draw_rate(rng, 0.1, 0.2), float(rng.uniform(0.5, 0.8))
    optimizer = student.Momentum(learning_rate=rate, momentum=momentum)
    loss, found = student.probe(train_model, optimizer, x, y, weights, 4)
    values, velocities = [w.astype("float64") for w in weights], [np.zeros(shape) for shape in shapes]
    total = 0.0
    for begin in (0, 4, 8):
        part = slice(begin, begin + 4)
        mean, gradients = chain_rule(x[part].astype("float64"), y[part], values)
        total += mean * len(x[part])
        velocities = [momentum * u - rate * g for u, g in zip(velocities, gradients, strict=True)]
        values = [w + u for w, u in zip(values, velocities, strict=True)]
    np.testing.assert_allclose(float(loss), total / len(x), rtol=1e-4)
    for got, value in zip(found, values, strict=True):
        np.testing.assert_allclose(got, value, rtol=1e-4, atol=1e-5)


def save_and_go_on(optimizer, weights, before, after):
    """Some updates of a compiled model; save and load it; others, of the loaded one."""
    model = keras.Sequential([keras.Input((weights[0].shape[0],)), keras.layers.Dense(weights[0].shape[1])])
    model.set_weights(weights)
    model.compile(optimizer, "mse")
    for update in before:
        optimizer.apply([tf.constant(g) for _, g in update], model.trainable_variables)
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder + "/model.keras")
        loaded = keras.models.load_model(folder + "/model.keras")
    for update in after:
        loaded.optimizer.apply([tf.constant(g) for _, g in update], loaded.trainable_variables)
    return loaded.get_weights(), type(loaded.optimizer) is type(optimizer), loaded.optimizer


@pytest.mark.problem("keras_optimizers", points=1)
@pytest.mark.hint("Averages, the count of updates, and the schedule within the schedule must survive.")
def test_save_and_load(student, rng):
    """A loaded model goes on training where the saved one was, with its schedule."""
    shapes = [(4, 3), (3,)]
    weights, updates, settings = draw_weights(rng, shapes), draw_updates(rng, 8, shapes), SETTINGS["Adam"]
    arguments, rates = draw_schedule(rng, "StepDecay")
    schedule = student.WarmUp(student.StepDecay(**arguments), 4, start=0.01)
    optimizer = student.Adam(learning_rate=schedule, **settings)
    found, same, restored = student.probe(save_and_go_on, optimizer, weights, updates[:3], updates[3:])
    assert same is True
    assert float(restored.iterations) == 8
    config = restored.get_config()
    assert {key: config[key] for key in settings} == settings
    peak = rates(0)
    wanted = [0.01 + (peak - 0.01) * step / 4 if step < 4 else rates(step - 4) for step in range(8)]
    for got, value in zip(found, expected("Adam", weights, updates, wanted, **settings)[-1], strict=True):
        np.testing.assert_allclose(got, value, **CLOSE)
