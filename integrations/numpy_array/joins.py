"""Joining arrays: concatenate, stack, column_stack, vstack, hstack, and where; products: dot and matmul."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from fuse.integrations.numpy_array.base import LazyArray, Unsupported, from_node, length, location
from fuse.integrations.numpy_array.elementwise import broadcast_operands, node
from fuse.integrations.numpy_array.operands import Operand, is_numeric, node_of, operand, static, weak_dtype
from fuse.integrations.numpy_array.storage import is_static
from fuse.integrations.numpy_array.views import Reshaped
from fuse.ir import build
from fuse.ir.node import Node
from fuse.ir.types import Shape, element_count


def _nodes(arrays: Any, dtype: Any = None, casting: Any = "same_kind") -> list[Node]:
    """The operands with their common dtype."""
    if isinstance(arrays, LazyArray):
        raise Unsupported("one array in place of a sequence of arrays")
    found = [node_of(array) for array in arrays]
    if not found:
        raise Unsupported("nothing to join")
    common = np.result_type(*(value.dtype for value in found)) if dtype is None else np.dtype(dtype)
    if not all(np.can_cast(value.dtype, common, casting) for value in found):
        raise Unsupported("a cast that the casting rule forbids")
    return [build.convert(value, common) for value in found]


def _hollow(value: Node) -> np.ndarray:
    return np.broadcast_to(np.empty((), np.int8), tuple(map(length, value.shape)))


def concatenate(
    arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> LazyArray:
    """`np.concatenate`, recorded."""
    _no_output(out)
    nodes = _nodes(arrays, dtype, casting)
    if axis is None:
        nodes, axis = [_flat(value) for value in nodes], 0
    if any(value.type.rank != nodes[0].type.rank or not value.type.rank for value in nodes):
        np.concatenate([_hollow(value) for value in nodes], axis)
    axis = normalize_axis_index(axis, nodes[0].type.rank)
    rest = _without(nodes, axis)
    if len(rest) > 1:
        nodes = [value if is_static(value.shape) else static(value) for value in nodes]
        if len(_without(nodes, axis)) > 1:
            np.concatenate([_hollow(value) for value in nodes], axis)
    return from_node(build.concatenate(nodes, axis))


def _without(nodes: Sequence[Node], axis: int) -> set[Shape]:
    return {value.shape[:axis] + value.shape[axis + 1 :] for value in nodes}


def _flat(value: Node) -> Node:
    return build.reshape(value, (element_count(value.shape),))


def _no_output(out: Any) -> None:
    if out is not None:
        raise Unsupported("out=")


def stack(
    arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> LazyArray:
    """`np.stack`, recorded."""
    _no_output(out)
    return _stacked(_nodes(arrays, dtype, casting), axis)


def _stacked(nodes: list[Node], axis: int) -> LazyArray:
    if len({value.shape for value in nodes}) > 1:
        nodes = [value if is_static(value.shape) else static(value) for value in nodes]
        if len({value.shape for value in nodes}) > 1:
            raise ValueError("all input arrays must have the same shape")
    return from_node(build.stack(nodes, normalize_axis_index(axis, nodes[0].type.rank + 1)))


def column_stack(arrays: Any) -> LazyArray:
    """`np.column_stack`, recorded: 1-D operands become columns."""
    nodes = _nodes(arrays)
    if all(value.type.rank == 1 for value in nodes):
        if len({value.shape for value in nodes}) > 1:
            nodes = [value if is_static(value.shape) else static(value) for value in nodes]
        if len({value.shape for value in nodes}) == 1:
            return from_node(build.stack(nodes, 1))
    return concatenate([from_node(_column(value)) for value in nodes], 1)


def _column(value: Node) -> Node:
    if value.type.rank >= 2:
        return value
    return build.reshape(value, (*(value.shape or (1,)), 1))


def vstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> LazyArray:
    """`np.vstack`, recorded."""
    nodes = [_at_least(value, 2) for value in _nodes(tup, dtype, casting)]
    return concatenate(list(map(from_node, nodes)), 0)


def hstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> LazyArray:
    """`np.hstack`, recorded."""
    nodes = [_at_least(value, 1) for value in _nodes(tup, dtype, casting)]
    return concatenate(list(map(from_node, nodes)), 0 if nodes[0].type.rank == 1 else 1)


def dstack(tup: Any) -> LazyArray:
    """`np.dstack`, recorded."""
    nodes = [_at_least(value, 3) for value in _nodes(tup)]
    return concatenate(list(map(from_node, nodes)), 2)


def _at_least(value: Node, rank: int) -> Node:
    shape = value.shape
    if value.type.rank >= rank:
        return value
    if rank == 3 and len(shape) == 2:
        return build.reshape(value, (*shape, 1))
    wide = {0: (1,) * rank, 1: (1, *shape) if rank < 3 else (1, *shape, 1)}[len(shape)]
    return build.reshape(value, wide)


def at_least(rank: int, arrays: Sequence[Any]) -> Any:
    """`np.atleast_1d`, `_2d` and `_3d`; what has the rank already is itself."""
    found = []
    for array in arrays:
        value = node_of(array)
        wide = _at_least(value, rank)
        if not isinstance(array, LazyArray):
            found.append(from_node(wide))
        else:
            found.append(array if wide is value else array._view(Reshaped(wide.shape)))
    return found[0] if len(found) == 1 else tuple(found)


def where(condition: Any, x: Any = None, y: Any = None, /) -> LazyArray:
    """`np.where(condition, x, y)`, recorded."""
    if x is None or y is None:
        raise Unsupported("positions of true elements")
    operands = operand(x), operand(y)
    dtype = weak_dtype(operands)
    test = operand(condition).as_node(np.dtype(bool))
    nodes = [test, *(wrapped(value, dtype) for value in operands)]
    return from_node(node("select", *broadcast_operands(np.where, nodes)))


def wrapped(value: Operand, dtype: np.dtype) -> Node:
    """A number that does not fit wraps, as C's does: `np.where`, and `np.select` of its default, let it."""
    if value.node is not None:
        return value.as_node(dtype)
    return build.constant(np.asarray(value.number).astype(dtype))


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """`np.dot` of vectors and matrices of one floating-point dtype, recorded."""
    _no_output(out)
    return _product(np.dot, node_of(a), node_of(b))


def matmul(a: Any, b: Any) -> Any:
    """`a @ b` of vectors and matrices of one floating-point dtype, recorded."""
    return _product(np.matmul, node_of(a), node_of(b))


def _product(function: Any, left: Node, right: Node) -> Any:
    if not (is_numeric(left.dtype) and is_numeric(right.dtype)):
        raise Unsupported(f"products of {left.dtype} and {right.dtype}")
    common = np.result_type(left.dtype, right.dtype)
    if common not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise Unsupported(f"products of dtype {common}")
    if left.type.rank == 0 or right.type.rank not in (1, 2):
        raise Unsupported("operands that are neither vectors nor matrices")
    if left.shape[-1] != right.shape[0]:
        left, right = (value if is_static(value.shape) else static(value) for value in (left, right))
        if left.shape[-1] != right.shape[0]:
            function(_hollow(left), _hollow(right))
    rows = left.shape[:-1]
    if len(rows) > 1:
        left = build.reshape(left, (element_count(rows), left.shape[-1]))
    found = build.dot(build.convert(left, common), build.convert(right, common), location())
    if len(rows) > 1:
        found = build.reshape(found, (*rows, *right.shape[1:]))
    return from_node(found, scalar=not found.shape)
