"""The `Dot` stage: a narrow matrix product, the rows of the tile as lanes, the weights as data.

for i in range(0, rows, lanes):
    for each group of at most four outputs:
        sums = 0
        for k in range(inner): sums[j] = muladd(tile[k][i], weight[k][j], sums[j])
        result[j][i] = sums[j]
"""

from __future__ import annotations

from llvmlite import ir

from fuse.codegen.dtypes import register_type, vector, word
from fuse.codegen.frame import Frame, Span, at, load_vector, splat, store_vector
from fuse.codegen.loops import counted_loop
from fuse.plan.kernels import Dot

_GROUP = 4


def emit_dot(frame: Frame, stage: Dot, span: Span) -> None:
    """Multiply the tile's rows by the weights."""
    b = frame.builder
    with counted_loop(b, word(0), span.rows, frame.lanes, "row") as row:
        for first in range(0, stage.outputs, _GROUP):
            _emit_group(frame, stage, row, range(first, min(first + _GROUP, stage.outputs)))


def _emit_group(frame: Frame, stage: Dot, row: ir.Value, outputs: range) -> None:
    b, s = frame.builder, frame.scalar
    dtype = frame.kernel.tiles[stage.left]
    kind = vector(register_type(dtype), frame.lanes)
    step = frame.kernel.schedule.tile_stride * dtype.itemsize
    sums = [frame.alloca(kind) for _ in outputs]
    for place in sums:
        b.store(ir.Constant(kind, None), place)
    left = at(b, frame.tile_pointer(stage.left), row, dtype.itemsize)
    row_stride, column_stride = frame.matrix_strides(stage.table)
    with counted_loop(b, word(0), word(stage.inner), 1, "k") as k:
        value = load_vector(b, at(b, left, k, step), dtype, frame.lanes)
        weights = at(b, frame.pointer(stage.table), b.mul(k, row_stride), 1)
        for place, output in zip(sums, outputs, strict=True):
            weight = b.load(at(b, weights, b.mul(word(output), column_stride), 1), typ=register_type(dtype))
            b.store(s.muladd(value, splat(b, weight, frame.lanes), b.load(place, typ=kind)), place)
    for place, output in zip(sums, outputs, strict=True):
        target = at(b, frame.tile_pointer(stage.result + output), row, dtype.itemsize)
        store_vector(b, b.load(place, typ=kind), target, dtype)
