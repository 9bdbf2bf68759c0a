"""Every function of the math library against true values: a sample of what `make accuracy` measures in full.

float64 against mpmath on hard arguments; float32 on random bit patterns against our own float64 function.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.case import Row, fact
from bench.rounds import Settings
from fuse.codegen.math import MATH
from tests.accuracy.bounds import BOUNDS
from tests.accuracy.cases import HARD, hard_arguments
from tests.accuracy.compiled import Kernel
from tests.accuracy.reference import worst
from tests.accuracy.single import sampled

TWO_ULP = frozenset({"power", "gammaln", "erfc"})
Errors = dict[str, float]


def rows(settings: Settings) -> Iterator[Row]:
    count = 200 if settings.quick else 4_000
    for dtype, measure in (("float64", double_error), ("float32", single_error)):
        errors = {name: measure(name, count) for name in HARD if name in BOUNDS}
        one = {name: error for name, error in errors.items() if name not in TWO_ULP}
        two = {name: error for name, error in errors.items() if name in TWO_ULP}
        yield _row(f"{len(one)} functions, {dtype}", one, 1.0)
        yield _row(f"{', '.join(two)}, {dtype}", two, 2.0)


def double_error(name: str, count: int) -> float:
    """The largest error in ulps on hard arguments."""
    arrays = hard_arguments(name, seed=1, count=count)
    with np.errstate(all="ignore"):
        got = Kernel(MATH[name], ["float64"] * len(arrays))(*arrays)
        return worst(name, got, arrays)[0]


def single_error(name: str, count: int) -> float:
    """The largest error in ulps on a thousand times as many hard arguments, which no mpmath slows down."""
    with np.errstate(all="ignore"):
        arrays = [array.astype(np.float32) for array in hard_arguments(name, seed=2, count=1_000 * count)]
        return sampled(name, arrays)[0]


def _row(size: str, errors: Errors, limit: float) -> Row:
    name = max(errors, key=errors.__getitem__)
    worst_error = errors[name]
    return fact(
        "accuracy", size, 1, f"{name} {worst_error:.3f} ulp", f"≤ {limit:g} ulp", worst_error <= limit
    )
