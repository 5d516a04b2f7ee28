"""The drawings on optimization against Keras' optimizers and schedules, a gradient tape and NumPy."""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import SimpleNamespace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlquiz.quiz.draws.drawn import Drawn, drawings
from dlquiz.quiz.items import load_bank
from dlquiz.quiz.marking import mark
from dlquiz.quiz.posing import pose

SEEDS = range(200)
DECIMALS = {"One": 1, "Two": 2, "Three": 3, "Four": 4, "Five": 5}


def drawn(name: str) -> Iterator[Drawn]:
    for seed in SEEDS:
        yield drawings()[name](random.Random(seed))


def numbers(one: Drawn, names: str) -> list[float]:
    return [float(one.values[name]) for name in names.split()]


def agree(name: str, oracle: Callable[[Drawn], float], tolerance: float = 1e-5) -> None:
    answers = [one.answer for one in drawn(name)]
    np.testing.assert_allclose(
        answers, [float(oracle(one)) for one in drawn(name)], rtol=tolerance, atol=tolerance
    )
    assert len(set(answers)) > 10, "one and the same question again and again"


def after(
    name: str,
    settings: str,
    gradients: str,
    make: Callable[..., keras.optimizers.Optimizer],
    start: Callable[[keras.optimizers.Optimizer, list[Drawn]], None] = lambda optimizer, ones: None,
) -> None:
    """The weight `w` after a Keras optimizer's updates is the answer; draws of equal settings run as one vector."""
    alike: defaultdict[tuple[float, ...], list[Drawn]] = defaultdict(list)
    for one in drawn(name):
        alike[tuple(numbers(one, settings))].append(one)
    for values, ones in alike.items():
        weights = keras.Variable([one.values["w"] for one in ones], dtype="float64")
        optimizer = make(**dict(zip(settings.split(), values, strict=True)))
        optimizer.build([weights])
        start(optimizer, ones)
        for gradient in gradients.split():
            given = tf.constant([float(one.values[gradient]) for one in ones], "float64")
            optimizer.update_step(given, weights, keras.ops.cast(values[0], "float64"))
            optimizer.iterations.assign_add(1)
        np.testing.assert_allclose(weights, [one.answer for one in ones], rtol=1e-5, atol=1e-6)


def slope(function: Callable[[tf.Tensor], tf.Tensor], at: float) -> float:
    w = tf.constant(at, "float64")
    with tf.GradientTape() as tape:
        tape.watch(w)
        value = function(w)
    return float(tape.gradient(value, w))


def test_gradient_step_parabola() -> None:
    def oracle(one: Drawn) -> float:
        a, c, w, rate = numbers(one, "a c w rate")
        found = slope(lambda x: a * (x - c) ** 2, w)
        assert found == pytest.approx(one.values["gradient"])
        return w - rate * found

    agree("gradient-step-parabola", oracle)


def test_gradient_steps_on_a_bowl() -> None:
    def oracle(one: Drawn) -> float:
        a, w, rate = numbers(one, "a w rate")
        for _ in range(int(one.values["steps"])):
            w -= rate * a * w
        return w

    agree("gradient-steps-on-a-bowl", oracle)


def test_momentum_two_steps() -> None:
    after(
        "momentum-two-steps",
        "rate mu",
        "g1 g2",
        lambda rate, mu: keras.optimizers.SGD(rate, momentum=mu),
    )


def test_nesterovs_variant_is_told_apart() -> None:
    for seed, one in zip(SEEDS, drawn("momentum-two-steps"), strict=True):
        if seed % 20:
            continue
        w, g1, g2, rate, mu = numbers(one, "w g1 g2 rate mu")
        weight = keras.Variable(w)
        optimizer = keras.optimizers.SGD(rate, momentum=mu, nesterov=True)
        for gradient in (g1, g2):
            optimizer.apply([tf.constant(gradient)], [weight])
        told = {value for value, feedback in one.mistakes if "Nesterov" in feedback}
        assert not told or told.pop() == pytest.approx(float(weight), abs=1e-5)


def test_adagrad_two_steps() -> None:
    after(
        "adagrad-two-steps",
        "rate",
        "g1 g2",
        lambda rate: keras.optimizers.Adagrad(rate, initial_accumulator_value=0.0, epsilon=1e-12),
    )


def test_rmsprop_step() -> None:
    def begin(optimizer: keras.optimizers.Optimizer, ones: list[Drawn]) -> None:
        (average,) = (one for one in optimizer.variables if "velocity" in one.path)
        average.assign([one.values["v"] for one in ones])

    after(
        "rmsprop-step",
        "rate rho",
        "g",
        lambda rate, rho: keras.optimizers.RMSprop(rate, rho=rho, epsilon=1e-12),
        begin,
    )


def test_adam_first_step() -> None:
    after(
        "adam-first-step",
        "rate",
        "g",
        lambda rate: keras.optimizers.Adam(rate, epsilon=1e-12),
    )


def test_adam_without_correction_is_told_apart() -> None:
    for one in drawn("adam-first-step"):
        w, g, rate = numbers(one, "w g rate")
        expected = w - rate * (0.1 * g) / np.sqrt(0.001 * g * g)
        assert any(value == pytest.approx(expected) for value, _ in one.mistakes)


def test_adam_corrected_mean() -> None:
    def oracle(one: Drawn) -> float:
        beta = float(one.values["beta"])
        return float(np.average(numbers(one, "g1 g2"), weights=[beta, 1]))

    agree("adam-corrected-mean", oracle)
    for one in drawn("adam-corrected-mean"):
        assert one.values["m2"] / one.values["divisor"] == pytest.approx(one.answer)


def test_step_decay_rate() -> None:
    def oracle(one: Drawn) -> float:
        rate, factor, every, epoch = numbers(one, "rate factor every epoch")
        schedule = keras.optimizers.schedules.ExponentialDecay(rate, int(every), factor, staircase=True)
        return float(schedule(int(epoch)))

    agree("step-decay-rate", oracle)


def test_exponential_decay_rate() -> None:
    def oracle(one: Drawn) -> float:
        rate, factor, epoch = numbers(one, "rate factor epoch")
        return float(keras.optimizers.schedules.ExponentialDecay(rate, 1, factor)(int(epoch)))

    agree("exponential-decay-rate", oracle)


def test_time_based_decay_rate() -> None:
    def oracle(one: Drawn) -> float:
        rate, k, epoch = numbers(one, "rate k epoch")
        return float(keras.optimizers.schedules.InverseTimeDecay(rate, 1, k)(int(epoch)))

    agree("time-based-decay-rate", oracle)


def test_warm_up_rate() -> None:
    def oracle(one: Drawn) -> float:
        peak, warm, step = numbers(one, "peak warm step")
        schedule = keras.optimizers.schedules.CosineDecay(
            0.0, decay_steps=10, warmup_target=peak, warmup_steps=int(warm)
        )
        return float(schedule(int(step)))

    agree("warm-up-rate", oracle, 1e-6)


def test_accumulated_gradient() -> None:
    def oracle(one: Drawn) -> float:
        n1, n2, g1, g2 = numbers(one, "n1 n2 g1 g2")
        # samples whose gradients scatter about the two means
        first, second = np.linspace(g1 - 1, g1 + 1, int(n1)), np.linspace(g2 - 2, g2 + 2, int(n2))
        return float(np.concatenate([first, second]).mean())

    agree("accumulated-gradient", oracle)
    assert all(one.values["n1"] != one.values["n2"] for one in drawn("accumulated-gradient"))


def test_clip_by_norm() -> None:
    agree(
        "clip-by-norm",
        lambda one: tf.clip_by_norm(tf.constant(numbers(one, "g0 g1")), float(one.values["limit"]))[0],
    )
    within = [one.answer == one.values["g0"] for one in drawn("clip-by-norm")]
    assert 0.1 < np.mean(within) < 0.5, "gradients on both sides of the limit"
    for one in drawn("clip-by-norm"):
        assert ("within" in str(one.values["verdict"])) == (one.answer == one.values["g0"])


def test_clip_by_global_norm() -> None:
    def oracle(one: Drawn) -> float:
        gradients = [tf.constant(numbers(one, "a0 a1")), tf.constant(numbers(one, "b"))]
        clipped, norm = tf.clip_by_global_norm(gradients, float(one.values["limit"]))
        assert float(norm) == pytest.approx(one.values["norm"])
        return float(clipped[1][0])

    agree("clip-by-global-norm", oracle)


def test_chain_rule_squared_line() -> None:
    def oracle(one: Drawn) -> float:
        x, w, b, t = numbers(one, "x w b t")
        return slope(lambda weight: (weight * x + b - t) ** 2, w)

    agree("chain-rule-squared-line", oracle)


def test_chain_rule_two_paths() -> None:
    def oracle(one: Drawn) -> float:
        x, y = numbers(one, "x y")
        return slope(lambda first: (first * y) * (first + y), x)

    agree("chain-rule-two-paths", oracle)


def test_backprop_sigmoid_neuron() -> None:
    def oracle(one: Drawn) -> float:
        x, a, t = numbers(one, "x a t")
        # the weight, without bias, that gives the activation
        weight = np.log(a / (1 - a)) / x
        return slope(lambda w: (t - tf.sigmoid(w * x)) ** 2 / 2, weight)

    agree("backprop-sigmoid-neuron", oracle)


def test_central_difference_cube() -> None:
    def oracle(one: Drawn) -> float:
        x, h = numbers(one, "x h")
        return ((x + h) ** 3 - (x - h) ** 3) / (2 * h)

    agree("central-difference-cube", oracle)


WORKINGS: dict[str, Callable[[SimpleNamespace], list[tuple[float, float]]]] = {
    "gradient-steps-on-a-bowl": lambda v: [(v.w * v.factor**v.steps, v.answer)],
    "momentum-two-steps": lambda v: [(v.w + v.u1, v.w1), (v.w1 + v.u2, v.answer)],
    "adagrad-two-steps": lambda v: [
        (v.r1**2, v.a1),
        (v.r2**2, v.a2),
        (v.a1 + v.g2**2, v.a2),
        (-v.rate * v.g1 / v.r1, v.s1),
        (v.w + v.s1 + v.s2, v.answer),
    ],
    "rmsprop-step": lambda v: [
        (v.g**2, v.square),
        (v.rho * v.v + v.rest * v.square, v.new_v),
        (v.root**2, v.new_v),
        (v.w - v.rate * v.g / v.root, v.answer),
    ],
    "adam-corrected-mean": lambda v: [((1 - v.beta) * v.g1, v.m1), (1 - v.beta**2, v.divisor)],
    "step-decay-rate": lambda v: [(v.epoch // v.every, v.drops), (v.rate * v.factor**v.drops, v.answer)],
    "time-based-decay-rate": lambda v: [(1 + v.k * v.epoch, v.divisor), (v.rate / v.divisor, v.answer)],
    "accumulated-gradient": lambda v: [(v.n1 + v.n2, v.total)],
    "clip-by-norm": lambda v: [(v.g0**2 + v.g1**2, v.square), (v.norm**2, v.square)],
    "chain-rule-squared-line": lambda v: [(v.w * v.x + v.b - v.t, v.error), (2 * v.error * v.x, v.answer)],
    "chain-rule-two-paths": lambda v: [(v.b * v.y, v.through_a), (v.through_a + v.through_b, v.answer)],
    "backprop-sigmoid-neuron": lambda v: [(v.a - v.t, v.error), (v.error * v.slope * v.x, v.answer)],
    "central-difference-cube": lambda v: [(v.h**2, v.square), (v.exact + v.square, v.answer)],
}


@pytest.mark.parametrize("name", WORKINGS)
def test_what_the_explanation_tells_leads_to_the_answer(name: str) -> None:
    for one in drawn(name):
        for told, expected in WORKINGS[name](SimpleNamespace(**one.values, answer=one.answer)):
            assert told == pytest.approx(expected, abs=1e-4)


def test_an_answer_rounded_as_asked_is_right_and_a_mistake_is_not() -> None:
    items = [item for item in load_bank().select(topics=("losses", "optimization")) if item.draw]
    assert len(items) > 20
    for item in items:
        asked = next((DECIMALS[word] for word in DECIMALS if f"{word} decimal" in item.question), 9)
        digits = ".4g" if "Four significant" in item.question else f".{asked}f"
        for seed in SEEDS:
            question = pose(item, seed)
            assert mark(question, f"{question.answer:{digits}}").score == 1, (item.id, seed)
            for mistake in question.mistakes:
                marked = mark(question, repr(mistake.value))
                assert (marked.score, marked.feedback) == (0, mistake.feedback), (item.id, seed)
