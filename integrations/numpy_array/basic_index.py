"""Basic indices: ints, slices, Ellipsis and None as the steps of a view, and views that spell them out late.

An index of elements that are there is NumPy's own business: it makes the view, and raises. What the index is
in a graph is worked out only when a graph needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

import numpy as np

from fuse.integrations.numpy_array.views import Bounds, Reshaped, Sliced, Step, apply, update
from fuse.ir.node import Node
from fuse.ir.types import Dim, Shape, size

BasicKey = tuple[int | slice | EllipsisType | None, ...]
_PLAIN = frozenset({int, slice, EllipsisType, type(None)})


@dataclass(frozen=True)
class Indexed:
    """A basic index of an array of this shape, as it was given but for its Ellipsis, without which NumPy
    gives scalars.
    """

    key: BasicKey
    shape: tuple[int, ...]

    def __hash__(self) -> int:
        """Slices have none of their own before Python 3.12. TypeError where a bound is an array."""
        bounds = (
            (entry.start, entry.stop, entry.step) if type(entry) is slice else entry for entry in self.key
        )
        return hash((self.shape, *bounds))

    def on_node(self, base: Node) -> Node:
        """The view's node."""
        return apply(base, self._steps())

    def on_array(self, base: np.ndarray) -> np.ndarray:
        """The view of a concrete array."""
        view: np.ndarray = base[self.key]
        return view

    def put_back(self, base: Node, view: Node) -> Node:
        """The base after the view's elements became `view`."""
        return update(base, self._steps(), view)

    def _steps(self) -> Sequence[Step]:
        return steps_of(expanded(self.key, len(self.shape)), self.shape)


def as_basic(key: Any) -> BasicKey | None:
    """An index of ints, slices, Ellipsis and None as a tuple; None for any other."""
    entries = key if type(key) is tuple else (key,)
    return entries if _PLAIN.issuperset(map(type, entries)) else None


def expanded(key: BasicKey, rank: int) -> list[int | slice | None]:
    """One entry an axis (and one a new axis): the Ellipsis spelled out, missing axes added."""
    given = sum(entry is not None and entry is not Ellipsis for entry in key)
    if given > rank:
        raise IndexError(f"too many indices for array: array is {rank}-dimensional, but {given} were indexed")
    position = next((i for i, entry in enumerate(key) if entry is Ellipsis), len(key))
    before, after = list(key[:position]), list(key[position + 1 :])
    return [*before, *[slice(None)] * (rank - given), *after]  # type: ignore[list-item]  # no Ellipsis is left


def steps_of(entries: Sequence[int | slice | None], dims: Shape) -> Sequence[Step]:
    """A slice, one an axis, then the axes that ints drop and None adds."""
    bounds: list[Bounds] = []
    lengths_left: list[Dim] = []
    shape: list[Dim] = []
    for entry in entries:
        if entry is None:
            shape.append(1)
            continue
        found = _bounds(entry, dims[len(bounds)], len(bounds))
        length = size("slice", dims[len(bounds)], *found)
        bounds.append(found)
        lengths_left.append(length)
        if isinstance(entry, slice):
            shape.append(length)
    part = Sliced(tuple(bounds))
    if shape == lengths_left:
        return (part,)
    is_part = any(found != (0, None, 1) for found in bounds)
    return (part, Reshaped(tuple(shape))) if is_part else (Reshaped(tuple(shape)),)


def _bounds(entry: int | slice, dim: Dim, axis: int) -> Bounds:
    """Plain numbers for known lengths, so that equal slices are equal nodes."""
    if isinstance(entry, slice):
        start, stop, step = (
            None if x is None else int(x.__index__()) for x in (entry.start, entry.stop, entry.step)
        )
        step = 1 if step is None else step
        if step == 0:
            raise ValueError("slice step cannot be zero")
        if isinstance(dim, int) and step == 1:
            start, stop, step = slice(start, stop, step).indices(dim)
            return (0, None, 1) if (start, stop) == (0, dim) else (start, max(start, stop), 1)
        return (0 if start is None and step > 0 else start, stop, step)
    assert isinstance(dim, int)
    if not -dim <= entry < dim:
        raise IndexError(f"index {entry} is out of bounds for axis {axis} with size {dim}")
    index = entry + dim if entry < 0 else entry
    return (index, index + 1, 1)
