"""Regularization: dropout, penalties, augmentation, early stopping, ensembles and cross-validation."""

import keras
import numpy as np
from keras import ops

# Overfitting


def training_objective(model, loss_fn, x, y):
    """What a training step minimizes: the loss in training mode, plus all penalties.

    Args:
        model: a built Keras model of one input and one output.
        loss_fn: callable (y, prediction) -> scalar tensor, the mean over the batch.
        x: array, samples first.
        y: array, samples first.

    Returns:
        Scalar tensor through which gradients flow to the weights.
    """
    # BEGIN SOLUTION
    return loss_fn(y, model(x, training=True)) + sum(model.losses)
    # END SOLUTION


def generalization_gap(model, loss_fn, train, validation):
    """How much worse a model is on data that it did not see: both losses at inference, without penalties.

    Args:
        model: a built Keras model of one input and one output; stays as it is.
        loss_fn: callable (y, prediction) -> scalar tensor, the mean over the batch.
        train: pair of arrays (x, y), samples first.
        validation: pair of arrays (x, y), samples first.

    Returns:
        dict of floats: "train", "validation" and "gap", validation minus train.
    """
    # BEGIN SOLUTION
    losses = [float(loss_fn(y, model(x, training=False))) for x, y in (train, validation)]
    return {"train": losses[0], "validation": losses[1], "gap": losses[1] - losses[0]}
    # END SOLUTION


# Dropout


@keras.saving.register_keras_serializable(package="dlquiz")
class Dropout(keras.layers.Layer):
    """Inverted dropout (Srivastava et al., 2014): in training a number is 0 with probability `rate`, and
    otherwise divided by 1 - rate. At inference, which is the default, nothing happens.

    Args:
        rate: float, 0 <= rate < 1, the probability to drop.
        noise_shape: None, or tuple or list with one entry for each axis of the input: 1 where the axis shares
            its mask, None where it does not.
        seed: int or None; equal seeds give equal sequences of masks.

    Input: float tensor of any rank, batch first.
    Output: the same shape, dtype `compute_dtype`. No weights; Keras masks are handed on.

    Raises:
        ValueError: in the constructor, when `rate` is out of its range.
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        # BEGIN SOLUTION
        if not 0 <= rate < 1:
            raise ValueError(f"rate must be at least 0 and below 1, received {rate}")
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        # END SOLUTION
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def call(self, inputs, training=False):
        # BEGIN SOLUTION
        if not training:
            return inputs
        shape = ops.shape(inputs)
        if self.noise_shape is not None:
            shape = [own or size for own, size in zip(self.noise_shape, shape, strict=True)]
        keep = keras.random.uniform(shape, seed=self.seed_generator) >= self.rate
        return ops.where(keep, inputs / (1 - self.rate), 0)
        # END SOLUTION

    def compute_output_shape(self, input_shape):
        # BEGIN SOLUTION
        return input_shape
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        own = {"rate": self.rate, "noise_shape": self.noise_shape, "seed": self.seed}
        return {**super().get_config(), **own}
        # END SOLUTION


# Penalties


@keras.saving.register_keras_serializable(package="dlquiz")
class ElasticNet(keras.regularizers.Regularizer):
    """The penalty l1 * sum(|w|) + l2 * sum(w^2) (Zou and Hastie, 2005).

    Args:
        l1: float, 0 or more.
        l2: float, 0 or more.

    Called with a float tensor of any shape; returns a scalar.

    Raises:
        ValueError: in the constructor, when a strength is negative.
    """

    def __init__(self, l1=0.01, l2=0.01):
        # BEGIN SOLUTION
        if l1 < 0 or l2 < 0:
            raise ValueError(f"strengths must not be negative, received l1={l1}, l2={l2}")
        # END SOLUTION
        self.l1 = l1
        self.l2 = l2

    def __call__(self, x):
        # BEGIN SOLUTION
        return self.l1 * ops.sum(ops.abs(x)) + self.l2 * ops.sum(ops.square(x))
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {"l1": self.l1, "l2": self.l2}
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class L1(keras.regularizers.Regularizer):
    """The penalty strength * sum(|w|), which makes weights exactly 0 (Tibshirani, 1996).

    Args:
        strength: float, 0 or more.

    Called with a float tensor of any shape; returns a scalar.

    Raises:
        ValueError: in the constructor, when the strength is negative.
    """

    def __init__(self, strength=0.01):
        # BEGIN SOLUTION
        if strength < 0:
            raise ValueError(f"strength must not be negative, received {strength}")
        # END SOLUTION
        self.strength = strength

    def __call__(self, x):
        # BEGIN SOLUTION
        return self.strength * ops.sum(ops.abs(x))
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {"strength": self.strength}
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class L2(keras.regularizers.Regularizer):
    """The penalty strength * sum(w^2), which keeps weights small; there is no factor 1/2.

    Args:
        strength: float, 0 or more.

    Called with a float tensor of any shape; returns a scalar.

    Raises:
        ValueError: in the constructor, when the strength is negative.
    """

    def __init__(self, strength=0.01):
        # BEGIN SOLUTION
        if strength < 0:
            raise ValueError(f"strength must not be negative, received {strength}")
        # END SOLUTION
        self.strength = strength

    def __call__(self, x):
        # BEGIN SOLUTION
        return self.strength * ops.sum(ops.square(x))
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {"strength": self.strength}
        # END SOLUTION


def soft_threshold(weights, amount):
    """Pull every weight towards 0 by `amount`, and not beyond: the proximal step of L1.

    Args:
        weights: float array or tensor of any shape.
        amount: float, 0 or more.

    Returns:
        Tensor of the shape and dtype of `weights`; exactly 0 where |weight| <= amount.
    """
    # BEGIN SOLUTION
    return ops.sign(weights) * ops.relu(ops.abs(weights) - amount)
    # END SOLUTION


# Transformations of images, one parameter an image


def _pixels_at(images, rows, columns):
    """Look up pixels by row and column, a table of them for each image; 0 where they lie outside.

    A helper that the tests never call: use it, change it or delete it.

    Args:
        images: float tensor (N, H, W, C).
        rows: int32 tensor that broadcasts to (N, H, W), any numbers.
        columns: int32 tensor that broadcasts to (N, H, W), any numbers.

    Returns:
        Tensor (N, H, W, C): at [n, i, j] the pixel images[n, rows[n, i, j], columns[n, i, j]].
    """
    # BEGIN SOLUTION
    count, height, width, channels = ops.shape(images)
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    first = ops.reshape(ops.arange(count, dtype="int32") * height * width, (-1, 1, 1))
    index = ops.where(inside, first + rows * width + columns, 0)
    pixels = ops.take(ops.reshape(images, (-1, channels)), index, axis=0)
    return ops.where(ops.expand_dims(inside, -1), pixels, 0)
    # END SOLUTION


def flip(images, flips, mode="horizontal"):
    """Mirror some images.

    Args:
        images: float tensor (N, H, W, C).
        flips: bools (N,), True for the images to be flipped.
        mode: "horizontal" (left and right change places) or "vertical" (top and bottom do).

    Returns:
        Tensor of the shape and dtype of `images`.

    Raises:
        ValueError: another mode.
    """
    # BEGIN SOLUTION
    if mode not in ("horizontal", "vertical"):
        raise ValueError(f"mode must be 'horizontal' or 'vertical', received {mode!r}")
    flipped = ops.flip(images, axis=2 if mode == "horizontal" else 1)
    return ops.where(ops.reshape(flips, (-1, 1, 1, 1)), flipped, images)
    # END SOLUTION


def shift(images, offsets):
    """Move each image by whole pixels; what comes in is 0.

    Args:
        images: float tensor (N, H, W, C).
        offsets: ints (N, 2): pixels down, pixels to the right; negative for up and left.

    Returns:
        Tensor of the shape and dtype of `images`.
    """
    # BEGIN SOLUTION
    offsets = ops.cast(offsets, "int32")
    down, right = ops.reshape(offsets[:, 0], (-1, 1, 1)), ops.reshape(offsets[:, 1], (-1, 1, 1))
    _, height, width, _ = ops.shape(images)
    rows = ops.reshape(ops.arange(height, dtype="int32"), (-1, 1))
    columns = ops.arange(width, dtype="int32")
    return _pixels_at(images, rows - down, columns - right)
    # END SOLUTION


def rotate(images, degrees):
    """Rotate each image about its centre, counter-clockwise for positive angles, with bilinear interpolation.

    Args:
        images: float tensor (N, H, W, C).
        degrees: floats (N,), one angle an image.

    Returns:
        Tensor of the shape and dtype of `images`. A neighbour outside the image counts as 0.
    """
    # BEGIN SOLUTION
    images = ops.convert_to_tensor(images)
    exact = ops.cast(images, "float32")
    _, height, width, _ = ops.shape(images)
    angle = ops.reshape(ops.cast(degrees, "float32"), (-1, 1, 1)) * (np.pi / 180)
    centre_row = (ops.cast(height, "float32") - 1) / 2
    centre_column = (ops.cast(width, "float32") - 1) / 2
    down = ops.reshape(ops.arange(height, dtype="float32"), (-1, 1)) - centre_row
    right = ops.arange(width, dtype="float32") - centre_column
    row = centre_row + right * ops.sin(angle) + down * ops.cos(angle)
    column = centre_column + right * ops.cos(angle) - down * ops.sin(angle)
    top, left = ops.floor(row), ops.floor(column)
    total = 0
    for i in (top, top + 1):
        for j in (left, left + 1):
            weight = (1 - ops.abs(row - i)) * (1 - ops.abs(column - j))
            pixels = _pixels_at(exact, ops.cast(i, "int32"), ops.cast(j, "int32"))
            total = total + ops.expand_dims(weight, -1) * pixels
    return ops.cast(total, images.dtype)
    # END SOLUTION


# Augmentation


class RandomAugmentation(keras.layers.Layer):
    """Base of the random layers: off at inference, which is the default; one image or a batch.

    Args:
        seed: int or None; equal seeds give equal sequences of transformations.

    Input: images (N, H, W, C) or one image (H, W, C), of any real dtype.
    Output: the same shape, dtype `compute_dtype`.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        # BEGIN SOLUTION
        self.seed_generator = keras.random.SeedGenerator(seed)
        # END SOLUTION

    def call(self, images, training=False):
        # BEGIN SOLUTION
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        if len(images.shape) == 3:
            return self.augment(images[None])[0]
        return self.augment(images)
        # END SOLUTION

    def augment(self, images):
        """Transform a batch (N, H, W, C) of dtype `compute_dtype` at random, each image by itself."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it augments")

    def compute_output_shape(self, input_shape):
        # BEGIN SOLUTION
        return input_shape
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {**super().get_config(), "seed": self.seed}
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomFlip(RandomAugmentation):
    """Flips each image with probability 1/2.

    Args:
        mode: "horizontal", "vertical", or "both": the two are then drawn independently.
        seed: int or None.

    Raises:
        ValueError: in the constructor, for another mode.
    """

    def __init__(self, mode="horizontal", seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        # BEGIN SOLUTION
        if mode not in ("horizontal", "vertical", "both"):
            raise ValueError(f"mode must be 'horizontal', 'vertical' or 'both', received {mode!r}")
        # END SOLUTION
        self.mode = mode

    def augment(self, images):
        # BEGIN SOLUTION
        for mode in ("horizontal", "vertical") if self.mode == "both" else (self.mode,):
            flips = keras.random.uniform(ops.shape(images)[:1], seed=self.seed_generator) < 0.5
            images = flip(images, flips, mode)
        return images
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {**super().get_config(), "mode": self.mode}
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomShift(RandomAugmentation):
    """Moves each image by whole pixels, down or up by 0 to `height`, left or right by 0 to `width`.

    Args:
        height: int, 0 or more, pixels.
        width: int, 0 or more, pixels.
        seed: int or None.

    Raises:
        ValueError: in the constructor, for a negative number of pixels.
    """

    def __init__(self, height, width, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        # BEGIN SOLUTION
        if height < 0 or width < 0:
            raise ValueError(f"pixels must not be negative, received height={height}, width={width}")
        # END SOLUTION
        self.height = height
        self.width = width

    def augment(self, images):
        # BEGIN SOLUTION
        offsets = [
            keras.random.randint(ops.shape(images)[:1], -most, most + 1, seed=self.seed_generator)
            for most in (self.height, self.width)
        ]
        return shift(images, ops.stack(offsets, axis=1))
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {**super().get_config(), "height": self.height, "width": self.width}
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomRotation(RandomAugmentation):
    """Rotates each image by an angle that is uniform between -degrees and degrees.

    Args:
        degrees: float, 0 to 180.
        seed: int or None.

    Raises:
        ValueError: in the constructor, for degrees out of that range.
    """

    def __init__(self, degrees, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        # BEGIN SOLUTION
        if not 0 <= degrees <= 180:
            raise ValueError(f"degrees must be from 0 to 180, received {degrees}")
        # END SOLUTION
        self.degrees = degrees

    def augment(self, images):
        # BEGIN SOLUTION
        angles = keras.random.uniform(
            ops.shape(images)[:1], -self.degrees, self.degrees, seed=self.seed_generator
        )
        return rotate(images, angles)
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {**super().get_config(), "degrees": self.degrees}
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomNoise(RandomAugmentation):
    """Adds Gaussian noise of mean 0 to every number by itself.

    Args:
        stddev: float, 0 or more, the noise's standard deviation in the units of the pixels.
        seed: int or None.

    Raises:
        ValueError: in the constructor, for a negative standard deviation.
    """

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        # BEGIN SOLUTION
        if stddev < 0:
            raise ValueError(f"stddev must not be negative, received {stddev}")
        # END SOLUTION
        self.stddev = stddev

    def augment(self, images):
        # BEGIN SOLUTION
        noise = keras.random.normal(ops.shape(images), stddev=self.stddev, seed=self.seed_generator)
        return images + ops.cast(noise, images.dtype)
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {**super().get_config(), "stddev": self.stddev}
        # END SOLUTION


# Early stopping


class EarlyStopping(keras.callbacks.Callback):
    """Stops training when a value no longer improves, and gives the model its best weights back.

    Args:
        monitor: str, the key of the epoch's logs to look at.
        mode: "min" if smaller is better, "max" if larger is.
        min_delta: float, 0 or more; an improvement is larger than this.
        patience: int, 1 or more: the epochs in a row without improvement after which training stops.

    Attributes:
        best: value of the last improvement, or None.
        best_epoch: its epoch, or None.
        stopped_epoch: the epoch in which training was stopped, or None.

    Raises:
        ValueError: in the constructor, for arguments out of these ranges; after an epoch whose logs lack
            `monitor`.
    """

    def __init__(self, monitor="val_loss", mode="min", min_delta=0.0, patience=1):
        super().__init__()
        # BEGIN SOLUTION
        if mode not in ("min", "max"):
            raise ValueError(f"mode must be 'min' or 'max', received {mode!r}")
        if min_delta < 0:
            raise ValueError(f"min_delta must not be negative, received {min_delta}")
        if patience < 1:
            raise ValueError(f"patience must be at least 1, received {patience}")
        # END SOLUTION
        self.monitor = monitor
        self.mode = mode
        self.min_delta = min_delta
        self.patience = patience
        self.best = self.best_epoch = self.stopped_epoch = None

    def on_train_begin(self, logs=None):
        # BEGIN SOLUTION
        self.best = self.best_epoch = self.stopped_epoch = None
        self.best_weights = None
        self.wait = 0
        # END SOLUTION

    def on_epoch_end(self, epoch, logs=None):
        # BEGIN SOLUTION
        if self.monitor not in (logs or {}):
            raise ValueError(f"expected {self.monitor!r} in the logs, received {sorted(logs or {})}")
        value = float(logs[self.monitor])
        if self._improves(value):
            self.best, self.best_epoch, self.wait = value, epoch, 0
            self.best_weights = [np.array(weight) for weight in self.model.get_weights()]
            return
        self.wait += 1
        if self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True
        # END SOLUTION

    def _improves(self, value):
        """Whether `value` is an improvement on `self.best`. A helper that the tests never call."""
        # BEGIN SOLUTION
        if self.best is None:
            return not np.isnan(value)
        if self.mode == "min":
            return value < self.best - self.min_delta
        return value > self.best + self.min_delta
        # END SOLUTION

    def on_train_end(self, logs=None):
        # BEGIN SOLUTION
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
        # END SOLUTION


# Ensembles


def average(predictions, weights=None):
    """The mean of the members' predictions, weighted if asked for.

    Args:
        predictions: array (M, ...), one entry a member.
        weights: None, or M numbers of 0 or more that need not add up to 1.

    Returns:
        Array (...), float.

    Raises:
        ValueError: another number of weights than M, a negative weight, or all weights 0.
    """
    # BEGIN SOLUTION
    predictions = np.asarray(predictions)
    weights = np.ones(len(predictions)) if weights is None else np.asarray(weights, "float64")
    if weights.shape != predictions.shape[:1] or weights.min() < 0 or weights.sum() == 0:
        raise ValueError(f"expected {len(predictions)} weights of 0 or more, not all 0, received {weights}")
    return np.tensordot(weights / weights.sum(), predictions, axes=1)
    # END SOLUTION


def majority_vote(labels, classes):
    """The label that most members chose; on a tie the smallest.

    Args:
        labels: ints (M, N) from 0 to classes - 1.
        classes: int.

    Returns:
        Ints (N,).
    """
    # BEGIN SOLUTION
    votes = np.asarray(labels)[..., None] == np.arange(classes)
    return votes.sum(axis=0).argmax(axis=-1)
    # END SOLUTION


def ambiguity(predictions, y):
    """The error of an averaging ensemble, its members' mean error, and their diversity (Krogh and Vedelsby).

    Args:
        predictions: floats (M, N), one row a member.
        y: floats (N,).

    Returns:
        dict of floats "ensemble_error", "mean_error", "diversity": mean squares over all members and rows.
    """
    # BEGIN SOLUTION
    predictions = np.asarray(predictions, "float64")
    mean = predictions.mean(axis=0)
    return {
        "ensemble_error": float(np.mean((mean - y) ** 2)),
        "mean_error": float(np.mean((predictions - y) ** 2)),
        "diversity": float(np.mean((predictions - mean) ** 2)),
    }
    # END SOLUTION


def bootstrap(count, models, seed):
    """Draw the rows that each member of a bagging ensemble is trained on.

    Args:
        count: int, the number of rows, and of draws.
        models: int, the number of members.
        seed: int, decides everything.

    Returns:
        list of `models` pairs of int arrays: `count` rows drawn with replacement; the rows never drawn, in
        increasing order.
    """
    # BEGIN SOLUTION
    draws = np.random.default_rng(seed).integers(count, size=(models, count))
    return [(rows, np.setdiff1d(np.arange(count), rows)) for rows in draws]
    # END SOLUTION


def ensemble(models):
    """One model whose output is the mean of its members' outputs.

    Args:
        models: list of built Keras models with different names, one input of the same shape each, and one
            output of the same shape.

    Returns:
        keras.Model that holds the members; its weights are theirs.

    Raises:
        ValueError: no models.
    """
    # BEGIN SOLUTION
    if not models:
        raise ValueError("expected at least one model, received none")
    inputs = keras.Input(models[0].input_shape[1:])
    outputs = ops.stack([model(inputs) for model in models])
    return keras.Model(inputs, ops.mean(outputs, axis=0))
    # END SOLUTION


# Cross-validation


def k_fold(groups, folds, seed):
    """Part rows into folds that split no group.

    Args:
        groups: ints (n,); rows with the same number belong together.
        folds: int, from 2 to the number of groups.
        seed: int, decides which groups go where.

    Returns:
        list of `folds` pairs (training, validation) of int arrays, in increasing order. Each row is validated
        once; the folds' numbers of groups differ by at most 1.

    Raises:
        ValueError: `folds` out of its range.
    """
    # BEGIN SOLUTION
    names = np.unique(groups)
    if not 2 <= folds <= len(names):
        raise ValueError(f"folds must be from 2 to {len(names)}, the number of groups, received {folds}")
    parts = np.array_split(np.random.default_rng(seed).permutation(names), folds)
    held_out = [np.isin(groups, part) for part in parts]
    return [(np.flatnonzero(~rows), np.flatnonzero(rows)) for rows in held_out]
    # END SOLUTION


def out_of_fold_predictions(make_model, x, y, pairs):
    """Predict each row by a model that never saw it.

    Args:
        make_model: callable without arguments; makes a new object with fit(x, y) and predict(x).
        x: array (n, ...).
        y: array (n, ...).
        pairs: list of (training, validation), arrays of row numbers.

    Returns:
        Array (n, ...), row i the prediction for row i of x, of the predictions' dtype.

    Raises:
        ValueError: the validation parts do not hold every row exactly once.
    """
    # BEGIN SOLUTION
    order = np.concatenate([validation for _, validation in pairs])
    if not np.array_equal(np.sort(order), np.arange(len(x))):
        raise ValueError(f"expected each of {len(x)} rows in one validation part, received {order}")
    predictions = []
    for training, validation in pairs:
        model = make_model()
        model.fit(x[training], y[training])
        predictions.append(model.predict(x[validation]))
    return np.concatenate(predictions)[np.argsort(order)]
    # END SOLUTION


def one_standard_error(strengths, losses):
    """The strongest regularization whose mean loss is within one standard error of the best (Breiman et al.).

    Args:
        strengths: floats (S,), in any order.
        losses: floats (S, k), a row for each strength, a column for each fold.

    Returns:
        float, one of the strengths.

    Raises:
        ValueError: fewer than two folds.
    """
    # BEGIN SOLUTION
    strengths, losses = np.asarray(strengths, "float64"), np.asarray(losses, "float64")
    folds = losses.shape[1]
    if folds < 2:
        raise ValueError(f"expected the losses of two folds or more, received {folds}")
    means = losses.mean(axis=1)
    best = means.argmin()
    limit = means[best] + losses[best].std(ddof=1) / np.sqrt(folds)
    return float(strengths[means <= limit].max())
    # END SOLUTION
