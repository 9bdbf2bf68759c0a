"""Writing to a part of an array: the whole that results, with everything outside of the part in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fuse.execution.tape import Tape
from fuse.ir.types import Bounds
from fuse.runtime import buffers

Key = tuple[slice, ...]


def key_of(slices: Sequence[Bounds]) -> Key:
    """The part as an index."""
    return tuple(slice(*bounds) for bounds in slices)


def whole_of(base: np.ndarray, part: Key, tape: Tape | None, *, in_place: bool) -> np.ndarray:
    """The array that an update of `base` gives, its part still to be written.

    In place it is the base, if that can be written to: a broadcast array cannot.
    """
    if in_place and base.flags.writeable:
        return base
    whole = _alike(base)
    for outside in _outside(part, base.shape):
        copy(whole[outside], base[outside], tape)
    return whole


def copy(target: np.ndarray, source: np.ndarray, tape: Tape | None) -> None:
    """`target[...] = source`."""
    target[...] = source
    if tape is not None:
        tape.copied(target, source)


def _alike(base: np.ndarray) -> np.ndarray:
    """New memory in the order of the base's axes."""
    order = sorted(range(base.ndim), key=lambda axis: -abs(base.strides[axis]))
    made = buffers.empty(tuple(base.shape[axis] for axis in order), base.dtype)
    return made if order == list(range(base.ndim)) else made.transpose(np.argsort(order))


def _outside(part: Key, shape: Sequence[int]) -> Iterator[Key]:
    """What the part leaves: of each axis what lies before and behind it, within the part of the axes before.
    All of it when the part has gaps.
    """
    inside: list[slice] = []
    for bounds, length in zip(part, shape, strict=True):
        start, stop, step = bounds.indices(length)
        if step != 1 or stop <= start:
            yield tuple(inside)
            return
        for outside in (slice(0, start), slice(stop, length)):
            if outside.stop > outside.start:
                yield (*inside, outside)
        inside.append(slice(start, stop))
