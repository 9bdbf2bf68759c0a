"""Arguments worth trying: random bits, and for each function the places where methods go wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Sample = Callable[[np.random.Generator, int], np.ndarray]


def random_bits(rng: np.random.Generator, count: int) -> np.ndarray:
    """Doubles of random bits: every exponent alike, NaNs and subnormals too."""
    return rng.integers(0, 2**64, count, dtype=np.uint64).view(np.float64)


def uniform(low: float, high: float) -> Sample:
    """Evenly spread."""
    return lambda rng, count: rng.uniform(low, high, count)


def binades(low: float, high: float, signed: bool = True) -> Sample:
    """2**u with u evenly spread, of both signs unless said otherwise."""

    def sample(rng: np.random.Generator, count: int) -> np.ndarray:
        size = np.exp2(rng.uniform(low, high, count))
        return size * rng.choice([-1.0, 1.0], count) if signed else size

    return sample


def near(centre: float, low: float = -52, high: float = -2) -> Sample:
    """centre +- 2**u."""
    return lambda rng, count: centre + binades(low, high)(rng, count) * max(abs(centre), 1.0)


def near_multiples(step: float, most: float) -> Sample:
    """The doubles nearest to whole multiples of `step`, and their neighbours."""

    def sample(rng: np.random.Generator, count: int) -> np.ndarray:
        multiples = np.round(np.exp2(rng.uniform(0, np.log2(most), count)))
        values = multiples * step
        return values + np.spacing(values) * rng.integers(-2, 3, count)

    return sample


HARD_ANGLES = (
    5.319372648326541e255, 6381956970095103.0 * 2.0**797, 8.476652999999999e9, 2.0**26, 2.0**27 - 1,
    1.5707963267948966, 3.141592653589793, 4.71238898038469, 0.7853981633974483, 1e22, 1.7976931348623157e308,
)  # fmt: skip
"""Among them the double nearest to a multiple of pi/2 (6381956970095103 * 2**797)."""


def listed(values: tuple[float, ...]) -> Sample:
    """Each of these, over and over, with both signs."""
    return lambda rng, count: np.resize(np.array([*values, *(-v for v in values)]), count)


TRIGONOMETRIC = (
    uniform(-10, 10), binades(-60, 26), binades(26, 1023), near_multiples(np.pi / 2, 1e15),
    near_multiples(np.pi / 4, 1e6), listed(HARD_ANGLES),
)  # fmt: skip
LOGARITHMIC = (uniform(0, 3), near(1.0), binades(-1074, 1023, False), near(0.725), near(1.075), near(1.45))
POSITIVE_BASE = (uniform(0, 10), binades(-100, 100, False), near(1.0, -30, -3), binades(-1074, 1023, False))
EXPONENTS = (uniform(-10, 10), uniform(-7, 7), uniform(-2000, 2000), uniform(-1.1, 1.1))
PLANE = (uniform(-3, 3), binades(-1070, 1020), binades(-4, 4), binades(-60, 60))
SIMILAR = (uniform(-7, 7), uniform(-1, 1), uniform(-700, 700), binades(-50, 9))

HARD: dict[str, tuple[tuple[Sample, ...], ...]] = {
    "exp": ((uniform(-1, 1), uniform(-746, 710), near(-708.4), near(709.78), near(-745.1), binades(-60, 3)),),
    "exp2": (
        (uniform(-1, 1), uniform(-1075, 1024), near(-1022), near(1023.9), near(-1074), binades(-60, 3)),
    ),
    "expm1": (
        (uniform(-1, 1), uniform(-40, 710), near(709.78), binades(-1074, 3), near(0.3466), near(-0.3466)),
    ),
    "log": (LOGARITHMIC,),
    "log2": (LOGARITHMIC,),
    "log10": (LOGARITHMIC,),
    "log1p": (
        (uniform(-1, 3), near(-1.0), binades(-1074, 1023), near(0.075), near(-0.025), binades(-10, 0)),
    ),
    "power": (POSITIVE_BASE, EXPONENTS),
    "sqrt": ((uniform(0, 10), binades(-1074, 1023, False)),),
    "cbrt": ((uniform(-10, 10), binades(-1074, 1023), near(8.0), near(1.0)),),
    "hypot": (PLANE, PLANE[::-1]),
    "sin": (TRIGONOMETRIC,),
    "cos": (TRIGONOMETRIC,),
    "tan": (TRIGONOMETRIC,),
    "arcsin": ((uniform(-1, 1), near(0.5), near(1.0), binades(-1074, 0)),),
    "arccos": ((uniform(-1, 1), near(0.5), near(1.0), near(-1.0), binades(-1074, 0)),),
    "arctan": ((uniform(-3, 3), near(0.41421356), near(1.0), near(2.41421356), binades(-1074, 1023)),),
    "arctan2": (PLANE, PLANE[::-1]),
    "sinh": ((uniform(-1, 1), uniform(-711, 711), near(1.0), near(710.4), binades(-1074, 9)),),
    "cosh": ((uniform(-1, 1), uniform(-711, 711), near(710.4), binades(-60, 9)),),
    "tanh": ((uniform(-1, 1), uniform(-20, 20), near(0.55), binades(-1074, 5), near(18.0)),),
    "arcsinh": ((uniform(-3, 3), binades(-1074, 1023), binades(-30, 5), near(0.0375)),),
    "arccosh": ((uniform(1, 3), near(1.0), binades(0, 1023, False)),),
    "arctanh": ((uniform(-1, 1), near(1.0), near(-1.0), binades(-1074, 0)),),
    "erf": ((uniform(-1, 1), uniform(-6, 6), near(0.742), binades(-1074, 3)),),
    "erfc": ((uniform(-1, 1), uniform(-6, 27.3), near(0.5), near(26.5), binades(-60, 5)),),
    "gammaln": (
        (
            uniform(0, 3), uniform(0, 12), near(1.0), near(2.0), near(7.5), near(1.46),
            binades(-1074, 1016, False),
        ),
    ),
    "logaddexp": (SIMILAR, SIMILAR),
    "logaddexp2": (SIMILAR, SIMILAR),
}  # fmt: skip


def hard_arguments(name: str, seed: int, count: int) -> list[np.ndarray]:
    """About `count` tuples: the hard samples of each argument side by side, a fifth of them random bits."""
    rng = np.random.default_rng(seed)
    columns = HARD[name]
    share = max(count // (len(columns[0]) + 1), 8)
    arrays = [[sample(rng, share) for sample in column] for column in columns]
    with np.errstate(all="ignore"):
        return [np.concatenate([*parts, random_bits(rng, share)]) for parts in arrays]


SPECIAL = np.array(
    [
        np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0, 1.5, -1.5, 2.5, 1e-40,
        5e-324, -5e-324, 1e-310, 2.2250738585072014e-308, 1e-300, 1e300, -1e300, 1.7976931348623157e308,
        710.0, -750.0, 88.8, -104.0, 2.0**52 + 1, 2.0**53, 2.0**60, 0.49999999999999994, 1e22, 100.0, -100.5,
    ]
)  # fmt: skip
