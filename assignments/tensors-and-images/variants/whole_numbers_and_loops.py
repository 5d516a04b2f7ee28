"""Whole numbers for pixels, Python loops for everything else, rows of bytes for colours, `random` for shuffles."""

import collections
import fractions
import math
import random

import numpy as np


def to_float(image):
    return (np.arange(256) / 255).astype("float32")[image]


def to_uint8(image):
    clipped = np.minimum(np.maximum(image.astype("float64"), 0), 1)
    return np.trunc(clipped * 255 + 0.5).astype("uint8")


def to_grey(image):
    if image.dtype == "uint8":
        red, green, blue = (image[..., channel].astype("int32") for channel in range(3))
        return ((299 * red + 587 * green + 114 * blue + 500) // 1000).astype("uint8")[..., None]
    return np.einsum("...c,c->...", image, [0.299, 0.587, 0.114]).astype("float32")[..., None]


def to_rgb(image):
    rgb = np.empty((*image.shape[:-1], 3), image.dtype)
    rgb[...] = image
    return rgb


def channels_first(images):
    return np.stack([images[..., channel] for channel in range(images.shape[-1])], axis=1)


def count_colours(image):
    return len(np.unique(image.reshape(-1, image.shape[-1]), axis=0))


def palette(image, size):
    counts = collections.Counter(map(tuple, image.reshape(-1, image.shape[-1]).tolist()))
    ranked = sorted(sorted(counts), key=counts.__getitem__, reverse=True)[:size]
    return np.array(ranked, "uint8"), [counts[colour] for colour in ranked]


def blend(front, back, alpha):
    if front.shape != back.shape:
        raise ValueError("shapes differ")
    if front.dtype != back.dtype:
        raise ValueError("dtypes differ")
    alpha = np.asarray(alpha, "float64")
    if alpha.ndim and alpha.shape != front.shape[:2]:
        raise ValueError("alpha has another shape")
    if np.isnan(alpha).any() or alpha.min() < 0 or alpha.max() > 1:
        raise ValueError("alpha is out of range")
    mixed = np.empty(front.shape)
    for channel in range(front.shape[-1]):
        mixed[..., channel] = alpha * front[..., channel] + (1 - alpha) * back[..., channel]
    return (mixed + 0.5).astype("uint8") if front.dtype == "uint8" else mixed.astype("float32")


def over(front, back):
    result = np.zeros(front.shape, "float32")
    for place in np.ndindex(front.shape[:2]):
        (*colour, covers), (*under, below) = front[place].tolist(), back[place].tolist()
        alpha = covers + below * (1 - covers)
        if alpha:
            mixed = zip(colour, under, strict=True)
            result[place] = [(covers * c + below * (1 - covers) * u) / alpha for c, u in mixed] + [alpha]
    return result


def replace_colour(image, old, new):
    hit = np.ones(image.shape[:-1], bool)
    for channel, value in enumerate(old):
        hit &= image[..., channel] == value
    image = image.copy()
    image[hit] = new
    return image


def apply_table(image, table):
    result = np.empty(image.shape + table.shape[1:], table.dtype)
    for value in range(256):
        result[image == value] = table[value]
    return result


def shrink(image, factor):
    height, width, _ = image.shape
    if factor < 1 or factor > height or factor > width:
        raise ValueError("no such factor")
    rows = np.add.reduceat(image.astype("int64"), np.arange(0, height, factor), axis=0)[: height // factor]
    sums = np.add.reduceat(rows, np.arange(0, width, factor), axis=1)[:, : width // factor]
    return ((2 * sums + factor**2) // (2 * factor**2)).astype("uint8")


class _Scaler:
    def fit(self, x):
        self.shifts, self.scales = [], []
        for feature in range(x.shape[-1]):
            values = [float(value) for value in x[..., feature].flat]
            constant = len(set(values)) == 1
            shift, scale = (values[0], 1.0) if constant else self.statistics(values)
            self.shifts.append(shift)
            self.scales.append(scale)
        return self

    def _each(self, x, function):
        result = np.empty(x.shape, "float32")
        for feature, (shift, scale) in enumerate(zip(self.shifts, self.scales, strict=True)):
            result[..., feature] = function(x[..., feature].astype("float64"), shift, scale)
        return result

    def transform(self, x):
        return self._each(x, lambda values, shift, scale: (values - shift) / scale)

    def inverse(self, x):
        return self._each(x, lambda values, shift, scale: values * scale + shift)


class MinMax(_Scaler):
    @staticmethod
    def statistics(values):
        return min(values), max(values) - min(values)


class ZScore(_Scaler):
    @staticmethod
    def statistics(values):
        mean = math.fsum(values) / len(values)
        return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


def label_ids(names, classes):
    ids = np.zeros(len(names), "int32")
    for row, name in enumerate(names):
        if name not in classes:
            raise ValueError("unknown name")
        ids[row] = classes.index(name)
    return ids


def one_hot(labels, classes):
    labels = np.asarray(labels)
    result = np.zeros((*labels.shape, classes), "float32")
    for place in np.ndindex(labels.shape):
        label = int(labels[place])
        if not 0 <= label < classes:
            raise ValueError("no such label")
        result[(*place, label)] = 1
    return result


def _shuffler(seed):
    return random.Random(seed)  # noqa: S311


def _shuffled(rows, shuffler):
    return shuffler.sample(list(rows), len(rows))


def _sizes(count, validation, test):
    if min(validation, test) <= 0 or validation + test >= 1:
        raise ValueError("no such shares")
    shares = [fractions.Fraction(share) * count for share in (validation, test)]
    held, tested = (math.floor(share + fractions.Fraction(1, 2)) for share in shares)
    if min(held, tested, count - held - tested) < 1:
        raise ValueError("a part is empty")
    return held, tested


def _arrays(parts):
    return tuple(np.array(part, "int64") for part in parts)


def split(count, validation, test, seed):
    held, tested = _sizes(count, validation, test)
    rows = _shuffled(range(count), _shuffler(seed))
    return _arrays((rows[held + tested :], rows[:held], rows[held : held + tested]))


def _by_class(labels, seed):
    classes = collections.defaultdict(list)
    for row, label in enumerate(labels.tolist()):
        classes[label].append(row)
    shuffler = _shuffler(seed)
    return [_shuffled(rows, shuffler) for rows in classes.values()]


def stratified_split(labels, validation, test, seed):
    parts = [], [], []
    for rows in _by_class(labels, seed):
        held, tested = _sizes(len(rows), validation, test)
        for part, piece in zip(
            parts, (rows[held + tested :], rows[:held], rows[held : held + tested]), strict=True
        ):
            part.extend(piece)
    return _arrays(map(sorted, parts))


def _deal(rows, folds):
    hands = [[] for _ in range(folds)]
    for card, row in enumerate(rows):
        hands[card % folds].append(row)
    return [_arrays(([row for row in rows if row not in hand], hand)) for hand in hands]


def k_fold(count, folds, seed):
    if folds < 2 or folds > count:
        raise ValueError("no such number of folds")
    return _deal(_shuffled(range(count), _shuffler(seed)), folds)


def stratified_k_fold(labels, folds, seed):
    classes = _by_class(labels, seed)
    if folds < 2 or min(map(len, classes)) < folds:
        raise ValueError("no such number of folds")
    return _deal([row for rows in classes for row in rows], folds)


def cross_validate(x, y, folds, make_scaler, evaluate):
    scores = np.zeros(len(folds))
    for fold, (train, validation) in enumerate(folds):
        scaler = make_scaler()
        scaler = scaler.fit(x[train].copy())
        x_train, x_validation = (scaler.transform(x[rows]) for rows in (train, validation))
        scores[fold] = evaluate(x_train, y[train], x_validation, y[validation])
    return math.fsum(scores) / len(folds), scores.tolist()


def _least(low, *counts):
    for count in counts:
        if count < low:
            raise ValueError("a count is too small")


def iterations_per_epoch(samples, batch_size, drop_remainder=False):
    _least(1, samples, batch_size)
    exact = fractions.Fraction(samples, batch_size)
    return math.floor(exact) if drop_remainder else math.ceil(exact)


def last_batch_size(samples, batch_size):
    return samples - batch_size * (iterations_per_epoch(samples, batch_size) - 1)


def training_iterations(samples, batch_size, epochs, drop_remainder=False):
    _least(1, epochs)
    return sum([iterations_per_epoch(samples, batch_size, drop_remainder)] * epochs)


def epochs_completed(iterations, samples, batch_size, drop_remainder=False):
    each = iterations_per_epoch(samples, batch_size, drop_remainder)
    _least(0, iterations)
    _least(1, each)
    return math.floor(fractions.Fraction(iterations, each))


def global_batch_size(per_device, devices, accumulation=1):
    _least(1, per_device, devices, accumulation)
    return sum([per_device] * accumulation) * devices


def updates_per_epoch(samples, per_device, devices, accumulation=1, drop_remainder=False):
    batch = global_batch_size(per_device, devices, accumulation)
    return iterations_per_epoch(samples, batch, drop_remainder)


def device_shares(batch, devices):
    _least(1, batch, devices)
    shares = []
    for left in range(devices, 0, -1):
        shares.append(math.ceil(fractions.Fraction(batch - sum(shares), left)))
    return shares


def global_mean(means, sizes):
    total = np.zeros(means.shape[1:])
    for mean, size in zip(means, sizes, strict=True):
        if size:
            total = total + size * mean
    return total / sum(sizes)


def scaled_learning_rate(rate, base_batch, batch):
    _least(1, base_batch, batch)
    return float(fractions.Fraction(rate) * batch / base_batch)
