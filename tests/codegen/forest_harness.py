"""The forest stage as one callable function, for tests and bench: compiled for a CPU, called tile by tile."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable

import numpy as np
from llvmlite import binding, ir

from fuse.codegen.forest import emit_forest
from fuse.ir.forest import ForestTables
from fuse.plan.forest_layout import POINTERS, SINGLE_ROW, SIZES, ForestCode, ForestLayout, Strategy, layout
from fuse.runtime.loader import Library, host_cpu, initialize_native_target, load

_LEVELS = {"x86-64": "sse2", "x86-64-v3": "avx2"}
Predict = Callable[[np.ndarray], np.ndarray]
_INT64, _POINTER = ir.IntType(64), ir.PointerType()
NATIVE = "native"


def cpus() -> list[str]:
    """This CPU and the older ones that it can stand in for."""
    features = host_cpu()[1].split(",")
    return [NATIVE, *[name for name, feature in _LEVELS.items() if f"+{feature}" in features]]


def has_permute(cpu: str = NATIVE) -> bool:
    """Whether the CPU permutes eight doubles in a register."""
    return cpu == NATIVE and "+avx512f" in host_cpu()[1].split(",")


def forest_module(code: ForestCode) -> ir.Module:
    """A module whose function `forest` takes features, rows, out, scratch, the arrays and the sizes."""
    module = ir.Module("forest")
    names = ["features", "rows", "out", "scratch", *POINTERS[code.strategy], *SIZES]
    kinds = [_INT64 if name in {"rows", *SIZES} else _POINTER for name in names]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), "forest")
    values = dict(zip(names, function.args, strict=True))
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    emit_forest(builder, code, values, values["features"], values["rows"], values["out"])
    builder.ret_void()
    return module


@functools.cache
def compiled(code: ForestCode, cpu: str = NATIVE) -> Library:
    """The loaded module for a CPU; its function is `forest`."""
    return load(object_code(code, cpu), ["forest"])


def object_code(code: ForestCode, cpu: str = NATIVE) -> bytes:
    """Machine code of the module for a CPU."""
    return bytes(_target_machine(cpu).emit_object(_optimized(code, cpu)))


def assembly(code: ForestCode, cpu: str = NATIVE) -> str:
    """Machine code of the module for a CPU, as text."""
    return str(_target_machine(cpu).emit_assembly(_optimized(code, cpu)))


def _optimized(code: ForestCode, cpu: str) -> binding.ModuleRef:
    initialize_native_target()
    module = binding.parse_assembly(str(forest_module(code)))
    module.triple = binding.get_default_triple()
    module.verify()
    tuning = binding.create_pipeline_tuning_options(speed_level=2)
    passes = binding.create_pass_builder(_target_machine(cpu), tuning)
    passes.getModulePassManager().run(module, passes)
    return module


def _target_machine(cpu: str) -> binding.TargetMachine:
    initialize_native_target()
    name, features = host_cpu() if cpu == NATIVE else (cpu, "")
    target = binding.Target.from_default_triple()
    return target.create_target_machine(cpu=name, features=features, opt=2, reloc="pic", codemodel="small")


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _aligned(size: int) -> np.ndarray:
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size]


def predictor(
    tables: ForestTables, cpu: str = NATIVE, tile: int = 1024, strategy: Strategy | None = None
) -> Predict:
    """float32 or float64[rows, columns] -> float64[rows, outputs], by compiled code."""

    def predict(features: np.ndarray) -> np.ndarray:
        step = 1 if strategy in SINGLE_ROW else tile
        plan = layout(tables, features.dtype, strategy, step, has_permute(cpu))
        call = tile_caller(plan, compiled(plan.code, cpu))
        result = np.empty((features.shape[0], tables.base.array.size))
        for start in range(0, features.shape[0], step):
            rows = features[start : start + step]
            columns = np.full((features.shape[1], step), np.nan, features.dtype)
            columns[:, : len(rows)] = rows.T
            result[start : start + step] = call(columns, len(rows))[:, : len(rows)].T
        return result

    return predict


def tile_caller(plan: ForestLayout, library: Library) -> Callable[[np.ndarray, int], np.ndarray]:
    """[columns, tile] features and a row count -> float64[outputs, tile]; keeps tables and code alive."""
    names = POINTERS[plan.code.strategy]
    tables = [_pointer(plan.arrays[name].array) for name in names]
    sizes = [ctypes.c_int64(plan.sizes[name]) for name in SIZES]
    scratch = _aligned(plan.scratch_bytes)
    out = np.full((plan.sizes["output_count"], plan.code.tile), np.nan)
    kinds = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p,
             *[ctypes.c_void_p] * len(names), *[ctypes.c_int64] * len(SIZES)]  # fmt: skip
    function = ctypes.CFUNCTYPE(None, *kinds)(library["forest"])

    def call(columns: np.ndarray, rows: int) -> np.ndarray:
        _kept = (plan, library)
        function(_pointer(columns), rows, _pointer(out), _pointer(scratch), *tables, *sizes)
        return out

    return call
