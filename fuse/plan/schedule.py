"""Every choice of a kernel that changes its speed and not its meaning, in one record, so that a tuner can
search.

`lanes` and `block` do fix the order in which a sum adds, so they are chosen from the kernel alone, never from
the machine, the data or the number of threads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

BLOCK = 16384
"""Elements of one unit of work: the fixed block of a reduction."""
LIGHT = 60.0
"""Operations a row up to which a body is light."""
LONG = 80
"""Values of a body from which on it is long."""


@dataclass(frozen=True)
class Schedule:
    """tile: rows that pass all stages together; lanes: elements of a vector; block: rows of a unit."""

    tile: int = 1024
    lanes: int = 8
    block: int = BLOCK

    @property
    def tile_stride(self) -> int:
        """Elements between two tile buffers, padded: equal rows of two tiles must not share a cache set."""
        return self.tile + 64


def choose_schedule(
    dtypes: Iterable[np.dtype], cost: float, length: int, tiles: int, reduces: bool
) -> Schedule:
    """A schedule from what the kernel computes: `cost` operations a row, the longest body of `length` values.

    Vectors are wider than a register: LLVM splits them, and the independent parts hide each other's latency.
    Four registers a value for light bodies, two for heavy ones, and one for long ones, whose values fill the
    registers anyway and whose compile time counts. Tiles that do not fit in half of L2 (512 KiB) get fewer
    rows.
    """
    widest = max((dtype.itemsize for dtype in dtypes), default=8)
    register = 64 // max(widest, 4)
    lanes = register * (4 if cost <= LIGHT else 2 if length <= LONG else 1)
    tile = 512 if reduces else 1024
    while tile > 256 and tiles * tile * 8 > 1 << 19:
        tile //= 2
    return Schedule(tile=tile, lanes=min(32, max(8, lanes)))
