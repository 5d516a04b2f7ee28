"""Plain TensorFlow instead of keras.ops, other formulas for the stable logarithms, each class written out."""

import keras
import tensorflow as tf


def _both(truth, prediction):
    prediction = tf.convert_to_tensor(prediction)
    truth = tf.cast(truth, prediction.dtype)
    if not truth.shape.is_compatible_with(prediction.shape):
        raise ValueError("shapes differ")
    return truth, prediction


def _numbers(labels, rows):
    rows = tf.convert_to_tensor(rows)
    labels = tf.cast(labels, tf.int64)
    if not labels.shape.is_compatible_with(rows.shape[:-1]):
        raise ValueError("shapes differ")
    return labels, rows


def mean_squared_error(y_true, y_pred):
    y_true, y_pred = _both(y_true, y_pred)
    return tf.reduce_mean(tf.math.squared_difference(y_true, y_pred), -1)


def total_squared_error(y_true, y_pred):
    y_true, y_pred = _both(y_true, y_pred)
    return tf.reduce_sum(tf.math.squared_difference(y_true, y_pred), -1)


def mean_absolute_error(y_true, y_pred):
    y_true, y_pred = _both(y_true, y_pred)
    return tf.reduce_mean(tf.maximum(y_true - y_pred, y_pred - y_true), -1)


def huber(y_true, y_pred, delta=1.0):
    y_true, y_pred = _both(y_true, y_pred)
    distance = tf.abs(y_true - y_pred)
    inside = tf.minimum(distance, tf.cast(delta, distance.dtype))
    return tf.reduce_mean(inside * (distance - 0.5 * inside), -1)


def log_softmax(logits, axis=-1):
    logits = tf.convert_to_tensor(logits)
    top = tf.stop_gradient(tf.reduce_max(logits, axis, keepdims=True))
    return logits - (top + tf.math.log(tf.reduce_sum(tf.exp(logits - top), axis, keepdims=True)))


def log_sigmoid(logits):
    logits = tf.convert_to_tensor(logits)
    # at 0 the straight part brings the whole slope, for sign(0) is 0
    straight = tf.where(logits > 0, 0 * logits, tf.where(logits < 0, logits, logits / 2))
    return straight - tf.math.log1p(tf.exp(-tf.math.sign(logits) * logits))


def categorical_cross_entropy(y_true, y_pred, from_logits=False, label_smoothing=0.0):
    y_true, y_pred = _both(y_true, y_pred)
    classes = y_pred.shape[-1]
    y_true = y_true + label_smoothing * (1 / classes - y_true)
    if from_logits:
        # the sum of y_true times the common term is that term times the sum of y_true
        top = tf.reduce_max(y_pred, -1, keepdims=True)
        common = top[..., 0] + tf.math.log(tf.reduce_sum(tf.exp(y_pred - top), -1))
        return tf.reduce_sum(y_true * (common[..., None] - y_pred), -1)
    low = tf.cast(keras.backend.epsilon(), y_pred.dtype)
    p = tf.clip_by_value(y_pred / tf.reduce_sum(y_pred, -1, keepdims=True), low, 1 - low)
    return tf.reduce_sum(-y_true * tf.math.log(p), -1)


def negative_log_likelihood(labels, log_probabilities):
    labels, rows = _numbers(labels, log_probabilities)
    return -tf.gather(rows, labels, axis=-1, batch_dims=rows.shape.rank - 1)


def softmax_loss(labels, logits):
    labels, logits = _numbers(labels, logits)
    right = tf.gather(logits, labels, axis=-1, batch_dims=logits.shape.rank - 1)
    gaps = logits - right[..., None]
    top = tf.reduce_max(gaps, -1)
    return top + tf.math.log(tf.reduce_sum(tf.exp(gaps - top[..., None]), -1))


def binary_cross_entropy(y_true, y_pred, from_logits=False, label_smoothing=0.0):
    y_true, y_pred = _both(y_true, y_pred)
    y_true = label_smoothing / 2 + (1 - label_smoothing) * y_true
    if from_logits:
        return tf.reduce_mean((1 - y_true) * y_pred - log_sigmoid(y_pred), -1)
    low = tf.cast(keras.backend.epsilon(), y_pred.dtype)
    p = tf.minimum(tf.maximum(y_pred, low), 1 - low)
    return tf.reduce_mean(-tf.math.xlogy(y_true, p) - tf.math.xlog1py(1 - y_true, -p), -1)


def multiclass_hinge(labels, scores):
    labels, scores = _numbers(labels, scores)
    right = tf.gather(scores, labels, axis=-1, batch_dims=scores.shape.rank - 1)[..., None]
    losses = tf.nn.relu(1 + scores - right)
    others = tf.range(scores.shape[-1], dtype=labels.dtype) != labels[..., None]
    return tf.reduce_sum(tf.where(others, losses, tf.zeros_like(losses)), -1)


def functional_margins(weights, bias, inputs, labels):
    return tf.linalg.matvec(inputs, weights) * labels + bias * labels


def geometric_margin(weights, bias, inputs, labels):
    return tf.reduce_min(functional_margins(weights, bias, inputs, labels) / tf.norm(weights))


def hard_margin_objective(weights, bias, inputs, labels):
    if tf.reduce_min(functional_margins(weights, bias, inputs, labels)) < 1:
        return tf.constant(float("inf"))
    return tf.tensordot(weights, weights, 1) / 2


def soft_margin_objective(weights, bias, inputs, labels, C=1.0):
    margins = functional_margins(weights, bias, inputs, labels)
    short = tf.boolean_mask(margins, margins < 1)
    return 0.5 * tf.tensordot(weights, weights, 1) + C * tf.reduce_sum(1 - short)


def l1_penalty(kernels, rate=0.01):
    return tf.add_n([rate * tf.norm(tf.reshape(kernel, [-1]), ord=1) for kernel in kernels])


def l2_penalty(kernels, rate=0.01):
    flat = tf.concat([tf.reshape(kernel, [-1]) for kernel in kernels], 0)
    return rate * tf.tensordot(flat, flat, 1)


def reduce_loss(values, sample_weight=None, mask=None, reduction="sum_over_batch_size"):
    values = tf.convert_to_tensor(values)
    weights = tf.ones_like(values)
    if sample_weight is not None:
        weights *= tf.cast(sample_weight, values.dtype)
    kept = tf.ones_like(values, tf.bool)
    if mask is not None:
        kept = tf.broadcast_to(mask, tf.shape(values))
        weights = tf.where(kept, weights, tf.zeros_like(weights))
    if reduction is None or reduction == "none":
        return values * weights
    if reduction == "sum":
        return tf.tensordot(tf.reshape(values, [-1]), tf.reshape(weights, [-1]), 1)
    if reduction == "mean_with_sample_weight":
        return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))
    if reduction in ("mean", "sum_over_batch_size"):
        count = tf.cast(tf.math.count_nonzero(kept), values.dtype)
        return tf.math.divide_no_nan(tf.reduce_sum(values * weights), count)
    raise ValueError(reduction)


class MeanSquaredLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return mean_squared_error(y_true, y_pred)


class TotalSquaredLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return total_squared_error(y_true, y_pred)


class MeanAbsoluteLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return mean_absolute_error(y_true, y_pred)


class HuberLoss(keras.losses.Loss):
    def __init__(self, delta=1.0, **kwargs):
        super().__init__(**kwargs)
        self.delta = delta

    def call(self, y_true, y_pred):
        return huber(y_true, y_pred, delta=self.delta)

    def get_config(self):
        config = super().get_config()
        config["delta"] = self.delta
        return config


class CategoricalCrossEntropyLoss(keras.losses.Loss):
    def __init__(self, from_logits=False, label_smoothing=0.0, **kwargs):
        super().__init__(**kwargs)
        self.from_logits, self.label_smoothing = from_logits, label_smoothing

    def call(self, y_true, y_pred):
        return categorical_cross_entropy(y_true, y_pred, self.from_logits, self.label_smoothing)

    def get_config(self):
        config = super().get_config()
        config.update(from_logits=self.from_logits, label_smoothing=self.label_smoothing)
        return config


class BinaryCrossEntropyLoss(CategoricalCrossEntropyLoss):
    def call(self, y_true, y_pred):
        return binary_cross_entropy(y_true, y_pred, self.from_logits, self.label_smoothing)


class SoftmaxLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return softmax_loss(y_true, y_pred)


class HingeLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return multiclass_hinge(y_true, y_pred)
