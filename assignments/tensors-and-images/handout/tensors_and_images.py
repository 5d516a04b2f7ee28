"""What happens to data before a network sees them: images, features, labels, splits, batches.

"Half up" is floor(v + 0.5). Functions return new arrays and leave their arguments as they are.
"""

import numpy as np


def _round_half_up(values):
    """The nearest whole number, halves upwards; the result is still a float array. Given."""
    return np.floor(np.asarray(values) + 0.5)


# 1. Images as tensors


def to_float(image):
    """Bytes from 0 to 255 as floats from 0 to 1.

    Args:
        image: uint8 array of any shape.

    Returns:
        float32 array of the same shape.
    """
    raise NotImplementedError


def to_uint8(image):
    """Floats from 0 to 1 as bytes from 0 to 255, rounded half up; what lies outside 0 to 1 is clipped.

    Args:
        image: float32 or float64 array of any shape.

    Returns:
        uint8 array of the same shape.
    """
    raise NotImplementedError


def to_grey(image):
    """The luma of ITU-R BT.601: 0.299 red + 0.587 green + 0.114 blue.

    Args:
        image: uint8 or float32 array of shape (..., 3).

    Returns:
        Array of shape (..., 1) and the dtype of `image`; uint8 is rounded to the nearest.
    """
    raise NotImplementedError


def to_rgb(image):
    """A grey image with its value in each of three channels.

    Args:
        image: array of shape (..., 1).

    Returns:
        Array of shape (..., 3) and the dtype of `image`.
    """
    raise NotImplementedError


def channels_first(images):
    """Move the channels before height and width.

    Args:
        images: array of shape (N, H, W, C).

    Returns:
        Array of shape (N, C, H, W) and the dtype of `images`.
    """
    raise NotImplementedError


# 2. Counting colours


def _codes(image):
    """One whole number for each pixel, equal only for equal colours, and in the order of the colours.

    A helper that the tests never call: use it, change it or delete it.

    Args:
        image: uint8 array of shape (H, W, C), C from 1 to 4.

    Returns:
        Whole numbers of shape (H, W).
    """
    raise NotImplementedError


def count_colours(image):
    """How many different colours an image has.

    Args:
        image: uint8 array of shape (H, W, C), C from 1 to 4. A colour is all C channels of a pixel.

    Returns:
        An int.
    """
    raise NotImplementedError


def palette(image, size):
    """The most frequent colours; of equally frequent ones the smaller first, channel by channel.

    Args:
        image: uint8 array of shape (H, W, C), C from 1 to 4.
        size: int, how many colours, at least 1.

    Returns:
        (colours, counts): a uint8 array of shape (n, C) and whole numbers of shape (n,). n is `size`, or the number of
        colours where that is less.
    """
    raise NotImplementedError


# 3. Alpha blending


def blend(front, back, alpha):
    """alpha * front + (1 - alpha) * back.

    Args:
        front: uint8 or float32 image (H, W, C).
        back: image of the same shape and dtype.
        alpha: number from 0 to 1, or float array of shape (H, W) of such numbers.

    Returns:
        Image of the same shape and dtype; uint8 is rounded half up.

    Raises:
        ValueError: shapes or dtypes differ; an alpha is outside 0 to 1 or NaN, or its array not of shape (H, W).
    """
    raise NotImplementedError


def over(front, back):
    """One straight-alpha image over another (Porter and Duff, 1984).

    Args:
        front: float32 RGBA image (H, W, 4), values from 0 to 1.
        back: the same.

    Returns:
        float32 RGBA image of the same shape; four zeros where the resulting alpha is 0.
    """
    raise NotImplementedError


# 4. Pixel work without loops


def replace_colour(image, old, new):
    """Give every pixel of one colour another one.

    Args:
        image: uint8 array of shape (H, W, C).
        old: sequence of C ints from 0 to 255; a pixel has to agree in all of them.
        new: sequence of C ints from 0 to 255.

    Returns:
        uint8 array of the same shape.
    """
    raise NotImplementedError


def apply_table(image, table):
    """Look every pixel up in a table.

    Args:
        image: uint8 array of any shape.
        table: array of shape (256,) or (256, K).

    Returns:
        Array of the shape of `image`, with K as a further axis for a table of (256, K); the dtype of `table`.
    """
    raise NotImplementedError


def shrink(image, factor):
    """The mean of each block of factor x factor pixels; rows and columns that are left over are dropped.

    Args:
        image: uint8 array of shape (H, W, C).
        factor: int.

    Returns:
        uint8 array of shape (H // factor, W // factor, C), rounded half up.

    Raises:
        ValueError: `factor` is below 1, or greater than H or W.
    """
    raise NotImplementedError


# 5. Scaling features


class MinMax:
    """(x - min) / (max - min), with the minimum and maximum that each feature has in the training data.

    The last axis is the features. A feature that is constant in the training data is divided by 1.
    """

    def fit(self, x):
        """Learn from training data: array (..., features) of uint8, int64, float32 or float64. Returns self."""
        raise NotImplementedError

    def transform(self, x):
        """Scale an array (..., features) with what was learned: float32 of the same shape, not clipped."""
        raise NotImplementedError

    def inverse(self, x):
        """Undo `transform`: float32 of the same shape."""
        raise NotImplementedError


class ZScore:
    """(x - mean) / sigma, with the mean and the biased standard deviation that each feature has in the training data.

    The last axis is the features. A feature that is constant in the training data has its value for a mean and is
    divided by 1.
    """

    def fit(self, x):
        """Learn from training data: array (..., features) of uint8, int64, float32 or float64. Returns self."""
        raise NotImplementedError

    def transform(self, x):
        """Scale an array (..., features) with what was learned: float32 of the same shape."""
        raise NotImplementedError

    def inverse(self, x):
        """Undo `transform`: float32 of the same shape."""
        raise NotImplementedError


# 6. Labels and one-hot vectors


def label_ids(names, classes):
    """The position of each name among the classes.

    Args:
        names: list of n texts.
        classes: list of different texts, in any order.

    Returns:
        Whole numbers of shape (n,).

    Raises:
        ValueError: a name is no class.
    """
    raise NotImplementedError


def one_hot(labels, classes):
    """A vector for each label, 1 at the label's place and 0 elsewhere.

    Args:
        labels: whole numbers of any integer dtype and any shape.
        classes: int, the number of classes.

    Returns:
        float32 array of shape (*labels.shape, classes).

    Raises:
        ValueError: a label is below 0, or not below `classes`.
    """
    raise NotImplementedError


# 7. Training, validation and test


def _part(rows, validation, test):
    """Part `rows` as they stand into three: training, validation, test.

    A helper that the tests never call: use it, change it or delete it.

    Raises:
        ValueError: a share is not above 0, the shares are not below 1 together, or a part would be empty.
    """
    raise NotImplementedError


def split(count, validation, test, seed):
    """Part row numbers at random into training, validation and test.

    Args:
        count: int, the number of rows.
        validation: float, the share of the rows that validation gets.
        test: float, the share that the test set gets.
        seed: int; equal seeds give equal parts.

    Returns:
        (training, validation, test): int arrays of shape (n,), in any order. Validation has round(validation * count)
        rows, test round(test * count), half up; training the rest.

    Raises:
        ValueError: a share is not above 0, the shares are not below 1 together, or a part would be empty.
    """
    raise NotImplementedError


def stratified_split(labels, validation, test, seed):
    """Part row numbers at random, each class by itself with the rule of `split`.

    Args:
        labels: int array of shape (n,), any values.
        validation, test, seed: as in `split`.

    Returns:
        (training, validation, test): int arrays, each in any order.

    Raises:
        ValueError: as in `split`, for any class.
    """
    raise NotImplementedError


# 8. Cross-validation


def _deal(cards, folds):
    """Deal row numbers to folds like cards: pairs of (all others', its own) rows.

    A helper that the tests never call: use it, change it or delete it.
    """
    raise NotImplementedError


def k_fold(count, folds, seed):
    """Part row numbers at random into folds, each of which is the validation set once.

    Args:
        count: int, the number of rows.
        folds: int.
        seed: int; equal seeds give equal folds.

    Returns:
        List of `folds` pairs (training, validation) of int arrays; sizes of validation parts differ by at most 1.

    Raises:
        ValueError: not 2 <= folds <= count.
    """
    raise NotImplementedError


def stratified_k_fold(labels, folds, seed):
    """`k_fold` with every class spread evenly.

    Args:
        labels: int array of shape (n,), any values.
        folds: int.
        seed: int; equal seeds give equal folds.

    Returns:
        List of `folds` pairs (training, validation) of int arrays. The numbers of a class in the validation parts
        differ by at most 1, and so do the sizes of the validation parts.

    Raises:
        ValueError: folds < 2, or a class has fewer rows than there are folds.
    """
    raise NotImplementedError


def cross_validate(x, y, folds, make_scaler, evaluate):
    """Score a way of training on each fold, with a scaler that knows the fold's training rows only.

    Args:
        x: array of shape (n, F).
        y: array of shape (n,).
        folds: list of pairs (training, validation) of int arrays.
        make_scaler: called without arguments, gives a new scaler with `fit(x)`, which returns it, and `transform(x)`.
        evaluate: called as evaluate(x_train, y_train, x_validation, y_validation), gives a number.

    Returns:
        (mean, scores): the mean of the scores, a float, and the list of the scores, fold by fold.
    """
    raise NotImplementedError


# 9. Epochs, batches, iterations, devices


def _check_counts(**counts):
    """Raise ValueError for a count below 1. Given."""
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"expected at least 1 as {name}, received {count}")


def iterations_per_epoch(samples, batch_size, drop_remainder=False):
    """How many batches an epoch has.

    Args:
        samples: int, at least 1.
        batch_size: int, at least 1.
        drop_remainder: bool, whether a last batch that is not full is left out.

    Returns:
        An int, exact.

    Raises:
        ValueError: a count is below 1.
    """
    raise NotImplementedError


def last_batch_size(samples, batch_size):
    """How many samples the last batch of an epoch has, when none is dropped.

    Args:
        samples: int, at least 1.
        batch_size: int, at least 1.

    Returns:
        An int, exact.

    Raises:
        ValueError: a count is below 1.
    """
    raise NotImplementedError


def training_iterations(samples, batch_size, epochs, drop_remainder=False):
    """How many iterations a training of whole epochs has.

    Args:
        samples: int, at least 1.
        batch_size: int, at least 1.
        epochs: int, at least 1.
        drop_remainder: bool, as in `iterations_per_epoch`.

    Returns:
        An int, exact.

    Raises:
        ValueError: a count is below 1.
    """
    raise NotImplementedError


def epochs_completed(iterations, samples, batch_size, drop_remainder=False):
    """How many whole epochs are finished after some iterations.

    Args:
        iterations: int, at least 0.
        samples: int, at least 1.
        batch_size: int, at least 1.
        drop_remainder: bool, as in `iterations_per_epoch`.

    Returns:
        An int, exact.

    Raises:
        ValueError: iterations below 0, another count below 1, or an epoch without a batch.
    """
    raise NotImplementedError


def global_batch_size(per_device, devices, accumulation=1):
    """How many samples stand behind one update.

    Args:
        per_device: int, the samples that one device takes at a time, at least 1.
        devices: int, at least 1.
        accumulation: int, how many times each device does so before the update, at least 1.

    Returns:
        An int, exact.

    Raises:
        ValueError: a count is below 1.
    """
    raise NotImplementedError


def updates_per_epoch(samples, per_device, devices, accumulation=1, drop_remainder=False):
    """How many updates of the weights an epoch has on several devices.

    Args:
        samples: int, at least 1.
        per_device, devices, accumulation: as in `global_batch_size`.
        drop_remainder: bool, whether a last global batch that is not full is left out.

    Returns:
        An int, exact.

    Raises:
        ValueError: a count is below 1.
    """
    raise NotImplementedError


def device_shares(batch, devices):
    """Deal a batch to devices as evenly as possible.

    Args:
        batch: int, samples, at least 1.
        devices: int, at least 1.

    Returns:
        List of `devices` ints that add up to `batch`; they differ by at most 1, and the larger ones come first.

    Raises:
        ValueError: a count is below 1.
    """
    raise NotImplementedError


def global_mean(means, sizes):
    """The mean over all samples, from the means of the devices.

    Args:
        means: float array of shape (devices, ...); of a device without samples it may be NaN.
        sizes: list of ints, the samples of each device, at least 0 each and not all 0.

    Returns:
        Array of shape (...).
    """
    raise NotImplementedError


def scaled_learning_rate(rate, base_batch, batch):
    """The linear scaling rule of Goyal et al. (2017): rate * batch / base_batch.

    Args:
        rate: float, a learning rate that suits batches of `base_batch`.
        base_batch: int, at least 1.
        batch: int, the global batch that is trained with, at least 1.

    Returns:
        A float.

    Raises:
        ValueError: a batch is below 1.
    """
    raise NotImplementedError
