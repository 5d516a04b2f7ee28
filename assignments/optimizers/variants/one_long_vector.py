"""All weights' state in one long vector, of which each weight has a piece; schedules keep one dict of settings."""

import math

import keras
import numpy as np
from keras import ops

SERIALIZABLE = keras.saving.register_keras_serializable("dlquiz")


def descend(gradient, start, learning_rate, steps):
    shape = np.shape(start)
    w = [float(value) for value in np.ravel(start)]
    path = [np.reshape(w, shape)]
    for _ in range(steps):
        slope = np.ravel(gradient(np.reshape(np.array(w, "float64"), shape)))
        w = [value - learning_rate * float(up) for value, up in zip(w, slope)]
        path.append(np.reshape(w, shape))
    return np.array(path, "float64").reshape(steps + 1, *shape)


def _spectrum(hessian):
    values = sorted(float(value) for value in np.linalg.eigh(np.asarray(hessian, "float64"))[0])
    if values[0] <= 0:
        raise ValueError(values[0])
    return values


def rate_limits(hessian):
    values = _spectrum(hessian)
    return 2 / (values[0] + values[-1]), 2 / values[-1]


def steps_needed(hessian, learning_rate, shrink):
    slowest = 0
    for value in _spectrum(hessian):
        r = abs(1 - learning_rate * value)
        if r >= 1:
            return math.inf
        slowest = max(slowest, 1 if r == 0 else math.ceil(math.log(shrink, r)))
    return slowest


class _Vector(keras.optimizers.Optimizer):
    vectors = 0
    begin = 0.0

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        sizes = [math.prod(variable.shape) for variable in variables]
        self._begins = [sum(sizes[:place]) for place in range(len(sizes))]
        start = keras.initializers.Constant(self.begin)
        self._vectors = [
            self.add_variable(
                (sum(sizes),), initializer=start, dtype=variables[0].dtype, name=f"vector_{number}"
            )
            for number in range(self.vectors)
        ]

    def piece(self, number, variable):
        begin = self._begins[self._get_variable_index(variable)]
        size = math.prod(variable.shape)
        vector = ops.convert_to_tensor(self._vectors[number])
        return ops.reshape(vector[begin : begin + size], variable.shape)

    def store(self, number, variable, value):
        begin = self._begins[self._get_variable_index(variable)]
        vector = ops.convert_to_tensor(self._vectors[number])
        self.assign(self._vectors[number], ops.slice_update(vector, [begin], ops.reshape(value, (-1,))))
        return value

    def averaged(self, number, variable, value, keep):
        return self.store(number, variable, keep * self.piece(number, variable) + (1 - keep) * value)


@SERIALIZABLE
class GradientDescent(_Vector):
    def __init__(self, learning_rate=0.01, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)

    def update_step(self, gradient, variable, learning_rate):
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign_add(variable, ops.negative(rate) * ops.cast(gradient, variable.dtype))


@SERIALIZABLE
class Momentum(_Vector):
    vectors = 1

    def __init__(self, learning_rate=0.01, momentum=0.9, nesterov=False, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum = momentum
        self.nesterov = nesterov

    def update_step(self, gradient, variable, learning_rate):
        push = ops.cast(learning_rate, variable.dtype) * ops.cast(gradient, variable.dtype)
        velocity = self.store(0, variable, self.momentum * self.piece(0, variable) - push)
        if self.nesterov:
            velocity = self.momentum * velocity - push
        self.assign_add(variable, velocity)

    def get_config(self):
        return dict(super().get_config(), momentum=self.momentum, nesterov=self.nesterov)


@SERIALIZABLE
class AdaGrad(_Vector):
    vectors = 1

    def __init__(self, learning_rate=0.001, initial_accumulator=0.1, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.begin = self.initial_accumulator = initial_accumulator
        self.epsilon = epsilon

    def update_step(self, gradient, variable, learning_rate):
        gradient = ops.cast(gradient, variable.dtype)
        total = self.store(0, variable, self.piece(0, variable) + ops.square(gradient))
        rates = ops.cast(learning_rate, variable.dtype) * ops.rsqrt(total + self.epsilon)
        self.assign_sub(variable, rates * gradient)

    def get_config(self):
        return dict(super().get_config(), initial_accumulator=self.initial_accumulator, epsilon=self.epsilon)


@SERIALIZABLE
class RMSProp(_Vector):
    vectors = 1

    def __init__(self, learning_rate=0.001, rho=0.9, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.rho = rho
        self.epsilon = epsilon

    def update_step(self, gradient, variable, learning_rate):
        gradient = ops.cast(gradient, variable.dtype)
        square = self.averaged(0, variable, ops.square(gradient), self.rho)
        rates = ops.cast(learning_rate, variable.dtype) * ops.rsqrt(square + self.epsilon)
        self.assign_sub(variable, rates * gradient)

    def get_config(self):
        return dict(super().get_config(), rho=self.rho, epsilon=self.epsilon)


@SERIALIZABLE
class Adam(_Vector):
    vectors = 2

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, self.step(gradient, variable, learning_rate))

    def step(self, gradient, variable, learning_rate):
        gradient = ops.cast(gradient, variable.dtype)
        t = ops.cast(ops.add(self.iterations, 1), variable.dtype)
        mean = self.averaged(0, variable, gradient, self.beta_1)
        square = self.averaged(1, variable, ops.square(gradient), self.beta_2)
        first, second = (1 - ops.exp(t * math.log(beta)) for beta in (self.beta_1, self.beta_2))
        mean = mean * ops.sqrt(second) / first
        return ops.cast(learning_rate, variable.dtype) * mean / (ops.sqrt(square) + self.epsilon)

    def get_config(self):
        return dict(super().get_config(), beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon)


@SERIALIZABLE
class AdamW(Adam):
    def __init__(self, learning_rate=0.001, decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.decay = decay

    def update_step(self, gradient, variable, learning_rate):
        step = self.step(gradient, variable, learning_rate)
        keep = 1 - ops.cast(learning_rate, variable.dtype) * self.decay
        self.assign(variable, keep * variable - step)

    def get_config(self):
        return dict(super().get_config(), decay=self.decay)


def l2_gradients(gradients, variables, rate):
    variables = [ops.convert_to_tensor(variable) for variable in variables]
    gradients = [
        ops.zeros_like(variable) if gradient is None else gradient
        for gradient, variable in zip(gradients, variables)
    ]
    return [gradient + (rate + rate) * variable for gradient, variable in zip(gradients, variables)]


def clip_by_value(gradients, limit):
    if limit <= 0:
        raise ValueError("limit")
    return [
        None if g is None else ops.where(ops.abs(g) > limit, ops.sign(g) * limit, ops.convert_to_tensor(g))
        for g in gradients
    ]


def clip_by_norm(gradients, limit):
    if limit <= 0:
        raise ValueError("limit")
    return [clip_by_global_norm([g], limit)[0] for g in gradients]


def clip_by_global_norm(gradients, limit):
    if limit <= 0:
        raise ValueError("limit")
    pieces = [ops.reshape(g, (-1,)) for g in gradients if g is not None]
    if not pieces:
        return gradients
    vector = ops.concatenate(pieces)
    size = ops.norm(vector, ord=np.inf)
    safe = ops.maximum(size, 1e-35)
    # in units of the limit; at most 1 leaves everything as it is
    excess = ops.norm(vector / safe) * (safe / limit)
    whole = vector / ops.maximum(excess, 1)
    results = []
    for g in gradients:
        if g is None:
            results.append(None)
            continue
        number = math.prod(g.shape)
        results.append(ops.reshape(whole[:number], g.shape))
        whole = whole[number:]
    return results


class _Schedule(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, **settings):
        self.settings = settings

    def get_config(self):
        return self.settings

    def epochs(self, step):
        step = ops.convert_to_tensor(step)
        left = ops.mod(step, self.settings["steps_per_epoch"])
        return ops.cast((step - left) / self.settings["steps_per_epoch"], "float32")


@SERIALIZABLE
class StepDecay(_Schedule):
    def __init__(self, initial_learning_rate, factor=0.5, every=10, steps_per_epoch=1):
        super().__init__(
            initial_learning_rate=initial_learning_rate,
            factor=factor,
            every=every,
            steps_per_epoch=steps_per_epoch,
        )

    def __call__(self, step):
        drops = ops.floor((self.epochs(step) + 0.5) / self.settings["every"])
        return self.settings["initial_learning_rate"] * ops.power(self.settings["factor"], drops)


@SERIALIZABLE
class ExponentialDecay(_Schedule):
    def __init__(self, initial_learning_rate, factor=0.95, steps_per_epoch=1, smooth=False):
        super().__init__(
            initial_learning_rate=initial_learning_rate,
            factor=factor,
            steps_per_epoch=steps_per_epoch,
            smooth=smooth,
        )

    def __call__(self, step):
        epochs = self.epochs(step)
        if self.settings["smooth"]:
            epochs = ops.cast(step, "float32") / self.settings["steps_per_epoch"]
        return self.settings["initial_learning_rate"] * ops.exp2(math.log2(self.settings["factor"]) * epochs)


@SERIALIZABLE
class TimeBasedDecay(_Schedule):
    def __init__(self, initial_learning_rate, rate=0.1, steps_per_epoch=1):
        super().__init__(
            initial_learning_rate=initial_learning_rate, rate=rate, steps_per_epoch=steps_per_epoch
        )

    def __call__(self, step):
        return 1 / ((1 + self.settings["rate"] * self.epochs(step)) / self.settings["initial_learning_rate"])


@SERIALIZABLE
class WarmUp(_Schedule):
    def __init__(self, after, warmup_steps, start=0.0):
        super().__init__(after=after, warmup_steps=warmup_steps, start=start)

    def __call__(self, step):
        after, end, start = (self.settings[name] for name in ("after", "warmup_steps", "start"))
        late = ops.cast(ops.relu(ops.cast(step, "int32") - end), "int32")
        rate = after(late) if isinstance(after, keras.optimizers.schedules.LearningRateSchedule) else after
        share = ops.clip(ops.cast(step, "float32") / end, 0, 1)
        return share * rate + (1 - share) * start

    def get_config(self):
        after = self.settings["after"]
        if not isinstance(after, (int, float)):
            after = keras.saving.serialize_keras_object(after)
        return {**self.settings, "after": after}

    @classmethod
    def from_config(cls, config):
        after = config.pop("after")
        if isinstance(after, dict):
            after = keras.optimizers.schedules.deserialize(after)
        return cls(after, **config)
