"""Complex numbers: the one place that knows that a value is two.

In registers as in memory a complex number is an integer of its size, which everything that only moves values
(loads, stores, tiles, choices) takes as any other. An op takes its operands apart into vectors of real and of
imaginary parts, computes with those, and puts the result together; what was put together is remembered, so
that a chain of ops never takes apart what it has just made.

Products and quotients are NumPy's: a product with one multiply-add for each part where the target has it, a
quotient by Smith's method.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from llvmlite import ir

from fuse.codegen.conversions import emit_convert
from fuse.codegen.dtypes import I32, register_type, vector
from fuse.codegen.math import MATH
from fuse.codegen.scalar import DOUBLE, FLOAT, Scalar, lanes_of, with_element

Pair: TypeAlias = tuple[ir.Value, ir.Value]
Emitter = Callable[[Scalar, Pair, Pair], ir.Value]


def part_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype of the real part."""
    return np.dtype(np.float32 if dtype.itemsize == 8 else np.float64)


def parts(s: Scalar, value: ir.Value) -> Pair:
    """The real and the imaginary parts of a register."""
    known = s.pairs.get(id(value))
    if known is not None:
        return known
    b, lanes = s.builder, lanes_of(value.type)
    width = value.type.element.width if isinstance(value.type, ir.VectorType) else value.type.width
    both = b.bitcast(value, vector(FLOAT if width == 64 else DOUBLE, 2 * lanes))
    if not isinstance(value.type, ir.VectorType):
        return b.extract_element(both, I32(0)), b.extract_element(both, I32(1))
    return _picked(b, both, range(0, 2 * lanes, 2)), _picked(b, both, range(1, 2 * lanes, 2))


def joined(s: Scalar, real: ir.Value, imaginary: ir.Value) -> ir.Value:
    """The register with these parts."""
    b, lanes = s.builder, lanes_of(real.type)
    element = real.type.element if isinstance(real.type, ir.VectorType) else real.type
    if isinstance(real.type, ir.VectorType):
        order = [I32(place + half * lanes) for place in range(lanes) for half in (0, 1)]
        both = b.shuffle_vector(real, imaginary, ir.Constant(vector(I32, 2 * lanes), order))
    else:
        both = ir.Constant(vector(element, 2), ir.Undefined)
        both = b.insert_element(b.insert_element(both, real, I32(0)), imaginary, I32(1))
    value = b.bitcast(both, with_element(real.type, ir.IntType(64 if element == FLOAT else 128)))
    s.pairs[id(value)] = real, imaginary
    return value


def _picked(b: ir.IRBuilder, value: ir.Value, lanes: range) -> ir.Value:
    mask = ir.Constant(vector(I32, len(lanes)), [I32(lane) for lane in lanes])
    return b.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), mask)


def emit_complex(s: Scalar, op: str, operands: Sequence[ir.Value], result: np.dtype) -> ir.Value:
    """An elementwise op whose operands are complex numbers, or that makes them of two parts."""
    if op == "complex":
        return joined(s, *operands)
    if op == "select":
        condition, then, otherwise = operands
        pairs = zip(parts(s, then), parts(s, otherwise), strict=True)
        return joined(s, *(s.select(condition, left, right) for left, right in pairs))
    if op in _UNARY:
        (value,) = operands
        return _UNARY[op](s, *parts(s, value))
    left, right = operands
    return _BINARY[op](s, parts(s, left), parts(s, right))


def convert_complex(s: Scalar, value: ir.Value, source: np.dtype, target: np.dtype) -> ir.Value:
    """`astype` from or to complex numbers: a number is a real part; the imaginary part is dropped."""
    if source == target:
        return value
    if source.kind != "c":
        real = emit_convert(s, value, source, part_dtype(target))
        return joined(s, real, s.const(real, 0.0))
    real, imaginary = parts(s, value)
    if target.kind == "b":
        return s.or_(s.fcmp("!=", real, 0.0), s.fcmp("!=", imaginary, 0.0))
    if target.kind != "c":
        return emit_convert(s, real, part_dtype(source), target)
    inner = part_dtype(source), part_dtype(target)
    return joined(s, emit_convert(s, real, *inner), emit_convert(s, imaginary, *inner))


# Arithmetic


def _add(s: Scalar, left: Pair, right: Pair) -> ir.Value:
    return joined(s, s.add(left[0], right[0]), s.add(left[1], right[1]))


def _subtract(s: Scalar, left: Pair, right: Pair) -> ir.Value:
    return joined(s, s.sub(left[0], right[0]), s.sub(left[1], right[1]))


def _multiply(s: Scalar, left: Pair, right: Pair) -> ir.Value:
    (a, b), (c, d) = left, right
    return joined(s, s.muladd(a, c, s.neg(s.mul(b, d))), s.muladd(a, d, s.mul(b, c)))


def _divide(s: Scalar, left: Pair, right: Pair) -> ir.Value:
    """Smith's method: divide by the larger part first. A zero divisor divides both parts by its size."""
    (a, b), (c, d) = left, right
    size, other = s.abs(c), s.abs(d)
    is_real = s.fcmp(">=", size, other)
    is_zero = s.and_(s.fcmp("==", size, 0.0), s.fcmp("==", other, 0.0))
    large, small = s.select(is_real, c, d), s.select(is_real, d, c)
    ratio = s.div(small, large)
    scale = s.div(s.const(large, 1.0), s.add(large, s.mul(small, ratio)))
    first, second = s.select(is_real, a, b), s.select(is_real, b, a)
    real = s.mul(s.add(first, s.mul(second, ratio)), scale)
    low, high = s.select(is_real, b, s.mul(b, ratio)), s.select(is_real, s.mul(a, ratio), a)
    imaginary = s.mul(s.sub(low, high), scale)
    return joined(s, s.select(is_zero, s.div(a, size), real), s.select(is_zero, s.div(b, size), imaginary))


# Comparisons: by the real part, then by the imaginary one; with a NaN in either nothing is less


def _equal(s: Scalar, left: Pair, right: Pair) -> ir.Value:
    return s.and_(s.fcmp("==", left[0], right[0]), s.fcmp("==", left[1], right[1]))


def _not_equal(s: Scalar, left: Pair, right: Pair) -> ir.Value:
    return s.or_(s.fcmp("!=", left[0], right[0]), s.fcmp("!=", left[1], right[1]))


def _ordered(first: str, second: str) -> Emitter:
    def compare(s: Scalar, left: Pair, right: Pair) -> ir.Value:
        numbers = s.not_(s.or_(s.isnan(left[1]), s.isnan(right[1])))
        apart = s.and_(s.fcmp(first, left[0], right[0]), numbers)
        return s.or_(apart, s.and_(s.fcmp("==", left[0], right[0]), s.fcmp(second, left[1], right[1])))

    return compare


def _truths(combine: str) -> Emitter:
    def emit(s: Scalar, left: Pair, right: Pair) -> ir.Value:
        truth: ir.Value = getattr(s, combine)(_truth(s, *left), _truth(s, *right))
        return truth

    return emit


def _truth(s: Scalar, real: ir.Value, imaginary: ir.Value) -> ir.Value:
    return s.or_(s.fcmp("!=", real, 0.0), s.fcmp("!=", imaginary, 0.0))


_BINARY: Mapping[str, Emitter] = {
    "add": _add, "subtract": _subtract, "multiply": _multiply, "divide": _divide,
    "equal": _equal, "not_equal": _not_equal,
    "less": _ordered("<", "<"), "less_equal": _ordered("<", "<="),
    "greater": _ordered(">", ">"), "greater_equal": _ordered(">", ">="),
    "logical_and": _truths("and_"), "logical_or": _truths("or_"), "logical_xor": _truths("xor"),
}  # fmt: skip


# One operand


def _square(s: Scalar, real: ir.Value, imaginary: ir.Value) -> ir.Value:
    product = s.mul(real, imaginary)
    return joined(s, s.muladd(real, real, s.neg(s.mul(imaginary, imaginary))), s.add(product, product))


def _infinite(s: Scalar, value: ir.Value) -> ir.Value:
    return s.fcmp("==", s.abs(value), float("inf"))


def _finite(s: Scalar, value: ir.Value) -> ir.Value:
    return s.fcmp("<", s.abs(value), float("inf"))


_UNARY: Mapping[str, Callable[[Scalar, ir.Value, ir.Value], ir.Value]] = {
    "real": lambda s, x, y: x,
    "imag": lambda s, x, y: y,
    "positive": joined,
    "negative": lambda s, x, y: joined(s, s.neg(x), s.neg(y)),
    "conjugate": lambda s, x, y: joined(s, x, s.neg(y)),
    "absolute": MATH["hypot"],
    "square": _square,
    "logical_not": lambda s, x, y: s.not_(_truth(s, x, y)),
    "isnan": lambda s, x, y: s.or_(s.isnan(x), s.isnan(y)),
    "isinf": lambda s, x, y: s.or_(_infinite(s, x), _infinite(s, y)),
    "isfinite": lambda s, x, y: s.and_(_finite(s, x), _finite(s, y)),
}

OPS = frozenset(_UNARY) | frozenset(_BINARY) | {"complex", "select", "convert"}


def constant_parts(s: Scalar, value: ir.Value, kind: ir.Type, dtype: np.dtype) -> ir.Value:
    """A number of the register type `kind` from one element, in all lanes."""
    real, imaginary = parts(s, value)
    element = with_element(kind, register_type(part_dtype(dtype)))
    return joined(s, _spread(s, real, element), _spread(s, imaginary, element))


def _spread(s: Scalar, value: ir.Value, kind: ir.Type) -> ir.Value:
    if not isinstance(kind, ir.VectorType):
        return value
    first = s.builder.insert_element(ir.Constant(kind, ir.Undefined), value, I32(0))
    return s.builder.shuffle_vector(
        first, ir.Constant(kind, ir.Undefined), ir.Constant(vector(I32, kind.count), None)
    )
