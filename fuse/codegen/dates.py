"""Dates and time spans of one unit: integers of which the smallest means that there is none (NaT).

What is made of NaT is NaT, and it is neither ordered nor equal, not even to itself. A span times or over a
number that is not finite, or over zero, is NaT too. Left out: what changes units, which front ends do before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from llvmlite import ir

from fuse.codegen.conversions import emit_convert
from fuse.codegen.scalar import DOUBLE, Scalar, with_element

NAT = -(1 << 63)
Emitter = Callable[[Scalar, Sequence[ir.Value]], ir.Value]
_DOUBLE, _SPAN = np.dtype(np.float64), np.dtype(np.int64)


def emit_on_dates(s: Scalar, op: str, operands: Sequence[ir.Value], dtypes: Sequence[np.dtype]) -> ir.Value:
    """One op of which some operand is a date or a span."""
    kinds = "".join("d" if dtype.kind == "f" else "q" if dtype.kind == "i" else "m" for dtype in dtypes)
    return (_WITH_NUMBERS.get((op, kinds)) or DATE_OPS[op])(s, operands)


def _is_missing(s: Scalar, *values: ir.Value) -> ir.Value:
    first, *rest = (s.icmp("==", value, NAT) for value in values)
    for other in rest:
        first = s.or_(first, other)
    return first


def _or_nat(s: Scalar, missing: ir.Value, value: ir.Value) -> ir.Value:
    return s.select(missing, s.const(value, NAT), value)


def _compare(relation: str) -> Emitter:
    def on_dates(s: Scalar, v: Sequence[ir.Value]) -> ir.Value:
        missing, holds = _is_missing(s, *v), s.icmp(relation, v[0], v[1])
        return s.or_(holds, missing) if relation == "!=" else s.and_(holds, s.not_(missing))

    return on_dates


def _arithmetic(method: str) -> Emitter:
    """NaT when either is."""

    def emit(s: Scalar, v: Sequence[ir.Value]) -> ir.Value:
        return _or_nat(s, _is_missing(s, *v), getattr(s, method)(*v))

    return emit


def _absolute(s: Scalar, v: Sequence[ir.Value]) -> ir.Value:
    (value,) = v  # the negative of NaT is NaT
    return s.select(s.icmp("<", value, 0), s.neg(value), value)


def _extreme(relation: str, keeps_nat: bool) -> Emitter:
    """maximum and minimum give NaT when either is; fmax and fmin the one that is not."""

    def emit(s: Scalar, v: Sequence[ir.Value]) -> ir.Value:
        left, right = v
        found = s.select(s.icmp(relation, left, right), left, right)
        if keeps_nat:
            return _or_nat(s, _is_missing(s, left, right), found)
        found = s.select(_is_missing(s, left), right, found)
        return s.select(_is_missing(s, right), left, found)

    return emit


# Spans and numbers


def _times(s: Scalar, span: ir.Value, number: ir.Value) -> ir.Value:
    return _or_nat(s, _is_missing(s, span), s.mul(span, number))


def _from_float(s: Scalar, span: ir.Value, value: ir.Value) -> ir.Value:
    """What does not fit converts to the smallest integer, which is NaT."""
    return _or_nat(s, _is_missing(s, span), emit_convert(s, value, _DOUBLE, _SPAN))


def _as_float(s: Scalar, span: ir.Value) -> ir.Value:
    return s.builder.sitofp(span, with_element(span.type, DOUBLE))


def _times_float(s: Scalar, span: ir.Value, number: ir.Value) -> ir.Value:
    return _from_float(s, span, s.mul(_as_float(s, span), number))


def _over_float(s: Scalar, v: Sequence[ir.Value]) -> ir.Value:
    span, number = v
    return _from_float(s, span, s.div(_as_float(s, span), number))


def _ratio(s: Scalar, v: Sequence[ir.Value]) -> ir.Value:
    quotient = s.div(_as_float(s, v[0]), _as_float(s, v[1]))
    return s.select(_is_missing(s, *v), s.const(quotient, float("nan")), quotient)


def _parted(s: Scalar, v: Sequence[ir.Value]) -> tuple[ir.Value, ir.Value, ir.Value]:
    """(whether there is no answer, the quotient and the rest, rounded down)."""
    value, divisor = v
    none = s.or_(_is_missing(s, *v), s.icmp("==", divisor, 0))
    safe = s.select(none, s.const(divisor, 1), divisor)
    quotient, b = s.builder.sdiv(value, safe), s.builder
    rest = s.sub(value, s.mul(quotient, safe))
    lower = s.and_(s.icmp("!=", rest, 0), s.icmp("<", s.xor(rest, safe), 0))
    return none, s.sub(quotient, b.zext(lower, value.type)), s.select(lower, s.add(rest, safe), rest)


def _floor_ratio(s: Scalar, v: Sequence[ir.Value]) -> ir.Value:
    none, quotient, _ = _parted(s, v)
    return s.select(none, s.const(quotient, 0), quotient)


def _remainder(s: Scalar, v: Sequence[ir.Value]) -> ir.Value:
    none, _, rest = _parted(s, v)
    return _or_nat(s, none, rest)


_RELATIONS = {
    "equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=",
}  # fmt: skip

DATE_OPS: Mapping[str, Emitter] = {
    **{name: _compare(relation) for name, relation in _RELATIONS.items()},
    "add": _arithmetic("add"),
    "subtract": _arithmetic("sub"),
    "negative": lambda s, v: s.neg(v[0]),
    "positive": lambda s, v: v[0],
    "absolute": _absolute,
    "maximum": _extreme(">", True),
    "minimum": _extreme("<", True),
    "fmax": _extreme(">", False),
    "fmin": _extreme("<", False),
    "divide": _ratio,
    "floor_divide": _floor_ratio,
    "remainder": _remainder,
    "isnat": lambda s, v: _is_missing(s, v[0]),
    "isfinite": lambda s, v: s.icmp("!=", v[0], NAT),
    "isinf": lambda s, v: s.const(with_element(v[0].type, ir.IntType(1)), 0),
}

_WITH_NUMBERS: Mapping[tuple[str, str], Emitter] = {
    ("multiply", "mq"): lambda s, v: _times(s, v[0], v[1]),
    ("multiply", "qm"): lambda s, v: _times(s, v[1], v[0]),
    ("multiply", "md"): lambda s, v: _times_float(s, v[0], v[1]),
    ("multiply", "dm"): lambda s, v: _times_float(s, v[1], v[0]),
    ("divide", "md"): _over_float,
}
