"""The row labels of a lazy frame: a real index, an index that is an argument of a plan, or 0, 1, 2, …;
and which of those rows were kept. The labels of a filtered frame are taken when somebody looks at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.values import values
from fuse.integrations.pandas_frame.columns import Selection
from fuse.integrations.pandas_frame.unsupported import Unsupported
from fuse.ir import build
from fuse.ir.node import Node
from fuse.ir.ops import count_of
from fuse.ir.types import Dim, Symbol, size

Array = Any


@dataclass(frozen=True, eq=False)
class Rows:
    """labels: a pandas index, the node of a cell that holds one, or None for 0, 1, 2, … without a name."""

    base_length: Dim
    labels: pd.Index[Any] | Node | None = None
    selections: tuple[Selection, ...] = ()

    @property
    def length(self) -> Dim:
        """The number of rows kept."""
        length = self.base_length
        for selection in self.selections:
            if selection.mask is not None:
                length = count_of(selection.mask)
            else:
                length = size("slice", length, *selection.bounds)
        return length

    def select(self, selection: Selection) -> Rows:
        """Some of these rows. Raises Unsupported for slices whose labels depend on an unknown length."""
        start, _, step = selection.bounds
        is_counted = selection.mask is None and self.labels is None and not isinstance(self.base_length, int)
        if is_counted and (self.selections or (start or 0) < 0 or step not in (None, 1)):
            raise Unsupported("the labels of this slice depend on the number of rows")
        return Rows(self.base_length, self.labels, (*self.selections, selection))

    def parts(self) -> tuple[Node, ...]:
        """The nodes whose arrays make up the labels."""
        labels = (self.labels,) if isinstance(self.labels, Node) else ()
        return labels + tuple(part for selection in self.selections for part in selection.parts())

    def assemble(self) -> Callable[[Sequence[Array], int], pd.Index[Any]]:
        """From the arrays of `parts` and the number of rows kept to the index."""
        labels, selections, base = self.labels, self.selections, self.base_length

        def index(arrays: Sequence[Array], length: int) -> pd.Index[Any]:
            found: Any
            pending = list(arrays)
            if isinstance(labels, Node):
                found = pending.pop(0)[()]
            elif labels is None:
                found = _default_index(base, selections, pending, length)
                if found is None:
                    start = selections[0].bounds[0] or 0
                    return pd.RangeIndex(start, start + length)
            else:
                found = labels
            for selection in selections:
                found = _taken(found, selection, pending)
            taken: pd.Index[Any] = found
            return taken

        return index

    @cached_property
    def index(self) -> pd.Index[Any]:
        """The labels now."""
        recording = current_recording()
        if recording is not None and self.parts():
            recording.taint("row labels that depend on the data were read")
        if isinstance(self.labels, pd.Index) and not self.selections:
            return self.labels
        length = known_length(self.length)
        return self.assemble()(values(self.parts()), length)


def _default_index(base: Dim, selections: Sequence[Selection], pending: Sequence[Array], length: int) -> Any:
    """0, 1, 2, … before the selections; None when a slice hides how long that is."""
    if isinstance(base, int):
        return pd.RangeIndex(base)
    if not selections:
        return pd.RangeIndex(length)
    return pd.RangeIndex(len(pending[0])) if selections[0].mask is not None else None


def _taken(index: pd.Index[Any], selection: Selection, pending: list[Array]) -> pd.Index[Any]:
    """pandas keeps the index itself when a mask keeps every row."""
    arrays = [pending.pop(0)] if selection.mask is not None else []
    if arrays and len(arrays[0]) and arrays[0].all():
        return index
    taken: pd.Index[Any] = selection.take(index, arrays)
    return taken


def known_length(length: Dim) -> int:
    """A number of rows as an int: known, counted, or in a recording guarded."""
    recording: Any = current_recording()
    if isinstance(length, int):
        return length
    if recording is not None and isinstance(length, Symbol):
        return int(recording.size(length))
    ones = build.broadcast(build.constant(np.int64(1)), (length,))
    count = build.reduce("sum", ones)
    found = int(values([count])[0])
    if recording is not None:
        recording.guard(count, found)
    return found


def same_rows(left: Rows, right: Rows) -> bool:
    """Whether two lazy objects have the same labels in the same order, as far as that is known without
    reading data."""
    if left is right:
        return True
    if left.selections != right.selections or left.base_length != right.base_length:
        return False
    if left.labels is right.labels:
        return True
    if not isinstance(left.labels, Node) and not isinstance(right.labels, Node):
        return bool(_as_index(left).equals(_as_index(right)))
    return False


def _as_index(rows: Rows) -> pd.Index[Any]:
    if isinstance(rows.labels, pd.Index):
        return rows.labels
    return pd.RangeIndex(rows.base_length) if isinstance(rows.base_length, int) else pd.Index([])


def rows_of(index: pd.Index[Any]) -> Rows:
    """The rows of a real index."""
    default = type(index) is pd.RangeIndex and index.start == 0 and index.step == 1 and index.name is None
    return Rows(len(index), None if default else index)
