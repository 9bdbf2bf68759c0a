"""How fast the math library is beside NumPy's own: nanoseconds an element, one thread, arrays in memory.

Run as `python -m bench.math_speed [name...]`. Both sides write a preallocated output of 4e6 elements; they
are timed in turns inside one process, and medians are compared. "wide" spreads the argument over many
binades.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from fuse.codegen.math import MATH
from tests.accuracy.compiled import Kernel

SIZE = 4_000_000
ROUNDS = 15
Sample = Callable[[np.random.Generator], np.ndarray]


def uniform(low: float, high: float) -> Sample:
    """Evenly spread arguments."""
    return lambda rng: rng.uniform(low, high, SIZE)


def wide(low: float, high: float, signed: bool = True) -> Sample:
    """Arguments 2**u, u evenly spread."""
    signs = [-1.0, 1.0] if signed else [1.0]
    return lambda rng: np.exp2(rng.uniform(low, high, SIZE)) * rng.choice(signs, SIZE)


CASES: tuple[tuple[str, str, tuple[Sample, ...]], ...] = (
    ("exp", "moderate", (uniform(-10, 10),)),
    ("exp", "wide", (wide(-30, 6.4),)),
    ("log", "moderate", (uniform(1e-3, 100),)),
    ("log", "wide", (wide(-120, 120, False),)),
    ("sin", "moderate", (uniform(-10, 10),)),
    ("sin", "wide", (wide(-20, 40),)),
    ("cos", "moderate", (uniform(-10, 10),)),
    ("cos", "wide", (wide(-20, 40),)),
    ("tanh", "moderate", (uniform(-5, 5),)),
    ("tanh", "wide", (wide(-20, 10),)),
    ("power", "moderate", (uniform(1e-3, 100), uniform(-5, 5))),
    ("power", "wide", (wide(-20, 20, False), wide(-5, 2))),
    ("exp2", "moderate", (uniform(-10, 10),)),
    ("expm1", "moderate", (uniform(-10, 10),)),
    ("log2", "moderate", (uniform(1e-3, 100),)),
    ("log10", "moderate", (uniform(1e-3, 100),)),
    ("log1p", "moderate", (uniform(-0.9, 100),)),
    ("sqrt", "moderate", (uniform(0, 100),)),
    ("cbrt", "moderate", (uniform(-100, 100),)),
    ("tan", "moderate", (uniform(-10, 10),)),
    ("arcsin", "moderate", (uniform(-1, 1),)),
    ("arccos", "moderate", (uniform(-1, 1),)),
    ("arctan", "moderate", (uniform(-10, 10),)),
    ("arctan2", "moderate", (uniform(-10, 10), uniform(-10, 10))),
    ("sinh", "moderate", (uniform(-10, 10),)),
    ("cosh", "moderate", (uniform(-10, 10),)),
    ("arcsinh", "moderate", (uniform(-10, 10),)),
    ("arccosh", "moderate", (uniform(1, 10),)),
    ("arctanh", "moderate", (uniform(-1, 1),)),
    ("hypot", "moderate", (uniform(-10, 10), uniform(-10, 10))),
    ("logaddexp", "moderate", (uniform(-10, 10), uniform(-10, 10))),
    ("fmod", "moderate", (uniform(-100, 100), uniform(-10, 10))),
    ("remainder", "moderate", (uniform(-100, 100), uniform(-10, 10))),
    ("floor_divide", "moderate", (uniform(-100, 100), uniform(-10, 10))),
    ("floor", "moderate", (uniform(-100, 100),)),
    ("erf", "moderate", (uniform(-4, 4),)),
    ("erfc", "moderate", (uniform(-4, 4),)),
    ("gammaln", "moderate", (uniform(0, 20),)),
)


def library_function(name: str) -> Callable[..., np.ndarray]:
    """NumPy's ufunc, or SciPy's where NumPy has none."""
    if hasattr(np, name):
        return getattr(np, name)
    import scipy.special

    return getattr(scipy.special, name)


def seconds(call: Callable[[], object]) -> float:
    """The time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(name: str, samples: tuple[Sample, ...], dtype: str) -> tuple[float, float]:
    """Median nanoseconds an element: (library, ours)."""
    rng = np.random.default_rng(0)
    arrays = [sample(rng).astype(dtype) for sample in samples]
    out = np.empty(SIZE, dtype)
    kernel = Kernel(MATH[name], [dtype] * len(arrays), 8 if dtype == "float64" else 16)
    function = library_function(name)
    rounds = [
        (seconds(lambda: function(*arrays, out=out)), seconds(lambda: kernel.run(out, *arrays)))
        for _ in range(ROUNDS)
    ]
    library, ours = np.median(rounds, axis=0) / SIZE * 1e9
    return float(library), float(ours)


def main(names: list[str]) -> None:
    """Print the table."""
    print(f"{'function':13}{'arguments':10}{'dtype':9}{'library ns':>11}{'ours ns':>9}{'ours/library':>14}")
    for name, kind, samples in CASES:
        for dtype in ("float64", "float32"):
            if names and name not in names:
                continue
            with np.errstate(all="ignore"):
                library, ours = measure(name, samples, dtype)
            print(f"{name:13}{kind:10}{dtype:9}{library:11.3f}{ours:9.3f}{ours / library:14.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
