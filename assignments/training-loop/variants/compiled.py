"""Forward passes, gradients and updates compiled by `tf.function`, in raw TensorFlow; one graph for each model."""

import functools
import math
import time

import keras
import numpy as np
import tensorflow as tf


class Batches:
    def __init__(self, x, y, batch_size=None, shuffle=True, seed=0):
        if len(x) != len(y) or (batch_size or 1) < 1 or batch_size == 0:
            raise ValueError("x, y or batch_size")
        self.x, self.y, self.batch_size, self.shuffle = x, y, batch_size or len(x), shuffle
        self.generator = tf.random.Generator.from_seed(seed)

    def __len__(self):
        return (len(self.x) + self.batch_size - 1) // self.batch_size

    def __iter__(self):
        order = tf.range(len(self.x))
        if self.shuffle:
            order = tf.argsort(self.generator.uniform([len(self.x)]))
        for rows in np.array_split(order.numpy(), np.arange(self.batch_size, len(self.x), self.batch_size)):
            yield self.x[rows], self.y[rows]


@functools.lru_cache(maxsize=4)
def _graphs(model, loss_fn, frozen):
    """The loss at inference with its prediction, and in training with its gradients."""

    def forward(x, y, training):
        prediction = model(x, training=training)
        return tf.add_n([tf.cast(loss_fn(y, prediction), "float32"), *model.losses]), prediction

    def backward(x, y, scale):
        variables = [variable.value for variable in model.trainable_variables]
        with tf.GradientTape() as tape:
            loss, _ = forward(x, y, True)
            scaled = loss * scale
        return loss, tape.gradient(scaled, variables)

    return tf.function(lambda x, y: forward(x, y, False)), tf.function(backward)


def _compiled(model, loss_fn):
    return _graphs(model, loss_fn, len(model.trainable_variables))


def compute_gradients(model, loss_fn, x, y, scale=1.0):
    _, backward = _compiled(model, loss_fn)
    return backward(tf.constant(x), tf.constant(y), tf.constant(scale, "float32"))


def train_step(model, optimizer, loss_fn, x, y, max_norm=None, scaler=None):
    loss, gradients = compute_gradients(model, loss_fn, x, y, scaler.scale if scaler else 1.0)
    if scaler:
        gradients, finite = scaler.unscale(gradients)
        scaler.update(finite)
    finite = all(bool(tf.reduce_all(tf.math.is_finite(g))) for g in [loss, *gradients])
    if finite:
        if max_norm is not None:
            gradients, _ = clip_by_global_norm(gradients, max_norm)
        optimizer.build(model.trainable_variables)
        tf.function(lambda: optimizer.apply_gradients(zip(gradients, model.trainable_variables)))()
    return loss


def evaluate(model, loss_fn, batches, metrics=()):
    forward, _ = _compiled(model, loss_fn)
    mean = keras.metrics.Mean()
    for metric in metrics:
        metric.reset_state()
    samples = 0
    for x, y in batches:
        loss, prediction = forward(tf.constant(x), tf.constant(y))
        mean.update_state(loss, sample_weight=len(x))
        samples += len(x)
        for metric in metrics:
            metric.update_state(y, prediction)
    if samples == 0:
        raise ValueError("no batches")
    return {"loss": float(mean.result())} | {metric.name: float(metric.result()) for metric in metrics}


def accumulate_gradients(model, loss_fn, x, y, micro_batch_size):
    if micro_batch_size < 1:
        raise ValueError("micro_batch_size")
    sums = [tf.Variable(tf.zeros_like(variable)) for variable in model.trainable_variables]
    loss = tf.Variable(0.0)
    for part in Batches(x, y, micro_batch_size, shuffle=False):
        part_loss, gradients = compute_gradients(model, loss_fn, *part)
        loss.assign_add(part_loss * len(part[0]))
        for total, gradient in zip(sums, gradients):
            total.assign_add(gradient * len(part[0]))
    return loss / len(x), [total / len(x) for total in sums]


def clip_by_global_norm(gradients, max_norm):
    if max_norm <= 0:
        raise ValueError("max_norm")
    wide = [None if g is None else tf.cast(g, tf.float64) for g in gradients]
    norm = tf.norm(tf.stack([tf.norm(g) for g in wide if g is not None]))
    factor = tf.where(norm > max_norm, max_norm / norm, tf.ones_like(norm))
    return [None if w is None else tf.cast(w * factor, g.dtype) for g, w in zip(gradients, wide)], norm


class EarlyStopping:
    def __init__(self, patience=1, min_delta=0.0, mode="min"):
        if patience < 1 or min_delta < 0:
            raise ValueError("patience or min_delta")
        if mode != "min" and mode != "max":
            raise ValueError("mode")
        self.patience, self.min_delta, self.mode = patience, min_delta, mode
        self.best, self.best_epoch, self.since, self.copies = None, None, 0, None

    def update(self, epoch, value, model):
        value = float(value)
        if self.best is None:
            improved = not np.isnan(value)
        elif self.mode == "min":
            improved = value + self.min_delta < self.best
        else:
            improved = value - self.min_delta > self.best
        self.since += 1
        if improved:
            self.since, self.best, self.best_epoch = 0, value, epoch
            self.copies = [(variable, tf.identity(variable.value)) for variable in model.weights]
        return self.since >= self.patience

    def restore(self, model):
        for variable, copy in self.copies or []:
            variable.value.assign(copy)


class LossScaler:
    def __init__(self, initial_scale=2.0**15, growth_steps=2000):
        self.scale, self.growth_steps, self.count = float(initial_scale), growth_steps, 0

    def unscale(self, gradients):
        found = [None if g is None else tf.cast(g, tf.float32) / self.scale for g in gradients]
        bad = [tf.reduce_any(~tf.math.is_finite(g)) for g in found if g is not None]
        return found, not bool(tf.reduce_any(tf.stack(bad)))

    def update(self, finite):
        self.count = self.count + 1 if finite else 0
        if not finite:
            self.scale = max(self.scale * 0.5, 1.0)
        if self.count >= self.growth_steps:
            self.scale, self.count = self.scale * 2.0, 0


def pick_device(names):
    def key(name):
        kind, number = name.split(":")
        return ("gpu", "cpu").index(kind), int(number)

    return min((name for name in names if name.split(":")[0] in ("gpu", "cpu")), key=key)


def fit(
    model,
    optimizer,
    loss_fn,
    batches,
    validation=None,
    *,
    max_epochs=1,
    max_seconds=math.inf,
    clock=time.monotonic,
    max_norm=None,
    stopper=None,
    scaler=None,
    device=None,
):
    start, limit = clock(), math.inf if max_seconds is None else max_seconds
    result = {"loss": [], "val_loss": []}

    def epochs():
        for epoch in range(max_epochs):
            mean = keras.metrics.Mean()
            for x, y in batches:
                if clock() - start >= limit:
                    return "max_seconds"
                loss = train_step(model, optimizer, loss_fn, x, y, max_norm, scaler)
                if not np.isfinite(loss):
                    return "diverged"
                mean.update_state(loss, len(x))
            result["loss"].append(float(mean.result()))
            if validation:
                result["val_loss"].append(evaluate(model, loss_fn, validation)["loss"])
            shown = result["val_loss"] if validation else result["loss"]
            if stopper is not None and stopper.update(epoch, shown[-1], model):
                return "early_stopping"
        return "max_epochs"

    with tf.device(device or pick_device(keras.distribution.list_devices())):
        result["stopped"] = epochs()
        if stopper is not None:
            stopper.restore(model)
    return result


def diagnose(loss, val_loss, target, gap):
    if not len(loss) == len(val_loss) > 0:
        raise ValueError("curves")
    loss, val_loss = np.asarray(loss, "float64"), np.asarray(val_loss, "float64")
    if not (np.isfinite(loss) & np.isfinite(val_loss)).all():
        return {"diagnosis": "diverged", "best_epoch": None, "gap": None}
    if loss[-1] > target:
        word = "underfitting"
    elif val_loss[-1] > min(loss[-1], val_loss.min()) + gap:
        word = "overfitting"
    else:
        word = "good fit"
    return {"diagnosis": word, "best_epoch": val_loss.argmin(), "gap": val_loss[-1] - loss[-1]}
