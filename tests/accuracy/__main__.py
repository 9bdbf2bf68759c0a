"""Measure every function and rewrite `docs/accuracy.md`; run as `python -m tests.accuracy [name...]`.

With names, the measurements are only printed. Takes about ten minutes on two cores.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fuse.codegen.math import MATH
from tests.accuracy.bounds import BOUNDS, EXACT
from tests.accuracy.cases import HARD, hard_arguments
from tests.accuracy.compiled import Kernel
from tests.accuracy.reference import worst
from tests.accuracy.single import exhaustive, sampled

COUNT = 20_000
PAIRS = 1 << 22
PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"

HEADER = """# Accuracy of the math functions

Regenerate with `make accuracy`. An error is the distance from the true value in units in the last place (ulp)
of the true value, rounding included: a correctly rounded function has 0.5.

float64 is measured against mpmath, with more than 50 digits, on random bit patterns and on hard arguments:
beside zeros, poles and the places where a method changes, beside multiples of pi/2 up to the hardest one,
beside the thresholds of overflow and underflow, subnormal and huge. float32 functions of one argument are
measured on all 2^32 arguments, functions of two on four million pairs, against our own float64 function,
whose error is below 0.000000002 of their ulp. The bound is what the tests hold the function to.

| function | float64, measured | bound | float32, measured | bound |
|---|---|---|---|---|
"""

FOOTER = """
`logaddexp` and `logaddexp2` cancel where the result passes zero; there the error stays below one
ulp of 1/16, and is larger when counted in ulps of the result.

`gammaln` of a negative argument, by reflection, is measured in ulps of max(1, result): {negative:.2f} on
float64 arguments in (-30, 0). Beside its zeros there the relative error grows; the absolute error does not.

The same bits as NumPy: {exact}. `sqrt` is correctly rounded.

Results are the same bits for every vector width and on every target with a fused multiply-add. Without one
(SSE2, WebAssembly) results may differ, within the same bounds.
"""


@dataclass(frozen=True)
class Measured:
    """The largest errors found, and where."""

    name: str
    double: float
    double_at: tuple[float, ...]
    single: float
    single_at: tuple[float, ...]

    def row(self) -> str:
        """A line of the table."""
        double, single = BOUNDS[self.name]
        return f"| `{self.name}` | {self.double:.3f} | {double:g} | {self.single:.3f} | {single:g} |\n"


def measure(name: str) -> Measured:
    """Measure one function in both precisions."""
    arrays = hard_arguments(name, seed=1, count=COUNT)
    with np.errstate(all="ignore"):
        got = Kernel(MATH[name], ["float64"] * len(arrays))(*arrays)
        double, double_at, _ = worst(name, got, arrays)
        if len(arrays) == 1:
            single, place = exhaustive(name)
            return Measured(name, double, double_at, single, (place,))
        pairs = [a.astype(np.float32) for a in hard_arguments(name, seed=2, count=PAIRS)]
        return Measured(name, double, double_at, *sampled(name, pairs))


def negative_gammaln() -> float:
    """The error of gammaln on (-30, 0), in ulps of max(1, result)."""
    x = np.random.default_rng(3).uniform(-30, 0, COUNT)
    return worst("gammaln", Kernel(MATH["gammaln"], ["float64"])(x), [x], least=1.0)[0]


def main(names: list[str]) -> None:
    """Measure the named functions, or all and write the page."""
    rows = []
    for name in names or HARD:
        measured = measure(name)
        print(measured.row().rstrip(), measured.double_at, measured.single_at, flush=True)
        rows.append(measured.row())
    if not names:
        exact = ", ".join(f"`{name}`" for name in EXACT if name != "sqrt")
        PAGE.write_text(HEADER + "".join(rows) + FOOTER.format(negative=negative_gammaln(), exact=exact))


if __name__ == "__main__":
    main(sys.argv[1:])
