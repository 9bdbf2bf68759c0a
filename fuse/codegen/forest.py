"""The forest stage: the loops that evaluate decision trees for a tile of rows. Tables, not code.

    out[k][row] = base[k]
    for each block of 64 rows:
        slots = bins of the features                             (fuse/codegen/forest_bins.py)
        for each tree:                                           "bitvector"
            left = all leaves, a byte of 8 leaves a plane, 64 rows side by side
            for each step: for each plane: left[plane] &= keep where slots[test] > bin
            out[output of the tree][row] += leaf[lowest member of left]
        for each tree:                                           "traverse"
            until all are at leaves: place = child + (slots[test] > bin)      16 rows in lock-step
            out[output of the tree][row] += leaf[place]

Blocks and trees are taken in runs, so that the tables of a run of trees stay in the cache while a run of
blocks goes through them. The leaf values are added one tree after the other, in the order of the trees: the
bits are those of `fuse.ir.forest.evaluate_forest`. The code depends on `ForestCode` alone. Only plain LLVM
vector operations are used, so it works on every target. Left out: what the tables hold and which strategy to
take (fuse/plan/forest_layout.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
from fuse.plan.forest_layout import BLOCK, NEVER, ForestCode

_TREE_FIELDS = 4
_WALKERS = 16
"""Rows that walk a tree in lock-step: enough to hide the latency of two dependent loads."""
_LEVELS = 2
"""Levels between two looks whether all walkers have arrived."""


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
    features: double*, feature j of row r at features[j * tile + r], readable up to the next multiple of 64
    rows, with any contents there; count: i64, rows in this tile, at most `tile`;
    out: double*, output k of row r goes to out[k * tile + r], writable up to the next multiple of 64 rows.
    """
    counts = entry_alloca(builder, BLOCK_WORDS, "counts")
    blocks = builder.udiv(builder.add(count, INT64(BLOCK - 1)), INT64(BLOCK))

    def batch(start: ir.Value, stop: ir.Value) -> None:
        def stage_of(block: ir.Value) -> tuple[Stage, ir.Value, ir.Value]:
            row = builder.mul(block, INT64(BLOCK))
            offset = builder.mul(builder.mul(builder.sub(block, start), pointers["slot_count"]), INT64(BLOCK))
            slots = builder.gep(pointers["scratch"], [offset], source_etype=INT8)
            stage = Stage(builder, code, pointers, features, slots)
            return stage, row, stage.at(out, row, DOUBLE)

        def prepare(block: ir.Value) -> None:
            stage, row, target = stage_of(block)
            _emit_base(stage, target)
            emit_bins(stage, counts, row)

        def add_trees(first: ir.Value, last: ir.Value) -> None:
            def add_block(block: ir.Value) -> None:
                stage, _, target = stage_of(block)
                each(builder, first, last, lambda tree: emit_tree(stage, tree, target), "tree")

            each(builder, start, stop, add_block, "block")

        each(builder, start, stop, prepare, "prepare")
        _each_run(builder, pointers["tree_count"], pointers["trees_per_pass"], add_trees, "trees")

    emit_tree = _emit_bitvector if code.strategy == "bitvector" else _emit_traverse
    _each_run(builder, blocks, pointers["blocks_per_pass"], batch, "blocks")


def _each_run(
    builder: ir.IRBuilder,
    count: ir.Value,
    size: ir.Value,
    body: Callable[[ir.Value, ir.Value], None],
    name: str,
) -> None:
    """`for start in range(0, count, size): body(start, min(start + size, count))`"""

    def run(index: ir.Value) -> None:
        start = builder.mul(index, size)
        end = builder.add(start, size)
        body(start, builder.select(builder.icmp_signed("<", end, count), end, count))

    runs = builder.udiv(builder.add(count, builder.sub(size, INT64(1))), size)
    each(builder, 0, runs, run, name)


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
    begin, leaf, output = (stage.field("trees", tree, _TREE_FIELDS, place, INT64) for place in (0, 2, 3))
    tests = stage.at(stage.pointers["tests"], begin, INT64)
    values = stage.at(stage.pointers["leaf"], leaf, DOUBLE)
    address = _rows_of(stage, target, output, 0)

    def walk(group: ir.Value) -> None:
        first = b.mul(group, INT64(_WALKERS))
        slots = [stage.at(stage.slots, b.add(first, INT64(row)), INT8) for row in range(_WALKERS)]
        for row, place in enumerate(_emit_walk(stage, tests, slots)):
            value = b.load(stage.at(values, b.zext(place, INT64), DOUBLE), typ=DOUBLE)
            _emit_add(stage, stage.at(address, b.add(first, INT64(row)), DOUBLE), value)

    each(b, 0, INT64(BLOCK // _WALKERS), walk, "walkers")


def _emit_walk(stage: Stage, tests: ir.Value, slots: list[ir.Value]) -> list[ir.Value]:
    """Walk until every row is at a leaf, which is looked at every few levels only."""
    b = stage.builder
    before = b.block
    level, after = b.append_basic_block("level"), b.append_basic_block("level.end")
    b.branch(level)
    b.position_at_end(level)
    starts = [b.phi(INT32) for _ in slots]
    places: list[ir.Value] = list(starts)
    for _ in range(_LEVELS):
        at_leaf: ir.Value = INT8(NEVER)
        for row, slot in enumerate(slots):
            places[row], bin_ = _emit_step(stage, tests, places[row], slot)
            at_leaf = b.and_(at_leaf, bin_)
    for start, place in zip(starts, places, strict=True):
        start.add_incoming(INT32(0), before)
        start.add_incoming(place, level)
    b.cbranch(b.icmp_unsigned("==", at_leaf, INT8(NEVER)), after, level)
    b.position_at_end(after)
    return places


def _emit_step(stage: Stage, tests: ir.Value, place: ir.Value, slots: ir.Value) -> tuple[ir.Value, ir.Value]:
    """The place of the child that the row goes to, and the bin of the test."""
    b = stage.builder
    test = b.load(stage.at(tests, b.zext(place, INT64), INT64), typ=INT64)
    slot = b.load(stage.at(slots, b.lshr(test, INT64(32)), INT8), typ=INT8)
    bin_ = b.trunc(test, INT8)
    goes_right = b.zext(b.icmp_unsigned(">", slot, bin_), INT32)
    return b.add(b.lshr(b.trunc(test, INT32), INT32(8)), goes_right), bin_
