"""sinh, cosh, arcsinh, arccosh, arctanh in single precision, without doubles.

sinh = (E - 1/E)/2 from 1 on, an odd polynomial below; cosh = (E + 1/E)/2; E = exp|x| as a pair.

The inverses: a polynomial of 5 or 6 terms near zero (near 1 for arccosh, times sqrt(2(x - 1))); beyond, the
logarithm of a pair: |x| + sqrt(x*x + 1), x + sqrt(x*x - 1), or (1 + |x|)/(1 - |x|), halved. Roots and
quotients are corrected by their residuals, scaled by a rough inverse in place of a division.
"""

from __future__ import annotations

from llvmlite import ir

from fuse.codegen.math.coefficients import (
    ACOSH_SINGLE,
    ASINH_SINGLE,
    ATANH_SINGLE,
    EXP_SHORT_SINGLE,
    SINH_SINGLE,
)
from fuse.codegen.math.double_word import rough_inverse
from fuse.codegen.math.exponential import LOG2_E, power_of_two, round_to_integer
from fuse.codegen.math.single_logarithm import EXPONENT_UNIT, LN2, log_of_sum
from fuse.codegen.scalar import Scalar

OVERFLOW = 89.5
"""Beyond this sinh and cosh are infinite."""
HUGE = 2.0**30
"""From here on x*x + 1 and x*x - 1 are x*x."""


def _exponentials(s: Scalar, size: ir.Value) -> tuple[ir.Value, ir.Value, ir.Value, ir.Value]:
    """(high, low, inverse, word): exp(size) = 2**k (high + low), exp(-size) = 2**k inverse, 0 <= size."""
    k, word = round_to_integer(s, size, LOG2_E)
    first, rest = s.muladd(k, -LN2[0], size), s.mul(k, -LN2[1])
    r = s.add(first, rest)
    curve = s.muladd(s.mul(r, r), s.poly(r, EXP_SHORT_SINGLE), rest)
    high, low = s.fast_two_sum(s.const(size, 1.0), first)
    low = s.add(low, curve)
    factor = s.from_bits(s.sub(127 << 23, s.shl(word, 24)))
    factor = s.select(s.fcmp("<", k, 60.0), factor, 0.0)
    return high, low, s.div(factor, s.add(high, low)), word


def _scaled_half(s: Scalar, value: ir.Value, word: ir.Value) -> ir.Value:
    """value * 2**k / 2; k may be one more than the format's largest exponent."""
    return s.mul(s.mul(value, power_of_two(s, word, -2)), 2.0)


def sinh(s: Scalar, x: ir.Value) -> ir.Value:
    """The hyperbolic sine."""
    size = s.min(OVERFLOW, s.abs(x))
    square = s.mul(size, size)
    small = s.muladd(s.mul(size, square), s.poly(square, SINH_SINGLE), size)
    high, low, inverse, word = _exponentials(s, size)
    large = _scaled_half(s, s.add(high, s.sub(low, inverse)), word)
    return s.copysign(s.select(s.fcmp("<", size, 1.0), small, large), x)


def cosh(s: Scalar, x: ir.Value) -> ir.Value:
    """The hyperbolic cosine."""
    high, low, inverse, word = _exponentials(s, s.min(OVERFLOW, s.abs(x)))
    return _scaled_half(s, s.add(high, s.add(low, inverse)), word)


def _root(s: Scalar, square: ir.Value, square_low: ir.Value) -> tuple[ir.Value, ir.Value]:
    """sqrt(square + square_low) as a pair."""
    root = s.sqrt(square)
    rest = s.add(s.exact_muladd(s.neg(root), root, square), square_low)
    return root, s.mul(rest, rough_inverse(s, root, -1))


def _log_of_pair(
    s: Scalar, size: ir.Value, larger: ir.Value, smaller: ir.Value, low: ir.Value
) -> ir.Value:  # fmt: skip
    """log(larger + smaller + low), or log(2 size) where that is huge; size itself if infinite or NaN."""
    huge = s.fcmp(">", size, HUGE)
    high, rest = s.fast_two_sum(larger, smaller)
    high, rest = s.select(huge, s.mul(size, 0.125), high), s.select(huge, 0.0, s.add(rest, low))
    doublings = s.select(huge, s.const(size, 4.0 / EXPONENT_UNIT), 0.0)
    value = log_of_sum(s, high, rest, doublings)
    return s.select(s.fcmp("<", size, float("inf")), value, size)


def arcsinh(s: Scalar, x: ir.Value) -> ir.Value:
    """The inverse hyperbolic sine."""
    size = s.abs(x)
    square = s.mul(size, size)
    near = s.muladd(s.mul(size, square), s.poly(square, ASINH_SINGLE), size)
    radicand = s.muladd(size, size, 1.0)
    lost = s.exact_muladd(size, size, s.sub(1.0, radicand))
    root, root_low = _root(s, radicand, lost)
    far = _log_of_pair(s, size, root, size, root_low)
    return s.copysign(s.select(s.fcmp("<", size, 0.5), near, far), x)


def arccosh(s: Scalar, x: ir.Value) -> ir.Value:
    """The inverse hyperbolic cosine. NaN below 1, as the root is."""
    d = s.sub(x, 1.0)
    close = s.fcmp("<", x, 1.5)
    square, square_low = s.two_prod(x, x)
    radicand, lost = s.fast_two_sum(square, s.const(x, -1.0))
    radicand = s.select(close, s.add(d, d), radicand)
    root, root_low = _root(s, radicand, s.select(close, 0.0, s.add(lost, square_low)))
    near = s.add(root, s.muladd(s.mul(root, d), s.poly(d, ACOSH_SINGLE), root_low))
    return s.select(close, near, _log_of_pair(s, x, x, root, root_low))


def arctanh(s: Scalar, x: ir.Value) -> ir.Value:
    """The inverse hyperbolic tangent. Infinite at 1, NaN beyond."""
    size = s.abs(x)
    square = s.mul(size, size)
    near = s.muladd(s.mul(size, square), s.poly(square, ATANH_SINGLE), size)
    top, top_low = s.fast_two_sum(s.const(x, 1.0), size)
    bottom = s.sub(1.0, size)
    quotient = s.div(top, bottom)
    rest = s.add(s.exact_muladd(s.neg(quotient), bottom, top), top_low)
    low = s.mul(rest, rough_inverse(s, bottom))
    far = s.mul(log_of_sum(s, quotient, low, s.const(x, 0.0)), 0.5)
    edge = s.select(s.fcmp("==", size, 1.0), s.const(x, float("inf")), s.const(x, float("nan")))
    value = s.select(s.fcmp("<", size, 1.0), far, edge)
    return s.copysign(s.select(s.fcmp("<", size, 0.5), near, value), x)
