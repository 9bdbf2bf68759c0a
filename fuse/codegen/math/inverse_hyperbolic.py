"""arcsinh, arccosh, arctanh in both precisions.

A polynomial near zero (near 1 for arccosh, times sqrt(2(x - 1))); beyond, the logarithm of a pair: |x| +
sqrt(x*x + 1), x + sqrt(x*x - 1), or (1 + |x|)/(1 - |x|), halved. Roots and quotients are corrected by their
residuals, scaled by a rough inverse in place of a division.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llvmlite import ir

from fuse.codegen.math import logarithm, single_logarithm
from fuse.codegen.math.coefficients import (
    ACOSH,
    ACOSH_SINGLE,
    ASINH,
    ASINH_SINGLE,
    ATANH,
    ATANH_SINGLE,
)
from fuse.codegen.math.double_word import rough_inverse
from fuse.codegen.scalar import FLOAT, Scalar, element_of


@dataclass(frozen=True)
class Constants:
    """How far the polynomials reach, the polynomials, from where x*x + 1 is x*x, and the logarithm."""

    near: float
    asinh: tuple[float, ...]
    acosh: tuple[float, ...]
    atanh: tuple[float, ...]
    huge: float
    log_of_sum: Callable[[Scalar, ir.Value, ir.Value, ir.Value], ir.Value]


SINGLE_CONSTANTS = Constants(
    0.5, ASINH_SINGLE, ACOSH_SINGLE, ATANH_SINGLE, 2.0**30, single_logarithm.log_of_sum
)  # fmt: skip
DOUBLE_CONSTANTS = Constants(0.25, ASINH, ACOSH, ATANH, 2.0**60, logarithm.log_of_sum)


def constants_of(x: ir.Value) -> Constants:
    """The constants for the precision of x."""
    return SINGLE_CONSTANTS if element_of(x.type) == FLOAT else DOUBLE_CONSTANTS


def _root(s: Scalar, square: ir.Value, square_low: ir.Value) -> tuple[ir.Value, ir.Value]:
    """sqrt(square + square_low) as a pair."""
    root = s.sqrt(square)
    rest = s.add(s.exact_muladd(s.neg(root), root, square), square_low)
    return root, s.mul(rest, rough_inverse(s, root, -1))


def _log_of_pair(
    s: Scalar, size: ir.Value, larger: ir.Value, smaller: ir.Value, low: ir.Value
) -> ir.Value:  # fmt: skip
    """log(larger + smaller + low), or log(2 size) where that is huge; size itself if infinite or NaN."""
    c = constants_of(size)
    huge = s.fcmp(">", size, c.huge)
    high, rest = s.fast_two_sum(larger, smaller)
    high, rest = s.select(huge, s.mul(size, 0.125), high), s.select(huge, 0.0, s.add(rest, low))
    value = c.log_of_sum(s, high, rest, s.select(huge, s.const(size, 4.0), 0.0))
    return s.select(s.fcmp("<", size, float("inf")), value, size)


def arcsinh(s: Scalar, x: ir.Value) -> ir.Value:
    """The inverse hyperbolic sine."""
    c, size = constants_of(x), s.abs(x)
    square = s.mul(size, size)
    near = s.muladd(s.mul(size, square), s.poly(square, c.asinh), size)
    radicand = s.muladd(size, size, 1.0)
    lost = s.exact_muladd(size, size, s.sub(1.0, radicand))
    root, root_low = _root(s, radicand, lost)
    far = _log_of_pair(s, size, root, size, root_low)
    return s.copysign(s.select(s.fcmp("<", size, c.near), near, far), x)


def arccosh(s: Scalar, x: ir.Value) -> ir.Value:
    """The inverse hyperbolic cosine. NaN below 1, as the root is."""
    c, d = constants_of(x), s.sub(x, 1.0)
    close = s.fcmp("<", d, c.near)
    square, square_low = s.two_prod(x, x)
    radicand, lost = s.fast_two_sum(square, s.const(x, -1.0))
    radicand = s.select(close, s.add(d, d), radicand)
    root, root_low = _root(s, radicand, s.select(close, 0.0, s.add(lost, square_low)))
    near = s.add(root, s.muladd(s.mul(root, d), s.poly(d, c.acosh), root_low))
    return s.select(close, near, _log_of_pair(s, x, x, root, root_low))


def arctanh(s: Scalar, x: ir.Value) -> ir.Value:
    """The inverse hyperbolic tangent. Infinite at 1, NaN beyond."""
    c, size = constants_of(x), s.abs(x)
    square = s.mul(size, size)
    near = s.muladd(s.mul(size, square), s.poly(square, c.atanh), size)
    top, top_low = s.fast_two_sum(s.const(x, 1.0), size)
    bottom = s.sub(1.0, size)
    quotient = s.div(top, bottom)
    rest = s.add(s.exact_muladd(s.neg(quotient), bottom, top), top_low)
    if c.near < 0.5:
        rest = s.muladd(s.neg(quotient), s.sub(s.sub(1.0, bottom), size), rest)
    low = s.mul(rest, rough_inverse(s, bottom))
    far = s.mul(c.log_of_sum(s, quotient, low, s.const(x, 0.0)), 0.5)
    edge = s.select(s.fcmp("==", size, 1.0), s.const(x, float("inf")), s.const(x, float("nan")))
    value = s.select(s.fcmp("<", size, 1.0), far, edge)
    return s.copysign(s.select(s.fcmp("<", size, c.near), near, value), x)
