"""Running folds: cumsum, cumprod, `ufunc.accumulate` and those that leave NaN out, with NumPy's parameters.

Each is one `scan` of the graph, which folds in NumPy's order. Result dtypes and errors are asked of NumPy on
empty arrays.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from fuse.integrations.numpy_array.base import Unsupported, from_node, length, location
from fuse.integrations.numpy_array.elementwise import hollow, node, store
from fuse.integrations.numpy_array.layout import as_array, ravel
from fuse.integrations.numpy_array.nan_statistics import without_nan
from fuse.integrations.numpy_array.operands import is_numeric, node_of, numbers_of
from fuse.integrations.numpy_array.reductions import KINDS
from fuse.ir import build
from fuse.ir.node import Node

Function = Callable[..., Any]


def accumulate(ufunc: np.ufunc, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
    """`ufunc.accumulate(array, axis, dtype, out)`, recorded."""
    if ufunc not in KINDS:
        raise Unsupported("the accumulation has no compiled form")
    value = node_of(array)
    return _scanned(ufunc, value, _axis(ufunc, value, axis), dtype, out)


def _cumulative(ufunc: np.ufunc) -> Function:
    """`np.cumsum` and `np.cumprod`: of all elements in a row when no axis is named."""

    def cumulative(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        if out is not None and out is a and axis is None:
            raise Unsupported("its own output, which NumPy takes in another shape")
        value = node_of(ravel(as_array(a)) if axis is None else a)
        return _scanned(ufunc, value, 0 if axis is None else _axis(ufunc, value, axis), dtype, out)

    return cumulative


def _nan_cumulative(ufunc: np.ufunc, neutral: float) -> Function:
    """NaN counts as what changes nothing."""

    def cumulative(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        value = from_node(without_nan(numbers_of(a), neutral))
        return _cumulative(ufunc)(value, axis, dtype, out)

    return cumulative


def _inclusive(ufunc: np.ufunc) -> Function:
    """`np.cumulative_sum` and `np.cumulative_prod` of the array API standard."""

    def cumulative(
        x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: bool = False
    ) -> Any:
        value = node_of(x)
        if include_initial or value.type.rank == 0 or (axis is None and value.type.rank > 1):
            raise Unsupported("an initial value, or no axis")
        return _scanned(ufunc, value, 0 if axis is None else _axis(ufunc, value, axis), dtype, out)

    return cumulative


def _axis(ufunc: np.ufunc, value: Node, axis: Any) -> int:
    """The axis as a number from 0. Raises NumPy's errors."""
    rank = value.type.rank
    if not rank or not isinstance(axis, int | np.integer):
        raise Unsupported("a 0-d array, or an axis that is no integer")
    if not -rank <= axis < rank:
        ufunc.accumulate(np.empty((0,) * rank, value.dtype), axis=axis)
    return normalize_axis_index(int(axis), rank)


def _scanned(ufunc: np.ufunc, value: Node, axis: int, dtype: Any, out: Any) -> Any:
    kind, _ = KINDS[ufunc]
    if value.dtype.kind == "c" and ufunc is np.add and dtype is None and out is None:
        parts = (build.scan("sum", node(part, value), axis, location()) for part in ("real", "imag"))
        return from_node(node("complex", *parts))
    target = out[0] if isinstance(out, tuple) else out
    if not is_numeric(value.dtype):
        raise Unsupported(f"it has no compiled form for {value.dtype}")
    working = _dtype(ufunc, value.dtype, None if dtype is None else np.dtype(dtype))
    if target is not None and np.dtype(getattr(target, "dtype", object)) != working:
        raise Unsupported("an output of another dtype")
    found = build.scan(kind, build.convert(value, working), axis, location())
    if target is None:
        return from_node(found)
    if tuple(map(length, found.shape)) != tuple(getattr(target, "shape", ())):
        source = np.broadcast_to(np.ones((), value.dtype), tuple(map(length, value.shape)))
        ufunc.accumulate(source, axis=axis, out=hollow(target))
    return store(ufunc, found, target, {})


@functools.cache
def _dtype(ufunc: np.ufunc, source: np.dtype, asked: np.dtype | None) -> np.dtype:
    """The dtype to fold in, which is that of the result."""
    options: dict[str, Any] = {} if asked is None else {"dtype": asked}
    found = np.dtype(ufunc.accumulate(np.ones(1, source), **options).dtype)
    if not is_numeric(found):
        raise Unsupported(f"its result here is {found}")
    return found


FUNCTIONS: Mapping[Function, Function] = {
    np.cumsum: _cumulative(np.add), np.cumprod: _cumulative(np.multiply),
    np.nancumsum: _nan_cumulative(np.add, 0.0), np.nancumprod: _nan_cumulative(np.multiply, 1.0),
    np.cumulative_sum: _inclusive(np.add), np.cumulative_prod: _inclusive(np.multiply),
}  # fmt: skip
