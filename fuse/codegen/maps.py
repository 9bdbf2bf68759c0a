"""The `Map` stage: one vector loop over the rows of a tile.

    for i in range(0, rows, lanes):
        i = min(i, rows - lanes): the last vector computes some rows once more
        load each input at i, compute, store each output at i

Fewer rows than lanes are copied to buffers of the frame, and the loop runs over those. A map that reduces,
scans or filters must count every row once:

    if rows is no multiple of the lanes: copy the last, partial vector of every input to a buffer of the
        frame, and the last row to the lanes behind it, so that they compute nothing that no row computes
    for i in range(0, rows, lanes):
        load each input at i (from that buffer when the vector is the partial one)
        compute
        store each output at i (likewise); update reductions; append survivors to their tiles
    if there was a partial vector: copy it from the buffers to the outputs

So the body stands in the code once, unmasked, and never touches memory outside the arrays. No output is the
memory of an input. Strided outputs pass through scratch memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from llvmlite import ir

from fuse.codegen import reductions, scans, steps
from fuse.codegen.complex import constant_parts, joined, part_dtype
from fuse.codegen.conversions import emit_convert
from fuse.codegen.dtypes import I8, I32, I64, alignment, memory_type, register_type, vector, word
from fuse.codegen.elementwise import emit_op
from fuse.codegen.frame import (
    Frame,
    Span,
    at,
    copy_function,
    copy_known,
    in_memory,
    lane_constants,
    load_vector,
    splat,
    store_vector,
    store_word,
    stream_vector,
)
from fuse.codegen.loops import counted_loop, minimum, when
from fuse.codegen.reductions import Accumulator
from fuse.codegen.scalar import Scalar
from fuse.plan.kernels import (
    BASE,
    ERROR,
    STREAM,
    WIDEST,
    Compaction,
    Instruction,
    Map,
    strided_outputs,
    tile_offset,
)


@dataclass(frozen=True)
class _Port:
    """A contiguous stretch of memory a map reads or writes; `spare` holds a vector that is not whole."""

    base: ir.Value
    spare: ir.Value
    element: ir.Type
    size: int


@dataclass
class _Loop:
    """One map being emitted."""

    frame: Frame
    stage: Map
    span: Span
    inputs: dict[int, _Port]
    outputs: dict[int, _Port]
    tiles: dict[int, _Port]
    strided: dict[int, ir.Value]
    row: ir.Value
    is_last: ir.Value | None
    """Whether the vector is a partial one in the spare memory; None where it never is."""
    streams: ir.Value | None = None
    """Whether the outputs go past the caches; None: never."""
    is_full: bool = False
    """Whether every lane is known to be a row."""


def emit_map(
    frame: Frame, stage: Map, span: Span, accumulators: list[Accumulator], kept: ir.Value | None
) -> None:
    """The loop over the rows of one tile; `kept` is the memory that counts survivors."""
    b = frame.builder
    inputs = {n: _port(frame, n, span) for n in _loads(frame, stage) if _is_dense(frame, n)}
    outputs = {n: _port(frame, n, span) for _, n in stage.stores if _is_dense(frame, n)}
    tiles = {n: _tile_port(frame, n) for n in _kept_tiles(frame, stage)}
    strided = {n: _strided_scratch(frame, n) for _, n in stage.stores if not _is_dense(frame, n)}
    if _counts_once(stage) or frame.is_whole:
        whole = b.and_(span.rows, word(-frame.lanes))
        rest = b.sub(span.rows, whole)
        _copy_partial(frame, [*inputs.values(), *tiles.values()], whole, rest, to_spare=True)
        reductions.start_tile(frame, accumulators)
        streams = _streams(frame, stage)
        loop = _Loop(frame, stage, span, inputs, outputs, tiles, strided, word(0), None, streams)
        if frame.is_whole:
            with counted_loop(b, word(0), span.rows, frame.lanes, "row") as row:
                _emit_vector(replace(loop, row=row, is_full=True), accumulators, kept)
        elif frame.kernel.schedule.peel:
            with counted_loop(b, word(0), whole, frame.lanes, "row") as row:
                _emit_vector(replace(loop, row=row, is_full=True), accumulators, kept)
            with when(b, b.icmp_signed("!=", rest, word(0)), "last"):
                _emit_vector(replace(loop, row=whole, is_last=_TRUE), accumulators, kept)
        else:
            with counted_loop(b, word(0), span.rows, frame.lanes, "row") as row:
                is_last = b.icmp_signed(">", b.add(row, word(frame.lanes)), span.rows)
                _emit_vector(replace(loop, row=row, is_last=is_last), accumulators, kept)
        reductions.finish_tile(frame, accumulators)
        _copy_partial(frame, list(outputs.values()), whole, rest, to_spare=False)
    else:
        _emit_overlapping(frame, stage, span, inputs, outputs, tiles, strided)
    for buffer, scratch in strided.items():
        _copy_strided(frame, buffer, scratch, span)


def _counts_once(stage: Map) -> bool:
    """Whether no row may be computed twice: what was folded once must not be folded again."""
    return bool(stage.reductions) or stage.compaction is not None or any(i.op == "scan" for i in stage.body)


def _emit_overlapping(
    frame: Frame,
    stage: Map,
    span: Span,
    inputs: dict[int, _Port],
    outputs: dict[int, _Port],
    tiles: dict[int, _Port],
    strided: dict[int, ir.Value],
) -> None:
    """The loop of a map that only stores: its last vector reaches back over rows that are done already."""
    b, lanes = frame.builder, word(frame.lanes)
    is_short = b.icmp_unsigned("<", b.sub(span.rows, word(1)), b.sub(lanes, word(1)))  # and not empty
    read = [*inputs.values(), *tiles.values()]
    _copy_short(frame, read, is_short, span.rows, to_spare=True)
    inputs, tiles = _in_spare(frame, inputs, is_short), _in_spare(frame, tiles, is_short)
    to = _in_spare(frame, outputs, is_short)
    last = b.select(is_short, word(0), b.sub(span.rows, lanes))
    aligned = _streams(frame, stage)
    with counted_loop(b, word(0), span.rows, frame.lanes, "row") as row:
        streams = None if aligned is None else b.and_(aligned, b.icmp_signed("<=", row, last))
        loop = _Loop(frame, stage, span, inputs, to, tiles, strided, minimum(b, row, last), None, streams)
        _emit_vector(loop, [], None)
    _copy_short(frame, list(outputs.values()), is_short, span.rows, to_spare=False)


def _copy_short(frame: Frame, ports: list[_Port], is_short: ir.Value, rows: ir.Value, to_spare: bool) -> None:
    """Copy rows that fill no vector, as there are when a vector has several."""
    if frame.lanes == 1 or not ports:
        return
    with when(frame.builder, is_short, "short"):
        for port in ports:
            if to_spare:
                _fill_spare(frame, port, port.base, rows)
            target, source = (port.spare, port.base) if to_spare else (port.base, port.spare)
            _copy_rows(frame, target, source, rows, port.size)


def _in_spare(frame: Frame, ports: dict[int, _Port], is_short: ir.Value) -> dict[int, _Port]:
    """The ports as the loop sees them."""
    choose = frame.builder.select
    if frame.lanes == 1:
        return ports
    return {n: replace(port, base=choose(is_short, port.spare, port.base)) for n, port in ports.items()}


_TRUE = ir.Constant(ir.IntType(1), 1)


def _emit_vector(loop: _Loop, accumulators: list[Accumulator], kept: ir.Value | None) -> None:
    """The body and the sinks for the vector at one row."""
    _emit_sinks(loop, _emit_body(loop), accumulators, kept)


def _loads(frame: Frame, stage: Map) -> list[int]:
    return [int(str(i.attr)) for i in stage.body if i.op == "load"]


def _is_dense(frame: Frame, buffer: int) -> bool:
    return frame.layout.access[buffer] == "unit"


def _port(frame: Frame, buffer: int, span: Span) -> _Port:
    b, dtype = frame.builder, frame.kernel.buffers[buffer].dtype
    spare = frame.alloca(vector(memory_type(dtype), frame.lanes))
    base = at(b, frame.bases[buffer], span.origin, dtype.itemsize)
    return _Port(base, spare, memory_type(dtype), dtype.itemsize)


def _kept_tiles(frame: Frame, stage: Map) -> list[int]:
    """The tiles that hold as many rows as a filter kept; behind them lies what earlier tiles left."""
    if stage.track == BASE or frame.kernel.schedule.whole:
        return []
    return [int(str(i.attr)) for i in stage.body if i.op == "tile"]


def _tile_port(frame: Frame, tile: int) -> _Port:
    dtype = frame.kernel.tiles[tile]
    spare = frame.alloca(vector(memory_type(dtype), frame.lanes))
    return _Port(frame.tile_pointer(tile), spare, memory_type(dtype), dtype.itemsize)


def _copy_partial(frame: Frame, ports: list[_Port], whole: ir.Value, rest: ir.Value, to_spare: bool) -> None:
    if not ports or frame.is_whole:
        return
    b = frame.builder
    length = frame.kernel.schedule.whole
    with when(b, b.icmp_signed("!=", rest, word(0)), "partial"):
        for port in ports:
            tail = at(b, port.base, whole, port.size)
            if to_spare:
                _fill_spare(frame, port, tail, rest)
            target, source = (port.spare, tail) if to_spare else (tail, port.spare)
            if length:  # known lengths leave a known rest, in the last tile
                copy_known(b, target, source, length % frame.lanes * port.size)
            else:
                _copy_rows(frame, target, source, rest, port.size)


def _fill_spare(frame: Frame, port: _Port, tail: ir.Value, rows: ir.Value) -> None:
    """The last row in all lanes."""
    b = frame.builder
    last = b.load(at(b, tail, b.sub(rows, word(1)), port.size), typ=port.element, align=1)
    b.store(splat(b, last, frame.lanes), port.spare)


def _copy_rows(frame: Frame, target: ir.Value, source: ir.Value, rows: ir.Value, size: int) -> None:
    b = frame.builder
    b.call(copy_function(b.module), [target, source, b.mul(rows, word(size))])


# The body


def fixed_values(frame: Frame, stage: Map) -> dict[int, ir.Value]:
    """Registers of a map that are the same for all rows of the unit, computed in front of its loops.

    LLVM does not move them there by itself: for all it knows, a store to an output changes what they are
    loaded from.
    """
    nowhere = Span(word(0), word(0))
    loop = _Loop(frame, stage, nowhere, {}, {}, {}, {}, word(0), None)
    registers: dict[int, ir.Value] = {}
    for number, instruction in enumerate(stage.body):
        if instruction.op in _PER_UNIT:
            is_fixed = instruction.op != "load" or _is_uniform(frame, instruction)
        else:
            is_fixed = bool(instruction.operands) and all(o in registers for o in instruction.operands)
        if is_fixed and instruction.op != "gather":
            emit = _SPECIAL.get(instruction.op, _emit_elementwise)
            registers[number] = emit(loop, instruction, registers)  # type: ignore[arg-type]  # read by number
    return registers


_PER_UNIT = frozenset({"load", "uniform", "literal", "reduced"})


def _is_uniform(frame: Frame, instruction: Instruction) -> bool:
    return frame.layout.access[int(str(instruction.attr))] == "uniform"


def _emit_body(loop: _Loop) -> list[ir.Value]:
    registers: list[ir.Value] = []
    for number, instruction in enumerate(loop.stage.body):
        if number in loop.frame.fixed:
            registers.append(loop.frame.fixed[number])
            continue
        emit = _SPECIAL.get(instruction.op, _emit_elementwise)
        registers.append(emit(loop, instruction, registers))
    return registers


def _emit_elementwise(loop: _Loop, instruction: Instruction, registers: list[ir.Value]) -> ir.Value:
    operands = [registers[o] for o in instruction.operands]
    dtypes = [loop.stage.body[o].dtype for o in instruction.operands]
    return emit_op(loop.frame.scalar, instruction.op, operands, dtypes, instruction.dtype)


def _emit_load(loop: _Loop, instruction: Instruction, registers: list[ir.Value]) -> ir.Value:
    buffer = int(str(instruction.attr))
    frame = loop.frame
    if frame.layout.access[buffer] == "uniform":
        return _emit_uniform(loop, instruction, registers)
    if buffer not in loop.inputs:
        return _emit_strided_load(loop, buffer, instruction.dtype)
    return load_vector(frame.builder, _place(loop, loop.inputs[buffer]), instruction.dtype, frame.lanes)


def _place(loop: _Loop, port: _Port) -> ir.Value:
    b = loop.frame.builder
    if loop.is_last is None:
        return at(b, port.base, loop.row, port.size)
    if loop.is_last is _TRUE:
        return port.spare
    return b.select(loop.is_last, port.spare, at(b, port.base, loop.row, port.size))


def _emit_strided_load(loop: _Loop, buffer: int, dtype: np.dtype) -> ir.Value:
    """Lane by lane; lanes past the end read the last row again."""
    frame = loop.frame
    b, element = frame.builder, memory_type(dtype)
    stride, last = frame.inner_stride(buffer), b.sub(loop.span.rows, word(1))
    base = b.gep(frame.bases[buffer], [b.mul(loop.span.origin, stride)], source_etype=I8)
    if dtype.kind == "c":
        return _emit_strided_complex(loop, base, stride, last, dtype)
    value: ir.Value = ir.Constant(vector(element, frame.lanes), ir.Undefined)
    for lane in range(frame.lanes):
        row = b.add(loop.row, word(lane))
        row = row if loop.is_full else minimum(b, row, last)
        item = b.load(b.gep(base, [b.mul(row, stride)], source_etype=I8), typ=element, align=1)
        value = b.insert_element(value, item, ir.Constant(I32, lane))
    return b.icmp_unsigned("!=", value, ir.Constant(value.type, None)) if dtype.kind == "b" else value


def _emit_strided_complex(
    loop: _Loop, base: ir.Value, stride: ir.Value, last: ir.Value, dtype: np.dtype
) -> ir.Value:
    frame, part = loop.frame, part_dtype(dtype)
    b, kind = frame.builder, vector(memory_type(part), frame.lanes)
    found: list[ir.Value] = [ir.Constant(kind, ir.Undefined), ir.Constant(kind, ir.Undefined)]
    for lane in range(frame.lanes):
        row = minimum(b, b.add(loop.row, word(lane)), last)
        place = b.gep(base, [b.mul(row, stride)], source_etype=I8)
        for half in (0, 1):
            item = b.load(at(b, place, word(half), part.itemsize), typ=kind.element, align=1)
            found[half] = b.insert_element(found[half], item, ir.Constant(I32, lane))
    return joined(frame.scalar, *found)


def _emit_uniform(loop: _Loop, instruction: Instruction, registers: list[ir.Value]) -> ir.Value:
    """One element for all rows, loaded at the kernel's entry; under outer axes, once a unit."""
    frame, buffer = loop.frame, int(str(instruction.attr))
    if buffer not in frame.uniforms:
        b = frame.entry if frame.kernel.buffers[buffer].role == "uniform" else frame.builder
        pointer = frame.pointer(buffer) if b is frame.entry else frame.bases[buffer]
        value = b.load(pointer, typ=memory_type(instruction.dtype), align=alignment(instruction.dtype))
        if instruction.dtype.kind == "b":
            value = b.icmp_unsigned("!=", value, ir.Constant(I8, 0))
        if instruction.dtype.kind == "c":
            splatted = _in_all_lanes(frame, b, value, instruction.dtype)
        else:
            splatted = splat(b, value, frame.lanes)
        if b is not frame.entry:
            return splatted
        frame.uniforms[buffer] = splatted
    return frame.uniforms[buffer]


def _in_all_lanes(frame: Frame, b: ir.IRBuilder, value: ir.Value, dtype: np.dtype) -> ir.Value:
    s = Scalar(b, frame.scalar.fma)
    s.pairs = frame.scalar.pairs
    return constant_parts(s, value, vector(register_type(dtype), frame.lanes), dtype)


def _emit_literal(loop: _Loop, instruction: Instruction, registers: list[ir.Value]) -> ir.Value:
    kind = vector(register_type(instruction.dtype), loop.frame.lanes)
    return loop.frame.scalar.const(kind, int(str(instruction.attr)))


def _emit_tile(loop: _Loop, instruction: Instruction, registers: list[ir.Value]) -> ir.Value:
    frame, tile = loop.frame, int(str(instruction.attr))
    if tile in loop.tiles:
        return load_vector(frame.builder, _place(loop, loop.tiles[tile]), instruction.dtype, frame.lanes)
    pointer = at(frame.builder, frame.tile_pointer(tile), _tile_row(loop), instruction.dtype.itemsize)
    return load_vector(frame.builder, pointer, instruction.dtype, frame.lanes)


def _tile_row(loop: _Loop) -> ir.Value:
    """Where the current vector lies in a tile buffer: one that holds whole units is as long as the row."""
    b = loop.frame.builder
    return b.add(loop.span.origin, loop.row) if loop.frame.kernel.schedule.whole else loop.row


def _emit_reduced(loop: _Loop, instruction: Instruction, registers: list[ir.Value]) -> ir.Value:
    """What an earlier sweep over this unit folded, for all rows."""
    frame, buffer = loop.frame, int(str(instruction.attr))
    b, dtype = frame.builder, instruction.dtype
    assert frame.unit is not None
    value = b.load(at(b, frame.pointer(buffer), frame.unit, dtype.itemsize), typ=memory_type(dtype))
    if dtype.kind == "b":
        value = b.icmp_unsigned("!=", value, ir.Constant(I8, 0))
    return splat(b, value, frame.lanes)


def _emit_position(loop: _Loop, instruction: Instruction, registers: list[ir.Value]) -> ir.Value:
    frame = loop.frame
    b = frame.builder
    first = splat(b, b.add(loop.span.origin, loop.row), frame.lanes)
    position = b.add(first, lane_constants(frame.lanes))
    return emit_convert(frame.scalar, position, np.dtype(np.int64), instruction.dtype)


def _emit_gather(loop: _Loop, instruction: Instruction, registers: list[ir.Value]) -> ir.Value:
    """table[index] lane by lane. Mode "raise": negative counts from the end, anything else sets the error
    flag.
    """
    frame = loop.frame
    b, s = frame.builder, frame.scalar
    assert isinstance(instruction.attr, tuple)
    buffer, mode = instruction.attr
    (operand,) = instruction.operands
    index = emit_convert(s, registers[operand], loop.stage.body[operand].dtype, np.dtype(np.int64))
    length = splat(b, frame.length(buffer), frame.lanes)
    zero = s.const(index, 0)
    if mode == "raise":
        wrapped = s.select(s.icmp("<", index, 0), s.add(index, length), index)
        outside = s.not_(s.icmp("<", wrapped, length, signed=False))
        wrong = outside if loop.is_full else s.and_(outside, _row_mask(loop))
        with when(b, s.any(wrong), "outside"):
            store_word(b, word(1), frame.control, ERROR)
        index = s.select(outside, zero, wrapped)
    else:
        top = s.sub(length, s.const(length, 1))
        index = s.select(s.icmp("<", index, 0), zero, s.select(s.icmp(">", index, top), top, index))
    return _gather_lanes(frame, buffer, index, instruction.dtype)


def _gather_lanes(frame: Frame, buffer: int, index: ir.Value, dtype: np.dtype) -> ir.Value:
    b, element = frame.builder, memory_type(dtype)
    pointer = frame.pointer(buffer)
    value: ir.Value = ir.Constant(vector(element, frame.lanes), ir.Undefined)
    for lane in range(frame.lanes):
        number = ir.Constant(I32, lane)
        item = b.load(at(b, pointer, b.extract_element(index, number), dtype.itemsize), typ=element)
        value = b.insert_element(value, item, number)
    return b.icmp_unsigned("!=", value, ir.Constant(value.type, None)) if dtype.kind == "b" else value


def _emit_scan(loop: _Loop, instruction: Instruction, registers: list[ir.Value]) -> ir.Value:
    (operand,) = instruction.operands
    frame, (_, tile) = loop.frame, scans.parts_of(instruction)
    if tile is None:
        return scans.emit_along(frame, instruction, registers[operand])
    place = at(frame.builder, frame.tile_pointer(tile), _tile_row(loop), instruction.dtype.itemsize)
    return scans.emit_step(frame, instruction, registers[operand], place)


_SPECIAL = {
    "load": _emit_load,
    "uniform": _emit_uniform,
    "literal": _emit_literal,
    "tile": _emit_tile,
    "position": _emit_position,
    "gather": _emit_gather,
    "reduced": _emit_reduced,
    "scan": _emit_scan,
}


# The sinks


def _emit_sinks(
    loop: _Loop, registers: list[ir.Value], accumulators: list[Accumulator], kept: ir.Value | None
) -> None:
    frame, stage = loop.frame, loop.stage
    b = frame.builder
    for value, tile in stage.tiles:
        dtype = frame.kernel.tiles[tile]
        place = at(b, frame.tile_pointer(tile), _tile_row(loop), dtype.itemsize)
        store_vector(b, registers[value], place, dtype)
    _emit_stores(loop, registers)
    counts = None if loop.is_full or not (accumulators or stage.compaction) else _row_mask(loop)
    for reduction in stage.reductions:
        if reduction.tile is not None:
            source = stage.body[reduction.value].dtype
            steps.emit_fold(frame, reduction, registers[reduction.value], source, _tile_row(loop))
    for accumulator in accumulators:
        mask = _both(frame, counts, accumulator.reduction.predicate, registers)
        reductions.update(frame, accumulator, registers[accumulator.reduction.value], mask)
    if stage.compaction is not None:
        assert kept is not None
        mask = _both(frame, counts, stage.compaction.mask, registers)
        _emit_compaction(loop, registers, stage.compaction, mask, kept)


def _emit_stores(loop: _Loop, registers: list[ir.Value]) -> None:
    """The outputs, past the caches or through them."""
    b = loop.frame.builder
    if loop.streams is None:
        _store_outputs(loop, registers, store_vector)
        return
    with b.if_else(loop.streams) as (past, through):
        with past:
            _store_outputs(loop, registers, stream_vector)
        with through:
            _store_outputs(loop, registers, store_vector)


def _store_outputs(loop: _Loop, registers: list[ir.Value], store: Callable[..., None]) -> None:
    """Each output to its place; strided ones go to scratch memory first."""
    frame = loop.frame
    b = frame.builder
    for value, buffer in loop.stage.stores:
        dtype = frame.kernel.buffers[buffer].dtype
        if buffer in loop.outputs:
            store(b, registers[value], _place(loop, loop.outputs[buffer]), dtype)
        else:
            store_vector(b, registers[value], at(b, loop.strided[buffer], loop.row, dtype.itemsize), dtype)


def _streams(frame: Frame, stage: Map) -> ir.Value | None:
    """Whether the outputs of a map are large and aligned, which the launcher knows; None: they never are."""
    buffers = [buffer for _, buffer in stage.stores if _is_dense(frame, buffer)]
    is_dense_output = all(frame.kernel.buffers[buffer].role == "store" for buffer in buffers)
    if not buffers or not is_dense_output or not frame.kernel.schedule.stream:
        return None
    return frame.builder.icmp_unsigned("!=", frame.control_word(STREAM), word(0))


def _row_mask(loop: _Loop) -> ir.Value:
    return reductions.row_mask(loop.frame, loop.row, loop.span.rows)


def _both(
    frame: Frame, counts: ir.Value | None, predicate: int | None, registers: list[ir.Value]
) -> ir.Value | None:
    """The lanes that are rows and where the predicate holds; None for all."""
    if predicate is None:
        return counts
    return registers[predicate] if counts is None else frame.scalar.and_(counts, registers[predicate])


def _emit_compaction(
    loop: _Loop, registers: list[ir.Value], compaction: Compaction, mask: ir.Value | None, kept: ir.Value
) -> None:
    """Survivors of each register-sized part of the vector move to the front and are stored behind the last
    ones.
    """
    frame = loop.frame
    b = frame.builder
    assert mask is not None
    bits = b.bitcast(mask, ir.IntType(frame.lanes))
    before = b.load(kept, typ=I64)
    for value, tile in compaction.columns:
        dtype = frame.kernel.tiles[tile]
        _store_survivors(frame, in_memory(b, registers[value], dtype), mask, bits, before, tile, dtype)
    b.store(b.add(before, _population(b, bits)), kept)


def _store_survivors(
    frame: Frame,
    value: ir.Value,
    mask: ir.Value,
    bits: ir.Value,
    before: ir.Value,
    tile: int,
    dtype: np.dtype,
) -> None:
    """Elements below 32 bits travel as 32: LLVM has no compression of short vectors of them."""
    b = frame.builder
    wide = _widened(b, value)
    part = min(frame.lanes, 8 if dtype.itemsize == 8 else 16)
    for start in range(0, frame.lanes, part):
        lanes = [ir.Constant(I32, start + lane) for lane in range(part)]
        chosen, wanted = (_part(b, v, lanes) for v in (wide, mask))
        packed = _narrowed(b, _compress(b, chosen, wanted), value.type.element)
        skipped = _population(b, b.and_(bits, ir.Constant(bits.type, (1 << start) - 1))) if start else word(0)
        place = at(b, frame.tile_pointer(tile), b.add(before, skipped), dtype.itemsize)
        b.store(packed, place, align=max(dtype.itemsize, 1))


def _widened(b: ir.IRBuilder, value: ir.Value) -> ir.Value:
    if isinstance(value.type.element, ir.HalfType):
        value = b.bitcast(value, vector(ir.IntType(16), value.type.count))
    element = value.type.element
    is_short = isinstance(element, ir.IntType) and element.width < 32
    return b.zext(value, vector(I32, value.type.count)) if is_short else value


def _narrowed(b: ir.IRBuilder, value: ir.Value, element: ir.Type) -> ir.Value:
    if value.type.element == element:
        return value
    if isinstance(element, ir.HalfType):
        words = b.trunc(value, vector(ir.IntType(16), value.type.count))
        return b.bitcast(words, vector(element, value.type.count))
    return b.trunc(value, vector(element, value.type.count))


def _part(b: ir.IRBuilder, value: ir.Value, lanes: list[ir.Constant]) -> ir.Value:
    if len(lanes) == value.type.count:
        return value
    return b.shuffle_vector(
        value, ir.Constant(value.type, ir.Undefined), ir.Constant(vector(I32, len(lanes)), lanes)
    )


def _compress(b: ir.IRBuilder, value: ir.Value, mask: ir.Value) -> ir.Value:
    if value.type.count == 1:  # it stands at the front, and counts as a survivor when the mask says so
        return value
    element = {"double": "f64", "float": "f32", "half": "f16"}.get(
        str(value.type.element), str(value.type.element)
    )
    name = f"llvm.experimental.vector.compress.v{value.type.count}{element}"
    module = b.module
    kind = ir.FunctionType(value.type, [value.type, mask.type, value.type])
    function = module.globals.get(name) or ir.Function(module, kind, name)
    return b.call(function, [value, mask, ir.Constant(value.type, ir.Undefined)])


def _population(b: ir.IRBuilder, bits: ir.Value) -> ir.Value:
    module, width = b.module, bits.type.width
    name = f"llvm.ctpop.i{width}"
    function = module.globals.get(name) or ir.Function(module, ir.FunctionType(bits.type, [bits.type]), name)
    count = b.call(function, [bits])
    return count if width == 64 else b.zext(count, I64)


# Strided outputs


def _strided_scratch(frame: Frame, buffer: int) -> ir.Value:
    """Room behind the tiles, one stretch for each output buffer."""
    kernel = frame.kernel
    place = strided_outputs(kernel, frame.layout).index(buffer)
    offset = tile_offset(kernel, len(kernel.tiles)) + place * kernel.schedule.tile_stride * WIDEST
    return frame.builder.gep(frame.scratch, [word(offset)], source_etype=I8)


def _copy_strided(frame: Frame, buffer: int, scratch: ir.Value, span: Span) -> None:
    b, dtype = frame.builder, frame.kernel.buffers[buffer].dtype
    stride, element = frame.inner_stride(buffer), memory_type(dtype)
    base = b.gep(frame.bases[buffer], [b.mul(span.origin, stride)], source_etype=I8)
    with counted_loop(b, word(0), span.rows, 1, "copy") as row:
        item = b.load(at(b, scratch, row, dtype.itemsize), typ=element)
        b.store(item, b.gep(base, [b.mul(row, stride)], source_etype=I8), align=1)
