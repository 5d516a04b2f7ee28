"""Weight initialization: Keras initializers, and what they do to a network's symmetry and to its depth.

Notation: v is the variance of a kernel's entries, fan_in the number of inputs of a unit, fan_out the number of
units that an input reaches. The initializers draw by `keras.random` and run on every backend of Keras.
"""

import math
import random

import keras
import numpy as np
from keras import ops

# Deviation of a standard normal number that is redrawn until it lies within -2 and 2.
TRUNCATED_DEVIATION = 0.8796256610342398


def fans(shape, depthwise=False):
    """The number of inputs of a unit, and of outputs that an input reaches.

    Args:
        shape: tuple or list of ints, a kernel's shape in Keras' order of axes: (), (n,), (inputs, units),
            (*window, channels, filters), or with `depthwise` (*window, channels, multiplier).
        depthwise: bool, whether each channel has filters of its own.

    Returns:
        (fan_in, fan_out), ints. The window's size counts in both.

    Raises:
        ValueError: `depthwise` with a shape of fewer than three axes.
    """
    # BEGIN SOLUTION
    if depthwise and len(shape) < 3:
        raise ValueError(f"a depthwise kernel has three axes or more, received shape {tuple(shape)}")
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    *window, channels, units = shape
    receptive_field = math.prod(window)
    return receptive_field * (1 if depthwise else channels), receptive_field * units
    # END SOLUTION


class _Random(keras.initializers.Initializer):
    """What the random initializers share. The tests never ask for it: use it, change it or delete it.

    Args:
        seed: int, None or `keras.random.SeedGenerator`; or a dict, the configuration of such a generator.

    Raises:
        ValueError: any other seed.
    """

    def __init__(self, seed=None):
        # BEGIN SOLUTION
        if isinstance(seed, dict):
            seed = keras.saving.deserialize_keras_object(seed)
        if not isinstance(seed, int | keras.random.SeedGenerator | None):
            raise ValueError(f"seed must be an int, None or a SeedGenerator, received {seed!r}")
        self.given_seed = seed
        self.seed = random.randrange(2**31) if seed is None else seed  # noqa: S311
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {"seed": keras.saving.serialize_keras_object(self.given_seed)}
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomNormal(_Random):
    """Independent normal numbers, not truncated.

    Args:
        mean: float.
        stddev: float, 0 or above, the standard deviation.
        seed: int, None or `keras.random.SeedGenerator`.

    Called with (shape, dtype=None), it returns a tensor of that shape and dtype.

    Raises:
        ValueError: in the constructor, for a negative `stddev` or another kind of seed.
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        # BEGIN SOLUTION
        if stddev < 0:
            raise ValueError(f"stddev must be 0 or above, received {stddev}")
        # END SOLUTION
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape, dtype=None):
        # BEGIN SOLUTION
        return keras.random.normal(shape, self.mean, self.stddev, dtype=dtype, seed=self.seed)
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class RandomUniform(_Random):
    """Independent numbers, uniform between `minval` and `maxval`.

    Args:
        minval, maxval: floats, `minval` not above `maxval`.
        seed: int, None or `keras.random.SeedGenerator`.

    Called with (shape, dtype=None), it returns a tensor of that shape and dtype.

    Raises:
        ValueError: in the constructor, for `minval` above `maxval` or another kind of seed.
    """

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        super().__init__(seed)
        # BEGIN SOLUTION
        if minval > maxval:
            raise ValueError(f"minval must not be above maxval, received {minval} and {maxval}")
        # END SOLUTION
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape, dtype=None):
        # BEGIN SOLUTION
        return keras.random.uniform(shape, self.minval, self.maxval, dtype=dtype, seed=self.seed)
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}
        # END SOLUTION


def _uniform(shape, variance, dtype, seed):
    """Uniform numbers of mean 0 and the given variance. A helper that the tests never call."""
    # BEGIN SOLUTION
    limit = math.sqrt(3 * variance)
    return keras.random.uniform(shape, -limit, limit, dtype=dtype, seed=seed)
    # END SOLUTION


def _truncated_normal(shape, variance, dtype, seed):
    """Normal numbers, truncated at two deviations, of mean 0 and, after truncation, the given variance.

    A helper that the tests never call.
    """
    # BEGIN SOLUTION
    stddev = math.sqrt(variance) / TRUNCATED_DEVIATION
    return keras.random.truncated_normal(shape, 0.0, stddev, dtype=dtype, seed=seed)
    # END SOLUTION


class _Xavier(_Random):
    """What the two Xavier initializers share. The tests never ask for it."""

    def __init__(self, gain=1.0, depthwise=False, seed=None):
        super().__init__(seed)
        # BEGIN SOLUTION
        if gain <= 0:
            raise ValueError(f"gain must be above 0, received {gain}")
        # END SOLUTION
        self.gain = gain
        self.depthwise = depthwise

    def variance(self, shape):
        """gain^2 * 2 / (fan_in + fan_out), where a fan of 0 counts as 1."""
        # BEGIN SOLUTION
        return self.gain**2 * 2 / sum(max(1, fan) for fan in fans(shape, self.depthwise))
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {"gain": self.gain, "depthwise": self.depthwise, **super().get_config()}
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class XavierUniform(_Xavier):
    """Xavier initialization (Glorot and Bengio, 2010), uniform: variance gain^2 * 2 / (fan_in + fan_out).

    Args:
        gain: float above 0, multiplies the deviation.
        depthwise: bool, whether the kernel is that of a depthwise convolution.
        seed: int, None or `keras.random.SeedGenerator`.

    Called with (shape, dtype=None), it returns a tensor of that shape and dtype.

    Raises:
        ValueError: in the constructor, for a `gain` of 0 or below or another kind of seed.
    """

    def __call__(self, shape, dtype=None):
        # BEGIN SOLUTION
        return _uniform(shape, self.variance(shape), dtype, self.seed)
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class XavierNormal(_Xavier):
    """Xavier initialization, normal and truncated at two deviations; else like `XavierUniform`."""

    def __call__(self, shape, dtype=None):
        # BEGIN SOLUTION
        return _truncated_normal(shape, self.variance(shape), dtype, self.seed)
        # END SOLUTION


class _Kaiming(_Random):
    """What the two Kaiming initializers share. The tests never ask for it."""

    def __init__(self, mode="fan_in", negative_slope=0.0, depthwise=False, seed=None):
        super().__init__(seed)
        # BEGIN SOLUTION
        if mode not in ("fan_in", "fan_out"):
            raise ValueError(f'mode must be "fan_in" or "fan_out", received {mode!r}')
        # END SOLUTION
        self.mode = mode
        self.negative_slope = negative_slope
        self.depthwise = depthwise

    def variance(self, shape):
        """2 / ((1 + negative_slope^2) * fan), where a fan of 0 counts as 1."""
        # BEGIN SOLUTION
        fan_in, fan_out = fans(shape, self.depthwise)
        fan = fan_in if self.mode == "fan_in" else fan_out
        return 2 / ((1 + self.negative_slope**2) * max(1, fan))
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        own = {"mode": self.mode, "negative_slope": self.negative_slope, "depthwise": self.depthwise}
        return {**own, **super().get_config()}
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class KaimingUniform(_Kaiming):
    """Kaiming initialization (He et al., 2015), uniform: variance 2 / ((1 + negative_slope^2) * fan).

    Args:
        mode: "fan_in" keeps the signal's mean square on the way forward, "fan_out" the gradient's on the way
            back.
        negative_slope: float, the slope of a leaky ReLU for negative inputs; 0 for ReLU.
        depthwise: bool, whether the kernel is that of a depthwise convolution.
        seed: int, None or `keras.random.SeedGenerator`.

    Called with (shape, dtype=None), it returns a tensor of that shape and dtype.

    Raises:
        ValueError: in the constructor, for any other mode or another kind of seed.
    """

    def __call__(self, shape, dtype=None):
        # BEGIN SOLUTION
        return _uniform(shape, self.variance(shape), dtype, self.seed)
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class KaimingNormal(_Kaiming):
    """Kaiming initialization, normal and truncated at two deviations; else like `KaimingUniform`."""

    def __call__(self, shape, dtype=None):
        # BEGIN SOLUTION
        return _truncated_normal(shape, self.variance(shape), dtype, self.seed)
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class Constant(keras.initializers.Initializer):
    """The same number everywhere; by default 0.

    Args:
        value: float.

    Called with (shape, dtype=None), it returns a tensor of that shape and dtype.
    """

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        # BEGIN SOLUTION
        return ops.full(shape, self.value, dtype=dtype or keras.config.floatx())
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {"value": self.value}
        # END SOLUTION


@keras.saving.register_keras_serializable(package="dlquiz")
class PriorLogOdds(keras.initializers.Initializer):
    """The bias log(p / (1 - p)) of an output unit whose sigmoid is to start at the base rate p.

    Args:
        prior: float above 0 and below 1, for all units; or a list, tuple or array (units,) of them.

    Called with (shape, dtype=None), it returns a tensor of that shape and dtype.

    Raises:
        ValueError: in the constructor, for a prior that is not strictly between 0 and 1; in a call, for a shape
            other than (units,) where there are several priors.
    """

    def __init__(self, prior):
        # BEGIN SOLUTION
        numbers = np.asarray(prior, "float64")
        if not np.all((numbers > 0) & (numbers < 1)):
            raise ValueError(f"priors must be above 0 and below 1, received {prior}")
        self.prior = numbers.tolist()
        # END SOLUTION

    def __call__(self, shape, dtype=None):
        # BEGIN SOLUTION
        prior = np.asarray(self.prior)
        if prior.ndim and tuple(shape) != prior.shape:
            raise ValueError(f"there are {prior.size} priors, received shape {tuple(shape)}")
        log_odds = np.broadcast_to(np.log(prior) - np.log1p(-prior), tuple(shape))
        return ops.convert_to_tensor(log_odds, dtype=dtype or keras.config.floatx())
        # END SOLUTION

    def get_config(self):
        # BEGIN SOLUTION
        return {"prior": self.prior}
        # END SOLUTION


def unit_spread(kernel):
    """How far the units of a layer are from being equal.

    Args:
        kernel: float array or tensor (..., units).

    Returns:
        float: the largest difference between two units' values at one place.
    """
    # BEGIN SOLUTION
    return float(np.max(np.ptp(ops.convert_to_numpy(kernel), axis=-1)))
    # END SOLUTION


def train_two_layers(initializer, x, y, units, steps, learning_rate):
    """Gradient descent on the mean squared error of tanh(x W1 + b1) W2 + b2, watching the spread of W1's units.

    Args:
        initializer: called with a shape once for W1, then once for W2; returns an array or a tensor.
        x: float32 array (samples, features).
        y: float32 array (samples, 1).
        units: int, the number of hidden units.
        steps: int, the number of full-batch steps.
        learning_rate: float.

    Returns:
        dict of two sequences of `steps` + 1 floats, entry t after t steps: "loss" and "spread".
    """
    # BEGIN SOLUTION
    kernel = ops.convert_to_numpy(initializer((x.shape[1], units))).astype("float64")
    readout = ops.convert_to_numpy(initializer((units, 1))).astype("float64")
    bias, offset = np.zeros(units), np.zeros(1)
    losses, spreads = [], []
    for _ in range(steps + 1):
        hidden = np.tanh(x @ kernel + bias)
        error = hidden @ readout + offset - y
        losses.append(np.mean(error**2))
        spreads.append(unit_spread(kernel))
        at_output = 2 * error / len(x)
        at_hidden = at_output @ readout.T * (1 - hidden**2)
        kernel = kernel - learning_rate * x.T @ at_hidden
        bias = bias - learning_rate * at_hidden.sum(axis=0)
        readout = readout - learning_rate * hidden.T @ at_output
        offset = offset - learning_rate * at_output.sum(axis=0)
    return {"loss": np.array(losses), "spread": np.array(spreads)}
    # END SOLUTION


def _activation(name):
    """An activation, and its derivative in terms of its output: h = f(z), f'(z) as a function of h.

    A helper that the tests never call.

    Raises:
        ValueError: `name` is not one of "linear", "tanh" and "relu".
    """
    # BEGIN SOLUTION
    match name:
        case "linear":
            return (lambda z: z), np.ones_like
        case "tanh":
            return np.tanh, lambda h: 1 - h**2
        case "relu":
            return (lambda z: np.maximum(z, 0)), lambda h: (h > 0).astype("float64")
    raise ValueError(f'activation must be "linear", "tanh" or "relu", received {name!r}')
    # END SOLUTION


def measure_depth(initializer, activation, x, upstream, depth=50):
    """The mean square of signal and gradient at each depth of a stack of layers without bias, in float64.

    Args:
        initializer: called with (width, width) once a layer, in order; returns an array or a tensor.
        activation: "linear", "tanh" or "relu".
        x: float array (samples, width), the input.
        upstream: float array (samples, width), the gradient of the loss by the last layer's output.
        depth: int, the number of layers.

    Returns:
        dict of three sequences of `depth` + 1 floats, entry l for layer l, 0 for the input: "signal", "gradient"
        and "active", the share of outputs above 0.

    Raises:
        ValueError: another activation.
    """
    # BEGIN SOLUTION
    function, slope = _activation(activation)
    kernels, outputs = [], [np.asarray(x, "float64")]
    for _ in range(depth):
        kernels.append(ops.convert_to_numpy(initializer((x.shape[1], x.shape[1]))).astype("float64"))
        outputs.append(function(outputs[-1] @ kernels[-1]))
    gradients = [np.asarray(upstream, "float64")]
    for kernel, output in zip(reversed(kernels), reversed(outputs[1:]), strict=True):
        gradients.append((gradients[-1] * slope(output)) @ kernel.T)
    return {
        "signal": np.array([np.mean(output**2) for output in outputs]),
        "gradient": np.array([np.mean(gradient**2) for gradient in reversed(gradients)]),
        "active": np.array([np.mean(output > 0) for output in outputs]),
    }
    # END SOLUTION


def predict_signal(weight_variance, width, activation, depth=50, first=1.0):
    """The mean square of the signal at each depth, for wide layers (Poole et al., 2016).

    Formula: q_0 = first, q_l = E f(z)^2 with z normal of mean 0 and variance width * weight_variance * q_(l-1).

    Args:
        weight_variance: float, the variance of a kernel's entries.
        width: int, the number of units in each layer.
        activation: "linear", "tanh" or "relu".
        depth: int, the number of layers.
        first: float, the mean square of the input.

    Returns:
        sequence of `depth` + 1 floats.

    Raises:
        ValueError: another activation.
    """
    # BEGIN SOLUTION
    function, _ = _activation(activation)
    z = np.linspace(-8, 8, 8001)
    density = np.exp(-(z**2) / 2)
    density /= density.sum()
    signal = [float(first)]
    for _ in range(depth):
        deviation = math.sqrt(width * weight_variance * signal[-1])
        signal.append(float(function(deviation * z) ** 2 @ density))
    return np.array(signal)
    # END SOLUTION
