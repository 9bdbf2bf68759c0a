"""The steps of an exported program that are no kernels, as plain loops.

Left out: speed, but for the product, whose rows of weights are vectors: what is large enough to matter is a
kernel of the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from llvmlite import ir

from fuse.codegen.conversions import emit_convert
from fuse.codegen.dtypes import I8, I64, memory_type, register_type, vector, word
from fuse.codegen.elementwise import emit_op
from fuse.codegen.frame import at, load_vector, splat, stack_block, store_vector
from fuse.codegen.loops import counted_loop
from fuse.codegen.reductions import COMBINE
from fuse.codegen.scalar import Scalar
from fuse.export.combine import combine_function
from fuse.export.program import Combine, Compress, Count, Extremum, Fold, Product, Scatter, Take, Value
from fuse.export.run import EMPTY, Run, copy_bytes
from fuse.ir.ops import identity


def _scalar(run: Run) -> Scalar:
    return Scalar(run.b, run.target.fma)


def _load(run: Run, address: ir.Value, dtype: np.dtype) -> ir.Value:
    value = run.b.load(address, typ=memory_type(dtype), align=1)
    return run.b.icmp_unsigned("!=", value, ir.Constant(I8, 0)) if dtype.kind == "b" else value


def _store(run: Run, value: ir.Value, address: ir.Value) -> None:
    value = run.b.zext(value, I8) if value.type == ir.IntType(1) else value
    run.b.store(value, address, align=1)


def _moved(run: Run, base: ir.Value, index: ir.Value, stride: ir.Value | int) -> ir.Value:
    distance = run.b.mul(index, word(stride) if isinstance(stride, int) else stride)
    return run.b.gep(base, [distance], source_etype=I8)


# Reductions


def _combine(run: Run, step: Combine) -> None:
    b, dtype = run.b, step.partials.dtype
    function = combine_function(b.module, step.kind, dtype)
    partials, rest, result = (run.pointer(value) for value in (step.partials, step.rest, step.result))
    blocks = run.blocks(step.blocks)
    bytes_ = b.mul(blocks, word(dtype.itemsize))
    with counted_loop(b, word(0), run.number(step.rows), 1, "row") as row:
        offset = b.mul(row, bytes_)
        places = [b.gep(base, [offset], source_etype=I8) for base in (partials, rest)]
        b.store(b.call(function, [*places, blocks]), at(b, result, row, dtype.itemsize))


def _fold(run: Run, step: Fold) -> None:
    """The identity, then one element after the other; a float sum starts at -0.0, which changes nothing."""
    b, s, source, dtype = run.b, _scalar(run), step.source, step.result.dtype
    base, target = run.pointer(source), run.pointer(step.result)
    start = identity(step.kind, dtype)
    number = (
        -0.0
        if step.kind == "sum" and dtype.kind == "f"
        else float(start)
        if dtype.kind == "f"
        else int(start)
    )
    kept = [axis for axis in range(len(source.shape)) if axis != step.axis]
    total = stack_block(b, 8)
    with counted_loop(b, word(0), run.number(step.result.size), 1, "result") as place:
        row = b.gep(base, [_offset(run, place, source, kept)], source_etype=I8)
        _store(run, ir.Constant(register_type(dtype), number), total)
        with counted_loop(b, word(0), run.number(source.shape[step.axis]), 1, "fold") as i:
            item = _load(run, _moved(run, row, i, run.number(source.strides[step.axis])), source.dtype)
            item = emit_convert(s, item, source.dtype, dtype)
            folded = emit_op(s, COMBINE[step.kind], (_load(run, total, dtype), item), (dtype, dtype), dtype)
            _store(run, folded, total)
        _store(run, _load(run, total, dtype), at(b, target, place, dtype.itemsize))


def _offset(run: Run, number: ir.Value, value: Value, axes: list[int]) -> ir.Value:
    """Where element `number` of these axes, counted in C order, lies."""
    b = run.b
    offset: ir.Value = word(0)
    for axis in reversed(axes):
        length = run.number(value.shape[axis])
        rest = b.udiv(number, length)
        index = b.sub(number, b.mul(rest, length))
        offset = b.add(offset, b.mul(index, run.number(value.strides[axis])))
        number = rest
    return offset


def _count(run: Run, step: Count) -> None:
    run.learn(step.length, run.b.load(run.pointer(step.value), typ=I64))


# Selections


def _compress(run: Run, step: Compress) -> None:
    b = run.b
    size = run.number(step.source.strides[0])
    source, mask, target = (run.pointer(value) for value in (step.source, step.mask, step.result))
    kept = stack_block(b, 8)
    b.store(word(0), kept)
    with counted_loop(b, word(0), run.number(step.mask.shape[0]), 1, "row") as row:
        keeps = b.icmp_unsigned("!=", b.load(at(b, mask, row, 1), typ=I8), ir.Constant(I8, 0))
        with b.if_then(keeps):
            before = b.load(kept, typ=I64)
            copy_bytes(b, _moved(run, target, before, size), _moved(run, source, row, size), size)
            b.store(b.add(before, word(1)), kept)
    run.learn(step.kept, b.load(kept, typ=I64))


def _scatter(run: Run, step: Scatter) -> None:
    b, size = run.b, step.result.itemsize
    source, mask, target = (run.pointer(value) for value in (step.source, step.mask, step.result))
    used, single = stack_block(b, 8), b.icmp_signed("==", run.number(step.source.shape[0]), word(1))
    b.store(word(0), used)
    with counted_loop(b, word(0), run.number(step.mask.size), 1, "element") as place:
        writes = b.icmp_unsigned("!=", b.load(at(b, mask, place, 1), typ=I8), ir.Constant(I8, 0))
        with b.if_then(writes):
            before = b.load(used, typ=I64)
            copy_bytes(b, at(b, target, place, size), at(b, source, before, size), word(size))
            b.store(b.select(single, word(0), b.add(before, word(1))), used)


def _take(run: Run, step: Take) -> None:
    """Indices as in the gather of a kernel: "raise" counts negative ones from the end and fails outside."""
    b, s = run.b, _scalar(run)
    length, size = run.number(step.table.shape[0]), run.number(step.table.strides[0])
    table, indices, target = (run.pointer(value) for value in (step.table, step.indices, step.result))
    dtype = step.indices.dtype
    with counted_loop(b, word(0), run.number(step.indices.size), 1, "take") as i:
        index = emit_convert(
            s, _load(run, at(b, indices, i, dtype.itemsize), dtype), dtype, np.dtype(np.int64)
        )
        below = b.icmp_signed("<", index, word(0))
        if step.mode == "raise":
            index = b.select(below, b.add(index, length), index)
            outside = b.icmp_unsigned(">=", index, length)
            with b.if_then(outside, likely=False):
                run.fail()
        else:
            last = b.sub(length, word(1))
            index = b.select(below, word(0), b.select(b.icmp_signed(">", index, last), last, index))
            outside = b.icmp_signed("<", index, word(0))
        with b.if_then(b.not_(outside)):
            copy_bytes(b, _moved(run, target, i, size), _moved(run, table, index, size), size)


def _extremum(run: Run, step: Extremum) -> None:
    """The first of the best elements, and the first NaN before all others, as NumPy has it."""
    b, source = run.b, step.source
    length = run.number(source.shape[step.axis])
    run.stop_if(b.icmp_signed("==", length, word(0)), EMPTY)
    kept = [axis for axis in range(len(source.shape)) if axis != step.axis]
    base, target = run.pointer(source), run.pointer(step.result)
    value, place = stack_block(b, 8), stack_block(b, 8)
    stride = run.number(source.strides[step.axis])
    with counted_loop(b, word(0), run.number(step.result.size), 1, "extremum") as number:
        row = b.gep(base, [_offset(run, number, source, kept)], source_etype=I8)
        _store(run, _load(run, row, source.dtype), value)
        b.store(word(0), place)
        with counted_loop(b, word(1), length, 1, "candidate") as i:
            new = _load(run, _moved(run, row, i, stride), source.dtype)
            with b.if_then(_is_better(run, step, new, _load(run, value, source.dtype))):
                _store(run, new, value)
                b.store(i, place)
        b.store(b.load(place, typ=I64), at(b, target, number, 8))


def _is_better(run: Run, step: Extremum, new: ir.Value, old: ir.Value) -> ir.Value:
    b, s, dtype, truth = run.b, _scalar(run), step.source.dtype, np.dtype(bool)
    relation = "less" if step.kind == "argmin" else "greater"
    better = emit_op(s, relation, (new, old), (dtype, dtype), truth)
    if dtype.kind != "f":
        return better
    new_nan, old_nan = (emit_op(s, "isnan", (value,), (dtype,), truth) for value in (new, old))
    return b.and_(b.or_(better, new_nan), b.not_(old_nan))


# Products


def _product(run: Run, step: Product) -> None:
    """Groups of outputs in registers side by side, then the rest one by one."""
    b, dtype = run.b, step.result.dtype
    rows, inner = (run.number(length) for length in step.left.shape)
    columns = run.number(step.right.shape[1])
    left, right, result = (run.pointer(value) for value in (step.left, step.right, step.result))
    is_dense = step.right.strides[1] == step.right.itemsize
    lanes = (64 if run.target.is_wasm else 128) // dtype.itemsize
    with counted_loop(b, word(0), rows, 1, "row") as row:
        at_left = _moved(run, left, row, run.number(step.left.strides[0]))
        at_result = _moved(run, result, row, run.number(step.result.strides[0]))
        whole = b.and_(columns, word(-lanes)) if is_dense else word(0)
        for start, stop, width in ((word(0), whole, lanes), (whole, columns, 1)):
            with counted_loop(b, start, stop, width, "column") as column:
                at_right = _moved(run, right, column, run.number(step.right.strides[1]))
                sums = _sums(run, step, (at_left, at_right), inner, width)
                store_vector(b, sums, at(b, at_result, column, dtype.itemsize), dtype)


def _sums(run: Run, step: Product, bases: tuple[ir.Value, ir.Value], inner: ir.Value, lanes: int) -> ir.Value:
    b, s, dtype = run.b, _scalar(run), step.result.dtype
    kind = vector(register_type(dtype), lanes)
    sums = stack_block(b, dtype.itemsize * lanes)
    b.store(ir.Constant(kind, None), sums)
    strides = run.number(step.left.strides[1]), run.number(step.right.strides[0])
    with counted_loop(b, word(0), inner, 1, "k") as k:
        left, right = (_moved(run, base, k, stride) for base, stride in zip(bases, strides, strict=True))
        factor = splat(b, b.load(left, typ=register_type(dtype), align=1), lanes)
        weights = load_vector(b, right, dtype, lanes)
        b.store(s.muladd(factor, weights, b.load(sums, typ=kind)), sums)
    return b.load(sums, typ=kind)


LOOPS: Mapping[type, Callable[[Run, Any], None]] = {
    Combine: _combine, Count: _count, Compress: _compress, Scatter: _scatter, Take: _take,
    Extremum: _extremum, Fold: _fold, Product: _product,
}  # fmt: skip
