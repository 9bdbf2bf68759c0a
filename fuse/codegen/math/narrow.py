"""Single-precision functions in plain double arithmetic: the formulas of the double functions without their
pairs.

A double carries 29 bits more than the result, so rounding errors on the way do not show; the tables and
polynomials are those of the double functions. Each function takes and gives back doubles; `dispatch.widened`
converts.
"""

from __future__ import annotations

import math

from llvmlite import ir

from fuse.codegen.math.coefficients import ATAN, SINH
from fuse.codegen.math.exponential import exp
from fuse.codegen.math.logarithm import log1p_pair
from fuse.codegen.scalar import Scalar

TAN_EIGHTH = 0.41421356237309503
INFINITY = float("inf")


def sinh(s: Scalar, x: ir.Value) -> ir.Value:
    """An odd polynomial below 1, else (E - 1/E)/2."""
    size = s.abs(x)
    square = s.mul(size, size)
    small = s.muladd(s.mul(size, square), s.poly(square, SINH), size)
    power = exp(s, size)
    large = s.mul(s.sub(power, s.div(1.0, power)), 0.5)
    return s.copysign(s.select(s.fcmp("<", size, 1.0), small, large), x)


def cosh(s: Scalar, x: ir.Value) -> ir.Value:
    """(E + 1/E)/2."""
    power = exp(s, s.abs(x))
    return s.mul(s.add(power, s.div(1.0, power)), 0.5)


def _log1p(s: Scalar, x: ir.Value) -> ir.Value:
    return s.add(*log1p_pair(s, x))


def arcsinh(s: Scalar, x: ir.Value) -> ir.Value:
    """log(1 + a), a = |x| + x*x/(1 + sqrt(1 + x*x))."""
    size = s.abs(x)
    square = s.mul(size, size)
    root = s.sqrt(s.add(square, 1.0))
    value = _log1p(s, s.add(size, s.div(square, s.add(root, 1.0))))
    return s.copysign(s.select(s.fcmp("<", size, INFINITY), value, size), x)


def arccosh(s: Scalar, x: ir.Value) -> ir.Value:
    """log(1 + a), a = d + sqrt(d(d + 2)), d = x - 1."""
    d = s.sub(x, 1.0)
    value = _log1p(s, s.add(d, s.sqrt(s.mul(d, s.add(d, 2.0)))))
    value = s.select(s.fcmp("<", x, INFINITY), value, x)
    return s.select(s.fcmp("<", x, 1.0), float("nan"), value)


def arctanh(s: Scalar, x: ir.Value) -> ir.Value:
    """log(1 + 2x/(1 - x))/2."""
    size = s.abs(x)
    inside = s.fcmp("<", size, 1.0)
    inner = s.select(inside, size, s.const(x, 0.5))
    value = s.mul(_log1p(s, s.div(s.add(inner, inner), s.sub(1.0, inner))), 0.5)
    edge = s.select(s.fcmp("==", size, 1.0), s.const(x, INFINITY), s.const(x, float("nan")))
    return s.copysign(s.select(inside, value, edge), x)


def _first_quadrant(s: Scalar, y: ir.Value, x: ir.Value) -> ir.Value:
    """arctan2 of non-negative y and x, not both infinite."""
    steep = s.fcmp(">", y, x)
    small, large = s.select(steep, x, y), s.select(steep, y, x)
    large = s.select(s.fcmp("==", large, 0.0), 1.0, large)
    far = s.fcmp(">", small, s.mul(large, TAN_EIGHTH))
    top = s.select(far, s.sub(small, large), small)
    t = s.div(top, s.select(far, s.add(small, large), large))
    square = s.mul(t, t)
    angle = s.muladd(s.mul(t, square), s.poly(square, ATAN), t)
    angle = s.add(angle, s.select(far, s.const(t, math.pi / 4), 0.0))
    return s.select(steep, s.sub(math.pi / 2, angle), angle)


def arctan(s: Scalar, x: ir.Value) -> ir.Value:
    """By octants, as arctan2."""
    value = s.copysign(_first_quadrant(s, s.abs(x), s.const(x, 1.0)), x)
    return s.select(s.isnan(x), x, value)


def arctan2(s: Scalar, y: ir.Value, x: ir.Value) -> ir.Value:
    """By octants; infinite coordinates are brought down to where their ratios decide as they should."""
    high, wide = s.min(s.abs(y), 2.0**400), s.min(s.abs(x), 2.0**400)
    angle = _first_quadrant(s, high, wide)
    left = s.icmp("<", s.bits(x), 0)
    value = s.copysign(s.select(left, s.sub(math.pi, angle), angle), y)
    return s.select(s.fcmp("uno", x, y), s.add(x, y), value)
