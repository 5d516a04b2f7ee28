"""Losses for regression and classification: as plain functions, and as `keras.losses.Loss` classes.

A function gives one number a sample, as Keras' own do: it sums or averages over the last axis, and leaves the axes
before it alone. What happens to these numbers then, weights, masks and one number for the batch, is the reduction's
affair.
"""

import keras
from keras import ops


def _check_shape(received, expected):
    """Raise ValueError unless two shapes agree; a size of None, unknown in a traced graph, fits any. Given."""
    received, expected = tuple(received), tuple(expected)
    if len(received) != len(expected) or any(
        None not in sizes and sizes[0] != sizes[1] for sizes in zip(received, expected, strict=True)
    ):
        raise ValueError(f"expected y_true or labels of shape {expected}, received {received}")


def _pair(y_true, y_pred):
    """Both as tensors of the dtype of `y_pred`, once their shapes are known to agree.

    A helper that the tests never call: use it, change it or delete it.
    """
    # BEGIN SOLUTION
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    _check_shape(y_true.shape, y_pred.shape)
    return y_true, y_pred
    # END SOLUTION


def _pick(values, labels):
    """values[..., label] of each sample, once the shapes are known to agree.

    A helper that the tests never call: use it, change it or delete it.
    """
    # BEGIN SOLUTION
    values, labels = ops.convert_to_tensor(values), ops.cast(labels, "int32")
    _check_shape(labels.shape, values.shape[:-1])
    picked = ops.take_along_axis(values, ops.expand_dims(labels, -1), axis=-1)
    return ops.squeeze(picked, axis=-1)
    # END SOLUTION


def mean_squared_error(y_true, y_pred):
    """The mean over the last axis of (y_pred - y_true)^2.

    Args:
        y_true: array or tensor of any numeric dtype, rank 1 or more.
        y_pred: float32 or float64 array or tensor of the same shape.

    Returns:
        A tensor of the shape without the last axis, in the dtype of `y_pred`.

    Raises:
        ValueError: the shapes differ.
    """
    # BEGIN SOLUTION
    y_true, y_pred = _pair(y_true, y_pred)
    return ops.mean(ops.square(y_pred - y_true), axis=-1)
    # END SOLUTION


def total_squared_error(y_true, y_pred):
    """The sum over the last axis of (y_pred - y_true)^2, without a factor of 1/2.

    Arguments, result and errors are those of `mean_squared_error`.
    """
    # BEGIN SOLUTION
    y_true, y_pred = _pair(y_true, y_pred)
    return ops.sum(ops.square(y_pred - y_true), axis=-1)
    # END SOLUTION


def mean_absolute_error(y_true, y_pred):
    """The mean over the last axis of |y_pred - y_true|.

    Arguments, result and errors are those of `mean_squared_error`.
    """
    # BEGIN SOLUTION
    y_true, y_pred = _pair(y_true, y_pred)
    return ops.mean(ops.abs(y_pred - y_true), axis=-1)
    # END SOLUTION


def huber(y_true, y_pred, delta=1.0):
    """The smooth absolute error (Huber, 1964), averaged over the last axis.

    An error e costs e^2 / 2 where |e| <= delta, and delta * (|e| - delta / 2) beyond.

    Args:
        y_true, y_pred: as in `mean_squared_error`.
        delta: float above 0, where the parabola ends.

    Returns:
        A tensor of the shape without the last axis, in the dtype of `y_pred`.

    Raises:
        ValueError: the shapes differ.
    """
    # BEGIN SOLUTION
    y_true, y_pred = _pair(y_true, y_pred)
    error = ops.abs(y_pred - y_true)
    return ops.mean(ops.where(error <= delta, error**2 / 2, delta * (error - delta / 2)), axis=-1)
    # END SOLUTION


def log_softmax(logits, axis=-1):
    """The logarithms of softmax's probabilities, right for logits in the thousands.

    Formula: logits - log(sum(exp(logits))), the sum over `axis`.

    Args:
        logits: float32 or float64 array or tensor, rank 1 or more.
        axis: int, the axis of the classes; may be negative.

    Returns:
        A tensor of the shape and the dtype of `logits`.
    """
    # BEGIN SOLUTION
    logits = ops.convert_to_tensor(logits)
    shifted = logits - ops.max(logits, axis=axis, keepdims=True)
    return shifted - ops.log(ops.sum(ops.exp(shifted), axis=axis, keepdims=True))
    # END SOLUTION


def log_sigmoid(logits):
    """The logarithm of the sigmoid, elementwise, with all its digits from -1000 to 80, and its slope at 0.

    Formula: -log(1 + exp(-logits)).

    Args:
        logits: float32 or float64 array or tensor of any shape.

    Returns:
        A tensor of the shape and the dtype of `logits`.
    """
    # BEGIN SOLUTION
    logits = ops.convert_to_tensor(logits)
    positive = logits >= 0
    small = ops.exp(ops.where(positive, -logits, logits))
    return ops.where(positive, ops.zeros_like(logits), logits) - ops.log1p(small)
    # END SOLUTION


def categorical_cross_entropy(y_true, y_pred, from_logits=False, label_smoothing=0.0):
    """-sum(y_true * log(p)) over the classes, which lie on the last axis.

    Args:
        y_true: array or tensor of any numeric dtype, (..., classes): one-hot rows, or rows of probabilities.
        y_pred: float32 or float64 array or tensor of the same shape: logits with `from_logits`, else probabilities,
            which are divided by their sum and then clipped to [epsilon, 1 - epsilon] with
            epsilon = keras.config.epsilon().
        from_logits: bool.
        label_smoothing: float a from 0 to 1: a of each row of `y_true` is spread evenly over all K classes, so that
            y becomes (1 - a) * y + a / K.

    Returns:
        A tensor of the shape without the last axis, in the dtype of `y_pred`.

    Raises:
        ValueError: the shapes differ.
    """
    # BEGIN SOLUTION
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = y_true * (1 - label_smoothing) + label_smoothing / y_true.shape[-1]
    if from_logits:
        log_p = log_softmax(y_pred)
    else:
        epsilon = keras.config.epsilon()
        p = y_pred / ops.sum(y_pred, axis=-1, keepdims=True)
        log_p = ops.log(ops.clip(p, epsilon, 1 - epsilon))
    return -ops.sum(y_true * log_p, axis=-1)
    # END SOLUTION


def negative_log_likelihood(labels, log_probabilities):
    """Minus the log-probability of the right class.

    Args:
        labels: array or tensor (...) of class numbers from 0, as ints or as floats such as 2.0.
        log_probabilities: float32 or float64 array or tensor (..., classes); those of other classes than the right
            one may be -inf.

    Returns:
        A tensor of the shape of `labels`, in the dtype of `log_probabilities`.

    Raises:
        ValueError: the shapes do not fit.
    """
    # BEGIN SOLUTION
    return -_pick(log_probabilities, labels)
    # END SOLUTION


def softmax_loss(labels, logits):
    """-log(exp(s_y) / sum_j exp(s_j)) for logits s and the right class y, right for logits in the thousands.

    Args:
        labels: array or tensor (...) of class numbers from 0, as ints or as floats such as 2.0.
        logits: float32 or float64 array or tensor (..., classes).

    Returns:
        A tensor of the shape of `labels`, in the dtype of `logits`.

    Raises:
        ValueError: the shapes do not fit.
    """
    # BEGIN SOLUTION
    return negative_log_likelihood(labels, log_softmax(logits))
    # END SOLUTION


def binary_cross_entropy(y_true, y_pred, from_logits=False, label_smoothing=0.0):
    """The mean over the last axis of -(y * log(p) + (1 - y) * log(1 - p)).

    Args:
        y_true: array or tensor of any numeric dtype, rank 1 or more: 0, 1, or a probability between.
        y_pred: float32 or float64 array or tensor of the same shape: logits with `from_logits`, else probabilities,
            which are clipped to [epsilon, 1 - epsilon] with epsilon = keras.config.epsilon().
        from_logits: bool.
        label_smoothing: float a from 0 to 1: y becomes (1 - a) * y + a / 2.

    Returns:
        A tensor of the shape without the last axis, in the dtype of `y_pred`.

    Raises:
        ValueError: the shapes differ.
    """
    # BEGIN SOLUTION
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = y_true * (1 - label_smoothing) + label_smoothing / 2
    if from_logits:
        log_p, log_q = log_sigmoid(y_pred), log_sigmoid(-y_pred)
    else:
        epsilon = keras.config.epsilon()
        p = ops.clip(y_pred, epsilon, 1 - epsilon)
        log_p, log_q = ops.log(p), ops.log(1 - p)
    return -ops.mean(y_true * log_p + (1 - y_true) * log_q, axis=-1)
    # END SOLUTION


def multiclass_hinge(labels, scores):
    """sum over j != y of max(0, s_j - s_y + 1) for scores s and the right class y (Weston and Watkins, 1999).

    Args:
        labels: array or tensor (...) of class numbers from 0, as ints or as floats such as 2.0.
        scores: float32 or float64 array or tensor (..., classes).

    Returns:
        A tensor of the shape of `labels`, in the dtype of `scores`.

    Raises:
        ValueError: the shapes do not fit.
    """
    # BEGIN SOLUTION
    scores = ops.convert_to_tensor(scores)
    right = ops.expand_dims(_pick(scores, labels), -1)
    wrong = 1 - ops.one_hot(ops.cast(labels, "int32"), scores.shape[-1], dtype=scores.dtype)
    return ops.sum(wrong * ops.maximum(scores - right + 1, 0), axis=-1)
    # END SOLUTION


def functional_margins(weights, bias, inputs, labels):
    """label * (weights . x + bias) for each row x of `inputs`: above 0 where the classifier is right.

    Args:
        weights: float tensor (features,).
        bias: float, or float tensor of shape ().
        inputs: float tensor (samples, features).
        labels: tensor (samples,) of -1 and 1, of the dtype of `inputs`.

    Returns:
        A tensor (samples,).
    """
    # BEGIN SOLUTION
    return labels * (ops.matmul(inputs, weights) + bias)
    # END SOLUTION


def geometric_margin(weights, bias, inputs, labels):
    """The smallest signed distance of a sample from the plane weights . x + bias = 0.

    Arguments are those of `functional_margins`; `weights` is not zero.

    Returns:
        A tensor of shape (), in the units of `inputs`: below 0 when a sample is on the wrong side.
    """
    # BEGIN SOLUTION
    margins = functional_margins(weights, bias, inputs, labels)
    return ops.min(margins) / ops.sqrt(ops.sum(ops.square(weights)))
    # END SOLUTION


def hard_margin_objective(weights, bias, inputs, labels):
    """What the margin classifier minimizes: |weights|^2 / 2 where it is feasible, infinity elsewhere.

    Feasible means that every functional margin is 1 or more. Arguments are those of `functional_margins`.

    Returns:
        A tensor of shape ().
    """
    # BEGIN SOLUTION
    feasible = ops.all(functional_margins(weights, bias, inputs, labels) >= 1)
    return ops.where(feasible, ops.sum(ops.square(weights)) / 2, float("inf"))
    # END SOLUTION


def soft_margin_objective(weights, bias, inputs, labels, C=1.0):
    """What the soft-margin classifier minimizes (Cortes and Vapnik, 1995):
    |weights|^2 / 2 + C * sum_i max(0, 1 - margin_i), with the functional margins.

    Args:
        weights, bias, inputs, labels: as in `functional_margins`.
        C: float above 0, what a unit of slack costs.

    Returns:
        A tensor of shape ().
    """
    # BEGIN SOLUTION
    slack = ops.maximum(1 - functional_margins(weights, bias, inputs, labels), 0)
    return ops.sum(ops.square(weights)) / 2 + C * ops.sum(slack)
    # END SOLUTION


def l1_penalty(kernels, rate=0.01):
    """rate times the sum of |w| over all entries w of all kernels.

    Args:
        kernels: list of float tensors, of any shapes.
        rate: float.

    Returns:
        A tensor of shape ().
    """
    # BEGIN SOLUTION
    return rate * sum(ops.sum(ops.abs(kernel)) for kernel in kernels)
    # END SOLUTION


def l2_penalty(kernels, rate=0.01):
    """rate times the sum of w^2 over all entries w of all kernels, without a factor of 1/2.

    Arguments and result are those of `l1_penalty`.
    """
    # BEGIN SOLUTION
    return rate * sum(ops.sum(ops.square(kernel)) for kernel in kernels)
    # END SOLUTION


REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)


def reduce_loss(values, sample_weight=None, mask=None, reduction="sum_over_batch_size"):
    """Make one number of many losses, as `keras.losses.Loss` does.

    Args:
        values: float32 or float64 array or tensor, rank 1 or more: one loss a sample, or a sample and time step.
        sample_weight: None, or numbers that broadcast to `values` and have its rank.
        mask: None, or bools likewise: False where a loss does not exist.
        reduction: one of `REDUCTIONS`.

    Returns:
        A tensor in the dtype of `values`: of its shape for "none" and None, else of shape ().

    Raises:
        ValueError: no such reduction.
    """
    # BEGIN SOLUTION
    if reduction not in REDUCTIONS:
        raise ValueError(f"expected a reduction of {REDUCTIONS}, received {reduction!r}")
    values = ops.convert_to_tensor(values)
    weights = count = ops.ones_like(values)
    if mask is not None:
        weights = count = count * ops.cast(mask, values.dtype)
    if sample_weight is not None:
        weights = weights * ops.cast(sample_weight, values.dtype)
    weighted = values * weights
    if reduction in ("none", None):
        return weighted
    if reduction == "sum":
        return ops.sum(weighted)
    divisor = weights if reduction == "mean_with_sample_weight" else count
    return ops.divide_no_nan(ops.sum(weighted), ops.sum(divisor))
    # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class MeanSquaredLoss(keras.losses.Loss):
    """`mean_squared_error` as a Keras loss. Arguments: `reduction`, `name`, `dtype`, as in the base class."""

    def call(self, y_true, y_pred):
        # BEGIN SOLUTION
        return mean_squared_error(y_true, y_pred)
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class TotalSquaredLoss(keras.losses.Loss):
    """`total_squared_error` as a Keras loss. Arguments: `reduction`, `name`, `dtype`, as in the base class."""

    def call(self, y_true, y_pred):
        # BEGIN SOLUTION
        return total_squared_error(y_true, y_pred)
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class MeanAbsoluteLoss(keras.losses.Loss):
    """`mean_absolute_error` as a Keras loss. Arguments: `reduction`, `name`, `dtype`, as in the base class."""

    def call(self, y_true, y_pred):
        # BEGIN SOLUTION
        return mean_absolute_error(y_true, y_pred)
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class HuberLoss(keras.losses.Loss):
    """`huber` as a Keras loss.

    Args:
        delta: as in `huber`.
        **kwargs: `reduction`, `name`, `dtype`, as in the base class.
    """

    def __init__(self, delta=1.0, **kwargs):
        super().__init__(**kwargs)
        self.delta = delta

    def call(self, y_true, y_pred):
        # BEGIN SOLUTION
        return huber(y_true, y_pred, self.delta)
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {**super().get_config(), "delta": self.delta}
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class CategoricalCrossEntropyLoss(keras.losses.Loss):
    """`categorical_cross_entropy` as a Keras loss.

    Args:
        from_logits, label_smoothing: as in `categorical_cross_entropy`.
        **kwargs: `reduction`, `name`, `dtype`, as in the base class.
    """

    def __init__(self, from_logits=False, label_smoothing=0.0, **kwargs):
        super().__init__(**kwargs)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        # BEGIN SOLUTION
        return categorical_cross_entropy(y_true, y_pred, self.from_logits, self.label_smoothing)
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        own = {"from_logits": self.from_logits, "label_smoothing": self.label_smoothing}
        return {**super().get_config(), **own}
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class BinaryCrossEntropyLoss(keras.losses.Loss):
    """`binary_cross_entropy` as a Keras loss.

    Args:
        from_logits, label_smoothing: as in `binary_cross_entropy`.
        **kwargs: `reduction`, `name`, `dtype`, as in the base class.
    """

    def __init__(self, from_logits=False, label_smoothing=0.0, **kwargs):
        super().__init__(**kwargs)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        # BEGIN SOLUTION
        return binary_cross_entropy(y_true, y_pred, self.from_logits, self.label_smoothing)
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        own = {"from_logits": self.from_logits, "label_smoothing": self.label_smoothing}
        return {**super().get_config(), **own}
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class SoftmaxLoss(keras.losses.Loss):
    """`softmax_loss` as a Keras loss. Arguments: `reduction`, `name`, `dtype`, as in the base class."""

    def call(self, y_true, y_pred):
        # BEGIN SOLUTION
        return softmax_loss(y_true, y_pred)
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class HingeLoss(keras.losses.Loss):
    """`multiclass_hinge` as a Keras loss. Arguments: `reduction`, `name`, `dtype`, as in the base class."""

    def call(self, y_true, y_pred):
        # BEGIN SOLUTION
        return multiclass_hinge(y_true, y_pred)
        # END SOLUTION
