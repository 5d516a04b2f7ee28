"""Public tests of `training-loop`: the worked examples of the README, and a first look at each piece."""

import keras
import numpy as np
import pytest

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
X = np.array([[1], [2], [3]], "float32")
Y = np.array([[2], [2], [9]], "float32")


def one_weight(weight, penalty):
    """The README's model: wx, with w = `weight` and perhaps a penalty."""
    regularizer = keras.regularizers.L2(penalty) if penalty else None
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_regularizer=regularizer)]
    )
    model.set_weights([np.array([[weight]])])
    return model


def squared_error(student):
    return student.module("keras").losses.MeanSquaredError()


@pytest.mark.problem("batches")
@pytest.mark.hint("Seven samples in batches of three: how many batches, and how large is the last?")
def test_seven_samples_in_threes(student):
    """Seven samples make batches of 3, 3 and 1; x and y stay together, and the next epoch has another order."""
    x, y = np.arange(7.0)[:, None] * [1, 10], np.arange(7)
    batches = student.Batches(x, y, batch_size=3, seed=1)
    assert len(batches) == 3
    epoch = [(x_batch[:, 1].tolist(), y_batch.tolist()) for x_batch, y_batch in batches]
    assert [len(labels) for _, labels in epoch] == [3, 3, 1]
    for values, labels in epoch:
        assert values == [10 * label for label in labels]
    assert [labels.tolist() for _, labels in batches] != [labels for _, labels in epoch]


@pytest.mark.problem("step")
@pytest.mark.hint("Loss and gradient stand in the README's table.")
@pytest.mark.parametrize(("penalty", "loss", "gradient"), [(0, 37 / 3, -38 / 3), (0.1, 37.3 / 3, -37.4 / 3)])
def test_worked_step(student, penalty, loss, gradient):
    """Loss, gradient and update are the README's, without and with a penalty."""
    model = student.probe(one_weight, 1.0, penalty)
    found, gradients = student.compute_gradients(model, squared_error(student), X, Y)
    np.testing.assert_allclose(float(found), loss, **CLOSE)
    np.testing.assert_allclose(np.ravel(gradients[0]), [gradient], **CLOSE)
    optimizer = student.module("keras").optimizers.SGD(0.03)
    found = student.train_step(model, optimizer, squared_error(student), X, Y)
    np.testing.assert_allclose(float(found), loss, **CLOSE)
    np.testing.assert_allclose(np.ravel(model.get_weights()[0]), [1 - 0.03 * gradient], **CLOSE)


@pytest.mark.problem("evaluation")
@pytest.mark.hint("A batch's loss counts by its samples.")
def test_worked_evaluation(student):
    """In batches of two and one the loss is still the mean over three samples."""
    model = student.probe(one_weight, 1.0, 0)
    result = student.evaluate(model, squared_error(student), [(X[:2], Y[:2]), (X[2:], Y[2:])])
    np.testing.assert_allclose(float(result["loss"]), 37 / 3, **CLOSE)


@pytest.mark.problem("accumulation")
@pytest.mark.hint("The README has two wrong answers, -18.5 and -37: where do they come from?")
def test_worked_accumulation(student):
    """Micro-batches of two and one give the gradient of all three samples."""
    model = student.probe(one_weight, 1.0, 0)
    loss, gradients = student.accumulate_gradients(model, squared_error(student), X, Y, 2)
    np.testing.assert_allclose(float(loss), 37 / 3, **CLOSE)
    np.testing.assert_allclose(np.ravel(gradients[0]), [-38 / 3], **CLOSE)


@pytest.mark.problem("clipping")
@pytest.mark.hint("The norm of (3, 4) and (12) together is 13.")
def test_worked_clipping(student):
    """The README's gradients are halved by a limit of 6.5, and stay with one of 20."""
    gradients = [np.array([3, 4], "float32"), np.array([12], "float32")]
    for limit, factor in ((6.5, 0.5), (20, 1)):
        clipped, norm = student.clip_by_global_norm(gradients, limit)
        np.testing.assert_allclose(float(norm), 13, **CLOSE)
        np.testing.assert_allclose(clipped[0], [3 * factor, 4 * factor], **CLOSE)
        np.testing.assert_allclose(clipped[1], [12 * factor], **CLOSE)


@pytest.mark.problem("early_stopping")
@pytest.mark.hint("The README's table, epoch by epoch.")
def test_worked_early_stopping(student):
    """The README's training stops after epoch 3, and the weights of epoch 1 come back."""
    model = student.probe(one_weight, 0.0, 0)
    stopper = student.EarlyStopping(patience=2, min_delta=0.1)
    answers = []
    for epoch, value in enumerate([1.0, 0.8, 0.75, 0.72]):
        model.set_weights([np.array([[float(epoch)]])])
        answers.append(bool(stopper.update(epoch, value, model)))
    assert answers == [False, False, False, True]
    assert (stopper.best, stopper.best_epoch) == (0.8, 1)
    stopper.restore(model)
    np.testing.assert_array_equal(model.get_weights()[0], [[1]])


@pytest.mark.problem("mixed_precision")
@pytest.mark.hint("The README's table, step by step.")
def test_worked_loss_scale(student):
    """The scale follows the README's seven steps, and gradients are divided by it."""
    scaler = student.LossScaler(initial_scale=1024.0, growth_steps=2)
    unscaled, finite = scaler.unscale([np.array([512, 1], "float16"), None])
    np.testing.assert_allclose(unscaled[0], [0.5, 1 / 1024], rtol=1e-6)
    assert unscaled[1] is None
    assert bool(finite)
    scales = []
    for good in (True, True, False, True, False, True, True):
        scaler.update(good)
        scales.append(float(scaler.scale))
    assert scales == [1024, 2048, 1024, 1024, 512, 512, 1024]


@pytest.mark.problem("loop")
@pytest.mark.hint("Two epochs of the README's step; the loss of each is from before its update.")
def test_two_epochs(student):
    """Two epochs of the README's example: losses, validation losses, and why it ended."""
    model = student.probe(one_weight, 1.0, 0)
    optimizer = student.module("keras").optimizers.SGD(0.03)
    result = student.fit(model, optimizer, squared_error(student), [(X, Y)], [(X[:1], Y[:1])], max_epochs=2)
    losses = [((weight * X - Y) ** 2).mean() for weight in (1, 1.38)]
    np.testing.assert_allclose(result["loss"], losses, **CLOSE)
    after = 1.38 - 0.03 * (2 * X * (1.38 * X - Y)).mean()
    np.testing.assert_allclose(result["val_loss"], [(1.38 - 2) ** 2, (after - 2) ** 2], **CLOSE)
    assert result["stopped"] == "max_epochs"


@pytest.mark.problem("loop")
@pytest.mark.hint("A GPU goes before a CPU.")
def test_first_gpu(student):
    """The GPU of the smallest number is picked."""
    assert student.pick_device(["cpu:0", "gpu:1", "gpu:0"]) == "gpu:0"
    assert student.pick_device(["cpu:0"]) == "cpu:0"


@pytest.mark.problem("learning_curves")
@pytest.mark.hint("The README's table of four trainings.")
@pytest.mark.parametrize(
    ("loss", "val_loss", "diagnosis", "best_epoch"),
    [
        ([2.0, 1.5, 1.4], [2.1, 1.6, 1.5], "underfitting", 2),
        ([2.0, 0.8, 0.2], [2.1, 1.0, 1.3], "overfitting", 1),
        ([1.2, 0.9, 0.8], [1.0, 0.5, 0.9], "overfitting", 1),
        ([2.0, 0.9, 0.8], [2.1, 1.0, 0.9], "good fit", 2),
    ],
)
def test_worked_diagnoses(student, loss, val_loss, diagnosis, best_epoch):
    """The README's four trainings are diagnosed as there."""
    result = student.diagnose(loss, val_loss, target=1.0, gap=0.3)
    assert (result["diagnosis"], result["best_epoch"]) == (diagnosis, best_epoch)
