"""Arithmetic on unevaluated sums of two doubles, `(high, low)` with |low| at most an ulp or so of high.

Relative errors are about 2**-100 for products and sums of one sign, enough to round the final sum once.
"""

from __future__ import annotations

from llvmlite import ir

from fuse.codegen.scalar import Operand, Scalar

Pair = tuple[ir.Value, ir.Value]


def add(s: Scalar, a: Pair, b: Pair) -> Pair:
    """a + b."""
    high, low = s.two_sum(a[0], b[0])
    return s.fast_two_sum(high, s.add(low, s.add(a[1], b[1])))


def multiply(s: Scalar, a: Pair, b: tuple[Operand, Operand]) -> Pair:
    """a * b."""
    high, low = s.two_prod(a[0], b[0])
    return s.fast_two_sum(high, s.muladd(a[1], b[0], s.muladd(a[0], b[1], low)))


def divide(s: Scalar, a: Pair, b: Pair) -> Pair:
    """a / b, by one division of high parts and one correction; not normalised."""
    quotient = s.div(a[0], b[0])
    rest = s.exact_muladd(s.neg(quotient), b[0], a[0])
    rest = s.sub(s.add(rest, a[1]), s.mul(quotient, b[1]))
    return quotient, s.div(rest, b[0])


def square_root(s: Scalar, a: Pair) -> Pair:
    """sqrt(a), for a > 0; not normalised."""
    root = s.sqrt(a[0])
    rest = s.add(s.exact_muladd(s.neg(root), root, a[0]), a[1])
    return root, s.div(rest, s.add(root, root))


def negate(s: Scalar, a: Pair) -> Pair:
    """-a."""
    return s.neg(a[0]), s.neg(a[1])


def select(s: Scalar, mask: ir.Value, a: Pair, b: Pair) -> Pair:
    """`a` in the lanes of the mask, `b` elsewhere."""
    return s.select(mask, a[0], b[0]), s.select(mask, a[1], b[1])
