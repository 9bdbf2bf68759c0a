"""True values by mpmath, and distances from them in units in the last place."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
import numpy as np
from mpmath import mpf

DIGITS = 50
HUGE_DIGITS = 380
"""Enough to reduce the largest double modulo pi."""
Truth = Callable[..., mpf]


def _trigonometric(function: Truth) -> Truth:
    def value(x: mpf) -> mpf:
        with mpmath.workdps(HUGE_DIGITS if abs(x) > 1e6 else DIGITS + 20):
            return function(x)

    return value


def _gammaln(x: mpf) -> mpf:
    with mpmath.workdps(DIGITS + 40):
        return mpmath.re(mpmath.loggamma(x))


def _within(function: Truth, limit: float) -> Truth:
    """The function with its argument held within the limit, beyond which doubles overflow or saturate."""
    return lambda x: function(max(min(x, mpf(limit)), -mpf(limit)))


def _power(x: mpf, y: mpf) -> mpf:
    """x**y; negative x with whole y only, special values are NumPy's to say."""
    if not x or (x < 0 and not mpmath.isint(y)):
        raise ValueError("no finite value")
    sign = -1 if x < 0 and int(y) % 2 else 1
    with mpmath.workdps(DIGITS + 30):
        return sign * mpmath.exp(max(min(y * mpmath.log(abs(x)), mpf(3000)), mpf(-3000)))


def _cbrt(x: mpf) -> mpf:
    return mpmath.sign(x) * mpmath.cbrt(abs(x))


def _logaddexp(base: mpf) -> Truth:
    """log_b(b**x + b**y), scaled by the larger so that mpmath stays in range."""

    def value(x: mpf, y: mpf) -> mpf:
        with mpmath.workdps(DIGITS + 30):
            larger, gap = max(x, y), -abs(x - y)
            return larger + mpmath.log1p(mpmath.exp(gap * mpmath.log(base))) / mpmath.log(base)

    return value


TRUTH: dict[str, Truth] = {
    "exp": _within(mpmath.exp, 3000), "exp2": _within(lambda x: mpf(2) ** x, 3000),
    "expm1": _within(mpmath.expm1, 3000),
    "log": mpmath.log, "log2": lambda x: mpmath.log(x, 2), "log10": mpmath.log10, "log1p": mpmath.log1p,
    "power": _power, "cbrt": _cbrt, "hypot": mpmath.hypot, "sqrt": mpmath.sqrt,
    "sin": _trigonometric(mpmath.sin), "cos": _trigonometric(mpmath.cos), "tan": _trigonometric(mpmath.tan),
    "arcsin": mpmath.asin, "arccos": mpmath.acos, "arctan": mpmath.atan, "arctan2": mpmath.atan2,
    "sinh": _within(mpmath.sinh, 3000), "cosh": _within(mpmath.cosh, 3000), "tanh": _within(mpmath.tanh, 60),
    "arcsinh": mpmath.asinh, "arccosh": mpmath.acosh, "arctanh": mpmath.atanh,
    "erf": _within(mpmath.erf, 12), "erfc": _within(mpmath.erfc, 60), "gammaln": _gammaln,
    "logaddexp": _logaddexp(mpmath.e), "logaddexp2": _logaddexp(mpf(2)),
}  # fmt: skip


def true_value(name: str, arguments: tuple[float, ...]) -> mpf | None:
    """The function at the arguments, or None where it has no finite real value."""
    if not all(map(math.isfinite, arguments)):
        return None
    with mpmath.workdps(DIGITS):
        try:
            value = TRUTH[name](*[mpf(a) for a in arguments])
        except (ValueError, ZeroDivisionError, OverflowError):
            return None
        if isinstance(value, mpmath.mpc) or not mpmath.isfinite(value):
            return None
        return value


NEAR_ZERO = {"logaddexp": 2.0**-4, "logaddexp2": 2.0**-4}
"""Results smaller than this are measured in units of this size: the sum cancels, as its definition does."""


def ulps(got: float, truth: mpf, dtype: np.dtype, least: float = 0.0) -> float:
    """|got - truth| in units in the last place of the truth (or of `least`); 0 for a right overflow."""
    info = np.finfo(dtype)
    if not math.isfinite(got):
        edge = mpf(float(info.max)) * (1 + mpf(float(info.eps)) / 4)
        right = abs(truth) >= edge and not math.isnan(got) and (got > 0) == (truth > 0)
        return 0.0 if right else math.inf
    size = max(abs(truth), mpf(least))
    exponent = max(info.minexp, mpmath.frexp(size)[1] - 1) if size else info.minexp
    return float(abs(mpf(got) - truth) / mpf(2) ** (exponent - info.nmant))


def worst(
    name: str, got: np.ndarray, arguments: list[np.ndarray], least: float = 0.0
) -> tuple[float, tuple[float, ...], int]:
    """(largest error in ulps, where, how many arguments had a finite true value)."""
    least = max(least, NEAR_ZERO.get(name, 0.0))
    error, place, count = 0.0, tuple(math.nan for _ in arguments), 0
    for result, *values in zip(got, *arguments, strict=True):
        point = tuple(float(v) for v in values)
        truth = true_value(name, point)
        if truth is None:
            continue
        count += 1
        distance = ulps(float(result), truth, got.dtype, least)
        if distance > error:
            error, place = distance, point
    return error, place, count
