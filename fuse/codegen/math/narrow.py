"""arctan and arctan2 of singles in plain double arithmetic: the formulas of the double functions without
their pairs. They serve targets without a fused multiply-add, and points that `single_trigonometric` leaves
out.

A double carries 29 bits more than the result, so rounding errors on the way do not show; the polynomial is
that of the double functions. Each function takes and gives back doubles; `dispatch` converts.
"""

from __future__ import annotations

import math

from llvmlite import ir

from fuse.codegen.math.coefficients import ATAN
from fuse.codegen.scalar import Scalar

TAN_EIGHTH = 0.41421356237309503


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
