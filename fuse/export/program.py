"""The language of exported programs: what a library call and a thread pool do in this process, as steps.

A program is a list of steps over arrays in memory. Shapes and strides are numbers in which primes stand for
lengths that are known when the code runs (fuse/export/lengths.py). Views cost nothing: they are other shapes
over the same memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from fuse.export.lengths import Lengths
from fuse.ir.node import ConstantArray, Node
from fuse.ir.types import Bounds
from fuse.plan.kernels import Kernel, Layout
from fuse.plan.row_program import contiguous_strides

Memory = Literal["input", "temporary", "table"]


@dataclass(frozen=True)
class Start:
    """Where a slice begins, in bytes: the first of `bounds` along an axis of `length` elements, `stride`
    apart.
    """

    length: int
    bounds: Bounds
    stride: int


@dataclass(frozen=True)
class After:
    """The place behind `length` elements, `stride` apart."""

    length: int
    stride: int


@dataclass(frozen=True)
class Value:
    """An array: number `number` of a memory, from the sum of `starts` on."""

    memory: Memory
    number: int
    dtype: np.dtype
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    starts: tuple[Start | After, ...] = ()

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def is_contiguous(self) -> bool:
        """Whether the elements lie side by side in C order; axes of length one do not matter."""
        expected = contiguous_strides(self.shape, self.itemsize)
        axes = zip(self.shape, self.strides, expected, strict=True)
        return not self.starts and all(length == 1 or stride == wanted for length, stride, wanted in axes)

    def broadcast(self, shape: Sequence[int]) -> Value:
        """Repeated to a shape, axes aligned from the right."""
        added = len(shape) - len(self.shape)
        own = zip(self.shape, shape[added:], self.strides, strict=True)
        strides = [stride if length == wanted else 0 for length, wanted, stride in own]
        return replace(self, shape=tuple(shape), strides=(0,) * added + tuple(strides))

    def reshape(self, shape: Sequence[int]) -> Value:
        """Contiguous elements under another shape."""
        return replace(self, shape=tuple(shape), strides=contiguous_strides(shape, self.itemsize))

    def transpose(self, axes: Sequence[int]) -> Value:
        """Axes permuted, those not named left out."""
        shape, strides = tuple(self.shape[a] for a in axes), tuple(self.strides[a] for a in axes)
        return replace(self, shape=shape, strides=strides)

    def slice(self, slices: Sequence[Bounds], shape: Sequence[int]) -> Value:
        """A basic slice, one (start, stop, step) an axis, of this shape."""
        axes = zip(self.shape, slices, self.strides, strict=True)
        starts = [Start(length, bounds, stride) for length, bounds, stride in axes if not _from_zero(bounds)]
        strides = tuple(
            stride * (1 if bounds[2] is None else bounds[2])
            for stride, bounds in zip(self.strides, slices, strict=True)
        )
        return replace(self, shape=tuple(shape), strides=strides, starts=(*self.starts, *starts))

    def part(self, axis: int, before: Sequence[int], length: int) -> Value:
        """So many elements along an axis, those behind parts of the lengths `before`."""
        starts = tuple(After(number, self.strides[axis]) for number in before)
        shape = tuple(length if place == axis else own for place, own in enumerate(self.shape))
        return replace(self, shape=shape, starts=(*self.starts, *starts))

    def without(self, axes: Sequence[int]) -> Value:
        """Without axes of length one."""
        return self.transpose([axis for axis in range(len(self.shape)) if axis not in axes])


def _from_zero(bounds: Bounds) -> bool:
    start, _, step = bounds
    return start in (None, 0) and (step is None or step > 0)


Part = Literal["value", "offsets", "data"]


@dataclass(frozen=True)
class Operand:
    """A buffer of a kernel: an array, or a part of a text column; strides of outer axes, then inner."""

    value: Value
    part: Part
    strides: tuple[int, ...]


@dataclass(frozen=True)
class Blocks:
    """How many blocks of `block` elements there are in `outer` rows of `length`, the last ones not full."""

    length: int
    block: int
    outer: int = 1


@dataclass(frozen=True)
class Allocate:
    """Make room for a temporary of `size` bytes, or of so many for each block."""

    number: int
    size: int
    blocks: Blocks | None = None


@dataclass(frozen=True)
class RunKernel:
    """Run a kernel of the plan; its units, `outer` of them, walk `inner` elements each.

    scratch: bytes of working memory; kept: the length that a filter in it makes known, 0 without one.
    """

    kernel: Kernel
    layout: Layout
    outer: tuple[int, ...]
    inner: int
    operands: tuple[Operand, ...]
    scratch: int
    kept: int = 0


@dataclass(frozen=True)
class Combine:
    """result[i] = the partial results of row i, folded by a fixed tree; the identity where there are none.

    rows: how many there are, each with a partial result for every block; rest: room of the same size, in
    which a sum keeps what it rounds off.
    """

    kind: str
    partials: Value
    rest: Value
    rows: int
    blocks: Blocks
    result: Value


@dataclass(frozen=True)
class Count:
    """A length becomes known: the integer that stands in `value`."""

    length: int
    value: Value


@dataclass(frozen=True)
class Compress:
    """The rows of `source` where `mask` is true, one behind the other; `kept` is their number."""

    source: Value
    mask: Value
    result: Value
    kept: int


@dataclass(frozen=True)
class Scatter:
    """result, with the rows of `source` put, in order, where `mask` is true; a single row goes everywhere."""

    source: Value
    mask: Value
    result: Value


@dataclass(frozen=True)
class Take:
    """result[i] = table[indices[i]] for whole rows of a table; `mode` as in the op `gather`."""

    table: Value
    indices: Value
    mode: str
    result: Value
    line: str


@dataclass(frozen=True)
class Extremum:
    """The position of the smallest or largest element along an axis: `argmin` or `argmax`."""

    kind: str
    source: Value
    axis: int
    result: Value
    line: str


@dataclass(frozen=True)
class Fold:
    """result = the elements of `source` along an axis, folded one after the other from the first on."""

    kind: str
    source: Value
    axis: int
    result: Value


@dataclass(frozen=True)
class Product:
    """result[i, j] = sum over k of left[i, k] * right[k, j], in the order of k."""

    left: Value
    right: Value
    result: Value


Step: TypeAlias = (
    Allocate | RunKernel | Combine | Count | Compress | Scatter | Take | Extremum | Fold | Product
)


@dataclass(frozen=True)
class Program:
    """Steps that compute `outputs` from `inputs`, for any lengths.

    symbols: the lengths that the caller tells, by number; tables: the arrays behind values in table memory;
    temporaries: how many there are; outputs are contiguous.
    """

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    steps: tuple[Step, ...]
    tables: tuple[ConstantArray, ...]
    temporaries: int
    symbols: tuple[int, ...]
    lengths: Lengths


def has_rest(kind: str, dtype: np.dtype) -> bool:
    """Whether a reduction keeps what its additions round off."""
    return kind == "sum" and dtype.kind == "f"


class NoProgram(Exception):
    """A value that only a library computes; `reason` names it, `node` is where the user asked for it."""

    def __init__(self, reason: str, node: Node | None = None) -> None:
        super().__init__(reason)
        self.reason, self.node = reason, node
