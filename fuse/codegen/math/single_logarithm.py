"""The logarithm in single precision, as a pair of singles accurate to about 2**-34: what `power` builds on.

Method: x = 2**k * z, z in [0.703, 1.406), which 16 steps divide; one permute finds a short number c near 1/z,
so short that r = z*c - 1 is exact, and |r| < 0.0342. Then log x = (k ln 2 - log c) + r - r*r/2 + r**3 P(r), P
of degree 3. The first sum is exact (multiples of 2**-16), r - r*r/2 is kept as a pair, and in the step that
holds 1 both c = 1 and log c = 0, so that the result keeps its relative accuracy where the logarithm vanishes.
Everything stays in vectors of singles: doubles would need half as many lanes and conversions both ways.
"""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from fuse.codegen.math.coefficients import LOG_STEPPED_SINGLE, LOG_STEPS_SINGLE
from fuse.codegen.math.double_word import Pair
from fuse.codegen.scalar import FLOAT, Scalar

INVERSE, STEP_HIGH, STEP_LOW = LOG_STEPS_SINGLE
START = 0x3F340000
"""The word of 0.703125, where the steps start; one step is 2**19 words, and 1 lies within the tenth."""
EXPONENT_MASK = 0xFF800000
LN2_HIGH, LN2_LOW = 0.693145751953125, 1.4286068203094173e-06
"""ln 2 in two singles; the first is a multiple of 2**-16, so that products with exponents are exact."""
EXPONENT_UNIT = 2.0**-23
"""k is used as the float k * 2**23, which is the exponent field converted in place."""


@dataclass(frozen=True)
class Stepped:
    """x = 2**k * z, k = `exponent` * 2**-23; `step` is the place of z in the tables."""

    exponent: ir.Value
    z: ir.Value
    step: ir.Value


def split_stepped(s: Scalar, x: ir.Value) -> Stepped:
    """Split a positive normal x."""
    word = s.bits(x)
    moved = s.sub(word, START)
    exponent = s.and_(moved, EXPONENT_MASK)
    z = s.from_bits(s.sub(word, exponent))
    return Stepped(s.to_float(exponent, FLOAT), z, s.and_(s.lshr(moved, 19), 15))


def log_long_single(s: Scalar, x: ir.Value) -> Pair:
    """log x as (high, low) for positive normal singles, to about 2**-34 relative."""
    parts = split_stepped(s, x)
    r = s.exact_muladd(parts.z, s.lookup(parts.step, INVERSE, FLOAT), -1.0)
    square, square_low = s.two_prod(r, r)
    near = s.muladd(square, -0.5, r)
    lost = s.muladd(square, -0.5, s.sub(r, near))
    base = s.muladd(parts.exponent, LN2_HIGH * EXPONENT_UNIT, s.lookup(parts.step, STEP_HIGH, FLOAT))
    base_low = s.muladd(parts.exponent, LN2_LOW * EXPONENT_UNIT, s.lookup(parts.step, STEP_LOW, FLOAT))
    high, low = s.fast_two_sum(base, near)
    lost = s.muladd(square_low, -0.5, lost)
    tail = s.muladd(s.mul(square, r), s.poly(r, LOG_STEPPED_SINGLE), lost)
    return high, s.add(s.add(low, base_low), tail)
