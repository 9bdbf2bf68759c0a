"""log, log2, log10, log1p, and the logarithm in two parts that powers and inverse hyperbolics build on.

Method (Tang, with a table small enough for one permute): x = 2**k * z, z in [0.725, 1.45), which eight steps
divide; c, a short number near 1/z from the table, makes r = z*c - 1 exact and |r| < 0.076. Then log x = (k ln
2 - log c) + r - r*r/2 + r**3 P(r), P of degree 9 (11 for powers) from `minimax.py`. The step that holds 1 has
c = 1 and log c = 0, so the result keeps its relative accuracy where the logarithm vanishes. k * ln2_high -
log_c_high is exact: both are multiples of 2**-42.

Single precision is in `single_logarithm.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from llvmlite import ir

from fuse.codegen.math import single_logarithm
from fuse.codegen.math.coefficients import LOG, LOG_LONG, LOG_STEPS
from fuse.codegen.math.dispatch import Emitter, by_precision
from fuse.codegen.math.double_word import Pair, rough_inverse
from fuse.codegen.math.single_logarithm import special_log
from fuse.codegen.scalar import DOUBLE, FloatFormat, Scalar, format_of

INVERSE, STEP_HIGH, STEP_LOW, STEP_BINARY = LOG_STEPS
LN2_HIGH, LN2_LOW = 0.6931471805598903, 5.497923018708371e-14
START = 0x3FE7333333333333
"""The word of 0.725, where the steps start."""
INVERSE_LN2 = (1.4426950408889634, 2.0355273740931033e-17)
INVERSE_LN10 = (0.4342944819032518, 1.098319650216765e-17)
TINY_SCALE = 2.0**54


@dataclass(frozen=True)
class Split:
    """x = 2**k * z; `index` is the step that holds z, `exponent` the word (k + bias) << mantissa."""

    k: ir.Value
    z: ir.Value
    index: ir.Value
    exponent: ir.Value


def split(s: Scalar, x: ir.Value, start: int = START, subnormals: bool = True) -> Split:
    """Split a positive finite x."""
    form = format_of(x)
    offset = s.const(x, 0.0)
    if subnormals:
        small = s.fcmp("<", x, form.tiny)
        x = s.select(small, s.mul(x, TINY_SCALE), x)
        offset = s.select(small, s.const(x, 54.0), offset)
    moved = s.add(s.bits(x), (form.bias << form.mantissa) - start)
    z = s.from_bits(s.add(s.and_(moved, (1 << form.mantissa) - 1), start))
    biased = s.lshr(moved, form.mantissa)
    base = 2.0**form.mantissa
    shift = s.add(offset, base + form.bias) if subnormals else s.const(x, base + form.bias)
    k = s.sub(s.from_bits(s.or_(biased, _word(form, base))), shift)
    index = s.and_(s.lshr(moved, form.mantissa - 3), 7)
    return Split(k, z, index, s.shl(biased, form.mantissa))


def _word(form: FloatFormat, power: float) -> int:
    """The word of 2**mantissa."""
    return (form.bias + form.mantissa) << form.mantissa


def _series(s: Scalar, parts: Split, r: ir.Value, coefficients: tuple[float, ...]) -> Pair:
    """log of the split number as an exact-sum head and a small tail."""
    step = s.lookup(parts.index, STEP_HIGH, DOUBLE)
    step_low = s.lookup(parts.index, STEP_LOW, DOUBLE)
    head = s.muladd(parts.k, LN2_HIGH, step)
    high, low = s.fast_two_sum(head, r)
    low = s.add(low, s.muladd(parts.k, LN2_LOW, step_low))
    curve = s.muladd(r, s.poly(r, coefficients), -0.5)
    return high, s.muladd(s.mul(r, r), curve, low)


def _remainder(s: Scalar, parts: Split) -> tuple[ir.Value, ir.Value]:
    """(r, c): r = z*c - 1 exactly."""
    inverse = s.lookup(parts.index, INVERSE, DOUBLE)
    return s.exact_muladd(parts.z, inverse, -1.0), inverse


def log_pair(s: Scalar, x: ir.Value) -> Pair:
    """log x as (high, low) for positive finite doubles, to 2**-58 relative."""
    parts = split(s, x)
    r, _ = _remainder(s, parts)
    return _series(s, parts, r, LOG)


def log_long(s: Scalar, x: ir.Value, subnormals: bool = True) -> Pair:
    """log x as (high, low) for positive finite doubles, to about 2**-64 relative: r*r/2 is exact here."""
    parts = split(s, x, subnormals=subnormals)
    r, _ = _remainder(s, parts)
    step = s.lookup(parts.index, STEP_HIGH, DOUBLE)
    step_low = s.lookup(parts.index, STEP_LOW, DOUBLE)
    high, low = s.fast_two_sum(s.muladd(parts.k, LN2_HIGH, step), r)
    half, half_low = s.two_prod(s.mul(r, -0.5), r)
    low = s.add(low, s.muladd(parts.k, LN2_LOW, step_low))
    high, rest = s.fast_two_sum(high, half)
    cubic = s.muladd(s.mul(s.mul(r, r), r), s.poly(r, LOG_LONG), s.add(half_low, low))
    return s.fast_two_sum(high, s.add(rest, cubic))


def log_of_sum(s: Scalar, high: ir.Value, low: ir.Value, doublings: ir.Value) -> ir.Value:
    """log(high + low) + doublings * ln 2; for normal high + low of at least 1.2, low tiny."""
    parts = split(s, high, subnormals=False)
    parts = replace(parts, k=s.add(parts.k, doublings))
    r, _ = _remainder(s, parts)
    head, tail = _series(s, parts, r, LOG)
    return s.add(head, s.muladd(low, rough_inverse(s, high), tail))


def log1p_pair(s: Scalar, x: ir.Value, low: ir.Value | None = None) -> Pair:
    """log(1 + x + low) as (high, low), for x > -1; `low` is tiny beside x."""
    u, u_low = s.two_sum(s.const(x, 1.0), x)
    u_low = u_low if low is None else s.add(u_low, low)
    parts = split(s, u, subnormals=False)
    form = format_of(x)
    r, inverse = _remainder(s, parts)
    scale = s.from_bits(s.sub(2 * form.bias << form.mantissa, parts.exponent))
    shift = s.select(s.fcmp("<", u, 2.0**100), s.mul(s.mul(u_low, scale), inverse), 0.0)
    moved, lost = s.two_sum(r, shift)
    high, tail = _series(s, parts, moved, LOG)
    return high, s.add(tail, lost)


def log_double(s: Scalar, x: ir.Value) -> ir.Value:
    """The natural logarithm; 0.6 ulp."""
    high, low = log_pair(s, x)
    return special_log(s, x, s.add(high, low))


def _in_base(factor: tuple[float, float]) -> Emitter:
    """The logarithm times a constant in two parts; exact results come out exact."""

    def emit(s: Scalar, x: ir.Value) -> ir.Value:
        high, low = s.fast_two_sum(*log_pair(s, x))
        product, rest = s.two_prod(high, factor[0])
        rest = s.add(rest, s.muladd(low, factor[0], s.mul(high, factor[1])))
        return special_log(s, x, s.add(product, rest))

    return emit


def log1p_double(s: Scalar, x: ir.Value) -> ir.Value:
    """log(1 + x), accurate near zero; 0.7 ulp."""
    high, low = log1p_pair(s, x)
    value = special_log(s, s.add(x, 1.0), s.add(high, low))
    return s.select(s.fcmp("<", s.abs(x), 2.0**-55), x, value)


log = by_precision(log_double, single_logarithm.log)
_log2_double, _log10_double = _in_base(INVERSE_LN2), _in_base(INVERSE_LN10)
log2 = by_precision(_log2_double, single_logarithm.log2, unfused=_log2_double)
log10 = by_precision(_log10_double, single_logarithm.log10, unfused=_log10_double)
log1p = by_precision(log1p_double, single_logarithm.log1p)
