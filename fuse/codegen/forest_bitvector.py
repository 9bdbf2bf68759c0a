"""The "bitvector" strategy: every tree a set of leaves, from which tests remove; 64 rows side by side.

    left = all leaves, a byte of 8 leaves a plane
    for each step: for each plane: left[plane] &= keep where slots[test] > bin
    for k in range(width): out[output of the tree + k][row] += leaf[k][lowest member of left]

What the tables hold: fuse/plan/forest_bitvector.py.
"""

from __future__ import annotations

from llvmlite import ir

from fuse.codegen.forest_stage import (
    BLOCK_BYTES,
    GROUPS,
    INT8,
    INT16,
    LANES,
    Stage,
    fold_loop,
    gather,
    rows_of,
    splat,
)
from fuse.codegen.forest_walk import each_value
from fuse.codegen.scalar import DOUBLE, INT32, INT64, constant
from fuse.plan.forest_bitvector import BLOCK

_TREE_FIELDS = 4
_DOUBLES = ir.VectorType(DOUBLE, LANES)


def emit_bitvector(stage: Stage, tree: ir.Value, target: ir.Value, block: ir.Value) -> None:
    """Add one tree to the outputs of the block at `target`."""
    b, planes = stage.builder, stage.code.planes
    begin, steps, leaf, output = (
        stage.field("trees", tree, _TREE_FIELDS, place, INT64) for place in range(_TREE_FIELDS)
    )
    size = (4 if stage.code.is_packed else _TEST_BYTES) * planes
    tests = stage.at(stage.pointers["tests"], b.mul(begin, INT64(size)), INT8)

    def step(index: ir.Value, left: list[ir.Value]) -> list[ir.Value]:
        base = stage.at(tests, b.mul(index, INT64(size)), INT8)
        read = _packed_test if stage.code.is_packed else _wide_test
        return [_emit_test(stage, read(stage, base, plane), kept) for plane, kept in enumerate(left)]

    full = [constant(BLOCK_BYTES, -1)] * planes
    left = fold_loop(b, INT64(0), steps, full, step, "step")
    place = _emit_lowest(stage, left)

    def add(k: ir.Value) -> None:
        begin = b.add(leaf, b.mul(k, INT64(LANES * planes)))
        values = stage.at(stage.pointers["leaf"], begin, DOUBLE)
        for group in range(GROUPS):
            mine = _lanes_at(b, place, group * LANES)
            value = _emit_leaf(stage, values, mine)
            address = rows_of(stage, target, b.add(output, k), group * LANES)
            b.store(stage.plus(b.load(address, align=8, typ=value.type), value), address, align=8)

    each_value(stage, add)


_TEST_BYTES = 12
_Test = tuple[ir.Value, ir.Value, ir.Value]


def _wide_test(stage: Stage, step: ir.Value, plane: int) -> _Test:
    """Where the slot of a test begins, and its bin and what it keeps, for all rows."""
    b, test = stage.builder, stage.at(step, _TEST_BYTES * plane, INT8)
    offset = b.zext(b.load(test, typ=INT32), INT64)
    bin_, keep = (
        b.bitcast(splat(b, b.load(stage.at(test, place, INT32), typ=INT32), BLOCK // 4), BLOCK_BYTES)
        for place in (1, 2)
    )
    return offset, bin_, keep


def _packed_test(stage: Stage, step: ir.Value, plane: int) -> _Test:
    """The same of tests of four bytes."""
    b, planes = stage.builder, stage.code.planes
    slot = b.load(stage.at(step, plane, INT16), typ=INT16, align=1)
    bin_, keep = (
        splat(b, b.load(stage.at(step, place * planes + plane, INT8), typ=INT8), BLOCK) for place in (2, 3)
    )
    return b.mul(b.zext(slot, INT64), INT64(BLOCK)), bin_, keep


def _emit_test(stage: Stage, test: _Test, members: ir.Value) -> ir.Value:
    """The members that stay after one test."""
    b, s = stage.builder, stage.scalar
    offset, bin_, keep = test
    slot = b.load(stage.at(stage.slots, offset, INT8), align=BLOCK, typ=BLOCK_BYTES)
    goes_right = b.icmp_unsigned(">", slot, bin_)
    return s.and_(members, s.or_(keep, b.sext(b.not_(goes_right), BLOCK_BYTES)))


def _emit_lowest(stage: Stage, left: list[ir.Value]) -> ir.Value:
    """The number of the lowest member, of 64 rows: the lowest bit of the first plane that is not empty."""
    s = stage.scalar
    found, offset = left[-1], constant(BLOCK_BYTES, 8 * (len(left) - 1))
    for plane in range(len(left) - 2, -1, -1):
        empty = s.icmp("==", left[plane], 0)
        found = s.select(empty, found, left[plane])
        offset = s.select(empty, offset, 8 * plane)
    below = s.and_(s.not_(found), s.sub(found, 1))
    return s.add(s.intrinsic("llvm.ctpop", below), offset)


def _lanes_at(builder: ir.IRBuilder, vector: ir.Value, first: int) -> ir.Value:
    mask = ir.Constant(ir.VectorType(INT32, LANES), list(range(first, first + LANES)))
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)


def _emit_leaf(stage: Stage, values: ir.Value, place: ir.Value) -> ir.Value:
    """values[place] for 8 rows, out of 8 values a plane: a permute of each 8, chosen by the upper bits."""
    b, s = stage.builder, stage.scalar
    if not stage.code.has_permute:
        return gather(stage, values, b.zext(place, ir.VectorType(INT32, LANES)), DOUBLE)
    wide = b.zext(place, ir.VectorType(INT64, LANES))
    inner = s.and_(wide, LANES - 1)
    found = [
        _emit_permute(b, b.load(stage.at(values, LANES * plane, DOUBLE), align=8, typ=_DOUBLES), inner)
        for plane in range(stage.code.planes)
    ]
    bit = LANES
    while len(found) > 1:
        upper = s.icmp("!=", s.and_(wide, bit), 0)
        found = [s.select(upper, high, low) for low, high in zip(found[0::2], found[1::2], strict=True)]
        bit *= 2
    return found[0]


def _emit_permute(builder: ir.IRBuilder, source: ir.Value, index: ir.Value) -> ir.Value:
    """source[index] per lane; LLVM knows this shape as one permute where the target has it."""
    found: ir.Value = ir.Constant(source.type, ir.Undefined)
    for lane in range(LANES):
        entry = builder.extract_element(source, builder.extract_element(index, INT32(lane)))
        found = builder.insert_element(found, entry, INT32(lane))
    return found
