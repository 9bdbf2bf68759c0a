"""One kernel over one set of arrays: compiled code from the caches, argument and control blocks, threads."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fuse import config
from fuse.execution.binding import Bound
from fuse.plan.cost import BYTE_NS, OPERATION_NS, WAKE_NS
from fuse.plan.kernels import (
    BLOCKS,
    CONTROL_WORDS,
    ERROR,
    INNER,
    MORSELS,
    NEXT,
    OFFSET,
    SEQUENTIAL,
    UNITS,
    UNITS_PER_MORSEL,
    Kernel,
    Layout,
    to_text,
)
from fuse.plan.steps import KernelStep
from fuse.runtime import cache, threads

FORMAT = 1
"""Raised whenever generated code or the calling convention changes, so that old cache entries are not used."""


@dataclass(frozen=True)
class Code:
    """Loaded machine code of a kernel; `library` keeps it alive."""

    address: int
    library: object
    scratch: int


@dataclass
class CodeCache:
    """Compiled kernels of this process, by text, layout and target; hits and misses are counted for `explain`."""

    codes: dict[str, Code] = field(default_factory=dict)
    compiled: int = 0
    loaded: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


codes = CodeCache()


def code_for(kernel: Kernel, layout: Layout) -> Code:
    """Machine code for arrays that lie like this: from memory, from disk, or compiled now."""
    from fuse.codegen.target import current_target

    target = current_target()
    text = f"{FORMAT}\n{layout}\n{to_text(kernel)}"
    key = hashlib.sha256(f"{target.key}\n{text}".encode()).hexdigest()
    found = codes.codes.get(key)
    if found is not None:
        return found
    with codes.lock:
        return codes.codes.get(key) or _load(key, kernel, layout)


def _load(key: str, kernel: Kernel, layout: Layout) -> Code:
    from fuse.codegen.frame import scratch_bytes
    from fuse.codegen.kernel import SYMBOL
    from fuse.runtime import loader

    object_code = cache.get(key)
    if object_code is None or config.current().dump & {"llvm", "asm"}:
        object_code = _compile(kernel, layout)
        cache.put(key, object_code)
        codes.compiled += 1
    else:
        codes.loaded += 1
    library = loader.load(object_code, [SYMBOL])
    code = codes.codes[key] = Code(library[SYMBOL], library, scratch_bytes(kernel))
    return code


def _compile(kernel: Kernel, layout: Layout) -> bytes:
    from fuse.codegen.kernel import emit_module
    from fuse.codegen.target import compile_to_object, current_target

    dump = config.current().dump
    source = emit_module(kernel, layout, current_target())
    if "llvm" in dump:
        sys.stderr.write(source + "\n")
    return compile_to_object(source, current_target(), dump)


@dataclass(frozen=True, slots=True)
class Launched:
    """What a run left: survivors of each unit (empty when none were counted), whether the error flag is set."""

    counts: np.ndarray
    failed: bool
    in_order: bool


def launch(
    step: KernelStep, code: Code, bound: Bound, matrices: Sequence[tuple[int, int]]
) -> Launched:
    """Run the code over all units on as many threads as repay themselves. `matrices`: two strides a buffer."""
    kernel = step.kernel
    block = kernel.schedule.block
    blocks = -(-bound.inner // block)
    units = blocks
    for length in bound.outer:
        units *= length
    per_morsel = max(1, block // max(bound.inner, 1))
    morsels = -(-units // per_morsel)
    workers = min(morsels, _workers(kernel, bound, units, step.cost))
    control = np.zeros(CONTROL_WORDS + len(bound.outer), np.int64)
    control[NEXT : NEXT + 8] = (0, morsels, units, per_morsel, bound.inner, blocks, 0, workers == 1)
    control[CONTROL_WORDS:] = bound.outer
    counts = np.empty(units if step.keeps else 0, np.int64)
    per_worker = code.scratch + -(-step.extra_scratch // 64) * 64
    scratch = np.empty(per_worker * workers + 64, np.uint8)
    start = -(-scratch.ctypes.data // 64) * 64
    strides = [stride for pair in matrices for stride in pair]
    arguments = np.array([*bound.words, start, per_worker, counts.ctypes.data, *strides], np.int64)
    threads.run(code.address, arguments.ctypes.data, control.ctypes.data, workers)
    return Launched(counts, bool(control[ERROR]), workers == 1)


assert (NEXT, MORSELS, UNITS, UNITS_PER_MORSEL, INNER, BLOCKS, OFFSET, SEQUENTIAL) == tuple(range(8))


def _workers(kernel: Kernel, bound: Bound, units: int, cost: float) -> int:
    """As many threads as there are, when the work is worth several wake-ups."""
    elements = bound.inner
    for length in bound.outer:
        elements *= length
    size = sum(buffer.dtype.itemsize for buffer in kernel.buffers if buffer.role in ("load", "store", "append"))
    work = elements * (cost * OPERATION_NS + size * BYTE_NS)
    return threads.get_num_threads() if work > 4 * WAKE_NS and units > 1 else 1
