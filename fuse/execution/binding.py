"""How the arrays of one call lie in memory: axes collapsed where all arrays agree, strides as the kernel
reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fuse.plan.kernels import Access, Kernel, Layout

Array = np.ndarray


class Bound(NamedTuple):
    """A call's layout, its lengths (outer axes, inner axis) and the words of its buffers; keeps the arrays
    alive.
    """

    layout: Layout
    outer: tuple[int, ...]
    inner: int
    words: list[int]
    arrays: Sequence[Array]


def address_of(array: Array) -> int:
    """Where an array's first element lies."""
    address: int = array.__array_interface__["data"][0]
    return address


def bind_rows(follows: Sequence[bool], arrays: Sequence[Array], addresses: Sequence[int], rows: int) -> Bound:
    """Lay out a call over rows, the common case: no outer axes, so nothing to collapse.

    `follows` says of each buffer whether it walks with the rows.
    """
    access: list[Access] = []
    words: list[int] = []
    for does, array, address in zip(follows, arrays, addresses, strict=True):
        shape = array.shape
        if does and shape:
            stride = array.strides[0]
            access.append("unit" if stride == array.itemsize else "uniform" if stride == 0 else "strided")
        else:
            stride = 0
            access.append("uniform")
        words += (address, shape[0] if shape else 1, stride)
    return Bound(Layout(0, tuple(access)), (), rows, words, arrays)


def bind(
    kernel: Kernel, arrays: Sequence[Array], addresses: Sequence[int], shape: tuple[int, ...], reduced: int
) -> Bound:
    """Lay out a call over a domain of this shape, whose `reduced` trailing axes each unit folds.

    `arrays` has one entry a buffer. Those that follow the domain have its shape.
    """
    follows = follows_rows(kernel)
    moving = [array for array, does in zip(arrays, follows, strict=True) if does]
    outer, inner = _collapse(shape, [array.strides for array in moving], reduced)
    strides = iter(_strides(array, outer, inner) for array in moving)
    rows = [next(strides) if does else (0,) * (len(outer) + 1) for does in follows]
    access = tuple(
        _access(row[-1], array) if does else "uniform"
        for row, array, does in zip(rows, arrays, follows, strict=True)
    )
    words: list[int] = []
    for array, address, row in zip(arrays, addresses, rows, strict=True):
        words += [address, array.shape[0] if array.ndim else 1, *row]
    lengths = tuple(_product(shape, group) for group in outer)
    return Bound(Layout(len(outer), access), lengths, _product(shape, inner), words, arrays)


def follows_rows(kernel: Kernel) -> list[bool]:
    """Of each buffer, whether it walks with the domain."""
    return [buffer.role in ("load", "store", "append") for buffer in kernel.buffers]


def _access(stride: int, array: Array) -> Access:
    if stride == array.itemsize:
        return "unit"
    return "uniform" if stride == 0 else "strided"


def _product(shape: tuple[int, ...], axes: Sequence[int]) -> int:
    result = 1
    for axis in axes:
        result *= shape[axis]
    return result


Groups = list[list[int]]


def _collapse(
    shape: tuple[int, ...], strides: Sequence[tuple[int, ...]], reduced: int
) -> tuple[Groups, list[int]]:
    """Axes in groups that every array walks in one stride: the outer groups, and the inner one.

    The last group is the inner axis. A reduction's kept axes stay apart from its reduced ones; reduced axes
    that do not collapse cannot be one inner axis, and the caller makes such arrays contiguous first.
    """
    rank = len(shape)
    boundary = rank - reduced if reduced else 0
    groups: Groups = []
    for axis in range(rank):
        joins = groups and axis != boundary and all(_joins(s, shape, groups[-1][-1], axis) for s in strides)
        if joins:
            groups[-1].append(axis)
        else:
            groups.append([axis])
    return groups[:-1], groups[-1]


def _joins(strides: tuple[int, ...], shape: tuple[int, ...], before: int, axis: int) -> bool:
    return strides[before] == strides[axis] * shape[axis]


def _strides(array: Array, outer: Groups, inner: list[int]) -> tuple[int, ...]:
    return tuple(array.strides[group[-1]] for group in (*outer, inner))


def has_one_inner_axis(arrays: Sequence[Array], shape: tuple[int, ...], reduced: int) -> bool:
    """Whether the reduced trailing axes of all arrays collapse to one."""
    outer, _ = _collapse(shape, [array.strides for array in arrays], reduced)
    return sum(len(group) for group in outer) == len(shape) - reduced
