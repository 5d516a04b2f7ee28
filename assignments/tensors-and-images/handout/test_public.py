"""Public tests of `tensors_and_images`: the worked examples of the README, and a count of steps."""

import sys

import numpy as np
import pytest


def whole(*rows):
    return np.array(rows, "uint8")


@pytest.mark.problem("image_tensors")
@pytest.mark.hint("0.5 times 255 is 127.5.")
def test_bytes_and_floats(student):
    """Bytes become floats from 0 to 1, and 0.5 becomes 128."""
    found = student.to_float(whole([0, 51, 255]))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0, 0.2, 1]], rtol=1e-6)
    found = student.to_uint8(np.array([[-0.2, 0.5, 1.3]], "float32"))
    np.testing.assert_array_equal(found, whole([0, 128, 255]), strict=True)


@pytest.mark.problem("image_tensors")
@pytest.mark.hint("59.8 + 58.7 + 5.7")
def test_luma(student):
    """The README's pixel has the luma 124, and keeps a channel axis."""
    found = student.to_grey(whole([200, 100, 50])[None])
    np.testing.assert_array_equal(found, whole([124])[None], strict=True)
    np.testing.assert_array_equal(student.to_rgb(found), whole([124] * 3)[None], strict=True)


@pytest.mark.problem("image_tensors")
@pytest.mark.hint("Which pixel is where afterwards?")
def test_channels_move_to_the_front(student):
    """channels_first gives one whole plane for each channel."""
    planes = np.arange(12).reshape(1, 2, 2, 3)
    np.testing.assert_array_equal(student.channels_first(planes)[0, 1], [[1, 4], [7, 10]])


@pytest.mark.problem("colours")
@pytest.mark.hint("Red + green + blue is 6 for both.")
def test_two_colours(student):
    """The README's three pixels have two colours."""
    image = whole([1, 2, 3], [3, 2, 1], [1, 2, 3])[None]
    assert int(student.count_colours(image)) == 2
    colours, counts = student.palette(image, 5)
    np.testing.assert_array_equal(colours, whole([1, 2, 3], [3, 2, 1]), strict=True)
    assert list(counts) == [2, 1]


@pytest.mark.problem("alpha_blending")
@pytest.mark.hint("125.75 and 150.5")
def test_blend_example(student):
    """200 over 101 is 126 at alpha 0.25 and 151 at 0.5, pixel by pixel too."""
    front, back = np.full((1, 2, 3), 200, "uint8"), np.full((1, 2, 3), 101, "uint8")
    assert int(student.blend(front, back, 0.5)[0, 0, 0]) == 151
    found = student.blend(front, back, np.array([[0.25, 0.5]]))
    np.testing.assert_array_equal(found, whole([126] * 3, [151] * 3)[None], strict=True)


@pytest.mark.problem("alpha_blending")
@pytest.mark.hint("Divide by the alpha that comes out.")
def test_over_example(student):
    """Half-transparent red over half-transparent blue, as in the README."""
    red, blue = np.array([[[[1, 0, 0, 0.5]]], [[[0, 0, 1, 0.5]]]], "float32")
    np.testing.assert_allclose(student.over(red, blue), [[[2 / 3, 0, 1 / 3, 0.75]]], rtol=1e-6)


@pytest.mark.problem("fast_pixels")
@pytest.mark.hint("All channels, all pixels, one mean a block.")
def test_small_pictures(student):
    """replace_colour, apply_table and shrink on pictures that fit on a line."""
    image = whole([1, 2, 3], [1, 2, 4])[None]
    found = student.replace_colour(image, [1, 2, 3], [9, 8, 7])
    np.testing.assert_array_equal(found, whole([9, 8, 7], [1, 2, 4])[None], strict=True)
    found = student.apply_table(image[..., 0], np.arange(256) * 10)
    np.testing.assert_array_equal(found, [[10, 10]])
    found = student.shrink(whole([1, 2, 50], [3, 4, 60])[..., None], 2)
    np.testing.assert_array_equal(found, whole([3])[..., None], strict=True)


def lines_run(function, *arguments):
    """How many lines of Python the second of two equal calls runs."""
    function(*arguments)
    seen = []

    def note(*_):
        seen.append(None)
        return note

    tracer = sys.gettrace()
    sys.settrace(note)
    function(*arguments)
    sys.settrace(tracer)
    return len(seen)


@pytest.mark.problem("fast_pixels")
@pytest.mark.hint("What is it that runs for every pixel?")
@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("to_grey", ()),
        ("count_colours", ()),
        ("blend", (0.5,)),
        ("replace_colour", ([3, 4, 5], [6, 7, 8])),
        ("apply_table", (np.arange(256),)),
        ("shrink", (2,)),
    ],
)
def test_few_lines_run(student, name, others):
    """136,320 pixels take at most 30,000 lines of Python. (The hidden test counts numbers taken out, too.)"""
    image = (np.indices((426, 320)).sum(axis=0)[..., None] * [1, 2, 3] % 256).astype("uint8")
    others = (image[::-1], *others) if name == "blend" else others
    assert student.probe(lines_run, getattr(student, name), image, *others) <= 30_000


@pytest.mark.problem("scaling")
@pytest.mark.hint("The training data are 2, 4, 4, 6; 8 is new.")
@pytest.mark.parametrize(
    ("name", "expected"),
    [("MinMax", [0, 0.5, 0.5, 1, 1.5]), ("ZScore", [-1.4142, 0, 0, 1.4142, 2.8284])],
)
def test_scaling_example(student, name, expected):
    """The README's feature is scaled as there; the constant one beside it becomes 0."""
    training = np.array([[2, 7], [4, 7], [4, 7], [6, 7]])
    scaler = getattr(student, name)()
    scaler.fit(training)
    found = np.concatenate([scaler.transform(training), scaler.transform(np.array([[8, 7]]))])
    np.testing.assert_allclose(found, np.stack([expected, [0] * 5], axis=1), atol=6e-5)
    np.testing.assert_allclose(scaler.inverse(found[:4]), training, rtol=1e-5)


@pytest.mark.problem("one_hot")
@pytest.mark.hint("The classes' order is that of the list.")
def test_labels_example(student):
    """A cat and a dog, as ids and as vectors."""
    assert list(student.label_ids(["cat", "dog"], ["dog", "cat", "bird"])) == [1, 0]
    np.testing.assert_array_equal(student.one_hot(np.array([1, 0]), 3), [[0, 1, 0], [1, 0, 0]])
    with pytest.raises(ValueError):
        student.label_ids(["cow"], ["dog", "cat", "bird"])


@pytest.mark.problem("splits")
@pytest.mark.hint("7.05, 9.4, and the rest.")
def test_split_example(student):
    """47 rows are parted into 31, 7 and 9, each row once."""
    parts = student.split(47, 0.15, 0.2, 3)
    assert [len(part) for part in parts] == [31, 7, 9]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(47))


@pytest.mark.problem("splits")
@pytest.mark.hint("Each class by itself.")
def test_stratified_split_example(student):
    """Classes of 40 and 7 rows are parted into 26 + 5, 6 + 1 and 8 + 1."""
    labels = np.repeat([4, 2], [40, 7])
    parts = student.stratified_split(labels, 0.15, 0.2, 3)
    assert [[int((labels[part] == value).sum()) for value in (4, 2)] for part in parts] == [
        [26, 5],
        [6, 1],
        [8, 1],
    ]


@pytest.mark.problem("cross_validation")
@pytest.mark.hint("Deal the cards as in the README's table.")
def test_folds_example(student):
    """6 rows of one class and 5 of another make folds of 3, 3, 3 and 2 rows; every row validates once."""
    labels = np.repeat([0, 1], [6, 5])
    folds = student.stratified_k_fold(labels, 4, 3)
    validation = [np.asarray(pair[1]) for pair in folds]
    assert sorted(map(len, validation)) == [2, 3, 3, 3]
    assert all(1 <= (labels[rows] == value).sum() <= 2 for rows in validation for value in (0, 1))
    np.testing.assert_array_equal(np.sort(np.concatenate(validation)), np.arange(11))
    for training, rows in student.k_fold(9, 4, 3):
        np.testing.assert_array_equal(np.sort(np.concatenate([training, rows])), np.arange(9))


def scores_of_means(student):
    """Two folds, each scored by the mean of its validation rows."""
    rows, folds = np.arange(4.0)[:, None], [([0, 1], [2, 3]), ([2, 3], [0, 1])]
    folds = [tuple(np.array(part) for part in pair) for pair in folds]

    class Mean:
        def fit(self, x):
            self.mean = x.mean(axis=0)
            return self

        def transform(self, x):
            return x - self.mean

    def evaluate(x_train, y_train, x_validation, y_validation):
        return float(np.mean(x_validation))

    return student.cross_validate(rows, rows[:, 0], folds, Mean, evaluate)


@pytest.mark.problem("cross_validation")
@pytest.mark.hint("Each fold's scaler takes away the mean of that fold's training rows.")
def test_cross_validate_example(student):
    """Rows 0, 1, 2, 3: validation rows 2 and 3 lie 2 above the training rows 0 and 1, and the other way round."""
    mean, scores = student.probe(scores_of_means, student)
    np.testing.assert_allclose(scores, [2, -2])
    np.testing.assert_allclose(mean, 0, atol=1e-12)


@pytest.mark.problem("batches")
@pytest.mark.hint("The column 'by hand' of the README.")
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("iterations_per_epoch", (1000, 64), 16),
        ("iterations_per_epoch", (1000, 64, True), 15),
        ("last_batch_size", (1000, 64), 40),
        ("last_batch_size", (128, 64), 64),
        ("training_iterations", (1000, 64, 10), 160),
        ("epochs_completed", (47, 1000, 64), 2),
        ("global_batch_size", (32, 4, 2), 256),
        ("updates_per_epoch", (1000, 32, 4, 2), 4),
        ("updates_per_epoch", (1000, 32, 4, 2, True), 3),
        ("device_shares", (10, 4), [3, 3, 2, 2]),
        ("global_mean", (np.array([2.0, 10.0]), [3, 1]), 4),
        ("scaled_learning_rate", (0.1, 256, 8192), 3.2),
    ],
)
def test_batches_examples(student, name, arguments, expected):
    """The README's numbers."""
    np.testing.assert_allclose(getattr(student, name)(*arguments), expected, rtol=1e-6)
