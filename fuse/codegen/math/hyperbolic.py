"""sinh, cosh, tanh, arcsinh, arccosh, arctanh.

tanh = t/(t + 1) with t = (exp(2|x|) - 1)/2 as a pair, one division and its correction. sinh is an odd
polynomial below 1 (7 terms), else (E - 1/E)/2 with E = exp|x| as a pair; cosh is (E + 1/E)/2. The inverses
are log(1 + a) with a as a pair, so that nothing cancels near zero: arcsinh: a = x + x*x/(1 + sqrt(1 + x*x));
arccosh: a = d + sqrt(d(d + 2)), d = x - 1; arctanh: a = 2x/(1 - x), halved.

tanh in single precision is a table: 16 intervals (quarters of a binade of 0.831 |x| + 1/2), centre and 8
coefficients.
"""

from __future__ import annotations

from llvmlite import ir

from fuse.codegen.math import double_word, single_hyperbolic
from fuse.codegen.math.coefficients import SINH, TANH_SINGLE
from fuse.codegen.math.dispatch import by_precision
from fuse.codegen.math.double_word import Pair
from fuse.codegen.math.exponential import exp_pair, expm1_half_short, power_of_two, scale_by_power
from fuse.codegen.math.logarithm import log1p_pair
from fuse.codegen.scalar import FLOAT, Scalar

LN2 = (0.6931471805599453, 2.3190468138462996e-17)
TANH_SCALE = 0.831
SATURATED = 22.0
"""Beyond this tanh rounds to 1."""


def tanh_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The hyperbolic tangent; 0.9 ulp."""
    size = s.min(SATURATED, s.abs(x))
    high, low = expm1_half_short(s, s.add(size, size))
    bottom, bottom_low = s.two_sum(high, 1.0)
    bottom_low = s.add(bottom_low, low)
    inverse = s.div(1.0, bottom)
    quotient = s.mul(high, inverse)
    rest = s.exact_muladd(s.neg(quotient), bottom, high)
    rest = s.sub(s.add(rest, low), s.mul(quotient, bottom_low))
    return s.copysign(s.muladd(rest, inverse, quotient), x)


def tanh_single(s: Scalar, x: ir.Value) -> ir.Value:
    """The hyperbolic tangent in single precision, by intervals; 0.9 ulp.

    The word of 1/2, where the intervals start, has 8 in the four bits that tell intervals apart.
    """
    size = s.min(9.02, s.abs(x))
    place = s.bits(s.muladd(size, TANH_SCALE, 0.5))
    index = s.and_(s.lshr(place, 21), 15)
    centre, start, *coefficients = [s.lookup(index, row[8:] + row[:8], FLOAT) for row in TANH_SINGLE]
    distance = s.sub(size, centre)
    head = s.select(s.icmp("==", index, 8), size, start)
    return s.copysign(s.muladd(distance, s.horner(distance, coefficients), head), x)


def sinh_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The hyperbolic sine; 0.6 ulp."""
    size = s.min(711.0, s.abs(x))
    square = s.mul(size, size)
    small = s.muladd(s.mul(size, square), s.poly(square, SINH), size)
    up, down, word = _halves(s, size)
    (high, low) = double_word.add(s, up, double_word.negate(s, down))
    large = scale_by_power(s, s.add(high, low), word)
    return s.copysign(s.select(s.fcmp("<", size, 1.0), small, large), x)


def cosh_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The hyperbolic cosine; 0.6 ulp."""
    up, down, word = _halves(s, s.min(711.0, s.abs(x)))
    high, low = s.fast_two_sum(up[0], down[0])
    return scale_by_power(s, s.add(high, s.add(low, s.add(up[1], down[1]))), word)


def _halves(s: Scalar, size: ir.Value) -> tuple[Pair, Pair, ir.Value]:
    """exp(size)/2 and exp(-size)/2, both divided by 2**k, and the word of k."""
    (high, low), word = exp_pair(s, size)
    up = s.mul(high, 0.5), s.mul(low, 0.5)
    inverse = double_word.divide(s, (s.const(size, 1.0), s.const(size, 0.0)), (high, low))
    factor = s.select(s.fcmp("<", size, 300.0), power_of_two(s, s.mul(word, -2), -1), s.const(size, 0.0))
    return up, (s.mul(inverse[0], factor), s.mul(inverse[1], factor)), word


def _square_plus_one(s: Scalar, size: ir.Value) -> tuple[Pair, Pair]:
    """x*x and x*x + 1."""
    square = s.two_prod(size, size)
    one = s.const(size, 1.0), s.const(size, 0.0)
    return square, double_word.add(s, one, square)


def arcsinh_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The inverse hyperbolic sine; 0.6 ulp."""
    size = s.abs(x)
    huge = s.fcmp(">", size, 2.0**60)
    inner = s.select(huge, s.const(x, 1.0), size)
    square, radicand = _square_plus_one(s, inner)
    root = double_word.square_root(s, radicand)
    bottom = double_word.add(s, (s.const(x, 1.0), s.const(x, 0.0)), root)
    quotient = double_word.divide(s, square, bottom)
    high, low = double_word.add(s, (inner, s.const(x, 0.0)), quotient)
    value = _log1p_or_twice(s, huge, size, (high, low))
    return s.copysign(s.select(s.fcmp("<", size, 2.0**-28), _small_arcsinh(s, size), value), x)


def _small_arcsinh(s: Scalar, size: ir.Value) -> ir.Value:
    """x - x**3/6."""
    return s.muladd(s.mul(size, s.mul(size, size)), -1.0 / 6.0, size)


def _log1p_or_twice(s: Scalar, huge: ir.Value, size: ir.Value, small: Pair) -> ir.Value:
    """log(1 + small), or log(2 size) where huge; size itself where infinite or NaN."""
    argument = s.select(huge, size, small[0]), s.select(huge, s.const(size, 0.0), small[1])
    high, low = log1p_pair(s, *argument)
    twice_high, twice_low = s.fast_two_sum(high, s.const(size, LN2[0]))
    twice = s.add(twice_high, s.add(twice_low, low))
    value = s.select(huge, twice, s.add(high, low))
    return s.select(s.fcmp("<", size, float("inf")), value, size)


def arccosh_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The inverse hyperbolic cosine; 0.6 ulp. NaN below 1."""
    huge = s.fcmp(">", x, 2.0**60)
    d = s.sub(s.select(huge, s.const(x, 2.0), x), 1.0)
    radicand = double_word.multiply(s, (d, s.const(x, 0.0)), s.two_sum(d, 2.0))
    zero = s.fcmp("==", d, 0.0)
    radicand = s.select(zero, s.const(x, 1.0), radicand[0]), radicand[1]
    root = double_word.square_root(s, radicand)
    high, low = double_word.add(s, root, (d, s.const(x, 0.0)))
    value = _log1p_or_twice(s, huge, x, (high, low))
    value = s.select(zero, s.const(x, 0.0), value)
    return s.select(s.fcmp("<", x, 1.0), float("nan"), value)


def arctanh_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The inverse hyperbolic tangent; 0.6 ulp. Infinite at 1, NaN beyond."""
    size = s.abs(x)
    inner = s.select(s.fcmp("<", size, 1.0), size, s.const(x, 0.5))
    twice = s.add(inner, inner)
    bottom = s.fast_two_sum(s.const(x, 1.0), s.neg(inner))
    quotient = double_word.divide(s, (twice, s.const(x, 0.0)), bottom)
    high, low = log1p_pair(s, *s.fast_two_sum(*quotient))
    value = s.mul(s.add(high, low), 0.5)
    small = s.muladd(s.mul(size, s.mul(size, size)), 1 / 3, size)
    value = s.select(s.fcmp("<", size, 2.0**-28), small, value)
    limit = s.select(s.fcmp("==", size, 1.0), s.const(x, float("inf")), s.sub(x, x))
    outside = s.select(s.fcmp(">", size, 1.0), float("nan"), limit)
    return s.copysign(s.select(s.fcmp("<", size, 1.0), value, outside), x)


tanh = by_precision(tanh_double, tanh_single)
sinh = by_precision(sinh_double, single_hyperbolic.sinh)
cosh = by_precision(cosh_double, single_hyperbolic.cosh)
arcsinh = by_precision(arcsinh_double, single_hyperbolic.arcsinh)
arccosh = by_precision(arccosh_double, single_hyperbolic.arccosh)
arctanh = by_precision(arctanh_double, single_hyperbolic.arctanh)
