"""Elementwise functions that are not ufuncs: clip, round, nan_to_num, isclose and their kin, composed of
ops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fuse.integrations.numpy_array.base import LazyArray, Unsupported, from_node, lengths
from fuse.integrations.numpy_array.elementwise import broadcast_operands, call, node, store
from fuse.integrations.numpy_array.operands import is_numeric, numbers_of, operand
from fuse.ir import build
from fuse.ir.node import Node

_NO_VALUE = np._NoValue
_CLIP: np.ufunc = np._core.umath.clip  # type: ignore[attr-defined]  # not in the stubs


def clip(
    a: Any, a_min: Any = _NO_VALUE, a_max: Any = _NO_VALUE, out: Any = None, *,
    min: Any = _NO_VALUE, max: Any = _NO_VALUE, **options: Any,
) -> Any:  # fmt: skip
    """`np.clip`, recorded: the larger of value and lower bound, then the smaller of that and the upper."""
    if options:
        raise Unsupported(f"the option {sorted(options)[0]}")
    _check_bounds(a_min=a_min, a_max=a_max, min=min, max=max)
    low, high = _within(numbers_of(a).dtype, _given(a_min, min), _given(a_max, max))
    if low is None and high is None:
        np.clip(np.empty(0, numbers_of(a).dtype))
        return _result(np.positive, numbers_of(a), out)
    ufunc = np.maximum if high is None else np.minimum if low is None else _CLIP
    operands = [operand(value) for value in (a, low, high) if value is not None]
    try:
        dtypes = ufunc.resolve_dtypes((*(o.dtype for o in operands), None))
    except TypeError as error:
        raise Unsupported(str(error)) from None
    if not all(map(is_numeric, dtypes)):
        raise Unsupported(f"its loop here is for {', '.join(map(str, dtypes))}")
    nodes = [o.as_node(dtype) for o, dtype in zip(operands, dtypes, strict=False)]
    value, *bounds = broadcast_operands(ufunc, nodes)
    if ufunc is _CLIP and value.dtype.kind == "f":
        is_bound_kept = value.dtype.itemsize > 2 and any(bound.shape for bound in bounds)
        ties = "_equal" if is_bound_kept else ""
        for outside, bound in zip(("less", "greater"), bounds, strict=True):
            value = _limited(value, outside + ties, bound)
    else:
        for op, bound in zip(
            ("maximum", "minimum") if ufunc is _CLIP else (ufunc.__name__,), bounds, strict=True
        ):
            value = node(op, value, bound)
    return _result(_CLIP, value, out)


def _within(dtype: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """The bounds without Python integers that no integer of this dtype can exceed, as NumPy leaves them
    out.
    """
    if not isinstance(dtype, np.dtype) or dtype.kind not in "iu":
        return low, high
    limits = np.iinfo(dtype)
    return (
        None if type(low) is int and low <= limits.min else low,
        None if type(high) is int and high >= limits.max else high,
    )


def _limited(value: Node, outside: str, bound: Node) -> Node:
    """The bound where the value is outside or the bound is NaN.

    Of zeros of two signs NumPy's loop keeps the value's when the bounds are numbers, the bound's when they
    are arrays.
    """
    is_known = bound.op == "constant" and not bound.shape
    if is_known and not np.isnan(bound.attrs["value"].array):
        return node("select", node(outside, value, bound), bound, value)
    replaced = node("logical_or", node(outside, value, bound), node("isnan", bound))
    return node("select", replaced, bound, value)


def _given(old: Any, new: Any) -> Any:
    """`a_min` and `min` are two names of one bound."""
    if old is not _NO_VALUE and new is not _NO_VALUE:
        raise Unsupported("both names of a bound")
    found = new if old is _NO_VALUE else old
    return None if found is _NO_VALUE else found


def _result(ufunc: np.ufunc, value: Node, out: Any) -> Any:
    if out is None:
        return from_node(value, scalar=not value.shape)
    return store(ufunc, value, out[0] if isinstance(out, tuple) else out, {})


def round_(a: Any, decimals: Any = 0, out: Any = None) -> Any:
    """`np.round`, recorded, as NumPy does it: scale by a power of ten, round to even, scale back."""
    value = numbers_of(a)
    if value.dtype.kind == "b" or (value.dtype.kind in "iu" and decimals < 0):
        raise Unsupported(f"rounding of {value.dtype} to {decimals} decimals")
    if value.dtype.kind in "iu":
        return _result(np.positive, value, out)
    if decimals == 0:
        return _result(np.rint, node("rint", value), out)
    there, back = ("multiply", "divide") if decimals > 0 else ("divide", "multiply")
    factor = build.constant(10.0 ** abs(int(decimals)), value.dtype)
    return _result(np.rint, node(back, node("rint", node(there, value, factor)), factor), out)


def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """`np.nan_to_num`, recorded."""
    if not copy:
        raise Unsupported("copy=False")
    value = numbers_of(x)
    if value.dtype.kind != "f":
        return from_node(value, scalar=not value.shape)
    if any(isinstance(given, np.ndarray | LazyArray | list | tuple) for given in (nan, posinf, neginf)):
        raise Unsupported("an array of replacements")
    limits = np.finfo(value.dtype)
    zero = build.constant(0, value.dtype)
    infinite, positive = node("isinf", value), node("greater", value, zero)
    high = build.constant(limits.max if posinf is None else posinf, value.dtype)
    low = build.constant(limits.min if neginf is None else neginf, value.dtype)
    found = node("select", node("isnan", value), build.constant(nan, value.dtype), value)
    found = node("select", node("logical_and", infinite, positive), high, found)
    found = node("select", node("logical_and", infinite, node("logical_not", positive)), low, found)
    return from_node(found, scalar=not value.shape)


def _is_scalar(given: Any, value: Node) -> bool:
    return not value.shape and not (isinstance(given, LazyArray) and not given._scalar)


def _check_bounds(**bounds: Any) -> None:
    """NumPy's errors for one positional bound without the other, and for both ways of naming them."""
    given = {name: 0 for name, bound in bounds.items() if bound is not _NO_VALUE}
    if len(given) > 2 or ("a_min" in given) != ("a_max" in given):
        np.clip(np.empty(0), **given)  # type: ignore[call-overload]  # it raises


def isclose(a: Any, b: Any, rtol: Any = 1.0e-5, atol: Any = 1.0e-8, equal_nan: Any = False) -> Any:
    """`np.isclose`, recorded by NumPy's formula: |a - b| <= atol + rtol·|b|, equal infinities, NaN on
    request.
    """
    if not all(np.isfinite(bound) for bound in (atol, rtol) if isinstance(bound, int | float | np.number)):
        raise Unsupported("a tolerance that is not finite")
    x, y = _comparand(a), _comparand(b)
    if isinstance(y, LazyArray):
        y = from_node(build.convert(y._node, np.result_type(y._dtype, 1.0)))
    size = call(np.absolute, (y,)) if isinstance(y, LazyArray) else abs(y)
    difference = call(np.absolute, (call(np.subtract, (x, y)),))
    allowed = _joined(np.add, atol, _joined(np.multiply, rtol, size))
    near = call(np.logical_and, (call(np.less_equal, (difference, allowed)), call(np.isfinite, (y,))))
    result = call(np.logical_or, (near, call(np.equal, (x, y))))
    return _or_both_nan(result, x, y) if equal_nan else result


def _comparand(value: Any) -> Any:
    """A Python number stays one, so that it takes its dtype from the array."""
    return float(value) if type(value) in (int, float) else from_node(numbers_of(value))


def _joined(ufunc: np.ufunc, left: Any, right: Any) -> Any:
    """The same operation, in Python where both are Python numbers."""
    if type(left) in (int, float) and type(right) in (int, float):
        return float(ufunc(left, right))
    return call(ufunc, (left, right))


def _or_both_nan(result: Any, x: Any, y: Any) -> Any:
    both = call(np.logical_and, (call(np.isnan, (x,)), call(np.isnan, (y,))))
    return call(np.logical_or, (result, both))


def allclose(a: Any, b: Any, rtol: Any = 1.0e-5, atol: Any = 1.0e-8, equal_nan: Any = False) -> bool:
    """`np.allclose`: a plain bool, so it is evaluated."""
    return _all(isclose(a, b, rtol, atol, equal_nan))


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    """`np.array_equal`: a plain bool, so it is evaluated."""
    x, y = from_node(numbers_of(a1)), from_node(numbers_of(a2))
    if lengths(x) != lengths(y):
        return False
    same = call(np.equal, (x, y))
    return _all(_or_both_nan(same, x, y) if equal_nan else same)


def _all(truth: Any) -> bool:
    return bool(from_node(build.reduce("all", truth._node))._observe())


def test(op: str) -> Callable[..., Any]:
    """`np.isposinf` and `np.isneginf`, recorded."""

    def tested(x: Any, out: Any = None) -> Any:
        value = numbers_of(x)
        if out is not None or value.dtype.kind != "f":
            raise Unsupported("out= or integers")
        sign = node(op, value, build.constant(0, value.dtype))
        found = node("logical_and", node("isinf", value), sign)
        return from_node(found, scalar=_is_scalar(x, value))

    return tested
