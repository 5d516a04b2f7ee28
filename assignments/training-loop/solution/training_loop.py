"""A training loop of one's own: batches, steps, validation, early stopping, and what keeps training alive.

In everything below `model` is a built Keras model of one input and one output, `optimizer` a Keras optimizer, and
`loss_fn(y_true, y_pred)` gives the mean over a batch as a scalar, as any `keras.losses.Loss` does. Arrays have the
samples on their first axis. The loss of a batch is `loss_fn` plus the sum of `model.losses`.
"""

import math
import time

import keras
import numpy as np
import tensorflow as tf
from keras import ops


class Batches:
    """The batches of a data set; iterating gives one epoch of `(x_batch, y_batch)`.

    Args:
        x, y: arrays of the same length, never modified.
        batch_size: int of 1 or more; None is the full batch. The last batch of an epoch has what is left.
        shuffle: whether each epoch comes in a new random order over all samples, or in the order of the data.
        seed: int. The order depends on it, on the number of samples, and on how many epochs were begun before.

    `len(batches)` is the number of batches an epoch.

    Raises:
        ValueError: x and y differ in length, or `batch_size` is below 1.
    """

    def __init__(self, x, y, batch_size=None, shuffle=True, seed=0):
        # BEGIN SOLUTION
        if len(x) != len(y):
            raise ValueError(f"x and y must have the same length, received {len(x)} and {len(y)}")
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size must be 1 or more, or None, received {batch_size}")
        self.x, self.y = x, y
        self.batch_size = batch_size or max(len(x), 1)
        self.shuffle = shuffle
        self._rng = np.random.default_rng(seed)
        # END SOLUTION

    def __len__(self):
        # BEGIN SOLUTION
        return math.ceil(len(self.x) / self.batch_size)
        # END SOLUTION

    def __iter__(self):
        # BEGIN SOLUTION
        samples = len(self.x)
        order = self._rng.permutation(samples) if self.shuffle else np.arange(samples)
        for start in range(0, samples, self.batch_size):
            rows = order[start : start + self.batch_size]
            yield self.x[rows], self.y[rows]
        # END SOLUTION


def compute_gradients(model, loss_fn, x, y, scale=1.0):
    """The loss of a batch in training mode, and the gradients of `scale` times it.

    Args:
        model, loss_fn: see the module's docstring.
        x, y: arrays, the batch.
        scale: float, what the loss is multiplied by before it is differentiated.

    Returns:
        `(loss, gradients)`: the loss without `scale`, a scalar; and a list with a gradient for each of
        `model.trainable_variables`, in their order. No trainable variable changes.
    """
    # BEGIN SOLUTION
    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x, training=True)) + sum(model.losses)
        scaled = scale * loss
    return loss, tape.gradient(scaled, [variable.value for variable in model.trainable_variables])
    # END SOLUTION


def train_step(model, optimizer, loss_fn, x, y, max_norm=None, scaler=None):
    """One update of the model's trainable variables, or none if the loss or a gradient is NaN or infinite.

    Args:
        model, optimizer, loss_fn: see the module's docstring.
        x, y: arrays, the batch.
        max_norm: float, the limit of the (unscaled) gradients' global norm; None is no limit.
        scaler: a `LossScaler`, which is asked for the scale and told how the step went; or None.

    Returns:
        The loss before the update and without scaling, a float.
    """
    # BEGIN SOLUTION
    loss, gradients = compute_gradients(model, loss_fn, x, y, scaler.scale if scaler else 1.0)
    if scaler:
        gradients, finite = scaler.unscale(gradients)
        scaler.update(finite)
    else:
        finite = _all_finite(gradients)
    loss = float(loss)
    if finite and math.isfinite(loss):
        if max_norm is not None:
            gradients, _ = clip_by_global_norm(gradients, max_norm)
        optimizer.apply(gradients, model.trainable_variables)
    return loss
    # END SOLUTION


def _all_finite(gradients):
    """Whether no entry of the gradients is NaN or infinite; None has none. The tests never call it.

    Args:
        gradients: list of float tensors or None.

    Returns:
        bool.
    """
    # BEGIN SOLUTION
    return all(bool(ops.all(ops.isfinite(gradient))) for gradient in gradients if gradient is not None)
    # END SOLUTION


def evaluate(model, loss_fn, batches, metrics=()):
    """The mean loss over all samples of some batches, and metrics, at inference. Nothing in the model changes.

    Args:
        model, loss_fn: see the module's docstring.
        batches: iterable of `(x, y)`, gone through once.
        metrics: list of `keras.metrics.Metric`, which are reset first.

    Returns:
        dict of floats: "loss", and each metric's result under its name.

    Raises:
        ValueError: there are no batches.
    """
    # BEGIN SOLUTION
    for metric in metrics:
        metric.reset_state()
    total, samples = 0.0, 0
    for x, y in batches:
        prediction = model(x, training=False)
        total += len(x) * float(loss_fn(y, prediction) + sum(model.losses))
        samples += len(x)
        for metric in metrics:
            metric.update_state(y, prediction)
    if not samples:
        raise ValueError("evaluate needs at least one batch, received none")
    return {"loss": total / samples, **{metric.name: float(metric.result()) for metric in metrics}}
    # END SOLUTION


def accumulate_gradients(model, loss_fn, x, y, micro_batch_size):
    """Loss and gradients of a batch that is too large for memory, from micro-batches of it.

    Formula: the sum over micro-batches of (their samples / all samples) * (their mean gradient). It is exact as long
    as no layer uses statistics of the batch.

    Args:
        model, loss_fn: see the module's docstring.
        x, y: arrays, the whole batch.
        micro_batch_size: int of 1 or more, the most samples that the model may see at a time.

    Returns:
        `(loss, gradients)` as `compute_gradients` has them.

    Raises:
        ValueError: `micro_batch_size` is below 1.
    """
    # BEGIN SOLUTION
    if micro_batch_size < 1:
        raise ValueError(f"micro_batch_size must be 1 or more, received {micro_batch_size}")
    loss, gradients = 0.0, None
    for start in range(0, len(x), micro_batch_size):
        part = slice(start, start + micro_batch_size)
        share = len(x[part]) / len(x)
        part_loss, part_gradients = compute_gradients(model, loss_fn, x[part], y[part])
        loss += share * part_loss
        shares = [None if gradient is None else share * gradient for gradient in part_gradients]
        gradients = shares if gradients is None else _add(gradients, shares)
    return loss, gradients
    # END SOLUTION


def _add(left, right):
    """Two lists of gradients added up entry by entry, None with None being None. The tests never call it."""
    # BEGIN SOLUTION
    return [a if b is None else b if a is None else a + b for a, b in zip(left, right, strict=True)]
    # END SOLUTION


def clip_by_global_norm(gradients, max_norm):
    """Shorten gradients, taken together as one vector, to `max_norm` at most (Pascanu, Mikolov and Bengio, 2013).

    Args:
        gradients: list of float arrays or tensors, or None, which counts as zero and stays None.
        max_norm: float above 0.

    Returns:
        `(clipped, norm)`: the gradients, of the same shapes and dtypes, and their global norm before.

    Raises:
        ValueError: `max_norm` is not above 0.
    """
    # BEGIN SOLUTION
    if max_norm <= 0:
        raise ValueError(f"max_norm must be above 0, received {max_norm}")
    squares = [ops.sum(ops.square(ops.cast(g, "float64"))) for g in gradients if g is not None]
    norm = math.sqrt(sum(map(float, squares)))
    if norm <= max_norm:
        return list(gradients), norm
    shrink = max_norm / norm
    return [g if g is None else ops.cast(ops.cast(g, "float64") * shrink, g.dtype) for g in gradients], norm
    # END SOLUTION


class EarlyStopping:
    """Says when to stop, and keeps the weights of the best epoch (Prechelt, 1998).

    Args:
        patience: int of 1 or more, the number of epochs in a row without an improvement that ends training.
        min_delta: float of 0 or more; only a change for the better by more than this is an improvement.
        mode: "min" or "max", which values are better.

    Attributes:
        best: float, the value of the last improvement; None before there is one.
        best_epoch: int, its epoch; None before there is one.

    Raises:
        ValueError: `patience` below 1, `min_delta` below 0, or another `mode`.
    """

    def __init__(self, patience=1, min_delta=0.0, mode="min"):
        # BEGIN SOLUTION
        if patience < 1:
            raise ValueError(f"patience must be 1 or more, received {patience}")
        if min_delta < 0:
            raise ValueError(f"min_delta must be 0 or more, received {min_delta}")
        if mode not in ("min", "max"):
            raise ValueError(f'mode must be "min" or "max", received {mode!r}')
        self.patience, self.min_delta, self.mode = patience, min_delta, mode
        self.best = self.best_epoch = None
        self._weights = None
        self._waited = 0
        # END SOLUTION

    def update(self, epoch, value, model):
        """Take note of an epoch's value, and of the model's weights if it is an improvement.

        Args:
            epoch: int.
            value: float; NaN is never an improvement.
            model: the Keras model as it is after that epoch.

        Returns:
            bool, whether training should stop.
        """
        # BEGIN SOLUTION
        if self._improves(value):
            self.best, self.best_epoch = value, epoch
            self._weights = [np.array(weight) for weight in model.get_weights()]
            self._waited = 0
        else:
            self._waited += 1
        return self._waited >= self.patience
        # END SOLUTION

    def _improves(self, value):
        """Whether a value is an improvement. The tests never call it."""
        # BEGIN SOLUTION
        if self.best is None:
            return not math.isnan(value)
        if self.mode == "min":
            return value < self.best - self.min_delta
        return value > self.best + self.min_delta
        # END SOLUTION

    def restore(self, model):
        """Give `model` the weights of the best epoch, if there was one."""
        # BEGIN SOLUTION
        if self._weights is not None:
            model.set_weights(self._weights)
        # END SOLUTION


class LossScaler:
    """The scale of the loss in mixed precision (Micikevicius et al., 2018): up after good steps, down after bad ones.

    Args:
        initial_scale: float, 1 or more.
        growth_steps: int of 1 or more, after so many good steps in a row the scale doubles.

    Attributes:
        scale: float, what the loss is multiplied by; may be set.
    """

    def __init__(self, initial_scale=2.0**15, growth_steps=2000):
        # BEGIN SOLUTION
        self.scale = initial_scale
        self.growth_steps = growth_steps
        self._good_steps = 0
        # END SOLUTION

    def unscale(self, gradients):
        """Undo the scale. Changes no state.

        Args:
            gradients: list of float arrays or tensors, or None.

        Returns:
            `(unscaled, finite)`: float32 gradients divided by `scale`, None staying None; and a bool, whether no entry
            is NaN or infinite.
        """
        # BEGIN SOLUTION
        unscaled = [g if g is None else ops.cast(g, "float32") / self.scale for g in gradients]
        return unscaled, _all_finite(unscaled)
        # END SOLUTION

    def update(self, finite):
        """Let the scale follow how a step went: doubled after `growth_steps` good ones, halved (to 1) after a bad one.

        Args:
            finite: bool, whether the step's gradients were finite.
        """
        # BEGIN SOLUTION
        if not finite:
            self.scale = max(self.scale / 2, 1.0)
            self._good_steps = 0
            return
        self._good_steps += 1
        if self._good_steps == self.growth_steps:
            self.scale *= 2
            self._good_steps = 0
        # END SOLUTION


def pick_device(names):
    """The GPU of the smallest number, or without any the CPU of the smallest number.

    Args:
        names: list of str such as "cpu:0" and "gpu:1", in any order; other kinds of devices do not count.

    Returns:
        str, one of `names`.

    Raises:
        ValueError: there is neither a GPU nor a CPU.
    """
    # BEGIN SOLUTION
    for kind in ("gpu:", "cpu:"):
        found = [name for name in names if name.startswith(kind)]
        if found:
            return min(found, key=lambda name: int(name.removeprefix(kind)))
    raise ValueError(f"expected a gpu or a cpu among the devices, received {names}")
    # END SOLUTION


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
    """Train until the epochs or the time are used up, the stopper says so, or the loss is no number any more.

    Args:
        model, optimizer, loss_fn: see the module's docstring.
        batches: iterable of `(x, y)`, iterated once an epoch; it may lack a length.
        validation: the same for validation, or None. Nothing is learned from it.
        max_epochs: int of 0 or more.
        max_seconds: float; no step begins when so much time has passed. None is no limit.
        clock: function that tells the time in seconds.
        max_norm, scaler: as in `train_step`.
        stopper: an `EarlyStopping` or its like, shown each epoch's validation loss (without validation its loss), and
            asked to restore the model when training is over; or None.
        device: str such as "gpu:0", the scope in which everything runs; None takes the best one that is visible.

    Returns:
        dict: "loss" and "val_loss", lists with a float for each whole epoch (means over samples; "val_loss" is empty
        without validation), and "stopped", one of "max_epochs", "max_seconds", "early_stopping" and "diverged".
    """
    # BEGIN SOLUTION
    start = clock()
    history = {"loss": [], "val_loss": [], "stopped": "max_epochs"}

    def train_epoch():
        """The mean loss; None if the epoch was cut short."""
        total, samples = 0.0, 0
        for x, y in batches:
            if max_seconds is not None and clock() - start >= max_seconds:
                history["stopped"] = "max_seconds"
                return None
            loss = train_step(model, optimizer, loss_fn, x, y, max_norm, scaler)
            if not math.isfinite(loss):
                history["stopped"] = "diverged"
                return None
            total += len(x) * loss
            samples += len(x)
        return total / samples

    with keras.device(device or pick_device(keras.distribution.list_devices())):
        for epoch in range(max_epochs):
            value = train_epoch()
            if value is None:
                break
            history["loss"].append(value)
            if validation is not None:
                value = evaluate(model, loss_fn, validation)["loss"]
                history["val_loss"].append(value)
            if stopper is not None and stopper.update(epoch, value, model):
                history["stopped"] = "early_stopping"
                break
        if stopper is not None:
            stopper.restore(model)
    return history
    # END SOLUTION


def diagnose(loss, val_loss, target, gap):
    """Tell from the curves of a finished training what is wrong with it.

    Args:
        loss, val_loss: lists of floats, one for each epoch.
        target: float, the training loss that would be good enough.
        gap: float, how far validation may be above training in the end, and above its own smallest value.

    Returns:
        dict: "diagnosis", the first that holds of "diverged" (a value is NaN or infinite), "underfitting" (the last
        training loss is above `target`), "overfitting" (one of the two distances is above `gap`) and "good fit";
        "best_epoch", an int, the first epoch of the smallest validation loss; "gap", a float, the last validation loss
        minus the last training loss. The latter two are None when training diverged.

    Raises:
        ValueError: the curves differ in length or are empty.
    """
    # BEGIN SOLUTION
    if len(loss) == 0 or len(loss) != len(val_loss):
        raise ValueError(
            f"expected two curves of one length, received {len(loss)} and {len(val_loss)} values"
        )
    if not np.isfinite([*loss, *val_loss]).all():
        return {"diagnosis": "diverged", "best_epoch": None, "gap": None}
    best = int(np.argmin(val_loss))
    distance = val_loss[-1] - loss[-1]
    if loss[-1] > target:
        diagnosis = "underfitting"
    elif max(distance, val_loss[-1] - val_loss[best]) > gap:
        diagnosis = "overfitting"
    else:
        diagnosis = "good fit"
    return {"diagnosis": diagnosis, "best_epoch": best, "gap": distance}
    # END SOLUTION
