import keras
from keras import ops

# saves me typing it 10 times
ONES = dict(initializer="ones", autocast=False)
ZEROS = dict(initializer="zeros", autocast=False)


def standardize(x, axis, epsilon=1e-3):
    axes = [axis] if isinstance(axis, int) else list(axis)
    m, v = ops.moments(ops.convert_to_tensor(x), axes, keepdims=True)
    return (x - m) * ops.rsqrt(v + epsilon)


class BatchNorm(keras.layers.Layer):
    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, **kw):
        super().__init__(**kw)
        self.axis, self.momentum, self.epsilon = axis, momentum, epsilon

    def build(self, s):
        c = (s[self.axis],)
        self.gamma = self.add_weight(c, name="gamma", **ONES)
        self.beta = self.add_weight(c, name="beta", **ZEROS)
        self.moving_mean = self.add_weight(c, name="moving_mean", trainable=False, **ZEROS)
        self.moving_variance = self.add_weight(c, name="moving_variance", trainable=False, **ONES)

    def call(self, x, training=False):
        x = ops.cast(x, "float32")
        ax = self.axis % x.ndim if hasattr(x, "ndim") else self.axis % len(x.shape)
        # put the channels last: then everything broadcasts by itself
        x = ops.moveaxis(x, ax, -1)
        if training and self.trainable:
            m, v = ops.moments(x, list(range(len(x.shape) - 1)))
            self.moving_mean.assign(self.moving_mean * self.momentum + m * (1 - self.momentum))
            self.moving_variance.assign(self.moving_variance * self.momentum + v * (1 - self.momentum))
        else:
            m, v = self.moving_mean, self.moving_variance
        y = (x - m) / ops.sqrt(v + self.epsilon) * self.gamma + self.beta
        return ops.cast(ops.moveaxis(y, -1, ax), self.compute_dtype)

    def compute_output_shape(self, s):
        return s

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }


class LayerNorm(keras.layers.Layer):
    def __init__(self, axis=-1, epsilon=1e-3, **kw):
        super().__init__(**kw)
        self.axis, self.epsilon = axis, epsilon

    def build(self, s):
        ax = [self.axis] if isinstance(self.axis, int) else self.axis
        self.ax = sorted(a % len(s) for a in ax)
        self.wide = [n if i in self.ax else 1 for i, n in enumerate(s)]
        shape = [s[a] for a in self.ax]
        self.gamma = self.add_weight(shape, name="gamma", **ONES)
        self.beta = self.add_weight(shape, name="beta", **ZEROS)

    def call(self, x):
        y = standardize(ops.cast(x, "float32"), self.ax, self.epsilon)
        y = y * ops.reshape(self.gamma, self.wide) + ops.reshape(self.beta, self.wide)
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, s):
        return s

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


class GroupNorm(keras.layers.Layer):
    def __init__(self, groups=32, axis=-1, epsilon=1e-3, **kw):
        super().__init__(**kw)
        if groups < 1:
            raise ValueError(f"groups={groups}, should be 1 or more")
        self.groups, self.axis, self.epsilon = groups, axis, epsilon

    def build(self, s):
        c = s[self.axis]
        if c % self.groups:
            raise ValueError(f"{c} channels, {self.groups} groups")
        self.gamma = self.add_weight((c,), name="gamma", **ONES)
        self.beta = self.add_weight((c,), name="beta", **ZEROS)

    def call(self, x):
        x = ops.moveaxis(ops.cast(x, "float32"), self.axis, -1)
        s = ops.shape(x)
        y = ops.reshape(x, (*s[:-1], self.groups, s[-1] // self.groups))
        axes = [*range(1, len(s) - 1), len(s)]
        y = ops.reshape(standardize(y, axes, self.epsilon), s) * self.gamma + self.beta
        return ops.cast(ops.moveaxis(y, -1, self.axis), self.compute_dtype)

    def compute_output_shape(self, s):
        return s

    def get_config(self):
        return {**super().get_config(), "groups": self.groups, "axis": self.axis, "epsilon": self.epsilon}


class InstanceNorm(LayerNorm):
    def build(self, s):
        if len(s) < 3:
            raise ValueError("nothing to average over")
        super().build(s)

    def call(self, x):
        rank, ch = len(x.shape), self.ax[0]
        y = standardize(ops.cast(x, "float32"), [i for i in range(1, rank) if i != ch], self.epsilon)
        y = y * ops.reshape(self.gamma, self.wide) + ops.reshape(self.beta, self.wide)
        return ops.cast(y, self.compute_dtype)
