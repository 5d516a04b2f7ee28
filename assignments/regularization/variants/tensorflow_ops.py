"""TensorFlow operations throughout: counted stateless draws, masks that multiply, framed images, gather_nd."""

import keras
import numpy as np
import tensorflow as tf


def training_objective(model, loss_fn, x, y):
    prediction = model(tf.convert_to_tensor(x), training=True)
    return tf.add_n([tf.convert_to_tensor(loss_fn(y, prediction)), *model.losses])


def generalization_gap(model, loss_fn, train, validation):
    train = loss_fn(train[1], model.predict_on_batch(train[0]))
    validation = loss_fn(validation[1], model.predict_on_batch(validation[0]))
    return dict(train=float(train), validation=float(validation), gap=float(validation - train))


class _Random:
    """A seed for each draw: the layer's own number, and how many draws there were."""

    def _start(self, seed):
        own = int.from_bytes(np.random.default_rng(seed).bytes(3), "big")
        self._own = own
        self._count = self.add_weight(
            name="count", shape=(), dtype="int32", initializer="zeros", trainable=False
        )

    def _next(self):
        self._count.assign_add(1)
        return tf.stack([tf.constant(self._own, "int32"), tf.cast(self._count.value, "int32")])


@keras.saving.register_keras_serializable(package="dlquiz")
class Dropout(keras.layers.Layer):
    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        if rate < 0 or rate >= 1:
            raise ValueError(rate)
        self.supports_masking = True
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=None):
        if training is not True or self.rate == 0:
            return inputs
        sizes = tf.unstack(tf.shape(inputs))
        for axis, own in enumerate(self.noise_shape or ()):
            sizes[axis] = 1 if own == 1 else sizes[axis]
        drawn = tf.random.stateless_uniform(tf.stack(sizes), self.generator.next())
        mask = tf.floor(drawn + (1 - self.rate)) / (1 - self.rate)
        return inputs * tf.cast(mask, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        config = super().get_config()
        config.update(rate=self.rate, noise_shape=self.noise_shape, seed=self.seed)
        return config


class _Penalty(keras.regularizers.Regularizer):
    def __call__(self, x):
        powers = {"l1": tf.norm(tf.reshape(x, [-1]), 1), "l2": tf.tensordot(x, x, len(x.shape))}
        return tf.add_n([strength * powers[name] for name, strength in self.parts.items()])

    def get_config(self):
        return self.config


@keras.saving.register_keras_serializable(package="dlquiz")
class ElasticNet(_Penalty):
    def __init__(self, l1=0.01, l2=0.01):
        if min(l1, l2) < 0:
            raise ValueError((l1, l2))
        self.parts = self.config = {"l1": l1, "l2": l2}


@keras.saving.register_keras_serializable(package="dlquiz")
class L1(_Penalty):
    def __init__(self, strength=0.01):
        if strength < 0:
            raise ValueError(strength)
        self.parts, self.config = {"l1": strength}, {"strength": strength}


@keras.saving.register_keras_serializable(package="dlquiz")
class L2(_Penalty):
    def __init__(self, strength=0.01):
        if strength < 0:
            raise ValueError(strength)
        self.parts, self.config = {"l2": strength}, {"strength": strength}


def soft_threshold(weights, amount):
    weights = tf.convert_to_tensor(weights)
    return tf.where(tf.abs(weights) <= amount, tf.zeros_like(weights), weights - tf.sign(weights) * amount)


def flip(images, flips, mode="horizontal"):
    images = tf.convert_to_tensor(images)
    axes = {"horizontal": [2], "vertical": [1]}
    if mode not in axes:
        raise ValueError(mode)
    flips = tf.convert_to_tensor(flips)
    return tf.where(flips[:, None, None, None], tf.reverse(images, axes[mode]), images)


def _look_up(images, places):
    """Pixels of images in a black frame of one pixel, at places (N, H, W, 2) that are first brought to it."""
    shape = tf.shape(images)
    framed = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]])
    places = tf.clip_by_value(places + 1, 0, shape[1:3] + 1)
    return tf.ensure_shape(tf.gather_nd(framed, places, batch_dims=1), images.shape)


def _grid(images):
    shape = tf.shape(images)
    return tf.stack(tf.meshgrid(tf.range(shape[1]), tf.range(shape[2]), indexing="ij"), -1)[None]


def shift(images, offsets):
    images = tf.convert_to_tensor(images)
    return _look_up(images, _grid(images) - tf.cast(offsets, "int32")[:, None, None])


def rotate(images, degrees):
    images = tf.convert_to_tensor(images)
    exact = tf.cast(images, "float32")
    centre = (tf.cast(tf.shape(images)[1:3], "float32") - 1) / 2
    radians = tf.cast(degrees, "float32") * np.float32(np.pi / 180)
    cosine, sine = tf.cos(radians), tf.sin(radians)
    back = tf.stack([tf.stack([cosine, sine], -1), tf.stack([-sine, cosine], -1)], 1)
    source = tf.einsum("nab,mhwb->nhwa", back, tf.cast(_grid(images), "float32") - centre) + centre
    low = tf.floor(source)
    part, low = source - low, tf.cast(low, "int32")
    total = tf.zeros_like(exact)
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weights = tf.where(tf.constant(corner) == 1, part, 1 - part)
        total += tf.reduce_prod(weights, -1, keepdims=True) * _look_up(exact, low + corner)
    return tf.cast(total, images.dtype)


class RandomAugmentation(_Random, keras.layers.Layer):
    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self._start(seed)

    def call(self, images, training=False):
        images = tf.cast(images, self.compute_dtype)
        if not training:
            return images
        single = images.shape.rank == 3
        batch = tf.expand_dims(images, 0) if single else images
        batch = self.augment(batch)
        return tf.squeeze(batch, 0) if single else batch

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomFlip(RandomAugmentation):
    def __init__(self, mode="horizontal", seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        if mode not in {"horizontal", "vertical", "both"}:
            raise ValueError(mode)
        self.mode = mode

    def augment(self, images):
        bits = tf.random.stateless_uniform([tf.shape(images)[0]], self._next(), 0, 4, "int32")
        if self.mode != "vertical":
            images = flip(images, bits % 2 == 1, "horizontal")
        if self.mode != "horizontal":
            images = flip(images, bits // 2 == 1, "vertical")
        return images

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomShift(RandomAugmentation):
    def __init__(self, height, width, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        if min(height, width) < 0:
            raise ValueError((height, width))
        self.height, self.width = height, width

    def augment(self, images):
        drawn = tf.random.stateless_uniform([tf.shape(images)[0], 2], self._next())
        most = tf.constant([self.height, self.width], "float32")
        return shift(images, tf.cast(tf.floor(drawn * (2 * most + 1)) - most, "int32"))

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomRotation(RandomAugmentation):
    def __init__(self, degrees, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        if degrees < 0 or degrees > 180:
            raise ValueError(degrees)
        self.degrees = degrees

    def augment(self, images):
        drawn = tf.random.stateless_uniform([tf.shape(images)[0]], self._next(), -1.0, 1.0)
        return rotate(images, self.degrees * drawn)

    def get_config(self):
        return {**super().get_config(), "degrees": self.degrees}


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomNoise(RandomAugmentation):
    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        if stddev < 0:
            raise ValueError(stddev)
        self.stddev = stddev

    def augment(self, images):
        drawn = tf.random.stateless_normal(tf.shape(images), self._next())
        return images + tf.cast(self.stddev * drawn, images.dtype)

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev}


class EarlyStopping(keras.callbacks.Callback):
    """Larger is better for it: values are negated where smaller is."""

    def __init__(self, monitor="val_loss", mode="min", min_delta=0.0, patience=1):
        super().__init__()
        if mode not in ("min", "max") or min_delta < 0 or patience < 1:
            raise ValueError((mode, min_delta, patience))
        self.monitor, self.sign, self.min_delta, self.patience = (
            monitor,
            1 if mode == "max" else -1,
            min_delta,
            patience,
        )
        self.on_train_begin()

    def on_train_begin(self, logs=None):
        self.kept = self.best = self.best_epoch = self.stopped_epoch = None
        self.reference = -np.inf
        self.last = -1

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor not in logs:
            raise ValueError(self.monitor)
        if self.sign * logs[self.monitor] > self.reference:
            self.best, self.best_epoch, self.last = logs[self.monitor], epoch, epoch
            self.reference = self.sign * self.best + self.min_delta
            self.kept = self.model.get_weights()
        elif epoch - self.last >= self.patience:
            self.stopped_epoch, self.model.stop_training = epoch, True

    def on_train_end(self, logs=None):
        if self.kept:
            self.model.set_weights(self.kept)


def average(predictions, weights=None):
    predictions = tf.cast(predictions, "float64")
    if weights is None:
        return tf.reduce_mean(predictions, 0)
    weights = np.asarray(weights, "float64")
    if len(weights) != len(predictions) or (weights < 0).any() or not weights.any():
        raise ValueError(weights)
    return tf.einsum("m,m...->...", weights, predictions) / tf.reduce_sum(weights)


def majority_vote(labels, classes):
    return tf.argmax(tf.reduce_sum(tf.one_hot(labels, classes), 0), -1)


def ambiguity(predictions, y):
    mean, variance = tf.nn.moments(tf.cast(predictions, "float64"), 0)
    error = tf.reduce_mean((mean - y) ** 2)
    diversity = tf.reduce_mean(variance)
    return dict(ensemble_error=float(error), mean_error=float(error + diversity), diversity=float(diversity))


def bootstrap(count, models, seed):
    pairs = []
    for model in range(models):
        rows = tf.random.stateless_uniform([count], [seed, model], 0, count, "int32").numpy()
        times = np.bincount(rows, minlength=count)
        pairs.append((rows, np.nonzero(times == 0)[0]))
    return pairs


class _Mean(keras.Model):
    def __init__(self, members):
        super().__init__()
        self.members = members

    def call(self, inputs, training=None):
        return tf.add_n([member(inputs, training=training) for member in self.members]) / len(self.members)

    @property
    def output_shape(self):
        return self.members[0].output_shape


def ensemble(models):
    if len(models) == 0:
        raise ValueError("empty")
    return _Mean(list(models))


def k_fold(groups, folds, seed):
    names, number = np.unique(groups, return_inverse=True)
    if folds < 2 or folds > len(names):
        raise ValueError(folds)
    place = np.random.default_rng(seed).permutation(len(names)) % folds
    fold = place[number]
    return [(np.where(fold != k)[0], np.where(fold == k)[0]) for k in range(folds)]


def out_of_fold_predictions(make_model, x, y, pairs):
    times = np.zeros(len(x), int)
    for _, validation in pairs:
        np.add.at(times, validation, 1)
    if (times != 1).any():
        raise ValueError(times)
    result = None
    for training, validation in pairs:
        model = make_model()
        model.fit(np.take(x, training, axis=0), np.take(y, training, axis=0))
        predictions = np.asarray(model.predict(np.take(x, validation, axis=0)))
        if result is None:
            result = np.empty((len(x), *predictions.shape[1:]), predictions.dtype)
        result[validation] = predictions
    return result


def one_standard_error(strengths, losses):
    losses = np.asarray(losses, "float64")
    if losses.shape[1] < 2:
        raise ValueError(losses.shape)
    rows = sorted(zip(losses.mean(1), losses.var(1, ddof=1) / losses.shape[1], strengths))
    limit = rows[0][0] + rows[0][1] ** 0.5
    return max(float(strength) for mean, _, strength in rows if mean <= limit)
