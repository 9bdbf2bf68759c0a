"""The columns of a lazy frame: what a pandas dtype becomes in the graph, and back.

`ValueColumn`: one node of a NumPy dtype. `CategoryColumn`: integer codes; the table of categories stays
in Python. `TextColumn`: a `str` node and a validity node for comparing, and the array itself for giving
it back. `ObjectColumn`: what the graph cannot hold; it travels as one opaque object. `HeldColumn`: a
column of a real frame, not yet taken apart. `SelectedColumn`: rows of another column, so that filtering
a wide frame costs nothing for the columns that nobody reads.

An opaque object is carried by a *cell*: a 0-d object array that holds it, so that it can be an argument
of a plan.
"""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.values import bind
from fuse.integrations.pandas_frame import lazy_manager
from fuse.integrations.pandas_frame.text_column import is_text, text_buffers
from fuse.integrations.pandas_frame.unsupported import Unsupported
from fuse.ir import build
from fuse.ir.node import Node
from fuse.ir.types import Dim

Array = Any
Assemble = Callable[[Sequence[Array]], Any]

_KINDS = "biufmM"


def is_value_dtype(dtype: Any) -> bool:
    """Whether a column of this dtype is one node."""
    return isinstance(dtype, np.dtype) and dtype.kind in _KINDS and dtype != np.float16


@dataclass(frozen=True)
class Selection:
    """Rows taken from others: those where a mask is true, or a slice."""

    mask: Node | None = None
    bounds: tuple[int | None, int | None, int | None] = (None, None, None)

    def of(self, node: Node) -> Node:
        """The selected elements of a 1-D node."""
        return (
            build.compress(node, self.mask) if self.mask is not None else build.slice_(node, (self.bounds,))
        )

    def parts(self) -> tuple[Node, ...]:
        """What must be known to select from a real array."""
        return () if self.mask is None else (self.mask,)

    def take(self, values: Any, arrays: Sequence[Array]) -> Any:
        """The selected elements of a real array or index."""
        return values[arrays[0]] if self.mask is not None else values[slice(*self.bounds)]


class Column(ABC):
    """A column of known pandas dtype and length."""

    dtype: Any
    length: Dim

    @property
    def node(self) -> Node:
        """The 1-D node of a column that is one; Unsupported for others."""
        raise Unsupported(f"a column of dtype {self.dtype} is not compiled")

    @abstractmethod
    def parts(self) -> tuple[Node, ...]:
        """The nodes whose arrays make up the column."""

    @abstractmethod
    def assemble(self) -> Assemble:
        """From the arrays of `parts` to the pandas array; keeps no data of this run."""

    def select(self, selection: Selection) -> Column:
        """Some rows of the column."""
        return SelectedColumn(self, selection)

    def resolved(self) -> Column:
        """The column taken apart as far as the graph needs it."""
        return self


@dataclass(frozen=True, eq=False)
class ValueColumn(Column):
    """One node."""

    value: Node

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    @property
    def length(self) -> Dim:  # type: ignore[override]  # a field of other columns
        length: Dim = self.value.shape[0]
        return length

    @property
    def node(self) -> Node:
        return self.value

    def parts(self) -> tuple[Node, ...]:
        return (self.value,)

    def assemble(self) -> Assemble:
        return lambda arrays: arrays[0]


@dataclass(frozen=True, eq=False)
class CategoryColumn(Column):
    """Codes into the categories of a dtype; -1 is missing."""

    dtype: Any
    codes: Node

    @property
    def length(self) -> Dim:  # type: ignore[override]  # a field of other columns
        length: Dim = self.codes.shape[0]
        return length

    def parts(self) -> tuple[Node, ...]:
        return (self.codes,)

    def assemble(self) -> Assemble:
        dtype = self.dtype
        return lambda arrays: pd.Categorical.from_codes(arrays[0], dtype=dtype, validate=False)


@dataclass(frozen=True, eq=False)
class ObjectColumn(Column):
    """An array that only pandas understands, in a cell."""

    dtype: Any
    cell: Node
    length: Dim

    def parts(self) -> tuple[Node, ...]:
        return (self.cell,)

    def assemble(self) -> Assemble:
        return lambda arrays: arrays[0][()].copy()


@dataclass(frozen=True, eq=False)
class TextColumn(Column):
    """Text for comparing, and the array that it came from for giving it back."""

    source: ObjectColumn
    text: Node
    validity: Node | None

    @property
    def dtype(self) -> Any:
        return self.source.dtype

    @property
    def length(self) -> Dim:  # type: ignore[override]  # a field of other columns
        return self.source.length

    def parts(self) -> tuple[Node, ...]:
        return self.source.parts()

    def assemble(self) -> Assemble:
        return self.source.assemble()


@dataclass(frozen=True, eq=False)
class SelectedColumn(Column):
    """Rows of another column, taken when somebody reads them."""

    base: Column
    selection: Selection

    @property
    def dtype(self) -> Any:
        return self.base.dtype

    @cached_property
    def length(self) -> Dim:  # type: ignore[override]  # a field of other columns
        from fuse.ir.ops import count_of
        from fuse.ir.types import size

        if self.selection.mask is not None:
            return count_of(self.selection.mask)
        return size("slice", self.base.length, *self.selection.bounds)

    @property
    def node(self) -> Node:
        return self.resolved().node if is_value_dtype(self.dtype) else super().node

    @cached_property
    def _resolved(self) -> Column:
        base = self.base.resolved()
        if isinstance(base, ValueColumn):
            return ValueColumn(self.selection.of(base.value))
        if isinstance(base, CategoryColumn):
            return CategoryColumn(base.dtype, self.selection.of(base.codes))
        return self if base is self.base else SelectedColumn(base, self.selection)

    def resolved(self) -> Column:
        return self._resolved

    def parts(self) -> tuple[Node, ...]:
        resolved = self._resolved
        if not isinstance(resolved, SelectedColumn):
            return resolved.parts()
        return resolved.base.parts() + self.selection.parts()

    def assemble(self) -> Assemble:
        resolved = self._resolved
        if not isinstance(resolved, SelectedColumn):
            return resolved.assemble()
        inner, count, selection = _uncopied(resolved.base), len(resolved.base.parts()), self.selection
        return lambda arrays: selection.take(inner(arrays[:count]), arrays[count:])


def _uncopied(column: Column) -> Assemble:
    """As `assemble`, for somebody who takes rows from the array anyway."""
    if isinstance(column, ObjectColumn | TextColumn):
        return lambda arrays: arrays[0][()]
    return column.assemble()


@dataclass(frozen=True, eq=False)
class HeldColumn(Column):
    """A column of a real frame. The series is a reference in pandas' sense: writers copy first."""

    frame: Any
    position: int

    @cached_property
    def series(self) -> pd.Series[Any]:
        """The column as a plain series."""
        return self.frame if self.frame.ndim == 1 else lazy_manager.column_of(self.frame, self.position)

    @cached_property
    def array(self) -> Array:
        """The column as pandas stores it."""
        return lazy_manager.series_array(self.series)

    @cached_property
    def dtype(self) -> Any:
        return self.series.dtype

    @property
    def length(self) -> Dim:  # type: ignore[override]  # a field of other columns
        return len(self.frame)

    @property
    def node(self) -> Node:
        return self.resolved().node if is_value_dtype(self.dtype) else super().node

    def resolved(self) -> Column:
        if current_recording() is None:
            return self._resolved
        nodes = [bind(piece, frozen=True) for piece in self._pieces]
        return from_pieces(self.dtype, nodes, self.length)

    @cached_property
    def _pieces(self) -> list[Array]:
        return pieces(self.array, self.dtype)

    @cached_property
    def _resolved(self) -> Column:
        return from_pieces(self.dtype, [self._bound(piece) for piece in self._pieces], self.length)

    def _bound(self, array: Array) -> Node:
        """One node for one buffer: pandas makes a new view of a column at each access."""
        node = _columns.get(_identity(array))
        if node is None:
            node = _columns[_identity(array)] = bind(array, frozen=True)
            _holders[node] = self.series
        return node

    def parts(self) -> tuple[Node, ...]:
        return self.resolved().parts()

    def assemble(self) -> Assemble:
        return self.resolved().assemble()


_columns: weakref.WeakValueDictionary[tuple[Any, ...], Node] = weakref.WeakValueDictionary()
_holders: weakref.WeakKeyDictionary[Node, Any] = weakref.WeakKeyDictionary()


def _identity(array: Array) -> tuple[Any, ...]:
    if isinstance(array, np.ndarray) and array.ndim == 1:
        return array.__array_interface__["data"][0], array.dtype.str, array.shape, array.strides
    return (id(array),)


def hold(node: Node, series: Any) -> None:
    """Keep a pandas reference to the array of a node while the node lives: writers copy first."""
    _holders.setdefault(node, series)


def holder(node: Node) -> Any:
    """The series that shares the array of a node under copy-on-write, if there is one."""
    return _holders.get(node)


def cell_of(value: Any) -> np.ndarray:
    """A 0-d object array that holds `value`."""
    cell = np.empty((), object)
    cell[()] = value
    return cell


def pieces(array: Array, dtype: Any) -> list[Array]:
    """What a column is bound by: one array, or cell and text buffers for `str`, or a cell."""
    if is_value_dtype(dtype):
        return [array]
    if isinstance(dtype, pd.CategoricalDtype):
        return [array.codes]
    if is_text(dtype):
        text, validity = text_buffers(array)
        return [cell_of(array), text] if validity is None else [cell_of(array), text, validity]
    return [cell_of(array)]


def from_pieces(dtype: Any, nodes: Sequence[Node], length: Dim) -> Column:
    """The column over the nodes of its `pieces`."""
    if is_value_dtype(dtype):
        return ValueColumn(nodes[0])
    if isinstance(dtype, pd.CategoricalDtype):
        return CategoryColumn(dtype, nodes[0])
    source = ObjectColumn(dtype, nodes[0], length)
    if not is_text(dtype):
        return source
    return TextColumn(source, nodes[1], nodes[2] if len(nodes) > 2 else None)
