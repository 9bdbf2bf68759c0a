"""NumPy's functions on lazy arrays: which of ours stands for which of NumPy's, and the way through them.

A call goes one of three ways: few elements that are there already go to NumPy at once; a function in the
table is recorded; everything else, and what the table's function refuses, runs in NumPy and is reported.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fuse.integrations.numpy_array import (
    composed,
    index_maps,
    joins,
    layout,
    nan_statistics,
    products,
    reductions,
    rounding,
    scans,
    search,
    selection,
    statistics,
    windows,
)
from fuse.integrations.numpy_array.base import (
    Few,
    LazyArray,
    Unsupported,
    few,
    from_node,
    join,
    lengths,
    small,
)
from fuse.integrations.numpy_array.fallback import (
    out_by_name,
    pin_what_is_shared,
    run,
    run_on_copy,
    unwrapped,
)
from fuse.integrations.numpy_array.layout import as_array
from fuse.integrations.numpy_array.operands import is_derived, node_of
from fuse.integrations.numpy_array.reductions import NO_VALUE
from fuse.integrations.numpy_array.ufuncs import ERRSTATE, asks_for_exceptions
from fuse.integrations.numpy_array.warnings_of import FUNCTIONS as WATCHED
from fuse.integrations.numpy_array.warnings_of import watched_call
from fuse.ir import build

Function = Callable[..., Any]


class _NotSmall(Exception):
    """Some operand is large or not computed yet."""


def dispatch(function: Function, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """The result of a NumPy function for arguments among which there are lazy arrays."""
    args, kwargs = out_by_name(function, args, kwargs)
    limit = few()
    if limit.rows and function not in _NOT_AT_ONCE:
        try:
            return _eager(function, args, kwargs, _rows_only(limit) if function in _SPREADING else limit)
        except _NotSmall:
            pass
    name, reason = f"{function.__module__}.{function.__name__}", "it has no compiled form"
    if function in MUTATING and not args:
        target, *_ = inspect.signature(function).parameters.values()
        if target.kind is not inspect.Parameter.POSITIONAL_ONLY:
            args, kwargs = (kwargs[target.name],), {key: kwargs[key] for key in kwargs if key != target.name}
    if function in MUTATING and args and isinstance(args[0], LazyArray):
        return run_on_copy(function, args[0], args[1:], kwargs, name, "it writes to its argument")
    implementation = TABLE.get(function)
    if implementation is not None and any(map(is_derived, args)):
        return run(function, args, kwargs, name, "an operand of a class derived from NumPy's array")
    if asks_for_exceptions() and function not in _NOT_AT_ONCE:
        reason = ERRSTATE
    elif implementation is not None:
        try:
            if function in WATCHED:
                return watched_call(implementation, None, args, kwargs)
            return implementation(*args, **kwargs)
        except Unsupported as refusal:
            reason = str(refusal)
        except TypeError as error:  # of arguments that NumPy may know, or refuse in its own words
            reason = str(error)
    return run(function, args, kwargs, name, reason)


def _rows_only(limit: Few) -> Few:
    return Few(limit.rows, 0)


_SPREADING: frozenset[Function] = frozenset({np.outer, np.kron, np.meshgrid, np.einsum})
"""Functions that make many elements of few, so that what follows them is worth fusing."""


def _eager(function: Function, args: Sequence[Any], kwargs: Mapping[str, Any], limit: Few) -> Any:
    plain = [_plain(arg, limit) for arg in args]
    if not kwargs:
        return _joined(function(*plain), args)
    named = {name: _plain(value, limit) for name, value in kwargs.items()}
    target = kwargs.get("out")
    if isinstance(target, tuple):
        (target,) = target
    if isinstance(target, LazyArray):
        named["out"] = target._writable()
        function(*plain, **named)
        return target
    return _joined(function(*plain, **named), (*args, *kwargs.values()))


def _joined(result: Any, given: Sequence[Any]) -> Any:
    """The result as ours. Of views that NumPy made the source is pinned; one that must move for that was read
    by a pending expression, and the view of what it was before is a copy.
    """
    for value in given:
        if isinstance(value, LazyArray) and result is value._storage.array and not value._views:
            return value
    is_fresh = isinstance(result, np.ndarray) and result.base is None
    if not is_fresh and not isinstance(result, np.generic) and pin_what_is_shared(result, given):
        raise _NotSmall
    return join(result)


def _plain(value: Any, limit: Few) -> Any:
    if isinstance(value, LazyArray):
        found = small(value, limit)
        if found is None:
            raise _NotSmall
        return found
    if isinstance(value, np.ndarray) and value not in limit:
        raise _NotSmall
    if type(value) in (list, tuple):
        return type(value)(_plain(item, limit) for item in value)
    if hasattr(type(value), "__fuse_node__"):
        raise _NotSmall
    return value


def _ufunc_reduction(ufunc: np.ufunc) -> Function:
    """`np.sum` and its kin have the parameters of `ufunc.reduce` in another order."""

    def with_dtype(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
        initial: Any = NO_VALUE, where: Any = True,
    ) -> Any:  # fmt: skip
        return reductions.reduce(ufunc, a, axis, dtype, out, keepdims, initial, _mask(where))

    def without_dtype(
        a: Any,
        axis: Any = None,
        out: Any = None,
        keepdims: Any = False,
        initial: Any = NO_VALUE,
        where: Any = True,
    ) -> Any:
        return reductions.reduce(ufunc, a, axis, None, out, keepdims, initial, _mask(where))

    return with_dtype if ufunc in (np.add, np.multiply) else without_dtype


def _truth(ufunc: np.ufunc) -> Function:
    def reduction(
        a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
    ) -> Any:
        return reductions.reduce(ufunc, a, axis, None, out, keepdims, NO_VALUE, _mask(where))

    return reduction


def _mask(where: Any) -> Any:
    return True if where is NO_VALUE else where


def _reshape(
    a: Any, /, shape: Any = None, order: str = "C", *, newshape: Any = None, copy: Any = None
) -> Any:
    if shape is None or newshape is not None or copy is not None:
        raise Unsupported("a rare parameter of reshape")
    return layout.reshape(as_array(a), shape, order)


def _moveaxis(a: Any, source: Any, destination: Any) -> LazyArray:
    found = as_array(a)
    hollow = np.broadcast_to(np.empty((), np.int8), (1,) * len(found._dims))
    np.moveaxis(hollow, source, destination)
    rank = len(found._dims)
    sources = np.lib.array_utils.normalize_axis_tuple(source, rank, "source")
    targets = np.lib.array_utils.normalize_axis_tuple(destination, rank, "destination")
    order = [axis for axis in range(rank) if axis not in sources]
    for target, axis in sorted(zip(targets, sources, strict=True)):
        order.insert(target, axis)
    return layout.transpose(found, order)


def _swapaxes(a: Any, axis1: Any, axis2: Any) -> LazyArray:
    found = as_array(a)
    rank = len(found._dims)
    first = np.lib.array_utils.normalize_axis_index(axis1, rank, "axis1")
    second = np.lib.array_utils.normalize_axis_index(axis2, rank, "axis2")
    order = list(range(rank))
    order[first], order[second] = order[second], order[first]
    return layout.transpose(found, order)


def _flip(m: Any, axis: Any = None) -> LazyArray:
    found = as_array(m)
    rank = len(found._dims)
    axes = range(rank) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, rank)
    key = tuple(slice(None, None, -1 if i in axes else None) for i in range(rank))
    return layout.basic(found, key)


def _flip_along(axis: int) -> Function:
    """`np.flipud` and `np.fliplr`."""

    def flip(m: Any) -> LazyArray:
        if len(as_array(m)._dims) <= axis:
            raise ValueError(f"Input must be >= {axis + 1}-d.")
        return _flip(m, axis)

    return flip


def _full_like(value: Any) -> Function:
    """`np.zeros_like` and `np.ones_like`."""

    def like(
        a: Any,
        dtype: Any = None,
        order: str = "K",
        subok: bool = True,
        shape: Any = None,
        *,
        device: Any = None,
    ) -> LazyArray:
        return _filled_like(a, value, dtype, order, subok, shape)

    return like


def _filled_like(
    a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> LazyArray:  # fmt: skip
    source = as_array(a)
    _check_order(source, order)
    wanted = source._dims if shape is None else tuple(np.broadcast_to(np.empty((), np.int8), shape).shape)
    target = source._dtype if dtype is None else np.dtype(dtype)
    value = unwrapped(fill_value)
    if np.ndim(value) or target.kind not in "biuf":
        raise Unsupported("contents that are no number")
    found = np.full((), 0, target)
    np.copyto(found, value, casting="unsafe")
    return from_node(build.broadcast(node_of(found), wanted))


def _check_order(source: LazyArray, order: str) -> None:
    """Results of ours are in C order: another one that is asked for, or kept of the source, NumPy makes."""
    elements = source._storage.array
    kept = order in ("K", "A") and elements is not None and not source._elements.flags.c_contiguous
    if kept or order == "F":
        raise Unsupported("another order of the elements in memory than C")


def _copy(a: Any, order: str = "K", subok: bool = False) -> LazyArray:
    _check_order(as_array(a), order)
    return from_node(as_array(a)._node)


def _ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = NO_VALUE) -> Any:
    if out is not None:
        raise Unsupported("out=")
    keep = keepdims is not NO_VALUE and bool(keepdims)
    high = reductions.reduce(np.maximum, a, axis, None, None, keep)
    return np.subtract(high, reductions.reduce(np.minimum, a, axis, None, None, keep))


def _size(a: Any, axis: Any = None) -> int:
    found = lengths(as_array(a))
    return int(np.prod(found, dtype=np.intp)) if axis is None else found[axis]


def _atleast(rank: int) -> Function:
    return lambda *arrays: joins.at_least(rank, arrays)


TABLE: Mapping[Function, Function] = {
    np.sum: _ufunc_reduction(np.add), np.prod: _ufunc_reduction(np.multiply),
    np.min: _ufunc_reduction(np.minimum), np.max: _ufunc_reduction(np.maximum),
    np.amin: _ufunc_reduction(np.minimum), np.amax: _ufunc_reduction(np.maximum),
    np.any: _truth(np.logical_or), np.all: _truth(np.logical_and), np.ptp: _ptp,
    np.count_nonzero: reductions.count_nonzero,
    np.argmin: functools.partial(reductions.arg_extremum, "argmin"),
    np.argmax: functools.partial(reductions.arg_extremum, "argmax"),
    np.mean: statistics.mean, np.var: statistics.var, np.std: statistics.std,
    np.nansum: nan_statistics.nansum, np.nanmean: nan_statistics.nanmean,
    np.nanmin: functools.partial(nan_statistics.nan_extremum, "fmin"),
    np.nanmax: functools.partial(nan_statistics.nan_extremum, "fmax"),
    np.nanprod: nan_statistics.nanprod, np.nanvar: nan_statistics.nanvar, np.nanstd: nan_statistics.nanstd,
    np.nanargmin: functools.partial(nan_statistics.nan_arg_extremum, "argmin"),
    np.nanargmax: functools.partial(nan_statistics.nan_arg_extremum, "argmax"),
    np.clip: rounding.clip, np.round: rounding.round_, np.around: rounding.round_,
    np.nan_to_num: rounding.nan_to_num, np.isclose: rounding.isclose, np.allclose: rounding.allclose,
    np.array_equal: rounding.array_equal,
    np.isposinf: rounding.test("greater"), np.isneginf: rounding.test("less"),
    np.where: joins.where, np.concatenate: joins.concatenate, np.stack: joins.stack,
    np.column_stack: joins.column_stack, np.vstack: joins.vstack, np.hstack: joins.hstack,
    np.dstack: joins.dstack,
    np.atleast_1d: _atleast(1), np.atleast_2d: _atleast(2), np.atleast_3d: _atleast(3),

    np.reshape: _reshape,
    np.ravel: lambda a, order="C": layout.ravel(as_array(a), order),
    np.transpose: lambda a, axes=None: layout.transpose(as_array(a), axes),
    np.swapaxes: _swapaxes, np.moveaxis: _moveaxis, np.flip: _flip,
    np.fliplr: _flip_along(1), np.flipud: _flip_along(0),
    np.expand_dims: lambda a, axis: layout.expand_dims(as_array(a), axis),
    np.squeeze: lambda a, axis=None: layout.squeeze(as_array(a), axis),
    np.broadcast_to: lambda array, shape, subok=False: layout.broadcast_to(as_array(array), shape),
    np.zeros_like: _full_like(0), np.ones_like: _full_like(1), np.empty_like: _full_like(0),
    np.full_like: _filled_like, np.copy: _copy,
    np.shape: lambda a: lengths(as_array(a)),
    np.ndim: lambda a: len(as_array(a)._dims),
    np.size: _size,
    **composed.FUNCTIONS, **index_maps.FUNCTIONS, **windows.FUNCTIONS, **selection.FUNCTIONS,
    **products.FUNCTIONS, **search.FUNCTIONS, **scans.FUNCTIONS,
}  # fmt: skip

MUTATING: frozenset[Function] = frozenset(
    {np.copyto, np.place, np.put, np.putmask, np.fill_diagonal, np.put_along_axis, np.random.shuffle}
)

_VIEWS: frozenset[Function] = frozenset(
    {np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.flip, np.fliplr, np.flipud,
     np.expand_dims, np.squeeze, np.atleast_1d, np.atleast_2d, np.atleast_3d, np.shape, np.ndim, np.size,
     *composed.VIEWING, *windows.VIEWING, *products.VIEWING}
)  # fmt: skip

_NOT_AT_ONCE = MUTATING | _VIEWS
"""Functions that concern the array itself, not only its elements."""
