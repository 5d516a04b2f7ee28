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
    # BEGIN SOLUTION
    return image.astype("float32") / 255
    # END SOLUTION


def to_uint8(image):
    """Floats from 0 to 1 as bytes from 0 to 255, rounded half up; what lies outside 0 to 1 is clipped.

    Args:
        image: float32 or float64 array of any shape.

    Returns:
        uint8 array of the same shape.
    """
    # BEGIN SOLUTION
    return _round_half_up(np.clip(image, 0, 1) * 255).astype("uint8")
    # END SOLUTION


def to_grey(image):
    """The luma of ITU-R BT.601: 0.299 red + 0.587 green + 0.114 blue.

    Args:
        image: uint8 or float32 array of shape (..., 3).

    Returns:
        Array of shape (..., 1) and the dtype of `image`; uint8 is rounded to the nearest.
    """
    # BEGIN SOLUTION
    luma = image @ np.array([[0.299], [0.587], [0.114]])
    return (_round_half_up(luma) if image.dtype == np.uint8 else luma).astype(image.dtype)
    # END SOLUTION


def to_rgb(image):
    """A grey image with its value in each of three channels.

    Args:
        image: array of shape (..., 1).

    Returns:
        Array of shape (..., 3) and the dtype of `image`.
    """
    # BEGIN SOLUTION
    return np.repeat(image, 3, axis=-1)
    # END SOLUTION


def channels_first(images):
    """Move the channels before height and width.

    Args:
        images: array of shape (N, H, W, C).

    Returns:
        Array of shape (N, C, H, W) and the dtype of `images`.
    """
    # BEGIN SOLUTION
    return np.moveaxis(images, -1, 1)
    # END SOLUTION


# 2. Counting colours


def _codes(image):
    """One whole number for each pixel, equal only for equal colours, and in the order of the colours.

    A helper that the tests never call: use it, change it or delete it.

    Args:
        image: uint8 array of shape (H, W, C), C from 1 to 4.

    Returns:
        Whole numbers of shape (H, W).
    """
    # BEGIN SOLUTION
    return image.astype("int64") @ 256 ** np.arange(image.shape[-1])[::-1]
    # END SOLUTION


def count_colours(image):
    """How many different colours an image has.

    Args:
        image: uint8 array of shape (H, W, C), C from 1 to 4. A colour is all C channels of a pixel.

    Returns:
        An int.
    """
    # BEGIN SOLUTION
    return np.unique(_codes(image)).size
    # END SOLUTION


def palette(image, size):
    """The most frequent colours; of equally frequent ones the smaller first, channel by channel.

    Args:
        image: uint8 array of shape (H, W, C), C from 1 to 4.
        size: int, how many colours, at least 1.

    Returns:
        (colours, counts): a uint8 array of shape (n, C) and whole numbers of shape (n,). n is `size`, or the number of
        colours where that is less.
    """
    # BEGIN SOLUTION
    codes, counts = np.unique(_codes(image), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:size]
    places = 256 ** np.arange(image.shape[-1])[::-1]
    return (codes[order, None] // places % 256).astype("uint8"), counts[order]
    # END SOLUTION


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
    # BEGIN SOLUTION
    alpha = np.asarray(alpha, "float64")
    if front.shape != back.shape or front.dtype != back.dtype:
        raise ValueError(
            f"expected two alike, received {front.dtype}{front.shape} and {back.dtype}{back.shape}"
        )
    if alpha.shape not in ((), front.shape[:2]):
        raise ValueError(f"expected a number or shape {front.shape[:2]} as alpha, received {alpha.shape}")
    if not ((alpha >= 0) & (alpha <= 1)).all():
        raise ValueError("expected alpha from 0 to 1, received some that is not")
    alpha = alpha[..., None]
    mixed = alpha * front + (1 - alpha) * back
    return (_round_half_up(mixed) if front.dtype == np.uint8 else mixed).astype(front.dtype)
    # END SOLUTION


def over(front, back):
    """One straight-alpha image over another (Porter and Duff, 1984).

    Args:
        front: float32 RGBA image (H, W, 4), values from 0 to 1.
        back: the same.

    Returns:
        float32 RGBA image of the same shape; four zeros where the resulting alpha is 0.
    """
    # BEGIN SOLUTION
    covers, shows = front[..., 3:], back[..., 3:] * (1 - front[..., 3:])
    alpha = covers + shows
    light = covers * front[..., :3] + shows * back[..., :3]
    colour = np.divide(light, alpha, out=np.zeros_like(light), where=alpha > 0)
    return np.concatenate([colour, alpha], axis=-1)
    # END SOLUTION


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
    # BEGIN SOLUTION
    hit = (image == np.array(old)).all(axis=-1, keepdims=True)
    return np.where(hit, np.array(new, "uint8"), image)
    # END SOLUTION


def apply_table(image, table):
    """Look every pixel up in a table.

    Args:
        image: uint8 array of any shape.
        table: array of shape (256,) or (256, K).

    Returns:
        Array of the shape of `image`, with K as a further axis for a table of (256, K); the dtype of `table`.
    """
    # BEGIN SOLUTION
    return table[image]
    # END SOLUTION


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
    # BEGIN SOLUTION
    height, width, channels = image.shape
    if not 1 <= factor <= min(height, width):
        raise ValueError(f"expected a factor from 1 to {min(height, width)}, received {factor}")
    rows, columns = height // factor, width // factor
    kept = image[: rows * factor, : columns * factor]
    blocks = kept.reshape(rows, factor, columns, factor, channels)
    return _round_half_up(blocks.mean(axis=(1, 3))).astype("uint8")
    # END SOLUTION


# 5. Scaling features


class MinMax:
    """(x - min) / (max - min), with the minimum and maximum that each feature has in the training data.

    The last axis is the features. A feature that is constant in the training data is divided by 1.
    """

    def fit(self, x):
        """Learn from training data: array (..., features) of uint8, int64, float32 or float64. Returns self."""
        # BEGIN SOLUTION
        rows = np.asarray(x, "float64").reshape(-1, x.shape[-1])
        self._low = rows.min(axis=0)
        spread = rows.max(axis=0) - self._low
        self._spread = np.where(spread == 0, 1, spread)
        return self
        # END SOLUTION

    def transform(self, x):
        """Scale an array (..., features) with what was learned: float32 of the same shape, not clipped."""
        # BEGIN SOLUTION
        return ((np.asarray(x, "float64") - self._low) / self._spread).astype("float32")
        # END SOLUTION

    def inverse(self, x):
        """Undo `transform`: float32 of the same shape."""
        # BEGIN SOLUTION
        return (np.asarray(x, "float64") * self._spread + self._low).astype("float32")
        # END SOLUTION


class ZScore:
    """(x - mean) / sigma, with the mean and the biased standard deviation that each feature has in the training data.

    The last axis is the features. A feature that is constant in the training data has its value for a mean and is
    divided by 1.
    """

    def fit(self, x):
        """Learn from training data: array (..., features) of uint8, int64, float32 or float64. Returns self."""
        # BEGIN SOLUTION
        rows = np.asarray(x, "float64").reshape(-1, x.shape[-1])
        constant = (rows == rows[0]).all(axis=0)
        self._mean = np.where(constant, rows[0], rows.mean(axis=0))
        self._sigma = np.where(constant, 1, rows.std(axis=0))
        return self
        # END SOLUTION

    def transform(self, x):
        """Scale an array (..., features) with what was learned: float32 of the same shape."""
        # BEGIN SOLUTION
        return ((np.asarray(x, "float64") - self._mean) / self._sigma).astype("float32")
        # END SOLUTION

    def inverse(self, x):
        """Undo `transform`: float32 of the same shape."""
        # BEGIN SOLUTION
        return (np.asarray(x, "float64") * self._sigma + self._mean).astype("float32")
        # END SOLUTION


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
    # BEGIN SOLUTION
    return np.array([classes.index(name) for name in names], "int64")
    # END SOLUTION


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
    # BEGIN SOLUTION
    labels = np.asarray(labels)
    if ((labels < 0) | (labels >= classes)).any():
        raise ValueError(
            f"expected labels from 0 to {classes - 1}, received {labels.min()} to {labels.max()}"
        )
    return np.eye(classes, dtype="float32")[labels]
    # END SOLUTION


# 7. Training, validation and test


def _part(rows, validation, test):
    """Part `rows` as they stand into three: training, validation, test.

    A helper that the tests never call: use it, change it or delete it.

    Raises:
        ValueError: a share is not above 0, the shares are not below 1 together, or a part would be empty.
    """
    # BEGIN SOLUTION
    held = int(_round_half_up(validation * len(rows)))
    tested = int(_round_half_up(test * len(rows)))
    kept = len(rows) - held - tested
    if min(validation, test) <= 0 or validation + test >= 1 or min(held, tested, kept) < 1:
        raise ValueError(
            f"shares of {validation} and {test} part {len(rows)} rows into {kept}, {held}, {tested}"
        )
    return np.split(rows, [kept, kept + held])
    # END SOLUTION


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
    # BEGIN SOLUTION
    return tuple(_part(np.random.default_rng(seed).permutation(count), validation, test))
    # END SOLUTION


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
    # BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    classes = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    parts = zip(*(_part(rows, validation, test) for rows in classes), strict=True)
    return tuple(rng.permutation(np.concatenate(part)) for part in parts)
    # END SOLUTION


# 8. Cross-validation


def _deal(cards, folds):
    """Deal row numbers to folds like cards: pairs of (all others', its own) rows.

    A helper that the tests never call: use it, change it or delete it.
    """
    # BEGIN SOLUTION
    return [(np.delete(cards, np.s_[fold::folds]), cards[fold::folds]) for fold in range(folds)]
    # END SOLUTION


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
    # BEGIN SOLUTION
    if not 2 <= folds <= count:
        raise ValueError(f"expected 2 to {count} folds, received {folds}")
    return _deal(np.random.default_rng(seed).permutation(count), folds)
    # END SOLUTION


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
    # BEGIN SOLUTION
    classes, counts = np.unique(labels, return_counts=True)
    if not 2 <= folds <= counts.min():
        raise ValueError(f"expected 2 to {counts.min()} folds, received {folds}")
    rng = np.random.default_rng(seed)
    cards = [rng.permutation(np.flatnonzero(labels == label)) for label in classes]
    return _deal(np.concatenate(cards), folds)
    # END SOLUTION


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
    # BEGIN SOLUTION
    scores = []
    for train, validation in folds:
        scaler = make_scaler().fit(x[train])
        scaled, unseen = scaler.transform(x[train]), scaler.transform(x[validation])
        scores.append(evaluate(scaled, y[train], unseen, y[validation]))
    return float(np.mean(scores)), scores
    # END SOLUTION


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
    # BEGIN SOLUTION
    _check_counts(samples=samples, batch_size=batch_size)
    return samples // batch_size if drop_remainder else -(-samples // batch_size)
    # END SOLUTION


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
    # BEGIN SOLUTION
    _check_counts(samples=samples, batch_size=batch_size)
    return samples % batch_size or batch_size
    # END SOLUTION


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
    # BEGIN SOLUTION
    _check_counts(epochs=epochs)
    return epochs * iterations_per_epoch(samples, batch_size, drop_remainder)
    # END SOLUTION


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
    # BEGIN SOLUTION
    each = iterations_per_epoch(samples, batch_size, drop_remainder)
    if iterations < 0 or each == 0:
        raise ValueError(f"{iterations} iterations of {each} an epoch")
    return iterations // each
    # END SOLUTION


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
    # BEGIN SOLUTION
    _check_counts(per_device=per_device, devices=devices, accumulation=accumulation)
    return per_device * devices * accumulation
    # END SOLUTION


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
    # BEGIN SOLUTION
    batch = global_batch_size(per_device, devices, accumulation)
    return iterations_per_epoch(samples, batch, drop_remainder)
    # END SOLUTION


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
    # BEGIN SOLUTION
    _check_counts(batch=batch, devices=devices)
    return [batch // devices + (device < batch % devices) for device in range(devices)]
    # END SOLUTION


def global_mean(means, sizes):
    """The mean over all samples, from the means of the devices.

    Args:
        means: float array of shape (devices, ...); of a device without samples it may be NaN.
        sizes: list of ints, the samples of each device, at least 0 each and not all 0.

    Returns:
        Array of shape (...).
    """
    # BEGIN SOLUTION
    sizes = np.array(sizes)
    used = sizes > 0
    return np.average(means[used], axis=0, weights=sizes[used])
    # END SOLUTION


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
    # BEGIN SOLUTION
    _check_counts(base_batch=base_batch, batch=batch)
    return rate * batch / base_batch
    # END SOLUTION
