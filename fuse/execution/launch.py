"""One kernel over one set of arrays: compiled code from the caches, argument and control blocks, threads."""

from __future__ import annotations

import math
import sys
import threading
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fuse import config
from fuse.execution.binding import Bound, address_of
from fuse.plan.cost import BYTE_NS, OPERATION_NS, WAKE_NS
from fuse.plan.kernels import (
    BLOCKS,
    CONTROL_WORDS,
    DOUBT,
    ERROR,
    INNER,
    MORSELS,
    NEXT,
    OFFSET,
    SEQUENTIAL,
    STREAM,
    SYMBOL,
    UNITS,
    UNITS_PER_MORSEL,
    Kernel,
    Layout,
    argument_words,
    scratch_bytes,
    to_text,
)
from fuse.plan.steps import KernelStep
from fuse.runtime import cache, sources, threads
from fuse.runtime.collection import rare_collections


@dataclass(frozen=True)
class Code:
    """Loaded machine code of a kernel; `library` keeps it alive."""

    address: int
    library: object
    scratch: int


@dataclass
class CodeCache:
    """Compiled kernels of this process, by text, layout and target; hits and misses are counted for
    `explain`.
    """

    codes: dict[str, Code] = field(default_factory=dict)
    compiled: int = 0
    loaded: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


codes = CodeCache()


def code_for(kernel: Kernel, layout: Layout) -> Code:
    """Machine code for arrays that lie like this: from memory, from disk, or compiled now."""
    from fuse.codegen.target import current_target

    target = current_target()
    key = sources.key(target.key, str(layout), to_text(kernel))
    found = codes.codes.get(key)
    if found is not None:
        return found
    with codes.lock:
        return codes.codes.get(key) or _load(key, kernel, layout)


def _load(key: str, kernel: Kernel, layout: Layout) -> Code:
    from fuse.runtime import loader

    object_code = cache.get(key)
    if object_code is None or config.current().dump & {"llvm", "asm"}:
        object_code = _compile(kernel, layout)
        cache.put(key, object_code)
        codes.compiled += 1
    else:
        codes.loaded += 1
    library = loader.load(object_code, [SYMBOL])
    code = codes.codes[key] = Code(library[SYMBOL], library, scratch_bytes(kernel, layout))
    return code


def _compile(kernel: Kernel, layout: Layout) -> bytes:
    from fuse.codegen.kernel import emit_module
    from fuse.codegen.target import compile_to_object, current_target

    dump = config.current().dump
    with rare_collections():
        source = emit_module(kernel, layout, current_target())
    if "llvm" in dump:
        sys.stderr.write(source + "\n")
    return compile_to_object(source, current_target(), dump)


@dataclass(frozen=True, slots=True)
class Launched:
    """What a run left: survivors of each unit (none when not counted), whether the error flag is set, and
    whether some operation may have overflowed, divided by zero or been invalid.
    """

    counts: Sequence[int]
    failed: bool
    in_order: bool
    doubtful: bool


class Launcher:
    """Starts one kernel; what does not change from call to call is worked out once."""

    def __init__(self, step: KernelStep) -> None:
        self.keeps = step.keeps
        self.block = step.kernel.schedule.block
        self.extra_scratch = -(-step.extra_scratch // _ALIGN) * _ALIGN
        moved = sum(b.dtype.itemsize for b in step.kernel.buffers if b.role in ("load", "store", "append"))
        self.stream = step.kernel.schedule.stream
        self.stored = [n for n, b in enumerate(step.kernel.buffers) if b.role == "store"]
        self.row_bytes = sum(step.kernel.buffers[n].dtype.itemsize for n in self.stored)
        self.row_ns = step.cost * OPERATION_NS + moved * BYTE_NS

    def launch(self, code: Code, bound: Bound, matrices: Sequence[int]) -> Launched:
        """Run the code over all units, on as many threads as repay themselves.

        `matrices`: strides of rows and columns, two words a buffer.
        """
        inner, outer = bound.inner, math.prod(bound.outer)
        blocks = -(-inner // self.block)
        units = blocks * outer
        per_morsel = max(1, self.block // inner)
        morsels = -(-units // per_morsel)
        workers = min(morsels, self._workers(inner * outer)) if morsels > 1 else 1
        per_worker = code.scratch + self.extra_scratch
        scratch = np.empty(per_worker * workers + _ALIGN, np.uint8) if per_worker else None
        counts = array("q", bytes(8 * units)) if self.keeps else None
        start = -(-address_of(scratch) // _ALIGN) * _ALIGN if scratch is not None else 0
        fixed = (start, per_worker, counts.buffer_info()[0] if counts is not None else 0)
        arguments = array("q", (*bound.words, *fixed, *matrices))
        streams = self._streams(bound, inner * outer)
        state = (0, morsels, units, per_morsel, inner, blocks, 0, workers == 1, 0, 0, streams)
        control = array("q", (*state, *_PADDING, *bound.outer))
        threads.run(code.address, arguments.buffer_info()[0], control.buffer_info()[0], workers)
        kept = counts if counts is not None else ()
        return Launched(kept, bool(control[ERROR]), workers == 1, bool(control[DOUBT]))

    def _streams(self, bound: Bound, rows: int) -> bool:
        """Whether the outputs are written past the caches: they are large, and every vector is aligned."""
        if not self.stream or rows * self.row_bytes < self.stream:
            return False
        width = argument_words(bound.layout)
        rows_of_words = (bound.words[width * n : width * n + width] for n in self.stored)
        distances = [d for address, _, *strides in rows_of_words for d in (address, *strides[:-1])]
        return all(distance % _ALIGN == 0 for distance in distances)

    def _workers(self, rows: int) -> int:
        """All threads, when the work is worth several wake-ups."""
        return threads.get_num_threads() if rows * self.row_ns > 4 * WAKE_NS else 1


_ALIGN = 64
_PADDING = (0,) * (CONTROL_WORDS - 11)
_STATE = (NEXT, MORSELS, UNITS, UNITS_PER_MORSEL, INNER, BLOCKS, OFFSET, SEQUENTIAL, ERROR, DOUBT, STREAM)
assert tuple(range(11)) == _STATE
