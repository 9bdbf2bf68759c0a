"""Scans: every row gets the fold of all rows up to it.

Along the rows, a value is carried from vector to vector. Sums and products of floats go element by element,
as NumPy's do:

    for lane in lanes:                    carry = carry (op) value[lane];  result[lane] = carry

What may be regrouped (integers, minima, and and or) is folded within the vector by doubling:

    for distance in 1, 2, 4, …:           value[lane] = value[lane - distance] (op) value[lane]
    result = carry (op) value;            carry = result[last]

In a kernel of steps, each row has its own value, which stands in a tile from step to step.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from llvmlite import ir

from fuse.codegen.dtypes import I32, register_type, vector
from fuse.codegen.elementwise import emit_op
from fuse.codegen.frame import Frame, load_vector, splat, store_vector
from fuse.codegen.reductions import COMBINE
from fuse.ir.ops import scan_start
from fuse.plan.kernels import Instruction, Kernel, Map


def scans_of(kernel: Kernel) -> Iterator[Instruction]:
    """The scans of all maps of a kernel."""
    for stage in kernel.stages:
        if isinstance(stage, Map):
            yield from (instruction for instruction in stage.body if instruction.op == "scan")


def parts_of(instruction: Instruction) -> tuple[str, int | None]:
    """The kind of a scan, and the tile that carries its values."""
    assert isinstance(instruction.attr, tuple)
    kind, tile = instruction.attr
    return kind, tile


def start_of(frame: Frame, kind: str, dtype: np.dtype, lanes: int) -> ir.Value:
    """What a scan begins with, in every lane."""
    value = scan_start(kind, dtype)
    number = (
        float(value) if dtype.kind == "f" else int(value.astype(np.int64) if dtype.kind in "mM" else value)
    )
    return frame.scalar.const(vector(register_type(dtype), lanes), number)


def make_carries(frame: Frame) -> None:
    """Memory of the value that each scan along the rows carries; LLVM keeps it in a register."""
    for instruction in scans_of(frame.kernel):
        if parts_of(instruction)[1] is None:
            frame.carries[id(instruction)] = frame.alloca(vector(register_type(instruction.dtype), 1))


def start_unit(frame: Frame) -> None:
    """Carry nothing yet."""
    for instruction in scans_of(frame.kernel):
        kind, tile = parts_of(instruction)
        if tile is None:
            start = start_of(frame, kind, instruction.dtype, 1)
            frame.builder.store(start, frame.carries[id(instruction)])


def emit_step(frame: Frame, instruction: Instruction, value: ir.Value, place: ir.Value) -> ir.Value:
    """The scan of one step: its rows' values so far stand at `place`."""
    kind, _ = parts_of(instruction)
    before = load_vector(frame.builder, place, instruction.dtype, frame.lanes)
    after = _combine(frame, kind, instruction.dtype, before, value)
    store_vector(frame.builder, after, place, instruction.dtype)
    return after


def emit_along(frame: Frame, instruction: Instruction, value: ir.Value) -> ir.Value:
    """The scan of one vector of rows, behind those before."""
    kind, _ = parts_of(instruction)
    dtype, b = instruction.dtype, frame.builder
    memory = frame.carries[id(instruction)]
    carry = b.extract_element(b.load(memory, typ=vector(register_type(dtype), 1)), I32(0))
    is_ordered = kind in ("sum", "prod") and dtype.kind in "fc"
    emit = _one_by_one if is_ordered else _by_doubling
    result, last = emit(frame, kind, dtype, value, carry)
    b.store(splat(b, last, 1), memory)
    return result


def _combine(frame: Frame, kind: str, dtype: np.dtype, left: ir.Value, right: ir.Value) -> ir.Value:
    return emit_op(frame.scalar, COMBINE[kind], (left, right), (dtype, dtype), dtype)


def _one_by_one(
    frame: Frame, kind: str, dtype: np.dtype, value: ir.Value, carry: ir.Value
) -> tuple[ir.Value, ir.Value]:
    b = frame.builder
    result: ir.Value = ir.Constant(value.type, ir.Undefined)
    for lane in range(frame.lanes):
        carry = _combine(frame, kind, dtype, carry, b.extract_element(value, I32(lane)))
        result = b.insert_element(result, carry, I32(lane))
    return result, carry


def _by_doubling(
    frame: Frame, kind: str, dtype: np.dtype, value: ir.Value, carry: ir.Value
) -> tuple[ir.Value, ir.Value]:
    b, lanes = frame.builder, frame.lanes
    start = start_of(frame, kind, dtype, lanes)
    distance = 1
    while distance < lanes:
        moved = [I32(lane) for lane in range(lanes - distance, 2 * lanes - distance)]
        before = b.shuffle_vector(start, value, ir.Constant(vector(I32, lanes), moved))
        value = _combine(frame, kind, dtype, before, value)
        distance *= 2
    result = _combine(frame, kind, dtype, splat(b, carry, lanes), value)
    return result, b.extract_element(result, I32(lanes - 1))
