"""The reductions that leave NaN out, composed as NumPy composes them.

NaN is replaced by what changes nothing (0 in a sum, infinity in a minimum) and what is left is counted.
Whether a slice has only NaN is for the data to say: that one bit is computed in the same pass as the result,
at the call, where NumPy warns or raises too; a recording keeps it as a guard.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.values import values
from fuse.integrations.capture.watching import warn_here
from fuse.integrations.numpy_array.base import Unsupported, from_node
from fuse.integrations.numpy_array.elementwise import node
from fuse.integrations.numpy_array.operands import numbers_of
from fuse.integrations.numpy_array.reductions import (
    NO_VALUE,
    Axes,
    arg_extremum,
    axes_of,
    check_some,
    count_true,
    finish,
    kept,
    reduce,
    reduced,
)
from fuse.integrations.numpy_array.statistics import (
    degrees,
    divided,
    flag,
    mask_of,
    mean,
    mean_dtypes,
    std,
    total_of,
    var,
)
from fuse.ir import build
from fuse.ir.node import Node

_ONLY_NAN = "All-NaN slice encountered"


def holds_somewhere(condition: Node, *results: Node) -> bool:
    """Whether a bool value is true for some element, computed now together with the results."""
    found = build.reduce("any", condition, tuple(range(condition.type.rank)))
    if current_recording() is None:
        return bool(values([found, *results])[0])
    return bool(from_node(found)._observe())


def _warn_where(condition: Node, result: Node, message: str) -> None:
    """NumPy's RuntimeWarning, at the user's line. No replay can warn, so a recording that did is not kept."""
    if not holds_somewhere(condition, result):
        return
    recording = current_recording()
    if recording is not None:
        recording.taint(f"NumPy warns: {message}")
    warn_here(message, RuntimeWarning)


def _has_nan(value: Node) -> bool:
    """Whether elements of this dtype can be NaN."""
    return value.dtype.kind == "f"


def without_nan(value: Node, replacement: float) -> Node:
    """The value with a number in place of NaN."""
    if not _has_nan(value):
        return value
    return node("select", node("isnan", value), build.constant(replacement, value.dtype), value)


def _numbers(value: Node, axes: Axes) -> Node:
    """How many elements of each slice are not NaN, as intp."""
    return count_true(node("logical_not", node("isnan", value)), axes)


def _is_zero(count: Node) -> Node:
    return node("equal", count, build.constant(0, count.dtype))


def _summed(ufunc: np.ufunc, neutral: float) -> Any:
    def reduction(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = NO_VALUE,
        initial: Any = NO_VALUE, where: Any = NO_VALUE,
    ) -> Any:  # fmt: skip
        value = from_node(without_nan(numbers_of(a), neutral))
        return reduce(ufunc, value, axis, dtype, out, flag(keepdims), initial, mask_of(where))

    return reduction


nansum = _summed(np.add, 0.0)
nanprod = _summed(np.multiply, 1.0)


def nanmean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = NO_VALUE,
    *,
    where: Any = NO_VALUE,
) -> Any:
    """`np.nanmean`, recorded."""
    value = numbers_of(a)
    if not _has_nan(value):
        return mean(a, axis, dtype, out, keepdims, where=where)
    if mask_of(where) is not True:
        raise Unsupported("where= together with NaN")
    axes = axes_of(value, axis)
    working, result = mean_dtypes(value.dtype, dtype)
    total = reduced("sum", build.convert(without_nan(value, 0.0), working), axes)
    count = _numbers(value, axes)
    found = build.convert(divided(total, build.convert(count, np.float64), working), result)
    _warn_where(_is_zero(count), found, "Mean of empty slice")
    return finish(found, value.shape, axes, flag(keepdims), out)


def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = NO_VALUE, *,
    where: Any = NO_VALUE, mean: Any = NO_VALUE, correction: Any = NO_VALUE,
) -> Any:  # fmt: skip
    """`np.nanvar`, recorded."""
    value = numbers_of(a)
    if not _has_nan(value):
        options = {} if correction is NO_VALUE else {"correction": correction}
        return var(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, **options)
    _check_rare(value, dtype, where, mean)
    axes = axes_of(value, axis)
    found = _variance(value, axes, degrees(ddof, correction))
    return finish(found, value.shape, axes, flag(keepdims), out)


def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = NO_VALUE, *,
    where: Any = NO_VALUE, mean: Any = NO_VALUE, correction: Any = NO_VALUE,
) -> Any:  # fmt: skip
    """`np.nanstd`, recorded: the square root of the variance."""
    value = numbers_of(a)
    if not _has_nan(value):
        options = {} if correction is NO_VALUE else {"correction": correction}
        return std(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, **options)
    _check_rare(value, dtype, where, mean)
    axes = axes_of(value, axis)
    found = node("sqrt", _variance(value, axes, degrees(ddof, correction)))
    return finish(found, value.shape, axes, flag(keepdims), out)


def _check_rare(value: Node, dtype: Any, where: Any, given_mean: Any) -> None:
    if dtype is not None and np.dtype(dtype) != value.dtype:
        raise Unsupported("dtype= together with NaN")
    if mask_of(where) is not True or given_mean is not NO_VALUE:
        raise Unsupported("where= or mean= together with NaN")


def _variance(value: Node, axes: Axes, ddof: float) -> Node:
    """The mean of squared distances of the numbers; NaN where there are not more of them than `ddof`."""
    count = build.convert(_numbers(value, axes), np.float64)
    centre = divided(total_of(without_nan(value, 0.0), axes, True), count, value.dtype)
    centre = build.broadcast(build.reshape(centre, kept(value.shape, axes)), value.shape)
    distance = node("subtract", value, centre)  # NaN also where the mean is infinite, and that counts
    zero = build.constant(0, value.dtype)
    squares = node("square", node("select", node("isnan", value), zero, distance))
    freedom = node("subtract", count, build.constant(float(ddof)))
    found = divided(total_of(squares, axes, True), freedom, value.dtype)
    bad = node("less_equal", freedom, build.constant(0.0))
    found = node("select", bad, build.constant(np.nan, value.dtype), found)
    _warn_where(bad, found, "Degrees of freedom <= 0 for slice.")
    return found


def nan_extremum(
    kind: str, a: Any, axis: Any = None, out: Any = None, keepdims: Any = NO_VALUE, initial: Any = NO_VALUE,
    where: Any = NO_VALUE,
) -> Any:  # fmt: skip
    """`np.nanmin` and `np.nanmax`, recorded; a slice of only NaN gives NaN."""
    if initial is not NO_VALUE or mask_of(where) is not True:
        raise Unsupported("initial= or where= together with NaN")
    value = numbers_of(a)
    axes = axes_of(value, axis)
    function = np.fmin if kind == "fmin" else np.fmax
    found = reduced(kind, value, axes)
    check_some(value, axes, found, lambda empty: function.reduce(empty, axis=axes))
    if _has_nan(value):
        none = _is_zero(_numbers(value, axes))
        found = node("select", none, build.constant(np.nan, value.dtype), found)
        _warn_where(none, found, _ONLY_NAN)
    return finish(found, value.shape, axes, flag(keepdims), out)


def nan_arg_extremum(
    kind: str, a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = NO_VALUE
) -> Any:
    """`np.nanargmin` and `np.nanargmax`, recorded. Raises NumPy's ValueError for a slice of only NaN."""
    value = numbers_of(a)
    if not value.shape:
        raise Unsupported("a 0-d array")
    if not _has_nan(value):
        return arg_extremum(kind, a, axis, out, keepdims=keepdims)
    axes = axes_of(value, axis)
    replaced = without_nan(value, np.inf if kind == "argmin" else -np.inf)
    if 0 not in value.shape and holds_somewhere(_is_zero(_numbers(value, axes))):
        raise ValueError(_ONLY_NAN)
    return arg_extremum(kind, from_node(replaced), axis, out, keepdims=keepdims)
