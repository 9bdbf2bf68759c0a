"""A call of a compiled function on 10 elements: what a call costs when there is nothing to compute.

With `min_rows=0`, because the default setting would leave so few elements to the plain function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

import fuse
from bench.case import Bar, Case, Row
from bench.rounds import Settings, compare

CALLS = 2_000


def scale(x: np.ndarray) -> np.ndarray:
    """One array in, one out."""
    return x * 2.0 + 1.0


def weigh(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Two arrays, a transcendental function."""
    return np.exp(-x * x) * y


def add_columns(df: pd.DataFrame) -> pd.Series:
    """A frame in, a series out."""
    return df["a"] * 2 + df["b"]


def rows(settings: Settings) -> Iterator[Row]:
    x, y = np.linspace(0, 1, 10), np.linspace(1, 2, 10)
    df = pd.DataFrame({"a": x, "b": y})
    limit = Bar("within", 15e-6)
    with fuse.config(min_rows=0):
        yield from _rows("10 float64", scale, (x,), limit, settings)
        yield from _rows("2 × 10 float64", weigh, (x, y), limit, settings)
        yield from _rows("frame of 10 rows", add_columns, (df,), None, settings)


def _rows(
    size: str, function: Callable[..., Any], arguments: tuple[Any, ...], bar: Bar | None, settings: Settings
) -> Iterator[Row]:
    jitted = fuse.jit(function)
    case = Case(size, lambda: function(*arguments), lambda: jitted(*arguments), bar, 1e-14, calls=CALLS)
    yield from compare("dispatch", case, settings, counts=(1,))
