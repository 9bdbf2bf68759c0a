"""Crime index of cities, 4e6 rows, pandas and NumPy.

The masks on Series are split annotations' benchmark; `population` is Weld's, which filters a frame with
pandas, weighs its columns with NumPy's `dot` and clamps with NumPy's masks. Constant data is the papers'
(every comparison is predicted); random data is what cities are like.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

import fuse
from bench.case import Bar, Case, Row
from bench.rounds import Settings, compare

SIZE = 4_000_000
GOLDEN_PER_ROW = 0.005
"""Of the constant data: the index is clamped to this on every row."""

BAR = Bar("faster", 7)


def constant_data(size: int) -> pd.DataFrame:
    """Every city has 500,000 people, 250,000 of them adult, and 1,000 robberies."""
    numbers = {"total": 500000.0, "adult": 250000.0, "robberies": 1000.0}
    return pd.DataFrame({name: np.full(size, value) for name, value in numbers.items()})


def random_data(size: int) -> pd.DataFrame:
    """Cities of 10,000 to 1,000,000 people, as Weld's generator draws them."""
    rng = np.random.default_rng(2592)
    total = rng.integers(10_000, 1_000_000, size)
    adult = (rng.random(size) * total).astype(np.int64)
    robberies = rng.integers(0, 1_000, size)
    table = pd.DataFrame({"total": total, "adult": adult, "robberies": robberies})
    return table.astype(np.float64)


def crime_index(df: pd.DataFrame) -> float:
    """Sum of the clamped indices of all cities."""
    total = df["total"]
    big = total.mask(total > 500000, 0.0)
    index = (df["adult"] * 2 + big - df["robberies"] * 2000.0) / 100000
    index = index.mask(index > 0.02, 0.032)
    index = index.mask(index < 0.01, 0.005)
    return index.sum()


def population(df: pd.DataFrame) -> float:
    """Sum of the clamped indices of the big cities."""
    big = df[df["total"] > 500000]
    index = np.dot(big[["total", "adult", "robberies"]].to_numpy(), np.array([1.0, 2.0, -2000.0])) / 100000
    index[index >= 0.02] = 0.032
    index[index < 0.01] = 0.005
    return index.sum()


crime_index_jitted = fuse.jit(crime_index)
population_jitted = fuse.jit(population)


def check_golden() -> None:
    """Both sides give the papers' value on constant data. Raises AssertionError."""
    df = constant_data(100_000)
    for function in (crime_index, crime_index_jitted):
        np.testing.assert_allclose(function(df), GOLDEN_PER_ROW * len(df), rtol=1e-9)


def rows(settings: Settings) -> Iterator[Row]:
    check_golden()
    for name, make in (("constant", constant_data), ("random", random_data)):
        df = make(SIZE)
        yield from compare(
            "crime_index", _case(f"4e6 rows, {name}", crime_index, crime_index_jitted, df), settings
        )
    yield from compare(
        "crime_index", _case("4e6 rows, filter + dot", population, population_jitted, df), settings
    )


def _case(size: str, plain: object, jitted: object, df: pd.DataFrame) -> Case:
    return Case(size, lambda: plain(df), lambda: jitted(df), BAR, tolerance=1e-12)  # type: ignore[operator]
