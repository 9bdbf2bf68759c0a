"""Emitters of the elementwise ops: a table from op to a function over registers.

Every row has NumPy's meaning on the dtypes of one of its loops. Half precision computes in single and rounds
after every op, as NumPy's loops do. Lanes past the end of the data hold arbitrary bits, so no emitter may
trap: integer division substitutes its divisor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from llvmlite import ir

from fuse.codegen.complex import OPS as COMPLEX_OPS
from fuse.codegen.complex import convert_complex, emit_complex
from fuse.codegen.conversions import emit_convert
from fuse.codegen.dates import DATE_OPS, emit_on_dates
from fuse.codegen.math import MATH
from fuse.codegen.scalar import Scalar, element_of, with_element

Emitter = Callable[[Scalar, np.dtype, Sequence[ir.Value]], ir.Value]
_HALF = np.dtype(np.float16)
_SINGLE = np.dtype(np.float32)


def emit_op(
    s: Scalar, op: str, operands: Sequence[ir.Value], dtypes: Sequence[np.dtype], result: np.dtype
) -> ir.Value:
    """One elementwise op on registers; `dtypes` are those of the operands."""
    value = _emit_op(s, op, operands, dtypes, result)
    if s.checked is not None:
        s.checked(op, operands, dtypes, value, result)
    return value


def _emit_op(
    s: Scalar, op: str, operands: Sequence[ir.Value], dtypes: Sequence[np.dtype], result: np.dtype
) -> ir.Value:
    if result.kind == "c" or dtypes[0].kind == "c":
        if op == "convert":
            return convert_complex(s, operands[0], dtypes[0], result)
        return emit_complex(s, op, operands, result)
    if op == "convert":
        return emit_convert(s, operands[0], dtypes[0], result)
    if op == "bitcast":
        return _emit_bitcast(s, operands[0], dtypes[0], result)
    if op == "select":
        return s.select(operands[0], operands[1], operands[2])
    if any(dtype == _HALF for dtype in dtypes) and op not in _ON_HALF:
        return _emit_half(s, op, operands, dtypes, result)
    dtype = dtypes[0]
    if any(operand.kind in "mM" for operand in dtypes):
        return emit_on_dates(s, op, operands, dtypes)
    family = {"b": _BOOL, "f": _FLOAT}.get(dtype.kind, _INTEGER)
    return family[op](s, dtype, operands)


def _emit_half(
    s: Scalar, op: str, operands: Sequence[ir.Value], dtypes: Sequence[np.dtype], result: np.dtype
) -> ir.Value:
    wide = [
        emit_convert(s, v, d, _SINGLE) if d == _HALF else v for v, d in zip(operands, dtypes, strict=True)
    ]
    kinds = [_SINGLE if dtype == _HALF else dtype for dtype in dtypes]
    value = (_EXTREMES_OF_HALVES.get(op) or _FLOAT[op])(s, kinds[0], wide)
    return emit_convert(s, value, _SINGLE, _HALF) if result == _HALF else value


def _emit_bitcast(s: Scalar, value: ir.Value, source: np.dtype, target: np.dtype) -> ir.Value:
    from fuse.codegen.dtypes import register_type

    kind = with_element(value.type, register_type(target))
    if source.kind == "b" or target.kind == "b":
        return emit_convert(s, value, source, target)
    return value if kind == value.type else s.builder.bitcast(value, kind)


# Comparisons and choices


def _compare(relation: str) -> Emitter:
    def on_float(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
        return s.fcmp(relation, v[0], v[1])

    return on_float


def _compare_integer(relation: str) -> Emitter:
    def on_integer(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
        return s.icmp(relation, v[0], v[1], signed=dtype.kind in "imM")

    return on_integer


_RELATIONS = {
    "equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=",
}  # fmt: skip


def _float_extreme(relation: str, keeps_nan: bool) -> Emitter:
    """maximum and minimum give the first operand's NaN, else the second's; fmax and fmin the one that is a
    number.

    Of equal operands (0.0 and -0.0) the second is given, as NumPy's vector loops do.
    """

    def emit(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
        left, right = v
        better = s.select(s.fcmp(relation, left, right), left, right)  # one instruction, where there is one
        return s.select(s.isnan(left if keeps_nan else right), left, better)

    return emit


_EXTREMES_OF_HALVES: dict[str, Emitter] = {
    "maximum": _float_extreme(">=", True),
    "minimum": _float_extreme("<=", True),
    "fmax": _float_extreme(">=", False),
    "fmin": _float_extreme("<=", False),
}
"""NumPy has no vector loop for float16: of equal operands its loop gives the first."""


def _integer_extreme(relation: str) -> Emitter:
    def emit(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
        return s.select(s.icmp(relation, v[0], v[1], signed=dtype.kind in "imM"), v[0], v[1])

    return emit


# Floats


def _float_sign(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
    (value,) = v
    magnitude = s.select(s.fcmp(">", s.abs(value), 0.0), s.const(value, 1.0), 0.0)
    signed = s.select(s.fcmp("<", value, 0.0), s.neg(magnitude), magnitude)
    return s.select(s.isnan(value), value, signed)


def _infinite(s: Scalar, value: ir.Value) -> ir.Value:
    return s.fcmp("==", s.abs(value), float("inf"))


def _sign_bit(s: Scalar, value: ir.Value) -> ir.Value:
    return s.icmp("<", s.bits(value), 0)


def _truth(s: Scalar, value: ir.Value) -> ir.Value:
    return (
        s.fcmp("!=", value, 0.0)
        if not isinstance(element_of(value.type), ir.IntType)
        else s.icmp("!=", value, 0)
    )


def _logical(combine: str) -> Emitter:
    def emit(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
        left, right = (_truth(s, value) for value in v)
        result: ir.Value = getattr(s, combine)(left, right)
        return result

    return emit


def _math(name: str) -> Emitter:
    return lambda s, dtype, v: MATH[name](s, *v)


def _binary(method: str) -> Emitter:
    def emit(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
        result: ir.Value = getattr(s, method)(*v)
        return result

    return emit


_FLOAT: dict[str, Emitter] = {
    **{name: _math(name) for name in MATH},
    **{name: _compare(relation) for name, relation in _RELATIONS.items()},
    "add": _binary("add"),
    "subtract": _binary("sub"),
    "multiply": _binary("mul"),
    "divide": _binary("div"),
    "negative": _binary("neg"),
    "positive": lambda s, dtype, v: v[0],
    "conjugate": lambda s, dtype, v: v[0],
    "absolute": _binary("abs"),
    "sign": _float_sign,
    "sqrt": _binary("sqrt"),
    "square": lambda s, dtype, v: s.mul(v[0], v[0]),
    "reciprocal": lambda s, dtype, v: s.div(s.const(v[0], 1.0), v[0]),
    "rint": _binary("rint"),
    "floor": _binary("floor"),
    "ceil": _binary("ceil"),
    "trunc": _binary("trunc"),
    "copysign": _binary("copysign"),
    "maximum": _float_extreme(">", True),
    "minimum": _float_extreme("<", True),
    "fmax": _float_extreme(">", False),
    "fmin": _float_extreme("<", False),
    "isnan": lambda s, dtype, v: s.isnan(v[0]),
    "isinf": lambda s, dtype, v: _infinite(s, v[0]),
    "isfinite": lambda s, dtype, v: s.fcmp("<", s.abs(v[0]), float("inf")),
    "signbit": lambda s, dtype, v: _sign_bit(s, v[0]),
    "logical_and": _logical("and_"),
    "logical_or": _logical("or_"),
    "logical_xor": _logical("xor"),
    "logical_not": lambda s, dtype, v: s.not_(_truth(s, v[0])),
}
_ON_HALF = frozenset({"convert", "select"})


# Integers


def _safe_divisor(
    s: Scalar, dtype: np.dtype, value: ir.Value, divisor: ir.Value
) -> tuple[ir.Value, ir.Value]:
    """A divisor that cannot trap, and the mask of zero divisors, whose result NumPy defines as 0."""
    zero = s.icmp("==", divisor, 0)
    unsafe = zero
    if dtype.kind != "u":
        smallest = -(1 << (dtype.itemsize * 8 - 1))
        unsafe = s.or_(zero, s.and_(s.icmp("==", divisor, -1), s.icmp("==", value, smallest)))
    return s.select(unsafe, s.const(divisor, 1), divisor), zero


def _floor_divide(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
    value, divisor = v
    b = s.builder
    safe, zero = _safe_divisor(s, dtype, value, divisor)
    if dtype.kind == "u":
        return s.select(zero, s.const(value, 0), b.udiv(value, safe))
    quotient = b.sdiv(value, safe)
    rest = s.sub(value, s.mul(quotient, safe))
    lower = s.and_(s.icmp("!=", rest, 0), s.icmp("<", s.xor(rest, safe), 0))
    floored = s.sub(quotient, b.zext(lower, value.type))
    return s.select(zero, s.const(value, 0), floored)


def _remainder(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
    value, divisor = v
    b = s.builder
    safe, zero = _safe_divisor(s, dtype, value, divisor)
    if dtype.kind == "u":
        return s.select(zero, s.const(value, 0), b.urem(value, safe))
    rest = b.srem(value, safe)
    adjust = s.and_(s.icmp("!=", rest, 0), s.icmp("<", s.xor(rest, safe), 0))
    return s.select(zero, s.const(value, 0), s.select(adjust, s.add(rest, safe), rest))


def _fmod(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
    value, divisor = v
    safe, zero = _safe_divisor(s, dtype, value, divisor)
    rest = s.builder.urem(value, safe) if dtype.kind == "u" else s.builder.srem(value, safe)
    return s.select(zero, s.const(value, 0), rest)


def _integer_power(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
    """By squaring, wrapping; a negative exponent, which front ends refuse, counts as its bits."""
    base, exponent = v

    def step(result: ir.Value, square: ir.Value, rest: ir.Value) -> Sequence[ir.Value]:
        odd = s.icmp("!=", s.and_(rest, 1), 0)
        return s.select(odd, s.mul(result, square), result), s.mul(square, square), s.lshr(rest, 1)

    start = (s.const(base, 1), base, exponent)
    return s.while_any(lambda r, q, rest: s.icmp("!=", rest, 0), step, start)[0]


def _gcd(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
    """Euclid's algorithm on absolute values."""
    left, right = (value if dtype.kind == "u" else _integer_absolute(s, dtype, [value]) for value in v)

    def step(a: ir.Value, b: ir.Value) -> Sequence[ir.Value]:
        safe = s.select(s.icmp("==", b, 0), s.const(b, 1), b)
        return b, s.builder.urem(a, safe)

    return s.while_any(lambda a, b: s.icmp("!=", b, 0), step, (left, right))[0]


def _lcm(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
    left, right = (value if dtype.kind == "u" else _integer_absolute(s, dtype, [value]) for value in v)
    divisor = _gcd(s, dtype, v)
    none = s.icmp("==", divisor, 0)
    quotient = s.builder.udiv(left, s.select(none, s.const(divisor, 1), divisor))
    return s.select(none, s.const(left, 0), s.mul(quotient, right))


def _integer_absolute(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
    (value,) = v
    return value if dtype.kind == "u" else s.select(s.icmp("<", value, 0), s.neg(value), value)


def _integer_sign(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
    (value,) = v
    positive = s.select(s.icmp("!=", value, 0), s.const(value, 1), 0)
    return positive if dtype.kind == "u" else s.select(s.icmp("<", value, 0), s.const(value, -1), positive)


def _shift(left: bool) -> Emitter:
    """Shifts by the width or more give what an endless register would: 0, or the sign for a right shift."""

    def emit(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
        value, count = v
        bits = dtype.itemsize * 8
        large = s.icmp(">=", count, bits, signed=False)
        safe = s.select(large, s.const(count, 0), count)
        if left:
            return s.select(large, s.const(value, 0), s.shl(value, safe))
        if dtype.kind == "u":
            return s.select(large, s.const(value, 0), s.lshr(value, safe))
        return s.ashr(value, s.select(large, s.const(count, bits - 1), count))

    return emit


def _bit_count(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
    magnitude = _integer_absolute(s, dtype, v)
    count = s.intrinsic("llvm.ctpop", magnitude)
    kind = with_element(count.type, ir.IntType(8))
    return count if count.type == kind else s.builder.trunc(count, kind)


_INTEGER: dict[str, Emitter] = {
    **{name: _compare_integer(relation) for name, relation in _RELATIONS.items()},
    "add": _binary("add"),
    "subtract": _binary("sub"),
    "multiply": _binary("mul"),
    "floor_divide": _floor_divide,
    "remainder": _remainder,
    "fmod": _fmod,
    "power": _integer_power,
    "gcd": _gcd,
    "lcm": _lcm,
    "negative": _binary("neg"),
    "positive": lambda s, dtype, v: v[0],
    "conjugate": lambda s, dtype, v: v[0],
    "absolute": _integer_absolute,
    "sign": _integer_sign,
    "square": lambda s, dtype, v: s.mul(v[0], v[0]),
    "rint": lambda s, dtype, v: v[0],
    "floor": lambda s, dtype, v: v[0],
    "ceil": lambda s, dtype, v: v[0],
    "trunc": lambda s, dtype, v: v[0],
    "maximum": _integer_extreme(">"),
    "minimum": _integer_extreme("<"),
    "fmax": _integer_extreme(">"),
    "fmin": _integer_extreme("<"),
    "isnan": lambda s, dtype, v: _mask(s, v[0], False),
    "isinf": lambda s, dtype, v: _mask(s, v[0], False),
    "isfinite": lambda s, dtype, v: _mask(s, v[0], True),
    "logical_and": _logical("and_"),
    "logical_or": _logical("or_"),
    "logical_xor": _logical("xor"),
    "logical_not": lambda s, dtype, v: s.not_(_truth(s, v[0])),
    "bitwise_and": _binary("and_"),
    "bitwise_or": _binary("or_"),
    "bitwise_xor": _binary("xor"),
    "invert": _binary("not_"),
    "left_shift": _shift(True),
    "right_shift": _shift(False),
    "bitwise_count": _bit_count,
}


def _mask(s: Scalar, like: ir.Value, truth: bool) -> ir.Value:
    return s.const(with_element(like.type, ir.IntType(1)), int(truth))


# Booleans


def _bool_order(relation: str) -> Emitter:
    """false < true."""

    def emit(s: Scalar, dtype: np.dtype, v: Sequence[ir.Value]) -> ir.Value:
        left, right = v if relation[0] == "<" else (v[1], v[0])
        return s.or_(s.not_(left), right) if relation.endswith("=") else s.and_(s.not_(left), right)

    return emit


_BOOL: dict[str, Emitter] = {
    "equal": lambda s, dtype, v: s.not_(s.xor(*v)),
    "not_equal": _binary("xor"),
    "less": _bool_order("<"),
    "less_equal": _bool_order("<="),
    "greater": _bool_order(">"),
    "greater_equal": _bool_order(">="),
    **{name: _binary("and_") for name in ("multiply", "logical_and", "bitwise_and", "minimum", "fmin")},
    **{name: _binary("or_") for name in ("add", "logical_or", "bitwise_or", "maximum", "fmax")},
    **{name: _binary("xor") for name in ("logical_xor", "bitwise_xor")},
    **{name: _binary("not_") for name in ("logical_not", "invert")},
    **{
        name: lambda s, dtype, v: v[0]
        for name in ("absolute", "positive", "floor", "ceil", "trunc", "square")
    },
    "isnan": lambda s, dtype, v: _mask(s, v[0], False),
    "isinf": lambda s, dtype, v: _mask(s, v[0], False),
    "isfinite": lambda s, dtype, v: _mask(s, v[0], True),
}


_FAMILIES: Mapping[str, Mapping[str, Callable[..., ir.Value]]] = {
    "b": _BOOL, "f": _FLOAT, "i": _INTEGER, "u": _INTEGER, "m": DATE_OPS, "M": DATE_OPS,
}  # fmt: skip


def emitted_ops(kind: str) -> frozenset[str]:
    """The ops that have an emitter for operands of a dtype kind."""
    if kind == "c":
        return COMPLEX_OPS
    makes = {"complex"} if kind == "f" else set()
    return frozenset(_FAMILIES[kind]) | {"convert", "bitcast", "select"} | makes
