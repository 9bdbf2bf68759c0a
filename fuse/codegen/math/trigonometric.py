"""sin, cos, tan, deg2rad, rad2deg.

Method: k = round(2x/pi), r = x - k pi/2 as a pair, |r| <= pi/4 (Cody and Waite with pi/2 in three full-length
parts: the first product cancels x exactly, the second is an exact product). sin r = r + r**3 S(r*r) and cos r
= 1 - r*r/2 + r**4 C(r*r), S and C of 6 terms (3 in single precision) from `minimax.py`; the low part of r
enters to first order. tan is the quotient of both as pairs, or in single precision one polynomial
(`single_trigonometric.py`). Arguments beyond the first method's reach go, in a rare block, through
`reduction.py` (Payne and Hanek); single precision goes there in double precision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from llvmlite import ir

from fuse.codegen.math import single_trigonometric
from fuse.codegen.math.coefficients import COS, COS_SINGLE, SIN, SIN_SINGLE
from fuse.codegen.math.dispatch import Emitter, by_precision
from fuse.codegen.math.double_word import Pair, divide, negate, select
from fuse.codegen.math.exponential import round_to_integer
from fuse.codegen.math.reduction import reduce_huge
from fuse.codegen.scalar import DOUBLE, FLOAT, Scalar, element_of, format_of

PI_SINGLE = 3.1415927410125732
"""NumPy divides by pi rounded to the precision of the argument."""
TWO_OVER_PI = 0.6366197723675814


@dataclass(frozen=True)
class Constants:
    """pi/2 in three parts, the largest |x| they serve, S and C."""

    half_pi: tuple[float, float, float]
    limit: float
    sine: tuple[float, ...]
    cosine: tuple[float, ...]


DOUBLE_CONSTANTS = Constants(
    (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33), 2.0**26, SIN, COS
)  # fmt: skip
SINGLE_CONSTANTS = Constants(
    (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15), 2.0**17, SIN_SINGLE, COS_SINGLE
)  # fmt: skip


@dataclass(frozen=True)
class Angle:
    """x = k pi/2 + high + low; the low bits of `quadrant` are k."""

    quadrant: ir.Value
    high: ir.Value
    low: ir.Value


def constants_of(x: ir.Value) -> Constants:
    """The constants for the precision of x."""
    return SINGLE_CONSTANTS if element_of(x.type) == FLOAT else DOUBLE_CONSTANTS


def reduce_moderate(s: Scalar, x: ir.Value) -> Angle:
    """Reduce |x| below the limit."""
    first, second, third = constants_of(x).half_pi
    k, quadrant = round_to_integer(s, x, TWO_OVER_PI)
    rest = s.exact_muladd(k, -first, x)
    product, product_low = s.two_prod(k, -second)
    high, low = s.two_sum(rest, product)
    return Angle(quadrant, high, s.muladd(k, -third, s.add(low, product_low)))


def reduce_double(s: Scalar, x: ir.Value) -> Angle:
    """Reduce any double; infinities become NaN."""
    near = reduce_moderate(s, x)
    huge = s.fcmp(">", s.abs(x), DOUBLE_CONSTANTS.limit)
    values = s.if_any(huge, lambda: reduce_huge(s, x), (near.quadrant, near.high, near.low))
    return Angle(*values)


def sine(s: Scalar, angle: Angle) -> ir.Value:
    """sin(high + low)."""
    square = s.mul(angle.high, angle.high)
    curve = s.mul(s.mul(angle.high, square), s.poly(square, constants_of(square).sine))
    return s.add(angle.high, s.add(angle.low, curve))


def cosine(s: Scalar, angle: Angle) -> ir.Value:
    """cos(high + low): 1 - h with h = r*r/2, its rounding error, and the rest."""
    square = s.mul(angle.high, angle.high)
    half = s.mul(square, 0.5)
    head = s.sub(1.0, half)
    curve = s.mul(s.mul(square, square), s.poly(square, constants_of(square).cosine))
    tail = s.sub(s.sub(s.sub(1.0, head), half), s.mul(angle.high, angle.low))
    return s.add(head, s.add(tail, curve))


def _by_quadrant(s: Scalar, angle: Angle, shift: int) -> ir.Value:
    """sin(x + shift pi/2): sine or cosine by the lowest bit of the quadrant, the sign by the next."""
    form = format_of(angle.high)
    quadrant = s.add(angle.quadrant, shift) if shift else angle.quadrant
    odd = s.icmp("!=", s.and_(quadrant, 1), 0)
    value = s.select(odd, cosine(s, angle), sine(s, angle))
    sign = s.and_(s.shl(quadrant, form.word.width - 2), form.sign_bit)
    return s.from_bits(s.xor(s.bits(value), sign))


def sin_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The sine; 0.8 ulp."""
    return s.select(s.fcmp("==", x, 0.0), x, _by_quadrant(s, reduce_double(s, x), 0))


def cos_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The cosine; 0.8 ulp."""
    return _by_quadrant(s, reduce_double(s, x), 1)


def _single(shift: int, double: Emitter) -> Emitter:
    """Single precision: its own reduction for moderate x, the double function for others."""

    def emit(s: Scalar, x: ir.Value) -> ir.Value:
        value = _by_quadrant(s, reduce_moderate(s, x), shift)
        huge = s.fcmp(">", s.abs(x), SINGLE_CONSTANTS.limit)
        value = s.if_any(huge, lambda: [s.fptrunc(double(s, s.fpext(x, DOUBLE)), FLOAT)], [value])[0]
        return value if shift else s.select(s.fcmp("==", x, 0.0), x, value)

    return emit


def tan_single(s: Scalar, x: ir.Value) -> ir.Value:
    """The tangent in single precision, by its own reduction for moderate x, the double function for
    others.
    """
    angle = reduce_moderate(s, x)
    odd = s.icmp("!=", s.and_(angle.quadrant, 1), 0)
    value = single_trigonometric.tangent(s, odd, angle.high, angle.low)
    huge = s.fcmp(">", s.abs(x), SINGLE_CONSTANTS.limit)
    value = s.if_any(huge, lambda: [s.fptrunc(tan_double(s, s.fpext(x, DOUBLE)), FLOAT)], [value])[0]
    return s.select(s.fcmp("==", x, 0.0), x, value)


def tan_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The tangent: sin/cos, or -cos/sin in odd quadrants, as pairs; 0.6 ulp."""
    angle = reduce_double(s, x)
    top, bottom = _sine_pair(s, angle), _cosine_pair(s, angle)
    odd = s.icmp("!=", s.and_(angle.quadrant, 1), 0)
    quotient = divide(s, select(s, odd, negate(s, bottom), top), select(s, odd, top, bottom))
    return s.select(s.fcmp("==", x, 0.0), x, s.add(*quotient))


def _sine_pair(s: Scalar, angle: Angle) -> Pair:
    square = s.mul(angle.high, angle.high)
    curve = s.mul(s.mul(angle.high, square), s.poly(square, SIN))
    return s.fast_two_sum(angle.high, s.add(angle.low, curve))


def _cosine_pair(s: Scalar, angle: Angle) -> Pair:
    square, square_low = s.two_prod(angle.high, angle.high)
    half = s.mul(square, 0.5)
    head, tail = s.fast_two_sum(s.const(half, 1.0), s.neg(half))
    tail = s.sub(tail, s.muladd(square_low, 0.5, s.mul(angle.high, angle.low)))
    curve = s.muladd(s.mul(square, square), s.poly(square, COS), tail)
    return s.fast_two_sum(head, curve)


def _scaled(factor: float) -> Emitter:
    """x times a constant."""
    return lambda s, x: s.mul(x, factor)


sin = by_precision(sin_double, _single(0, sin_double))
cos = by_precision(cos_double, _single(1, cos_double))
tan = by_precision(tan_double, tan_single)
deg2rad = by_precision(_scaled(math.pi / 180.0), _scaled(PI_SINGLE / 180.0))
rad2deg = by_precision(_scaled(180.0 / math.pi), _scaled(180.0 / PI_SINGLE))
