"""Arithmetic on unevaluated sums of two floats, `(high, low)` with |low| at most an ulp or so of high.

Relative errors are about the square of one float's for products and sums of one sign, and a fiftieth of one
float's for quotients and roots: enough to round the final sum once.
"""

from __future__ import annotations

from llvmlite import ir

from fuse.codegen.scalar import DOUBLE_FORMAT, SINGLE_FORMAT, Operand, Scalar, format_of

Pair = tuple[ir.Value, ir.Value]
ROUGH_INVERSE = {SINGLE_FORMAT: 0x7EF311C7, DOUBLE_FORMAT: 0x7FDE623822FC16E6}
"""Less the word of x, the word of a number within 13 % of 1/x."""


def add(s: Scalar, a: Pair, b: Pair) -> Pair:
    """a + b."""
    high, low = s.two_sum(a[0], b[0])
    return s.fast_two_sum(high, s.add(low, s.add(a[1], b[1])))


def multiply(s: Scalar, a: Pair, b: tuple[Operand, Operand]) -> Pair:
    """a * b."""
    high, low = s.two_prod(a[0], b[0])
    return s.fast_two_sum(high, s.muladd(a[1], b[0], s.muladd(a[0], b[1], low)))


def rough_inverse(s: Scalar, x: ir.Value, factor_exponent: int = 0) -> ir.Value:
    """2**factor_exponent / x to 13 %, for normal x up to a quarter of the largest; one subtraction."""
    form = format_of(x)
    start = ROUGH_INVERSE[form] + (factor_exponent << form.mantissa)
    return s.from_bits(s.sub(start, s.bits(x)))


def near_inverse(s: Scalar, x: ir.Value) -> ir.Value:
    """1/x to 1.6 %, by one Newton step more; not for zero. What scales a correction need not be better, and a
    division costs as much as 30 other operations.
    """
    guess = rough_inverse(s, x)
    return s.mul(guess, s.muladd(s.neg(guess), x, 2.0))


def divide(s: Scalar, a: Pair, b: Pair) -> Pair:
    """a / b to about 2**-58, by one division of high parts and one correction; not normalised."""
    quotient = s.div(a[0], b[0])
    rest = s.exact_muladd(s.neg(quotient), b[0], a[0])
    rest = s.sub(s.add(rest, a[1]), s.mul(quotient, b[1]))
    return quotient, s.mul(rest, near_inverse(s, b[0]))


def negate(s: Scalar, a: Pair) -> Pair:
    """-a."""
    return s.neg(a[0]), s.neg(a[1])


def select(s: Scalar, mask: ir.Value, a: Pair, b: Pair) -> Pair:
    """`a` in the lanes of the mask, `b` elsewhere."""
    return s.select(mask, a[0], b[0]), s.select(mask, a[1], b[1])
