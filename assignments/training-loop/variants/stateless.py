"""In the manner of JAX: pure functions of weights and state (`stateless_call`), with results assigned afterwards."""

import math
import time

import keras
import numpy as np
import tensorflow as tf
from keras import ops, tree


class Batches:
    def __init__(self, x, y, batch_size=None, shuffle=True, seed=0):
        if len(x) != len(y):
            raise ValueError("lengths differ")
        if batch_size is not None and batch_size < 1:
            raise ValueError("batch_size is below 1")
        self.data, self.size, self.shuffle = (x, y), batch_size or len(x), shuffle
        self.seeds = np.random.SeedSequence(seed)

    def __len__(self):
        return len(range(0, len(self.data[0]), self.size))

    def __iter__(self):
        keys = np.arange(len(self.data[0]))
        if self.shuffle:
            keys = np.argsort(np.random.Generator(np.random.Philox(self.seeds.spawn(1)[0])).random(len(keys)))
        x, y = (values[keys] for values in self.data)
        for number in range(len(self)):
            yield tuple(part[number * self.size : (number + 1) * self.size] for part in (x, y))


def _value_and_grad(function, arguments):
    """What `jax.value_and_grad(function, has_aux=True)` would give."""
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        value, rest = function(arguments)
    return rest, tape.gradient(value, arguments)


def _values(variables):
    return [tf.identity(variable.value) for variable in variables]


def compute_gradients(model, loss_fn, x, y, scale=1.0):
    frozen = _values(model.non_trainable_variables)

    def scaled(trainable):
        prediction, state, penalties = model.stateless_call(
            trainable, frozen, tf.convert_to_tensor(x), training=True, return_losses=True
        )
        loss = ops.sum(ops.stack([loss_fn(y, prediction), *penalties]))
        return scale * loss, (loss, state)

    (loss, state), gradients = _value_and_grad(scaled, _values(model.trainable_variables))
    for variable, value in zip(model.non_trainable_variables, state):
        variable.assign(value)
    return loss, gradients


def _finite(gradients):
    return bool(np.isfinite(sum(float(ops.sum(ops.abs(g))) for g in gradients if g is not None)))


def train_step(model, optimizer, loss_fn, x, y, max_norm=None, scaler=None):
    loss, gradients = compute_gradients(model, loss_fn, x, y, scaler.scale if scaler else 1.0)
    finite = _finite(gradients)
    if scaler:
        gradients, finite = scaler.unscale(gradients)
        scaler.update(finite)
    if not finite or not bool(ops.isfinite(loss)):
        return loss
    if max_norm:
        gradients = clip_by_global_norm(gradients, max_norm)[0]
    optimizer.apply(gradients, model.trainable_variables)
    return loss


def evaluate(model, loss_fn, batches, metrics=()):
    states = [tree.map_structure(ops.zeros_like, _values(metric.variables)) for metric in metrics]
    trainable, frozen = _values(model.trainable_variables), _values(model.non_trainable_variables)
    total, count = ops.zeros(()), 0
    for x, y in batches:
        prediction, _, penalties = model.stateless_call(
            trainable, frozen, tf.convert_to_tensor(x), training=False, return_losses=True
        )
        total += len(y) * (loss_fn(y, prediction) + sum(penalties))
        count += len(y)
        states = [m.stateless_update_state(s, y, prediction) for m, s in zip(metrics, states)]
    if count == 0:
        raise ValueError("no samples")
    results = {m.name: m.stateless_result(s) for m, s in zip(metrics, states)}
    return {"loss": total / count} | results


def accumulate_gradients(model, loss_fn, x, y, micro_batch_size):
    if micro_batch_size <= 0:
        raise ValueError("micro_batch_size is below 1")
    parts = [slice(at, at + micro_batch_size) for at in range(0, len(x), micro_batch_size)]
    found = [compute_gradients(model, loss_fn, x[part], y[part]) for part in parts]
    shares = [len(x[part]) / len(x) for part in parts]
    return tree.map_structure(lambda *values: sum(w * v for w, v in zip(shares, values)), *found)


def clip_by_global_norm(gradients, max_norm):
    if max_norm <= 0:
        raise ValueError("max_norm is not above 0")
    given = [ops.convert_to_tensor(g) for g in gradients if g is not None]
    largest = max(float(ops.max(ops.abs(g))) for g in given)
    if largest == 0:
        return gradients, 0.0
    # Divided by the largest entry, squares neither overflow nor vanish.
    norm = largest * math.sqrt(sum(float(ops.sum(ops.square(g / largest))) for g in given))
    if norm <= max_norm * (1 + 1e-7):
        return gradients, norm
    return [None if g is None else ops.convert_to_tensor(g) / (norm / max_norm) for g in gradients], norm


class EarlyStopping:
    def __init__(self, patience=1, min_delta=0.0, mode="min"):
        if patience < 1:
            raise ValueError("patience is below 1")
        if min_delta < 0:
            raise ValueError("min_delta is negative")
        better = {
            "min": lambda new, old: new < old - min_delta,
            "max": lambda new, old: new > old + min_delta,
        }
        if mode not in better:
            raise ValueError("mode is neither min nor max")
        self.better, self.patience = better[mode], patience
        self.best = self.best_epoch = self.state = None
        self.bad = 0

    def update(self, epoch, value, model):
        good = value == value if self.best is None else self.better(value, self.best)
        self.bad = 0 if good else self.bad + 1
        if good:
            self.best, self.best_epoch = value, epoch
            self.state = _values(model.trainable_variables), _values(model.non_trainable_variables)
        return self.bad == self.patience

    def restore(self, model):
        if self.state is not None:
            for variables, values in zip(
                (model.trainable_variables, model.non_trainable_variables), self.state
            ):
                for variable, value in zip(variables, values):
                    variable.assign(value)


class LossScaler:
    def __init__(self, initial_scale=2.0**15, growth_steps=2000):
        self.scale, self.growth_steps = initial_scale, growth_steps
        self.steps = []

    def unscale(self, gradients):
        unscaled = [None if g is None else ops.cast(g, "float32") * (1 / self.scale) for g in gradients]
        return unscaled, _finite([g for g in gradients if g is not None])

    def update(self, finite):
        self.steps.append(finite)
        if not finite:
            self.scale = self.scale / 2 if self.scale >= 2 else 1.0
            self.steps.clear()
        if len(self.steps) == self.growth_steps:
            self.scale = self.scale * 2
            self.steps.clear()


def pick_device(names):
    by_kind = {
        kind: sorted(int(name[4:]) for name in names if name.startswith(kind)) for kind in ("gpu", "cpu")
    }
    for kind, numbers in by_kind.items():
        if numbers:
            return f"{kind}:{numbers[0]}"
    raise ValueError("neither gpu nor cpu")


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
    begin, device = clock(), device or pick_device(keras.distribution.list_devices())
    loss, val_loss, stopped = [], [], None
    with keras.device(device):
        while stopped is None:
            stopped = "max_epochs" if len(loss) == max_epochs else None
            total = samples = 0
            for x, y in batches if stopped is None else ():
                if max_seconds is not None and clock() - begin >= max_seconds:
                    stopped = "max_seconds"
                    break
                value = float(train_step(model, optimizer, loss_fn, x, y, max_norm, scaler))
                if not math.isfinite(value):
                    stopped = "diverged"
                    break
                total, samples = total + value * len(x), samples + len(x)
            if stopped is None:
                loss.append(total / samples)
                if validation is not None:
                    val_loss.append(float(evaluate(model, loss_fn, validation)["loss"]))
                if stopper and stopper.update(len(loss) - 1, (val_loss or loss)[-1], model):
                    stopped = "early_stopping"
        if stopper:
            stopper.restore(model)
    return {"loss": loss, "val_loss": val_loss, "stopped": stopped}


def diagnose(loss, val_loss, target, gap):
    if len(loss) != len(val_loss) or len(loss) == 0:
        raise ValueError("curves")
    if not all(map(math.isfinite, [*loss, *val_loss])):
        return dict(diagnosis="diverged", best_epoch=None, gap=None)
    apart, smallest = val_loss[-1] - loss[-1], min(val_loss)
    names = [
        ("underfitting", loss[-1] > target),
        ("overfitting", apart > gap),
        ("overfitting", val_loss[-1] - smallest > gap),
        ("good fit", True),
    ]
    first = next(name for name, holds in names if holds)
    return dict(diagnosis=first, best_epoch=list(val_loss).index(smallest), gap=apart)
