"""Hidden suite of `initialization`. Expected values come from float64 NumPy; no oracle draws random numbers.

Statistical bounds hold for independent draws, each with a false-alarm rate of at most ALARM = 1e-9. No case of a
test uses more than twenty of them, so that each test's rate is at most 1e-7; the whole suite's is below 1e-6.
With e = log(2 / ALARM) and N numbers of mean 0 and variance 1 after scaling, all of them strictly sub-Gaussian
(normal, uniform and truncated normal are, and have a fourth moment of at most 3):

- mean: |mean| <= sqrt(2 e / N), sub-Gaussian tail;
- mean square: at most 1 + 2 sqrt(e / N) + 2 e / N, the tail of chi-square (Laurent and Massart, 2000), whose
  moment generating function is the largest; at least 1 - sqrt(2 m e / N) with m = 3, the tail below of a mean
  of non-negative numbers with E X^2 <= m (Maurer, 2003);
- distribution function: off by at most sqrt(e / 2N) (Dvoretzky, Kiefer and Wolfowitz, with Massart's constant);
- mean product of n disjoint pairs: |mean| <= sqrt(2 e / n) + e / n, since E exp(t X Y) <= (1 - t^2)^(-1/2) <=
  exp(t^2 / 2(1 - t)), which is Bernstein's bound (Boucheron, Lugosi and Massart, 2013, section 2.4);
- largest number: of 58,000, none beyond a share s of the reach has the probability (F(s) - F(-s))^58,000. It is
  e^-29 for uniform numbers and s = 0.9995, e^-26 for truncated ones and s = 0.998.

Through the layers of a network the same bounds hold with N = layers * width: given the layers below, a layer's
units are independent, so the products of their moment generating functions bound the whole. For ReLU, the terms
are X = 2 relu(z)^2 with E X = 1, E X^2 <= 6 and, by symmetry, E exp(t X) <= 1/2 + 1/2 (1 - 4t)^(-1/2). For tanh
they are X = tanh(z)^2 / E tanh(z)^2: as tanh(z)^2 / z^2 falls with z^2, X is spread less than z^2 / E z^2 in
convex order (Jakobsson, 1976), and the bounds of linear units hold.
"""

import json
import math
import tempfile

import keras
import numpy as np
import pytest

ALARM = 1e-9
E = math.log(2 / ALARM)
NUMBERS = 60_000

# Deviation of a standard normal number truncated at two deviations
TRUNCATED = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))

# Arguments other than the defaults
ARGUMENTS = {
    "RandomNormal": {"mean": 0.5, "stddev": 0.25},
    "RandomUniform": {"minval": -0.5, "maxval": 1.5},
    "XavierUniform": {"gain": 1.5, "depthwise": True},
    "XavierNormal": {"gain": 0.5, "depthwise": True},
    "KaimingUniform": {"mode": "fan_out", "negative_slope": 0.25, "depthwise": True},
    "KaimingNormal": {"mode": "fan_out", "negative_slope": 0.5, "depthwise": True},
}
SHAPE = (3, 2, 7, 5)

each_random = pytest.mark.parametrize("name", list(ARGUMENTS))


def draw_seed(rng):
    return int(rng.integers(1, 2**31 - 1))


# The three families: standardized distribution function, how far the numbers reach, and what share is reached


def normal_cdf(z):
    return np.array([(1 + math.erf(number / math.sqrt(2))) / 2 for number in z])


def truncated_cdf(z):
    below = normal_cdf(np.clip(z * TRUNCATED, -2, 2))
    return (below - normal_cdf([-2.0])) / math.erf(math.sqrt(2))


def uniform_cdf(z):
    return np.clip((z / math.sqrt(3) + 1) / 2, 0, 1)


FAMILIES = {
    "normal": (normal_cdf, None, None),
    "truncated": (truncated_cdf, 2 / TRUNCATED, 0.998),
    "uniform": (uniform_cdf, math.sqrt(3), 0.9995),
}


def assert_drawn(values, shape, family, variance, mean=0.0):
    """The values are independent draws from the family with that mean and variance."""
    assert isinstance(values, np.ndarray)
    assert values.shape == tuple(shape)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    drawn = (values.astype("float64").ravel() - mean) / math.sqrt(variance)
    z, number, half = np.sort(drawn), drawn.size, drawn.size // 2
    square = np.mean(z**2)
    assert 1 - math.sqrt(6 * E / number) <= square <= 1 + 2 * math.sqrt(E / number) + 2 * E / number, (
        f"the variance is {square:.3f} times what it should be"
    )
    assert abs(z.mean()) <= math.sqrt(2 * E / number), "the mean is off"
    cdf, reach, share = FAMILIES[family]
    if reach is None:
        # one number in 370 lies beyond three deviations: 60,000 have none of them in one of e^162 draws
        assert max(-z[0], z[-1]) > 3, "the tails are missing"
    else:
        assert share * reach < max(-z[0], z[-1]) <= (1 + 1e-5) * reach, f"reaches to {max(-z[0], z[-1]):.3f}"
    grid = np.linspace(-3, 3, 121)
    distance = np.abs(np.searchsorted(z, grid) / number - cdf(grid)).max()
    assert distance <= math.sqrt(E / (2 * number)), "the shape of the distribution is off"
    # of 60,000 numbers on a grid of 2^23, 215 pairs are equal on average
    assert np.unique(values).size > 0.95 * number, "numbers are repeated"
    neighbours = drawn[: 2 * half].reshape(half, 2).prod(axis=1)
    halves = drawn[:half] * drawn[half : 2 * half]
    for product in (neighbours, halves):
        assert abs(product.mean()) <= math.sqrt(2 * E / half) + E / half, "the numbers depend on each other"


def dense(rng):
    inputs = int(rng.integers(20, 40))
    return (inputs, NUMBERS // inputs)


def convolution(rng):
    channels = int(rng.integers(8, 14))
    return (3, 5, channels, NUMBERS // (15 * channels))


def depthwise(rng):
    channels = int(rng.integers(50, 70))
    return (5, 3, channels, NUMBERS // (15 * channels))


KERNELS = {"dense": dense, "convolution": convolution, "depthwise": depthwise}


def expected_fans(shape, kind):
    """By counting: the entries that meet in one unit, and those that one input number meets."""
    entries = math.prod(shape)
    if kind == "depthwise":
        return entries // (shape[-1] * shape[-2]), entries // shape[-2]
    return entries // shape[-1], entries // shape[-2]


# fans


@pytest.mark.problem("fans", points=3)
@pytest.mark.hint("A dense kernel is (inputs, units). What is the product of no numbers?")
def test_fans_without_window(student, rng):
    """fans counts scalars, vectors and dense kernels as the README's table does."""
    inputs, units, size = (int(number) for number in rng.choice(np.arange(2, 90), 3, replace=False))
    for shape, wanted in {(inputs, units): (inputs, units), (size,): (size, size), (): (1, 1)}.items():
        assert tuple(student.fans(shape)) == wanted
        assert tuple(student.fans(list(shape))) == wanted


@pytest.mark.problem("fans", points=3)
@pytest.mark.hint("How many numbers does one filter add up? The window's sizes need not be equal.")
@pytest.mark.parametrize("window", [1, 2, 3])
def test_fans_of_convolutions(student, rng, window):
    """fans multiplies channels and filters by the size of the window."""
    shape = tuple(int(number) for number in rng.choice(np.arange(2, 12), window + 2, replace=False))
    found = student.fans(shape)
    assert tuple(found) == expected_fans(shape, "convolution")
    assert all(type(number) is int for number in found)


@pytest.mark.problem("fans", points=2)
@pytest.mark.hint("In a depthwise convolution a unit sees one channel.")
def test_fans_of_depthwise_convolutions(student, rng):
    """fans counts one channel in a depthwise kernel, and refuses one without a window."""
    for window in (1, 2):
        shape = tuple(int(number) for number in rng.choice(np.arange(2, 12), window + 2, replace=False))
        assert tuple(student.fans(shape, depthwise=True)) == expected_fans(shape, "depthwise")
    with pytest.raises(ValueError):
        student.fans(shape[:2], depthwise=True)


# Random numbers of a fixed size


@pytest.mark.problem("random", points=5)
@pytest.mark.hint("stddev is a standard deviation, and nothing is cut off.")
def test_random_normal(student, rng):
    """RandomNormal draws normal numbers of the given mean and standard deviation."""
    mean, stddev = float(rng.choice([-1, 1]) * rng.uniform(0.5, 2)), float(rng.uniform(0.2, 0.6))
    values = student.RandomNormal(mean=mean, stddev=stddev, seed=draw_seed(rng))(dense(rng))
    assert_drawn(values, values.shape, "normal", stddev**2, mean)
    shape = convolution(rng)
    assert_drawn(student.RandomNormal(seed=draw_seed(rng))(shape), shape, "normal", 0.05**2)


@pytest.mark.problem("random", points=4)
@pytest.mark.hint("Every number between minval and maxval is equally likely.")
def test_random_uniform(student, rng):
    """RandomUniform draws uniform numbers between its bounds."""
    minval, width = float(rng.choice([-3.5, 1]) + rng.uniform(0, 1)), float(rng.uniform(0.5, 3))
    shape = dense(rng)
    values = student.RandomUniform(minval=minval, maxval=minval + width, seed=draw_seed(rng))(shape)
    assert_drawn(values, shape, "uniform", width**2 / 12, minval + width / 2)
    shape = convolution(rng)
    assert_drawn(student.RandomUniform(seed=draw_seed(rng))(shape), shape, "uniform", 0.1**2 / 12)


@pytest.mark.problem("random", points=3)
@pytest.mark.hint("Which arguments can't be? What is left when the spread is 0?")
def test_random_arguments(student, rng):
    """A negative deviation and bounds in the wrong order are refused, a spread of 0 is not."""
    middle = float(rng.uniform(1, 2))
    with pytest.raises(ValueError):
        student.RandomNormal(stddev=-middle)
    with pytest.raises(ValueError):
        student.RandomUniform(minval=middle, maxval=-middle)
    wanted = np.full((3, 4), middle, "float32")
    np.testing.assert_allclose(student.RandomNormal(mean=middle, stddev=0.0)((3, 4)), wanted, rtol=1e-6)
    np.testing.assert_allclose(student.RandomUniform(middle, middle)((3, 4)), wanted, rtol=1e-6)


# Xavier


def xavier_variance(shape, kind, gain=1.0):
    fan_in, fan_out = expected_fans(shape, kind)
    return 2 * gain**2 / (fan_in + fan_out)


@pytest.mark.problem("xavier", points=5)
@pytest.mark.hint("Numbers that are uniform between -r and r have the variance r^2 / 3.")
@pytest.mark.parametrize("kind", ["dense", "convolution"])
def test_xavier_uniform(student, rng, kind):
    """XavierUniform draws uniform numbers of variance 2 / (fan_in + fan_out)."""
    shape = KERNELS[kind](rng)
    values = student.XavierUniform(seed=draw_seed(rng))(shape)
    assert_drawn(values, shape, "uniform", xavier_variance(shape, kind))


@pytest.mark.problem("xavier", points=5)
@pytest.mark.hint("The README says what truncation does to the deviation, and what makes up for it.")
@pytest.mark.parametrize("kind", ["dense", "convolution"])
def test_xavier_normal(student, rng, kind):
    """XavierNormal draws truncated normal numbers whose variance is 2 / (fan_in + fan_out) after truncation."""
    shape = KERNELS[kind](rng)
    values = student.XavierNormal(seed=draw_seed(rng))(shape)
    assert_drawn(values, shape, "truncated", xavier_variance(shape, kind))


@pytest.mark.problem("xavier", points=2)
@pytest.mark.hint("The gain multiplies the deviation.")
def test_xavier_gain(student, rng):
    """gain multiplies the deviation of both, and must be positive."""
    gain = float(rng.uniform(1.5, 2.5))
    for name, family in {"XavierUniform": "uniform", "XavierNormal": "truncated"}.items():
        shape = dense(rng)
        values = getattr(student, name)(gain=gain, seed=draw_seed(rng))(shape)
        assert_drawn(values, shape, family, xavier_variance(shape, "dense", gain))
        for refused in (0.0, -gain):
            with pytest.raises(ValueError):
                getattr(student, name)(gain=refused)


@pytest.mark.problem("xavier", points=2)
@pytest.mark.hint("Pass depthwise on to fans.")
def test_xavier_depthwise(student, rng):
    """Both reckon with the fans of a depthwise kernel when they are told to."""
    for name, family in {"XavierUniform": "uniform", "XavierNormal": "truncated"}.items():
        shape = depthwise(rng)
        values = getattr(student, name)(depthwise=True, seed=draw_seed(rng))(shape)
        assert_drawn(values, shape, family, xavier_variance(shape, "depthwise"))


# Kaiming


def kaiming_variance(shape, kind, mode="fan_in", slope=0.0):
    fan_in, fan_out = expected_fans(shape, kind)
    return 2 / (1 + slope**2) / {"fan_in": fan_in, "fan_out": fan_out}[mode]


@pytest.mark.problem("kaiming", points=5)
@pytest.mark.hint("The variance is 2 / fan; a uniform number's limit is the root of three variances.")
@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
@pytest.mark.parametrize("kind", ["dense", "convolution"])
def test_kaiming_uniform(student, rng, kind, mode):
    """KaimingUniform draws uniform numbers of variance 2 / fan."""
    shape = KERNELS[kind](rng)
    values = student.KaimingUniform(mode=mode, seed=draw_seed(rng))(shape)
    assert_drawn(values, shape, "uniform", kaiming_variance(shape, kind, mode))


@pytest.mark.problem("kaiming", points=5)
@pytest.mark.hint("The variance is 2 / fan after truncation at two deviations.")
@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
@pytest.mark.parametrize("kind", ["dense", "convolution"])
def test_kaiming_normal(student, rng, kind, mode):
    """KaimingNormal draws truncated normal numbers whose variance is 2 / fan after truncation."""
    shape = KERNELS[kind](rng)
    values = student.KaimingNormal(mode=mode, seed=draw_seed(rng))(shape)
    assert_drawn(values, shape, "truncated", kaiming_variance(shape, kind, mode))


@pytest.mark.problem("kaiming", points=2)
@pytest.mark.hint("A leaky ReLU keeps (1 + slope^2) / 2 of the mean square.")
def test_kaiming_slope(student, rng):
    """The slope of a leaky ReLU makes the weights of both smaller."""
    slope = float(rng.uniform(0.4, 0.9))
    for name, family in {"KaimingUniform": "uniform", "KaimingNormal": "truncated"}.items():
        shape = dense(rng)
        values = getattr(student, name)(negative_slope=slope, seed=draw_seed(rng))(shape)
        assert_drawn(values, shape, family, kaiming_variance(shape, "dense", slope=slope))


@pytest.mark.problem("kaiming", points=2)
@pytest.mark.hint("Pass depthwise on to fans, in both modes.")
def test_kaiming_depthwise(student, rng):
    """Both reckon with the fans of a depthwise kernel when they are told to."""
    for name, family, mode in [
        ("KaimingUniform", "uniform", "fan_out"),
        ("KaimingNormal", "truncated", "fan_in"),
    ]:
        shape = depthwise(rng)
        values = getattr(student, name)(mode=mode, depthwise=True, seed=draw_seed(rng))(shape)
        assert_drawn(values, shape, family, kaiming_variance(shape, "depthwise", mode))


@pytest.mark.problem("kaiming", points=2)
@pytest.mark.hint("Which mode is the default, and which are there?")
def test_kaiming_mode(student, rng):
    """The default mode of both is fan_in, and modes that do not exist are refused."""
    for name, family in {"KaimingUniform": "uniform", "KaimingNormal": "truncated"}.items():
        shape = convolution(rng)
        values = getattr(student, name)(seed=draw_seed(rng))(shape)
        assert_drawn(values, shape, family, kaiming_variance(shape, "convolution"))
        for refused in ("fan_avg", "in", None):
            with pytest.raises(ValueError):
                getattr(student, name)(mode=refused)


# Constants and biases


@pytest.mark.problem("bias", points=2)
@pytest.mark.hint("Every entry, of any shape; without an argument it is zero.")
def test_constant(student, rng):
    """Constant fills any shape with its value, by default with zeros."""
    value = float(rng.normal()) + 3
    for shape in [(4, 3), (5,), ()]:
        found = student.Constant(value)(shape)
        np.testing.assert_array_equal(np.asarray(found), np.full(shape, value, "float32"), strict=True)
        np.testing.assert_array_equal(
            np.asarray(student.Constant()(shape)), np.zeros(shape, "float32"), strict=True
        )


def log_odds(prior):
    return np.array([math.log(p) - math.log1p(-p) for p in np.ravel(prior)])


@pytest.mark.problem("bias", points=2)
@pytest.mark.hint("Compute in 64 bits and cast what comes out: 1 - 1e-9 is 1 in float32.")
def test_prior_for_all_units(student, rng):
    """PriorLogOdds fills any shape with log(p / (1 - p)), for rates close to 0 and to 1 too."""
    for prior in [float(rng.uniform(0.001, 0.05)), float(rng.uniform(0.6, 0.9)), 1e-9, 1 - 1e-9]:
        for shape in [(3,), (2, 4)]:
            found = student.PriorLogOdds(prior)(shape)
            wanted = np.full(shape, log_odds(prior)[0])
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.problem("bias", points=2)
@pytest.mark.hint("Several priors belong to several units, one each.")
def test_prior_for_each_unit(student, rng):
    """PriorLogOdds takes a prior for each unit, and then no other shape."""
    prior = rng.uniform(0.01, 0.4, size=4)
    for given in (prior, prior.tolist(), tuple(prior.tolist())):
        initializer = student.PriorLogOdds(given)
        np.testing.assert_allclose(initializer((4,)), log_odds(prior), rtol=1e-6)
        for refused in [(3,), (5,), (1,), (2, 4)]:
            with pytest.raises(ValueError):
                initializer(refused)


@pytest.mark.problem("bias", points=2)
@pytest.mark.hint("Nothing is impossible, and nothing certain. How does NaN compare?")
def test_prior_must_be_a_probability(student, rng):
    """PriorLogOdds refuses what is not strictly between 0 and 1."""
    good = float(rng.uniform(0.1, 0.4))
    for refused in (0.0, 1.0, -good, 1 + good, math.nan, [good, 1.0], [math.nan, good]):
        with pytest.raises(ValueError):
            student.PriorLogOdds(refused)
    np.testing.assert_allclose(student.PriorLogOdds(good)((1,)), log_odds(good), rtol=1e-6)


@pytest.mark.problem("bias", points=2)
@pytest.mark.hint("With a zero kernel, what is the sigmoid of your bias?")
def test_first_prediction_is_the_base_rate(student, rng):
    """A classifier that starts from Constant and PriorLogOdds predicts the base rate, and its loss is small."""
    x, prior = rng.normal(size=(200, 3)).astype("float32"), float(rng.uniform(0.01, 0.04))
    layer = student.module("keras").layers.Dense(
        1,
        activation="sigmoid",
        kernel_initializer=student.Constant(),
        bias_initializer=student.PriorLogOdds(prior),
    )
    np.testing.assert_allclose(layer(x), np.full((200, 1), prior), rtol=1e-5)


# Well-behaved Keras initializers


@pytest.mark.problem("keras_initializers", points=3)
@pytest.mark.hint("The values come from the seed alone. 0 is a seed.")
@each_random
def test_int_seed(student, rng, name):
    """An int seed gives the same values at every call and in every object, another seed gives others."""
    make, seed = getattr(student, name), draw_seed(rng)
    initializer = make(**ARGUMENTS[name], seed=seed)
    values = initializer(SHAPE)
    assert values.shape == SHAPE
    other = make(**ARGUMENTS[name], seed=seed - 1)(SHAPE)
    assert np.unique(np.concatenate([values.ravel(), other.ravel()])).size > 1.9 * values.size
    student.module("keras").utils.set_random_seed(draw_seed(rng))
    np.testing.assert_array_equal(initializer(SHAPE), values, strict=True)
    np.testing.assert_array_equal(make(**ARGUMENTS[name], seed=seed)(list(SHAPE)), values, strict=True)
    zero = make(**ARGUMENTS[name], seed=0)(SHAPE)
    np.testing.assert_array_equal(make(**ARGUMENTS[name], seed=0)(SHAPE), zero, strict=True)
    assert np.mean(zero == values) < 0.1


@pytest.mark.problem("keras_initializers", points=2)
@pytest.mark.hint("None draws a seed in the constructor; a SeedGenerator moves on at each call.")
@each_random
def test_other_seeds(student, rng, name):
    """None, a SeedGenerator and what is no seed are taken as Keras takes them."""
    make, arguments = getattr(student, name), ARGUMENTS[name]
    generator = student.module("keras").random.SeedGenerator
    unseeded = make(**arguments)
    values = unseeded(SHAPE)
    np.testing.assert_array_equal(unseeded(SHAPE), values, strict=True)
    assert values.shape == SHAPE
    assert np.mean(make(**arguments)(SHAPE) == values) < 0.1
    seed = draw_seed(rng)
    first, second = (make(**arguments, seed=generator(seed)) for _ in range(2))
    series = [first(SHAPE) for _ in range(3)]
    assert np.unique(series).size > 2.9 * values.size
    np.testing.assert_array_equal([second(SHAPE) for _ in range(3)], series, strict=True)
    for refused in (0.5, "1", [1]):
        with pytest.raises(ValueError):
            make(**arguments, seed=refused)


def call_with_floatx(initializer, floatx, *arguments):
    before = keras.config.floatx()
    keras.config.set_floatx(floatx)
    try:
        return initializer(*arguments)
    finally:
        keras.config.set_floatx(before)


@pytest.mark.problem("keras_initializers", points=2)
@pytest.mark.hint("Without a dtype it is keras.config.floatx(), asked when the initializer is called.")
@pytest.mark.parametrize("name", [*ARGUMENTS, "Constant", "PriorLogOdds"])
def test_dtypes_and_odd_shapes(student, rng, name):
    """Values have the dtype that was asked for, and any shape can be."""
    seed = draw_seed(rng)
    initializer = {
        "Constant": lambda: student.Constant(2.5),
        "PriorLogOdds": lambda: student.PriorLogOdds(0.25),
    }.get(name, lambda: getattr(student, name)(seed=seed))()
    values = initializer((3, 4, 5))
    assert values.dtype == np.float32
    assert (values != 0).all()
    for dtype in ("float16", "float32", "float64"):
        found = initializer((3, 4, 5), dtype=dtype)
        assert (found.shape, found.dtype.name) == ((3, 4, 5), dtype)
        assert 0 < np.abs(found.astype("float64")).mean() < 3
    found = student.probe(call_with_floatx, initializer, "float64", (2, 3))
    assert (found.shape, found.dtype.name) == ((2, 3), "float64")
    for shape in [(), (0,), (0, 3), (2, 0), (1, 0, 3)]:
        found = np.asarray(initializer(shape))
        assert (found.shape, found.dtype.name) == (shape, "float32")


def is_initializer(given):
    return isinstance(given, keras.initializers.Initializer)


def assert_same(student, name, config, values, shape):
    again = getattr(student, name).from_config(config)
    assert student.probe(is_initializer, again) is True
    assert again.get_config() == config
    np.testing.assert_array_equal(again(shape), values, strict=True)


@pytest.mark.problem("keras_initializers", points=3)
@pytest.mark.hint("All constructor arguments as they were given, in types that JSON has.")
@pytest.mark.parametrize("name", [*ARGUMENTS, "Constant", "PriorLogOdds"])
def test_config(student, rng, name):
    """get_config holds what the constructor was given, and from_config makes an equal initializer."""
    seed, make = draw_seed(rng), getattr(student, name)
    if name in ARGUMENTS:
        for given in (seed, 0, None):
            initializer = make(**ARGUMENTS[name], seed=given)
            config = initializer.get_config()
            assert json.loads(json.dumps(config)) == {**ARGUMENTS[name], "seed": given}
            if given is not None:
                assert_same(student, name, config, initializer(SHAPE), SHAPE)
        initializer = make(**ARGUMENTS[name], seed=student.module("keras").random.SeedGenerator(seed))
        values = initializer(SHAPE)
        config = json.loads(json.dumps(initializer.get_config()))
        assert config["seed"]["config"]["seed"] == seed
        np.testing.assert_array_equal(make.from_config(config)(SHAPE), values, strict=True)
    elif name == "Constant":
        value = float(rng.uniform(1, 2))
        assert json.loads(json.dumps(make(value).get_config())) == {"value": value}
        assert_same(student, name, make(value).get_config(), np.full(3, value, "float32"), (3,))
    else:
        priors = rng.uniform(0.1, 0.2, size=3)
        for given in (priors, tuple(priors.tolist()), float(priors[0])):
            initializer = make(given)
            config = json.loads(json.dumps(initializer.get_config()))
            assert config == {"prior": given if isinstance(given, float) else list(given)}
            assert_same(student, name, config, initializer((3,)), (3,))


def in_layers(student, seeds):
    """A model of layers that use the initializers: what the weights are, before and after saving."""
    custom = {
        name: getattr(student, name)
        for name in [
            "XavierUniform",
            "KaimingNormal",
            "KaimingUniform",
            "RandomNormal",
            "Constant",
            "PriorLogOdds",
        ]
    }
    kernels = [
        custom["KaimingNormal"](seed=seeds[0]),
        custom["KaimingUniform"](mode="fan_out", depthwise=True, seed=seeds[1]),
        custom["XavierUniform"](gain=1.5, seed=seeds[2]),
        custom["RandomNormal"](stddev=0.2, seed=seeds[3]),
    ]
    model = keras.Sequential(
        [
            keras.Input((6, 5, 3)),
            keras.layers.Conv2D(
                4, (2, 3), kernel_initializer=kernels[0], bias_initializer=custom["Constant"](0.1)
            ),
            keras.layers.DepthwiseConv2D((2, 1), depth_multiplier=2, depthwise_initializer=kernels[1]),
            keras.layers.Flatten(),
            keras.layers.Dense(7, kernel_initializer=kernels[2], dtype="mixed_float16"),
            keras.layers.Dense(
                2, kernel_initializer=kernels[3], bias_initializer=custom["PriorLogOdds"]([0.1, 0.3])
            ),
        ]
    )
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder + "/model.keras")
        loaded = keras.models.load_model(folder + "/model.keras", custom_objects=custom)
    configs = [
        model.layers[0].kernel_initializer.get_config(),
        loaded.layers[0].kernel_initializer.get_config(),
        model.layers[1].depthwise_initializer.get_config(),
        loaded.layers[1].depthwise_initializer.get_config(),
        model.layers[-1].bias_initializer.get_config(),
        loaded.layers[-1].bias_initializer.get_config(),
    ]
    alone = [
        initializer(variable.shape) for initializer, variable in zip(kernels, model.weights[::2], strict=True)
    ]
    return model.get_weights(), loaded.get_weights(), alone, configs


@pytest.mark.problem("keras_initializers", points=2)
@pytest.mark.hint(
    "A layer calls initializer(shape, dtype=...); a saved model keeps the initializer's configuration."
)
def test_in_layers(student, rng):
    """Layers start from the initializers' values, in float32 at mixed precision too, and keep them when saved."""
    seeds = [draw_seed(rng) for _ in range(4)]
    weights, loaded, alone, configs = student.probe(in_layers, student, seeds)
    shapes = [(2, 3, 3, 4), (4,), (2, 1, 4, 2), (8,), (4 * 3 * 8, 7), (7,), (7, 2), (2,)]
    assert [weight.shape for weight in weights] == shapes
    assert all(weight.dtype == np.float32 for weight in weights)
    for kernel, values in zip(weights[::2], alone, strict=True):
        np.testing.assert_array_equal(kernel, values)
        assert np.unique(kernel).size > 0.9 * kernel.size
    np.testing.assert_allclose(weights[1], np.full(4, 0.1), rtol=1e-6)
    np.testing.assert_allclose(weights[-1], log_odds([0.1, 0.3]), rtol=1e-6)
    reach = np.abs(weights[2]).max() / math.sqrt(3 * 2 / (2 * 2))
    assert reach <= 1 + 1e-6
    for before, after in zip(weights, loaded, strict=True):
        np.testing.assert_array_equal(before, after)
    wanted = [
        {"mode": "fan_in", "negative_slope": 0.0, "depthwise": False, "seed": seeds[0]},
        {"mode": "fan_out", "negative_slope": 0.0, "depthwise": True, "seed": seeds[1]},
        {"prior": [0.1, 0.3]},
    ]
    assert configs == [config for config in wanted for _ in range(2)]


# Symmetry


@pytest.mark.problem("symmetry", points=2)
@pytest.mark.hint("The units are the last axis.")
def test_unit_spread(student, rng):
    """unit_spread is the largest difference between two units at one place."""
    for shape in [(6,), (5, 4), (2, 3, 2, 7)]:
        kernel = (rng.normal(size=shape) + 5 * rng.normal(size=(*shape[:-1], 1))).astype("float32")
        rows = kernel.astype("float64").reshape(-1, shape[-1])
        wanted = max(max(row) - min(row) for row in rows)
        np.testing.assert_allclose(float(student.unit_spread(kernel)), wanted, rtol=1e-5)
    equal = np.repeat(rng.normal(size=(4, 1)), 3, axis=1)
    assert float(student.unit_spread(equal)) == 0
    equal[2, 1] += 0.25
    np.testing.assert_allclose(float(student.unit_spread(equal)), 0.25, rtol=1e-5)


def trained(first, second, x, y, steps, rate):
    """Gradient descent by the chain rule, sample by sample and unit by unit, in float64."""
    x, y = x.astype("float64"), y.astype("float64")
    first, second = first.astype("float64"), second.astype("float64")[:, 0]
    bias, offset = np.zeros(len(second)), 0.0
    losses, spreads = [], []
    for _ in range(steps + 1):
        loss, to_offset = 0.0, 0.0
        to_first, to_second, to_bias = np.zeros_like(first), np.zeros_like(second), np.zeros_like(bias)
        for row, target in zip(x, y[:, 0], strict=True):
            hidden = np.tanh(row @ first + bias)
            error = hidden @ second + offset - target
            loss += error**2 / len(x)
            slope = 2 * error / len(x)
            for unit, output in enumerate(hidden):
                below = slope * second[unit] * (1 - output**2)
                to_second[unit] += slope * output
                to_bias[unit] += below
                to_first[:, unit] += below * row
            to_offset += slope
        losses.append(loss)
        spreads.append(max(max(row) - min(row) for row in first))
        first, bias = first - rate * to_first, bias - rate * to_bias
        second, offset = second - rate * to_second, offset - rate * to_offset
    return np.array(losses), np.array(spreads)


def problem_of(rng):
    x = rng.normal(size=(9, 3)).astype("float32")
    y = (np.tanh(x @ rng.normal(size=(3, 1))) + 2 + 0.1 * rng.normal(size=(9, 1))).astype("float32")
    return x, y


def assert_trained(found, kernels, x, y, steps, rate):
    losses, spreads = trained(*kernels, x, y, steps, rate)
    np.testing.assert_allclose(np.asarray(found["loss"], "float64"), losses, rtol=1e-3)
    np.testing.assert_allclose(np.asarray(found["spread"], "float64"), spreads, rtol=1e-3, atol=1e-5)
    return losses, spreads


def assert_training(student, kernels, x, y, units, steps, rate):
    asked = []

    def deal(shape):
        asked.append(tuple(shape))
        return kernels[len(asked) - 1]

    found = student.train_two_layers(deal, x, y, units, steps, rate)
    assert asked == [(3, units), (units, 1)], f"the initializer was asked for {asked}"
    return assert_trained(found, kernels, x, y, steps, rate)


def random_kernels(rng, units):
    return [(0.7 * rng.normal(size=shape)).astype("float32") for shape in [(3, units), (units, 1)]]


@pytest.mark.problem("symmetry", points=4)
@pytest.mark.hint("Work the README's example by hand. All four gradients are taken before anything moves.")
def test_training(student, rng):
    """train_two_layers descends the gradient of the mean squared error, and entry t is taken after t steps."""
    x, y = problem_of(rng)
    units, steps = int(rng.integers(4, 7)), int(rng.integers(5, 9))
    assert_training(student, random_kernels(rng, units), x, y, units, steps, float(rng.uniform(0.05, 0.15)))
    assert_training(student, random_kernels(rng, 2), x, y, 2, 0, 0.1)


@pytest.mark.problem("symmetry", points=2)
@pytest.mark.hint("Which gradients are zero when all kernels are?")
def test_zeros_stay_zeros(student, rng):
    """From zeros only the last bias learns: no spread, and the loss falls to the targets' variance."""
    x, y = problem_of(rng)
    kernels = [np.zeros((3, 5), "float32"), np.zeros((5, 1), "float32")]
    losses, spreads = assert_training(student, kernels, x, y, 5, 12, 0.3)
    assert not spreads.any()
    assert losses[-1] == pytest.approx(np.var(y), rel=1e-3)
    random = random_kernels(rng, 5)
    assert_training(student, random, x, y, 5, 3, 0.1)


@pytest.mark.problem("symmetry", points=2)
@pytest.mark.hint("Equal units receive equal gradients. Do yours?")
@pytest.mark.needs("test_training", "test_constant")
def test_constants_stay_equal(student, rng):
    """From Constant the network learns, and its units stay equal; from RandomNormal they differ."""
    x, y = problem_of(rng)
    value = float(np.float32(rng.uniform(0.2, 0.5)))
    kernels = [np.full((3, 6), value, "float32"), np.full((6, 1), value, "float32")]
    found = student.train_two_layers(student.Constant(value), x, y, 6, 8, 0.05)
    losses, spreads = assert_trained(found, kernels, x, y, 8, 0.05)
    assert losses[-1] < losses[0]
    assert spreads.max() < 1e-9
    found = student.train_two_layers(student.RandomNormal(stddev=0.5, seed=draw_seed(rng)), x, y, 6, 2, 0.05)
    assert np.min(found["spread"]) > 0.05


# Depth


SLOPES = {
    "linear": (lambda z: z, np.ones_like),
    "relu": (lambda z: z * (z > 0), lambda z: 1.0 * (z > 0)),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(np.clip(z, -300, 300)) ** 2),
}


def measured(kernels, activation, x, upstream):
    function, slope = SLOPES[activation]
    h, below = x.astype("float64"), []
    signal, active = [np.square(h).mean()], [(h > 0).mean()]
    for kernel in kernels:
        z = h @ kernel.astype("float64")
        h = function(z)
        below.append(z)
        signal.append(np.square(h).mean())
        active.append((h > 0).mean())
    g = upstream.astype("float64")
    gradient = [np.square(g).mean()]
    for kernel, z in zip(kernels[::-1], below[::-1], strict=True):
        g = np.einsum("nj,ij->ni", g * slope(z), kernel.astype("float64"))
        gradient.insert(0, np.square(g).mean())
    return {"signal": signal, "gradient": gradient, "active": active}


def assert_depth(student, rng, keys, activation, deviation, width, depth, samples=4):
    kernels = [(deviation * rng.normal(size=(width, width))).astype("float32") for _ in range(depth)]
    # a mean other than 0, so that variance and mean square differ
    x = (0.5 + rng.normal(size=(samples, width))).astype("float32")
    x[1:2] = 0  # where every unit stands on the kink of ReLU
    upstream = (1 + rng.normal(size=(samples, width))).astype("float32")
    asked = []

    def deal(shape):
        asked.append(tuple(shape))
        return kernels[len(asked) - 1]

    arguments = {} if depth == 50 else {"depth": depth}
    found = student.measure_depth(deal, activation, x, upstream, **arguments)
    assert asked == [(width, width)] * depth
    wanted = measured(kernels, activation, x, upstream)
    for key in keys:
        values = np.asarray(found[key], "float64")
        np.testing.assert_allclose(values, np.array(wanted[key]), rtol=1e-5)
    return wanted


@pytest.mark.problem("depth", points=4)
@pytest.mark.hint(
    "The mean of squares, over all samples and units, of each layer's output; entry 0 is the input."
)
@pytest.mark.parametrize("activation", ["linear", "tanh", "relu"])
def test_signal(student, rng, activation):
    """measure_depth follows the signal's mean square, and the share of active units, through every layer."""
    width = int(rng.integers(9, 14))
    assert_depth(student, rng, ["signal", "active"], activation, 1.3 / math.sqrt(width), width, depth=7)
    assert_depth(
        student, rng, ["signal", "active"], activation, 0.9 / math.sqrt(width), width, depth=1, samples=1
    )
    if activation == "relu":
        with pytest.raises(ValueError):
            student.measure_depth(
                np.zeros, "step", np.ones((2, 3), "float32"), np.ones((2, 3), "float32"), depth=2
            )


@pytest.mark.problem("depth", points=4)
@pytest.mark.hint(
    "Back through a layer: the activation's slope first, then the kernel transposed. What is it at 0?"
)
@pytest.mark.parametrize("activation", ["linear", "tanh", "relu"])
def test_gradient(student, rng, activation):
    """measure_depth follows the gradient's mean square from the last layer back to the input."""
    width = int(rng.integers(9, 14))
    assert_depth(student, rng, ["gradient"], activation, 1.3 / math.sqrt(width), width, depth=6)
    assert_depth(student, rng, ["gradient"], activation, 0.9 / math.sqrt(width), width, depth=1, samples=1)


@pytest.mark.problem("depth", points=2)
@pytest.mark.hint("float32 ends at 1e38 and at 1e-45.")
@pytest.mark.parametrize(
    ("activation", "deviation"), [("tanh", 0), ("tanh", 0.01), ("relu", 0.01), ("relu", 10), ("linear", 10)]
)
def test_vanishing_and_exploding(student, rng, activation, deviation):
    """Fifty layers of badly scaled weights make signal and gradient vanish or explode, and it is measured."""
    wanted = assert_depth(student, rng, ["signal", "gradient"], activation, deviation, 24, depth=50)
    ratio = wanted["gradient"][0] / wanted["gradient"][-1]
    assert ratio > 1e60 if deviation > 1 else ratio < 1e-60


# Theory


def expectation(function, variance):
    """E function(z)^2 for normal z, by Gauss-Legendre quadrature on many panels."""
    nodes, weights = np.polynomial.legendre.leggauss(12)
    edges = np.linspace(-9, 9, 121)
    centre, half = (edges[1:] + edges[:-1]) / 2, (edges[1] - edges[0]) / 2
    t = (centre[:, None] + half * nodes).ravel()
    density = np.tile(half * weights, len(centre)) * np.exp(-(t**2) / 2) / math.sqrt(2 * math.pi)
    return float(function(math.sqrt(variance) * t) ** 2 @ density)


@pytest.mark.problem("theory", points=3)
@pytest.mark.hint("z has the variance width * weight_variance * q: each layer starts from the one below.")
@pytest.mark.parametrize("activation", ["linear", "relu", "tanh"])
def test_predicted_signal(student, rng, activation):
    """predict_signal gives the mean square that theory expects at each depth."""
    width = int(rng.integers(50, 200))
    function = SLOPES[activation][0]
    steady, small = float(rng.uniform(0.9, 1.1)), float(rng.uniform(0.002, 0.01))
    cases = [(steady, 1.0, 50), (small, float(rng.uniform(2, 4)), 50), (float(rng.uniform(1.5, 2.5)), 0.3, 4)]
    if activation == "tanh":
        cases.append((float(rng.uniform(40, 80)), 1.2, 5))
    for product, first, depth in cases:
        wanted = [first]
        for _ in range(depth):
            wanted.append(expectation(function, product * wanted[-1]))
        options = {} if (first, depth) == (1, 50) else {"depth": depth, "first": first}
        found = student.predict_signal(product / width, width, activation, **options)
        np.testing.assert_allclose(np.asarray(found, "float64"), wanted, rtol=1e-4)
    with pytest.raises(ValueError):
        student.predict_signal(0.01, 100, activation + "s")


WIDTH, DEPTH = 90, 50


def measure(student, rng, name, activation, **arguments):
    """Signal and gradient of one sample through kernels of the student's own."""
    generator = student.module("keras").random.SeedGenerator(draw_seed(rng))
    initializer = getattr(student, name)(**arguments, seed=generator)
    x, upstream = (rng.normal(size=(1, WIDTH)).astype("float32") for _ in range(2))
    found = student.measure_depth(initializer, activation, x, upstream)
    signal, gradient = (np.asarray(found[key], "float64") for key in ["signal", "gradient"])
    assert signal.shape == gradient.shape == (DEPTH + 1,)
    assert (signal > 0).all() and (gradient > 0).all()
    np.testing.assert_allclose([signal[0], gradient[-1]], [np.mean(x**2), np.mean(upstream**2)], rtol=1e-4)
    return signal, gradient


# How far the mean ratio of linear units may lie below and above 1
LINEAR = math.sqrt(6 * E / (WIDTH * DEPTH)), 2 * math.sqrt(E / (WIDTH * DEPTH)) + 2 * E / (WIDTH * DEPTH)


def relu_excess():
    """The largest excess of the mean ratio over 1 for ReLU, by Chernoff's bound on the terms 2 relu(z)^2."""
    t = np.linspace(1e-4, 0.2, 2000)
    return float(np.min((np.log(0.5 + 0.5 / np.sqrt(1 - 4 * t)) + E / (WIDTH * DEPTH)) / t) - 1)


@pytest.mark.problem("theory", points=3)
@pytest.mark.hint(
    "A layer's ratio is fan_in * variance, halved by ReLU. Are the fifty kernels different ones?"
)
@pytest.mark.needs("test_signal")
@pytest.mark.parametrize(
    ("name", "activation", "ratio"),
    [("KaimingNormal", "relu", 1.0), ("XavierUniform", "relu", 0.5), ("XavierNormal", "linear", 1.0)],
)
def test_ratio_of_layers(student, rng, name, activation, ratio):
    """ReLU halves the mean square in each layer: Kaiming makes up for that, Xavier suits linear units."""
    signal, gradient = measure(student, rng, name, activation)
    number = WIDTH * DEPTH
    if activation == "relu":
        below, above = math.sqrt(12 * E / number), relu_excess()
    else:
        below, above = LINEAR
        assert 1 - below <= np.mean(gradient[:-1] / gradient[1:]) / ratio <= 1 + above
    assert 1 - below <= np.mean(signal[1:] / signal[:-1]) / ratio <= 1 + above


@pytest.mark.problem("theory", points=2)
@pytest.mark.hint("Print signal[::10] for tanh: Xavier's should fall slowly, small random numbers' at once.")
@pytest.mark.needs("test_signal")
def test_tanh_through_depth(student, rng):
    """With tanh, Xavier's signal goes layer by layer as theory says, and that of small random numbers vanishes."""
    signal, _ = measure(student, rng, "XavierUniform", "tanh")
    wanted = [expectation(np.tanh, before) for before in signal[:-1]]
    below, above = LINEAR
    # 0.01 more, for sums of 90 products are not quite normal
    assert 0.99 - below <= np.mean(signal[1:] / wanted) <= 1.01 + above
    signal, gradient = measure(student, rng, "RandomNormal", "tanh", stddev=0.01)
    # Markov: the expectation is at most (90 * 1e-4)^50 < 1e-102 times the input's, and 1e8 times that is rare
    assert signal[-1] < 1e-92 * signal[0]
    assert gradient[0] < 1e-60 * gradient[-1]
