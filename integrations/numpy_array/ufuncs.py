"""A ufunc on lazy arrays goes one of three ways: at once, into the graph, or through NumPy.

At once when every operand is there and small: that path is kept short, because it is what small arrays pay.
Results for `out=` always end in the array that the user gave.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.report import fallback
from fuse.integrations.numpy_array import elementwise, joins, reductions
from fuse.integrations.numpy_array.base import LazyArray, Unsupported, few_rows, from_array, join, small
from fuse.integrations.numpy_array.fallback import run, run_on_copy

PLAIN_NUMBERS = (int, float, bool)


def apply(ufunc: np.ufunc, inputs: tuple[Any, ...], **options: Any) -> Any:
    """A ufunc on operands of which at least one is lazy: at once when all are few, else recorded, else in
    NumPy.
    """
    limit = few_rows()
    if limit:
        plain = [plain_value(value, limit) for value in inputs]
        if not any(value is LARGE for value in plain):
            return _apply_now(ufunc, plain, options)
    try:
        if ufunc is np.matmul and not options:
            return joins.matmul(*inputs)
        return elementwise.call(ufunc, inputs, **options)
    except Unsupported as refusal:
        name = f"numpy.{ufunc.__name__}"
        return _apply_outside(ufunc, inputs, options, name, str(refusal))


LARGE = object()


def plain_value(value: Any, limit: int) -> Any:
    """What NumPy computes with at once in place of an operand, or `LARGE`."""
    kind = type(value)
    if isinstance(value, LazyArray):
        found = small(value, limit)
        return LARGE if found is None else found
    if kind is np.ndarray:
        return LARGE if value.size >= limit else value
    if kind in PLAIN_NUMBERS or isinstance(value, np.generic):
        return value
    return LARGE if hasattr(value, "__fuse_node__") else value


def _apply_now(ufunc: np.ufunc, plain: list[Any], options: dict[str, Any]) -> Any:
    if not options:
        result = ufunc(*plain)
        return from_array(result) if type(result) is np.ndarray else join(result)
    return _with_outputs(ufunc, plain, options)


def _with_outputs(ufunc: Callable[..., Any], plain: list[Any], options: dict[str, Any]) -> Any:
    """NumPy writes into the memory of our outputs; the caller gets our arrays back."""
    options = dict(options)
    if isinstance(options.get("where"), LazyArray):
        options["where"] = options["where"]._elements
    out = options.get("out")
    if out is None:
        return join(ufunc(*plain, **options))
    outputs = out if isinstance(out, tuple) else (out,)
    options["out"] = tuple(o._writable() if isinstance(o, LazyArray) else o for o in outputs)
    if getattr(ufunc, "__self__", None) is not None or not isinstance(ufunc, np.ufunc):
        (options["out"],) = options["out"]
    result = ufunc(*plain, **options)
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
    if not any(isinstance(o, LazyArray) for o in outputs):
        return run(function, inputs, options if out is None else {**options, "out": out}, name, reason)
    if current_recording() is None:
        fallback(name, reason)
        plain = [value._elements if isinstance(value, LazyArray) else value for value in inputs]
        return _with_outputs(function, plain, {**options, "out": out})
    results = _as_tuple(run(function, inputs, options, name, reason))
    for target, result in zip(outputs, results, strict=True):
        elementwise.store(np.positive, result._node, target, {"casting": "same_kind"})
    return outputs[0] if len(outputs) == 1 else outputs


def apply_method(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`reduce`, and `accumulate`, `outer`, `at`, `reduceat`, which run in NumPy."""
    function = getattr(ufunc, method)
    name, reason = f"numpy.{ufunc.__name__}.{method}", "it has no compiled form"
    limit = few_rows()
    if method == "at":
        target, *rest = inputs
        if isinstance(target, LazyArray):
            return run_on_copy(function, target, rest, kwargs, name, "it writes to its argument")
    elif limit and not any(plain_value(value, limit) is LARGE for value in inputs):
        return _with_outputs(function, [plain_value(value, limit) for value in inputs], kwargs)
    if method == "reduce":
        try:
            return reductions.reduce(ufunc, *inputs, **kwargs)
        except Unsupported as refusal:
            reason = str(refusal)
    return _apply_outside(function, inputs, dict(kwargs), name, reason)
