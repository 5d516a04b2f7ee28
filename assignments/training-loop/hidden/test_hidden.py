"""Hidden suite of `training-loop`.

Gradients come from central differences in float64 NumPy, updates from a NumPy loop around them, early stopping and the
loss scale from Keras' own classes, and one whole training from Keras' `fit`; all of it in the trusted process.
"""

import copy
import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow.python.eager.context as eager

CLOSE = {"rtol": 1e-4, "atol": 2e-5}
MOMENTUM = 0.8
EPSILON = 1e-3


# A small network, in Keras and by hand


def build(sizes, l2, batch_norm, weights, dtype):
    """Dense, tanh, perhaps BatchNormalization, Dense; runs beside the student's code, and as an oracle here."""
    penalty = keras.regularizers.L2(l2) if l2 else None
    hidden = keras.layers.Dense(sizes[1], activation="tanh", kernel_regularizer=penalty, dtype=dtype)
    norm = [keras.layers.BatchNormalization(momentum=0.8, epsilon=1e-3, dtype=dtype)] if batch_norm else []
    output = keras.layers.Dense(sizes[2], kernel_regularizer=penalty, dtype=dtype)
    model = keras.Sequential([keras.Input((sizes[0],)), hidden, *norm, output])
    model.set_weights(weights)
    return model


class Network:
    """The same network with its weights in float64, its loss, and gradients by central differences."""

    def __init__(self, rng, sizes=(3, 4, 2), l2=0.0, batch_norm=False):
        inputs, hidden, outputs = sizes
        self.sizes, self.l2, self.batch_norm = sizes, l2, batch_norm
        kernels = [rng.normal(size=(inputs, hidden)) * 0.7, rng.normal(size=(hidden, outputs)) * 0.7]
        biases = [rng.normal(size=hidden) * 0.3, rng.normal(size=outputs) * 0.3]
        scale = [rng.uniform(0.5, 1.5, hidden), rng.normal(size=hidden)] if batch_norm else []
        moving = [rng.normal(size=hidden) * 0.3, rng.uniform(0.5, 1.5, hidden)] if batch_norm else []
        trained = [kernels[0], biases[0], *scale, kernels[1], biases[1]]
        self.trained = [value.astype("float32").astype("float64") for value in trained]
        self.moving = [value.astype("float32").astype("float64") for value in moving]
        self.velocity = [np.zeros_like(value) for value in self.trained]

    @property
    def weights(self):
        """In the order of `model.get_weights()`."""
        cut = 4 if self.batch_norm else 2
        return [*self.trained[:cut], *self.moving, *self.trained[cut:]]

    def model(self, student, dtype="float32"):
        weights = [value.astype("float32") for value in self.weights]
        return student.probe(build, self.sizes, self.l2, self.batch_norm, weights, dtype)

    def activations(self, x, trained=None):
        kernel, bias = (self.trained if trained is None else trained)[:2]
        return np.tanh(np.asarray(x, "float64") @ kernel + bias)

    def predict(self, x, training=True, trained=None):
        trained = self.trained if trained is None else trained
        hidden = self.activations(x, trained)
        if self.batch_norm:
            mean, variance = (hidden.mean(0), hidden.var(0)) if training else self.moving
            hidden = (hidden - mean) / np.sqrt(variance + EPSILON) * trained[2] + trained[3]
        return hidden @ trained[-2] + trained[-1]

    def loss(self, x, y, training=True, trained=None):
        trained = self.trained if trained is None else trained
        penalty = self.l2 * ((trained[0] ** 2).sum() + (trained[-2] ** 2).sum())
        return ((y - self.predict(x, training, trained)) ** 2).mean() + penalty

    def gradients(self, x, y, step=1e-5):
        found = []
        for value in self.trained:
            gradient = np.empty_like(value)
            for index in np.ndindex(value.shape):
                kept = value[index]
                value[index] = kept + step
                above = self.loss(x, y)
                value[index] = kept - step
                gradient[index] = (above - self.loss(x, y)) / (2 * step)
                value[index] = kept
            found.append(gradient)
        return found

    def track(self, x):
        """One forward pass in training moves the moving statistics."""
        hidden = self.activations(x)
        batch = [hidden.mean(0), hidden.var(0)]
        self.moving = [
            MOMENTUM * old + (1 - MOMENTUM) * new for old, new in zip(self.moving, batch, strict=True)
        ]

    def update(self, gradients, rate, momentum, frozen=0):
        """SGD with momentum as Keras has it, without the first `frozen` weights."""
        for index, gradient in enumerate(gradients[frozen:], frozen):
            self.velocity[index] = momentum * self.velocity[index] - rate * gradient
            self.trained[index] += self.velocity[index]


def draw_data(rng, samples, inputs=3, outputs=2):
    x = rng.normal(size=(samples, inputs)).astype("float32")
    return x, (rng.normal(size=(samples, outputs)) + x[:, :1]).astype("float32")


def draw_batches(rng, sizes):
    return [draw_data(rng, size) for size in sizes]


def mse(student):
    return student.module("keras").losses.MeanSquaredError()


def sgd(student, rate, momentum=0.9):
    return student.module("keras").optimizers.SGD(rate, momentum=momentum)


def assert_arrays(actual, desired, **tolerance):
    assert len(actual) == len(desired)
    for got, wanted in zip(actual, desired, strict=True):
        np.testing.assert_allclose(np.asarray(got), wanted, **(tolerance or CLOSE))


def assert_number(actual, desired, **tolerance):
    np.testing.assert_allclose(float(actual), desired, **(tolerance or CLOSE))


# From data to batches


def draw_rows(rng, samples):
    """Rows, and labels by which each row can be told."""
    return rng.normal(size=(samples, 2)).astype("float32"), rng.permutation(samples) + 100


def epoch_of(batches):
    """The labels of one epoch, batch by batch."""
    return [[int(label) for label in y] for _, y in batches]


@pytest.mark.problem("batches", points=4)
@pytest.mark.hint("Draw one order of row numbers and index x and y with it. What is left over at the end?")
@pytest.mark.parametrize(("samples", "size"), [(23, None), (7, 1), (23, 4), (20, 5), (5, 9)])
def test_batches_hold_every_sample_once(student, rng, samples, size):
    """An epoch gives each sample once, with its own label, in full batches and a rest."""
    x, y = draw_rows(rng, samples)
    batches = student.Batches(x, y, batch_size=size, seed=int(rng.integers(1000)))
    full = min(size or samples, samples)
    sizes = [full] * (samples // full) + ([samples % full] if samples % full else [])
    assert len(batches) == len(sizes)
    row = {int(label): x[index] for index, label in enumerate(y)}
    for _ in range(2):
        seen = []
        for (x_batch, y_batch), expected in zip(batches, sizes, strict=True):
            assert x_batch.shape == (expected, 2)
            assert y_batch.shape == (expected,)
            for values, label in zip(x_batch, y_batch, strict=True):
                np.testing.assert_array_equal(values, row[int(label)])
                seen.append(int(label))
        assert sorted(seen) == sorted(row)


@pytest.mark.problem("batches", points=3)
@pytest.mark.hint("Shuffle the samples, not the batches, and draw anew whenever an epoch begins.")
def test_batches_come_in_a_fresh_order(student, rng):
    """Each epoch mixes all samples anew; without shuffling they come in the data's order."""
    x, y = draw_rows(rng, 30)
    plain = student.Batches(x, y, 10, shuffle=False)
    in_order = [[int(label) for label in y[start : start + 10]] for start in (0, 10, 20)]
    assert epoch_of(plain) == epoch_of(plain) == in_order
    shuffled = student.Batches(x, y, 10, seed=int(rng.integers(1000)))
    epochs = [in_order, *(epoch_of(shuffled) for _ in range(4))]
    assert len({frozenset(map(frozenset, epoch)) for epoch in epochs}) == len(epochs)
    neighbours = set(zip(y[:-1].tolist(), y[1:].tolist(), strict=True))
    for epoch in epochs[1:]:
        labels = [label for batch in epoch for label in batch]
        kept = sum(pair in neighbours for pair in itertools.pairwise(labels))
        assert kept < 15, "most samples kept their neighbour"


@pytest.mark.problem("batches", points=3)
@pytest.mark.hint(
    "A random generator of the object's own, made from the seed, and one draw from it an epoch."
)
def test_batches_repeat_by_seed(student, rng):
    """Objects with one seed give the same epochs, whatever else draws random numbers or is left half-way."""
    x, y = draw_rows(rng, 30)
    seed = int(rng.integers(1000))
    first, second, other = (student.Batches(x, y, 8, seed=value) for value in (seed, seed, seed + 1))
    student.module("numpy").random.seed(5)
    expected = []
    for _ in range(3):
        expected.append(epoch_of(first))
        student.module("numpy").random.seed(5)
        assert epoch_of(other) != expected[-1]
    assert expected[0] != expected[1] != expected[2]
    assert epoch_of(second) == expected[0]
    next(iter(second))
    assert epoch_of(second) == expected[2]
    third, fourth = student.Batches(x, y, 8, seed=seed), student.Batches(x, y, 8, seed=seed)
    pairs = [(list(left[1]), list(right[1])) for left, right in zip(third, fourth, strict=True)]
    assert pairs == [(labels, labels) for labels in expected[0]]


def two_epochs(student, x, y):
    x, y = x.copy(), y.copy()
    batches = student.Batches(x, y, 4)
    kept = [list(batches), list(batches)]
    return x, y, [[label for _, labels in epoch for label in labels] for epoch in kept]


@pytest.mark.problem("batches", points=1)
@pytest.mark.hint("Shuffle row numbers, not the arrays.")
@pytest.mark.needs("test_batches_hold_every_sample_once")
def test_batches_leave_the_data_alone(student, rng):
    """Shuffling changes neither x nor y."""
    x, y = draw_rows(rng, 18)
    x_after, y_after, labels = student.probe(two_epochs, student, x, y)
    np.testing.assert_array_equal(x_after, x)
    np.testing.assert_array_equal(y_after, y)
    assert [sorted(map(int, epoch)) for epoch in labels] == [sorted(y.tolist())] * 2


@pytest.mark.problem("batches", points=1)
@pytest.mark.hint("Compare the lengths, and the batch size with 1, in the constructor.")
def test_batches_refuse_what_does_not_fit(student, rng):
    """Batches refuses x and y of different lengths and batch sizes below 1."""
    x, y = draw_rows(rng, 6)
    for arguments in ((x, y[:-1], 2), (x[:4], y, 2), (x, y, 0), (x, y, -1)):
        with pytest.raises(ValueError):
            student.Batches(*arguments)
    assert [len(labels) for labels in epoch_of(student.Batches(x, y, 4))] == [4, 2]


# One training step


@pytest.mark.problem("step", points=4)
@pytest.mark.hint(
    "The loss of the whole batch, and its derivative by every trainable variable, in their order."
)
def test_gradients_are_the_numeric_ones(student, rng):
    """compute_gradients gives the loss and the gradients that central differences give, and updates nothing."""
    network = Network(rng)
    x, y = draw_data(rng, 6)
    model = network.model(student)
    loss, gradients = student.compute_gradients(model, mse(student), x, y)
    assert_number(loss, network.loss(x, y))
    assert_arrays(gradients, network.gradients(x, y))
    assert_arrays(model.get_weights(), network.weights, rtol=1e-7)


@pytest.mark.problem("step", points=2)
@pytest.mark.hint("model.losses holds the penalties of the last forward pass.")
def test_penalties_belong_to_the_loss(student, rng):
    """The penalties of regularizers are part of the loss, of its gradients and so of the update."""
    network = Network(rng, l2=float(rng.uniform(0.1, 0.3)))
    x, y = draw_data(rng, 5)
    model = network.model(student)
    loss, gradients = student.compute_gradients(model, mse(student), x, y)
    expected = network.gradients(x, y)
    assert_number(loss, network.loss(x, y))
    assert_arrays(gradients, expected)
    stepped = student.train_step(model, sgd(student, 0.1), mse(student), x, y)
    assert_number(stepped, network.loss(x, y))
    network.update(expected, 0.1, 0.9)
    assert_arrays(model.get_weights(), network.weights)


@pytest.mark.problem("step", points=3)
@pytest.mark.hint("A layer cannot know that this is training unless it is told; and one pass is enough.")
def test_layers_know_that_this_is_training(student, rng):
    """In a training step layers are in training mode: batch statistics, moving statistics moved once."""
    network = Network(rng, batch_norm=True)
    x, y = draw_data(rng, 7)
    model = network.model(student)
    loss, gradients = student.compute_gradients(model, mse(student), x, y)
    assert_number(loss, network.loss(x, y))
    assert_arrays(gradients, network.gradients(x, y))
    network.track(x)
    assert_arrays(model.get_weights(), network.weights)


@pytest.mark.problem("step", points=3)
@pytest.mark.hint("The optimizer keeps state from step to step, and updates the trainable variables only.")
@pytest.mark.parametrize("frozen", [False, True])
def test_train_step_updates_by_the_optimizer(student, rng, frozen):
    """train_step lets the optimizer update the trainable weights, and returns the loss before that."""
    network = Network(rng)
    rate = float(rng.uniform(0.05, 0.15))
    model, optimizer, loss_fn = network.model(student), sgd(student, rate), mse(student)
    if frozen:
        model.layers[0].trainable = False
    for size in (4, 6, 5):
        x, y = draw_data(rng, size)
        assert_number(student.train_step(model, optimizer, loss_fn, x, y), network.loss(x, y))
        network.update(network.gradients(x, y), rate, 0.9, frozen=2 if frozen else 0)
        assert_arrays(model.get_weights(), network.weights)


def rooted():
    """A loss whose value is fine and whose gradient is NaN where a residual is 0."""
    return lambda y_true, y_pred: keras.ops.mean(keras.ops.sqrt(keras.ops.square(y_true - y_pred)))


@pytest.mark.problem("step", points=2)
@pytest.mark.hint("Look at the loss and at the gradients before the optimizer sees them.")
def test_train_step_skips_what_is_not_finite(student, rng):
    """A step with a NaN or infinite loss or gradient leaves weights and optimizer alone; the next one counts."""
    network = Network(rng)
    model, optimizer, loss_fn = network.model(student), sgd(student, 0.1), mse(student)
    batches = draw_batches(rng, (5, 4, 6))
    for step, (x, y) in enumerate(batches):
        assert_number(student.train_step(model, optimizer, loss_fn, x, y), network.loss(x, y))
        network.update(network.gradients(x, y), 0.1, 0.9)
        spoilt = y.copy()
        spoilt[step % len(y), 0] = [np.nan, np.inf, 3e30][step]
        assert not np.isfinite(float(student.train_step(model, optimizer, loss_fn, x, spoilt)))
        assert_arrays(model.get_weights(), network.weights)
        assert int(optimizer.iterations) == step + 1
    zero = [np.zeros_like(value) for value in network.weights]
    model.set_weights(zero)
    y[0, 1] = 0
    loss = student.train_step(model, optimizer, student.probe(rooted), x, y)
    assert_number(loss, np.abs(y).mean())
    assert_arrays(model.get_weights(), zero, rtol=0)
    assert int(optimizer.iterations) == len(batches)


# Evaluation


def one_by_one(batches):
    return (batch for batch in batches)


@pytest.mark.problem("evaluation", points=3)
@pytest.mark.hint(
    "A batch of one sample must not weigh as much as a batch of five. What else is in the loss?"
)
@pytest.mark.parametrize("once", [False, True])
def test_evaluate_weighs_by_samples(student, rng, once):
    """The loss of an evaluation is the mean over samples, with penalties, for any iterable of batches."""
    network = Network(rng, l2=0.2)
    batches = draw_batches(rng, (5, 3, 1))
    batches[-1][1][:] += 4
    x, y = (np.concatenate(part) for part in zip(*batches, strict=True))
    given = student.probe(one_by_one, batches) if once else batches
    result = student.evaluate(network.model(student), mse(student), given)
    assert list(result) == ["loss"]
    assert_number(result["loss"], network.loss(x, y))


@pytest.mark.problem("evaluation", points=3)
@pytest.mark.hint("Which argument of a model's call tells layers that this is not training?")
def test_evaluate_is_at_inference(student, rng):
    """An evaluation uses moving statistics, and leaves every weight as it is."""
    network = Network(rng, batch_norm=True)
    batches = draw_batches(rng, (4, 4, 3))
    x, y = (np.concatenate(part) for part in zip(*batches, strict=True))
    model = network.model(student)
    result = student.evaluate(model, mse(student), batches)
    assert_number(result["loss"], network.loss(x, y, training=False))
    assert_arrays(model.get_weights(), network.weights, rtol=1e-7)


@pytest.mark.problem("evaluation", points=2)
@pytest.mark.hint("A metric may have a past. And the root of a mean is no mean of roots.")
def test_evaluate_metrics_over_the_epoch(student, rng):
    """Metrics start afresh and are taken over all samples of the evaluation."""
    network = Network(rng)
    batches = draw_batches(rng, (5, 2, 1))
    batches[-1][1][:] += 5
    x, y = (np.concatenate(part) for part in zip(*batches, strict=True))
    metrics = student.module("keras").metrics
    chosen = [metrics.RootMeanSquaredError(name="rmse"), metrics.MeanAbsoluteError(name="off_by")]
    model, residual = network.model(student), y - network.predict(x)
    for metric in chosen:
        metric.update_state(np.full((9, 2), 50.0), np.zeros((9, 2)))
    for _ in range(2):
        result = student.evaluate(model, mse(student), batches, metrics=chosen)
        assert sorted(result) == ["loss", "off_by", "rmse"]
        assert_number(result["rmse"], np.sqrt((residual**2).mean()))
        assert_number(result["off_by"], np.abs(residual).mean())


@pytest.mark.problem("evaluation", points=1)
@pytest.mark.hint("A mean over no samples is no number.")
def test_evaluate_refuses_nothing(student, rng):
    """evaluate refuses an evaluation without batches, and takes one with a single sample."""
    network = Network(rng)
    model, loss_fn = network.model(student), mse(student)
    with pytest.raises(ValueError):
        student.evaluate(model, loss_fn, [])
    x, y = draw_data(rng, 1)
    assert_number(student.evaluate(model, loss_fn, [(x, y)])["loss"], network.loss(x, y))


# Gradient accumulation


@pytest.mark.problem("accumulation", points=5)
@pytest.mark.hint("What does each micro-batch's gradient count in the mean over all samples?")
@pytest.mark.parametrize("size", [4, 5, 1, 11, 50])
def test_accumulation_equals_the_large_batch(student, rng, size):
    """Accumulated gradients and loss are the large batch's, also when the last micro-batch is short."""
    network = Network(rng)
    x, y = draw_data(rng, 11)
    y[-1] += 6
    loss, gradients = student.accumulate_gradients(network.model(student), mse(student), x, y, size)
    expected = network.gradients(x, y)
    assert_number(loss, network.loss(x, y), rtol=2e-6)
    assert_arrays(gradients, expected, rtol=0, atol=1e-6 * max(np.abs(value).max() for value in expected))


@pytest.mark.problem("accumulation", points=2)
@pytest.mark.hint("How often is the penalty in the sum, and with which weight?")
def test_accumulation_counts_penalties_once(student, rng):
    """However many micro-batches there are, penalties count once."""
    network = Network(rng, l2=float(rng.uniform(0.2, 0.4)))
    x, y = draw_data(rng, 7)
    loss, gradients = student.accumulate_gradients(network.model(student), mse(student), x, y, 3)
    assert_number(loss, network.loss(x, y))
    assert_arrays(gradients, network.gradients(x, y))


def watched(weights):
    """A model that writes down how many samples it is run on."""

    sizes = []

    class Watch(keras.layers.Layer):
        def call(self, inputs):
            sizes.append(inputs.shape[0])
            return inputs

    model = keras.Sequential([keras.Input((3,)), Watch(), keras.layers.Dense(2)])
    model.set_weights(weights)
    sizes.clear()
    return model, sizes.copy


@pytest.mark.problem("accumulation", points=2)
@pytest.mark.hint("The large batch must never pass through the model as a whole.")
def test_accumulation_runs_small_batches_only(student, rng):
    """The model never sees more samples at a time than a micro-batch has."""
    x, y = draw_data(rng, 11)
    kernel, bias = rng.normal(size=(3, 2)).astype("float32"), rng.normal(size=2).astype("float32")
    model, sizes = student.probe(watched, [kernel, bias])
    _, gradients = student.accumulate_gradients(model, mse(student), x, y, 4)
    residual = (x @ kernel + bias - y).astype("float64")
    assert_arrays(gradients, [x.T @ residual / 11, residual.sum(0) / 11])
    assert set(sizes()) == {4, 3}


@pytest.mark.problem("accumulation", points=2)
@pytest.mark.hint("Each micro-batch is a training pass of its own; weigh its gradient as without statistics.")
def test_accumulation_with_batch_statistics(student, rng):
    """With batch normalization each micro-batch, in order, has its own statistics, and its share."""
    network = Network(rng, batch_norm=True)
    x, y = draw_data(rng, 10)
    model = network.model(student)
    loss, gradients = student.accumulate_gradients(model, mse(student), x, y, 4)
    parts = [(x[start : start + 4], y[start : start + 4]) for start in (0, 4, 8)]
    assert_number(loss, sum(len(part[0]) * network.loss(*part) for part in parts) / 10)
    shares = [[len(part[0]) / 10 * value for value in network.gradients(*part)] for part in parts]
    expected = [sum(values) for values in zip(*shares, strict=True)]
    # Two samples of nearly equal activations make for gradients in which float32 loses digits.
    assert_arrays(gradients, expected, rtol=1e-3, atol=1e-3 * max(np.abs(value).max() for value in expected))
    for part in parts:
        network.track(part[0])
    assert_arrays(model.get_weights(), network.weights)


@pytest.mark.problem("accumulation", points=1)
@pytest.mark.hint("Sums start from zero in each call. Which micro-batch sizes make no sense?")
def test_accumulation_starts_from_zero(student, rng):
    """A second call gives what the first one gave, no weight moves, and sizes below 1 are refused."""
    network = Network(rng)
    x, y = draw_data(rng, 5)
    model, loss_fn = network.model(student), mse(student)
    for size in (0, -2):
        with pytest.raises(ValueError):
            student.accumulate_gradients(model, loss_fn, x, y, size)
    for _ in range(2):
        loss, gradients = student.accumulate_gradients(model, loss_fn, x, y, 2)
        assert_number(loss, network.loss(x, y))
        assert_arrays(gradients, network.gradients(x, y))
    assert_arrays(model.get_weights(), network.weights, rtol=1e-7)


# Clipping by global norm


def draw_gradients(rng):
    return [
        (rng.normal(size=shape) * spread).astype("float32")
        for shape, spread in [((3, 4), 1), (4, 3), ((2,), 0.1)]
    ]


def global_norm(gradients):
    return math.sqrt(
        sum((np.asarray(value, "float64") ** 2).sum() for value in gradients if value is not None)
    )


def assert_clipped(result, gradients, limit):
    """Without leaving things as they are: for norms above the limit."""
    clipped, norm = result
    expected = global_norm(gradients)
    assert expected > limit
    assert_number(norm, expected, rtol=1e-5)
    assert len(clipped) == len(gradients)
    for got, value in zip(clipped, gradients, strict=True):
        if value is None:
            assert got is None
        else:
            wanted = (value.astype("float64") * limit / expected).astype("float32")
            np.testing.assert_allclose(np.asarray(got), wanted, rtol=1e-5, strict=True)


@pytest.mark.problem("clipping", points=3)
@pytest.mark.hint("One norm over all gradients, and one factor for all of them.")
@pytest.mark.parametrize("size", [1, 1e-4])
def test_clipping_shrinks_all_alike(student, rng, size):
    """Too long a gradient is shortened to the limit and keeps its direction; its norm is told."""
    gradients = [(value * size).astype("float32") for value in draw_gradients(rng)]
    limit = float(global_norm(gradients) * rng.uniform(0.3, 0.7))
    assert_clipped(student.clip_by_global_norm(gradients, limit), gradients, limit)


@pytest.mark.problem("clipping", points=2)
@pytest.mark.hint("Clipping never makes a gradient longer, and 0/0 is no number.")
def test_clipping_leaves_short_gradients(student, rng):
    """Gradients at or below the limit, zeros among them, stay exactly as they are."""
    gradients = draw_gradients(rng)
    norm = global_norm(gradients)
    zeros = [np.zeros_like(value) for value in gradients]
    exact = [np.float32([[3], [0]]), np.float32([-4])]
    for values, limit in [(gradients, norm * 1.5), (gradients, norm * 40), (zeros, 0.7), (exact, 5.0)]:
        clipped, found = student.clip_by_global_norm(values, limit)
        assert_number(found, global_norm(values), rtol=1e-5)
        assert len(clipped) == len(values)
        for got, wanted in zip(clipped, values, strict=True):
            np.testing.assert_array_equal(np.asarray(got), wanted, strict=True)
    shorter = norm * 0.8
    assert_clipped(student.clip_by_global_norm(gradients, shorter), gradients, shorter)


@pytest.mark.problem("clipping", points=1)
@pytest.mark.hint("A variable that the loss does not depend on has no gradient, and keeps none.")
def test_clipping_keeps_none(student, rng):
    """None among the gradients counts as zero and stays None."""
    first, second, third = draw_gradients(rng)
    gradients = [None, first, second, None, third]
    assert_clipped(student.clip_by_global_norm(gradients, 1.5), gradients, 1.5)


@pytest.mark.problem("clipping", points=2)
@pytest.mark.hint("What is the square of 1e30 in float32? Which limits make no sense?")
def test_clipping_exploded_gradients(student, rng):
    """Gradients whose squares overflow are clipped all the same; limits of 0 or less are refused."""
    gradients = [(value * 1e29).astype("float32") for value in draw_gradients(rng)]
    assert_clipped(student.clip_by_global_norm(gradients, 2.0), gradients, 2.0)
    for limit in (0, -1.0):
        with pytest.raises(ValueError):
            student.clip_by_global_norm(gradients, limit)


# Early stopping


class Bystander:
    """What Keras' callback needs of a model; its weights are the epoch's number."""

    stop_training = False
    epoch = None

    def get_weights(self):
        return [self.epoch]

    def set_weights(self, weights):
        self.epoch = weights[0]


def keras_stops(values, **settings):
    """What Keras' callback says after each epoch until it stops, its best value, and the epoch that it restores."""
    callback = keras.callbacks.EarlyStopping("value", restore_best_weights=True, **settings)
    bystander = Bystander()
    callback.set_model(bystander)
    callback.on_train_begin()
    answers = []
    for epoch, value in enumerate(values):
        bystander.epoch = epoch
        callback.on_epoch_end(epoch, {"value": value})
        answers.append(bystander.stop_training)
        if bystander.stop_training:
            break
    callback.on_train_end()
    return answers, callback.best, bystander.epoch


def still(weights):
    """A model with weights that no optimizer trains among them."""
    layers = [keras.layers.Dense(2), keras.layers.BatchNormalization()]
    model = keras.Sequential([keras.Input((1,)), *layers])
    model.set_weights(weights)
    return model


def draw_still(rng):
    shapes = [(1, 2), *[(2,)] * 5]
    return [rng.uniform(0.5, 1.5, shape).astype("float32") for shape in shapes]


@pytest.mark.problem("early_stopping", points=5)
@pytest.mark.hint("Walk through the README's table: when does the count go back to zero, when is it full?")
@pytest.mark.parametrize(("mode", "min_delta"), [("min", 0.0), ("max", 0.0), ("min", 0.25), ("max", 0.125)])
def test_early_stopping_stops_where_keras_does(student, rng, mode, min_delta):
    """Training stops at the epoch, and with the best value, that Keras' callback finds."""
    model = student.probe(still, draw_still(rng))
    up = -1 if mode == "min" else 1
    # Eighths are exact in binary, so that ties are ties.
    start = float(rng.integers(-40, 40)) / 8
    slope, flat, dip = np.arange(9) / 8, np.zeros(5), np.array([0, -4, -3, -2, -1])
    zigzag, walk = np.array([0, -1, 1, 0, 2, 1, 3, 2]), np.cumsum(rng.integers(-2, 4, size=15)) / 8
    for patience, values in itertools.product((1, 3), (slope, flat, dip, zigzag, walk)):
        values = (start + up * values).tolist()
        settings = {"patience": patience, "min_delta": min_delta, "mode": mode}
        expected, best, best_epoch = keras_stops(values, **settings)
        stopper = student.EarlyStopping(**settings)
        assert stopper.best is None
        assert stopper.best_epoch is None
        answers = [bool(stopper.update(epoch, values[epoch], model)) for epoch in range(len(expected))]
        assert answers == expected
        assert (float(stopper.best), int(stopper.best_epoch)) == (best, best_epoch)


@pytest.mark.problem("early_stopping", points=4)
@pytest.mark.hint("A list of variables is no copy of their values. Which weights does inference need?")
@pytest.mark.parametrize("mode", ["min", "max"])
def test_early_stopping_restores_the_best_weights(student, rng, mode):
    """restore gives back all weights of the best epoch, as they were then, and nothing before there is one."""
    weights = [draw_still(rng) for _ in range(5)]
    model = student.probe(still, weights[-1])
    stopper = student.EarlyStopping(patience=3, mode=mode)
    stopper.restore(model)
    assert_arrays(model.get_weights(), weights[-1], rtol=0)
    values = np.array([3.0, 1.0, 2.0, 2.5]) + float(rng.normal())
    for epoch, value in enumerate(values if mode == "min" else -values):
        model.set_weights(weights[epoch])
        stopper.update(epoch, float(value), model)
    assert int(stopper.best_epoch) == 1
    model.set_weights(weights[-1])
    stopper.restore(model)
    assert_arrays(model.get_weights(), weights[1], rtol=0)
    model.set_weights(weights[0])
    stopper.restore(model)
    assert_arrays(model.get_weights(), weights[1], rtol=0)


@pytest.mark.problem("early_stopping", points=2)
@pytest.mark.hint("Every comparison with NaN is false: which way round do you ask?")
def test_early_stopping_takes_no_nan(student, rng):
    """NaN is never an improvement, neither first nor later, and uses up patience."""
    weights = [draw_still(rng) for _ in range(3)]
    model = student.probe(still, weights[0])
    stopper = student.EarlyStopping(patience=2)
    nan, value = float("nan"), float(rng.normal())
    assert not bool(stopper.update(0, nan, model))
    assert stopper.best is None
    model.set_weights(weights[1])
    assert not bool(stopper.update(1, value, model))
    model.set_weights(weights[2])
    assert not bool(stopper.update(2, nan, model))
    assert bool(stopper.update(3, nan, model))
    assert (float(stopper.best), int(stopper.best_epoch)) == (value, 1)
    stopper.restore(model)
    assert_arrays(model.get_weights(), weights[1], rtol=0)
    assert bool(student.EarlyStopping(patience=1).update(0, nan, model))


@pytest.mark.problem("early_stopping", points=1)
@pytest.mark.hint("Check all three settings in the constructor.")
def test_early_stopping_refuses_settings(student, rng):
    """EarlyStopping refuses patience below 1, a negative min_delta and unknown modes."""
    for settings in ({"patience": 0}, {"patience": -1}, {"min_delta": -0.1}, {"mode": "auto"}):
        with pytest.raises(ValueError):
            student.EarlyStopping(**settings)
    model, value = student.probe(still, draw_still(rng)), float(rng.normal())
    stopper = student.EarlyStopping()
    assert not bool(stopper.update(0, value, model))
    assert bool(stopper.update(1, value, model))


# Loss scaling


@pytest.mark.problem("mixed_precision", points=2)
@pytest.mark.hint("Which comes first, the division or the cast?")
def test_unscale_in_float32(student, rng):
    """unscale divides in float32, keeps None, says whether all is finite, and remembers nothing."""
    scaler = student.LossScaler(initial_scale=4096.0)
    small = (rng.uniform(1, 9, size=(2, 3)) * 1e-5).astype("float16")
    plain = rng.normal(size=4).astype("float32")
    for _ in range(2):
        found, finite = scaler.unscale([small, None, plain])
        assert bool(finite)
        assert len(found) == 3
        assert found[1] is None
        np.testing.assert_allclose(
            np.asarray(found[0]), small.astype("float32") / np.float32(4096), rtol=1e-6, strict=True
        )
        np.testing.assert_allclose(np.asarray(found[2]), plain / np.float32(4096), rtol=1e-6, strict=True)
    for bad in (np.inf, -np.inf, np.nan):
        plain[rng.integers(4)] = bad
        assert not bool(scaler.unscale([small, None, plain])[1])
        plain[:] = 1
    assert float(scaler.scale) == 4096


def keras_scales(good, initial_scale, growth_steps):
    """The scale of Keras' own optimizer after each step."""
    weight = keras.Variable([1.0])
    inner = keras.optimizers.SGD(0.0)
    optimizer = keras.optimizers.LossScaleOptimizer(inner, initial_scale, dynamic_growth_steps=growth_steps)
    scales = []
    for fine in good:
        optimizer.apply([tf.constant([1.0 if fine else math.inf])], [weight])
        scales.append(float(optimizer.dynamic_scale))
    return scales


@pytest.mark.problem("mixed_precision", points=2)
@pytest.mark.hint("The README's table has every case. What sets the count back?")
def test_scale_follows_keras(student, rng):
    """The scale doubles after enough good steps in a row and is halved by each bad one, as in Keras, down to 1."""
    growth = int(rng.integers(2, 4))
    good = ([True] * (growth - 1) + [False]) * 2 + [True] * (2 * growth) + [False] * 2 + [True] * (growth + 1)
    expected = keras_scales(good, 256.0, growth)
    scaler = student.LossScaler(initial_scale=256.0, growth_steps=growth)
    found = []
    for fine in good:
        scaler.update(fine)
        found.append(float(scaler.scale))
    assert found == expected
    low = student.LossScaler(initial_scale=4.0, growth_steps=1)
    scales = []
    for fine in (False, False, False, False, True):
        low.update(fine)
        scales.append(float(low.scale))
    assert scales == [2, 1, 1, 1, 2]
    assert float(student.LossScaler().scale) == 32768


def tiny_loss(factor):
    class Tiny(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return factor * keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    return Tiny()


@pytest.mark.problem("mixed_precision", points=2)
@pytest.mark.hint("Multiply before backpropagation: afterwards what was lost stays lost.")
def test_scaled_loss_saves_small_gradients(student, rng):
    """compute_gradients scales the loss it differentiates, not the one it returns, so float16 keeps small gradients."""
    network = Network(rng)
    x, y = draw_data(rng, 6)
    scale = float(2 ** rng.integers(5, 9))
    loss, gradients = student.compute_gradients(network.model(student), mse(student), x, y, scale=scale)
    assert_number(loss, network.loss(x, y))
    assert_arrays(np_list(gradients, scale), network.gradients(x, y))
    half, factor = network.model(student, "mixed_float16"), 2.0**-28
    _, gradients = student.compute_gradients(half, student.probe(tiny_loss, factor), x, y, scale=2.0**26)
    expected = network.gradients(x, y)
    largest = max(np.abs(value).max() for value in expected)
    assert_arrays(np_list(gradients, factor * 2.0**26), expected, rtol=0, atol=0.02 * largest)


def np_list(values, divisor):
    return [np.asarray(value, "float64") / divisor for value in values]


@pytest.mark.problem("mixed_precision", points=3)
@pytest.mark.hint("Scale, unscale, clip, update, and tell the scaler. What must an overflow leave alone?")
@pytest.mark.needs(
    "test_unscale_in_float32", "test_scale_follows_keras", "test_scaled_loss_saves_small_gradients"
)
def test_train_step_with_a_scaler(student, rng):
    """With a scaler train_step clips unscaled gradients, skips what overflows, and lets the scale follow."""
    network = Network(rng)
    model, optimizer, loss_fn = network.model(student), sgd(student, 0.1), mse(student)
    scaler = student.LossScaler(initial_scale=64.0, growth_steps=2)
    scales = []
    for limit in (None, 0.2, 50.0):
        x, y = draw_data(rng, 5)
        loss = student.train_step(model, optimizer, loss_fn, x, y, max_norm=limit, scaler=scaler)
        assert_number(loss, network.loss(x, y))
        gradients = network.gradients(x, y)
        shrink = min(1.0, (limit or math.inf) / global_norm(gradients))
        network.update([shrink * value for value in gradients], 0.1, 0.9)
        assert_arrays(model.get_weights(), network.weights)
        scales.append(float(scaler.scale))
    assert scales == [64, 128, 128]
    scaler.scale = 2.0**100
    before = network.loss(x, y)
    loss = student.train_step(model, optimizer, student.probe(tiny_loss, 2.0**60), x, y, scaler=scaler)
    assert_number(loss, before * 2.0**60)
    assert_arrays(model.get_weights(), network.weights)
    assert int(optimizer.iterations) == 3
    assert float(scaler.scale) == 2.0**99


# The whole loop


def source(epochs):
    """Data that can be iterated once an epoch, has no length, and counts what is drawn from it."""

    class Source:
        begun = 0
        drawn = 0

        def __iter__(self):
            batches = epochs[self.begun % len(epochs)]
            self.begun += 1
            for batch in batches:
                self.drawn += 1
                yield batch

    return Source()


def by_hand(network, epochs, rate, limit=math.inf):
    """Train with SGD (momentum 0.9) in NumPy; the mean loss of each epoch."""
    losses = []
    for batches in epochs:
        total = 0.0
        for x, y in batches:
            total += len(x) * network.loss(x, y)
            gradients = network.gradients(x, y)
            shrink = min(1.0, limit / global_norm(gradients))
            network.update([shrink * value for value in gradients], rate, 0.9)
        losses.append(total / sum(len(x) for x, _ in batches))
    return losses


@pytest.mark.problem("loop", points=4)
@pytest.mark.hint("Each epoch asks the data anew; a batch's loss counts by its samples.")
def test_fit_trains_as_by_hand(student, rng):
    """fit trains on every batch of every epoch, no more, and records the mean loss over samples."""
    network = Network(rng, l2=0.05)
    epochs = [draw_batches(rng, sizes) for sizes in ((4, 4, 1), (3, 3, 3), (5, 2))]
    model, optimizer = network.model(student), sgd(student, 0.1)
    data = student.probe(source, epochs)
    result = student.fit(model, optimizer, mse(student), data, max_epochs=3)
    np.testing.assert_allclose(result["loss"], by_hand(network, epochs, 0.1), **CLOSE)
    assert_arrays(model.get_weights(), network.weights, rtol=3e-4, atol=3e-5)
    assert result["val_loss"] == []
    assert result["stopped"] == "max_epochs"
    assert (int(data.begun), int(data.drawn), int(optimizer.iterations)) == (3, 8, 8)
    idle = student.fit(model, optimizer, mse(student), data, max_epochs=0)
    assert idle == {"loss": [], "val_loss": [], "stopped": "max_epochs"}
    assert int(optimizer.iterations) == 8


def keras_fit(network, batches, validation, rate, epochs):
    """History and final weights of Keras' own loop."""
    weights = [value.astype("float32") for value in network.weights]
    model = build(network.sizes, network.l2, network.batch_norm, weights, "float32")
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), "mse", run_eagerly=True)
    x, y = (np.concatenate(part) for part in zip(*batches, strict=True))
    x_val, y_val = (np.concatenate(part) for part in zip(*validation, strict=True))
    settings = {"batch_size": len(batches[0][0]), "validation_batch_size": len(validation[0][0])}
    history = model.fit(
        x, y, epochs=epochs, shuffle=False, validation_data=(x_val, y_val), verbose=0, **settings
    ).history
    return history, model.get_weights()


@pytest.mark.problem("loop", points=3)
@pytest.mark.hint(
    "Validation comes after the epoch's last update, at inference, and teaches the model nothing."
)
def test_fit_agrees_with_keras(student, rng):
    """With penalties, batch normalization and validation fit gives the curves and weights of Keras' fit."""
    network = Network(rng, l2=0.02, batch_norm=True)
    batches, validation = draw_batches(rng, (5, 5, 3)), draw_batches(rng, (4, 4, 1))
    expected, weights = keras_fit(network, batches, validation, 0.05, 2)
    model = network.model(student)
    result = student.fit(model, sgd(student, 0.05), mse(student), batches, validation, max_epochs=2)
    np.testing.assert_allclose(result["loss"], expected["loss"], rtol=5e-4)
    np.testing.assert_allclose(result["val_loss"], expected["val_loss"], rtol=5e-4)
    assert_arrays(model.get_weights(), weights, rtol=1e-3, atol=1e-4)


def slow(batches):
    """Data of which every batch takes a second to load, and the clock that shows it."""

    class Slow:
        now = 1000.0
        drawn = 0

        def __iter__(self):
            for batch in batches:
                Slow.now += 1
                self.drawn += 1
                yield batch

    return Slow(), lambda: Slow.now


@pytest.mark.problem("loop", points=2)
@pytest.mark.hint(
    "Look at the clock between a batch and its step. What becomes of an epoch that is cut short?"
)
def test_fit_keeps_to_its_time(student, rng):
    """No step begins when the time is up; the epoch that was cut short is not recorded."""
    network = Network(rng)
    batches = draw_batches(rng, (3, 2, 4))
    settings = {"max_epochs": 6, "max_seconds": 5.0}
    model, optimizer = network.model(student), sgd(student, 0.1)
    data, clock = student.probe(slow, batches)
    result = student.fit(model, optimizer, mse(student), data, batches, clock=clock, **settings)
    assert result["stopped"] == "max_seconds"
    assert (int(optimizer.iterations), int(data.drawn)) == (4, 5)
    np.testing.assert_allclose(result["loss"], by_hand(network, [batches], 0.1), **CLOSE)
    assert len(result["val_loss"]) == 1
    by_hand(network, [batches[:1]], 0.1)
    assert_arrays(model.get_weights(), network.weights)


@pytest.mark.problem("loop", points=2)
@pytest.mark.hint("What does training on help once the loss is NaN?")
def test_fit_stops_when_it_diverges(student, rng):
    """At a NaN loss fit ends and says so, with the weights from before."""
    start = Network(rng)
    epochs = [draw_batches(rng, (4, 2)), draw_batches(rng, (3, 3, 3))]
    validation = draw_batches(rng, (3, 3))
    for bad in (np.nan, np.inf):
        network = copy.deepcopy(start)
        epochs[1][1][1][0] = bad
        model, data = network.model(student), student.probe(source, epochs)
        result = student.fit(model, sgd(student, 0.1), mse(student), data, validation, max_epochs=3)
        assert result["stopped"] == "diverged"
        np.testing.assert_allclose(result["loss"], by_hand(network, epochs[:1], 0.1), **CLOSE)
        expected = np.mean([network.loss(*batch) for batch in validation])
        np.testing.assert_allclose(result["val_loss"], [expected], **CLOSE)
        assert (int(data.begun), int(data.drawn)) == (2, 4)
        by_hand(network, [epochs[1][:1]], 0.1)
        assert_arrays(model.get_weights(), network.weights)


def recorder(last):
    """A stopper that stops after epoch `last` and writes down what it is told."""

    class Recorder:
        def __init__(self):
            self.told = []

        def update(self, epoch, value, model):
            self.told.append((int(epoch), float(value), type(model).__name__))
            return epoch >= last

        def restore(self, model):
            self.told.append(("restore", type(model).__name__))

    return Recorder()


@pytest.mark.problem("loop", points=2)
@pytest.mark.hint("Which curve does the stopper see? When does it get to restore?")
@pytest.mark.parametrize("validated", [True, False])
def test_fit_asks_the_stopper(student, rng, validated):
    """After each epoch the stopper sees the validation loss, or else the loss; in the end it restores."""
    network = Network(rng)
    batches, validation = draw_batches(rng, (3, 2)), draw_batches(rng, (2, 4)) if validated else None
    for last, stopped, epochs in ((1, "early_stopping", 2), (9, "max_epochs", 3)):
        stopper = student.probe(recorder, last)
        model = network.model(student)
        result = student.fit(
            model, sgd(student, 0.05), mse(student), batches, validation, max_epochs=3, stopper=stopper
        )
        assert result["stopped"] == stopped
        seen = result["val_loss" if validated else "loss"]
        assert len(seen) == len(result["loss"]) == epochs
        *updates, end = stopper.told
        assert end == ("restore", "Sequential")
        assert [update[0] for update in updates] == list(range(epochs))
        np.testing.assert_allclose([update[1] for update in updates], seen, rtol=1e-6)
    np.testing.assert_allclose(result["loss"], by_hand(network, [batches] * 3, 0.05), **CLOSE)


def line(weight):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([weight])
    return model


@pytest.mark.problem("loop", points=2)
@pytest.mark.hint("Which weights does the model hold when fit has returned?")
@pytest.mark.needs(
    "test_early_stopping_stops_where_keras_does", "test_early_stopping_restores_the_best_weights"
)
def test_fit_ends_with_the_best_weights(student, rng):
    """With EarlyStopping fit stops after its patience and leaves the weights of the best epoch."""
    # On its way from 0 to `goal` the weight passes the validation data's own optimum, at 0.4 of the way.
    goal = float(rng.uniform(1, 2))
    x = np.ones((4, 1), "float32")
    weight, path = 0.0, []
    for _ in range(20):
        weight += 0.1 * (goal - weight)
        path.append(weight)
    errors = [(weight - 0.4 * goal) ** 2 for weight in path]
    best = int(np.argmin(errors))
    model = student.probe(line, np.zeros((1, 1), "float32"))
    result = student.fit(
        model,
        sgd(student, 0.05, momentum=0.0),
        mse(student),
        [(x, goal * x)],
        [(x, np.float32(0.4 * goal) * x)],
        max_epochs=20,
        stopper=student.EarlyStopping(patience=3),
    )
    assert result["stopped"] == "early_stopping"
    np.testing.assert_allclose(result["val_loss"], errors[: best + 4], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[0], [[path[best]]], rtol=1e-4)


def eightfold():
    """A scaler of the constant scale 8 that counts the steps it is told of."""

    class Eightfold:
        scale = 8.0
        told = 0

        def unscale(self, gradients):
            return [keras.ops.cast(gradient, "float32") / 8 for gradient in gradients], True

        def update(self, finite):
            self.told += int(finite)

    return Eightfold()


@pytest.mark.problem("loop", points=1)
@pytest.mark.hint("fit hands max_norm and scaler on to each step.")
def test_fit_hands_on_limit_and_scaler(student, rng):
    """Every update of fit is clipped to max_norm, and goes by the scaler."""
    network = Network(rng)
    epochs = [draw_batches(rng, (3, 2))] * 2
    model, scaler = network.model(student), student.probe(eightfold)
    result = student.fit(
        model, sgd(student, 0.1), mse(student), epochs[0], max_epochs=2, max_norm=0.3, scaler=scaler
    )
    np.testing.assert_allclose(result["loss"], by_hand(network, epochs, 0.1, limit=0.3), **CLOSE)
    assert_arrays(model.get_weights(), network.weights)
    assert int(scaler.told) == 4


@pytest.mark.problem("loop", points=1)
@pytest.mark.hint("A GPU before any CPU; then by number, and numbers are not text.")
def test_pick_device(student, rng):
    """pick_device takes the first GPU by number, else the first CPU, and refuses a list without either."""
    low, high = sorted(rng.choice(np.arange(2, 10), 2, replace=False).tolist())
    cases = [
        (["cpu:0", f"gpu:1{low}", f"gpu:{high}", f"gpu:{low}"], f"gpu:{low}"),
        ([f"gpu:1{low}", f"gpu:{high}", "cpu:0"], f"gpu:{high}"),
        ([f"cpu:1{low}", f"tpu:{low}", f"cpu:{high}"], f"cpu:{high}"),
        ([f"cpu:{low}"], f"cpu:{low}"),
    ]
    for names, expected in cases:
        assert student.pick_device(names) == expected
    for names in ([], ["tpu:0"]):
        with pytest.raises(ValueError):
            student.pick_device(names)


def placed(student, device, batches):
    """Where a training and its validation ran: scopes, devices of the optimizer's state, devices that there are."""

    found = []

    class Where(keras.layers.Layer):
        def call(self, inputs, training=None):
            scope = eager.context().device_name or ""
            found.append((bool(training), scope if tf.executing_eagerly() else inputs.device or scope))
            return inputs

    model = keras.Sequential([keras.Input((3,)), Where(), keras.layers.Dense(2)])
    found.clear()
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    chosen = {} if device is None else {"device": device}
    student.fit(model, optimizer, keras.losses.MeanSquaredError(), batches, batches, max_epochs=1, **chosen)
    state = [variable.value.device for variable in optimizer.variables if len(variable.shape)]
    return found, state, [device.name for device in tf.config.list_logical_devices()]


@pytest.mark.problem("loop", points=1)
@pytest.mark.hint("Open the device's scope around everything that fit does.")
def test_fit_runs_on_the_device(student, rng):
    """Training, validation and the optimizer's state are placed on the device: a given one, or the best there is."""
    batches = draw_batches(rng, (3, 2))
    for device in ("cpu:0", "gpu:1"):
        found, state, _ = student.probe(placed, student, device, batches)
        assert {training for training, _ in found} == {True, False}
        assert all(scope.lower().endswith(device) for _, scope in found)
    found, state, names = student.probe(placed, student, None, batches)
    gpus = [name for name in names if "GPU:" in name]
    best = min(gpus, key=lambda name: int(name.rpartition(":")[2])) if gpus else "CPU:0"
    assert {training for training, _ in found} == {True, False}
    assert all(scope.lower().endswith(best.lower()[-5:]) for _, scope in found)
    assert len(state) == 2
    assert all(name.endswith(best[-5:]) for name in state)


# Reading learning curves


def curves(rng, last, val_last, best, length=9):
    """Two curves with these last values; the validation curve's smallest is `best`, once, later than the other's."""
    at = int(rng.integers(2, length - 2))
    loss = rng.uniform(0.25, 4, length)
    loss[rng.integers(2)] = 0.0625
    val_loss = best + rng.uniform(0.2, 3, length)
    loss[-1], val_loss[-1], val_loss[at] = last, val_last, best
    return loss.tolist(), val_loss.tolist(), at if best < val_last else length - 1


@pytest.mark.problem("learning_curves", points=4)
@pytest.mark.hint("Go down the table of diagnoses; the first line that holds is the answer.")
@pytest.mark.parametrize(
    ("last", "val_last", "best", "diagnosis"),
    [
        (1.5, 1.75, 1.625, "underfitting"),
        (1.5, 3.5, 1.25, "underfitting"),
        (0.25, 1.0, 0.875, "overfitting"),
        (0.75, 0.875, 0.25, "overfitting"),
        (0.75, 0.25, 0.125, "good fit"),
        (1.0, 1.5, 1.0, "good fit"),
    ],
)
def test_diagnosis(student, rng, last, val_last, best, diagnosis):
    """Each diagnosis is made where the table says, with strict comparisons."""
    loss, val_loss, at = curves(rng, last, val_last, best)
    shift = float(rng.integers(-2, 3)) / 4
    loss, val_loss = [value + shift for value in loss], [value + shift for value in val_loss]
    result = student.diagnose(loss, val_loss, target=1.0 + shift, gap=0.5)
    assert result["diagnosis"] == diagnosis
    assert int(result["best_epoch"]) == at
    assert_number(result["gap"], val_last - last, rtol=1e-9, atol=1e-12)


@pytest.mark.problem("learning_curves", points=2)
@pytest.mark.hint("A curve that holds NaN anywhere has no best epoch; of equal ones the first is best.")
def test_diagnosis_at_the_edges(student, rng):
    """Curves with NaN or infinity have diverged, ties go to the earlier epoch, and impossible curves are refused."""
    loss, val_loss, at = curves(rng, 0.75, 0.875, 0.625)
    for index, bad in ((3, np.nan), (8, np.inf), (8, np.nan)):
        for spoilt in (0, 1):
            pair = [list(loss), list(val_loss)]
            pair[spoilt][index] = float(bad)
            expected = {"diagnosis": "diverged", "best_epoch": None, "gap": None}
            assert student.diagnose(*pair, target=1.0, gap=0.5) == expected
    tied = [*val_loss[:-1], 0.625]
    result = student.diagnose(loss, tied, target=1.0, gap=0.5)
    assert (result["diagnosis"], int(result["best_epoch"])) == ("good fit", at)
    single = student.diagnose([0.5], [1.25], target=1.0, gap=0.5)
    assert (single["diagnosis"], int(single["best_epoch"])) == ("overfitting", 0)
    for wrong in (([], []), (loss, val_loss[1:])):
        with pytest.raises(ValueError):
            student.diagnose(*wrong, target=1.0, gap=0.5)
