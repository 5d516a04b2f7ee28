"""Public tests of `initialization`: the worked examples of the README, and a first look at each problem."""

import math

import numpy as np
import pytest

SHAPE = (3, 3, 16, 64)
XAVIER, KAIMING = 1 / 360, 1 / 72


def check_drawn(values, deviation, reach):
    """9,216 float32 numbers of about that deviation, the largest of them close to the reach and not beyond."""
    assert values.shape == SHAPE
    assert values.dtype == np.float32
    assert abs(np.mean(values)) < 0.1 * deviation
    assert np.std(values) == pytest.approx(deviation, rel=0.06)
    assert 0.95 * reach < np.abs(values).max() < 1.002 * reach


@pytest.mark.problem("fans")
@pytest.mark.hint("The README's example has a window of nine positions.")
def test_worked_fans(student):
    """fans gives the README's numbers for a convolution, for dense and for depthwise kernels."""
    assert tuple(student.fans(SHAPE)) == (144, 576)
    assert tuple(student.fans((20, 7))) == (20, 7)
    assert tuple(student.fans((3, 3, 256, 1), depthwise=True)) == (9, 9)


@pytest.mark.problem("random")
@pytest.mark.hint("Print the mean and the standard deviation of a large kernel.")
def test_random_numbers(student):
    """RandomNormal and RandomUniform have the deviation, and the bounds, that were asked for."""
    values = student.RandomNormal(mean=1.0, stddev=0.2, seed=1)(SHAPE)
    assert values.shape == SHAPE
    assert np.mean(values) == pytest.approx(1, abs=0.02)
    assert np.std(values) == pytest.approx(0.2, rel=0.06)
    check_drawn(student.RandomUniform(minval=-0.3, maxval=0.3, seed=1)(SHAPE), 0.3 / math.sqrt(3), 0.3)


@pytest.mark.problem("xavier")
@pytest.mark.hint("Variance 1/360 in the README's example: what are deviation and limit?")
def test_worked_xavier(student):
    """Xavier's deviation is 0.0527 for the README's kernel, uniform numbers reach to 0.0913."""
    check_drawn(student.XavierUniform(seed=1)(SHAPE), 0.0527, 0.0913)
    deviation = math.sqrt(XAVIER)
    check_drawn(student.XavierNormal(seed=1)(SHAPE), deviation, 2 * deviation / 0.87963)


@pytest.mark.problem("kaiming")
@pytest.mark.hint("Variance 1/72 in the README's example, and the deviation is meant after truncation.")
def test_worked_kaiming(student):
    """Kaiming's deviation is 0.1179 for the README's kernel, uniform numbers reach to 0.2041, truncated to 0.2680."""
    check_drawn(student.KaimingUniform(seed=1)(SHAPE), 0.1179, 0.2041)
    check_drawn(student.KaimingNormal(seed=1)(SHAPE), 0.1179, 0.2680)
    check_drawn(student.KaimingUniform(mode="fan_out", seed=1)(SHAPE), 0.0589, 0.0589 * math.sqrt(3))
    check_drawn(student.KaimingUniform(negative_slope=0.2, seed=1)(SHAPE), 0.1156, 0.1156 * math.sqrt(3))


@pytest.mark.problem("bias")
@pytest.mark.hint("log(1/99) for a prior of one in a hundred.")
def test_worked_bias(student):
    """PriorLogOdds gives the README's -4.5951, Constant its value, and 1.5 is no probability."""
    np.testing.assert_allclose(student.PriorLogOdds(0.01)((3,)), [-4.5951] * 3, rtol=1e-4)
    np.testing.assert_allclose(student.PriorLogOdds([0.01, 0.5])((2,)), [-4.5951, 0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(student.Constant(2.5)((2, 2)), [[2.5, 2.5], [2.5, 2.5]])
    with pytest.raises(ValueError):
        student.PriorLogOdds(1.5)


@pytest.mark.problem("keras_initializers")
@pytest.mark.hint("The README says what an int seed, None and a SeedGenerator do.")
@pytest.mark.parametrize("name", ["RandomNormal", "XavierUniform", "KaimingNormal"])
def test_seeds_and_config(student, name):
    """The same seed gives the same numbers, another seed others, and the configuration makes an equal initializer."""
    make = getattr(student, name)
    values = make(seed=3)((4, 5))
    assert values.shape == (4, 5)
    np.testing.assert_array_equal(make(seed=3)((4, 5)), values)
    assert not np.allclose(make(seed=4)((4, 5)), values)
    np.testing.assert_array_equal(make.from_config(make(seed=3).get_config())((4, 5)), values)
    assert make(seed=3)((4, 5), dtype="float16").dtype == np.float16


@pytest.mark.problem("keras_initializers")
@pytest.mark.hint("A layer calls its initializer with a shape and a dtype.")
def test_in_a_layer(student):
    """A Dense layer starts from the initializers' values."""
    layer = student.module("keras").layers.Dense(
        3, kernel_initializer=student.KaimingUniform(seed=5), bias_initializer=student.PriorLogOdds(0.01)
    )
    layer.build((None, 4))
    np.testing.assert_allclose(np.asarray(layer.kernel), student.KaimingUniform(seed=5)((4, 3)))
    np.testing.assert_allclose(np.asarray(layer.bias), [-4.5951] * 3, rtol=1e-4)


@pytest.mark.problem("symmetry")
@pytest.mark.hint("The README works this example by hand.")
def test_worked_training(student):
    """Two equal units learn as the README's example does, and stay equal."""
    assert float(student.unit_spread(np.float32([[1, 1], [2, 5]]))) == pytest.approx(3)
    one = np.ones((1, 1), "float32")
    found = student.train_two_layers(lambda shape: np.full(shape, 0.5, "float32"), one, one, 2, 2, 0.1)
    np.testing.assert_allclose(found["loss"], [0.2893, 0.0987, 0.0308], rtol=2e-3)
    np.testing.assert_allclose(found["spread"], [0, 0, 0], atol=1e-5)


@pytest.mark.problem("depth")
@pytest.mark.hint("The README works this example by hand.")
def test_worked_depth(student):
    """Two layers with ReLU have the README's signal, gradient and share of active units."""
    kernels = iter([np.float32([[1, -1], [0.5, 1]]), np.float32([[1, -2], [-1, 1]])])
    x, upstream = np.float32([[3, 4]]), np.ones((1, 2), "float32")
    found = student.measure_depth(lambda shape: next(kernels), "relu", x, upstream, depth=2)
    np.testing.assert_allclose(found["signal"], [12.5, 13, 8], rtol=1e-6)
    np.testing.assert_allclose(found["active"], [1, 1, 0.5], rtol=1e-6)
    np.testing.assert_allclose(found["gradient"], [2.125, 1, 1], rtol=1e-6)


@pytest.mark.problem("depth")
@pytest.mark.hint("Fifty factors of 0.01. Which dtype can hold the product?")
def test_small_numbers_vanish(student):
    """Fifty layers of deviation 0.01 and width 100 leave about 1e-100 of the signal, and of the gradient."""
    seed = student.module("keras").random.SeedGenerator(1)
    initializer, ones = student.RandomNormal(stddev=0.01, seed=seed), np.ones((1, 100), "float32")
    found = student.measure_depth(initializer, "tanh", ones, ones)
    assert len(found["signal"]) == len(found["gradient"]) == 51
    assert 1e-106 < found["signal"][-1] < 1e-94
    assert 1e-106 < found["gradient"][0] < 1e-94


@pytest.mark.problem("theory")
@pytest.mark.hint("The README has these numbers.")
def test_worked_theory(student):
    """The theory gives the README's numbers for tanh and for ReLU."""
    tanh = student.predict_signal(0.01, 100, "tanh")
    np.testing.assert_allclose(
        [tanh[1], tanh[2], tanh[3], tanh[50]], [0.3943, 0.2365, 0.1667, 0.0102], rtol=3e-3
    )
    np.testing.assert_allclose(student.predict_signal(0.02, 100, "relu"), np.ones(51), rtol=1e-4)
    np.testing.assert_allclose(student.predict_signal(0.01, 100, "relu", depth=2), [1, 0.5, 0.25], rtol=1e-4)
