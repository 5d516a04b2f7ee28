"""Hidden suite of `normalization`. Every expected value comes from float64 NumPy.

Where epsilon is not the point, inputs have a standard deviation of about 200, so that a misplaced epsilon
costs the epsilon tests only.
"""

import tempfile

import keras
import numpy as np
import pytest
import tensorflow as tf

CLOSE = {"rtol": 2e-4, "atol": 2e-4}


def draw(rng, *shape):
    """Float32 numbers whose mean and spread differ along every axis."""
    x = rng.normal(size=shape)
    for axis, size in enumerate(shape):
        offsets = rng.normal(size=size) + np.linspace(-1, 1, size)
        x = x + offsets.reshape([size if other == axis else 1 for other in range(len(shape))])
    return (300 + 120 * x).astype("float32")


def draw_affine(rng, *shape):
    """Gamma and beta that differ from channel to channel and from each other."""
    gamma = rng.uniform(0.5, 2, size=shape) * rng.choice([-1, 1], size=shape)
    return gamma.astype("float32"), rng.normal(3, 1, size=shape).astype("float32")


def built(layer, shape, **weights):
    """The layer, built for `shape`, with the given weights."""
    layer.build(shape)
    for name, value in weights.items():
        getattr(layer, name).assign(value)
    return layer


def moments(x, axes):
    x = np.asarray(x, "float64")
    mean = x.mean(axes, keepdims=True)
    return mean, ((x - mean) ** 2).mean(axes, keepdims=True)


def standardized(x, axes, epsilon=1e-3):
    mean, variance = moments(x, axes)
    return (x - mean) / np.sqrt(variance + epsilon)


def batch_axes(x, axis=-1):
    return tuple(other for other in range(x.ndim) if other != axis % x.ndim)


def per_channel(values, x, axis=-1):
    shape = [1] * x.ndim
    shape[axis] = -1
    return np.asarray(values, "float64").reshape(shape)


def batch_normalized(x, gamma, beta, axis=-1, epsilon=1e-3, mean=None, variance=None):
    if mean is None:
        mean, variance = moments(x, batch_axes(x, axis))
    mean, variance = per_channel(np.ravel(mean), x, axis), per_channel(np.ravel(variance), x, axis)
    x_hat = (x - mean) / np.sqrt(variance + epsilon)
    return per_channel(gamma, x, axis) * x_hat + per_channel(beta, x, axis)


def layer_normalized(x, gamma, beta, axes=(-1,), epsilon=1e-3):
    axes = [axis % x.ndim for axis in axes]
    shape = [size if axis in axes else 1 for axis, size in enumerate(x.shape)]
    x_hat = standardized(x, tuple(axes), epsilon)
    return np.asarray(gamma, "float64").reshape(shape) * x_hat + beta.reshape(shape)


def group_normalized(x, gamma, beta, groups, axis=-1, epsilon=1e-3):
    moved = np.moveaxis(np.asarray(x, "float64"), axis, -1)
    x_hat = np.empty_like(moved)
    size = moved.shape[-1] // groups
    for sample in range(len(moved)):
        for start in range(0, moved.shape[-1], size):
            part = moved[sample, ..., start : start + size]
            x_hat[sample, ..., start : start + size] = standardized(part, None, epsilon)
    return np.moveaxis(gamma * x_hat + beta, -1, axis)


def instance_normalized(x, gamma, beta, axis=-1, epsilon=1e-3):
    return group_normalized(x, gamma, beta, x.shape[axis], axis, epsilon)


def numeric_gradient(function, values, step=1e-4):
    """Central differences of a scalar function in float64."""
    values = np.asarray(values, "float64")
    gradient = np.empty_like(values)
    for index in np.ndindex(values.shape):
        shift = np.zeros_like(values)
        shift[index] = step
        gradient[index] = (function(values + shift) - function(values - shift)) / (2 * step)
    return gradient


def gradients(layer, x, upstream, training):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True) if training else layer(x)
        loss = tf.reduce_sum(y * upstream)
    return tape.gradient(loss, [x, layer.gamma.value, layer.beta.value])


def assert_gradients(found, oracle, x, gamma, beta, upstream):
    expected = [
        numeric_gradient(lambda x: (oracle(x, gamma, beta) * upstream).sum(), x),
        numeric_gradient(lambda gamma: (oracle(x, gamma, beta) * upstream).sum(), gamma),
        numeric_gradient(lambda beta: (oracle(x, gamma, beta) * upstream).sum(), beta),
    ]
    for name, got, wanted in zip(["inputs", "gamma", "beta"], found, expected, strict=True):
        assert got is not None, f"no gradient reaches {name}"
        np.testing.assert_allclose(got, wanted, rtol=2e-3, atol=2e-3 * np.abs(wanted).max())


# standardize


@pytest.mark.problem("standardize", points=4)
@pytest.mark.hint("Keep the averaged axes with size 1 (keepdims), so that mean and variance line up with x.")
@pytest.mark.parametrize("axis", [-1, 0, (1, 3), [-3, 2]])
def test_standardize_over_the_given_axes(student, rng, axis):
    """standardize works over any axes, and the others keep their own statistics."""
    x = draw(rng, 4, 5, 3, 6)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    y = student.standardize(x, axis)
    np.testing.assert_allclose(y, standardized(x, axes), **CLOSE)
    assert y.dtype == np.float32


@pytest.mark.problem("standardize", points=3)
@pytest.mark.hint("Epsilon is added to the variance, and the root is taken of the sum.")
def test_standardize_adds_epsilon_under_the_root(student, rng):
    """standardize adds epsilon to the variance, so a constant row becomes zeros."""
    x = rng.normal(size=(3, 8)).astype("float32") * np.float32([[1e-3], [0.3], [1]])
    epsilon = float(rng.uniform(0.2, 0.5))
    given, default = student.standardize(x, 1, epsilon=epsilon), student.standardize(x, 1)
    np.testing.assert_allclose(given, standardized(x, (1,), epsilon), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(default, standardized(x, (1,)), rtol=1e-4, atol=1e-5)
    x[1] = x[1, 0]
    constant = student.standardize(x, 1, epsilon)
    np.testing.assert_allclose(constant, standardized(x, (1,), epsilon), rtol=1e-4, atol=1e-5)


@pytest.mark.problem("standardize", points=3)
@pytest.mark.hint("Subtract the mean before you square: E[x^2] - E[x]^2 loses the digits that matter.")
def test_standardize_far_from_zero(student, rng):
    """standardize keeps its accuracy when the mean is thousands of times the standard deviation."""
    x = (rng.normal(size=(6, 40)) + np.linspace(1000, 4000, 6)[:, None]).astype("float32")
    np.testing.assert_allclose(student.standardize(x, -1), standardized(x, (1,)), rtol=5e-3, atol=5e-3)


# Batch normalization in training


@pytest.mark.problem("batch_norm", points=6)
@pytest.mark.hint("Which axes does a channel's mean run over? How are gamma and beta applied?")
@pytest.mark.parametrize("shape", [(4, 5), (4, 6, 3), (4, 3, 5, 2)])
def test_batch_norm_training_output(student, rng, shape):
    """In training BatchNorm normalizes each channel over the batch and every other axis."""
    x, (gamma, beta) = draw(rng, *shape), draw_affine(rng, shape[-1])
    layer = built(student.BatchNorm(), shape, gamma=gamma, beta=beta)
    np.testing.assert_allclose(layer(x, training=True), batch_normalized(x, gamma, beta), **CLOSE)


@pytest.mark.problem("batch_norm", points=4)
@pytest.mark.hint("Weights of shape (channels,) line up with the last axis only: reshape them for any other.")
@pytest.mark.parametrize("axis", [1, -2])
def test_batch_norm_channel_axis(student, rng, axis):
    """BatchNorm normalizes the channels at `axis`, wherever that is, in training and at inference."""
    x = draw(rng, 4, 3, 5, 2)
    channels = x.shape[axis]
    gamma, beta = draw_affine(rng, channels)
    mean, variance = rng.normal(300, 90, channels), rng.uniform(2e4, 5e4, channels)
    layer = student.BatchNorm(axis=axis)
    built(layer, x.shape, gamma=gamma, beta=beta, moving_mean=mean, moving_variance=variance)
    inference = batch_normalized(x, gamma, beta, axis, mean=mean, variance=variance)
    np.testing.assert_allclose(layer(x, training=False), inference, **CLOSE)
    np.testing.assert_allclose(layer(x, training=True), batch_normalized(x, gamma, beta, axis), **CLOSE)


@pytest.mark.problem("batch_norm", points=3)
@pytest.mark.hint("Epsilon is the constructor's, is added to the variance, and the root is taken of the sum.")
def test_batch_norm_epsilon(student, rng):
    """BatchNorm adds its own epsilon under the root, in training and at inference."""
    x = (draw(rng, 4, 5, 3) / 1000).astype("float32")
    gamma, beta = draw_affine(rng, 3)
    mean, variance = rng.normal(size=3), rng.uniform(0.01, 0.1, 3)
    epsilon = float(rng.uniform(0.1, 0.4))
    layer = student.BatchNorm(epsilon=epsilon)
    built(layer, x.shape, gamma=gamma, beta=beta, moving_mean=mean, moving_variance=variance)
    inference = batch_normalized(x, gamma, beta, -1, epsilon, mean, variance)
    np.testing.assert_allclose(layer(x, training=False), inference, rtol=1e-4, atol=1e-4)
    training = batch_normalized(x, gamma, beta, -1, epsilon)
    np.testing.assert_allclose(layer(x, training=True), training, rtol=1e-4, atol=1e-4)


@pytest.mark.problem("batch_norm", points=3)
@pytest.mark.hint("The README lists the weights: names, order, first values, and which are trained.")
def test_batch_norm_weights(student):
    """BatchNorm has gamma and beta to train, and two moving statistics that no optimizer may touch."""
    layer = built(student.BatchNorm(axis=1), (None, 7, 5))
    assert [weight.name for weight in layer.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert [weight.name for weight in layer.trainable_weights] == ["gamma", "beta"]
    assert [weight.name for weight in layer.non_trainable_weights] == ["moving_mean", "moving_variance"]
    for name, first in {"gamma": 1, "beta": 0, "moving_mean": 0, "moving_variance": 1}.items():
        np.testing.assert_array_equal(getattr(layer, name), np.full(7, first, "float32"), strict=True)


@pytest.mark.problem("batch_norm", points=4)
@pytest.mark.hint("The batch's mean and variance depend on the inputs: the gradient must flow through both.")
@pytest.mark.needs("test_batch_norm_training_output")
def test_batch_norm_gradients(student, rng):
    """Gradients flow through BatchNorm's batch statistics to the inputs, and to gamma and beta."""
    x, (gamma, beta) = draw(rng, 4, 3, 2), draw_affine(rng, 2)
    upstream = rng.normal(size=x.shape).astype("float32")
    layer = built(student.BatchNorm(), x.shape, gamma=gamma, beta=beta)
    found = student.probe(gradients, layer, x, upstream, True)
    assert_gradients(found, batch_normalized, x, gamma, beta, upstream)


# Batch normalization at inference


@pytest.mark.problem("batch_norm_inference", points=5)
@pytest.mark.hint("At inference a sample's output must not depend on the rest of its batch.")
def test_inference_uses_moving_statistics(student, rng):
    """At inference, which is also the default, BatchNorm uses the moving statistics."""
    x, (gamma, beta) = draw(rng, 4, 3, 5), draw_affine(rng, 5)
    mean, variance = rng.normal(300, 90, 5), rng.uniform(2e4, 5e4, 5)
    layer = student.BatchNorm()
    built(layer, x.shape, gamma=gamma, beta=beta, moving_mean=mean, moving_variance=variance)
    expected = batch_normalized(x, gamma, beta, mean=mean, variance=variance)
    np.testing.assert_allclose(layer(x, training=False), expected, **CLOSE)
    np.testing.assert_allclose(layer(x), expected, **CLOSE)
    np.testing.assert_allclose(layer(x[2:3], training=False), expected[2:3], **CLOSE)


@pytest.mark.problem("batch_norm_inference", points=5)
@pytest.mark.hint("moving = momentum * moving + (1 - momentum) * batch, for mean and biased variance.")
def test_training_updates_moving_statistics(student, rng):
    """Each training call moves the moving mean and variance towards the batch's, as momentum says."""
    momentum = float(rng.choice([0.6, 0.7, 0.8]))
    mean, variance = rng.normal(300, 90, 3), rng.uniform(2e4, 5e4, 3)
    layer = student.BatchNorm(momentum=momentum)
    built(layer, (None, 3), moving_mean=mean, moving_variance=variance)
    for _ in range(2):
        x = draw(rng, 4, 3)
        batch_mean, batch_variance = moments(x, (0,))
        mean = momentum * mean + (1 - momentum) * batch_mean[0]
        variance = momentum * variance + (1 - momentum) * batch_variance[0]
        layer(x, training=True)
        np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-4)
        np.testing.assert_allclose(layer.moving_variance, variance, rtol=1e-4)


@pytest.mark.problem("batch_norm_inference", points=3)
@pytest.mark.hint("A training call assigns to the moving statistics, and no other call does.")
def test_inference_leaves_moving_statistics_alone(student, rng):
    """Calls at inference leave the moving statistics as the last training call left them."""
    layer = student.BatchNorm(momentum=0.5)
    layer(draw(rng, 4, 3, 2), training=True)
    mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
    assert mean.shape == variance.shape == (2,)
    assert (mean != 0).all() and (variance != 1).all(), "a training call moved nothing"
    layer(draw(rng, 4, 3, 2), training=False)
    layer(draw(rng, 4, 3, 2))
    np.testing.assert_array_equal(layer.moving_mean, mean)
    np.testing.assert_array_equal(layer.moving_variance, variance)


@pytest.mark.problem("batch_norm_inference", points=4)
@pytest.mark.hint("A frozen BatchNorm runs at inference even when it is called with training=True.")
@pytest.mark.needs("test_inference_uses_moving_statistics")
def test_frozen_layer_is_at_inference(student, rng):
    """With trainable=False a training call uses the moving statistics and leaves them as they are."""
    x = draw(rng, 4, 3)
    mean, variance = rng.normal(300, 90, 3).astype("float32"), rng.uniform(2e4, 5e4, 3).astype("float32")
    layer = built(student.BatchNorm(), x.shape, moving_mean=mean, moving_variance=variance)
    layer.trainable = False
    frozen = batch_normalized(x, np.ones(3), np.zeros(3), mean=mean, variance=variance)
    np.testing.assert_allclose(layer(x, training=True), frozen, **CLOSE)
    np.testing.assert_array_equal(layer.moving_mean, mean)
    np.testing.assert_array_equal(layer.moving_variance, variance)
    layer.trainable = True
    np.testing.assert_allclose(layer(x, training=True), batch_normalized(x, np.ones(3), np.zeros(3)), **CLOSE)


def train(layer, batches, targets, rate):
    model = keras.Sequential([keras.Input(batches[0].shape[1:]), layer])
    model.compile(keras.optimizers.SGD(rate), "mean_squared_error", jit_compile=False)
    for x, target in zip(batches, targets, strict=True):
        model.train_on_batch(x, target)


@pytest.mark.problem("batch_norm_inference", points=3)
@pytest.mark.hint("In a compiled model state changes through `assign`; the optimizer moves gamma and beta.")
def test_training_a_model(student, rng):
    """A compiled model trains gamma and beta by gradient, and moves the statistics as single calls do."""
    rate = 0.3
    batches = [draw(rng, 4, 2, 3) for _ in range(2)]
    targets = [rng.normal(2, 1, size=x.shape).astype("float32") for x in batches]
    layer, single = student.BatchNorm(momentum=0.8), student.BatchNorm(momentum=0.8)
    student.probe(train, layer, batches, targets, rate)
    gamma, beta = np.ones(3), np.zeros(3)
    for x, target in zip(batches, targets, strict=True):
        slope = 2 * (batch_normalized(x, gamma, beta) - target) / x.size
        gamma = gamma - rate * (slope * standardized(x, (0, 1))).sum((0, 1))
        beta = beta - rate * slope.sum((0, 1))
        single(x, training=True)
    np.testing.assert_allclose(layer.gamma, gamma, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(layer.beta, beta, rtol=1e-3, atol=1e-3)
    for moved, wanted, first in [
        (layer.moving_mean, single.moving_mean, 0),
        (layer.moving_variance, single.moving_variance, 1),
    ]:
        assert (np.asarray(moved) != first).all(), "training moved nothing"
        np.testing.assert_allclose(moved, np.asarray(wanted), rtol=1e-4)


# Layer normalization


@pytest.mark.problem("layer_norm", points=4)
@pytest.mark.hint("By default the mean runs over the last axis alone, at every position of every sample.")
@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 6)])
def test_layer_norm_last_axis(student, rng, shape):
    """LayerNorm normalizes the last axis by default."""
    x, (gamma, beta) = draw(rng, *shape), draw_affine(rng, shape[-1])
    layer = built(student.LayerNorm(), shape, gamma=gamma, beta=beta)
    np.testing.assert_allclose(layer(x), layer_normalized(x, gamma, beta), **CLOSE)


@pytest.mark.problem("layer_norm", points=4)
@pytest.mark.hint("Gamma has the sizes of the normalized axes, in the input's order: line it up with them.")
@pytest.mark.parametrize("axis", [1, (-2, -1), [3, 1]])
def test_layer_norm_given_axes(student, rng, axis):
    """LayerNorm normalizes over one axis or several together, in whatever order they are given."""
    x = draw(rng, 4, 3, 5, 2)
    axes = sorted(number % 4 for number in ([axis] if isinstance(axis, int) else axis))
    gamma, beta = draw_affine(rng, *(x.shape[number] for number in axes))
    layer = built(student.LayerNorm(axis=axis), x.shape, gamma=gamma, beta=beta)
    np.testing.assert_allclose(layer(x), layer_normalized(x, gamma, beta, axes), **CLOSE)


@pytest.mark.problem("layer_norm", points=3)
@pytest.mark.hint("No batch, no moving statistics: each sample by itself. A constant row becomes beta.")
def test_layer_norm_one_sample(student, rng):
    """LayerNorm gives one sample alone what it gives it in a batch."""
    x, (gamma, beta) = draw(rng, 3, 6), draw_affine(rng, 6)
    x[1] = rng.integers(1, 9)
    layer = built(student.LayerNorm(), x.shape, gamma=gamma, beta=beta)
    expected = layer_normalized(x, gamma, beta)
    for sample in range(3):
        got = layer(x[sample : sample + 1])
        np.testing.assert_allclose(got, expected[sample : sample + 1], **CLOSE)


@pytest.mark.problem("layer_norm", points=3)
@pytest.mark.hint("A sample's mean and variance depend on the inputs: the gradient must flow through both.")
@pytest.mark.needs("test_layer_norm_last_axis")
def test_layer_norm_gradients(student, rng):
    """Gradients flow through LayerNorm's statistics to the inputs, and to gamma and beta."""
    x, (gamma, beta) = draw(rng, 3, 2, 4), draw_affine(rng, 4)
    upstream = rng.normal(size=x.shape).astype("float32")
    layer = built(student.LayerNorm(), x.shape, gamma=gamma, beta=beta)
    found = student.probe(gradients, layer, x, upstream, False)
    assert_gradients(found, layer_normalized, x, gamma, beta, upstream)


# Instance normalization


@pytest.mark.problem("instance_norm", points=5)
@pytest.mark.hint("Each channel of each sample has a mean of its own, over the remaining axes.")
@pytest.mark.parametrize("shape", [(4, 6, 3), (3, 5, 4, 2)])
def test_instance_norm_output(student, rng, shape):
    """InstanceNorm normalizes each channel of each sample by itself."""
    x, (gamma, beta) = draw(rng, *shape), draw_affine(rng, shape[-1])
    layer = built(student.InstanceNorm(), shape, gamma=gamma, beta=beta)
    np.testing.assert_allclose(layer(x), instance_normalized(x, gamma, beta), **CLOSE)


@pytest.mark.problem("instance_norm", points=3)
@pytest.mark.hint(
    "Leave out the batch and the channel axis, wherever that stands, and average over the rest."
)
@pytest.mark.parametrize("axis", [1, -2])
def test_instance_norm_channel_axis(student, rng, axis):
    """InstanceNorm normalizes the channels at `axis`, wherever that is."""
    x = draw(rng, 2, 3, 5, 4)
    gamma, beta = draw_affine(rng, x.shape[axis])
    layer = built(student.InstanceNorm(axis=axis), x.shape, gamma=gamma, beta=beta)
    np.testing.assert_allclose(layer(x), instance_normalized(x, gamma, beta, axis), **CLOSE)


@pytest.mark.problem("instance_norm", points=2)
@pytest.mark.hint("What is left to average over when the input is (batch, channels)?")
@pytest.mark.needs("test_instance_norm_output")
def test_instance_norm_needs_more_than_channels(student, rng):
    """InstanceNorm refuses an input of (batch, channels), and takes one with a third axis."""
    with pytest.raises(ValueError):
        student.InstanceNorm().build((None, 6))
    with pytest.raises(ValueError):
        student.InstanceNorm()(draw(rng, 4, 6))
    x = draw(rng, 2, 5, 3)
    expected = instance_normalized(x, np.ones(3), np.zeros(3))
    np.testing.assert_allclose(student.InstanceNorm()(x), expected, **CLOSE)


# Group normalization


@pytest.mark.problem("group_norm", points=4)
@pytest.mark.hint("A group is a run of neighbouring channels; gamma and beta belong to single channels.")
@pytest.mark.parametrize(("groups", "shape"), [(2, (4, 3, 5, 6)), (3, (2, 5, 6)), (2, (4, 8))])
def test_group_norm_output(student, rng, groups, shape):
    """GroupNorm normalizes runs of neighbouring channels of each sample together."""
    x, (gamma, beta) = draw(rng, *shape), draw_affine(rng, shape[-1])
    layer = built(student.GroupNorm(groups=groups), shape, gamma=gamma, beta=beta)
    np.testing.assert_allclose(layer(x), group_normalized(x, gamma, beta, groups), **CLOSE)


@pytest.mark.problem("group_norm", points=3)
@pytest.mark.hint("Split the channel axis where it stands, and mind which of its halves is averaged over.")
@pytest.mark.parametrize("axis", [1, -2])
def test_group_norm_channel_axis(student, rng, axis):
    """GroupNorm groups the channels at `axis`, wherever that is."""
    x = draw(rng, 2, 4, 6, 3)
    gamma, beta = draw_affine(rng, x.shape[axis])
    layer = built(student.GroupNorm(groups=2, axis=axis), x.shape, gamma=gamma, beta=beta)
    np.testing.assert_allclose(layer(x), group_normalized(x, gamma, beta, 2, axis), **CLOSE)


@pytest.mark.problem("group_norm", points=3)
@pytest.mark.hint("As many groups as channels is instance normalization; one group takes a whole sample.")
def test_group_norm_extremes(student, rng):
    """GroupNorm with one channel a group is instance normalization; with one group it takes whole samples."""
    x, (gamma, beta) = draw(rng, 3, 2, 5, 4), draw_affine(rng, 4)
    single = built(student.GroupNorm(groups=4), x.shape, gamma=gamma, beta=beta)
    np.testing.assert_allclose(single(x), instance_normalized(x, gamma, beta), **CLOSE)
    whole = built(student.GroupNorm(groups=1), x.shape, gamma=gamma, beta=beta)
    np.testing.assert_allclose(whole(x), gamma * standardized(x, (1, 2, 3)) + beta, **CLOSE)


@pytest.mark.problem("group_norm", points=2)
@pytest.mark.hint("Check groups in the constructor, and against the number of channels in build.")
@pytest.mark.needs("test_group_norm_output")
def test_group_norm_refuses_wrong_groups(student, rng):
    """GroupNorm refuses groups below 1, and channels that do not divide into the groups."""
    for groups in (0, -2):
        with pytest.raises(ValueError):
            student.GroupNorm(groups=groups)
    with pytest.raises(ValueError):
        student.GroupNorm(groups=4).build((None, 3, 6))
    with pytest.raises(ValueError):
        student.GroupNorm()(draw(rng, 2, 3, 6))
    x = draw(rng, 2, 3, 6)
    expected = group_normalized(x, np.ones(6), np.zeros(6), 2)
    np.testing.assert_allclose(student.GroupNorm(groups=2)(x), expected, **CLOSE)


# Well-behaved Keras layers


SETTINGS = {"BatchNorm": {"momentum": 0.7}, "LayerNorm": {}, "InstanceNorm": {}, "GroupNorm": {"groups": 3}}
ARGUMENTS = {"BatchNorm": {"training": True}, "LayerNorm": {}, "InstanceNorm": {}, "GroupNorm": {}}
each_layer = pytest.mark.parametrize("name", list(SETTINGS))


def expected_output(name, x, gamma, beta, axis=-1, epsilon=1e-3, groups=1, **moving):
    """What the layer called `name` makes of `x`; BatchNorm by the batch unless `moving` is given."""
    if name == "BatchNorm":
        return batch_normalized(x, gamma, beta, axis, epsilon, **moving)
    if name == "LayerNorm":
        return layer_normalized(x, gamma, beta, (axis,), epsilon)
    if name == "InstanceNorm":
        return instance_normalized(x, gamma, beta, axis, epsilon)
    return group_normalized(x, gamma, beta, groups, axis, epsilon)


def groups_of(name):
    return {"groups": 3} if name == "GroupNorm" else {}


def draw_moving(rng, name, layer, channels):
    """Give a BatchNorm moving statistics and return them; the other layers have none."""
    if name != "BatchNorm":
        return {}
    mean, variance = rng.normal(300, 90, channels), rng.uniform(2e4, 5e4, channels)
    layer.moving_mean.assign(mean)
    layer.moving_variance.assign(variance)
    return {"mean": mean, "variance": variance}


@pytest.mark.problem("keras_layers", points=4)
@pytest.mark.hint("get_config holds every constructor argument, and what the base class has to say.")
@each_layer
def test_config_round_trip(student, rng, name):
    """A layer made from another's configuration has its name and settings, and computes with them."""
    settings = {"axis": 1, "epsilon": float(rng.uniform(0.2, 0.5)), **SETTINGS[name]}
    cls = getattr(student, name)
    config = cls(name="mine", **settings).get_config()
    assert {key: config[key] for key in settings} == settings
    copy = cls.from_config(config)
    assert copy.name == "mine"
    assert copy.get_config() == config
    x, (gamma, beta) = (draw(rng, 4, 6, 3) / 200).astype("float32"), draw_affine(rng, 6)
    built(copy, x.shape, gamma=gamma, beta=beta)
    settings.pop("momentum", None)
    expected = expected_output(name, x, gamma, beta, **settings)
    np.testing.assert_allclose(copy(x, **ARGUMENTS[name]), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.problem("keras_layers", points=1)
@pytest.mark.hint("Gamma (ones) and beta (zeros) have the sizes of the channel axis, or of LayerNorm's axes.")
def test_weights_of_the_other_layers(student):
    """LayerNorm, InstanceNorm and GroupNorm have gamma (ones) and beta (zeros), and nothing else."""
    cases = [
        (student.LayerNorm(), (6,)),
        (student.LayerNorm(axis=[-1, 1]), (5, 6)),
        (student.InstanceNorm(), (6,)),
        (student.InstanceNorm(axis=1), (5,)),
        (student.GroupNorm(groups=2), (6,)),
        (student.GroupNorm(groups=2, axis=-2), (4,)),
    ]
    for layer, expected in cases:
        layer.build((None, 5, 4, 6))
        assert [weight.name for weight in layer.weights] == ["gamma", "beta"]
        assert [weight.name for weight in layer.trainable_weights] == ["gamma", "beta"]
        np.testing.assert_array_equal(layer.gamma, np.ones(expected, "float32"), strict=True)
        np.testing.assert_array_equal(layer.beta, np.zeros(expected, "float32"), strict=True)


def save_and_load(layer, x):
    model = keras.Sequential([keras.Input(x.shape[1:]), layer])
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder + "/model.keras")
        custom = {type(layer).__name__: type(layer)}
        return keras.models.load_model(folder + "/model.keras", custom_objects=custom)(x)


@pytest.mark.problem("keras_layers", points=3)
@pytest.mark.hint("A saved model holds configuration and weights: both must be enough to rebuild the layer.")
@each_layer
def test_save_and_load(student, rng, name):
    """A model computes the same after it was saved and loaded, at inference."""
    x, (gamma, beta) = draw(rng, 4, 6, 5), draw_affine(rng, 6)
    layer = built(getattr(student, name)(axis=1, **groups_of(name)), x.shape, gamma=gamma, beta=beta)
    moving = draw_moving(rng, name, layer, 6)
    expected = expected_output(name, x, gamma, beta, axis=1, **groups_of(name), **moving)
    np.testing.assert_allclose(student.probe(save_and_load, layer, x), expected, **CLOSE)


def traced(layer, x):
    """Run a graph of unknown batch and spatial sizes: what Keras knows of its output, and the output."""
    inputs = keras.Input((None, None, x.shape[-1]))
    output = layer(inputs)
    model = keras.Model(inputs, output)
    graph = tf.function(lambda x: model(x), input_signature=[tf.TensorSpec((None, None, None, x.shape[-1]))])
    return tuple(output.shape), output.dtype, graph(x)


@pytest.mark.problem("keras_layers", points=3)
@pytest.mark.hint("While a model is traced, batch and spatial sizes can be None: ask ops.shape.")
@each_layer
def test_unknown_sizes(student, rng, name):
    """A model built for unknown batch and image sizes keeps its shape and computes what the layer does."""
    x, (gamma, beta) = draw(rng, 3, 2, 5, 6), draw_affine(rng, 6)
    layer = getattr(student, name)(**groups_of(name))
    built(layer, (None, None, None, 6), gamma=gamma, beta=beta)
    moving = draw_moving(rng, name, layer, 6)
    assert tuple(layer.compute_output_shape((None, 7, None, 6))) == (None, 7, None, 6)
    shape, dtype, y = student.probe(traced, layer, x)
    assert shape == (None, None, None, 6)
    assert dtype == "float32"
    expected = expected_output(name, x, gamma, beta, **groups_of(name), **moving)
    np.testing.assert_allclose(y, expected, **CLOSE)


@pytest.mark.problem("keras_layers", points=3)
@pytest.mark.hint("Compute in float32 and cast the result; a weight added with autocast=False stays float32.")
@each_layer
def test_mixed_precision(student, rng, name):
    """With mixed_float16 a layer returns float16 and keeps its statistics and weights in float32."""
    x, (gamma, beta) = (2 * draw(rng, 4, 6, 3)).astype("float16"), draw_affine(rng, 6)
    layer = getattr(student, name)(axis=1, dtype="mixed_float16", **SETTINGS[name])
    built(layer, x.shape, gamma=gamma, beta=beta)
    mean, variance = rng.uniform(300, 900, 6), rng.uniform(1e5, 2e5, 6)
    if name == "BatchNorm":
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)
    y = layer(x, **ARGUMENTS[name])
    expected = expected_output(name, x.astype("float64"), gamma, beta, axis=1, **groups_of(name))
    np.testing.assert_allclose(np.asarray(y, "float64"), expected, rtol=5e-3, atol=1e-2)
    assert y.dtype == np.float16
    if name == "BatchNorm":
        batch_mean, batch_variance = moments(x, (0, 2))
        found_mean, found_variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
        assert found_mean.dtype == found_variance.dtype == np.float32
        np.testing.assert_allclose(found_mean, 0.7 * mean + 0.3 * batch_mean.ravel(), rtol=1e-4)
        np.testing.assert_allclose(found_variance, 0.7 * variance + 0.3 * batch_variance.ravel(), rtol=1e-4)
