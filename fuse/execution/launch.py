"""One kernel over one set of arrays: argument and control blocks, threads."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fuse.execution.binding import Bound, address_of
from fuse.execution.code import Code
from fuse.execution.tape import Scratch, Tape
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
    STEP_BLOCKS,
    STREAM,
    UNITS,
    UNITS_PER_MORSEL,
    argument_words,
)
from fuse.plan.schedule import BLOCK
from fuse.plan.steps import KernelStep
from fuse.runtime import threads


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
        self.steps = step.kernel.schedule.steps
        self.extra_scratch = -(-step.extra_scratch // _ALIGN) * _ALIGN
        moved = sum(b.dtype.itemsize for b in step.kernel.buffers if b.role in ("load", "store", "append"))
        self.stream = step.kernel.schedule.stream
        self.stored = [n for n, b in enumerate(step.kernel.buffers) if b.role == "store"]
        self.row_bytes = sum(step.kernel.buffers[n].dtype.itemsize for n in self.stored)
        self.writes = [buffer.role in ("store", "append", "partial") for buffer in step.kernel.buffers]
        self.row_ns = step.cost * OPERATION_NS + moved * BYTE_NS

    def launch(self, code: Code, bound: Bound, matrices: Sequence[int], tape: Tape | None = None) -> Launched:
        """Run the code over all units, on as many threads as repay themselves.

        `matrices`: strides of rows and columns, two words a buffer.
        """
        inner, outer = bound.inner, math.prod(bound.outer)
        blocks = -(-inner // self.block)
        along = bound.outer[-1] if self.steps else 1
        step_blocks = -(-along // self.steps) if self.steps else 1
        units = blocks * (outer // along) * step_blocks
        in_unit = min(inner, self.block) * (min(along, self.steps) if self.steps else 1)
        per_morsel = max(1, min(self.block if not self.steps else BLOCK, BLOCK) // in_unit)
        morsels = -(-units // per_morsel)
        workers = min(morsels, self._workers(inner * outer)) if morsels > 1 else 1
        per_worker = code.scratch + self.extra_scratch
        scratch = np.empty(per_worker * workers + _ALIGN, np.uint8) if per_worker else None
        counts = array("q", bytes(8 * units)) if self.keeps else None
        start = -(-address_of(scratch) // _ALIGN) * _ALIGN if scratch is not None else 0
        fixed = (start, per_worker, counts.buffer_info()[0] if counts is not None else 0)
        arguments = array("q", (*bound.words, *fixed, *matrices))
        streams = self._streams(bound, inner * outer)
        state = (0, morsels, units, per_morsel, inner, blocks, 0, workers == 1, 0, 0, streams, step_blocks)
        control = array("q", (*state, *_PADDING, *bound.outer))
        if tape is not None:
            if self.keeps or streams or self._repays_threads(inner * outer):
                tape.fail()
            else:
                wanted = Scratch(per_worker, len(bound.words))
                words = tuple(arguments), tuple(control)
                tape.launched(code, bound.arrays, self.writes, *words, wanted)
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
        return threads.get_num_threads() if self._repays_threads(rows) else 1

    def _repays_threads(self, rows: int) -> bool:
        return rows * self.row_ns > 4 * WAKE_NS


_ALIGN = 64
_STATE = (
    NEXT, MORSELS, UNITS, UNITS_PER_MORSEL, INNER, BLOCKS, OFFSET, SEQUENTIAL, ERROR, DOUBT, STREAM,
    STEP_BLOCKS,
)  # fmt: skip
_PADDING = (0,) * (CONTROL_WORDS - len(_STATE))
assert tuple(range(len(_STATE))) == _STATE
