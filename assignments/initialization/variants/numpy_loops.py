"""NumPy's generators, numbers redrawn until they fit, and every sample and unit in a loop of its own."""

import math
import secrets

import keras
import numpy as np


def fans(shape, depthwise=False):
    """By counting positions: all entries, less those that one unit or one input does not meet."""
    if depthwise and len(shape) < 3:
        raise ValueError("a depthwise kernel has a window")
    if len(shape) == 0:
        return (1, 1)
    if len(shape) == 1:
        return (shape[0], shape[0])
    positions = 1
    for side in list(shape)[:-2]:
        positions = positions * side
    seen = 1 if depthwise else shape[-2]
    return (positions * seen, positions * shape[-1])


def typed(values, dtype):
    return np.asarray(values, dtype or keras.config.floatx())


def checked(seed):
    if isinstance(seed, dict):
        return keras.saving.deserialize_keras_object(seed)
    if seed is not None and type(seed) is not int and not isinstance(seed, keras.random.SeedGenerator):
        raise ValueError(f"seed was {seed!r}")
    return seed


def generator(seed, fallback):
    if isinstance(seed, keras.random.SeedGenerator):
        return np.random.default_rng([int(word) for word in keras.ops.convert_to_numpy(seed.next())])
    return np.random.default_rng(fallback if seed is None else seed)


def written(seed):
    return keras.saving.serialize_keras_object(seed) if isinstance(seed, keras.random.SeedGenerator) else seed


class RandomNormal(keras.initializers.Initializer):
    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        if stddev < 0:
            raise ValueError("stddev")
        self.mean, self.stddev, self.seed, self.own = mean, stddev, checked(seed), secrets.randbits(31)

    def __call__(self, shape, dtype=None):
        drawn = generator(self.seed, self.own).standard_normal(tuple(shape))
        return typed(drawn * self.stddev + self.mean, dtype)

    def get_config(self):
        return {"seed": written(self.seed), "stddev": self.stddev, "mean": self.mean}


class RandomUniform(keras.initializers.Initializer):
    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        if minval > maxval:
            raise ValueError("minval")
        self.minval, self.maxval, self.seed, self.own = minval, maxval, checked(seed), secrets.randbits(31)

    def __call__(self, shape, dtype=None):
        drawn = generator(self.seed, self.own).uniform(self.minval, self.maxval, tuple(shape))
        return typed(drawn, dtype)

    def get_config(self):
        return {"seed": written(self.seed), "maxval": self.maxval, "minval": self.minval}


def uniform(shape, variance, rng):
    limit = math.sqrt(3) * math.sqrt(variance)
    return rng.uniform(-limit, limit, tuple(shape))


def truncated(shape, variance, rng):
    numbers = rng.standard_normal(math.prod(shape))
    while (outside := np.abs(numbers) > 2).any():
        numbers[outside] = rng.standard_normal(outside.sum())
    return numbers.reshape(tuple(shape)) * math.sqrt(variance / 0.7737412)


class XavierUniform(keras.initializers.Initializer):
    def __init__(self, gain=1.0, depthwise=False, seed=None):
        if gain <= 0:
            raise ValueError("gain")
        self.gain, self.depthwise, self.seed, self.own = gain, depthwise, checked(seed), secrets.randbits(31)

    def draw(self, shape, variance, rng):
        return uniform(shape, variance, rng)

    def __call__(self, shape, dtype=None):
        mean_fan = np.mean(np.maximum(fans(shape, self.depthwise), 1))
        return typed(self.draw(shape, self.gain**2 / mean_fan, generator(self.seed, self.own)), dtype)

    def get_config(self):
        return {"gain": self.gain, "depthwise": self.depthwise, "seed": written(self.seed)}


class XavierNormal(XavierUniform):
    def draw(self, shape, variance, rng):
        return truncated(shape, variance, rng)


class KaimingUniform(keras.initializers.Initializer):
    def __init__(self, mode="fan_in", negative_slope=0.0, depthwise=False, seed=None):
        if mode != "fan_in" and mode != "fan_out":
            raise ValueError("mode")
        self.mode, self.negative_slope, self.depthwise = mode, negative_slope, depthwise
        self.seed, self.own = checked(seed), secrets.randbits(31)

    def draw(self, shape, variance, rng):
        return uniform(shape, variance, rng)

    def __call__(self, shape, dtype=None):
        fan = fans(shape, self.depthwise)[int(self.mode == "fan_out")]
        gain = math.sqrt(2 / (1 + self.negative_slope**2))
        variance = (gain / math.sqrt(max(fan, 1))) ** 2
        return typed(self.draw(shape, variance, generator(self.seed, self.own)), dtype)

    def get_config(self):
        config = {"mode": self.mode, "negative_slope": self.negative_slope, "depthwise": self.depthwise}
        return config | {"seed": written(self.seed)}


class KaimingNormal(KaimingUniform):
    def draw(self, shape, variance, rng):
        return truncated(shape, variance, rng)


class Constant(keras.initializers.Initializer):
    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        return typed(np.zeros(tuple(shape)) + self.value, dtype)

    def get_config(self):
        return {"value": self.value}


class PriorLogOdds(keras.initializers.Initializer):
    def __init__(self, prior):
        self.prior = prior.tolist() if isinstance(prior, np.ndarray) else prior
        if isinstance(self.prior, tuple):
            self.prior = list(self.prior)
        for p in self.prior if isinstance(self.prior, list) else [self.prior]:
            if math.isnan(p) or p <= 0 or p >= 1:
                raise ValueError("prior")

    def __call__(self, shape, dtype=None):
        if isinstance(self.prior, list):
            if tuple(shape) != (len(self.prior),):
                raise ValueError("shape")
            return typed([-math.log(1 / p - 1) for p in self.prior], dtype)
        return typed(np.full(tuple(shape), math.log(self.prior / (1 - self.prior))), dtype)

    def get_config(self):
        return {"prior": self.prior}


def unit_spread(kernel):
    rows = np.asarray(kernel, "float64").reshape(-1, np.shape(kernel)[-1])
    largest = 0.0
    for row in rows:
        largest = max(largest, max(row) - min(row))
    return float(largest)


def train_two_layers(initializer, x, y, units, steps, learning_rate):
    w1 = np.array(initializer((x.shape[1], units)), "float64")
    w2 = np.array(initializer((units, 1)), "float64")[:, 0]
    b1, b2 = [0.0] * units, 0.0
    history = {"loss": [], "spread": []}
    for _ in range(steps + 1):
        d1, d2, e1, e2, loss = np.zeros_like(w1), np.zeros_like(w2), [0.0] * units, 0.0, 0.0
        for sample, target in zip(x, y[:, 0], strict=True):
            h = [math.tanh(float(sample @ w1[:, unit]) + b1[unit]) for unit in range(units)]
            miss = sum(h[unit] * w2[unit] for unit in range(units)) + b2 - float(target)
            loss += miss * miss
            e2 += 2 * miss
            for unit in range(units):
                slope = 2 * miss * w2[unit] * (1 - h[unit] ** 2)
                d2[unit] += 2 * miss * h[unit]
                e1[unit] += slope
                d1[:, unit] += slope * sample
        history["loss"].append(loss / len(x))
        history["spread"].append(unit_spread(w1))
        rate = learning_rate / len(x)
        w1, w2, b2 = w1 - rate * d1, w2 - rate * d2, b2 - rate * e2
        b1 = [b1[unit] - rate * e1[unit] for unit in range(units)]
    return history


def activate(name, z):
    """f(z) and f'(z)."""
    if name == "linear":
        return z, np.ones(z.shape)
    if name == "tanh":
        return np.tanh(z), 1 - np.tanh(z) ** 2
    if name == "relu":
        return np.where(z > 0, z, 0), np.where(z > 0, 1.0, 0.0)
    raise ValueError(name)


def measure_depth(initializer, activation, x, upstream, depth=50):
    """One sample at a time."""
    width = len(x[0])
    activate(activation, np.zeros(1))
    kernels = [np.array(initializer((width, width)), "float64") for _ in range(depth)]
    signal, gradient, active = np.zeros((3, depth + 1))
    for sample, given in zip(x, upstream, strict=True):
        h, slopes = np.array(sample, "float64"), []
        for layer in range(depth + 1):
            signal[layer] += h @ h
            active[layer] += np.count_nonzero(h > 0)
            if layer < depth:
                h, slope = activate(activation, h @ kernels[layer])
                slopes.append(slope)
        g = np.array(given, "float64")
        for layer in range(depth, -1, -1):
            gradient[layer] += g @ g
            if layer:
                g = kernels[layer - 1] @ (g * slopes[layer - 1])
    number = len(x) * width
    return {"signal": signal / number, "gradient": gradient / number, "active": active / number}


def predict_signal(weight_variance, width, activation, depth=50, first=1.0):
    """Simpson's rule on 4,000 intervals."""
    activate(activation, np.zeros(1))
    z = np.linspace(-10, 10, 4001)
    simpson = np.where(np.arange(4001) % 2, 4.0, 2.0)
    simpson[[0, -1]] = 1
    weights = simpson * np.exp(-(z**2) / 2) * (20 / 4000 / 3) / math.sqrt(2 * math.pi)
    q = [first]
    while len(q) <= depth:
        f, _ = activate(activation, z * math.sqrt(q[-1] * weight_variance) * math.sqrt(width))
        q.append(float(np.sum(weights * f**2)))
    return q
