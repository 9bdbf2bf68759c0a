"""The operations on floats that an op on complex numbers or on time spans consists of.

What NumPy warns of happens in these: a quotient of complex numbers overflows where one of its products does,
although the quotient is finite. They are written as nodes, so that the rules of floats judge them
(fuse/ir/float_errors.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from fuse.ir import build
from fuse.ir.node import Node

Pair = tuple[Node, Node]
_op = build.elementwise


class Step(NamedTuple):
    """One operation, and for which elements it is done."""

    node: Node
    where: Node | None = None


def float_steps(node: Node) -> Iterator[Step]:
    """What an op with complex or span operands computes in floats; nothing where that cannot fail."""
    kinds = [value.dtype.kind for value in node.inputs]
    if "c" in kinds and node.op in _COMPLEX:
        yield from _COMPLEX[node.op](*map(_parts, node.inputs))
    elif "m" in kinds and node.op in ("multiply", "divide"):
        yield from _on_spans(node)


def _parts(value: Node) -> Pair:
    return _op("real", value), _op("imag", value)


def _partwise(op: str) -> Callable[[Pair, Pair], Iterator[Step]]:
    return lambda left, right: (Step(_op(op, *both)) for both in zip(left, right, strict=True))


def _product(left: Pair, right: Pair) -> Iterator[Step]:
    (a, b), (c, d) = left, right
    products = [_op("multiply", *both) for both in ((a, c), (b, d), (a, d), (b, c))]
    return map(Step, (*products, _op("subtract", *products[:2]), _op("add", *products[2:])))


def _size(value: Pair) -> Iterator[Step]:
    yield Step(_op("hypot", *value))


def _quotient(left: Pair, right: Pair) -> Iterator[Step]:
    """Smith's method; a zero divides both parts by its size."""
    (a, b), (c, d) = left, right
    size, other = _op("absolute", c), _op("absolute", d)
    zero, is_real = build.constant(0, c.dtype), _op("greater_equal", size, other)
    is_zero = _op("logical_and", _op("equal", size, zero), _op("equal", other, zero))
    yield from (Step(_op("divide", part, size), is_zero) for part in (a, b))
    large, small = _op("select", is_real, c, d), _op("select", is_real, d, c)
    first, second = _op("select", is_real, a, b), _op("select", is_real, b, a)
    ratio = _op("divide", small, large)
    products = [_op("multiply", part, ratio) for part in (small, second, first)]
    divisor, real = _op("add", large, products[0]), _op("add", first, products[1])
    imaginary, scale = (
        _op("subtract", second, products[2]),
        _op("divide", build.constant(1, c.dtype), divisor),
    )
    results = [_op("multiply", part, scale) for part in (real, imaginary)]
    for step in (ratio, *products, divisor, real, imaginary, scale, *results):
        yield Step(step, _op("logical_not", is_zero))


_COMPLEX: Mapping[str, Callable[..., Iterator[Step]]] = {
    "add": _partwise("add"),
    "subtract": _partwise("subtract"),
    "multiply": _product,
    "square": lambda value: _product(value, value),
    "divide": _quotient,
    "absolute": _size,
}


def _on_spans(node: Node) -> Iterator[Step]:
    """A span times or over a float, or over a span, where none is NaT; what is finite becomes a span."""
    if any(value.dtype.kind in "iu" for value in node.inputs):
        return
    spans = [value for value in node.inputs if value.dtype.kind == "m"]
    there = _op("logical_not", _op("isnat", spans[0]))
    for other in spans[1:]:
        there = _op("logical_and", there, _op("logical_not", _op("isnat", other)))
    floats = (value if value.dtype.kind == "f" else _count(value) for value in node.inputs)
    found = _op(node.op, *floats)
    yield Step(found, there)
    if node.dtype.kind == "m":
        finite = _op("logical_and", there, _op("isfinite", found))
        yield Step(build.convert(found, np.int64), finite)


def _count(span: Node) -> Node:
    return build.convert(build.bitcast(span, np.int64), np.float64)
