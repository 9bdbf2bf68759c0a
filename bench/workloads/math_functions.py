"""exp, log, sin, cos, tanh, power over 4e6 values, float64 and float32, NumPy.

Through `fuse.jit`, so with recording's replay, a fresh output and the thread pool, as a user meets them.
What the kernels alone take, for every function of the library, shows `python -m bench.math_speed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import fuse
from bench.case import Bar, Case, Row
from bench.rounds import Settings, compare

SIZE = 4_000_000
BAR = Bar("slower", 1.0)
DTYPES = ("float64", "float32")

RANGES: dict[str, tuple[tuple[float, float], ...]] = {
    "exp": ((-10, 10),),
    "log": ((1e-3, 100),),
    "sin": ((-10, 10),),
    "cos": ((-10, 10),),
    "tanh": ((-5, 5),),
    "power": ((1e-3, 100), (-5, 5)),
}
"""Function to the ranges of its arguments, all values of which have an ordinary result."""

FEW_ULP = {"float64": 1e-14, "float32": 5e-6}
"""Relative difference allowed: both sides round, and NumPy's float32 functions are off by up to 4 ulp."""


def function_of(name: str) -> Callable[..., np.ndarray]:
    """`np.exp` as a user calls it."""
    function: Callable[..., np.ndarray] = getattr(np, name)
    return lambda *arguments: function(*arguments)


def rows(settings: Settings) -> Iterator[Row]:
    rng = np.random.default_rng(0)
    for name, ranges in RANGES.items():
        for dtype in DTYPES:
            arrays = [rng.uniform(low, high, SIZE).astype(dtype) for low, high in ranges]
            yield from compare(f"math {name}", _case(name, dtype, arrays), settings)


def _case(name: str, dtype: str, arrays: list[np.ndarray]) -> Case:
    plain = function_of(name)
    jitted = fuse.jit(plain)
    absolute = FEW_ULP[dtype] if name in ("sin", "cos", "log") else 0.0
    return Case(
        f"4e6 {dtype}", lambda: plain(*arrays), lambda: jitted(*arrays), BAR, FEW_ULP[dtype], absolute
    )
