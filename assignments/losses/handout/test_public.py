"""Public tests of `losses`: the worked examples of the README, and a first look at each problem."""

import numpy as np
import pytest

CLOSE = {"rtol": 1e-3, "atol": 1e-4}
LOGITS = np.array([[2, 1, 0], [2, 1, 0]], "float32")
LABELS = np.array([0, 2])
SCORES = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]], "float32")


@pytest.mark.problem("regression")
@pytest.mark.hint("Work the README's example by hand: errors, squares, mean or sum.")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mean_squared_error", 3.0833),
        ("total_squared_error", 9.25),
        ("mean_absolute_error", 1.1667),
        ("huber", 0.875),
    ],
)
def test_regression_worked_example(student, name, expected):
    """The errors of the README's example, for a batch of one."""
    y_true, y_pred = np.array([[1, 2, 3]]), np.array([[1.5, 2, 0]], "float32")
    np.testing.assert_allclose(getattr(student, name)(y_true, y_pred), [expected], **CLOSE)


@pytest.mark.problem("regression")
@pytest.mark.hint("Compare the shapes before you subtract.")
def test_shapes_that_do_not_fit(student):
    """mean_squared_error refuses (3,) for predictions of shape (3, 1)."""
    y_pred = np.array([[1], [2], [3]], "float32")
    with pytest.raises(ValueError):
        student.mean_squared_error(np.array([1, 2, 4]), y_pred)
    np.testing.assert_allclose(
        student.mean_squared_error(np.array([[1], [2], [4]]), y_pred), [0, 0, 1], **CLOSE
    )


@pytest.mark.problem("log_probabilities")
@pytest.mark.hint("Subtract the largest logit of each row first.")
def test_log_softmax_worked_example(student):
    """log_softmax gives the README's example, and 1000 more on every logit changes nothing."""
    expected = [[-0.4076, -1.4076, -2.4076]] * 2
    np.testing.assert_allclose(student.log_softmax(LOGITS), expected, **CLOSE)
    np.testing.assert_allclose(student.log_softmax(LOGITS + 1000), expected, **CLOSE)


@pytest.mark.problem("log_probabilities")
@pytest.mark.hint("Which of exp(x) and exp(-x) is at most 1?")
def test_log_sigmoid_worked_example(student):
    """log_sigmoid is right near 0 and far from it."""
    x = np.array([1.5, -1.5, 0, 1000, -1000], "float32")
    np.testing.assert_allclose(student.log_sigmoid(x), [-0.2014, -1.7014, -0.6931, 0, -1000], **CLOSE)


@pytest.mark.problem("categorical")
@pytest.mark.hint("Three interfaces, one number.")
def test_categorical_worked_example(student):
    """The three categorical losses agree on the README's example."""
    expected = [0.4076, 2.4076]
    one_hot = np.eye(3)[LABELS]
    np.testing.assert_allclose(student.softmax_loss(LABELS, LOGITS), expected, **CLOSE)
    log_p = np.array([[-0.4076, -1.4076, -2.4076]] * 2, "float32")
    np.testing.assert_allclose(student.negative_log_likelihood(LABELS, log_p), expected, **CLOSE)
    found = student.categorical_cross_entropy(one_hot, LOGITS, from_logits=True)
    np.testing.assert_allclose(found, expected, **CLOSE)
    np.testing.assert_allclose(student.categorical_cross_entropy(one_hot, np.exp(log_p)), expected, **CLOSE)


@pytest.mark.problem("categorical")
@pytest.mark.hint("The share that is taken goes to all classes, the right one included.")
def test_label_smoothing_worked_example(student):
    """Label smoothing gives the README's example."""
    found = student.categorical_cross_entropy(
        np.array([[1, 0, 0]]), LOGITS[:1], from_logits=True, label_smoothing=0.1
    )
    np.testing.assert_allclose(found, [0.5076], **CLOSE)


@pytest.mark.problem("binary")
@pytest.mark.hint("Both terms count: y log p, and (1 - y) log(1 - p).")
def test_binary_worked_example(student):
    """binary_cross_entropy gives the README's examples, from probabilities and from logits."""
    y_true, p = np.array([[1, 0]]), np.array([[0.9, 0.2]], "float32")
    np.testing.assert_allclose(student.binary_cross_entropy(y_true, p), [0.1643], **CLOSE)
    logits = np.array([[1.5], [1.5]], "float32")
    found = student.binary_cross_entropy(np.array([[1], [0]]), logits, from_logits=True)
    np.testing.assert_allclose(found, [0.2014, 1.7014], **CLOSE)


@pytest.mark.problem("hinge")
@pytest.mark.hint("The right class is not among those that are summed.")
def test_hinge_worked_example(student):
    """multiclass_hinge gives CS231n's example, and HingeLoss its batch mean."""
    labels = np.array([0, 1, 2])
    np.testing.assert_allclose(student.multiclass_hinge(labels, SCORES), [2.9, 0, 12.9], **CLOSE)
    np.testing.assert_allclose(float(student.HingeLoss()(labels, SCORES)), 5.2667, **CLOSE)


@pytest.mark.problem("margins")
@pytest.mark.hint("A margin is label times score; a slack is what it lacks to 1.")
def test_margins_worked_example(student):
    """Margins and objectives are those of the README's example."""
    weights, bias = np.array([0.5, 0.5], "float32"), -1.0
    inputs = np.array([[3, 1], [4, 4], [1, -1], [2, 2]], "float32")
    labels = np.array([1, 1, -1, -1], "float32")
    np.testing.assert_allclose(
        student.functional_margins(weights, bias, inputs, labels), [1, 3, 1, -1], **CLOSE
    )
    three = (weights, bias, inputs[:3], labels[:3])
    np.testing.assert_allclose(float(student.geometric_margin(*three)), 1.4142, **CLOSE)
    np.testing.assert_allclose(float(student.hard_margin_objective(*three)), 0.25, **CLOSE)
    assert float(student.hard_margin_objective(weights, bias, inputs, labels)) == np.inf
    np.testing.assert_allclose(
        float(student.soft_margin_objective(weights, bias, inputs, labels, C=2.0)), 4.25, **CLOSE
    )


@pytest.mark.problem("penalties")
@pytest.mark.hint("All entries of all kernels, and no half.")
def test_penalties(student):
    """The penalties sum over all kernels."""
    kernels = [np.array([[1, -2]], "float32"), np.array([3], "float32")]
    np.testing.assert_allclose(float(student.l1_penalty(kernels, 0.5)), 3, **CLOSE)
    np.testing.assert_allclose(float(student.l2_penalty(kernels, 0.5)), 7, **CLOSE)


@pytest.mark.problem("reduction")
@pytest.mark.hint("What is counted in the divisor: losses, those that the mask leaves, or weights?")
@pytest.mark.parametrize(
    ("reduction", "weighted", "masked"),
    [
        (None, [2, 2, 0, 12], [2, 0, 0, 12]),
        ("sum", 16, 14),
        ("sum_over_batch_size", 4, 14 / 3),
        ("mean_with_sample_weight", 16 / 6, 2.8),
    ],
)
def test_reduction_worked_example(student, reduction, weighted, masked):
    """reduce_loss gives the README's table."""
    values, weights = np.array([1, 2, 3, 4], "float32"), np.array([2, 1, 0, 3])
    mask = np.array([True, False, True, True])
    found = student.reduce_loss(values, sample_weight=weights, reduction=reduction)
    np.testing.assert_allclose(found, weighted, **CLOSE)
    found = student.reduce_loss(values, sample_weight=weights, mask=mask, reduction=reduction)
    np.testing.assert_allclose(found, masked, **CLOSE)


@pytest.mark.problem("keras_losses")
@pytest.mark.hint("`call` returns one loss a sample; the base class weighs and reduces them.")
def test_loss_class(student):
    """SoftmaxLoss weighs its samples and reduces as it is told, and HuberLoss knows its delta."""
    found = student.SoftmaxLoss(reduction=None)(LABELS, LOGITS)
    np.testing.assert_allclose(found, [0.4076, 2.4076], **CLOSE)
    found = student.SoftmaxLoss()(LABELS, LOGITS, sample_weight=np.array([3.0, 1.0]))
    np.testing.assert_allclose(float(found), (3 * 0.4076 + 2.4076) / 2, **CLOSE)
    config = student.HuberLoss(delta=2.5, name="mine").get_config()
    assert (config["name"], config["delta"], config["reduction"]) == ("mine", 2.5, "sum_over_batch_size")
