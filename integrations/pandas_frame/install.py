"""Gives our two classes their public methods: recorded, observed without evaluation, or forwarded to
pandas.

Everything public that pandas' classes have and that is named in no table here is forwarded and reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.pandas_frame import accessors, frame, indexers, lazy_manager, series
from fuse.integrations.pandas_frame.fallback import (
    forwarded,
    is_pandas_code,
    is_worth_recording,
    pandas_code,
    recorded,
)
from fuse.integrations.pandas_frame.frame import DataFrame
from fuse.integrations.pandas_frame.rows import known_length
from fuse.integrations.pandas_frame.series import Series
from fuse.integrations.pandas_frame.state import FrameState, SeriesState

# Methods that only hand the values to Python or to a file: evaluation is what the user asked for.
OBSERVING_NAMES = """
    tolist to_list item items iterrows itertuples keys equals info memory_usage to_dict to_csv
    to_json to_html to_latex to_excel to_parquet to_feather to_orc to_pickle to_sql to_hdf to_string
    to_markdown to_clipboard to_records to_stata to_xml to_xarray to_iceberg describe_option get
    set_flags hist plot boxplot view __iter__ __contains__ __array__ __arrow_c_stream__ __copy__
    __deepcopy__ __sizeof__ __round__ __float__ __int__ __bool__
"""
OBSERVING = frozenset(OBSERVING_NAMES.split())
_DUNDERS_NAMES = """
    __iter__ __contains__ __arrow_c_stream__ __copy__ __deepcopy__ __matmul__ __rmatmul__ __divmod__
    __rdivmod__ __delitem__ __setitem__ __round__ __iadd__ __isub__ __imul__ __itruediv__
    __ifloordiv__ __imod__ __ipow__ __iand__ __ior__ __ixor__
"""
_DUNDERS = frozenset(_DUNDERS_NAMES.split())
_STATIC = frozenset({"from_dict", "from_records", "from_arrow"})


def _lazily(base: type, name: str, answer: Callable[[Any, Any], Any]) -> property:
    """A property that a lazy object answers from its state: `answer(object, state)`."""
    original: Any = next(vars(kind)[name] for kind in base.__mro__ if name in vars(kind))

    def getter(self: Any) -> Any:
        state = lazy_manager.state_of(self)
        return original.__get__(self, type(self)) if state is None else answer(self, state)

    def setter(self: Any, value: Any) -> None:
        with pandas_code:
            original.__set__(self, value)

    return property(
        getter, setter if hasattr(original, "__set__") else None, doc=getattr(original, "__doc__", None)
    )


def _observing(base: type, name: str) -> property:
    """A property that needs the values."""
    original: Any = next(vars(kind)[name] for kind in base.__mro__ if name in vars(kind))

    def getter(self: Any) -> Any:
        if is_pandas_code():
            return original.__get__(self, type(self))
        with pandas_code:
            return original.__get__(self, type(self))

    return property(getter, doc=getattr(original, "__doc__", None))


def _special(base: type, name: str, answer: Callable[[Any], Any]) -> property:
    """A property of pandas with our own object behind it, but for pandas' own code."""
    original: Any = next(vars(kind)[name] for kind in base.__mro__ if name in vars(kind))

    def getter(self: Any) -> Any:
        if is_pandas_code() or not is_worth_recording(self):
            return original.__get__(self, type(self))
        return answer(self)

    return property(getter, doc=getattr(original, "__doc__", None))


def _frame_dtypes(self: Any, state: FrameState) -> pd.Series[Any]:
    return pd.Series(state.dtypes, index=state.labels, dtype=object)


def _frame_shape(self: Any, state: FrameState) -> tuple[int, int]:
    return known_length(state.rows.length), len(state.columns)


def _series_shape(self: Any, state: SeriesState) -> tuple[int]:
    return (known_length(state.rows.length),)


_FRAME_ANSWERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "columns": lambda self, state: state.labels,
    "index": lambda self, state: state.rows.index,
    "axes": lambda self, state: [state.rows.index, state.labels],
    "shape": _frame_shape,
    "size": lambda self, state: known_length(state.rows.length) * len(state.columns),
    "empty": lambda self, state: not state.columns or not known_length(state.rows.length),
    "dtypes": _frame_dtypes,
    "ndim": lambda self, state: 2,
}
_SERIES_ANSWERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "index": lambda self, state: state.rows.index,
    "axes": lambda self, state: [state.rows.index],
    "shape": _series_shape,
    "size": lambda self, state: known_length(state.rows.length),
    "empty": lambda self, state: not known_length(state.rows.length),
    "dtype": lambda self, state: state.column.dtype,
    "dtypes": lambda self, state: state.column.dtype,
    "ndim": lambda self, state: 1,
}


def _length(self: Any) -> int:
    state = lazy_manager.state_of(self)
    return len(self._mgr.axes[-1]) if state is None else known_length(state.rows.length)


def _columns_iterator(self: Any) -> Any:
    return iter(self.columns)


def _has_column(self: Any, key: Any) -> bool:
    return key in self.columns


def _values(matrix: Callable[[Any], Any], base: type) -> property:
    original: Any = base.__dict__["values"]

    def getter(self: Any) -> Any:
        recorded_now = current_recording() is not None and not is_pandas_code()
        return (
            matrix(self)
            if recorded_now and lazy_manager.state_of(self) is not None
            else original.__get__(self)
        )

    return property(getter, doc=original.__doc__)


def _array_protocol(base: type) -> Callable[..., Any]:
    original = base.__array__  # type: ignore[attr-defined]

    def __array__(self: Any, dtype: Any = None, copy: bool | None = None) -> np.ndarray:  # noqa: N807
        with pandas_code:
            found: np.ndarray = original(self, dtype, copy)
            return found

    return __array__


def _install(kind: type, base: type, methods: Mapping[str, Callable[..., Any]]) -> None:
    for name, recorder in methods.items():
        if hasattr(base, name):
            setattr(kind, name, recorded(base, name, recorder))
    for name in dir(base):
        is_public = not name.startswith("_") or name in _DUNDERS
        attribute = getattr(base, name)
        if name in vars(kind) or not is_public or name in _STATIC or isinstance(attribute, type):
            continue
        if callable(attribute) and not isinstance(attribute, property):
            setattr(kind, name, forwarded(base, name, name in OBSERVING))
    setattr(kind, "__len__", _length)  # noqa: B010  # a table of attributes
    setattr(kind, "__array__", _array_protocol(base))  # noqa: B010
    for name in ("loc", "iloc"):
        setattr(kind, name, _special(base, name, partial(indexers.Indexer, name)))
    for name in ("at", "iat"):
        setattr(kind, name, _observing(base, name))


def install() -> None:
    """Complete the two classes; called once, when the package is imported."""
    for name, answer in _FRAME_ANSWERS.items():
        setattr(DataFrame, name, _lazily(pd.DataFrame, name, answer))
    for name, answer in _SERIES_ANSWERS.items():
        setattr(Series, name, _lazily(pd.Series, name, answer))
    for kind, base, methods, module in (
        (DataFrame, pd.DataFrame, frame.METHODS, frame),
        (Series, pd.Series, series.METHODS, series),
    ):
        _install(kind, base, methods)
        setattr(kind, "__repr__", module.representation)  # noqa: B010  # both have it
    for name, function in (("__iter__", _columns_iterator), ("__contains__", _has_column)):
        setattr(DataFrame, name, function)
    setattr(DataFrame, "values", _values(frame.matrix, pd.DataFrame))  # noqa: B010
    setattr(Series, "values", _values(series._array, pd.Series))  # noqa: B010
    setattr(Series, "dt", _special(pd.Series, "dt", accessors.dt_of))  # noqa: B010
    setattr(Series, "cat", _special(pd.Series, "cat", accessors.cat_of))  # noqa: B010
