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
    raise NotImplementedError


def _pick(values, labels):
    """values[..., label] of each sample, once the shapes are known to agree.

    A helper that the tests never call: use it, change it or delete it.
    """
    raise NotImplementedError


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
    raise NotImplementedError


def total_squared_error(y_true, y_pred):
    """The sum over the last axis of (y_pred - y_true)^2, without a factor of 1/2.

    Arguments, result and errors are those of `mean_squared_error`.
    """
    raise NotImplementedError


def mean_absolute_error(y_true, y_pred):
    """The mean over the last axis of |y_pred - y_true|.

    Arguments, result and errors are those of `mean_squared_error`.
    """
    raise NotImplementedError


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
    raise NotImplementedError


def log_softmax(logits, axis=-1):
    """The logarithms of softmax's probabilities, right for logits in the thousands.

    Formula: logits - log(sum(exp(logits))), the sum over `axis`.

    Args:
        logits: float32 or float64 array or tensor, rank 1 or more.
        axis: int, the axis of the classes; may be negative.

    Returns:
        A tensor of the shape and the dtype of `logits`.
    """
    raise NotImplementedError


def log_sigmoid(logits):
    """The logarithm of the sigmoid, elementwise, with all its digits from -1000 to 80, and its slope at 0.

    Formula: -log(1 + exp(-logits)).

    Args:
        logits: float32 or float64 array or tensor of any shape.

    Returns:
        A tensor of the shape and the dtype of `logits`.
    """
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


def geometric_margin(weights, bias, inputs, labels):
    """The smallest signed distance of a sample from the plane weights . x + bias = 0.

    Arguments are those of `functional_margins`; `weights` is not zero.

    Returns:
        A tensor of shape (), in the units of `inputs`: below 0 when a sample is on the wrong side.
    """
    raise NotImplementedError


def hard_margin_objective(weights, bias, inputs, labels):
    """What the margin classifier minimizes: |weights|^2 / 2 where it is feasible, infinity elsewhere.

    Feasible means that every functional margin is 1 or more. Arguments are those of `functional_margins`.

    Returns:
        A tensor of shape ().
    """
    raise NotImplementedError


def soft_margin_objective(weights, bias, inputs, labels, C=1.0):
    """What the soft-margin classifier minimizes (Cortes and Vapnik, 1995):
    |weights|^2 / 2 + C * sum_i max(0, 1 - margin_i), with the functional margins.

    Args:
        weights, bias, inputs, labels: as in `functional_margins`.
        C: float above 0, what a unit of slack costs.

    Returns:
        A tensor of shape ().
    """
    raise NotImplementedError


def l1_penalty(kernels, rate=0.01):
    """rate times the sum of |w| over all entries w of all kernels.

    Args:
        kernels: list of float tensors, of any shapes.
        rate: float.

    Returns:
        A tensor of shape ().
    """
    raise NotImplementedError


def l2_penalty(kernels, rate=0.01):
    """rate times the sum of w^2 over all entries w of all kernels, without a factor of 1/2.

    Arguments and result are those of `l1_penalty`.
    """
    raise NotImplementedError


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
    raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class MeanSquaredLoss(keras.losses.Loss):
    """`mean_squared_error` as a Keras loss. Arguments: `reduction`, `name`, `dtype`, as in the base class."""

    def call(self, y_true, y_pred):
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class TotalSquaredLoss(keras.losses.Loss):
    """`total_squared_error` as a Keras loss. Arguments: `reduction`, `name`, `dtype`, as in the base class."""

    def call(self, y_true, y_pred):
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class MeanAbsoluteLoss(keras.losses.Loss):
    """`mean_absolute_error` as a Keras loss. Arguments: `reduction`, `name`, `dtype`, as in the base class."""

    def call(self, y_true, y_pred):
        raise NotImplementedError


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
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


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
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


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
        raise NotImplementedError

    def get_config(self):
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class SoftmaxLoss(keras.losses.Loss):
    """`softmax_loss` as a Keras loss. Arguments: `reduction`, `name`, `dtype`, as in the base class."""

    def call(self, y_true, y_pred):
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class HingeLoss(keras.losses.Loss):
    """`multiclass_hinge` as a Keras loss. Arguments: `reduction`, `name`, `dtype`, as in the base class."""

    def call(self, y_true, y_pred):
        raise NotImplementedError
