"""A whole kernel: morsels, units, tiles, stages.

void kernel(arguments, control, worker):
    while (morsel = control.next++) < morsels:
        for unit in the units of the morsel:
            for sweep in sweeps over the unit (mostly one):
                for tile in the rows of the unit:
                    for stage in the stages of the sweep: run it over the tile
                write the unit's partial results of the sweep
            count the unit's survivors
    note whether some operation may have overflowed, divided by zero or been invalid
"""

from __future__ import annotations

from dataclasses import replace

from llvmlite import ir

from fuse.codegen import reductions, scans
from fuse.codegen.arg_reduce import emit_arg_reduce
from fuse.codegen.dot import emit_dot
from fuse.codegen.dtypes import I8, I64, POINTER, word
from fuse.codegen.forest import emit_forest
from fuse.codegen.frame import Frame, Span, at, load_word, store_word
from fuse.codegen.loops import counted_loop, minimum, when
from fuse.codegen.maps import emit_map, fixed_values
from fuse.codegen.matrix import emit_load_matrix
from fuse.codegen.reductions import Accumulator
from fuse.codegen.scalar import Scalar
from fuse.codegen.status import Status
from fuse.codegen.steps import emit_stepped_unit
from fuse.codegen.target import Target, data_layout
from fuse.codegen.text import emit_compare_text
from fuse.plan import forest_layout
from fuse.plan.kernels import (
    BASE,
    BLOCKS,
    CONTROL_WORDS,
    INNER,
    MORSELS,
    NEXT,
    OFFSET,
    SEQUENTIAL,
    SYMBOL,
    UNITS,
    UNITS_PER_MORSEL,
    ArgReduce,
    CompareText,
    Dot,
    Forest,
    Kernel,
    Layout,
    LoadMatrix,
    Map,
    Stage,
    argument_words,
    scratch_bytes,
)


def emit_module(kernel: Kernel, layout: Layout, target: Target) -> str:
    """LLVM IR of a module whose function `kernel` runs this kernel over arrays laid out like this."""
    module = ir.Module("fuse")
    module.data_layout = data_layout(target)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER, POINTER, I64]), SYMBOL)
    for argument in function.args[:2]:
        argument.add_attribute("noalias")
    stack, entry, start = (function.append_basic_block(name) for name in ("stack", "entry", "start"))
    ir.IRBuilder(stack).branch(entry)
    b, entry_builder = ir.IRBuilder(start), ir.IRBuilder(entry)
    frame = _frame(kernel, layout, target, b, entry_builder, function)
    status = Status(frame)
    status.begin(entry_builder)
    _emit_morsels(frame)
    status.end(b)
    b.ret_void()
    entry_builder.branch(start)
    return str(module)


def _frame(
    kernel: Kernel,
    layout: Layout,
    target: Target,
    b: ir.IRBuilder,
    entry: ir.IRBuilder,
    function: ir.Function,
) -> Frame:
    arguments, control, worker = function.args
    tail = len(kernel.buffers) * argument_words(layout)
    start, size = load_word(entry, arguments, tail), load_word(entry, arguments, tail + 1)
    scratch = entry.inttoptr(entry.add(start, entry.mul(worker, size)), POINTER)
    return Frame(kernel, layout, b, Scalar(b, target.fma), target, entry, arguments, control, scratch)


def _emit_morsels(frame: Frame) -> None:
    b = frame.builder
    total, per_morsel, morsels = map(frame.control_word, (UNITS, UNITS_PER_MORSEL, MORSELS))
    head, body, done = (b.append_basic_block(name) for name in ("morsel", "units", "done"))
    b.branch(head)
    b.position_at_end(head)
    morsel = b.atomic_rmw("add", b.gep(frame.control, [word(NEXT)], source_etype=I64), word(1), "monotonic")
    b.cbranch(b.icmp_signed("<", morsel, morsels), body, done)
    b.position_at_end(body)
    first = b.mul(morsel, per_morsel)
    accumulators = make_accumulators(frame)
    with counted_loop(b, first, minimum(b, b.add(first, per_morsel), total), 1, "unit") as unit:
        emit_unit(frame, unit, accumulators)
    b.branch(head)
    b.position_at_end(done)


def make_accumulators(frame: Frame) -> dict[int, list[Accumulator]]:
    """Lanes for the reductions of each stage, by the number of the stage."""
    stages = enumerate(frame.kernel.stages)
    scans.make_carries(frame)
    if frame.kernel.schedule.steps:
        return {}
    return {n: reductions.make_accumulators(frame, stage) for n, stage in stages if isinstance(stage, Map)}


def emit_unit(frame: Frame, unit: ir.Value, accumulators: dict[int, list[Accumulator]]) -> None:
    """One unit: its tiles through all stages, then its partial results and its count of survivors."""
    if frame.kernel.schedule.steps:
        _emit_steps(frame, unit)
        return
    b, schedule = frame.builder, frame.kernel.schedule
    inner = frame.control_word(INNER)
    block = unit
    outer = None
    if frame.layout.outer_rank:
        blocks = frame.control_word(BLOCKS)
        outer = b.sdiv(unit, blocks)
        block = b.sub(unit, b.mul(outer, blocks))
    start = b.mul(block, word(schedule.block))
    rows = minimum(b, word(schedule.block), b.sub(inner, start))
    frame.bases = _bases(frame, outer, frame.layout.outer_rank)
    scans.start_unit(frame)
    keeps = _keeps_rows(frame.kernel)
    total = frame.alloca(I64) if keeps else None
    if total is not None:
        b.store(word(0), total)
    output = _output_origin(frame, start) if keeps else None
    frame.unit = unit
    for stages in _sweeps(frame.kernel):
        own = {number: accumulators[number] for number in stages if number in accumulators}
        _fix_values(frame, stages)
        for group in own.values():
            reductions.start_unit(frame, group)
        with counted_loop(b, word(0), rows, schedule.tile, "tile") as tile:
            span = Span(minimum(b, word(schedule.tile), b.sub(rows, tile)), b.add(start, tile))
            _emit_tile(frame, stages, span, own, total, output)
        for group in own.values():
            reductions.finish_unit(frame, group, unit)
    if total is not None:
        _finish_kept(frame, unit, total)


def _sweeps(kernel: Kernel) -> list[list[int]]:
    """The numbers of the stages of each sweep."""
    sweeps = kernel.sweeps or (0,) * len(kernel.stages)
    return [[n for n, sweep in enumerate(sweeps) if sweep == current] for current in sorted(set(sweeps))]


def _fix_values(frame: Frame, stages: list[int]) -> None:
    """In front of a sweep of a single map: what is the same for the whole unit."""
    if frame.kernel.sweeps:
        (number,) = stages
        stage = frame.kernel.stages[number]
        assert isinstance(stage, Map)
        frame.fixed = fixed_values(frame, stage)


def _emit_steps(frame: Frame, unit: ir.Value) -> None:
    stages = list(range(len(frame.kernel.stages)))

    def move_to(outer: ir.Value, rank: int) -> None:
        frame.bases = _bases(frame, outer, rank)

    emit_stepped_unit(frame, unit, move_to, lambda span: _emit_tile(frame, stages, span, {}, None, None))


def _bases(frame: Frame, outer: ir.Value | None, rank: int) -> list[ir.Value]:
    """Where the unit's row of each buffer starts: the pointer plus outer index times stride over the first
    `rank` outer axes.
    """
    pointers = [frame.pointer(n) for n in range(len(frame.kernel.buffers))]
    if outer is None:
        return pointers
    b = frame.builder
    indices: list[ir.Value] = []
    rest = outer
    for axis in reversed(range(rank)):
        length = frame.control_word(CONTROL_WORDS + axis)
        quotient = b.sdiv(rest, length)
        indices.insert(0, b.sub(rest, b.mul(quotient, length)))
        rest = quotient
    return [_moved(frame, n, pointer, indices) for n, pointer in enumerate(pointers)]


def _moved(frame: Frame, buffer: int, pointer: ir.Value, indices: list[ir.Value]) -> ir.Value:
    if frame.kernel.buffers[buffer].role not in ("load", "store"):
        return pointer
    b = frame.builder
    for axis, index in enumerate(indices):
        offset = b.mul(index, frame.argument(buffer, 2 + axis))
        pointer = b.gep(pointer, [offset], source_etype=I8)
    return pointer


def _keeps_rows(kernel: Kernel) -> bool:
    return any(isinstance(stage, Map) and stage.compaction is not None for stage in kernel.stages)


def _output_origin(frame: Frame, start: ir.Value) -> ir.Value:
    """Where survivors go: behind those before when units run in order, else to the place of the unit's own
    rows.
    """
    b = frame.builder
    in_order = b.icmp_signed("!=", frame.control_word(SEQUENTIAL), word(0))
    return b.select(in_order, load_word(b, frame.control, OFFSET), start)


def _finish_kept(frame: Frame, unit: ir.Value, total: ir.Value) -> None:
    b = frame.builder
    count = b.load(total, typ=I64)
    b.store(count, at(b, frame.counts(), unit, 8))
    with when(b, b.icmp_signed("!=", frame.control_word(SEQUENTIAL), word(0)), "in_order"):
        store_word(b, b.add(load_word(b, frame.control, OFFSET), count), frame.control, OFFSET)


def _emit_tile(
    frame: Frame,
    stages: list[int],
    span: Span,
    accumulators: dict[int, list[Accumulator]],
    total: ir.Value | None,
    output: ir.Value | None,
) -> None:
    b = frame.builder
    kept = None
    if total is not None:
        kept = frame.alloca(I64)
        b.store(word(0), kept)
    kept_span = span
    for number in stages:
        stage = frame.kernel.stages[number]
        if stage.track != BASE and kept_span is span:
            assert kept is not None and total is not None and output is not None
            kept_span = Span(b.load(kept, typ=I64), b.add(output, b.load(total, typ=I64)))
        _emit_stage(
            frame, stage, span if stage.track == BASE else kept_span, accumulators.get(number, []), kept
        )
    if total is not None:
        b.store(b.add(b.load(total, typ=I64), b.load(kept, typ=I64)), total)


def _emit_stage(
    frame: Frame, stage: Stage, span: Span, accumulators: list[Accumulator], kept: ir.Value | None
) -> None:
    match stage:
        case Map():
            emit_map(frame, stage, span, accumulators, kept)
        case LoadMatrix():
            emit_load_matrix(frame, stage, span)
        case Dot():
            emit_dot(frame, stage, span)
        case ArgReduce():
            emit_arg_reduce(frame, stage, span)
        case CompareText():
            emit_compare_text(frame, stage, span)
        case Forest():
            _emit_forest_stage(frame, stage, span)


def _emit_forest_stage(frame: Frame, stage: Forest, span: Span) -> None:
    """Sizes are tables of one element, loaded at the kernel's entry; working memory lies behind the tiles."""
    pointers: dict[str, ir.Value] = {}
    for name, buffer in stage.tables:
        pointer = frame.pointer(buffer)
        pointers[name] = frame.entry.load(pointer, typ=I64) if name in forest_layout.SIZES else pointer
    pointers["scratch"] = frame.builder.gep(
        frame.scratch, [word(scratch_bytes(frame.kernel, frame.layout))], source_etype=I8
    )
    has_permute = frame.target.has_permute
    code = replace(stage.code, tile=frame.kernel.schedule.tile_stride, has_permute=has_permute)
    features, out = frame.tile_pointer(stage.features), frame.tile_pointer(stage.result)
    emit_forest(frame.builder, code, pointers, features, span.rows, out)
