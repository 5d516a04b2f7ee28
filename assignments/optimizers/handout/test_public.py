"""Public tests of `optimizers`: the README's examples."""

import math

import keras
import numpy as np
import pytest

CLOSE = {"rtol": 1e-3, "atol": 1e-4}
STEPS = [0, 1, 3, 4, 9, 10, 19, 20, 23, 24, 25]


def two_updates(optimizer):
    """A weight of 1 after the gradient 4, and after 1."""
    weight = keras.Variable([1.0])
    places = []
    for gradient in (4.0, 1.0):
        optimizer.apply([keras.ops.convert_to_tensor([gradient])], [weight])
        places.append(float(weight.numpy()[0]))
    return places


def rates(schedule, steps):
    return [float(schedule(step)) for step in steps]


@pytest.mark.problem("descent")
@pytest.mark.hint("The path begins with the start, and has one place more than there are steps.")
def test_descend(student):
    """descend walks down a parabola."""
    path = student.descend(lambda w: 2 * np.asarray(w), [1.0, -2.0], 0.25, 2)
    np.testing.assert_allclose(path, [[1, -2], [0.5, -1], [0.25, -0.5]])


@pytest.mark.problem("descent")
@pytest.mark.hint("Against the gradient, times the rate.")
def test_gradient_descent_example(student):
    """GradientDescent makes the two updates of the README's table."""
    np.testing.assert_allclose(student.probe(two_updates, student.GradientDescent(0.1)), [0.6, 0.5], **CLOSE)


@pytest.mark.problem("learning_rate")
@pytest.mark.hint("r is the largest |1 - rate * eigenvalue|.")
def test_learning_rate_example(student):
    """rate_limits and steps_needed give the README's numbers."""
    hessian = np.diag([1.0, 10.0])
    np.testing.assert_allclose(student.rate_limits(hessian), [2 / 11, 0.2])
    found = [student.steps_needed(hessian, rate, 0.01) for rate in (0.02, 0.1, 2 / 11, 0.21)]
    assert found == [228, 44, 23, math.inf]


@pytest.mark.problem("momentum")
@pytest.mark.hint("The rate is inside the velocity; Nesterov's step takes the new velocity.")
@pytest.mark.parametrize(("nesterov", "places"), [(False, [0.6, 0.14]), (True, [0.24, -0.274])])
def test_momentum_example(student, nesterov, places):
    """Momentum makes the two updates of the README's table."""
    optimizer = student.Momentum(0.1, nesterov=nesterov)
    np.testing.assert_allclose(student.probe(two_updates, optimizer), places, **CLOSE)


@pytest.mark.problem("adaptive")
@pytest.mark.hint("A sum of squares, or their average?")
def test_adaptive_examples(student):
    """AdaGrad and RMSProp make the two updates of the README's table."""
    np.testing.assert_allclose(student.probe(two_updates, student.AdaGrad(0.1)), [0.9003, 0.8761], **CLOSE)
    np.testing.assert_allclose(student.probe(two_updates, student.RMSProp(0.1)), [0.6838, 0.6032], **CLOSE)


@pytest.mark.problem("adam")
@pytest.mark.hint("t is 1 in the first update.")
def test_adam_example(student):
    """Adam makes the two updates of the README's table."""
    np.testing.assert_allclose(student.probe(two_updates, student.Adam(0.1)), [0.9, 0.8169], **CLOSE)


@pytest.mark.problem("weight_decay")
@pytest.mark.hint("Shrink the weight itself; a penalty changes the gradient.")
def test_weight_decay_examples(student):
    """AdamW makes the two updates of the README's table, and l2_gradients adds 2 * rate * w."""
    optimizer = student.AdamW(0.1, decay=0.1)
    np.testing.assert_allclose(student.probe(two_updates, optimizer), [0.89, 0.798], **CLOSE)
    gradients, variables = [np.array([1.0, 2.0]), None], [np.array([3.0, -1.0]), np.array([2.0])]
    first, second = student.l2_gradients(gradients, variables, 0.5)
    np.testing.assert_allclose(first, [4, 1])
    np.testing.assert_allclose(second, [2])


@pytest.mark.problem("clipping")
@pytest.mark.hint("Entry by entry, array by array, or all together?")
@pytest.mark.parametrize(
    ("name", "small", "large"),
    [
        ("clip_by_value", [[3, 3.5], [-3.5]], [[3, 4], [-6.5]]),
        ("clip_by_norm", [[2.1, 2.8], [-3.5]], [[3, 4], [-6.5]]),
        ("clip_by_global_norm", [[3 * 3.5 / 13, 4 * 3.5 / 13], [-12 * 3.5 / 13]], [[1.5, 2], [-6]]),
    ],
)
def test_clipping_example(student, name, small, large):
    """Clipping gives the README's numbers, and leaves short gradients alone."""
    gradients = [np.array([3, 4], "float32"), np.array([-12], "float32")]
    for limit, wanted in [(3.5, small), (6.5, large), (20, [[3, 4], [-12]])]:
        found = getattr(student, name)(gradients, limit)
        assert len(found) == 2
        for got, values in zip(found, wanted, strict=True):
            np.testing.assert_allclose(got, values, rtol=1e-5)


@pytest.mark.problem("schedules")
@pytest.mark.hint("Look at steps 9 and 10, 19 and 20.")
def test_decay_examples(student):
    """The three decays give the README's table."""
    schedule = student.StepDecay(0.4, factor=0.5, every=2, steps_per_epoch=10)
    np.testing.assert_allclose(student.probe(rates, schedule, STEPS), [0.4] * 7 + [0.2] * 4, rtol=1e-3)
    schedule = student.ExponentialDecay(0.4, factor=0.9, steps_per_epoch=10)
    wanted = [0.4] * 5 + [0.36] * 2 + [0.324] * 4
    np.testing.assert_allclose(student.probe(rates, schedule, STEPS), wanted, rtol=1e-3)
    schedule = student.TimeBasedDecay(0.4, rate=0.5, steps_per_epoch=10)
    wanted = [0.4] * 5 + [0.2667] * 2 + [0.2] * 4
    np.testing.assert_allclose(student.probe(rates, schedule, STEPS), wanted, rtol=1e-3)


@pytest.mark.problem("schedules")
@pytest.mark.hint("The peak is reached at step 4, where the other schedule is at its step 0.")
def test_warm_up_example(student):
    """WarmUp gives the README's table with a constant rate behind it."""
    found = student.probe(rates, student.WarmUp(0.4, 4), STEPS)
    np.testing.assert_allclose(found, [0, 0.1, 0.3] + [0.4] * 8, rtol=1e-3)


@pytest.mark.problem("keras_optimizers")
@pytest.mark.hint("The constructor's arguments under their names, and what the base class has to say.")
def test_config_example(student):
    """get_config holds the arguments of the constructor."""
    config = student.Momentum(0.125, momentum=0.75, name="mine").get_config()
    given = {"learning_rate": 0.125, "momentum": 0.75, "nesterov": False, "name": "mine"}
    assert {key: config[key] for key in given} == given
    config = student.StepDecay(0.5, every=3).get_config()
    assert config == {"initial_learning_rate": 0.5, "factor": 0.5, "every": 3, "steps_per_epoch": 1}
