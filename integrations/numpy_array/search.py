"""Looking values up in a short sorted table: searchsorted, digitize, interp.

The binary search is unrolled, one comparison a step and no branch, so that it is part of the loop around it.
That the table is sorted is looked at when it is recorded (and kept as a guard), because NumPy's answer for
another one depends on its steps; such tables, and long ones, are left to NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fuse.integrations.numpy_array.base import LazyArray, Unsupported, from_node
from fuse.integrations.numpy_array.elementwise import node
from fuse.integrations.numpy_array.layout import as_array
from fuse.integrations.numpy_array.operands import is_numeric, numbers_of
from fuse.ir import build
from fuse.ir.node import Node

_LONGEST = 4096
"""Longer tables do not stay in the first-level cache, and more than twelve steps do not pay."""

_POSITION = np.dtype(np.int64)
_BELOW = {"left": "greater_equal", "right": "greater"}
"""What a table's element is not when it stands before the value; NaN stands behind everything."""


def searchsorted(a: Any, v: Any, side: Any = "left", sorter: Any = None) -> LazyArray:
    """`np.searchsorted`, recorded."""
    if sorter is not None or side not in _BELOW:
        raise Unsupported("sorter=, or another side")
    table, value = _table(a), numbers_of(v)
    common = np.result_type(table.dtype, value.dtype)
    table, value = build.convert(table, common), build.convert(value, common)
    if common.kind not in "iuf" or not _holds("less_equal", table):
        raise Unsupported("a table that is not sorted, or of bools")
    return from_node(_found(table, value, side), scalar=not value.shape)


def _table(values: Any) -> Node:
    found = as_array(values)
    if len(found._dims) != 1 or not is_numeric(found._dtype):
        raise Unsupported("a table of several axes, or of a dtype of NumPy's")
    (length,) = found._dims
    if not isinstance(length, int) or not 1 <= length <= _LONGEST:
        raise Unsupported("a table that is empty, long, or of unknown length")
    return found._node


def _holds(relation: str, table: Node) -> bool:
    """Whether each element of a table stands in this relation to the next, and none is NaN."""
    (length,) = table.shape
    earlier = build.slice_(table, ((0, -1, 1),)) if length != 1 else table
    later = build.slice_(table, ((1, None, 1),)) if length != 1 else table
    return bool(from_node(build.reduce("all", node(relation, earlier, later)))._observe())


def _found(table: Node, value: Node, side: str) -> Node:
    """How many elements of the table stand before each value."""
    (length,) = table.shape
    assert isinstance(length, int)
    last = build.constant(length - 1, _POSITION)
    position = build.broadcast(build.constant(0, _POSITION), value.shape)
    step = 1 << (length.bit_length() - 1)
    while step:
        candidate = node("add", position, build.constant(step, _POSITION))
        probed = node("subtract", candidate, build.constant(1, _POSITION))
        probe = build.gather(table, node("minimum", probed, last), "clip")
        before = node("logical_not", node(_BELOW[side], probe, value))
        inside = node("less_equal", probed, last)
        position = node("select", node("logical_and", before, inside), candidate, position)
        step >>= 1
    return position


def digitize(x: Any, bins: Any, right: Any = False) -> LazyArray:
    """`np.digitize`, recorded."""
    table = _table(bins)
    side = "left" if right else "right"
    if _holds("less_equal", table):
        return searchsorted(from_node(table), x, side)
    if not _holds("greater_equal", table):
        raise Unsupported("bins that are not sorted")
    backwards = build.slice_(table, ((None, None, -1),))
    found = searchsorted(from_node(backwards), x, side)
    (length,) = table.shape
    return from_node(node("subtract", build.constant(length, _POSITION), found._node), scalar=found._scalar)


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> LazyArray:
    """`np.interp`, recorded: the slope between the neighbours, computed once for each pair of them."""
    given = numbers_of(x)
    xs, ys = (build.convert(_table(values), np.float64) for values in (xp, fp))
    if period is not None or xs.shape != ys.shape or xs.shape == (1,) or not _holds("less_equal", xs):
        raise Unsupported("period=, one point, or points that are not sorted")
    value = build.convert(given, np.float64)
    (length,) = xs.shape
    assert isinstance(length, int)
    number = node("subtract", _found(xs, value, "right"), build.constant(1, _POSITION))
    inside = _between(value, xs, ys, number, length)
    first, final = (build.gather(ys, build.constant(i, _POSITION), "clip") for i in (0, length - 1))
    start, end = (build.gather(xs, build.constant(i, _POSITION), "clip") for i in (0, length - 1))
    below = first if left is None else build.constant(float(left), np.float64)
    above = final if right is None else build.constant(float(right), np.float64)
    found = node("select", node("equal", value, end), final, inside)
    found = node("select", node("less", value, start), below, found)
    found = node("select", node("greater", value, end), above, found)
    return from_node(node("select", node("isnan", value), value, found), scalar=not value.shape)


def _between(value: Node, xs: Node, ys: Node, number: Node, length: int) -> Node:
    """NumPy's interpolation from the point below; from the one above where that gives NaN."""

    def at(table: Node, offset: int) -> Node:
        place = node("add", number, build.constant(offset, _POSITION)) if offset else number
        return build.gather(table, place, "clip")

    steps = [
        node("subtract", build.slice_(t, ((1, None, 1),)), build.slice_(t, ((0, -1, 1),))) for t in (ys, xs)
    ]
    slope = at(node("divide", *steps), 0)
    low_x, low_y, high_x, high_y = at(xs, 0), at(ys, 0), at(xs, 1), at(ys, 1)
    found = node("add", node("multiply", slope, node("subtract", value, low_x)), low_y)
    other = node("add", node("multiply", slope, node("subtract", value, high_x)), high_y)
    level = node("logical_and", node("isnan", other), node("equal", low_y, high_y))
    other = node("select", level, low_y, other)
    found = node("select", node("isnan", found), other, found)
    return node("select", node("equal", value, low_x), low_y, found)


FUNCTIONS: Mapping[Callable[..., Any], Callable[..., Any]] = {
    np.searchsorted: searchsorted, np.digitize: digitize, np.interp: interp,
}  # fmt: skip
