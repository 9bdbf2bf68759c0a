"""Black-Scholes prices of calls and puts, 4e6 float64, NumPy and SciPy.

The formula and the data of Weld's `weldnumpy` example (seed 2592): 31 operations, two of them `erf`, two
outputs. Its constants (3.0, 1.5, 0.707) are kept although finance would write 0.5, 1.0 and 1/√2: that
makes results comparable.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import erf

import fuse
from bench.case import Bar, Case, Row
from bench.rounds import Settings, compare

SIZE = 4_000_000
GOLDEN_SIZE = 1_000_000
GOLDEN = (225353491.46930373, 171274890.19766358, 556.5616287883341)
"""Of the random data at the golden size: sum of calls, sum of puts, first call (NumPy 2.4, rtol 1e-9)."""

Arrays = tuple[np.ndarray, ...]


def random_data(size: int) -> Arrays:
    """price, strike, t, rate, vol as weldnumpy's example draws them."""
    draw = np.random.RandomState(2592).rand
    return draw(size) * 100, draw(size) * 100, 1 + draw(size) * 6, 0.01 + draw(size), 0.01 + draw(size)


def black_scholes(
    price: np.ndarray, strike: np.ndarray, t: np.ndarray, rate: np.ndarray, vol: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Prices of calls and of puts."""
    rsig = rate + vol * vol * 3.0
    vol_sqrt = vol * np.sqrt(t)
    d1 = (np.log(price / strike) + rsig * t) / vol_sqrt
    d2 = d1 - vol_sqrt
    d1 = 3 + 3 * erf(d1 * 0.707)
    d2 = 3 + 3 * erf(d2 * 0.707)
    e = np.exp((0 - rate) * t)
    call = price * d1 - e * strike * d2
    put = e * strike * (1.5 - d2) - price * (1.5 - d1)
    return call, put


jitted = fuse.jit(black_scholes)


def check_golden() -> None:
    """Our sums on the random data are those that Weld's users would see. Raises AssertionError."""
    call, put = jitted(*random_data(GOLDEN_SIZE))
    np.testing.assert_allclose((call.sum(), put.sum(), call[0]), GOLDEN, rtol=1e-9)


def rows(settings: Settings) -> Iterator[Row]:
    check_golden()
    data = random_data(SIZE)
    case = Case(
        "4e6 float64",
        lambda: black_scholes(*data),
        lambda: jitted(*data),
        Bar("faster", 8),
        tolerance=1e-11,
        absolute=1e-12,
    )
    yield from compare("black_scholes", case, settings)
