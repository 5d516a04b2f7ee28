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
    raise NotImplementedError


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
    raise NotImplementedError


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
        raise NotImplementedError
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def call(self, inputs, training=False):
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


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
        raise NotImplementedError
        self.l1 = l1
        self.l2 = l2

    def __call__(self, x):
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


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
        raise NotImplementedError
        self.strength = strength

    def __call__(self, x):
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


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
        raise NotImplementedError
        self.strength = strength

    def __call__(self, x):
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


def soft_threshold(weights, amount):
    """Pull every weight towards 0 by `amount`, and not beyond: the proximal step of L1.

    Args:
        weights: float array or tensor of any shape.
        amount: float, 0 or more.

    Returns:
        Tensor of the shape and dtype of `weights`; exactly 0 where |weight| <= amount.
    """
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


def shift(images, offsets):
    """Move each image by whole pixels; what comes in is 0.

    Args:
        images: float tensor (N, H, W, C).
        offsets: ints (N, 2): pixels down, pixels to the right; negative for up and left.

    Returns:
        Tensor of the shape and dtype of `images`.
    """
    raise NotImplementedError


def rotate(images, degrees):
    """Rotate each image about its centre, counter-clockwise for positive angles, with bilinear interpolation.

    Args:
        images: float tensor (N, H, W, C).
        degrees: floats (N,), one angle an image.

    Returns:
        Tensor of the shape and dtype of `images`. A neighbour outside the image counts as 0.
    """
    raise NotImplementedError


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
        raise NotImplementedError

    def call(self, images, training=False):
        raise NotImplementedError

    def augment(self, images):
        """Transform a batch (N, H, W, C) of dtype `compute_dtype` at random, each image by itself."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it augments")

    def compute_output_shape(self, input_shape):
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


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
        raise NotImplementedError
        self.mode = mode

    def augment(self, images):
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


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
        raise NotImplementedError
        self.height = height
        self.width = width

    def augment(self, images):
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


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
        raise NotImplementedError
        self.degrees = degrees

    def augment(self, images):
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


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
        raise NotImplementedError
        self.stddev = stddev

    def augment(self, images):
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


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
        raise NotImplementedError
        self.monitor = monitor
        self.mode = mode
        self.min_delta = min_delta
        self.patience = patience
        self.best = self.best_epoch = self.stopped_epoch = None

    def on_train_begin(self, logs=None):
        raise NotImplementedError

    def on_epoch_end(self, epoch, logs=None):
        raise NotImplementedError

    def _improves(self, value):
        """Whether `value` is an improvement on `self.best`. A helper that the tests never call."""
        raise NotImplementedError

    def on_train_end(self, logs=None):
        raise NotImplementedError


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
    raise NotImplementedError


def majority_vote(labels, classes):
    """The label that most members chose; on a tie the smallest.

    Args:
        labels: ints (M, N) from 0 to classes - 1.
        classes: int.

    Returns:
        Ints (N,).
    """
    raise NotImplementedError


def ambiguity(predictions, y):
    """The error of an averaging ensemble, its members' mean error, and their diversity (Krogh and Vedelsby).

    Args:
        predictions: floats (M, N), one row a member.
        y: floats (N,).

    Returns:
        dict of floats "ensemble_error", "mean_error", "diversity": mean squares over all members and rows.
    """
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError
