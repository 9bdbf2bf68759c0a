"""erf, erfc, gammaln, logaddexp, logaddexp2.

erf: 8 intervals of 0.742 on [0, 5.936], a centre and a polynomial of degree 17 each; in the first, x +
x*P(x), so that the result keeps its relative accuracy. erfc: 1 - erf below 1/2; above, exp(-x*x), the square
as a pair, times a piecewise polynomial for exp(x*x) erfc(x): 24 intervals (quarters of a binade), degree 13.

gammaln: lgamma(2 + t) = t*(t + 1)*P(t + 1/4), -1 <= t <= 1/2, P of 25 terms; other x below 7.5 by adding or
subtracting one logarithm of a product (the recurrence), larger x by Stirling's series with the logarithm as a
pair. Negative x by reflection, in a rare block.

logaddexp: max + log(1 + exp(min - max)), each as a pair.
"""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from fuse.codegen.math import double_word
from fuse.codegen.math.coefficients import COS, ERF, ERFCX, LGAMMA, SIN, STIRLING
from fuse.codegen.math.dispatch import Emitter, widened
from fuse.codegen.math.double_word import Pair
from fuse.codegen.math.exponential import clamp, exp_pair, scale_by_power
from fuse.codegen.math.logarithm import INVERSE_LN2, log1p_pair, log_pair
from fuse.codegen.scalar import DOUBLE, Scalar

ERF_WIDTH = 0.742
ERF_END = 5.93
"""Beyond this erf rounds to 1."""
FIXED_POINT = 1.5 * 2.0**44
"""Adding it leaves a number with 8 fractional bits in the low bits of the sum."""
ERFC_END = 28.0
"""Beyond this erfc rounds to 0."""
HALF_WORD = 0x3FE0000000000000
NEAR_TWO = 1.0
"""From here the polynomial alone serves, so that the minimum near 1.46 is free of cancellation."""
STIRLING_START = 7.5
HALF_LOG_2PI = 0.9189385332046728
LOG_PI = (1.1447298858494002, 1.0265951162707826e-17)
PI = (3.141592653589793, 1.2246467991473532e-16)
LN2 = (0.6931471805599453, 2.3190468138462996e-17)
ONE = (1.0, 0.0)


@dataclass(frozen=True)
class ErrorFunction:
    """erf(|x|) = head + distance * slope; head is |x| in the first interval."""

    head: ir.Value
    distance: ir.Value
    slope: ir.Value


def _error_function(s: Scalar, x: ir.Value) -> ErrorFunction:
    size = s.min(ERF_END, s.abs(x))
    fixed = s.bits(s.muladd(size, 1.0 / ERF_WIDTH, FIXED_POINT))
    index = s.and_(s.lshr(fixed, 8), 7)
    centre, start, *coefficients = [s.lookup(index, row, DOUBLE) for row in ERF]
    distance = s.sub(size, centre)
    head = s.select(s.icmp("==", index, 0), size, start)
    return ErrorFunction(head, distance, s.poly(distance, coefficients))


def erf_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The error function; 0.8 ulp."""
    parts = _error_function(s, x)
    return s.copysign(s.muladd(parts.distance, parts.slope, parts.head), x)


def erfc_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The complementary error function; 1.5 ulp."""
    parts = _error_function(s, x)
    sign = s.copysign(s.const(x, -1.0), s.neg(x))
    head, low = s.fast_two_sum(s.const(x, 1.0), s.mul(parts.head, sign))
    near = s.add(head, s.muladd(s.mul(parts.distance, sign), parts.slope, low))
    return s.select(s.fcmp("<", x, 0.5), near, _erfc_tail(s, x))


def _erfc_tail(s: Scalar, x: ir.Value) -> ir.Value:
    """erfc for x >= 1/2."""
    index = s.lshr(s.sub(s.bits(s.max(s.min(x, ERFC_END), 0.5)), HALF_WORD), 50)
    x = clamp(s, x, 0.5, ERFC_END)
    centre, start, *coefficients = [s.lookup(index, row, DOUBLE) for row in ERFCX]
    distance = s.sub(x, centre)
    scaled = s.muladd(distance, s.poly(distance, coefficients), start)
    square, square_low = s.two_prod(x, x)
    (high, low), word = exp_pair(s, s.neg(square), s.neg(square_low))
    return scale_by_power(s, s.muladd(high, scaled, s.mul(low, scaled)), word)


def gammaln_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The logarithm of |gamma(x)|; 1.5 ulp for x > 0; -inf at -inf, as SciPy has it. Near a zero with x <
    0, the error is 1e-15 absolute.
    """
    size = s.abs(x)
    pair = _positive_gammaln(s, size)
    negative = s.fcmp("<", x, -(2.0**-54))
    value = s.if_any(negative, lambda: [_reflected(s, size, pair)], [s.add(*pair)])[0]
    infinite = s.or_(s.fcmp("==", size, float("inf")), s.fcmp("==", x, 0.0))
    value = s.select(infinite, float("inf"), value)
    return s.select(s.or_(s.isnan(x), s.fcmp("==", x, float("-inf"))), x, value)


def _positive_gammaln(s: Scalar, x: ir.Value) -> Pair:
    """lgamma(x) as (high, low), for finite x > 0."""
    large = s.fcmp(">=", x, STIRLING_START)
    k = s.rint(s.min(x, STIRLING_START))
    k = s.select(s.fcmp(">=", x, NEAR_TWO), s.max(k, 2.0), k)
    t = s.sub(x, k)
    high, low = log_pair(s, s.select(large, x, _product(s, x, k, t)))
    sign = s.select(s.fcmp("<", k, 2.0), s.const(x, -1.0), 1.0)
    t = s.select(large, s.const(x, 0.0), t)
    slope = s.horner(s.add(t, 0.25), LGAMMA)
    root, root_low = s.two_prod(t, s.add(t, 1.0))
    near = s.muladd(root, slope, s.mul(high, sign)), s.muladd(root_low, slope, s.mul(low, sign))
    return double_word.select(s, large, _stirling(s, x, (high, low)), near)


def _product(s: Scalar, x: ir.Value, k: ir.Value, t: ir.Value) -> ir.Value:
    """gamma(x)/gamma(2 + t), or its inverse where k < 2; k = round(x) <= 7, t = x - k."""
    product = s.const(x, 1.0)
    for factor in range(1, 6):
        more = s.fcmp(">", k, factor + 1.5)
        product = s.select(more, s.mul(product, s.sub(x, float(factor))), product)
    product = s.select(s.fcmp("==", k, 1.0), x, product)
    return s.select(s.fcmp("==", k, 0.0), s.muladd(t, t, t), product)


def _stirling(s: Scalar, x: ir.Value, logarithm: Pair) -> Pair:
    """(x - 1/2) log x - x + log(2 pi)/2 + P(1/x**2)/x; without the last two and with x for x - 1/2 beyond
    2**200.
    """
    huge = s.fcmp(">", x, 2.0**200)
    high, low = logarithm
    inverse = s.div(1.0, x)
    series = s.muladd(s.poly(s.mul(inverse, inverse), STIRLING), inverse, HALF_LOG_2PI)
    factor = s.sub(x, 0.5)
    product, rest = s.two_prod(high, s.select(huge, s.const(x, 1.0), factor))
    total, lost = s.two_sum(product, s.neg(x))
    rest = s.add(s.add(s.muladd(low, factor, rest), lost), series)
    far = s.mul(x, s.add(s.sub(high, 1.0), low)), s.const(x, 0.0)
    return double_word.select(s, huge, far, (total, rest))


def _reflected(s: Scalar, size: ir.Value, positive: Pair) -> ir.Value:
    """lgamma(-size) = log(pi) - log(size |sin(pi size)|) - lgamma(size); infinite at whole numbers."""
    fraction = s.abs(s.sub(size, s.rint(size)))
    pole = s.fcmp("==", fraction, 0.0)
    product = s.mul(size, _sine_of_pi_times(s, fraction))
    logarithm = log_pair(s, s.select(pole, s.const(size, 1.0), product))
    pi = s.const(size, LOG_PI[0]), s.const(size, LOG_PI[1])
    difference = double_word.add(s, pi, double_word.negate(s, logarithm))
    high, low = double_word.add(s, difference, double_word.negate(s, positive))
    return s.select(pole, float("inf"), s.add(high, low))


def _sine_of_pi_times(s: Scalar, fraction: ir.Value) -> ir.Value:
    """sin(pi f) for 0 <= f <= 1/2."""
    far = s.fcmp(">", fraction, 0.25)
    f = s.select(far, s.sub(0.5, fraction), fraction)
    angle, low = s.two_prod(f, PI[0])
    low = s.muladd(f, PI[1], low)
    square = s.mul(angle, angle)
    sine = s.add(angle, s.muladd(s.mul(angle, square), s.poly(square, SIN), low))
    cosine = s.muladd(s.mul(square, square), s.poly(square, COS), s.muladd(square, -0.5, 1.0))
    return s.select(far, cosine, sine)


def _log_of_sum(
    to_natural: tuple[float, float], from_natural: tuple[float, float], log_of_2: float
) -> Emitter:
    """log_b(b**x + b**y), given ln(b) and its inverse as pairs, and log_b(2)."""

    def emit(s: Scalar, x: ir.Value, y: ir.Value) -> ir.Value:
        larger, smaller = s.max(x, y), s.min(x, y)
        gap = s.two_sum(smaller, s.neg(larger))
        ordinary = s.fcmp(">", gap[0], -1100.0)
        gap = double_word.select(s, ordinary, gap, (s.const(x, -1100.0), s.const(x, 0.0)))
        gap = double_word.multiply(s, gap, to_natural)
        (e, e_low), word = exp_pair(s, s.max(-760.0, gap[0]), gap[1])
        e, e_low = scale_by_power(s, e, word), scale_by_power(s, e_low, word)
        tail = double_word.multiply(s, s.fast_two_sum(*log1p_pair(s, e, e_low)), from_natural)
        total, low = s.two_sum(larger, tail[0])
        value = s.add(total, s.add(low, tail[1]))
        value = s.select(s.fcmp("<", s.abs(larger), float("inf")), value, larger)
        value = s.select(s.fcmp("==", x, y), s.add(larger, log_of_2), value)
        return s.select(s.fcmp("uno", x, y), s.add(x, y), value)

    return emit


erf = widened(erf_double)
erfc = widened(erfc_double)
gammaln = widened(gammaln_double)
logaddexp = widened(_log_of_sum(ONE, ONE, LN2[0]))
logaddexp2 = widened(_log_of_sum(LN2, INVERSE_LN2, 1.0))
