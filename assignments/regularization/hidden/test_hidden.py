"""Hidden suite of `regularization`.

Expected values come from float64 NumPy, from loops and from central differences. Where chance is judged, the bounds
hold for every sample size: Hoeffding's for frequencies and means, the Dvoretzky-Kiefer-Wolfowitz bound (Massart, 1990)
for distributions, McDiarmid's for out-of-bag rows. Each comparison raises a false alarm with a probability of at most
ALARM, and a run makes fewer than 200 of them: below 1e-6 in all.
"""

import itertools
import math
import tempfile

import keras
import numpy as np
import pytest
import tensorflow as tf

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
ALARM = 1e-9


def slack(count):
    """How far the mean of `count` independent numbers from 0 to 1 may be from its expectation."""
    return math.sqrt(math.log(2 / ALARM) / (2 * count))


def assert_frequency(hits, probability):
    """`hits` are independent bools, each True with that probability."""
    hits = np.asarray(hits)
    assert hits.dtype == bool
    assert abs(hits.mean() - probability) <= slack(hits.size), "a frequency is not what it should be"


def assert_distribution(values, cdf):
    """`values` are independent draws; `cdf(v)` is the probability of a draw of at most v."""
    values = np.sort(np.ravel(np.asarray(values, "float64")))
    at_most = np.searchsorted(values, values, side="right") / values.size
    assert np.abs(at_most - cdf(values)).max() <= slack(values.size), "not the distribution asked for"


def assert_independent(first, second, probability):
    """Two arrays of bools, True with that probability, that have nothing to do with each other."""
    assert_frequency(np.asarray(first) == np.asarray(second), probability**2 + (1 - probability) ** 2)


def normal_cdf(values):
    return np.array([(1 + math.erf(value / math.sqrt(2))) / 2 for value in values])


def uniform_cdf(low, high):
    return lambda values: np.clip((values - low) / (high - low), 0, 1)


def die_cdf(most):
    """Whole numbers from -most to most, each equally likely."""
    return lambda values: (np.round(values) + most + 1) / (2 * most + 1)


def draw_seed(rng):
    return int(rng.integers(1, 10**6))


def draw(rng, *shape):
    """Float32 numbers of both signs, none of them near 0."""
    return (rng.uniform(0.5, 2, size=shape) * rng.choice([-1, 1], size=shape)).astype("float32")


# Overfitting


def modes_apart(kernels, l2):
    """A model that computes something else in training than at inference, and counts its passes in training."""

    class Modes(keras.layers.Layer):
        def build(self, shape):
            self.passes = self.add_weight(name="passes", initializer="zeros", trainable=False)

        def call(self, inputs, training=False):
            if not training:
                return inputs
            self.passes.assign_add(1)
            return 2 * inputs

    def dense(units, activation, strength):
        penalty = (lambda kernel: strength * keras.ops.sum(kernel**2)) if strength else None
        return keras.layers.Dense(units, activation, use_bias=False, kernel_regularizer=penalty)

    sizes = [kernel.shape[1] for kernel in kernels]
    layers = [dense(sizes[0], "tanh", l2[0]), Modes(), dense(sizes[1], None, l2[1])]
    model = keras.Sequential([keras.Input((kernels[0].shape[0],)), *layers])
    model.set_weights([kernels[0], np.float32(0), kernels[1]])
    return model


def lopsided():
    """A loss that tells truth from prediction."""
    return lambda y_true, y_pred: keras.ops.mean(keras.ops.square(2 * y_true - y_pred))


def by_hand(kernels, x, y, training, l2=(0.0, 0.0)):
    hidden = np.tanh(x @ kernels[0]) * (2 if training else 1)
    loss = ((2 * y - hidden @ kernels[1]) ** 2).mean()
    return loss + sum(strength * (kernel**2).sum() for strength, kernel in zip(l2, kernels, strict=True))


def draw_kernels(rng):
    return [rng.normal(size=(3, 4)).astype("float32"), rng.normal(size=(4, 2)).astype("float32")]


def draw_rows(rng, samples):
    return draw(rng, samples, 3), draw(rng, samples, 2)


def objective_and_gradients(student, model, loss_fn, x, y):
    with tf.GradientTape() as tape:
        value = student.training_objective(model, loss_fn, x, y)
    shape = tuple(value.shape)
    return value, shape, tape.gradient(value, model.trainable_variables), model.get_weights()[1]


@pytest.mark.problem("overfitting", points=5)
@pytest.mark.hint(
    "The layers must know that this is training, and model.losses belongs to what is minimized."
)
@pytest.mark.parametrize("penalized", [False, True])
def test_training_objective(student, rng, penalized):
    """The training objective is the loss in training mode and all penalties, and so are its gradients."""
    kernels, (x, y) = draw_kernels(rng), draw_rows(rng, 5)
    l2 = rng.uniform(0.1, 0.5, 2).tolist() if penalized else [0.0, 0.0]
    model = student.probe(modes_apart, kernels, l2)
    value, shape, gradients, passes = student.probe(
        objective_and_gradients, student, model, student.probe(lopsided), x, y
    )
    assert shape == ()
    exact = [kernel.astype("float64") for kernel in kernels]
    np.testing.assert_allclose(float(value), by_hand(exact, x, y, True, l2), **CLOSE)
    assert float(passes) == 1
    assert len(gradients) == 2
    for kernel, gradient in zip(exact, gradients, strict=True):
        numeric = np.empty_like(kernel)
        for index in np.ndindex(kernel.shape):
            kept = kernel[index]
            kernel[index] = kept + 1e-5
            above = by_hand(exact, x, y, True, l2)
            kernel[index] = kept - 1e-5
            numeric[index] = (above - by_hand(exact, x, y, True, l2)) / 2e-5
            kernel[index] = kept
        np.testing.assert_allclose(gradient, numeric, rtol=1e-3, atol=1e-4)


@pytest.mark.problem("overfitting", points=3)
@pytest.mark.hint("Both losses in the same mode, and without what says nothing about errors.")
def test_generalization_gap(student, rng):
    """The gap compares losses at inference, without penalties, and leaves the model as it is."""
    kernels, train, validation = draw_kernels(rng), draw_rows(rng, 7), draw_rows(rng, 4)
    model = student.probe(modes_apart, kernels, [0.3, 0.2])
    result = student.generalization_gap(model, student.probe(lopsided), train, validation)
    exact = [kernel.astype("float64") for kernel in kernels]
    losses = [by_hand(exact, x, y, False) for x, y in (train, validation)]
    assert sorted(result) == ["gap", "train", "validation"]
    np.testing.assert_allclose(float(result["train"]), losses[0], **CLOSE)
    np.testing.assert_allclose(float(result["validation"]), losses[1], **CLOSE)
    np.testing.assert_allclose(float(result["gap"]), losses[1] - losses[0], rtol=1e-3, atol=1e-4)
    after = model.get_weights()
    np.testing.assert_array_equal(after[0], kernels[0])
    assert float(after[1]) == 0


# Dropout


def masks(layer, x, calls=1):
    """Which numbers survived, call by call."""
    return [np.asarray(layer(x, training=True)) != 0 for _ in range(calls)]


@pytest.mark.problem("dropout", points=3)
@pytest.mark.hint(
    "In inverted dropout nothing is left to do at inference. What is `training` when nobody gives it?"
)
def test_inference_changes_nothing(student, rng):
    """At inference, which is also the default, and with rate 0 Dropout hands its input on."""
    x, rate = draw(rng, 30, 20), float(rng.uniform(0.3, 0.7))
    layer = student.Dropout(rate)
    for _ in range(2):
        np.testing.assert_array_equal(layer(x), x, strict=True)
        np.testing.assert_array_equal(layer(x, training=False), x, strict=True)
        assert masks(layer, x)[0].mean() < 1, "nothing was dropped in training"
    np.testing.assert_array_equal(student.Dropout(0.0)(x, training=True), x, strict=True)


@pytest.mark.problem("dropout", points=3)
@pytest.mark.hint("What is not dropped is divided. By which of the two probabilities?")
@pytest.mark.parametrize("shape", [(60, 9), (7, 5, 4, 6)])
def test_survivors_are_scaled(student, rng, shape):
    """In training a number is 0, or itself divided by 1 - rate."""
    x, rate = draw(rng, *shape), float(rng.choice([rng.uniform(0.25, 0.4), rng.uniform(0.6, 0.75)]))
    layer = student.Dropout(rate)
    kept = np.zeros(shape)
    for _ in range(3):
        y = np.asarray(layer(x, training=True))
        assert y.dtype == np.float32
        np.testing.assert_allclose(y, np.where(y == 0, 0, x.astype("float64") / (1 - rate)), rtol=1e-5)
        kept += y != 0
    assert 0 < kept.mean() < 3


@pytest.mark.problem("dropout", points=3)
@pytest.mark.hint("rate is the probability to drop. Each number has a draw of its own.")
@pytest.mark.parametrize(("low", "high"), [(0.1, 0.3), (0.7, 0.9)])
def test_rate_is_the_probability_to_drop(student, rng, low, high):
    """Numbers are dropped with probability rate, so that each sample loses another number of them."""
    rate = float(rng.uniform(low, high))
    (kept,) = masks(student.Dropout(rate), draw(rng, 2000, 12))
    assert_frequency(kept, 1 - rate)
    # of 12 fair draws at most 38 % come out alike, of fixed numbers all do
    counts = np.bincount(kept.sum(1), minlength=13) / 2000
    assert counts.max() <= max(
        math.comb(12, k) * (1 - rate) ** k * rate ** (12 - k) for k in range(13)
    ) + slack(2000)
    assert (counts > 0).sum() > 2


@pytest.mark.problem("dropout", points=2)
@pytest.mark.hint("Compare the mean over many samples with the input, unit by unit.")
def test_expectation_is_kept(student, rng):
    """On average the output of each unit is its input."""
    row, rate = draw(rng, 5), float(rng.uniform(0.4, 0.6))
    y = student.Dropout(rate)(np.tile(row, (6000, 1)), training=True)
    assert y.shape == (6000, 5)
    bound = np.abs(row) / (1 - rate) * slack(6000)
    assert (np.abs(np.mean(np.asarray(y, "float64"), axis=0) - row) <= bound).all()
    assert (np.asarray(y) != row).all()


@pytest.mark.problem("dropout", points=3)
@pytest.mark.hint(
    "What remembers how far the sequence of random numbers has got? And how large is what is drawn?"
)
def test_masks_have_no_connection(student, rng):
    """Calls, samples and units are dropped independently."""
    x, rate = draw(rng, 200, 60), float(rng.uniform(0.35, 0.65))
    layer = student.Dropout(rate, seed=draw_seed(rng))
    found = masks(layer, x, 3)
    for first, second in itertools.combinations(found, 2):
        assert_independent(first, second, rate)
    assert_independent(found[0][::2], found[0][1::2], rate)
    assert_independent(found[0][:100], found[0][100:], rate)
    assert_independent(found[0][:, ::2], found[0][:, 1::2], rate)
    assert_independent(found[0][:, :30], found[0][:, 30:], rate)


def disturb(seed):
    """Seed NumPy, and draw from Keras' global generator."""
    np.random.seed(seed)
    keras.random.uniform((3,))


@pytest.mark.problem("dropout", points=2)
@pytest.mark.hint("A generator of the layer's own, made once from the seed.")
def test_dropout_repeats_by_seed(student, rng):
    """Layers with one seed have one sequence of masks, whatever else draws; others have others."""
    x, seed = draw(rng, 20, 30), draw_seed(rng)
    settings = [seed, seed, seed + 1, None, None]
    layers = [student.Dropout(0.5, seed=value) for value in settings]
    found = []
    for _ in range(3):
        step = []
        for layer in layers:
            student.probe(disturb, seed)
            step.append(masks(layer, x)[0].tobytes())
        assert step[0] == step[1]
        assert len(set(step)) == 4
        found.append(step[0])
    assert len(set(found)) == 3


def call_in_graph(layer, x, calls):
    traces = []

    def run(inputs):
        traces.append(1)
        return layer(inputs, training=True)

    graph = tf.function(run, input_signature=[tf.TensorSpec((None, *x.shape[1:]))])
    return [graph(x) for _ in range(calls)], len(traces)


@pytest.mark.problem("dropout", points=2)
@pytest.mark.hint(
    "While a graph is traced NumPy runs once. Only what is an operation of the graph runs in every call."
)
def test_dropout_draws_anew_in_a_graph(student, rng):
    """A compiled Dropout has a new mask in every call, the same ones as outside of a graph."""
    x, seed = draw(rng, 50, 40), draw_seed(rng)
    outputs, traces = student.probe(call_in_graph, student.Dropout(0.5, seed=seed), x, 3)
    found = [np.asarray(output) != 0 for output in outputs]
    assert traces == 1
    for first, second in itertools.combinations(found, 2):
        assert_independent(first, second, 0.5)
    for mask, expected in zip(found, masks(student.Dropout(0.5, seed=seed), x, 3), strict=True):
        np.testing.assert_array_equal(mask, expected, strict=True)


@pytest.mark.problem("dropout", points=2)
@pytest.mark.hint("The mask's size is 1 on a shared axis, and the input's where the entry is None.")
@pytest.mark.parametrize("noise_shape", [(None, 1, None), [1, None, None]])
def test_noise_shape_shares_masks(student, rng, noise_shape):
    """A mask is shared along the axes that noise_shape says, and along no other."""
    x, rate = draw(rng, 40, 30, 50), float(rng.uniform(0.4, 0.6))
    y = np.asarray(student.Dropout(rate, noise_shape=noise_shape)(x, training=True))
    np.testing.assert_allclose(y, np.where(y == 0, 0, x.astype("float64") / (1 - rate)), rtol=1e-5)
    axis = list(noise_shape).index(1)
    kept = np.moveaxis(y != 0, axis, 0)
    np.testing.assert_array_equal(kept, np.broadcast_to(kept[:1], kept.shape))
    assert_frequency(kept[0], 1 - rate)
    assert_independent(kept[0][::2], kept[0][1::2], rate)
    assert_independent(kept[0][:, ::2], kept[0][:, 1::2], rate)


def output_and_gradient(layer, x, upstream):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
        value = tf.reduce_sum(y * upstream)
    return y, tape.gradient(value, x)


@pytest.mark.problem("dropout", points=1)
@pytest.mark.hint("The gradient goes through the same mask and the same factor.")
def test_dropout_gradient(student, rng):
    """Gradients pass where a number was kept, multiplied by 1 / (1 - rate)."""
    x, upstream, rate = draw(rng, 20, 6), draw(rng, 20, 6), float(rng.uniform(0.3, 0.7))
    y, gradient = student.probe(output_and_gradient, student.Dropout(rate), x, upstream)
    kept = np.asarray(y) != 0
    assert 0 < kept.mean() < 1
    np.testing.assert_allclose(gradient, np.where(kept, upstream / (1 - rate), 0), rtol=1e-5)


@pytest.mark.problem("dropout", points=1)
@pytest.mark.hint("0 is a rate, 1 is none. There is nothing to train, and a mask of time steps stays valid.")
def test_dropout_refuses_wrong_rates(student, rng):
    """Dropout refuses rates below 0 and from 1 on; it has no weights and hands masks on."""
    for rate in (-0.1, 1.0, 1.5):
        with pytest.raises(ValueError):
            student.Dropout(rate)
    layer = student.Dropout(0.99)
    (kept,) = masks(layer, draw(rng, 60, 60))
    assert_frequency(kept, 0.01)
    assert len(layer.weights) == 0
    assert layer.supports_masking is True


# Penalties


PENALTIES = {"L1": ["strength"], "L2": ["strength"], "ElasticNet": ["l1", "l2"]}
each_penalty = pytest.mark.parametrize("name", list(PENALTIES))


def draw_strengths(rng, name):
    return {key: float(rng.uniform(0.05, 0.9)) for key in PENALTIES[name]}


def penalty_by_hand(name, strengths, weights):
    l1 = strengths.get("l1", strengths.get("strength") if name == "L1" else 0)
    l2 = strengths.get("l2", strengths.get("strength") if name == "L2" else 0)
    return sum(l1 * abs(weight) + l2 * weight * weight for weight in weights.astype("float64").flat)


@pytest.mark.problem("penalties", points=3)
@pytest.mark.hint("Sums, not means, over the whole tensor; absolute values or squares; no half.")
@each_penalty
def test_penalty_values(student, rng, name):
    """A penalty is its strength times the sum of absolute values or of squares."""
    for shape in ((5,), (3, 4), (2, 3, 2, 5)):
        strengths, weights = draw_strengths(rng, name), draw(rng, *shape)
        value = getattr(student, name)(**strengths)(weights)
        assert np.shape(value) == ()
        np.testing.assert_allclose(float(value), penalty_by_hand(name, strengths, weights), **CLOSE)
    weights = draw(rng, 6)
    defaults = dict.fromkeys(PENALTIES[name], 0.01)
    value = getattr(student, name)()(weights)
    np.testing.assert_allclose(float(value), penalty_by_hand(name, defaults, weights), **CLOSE)


def penalty_gradient(penalty, weights):
    weights = tf.Variable(weights)
    with tf.GradientTape() as tape:
        value = penalty(weights)
    return tape.gradient(value, weights)


@pytest.mark.problem("penalties", points=3)
@pytest.mark.hint("The optimizer only sees the penalty's slope: stay with operations that have one.")
@each_penalty
def test_penalty_gradients(student, rng, name):
    """The slope of L1 is strength * sign(w), of L2 2 * strength * w."""
    strengths, weights = draw_strengths(rng, name), draw(rng, 4, 3)
    gradient = student.probe(penalty_gradient, getattr(student, name)(**strengths), weights)
    exact, step = weights.astype("float64"), 1e-5
    numeric = np.empty_like(exact)
    for index in np.ndindex(exact.shape):
        above, below = exact.copy(), exact.copy()
        above[index] += step
        below[index] -= step
        difference = penalty_by_hand(name, strengths, above) - penalty_by_hand(name, strengths, below)
        numeric[index] = difference / (2 * step)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=1e-5)


def saved_with_penalty(penalty, kernel):
    dense = keras.layers.Dense(kernel.shape[1], use_bias=False, kernel_regularizer=penalty)
    model = keras.Sequential([keras.Input(kernel.shape[:1]), dense])
    model.set_weights([kernel])
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder + "/model.keras")
        custom = {type(penalty).__name__: type(penalty)}
        loaded = keras.models.load_model(folder + "/model.keras", custom_objects=custom)
    loaded.set_weights([2 * kernel])
    is_one = isinstance(penalty, keras.regularizers.Regularizer)
    return [float(loss) for loss in model.losses], [float(loss) for loss in loaded.losses], is_one


@pytest.mark.problem("penalties", points=2)
@pytest.mark.hint("A regularizer's configuration is a dict of its constructor's arguments.")
@each_penalty
def test_penalties_of_a_saved_model(student, rng, name):
    """A penalty survives its configuration, works in a layer, and comes back with a saved model."""
    strengths, kernel, cls = draw_strengths(rng, name), draw(rng, 3, 4), getattr(student, name)
    config = cls(**strengths).get_config()
    assert config == strengths
    copy = cls.from_config(config)
    np.testing.assert_allclose(float(copy(kernel)), penalty_by_hand(name, strengths, kernel), **CLOSE)
    before, after, is_one = student.probe(saved_with_penalty, copy, kernel)
    assert is_one is True
    np.testing.assert_allclose(before, [penalty_by_hand(name, strengths, kernel)], **CLOSE)
    np.testing.assert_allclose(after, [penalty_by_hand(name, strengths, 2 * kernel)], **CLOSE)


@pytest.mark.problem("penalties", points=3)
@pytest.mark.hint("Shrink the size and keep the sign. What happens to sizes below the amount?")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_soft_threshold(student, rng, dtype):
    """soft_threshold moves weights towards 0, and to exactly 0 where they are small."""
    amount = float(rng.integers(2, 9)) / 8
    for shape in ((40,), (3, 5, 2)):
        weights = rng.integers(-16, 17, size=shape).astype(dtype) / 8
        weights.flat[:5] = [amount, -amount, 0, amount + 1, -amount - 0.5]
        shrunk = np.asarray(student.soft_threshold(weights, amount))
        expected = [weight - min(max(weight, -amount), amount) for weight in weights.flat]
        np.testing.assert_array_equal(shrunk, np.array(expected, dtype).reshape(shape), strict=True)


@pytest.mark.problem("penalties", points=1)
@pytest.mark.hint("A negative strength would reward large weights: refuse it in the constructor.")
def test_penalties_refuse_negative_strengths(student, rng):
    """The penalties refuse negative strengths, and 0 is none."""
    weights, strength = draw(rng, 4), float(rng.uniform(0.1, 0.5))
    for name, keys in PENALTIES.items():
        cls = getattr(student, name)
        for key in keys:
            with pytest.raises(ValueError):
                cls(**{**dict.fromkeys(keys, strength), key: -strength})
            others = {**dict.fromkeys(keys, strength), key: 0.0}
            value = float(cls(**others)(weights))
            np.testing.assert_allclose(value, penalty_by_hand(name, others, weights), **CLOSE)


# Transformations


def shifted(image, down, right):
    height, width, _ = image.shape
    result = np.zeros_like(image)
    for row, column in itertools.product(range(height), range(width)):
        if 0 <= row - down < height and 0 <= column - right < width:
            result[row, column] = image[row - down, column - right]
    return result


def rotated(image, degrees):
    """Pixel by pixel, by complex numbers: turning by an angle is multiplying by its exponential."""
    height, width, _ = image.shape
    centre = complex((width - 1) / 2, (height - 1) / 2)
    result = np.zeros(image.shape)
    for row, column in itertools.product(range(height), range(width)):
        # rows count downwards, so that this is the way back
        source = centre + (complex(column, row) - centre) * np.exp(1j * np.radians(degrees))
        for i in (math.floor(source.imag), math.floor(source.imag) + 1):
            for j in (math.floor(source.real), math.floor(source.real) + 1):
                if 0 <= i < height and 0 <= j < width:
                    weight = (1 - abs(source.imag - i)) * (1 - abs(source.real - j))
                    result[row, column] += weight * image[i, j]
    return result


@pytest.mark.problem("transformations", points=3)
@pytest.mark.hint("Which axis of (N, H, W, C) runs from left to right? Which images have True?")
def test_flip(student, rng):
    """flip mirrors the images that it is told to, and no others."""
    for mode, axis in (("horizontal", 1), ("vertical", 0)):
        for count, shape in ((5, (2, 4, 3)), (2, (3, 2, 1)), (1, (1, 5, 2)), (3, (4, 4, 1))):
            images = draw(rng, count, *shape)
            flips = rng.permutation([True, False, True, False, True][:count])
            expected = [np.flip(x, axis) if flag else x for x, flag in zip(images, flips, strict=True)]
            np.testing.assert_array_equal(student.flip(images, flips, mode=mode), expected, strict=True)
    np.testing.assert_array_equal(student.flip(images, [True] * count), images[:, :, ::-1], strict=True)
    with pytest.raises(ValueError):
        student.flip(images, flips, "diagonal")


@pytest.mark.problem("transformations", points=4)
@pytest.mark.hint("Which pixel of the old image stands at (row, column) of the new one? And is there one?")
def test_shift(student, rng):
    """shift moves each image by its own offset, down and right, and fills with 0."""
    for count, shape in ((5, (3, 5, 2)), (4, (6, 2, 1)), (1, (1, 4, 3))):
        images = draw(rng, count, *shape)
        offsets = rng.integers(-3, 4, size=(count, 2))
        offsets[0] = (shape[0] // 2, -2)
        expected = [shifted(image, *offset) for image, offset in zip(images, offsets, strict=True)]
        np.testing.assert_array_equal(student.shift(images, offsets), expected, strict=True)
    images = draw(rng, 4, 3, 4, 2)
    offsets = [(0, 0), (2, 0), (0, -7), (-1, 3)]
    expected = [shifted(image, *offset) for image, offset in zip(images, offsets, strict=True)]
    np.testing.assert_array_equal(student.shift(images, np.array(offsets)), expected, strict=True)


@pytest.mark.problem("transformations", points=2)
@pytest.mark.hint("Where is the middle of an even number of pixels? Does the right edge go up?")
def test_rotate_by_quarter_turns(student, rng):
    """Square images turn by multiples of 90 degrees, counter-clockwise, without loss."""
    for size in (4, 5):
        images = draw(rng, 5, size, size, 2)
        turns = rng.permutation([-1, 0, 1, 2, 3])
        expected = [np.rot90(image, turn) for image, turn in zip(images, turns, strict=True)]
        found = student.rotate(images, (90 * turns).astype("float32"))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.problem("transformations", points=3)
@pytest.mark.hint("Four neighbours, each with its own weight, and each of them inside or outside by itself.")
@pytest.mark.parametrize("shape", [(4, 7, 2), (6, 3, 1)])
def test_rotate_between_pixels(student, rng, shape):
    """rotate mixes the four neighbours of where a pixel came from; what is outside counts as 0."""
    images, degrees = 4 * draw(rng, 4, *shape), rng.uniform(-180, 180, 4).astype("float32")
    degrees[1] = rng.uniform(5, 20)
    expected = [rotated(image, float(angle)) for image, angle in zip(images, degrees, strict=True)]
    found = np.asarray(student.rotate(images, degrees))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4)


# Augmentation


RANDOM = {
    "RandomFlip": {"mode": "both"},
    "RandomShift": {"height": 2, "width": 3},
    "RandomRotation": {"degrees": 150.0},
    "RandomNoise": {"stddev": 0.5},
}
each_random = pytest.mark.parametrize("name", list(RANDOM))


def one_of_flips(image, y):
    """Whether y is the image, flipped from left to right, from top to bottom, or both: two bools."""
    for vertical, horizontal in itertools.product((False, True), repeat=2):
        if np.array_equal(y, image[:: -1 if vertical else 1, :: -1 if horizontal else 1]):
            return vertical, horizontal
    raise AssertionError("an output is no flip of its image")


def assert_augmented(name, image, y):
    """Whether `y` can be what the layer of `RANDOM` makes of `image`, a random image of at least 5 x 5 pixels."""
    y = np.asarray(y)
    assert y.shape == image.shape
    if name == "RandomFlip":
        one_of_flips(image, y)
    elif name == "RandomShift":
        offsets = itertools.product(range(-2, 3), range(-3, 4))
        assert any(np.array_equal(y, shifted(image, *offset)) for offset in offsets)
    elif name == "RandomNoise":
        assert 0 < np.abs(y - image).max() < 10 * 0.5
    else:
        assert 0 < np.abs(y).max() < np.abs(image).max() * 1.001


@pytest.mark.problem("augmentation", points=2)
@pytest.mark.hint("At inference nothing happens but the cast. What is `training` when nobody gives it?")
@each_random
def test_augmentation_is_off_at_inference(student, rng, name):
    """The random layers hand images on at inference, as floats, and change them in training."""
    image = rng.integers(0, 256, size=(6, 5, 3)).astype("uint8")
    batch = draw(rng, 40, 5, 6, 2)
    layer = getattr(student, name)(**RANDOM[name])
    for x in (image, batch):
        for arguments in ({}, {"training": False}):
            np.testing.assert_array_equal(layer(x, **arguments), x.astype("float32"), strict=True)
    y = np.asarray(layer(batch, training=True))
    assert y.dtype == np.float32
    assert (y != batch).any()
    for x, augmented in zip(batch, y, strict=True):
        assert_augmented(name, x, augmented)


@pytest.mark.problem("augmentation", points=3)
@pytest.mark.hint(
    "Every image tosses a coin, in both modes together two coins; and never the same one again."
)
@pytest.mark.parametrize("mode", ["horizontal", "vertical", "both"])
def test_random_flip(student, rng, mode):
    """RandomFlip flips half of the images, each by itself, and the two directions independently."""
    images, layer = draw(rng, 600, 2, 3, 1), student.RandomFlip(mode=mode, seed=draw_seed(rng))
    flips = []
    for _ in range(2):
        y = np.asarray(layer(images, training=True))
        assert y.shape == images.shape
        flips.append([one_of_flips(image, output) for image, output in zip(images, y, strict=True)])
    flips = np.array(flips)
    for direction, name in enumerate(("vertical", "horizontal")):
        tossed = flips[..., direction]
        if mode not in (name, "both"):
            assert not tossed.any()
            continue
        assert_frequency(tossed, 0.5)
        assert_independent(tossed[0], tossed[1], 0.5)
        assert_independent(tossed[0, ::2], tossed[0, 1::2], 0.5)
    if mode == "both":
        assert_independent(flips[..., 0], flips[..., 1], 0.5)


@pytest.mark.problem("augmentation", points=2)
@pytest.mark.hint(
    "How many whole numbers are there from -h to h? Are both ends among them? One draw an axis and image."
)
def test_random_shift(student, rng):
    """RandomShift draws whole offsets uniformly, both ends included, for each axis and image by itself."""
    height, width = (int(most) for most in rng.permutation([1, 3]))
    base = np.arange(1, 12 * 12 + 1, dtype="float32").reshape(1, 12, 12, 1)
    layer = student.RandomShift(height=height, width=width, seed=draw_seed(rng))
    offsets = []
    for _ in range(2):
        y = np.asarray(layer(np.repeat(base, 1000, axis=0), training=True))
        assert y.shape == (1000, 12, 12, 1)
        came_from = y[:, 6, 6, 0] - 1
        offsets.append(np.stack([6 - came_from // 12, 6 - came_from % 12], axis=1).astype(int))
        for image, (down, right) in list(zip(y, offsets[-1], strict=True))[:20]:
            np.testing.assert_array_equal(image, shifted(base[0], down, right))
    offsets = np.array(offsets)
    for axis, most in enumerate((height, width)):
        assert_distribution(offsets[..., axis], die_cdf(most))
        assert set(offsets[..., axis].flat) == set(range(-most, most + 1))
        up = offsets[..., axis] > 0
        probability = most / (2 * most + 1)
        assert_independent(up[0], up[1], probability)
        assert_independent(up[0, ::2], up[0, 1::2], probability)
    both = (offsets > 0).all(axis=-1)
    assert_frequency(both, height / (2 * height + 1) * (width / (2 * width + 1)))


@pytest.mark.problem("augmentation", points=2)
@pytest.mark.hint("One angle an image, to either side.")
def test_random_rotation(student, rng):
    """RandomRotation draws each image's angle uniformly between -degrees and degrees."""
    degrees = float(rng.uniform(40, 120))
    rows, columns = np.mgrid[-2:3, -2:3]
    # bilinear interpolation of a plane is exact, so that its slopes tell the angle
    base = np.stack([columns, rows], axis=-1).astype("float32")[None]
    layer = student.RandomRotation(degrees, seed=draw_seed(rng))
    angles = []
    for _ in range(2):
        y = np.asarray(layer(np.repeat(base, 1000, axis=0), training=True), "float64")
        assert y.shape == (1000, 5, 5, 2)
        cosine, sine = (y[:, 2, 3, 0] - y[:, 2, 1, 0]) / 2, (y[:, 2, 3, 1] - y[:, 2, 1, 1]) / 2
        np.testing.assert_allclose(cosine**2 + sine**2, 1, atol=1e-3)
        angles.append(np.degrees(np.arctan2(sine, cosine)))
        for image, angle in list(zip(y, angles[-1], strict=True))[:10]:
            np.testing.assert_allclose(image, rotated(base[0], angle), atol=1e-3)
    angles = np.array(angles)
    assert np.abs(angles).max() <= degrees + 0.1
    assert_distribution(angles, uniform_cdf(-degrees, degrees))
    assert_independent(angles[0] > 0, angles[1] > 0, 0.5)
    assert_independent(angles[0, ::2] > 0, angles[0, 1::2] > 0, 0.5)


@pytest.mark.problem("augmentation", points=1)
@pytest.mark.hint("Gaussian, mean 0, of the given standard deviation, as many draws as there are numbers.")
def test_random_noise(student, rng):
    """RandomNoise adds Gaussian noise, drawn for every number by itself."""
    stddev = float(rng.choice([rng.uniform(0.3, 0.6), rng.uniform(2, 4)]))
    images = 5 * draw(rng, 40, 6, 5, 4)
    layer = student.RandomNoise(stddev, seed=draw_seed(rng))
    noise = [np.asarray(layer(images, training=True), "float64") - images for _ in range(2)]
    assert_distribution([value / stddev for value in noise], normal_cdf)
    up = np.array(noise) > 0
    assert_independent(up[0], up[1], 0.5)
    for first, second in ((0, 1), (1, 2), (2, 3), (3, 0)):
        halves = np.moveaxis(up[0], first, 0), np.moveaxis(up[1], second, 0)
        assert_independent(halves[0][::2][:1], halves[0][1::2][:1], 0.5)
        middle = len(halves[1]) // 2
        assert_independent(halves[1][:middle], halves[1][-middle:], 0.5)


@pytest.mark.problem("augmentation", points=1)
@pytest.mark.hint("A generator of the layer's own, made once from the seed.")
@each_random
def test_augmentation_repeats_by_seed(student, rng, name):
    """Layers with one seed draw one sequence of transformations, whatever else draws; others draw others."""
    x, seed = draw(rng, 60, 5, 6, 1), draw_seed(rng)
    layers = [
        getattr(student, name)(**RANDOM[name], seed=value) for value in (seed, seed, seed + 1, None, None)
    ]
    found = []
    for layer in (*layers, *layers[:2]):
        student.probe(disturb, seed)
        found.append(np.asarray(layer(x, training=True), "float32").tobytes())
    assert found[0] == found[1]
    assert found[5] == found[6]
    assert len(set(found)) == 5


def through_tf_data(layer, images, batch):
    dataset = tf.data.Dataset.from_tensor_slices(images)
    dataset = dataset.batch(batch) if batch else dataset
    return [np.asarray(item) for item in dataset.map(lambda x: layer(x, training=True))]


@pytest.mark.problem("augmentation", points=2)
@pytest.mark.hint("A single image has three axes. In a pipeline only operations of the graph draw anew.")
@each_random
def test_single_images_and_tf_data(student, rng, name):
    """The random layers work on single images, on batches, and in tf.data, and draw anew for each element."""
    images = np.repeat(draw(rng, 1, 5, 6, 2), 48, axis=0)
    layer = getattr(student, name)(**RANDOM[name], seed=draw_seed(rng))
    outputs = [layer(image, training=True) for image in images[:3]]
    for batch, shape in ((None, (48, 5, 6, 2)), (16, (3, 16, 5, 6, 2))):
        elements = np.asarray(student.probe(through_tf_data, layer, images, batch))
        assert elements.shape == shape
        elements = elements.reshape(images.shape)
        # two of four equally likely outcomes stay away with a probability below 1e-13
        assert len({element.tobytes() for element in elements}) > 2
        outputs.extend(elements[:4])
    for output in outputs:
        assert_augmented(name, images[0], output)


@pytest.mark.problem("augmentation", points=1)
@pytest.mark.hint("Check the arguments in the constructors.")
def test_augmentation_refuses_wrong_arguments(student, rng):
    """The random layers refuse what makes no sense, and 0 leaves images alone."""
    wrong = [
        ("RandomFlip", {"mode": "diagonal"}),
        ("RandomShift", {"height": -1, "width": 2}),
        ("RandomShift", {"height": 1, "width": -2}),
        ("RandomRotation", {"degrees": -1.0}),
        ("RandomRotation", {"degrees": 181.0}),
        ("RandomNoise", {"stddev": -0.1}),
    ]
    for name, arguments in wrong:
        with pytest.raises(ValueError):
            getattr(student, name)(**arguments)
    images = draw(rng, 3, 4, 5, 2)
    for layer in (student.RandomShift(0, 0), student.RandomRotation(0.0), student.RandomNoise(0.0)):
        np.testing.assert_allclose(layer(images, training=True), images, atol=1e-5)
    for image, y in zip(images, student.RandomFlip("vertical")(images, training=True), strict=True):
        one_of_flips(image, np.asarray(y))


# Early stopping


def drive(callback, values, monitor):
    """Show a callback the values of a training, with weights that tell the epoch; what it did, and what is left."""

    class Model:
        stop_training = False
        weights = None

        def get_weights(self):
            return [value.copy() for value in self.weights]

        def set_weights(self, weights):
            self.weights = [np.array(value) for value in weights]

    model = Model()
    callback.set_model(model)
    callback.on_train_begin()
    epoch = -1
    for epoch, value in enumerate(values):
        model.weights = [np.full((2, 3), epoch, "float32"), np.full(2, 100 + epoch, "float32")]
        callback.on_epoch_end(epoch, {"other": -value, monitor: value})
        if model.stop_training:
            break
    callback.on_train_end()
    return (
        epoch,
        model.stop_training,
        model.weights,
        callback.best,
        callback.best_epoch,
        callback.stopped_epoch,
    )


def expected_stop(values, mode, min_delta, patience):
    """Last epoch, whether it was stopped, best value, best epoch."""
    best, best_epoch, last = None, None, -1
    for epoch, value in enumerate(values):
        sign = 1 if mode == "max" else -1
        if not math.isnan(value) and (best is None or sign * (value - best) > min_delta):
            best, best_epoch, last = value, epoch, epoch
        elif epoch - last >= patience:
            return epoch, True, best, best_epoch
    return len(values) - 1, False, best, best_epoch


def draw_history(rng, length):
    """Values in eighths, so that ties and exact differences occur."""
    return (rng.integers(0, 17, size=length) / 8).tolist()


def assert_stopped(student, rng, values, mode, min_delta, patience, restored=False):
    callback = student.EarlyStopping(monitor="val_x", mode=mode, min_delta=min_delta, patience=patience)
    found = student.probe(drive, callback, values, "val_x")
    epoch, stopped, best, best_epoch = expected_stop(values, mode, min_delta, patience)
    assert (found[0], found[1]) == (epoch, stopped)
    if restored:
        at = epoch if best_epoch is None else best_epoch
        np.testing.assert_array_equal(found[2][0], np.full((2, 3), at, "float32"))
        np.testing.assert_array_equal(found[2][1], np.full(2, 100 + at, "float32"))
    else:
        assert found[3:] == (best, best_epoch, epoch if stopped else None)


@pytest.mark.problem("early_stopping", points=4)
@pytest.mark.hint("Compare with the best so far, by more than min_delta, and count the epochs since.")
@pytest.mark.parametrize("mode", ["min", "max"])
def test_stops_after_patience(student, rng, mode):
    """Training stops at the patience-th epoch in a row without improvement; ties and small steps are none."""
    for patience, min_delta in ((1, 0.0), (2, 0.25), (3, 0.125), (3, 0.0), (2, 0.0)):
        assert_stopped(student, rng, draw_history(rng, 12), mode, min_delta, patience)
    sign = 1 if mode == "max" else -1
    steady = [sign * value / 8 for value in range(8)]
    assert_stopped(student, rng, steady, mode, 0.0, 1)
    assert_stopped(student, rng, steady, mode, 0.125, 3)
    assert_stopped(student, rng, steady, mode, 0.25, 3)
    assert_stopped(student, rng, [1.0] * 5, mode, 0.0, 3)
    assert_stopped(student, rng, [math.nan, 0.5, math.nan, 0.25, math.nan, 0.75], mode, 0.0, 2)


@pytest.mark.problem("early_stopping", points=3)
@pytest.mark.hint(
    "When does a copy have to be made, and where does it go, also when the epochs just run out?"
)
@pytest.mark.parametrize("mode", ["min", "max"])
def test_best_weights_come_back(student, rng, mode):
    """At the end, however it came, the model has all its weights of the best epoch."""
    for patience, min_delta in ((2, 0.0), (3, 0.25), (20, 0.0)):
        assert_stopped(student, rng, draw_history(rng, 12), mode, min_delta, patience, restored=True)
    hump = [0.25, 0.5, 1.5, 1.0, 0.75]
    values = hump if mode == "max" else [-value for value in hump]
    assert_stopped(student, rng, values, mode, 0.0, 2, restored=True)
    assert_stopped(student, rng, values, mode, 0.0, 9, restored=True)
    assert_stopped(student, rng, [math.nan] * 4, mode, 0.0, 3, restored=True)


@pytest.mark.problem("early_stopping", points=1)
@pytest.mark.hint("on_train_begin is where a training's memory starts.")
def test_early_stopping_starts_afresh(student, rng):
    """A callback that is used again remembers nothing; with its defaults it watches val_loss, one epoch."""
    callback = student.EarlyStopping()
    assert (callback.best, callback.best_epoch, callback.stopped_epoch) == (None, None, None)
    for values in ([0.5, 0.25, 0.75, 0.1], [3.0, 2.0, 2.5, 1.0], [8.0, 7.0]):
        found = student.probe(drive, callback, values, "val_loss")
        epoch, stopped, best, best_epoch = expected_stop(values, "min", 0.0, 1)
        assert (found[0], found[1]) == (epoch, stopped)
        assert found[3:] == (best, best_epoch, epoch if stopped else None)
        np.testing.assert_array_equal(found[2][0], np.full((2, 3), best_epoch, "float32"))


@pytest.mark.problem("early_stopping", points=1)
@pytest.mark.hint("Check the arguments in the constructor, and whether the logs hold what is to be watched.")
def test_early_stopping_refuses(student, rng):
    """EarlyStopping refuses impossible arguments, and logs without its value."""
    for arguments in ({"patience": 0}, {"patience": -1}, {"min_delta": -0.1}, {"mode": "auto"}):
        with pytest.raises(ValueError):
            student.EarlyStopping(**arguments)
    with pytest.raises(ValueError):
        student.probe(drive, student.EarlyStopping(monitor="val_accuracy"), [1.0, 2.0], "val_loss")
    values = draw_history(rng, 9)
    assert_stopped(student, rng, values, "max", 0.0, 2)


def fitted(callback, goal):
    """Fit one weight to `goal`, with a callback that wants the loss to grow; the losses, and the weight at the end."""
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((1,)), dense])
    model.compile(keras.optimizers.SGD(0.05), "mse", run_eagerly=True)
    x = np.ones((2, 1), "float32")
    history = model.fit(x, goal * x, epochs=6, verbose=0, callbacks=[callback])
    return history.history["loss"], model.get_weights()[0]


@pytest.mark.problem("early_stopping", points=1)
@pytest.mark.hint(
    "model.fit calls on_train_begin, on_epoch_end and on_train_end, and looks at model.stop_training."
)
def test_early_stopping_in_fit(student, rng):
    """In model.fit the callback ends the training, and leaves the best weights."""
    goal = float(np.float32(rng.uniform(1, 2)))
    callback = student.EarlyStopping(monitor="loss", mode="max", patience=2)
    losses, weight = student.probe(fitted, callback, goal)
    # each step goes a tenth of the way, so that the loss was largest at the start
    np.testing.assert_allclose(losses, [goal**2 * 0.81**epoch for epoch in range(3)], **CLOSE)
    np.testing.assert_allclose(weight, [[0.1 * goal]], **CLOSE)


# Ensembles


@pytest.mark.problem("ensembles", points=2)
@pytest.mark.hint("The first axis counts the members. What do weights add up to?")
def test_average(student, rng):
    """average is the members' mean, weighted by their shares of the weights' sum."""
    for shape in ((3, 5, 4), (4, 6), (2, 3, 2, 2), (1, 4)):
        predictions = rng.uniform(size=shape)
        weights = rng.uniform(0.5, 3, size=shape[0])
        weights[0] = 0 if shape[0] > 1 else 2
        plain = sum(predictions) / shape[0]
        weighted = sum(weight * member for weight, member in zip(weights, predictions, strict=True)) / sum(
            weights
        )
        np.testing.assert_allclose(student.average(predictions), plain, rtol=1e-5)
        np.testing.assert_allclose(
            student.average(predictions, weights=weights.tolist()), weighted, rtol=1e-5
        )
    for weights in ([1.0, 2.0], [1.0, -0.5, 1.0], [0.0, 0.0, 0.0]):
        with pytest.raises(ValueError):
            student.average(rng.uniform(size=(3, 4)), weights=weights)


@pytest.mark.problem("ensembles", points=1)
@pytest.mark.hint("Count the votes of each column; on a tie the smallest label wins.")
def test_majority_vote(student, rng):
    """majority_vote gives the most frequent label, the smallest on a tie."""
    for members, classes in ((5, 3), (4, 6), (1, 4)):
        labels = rng.integers(0, classes, size=(members, 30))
        labels[:, 0] = classes - 1
        if members == 4:
            labels[:, 1] = [5, 2, 5, 2]
        expected = []
        for column in labels.T:
            votes = [int((column == label).sum()) for label in range(classes)]
            expected.append(votes.index(max(votes)))
        found = np.asarray(student.majority_vote(labels, classes))
        assert found.dtype.kind == "i"
        np.testing.assert_array_equal(found, np.array(expected), strict=False)
        assert found.shape == (30,)


@pytest.mark.problem("ensembles", points=1)
@pytest.mark.hint(
    "Three means of squares: of the mean prediction, of each prediction, and of what lies between them."
)
def test_ambiguity(student, rng):
    """The ensemble's error is the members' mean error less their diversity."""
    for members, rows in ((3, 7), (5, 4)):
        y = rng.normal(size=rows)
        predictions = y + rng.normal(0.5, 1, size=(members, rows))
        result = student.ambiguity(predictions, y)
        mean = [sum(column) / members for column in predictions.T]
        each = [(predictions[m, n], mean[n], y[n]) for m in range(members) for n in range(rows)]
        expected = {
            "ensemble_error": sum((m - t) ** 2 for _, m, t in each) / len(each),
            "mean_error": sum((p - t) ** 2 for p, _, t in each) / len(each),
            "diversity": sum((p - m) ** 2 for p, m, _ in each) / len(each),
        }
        assert sorted(result) == sorted(expected)
        for key, value in expected.items():
            np.testing.assert_allclose(float(result[key]), value, rtol=1e-5)


def seeded_bootstraps(student, seed):
    np.random.seed(3)
    before = student.bootstrap(30, 2, seed)
    state = np.random.randint(10**9)
    np.random.seed(3)
    untouched = np.random.randint(10**9) == state
    return untouched, before, student.bootstrap(30, 2, seed), student.bootstrap(30, 2, seed + 1)


@pytest.mark.problem("ensembles", points=2)
@pytest.mark.hint("With replacement, as many as there are rows; and who was never drawn?")
def test_bootstrap(student, rng):
    """bootstrap draws rows with replacement, another sample for each member, repeatable by its seed."""
    count, seed = 3000, draw_seed(rng)
    pairs = student.bootstrap(count, 3, seed)
    assert len(pairs) == 3
    for in_bag, out_of_bag in pairs:
        assert in_bag.shape == (count,)
        assert in_bag.dtype.kind == out_of_bag.dtype.kind == "i"
        assert_distribution(in_bag, lambda values: (values + 1) / count)
        np.testing.assert_array_equal(out_of_bag, sorted(set(range(count)) - set(in_bag.tolist())))
        # one draw changes the number of rows left out by one at most: McDiarmid's bound is Hoeffding's
        assert abs(len(out_of_bag) / count - (1 - 1 / count) ** count) <= slack(count)
    for (first, _), (second, _) in itertools.combinations(pairs, 2):
        assert_independent(first < count // 2, second < count // 2, 0.5)
        assert set(first.tolist()) != set(second.tolist())
    untouched, one, again, other = student.probe(seeded_bootstraps, student, seed)
    assert untouched is True
    for (left, _), (right, _), (third, _) in zip(one, again, other, strict=True):
        np.testing.assert_array_equal(left, right)
        assert left.tolist() != third.tolist()


def members_and_ensemble(student, kernels, x):
    """The ensemble's outputs, before and after a member's weights change, and in training mode; its weights."""

    class Shout(keras.layers.Layer):
        def call(self, inputs, training=False):
            return 3 * inputs if training else inputs

    models = []
    for number, kernel in enumerate(kernels):
        dense = keras.layers.Dense(kernel.shape[1], use_bias=False)
        layers = [keras.Input(kernel.shape[:1]), dense, Shout()]
        models.append(keras.Sequential(layers, name=f"member_{number}"))
        models[-1].set_weights([kernel])
    joint = student.ensemble(models)
    outputs = [joint(x, training=False), joint(x, training=True)]
    models[0].set_weights([2 * kernels[0]])
    outputs.append(joint(x))
    single = student.ensemble(models[1:2])(x[:2])
    return (
        outputs,
        single,
        len(joint.trainable_weights),
        tuple(joint.output_shape),
        isinstance(joint, keras.Model),
    )


@pytest.mark.problem("ensembles", points=2)
@pytest.mark.hint("One Input, every member called on it, and the mean of what they say.")
def test_ensemble(student, rng):
    """ensemble is one Keras model that holds its members and averages their outputs."""
    kernels, x = [draw(rng, 3, 2) for _ in range(3)], draw(rng, 5, 3)
    outputs, single, weights, shape, is_model = student.probe(members_and_ensemble, student, kernels, x)
    assert is_model is True
    assert shape == (None, 2)
    assert weights == 3
    mean = sum(x.astype("float64") @ kernel for kernel in kernels) / 3
    after = mean + x.astype("float64") @ kernels[0] / 3
    for output, expected in zip(outputs, (mean, 3 * mean, after), strict=True):
        np.testing.assert_allclose(output, expected, **CLOSE)
    np.testing.assert_allclose(single, x[:2].astype("float64") @ kernels[1], **CLOSE)
    with pytest.raises(ValueError):
        student.ensemble([])


# Cross-validation


@pytest.mark.problem("cross_validation", points=2)
@pytest.mark.hint("Part the different groups, not the rows; by a generator of your own, made from the seed.")
@pytest.mark.parametrize("grouped", [False, True])
def test_k_fold(student, rng, grouped):
    """k_fold validates every row once, splits no group, and is even; the seed says who is where."""
    count, folds, seed = 47, int(rng.integers(3, 6)), draw_seed(rng)
    groups = rng.permutation(np.arange(count) % 14 * 3 - 5) if grouped else np.arange(count)
    pairs = student.k_fold(groups, folds, seed)
    assert len(pairs) == folds
    sizes = []
    for training, validation in pairs:
        for rows in (training, validation):
            assert rows.dtype.kind == "i"
            assert (np.diff(rows) > 0).all()
        assert sorted([*training.tolist(), *validation.tolist()]) == list(range(count))
        assert not set(groups[training].tolist()) & set(groups[validation].tolist())
        sizes.append(len(set(groups[validation].tolist())))
    assert sorted(row for _, validation in pairs for row in validation.tolist()) == list(range(count))
    assert max(sizes) - min(sizes) <= 1
    parts = [[validation.tolist() for _, validation in pairs]]
    parts += [
        [rows.tolist() for _, rows in student.k_fold(groups, folds, value)] for value in (seed, seed + 1, 0)
    ]
    assert parts[0] == parts[1]
    # the least number of ways, for 14 groups in three folds, is 14! / (5! 5! 4!), above 250,000
    assert not parts[0] == parts[2] == parts[3]
    most = 14 if grouped else count
    for wrong in (1, 0, most + 1):
        with pytest.raises(ValueError):
            student.k_fold(groups, wrong, seed)
    assert len(student.k_fold(groups, most, seed)) == most


def recorded(student, x, y, pairs, wide):
    log = []

    class Model:
        def __init__(self):
            log.append(["made"])
            self.used = log[-1]

        def fit(self, x, y):
            self.used.extend(["fit", np.array(x), np.array(y)])
            self.base = float(np.sum(np.asarray(x)[:, 0] * y))

        def predict(self, x):
            self.used.extend(["predict", np.array(x)])
            return (self.base + (x if wide else x[:, 0])).astype("float32")

    return np.asarray(student.out_of_fold_predictions(Model, x, y, pairs)), log


@pytest.mark.problem("cross_validation", points=2)
@pytest.mark.hint(
    "A new model a fold, fitted to rows of x and y that belong together; and whose row is a prediction?"
)
@pytest.mark.parametrize("wide", [False, True])
def test_out_of_fold_predictions(student, rng, wide):
    """Each row is predicted by a new model that was fitted to the other rows."""
    x, y = draw(rng, 11, 2), draw(rng, 11)
    parts = np.array_split(rng.permutation(11), 3)
    pairs = [(np.setdiff1d(np.arange(11), part), part) for part in parts]
    found, log = student.probe(recorded, student, x, y, pairs, wide)
    expected = np.empty((11, 2) if wide else 11)
    assert len(log) == 3
    for (training, validation), used in zip(pairs, log, strict=True):
        assert [word for word in used if isinstance(word, str)] == ["made", "fit", "predict"]
        np.testing.assert_array_equal(used[2], x[training])
        np.testing.assert_array_equal(used[3], y[training])
        np.testing.assert_array_equal(used[5], x[validation])
        base = float((x[training, 0].astype("float64") * y[training]).sum())
        expected[validation] = base + (x[validation] if wide else x[validation, 0])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    twice = [*pairs, (pairs[0][0], pairs[0][1][:1])]
    for wrong in (pairs[:2], twice):
        with pytest.raises(ValueError):
            student.probe(recorded, student, x, y, wrong, wide)


@pytest.mark.problem("cross_validation", points=2)
@pytest.mark.hint(
    "The limit is the best mean plus the standard error of that strength; the strongest below it wins."
)
def test_one_standard_error(student, rng):
    """The strongest regularization within one standard error of the best mean is chosen."""
    for folds in (3, 4, 6):
        for within in (0.55, 0.95):
            noise = rng.normal(size=folds)
            noise = (noise - noise.mean()) / noise.std(ddof=1)
            error = 0.5 / math.sqrt(folds)
            strengths = np.sort(rng.uniform(0.001, 10, size=6))
            # a strong one close below the limit, a stronger one close above it, and a weak one that scatters more
            means = 2 + error * np.array([3.0, 0.9, 0.0, 0.3, within, 1.05])
            spread = np.array([4.0, 0.1, 0.5, 0.1, 0.1, 0.1])
            losses = means[:, None] + spread[:, None] * noise
            order = rng.permutation(6)
            chosen = student.one_standard_error(strengths[order], losses[order])
            assert float(chosen) == pytest.approx(strengths[4])
            assert float(student.one_standard_error(strengths[::-1], losses)) == pytest.approx(strengths[4])
    with pytest.raises(ValueError):
        student.one_standard_error(strengths, losses[:, :1])


# Well-behaved Keras layers


LAYERS = {"Dropout": {"rate": 0.4, "noise_shape": (None, None, 1, 1)}, **RANDOM}
each_layer = pytest.mark.parametrize("name", list(LAYERS))


@pytest.mark.problem("keras_layers", points=3)
@pytest.mark.hint("get_config holds every constructor argument, and what the base class has to say.")
@each_layer
def test_config_round_trip(student, rng, name):
    """A layer made from another's configuration has its name and settings, and draws what that draws."""
    settings, cls = {**LAYERS[name], "seed": draw_seed(rng)}, getattr(student, name)
    layer = cls(name="mine", **settings)
    config = layer.get_config()
    found = {key: config[key] for key in settings}
    if name == "Dropout":
        found["noise_shape"] = tuple(found["noise_shape"])
    assert found == settings
    copy = cls.from_config(config)
    assert copy.name == "mine"
    assert copy.get_config() == config
    x = draw(rng, 30, 5, 6, 2)
    y = np.asarray(layer(x, training=True))
    assert (y != x).any()
    np.testing.assert_array_equal(copy(x, training=True), y)


def save_and_load(layer, x):
    model = keras.Sequential([keras.Input((None, None, x.shape[-1])), layer])
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder + "/model.keras")
        custom = {type(layer).__name__: type(layer)}
        loaded = keras.models.load_model(folder + "/model.keras", custom_objects=custom)
    return loaded(x), loaded(x, training=True), loaded.layers[-1].get_config()


@pytest.mark.problem("keras_layers", points=2)
@pytest.mark.hint("A saved model holds a layer's configuration: that must be enough to make the layer again.")
@each_layer
def test_save_and_load(student, rng, name):
    """A model that was saved and loaded has the same layer, off at inference and on in training."""
    x, layer = draw(rng, 30, 5, 6, 2), getattr(student, name)(**LAYERS[name], seed=draw_seed(rng))
    before = layer.get_config()
    at_inference, in_training, config = student.probe(save_and_load, layer, x)
    np.testing.assert_array_equal(at_inference, x)
    assert in_training.shape == x.shape
    assert (in_training != x).any()
    for key in (*LAYERS[name], "seed", "name"):
        assert np.array_equal(config[key], before[key]) or tuple(config[key]) == tuple(before[key])


def traced(layer, x):
    """Run a graph of unknown sizes: what Keras knows of its output, and outputs at inference and in training."""
    inputs = keras.Input((None, None, x.shape[-1]))
    output = layer(inputs)
    model = keras.Model(inputs, output)
    spec = [tf.TensorSpec((None, None, None, x.shape[-1]))]
    graphs = [
        tf.function(lambda x, mode=mode: model(x, training=mode), input_signature=spec)
        for mode in (False, True)
    ]
    return tuple(output.shape), output.dtype, graphs[0](x), graphs[1](x), graphs[1](x)


@pytest.mark.problem("keras_layers", points=2)
@pytest.mark.hint("While a model is traced, batch and image sizes can be None: ask ops.shape.")
@each_layer
def test_unknown_sizes(student, rng, name):
    """A model built for unknown sizes keeps its shape, and computes what the layer does."""
    x = draw(rng, 30, 5, 6, 2)
    settings = {**LAYERS[name], "seed": draw_seed(rng)}
    layer, outside = getattr(student, name)(**settings), getattr(student, name)(**settings)
    assert tuple(layer.compute_output_shape((None, 7, None, 3))) == (None, 7, None, 3)
    shape, dtype, at_inference, first, second = student.probe(traced, layer, x)
    assert shape == (None, None, None, 2)
    assert dtype == "float32"
    np.testing.assert_array_equal(at_inference, x)
    for found in (first, second):
        np.testing.assert_allclose(found, outside(x, training=True), **CLOSE)
        assert (np.asarray(found) != x).any()
    assert (np.asarray(first) != second).any()


@pytest.mark.problem("keras_layers", points=1)
@pytest.mark.hint("What comes out has the layer's compute_dtype.")
@each_layer
def test_mixed_precision(student, rng, name):
    """With mixed_float16 a layer returns float16, the right values rounded."""
    x, seed = (8 * draw(rng, 30, 5, 6, 2)).astype("float16"), draw_seed(rng)
    layer = getattr(student, name)(**LAYERS[name], seed=seed, dtype="mixed_float16")
    np.testing.assert_array_equal(layer(x), x, strict=True)
    y = np.asarray(layer(x, training=True))
    assert y.dtype == np.float16
    assert (y != x).any()
    if name == "Dropout":
        np.testing.assert_allclose(y, np.where(y == 0, 0, x.astype("float64") / 0.6), rtol=3e-3)
        return
    for image, augmented in zip(x, y, strict=True):
        assert_augmented(name, image.astype("float64"), augmented)
