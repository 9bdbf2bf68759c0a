"""How a public call of pandas is answered: recorded, or run by pandas on real objects.

pandas' own code runs inside `pandas_code()`, where our methods step aside, so that pandas never meets
half of a lazy object and only what the user called is counted. Real frames with few rows go to pandas
straight away.
"""

from __future__ import annotations

import functools
import inspect
import threading
import warnings
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd

from fuse import config
from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.report import fallback
from fuse.integrations.pandas_frame import lazy_manager
from fuse.integrations.pandas_frame.state import FrameState, state_from
from fuse.integrations.pandas_frame.unsupported import Refused, Unsupported

Function = Callable[..., Any]


def is_pandas_code() -> bool:
    """Whether pandas' own code is running."""
    return _depth.count > 0


class _Depth(threading.local):
    count = 0


_depth = _Depth()


class PandasCode:
    """A block in which pandas' own code runs."""

    def __enter__(self) -> None:
        _depth.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _depth.count -= 1


pandas_code = PandasCode()


def is_lazy(value: Any) -> bool:
    """Whether this is a frame or series of ours without values yet."""
    return isinstance(value, lazy_manager.Deferring) and lazy_manager.state_of(value) is not None


def is_worth_recording(value: Any) -> bool:
    """Whether calls on this object are recorded: it is lazy, or has enough rows, or a function is being
    compiled."""
    if lazy_manager.state_of(value) is not None or current_recording() is not None:
        return True
    return len(value._mgr.axes[-1]) >= config.current().min_rows


def as_state(value: Any) -> Any:
    """The state of a frame or series, lazy or real, ours or plain. Unsupported where columns have no
    unique label."""
    state = lazy_manager.state_of(value) if isinstance(value, lazy_manager.Deferring) else None
    if state is not None:
        return state
    if value.ndim == 2 and (isinstance(value.columns, pd.MultiIndex) or not value.columns.is_unique):
        raise Unsupported("column labels that are not unique, or of several levels")
    return state_from(lazy_manager.shallow(value))


def recorded(base: type, name: str, recorder: Function) -> Function:
    """The method `name` of pandas' class, recorded where `recorder` can."""
    original: Function = getattr(base, name)

    @functools.wraps(original, updated=())
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _depth.count:
            return original(self, *args, **kwargs)
        if not is_worth_recording(self):
            with pandas_code:
                return original(self, *args, **kwargs)
        try:
            return recorder(self, *args, **kwargs)
        except Refused as refused:
            raise_as_pandas(original, (self, *args), kwargs)
            reason = refused.reason
        except Unsupported as unsupported:
            reason = unsupported.reason
        except TypeError:
            reason = _wrong_arguments(recorder, (self, *args), kwargs)
        return run(base, name, (self, *args), kwargs, reason)

    return method


def _wrong_arguments(recorder: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Why a recorder does not take these arguments; any other TypeError is a bug and goes on."""
    try:
        inspect.signature(recorder).bind(*args, **kwargs)
    except TypeError as error:
        return str(error)
    raise  # noqa: PLE0704  # called inside the handler


def forwarded(base: type, name: str, observes: bool) -> Function:
    """The method `name` of pandas' class, run by pandas and reported, unless it only looks at the data."""
    original: Function = getattr(base, name)

    @functools.wraps(original, updated=())
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _depth.count:
            return original(self, *args, **kwargs)
        if observes or not is_worth_recording(self):
            with pandas_code:
                return original(self, *args, **kwargs)
        return run(base, name, (self, *args), kwargs, "this method is not compiled")

    return method


def run(base: type, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], reason: str) -> Any:
    """A public method in pandas, counted; in a recording as a step that each replay runs again."""
    fallback(f"pandas.{base.__name__}.{name}", reason)
    if current_recording() is not None:
        from fuse.integrations.pandas_frame.library_step import NOT_CARRIED, library_step

        result = library_step(base, name, args, kwargs)
        if result is not NOT_CARRIED:
            return result
    with pandas_code:
        return method_of(base, name)(*args, **kwargs)


def base_of(value: Any) -> type:
    """The class of pandas that an object of ours belongs to."""
    return pd.DataFrame if isinstance(value, pd.DataFrame) else pd.Series


def method_of(base: type, name: str) -> Function:
    """A method of pandas by name; `loc.__getitem__` is one of an indexer."""
    first, _, rest = name.partition(".")
    if not rest:
        found: Function = getattr(base, name)
        return found
    return lambda owner, *args, **kwargs: getattr(getattr(owner, first), rest)(*args, **kwargs)


def raise_as_pandas(original: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Raise what pandas raises for these dtypes and labels, asked on objects without rows."""
    known = {id(value): without_rows(value) for value in (*args, *kwargs.values())}
    empty = [known[id(value)] for value in args]
    named = {key: known[id(value)] for key, value in kwargs.items()}
    with pandas_code, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        original(*empty, **named)


def without_rows(value: Any) -> Any:
    """A plain object with the same labels and dtypes and no rows; anything else itself."""
    if isinstance(value, np.ndarray) and value.ndim:
        return value[:0]
    if not isinstance(value, pd.DataFrame | pd.Series):
        return value
    if not is_lazy(value):
        return (
            lazy_manager.shallow(value).iloc[:0]
            if isinstance(value, lazy_manager.Deferring)
            else value.iloc[:0]
        )
    state = lazy_manager.state_of(value)
    if not isinstance(state, FrameState):
        name: Any = value.name
        return pd.Series([], dtype=state.column.dtype, name=name)
    made = pd.DataFrame({i: pd.Series([], dtype=dtype) for i, dtype in enumerate(state.dtypes)})
    made.columns = state.labels
    return made
