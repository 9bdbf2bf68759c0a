"""pandas' top-level functions: they run in pandas, on real objects, and give fuse frames.

`isna` and its like, and `to_numeric` of numbers, are methods of a lazy series and stay lazy.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

import pandas as pd

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.report import fallback
from fuse.integrations.pandas_frame import lazy_manager
from fuse.integrations.pandas_frame.fallback import is_lazy, pandas_code

_METHODS = frozenset({"isna", "isnull", "notna", "notnull"})


def is_function(value: Any) -> bool:
    """Whether this is a function of pandas, rather than a class, module or constant."""
    return isinstance(value, FunctionType)


def face(name: str) -> Callable[..., Any]:
    """The function of this name, giving fuse frames."""
    original = getattr(pd, name)

    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        if name in _METHODS and len(args) == 1 and not kwargs and isinstance(args[0], lazy_manager.Deferring):
            return getattr(args[0], name)()
        if _any_lazy((args, kwargs)):
            fallback(f"pandas.{name}", "this function is not compiled")
            recording = current_recording()
            if recording is not None:
                recording.taint(f"pandas.{name} is run anew at each call")
        with pandas_code:
            return _wrapped(original(*args, **kwargs))

    return function


def _any_lazy(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_any_lazy, value))
    if isinstance(value, dict):
        return any(map(_any_lazy, value.values()))
    return is_lazy(value)


def _wrapped(value: Any) -> Any:
    from fuse.integrations.pandas_frame import wrap

    if type(value) is tuple:
        return tuple(map(_wrapped, value))
    if type(value) is dict:
        return {key: _wrapped(item) for key, item in value.items()}
    return wrap(value)
