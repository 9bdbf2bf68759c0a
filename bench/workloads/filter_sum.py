"""Filter, then sum: 16e6 float64, NumPy.

The smallest pipeline that fusion changes: the selected values are never stored.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import fuse
from bench.case import Bar, Case, Row
from bench.rounds import Settings, compare

SIZE = 16_000_000


def random_data(size: int) -> np.ndarray:
    """Normally distributed: half of the values pass."""
    return np.random.default_rng(0).standard_normal(size)


def filter_sum(x: np.ndarray) -> np.float64:
    """Sum of the positive values."""
    return x[x > 0].sum()


jitted = fuse.jit(filter_sum)


def rows(settings: Settings) -> Iterator[Row]:
    x = random_data(SIZE)
    case = Case("16e6 float64", lambda: filter_sum(x), lambda: jitted(x), Bar("faster", 8), tolerance=1e-12)
    yield from compare("filter_sum", case, settings)
