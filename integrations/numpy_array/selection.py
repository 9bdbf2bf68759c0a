"""Choosing elements by index or condition: take, take_along_axis, choose, select, compress.

All are gathers or selects. An index array with the rank of the array (`take_along_axis`) becomes computed
positions among the elements in a row. Known indices are checked at the call; computed ones when the result is
observed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from fuse.integrations.numpy_array.base import LazyArray, Unsupported, from_node
from fuse.integrations.numpy_array.elementwise import broadcast_operands, node
from fuse.integrations.numpy_array.index_maps import settled
from fuse.integrations.numpy_array.indexing import check_bounds, get, known_elements, take_along
from fuse.integrations.numpy_array.joins import wrapped
from fuse.integrations.numpy_array.layout import as_array, ravel
from fuse.integrations.numpy_array.operands import given_node, is_numeric, operand, weak_dtype
from fuse.integrations.numpy_array.reductions import length_node
from fuse.integrations.numpy_array.storage import is_static
from fuse.ir import build
from fuse.ir.node import Node
from fuse.ir.types import Count, Dim, SizeOf, element_count

_INDEX = np.dtype(np.int64)
_MOST_CHOICES = 32


def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Any:
    """`np.take`, recorded."""
    if out is not None:
        raise Unsupported("out=")
    source = ravel(as_array(a)) if axis is None else as_array(a)
    if not is_numeric(source._dtype) or not source._dims or 0 in source._dims:
        raise Unsupported("a 0-d or empty array, or a dtype of NumPy's")
    axis = 0 if axis is None else normalize_axis_index(axis, len(source._dims))
    if mode == "raise" and isinstance(indices, int | np.integer) and not isinstance(indices, bool):
        return get(source, (*(slice(None),) * axis, indices))
    index = _index(indices)
    if mode == "raise":
        if not index._dims:
            raise Unsupported("an index that is computed")
        return get(source, (*(slice(None),) * axis, index))
    found = from_node(take_along(source, _inside(index._node, source._dims[axis], mode), axis))
    found._scalar = not found._dims and not isinstance(indices, np.ndarray)
    return found


def _index(indices: Any) -> LazyArray:
    empty = isinstance(indices, list) and not indices
    given = given_node(indices) is None and not isinstance(indices, np.ndarray)
    found = as_array(np.asarray(indices, np.intp if empty else None) if given else indices)
    if found._dtype.kind not in "iu" or found._dtype == np.dtype(np.uint64):
        raise Unsupported(f"an index of dtype {found._dtype}")
    return found


def _inside(index: Node, dim: Dim, mode: Any) -> Node:
    """Indices brought into an axis, as `mode` says."""
    if dim == 0 or isinstance(dim, Count | SizeOf) or mode not in ("clip", "wrap"):
        raise Unsupported(f"mode={mode!r}, or an axis that may be empty")
    index, count = build.convert(index, _INDEX), length_node(dim)
    if mode == "wrap":
        return node("remainder", index, count)
    last = node("subtract", count, build.constant(1, _INDEX))
    return node("minimum", node("maximum", index, build.constant(0, _INDEX)), last)


def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> LazyArray:
    """`np.take_along_axis`, recorded."""
    source, index = as_array(arr), _index(indices)
    if axis is None:
        source, axis = ravel(source), 0
    axis = normalize_axis_index(axis, len(source._dims))
    if not is_numeric(source._dtype) or len(index._dims) != len(source._dims):
        raise Unsupported("indices of another rank, or a dtype of NumPy's")
    if not is_static(source._dims[1:]) or not isinstance(source._dims[axis], int):
        source = settled(source)
    if not _fits(source, index, axis):
        raise Unsupported("indices of another shape")
    check_bounds(source, axis, index)
    place = _place(source, index, axis)
    flat = build.reshape(source._node, (element_count(source._dims),))
    return from_node(build.gather(flat, place))


def _fits(source: LazyArray, index: LazyArray, axis: int) -> bool:
    pairs = zip(source._dims, index._dims, strict=True)
    return all(i == axis or n == m or m == 1 for i, (n, m) in enumerate(pairs))


def _place(source: LazyArray, index: LazyArray, axis: int) -> Node:
    """Where each element stands in the row of all elements; behind its end for an index out of bounds."""
    dims, rank = source._dims, len(source._dims)
    shape = tuple(index._dims[i] if i == axis else dim for i, dim in enumerate(dims))
    strides = [int(np.prod(dims[i + 1 :], dtype=np.int64)) for i in range(rank)]  # type: ignore[arg-type]  # known
    length = build.constant(dims[axis], _INDEX)
    given = build.broadcast(build.convert(index._node, _INDEX), shape)
    wrapped = node("less", given, build.constant(0, _INDEX))
    chosen = node("select", wrapped, node("add", given, length), given)
    place = node("multiply", chosen, build.constant(strides[axis], _INDEX))
    for i, dim in enumerate(dims):
        if i != axis and dim != 1:
            along = build.reshape(build.iota(dim), tuple(dim if j == i else 1 for j in range(rank)))
            step = node("multiply", along, build.constant(strides[i], _INDEX))
            place = node("add", place, build.broadcast(step, shape))
    if known_elements(index) is not None:
        return place
    outside = node(
        "logical_or", node("less", chosen, build.constant(0, _INDEX)), node("greater_equal", chosen, length)
    )
    return node("select", outside, length_node(element_count(dims)), place)


def compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Any:
    """`np.compress`, recorded, for a condition with an element for each of the axis."""
    source, mask = as_array(a), as_array(condition)
    if axis is None or (not source._dims and axis in (0, -1)):
        source, axis = ravel(source), 0
    axis = normalize_axis_index(axis, len(source._dims))
    if out is not None or mask._dtype.kind != "b" or mask._dims != source._dims[axis : axis + 1]:
        raise Unsupported("out=, or a condition of another length")
    return get(source, (*(slice(None),) * axis, mask))


def choose(a: Any, choices: Any, out: Any = None, mode: Any = "raise") -> Any:
    """`np.choose`, recorded, for indices that cannot be wrong: bools, and with mode="clip" or "wrap"."""
    index = as_array(a)
    if out is not None or not isinstance(choices, list | tuple) or not 2 <= len(choices) <= _MOST_CHOICES:
        raise Unsupported("out=, or choices that are no short list")
    if index._dtype.kind != "b":
        index = _index(a)
        if mode == "raise":
            raise Unsupported("an index out of bounds is an error of the values")
    place = build.convert(index._node, _INDEX)
    if index._dtype.kind != "b":
        place = _inside(place, len(choices), mode)
    options = [as_array(choice)._node for choice in choices]
    dtype = np.result_type(*(option.dtype for option in options))
    place, *options = broadcast_operands(
        np.add, [place, *(build.convert(option, dtype) for option in options)]
    )
    chosen = options[0]
    for number, option in enumerate(options[1:], 1):
        here = node("equal", place, build.constant(number, _INDEX))
        chosen = node("select", here, option, chosen)
    return from_node(chosen, scalar=not chosen.shape)


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> LazyArray:
    """`np.select`, recorded: the choice of the first condition that is true."""
    if len(condlist) != len(choicelist) or not len(condlist):
        raise Unsupported("other numbers of conditions and choices")
    conditions = [as_array(condition) for condition in condlist]
    if any(condition._dtype.kind != "b" for condition in conditions):
        raise Unsupported("a condition that is not of bools")
    choices = [operand(choice) for choice in (*choicelist, default)]
    dtype = weak_dtype(choices)
    if dtype.kind == "M" and any(choice.dtype != dtype for choice in choices):
        raise Unsupported("dates among other choices")
    for choice in choices[:-1]:
        if choice.node is None and not np.can_cast(np.asarray(choice.number).dtype, dtype, "same_kind"):
            raise Unsupported("a number that NumPy does not cast to the result")
    nodes = [wrapped(choice, dtype) for choice in choices]
    settled_nodes = broadcast_operands(np.broadcast, [*(c._node for c in conditions), *nodes])
    tests, (*values, chosen) = settled_nodes[: len(conditions)], settled_nodes[len(conditions) :]
    for test, value in zip(reversed(tests), reversed(values), strict=True):
        chosen = node("select", test, value, chosen)
    return from_node(chosen)


FUNCTIONS: Mapping[Callable[..., Any], Callable[..., Any]] = {
    np.take: take, np.take_along_axis: take_along_axis, np.compress: compress, np.choose: choose,
    np.select: select,
}  # fmt: skip
