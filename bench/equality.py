"""Whether two results are the same, and if not to the bit, how far apart.

Types, dtypes, shapes and labels count. A speed-up over a different answer is none, so nothing is timed before
this has passed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd


class DifferentResult(AssertionError):
    """Two results that should be the same are not."""


def difference(expected: Any, actual: Any, absolute: float = 0.0) -> float:
    """The largest relative difference of two results: 0.0 when all values are the same.

    Results are scalars, arrays, series, frames, or tuples, lists and dicts of these. Differences up to
    `absolute` do not count. Raises DifferentResult when anything but the size of a number differs.
    """
    return max(
        (_apart(left, right, absolute, where) for left, right, where in _pairs(expected, actual, "")),
        default=0.0,
    )


def describe(expected: Any, actual: Any) -> str:
    """In words: `same bits`, or the largest relative difference."""
    worst = difference(expected, actual)
    return "same bits" if worst == 0.0 else f"largest relative difference {worst:.1e}"


def check(expected: Any, actual: Any, tolerance: float, absolute: float = 0.0) -> float:
    """The difference. Raises DifferentResult when it is larger than `tolerance`."""
    worst = difference(expected, actual, absolute)
    if not worst <= tolerance:
        raise DifferentResult(f"results differ by {worst:.3g} relatively, allowed are {tolerance:.3g}")
    return worst


Pair = tuple[np.ndarray, np.ndarray, str]


def _pairs(expected: Any, actual: Any, where: str) -> Iterator[Pair]:
    """The arrays that two results are made of, side by side, with where they stand."""
    if type(expected) is not type(actual):
        raise DifferentResult(f"result{where} is of {type(expected)} and of {type(actual)}")
    match expected:
        case tuple() | list():
            _same(len(expected), len(actual), f"length{where}")
            for place, (left, right) in enumerate(zip(expected, actual, strict=True)):
                yield from _pairs(left, right, f"{where}[{place}]")
        case dict():
            _same(list(expected), list(actual), f"keys{where}")
            for key in expected:
                yield from _pairs(expected[key], actual[key], f"{where}[{key!r}]")
        case pd.DataFrame():
            _same(list(expected.columns), list(actual.columns), f"columns{where}")
            _same_index(expected, actual, where)
            for place, name in enumerate(expected.columns):
                yield (
                    expected.iloc[:, place].to_numpy(),
                    actual.iloc[:, place].to_numpy(),
                    f"{where}[{name!r}]",
                )
        case pd.Series():
            _same(expected.name, actual.name, f"name{where}")
            _same_index(expected, actual, where)
            yield expected.to_numpy(), actual.to_numpy(), where
        case _:
            yield np.asarray(expected), np.asarray(actual), where


def _same(expected: Any, actual: Any, what: str) -> None:
    if expected != actual:
        raise DifferentResult(f"{what}: {expected} and {actual}")


def _same_index(expected: Any, actual: Any, where: str) -> None:
    if not expected.index.equals(actual.index):
        raise DifferentResult(f"the row labels of result{where} differ")


def _apart(expected: np.ndarray, actual: np.ndarray, absolute: float, where: str) -> float:
    _same(expected.dtype, actual.dtype, f"dtype{where}")
    _same(expected.shape, actual.shape, f"shape{where}")
    if expected.dtype.kind not in "fc":
        if not np.array_equal(expected, actual):
            raise DifferentResult(f"values{where} differ")
        return 0.0
    unequal = ~((expected == actual) | (np.isnan(expected) & np.isnan(actual)))
    left, right = expected[unequal], actual[unequal]
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise DifferentResult(f"values{where}: one is finite where the other is not")
    gap = np.abs(left - right)
    counts = gap > absolute
    return float(np.max(gap[counts] / np.maximum(np.abs(left), np.abs(right))[counts], initial=0.0))
