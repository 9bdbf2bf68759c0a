"""How an element of a NumPy dtype lies in a register and in memory."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from llvmlite import ir

I1, I8, I16, I32, I64 = (ir.IntType(bits) for bits in (1, 8, 16, 32, 64))
POINTER = ir.PointerType()

_FLOATS: Mapping[int, ir.Type] = {2: ir.HalfType(), 4: ir.FloatType(), 8: ir.DoubleType()}
_INTS: Mapping[int, ir.Type] = {1: I8, 2: I16, 4: I32, 8: I64}


def register_type(dtype: np.dtype) -> ir.Type:
    """The type of a value of this dtype; bool is one bit, dates are int64, a complex number is an integer of
    its size (fuse/codegen/complex.py).
    """
    if dtype.kind == "b":
        return I1
    if dtype.kind == "c":
        return ir.IntType(8 * dtype.itemsize)
    return _FLOATS[dtype.itemsize] if dtype.kind == "f" else _INTS[dtype.itemsize]


def memory_type(dtype: np.dtype) -> ir.Type:
    """The type of an element in an array; bool is a byte."""
    return I8 if dtype.kind == "b" else register_type(dtype)


def alignment(dtype: np.dtype) -> int:
    """To how many bytes an element in an array is aligned: a complex number like its parts."""
    return dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize


def vector(element: ir.Type, lanes: int) -> ir.Type:
    """A vector type."""
    return ir.VectorType(element, lanes)


def word(value: int) -> ir.Constant:
    """An int64 constant."""
    return ir.Constant(I64, value)
