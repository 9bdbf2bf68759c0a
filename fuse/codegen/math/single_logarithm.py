"""Logarithms in single precision: log, log2, log10, log1p, and the pair that `power` builds on.

Everything stays in vectors of singles: doubles would need half as many lanes and conversions both ways.

log, log2, log10, log1p: x = 2**k * z with z in [sqrt(1/2), sqrt(2)), one polynomial of degree 8 in z - 1. The
product of z - 1 and 1/ln(base) is rounded once, with everything smaller as the addend.

The pair, to about 2**-34: x = 2**k * z, z in [0.703, 1.406), which 16 steps divide; one permute finds a short
number c near 1/z, so short that r = z*c - 1 is exact, and |r| < 0.0342. Then log x = (k ln 2 - log c) + r -
r*r/2 + r**3 P(r), P of degree 3. The first sum is exact (multiples of 2**-16), r - r*r/2 is kept as a pair,
and in the step that holds 1 both c = 1 and log c = 0, so that the result keeps its relative accuracy where
the logarithm vanishes.
"""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from fuse.codegen.math.coefficients import (
    LOG2_SINGLE,
    LOG10_SINGLE,
    LOG_SINGLE,
    LOG_STEPPED_SINGLE,
    LOG_STEPS_SINGLE,
)
from fuse.codegen.math.dispatch import Emitter
from fuse.codegen.math.double_word import Pair, rough_inverse
from fuse.codegen.scalar import FLOAT, Scalar, format_of

INVERSE, STEP_HIGH, STEP_LOW = LOG_STEPS_SINGLE
START = 0x3F3504F3
"""The word of sqrt(1/2)."""
STEPPED_START = 0x3F340000
"""The word of 0.703125, where the steps start; one step is 2**19 words, and 1 lies within the tenth."""
EXPONENT_MASK = 0xFF800000
EXPONENT_UNIT = 2.0**-23
"""k is used as the float k * 2**23, which is the exponent field converted in place."""
LN2 = (0.693145751953125, 1.4286068203094173e-06)
"""ln 2 in two singles; the first is a multiple of 2**-16, so that products with exponents are exact."""
LOG10_OF_2 = (0.301025390625, 4.605039066518657e-06)
INVERSE_LN2 = (1.4426950216293335, 1.925963033500011e-08)
INVERSE_LN10 = (0.4342944920063019, -1.0103049952192578e-08)
TINY_SCALE = 2.0**24


@dataclass(frozen=True)
class Split:
    """x = 2**k * z, k = `exponent` * 2**-23; `moved` is the word of x less the start."""

    exponent: ir.Value
    z: ir.Value
    moved: ir.Value


def split(s: Scalar, x: ir.Value, start: int = START) -> Split:
    """Split a positive normal x so that the word of z begins at `start`."""
    word = s.bits(x)
    moved = s.sub(word, start)
    exponent = s.and_(moved, EXPONENT_MASK)
    return Split(s.to_float(exponent, FLOAT), s.from_bits(s.sub(word, exponent)), moved)


def _split_any(s: Scalar, x: ir.Value) -> Split:
    """Split a positive finite x."""
    small = s.fcmp("<", x, format_of(x).tiny)
    parts = split(s, s.select(small, s.mul(x, TINY_SCALE), x))
    exponent = s.select(small, s.sub(parts.exponent, 24.0 / EXPONENT_UNIT), parts.exponent)
    return Split(exponent, parts.z, parts.moved)


def special_log(s: Scalar, x: ir.Value, value: ir.Value) -> ir.Value:
    """`value` for positive finite x; -inf at zero, NaN below, x itself for +inf and NaN. Both precisions."""
    form = format_of(x)
    inside = s.icmp("<", s.sub(s.bits(x), 1), form.infinity - 1, signed=False)
    zero = s.select(s.fcmp("==", x, 0.0), float("-inf"), x)
    outside = s.select(s.fcmp("<", x, 0.0), float("nan"), zero)
    return s.select(inside, value, outside)


def _natural(s: Scalar, exponent: ir.Value, f: ir.Value, rest: ir.Value | None = None) -> ir.Value:
    """k ln 2 + log(1 + f) + rest, the last far smaller: log(1 + f) = f + f*f*(f*P(f) - 1/2)."""
    curve = s.muladd(f, s.poly(f, LOG_SINGLE), -0.5)
    low = s.mul(exponent, LN2[1] * EXPONENT_UNIT)
    tail = s.muladd(s.mul(f, f), curve, low if rest is None else s.add(low, rest))
    high, low = s.fast_two_sum(s.mul(exponent, LN2[0] * EXPONENT_UNIT), f)
    return s.add(high, s.add(low, tail))


def log(s: Scalar, x: ir.Value) -> ir.Value:
    """The natural logarithm; 0.9 ulp."""
    parts = _split_any(s, x)
    return special_log(s, x, _natural(s, parts.exponent, s.sub(parts.z, 1.0)))


def log_of_sum(s: Scalar, high: ir.Value, low: ir.Value, doublings: ir.Value) -> ir.Value:
    """log(high + low) + doublings * ln 2; for normal high + low of at least 1.4, low tiny."""
    parts = split(s, high)
    rest = s.mul(low, rough_inverse(s, high))
    exponent = s.muladd(doublings, 1.0 / EXPONENT_UNIT, parts.exponent)
    return _natural(s, exponent, s.sub(parts.z, 1.0), rest)


def log1p(s: Scalar, x: ir.Value) -> ir.Value:
    """log(1 + x), accurate near zero: where k = 0, x itself is what the polynomial takes."""
    u = s.add(x, 1.0)
    parts = split(s, u)
    near = s.fcmp("==", parts.exponent, 0.0)
    larger, smaller = s.max(x, 1.0), s.min(x, 1.0)
    lost = s.mul(s.sub(smaller, s.sub(u, larger)), rough_inverse(s, s.min(2.0**100, u)))
    f = s.select(near, x, s.sub(parts.z, 1.0))
    value = _natural(s, parts.exponent, f, s.select(near, s.const(x, 0.0), lost))
    value = special_log(s, u, value)
    return s.select(s.fcmp("<", s.abs(x), 2.0**-25), x, value)


def _in_base(factor: tuple[float, float], unit: tuple[float, float], curve: tuple[float, ...]) -> Emitter:
    """k log_b(2) + log_b(1 + f), given 1/ln(b) and log_b(2) in two parts: factor*f + f*f*P(f)."""

    def emit(s: Scalar, x: ir.Value) -> ir.Value:
        parts = _split_any(s, x)
        f = s.sub(parts.z, 1.0)
        low = s.mul(f, factor[1])
        low = s.muladd(parts.exponent, unit[1] * EXPONENT_UNIT, low) if unit[1] else low
        tail = s.muladd(s.mul(f, f), s.muladd(f, s.poly(f, curve[1:]), curve[0]), low)
        value = s.muladd(f, factor[0], tail)
        return special_log(s, x, s.muladd(parts.exponent, unit[0] * EXPONENT_UNIT, value))

    return emit


log2 = _in_base(INVERSE_LN2, (1.0, 0.0), LOG2_SINGLE)
log10 = _in_base(INVERSE_LN10, LOG10_OF_2, LOG10_SINGLE)


def log_pair(s: Scalar, x: ir.Value) -> Pair:
    """log x as (high, low) for positive normal x, to about 2**-34 relative."""
    parts = split(s, x, STEPPED_START)
    step = s.and_(s.lshr(parts.moved, 19), 15)
    r = s.exact_muladd(parts.z, s.lookup(step, INVERSE, FLOAT), -1.0)
    square, square_low = s.two_prod(r, r)
    near = s.muladd(square, -0.5, r)
    lost = s.muladd(square, -0.5, s.sub(r, near))
    base = s.muladd(parts.exponent, LN2[0] * EXPONENT_UNIT, s.lookup(step, STEP_HIGH, FLOAT))
    base_low = s.muladd(parts.exponent, LN2[1] * EXPONENT_UNIT, s.lookup(step, STEP_LOW, FLOAT))
    high, low = s.fast_two_sum(base, near)
    lost = s.muladd(square_low, -0.5, lost)
    tail = s.muladd(s.mul(square, r), s.poly(r, LOG_STEPPED_SINGLE), lost)
    return high, s.add(s.add(low, base_low), tail)
