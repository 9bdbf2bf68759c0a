"""Functions that put elements elsewhere and compute none: roll, pad, tile, repeat, delete, insert.

Along an axis of known length such a function is a list of pieces: slices of the axis (forwards, or backwards
for reflections), one element many times, or new values; they are concatenated. Rolling a vector is a gather
by computed positions, which works for every length and is part of the loop around it. What has no short list
of pieces (a pad longer than the axis, counts for each element) is a gather by known positions. Arguments
that NumPy refuses are left to it, so that the error is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.numpy_array import memory_order
from fuse.integrations.numpy_array.base import LazyArray, Unsupported, from_node
from fuse.integrations.numpy_array.elementwise import node
from fuse.integrations.numpy_array.indexing import take_along
from fuse.integrations.numpy_array.layout import as_array, as_static, ravel
from fuse.integrations.numpy_array.operands import is_numeric, numbers_of
from fuse.integrations.numpy_array.reductions import length_node
from fuse.integrations.numpy_array.storage import is_static
from fuse.ir import build
from fuse.ir.node import Node
from fuse.ir.types import Dim, element_count, size

_LONGEST_MAP = 1 << 16
"""Positions that are looked up in a table of the graph; longer ones are left to NumPy."""

_LARGEST_RANK = 8
_FEW_COPIES = 16


def settled(a: LazyArray) -> LazyArray:
    """The array with known lengths. A recording of symbolic lengths keeps them: there NumPy runs the step."""
    if is_static(a._dims):
        return a
    if current_recording() is not None:
        raise Unsupported("the lengths are not known when it is recorded")
    return as_static(a)


def _numeric(value: Any) -> LazyArray:
    found = as_array(value)
    if not is_numeric(found._dtype):
        raise Unsupported(f"arrays of dtype {found._dtype} are left to NumPy")
    return found


def _length(value: Node, axis: int) -> int:
    dim = value.shape[axis]
    assert isinstance(dim, int)
    return dim


def _slice(value: Node, axis: int, start: int | None, stop: int | None, step: int = 1) -> Node:
    """Part of one axis; a start or stop of None is its end in the direction of the step."""
    full = (0, None, 1)
    bounds = (0 if start is None and step > 0 else start, stop, step)
    return build.slice_(value, (*(full,) * axis, bounds, *(full,) * (value.type.rank - axis - 1)))


def _with_length(value: Node, axis: int, length: Dim) -> tuple[Dim, ...]:
    return (*value.shape[:axis], length, *value.shape[axis + 1 :])


def _joined(pieces: Sequence[Node], axis: int) -> Node:
    filled = [piece for piece in pieces if piece.shape[axis] != 0]
    return build.concatenate(filled or pieces[:1], axis)


def _looked_up(value: Node, axis: int, positions: np.ndarray) -> Node:
    """The elements of one axis at known positions."""
    if positions.size > _LONGEST_MAP:
        raise Unsupported("a long list of positions")
    return take_along(from_node(value), build.constant(positions.astype(np.int64)), axis)


# roll


def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """`np.roll`, recorded."""
    found = _numeric(a)
    if axis is None:
        return _unravelled(roll(ravel(found), _whole(shift), 0), found)
    axes = normalize_axis_tuple(axis, len(found._dims), allow_duplicate=True)
    shifts = np.broadcast(shift, axes)
    if shifts.ndim > 1 or np.asarray(shift).dtype.kind not in "iu":
        raise Unsupported("a shift that is no integer for each axis")
    total: dict[int, int] = {}
    for distance, which in shifts:
        total[int(which)] = total.get(int(which), 0) + int(distance)
    value = found._node
    for which, distance in total.items():
        value = _rolled(value, which, distance)
    return from_node(value)


def _whole(shift: Any) -> int:
    if isinstance(shift, int | np.integer) and not isinstance(shift, bool):
        return int(shift)
    raise Unsupported("a shift that is no integer")


def _unravelled(flat: LazyArray, like: LazyArray) -> LazyArray:
    return from_node(build.reshape(flat._node, like._node.shape))


def _rolled(value: Node, axis: int, distance: int) -> Node:
    length = value.shape[axis]
    if value.type.rank == 1 or not isinstance(length, int):
        return take_along(from_node(value), _rolled_positions(length, distance), axis)
    distance = distance % length if length else 0
    if not distance:
        return value
    return _joined([_slice(value, axis, length - distance, None), _slice(value, axis, None, -distance)], axis)


def _rolled_positions(length: Dim, distance: int) -> Node:
    """i - distance, wrapped into the axis."""
    count = length_node(length)
    zero = build.constant(0, np.int64)
    if isinstance(length, int):
        shift = build.constant(distance % length if length else 0, np.int64)
    else:
        shift = node("remainder", build.constant(distance, np.int64), count)
    moved = node("subtract", build.iota(length), shift)
    return node("select", node("less", moved, zero), node("add", moved, count), moved)


# pad


def pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    """`np.pad`, recorded, for the modes constant, edge, reflect, symmetric and wrap."""
    found = _numeric(array)
    rank = len(found._dims)
    widths = _widths(pad_width, rank)
    if mode == "constant" and not set(options) - {"constant_values"} and rank <= _LARGEST_RANK:
        return from_node(_framed(found._node, widths, options))
    if mode not in _BORDERS or options not in ({}, {"reflect_type": "even"}) or (options and mode == "wrap"):
        raise Unsupported(f"the mode {mode!r} with these options")
    value = settled(found)._node
    for axis, width in enumerate(widths):
        value = _extended(value, axis, width, mode)
    return from_node(value)


def _widths(pad_width: Any, rank: int) -> list[tuple[int, int]]:
    """(before, after) for each axis."""
    given = np.asarray(pad_width) if not isinstance(pad_width, dict | LazyArray) else np.empty(0)
    if given.dtype.kind not in "iu" or not rank:
        raise Unsupported("widths that are no integers")
    try:
        pairs = np.broadcast_to(given, (rank, 2)).tolist()
    except ValueError:
        raise Unsupported("widths for other axes") from None
    if any(width < 0 for pair in pairs for width in pair):
        raise Unsupported("a negative width")
    return [(before, after) for before, after in pairs]


def _framed(value: Node, widths: Sequence[tuple[int, int]], options: Mapping[str, Any]) -> Node:
    """Constants around the array; NumPy's own frame around one element says which, and casts them."""
    rank = value.type.rank
    sample = np.pad(np.zeros((1,) * rank, value.dtype), 1, "constant", **options)
    for axis, width in enumerate(widths):
        pieces = [value]
        for place, count in zip((0, 2), width, strict=True):
            corner = sample[tuple(place if i == axis else 1 for i in range(rank))]
            frame = build.broadcast(build.constant(corner, value.dtype), _with_length(value, axis, count))
            pieces = [frame, *pieces] if place == 0 else [*pieces, frame]
        value = _joined([pieces[0], pieces[1], pieces[2]], axis) if any(width) else value
    return value


def _edge(value: Node, axis: int, before: int, after: int) -> list[Node]:
    length = _length(value, axis)
    first, last = _slice(value, axis, 0, 1), _slice(value, axis, length - 1, length)
    return [
        build.broadcast(first, _with_length(value, axis, before)),
        value,
        build.broadcast(last, _with_length(value, axis, after)),
    ]


def _mirrored(skipped: int) -> Callable[[Node, int, int, int], list[Node]]:
    """Backwards from each end, the end itself left out (`skipped` = 1) or repeated."""

    def pieces(value: Node, axis: int, before: int, after: int) -> list[Node]:
        length = _length(value, axis)
        head = _slice(_slice(value, axis, skipped, skipped + before), axis, None, None, -1)
        tail = _slice(_slice(value, axis, length - skipped - after, length - skipped), axis, None, None, -1)
        return [head, value, tail]

    return pieces


def _wrapped(value: Node, axis: int, before: int, after: int) -> list[Node]:
    length = _length(value, axis)
    return [_slice(value, axis, length - before, length), value, _slice(value, axis, 0, after)]


_BORDERS: Mapping[str, Callable[[Node, int, int, int], list[Node]]] = {
    "edge": _edge, "reflect": _mirrored(1), "symmetric": _mirrored(0), "wrap": _wrapped,
}  # fmt: skip

_REACH = {"reflect": 1, "symmetric": 0, "wrap": 0}
"""By how much less than the axis is long one reflection reaches."""


def _extended(value: Node, axis: int, width: tuple[int, int], mode: str) -> Node:
    before, after = width
    if not before and not after:
        return value
    length = _length(value, axis)
    if not length:
        raise Unsupported("an empty axis")
    if mode == "edge" or max(width) <= length - _REACH[mode]:
        return _joined(_BORDERS[mode](value, axis, before, after), axis)
    return _looked_up(value, axis, np.pad(np.arange(length), width, mode))  # type: ignore[call-overload]  # one of the modes


# tile and repeat


def tile(A: Any, reps: Any) -> Any:  # NumPy's name
    """`np.tile`, recorded."""
    found = _numeric(A)
    given = (reps,) if isinstance(reps, int | np.integer) else tuple(reps)
    if not all(isinstance(n, int | np.integer) and n >= 0 for n in given):
        raise Unsupported("repetitions that are no counts")
    rank = max(len(given), len(found._dims))
    counts = (1,) * (rank - len(given)) + tuple(map(int, given))
    value = build.reshape(found._node, (1,) * (rank - len(found._dims)) + found._node.shape)
    for axis, count in enumerate(counts):
        value = _copies(value, axis, count)
    if rank > 1:
        memory_order.remember(value, tuple(range(rank)))
    return from_node(value)


def _copies(value: Node, axis: int, count: int) -> Node:
    """An axis several times over: a few copies one behind the other are the fastest."""
    if 0 < count <= _FEW_COPIES:
        return build.concatenate([value] * count, axis)
    shape = value.shape
    apart = build.reshape(value, (*shape[:axis], 1, *shape[axis:]))
    copies = build.broadcast(apart, (*shape[:axis], count, *shape[axis:]))
    return build.reshape(copies, _with_length(value, axis, size("multiply", count, shape[axis])))


def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    """`np.repeat`, recorded: one count for all elements, or known counts for each."""
    found = _numeric(a)
    if axis is None:
        found, axis = ravel(found), 0
    if not found._dims:
        raise Unsupported("a 0-d array")
    axis = normalize_axis_index(axis, len(found._dims))
    if isinstance(repeats, LazyArray):
        raise Unsupported("counts in an array")
    counts = np.asarray(repeats)
    if counts.dtype.kind not in "iu" or counts.ndim > 1 or (counts < 0).any():
        raise Unsupported("repetitions that are no counts")
    if counts.size == 1:
        return from_node(_each(found._node, axis, int(counts.reshape(-1)[0])))
    value = settled(found)._node
    length = _length(value, axis)
    if counts.size != length:
        raise Unsupported("counts for another length")
    return from_node(_looked_up(value, axis, np.repeat(np.arange(length), counts)))


def _each(value: Node, axis: int, count: int) -> Node:
    shape = value.shape
    if axis == len(shape) - 1 and count > 1:
        total = element_count(shape)
        place = node(
            "floor_divide", build.iota(size("multiply", total, count)), build.constant(count, np.int64)
        )
        found = build.gather(build.reshape(value, (total,)), place, "clip")
        return build.reshape(found, _with_length(value, axis, size("multiply", shape[axis], count)))
    apart = build.reshape(value, (*shape[: axis + 1], 1, *shape[axis + 1 :]))
    copies = build.broadcast(apart, (*shape[: axis + 1], count, *shape[axis + 1 :]))
    return build.reshape(copies, _with_length(value, axis, size("multiply", shape[axis], count)))


# delete and insert


def _along(arr: Any, axis: Any) -> tuple[Node, int]:
    """The array and the axis that is changed: all elements in a row when none is named."""
    found = settled(_numeric(arr))
    if axis is None:
        return (found._node if len(found._dims) == 1 else ravel(found)._node), 0
    return found._node, normalize_axis_index(axis, len(found._dims))


def delete(arr: Any, obj: Any, axis: Any = None) -> Any:
    """`np.delete`, recorded, for known places."""
    value, axis = _along(arr, axis)
    length = _length(value, axis)
    if isinstance(obj, int | np.integer):
        first = last = _place(obj, length - 1, length)
    elif isinstance(obj, slice) and obj.step in (None, 1, -1):
        gone = range(*obj.indices(length))
        first, last = (min(gone), max(gone)) if gone else (0, -1)
    else:
        return from_node(_looked_up(value, axis, _remaining(length, obj)))
    return from_node(_joined([_slice(value, axis, 0, first), _slice(value, axis, last + 1, length)], axis))


def _remaining(length: int, gone: Any) -> np.ndarray:
    """The positions that known ones leave."""
    if isinstance(gone, LazyArray):
        raise Unsupported("places in an array")
    try:
        return np.delete(np.arange(length), gone)
    except (IndexError, ValueError, TypeError) as error:
        raise Unsupported(str(error)) from None


def _place(index: Any, largest: int, length: int) -> int:
    if isinstance(index, bool | np.bool_) or not isinstance(index, int | np.integer):
        raise Unsupported("several places")
    if not -length <= index <= largest:
        raise Unsupported("a place outside of the array")
    return int(index) + length if index < 0 else int(index)


def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    """`np.insert`, recorded, for one known place."""
    value, axis = _along(arr, axis)
    length = _length(value, axis)
    if not value.type.rank:
        raise Unsupported("a 0-d array")
    place = _place(obj, length, length)
    new = _inserted(values, value, axis)
    return from_node(_joined([_slice(value, axis, 0, place), new, _slice(value, axis, place, length)], axis))


def _inserted(values: Any, value: Node, axis: int) -> Node:
    """The new values as a part of the array: the first axis of what is given is the one that grows."""
    if isinstance(values, int | float):
        given = build.constant(np.array(values, dtype=value.dtype))
    else:
        given = build.convert(numbers_of(values), value.dtype)
    rank = value.type.rank
    if given.type.rank > rank or not is_static(given.shape):
        raise Unsupported("values of more axes")
    given = build.reshape(given, (1,) * (rank - given.type.rank) + given.shape)
    order = (*range(1, axis + 1), 0, *range(axis + 1, rank))
    given = build.transpose(given, order)
    wanted = _with_length(value, axis, given.shape[axis])
    if any(dim not in (1, other) for dim, other in zip(given.shape, wanted, strict=True)):
        raise Unsupported("values of another shape")
    return build.broadcast(given, wanted)


def resized(a: Any, new_shape: Any) -> Any:
    """`np.resize`, recorded: the elements in a row, again and again."""
    found = settled(_numeric(a))
    shape = (new_shape,) if isinstance(new_shape, int | np.integer) else tuple(new_shape)
    count, wanted = element_count(found._dims), int(np.prod(shape, dtype=np.int64))
    if not count or wanted <= 0 or min(shape) < 0:
        raise Unsupported("nothing to repeat")
    assert isinstance(count, int)
    flat = _slice(tile(ravel(found), -(-wanted // count))._node, 0, 0, wanted)
    return from_node(build.reshape(flat, tuple(map(int, shape))))


FUNCTIONS: Mapping[Callable[..., Any], Callable[..., Any]] = {
    np.roll: roll, np.pad: pad, np.tile: tile, np.repeat: repeat, np.delete: delete, np.insert: insert,
    np.resize: resized,
}  # fmt: skip
