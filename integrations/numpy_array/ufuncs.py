"""A ufunc on lazy arrays goes one of three ways: at once, into the graph, or through NumPy.

At once when every operand is there and small: that path is kept short, because it is what small arrays pay.
Results for `out=` always end in the array that the user gave.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fuse import config
from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.report import fallback
from fuse.integrations.numpy_array import elementwise, joins, reductions, repetition, scans
from fuse.integrations.numpy_array.base import (
    Few,
    LazyArray,
    Unsupported,
    few,
    from_array,
    from_node,
    join,
    small,
)
from fuse.integrations.numpy_array.fallback import run, run_on_copy
from fuse.integrations.numpy_array.operands import node_of
from fuse.integrations.numpy_array.warnings_of import at_once, watched_call
from fuse.ir import build

PLAIN_NUMBERS = frozenset({int, float, bool})


def apply(ufunc: np.ufunc, inputs: tuple[Any, ...], **options: Any) -> Any:
    """A ufunc on operands of which at least one is lazy: at once when all are few, else recorded, else in
    NumPy.
    """
    limit = few()
    if limit.rows:
        plain = _all_plain(inputs, limit)
        if plain is not None:
            return _apply_now(ufunc, plain, options)
    known = None if options else repetition.combined(ufunc, inputs)
    if known is not None:
        return known
    name = f"numpy.{ufunc.__name__}"
    if asks_for_exceptions():
        return _apply_outside(ufunc, inputs, options, name, ERRSTATE)
    try:
        if ufunc is np.matmul and not options:
            return watched_call(joins.matmul, "matmul", inputs, {})
        result = elementwise.call(ufunc, inputs, **options)
        if not options:
            repetition.remember_result(ufunc, inputs, result)
        return result
    except Unsupported as refusal:
        return _apply_outside(ufunc, inputs, options, name, str(refusal))


LARGE = object()
ERRSTATE = "np.errstate asks for more than a warning, and at this line"
_QUIET = {"ignore", "warn"}
_REPLAYED = {"ignore", "warn", "raise"}
_MOST_AXES = 64


def asks_for_exceptions() -> bool:
    """Whether overflows and the like must raise, or be printed or logged, at the call: there NumPy computes.

    A recording notes what must raise, and when something does, the plain function runs. With other demands it
    is not kept, since a replay knows nothing of the state around the call.
    """
    state = np.geterr()
    if _QUIET.issuperset(state.values()) and state["under"] == "ignore":
        return False
    recording = current_recording()
    if recording is None:
        return True
    if _REPLAYED.issuperset(state.values()) and state["under"] == "ignore" and config.current().warn:
        return False
    recording.taint(ERRSTATE)
    return True


def _all_plain(inputs: tuple[Any, ...], limit: Few) -> list[Any] | None:
    """What NumPy computes with at once, unless some of it is large or the result would be."""
    plain = []
    shape = None
    differ = False
    for value in inputs:
        found = value if type(value) in PLAIN_NUMBERS else plain_value(value, limit)
        if found is LARGE:
            return None
        if type(found) is np.ndarray:
            differ = differ or shape not in (None, found.shape)
            shape = found.shape
        plain.append(found)
    return None if differ and _spreads(plain, limit) else plain


def _spreads(plain: list[Any], limit: Few) -> bool:
    """Whether few elements make many: a row and a column a matrix."""
    shapes = {value.shape for value in plain if type(value) is np.ndarray}
    try:
        result = np.broadcast_shapes(*shapes)
    except ValueError:
        return False  # NumPy says so
    return np.broadcast_to(_DOUBLE, result) not in limit


_DOUBLE = np.empty(())


def plain_value(value: Any, limit: Few) -> Any:
    """What NumPy computes with at once in place of an operand, or `LARGE`."""
    kind = type(value)
    if kind is LazyArray.array_class:
        found = small(value, limit)
        return LARGE if found is None else found
    if kind is np.ndarray:
        return value if value in limit else LARGE
    if kind in PLAIN_NUMBERS or isinstance(value, np.generic):
        return value
    return LARGE if hasattr(type(value), "__fuse_node__") else value


def _apply_now(ufunc: np.ufunc, plain: list[Any], options: dict[str, Any]) -> Any:
    if not options:
        result = at_once(ufunc.__name__, ufunc, *plain)
        return from_array(result) if type(result) is np.ndarray else join(result)
    return _with_outputs(ufunc, plain, options)


def _with_outputs(ufunc: Callable[..., Any], plain: list[Any], options: dict[str, Any]) -> Any:
    """NumPy writes into the memory of our outputs; the caller gets our arrays back."""
    options = dict(options)
    if isinstance(options.get("where"), LazyArray):
        options["where"] = options["where"]._elements
    out = options.get("out")
    if out is None or out is Ellipsis:
        return join(at_once(ufunc.__name__, ufunc, *plain, **options))
    outputs = out if isinstance(out, tuple) else (out,)
    options["out"] = tuple(o._writable() if isinstance(o, LazyArray) else o for o in outputs)
    is_method = getattr(ufunc, "__self__", None) is not None or not isinstance(ufunc, np.ufunc)
    if is_method or not isinstance(out, tuple):
        (options["out"],) = options["out"]
    result = at_once(ufunc.__name__, ufunc, *plain, **options)
    given = tuple(o if o is not None else join(r) for o, r in zip(outputs, _as_tuple(result), strict=True))
    return given[0] if len(given) == 1 else given


def _as_tuple(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def _apply_outside(
    function: Callable[..., Any], inputs: tuple[Any, ...], options: dict[str, Any], name: str, reason: str
) -> Any:
    """NumPy runs the call; results for `out` are put into our arrays."""
    out = options.pop("out", None)
    outputs = out if isinstance(out, tuple) else (out,)
    if out is outputs[0] is not None and getattr(function, "nout", 1) > 1:
        raise TypeError("'out' must be a tuple of arrays")
    if not any(isinstance(o, LazyArray) for o in outputs):
        return run(function, inputs, options if out is None else {**options, "out": out}, name, reason)
    if current_recording() is None:
        fallback(name, reason)
        plain = [value._elements if isinstance(value, LazyArray) else value for value in inputs]
        return _with_outputs(function, plain, {**options, "out": out})
    if len(outputs) == 1:
        return run(function, inputs, {**options, "out": outputs[0]}, name, reason)
    results = _as_tuple(run(function, inputs, options, name, reason))
    casting = "same_kind" if isinstance(function, np.ufunc) else "unsafe"
    given = tuple(
        result if target is None
        else elementwise.store(np.positive, result._node, target, {"casting": casting})
        for target, result in zip(outputs, results, strict=True)
    )  # fmt: skip
    return given[0] if len(given) == 1 else given


def _outer(ufunc: np.ufunc, left: Any, right: Any, **options: Any) -> Any:
    """`ufunc.outer(left, right)`: the left one with an axis of length one for each axis of the right one."""
    if not all(isinstance(value, LazyArray | np.ndarray) for value in (left, right)):
        raise Unsupported("an operand that is no array")
    first, second = node_of(left), node_of(right)
    if first.type.rank + second.type.rank > _MOST_AXES:
        raise Unsupported("more axes than an array can have")
    spread = build.reshape(first, (*first.shape, *(1,) * second.type.rank))
    return elementwise.call(ufunc, (from_node(spread), right), **options)


_FOLDS: Mapping[str, Callable[..., Any]] = {"reduce": reductions.reduce, "accumulate": scans.accumulate}


def apply_method(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`reduce`, `accumulate` and `outer`; `at` and `reduceat` run in NumPy."""
    function = getattr(ufunc, method)
    name, reason = f"numpy.{ufunc.__name__}.{method}", "it has no compiled form"
    limit = few()
    if method == "at":
        target, *rest = inputs
        if isinstance(target, LazyArray):
            return run_on_copy(function, target, rest, kwargs, name, "it writes to its argument")
    elif limit.rows and not any(plain_value(value, limit) is LARGE for value in inputs):
        return _with_outputs(function, [plain_value(value, limit) for value in inputs], kwargs)
    if asks_for_exceptions():
        reason = ERRSTATE
    elif method in _FOLDS:
        try:
            return watched_call(functools.partial(_FOLDS[method], ufunc), None, inputs, kwargs)
        except Unsupported as refusal:
            reason = str(refusal)
    elif method == "outer" and len(inputs) == 2 and "subok" not in kwargs:
        try:
            return _outer(ufunc, *inputs, **kwargs)
        except Unsupported as refusal:
            reason = str(refusal)
    return _apply_outside(function, inputs, dict(kwargs), name, reason)
