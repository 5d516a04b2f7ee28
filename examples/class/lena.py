from keras import backend as K
from keras.layers import Layer


def standardize(x, axis, epsilon=1e-3):
    mean = K.mean(x, axis=axis, keepdims=True)
    var = K.var(x, axis=axis, keepdims=True)
    return (x - mean) / K.sqrt(var + epsilon)


class BatchNorm(Layer):
    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, **kwargs):
        super(BatchNorm, self).__init__(**kwargs)
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape):
        dim = input_shape[self.axis]
        self.gamma = self.add_weight("gamma", (dim,), initializer="ones")
        self.beta = self.add_weight("beta", (dim,), initializer="zeros")
        self.moving_mean = self.add_weight("moving_mean", (dim,), initializer="zeros", trainable=False)
        self.moving_variance = self.add_weight("moving_variance", (dim,), initializer="ones", trainable=False)
        super(BatchNorm, self).build(input_shape)

    def call(self, x, training=None):
        axes = list(range(K.ndim(x)))
        del axes[self.axis]
        mean = K.mean(x, axis=axes)
        var = K.var(x, axis=axes)
        self.add_update(
            [
                K.moving_average_update(self.moving_mean, mean, self.momentum),
                K.moving_average_update(self.moving_variance, var, self.momentum),
            ],
            x,
        )
        train = (x - mean) / K.sqrt(var + self.epsilon) * self.gamma + self.beta
        test = (x - self.moving_mean) / K.sqrt(self.moving_variance + self.epsilon) * self.gamma + self.beta
        return K.in_train_phase(train, test, training=training)


class LayerNorm(Layer):
    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super(LayerNorm, self).__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        dim = input_shape[self.axis]
        self.gamma = self.add_weight("gamma", (dim,), initializer="ones")
        self.beta = self.add_weight("beta", (dim,), initializer="zeros")
        super(LayerNorm, self).build(input_shape)

    def call(self, x):
        return standardize(x, self.axis, self.epsilon) * self.gamma + self.beta


class InstanceNorm(LayerNorm):
    def call(self, x):
        return standardize(x, [1, 2], self.epsilon) * self.gamma + self.beta
