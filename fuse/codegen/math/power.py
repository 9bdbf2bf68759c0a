"""power, cbrt, hypot, sqrt.

power(x, y) = exp(y log x). In double precision log x is a pair accurate to about 2**-64, y log x a pair, and
exp takes the low part as a correction, so that 2**-53 is kept where y log x is near 700. Single precision
does the same with pairs of singles (2**-34). Negative bases, zeros, infinities and NaN are corrected in a
rare block, which for singles computes in plain doubles: log2(1 + r) = r P(r), P of degree 6, and
2**f = 1 + f Q(f), Q of degree 5.
"""

from __future__ import annotations

from llvmlite import ir

from fuse.codegen.math import single_logarithm
from fuse.codegen.math.coefficients import (
    CBRT,
    CBRT_INVERSE_SINGLE,
    EXP2_SHORT,
    EXP_SHORT_SINGLE,
    LOG2_SHORT,
    LOG_STEPS,
)
from fuse.codegen.math.dispatch import by_precision, widened
from fuse.codegen.math.double_word import Pair
from fuse.codegen.math.exponential import (
    LOG2_E,
    clamp,
    reduce_exp,
    round_to_integer,
    scale_by_power,
)
from fuse.codegen.math.logarithm import Split, log_long, split
from fuse.codegen.math.single_logarithm import LN2
from fuse.codegen.scalar import DOUBLE, FLOAT, Scalar, format_of

INVERSE_CUBE_ROOTS = (1.0, 2.0 ** (-1 / 3), 2.0 ** (-2 / 3), 0.0)


def power_double(s: Scalar, x: ir.Value, y: ir.Value) -> ir.Value:
    """x**y; 1 ulp."""
    product, rest = _logarithm_times(s, log_long(s, x, subnormals=False), y)
    parts = reduce_exp(s, product, rest)
    value = s.add(s.add(parts.high, parts.tail), 1.0)
    value = s.from_bits(s.add(s.bits(value), s.shl(parts.word, 52)))
    form = format_of(x)
    normal = s.icmp("<", s.sub(s.bits(x), 1 << 52), form.infinity - (1 << 52), signed=False)
    plain = s.and_(normal, s.fcmp("<", s.abs(product), 707.0))
    return s.if_any(s.not_(plain), lambda: [_power_of_any(s, x, y)], [value])[0]


def _logarithm_times(s: Scalar, logarithm: Pair, y: ir.Value) -> Pair:
    product, rest = s.two_prod(logarithm[0], y)
    return product, s.muladd(logarithm[1], y, rest)


def _power_of_any(s: Scalar, x: ir.Value, y: ir.Value) -> ir.Value:
    """x**y for all arguments, subnormals and overflow included."""
    product, rest = _logarithm_times(s, log_long(s, s.abs(x)), y)
    parts = reduce_exp(s, clamp(s, product, -800.0, 800.0), s.min(s.max(rest, -1.0), 1.0))
    value = s.add(s.add(parts.high, parts.tail), 1.0)
    return _special(s, x, y, scale_by_power(s, value, parts.word))


def power_single(s: Scalar, x: ir.Value, y: ir.Value) -> ir.Value:
    """x**y in single precision; 1 ulp. Pairs of singles need the fused multiply-add; else doubles serve."""
    if not s.fma:
        return _power_of_any_single(s, x, y)
    product, rest = _logarithm_times(s, single_logarithm.log_pair(s, x), y)
    k, word = round_to_integer(s, product, LOG2_E)
    f = s.add(s.muladd(k, -LN2[0], product), s.muladd(k, -LN2[1], rest))
    curve = s.muladd(f, s.poly(f, EXP_SHORT_SINGLE[1:]), EXP_SHORT_SINGLE[0])
    value = s.muladd(f, s.muladd(f, curve, 1.0), 1.0)
    value = s.from_bits(s.add(s.bits(value), s.shl(word, 23)))
    form = format_of(x)
    normal = s.icmp("<", s.sub(s.bits(x), 1 << 23), form.infinity - (1 << 23), signed=False)
    plain = s.and_(normal, s.fcmp("<", s.abs(k), 126.0))
    return s.if_any(s.not_(plain), lambda: [_power_of_any_single(s, x, y)], [value])[0]


def _power_of_any_single(s: Scalar, x: ir.Value, y: ir.Value) -> ir.Value:
    """x**y for all arguments."""
    parts = split(s, s.fpext(s.abs(x), DOUBLE), subnormals=False)
    exponent = s.mul(s.fpext(y, DOUBLE), _log2_short(s, parts))
    exponent = clamp(s, exponent, -300.0, 300.0)
    k, word = round_to_integer(s, exponent)
    return _special(s, x, y, _exp2_short(s, s.sub(exponent, k), word))


def _log2_short(s: Scalar, parts: Split) -> ir.Value:
    """log2 of a split number to 2**-35, in double precision."""
    r = s.muladd(parts.z, s.lookup(parts.index, LOG_STEPS[0], DOUBLE), -1.0)
    base = s.add(parts.k, s.lookup(parts.index, LOG_STEPS[3], DOUBLE))
    return s.muladd(r, s.horner(r, LOG2_SHORT), base)


def _exp2_short(s: Scalar, f: ir.Value, word: ir.Value) -> ir.Value:
    """2**(k + f) in single precision; the word holds k, within the exponents of doubles."""
    value = s.muladd(f, s.horner(f, EXP2_SHORT), 1.0)
    return s.fptrunc(s.from_bits(s.add(s.bits(value), s.shl(word, 52))), FLOAT)


def _special(s: Scalar, x: ir.Value, y: ir.Value, value: ir.Value) -> ir.Value:
    """C99's table of special values, from |x|**y."""
    size, half = s.abs(x), s.mul(y, 0.5)
    zero, infinite = s.fcmp("==", size, 0.0), s.fcmp("==", size, float("inf"))
    extreme = s.or_(zero, infinite)
    limit = s.select(s.xor(zero, s.fcmp(">", y, 0.0)), s.const(x, float("inf")), s.const(x, 0.0))
    value = s.select(s.fcmp("==", size, 1.0), 1.0, s.select(extreme, limit, value))
    value = s.select(s.fcmp("uno", x, y), s.add(x, y), value)
    whole = s.fcmp("==", s.trunc(y), y)
    odd = s.and_(whole, s.fcmp("!=", s.trunc(half), half))
    negative = s.icmp("<", s.bits(x), 0)
    value = s.select(s.and_(negative, odd), s.neg(value), value)
    broken = s.and_(s.and_(s.fcmp("<", x, 0.0), s.fcmp("!=", s.trunc(y), y)), s.not_(infinite))
    value = s.select(broken, float("nan"), value)
    return s.select(s.or_(s.fcmp("==", y, 0.0), s.fcmp("==", x, 1.0)), 1.0, value)


def cbrt_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The cube root: |x| = 2**(3j + i) m, a polynomial guess, two Newton steps; the last is exact in its
    residual.

    The guess has 16 bits, the first step 32, the second is rounded from more than 60.
    """
    size = s.abs(x)
    small = s.fcmp("<", size, 2.0**-1022)
    scaled = s.select(small, s.mul(size, 2.0**54), size)
    word = s.bits(scaled)
    exponent = s.lshr(word, 52)
    third = s.lshr(s.mul(exponent, 21846), 16)
    remainder = s.sub(exponent, s.mul(third, 3))
    m = s.from_bits(s.or_(s.and_(word, (1 << 52) - 1), 1023 << 52))
    guess = s.poly(m, CBRT)
    first, second = s.icmp("==", remainder, 1), s.icmp("==", remainder, 2)
    m = s.select(second, s.mul(m, 4.0), s.select(first, s.mul(m, 2.0), m))
    factor = s.select(second, s.const(x, 2 ** (2 / 3)), s.select(first, s.const(x, 2 ** (1 / 3)), 1.0))
    root = _cube_root_steps(s, m, s.mul(guess, factor))
    bias = s.select(small, s.const(word, 1023 - 341 - 18), s.const(word, 1023 - 341))
    root = s.mul(root, s.from_bits(s.shl(s.add(third, bias), 52)))
    ordinary = s.icmp("<", s.sub(s.bits(size), 1), (0x7FF << 52) - 1, signed=False)
    return s.copysign(s.select(ordinary, root, s.add(size, size)), x)


def _cube_root_steps(s: Scalar, m: ir.Value, guess: ir.Value) -> ir.Value:
    square = s.mul(guess, guess)
    residual = s.muladd(s.neg(square), guess, m)
    root = s.add(guess, s.div(residual, s.mul(square, 3.0)))
    square, square_low = s.two_prod(root, root)
    cube, cube_low = s.two_prod(square, root)
    residual = s.sub(s.sub(m, cube), s.muladd(square_low, root, cube_low))
    return s.add(root, s.div(residual, s.mul(square, 3.0)))


def cbrt_single(s: Scalar, x: ir.Value) -> ir.Value:
    """The cube root in single precision: |x| = 2**(3j + i) m, y near m**(-1/3) to 17 bits, c = m y y, and one
    Newton step from c with the residual exact and y y for 1/(c c).
    """
    size = s.abs(x)
    small = s.fcmp("<", size, 2.0**-126)
    word = s.bits(s.select(small, s.mul(size, 2.0**24), size))
    exponent = s.add(s.lshr(word, 23), 2)
    third = s.lshr(s.mul(exponent, 21846), 16)
    remainder = s.sub(exponent, s.mul(third, 3))
    fraction = s.or_(s.and_(word, (1 << 23) - 1), 127 << 23)
    inverse = s.poly(s.from_bits(fraction), CBRT_INVERSE_SINGLE)
    inverse = s.mul(inverse, s.lookup(remainder, INVERSE_CUBE_ROOTS, FLOAT))
    m = s.from_bits(s.add(fraction, s.shl(remainder, 23)))
    square = s.mul(inverse, inverse)
    root = s.mul(m, square)
    area, area_low = s.two_prod(root, root)
    residual = s.muladd(s.neg(area_low), root, s.exact_muladd(s.neg(area), root, m))
    root = s.muladd(residual, s.mul(square, 1.0 / 3.0), root)
    bias = s.select(small, s.const(word, -43 - 8), s.const(word, -43))
    root = s.from_bits(s.add(s.bits(root), s.shl(s.add(third, bias), 23)))
    ordinary = s.icmp("<", s.sub(s.bits(size), 1), (0xFF << 23) - 1, signed=False)
    return s.copysign(s.select(ordinary, root, s.add(size, size)), x)


def hypot_double(s: Scalar, x: ir.Value, y: ir.Value) -> ir.Value:
    """sqrt(x*x + y*y) without overflow: the squares as pairs, the root corrected by its residual; 0.6 ulp."""
    x, y = s.abs(x), s.abs(y)
    swap = s.fcmp("<", x, y)
    large, small = s.select(swap, y, x), s.select(swap, x, y)
    down, up = s.fcmp(">", large, 2.0**500), s.fcmp("<", large, 2.0**-450)
    scale = s.select(down, s.const(x, 2.0**-600), s.select(up, s.const(x, 2.0**600), 1.0))
    back = s.select(down, s.const(x, 2.0**600), s.select(up, s.const(x, 2.0**-600), 1.0))
    large, small = s.mul(large, scale), s.mul(small, scale)
    (a, a_low), (b, b_low) = s.two_prod(large, large), s.two_prod(small, small)
    total, low = s.fast_two_sum(a, b)
    low = s.add(low, s.add(a_low, b_low))
    root = s.sqrt(total)
    rest = s.add(s.exact_muladd(s.neg(root), root, total), low)
    divisor = s.select(s.fcmp(">", root, 0.0), s.add(root, root), 1.0)
    root = s.mul(s.add(root, s.div(rest, divisor)), back)
    infinite = s.or_(s.fcmp("==", x, float("inf")), s.fcmp("==", y, float("inf")))
    return s.select(infinite, float("inf"), root)


power = by_precision(power_double, power_single)
cbrt = by_precision(cbrt_double, cbrt_single)
hypot = widened(hypot_double)


def sqrt(s: Scalar, x: ir.Value) -> ir.Value:
    """The correctly rounded square root."""
    return s.sqrt(x)
