"""`astype` in registers: C casts as NumPy does them on this kind of machine.

A float outside the integer's range: like the conversion instructions of x86, everything invalid becomes the
smallest int32 or int64, and narrower integers are the low bits of the int32 (so NaN to uint8 is 0).
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir

from fuse.codegen.dtypes import I32, I64, register_type
from fuse.codegen.scalar import Scalar, with_element


def emit_convert(s: Scalar, value: ir.Value, source: np.dtype, target: np.dtype) -> ir.Value:
    """`value` of dtype `source` as dtype `target`."""
    if register_type(source) == register_type(target):  # also dates, and signed for unsigned
        return value
    if target.kind == "b":
        return _to_bool(s, value, source)
    if source.kind == "f":
        return _from_float(s, value, source, target)
    return _from_int(s, value, source, target)


def _to_bool(s: Scalar, value: ir.Value, source: np.dtype) -> ir.Value:
    if source.kind == "f":
        return s.fcmp("!=", value, ir.Constant(value.type, None))
    return s.icmp("!=", value, 0)


def _from_float(s: Scalar, value: ir.Value, source: np.dtype, target: np.dtype) -> ir.Value:
    b, kind = s.builder, with_element(value.type, register_type(target))
    if target.kind == "f":
        if source.itemsize == 8 and target.itemsize == 2:
            value = _to_odd_single(s, value)
        return b.fptrunc(value, kind) if target.itemsize < source.itemsize else b.fpext(value, kind)
    if source.itemsize == 2:
        value = b.fpext(value, with_element(value.type, ir.FloatType()))
    wide = I64 if target.itemsize == 8 else I32
    if target.kind == "u" and target.itemsize >= 4:
        return _to_unsigned(s, value, wide)
    number = _to_signed(s, value, wide)
    return number if target.itemsize >= 4 else b.trunc(number, kind)


def _to_odd_single(s: Scalar, value: ir.Value) -> ir.Value:
    """Double to single, rounded to odd: that to half is then what rounding the double at once gives."""
    near = s.fptrunc(value)
    back = s.fpext(near)
    word = s.bits(near)
    below = s.select(s.fcmp(">", s.abs(back), s.abs(value)), s.sub(word, 1), word)
    inexact = s.and_(s.fcmp("!=", back, value), s.not_(s.isnan(value)))
    return s.from_bits(s.select(inexact, s.or_(below, 1), word))


def _to_signed(s: Scalar, value: ir.Value, element: ir.IntType) -> ir.Value:
    """The conversion instruction: the smallest integer for everything that does not fit."""
    limit = 2.0 ** (element.width - 1)
    fits = s.and_(s.fcmp(">=", value, -limit), s.fcmp("<", value, limit))
    number = s.to_int(s.select(fits, value, 0.0), element)
    return s.select(fits, number, -(1 << (element.width - 1)))


def _to_unsigned(s: Scalar, value: ir.Value, element: ir.IntType) -> ir.Value:
    """Below half the range as a signed integer; from there on, that much less and the top bit set."""
    half = 2.0 ** (element.width - 1)
    large = s.fcmp(">=", value, half)
    low = _to_signed(s, value, element)
    high = s.xor(_to_signed(s, s.sub(value, half), element), -(1 << (element.width - 1)))
    return s.select(large, high, low)


def _from_int(s: Scalar, value: ir.Value, source: np.dtype, target: np.dtype) -> ir.Value:
    b, kind = s.builder, with_element(value.type, register_type(target))
    signed = source.kind in "imM"
    if target.kind == "f":
        if target.itemsize == 2:
            single = with_element(value.type, ir.FloatType())  # NumPy too goes through single
            return b.fptrunc(b.sitofp(value, single) if signed else b.uitofp(value, single), kind)
        return b.sitofp(value, kind) if signed else b.uitofp(value, kind)
    width = register_type(source).width
    if width > register_type(target).width:
        return b.trunc(value, kind)
    return b.sext(value, kind) if signed and source.kind != "b" else b.zext(value, kind)


def as_bool_byte(s: Scalar, value: ir.Value) -> ir.Value:
    """One bit as the byte that an array holds."""
    return s.builder.zext(value, with_element(value.type, ir.IntType(8)))
