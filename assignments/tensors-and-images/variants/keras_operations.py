"""keras.ops throughout: sorted codes for colours, sums of strided pictures for blocks, keras.random for shuffles."""

import functools
import math

from keras import ops, random


def _half_up(values):
    return ops.floor(values + 0.5)


def to_float(image):
    return ops.divide(ops.cast(image, "float32"), 255)


def to_uint8(image):
    return ops.cast(_half_up(255 * ops.clip(ops.convert_to_tensor(image), 0, 1)), "uint8")


def to_grey(image):
    red, green, blue = (ops.cast(image[..., channel : channel + 1], "float32") for channel in range(3))
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return ops.cast(_half_up(luma), "uint8") if image.dtype == "uint8" else luma


def to_rgb(image):
    return ops.broadcast_to(ops.convert_to_tensor(image), (*image.shape[:-1], 3))


def channels_first(images):
    return ops.transpose(ops.convert_to_tensor(images), (0, 3, 1, 2))


def _sorted_codes(image):
    """The pixels as sorted numbers, and where in them a new colour begins."""
    code = ops.zeros(image.shape[:-1], "int64")
    for channel in range(image.shape[-1]):
        code = code * 256 + ops.cast(image[..., channel], "int64")
    code = ops.sort(ops.reshape(code, (-1,)))
    first = ops.concatenate([ops.ones((1,), "bool"), code[1:] != code[:-1]], axis=0)
    return code, first


def count_colours(image):
    return int(ops.sum(ops.cast(_sorted_codes(image)[1], "int32")))


def palette(image, size):
    code, first = _sorted_codes(image)
    starts = ops.nonzero(first)[0]
    ends = ops.concatenate([starts[1:], ops.cast([code.shape[0]], starts.dtype)], axis=0)
    counts = ops.cast(ends - starts, "int64")
    colours = ops.take(code, starts)
    order = ops.argsort(colours - counts * 2**33)[:size]
    colours = ops.take(colours, order)
    channels = [ops.floor_divide(colours, 256**place) % 256 for place in range(image.shape[-1])]
    return ops.cast(ops.stack(channels[::-1], axis=-1), "uint8"), ops.take(counts, order)


def blend(front, back, alpha):
    alpha = ops.convert_to_tensor(alpha, "float32")
    if (front.shape, front.dtype) != (back.shape, back.dtype):
        raise ValueError("images differ")
    if len(alpha.shape) > 0:
        if tuple(alpha.shape) != front.shape[:2]:
            raise ValueError("alpha has another shape")
        alpha = ops.expand_dims(alpha, -1)
    if not bool(ops.all(ops.clip(alpha, 0, 1) == alpha)):
        raise ValueError("alpha is out of range")
    mixed = alpha * ops.cast(front, "float32") + (1 - alpha) * ops.cast(back, "float32")
    return ops.cast(_half_up(mixed), "uint8") if front.dtype == "uint8" else mixed


def over(front, back):
    front, back = ops.convert_to_tensor(front), ops.convert_to_tensor(back)
    covers, shows = front[..., 3:], (1 - front[..., 3:]) * back[..., 3:]
    alpha = covers + shows
    safe = ops.where(alpha == 0, 1.0, alpha)
    return ops.concatenate([(covers * front[..., :3] + shows * back[..., :3]) / safe, alpha], axis=-1)


def replace_colour(image, old, new):
    image = ops.convert_to_tensor(image)
    distance = ops.abs(ops.cast(image, "int32") - ops.convert_to_tensor(old, "int32"))
    hit = ops.sum(distance, axis=-1, keepdims=True) == 0
    return ops.where(hit, ops.cast(new, "uint8"), image)


def apply_table(image, table):
    return ops.take(ops.convert_to_tensor(table), ops.cast(image, "int32"), axis=0)


def shrink(image, factor):
    height, width = image.shape[:2]
    if not 1 <= factor <= height or factor > width:
        raise ValueError("no such factor")
    bottom, right = height - height % factor, width - width % factor
    places = [(y, x) for y in range(factor) for x in range(factor)]
    image = ops.cast(image, "int32")
    total = sum(image[y:bottom:factor, x:right:factor] for y, x in places)
    return ops.cast((2 * total + factor**2) // (2 * factor**2), "uint8")


class MinMax:
    def fit(self, x):
        x = ops.cast(x, "float64")
        axes = tuple(range(len(x.shape) - 1))
        self.low, high = ops.min(x, axes), ops.max(x, axes)
        self.spread = ops.where(high == self.low, ops.ones_like(high), high - self.low)
        return self

    def transform(self, x):
        return ops.cast((ops.cast(x, "float64") - self.low) / self.spread, "float32")

    def inverse(self, x):
        return ops.cast(self.low + ops.cast(x, "float64") * self.spread, "float32")


class ZScore:
    def fit(self, x):
        x = ops.cast(x, "float64")
        axes = tuple(range(len(x.shape) - 1))
        start = ops.min(x, axes)
        away = x - start
        self.mean = start + ops.mean(away, axes)
        sigma = ops.sqrt(ops.mean(ops.square(x - self.mean), axes))
        self.sigma = ops.where(ops.max(away, axes) == 0, ops.ones_like(sigma), sigma)
        return self

    def transform(self, x):
        return ops.cast((ops.cast(x, "float64") - self.mean) / self.sigma, "float32")

    def inverse(self, x):
        return ops.cast(self.mean + ops.cast(x, "float64") * self.sigma, "float32")


def label_ids(names, classes):
    places = {name: place for place, name in enumerate(classes)}
    if not places.keys() >= set(names):
        raise ValueError("unknown name")
    return ops.convert_to_tensor([places[name] for name in names], "int32")


def one_hot(labels, classes):
    labels = ops.cast(labels, "int64")
    if bool(ops.any(labels < 0)) or bool(ops.any(labels >= classes)):
        raise ValueError("no such label")
    return ops.take(ops.eye(classes, dtype="float32"), labels, axis=0)


def _sizes(count, validation, test):
    held, tested = math.floor(validation * count + 0.5), math.floor(test * count + 0.5)
    if not (validation > 0 and test > 0 and validation + test < 1):
        raise ValueError("no such shares")
    if held < 1 or tested < 1 or held + tested >= count:
        raise ValueError("a part is empty")
    return held, tested


def _cut(rows, validation, test):
    """Validation first, then test, then training."""
    held, tested = _sizes(rows.shape[0], validation, test)
    return rows[held + tested :], rows[:held], rows[held : held + tested]


def split(count, validation, test, seed):
    return _cut(random.shuffle(ops.arange(count), seed=seed), validation, test)


def _of_class(labels, label, seed):
    rows = ops.nonzero(ops.convert_to_tensor(labels) == label)[0]
    return random.shuffle(rows, seed=seed)


def stratified_split(labels, validation, test, seed):
    pieces = [_cut(_of_class(labels, label, seed), validation, test) for label in set(labels.tolist())]
    return tuple(ops.concatenate(part, axis=0) for part in zip(*pieces, strict=True))


def _deal(rows, folds):
    hands = [rows[fold::folds] for fold in range(folds)]
    others = [ops.concatenate(hands[:fold] + hands[fold + 1 :], axis=0) for fold in range(folds)]
    return list(zip(others, hands, strict=True))


def k_fold(count, folds, seed):
    if folds not in range(2, count + 1):
        raise ValueError("no such number of folds")
    return _deal(random.shuffle(ops.arange(count), seed=seed), folds)


def stratified_k_fold(labels, folds, seed):
    classes = [_of_class(labels, label, seed) for label in sorted(set(labels.tolist()), reverse=True)]
    if folds < 2 or any(rows.shape[0] < folds for rows in classes):
        raise ValueError("no such number of folds")
    return _deal(ops.concatenate(classes, axis=0), folds)


def cross_validate(x, y, folds, make_scaler, evaluate):
    def score(rows, unseen):
        scaler = make_scaler().fit(x[rows])
        return evaluate(scaler.transform(x[rows]), y[rows], scaler.transform(x[unseen]), y[unseen])

    scores = [score(*pair) for pair in folds]
    return float(ops.mean(ops.convert_to_tensor(scores, "float64"))), scores


def _counts(function):
    """Refuse positional counts below 1, but for `iterations` of 0."""

    @functools.wraps(function)
    def checked(*counts, **options):
        least = [0 if place == 0 and function.__name__ == "epochs_completed" else 1 for place in range(9)]
        if any(type(count) is int and count < low for count, low in zip(counts, least, strict=False)):
            raise ValueError("a count is too small")
        if options.get("accumulation", 1) < 1:
            raise ValueError("accumulation is too small")
        return function(*counts, **options)

    return checked


@_counts
def iterations_per_epoch(samples, batch_size, drop_remainder=False):
    return (samples if drop_remainder else samples + batch_size - 1) // batch_size


@_counts
def last_batch_size(samples, batch_size):
    return samples - (samples - 1) // batch_size * batch_size


@_counts
def training_iterations(samples, batch_size, epochs, drop_remainder=False):
    return iterations_per_epoch(samples, batch_size, drop_remainder) * epochs


@_counts
def epochs_completed(iterations, samples, batch_size, drop_remainder=False):
    if drop_remainder and samples < batch_size:
        raise ValueError("no batch is left")
    return divmod(iterations, iterations_per_epoch(samples, batch_size, drop_remainder))[0]


@_counts
def global_batch_size(per_device, devices, accumulation=1):
    return math.prod((per_device, devices, accumulation))


@_counts
def updates_per_epoch(samples, per_device, devices, accumulation=1, drop_remainder=False):
    batch = global_batch_size(per_device, devices, accumulation)
    return iterations_per_epoch(samples, batch, drop_remainder)


@_counts
def device_shares(batch, devices):
    share, more = divmod(batch, devices)
    return [share + 1] * more + [share] * (devices - more)


def global_mean(means, sizes):
    means, sizes = ops.convert_to_tensor(means), ops.cast(sizes, "float64")
    means = ops.where(ops.isnan(means), ops.zeros_like(means), means)
    return ops.tensordot(sizes, means, axes=1) / ops.sum(sizes)


def scaled_learning_rate(rate, base_batch, batch):
    if base_batch < 1 or batch < 1:
        raise ValueError("a batch is empty")
    return batch / base_batch * rate
