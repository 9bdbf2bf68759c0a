"""The state of emitting one exported program: the lengths known so far, where values lie, how to leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from llvmlite import ir

from fuse.codegen.dtypes import I8, I32, I64, POINTER, word
from fuse.codegen.frame import load_word, store_word
from fuse.codegen.loops import minimum
from fuse.codegen.target import Target
from fuse.export.arena import Arena
from fuse.export.program import Blocks, Program, Start, Value
from fuse.ir.types import Bounds, Dim, SizeOf
from fuse.plan.kernels import ERROR

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
            assert length is not None
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
            base: ir.Value = self.tables[value.number]
        elif value.memory == "input":
            base = b.inttoptr(load_word(b, self.words, 2 * value.number), POINTER)
        else:
            base = self.temporaries[value.number]
        for start in value.starts:
            first = self.number(start.length, b)
            if isinstance(start, Start):
                first = _slice_start(b, first, start.bounds)
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
        b.cbranch(condition, stop, after)
        b.position_at_end(stop)
        b.store(ir.Constant(I32, status), self.status)
        b.branch(self.leave)
        b.position_at_end(after)

    def fail(self) -> None:
        """An index lay outside its table; the run goes on, and its end says so."""
        store_word(self.b, word(1), self.control, ERROR)


def _slice_start(b: ir.IRBuilder, length: ir.Value, bounds: Bounds) -> ir.Value:
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


def _slice_length(b: ir.IRBuilder, length: ir.Value, bounds: Bounds) -> ir.Value:
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


def copy_bytes(b: ir.IRBuilder, target: ir.Value, source: ir.Value, size: ir.Value) -> None:
    kind = ir.FunctionType(ir.VoidType(), [POINTER, POINTER, I64, ir.IntType(1)])
    name = "llvm.memcpy.p0.p0.i64"
    function = b.module.globals.get(name) or ir.Function(b.module, kind, name)
    b.call(function, [target, source, size, ir.Constant(ir.IntType(1), 0)])
