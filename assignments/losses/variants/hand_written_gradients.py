"""NumPy in float64 with gradients worked out by hand, behind tf.custom_gradient; loops over samples and classes."""

import keras
import numpy as np
import tensorflow as tf


def _fit(given, wanted):
    if len(given) != len(wanted) or any(
        None not in pair and pair[0] != pair[1] for pair in zip(given, wanted)
    ):
        raise ValueError(f"shape {given} does not fit {wanted}")


def _rows(row, per_class=False):
    """From a function that gives a sample's loss and its gradient, a function of batches of any rank."""

    def batch(truth, values):
        lead = values.shape[:-1]
        losses, slopes = np.zeros(lead), np.zeros(values.shape)
        for index in np.ndindex(lead):
            losses[index], slopes[index] = row(truth[index], values[index])
        return losses, slopes

    def loss(truth, prediction):
        prediction = tf.convert_to_tensor(prediction)
        dtype = prediction.dtype
        truth = tf.cast(truth, tf.float64)
        _fit(truth.shape, prediction.shape[:-1] if per_class else prediction.shape)
        losses, slopes = tf.numpy_function(batch, [truth, tf.cast(prediction, tf.float64)], [tf.float64] * 2)
        losses.set_shape(prediction.shape[:-1])
        slopes.set_shape(prediction.shape)

        @tf.custom_gradient
        def attach(x):
            return tf.cast(losses, dtype), lambda upstream: upstream[..., None] * tf.cast(slopes, dtype)

        return attach(prediction)

    return loss


def _class_loss(row):
    return _rows(lambda label, values: row(int(label), values), per_class=True)


def mean_squared_error(y_true, y_pred):
    return _rows(lambda t, p: (np.mean((p - t) ** 2), 2 * (p - t) / p.size))(y_true, y_pred)


def total_squared_error(y_true, y_pred):
    return _rows(lambda t, p: (np.sum((p - t) ** 2), 2 * (p - t)))(y_true, y_pred)


def mean_absolute_error(y_true, y_pred):
    return _rows(lambda t, p: (np.mean(abs(p - t)), np.sign(p - t) / p.size))(y_true, y_pred)


def huber(y_true, y_pred, delta=1.0):
    def row(truth, prediction):
        loss, slope = 0.0, np.zeros(prediction.size)
        for i, error in enumerate(prediction - truth):
            if abs(error) < delta:
                loss, slope[i] = loss + error**2 / 2, error
            else:
                loss, slope[i] = loss + delta * abs(error) - delta**2 / 2, delta * np.sign(error)
        return loss / prediction.size, slope / prediction.size

    return _rows(row)(y_true, y_pred)


@tf.custom_gradient
def _last_log_softmax(x):
    top = tf.reduce_max(x, -1, keepdims=True)
    y = x - top - tf.math.log(tf.reduce_sum(tf.exp(x - top), -1, keepdims=True))
    return y, lambda upstream: upstream - tf.exp(y) * tf.reduce_sum(upstream, -1, keepdims=True)


def log_softmax(logits, axis=-1):
    logits = tf.convert_to_tensor(logits)
    order = list(range(logits.shape.rank))
    order[axis], order[-1] = order[-1], order[axis]
    return tf.transpose(_last_log_softmax(tf.transpose(logits, order)), order)


@tf.custom_gradient
def _log_sigmoid(x):
    y = tf.minimum(x, 0.0) - tf.math.log1p(tf.exp(-tf.abs(x)))
    return y, lambda upstream: upstream * tf.sigmoid(-x)


def log_sigmoid(logits):
    return _log_sigmoid(tf.convert_to_tensor(logits))


def _softmax(row):
    powers = np.exp(row - row.max())
    return powers / powers.sum()


def categorical_cross_entropy(y_true, y_pred, from_logits=False, label_smoothing=0.0):
    low = keras.config.epsilon()

    def row(truth, values):
        truth = truth - label_smoothing * (truth - 1 / truth.size)
        if from_logits:
            log_p = values - values.max() - np.log(np.exp(values - values.max()).sum())
            return -truth @ log_p, truth.sum() * _softmax(values) - truth
        total = values.sum()
        p = np.clip(values / total, low, 1 - low)
        by_p = np.where(p == values / total, -truth / p, 0)
        return -truth @ np.log(p), (by_p - by_p @ values / total) / total

    return _rows(row)(y_true, y_pred)


def negative_log_likelihood(labels, log_probabilities):
    return _class_loss(lambda y, row: (-row[y], -np.eye(row.size)[y]))(labels, log_probabilities)


def softmax_loss(labels, logits):
    def row(y, logits):
        gaps = logits - logits[y]
        return gaps.max() + np.log(np.exp(gaps - gaps.max()).sum()), _softmax(logits) - np.eye(logits.size)[y]

    return _class_loss(row)(labels, logits)


def binary_cross_entropy(y_true, y_pred, from_logits=False, label_smoothing=0.0):
    low = keras.config.epsilon()

    def row(truth, values):
        truth = (1 - label_smoothing) * truth + label_smoothing / 2
        if from_logits:
            sigmoid = np.exp(-np.logaddexp(0, -values))
            return np.mean(np.logaddexp(0, values) - truth * values), (sigmoid - truth) / truth.size
        p = np.clip(values, low, 1 - low)
        slope = np.where(p == values, (p - truth) / (p * (1 - p)), 0)
        return -np.mean(truth * np.log(p) + (1 - truth) * np.log1p(-p)), slope / truth.size

    return _rows(row)(y_true, y_pred)


def multiclass_hinge(labels, scores):
    def row(y, scores):
        loss, slope = 0.0, np.zeros(scores.size)
        for j, score in enumerate(scores):
            short = score - scores[y] + 1
            if j != y and short > 0:
                loss += short
                slope[j] += 1
                slope[y] -= 1
        return loss, slope

    return _class_loss(row)(labels, scores)


def functional_margins(weights, bias, inputs, labels):
    return tf.stack([y * (tf.reduce_sum(x * weights) + bias) for x, y in zip(inputs, labels)])


def geometric_margin(weights, bias, inputs, labels):
    found = np.array(functional_margins(weights, bias, inputs, labels))
    return found.min() / np.linalg.norm(weights)


def hard_margin_objective(weights, bias, inputs, labels):
    found = np.array(functional_margins(weights, bias, inputs, labels))
    return np.dot(weights, weights) / 2 if (found >= 1).all() else np.inf


def soft_margin_objective(weights, bias, inputs, labels, C=1.0):
    total = tf.reduce_sum(weights * weights) / 2
    for margin in tf.unstack(functional_margins(weights, bias, inputs, labels)):
        if margin < 1:
            total += C * (1 - margin)
    return total


def l1_penalty(kernels, rate=0.01):
    total = 0
    for kernel in kernels:
        for number in tf.unstack(tf.reshape(kernel, [-1])):
            total += rate * abs(number)
    return total


def l2_penalty(kernels, rate=0.01):
    total = 0
    for kernel in kernels:
        for number in tf.unstack(tf.reshape(kernel, [-1])):
            total += rate * number * number
    return total


def reduce_loss(values, sample_weight=None, mask=None, reduction="sum_over_batch_size"):
    values = tf.convert_to_tensor(values)
    shape = values.shape
    weights = np.broadcast_to(1.0 if sample_weight is None else sample_weight, shape)
    kept = np.broadcast_to(True if mask is None else mask, shape)
    entries = [
        tf.cast(weight, values.dtype) * value if keep else 0 * value
        for value, weight, keep in zip(tf.unstack(tf.reshape(values, [-1])), weights.flat, kept.flat)
    ]
    if reduction in ("none", None):
        return tf.reshape(tf.stack(entries), shape)
    divisors = {
        "sum": 1,
        "mean": kept.sum(),
        "sum_over_batch_size": kept.sum(),
        "mean_with_sample_weight": (weights * kept).sum(),
    }
    if reduction not in divisors:
        raise ValueError(reduction)
    divisor = divisors[reduction]
    return tf.add_n(entries) / tf.cast(divisor, values.dtype) if divisor else tf.zeros((), values.dtype)


class _Loss(keras.losses.Loss):
    def __init__(self, **kwargs):
        self.own = {name: kwargs.pop(name, value) for name, value in self.defaults.items()}
        super().__init__(**kwargs)

    def call(self, y_true, y_pred):
        return type(self).function(y_true, y_pred, **self.own)

    def get_config(self):
        return {**self.own, **super().get_config()}


class MeanSquaredLoss(_Loss):
    function, defaults = mean_squared_error, {}


class TotalSquaredLoss(_Loss):
    function, defaults = total_squared_error, {}


class MeanAbsoluteLoss(_Loss):
    function, defaults = mean_absolute_error, {}


class HuberLoss(_Loss):
    function, defaults = huber, {"delta": 1.0}


class CategoricalCrossEntropyLoss(_Loss):
    function, defaults = categorical_cross_entropy, {"from_logits": False, "label_smoothing": 0.0}


class BinaryCrossEntropyLoss(_Loss):
    function, defaults = binary_cross_entropy, {"from_logits": False, "label_smoothing": 0.0}


class SoftmaxLoss(_Loss):
    function, defaults = softmax_loss, {}


class HingeLoss(_Loss):
    function, defaults = multiclass_hinge, {}
