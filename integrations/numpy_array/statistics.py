"""Mean, variance and the NaN-ignoring reductions, composed as NumPy composes them.

mean = sum / n, with the division in float64 whatever the dtype, as NumPy does; var = the mean of squared
distances from the mean (two passes, not the difference of moments); integers in float64. Sums of float16 are
float32; a variance of float16 rounds to float16 after each step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fuse.integrations.capture.watching import warn_here
from fuse.integrations.numpy_array.base import Unsupported
from fuse.integrations.numpy_array.elementwise import node
from fuse.integrations.numpy_array.operands import broadcast_together, is_numeric, node_of, numbers_of, static
from fuse.integrations.numpy_array.reductions import (
    NO_VALUE,
    Axes,
    axes_of,
    finish,
    kept,
    number_of,
    reduced,
    reduced_parts,
)
from fuse.integrations.numpy_array.storage import is_static
from fuse.ir import build
from fuse.ir.node import Node

_FLOAT64 = np.dtype(np.float64)


def mean_dtypes(source: np.dtype, dtype: Any) -> tuple[np.dtype, np.dtype]:
    """(the dtype of the sum, the dtype of the result)."""
    if dtype is not None:
        asked = np.dtype(dtype)
        if not is_numeric(asked) or asked.kind != "f" or asked == np.float16:
            raise Unsupported(f"dtype={asked}")
        return asked, asked
    if source.kind in "biu":
        return _FLOAT64, _FLOAT64
    return (np.dtype(np.float32), source) if source == np.float16 else (source, source)


def divided(total: Node, count: Node, dtype: np.dtype) -> Node:
    """total / count in float64, rounded to the dtype once; a total of no axes has one count for all."""
    quotient = node("divide", build.convert(total, np.float64), count)
    return build.convert(quotient, dtype)


def _axes_of(value: Node, axis: Any) -> Axes:
    """Unlike a sum, a mean of a 0-d array takes no axis."""
    if not value.shape and axis not in (None, ()):
        raise Unsupported("an axis of a 0-d array")
    return axes_of(value, axis)


def mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = NO_VALUE,
    *,
    where: Any = NO_VALUE,
) -> Any:
    """`np.mean`, recorded."""
    value = node_of(a)
    if value.dtype.kind == "c" and dtype is None and mask_of(where) is True:
        return _complex_mean(value, axis, out, keepdims)
    value = numbers_of(a)
    mask = mask_of(where)
    value = value if mask is True or is_static(value.shape) else static(value)
    axes = _axes_of(value, axis)
    working, result = mean_dtypes(value.dtype, dtype)
    _warn_of_nothing("Mean of empty slice", value, axes)
    total = reduced("sum", build.convert(value, working), axes, mask)
    found = build.convert(divided(total, number_of(value.shape, axes, mask), working), result)
    return finish(found, value.shape, axes, flag(keepdims), out)


def _complex_mean(value: Node, axis: Any, out: Any, keepdims: Any) -> Any:
    """NumPy divides by a count of int64, so in complex128."""
    axes = axes_of(value, axis)
    _warn_of_nothing("Mean of empty slice", value, axes)
    total = build.convert(reduced_parts(np.add, value, axes), np.complex128)
    count = build.convert(number_of(value.shape, axes), np.complex128)
    found = build.convert(node("divide", total, count), value.dtype)
    return finish(found, value.shape, axes, flag(keepdims), out)


def var(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = NO_VALUE, *,
    where: Any = NO_VALUE, mean: Any = NO_VALUE, correction: Any = NO_VALUE,
) -> Any:  # fmt: skip
    """`np.var`, recorded."""
    value = numbers_of(a)
    axes = _axes_of(value, axis)
    found = _variance(value, axes, dtype, degrees(ddof, correction), mask_of(where), mean)
    return finish(found, value.shape, axes, flag(keepdims), out)


def std(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = NO_VALUE, *,
    where: Any = NO_VALUE, mean: Any = NO_VALUE, correction: Any = NO_VALUE,
) -> Any:  # fmt: skip
    """`np.std`, recorded: the square root of the variance."""
    value = numbers_of(a)
    axes = _axes_of(value, axis)
    found = node("sqrt", _variance(value, axes, dtype, degrees(ddof, correction), mask_of(where), mean))
    return finish(found, value.shape, axes, flag(keepdims), out)


def _variance(value: Node, axes: Axes, dtype: Any, ddof: float, mask: Any, given_mean: Any) -> Node:
    halves = value.dtype == np.float16 and dtype is None
    working = value.dtype if halves else mean_dtypes(value.dtype, dtype)[0]
    value = value if mask is True or is_static(value.shape) else static(value)
    _warn_of_nothing("Degrees of freedom <= 0 for slice", value, axes)
    converted = build.convert(value, working)
    count = number_of(value.shape, axes, mask)
    if given_mean is NO_VALUE:
        centre = divided(total_of(converted, axes, mask), count, working)
        centre = build.reshape(centre, kept(value.shape, axes)) if centre.shape else centre
    else:
        centre = build.convert(numbers_of(given_mean), working)
    _, (converted, centre) = broadcast_together([converted, centre])
    squares = node("square", node("subtract", converted, centre))
    freedom = node("maximum", node("subtract", count, build.constant(float(ddof))), build.constant(0.0))
    return divided(total_of(squares, axes, mask), freedom, working)


def total_of(value: Node, axes: Axes, mask: Any) -> Node:
    """The sum as NumPy has it: of float16 in float32, then rounded to float16."""
    wide = np.dtype(np.float32) if value.dtype == np.float16 else value.dtype
    return build.convert(reduced("sum", build.convert(value, wide), axes, mask), value.dtype)


def mask_of(where: Any) -> Any:
    return True if where is NO_VALUE or where is True else where


def flag(keepdims: Any) -> bool:
    return keepdims is not NO_VALUE and bool(keepdims)


def degrees(ddof: Any, correction: Any) -> float:
    if correction is NO_VALUE:
        return float(ddof)
    if ddof != 0:
        raise ValueError("ddof and correction can't be provided simultaneously.")
    return float(correction)


def _warn_of_nothing(message: str, value: Node, axes: Axes) -> None:
    if 0 in (value.shape[axis] for axis in axes):
        warn_here(message, RuntimeWarning)
