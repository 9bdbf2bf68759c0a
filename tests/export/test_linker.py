"""The linker: what it makes of an awkward object, what it refuses, and LLD's module beside it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from fuse.codegen.target import WASM32, compile_to_object
from fuse.export.wasm.linker import LinkError, link, merged
from fuse.export.wasm.object_file import Segment
from tests.export.node import needs_node, run_script

AWKWARD = """
@values = internal constant [4 x double] [double 1.0, double 2.5, double 3.0, double 4.0], align 64
@large = internal global [1000 x double] zeroinitializer
@places = internal constant [2 x ptr] [ptr @values, ptr @large]
@functions = internal constant [2 x ptr] [ptr @twice, ptr @negated]
@count = internal global i32 7
@__heap_base = external global i8

define internal double @twice(double %x) noinline {
  %y = fadd double %x, %x
  ret double %y
}
define internal double @negated(double %x) noinline {
  %y = fneg double %x
  ret double %y
}
define double @read(i32 %i, i32 %j) {
  %a = getelementptr ptr, ptr @places, i32 %i
  %p = load ptr, ptr %a
  %q = getelementptr double, ptr %p, i32 %j
  %v = load double, ptr %q
  ret double %v
}
define double @call(i32 %i, double %x) {
  %a = getelementptr ptr, ptr @functions, i32 %i
  %f = load ptr, ptr %a
  %v = call double %f(double %x)
  ret double %v
}
define i32 @next() {
  %n = load i32, ptr @count
  %m = add i32 %n, 1
  store i32 %m, ptr @count
  ret i32 %m
}
define i32 @heap() {
  %p = ptrtoint ptr @__heap_base to i32
  ret i32 %p
}
define i64 @stack(i64 %i) {
  %s = alloca [100 x i64]
  %x = getelementptr i64, ptr %s, i64 %i
  store volatile i64 %i, ptr %x
  %y = load volatile i64, ptr %x
  ret i64 %y
}
"""
EXPORTS = ["read", "call", "next", "heap", "stack"]
SCRIPT = """
import fs from "node:fs";
const module = new WebAssembly.Module(fs.readFileSync(new URL("./module.wasm", import.meta.url)));
const e = new WebAssembly.Instance(module).exports;
console.log(JSON.stringify({
  imports: WebAssembly.Module.imports(module).length,
  read: [e.read(0, 1), e.read(0, 3), e.read(1, 999)], call: [e.call(0, 1.5), e.call(1, 1.5)],
  next: [e.next(), e.next()], stack: Number(e.stack(99n)), above: e.heap() % 16,
  room: e.memory.buffer.byteLength >= e.heap(),
}));
"""


def _answers(folder: Path, module: bytes) -> object:
    (folder / "module.wasm").write_bytes(module)
    return run_script(folder, SCRIPT)


@needs_node
def test_addresses_tables_and_stack(tmp_path: Path) -> None:
    found = _answers(tmp_path, link(compile_to_object(AWKWARD, WASM32), EXPORTS))
    assert found == {
        "imports": 0, "read": [2.5, 4, 0], "call": [3, -1.5], "next": [8, 9], "stack": 99, "above": 0,
        "room": True,
    }  # fmt: skip


def _linker() -> list[str] | None:
    """LLD as the environment has it: named by FUSE_TEST_WASM_LD, on the path, or in the package ziglang."""
    named = os.environ.get("FUSE_TEST_WASM_LD") or shutil.which("wasm-ld")
    if named:
        return named.split()
    try:
        import ziglang  # type: ignore[import-not-found,import-untyped,unused-ignore]  # no part of the tests' needs
    except ImportError:
        return None
    return [str(Path(ziglang.__file__).parent / "zig"), "wasm-ld"]


@needs_node
@pytest.mark.skipif(_linker() is None, reason="LLD is not installed (pip install ziglang)")
def test_same_answers_as_lld(tmp_path: Path) -> None:
    object_code = compile_to_object(AWKWARD, WASM32)
    (tmp_path / "in.o").write_bytes(object_code)
    exports = [f"--export={name}" for name in EXPORTS]
    flags = ["--no-entry", "--strip-all", "-z", "stack-size=65536", *exports]
    command = [*(_linker() or ()), *flags, str(tmp_path / "in.o"), "-o", str(tmp_path / "out.wasm")]
    subprocess.run(command, check=True, timeout=60)
    oracle = (tmp_path / "out.wasm").read_bytes()
    module = link(object_code, EXPORTS)
    assert _answers(tmp_path, module) == _answers(tmp_path, oracle)
    assert abs(len(module) - len(oracle)) < 100


def test_a_function_that_nothing_defines_is_named() -> None:
    source = "declare double @fmod(double, double)\ndefine double @f(double %x) {\n"
    source += "  %y = call double @fmod(double %x, double 3.0)\n  ret double %y\n}"
    with pytest.raises(LinkError, match="fmod") as error:
        link(compile_to_object(source, WASM32), ["f"])
    assert error.value.missing == ("fmod",)


def test_an_export_that_is_not_there_is_named() -> None:
    with pytest.raises(LinkError, match="other"):
        link(compile_to_object("define void @f() {\n  ret void\n}", WASM32), ["f", "other"])


def test_bytes_that_are_no_object() -> None:
    with pytest.raises(LinkError, match="no WebAssembly object"):
        link(b"\x7fELF....", ["f"])


def test_zeros_are_left_out_and_neighbours_joined() -> None:
    segments = [Segment(0, bytes(64)), Segment(64, b"ab\0\0"), Segment(70, b"\0c"), Segment(200, b"d")]
    assert merged(segments) == [Segment(64, b"ab" + bytes(5) + b"c"), Segment(200, b"d")]
