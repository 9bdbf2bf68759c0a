"""Types of values: element dtype and shape.

A dimension is an int or one of three symbolic forms: `Symbol` (the length of an input), `Count` (how many
rows a mask keeps) and `SizeOf` (arithmetic over other dimensions). Two values whose dimensions compare equal
have equal lengths in every run, which is all that fusing them needs. Text columns have NumPy's `StringDType`;
at run time they are Arrow buffers. Left out: strides and nullability, which are not properties of a value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from fuse.ir.node import Node


@dataclass(frozen=True, slots=True)
class Symbol:
    """The length of an axis of an input; equal names mean equal lengths."""

    name: str


@dataclass(frozen=True, slots=True)
class Count:
    """The number of true elements of a mask: the length of what `compress` gives."""

    mask: Node


@dataclass(frozen=True, slots=True)
class SizeOf:
    """A length computed from other lengths; `function` is a key of `SIZE_FUNCTIONS`."""

    function: str
    operands: tuple[Dim | None, ...]


Dim: TypeAlias = int | Symbol | Count | SizeOf
Shape: TypeAlias = tuple[Dim, ...]

STRING = np.dtypes.StringDType()

# C's `long long` is int64 like `long`: equal dtypes that NumPy hashes apart. Types hold one of them.
_SECOND_NAMES = frozenset(char for char in "bBhHiIlLqQ" if np.dtype(np.dtype(char).str).char != char)


def _slice_size(size: int, start: int | None, stop: int | None, step: int | None) -> int:
    return len(range(*slice(start, stop, step).indices(size)))


SIZE_FUNCTIONS: Mapping[str, Callable[..., int]] = {
    "add": lambda *sizes: sum(sizes),
    "multiply": lambda *sizes: math.prod(sizes),
    "divide": lambda size, divisor: size // divisor if divisor else 0,
    "slice": _slice_size,
}


def size(function: str, *operands: Dim | None) -> Dim:
    """A dimension by arithmetic, folded when every operand is known.

    >>> size("add", 2, 3)
    5
    >>> size("multiply", 1, Symbol("n"))
    Symbol(name='n')
    """
    if all(operand is None or isinstance(operand, int) for operand in operands):
        return SIZE_FUNCTIONS[function](*operands)
    if function == "multiply":
        return _product([operand for operand in operands if operand is not None])
    if function == "slice":
        operands = (operands[0], *_one_spelling(_bounds(operands[1:])))
    if function == "slice" and isinstance(operands[0], SizeOf) and operands[0].function == "slice":
        source, *first = operands[0].operands
        combined = compose_slices(source, _bounds(first), _bounds(operands[1:]))
        if combined is not None:
            return size("slice", source, *combined)
    if function == "slice" and operands[1:] in ((0, None, 1), (None, None, -1)):
        assert operands[0] is not None
        return operands[0]
    return SizeOf(function, operands)


Bounds: TypeAlias = tuple[int | None, int | None, int | None]


def _bounds(operands: Sequence[Dim | None]) -> Bounds:
    start, stop, step = operands
    assert not isinstance(start, Symbol | Count | SizeOf), start
    assert not isinstance(stop, Symbol | Count | SizeOf), stop
    assert not isinstance(step, Symbol | Count | SizeOf), step
    return start, stop, step


def _one_spelling(bounds: Bounds) -> Bounds:
    """`[:3]` is `[0:3:1]`: equal slices of an unknown length must give equal lengths."""
    start, stop, step = bounds
    step = 1 if step is None else step
    return (0 if start is None and step > 0 else start), stop, step


def compose_slices(length: Dim | None, first: Bounds, second: Bounds) -> Bounds | None:
    """The one slice that does what `first` and then `second` do; None when that depends on the unknown
    length.

    >>> compose_slices(Symbol("n"), (1, None, 2), (3, 10, None))
    (7, 21, 2)
    >>> compose_slices(10, (None, None, -1), (0, 3, 1))
    (9, 6, -1)
    """
    if isinstance(length, int):
        rows = range(length)[slice(*first)][slice(*second)]
        return (rows.start, rows.stop if rows.stop >= 0 else None, rows.step) if rows else (0, 0, 1)
    if first == second == (None, None, -1):
        return 0, None, 1
    (a, b, s), (c, d, t) = (
        (start or 0, stop, 1 if step is None else step) for start, stop, step in (first, second)
    )
    if min(a, c, 0 if b is None else b, 0 if d is None else d) < 0 or min(s, t) < 1:
        return None
    stops = [stop for stop in (b, None if d is None else a + d * s) if stop is not None]
    return a + c * s, min(stops) if stops else None, s * t


def _product(operands: list[Dim]) -> Dim:
    """Flattened and sorted, with the known factors multiplied, so that equal products are equal values."""
    known, rest = 1, []
    for operand in operands:
        factors = (
            operand.operands if isinstance(operand, SizeOf) and operand.function == "multiply" else (operand,)
        )
        for factor in factors:
            if isinstance(factor, int):
                known *= factor
            elif factor is not None:
                rest.append(factor)
    if known == 0 or not rest:
        return known
    if known == 1 and len(rest) == 1:
        return rest[0]
    ordered = tuple(sorted(rest, key=repr))
    return SizeOf("multiply", (known, *ordered) if known != 1 else ordered)


def element_count(shape: Shape) -> Dim:
    """The number of elements of a shape."""
    return size("multiply", *shape) if shape else 1


@dataclass(frozen=True, slots=True)
class Type:
    """Element dtype and shape of a value."""

    dtype: np.dtype
    shape: Shape

    def __post_init__(self) -> None:
        if self.dtype.char in _SECOND_NAMES:
            object.__setattr__(self, "dtype", np.dtype(self.dtype.str))

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def is_scalar(self) -> bool:
        return not self.shape

    def with_dtype(self, dtype: np.dtype) -> Type:
        return Type(dtype, self.shape)

    def with_shape(self, shape: Shape) -> Type:
        return Type(self.dtype, shape)

    def __str__(self) -> str:
        return f"{dtype_name(self.dtype)}[{','.join(map(str, self.shape))}]"


def dtype_name(dtype: np.dtype) -> str:
    """`float64`, `datetime64[ns]`, `str`: the name that the text form prints."""
    return "str" if dtype.kind == "T" else dtype.name


def dtype_of(name: str) -> np.dtype:
    """The inverse of `dtype_name`."""
    return STRING if name == "str" else np.dtype(name)
