"""What a plan depends on: an arguments' signature, and the arrays that a call binds.

Shapes enter as a pattern. Axis 0 of an array is a symbol, the same for arrays of equal length, so that plans
do not depend on row counts. All other axes are what they are, because broadcasting looks at them, and so is
an axis 0 of length 1 or of a length that another array has along another axis. A length of 0 has no plan: the
plain function runs.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from fuse.integrations.capture.arguments import Carrier
from fuse.integrations.jit.carriers import carrier_of, float_key, kind_of, taken_apart
from fuse.ir.types import Shape, Symbol

Array = Any


class NotCarried(Exception):
    """A call that has no plan; the message says why, and is empty when that is no loss."""


class Call:
    """The arguments of one call, taken apart.

    key: the signature without shapes. pattern: the shapes' part, None without rows. carried: the real
    objects, once each, with their carrier and how many of `arrays` are theirs.
    """

    __slots__ = ("arrays", "carried", "key", "pattern", "pins", "positions")

    def __init__(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        self.carried: list[tuple[Any, Carrier, int]] = []
        self.arrays: list[Array] = []
        self.positions: dict[int, int] = {}
        self.pins: list[Any] = []
        parts = [self._part(value) for value in arguments]
        parts += [(name, self._part(value)) for name, value in keywords.items()]
        self.key: Hashable = tuple(parts)
        self.pattern = pattern(self.arrays)

    def _part(self, value: Any) -> Hashable:
        kind = kind_of(value)
        if kind == "carried":
            return self._carry(value)
        if kind == "container":
            items = [*value, *value.values()] if isinstance(value, dict) else value
            return (value.__class__.__qualname__, id(type(value)), len(value), *map(self._part, items))
        if kind == "float":
            return float_key(value)
        if kind == "constant":
            return type(value), value if not isinstance(value, slice) else repr(value)
        self.pins.append(value)
        return "thing", id(value)

    def _carry(self, value: Any) -> Hashable:
        """The same object twice is one stand-in, so that a write to one is seen in the other."""
        known = self.positions.get(id(value))
        if known is not None:
            return "same", known
        carrier = carrier_of(value)
        if carrier is None and isinstance(value, np.generic):
            return float_key(value)
        if carrier is None:
            raise NotCarried(f"an argument of type {_describe(value)} is not supported")
        signature, arrays = taken_apart(carrier, value)
        self.positions[id(value)] = len(self.carried)
        self.carried.append((value, carrier, len(arrays)))
        self.arrays += arrays
        return signature, len(arrays)


def _describe(value: Any) -> str:
    dtype = getattr(value, "dtype", None)
    return f"{type(value).__name__}[{dtype}]" if dtype is not None else type(value).__name__


def pattern(arrays: Sequence[Array]) -> tuple[Hashable, ...] | None:
    """The shapes as far as a plan depends on them; None when a length is 0."""
    shapes = [array.shape for array in arrays]
    fixed = fixed_lengths(shapes)
    lengths: dict[int, int] = {}
    found: list[Hashable] = []
    for shape in shapes:
        if not shape:
            found.append(None)
            continue
        length = shape[0]
        if length == 0:
            return None
        found.append(-length if length in fixed else lengths.setdefault(length, len(lengths)))
        if len(shape) > 1:
            found.append(shape[1:])
    return tuple(found)


def fixed_lengths(shapes: Sequence[tuple[int, ...]]) -> set[int]:
    """Lengths that are no row counts: 1, and those of other axes (weights for a matrix's columns)."""
    return {1}.union(*(shape[1:] for shape in shapes if len(shape) > 1))


def symbolic_shapes(arrays: Sequence[Array]) -> list[Shape]:
    """The shapes that the stand-ins get: equal lengths along axis 0 are one symbol."""
    shapes = [tuple(array.shape) for array in arrays]
    fixed = fixed_lengths(shapes)
    lengths: dict[int, Symbol] = {}
    return [_symbolic(shape, lengths, fixed) for shape in shapes]


def _symbolic(shape: tuple[int, ...], lengths: dict[int, Symbol], fixed: set[int]) -> Shape:
    if not shape or shape[0] in fixed:
        return shape
    return lengths.setdefault(shape[0], Symbol(_letter(len(lengths)))), *shape[1:]


def _letter(number: int) -> str:
    return "nmklpqrstuvw"[number] if number < 12 else f"n{number}"


def is_small(arrays: Sequence[Array], limit: int) -> bool:
    """Whether every array has fewer elements than this."""
    return all(_size(array) < limit for array in arrays)


def _size(array: Array) -> int:
    size = 1
    for length in array.shape:
        size *= length
    return size
