"""The C entry of a pipeline: `int fuse_predict(const struct fuse_in *in, size_t n, struct fuse_out *out)`.

The structs are blocks of 64-bit words: `in` has the address of each input (and of a text column also that of
its bytes), `out` for each result the address of its room and then its lengths, which the function fills in.

fuse_predict(in, n, out):
    n == 1 and there is a row function: its input block from the columns, one_row, its results to `out`
    else: batch(words, lengths, out)
"""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from fuse.codegen.dtypes import I8, I32, I64, POINTER, word
from fuse.codegen.frame import load_word, stack_block, store_word
from fuse.codegen.loops import counted_loop
from fuse.codegen.target import Target, compile_to_object, data_layout
from fuse.errors import ExportError
from fuse.export.arena import Blocks
from fuse.export.batch import emit_batch
from fuse.export.compile import Programs
from fuse.export.native.elf import undefined_symbols
from fuse.export.one_row import DROPPED, emit_one_row, result_offsets
from fuse.export.run import DONE, copy_bytes
from fuse.export.tables import Tables
from fuse.ir.types import STRING

PREDICT = "fuse_predict"
_LIBC = frozenset({"malloc", "free", "memcpy", "memmove", "memset"})


def emit_module(programs: Programs, target: Target) -> str:
    """LLVM IR of the library."""
    module = ir.Module("fuse")
    module.triple, module.data_layout = target.triple, data_layout(target)
    tables = Tables(module)
    constants = [tables[table] for table in programs.batch.tables]
    arena = Blocks(module)
    batch = emit_batch(module, programs.batch, programs.checks, target, constants, arena, copies=True)
    one_row = None
    if programs.row is not None:
        one_row = emit_one_row(module, programs.row, programs.checks, target, tables)
    _Entry(module, programs, batch, one_row).emit()
    return str(module)


def compile_library(programs: Programs, target: Target) -> bytes:
    """The object's bytes. ExportError for code that needs more than a C library's memory functions."""
    content = compile_to_object(emit_module(programs, target), target)
    missing = sorted(undefined_symbols(content) - _LIBC)
    if missing:
        raise ExportError(f"the pipeline's code needs {', '.join(missing)}, which {target.triple} has not")
    return content


def input_words(programs: Programs) -> list[int]:
    """Where each input begins in `in`, and how many words there are."""
    places, place = [], 0
    for value in programs.batch.inputs:
        places.append(place)
        place += 2 if value.dtype == STRING else 1
    return [*places, place]


@dataclass
class _Entry:
    """The exported function."""

    module: ir.Module
    programs: Programs
    batch: ir.Function
    one_row: ir.Function | None

    def emit(self) -> None:
        function = ir.Function(self.module, ir.FunctionType(I32, [POINTER, I64, POINTER]), PREDICT)
        given, count, out = function.args
        b = ir.IRBuilder(function.append_basic_block("entry"))
        if self.one_row is not None:
            with b.if_then(b.icmp_signed("==", count, word(1))):
                b.ret(self._emit_row(b, given, out))
        b.ret(self._emit_batch(b, given, count, out))

    def _emit_batch(self, b: ir.IRBuilder, given: ir.Value, count: ir.Value, out: ir.Value) -> ir.Value:
        program = self.programs.batch
        words = stack_block(b, 16 * max(len(program.inputs), 1))
        lengths = stack_block(b, 8)
        store_word(b, count, lengths, 0)
        for number, (value, place) in enumerate(
            zip(program.inputs, input_words(self.programs), strict=False)
        ):
            store_word(b, load_word(b, given, place), words, 2 * number)
            if value.dtype == STRING:
                store_word(b, load_word(b, given, place + 1), words, 2 * number + 1)
        return b.call(self.batch, [words, lengths, out])

    def _emit_row(self, b: ir.IRBuilder, given: ir.Value, out: ir.Value) -> ir.Value:
        """The status of the row function; a row that is dropped leaves results of no rows."""
        program, checks = self.programs.row, self.programs.checks
        assert program is not None
        offsets = result_offsets(program, checks)
        inputs, temporaries, results = (
            stack_block(b, max(size, 8))
            for size in (program.input_bytes, program.temporary_bytes, offsets[-1])
        )
        for number, place in enumerate(program.inputs):
            source = b.inttoptr(load_word(b, given, number), POINTER)
            target = b.gep(inputs, [word(place.offset)], source_etype=I8)
            copy_bytes(b, target, source, word(place.size * place.itemsize))
        status = b.call(self.one_row, [inputs, temporaries, results])
        is_dropped = b.icmp_signed("==", status, ir.Constant(I32, DROPPED))
        rows = b.select(is_dropped, word(0), word(1))
        checked = {check.output for check in checks}
        given_out = [place for number, place in enumerate(program.outputs) if number not in checked]
        at = 0
        for place, offset in zip(given_out, offsets, strict=False):
            source = b.gep(results, [word(offset)], source_etype=I8)
            target = b.inttoptr(load_word(b, out, at), POINTER)
            size = b.mul(rows, word(place.size * place.itemsize)) if place.shape else word(place.itemsize)
            with counted_loop(b, word(0), size) as i:
                item = b.load(b.gep(source, [i], source_etype=I8), typ=I8)
                b.store(item, b.gep(target, [i], source_etype=I8))
            for axis, length in enumerate(place.shape):
                store_word(b, rows if axis == 0 else word(length), out, at + 1 + axis)
            at += 1 + len(place.shape)
        return b.select(is_dropped, ir.Constant(I32, DONE), status)
