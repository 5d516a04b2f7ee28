"""Each optimizer is a rule, a function of the state and the gradient; one base class does the rest.

Configuration is read off the constructor's signature. AdaGrad's accumulators start at 0, and the initial value is added
where it is needed; Adam corrects its averages one by one, as the paper's Algorithm 1 does.
"""

import inspect
import math

import keras
import numpy as np
from keras import ops


def descend(gradient, start, learning_rate, steps):
    def places(w, left):
        yield w
        if left:
            yield from places(w - learning_rate * np.array(gradient(w.copy()), "float64"), left - 1)

    return np.array(list(places(np.array(start, "float64"), steps)))


def _eigenvalues(hessian):
    try:
        np.linalg.cholesky(hessian)
    except np.linalg.LinAlgError:
        raise ValueError("there is no minimum") from None
    return np.sort(np.linalg.svd(hessian, compute_uv=False))


def rate_limits(hessian):
    values = _eigenvalues(hessian)
    return 1 / float(np.mean([values[0], values[-1]])), 2 / float(values[-1])


def steps_needed(hessian, learning_rate, shrink):
    left = abs(1 - learning_rate * _eigenvalues(hessian)).max()
    if left >= 1:
        return math.inf
    steps = 1
    while left**steps > shrink:
        steps += 1
    return steps


class _Configured:
    """Own arguments of the constructors, base classes' included."""

    @classmethod
    def own(cls):
        names = []
        for kind in cls.__mro__:
            if "__init__" in vars(kind) and kind.__module__ == __name__:
                names += list(inspect.signature(kind.__init__).parameters)
        return [name for name in dict.fromkeys(names) if name not in ("self", "learning_rate", "kwargs")]

    def keep(self, values):
        for name in self.own():
            if name in values:
                setattr(self, name, values[name])


class _Rule(_Configured, keras.optimizers.Optimizer):
    averages = 0

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._state = [
            self.add_optimizer_variables(variables, f"state_{number}") for number in range(self.averages)
        ]

    def update_step(self, gradient, variable, learning_rate):
        place = self._get_variable_index(variable)
        state = [variables[place] for variables in self._state]
        dtype = variable.dtype
        rate, t = ops.cast(learning_rate, dtype), ops.cast(self.iterations, dtype) + 1
        before = ops.convert_to_tensor(variable)
        gradient = ops.cast(gradient, dtype)
        new, after = self.rule([ops.convert_to_tensor(s) for s in state], before, gradient, rate, t)
        for old, value in zip(state, new):
            self.assign(old, value)
        self.assign(variable, after)

    def get_config(self):
        return super().get_config() | {name: getattr(self, name) for name in self.own()}


@keras.saving.register_keras_serializable(package="dlquiz")
class GradientDescent(_Rule):
    def __init__(self, learning_rate=0.01, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)

    def rule(self, state, w, g, rate, t):
        return [], w - rate * g


@keras.saving.register_keras_serializable(package="dlquiz")
class Momentum(_Rule):
    averages = 1

    def __init__(self, learning_rate=0.01, momentum=0.9, nesterov=False, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.keep(locals())

    def rule(self, state, w, g, rate, t):
        velocity = self.momentum * state[0] - rate * g
        ahead = self.momentum * (velocity - state[0]) if self.nesterov else 0
        return [velocity], w + velocity + ahead


@keras.saving.register_keras_serializable(package="dlquiz")
class AdaGrad(_Rule):
    averages = 1

    def __init__(self, learning_rate=0.001, initial_accumulator=0.1, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.keep(locals())

    def rule(self, state, w, g, rate, t):
        total = state[0] + g**2
        return [total], w - rate * g / (total + (self.initial_accumulator + self.epsilon)) ** 0.5


@keras.saving.register_keras_serializable(package="dlquiz")
class RMSProp(_Rule):
    averages = 1

    def __init__(self, learning_rate=0.001, rho=0.9, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.keep(locals())

    def rule(self, state, w, g, rate, t):
        square = state[0] + (1 - self.rho) * (g**2 - state[0])
        return [square], w - rate * g / (square + self.epsilon) ** 0.5


@keras.saving.register_keras_serializable(package="dlquiz")
class Adam(_Rule):
    averages = 2

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.keep(locals())

    def rule(self, state, w, g, rate, t):
        betas = (self.beta_1, self.beta_2)
        new = [b * old + (1 - b) * value for b, old, value in zip(betas, state, (g, g**2))]
        left = [1 - ops.power(ops.cast(b, w.dtype), t) for b in betas]
        mean, square = new[0] / left[0], new[1] / left[1]
        return new, w - rate * mean / (ops.sqrt(square) + self.epsilon / ops.sqrt(left[1]))


@keras.saving.register_keras_serializable(package="dlquiz")
class AdamW(Adam):
    def __init__(self, learning_rate=0.001, decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.decay = decay

    def rule(self, state, w, g, rate, t):
        new, after = super().rule(state, w, g, rate, t)
        return new, after - rate * self.decay * w


def l2_gradients(gradients, variables, rate):
    total = []
    for gradient, variable in zip(gradients, variables):
        variable = ops.convert_to_tensor(variable)
        total.append((0 if gradient is None else gradient) + variable * rate + variable * rate)
    return total


def _clip(gradients, limit, by):
    if limit <= 0:
        raise ValueError(f"{limit} is no limit")
    given = [ops.convert_to_tensor(g) for g in gradients if g is not None]
    clipped = iter(by(given, limit))
    return [None if g is None else next(clipped) for g in gradients]


def _together(given, limit):
    # in float64 the squares of 1e30 are finite
    squares = [ops.sum(ops.cast(g, "float64") ** 2) for g in given]
    norm = ops.sqrt(ops.sum(ops.stack(squares)))
    factor = limit / ops.maximum(norm, limit)
    return [ops.where(norm <= limit, g, ops.cast(ops.cast(g, "float64") * factor, g.dtype)) for g in given]


def clip_by_value(gradients, limit):
    return _clip(gradients, limit, lambda given, c: [ops.sign(g) * ops.minimum(ops.abs(g), c) for g in given])


def clip_by_norm(gradients, limit):
    return _clip(gradients, limit, lambda given, c: [_together([g], c)[0] for g in given])


def clip_by_global_norm(gradients, limit):
    return _clip(gradients, limit, _together)


class _Schedule(_Configured, keras.optimizers.schedules.LearningRateSchedule):
    def epoch(self, step):
        return ops.cast(step, "float32") / self.steps_per_epoch

    def get_config(self):
        return dict(self.__dict__)


@keras.saving.register_keras_serializable(package="dlquiz")
class StepDecay(_Schedule):
    def __init__(self, initial_learning_rate, factor=0.5, every=10, steps_per_epoch=1):
        self.initial_learning_rate = initial_learning_rate
        self.keep(locals())

    def __call__(self, step):
        drops = ops.floor_divide(ops.floor(self.epoch(step)), self.every)
        return ops.multiply(self.initial_learning_rate, ops.power(self.factor, drops))


@keras.saving.register_keras_serializable(package="dlquiz")
class ExponentialDecay(_Schedule):
    def __init__(self, initial_learning_rate, factor=0.95, steps_per_epoch=1, smooth=False):
        self.initial_learning_rate = initial_learning_rate
        self.keep(locals())

    def __call__(self, step):
        epoch = self.epoch(step) if self.smooth else ops.floor(self.epoch(step))
        return self.initial_learning_rate * ops.exp(math.log(self.factor) * epoch)


@keras.saving.register_keras_serializable(package="dlquiz")
class TimeBasedDecay(_Schedule):
    def __init__(self, initial_learning_rate, rate=0.1, steps_per_epoch=1):
        self.initial_learning_rate = initial_learning_rate
        self.keep(locals())

    def __call__(self, step):
        return ops.reciprocal(1 + self.rate * ops.floor(self.epoch(step))) * self.initial_learning_rate


@keras.saving.register_keras_serializable(package="dlquiz")
class WarmUp(_Schedule):
    def __init__(self, after, warmup_steps, start=0.0):
        self.keep(locals())

    def __call__(self, step):
        step = ops.cast(step, "int32")
        late = ops.maximum(step - self.warmup_steps, 0)
        # before the end of the warm-up this is the peak
        rate = self.after(late) if callable(self.after) else ops.convert_to_tensor(self.after, "float32")
        missing = ops.cast(ops.maximum(self.warmup_steps - step, 0), "float32") / self.warmup_steps
        return ops.cast(rate + missing * (self.start - rate), "float32")

    def get_config(self):
        config = super().get_config()
        if callable(self.after):
            config["after"] = keras.optimizers.schedules.serialize(self.after)
        return config

    @classmethod
    def from_config(cls, config):
        after = config["after"]
        known = isinstance(after, dict)
        return cls(
            keras.saving.deserialize_keras_object(after) if known else after,
            config["warmup_steps"],
            config["start"],
        )
