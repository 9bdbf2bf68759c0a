"""Code that launches kernels one behind the other, without Python between them.

void relaunch(entries, count):
    for (code, arguments, control) in entries: code(arguments, control, 0)

void copy_rows(arguments, control, worker):
    for row in range(rows): copy `size` bytes from a row of the source to one of the target

The second is an entry like any kernel; its arguments are the words of `CopyRows`.
"""

from __future__ import annotations

from typing import NamedTuple

from llvmlite import ir

from fuse.codegen.dtypes import I1, I64, POINTER, word
from fuse.codegen.loops import counted_loop
from fuse.codegen.target import Target, data_layout

RELAUNCH, COPY_ROWS = "relaunch", "copy_rows"
ENTRY_WORDS = 3


class CopyRows(NamedTuple):
    """Addresses of the first rows, bytes of a row, rows, and bytes from one row to the next."""

    target: int
    source: int
    size: int
    rows: int
    target_stride: int
    source_stride: int


def emit_relaunch_module(target: Target) -> str:
    """LLVM IR of a module with both functions."""
    module = ir.Module("fuse")
    module.data_layout = data_layout(target)
    _emit_relaunch(module)
    _emit_copy_rows(module)
    return str(module)


def _emit_relaunch(module: ir.Module) -> None:
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER, I64]), RELAUNCH)
    b = ir.IRBuilder(function.append_basic_block("start"))
    entries, count = function.args
    kernel = ir.FunctionType(ir.VoidType(), [POINTER, POINTER, I64]).as_pointer()
    with counted_loop(b, word(0), count, name="entry") as number:
        first = b.mul(number, word(ENTRY_WORDS))
        code, arguments, control = (
            b.load(b.gep(entries, [b.add(first, word(place))], source_etype=I64), typ=type_)
            for place, type_ in enumerate((kernel, POINTER, POINTER))
        )
        b.call(code, [arguments, control, word(0)])
    b.ret_void()


def _emit_copy_rows(module: ir.Module) -> None:
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER, POINTER, I64]), COPY_ROWS)
    b = ir.IRBuilder(function.append_basic_block("start"))
    words = function.args[0]
    fields = CopyRows(
        *(
            b.load(b.gep(words, [word(place)], source_etype=I64), typ=I64)
            for place in range(len(CopyRows._fields))
        )
    )
    copy = module.declare_intrinsic("llvm.memcpy", [POINTER, POINTER, I64])
    with counted_loop(b, word(0), fields.rows, name="row") as row:
        target = b.inttoptr(b.add(fields.target, b.mul(row, fields.target_stride)), POINTER)
        source = b.inttoptr(b.add(fields.source, b.mul(row, fields.source_stride)), POINTER)
        b.call(copy, [target, source, fields.size, ir.Constant(I1, 0)])
    b.ret_void()
