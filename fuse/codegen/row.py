"""A row program as one function: `i64 run(inputs, temporaries)`, every address and every length a constant.

run(inputs, temporaries):
    for step in steps:
        a kernel: its units one after the other; when it filters and the row is dropped, return FILTERED
        Keep: when the mask is false, return FILTERED
        Take, Extremum, Product: their loops
    return FAILED when an index lay outside its table, else KEPT

The stages are those of the batch kernels (`Frame` stands between them and the memory), so the bits are the
same. Rows, strides and places are constants, from which LLVM makes straight-line code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from llvmlite import ir

from fuse.codegen.conversions import emit_convert
from fuse.codegen.dtypes import I8, I64, POINTER, memory_type, register_type, vector, word
from fuse.codegen.elementwise import emit_op
from fuse.codegen.frame import Frame, load_vector, splat, stack_block, store_vector, store_word
from fuse.codegen.kernel import emit_unit, make_accumulators
from fuse.codegen.loops import counted_loop
from fuse.codegen.scalar import Scalar
from fuse.codegen.target import Target
from fuse.plan.kernels import (
    BLOCKS,
    CONTROL_WORDS,
    ERROR,
    INNER,
    OFFSET,
    SEQUENTIAL,
    STEP_BLOCKS,
    Map,
)
from fuse.plan.row_program import Extremum, Keep, Place, Product, RowProgram, RunKernel, Take

PASSED, FILTERED, FAILED = range(3)
_TEXT_DATA = 16
"""Where the address of a text's bytes stands in its input."""


@dataclass
class Memories:
    """The blocks of a run: addresses of inputs and temporaries, and the global with address and length of
    each table.
    """

    inputs: ir.Value
    temporaries: ir.Value
    tables: ir.GlobalVariable

    def at(self, b: ir.IRBuilder, place: Place) -> ir.Value:
        """The address of a place's first element."""
        if place.memory == "table":
            base = b.inttoptr(self.table_word(b, place.table, 0), POINTER)
        else:
            base = self.inputs if place.memory == "input" else self.temporaries
        return b.gep(base, [word(place.offset)], source_etype=I8) if place.offset else base

    def table_word(self, b: ir.IRBuilder, table: int, part: int) -> ir.Value:
        """The address (part 0) or the length (part 1) of a table."""
        return b.load(b.gep(self.tables, [word(2 * table + part)], source_etype=I64), typ=I64)


@dataclass
class RowFrame(Frame):
    """A frame whose arguments are known: what a batch kernel loads from its blocks is a constant here."""

    step: RunKernel = field(kw_only=True)
    memories: Memories = field(kw_only=True)
    survivors: ir.Value = field(kw_only=True)

    def control_word(self, place: int) -> ir.Value:
        step = self.step
        known = {INNER: step.inner, BLOCKS: -(-step.inner // self.kernel.schedule.block), SEQUENTIAL: 1}
        known[STEP_BLOCKS] = 1
        known |= {CONTROL_WORDS + axis: length for axis, length in enumerate(step.outer)}
        return word(known[place])

    def counts(self) -> ir.Value:
        return self.survivors

    def argument(self, buffer: int, offset: int) -> ir.Value:
        return word(self.step.operands[buffer].strides[offset - 2])

    def pointer(self, buffer: int) -> ir.Value:
        operand, b = self.step.operands[buffer], self.entry
        start = self.memories.at(b, operand.place)
        if operand.part != "data":
            return start
        return b.load(b.gep(start, [word(_TEXT_DATA)], source_etype=I8), typ=POINTER)

    def length(self, buffer: int) -> ir.Value:
        place = self.step.operands[buffer].place
        if place.memory == "table" and not place.is_view:
            return self.memories.table_word(self.entry, place.table, 1)
        return word(place.shape[0] if place.shape else 1)

    def matrix_strides(self, buffer: int) -> tuple[ir.Value, ir.Value]:
        rows, columns = (*self.step.operands[buffer].place.strides[:2], 0, 0)[:2]
        return word(rows), word(columns)


@dataclass
class _Run:
    """The function being emitted."""

    b: ir.IRBuilder
    target: Target
    memories: Memories
    control: ir.Value

    @property
    def function(self) -> ir.Function:
        return self.b.function

    def stop_unless(self, goes_on: ir.Value, status: int) -> None:
        """Return the status when the condition does not hold."""
        with self.b.if_then(self.b.not_(goes_on), likely=False):
            self.b.ret(word(status))


def emit_run(
    module: ir.Module,
    program: RowProgram,
    target: Target,
    memories: Callable[[ir.Value, ir.Value], Memories],
) -> ir.Function:
    """The function `run` of a row program in the module; see above. `memories` makes the memories of the
    addresses of the two blocks.
    """
    function = ir.Function(module, ir.FunctionType(I64, [POINTER, POINTER]), "run")
    function.linkage = "internal"
    for argument in function.args:
        argument.add_attribute("noalias")
    stack, start = (function.append_basic_block(name) for name in ("stack", "start"))
    ir.IRBuilder(stack).branch(start)
    b = ir.IRBuilder(start)
    inputs, temporaries = function.args
    run = _Run(b, target, memories(inputs, temporaries), stack_block(b, 8 * CONTROL_WORDS))
    store_word(b, word(0), run.control, ERROR)
    for step in program.steps:
        match step:
            case RunKernel():
                _emit_kernel(run, step)
            case Keep(mask):
                kept = b.load(run.memories.at(b, mask), typ=I8)
                run.stop_unless(b.icmp_unsigned("!=", kept, ir.Constant(I8, 0)), FILTERED)
            case Take():
                _emit_take(run, step)
            case Extremum():
                _emit_extremum(run, step)
            case Product():
                _emit_product(run, step)
    failed = b.load(b.gep(run.control, [word(ERROR)], source_etype=I64), typ=I64)
    b.ret(b.select(b.icmp_signed("!=", failed, word(0)), word(FAILED), word(PASSED)))
    return function


# Kernels


def _emit_kernel(run: _Run, step: RunKernel) -> None:
    """The units of a kernel one after the other, in blocks of code of their own."""
    b, kernel = run.b, step.kernel
    entry, start = (run.function.append_basic_block(name) for name in ("kernel", "kernel.start"))
    b.branch(entry)
    b.position_at_end(start)
    scratch = stack_block(b, step.scratch) if step.scratch else ir.Constant(POINTER, None)
    frame = RowFrame(
        kernel, step.layout, b, Scalar(b, run.target.fma), run.target, ir.IRBuilder(entry), run.control,
        run.control, scratch, step=step, memories=run.memories, survivors=stack_block(b, 8),
    )  # fmt: skip
    store_word(b, word(0), run.control, OFFSET)
    outer = step.outer[:-1] if kernel.schedule.steps else step.outer
    units = int(np.prod(outer, dtype=np.int64)) * -(-step.inner // kernel.schedule.block)
    accumulators = make_accumulators(frame)
    if units == 1:
        emit_unit(frame, word(0), accumulators)
    else:
        with counted_loop(b, word(0), word(units), 1, "unit") as unit:
            emit_unit(frame, unit, accumulators)
    frame.entry.branch(start)
    if any(isinstance(stage, Map) and stage.compaction is not None for stage in kernel.stages):
        kept = b.load(frame.survivors, typ=I64)
        run.stop_unless(b.icmp_signed("!=", kept, word(0)), FILTERED)


# Steps that have no kernel


def _emit_take(run: _Run, step: Take) -> None:
    """Indices as in the gather of a kernel: "raise" counts negative ones from the end and fails outside."""
    b, s, table = run.b, Scalar(run.b, run.target.fma), step.table
    size = table.itemsize * int(np.prod(table.shape[1:], dtype=np.int64))
    length = run.memories.table_word(b, table.table, 1) if table.memory == "table" else word(table.shape[0])
    source, indices, target = (run.memories.at(b, place) for place in (table, step.indices, step.result))
    with counted_loop(b, word(0), word(step.indices.size), 1, "take") as i:
        address = b.gep(indices, [b.mul(i, word(step.indices.itemsize))], source_etype=I8)
        found = _load(b, address, step.indices.dtype)
        index = emit_convert(s, found, step.indices.dtype, np.dtype(np.int64))
        below = b.icmp_signed("<", index, word(0))
        if step.mode == "raise":
            index = b.select(below, b.add(index, length), index)
            outside = b.icmp_unsigned(">=", index, length)
            with b.if_then(outside, likely=False):
                store_word(b, word(1), run.control, ERROR)
            index = b.select(outside, word(0), index)
        else:
            last = b.sub(length, word(1))
            index = b.select(below, word(0), b.select(b.icmp_signed(">", index, last), last, index))
        with counted_loop(b, word(0), word(size), 1, "byte") as byte:
            item = b.load(b.gep(source, [b.add(b.mul(index, word(size)), byte)], source_etype=I8), typ=I8)
            b.store(item, b.gep(target, [b.add(b.mul(i, word(size)), byte)], source_etype=I8))


def _load(b: ir.IRBuilder, address: ir.Value, dtype: np.dtype) -> ir.Value:
    value = b.load(address, typ=memory_type(dtype), align=dtype.itemsize)
    return b.icmp_unsigned("!=", value, ir.Constant(I8, 0)) if dtype.kind == "b" else value


def _emit_extremum(run: _Run, step: Extremum) -> None:
    """The first of the best elements, and the first NaN before all others, as NumPy has it."""
    b, source = run.b, step.source
    kept = [axis for axis in range(len(source.shape)) if axis != step.axis]
    lengths, strides = [source.shape[a] for a in kept], [source.strides[a] for a in kept]
    base, target = run.memories.at(b, source), run.memories.at(b, step.result)
    with counted_loop(b, word(0), word(step.result.size), 1, "extremum") as number:
        row = b.gep(base, [_offset(b, number, lengths, strides)], source_etype=I8)
        best = _emit_best(run, step, row)
        place = b.gep(target, [b.mul(number, word(step.result.itemsize))], source_etype=I8)
        b.store(best, place)


def _offset(b: ir.IRBuilder, number: ir.Value, lengths: list[int], strides: list[int]) -> ir.Value:
    """Where element `number`, counted in C order, lies."""
    offset: ir.Value = word(0)
    for length, stride in zip(reversed(lengths), reversed(strides), strict=True):
        rest = b.udiv(number, word(length))
        offset = b.add(offset, b.mul(b.sub(number, b.mul(rest, word(length))), word(stride)))
        number = rest
    return offset


def _emit_best(run: _Run, step: Extremum, row: ir.Value) -> ir.Value:
    b, s, dtype = run.b, Scalar(run.b, run.target.fma), step.source.dtype
    length, stride = step.source.shape[step.axis], step.source.strides[step.axis]
    value, place = stack_block(b, 8), stack_block(b, 8)
    b.store(b.load(row, typ=memory_type(dtype), align=dtype.itemsize), value)
    b.store(word(0), place)
    relation = "less" if step.kind == "argmin" else "greater"
    with counted_loop(b, word(1), word(length), 1, "candidate") as i:
        address = b.gep(row, [b.mul(i, word(stride))], source_etype=I8)
        new, old = _load(b, address, dtype), _load(b, value, dtype)
        better = emit_op(s, relation, (new, old), (dtype, dtype), np.dtype(bool))
        if dtype.kind == "f":
            new_nan, old_nan = (emit_op(s, "isnan", (v,), (dtype,), np.dtype(bool)) for v in (new, old))
            better = b.and_(b.or_(better, new_nan), b.not_(old_nan))
        with b.if_then(better):
            b.store(b.load(address, typ=memory_type(dtype), align=dtype.itemsize), value)
            b.store(i, place)
    return b.load(place, typ=I64)


def _emit_product(run: _Run, step: Product) -> None:
    """Groups of outputs in registers side by side; weights that do not lie so are read one by one."""
    b, s = run.b, Scalar(run.b, run.target.fma)
    (rows, inner), columns = step.left.shape, step.right.shape[1]
    width = 32 // step.result.itemsize * 2
    is_dense = step.right.strides[1] == step.right.itemsize
    left, right, result = (run.memories.at(b, place) for place in (step.left, step.right, step.result))
    with counted_loop(b, word(0), word(rows), 1, "row") as row:
        first = 0
        while first < columns:
            lanes = width if is_dense and first + width <= columns else 1
            count = (columns - first) // lanes if lanes > 1 or not is_dense else columns - first
            with counted_loop(b, word(0), word(count), 1, "group") as group:
                column = b.add(word(first), b.mul(group, word(lanes)))
                at_left = b.gep(left, [b.mul(row, word(step.left.strides[0]))], source_etype=I8)
                at_right = b.gep(right, [b.mul(column, word(step.right.strides[1]))], source_etype=I8)
                at_result = b.add(
                    b.mul(row, word(step.result.strides[0])), b.mul(column, word(step.result.itemsize))
                )
                sums = _emit_sums(b, s, step, (at_left, at_right), inner, lanes)
                store_vector(b, sums, b.gep(result, [at_result], source_etype=I8), step.result.dtype)
            first += count * lanes


def _emit_sums(
    b: ir.IRBuilder, s: Scalar, step: Product, at: tuple[ir.Value, ir.Value], inner: int, lanes: int
) -> ir.Value:
    dtype = step.result.dtype
    kind = vector(register_type(dtype), lanes)
    sums = stack_block(b, dtype.itemsize * lanes)
    b.store(ir.Constant(kind, None), sums)
    with counted_loop(b, word(0), word(inner), 1, "k") as k:
        places = (step.left.strides[1], step.right.strides[0])
        left, right = (
            b.gep(base, [b.mul(k, word(stride))], source_etype=I8)
            for base, stride in zip(at, places, strict=True)
        )
        factor = splat(b, b.load(left, typ=register_type(dtype), align=dtype.itemsize), lanes)
        weights = load_vector(b, right, dtype, lanes)
        b.store(s.muladd(factor, weights, b.load(sums, typ=kind)), sums)
    return b.load(sums, typ=kind)
