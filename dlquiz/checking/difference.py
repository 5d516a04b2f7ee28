"""Where two arrays differ, laid out for a person: what a failed `np.testing` comparison was about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from dlquiz.checking.outcome import Difference

MAX_ROWS = 4
_NUMBERS = "biufcV"  # V: bfloat16 and its kin
_COMPARED = (("actual", "desired"), ("x", "y"))


def from_error(error: BaseException) -> Difference | None:
    """The difference behind an exception that a function of `np.testing` raised, or None.

    The compared values are looked up in that function's frame, so a suite needs nothing but NumPy.
    """
    trace = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if str(frame.f_globals.get("__name__", "")).startswith("numpy.testing"):
            for mine, wanted in _COMPARED:
                if mine in frame.f_locals and wanted in frame.f_locals:
                    return _safely(frame.f_locals[mine], frame.f_locals[wanted], frame.f_locals)
        trace = trace.tb_next
    return None


def _safely(mine: Any, wanted: Any, options: Mapping[str, Any]) -> Difference | None:
    try:
        found = compare(mine, wanted, options)
    except Exception:
        return None
    said = str(options.get("err_msg") or "")
    return replace(found, facts=(said, *found.facts)) if found and said else found


def compare(actual: Any, desired: Any, options: Mapping[str, Any]) -> Difference | None:
    """Compare as `np.testing` would; None when they do not differ.

    Args:
        actual: the student's array, any shape and dtype.
        desired: the expected array.
        options: `rtol`, `atol`, `equal_nan`, `decimal` and `strict`, each where the comparison has it.
    """
    mine, wanted = np.asarray(actual), np.asarray(desired)
    strict = bool(options.get("strict", False))
    facts = []
    shapes_differ = mine.shape != wanted.shape and (strict or (mine.ndim > 0 and wanted.ndim > 0))
    if shapes_differ:
        facts.append(f"shape: yours {mine.shape}, expected {wanted.shape}")
    if _dtype_matters(mine.dtype, wanted.dtype, strict):
        facts.append(f"dtype: yours {mine.dtype}, expected {wanted.dtype}")
    if shapes_differ:
        return Difference(tuple(facts))
    mine, wanted = np.broadcast_arrays(mine, wanted)
    if mine.dtype.kind in _NUMBERS and wanted.dtype.kind in _NUMBERS:
        said, rows = _numbers(mine, wanted, options)
    else:
        said, rows = _things(mine, wanted)
    facts += said
    return Difference(tuple(facts), rows) if facts else None


def _dtype_matters(mine: np.dtype[Any], wanted: np.dtype[Any], strict: bool) -> bool:
    """Whether a difference of dtype may be what is wrong; float32 against float64 is everyday."""
    if strict:
        return mine != wanted
    loses = mine.kind in "biu" and wanted.kind in "fcV"
    return loses or (mine.kind in _NUMBERS) != (wanted.kind in _NUMBERS)


def _numbers(
    mine: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any], options: Mapping[str, Any]
) -> tuple[list[str], tuple[tuple[str, str, str, str], ...]]:
    kind = np.complex128 if "c" in (mine.dtype.kind, wanted.dtype.kind) else np.float64
    left, right = mine.astype(kind).ravel(), wanted.astype(kind).ravel()
    with np.errstate(all="ignore"):
        error = np.abs(left - right)
        allowed = _allowed(np.abs(right), options)
        same = (left == right) | (error <= allowed)
        if options.get("equal_nan", True):
            same |= np.isnan(left) & np.isnan(right)
    differing = np.flatnonzero(~same)
    if not differing.size:
        return [], ()
    facts = []
    for word, test in (("NaN", np.isnan), ("infinite", np.isinf)):
        count = int(np.sum(test(left) & ~test(right)))
        if count:
            facts.append(
                f"{count} of your {left.size} entries {_are(count)} {word} where a number is expected"
            )
    size = np.where(np.isnan(error), np.inf, error)
    worst = differing[np.argsort(-size[differing], kind="stable")][:MAX_ROWS]
    first = worst[0]
    enough = f", where {allowed[first]:.2g} is allowed" if allowed[first] > 0 else ""
    if not mine.ndim:
        yours, expected = _pair(left[0], right[0])
        return [*facts, f"yours is {yours}, expected {expected}: an error of {error[0]:.3g}{enough}"], ()
    told = f"{differing.size} of {left.size} entries {_differ(differing.size)}"
    if np.isfinite(error[first]):
        told += f"; the largest error is {error[first]:.3g} at {_index(first, mine.shape)}{enough}"
    rows = [
        (_index(place, mine.shape), *_pair(left[place], right[place]), f"{error[place]:.3g}")
        for place in worst
    ]
    return [*facts, told], tuple(rows)


def _allowed(size: np.ndarray[Any, Any], options: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    if "rtol" in options:
        return np.asarray(float(options["atol"]) + float(options["rtol"]) * size)
    if "decimal" in options:
        return np.full(size.shape, 1.5 * 10.0 ** -float(options["decimal"]))
    return np.zeros(size.shape)


def _things(
    mine: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]
) -> tuple[list[str], tuple[tuple[str, str, str, str], ...]]:
    left, right = mine.ravel(), wanted.ravel()
    differing = [place for place in range(left.size) if left[place] != right[place]]
    if not differing:
        return [], ()
    pairs = [(repr(left[place])[:40], repr(right[place])[:40]) for place in differing[:MAX_ROWS]]
    if not mine.ndim:
        return [f"yours is {pairs[0][0]}, expected {pairs[0][1]}"], ()
    places = [_index(place, mine.shape) for place in differing[:MAX_ROWS]]
    rows = [(place, *pair, "") for place, pair in zip(places, pairs, strict=True)]
    return [f"{len(differing)} of {left.size} entries {_differ(len(differing))}"], tuple(rows)


def _index(place: Any, shape: tuple[int, ...]) -> str:
    return f"[{', '.join(str(int(i)) for i in np.unravel_index(int(place), shape))}]"


def _pair(left: Any, right: Any) -> tuple[str, str]:
    """Two numbers with as many digits as tell them apart."""
    for digits in (6, 9, 17):
        texts = f"{left:.{digits}g}", f"{right:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _differ(count: int) -> str:
    return "differs" if count == 1 else "differ"
