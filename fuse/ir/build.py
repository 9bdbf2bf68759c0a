"""Builders: one function per op that is more than `make(op, inputs)`, and the small ones that folding wants.

They normalise (a broadcast to the same shape is the value itself) so that equal meanings become equal nodes
more often. They do not promote dtypes; that is the front end's business, by NumPy's own rules.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from fuse.ir.forest import ForestTables
from fuse.ir.node import ConstantArray, Location, Node, make
from fuse.ir.ops import count_of
from fuse.ir.types import STRING, Dim, Shape, Type

_slots = itertools.count()


def new_input(dtype: np.dtype, shape: Shape, location: Location | None = None) -> Node:
    """A fresh slot: no other input is equal to it."""
    return make("input", (), {"slot": next(_slots), "type": Type(dtype, shape)}, location)


def input_at(slot: int, dtype: np.dtype, shape: Shape) -> Node:
    """The input with this slot number, for graphs written by hand and for canonical graphs."""
    return make("input", (), {"slot": slot, "type": Type(dtype, shape)})


def constant(value: Any, dtype: np.dtype | type | None = None) -> Node:
    """A constant from anything `np.asarray` takes; text becomes the `str` dtype."""
    array = np.asarray(value, dtype)
    if array.dtype.kind in "US":
        array = array.astype(STRING)
    return make("constant", (), {"value": ConstantArray(array)})


def iota(length: Dim, dtype: np.dtype | type = np.int64) -> Node:
    """0, 1, 2, …"""
    return make("iota", (), {"dtype": np.dtype(dtype), "length": length})


def convert(value: Node, dtype: np.dtype | type) -> Node:
    """The value as another dtype, by C casts."""
    dtype = np.dtype(dtype)
    return value if value.dtype == dtype else make("convert", (value,), {"dtype": dtype}, value.location)


def bitcast(value: Node, dtype: np.dtype | type) -> Node:
    """The same bytes as another dtype of the same size."""
    dtype = np.dtype(dtype)
    return value if value.dtype == dtype else make("bitcast", (value,), {"dtype": dtype}, value.location)


def broadcast(value: Node, shape: Shape) -> Node:
    """The value repeated to a shape, axes aligned from the right."""
    return value if value.shape == shape else make("broadcast", (value,), {"shape": shape}, value.location)


def elementwise(op: str, *operands: Node, location: Location | None = None) -> Node:
    """An elementwise op over operands of one shape or 0-d."""
    return make(op, operands, None, location)


def reshape(value: Node, shape: Shape) -> Node:
    """The elements in C order under another shape."""
    return value if value.shape == shape else make("reshape", (value,), {"shape": shape}, value.location)


def transpose(value: Node, axes: Sequence[int]) -> Node:
    """Axes permuted."""
    axes = tuple(axes)
    same = axes == tuple(range(len(axes)))
    return value if same else make("transpose", (value,), {"axes": axes}, value.location)


def slice_(value: Node, slices: Sequence[tuple[int | None, int | None, int | None]]) -> Node:
    """A basic slice, one (start, stop, step) an axis with Python's meaning of None and negative numbers."""
    slices = tuple((start, stop, 1 if step is None else step) for start, stop, step in slices)
    if all(start in (None, 0) and stop is None and step == 1 for start, stop, step in slices):
        return value
    return make("slice", (value,), {"slices": slices}, value.location)


def column(matrix: Node, index: int) -> Node:
    """Column `index` of a matrix, as a 1-D value."""
    if matrix.op == "stack" and matrix.attrs["axis"] == 1:
        return matrix.inputs[index]
    rows = (0, None, 1)
    return reshape(slice_(matrix, (rows, (index, index + 1, 1))), matrix.shape[:1])


def concatenate(values: Sequence[Node], axis: int = 0) -> Node:
    """Values joined along an axis."""
    return values[0] if len(values) == 1 else make("concatenate", values, {"axis": axis})


def stack(values: Sequence[Node], axis: int = 0) -> Node:
    """Values of one type joined along a new axis; `stack(columns, 1)` is the feature matrix."""
    return make("stack", values, {"axis": axis})


def gather(table: Node, indices: Node, mode: str = "raise") -> Node:
    """`table[indices]` along axis 0."""
    return make("gather", (table, indices), {"mode": mode})


def compress(value: Node, mask: Node) -> Node:
    """The rows of `value` where `mask` is true."""
    return make("compress", (value, mask), {"count": count_of(mask)}, mask.location)


def reduce(
    kind: str, value: Node, axes: Sequence[int] | None = None, location: Location | None = None
) -> Node:
    """A reduction over axes (all when None); the reduced axes disappear."""
    axes = tuple(range(value.type.rank)) if axes is None else tuple(sorted(axes))
    return make("reduce", (value,), {"kind": kind, "axes": axes}, location)


def scan(kind: str, value: Node, axis: int, location: Location | None = None) -> Node:
    """The fold of all elements up to each one along an axis; `kind` as for `reduce`."""
    return make("scan", (value,), {"kind": kind, "axis": axis}, location)


def arg_reduce(kind: str, value: Node, axis: int, location: Location | None = None) -> Node:
    """`argmin` or `argmax` along one axis, first one on ties, NaN wins."""
    return make("arg_reduce", (value,), {"kind": kind, "axis": axis}, location)


def dot(left: Node, right: Node, location: Location | None = None) -> Node:
    """Matrix product; the last axis of `left` against the first of `right`."""
    return make("dot", (left, right), None, location)


def forest(features: Node, tables: ForestTables, location: Location | None = None) -> Node:
    """The trees of `tables` over a (rows, features) matrix; float64 (rows, outputs)."""
    outputs = int(tables.base.array.shape[0])
    return make("forest", (features,), {"tables": tables, "outputs": outputs}, location)


def update_slice(
    base: Node, values: Node, slices: Sequence[tuple[int | None, int | None, int | None]]
) -> Node:
    """`base` with the basic slice replaced by `values`."""
    slices = tuple((start, stop, 1 if step is None else step) for start, stop, step in slices)
    return make("update_slice", (base, values), {"slices": slices}, values.location)


def masked_scatter(base: Node, mask: Node, values: Node) -> Node:
    """`base` with `values` (1-D, one per true element, in order) put where `mask` is true."""
    return make("masked_scatter", (base, mask, values), None, values.location)
