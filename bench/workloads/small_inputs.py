"""Inputs below the break-even size: microseconds that fuse adds to the plain library.

`jit`: a function that never met large inputs. `jit, compiled`: one that has a plan. `fuse.numpy`,
`fuse.pandas`: the same lines on lazy arrays and frames, from making them to looking at the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

import fuse
import fuse.numpy
import fuse.pandas
from bench.case import Bar, Case, Row
from bench.rounds import Settings, compare

SIZES = (10, 100, 1_000, 4_000)
BAR = Bar("extra", 20e-6)
LARGE = 100_000


def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A few operations on arrays."""
    return np.sqrt((x - y) ** 2 + 1.0)


def spend(df: pd.DataFrame) -> float:
    """A few operations on columns."""
    return (df["a"] * 2 + df["b"]).sum()


def rows(settings: Settings) -> Iterator[Row]:
    for size in SIZES:
        yield from _rows(size, settings)


def _rows(size: int, settings: Settings) -> Iterator[Row]:
    x, y = np.random.default_rng(0).random((2, size))
    df = pd.DataFrame({"a": x, "b": y})
    ours = fuse.pandas.from_pandas(df)
    for kind, library, call in (
        ("jit", lambda: distance(x, y), _jit(distance, x, y)),
        ("jit, compiled", lambda: distance(x, y), _compiled(x, y)),
        ("jit, frame", lambda: spend(df), _jit(spend, df)),
        ("fuse.numpy", lambda: distance(x, y), lambda: _lazily(x, y)),
        ("fuse.pandas", lambda: float(spend(df)), lambda: float(spend(ours))),
    ):
        case = Case(f"{kind}, {size}", library, call, BAR, tolerance=1e-12, calls=200)
        yield from compare("small_inputs", case, settings, counts=(1,))


def _jit(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    jitted = fuse.jit(function)
    return lambda: jitted(*arguments)


def _compiled(x: np.ndarray, y: np.ndarray) -> Callable[[], Any]:
    jitted = fuse.jit(distance)
    jitted(*np.random.default_rng(1).random((2, LARGE)))
    return lambda: jitted(x, y)


def _lazily(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    found = distance(fuse.numpy.asarray(x), fuse.numpy.asarray(y))
    return np.asarray(found)
