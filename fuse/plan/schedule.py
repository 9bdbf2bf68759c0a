"""Every choice of a kernel that changes its speed and not its meaning, in one record, so that a tuner can
search.

`lanes` and `block` do fix the order in which a sum adds, so they are chosen from the kernel alone, never from
the machine, the data or the number of threads.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace

import numpy as np

BLOCK = 16384
"""Elements of one unit of work: the fixed block of a reduction."""
LIGHT = 60.0
"""Operations a row up to which a body is light."""
LONG = 80
"""Values of a body from which on it is long."""


STREAM_BYTES = 24 << 20
"""Outputs of this size find no room in the last cache: stores that do not read their line are quicker."""
PEELED = 16.0
"""Operations a row up to which a body stands twice in the code, for whole vectors and for the last one."""


@dataclass(frozen=True)
class Schedule:
    """tile: rows that pass all stages together; lanes: elements of a vector; block: rows of a unit.

    whole: rows of a unit when tile buffers hold all of them, for stages that sweep over it one after the
    other. peel: whether the last, partial vector has code of its own, so that the loop masks nothing.
    stream: bytes of outputs from which on they are written past the caches; 0: never.
    steps: how often a unit goes over its rows, for kernels that fold along an axis in front of them; 0: once.
    """

    tile: int = 1024
    lanes: int = 8
    block: int = BLOCK
    whole: int = 0
    peel: bool = False
    stream: int = 0
    steps: int = 0

    @property
    def tile_stride(self) -> int:
        """Elements between two tile buffers, padded: equal rows of two tiles must not share a cache set.

        Buffers of a single row stand side by side.
        """
        return max(self.tile, self.whole) + 64 if self.tile > 1 else 1


ENDLESS = 1 << 40
"""The block of a kernel that carries a value along a whole axis."""
STEPS = 2048
"""How many values of an axis one unit folds; the results of units are folded in a fixed tree."""
STEP_BYTES = 32 << 10
"""Bytes that the values carried from step to step may take: they stay in L1, rows are read as they lie."""


def schedule_scan(schedule: Schedule) -> Schedule:
    """The schedule of a kernel that carries values along its inner axis: a unit takes all of it."""
    return replace(schedule, block=ENDLESS)


def schedule_steps(schedule: Schedule, row_bytes: int, columns: Hashable, scans: bool) -> Schedule:
    """The schedule of a kernel that carries a value of each column from step to step; the tiles of a column
    take `row_bytes`; `columns`: how many there are, if known. A scan takes all steps in one unit.
    """
    tile = 8192
    while tile > 256 and tile * row_bytes > STEP_BYTES:
        tile //= 2
    lanes = schedule.lanes
    while isinstance(columns, int) and lanes >= 2 * columns and lanes > 8:
        lanes //= 2
    whole = columns if isinstance(columns, int) and columns <= tile else 0
    steps = ENDLESS if scans else STEPS
    return replace(schedule, tile=tile, block=tile, lanes=lanes, whole=whole, steps=steps, stream=0)


FOREST_BYTES = 1 << 23
"""Bytes of tile buffers that rows wanted by trees may take."""
FOREST_BLOCK = 4096
"""Rows of a unit with trees: they take long, and few units would leave threads without work at the end."""


def schedule_forest(schedule: Schedule, rows: int, row_bytes: int, reduces: bool) -> Schedule:
    """The schedule of a kernel whose trees want `rows` rows together; the tiles of a row take `row_bytes`."""
    tile = schedule.tile
    while 2 * tile <= rows and 2 * tile * row_bytes <= FOREST_BYTES:
        tile *= 2
    return replace(schedule, tile=tile, block=BLOCK if reduces else max(FOREST_BLOCK, tile))


PAIRS_BYTES = 10 << 10
"""Bytes of tile buffers of a kernel that pairs rows with columns: beyond a quarter of L1 it slows down."""
FEWEST_ROWS = 64


def schedule_pairs(schedule: Schedule, row_bytes: int, adds: bool) -> Schedule:
    """The schedule of a kernel that pairs rows with columns; the tiles of a row take `row_bytes`.

    A kernel that also adds keeps its tile, which fixes the order of its sums.
    """
    tile = schedule.tile
    while not adds and tile > FEWEST_ROWS and tile * row_bytes > PAIRS_BYTES:
        tile //= 2
    return replace(schedule, tile=tile)


def choose_schedule(dtypes: Iterable[np.dtype], cost: float, length: int, tiles: int, adds: bool) -> Schedule:
    """A schedule from what the kernel computes: `cost` operations a row, the longest body of `length` values.

    Vectors are wider than a register: LLVM splits them, and the independent parts hide each other's latency.
    Four registers a value for light bodies, two for heavy ones, and one for long ones, whose values fill the
    registers anyway and whose compile time counts. Bytes alone fill one register.

    Tiles are short where a sum of floats keeps what each of them rounds off (`adds`), and where their buffers
    want to stay in cache: beyond half of L2 (512 KiB) they get shorter still. Two loops are worth their code
    where masking one would cost as much as the body.
    """
    widest = max((dtype.itemsize for dtype in dtypes), default=8)
    register = 64 // max(widest, 4)
    lanes = register * (4 if cost <= LIGHT else 2 if length <= LONG else 1)
    tile = 512 if adds else 1024 if tiles else 4096
    while tile > 256 and tiles * tile * 8 > 1 << 19:
        tile //= 2
    lanes = min(64 if widest == 1 else 32, max(8, lanes))
    return Schedule(tile=tile, lanes=lanes, peel=cost <= PEELED, stream=STREAM_BYTES)
