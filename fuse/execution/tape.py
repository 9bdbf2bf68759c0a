"""What one run of a plan launched, in order, so that it can be launched again without Python between.

Small kernels finish sooner than Python can start the next. For arrays of the same lengths and strides every
launch of a plan is the same but for the addresses, so a run may be taped: the words of each launch, which of
them are addresses, and of whose memory. What runs in Python and leaves something in memory (a library's
step, survivors of a filter, partial results of several units) ends the tape: it has `failed`.

The idea is that of CUDA graphs. fuse/execution/replay.py makes ready what was taped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.lib.array_utils import byte_bounds

from fuse.execution.binding import address_of
from fuse.execution.code import Code


class Span(NamedTuple):
    """Bytes that an array reaches: from `start` up to `stop`."""

    start: int
    stop: int

    @classmethod
    def of(cls, array: np.ndarray) -> Span:
        """The bytes of an array, whatever its strides."""
        return cls(*map(int, byte_bounds(array)))


@dataclass(frozen=True)
class Pointer:
    """A word of a launch that is the address of an array; `writes`: elements are stored there."""

    place: int
    address: int
    span: Span
    writes: bool

    @classmethod
    def to(cls, array: np.ndarray, place: int, *, writes: bool) -> Pointer:
        """The address of an array's first element, at a place among the arguments."""
        return cls(place, address_of(array), Span.of(array), writes)


class Scratch(NamedTuple):
    """Working memory of a kernel: bytes, and the place of its address among the arguments."""

    size: int
    place: int


@dataclass(frozen=True)
class Launch:
    """One call of a kernel: its code (none: rows are copied), its two blocks of words, and which of the
    arguments are addresses.
    """

    code: Code | None
    arguments: Sequence[int]
    control: Sequence[int]
    pointers: Sequence[Pointer]
    scratch: Scratch


class Tape:
    """A run that is being recorded. folds: arrays at whose elements the run looked for infinities and NaN."""

    def __init__(self) -> None:
        self.launches: list[Launch] = []
        self.folds: list[np.ndarray] = []
        self.failed = False

    def fail(self) -> None:
        """The run did what no replay can do again."""
        self.failed = True

    def launched(
        self,
        code: Code,
        arrays: Sequence[np.ndarray],
        writes: Sequence[bool],
        arguments: Sequence[int],
        control: Sequence[int],
        scratch: Scratch,
    ) -> None:
        """A kernel is launched; its arguments begin with equally many words of each array, an address the
        first of them.
        """
        step = scratch.place // max(len(arrays), 1)
        pointers = [
            Pointer.to(array, number * step, writes=does)
            for number, (array, does) in enumerate(zip(arrays, writes, strict=True))
        ]
        self._add(Launch(code, arguments, control, pointers, scratch))

    def _add(self, launch: Launch) -> None:
        if len(self.launches) == _MOST_LAUNCHES:
            self.fail()
        elif not self.failed:
            self.launches.append(launch)

    def copied(self, target: np.ndarray, source: np.ndarray) -> None:
        """`target[...] = source` was done, of the same lengths and dtype."""
        if (target.shape, target.dtype) != (source.shape, source.dtype) or np.may_share_memory(
            target, source
        ):
            self.fail()  # NumPy copies what overlaps by way of other memory
        elif target.size:
            for launch in _copies(target, source):
                self._add(launch)


_MOST_LAUNCHES = 100_000


def _copies(target: np.ndarray, source: np.ndarray) -> Iterator[Launch]:
    """A launch for each matrix: of whole rows where rows lie without gaps, else of single elements."""
    order = sorted(range(target.ndim), key=lambda axis: -abs(target.strides[axis]))
    target, source = target.transpose(order), source.transpose(order)
    if not (target.ndim and target.strides[-1] == source.strides[-1] == target.itemsize):
        target, source = target[..., None], source[..., None]
    if target.ndim == 1:
        target, source = target[None], source[None]
    size = target.itemsize * target.shape[-1]
    for place in np.ndindex(*target.shape[:-2]):
        to, of = target[place], source[place]
        pointers = Pointer.to(to, 0, writes=True), Pointer.to(of, 1, writes=False)
        words = (*(p.address for p in pointers), size, len(to), to.strides[0], of.strides[0])
        yield Launch(None, words, (), pointers, Scratch(0, 0))
