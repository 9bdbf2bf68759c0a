"""Reductions: fixed lanes inside a tile, tiles added up lane by lane, then a fixed tree over the lanes.

    for each unit:                        unit[lane] = identity
        for each tile:                    tile[lane] = identity
            for each vector i of rows:    tile[lane] = tile[lane] (op) value[i + lane], where the row counts
            unit[lane] = unit[lane] (op) tile[lane]
        partial[unit] = tree(unit[0], unit[1], …)

The order depends on the kernel alone. Two levels keep the error of a sum at that of pairwise summation: a
lane adds some thirty elements, then some tens of tiles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from llvmlite import ir

from fuse.codegen.conversions import as_bool_byte, emit_convert
from fuse.codegen.dtypes import I32, register_type, vector
from fuse.codegen.elementwise import emit_op
from fuse.codegen.frame import Frame, at, splat, tree_reduce
from fuse.codegen.scalar import Scalar
from fuse.ir.ops import identity
from fuse.plan.kernels import Map, Reduction

COMBINE = {
    "sum": "add", "prod": "multiply", "min": "minimum", "max": "maximum", "fmin": "fmin", "fmax": "fmax",
    "any": "bitwise_or", "all": "bitwise_and",
}  # fmt: skip


@dataclass(frozen=True)
class Accumulator:
    """Memory of a reduction's lanes; LLVM keeps it in registers."""

    reduction: Reduction
    source: np.dtype
    dtype: np.dtype
    unit: ir.Value
    tile: ir.Value
    rest: ir.Value | None


def accumulator_dtype(kind: str, dtype: np.dtype) -> np.dtype:
    """What the lanes hold: half precision adds up in single, booleans as bytes, dates as integers."""
    if dtype == np.float16:
        return np.dtype(np.float32)
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    return np.dtype(np.int64) if dtype.kind in "mM" else dtype


def make_accumulators(frame: Frame, stage: Map) -> list[Accumulator]:
    """Lanes for each reduction of a map."""
    found = []
    for reduction in stage.reductions:
        source = stage.body[reduction.value].dtype
        dtype = accumulator_dtype(reduction.kind, source)
        kind = vector(register_type(dtype), frame.lanes)
        unit, tile = frame.alloca(kind), frame.alloca(kind)
        rest = frame.alloca(kind) if reduction.kind == "sum" and dtype.kind == "f" else None
        found.append(Accumulator(reduction, source, dtype, unit, tile, rest))
    return found


def _identity(frame: Frame, accumulator: Accumulator) -> ir.Value:
    value = identity(accumulator.reduction.kind, accumulator.source).astype(accumulator.dtype)
    number = float(value) if accumulator.dtype.kind == "f" else int(value)
    adds_all = accumulator.reduction.predicate is None
    if accumulator.reduction.kind == "sum" and accumulator.dtype.kind == "f" and adds_all:
        number = -0.0  # so that a sum of negative zeros keeps its sign; a sum of no row at all is 0.0
    return frame.scalar.const(vector(register_type(accumulator.dtype), frame.lanes), number)


def _combine(frame: Frame, accumulator: Accumulator, left: ir.Value, right: ir.Value) -> ir.Value:
    dtype = accumulator.dtype
    return emit_op(frame.scalar, COMBINE[accumulator.reduction.kind], (left, right), (dtype, dtype), dtype)


def start_unit(frame: Frame, accumulators: list[Accumulator]) -> None:
    """unit[lane] = identity; rest[lane] = 0"""
    for accumulator in accumulators:
        start = _identity(frame, accumulator)
        frame.builder.store(start, accumulator.unit)
        if accumulator.rest is not None:
            frame.builder.store(frame.scalar.const(start, 0.0), accumulator.rest)


def start_tile(frame: Frame, accumulators: list[Accumulator]) -> None:
    """tile[lane] = identity"""
    for accumulator in accumulators:
        frame.builder.store(_identity(frame, accumulator), accumulator.tile)


def update(frame: Frame, accumulator: Accumulator, value: ir.Value, counts: ir.Value | None) -> None:
    """tile[lane] = tile[lane] (op) value, in the lanes of the mask `counts`, in all without one."""
    b, s = frame.builder, frame.scalar
    value = as_bool_byte(s, value) if accumulator.source.kind == "b" else value
    source = np.dtype(np.uint8) if accumulator.source.kind == "b" else accumulator.source
    wide = emit_convert(s, value, source, accumulator.dtype)
    masked = wide if counts is None else s.select(counts, wide, _identity(frame, accumulator))
    before = b.load(accumulator.tile, typ=masked.type)
    b.store(_combine(frame, accumulator, before, masked), accumulator.tile)


def finish_tile(frame: Frame, accumulators: list[Accumulator]) -> None:
    """unit[lane] = unit[lane] (op) tile[lane]; of a sum, what the addition rounded off goes to rest[lane]"""
    b = frame.builder
    for accumulator in accumulators:
        kind = vector(register_type(accumulator.dtype), frame.lanes)
        before, more = b.load(accumulator.unit, typ=kind), b.load(accumulator.tile, typ=kind)
        if accumulator.rest is None:
            b.store(_combine(frame, accumulator, before, more), accumulator.unit)
            continue
        total, lost = frame.scalar.two_sum(before, more)
        b.store(total, accumulator.unit)
        b.store(b.fadd(b.load(accumulator.rest, typ=kind), lost), accumulator.rest)


def finish_unit(frame: Frame, accumulators: list[Accumulator], unit: ir.Value) -> None:
    """partial[unit] = tree(unit[0], unit[1], …) + tree(rest[0], rest[1], …)"""
    b, s = frame.builder, frame.scalar
    for accumulator in accumulators:
        total = _tree(frame, accumulator, accumulator.unit)
        if accumulator.rest is not None:
            total = with_rest(s, total, _tree(frame, accumulator, accumulator.rest))
        result = frame.kernel.buffers[accumulator.reduction.buffer].dtype
        if accumulator.source.kind != "b":
            total = emit_convert(s, total, accumulator.dtype, result)
        b.store(total, at(b, frame.pointer(accumulator.reduction.buffer), unit, result.itemsize))


def _tree(frame: Frame, accumulator: Accumulator, memory: ir.Value) -> ir.Value:
    """Neighbouring lanes folded in pairs, all pairs at once, then pairs of pairs."""
    b = frame.builder
    lanes = b.load(memory, typ=vector(register_type(accumulator.dtype), frame.lanes))
    while lanes.type.count > 2 and lanes.type.count % 2 == 0:
        even, odd = (_every_second(b, lanes, first) for first in (0, 1))
        lanes = _combine(frame, accumulator, even, odd)
    parts = [b.extract_element(lanes, ir.Constant(I32, lane)) for lane in range(lanes.type.count)]
    return tree_reduce(parts, lambda left, right: _combine(frame, accumulator, left, right))


def _every_second(b: ir.IRBuilder, lanes: ir.Value, first: int) -> ir.Value:
    chosen = [ir.Constant(I32, lane) for lane in range(first, lanes.type.count, 2)]
    mask = ir.Constant(vector(I32, len(chosen)), chosen)
    return b.shuffle_vector(lanes, ir.Constant(lanes.type, ir.Undefined), mask)


def with_rest(s: Scalar, total: ir.Value, rest: ir.Value) -> ir.Value:
    """total + rest; an infinite or NaN total, whose rest means nothing, and a zero rest leave it as it is."""
    counts = s.and_(s.fcmp("<", s.abs(total), float("inf")), s.fcmp("!=", rest, 0.0))
    return s.select(counts, s.add(total, rest), total)


def row_mask(frame: Frame, row: ir.Value, rows: ir.Value) -> ir.Value:
    """The lanes of the vector at `row` that are rows of the tile."""
    b = frame.builder
    lanes = ir.Constant(vector(I32, frame.lanes), [ir.Constant(I32, i) for i in range(frame.lanes)])
    left = b.trunc(b.sub(rows, row), I32)
    return b.icmp_signed("<", lanes, splat(b, left, frame.lanes))
