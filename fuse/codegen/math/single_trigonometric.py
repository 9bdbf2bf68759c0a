"""tan, arcsin, arccos, arctan, arctan2 in single precision, without doubles.

The inverses share one ending: the angle is base + t + t**3 P(t*t), where base is 0, pi/2 or pi and t carries
the sign; a quotient or a root t is corrected by its residual. arctan: t = x or -1/x, P of 9 terms on |t| <=
1. arctan2: t = +-min(|x|, |y|)/max(|x|, |y|). arcsin, arccos: t = x, or -2r with r = sqrt((1 - |x|)/2) above
1/2, P of 6 terms; in r the polynomial is the same, since 2(r + r**3 P(r*r)) = t + t z P(z), z = r*r.

tan: t = r + r**3 P(r*r) as a pair, P of 7 terms on |r| <= pi/4, or -1/t in odd quadrants, the quotient
corrected by its residual.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llvmlite import ir

from fuse.codegen.math import narrow
from fuse.codegen.math.coefficients import ASIN_SINGLE, ATAN_SINGLE, TAN_SINGLE
from fuse.codegen.math.double_word import Pair, rough_inverse
from fuse.codegen.scalar import DOUBLE, FLOAT, Scalar

PI = (3.1415927410125732, -8.742277657347586e-08)
HALF_PI = (1.5707963705062866, -4.371138828673793e-08)
LEAST, MOST = 0x21800000, 0x71800000
"""The words of 2**-60 and 2**100: between them residuals are exact and rough inverses right."""
NEGLIGIBLE = 2.0**-80
"""A coordinate below this beside one above 2**-60: the residual may underflow, the angle is the quotient."""

TANGENT_SLOPE = 1.45
"""1 + 1.45 r*r is the slope of tan to 5 %, for what `low` adds."""
TANGENT_OF_SQUARE = 0.56
"""The slope of tan(r)/r as a function of r*r near the ends, for what the rounding of r*r loses."""
SLOPE_OF_SQUARE, SLOPE_OF_CUBE = -0.144, -0.2
"""The slope of z P(z) at 1, and P(1) nearly."""


def tangent(s: Scalar, odd: ir.Value, high: ir.Value, low: ir.Value) -> ir.Value:
    """tan(high + low), or -1/tan where odd."""
    square, square_low = s.two_prod(high, high)
    low = s.muladd(low, s.mul(square, TANGENT_SLOPE), low)
    low = s.muladd(s.mul(high, square_low), TANGENT_OF_SQUARE, low)
    curve = s.muladd(square, s.poly(square, TAN_SINGLE[1:]), TAN_SINGLE[0])
    t, t_low = s.fast_two_sum(high, s.muladd(s.mul(high, square), curve, low))
    inverse = s.div(-1.0, t)
    error = s.muladd(inverse, t_low, s.exact_muladd(inverse, t, 1.0))
    return s.select(odd, s.muladd(inverse, error, inverse), s.add(t, t_low))


@dataclass(frozen=True)
class Turn:
    """An angle that is base + t + (low + cube P(z)), cube = t z; base is at least |t| or 0."""

    base: Pair
    t: ir.Value
    z: ir.Value
    cube: ir.Value
    low: ir.Value

    def angle(self, s: Scalar, coefficients: tuple[float, ...]) -> ir.Value:
        """Its value, rounded once where it matters."""
        slope = s.muladd(self.z, s.poly(self.z, coefficients[1:]), coefficients[0])
        curve = s.muladd(self.cube, slope, self.low)
        high, low = s.fast_two_sum(self.base[0], self.t)
        return s.add(high, s.add(low, s.add(self.base[1], curve)))


def _base(s: Scalar, choose: Callable[[ir.Value, ir.Value, ir.Value], ir.Value], like: ir.Value) -> Pair:
    """Both parts of the base that `choose` picks among 0, pi/2 and pi."""
    zero = s.const(like, 0.0)
    parts = [choose(zero, s.const(like, HALF_PI[part]), s.const(like, PI[part])) for part in (0, 1)]
    return parts[0], parts[1]


def arctan(s: Scalar, x: ir.Value) -> ir.Value:
    """The inverse tangent."""
    size = s.min(2.0**100, s.abs(x))
    steep = s.fcmp(">", size, 1.0)
    inverse = s.div(-1.0, size)
    t = s.select(steep, inverse, size)
    rest = s.select(steep, s.mul(inverse, s.exact_muladd(inverse, size, 1.0)), 0.0)
    base = _base(s, lambda zero, half, whole: s.select(steep, half, zero), x)
    return s.copysign(_arctangent(s, base, t, rest), x)


def _arctangent(s: Scalar, base: Pair, t: ir.Value, rest: ir.Value) -> ir.Value:
    """base + arctan(t + rest). What the rest adds it adds times the slope, about 1 - t*t/2; what the
    roundings of z and t z lose is made good with the slopes at t = 1.
    """
    z, z_low = s.two_prod(t, t)
    cube, cube_low = s.two_prod(t, z)
    low = s.muladd(s.mul(rest, -0.5), z, rest)
    low = s.muladd(s.mul(t, z_low), SLOPE_OF_SQUARE, s.muladd(cube_low, SLOPE_OF_CUBE, low))
    return Turn(base, t, z, cube, low).angle(s, ATAN_SINGLE)


def arctan2(s: Scalar, y: ir.Value, x: ir.Value) -> ir.Value:
    """The angle of the point (x, y). Zero, infinite and extreme points go through double precision."""
    high, wide = s.abs(y), s.abs(x)
    steep, left = s.fcmp(">", high, wide), s.icmp("<", s.bits(x), 0)
    small, large = s.select(steep, wide, high), s.select(steep, high, wide)
    t = s.div(small, large)
    rest = s.mul(s.exact_muladd(s.neg(t), large, small), rough_inverse(s, large))
    rest = s.select(s.fcmp(">", small, NEGLIGIBLE), rest, 0.0)
    sign = s.select(s.xor(steep, left), s.const(s.bits(x), -1 << 31), 0)
    t, rest = (s.from_bits(s.xor(s.bits(part), sign)) for part in (t, rest))
    base = _base(s, lambda zero, half, whole: s.select(steep, half, s.select(left, whole, zero)), x)
    value = s.copysign(_arctangent(s, base, t, rest), y)
    rare = s.icmp(">=", s.sub(s.bits(large), LEAST), MOST - LEAST, signed=False)
    return s.if_any(rare, lambda: [_arctan2_of_any(s, y, x)], [value])[0]


def _arctan2_of_any(s: Scalar, y: ir.Value, x: ir.Value) -> ir.Value:
    return s.fptrunc(narrow.arctan2(s, s.fpext(y, DOUBLE), s.fpext(x, DOUBLE)), FLOAT)


def _root(s: Scalar, size: ir.Value) -> tuple[ir.Value, ir.Value, ir.Value]:
    """(z, t, low): z = (1 - size)/2 and t + low = 2 sqrt(z), for size above 1/2."""
    z = s.muladd(size, -0.5, 0.5)
    root = s.sqrt(z)
    rest = s.exact_muladd(s.neg(root), root, z)
    return z, s.add(root, root), s.mul(rest, rough_inverse(s, root))


def arcsin(s: Scalar, x: ir.Value) -> ir.Value:
    """The inverse sine; NaN beyond 1."""
    size = s.abs(x)
    far = s.fcmp(">", size, 0.5)
    z, t, low = _root(s, size)
    base = _base(s, lambda zero, half, whole: s.select(far, half, zero), x)
    low = s.select(far, s.neg(low), 0.0)
    t, z = s.select(far, s.neg(t), size), s.select(far, z, s.mul(size, size))
    return s.copysign(Turn(base, t, z, s.mul(t, z), low).angle(s, ASIN_SINGLE), x)


def arccos(s: Scalar, x: ir.Value) -> ir.Value:
    """The inverse cosine; NaN beyond 1."""
    size, negative = s.abs(x), s.icmp("<", s.bits(x), 0)
    far = s.fcmp(">", size, 0.5)
    z, t, low = _root(s, size)
    base = _base(s, lambda zero, half, whole: s.select(far, s.select(negative, whole, zero), half), x)
    t, low = s.copysign(t, x), s.from_bits(s.xor(s.bits(low), s.and_(s.bits(x), -1 << 31)))
    t, z, low = s.select(far, t, s.neg(x)), s.select(far, z, s.mul(x, x)), s.select(far, low, 0.0)
    return Turn(base, t, z, s.mul(t, z), low).angle(s, ASIN_SINGLE)
