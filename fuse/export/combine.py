"""The partial results of units folded to one value, in generated code: the tree of fuse/execution/finish.py.

combine(partials, rest, count):
    while count > 1:
        for i in range(count // 2): partials[i] = partials[2 i] (op) partials[2 i + 1]
        an odd one out moves up; count = ceil(count / 2)
    return partials[0], the identity when there is none

For a sum of floats `rest` holds what additions rounded off; it is added up along the same tree, and at the
end added to the sum.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir

from fuse.codegen.dtypes import I8, I64, POINTER, memory_type, word
from fuse.codegen.elementwise import emit_op
from fuse.codegen.frame import at
from fuse.codegen.loops import counted_loop
from fuse.codegen.reductions import COMBINE, with_rest
from fuse.codegen.scalar import Scalar
from fuse.export.program import has_rest
from fuse.ir.ops import identity


def combine_function(module: ir.Module, kind: str, dtype: np.dtype) -> ir.Function:
    """`value combine(partials, rest, count)`; it overwrites both arrays."""
    name = f"combine.{kind}.{dtype.str[1:]}"
    found = module.globals.get(name)
    if found is None:
        parameters = [POINTER, POINTER, I64]
        found = ir.Function(module, ir.FunctionType(memory_type(dtype), parameters), name)
        found.linkage = "internal"
        found.attributes.add("noinline")
        _Filling(found, kind, dtype).fill()
    return found


class _Filling:
    def __init__(self, function: ir.Function, kind: str, dtype: np.dtype) -> None:
        self.function, self.kind, self.dtype = function, kind, dtype
        self.b = ir.IRBuilder(function.append_basic_block("entry"))
        self.s = Scalar(self.b, fma=False)
        self.partials, self.rest, self.count = function.args

    def fill(self) -> None:
        b = self.b
        with b.if_then(b.icmp_signed("<", self.count, word(1)), likely=False):
            b.ret(self._identity())
        if has_rest(self.kind, self.dtype):
            with counted_loop(b, word(0), self.count) as i:
                self._store(self.rest, i, ir.Constant(memory_type(self.dtype), 0.0))
        head, body, done = (b.append_basic_block(name) for name in ("level", "pairs", "done"))
        before = b.block
        b.branch(head)
        b.position_at_end(head)
        left = b.phi(I64)
        left.add_incoming(self.count, before)
        b.cbranch(b.icmp_signed(">", left, word(1)), body, done)
        b.position_at_end(body)
        self._level(left)
        left.add_incoming(b.lshr(b.add(left, word(1)), word(1)), b.block)
        b.branch(head)
        b.position_at_end(done)
        b.ret(self._result())

    def _identity(self) -> ir.Constant:
        value = identity(self.kind, self.dtype)
        kind = memory_type(self.dtype)
        return ir.Constant(kind, float(value) if self.dtype.kind == "f" else int(value.astype(np.int64)))

    def _level(self, count: ir.Value) -> None:
        b = self.b
        pairs = b.lshr(count, word(1))
        with counted_loop(b, word(0), pairs, 1, "pair") as i:
            even = b.shl(i, word(1))
            self._pair(i, even, b.add(even, word(1)))
        with b.if_then(b.icmp_signed("!=", b.and_(count, word(1)), word(0))):
            last = b.sub(count, word(1))
            for array in [self.partials, *([self.rest] if has_rest(self.kind, self.dtype) else [])]:
                self._store(array, pairs, self._load(array, last))

    def _pair(self, target: ir.Value, left: ir.Value, right: ir.Value) -> None:
        x, y = self._load(self.partials, left), self._load(self.partials, right)
        if not has_rest(self.kind, self.dtype):
            self._store(self.partials, target, self._folded(x, y))
            return
        total, lost = self.s.two_sum(x, y)
        rest = self.s.add(self._load(self.rest, left), self._load(self.rest, right))
        self._store(self.rest, target, self.s.add(rest, lost))
        self._store(self.partials, target, total)

    def _folded(self, left: ir.Value, right: ir.Value) -> ir.Value:
        dtype = np.dtype(np.uint8) if self.dtype.kind == "b" else self.dtype
        return emit_op(self.s, COMBINE[self.kind], (left, right), (dtype, dtype), dtype)

    def _result(self) -> ir.Value:
        total = self._load(self.partials, word(0))
        if not has_rest(self.kind, self.dtype):
            return total
        return with_rest(self.s, total, self._load(self.rest, word(0)))

    def _load(self, array: ir.Value, index: ir.Value) -> ir.Value:
        return self.b.load(at(self.b, array, index, self.dtype.itemsize), typ=self._type, align=1)

    def _store(self, array: ir.Value, index: ir.Value, value: ir.Value) -> None:
        self.b.store(value, at(self.b, array, index, self.dtype.itemsize), align=1)

    @property
    def _type(self) -> ir.Type:
        return I8 if self.dtype.kind == "b" else memory_type(self.dtype)
