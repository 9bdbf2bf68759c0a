"""The `LoadMatrix` stage: chosen columns of a matrix, as it lies in memory, into one tile each.

for row in rows: for column in columns: tile[column][row] = table[row][column]
"""

from __future__ import annotations

from fuse.codegen.dtypes import I8, I64, memory_type, word
from fuse.codegen.frame import Frame, Span, at
from fuse.codegen.loops import counted_loop
from fuse.plan.kernels import LoadMatrix


def emit_load_matrix(frame: Frame, stage: LoadMatrix, span: Span) -> None:
    """Copy the rows of the tile."""
    b, dtype = frame.builder, frame.kernel.tiles[stage.tile]
    element, size = memory_type(dtype), dtype.itemsize
    row_stride, column_stride = frame.matrix_strides(stage.buffer)
    base, chosen = frame.tile_pointer(stage.tile), frame.pointer(stage.chosen)
    step = frame.kernel.schedule.tile_stride * size
    with counted_loop(b, word(0), span.rows, 1, "row") as row:
        offset = b.mul(b.add(span.origin, row), row_stride)
        source = b.gep(frame.pointer(stage.buffer), [offset], source_etype=I8)
        target = at(b, base, row, size)
        with counted_loop(b, word(0), word(stage.columns), 1, "column") as place:
            column = b.load(at(b, chosen, place, 8), typ=I64)
            item = b.load(
                b.gep(source, [b.mul(column, column_stride)], source_etype=I8), typ=element, align=1
            )
            b.store(item, b.gep(target, [b.mul(place, word(step))], source_etype=I8))
