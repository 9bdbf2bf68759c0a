"""What every part of a kernel's code shares: the arguments, the scratch memory, where the current tile lies.

A kernel is `void kernel(int64* arguments, int64* control, int64 worker)`. The argument block has a row of
words for each buffer (pointer, length, outer strides, inner stride, in bytes) and then the scratch pointer,
the scratch bytes of a worker, the pointer of the counts that a filter leaves, one a unit, and two strides a
buffer for those that are read as matrices. The control block is described in `fuse/plan/kernels.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from llvmlite import ir

from fuse.codegen.dtypes import I8, I64, POINTER, alignment, memory_type, vector, word
from fuse.codegen.scalar import Scalar
from fuse.codegen.target import Target
from fuse.plan.kernels import Kernel, Layout, argument_words, tile_offset

_ALIGN = 64
FIXED_WORDS = 3
"""Words behind the buffers' rows: scratch pointer, scratch bytes a worker, pointer of the counts."""


@dataclass(frozen=True)
class Span:
    """Rows a stage runs over: how many, and the place of the first one in the inner axis or in the output."""

    rows: ir.Value
    origin: ir.Value


@dataclass
class Frame:
    """The state of emitting one kernel.

    unit: the number of the current unit; fixed: registers of the map being emitted, by number, that are the
    same for all rows of the unit and stand in front of the loop over its tiles; carries: memory of the values
    that scans carry along the rows, by the identity of the instruction.
    """

    kernel: Kernel
    layout: Layout
    builder: ir.IRBuilder
    scalar: Scalar
    target: Target
    entry: ir.IRBuilder
    arguments: ir.Value
    control: ir.Value
    scratch: ir.Value
    bases: list[ir.Value] = field(default_factory=list)
    uniforms: dict[int, ir.Value] = field(default_factory=dict)
    unit: ir.Value | None = None
    fixed: dict[int, ir.Value] = field(default_factory=dict)
    carries: dict[int, ir.Value] = field(default_factory=dict)

    @property
    def lanes(self) -> int:
        return self.kernel.schedule.lanes

    @property
    def is_whole(self) -> bool:
        """Whether every tile is known to be made of whole vectors."""
        return self.kernel.schedule.whole > 0 and self.kernel.schedule.whole % self.lanes == 0

    # Arguments

    def control_word(self, place: int) -> ir.Value:
        """A word of the control block that stays the same during a run, loaded at the kernel's entry."""
        return load_word(self.entry, self.control, place)

    def counts(self) -> ir.Value:
        """Where the number of survivors of each unit is written."""
        tail = len(self.kernel.buffers) * argument_words(self.layout)
        return self.entry.inttoptr(load_word(self.entry, self.arguments, tail + 2), POINTER)

    def argument(self, buffer: int, offset: int) -> ir.Value:
        """A word of a buffer's row in the argument block, loaded once at the kernel's entry."""
        place = buffer * argument_words(self.layout) + offset
        return load_word(self.entry, self.arguments, place)

    def pointer(self, buffer: int) -> ir.Value:
        """The start of a buffer's array."""
        return self.entry.inttoptr(self.argument(buffer, 0), POINTER)

    def length(self, buffer: int) -> ir.Value:
        """The number of elements along a buffer's first axis."""
        return self.argument(buffer, 1)

    def inner_stride(self, buffer: int) -> ir.Value:
        """Bytes between neighbours along the inner axis."""
        return self.argument(buffer, 2 + self.layout.outer_rank)

    def matrix_strides(self, buffer: int) -> tuple[ir.Value, ir.Value]:
        """Bytes between rows and between columns of a table; they stand at the end of the arguments."""
        tail = len(self.kernel.buffers) * argument_words(self.layout) + FIXED_WORDS
        place = tail + 2 * buffer
        return load_word(self.entry, self.arguments, place), load_word(self.entry, self.arguments, place + 1)

    # Tiles

    def tile_pointer(self, tile: int) -> ir.Value:
        """The start of a tile buffer."""
        return self.builder.gep(self.scratch, [word(tile_offset(self.kernel, tile))], source_etype=I8)

    def alloca(self, kind: ir.Type, name: str = "") -> ir.Value:
        """Memory of the kernel's own frame."""
        with self.builder.goto_entry_block():
            place = self.builder.alloca(kind, name=name)
        place.align = _ALIGN
        return place


def stack_block(b: ir.IRBuilder, size: int) -> ir.Value:
    """Bytes of the function's own frame, as aligned as any array."""
    with b.goto_entry_block():
        place = b.alloca(ir.ArrayType(I8, size))
    place.align, place.type = _ALIGN, POINTER  # what is stored here has many types
    return place


def load_word(b: ir.IRBuilder, block: ir.Value, place: int) -> ir.Value:
    """An int64 of a block."""
    return b.load(b.gep(block, [word(place)], source_etype=I64), typ=I64)


def store_word(b: ir.IRBuilder, value: ir.Value, block: ir.Value, place: int | ir.Value) -> None:
    """Write an int64 of a block."""
    index = word(place) if isinstance(place, int) else place
    b.store(value, b.gep(block, [index], source_etype=I64))


def load_vector(b: ir.IRBuilder, pointer: ir.Value, dtype: np.dtype, lanes: int) -> ir.Value:
    """Neighbouring elements as a register; bytes of bool become bits."""
    element = memory_type(dtype)
    value = b.load(pointer, typ=vector(element, lanes), align=alignment(dtype))
    return b.icmp_unsigned("!=", value, ir.Constant(value.type, None)) if dtype.kind == "b" else value


def store_vector(b: ir.IRBuilder, value: ir.Value, pointer: ir.Value, dtype: np.dtype) -> None:
    """The inverse of `load_vector`."""
    b.store(in_memory(b, value, dtype), pointer, align=alignment(dtype))


def stream_vector(b: ir.IRBuilder, value: ir.Value, pointer: ir.Value, dtype: np.dtype) -> None:
    """`store_vector` to an aligned place, in whole lines where the vector has them, past the caches."""
    size = value.type.count * dtype.itemsize
    store = b.store(in_memory(b, value, dtype), pointer, align=min(_ALIGN, size & -size))
    store.set_metadata("nontemporal", b.module.add_metadata([ir.Constant(ir.IntType(32), 1)]))


def in_memory(b: ir.IRBuilder, value: ir.Value, dtype: np.dtype) -> ir.Value:
    """A register in the form that memory holds."""
    return b.zext(value, vector(I8, value.type.count)) if dtype.kind == "b" else value


def at(b: ir.IRBuilder, base: ir.Value, index: ir.Value, size: int) -> ir.Value:
    """base + index * size bytes."""
    return b.gep(base, [index if size == 1 else b.mul(index, word(size))], source_etype=I8)


def lane_constants(lanes: int) -> ir.Constant:
    """0, 1, 2, … as int64 lanes."""
    return ir.Constant(vector(I64, lanes), [ir.Constant(I64, lane) for lane in range(lanes)])


def splat(b: ir.IRBuilder, value: ir.Value, lanes: int) -> ir.Value:
    """A scalar in all lanes."""
    kind = vector(value.type, lanes)
    first = b.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(vector(ir.IntType(32), lanes), None)
    return b.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)


def copy_function(module: ir.Module) -> ir.Function:
    """`void copy(to, from, bytes)` byte by byte: for the few elements of a last, partial vector."""
    if "copy" in module.globals:
        found: ir.Function = module.globals["copy"]
        return found
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER, POINTER, I64]), "copy")
    function.linkage = "internal"
    function.attributes.add("noinline")
    _fill_copy(function)
    return function


def copy_known(b: ir.IRBuilder, target: ir.Value, source: ir.Value, size: int) -> None:
    """Copy a few bytes, whose number is known, by a few moves."""
    kind = ir.FunctionType(ir.VoidType(), [POINTER, POINTER, I64, ir.IntType(1)])
    name = "llvm.memcpy.inline.p0.p0.i64"
    function = b.module.globals.get(name) or ir.Function(b.module, kind, name)
    b.call(function, [target, source, word(size), ir.Constant(ir.IntType(1), 0)])


def _fill_copy(function: ir.Function) -> None:
    from fuse.codegen.loops import counted_loop

    b = ir.IRBuilder(function.append_basic_block("entry"))
    target, source, count = function.args
    with counted_loop(b, word(0), count) as i:
        b.store(b.load(at(b, source, i, 1), typ=I8), at(b, target, i, 1))
    b.ret_void()


def tree_reduce(values: Sequence[ir.Value], combine: object) -> ir.Value:
    """Neighbours in pairs, then pairs of pairs: the fixed tree of a reduction."""
    level = list(values)
    while len(level) > 1:
        pairs = [combine(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]  # type: ignore[operator]  # a callable
        level = pairs + level[len(pairs) * 2 :]
    return level[0]
