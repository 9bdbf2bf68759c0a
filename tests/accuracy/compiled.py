"""Compiles one math emitter into a function over arrays: explicit vectors, a scalar loop for the rest."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

from fuse.codegen.scalar import INT32, INT64, Scalar

llvm.initialize_native_target()
llvm.initialize_native_asmprinter()

LLVM_TYPES = {"float32": ir.FloatType(), "float64": ir.DoubleType(), "int32": INT32, "int64": INT64}
POINTER = ir.PointerType()


@dataclass(frozen=True)
class Target:
    """What to compile for. `fma` tells the emitter, `features` tell LLVM."""

    cpu: str = ""
    features: str = ""
    fma: bool = True

    def machine(self) -> llvm.TargetMachine:
        """LLVM's machine for this target; an empty cpu is the host."""
        triple = llvm.Target.from_default_triple()
        cpu = self.cpu or llvm.get_host_cpu_name()
        features = self.features if self.cpu else llvm.get_host_cpu_features().flatten() + self.features
        return triple.create_target_machine(cpu=cpu, features=features, opt=2)


HOST = Target(features=",-prefer-256-bit")
AVX2 = Target(cpu="haswell", features="+avx2,+fma")
SSE2 = Target(cpu="x86-64", features="", fma=False)


def build(emit: Callable[..., ir.Value], kinds: Sequence[str], lanes: int, fma: bool) -> ir.Module:
    """A module with `kernel(in..., out, n)`: one loop by `lanes`, then one by single elements."""
    module = ir.Module("math")
    signature = ir.FunctionType(ir.VoidType(), [POINTER] * (len(kinds) + 1) + [INT64])
    function = ir.Function(module, signature, "kernel")
    *arrays, count = function.args
    b = ir.IRBuilder(function.append_basic_block("entry"))
    whole = b.and_(count, INT64(-lanes))
    _loop(b, INT64(0), whole, lanes, emit, kinds, arrays, fma)
    if lanes > 1:
        _loop(b, whole, count, 1, emit, kinds, arrays, fma)
    b.ret_void()
    return module


def _loop(
    b: ir.IRBuilder, start: ir.Value, stop: ir.Value, lanes: int,
    emit: Callable[..., ir.Value], kinds: Sequence[str], arrays: Sequence[ir.Value], fma: bool,
) -> None:  # fmt: skip
    before, body, after = b.block, b.append_basic_block("body"), b.append_basic_block("after")
    b.cbranch(b.icmp_signed("<", start, stop), body, after)
    b.position_at_end(body)
    row = b.phi(INT64)
    row.add_incoming(start, before)
    values = [_load(b, array, row, kind, lanes) for array, kind in zip(arrays, kinds, strict=False)]
    result = emit(Scalar(b, fma), *values)
    element = LLVM_TYPES[kinds[0]]
    b.store(result, b.gep(arrays[-1], [row], source_etype=element), align=4)
    following = b.add(row, INT64(lanes))
    row.add_incoming(following, b.block)
    b.cbranch(b.icmp_signed("<", following, stop), body, after)
    b.position_at_end(after)


def _load(b: ir.IRBuilder, array: ir.Value, row: ir.Value, kind: str, lanes: int) -> ir.Value:
    element = LLVM_TYPES[kind]
    address = b.gep(array, [row], source_etype=element)
    return b.load(address, typ=ir.VectorType(element, lanes) if lanes > 1 else element, align=4)


def optimize(module: ir.Module, target: Target) -> tuple[llvm.ModuleRef, llvm.TargetMachine]:
    """Parse, verify and run the O2 pipeline."""
    parsed = llvm.parse_assembly(str(module))
    machine = target.machine()
    parsed.triple, parsed.data_layout = machine.triple, str(machine.target_data)
    for function in parsed.functions:
        if not function.is_declaration:
            function.add_function_attribute("nounwind")
    tuning = llvm.create_pipeline_tuning_options(speed_level=2)
    builder = llvm.create_pass_builder(machine, tuning)
    builder.getModulePassManager().run(parsed, builder)
    return parsed, machine


class Kernel:
    """An emitter compiled for arrays of the given dtypes; call it with arrays, get an array."""

    def __init__(
        self, emit: Callable[..., ir.Value], kinds: Sequence[str], lanes: int = 8, target: Target = HOST
    ) -> None:
        self.kinds = list(kinds)
        module, machine = optimize(_with_width(build(emit, kinds, lanes, target.fma)), target)
        self.assembly = machine.emit_assembly(module)
        self.engine = llvm.create_mcjit_compiler(module, machine)
        self.engine.finalize_object()
        pointers = [ctypes.c_void_p] * (len(kinds) + 1)
        address = self.engine.get_function_address("kernel")
        self.function = ctypes.CFUNCTYPE(None, *pointers, ctypes.c_int64)(address)

    def run(self, out: np.ndarray, *arrays: np.ndarray) -> None:
        """Fill `out`; all arrays contiguous, of one length."""
        self.function(*[array.ctypes.data for array in arrays], out.ctypes.data, out.size)

    def __call__(self, *arrays: np.ndarray) -> np.ndarray:
        """The results as a new array."""
        inputs = [np.ascontiguousarray(a, dtype=k) for a, k in zip(arrays, self.kinds, strict=True)]
        out = np.empty(inputs[0].shape, dtype=self.kinds[0])
        self.run(out, *inputs)
        return out


def _with_width(module: ir.Module) -> ir.Module:
    for function in module.functions:
        if not function.is_declaration:
            function.attributes.add("nounwind")
    return module
