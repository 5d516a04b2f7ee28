"""Classes from one factory, one-hot rows for class numbers, Huber by clipped errors, log_sigmoid by halves."""

import keras
from keras import ops


def _line_up(y_true, y_pred):
    y_pred = ops.convert_to_tensor(y_pred)
    true_shape, shape = tuple(ops.convert_to_tensor(y_true).shape), tuple(y_pred.shape)
    if len(true_shape) != len(shape):
        raise ValueError(f"ranks differ: {true_shape}, {shape}")
    for one, other in zip(true_shape, shape):
        if one is not None and other is not None and one != other:
            raise ValueError(f"sizes differ: {true_shape}, {shape}")
    return ops.cast(y_true, y_pred.dtype), y_pred


def _one_hot(labels, rows):
    """Bools, True at each row's class."""
    rows = ops.convert_to_tensor(rows)
    labels = ops.cast(ops.round(ops.cast(labels, "float32")), "int32")
    _line_up(labels, rows[..., 0])
    return ops.equal(ops.expand_dims(labels, -1), ops.arange(rows.shape[-1], dtype="int32")), rows


def total_squared_error(y_true, y_pred):
    y_true, y_pred = _line_up(y_true, y_pred)
    return ops.einsum("...i,...i->...", y_true - y_pred, y_true - y_pred)


def mean_squared_error(y_true, y_pred):
    return total_squared_error(y_true, y_pred) / ops.convert_to_tensor(y_pred).shape[-1]


def mean_absolute_error(y_true, y_pred):
    y_true, y_pred = _line_up(y_true, y_pred)
    error = y_true - y_pred
    return ops.mean(error * ops.sign(error), axis=-1)


def huber(y_true, y_pred, delta=1.0):
    y_true, y_pred = _line_up(y_true, y_pred)
    error = y_pred - y_true
    slope = ops.clip(error, -delta, delta)
    return ops.mean(slope * error - slope * slope / 2, axis=-1)


def log_softmax(logits, axis=-1):
    logits = ops.convert_to_tensor(logits)
    logits = logits - ops.stop_gradient(ops.amax(logits, axis=axis, keepdims=True))
    logits = logits - ops.log(ops.sum(ops.exp(logits), axis=axis, keepdims=True))
    return logits


def log_sigmoid(logits):
    logits = ops.convert_to_tensor(logits)
    # |x| has no slope at 0, and so only x / 2 counts there
    size = ops.abs(logits)
    return (logits - size) / 2 - ops.log1p(ops.exp(-size))


def categorical_cross_entropy(y_true, y_pred, from_logits=False, label_smoothing=0.0):
    y_true, y_pred = _line_up(y_true, y_pred)
    uniform = ops.ones_like(y_true) / y_true.shape[-1]
    y_true = (1 - label_smoothing) * y_true + label_smoothing * uniform
    if not from_logits:
        low = keras.config.epsilon()
        y_pred = y_pred / ops.sum(y_pred, axis=-1, keepdims=True)
        y_pred = ops.log(ops.minimum(ops.maximum(y_pred, low), 1 - low))
    else:
        y_pred = log_softmax(y_pred)
    return -ops.einsum("...k,...k->...", y_true, y_pred)


def negative_log_likelihood(labels, log_probabilities):
    hot, rows = _one_hot(labels, log_probabilities)
    return -ops.sum(ops.where(hot, rows, ops.zeros_like(rows)), axis=-1)


def softmax_loss(labels, logits):
    hot, rows = _one_hot(labels, logits)
    return categorical_cross_entropy(ops.cast(hot, rows.dtype), rows, from_logits=True)


def binary_cross_entropy(y_true, y_pred, from_logits=False, label_smoothing=0.0):
    y_true, y_pred = _line_up(y_true, y_pred)
    y_true = y_true + label_smoothing * (0.5 - y_true)
    if from_logits:
        # |x| has no slope at 0, and so only the first term counts there
        size = ops.abs(y_pred)
        return ops.mean((0.5 - y_true) * y_pred + size / 2 + ops.log1p(ops.exp(-size)), axis=-1)
    low = keras.config.epsilon()
    stacked = ops.clip(ops.stack([y_pred, 1 - y_pred], axis=-1), low, 1 - low)
    shares = ops.stack([y_true, 1 - y_true], axis=-1)
    return ops.mean(-ops.sum(shares * ops.log(stacked), axis=-1), axis=-1)


def multiclass_hinge(labels, scores):
    hot, rows = _one_hot(labels, scores)
    right = ops.sum(ops.where(hot, rows, ops.zeros_like(rows)), axis=-1, keepdims=True)
    # 1 less for the right class itself
    return ops.sum(ops.relu(rows - right + 1 - ops.cast(hot, rows.dtype)), axis=-1)


def functional_margins(weights, bias, inputs, labels):
    return ops.sum(ops.expand_dims(labels, -1) * inputs * weights, axis=-1) + labels * bias


def geometric_margin(weights, bias, inputs, labels):
    length = ops.norm(weights)
    return ops.amin(functional_margins(weights / length, bias / length, inputs, labels))


def hard_margin_objective(weights, bias, inputs, labels):
    shortest = ops.amin(functional_margins(weights, bias, inputs, labels))
    return ops.where(shortest < 1, ops.full_like(shortest, float("inf")), ops.dot(weights, weights) / 2)


def soft_margin_objective(weights, bias, inputs, labels, C=1.0):
    slack = ops.relu(1 - functional_margins(weights, bias, inputs, labels))
    return ops.dot(weights, weights) / 2 + ops.sum(C * slack)


def _flat(kernels):
    return ops.concatenate([ops.ravel(kernel) for kernel in kernels])


def l1_penalty(kernels, rate=0.01):
    return ops.sum(rate * ops.maximum(_flat(kernels), -_flat(kernels)))


def l2_penalty(kernels, rate=0.01):
    return rate * ops.vdot(_flat(kernels), _flat(kernels))


def reduce_loss(values, sample_weight=None, mask=None, reduction="sum_over_batch_size"):
    values = ops.convert_to_tensor(values)
    ones = ops.ones_like(values)
    weights = ones if sample_weight is None else ones * ops.cast(sample_weight, values.dtype)
    kept = ones if mask is None else ops.where(ops.convert_to_tensor(mask), ones, 0 * ones)
    match reduction:
        case "sum":
            return ops.sum(values * weights * kept)
        case "none" | None:
            return values * weights * kept
        case "mean" | "sum_over_batch_size":
            share = kept / ops.maximum(ops.sum(kept), 1)
        case "mean_with_sample_weight":
            total = ops.sum(weights * kept)
            share = kept / ops.where(total == 0, ops.ones_like(total), total)
        case _:
            raise ValueError(reduction)
    return ops.sum(values * weights * share)


def _class(name, function, **defaults):
    def __init__(self, *args, **kwargs):
        given = dict(zip(defaults, args))
        self.settings = {key: given.get(key, kwargs.pop(key, value)) for key, value in defaults.items()}
        keras.losses.Loss.__init__(self, **kwargs)

    def call(self, y_true, y_pred):
        return function(y_true, y_pred, **self.settings)

    def get_config(self):
        return keras.losses.Loss.get_config(self) | self.settings

    return type(name, (keras.losses.Loss,), {"__init__": __init__, "call": call, "get_config": get_config})


MeanSquaredLoss = _class("MeanSquaredLoss", mean_squared_error)
TotalSquaredLoss = _class("TotalSquaredLoss", total_squared_error)
MeanAbsoluteLoss = _class("MeanAbsoluteLoss", mean_absolute_error)
HuberLoss = _class("HuberLoss", huber, delta=1.0)
CategoricalCrossEntropyLoss = _class(
    "CategoricalCrossEntropyLoss", categorical_cross_entropy, from_logits=False, label_smoothing=0.0
)
BinaryCrossEntropyLoss = _class(
    "BinaryCrossEntropyLoss", binary_cross_entropy, from_logits=False, label_smoothing=0.0
)
SoftmaxLoss = _class("SoftmaxLoss", softmax_loss)
HingeLoss = _class("HingeLoss", multiclass_hinge)
