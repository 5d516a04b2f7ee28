"""Hidden suite of `imbalanced_data`. Oracles are scikit-learn, loops in float64, and the README's own rules."""

import itertools

import numpy as np
import pytest
import sklearn.metrics as oracle

from dlquiz import data
from grader import metrics
from grader.metrics import figures

CLOSE = {"rtol": 1e-9, "atol": 1e-9}
LABELS = ["honest", "fraud"]
FP_COST, FN_COST = 1, 20
FRAUD = 0.03
INTERVAL = metrics.Interval(resamples=300)


def pair(value):
    """The two arrays that a function returned."""
    assert isinstance(value, (tuple, list)), f"expected two arrays, received {type(value).__name__}"
    assert len(value) == 2, f"expected two arrays, received {len(value)} values"
    return array(value[0]), array(value[1])


def array(value):
    assert isinstance(value, np.ndarray), f"expected an array, received {type(value).__name__}"
    return value


def number(value):
    """A float, as a Python or NumPy one."""
    assert isinstance(value, (float, np.floating)) or (isinstance(value, np.ndarray) and value.ndim == 0), (
        f"expected a float, received {type(value).__name__}"
    )
    return float(value)


def integers(value):
    assert np.issubdtype(array(value).dtype, np.integer), f"expected integers, received {value.dtype}"
    return value


def class_sizes(y):
    return dict(zip(*(part.tolist() for part in np.unique(y, return_counts=True)), strict=True))


def shuffled_labels(rng, sizes):
    return rng.permutation(np.repeat(list(sizes), list(sizes.values())))


def unlike_sizes(rng, classes, least, most):
    """Sizes of the classes, no two of them equal, keyed by labels that are not 0, 1, 2."""
    labels = rng.choice(np.arange(-3, 12), size=classes, replace=False)
    return {
        int(label): int(size)
        for label, size in zip(labels, rng.choice(np.arange(least, most), classes, False), strict=True)
    }


def binary_labels(rng, positives, negatives):
    return rng.permutation(np.repeat([1, 0], [positives, negatives]))


def drawn_with_global_seeds(student, name, arguments, seed):
    """Results under two states of NumPy's global generator, and these states before and after."""
    results, states = [], []
    for start in (1, 2):
        np.random.seed(start)
        before = np.random.get_state()
        results.append(getattr(student, name)(*arguments, seed=seed))
        after = np.random.get_state()
        states.append([[before[1], before[2]], [after[1], after[2]]])
    return results, states


def arguments_after(student, name, arguments, more):
    getattr(student, name)(*arguments, **more)
    return arguments


def assert_seeded(student, name, arguments, seed):
    """An equal seed gives an equal result, another one another, and the global generator has no part in it."""

    def flat(result):
        parts = list(result) if isinstance(result, (tuple, list)) else [result]
        return [array(part) for part in parts]

    (one, two), states = student.probe(drawn_with_global_seeds, student, name, list(arguments), seed)
    one, two = flat(one), flat(two)
    other = flat(getattr(student, name)(*arguments, seed=seed + 1))
    assert len(one) == len(two) == len(other)
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left, right)
    assert any(
        left.shape != right.shape or (left != right).any() for left, right in zip(one, other, strict=True)
    )
    for before, after in states:
        np.testing.assert_array_equal(before[0], after[0])
        assert before[1] == after[1]


# Random resampling


def numbered_rows(y, rng):
    """Rows of shape (2, 3) that carry their number, float32."""
    x = rng.normal(size=(len(y), 2, 3)).astype("float32")
    x[:, 1, 1] = np.arange(len(y))
    return x


def row_numbers(x, y, new):
    """Which rows came back, after seeing that each is an original one beside its label."""
    new_x, new_y = pair(new)
    assert new_x.shape[1:] == x.shape[1:]
    assert new_y.shape == new_x.shape[:1]
    assert (new_x.dtype, new_y.dtype) == (x.dtype, y.dtype)
    rows = new_x[:, 1, 1].astype(int)
    assert ((rows >= 0) & (rows < len(x))).all()
    np.testing.assert_array_equal(new_x, x[rows])
    np.testing.assert_array_equal(new_y, y[rows])
    return rows


@pytest.mark.problem("resampling", points=3)
@pytest.mark.hint("Every class ends with the rows of the smallest one, no row twice, x and y side by side.")
@pytest.mark.parametrize("classes", [2, 4])
def test_under_sampling(student, rng, classes):
    """Under-sampling cuts every class to the size of the smallest, and no row comes twice."""
    sizes = unlike_sizes(rng, classes, 8, 40)
    y = shuffled_labels(rng, sizes)
    x = numbered_rows(y, rng)
    rows = row_numbers(x, y, student.random_under_sample(x, y, 7))
    assert len(set(rows.tolist())) == len(rows)
    assert class_sizes(y[rows]) == dict.fromkeys(sorted(sizes), min(sizes.values()))


@pytest.mark.problem("resampling", points=3)
@pytest.mark.hint("All the original rows are still there, and every class has the rows of the largest one.")
@pytest.mark.parametrize("classes", [2, 4])
def test_over_sampling(student, rng, classes):
    """Over-sampling keeps every row and brings every class to the size of the largest."""
    sizes = unlike_sizes(rng, classes, 8, 40)
    y = shuffled_labels(rng, sizes)
    x = numbered_rows(y, rng)
    rows = row_numbers(x, y, student.random_over_sample(x, y, 7))
    assert set(rows.tolist()) == set(range(len(y)))
    assert class_sizes(y[rows]) == dict.fromkeys(sorted(sizes), max(sizes.values()))
    largest = y[rows] == max(sizes, key=sizes.get)
    assert len(set(rows[largest].tolist())) == largest.sum()


@pytest.mark.problem("resampling", points=1)
@pytest.mark.hint("Is each row of a class as likely to stay as the others? Compare many seeds.")
def test_under_sampling_draws(student, rng):
    """Under-sampling keeps each row of the larger class about equally often."""
    y = shuffled_labels(rng, {0: 12, 1: 4})
    x = numbered_rows(y, rng)
    kept = np.zeros(len(y), int)
    for seed in range(80):
        kept[row_numbers(x, y, student.random_under_sample(x, y, seed))] += 1
    assert (kept[y == 1] == 80).all()
    assert ((kept[y == 0] >= 3) & (kept[y == 0] <= 55)).all()


@pytest.mark.problem("resampling", points=1)
@pytest.mark.hint("Copies are drawn one by one, each row equally likely each time.")
def test_over_sampling_draws_with_replacement(student, rng):
    """Over-sampling draws its copies with replacement, each row about equally often."""
    y = shuffled_labels(rng, {0: 64, 1: 4})
    x = numbered_rows(y, rng)
    copies = []
    for seed in range(12):
        rows = row_numbers(x, y, student.random_over_sample(x, y, seed))
        copies.append(np.bincount(rows, minlength=len(y))[y == 1] - 1)
    totals = np.sum(copies, axis=0)
    assert ((totals > 90) & (totals < 270)).all()
    assert np.ptp(copies, axis=1).max() > 1, "every row is copied equally often each time"


@pytest.mark.problem("resampling", points=2)
@pytest.mark.hint("np.random.default_rng(seed), and nothing else that draws.")
@pytest.mark.parametrize("name", ["random_under_sample", "random_over_sample"])
def test_resampling_seed(student, rng, name):
    """The seed alone decides what is drawn, and the arguments stay as they are."""
    y = shuffled_labels(rng, {0: 40, 1: 15})
    x = numbered_rows(y, rng)
    rows = row_numbers(x, y, getattr(student, name)(x.copy(), y.copy(), 5))
    assert len(rows) in (30, 80)
    assert_seeded(student, name, (x, y), 5)
    left_x, left_y = student.probe(arguments_after, student, name, [x.copy(), y.copy()], {"seed": 3})
    np.testing.assert_array_equal(left_x, x)
    np.testing.assert_array_equal(left_y, y)


# SMOTE


def neighbour_pairs(x, k):
    """The pairs (i, j), i < j, of which one is among the k rows nearest to the other."""
    found = set()
    for i in range(len(x)):
        others = sorted((np.sum((x[i] - x[j]) ** 2), j) for j in range(len(x)) if j != i)
        found |= {(min(i, j), max(i, j)) for _, j in others[:k]}
    return found


def on_segments(points, x, pairs):
    """For each pair of rows of x, which points lie on the line between the two, and where: (pairs, points) each."""
    pairs = np.array(sorted(pairs))
    start, way = x[pairs[:, 0]][:, None], (x[pairs[:, 1]] - x[pairs[:, 0]])[:, None]
    where = ((points - start) * way).sum(-1) / (way**2).sum(-1)
    off = np.abs(points - start - where[..., None] * way).max(-1)
    size = np.abs(x).max()
    return (off < 1e-9 * size) & (where > -1e-9) & (where < 1 + 1e-9), where


def scattered(rng, rows, columns):
    spread, centre = rng.uniform(1, 4, size=columns), rng.uniform(-20, 20, size=columns)
    return centre + spread * rng.normal(size=(rows, columns))


@pytest.mark.problem("smote", points=5)
@pytest.mark.hint("One u a row, a partner among the k nearest, and a row is not its own neighbour.")
@pytest.mark.parametrize("k", [1, 3, 5])
def test_smote_between_neighbours(student, rng, k):
    """Every synthetic row lies between a row and one of its k nearest neighbours."""
    x = scattered(rng, int(rng.integers(11, 16)), 4)
    made = array(student.smote(x, 50, k=k, seed=int(rng.integers(1000))))
    assert made.shape == (50, 4)
    assert on_segments(made, x, neighbour_pairs(x, k))[0].any(axis=0).all()
    assert (np.abs(made[:, None] - x).max(-1) > 0).all(), "a row was made that is there already"


@pytest.mark.problem("smote", points=2)
@pytest.mark.hint(
    "Each row may be the base, each of its k neighbours the partner, and u is anything from 0 to 1."
)
def test_smote_reaches_every_neighbour(student, rng):
    """Among many synthetic rows every pair of neighbours occurs, and every place between them."""
    x = scattered(rng, 7, 3)
    made = array(student.smote(x, 700, k=2, seed=int(rng.integers(1000))))
    assert made.shape == (700, 3)
    wanted = neighbour_pairs(x, 2)
    inside, where = on_segments(made, x, wanted)
    assert inside.any(axis=0).all()
    assert inside.any(axis=1).all(), "some neighbours are never chosen"
    middle = np.abs(where[inside] - 0.5) < 0.25
    assert 0.35 < middle.mean() < 0.65


@pytest.mark.problem("smote", points=2)
@pytest.mark.hint("How many other rows are there to choose from? How many rows were asked for?")
def test_smote_sizes(student, rng):
    """smote makes as many rows as are asked for, also none, and refuses k that has no meaning."""
    x = scattered(rng, 6, 5)
    for k in (0, -1, 6, 7):
        with pytest.raises(ValueError):
            student.smote(x, 3, k=k, seed=1)
    for count in (0, 1, 13):
        made = array(student.smote(x, count, k=5, seed=1))
        assert made.shape == (count, 5)
        assert on_segments(made, x, itertools.combinations(range(6), 2))[0].any(axis=0).all()


@pytest.mark.problem("smote", points=1)
@pytest.mark.hint("np.random.default_rng(seed), and nothing else that draws.")
def test_smote_seed(student, rng):
    """The seed alone decides which rows smote makes."""
    x = scattered(rng, 9, 3)
    assert_seeded(student, "smote", (x, 20, 4), 11)


# Class weights and the split


@pytest.mark.problem("weights_and_split", points=3)
@pytest.mark.hint("The rarer a class, the larger its weight; all samples' weights add up to n.")
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_class_weights(student, rng, classes):
    """Each class weighs n / (K n_k)."""
    sizes = unlike_sizes(rng, classes, 2, 60)
    weights = student.class_weights(shuffled_labels(rng, sizes))
    assert isinstance(weights, dict)
    assert {int(label) for label in weights} == set(sizes)
    total = sum(sizes.values())
    for label, weight in weights.items():
        np.testing.assert_allclose(number(weight), total / (classes * sizes[int(label)]), **CLOSE)


def sizes_to_test(sizes, share):
    """Rows of each class that belong to the test part; None where one would be near a half."""
    if any(abs(share * size % 1 - 0.5) < 0.1 for size in sizes.values()):
        return None
    return {label: min(max(int(share * size + 0.5), 1), size - 1) for label, size in sizes.items()}


def drawn_sizes(rng, classes, share):
    """Sizes of the classes, and those of their test parts, some of which are rounded up and some down."""
    while True:
        sizes = unlike_sizes(rng, classes, 4, 70)
        wanted = sizes_to_test(sizes, share)
        if wanted and {wanted[label] > share * size for label, size in sizes.items()} == {False, True}:
            return sizes, wanted


def split_of(student, y, share, seed):
    train, test = pair(student.stratified_split(y, share, seed))
    both = np.concatenate([integers(train), integers(test)])
    assert both.ndim == 1
    np.testing.assert_array_equal(np.sort(both), np.arange(len(y)))
    return train, test


@pytest.mark.problem("weights_and_split", points=4)
@pytest.mark.hint("Round within each class, and keep at least one row of it on either side.")
@pytest.mark.parametrize("share", [0.13, 0.3, 0.62])
def test_split_is_stratified(student, rng, share):
    """The split gives each class its share of the test part."""
    sizes, wanted = drawn_sizes(rng, 3, share)
    y = shuffled_labels(rng, sizes)
    _, test = split_of(student, y, share, 3)
    assert class_sizes(y[test]) == wanted


@pytest.mark.problem("weights_and_split", points=1)
@pytest.mark.hint("What becomes of a class with two or three rows?")
@pytest.mark.parametrize(("share", "rare"), [(0.1, 1), (0.92, 2)])
def test_split_of_rare_classes(student, rng, share, rare):
    """A class of three rows is on both sides of the split, whatever the share."""
    y = shuffled_labels(rng, {0: 40, 1: 3})
    train, test = split_of(student, y, share, int(rng.integers(1000)))
    assert (y[test] == 1).sum() == rare
    assert (y[train] == 1).sum() == 3 - rare


@pytest.mark.problem("weights_and_split", points=2)
@pytest.mark.hint("The rows are drawn by the seed; a class with one row cannot be on both sides.")
def test_split_draws_and_refuses(student, rng):
    """The split draws its rows by the seed, and refuses what cannot be split."""
    y = shuffled_labels(rng, {0: 15, 1: 6})
    for share in (0, 1, -0.2, 1.5):
        with pytest.raises(ValueError):
            student.stratified_split(y, share, 1)
    with pytest.raises(ValueError):
        student.stratified_split(np.append(y, 2), 0.3, 1)
    tested = np.zeros(len(y), int)
    for seed in range(60):
        tested[split_of(student, y, 1 / 3, seed)[1]] += 1
    assert ((tested >= 1) & (tested <= 50)).all()
    assert_seeded(student, "stratified_split", (y, 0.4), 9)


# Labels


def drawn_labels(rng, classes, n=None):
    """True and predicted labels with unequal classes and unequal errors."""
    n = n or int(rng.integers(40, 90))
    shares = rng.permutation(np.arange(1, classes + 1) ** 2)
    truth = rng.choice(classes, size=n, p=shares / shares.sum())
    wrong = rng.random(n) < 0.4
    return truth, np.where(wrong, rng.choice(classes, size=n, p=shares[::-1] / shares.sum()), truth)


def uneven_binary(rng):
    """Binary labels with four counts that differ from each other and from 0."""
    tn, fp, fn, tp = (int(count) for count in rng.choice(np.arange(2, 40), 4, replace=False))
    order = rng.permutation(tn + fp + fn + tp)
    truth, predicted = np.repeat([0, 0, 1, 1], [tn, fp, fn, tp]), np.repeat([0, 1, 0, 1], [tn, fp, fn, tp])
    return truth[order], predicted[order], (tn, fp, fn, tp)


@pytest.mark.problem("labels", points=4)
@pytest.mark.hint("Which axis is the truth? And are the classes that do not occur there?")
@pytest.mark.parametrize("classes", [2, 3, 6])
def test_confusion_matrix(student, rng, classes):
    """Rows of the confusion matrix are true classes, columns predicted ones."""
    truth, predicted = drawn_labels(rng, classes)
    expected = np.zeros((classes + 1, classes + 1), np.int64)
    for row, column in zip(truth, predicted, strict=True):
        expected[row, column] += 1
    np.testing.assert_array_equal(
        student.confusion_matrix(truth, predicted, classes), expected[:-1, :-1], strict=True
    )
    np.testing.assert_array_equal(
        student.confusion_matrix(truth, predicted, classes + 1), expected, strict=True
    )


@pytest.mark.problem("labels", points=1)
@pytest.mark.hint("Lengths, and labels from 0 to classes - 1.")
def test_confusion_matrix_refuses(student, rng):
    """The confusion matrix refuses labels that it has no place for."""
    truth, predicted = np.append(drawn_labels(rng, 3), [[0, 1, 2], [2, 0, 2]], axis=1)
    for bad in (predicted[1:], np.append(predicted[1:], 3), np.append(predicted[1:], -1)):
        with pytest.raises(ValueError):
            student.confusion_matrix(truth, bad, 3)
        with pytest.raises(ValueError):
            student.confusion_matrix(bad, truth, 3)
    found = student.confusion_matrix(truth, predicted, 3)
    np.testing.assert_array_equal(found, oracle.confusion_matrix(truth, predicted))


@pytest.mark.problem("labels", points=4)
@pytest.mark.hint("Write the four counts of the README's example beside the formula.")
@pytest.mark.parametrize("name", ["precision", "recall", "specificity", "balanced_accuracy"])
def test_shares(student, rng, name):
    """Precision, recall, specificity and balanced accuracy are the shares that they should be."""
    for _ in range(5):
        truth, predicted, (tn, fp, fn, tp) = uneven_binary(rng)
        expected = {
            "precision": tp / (tp + fp),
            "recall": tp / (tp + fn),
            "specificity": tn / (tn + fp),
            "balanced_accuracy": tp / (tp + fn) / 2 + tn / (tn + fp) / 2,
        }
        found = number(getattr(student, name)(truth, predicted))
        np.testing.assert_allclose(found, expected[name], **CLOSE)


@pytest.mark.problem("labels", points=2)
@pytest.mark.hint("Beta is squared, and which of the two does a beta above 1 prefer?")
@pytest.mark.parametrize("beta", [0.5, 1, 2.5])
def test_f_beta(student, rng, beta):
    """F-beta weighs precision and recall as beta says."""
    for _ in range(5):
        truth, predicted, _ = uneven_binary(rng)
        expected = oracle.fbeta_score(truth, predicted, beta=beta)
        np.testing.assert_allclose(number(student.f_beta(truth, predicted, beta=beta)), expected, **CLOSE)
    expected = oracle.f1_score(truth, predicted)
    np.testing.assert_allclose(number(student.f_beta(truth, predicted)), expected, **CLOSE)


@pytest.mark.problem("labels", points=1)
@pytest.mark.hint("Four sums of two counts, under one root.")
def test_matthews(student, rng):
    """Matthews' coefficient is the correlation of truth and prediction, negative where they disagree."""
    for sign in (1, -1):
        truth, predicted = drawn_labels(rng, 2)
        predicted = predicted if sign == 1 else 1 - predicted
        expected = np.corrcoef(truth, predicted)[0, 1]
        np.testing.assert_allclose(number(student.matthews(truth, predicted)), expected, **CLOSE)


@pytest.mark.problem("labels", points=1)
@pytest.mark.hint("How large does the product under the root get, and what does an int64 hold?")
@pytest.mark.needs("test_matthews")
def test_matthews_of_many_rows(student, rng):
    """Matthews' coefficient is right for 200,000 rows."""
    truth, predicted = drawn_labels(rng, 2, 200_000)
    expected = np.corrcoef(truth, predicted)[0, 1]
    np.testing.assert_allclose(number(student.matthews(truth, predicted)), expected, rtol=1e-8)


@pytest.mark.problem("labels", points=3)
@pytest.mark.hint("Nothing flagged, no positives, no negatives: which denominators are 0 then?")
@pytest.mark.parametrize(
    "name", ["precision", "recall", "specificity", "f_beta", "balanced_accuracy", "matthews"]
)
def test_zero_over_zero(student, rng, name):
    """0/0 is 0: with nothing flagged, without positives, and without negatives."""
    n = int(rng.integers(4, 20))
    zeros, ones, mixed = np.zeros(n, int), np.ones(n, int), np.append(binary_labels(rng, 2, n - 3), 1)
    function = getattr(student, name)
    cases = {
        "precision": [(mixed, zeros, 0), (zeros, zeros, 0), (zeros, mixed, 0), (mixed, ones, mixed.mean())],
        "recall": [(zeros, mixed, 0), (zeros, zeros, 0), (mixed, zeros, 0), (ones, mixed, mixed.mean())],
        "specificity": [
            (ones, mixed, 0),
            (ones, ones, 0),
            (mixed, ones, 0),
            (zeros, mixed, 1 - mixed.mean()),
        ],
        "f_beta": [(zeros, zeros, 0), (mixed, zeros, 0), (zeros, mixed, 0), (mixed, mixed, 1)],
        "balanced_accuracy": [(zeros, zeros, 0.5), (ones, ones, 0.5), (mixed, mixed, 1)],
        "matthews": [(mixed, zeros, 0), (ones, mixed, 0), (zeros, zeros, 0), (mixed, mixed, 1)],
    }
    for truth, predicted, expected in cases[name]:
        np.testing.assert_allclose(number(function(truth, predicted)), expected, **CLOSE)


# Averages


@pytest.mark.problem("averages", points=5)
@pytest.mark.hint("Work the README's three classes by hand: one number a class first, then their mean.")
@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_averages(student, rng, average):
    """Averages run over the classes' own scores, also those of a class that is missing."""
    for classes in (2, 3, 5):
        truth, predicted = drawn_labels(rng, classes)
        predicted[predicted == classes - 1] = 0
        for total in (classes, classes + 1):
            found = student.average_scores(truth, predicted, total, average)
            assert isinstance(found, dict)
            expected = oracle.precision_recall_fscore_support(
                truth, predicted, labels=np.arange(total), average=average, zero_division=0
            )
            values = [number(found[name]) for name in ("precision", "recall", "f1")]
            np.testing.assert_allclose(values, expected[:3], **CLOSE)


@pytest.mark.problem("averages", points=1)
@pytest.mark.hint("There are two averages, and everything else is a mistake of the caller's.")
def test_averages_refuse(student, rng):
    """An average of another name is refused."""
    truth, predicted = drawn_labels(rng, 3)
    for average in ("micro", "", None):
        with pytest.raises(ValueError):
            student.average_scores(truth, predicted, 3, average)
    found = student.average_scores(truth, predicted, 3, "weighted")
    np.testing.assert_allclose(number(found["recall"]), np.mean(truth == predicted), **CLOSE)


# Curves


def drawn_scores(rng, kind):
    """Truth and scores: of 30 to 60 samples, positives a bit above the rest."""
    truth = binary_labels(rng, int(rng.integers(5, 15)), int(rng.integers(25, 45)))
    scores = rng.normal(size=len(truth)) + 0.8 * truth
    if kind == "ties":
        scores = np.round(2 * scores) / 8
    elif kind == "large":
        scores = (1e4 * scores - 3e4).astype("float32")
    return truth, scores


KINDS = ["distinct", "ties", "large"]


def points(truth, scores):
    """Thresholds from the highest, with true and false positives at each, counted one by one."""
    thresholds = sorted(set(scores.tolist()), reverse=True)
    tp = [int(truth[scores >= threshold].sum()) for threshold in thresholds]
    fp = [int((1 - truth)[scores >= threshold].sum()) for threshold in thresholds]
    return np.array(thresholds), np.array(tp), np.array(fp)


def three(value):
    assert isinstance(value, (tuple, list)), f"expected three arrays, received {type(value).__name__}"
    assert len(value) == 3, f"expected three arrays, received {len(value)} values"
    return [array(part) for part in value]


def assert_close(found, expected):
    """Equal in shape and in value; infinities too."""
    np.testing.assert_allclose(array(found).astype(float), np.asarray(expected, float), strict=True, **CLOSE)


@pytest.mark.problem("ranking", points=3)
@pytest.mark.hint("A point for each distinct score, from the highest, and before them 0, 0 and infinity.")
@pytest.mark.parametrize("kind", KINDS)
def test_roc_curve(student, rng, kind):
    """The ROC curve has a point for every distinct score, from the highest."""
    truth, scores = drawn_scores(rng, kind)
    thresholds, tp, fp = points(truth, scores)
    found = three(student.roc_curve(truth, scores))
    expected = [fp / (1 - truth).sum(), tp / truth.sum(), thresholds]
    for part, wanted, start in zip(found, expected, [0, 0, np.inf], strict=True):
        assert_close(part, np.append(start, wanted))


@pytest.mark.problem("ranking", points=2)
@pytest.mark.hint("How many pairs are in the right order? The scores count, not what they are at 0.5.")
@pytest.mark.parametrize("kind", ["distinct", "large"])
def test_auc(student, rng, kind):
    """AUC is the share of pairs in the right order."""
    truth, scores = drawn_scores(rng, kind)
    for y in (truth, 1 - truth):
        pairs = [left > right for left in scores[y == 1] for right in scores[y == 0]]
        np.testing.assert_allclose(number(student.roc_auc(y, scores)), np.mean(pairs), **CLOSE)


@pytest.mark.problem("ranking", points=2)
@pytest.mark.hint("What does a pair with equal scores count? The order of the samples must not matter.")
def test_auc_with_ties(student, rng):
    """A tied pair counts one half in the AUC, in whatever order the samples come."""
    truth, scores = drawn_scores(rng, "ties")
    above, below = scores[truth == 1], scores[truth == 0]
    pairs = [(left > right) + (left == right) / 2 for left in above for right in below]
    for order in (np.argsort(truth), np.argsort(-truth), rng.permutation(len(truth))):
        found = number(student.roc_auc(truth[order], scores[order]))
        np.testing.assert_allclose(found, np.mean(pairs), **CLOSE)
    np.testing.assert_allclose(number(student.roc_auc(truth, np.full(len(truth), 0.3))), 0.5, **CLOSE)


@pytest.mark.problem("ranking", points=2)
@pytest.mark.hint("From the highest threshold, a point for each distinct score, and no other.")
@pytest.mark.parametrize("kind", KINDS)
def test_precision_recall_curve(student, rng, kind):
    """Precision and recall have a point for every distinct score, from the highest."""
    truth, scores = drawn_scores(rng, kind)
    thresholds, tp, fp = points(truth, scores)
    found = three(student.precision_recall_curve(truth, scores))
    for part, wanted in zip(found, [tp / (tp + fp), tp / truth.sum(), thresholds], strict=True):
        assert_close(part, wanted)


@pytest.mark.problem("ranking", points=3)
@pytest.mark.hint("A sum of steps: which precision goes with which gain in recall?")
@pytest.mark.parametrize("kind", KINDS)
def test_average_precision(student, rng, kind):
    """Average precision sums the precisions by the recall gained at each threshold."""
    truth, scores = drawn_scores(rng, kind)
    expected = oracle.average_precision_score(truth, scores)
    for order in (np.argsort(truth), np.argsort(-truth)):
        found = number(student.average_precision(truth[order], scores[order]))
        np.testing.assert_allclose(found, expected, **CLOSE)


@pytest.mark.problem("ranking", points=2)
@pytest.mark.hint("What would be divided by zero?")
@pytest.mark.parametrize("name", ["roc_curve", "roc_auc", "precision_recall_curve", "average_precision"])
def test_curves_refuse_a_single_class(student, rng, name):
    """What needs positives, or negatives, says so when there are none."""
    _, scores = drawn_scores(rng, "distinct")
    function = getattr(student, name)
    zeros, ones = np.zeros(len(scores), int), np.ones(len(scores), int)
    for truth in [zeros, ones] if name.startswith("roc") else [zeros]:
        with pytest.raises(ValueError):
            function(truth, scores)
    best = (scores == scores.max()).astype(int)
    found = function(best, scores)
    if name == "roc_curve":
        assert_close(three(found)[1], [0, *np.ones(len(scores))])
    elif name == "precision_recall_curve":
        assert_close(three(found)[1], np.ones(len(scores)))
    else:
        np.testing.assert_allclose(number(found), 1, **CLOSE)


# Thresholds


@pytest.mark.problem("thresholds", points=1)
@pytest.mark.hint("At the threshold itself a sample is flagged.")
def test_flag(student, rng):
    """Samples at or above the threshold are flagged."""
    _, scores = drawn_scores(rng, "ties")
    for threshold in (float(scores[0]), float(np.median(scores)), float(scores.max()), np.inf):
        expected = np.array([1 if score >= threshold else 0 for score in scores], np.int64)
        np.testing.assert_array_equal(student.flag(scores, threshold), expected, strict=True)


def f_scores(truth, scores, beta):
    thresholds, tp, fp = points(truth, scores)
    precision, recall = tp / (tp + fp), tp / truth.sum()
    below = beta**2 * precision + recall
    values = (1 + beta**2) * precision * recall / np.where(below == 0, 1, below)
    return dict(zip(thresholds.tolist(), values.tolist(), strict=True))


@pytest.mark.problem("thresholds", points=2)
@pytest.mark.hint("Every score is a candidate, with the samples at that score flagged.")
@pytest.mark.parametrize("beta", [0.5, 1, 3])
def test_best_f_threshold(student, rng, beta):
    """The threshold with the highest F-beta is found."""
    for kind in ("distinct", "ties"):
        truth, scores = drawn_scores(rng, kind)
        values = f_scores(truth, scores, beta)
        found = number(student.best_f_threshold(truth, scores, beta=beta))
        assert found in values
        np.testing.assert_allclose(values[found], max(values.values()), **CLOSE)
    np.testing.assert_allclose(
        f_scores(truth, scores, 1)[number(student.best_f_threshold(truth, scores))],
        max(f_scores(truth, scores, 1).values()),
        **CLOSE,
    )


@pytest.mark.problem("thresholds", points=3)
@pytest.mark.hint("Which error has which price? And which threshold is wanted of equally cheap ones?")
@pytest.mark.parametrize(("fp_cost", "fn_cost"), [(1, 1), (1, 7), (3, 2), (9, 1), (0, 1)])
def test_cheapest_threshold(student, rng, fp_cost, fn_cost):
    """The cheapest threshold is found, the highest of equally cheap ones."""
    for kind in ("distinct", "ties"):
        truth, scores = drawn_scores(rng, kind)
        thresholds, tp, fp = points(truth, scores)
        costs = {np.inf: fn_cost * truth.sum()}
        for threshold, hits, alarms in zip(thresholds.tolist(), tp, fp, strict=True):
            costs[threshold] = fp_cost * alarms + fn_cost * (truth.sum() - hits)
        best = max(threshold for threshold, cost in costs.items() if cost == min(costs.values()))
        assert number(student.cheapest_threshold(truth, scores, fp_cost, fn_cost)) == best


@pytest.mark.problem("thresholds", points=1)
@pytest.mark.hint("When does flagging nothing cost least?")
def test_cheapest_threshold_may_flag_nothing(student, rng):
    """Where false alarms cost most and the best scores are wrong, nothing is flagged."""
    truth = binary_labels(rng, 3, 20)
    scores = rng.normal(size=23) - 20 * truth
    assert number(student.cheapest_threshold(truth, scores, 5, 1)) == np.inf
    assert number(student.cheapest_threshold(truth, scores, 1, 1000)) == scores.min()
    assert number(student.cheapest_threshold(np.zeros(23, int), scores, 1, 1)) == np.inf


@pytest.mark.problem("thresholds", points=1)
@pytest.mark.hint("At least as much recall as wanted, and no lower threshold than needed.")
def test_threshold_for_recall(student, rng):
    """The highest threshold that finds the wanted share of positives is found."""
    truth = binary_labels(rng, 8, 20)
    for decimals in (6, 1):
        scores = np.round(rng.normal(size=28), decimals)
        for wanted in (0.125, 0.3, 0.5, 0.75, 0.9, 1.0):
            thresholds, tp, _ = points(truth, scores)
            best = max(thresholds[tp >= 8 * wanted])
            assert number(student.threshold_for_recall(truth, scores, wanted)) == best
    for wanted in (0, -0.5, 1.01):
        with pytest.raises(ValueError):
            student.threshold_for_recall(truth, scores, wanted)


# Preparation

PARTS = {"train_rows", "test_rows", "mean", "scale", "x_train", "y_train", "x_test", "y_test"}
SHARE = 0.27


def raw_rows(rng, rare):
    """Columns of very different scales, one of them constant; `rare` is the label of the rarer class."""
    while True:
        sizes = {rare: int(rng.integers(12, 18)), 1 - rare: int(rng.integers(35, 60))}
        if sizes_to_test(sizes, SHARE):
            break
    y = shuffled_labels(rng, sizes)
    x = rng.normal(size=(len(y), 5)) + y[:, None]
    x = x * [1e3, 1, 1e-2, 30, 0] + [5e3, -1, 0.3, 0, 12.5]
    return x, y


def prepared(student, x, y, how, seed=4):
    """What prepare returned, after seeing that it can be taken apart: rows partition x, arrays fit each other."""
    found = student.prepare(x, y, SHARE, how, seed)
    assert isinstance(found, dict)
    assert set(found) >= PARTS, f"{sorted(PARTS - set(found))} missing"
    found = {name: array(found[name]) for name in PARTS}
    rows = np.concatenate([integers(found["train_rows"]), integers(found["test_rows"])])
    np.testing.assert_array_equal(np.sort(rows), np.arange(len(x)))
    assert found["mean"].shape == found["scale"].shape == x.shape[1:]
    assert found["x_train"].shape == (len(found["y_train"]), x.shape[1])
    return found


def rescaled(found, x, rows):
    return (x[found[rows]] - found["mean"]) / found["scale"]


@pytest.mark.problem("prepare", points=3)
@pytest.mark.hint("The test part is the rows of the split, scaled and nothing else.")
@pytest.mark.parametrize("how", ["none", "under", "over", "smote"])
def test_test_part_is_left_alone(student, rng, how):
    """The test part is the rows of the split, once each, scaled, with their own labels."""
    x, y = raw_rows(rng, 1)
    found = prepared(student, x, y, how)
    np.testing.assert_array_equal(found["y_test"], y[found["test_rows"]])
    np.testing.assert_allclose(found["x_test"], rescaled(found, x, "test_rows"), rtol=1e-7, atol=1e-7)
    assert found["x_test"][:, :4].std() > 0.1


@pytest.mark.problem("prepare", points=2)
@pytest.mark.hint("Which rows may mean and standard deviation know of?")
@pytest.mark.parametrize("how", ["none", "over"])
def test_scaler_knows_the_training_rows_only(student, rng, how):
    """Mean and scale are those of the training rows before resampling; a constant column has scale 1."""
    x, y = raw_rows(rng, 1)
    found = prepared(student, x, y, how)
    rows = x[found["train_rows"]]
    scale = np.sqrt(((rows - rows.mean(axis=0)) ** 2).mean(axis=0))
    scale[4] = 1
    np.testing.assert_allclose(found["mean"], rows.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(found["scale"], scale, rtol=1e-9)


@pytest.mark.problem("prepare", points=3)
@pytest.mark.hint(
    "Only rows of the training part, and what is made of them, may be in it; then count the classes."
)
@pytest.mark.parametrize("rare", [1, 0])
@pytest.mark.parametrize("how", ["none", "under", "over", "smote"])
def test_training_part_is_balanced_without_a_leak(student, rng, how, rare):
    """The training part is balanced as asked, from training rows alone."""
    x, y = raw_rows(rng, rare)
    found = prepared(student, x, y, how)
    x_train, y_train = found["x_train"], found["y_train"]
    own, labels = rescaled(found, x, "train_rows"), y[found["train_rows"]]
    apart = np.abs(x_train[:, None] - own).max(-1)
    nearest = apart.argmin(axis=1)
    known = apart.min(axis=1) < 1e-7
    np.testing.assert_array_equal(y_train[known], labels[nearest[known]])
    times = np.bincount(nearest[known], minlength=len(own))
    small, large = (labels == rare).sum(), (labels != rare).sum()
    if how == "none":
        assert known.all()
        assert (times == 1).all()
        return
    size = small if how == "under" else large
    assert class_sizes(y_train) == {0: size, 1: size}
    if how == "smote":
        assert (times >= 1).all()
        assert (times[labels != rare] == 1).all()
        assert (y_train[~known] == rare).all()
        assert (~known).sum() == large - small
        minority = own[labels == rare]
        assert on_segments(x_train[~known], minority, neighbour_pairs(minority, 5))[0].any(axis=0).all()
        return
    assert known.all()
    if how == "under":
        assert times.max() == 1
        assert (times[labels == rare] == 1).all()
    else:
        assert times.min() == 1
        assert (times[labels != rare] == 1).all()


@pytest.mark.problem("prepare", points=1)
@pytest.mark.hint("Does the test part have its share of the rare class? Does the seed decide which rows?")
def test_prepare_splits_by_class_and_seed(student, rng):
    """The split within prepare is stratified, and drawn by the seed."""
    x, y = raw_rows(rng, 1)
    found = [prepared(student, x, y, "over", seed) for seed in range(12)]
    for one in found:
        assert class_sizes(y[one["test_rows"]]) == sizes_to_test(class_sizes(y), SHARE)
    assert len({tuple(sorted(one["test_rows"].tolist())) for one in found}) > 1
    again = prepared(student, x, y, "over", 0)
    for name in sorted(PARTS):
        np.testing.assert_array_equal(found[0][name], again[name])


@pytest.mark.problem("prepare", points=1)
@pytest.mark.hint("Is anything computed in place? And what of a word that is not in the list?")
def test_prepare_leaves_its_arguments_and_refuses(student, rng):
    """prepare changes neither x nor y, and refuses another way to balance."""
    x, y = raw_rows(rng, 1)
    for how in ("both", None):
        with pytest.raises(ValueError):
            student.prepare(x, y, SHARE, how, 1)
    left = student.probe(arguments_after, student, "prepare", [x.copy(), y.copy(), SHARE, "smote", 1], {})
    np.testing.assert_array_equal(left[0], x)
    np.testing.assert_array_equal(left[1], y)
    prepared(student, x, y, "none")


# The classifier


def payments(rng, rows):
    """Numbers and indicators of fresh payments, (rows, 23), and which are fraud, (rows,)."""
    drawn = data.draw("fraud", rows, rng, rate=FRAUD)
    table = drawn.columns()
    logs = [
        np.log(table[name]) for name in ("amount", "amount_ratio", "distance", "since_last", "account_age")
    ]
    angle = 2 * np.pi * table["time"] / 24
    columns = [*logs, table["count_day"], np.sin(angle), np.cos(angle)]
    for column in drawn.card.columns:
        columns += [table[column.name] == value for value in column.values]
    order = rng.permutation(rows)
    x = np.stack([np.asarray(column, float) for column in columns], axis=1)
    return x[order], drawn.target.to_numpy()[order]


@pytest.fixture(scope="module")
def kept():
    """What the one training gave, for the tests that judge it."""
    return {}


def train(student, rng, kept):
    """Train once, keep scores of hidden payments and the threshold; the score function and the hidden payments."""
    (x, y), (hidden_x, hidden_y) = payments(rng, int(rng.integers(7800, 8200))), payments(rng, 15_000)
    # Nobody can use the densities, which are public, on columns without order, scale and sign.
    order = rng.permutation(x.shape[1])
    scale = 10 ** rng.permutation(np.linspace(-4, 4, len(order))) * rng.choice([-1, 1], size=len(order))
    shift = rng.normal(size=len(order))
    x, hidden_x = ((part[:, order] + shift) * scale for part in (x, hidden_x))
    found = student.fit_classifier(x, y, int(rng.integers(1000)))
    assert isinstance(found, (tuple, list)), f"expected (score, threshold), received {type(found).__name__}"
    assert len(found) == 2, f"expected (score, threshold), received {len(found)} values"
    score, threshold = found
    kept |= {"y": hidden_y, "scores": score(hidden_x), "threshold": threshold}
    return score, hidden_x


def judged(student, rng, kept):
    """Labels of the hidden payments, their scores and the threshold."""
    if not kept:
        train(student, rng, kept)
    return kept["y"], kept["scores"], kept["threshold"]


@pytest.mark.problem("classifier", points=2)
@pytest.mark.hint("One number from 0 to 1 a payment, and the same one in whatever company it comes.")
def test_scores_are_each_payments_own(student, rng, kept, exhibit):
    """Scores lie between 0 and 1, differ, and do not depend on which payments come together."""
    score, x = train(student, rng, kept)
    scores = array(kept["scores"])
    assert scores.shape == (len(x),)
    assert np.issubdtype(scores.dtype, np.floating)
    exhibit(figures.calibration(kept["y"], scores))
    assert scores.min() >= 0
    assert scores.max() <= 1
    assert len(np.unique(scores)) > 100, "hardly any two payments have different scores"
    top = np.argsort(-scores)[:300]
    np.testing.assert_allclose(array(score(x[top])), scores[top], atol=1e-3, strict=False)


@pytest.mark.problem("classifier", points=5)
@pytest.mark.hint("Compare the AUC of your training rows with that of rows held out of it.")
def test_auc_on_hidden_payments(student, rng, kept, award, exhibit):
    """The scores rank fraud above honest payments."""
    y, scores, _ = judged(student, rng, kept)
    exhibit(figures.roc(y, scores, interval=INTERVAL))
    award(metrics.roc_auc_score(y, scores), floor=0.6, target=0.88)


@pytest.mark.problem("classifier", points=5)
@pytest.mark.hint("Who stands at the very top of your ranking? A straight line may not be enough to tell.")
def test_average_precision_on_hidden_payments(student, rng, kept, award, exhibit):
    """Among the highest scores there is mostly fraud."""
    y, scores, _ = judged(student, rng, kept)
    exhibit(figures.precision_recall(y, scores, interval=INTERVAL))
    award(metrics.average_precision_score(y, scores, interval=INTERVAL), floor=0.06, target=0.55)


@pytest.mark.problem("classifier", points=4)
@pytest.mark.hint(
    "What would flagging nothing cost? Choose the threshold on rows that the model has not seen."
)
def test_cost_on_hidden_payments(student, rng, kept, award, exhibit):
    """At the chosen threshold errors cost little."""
    y, scores, threshold = judged(student, rng, kept)
    chosen = number(threshold)
    cost = metrics.cost_loss(
        y, scores, threshold=chosen, false_positive=FP_COST, false_negative=FN_COST, interval=INTERVAL
    )
    exhibit(figures.confusion_matrix(y, np.ravel(scores) >= chosen, names=LABELS))
    award(cost, floor=FN_COST * y.mean(), target=0.26)
