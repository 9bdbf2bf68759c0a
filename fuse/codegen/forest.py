"""The forest stage: the loops that evaluate decision trees for a tile of rows. Tables, not code.

    out[k][row] = base[k]
    for each block of 64 rows:
        slots = bins of the features                             (fuse/codegen/forest_bins.py)
        for each tree:                                           "bitvector"
            left = all leaves, a byte of 8 leaves a plane, 64 rows side by side
            for each step: for each plane: left[plane] &= keep where slots[test] > bin
            out[output of the tree][row] += leaf[lowest member of left]
        for each tree:                                           "traverse"
            for each of `depth` steps: place = child + (slots[test] > bin)     16 rows in lock-step
            out[output of the tree][row] += leaf[place]

The leaf values are added one tree after the other, in the order of the trees, so the bits are those of
`fuse.ir.forest.evaluate_forest`. The code depends on `ForestCode` alone. Only plain LLVM vector operations are
used, so it works on every target. Left out: what the tables hold and which strategy to take
(fuse/plan/forest_layout.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from llvmlite import ir

from fuse.codegen.forest_bins import (
    BLOCK_BYTES,
    BLOCK_WORDS,
    DOUBLES,
    GROUPS,
    INT8,
    LANES,
    Stage,
    each,
    emit_bins,
    entry_alloca,
    fold_loop,
    gather,
    splat,
)
from fuse.codegen.scalar import DOUBLE, INT32, INT64, constant
from fuse.plan.forest_layout import BLOCK, ForestCode

_TREE_FIELDS = 4
_WALKERS = 16
"""Rows that walk a tree in lock-step: enough to hide the latency of two dependent loads."""


def emit_forest(
    builder: ir.IRBuilder,
    code: ForestCode,
    pointers: Mapping[str, ir.Value],
    features: ir.Value,
    count: ir.Value,
    out: ir.Value,
) -> None:
    """Emit the loops at the builder's position and leave it after them.

    pointers: the arrays of `ForestLayout.arrays` as pointers and `ForestLayout.sizes` as i64, by name, and
    "scratch", `ForestLayout.scratch_bytes` bytes of this thread, 64-byte aligned;
    features: double*, feature j of row r at features[j * tile + r], readable up to the next multiple of 64 rows;
    count: i64, rows in this tile; out: double*, output k of row r goes to out[k * tile + r], writable up to the
    next multiple of 64 rows.
    """
    stage = Stage(builder, code, pointers, features)
    counts = entry_alloca(builder, BLOCK_WORDS, "counts")
    blocks = builder.udiv(builder.add(count, INT64(BLOCK - 1)), INT64(BLOCK))
    emit_trees = _emit_bitvector if code.strategy == "bitvector" else _emit_traverse

    def block(index: ir.Value) -> None:
        row = builder.mul(index, INT64(BLOCK))
        target = stage.at(out, row, DOUBLE)
        _emit_base(stage, target)
        emit_bins(stage, counts, row)
        trees = pointers["tree_count"]
        each(builder, 0, trees, lambda tree: emit_trees(stage, tree, target), "tree")

    each(builder, 0, blocks, block, "block")


def _emit_base(stage: Stage, target: ir.Value) -> None:
    b = stage.builder

    def output(k: ir.Value) -> None:
        base = splat(b, stage.field("base", k, 1, 0, DOUBLE), LANES)
        for group in range(GROUPS):
            b.store(base, _rows_of(stage, target, k, group * LANES), align=8)

    each(b, 0, stage.pointers["output_count"], output, "output")


def _rows_of(stage: Stage, target: ir.Value, output: ir.Value, row: int) -> ir.Value:
    b = stage.builder
    return stage.at(target, b.add(b.mul(output, INT64(stage.code.tile)), INT64(row)), DOUBLE)


def _emit_add(stage: Stage, address: ir.Value, value: ir.Value) -> None:
    b = stage.builder
    b.store(b.fadd(b.load(address, align=8, typ=value.type), value), address, align=8)


def _emit_bitvector(stage: Stage, tree: ir.Value, target: ir.Value) -> None:
    b, planes = stage.builder, stage.code.planes
    begin, steps, leaf, output = (
        stage.field("trees", tree, _TREE_FIELDS, place, INT64) for place in range(_TREE_FIELDS)
    )
    tests = stage.at(stage.pointers["tests"], b.mul(begin, INT64(3 * planes)), INT32)

    def step(index: ir.Value, left: list[ir.Value]) -> list[ir.Value]:
        base = stage.at(tests, b.mul(index, INT64(3 * planes)), INT32)
        return [
            _emit_test(stage, stage.at(base, 3 * plane, INT32), members) for plane, members in enumerate(left)
        ]

    full = [constant(BLOCK_BYTES, -1)] * planes
    left = fold_loop(b, INT64(0), steps, full, step, "step")
    place = _emit_lowest(stage, left)
    values = stage.at(stage.pointers["leaf"], leaf, DOUBLE)
    for group in range(GROUPS):
        mine = _lanes_at(b, place, group * LANES)
        address = _rows_of(stage, target, output, group * LANES)
        _emit_add(stage, address, _emit_leaf(stage, values, mine))


def _emit_test(stage: Stage, test: ir.Value, members: ir.Value) -> ir.Value:
    """The members that stay after one test."""
    b, s = stage.builder, stage.scalar
    offset = b.zext(b.load(test, typ=INT32), INT64)
    bin_, keep = (
        b.bitcast(splat(b, b.load(stage.at(test, place, INT32), typ=INT32), BLOCK // 4), BLOCK_BYTES)
        for place in (1, 2)
    )
    slot = b.load(stage.at(stage.pointers["scratch"], offset, INT8), align=BLOCK, typ=BLOCK_BYTES)
    goes_right = b.icmp_unsigned(">", slot, bin_)
    return s.and_(members, s.or_(keep, b.sext(b.not_(goes_right), BLOCK_BYTES)))


def _emit_lowest(stage: Stage, left: list[ir.Value]) -> ir.Value:
    """The number of the lowest member, of 64 rows: the lowest bit of the first plane that is not empty."""
    b, s = stage.builder, stage.scalar
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
    if stage.code.planes > 8:
        return gather(stage, values, b.zext(place, ir.VectorType(INT32, LANES)), DOUBLE)
    wide = b.zext(place, ir.VectorType(INT64, LANES))
    inner = s.and_(wide, LANES - 1)
    found = [
        _emit_permute(b, b.load(stage.at(values, LANES * plane, DOUBLE), align=8, typ=DOUBLES), inner)
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


def _emit_traverse(stage: Stage, tree: ir.Value, target: ir.Value) -> None:
    b = stage.builder
    begin, depth, _, output = (
        stage.field("trees", tree, _TREE_FIELDS, place, INT64) for place in range(_TREE_FIELDS)
    )
    address = _rows_of(stage, target, output, 0)

    def walk(group: ir.Value) -> None:
        first = b.mul(group, INT64(_WALKERS))
        slots = [
            stage.at(stage.pointers["scratch"], b.add(first, INT64(row)), INT8) for row in range(_WALKERS)
        ]

        def step(_: ir.Value, places: list[ir.Value]) -> list[ir.Value]:
            return [_emit_step(stage, place, slot) for place, slot in zip(places, slots, strict=True)]

        for row, place in enumerate(fold_loop(b, INT64(0), depth, [begin] * _WALKERS, step, "level")):
            value = b.load(stage.at(stage.pointers["leaf"], place, DOUBLE), typ=DOUBLE)
            _emit_add(stage, stage.at(address, b.add(first, INT64(row)), DOUBLE), value)

    each(b, 0, INT64(BLOCK // _WALKERS), walk, "walkers")


def _emit_step(stage: Stage, place: ir.Value, slots: ir.Value) -> ir.Value:
    """The place of the child that the row goes to."""
    b = stage.builder
    test = b.load(stage.at(stage.pointers["tests"], place, INT64), typ=INT64)
    offset = b.lshr(b.and_(test, INT64(0xFFFFFF00)), INT64(2))
    slot = b.load(stage.at(slots, offset, INT8), typ=INT8)
    goes_right = b.icmp_unsigned(">", slot, b.trunc(test, INT8))
    return b.add(b.lshr(test, INT64(32)), b.zext(goes_right, INT64))
