"""Plain TensorFlow: gather, tensordot and average pooling, shuffles by sorting random keys, folds by masks."""

import tensorflow as tf


def _half_up(values):
    return tf.floor(values + 0.5)


def _like(values, image):
    """Values in the dtype of an image, rounded for bytes."""
    return tf.cast(_half_up(values) if image.dtype == "uint8" else values, image.dtype)


def to_float(image):
    return tf.cast(image, tf.float32) / 255


def to_uint8(image):
    return tf.cast(_half_up(tf.clip_by_value(tf.cast(image, tf.float32), 0, 1) * 255), tf.uint8)


def to_grey(image):
    luma = tf.tensordot(tf.cast(image, tf.float32), tf.constant([0.299, 0.587, 0.114]), 1)
    return _like(luma[..., tf.newaxis], image)


def to_rgb(image):
    return tf.concat([image, image, image], -1)


def channels_first(images):
    return tf.transpose(images, [0, 3, 1, 2])


def _codes(image):
    places = tf.constant([256**place for place in reversed(range(image.shape[-1]))], tf.int64)
    return tf.reshape(tf.tensordot(tf.cast(image, tf.int64), places, 1), [-1])


def count_colours(image):
    return int(tf.size(tf.unique(_codes(image)).y))


def palette(image, size):
    codes, _, counts = tf.unique_with_counts(_codes(image), tf.int64)
    order = tf.argsort(codes - counts * 2**33)[:size]
    codes, counts = tf.gather(codes, order), tf.gather(counts, order)
    channels = [codes // 256**place % 256 for place in reversed(range(image.shape[-1]))]
    return tf.cast(tf.stack(channels, -1), tf.uint8), counts


def blend(front, back, alpha):
    alpha = tf.cast(alpha, tf.float32)
    if front.shape != back.shape or front.dtype != back.dtype:
        raise ValueError("images differ")
    if alpha.shape.rank != 0 and alpha.shape != front.shape[:2]:
        raise ValueError("alpha has another shape")
    if not tf.reduce_all(tf.logical_and(alpha >= 0, alpha <= 1)):
        raise ValueError("alpha is out of range")
    below = tf.cast(back, tf.float32)
    return _like(below + alpha[..., tf.newaxis] * (tf.cast(front, tf.float32) - below), front)


def over(front, back):
    colour, covers = front[..., :3], front[..., 3:]
    under, below = back[..., :3], back[..., 3:]
    alpha = 1 - (1 - covers) * (1 - below)
    light = tf.add(colour * covers, under * below * (1 - covers))
    return tf.concat([tf.math.divide_no_nan(light, alpha), alpha], -1)


def replace_colour(image, old, new):
    other = tf.reduce_any(image != tf.constant(old, tf.uint8), -1, keepdims=True)
    return tf.where(other, image, tf.constant(new, tf.uint8))


def apply_table(image, table):
    return tf.gather(table, tf.cast(image, tf.int32))


def shrink(image, factor):
    if factor < 1 or factor > min(image.shape[:2]):
        raise ValueError("no such factor")
    means = tf.nn.avg_pool2d(tf.cast(image, tf.float32)[tf.newaxis], factor, factor, "VALID")
    return tf.cast(_half_up(means[0]), tf.uint8)


class _Scaler:
    def fit(self, x):
        x = tf.reshape(tf.cast(x, tf.float64), [-1, x.shape[-1]])
        low, high = tf.reduce_min(x, 0), tf.reduce_max(x, 0)
        self.shift, self.scale = self.statistics(x, low, high)
        self.scale = tf.where(low == high, tf.ones_like(low), self.scale)
        self.shift = tf.where(low == high, low, self.shift)
        return self

    def transform(self, x):
        return tf.cast((tf.cast(x, tf.float64) - self.shift) / self.scale, tf.float32)

    def inverse(self, x):
        return tf.cast(tf.cast(x, tf.float64) * self.scale + self.shift, tf.float32)


class MinMax(_Scaler):
    def statistics(self, x, low, high):
        return low, high - low


class ZScore(_Scaler):
    def statistics(self, x, low, high):
        mean, variance = tf.nn.moments(x, [0])
        return mean, tf.sqrt(variance)


def label_ids(names, classes):
    hits = tf.constant(names)[:, tf.newaxis] == tf.constant(classes)
    if not tf.reduce_all(tf.reduce_any(hits, 1)):
        raise ValueError("unknown name")
    return tf.argmax(tf.cast(hits, tf.int8), 1)


def one_hot(labels, classes):
    labels = tf.cast(labels, tf.int64)
    if tf.reduce_min(labels) < 0 or tf.reduce_max(labels) >= classes:
        raise ValueError("no such label")
    return tf.cast(labels[..., tf.newaxis] == tf.range(classes, dtype=tf.int64), tf.float32)


def _shuffled(rows, seed, stream=0):
    keys = tf.random.stateless_uniform([len(rows)], [seed, stream], dtype=tf.float64)
    return tf.gather(rows, tf.argsort(keys))


def _sizes(count, validation, test):
    held, tested = (int(_half_up(tf.constant(share * count, tf.float64))) for share in (validation, test))
    if validation <= 0 or test <= 0 or validation + test >= 1 or 0 in (held, tested):
        raise ValueError("no such shares")
    if held + tested >= count:
        raise ValueError("nothing is left for training")
    return [count - held - tested, held, tested]


def split(count, validation, test, seed):
    sizes = _sizes(count, validation, test)
    return tuple(tf.split(_shuffled(tf.range(count), seed), sizes))


def _by_class(labels, seed):
    for stream, label in enumerate(sorted(set(labels.tolist()))):
        yield _shuffled(tf.reshape(tf.where(labels == label), [-1]), seed, stream)


def stratified_split(labels, validation, test, seed):
    pieces = [tf.split(rows, _sizes(len(rows), validation, test)) for rows in _by_class(labels, seed)]
    return tuple(tf.concat(part, 0) for part in zip(*pieces, strict=True))


def _folds(rows, folds):
    owner = tf.range(len(rows)) % folds
    for fold in range(folds):
        yield tf.boolean_mask(rows, owner != fold), tf.boolean_mask(rows, owner == fold)


def k_fold(count, folds, seed):
    if folds < 2 or folds > count:
        raise ValueError("no such number of folds")
    return list(_folds(_shuffled(tf.range(count), seed), folds))


def stratified_k_fold(labels, folds, seed):
    classes = list(_by_class(labels, seed))
    if folds < 2 or folds > min(map(len, classes)):
        raise ValueError("no such number of folds")
    return list(_folds(tf.concat(classes, 0), folds))


def cross_validate(x, y, folds, make_scaler, evaluate):
    scores = []
    for train, validation in folds:
        scaler = make_scaler()
        scaler.fit(x[train])
        score = evaluate(scaler.transform(x[train]), y[train], scaler.transform(x[validation]), y[validation])
        scores.append(float(score))
    return sum(scores) / len(scores), scores


def _positive(*counts):
    if min(counts) < 1:
        raise ValueError("a count is below 1")


def iterations_per_epoch(samples, batch_size, drop_remainder=False):
    _positive(samples, batch_size)
    full, rest = divmod(samples, batch_size)
    return full + (1 if rest and not drop_remainder else 0)


def last_batch_size(samples, batch_size):
    _positive(samples, batch_size)
    return (samples - 1) % batch_size + 1


def training_iterations(samples, batch_size, epochs, drop_remainder=False):
    _positive(samples, batch_size, epochs)
    return iterations_per_epoch(samples, batch_size, drop_remainder) * epochs


def epochs_completed(iterations, samples, batch_size, drop_remainder=False):
    each = iterations_per_epoch(samples, batch_size, drop_remainder)
    if iterations < 0 or each < 1:
        raise ValueError("no such training")
    return (iterations - iterations % each) // each


def global_batch_size(per_device, devices, accumulation=1):
    _positive(per_device, devices, accumulation)
    return devices * accumulation * per_device


def updates_per_epoch(samples, per_device, devices, accumulation=1, drop_remainder=False):
    _positive(samples, per_device, devices, accumulation)
    batch = per_device * devices * accumulation
    return samples // batch if drop_remainder else (samples + batch - 1) // batch


def device_shares(batch, devices):
    _positive(batch, devices)
    return [(batch + devices - 1 - device) // devices for device in range(devices)]


def global_mean(means, sizes):
    means, sizes = tf.cast(means, tf.float64), tf.constant(sizes, tf.float64)
    sizes = tf.reshape(sizes, [-1] + [1] * (means.shape.rank - 1))
    return tf.reduce_sum(tf.math.multiply_no_nan(means, sizes), 0) / tf.reduce_sum(sizes)


def scaled_learning_rate(rate, base_batch, batch):
    _positive(base_batch, batch)
    return rate / base_batch * batch
