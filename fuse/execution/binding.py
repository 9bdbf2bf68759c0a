"""How the arrays of one call lie in memory: axes collapsed where all arrays agree, strides as the kernel
reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fuse.plan.axes import Walk
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


class Form(NamedTuple):
    """All of a call that depends on lengths and strides alone: the layout, the lengths of the outer axes and
    the inner one, and the strides of each buffer.
    """

    layout: Layout
    outer: tuple[int, ...]
    inner: int
    strides: tuple[tuple[int, ...], ...]


def form_over_rows(follows: Sequence[bool], arrays: Sequence[Array], rows: int) -> Form:
    """The form of a call over rows, the common case: no outer axes, so nothing to collapse.

    `follows` says of each buffer whether it walks with the rows.
    """
    strides = tuple(
        (array.strides[0] if does and array.shape else 0,)
        for does, array in zip(follows, arrays, strict=True)
    )
    return Form(Layout(0, _accesses(follows, arrays, strides)), (), rows, strides)


def form_over_axes(follows: Sequence[bool], arrays: Sequence[Array], walk: Walk) -> Form:
    """The form of a call over a domain of several axes, walked like this.

    `arrays` has one entry a buffer. Those that follow the domain have its shape.
    """
    still = (0,) * (len(walk.outer) + 1)
    strides = tuple(
        walk.strides(array) if does else still for does, array in zip(follows, arrays, strict=True)
    )
    layout = Layout(len(walk.outer), _accesses(follows, arrays, strides))
    return Form(layout, walk.lengths, walk.length, strides)


def bind(form: Form, arrays: Sequence[Array], addresses: Sequence[int]) -> Bound:
    """A call of this form over these arrays."""
    words: list[int] = []
    for array, address, strides in zip(arrays, addresses, form.strides, strict=True):
        shape = array.shape
        words += (address, shape[0] if shape else 1, *strides)
    return Bound(form.layout, form.outer, form.inner, words, arrays)


def _accesses(
    follows: Sequence[bool], arrays: Sequence[Array], strides: Sequence[tuple[int, ...]]
) -> tuple[Access, ...]:
    triples = zip(follows, arrays, strides, strict=True)
    return tuple(_access(row[-1], array) if does else "uniform" for does, array, row in triples)


def follows_rows(kernel: Kernel) -> list[bool]:
    """Of each buffer, whether it walks with the domain."""
    return [buffer.role in ("load", "store", "append") for buffer in kernel.buffers]


def _access(stride: int, array: Array) -> Access:
    if stride == array.itemsize:
        return "unit"
    return "uniform" if stride == 0 else "strided"
