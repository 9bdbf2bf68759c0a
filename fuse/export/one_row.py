"""The row function of an exported module: `i32 one_row(inputs, temporaries, results)`.

one_row(inputs, temporaries, results):
    status = run(inputs, temporaries)               fuse/codegen/row.py
    a row that a filter drops, an index outside its table, a check that fails: their status
    copy each output to its place in `results`, side by side; return DONE
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from llvmlite import ir

from fuse.codegen.dtypes import I8, I32, I64, POINTER, word
from fuse.codegen.frame import at
from fuse.codegen.loops import counted_loop
from fuse.codegen.row import FAILED, FILTERED, Memories, emit_run
from fuse.codegen.target import Target
from fuse.export.batch import Check
from fuse.export.run import CHECK, DONE, OUTSIDE
from fuse.export.tables import Tables
from fuse.plan.row_program import Place, RowProgram

DROPPED = 4
"""The status of a row that a filter drops."""
_ALIGN = 8


@dataclass
class StaticMemories(Memories):
    """Memories whose tables are constants of the module."""

    constants: Sequence[ir.GlobalVariable] = field(kw_only=True)
    lengths: Sequence[int] = field(kw_only=True)

    def at(self, b: ir.IRBuilder, place: Place) -> ir.Value:
        if place.memory != "table":
            return super().at(b, place)
        base = self.constants[place.table]
        return b.gep(base, [word(place.offset)], source_etype=I8) if place.offset else base

    def table_word(self, b: ir.IRBuilder, table: int, part: int) -> ir.Value:
        if part == 1:
            return word(self.lengths[table])
        return b.ptrtoint(self.constants[table], I64)


def result_offsets(program: RowProgram, checks: Sequence[Check]) -> list[int]:
    """Where each output that is no check lies in the block of results, and where that ends."""
    checked, places, end = {check.output for check in checks}, [], 0
    for number, place in enumerate(program.outputs):
        if number not in checked:
            places.append(end)
            end += -(-place.size * place.itemsize // _ALIGN) * _ALIGN
    return [*places, end]


def emit_one_row(
    module: ir.Module, program: RowProgram, checks: Sequence[Check], target: Target, tables: Tables
) -> ir.Function:
    """The function `one_row` of a row program; see above."""
    constants = [tables[table] for table in program.tables]
    lengths = [table.array.shape[0] if table.array.ndim else 1 for table in program.tables]
    unused = ir.Constant(POINTER, None)

    def memories(inputs: ir.Value, temporaries: ir.Value) -> Memories:
        return StaticMemories(inputs, temporaries, unused, constants=constants, lengths=lengths)

    run = emit_run(module, program, target, memories)
    run.attributes.add("noinline")
    function = ir.Function(module, ir.FunctionType(I32, [POINTER, POINTER, POINTER]), "one_row")
    function.linkage = "internal"
    b = ir.IRBuilder(function.append_basic_block("entry"))
    inputs, temporaries, results = function.args
    status = b.call(run, [inputs, temporaries])
    for found, told in ((FILTERED, DROPPED), (FAILED, OUTSIDE)):
        with b.if_then(b.icmp_signed("==", status, word(found)), likely=False):
            b.ret(ir.Constant(I32, told))
    places = memories(inputs, temporaries)
    for number, check in enumerate(checks):
        _emit_check(b, places.at(b, program.outputs[check.output]), check, number)
    checked = {check.output for check in checks}
    given = [place for number, place in enumerate(program.outputs) if number not in checked]
    for place, offset in zip(given, result_offsets(program, checks), strict=False):
        _copy(b, places.at(b, place), place, b.gep(results, [word(offset)], source_etype=I8))
    b.ret(ir.Constant(I32, DONE))
    return function


def _emit_check(b: ir.IRBuilder, pointer: ir.Value, check: Check, number: int) -> None:
    for place, byte in enumerate(check.expected):
        found = b.load(b.gep(pointer, [word(place)], source_etype=I8), typ=I8)
        with b.if_then(b.icmp_unsigned("!=", found, ir.Constant(I8, byte)), likely=False):
            b.ret(ir.Constant(I32, CHECK + number))


def _copy(b: ir.IRBuilder, source: ir.Value, place: Place, target: ir.Value) -> None:
    """The elements of a place side by side; it has one row, so at most one axis that is longer than one."""
    stride = next((s for n, s in zip(place.shape, place.strides, strict=True) if n != 1), place.itemsize)
    size = place.itemsize
    with counted_loop(b, word(0), word(place.size), 1, "result") as i:
        for byte in range(size):
            item = b.gep(source, [b.add(b.mul(i, word(stride)), word(byte))], source_etype=I8)
            b.store(b.load(item, typ=I8), at(b, target, b.add(b.mul(i, word(size)), word(byte)), 1))
