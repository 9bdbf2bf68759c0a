"""arcsin, arccos, arctan, arctan2.

arctan2(y, x): with a = min(|x|, |y|), b = max(|x|, |y|), the quotient a/b lies in [0, 1]; above sqrt(2) - 1
(a - b)/(a + b) takes its place and pi/4 is added. The quotient is a pair; atan t = t + t**3 P(t*t), P of 11
terms on |t| <= sqrt(2) - 1 from `minimax.py`. Octants are put together with pi/2 and pi as pairs. arctan
needs no pairs but the corrected quotient.

arcsin: x + x**3 P(x*x), P of 15 terms, below 1/2; above, pi/2 - 2 arcsin(sqrt((1 - |x|)/2)) with the root
as a pair. arccos in the same way.
"""

from __future__ import annotations

from llvmlite import ir

from fuse.codegen.math import double_word, narrow, single_trigonometric
from fuse.codegen.math.coefficients import ASIN, ATAN
from fuse.codegen.math.dispatch import by_precision
from fuse.codegen.math.double_word import Pair
from fuse.codegen.scalar import Scalar

PI = (3.141592653589793, 1.2246467991473532e-16)
HALF_PI = (1.5707963267948966, 6.123233995736766e-17)
QUARTER_PI = (0.7853981633974483, 3.061616997868383e-17)
TAN_EIGHTH = 0.41421356237309503


def arctan2_double(s: Scalar, y: ir.Value, x: ir.Value) -> ir.Value:
    """The angle of the point (x, y); 0.7 ulp."""
    angle = _first_quadrant(s, s.abs(y), s.abs(x))
    left = s.icmp("<", s.bits(x), 0)
    turned = _constant_minus(s, PI, angle)
    value = s.select(left, s.add(*turned), s.add(*angle))
    value = s.select(s.fcmp("uno", x, y), s.add(x, y), value)
    return s.copysign(value, y)


def arctan_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The inverse tangent; 0.9 ulp: t = |x|, or (|x| - 1)/(|x| + 1) from tan(pi/8) on, or -1/|x| from
    1/tan(pi/8) on, and the angle of t added to 0, pi/4 or pi/2.
    """
    size, zero = s.min(2.0**100, s.abs(x)), s.const(x, 0.0)
    far, steep = s.fcmp(">", size, TAN_EIGHTH), s.fcmp(">", size, 1.0 / TAN_EIGHTH)
    difference, total = s.sub(size, 1.0), s.add(size, 1.0)
    top = s.select(steep, s.const(x, -1.0), s.select(far, difference, size))
    bottom = s.select(steep, size, s.select(far, total, 1.0))
    t = s.div(top, bottom)
    lost = s.sub(s.sub(size, s.add(difference, 1.0)), s.mul(t, s.sub(size, s.sub(total, 1.0))))
    middle = s.xor(far, steep)
    rest = s.add(s.exact_muladd(s.neg(t), bottom, top), s.select(middle, lost, 0.0))
    low = s.select(far, s.mul(rest, double_word.rough_inverse(s, bottom)), 0.0)
    base = [
        s.select(steep, s.const(x, half), s.select(far, s.const(x, quarter), zero))
        for half, quarter in zip(HALF_PI, QUARTER_PI, strict=True)
    ]
    square = s.mul(t, t)
    curve = s.muladd(s.mul(t, square), s.poly(square, ATAN), low)
    high, rest = s.fast_two_sum(base[0], t)
    return s.copysign(s.add(high, s.add(rest, s.add(base[1], curve))), x)


def _first_quadrant(s: Scalar, y: ir.Value, x: ir.Value) -> Pair:
    """arctan2 of non-negative y and x, infinities and zeros included."""
    steep = s.fcmp(">", y, x)
    small, large = s.select(steep, x, y), s.select(steep, y, x)
    angle = _half_quadrant(s, *_in_range(s, small, large))
    turned = _constant_minus(s, HALF_PI, angle)
    return double_word.select(s, steep, turned, angle)


def _in_range(s: Scalar, small: ir.Value, large: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Both scaled so that sums and exact products neither overflow nor underflow; inf/inf and 0/0
    replaced.
    """
    infinite = s.fcmp("==", large, float("inf"))
    both = s.fcmp("==", small, float("inf"))
    small = s.select(infinite, s.select(both, s.const(small, 1.0), s.const(small, 0.0)), small)
    large = s.select(s.or_(infinite, s.fcmp("==", large, 0.0)), 1.0, large)
    down, up = s.fcmp(">", large, 2.0**900), s.fcmp("<", large, 2.0**-900)
    scale = s.select(down, s.const(small, 2.0**-120), s.select(up, s.const(small, 2.0**120), 1.0))
    return s.mul(small, scale), s.mul(large, scale)


def _half_quadrant(s: Scalar, small: ir.Value, large: ir.Value) -> Pair:
    """atan(small/large) for 0 <= small <= large."""
    zero = s.const(small, 0.0)
    far = s.fcmp(">", small, s.mul(large, TAN_EIGHTH))
    difference, total = s.two_sum(small, s.neg(large)), s.fast_two_sum(large, small)
    top = double_word.select(s, far, difference, (small, zero))
    bottom = double_word.select(s, far, total, (large, zero))
    t, t_low = double_word.divide(s, top, bottom)
    t_low = s.select(s.fcmp("<", s.abs(t), 2.0**-60), zero, t_low)
    square = s.mul(t, t)
    curve = s.muladd(s.mul(t, square), s.poly(square, ATAN), t_low)
    high, low = s.fast_two_sum(s.select(far, s.const(t, QUARTER_PI[0]), 0.0), t)
    offset = s.select(far, s.const(t, QUARTER_PI[1]), zero)
    return s.fast_two_sum(high, s.add(s.add(low, offset), curve))


def _constant_minus(s: Scalar, constant: tuple[float, float], angle: Pair) -> Pair:
    """constant - angle, for an angle below it."""
    high, low = s.fast_two_sum(s.const(angle[0], constant[0]), s.neg(angle[0]))
    return high, s.add(low, s.sub(constant[1], angle[1]))


def _arcsine_parts(s: Scalar, size: ir.Value) -> tuple[ir.Value, Pair]:
    """(far, angle): arcsin(size) where not far, arcsin(sqrt((1 - size)/2)) where far (size > 1/2)."""
    zero = s.const(size, 0.0)
    far = s.fcmp(">", size, 0.5)
    square = s.select(far, s.muladd(size, -0.5, 0.5), s.mul(size, size))
    root = s.sqrt(square)
    residual = s.exact_muladd(s.neg(root), root, square)
    rest = s.mul(residual, double_word.rough_inverse(s, root, -1))
    t, t_low = s.select(far, root, size), s.select(far, rest, zero)
    curve = s.muladd(s.mul(t, square), s.poly(square, ASIN), t_low)
    return far, s.fast_two_sum(t, curve)


def arcsin_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The inverse sine; 0.7 ulp. NaN beyond 1."""
    far, angle = _arcsine_parts(s, s.abs(x))
    turned = _constant_minus(s, HALF_PI, (s.add(angle[0], angle[0]), s.add(angle[1], angle[1])))
    return s.copysign(s.add(*double_word.select(s, far, turned, angle)), x)


def arccos_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The inverse cosine; 0.7 ulp. NaN beyond 1."""
    far, angle = _arcsine_parts(s, s.abs(x))
    negative = s.fcmp("<", x, 0.0)
    twice = s.add(angle[0], angle[0]), s.add(angle[1], angle[1])
    beyond = double_word.select(s, negative, _constant_minus(s, PI, twice), twice)
    signed = double_word.select(s, negative, double_word.negate(s, angle), angle)
    return s.add(*double_word.select(s, far, beyond, _constant_minus(s, HALF_PI, signed)))


arcsin = by_precision(arcsin_double, single_trigonometric.arcsin)
arccos = by_precision(arccos_double, single_trigonometric.arccos)
arctan = by_precision(arctan_double, single_trigonometric.arctan, unfused=narrow.arctan)
arctan2 = by_precision(arctan2_double, single_trigonometric.arctan2, unfused=narrow.arctan2)
