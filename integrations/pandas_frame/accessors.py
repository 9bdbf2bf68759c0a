"""`Series.dt` and `Series.cat` over lazy columns; what is not compiled goes to pandas' own accessors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fuse.integrations.capture.recording import truth
from fuse.integrations.capture.report import fallback
from fuse.integrations.pandas_frame import series
from fuse.integrations.pandas_frame.calendar import FIELDS, UNITS, Calendar
from fuse.integrations.pandas_frame.columns import CategoryColumn
from fuse.integrations.pandas_frame.fallback import as_state, pandas_code
from fuse.integrations.pandas_frame.state import SeriesState
from fuse.ir import build
from fuse.ir.node import Node

_DEPRECATED = frozenset({"dayofweek", "dayofyear", "weekday", "daysinmonth"})


def is_date(dtype: Any) -> bool:
    """Whether dates of this dtype are compiled: no time zone, a unit that pandas has."""
    return isinstance(dtype, np.dtype) and dtype.kind == "M" and np.datetime_data(dtype)[0] in UNITS


class LazyAccessor:
    """An accessor of a series that forwards to pandas what it does not record."""

    _name: str

    def __init__(self, owner: Any) -> None:
        self._owner = owner

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            fallback(f"pandas.Series.{self._name}.{name}", "this part of the accessor is not compiled")
        with pandas_code:
            return getattr(_pandas_accessor(self._owner, self._name), name)

    def __dir__(self) -> list[str]:
        with pandas_code:
            return dir(_pandas_accessor(self._owner, self._name))


class Dates(LazyAccessor):
    """`Series.dt` of dates without a time zone: the calendar's fields, int32, or float64 where a date is
    missing."""

    _name = "dt"

    def __getattribute__(self, name: str) -> Any:
        return (
            field(object.__getattribute__(self, "_owner"), name)
            if name in FIELDS
            else super().__getattribute__(name)
        )

    def normalize(self) -> Any:
        """The dates at midnight."""
        owner = self._owner
        state, node, absent = _dates(owner)
        midnight = Calendar(node).midnight
        if absent is not None:
            midnight = build.elementwise("select", absent, node, midnight)
        return series.made(midnight, state.rows, owner.name, owner)

    @property
    def unit(self) -> str:
        """The unit of the dates."""
        return np.datetime_data(as_state(self._owner).column.dtype)[0]


def _dates(owner: Any) -> tuple[SeriesState, Node, Node | None]:
    """State, node, and where dates are missing (None when none is)."""
    state = as_state(owner)
    node = state.column.node
    absent = build.elementwise("isnat", node)
    return state, node, absent if truth(build.reduce("any", absent), usual=False) else None


def field(owner: Any, name: str) -> Any:
    """A field of the calendar as pandas gives it: missing dates make numbers float64 with NaN, and tests
    false."""
    if name in _DEPRECATED:
        getattr(pd.Series([], dtype=as_state(owner).column.dtype).dt, name)
    state, node, absent = _dates(owner)
    value = FIELDS[name](Calendar(node))
    if absent is not None and value.dtype == np.dtype(bool):
        value = build.elementwise("select", absent, build.constant(False), value)
    elif absent is not None:
        value = build.elementwise("select", absent, build.constant(np.nan), build.convert(value, np.float64))
    return series.made(value, state.rows, owner.name, owner)


class Categories(LazyAccessor):
    """`Series.cat`: codes and tables are there without evaluation."""

    _name = "cat"

    @property
    def codes(self) -> Any:
        """The integer codes, -1 for missing; a series without a name."""
        state = as_state(self._owner)
        return series.made(state.column.resolved().codes, state.rows, None, self._owner)

    @property
    def categories(self) -> Any:
        """The table."""
        return as_state(self._owner).column.dtype.categories

    @property
    def ordered(self) -> Any:
        """Whether the categories have an order."""
        return as_state(self._owner).column.dtype.ordered


def dt_of(owner: Any) -> Any:
    """`Series.dt`."""
    state = as_state(owner)
    return Dates(owner) if is_date(state.column.dtype) else _pandas_accessor(owner, "dt")


def cat_of(owner: Any) -> Any:
    """`Series.cat`."""
    state = as_state(owner)
    return (
        Categories(owner)
        if isinstance(state.column.resolved(), CategoryColumn)
        else _pandas_accessor(owner, "cat")
    )


def _pandas_accessor(owner: Any, name: str) -> Any:
    with pandas_code:
        return vars(pd.Series)[name].__get__(owner, type(owner))
