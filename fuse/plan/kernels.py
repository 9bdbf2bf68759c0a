"""The language of kernels: what planning hands to code generation.

A kernel is one parallel loop over a domain. Its outer axes and blocks of its inner axis are the units that
threads take; each unit runs in tiles, and each tile through the stages in order. Inside a `Map` values are
SSA registers of one vector loop; between stages they live in tile buffers. A stage runs over the rows of the
tile (`BASE`) or over those that the compaction of an earlier stage kept (`KEPT`).

Nothing here names a graph node: a kernel is equal to another when their code is the same.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from fuse.plan.forest_layout import ForestCode
from fuse.plan.schedule import Schedule

Role = Literal["load", "store", "append", "uniform", "table", "partial"]
BASE, KEPT = "base", "kept"


@dataclass(frozen=True)
class Buffer:
    """An array the kernel touches.

    load and store follow the domain; append is dense output of a filter; uniform is one element for all rows;
    table is read at computed places; partial takes one value a unit from a reduction.
    """

    dtype: np.dtype
    role: Role


@dataclass(frozen=True)
class Instruction:
    """One SSA value of a `Map`: an elementwise op of the graph, or `load`, `uniform`, `tile`, `position`,
    `gather`, `reduced` (of the unit, by an earlier sweep), `scan` (its kind, and the tile that carries the
    values of one step to the next; None: along the rows).
    """

    op: str
    operands: tuple[int, ...]
    dtype: np.dtype
    attr: Hashable = None


@dataclass(frozen=True)
class Reduction:
    """Fold the values of all rows; where `predicate` is false the row does not count.

    tile: in a kernel of steps, where the fold of each row stands; rest: where what a sum rounds off does.
    """

    kind: str
    value: int
    buffer: int
    predicate: int | None = None
    tile: int | None = None
    rest: int | None = None


@dataclass(frozen=True)
class Compaction:
    """Keep the rows where `mask` is true; `columns` pairs a value with the tile for its survivors."""

    mask: int
    columns: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Map:
    """A vector loop: straight-line body, then its sinks. Pairs are (value, tile) and (value, buffer)."""

    track: str
    body: tuple[Instruction, ...]
    tiles: tuple[tuple[int, int], ...] = ()
    stores: tuple[tuple[int, int], ...] = ()
    reductions: tuple[Reduction, ...] = ()
    compaction: Compaction | None = None


@dataclass(frozen=True)
class LoadMatrix:
    """Columns of a matrix in memory, those that the table `chosen` lists, to consecutive tiles from `tile`
    on.
    """

    track: str
    buffer: int
    chosen: int
    columns: int
    tile: int


@dataclass(frozen=True)
class Forest:
    """Trees over `features` consecutive float64 tiles; results to `outputs` tiles. `tables` are buffers by
    name.
    """

    track: str
    features: int
    tables: tuple[tuple[str, int], ...]
    code: ForestCode
    result: int
    outputs: int


@dataclass(frozen=True)
class Dot:
    """Tiles [inner] times a table [inner, outputs], summed in the order of `inner`; results to consecutive
    tiles.
    """

    track: str
    left: int
    table: int
    inner: int
    outputs: int
    result: int


@dataclass(frozen=True)
class CompareText:
    """Each row of a text column, tables `offsets` and `data`, against the bytes of table `text`; bool to a
    tile.
    """

    track: str
    relation: str
    offsets: int
    data: int
    text: int
    result: int


@dataclass(frozen=True)
class ArgReduce:
    """For each row the place of the best of the values that `body` computes, its last one, for each element
    of the tables that instructions `column` read. `length`: one of those tables. int64 to a tile.
    """

    track: str
    kind: str
    body: tuple[Instruction, ...]
    length: int
    result: int


Stage: TypeAlias = Map | LoadMatrix | Forest | Dot | CompareText | ArgReduce


@dataclass(frozen=True)
class Kernel:
    """Stages over buffers; `tiles` are the dtypes of the tile buffers.

    sweeps: for each stage in which sweep over the unit it runs; none given, all tiles pass all stages once.
    """

    stages: tuple[Stage, ...]
    buffers: tuple[Buffer, ...]
    tiles: tuple[np.dtype, ...]
    schedule: Schedule
    sweeps: tuple[int, ...] = ()


Access = Literal["unit", "strided", "uniform"]


@dataclass(frozen=True)
class Layout:
    """How the arrays of one call lie in memory, as far as code depends on it: outer axes, inner step of each
    buffer.
    """

    outer_rank: int
    access: tuple[Access, ...]


CONTROL_WORDS = 16
"""int64 words in front of the outer lengths of a control block; their places are the constants below."""
(
    NEXT, MORSELS, UNITS, UNITS_PER_MORSEL, INNER, BLOCKS, OFFSET, SEQUENTIAL, ERROR, DOUBT, STREAM,
    STEP_BLOCKS,
) = range(12)  # fmt: skip


def argument_words(layout: Layout) -> int:
    """Words of a buffer in the argument block: pointer, length, strides of outer axes and inner, in bytes."""
    return 3 + layout.outer_rank


SYMBOL = "kernel"
"""The name of a kernel's function in its object code."""
_ALIGN = 64
WIDEST = 16
"""Bytes of the widest element of an array."""


def tile_offset(kernel: Kernel, tile: int) -> int:
    """Bytes from the start of a worker's scratch memory to a tile buffer, or to the end of the last one."""
    stride = kernel.schedule.tile_stride
    if stride > 1:
        return sum(-(-dtype.itemsize * stride // _ALIGN) * _ALIGN for dtype in kernel.tiles[:tile])
    offset = 0
    for dtype in kernel.tiles[:tile]:
        offset = -(-offset // dtype.itemsize) * dtype.itemsize + dtype.itemsize
    aligned = kernel.tiles[tile].itemsize if tile < len(kernel.tiles) else _ALIGN
    return -(-offset // aligned) * aligned


def strided_outputs(kernel: Kernel, layout: Layout) -> list[int]:
    """The output buffers that are not contiguous; they pass through scratch memory."""
    outputs = (number for number, buffer in enumerate(kernel.buffers) if buffer.role in ("store", "append"))
    return [number for number in outputs if layout.access[number] != "unit"]


def scratch_bytes(kernel: Kernel, layout: Layout) -> int:
    """The scratch memory of one worker: the tile buffers, and room for strided outputs behind them."""
    behind = WIDEST * kernel.schedule.tile_stride * len(strided_outputs(kernel, layout))
    return tile_offset(kernel, len(kernel.tiles)) + behind


def to_text(kernel: Kernel) -> str:
    """The kernel as lines, for `FUSE_DUMP=kernels` and for the key of the code cache."""
    lines = [f"schedule {kernel.schedule}"]
    lines += [f"buffer {number}: {b.role} {b.dtype}" for number, b in enumerate(kernel.buffers)]
    lines += [f"tile {number}: {dtype}" for number, dtype in enumerate(kernel.tiles)]
    lines += [f"sweeps {kernel.sweeps}"] if kernel.sweeps else []
    for stage in kernel.stages:
        lines += _stage_text(stage)
    return "\n".join(lines)


@functools.cache
def _dtype_text(dtype: np.dtype) -> str:
    """NumPy takes 3 µs for it, and a kernel has hundreds."""
    return str(dtype)


def _stage_text(stage: Stage) -> list[str]:
    if not isinstance(stage, Map):
        return [repr(stage)]
    lines = [f"map over {stage.track}"]
    for number, i in enumerate(stage.body):
        attr = "" if i.attr is None else f" {i.attr}"
        lines.append(
            f"  %{number} = {i.op}{attr} {' '.join(f'%{o}' for o in i.operands)} : {_dtype_text(i.dtype)}"
        )
    lines += [f"  tile {tile} <- %{value}" for value, tile in stage.tiles]
    lines += [f"  buffer {buffer} <- %{value}" for value, buffer in stage.stores]
    for r in stage.reductions:
        where = "" if r.predicate is None else f" where %{r.predicate}"
        tile = "" if r.tile is None else f" by tile {r.tile}" + ("" if r.rest is None else f", {r.rest}")
        lines.append(f"  buffer {r.buffer} <- {r.kind} %{r.value}{where}{tile}")
    if stage.compaction is not None:
        lines.append(f"  keep where %{stage.compaction.mask}: {stage.compaction.columns}")
    return lines
