"""TensorFlow's own operations and assignments, state in a dict by slot and weight; norms by tf.norm."""

import math

import keras
import numpy as np
import tensorflow as tf

register = keras.saving.register_keras_serializable(package="dlquiz")
Schedule = keras.optimizers.schedules.LearningRateSchedule


def descend(gradient, start, learning_rate, steps):
    start = np.asarray(start, dtype=np.float64)
    path = np.empty((steps + 1, *start.shape))
    path[0] = start
    for step in range(steps):
        path[step + 1] = path[step] - learning_rate * np.asarray(gradient(path[step].copy()))
    return path


def _ends(hessian):
    values = tf.linalg.eigvalsh(tf.constant(hessian, tf.float64)).numpy()
    if (values <= 0).any():
        raise ValueError("not positive definite")
    return values[0], values[-1]


def rate_limits(hessian):
    low, high = _ends(hessian)
    return 2.0 / (low + high), 2.0 / high


def steps_needed(hessian, learning_rate, shrink):
    # the ends are the extremes of a straight line's absolute value
    r = max(abs(1 - learning_rate * end) for end in _ends(hessian))
    if r >= 1:
        return math.inf
    left, steps = 1.0, 0
    while left > shrink:
        left, steps = left * r, steps + 1
    return steps


class _Optimizer(keras.optimizers.Optimizer):
    slots = ()

    def build(self, variables):
        if not self.built:
            super().build(variables)
            self._places = {}
            for name in self.slots:
                made = [
                    self.add_variable_from_reference(v, name=name, initializer=self.start())
                    for v in variables
                ]
                for variable, slot in zip(variables, made):
                    self._places[name, self._var_key(variable)] = slot

    def start(self):
        return "zeros"

    def slot(self, name, variable):
        return self._places[name, self._var_key(variable)].value

    def raw(self, gradient, variable, learning_rate):
        raw = variable.value if isinstance(variable, keras.Variable) else variable
        return raw, tf.cast(gradient, raw.dtype), tf.cast(tf.convert_to_tensor(learning_rate), raw.dtype)


@register
class GradientDescent(_Optimizer):
    def __init__(self, learning_rate=0.01, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)

    def update_step(self, gradient, variable, learning_rate):
        w, g, rate = self.raw(gradient, variable, learning_rate)
        w.assign(w - rate * g)


@register
class Momentum(_Optimizer):
    slots = ("velocity",)

    def __init__(self, learning_rate=0.01, momentum=0.9, nesterov=False, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum, self.nesterov = momentum, nesterov

    def update_step(self, gradient, variable, learning_rate):
        w, g, rate = self.raw(gradient, variable, learning_rate)
        u = self.slot("velocity", variable)
        u.assign(tf.cast(self.momentum, u.dtype) * u)
        u.assign_sub(rate * g)
        if self.nesterov:
            w.assign_add(tf.cast(self.momentum, u.dtype) * u)
            w.assign_sub(rate * g)
        else:
            w.assign_add(u)

    def get_config(self):
        config = super().get_config()
        config.update(momentum=self.momentum, nesterov=self.nesterov)
        return config


@register
class AdaGrad(_Optimizer):
    slots = ("accumulator",)

    def __init__(self, learning_rate=0.001, initial_accumulator=0.1, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.initial_accumulator, self.epsilon = initial_accumulator, epsilon

    def start(self):
        return keras.initializers.Constant(self.initial_accumulator)

    def update_step(self, gradient, variable, learning_rate):
        w, g, rate = self.raw(gradient, variable, learning_rate)
        total = self.slot("accumulator", variable).assign_add(g * g)
        w.assign_sub(rate * g * tf.math.rsqrt(total + self.epsilon))

    def get_config(self):
        config = super().get_config()
        config.update(initial_accumulator=self.initial_accumulator, epsilon=self.epsilon)
        return config


@register
class RMSProp(_Optimizer):
    slots = ("square",)

    def __init__(self, learning_rate=0.001, rho=0.9, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.rho, self.epsilon = rho, epsilon

    def update_step(self, gradient, variable, learning_rate):
        w, g, rate = self.raw(gradient, variable, learning_rate)
        v = self.slot("square", variable)
        v.assign_add((g * g - v) * (1 - self.rho))
        w.assign_sub(rate * g * tf.math.rsqrt(v + self.epsilon))

    def get_config(self):
        config = super().get_config()
        config.update(rho=self.rho, epsilon=self.epsilon)
        return config


@register
class Adam(_Optimizer):
    slots = ("mean", "square")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def update_step(self, gradient, variable, learning_rate):
        w, g, rate = self.raw(gradient, variable, learning_rate)
        m, v = self.slot("mean", variable), self.slot("square", variable)
        t = tf.cast(self.iterations.value + 1, w.dtype)
        m.assign_add((g - m) * (1 - self.beta_1))
        v.assign_add((g * g - v) * (1 - self.beta_2))
        # expm1 keeps the digits of 1 - beta^t
        first = -tf.math.expm1(t * math.log(self.beta_1))
        second = -tf.math.expm1(t * math.log(self.beta_2))
        w.assign_sub(rate * (m / first) * tf.sqrt(second) / (tf.sqrt(v) + self.epsilon))

    def get_config(self):
        config = super().get_config()
        config.update(beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon)
        return config


@register
class AdamW(Adam):
    def __init__(self, learning_rate=0.001, decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.decay = decay

    def update_step(self, gradient, variable, learning_rate):
        w, g, rate = self.raw(gradient, variable, learning_rate)
        before = tf.identity(w)
        super().update_step(g, variable, rate)
        w.assign_sub(rate * self.decay * before)

    def get_config(self):
        config = super().get_config()
        config.update(decay=self.decay)
        return config


def l2_gradients(gradients, variables, rate):
    with tf.GradientTape() as tape:
        values = [tf.convert_to_tensor(variable) for variable in variables]
        tape.watch(values)
        penalty = [rate * tf.reduce_sum(value**2) for value in values]
    slopes = tape.gradient(penalty, values)
    return [slope if g is None else tf.convert_to_tensor(g) + slope for g, slope in zip(gradients, slopes)]


def _positive(limit):
    if not limit > 0:
        raise ValueError(limit)


def clip_by_value(gradients, limit):
    _positive(limit)
    return [g if g is None else tf.maximum(tf.minimum(g, limit), -limit) for g in gradients]


def _length(g):
    top = tf.reduce_max(tf.abs(g))
    return top * tf.norm(tf.math.divide_no_nan(g, top))


def _shortened(g, norm, limit):
    return tf.cond(norm > limit, lambda: g * (limit / norm), lambda: g)


def clip_by_norm(gradients, limit):
    _positive(limit)
    tensors = [g if g is None else tf.convert_to_tensor(g) for g in gradients]
    return [g if g is None else _shortened(g, _length(g), limit) for g in tensors]


def clip_by_global_norm(gradients, limit):
    _positive(limit)
    tensors = [g if g is None else tf.convert_to_tensor(g) for g in gradients]
    norm = _length(tf.concat([tf.reshape(g, [-1]) for g in tensors if g is not None], axis=0))
    return [g if g is None else _shortened(g, norm, limit) for g in tensors]


def _epoch(step, size):
    return tf.cast(tf.convert_to_tensor(step) // size, tf.float32)


@register
class StepDecay(Schedule):
    def __init__(self, initial_learning_rate, factor=0.5, every=10, steps_per_epoch=1):
        self.initial_learning_rate, self.factor = initial_learning_rate, factor
        self.every, self.steps_per_epoch = every, steps_per_epoch

    def __call__(self, step):
        drops = tf.floor(_epoch(step, self.steps_per_epoch) / self.every)
        return self.initial_learning_rate * tf.pow(float(self.factor), drops)

    def get_config(self):
        return dict(vars(self))


@register
class ExponentialDecay(Schedule):
    def __init__(self, initial_learning_rate, factor=0.95, steps_per_epoch=1, smooth=False):
        self.initial_learning_rate, self.factor = initial_learning_rate, factor
        self.steps_per_epoch, self.smooth = steps_per_epoch, smooth

    def __call__(self, step):
        epoch = tf.cast(tf.convert_to_tensor(step), tf.float32) / self.steps_per_epoch
        if not self.smooth:
            epoch = tf.floor(epoch)
        return self.initial_learning_rate * tf.exp(epoch * math.log(self.factor))

    def get_config(self):
        return dict(vars(self))


@register
class TimeBasedDecay(Schedule):
    def __init__(self, initial_learning_rate, rate=0.1, steps_per_epoch=1):
        self.initial_learning_rate, self.rate, self.steps_per_epoch = (
            initial_learning_rate,
            rate,
            steps_per_epoch,
        )

    def __call__(self, step):
        return self.initial_learning_rate / (1 + self.rate * _epoch(step, self.steps_per_epoch))

    def get_config(self):
        return dict(vars(self))


@register
class WarmUp(Schedule):
    def __init__(self, after, warmup_steps, start=0.0):
        self.after, self.warmup_steps, self.start = after, warmup_steps, start

    def __call__(self, step):
        step = tf.convert_to_tensor(step)
        if isinstance(self.after, Schedule):
            after = self.after
        else:
            after = lambda _: tf.constant(self.after, tf.float32)  # noqa: E731
        share = tf.cast(step, tf.float32) / self.warmup_steps
        return tf.cond(
            step < self.warmup_steps,
            lambda: tf.cast((1 - share) * self.start + share * after(0), tf.float32),
            lambda: tf.cast(after(step - self.warmup_steps), tf.float32),
        )

    def get_config(self):
        config = dict(vars(self))
        if isinstance(self.after, Schedule):
            config["after"] = keras.saving.serialize_keras_object(self.after)
        return config

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        if isinstance(config["after"], dict):
            config["after"] = keras.saving.deserialize_keras_object(config["after"])
        return cls(**config)
