"""Public tests of `regularization`: the worked examples of the README, and a first look at each problem."""

import types

import keras
import numpy as np
import pytest

CLOSE = {"rtol": 1e-3, "atol": 1e-4}
NINE = np.arange(1, 10, dtype="float32").reshape(1, 3, 3, 1)


def line(weight):
    dense = keras.layers.Dense(1, use_bias=False, kernel_regularizer=lambda w: 0.1 * keras.ops.sum(w**2))
    model = keras.Sequential([keras.Input((1,)), dense])
    model.set_weights([np.array([[weight]], "float32")])
    return model


@pytest.mark.problem("overfitting")
@pytest.mark.hint("Work the README's example by hand.")
def test_overfitting_worked_example(student):
    """The objective holds the penalty, the gap does not."""
    model, loss_fn = student.probe(line, 2.0), student.module("keras").losses.MeanSquaredError()
    train = np.array([[1], [2]], "float32"), np.array([[2], [5]], "float32")
    validation = np.array([[3]], "float32"), np.array([[4]], "float32")
    np.testing.assert_allclose(float(student.training_objective(model, loss_fn, *train)), 0.9, **CLOSE)
    result = student.generalization_gap(model, loss_fn, train, validation)
    found = [float(result[key]) for key in ("train", "validation", "gap")]
    np.testing.assert_allclose(found, [0.5, 4, 3.5], **CLOSE)


@pytest.mark.problem("dropout")
@pytest.mark.hint("Count the zeros, and look at what the rest is divided by.")
def test_dropout_in_training(student):
    """With rate 0.2 about a fifth of many ones is 0, the rest 1.25, and the next mask is another one."""
    layer, ones = student.Dropout(0.2), np.ones((100, 100), "float32")
    first, second = (np.asarray(layer(ones, training=True)) for _ in range(2))
    np.testing.assert_allclose(first[first != 0], 1.25, **CLOSE)
    assert 0.1 < (first == 0).mean() < 0.3
    assert (first != second).any()


@pytest.mark.problem("dropout")
@pytest.mark.hint("What is `training` when nobody gives it?")
def test_dropout_at_inference(student):
    """Without training=True nothing is dropped."""
    layer, x = student.Dropout(0.5), np.arange(1, 101, dtype="float32").reshape(4, 25)
    np.testing.assert_array_equal(layer(x), x)
    assert (np.asarray(layer(x, training=True)) == 0).any()


@pytest.mark.problem("penalties")
@pytest.mark.hint("Sums of absolute values, of squares, of both.")
def test_penalties_worked_example(student):
    """The penalties of the README's weights, and their soft threshold."""
    weights = np.array([0.5, -2, 0, 1], "float32")
    np.testing.assert_allclose(float(student.L1(0.1)(weights)), 0.35, **CLOSE)
    np.testing.assert_allclose(float(student.L2(0.1)(weights)), 0.525, **CLOSE)
    np.testing.assert_allclose(float(student.ElasticNet(0.1, 0.1)(weights)), 0.875, **CLOSE)
    np.testing.assert_allclose(student.soft_threshold(weights, 0.6), [0, -1.4, 0, 0.4], **CLOSE)


@pytest.mark.problem("transformations")
@pytest.mark.hint("Rows count downwards, columns to the right.")
def test_transformations_worked_example(student):
    """The README's nine pixels, flipped, shifted and rotated."""
    flipped = np.asarray(student.flip(NINE, np.array([True])))
    np.testing.assert_array_equal(flipped[0, 0, :, 0], [3, 2, 1])
    shifted = np.asarray(student.shift(NINE, np.array([[1, -1]])))
    np.testing.assert_array_equal(shifted[0, :, :, 0], [[0, 0, 0], [2, 3, 0], [5, 6, 0]])
    turned = np.asarray(student.rotate(NINE, np.array([90], "float32")))
    np.testing.assert_allclose(turned[0, :, :, 0], [[3, 6, 9], [2, 5, 8], [1, 4, 7]], **CLOSE)
    turned = np.asarray(student.rotate(NINE, np.array([45], "float32")))[0, :, :, 0]
    np.testing.assert_allclose([turned[0, 1], turned[0, 0], turned[1, 1]], [3.5858, 1.1716, 5], **CLOSE)


@pytest.mark.problem("augmentation")
@pytest.mark.hint("Each image tosses its own coin; one image has three axes.")
def test_random_flip_of_a_batch(student):
    """Of many images some are flipped and some are not, and none at inference; a single image works too."""
    images, layer = np.repeat(NINE, 100, axis=0), student.RandomFlip(seed=1)
    np.testing.assert_array_equal(layer(images), images)
    corners = np.asarray(layer(images, training=True))[:, 0, 0, 0]
    assert sorted(set(corners.tolist())) == [1, 3]
    assert np.shape(layer(NINE[0], training=True)) == (3, 3, 1)


def stop(callback):
    told = types.SimpleNamespace(stop_training=False, epoch=0)
    told.get_weights = lambda: [np.array(told.epoch)]
    told.set_weights = lambda weights: setattr(told, "epoch", weights[0])
    callback.set_model(told)
    callback.on_train_begin()
    for accuracy in (0.60, 0.70, 0.74, 0.72, 0.99):
        callback.on_epoch_end(told.epoch, {"val_accuracy": accuracy})
        if told.stop_training:
            break
        told.epoch += 1
    callback.on_train_end()
    return int(told.epoch), callback.best, callback.best_epoch, callback.stopped_epoch


@pytest.mark.problem("early_stopping")
@pytest.mark.hint("Go through the README's table, epoch by epoch.")
def test_early_stopping_worked_example(student):
    """The README's training stops after epoch 3 and ends with the weights of epoch 1."""
    callback = student.EarlyStopping(monitor="val_accuracy", mode="max", min_delta=0.05, patience=2)
    assert student.probe(stop, callback) == (1, 0.70, 1, 3)


@pytest.mark.problem("ensembles")
@pytest.mark.hint("Average the probabilities, or count the votes.")
def test_ensembles_worked_examples(student):
    """Soft and hard votes differ, and the ensemble's error is the mean error less the diversity."""
    np.testing.assert_allclose(student.average(np.array([[0.9], [0.4], [0.4]])), [0.5667], **CLOSE)
    np.testing.assert_array_equal(student.majority_vote(np.array([[1], [0], [0]]), 2), [0])
    result = student.ambiguity(np.array([[1.0, 4.0], [3.0, 2.0]]), np.array([2.0, 2.0]))
    found = [float(result[key]) for key in ("ensemble_error", "mean_error", "diversity")]
    np.testing.assert_allclose(found, [0.5, 1.5, 1], **CLOSE)


@pytest.mark.problem("cross_validation")
@pytest.mark.hint("Best mean, plus its standard error; then the strongest.")
def test_cross_validation_worked_example(student):
    """The README's strengths, and folds that split no group."""
    losses = [[1.2, 1.3, 1.4], [0.9, 1.1, 1.3], [1.1, 1.2, 1.3], [1.9, 2.0, 2.1]]
    chosen = student.one_standard_error(np.array([0.01, 0.1, 1, 10]), np.array(losses))
    np.testing.assert_allclose(float(chosen), 1)
    groups = np.array([0, 0, 1, 1, 2, 2])
    for training, validation in student.k_fold(groups, 3, 0):
        assert sorted([*training.tolist(), *validation.tolist()]) == list(range(6))
        assert len(set(groups[validation].tolist())) == 1


@pytest.mark.problem("keras_layers")
@pytest.mark.hint("get_config holds every constructor argument.")
def test_configuration(student):
    """A layer's configuration holds its arguments, and makes it again."""
    config = student.RandomShift(2, 3, seed=4, name="mine").get_config()
    copy = student.RandomShift.from_config(config)
    assert (copy.height, copy.width, copy.seed, copy.name) == (2, 3, 4, "mine")
