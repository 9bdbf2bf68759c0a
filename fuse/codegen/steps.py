"""Kernels of steps: an axis is folded one element after the other, the rows behind it side by side.

    for each unit (outer index, stretch of steps, stretch of columns):
        carried[column] = what leaves the first value as it is, for each scan and each reduction
        for step in steps:
            for each vector of columns: compute; result[step] or carried = carried (op) value
        partial[outer, stretch of steps, column] = carried[column], for each reduction

So memory is read in the order in which it lies, and every column adds in NumPy's order. The stretches of
steps are of a fixed length, and their results are folded in a fixed tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from llvmlite import ir

from fuse.codegen.conversions import emit_convert
from fuse.codegen.dtypes import I8, word
from fuse.codegen.elementwise import emit_op
from fuse.codegen.frame import Frame, Span, at, load_vector, store_vector
from fuse.codegen.loops import counted_loop, minimum
from fuse.codegen.reductions import COMBINE, with_rest
from fuse.codegen.scans import parts_of, scans_of, start_of
from fuse.plan.kernels import BLOCKS, CONTROL_WORDS, INNER, STEP_BLOCKS, Kernel, Map, Reduction


def emit_stepped_unit(
    frame: Frame,
    unit: ir.Value,
    move_to: Callable[[ir.Value, int], None],
    emit_row: Callable[[Span], None],
) -> None:
    """One unit. `move_to(index, rank)`: start at this element of the outer axes, of which there are so many;
    `emit_row`: the stages over the columns of one step.
    """
    b, schedule = frame.builder, frame.kernel.schedule
    columns_of_row, steps_axis = frame.control_word(INNER), frame.layout.outer_rank - 1
    rest, block = _parted(b, unit, frame.control_word(BLOCKS))
    outer, step_block = _parted(b, rest, frame.control_word(STEP_BLOCKS))
    start = b.mul(block, word(schedule.block))
    columns = minimum(b, word(schedule.block), b.sub(columns_of_row, start))
    move_to(outer, steps_axis)
    bases = frame.bases
    first = b.mul(step_block, word(schedule.steps))
    stop = minimum(b, b.add(first, word(schedule.steps)), frame.control_word(CONTROL_WORDS + steps_axis))
    _start(frame, columns)
    with counted_loop(b, first, stop, 1, "step") as step:
        frame.bases = [_at_step(frame, n, base, step, steps_axis) for n, base in enumerate(bases)]
        emit_row(Span(columns, start))
    partial = b.add(b.mul(rest, columns_of_row), start)
    for reduction in _reductions(frame.kernel):
        _finish(frame, reduction, columns, partial)


def _parted(b: ir.IRBuilder, number: ir.Value, length: ir.Value) -> tuple[ir.Value, ir.Value]:
    """(number // length, number % length)."""
    quotient = b.sdiv(number, length)
    return quotient, b.sub(number, b.mul(quotient, length))


def _at_step(frame: Frame, buffer: int, base: ir.Value, step: ir.Value, axis: int) -> ir.Value:
    if frame.kernel.buffers[buffer].role not in ("load", "store"):
        return base
    b = frame.builder
    return b.gep(base, [b.mul(step, frame.argument(buffer, 2 + axis))], source_etype=I8)


def _reductions(kernel: Kernel) -> Iterator[Reduction]:
    for stage in kernel.stages:
        if isinstance(stage, Map):
            yield from stage.reductions


def _carried(kernel: Kernel) -> Iterator[tuple[str, int]]:
    """(kind, tile) of everything that goes from step to step."""
    for reduction in _reductions(kernel):
        assert reduction.tile is not None
        yield reduction.kind, reduction.tile
        if reduction.rest is not None:
            yield "sum", reduction.rest
    for instruction in scans_of(kernel):
        kind, tile = parts_of(instruction)
        assert tile is not None
        yield kind, tile


def _start(frame: Frame, columns: ir.Value) -> None:
    b = frame.builder
    for kind, tile in _carried(frame.kernel):
        dtype = frame.kernel.tiles[tile]
        start = start_of(frame, kind, dtype, frame.lanes)
        with counted_loop(b, word(0), columns, frame.lanes, "start") as column:
            store_vector(b, start, at(b, frame.tile_pointer(tile), column, dtype.itemsize), dtype)


def emit_fold(frame: Frame, reduction: Reduction, value: ir.Value, source: np.dtype, row: ir.Value) -> None:
    """carried[row] = carried[row] (op) value"""
    assert reduction.tile is not None
    b, dtype = frame.builder, frame.kernel.tiles[reduction.tile]
    place = at(b, frame.tile_pointer(reduction.tile), row, dtype.itemsize)
    wide = emit_convert(frame.scalar, value, source, dtype)
    before = load_vector(b, place, dtype, frame.lanes)
    if reduction.rest is None:
        after = emit_op(frame.scalar, COMBINE[reduction.kind], (before, wide), (dtype, dtype), dtype)
    else:
        after, lost = frame.scalar.two_sum(before, wide)
        rest = at(b, frame.tile_pointer(reduction.rest), row, dtype.itemsize)
        more = frame.scalar.add(load_vector(b, rest, dtype, frame.lanes), lost)
        store_vector(b, more, rest, dtype)
    store_vector(b, after, place, dtype)


def _finish(frame: Frame, reduction: Reduction, columns: ir.Value, first: ir.Value) -> None:
    """The folds of a unit to their places among those of all units."""
    assert reduction.tile is not None
    b, dtype = frame.builder, frame.kernel.tiles[reduction.tile]
    target = frame.kernel.buffers[reduction.buffer].dtype
    source = frame.tile_pointer(reduction.tile)
    out = at(b, frame.pointer(reduction.buffer), first, target.itemsize)
    whole = b.and_(columns, word(-frame.lanes))
    for start, stop, lanes in ((word(0), whole, frame.lanes), (whole, columns, 1)):
        with counted_loop(b, start, stop, lanes, "finish") as column:
            value = load_vector(b, at(b, source, column, dtype.itemsize), dtype, lanes)
            if reduction.rest is not None:
                rest = at(b, frame.tile_pointer(reduction.rest), column, dtype.itemsize)
                value = with_rest(frame.scalar, value, load_vector(b, rest, dtype, lanes))
            value = emit_convert(frame.scalar, value, dtype, target)
            store_vector(b, value, at(b, out, column, target.itemsize), target)
