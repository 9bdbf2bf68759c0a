"""What a lazy frame or series is: columns and rows; and how it becomes a real one, evaluated all at
once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.values import known, values
from fuse.integrations.pandas_frame.columns import (
    Column,
    HeldColumn,
    Selection,
    ValueColumn,
    hold,
    holder,
)
from fuse.integrations.pandas_frame.rows import Rows, rows_of
from fuse.ir.node import Node, walk

Array = Any
_VIEWS = frozenset({"slice", "reshape", "transpose", "broadcast", "bitcast"})


@dataclass(frozen=True, eq=False)
class SeriesState:
    """A lazy series; its name stands on the object."""

    column: Column
    rows: Rows

    def select(self, selection: Selection) -> SeriesState:
        """Some rows."""
        return SeriesState(self.column.select(selection), self.rows.select(selection))

    def with_node(self, node: Node) -> SeriesState:
        """Other values for the same rows."""
        return SeriesState(ValueColumn(node), self.rows)

    def real(self) -> Any:
        """The plain series, without its name."""
        return _real([self.column], self.rows)[0]


@dataclass(frozen=True, eq=False)
class FrameState:
    """A lazy frame; the labels of its columns are unique."""

    columns: tuple[Column, ...]
    labels: pd.Index[Any]
    rows: Rows

    @cached_property
    def positions(self) -> dict[Any, int]:
        """Where each label stands."""
        return {label: position for position, label in enumerate(self.labels)}

    @cached_property
    def dtypes(self) -> list[Any]:
        """The pandas dtypes of the columns."""
        return [column.dtype for column in self.columns]

    def select(self, selection: Selection) -> FrameState:
        """Some rows."""
        rows = self.rows.select(selection)
        return FrameState(tuple(column.select(selection) for column in self.columns), self.labels, rows)

    def real(self) -> Any:
        """The plain frame."""
        return frame_of(_real(self.columns, self.rows), self.labels, self.rows)


def frame_of(series: Sequence[pd.Series[Any]], labels: pd.Index[Any], rows: Rows) -> pd.DataFrame:
    """A plain frame over the columns' own data."""
    index = series[0].index if series else rows.index
    frame = pd.DataFrame(dict(enumerate(series)), index=index, copy=False)
    frame.columns = labels
    return frame


def _real(columns: Sequence[Column], rows: Rows) -> list[Any]:
    """The columns as plain series; the data of held ones is shared, under copy-on-write."""
    recording = current_recording()
    if recording is not None:
        recording.taint("a pandas object was evaluated where its values were not needed by a compiled step")
    pending = [column for column in columns if not isinstance(column, HeldColumn)]
    needed = [part for column in pending for part in column.parts()]
    found = dict(zip(needed, values((*needed, *rows.parts())), strict=False))
    _own(found, needed)
    arrays = [_column_array(column, found) for column in columns]
    length = len(arrays[0]) if arrays else _length(rows)
    index = rows.assemble()(values(rows.parts()), length)
    return [_series(column, array, index) for column, array in zip(columns, arrays, strict=True)]


def _own(found: dict[Node, Array], needed: Sequence[Node]) -> None:
    """Copy results that turned out to be an input's memory: `x * 1` may be evaluated as `x`."""
    computed = [node for node in needed if not shares_input(node) and isinstance(found[node], np.ndarray)]
    inputs = [known(node) for node in walk(computed) if node.op == "input"]
    bound = [array for array in inputs if isinstance(array, np.ndarray)]
    for node in computed:
        if holder(node) is None and any(np.may_share_memory(found[node], array) for array in bound):
            found[node] = found[node].copy()


def _length(rows: Rows) -> int:
    from fuse.integrations.pandas_frame.rows import known_length

    return known_length(rows.length)


def _column_array(column: Column, found: dict[Node, Array]) -> Array:
    if isinstance(column, HeldColumn):
        return column.array
    return column.assemble()([found[part] for part in column.parts()])


def _series(column: Column, array: Array, index: pd.Index[Any]) -> Any:
    if isinstance(column, HeldColumn):
        series = column.series.copy(deep=False)
        series.index = index
        return series
    parts = column.parts()
    if len(parts) != 1:
        return pd.Series(array, index=index, copy=False)
    held = holder(parts[0])
    if held is not None and held.dtype == column.dtype and len(held) == len(index):
        series = held.copy(deep=False)
        series.index = index
        return series
    if held is not None or shares_input(parts[0]):
        array = array.copy()
    series = pd.Series(array, index=index, name=None, copy=False)
    hold(parts[0], series.copy(deep=False))
    return series


def shares_input(node: Node) -> bool:
    """Whether the array of a node may be memory that somebody bound: pandas could write to it."""
    while node.op in _VIEWS:
        node = node.inputs[0]
    return node.op in ("input", "constant")


def state_from(real: Any) -> FrameState | SeriesState:
    """The lazy state over a plain object that nobody else will change."""
    if real.ndim == 1:
        return SeriesState(HeldColumn(real, 0), rows_of(real.index))
    columns = tuple(HeldColumn(real, position) for position in range(real.shape[1]))
    return FrameState(columns, real.columns, rows_of(real.index))


def assembler(
    state: FrameState | SeriesState, name: Any = None
) -> tuple[tuple[Node, ...], Callable[..., Any]]:
    """The nodes of a lazy object, and a function from their arrays to the plain object that keeps no
    data."""
    columns = state.columns if isinstance(state, FrameState) else (state.column,)
    labels = state.labels if isinstance(state, FrameState) else None
    groups = [column.parts() for column in columns]
    borrowed = _borrowed([part for group in groups for part in group])
    makers = [column.assemble() for column in columns]
    row_parts, row_maker, fixed = state.rows.parts(), state.rows.assemble(), state.rows.length

    def assemble(arrays: Sequence[Array]) -> Any:
        made, position = [], 0
        arrays = [array.copy() if copies else array for array, copies in zip(arrays, borrowed, strict=True)]
        for group, maker in zip(groups, makers, strict=True):
            made.append(maker(arrays[position : position + len(group)]))
            position += len(group)
        length = len(made[0]) if made else _run_length(fixed, arrays[position:])
        index = row_maker(arrays[position:], length)
        if labels is None:
            return pd.Series(made[0], index=index, name=name, copy=False)
        frame = pd.DataFrame(dict(enumerate(made)), index=index, copy=False)
        frame.columns = labels
        return frame

    borrowed.extend(False for _ in row_parts)
    return (*(part for group in groups for part in group), *row_parts), assemble


def _borrowed(parts: Sequence[Node]) -> list[bool]:
    """Which arrays belong to somebody else, or to an earlier column, so that the result needs its own."""
    seen: set[Node] = set()
    found = []
    for part in parts:
        is_cell = part.dtype == object
        found.append(not is_cell and (part in seen or shares_input(part)))
        seen.add(part)
    return found


def _run_length(length: Any, arrays: Sequence[Array]) -> int:
    """The rows of a frame without columns."""
    if isinstance(length, int):
        return length
    found = arrays[-1]
    return int(np.count_nonzero(found)) if found.dtype == bool else len(found[()])
