"""From a graph to a row program: the kernels of the batch plan over one row, and views at no cost.

The plan is the one that batches run, so sums add in the same order and give the same bits; only tiles shrink
to what a row needs. What a batch leaves to NumPy (small or odd shapes) becomes a kernel of a single op, or
what `fuse/plan/row_ops.py` makes of it. A filter ends the run when it drops the row. What only the library
can do raises `NoRow` with the reason; the caller then has the ordinary path.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fuse.ir.interpret import Sizes
from fuse.ir.node import ConstantArray, Graph, Node
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import STRING, Count, Dim, Shape, Symbol
from fuse.optimize.driver import optimize
from fuse.plan.axes import Walk
from fuse.plan.classify import can_emit, is_loop_dtype
from fuse.plan.forest_layout import Strategy
from fuse.plan.kernels import (
    BASE,
    Access,
    Buffer,
    Forest,
    Instruction,
    Kernel,
    Layout,
    Map,
    Role,
    scratch_bytes,
)
from fuse.plan.placement import Domain
from fuse.plan.planner import count_of_mask, make_plan
from fuse.plan.row_ops import ROW_OPS
from fuse.plan.row_program import (
    TEXT_BYTES,
    Keep,
    NoRow,
    Operand,
    Place,
    RowProgram,
    RowStep,
    RunKernel,
    contiguous_strides,
)
from fuse.plan.schedule import Schedule
from fuse.plan.steps import Binding, KernelStep, Plan

STACK = 1 << 17
"""Bytes a row may take from the stack; a thread has some megabytes, but the caller's frames lie there too."""
_ALIGN = 64


def row_program(
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    checks: Sequence[Node] = (),
    forest: Strategy = "row",
) -> RowProgram:
    """The program of one row: the first axis of every input has length one. `forest`: how trees are
    evaluated, by a strategy for a single row.

    `checks` are outputs too, behind the others: they are looked at and not given back, so they need not
    follow a filter. Raises NoRow when a step of the plan runs in a library, when the program is too large for
    the stack, or when some output is left although a filter dropped the row.
    """
    graph = optimize(Graph((*outputs, *checks)))
    plan = make_plan(graph, inputs, forest=forest)
    program = Rows(plan, _filters(graph, graph.outputs[: len(outputs)])).program()
    if program.stack_bytes > STACK:
        raise NoRow(f"a row takes {program.stack_bytes} bytes of the stack, and there are {STACK}")
    return program


def _filters(graph: Graph, outputs: Sequence[Node]) -> frozenset[Node]:
    """The masks of all filters, and those whose count is a length. One that drops the row ends the run, so
    every output must be behind the same last filter, and each filter behind the one before.
    """
    masks = {mask for node in graph.nodes() for mask in node.masks}
    last = {_mask_of(node.shape) for node in outputs}
    mask = last.pop() if len(last) == 1 else None
    behind = set()
    while mask is not None:
        behind.add(mask)
        mask = _mask_of(mask.shape)
    if not masks <= behind:
        raise NoRow("a filter drops rows, and some output is not behind it")
    return frozenset(masks)


def _mask_of(shape: Shape) -> Node | None:
    first = shape[0] if shape else None
    return first.mask if isinstance(first, Count) else None


class _OneRow(Sizes):
    """The lengths of a run over one row that every filter keeps."""

    def __init__(self, inputs: Sequence[Node]) -> None:
        super().__init__()
        for node in inputs:
            self.symbols.update({dim: 1 for dim in node.shape[:1] if isinstance(dim, Symbol)})

    def __getitem__(self, dim: Dim) -> int:
        if isinstance(dim, Count):
            if self.shape(dim.mask.shape) != (1,):
                raise NoRow("a filter over elements that are not rows")
            return 1
        if isinstance(dim, Symbol) and dim not in self.symbols:
            raise NoRow(f"the length {dim.name} of another axis than the first is not known beforehand")
        return super().__getitem__(dim)

    def shape(self, shape: Shape) -> tuple[int, ...]:
        found = super().shape(shape)
        if 0 in found:
            raise NoRow(f"a value of shape {found} has no elements when there is one row")
        return found


class Rows:
    """The state of planning one row: where every node lies, and the steps so far."""

    def __init__(self, plan: Plan, filters: frozenset[Node] = frozenset()) -> None:
        self.plan = plan
        self.unapplied = set(filters)
        self.sizes: Sizes = _OneRow(plan.inputs)
        self.places: dict[Node, Place] = {}
        self.tables: dict[ConstantArray, int] = {}
        self.steps: list[RowStep] = []
        self.input_bytes = self.temporary_bytes = 0
        for node in plan.inputs:
            self.places[node] = self._input(node)

    def program(self) -> RowProgram:
        for step in self.plan.steps:
            if isinstance(step, KernelStep):
                for node in step.results:
                    self.places[node] = self.new(node.dtype, self.sizes.shape(node.shape))
                self.run(step.kernel, step.domain, self.bound(step.bindings), step.extra_scratch)
                if step.keeps:
                    self.unapplied.discard(step.domain.mask)
            else:
                self.places[step.node] = self.library(step.node)
        self.steps += [Keep(self.count(mask)) for mask in sorted(self.unapplied, key=lambda node: node.id)]
        places = tuple(self.place(node) for node in self.plan.outputs)
        inputs = tuple(self.places[node] for node in self.plan.inputs)
        blocks = (_aligned(self.input_bytes), _aligned(self.temporary_bytes))
        return RowProgram(inputs, places, tuple(self.steps), tuple(self.tables), *blocks)

    # Places

    def _input(self, node: Node) -> Place:
        shape = self.sizes.shape(node.shape)
        if node.dtype == STRING and math.prod(shape) != 1:
            raise NoRow(f"text of shape {shape}; a row has one text a column")
        size = TEXT_BYTES if node.dtype == STRING else _loop_dtype(node.dtype).itemsize
        offset = -(-self.input_bytes // min(size, 8)) * min(size, 8)
        self.input_bytes = offset + size * math.prod(shape)
        return Place("input", offset, node.dtype, shape, contiguous_strides(shape, size))

    def new(self, dtype: np.dtype, shape: tuple[int, ...]) -> Place:
        """A fresh temporary."""
        size = _loop_dtype(dtype).itemsize
        bytes_ = size * math.prod(shape)
        align = _ALIGN if bytes_ >= _ALIGN else size
        offset = -(-self.temporary_bytes // align) * align
        self.temporary_bytes = offset + bytes_
        return Place("temporary", offset, dtype, shape, contiguous_strides(shape, size))

    def table(self, array: ConstantArray) -> Place:
        """A known array."""
        number = self.tables.setdefault(array, len(self.tables))
        values = array.array
        return Place("table", 0, values.dtype, values.shape, values.strides, number)

    def count(self, mask: Node) -> Place:
        """How many rows a mask keeps: the plan counts them when a length is called after them."""
        counted = self.places.get(count_of_mask(mask))
        if counted is None:
            raise NoRow("a filter of which nothing but the count is needed")
        return counted

    def place(self, node: Node) -> Place:
        if node not in self.places and node.op == "constant":
            _loop_dtype(node.dtype)
            self.places[node] = self.table(node.attrs["value"])
        return self.places[node]

    # Kernels

    def bound(self, bindings: Sequence[Binding]) -> list[tuple[Place, str]]:
        """The place and the part of each buffer."""
        return [(self._bound(binding), binding.kind) for binding in bindings]

    def _bound(self, binding: Binding) -> Place:
        if binding.table is not None:
            return self.table(binding.table)
        assert binding.node is not None
        place = self.place(binding.node)
        if binding.column is None:
            return place
        column = binding.column
        return place.slice([(None, None, None), (column, column + 1, None)]).without([1])

    def run(
        self, kernel: Kernel, domain: Domain, bound: Sequence[tuple[Place, str]], extra_scratch: int = 0
    ) -> None:
        """A step that runs a kernel over the places of its buffers."""
        shape = self.sizes.shape(domain.shape)
        moving = [buffer.role in ("load", "store", "append") for buffer in kernel.buffers]
        walk = domain.walk(shape, [p for (p, _), m in zip(bound, moving, strict=True) if m])
        if walk is None:
            raise NoRow("a reduction over axes that do not lie side by side")
        if domain.steps and (walk.lengths[-1] > kernel.schedule.steps or walk.length > kernel.schedule.block):
            raise NoRow("a reduction over more values than one unit of a kernel takes")
        is_split = walk.length > kernel.schedule.block or (math.prod(walk.lengths) > 1 and not domain.reduced)
        if is_split and _reduces(kernel):
            raise NoRow("a reduction over more values than one unit of a kernel takes")
        kernel = replace(kernel, schedule=_schedule(kernel, walk.length))
        operands, access = [], []
        for (place, part), follows in zip(bound, moving, strict=True):
            strides = walk.strides(place) if follows else (0,) * (len(walk.outer) + 1)
            access.append(_access(strides[-1], place, walk) if follows else "uniform")
            operands.append(Operand(place, part, strides))  # type: ignore[arg-type]  # a kind of Binding
        layout = Layout(len(walk.outer), tuple(access))
        scratch = _aligned(scratch_bytes(kernel, layout)) + _aligned(extra_scratch)
        self.steps.append(RunKernel(kernel, layout, walk.lengths, walk.length, tuple(operands), scratch))

    # What a batch leaves to the interpreter

    def library(self, node: Node) -> Place:
        if node.op in SCALAR_OPS or node.op == "convert":
            return self.elementwise(node)
        rule = ROW_OPS.get(node.op)
        if rule is None:
            where = "" if node.location is None else f" at {node.location}"
            raise NoRow(f"{node.op}{where} runs in a library")
        self.sizes.shape(node.shape)  # raises NoRow when there are no elements
        return rule(self, node)

    def elementwise(self, node: Node) -> Place:
        """One op as a kernel of its own."""
        dtypes = [operand.dtype for operand in node.inputs]
        if not is_loop_dtype(node.dtype) or not can_emit(node.op, dtypes):
            raise NoRow(f"{node.op} of {', '.join(map(str, dtypes))} runs in NumPy")
        result = self.new(node.dtype, self.sizes.shape(node.shape))
        sources = [self.place(operand) for operand in node.inputs]
        roles: list[Role] = ["load" if place.shape == result.shape else "uniform" for place in sources]
        body = [
            Instruction(role, (), place.dtype, number)
            for number, (role, place) in enumerate(zip(roles, sources, strict=True))
        ]
        body.append(Instruction(node.op, tuple(range(len(body))), node.dtype))
        self.single(roles, sources, body, result)
        return result

    def single(
        self, roles: Sequence[Role], sources: Sequence[Place], body: Sequence[Instruction], result: Place
    ) -> None:
        """A kernel of one map whose last value goes to `result`."""
        buffers = [Buffer(place.dtype, role) for place, role in zip(sources, roles, strict=True)]
        stores = ((len(body) - 1, len(buffers)),)
        buffers.append(Buffer(result.dtype, "store"))
        lanes = max(1, 64 // max(buffer.dtype.itemsize for buffer in buffers))
        kernel = Kernel((Map(BASE, tuple(body), stores=stores),), tuple(buffers), (), Schedule(lanes=lanes))
        bound = [(place, "value") for place in (*sources, result)]
        self.run(kernel, Domain(result.shape, None, ()), bound)

    def copy(self, source: Place, target: Place) -> None:
        """target[...] = source, of one shape."""
        self.single(["load"], [source], [Instruction("load", (), source.dtype, 0)], target)

    def contiguous(self, place: Place) -> Place:
        if place.is_contiguous:
            return place
        copied = self.new(place.dtype, place.shape)
        self.copy(place, copied)
        return copied


def _loop_dtype(dtype: np.dtype) -> np.dtype:
    if not is_loop_dtype(dtype) or dtype.kind == "c":
        raise NoRow(f"a value of dtype {dtype}")
    return dtype


def _aligned(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN


def _reduces(kernel: Kernel) -> bool:
    return any(isinstance(stage, Map) and stage.reductions for stage in kernel.stages)


def _has_halves(kernel: Kernel) -> bool:
    bodies = [stage.body for stage in kernel.stages if isinstance(stage, Map)]
    return any(instruction.dtype == np.float16 for body in bodies for instruction in body)


def _schedule(kernel: Kernel, inner: int) -> Schedule:
    """One lane for one element, and for forests, which take the rows one by one. Otherwise lanes that sums
    need, because they fix the order of adding, and half precision, because LLVM makes two roundings of single
    values one; the tile fits them.
    """
    schedule, lanes = kernel.schedule, kernel.schedule.lanes
    reduces, has_halves = _reduces(kernel), _has_halves(kernel)
    has_forest = any(isinstance(stage, Forest) for stage in kernel.stages)
    if has_forest and (has_halves or (reduces and inner > 1)):
        raise NoRow("a forest whose rows are taken together")
    if not has_halves and (has_forest or inner == 1):
        return replace(schedule, tile=1, lanes=1, peel=False, stream=0)
    while lanes >= 2 * inner and lanes > 1 and not reduces and not has_halves:
        lanes //= 2
    whole = -(-inner // lanes) * lanes
    return replace(schedule, tile=max(2, min(schedule.tile, whole)), lanes=lanes, peel=False, stream=0)


def _access(stride: int, place: Place, walk: Walk) -> Access:
    if walk.length == 1 or stride == place.itemsize:
        return "unit"
    return "uniform" if stride == 0 else "strided"
