"""Optimizers, clipping and learning-rate schedules, as Keras has them.

Formulas and sources are in README.md. Variables are written by `self.assign` and its kin, and everything else is
`keras.ops`, so that it runs in graphs and on every backend.
"""

import math

import keras
import numpy as np
from keras import ops


def descend(gradient, start, learning_rate, steps):
    """Gradient descent: w <- w - learning_rate * gradient(w), `steps` times.

    Args:
        gradient: function of a float64 array w that returns the gradient at w, in its shape.
        start: array, or lists of numbers, of any shape; it is not changed.
        learning_rate: float.
        steps: int, 0 or more.

    Returns:
        A float64 array (steps + 1, *shape of start): the start, and the place after each step.
    """
    raise NotImplementedError


def _curvatures(hessian):
    """The eigenvalues of a symmetric matrix. Raises ValueError when one is 0 or negative."""
    raise NotImplementedError


def rate_limits(hessian):
    """The best learning rate for the loss w . hessian w / 2, and the one from which on descent does not converge.

    Args:
        hessian: symmetric array (n, n).

    Returns:
        The pair of floats (2 / (smallest + largest eigenvalue), 2 / largest eigenvalue).

    Raises:
        ValueError: an eigenvalue is 0 or negative.
    """
    raise NotImplementedError


def steps_needed(hessian, learning_rate, shrink):
    """How many steps of descent leave at most the share `shrink` of every part of w.

    Args:
        hessian: symmetric array (n, n).
        learning_rate: float above 0.
        shrink: float between 0 and 1.

    Returns:
        An int: the smallest n with r**n <= shrink, where r is the largest |1 - learning_rate * eigenvalue|; math.inf
        when r is 1 or more.

    Raises:
        ValueError: an eigenvalue is 0 or negative.
    """
    raise NotImplementedError


def _cast(variable, *values):
    """The values as tensors in the dtype of the variable."""
    raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class GradientDescent(keras.optimizers.Optimizer):
    """w <- w - learning_rate * g.

    Args:
        learning_rate: float, or a schedule.
        **kwargs: arguments of the base class.
    """

    def __init__(self, learning_rate=0.01, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)

    def update_step(self, gradient, variable, learning_rate):
        """Update `variable`, whose gradient is `gradient`, by `learning_rate`: scalar tensor or variable."""
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class Momentum(keras.optimizers.Optimizer):
    """u <- momentum * u - learning_rate * g, w <- w + u (Polyak, 1964).

    Args:
        learning_rate: float, or a schedule.
        momentum: float from 0 to 1, the share of the velocity that is kept.
        nesterov: bool; w <- w + momentum * u - learning_rate * g with the new u instead.
        **kwargs: arguments of the base class.
    """

    def __init__(self, learning_rate=0.01, momentum=0.9, nesterov=False, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum = momentum
        self.nesterov = nesterov

    def build(self, variables):
        """Make a velocity for each variable."""
        raise NotImplementedError

    def update_step(self, gradient, variable, learning_rate):
        """Update `variable`, whose gradient is `gradient`, by `learning_rate`: scalar tensor or variable."""
        raise NotImplementedError

    def get_config(self):
        """All arguments of the constructor."""
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class AdaGrad(keras.optimizers.Optimizer):
    """a <- a + g^2, w <- w - learning_rate * g / sqrt(a + epsilon) (Duchi, Hazan and Singer, 2011).

    Args:
        learning_rate: float, or a schedule.
        initial_accumulator: float, 0 or more, from which every entry of a starts.
        epsilon: float above 0.
        **kwargs: arguments of the base class.
    """

    def __init__(self, learning_rate=0.001, initial_accumulator=0.1, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.initial_accumulator = initial_accumulator
        self.epsilon = epsilon

    def build(self, variables):
        """Make an accumulator for each variable."""
        raise NotImplementedError

    def update_step(self, gradient, variable, learning_rate):
        """Update `variable`, whose gradient is `gradient`, by `learning_rate`: scalar tensor or variable."""
        raise NotImplementedError

    def get_config(self):
        """All arguments of the constructor."""
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class RMSProp(keras.optimizers.Optimizer):
    """v <- rho * v + (1 - rho) * g^2, w <- w - learning_rate * g / sqrt(v + epsilon) (Tieleman and Hinton, 2012).

    Args:
        learning_rate: float, or a schedule.
        rho: float from 0 to 1, the share of the average that is kept.
        epsilon: float above 0.
        **kwargs: arguments of the base class.
    """

    def __init__(self, learning_rate=0.001, rho=0.9, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.rho = rho
        self.epsilon = epsilon

    def build(self, variables):
        """Make an average of squares for each variable."""
        raise NotImplementedError

    def update_step(self, gradient, variable, learning_rate):
        """Update `variable`, whose gradient is `gradient`, by `learning_rate`: scalar tensor or variable."""
        raise NotImplementedError

    def get_config(self):
        """All arguments of the constructor."""
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class Adam(keras.optimizers.Optimizer):
    """Averages of g and of g^2, both corrected for their start at 0 (Kingma and Ba, 2015, end of section 2):

    w <- w - learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon), with t from 1.

    Args:
        learning_rate: float, or a schedule.
        beta_1: float from 0 to 1, the share of the average m of gradients that is kept.
        beta_2: float from 0 to 1, the share of the average v of their squares that is kept.
        epsilon: float above 0.
        **kwargs: arguments of the base class.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables):
        """Make both averages for each variable."""
        raise NotImplementedError

    def update_step(self, gradient, variable, learning_rate):
        """Update `variable`, whose gradient is `gradient`, by `learning_rate`: scalar tensor or variable."""
        raise NotImplementedError

    def get_config(self):
        """All arguments of the constructor."""
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class AdamW(Adam):
    """Adam's step, and w shrinks by learning_rate * decay * w besides (Loshchilov and Hutter, 2019).

    Args:
        learning_rate: float, or a schedule.
        decay: float, 0 or more.
        beta_1, beta_2, epsilon: as in `Adam`.
        **kwargs: arguments of the base class.
    """

    def __init__(self, learning_rate=0.001, decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.decay = decay

    def update_step(self, gradient, variable, learning_rate):
        """Update `variable`, whose gradient is `gradient`, by `learning_rate`: scalar tensor or variable."""
        raise NotImplementedError

    def get_config(self):
        """All arguments of the constructor."""
        raise NotImplementedError


def l2_gradients(gradients, variables, rate):
    """The gradients of the loss + rate * sum of w^2 over all variables.

    Args:
        gradients: list of the loss's gradients: arrays or tensors; None where the loss does not depend on it.
        variables: list of arrays, tensors or variables, in the shapes and the dtype of the gradients.
        rate: float.

    Returns:
        A list of tensors in the shapes of the variables and their dtype.
    """
    raise NotImplementedError


def _check_limit(limit):
    if limit <= 0:
        raise ValueError(f"expected a limit above 0, received {limit}")


def clip_by_value(gradients, limit):
    """Every entry moved into [-limit, limit].

    Args:
        gradients: list of float32 or float64 arrays or tensors, all of one dtype; None stays None.
        limit: float above 0.

    Returns:
        A list of tensors of the same shapes and dtype.

    Raises:
        ValueError: `limit` is 0 or less.
    """
    raise NotImplementedError


def clip_by_norm(gradients, limit):
    """Each gradient scaled down to the length `limit` if it is longer (Pascanu, Mikolov and Bengio, 2013).

    Arguments, result and errors are those of `clip_by_value`.
    """
    raise NotImplementedError


def clip_by_global_norm(gradients, limit):
    """All gradients scaled down alike, to the length `limit` together, if they are longer.

    Arguments, result and errors are those of `clip_by_value`.
    """
    raise NotImplementedError


def _epoch(step, steps_per_epoch):
    """How many epochs are over before the update number `step`, as a float32 tensor."""
    raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class StepDecay(keras.optimizers.schedules.LearningRateSchedule):
    """initial_learning_rate * factor ** (epoch // every).

    Args:
        initial_learning_rate: float.
        factor: float above 0.
        every: int, 1 or more, in epochs.
        steps_per_epoch: int, 1 or more.
    """

    def __init__(self, initial_learning_rate, factor=0.5, every=10, steps_per_epoch=1):
        self.initial_learning_rate = initial_learning_rate
        self.factor = factor
        self.every = every
        self.steps_per_epoch = steps_per_epoch

    def __call__(self, step):
        """The learning rate, a float32 scalar tensor, after `step` updates: int, integer tensor or variable."""
        raise NotImplementedError

    def get_config(self):
        """All arguments of the constructor."""
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class ExponentialDecay(keras.optimizers.schedules.LearningRateSchedule):
    """initial_learning_rate * factor ** epoch.

    Args:
        initial_learning_rate: float.
        factor: float above 0.
        steps_per_epoch: int, 1 or more.
        smooth: bool; the exponent is step / steps_per_epoch, not rounded.
    """

    def __init__(self, initial_learning_rate, factor=0.95, steps_per_epoch=1, smooth=False):
        self.initial_learning_rate = initial_learning_rate
        self.factor = factor
        self.steps_per_epoch = steps_per_epoch
        self.smooth = smooth

    def __call__(self, step):
        """The learning rate, a float32 scalar tensor, after `step` updates: int, integer tensor or variable."""
        raise NotImplementedError

    def get_config(self):
        """All arguments of the constructor."""
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class TimeBasedDecay(keras.optimizers.schedules.LearningRateSchedule):
    """initial_learning_rate / (1 + rate * epoch).

    Args:
        initial_learning_rate: float.
        rate: float, 0 or more.
        steps_per_epoch: int, 1 or more.
    """

    def __init__(self, initial_learning_rate, rate=0.1, steps_per_epoch=1):
        self.initial_learning_rate = initial_learning_rate
        self.rate = rate
        self.steps_per_epoch = steps_per_epoch

    def __call__(self, step):
        """The learning rate, a float32 scalar tensor, after `step` updates: int, integer tensor or variable."""
        raise NotImplementedError

    def get_config(self):
        """All arguments of the constructor."""
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dlquiz")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """From `start` to the peak on a straight line, then another schedule from its step 0 (Goyal and others, 2017).

    Args:
        after: float, or a schedule; its rate at step 0 is the peak.
        warmup_steps: int, 1 or more: the step at which the peak is reached.
        start: float, the rate at step 0.
    """

    def __init__(self, after, warmup_steps, start=0.0):
        self.after = after
        self.warmup_steps = warmup_steps
        self.start = start

    def __call__(self, step):
        """The learning rate, a float32 scalar tensor, after `step` updates: int, integer tensor or variable."""
        raise NotImplementedError

    def _then(self, step):
        """The rate of `after` at its step `step`."""
        raise NotImplementedError

    def get_config(self):
        """All arguments of the constructor; a schedule in serialized form."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config):
        """A `WarmUp` from what `get_config` gave."""
        raise NotImplementedError
