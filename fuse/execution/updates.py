"""Writing to a part of an array: the whole that results, with everything outside of the part in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fuse.ir.types import Bounds
from fuse.runtime import buffers

Key = tuple[slice, ...]


def key_of(slices: Sequence[Bounds]) -> Key:
    """The part as an index."""
    return tuple(slice(*bounds) for bounds in slices)


def whole_of(base: np.ndarray, part: Key, *, in_place: bool) -> np.ndarray:
    """The array that an update of `base` gives, its part still to be written.

    In place it is the base, if that can be written to: a broadcast array cannot.
    """
    if in_place and base.flags.writeable:
        return base
    whole = _alike(base)
    _copy_outside(whole, base, part)
    return whole


def _alike(base: np.ndarray) -> np.ndarray:
    """New memory in the order of the base's axes."""
    order = sorted(range(base.ndim), key=lambda axis: -abs(base.strides[axis]))
    made = buffers.empty(tuple(base.shape[axis] for axis in order), base.dtype)
    return made if order == list(range(base.ndim)) else made.transpose(np.argsort(order))


def _copy_outside(whole: np.ndarray, base: np.ndarray, part: Key) -> None:
    """Copy what the part leaves: of each axis what lies before and behind it, within the part of the axes
    before. All of it when the part has gaps.
    """
    inside: list[slice] = []
    for bounds, length in zip(part, base.shape, strict=True):
        start, stop, step = bounds.indices(length)
        if step != 1 or stop <= start:
            key = tuple(inside)
            whole[key] = base[key]
            return
        for outside in (slice(0, start), slice(stop, length)):
            if outside.stop > outside.start:
                key = (*inside, outside)
                whole[key] = base[key]
        inside.append(slice(start, stop))
