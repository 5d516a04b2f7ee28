"""Flips, shifts, rotations as matrices over pixels; draws by other distributions; stopping from the history."""

import keras
import numpy as np
from keras import ops


def training_objective(model, loss_fn, x, y):
    loss = loss_fn(y, model(x, training=True))
    for penalty in model.losses:
        loss = loss + penalty
    return loss


def generalization_gap(model, loss_fn, train, validation):
    found = {}
    for name, (x, y) in {"train": train, "validation": validation}.items():
        found[name] = float(loss_fn(y, model(x)))
    return {**found, "gap": found["validation"] - found["train"]}


def _symmetric(layer, shape):
    """Uniform from -1 to 1, as a difference that wraps around."""
    first = keras.random.uniform(shape, seed=layer.draws)
    second = keras.random.uniform(shape, seed=layer.draws)
    return 2 * ((first - second) % 1) - 1


@keras.saving.register_keras_serializable(package="dlquiz")
class Dropout(keras.layers.Layer):
    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not (rate >= 0 and rate < 1):
            raise ValueError(f"rate {rate}")
        self.rate = rate
        self.noise_shape = None if noise_shape is None else list(noise_shape)
        self.seed = seed
        self.supports_masking = True
        self.draws = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if training and self.rate:
            shape = list(ops.shape(inputs))
            for axis, own in enumerate(self.noise_shape or []):
                if own is not None:
                    shape[axis] = own
            kept = keras.random.binomial(shape, 1, 1 - self.rate, seed=self.draws)
            return inputs * ops.cast(kept, inputs.dtype) / (1 - self.rate)
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"rate": self.rate, "noise_shape": self.noise_shape, "seed": self.seed}


@keras.saving.register_keras_serializable(package="dlquiz")
class L1(keras.regularizers.Regularizer):
    def __init__(self, strength=0.01):
        self.strength = strength
        if strength < 0:
            raise ValueError("negative")

    def __call__(self, x):
        return ops.sum(self.strength * ops.maximum(x, -x))

    def get_config(self):
        return dict(vars(self))


@keras.saving.register_keras_serializable(package="dlquiz")
class L2(L1):
    def __call__(self, x):
        flat = ops.reshape(x, (-1,))
        return ops.dot(flat, flat) * self.strength


@keras.saving.register_keras_serializable(package="dlquiz")
class ElasticNet(keras.regularizers.Regularizer):
    def __init__(self, l1=0.01, l2=0.01):
        self.parts = L1(l1), L2(l2)

    def __call__(self, x):
        return self.parts[0](x) + self.parts[1](x)

    def get_config(self):
        return {"l1": self.parts[0].strength, "l2": self.parts[1].strength}


def soft_threshold(weights, amount):
    weights = ops.convert_to_tensor(weights)
    return weights - ops.clip(weights, -amount, amount)


def _apply(matrix, images, path):
    return ops.cast(ops.einsum(path, matrix, ops.cast(images, "float32")), images.dtype)


def _numbers(images, axis):
    return ops.cast(ops.arange(ops.shape(images)[axis]), "float32")


def flip(images, flips, mode="horizontal"):
    """By the matrix of 0 and 1 that has its ones on the one diagonal or the other."""
    if mode not in ("horizontal", "vertical"):
        raise ValueError(mode)
    images = ops.convert_to_tensor(images)
    axis = 1 if mode == "vertical" else 2
    place = _numbers(images, axis)
    flips = ops.reshape(ops.cast(flips, "float32"), (-1, 1, 1))
    last = ops.cast(ops.shape(images)[axis], "float32") - 1
    target = flips * (last - place[:, None]) + (1 - flips) * place[:, None]
    matrix = ops.cast(ops.equal(target, place), "float32")
    return _apply(matrix, images, "nij,njwc->niwc" if axis == 1 else "nij,nhjc->nhic")


def shift(images, offsets):
    images = ops.convert_to_tensor(images)
    offsets = ops.cast(offsets, "float32")
    for axis, path in ((1, "nij,njwc->niwc"), (2, "nij,nhjc->nhic")):
        place = _numbers(images, axis)
        source = place[:, None] - ops.reshape(offsets[:, axis - 1], (-1, 1, 1))
        images = _apply(ops.cast(ops.equal(source, place), "float32"), images, path)
    return images


def rotate(images, degrees):
    """Every pixel against every other: the weight is a product of two hats."""
    images = ops.convert_to_tensor(images)
    angle = ops.cast(degrees, "float32")[:, None, None] * np.pi / 180
    rows, columns = _numbers(images, 1), _numbers(images, 2)
    middle = ops.max(rows) / 2, ops.max(columns) / 2
    down, right = (rows - middle[0])[:, None], columns - middle[1]
    row = middle[0] + ops.cos(angle) * down + ops.sin(angle) * right
    column = middle[1] + ops.cos(angle) * right - ops.sin(angle) * down
    over_rows = ops.relu(1 - ops.abs(row[..., None] - rows))
    over_columns = ops.relu(1 - ops.abs(column[..., None] - columns))
    matrix = over_rows[..., None] * over_columns[..., None, :]
    return _apply(matrix, images, "nhwij,nijc->nhwc")


class RandomAugmentation(keras.layers.Layer):
    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.draws = keras.random.SeedGenerator(seed)

    def call(self, images, training=False):
        images = ops.cast(images, self.compute_dtype)
        if training:
            shape = ops.shape(images)
            batch = ops.reshape(images, (-1, *shape[-3:]))
            images = ops.reshape(self.augment(batch), shape)
        return images

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"seed": self.seed, **self.settings}


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomFlip(RandomAugmentation):
    def __init__(self, mode="horizontal", seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.settings = {"mode": mode}
        self.modes = {
            "horizontal": ["horizontal"],
            "vertical": ["vertical"],
            "both": ["vertical", "horizontal"],
        }.get(mode)
        if self.modes is None:
            raise ValueError(mode)

    def augment(self, images):
        for mode in self.modes:
            images = flip(images, keras.random.normal((ops.shape(images)[0],), seed=self.draws) > 0, mode)
        return images


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomShift(RandomAugmentation):
    def __init__(self, height, width, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        for most in (height, width):
            if most < 0:
                raise ValueError(most)
        self.settings = {"height": height, "width": width}

    def augment(self, images):
        count = ops.shape(images)[0]
        offsets = [ops.round(_symmetric(self, (count,)) * (most + 0.5)) for most in self.settings.values()]
        limits = [ops.clip(offset, -most, most) for offset, most in zip(offsets, self.settings.values())]
        return shift(images, ops.stack(limits, -1))


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomRotation(RandomAugmentation):
    def __init__(self, degrees, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        if abs(degrees - 90) > 90:
            raise ValueError(degrees)
        self.settings = {"degrees": degrees}

    def augment(self, images):
        return rotate(images, self.settings["degrees"] * _symmetric(self, (ops.shape(images)[0],)))


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomNoise(RandomAugmentation):
    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        if stddev < 0:
            raise ValueError(stddev)
        self.settings = {"stddev": stddev}

    def augment(self, images):
        """Box and Muller: a length and an angle."""
        length = keras.random.uniform(ops.shape(images), seed=self.draws)
        angle = keras.random.uniform(ops.shape(images), seed=self.draws)
        noise = ops.sqrt(-2 * ops.log(1 - length)) * ops.cos(2 * np.pi * angle)
        return images + ops.cast(noise * self.settings["stddev"], images.dtype)


class EarlyStopping(keras.callbacks.Callback):
    def __init__(self, monitor="val_loss", mode="min", min_delta=0.0, patience=1):
        super().__init__()
        if mode == "min":
            self.better = lambda value, best: value + min_delta < best
        elif mode == "max":
            self.better = lambda value, best: value - min_delta > best
        else:
            raise ValueError(mode)
        if not patience >= 1 or not min_delta >= 0:
            raise ValueError((patience, min_delta))
        self.monitor, self.patience = monitor, patience
        self.history = []

    def on_train_begin(self, logs=None):
        self.history = []

    def _improvements(self):
        """Epochs and values of all improvements in the history."""
        found = []
        for epoch, value, _ in self.history:
            if value == value and (not found or self.better(value, found[-1][1])):
                found.append((epoch, value))
        return found

    @property
    def best(self):
        return self._improvements()[-1][1] if self._improvements() else None

    @property
    def best_epoch(self):
        return self._improvements()[-1][0] if self._improvements() else None

    @property
    def stopped_epoch(self):
        last = self.history[-1][0] if self.history else None
        return last if last is not None and self._waited() >= self.patience else None

    def _waited(self):
        epochs = [epoch for epoch, *_ in self.history]
        return len(epochs) if self.best_epoch is None else len(epochs) - 1 - epochs.index(self.best_epoch)

    def on_epoch_end(self, epoch, logs=None):
        try:
            value = logs[self.monitor]
        except KeyError:
            raise ValueError(f"no {self.monitor}") from None
        self.history.append((epoch, float(value), [np.copy(weight) for weight in self.model.get_weights()]))
        if self._waited() >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        for epoch, _, weights in self.history:
            if epoch == self.best_epoch:
                self.model.set_weights(weights)


def average(predictions, weights=None):
    predictions = np.asarray(predictions, "float64")
    if weights is not None:
        if len(weights) != len(predictions) or min(weights) < 0 or max(weights) == 0:
            raise ValueError(weights)
    return np.average(predictions, axis=0, weights=weights)


def majority_vote(labels, classes):
    return np.array([np.argmax(np.bincount(column, minlength=classes)) for column in np.transpose(labels)])


def ambiguity(predictions, y):
    residuals = np.asarray(predictions, "float64") - np.asarray(y)
    whole, each = float((residuals.mean(0) ** 2).mean()), float((residuals**2).mean())
    return {"ensemble_error": whole, "mean_error": each, "diversity": each - whole}


def bootstrap(count, models, seed):
    pairs = []
    for child in np.random.SeedSequence(seed).spawn(models):
        rows = np.random.default_rng(child).choice(count, size=count)
        pairs.append((rows, np.array(sorted(set(range(count)) - set(rows.tolist())), dtype=int)))
    return pairs


def ensemble(models):
    if not len(models):
        raise ValueError("none")
    inputs = keras.Input(models[0].input_shape[1:])
    outputs = [model(inputs) for model in models]
    mean = keras.layers.Average()(outputs) if len(outputs) > 1 else outputs[0]
    return keras.Model(inputs, mean)


def k_fold(groups, folds, seed):
    groups = list(np.asarray(groups))
    names = sorted(set(groups))
    if not 1 < folds <= len(names):
        raise ValueError(folds)
    np.random.RandomState(seed).shuffle(names)
    pairs = []
    for fold in range(folds):
        held = set(names[fold::folds])
        validation = [row for row, name in enumerate(groups) if name in held]
        training = [row for row, name in enumerate(groups) if name not in held]
        pairs.append((np.array(training), np.array(validation)))
    return pairs


def out_of_fold_predictions(make_model, x, y, pairs):
    if sorted(row for _, rows in pairs for row in rows) != list(range(len(x))):
        raise ValueError("no partition")
    by_row = {}
    for training, validation in pairs:
        model = make_model()
        model.fit(x[training], y[training])
        by_row.update(zip(validation.tolist(), model.predict(x[validation]), strict=True))
    return np.stack([by_row[row] for row in range(len(x))])


def one_standard_error(strengths, losses):
    losses = [list(map(float, row)) for row in losses]
    folds = len(losses[0])
    if folds < 2:
        raise ValueError(folds)
    means = [sum(row) / folds for row in losses]
    best = min(range(len(means)), key=means.__getitem__)
    squares = sum((loss - means[best]) ** 2 for loss in losses[best])
    limit = means[best] + (squares / (folds - 1) / folds) ** 0.5
    for strength, mean in sorted(zip(strengths, means), reverse=True):
        if mean <= limit:
            return float(strength)
