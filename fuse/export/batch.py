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

from collections.abc import Sequence
from dataclasses import dataclass, field

from llvmlite import ir

from fuse.codegen.dtypes import I8, I32, I64, POINTER, word
from fuse.codegen.frame import Frame, load_word, stack_block, store_word
from fuse.codegen.kernel import emit_unit, make_accumulators
from fuse.codegen.loops import counted_loop, when
from fuse.codegen.scalar import Scalar
from fuse.codegen.target import Target
from fuse.export.arena import Arena
from fuse.export.loops import LOOPS
from fuse.export.program import Allocate, Program, RunKernel, Step
from fuse.export.run import CHECK, DONE, NO_MEMORY, OUTSIDE, Run, copy_bytes
from fuse.plan.kernels import BLOCKS, CONTROL_WORDS, ERROR, INNER, OFFSET, SEQUENTIAL, STEP_BLOCKS, STREAM


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
        if place in (SEQUENTIAL, STEP_BLOCKS):
            return word(1)
        if place == STREAM:
            return word(0)
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


def _emit_step(run: Run, step: Step) -> None:
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
        for length in step.outer[:-1] if kernel.schedule.steps else step.outer:
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


def result_words(program: Program, checks: Sequence[Check]) -> list[int]:
    """Where each result that is no check begins in the block of results."""
    checked, places, place = {check.output for check in checks}, [], 0
    for number, value in enumerate(program.outputs):
        if number not in checked:
            places.append(place)
            place += 1 + len(value.shape)
    return [*places, place]
