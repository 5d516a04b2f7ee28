"""What goes into a metric: the suite author's truth, which is trusted, and the student's predictions, which are not.

A wrong truth is a ValueError, wrong predictions are `BadPredictions`. No message about predictions holds a true label.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlquiz.testing.student import StudentError, Unusable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# A row of float16 probabilities is this far from 1 at worst.
ROW_SUM_TOLERANCE = 1e-3


class BadPredictions(Unusable):
    """What a submission returned cannot be scored. An AssertionError: the test fails, and its message says why."""


# The author's side


def class_labels(y_true: ArrayLike, labels: Sequence[object] | None) -> tuple[Ints, NDArray[np.generic]]:
    """True labels as numbers of their classes.

    Args:
        y_true: shape (n,), bools, integers, whole floats or text.
        labels: the classes in their order, where it is not the sorted order of those in `y_true`.

    Returns:
        Class numbers of shape (n,), and the classes of shape (k,).

    Raises:
        ValueError: `y_true` is empty, has another shape or dtype, holds one class only or one that is not in `labels`.
    """
    truth = np.asarray(y_true)
    if truth.ndim != 1 or truth.size == 0:
        raise ValueError(f"y_true: expected labels of shape (n,), n > 0, received shape {truth.shape}")
    if truth.dtype.kind == "f" and np.isfinite(truth).all() and (truth == np.round(truth)).all():
        truth = truth.astype(np.int64)
    if truth.dtype.kind not in "biuU":
        raise ValueError(f"y_true: expected bools, integers or text, received {truth.dtype} values")
    present = np.unique(truth)
    if present.size < 2:
        raise ValueError("y_true holds one class only: with a single class nothing can be told apart")
    classes = present if labels is None else np.asarray(labels)
    if np.unique(classes).size != len(classes):
        raise ValueError(f"labels names a class twice: {list(classes)}")
    codes = _codes(truth, classes)
    if (codes < 0).any():
        raise ValueError(f"y_true holds {truth[codes < 0][0]!r}, which is not in labels")
    return codes, classes


def indicator(y_true: ArrayLike) -> Bools:
    """True labels of a multi-label problem: shape (n, k), zeros and ones.

    Raises:
        ValueError: another shape or other values, or a label that all samples have, or none.
    """
    truth = np.asarray(y_true)
    if truth.ndim != 2 or truth.size == 0 or truth.dtype.kind not in "biuf" or not _binary(truth):
        raise ValueError("y_true: expected a label a column, shape (n, k), with zeros and ones")
    found = truth.astype(bool)
    share = found.mean(axis=0)
    if (share == 0).any() or (share == 1).any():
        column = int(np.flatnonzero((share == 0) | (share == 1))[0])
        raise ValueError(f"y_true holds one class only in column {column}: nothing can be told apart there")
    return found


def positives(y_true: ArrayLike, pos_label: object) -> Bools:
    """Which samples are of the positive class: shape (n,).

    Raises:
        ValueError: as `class_labels`, and there are more than two classes, or `pos_label` is none of them.
    """
    codes, classes = class_labels(y_true, None)
    if classes.size > 2:
        raise ValueError(f"y_true holds {classes.size} classes: say average='macro' or average='weighted'")
    return np.asarray(codes == position(classes, pos_label))


def position(classes: NDArray[np.generic], pos_label: object) -> int:
    """Where `pos_label` stands among the classes.

    Raises:
        ValueError: it is none of them.
    """
    (found,) = np.nonzero(_codes(np.asarray([pos_label]), classes)[0] == np.arange(len(classes)))
    if found.size == 0:
        raise ValueError(f"pos_label {pos_label!r} is none of the classes; y_true holds {list(classes)}")
    return int(found[0])


# The student's side


def predicted_labels(predicted: object, count: int, classes: NDArray[np.generic]) -> Ints:
    """Predicted labels as numbers of their classes: shape (count,).

    Raises:
        BadPredictions: another shape or dtype, NaN, scores instead of labels, or labels that are no class.
    """
    array = _flat(_array(predicted, "labels", text=classes.dtype.kind == "U"), count, "labels", "label")
    if array.dtype.kind == "f":
        _finite(array, "labels")
        odd = array[array.astype(np.float64) % 1 != 0]
        if odd.size:
            raise BadPredictions(
                f"labels: expected whole numbers, received {_shown(odd)}; turn scores into labels first"
            )
    if (array.dtype.kind == "U") != (classes.dtype.kind == "U"):
        raise BadPredictions(f"labels: expected {_kind(classes)}, received {_kind(array)}")
    codes = _codes(array, classes)
    strange = array[codes < 0]
    if strange.size:
        many = "is no class" if strange.size == 1 else "are no classes"
        raise BadPredictions(f"labels: {strange.size} of {count} {many} of this problem: {_shown(strange)}")
    return codes


def predicted_indicator(predicted: object, shape: tuple[int, ...]) -> Bools:
    """Predicted labels of a multi-label problem, as bools of shape (n, k).

    Raises:
        BadPredictions: another shape or dtype, or anything but zeros and ones.
    """
    array = _shaped(_array(predicted, "labels"), shape, "labels")
    _finite(array, "labels")
    if not _binary(array):
        odd = array[(array != 0) & (array != 1)]
        raise BadPredictions(f"labels: expected only 0 and 1, received {_shown(odd)}")
    return np.asarray(array.astype(bool))


def binary_scores(
    scores: object, count: int, *, probabilities: bool = False
) -> tuple[Floats, tuple[str, ...]]:
    """One score a sample, and notes about them. Shape (count, 1) is flattened: a Keras model returns it.

    Args:
        probabilities: whether scores outside [0, 1] are refused.

    Returns:
        Scores of shape (count,), float64, and notes.

    Raises:
        BadPredictions: another shape or dtype, NaN, infinite values, or values outside [0, 1].
    """
    array = _flat(_array(scores, "scores"), count, "scores", "score")
    found = _numbers(array, probabilities)
    return found, _notes(found)


def score_columns(
    scores: object, shape: tuple[int, int], *, distribution: bool
) -> tuple[Floats, tuple[str, ...]]:
    """A score a sample and class, and notes about them.

    Args:
        distribution: whether each row must hold probabilities that sum to 1, as in a multi-class problem.

    Returns:
        Scores of `shape`, float64, and notes.

    Raises:
        BadPredictions: another shape or dtype, NaN, infinite values; with `distribution`, values outside [0, 1] and
            rows whose sum is more than `ROW_SUM_TOLERANCE` away from 1.
    """
    found = _numbers(_shaped(_array(scores, "scores"), shape, "scores"), distribution)
    if distribution:
        sums = found.sum(axis=1)
        off = np.flatnonzero(np.abs(sums - 1) > ROW_SUM_TOLERANCE)
        if off.size:
            raise BadPredictions(
                f"scores: each row should sum to 1, and {off.size} of {len(sums)} do not; "
                f"row {off[0]} sums to {sums[off[0]]:.6g}"
            )
    return found, _notes(found)


def curve(values: object, what: str) -> Floats:
    """A metric after each epoch: shape (epochs,), float64.

    Args:
        what: the curve's name in messages.

    Raises:
        BadPredictions: it is empty, of another shape or dtype, or not finite.
    """
    array = _array(values, what)
    if array.ndim != 1 or array.size == 0:
        raise BadPredictions(f"{what}: expected one value an epoch, shape (epochs,), received {array.shape}")
    _finite(array, what)
    return array.astype(np.float64)


def _array(value: object, what: str, text: bool = False) -> NDArray[np.generic]:
    if value is None:
        raise BadPredictions(f"{what}: expected an array, received None; is a return missing?")
    try:
        array = np.asarray(value)
    except StudentError:
        raise  # converting a handle runs the student's code; some of its errors are also a ValueError
    except (TypeError, ValueError, OverflowError):
        raise BadPredictions(f"{what}: expected an array, received {type(value).__name__}") from None
    if array.dtype.kind == "O":
        raise BadPredictions(
            f"{what}: expected an array of numbers, received one of Python objects (dtype object); "
            "rows of unequal length or a None among the values make one"
        )
    if array.dtype.kind not in ("biufU" if text else "biuf"):
        raise BadPredictions(f"{what}: expected numbers, received {_kind(array)}")
    return array


def _flat(array: NDArray[np.generic], count: int, what: str, one: str) -> NDArray[np.generic]:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        hint = "; of two columns, return the positive class's" if array.shape[1:] == (2,) else ""
        raise BadPredictions(f"{what}: expected shape ({count},), received {array.shape}{hint}")
    if len(array) != count:
        raise BadPredictions(f"{what}: expected {count}, one {one} a sample, received {len(array)}")
    return array


def _shaped(array: NDArray[np.generic], shape: tuple[int, ...], what: str) -> NDArray[np.generic]:
    if array.shape != shape:
        raise BadPredictions(f"{what}: expected shape {shape}, received {array.shape}")
    return array


def _finite(array: NDArray[np.generic], what: str) -> None:
    if array.dtype.kind != "f":
        return
    for bad, name in ((np.isnan(array), "NaN"), (np.isinf(array), "infinite")):
        if bad.any():
            first = ", ".join(str(index) for index in np.argwhere(bad)[0])
            raise BadPredictions(f"{what}: {bad.sum()} of {array.size} are {name}, the first at [{first}]")


def _numbers(array: NDArray[np.generic], probabilities: bool) -> Floats:
    _finite(array, "scores")
    found = array.astype(np.float64)
    outside = found[(found < 0) | (found > 1)]
    if probabilities and outside.size:
        raise BadPredictions(
            f"scores: expected probabilities, between 0 and 1, and {outside.size} of {found.size} are not: "
            f"{_shown(outside)}"
        )
    return found


def _notes(scores: Floats) -> tuple[str, ...]:
    if (scores == scores[0]).all():
        return ("every sample has the same score, so none is told from another",)
    if _binary(scores):
        return ("all scores are 0 or 1: labels rather than scores",)
    return ()


def _binary(array: NDArray[np.generic]) -> bool:
    return bool(((array == 0) | (array == 1)).all())


def _codes(values: NDArray[np.generic], classes: NDArray[np.generic]) -> Ints:
    """The position of each value among the classes, -1 where it is none."""
    if (values.dtype.kind == "U") != (classes.dtype.kind == "U"):
        return np.full(values.shape, -1)
    order = np.argsort(classes)
    ranked = classes[order]
    place = np.minimum(np.searchsorted(ranked, values), len(ranked) - 1)
    return np.where(ranked[place] == values, order[place], -1)


def _kind(array: NDArray[np.generic]) -> str:
    names = {"U": "text", "S": "bytes", "c": "complex numbers", "M": "dates", "m": "times", "V": "records"}
    return f"{names.get(array.dtype.kind, 'numbers')} (dtype {array.dtype})"


def _shown(values: NDArray[np.generic]) -> str:
    first = [repr(value)[:40] for value in dict.fromkeys(values[:1000].tolist())]
    return ", ".join(first[:3]) + (", ..." if len(first) > 3 or len(values) > 1000 else "")
