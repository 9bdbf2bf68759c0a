"""From a plan to an exported program: kernels with their operands bound, and loops for what a library does.

The plan is the one that runs in this process, so sums add in the same order. Only the lanes of kernels whose
result does not depend on them shrink to what narrow vectors hold. What only a library can do raises
`NoProgram` with the node. Left out: how single ops are taken apart (fuse/export/library_ops.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fuse.export.lengths import Lengths
from fuse.export.program import (
    Allocate,
    Blocks,
    Combine,
    Count,
    NoProgram,
    Operand,
    Program,
    RunKernel,
    Step,
    Value,
    has_rest,
)
from fuse.ir.node import ConstantArray, Node
from fuse.ir.types import STRING, Symbol
from fuse.ir.types import Count as CountDim
from fuse.plan.axes import Walk
from fuse.plan.classify import is_loop_dtype
from fuse.plan.kernels import Access, Kernel, Layout, Map, scratch_bytes
from fuse.plan.placement import Domain
from fuse.plan.row_program import contiguous_strides
from fuse.plan.schedule import ENDLESS, LIGHT
from fuse.plan.steps import Binding, KernelStep, Plan, Update, UpdateStep

_ALIGN = 64


def lower(plan: Plan, vector_bytes: int = 0) -> Program:
    """The program of a plan, for registers of so many bytes (0: as the plan has it).

    NoProgram names what stands in the way.
    """
    return Lowering(plan, vector_bytes).program()


class Lowering:
    """The state of lowering one plan: where every node lies, and the steps so far."""

    def __init__(self, plan: Plan, vector_bytes: int) -> None:
        self.plan, self.vector_bytes = plan, vector_bytes
        self.lengths = Lengths()
        self.steps: list[Step] = []
        self.values: dict[Node, Value] = {}
        self.tables: dict[ConstantArray, int] = {}
        self.temporaries = 0
        self.counted: set[int] = set()
        for number, node in enumerate(plan.inputs):
            self.values[node] = self._input(node, number)

    def program(self) -> Program:
        from fuse.export.library_ops import lower_library

        for step in self.plan.steps:
            if isinstance(step, KernelStep) and self._can_step(step):
                self._kernel(step)
                continue
            if isinstance(step, KernelStep):
                self._folds(step)
                continue
            if isinstance(step, UpdateStep):
                part = self._updated(step.update)
                self.copy(self.value(step.node.inputs[1]), part)
            else:
                self.values[step.node] = lower_library(self, step.node)
            self._learn(step.node)
        outputs = tuple(self.output(node) for node in self.plan.outputs)
        inputs = tuple(self.values[node] for node in self.plan.inputs)
        return Program(
            inputs, outputs, tuple(self.steps), tuple(self.tables), self.temporaries, self._symbols(),
            self.lengths,
        )  # fmt: skip

    def _symbols(self) -> tuple[int, ...]:
        """The lengths that inputs have."""
        dims = [dim for node in self.plan.inputs for dim in node.shape if isinstance(dim, Symbol)]
        return tuple(self.lengths[dim] for dim in dict.fromkeys(dims))

    # Values

    def _input(self, node: Node, number: int) -> Value:
        shape = self.lengths.shape(node.shape)
        size = 1 if node.dtype == STRING else self.check(node).itemsize
        return Value("input", number, node.dtype, shape, contiguous_strides(shape, size))

    def check(self, node: Node) -> np.dtype:
        """The dtype of a node that loops know. NoProgram for another."""
        if not is_loop_dtype(node.dtype):
            raise NoProgram(f"{node.op} gives {node.dtype}", node)
        return node.dtype

    def new(self, dtype: np.dtype, shape: tuple[int, ...], room: tuple[int, ...] | None = None) -> Value:
        """A fresh temporary; `room`: the shape that its memory is for, when that is another."""
        number = self.temporaries
        self.temporaries += 1
        self.steps.append(Allocate(number, dtype.itemsize * math.prod(shape if room is None else room)))
        return Value("temporary", number, dtype, shape, contiguous_strides(shape, dtype.itemsize))

    def of(self, node: Node) -> Value:
        """A fresh temporary for a node's value."""
        return self.new(self.check(node), self.lengths.shape(node.shape))

    def table(self, array: ConstantArray) -> Value:
        """A known array."""
        number = self.tables.setdefault(array, len(self.tables))
        values = array.array
        return Value("table", number, values.dtype, values.shape, values.strides)

    def value(self, node: Node) -> Value:
        """Where a node's value lies."""
        if node not in self.values and node.op == "constant":
            self.check(node)
            self.values[node] = self.table(node.attrs["value"])
        return self.values[node]

    def contiguous(self, value: Value) -> Value:
        """The same elements side by side."""
        if value.is_contiguous:
            return value
        copied = self.new(value.dtype, value.shape)
        self.copy(value, copied)
        return copied

    def copy(self, source: Value, target: Value) -> None:
        """target[...] = source, of one shape."""
        from fuse.export.library_ops import copy

        copy(self, source, target)

    def output(self, node: Node) -> Value:
        """A result: contiguous, in memory of the program."""
        value = self.contiguous(self.value(node))
        if value.memory == "temporary":
            return value
        copied = self.new(value.dtype, value.shape)
        self.copy(value, copied)
        return copied

    # Kernels

    def _kernel(self, step: KernelStep) -> None:
        shape = self.lengths.shape(step.domain.shape)
        parts = {update.node.inputs[1]: self._updated(update) for update in step.updates}
        for node in step.results:
            self.values[node] = parts[node] if node in parts else self._result(step, node, shape)
        bound = [(self._bound(binding), binding.kind) for binding in step.bindings]
        kept = self.lengths[CountDim(step.domain.mask)] if step.keeps and step.domain.mask is not None else 0
        self.run(self._narrowed(step), step.domain, bound, step.extra_scratch, kept)
        if kept:
            self.counted.add(kept)
        for node in step.results:
            self._learn(node)

    def _can_step(self, step: KernelStep) -> bool:
        """Whether one unit of a kernel of steps takes all of them, so that nothing is left to fold."""
        longest = step.kernel.schedule.steps
        along = math.prod(self.lengths.shape(tuple(step.domain.shape[axis] for axis in step.domain.steps)))
        return longest in (0, ENDLESS) or along <= longest

    def _folds(self, step: KernelStep) -> None:
        """Reductions along an axis of unknown length, one by one, of what lies in memory."""
        from fuse.export.library_ops import lower_library

        for node in step.results:
            if node.op != "reduce" or node.inputs[0] not in self.values:
                raise NoProgram("a reduction along an axis of unknown length", node)
            self.values[node] = lower_library(self, node)
            self._learn(node)

    def _result(self, step: KernelStep, node: Node, shape: tuple[int, ...]) -> Value:
        """Room for a result; that of a reduction follows its partial results, see `run`."""
        mask, dtype = step.domain.mask, self.check(node)
        own = self.lengths.shape(node.shape)
        if mask is not None and node.op != "reduce" and node.shape and node.shape[0] == CountDim(mask):
            return self.new(dtype, own, (shape[0], *own[1:]))
        return self.new(dtype, own)

    def _updated(self, update: Update) -> Value:
        """The part of an update's result that its new elements go to; the rest stands there already."""
        base, values = update.node.inputs
        whole = self.value(base)
        if not update.in_place or whole.memory != "temporary" or 0 in whole.strides:
            whole = self.of(update.node)
            self.copy(self.value(base), whole)
        self.values[update.node] = whole
        return whole.slice(update.node.attrs["slices"], self.lengths.shape(values.shape))

    def _bound(self, binding: Binding) -> Value:
        if binding.table is not None:
            return self.table(binding.table)
        assert binding.node is not None
        value = self.value(binding.node)
        if binding.column is None:
            return value
        column = binding.column
        rows = value.slice([(None, None, None), (column, column + 1, None)], (value.shape[0], 1))
        return rows.without([1])

    def run(
        self,
        kernel: Kernel,
        domain: Domain,
        bound: Sequence[tuple[Value, str]],
        extra_scratch: int = 0,
        kept: int = 0,
    ) -> None:
        """A step that runs a kernel over its operands, and those that fold its partial results."""
        shape = self.lengths.shape(domain.shape)
        values = [value for value, _ in bound]
        moving = [buffer.role in ("load", "store", "append") for buffer in kernel.buffers]
        for place, buffer in enumerate(kernel.buffers):
            value, part = bound[place]
            is_column = buffer.role == "table" and part == "value" and len(value.shape) == 1
            if is_column and value.strides[0] != value.itemsize:
                values[place] = self.contiguous(value)
        walk = self._walk(shape, values, moving, domain)
        results = {
            place: values[place]
            for place, buffer in enumerate(kernel.buffers)
            if buffer.role == "partial" and not domain.steps
        }
        blocks = Blocks(walk.length, kernel.schedule.block)
        for place, result in results.items():
            values[place] = self._partials(result.dtype, walk, blocks)
        operands, access = [], []
        for value, (_, part), follows in zip(values, bound, moving, strict=True):
            strides = walk.strides(value) if follows and value.shape else (0,) * (len(walk.outer) + 1)
            access.append(_access(strides[-1], value) if follows else "uniform")
            operands.append(Operand(value, part, strides))  # type: ignore[arg-type]  # a kind of Binding
        layout = Layout(len(walk.outer), tuple(access))
        scratch = _aligned(scratch_bytes(kernel, layout)) + _aligned(extra_scratch)
        found = RunKernel(kernel, layout, walk.lengths, walk.length, tuple(operands), scratch, kept)
        self.steps.append(found)
        kinds, rows = _kinds(kernel), math.prod(walk.lengths)
        whole = blocks if domain.reduced else replace(blocks, outer=rows)
        for place, result in results.items():
            partials = values[place]
            rest = (
                self._partials(result.dtype, walk, blocks)
                if has_rest(kinds[place], result.dtype)
                else partials
            )
            rows = rows if domain.reduced else 1
            self.steps.append(Combine(kinds[place], partials, rest, rows, whole, result))

    def _walk(
        self, shape: tuple[int, ...], values: list[Value], moving: Sequence[bool], domain: Domain
    ) -> Walk:
        """How to walk the axes; operands whose reduced axes do not make one are copied so that they do."""
        walk = domain.walk(shape, [v for v, m in zip(values, moving, strict=True) if m])
        if walk is not None:
            return walk
        order = domain.order()
        back = [order.index(axis) for axis in range(len(shape))]
        for place, moves in enumerate(moving):
            if moves:
                values[place] = self.contiguous(values[place].transpose(order)).transpose(back)
        walk = domain.walk(shape, [v for v, m in zip(values, moving, strict=True) if m])
        assert walk is not None, "contiguous axes collapse"
        return walk

    def _partials(self, dtype: np.dtype, walk: Walk, blocks: Blocks) -> Value:
        """Room for a value of each unit."""
        number, outer = self.temporaries, math.prod(walk.lengths)
        self.temporaries += 1
        self.steps.append(Allocate(number, dtype.itemsize * outer, blocks))
        return Value("temporary", number, dtype, (outer,), (dtype.itemsize,))

    def _narrowed(self, step: KernelStep) -> Kernel:
        """The kernel with as many lanes as a few registers hold, unless they fix the order in which floats
        are folded; with small code in a small module; and never past the caches, which asks for aligned
        arrays. Four registers a value for light bodies, two for heavy ones, which fill the registers anyway.
        """
        kernel, registers = step.kernel, 4 if step.cost <= LIGHT else 2
        schedule = replace(kernel.schedule, stream=0, peel=kernel.schedule.peel and not self.vector_bytes)
        kernel = replace(kernel, schedule=schedule)
        if not self.vector_bytes or _is_ordered(kernel):
            return kernel
        dtypes = [buffer.dtype for buffer in kernel.buffers if buffer.role != "table"] + list(kernel.tiles)
        bodies = [stage.body for stage in kernel.stages if isinstance(stage, Map)]
        dtypes += [instruction.dtype for body in bodies for instruction in body]
        widest = max((dtype.itemsize for dtype in dtypes), default=8)
        lanes = max(1, min(kernel.schedule.lanes, registers * self.vector_bytes // max(widest, 2)))
        return replace(kernel, schedule=replace(schedule, lanes=lanes))

    def _learn(self, node: Node) -> None:
        """A reduction that counts a mask tells the length of what the mask keeps."""
        if node.op != "reduce" or node.attrs["kind"] != "sum":
            return
        (source,) = node.inputs
        if source.op != "convert" or source.dtype != np.int64 or source.type.rank != 1:
            return
        if source.inputs[0].dtype == np.dtype(bool):
            length = self.lengths[CountDim(source.inputs[0])]
            if length not in self.counted:
                self.counted.add(length)
                self.steps.append(Count(length, self.values[node]))


def _kinds(kernel: Kernel) -> dict[int, str]:
    """The kind of each reduction, by its buffer."""
    stages = (stage for stage in kernel.stages if isinstance(stage, Map))
    return {reduction.buffer: reduction.kind for stage in stages for reduction in stage.reductions}


def _is_ordered(kernel: Kernel) -> bool:
    """Whether a reduction of floats depends on the lanes."""
    stages = (stage for stage in kernel.stages if isinstance(stage, Map))
    return any(
        stage.body[reduction.value].dtype.kind == "f" for stage in stages for reduction in stage.reductions
    )


def _aligned(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN


def _access(stride: int, value: Value) -> Access:
    if stride == value.itemsize:
        return "unit"
    return "uniform" if stride == 0 else "strided"
