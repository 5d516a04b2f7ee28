"""Everything between model and optimizer in float64 NumPy: gradients leave the tape as arrays; batches as lists."""

import math
import time

import keras
import numpy as np
import tensorflow as tf


class Batches:
    def __init__(self, x, y, batch_size=None, shuffle=True, seed=0):
        if len(x) != len(y) or (batch_size is not None and batch_size < 1):
            raise ValueError("lengths differ, or batch_size is below 1")
        self.x, self.y, self.size = x, y, batch_size if batch_size else len(x)
        self.seed, self.shuffle, self.epochs = seed, shuffle, 0

    def __len__(self):
        return -(-len(self.x) // self.size)

    def __iter__(self):
        order = np.arange(len(self.x))
        if self.shuffle:
            np.random.RandomState([self.seed, self.epochs]).shuffle(order)
        self.epochs += 1
        cuts = range(self.size, len(order), self.size)
        return iter([(np.take(self.x, rows, 0), np.take(self.y, rows, 0)) for rows in np.split(order, cuts)])


def compute_gradients(model, loss_fn, x, y, scale=1.0):
    variables = [variable.value for variable in model.trainable_variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(variables)
        loss = loss_fn(y, model(tf.constant(x), training=True))
        for penalty in model.losses:
            loss = loss + penalty
        target = loss * scale
    gradients = tape.gradient(target, variables)
    return float(loss), [None if g is None else np.asarray(g, "float64") for g in gradients]


def train_step(model, optimizer, loss_fn, x, y, max_norm=None, scaler=None):
    loss, gradients = compute_gradients(model, loss_fn, x, y, 1.0 if scaler is None else scaler.scale)
    if scaler is not None:
        gradients, good = scaler.unscale(gradients)
        scaler.update(good)
    good = all(np.isfinite(g).all() for g in gradients if g is not None)
    if good and np.isfinite(loss):
        if max_norm is not None:
            gradients = clip_by_global_norm(gradients, max_norm)[0]
        variables = model.trainable_variables
        pairs = [(tf.constant(g, v.dtype), v) for g, v in zip(gradients, variables) if g is not None]
        optimizer.apply_gradients(pairs)
    return loss


def evaluate(model, loss_fn, batches, metrics=()):
    losses, weights = [], []
    for metric in metrics:
        metric.reset_state()
    for x, y in batches:
        prediction = np.asarray(model(tf.constant(x), training=False))
        losses.append(float(loss_fn(y, prediction)) + float(sum(float(penalty) for penalty in model.losses)))
        weights.append(len(y))
        for metric in metrics:
            metric(y, prediction)
    if not losses:
        raise ValueError("no batches")
    result = {metric.name: metric.result() for metric in metrics}
    return {**result, "loss": np.average(losses, weights=weights)}


def accumulate_gradients(model, loss_fn, x, y, micro_batch_size):
    if micro_batch_size < 1:
        raise ValueError("micro_batch_size is below 1")
    loss, total = 0.0, [np.zeros(variable.shape) for variable in model.trainable_variables]
    start = 0
    while start < len(x):
        x_part, y_part = x[start : start + micro_batch_size], y[start : start + micro_batch_size]
        part, gradients = compute_gradients(model, loss_fn, x_part, y_part)
        loss += part * len(x_part)
        for into, gradient in zip(total, gradients):
            into += gradient * len(x_part)
        start += micro_batch_size
    return loss / len(x), [value / len(x) for value in total]


def clip_by_global_norm(gradients, max_norm):
    if not max_norm > 0:
        raise ValueError("max_norm is not above 0")
    flat = [np.asarray(g, "float64").ravel() for g in gradients if g is not None]
    norm = np.linalg.norm(np.concatenate(flat))
    factor = max_norm / max(norm, max_norm)
    clipped = []
    for g in gradients:
        clipped.append(None if g is None else (np.asarray(g, "float64") * factor).astype(np.asarray(g).dtype))
    return clipped, norm


class EarlyStopping:
    def __init__(self, patience=1, min_delta=0.0, mode="min"):
        if patience < 1 or min_delta < 0 or mode not in {"min", "max"}:
            raise ValueError("patience, min_delta or mode")
        self.patience, self.min_delta, self.sign = patience, min_delta, 1 if mode == "min" else -1
        self.best, self.best_epoch, self.kept, self.last = None, None, [], []

    def update(self, epoch, value, model):
        reference = math.inf if self.best is None else self.sign * self.best
        better = self.sign * value < reference - self.min_delta
        self.last = [*self.last, better][-self.patience :]
        if better:
            self.best, self.best_epoch = value, epoch
            self.kept = [np.array(variable.numpy()) for variable in model.variables]
        return len(self.last) == self.patience and not any(self.last)

    def restore(self, model):
        for variable, value in zip(model.variables, self.kept):
            variable.assign(value)


class LossScaler:
    def __init__(self, initial_scale=2.0**15, growth_steps=2000):
        self.scale, self.growth_steps, self.left = initial_scale, growth_steps, growth_steps

    def unscale(self, gradients):
        arrays = [None if g is None else np.asarray(g).astype("float64") / self.scale for g in gradients]
        finite = all(np.isfinite(a).all() for a in arrays if a is not None)
        return [None if a is None else a.astype("float32") for a in arrays], finite

    def update(self, finite):
        self.left = self.left - 1 if finite else self.growth_steps
        if not finite:
            self.scale = max(1.0, self.scale / 2)
        elif self.left == 0:
            self.scale, self.left = self.scale * 2, self.growth_steps


def pick_device(names):
    ranked = [(name[:3] == "cpu", int(name[4:]), name) for name in names if name[:4] in ("gpu:", "cpu:")]
    if not ranked:
        raise ValueError("no device")
    return sorted(ranked)[0][2]


def fit(
    model,
    optimizer,
    loss_fn,
    batches,
    validation=None,
    *,
    max_epochs=1,
    max_seconds=None,
    clock=time.monotonic,
    max_norm=None,
    stopper=None,
    scaler=None,
    device=None,
):
    with tf.device("/" + (device or pick_device(keras.distribution.list_devices()))):
        result = _run(
            (model, optimizer, loss_fn),
            batches,
            validation,
            max_epochs,
            clock() + (math.inf if max_seconds is None else max_seconds),
            clock,
            (max_norm, scaler),
            stopper,
        )
        if stopper is not None:
            stopper.restore(model)
    return result


def _run(trained, batches, validation, max_epochs, deadline, clock, options, stopper):
    result = {"loss": [], "val_loss": [], "stopped": "max_epochs"}
    while len(result["loss"]) < max_epochs:
        seen = []
        for x, y in batches:
            if clock() >= deadline:
                return {**result, "stopped": "max_seconds"}
            seen.append((train_step(*trained, x, y, *options), len(x)))
            if not np.isfinite(seen[-1][0]):
                return {**result, "stopped": "diverged"}
        losses, sizes = np.transpose(seen)
        result["loss"].append(float(losses @ sizes / sizes.sum()))
        if validation is not None:
            result["val_loss"].append(float(evaluate(trained[0], trained[2], validation)["loss"]))
        value = (result["loss"] if validation is None else result["val_loss"])[-1]
        if stopper is not None and stopper.update(len(result["loss"]) - 1, value, trained[0]):
            return {**result, "stopped": "early_stopping"}
    return result


def diagnose(loss, val_loss, target, gap):
    curves = np.array([loss, val_loss], "float64")
    if curves.size == 0:
        raise ValueError("no epochs")
    if not np.isfinite(curves).all():
        return {"diagnosis": "diverged", "best_epoch": None, "gap": None}
    last, val_last = curves[:, -1]
    apart, rise = val_last - last, val_last - curves[1].min()
    overfitting = "overfitting" if apart > gap or rise > gap else "good fit"
    return {
        "diagnosis": "underfitting" if last > target else overfitting,
        "best_epoch": int(curves[1].argmin()),
        "gap": apart,
    }
