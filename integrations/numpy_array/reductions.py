"""Reductions: sum, prod, min, max, any, all, count_nonzero, argmin, argmax over axes, with NumPy's
parameters.

Result dtypes and errors are asked of NumPy on empty arrays. float16 is summed in float32, as NumPy does. A
minimum of nothing is an error at the call; where only the data know whether there is something (the result
of a filter), the reduction and the count are evaluated in one pass there and then.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.values import values
from fuse.integrations.numpy_array.base import LazyArray, Unsupported, count_node, from_node, length, location
from fuse.integrations.numpy_array.elementwise import hollow, node, store
from fuse.integrations.numpy_array.operands import (
    broadcast_together,
    is_numeric,
    node_of,
    numbers_of,
    operand,
)
from fuse.integrations.numpy_array.storage import is_static
from fuse.ir import build
from fuse.ir.node import Node
from fuse.ir.ops import identity
from fuse.ir.types import Count, Dim, Shape, SizeOf, element_count

NO_VALUE = np._NoValue
Axes = tuple[int, ...]

# ufunc: (kind of the graph's reduction, the op that joins a further value)
KINDS: Mapping[np.ufunc, tuple[str, str]] = {
    np.add: ("sum", "add"),
    np.multiply: ("prod", "multiply"),
    np.minimum: ("min", "minimum"),
    np.maximum: ("max", "maximum"),
    np.fmin: ("fmin", "fmin"),
    np.fmax: ("fmax", "fmax"),
    np.logical_and: ("all", "logical_and"),
    np.logical_or: ("any", "logical_or"),
}

_EXTREMA = ("min", "max", "fmin", "fmax")


def reduce(
    ufunc: np.ufunc, a: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = NO_VALUE, where: Any = True,
) -> Any:  # fmt: skip
    """`ufunc.reduce(a, …)`, recorded. Raises Unsupported for ufuncs whose reduction is not an op."""
    if ufunc not in KINDS:
        raise Unsupported("the reduction has no compiled form")
    value = node_of(a)
    axes = axes_of(value, axis)
    keep = keepdims is not NO_VALUE and bool(keepdims)
    if not is_numeric(value.dtype):
        if dtype is not None or initial is not NO_VALUE or where is not True:
            raise Unsupported(f"the parameters dtype, initial and where for {value.dtype}")
        return finish(reduced_parts(ufunc, value, axes), value.shape, axes, keep, out, ufunc)
    kind, joined_by = KINDS[ufunc]
    result_dtype, working = _dtypes(ufunc, value.dtype, None if dtype is None else np.dtype(dtype))
    found = reduced(kind, build.convert(value, working), axes, where)
    _check_not_empty(ufunc, value, axes, initial, where, found)
    if initial is not NO_VALUE and initial is not None:
        if _is_negative_zero(initial):
            raise Unsupported("the sum of negative zeros")
        found = node(joined_by, operand(initial).as_node(working), found)
    found = build.convert(found, result_dtype)
    return finish(found, value.shape, axes, keep, out, ufunc)


def _is_negative_zero(value: Any) -> bool:
    """Whether a sum that starts with this may be -0.0; ours start with 0.0."""
    return not isinstance(value, LazyArray) and np.ndim(value) == 0 and value == 0 and bool(np.signbit(value))


def reduced_parts(ufunc: np.ufunc, value: Node, axes: Axes) -> Node:
    """A sum of complex numbers, which is that of each part."""
    if ufunc is not np.add or value.dtype.kind != "c":
        raise Unsupported(f"it has no compiled form for {value.dtype}")
    return node("complex", *(reduced("sum", node(part, value), axes) for part in ("real", "imag")))


def reduced(kind: str, value: Node, axes: Axes, where: Any = True) -> Node:
    """A reduction over axes, of the elements where a mask is true."""
    if where is not True:
        given = value.shape
        if node_of(where).dtype != np.dtype(bool):
            raise Unsupported("a mask that is not of bools")
        shape, (mask, value) = broadcast_together([_as_bool(node_of(where)), value])
        if not shape or shape != given:
            raise Unsupported("a mask of more elements than the array")
        value = node("select", mask, value, build.constant(identity(kind, value.dtype)))
    return build.reduce(kind, value, axes, location())


def finish(
    value: Node, shape: Shape, axes: Axes, keepdims: bool, out: Any = None, ufunc: np.ufunc = np.add
) -> Any:
    """The reduced axes back as ones when asked, into `out` when given."""
    if keepdims:
        value = build.reshape(value, kept(shape, axes))
    if out is not None:
        target = out[0] if isinstance(out, tuple) else out
        if getattr(target, "dtype", value.dtype) != value.dtype:
            raise Unsupported("out= of another dtype, in which NumPy computes")
        return _stored(value, shape, axes, keepdims, target, ufunc)
    return from_node(value, scalar=not value.shape)


def _stored(value: Node, shape: Shape, axes: Axes, keepdims: bool, target: Any, ufunc: np.ufunc) -> Any:
    """Into `out`; the error of a wrong shape is that of a reduction, asked without memory."""
    if not isinstance(target, LazyArray | np.ndarray):
        ufunc.reduce(np.ones(()), out=target)
    if tuple(map(length, value.shape)) != tuple(target.shape):
        source = np.broadcast_to(np.ones((), value.dtype), tuple(map(length, shape)))
        ufunc.reduce(source, axis=axes, out=hollow(target), keepdims=keepdims)
    return store(ufunc, value, target, {})


def kept(shape: Shape, axes: Axes) -> Shape:
    """The shape with the reduced axes as ones."""
    return tuple(1 if axis in axes else dim for axis, dim in enumerate(shape))


def axes_of(value: Node, axis: Any) -> Axes:
    """The axes as numbers from 0. Raises NumPy's AxisError."""
    if axis is None:
        return tuple(range(value.type.rank))
    if value.type.rank == 0 and axis in (0, -1, ()):
        return ()
    np.add.reduce(np.empty((0,) * value.type.rank), axis=axis)
    return normalize_axis_tuple(axis, value.type.rank)


def _as_bool(value: Node) -> Node:
    return build.convert(value, bool)


@functools.cache
def _dtypes(ufunc: np.ufunc, dtype: np.dtype, asked: np.dtype | None) -> tuple[np.dtype, np.dtype]:
    """The dtype of the result, and the one to reduce in."""
    options: dict[str, Any] = {} if asked is None else {"dtype": asked}
    sample = np.ones(1, dtype)
    result = np.dtype(ufunc.reduce(sample, **options).dtype)
    if not is_numeric(result):
        raise Unsupported(f"its result here is {result}")
    halves = result == np.dtype(np.float16) and ufunc in (np.add, np.multiply)
    return result, np.dtype(np.float32) if halves else result


def _check_not_empty(ufunc: np.ufunc, value: Node, axes: Axes, initial: Any, where: Any, found: Node) -> None:
    """NumPy's ValueErrors of a minimum of nothing, or of a masked minimum without `initial`."""
    if KINDS[ufunc][0] not in _EXTREMA or (initial is not NO_VALUE and initial is not None):
        return
    if where is not True:
        ufunc.reduce(np.empty(0, value.dtype), where=np.empty(0, bool))
    check_some(value, axes, found, lambda empty: ufunc.reduce(empty, axis=axes))


def check_some(value: Node, axes: Axes, found: Node | None, ask: Any) -> None:
    """`ask(an empty array of the type)` raises NumPy's error when there is nothing to reduce along `axes`.

    `found` is a reduction that gives something for nothing: where the number of elements must be computed,
    both are computed in the same pass.
    """
    if is_static(value.shape):
        shape: tuple[int, ...] = value.shape
        if 0 in (shape[axis] for axis in axes):
            ask(np.empty(shape, value.dtype))
        return
    for axis in axes:
        dim = value.shape[axis]
        if any(_is_empty(factor, found) for factor in _uncertain(dim)):
            ask(np.empty(tuple(0 if d is dim else length(d) for d in value.shape), value.dtype))


def _uncertain(dim: Dim) -> Iterator[Dim]:
    """The factors of a length that the data or the number of rows may make 0: filters, and slices of rows."""
    if isinstance(dim, SizeOf) and dim.function == "multiply":
        for factor in dim.operands:
            yield from () if factor is None else _uncertain(factor)
    elif isinstance(dim, Count | SizeOf):
        yield dim


def _is_empty(dim: Dim, found: Node | None) -> bool:
    """Whether a length is 0; a recording keeps this one bit as a guard."""
    count = length_node(dim)
    if current_recording() is None:
        return int(values([count] if found is None else [count, found])[0]) == 0
    return bool(from_node(node("equal", count, build.constant(0, np.int64)))._observe())


def count_true(value: Node, axes: Axes) -> Node:
    """How many elements are not zero, as intp."""
    return build.reduce("sum", build.convert(_as_bool(value), np.intp), axes, location())


def number_of(shape: Shape, axes: Axes, where: Any = True) -> Node:
    """How many elements each result of a reduction over `axes` comes from, as float64: 0-d, or per result."""
    if where is not True:
        mask = _as_bool(node_of(where))
        if is_static(mask.shape) and is_static(shape) and _wider(mask.shape, shape):
            raise Unsupported("a mask of more elements than the array")
        return build.convert(count_true(build.broadcast(mask, shape), axes), np.float64)
    count: Dim = element_count(tuple(shape[axis] for axis in axes))
    if isinstance(count, int):
        return build.constant(float(count))
    return build.convert(_size_node([shape[axis] for axis in axes]), np.float64)


def _wider(mask: Shape, shape: Shape) -> bool:
    return np.broadcast_shapes(mask, shape) != shape  # type: ignore[arg-type]  # both are known


def _size_node(dims: Sequence[Dim]) -> Node:
    """A product of lengths as a value of the graph."""
    found = build.constant(1, np.int64)
    for dim in dims:
        found = node("multiply", found, length_node(dim))
    return found


def length_node(dim: Dim) -> Node:
    """A length as an int64 value of the graph."""
    if isinstance(dim, int):
        return build.constant(dim, np.int64)
    if isinstance(dim, Count):
        return count_node(dim)
    return build.reduce("sum", build.broadcast(build.constant(1, np.int64), (dim,)))


def count_nonzero(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    """`np.count_nonzero`, recorded."""
    value = numbers_of(a)
    axes = axes_of(value, axis)
    return finish(count_true(value, axes), value.shape, axes, bool(keepdims))


def arg_extremum(kind: str, a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = NO_VALUE) -> Any:
    """`np.argmin` and `np.argmax`, recorded; the first of equal elements, NaN wins."""
    value = numbers_of(a)
    keep = keepdims is not NO_VALUE and bool(keepdims)
    if value.type.rank == 0:
        raise Unsupported("a 0-d array")
    function = np.argmin if kind == "argmin" else np.argmax
    if axis is None:
        axes, flat = tuple(range(value.type.rank)), build.reshape(value, (element_count(value.shape),))
    else:
        (chosen,) = normalize_axis_tuple(axis, value.type.rank)
        axes, flat = (chosen,), value
    along = 0 if axis is None else axes[0]
    found = build.arg_reduce(kind, flat, along, location())
    check_some(flat, (along,), None, lambda empty: function(empty, axis=None if axis is None else along))
    return finish(found, value.shape, axes, keep, out)
