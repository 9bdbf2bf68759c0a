"""Which calls of this front end are watched for NumPy's floating-point warnings.

Ufuncs as one call; of functions those whose steps are NumPy's own, a call as a whole. The other functions
warn of nothing here but what they say themselves. What NumPy computes at once, for arrays of few elements,
warns at the user's line, not at ours.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fuse import config
from fuse.integrations.capture.doubts import watch_nodes
from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.watching import modes_now, tell_now, whole_call
from fuse.integrations.numpy_array.base import LazyArray

FUNCTIONS = frozenset({np.sum, np.prod, np.mean, np.var, np.std, np.ptp, np.diff, np.cumsum, np.cumprod})


def watched_call(
    function: Callable[..., Any], name: str | None, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """`function(*args, **kwargs)`, which records, watched as one call."""
    if modes_now() is None and current_recording() is None:
        return function(*args, **kwargs)
    operands = [value._node for value in (*args, *kwargs.values()) if isinstance(value, LazyArray)]
    with whole_call():
        result = function(*args, **kwargs)
    if isinstance(result, LazyArray):
        watch_nodes(name, [result._node], operands)
    return result


_SILENT = frozenset({
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
    "logical_and", "logical_or", "logical_xor", "logical_not", "bitwise_and", "bitwise_or", "isnan",
    "isfinite",
})  # fmt: skip
"""Ufuncs that raise no flag, of real numbers."""


def _is_complex(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "c"


def at_once(name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """NumPy computes now; what it warns of, it warns of at the user's line, where its own stands at ours."""
    if (name in _SILENT and not any(map(_is_complex, args))) or not config.current().warn:
        return function(*args, **kwargs)
    errors: dict[str, int] = {}
    with np.errstate(all="call", call=errors.__setitem__):
        result = function(*args, **kwargs)
    if errors:
        tell_now(errors, _names(name, function, args, kwargs))
    return result


def _names(name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """What NumPy calls the operation that met each error: a cast of an operand may have, before the function.

    It is asked by calling once more, which only a call that writes nowhere stands.
    """
    if kwargs.get("out") is not None:
        return lambda words: name
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="warn"):
        warnings.simplefilter("always")
        function(*args, **kwargs)
    found = [str(warning.message).partition(" encountered in ") for warning in caught]
    casts = {words for words, _, where in found if where == "cast"}
    return lambda words: "cast" if words in casts else name
