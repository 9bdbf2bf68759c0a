"""Arrays seen through overlapping windows, along a diagonal, or repeated without memory; triangles.

`sliding_window_view`, `diagonal` and `broadcast_to` are views that cannot be written to: they follow later
writes to their array, and a write to them raises NumPy's error. In the graph a window of a vector is a gather
by computed positions, part of the loop around it; of more axes a stack of slices. A diagonal is a slice of
the elements in a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.lib.stride_tricks import sliding_window_view

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.numpy_array import reductions
from fuse.integrations.numpy_array.base import LazyArray, Unsupported, from_node
from fuse.integrations.numpy_array.elementwise import broadcast_operands, node
from fuse.integrations.numpy_array.index_maps import settled
from fuse.integrations.numpy_array.layout import as_array, broadcast_to, shadow
from fuse.integrations.numpy_array.operands import broadcast_together, is_numeric
from fuse.integrations.numpy_array.storage import is_static
from fuse.integrations.numpy_array.views import ReadOnly
from fuse.ir import build
from fuse.ir.node import Node
from fuse.ir.types import Shape

_WIDEST_STACK = 64
"""Windows of more elements over several axes are left to NumPy."""


@dataclass(frozen=True, slots=True)
class Windows(ReadOnly):
    """All windows of the given widths, each along one axis; their elements on new axes behind the others."""

    widths: tuple[int, ...]
    axes: tuple[int, ...]

    def on_node(self, base: Node) -> Node:
        for width, axis in zip(self.widths, self.axes, strict=True):
            base = _windowed(base, width, axis)
        return base

    def on_array(self, base: np.ndarray) -> np.ndarray:
        return sliding_window_view(base, self.widths, self.axes)


@dataclass(frozen=True, slots=True)
class Diagonal(ReadOnly):
    """The elements at [i, i + offset] of two axes, on one axis behind the others."""

    offset: int
    axes: tuple[int, int]

    def on_node(self, base: Node) -> Node:
        rest = [axis for axis in range(base.type.rank) if axis not in self.axes]
        moved = build.transpose(base, (*rest, *self.axes))
        rows, columns = moved.shape[-2:]
        assert isinstance(rows, int)
        assert isinstance(columns, int)
        flat = build.reshape(moved, (*moved.shape[:-2], rows * columns))
        count = max(min(rows + min(self.offset, 0), columns - max(self.offset, 0)), 0)
        start = self.offset if self.offset >= 0 else -self.offset * columns
        bounds = (start, start + (count - 1) * (columns + 1) + 1, columns + 1) if count else (0, 0, 1)
        return build.slice_(flat, (*((0, None, 1),) * (flat.type.rank - 1), bounds))

    def on_array(self, base: np.ndarray) -> np.ndarray:
        return base.diagonal(self.offset, *self.axes)


def _windowed(value: Node, width: int, axis: int) -> Node:
    length = value.shape[axis]
    assert isinstance(length, int)
    count = length - width + 1
    if value.type.rank == 1:
        first = build.broadcast(build.reshape(build.iota(count), (count, 1)), (count, width))
        step = build.broadcast(build.iota(width), (count, width))
        return build.gather(value, node("add", first, step), "clip")
    full = ((0, None, 1),)
    parts = [
        build.slice_(value, (*full * axis, (i, i + count, 1), *full * (value.type.rank - axis - 1)))
        for i in range(width)
    ]
    return build.stack(parts, value.type.rank)


def windows(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> LazyArray:
    """`np.lib.stride_tricks.sliding_window_view`, recorded; NumPy says the shape and raises the errors."""
    found = _numeric(x)
    if writeable:
        raise Unsupported("writeable=True")
    sliding_window_view(shadow(found), window_shape, axis)
    widths = (window_shape,) if isinstance(window_shape, int | np.integer) else tuple(window_shape)
    rank = len(found._dims)
    given = range(rank) if axis is None else (axis,) if isinstance(axis, int | np.integer) else tuple(axis)
    axes = tuple(normalize_axis_index(which, rank) for which in given)
    total = int(np.prod(widths, dtype=np.int64))
    if not total or (rank > 1 and total > _WIDEST_STACK):
        raise Unsupported(f"windows of {total} elements")
    return found._view(Windows(tuple(map(int, widths)), axes))


def _numeric(value: Any) -> LazyArray:
    """An array of known lengths and of a dtype that the graph computes with."""
    found = settled(as_array(value))
    if not is_numeric(found._dtype):
        raise Unsupported(f"arrays of dtype {found._dtype} are left to NumPy")
    return found


def diagonal(a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> LazyArray:
    """`np.diagonal`, recorded."""
    found = _numeric(a)
    rank = len(found._dims)
    shadow(found).diagonal(offset, axis1, axis2)
    return found._view(
        Diagonal(int(offset), (normalize_axis_index(axis1, rank), normalize_axis_index(axis2, rank)))
    )


def diag(v: Any, k: Any = 0) -> LazyArray:
    """`np.diag`, recorded: the diagonal of a matrix, or a matrix with this diagonal."""
    found = _numeric(v)
    if len(found._dims) == 2:
        return diagonal(found, k)
    if len(found._dims) != 1 or not isinstance(k, int | np.integer):
        raise Unsupported("neither a vector nor a matrix")
    return from_node(_spread(found._node, int(k)))


def _spread(value: Node, k: int) -> Node:
    (length,) = value.shape
    assert isinstance(length, int)
    size = length + abs(k)
    zeros = build.broadcast(build.constant(0, value.dtype), (abs(k),))
    padded = build.concatenate([zeros, value] if k > 0 else [value, zeros]) if k else value
    row, column = _places((size, size))
    on_diagonal = node("equal", node("add", row, build.constant(k, np.int64)), column)
    return node("select", on_diagonal, build.broadcast(padded, (size, size)), build.constant(0, value.dtype))


def _places(shape: Shape) -> tuple[Node, Node]:
    """The row and the column of each place of a matrix."""
    rows, columns = shape
    row = build.reshape(build.iota(rows), (rows, 1))
    return build.broadcast(row, shape), build.broadcast(build.iota(columns), shape)


def trace(a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dtype: Any = None, out: Any = None) -> Any:
    """`np.trace`, recorded."""
    return reductions.reduce(np.add, diagonal(a, offset, axis1, axis2), -1, dtype, out)


def _triangle(relation: str) -> Callable[..., Any]:
    """`np.tril` keeps columns up to row + k, `np.triu` those from there on."""

    def kept(m: Any, k: Any = 0) -> LazyArray:
        found = as_array(m)
        if not is_numeric(found._dtype) or not found._dims or not isinstance(k, int | np.integer):
            raise Unsupported("a 0-d array, a dtype of NumPy's, or a diagonal that is no integer")
        dims = found._dims[-2:] if len(found._dims) > 1 else found._dims * 2
        row, column = _places(dims)
        mask = node(relation, node("add", row, build.constant(int(k), np.int64)), column)
        zero = build.constant(0, found._dtype)
        return from_node(node("select", *broadcast_operands(np.where, [mask, found._node, zero])))

    return kept


def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    """`np.broadcast_arrays`, recorded; as views that cannot be written to."""
    if not all(is_static(as_array(value)._dims) for value in args):
        dims, nodes = broadcast_together([as_array(value)._node for value in args])
        found = [as_array(value) for value in args]
        return tuple(
            array
            if array._dims == dims and not array._scalar
            else _unwritable(array, build.broadcast(value, dims))
            for array, value in zip(found, nodes, strict=True)
        )
    found = [_array_of(_numeric(value)) for value in args]
    shape = np.broadcast_shapes(*(array._dims for array in found))  # type: ignore[arg-type]  # known lengths
    return tuple(array if array._dims == shape else broadcast_to(array, shape) for array in found)


def _unwritable(source: LazyArray, value: Node) -> LazyArray:
    """A value for a view of a source; a recording in which either is written to is given up."""
    found = from_node(value)
    if current_recording() is not None:
        source._storage.shared = found._storage.shared = True
    return found


def _array_of(value: LazyArray) -> LazyArray:
    """A scalar as an array of its own."""
    return from_node(value._node) if value._scalar else value


def positions(a: Any) -> tuple[LazyArray, ...]:
    """`np.nonzero` of a vector, recorded: the positions that a mask keeps."""
    return (_kept(as_array(a)),)


def flat_positions(a: Any) -> LazyArray:
    """`np.flatnonzero` of a vector, recorded."""
    return _kept(as_array(a))


def _kept(found: LazyArray) -> LazyArray:
    if not is_numeric(found._dtype) or len(found._dims) != 1:
        raise Unsupported("several axes, or a dtype of NumPy's")
    value = found._node
    mask = value if value.dtype.kind == "b" else node("not_equal", value, build.constant(0, value.dtype))
    return from_node(build.compress(build.iota(value.shape[0]), mask))


VIEWING: Sequence[Callable[..., Any]] = (
    sliding_window_view, np.diagonal, np.broadcast_to, np.broadcast_arrays, np.diag,
)  # fmt: skip

FUNCTIONS: Mapping[Callable[..., Any], Callable[..., Any]] = {
    sliding_window_view: windows, np.diagonal: diagonal, np.diag: diag, np.trace: trace,
    np.tril: _triangle("greater_equal"), np.triu: _triangle("less_equal"),
    np.broadcast_arrays: broadcast_arrays, np.nonzero: positions, np.flatnonzero: flat_positions,
}  # fmt: skip
