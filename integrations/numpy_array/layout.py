"""Views: reshape, transpose and their kin, and basic slicing.

NumPy itself says what a view is, and raises the errors: each operation is tried on a *shadow*, an array of
the same shape, strides and dtype over one element of memory that is never read. The graph only gets the
steps. Shapes with lengths that are not known yet have no shadow; there the steps that work on every length
are built directly.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from numpy.lib.stride_tricks import as_strided

from fuse.integrations.capture.recording import SymbolicMismatch, current_recording
from fuse.integrations.numpy_array import memory_order
from fuse.integrations.numpy_array.base import LazyArray, Unsupported, from_array, from_node, lengths, make
from fuse.integrations.numpy_array.basic_index import BasicKey, expanded, steps_of
from fuse.integrations.numpy_array.operands import has_symbol, is_recorded, node_of, static
from fuse.integrations.numpy_array.storage import is_static
from fuse.integrations.numpy_array.views import Broadcasted, Reshaped, Transposed
from fuse.ir import build
from fuse.ir.types import Count, Shape, SizeOf, element_count


def as_array(value: Any) -> LazyArray:
    """A lazy array of anything NumPy makes an array of."""
    if isinstance(value, LazyArray):
        return value
    if type(value) is np.ndarray and is_recorded(value.dtype):
        return from_array(value, pinned=True)
    return from_node(node_of(value))


def shadow(a: LazyArray) -> np.ndarray:
    """An array like `a` to ask NumPy with: shape, strides and dtype, but no elements."""
    a._storage.lay_out()
    if a._storage.array is not None:
        return a._elements
    node = a._storage.node
    assert node is not None
    dtype, shape = node.dtype, tuple(map(int, node.shape))
    strides = memory_order.contiguous(shape, a._storage.memory_order())
    base = as_strided(np.empty(1, dtype), shape, [stride * dtype.itemsize for stride in strides])
    for step in a._views:
        base = step.on_array(base)
    return base


def reshape(a: LazyArray, shape: Any, order: str = "C") -> LazyArray:
    """`a.reshape(shape)`: a view where NumPy gives one, else a copy."""
    if order != "C" and (order != "A" or current_recording() is not None or not may_be_in_c_order(a)):
        raise Unsupported(f"order={order!r}")
    wanted = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    for length in wanted:
        if isinstance(length, bool | float | np.bool_ | np.floating):
            _dimension(length)
    if len(a._dims) > 1:
        _note_reshape(a)
    if not is_static(a._dims):
        return _reshape_open(a, wanted)
    wanted = tuple(map(_dimension, wanted))
    target, is_view = _reshaped(shadow(a), wanted)
    if a._scalar and not target:
        return a
    if is_view:
        return a._view(Reshaped(target))
    if not is_recorded(a._dtype):
        raise Unsupported(f"a copy of dtype {a._dtype}")
    return _noted(from_node(build.reshape(a._node, target)))


def may_be_in_c_order(a: LazyArray) -> bool:
    """Whether the elements are in C order in memory, as results of ours are; of arguments nobody knows."""
    return a._storage.array is None or not is_static(a._dims) or not shadow(a).flags.fnc


def _dimension(length: Any) -> int:
    """A length as an int. Raises the TypeError of NumPy for a float or a bool."""
    if isinstance(length, bool | np.bool_):
        raise TypeError("an integer is required")
    return operator.index(length)


def _reshaped(array: np.ndarray, shape: tuple[int, ...]) -> tuple[tuple[int, ...], bool]:
    """(the shape, whether the reshape is a view). Raises NumPy's error when the sizes differ."""
    hollow = np.broadcast_to(np.empty((), np.int8), array.shape)
    if array.size and -1 not in shape and int(np.prod(shape)) != array.size:
        hollow.reshape(shape)
    try:
        view = array.view()
        view.shape = shape
    except AttributeError:
        known = int(np.prod([dim for dim in shape if dim != -1]))
        return tuple(array.size // known if dim == -1 else dim for dim in shape), False
    return view.shape, True


def _reshape_open(a: LazyArray, wanted: tuple[Any, ...]) -> LazyArray:
    """A length that is not known stands for itself when the rest of the shape explains the rest of the
    elements.
    """
    dims = a._dims
    shape = tuple(int(dim) for dim in wanted)
    total = element_count(dims)
    for candidate in {*dims, total}:
        if not isinstance(candidate, int) and shape.count(-1) == 1:
            filled = tuple(candidate if dim == -1 else dim for dim in shape)
            if element_count(filled) == total:
                return _open_view(a, filled)
    return reshape(as_static(a), shape)


def _open_view(a: LazyArray, shape: Shape) -> LazyArray:
    opened = [dim for dim in shape if not isinstance(dim, int)]
    return a._view(Reshaped(shape)) if len(opened) <= 1 else from_node(build.reshape(a._node, shape))


def as_static(a: LazyArray) -> LazyArray:
    """The same array with known lengths; see `operands.static`. In a recording it is a copy of which nobody
    would see a write.
    """
    if is_static(a._dims):
        return a
    if current_recording() is None:
        a._storage.materialise()
        return a
    found = from_node(static(a._node))
    found._storage.shared = a._storage.shared = True
    return found


def transpose(a: LazyArray, axes: Sequence[int] | None = None) -> LazyArray:
    """`a.transpose(axes)`, a view; a scalar is itself."""
    rank = len(a._dims)
    if axes is None:
        order = tuple(reversed(range(rank)))
    else:
        if len(axes) != rank:
            raise ValueError("axes don't match array")
        order = tuple(normalize_axis_index(axis, rank) for axis in axes)
        if len(set(order)) != rank:
            raise ValueError("repeated axis in transpose")
    if a._scalar:
        return a
    return make(a._storage, a._views) if rank < 2 else a._view(Transposed(order))


def ravel(a: LazyArray, order: str = "C") -> LazyArray:
    """`a.ravel()`: a view where the elements stand in a row without gaps."""
    _note_reshape(a)
    if not is_static(a._dims) and current_recording() is None:
        a._storage.materialise()
    if not is_static(a._dims) and order == "C" and a._views:
        found = from_node(reshape(a, (-1,))._node)
        found._storage.shared = a._storage.shared = True
        return found
    if is_static(a._dims) and order == "C" and is_recorded(a._dtype) and not shadow(a).flags.c_contiguous:
        return _noted(from_node(build.reshape(a._node, (element_count(a._dims),))))
    return reshape(a, (-1,), order)


def _note_reshape(a: LazyArray) -> None:
    """What is a view here is a copy if an argument of the recorded function is in another order."""
    if current_recording() is not None and a._dims:
        a._storage.is_reshaped = True


def _noted(copy: LazyArray) -> LazyArray:
    _note_reshape(copy)
    return copy


def squeeze(a: LazyArray, axis: Any = None) -> LazyArray:
    """`a.squeeze(axis)`, a view. A length that could turn out to be 1 has to be known for it."""
    if any(isinstance(dim, Count | SizeOf) for dim in a._dims):
        if current_recording() is None:
            a._storage.materialise()
        else:
            a = as_static(a)
    dims = a._dims
    if axis is None:
        drop = {i for i, dim in enumerate(dims) if dim == 1}
    elif not dims and axis in (0, -1):
        drop = set()
    else:
        drop = set(normalize_axis_tuple(axis, len(dims)))
        if any(dims[i] != 1 for i in drop):
            raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    if a._scalar:
        return a
    return a._view(Reshaped(tuple(dim for i, dim in enumerate(dims) if i not in drop)))


def expand_dims(a: LazyArray, axis: Any) -> LazyArray:
    """`np.expand_dims(a, axis)`, a view."""
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    rank = len(a._dims) + len(axes)
    new = normalize_axis_tuple(axes, rank)
    rest = iter(a._dims)
    return a._view(Reshaped(tuple(1 if i in new else next(rest) for i in range(rank))))


def basic(a: LazyArray, key: BasicKey) -> LazyArray:
    """A view by ints, slices, Ellipsis and None, or a NumPy scalar when nothing is left of the shape."""
    dims = a._dims
    if is_static(dims):
        shadow(a)[key if Ellipsis in key else (*key, Ellipsis)]
    entries = expanded(key, len(dims))
    open_axis = _open_integer(entries, dims)
    if open_axis is not None:
        return _take_one(a, key, entries, open_axis)
    view = a
    for step in steps_of(entries, dims):
        view = view._view(step)
    is_scalar = not view._dims and Ellipsis not in key
    if not is_scalar:
        return view
    if a._storage.array is not None and a._storage.recording is None:
        return view._elements[()]  # type: ignore[return-value]  # a NumPy scalar, as NumPy gives
    return from_node(view._node, scalar=True)


def _open_integer(entries: Sequence[int | slice | None], dims: Shape) -> int | None:
    """The first axis of unknown length that an integer indexes."""
    axis = 0
    for entry in entries:
        if isinstance(entry, int) and not isinstance(dims[axis], int):
            return axis
        axis += entry is not None
    return None


def _take_one(a: LazyArray, key: BasicKey, entries: list[int | slice | None], axis: int) -> LazyArray:
    """An element of an axis of unknown length.

    Outside of recordings the length is known after evaluation. In one, an element of a vector is a gather,
    which checks its bounds when it runs; what must be a view (a row, a place to write to) needs known
    lengths.
    """
    if current_recording() is None:
        a._storage.materialise()
        return basic(a, key)
    if len(entries) > 1 or Ellipsis in key or not _is_near(entries[0]):
        if any(map(has_symbol, a._dims)):
            raise SymbolicMismatch("an integer index into an axis of symbolic length")
        return basic(as_static(a), key)
    element = build.gather(a._node, build.constant(entries[0], np.int64))
    return from_node(element, scalar=True)


def _is_near(index: int | slice | None) -> bool:
    """Whether every vector with a symbol for a length (at least two elements) has this element."""
    return index in (0, 1, -1, -2)


def broadcast_to(a: LazyArray, shape: Any) -> LazyArray:
    """`np.broadcast_to`, a view that cannot be written to.

    Of lengths that are not known yet it is a value; a recording in which either is written to is given up.
    """
    wanted: Shape = (int(shape),) if isinstance(shape, int | np.integer) else tuple(map(int, shape))
    found = lengths(a)
    np.broadcast_to(np.broadcast_to(np.empty((), np.int8), found), wanted)  # type: ignore[arg-type]  # ints
    if is_static(a._dims) and is_static(wanted):
        return a._view(Broadcasted(wanted))  # type: ignore[arg-type]  # just checked
    if not is_static(a._dims):
        matched = zip(a._dims, found, wanted[len(wanted) - len(found) :], strict=True)
        wanted = (*wanted[: len(wanted) - len(found)], *(d if n == w else w for d, n, w in matched))
    value = from_node(build.broadcast(a._node, wanted))
    if current_recording() is not None:
        a._storage.shared = value._storage.shared = True
    return value
