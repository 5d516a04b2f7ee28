"""One class for all six random initializers; truncated numbers by the inverse error function; a network of Keras layers
with Keras' own descent; signals kept near 1, with their size as a logarithm beside them."""

import math
import secrets

import keras
import numpy as np
from keras import ops


def fans(shape, depthwise=False):
    dims = [1, 1, *shape] if len(shape) == 0 else [*shape, *shape] if len(shape) == 1 else [*shape]
    if depthwise:
        if len(shape) < 3:
            raise ValueError("depthwise kernels have three axes or more")
        dims[-2] = 1
    size = math.prod(dims[:-2])
    return size * dims[-2], size * dims[-1]


class Scaled(keras.initializers.Initializer):
    """Numbers of the family `kind`, shifted and scaled."""

    kind = "normal"

    def __init__(self, seed):
        match seed:
            case dict():
                seed = keras.saving.deserialize_keras_object(seed)
            case None | int() | keras.random.SeedGenerator():
                pass
            case _:
                raise ValueError(f"expected a seed, received {seed!r}")
        self.config_seed = seed
        self.seed = secrets.randbits(31) if seed is None else seed

    def moments(self, shape):
        return 0.0, math.sqrt(self.variance(shape))

    def __call__(self, shape, dtype=None):
        mean, deviation = self.moments(shape)
        dtype = dtype or keras.config.floatx()
        work = "float64" if dtype == "float64" else "float32"
        match self.kind:
            case "normal":
                z = keras.random.normal(shape, dtype=work, seed=self.seed)
            case "uniform":
                z = keras.random.uniform(shape, -1.0, 1.0, dtype=work, seed=self.seed) * math.sqrt(3)
            case "truncated":
                edge = math.erf(math.sqrt(2))
                share = keras.random.uniform(shape, -edge, edge, dtype=work, seed=self.seed)
                z = ops.erfinv(share) * (math.sqrt(2) / 0.8796256610342398)
        return ops.cast(z * deviation + mean, dtype)

    def get_config(self):
        config = {name: getattr(self, name) for name in self.fields}
        return config | {"seed": keras.saving.serialize_keras_object(self.config_seed)}


class RandomNormal(Scaled):
    fields = ("mean", "stddev")

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        if stddev < 0:
            raise ValueError(f"expected a deviation, received {stddev}")
        self.mean, self.stddev = mean, stddev

    def moments(self, shape):
        return self.mean, self.stddev


class RandomUniform(Scaled):
    fields, kind = ("minval", "maxval"), "uniform"

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        super().__init__(seed)
        if maxval - minval < 0:
            raise ValueError(f"expected bounds in order, received {minval} and {maxval}")
        self.minval, self.maxval = minval, maxval

    def moments(self, shape):
        return (self.minval + self.maxval) / 2, (self.maxval - self.minval) / math.sqrt(12)


class XavierUniform(Scaled):
    fields, kind = ("gain", "depthwise"), "uniform"

    def __init__(self, gain=1.0, depthwise=False, seed=None):
        super().__init__(seed)
        if gain <= 0:
            raise ValueError(f"expected a positive gain, received {gain}")
        self.gain, self.depthwise = gain, depthwise

    def variance(self, shape):
        return 2 / sum(fan or 1 for fan in fans(shape, self.depthwise)) * self.gain * self.gain


class XavierNormal(XavierUniform):
    kind = "truncated"


class KaimingUniform(Scaled):
    fields, kind = ("mode", "negative_slope", "depthwise"), "uniform"

    def __init__(self, mode="fan_in", negative_slope=0.0, depthwise=False, seed=None):
        super().__init__(seed)
        self.which = {"fan_in": 0, "fan_out": 1}.get(mode)
        if self.which is None:
            raise ValueError(f"expected fan_in or fan_out, received {mode!r}")
        self.mode, self.negative_slope, self.depthwise = mode, negative_slope, depthwise

    def variance(self, shape):
        fan = fans(shape, self.depthwise)[self.which] or 1
        # a symmetric z of variance 1 leaves (1 + slope^2) / 2 of its mean square
        return 1 / (fan * (1 + self.negative_slope**2) / 2)


class KaimingNormal(KaimingUniform):
    kind = "truncated"


class Constant(keras.initializers.Initializer):
    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        return keras.initializers.Ones()(shape, dtype=dtype or keras.config.floatx()) * self.value

    def get_config(self):
        return {"value": self.value}


class PriorLogOdds(keras.initializers.Initializer):
    def __init__(self, prior):
        self.prior = np.array(prior, "float64")
        if not ((0 < self.prior) & (self.prior < 1)).all():
            raise ValueError(f"expected rates between 0 and 1, received {prior}")

    def __call__(self, shape, dtype=None):
        if self.prior.ndim and self.prior.shape != (*shape,):
            raise ValueError(f"expected shape {self.prior.shape}, received {shape}")
        # log(p / (1 - p)) is twice the inverse hyperbolic tangent of 2p - 1; close to 0 and 1 that loses digits
        odds = np.where(
            np.abs(self.prior - 0.5) < 0.4, 2 * np.arctanh(2 * self.prior - 1), -np.log(1 / self.prior - 1)
        )
        return np.broadcast_to(odds, (*shape,)).astype(dtype or keras.config.floatx())

    def get_config(self):
        return {"prior": self.prior.tolist()}


def unit_spread(kernel):
    kernel = ops.convert_to_tensor(kernel)
    return float(ops.max(ops.max(kernel, axis=-1) - ops.min(kernel, axis=-1)))


def train_two_layers(initializer, x, y, units, steps, learning_rate):
    import tensorflow as tf

    layers = [
        keras.layers.Dense(count, activation=activation, kernel_initializer="zeros")
        for count, activation in [(units, "tanh"), (1, None)]
    ]
    model = keras.Sequential([keras.Input(x.shape[1:]), *layers])
    for layer in layers:
        layer.kernel.assign(initializer(tuple(layer.kernel.shape)))
    optimizer = keras.optimizers.SGD(learning_rate)
    rows = []
    for step in range(steps + 1):
        with tf.GradientTape() as tape:
            loss = ops.mean(ops.square(model(x) - y))
        rows.append((float(loss), unit_spread(layers[0].kernel)))
        if step < steps:
            optimizer.apply(tape.gradient(loss, model.trainable_weights), model.trainable_weights)
    losses, spreads = zip(*rows, strict=True)
    return {"loss": losses, "spread": spreads}


def measure_depth(initializer, activation, x, upstream, depth=50):
    """Layers are rescaled by powers of two: those move through linear units and ReLU, and tanh is not rescaled."""
    if activation not in ("linear", "tanh", "relu"):
        raise ValueError(f"expected linear, tanh or relu, received {activation!r}")
    h, power = np.array(x, "float64"), 0
    signal, active, backward = [np.mean(h * h)], [np.mean(h > 0)], []
    for _ in range(depth):
        kernel = ops.convert_to_numpy(initializer([h.shape[1]] * 2)).astype("float64")
        z = np.einsum("ni,ij->nj", h, kernel)
        if activation == "tanh":
            h, slope = np.tanh(z), np.cosh(np.clip(z, -350, 350)) ** -2.0
        else:
            slope = np.heaviside(z, 0.0) if activation == "relu" else np.ones_like(z)
            h = z * slope
            shift = int(np.frexp(np.abs(h).max())[1])
            h, power = np.ldexp(h, -shift), power + shift
        backward.append((kernel, slope))
        signal.append(float(np.ldexp(np.mean(h * h), 2 * power)))
        active.append(np.mean(h > 0))
    g, power = np.array(upstream, "float64"), 0
    gradient = [np.mean(g * g)]
    while backward:
        kernel, slope = backward.pop()
        g = np.einsum("nj,ij->ni", g * slope, kernel)
        shift = int(np.frexp(np.abs(g).max())[1])
        g, power = np.ldexp(g, -shift), power + shift
        gradient.append(float(np.ldexp(np.mean(g * g), 2 * power)))
    return {"signal": signal, "gradient": gradient[::-1], "active": active}


def predict_signal(weight_variance, width, activation, depth=50, first=1.0):
    """Closed forms; for tanh Gauss and Legendre on panels."""
    product = width * weight_variance
    if activation in ("linear", "relu"):
        factor = product if activation == "linear" else product / 2
        return [first * factor**layer for layer in range(depth + 1)]
    if activation != "tanh":
        raise ValueError(f"expected linear, tanh or relu, received {activation!r}")
    nodes, weights = np.polynomial.legendre.leggauss(10)
    z = np.concatenate([edge + (nodes + 1) / 20 for edge in np.arange(0, 9, 0.1)])
    mass = np.tile(weights / 20, 90) * np.exp(-z * z / 2) * math.sqrt(2 / math.pi)
    signal = [first]
    for _ in range(depth):
        signal.append(float(mass @ np.tanh(math.sqrt(product * signal[-1]) * z) ** 2))
    return np.array(signal)
