"""How an array looks at its storage: a chain of steps, each with its way back.

`on_node` and `on_array` go from the storage to the view; `put_back` gives the base with the view's elements
replaced, so that writing through a view updates the storage (and with it every other view).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from fuse.ir import build
from fuse.ir.interpret import as_slices
from fuse.ir.node import Node
from fuse.ir.types import Shape, element_count

Bounds = tuple[int | None, int | None, int | None]


class Step(Protocol):
    """One step from a base to a view of it."""

    def on_node(self, base: Node) -> Node:
        """The view's node."""

    def on_array(self, base: np.ndarray) -> np.ndarray:
        """The view of a concrete array, sharing its memory."""

    def put_back(self, base: Node, view: Node) -> Node:
        """The base after the view's elements became `view`."""


@dataclass(frozen=True, slots=True)
class Sliced:
    """A basic slice, one an axis."""

    slices: tuple[Bounds, ...]

    def on_node(self, base: Node) -> Node:
        return build.slice_(base, self.slices)

    def on_array(self, base: np.ndarray) -> np.ndarray:
        view: np.ndarray = base[_key(self.slices)]
        return view

    def put_back(self, base: Node, view: Node) -> Node:
        return view if self.on_node(base) is base else build.update_slice(base, view, self.slices)


@functools.lru_cache(maxsize=256)
def _key(slices: tuple[Bounds, ...]) -> tuple[Any, ...]:
    """What NumPy takes for the slices; it keeps an array of no axes an array."""
    return (*as_slices(slices), Ellipsis)


@dataclass(frozen=True, slots=True)
class Transposed:
    """Axes permuted."""

    axes: tuple[int, ...]

    def on_node(self, base: Node) -> Node:
        return build.transpose(base, self.axes)

    def on_array(self, base: np.ndarray) -> np.ndarray:
        return base.transpose(self.axes)

    def put_back(self, base: Node, view: Node) -> Node:
        return build.transpose(view, tuple(int(axis) for axis in np.argsort(self.axes)))


@dataclass(frozen=True, slots=True)
class Reshaped:
    """The elements in C order under another shape; at most one of its lengths is not an int."""

    shape: Shape

    def on_node(self, base: Node) -> Node:
        """A base that was evaluated meanwhile has known lengths; then the open length follows from them."""
        if element_count(base.shape) == element_count(self.shape):
            return build.reshape(base, self.shape)
        total = element_count(base.shape)
        assert isinstance(total, int)
        known = int(np.prod([dim for dim in self.shape if isinstance(dim, int)]))
        return build.reshape(
            base, tuple(d if isinstance(d, int) else total // max(known, 1) for d in self.shape)
        )

    def on_array(self, base: np.ndarray) -> np.ndarray:
        if all(isinstance(dim, int) for dim in self.shape):
            return base.reshape(self.shape)  # type: ignore[arg-type]  # just checked
        known = int(np.prod([dim for dim in self.shape if isinstance(dim, int)]))
        open_length = base.size // max(known, 1)
        return base.reshape(tuple(dim if isinstance(dim, int) else open_length for dim in self.shape))

    def put_back(self, base: Node, view: Node) -> Node:
        return build.reshape(view, base.shape)


@dataclass(frozen=True, slots=True)
class ComplexPart:
    """The real or the imaginary parts of complex numbers, as `name` says."""

    name: str

    def on_node(self, base: Node) -> Node:
        return build.elementwise(self.name, base)

    def on_array(self, base: np.ndarray) -> np.ndarray:
        view: np.ndarray = getattr(base, self.name)
        return view

    def put_back(self, base: Node, view: Node) -> Node:
        parts = (view if name == self.name else build.elementwise(name, base) for name in ("real", "imag"))
        return build.elementwise("complex", *parts)


class ReadOnly:
    """A step that NumPy gives no way back for: several places of the view may be one element."""

    __slots__ = ()

    def put_back(self, base: Node, view: Node) -> Node:
        """Raises NumPy's error."""
        raise ValueError("assignment destination is read-only")


@dataclass(frozen=True, slots=True)
class Broadcasted(ReadOnly):
    """Repeated to a shape, axes aligned from the right."""

    shape: tuple[int, ...]

    def on_node(self, base: Node) -> Node:
        return build.broadcast(base, self.shape)

    def on_array(self, base: np.ndarray) -> np.ndarray:
        return np.broadcast_to(base, self.shape)


def dtype_of(base: np.dtype, steps: Sequence[Step]) -> np.dtype:
    """The dtype of a view of complex numbers."""
    is_part = any(isinstance(step, ComplexPart) for step in steps)
    return np.dtype(f"f{base.itemsize // 2}") if is_part else base


def apply(base: Node, steps: Sequence[Step]) -> Node:
    """The node of a view."""
    for step in steps:
        base = step.on_node(base)
    return base


def update(base: Node, steps: Sequence[Step], view: Node) -> Node:
    """The base after a write of `view` through a chain of steps."""
    if not steps:
        return view
    first, *rest = steps
    inner = first.on_node(base)
    return first.put_back(base, update(inner, rest, view))
