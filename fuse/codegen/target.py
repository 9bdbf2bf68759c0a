"""Instruction sets to make code for; the one place that knows LLVM's pass builder and target machine."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from fuse import config
from fuse.runtime.loader import host_cpu, initialize_native_target, llvm_lock

_V3 = "avx avx2 bmi bmi2 f16c fma lzcnt movbe popcnt sse4.2 xsave"
_LEVEL_FEATURES = {
    "x86-64": "",
    "x86-64-v3": _V3,
    "x86-64-v4": f"{_V3} avx512f avx512bw avx512cd avx512dq avx512vl",
}
_LEVELS = frozenset(_LEVEL_FEATURES)


@dataclass(frozen=True)
class Target:
    """A CPU as LLVM names it. `fma`: whether a multiply-add is one instruction with one rounding; triple:
    another machine's, when it is not this one.
    """

    cpu: str
    features: str
    fma: bool
    triple: str = ""

    @property
    def is_wasm(self) -> bool:
        """Whether code is for a WebAssembly module: pointers of 32 bits, vectors of 16 bytes."""
        return self.triple.startswith("wasm32")

    @property
    def has_permute(self) -> bool:
        """Whether 64 bytes are permuted by one instruction."""
        return self.cpu == "x86-64-v4" or "+avx512f" in self.features

    @property
    def architecture(self) -> str:
        """The kind of processor, as the first part of a triple names it: x86_64, aarch64, …"""
        return _architecture()

    @property
    def required(self) -> tuple[str, ...]:
        """The instruction sets without which compiled code does not run, as LLVM names them."""
        named = tuple(part for part in self.features.split(",") if part.startswith("+"))
        return named or tuple(f"+{name}" for name in _LEVEL_FEATURES.get(self.cpu, "").split())

    @property
    def key(self) -> str:
        """What compiled code depends on."""
        from llvmlite import __version__

        return f"{__version__} {self.triple} {self.cpu} {self.features}"


@functools.cache
def _architecture() -> str:
    from llvmlite import binding

    name = str(binding.get_process_triple()).split("-")[0]
    return {"arm64": "aarch64", "amd64": "x86_64"}.get(name, name)


@functools.cache
def target_of(name: str) -> Target:
    """The target of a setting: "native" or a level of the x86-64 psABI."""
    if name in _LEVELS:
        return Target(name, "", fma=name != "x86-64")
    cpu, features = host_cpu()
    return Target(cpu, features, fma="+fma" in features or "+neon" in features or "arm64" in cpu)


def current_target() -> Target:
    """The target of the settings in force."""
    return target_of(config.current().target)


WASM32 = Target("generic", "+simd128", fma=False, triple="wasm32-unknown-unknown")
"""WebAssembly with vectors of 16 bytes, as browsers have had it since 2021. It has no multiply-add."""
_BASELINE = {"x86_64": "x86-64-v3", "aarch64": "generic", "arm64": "generic"}
"""By architecture, the CPU that code for another machine is made for when none is named."""


def foreign_target(triple: str, cpu: str | None = None) -> Target:
    """Another machine's target, by its triple ("aarch64-linux-gnu") and LLVM's name of a CPU.

    Raises ValueError for an architecture that code is not generated for.
    """
    architecture = triple.partition("-")[0]
    if architecture not in _BASELINE:
        raise ValueError(f"no code is generated for {triple!r}; for {', '.join(_BASELINE)} and wasm32 it is")
    cpu = cpu or _BASELINE[architecture]
    return Target(cpu, "", fma=cpu != "x86-64", triple=_normalized(triple))


def _normalized(triple: str) -> str:
    """With a vendor, as LLVM reads triples: "aarch64-linux-gnu" leaves it out, "x86_64-windows" the ABI
    too.
    """
    architecture, *rest = triple.split("-")
    if rest[:1] == ["windows"]:
        return "-".join([architecture, "pc", "windows", *(rest[1:] or ["gnu"])])
    return "-".join([architecture, "unknown", *rest]) if rest[:1] == ["linux"] else triple


@functools.cache
def _machine(target: Target) -> Any:
    from llvmlite import binding

    if target.triple:
        _initialize_all_targets()
        machine = binding.Target.from_triple(target.triple)
    else:
        initialize_native_target()
        machine = binding.Target.from_default_triple()
    return machine.create_target_machine(
        cpu=target.cpu,
        features=target.features,
        opt=2,
        reloc="static" if target.is_wasm else "pic",
        codemodel="default",
    )


@functools.cache
def _initialize_all_targets() -> None:
    from llvmlite import binding

    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()


def data_layout(target: Target) -> str:
    """The target's data layout, as a module states it."""
    with llvm_lock:
        return str(_machine(target).target_data)


def compile_to_object(source: str, target: Target, dump: frozenset[str] = frozenset()) -> bytes:
    """Object code of a module's text, optimized for the target. The module is verified first."""
    from llvmlite import binding

    with llvm_lock:
        machine = _machine(target)
        module = binding.parse_assembly(source)
        module.triple = target.triple or binding.get_default_triple()
        module.verify()
        _optimize(module, machine)
        if "asm" in dump:
            _print(machine.emit_assembly(module))
        return bytes(machine.emit_object(module))


def _optimize(module: Any, machine: Any) -> None:
    """Run LLVM's passes over the module.

    A kernel is one function, emitted almost as it should run: the passes over functions, once, give code as
    fast as the whole of O2 in half the time. Functions that call one another want O2's inliner.
    """
    from llvmlite import binding

    bodies = [function for function in module.functions if not function.is_declaration]
    if sum(b"noinline" not in b" ".join(function.attributes) for function in bodies) > 1:
        builder = binding.create_pass_builder(machine, _tuning(2))
        builder.getModulePassManager().run(module, builder)
        return
    builder = binding.create_pass_builder(machine, _tuning(1))
    first = binding.create_new_module_pass_manager()
    first.add_sroa_pass()
    first.add_simplify_cfg_pass()
    first.add_post_order_function_attributes_pass()  # what cannot unwind needs no unwinding tables
    first.run(module, builder)
    passes = builder.getFunctionPassManager()
    for function in bodies:
        passes.run(function, builder)


def _tuning(level: int) -> Any:
    """No loop transformations: the loops are vector code already, LLVM's vectoriser has nothing to do."""
    from llvmlite import binding

    tuning = binding.create_pipeline_tuning_options(speed_level=level)
    tuning.loop_vectorization = False
    tuning.slp_vectorization = False
    tuning.loop_unrolling = False
    return tuning


def _print(text: str) -> None:
    import sys

    sys.stderr.write(text + "\n")
