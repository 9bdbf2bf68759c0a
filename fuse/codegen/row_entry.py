"""The module of a row function: `PyObject *predict_row(self, args, nargs)`.

if nargs is not 1: TypeError
if not read(args[0]):                  a dict by the fields' keys, a tuple or list in their order
    other = slow(args[0])              raises, or gives a tuple of plain values
    if not read(other): TypeError
status = run(inputs, temporaries)      fuse/codegen/row.py
FILTERED: None; FAILED, or a guard's bytes differ: fallback(args[0]); else the result
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llvmlite import ir

from fuse.codegen.dtypes import I8, I64, POINTER, word
from fuse.codegen.frame import stack_block
from fuse.codegen.python_api import NULL, PythonApi, is_null, zeroed_block
from fuse.codegen.row import FILTERED, PASSED, Memories, emit_run
from fuse.codegen.row_call import RowCall
from fuse.codegen.row_reading import emit_read
from fuse.codegen.row_results import ResultEmitter
from fuse.codegen.row_values import TEXT_OWNER
from fuse.codegen.target import Target, data_layout
from fuse.runtime.row import (
    ENTRY,
    FALLBACK,
    NONE,
    SLOW,
    TABLES,
    TYPE_ERROR,
)


def emit_row_module(call: RowCall, target: Target) -> str:
    """LLVM IR of the module of a row function, see `fuse/runtime/row.py` for its blocks."""
    module = ir.Module("fuse.row")
    module.data_layout = data_layout(target)
    api = PythonApi.of(module, call.first_tuple + call.tuple_count)
    tables = zeroed_block(module, TABLES, 2 * len(call.program.tables))
    run = emit_run(
        module, call.program, target, lambda inputs, temporaries: Memories(inputs, temporaries, tables)
    )
    results = ResultEmitter(api, tables, call.program.outputs, call.first_tuple)
    entry = _Entry(api, call, tables, emit_read(api, call), run, results.emit(call.result))
    entry.emit()
    return str(module)


@dataclass
class _Entry:
    """The exported function."""

    api: PythonApi
    call: RowCall
    tables: ir.GlobalVariable
    read: ir.Function
    run: ir.Function
    result: ir.Function

    def emit(self) -> None:
        function = ir.Function(self.api.module, ir.FunctionType(POINTER, [POINTER, POINTER, I64]), ENTRY)
        _, args, count = function.args
        b = ir.IRBuilder(function.append_basic_block("entry"))
        program = self.call.program
        inputs, temporaries = (
            stack_block(b, size) for size in (program.input_bytes, program.temporary_bytes)
        )
        with b.if_then(b.icmp_signed("!=", count, word(1)), likely=False):
            self._raise(b, "predict_row takes one argument, the row")
        row = b.load(args, typ=POINTER)
        self._forget_texts(b, inputs)
        before = b.block
        plain = b.call(self.read, [row, inputs])
        with b.if_then(b.not_(plain), likely=False):
            other = self._read_slowly(b, row, inputs)
            slowly = b.block
        owner = b.phi(POINTER)
        owner.add_incoming(NULL, before)
        owner.add_incoming(other, slowly)
        found = self._emit_outcome(b, row, inputs, temporaries)
        self._release_texts(b, inputs)
        self.api.call(b, "Py_DecRef", owner)
        b.ret(found)

    def _read_slowly(self, b: ir.IRBuilder, row: ir.Value, inputs: ir.Value) -> ir.Value:
        """The tuple that `slow` makes of the row, read."""
        self._release_texts(b, inputs)
        self._forget_texts(b, inputs)
        other = self.api.call(b, "PyObject_CallOneArg", self.api.thing(b, SLOW), row)
        with b.if_then(is_null(b, other), likely=False):
            b.ret(NULL)
        with b.if_then(b.not_(b.call(self.read, [other, inputs])), likely=False):
            self._release_texts(b, inputs)
            self.api.call(b, "Py_DecRef", other)
            self._raise(b, "a row was made ready and still holds a value of another kind than its field")
        return other

    def _raise(self, b: ir.IRBuilder, message: str) -> None:
        text = _text(self.api.module, message)
        self.api.call(b, "PyErr_SetString", self.api.thing(b, TYPE_ERROR), text)
        b.ret(NULL)

    def _emit_outcome(
        self, b: ir.IRBuilder, row: ir.Value, inputs: ir.Value, temporaries: ir.Value
    ) -> ir.Value:
        status = b.call(self.run, [inputs, temporaries])
        passed, filtered, failed, done = (
            b.append_basic_block(name) for name in ("passed", "filtered", "failed", "done")
        )
        choice = b.switch(status, failed)
        choice.add_case(word(PASSED), passed)
        choice.add_case(word(FILTERED), filtered)
        b.position_at_end(passed)
        self._emit_guards(b, Memories(inputs, temporaries, self.tables), failed)
        made = b.call(self.result, [inputs, temporaries])
        outcomes = [(made, b.block)]
        b.branch(done)
        b.position_at_end(filtered)
        none = self.api.thing(b, NONE)
        self.api.call(b, "Py_IncRef", none)
        outcomes.append((none, b.block))
        b.branch(done)
        b.position_at_end(failed)
        other = self.api.call(b, "PyObject_CallOneArg", self.api.thing(b, FALLBACK), row)
        outcomes.append((other, b.block))
        b.branch(done)
        b.position_at_end(done)
        found = b.phi(POINTER)
        for value, block in outcomes:
            found.add_incoming(value, block)
        return found

    def _emit_guards(self, b: ir.IRBuilder, memories: Memories, failed: ir.Block) -> None:
        for guard in self.call.guards:
            place = self.call.program.outputs[guard.output]
            start = memories.at(b, place)
            for number, byte in enumerate(guard.expected):
                found = b.load(b.gep(start, [word(number)], source_etype=I8), typ=I8)
                after = b.append_basic_block("guarded")
                b.cbranch(b.icmp_unsigned("==", found, I8(byte)), after, failed)
                b.position_at_end(after)

    def _forget_texts(self, b: ir.IRBuilder, inputs: ir.Value) -> None:
        for owner in self._owners(b, inputs):
            b.store(NULL, owner)

    def _release_texts(self, b: ir.IRBuilder, inputs: ir.Value) -> None:
        """Py_DecRef lets null pass."""
        for owner in self._owners(b, inputs):
            self.api.call(b, "Py_DecRef", b.load(owner, typ=POINTER))

    def _owners(self, b: ir.IRBuilder, inputs: ir.Value) -> Sequence[ir.Value]:
        return [b.gep(inputs, [word(offset + 8 * TEXT_OWNER)], source_etype=I8) for offset in self.call.texts]


def _text(module: ir.Module, content: str) -> ir.GlobalVariable:
    data = bytearray(content.encode() + b"\0")
    constant = ir.Constant(ir.ArrayType(I8, len(data)), data)
    name = module.get_unique_name("message")
    found = ir.GlobalVariable(module, constant.type, name)
    found.linkage, found.global_constant, found.initializer = "internal", True, constant
    return found
