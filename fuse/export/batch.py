"""An exported program as one function: `i32 batch(words, lengths, results)`.

words: for each input two int64, its address and, of text, that of its bytes; lengths: an int64 for each
symbol of the program; results: for each output an int64 for its address and one for every axis, filled in
when the function returns DONE. Every other status says what went wrong.

batch(words, lengths, results):
    for step in steps:
        Allocate: take memory, return NO_MEMORY when there is none
        RunKernel: its units one after the other, unless there is nothing to do
        Combine, Count, Compress, …: their loops                     (fuse/export/loops.py)
    return OUTSIDE when an index lay outside its table
    for check in checks: return CHECK + its number when its output is not what it must be
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from llvmlite import ir

from fuse.codegen.dtypes import I8, I32, I64, POINTER, memory_type, word
from fuse.codegen.frame import Frame, load_word, stack_block, store_word
from fuse.codegen.kernel import emit_unit, make_accumulators
from fuse.codegen.loops import counted_loop, minimum, when
from fuse.codegen.scalar import Scalar
from fuse.codegen.target import Target
from fuse.export.arena import Arena
from fuse.export.program import Allocate, Blocks, Operand, Program, RunKernel, Value
from fuse.ir.types import Count as CountDim
from fuse.ir.types import Dim, SizeOf
from fuse.plan.kernels import BLOCKS, CONTROL_WORDS, ERROR, INNER, OFFSET, SEQUENTIAL

if TYPE_CHECKING:
    from collections.abc import Iterator

DONE, NO_MEMORY, OUTSIDE, EMPTY, CHECK = 0, 1, 2, 3, 16
"""The status of a run: an index outside its table; the best of no values; from CHECK on, a check."""


@dataclass
class Run:
    """The function being emitted, and what is known at the builder's position."""

    b: ir.IRBuilder
    target: Target
    program: Program
    tables: Sequence[ir.GlobalVariable]
    arena: Arena
    words: ir.Value
    lengths: ir.Value
    control: ir.Value
    status: ir.Value
    leave: ir.Block
    known: dict[int, ir.Value] = field(default_factory=dict)
    temporaries: dict[int, ir.Value] = field(default_factory=dict)

    # Lengths

    def number(self, value: int, b: ir.IRBuilder | None = None) -> ir.Value:
        """A number of the program, with what its primes stand for."""
        b = b or self.b
        constant, primes = self.program.lengths.factors(value)
        found: ir.Value | None = None
        for prime in primes:
            found = self.known[prime] if found is None else b.mul(found, self.known[prime])
        if found is None:
            return word(constant)
        return found if constant == 1 else b.mul(found, word(constant))

    def learn(self, prime: int, value: ir.Value) -> None:
        """A length became known, and with it those that are computed from it."""
        self.known[prime] = value
        self.compute_sizes()

    def compute_sizes(self) -> None:
        """Lengths by arithmetic over others, as soon as those are known."""
        pending = True
        while pending:
            pending = False
            for prime, dim in list(self.program.lengths.dims.items()):
                if prime not in self.known and isinstance(dim, SizeOf) and self._is_known(dim):
                    self.known[prime] = self._size(dim)
                    pending = True

    def _is_known(self, dim: Dim | None) -> bool:
        if isinstance(dim, SizeOf):
            return all(map(self._is_known, dim.operands))
        if dim is None or isinstance(dim, int):
            return True
        return all(p in self.known for p in self.program.lengths.factors(self.program.lengths[dim])[1])

    def _dim(self, dim: Dim) -> ir.Value:
        if isinstance(dim, SizeOf) and dim.function != "multiply":
            return self._size(dim)
        return self.number(self.program.lengths[dim])

    def _size(self, dim: SizeOf) -> ir.Value:
        b = self.b
        if dim.function == "slice":
            length, start, stop, step = dim.operands
            assert length is not None and not isinstance(length, type(None))
            return _slice_length(b, self._dim(length), (start, stop, step))  # type: ignore[arg-type]  # bounds are ints
        values = [self._dim(operand) for operand in dim.operands if operand is not None]
        if dim.function == "divide":
            size, divisor = values
            is_zero = b.icmp_signed("==", divisor, word(0))
            return b.select(is_zero, word(0), b.sdiv(size, b.select(is_zero, word(1), divisor)))
        total = values[0]
        for value in values[1:]:
            total = b.add(total, value)
        return total

    def blocks(self, blocks: Blocks) -> ir.Value:
        """How many blocks there are."""
        b = self.b
        count = b.sdiv(b.add(self.number(blocks.length), word(blocks.block - 1)), word(blocks.block))
        return count if blocks.outer == 1 else b.mul(count, self.number(blocks.outer))

    # Memory

    def pointer(self, value: Value, b: ir.IRBuilder | None = None) -> ir.Value:
        """The address of an array's first element."""
        b = b or self.b
        if value.memory == "table":
            base: ir.Value = b.bitcast(self.tables[value.number], POINTER)
        elif value.memory == "input":
            base = b.inttoptr(load_word(b, self.words, 2 * value.number), POINTER)
        else:
            base = self.temporaries[value.number]
        for start in value.starts:
            first = _slice_start(b, self.number(start.length, b), start.bounds)
            base = b.gep(base, [b.mul(first, self.number(start.stride, b))], source_etype=I8)
        return base

    def text(self, value: Value, b: ir.IRBuilder) -> ir.Value:
        """Where the bytes of a text column lie."""
        return b.inttoptr(load_word(b, self.words, 2 * value.number + 1), POINTER)

    def allocate(self, number: int, size: ir.Value) -> None:
        """A temporary of so many bytes."""
        place = self.arena.allocate(self.b, size)
        self.stop_if(self.b.icmp_unsigned("==", place, ir.Constant(POINTER, None)), NO_MEMORY)
        self.temporaries[number] = place

    # Leaving

    def stop_if(self, condition: ir.Value, status: int) -> None:
        """Return the status when the condition holds."""
        b = self.b
        stop, after = b.append_basic_block("stop"), b.append_basic_block("on")
        b.cbranch(condition, stop, after, )
        b.position_at_end(stop)
        b.store(ir.Constant(I32, status), self.status)
        b.branch(self.leave)
        b.position_at_end(after)

    def fail(self) -> None:
        """An index lay outside its table; the run goes on, and its end says so."""
        store_word(self.b, word(1), self.control, ERROR)


def _slice_start(b: ir.IRBuilder, length: ir.Value, bounds: tuple[int | None, int | None, int | None]) -> ir.Value:
    """The first index of a slice, as `slice.indices` has it."""
    start, _, step = bounds
    forward = step is None or step > 0
    if start is None:
        return word(0) if forward else b.sub(length, word(1))
    low, high = (word(0), length) if forward else (word(-1), b.sub(length, word(1)))
    found = word(start) if start >= 0 else b.add(length, word(start))
    return _clipped(b, found, low, high)


def _clipped(b: ir.IRBuilder, value: ir.Value, low: ir.Value, high: ir.Value) -> ir.Value:
    value = b.select(b.icmp_signed("<", value, low), low, value)
    return minimum(b, value, high)


def _slice_length(
    b: ir.IRBuilder, length: ir.Value, bounds: tuple[int | None, int | None, int | None]
) -> ir.Value:
    """The number of elements of a slice."""
    _, stop, step = bounds
    step = 1 if step is None else step
    forward = step > 0
    first = _slice_start(b, length, bounds)
    low, high = (word(0), length) if forward else (word(-1), b.sub(length, word(1)))
    if stop is None:
        last = length if forward else word(-1)
    else:
        last = _clipped(b, word(stop) if stop >= 0 else b.add(length, word(stop)), low, high)
    distance = b.sub(last, first) if forward else b.sub(first, last)
    count = b.sdiv(b.add(distance, word(abs(step) - 1)), word(abs(step)))
    return b.select(b.icmp_signed(">", distance, word(0)), count, word(0))


@dataclass
class BatchFrame(Frame):
    """A frame whose arguments are values of the function around the kernel."""

    step: RunKernel = field(kw_only=True)
    run: Run = field(kw_only=True)
    survivors: ir.Value = field(kw_only=True)

    def control_word(self, place: int) -> ir.Value:
        step, run = self.step, self.run
        if place == INNER:
            return run.number(step.inner, self.entry)
        if place == BLOCKS:
            block = self.kernel.schedule.block
            inner = run.number(step.inner, self.entry)
            return self.entry.sdiv(self.entry.add(inner, word(block - 1)), word(block))
        if place == SEQUENTIAL:
            return word(1)
        return run.number(step.outer[place - CONTROL_WORDS], self.entry)

    def counts(self) -> ir.Value:
        return self.survivors

    def argument(self, buffer: int, offset: int) -> ir.Value:
        return self.run.number(self.step.operands[buffer].strides[offset - 2], self.entry)

    def pointer(self, buffer: int) -> ir.Value:
        operand = self.step.operands[buffer]
        if operand.part == "data":
            return self.run.text(operand.value, self.entry)
        return self.run.pointer(operand.value, self.entry)

    def length(self, buffer: int) -> ir.Value:
        shape = self.step.operands[buffer].value.shape
        return self.run.number(shape[0] if shape else 1, self.entry)

    def matrix_strides(self, buffer: int) -> tuple[ir.Value, ir.Value]:
        rows, columns = (*self.step.operands[buffer].value.strides[:2], 0, 0)[:2]
        return self.run.number(rows, self.entry), self.run.number(columns, self.entry)


@dataclass(frozen=True)
class Check:
    """Output `output` must have these bytes."""

    output: int
    expected: bytes


def emit_batch(
    module: ir.Module,
    program: Program,
    checks: Sequence[Check],
    target: Target,
    tables: Sequence[ir.GlobalVariable],
    arena: Arena,
    copies: bool,
) -> ir.Function:
    """The function `batch` of a program; see above. copies: results go to the addresses that `results` holds,
    instead of their addresses going there.
    """
    function = ir.Function(module, ir.FunctionType(I32, [POINTER, POINTER, POINTER]), "batch")
    function.linkage = "internal"
    function.attributes.add("noinline")
    stack, start, leave = (function.append_basic_block(name) for name in ("stack", "start", "leave"))
    ir.IRBuilder(stack).branch(start)
    b = ir.IRBuilder(start)
    words, lengths, results = function.args
    run = Run(
        b, target, program, tables, arena, words, lengths, stack_block(b, 8 * CONTROL_WORDS),
        stack_block(b, 4), leave,
    )  # fmt: skip
    b.store(ir.Constant(I32, DONE), run.status)
    store_word(b, word(0), run.control, ERROR)
    arena.start(b)
    for number, prime in enumerate(program.symbols):
        run.known[prime] = load_word(b, lengths, number)
    run.compute_sizes()
    for step in program.steps:
        _emit_step(run, step)
    _emit_end(run, checks, results, copies)
    b.position_at_end(leave)
    arena.release(b)
    b.ret(b.load(run.status, typ=I32))
    return function


def _emit_step(run: Run, step: object) -> None:
    from fuse.export.loops import LOOPS

    if isinstance(step, Allocate):
        size = run.number(step.size)
        size = size if step.blocks is None else run.b.mul(size, run.blocks(step.blocks))
        run.allocate(step.number, size)
    elif isinstance(step, RunKernel):
        _emit_kernel(run, step)
    else:
        LOOPS[type(step)](run, step)


def _emit_kernel(run: Run, step: RunKernel) -> None:
    """The units of a kernel one after the other, in blocks of code of their own."""
    b, kernel = run.b, step.kernel
    survivors = stack_block(b, 8)
    store_word(b, word(0), run.control, OFFSET)
    total = run.number(step.inner)
    for length in step.outer:
        total = b.mul(total, run.number(length))
    scratch: ir.Value = ir.Constant(POINTER, None)
    if step.scratch:
        scratch = run.arena.allocate(b, word(step.scratch))
        run.stop_if(b.icmp_unsigned("==", scratch, ir.Constant(POINTER, None)), NO_MEMORY)
    with when(b, b.icmp_signed(">", total, word(0)), "kernel"):
        entry, start = (b.append_basic_block(name) for name in ("kernel.entry", "kernel.start"))
        b.branch(entry)
        b.position_at_end(start)
        frame = BatchFrame(
            kernel, step.layout, b, Scalar(b, run.target.fma), run.target, ir.IRBuilder(entry), run.control,
            run.control, scratch, step=step, run=run, survivors=survivors,
        )  # fmt: skip
        units = frame.control_word(BLOCKS)
        for length in step.outer:
            units = frame.entry.mul(units, run.number(length, frame.entry))
        accumulators = make_accumulators(frame)
        with counted_loop(b, word(0), units, 1, "unit") as unit:
            emit_unit(frame, unit, accumulators)
        frame.entry.branch(start)
    if step.kept:
        run.learn(step.kept, load_word(b, run.control, OFFSET))


# The end


def _emit_end(run: Run, checks: Sequence[Check], results: ir.Value, copies: bool) -> None:
    b, outputs = run.b, run.program.outputs
    failed = load_word(b, run.control, ERROR)
    run.stop_if(b.icmp_signed("!=", failed, word(0)), OUTSIDE)
    for number, check in enumerate(checks):
        pointer = run.pointer(outputs[check.output])
        differs: ir.Value = ir.Constant(ir.IntType(1), 0)
        for place, byte in enumerate(check.expected):
            found = b.load(b.gep(pointer, [word(place)], source_etype=I8), typ=I8)
            differs = b.or_(differs, b.icmp_unsigned("!=", found, ir.Constant(I8, byte)))
        run.stop_if(differs, CHECK + number)
    place = 0
    checked = {check.output for check in checks}
    for number, value in enumerate(outputs):
        if number in checked:
            continue
        source = run.pointer(value)
        if copies:
            target = b.inttoptr(load_word(b, results, place), POINTER)
            copy_bytes(b, target, source, run.number(value.size * value.itemsize))
        else:
            store_word(b, b.ptrtoint(source, I64), results, place)
        for axis, length in enumerate(value.shape):
            store_word(b, run.number(length), results, place + 1 + axis)
        place += 1 + len(value.shape)
    b.branch(run.leave)


def copy_bytes(b: ir.IRBuilder, target: ir.Value, source: ir.Value, size: ir.Value) -> None:
    kind = ir.FunctionType(ir.VoidType(), [POINTER, POINTER, I64, ir.IntType(1)])
    name = "llvm.memcpy.p0.p0.i64"
    function = b.module.globals.get(name) or ir.Function(b.module, kind, name)
    b.call(function, [target, source, size, ir.Constant(ir.IntType(1), 0)])


def result_words(program: Program, checks: Sequence[Check]) -> list[int]:
    """Where each result that is no check begins in the block of results."""
    checked, places, place = {check.output for check in checks}, [], 0
    for number, value in enumerate(program.outputs):
        if number not in checked:
            places.append(place)
            place += 1 + len(value.shape)
    return [*places, place]
