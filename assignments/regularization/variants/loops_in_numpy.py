"""Transformations as NumPy loops that the graph calls; categorical draws; L1 and L2 out of the elastic net."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops


def training_objective(model, loss_fn, x, y):
    return loss_fn(y, model(x, training=True)) + sum(model.losses)


def generalization_gap(model, loss_fn, train, validation):
    losses = [float(loss_fn(y, model(x, training=False))) for x, y in (train, validation)]
    return {"train": losses[0], "validation": losses[1], "gap": losses[1] - losses[0]}


@keras.saving.register_keras_serializable(package="dlquiz")
class Dropout(keras.layers.Layer):
    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"rate must be at least 0 and below 1, received {rate}")
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def call(self, inputs, training=False):
        if not training:
            return inputs
        shape = ops.shape(inputs)
        if self.noise_shape is not None:
            shape = [own or size for own, size in zip(self.noise_shape, shape, strict=True)]
        logits = ops.log(ops.convert_to_tensor([[self.rate + 1e-12, 1 - self.rate]], dtype="float32"))
        count = ops.prod(ops.stack([ops.cast(size, "int32") for size in shape]))
        kept = tf.random.stateless_categorical(logits, count, self.seed_generator.next(), dtype="int32")
        return inputs * ops.cast(ops.reshape(kept, shape), inputs.dtype) / (1 - self.rate)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        own = {"rate": self.rate, "noise_shape": self.noise_shape, "seed": self.seed}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="dlquiz")
class ElasticNet(keras.regularizers.Regularizer):
    def __init__(self, l1=0.01, l2=0.01):
        if l1 < 0 or l2 < 0:
            raise ValueError(f"strengths must not be negative, received l1={l1}, l2={l2}")
        self.l1 = l1
        self.l2 = l2

    def __call__(self, x):
        return ops.sum(ops.abs(x) * (self.l1 + self.l2 * ops.abs(x)))

    def get_config(self):
        return {"l1": self.l1, "l2": self.l2}


@keras.saving.register_keras_serializable(package="dlquiz")
class L1(ElasticNet):
    def __init__(self, strength=0.01):
        super().__init__(strength, 0.0)

    def get_config(self):
        return {"strength": self.l1}


@keras.saving.register_keras_serializable(package="dlquiz")
class L2(ElasticNet):
    def __init__(self, strength=0.01):
        super().__init__(0.0, strength)

    def get_config(self):
        return {"strength": self.l2}


def soft_threshold(weights, amount):
    return ops.maximum(weights - amount, 0) + ops.minimum(weights + amount, 0)


def _in_numpy(function, images, parameters):
    """Call a NumPy function from a graph; its result has the images' shape and dtype."""
    images = tf.convert_to_tensor(images)
    result = tf.numpy_function(function, [images, tf.convert_to_tensor(parameters)], images.dtype)
    return tf.ensure_shape(result, images.shape)


def flip(images, flips, mode="horizontal"):
    if mode not in ("horizontal", "vertical"):
        raise ValueError(mode)

    def mirrored(images, flips):
        images = images.copy()
        for number in np.flatnonzero(flips):
            images[number] = images[number, ::-1] if mode == "vertical" else images[number, :, ::-1]
        return images

    return _in_numpy(mirrored, images, flips)


def _shifted(images, offsets):
    result = np.zeros_like(images)
    _, height, width, _ = images.shape
    for number, (down, right) in enumerate(offsets):
        rows = slice(max(down, 0), max(height + min(down, 0), 0))
        columns = slice(max(right, 0), max(width + min(right, 0), 0))
        from_rows = slice(max(-down, 0), max(height - max(down, 0), 0))
        from_columns = slice(max(-right, 0), max(width - max(right, 0), 0))
        result[number, rows, columns] = images[number, from_rows, from_columns]
    return result


def shift(images, offsets):
    return _in_numpy(_shifted, images, offsets)


def _rotated(images, degrees):
    result = np.zeros(images.shape)
    _, height, width, _ = images.shape
    rows, columns = np.mgrid[:height, :width]
    for number, angle in enumerate(np.radians(np.float64(degrees))):
        down, right = (rows - (height - 1) / 2, columns - (width - 1) / 2)
        row = (height - 1) / 2 + right * np.sin(angle) + down * np.cos(angle)
        column = (width - 1) / 2 + right * np.cos(angle) - down * np.sin(angle)
        for i in range(height):
            for j in range(width):
                weight = np.clip(1 - abs(row - i), 0, 1) * np.clip(1 - abs(column - j), 0, 1)
                result[number] += weight[..., None] * images[number, i, j]
    return result.astype(images.dtype)


def rotate(images, degrees):
    return _in_numpy(_rotated, images, degrees)


class RandomAugmentation(keras.layers.Layer):
    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images, training=False):
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        if len(images.shape) == 3:
            return self.augment(images[None])[0]
        return self.augment(images)

    def augment(self, images):
        raise NotImplementedError(f"{type(self).__name__} does not say how it augments")

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomFlip(RandomAugmentation):
    def __init__(self, mode="horizontal", seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        if mode not in ("horizontal", "vertical", "both"):
            raise ValueError(f"mode must be 'horizontal', 'vertical' or 'both', received {mode!r}")
        self.mode = mode

    def augment(self, images):
        for mode in ("horizontal", "vertical") if self.mode == "both" else (self.mode,):
            flips = keras.random.uniform(ops.shape(images)[:1], seed=self.seed_generator) < 0.5
            images = flip(images, flips, mode)
        return images

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomShift(RandomAugmentation):
    def __init__(self, height, width, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        if height < 0 or width < 0:
            raise ValueError(f"pixels must not be negative, received height={height}, width={width}")
        self.height = height
        self.width = width

    def augment(self, images):
        offsets = [
            keras.random.randint(ops.shape(images)[:1], -most, most + 1, seed=self.seed_generator)
            for most in (self.height, self.width)
        ]
        return shift(images, ops.stack(offsets, axis=1))

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomRotation(RandomAugmentation):
    def __init__(self, degrees, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        if not 0 <= degrees <= 180:
            raise ValueError(f"degrees must be from 0 to 180, received {degrees}")
        self.degrees = degrees

    def augment(self, images):
        angles = keras.random.uniform(
            ops.shape(images)[:1], -self.degrees, self.degrees, seed=self.seed_generator
        )
        return rotate(images, angles)

    def get_config(self):
        return {**super().get_config(), "degrees": self.degrees}


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomNoise(RandomAugmentation):
    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        if stddev < 0:
            raise ValueError(f"stddev must not be negative, received {stddev}")
        self.stddev = stddev

    def augment(self, images):
        noise = keras.random.normal(ops.shape(images), stddev=self.stddev, seed=self.seed_generator)
        return images + ops.cast(noise, images.dtype)

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev}


class EarlyStopping(keras.callbacks.Callback):
    def __init__(self, monitor="val_loss", mode="min", min_delta=0.0, patience=1):
        super().__init__()
        if mode not in ("min", "max"):
            raise ValueError(f"mode must be 'min' or 'max', received {mode!r}")
        if min_delta < 0:
            raise ValueError(f"min_delta must not be negative, received {min_delta}")
        if patience < 1:
            raise ValueError(f"patience must be at least 1, received {patience}")
        self.monitor = monitor
        self.mode = mode
        self.min_delta = min_delta
        self.patience = patience
        self.best = self.best_epoch = self.stopped_epoch = None

    def on_train_begin(self, logs=None):
        self.best = self.best_epoch = self.stopped_epoch = None
        self.best_weights = None
        self.wait = 0

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor not in (logs or {}):
            raise ValueError(f"expected {self.monitor!r} in the logs, received {sorted(logs or {})}")
        value = float(logs[self.monitor])
        if self._improves(value):
            self.best, self.best_epoch, self.wait = (value, epoch, 0)
            self.best_weights = [np.array(weight) for weight in self.model.get_weights()]
            return
        self.wait += 1
        if self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _improves(self, value):
        if self.best is None:
            return not np.isnan(value)
        if self.mode == "min":
            return value < self.best - self.min_delta
        return value > self.best + self.min_delta

    def on_train_end(self, logs=None):
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)


def average(predictions, weights=None):
    predictions = np.asarray(predictions)
    weights = np.ones(len(predictions)) if weights is None else np.asarray(weights, "float64")
    if weights.shape != predictions.shape[:1] or weights.min() < 0 or weights.sum() == 0:
        raise ValueError(f"expected {len(predictions)} weights of 0 or more, not all 0, received {weights}")
    return np.tensordot(weights / weights.sum(), predictions, axes=1)


def majority_vote(labels, classes):
    votes = np.asarray(labels)[..., None] == np.arange(classes)
    return votes.sum(axis=0).argmax(axis=-1)


def ambiguity(predictions, y):
    predictions = np.asarray(predictions, "float64")
    mean = predictions.mean(axis=0)
    return {
        "ensemble_error": float(np.mean((mean - y) ** 2)),
        "mean_error": float(np.mean((predictions - y) ** 2)),
        "diversity": float(np.mean((predictions - mean) ** 2)),
    }


def bootstrap(count, models, seed):
    draws = np.random.default_rng(seed).integers(count, size=(models, count))
    return [(rows, np.setdiff1d(np.arange(count), rows)) for rows in draws]


def ensemble(models):
    if not models:
        raise ValueError("expected at least one model, received none")
    inputs = keras.Input(models[0].input_shape[1:])
    outputs = ops.stack([model(inputs) for model in models])
    return keras.Model(inputs, ops.mean(outputs, axis=0))


def k_fold(groups, folds, seed):
    names = np.unique(groups)
    if not 2 <= folds <= len(names):
        raise ValueError(f"folds must be from 2 to {len(names)}, the number of groups, received {folds}")
    parts = np.array_split(np.random.default_rng(seed).permutation(names), folds)
    held_out = [np.isin(groups, part) for part in parts]
    return [(np.flatnonzero(~rows), np.flatnonzero(rows)) for rows in held_out]


def out_of_fold_predictions(make_model, x, y, pairs):
    order = np.concatenate([validation for _, validation in pairs])
    if not np.array_equal(np.sort(order), np.arange(len(x))):
        raise ValueError(f"expected each of {len(x)} rows in one validation part, received {order}")
    predictions = []
    for training, validation in pairs:
        model = make_model()
        model.fit(x[training], y[training])
        predictions.append(model.predict(x[validation]))
    return np.concatenate(predictions)[np.argsort(order)]


def one_standard_error(strengths, losses):
    strengths, losses = (np.asarray(strengths, "float64"), np.asarray(losses, "float64"))
    folds = losses.shape[1]
    if folds < 2:
        raise ValueError(f"expected the losses of two folds or more, received {folds}")
    means = losses.mean(axis=1)
    best = means.argmin()
    limit = means[best] + losses[best].std(ddof=1) / np.sqrt(folds)
    return float(strengths[means <= limit].max())
