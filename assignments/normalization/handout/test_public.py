"""Public tests of `normalization`: the worked examples of the README, and a first look at each layer."""

import numpy as np
import pytest

CLOSE = {"rtol": 1e-3, "atol": 1e-3}
X_HAT = [-1.3415, -0.4472, 0.4472, 1.3415]


@pytest.mark.problem("standardize")
@pytest.mark.hint("Work the README's example by hand, then print mean and variance.")
def test_standardize_worked_example(student):
    """standardize gives the README's example."""
    x = np.array([1, 3, 5, 7], "float32")
    np.testing.assert_allclose(student.standardize(x, 0), X_HAT, **CLOSE)


@pytest.mark.problem("standardize")
@pytest.mark.hint("Keep the averaged axes with size 1 (keepdims).")
def test_standardize_rows_and_columns(student):
    """standardize works on rows and on columns of a table."""
    x = np.array([[1, 2, 6], [3, 0, 9]], "float32")
    np.testing.assert_allclose(
        student.standardize(x, -1), [[-0.926, -0.463, 1.389], [-0.267, -1.069, 1.336]], **CLOSE
    )
    np.testing.assert_allclose(
        student.standardize(x, 0), [[-0.9995, 0.9995, -0.9998], [0.9995, -0.9995, 0.9998]], **CLOSE
    )


@pytest.mark.problem("batch_norm")
@pytest.mark.hint("gamma multiplies, beta is added.")
def test_batch_norm_worked_example(student):
    """In training BatchNorm gives the README's example, one channel at a time."""
    layer = student.BatchNorm()
    x = np.array([[1, 10], [3, 30], [5, 50], [7, 70]], "float32")
    layer.build(x.shape)
    layer.gamma.assign([2, -1])
    layer.beta.assign([1, 0])
    y = layer(x, training=True)
    np.testing.assert_allclose(y[:, 0], [-1.6830, 0.1056, 1.8944, 3.6830], **CLOSE)
    np.testing.assert_allclose(y[:, 1], [1.3416, 0.4472, -0.4472, -1.3416], **CLOSE)


@pytest.mark.problem("batch_norm")
@pytest.mark.hint("Four weights in the README's order; two of them are not trainable.")
def test_batch_norm_has_four_weights(student):
    """BatchNorm has two trained weights and two moving statistics."""
    layer = student.BatchNorm()
    layer.build((None, 3))
    assert [weight.name for weight in layer.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert len(layer.trainable_weights) == 2


@pytest.mark.problem("batch_norm_inference")
@pytest.mark.hint("What is the moving mean after one batch, if it was 0 and momentum is 0.9?")
def test_batch_norm_moving_statistics_worked_example(student):
    """One training call moves the moving statistics as in the README, and inference uses them."""
    layer = student.BatchNorm(momentum=0.9)
    layer(np.array([[1], [3], [5], [7]], "float32"), training=True)
    np.testing.assert_allclose(layer.moving_mean, [0.4], **CLOSE)
    np.testing.assert_allclose(layer.moving_variance, [1.4], **CLOSE)
    np.testing.assert_allclose(layer(np.array([[4]], "float32")), [[3.0415]], **CLOSE)


@pytest.mark.problem("layer_norm")
@pytest.mark.hint("By default each row of the last axis is normalized by itself.")
def test_layer_norm_rows(student):
    """LayerNorm normalizes each row, whatever the other rows hold."""
    x = np.array([[1, 3, 5, 7], [8, 8, 8, 8]], "float32")
    np.testing.assert_allclose(student.LayerNorm()(x), [X_HAT, [0, 0, 0, 0]], **CLOSE)


@pytest.mark.problem("instance_norm")
@pytest.mark.hint("The mean runs over the positions, for each sample and channel.")
def test_instance_norm_channels(student):
    """InstanceNorm normalizes each channel over the positions of its sample."""
    x = np.array([[[1, 7], [3, 5], [5, 3], [7, 1]], [[0, 5], [0, 5], [0, 5], [0, 5]]], "float32")
    y = student.InstanceNorm()(x)
    np.testing.assert_allclose(y[0], np.transpose([X_HAT, X_HAT[::-1]]), **CLOSE)
    np.testing.assert_allclose(y[1], np.zeros((4, 2)), **CLOSE)


@pytest.mark.problem("group_norm")
@pytest.mark.hint("Neighbouring channels form a group.")
def test_group_norm_groups(student):
    """GroupNorm normalizes neighbouring channels together, and refuses groups that do not fit."""
    x = np.array([[1, 3, 5, 7, 20, 20, 20, 20]], "float32")
    np.testing.assert_allclose(student.GroupNorm(groups=2)(x), [X_HAT + [0, 0, 0, 0]], **CLOSE)
    with pytest.raises(ValueError):
        student.GroupNorm(groups=3)(x)


@pytest.mark.problem("keras_layers")
@pytest.mark.hint("get_config starts from super().get_config().")
@pytest.mark.parametrize("name", ["BatchNorm", "LayerNorm", "InstanceNorm", "GroupNorm"])
def test_config_and_output_shape(student, name):
    """A layer tells its configuration and its output's shape."""
    layer = getattr(student, name)(axis=1, epsilon=0.01, name="mine")
    config = layer.get_config()
    assert (config["name"], config["axis"], config["epsilon"]) == ("mine", 1, 0.01)
    assert tuple(layer.compute_output_shape((None, 32, 5))) == (None, 32, 5)
