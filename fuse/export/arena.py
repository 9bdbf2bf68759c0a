"""Where exported code gets its working memory.

In a WebAssembly module memory is one growing block: room is taken from its end on, and what a run took is
free again when the next one starts. In a library it comes from `malloc`, each block linked to the one before,
and is given back before the run returns, so that runs on several threads do not meet.
"""

from __future__ import annotations

from typing import Protocol

from llvmlite import ir

from fuse.codegen.dtypes import I8, I32, I64, POINTER, word
from fuse.codegen.frame import stack_block

_ALIGN = 64
_VOID = ir.VoidType()
_PAGE_BITS = 16


class Arena(Protocol):
    """Memory for one run."""

    def start(self, b: ir.IRBuilder) -> None:
        """At the entry of the run."""

    def allocate(self, b: ir.IRBuilder, size: ir.Value) -> ir.Value:
        """Room for so many bytes and 64 more, aligned to 64; null when there is none."""

    def release(self, b: ir.IRBuilder) -> None:
        """At the end of the run."""


class GrowingMemory:
    """Room from the end of the memory of a WebAssembly module.

    top: the first free byte; mark: the first one that is free between two runs.
    """

    def __init__(self, module: ir.Module) -> None:
        self.module = module
        self.top, self.mark = (_counter(module, name) for name in ("memory.top", "memory.mark"))
        self._allocate = ir.Function(module, ir.FunctionType(POINTER, [I64]), "memory.allocate")
        self._allocate.linkage = "internal"
        self._fill(self._allocate)

    def start(self, b: ir.IRBuilder) -> None:
        b.store(b.load(self.mark, typ=I64), self.top)

    def allocate(self, b: ir.IRBuilder, size: ir.Value) -> ir.Value:
        return b.call(self._allocate, [size])

    def release(self, b: ir.IRBuilder) -> None:
        """What was computed stays readable until the next run."""

    def _fill(self, function: ir.Function) -> None:
        b = ir.IRBuilder(function.append_basic_block("entry"))
        start = self._first_free(b)
        end = b.add(start, aligned(b, b.add(function.args[0], word(_ALIGN))))
        size = ir.Function(self.module, ir.FunctionType(I32, [I32]), "llvm.wasm.memory.size.i32")
        grow = ir.Function(self.module, ir.FunctionType(I32, [I32, I32]), "llvm.wasm.memory.grow.i32")
        zero = ir.Constant(I32, 0)
        pages = b.zext(b.call(size, [zero]), I64)
        wanted = b.lshr(b.add(end, word((1 << _PAGE_BITS) - 1)), word(_PAGE_BITS))
        with b.if_then(b.icmp_unsigned(">", wanted, pages)):
            # By half as much again, so that growing stays rare; if that is refused, by what it takes.
            more = b.sub(wanted, pages)
            half = b.lshr(pages, word(1))
            generous = b.select(b.icmp_unsigned(">", more, half), more, half)
            refused = ir.Constant(I32, -1)
            too_many = b.icmp_unsigned(">", wanted, word(1 << 16))
            with b.if_then(too_many):
                b.ret(ir.Constant(POINTER, None))
            first = b.call(grow, [zero, b.trunc(generous, I32)])
            with b.if_then(b.icmp_signed("==", first, refused)):
                second = b.call(grow, [zero, b.trunc(more, I32)])
                with b.if_then(b.icmp_signed("==", second, refused)):
                    b.ret(ir.Constant(POINTER, None))
        b.store(end, self.top)
        b.ret(b.inttoptr(start, POINTER))

    def _first_free(self, b: ir.IRBuilder) -> ir.Value:
        """The free end, which is that of the data at first."""
        base = ir.GlobalVariable(self.module, I8, "__heap_base")
        top = b.load(self.top, typ=I64)
        return b.select(b.icmp_signed("==", top, word(0)), b.ptrtoint(base, I64), top)


def _counter(module: ir.Module, name: str) -> ir.GlobalVariable:
    found = ir.GlobalVariable(module, I64, name)
    found.linkage, found.initializer = "internal", word(0)
    return found


class Blocks:
    """Room from `malloc`; the first word of a block is the address of the one before."""

    def __init__(self, module: ir.Module) -> None:
        self._malloc = ir.Function(module, ir.FunctionType(POINTER, [I64]), "malloc")
        self._free = ir.Function(module, ir.FunctionType(_VOID, [POINTER]), "free")
        self._allocate = ir.Function(module, ir.FunctionType(POINTER, [POINTER, I64]), "memory.allocate")
        self._release = ir.Function(module, ir.FunctionType(_VOID, [POINTER]), "memory.release")
        for function in (self._allocate, self._release):
            function.linkage = "internal"
        self._fill_allocate(self._allocate)
        self._fill_release(self._release)
        self.last: ir.Value | None = None

    def start(self, b: ir.IRBuilder) -> None:
        self.last = stack_block(b, 8)
        b.store(ir.Constant(POINTER, None), self.last)

    def allocate(self, b: ir.IRBuilder, size: ir.Value) -> ir.Value:
        return b.call(self._allocate, [self.last, size])

    def release(self, b: ir.IRBuilder) -> None:
        b.call(self._release, [self.last])

    def _fill_allocate(self, function: ir.Function) -> None:
        b = ir.IRBuilder(function.append_basic_block("entry"))
        last, size = function.args
        null = ir.Constant(POINTER, None)
        block = b.call(self._malloc, [b.add(size, word(3 * _ALIGN))])
        with b.if_then(b.icmp_unsigned("==", block, null), likely=False):
            b.ret(null)
        b.store(b.load(last, typ=POINTER), block)
        b.store(block, last)
        start = b.add(b.ptrtoint(block, I64), word(8))
        b.ret(b.inttoptr(aligned(b, start), POINTER))

    def _fill_release(self, function: ir.Function) -> None:
        entry, head, body, done = (
            function.append_basic_block(name) for name in ("entry", "head", "body", "done")
        )
        b = ir.IRBuilder(entry)
        first = b.load(function.args[0], typ=POINTER)
        b.branch(head)
        b.position_at_end(head)
        block = b.phi(POINTER)
        b.cbranch(b.icmp_unsigned("!=", block, ir.Constant(POINTER, None)), body, done)
        b.position_at_end(body)
        before = b.load(block, typ=POINTER)
        b.call(self._free, [block])
        b.branch(head)
        block.add_incoming(first, entry)
        block.add_incoming(before, body)
        b.position_at_end(done)
        b.ret_void()


def aligned(b: ir.IRBuilder, size: ir.Value) -> ir.Value:
    """Up to a multiple of 64."""
    return b.and_(b.add(size, word(_ALIGN - 1)), word(-_ALIGN))
