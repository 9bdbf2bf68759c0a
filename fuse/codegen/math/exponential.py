"""exp, exp2, expm1, and the parts of exp that other families build on.

Method (Cody and Waite; Tang): k = round(x / ln 2), r = x - k ln 2 in two parts, of which the first is exact;
exp(r) = 1 + (r_high + (r_low + r*r*P(r))) with |r| <= ln(2)/2, P of degree 10 (double) or 5 (single) from
`minimax.py`. k comes from adding 1.5 * 2**52, which leaves it in the low bits of the sum. The result is
scaled by two powers of two, each representable, so that overflow and gradual underflow round by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from fuse.codegen.math.coefficients import EXP, EXP_SINGLE
from fuse.codegen.math.double_word import Pair
from fuse.codegen.scalar import FLOAT, Operand, Scalar, element_of, format_of

LOG2_E = 1.4426950408889634


@dataclass(frozen=True)
class Constants:
    """What one precision needs: ln 2 in parts (k * high is exact), P, and where exp leaves the format."""

    ln2_high: float
    ln2_low: float
    polynomial: tuple[float, ...]
    lowest: float
    highest: float
    ln2: float
    ln2_rest: float


DOUBLE_CONSTANTS = Constants(
    ln2_high=0.6931471803691238,
    ln2_low=1.9082149292705877e-10,
    polynomial=EXP,
    lowest=-746.0,
    highest=710.5,
    ln2=0.6931471805599453,
    ln2_rest=2.3190468138462996e-17,
)
SINGLE_CONSTANTS = Constants(
    ln2_high=0.693145751953125,
    ln2_low=1.4286068203094173e-06,
    polynomial=EXP_SINGLE,
    lowest=-104.5,
    highest=89.5,
    ln2=0.6931471824645996,
    ln2_rest=-1.904654299957768e-09,
)


@dataclass(frozen=True)
class Reduced:
    """exp(x) = 2**k * (1 + (high + tail)); k is in the low bits of `word`."""

    word: ir.Value
    high: ir.Value
    tail: ir.Value


def constants_of(x: ir.Value) -> Constants:
    """The constants for the precision of x."""
    return SINGLE_CONSTANTS if element_of(x.type) == FLOAT else DOUBLE_CONSTANTS


def clamp(s: Scalar, x: ir.Value, lowest: float, highest: float) -> ir.Value:
    """x moved into [lowest, highest]; NaN stays."""
    return s.max(lowest, s.min(highest, x))


def round_to_integer(s: Scalar, x: ir.Value, scale: Operand = 1.0) -> tuple[ir.Value, ir.Value]:
    """(k, word): k = round(x * scale) as a float, and a word whose low bits are k as an integer."""
    rounder = format_of(x).rounder
    shifted = s.add(x, rounder) if scale == 1.0 else s.muladd(x, scale, rounder)
    return s.sub(shifted, rounder), s.bits(shifted)


def reduce_exp(s: Scalar, x: ir.Value, low: ir.Value | None = None) -> Reduced:
    """Reduce exp(x + low), for x within the clamps and `low` tiny beside it."""
    c = constants_of(x)
    k, word = round_to_integer(s, x, LOG2_E)
    high = s.muladd(k, -c.ln2_high, x)
    rest = s.mul(k, -c.ln2_low) if low is None else s.muladd(k, -c.ln2_low, low)
    return Reduced(word, high, _tail(s, high, rest, c))


def _tail(s: Scalar, high: ir.Value, rest: ir.Value, c: Constants) -> ir.Value:
    """exp(high + rest) - 1 - high."""
    r = s.add(high, rest)
    return s.muladd(s.mul(r, r), s.poly(r, c.polynomial), rest)


def power_of_two(s: Scalar, word: ir.Value, offset: int = 0) -> ir.Value:
    """2**(k + offset), k in the low bits of the word, where that is a normal number."""
    form = format_of(s.from_bits(word))
    one = (form.bias + offset) << form.mantissa
    return s.from_bits(s.add(s.shl(word, form.mantissa), one))


def scale_by_power(s: Scalar, value: ir.Value, word: ir.Value) -> ir.Value:
    """value * 2**k with one rounding, also where 2**k overflows or underflows."""
    half = s.lshr(word, 1)
    return s.mul(s.mul(value, power_of_two(s, half)), power_of_two(s, s.sub(word, half)))


def exp(s: Scalar, x: ir.Value) -> ir.Value:
    """e**x; 0.8 ulp."""
    c = constants_of(x)
    parts = reduce_exp(s, clamp(s, x, c.lowest, c.highest))
    return scale_by_power(s, s.add(s.add(parts.high, parts.tail), 1.0), parts.word)


def exp2(s: Scalar, x: ir.Value) -> ir.Value:
    """2**x, by the polynomial of exp at r ln 2; 0.8 ulp."""
    c = constants_of(x)
    x = clamp(s, x, c.lowest * LOG2_E, c.highest * LOG2_E)
    k, word = round_to_integer(s, x)
    r = s.sub(x, k)
    high, low = s.two_prod(r, c.ln2)
    tail = _tail(s, high, s.muladd(r, c.ln2_rest, low), c)
    return scale_by_power(s, s.add(s.add(high, tail), 1.0), word)


def exp_pair(s: Scalar, x: ir.Value, low: ir.Value | None = None) -> tuple[Pair, ir.Value]:
    """exp(x + low) as (high, low) to be scaled by 2**k, and the word that holds k."""
    parts = reduce_exp(s, x, low)
    q, q_low = s.fast_two_sum(parts.high, parts.tail)
    high, rest = s.fast_two_sum(s.const(x, 1.0), q)
    return (high, s.add(rest, q_low)), parts.word


def _long_tail(s: Scalar, high: ir.Value, rest: ir.Value, c: Constants) -> ir.Value:
    """The same with one rounding that counts: r*r/2 exact; what r loses times the slope, about r."""
    r = s.add(high, rest)
    lost = s.sub(rest, s.sub(r, high))
    square, square_low = s.two_prod(r, r)
    low = s.muladd(square_low, 0.5, s.muladd(r, lost, rest))
    curve = s.muladd(s.mul(square, r), s.poly(r, c.polynomial[1:]), low)
    return s.muladd(square, c.polynomial[0], curve)


def expm1_half(s: Scalar, x: ir.Value) -> Pair:
    """(e**x - 1) / 2 as (high, low), for -50 <= x <= 709.9; half, so that it does not overflow early."""
    c = constants_of(x)
    k, word = round_to_integer(s, x, LOG2_E)
    first = s.muladd(k, -c.ln2_high, x)
    q, q_low = s.fast_two_sum(first, _long_tail(s, first, s.mul(k, -c.ln2_low), c))
    scale = power_of_two(s, word, -1)
    start, start_low = s.fast_two_sum(scale, s.const(x, -0.5))
    high, low = s.fast_two_sum(start, s.mul(scale, q))
    return high, s.muladd(scale, q_low, s.add(low, start_low))


def expm1_half_short(s: Scalar, x: ir.Value) -> Pair:
    """The same with fewer operations and a third of an ulp more, for what divides by it."""
    parts = reduce_exp(s, x)
    q, q_low = s.fast_two_sum(parts.high, parts.tail)
    scale = power_of_two(s, parts.word, -1)
    high, low = s.fast_two_sum(s.sub(scale, 0.5), s.mul(scale, q))
    return high, s.muladd(scale, q_low, low)


def expm1(s: Scalar, x: ir.Value) -> ir.Value:
    """e**x - 1, accurate near zero; 0.8 ulp."""
    highest = 709.9 if constants_of(x) is DOUBLE_CONSTANTS else 88.9
    high, low = expm1_half(s, clamp(s, x, -50.0, highest))
    total = s.add(high, low)
    return s.select(s.fcmp("<", s.abs(x), 2.0**-60), x, s.add(total, total))
