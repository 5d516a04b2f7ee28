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
        raise NotImplementedError

    def __len__(self):
        raise NotImplementedError

    def __iter__(self):
        raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


def _all_finite(gradients):
    """Whether no entry of the gradients is NaN or infinite; None has none. The tests never call it.

    Args:
        gradients: list of float tensors or None.

    Returns:
        bool.
    """
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


def _add(left, right):
    """Two lists of gradients added up entry by entry, None with None being None. The tests never call it."""
    raise NotImplementedError


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
    raise NotImplementedError


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
        raise NotImplementedError

    def update(self, epoch, value, model):
        """Take note of an epoch's value, and of the model's weights if it is an improvement.

        Args:
            epoch: int.
            value: float; NaN is never an improvement.
            model: the Keras model as it is after that epoch.

        Returns:
            bool, whether training should stop.
        """
        raise NotImplementedError

    def _improves(self, value):
        """Whether a value is an improvement. The tests never call it."""
        raise NotImplementedError

    def restore(self, model):
        """Give `model` the weights of the best epoch, if there was one."""
        raise NotImplementedError


class LossScaler:
    """The scale of the loss in mixed precision (Micikevicius et al., 2018): up after good steps, down after bad ones.

    Args:
        initial_scale: float, 1 or more.
        growth_steps: int of 1 or more, after so many good steps in a row the scale doubles.

    Attributes:
        scale: float, what the loss is multiplied by; may be set.
    """

    def __init__(self, initial_scale=2.0**15, growth_steps=2000):
        raise NotImplementedError

    def unscale(self, gradients):
        """Undo the scale. Changes no state.

        Args:
            gradients: list of float arrays or tensors, or None.

        Returns:
            `(unscaled, finite)`: float32 gradients divided by `scale`, None staying None; and a bool, whether no entry
            is NaN or infinite.
        """
        raise NotImplementedError

    def update(self, finite):
        """Let the scale follow how a step went: doubled after `growth_steps` good ones, halved (to 1) after a bad one.

        Args:
            finite: bool, whether the step's gradients were finite.
        """
        raise NotImplementedError


def pick_device(names):
    """The GPU of the smallest number, or without any the CPU of the smallest number.

    Args:
        names: list of str such as "cpu:0" and "gpu:1", in any order; other kinds of devices do not count.

    Returns:
        str, one of `names`.

    Raises:
        ValueError: there is neither a GPU nor a CPU.
    """
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError
