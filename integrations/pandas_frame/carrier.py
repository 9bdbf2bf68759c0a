"""pandas objects at the border of a compiled function: taken apart into arrays, and made from arrays.

The signature holds what a plan depends on besides lengths: labels, dtypes, categories, which text
columns have missing values, and whether the rows are counted 0, 1, 2, … Other row labels travel as one
opaque object.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from fuse.integrations.pandas_frame import lazy_manager
from fuse.integrations.pandas_frame.columns import Column, cell_of, from_pieces, is_value_dtype, pieces
from fuse.integrations.pandas_frame.fallback import as_state
from fuse.integrations.pandas_frame.frame import DataFrame
from fuse.integrations.pandas_frame.rows import Rows
from fuse.integrations.pandas_frame.series import Series
from fuse.integrations.pandas_frame.state import FrameState, SeriesState, assembler
from fuse.integrations.pandas_frame.text_column import is_text
from fuse.ir.node import Node
from fuse.ir.types import Dim

Array = Any


class _CategoryKey:
    """Categories as part of a signature: hashed once, equal at once when they are the same table."""

    __slots__ = ("__weakref__", "_hash", "_key")

    def __init__(self, dtype: pd.CategoricalDtype) -> None:
        self._key = (str(dtype.categories.dtype), bool(dtype.ordered), tuple(dtype.categories))
        self._hash = hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, _CategoryKey) and self._key == other._key)

    def __repr__(self) -> str:
        return f"category{list(self._key[2])}"


_category_keys: dict[tuple[int, bool], tuple[weakref.ref[Any], _CategoryKey]] = {}


def _category_key(dtype: pd.CategoricalDtype) -> _CategoryKey:
    identity = (id(dtype.categories), bool(dtype.ordered))
    known = _category_keys.get(identity)
    if known is None or known[0]() is not dtype.categories:
        if len(_category_keys) > 4096:
            _category_keys.clear()
        known = _category_keys[identity] = (weakref.ref(dtype.categories), _CategoryKey(dtype))
    return known[1]


def _dtype_key(array: Array) -> Hashable:
    dtype = array.dtype
    if is_value_dtype(dtype):
        key: Hashable = dtype
        return key
    if isinstance(dtype, pd.CategoricalDtype):
        return _category_key(dtype)
    if is_text(dtype):
        return ("str", array.__arrow_array__().null_count > 0)
    return str(dtype)


def _tells_length(array: Array) -> bool:
    """Whether an array of the graph stands for the column; of a column in a cell the graph sees no length."""
    dtype = array.dtype
    return is_value_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype) or is_text(dtype)


def _is_default(index: Any) -> bool:
    return type(index) is pd.RangeIndex and index.start == 0 and index.step == 1 and index.name is None


def _arrays_of(value: Any) -> list[Array]:
    return lazy_manager.column_arrays(value) if value.ndim == 2 else [lazy_manager.series_array(value)]


class PandasCarrier:
    """The `Carrier` of DataFrame and Series; see `fuse.integrations.capture.arguments`."""

    def accepts(self, value: Any) -> bool:
        """A frame with unique labels of one level, or a series, that has values."""
        if isinstance(value, pd.DataFrame):
            return not self.is_pending(value) and value.columns.nlevels == 1 and value.columns.is_unique
        return isinstance(value, pd.Series) and not self.is_pending(value)

    def is_pending(self, value: Any) -> bool:
        """Whether this is an object of ours without values."""
        return isinstance(value, lazy_manager.Deferring) and lazy_manager.state_of(value) is not None

    def signature(self, value: Any) -> Hashable:
        """Labels, dtypes, kind of index."""
        return self._signature(value, _arrays_of(value))

    def arrays(self, value: Any) -> list[Array]:
        """The pieces of each column, then a cell with the row labels unless they are 0, 1, 2, …"""
        return self._pieces(value, _arrays_of(value))

    def take_apart(self, value: Any) -> tuple[Hashable, list[Array]]:
        """Signature and arrays at once: finding the columns is most of the work of either."""
        columns = _arrays_of(value)
        return self._signature(value, columns), self._pieces(value, columns)

    def _signature(self, value: Any, columns: list[Array]) -> Hashable:
        keys = tuple(map(_dtype_key, columns))
        default = _is_default(value.index), None if any(map(_tells_length, columns)) else len(value)
        if value.ndim == 1:
            return "series", type(value.name), value.name, keys, default
        labels = value.columns
        return "frame", type(labels), labels.dtype, labels.name, tuple(labels), keys, default

    def _pieces(self, value: Any, columns: list[Array]) -> list[Array]:
        found: list[Array] = []
        for array in columns:
            dtype = array.dtype
            if isinstance(dtype, np.dtype) and is_value_dtype(dtype):
                found.append(array)
            else:
                found.extend(pieces(array, dtype))
        if not _is_default(value.index):
            found.append(cell_of(value.index))
        return found

    def stand_in(self, value: Any, nodes: Sequence[Node]) -> Any:
        """A lazy object of ours with the labels of `value` over these nodes."""
        state = state_over(value, nodes)
        if isinstance(state, FrameState):
            return lazy_manager.defer(DataFrame, state, like=None)
        return lazy_manager.defer(Series, state, value.name)

    def is_lazy(self, value: Any) -> bool:
        """Whether this is an object of ours, evaluated or not."""
        return isinstance(value, lazy_manager.Deferring)

    def nodes(self, value: Any) -> list[Node]:
        """The nodes of its columns, then of its row labels."""
        return list(assembler(as_state(value))[0])

    def rebuild(self, value: Any) -> Callable[[Sequence[Array]], Any]:
        """From the arrays of `nodes` to the plain pandas object."""
        name = value.name if value.ndim == 1 else None
        return assembler(as_state(value), name)[1]


def state_over(value: Any, nodes: Sequence[Node]) -> FrameState | SeriesState:
    """The state with the labels and dtypes of a real object over the nodes of its arrays."""
    dtypes = [array.dtype for array in _arrays_of(value)]
    counts = [_piece_count(array) for array in _arrays_of(value)]
    length = _length(value, nodes)
    columns: list[Column] = []
    position = 0
    for dtype, count in zip(dtypes, counts, strict=True):
        columns.append(from_pieces(dtype, nodes[position : position + count], length))
        position += count
    rows = Rows(length, nodes[position] if position < len(nodes) else None)
    return (
        FrameState(tuple(columns), value.columns, rows) if value.ndim == 2 else SeriesState(columns[0], rows)
    )


def _piece_count(array: Array) -> int:
    return 2 + (array.__arrow_array__().null_count > 0) if is_text(array.dtype) else 1


def _length(value: Any, nodes: Sequence[Node]) -> Dim:
    """The rows: of any column that has a length in the graph."""
    for node in nodes:
        if node.type.rank:
            length: Dim = node.shape[0]
            return length
    return len(value)
