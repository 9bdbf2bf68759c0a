"""`loc` and `iloc`: rows by a mask with the same labels and leading slices are recorded, the rest is
pandas'."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fuse.integrations.pandas_frame import frame, lazy_manager
from fuse.integrations.pandas_frame.columns import Selection
from fuse.integrations.pandas_frame.fallback import as_state, base_of, is_worth_recording, pandas_code, run
from fuse.integrations.pandas_frame.operands import array_node
from fuse.integrations.pandas_frame.series import selection_of
from fuse.integrations.pandas_frame.unsupported import Unsupported


class Indexer:
    """`df.loc` or `df.iloc`."""

    def __init__(self, name: str, owner: Any) -> None:
        self._owner, self._name = owner, name

    def _pandas(self) -> Any:
        return getattr(base_of(self._owner), self._name).__get__(self._owner, type(self._owner))

    def __getitem__(self, key: Any) -> Any:
        reason = "few rows"
        if is_worth_recording(self._owner):
            try:
                return _TAKES[self._name](self._owner, key)
            except Unsupported as unsupported:
                reason = unsupported.reason
            return run(base_of(self._owner), f"{self._name}.__getitem__", (self._owner, key), {}, reason)
        with pandas_code:
            return self._pandas()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        if is_worth_recording(self._owner):
            reason = "assignment by position or label"
            run(base_of(self._owner), f"{self._name}.__setitem__", (self._owner, key, value), {}, reason)
            return
        with pandas_code:
            self._pandas()[key] = value

    def __call__(self, axis: Any = None) -> Any:
        with pandas_code:
            return self._pandas()(axis)

    def __getattr__(self, name: str) -> Any:
        with pandas_code:
            return getattr(self._pandas(), name)


def _loc(owner: Any, key: Any) -> Any:
    rows, columns = key if isinstance(key, tuple) and len(key) == 2 and owner.ndim == 2 else (key, None)
    several = isinstance(columns, slice) or pd.api.types.is_list_like(columns)
    if columns is not None and several and not isinstance(columns, list):
        raise Unsupported("columns by a slice")
    chosen = _rows(owner, rows)
    return chosen if columns is None else frame.getitem(chosen, columns)


def _rows(owner: Any, key: Any) -> Any:
    if isinstance(key, slice) and key == slice(None):
        return owner.copy(deep=False)
    is_mask = isinstance(key, pd.Series | np.ndarray) or array_node(key) is not None
    if not is_mask:
        raise Unsupported("rows by label")
    state = as_state(owner)
    name = owner.name if owner.ndim == 1 else None
    return lazy_manager.defer(type(owner), state.select(selection_of(state.rows, key)), name, owner)


def _iloc(owner: Any, key: Any) -> Any:
    if not isinstance(key, slice) or key.step not in (None, 1):
        raise Unsupported("rows by position")
    if not all(bound is None or isinstance(bound, int) for bound in (key.start, key.stop)):
        raise Unsupported("rows by position")
    state = as_state(owner).select(Selection(bounds=(key.start, key.stop, 1)))
    name = owner.name if owner.ndim == 1 else None
    return lazy_manager.defer(type(owner), state, name, owner)


_TAKES = {"loc": _loc, "iloc": _iloc}
