"""`a[key]` and `a[key] = values`.

Basic keys are views (`layout.basic`). One boolean mask is a filter (`compress`), a mask in an assignment a
select or a `masked_scatter`. Integer arrays along one axis, and an open mesh over two (`a[rows[:, None],
columns]`), are gathers. Other mixtures run in NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import Any

import numpy as np

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.numpy_array.base import (
    Few,
    LazyArray,
    Unsupported,
    count_node,
    from_node,
    length,
    lengths,
    small,
)
from fuse.integrations.numpy_array.elementwise import node
from fuse.integrations.numpy_array.layout import as_array, basic, reshape, transpose
from fuse.integrations.numpy_array.operands import (
    WEAK,
    broadcast_together,
    check_assignable,
    fitted,
    is_recorded,
    operand,
    static,
)
from fuse.integrations.numpy_array.reductions import length_node
from fuse.integrations.numpy_array.storage import is_static
from fuse.ir import build
from fuse.ir.node import Node
from fuse.ir.types import Count, element_count

Key = tuple[Any, ...]
_BASIC = (int, np.integer, slice, EllipsisType, type(None))


def normalised(key: Any) -> Key:
    """The key as a tuple of plain ints, slices, Ellipsis, None, and arrays (lists among them)."""
    entries = tuple(key) if isinstance(key, tuple) else (key,)
    return tuple(_entry(entry) for entry in entries)


def _entry(entry: Any) -> Any:
    if isinstance(entry, bool | np.bool_):
        raise Unsupported("a single bool as an index")
    if isinstance(entry, np.integer):
        return int(entry)
    if isinstance(entry, _BASIC):
        return entry
    if isinstance(entry, LazyArray) or hasattr(type(entry), "__fuse_node__"):
        found = as_array(entry)
        if not found._dims:
            if found._dtype.kind in "iu":
                return int(found._observe())
            raise Unsupported("a 0-d array as an index")
        if found._dtype.kind not in "biu":
            raise Unsupported(f"an index of dtype {found._dtype}")
        return found
    array = np.asarray(entry)
    if array.size == 0 and isinstance(entry, list):
        array = array.astype(np.intp)
    if array.dtype.kind not in "biu" or not array.ndim:
        raise Unsupported(f"an index of type {type(entry).__name__} and dtype {array.dtype}")
    return as_array(array)


def is_basic(key: Key) -> bool:
    """Whether a normalised key gives a view."""
    return all(isinstance(entry, _BASIC) for entry in key)


def get(a: LazyArray, key: Any) -> Any:
    """`a[key]`, recorded. Raises NumPy's IndexErrors, and Unsupported for what is left to NumPy."""
    entries = normalised(key)
    if is_basic(entries):
        return basic(a, entries)
    if not is_recorded(a._dtype):
        raise Unsupported(f"arrays of dtype {a._dtype} are left to NumPy")
    arrays = [entry for entry in entries if isinstance(entry, LazyArray)]
    masks = [entry for entry in arrays if entry._dtype.kind == "b"]
    if len(arrays) == 2 and not masks:
        axis = _axis_of_mesh(a, entries, arrays)
        if axis is not None:
            return _open_mesh(a, arrays, axis)
    if len(arrays) != 1:
        raise Unsupported("several index arrays")
    if len(entries) > len(a._dims):
        raise Unsupported("more indices than axes")
    return _masked(a, entries, masks[0]) if masks else _gathered(a, entries, arrays[0])


def _axis_of(entries: Key, array: LazyArray) -> int:
    """The axis that the one index array is for; what stands beside it must be full or plain slices."""
    position = next(i for i, entry in enumerate(entries) if entry is array)
    rest = (*entries[:position], *entries[position + 1 :])
    if any(not isinstance(entry, slice) for entry in rest):
        raise Unsupported("an index array together with other indices than slices")
    return position


def _masked(a: LazyArray, entries: Key, mask: LazyArray) -> LazyArray:
    axis = _axis_of(entries, mask)
    _check_mask(a, mask, axis)
    source = (
        basic(a, tuple(slice(None) if entry is mask else entry for entry in entries))
        if len(entries) > 1
        else a
    )
    if axis == 0:
        value, condition = _flattened(source._node, mask._node)
        return from_node(build.compress(value, condition))
    if len(mask._dims) != 1:
        raise Unsupported("a mask of several axes behind another index")
    order = (axis, *(i for i in range(len(a._dims)) if i != axis))
    rows = build.compress(*_flattened(transpose(source, order)._node, mask._node))
    return transpose(from_node(rows), tuple(int(i) for i in np.argsort(order)))


def _flattened(value: Node, mask: Node) -> tuple[Node, Node]:
    """The axes of a mask as one axis, of the value too."""
    rank = mask.type.rank
    if value.shape[:rank] != mask.shape:
        value = value if is_static(value.shape) else static(value)
        mask = mask if is_static(mask.shape) else static(mask)
    count = element_count(mask.shape)
    return build.reshape(value, (count, *value.shape[rank:])), build.reshape(mask, (count,))


def _check_mask(a: LazyArray, mask: LazyArray, axis: int) -> None:
    """NumPy's IndexError for a mask of another shape, asked with arrays of that shape and no memory."""
    rank = len(mask._dims)
    if a._dims[axis : axis + rank] == mask._dims:
        return
    hollow = np.broadcast_to(np.empty((), np.int8), lengths(a))
    hollow[(slice(None),) * axis + (np.zeros(lengths(mask), bool),)]
    if 0 in lengths(mask) and lengths(mask) != lengths(a)[axis : axis + rank]:
        raise Unsupported("a mask of nothing, which NumPy takes for any axis")


def _gathered(a: LazyArray, entries: Key, indices: LazyArray) -> LazyArray:
    axis = _axis_of(entries, indices)
    source = basic(a, tuple(slice(None) if e is indices else e for e in entries)) if len(entries) > 1 else a
    check_bounds(a, axis, indices)
    return from_node(take_along(source, indices._node, axis))


def take_along(a: LazyArray, indices: Node, axis: int) -> Node:
    """The elements of one axis by index; the axes of the indices stand in the place of that axis."""
    rank = len(a._dims)
    if axis == 0:
        return build.gather(a._node, indices)
    order = (axis, *(i for i in range(rank) if i != axis))
    found = build.gather(transpose(a, order)._node, indices)
    new = indices.type.rank
    rest = list(range(new, new + rank - 1))
    return build.transpose(found, (*rest[:axis], *range(new), *rest[axis:]))


def known_elements(a: LazyArray) -> np.ndarray | None:
    """The elements of an array when there is nothing to compute for them."""
    if a._storage.array is not None:
        return a._elements
    found = a._node
    return found.attrs["value"].array if found.op == "constant" else None


def check_bounds(a: LazyArray, axis: int, indices: LazyArray) -> None:
    """The IndexError of known indices at the call; of computed ones when the result is observed.

    Where the length is not known, one bit is: whether it is long enough.
    """
    found = known_elements(indices)
    if found is None or not found.size:
        return
    needed = max(int(found.max()) + 1, -int(found.min()))
    size = a._dims[axis]
    if isinstance(size, int):
        is_long_enough = size >= needed
    else:
        enough = node("greater_equal", length_node(size), build.constant(needed, np.int64))
        is_long_enough = bool(from_node(enough)._observe())
    if not is_long_enough:
        shape = lengths(a)
        wrong = found[(found < -shape[axis]) | (found >= shape[axis])][:1]
        np.broadcast_to(np.empty((), np.int8), shape)[(slice(None),) * axis + (wrong,)]


def _axis_of_mesh(a: LazyArray, entries: Key, arrays: Sequence[LazyArray]) -> int | None:
    """The axis of the first of two neighbouring index arrays behind nothing but full slices."""
    axis = next(place for place, entry in enumerate(entries) if entry is arrays[0])
    is_plain = all(entry == slice(None) for entry in entries[:axis] if isinstance(entry, slice))
    neighbours = len(entries) == axis + 2 <= len(a._dims) and entries[-1] is arrays[1]
    return axis if is_plain and neighbours and all(isinstance(e, slice) for e in entries[:axis]) else None


def _open_mesh(a: LazyArray, arrays: Sequence[LazyArray], axis: int) -> LazyArray:
    """`a[rows[:, None], columns]` is `a[rows][:, columns]`, on two neighbouring axes."""
    rows, columns = arrays
    shapes = rows._dims, columns._dims
    column_shape = shapes[1][1:] if len(shapes[1]) == 2 and shapes[1][0] == 1 else shapes[1]
    if len(shapes[0]) != 2 or shapes[0][1] != 1 or len(column_shape) != 1:
        raise Unsupported("several index arrays")
    check_bounds(a, axis, rows)
    check_bounds(a, axis + 1, columns)
    taken = from_node(take_along(a, reshape(rows, (-1,))._node, axis))
    return from_node(take_along(taken, reshape(columns, (-1,))._node, axis + 1))


def put(a: LazyArray, key: Any, values: Any) -> None:
    """`a[key] = values`, recorded or, for a basic key into concrete elements, done at once."""
    entries = normalised(key)
    if not is_recorded(a._dtype):
        raise Unsupported(f"arrays of dtype {a._dtype} are left to NumPy")
    if is_basic(entries):
        _put_basic(a, entries, values)
        return
    arrays = [entry for entry in entries if isinstance(entry, LazyArray)]
    if len(entries) != 1 or arrays[0]._dtype.kind != "b":
        raise Unsupported("assignment by index arrays")
    _check_mask(a, arrays[0], 0)
    _put_masked(a, arrays[0]._node, values)


def _put_basic(a: LazyArray, key: Key, values: Any) -> None:
    target = basic(a, (*key, Ellipsis) if Ellipsis not in key else key)
    if Ellipsis not in key and not target._dims and type(values) not in WEAK and operand(values).shape:
        np.empty(1, a._dtype)[0] = np.zeros((1,) * len(operand(values).shape))  # an element is no sequence
    if (
        isinstance(values, LazyArray)
        and values._storage is target._storage
        and values._views == target._views
    ):
        return  # the second half of `a[key] += x`
    target._write(_fitting(target, values))


def _fitting(target: LazyArray, values: Any) -> Node:
    """Values of the target's dtype and shape. Raises NumPy's error when they do not broadcast to it."""
    value = _assigned(values, target._dtype)
    if current_recording() is None and not is_static(target._dims):
        target._storage.materialise()
    wanted = target._dims
    while value.type.rank > len(wanted) and value.shape[0] == 1:
        value = build.reshape(value, value.shape[1:])
    if value.shape == wanted or not value.shape:
        return build.broadcast(value, wanted)
    check_assignable(tuple(map(length, value.shape)), lengths(target))
    return fitted(value, wanted)


def _assigned(values: Any, dtype: np.dtype) -> Node:
    """Values as elements of this dtype. A Python number becomes one as NumPy makes it one, or not."""
    if isinstance(values, LazyArray) and values._scalar and values._dtype.kind == "f" and dtype.kind in "iu":
        values = values._observe()[()]  # NumPy refuses what is no integer
    if type(values) in WEAK or isinstance(values, np.generic):
        element = np.empty((), dtype)
        element[...] = values
        return build.constant(element)
    given = operand(values)
    found = given.node
    if type(given.number) is complex and dtype.kind != "c":
        raise Unsupported(f"a complex number into an array of {dtype}")
    if found is not None and not _is_plain(found.dtype, dtype):
        raise Unsupported(f"{found.dtype} into an array of {dtype}")
    return build.convert(given.as_node(dtype), dtype)


def _is_plain(source: np.dtype, target: np.dtype) -> bool:
    """Whether a cast of elements needs neither a warning nor a rule of dates."""
    if source.kind in "mM" or target.kind in "mM":
        return source == target
    return source.kind != "c" or target.kind == "c"


def _put_masked(a: LazyArray, mask: Node, values: Any) -> None:
    value = _assigned(values, a._dtype)
    base = a._node
    if value.type.rank > 0 and value.shape != (1,):
        a._write(_scattered(base, mask, value))
        return
    if mask.type.rank < base.type.rank:
        mask = build.reshape(mask, (*mask.shape, *(1,) * (base.type.rank - mask.type.rank)))
    _, (condition, old) = broadcast_together([mask, base])
    new = build.reshape(value, ()) if value.shape else value
    a._write(node("select", condition, new, old))


def _scattered(base: Node, mask: Node, value: Node) -> Node:
    """One value per true element, in order. Raises NumPy's error when the numbers differ."""
    if mask.type.rank < base.type.rank:
        raise Unsupported("assignment of rows by a mask")
    flat_base, flat = _flattened(base, mask)
    if value.type.rank != 1:
        raise Unsupported("assignment of a matrix by a mask")
    if value.op == "compress" and value.inputs[1] is flat and value.inputs[0].shape == flat.shape:
        return _shaped_back(node("select", flat, value.inputs[0], flat_base), base)
    if not (isinstance(value.shape[0], Count) and value.shape[0].mask is flat):
        given, wanted = length(value.shape[0]), int(from_node(count_node(Count(flat)))._observe())
        if given == 1:
            one = build.reshape(static(value), ())
            return _shaped_back(node("select", flat, one, flat_base), base)
        if given != wanted:
            raise ValueError(
                f"NumPy boolean array indexing assignment cannot assign {given} input values to the "
                f"{wanted} output values where the mask is true"
            )
    return _shaped_back(build.masked_scatter(flat_base, flat, value), base)


def _shaped_back(flat: Node, base: Node) -> Node:
    if element_count(flat.shape) != element_count(base.shape):
        raise Unsupported("a mask whose length is known otherwise")
    return build.reshape(flat, base.shape)


LARGE_PART = 4
"""A part of an array below this fraction of it is not worth other memory, which all of it would be copied
to."""


def settle_for_part(a: LazyArray, key: Any, values: Any) -> None:
    """Evaluate what is to be written to a small part of concrete elements, or to memory that others hold too:
    NumPy then copies it there. A large part is computed straight to its place.
    """
    array = a._storage.array
    if array is None or values._storage.array is not None or values._storage is a._storage:
        return
    entries = key if type(key) is tuple else (key,)
    if all(isinstance(entry, _BASIC) and not isinstance(entry, bool) for entry in entries):
        part = a._elements[key]
        if a._storage.pinned or LARGE_PART * part.size < array.size:
            values._storage.materialise()


def writes_at_once(a: LazyArray, key: Any, values: Any, limit: Few) -> bool:
    """Whether an assignment is done by NumPy now: nothing pending takes part, and it is small or a plain
    slice.
    """
    if a._storage.array is None or a._storage.has_readers():
        return False
    if isinstance(values, LazyArray):
        if values._storage.array is None:
            return False
        if values._storage is a._storage:
            return small(a, limit) is not None
    entries = key if type(key) is tuple else (key,)
    if all(isinstance(entry, _BASIC) and not isinstance(entry, bool) for entry in entries):
        return True
    return small(a, limit) is not None and all(
        not isinstance(entry, LazyArray) or entry._storage.array is not None for entry in entries
    )
