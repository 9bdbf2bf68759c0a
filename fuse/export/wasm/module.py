"""The WebAssembly module of a pipeline.

It exports its memory and, all with 32-bit numbers:

    reserve(bytes) -> address        room for the caller, 0 when there is none; `forget()` gives all back
    batch_words() -> address         the block of a batch: int64 lengths, then two words an input (address,
                                     and of text that of its bytes), then the results as
                                     fuse/export/batch.py writes them
    batch() -> status
    row_inputs(), row_results()      -> addresses of the blocks of one row, when there is a row function
    row() -> status
"""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from fuse.codegen.dtypes import I8, I32, I64, POINTER, word
from fuse.codegen.target import WASM32, compile_to_object, data_layout
from fuse.errors import ExportError
from fuse.export.arena import GrowingMemory
from fuse.export.batch import emit_batch, result_words
from fuse.export.compile import Programs
from fuse.export.one_row import emit_one_row, result_offsets
from fuse.export.tables import Tables
from fuse.export.wasm.linker import LinkError, link

VECTOR_BYTES = 16


def emit_module(programs: Programs) -> tuple[str, list[str]]:
    """LLVM IR of the module, and the functions that it exports."""
    module = ir.Module("fuse")
    module.triple, module.data_layout = WASM32.triple, data_layout(WASM32)
    tables, arena = Tables(module), GrowingMemory(module)
    constants = [tables[table] for table in programs.batch.tables]
    batch = emit_batch(module, programs.batch, programs.checks, WASM32, constants, arena, copies=False)
    _Batch(module, programs, batch, arena).emit()
    names = ["reserve", "forget", "batch_words", "batch"]
    if programs.row is not None:
        one_row = emit_one_row(module, programs.row, programs.checks, WASM32, tables)
        _emit_row(module, programs, one_row)
        names += ["row_inputs", "row_results", "row"]
    return str(module), names


def compile_module(programs: Programs) -> bytes:
    """The module's bytes. ExportError for code that needs what no module of ours has."""
    source, names = emit_module(programs)
    try:
        return link(compile_to_object(source, WASM32), [f"fuse_{name}" for name in names])
    except LinkError as error:
        raise ExportError(f"the pipeline's code is not whole: {error}{_because(error)}") from error


_NEEDED_BY = {
    "fmod": "remainders of floats", "fma": "a fused multiply-add", "__extendhfsf2": "float16",
    "__truncdfhf2": "float16", "__truncsfhf2": "float16", "__multi3": "products of 64 bits with overflow",
}  # fmt: skip


def _because(error: LinkError) -> str:
    reasons = sorted({_NEEDED_BY[name] for name in error.missing if name in _NEEDED_BY})
    return f" ({', '.join(reasons)} in the pipeline: WebAssembly has none)" if reasons else ""


@dataclass
class _Batch:
    """The exported functions around `batch`."""

    module: ir.Module
    programs: Programs
    batch: ir.Function
    arena: GrowingMemory

    def emit(self) -> None:
        program = self.programs.batch
        counts = (len(program.symbols), 2 * len(program.inputs))
        total = sum(counts) + result_words(program, self.programs.checks)[-1]
        block = static_block(self.module, "batch.words", 8 * total)
        self._reserve()
        _address(self.module, "batch_words", block)
        b = _exported(self.module, "batch")
        words = b.gep(block, [word(counts[0])], source_etype=I64)
        results = b.gep(words, [word(counts[1])], source_etype=I64)
        b.ret(b.call(self.batch, [words, block, results]))

    def _reserve(self) -> None:
        b = _exported(self.module, "reserve", I32)
        (size,) = b.function.args
        self.arena.start(b)
        found = self.arena.allocate(b, b.zext(size, I64))
        b.store(b.load(self.arena.top, typ=I64), self.arena.mark)
        b.ret(b.ptrtoint(found, I32))
        b = _exported(self.module, "forget")
        b.store(word(0), self.arena.mark)
        b.ret(ir.Constant(I32, 0))


def _emit_row(module: ir.Module, programs: Programs, one_row: ir.Function) -> None:
    program = programs.row
    assert program is not None
    sizes = {
        "inputs": program.input_bytes, "temporaries": program.temporary_bytes,
        "results": result_offsets(program, programs.checks)[-1],
    }  # fmt: skip
    blocks = {name: static_block(module, f"row.{name}", size) for name, size in sizes.items()}
    _address(module, "row_inputs", blocks["inputs"])
    _address(module, "row_results", blocks["results"])
    b = _exported(module, "row")
    b.ret(b.call(one_row, list(blocks.values())))


def static_block(module: ir.Module, name: str, size: int) -> ir.GlobalVariable:
    """Memory of the module itself, zero at first."""
    kind = ir.ArrayType(I8, max(size, 8))
    block = ir.GlobalVariable(module, kind, name)
    block.linkage, block.initializer, block.align = "internal", ir.Constant(kind, None), 64
    block.type = POINTER
    return block


def _exported(module: ir.Module, name: str, *parameters: ir.Type) -> ir.IRBuilder:
    function = ir.Function(module, ir.FunctionType(I32, parameters), f"fuse_{name}")
    return ir.IRBuilder(function.append_basic_block("entry"))


def _address(module: ir.Module, name: str, block: ir.GlobalVariable) -> None:
    b = _exported(module, name)
    b.ret(b.ptrtoint(block, I32))
